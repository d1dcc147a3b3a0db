"""Results of a sweep in an HDF5 file that is whole at every moment.

HDF5 itself does not survive a kill in the middle of a write to its structure. Here the structure is written once, with
the first result, under another name, and renamed when complete; all arrays have their full size. A result is then
written in place, as plain bytes at an offset that HDF5 has told, and after it a mark with its checksum. Nothing else
of the file changes, so that it can be opened at any time, and a point whose mark does not fit counts as not computed.
"""

from __future__ import annotations

import json
import os
import platform
import time
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .atomic import require_folder
from .fingerprint import digest
from .grid import Grid, Result, Table
from .lock import FileLock

FORMAT = 1
STORED = 1 << 32  # added to the checksum of a stored point
# Seconds between two waits for the disk; a killed process loses nothing without them, a machine without power does.
SYNC = 1.0


class CheckpointError(ValueError):
    """A checkpoint cannot be used: of another problem, in use, damaged, or no checkpoint."""


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
        require_folder(path, f"checkpoint {path.name!r}")
        self.path, self.grid, self.parts = path, grid, parts
        self.table = Table(grid.size)
        self._file: Any = None
        self._offsets: dict[str, int] = {}
        self._synced = time.monotonic()
        try:
            self._lock = FileLock(path.with_name(path.name + ".lock"))
        except BlockingIOError as error:
            raise CheckpointError(f"checkpoint {path} is in use by {error}; give each sweep its own file") from error
        try:
            if path.exists():
                self._load()
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def store(self, index: int, result: Result) -> None:
        """Enter a result into table and file; when this returns, a kill does not lose it."""
        if self.table.put(index, result):
            self._write_whole()
            return
        for name, array in self.table.arrays.items():
            self._write(self._offsets[name], index, array[index])
        self._write(self._offsets["stored"], index, np.uint64(STORED + checksum(self.table.row(index))))
        if time.monotonic() - self._synced > SYNC:
            self._sync()

    def close(self) -> None:
        """Write all to the disk and give the file free."""
        if self._file is not None:
            self._sync()
            self._file.close()
            self._file = None
        self._lock.release()

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
        part = self.path.with_name(self.path.name + ".part")
        with h5py.File(part, "w", locking=False) as file:
            file.attrs["format"] = FORMAT
            file.attrs["fingerprint"] = json.dumps({"python": platform.python_version(), **self.parts})
            file.attrs["names"] = list(self.grid.names)
            file.attrs["plain"] = self.grid.plain
            _write_parameters(file, self.grid)
            marks = [STORED + checksum(self.table.row(k)) if done else 0 for k, done in enumerate(self.table.done)]
            file.create_dataset("stored", data=np.array(marks, np.uint64).reshape(self.grid.shape))
            for name, array in self.table.arrays.items():
                file.create_dataset(_place(name), data=array.reshape(*self.grid.shape, *array.shape[1:]))
        with part.open("r+b") as raw:
            os.fsync(raw.fileno())
        if self._file is not None:
            self._file.close()
        os.replace(part, self.path)
        self._open()

    def _open(self) -> None:
        with h5py.File(self.path, "r", locking=False) as file:
            places = {"stored": "stored", **{name: _place(name) for name in self.table.arrays}}
            self._offsets = {name: file[place].id.get_offset() or 0 for name, place in places.items()}
        self._file = self.path.open("r+b", buffering=0)

    def _load(self) -> None:
        try:
            with h5py.File(self.path, "r", locking=False) as file:
                self._check(file)
                values = file["values"]
                parts = {"": values} if isinstance(values, h5py.Dataset) else dict(values)
                arrays = {name: np.asarray(part[...]) for name, part in parts.items()}
                marks = np.asarray(file["stored"][...]).ravel()
        except (OSError, KeyError) as error:
            raise CheckpointError(
                f"checkpoint {self.path} cannot be read ({error}); move it away to begin anew"
            ) from error
        depth = len(self.grid.shape)
        self.table.arrays = {name: a.reshape(self.grid.size, *a.shape[depth:]) for name, a in arrays.items()}
        for index in map(int, np.flatnonzero(marks)):
            self.table.done[index] = marks[index] == STORED + checksum(self.table.row(index))
        for array in self.table.arrays.values():
            array[~self.table.done] = np.nan
        self._open()

    def _check(self, file: Any) -> None:
        """Raise CheckpointError unless the file is of this problem."""
        if file.attrs.get("format") != FORMAT:
            found = file.attrs.get("format", "none")
            raise CheckpointError(
                f"checkpoint {self.path} has the format {found}, this version of usadelfem writes {FORMAT}; move it "
                "away to begin anew"
            )
        differences = [*_other_parameters(file, self.grid), *_other_function(file, self.parts)]
        if differences:
            raise CheckpointError(
                f"checkpoint {self.path} is of a different problem: {'; '.join(differences)}. Restore what has "
                "changed, or give another file"
            )


def checksum(result: Result) -> int:
    """CRC-32 of the bytes of a result."""
    value = 0
    for name in sorted(result):  # a file lists its arrays in another order
        value = zlib.crc32(np.ascontiguousarray(result[name]).tobytes(), value)
    return value


def _place(name: str) -> str:
    return f"values/{name}" if name else "values"


def _numeric(axis: tuple[Any, ...]) -> NDArray[Any] | None:
    """The values of a parameter as an array, None if they are not numbers or arrays of one shape."""
    try:
        array = np.asarray(axis)
    except ValueError:  # of different shapes
        return None
    return array if array.dtype.kind in "biufc" else None


def _axis_digest(axis: tuple[Any, ...]) -> str:
    array = _numeric(axis)
    if array is None:
        return digest(axis)
    return digest(array.astype(np.complex128))  # 1, 1.0 and 1 + 0j are the same value


def _write_parameters(file: Any, grid: Grid) -> None:
    for name, axis in zip(grid.names, grid.axes, strict=True):
        array = _numeric(axis)
        values = [repr(value) for value in axis] if array is None else array
        file.create_dataset(f"parameters/{name}", data=values).attrs["digest"] = _axis_digest(axis)


def _other_parameters(file: Any, grid: Grid) -> list[str]:
    """How the parameters differ from those in the file, in words."""
    names = tuple(map(str, file.attrs["names"]))
    if names != grid.names or bool(file.attrs["plain"]) != grid.plain:
        return [f"its parameters are {', '.join(names)}, now {', '.join(grid.names)}"]
    found = []
    for name, axis in zip(grid.names, grid.axes, strict=True):
        old = file[f"parameters/{name}"]
        if len(old) != len(axis):
            found.append(f"{name!r} has {len(old)} values there, now {len(axis)}")
        elif old.attrs["digest"] != _axis_digest(axis):
            found.append(f"{name!r} has other values{_first_difference(old, axis)}")
    return found


def _first_difference(old: Any, axis: tuple[Any, ...]) -> str:
    array = _numeric(axis)
    before = old.asstr()[...] if array is None and old.dtype.kind == "O" else old[...]
    after = [repr(value) for value in axis] if array is None else array
    for index, (one, two) in enumerate(zip(before, after, strict=True)):
        if not np.array_equal(one, two):
            return f" (value {index} is {one!s:.60} there, now {two!s:.60})"
    return ""


def _other_function(file: Any, parts: dict[str, str]) -> list[str]:
    """How the function differs from that in the file, in words."""
    old: dict[str, str] = json.loads(file.attrs["fingerprint"])
    python = old.pop("python")
    if old["all"] == parts["all"]:
        return []
    names = sorted((old.keys() | parts.keys()) - {"all"})
    changed = [name for name in names if old.get(name) != parts.get(name)]
    if platform.python_version().split(".")[:2] != python.split(".")[:2]:
        return [f"its function was compiled by Python {python}, now {platform.python_version()}"]
    return [f"the function has changed: {', '.join(changed) or 'what is bound to it'}"]
