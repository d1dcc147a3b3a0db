"""How the results of a sweep lie in a checkpoint: parameters, values, and a mark for each point that is stored.

The structure has checksums as in all files (see `hdf5`). The values change while the sweep runs; the mark of a point is
the checksum of its values.
"""

from __future__ import annotations

import ast
import json
import platform
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .fingerprint import digest
from .grid import Grid, Result, Table
from .hdf5 import (
    attribute,
    damaged,
    link_name,
    member,
    members,
    original,
    read_array,
    read_texts,
    seal,
    set_text,
    verify,
    write_texts,
)

FORMAT = 1
STORED = 1 << 32  # added to the checksum of a stored point


def write_layout(file: Any, grid: Grid, parts: dict[str, str], table: Table) -> dict[str, int]:
    """Fill a new file; returns where in it the marks and the values of each name begin."""
    file.attrs["format"] = FORMAT
    set_text(file, "fingerprint", json.dumps({"python": platform.python_version(), **parts}))
    set_text(file, "names", json.dumps(grid.names))
    file.attrs["plain"] = grid.plain
    own = file.create_group("parameters")
    for name, axis in zip(grid.names, grid.axes, strict=True):
        _write_parameter(own, name, axis)
    seal(own)
    marks = [mark(table.row(k)) if done else 0 for k, done in enumerate(table.done)]
    stored = file.create_dataset("stored", data=np.array(marks, np.uint64).reshape(grid.shape))
    places = {"stored": stored}
    single = set(table.arrays) == {""}
    values = file if single else file.create_group("values")
    for name, array in table.arrays.items():
        shape = (*grid.shape, *array.shape[1:])
        places[f"={name}"] = values.create_dataset(
            "values" if single else link_name(name), data=array.reshape(shape)
        )  # fmt: skip
    for place in places.values():
        seal(place)
    if not single:
        seal(values)
    seal(file)
    file.flush()
    return _offsets(places)


def _offsets(places: dict[str, Any]) -> dict[str, int]:
    return {name: place.id.get_offset() or 0 for name, place in places.items()}


def is_checkpoint(file: Any) -> bool:
    """Whether a file is the checkpoint of a sweep."""
    return {"parameters", "stored"} <= set(file.keys())


def read_layout(path: Path, file: Any) -> tuple[dict[str, NDArray[Any]], NDArray[Any], dict[str, int]]:
    """The values by name, the marks, and the places of both as in `write_layout`; all but the values is verified.

    Raises
    ------
    FileError
        If something does not fit.
    """
    import h5py

    if not is_checkpoint(file):
        saved = attribute(file, "usadelfem") is not None
        what = "is a result that `save` has written" if saved else "holds other data"
        raise FileError(f"file {path} {what}, not a checkpoint of a sweep")
    number = attribute(file, "format", "none")
    if not isinstance(number, np.integer) or number != FORMAT:
        raise FileError(f"checkpoint {path} has the format {number}, this version of usadelfem writes {FORMAT}")
    verify(file)
    verify(member(file, "parameters"))
    values = member(file, "values")
    if isinstance(values, h5py.Dataset):
        found = {"": values}
    else:
        verify(values)
        found = {original(name): part for name, part in members(values).items()}
    places = {"stored": member(file, "stored"), **{f"={name}": part for name, part in found.items()}}
    for part in places.values():
        verify(part)
    marks = read_array(places["stored"])  # before the values, which a running sweep stores first
    arrays = {name: read_array(part) for name, part in found.items()}
    return arrays, marks, _offsets(places)


def read_checkpoint(path: Path, file: Any) -> tuple[Any, Any]:
    """Parameters and values of a checkpoint, NaN where nothing is stored yet.

    Raises
    ------
    FileError
        If it is damaged, also if only the values of a point are.
    """
    arrays, marks, _ = read_layout(path, file)
    depth, size = marks.ndim, marks.size
    table = Table(size)
    table.arrays = {name: array.reshape(size, *array.shape[depth:]) for name, array in arrays.items()}
    bad = fill(table, marks)
    if bad:
        raise damaged(
            path,
            f"{len(bad)} of {size} points do not fit their checksums, the first is number {bad[0]}; the sweep with "
            "this checkpoint computes them anew and keeps the others",
        )
    own = member(file, "parameters")
    axes = {name: _read_parameter(member(own, name)) for name in parameter_names(file)}
    parameters = next(iter(axes.values())) if attribute(file, "plain") else axes
    return parameters, arrays[""] if set(arrays) == {""} else arrays


def fill(table: Table, marks: NDArray[Any]) -> list[int]:
    """Enter which points of a table are stored, empty the others; returns those whose values do not fit their mark."""
    flat, bad = marks.ravel(), []
    for index in map(int, np.flatnonzero(flat)):
        table.done[index] = flat[index] == mark(table.row(index))
        if not table.done[index]:
            bad.append(index)
    for array in table.arrays.values():
        array[~table.done] = np.nan
    return bad


def mark(result: Result) -> int:
    """The mark of a stored point: a CRC-32 of the bytes of its values, and a bit that says that there are any."""
    value = 0
    for name in sorted(result):  # a file lists its arrays in another order
        value = zlib.crc32(np.ascontiguousarray(result[name]).tobytes(), value)
    return STORED + value


def parameter_names(file: Any) -> tuple[str, ...]:
    """Names of the parameters in the order of the axes."""
    return tuple(map(str, json.loads(attribute(file, "names"))))


def differences(file: Any, grid: Grid, parts: dict[str, str]) -> list[str]:
    """How parameters and function differ from those in the file, in words."""
    return [*_other_parameters(file, grid), *_other_function(file, parts)]


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


def _write_parameter(group: Any, name: str, axis: tuple[Any, ...]) -> None:
    array = _numeric(axis)
    if array is None:
        write_texts(group, name, [repr(value) for value in axis])
    else:
        group.create_dataset(name, data=array)
    own = group[name]
    set_text(own, "digest", _axis_digest(axis))
    seal(own, own[()])


def _read_parameter(dataset: Any) -> Any:
    """Values of a parameter: an array of numbers, or a tuple of what can be told from its text."""
    if dataset.dtype.kind == "S":
        return tuple(map(_from_text, read_texts(dataset)))
    array = read_array(dataset)
    verify(dataset, array)
    return array


def _from_text(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):  # the text of an object, not of a literal
        return text


def _other_parameters(file: Any, grid: Grid) -> list[str]:
    names = parameter_names(file)
    if names != grid.names or bool(attribute(file, "plain")) != grid.plain:
        return [f"its parameters are {', '.join(names)}, now {', '.join(grid.names)}"]
    found = []
    for name, axis in zip(grid.names, grid.axes, strict=True):
        old = member(member(file, "parameters"), name)
        if len(old) != len(axis):
            found.append(f"{name!r} has {len(old)} values there, now {len(axis)}")
        elif attribute(old, "digest") != _axis_digest(axis):
            found.append(f"{name!r} has other values{_first_difference(old, axis)}")
    return found


def _first_difference(old: Any, axis: tuple[Any, ...]) -> str:
    array = _numeric(axis)
    before = read_texts(old) if old.dtype.kind == "S" else read_array(old)
    after = [repr(value) for value in axis] if array is None else array
    for index, (one, two) in enumerate(zip(before, after, strict=True)):
        if not np.array_equal(one, two):
            return f" (value {index} is {one!s:.60} there, now {two!s:.60})"
    return ""


def _other_function(file: Any, parts: dict[str, str]) -> list[str]:
    old: dict[str, str] = json.loads(attribute(file, "fingerprint"))
    python = old.pop("python")
    if old["all"] == parts["all"]:
        return []
    names = sorted((old.keys() | parts.keys()) - {"all"})
    changed = [name for name in names if old.get(name) != parts.get(name)]
    if platform.python_version().split(".")[:2] != python.split(".")[:2]:
        return [f"its function was compiled by Python {python}, now {platform.python_version()}"]
    return [f"the function has changed: {', '.join(changed) or 'what is bound to it'}"]
