"""The response of fields that a solution makes for itself, gap and induced potential, to changes of their equations.

With the states eliminated, gap and potential make the free energy stationary: the derivative H of both equations is
symmetric in the product 2 Int N0 Re u* v + Int a.b. Changes of the fields follow from

    H (d Delta, d A) = -(dR, -dj),

with the gap equation multiplied by the approximate inverse of its derivative and Ampere's law by that of its local part
(`LocalResponse`), in which form GMRES solves them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from ..errors import SolveError
from ..fem.conjugates import gauge_columns
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..magnetics.ampere import LocalResponse
from ..physics import columns as column
from ..physics.columns import COEFFICIENTS, GAUGE_COLUMNS
from ..solve.field_problem import SelfConsistency, as_gap, as_real
from ..solve.field_space import GapSpace
from .direction import Direction, changed
from .sources import Source, build_source
from .states import LinearStates

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Relative residual of the linear response, and the number of products with its matrix that it may take.
RESPONSE_ACCURACY, MOST_PRODUCTS = 1e-11, 200
# A solution with a larger relative residual is none.
FAILED = 1e-6
# j is a polynomial of third order along a direction of the coefficients at most: exact central differences.
CUBIC = ((1, 2 / 3), (-1, -2 / 3), (2, -1 / 12), (-2, 1 / 12))


class Fields(NamedTuple):
    """Changes of the gap (cells, points) of the pairing, and of the unknowns of the induced potential."""

    gap: Complex
    dofs: Real


class FieldResponse:
    """How gap and induced potential of a solution follow changes of their equations.

    Attributes
    ----------
    own
        The linearised equations of the states.
    consistency
        The equations of the fields, at the solution.
    """

    def __init__(self, own: LinearStates, consistency: SelfConsistency) -> None:
        self.own, self.consistency = own, consistency
        self.pairing, self.induced = consistency.pairing, consistency.induced
        self.unit = np.pi * own.temperature

    def solve(self, residual: Complex, load: Real, *, transposed: bool = False) -> Fields:
        """-H^-1 times changes of the gap equation's residual (cells, points) and of the load of j (unknowns,).

        H is symmetric but for currents through contacts, which are no part of the potential that is tested: its
        transposed exchanges the two.

        Raises
        ------
        SolveError
            If it is not found: the solution is at the end of a branch, or has a direction without stiffness.
        """
        root, local = np.sqrt(self.consistency.weight), self._local
        if transposed and local is not None:
            local = local.transposed
        nothing = Fields(0 * self.consistency.gap, 0 * self.consistency.dofs)
        right = -root * self._shortened(residual, load, nothing, local)
        if not right.any():
            return self._fields(right)

        def product(x: Any) -> Real:
            change = self._fields(np.asarray(x).ravel() / root)
            moved = self._products(change)
            return np.asarray(root * self._shortened(*moved, change, local))

        matrix = LinearOperator((len(root), len(root)), matvec=product, dtype=np.float64)
        found, _ = gmres(matrix, right, rtol=RESPONSE_ACCURACY, restart=MOST_PRODUCTS, maxiter=1, atol=0.0)
        left = np.linalg.norm(matrix @ found - right) / np.linalg.norm(right)
        if not left <= FAILED:
            raise SolveError(
                f"the response of the self-consistent fields was not found (relative residual {left:.1e}): the "
                "solution is at the end of a branch, or a part of the device has a phase that nothing holds. Try: a "
                "parameter further from there, or a reservoir with a gap",
                frequency=float("nan"), residuals=(), state=None,
            )  # fmt: skip
        return self._fields(found / root)

    def explicit_gap_residual(self, direction: Direction) -> Complex:
        """The change of the gap equation's residual with temperature and Tc, gap and states being held.

        ln(T/Tc) changes, and with R = 0 the sum over frequencies, in units of T, is what it has to be.
        """
        own = self.consistency
        if self.pairing is None:
            return own.gap
        rate = direction.temperature / self.own.temperature
        rising = 0.0 if direction.log_tc is None else direction.log_tc[self.pairing.chosen]
        return np.where(own.paired, (rate - rising - rate * own.coefficient) * own.gap, 0.0)

    def of_states(self, changes: list[Complex]) -> tuple[Complex, Real]:
        """The changes of the gap equation's residual and of the load of j with changes of all states, fields held."""
        gap, current = np.zeros_like(self.consistency.gap), self._no_current
        for index, _, _ in self.own.points():
            self._add(index, changes[index], gap, current)
        return self._closed(np.zeros_like(gap), gap), self.load(current)

    def load(self, current: Real) -> Real:
        """Integrals of a current density times the functions of the potential; none without screening."""
        return np.empty(0) if self.induced is None else self.induced.maxwell.load(current)

    def explicit_load(self, direction: Direction) -> Real:
        """The change of the load of j with coefficients and temperature, fields and states being held."""
        total, table = self._no_current, direction.table
        if self.induced is None:
            return self.load(total)
        if direction.temperature:
            total += (direction.temperature / self.own.temperature) * self._present[:-1]
        if table is not None and table.any():
            step = 1.0 / float(abs(table).max())
            along = Direction(table=table)
            for k, weight in CUBIC:
                total += weight / step * self._responses(changed(self.own.problem, along, k * step))[:-1]
        return self.load(total)

    def table(self, fields: Fields) -> Real:
        """The rates of change of the coefficients that the fields are, in the order of `coefficients.table`."""
        table = np.zeros_like(self.own.problem.coefficients.table)
        if self.pairing is not None:
            table[self.pairing.chosen, :, column.GAP_RE] = fields.gap.real
            table[self.pairing.chosen, :, column.GAP_IM] = fields.gap.imag
        if self.induced is not None:
            potential = self.induced.maxwell.at_points(fields.dofs)
            for k, number in enumerate(self.potential):
                table[..., number] = potential[k]
        return table

    def sources(self, fields: Fields) -> Iterator[tuple[int, Complex]]:
        """Number of every point, and the change of the residual of its state with the fields."""
        through: Source | None = None
        if self.induced is not None:
            table = self.table(fields)
            table[..., list(column.GAP)] = 0.0
            through = build_source(self.own.problem, Direction(table=table))
        for index, w, state in self.own.points():
            source: Any = 0.0
            if self.pairing is not None:
                source = self.own.coupling(self.pairing, index).source(fields.gap)
            if through is not None:
                source = source + through.fixed(self.own.equation, w, 0.0, state)
            yield index, source

    def _products(self, fields: Fields) -> tuple[Complex, Real]:
        """The changes of the gap equation's residual and of the load of j with the fields, the states following."""
        gap, current = np.zeros_like(self.consistency.gap), self._no_current
        for index, source in self.sources(fields):
            self._add(index, self.own.respond(index, source), gap, current)
        if self.induced is not None:
            current += np.einsum("jkcq,kcq->jcq", self._diamagnetic, self.induced.maxwell.at_points(fields.dofs))
        return self._closed(fields.gap, gap), self.load(current)

    def _shortened(self, residual: Complex, load: Real, fields: Fields, local: LocalResponse | None) -> Real:
        """Changes of both equations times their approximate inverses, as one vector."""
        gap, dofs = residual, fields.dofs
        if self._approximate is not None:
            gap = np.asarray(self._approximate.apply(self.consistency.gap, self._held(residual)))
        if local is not None:
            dofs = fields.dofs - local.step(fields.dofs, local.mu0 * load)
        return np.concatenate([as_real(gap), dofs])

    def _held(self, residual: Complex) -> Complex:
        """A change of R without the part that a common phase would have to answer, where nothing holds it.

        The free energy does not depend on that phase, so there is none but for rounding, which H^-1 would amplify.
        """
        turn = self._free_phase
        if turn is None:
            return residual
        space = GapSpace(self.consistency)
        vector = space.vector(residual)
        return space.gap(vector - turn * (turn @ vector))

    @cached_property
    def _free_phase(self) -> Real | None:
        """The direction of a common phase in `GapSpace`; None where there is none, or something holds it."""
        turn = np.zeros(0) if self.pairing is None else GapSpace(self.consistency).free_phase
        return turn if turn.any() else None

    def _closed(self, gap: Complex, amplitude: Complex) -> Complex:
        """The change of R with those of the gap and of the sum of f0; empty without pairing."""
        return amplitude if self.pairing is None else self.consistency.close(gap, amplitude)

    def _add(self, index: int, change: Complex, gap: Complex, current: Real) -> None:
        """Add the changes of f0 and j with that of one state."""
        weight = float(self.own.team.weights[index])
        if self.pairing is not None:
            gap += self.own.coupling(self.pairing, index).response(change, weight)
        if self.induced is not None:
            states, changes = [self.own.states[index]], [change]
            moved = self.own.equation.changes(self._places, self.unit * weight, states, changes).real
            current -= moved * self.own.problem.coefficients.table[..., column.N0]

    @cached_property
    def _present(self) -> Real:
        """`_responses` of the solution."""
        return self._responses(self.own.problem)

    def _responses(self, problem: Problem) -> Real:
        """j and -dj/dA at the present states with the coefficients of a problem, (dim + 1, cells, points)."""
        assert self.induced is not None
        equation, weights = Matsubara(problem), (self.unit * self.own.team.weights).tolist()
        parts = zip(self.own.states, weights, strict=True)
        return np.asarray(sum(self.induced.response(equation, state, weight) for state, weight in parts))

    @cached_property
    def _approximate(self) -> Any:
        return None if self.pairing is None else self.consistency.gap_response()

    @cached_property
    def _local(self) -> LocalResponse | None:
        """Steps of Ampere's law, in the local response of the solution."""
        if self.induced is None:
            return None
        return self.induced.maxwell.with_response(self._present[-1], self.induced.mu0)

    @cached_property
    def _diamagnetic(self) -> Real:
        """dj/dA at held states, shape (dim, dim, cells, points); j is linear in A."""
        columns = []
        for number in self.potential:
            table = np.zeros_like(self.own.problem.coefficients.table)
            table[..., number] = 1.0
            moved = changed(self.own.problem, Direction(table=table), 1.0)
            columns.append((self._responses(moved) - self._present)[:-1])
        return np.stack(columns, axis=1)

    @property
    def _no_current(self) -> Real:
        space = self.own.problem.space
        return np.zeros((space.dim if self.induced is not None else 0, *space.dx.shape))

    @property
    def potential(self) -> list[int]:
        """The columns of the vector potential."""
        return [COEFFICIENTS + GAUGE_COLUMNS * k for k in range(self.own.problem.space.dim)]

    @property
    def _places(self) -> tuple[int, ...]:
        return gauge_columns(self.own.problem.space.dim, (0,))

    def _fields(self, vector: Real) -> Fields:
        count = len(vector) - len(self.consistency.dofs)
        gap = as_gap(vector[:count], self.pairing) if self.pairing is not None else self.consistency.gap
        return Fields(gap, np.asarray(vector[count:]))
