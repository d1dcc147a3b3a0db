"""Sizes of cells: by the decay lengths of the materials, or as the user wants them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..checks import number, shown
from ..device.material import Material
from ..device.units import Units
from ..errors import MeshError
from .lengths import Points, assumed_temperature, decay_length

# In units of the decay length: cells at interfaces, contacts and constrictions, elsewhere, and far inside of banks,
# which are superconductors between a terminal and other regions.
NEAR, INSIDE, BANK = 0.25, 0.3, 5.0
TIP = 0.25  # of cells at points where solutions are singular, in units of NEAR

Size = float | Mapping[str, float]


@dataclass(frozen=True)
class CellSize:
    """Sizes of the cells of a region.

    Attributes
    ----------
    near
        At interfaces and contacts.
    corner
        At planes with inner corners.
    tip
        At singular points.
    inside
        Where its solutions vary.
    largest
        The largest.
    """

    near: float
    corner: float
    tip: float
    inside: float
    largest: float

    def below(self, bound: float) -> CellSize:
        """The same, but with no cell larger than a bound."""
        return CellSize(*(min(size, bound) for size in (self.near, self.corner, self.tip, self.inside, self.largest)))


def cell_sizes(
    materials: Mapping[str, Material], labels: Mapping[str, str], points: Mapping[str, Points],
    temperature: float | None, size: Size | None, banks: Collection[str], units: Units,
) -> dict[str, CellSize]:  # fmt: skip
    """The size of every region, its largest if the user gives one, else graded by decay lengths.

    Raises
    ------
    MeshError
        If a size is not positive or of an unknown region, or there is neither a size nor a length.
    """
    given = _given(labels, size, units)
    rest = {region: material for region, material in materials.items() if region not in given}
    if temperature is None and rest:
        temperature = assumed_temperature(materials, points, units)
    found = {region: CellSize(*[value] * 5) for region, value in given.items()}
    for region, material in rest.items():
        length = decay_length(material, temperature, points[region], units=units)
        if math.isinf(length):
            raise MeshError(
                f"nothing sets a length in region {region!r}: give temperature=, or the largest cell with size="
            )
        corner, largest = (BANK, BANK) if region in banks else (NEAR, INSIDE)
        factors = (NEAR, corner, TIP * NEAR, INSIDE, largest)
        found[region] = CellSize(*(factor * length for factor in factors))
    return found


def _given(labels: Mapping[str, str], size: Size | None, units: Units) -> dict[str, float]:
    """Sizes by region; a material stands for all its regions."""
    if size is None:
        return {}
    if not isinstance(size, Mapping):
        return dict.fromkeys(labels, _length("size", size, units))
    known = {*labels, *labels.values()}
    unknown = [name for name in size if name not in known]
    if unknown:
        raise MeshError(f"size is given for {shown(unknown[0])}; allowed are {', '.join(sorted(known))}")
    checked = {name: _length(f"size of {name!r}", own, units) for name, own in size.items()}
    return {
        region: checked.get(region, checked.get(label, math.inf))
        for region, label in labels.items()
        if region in checked or label in checked
    }


def _length(name: str, value: object, units: Units) -> float:
    return number(name, units.into("length", value, name), above=0, error=MeshError, what="length")
