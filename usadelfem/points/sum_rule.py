"""Which Matsubara frequencies, or nodes of a quadrature, a solve sums over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, integer, number
from ..errors import warn
from ..physics.thermal import MAX_COUNT, gauss_count, gauss_sum, matsubara, tail_sum, truncated_count

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
STEPS = 2  # default numbers of frequencies per octave
# The quadrature of a sum without end has at most MAX_COUNT nodes, which resolve energies up to this many temperatures.
MOST_RESOLVED = 1e6
# A sum that ends is exact to 1e-5 for energies up to this many temperatures, and is none beyond the other number.
MOST_SUMMED, LAST_SUMMED = 1e7, 1e12
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
        if self.quadrature == "plain" and self.frequencies is not None:
            return float(self.frequencies)
        largest = max(scale, temperature)
        default = PLAIN_RANGE * largest if self.quadrature == "plain" else max(CUT_RANGE * largest, THIN * self.cut)
        count = max(1.0, (self.cutoff or default) / (2 * np.pi * temperature))
        if self.quadrature == "plain":
            return float(round(count))
        # A number that small changes of a device leave as it is, so that results are smooth in its parameters.
        return count if self.cutoff else float(2 ** (np.ceil(STEPS * np.log2(count)) / STEPS))

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
        self._check_count(total)
        count = None if coarse else self.frequencies
        if total is None:
            count = count or gauss_count(self._resolved(temperature, scale), precision)
            nodes, weights = gauss_sum(count)
        elif self.quadrature == "plain" and not coarse:
            return self._plain(temperature, int(count or total))
        elif count:
            nodes, weights = gauss_sum(count, total)
        else:
            _check_cold(temperature, scale, warned=not coarse)
            ratio = float(f"{GAUSS_RANGE * max(scale, temperature) / temperature:.3g}")
            low = min(total, max(1.0, LOW * max(scale, temperature) / (2 * np.pi * temperature)))
            nodes, weights = gauss_sum(truncated_count(ratio, low, precision), low)
            if low < total:
                further, more = tail_sum(low, total, precision)
                nodes, weights = np.concatenate([nodes, further]), np.concatenate([weights, more])
        return np.pi * temperature * nodes, weights

    def _check_count(self, total: float | None) -> None:
        """ValueError if two numbers say how many frequencies there are."""
        given = next((name for name in ("cutoff", "cutoff_index") if getattr(self, name) is not None), None)
        if self.frequencies is not None and given and (total is None or self.quadrature == "plain"):
            raise ValueError(
                f"frequencies is {self.frequencies} and {given} is {getattr(self, given):g}, which both say how many "
                "frequencies this sum has; give one of them"
            )

    def _resolved(self, temperature: float, scale: float) -> float:
        """Energy that a sum without end has to resolve, in units of the temperature."""
        energy = self.cutoff or GAUSS_RANGE * max(scale, temperature)
        ratio = float(f"{energy / temperature:.3g}")
        if ratio > MOST_RESOLVED:
            what = f"cutoff = {energy:.3g}" if self.cutoff else f"the largest gap or exchange field, {scale:.3g},"
            raise ValueError(
                f"{what} asks for a quadrature up to {ratio:.3g} times the temperature; {MAX_COUNT} frequencies "
                f"resolve {MOST_RESOLVED:.0e} times. Give cutoff={0.99 * MOST_RESOLVED * temperature:.3g}, which is "
                "enough if all gaps are far below it (exchange fields above it leave no pair amplitudes to resolve), "
                "or raise the temperature"
            )
        return ratio

    def _plain(self, temperature: float, count: int) -> tuple[Real, Real]:
        if count > MAX_PLAIN:
            energy = 2 * np.pi * temperature * count
            raise ValueError(
                f"the plain sum up to {energy:.3g} has {count} frequencies, more than {MAX_PLAIN}; use "
                "quadrature='gauss', or lower `cutoff` or `frequencies`"
            )
        return matsubara(temperature, count)


def _check_cold(temperature: float, scale: float, *, warned: bool) -> None:
    """Say of a sum that ends where its frequencies do not resolve the energies of a device; ValueError if far from it.

    An exchange field that is so large leaves no pair amplitudes to resolve at its energy.
    """
    if scale > LAST_SUMMED * temperature:
        raise ValueError(
            f"temperature is {temperature:g}; allowed is at least {1 / LAST_SUMMED:g} of the largest gap or exchange "
            f"field, {scale:.3g}"
        )
    if warned and scale > MOST_SUMMED * temperature:
        warn(
            f"the sum over Matsubara frequencies resolves energies up to {MOST_SUMMED * temperature:.3g}, the largest "
            f"gap or exchange field is {scale:.3g}: right if all gaps are far below the former, otherwise raise the "
            "temperature"
        )
