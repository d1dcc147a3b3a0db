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


def with_label(device: Any, text: str, dimension: str = "energy") -> str:
    """A number and its unit in the midst of a line; natural numbers have none."""
    return text if device.units.is_natural else f"{text} {device.units.label(dimension)}"


def thermal(device: Any, temperature: float, digits: int = 6) -> str:
    """A temperature, which results hold as the energy k_B T: that energy, and in parentheses the user's number."""
    energy = with_label(device, f"{temperature:.{digits}g}")
    if device.units.is_natural:
        return energy
    own = device.units.out("temperature", temperature)
    return f"{energy} ({with_label(device, f'{own:.{digits}g}', 'temperature')})"


def axis_labels(axes: tuple[int, ...], unit: str) -> list[str]:
    """Labels of the mesh axes, which stand for these axes of space (0, 1, 2 for x, y, z)."""
    return [with_unit("xyz"[axis], unit) for axis in axes]
