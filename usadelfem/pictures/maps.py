"""Colours over two parameters, or over a line and a parameter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .colours import colour_scale
from .extra import load

Real = NDArray[np.float64]
WIDE = 1.5  # from this ratio of its sides on a picture has its colour bar above it


def edges_between(values: Real) -> Real:
    """Edges of the boxes around ascending or descending values, shape (values + 1,); a single one is one wide."""
    if len(values) == 1:
        return np.asarray(values[0] + np.array([-0.5, 0.5]))
    middle = 0.5 * (values[1:] + values[:-1])
    return np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])


def draw_boxes(
    ax: Any, x: Real, y: Real, values: Real, labels: tuple[str, str, str], *, cyclic: bool = False, **options: Any
) -> Any:  # fmt: skip
    """Draw values (y, x) as coloured boxes with these edges, and a colour bar.

    Parameters
    ----------
    ax
        Matplotlib axes.
    x, y
        Edges of the boxes.
    values
        One per box; NaN stays blank.
    labels
        Of the two axes and the colour bar.
    cyclic
        Whether values are phases.
    options
        For `pcolormesh`.
    """
    scale = colour_scale(values, cyclic=cyclic) | options
    boxes = ax.pcolormesh(x, y, np.ma.masked_invalid(values), **scale)
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    colour_bar(ax, boxes, labels[2], cyclic)
    return boxes


def colour_bar(ax: Any, mappable: Any, label: str, cyclic: bool, ratio: float = 1.0) -> Any:
    """A colour bar as long as the axes, above those whose width is many times their height, else beside them.

    Those of phases have multiples of pi; `ratio` is that of width and height.
    """
    above = ratio > WIDE
    turned, thick = ("horizontal", 0.03 * ratio) if above else ("vertical", 0.03)
    place = ax.inset_axes([0, 1 + thick, 1, thick] if above else [1 + thick, 0, thick, 1])
    bar = ax.figure.colorbar(mappable, cax=place, orientation=turned, ticklocation="top" if above else "right")
    bar.set_label(label)
    bar.locator = load("matplotlib.ticker").MaxNLocator(5)
    bar.update_ticks()
    if cyclic:
        bar.set_ticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], labels=["−π", "−π/2", "0", "π/2", "π"])
    return bar
