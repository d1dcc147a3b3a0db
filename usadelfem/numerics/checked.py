"""A back end for sparse systems with scaling, checks, refinement, and others to go over to where it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, final

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from ..parallel.interrupt import interruptible
from .equilibrate import ScaledMatrix
from .multigrid import ROUGH, MultigridBackend
from .pardiso import Indices, Numbers, PardisoBackend
from .petsc import PetscBackend
from .superlu import SuperLUBackend

_RESTING = PardisoBackend, MultigridBackend
Backend = PardisoBackend | SuperLUBackend | PetscBackend | MultigridBackend

logger = logging.getLogger("usadelfem")

REFINE_ABOVE = 1e-9
_FAIL_ABOVE = 1e-6
_MAX_REFINEMENTS = 3
# An ill-conditioned matrix may leave a larger residual than that, if it is below this part of the terms it is a sum of;
# where these are larger than the right-hand side by the other factor, the matrix is singular.
_BACKWARD, _SINGULAR = 1e-13, 1e13
# Unknowns from which on a factorisation takes long enough to be interrupted.
_LONG = 10_000
# Relative residual of one solution with single precision above which a matrix is too ill-conditioned for it.
_SINGLE_FAILS = 0.03
# How often an iteration that has stagnated is tried again with the next matrix, if no other one is kept.
RETRIES = 2
HALVES: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.float64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.complex64),
}


@final
class CheckedSolver:
    """Adds scaling, checks, staleness, iterative refinement and other back ends where one fails.

    `others` make the back ends to go over to where a factor is not good enough, in this order.
    """

    def __init__(
        self, backend: Backend, indptr: Indices, indices: Indices, dtype: np.dtype[Any],
        others: Sequence[Callable[[], Backend]] = (), *, symmetric: bool = True,
    ) -> None:  # fmt: skip
        self.backend = self._first = backend
        self._others = self._spare = list(others)
        self._told: set[str] = set()
        self._busy = False
        self._retries = RETRIES if isinstance(backend, MultigridBackend) else 0
        self.versions: dict[int, int] = {}
        self.matrices: dict[int, ScaledMatrix] = {}
        self.symmetric = symmetric
        self._indptr, self._indices, self.dtype = indptr, indices, dtype
        self.size = indptr.size - 1

    @property
    def name(self) -> str:
        """As `LinearSolver.name`."""
        return f"{self.backend.name}-single" if self.single else self.backend.name

    @property
    def single(self) -> bool:
        """Whether the factors are in single precision and answers in double."""
        return isinstance(self.backend, PardisoBackend) and self.backend.dtype != self.dtype

    @property
    def factor_bytes(self) -> int:
        """As `LinearSolver.factor_bytes`."""
        return self.backend.factor_bytes

    def factorize(self, values: Numbers, slot: int = 0) -> CheckedFactor:
        """As `LinearSolver.factorize`."""
        self.versions[slot] = self.versions.get(slot, 0) + 1
        if values.shape != self._indices.shape or not np.can_cast(values.dtype, self.dtype):
            raise ValueError(
                f"values of shape {values.shape} and type {values.dtype} do not fit the pattern:"
                f" give {self._indices.shape} of {self.dtype}"
            )
        bad = values.size - np.count_nonzero(np.isfinite(values))
        if bad:
            raise LinAlgError(f"the matrix has {bad} entries that are not finite: check the state it was made from")
        if self._retries and self.backend is not self._first and not {*self.matrices} - {slot}:
            self._return()
        if slot not in self.matrices:
            self.matrices[slot] = ScaledMatrix(self._indptr, self._indices, self.dtype, symmetric=self.symmetric)
        self.matrices[slot].fill(values)
        try:
            self._fill(slot)
        except LinAlgError as error:
            if not self.promote(str(error)):
                raise
        return CheckedFactor(self, slot, self.versions[slot])

    def _fill(self, slot: int) -> None:
        """Factorise the scaled matrix of a slot with the present back end."""
        values = self.matrices[slot].stored.data
        if isinstance(self.backend, MultigridBackend):
            work = partial(self.backend.factorize, values, slot, self.matrices[slot].left)
        else:
            given = values.astype(HALVES[self.dtype]) if self.single else values
            work = partial(self.backend.factorize, given, slot)
        if self.size < _LONG:
            work()
            return
        self._busy = True
        try:
            interruptible(work)
        except LinAlgError:  # it has ended, unlike one that was interrupted
            self._busy = False
            raise
        self._busy = False

    def promote(self, why: str) -> bool:
        """Go over to the next back end for good and factorise all slots anew; False if there is none that works.

        Where none works the matrix is singular, and the present back end stays for the next one.
        """
        failed, others = self.backend, self._others
        while others:
            self.backend, others = others[0](), others[1:]
            try:
                for slot in self.matrices:
                    self._fill(slot)
            except LinAlgError as error:
                why = str(error)
                self.backend.release()
                continue
            new = self.backend.name not in (failed.name, *self._told)
            self._told.add(self.backend.name)
            logger.log(
                logging.WARNING if new else logging.DEBUG, "usadelfem: linear solver %r %s (%s)", self.backend.name,
                "for this matrix" if self._retries else "from here on", why,
            )  # fmt: skip
            failed.release()
            self._others = others
            return True
        self.backend = failed
        if not self._others and self.backend is not self._first:  # all have failed: the matrix is singular
            self.release()
            self.backend, self._others = self._first, self._spare
        return False

    def _return(self) -> None:
        """To the first back end, an iteration that has stagnated for another matrix."""
        self._retries -= 1
        self.backend.release()
        self.backend, self._others = self._first, self._spare

    def release(self) -> None:
        """As `LinearSolver.release`."""
        self.versions = {slot: version + 1 for slot, version in self.versions.items()}
        self.matrices = {}
        if not self._busy:  # else an interrupted factorisation still works on it, and frees it when it ends
            self.backend.release()

    def rest(self) -> bool:
        """As `LinearSolver.rest`."""
        if self._busy or self.backend is not self._first or not isinstance(self.backend, _RESTING):
            self.release()
            return False
        self.versions = {slot: version + 1 for slot, version in self.versions.items()}
        self.matrices = {}
        return self.backend.rest()

    def bare(
        self, rhs: Numbers, slot: int, *, transposed: bool = False, accuracy: float | None = None
    ) -> Numbers:  # fmt: skip
        """One solution with the scaled matrix, without a check, in the precision of the factors.

        An iteration goes to a relative residual of `accuracy`, by itself to one that is enough for a correction; where
        it stagnates, others take over.
        """
        if isinstance(self.backend, MultigridBackend):
            try:
                return self.backend.solve(rhs, slot, accuracy=ROUGH if accuracy is None else accuracy)
            except LinAlgError as error:
                if not self.promote(str(error)):
                    raise
        if not self.single:
            return self.backend.solve(rhs, slot, transposed=transposed)
        size = np.abs(rhs).max(axis=0, initial=0.0)
        size[size == 0] = 1.0  # keeps small right-hand sides away from the smallest single number
        return np.asarray(self.backend.solve(rhs / size, slot, transposed=transposed).astype(self.dtype) * size)


@final
class CheckedFactor:
    """The current factor in a slot of a `CheckedSolver`."""

    def __init__(self, solver: CheckedSolver, slot: int, version: int) -> None:
        self._solver = solver
        self._slot = slot
        self._version = version

    @property
    def fresh(self) -> bool:
        """As `Factor.fresh`."""
        return self._version == self._solver.versions[self._slot]

    def solve(
        self, rhs: Numbers, *, checked: bool = True, accuracy: float = REFINE_ABOVE, transposed: bool = False
    ) -> Numbers:  # fmt: skip
        """As `Factor.solve`."""
        if not self.fresh:
            raise RuntimeError(
                "this factor is stale: its solver has factorised another matrix or was released; call factorize again"
            )
        right = self._checked(np.asarray(rhs))
        before, after = self._matrix.left, self._matrix.right
        if transposed:
            before, after = after, before
        columns = before[:, None] * right.reshape(right.shape[0], -1)
        if checked:
            solution = self._refined(columns, accuracy, transposed)
        else:
            solution = self._solver.bare(columns, self._slot, transposed=transposed)
        return np.asarray((after[:, None] * solution).reshape(right.shape))

    @property
    def _matrix(self) -> ScaledMatrix:
        return self._solver.matrices[self._slot]

    def rounding(self, unknowns: Numbers) -> npt.NDArray[np.float64]:
        """As `Factor.rounding`."""
        own = self._matrix
        product = own.product(abs(unknowns / own.right)[:, None], moduli=True)[:, 0]
        return np.asarray(np.finfo(float).eps * product.real / own.left)

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
    def _refined(self, rhs: Numbers, accuracy: float, transposed: bool) -> Numbers:
        """Solve with up to three steps of iterative refinement, kept only while they help."""
        scale = np.linalg.norm(rhs, axis=0)
        scale[scale == 0] = 1
        best, answer, residual, worst = np.inf, np.zeros_like(rhs), rhs, 1.0
        for step in range(_MAX_REFINEMENTS + 1):
            trial = answer + self._solver.bare(residual, self._slot, transposed=transposed, accuracy=accuracy)
            residual = rhs - self._matrix.product(trial, transposed=transposed)
            worst = float(np.max(np.linalg.norm(residual, axis=0) / scale, initial=0))
            if step == 0 and self._solver.single and not worst < _SINGLE_FAILS and self._promoted(worst):
                return self._refined(rhs, accuracy, transposed)
            if not worst < best:
                break
            best, answer = worst, trial
            if best < accuracy:
                break
        if not best < max(_FAIL_ABOVE, accuracy) and not self._is_exact(rhs, answer, transposed):
            if self._promoted(worst):
                return self._refined(rhs, accuracy, transposed)
            note = self._solver.backend.note
            raise LinAlgError(f"the matrix is singular or nearly so: relative residual {worst:.1e} ({note})")
        return answer

    def _is_exact(self, rhs: Numbers, answer: Numbers, transposed: bool) -> bool:
        """Whether the residual is made of rounding errors only, and the matrix not singular to working precision."""
        if not np.isfinite(answer).all() or not answer.any():
            return False
        size = np.linalg.norm(self._matrix.product(abs(answer), moduli=True, transposed=transposed), axis=0)
        right = np.linalg.norm(rhs, axis=0)
        residual = np.linalg.norm(rhs - self._matrix.product(answer, transposed=transposed), axis=0)
        return bool((residual <= _BACKWARD * (size + right)).all() and (size <= _SINGULAR * right).all())

    def _promoted(self, residual: float) -> bool:
        solver = self._solver
        return solver.promote(f"{solver.name} left a relative residual of {residual:.1e} ({solver.backend.note})")
