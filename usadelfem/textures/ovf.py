"""Textures from the files of micromagnetic programs: the OVF format, and the direction between the cell centres."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import scipy  # which loads its parts when they are named

from ..checks import choice, file_path, integer, named, no_file, shown
from ..errors import DeviceError
from .analytic import NUMBER, POSITIVE, TRIPLE, Axes, Floats, Texture, Vector, checked

Layer = int | Sequence[int] | str | None

CHECK = {4: 1234567.0, 8: 123456789012345.0}  # the first number of binary data, by the size of a number in bytes
BEGIN = re.compile(rb"^#[ \t]*begin[ \t]*:[ \t]*data[ \t]+([^\r\n]*?)[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE)
END = re.compile(rb"^#[ \t]*end[ \t]*:[ \t]*data", re.IGNORECASE | re.MULTILINE)
ROUNDING = 1e-6  # of a cell: how far outside of the grid a point may lie


@named()
def from_ovf(
    path: str | os.PathLike[str],
    h: float,
    *,
    scale: float = 1.0,
    origin: Vector = (0.0, 0.0, 0.0),
    layer: Layer = None,
    outside: str = "error",
    plane: str | None = None,
) -> Texture:
    """An exchange field along the magnetisation that OOMMF, mumax3 or another micromagnetic program has computed.

    The file is an OVF 1.0 or 2.0 (.ovf, .omf; text, binary 4 or binary 8) with one vector field on a rectangular mesh.
    With m(x) interpolated linearly between cell centres along each axis, and constant in the outer half of the
    outermost cells, h(x) = h m(x)/|m(x)|. A cell whose vector is zero holds no magnet: the field is zero in it.

    Returns a function of position, (dim, ...) to (3, ...), for `exchange`, which raises DeviceError for points outside
    of the grid and if `layer` does not fit. Raises FileNotFoundError; and DeviceError naming the file if it is damaged
    or of another kind, or if a parameter is out of range.

    Parameters
    ----------
    path
        The file.
    h
        Size of the exchange field, energy.
    scale
        Length unit of the file in that of the mesh, positive: 1e9 if the file is in metres and the mesh in nanometres.
    origin
        Where the origin of the file's coordinates lies, (x, y, z), in the unit of the mesh. In files of mumax3 it is a
        corner of the grid.
    layer
        Which cell of the grid the mesh lies in along the axes that it does not have: an index, or one for each of these
        axes in the order x, y, z; negative ones count from the end. "mean" takes the mean vector along these axes.
        Not needed where the grid has a single cell.
    outside
        What to do with points outside of the grid: "error", or "nearest" to continue its outermost cells.
    plane
        The axes of space that the coordinates of a 2D mesh are along; not needed in a `Device`, whose `plane` holds. A
        1D mesh lies along x.
    """
    name = "from_ovf"
    checked(name, "h", h, NUMBER)
    factor, shift = checked(name, "scale", scale, POSITIVE), checked(name, "origin", origin, TRIPLE)
    choice(f"{name}: outside", outside, ("error", "nearest"), error=DeviceError)
    indices = _indices(layer)
    grid = read_ovf(file_path(f"{name}: path", path))
    grid = replace(grid, base=factor * grid.base + shift, step=factor * grid.step)
    direction = partial(_direction, grid=grid, indices=indices, nearest=outside == "nearest")
    given = {"path": str(path), "scale": scale, "origin": origin, "layer": layer, "outside": outside}
    return Texture(name, h, direction, given, plane)


def _indices(layer: Layer) -> tuple[int, ...] | None:
    """The indices that `layer` gives; None for the mean."""
    if isinstance(layer, str) and layer == "mean":
        return None
    indices = () if layer is None else tuple(layer) if isinstance(layer, tuple | list) else (layer,)
    try:
        return tuple(integer("layer", index) for index in indices)
    except ValueError as error:
        allowed = "allowed are an index, a tuple of them, and 'mean'"
        raise DeviceError(f"from_ovf: layer is {shown(layer)}; {allowed}") from error


@dataclass(frozen=True, eq=False, repr=False)
class Grid:
    """A vector field on the cells of a regular grid.

    `source` is the file, `base` the centre of the first cell and `step` the size of a cell, both (3,), and `values` are
    the vectors, (nx, ny, nz, 3).
    """

    source: str
    base: Floats
    step: Floats
    values: Floats

    def __str__(self) -> str:
        low = self.base - self.step / 2
        high = low + self.step * self.values.shape[:3]
        sides = (f"{axis} from {a:g} to {b:g}" for axis, a, b in zip("xyz", low, high, strict=True))
        return f"the grid of {self.source} ({', '.join(sides)})"


def read_ovf(path: Path) -> Grid:
    """Read an OVF 1.0 or 2.0 file in the unit of the file; the format is in the OOMMF user's guide (NIST).

    Binary data may be of either byte order: the check value tells which, and there are OVF 2.0 data under OVF 1.0
    titles. Raises FileNotFoundError, and DeviceError naming the file and what is wrong with it.
    """
    if path.is_dir():
        raise DeviceError(f"OVF file {path}: it is a folder; give the .ovf or .omf file in it")
    reason = no_file(path)
    if reason:
        raise DeviceError(f"OVF file {path} cannot be read: {reason}")
    if not path.is_file():
        raise FileNotFoundError(f"OVF file not found: {path}")
    try:
        return _parse(str(path), path.read_bytes())
    except DeviceError as error:
        raise DeviceError(f"OVF file {path}: {error}") from error


def _parse(source: str, content: bytes) -> Grid:
    if not re.match(rb"#[ \t]*OOMMF", content):
        raise DeviceError("it does not begin with '# OOMMF', as OVF 1.0 and 2.0 do")
    begin = BEGIN.search(content)
    if begin is None:
        raise DeviceError("it has no line '# Begin: Data ...' (is it complete?)")
    header = _header(content[: begin.start()].decode("utf-8", "replace"))
    _check_header(header)
    nodes = [_integer(header, f"{axis}nodes") for axis in "xyz"]
    step = np.array([_number(header, f"{axis}stepsize") for axis in "xyz"])
    if min(nodes) < 1 or step.min() <= 0:
        raise DeviceError(f"it has {nodes} cells of size {step.tolist()}; both must be positive")
    numbers = _numbers(begin[1].decode("utf-8", "replace"), content[begin.end() :], 3 * math.prod(nodes))
    numbers *= _number(header, "valuemultiplier", "1")
    if not np.isfinite(numbers).all():
        raise DeviceError(f"{np.sum(~np.isfinite(numbers))} of its {len(numbers)} numbers are not finite")
    base = np.array([_first_centre(header, axis) for axis in "xyz"])
    return Grid(source, base, step, numbers.reshape(*nodes[::-1], 3).transpose(2, 1, 0, 3))


def _header(text: str) -> dict[str, str]:
    """The pairs `# label: value` by label, in lower case and without blanks; `##` begins a comment."""
    pairs = (line.lstrip("#").split("##")[0].partition(":") for line in text.splitlines())
    return {"".join(label.split()).lower(): value.strip() for label, _, value in pairs}


def _check_header(header: Mapping[str, str]) -> None:
    if header.get("meshtype", "rectangular").lower() != "rectangular":
        raise DeviceError(f"its mesh is of type {header['meshtype']!r}; allowed is 'rectangular'")
    for key, allowed in (("valuedim", 3), ("segmentcount", 1)):
        if _integer(header, key, str(allowed)) != allowed:
            raise DeviceError(f"its header has {key}: {header[key]}; allowed is {allowed}")


def _first_centre(header: Mapping[str, str], axis: str) -> float:
    if f"{axis}base" in header:
        return _number(header, f"{axis}base")
    return _number(header, f"{axis}min") + _number(header, f"{axis}stepsize") / 2


def _number(header: Mapping[str, str], key: str, default: str = "") -> float:
    if key not in header and not default:
        raise DeviceError(f"its header has no {key}")
    try:
        value = float(header.get(key, default))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DeviceError(f"its header has {key}: {header[key]}; allowed is a number")
    return value


def _integer(header: Mapping[str, str], key: str, default: str = "") -> int:
    value = _number(header, key, default)
    if value != int(value):
        raise DeviceError(f"its header has {key}: {header[key]}; allowed is an integer")
    return int(value)


def _numbers(representation: str, block: bytes, count: int) -> Floats:
    words = representation.lower().split()
    if words == ["text"]:
        return _text(block, count)
    if words in (["binary", "4"], ["binary", "8"]):
        return _binary(block, count, int(words[1]))
    raise DeviceError(f"its data are {representation!r}; allowed are 'Text', 'Binary 4' and 'Binary 8'")


def _text(block: bytes, count: int) -> Floats:
    end = END.search(block)
    if end is None:
        raise DeviceError("it is truncated: it has no line '# End: Data'")
    words = re.sub(rb"#[^\n]*", b"", block[: end.start()]).split()
    if len(words) != count:
        raise DeviceError(f"it has {len(words)} numbers, but its header says {count}")
    try:
        return np.array([float(word) for word in words])
    except ValueError as error:
        raise DeviceError(f"its data are not numbers: {error}") from error


def _binary(block: bytes, count: int, size: int) -> Floats:
    length = size * (count + 1)
    if len(block) < length:
        raise DeviceError(f"it is truncated: its data have {len(block)} bytes, but its header says {length}")
    orders = [order for order in "<>" if np.frombuffer(block, f"{order}f{size}", 1)[0] == CHECK[size]]
    if not orders:
        raise DeviceError(f"its data do not begin with the check value {CHECK[size]}: they are damaged")
    if block[length:].strip() and END.match(block[length:].lstrip()) is None:
        raise DeviceError(f"its data do not end after the {count} numbers that its header says")
    return np.frombuffer(block, f"{orders[0]}f{size}", count, offset=size).astype(np.float64)


def _direction(x: Floats, axes: Axes, *, grid: Grid, indices: tuple[int, ...] | None, nearest: bool) -> Floats:
    """Direction of the vectors of a grid at points x along some of its axes; zero in a cell without a vector."""
    values = grid.values.mean(_missing(axes)) if indices is None else _layer(grid, axes, indices)
    column = (-1, *(1,) * (x.ndim - 1))
    base, step = (array[list(axes)].reshape(column) for array in (grid.base, grid.step))
    index, last = (x - base) / step, np.array(values.shape[:-1]).reshape(column) - 1
    out = (abs(index - last / 2) > last / 2 + 0.5 + ROUNDING).any(axis=0)
    if out.any() and not nearest:
        point = ", ".join(f"{'xyz'[axis]} = {x[k][out].flat[0]:g}" for k, axis in enumerate(axes))
        raise DeviceError(f"{point} is outside of {grid}; check scale and origin, or give outside='nearest'")
    own = np.moveaxis(values[tuple(np.clip(np.floor(index + 0.5), 0, last).astype(int))], -1, 0)
    between = _interpolate(values, np.clip(index, 0, last)) if last.any() else own
    there = np.linalg.norm(own, axis=0)
    # between opposite neighbours the mean vanishes, and any direction is as good as that of the cell
    vector = np.where(np.linalg.norm(between, axis=0) > 1e-12 * there, between, own)
    return np.asarray(np.where(there > 0, vector / np.where(there > 0, np.linalg.norm(vector, axis=0), 1.0), 0.0))


def _missing(axes: Axes) -> Axes:
    return tuple(axis for axis in range(3) if axis not in axes)


def _layer(grid: Grid, axes: Axes, indices: tuple[int, ...]) -> Floats:
    """The vectors of a grid in a layer along the given axes, shape (n, ..., 3)."""
    shape, missing = grid.values.shape, _missing(axes)
    named = missing if len(indices) == len(missing) else tuple(axis for axis in missing if shape[axis] > 1)
    chosen = dict(zip(named, indices, strict=False))
    if len(indices) != len(named) or not all(-shape[axis] <= index < shape[axis] for axis, index in chosen.items()):
        cells = " and ".join(f"{shape[axis]} along {'xyz'[axis]}" for axis in missing)
        allowed = f"one of its cells, {cells}, as an index for each axis, or 'mean'" if cells else "None"
        raise DeviceError(
            f"layer is {', '.join(map(str, indices)) or None}; for a mesh along {', '.join('xyz'[k] for k in axes)} in "
            f"the grid of {grid.source} allowed is {allowed}"
        )
    return grid.values[tuple(slice(None) if axis in axes else chosen.get(axis, 0) for axis in range(3))]


def _interpolate(values: Floats, index: Floats) -> Floats:
    wide = [axis for axis, size in enumerate(values.shape[:-1]) if size > 1]
    table = values.reshape(*(values.shape[axis] for axis in wide), 3)
    interpolator = scipy.interpolate.RegularGridInterpolator([np.arange(size) for size in table.shape[:-1]], table)
    return np.moveaxis(interpolator(np.moveaxis(index[wide], 0, -1)), -1, 0)
