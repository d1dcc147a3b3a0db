"""Pictures and tables of sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import shown
from ..errors import ObservableError
from ..frozen import FrozenRecord
from ..pictures.extra import axes_of
from ..pictures.html import extent, table
from ..pictures.labels import with_unit
from ..pictures.line import draw_curves
from ..pictures.maps import draw_boxes, edges_between
from ..pictures.parts import as_real, checked_quantity, described
from ..pictures.tables import data_array, dataset

Values = NDArray[Any]
Units = Mapping[str, str] | None
VALUE, RESULT = "value", "result"  # names of a parameter and of a result without one


class PicturedSweep(FrozenRecord):
    """How sweeps are drawn and handed to other packages."""

    parameters: Mapping[str, Any] | Any
    values: Values | Mapping[str, Values]
    failed: Mapping[tuple[int, ...], str]

    def plot(
        self, name: str | None = None, *, quantity: str | None = None, curves: bool = False, units: Units = None,
        ax: Any = None, **options: Any,
    ) -> Any:  # fmt: skip
        """Draw a result: a curve over one parameter, a map over two; points that failed are blank.

        Parameters of one value do not count. Of more than two, draw a part:
        `result.to_xarray().isel(temperature=0).plot()`.

        Parameters
        ----------
        name
            Which of the results, where the function returned a dict of them; None: the first.
        quantity
            "abs", "phase", "real" or "imag"; None: "abs" of complex values, real ones as they are.
        curves
            Over two parameters: one curve over the first for each value of the second, in place of a map.
        units
            Name of a parameter or result ("result" of a single one, "value" of a plain sequence) -> unit.
        ax, **options
            As of `Field.plot`; the options are those of `ax.plot` or `ax.pcolormesh`.

        Returns
        -------
        matplotlib Axes
            Of the picture.

        Raises
        ------
        ObservableError
            If there is no such result, there are more than two parameters, or a map is asked for of arrays.
        ImportError
            If matplotlib is not installed.
        """
        units, axes, results = units or {}, _axes(self), _results(self)
        name = next(iter(results)) if name is None else name
        if not isinstance(name, str) or name not in results:
            raise ObservableError(f"no result {shown(name)}; it has: {', '.join(results)}")
        values = results[name]
        many = {own: axis for own, axis in axes.items() if len(axis) > 1} or dict(list(axes.items())[:1])
        inner = values.shape[len(axes) :]
        values = values.reshape(*map(len, many.values()), *inner)
        if len(many) > 2 or (len(many) == 2 and inner and np.prod(inner) > 1):
            raise ObservableError(
                f"{len(many)} parameters ({', '.join(many)}) and a result of shape {inner} are too many for a picture: "
                "take a part of it, result.to_xarray().isel(...).plot()"
            )
        quantity = checked_quantity(quantity, np.iscomplexobj(values))
        label, unit = described(name.replace("_", " "), units.get(name, "1"), quantity, np.iscomplexobj(values))
        drawn, labels = as_real(values, quantity), [with_unit(own, units.get(own, "1")) for own in many]
        ax, title = axes_of(ax), with_unit(label, unit)
        if len(many) == 2 and not curves:
            _draw_map(ax, many, drawn.reshape(values.shape[:2]), (*labels, title), quantity == "phase", options)
        else:
            _draw_curves(ax, many, drawn, inner, (*labels, title), options)
        return ax

    def to_xarray(self, units: Units = None) -> Any:
        """The results with the parameters as dimensions; NaN where the function failed.

        An xarray DataArray, so that `result.to_xarray().plot()` draws it; a Dataset where the function returned a dict.
        What a result has of dimensions itself is called `result_0`, `result_1`, ... after its name. The attribute
        `failed` lists the points that failed and why. Values of a parameter that are no numbers are given as texts.

        Parameters
        ----------
        units
            Name of a parameter or result ("result" of a single one, "value" of a plain sequence) -> unit.

        Raises
        ------
        ImportError
            If xarray is not installed.
        """
        units, axes = units or {}, _axes(self)
        coordinates = {name: ((name,), _numbers(axis)[0], units.get(name, "1")) for name, axis in axes.items()}
        entries = {}
        for name, values in _results(self).items():
            inner = tuple(f"{name}_{k}" for k in range(values.ndim - len(axes)))
            entries[name] = ((*axes, *inner), values, units.get(name, "1"))
        failed = [f"{_describe(axes, place)}: {message}" for place, message in self.failed.items()]
        if isinstance(self.values, Mapping):
            return dataset(entries, coordinates, failed=failed)
        dims, values, unit = entries[RESULT]
        return data_array(RESULT, dims, values, coordinates, unit, failed=failed)

    def _repr_html_(self) -> str:
        axes = _axes(self)
        rows: list[tuple[str, Any]] = [(f"parameter {name}", _spanned(axis)) for name, axis in axes.items()]
        for name, values in _results(self).items():
            inner = values.shape[len(axes) :]
            shape = f", arrays of shape {inner}" if inner else ""
            rows.append((name, extent(values) + shape))
        rows.append(("failed", f"{len(self.failed)} of {np.prod(list(map(len, axes.values())))}"))
        rows += [(_describe(axes, place), message) for place, message in list(self.failed.items())[:5]]
        return table("SweepResult", rows)


def _axes(result: Any) -> dict[str, Any]:
    """Values of the parameters by name."""
    return dict(result.parameters) if isinstance(result.parameters, Mapping) else {VALUE: result.parameters}


def _results(result: Any) -> dict[str, Values]:
    return dict(result.values) if isinstance(result.values, Mapping) else {RESULT: result.values}


def _numbers(axis: Any) -> tuple[Values, list[str] | None]:
    """Values of a parameter as numbers; places and their texts of what is none."""
    array = np.asarray(axis) if isinstance(axis, np.ndarray) else np.array(0)
    if array.ndim == 1 and array.dtype.kind in "iuf":
        return array, None
    texts = [str(value)[:60] for value in axis]
    return np.array(texts), texts


def _ordered(axis: Any) -> tuple[Values, Values, list[str] | None]:
    """Places of the values of a parameter, ascending; their order; and texts where they are no numbers."""
    values, texts = _numbers(axis)
    places = np.arange(len(values)) if texts else values.astype(float)
    order = np.argsort(places, kind="stable")
    return places[order], order, texts


def _spanned(axis: Any) -> str:
    values, texts = _numbers(axis)
    return ", ".join(texts) if texts else f"{len(values)}, {extent(values)}"


def _describe(axes: Mapping[str, Any], place: tuple[int, ...]) -> str:
    return ", ".join(f"{name} = {str(axis[k])[:60]}" for (name, axis), k in zip(axes.items(), place, strict=True))


def _draw_map(
    ax: Any, axes: dict[str, Any], values: Values, labels: tuple[str, ...], cyclic: bool, options: dict[str, Any]
) -> None:
    """The first parameter to the right, the second upwards."""
    (x, columns, names), (y, rows, others) = (_ordered(axis) for axis in axes.values())
    drawn = values[columns][:, rows].T
    draw_boxes(
        ax, edges_between(x), edges_between(y), drawn, (labels[0], labels[1], labels[2]), cyclic=cyclic, **options
    )
    for axis, texts in ((ax.xaxis, names), (ax.yaxis, others)):
        if texts:
            axis.set_ticks(range(len(texts)), texts)


def _draw_curves(
    ax: Any, axes: dict[str, Any], values: Values, inner: tuple[int, ...], labels: tuple[str, ...],
    options: dict[str, Any],
) -> None:  # fmt: skip
    """Over the first parameter, one for each value of the second, or each entry of a result."""
    (first, *others) = axes.items()
    places, order, texts = _ordered(first[1])
    flat = values.reshape(len(places), -1)[order]
    if others:
        names = [f"{others[0][0]} = {str(value)[:40]}" for value in others[0][1]]
    else:
        names = [", ".join(map(str, index)) if inner else labels[-1] for index in np.ndindex(inner)]
    curves = {name: (places, column) for name, column in zip(names, flat.T, strict=True)}
    draw_curves(ax, curves, labels[0], labels[-1], **{"marker": ".", **options})
    if texts:
        ax.set_xticks(range(len(texts)), texts)
