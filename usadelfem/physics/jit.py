"""Compilation of the kernels: one decorator, one on-disk cache, one notice to the user.

Numba invalidates a cached kernel only when the file of the *outermost* function changes, not when a formula that it
calls changes in another file. The cache therefore lies in a folder named by a hash of all kernel sources, so that an
edited formula can never be served by a stale binary.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger("usadelfem")

Function = TypeVar("Function", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
# FMA contraction and re-association only: NaN and infinity keep their meaning, so a diverging iterate is seen.
# Without reference counts (_nrt): views of arrays would each cost two atomic operations, more than the physics at a
# point. Compiled code can therefore not allocate; the caller brings the space that it needs.
_OPTIONS: dict[str, Any] = {
    "fastmath": {"contract", "reassoc", "nsz", "arcp"}, "error_model": "numpy", "_nrt": False,
}  # fmt: skip


def _source_hash() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(_ROOT.glob("*/*.py")):
        text = source.read_bytes()
        if b"jit import" in text:  # every module with a formula or a kernel imports the decorator
            digest.update(text)
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    """The first folder that can be written: the user's choice, next to the sources, the user's cache, temporary."""
    home = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    user, chosen = Path(home) / "usadelfem", os.environ.get("NUMBA_CACHE_DIR")
    name = f"kernels-{_source_hash()}"
    for base in (*([Path(chosen)] if chosen else []), _ROOT / "__pycache__", user, Path(tempfile.gettempdir())):
        folder = base / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise OSError("no folder for compiled kernels can be written; set NUMBA_CACHE_DIR to one that can")


_CACHE = _cache_folder()


def formula(function: Function) -> Function:
    """Compile a formula that kernels call; it is built into the kernel that uses it."""
    compiled: Function = numba.njit(function, **_OPTIONS)
    return compiled


def inlined(function: Function) -> Function:
    """A formula with many array arguments, whose call would cost as much as its arithmetic: always built in."""
    compiled: Function = numba.njit(function, **_OPTIONS, forceinline=True)
    return compiled


def kernel(function: Function) -> Function:
    """Compile a loop over quadrature points or elements and keep the binary on disk for the next process."""
    config: Any = numba.config
    previous, config.CACHE_DIR = config.CACHE_DIR, str(_CACHE)
    try:
        compiled: Function = numba.njit(function, **_OPTIONS, cache=True, nogil=True)
    finally:
        config.CACHE_DIR = previous
    return compiled


def readonly(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Contiguous read-only views, for all inputs of a kernel: Numba compiles it anew for every mix of the two kinds."""
    views = tuple(np.ascontiguousarray(array).view() for array in arrays)
    for view in views:
        view.flags.writeable = False
    return views


def announce_compilation(compiled: Any) -> None:
    """Say once, before the first solve on this machine, that a kernel is going to be compiled.

    Parameters
    ----------
    compiled
        A function decorated with `kernel` that is about to be called.
    """
    if compiled.signatures or any(Path(compiled.stats.cache_path).glob(f"*{compiled.__name__}-*.nbi")):
        return
    logger.warning(
        "usadelfem: compiling kernels for this machine (half a minute for each kind of equation and spin structure "
        "that is new; kept in %s)",
        _CACHE,
    )
