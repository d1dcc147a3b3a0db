"""Direct solution of sparse symmetric systems (real indefinite or complex symmetric) with one pattern.

The matrix is given as its upper triangle in CSR; its pattern is analysed once and its values change.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numpy.linalg import LinAlgError

from usadelfem.solve import pardiso
from usadelfem.solve.pardiso import Indices, Numbers, PardisoBackend
from usadelfem.solve.petsc import PetscBackend
from usadelfem.solve.superlu import SuperLUBackend

Backend = PardisoBackend | SuperLUBackend | PetscBackend

logger = logging.getLogger("usadelfem")

_KINDS = ("auto", "pardiso", "pardiso-single", "superlu", "petsc", "petsc-iterative")
_REFINE_ABOVE = 1e-9
_FAIL_ABOVE = 1e-6
_MAX_REFINEMENTS = 3
# Factors in single precision halve time and memory of large systems; small ones gain nothing.
_SINGLE_FROM = 20_000
# Relative residual of one solution with single precision above which a matrix is too ill-conditioned for it.
_SINGLE_FAILS = 0.03
_HALVES: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.float64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.complex64),
}


class Factor(Protocol):
    """The factorised matrix of one `LinearSolver.factorize`."""

    @property
    def fresh(self) -> bool:
        """Whether its slot still holds it."""
        ...

    def solve(self, rhs: Numbers, *, checked: bool = True, accuracy: float = _REFINE_ABOVE) -> Numbers:
        """Solve for `rhs`, shape (n,) or (n, k); the answer has that shape and a checked residual.

        It is refined to a relative residual of `accuracy`. With `checked=False` one bare solution, for callers that see
        from elsewhere whether it was good.

        Raises ValueError (shape), TypeError (complex `rhs` of a real matrix), RuntimeError (the solver
        has factorised another matrix in the same slot or was released since) and numpy.linalg.LinAlgError (non-finite
        `rhs`, or relative residual above 1e-6 after refinement: the matrix is singular to working precision).
        """
        ...


class LinearSolver(Protocol):
    """Factorises symmetric matrices of one pattern; holds one factor in each of its slots."""

    @property
    def name(self) -> str:
        """The back end: "pardiso", "pardiso-single" or "superlu"."""
        ...

    @property
    def factor_bytes(self) -> int:
        """Memory of one factor, 0 before the first."""
        ...

    def factorize(self, values: Numbers, slot: int = 0) -> Factor:
        """Factorise the matrix with these upper-triangle `values` (copied); the slot's last factor becomes stale.

        Raises ValueError (number or type of values) and numpy.linalg.LinAlgError (singular or non-finite).
        """
        ...

    def release(self) -> None:
        """Free the memory of the factor; `factorize` may be called again."""
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
) -> LinearSolver:
    """Make a solver for the symmetric pattern whose upper triangle has this `indptr` (n + 1) and `indices`.

    Rows are sorted and start with their diagonal; `block` consecutive unknowns form a node, which is what
    gets ordered. `kind` is "pardiso", "pardiso-single" (factors in single precision, answers refined to double),
    "superlu", "petsc" (MUMPS on all ranks of MPI), "petsc-iterative" (GMRES with incomplete factors of node blocks),
    or "auto": PARDISO if MKL can be loaded, with single precision from 20 000 unknowns on, else SuperLU. The choice
    is logged (logger "usadelfem", level DEBUG). `dtype` is float64 or complex128; up to `slots` factors are kept at a
    time. Raises ValueError for anything else and ImportError if MKL is missing.
    """
    if kind not in _KINDS:
        raise ValueError(f"unknown linear solver {kind!r}: choose one of {', '.join(map(repr, _KINDS))}")
    number = np.dtype(dtype)
    if number not in (np.dtype(np.float64), np.dtype(np.complex128)):
        raise ValueError(f"dtype {number} is not supported: choose float64 or complex128")
    pointers, columns = _checked_pattern(indptr, indices, block)
    if kind.startswith("petsc"):
        own = PetscBackend(pointers, columns, block, number, slots, iterative=kind == "petsc-iterative")
        return _logged(_Solver(own, pointers, columns, number), kind)
    mkl = pardiso.find_mkl() if kind != "superlu" else None
    if mkl is not None:
        single = kind == "pardiso-single" or (kind == "auto" and pointers.size > _SINGLE_FROM)
        backend = PardisoBackend(mkl, pointers, columns, _HALVES[number] if single else number, slots)
        exact = partial(PardisoBackend, mkl, pointers, columns, number, slots) if single else None
        return _logged(_Solver(backend, pointers, columns, number, exact), kind)
    if kind.startswith("pardiso"):
        raise ImportError(
            f"linear solver {kind!r} needs the MKL library libmkl_rt with 32-bit integers, which was not found:"
            " run `pip install mkl` (Linux and Windows on x86-64), unset MKL_INTERFACE_LAYER, or choose 'superlu'"
        )
    return _logged(_Solver(SuperLUBackend(pointers, columns, block, number), pointers, columns, number), kind)


def _logged(solver: "_Solver", kind: str) -> "_Solver":
    logger.debug(
        "linear solver %s (asked for: %s) for %d unknowns of type %s", solver.name, kind, solver.size, solver.dtype
    )
    return solver


def _checked_pattern(indptr: npt.NDArray[Any], indices: npt.NDArray[Any], block: int) -> tuple[Indices, Indices]:
    """The pattern as contiguous int32 arrays; ValueError names the first rule that it breaks."""
    size, limit = indptr.size - 1, np.iinfo(np.int32).max
    if block < 1 or size < 1 or size % block:
        raise ValueError(f"the number of rows {size} must be a positive multiple of block = {block}")
    if indptr[0] != 0 or indptr[-1] != indices.size or indices.size > limit:
        raise ValueError(f"indptr must go from 0 to the number of indices {indices.size}, at most {limit}")
    if np.any(np.diff(indptr) < 1) or np.any(indices[indptr[:-1]] != np.arange(size)):
        raise ValueError("every row of the upper triangle must start with its diagonal entry: store zeros there too")
    descents = np.flatnonzero(np.diff(indices) <= 0) + 1
    if not np.isin(descents, indptr).all() or indices.max() >= size:
        raise ValueError(f"the indices of each row must increase and stay below the number of rows {size}")
    return np.ascontiguousarray(indptr, dtype=np.int32), np.ascontiguousarray(indices, dtype=np.int32)


@final
class _Solver:
    """Adds checks, staleness and iterative refinement to a back end."""

    def __init__(
        self, backend: Backend, indptr: Indices, indices: Indices, dtype: np.dtype[Any],
        exact: Callable[[], Backend] | None = None,
    ) -> None:  # fmt: skip
        self.backend = backend
        self._exact = exact
        self.versions: dict[int, int] = {}
        self._upper: dict[int, sp.csr_matrix] = {}
        self._indptr, self._indices, self.dtype = indptr, indices, dtype
        self.size = indptr.size - 1

    @property
    def name(self) -> str:
        return self.backend.name if self._exact is None else f"{self.backend.name}-single"

    @property
    def factor_bytes(self) -> int:
        return self.backend.factor_bytes

    def factorize(self, values: Numbers, slot: int = 0) -> Factor:
        self.versions[slot] = self.versions.get(slot, 0) + 1
        if values.shape != self._indices.shape or not np.can_cast(values.dtype, self.dtype):
            raise ValueError(
                f"values of shape {values.shape} and type {values.dtype} do not fit the pattern:"
                f" give {self._indices.shape} of {self.dtype}"
            )
        bad = values.size - np.count_nonzero(np.isfinite(values))
        if bad:
            raise LinAlgError(f"the matrix has {bad} entries that are not finite: check the state it was made from")
        if slot not in self._upper:
            data = np.empty(self._indices.size, self.dtype)
            self._upper[slot] = sp.csr_matrix((data, self._indices, self._indptr), shape=(self.size, self.size))
        target = self._upper[slot].data
        np.copyto(target, values)
        self._fill(slot)
        return _Factor(self, slot, self.versions[slot])

    def _fill(self, slot: int) -> None:
        values = self._upper[slot].data
        if self._exact is None:
            self.backend.factorize(values, slot)
            return
        try:
            with np.errstate(over="raise"):
                self.backend.factorize(values.astype(_HALVES[self.dtype]), slot)
        except (LinAlgError, FloatingPointError):
            self.promote()

    def promote(self) -> bool:
        """Go over to double precision for good and factorise all slots anew; False if it is double already."""
        if self._exact is None:
            return False
        logger.debug("single precision is not enough for this matrix: double from here on")
        self.backend.release()
        self.backend, self._exact = self._exact(), None
        for slot, version in self.versions.items():
            if slot in self._upper:
                try:
                    self._fill(slot)
                except LinAlgError:
                    self.versions[slot] = version + 1
                    raise
        return True

    def release(self) -> None:
        self.versions = {slot: version + 1 for slot, version in self.versions.items()}
        self._upper = {}
        self.backend.release()

    def bare(self, rhs: Numbers, slot: int) -> Numbers:
        """One solution without a check, in the precision of the factors."""
        if self._exact is None:
            return self.backend.solve(rhs, slot)
        size = np.abs(rhs).max(axis=0, initial=0.0)
        size[size == 0] = 1.0  # keeps small right-hand sides away from the smallest single number
        return np.asarray(self.backend.solve(rhs / size, slot).astype(self.dtype) * size)

    def product(self, vectors: Numbers, slot: int) -> Numbers:
        """The matrix times `vectors`, shape (n, k)."""
        upper = self._upper[slot]
        diagonal = upper.data[upper.indptr[:-1], None]
        result: Numbers = upper @ vectors + upper.T @ vectors - diagonal * vectors
        return result


@final
class _Factor:
    """The current factor in a slot of a `_Solver`."""

    def __init__(self, solver: _Solver, slot: int, version: int) -> None:
        self._solver = solver
        self._slot = slot
        self._version = version

    @property
    def fresh(self) -> bool:
        return self._version == self._solver.versions[self._slot]

    def solve(self, rhs: Numbers, *, checked: bool = True, accuracy: float = _REFINE_ABOVE) -> Numbers:
        if not self.fresh:
            raise RuntimeError(
                "this factor is stale: its solver has factorised another matrix or was released; call factorize again"
            )
        right = self._checked(np.asarray(rhs))
        columns = right.reshape(right.shape[0], -1)
        solution = self._refined(columns, accuracy) if checked else self._solver.bare(columns, self._slot)
        return solution.reshape(right.shape)

    def _checked(self, rhs: Numbers) -> Numbers:
        size, dtype = self._solver.size, self._solver.dtype
        if rhs.ndim not in (1, 2) or rhs.shape[0] != size or rhs.size == 0:
            raise ValueError(f"right-hand side of shape {rhs.shape}: give ({size},) or ({size}, k) with k > 0")
        if not np.can_cast(rhs.dtype, dtype):
            raise TypeError(f"right-hand side of type {rhs.dtype} for a matrix of {dtype}: solve its parts one by one")
        if not np.isfinite(rhs).all():
            raise LinAlgError("the right-hand side is not finite: check the state it was made from")
        return rhs.astype(dtype, copy=False)

    @np.errstate(over="ignore", invalid="ignore")
    def _refined(self, rhs: Numbers, accuracy: float) -> Numbers:
        """Solve with up to three steps of iterative refinement, kept only while they help."""
        scale = np.linalg.norm(rhs, axis=0)
        scale[scale == 0] = 1
        best, answer, residual, worst = np.inf, np.zeros_like(rhs), rhs, 1.0
        for step in range(_MAX_REFINEMENTS + 1):
            trial = answer + self._solver.bare(residual, self._slot)
            residual = rhs - self._solver.product(trial, self._slot)
            worst = float(np.max(np.linalg.norm(residual, axis=0) / scale, initial=0))
            if (step == 0 and not worst < _SINGLE_FAILS) and self._solver.promote():
                return self._refined(rhs, accuracy)
            if not worst < best:
                break
            best, answer = worst, trial
            if best < accuracy:
                break
        if not best < max(_FAIL_ABOVE, accuracy):
            if self._solver.promote():
                return self._refined(rhs, accuracy)
            note = self._solver.backend.note
            raise LinAlgError(f"the matrix is singular or nearly so: relative residual {worst:.1e} ({note})")
        return answer
