"""Compilation of the kernels: one decorator, one on-disk cache, one notice to the user.

Numba invalidates a cached kernel only when the file of the *outermost* function changes, not when a formula that it
calls changes in another file. The cache therefore lies in a folder named by a hash of all kernel sources, so that an
edited formula can never be served by a stale binary. Files of the cache end in a checksum: one that a crash has left
incomplete is compiled again. A folder that cannot be written costs a warning and the time of the next process.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    NullCache,
    UserProvidedCacheLocator,
)
from numpy.typing import NDArray

from .linked import LINKED

logger = logging.getLogger("usadelfem")

Function = TypeVar("Function", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
# FMA contraction and re-association only: NaN and infinity keep their meaning, so a diverging iterate is seen.
# Without reference counts (_nrt): views of arrays would each cost two atomic operations, more than the physics at a
# point. Compiled code can therefore not allocate; the caller brings the space that it needs.
_OPTIONS: dict[str, Any] = {
    "fastmath": {"contract", "reassoc", "nsz", "arcp"}, "error_model": "numpy", "_nrt": False,
}  # fmt: skip


# What kernels are made of is called by compiled code only; the wrappers for Python and C cost as much as the formula.
_INNER: dict[str, Any] = {**_OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _source_hash(root: Path) -> str:
    """A hash of all that a kernel is made of: formulas, loops, and the records and constants that they read."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(root.glob("*/*.py")):
        text = source.read_bytes()
        if source.parent.name in ("compilation", "physics", "fem") or b"jit import" in text:
            digest.update(f"{source.relative_to(root)} {len(text)} ".encode())
            digest.update(text)
    return digest.hexdigest()[:16]


def _cache_folder() -> Path | None:
    """The first folder that can be written: the user's choice, next to the sources, the user's cache, temporary."""
    home = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    user, chosen = Path(home) / "usadelfem", os.environ.get("NUMBA_CACHE_DIR")
    name = f"kernels-{_source_hash(_ROOT)}"
    for base in (*([Path(chosen)] if chosen else []), _ROOT / "__pycache__", user, _temporary_folder()):
        if base is None:
            continue
        folder = base / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


def _temporary_folder() -> Path | None:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return None


_CACHE = _cache_folder()


def formula(function: Function) -> Function:
    """Compile a formula that kernels call; it is built into the kernel that uses it."""
    compiled: Function = numba.njit(function, **_INNER, **LINKED)
    return compiled


def inlined(function: Function) -> Function:
    """A formula with many array arguments, whose call would cost as much as its arithmetic: always built in."""
    compiled: Function = numba.njit(function, **_INNER, **LINKED, forceinline=True)
    return compiled


def kernel(what: str) -> Callable[[Function], Function]:
    """Compile a loop over quadrature points or elements and keep the binary on disk for the next process.

    Parameters
    ----------
    what
        What the user is told is being compiled.
    """

    def compile_later(function: Function) -> Function:
        compiled: Any = numba.njit(function, **_OPTIONS, nogil=True)
        compiled._cache = _cache_of(function, what)
        result: Function = compiled
        return result

    return compile_later


def _cache_of(function: Callable[..., Any], what: str) -> Any:
    config: Any = numba.config
    previous, config.CACHE_DIR = config.CACHE_DIR, str(_CACHE or "")
    try:
        return _KernelCache(function, what)
    except RuntimeError:  # no file can be made in the folder
        return _NoCache(what)
    finally:
        config.CACHE_DIR = previous


class _CheckedFile(IndexDataCacheFile):
    """Index and binaries of a function, each followed by its checksum; what does not fit it counts as not there."""

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BytesIO]:
        body = BytesIO()
        yield body
        data = body.getvalue()
        with super()._open_for_write(filepath) as file:
            file.write(data + hashlib.sha256(data).digest())

    def _load_index(self) -> Any:
        return super()._load_index() if _is_intact(self._index_path) else {}  # type: ignore[no-untyped-call]

    def _load_data(self, name: str) -> Any:
        if not _is_intact(self._data_path(name)):  # type: ignore[no-untyped-call]
            raise OSError(f"{name} is damaged")  # which counts as not there
        return super()._load_data(name)  # type: ignore[no-untyped-call]


def _is_intact(path: str) -> bool:
    try:
        data = Path(path).read_bytes()
    except OSError:
        return False
    return len(data) > 32 and hashlib.sha256(data[:-32]).digest() == data[-32:]


class _ByContent(UserProvidedCacheLocator):
    """A folder that is named after what the kernels are made of: wherever the package lies, they are the same."""

    def get_cache_path(self) -> str:
        return str((_CACHE or Path()) / Path(self._py_file).parent.name)

    def get_source_stamp(self) -> str:
        return _CACHE.name if _CACHE else ""


class _KernelImpl(CompileResultCacheImpl):
    # In no other folder, whose name would not tell of the sources.
    _locator_classes = [_ByContent]  # noqa: RUF012


class _KernelCache(FunctionCache):
    """The cache of a kernel; what cannot be kept is said once, and compiled again by the next process."""

    _impl_class = _KernelImpl

    def __init__(self, function: Callable[..., Any], what: str) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._what = what
        name, stamp = self._impl.filename_base, self._impl.locator.get_source_stamp()
        self._cache_file = _CheckedFile(self._cache_path, name, stamp)  # type: ignore[no-untyped-call]

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if found is None:
            _announce(self._what, sig, f"kept in {_CACHE}")
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except OSError as error:
            _warn_not_kept(error.strerror or str(error))


class _NoCache(NullCache):
    def __init__(self, what: str) -> None:
        self._what = what

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        _announce(self._what, sig, "not kept, no folder can be written")

    def save_overload(self, sig: Any, data: Any) -> None:
        _warn_not_kept("no file can be made there")


def kept_spins(function: Any) -> set[int]:
    """For how many numbers of a spin matrix a kernel is compiled already, on disk or in this process."""
    index = getattr(function._cache, "_cache_file", None)
    known = [key[0] for key in (index._load_index() if index is not None else ())]
    first = [(own.args if hasattr(own, "args") else own)[0] for own in (*known, *function.signatures)]
    return {len(like) for like in first if isinstance(like, numba.types.UniTuple)}


_not_kept: set[str] = set()


def _warn_not_kept(reason: str) -> None:
    if not _not_kept:
        _not_kept.add(reason)
        place = f"in the folder {str(_CACHE)!r}" if _CACHE else "in any folder"
        warnings.warn(
            f"compiled kernels cannot be kept {place} ({reason}): this calculation goes on, but every process compiles "
            "them anew. Make room there, or set the environment variable NUMBA_CACHE_DIR to a folder that has some",
            stacklevel=2,
        )


_WIDE: dict[str, type] = {"f": np.float64, "c": np.complex128, "i": np.int64, "u": np.int64}


def readonly(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Contiguous read-only views of 64-bit numbers, for all inputs of a kernel: Numba compiles one for every mix."""
    return tuple(map(_readonly, arrays))


def _readonly(array: NDArray[Any]) -> NDArray[Any]:
    flags, wide = array.flags, _WIDE.get(array.dtype.kind)
    if type(array) is np.ndarray and not flags.writeable and flags.c_contiguous and array.dtype == wide:
        return array
    view = np.ascontiguousarray(array, wide).view()
    view.flags.writeable = False
    return view


_announced: set[tuple[str, str]] = set()
_SPINS = {1: " without spin", 2: " for spins along one axis", 4: " for spins along all axes"}


def _announce(what: str, sig: Any, place: str) -> None:
    """Say once, before the first call that needs it on this machine, what is going to be compiled."""
    types = sig if isinstance(sig, tuple) else sig.args
    like: Any = types[0] if types else None
    known = isinstance(like, numba.types.UniTuple) and isinstance(like.dtype, numba.types.Complex)
    spins = _SPINS.get(len(like), "") if known else ""
    if (what, spins) in _announced:
        return
    _announced.add((what, spins))
    logger.warning("usadelfem: compiling %s%s (up to half a minute; %s)", what, spins, place)
