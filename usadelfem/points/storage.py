"""Where the states of all points are kept: in memory, or in a file that ends with the result."""

from __future__ import annotations

import os
import tempfile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ..defaults import default_of

Complex = NDArray[np.complex128]

PLACES = ("memory", "disk")


def new_states(shape: tuple[int, ...]) -> Complex:
    """Zeros for the states of points, where `options(states=...)` wants them.

    The file has no name and its room is reserved at once: a full disk is found here, not in the middle of a solve.

    Raises
    ------
    OSError
        If there is no room for them on the disk.
    """
    size = int(np.prod(shape)) * np.dtype(complex).itemsize
    if default_of("states", "memory") == "memory" or not size:
        return np.zeros(shape, complex)
    with tempfile.TemporaryFile(prefix="usadelfem-states-") as file:  # what is mapped lasts longer than its name
        try:
            _reserve(file, size)
        except OSError as error:
            raise OSError(
                error.errno,
                f"no room for {size / 1e9:.2g} GB of states in {tempfile.gettempdir()} ({error.strerror}). Set the "
                "environment variable TMPDIR to a folder on a larger disk, or take options(states='memory')",
            ) from error
        return np.asarray(np.memmap(file, complex, "r+", shape=shape))


def _reserve(file: IO[bytes], size: int) -> None:
    """Give a file its size, on the disk."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    block = bytes(2**20)
    for first in range(0, size, len(block)):
        file.write(block[: size - first])
    file.flush()
