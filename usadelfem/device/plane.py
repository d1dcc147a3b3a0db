"""The plane that a two-dimensional mesh stands for, told to the functions of position that need to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

Record = TypeVar("Record")


def in_plane(records: Mapping[Any, Record], plane: str) -> dict[Any, Record]:
    """Materials, contacts or interfaces whose values with a method `in_plane` (textures) know the plane of the mesh.

    Raises
    ------
    DeviceError
        If a value has been given another plane.
    """
    return {name: _told(record, plane) for name, record in records.items()}


def _told(record: Any, plane: str) -> Any:
    if not is_dataclass(record) or isinstance(record, type):
        return record
    changed = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if hasattr(value, "in_plane"):
            changed[item.name] = value.in_plane(plane)
        else:
            changed[item.name] = _told(value, plane)
    return replace(record, **changed) if any(getattr(record, name) is not changed[name] for name in changed) else record
