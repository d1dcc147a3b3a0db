"""Whether the parts of a description fit each other: materials, contacts and barriers on a mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..checks import choice, numbers, shown
from ..errors import DeviceError, warn
from .coefficient import evaluate
from .contact import FLOATING, Contact, Reservoir
from .facets import interface_facets
from .interface import check_density
from .material import COEFFICIENTS, Material, Vacuum


def check_barriers(mesh: Any, interfaces: Mapping[Any, Any], contacts: Mapping[str, Contact]) -> None:
    """Evaluate the coefficients of all barriers at the corners of their facets; contacts with one lie outside."""
    barriers = {f"interface {key!r}": (barrier, interface_facets(mesh, key)) for key, barrier in interfaces.items()}
    for name, contact in contacts.items():
        if isinstance(contact, Reservoir) and not contact.is_rigid:
            facets = np.asarray(mesh.boundaries[name], np.int64)
            if (mesh.f2t[1, facets] >= 0).any():
                what = f"contact {name!r} lies inside the mesh: a barrier needs the outer boundary"
                raise DeviceError(f"{what}. Put the contact there, or leave its barrier out")
            barriers[f"barrier of reservoir {name!r}"] = contact.barrier, facets
    for owner, (barrier, facets) in barriers.items():
        if callable(barrier.transparencies):
            check_density(barrier.transparencies, owner)
        for entry in fields(barrier):
            if entry.name != "transparencies" and getattr(barrier, entry.name) is not None:
                points = mesh.p[:, np.unique(mesh.facets[:, facets])]
                evaluate(entry.name, getattr(barrier, entry.name), points, owner)


def check_cover(mesh: Any, materials: Mapping[str, Material | Vacuum]) -> None:
    """Every cell belongs to exactly one material."""
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


def check_material(mesh: Any, region: str, material: Material) -> None:
    """Evaluate every coefficient at the cell centres of its region, so that mistakes show here and not in a solve."""
    centres = mesh.p[:, mesh.t[:, mesh.subdomains[region]]].mean(axis=1)
    for name in COEFFICIENTS:
        check_values(mesh, name, getattr(material, name), centres, f"material of region {region!r}")


def check_values(mesh: Any, name: str, value: Any, points: NDArray[Any], owner: str) -> None:
    """Evaluate a coefficient at points, or look at one value for every vertex."""
    def interpolate(nodal: NDArray[Any]) -> NDArray[Any]:
        if nodal.shape[-1] != mesh.nvertices:
            raise DeviceError(
                f"{owner}: {name} is an array over {nodal.shape[-1]} values; the mesh has {mesh.nvertices} vertices"
            )
        return nodal

    evaluate(name, value, points, owner, interpolate)


def check_contact(mesh: Any, name: str, contact: Contact) -> None:
    """Evaluate what a contact imposes at the vertices of its facets."""
    vertices = np.unique(mesh.facets[:, mesh.boundaries[name]])
    owner = f"{'reservoir' if isinstance(contact, Reservoir) else 'contact'} {name!r}"
    for entry in fields(contact):
        value = getattr(contact, entry.name)
        if entry.name not in ("barrier", "temperature") and value is not None and value is not FLOATING:
            evaluate(entry.name, value, mesh.p[:, vertices], owner)


def warn_unconnected(mesh: Any, contacts: Mapping[str, Contact]) -> None:
    """Warn of connected parts of a mesh without a contact, where others have one."""
    if not contacts:
        return
    inner = mesh.f2t[:, mesh.f2t[1] >= 0]
    graph = coo_array((np.ones(inner.shape[1]), (inner[0], inner[1])), shape=(mesh.nelements, mesh.nelements))
    count, part = connected_components(graph, directed=False)
    touched = np.unique(part[np.concatenate([mesh.f2t[0, mesh.boundaries[name]] for name in contacts])])
    for lonely in np.setdiff1d(np.arange(count), touched):
        regions = [r for r, cells in mesh.subdomains.items() if (part[cells] == lonely).any()]
        warn(
            f"a part of the device without contact to any reservoir: {(part == lonely).sum()} cells of region "
            f"{', '.join(sorted(regions))}; it is solved as an isolated piece"
        )


def check_plane(plane: str, dim: int) -> None:
    """DeviceError unless a mesh of some dimension can stand for a plane."""
    choice("plane", plane, ("xy", "xz", "yz"), error=DeviceError)
    if plane != "xy" and dim != 2:
        raise DeviceError(f"plane={plane!r} is for two-dimensional meshes; the axes of this one are {'xyz'[:dim]!r}")


def check_field(dim: int, potential: Any, field: Any) -> None:
    """DeviceError unless an applied field fits the dimension of the mesh, and is not given twice."""
    if field is None:
        return
    if potential is not None:
        raise DeviceError("give either A or B, not both")
    shape = {2: (), 3: (3,)}.get(dim)
    if shape is None:
        raise DeviceError("B needs a mesh of two or three dimensions; on a line give A")
    allowed = "is a finite number" if dim == 2 else "are three finite numbers (Bx, By, Bz)"
    value = numbers("B", field, allowed, error=DeviceError)
    if value.shape != shape:
        raise DeviceError(f"B is {shown(field)}; allowed {allowed}")
