"""Geometry: what a builder made, from which meshes and devices are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from ..checks import as_number, checked_temperature, named, named_fields, shown
from ..device.coefficient import varies_in_space
from ..device.contact import Contact, Reservoir
from ..device.device import Device
from ..device.doors import check_given
from ..device.material import Material
from ..device.quantities import magnitude
from ..device.units import NATURAL, Units, active_units
from ..errors import DeviceError
from ..frozen import FrozenMapping, FrozenRecord
from .arguments import optional
from .blocks import Blocks
from .interfaces import interface_facets, interface_names
from .lengths import has_spin_orbit_coupling, is_superconducting
from .sizes import Size, cell_sizes
from .triangulate import Sketch


@named_fields
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Geometry(FrozenRecord):
    """A shape whose regions have materials, as the builders of `usadelfem.geometry` make it.

    Attributes
    ----------
    kind
        Name of the builder.
    shape
        Its lines and planes.
    materials
        Region name -> Material.
    labels
        Region name -> the keyword that gave its material.
    terminals
        Facet set that is a contact by default -> the region that it touches.
    thickness
        Of a plane shape: the thickness of the film, length; only a number that the device keeps. None: not known.
    plane
        The plane that a plane shape stands for, as in `Device`.
    units
        The units of its lengths and materials, those in force when it was made.
    """

    kind: str
    shape: Blocks | Sketch
    materials: Mapping[str, Material]
    labels: Mapping[str, str]
    terminals: Mapping[str, str]
    thickness: float | None = None
    plane: str = "xy"
    units: Units = field(default=NATURAL, init=False)

    def __post_init__(self) -> None:
        for name in ("materials", "labels", "terminals"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))
        for region, material in self.materials.items():
            if not isinstance(material, Material):
                raise DeviceError(f"region {region!r} is given {shown(material)}; allowed is a Material")
        sets = (*self.shape.sides, *interface_names(self.shape.pairs, self.regions))
        if len(set(sets)) < len(sets):
            raise DeviceError(f"two facet sets have the same name in {', '.join(sets)}; rename a region")
        object.__setattr__(self, "units", active_units())
        object.__setattr__(self, "thickness", optional("thickness", self.thickness))
        check_given(self.materials, self.units)

    @property
    def dim(self) -> int:
        """Dimension of the meshes, 1 to 3."""
        return self.shape.dim

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return tuple(self.materials)

    @property
    def facet_sets(self) -> tuple[str, ...]:
        """Names of the facet sets: terminals, other sides, and the interfaces between regions, "S_N"."""
        interfaces = interface_names(self.shape.pairs, self.regions)
        return tuple(dict.fromkeys((*self.terminals, *self.shape.sides, *interfaces)))

    @named()
    def mesh(self, temperature: float | None = None, size: Size | None = None) -> Any:
        """A mesh with the regions and facet sets of the geometry.

        Cells are a quarter of the decay length (`decay_length`) long at interfaces, terminals and inner corners, less
        at points where solutions are singular, and grow inwards to 0.3 decay lengths. Superconductors between one
        terminal and other regions are banks, where cells grow to 5 decay lengths; and across a film of layers, where
        nothing changes the solution, they are as long as those inside of the layer of the longest decay length (a
        `device` without fields and coefficients that vary has two of them). Something does with spin-orbit coupling,
        and where a device has contacts at the sides of the film.

        Parameters
        ----------
        temperature
            The lowest temperature of the calculations, energy (k_B = 1) or in the units of the geometry. None: half the
            lowest critical temperature of the superconductors.
        size
            The largest cell, length, instead: for all regions, or {region or material keyword: length} for some.
            Cells are smaller where arcs and narrow parts need it.

        Returns
        -------
        A scikit-fem mesh: lines, triangles, quadrilaterals, tetrahedra or hexahedra.

        Raises
        ------
        MeshError
            If a size is not positive or names no region, there is neither a size nor anything that sets a length, or a
            shape that needs Gmsh meets none.
        ValueError
            If the temperature is not positive.
        """
        return self._mesh(temperature, size, self.shape)

    def _mesh(
        self, temperature: float | None, size: Size | None, shape: Blocks | Sketch, contacts: tuple[str, ...] = ()
    ) -> Any:
        """The mesh of a shape, with cells that are small at terminals, and at contacts that are no terminals."""
        if temperature is not None:
            checked_temperature(self.units.into("temperature", temperature, "temperature"))
        points = {region: self.shape.points(region) for region in self.materials}
        banks = set(self._ends.values()) if len(self.materials) > 1 else set()
        sizes = cell_sizes(self.materials, self.labels, points, temperature, size, banks, self.units)
        if isinstance(shape, Blocks) and any(map(has_spin_orbit_coupling, self.materials.values())):
            shape = replace(shape, idle=False)
        busy = [name for name, region in self.terminals.items() if region not in banks]
        mesh = shape.mesh(sizes, tuple(dict.fromkeys((*busy, *contacts))))
        mesh = replace(mesh, _subdomains={region: mesh.subdomains[region] for region in self.regions})
        sets = {**mesh.boundaries, **interface_facets(mesh)}
        return replace(mesh, _boundaries={name: sets[name] for name in self.facet_sets})

    def device(
        self, temperature: float | None = None, *, phase: float = 0.0, size: Size | None = None,
        contacts: Mapping[str, Contact | None] | None = None, **options: Any,
    ) -> Device:  # fmt: skip
        """A device: a mesh with the materials of the geometry and reservoirs at its terminals.

        Parameters
        ----------
        temperature, size
            As in `mesh`; the temperature is also that of the device.
        phase
            Superconducting phase of the last terminal that is superconducting, radians; that of the others is 0. A
            given gap of a region with one terminal gets the phase of its reservoir, so that both agree;
            `Device.with_phase` does not change it, a self-consistent one (Tc) follows by itself.
        contacts
            Facet set -> contact, for some of them, also for facet sets that are no terminals; None takes the contact
            of a terminal away. The others have `Reservoir()`, with the bulk gap, at superconductors and
            `Reservoir(gap=0)` at other metals.
        **options
            materials (region -> Material, for some of them), interfaces, plane, A, B and all else that `Device` takes.

        Returns
        -------
        Device

        Raises
        ------
        DeviceError
            If something does not fit, as `Device` does, or there is a phase without a superconducting terminal.
        MeshError, ValueError
            As `mesh`.
        """
        given = {} if contacts is None else contacts
        if not isinstance(given, Mapping):
            raise DeviceError(f"contacts is {shown(given)}; allowed is a mapping from facet sets to contacts")
        own = self._with_materials(options.pop("materials", {}))
        chosen = {**own._reservoirs(phase), **given}
        kept = {name: one for name, one in chosen.items() if one is not None}
        more = tuple(name for name in kept if name not in self.terminals)
        mesh = own._mesh(temperature, size, own._shape_for(chosen, options), more)
        return Device(mesh, own._turned(kept), kept, **own._options(options, temperature))

    def _shape_for(self, contacts: Mapping[str, Any], options: Mapping[str, Any]) -> Blocks | Sketch:
        """The shape; where nothing varies across a film of layers, two cells across it are as good as many."""
        parts: list[Any] = [*self.materials.values(), *filter(None, contacts.values())]
        parts += [*options.get("interfaces", {}).values(), *filter(None, (getattr(c, "barrier", None) for c in parts))]
        varies = any(varies_in_space(getattr(part, entry.name)) for part in parts for entry in fields(part))
        if not isinstance(self.shape, Blocks) or varies or any(options.get(name) is not None for name in "AB"):
            return self.shape
        return replace(self.shape, uniform=True)

    @property
    def _ends(self) -> dict[str, str]:
        """The superconducting regions that touch one terminal, by terminal."""
        touched = list(self.terminals.values())
        alone = {name: region for name, region in self.terminals.items() if touched.count(region) == 1}
        return {name: region for name, region in alone.items() if is_superconducting(self.materials[region])}

    def _reservoirs(self, phase: float) -> dict[str, Reservoir]:
        """The contacts by default."""
        rich = {name: is_superconducting(self.materials[region]) for name, region in self.terminals.items()}
        found = {name: Reservoir() if own else Reservoir(gap=0.0) for name, own in rich.items()}
        last = [name for name, own in rich.items() if own][-1:]
        if not last and not (isinstance(phase, int | float) and phase == 0):
            raise DeviceError(f"phase is {shown(phase)}, but no terminal is superconducting; give it to a Reservoir")
        return found | {name: Reservoir(phase=phase) for name in last}

    def _with_materials(self, given: Mapping[str, Material]) -> Geometry:
        """The same shape of other materials."""
        if not isinstance(given, Mapping):
            raise DeviceError(f"materials is {shown(given)}; allowed is a mapping from regions to Material")
        for name in given:
            if name not in self.materials:
                raise DeviceError(f"no region {shown(name)}; it has: {', '.join(self.regions)}")
        return replace(self, materials={**self.materials, **given}) if given else self

    def _turned(self, contacts: Mapping[str, Contact]) -> dict[str, Material]:
        """The materials, with the phases of reservoirs in the given gaps of regions that touch only one."""
        turned = dict(self.materials)
        for name, region in self._ends.items():
            reservoir, gap = contacts.get(name), self.materials[region].gap
            phase = as_number(reservoir.phase) if isinstance(reservoir, Reservoir) else None
            if phase and as_number(magnitude(gap)) is not None:
                factor: Any = complex(np.exp(1j * phase))
                turned[region] = replace(self.materials[region], gap=factor * gap)
        return turned

    def _options(self, given: Mapping[str, Any], temperature: float | None) -> dict[str, Any]:
        """The keyword arguments of Device besides mesh, materials and contacts."""
        options: dict[str, Any] = {**given}
        if self.dim == 2:
            options.setdefault("plane", self.plane)
        if self.thickness is not None:
            options.setdefault("thickness", self.thickness)
        if temperature is not None:
            options.setdefault("temperature", temperature)
        options.setdefault("units", self.units)
        return options

    def __repr__(self) -> str:
        size = " x ".join(f"{length:g}" for length in self.shape.extent)
        return (
            f"Geometry({self.kind}, {size}; regions {', '.join(self.regions)}; terminals "
            f"{', '.join(self.terminals) or 'none'}; facet sets {', '.join(self.facet_sets)})"
        )
