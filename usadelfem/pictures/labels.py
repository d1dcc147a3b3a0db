"""What stands at axes and colour bars."""

from __future__ import annotations

from typing import Any


def length_unit(device: Any) -> str:
    """The unit of the coordinates of a device."""
    return str(device.units.label("length"))


def energy_unit(device: Any) -> str:
    """The unit of the energies of a device."""
    return str(device.units.label("energy"))


def with_unit(name: str, unit: str) -> str:
    """A name and its unit; what is dimensionless has none."""
    return name if unit in ("", "1") else f"{name} [{unit}]"


def axis_labels(axes: tuple[int, ...], unit: str) -> list[str]:
    """Labels of the mesh axes, which stand for these axes of space (0, 1, 2 for x, y, z)."""
    return [with_unit("xyz"[axis], unit) for axis in axes]
