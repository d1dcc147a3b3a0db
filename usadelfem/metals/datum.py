"""One published number: its unit, its range, where it stands, and what it was measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import constants

from ..checks import named_fields
from ..frozen import FrozenRecord

EV_NM3 = constants.e * 1e-27  # joule times cubic metre of an eV nm^3
N0_NOTE = (
    "per spin, 3 gamma n/(2 pi^2 k_B^2) of the measured electronic heat capacity gamma per atom and the density n of "
    "atoms: with the electron-phonon enhancement"
)


@named_fields
@dataclass(frozen=True, kw_only=True)
class Datum(FrozenRecord):
    """A published number with its source.

    Attributes
    ----------
    value
        The number.
    unit
        Its unit, as pint reads it: "nm", "meV", "uohm*cm"; "dimensionless" of pure numbers.
    low, high
        Smallest and largest published value: other films, or the error of the measurement. None: no range is known.
    doi
        Publications that give the number, and the ends of its range, as DOIs.
    isbn
        Books that do.
    note
        Temperature, thickness, composition, method.
    """

    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    doi: tuple[str, ...] = ()
    isbn: tuple[str, ...] = ()
    note: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the number stands: "doi:..." and "isbn:..."."""
        return (*(f"doi:{one}" for one in self.doi), *(f"isbn:{one}" for one in self.isbn))

    def __str__(self) -> str:
        span = "" if self.low is None or self.high is None else f" ({self.low:g} to {self.high:g})"
        return f"{self.value:.4g}{span}" + ("" if self.unit == "dimensionless" else f" {self.unit}")


def datum_from(entry: Mapping[str, Any]) -> Datum:
    """A number as it is written in the table of metals."""
    own = {name: entry[name] for name in ("value", "unit", "note") if name in entry}
    low, high = entry.get("range", (None, None))
    return Datum(**own, low=low, high=high, doi=tuple(entry.get("doi", ())), isbn=tuple(entry.get("isbn", ())))


def density_of_states(sommerfeld: Datum, atoms: Datum) -> Datum:
    """N0 per spin of the electronic heat capacity gamma T: gamma = (2 pi^2/3) k_B^2 N0 per volume.

    See C. Kittel, Introduction to Solid State Physics, chapter 6.

    Parameters
    ----------
    sommerfeld
        gamma in mJ/(mol K^2).
    atoms
        Atoms per volume, 1/nm^3.
    """
    per_gamma = 1.5e-3 * atoms.value * 1e27 / (np.pi * constants.k) ** 2 / constants.N_A * EV_NM3
    ends = (sommerfeld.low, sommerfeld.high)
    low, high = (None if end is None else float(per_gamma * end) for end in ends)
    doi = dict.fromkeys((*sommerfeld.doi, *atoms.doi))
    isbn = dict.fromkeys((*sommerfeld.isbn, *atoms.isbn))
    value = float(per_gamma * sommerfeld.value)
    return Datum(
        value=value, unit="1/(eV*nm**3)", low=low, high=high, doi=tuple(doi), isbn=tuple(isbn), note=N0_NOTE
    )  # fmt: skip
