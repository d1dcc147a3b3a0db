"""Along a branch of solutions: steps, ends, folds and branch points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SolveError
from ..solve.curvature import lowest_curvature
from ..solve.field_space import holds_phase
from .continuation import Corrector, Equations, Level, Point, Solution

Real = NDArray[np.float64]

# Largest change of the gap in a step, in bulk gaps; a step may grow by GROWTH where few corrections were needed.
GAP_STEP, GROWTH, FEW = 0.35, 1.5, 3
SHORTEST = 1e-4  # of the largest step
TURN = 0.7  # least cosine of the angle by which a branch may turn in a step
REFINEMENTS = 10  # of a fold or a branch point, at most
SETTLED = 1e-9  # of the scale of the parameter: what a fold may still move by


class Place(NamedTuple):
    """A solution along a branch, and what it is: "" (an ordinary one), "fold", "branch", "normal" or "end"."""

    solution: Solution
    kind: str = ""


@dataclass(eq=False)
class Walk:
    """A walk along a branch.

    Attributes
    ----------
    corrector
        Finds the solutions.
    step
        Largest step of the parameter that is reported, in units of its interval.
    ends
        The ends of its interval, in these units.
    count_unstable
        Whether to count the unstable directions at every solution.
    leaves
        Whether the first solution is a branch point, which is not to be found again.
    """

    corrector: Corrector
    step: float
    ends: tuple[float, float]
    count_unstable: bool
    leaves: bool = False

    def along(self, first: Solution, most: int) -> Iterator[Place]:
        """Solutions from a first one, whose tangent is given, on, until the parameter leaves its interval.

        Raises
        ------
        SolveError
            If the branch cannot be followed with the shortest step.
        """
        self._count(first)
        yield Place(first)
        last, length, made = first, np.inf, 1
        while made < most:
            length = min(length, self._longest(last))
            new = self._attempt(last, length)
            while new is None:
                length *= 0.5
                if length < SHORTEST * self._longest(last):
                    raise SolveError(
                        f"the branch could not be followed beyond {last.value:.8g}: no solution next to it was found "
                        "with the shortest step. Try: a smaller step, a smaller tolerance, or a finer mesh",
                        frequency=float("nan"), residuals=(), state=last.here.gap,
                    )  # fmt: skip
                new = self._attempt(last, length)
            few = self.corrector.corrections <= FEW
            end = self._outside(new)
            if end is None and self._through_zero(last, new):
                yield Place(self._normal(last, new), "normal")
                return
            new = new if end is None else self._at(end, last, new)
            self._count(new, last)
            for place in self._between(last, new, known=self.leaves and last is first):
                made += 1
                yield place
            made += 1
            yield Place(new, "" if end is None else "end")
            if end is not None:
                return
            last, length = new, length * (GROWTH if few else 1.0)

    def _longest(self, last: Solution) -> float:
        """The longest step along the tangent of a solution."""
        largest = Equations(last.here).largest(last.tangent.vector)
        return min(self.step / max(abs(last.level.rate), 1e-300), GAP_STEP / max(largest, 1e-300))

    def _attempt(self, last: Solution, length: float) -> Solution | None:
        """The solution a step further on; None if there is none, or the branch has turned too far."""
        new = self.corrector.correct(last.ahead(length), last.tangent, last)
        if new is None:
            return None
        self.corrector.turn(new, last.tangent)
        new.length = last.length + length
        change = new.tangent.plus(-1.0, last.tangent)
        new.bend = Point(change.vector / length, change.value / length)
        return new if new.tangent.dot(last.tangent) > TURN else None

    def _outside(self, new: Solution) -> float | None:
        """The end of the parameter that a solution is beyond."""
        (low, high), (value, rate, _) = self.ends, new.level
        if value >= high - SETTLED and rate > 0:
            return high
        return low if value <= low + SETTLED and rate < 0 else None

    def _at(self, end: float, last: Solution, new: Solution) -> Solution:
        """The solution at an end of the parameter, between two."""
        if self.corrector.reading is not None:
            return self._crossed(last, new, lambda solution: solution.level.value - end)
        share = (end - last.level.value) / (new.level.value - last.level.value)
        count = len(last.point.vector)
        guess = Point(last.point.vector + share * (new.point.vector - last.point.vector), end)
        found = self.corrector.correct(guess, Point(np.zeros(count), 1.0), last)
        if found is None:
            return new
        found.length = last.length + share * (new.length - last.length)
        found.tangent = new.tangent
        self.corrector.read(found)
        return found

    def _through_zero(self, last: Solution, new: Solution) -> bool:
        """Whether the gap has gone through zero, to the same solutions with the other sign."""
        assert new.here.pairing is not None
        common = float((new.here.pairing.weight * (last.here.gap.conj() * new.here.gap).real).sum())
        return common < 0 and not holds_phase(new.here)

    def _normal(self, last: Solution, new: Solution) -> Solution:
        """The normal state that two solutions with gaps of opposite sign lie around, where the parameter turns."""
        place = last.length + _turning(last, new)
        value = _value(last, new, place) * self.corrector.family.scale
        here = self.corrector.family.at(value, 0.0 * new.here.fields, 0.0 * new.states)
        point = self.corrector.point(value, here)
        level = Level(point.value, new.tangent.value)
        return Solution(value, here, point, here.team.states.copy(), new.tangent, length=place, level=level)

    def _between(self, last: Solution, new: Solution, *, known: bool) -> Iterator[Place]:
        """The folds and branch points between two solutions; `known` ones are left out."""
        counted = last.curvature is not None and new.curvature is not None and not known
        if last.level.rate * new.level.rate >= 0:
            if counted and last.negative != new.negative:
                yield from self._branch_point(last, new, _negative(last), _negative(new))
            return
        fold = self._refined(last, new, _turning, lambda solution: solution.level.rate)
        if not counted or fold.curvature is None:
            yield Place(fold, "fold")
            return
        if self.corrector.reading is not None:  # at an extremum of a current no eigenvalue at a held phase vanishes
            yield Place(fold, "fold")
            if abs(new.negative - last.negative) > 1:
                yield from self._branch_point(last, new, _negative(last), _negative(new))
            return
        # The eigenvalue that vanishes at the fold is negative on one side; the others change at branch points.
        others = int((np.delete(fold.curvature.values, abs(fold.curvature.values).argmin()) < 0).sum())
        before = others + int(_negative(last) > _negative(new))
        yield from self._branch_point(last, fold, _negative(last), before)
        yield Place(fold, "fold")
        yield from self._branch_point(fold, new, 2 * others + 1 - before, _negative(new))

    def _branch_point(self, low: Solution, high: Solution, before: int, after: int) -> Iterator[Place]:
        """Where a branch begins between two solutions with so many unstable directions; none if these are as many."""
        index = min(before, after)
        if before == after or any(index >= len(own.curvature.values) for own in (low, high) if own.curvature):
            return

        def eigenvalue(solution: Solution) -> float:
            assert solution.curvature is not None
            return float(solution.curvature.values[index])

        yield Place(self._crossed(low, high, eigenvalue), "branch")

    def _crossed(self, low: Solution, high: Solution, quantity: Callable[[Solution], float]) -> Solution:
        """Where a quantity passes zero between two solutions."""
        return self._refined(low, high, partial(_crossing, quantity=quantity), quantity)

    def _refined(
        self, low: Solution, high: Solution, guess: Callable[[Solution, Solution], float],
        sign: Callable[[Solution], float],
    ) -> Solution:  # fmt: skip
        """Where a quantity vanishes between two solutions at which it has opposite signs."""
        best = high
        for _ in range(REFINEMENTS):
            length = guess(low, high)
            found = self.corrector.correct(low.ahead(length), low.tangent, low)
            if found is None:
                return best
            self.corrector.turn(found, low.tangent)
            found.length = low.length + length
            self._count(found, low)
            moved, best = abs(found.level.value - best.level.value), found
            if moved <= SETTLED:
                break
            low, high = (found, high) if sign(found) * sign(low) > 0 else (low, found)
        return best

    def _count(self, solution: Solution, before: Solution | None = None) -> None:
        """Count the unstable directions, if that is asked for; those of another solution are where to begin."""
        if self.count_unstable:
            family = self.corrector.family
            solution.here = family.at(solution.value, solution.here.fields, solution.states)
            start = None if before is None or before.curvature is None else before.curvature.modes.sum(axis=0)
            solution.curvature = found = lowest_curvature(solution.here, 2, start)
            if found.negative == len(found.values):  # the one that may become negative next is asked for, too
                solution.curvature = lowest_curvature(solution.here, found.negative + 1, found.modes.sum(axis=0))


def _negative(solution: Solution) -> int:
    assert solution.curvature is not None
    return solution.curvature.negative


def _value(last: Solution, new: Solution, length: float) -> float:
    """The parameter at an arclength between two solutions, by the cubic through values and slopes."""
    h = new.length - last.length
    s = (length - last.length) / h
    a, b, da, db = last.level.value, new.level.value, h * last.level.rate, h * new.level.rate
    return float(a + s * (da + s * (3 * (b - a) - 2 * da - db + s * (2 * (a - b) + da + db))))


def _turning(last: Solution, new: Solution) -> float:
    """The arclength from one solution to where the parameter turns before another."""
    h = new.length - last.length
    a, b, da, db = last.level.value, new.level.value, h * last.level.rate, h * new.level.rate
    roots = np.roots([3 * (2 * (a - b) + da + db), 2 * (3 * (b - a) - 2 * da - db), da])
    inside = [float(root.real) for root in roots if abs(root.imag) < 1e-9 and 0 <= root.real <= 1]
    return h * (inside[0] if inside else da / (da - db))


def _crossing(last: Solution, new: Solution, quantity: Callable[[Solution], float]) -> float:
    """The arclength from one solution to where a quantity vanishes before another."""
    a, b = quantity(last), quantity(new)
    return (new.length - last.length) * (a / (a - b))
