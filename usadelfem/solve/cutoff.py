"""What a Matsubara sum of the gap equation leaves out where it ends at a cut-off."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from ..checks import outside
from ..fem.pairing import Pairing

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Part of 1/lambda, the inverse coupling constant, above which a result is warned of.
NOTICEABLE = 1e-3
# Slowest and fastest decay, as powers of the frequency, of what is left out.
SLOWEST, FASTEST = 1.2, 3.0


def left_out(pairing: Pairing, gap: Complex, frequencies: Real, amplitudes: Complex, cutoff: float) -> float:
    """Estimate of 2 pi T sum_{w > cutoff} (Delta/w + i f0), projected on the gap and relative to it.

    That is what ln(T/Tc) in the gap equation is off by: the relative error of a critical temperature.

    Parameters
    ----------
    pairing, gap
        Where the gap is unknown, and its values there.
    frequencies, amplitudes
        The two highest frequencies, ascending, and f0 there, shape (2, cells, points).
    cutoff
        Energy at which the sum ends.
    """
    square = float((pairing.weight * abs(gap) ** 2).sum())
    if not square > 0 or not np.isfinite(cutoff):
        return 0.0
    summands = gap / frequencies[:, None, None] + 1j * amplitudes
    low, high = ((pairing.weight * (gap.conj() * part).real).sum() / square for part in summands)
    if not (low > 0 and high > 0 and frequencies[1] > frequencies[0]):
        return 0.0
    power = np.clip(np.log(low / high) / np.log(frequencies[1] / frequencies[0]), SLOWEST, FASTEST)
    return float(high * frequencies[1] ** power * cutoff ** (1 - power) / (power - 1))


def warn_of_cutoff(error: float, cutoff: float) -> None:
    """Say that a cut-off is too low for the device."""
    if error > NOTICEABLE:
        warnings.warn(
            f"the sum over Matsubara frequencies ends at {cutoff:.3g}, and what it leaves out shifts critical "
            f"temperatures by about {100 * error:.2g} % and gaps near normal metals by as much or more: raise "
            "`cutoff`, or leave it out with quadrature='gauss', whose default is enough; where the mesh does not resolve "
            "the layers at normal metals, refine it there",
            stacklevel=outside(),
        )
