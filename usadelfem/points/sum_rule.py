"""Which Matsubara frequencies, or nodes of a quadrature, a solve sums over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, integer, number
from ..physics.thermal import gauss_count, gauss_sum, matsubara, tail_sum, truncated_count

Real = NDArray[np.float64]

# The quadrature resolves energies up to this multiple of the largest gap or exchange field. Measured on the current of
# SFS and SNS junctions: relative error 1e-7 or below, 1e-5 in links ten times shorter than the coherence length, whose
# summand falls off only above their Thouless energy.
GAUSS_RANGE = 10.0
# The plain sum runs up to this multiple; what it leaves out falls off like 1/w^2.
PLAIN_RANGE = 100.0
# The Gaussian sum of a gap equation that does not converge by itself ends at this multiple of the largest gap or
# exchange field, or THIN times the Thouless energy of the thinnest layer there, if that is larger: boundary layers of
# width sqrt(D/w) have to be as thin against it. Critical temperatures, gaps and currents are then converged to 3e-4.
# From LOW times the scale on it is a sum over few frequencies on a logarithmic scale.
CUT_RANGE, THIN = 3e4, 3e5
LOW = 20.0
MAX_PLAIN = 10_000
# Relative precision of a quadrature on its reference summands.
FINE = 1e-9


@dataclass(frozen=True)
class SumRule:
    """What the user asked for: see `solve_equilibrium`.

    `cut` says that the sum has to end at a cut-off, the gap equation where the gap jumps, and is the energy of the
    layers there (`cut_energy`); 0 where the sum converges.
    """

    quadrature: str = "gauss"
    frequencies: int | None = None
    cutoff: float | None = None
    cutoff_index: int | None = None
    cut: float = 0.0

    def __post_init__(self) -> None:
        choice("quadrature", self.quadrature, ("gauss", "plain"))
        for name in ("frequencies", "cutoff_index"):
            if getattr(self, name) is not None:
                value = integer(name, getattr(self, name), least=1, note=", or None")
                object.__setattr__(self, name, value)
        if self.cutoff is not None:
            energy = number("cutoff", self.cutoff, above=0, what="energy", note=", or None")
            object.__setattr__(self, "cutoff", energy)
        if self.cutoff is not None and self.cutoff_index is not None:
            raise ValueError("give either cutoff or cutoff_index, not both")

    def total(self, temperature: float, scale: float) -> float | None:
        """Number of frequencies that the sum ends at; None if it does not. The last one may count in part."""
        if self.quadrature == "gauss" and not self.cut and self.cutoff_index is None:
            return None
        if self.cutoff_index is not None:
            return float(self.cutoff_index)
        largest = max(scale, temperature)
        default = PLAIN_RANGE * largest if self.quadrature == "plain" else max(CUT_RANGE * largest, THIN * self.cut)
        count = max(1.0, (self.cutoff or default) / (2 * np.pi * temperature))
        return float(round(count)) if self.quadrature == "plain" else count

    @property
    def ends_by_default(self) -> bool:
        """Whether the sum ends at a cut-off that the user has not chosen."""
        given = self.cutoff is not None or self.cutoff_index is not None or self.frequencies is not None
        return not given and (self.cut > 0 or self.quadrature == "plain")

    def end(self, temperature: float, scale: float) -> float:
        """Energy at which the sum ends; infinite if it does not."""
        total = self.total(temperature, scale)
        return np.inf if total is None else float(2 * np.pi * temperature * total)

    def nodes(self, temperature: float, scale: float, precision: float = FINE) -> tuple[Real, Real]:
        """Frequencies, ascending, and weights, for a device with energies up to `scale`.

        A lower precision than FINE gives a quadrature with few nodes, also of a plain sum: for first guesses.
        """
        total, coarse = self.total(temperature, scale), precision > FINE
        count = None if coarse else self.frequencies
        energy = GAUSS_RANGE * max(scale, temperature)
        if total is None:
            energy = self.cutoff or energy
            count = count or gauss_count(float(f"{energy / temperature:.3g}"), precision)
            nodes, weights = gauss_sum(count)
        elif self.quadrature == "plain" and not coarse:
            return self._plain(temperature, int(count or total))
        elif count:
            nodes, weights = gauss_sum(count, total)
        else:
            ratio = float(f"{energy / temperature:.3g}")
            low = min(total, max(1.0, LOW * max(scale, temperature) / (2 * np.pi * temperature)))
            nodes, weights = gauss_sum(truncated_count(ratio, low, precision), low)
            if low < total:
                further, more = tail_sum(low, total, precision)
                nodes, weights = np.concatenate([nodes, further]), np.concatenate([weights, more])
        return np.pi * temperature * nodes, weights

    def _plain(self, temperature: float, count: int) -> tuple[Real, Real]:
        if count > MAX_PLAIN:
            energy = 2 * np.pi * temperature * count
            raise ValueError(
                f"the plain sum up to {energy:.3g} has {count} frequencies, more than {MAX_PLAIN}; use "
                "quadrature='gauss', or lower `cutoff` or `frequencies`"
            )
        return matsubara(temperature, count)
