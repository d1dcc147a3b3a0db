"""Results of a sweep in an HDF5 file that is whole at every moment.

HDF5 itself does not survive a kill in the middle of a write to its structure, nor a full disk. Here the structure is
made in memory, with the first result, and written under another name that becomes the file's when it is complete; all
arrays have their full size. A result is then written in place, as plain bytes at an offset that HDF5 has told, and
after it a mark with its checksum. Nothing else of the file changes, so that it can be opened at any time, and a point
whose mark does not fit counts as not computed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError, FileError
from .atomic import check_target, naming, write_whole
from .grid import Grid, Result, Table
from .hdf5 import image, opened
from .layout import differences, fill, mark, read_layout, write_layout
from .lock import FileLock

# Seconds between two waits for the disk; a killed process loses nothing without them, a machine without power does.
SYNC = 1.0


class Checkpoint:
    """The file of one sweep.

    Parameters
    ----------
    path
        File name ending in .h5, in a folder that exists.
    grid
        Points of the sweep.
    parts
        Fingerprint of the function.

    Attributes
    ----------
    table
        What was computed: results that were in the file, and those that are stored.

    Raises
    ------
    CheckpointError
        If the name does not end in .h5, another process uses the file, or it holds something else.
    FileNotFoundError
        If the folder does not exist.
    """

    def __init__(self, path: Path, grid: Grid, parts: dict[str, str]) -> None:
        if path.suffix != ".h5":
            raise CheckpointError(f"checkpoint is {str(path)!r}; the name must end in .h5")
        check_target(path, f"checkpoint {path.name!r}")
        self.path, self.grid, self.parts = path.resolve(), grid, parts
        self.table = Table(grid.size)
        self._file: Any = None
        self._offsets: dict[str, int] = {}
        self._synced = time.monotonic()
        with ExitStack() as held:
            self._lock(held)
            if path.exists():
                self._load()
            self._locks = held.pop_all()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def store(self, index: int, result: Result) -> None:
        """Enter a result into table and file; when this returns, a kill does not lose it."""
        if self.table.put(index, result):
            self._write_whole()
            return
        with naming(self.path):
            for name, array in self.table.arrays.items():
                self._write(self._offsets[f"={name}"], index, array[index])
            self._write(self._offsets["stored"], index, np.uint64(mark(self.table.row(index))))
            if time.monotonic() - self._synced > SYNC:
                self._sync()

    def close(self) -> None:
        """Write all to the disk and give the file free."""
        with self._locks:
            if self._file is not None:
                file, self._file = self._file, None
                with naming(self.path), file:
                    os.fsync(file.fileno())

    def _lock(self, held: ExitStack) -> None:
        """Hold the file: by its real name, on all machines; and, if it has other names, on this one."""
        names = [self.path.with_name(self.path.name + ".lock")]
        if self.path.exists() and self.path.stat().st_nlink > 1:
            found = self.path.stat()
            key = hashlib.sha256(f"{found.st_dev} {found.st_ino}".encode()).hexdigest()[:16]
            names.append(Path(tempfile.gettempdir()) / f"usadelfem-{key}.lock")
        for name in names:
            try:
                with naming(self.path):
                    lock = FileLock(name)
            except BlockingIOError as error:
                raise CheckpointError(
                    f"checkpoint {self.path} is in use by {error}; give each sweep its own file"
                ) from error
            held.callback(lock.release)

    def _write(self, offset: int, index: int, values: Any) -> None:
        data = np.ascontiguousarray(values).tobytes()
        self._file.seek(offset + index * len(data))
        while data:
            data = data[self._file.write(data) :]

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _write_whole(self) -> None:
        """The file with all that is in the table, under another name until complete."""
        with image() as (file, data):
            offsets = write_layout(file, self.grid, self.parts, self.table)
        write_whole(self.path, data.getbuffer())
        self._offsets = offsets
        self._open()

    def _open(self) -> None:
        if self._file is not None:
            self._file.close()
        with naming(self.path):
            self._file = self.path.open("r+b", buffering=0)

    def _load(self) -> None:
        try:
            with opened(self.path) as file:
                arrays, marks, self._offsets = read_layout(self.path, file)
                found = differences(file, self.grid, self.parts)
        except FileError as error:
            raise CheckpointError(f"{error}; it cannot be read as a checkpoint, move it away to begin anew") from error
        if found:
            raise CheckpointError(
                f"checkpoint {self.path} is of a different problem: {'; '.join(found)}. Restore what has changed, or "
                "give another file"
            )
        depth = len(self.grid.shape)
        self.table.arrays = {name: a.reshape(self.grid.size, *a.shape[depth:]) for name, a in arrays.items()}
        fill(self.table, marks)
        self._open()
