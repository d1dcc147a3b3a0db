"""Solution of sparse systems with one pattern: real indefinite or complex symmetric ones, and any others.

A symmetric matrix is given as its upper triangle in CSR, any other as a whole; its pattern is analysed once and its
values change.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..defaults import default_of
from . import pardiso
from .checked import HALVES, REFINE_ABOVE, Backend, CheckedSolver
from .multigrid import MultigridBackend
from .pardiso import Indices, Numbers, PardisoBackend
from .petsc import PetscBackend
from .superlu import SuperLUBackend

logger = logging.getLogger("usadelfem")

SOLVERS = ("auto", "pardiso", "pardiso-single", "superlu", "multigrid", "petsc", "petsc-iterative")
# Factors in single precision halve time and memory of large systems; small ones gain nothing.
_SINGLE_FROM = 20_000
# Unknowns from which on multigrid takes less time than factors, by the dimension of the mesh; benchmarks/large.py.
MULTIGRID_FROM = {3: 50_000}


class Factor(Protocol):
    """The factorised matrix of one `LinearSolver.factorize`."""

    @property
    def fresh(self) -> bool:
        """Whether its slot still holds it."""
        ...

    def solve(
        self, rhs: Numbers, *, checked: bool = True, accuracy: float = REFINE_ABOVE, transposed: bool = False
    ) -> Numbers:  # fmt: skip
        """Solve for `rhs`, shape (n,) or (n, k); the answer has that shape and a checked residual.

        `transposed` solves with the transposed matrix (not the conjugate one) and the same factors.

        It is refined to a relative residual of `accuracy`. With `checked=False` one bare solution, for callers that see
        from elsewhere whether it was good.

        Raises ValueError (shape), TypeError (complex `rhs` of a real matrix), RuntimeError (the solver
        has factorised another matrix in the same slot or was released since) and numpy.linalg.LinAlgError (non-finite
        `rhs`, or relative residual above 1e-6 after refinement: the matrix is singular to working precision).
        """
        ...

    def rounding(self, unknowns: Numbers) -> npt.NDArray[np.float64]:
        """Size of the rounding errors of the matrix times `unknowns` (n,): the machine epsilon times |A| |x|."""
        ...


class LinearSolver(Protocol):
    """Factorises matrices of one pattern; holds one factor in each of its slots."""

    @property
    def name(self) -> str:
        """The back end: "pardiso", "pardiso-single", "superlu", "multigrid", "petsc" or "petsc-iterative"."""
        ...

    @property
    def factor_bytes(self) -> int:
        """Memory of one factor, 0 before the first."""
        ...

    def factorize(self, values: Numbers, slot: int = 0) -> Factor:
        """Factorise the matrix with these `values` of the pattern (copied); the slot's last factor becomes stale.

        Rows and columns are scaled first. Where "auto" fails with one back end it goes on with the next; logged.

        Raises ValueError (number or type of values) and numpy.linalg.LinAlgError (singular or non-finite).
        """
        ...

    def release(self) -> None:
        """Free the memory of the factor; `factorize` may be called again."""
        ...

    def rest(self) -> bool:
        """Free the factors and keep what is known of the pattern; False if that is nothing, and all is released."""
        ...


def available_solvers() -> tuple[str, ...]:
    """The back ends that work here, the fastest first."""
    return ("pardiso", "superlu") if pardiso.find_mkl() is not None else ("superlu",)


def linear_solver(
    indptr: npt.NDArray[np.integer[Any]],
    indices: npt.NDArray[np.integer[Any]],
    *,
    block: int = 8,
    kind: str = "auto",
    dtype: npt.DTypeLike = np.float64,
    slots: int = 1,
    symmetric: bool = True,
    single: bool = True,
    coarse: Callable[[], Any] = lambda: None,
    dim: int = 0,
) -> LinearSolver:
    """Make a solver for the symmetric pattern whose upper triangle has this `indptr` (n + 1) and `indices`.

    With `symmetric=False` they are those of all entries of a pattern of any symmetry, and PETSc is not available.

    Rows are sorted and, of a symmetric matrix, start with their diagonal; `block` consecutive unknowns form a node,
    which is what gets ordered. `kind` is "pardiso", "pardiso-single" (factors in single precision, answers refined to
    double), "superlu", "multigrid" (GMRES with multigrid cycles, and where it stagnates the direct solver that "auto"
    takes; that one, too, for matrices that are not symmetric), "petsc" (MUMPS on all ranks of MPI), "petsc-iterative"
    (GMRES with incomplete factors of node blocks), or "auto": multigrid on a mesh of `dim` dimensions with so many
    unknowns that it is faster (MULTIGRID_FROM), else PARDISO if MKL can be loaded, with single precision from 20 000
    unknowns on (where `single` allows that), else SuperLU. The choice is logged (logger "usadelfem", level DEBUG).
    `dtype` is float64 or complex128; up to `slots` factors are kept at a time; `coarse` makes a
    prolongation (nodes, coarse nodes) for multigrid. Raises ValueError for anything else and ImportError if MKL is
    missing.
    """
    if kind == "auto":
        kind = default_of("linear_solver", kind)
    if kind not in SOLVERS:
        raise ValueError(f"unknown linear solver {kind!r}: choose one of {', '.join(map(repr, SOLVERS))}")
    number = np.dtype(dtype)
    if number not in (np.dtype(np.float64), np.dtype(np.complex128)):
        raise ValueError(f"dtype {number} is not supported: choose float64 or complex128")
    pointers, columns = _checked_pattern(indptr, indices, block, symmetric)
    if kind.startswith("petsc"):
        if not symmetric:
            raise ValueError(
                f"linear solver {kind!r} is for symmetric matrices; choose 'auto', 'pardiso' or 'superlu'"
            )
        own = PetscBackend(pointers, columns, block, number, slots, iterative=kind == "petsc-iterative")
        return _logged(CheckedSolver(own, pointers, columns, number), kind)
    pattern = pointers, columns
    mkl = pardiso.find_mkl() if kind != "superlu" else None
    backends: list[Callable[[], Backend]] = []
    large = pointers.size > MULTIGRID_FROM.get(dim, np.inf)
    if symmetric and (kind == "multigrid" or (kind == "auto" and large)):
        backends.append(partial(MultigridBackend, *pattern, block, number, coarse))
    free = kind in ("auto", "multigrid")
    if mkl is not None:
        if kind == "pardiso-single" or (free and single and pointers.size > _SINGLE_FROM):
            backends.append(partial(PardisoBackend, mkl, *pattern, HALVES[number], slots, symmetric=symmetric))
        backends.append(partial(PardisoBackend, mkl, *pattern, number, slots, symmetric=symmetric))
    elif kind.startswith("pardiso"):
        raise ImportError(
            f"linear solver {kind!r} needs the MKL library libmkl_rt with 32-bit integers, which was not found:"
            " run `pip install mkl` (Linux and Windows on x86-64), unset MKL_INTERFACE_LAYER, or choose 'superlu'"
        )
    if free or kind == "superlu":
        backends.append(partial(SuperLUBackend, *pattern, block, number, symmetric=symmetric))
    return _logged(CheckedSolver(backends[0](), *pattern, number, backends[1:], symmetric=symmetric), kind)


def _logged(solver: CheckedSolver, kind: str) -> CheckedSolver:
    logger.debug(
        "linear solver %s (asked for: %s) for %d unknowns of type %s", solver.name, kind, solver.size, solver.dtype
    )
    return solver


def _checked_pattern(
    indptr: npt.NDArray[Any], indices: npt.NDArray[Any], block: int, symmetric: bool
) -> tuple[Indices, Indices]:  # fmt: skip
    """The pattern as contiguous int32 arrays; ValueError names the first rule that it breaks."""
    size, limit = indptr.size - 1, np.iinfo(np.int32).max
    if block < 1 or size < 1 or size % block:
        raise ValueError(f"the number of rows {size} must be a positive multiple of block = {block}")
    if indptr[0] != 0 or indptr[-1] != indices.size or indices.size > limit:
        raise ValueError(f"indptr must go from 0 to the number of indices {indices.size}, at most {limit}")
    empty = bool(np.any(np.diff(indptr) < 1))
    if empty and not symmetric:
        raise ValueError("every row needs an entry: the matrix is singular")
    if symmetric and (empty or np.any(indices[indptr[:-1]] != np.arange(size))):
        raise ValueError("every row of the upper triangle must start with its diagonal entry: store zeros there too")
    descents = np.flatnonzero(np.diff(indices) <= 0) + 1
    if not np.isin(descents, indptr).all() or indices.max() >= size:
        raise ValueError(f"the indices of each row must increase and stay below the number of rows {size}")
    return np.ascontiguousarray(indptr, dtype=np.int32), np.ascontiguousarray(indices, dtype=np.int32)
