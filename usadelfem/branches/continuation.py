"""Pseudo-arclength continuation of self-consistent gaps: unknown are the gap and one parameter, the states follow.

    R(Delta, p) = 0,     t . (x - x_predicted) = 0,     x = (Delta/unit, p/scale),

t the tangent of the branch. Each Newton step solves the bordered equations with GMRES and the approximate inverse of
dR/dDelta; they are regular where that is not, at folds. dR/dp at a fixed gap is a difference of R.
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
from ..solve.descent import Curvature, GapSpace
from ..solve.field_problem import SelfConsistency
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
    """A point x of the space of gaps and parameter.

    Attributes
    ----------
    vector
        The gap as a vector of norm 1 for a bulk gap; or the change of it.
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
        dR/dp next to it, as the corrections had it; None where there were none.
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
    slope: Complex | None = None
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
        return Point(GapSpace(consistency).vector(consistency.gap) / self.family.unit, value / self.family.scale)

    def direction(self, here: SelfConsistency, change: Complex) -> Point:
        """The direction of a change of the gap, in bulk gaps."""
        return Point(GapSpace(here).vector(change), 0.0).normalised

    def correct(self, guess: Point, normal: Point, near: Solution) -> Solution | None:
        """The solution on the plane through a guess; None if it is not found. States start from those of `near`."""
        family, space = self.family, GapSpace(near.here)
        gap, value = space.gap(guess.vector) * family.unit, guess.value * family.scale
        before, states = np.inf, near.states
        slope: Complex | None = None
        for self.corrections in range(MOST_CORRECTIONS):
            try:
                here = family.at(value, gap, states)
            except SolveError:
                return None
            residual = here.residual()
            size = float(abs(residual).max()) / family.unit
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
            change = space.gap(step.vector) * family.unit
            if not float(abs(change).max()) < FARTHEST * family.unit:
                return None
            gap, value, states = gap + change, value + float(step.value) * family.scale, here.team.states.copy()
        return None

    def slope(self, value: float, here: SelfConsistency) -> tuple[Complex, SelfConsistency]:
        """dR/dp at a fixed gap, for a parameter in units of the scale, and the problem at hand again."""
        gap, states, residual, step = here.gap, here.team.states.copy(), here.residual(), DIFFERENCE * self.family.scale
        if value + step > self.family.high:
            step = -step
        there = self.family.at(value + step, gap, states)
        change = np.asarray((there.residual() - residual) * (self.family.scale / step))
        return change, self.family.at(value, gap, states)

    def turn(self, at: Solution, before: Point) -> None:
        """Find the direction of the branch at a solution, on the side of another direction."""
        if at.slope is None:
            at.slope, at.here = self.slope(at.value, self.family.at(at.value, at.here.gap, at.states))
        accuracy = LINEAR if self.reading is None else TANGENT
        at.tangent = self.bordered(at.here, at.slope, before, 0.0 * at.here.gap, 1.0, accuracy).normalised
        self.read(at)

    def read(self, at: Solution) -> None:
        """Find what a solution with a tangent is reported at."""
        at.level = Level(at.point.value, at.tangent.value) if self.reading is None else self.reading(at)

    def bordered(
        self, here: SelfConsistency, slope: Complex, normal: Point, load: Complex, level: float,
        accuracy: float = LINEAR,
    ) -> Point:  # fmt: skip
        """The solution of J u + slope q = load with normal . (u, q) = level."""
        here.refresh()
        space, unit = GapSpace(here), self.family.unit
        border, zero, inverse = space.vector(slope) / unit, space.free_phase, space.approximate()
        count = len(border)

        def product(vector: Any) -> Real:
            x = np.asarray(vector).ravel()
            image = space.curved(x[:count]) + border * x[count] + zero * (zero @ x[:count])
            return np.append(image, normal.vector @ x[:count] + normal.value * x[count])

        def approximate(vector: Any) -> Real:
            x = np.asarray(vector).ravel()
            return np.append(inverse(x[:count]), x[count])

        shape = (count + 1, count + 1)
        matrix = LinearOperator(shape, matvec=product, dtype=np.float64)
        near = LinearOperator(shape, matvec=approximate, dtype=np.float64)
        right = np.append(space.vector(load) / unit, level)
        found, _ = gmres(matrix, right, rtol=accuracy, restart=KRYLOV, maxiter=1, M=near)
        return Point(found[:count], float(found[count]))
