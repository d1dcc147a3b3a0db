"""Sums over Matsubara frequencies: the plain one, and Gaussian quadrature for sums.

Source of the quadrature: H. Monien, "Gaussian quadrature for sums: a rapidly convergent summation scheme",
Math. Comp. 79, 857 (2010), here for the fermionic frequencies w_n = (2 n + 1) pi T.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import lru_cache
from typing import overload

import numpy as np
import scipy  # which loads its parts when they are named
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh_tridiagonal

from ..checks import COLDEST, HOTTEST, named, numbers, shown

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


def _frequencies(total: float | None) -> tuple[Real, Real]:
    """Indices n and weights of a sum over n < total, octaves replaced by their own rules; all full octaves if None.

    If total is no integer, the last term counts in part.
    """
    whole = None if total is None else math.ceil(total) - 1
    explicit = np.arange(_EXPLICIT if whole is None else min(_EXPLICIT, whole), dtype=float)
    rules: list[tuple[Real, Real]] = [(explicit, np.ones(len(explicit))), _octaves(_EXPLICIT, whole)]
    if total is not None and whole is not None:
        rules.append((np.array([float(whole)]), np.array([total - whole])))
    n, weight = (np.concatenate(part) for part in zip(*rules, strict=True))
    return n, weight


def _octaves(first: int, end: int | None) -> tuple[Real, Real]:
    """Indices and weights of the sum over first <= n < end, or over all full octaves if end is None."""
    rules: list[tuple[Real, Real]] = [(np.empty(0), np.empty(0))]
    for _ in range(_OCTAVES + 10):
        count = first if end is None else min(first, end - first)
        if count <= 0 or (end is None and first >= _EXPLICIT << _OCTAVES):
            break
        if count <= 2 * _OCTAVE_POINTS:
            rules.append((np.arange(first, first + count, dtype=float), np.ones(count)))
        else:
            rules.append(_octave(first, count))
        first += count
    n, weight = (np.concatenate(part) for part in zip(*rules, strict=True))
    return n, weight


def _measure(total: float | None) -> tuple[Real, Real]:
    """Points x = 1/(2n+1) and weights of the measure that a rule is exact for, in units of pi T.

    The infinite sum has sum_n w_n^-2 delta(x - 1/w_n), one that ends has sum_n w_n^-1 delta(x - 1/w_n).
    """
    n, weight = _frequencies(total)
    x = 1.0 / (2.0 * n + 1.0)
    if total is not None:
        return x, weight * x
    # sum over the rest of x^2 F(x) = (1/2) integral of F(x) dx from 0
    end = 1.0 / (2.0 * (_EXPLICIT << _OCTAVES))
    node, rest = np.polynomial.legendre.leggauss(_OCTAVE_POINTS)
    return np.concatenate((x, 0.5 * end * (node + 1.0))), np.concatenate((weight * x**2, 0.25 * end * rest))


@lru_cache(maxsize=32)
def _recurrence(count: int, total: float | None) -> tuple[Real, Real, float]:
    """Three-term recurrence of the polynomials orthogonal in the measure of a sum."""
    return _lanczos(*_measure(total), count)


def _lanczos(x: Real, weight: Real, count: int) -> tuple[Real, Real, float]:
    """Three-term recurrence of the polynomials orthogonal in a discrete measure, and its norm; reorthogonalised."""
    basis = np.zeros((count + 1, len(x)))
    basis[0] = np.sqrt(weight / weight.sum())
    diagonal, off = np.zeros(count), np.zeros(count)
    for k in range(count):
        v = x * basis[k]
        diagonal[k] = v @ basis[k]
        for _ in range(2):
            v -= (basis[: k + 1] @ v) @ basis[: k + 1]
        off[k] = np.linalg.norm(v)
        basis[k + 1] = v / max(off[k], 1e-300)
    return diagonal, off[:-1], float(weight.sum())


def gauss_sum(count: int, total: float | None = None) -> tuple[Real, Real]:
    """Nodes and weights with sum_n F((2n+1) pi T) = sum_j weights[j] F(nodes[j] pi T), nodes ascending.

    The sum runs over all n >= 0, or the lowest `total`, the last of them in part if that is no integer. Exact for F a
    polynomial in 1/w of degree 2 to 2 count + 1, or of degree 1 to 2 count if the sum ends. The lowest nodes agree with
    the lowest frequencies; the highest grow like count^2, so that a sum over energies up to E needs of the order of
    sqrt(E / T) nodes.

    Raises
    ------
    ValueError
        If count is not between 1 and MAX_COUNT.
    """
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"number of quadrature frequencies is {count}; allowed are 1 to {MAX_COUNT}")
    if total is not None and count >= total:
        n, weight = _frequencies(total)
        return 2.0 * n + 1.0, weight
    size = 64 * -(-count // 64)
    if total is not None:
        size = min(size, math.ceil(total))
    diagonal, off, norm = _recurrence(size, total)
    x, vectors = eigh_tridiagonal(diagonal[:count], off[: count - 1])
    order = np.argsort(-x)
    power = 2 if total is None else 1
    return 1.0 / x[order], (norm * vectors[0] ** 2 / x**power)[order]


@lru_cache(maxsize=64)
def tail_sum(first: float, total: float, precision: float = 1e-9) -> tuple[Real, Real]:
    """Nodes and weights of the sum over first <= n < total, as `gauss_sum`, for summands that vary slowly on a
    logarithmic scale: powers of 1/w between 1/w and 1/w^3.

    Gaussian quadrature in ln w for the measure w^(-3/2). A first that is no integer continues a sum that ended there.
    """
    start, end = math.ceil(first), math.ceil(total) - 1
    n, weight = _octaves(start, end)
    n = np.concatenate([[start - 1.0], n, [float(end)]])
    weight = np.concatenate([[start - first], weight, [total - end]])
    t, measure = np.log(2.0 * n + 1.0), weight * (2.0 * n + 1.0) ** -1.5
    middle, half = 0.5 * (t[0] + t[-1]), max(0.5 * (t[-1] - t[0]), 1e-300)
    # Powers are exponentials in t, which the rule resolves where its order exceeds their exponent over half the range.
    count = 2 + math.ceil(0.75 * half) + max(1, math.ceil(-0.5 * math.log10(precision)))
    if count >= len(n):
        return 2.0 * n + 1.0, weight
    diagonal, off, norm = _lanczos((t - middle) / half, measure, count)
    x, vectors = eigh_tridiagonal(diagonal, off)
    nodes = np.exp(middle + half * x)
    return nodes, norm * vectors[0] ** 2 * nodes**1.5


@lru_cache(maxsize=64)
def truncated_count(ratio: float, total: float, precision: float = 1e-9) -> int:
    """Smallest number of nodes that sums 1/(w^2 + E^2) and w^(-3/2) over the lowest `total` frequencies, E = ratio T.

    The second summand is that of a gap equation next to a boundary, where layers of width sqrt(D/w) end.
    """
    n, many = _frequencies(total)
    exact_w = np.pi * (2.0 * n + 1.0)

    def sums(w: Real, weights: Real) -> Real:
        return np.array([weights @ (1 / (w**2 + ratio**2)), weights @ (w + ratio) ** -1.5])

    exact = sums(exact_w, many)

    def insufficient(count: int) -> bool:
        nodes, weights = gauss_sum(count, total)
        return bool((abs(sums(np.pi * nodes, weights) / exact - 1) >= precision).any())

    limit = min(MAX_COUNT, math.ceil(total))
    high = next((count for count in (4, 8, 16, 32, 64, 128, 256) if count < limit and not insufficient(count)), limit)
    return min(limit, 1 + bisect_left(range(1, high), True, key=lambda count: not insufficient(count)))


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


@overload
def bcs_gap(temperature: float, Tc: float = 1.0) -> float: ...
@overload
def bcs_gap(temperature: ArrayLike, Tc: ArrayLike = 1.0) -> float | Real: ...
@named()
def bcs_gap(temperature: ArrayLike, Tc: ArrayLike = 1.0) -> float | Real:
    """The gap Delta(T) of a bulk superconductor without fields and impurities (BCS), 0 at and above Tc.

    Delta ln(T/Tc) + 2 pi T sum_{w>0} (Delta/w - Delta/sqrt(w^2 + Delta^2)) = 0; Delta(0) = 1.7638770 Tc.

    Parameters
    ----------
    temperature
        Temperature, energy (k_B = 1); positive. A number, or an array of them.
    Tc
        Critical temperature, energy; not negative. A number, or an array that broadcasts with the temperatures.

    Returns
    -------
    float, or an array where one was given

    Raises
    ------
    ValueError
        If the temperature is not positive or Tc negative, or one is no number that floating point can do with.
    """
    hot = numbers("temperature", temperature, "are finite numbers > 0")
    critical = numbers("Tc", Tc, "are finite numbers >= 0")
    if not (hot > 0).all() or not (critical >= 0).all():
        raise ValueError(f"temperature is {shown(temperature)} and Tc is {shown(Tc)}; allowed are numbers > 0 and >= 0")
    for name, given, values in (("temperature", temperature, hot), ("Tc", Tc, critical[critical > 0])):
        if not ((values > COLDEST) & (values < HOTTEST)).all():
            also = ", and 0" if name == "Tc" else ""
            raise ValueError(
                f"{name} is {shown(given)}; allowed are numbers between {COLDEST:g} and {HOTTEST:g}{also}"
            )
    try:
        pairs = np.broadcast(hot, critical)
    except ValueError as error:
        raise ValueError(f"temperature has shape {hot.shape} and Tc {critical.shape}; they have to fit") from error
    gaps = np.array([_bcs_gap(float(t), float(tc)) for t, tc in pairs]).reshape(pairs.shape)
    return gaps if pairs.shape else float(gaps)


@lru_cache(maxsize=1024)
def _bcs_gap(temperature: float, Tc: float) -> float:
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
    return zero if equation(top) <= 0 else float(scipy.optimize.brentq(equation, 1e-12 * zero, top, xtol=1e-14 * zero))
