"""GMRES with a multigrid cycle of node blocks: time and memory in proportion to the nodes, where factors grow faster.

The cycle works on the assembled values themselves, in the precision of the matrix; coarse matrices are Galerkin
products. The residual that an iteration ends at is computed, not estimated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from .hierarchy import Hierarchy, Level, Transfer, node_grid
from .krylov import flexible_gmres
from .pardiso import Indices, Numbers

# Relative residual of solutions that nobody checks. Corrections with an earlier matrix leave more than that; ten times
# as much would save a tenth of the iterations, and leave 1e-12 of error in states instead of 1e-13.
ROUGH = 1e-3
# Vectors that GMRES keeps, and the most iterations until a factorisation is the better choice.
RESTART, MOST_ITERATIONS = 40, 120
# Part of the residual that RESTART iterations have to leave at most.
STAGNATION = 0.5
# The target is set below what is asked for by this factor, so that rounding does not spoil it.
SAFETY = 0.7


@final
class MultigridBackend:
    """Multigrid preconditioners of symmetric matrices given by their upper triangle, dense blocks for pairs of nodes.

    `coarse` makes a prolongation (nodes, coarse nodes) to start with, as that of linear to quadratic elements, or None.
    """

    name = "multigrid"

    def __init__(
        self, indptr: Indices, indices: Indices, block: int, dtype: np.dtype[Any], coarse: Callable[[], Any]
    ) -> None:  # fmt: skip
        self._block = block
        self._finest = node_grid(indptr, indices, block)
        nested = coarse()
        self._nested = [] if nested is None else [Transfer(self._finest, nested)]
        self._unit = (dtype.type(1),) * block
        self._hierarchies: dict[int, Hierarchy] = {}
        self.factor_bytes = 0
        self.iterations: list[int] = []

    @property
    def note(self) -> str:
        """What it did last."""
        return f"multigrid, {self.iterations[-1] if self.iterations else 0} iterations"

    def factorize(self, values: Numbers, slot: int, scale: npt.NDArray[np.float64]) -> None:
        """Make the levels of a matrix S A S with the `scale` S, shape (n,); `values` are used, not copied.

        Raises LinAlgError if a diagonal block or the coarsest matrix is singular.
        """
        self._hierarchies.pop(slot, None)
        sizes = scale.reshape(-1, self._block)
        finest = Level(self._finest, values, self._unit, sizes / 2.0 ** np.round(np.median(np.log2(sizes))))
        with np.errstate(all="ignore"):
            self._hierarchies[slot] = Hierarchy(finest, self._nested)
        self.factor_bytes = self._hierarchies[slot].nbytes

    def solve(self, rhs: Numbers, slot: int, *, transposed: bool = False, accuracy: float = ROUGH) -> Numbers:
        """Solve for `rhs` of shape (n, k), each column to a relative residual of `accuracy`.

        The matrices are symmetric, so that `transposed` changes nothing. Raises LinAlgError where the iteration
        stagnates.
        """
        return np.stack([self._solve(column, self._hierarchies[slot], accuracy) for column in rhs.T], axis=1)

    def _solve(self, rhs: Numbers, hierarchy: Hierarchy, accuracy: float) -> Numbers:
        finest = hierarchy.levels[0]
        shape = finest.grid.nodes, self._block

        def product(x: Numbers) -> Numbers:
            out = np.zeros(shape, x.dtype)
            finest.subtract(-x.reshape(shape), out)
            return out.ravel()

        def cycle(residual: Numbers) -> Numbers:
            return hierarchy.cycle(residual.reshape(shape)).ravel()

        rhs = np.ascontiguousarray(rhs)
        size = float(np.linalg.norm(rhs))
        x, residual, left = np.zeros_like(rhs), rhs, 1.0
        self.iterations.append(0)
        while size > 0 and left > accuracy:
            before, goal = left, max(SAFETY * accuracy / left, np.finfo(float).eps)
            most = min(RESTART, MOST_ITERATIONS - self.iterations[-1])
            change, history = flexible_gmres(product, cycle, residual, goal, most)
            x = x + change
            residual = rhs - product(x)
            left = float(np.linalg.norm(residual)) / size
            self.iterations[-1] += len(history)
            late = self.iterations[-1] >= MOST_ITERATIONS and left > accuracy
            if late or not left <= max(STAGNATION * before, accuracy):
                raise LinAlgError(
                    f"multigrid stagnates at a relative residual of {left:.1e} after {self.iterations[-1]} iterations"
                )
        return x

    def release(self) -> None:
        """Free the memory of all levels."""
        self._hierarchies = {}

    def rest(self) -> bool:
        """Free all levels; what is known of the pattern stays."""
        self.release()
        return True
