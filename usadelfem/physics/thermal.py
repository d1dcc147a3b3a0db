"""Sums over Matsubara frequencies: the plain one, and Gaussian quadrature for sums.

Source of the quadrature: H. Monien, "Gaussian quadrature for sums: a rapidly convergent summation scheme",
Math. Comp. 79, 857 (2010), here for the fermionic frequencies w_n = (2 n + 1) pi T.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import brentq

Real = NDArray[np.float64]

# The first frequencies of the discrete measure are kept as they are. Each following octave of them is replaced by its
# own Gaussian rule, exact for polynomials of degree 2 * 48 - 1; what is left beyond is an integral to 1e-18.
_EXPLICIT = 1024
_OCTAVES = 22
_OCTAVE_POINTS = 48
MAX_COUNT = 512
_MAX_RATIO = 1e6  # what MAX_COUNT frequencies resolve


def _octave(first: int, count: int) -> tuple[Real, Real]:
    """Gaussian rule for the sum over the integers first, ..., first + count - 1 (discrete Chebyshev polynomials)."""
    k = np.arange(1.0, _OCTAVE_POINTS)
    off = np.sqrt(k**2 * (float(count) ** 2 - k**2) / (4 * (4 * k**2 - 1)))
    node, vectors = eigh_tridiagonal(np.full(_OCTAVE_POINTS, first + 0.5 * (count - 1)), off)
    return node, count * vectors[0] ** 2


def _measure() -> tuple[Real, Real]:
    """Points x = 1/(2n+1) and weights x^2 of the measure sum_n w_n^-2 delta(x - 1/w_n), in units of pi T."""
    rules: list[tuple[Real, Real]] = [(np.arange(_EXPLICIT, dtype=float), np.ones(_EXPLICIT))]
    rules += [_octave(_EXPLICIT << k, _EXPLICIT << k) for k in range(_OCTAVES)]
    n, weight = (np.concatenate(part) for part in zip(*rules, strict=True))
    x = 1.0 / (2.0 * n + 1.0)
    # sum over the rest of x^2 F(x) = (1/2) integral of F(x) dx from 0
    end = 1.0 / (2.0 * (_EXPLICIT << _OCTAVES))
    node, rest = np.polynomial.legendre.leggauss(_OCTAVE_POINTS)
    return np.concatenate((x, 0.5 * end * (node + 1.0))), np.concatenate((weight * x**2, 0.25 * end * rest))


@lru_cache(maxsize=8)
def _recurrence(count: int) -> tuple[Real, Real, float]:
    """Three-term recurrence of the polynomials orthogonal in the measure, by Lanczos with reorthogonalisation."""
    x, weight = _measure()
    basis = np.zeros((count + 1, len(x)))
    basis[0] = np.sqrt(weight / weight.sum())
    diagonal, off = np.zeros(count), np.zeros(count)
    for k in range(count):
        v = x * basis[k]
        diagonal[k] = v @ basis[k]
        for _ in range(2):
            v -= (basis[: k + 1] @ v) @ basis[: k + 1]
        off[k] = np.linalg.norm(v)
        basis[k + 1] = v / off[k]
    return diagonal, off[:-1], float(weight.sum())


def gauss_sum(count: int) -> tuple[Real, Real]:
    """Nodes and weights with sum_n F((2n+1) pi T) = sum_j weights[j] F(nodes[j] pi T), nodes ascending.

    Exact for F a polynomial in 1/w of degree 2 to 2 count + 1. The lowest nodes agree with the lowest frequencies;
    the highest grow like count^2, so that a sum over energies up to E needs of the order of sqrt(E / T) nodes.

    Raises
    ------
    ValueError
        If count is not between 1 and MAX_COUNT.
    """
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"number of quadrature frequencies is {count}; allowed are 1 to {MAX_COUNT}")
    size = 64 * -(-count // 64)
    diagonal, off, total = _recurrence(size)
    x, vectors = eigh_tridiagonal(diagonal[:count], off[: count - 1])
    order = np.argsort(-x)
    return 1.0 / x[order], (total * vectors[0] ** 2 / x**2)[order]


@lru_cache(maxsize=64)
def gauss_count(ratio: float, precision: float = 1e-9) -> int:
    """Smallest number of nodes that sums 1/(w^2 + E^2) to the given relative precision, with ratio = E / T.

    The exact sum is tanh(E / 2T) / (4 E T).
    """
    if not ratio <= _MAX_RATIO:
        raise ValueError(
            f"a quadrature up to {ratio:.3g} times the temperature needs more than {MAX_COUNT} frequencies; "
            "lower `cutoff` to the largest energy that matters, or raise the temperature"
        )
    exact = np.tanh(ratio / 2) / (4 * ratio)

    def insufficient(count: int) -> bool:
        w, weights = gauss_sum(count)
        return bool(abs((weights / ((np.pi * w) ** 2 + ratio**2)).sum() / exact - 1) >= precision)

    high = next((count for count in (4, 8, 16, 32, 64, 128, 256) if not insufficient(count)), MAX_COUNT)
    return 2 + bisect_left(range(2, high), True, key=lambda count: not insufficient(count))


def matsubara(temperature: float, count: int) -> tuple[Real, Real]:
    """The lowest `count` positive Matsubara frequencies (2n+1) pi T, and unit weights."""
    return np.asarray(np.pi * temperature * (2.0 * np.arange(count) + 1.0)), np.ones(count)


@lru_cache(maxsize=1024)
def bcs_gap(temperature: float, Tc: float = 1.0) -> float:
    """The gap Delta(T) of a bulk superconductor without fields and impurities (BCS), 0 at and above Tc.

    Delta ln(T/Tc) + 2 pi T sum_{w>0} (Delta/w - Delta/sqrt(w^2 + Delta^2)) = 0; Delta(0) = 1.7638770 Tc.

    Parameters
    ----------
    temperature
        Temperature, energy (k_B = 1); positive.
    Tc
        Critical temperature, energy; not negative.

    Raises
    ------
    ValueError
        If the temperature is not positive or Tc negative.
    """
    if not temperature > 0 or not Tc >= 0:
        raise ValueError(f"temperature is {temperature!r} and Tc is {Tc!r}; allowed are numbers > 0 and >= 0")
    if temperature >= Tc:
        return 0.0
    zero = np.pi * np.exp(-np.euler_gamma) * Tc
    w, weights = gauss_sum(min(MAX_COUNT, 32 + int(8 * np.sqrt(Tc / temperature))))
    w = np.pi * temperature * w

    def equation(gap: float) -> float:
        root = np.hypot(w, gap)
        # 1/w - 1/root without cancellation
        terms = gap**2 / (w * root * (w + root))
        return float(np.log(temperature / Tc) + 2 * np.pi * temperature * (weights @ terms))

    top = zero * (1 + 1e-12)
    return zero if equation(top) <= 0 else float(brentq(equation, 1e-12 * zero, top, xtol=1e-14 * zero))
