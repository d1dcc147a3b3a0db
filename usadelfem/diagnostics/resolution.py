"""How well a mesh resolves a solution: the length over which the equation makes it change, against the size of cells.

The Usadel equation reads D d_k (g d_k g) = [L, g] + gauge terms. What stands on the right, divided by D and by the
pair amplitude of the cell, is the square of a wave number k: 2 |w + i h| / D in a normal metal, 0 in a bulk
superconductor. With e the extent of a cell along the gradient of the solution and t the angle by which g turns in it,
elements of order p make a relative error of

    measure = max(1, N) (k^2 e^2 + 2 tan(t / 2)^2)^p

times a number; N is the distance in decay lengths over which a small amplitude was carried, the logarithm of the
largest amplitude over that of the cell. A cell is unresolved where its measure is above LIMIT[p]
(benchmarks/resolution.py has true errors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..fem.matsubara import Spectral
from ..physics import columns as column
from ..physics.nambu import SIGMA
from ..physics.riccati import green, to_matrix
from ..space.space import Real, Space, basis_values

Complex = NDArray[np.complex128]

LIMIT = {1: 0.35, 2: 8.0}
# Pair amplitudes below this part of the largest one do not count.
FLOOR = 1e-8
# Weight of the mean direction of gradients against that of a cell, where the solution may be extremal.
MEAN = 0.01
# Amplitudes of the linearised problem, whose scale is free, are looked at when they are of this size.
SMALL = 1e-3
STEEP = 0.99  # sine of half an angle, above which angles are not told apart
_TAU3 = np.array([1.0, 1.0, -1.0, -1.0])
_SPIN = np.array([np.kron(np.eye(2), sigma) for sigma in SIGMA])


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
    """Of every cell: largest pair amplitude, change e^2 k^2 + 2 tan(t/2)^2, extent e, and measure."""

    amplitude: Real
    change: Real
    extent: Real
    measure: Real


def resolution(
    system: Spectral, frequencies: Sequence[complex], weights: Sequence[float],
    states: Sequence[tuple[Complex, Complex]], *, carried: bool = True, unit: bool = True,
) -> list[Unresolved]:  # fmt: skip
    """The worst cell of every region, at frequencies that count as they do for what crosses the device.

    That is by their weights and the square of the typical pair amplitude, the geometric mean over the volume.

    Parameters
    ----------
    system
        The discretised device, with its gaps in place.
    frequencies, weights
        Matsubara frequencies, or Gamma - iE.
    states
        The entries of the Riccati matrices a and b at the nodes, shape (nodes, 4) each, for every frequency.
    carried
        Whether small amplitudes count, which carry currents, by their distance N from large ones.
    unit
        Whether g is a unit vector, so that its turns are angles, as at Matsubara frequencies.
    """
    cells = [_cells(system, w, *state, carried, unit) for w, state in zip(frequencies, states, strict=True)]
    volume = system.space.dx.sum(axis=1)
    top = max(own.amplitude.max(initial=0.0) for own in cells)
    typical = [float(volume @ np.log(np.maximum(own.amplitude, max(FLOOR * top, 1e-300)))) for own in cells]
    share = np.asarray(weights) * np.exp(2 * (np.array(typical) - max(typical)) / volume.sum())
    share /= share.sum()
    measure, change, extent = (
        np.einsum("j,jc->c", share, [getattr(own, name) for own in cells]) for name in ("measure", "change", "extent")
    )
    order, found = system.space.order, []
    for region, own in system.space.mesh.subdomains.items():
        own = np.asarray(own)
        worst = own[measure[own].argmax()]
        relative = float(measure[worst] / LIMIT[order])
        size = float(extent[worst])
        length = size / float(np.sqrt(max(change[worst], 1e-300)))
        found.append(Unresolved(region, size, length, relative, size * max(relative, 1e-300) ** (-0.5 / order)))
    return found


def limiting_ratio(order: int) -> float:
    """Size of a cell at the limit in units of sqrt(D / E), where a solution decays with k = sqrt(2 E / D)."""
    return float(np.sqrt(0.5 * (LIMIT[order] / 1.5) ** (1 / order)))


def _cells(system: Spectral, w: complex, a: Complex, b: Complex, carried: bool, unit: bool) -> _Cells:
    space, factor = system.space, 1.0
    if system.linearized:
        factor = SMALL / max(abs(a).max(initial=0.0), abs(b).max(initial=0.0), 1e-300)
        a, b = factor * a, factor * b
    corners = np.array(space.mesh.refdom.p)
    points = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1)
    count = len(space.cells)
    source, amplitude, at_corners = np.zeros(count), np.zeros(count), []
    for phi, fit in zip(basis_values(space.basis.elem, points).T, _linear_fit(space, points), strict=True):
        table = np.einsum("q,cqk->ck", fit, system.coefficients.table)
        table[:, column.GAP_RE : column.GAP_IM + 1] *= factor
        gauge = np.einsum("q,cqka->cka", fit, system.coefficients.gauge)
        g = _green(*(np.einsum("i,cie->ce", phi, state[space.cells]) for state in (a, b)))
        at_corners.append(g)
        source = np.maximum(source, _norm(_source(w, table, gauge, g)))
        amplitude = np.maximum(amplitude, np.sqrt((abs(g[:, :2, 2:]) ** 2 + abs(g[:, 2:, :2]) ** 2).sum(axis=(1, 2))))
    top = amplitude.max(initial=0.0)
    counted = np.maximum(amplitude, max(FLOOR * top, 1e-300))
    vertices = np.array(at_corners[:-1])
    extent, turn = _extent(space, vertices / counted[:, None, None]), _turn(vertices) if unit else np.zeros(count)
    change = source / (system.coefficients.table[..., column.D].mean(axis=1) * counted) * extent**2 + 0.5 * turn**2
    decay = np.log(max(top, 1e-300) / counted)
    measure = np.where(amplitude > FLOOR * top, np.maximum(1.0, carried * decay) * change**space.order, 0.0)
    return _Cells(amplitude, change, extent, measure)


def _green(a: Complex, b: Complex) -> Complex:
    """g of entries (cells, 4), shape (cells, 4, 4)."""
    return np.ascontiguousarray(np.moveaxis(green(to_matrix(a), to_matrix(b)), (0, 1), (-2, -1)))


def _norm(matrices: Complex) -> Real:
    return np.asarray(np.sqrt((matrices.real**2 + matrices.imag**2).sum(axis=(-2, -1))))


def _linear_fit(space: Space, points: Real) -> Real:
    """Weights of the quadrature points in values at other local points, of linear functions; (points, quadrature)."""
    known, wanted = (np.vstack([np.ones(x.shape[1]), x]).T for x in (space.basis.X, points))
    return np.asarray(wanted @ np.linalg.pinv(known))


def _source(w: complex, table: Real, gauge: Real, g: Complex) -> Complex:
    """[L, g] and D [X_k, [X_k, g]] with the gauge fields X_k = A_k tau3 + SU_k; shape (cells, 4, 4)."""
    energy = np.zeros(g.shape, complex)
    energy += w * np.diag(_TAU3) - 1j * np.einsum("ca,aij->cij", table[:, column.HX : column.HZ + 1], _SPIN) * _TAU3
    gap = 1j * (table[:, column.GAP_RE] + 1j * table[:, column.GAP_IM])
    for i in (0, 1):
        energy[:, i, i + 2] += gap
        energy[:, i + 2, i] += gap.conj()
    for rate, vertex in column.vertex_rates(table):
        if rate.any():
            v = (_SPIN[vertex.axis] if vertex.axis >= 0 else np.eye(4)) * (_TAU3 if vertex.tau3 else 1.0)
            energy += 0.5 * rate[:, None, None] * (v @ g @ v)
    source = energy @ g - g @ energy
    for k in range(gauge.shape[1]):
        field = gauge[:, k, 0, None, None] * np.diag(_TAU3) + 0.5 * np.einsum("ca,aij->cij", gauge[:, k, 1:], _SPIN)
        inner = field @ g - g @ field
        source += table[:, column.D, None, None] * (field @ inner - inner @ field)
    return source


def _extent(space: Space, g: Complex) -> Real:
    """Extent of the cells along the gradient of the values (corners, cells, 4, 4) at their corners, shape (cells,)."""
    corners = space.mesh.p[:, space.mesh.t]
    x = corners - corners.mean(axis=1, keepdims=True)
    gram = np.einsum("dvc,evc->cde", x, x)
    slope = np.einsum("dvc,vcij->cdij", x, g - g.mean(axis=0)).reshape(len(gram), space.dim, -1)
    gradient = np.linalg.solve(gram, slope)
    square = np.einsum("cdi,cei->cde", gradient, gradient.conj()).real
    volume = space.dx.sum(axis=1)
    square += MEAN * np.einsum("c,cde->de", volume, square) / volume.sum()
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
            turn = np.maximum(turn, 0.5 * _norm(g[i] - g[j]))
    return np.asarray(2 * np.tan(np.arcsin(np.minimum(0.5 * turn, STEEP))))
