"""Observables as functionals of the states: their derivatives with respect to states, and explicitly to coefficients.

Two kinds cover all: what is a derivative of the functional along a direction of its coefficients (densities and
currents at points), and what is a variation of a part of it along a change of the states (currents through sections).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.direction import Direction
from ..derivatives.products import cell_product, cell_residual, own_coordinates, side_product, side_residual
from ..derivatives.sources import Source, build_source
from ..derivatives.states import LinearStates
from ..fem.conjugates import conjugate_places
from ..fem.matsubara import Matsubara
from ..physics import columns as column
from ..physics.nambu import SIGMA, dot
from ..physics.riccati import identity_like, inverse, tilde, to_matrix
from .gradient import Gradient

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(eq=False)
class AlongCoefficients:
    """sum_w weight_w dF_w/de with the coefficients of F growing along a direction at the rate de.

    Attributes
    ----------
    weights
        Of the frequencies, in proportion to the temperature.
    direction
        What grows, a table of coefficients.
    counts_states
        Whether the functional is weighted with the density of states of each point; else the direction is divided by
        it, and the observable does not know it.
    """

    weights: Real
    direction: Direction
    counts_states: bool = True
    _source: Source | None = field(default=None, repr=False)

    def source(self, own: LinearStates) -> Source:
        """The change of the residual along the direction."""
        if self._source is None:
            self._source = build_source(own.problem, self.direction)
        return self._source

    def gradient(self, own: LinearStates, index: int, w: Any, state: Complex) -> Complex:
        """The derivative with respect to the state at a frequency, in its own coordinates."""
        return float(self.weights[index]) * self.source(own).fixed(own.equation, w, 0.0, state)

    def explicit(self, own: LinearStates, out: Gradient) -> None:
        """Add the derivatives with respect to the coefficients, at fixed states."""
        problem, change = own.problem, self._change(own)
        assert isinstance(own.equation, Matsubara)
        if not change.any():
            return
        if self.counts_states:
            aligned = problem.sector.coefficients(replace(problem.coefficients, table=change)).table
            along = [place for place in range(change.shape[2]) if aligned[..., place].any()]
            places = conjugate_places(problem.coefficients, problem.space.dim)
            of = own.equation.conjugates([places[n] for n in along], self.weights, own.states)
            value = np.einsum("cqn,ncq->cq", aligned[..., along], of)
            out.table[..., column.N0] += value
            out.value += float((value * problem.coefficients.table[..., column.N0] * problem.space.dx).sum())
        moved = change[..., column.COEFFICIENTS :]
        if moved.any() or change[..., column.D].any():
            self._add_mixed(own, out)

    def _change(self, own: LinearStates) -> Real:
        """The direction in a problem that may have further columns."""
        change, width = self.direction.table, own.problem.coefficients.table.shape[2]
        assert change is not None
        return np.pad(change, ((0, 0), (0, 0), (0, width - change.shape[2])))

    def along_interfaces(self, own: LinearStates, source: Source) -> float:
        """Nothing: densities in the metals do not know the interfaces."""
        return 0.0

    def _add_mixed(self, own: LinearStates, out: Gradient) -> None:
        """Second derivatives of F with respect to the direction and the coefficients, a central difference of first
        derivatives that are linear in what the direction moves."""
        problem, change = own.problem, self._change(own)
        step = 1.0 / float(abs(change).max())
        places = conjugate_places(problem.coefficients, problem.space.dim)
        chosen = [number for number in range(change.shape[2]) if number != column.N0]
        total: Any = 0.0
        for sign in (1.0, -1.0):
            moved = problem.with_columns(problem.coefficients.table + sign * step * change)
            of = Matsubara(moved).conjugates([places[n] for n in chosen], self.weights, own.states)
            total = total + 0.5 * sign / step * of
        out.add_aligned(problem, chosen, total * problem.coefficients.table[..., column.N0])


@dataclass(eq=False)
class ThroughSection:
    """The flux through a section: the variation of the functional behind it along a rotation of the states.

    Attributes
    ----------
    weights
        Of the frequencies, in proportion to the temperature.
    row
        0 for the phase, 1, 2, 3 for the spin axes.
    share, cells, near, across
        As in `section_moments`: shares of the nodes, cells behind the section, sides of barriers seen from them, and
        sides of barriers that are the section itself, with the sign of the section in `sign`.
    """

    weights: Real
    row: int
    sign: float
    share: Real
    cells: NDArray[np.int64]
    near: NDArray[np.bool_]
    across: NDArray[np.bool_]

    def rotation(self, own: LinearStates, state: Complex) -> Complex:
        """The generator of the symmetry applied to a state, in its own coordinates."""
        reduced = own_coordinates(own.equation, state)
        if self.row == 0:
            return 1j * reduced
        a = reduced.reshape(-1, 2, 2)
        sigma = SIGMA[self.row - 1]
        return np.asarray(0.5j * (sigma @ a - a @ sigma)).reshape(reduced.shape)

    def gradient(self, own: LinearStates, index: int, w: Any, state: Complex) -> Complex | None:
        """The derivative with respect to the state at a frequency: of the rotation, and of the residual."""
        reduced, turned = own_coordinates(own.equation, state), self.rotation(own, state)
        inside, outside = self._residuals(own, w, reduced)
        shared = self.share[:, None] * turned
        total = self._turned_back(self.share[:, None] * inside - outside)
        if len(self.cells):
            total = total + cell_product(own.equation, w, reduced, shared, self.cells)
            total = total + self._of_sides(own, reduced, shared, self.near)
        total = total - self._of_sides(own, reduced, turned, self.across)
        return np.asarray(float(self.weights[index]) * self.sign * total)

    def explicit(self, own: LinearStates, out: Gradient) -> None:
        """Add the derivatives with respect to the coefficients behind the section."""
        assert isinstance(own.equation, Matsubara)
        if len(self.cells):
            out.add_variations(own, self._turned(own), self.cells)
        for index, w, state in own.points():
            inside, outside = self._residuals(own, w, own_coordinates(own.equation, state))
            through = (self.share[:, None] * inside - outside).conj() * self.rotation(own, state)
            out.value += float(self.weights[index]) * self.sign * float(through.real.sum())

    def _turned(self, own: LinearStates) -> Iterator[tuple[Any, Complex, Complex]]:
        """Frequency, state, and its weighted rotation behind the section, of every point."""
        for index, w, state in own.points():
            yield w, state, float(self.weights[index]) * self.sign * self.share[:, None] * self.rotation(own, state)

    def along_interfaces(self, own: LinearStates, source: Source) -> float:
        """The derivative along a direction of the coefficients of interfaces, at fixed states."""
        total = 0.0
        for index, _, state in own.points():
            reduced, turned = own_coordinates(own.equation, state), self.rotation(own, state)
            for part in source.sides:
                equation = type(own.equation)(part.problem)
                inside = self.share[:, None] * side_residual(equation, reduced, self.near) if self.near.any() else 0.0
                outside = side_residual(equation, reduced, self.across) if self.across.any() else 0.0
                moved = inside - outside
                rate = float(self.weights[index]) * self.sign * part.factor
                total += rate * float((np.conj(moved) * turned).real.sum())
        return total

    def _residuals(self, own: LinearStates, w: Any, reduced: Complex) -> tuple[Complex, Complex]:
        inside, outside = np.zeros_like(reduced), np.zeros_like(reduced)
        if len(self.cells):
            inside = cell_residual(own.equation, w, reduced, self.cells)
            if self.near.any():
                inside = inside + side_residual(own.equation, reduced, self.near)
        if self.across.any():
            outside = side_residual(own.equation, reduced, self.across)
        return inside, outside

    def _of_sides(self, own: LinearStates, reduced: Complex, change: Complex, sides: NDArray[np.bool_]) -> Any:
        """The transposed of the second variation on chosen sides: rows of those sides times the change there."""
        if not sides.any():
            return 0.0
        return side_product(own.equation, reduced, change, sides, transposed=True)

    def _turned_back(self, residual: Complex) -> Complex:
        """The adjoint of the rotation, applied to a residual."""
        if self.row == 0:
            return -1j * residual
        r = residual.reshape(-1, 2, 2)
        sigma = SIGMA[self.row - 1]
        return np.asarray(-0.5j * (sigma @ r - r @ sigma)).reshape(residual.shape)


@dataclass(eq=False)
class AtPoints:
    """Re sum_p tr V_p g(x_p) of one frequency or energy, or of a sum of all; V are 4x4 matrices.

    Attributes
    ----------
    weights
        Of the frequencies or energies.
    nodes, phi
        The nodes around each point and their basis functions, shape (points, local nodes).
    vertices
        V_p, shape (4, 4, points).
    """

    weights: Real
    nodes: NDArray[np.int64]
    phi: Real
    vertices: Complex

    @property
    def spin(self) -> Real:
        """Along which axes of spin it looks, in no particular measure, shape (3,)."""
        blocks = [self.vertices[k : k + 2, m : m + 2] for k in (0, 2) for m in (0, 2)]
        seen = [[abs(np.einsum("ij,jip->p", s, own)).sum() for s in SIGMA] for own in blocks]
        return np.asarray(np.sum(seen, axis=0))

    def gradient(self, own: LinearStates, index: int, w: Any, state: Complex) -> Complex | None:
        """The derivative with respect to the state at a frequency or energy."""
        if not self.weights[index]:
            return None
        sector, problem = own.problem.sector, own.problem
        reduced = own_coordinates(own.equation, state)
        values = np.einsum("pi,pic->pc", self.phi, reduced[self.nodes])
        n = sector.entries
        a = to_matrix(sector.expand(values[:, :n]))
        b = tilde(a) if isinstance(own.equation, Matsubara) else to_matrix(sector.expand(values[:, n:]))
        of_a, of_b = _trace_gradients(a, b, self.vertices, linear=problem.linearized)
        basis = sector.basis.reshape(-1, 2, 2)
        if isinstance(own.equation, Matsubara):  # b = sigma_y a* sigma_y
            whole = of_a + np.conj(dot(SIGMA[1], of_b, SIGMA[1]))
            rows = np.einsum("ijp,kji->pk", whole, basis).conj()
        else:
            rows = np.concatenate([np.einsum("ijp,kji->pk", own_part, basis) for own_part in (of_a, of_b)], axis=1)
        out = np.zeros_like(reduced)
        np.add.at(out, self.nodes, self.weights[index] * self.phi[..., None] * rows[:, None])
        return out

    def explicit(self, own: LinearStates, out: Gradient) -> None:
        """Nothing: such observables do not know the coefficients."""

    def along_interfaces(self, own: LinearStates, source: Source) -> float:
        """Nothing: interfaces do not appear in it."""
        return 0.0


def _trace_gradients(a: Complex, b: Complex, v: Complex, *, linear: bool) -> tuple[Complex, Complex]:
    """Matrices G, G' with d tr V g = tr G da + tr G' db, by d_a g = 2 C da R, d_b g = 2 C' db R'."""
    v11, v12, v21, v22 = v[:2, :2], v[:2, 2:], v[2:, :2], v[2:, 2:]
    if linear:  # g = [[1 - 2 a b, 2 a], [2 b, 2 b a - 1]]
        return 2 * (v21 - dot(b, v11) + dot(v22, b)), 2 * (v12 - dot(v11, a) + dot(a, v22))
    one = identity_like(a)
    n, nt = inverse(one + dot(a, b)), inverse(one + dot(b, a))
    alpha, beta = dot(n, a), dot(b, n)
    left1, left2 = dot(nt, v21) - dot(beta, v11), dot(nt, v22) - dot(beta, v12)  # R V
    right1, right2 = dot(n, v11) + dot(alpha, v21), dot(n, v12) + dot(alpha, v22)  # R' V
    return 2 * (dot(left1, n) + dot(left2, beta)), 2 * (dot(right2, nt) - dot(right1, alpha))
