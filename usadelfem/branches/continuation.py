"""Pseudo-arclength continuation of self-consistent fields: unknown are they and one parameter, the states follow.

    R(Delta, p) = 0,     t . (x - x_predicted) = 0,     x = (Delta/unit, p/scale),

t the tangent of the branch. Each Newton step solves the bordered equations with GMRES and the approximate inverse of
dR/dDelta; they are regular where that is not, at folds. dR/dp at a fixed gap is a difference of R. With screening the
unknowns of the induced potential join the gap, and what Ampere's law still asks for joins R.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from ..errors import SolveError
from ..numerics.newton import ERROR_TOLERANCE
from ..solve.curvature import Curvature
from ..solve.field_problem import SelfConsistency, as_gap, as_real
from ..solve.field_space import FieldSpace, GapSpace, space_of
from .family import Family

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

LINEAR, KRYLOV = 1e-2, 80  # of the bordered equations: relative residual, products
TANGENT = 1e-8  # the same of tangents along which another quantity is looked at
DIFFERENCE = 1e-5  # step of difference quotients, of the interval of the parameter
MOST_CORRECTIONS = 8
FARTHEST = 1.0  # change of the gap in one correction, in bulk gaps, that is too much


@dataclass(frozen=True, eq=False)
class Point:
    """A point x of the space of fields and parameter.

    Attributes
    ----------
    vector
        The gap as a vector of norm 1 for a bulk gap, then the induced potential, one for a phase of one over a
        coherence length; or the change of them.
    value
        The parameter, or the change of it, in units of the scale.
    """

    vector: Real
    value: float

    def plus(self, length: float, direction: Point) -> Point:
        """The point at a distance along a direction."""
        return Point(self.vector + length * direction.vector, self.value + length * direction.value)

    def dot(self, other: Point) -> float:
        """The scalar product."""
        return float(self.vector @ other.vector) + self.value * other.value

    @property
    def normalised(self) -> Point:
        """The direction with norm 1."""
        size = np.sqrt(self.dot(self))
        return Point(self.vector / size, self.value / size)


class Level(NamedTuple):
    """The parameter as it is reported, which may be another one than that of the continuation.

    Attributes
    ----------
    value, rate
        The parameter in units of its interval, and its change over the arclength.
    falling
        Whether it falls as that of the continuation grows: one more unstable direction where it is what is held.
    """

    value: float
    rate: float
    falling: bool = False


@dataclass(eq=False)
class Solution:
    """A solution on a branch.

    Attributes
    ----------
    value, here
        The parameter, and the self-consistent problem at it.
    point, states
        Where it lies, and its states.
    tangent, bend
        The direction of the branch, and its change over arclength; None where that is not known.
    length
        Arclength from the start.
    slope
        dR/dp next to it, a vector, as the corrections had it; None where there were none.
    level
        The parameter that is reported.
    curvature
        The lowest eigenvalues of the second variation; None where they are not asked for.
    """

    value: float
    here: SelfConsistency
    point: Point
    states: Complex
    tangent: Point = field(default_factory=lambda: Point(np.empty(0), 1.0))
    bend: Point | None = None
    length: float = 0.0
    slope: Real | None = None
    level: Level = field(default_factory=lambda: Level(0.0, 0.0))
    curvature: Curvature | None = None

    @property
    def negative(self) -> int:
        """The number of unstable directions; -1 where it is not known."""
        return self.curvature.negative + self.level.falling if self.curvature else -1

    def ahead(self, length: float) -> Point:
        """The point that lies at a distance along the branch, to second order where the bend is known."""
        straight = self.point.plus(length, self.tangent)
        return straight if self.bend is None else straight.plus(0.5 * length**2, self.bend)


class Equations:
    """The equations of the fields of a problem as vectors: R in bulk gaps, then minus the step of Ampere's law.

    The step is that with the local response of the problem; its equations are compared with those of its neighbours.
    """

    def __init__(self, here: SelfConsistency) -> None:
        self.here, self.space = here, space_of(here)
        self.count, self.unit = len(self.space.root), here.unit
        size = len(here.dofs)
        self.weight = np.append(self.space.root / self.unit, np.full(size, 1 / (size**0.5 * here.potential_scale or 1)))

    def vector(self, fields: Real) -> Real:
        """Fields, or changes of them, as a vector."""
        return np.asarray(self.weight * fields)

    def fields(self, vector: Real) -> Real:
        """The way back."""
        return np.asarray(vector / self.weight)

    def residual(self, there: SelfConsistency) -> Real:
        """What the equations leave in a neighbouring problem."""
        return self.vector(np.concatenate([as_real(there.residual()), -self._step(there)]))

    def _step(self, there: SelfConsistency) -> Real:
        if not isinstance(self.space, FieldSpace) or there.induced is None:
            return there.dofs
        load = there.induced.mu0 * there.induced.maxwell.load(there.currents()[:-1])
        return np.asarray(self.space.local.step(there.dofs, load) - there.dofs)

    def derivative(self, vector: Real) -> Real:
        """The change of what the equations leave."""
        own = self.fields(vector)
        gap, dofs = as_gap(own[: self.count], self.space.pairing), own[self.count :]
        if not isinstance(self.space, FieldSpace):
            return self.vector(as_real(self.here.derivative(gap)))
        residual, current = self.space.changes(gap, dofs)
        load = self.space.induced.mu0 * self.space.maxwell.load(current)
        return self.vector(np.concatenate([as_real(residual), dofs - self.space.local.step(dofs, load)]))

    def approximate(self) -> Callable[[Real], Real]:
        """An approximate inverse of the derivative: Ampere's law has its own in place already."""
        of_gap = GapSpace.approximate(self.space)
        return lambda vector: np.append(of_gap(vector[: self.count]), vector[self.count :])

    def largest(self, vector: Real) -> float:
        """The largest change of the gap in a vector, in bulk gaps."""
        return float(abs(as_gap(self.fields(vector)[: self.count], self.space.pairing)).max()) / self.unit

    def size(self, residual: Real) -> float:
        """How far fields are from a solution, as `SelfConsistency.measure`."""
        if self.here.induced is None:
            return self.largest(residual)
        step = self.here.induced.maxwell.at_points(self.fields(residual)[self.count :])
        return max(self.largest(residual), float(abs(step).max()) * self.here.length)


@dataclass(eq=False)
class Corrector:
    """Newton's method for points on a branch.

    Attributes
    ----------
    family
        The devices.
    tolerance
        Largest residual of the gap equation, in bulk gaps.
    reading
        What a solution is reported at; None: at the parameter of the family.
    corrections
        How many the last point took.
    """

    family: Family
    tolerance: float
    reading: Callable[[Solution], Level] | None = None
    corrections: int = 0

    def point(self, value: float, consistency: SelfConsistency) -> Point:
        """Where a solution lies."""
        return Point(Equations(consistency).vector(consistency.fields), value / self.family.scale)

    def direction(self, here: SelfConsistency, change: Complex, potential: Real) -> Point:
        """The direction of a change of the gap, in bulk gaps, with that of the potential."""
        fields = np.concatenate([as_real(change), potential]) * here.unit
        return Point(Equations(here).vector(fields), 0.0).normalised

    def correct(self, guess: Point, normal: Point, near: Solution) -> Solution | None:
        """The solution on the plane through a guess; None if it is not found. States start from those of `near`."""
        family, own = self.family, Equations(near.here)
        fields, value = own.fields(guess.vector), guess.value * family.scale
        before, states = np.inf, near.states
        slope: Real | None = None
        for self.corrections in range(MOST_CORRECTIONS):
            try:
                here = family.at(value, fields, states)
            except SolveError:
                return None
            own = Equations(here)
            residual = own.residual(here)
            size = own.size(residual)
            if size <= self.tolerance:
                here.settle(ERROR_TOLERANCE)
                return Solution(value, here, self.point(value, here), here.team.states.copy(), slope=slope)
            if not size < 2 * before:
                return None
            before = size
            if slope is None:
                slope, here = self.slope(value, here)
            off = self.point(value, here).plus(-1.0, guess).dot(normal)
            step = self.bordered(here, slope, normal, -residual, -off)
            if not own.largest(step.vector) < FARTHEST:
                return None
            fields, value = fields + own.fields(step.vector), value + float(step.value) * family.scale
            states = here.team.states.copy()
        return None

    def slope(self, value: float, here: SelfConsistency) -> tuple[Real, SelfConsistency]:
        """dR/dp at fixed fields, for a parameter in units of the scale, and the problem at hand again."""
        own, fields, states = Equations(here), here.fields, here.team.states.copy()
        residual, step = own.residual(here), DIFFERENCE * self.family.scale
        if value + step > self.family.high:
            step = -step
        there = self.family.at(value + step, fields, states)
        change = np.asarray((own.residual(there) - residual) * (self.family.scale / step))
        return change, self.family.at(value, fields, states)

    def turn(self, at: Solution, before: Point) -> None:
        """Find the direction of the branch at a solution, on the side of another direction."""
        if at.slope is None:
            at.slope, at.here = self.slope(at.value, self.family.at(at.value, at.here.fields, at.states))
        accuracy = LINEAR if self.reading is None else TANGENT
        at.tangent = self.bordered(at.here, at.slope, before, 0.0 * at.slope, 1.0, accuracy).normalised
        self.read(at)

    def read(self, at: Solution) -> None:
        """Find what a solution with a tangent is reported at."""
        at.level = Level(at.point.value, at.tangent.value) if self.reading is None else self.reading(at)

    def bordered(
        self, here: SelfConsistency, border: Real, normal: Point, load: Real, level: float, accuracy: float = LINEAR
    ) -> Point:  # fmt: skip
        """The solution of J u + border q = load with normal . (u, q) = level."""
        here.refresh()
        own = Equations(here)
        zero, inverse, count = own.space.free_phase, own.approximate(), len(border)

        def product(vector: Any) -> Real:
            x = np.asarray(vector).ravel()
            image = own.derivative(x[:count]) + border * x[count] + zero * (zero @ x[:count])
            return np.append(image, normal.vector @ x[:count] + normal.value * x[count])

        def approximate(vector: Any) -> Real:
            x = np.asarray(vector).ravel()
            return np.append(inverse(x[:count]), x[count])

        shape = (count + 1, count + 1)
        matrix = LinearOperator(shape, matvec=product, dtype=np.float64)
        near = LinearOperator(shape, matvec=approximate, dtype=np.float64)
        found, _ = gmres(matrix, np.append(load, level), rtol=accuracy, restart=KRYLOV, maxiter=1, M=near)
        return Point(found[:count], float(found[count]))
