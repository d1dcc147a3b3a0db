"""The device: a mesh, a material for every region, a reservoir for every contact."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import DeviceError
from .coefficient import evaluate
from .contact import Reservoir
from .material import Coefficient, Material
from .mesh import check_mesh


@dataclass(frozen=True, eq=False, repr=False)
class Device:
    """A mesh whose regions have materials and whose contacts have reservoirs.

    Regions that touch are in transparent contact: the Green's function is continuous and the matrix current is
    conserved, whatever coefficients jump. Boundaries without a contact are boundaries to vacuum.

    Parameters
    ----------
    mesh
        A scikit-fem mesh with named subdomains (regions) and boundaries (facet sets): from `read_mesh`, `interval`,
        `rectangle`, `box`, or built in Python.
    materials
        Region name -> Material; every cell must belong to exactly one of them.
    contacts
        Facet set name -> Reservoir; empty for an isolated piece.

    Raises
    ------
    DeviceError
        If a name is unknown, a cell has no material or several, a facet set is empty, or a coefficient does not fit.
    MeshError
        If the mesh is of an unsupported type or has no regions.

    Warns
    -----
    UserWarning
        If the device has contacts, but a connected part of the mesh touches none of them.
    """

    mesh: Any
    materials: Mapping[str, Material]
    contacts: Mapping[str, Reservoir] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_mesh(self.mesh)
        _check_names("region", self.materials, self.mesh.subdomains, Material)
        _check_names("facet set", self.contacts, self.mesh.boundaries or {}, Reservoir)
        for name in self.contacts:
            if not len(self.mesh.boundaries[name]):
                raise DeviceError(f"contact {name!r} touches no facet: the facet set {name!r} of the mesh is empty")
            _check_reservoir(self.mesh, name, self.contacts[name])
        _check_cover(self.mesh, self.materials)
        for region, material in self.materials.items():
            _check_material(self.mesh, region, material)
        _warn_unconnected(self.mesh, self.contacts)
        object.__setattr__(self, "materials", MappingProxyType(dict(self.materials)))
        object.__setattr__(self, "contacts", MappingProxyType(dict(self.contacts)))

    def __repr__(self) -> str:
        mesh = f"{type(self.mesh).__name__} with {self.mesh.nvertices} vertices"
        return f"Device({mesh}, materials={dict(self.materials)}, contacts={dict(self.contacts)})"

    def with_phase(self, contact: str, phase: Coefficient) -> Device:
        """The same device with another superconducting phase (radians) of one reservoir."""
        _check_names("contact", {contact: None}, self.contacts, object)
        changed = replace(self.contacts[contact], phase=phase)
        return replace(self, contacts={**self.contacts, contact: changed})


def _check_names(kind: str, given: Mapping[str, Any], known: Mapping[str, Any], type_: type) -> None:
    if not isinstance(given, Mapping):
        raise DeviceError(f"expected a mapping from {kind} names, got {given!r}")
    for name, value in given.items():
        if name not in known:
            raise DeviceError(f"no {kind} {name!r}; it has: {', '.join(sorted(known)) or 'none'}")
        if not isinstance(value, type_):
            raise DeviceError(f"{kind} {name!r} is given {value!r}; allowed is a {type_.__name__}")


def _check_cover(mesh: Any, materials: Mapping[str, Material]) -> None:
    count = np.zeros(mesh.nelements, int)
    for region in materials:
        cells = np.asarray(mesh.subdomains[region])
        if not len(cells):
            raise DeviceError(f"region {region!r} has no cells")
        if (count[cells] > 0).any():
            others = [r for r in materials if r != region and np.intersect1d(mesh.subdomains[r], cells).size]
            raise DeviceError(f"region {region!r} overlaps with {', '.join(others)}: a cell can have one material only")
        count[cells] += 1
    if (count == 0).any():
        missing = [r for r, cells in mesh.subdomains.items() if (count[cells] == 0).any()]
        where = f"region {', '.join(map(repr, sorted(missing)))}" if missing else "a part of the mesh in no region"
        raise DeviceError(f"{where} has no material ({(count == 0).sum()} of {len(count)} cells): add it to materials")


def _check_material(mesh: Any, region: str, material: Material) -> None:
    """Evaluate every coefficient at the cell centres of its region, so that mistakes show here and not in a solve."""
    centres = mesh.p[:, mesh.t[:, mesh.subdomains[region]]].mean(axis=1)
    for entry in fields(material):
        owner, value = f"material of region {region!r}", getattr(material, entry.name)

        def interpolate(nodal: NDArray[Any], name: str = entry.name, owner: str = owner) -> NDArray[Any]:
            if nodal.shape[-1] != mesh.nvertices:
                raise DeviceError(
                    f"{owner}: {name} is an array over {nodal.shape[-1]} values; the mesh has {mesh.nvertices} vertices"
                )
            return nodal

        evaluate(entry.name, value, centres, owner, interpolate)


def _check_reservoir(mesh: Any, name: str, reservoir: Reservoir) -> None:
    vertices = np.unique(mesh.facets[:, mesh.boundaries[name]])
    for entry in fields(reservoir):
        evaluate(entry.name, getattr(reservoir, entry.name), mesh.p[:, vertices], f"reservoir {name!r}")


def _warn_unconnected(mesh: Any, contacts: Mapping[str, Reservoir]) -> None:
    if not contacts:
        return
    inner = mesh.f2t[:, mesh.f2t[1] >= 0]
    graph = coo_array((np.ones(inner.shape[1]), (inner[0], inner[1])), shape=(mesh.nelements, mesh.nelements))
    count, part = connected_components(graph, directed=False)
    touched = np.unique(part[np.concatenate([mesh.f2t[0, mesh.boundaries[name]] for name in contacts])])
    for lonely in np.setdiff1d(np.arange(count), touched):
        regions = [r for r, cells in mesh.subdomains.items() if (part[cells] == lonely).any()]
        warnings.warn(
            f"a part of the device without contact to any reservoir: {(part == lonely).sum()} cells of region "
            f"{', '.join(sorted(regions))}; it is solved as an isolated piece",
            stacklevel=4,
        )
