"""Direct solution of sparse symmetric systems (real indefinite or complex symmetric) with one pattern.

The matrix is given as its upper triangle in CSR; its pattern is analysed once and its values change.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numpy.linalg import LinAlgError

from . import pardiso
from .equilibrate import equilibrate
from .pardiso import Indices, Numbers, PardisoBackend
from .petsc import PetscBackend
from .superlu import SuperLUBackend

Backend = PardisoBackend | SuperLUBackend | PetscBackend

logger = logging.getLogger("usadelfem")

SOLVERS = ("auto", "pardiso", "pardiso-single", "superlu", "petsc", "petsc-iterative")
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

    def rounding(self, unknowns: Numbers) -> npt.NDArray[np.float64]:
        """Size of the rounding errors of the matrix times `unknowns` (n,): the machine epsilon times |A| |x|."""
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

        Rows and columns are scaled first. Where "auto" fails with one back end it goes on with the next; logged.

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
    if kind not in SOLVERS:
        raise ValueError(f"unknown linear solver {kind!r}: choose one of {', '.join(map(repr, SOLVERS))}")
    number = np.dtype(dtype)
    if number not in (np.dtype(np.float64), np.dtype(np.complex128)):
        raise ValueError(f"dtype {number} is not supported: choose float64 or complex128")
    pointers, columns = _checked_pattern(indptr, indices, block)
    if kind.startswith("petsc"):
        own = PetscBackend(pointers, columns, block, number, slots, iterative=kind == "petsc-iterative")
        return _logged(_Solver(own, pointers, columns, number), kind)
    mkl = pardiso.find_mkl() if kind != "superlu" else None
    backends: list[Callable[[], Backend]] = []
    if mkl is not None:
        if kind == "pardiso-single" or (kind == "auto" and pointers.size > _SINGLE_FROM):
            backends.append(partial(PardisoBackend, mkl, pointers, columns, _HALVES[number], slots))
        backends.append(partial(PardisoBackend, mkl, pointers, columns, number, slots))
    elif kind.startswith("pardiso"):
        raise ImportError(
            f"linear solver {kind!r} needs the MKL library libmkl_rt with 32-bit integers, which was not found:"
            " run `pip install mkl` (Linux and Windows on x86-64), unset MKL_INTERFACE_LAYER, or choose 'superlu'"
        )
    if kind in ("auto", "superlu"):
        backends.append(partial(SuperLUBackend, pointers, columns, block, number))
    return _logged(_Solver(backends[0](), pointers, columns, number, backends[1:]), kind)


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
    """Adds scaling, checks, staleness, iterative refinement and other back ends where one fails.

    `others` make the back ends to go over to where a factor is not good enough, in this order.
    """

    def __init__(
        self, backend: Backend, indptr: Indices, indices: Indices, dtype: np.dtype[Any],
        others: Sequence[Callable[[], Backend]] = (),
    ) -> None:  # fmt: skip
        self.backend = self._first = backend
        self._others = self._spare = list(others)
        self._told: set[str] = set()
        self.versions: dict[int, int] = {}
        self._upper: dict[int, sp.csr_matrix] = {}
        self.factors: dict[int, npt.NDArray[np.float64]] = {}
        self._indptr, self._indices, self.dtype = indptr, indices, dtype
        self.size = indptr.size - 1

    @property
    def name(self) -> str:
        return f"{self.backend.name}-single" if self.single else self.backend.name

    @property
    def single(self) -> bool:
        return isinstance(self.backend, PardisoBackend) and self.backend.dtype != self.dtype

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
        self.factors[slot] = equilibrate(self._indptr, self._indices, target)
        try:
            self._fill(slot)
        except LinAlgError as error:
            if not self.promote(str(error)):
                raise
        return _Factor(self, slot, self.versions[slot])

    def _fill(self, slot: int) -> None:
        """Factorise the scaled matrix of a slot with the present back end."""
        values = self._upper[slot].data
        self.backend.factorize(values.astype(_HALVES[self.dtype]) if self.single else values, slot)

    def promote(self, why: str) -> bool:
        """Go over to the next back end for good and factorise all slots anew; False if there is none that works.

        Where none works the matrix is singular, and the present back end stays for the next one.
        """
        failed, others = self.backend, self._others
        while others:
            self.backend, others = others[0](), others[1:]
            try:
                for slot in self._upper:
                    self._fill(slot)
            except LinAlgError as error:
                why = str(error)
                self.backend.release()
                continue
            new = self.backend.name not in (failed.name, *self._told)
            self._told.add(self.backend.name)
            logger.log(
                logging.WARNING if new else logging.DEBUG, "usadelfem: linear solver %r from here on (%s)",
                self.backend.name, why,
            )  # fmt: skip
            failed.release()
            self._others = others
            return True
        self.backend = failed
        if not self._others and self.backend is not self._first:  # all have failed: the matrix is singular
            self.release()
            self.backend, self._others = self._first, self._spare
        return False

    def release(self) -> None:
        self.versions = {slot: version + 1 for slot, version in self.versions.items()}
        self._upper, self.factors = {}, {}
        self.backend.release()

    def bare(self, rhs: Numbers, slot: int) -> Numbers:
        """One solution with the scaled matrix, without a check, in the precision of the factors."""
        if not self.single:
            return self.backend.solve(rhs, slot)
        size = np.abs(rhs).max(axis=0, initial=0.0)
        size[size == 0] = 1.0  # keeps small right-hand sides away from the smallest single number
        return np.asarray(self.backend.solve(rhs / size, slot).astype(self.dtype) * size)

    def product(self, vectors: Numbers, slot: int, *, moduli: bool = False) -> Numbers:
        """The scaled matrix, or that of the moduli of its entries, times `vectors`, shape (n, k)."""
        upper = abs(self._upper[slot]) if moduli else self._upper[slot]
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
        factors = self._solver.factors[self._slot][:, None]
        columns = factors * right.reshape(right.shape[0], -1)
        solution = self._refined(columns, accuracy) if checked else self._solver.bare(columns, self._slot)
        return np.asarray((factors * solution).reshape(right.shape))

    def rounding(self, unknowns: Numbers) -> npt.NDArray[np.float64]:
        factors = self._solver.factors[self._slot]
        product = self._solver.product(abs(unknowns / factors)[:, None], self._slot, moduli=True)[:, 0]
        return np.asarray(np.finfo(float).eps * product.real / factors)

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
            if step == 0 and self._solver.single and not worst < _SINGLE_FAILS and self._promoted(worst):
                return self._refined(rhs, accuracy)
            if not worst < best:
                break
            best, answer = worst, trial
            if best < accuracy:
                break
        if not best < max(_FAIL_ABOVE, accuracy):
            if self._promoted(worst):
                return self._refined(rhs, accuracy)
            note = self._solver.backend.note
            raise LinAlgError(f"the matrix is singular or nearly so: relative residual {worst:.1e} ({note})")
        return answer

    def _promoted(self, residual: float) -> bool:
        solver = self._solver
        return solver.promote(f"{solver.name} left a relative residual of {residual:.1e} ({solver.backend.note})")
