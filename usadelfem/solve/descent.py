"""Down the free energy of gap and induced potential: the way off a saddle, Newton's method that descends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..numerics.report import Iteration
from .curvature import Curvature
from .field_iterations import FORCING, KRYLOV, diverted, inner_accuracy
from .field_problem import SelfConsistency
from .field_space import GapSpace, space_of

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Steps of a descent, of the largest change of the gap in bulk gaps, or of the potential times the coherence length:
# first, longest, shortest. A step is taken where the free energy falls by ACCEPTED of what its quadratic model says;
# the next one may be longer above GOOD, shorter below POOR.
FIRST, LONGEST, SHORTEST = 0.3, 1.5, 1e-6
ACCEPTED, POOR, GOOD = 0.05, 0.25, 0.75
# First step off a saddle, and how often it is doubled.
OFF, DOUBLINGS = 0.15, 4
SOLVED = 1e-6  # accuracy of the states there


def leave_saddle(consistency: SelfConsistency, mode: Curvature) -> None:
    """Go down the free energy along the lowest mode, of negative curvature, to the side on which it falls further.

    With the gap the induced potential changes. The energy is the integral of its slope over the step, by the
    trapezoidal rule.
    """
    space, fields, states = space_of(consistency), consistency.fields, consistency.team.states.copy()
    along = np.concatenate([space.vector(mode.modes[0]), mode.potentials[0]])
    along /= _size(space, along)
    lowest, found, at = np.inf, fields, states
    for direction in (along, -along):
        energy = slope = length = 0.0
        consistency.team.states[:] = states
        for longer in OFF * 2.0 ** np.arange(DOUBLINGS):
            _put(consistency, fields + longer * space.fields(direction), SOLVED)
            steeper = -float(direction @ space.force())
            energy += 0.5 * (slope + steeper) * (longer - length)
            slope, length = steeper, longer
            if energy < lowest:
                lowest, found, at = energy, consistency.fields, consistency.team.states.copy()
            if slope >= 0:
                break
    consistency.team.states[:] = at
    _put(consistency, found, SOLVED)


def _put(consistency: SelfConsistency, fields: Real, accuracy: float) -> None:
    """Other fields, with their states."""
    consistency.place(fields)
    consistency.settle(accuracy)


def can_descend(consistency: SelfConsistency) -> bool:
    """Whether gap and potential make a free energy stationary, whose slopes and curvature are known.

    Currents through contacts of a plane make a field outside, whose energy is not.
    """
    own = consistency
    return own.pairing is not None and (own.induced is None or not len(own.induced.maxwell.leads))


def descent_sweeps(consistency: SelfConsistency, tolerance: float) -> Iterator[Iteration]:
    """Newton's method in the gap, with screening in gap and potential, that goes down the free energy: its linear
    equations are solved by conjugate gradients within a largest step, which follow directions in which the free energy
    curves down to that step (Steihaug).
    """
    if not can_descend(consistency):
        raise ValueError("method='descent' needs a gap that is found and, with screening, no currents through contacts "
            "of a plane; use 'anderson'")  # fmt: skip
    number, radius = 1, FIRST
    while True:
        residual = consistency.residual()
        phases = consistency.island_step(residual)
        sweep = consistency.measure(number, residual, consistency.potential_step(), phases)
        yield sweep
        accuracy = inner_accuracy(sweep.residual * FORCING, tolerance)
        if diverted(consistency, residual, phases, accuracy):
            number += 1
            continue
        consistency.settle(accuracy)
        consistency.refresh()
        space = space_of(consistency)
        fields, states, force = consistency.fields, consistency.team.states.copy(), space.force()
        while True:
            step, model = _downhill(space, force, radius)
            _put(consistency, fields + space.fields(step), accuracy)
            # By the trapezoidal rule, whose error is of third order in the step.
            fallen = -0.5 * float(step @ (space.force() + force))
            size = _size(space, step)
            number += 1
            if fallen <= ACCEPTED * model or size < SHORTEST:
                break
            radius = 0.5 * min(radius, size)
            consistency.team.states[:] = states
            _put(consistency, fields, accuracy)
        if fallen < GOOD * model and size > 0.8 * radius:
            radius = min(2 * radius, LONGEST)
        elif fallen > POOR * model:
            radius = max(0.5 * size, SHORTEST)
        number += space.products


def _downhill(space: GapSpace, force: Real, longest: float) -> tuple[Real, float]:
    """A step along which the quadratic model of the free energy falls, and by how much it does (negative).

    The solution of J step = force where it is close enough; else, on the way to it or along a direction in which the
    free energy curves down, the point where the fields have changed by `longest`.
    """
    approximate = space.approximate()
    step, image, rest = np.zeros(len(force)), np.zeros(len(force)), force.copy()
    better = approximate(rest)
    direction, product = better, float(rest @ better)
    enough = FORCING**2 * product
    for _ in range(KRYLOV):
        curved = space.curved(direction)
        curvature = float(direction @ curved)
        length = product / curvature if curvature > 0 else np.inf
        most = _reach(space, step, direction, longest)
        share = min(length, most)
        step, image, rest = step + share * direction, image + share * curved, rest - share * curved
        better = approximate(rest)
        product, before = float(rest @ better), product
        if length >= most or product <= enough:
            break
        direction = better + (product / before) * direction
    return step, float(step @ (0.5 * image - force))


def _size(space: GapSpace, step: Real) -> float:
    """The largest change of the fields in a step."""
    return max(float(np.sqrt((own**2).sum(axis=0).max(initial=0.0))) for own in space.sizes(step))


def _reach(space: GapSpace, step: Real, direction: Real, longest: float) -> float:
    """How far along a direction the largest change of the fields stays below a length."""
    reach = np.inf
    for own, more in zip(space.sizes(step), space.sizes(direction), strict=True):
        a, b, c = (more**2).sum(axis=0), (own * more).sum(axis=0), (own**2).sum(axis=0) - longest**2
        with np.errstate(divide="ignore", invalid="ignore"):
            roots = np.where(a > 0, (-b + np.sqrt(np.maximum(b**2 - a * c, 0.0))) / a, np.inf)
        reach = min(reach, float(roots.min()))
    return reach
