"""The points of a sweep, and the table of what was computed at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_array, shown
from .pictured import VALUE, PicturedSweep

Values = NDArray[Any]
Result = dict[str, Values]  # "" -> the result, or name -> part of the result

LONGEST_KEY = 1000


@dataclass(frozen=True, eq=False)
class Grid:
    """The outer product of the values of some parameters.

    Attributes
    ----------
    names
        Names of the parameters in the order of the axes.
    axes
        Values of each.
    plain
        Whether the function gets a value as its only argument, instead of keyword arguments.
    """

    names: tuple[str, ...]
    axes: tuple[tuple[Any, ...], ...]
    plain: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each parameter."""
        return tuple(map(len, self.axes))

    @property
    def size(self) -> int:
        """Number of points."""
        return int(np.prod(self.shape, dtype=np.int64))

    def place(self, index: int) -> tuple[int, ...]:
        """Indices along the axes of a point, given by its number in C order."""
        return tuple(map(int, np.unravel_index(index, self.shape)))

    def point(self, index: int) -> dict[str, Any]:
        """Values of the parameters at a point."""
        place = self.place(index)
        return {name: axis[k] for name, axis, k in zip(self.names, self.axes, place, strict=True)}

    def describe(self, index: int) -> str:
        """A point in words."""
        return ", ".join(f"{name} = {value!r:.60}" for name, value in self.point(index).items())


def make_grid(parameters: Mapping[str, Sequence[Any]] | Iterable[Any]) -> Grid:
    """The grid of a mapping name -> values, or of a sequence of values.

    Raises
    ------
    TypeError, ValueError
        If values are not a sequence, names are not identifiers, or there are no values.
    """
    plain = not isinstance(parameters, Mapping)
    given: Mapping[str, Any] = parameters if isinstance(parameters, Mapping) else {VALUE: parameters}
    if not given:
        raise ValueError('parameters is empty; allowed is a mapping such as {"phase": [0.1, 0.2]}, or a sequence')
    axes = []
    for name, values in given.items():
        if not isinstance(name, str) or not name.isidentifier() or len(name) > LONGEST_KEY:
            raise ValueError(f"parameter {name!r:.60} is no name of an argument; allowed are identifiers")
        what = "parameters" if plain else f"parameter {name!r}"
        if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
            raise TypeError(f"{what} is {shown(values)}; allowed is a sequence of values")
        if isinstance(values, set | frozenset):
            raise TypeError(f"{what} is the set {shown(values)}, which has no order; allowed is a sequence, as a list")
        if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
            raise TypeError(f"{what} is {shown(values)}; allowed are values that are not masked: values.compressed()")
        if isinstance(values, np.ndarray) and not values.ndim:
            raise TypeError(f"{what} is {shown(values)}; allowed is a sequence of values, such as [{values}]")
        axes.append(tuple(values))
        if not axes[-1]:
            raise ValueError(f"{what} has no values; allowed is a sequence of at least one")
    return Grid(tuple(given), tuple(axes), plain)


def as_result(value: Any) -> Result:
    """What a function returned as arrays of float64 or complex128 by name; "" is the name of a single one.

    Raises
    ------
    TypeError
        If it is neither a number, an array of numbers, nor a dict of them.
    """
    if isinstance(value, Mapping) and value:
        for name in value:
            if not isinstance(name, str) or not 0 < len(name) <= LONGEST_KEY:
                raise TypeError(
                    f"the function returned a dict with the key {name!r:.60}; allowed are a number, an array of "
                    f"numbers, and a dict whose keys are texts of 1 to {LONGEST_KEY} characters"
                )
        return {name: _numbers(part) for name, part in value.items()}
    return {"": _numbers(value)}


def _numbers(value: Any) -> NDArray[Any]:
    array = np.asarray(value) if isinstance(value, bool | np.bool_) else as_array(value)
    if array is None and isinstance(value, np.ndarray) and value.dtype == bool and not np.ma.is_masked(value):
        array = np.asarray(value)
    if array is None:
        raise TypeError(
            f"the function returned {shown(value)}; allowed are a number, an array of numbers, and a dict of name -> "
            "number or array"
        )
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


class Table:
    """Results at the points of a grid: arrays of shape (points, *shape of a result), NaN where there is none.

    The first result fixes names and shapes; arrays become complex when the first complex result comes.
    """

    def __init__(self, size: int) -> None:
        self.done = np.zeros(size, bool)
        self.arrays: dict[str, NDArray[Any]] = {}

    def put(self, index: int, result: Result) -> bool:
        """Enter a result; returns whether arrays were made or have changed their type.

        Raises
        ------
        ValueError
            If names or shapes differ from those of the other results.
        """
        made = not self.arrays
        if made:
            self.arrays = {name: self._empty(part.shape, part.dtype) for name, part in result.items()}
        shapes = {name: array.shape[1:] for name, array in self.arrays.items()}
        own = {name: part.shape for name, part in result.items()}
        if own != shapes:
            raise ValueError(f"the function returned {_outline(own)}, and at other points {_outline(shapes)}")
        for name, part in result.items():
            if np.iscomplexobj(part) and not np.iscomplexobj(self.arrays[name]):
                self.arrays[name] = self.arrays[name].astype(np.complex128)
                made = True
            self.arrays[name][index] = part
        self.done[index] = True
        return made

    def row(self, index: int) -> Result:
        """The result at a point."""
        return {name: array[index] for name, array in self.arrays.items()}

    def _empty(self, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        return np.full((len(self.done), *shape), np.nan, dtype)


def _outline(shapes: Mapping[str, tuple[int, ...]]) -> str:
    if set(shapes) == {""}:
        return f"shape {shapes['']}"
    return ", ".join(f"{name!r} of shape {shape}" for name, shape in shapes.items())


@dataclass(frozen=True, eq=False)
class SweepResult(PicturedSweep):
    """Results of a function at all points of a grid.

    Attributes
    ----------
    parameters
        Values of the parameters by name, as arrays where they are numbers; of a sweep over a sequence those values.
    values
        What the function returned, shape (values of the first parameter, of the second, ..., *shape of a result),
        float64 or complex128; name -> array where it returned a dict. NaN where the function failed.
    failed
        Indices of the points at which the function raised SolveError -> message.
    """

    parameters: Mapping[str, Any] | Any
    values: Values | Mapping[str, Values]
    failed: Mapping[tuple[int, ...], str]
