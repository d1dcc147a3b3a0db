"""Factors of kinetic matrices: modes that do not couple are solved apart.

Where the condensate is real (no supercurrent) energy and its spins do not couple to charge and its spins, and without
fields across it no spins do. Systems of fewer modes cost their cube.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.sparse import bsr_array
from scipy.sparse.csgraph import connected_components

from ..numerics.linear import Factor, LinearSolver, linear_solver
from ..space.space import Index, Real
from .kinetic import BlockPattern

# Coupling of two modes, as a part of what each couples to itself, that is made of rounding errors.
ROUNDING = 1e-14


def apart(blocks: Real) -> list[Index]:
    """The groups of modes that do not couple in any of the blocks (blocks, m, m)."""
    size = np.maximum(blocks.max(axis=0), -blocks.min(axis=0))
    own = np.sqrt(np.diagonal(size))
    count, labels = connected_components(size > ROUNDING * own[:, None] * own, directed=False)
    return [np.flatnonzero(labels == group) for group in range(count)]


class ModeFactor(NamedTuple):
    """Factors of a matrix: of every group of modes."""

    groups: list[Index]
    factors: list[Factor]

    def solve(self, right: Real, accuracy: float) -> Real:
        """The solution of right-hand sides (nodes, m, k), of the same shape, to a relative residual.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is singular to working precision.
        """
        out = np.zeros_like(right)
        for group, factor in zip(self.groups, self.factors, strict=True):
            own = right[:, group]
            used = np.flatnonzero(own.any(axis=(0, 1)))
            if len(used):
                columns = own[:, :, used].reshape(-1, len(used))
                found = factor.solve(columns, accuracy=accuracy).reshape(-1, len(group), len(used))
                out[:, group[:, None], used] = found
        return out


@dataclass(frozen=True, eq=False)
class ModeSolver:
    """Factorises matrices of blocks (m, m) over the nodes; keeps the factors of so many slots.

    Attributes
    ----------
    pattern, modes
        The pattern of blocks, and m.
    kind, slots
        As in `linear_solver`.
    """

    pattern: BlockPattern
    modes: int
    kind: str
    slots: int
    solvers: dict[tuple[int, ...], LinearSolver] = field(default_factory=dict, init=False)

    def factorize(self, blocks: Real, slot: int = 0) -> ModeFactor:
        """The factors of a matrix, which stay in a slot until it is used again.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is singular, or not finite.
        """
        groups = apart(blocks)
        factors = [self._solver(group).factorize(self._matrix(blocks, group).data, slot) for group in groups]
        return ModeFactor(groups, factors)

    def _matrix(self, blocks: Real, group: Index) -> bsr_array:
        own = blocks if len(group) == self.modes else blocks[:, group[:, None], group]
        size = (len(self.pattern.indptr) - 1) * len(group)
        return bsr_array((own, self.pattern.indices, self.pattern.indptr), shape=(size, size)).tocsr()

    def _solver(self, group: Index) -> LinearSolver:
        name = tuple(group.tolist())
        if name not in self.solvers:
            m = len(group)
            whole = self._matrix(np.ones((len(self.pattern.indices), self.modes, self.modes)), group)
            # Modes that hardly couple make products of rounding errors, in single precision denormal and slow.
            self.solvers[name] = linear_solver(
                whole.indptr, whole.indices, block=m, kind=self.kind, slots=self.slots, symmetric=False, single=False
            )
        return self.solvers[name]
