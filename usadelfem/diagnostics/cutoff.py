"""What a Matsubara sum of the gap equation leaves out where it ends at a cut-off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import warn
from ..fem.gap_equation import Pairing

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Part of 1/lambda, the inverse coupling constant, above which a result is warned of.
NOTICEABLE = 1e-3
# Highest frequencies of a sum that the estimate looks at; the decay as a power of 1/w below which it is that of a mesh
# which does not resolve the layers, not of the equation; the decay that is assumed beyond.
LOOKED_AT, RESOLVED, POWER = 12, 1.35, 1.5


def left_out(pairing: Pairing, gap: Complex, frequencies: Real, amplitudes: Complex, cutoff: float) -> float:
    """Estimate of 2 pi T sum_{w > cutoff} (Delta/w + i f0), projected on the gap and relative to it.

    That is what ln(T/Tc) in the gap equation is off by: the relative error of a critical temperature.

    Parameters
    ----------
    pairing, gap
        Where the gap is unknown, and its values there.
    frequencies, amplitudes
        The highest frequencies, ascending, and f0 there, shape (frequencies, cells, points).
    cutoff
        Energy at which the sum ends.
    """
    square = float((pairing.weight * abs(gap) ** 2).sum())
    if not square > 0 or not np.isfinite(cutoff) or len(frequencies) < 2:
        return 0.0
    summands = gap / frequencies[:, None, None] + 1j * amplitudes
    sizes = (pairing.weight * (gap.conj() * summands).real).sum(axis=(1, 2)) / square
    if not (sizes > 0).all():
        return 0.0
    powers = -np.diff(np.log(sizes)) / np.diff(np.log(frequencies))
    last = 1 + int(np.flatnonzero(powers >= RESOLVED).max(initial=0))
    return float(sizes[last] * frequencies[last] ** POWER * cutoff ** (1 - POWER) / (POWER - 1))


def warn_of_cutoff(error: float, cutoff: float) -> None:
    """Say that the default cut-off is too low for a device."""
    if error > NOTICEABLE:
        warn(
            f"the sum over Matsubara frequencies ends at {cutoff:.3g}, and what it leaves out shifts critical "
            f"temperatures by about {100 * error:.2g} % and gaps near normal metals by as much or more: raise "
            "`cutoff`, or use quadrature='gauss'",
        )
