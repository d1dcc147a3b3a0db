"""What a series of fields depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..frozen import FrozenRecord, freeze

Values = NDArray[Any]


@dataclass(frozen=True)
class Series(FrozenRecord):
    """The parameter that a series of fields depends on.

    Attributes
    ----------
    name, unit
        Name and unit of the parameter.
    values
        Its values, shape (length of the series,).
    """

    name: str
    unit: str
    values: Values

    def __post_init__(self) -> None:
        freeze(vars(self))
