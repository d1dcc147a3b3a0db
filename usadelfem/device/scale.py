"""From the natural numbers of a calculation to the units of its device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .device import Device
from .quantities import as_label
from .units import NATURAL, Units


@dataclass(frozen=True)
class Scale:
    """The unit of a field: of its values, and of what integrals over surfaces and volumes make of them.

    Attributes
    ----------
    units
        The units of the device.
    expression
        What a natural value is made of, such as "e*N0*D*energy/length".
    dim
        Dimension of the mesh.
    transverse
        Measure of the directions that the mesh does not have; None where it is not known.
    label
        Unit of the values.
    point
        The value in that unit of a natural one.
    """

    units: Units
    expression: str
    dim: int
    transverse: float | None
    label: str
    point: float

    @property
    def natural(self) -> Scale:
        """The scale of natural values themselves."""
        return Scale(NATURAL, self.expression, self.dim, None, self.expression, 1.0)

    def relabelled(self, unit: str) -> Scale:
        """The scale of what was computed of values: they are in a unit of their own."""
        return replace(self, expression=unit, label=unit, point=1.0)

    def to(self, unit: str) -> Scale:
        """The scale with values in another unit, per volume or for all of the directions that the mesh does not have.

        Raises
        ------
        DeviceError
            If the device is in natural units, or the unit is of another dimension.
        """
        measures = {self.expression: 1.0}
        if self.transverse is not None and self.dim < 3:
            measures[f"{self.expression}*length^{3 - self.dim}"] = self.transverse
        whole = [expression for expression in measures if self.units.fits(expression, unit)]
        expression = whole[0] if whole else self.expression
        point = measures[expression] * self.units.convert(expression, unit)
        return replace(self, label=as_label(unit), point=point)

    @property
    def over_surfaces(self) -> float:
        """Factor of a natural flux through a surface of the mesh."""
        return self.integrated(self.dim - 1)[0]

    def integrated(self, dim: int) -> tuple[float, str]:
        """Factor and unit of a natural integral over `dim` dimensions of the mesh, and over those that it has not."""
        missing = 0 if self.transverse is None else 3 - self.dim
        measure = 1.0 if self.transverse is None else self.transverse
        power = dim + missing
        if self.units.is_natural:
            return measure, _times(self.label, "length", power)
        whole = self.units.whole(f"{self.expression}*length^{power}")
        if whole is not None and self.units.express(self.expression)[1] == self.label:
            return measure * whole[0], whole[1]
        return measure * self.point, _times(self.label, self.units.label("length"), power)


def _times(label: str, length: str, power: int) -> str:
    return label if power == 0 else f"{label}*{length}" if power == 1 else f"{label}*{length}^{power}"


def scale_of(device: Device, dim: int, expression: str) -> Scale:
    """The scale of a quantity with natural values."""
    point, label = device.units.express(expression)
    inside = device.natural
    known = inside.thickness is not None or inside.area is not None
    return Scale(device.units, expression, dim, device.transverse if known or dim == 3 else None, label, point)


def in_units(device: Device, value: Any, expression: str, dim: int) -> Any:
    """A natural integral over `dim` dimensions of the mesh of a density, in the units of a device."""
    return value * scale_of(device, device.mesh.dim(), expression).integrated(dim)[0]
