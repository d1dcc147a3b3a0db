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


def _told(value: Any, plane: str) -> Any:
    """A value that knows the plane, or a record with such values."""
    if hasattr(value, "in_plane"):
        return value.in_plane(plane)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    own = {item.name: getattr(value, item.name) for item in fields(value)}
    told = {name: _told(part, plane) for name, part in own.items()}
    changed = {name: part for name, part in told.items() if part is not own[name]}
    return replace(value, **changed) if changed else value
