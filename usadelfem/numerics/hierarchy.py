"""A multigrid cycle for matrices of node blocks, with prolongations that are the same for all unknowns of a node."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from .aggregation import prolongations
from .node_blocks import (
    diagonal_blocks,
    fill_dense,
    galerkin,
    smooth_step,
    strengths,
    subtract_product,
)

Numbers = npt.NDArray[Any]
Real = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

# Chebyshev polynomials of this degree damp errors that belong to eigenvalues between the largest and this part of it.
DEGREE, DAMPED = 2, 1 / 8
# Power iterations for the largest eigenvalue, and how many are enough where one starts from an earlier vector.
ROUNDS, AGAIN = 12, 4
MARGIN = 1.1
# Nodes that are solved for directly at most; where aggregation ends with more, they are hardly coupled, and smoothed.
MOST_DIRECT = 500


@dataclass(eq=False)
class Grid:
    """Which pairs of nodes of a level have blocks: those of the upper triangle by rows, the diagonal one first."""

    pointer: Index
    columns: Index
    probe: Numbers | None = None

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.pointer) - 1

    def entries(self, block: int) -> int:
        """How many values a matrix of blocks has."""
        return block**2 * len(self.columns) - block * (block - 1) // 2 * self.nodes

    def symmetric(self, values: Real) -> Any:
        """The whole scalar matrix (nodes, nodes) whose upper triangle has these values."""
        upper = sp.csr_matrix((values, self.columns, self.pointer), shape=(self.nodes,) * 2)
        return (upper + sp.triu(upper, 1).T).tocsr()


@dataclass(eq=False)
class Transfer:
    """A prolongation (nodes, coarse nodes) from a grid to the next finer one, and the coarse grid.

    `reach` is the largest number of coarse nodes that a row of the fine matrix reaches.
    """

    fine: Grid
    prolongation: Any

    def __post_init__(self) -> None:
        own = self.prolongation
        self.rows = own.indptr.astype(np.int64), own.indices.astype(np.int64), own.data
        self.restriction = own.T.tocsr()
        like = sp.csr_matrix(own, dtype=np.float32, copy=True)
        like.data[:] = 1
        reached = sp.csr_matrix(
            (np.ones(len(self.fine.columns), np.float32), self.fine.columns, self.fine.pointer),
            shape=(self.fine.nodes,) * 2,
        ) @ like  # fmt: skip
        self.reach = int(np.diff(reached.indptr).max(initial=1))
        coarse = like.T.tocsr() @ reached
        coarse = sp.triu(coarse + coarse.T + sp.identity(coarse.shape[0], format="csr")).tocsr()
        coarse.sort_indices()
        self.coarse = Grid(coarse.indptr.astype(np.int64), coarse.indices.astype(np.int64))


def node_grid(indptr: npt.NDArray[Any], indices: npt.NDArray[Any], block: int) -> Grid:
    """The node pattern of an upper triangle with dense blocks of so many unknowns.

    Raises
    ------
    ValueError
        If the blocks are not dense.
    """
    starts = indptr[:-1:block].astype(np.int64)
    counts = (indptr[1::block] - starts) // block
    pointer = np.append(0, np.cumsum(counts))
    rows = np.repeat(np.arange(len(counts)), counts)
    columns = indices[starts[rows] + block * (np.arange(pointer[-1]) - pointer[rows])] // block
    grid = Grid(pointer, columns.astype(np.int64))
    if grid.entries(block) != len(indices):
        raise ValueError(f"multigrid needs dense blocks of {block} unknowns for every pair of coupled nodes")
    return grid


@dataclass(eq=False)
class Level:
    """A matrix on a grid, scaled: it is S A S with the `scale` S of every unknown, shape (nodes, block).

    Smoothing is damped Jacobi's with the `inverses` of the diagonal blocks; `radius` is the largest eigenvalue of these
    times the matrix.
    """

    grid: Grid
    values: Numbers
    unit: tuple[Any, ...]
    scale: Real
    transfer: Transfer | None = None
    radius: float = 1.0

    @cached_property
    def blocks(self) -> Numbers:
        """The diagonal blocks, shape (nodes, block, block)."""
        block = len(self.unit)
        blocks = np.empty((self.grid.nodes, block, block), self.values.dtype)
        diagonal_blocks(self.unit, self.grid.pointer, self.values, blocks)
        return blocks

    @cached_property
    def inverses(self) -> Numbers:
        """The inverse diagonal blocks. Raises LinAlgError where one is singular."""
        return np.asarray(np.linalg.inv(self.blocks))

    def subtract(self, x: Numbers, residual: Numbers) -> None:
        """residual -= (S A S) x, both of shape (nodes, block)."""
        subtract_product(self.unit, self.grid.pointer, self.grid.columns, self.values, x, residual)

    def scalar(self) -> Any:
        """What the blocks of A have in common with the diagonal ones of their nodes, as a matrix of the nodes."""
        whole = self.blocks / (self.scale[:, :, None] * self.scale[:, None, :])
        size = np.linalg.norm(whole, axis=(1, 2))
        if not (size > 0).all():
            raise np.linalg.LinAlgError("a node has no diagonal block")
        parts = np.empty(len(self.grid.columns))
        strengths(
            self.unit, self.grid.pointer, self.grid.columns, self.values, 1 / self.scale,
            whole / size[:, None, None], size, parts,
        )  # fmt: skip
        return self.grid.symmetric(parts)

    def coarse(self, transfer: Transfer) -> Level:
        """The level P^T A P, from now on the next one."""
        block, grid = len(self.unit), transfer.coarse
        values = np.zeros(grid.entries(block), self.values.dtype)
        galerkin(
            self.unit, (self.grid.pointer, self.grid.columns), self.values, 1 / self.scale,
            transfer.rows, (grid.pointer, grid.columns), values,
            np.full(grid.nodes, -1), np.empty((transfer.reach, block, block), values.dtype),
        )  # fmt: skip
        self.transfer = transfer
        return Level(grid, values, self.unit, np.ones((grid.nodes, block)))

    def prepare(self) -> None:
        """Find the inverse blocks and the largest eigenvalue, by power iterations from the grid's last vector."""
        rounds, vector, block = AGAIN, self.grid.probe, len(self.unit)
        if vector is None:
            rounds, vector = ROUNDS, np.random.default_rng(0).standard_normal((self.grid.nodes, block))
        vector = vector.astype(self.values.dtype, copy=False)
        for _ in range(rounds):
            product, new, unused = (np.zeros_like(vector) for _ in range(3))
            self.subtract(vector, product)
            smooth_step(self.unit, self.inverses, product, 0.0, -1.0, unused, new)
            self.radius = float(np.linalg.norm(new))
            if not 0 < self.radius < np.inf:
                raise np.linalg.LinAlgError("the matrix has no finite eigenvalues")
            vector = new / self.radius
        self.grid.probe = vector
        del self.blocks

    def smooth(self, x: Numbers, residual: Numbers) -> Numbers:
        """Improve x, whose residual is given and changed; returns the last step, whose part it still holds."""
        top = MARGIN * self.radius
        middle, half = 0.5 * top * (1 + DAMPED), 0.5 * top * (1 - DAMPED)
        ratio, step, old, new = half / middle, np.zeros_like(x), 0.0, 1 / middle
        for degree in range(DEGREE):
            if degree:
                self.subtract(step, residual)
                following = 1 / (2 * middle / half - ratio)
                old, new, ratio = following * ratio, 2 * following / half, following
            smooth_step(self.unit, self.inverses, residual, old, new, step, x)
        return step


class Hierarchy:
    """Levels of a matrix; the last one is solved for directly.

    `nested` are prolongations that are known, from the finest grid on; further ones come from aggregation.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a diagonal block or the coarsest matrix is singular.
    """

    def __init__(self, finest: Level, nested: list[Transfer]) -> None:
        self.levels = [finest]
        for transfer in nested:
            self.levels.append(self.levels[-1].coarse(transfer))
        for matrix in prolongations(self.levels[-1].scalar()):
            own = self.levels[-1]
            self.levels.append(own.coarse(Transfer(own.grid, matrix)))
        last, block = self.levels[-1], len(finest.unit)
        self._direct: Numbers | None = None
        if last.grid.nodes <= MOST_DIRECT:
            dense = np.zeros((last.grid.nodes, block, last.grid.nodes, block), last.values.dtype)
            fill_dense(last.unit, last.grid.pointer, last.grid.columns, last.values, dense)
            self._direct = np.linalg.inv(dense.reshape(last.grid.nodes * block, -1))
        for level in self.levels if self._direct is None else self.levels[:-1]:
            level.prepare()

    @property
    def nbytes(self) -> int:
        """Memory of all matrices, that of the finest included."""
        small = 0 if self._direct is None else self._direct.nbytes
        smoothed = self.levels if self._direct is None else self.levels[:-1]
        return small + sum(level.values.nbytes for level in self.levels) + sum(own.inverses.nbytes for own in smoothed)

    def cycle(self, rhs: Numbers, depth: int = 0) -> Numbers:
        """One V-cycle for a right-hand side (nodes, block), from zero."""
        level = self.levels[depth]
        transfer, last = level.transfer, depth == len(self.levels) - 1
        if last and self._direct is not None:
            return np.asarray((self._direct @ rhs.ravel()).reshape(rhs.shape))
        x, residual = np.zeros_like(rhs), rhs.copy()
        step = level.smooth(x, residual)
        if transfer is None:
            return x
        level.subtract(step, residual)
        correction = transfer.prolongation @ self.cycle(transfer.restriction @ (residual / level.scale), depth + 1)
        correction /= level.scale
        x += correction
        level.subtract(correction, residual)
        level.smooth(x, residual)
        return x
