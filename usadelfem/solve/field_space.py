"""Gaps and induced potentials as vectors, and the second variation of the free energy on them.

With the states eliminated the free energy of a gap changes by

    Omega[Delta + u] = Omega[Delta] + Int N0 Re{ 2 u* R + u* J u } + ...,

R the residual of the gap equation and J its derivative, symmetric in the product Int N0 Re u* v. With screening the
induced potential changes together with the gap,

    Omega[Delta + u, A + a] = Omega + Int N0 Re{ u* (J u + R_A a) } + Int { (curl a)^2/mu0 - a.dj } / 2 + ...,

dj being the change of the current with both, the states following.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..numerics.newton import STEP_ACCURACY
from ..points.sums import Terms
from .field_problem import SelfConsistency, as_gap, as_real
from .pairing_mode import superconducting_contacts

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# What a change of the potential counts, as a part of the energy of its field and of the local response of the currents:
# changes of the field alone have eigenvalues near the inverse, where those of the gap end at short lengths.
SHARE = 0.1


class GapSpace:
    """Gaps as real vectors in which J is symmetric in the ordinary sense."""

    def __init__(self, consistency: SelfConsistency) -> None:
        assert consistency.pairing is not None
        self.consistency, self.pairing = consistency, consistency.pairing
        self.root = np.sqrt(np.repeat(self.pairing.weight.ravel(), 2) / self.pairing.weight.sum())
        self.products = 0

    @property
    def size(self) -> int:
        """Length of a vector."""
        return len(self.root)

    def vector(self, gap: Complex) -> Real:
        """A change of the gap as a vector."""
        return np.asarray(self.root * as_real(gap))

    def gap(self, vector: Any) -> Complex:
        """The way back."""
        return as_gap(np.asarray(vector).ravel()[: len(self.root)] / self.root, self.pairing)

    def potential(self, vector: Any) -> Real:
        """The change of the unknowns of the induced potential in a vector."""
        return np.asarray(vector).ravel()[len(self.root) :]

    @property
    def free_phase(self) -> Real:
        """The direction of a common phase where nothing holds it, with norm 1; zero where something does."""
        turn = np.zeros(self.size)
        if not holds_phase(self.consistency):
            turn[: len(self.root)] = self.vector(1j * self.consistency.gap)
        return np.asarray(turn / (np.linalg.norm(turn) or 1.0))

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

    def force(self) -> Real:
        """Half of the slope of the free energy, per integral of N0, downwards; a dual vector."""
        return -self.vector(self.consistency.residual())

    def fields(self, vector: Real) -> Real:
        """A vector as a change of the fields."""
        return np.concatenate([as_real(self.gap(vector)), self.potential(vector)])

    def sizes(self, vector: Real) -> tuple[Real, ...]:
        """Real numbers at every point, shape (numbers, points), whose squares add up to that of a change: of the gap in
        bulk gaps; of the potential, times the coherence length.
        """
        gap = self.gap(vector).ravel() / self.consistency.unit
        return (np.stack([gap.real, gap.imag]),)

    def curved(self, vector: Any) -> Real:
        """J times a vector."""
        self.products += 1
        return self.vector(self.consistency.derivative(self.gap(vector)))

    def raised(self, dual: Any) -> Real:
        """The vector whose product with others is that of a dual one: itself, where the product is the ordinary one."""
        return np.asarray(dual).ravel()

    def pure(self, dual: Any) -> Real:
        """A dual vector without what `raised` makes nothing of."""
        return np.asarray(dual)


class FieldSpace(GapSpace):
    """Gaps and induced potentials as real vectors; the product counts a potential by what its field would cost.

    What J times a vector is, a dual vector, holds the integrals of a load with the functions of the potential. `raised`
    makes a potential of that, in the Coulomb gauge, with the local response of the currents. Of dual vectors only those
    count that are `pure`.
    """

    def __init__(self, consistency: SelfConsistency) -> None:
        super().__init__(consistency)
        assert consistency.induced is not None
        self.induced, self.maxwell = consistency.induced, consistency.induced.maxwell
        self.density = 2 * self.induced.mu0 * float(self.pairing.weight.sum())
        self.unit = np.pi * consistency.temperature

    @property
    def size(self) -> int:
        """Length of a vector."""
        return len(self.root) + self.maxwell.count

    @cached_property
    def local(self) -> Any:
        """Steps of Ampere's law with the local response of the solution."""
        return self.maxwell.with_response(self.consistency.currents()[-1], self.induced.mu0)

    @cached_property
    def diamagnetic(self) -> Real:
        """dj/dA at held states, shape (dim, dim, cells, points)."""
        return np.asarray(self.unit * self.consistency.team.sum(self.consistency.problem, Terms.diamagnetic))

    def approximate(self) -> Callable[[Any], Real]:
        """An approximate inverse of J, from dual vectors; it is positive."""
        inverse, count = super().approximate(), len(self.root)

        def both(dual: Any) -> Real:
            given = np.asarray(dual).ravel()
            return np.concatenate([inverse(given[:count]), self.raised(given)[count:] * SHARE])

        return both

    def force(self) -> Real:
        """Half of the slope of the free energy, per integral of N0, downwards; a dual vector."""
        own = self.consistency
        force = self.maxwell.gradient(own.dofs, own.currents()[:-1], self.induced.mu0)
        return -np.concatenate([self.vector(own.residual()), force / self.density])

    def sizes(self, vector: Real) -> tuple[Real, ...]:
        """Those of the gap, and of the potential."""
        potential = self.consistency.length * self.maxwell.at_points(self.potential(vector))
        return (*super().sizes(vector), potential.reshape(len(potential), -1))

    def changes(self, gap: Complex, dofs: Real) -> tuple[Complex, Real]:
        """The changes of R and of j with those of gap and potential, the states following."""
        own, potential = self.consistency, self.maxwell.at_points(dofs)
        moved = own.team.sum(own.problem, Terms.field_derivative, gap, potential, STEP_ACCURACY)
        current = self.unit * moved[2 * gap.size :].reshape(potential.shape)
        current += np.einsum("jkcq,kcq->jcq", self.diamagnetic, potential)
        return own.close(gap, as_gap(moved[: 2 * gap.size], self.pairing)), current

    def curved(self, vector: Any) -> Real:
        """The second variation times a vector, a dual vector."""
        self.products += 1
        dofs = self.potential(vector)
        residual, current = self.changes(self.gap(vector), dofs)
        load = self.maxwell.matrix @ dofs - self.induced.mu0 * self.maxwell.load(current)
        return np.concatenate([self.vector(residual), load / self.density])

    def pure(self, dual: Any) -> Real:
        """A dual vector without what `raised` makes nothing of."""
        count = len(self.root)
        return np.concatenate([dual[:count], self.local.conserved(dual[count:])])

    def raised(self, dual: Any) -> Real:
        """The vector of a dual one."""
        given, count = np.asarray(dual).ravel(), len(self.root)
        made = self.local.pushed(given[count:]) * (self.density / SHARE)
        return np.concatenate([given[:count], made])


def space_of(consistency: SelfConsistency) -> GapSpace:
    """The space of the fields that are unknown."""
    return GapSpace(consistency) if consistency.induced is None else FieldSpace(consistency)


def holds_phase(consistency: SelfConsistency) -> bool:
    """Whether a reservoir or a given gap holds the phase of the device."""
    assert consistency.pairing is not None
    problem, given = consistency.problem, np.ones(len(consistency.problem.space.cells), bool)
    given[consistency.pairing.chosen] = False
    return bool(superconducting_contacts(problem) or problem.gap[given].any())
