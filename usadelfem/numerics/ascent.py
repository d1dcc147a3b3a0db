"""The maximum of a function whose derivative is known too, next to a place where it is expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Maximum(NamedTuple):
    """A place, the value there, and the error of the value."""

    place: float
    value: float
    error: float


def ascend(
    function: Callable[[float], tuple[float, float]], first: float, *, reach: float, curvature: float,
    precision: float, rounds: int,
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
    """
    low, high, place = -np.inf, np.inf, first
    before: tuple[float, float] | None = None
    estimate = np.inf
    bend, found = min(curvature, 0.0), Maximum(first, 0.0, np.inf)
    for _ in range(rounds):
        value, slope = function(place)
        if not value and not slope:
            return Maximum(place, 0.0, 0.0)
        low, high = (place, high) if slope > 0 else (low, place)
        if before is not None and place != before[0]:
            secant = (slope - before[1]) / (place - before[0])
            bend = secant if secant < 0 else bend
        before = place, slope
        move = float(np.clip(-slope / bend if bend < 0 else np.sign(slope) * reach, -reach, reach))
        if not low < place + move < high:
            move = 0.5 * (low + high) - place
        inside = bend < 0 and move * slope >= 0
        last, estimate = estimate, value + (0.5 * slope * move if inside else 0.0)
        # Of the first estimate only the part that was added is known; the curvature is good to a part of itself.
        change = abs(estimate - last) if np.isfinite(last) else abs(slope * move)
        found = Maximum(place + move, estimate, min(change, abs(slope * move)))
        if found.error <= precision * abs(estimate):
            break
        place += move
    return found
