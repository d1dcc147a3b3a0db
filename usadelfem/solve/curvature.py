"""How the free energy curves with the fields of a solution: its second variation, and the lowest eigenvalues of that.

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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SolveError
from ..numerics.krylov import lowest_eigenvalues
from ..numerics.newton import STEP_ACCURACY
from ..points.sums import Terms
from .field_problem import SelfConsistency, as_gap, as_real
from .pairing_mode import superconducting_contacts

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Residual to which an eigenvector of J is found, whose eigenvalue is then right to the square of it, and what is
# negative.
ACCURACY, NEGATIVE = 1e-5, 1e-6
DENSE = 48  # unknowns up to which all products cost no more than a search
RESTARTS, NOISE = 60, 0.3
# What a change of the potential counts, as a part of the energy of its field and of the local response of the currents:
# changes of the field alone have eigenvalues near the inverse, where those of the gap end at short lengths.
SHARE = 0.1
RANK = 1e-12  # of the inverse metric: what is a gauge and no field


class Curvature(NamedTuple):
    """Lowest eigenvalues of the second variation of the free energy, ascending, and the changes of the fields.

    Attributes
    ----------
    values
        Eigenvalues, dimensionless, shape (modes,).
    modes
        Changes of the gap at the points of the pairing, with a largest modulus of 1; shape (modes, cells, points).
    potentials
        With screening: the changes of the unknowns of the induced potential, shape (modes, unknowns); else empty.
    """

    values: Real
    modes: Complex
    potentials: Real

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


def lowest_curvature(consistency: SelfConsistency, count: int, start: Complex | None = None) -> Curvature:
    """The lowest eigenvalues of the second variation at the present fields, at least `count`, and as many more as are
    negative.

    A common phase that nothing holds, which costs nothing, is left out.

    Raises
    ------
    SolveError
        If they do not converge.
    """
    consistency.refresh()
    space = space_of(consistency)
    zero = space.free_phase[:, None]
    removed = zero[:, zero.any(axis=0)]
    count = min(count, len(space.root) - removed.shape[1])
    values, vectors = _Search(space, removed).lowest(count, None if start is None else space.vector(start))
    while removed.shape[1] + len(values) < len(space.root):
        # Of eigenvalues that are the same, as those of a symmetric device, a search may find one only.
        more, missed = _Search(space, np.hstack([removed, vectors])).lowest(1, None)
        if more[0] > max(values[count - 1] - ACCURACY, -NEGATIVE):
            break
        order = np.argsort([*values, *more])
        values, vectors = np.append(values, more)[order], np.hstack([vectors, missed])[:, order]
    last = max(count, int((values < -NEGATIVE).sum()))
    found = [space.raised(vector) for vector in vectors.T[:last]]
    modes = np.array([space.gap(vector) for vector in found])
    sizes = abs(modes).max(axis=(1, 2))
    potentials = np.array([space.potential(vector) for vector in found])
    return Curvature(values[:last], modes / sizes[:, None, None], potentials / sizes[:, None])


class _Search:
    """A search for the lowest eigenvalues of J among what is orthogonal to dual vectors (unknowns, removed)."""

    def __init__(self, space: GapSpace, removed: Real) -> None:
        self.space, self.removed = space, removed
        raised = [space.raised(dual) for dual in removed.T]
        self.raised = np.stack(raised, axis=1) if raised else removed
        # What is removed goes to where J ends at short lengths.
        self.far = float(np.median(space.consistency.coefficient))

    def image(self, vector: Any) -> Real:
        """J times a vector, a dual one; what is removed apart."""
        along = self.removed.T @ vector
        image = self.space.curved(vector - self.raised @ along)
        return np.asarray(image + self.removed @ (self.far * along - self.raised.T @ image))

    def lowest(self, count: int, start: Real | None) -> tuple[Real, Real]:
        """The eigenvalues, ascending, and their vectors, dual ones (unknowns, eigenvalues).

        Raises
        ------
        SolveError
            If they do not converge.
        """
        size, space = self.space.size, self.space
        if size <= DENSE:
            return self._all(count)
        # The lowest mode may be of another symmetry than the start. The noise differs from that of other searches,
        # whose vectors hold all of theirs in a space of equal eigenvalues.
        noise = space.pure(np.random.default_rng(1 + self.removed.shape[1]).normal(size=size))
        noise /= np.sqrt(noise @ space.raised(noise))
        if start is not None:
            noise[: len(start)] += start / (NOISE * max(float(np.linalg.norm(start)), 1.0))
        values, vectors, converged = lowest_eigenvalues(
            self.image, space.raised, space.pure, noise, count, tolerance=ACCURACY, most=max(24, 4 * count), restarts=RESTARTS
        )  # fmt: skip
        if converged < count:
            raise SolveError(
                f"{converged} of {count} eigenvalues of the second variation converged in {RESTARTS} "
                "restarts. Try: a smaller count",
                frequency=float("nan"), residuals=(), state=None,
            )  # fmt: skip
        return values, vectors

    def _all(self, count: int) -> tuple[Real, Real]:
        """The same in a small space, from the whole matrix in an orthonormal basis."""
        metric = np.stack([self.space.raised(self.space.pure(dual)) for dual in np.eye(self.space.size)], axis=1)
        sizes, directions = np.linalg.eigh(0.5 * (metric + metric.T))
        basis = (directions / np.sqrt(sizes))[:, sizes > RANK * sizes.max()]
        vectors = metric @ basis
        matrix = vectors.T @ np.stack([self.image(vector) for vector in vectors.T], axis=1)
        values, mixed = np.linalg.eigh(0.5 * (matrix + matrix.T))
        return values[:count], basis @ mixed[:, :count]
