"""Down the free energy of the gap: its curvature at a solution, the way off a saddle, Newton's method that descends.

With the states eliminated the free energy of a gap changes by

    Omega[Delta + u] = Omega[Delta] + Int N0 Re{ 2 u* R + u* J u } + ...,

R the residual of the gap equation and J its derivative, the second variation, symmetric in the product Int N0 Re u* v.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from ..errors import SolveError
from ..numerics.report import Iteration
from .field_iterations import FORCING, KRYLOV, diverted, inner_accuracy
from .field_problem import SelfConsistency, as_gap, as_real
from .pairing_mode import superconducting_contacts

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Residual to which an eigenvector of J is found, whose eigenvalue is then right to the square of it, and what is
# negative. J is shifted by 1, so that eigenvalues near zero do not have to be known to a part of themselves.
ACCURACY, NEGATIVE, SHIFT = 1e-5, 1e-6, 1.0
DENSE = 48  # unknowns up to which all products cost no more than a search
RESTARTS, NOISE = 60, 0.3
# Steps of a descent, of the largest change of the gap in bulk gaps: first, longest, shortest. A step is taken where the
# free energy falls by ACCEPTED of what its quadratic model says; the next one may be longer above GOOD, shorter below
# POOR.
FIRST, LONGEST, SHORTEST = 0.3, 1.5, 1e-6
ACCEPTED, POOR, GOOD = 0.05, 0.25, 0.75
# First step off a saddle, and how often it is doubled.
OFF, DOUBLINGS = 0.15, 4
SOLVED = 1e-6  # accuracy of the states there


class Curvature(NamedTuple):
    """Lowest eigenvalues of the second variation of the free energy, ascending, and the changes of the gap.

    Attributes
    ----------
    values
        Eigenvalues, dimensionless, shape (modes,).
    modes
        Changes of the gap at the points of the pairing, with a largest modulus of 1; shape (modes, cells, points).
    """

    values: Real
    modes: Complex

    @property
    def negative(self) -> int:
        """Number of directions among them in which the free energy falls."""
        return int((self.values < -NEGATIVE).sum())


class GapSpace:
    """Gaps as real vectors in which J is symmetric in the ordinary sense."""

    def __init__(self, consistency: SelfConsistency) -> None:
        assert consistency.pairing is not None
        self.consistency, self.pairing = consistency, consistency.pairing
        self.root = np.sqrt(np.repeat(self.pairing.weight.ravel(), 2) / self.pairing.weight.sum())
        self.products = 0

    def vector(self, gap: Complex) -> Real:
        """A change of the gap as a vector."""
        return np.asarray(self.root * as_real(gap))

    def gap(self, vector: Any) -> Complex:
        """The way back."""
        return as_gap(np.asarray(vector).ravel() / self.root, self.pairing)

    @property
    def free_phase(self) -> Real:
        """The direction of a common phase where nothing holds it, with norm 1; zero where something does."""
        turn = self.vector(1j * self.consistency.gap)
        size = float(np.linalg.norm(turn))
        return np.zeros(len(turn)) if size == 0 or holds_phase(self.consistency) else turn / size

    def approximate(self) -> Callable[[Any], Real]:
        """An approximate inverse of J, which is positive."""
        consistency, gap = self.consistency, self.consistency.gap
        if not abs(gap).max():
            return lambda vector: np.asarray(vector).ravel() / float(np.median(consistency.coefficient))
        response = consistency.gap_response()

        def inverse(vector: Any) -> Real:
            change = self.gap(vector)
            return self.vector(np.asarray(response.apply(gap, change) - consistency.island_change(change)))

        return inverse

    def curved(self, vector: Any) -> Real:
        """J times a vector."""
        self.products += 1
        return self.vector(self.consistency.derivative(self.gap(vector)))


def holds_phase(consistency: SelfConsistency) -> bool:
    """Whether a reservoir or a given gap holds the phase of the device."""
    assert consistency.pairing is not None
    problem, given = consistency.problem, np.ones(len(consistency.problem.space.cells), bool)
    given[consistency.pairing.chosen] = False
    return bool(superconducting_contacts(problem) or problem.gap[given].any())


def lowest_curvature(consistency: SelfConsistency, count: int, start: Complex | None = None) -> Curvature:
    """The lowest eigenvalues of J at the present gap, at least `count`, and as many more as are negative.

    A common phase that nothing holds, which costs nothing, is left out.

    Raises
    ------
    SolveError
        If they do not converge.
    """
    consistency.refresh()
    space = GapSpace(consistency)
    zero = space.free_phase[:, None]
    removed = zero[:, zero.any(axis=0)]
    count = min(count, len(space.root) - removed.shape[1])
    values, vectors = _lowest(space, removed, count, None if start is None else space.vector(start))
    while removed.shape[1] + len(values) < len(space.root):
        # Of eigenvalues that are the same, as those of a symmetric device, a search may find one only.
        more, missed = _lowest(space, np.hstack([removed, vectors]), 1, None)
        if more[0] > max(values[count - 1] - ACCURACY, -NEGATIVE):
            break
        order = np.argsort([*values, *more])
        values, vectors = np.append(values, more)[order], np.hstack([vectors, missed])[:, order]
    last = max(count, int((values < -NEGATIVE).sum()))
    modes = np.array([space.gap(vector) for vector in vectors.T[:last]])
    return Curvature(values[:last], modes / abs(modes).max(axis=(1, 2), keepdims=True))


def _lowest(space: GapSpace, removed: Real, count: int, start: Real | None) -> tuple[Real, Real]:
    """The lowest eigenvalues of J, ascending, and their vectors, orthogonal to others (unknowns, removed)."""
    size = len(space.root)
    # What is removed goes to where J ends at short lengths.
    far = SHIFT + float(np.median(space.consistency.coefficient))

    def product(vector: Any) -> Real:
        x = np.asarray(vector).ravel()
        along = removed.T @ x
        rest = x - removed @ along
        image = space.curved(rest) + SHIFT * rest
        return np.asarray(image + removed @ (far * along - removed.T @ image))

    if size <= DENSE or count >= size - 1:
        dense = np.array([product(column) for column in np.eye(size)])
        values, vectors = np.linalg.eigh(0.5 * (dense + dense.T))
        return np.asarray(values[:count] - SHIFT), np.asarray(vectors[:, :count])
    first = np.zeros(size) if start is None else start
    # The lowest mode may be of another symmetry than the start.
    # The noise differs from that of other searches, whose vectors hold all of theirs in a space of equal eigenvalues.
    noise = np.random.default_rng(1 + removed.shape[1]).normal(size=size)
    first = first + NOISE * max(float(np.linalg.norm(first)), 1.0) * noise / np.sqrt(size)
    matrix = LinearOperator((size, size), matvec=product, dtype=np.float64)
    try:
        values, vectors = eigsh(
            matrix, k=count, which="SA", v0=first, tol=ACCURACY, ncv=min(size - 1, max(24, 4 * count)), maxiter=RESTARTS
        )  # fmt: skip
    except ArpackNoConvergence as error:
        raise SolveError(
            f"{len(error.eigenvalues)} of {count} eigenvalues of the second variation converged in {RESTARTS} "
            "restarts. Try: a smaller count",
            frequency=float("nan"), residuals=(), state=None,
        ) from error  # fmt: skip
    order = np.argsort(values)
    return np.asarray(values[order] - SHIFT), np.asarray(vectors[:, order])


def leave_saddle(consistency: SelfConsistency, mode: Complex) -> None:
    """Go down the free energy along a mode of negative curvature, to the side on which it falls further.

    The energy is the integral of its slope, 2 Int N0 Re u* R, over the step, by the trapezoidal rule.
    """
    assert consistency.pairing is not None
    gap, states, weight = consistency.gap, consistency.team.states.copy(), consistency.pairing.weight
    lowest, found, at = np.inf, gap, states
    for direction in (consistency.unit * mode, -consistency.unit * mode):
        energy = slope = length = 0.0
        consistency.team.states[:] = states
        for longer in OFF * 2.0 ** np.arange(DOUBLINGS):
            _put(consistency, gap + longer * direction, SOLVED)
            steeper = 2 * float((weight * (direction.conj() * consistency.residual()).real).sum())
            energy += 0.5 * (slope + steeper) * (longer - length)
            slope, length = steeper, longer
            if energy < lowest:
                lowest, found, at = energy, consistency.gap, consistency.team.states.copy()
            if slope >= 0:
                break
    consistency.team.states[:] = at
    _put(consistency, found, SOLVED)


def _put(consistency: SelfConsistency, gap: Complex, accuracy: float) -> None:
    """Another gap, with its states."""
    consistency.place(np.concatenate([as_real(gap), consistency.dofs]))
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
            _put(consistency, gap + change, accuracy)
            # By the trapezoidal rule, whose error is of third order in the step.
            fallen = 0.5 * float(step @ (space.vector(consistency.residual()) - force))
            size = float(abs(change).max()) / consistency.unit
            number += 1
            if fallen <= ACCEPTED * model or size < SHORTEST:
                break
            radius = 0.5 * min(radius, size)
            consistency.team.states[:] = states
            _put(consistency, gap, accuracy)
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
