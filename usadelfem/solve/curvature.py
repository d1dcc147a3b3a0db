"""The lowest eigenvalues of the second variation of the free energy: whether a solution is a minimum."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SolveError
from ..numerics.krylov import lowest_eigenvalues
from .field_problem import SelfConsistency
from .field_space import GapSpace, space_of

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Residual to which an eigenvector of J is found, whose eigenvalue is then right to the square of it, and what is
# negative.
ACCURACY, NEGATIVE = 1e-5, 1e-6
DENSE = 48  # unknowns up to which all products cost no more than a search
RESTARTS, NOISE = 60, 0.3
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
            self.image, space.raised, space.pure, noise, count, tolerance=ACCURACY, most=max(24, 4 * count),
            restarts=RESTARTS,
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
