"""The device: a mesh, a material for every region, a reservoir for every contact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ..checks import named_fields, shown
from ..errors import DeviceError
from ..frozen import FrozenMapping
from ..mesh.names import check_set_names
from ..mesh.read import check_mesh, freeze_mesh
from .coefficient import check_coefficient, check_one_temperature, frozen_value
from .conformity import check_conformity
from .consistency import (
    check_barriers,
    check_contact,
    check_cover,
    check_field,
    check_material,
    check_plane,
    check_values,
    warn_unconnected,
)
from .contact import Contact, Reservoir
from .doors import check_extent, check_given, natural_records
from .interface import Interface, check_interfaces
from .later import asked
from .material import Coefficient, Material, Vacuum
from .pictured import PicturedDevice
from .plane import in_plane
from .quantities import magnitude
from .units import Units, active_units


@named_fields
@dataclass(frozen=True, eq=False, repr=False)
class Device(PicturedDevice):
    """A mesh whose regions have materials and whose contacts have reservoirs.

    Regions that touch are in transparent contact: the Green's function is continuous and the matrix current is
    conserved, whatever coefficients jump. Boundaries without a contact are boundaries to vacuum.

    Parameters
    ----------
    mesh
        A scikit-fem mesh with named subdomains (regions) and boundaries (facet sets): from `read_mesh`, `interval`,
        `rectangle`, `box`, or built in Python.
    materials
        Region name -> Material, or `vacuum()`; every cell must belong to exactly one of them.
    contacts
        Facet set name -> Reservoir, or for `solve_normal_state` NormalContact and CurrentContact; empty for an isolated
        piece.
    interfaces
        What lies between regions: facet set name, or pair of region names -> Transparent (default), Tunnel, SpinActive
        or Nazarov. On the outer boundary only with conductance 0: SpinActive, a magnetic insulator, or Tunnel. Not for
        `solve_normal_state`.
    plane
        The plane that a two-dimensional mesh stands for: "xy" (default), "xz" or "yz" say which axes of space, and so
        of spin, its first and second coordinate are, and those of its textures. Nothing varies along the third.
    A
        Vector potential times the charge, shape (dim,), 1/length: numbers, a callable of position or an array over the
        vertices, (dim, vertices). A phase gradient d phi acts like A = -d phi/2. None: zero.
    B
        Uniform applied magnetic field times the charge (e B / hbar), 1/length^2: a flux quantum h/2e is pi. In 2D a
        number, along the first times the second mesh axis; in 3D (Bx, By, Bz). The vector potential is made for the
        geometry: div A = 0, no component normal to free boundaries, none along contacts (where the phase of a
        reservoir is that of the order parameter), and around a hole its circulation is the flux through the hole.
        Either A or B.
    thickness
        Of a two-dimensional mesh the extent along the third direction, length: currents, resistances and energies are
        then those of the whole film. None: they are per length.
    area
        Of a one-dimensional mesh the cross-section, length^2. None: they are per area.
    temperature
        The temperature of solves that name none, energy (k_B = 1).
    units
        The units of all these numbers and of results; None: those that are in force, natural ones or those of `lab`.

    Raises
    ------
    DeviceError
        If a name is unknown or cannot stand in a file, a cell has no material or several, a facet set is empty, or a
        coefficient does not fit.
        If parts of the mesh coincide in space but share no nodes (doubled, hanging or non-matching nodes, cells in each
        other), unless an insulating cut is meant: one side has an interface without conductance, or both have contacts.
    MeshError
        If the mesh is of an unsupported type or has no regions.

    Warns
    -----
    UserWarning
        If the device has contacts, but a connected part of the mesh touches none of them.
    """

    mesh: Any
    materials: Mapping[str, Material | Vacuum]
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    interfaces: Mapping[str | tuple[str, str], Interface] = field(default_factory=dict)
    plane: str = field(default="xy", kw_only=True)
    A: Coefficient | None = field(default=None, kw_only=True)
    B: float | tuple[float, float, float] | None = field(default=None, kw_only=True)
    thickness: float | None = field(default=None, kw_only=True)
    area: float | None = field(default=None, kw_only=True)
    temperature: float | None = field(default=None, kw_only=True)
    units: Units = field(default=None, kw_only=True)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        check_mesh(self.mesh)
        check_set_names(self.mesh)
        freeze_mesh(self.mesh)
        _check_names("region", self.materials, self.mesh.subdomains, Material | Vacuum)
        _check_names("facet set", self.contacts, self.mesh.boundaries or {}, Contact)
        check_plane(self.plane, self.mesh.dim())
        if not isinstance(self.interfaces, Mapping):
            raise DeviceError(
                f"interfaces is {shown(self.interfaces)}; allowed is a mapping from facet sets or pairs of regions to "
                "Tunnel, SpinActive, ..."
            )
        if self.mesh.dim() == 2:
            for name in ("materials", "contacts", "interfaces"):
                object.__setattr__(self, name, in_plane(getattr(self, name), self.plane))
        for name in self.contacts:
            if not len(self.mesh.boundaries[name]):
                raise DeviceError(f"contact {name!r} touches no facet: the facet set {name!r} of the mesh is empty")
        check_cover(self.mesh, self.materials)
        if not self.conductors:
            raise DeviceError("all regions are vacuum; give at least one of them a Material")
        for name in self.contacts:
            if not len(self.sample.boundaries[name]):
                raise DeviceError(f"contact {name!r} touches vacuum only")
        check_coefficient("A", self.A, "device")
        object.__setattr__(self, "A", frozen_value(self.A))
        check_field(self.mesh.dim(), self.A, magnitude(self.B))
        object.__setattr__(self, "B", frozen_value(self.B))
        check_conformity(self.mesh, self.interfaces, self.contacts)
        check_interfaces(self.sample, self.interfaces, self.contacts)
        warn_unconnected(self.sample, self.contacts)
        for name in ("materials", "contacts", "interfaces"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))
        self._settle_units()

    def _settle_units(self) -> None:
        """Take the units that are in force, and find what does not fit them now and not in a solve."""
        if self.units is not None and not isinstance(self.units, Units):
            raise DeviceError(f"units is {shown(self.units)}; allowed are None and what uf.lab() returns")
        object.__setattr__(self, "units", active_units() if self.units is None else self.units)
        check_extent(self.mesh.dim(), self.thickness, self.area)
        check_one_temperature(self.temperature, "device")
        check_given(self.materials, self.units)
        self.natural._check_values()

    def _check_values(self) -> None:
        """Evaluate what varies in space where it will be needed."""
        for region, material in self.conductors.items():
            check_material(self.mesh, region, material)
        for name, contact in self.contacts.items():
            check_contact(self.mesh, name, contact)
        check_values(self.mesh, "A", self.A, self.mesh.p[:, self.mesh.t].mean(axis=1), "device")
        check_barriers(self.sample, self.interfaces, self.contacts)

    @cached_property
    def natural(self) -> Device:
        """The same device in natural numbers, hbar = k_B = e = 1, in powers of its units of length and energy."""
        units = self.units
        if units.inside:
            return self
        extent = {name: units.into(dimension, getattr(self, name), name) for name, dimension in EXTENT.items()}
        total = extent["thickness"] or extent["area"] or 1.0
        own = extent | {
            "materials": FrozenMapping(natural_records(self.materials, units, "material of region")),
            "contacts": FrozenMapping(natural_records(self.contacts, units, "contact", total)),
            "interfaces": FrozenMapping(natural_records(self.interfaces, units, "interface")),
        }  # fmt: skip
        if units.is_natural:
            return self
        made: Device = object.__new__(type(self))
        kept = {name: value for name, value in vars(self).items() if name not in DERIVED}
        vars(made).update(kept | own | {"units": units.within})
        return made

    def summary(self, temperature: float | None = None, *, order: int = 2) -> Any:
        """Lengths, Thouless energies, resistances, T/Tc, cells per length, expected critical current, what is compiled.

        Parameters and errors as `usadelfem.study.summary`, which makes the tables; print them.
        """
        return asked("summary")(self, temperature, order=order)

    @property
    def transverse(self) -> float:
        """The measure of the directions that the mesh does not have, 1 where it is not known."""
        return float(self.natural.thickness or self.natural.area or 1.0)

    def __getstate__(self) -> dict[str, Any]:
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}  # not what is derived from these

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        freeze_mesh(self.mesh)

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """Discretisations of this device and of those that differ in the phases of reservoirs only."""
        return {}

    def __repr__(self) -> str:
        mesh = f"{type(self.mesh).__name__} with {self.mesh.nvertices} vertices"
        shown = f"materials={dict(self.materials)}, contacts={dict(self.contacts)}"
        if self.interfaces:
            shown += f", interfaces={dict(self.interfaces)}"
        return f"Device({mesh}, {shown})"

    @cached_property
    def conductors(self) -> Mapping[str, Material]:
        """The regions that are not vacuum, with their materials."""
        return FrozenMapping({name: m for name, m in self.materials.items() if isinstance(m, Material)})

    @cached_property
    def sample(self) -> Any:
        """The mesh without its vacuum: the same object where there is none."""
        if len(self.conductors) == len(self.materials):
            return self.mesh
        cells = np.sort(np.concatenate([self.mesh.subdomains[name] for name in self.conductors]))
        part = self.mesh.restrict(cells)
        regions = {name: own for name, own in part.subdomains.items() if len(own)}
        return replace(part, _subdomains=regions)

    @cached_property
    def sample_cells(self) -> NDArray[np.int64]:
        """Cell of `mesh` that each cell of `sample` is."""
        return np.sort(np.concatenate([self.mesh.subdomains[name] for name in self.conductors])).astype(np.int64)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of space (0, 1, 2 for x, y, z) that the mesh axes stand for."""
        return tuple("xyz".index(axis) for axis in self.plane) if self.mesh.dim() == 2 else (0, 1, 2)[: self.mesh.dim()]

    @property
    def contact_facets(self) -> NDArray[np.int64]:
        """The facets of all contacts, in the numbering of `sample`."""
        facets = [np.asarray(self.sample.boundaries[name], np.int64) for name in self.contacts]
        return np.unique(np.concatenate([*facets, np.empty(0, np.int64)]))

    @cached_property
    def sample_vertices(self) -> NDArray[np.int64]:
        """Vertex of `mesh` that each vertex of `sample` is."""
        if self.sample is self.mesh:
            return np.arange(self.mesh.nvertices)
        return np.unique(self.mesh.t[:, self.sample_cells]).astype(np.int64)

    def with_phase(self, contact: str, phase: Coefficient) -> Device:
        """The same device with a given superconducting phase (radians) of one reservoir, another one or no current."""
        if not isinstance(contact, str):
            known = ", ".join(sorted(self.contacts)) or "none"
            raise DeviceError(f"contact is {shown(contact)}; allowed is the name of one: {known}")
        _check_names("contact", {contact: None}, self.contacts, object)
        reservoir = self.contacts[contact]
        if not isinstance(reservoir, Reservoir):
            raise DeviceError(f"contact {contact!r} is {reservoir!r}; only a Reservoir has a phase")
        changed = replace(reservoir, phase=phase, current=None)
        if self.mesh.dim() == 2:
            changed = in_plane({contact: changed}, self.plane)[contact]
        check_contact(self.mesh, contact, changed)
        made: Device = object.__new__(type(self))  # all the rest has been checked, and is the same
        own = {"kept": self.kept, "contacts": FrozenMapping({**self.contacts, contact: changed})}
        vars(made).update({name: value for name, value in vars(self).items() if name != "natural"} | own)
        if self.natural is not self:
            vars(made)["natural"] = self.natural.with_phase(contact, changed.phase)
        return made

    def with_gap(self, gaps: Mapping[str, Coefficient | None]) -> Device:
        """The same device with the gaps of some regions given, or None where they are to be found."""
        if not isinstance(gaps, Mapping):
            raise DeviceError(f"gaps is {shown(gaps)}; allowed is a mapping from region names to gaps")
        _check_names("region", dict.fromkeys(gaps), self.conductors, object)
        changed = {region: replace(self.conductors[region], gap=gap) for region, gap in gaps.items()}
        return replace(self, materials={**self.materials, **changed})


# Numbers of a device itself and their dimensions; what is made of its descriptions.
EXTENT = {"thickness": "length", "area": "area", "temperature": "temperature", "A": "vector_potential", "B": "field"}
DERIVED = ("natural", "kept", "conductors")
NAMED = {"region": "materials", "facet set": "contacts"}  # what is given by the names of these


def _check_names(kind: str, given: Mapping[str, Any], known: Mapping[str, Any], type_: Any) -> None:
    if not isinstance(given, Mapping):
        raise DeviceError(f"{NAMED[kind]} is {shown(given)}; allowed is a mapping from {kind} names")
    for name, value in given.items():
        if not isinstance(name, str) or name not in known:
            raise DeviceError(f"no {kind} {shown(name)}; it has: {', '.join(sorted(known)) or 'none'}")
        if not isinstance(value, type_):
            allowed = " or ".join(option.__name__ for option in get_args(type_) or (type_,))
            raise DeviceError(f"{kind} {name!r} is given {shown(value)}; allowed is a {allowed}")
