"""Records, arrays and meshes as groups of an HDF5 file: nothing in it is code, so that any file may be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray
from skfem.generic_utils import OrientedBoundary

from ..device.contact import FLOATING, CurrentContact, Reservoir
from ..device.device import Device
from ..device.interface import Interface
from ..device.material import Material, Relaxation, Vacuum
from ..device.units import Units
from ..mesh.read import MESH_TYPES
from ..nonequilibrium.bias import Bias
from ..nonequilibrium.collisions import Scattered
from ..numerics.newton import Clock
from ..numerics.report import Iteration, Report
from ..points.panels import Panels
from .hdf5 import attribute, member, members, read_array, seal, set_text, verify
from .sampled import Sampled

RECORDS: dict[str, type] = {
    record.__name__: record
    for record in (
        Device, Material, Relaxation, Vacuum, Reservoir, CurrentContact, Interface, Sampled, Report, Iteration, Clock,
        Bias, Panels, Scattered, Units,
    )
}  # fmt: skip
_MESHES: dict[str, type] = {mesh.__name__: mesh for mesh in MESH_TYPES.values()}
_COMPRESSED_FROM = 4096  # numbers


def write(group: Any, name: str, value: Any) -> None:
    """Add a value to a group under a name, with a checksum.

    Raises
    ------
    TypeError
        If it is of a type that files do not hold.
    """
    if isinstance(value, np.ndarray):
        _write_array(group, name, value)
        return
    if isinstance(value, tuple) and value and all(type(item) is float for item in value):
        _write_array(group, name, np.array(value), "tuple")  # much smaller than a group for each number
        return
    own = group.create_group(name)
    if value is None or isinstance(value, bool | int | float | complex | str | np.number | np.bool_):
        _write_simple(own, value)
    elif value is FLOATING:
        set_text(own, "kind", "floating")
    elif isinstance(value, Mapping):
        set_text(own, "kind", "mapping")
        write(own, "keys", list(value))
        write(own, "values", list(value.values()))
    elif isinstance(value, tuple | list):
        set_text(own, "kind", type(value).__name__)
        for n, item in enumerate(value):
            write(own, str(n), item)
    elif type(value).__name__ in _MESHES:
        _set_class(own, "mesh", value)
        _write_mesh(own, value)
    elif type(value).__name__ in RECORDS:
        _set_class(own, "record", value)
        for entry in fields(value):
            write(own, entry.name, getattr(value, entry.name))
    else:
        raise TypeError(f"{name} is {value!r:.200}, which a file does not hold")
    seal(own)


def _set_class(own: Any, kind: str, value: Any) -> None:
    set_text(own, "kind", kind)
    set_text(own, "class", type(value).__name__)


def _write_array(group: Any, name: str, array: NDArray[Any], kind: str = "array") -> None:
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name} is an array of {array.dtype}, which a file does not hold; allowed are numbers")
    options = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    own = group.create_dataset(name, data=array, **(options if array.size >= _COMPRESSED_FROM else {}))
    set_text(own, "kind", kind)
    seal(own, array)


def _write_simple(own: Any, value: Any) -> None:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        set_text(own, "kind", "integer")
        set_text(own, "value", str(value))
    elif isinstance(value, str):
        set_text(own, "kind", "text")
        set_text(own, "value", value)
    else:
        set_text(own, "kind", "none" if value is None else "number")
        if value is not None:
            own.attrs["value"] = value


def _write_mesh(group: Any, mesh: Any) -> None:
    write(group, "points", mesh.p)
    write(group, "cells", mesh.t)
    write(group, "regions", dict(mesh.subdomains or {}))
    write(group, "facets", dict(mesh.boundaries or {}))
    orientation = {k: v.ori for k, v in (mesh.boundaries or {}).items() if isinstance(v, OrientedBoundary)}
    write(group, "orientation", orientation)


def read(item: Any) -> Any:
    """The value that was written.

    Raises
    ------
    FileError
        If it does not fit its checksum, or is of a kind or class that this version does not know.
    """
    return _Reader().read(item)


class _Reader:
    """Reads each item once, so that a file in which items contain themselves comes to an end."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def read(self, item: Any) -> Any:
        import h5py

        address = h5py.h5o.get_info(item.id).addr
        if address in self.seen:
            raise ValueError(f"{item.name} is the same as another item")
        self.seen.add(address)
        if isinstance(item, h5py.Dataset):
            array = read_array(item)
            verify(item, array)
            return tuple(array.tolist()) if attribute(item, "kind") == "tuple" else array
        kind, name = attribute(item, "kind"), attribute(item, "class", "")
        if kind not in _KINDS or (kind in _CLASSES and name not in _CLASSES[kind]):
            raise ValueError(f"{item.name} is a {kind} {name!r}, which this version does not know")
        verify(item)
        if kind in _CLASSES:
            parts = {key: self.read(part) for key, part in members(item).items()}
            return _mesh(_MESHES[name], **parts) if kind == "mesh" else RECORDS[name](**parts)
        if kind == "mapping":
            return dict(zip(self.read(member(item, "keys")), self.read(member(item, "values")), strict=True))
        if kind in ("tuple", "list"):
            items = [self.read(member(item, str(n))) for n in range(len(item))]
            return tuple(items) if kind == "tuple" else items
        if kind == "floating":
            return FLOATING
        value = attribute(item, "value")
        if kind == "integer":
            return int(value)
        return value.item() if isinstance(value, np.generic) else value


def _mesh(mesh_type: Any, points: Any, cells: Any, regions: Any, facets: Any, orientation: Any) -> Any:
    if not np.isfinite(points).all():
        raise ValueError("a point of the mesh is not finite")
    _check_indices("cells", cells, points.shape[-1])
    mesh: skfem.Mesh = mesh_type(points, cells)
    for what, sets, size in (("region", regions, mesh.nelements), ("facet set", facets, mesh.nfacets)):
        for name, indices in sets.items():
            _check_indices(f"{what} {name!r}", indices, size)
    oriented = {
        name: OrientedBoundary(indices, orientation[name]) if name in orientation else indices
        for name, indices in facets.items()
    }
    return mesh.with_subdomains(regions).with_boundaries(oriented, boundaries_only=False)


def _check_indices(what: str, indices: NDArray[Any], size: int) -> None:
    if indices.dtype.kind not in "iu" or not ((indices >= 0) & (indices < size)).all():
        raise ValueError(f"{what} of the mesh has indices outside 0 to {size - 1}")


_CLASSES: dict[str, dict[str, type]] = {"mesh": _MESHES, "record": RECORDS}
_KINDS = {*_CLASSES, "mapping", "tuple", "list", "none", "number", "integer", "text", "floating"}
