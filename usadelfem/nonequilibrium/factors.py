"""Factors of kinetic matrices: modes that do not couple are solved apart.

Where the condensate is real (no supercurrent) energy and its spins do not couple to charge and its spins, and without
fields across it no spins do. Systems of fewer modes cost their cube.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.sparse import bsr_array

from ..numerics.linear import Factor, LinearSolver, linear_solver
from ..space.space import Index, Real
from .kinetic import BlockPattern

# Coupling of two modes, as a part of what each couples to itself, that is made of rounding errors.
ROUNDING = 1e-14


def apart(blocks: Real) -> list[Index]:
    """The groups of modes that do not couple in any of the blocks (blocks, m, m)."""
    size = np.maximum(blocks.max(axis=0), -blocks.min(axis=0))
    own = np.sqrt(np.diagonal(size))
    coupled = size > ROUNDING * own[:, None] * own
    reached = (coupled | coupled.T | np.eye(len(own), dtype=bool)).astype(float)
    for _ in range(len(own).bit_length()):  # chains of couplings, each time twice as long
        reached = np.minimum(reached @ reached, 1.0)
    return [np.flatnonzero(row) for number, row in enumerate(reached) if not row[:number].any()]


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
    solvers: dict[tuple[int, ...], tuple[LinearSolver, Index]] = field(default_factory=dict, init=False)

    def factorize(self, blocks: Real, slot: int = 0) -> ModeFactor:
        """The factors of a matrix, which stay in a slot until it is used again.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is singular, or not finite.
        """
        groups = apart(blocks)
        factors = []
        for group in groups:
            solver, order = self._solver(group)
            own = blocks if len(group) == self.modes else blocks[:, group[:, None], group]
            factors.append(solver.factorize(own.reshape(-1)[order], slot))
        return ModeFactor(groups, factors)

    def _solver(self, group: Index) -> tuple[LinearSolver, Index]:
        """The solver of a group of modes, and the order in which it takes the entries of their blocks."""
        name = tuple(group.tolist())
        if name not in self.solvers:
            m, count = len(group), len(self.pattern.indices)
            size = (len(self.pattern.indptr) - 1) * m
            numbers = np.arange(count * m * m, dtype=float).reshape(count, m, m)
            whole = bsr_array((numbers, self.pattern.indices, self.pattern.indptr), shape=(size, size)).tocsr()
            # Modes that hardly couple make products of rounding errors, in single precision denormal and slow.
            own = linear_solver(
                whole.indptr, whole.indices, block=m, kind=self.kind, slots=self.slots, symmetric=False, single=False
            )
            self.solvers[name] = own, whole.data.astype(np.int64)
        return self.solvers[name]
