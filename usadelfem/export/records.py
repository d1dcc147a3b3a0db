"""Records, arrays and meshes as groups of an HDF5 file: nothing in it is code, so that any file may be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import h5py
import numpy as np
import skfem
from skfem.generic_utils import OrientedBoundary

from ..device.contact import CurrentContact, NormalContact, Reservoir
from ..device.device import Device
from ..device.interface import Nazarov, SpinActive, Transparent, Tunnel
from ..device.material import Material, Vacuum
from ..device.mesh import MESH_TYPES
from ..solve.newton import Clock
from ..solve.status import Report, Sweep
from .sampled import Sampled

RECORDS: dict[str, type] = {
    record.__name__: record
    for record in (
        Device, Material, Vacuum, Reservoir, NormalContact, CurrentContact, Transparent, Tunnel, SpinActive, Nazarov,
        Sampled, Report, Sweep, Clock,
    )
}  # fmt: skip
_MESHES: dict[str, type] = {mesh.__name__: mesh for mesh in MESH_TYPES.values()}
_COMPRESSED_FROM = 4096  # numbers


def write(group: Any, name: str, value: Any) -> None:
    """Add a value to a group under a name.

    Raises
    ------
    TypeError
        If it is of a type that files do not hold.
    """
    if isinstance(value, np.ndarray):
        options = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        group.create_dataset(name, data=value, **(options if value.size >= _COMPRESSED_FROM else {}))
        return
    own = group.create_group(name)
    if value is None or isinstance(value, bool | int | float | complex | str | np.generic):
        own.attrs["kind"] = "none" if value is None else "number" if not isinstance(value, str) else "text"
        if value is not None:
            own.attrs["value"] = value
    elif isinstance(value, Mapping):
        own.attrs["kind"] = "mapping"
        write(own, "keys", list(value))
        write(own, "values", list(value.values()))
    elif isinstance(value, tuple) and value and all(type(item) is float for item in value):
        del group[name]  # a dataset is much smaller than a group for each number
        group.create_dataset(name, data=np.array(value)).attrs["kind"] = "tuple"
    elif isinstance(value, tuple | list):
        own.attrs["kind"] = type(value).__name__
        for n, item in enumerate(value):
            write(own, str(n), item)
    elif type(value).__name__ in _MESHES:
        own.attrs["kind"], own.attrs["class"] = "mesh", type(value).__name__
        _write_mesh(own, value)
    elif type(value).__name__ in RECORDS:
        own.attrs["kind"], own.attrs["class"] = "record", type(value).__name__
        for entry in fields(value):
            write(own, entry.name, getattr(value, entry.name))
    else:
        raise TypeError(f"{name} is {value!r}, which a file does not hold")


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
    ValueError
        If it is of a kind or class that this version does not know.
    """
    if isinstance(item, h5py.Dataset):
        return tuple(item[()].tolist()) if item.attrs.get("kind") == "tuple" else item[()]
    kind = item.attrs.get("kind")
    if kind == "none":
        return None
    if kind in ("number", "text"):
        value = item.attrs["value"]
        return value.item() if isinstance(value, np.generic) else value
    if kind == "mapping":
        return dict(zip(read(item["keys"]), read(item["values"]), strict=True))
    if kind in ("tuple", "list"):
        items = [read(item[str(n)]) for n in range(len(item))]
        return tuple(items) if kind == "tuple" else items
    known = {"mesh": _MESHES, "record": RECORDS}.get(kind, {})
    if item.attrs.get("class") not in known:
        raise ValueError(f"{item.name} is a {kind} {item.attrs.get('class', '')!r}, which this version does not know")
    record = known[item.attrs["class"]]
    return _read_mesh(record, item) if kind == "mesh" else record(**{name: read(part) for name, part in item.items()})


def _read_mesh(mesh_type: Any, group: Any) -> Any:
    orientation = read(group["orientation"])
    facets = {
        name: OrientedBoundary(indices, orientation[name]) if name in orientation else indices
        for name, indices in read(group["facets"]).items()
    }
    mesh: skfem.Mesh = mesh_type(read(group["points"]), read(group["cells"]))
    return mesh.with_subdomains(read(group["regions"])).with_boundaries(facets, boundaries_only=False)
