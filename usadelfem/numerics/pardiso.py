"""MKL PARDISO through ctypes: LDLT of a sparse symmetric matrix stored as its upper triangle, LU of any other."""

import ctypes
import ctypes.util
import os
import site
import sys
import weakref
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

Numbers = npt.NDArray[Any]
Indices = npt.NDArray[np.int32]

_LIBRARY_PATTERNS = ("lib/libmkl_rt.so*", "lib/libmkl_rt*.dylib", "Library/bin/mkl_rt*.dll")
_SEQUENTIAL_LAYER = 1
_ANALYSE, _FACTORIZE, _SOLVE, _FORGET, _RELEASE = 11, 22, 33, 0, -1
# By type of number and symmetry: real symmetric indefinite, complex symmetric, real and complex of any structure.
_MATRIX_TYPES = {("f", True): -2, ("c", True): 6, ("f", False): 11, ("c", False): 13}
_TRANSPOSED = 11  # setting: 2 solves with the transposed matrix
_SINGLE = 27  # setting: 1 for single precision
_SETTINGS = {
    0: 1,  # these values, not PARDISO's defaults
    1: 2,  # METIS ordering
    9: 8,  # perturb pivots below 1e-8 of the norm: the caller checks the residual
    17: -1,  # report the number of entries of the factors
    20: 1,  # Bunch-Kaufman pivots: without them a zero diagonal is perturbed
    34: 1,  # indices from zero
}
_ERRORS = {
    -1: "inconsistent input",
    -2: "not enough memory",
    -3: "reordering problem",
    -4: "zero pivot: the matrix is singular or nearly so",
    -5: "unclassified internal error",
    -6: "reordering failed",
    -7: "singular diagonal matrix",
    -8: "32-bit integer overflow: the factor is too large",
    -9: "not enough memory for out-of-core data",
    -10: "cannot open out-of-core files",
    -11: "read or write error of out-of-core files",
}


@final
class MKL:
    """The loaded library ``libmkl_rt`` and the number of threads that PARDISO gets from it."""

    def __init__(self, library: ctypes.CDLL, *, threads: int) -> None:
        self._library = library
        self._threads = threads

    def pardiso(self, *arguments: Any) -> None:
        """Call ``pardiso`` with this object's number of threads; the caller's MKL setting is restored after."""
        before = self._library.MKL_Set_Num_Threads_Local(ctypes.c_int(self._threads))
        try:
            self._library.pardiso(*arguments)
        finally:
            self._library.MKL_Set_Num_Threads_Local(ctypes.c_int(before))


@cache
def find_mkl() -> MKL | None:
    """Load MKL from this Python's folders or the system's; None where there is none with 32-bit integers."""
    if "ILP64" in os.environ.get("MKL_INTERFACE_LAYER", "").upper():
        return None
    for path in _candidates():
        shared = _is_loaded(path)
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        if hasattr(library, "pardiso") and hasattr(library, "MKL_Set_Num_Threads_Local"):
            return MKL(library, threads=_choose_threads(library, shared))
    return None


def _candidates() -> Iterator[str]:
    for prefix in (sys.prefix, site.getuserbase()):
        for pattern in _LIBRARY_PATTERNS:
            yield from map(str, sorted(Path(prefix).glob(pattern), reverse=True))
    found = ctypes.util.find_library("mkl_rt")
    if found:
        yield found


def _is_loaded(path: str) -> bool:
    """Whether the process uses this library already, as NumPy of some distributions does."""
    mode = getattr(os, "RTLD_NOLOAD", None)
    if mode is None:
        return False
    try:
        ctypes.CDLL(path, mode=mode)
    except OSError:
        return False
    return True


def _choose_threads(library: ctypes.CDLL, shared: bool) -> int:
    """MKL_NUM_THREADS if the user set it, else 1 and no OpenMP runtime next to those of other packages."""
    wish = os.environ.get("MKL_NUM_THREADS", "")
    threads = max(int(wish), 1) if wish.isdigit() else 1
    if threads == 1 and not shared and "MKL_THREADING_LAYER" not in os.environ:
        library.MKL_Set_Threading_Layer(ctypes.c_int(_SEQUENTIAL_LAYER))
    return threads


@final
class PardisoBackend:
    """Factors of matrices of one pattern: `indptr`, `indices` (int32) of the upper triangle, or of all, rows sorted.

    `dtype` is float64, complex128 or one of their halves, for factors in single precision.
    Up to `slots` factors are kept at a time; the pattern is analysed once for all of them.
    """

    name = "pardiso"

    def __init__(
        self, mkl: MKL, indptr: Indices, indices: Indices, dtype: np.dtype[Any], slots: int = 1, *,
        symmetric: bool = True,
    ) -> None:  # fmt: skip
        self._mkl = mkl
        self.dtype = dtype
        self._handle = np.zeros(64, dtype=np.int64)
        self._settings = np.zeros(64, dtype=np.int32)
        for position, value in _SETTINGS.items():
            self._settings[position] = value
        self._settings[_SINGLE] = dtype in (np.dtype(np.float32), np.dtype(np.complex64))
        self._values: dict[int, Numbers] = {}
        kept = (self._handle, self._settings, indptr, indices)
        self._pointers = tuple(_pointer(array) for array in kept)
        fixed = (slots, _MATRIX_TYPES[dtype.kind, symmetric], indptr.size - 1, 0)
        self._integers = tuple(ctypes.byref(ctypes.c_int(i)) for i in fixed)
        self._finalizer: weakref.finalize[..., Any] | None = None

    @property
    def note(self) -> str:
        """What PARDISO had to do to the last matrix, for error messages."""
        return f"PARDISO perturbed {self._settings[13]} pivots"

    @property
    def factor_bytes(self) -> int:
        """Memory of one factor, 0 before the first."""
        return max(int(self._settings[17]), 0) * self.dtype.itemsize

    def factorize(self, values: Numbers, slot: int) -> None:
        """Factorise; `values` is kept, not copied. Raises LinAlgError with PARDISO's error."""
        self._values[slot] = values
        if self._finalizer is None:
            arguments = self._arguments(_RELEASE, slot, None, None)
            self._finalizer = weakref.finalize(self, self._mkl.pardiso, *arguments)
            self._finalizer.atexit = False  # an interrupted factorisation may still be running
            self._analyse(slot)
        self._call(_FACTORIZE, "factorisation", slot)

    def _analyse(self, slot: int) -> None:
        try:
            self._call(_ANALYSE, "analysis", slot)
        except LinAlgError:
            self.release()
            raise

    def solve(self, rhs: Numbers, slot: int, *, transposed: bool = False) -> Numbers:
        """Solve for `rhs` of shape (n, k) and return that shape. Raises LinAlgError with PARDISO's error."""
        right = np.array(rhs, dtype=self.dtype, order="F")
        solution = np.empty_like(right, order="F")
        self._settings[_TRANSPOSED] = 2 * transposed
        self._call(_SOLVE, "solution", slot, right, solution)
        self._settings[_TRANSPOSED] = 0
        return solution

    def release(self) -> None:
        """Free PARDISO's memory; the next `factorize` analyses the pattern again."""
        if self._finalizer is not None:
            self._finalizer()
            self._finalizer = None
            self._handle[:] = 0
            self._values = {}

    def rest(self) -> bool:
        """Free all factors and keep the analysis of the pattern; False if there is none."""
        if self._finalizer is None:
            return False
        for slot in self._values:
            self._call(_FORGET, "release of factors", slot)
        return True

    def _call(
        self, phase: int, what: str, slot: int, rhs: Numbers | None = None, solution: Numbers | None = None
    ) -> None:  # fmt: skip
        arguments = self._arguments(phase, slot, rhs, solution)
        self._mkl.pardiso(*arguments)
        code = arguments[-1].contents.value
        if code:
            reason = _ERRORS.get(code, "unknown error")
            raise LinAlgError(f"PARDISO {what} failed with error {code}: {reason}")

    def _arguments(self, phase: int, slot: int, rhs: Numbers | None, solution: Numbers | None) -> tuple[Any, ...]:
        """The seventeen arguments of `pardiso`; arrays as ctypes pointers, which keep their arrays alive."""
        columns = 1 if rhs is None else rhs.shape[1]
        handle, settings, indptr, indices = self._pointers
        slots, matrix_type, size, message = self._integers
        number, what, count = (ctypes.byref(ctypes.c_int(i)) for i in (slot + 1, phase, columns))
        pattern = (_pointer(self._values[slot]), indptr, indices, None)
        vectors = (_pointer(rhs), _pointer(solution), ctypes.pointer(ctypes.c_int(0)))
        return (handle, slots, number, matrix_type, what, size, *pattern, count, settings, message, *vectors)


def _pointer(array: Numbers | None) -> ctypes.c_void_p | None:
    return None if array is None else array.ctypes.data_as(ctypes.c_void_p)
