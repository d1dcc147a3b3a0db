"""Up a function whose derivative is known too: to its maximum, or to where it takes a value."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy  # which loads its parts when they are named

SHORTEST = 2.0**-12  # of the longest step: how close to the end of a branch
GROWTH = 1.5  # of steps
BENT = 0.3  # deviation of a step from the trapezoidal rule, of the values at its ends, at which it is too long
ACCURACY = 1e-9  # of values, relative, that is relied on at the least
SURE = 1e-5  # of a maximum that misses a value: relative error


class Maximum(NamedTuple):
    """A place, the value there, and the error of the value."""

    place: float
    value: float
    error: float


def ascend(
    function: Callable[[float], tuple[float, float]], first: float, *, reach: float, curvature: float,
    precision: float, rounds: int, close: bool = False,
) -> Maximum:  # fmt: skip
    """Newton's method on the derivative, with secants for its slope, in a bracket once there is one.

    The value is that of the parabola through the last place: its error is of third order in the distance that is left.

    Parameters
    ----------
    function
        Value and derivative at a place.
    first, reach
        Where to begin, and the longest step.
    curvature
        Second derivative that is expected there.
    precision
        Relative precision of the value.
    rounds
        Evaluations, at most.
    close
        Whether the last place is to be as close as its own value needs, without what the parabola adds.
    """
    low, high, place = -np.inf, np.inf, first
    before: Node | None = None
    estimate = np.inf
    bend, doubt, found = min(curvature, 0.0), 1.0, Maximum(first, 0.0, np.inf)
    for _ in range(rounds):
        value, slope = function(place)
        if not value and not slope:
            return Maximum(place, 0.0, 0.0)
        low, high = (place, high) if slope > 0 else (low, place)
        here = Node(place, value, slope)
        if before is not None and place != before.place:
            secant = (slope - before.slope) / (place - before.place)
            bend, doubt = (secant, _doubt(before, here, secant)) if secant < 0 else (bend, 1.0)
        before = here
        move = float(np.clip(-slope / bend if bend < 0 else np.sign(slope) * reach, -reach, reach))
        if not low < place + move < high:
            move = 0.5 * (low + high) - place
        inside = bend < 0 and move * slope >= 0
        last, estimate = estimate, value + (0.5 * slope * move if inside else 0.0)
        # Of the first estimate only the part that was added is known; of others it is good to a part of itself.
        change = abs(estimate - last) if np.isfinite(last) else abs(slope * move)
        part = doubt if inside and not close else 1.0
        found = Maximum(place + move, estimate, min(change, part * abs(slope * move)))
        if found.error <= precision * abs(estimate):
            break
        place += move
    return found


def _doubt(before: Node, here: Node, secant: float) -> float:
    """The relative error of the slope's secant as the curvature at the later place, as far as values tell.

    The cubic through both places has a curvature that is better by an order, but for the accuracy of the values.
    """
    width = here.place - before.place
    cubic = (2 * before.slope + 4 * here.slope) / width - 6 * (here.value - before.value) / width**2
    noise = ACCURACY * abs(here.value) / width**2
    return min(1.0, (abs(cubic - secant) + noise) / abs(secant))


class Level(NamedTuple):
    """Where a function was followed to.

    Attributes
    ----------
    place, value
        Where it takes the value that was looked for, or the highest place of the way there.
    found
        Whether it takes the value.
    ended
        Whether it could not be followed any further, though still rising.
    """

    place: float
    value: float
    found: bool
    ended: bool = False


class Node(NamedTuple):
    """A place, the value and the slope there."""

    place: float
    value: float
    slope: float


def ascend_to(
    function: Callable[[float], tuple[float, float] | None], first: float, target: float, *, reach: float,
    farthest: float, precision: float,
) -> Level:  # fmt: skip
    """The first place where a function, rising towards a value, takes it; down the other way if it begins above.

    Newton's method with secants for the curvature, between places on both sides once there are some. Where the function
    falls at first, it is followed to where it rises. A maximum on the way, or the end of the function, is the end.

    Parameters
    ----------
    function
        Value and derivative at a place, continued from places before; None where there is none.
    first, target
        Where to begin, and the value.
    reach, farthest
        The longest step, and the farthest place from the first.
    precision
        Of the value, relative to the larger of it and the slope.
    """
    start = function(first)
    if start is None:
        return Level(first, np.nan, found=False, ended=True)
    sign = -1.0 if start[0] - target > precision * max(abs(target), abs(start[1])) else 1.0

    def mirrored(place: float) -> Node | None:
        here = function(first + sign * place)
        return None if here is None else Node(place, sign * here[0], here[1])

    climb = _Climb(mirrored, sign * target, precision, Node(0.0, sign * start[0], start[1]))
    found, ended = climb.follow(reach, farthest)
    best = climb.best
    return Level(first + sign * best.place, sign * best.value, found, ended)


class _Climb:
    """A way up to a value: from `low` on, which is below it; `best` is the highest place that rises, or the one."""

    def __init__(
        self, function: Callable[[float], Node | None], target: float, precision: float, first: Node
    ) -> None:  # fmt: skip
        self.function, self.target, self.precision = function, target, precision
        self.low = self.best = first
        self.before: Node | None = None

    def follow(self, reach: float, farthest: float) -> tuple[bool, bool]:
        """Whether the value is taken, and else whether the function ended on the way."""
        step, shortest = reach, SHORTEST * reach
        while not self._reached(self.low):
            if self.low.place >= farthest:
                return False, False
            move = min(self._ahead(), step)
            new = self.function(self.low.place + move)
            if new is None or self._bent(new):
                step = 0.5 * move
                if step < shortest:
                    return False, True
                continue
            step = min(reach, GROWTH * step)
            self._see(new)
            if not self._reached(new) and (new.value >= self.target or (self.low.slope > 0 >= new.slope)):
                return self._between(self.low, new)
            self.before, self.low = self.low, new
        return True, False

    def _between(self, low: Node, high: Node) -> tuple[bool, bool]:
        """The same between places below and beyond, the value or a maximum, on the cubic through both."""
        while high.place - low.place > self.precision:
            cubic = scipy.interpolate.CubicHermiteSpline(*zip(low, high, strict=True))
            if high.value >= self.target:
                place = scipy.optimize.brentq(partial(_beyond, cubic, self.target), low.place, high.place, xtol=1e-14)
            else:
                tops = [*cubic.derivative().roots(extrapolate=False), 0.5 * (low.place + high.place)]
                place = float(max(tops, key=cubic))
                top = float(cubic(place))
                gain = top - max(low.value, high.value)
                if top + gain < self.target and gain <= SURE * abs(top):
                    self._see(Node(place, top, 0.0))
                    return False, False
            new = self.function(place)
            if new is None:
                return False, True
            self._see(new)
            if self._reached(new):
                return True, False
            low, high = (new, high) if new.slope > 0 and new.value < self.target else (low, new)
        return high.value >= self.target, False

    def _see(self, new: Node) -> None:
        """Remember the place if it is the one, or the highest one."""
        rises = new.slope >= 0 and (self.best.slope < 0 or new.value > self.best.value)
        if self._reached(new) or (rises and not self._reached(self.best)):
            self.best = new

    def _reached(self, node: Node) -> bool:
        near = abs(node.value - self.target) <= self.precision * max(abs(self.target), abs(node.slope))
        return near and node.slope > 0

    def _ahead(self) -> float:
        """The step that a parabola asks for; as long as may be where the function does not rise yet."""
        _, value, slope = self.low
        left = self.target - value
        if slope <= 0:
            return np.inf
        bend = 0.0
        if self.before is not None and self.before.slope > 0:
            bend = min((slope - self.before.slope) / (self.low.place - self.before.place), 0.0)
        inside = slope**2 + 2 * bend * left
        return -slope / bend if inside <= 0 else 2 * left / (slope + np.sqrt(inside))

    def _bent(self, new: Node) -> bool:
        """Whether a step was too long to be sure that the function is the same one."""
        width = new.place - self.low.place
        expected = 0.5 * width * (new.slope + self.low.slope)
        size = max(abs(new.value), abs(self.low.value), abs(width * self.low.slope))
        return abs(new.value - self.low.value - expected) > BENT * size


def _beyond(function: Callable[[float], Any], target: float, place: float) -> float:
    return float(function(place)) - target
