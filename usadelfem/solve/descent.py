"""Down the free energy: the way off a saddle, Newton's method in the gap that descends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..numerics.report import Iteration
from .curvature import GapSpace
from .field_iterations import FORCING, KRYLOV, diverted, inner_accuracy
from .field_problem import SelfConsistency, as_gap, as_real

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Steps of a descent, of the largest change of the gap in bulk gaps: first, longest, shortest. A step is taken where the
# free energy falls by ACCEPTED of what its quadratic model says; the next one may be longer above GOOD, shorter below
# POOR.
FIRST, LONGEST, SHORTEST = 0.3, 1.5, 1e-6
ACCEPTED, POOR, GOOD = 0.05, 0.25, 0.75
# First step off a saddle, and how often it is doubled.
OFF, DOUBLINGS = 0.15, 4
SOLVED = 1e-6  # accuracy of the states there


def leave_saddle(consistency: SelfConsistency, mode: Complex, potential: Real) -> None:
    """Go down the free energy along a mode of negative curvature, to the side on which it falls further.

    With the gap the unknowns of the induced potential change, as far as the mode has any. The energy is the integral of
    its slope over the step, by the trapezoidal rule.
    """
    fields, states = consistency.fields, consistency.team.states.copy()
    along = np.concatenate([as_real(mode), potential]) / _largest(consistency, mode, potential)
    lowest, found, at = np.inf, fields, states
    for direction in (consistency.unit * along, -consistency.unit * along):
        energy = slope = length = 0.0
        consistency.team.states[:] = states
        for longer in OFF * 2.0 ** np.arange(DOUBLINGS):
            _put(consistency, fields + longer * direction, SOLVED)
            steeper = _slope(consistency, direction)
            energy += 0.5 * (slope + steeper) * (longer - length)
            slope, length = steeper, longer
            if energy < lowest:
                lowest, found, at = energy, consistency.fields, consistency.team.states.copy()
            if slope >= 0:
                break
    consistency.team.states[:] = at
    _put(consistency, found, SOLVED)


def _largest(consistency: SelfConsistency, mode: Complex, potential: Real) -> float:
    """The largest change of the gap, in bulk gaps, or of the potential, times the coherence length, of a mode."""
    gap = float(abs(mode).max())
    if consistency.induced is None:
        return gap
    change = consistency.unit * consistency.induced.maxwell.at_points(potential)
    return max(gap, consistency.length * float(abs(change).max()))


def _slope(consistency: SelfConsistency, direction: Real) -> float:
    """The derivative of the free energy along a direction of the fields."""
    own, count = consistency, len(direction) - len(consistency.dofs)
    assert own.pairing is not None
    turned = as_gap(direction[:count], own.pairing).conj() * own.residual()
    slope = 2 * float((own.pairing.weight * turned.real).sum())
    if own.induced is not None:
        force = own.induced.maxwell.gradient(own.dofs, own.currents()[:-1], own.induced.mu0)
        slope += float(direction[count:] @ force) / own.induced.mu0
    return slope


def _put(consistency: SelfConsistency, fields: Real, accuracy: float) -> None:
    """Other fields, with their states."""
    consistency.place(fields)
    consistency.settle(accuracy)


def descent_sweeps(consistency: SelfConsistency, tolerance: float) -> Iterator[Iteration]:
    """Newton's method in the gap that goes down the free energy: its linear equations are solved by conjugate gradients
    within a largest step, which follow directions in which the free energy curves down to that step (Steihaug).
    """
    if not consistency.gap_alone:
        raise ValueError("method='descent' is for the gap equation without screening; use 'anderson'")
    number, radius = 1, FIRST
    while True:
        residual = consistency.residual()
        phases = consistency.island_step(residual)
        sweep = consistency.measure(number, residual, consistency.dofs, phases)
        yield sweep
        accuracy = inner_accuracy(sweep.residual * FORCING, tolerance)
        if diverted(consistency, residual, phases, accuracy):
            number += 1
            continue
        consistency.settle(accuracy)
        consistency.refresh()
        space = GapSpace(consistency)
        gap, states, force = consistency.gap, consistency.team.states.copy(), -space.vector(residual)
        while True:
            step, model = _downhill(space, force, radius * consistency.unit)
            change = space.gap(step)
            _put(consistency, as_real(gap + change), accuracy)
            # By the trapezoidal rule, whose error is of third order in the step.
            fallen = 0.5 * float(step @ (space.vector(consistency.residual()) - force))
            size = float(abs(change).max()) / consistency.unit
            number += 1
            if fallen <= ACCEPTED * model or size < SHORTEST:
                break
            radius = 0.5 * min(radius, size)
            consistency.team.states[:] = states
            _put(consistency, as_real(gap), accuracy)
        if fallen < GOOD * model and size > 0.8 * radius:
            radius = min(2 * radius, LONGEST)
        elif fallen > POOR * model:
            radius = max(0.5 * size, SHORTEST)
        number += space.products


def _downhill(space: GapSpace, force: Real, longest: float) -> tuple[Real, float]:
    """A step along which the quadratic model of the free energy falls, and by how much it does (negative).

    The solution of J step = force where it is close enough; else, on the way to it or along a direction in which the
    free energy curves down, the point where the gap has changed by `longest`.
    """
    approximate = space.approximate()
    step, image, rest = np.zeros(len(force)), np.zeros(len(force)), force.copy()
    better = approximate(rest)
    direction, product, enough = better, float(rest @ better), FORCING * float(np.linalg.norm(force))
    for _ in range(KRYLOV):
        curved = space.curved(direction)
        curvature = float(direction @ curved)
        length = product / curvature if curvature > 0 else np.inf
        most = _reach(space, step, direction, longest)
        share = min(length, most)
        step, image, rest = step + share * direction, image + share * curved, rest - share * curved
        if length >= most or float(np.linalg.norm(rest)) <= enough:
            break
        better = approximate(rest)
        product, before = float(rest @ better), product
        direction = better + (product / before) * direction
    return step, float(step @ (0.5 * image - force))


def _reach(space: GapSpace, step: Real, direction: Real, longest: float) -> float:
    """How far along a direction the largest change of the gap stays below a length."""
    own, more = space.gap(step), space.gap(direction)
    a, b, c = abs(more) ** 2, (own.conj() * more).real, abs(own) ** 2 - longest**2
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = np.where(a > 0, (-b + np.sqrt(np.maximum(b**2 - a * c, 0.0))) / a, np.inf)
    return float(roots.min())
