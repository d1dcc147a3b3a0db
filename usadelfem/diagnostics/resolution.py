"""How well a mesh resolves a solution: the length over which the equation makes it change, against the size of cells.

The Usadel equation reads D d_k (g d_k g) = [L, g] + gauge terms. What stands on the right, divided by D and by the
pair amplitude of the cell, is the square of a wave number k: 2 |w + i h| / D in a normal metal, 0 in a bulk
superconductor. With e the extent of a cell along the gradient of the solution and t the angle by which g turns in it,
elements of order p make a relative error of

    measure = max(1, N) (k^2 e^2 + 2 tan(t / 2)^2)^p

times a number; N is the distance in decay lengths over which a small amplitude was carried, the logarithm of the
largest amplitude over that of the cell. A cell is unresolved where its measure is above LIMIT[p]
(benchmarks/resolution.py has true errors). Where a contact ends on a surface or in a film the solution has a
singularity, which elements of any order resolve equally badly (`contact_ends`): there the limit is END[p], and that of
the bracket alone. An exchange field that turns in a cell is one that elements see wrongly (`texture_errors`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..fem.problem import Problem
from ..physics import columns as column
from ..space.space import Real, Space, basis_values
from .contact_ends import contact_ends
from .equation_source import examine

Complex = NDArray[np.complex128]

LIMIT = {1: 0.12, 2: 2.0}
END = {1: 0.05, 2: 0.2}
# Of a sum over frequencies: the measure at which the part of one of them is off by all of it, 1 being five percent.
FULL = 20.0
# Pair amplitudes below this part of the largest one do not count.
FLOOR = 1e-8
# Weight of the mean direction of gradients against that of a cell, where the solution may be extremal.
MEAN = 0.01
CHUNK = 10_000  # cells that are looked at at a time
# Amplitudes of the linearised problem, whose scale is free, are looked at when they are of this size.
SMALL = 1e-3
STEEP = 0.99  # sine of half an angle, above which angles are not told apart
# Measured errors of currents through spirals: TEXTURE[p][0] (Q e)^TEXTURE[p][1] (h / D Q)^2 l^2, in units of 5 %.
TEXTURE = {1: (1.1, 2.0), 2: (0.04, 3.5)}


@dataclass(frozen=True)
class Unresolved:
    """The worst cell of a region.

    Attributes
    ----------
    region
        Name of the region.
    extent
        Extent of the cell along the gradient of the solution.
    length
        Length over which the solution changes there.
    measure
        Measure of the error, in units of its limit.
    advised
        Extent at which the measure is at its limit.
    """

    region: str
    extent: float
    length: float
    measure: float
    advised: float


@dataclass(frozen=True, eq=False)
class _Cells:
    """Of every cell: largest pair amplitude, change e^2 k^2 + 2 tan(t/2)^2, extent e, measure in units of its limit."""

    amplitude: Real
    change: Real
    extent: Real
    measure: Real


def resolution(
    problem: Problem, frequencies: Sequence[complex], weights: Sequence[float], states: Sequence[Complex], *,
    carried: bool = True, unit: bool = True,
) -> list[Unresolved]:  # fmt: skip
    """The worst cell of every region, at frequencies that count as they do for what crosses the device.

    That is by their weights and the square of the typical pair amplitude, the geometric mean over the volume; one that
    is not resolved at all cannot spoil more than its own part.

    Parameters
    ----------
    problem
        The discretised device, with its gaps in place.
    frequencies, weights
        Matsubara frequencies, or Gamma - iE.
    states
        For every frequency the entries at the nodes in the sector of the problem: of a, shape (nodes, n), or of a and
        b, shape (nodes, 2n).
    carried
        Whether small amplitudes count, which carry currents, by their distance N from large ones.
    unit
        Whether g is a unit vector, so that its turns are angles, as at Matsubara frequencies.
    """
    ends, texture = contact_ends(problem), texture_errors(problem)
    cells = [
        _cells(problem, w, state, carried, unit, ends, texture) for w, state in zip(frequencies, states, strict=True)
    ]
    volume = problem.space.dx.sum(axis=1)
    top = max(own.amplitude.max(initial=0.0) for own in cells)
    typical = [float(volume @ np.log(np.maximum(own.amplitude, max(FLOOR * top, 1e-300)))) for own in cells]
    share = np.asarray(weights) * np.exp(2 * (np.array(typical) - max(typical)) / volume.sum())
    share /= share.sum()
    each = np.array([own.measure for own in cells])
    full, order, found = FULL if carried else np.inf, problem.space.order, []
    counted = share[:, None] * _saturation(each, full)
    measure, change = (counted * each).sum(axis=0), (counted * [own.change for own in cells]).sum(axis=0)
    extent = np.einsum("j,jc->c", share, [own.extent for own in cells])
    for region, own in problem.space.mesh.subdomains.items():
        own = np.asarray(own)
        worst = own[measure[own].argmax()]
        relative = float(measure[worst])
        size = float(extent[worst])
        length = size / float(np.sqrt(max(change[worst], 1e-300)))
        found.append(Unresolved(region, size, length, relative, size * _enough(share, each[:, worst], full, order)))
    return found


def _saturation(measure: Real, full: float) -> Real:
    """What is left of a measure, which is an error that grows no more once it is everything; 1 where it is 1."""
    return np.asarray((1 + 1 / full) / (1 + measure / full))


def _enough(share: Real, measure: Real, full: float, order: int) -> float:
    """Part of the size of a cell at which its measure is at its limit."""
    low, high = -100.0, 100.0
    while high - low > 1e-3:
        middle = 0.5 * (low + high)
        scaled = np.maximum(measure, 1e-300) * np.exp(2 * order * middle)
        low, high = (middle, high) if share @ (scaled * _saturation(scaled, full)) < 1 else (low, middle)
    return float(np.exp(low))


def limiting_ratio(order: int) -> float:
    """Size of a cell at the limit in units of sqrt(D / E), where a solution decays with k = sqrt(2 E / D)."""
    return float(np.sqrt(0.5 * (LIMIT[order] / 1.5) ** (1 / order)))


def _cells(
    problem: Problem, w: complex, state: Complex, carried: bool, unit: bool, ends: NDArray[np.bool_], texture: Real
) -> _Cells:  # fmt: skip
    space, order = problem.space, problem.space.order
    factor = SMALL / max(abs(state).max(initial=0.0), 1e-300) if problem.linearized else 1.0
    corners = np.array(space.mesh.refdom.p)
    points = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1)
    shapes, fit = basis_values(space.basis.elem, points).T, _linear_fit(space, points)
    parts = []
    for first in range(0, len(space.cells), CHUNK):
        chosen = slice(first, first + CHUNK)
        seen = examine(problem, w, factor * state, shapes, fit, factor, chosen)
        turn = _turn(seen.corners) if unit else np.zeros(len(seen.source))
        parts.append((seen.source, seen.amplitude, _slopes(space, chosen, seen.corners), turn))
    source, amplitude, slopes, turn = (np.concatenate(own) for own in zip(*parts, strict=True))
    top = amplitude.max(initial=0.0)
    counted = np.maximum(amplitude, max(FLOOR * top, 1e-150))  # whose square is a number
    extent = _extent(space, slopes / (counted**2)[:, None, None])
    diffusion = problem.coefficients.table[..., column.D].mean(axis=1)
    change = source / (diffusion * counted) * extent**2 + 0.5 * turn**2
    decay = np.log(max(top, 1e-300) / counted)
    measure = np.maximum(1.0, carried * decay) * change**order / LIMIT[order]
    measure = np.maximum(measure, np.where(ends, change / END[order], 0.0))
    half = 0.5 * np.ptp(space.mesh.p, axis=1).max()
    measure = np.maximum(measure, texture * np.minimum(0.5 * diffusion / abs(w), half**2))
    return _Cells(amplitude, change, extent, np.where(amplitude > FLOOR * top, measure, 0.0))


def texture_errors(problem: Problem) -> Real:
    """Error that a turning exchange field makes over a length l, in units of what is warned of and l^2; shape (cells,).

    A spiral h of wave number Q acts on singlets like pair breaking of (h / D Q)^2, of h / D where it turns slowly, and
    over the length, the smaller one of sqrt(D / 2w) and half the device, this matters by that times l^2. Q is the
    largest angle between the fields at two quadrature points over their distance.
    """
    space, table = problem.space, problem.coefficients.table
    field = table[..., column.HX : column.HZ + 1]
    size = np.linalg.norm(field, axis=-1)
    turning = np.flatnonzero(abs(field - field[:, :1]).max(axis=(1, 2)) > 0)
    measure = np.zeros(len(size))
    if not len(turning):
        return measure
    strongest = size[turning].max(axis=1)
    x, unit = space.points()[:, turning], field[turning] / np.maximum(strongest, 1e-300)[:, None, None]
    largest = np.zeros(len(turning))
    for i in range(size.shape[1]):
        for j in range(i):
            distance = np.linalg.norm(x[..., i] - x[..., j], axis=0)
            chord = np.linalg.norm(unit[:, i] - unit[:, j], axis=1)
            largest = np.maximum(largest, 2 * np.arcsin(np.minimum(0.5 * chord, 1.0)) / np.maximum(distance, 1e-300))
    extent = np.ptp(space.mesh.p[:, space.mesh.t[:, turning]], axis=1).max(axis=0)
    factor, power = TEXTURE[space.order]
    ratio = strongest / table[turning, :, column.D].mean(axis=1)
    strength = ratio * ratio / np.maximum(largest**2 + ratio, 1e-300)
    measure[turning] = factor * (largest * extent) ** power * strength
    return measure


def _linear_fit(space: Space, points: Real) -> Real:
    """Weights of the quadrature points in values at other local points, of linear functions; (points, quadrature)."""
    known, wanted = (np.vstack([np.ones(x.shape[1]), x]).T for x in (space.basis.X, points))
    return np.asarray(wanted @ np.linalg.pinv(known))


def _slopes(space: Space, chosen: slice, g: Complex) -> Real:
    """Squares (cells, dim, dim) of the gradient of the values (corners, cells, entries) at the corners of cells."""
    corners = space.mesh.p[:, space.mesh.t[:, chosen]]
    x = corners - corners.mean(axis=1, keepdims=True)
    gram = np.einsum("dvc,evc->cde", x, x)
    slope = np.einsum("dvc,vci->cdi", x, g - g.mean(axis=0))
    gradient = np.linalg.solve(gram, slope)
    return np.asarray(np.einsum("cdi,cei->cde", gradient, gradient.conj()).real)


def _extent(space: Space, square: Real) -> Real:
    """Extent of the cells along gradients whose squares (cells, dim, dim) are given, (cells,)."""
    corners = space.mesh.p[:, space.mesh.t]
    volume = space.dx.sum(axis=1)
    square = square + MEAN * np.einsum("c,cde->de", volume, square) / volume.sum()
    first, second = np.triu_indices(corners.shape[1], 1)
    edges = corners[:, first] - corners[:, second]
    along = np.einsum("dec,cdf,fec->ec", edges, square, edges).max(axis=0)
    total = np.trace(square, axis1=1, axis2=2)
    longest = np.sqrt((edges**2).sum(axis=0).max(axis=0))
    return np.asarray(np.where(total > 0, np.sqrt(along / np.where(total > 0, total, 1.0)), longest))


def _turn(g: Complex) -> Real:
    """2 tan(t/2) of the largest angle t between g, whose norm is 2, at two corners; shape (cells,)."""
    turn = np.zeros(g.shape[1])
    for i in range(len(g)):
        for j in range(i):
            turn = np.maximum(turn, 0.5 * np.linalg.norm(g[i] - g[j], axis=-1))
    return np.asarray(2 * np.tan(np.arcsin(np.minimum(0.5 * turn, STEEP))))
