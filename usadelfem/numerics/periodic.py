"""Trigonometric interpolation of a periodic function at equidistant points, and where its extremes are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Real = NDArray[np.float64]

FINE = 16  # points per sample among which the largest value of an interpolant is looked for


def fourier(values: ArrayLike) -> tuple[Real, Real]:
    """Cosine and sine coefficients 0 to N/2 of values at 2 pi k/N, N even: sum a_n cos(n x) + b_n sin(n x)."""
    given = np.asarray(values, float)
    c = np.fft.rfft(given) / len(given)
    cosine, sine = 2 * c.real, -2 * c.imag
    cosine[0] /= 2
    cosine[-1] /= 2
    sine[0] = sine[-1] = 0.0
    return cosine, sine


def doubled(values: ArrayLike, slopes: ArrayLike) -> Real:
    """Values at 2 pi k/2N of the trigonometric polynomial with these values and slopes at 2 pi k/N.

    Of the orders n and n - N, which alias at N places, the slopes tell one from the other: c_n + c_(n-N) is the
    transform of the values, i n c_n + i (n-N) c_(n-N) that of the slopes. The order N is a sine.
    """
    count = len(np.asarray(values))
    own, steep = (np.fft.fft(np.asarray(given, float)) / count for given in (values, slopes))
    order = np.arange(count)
    high = (steep - 1j * (order - count) * own) / (1j * count)
    high[0] = own[0]
    last = -2 * (steep[0] / (2j * count)).imag
    return evaluate(
        np.append(2 * high.real, 0.0) - own[0].real * (np.arange(count + 1) == 0),
        np.append(-2 * high.imag, last), np.pi * np.arange(2 * count) / count,
    )  # fmt: skip


def evaluate(cosine: Real, sine: Real, x: ArrayLike) -> Real:
    """The trigonometric polynomial with these coefficients."""
    angles = np.multiply.outer(np.asarray(x, float), np.arange(len(cosine)))
    return np.asarray(np.cos(angles) @ cosine + np.sin(angles) @ sine)


def integrate(cosine: Real, sine: Real, x: ArrayLike) -> Real:
    """The integral of the trigonometric polynomial from 0 to x."""
    orders = np.arange(1, len(cosine))
    angles = np.multiply.outer(np.asarray(x, float), orders)
    waves = np.sin(angles) @ (cosine[1:] / orders) + (1 - np.cos(angles)) @ (sine[1:] / orders)
    return np.asarray(cosine[0] * np.asarray(x, float) + waves)


def interpolation_error(cosine: Real, sine: Real) -> float:
    """How far the interpolant may be off, from the decay of its coefficients.

    The coefficients that are left out, and alias into those that are there, are those of the geometric series through
    the envelope of the ones in the middle and at the end.
    """
    size = np.hypot(cosine, sine)
    size[-1] = max(size[-1], size[-2])  # at the last order there is only a cosine
    envelope = np.maximum.accumulate(size[::-1])[::-1]
    last, middle = len(size) - 1, (len(size) - 1) // 2
    if envelope[middle] == 0:
        return 0.0
    ratio = (envelope[last] / envelope[middle]) ** (1 / (last - middle))
    return float(2 * envelope[last] * min(ratio / max(1 - ratio, 1e-300), last))


def highest(function: Callable[[ArrayLike], Real], grid: Real) -> tuple[float, float]:
    """Place and value of the largest value of a function, close to the largest one on a fine grid."""
    values = function(grid)
    best = int(np.argmax(values))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = scipy.optimize.minimize_scalar(
        lambda x: -float(function(x)), bounds=(low, high), method="bounded", options={"xatol": 1e-10}
    )
    if -found.fun < values[best]:
        return float(grid[best]), float(values[best])
    return float(found.x), float(-found.fun)


def peaks(values: Real, margin: float) -> NDArray[np.int64]:
    """Where values on a closed grid have local maxima within a margin of the largest one; the largest come first.

    The first and the last value are one point.
    """
    ring = values[:-1]
    tops = np.flatnonzero((ring >= np.roll(ring, 1)) & (ring > np.roll(ring, -1)) & (ring >= ring.max() - margin))
    return np.asarray(tops[np.argsort(-ring[tops], kind="stable")])
