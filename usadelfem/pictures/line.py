"""Curves over positions, energies and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .colours import region_colour

Real = NDArray[np.float64]
JUMP = 1e-9  # of the largest value: what differs by more where two cells meet jumps there


def joined(x: Real, y: Real, *, cyclic: bool = False) -> tuple[Real, Real]:
    """Pieces of a curve (cells, points) from left to right as one, with NaN between those that do not meet.

    A phase is cut where it comes back at the other end of its range.
    """
    turned = np.argsort(x, axis=1)
    x, y = np.take_along_axis(x, turned, 1), np.take_along_axis(y, turned, 1)
    order = np.argsort(x[:, 0], kind="stable")
    x, y = x[order], y[order]
    reach, height = np.ptp(x), np.nanmax(abs(y), initial=0.0)
    apart = (x[1:, 0] - x[:-1, -1] > JUMP * reach) | ~(abs(y[1:, 0] - y[:-1, -1]) <= JUMP * height)
    places = (np.flatnonzero(apart) + 1) * x.shape[1]
    x, y = x.ravel(), y.ravel()
    if cyclic:
        places = np.union1d(places, np.flatnonzero(abs(np.diff(y)) > np.pi) + 1)
    return np.insert(x, places, x[places]), np.insert(y, places, np.nan)


def draw_curves(
    ax: Any, curves: Mapping[str, tuple[Any, Any]], xlabel: str, ylabel: str, **options: Any
) -> None:  # fmt: skip
    """Draw named curves (x, y), with a legend where there are several or they have been given a label."""
    for name, (x, y) in curves.items():
        ax.plot(x, y, **{"label": name, **options})
    ax.set_xlabel(xlabel)
    if not ax.get_ylabel():  # of curves that are drawn on top of others the label is the first one's
        ax.set_ylabel(ylabel)
    if len(curves) > 1 or "label" in options:
        ax.legend(frameon=False)


def mark_regions(ax: Any, extents: Sequence[tuple[str, float, float]], *, shade: bool = True) -> None:
    """Mark intervals of the x axis that belong to regions, with their names above the frame.

    Parameters
    ----------
    ax
        Matplotlib axes.
    extents
        Name, left and right end of every interval; those of one name have one colour.
    shade
        Whether to colour them, or to draw lines between them only.
    """
    names = list(dict.fromkeys(name for name, _, _ in extents))
    for name, left, right in extents:
        colour = region_colour(names.index(name))
        if shade:
            ax.axvspan(left, right, color=colour, alpha=0.7, linewidth=0, zorder=-1)
        else:
            ax.axvline(right, color="black", linewidth=0.6)
        ax.annotate(
            name, (0.5 * (left + right), 1.0), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", va="bottom", fontsize="small",
        )  # fmt: skip
    ends = [end for _, left, right in extents for end in (left, right)]
    ax.set_xlim(min(ends), max(ends))


def extents_of(x: Real, regions: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """The intervals that regions are made of, from left to right.

    Parameters
    ----------
    x
        Ends of the cells of a line, shape (2, cells).
    regions
        Name -> its cells.
    """
    found = []
    for name, cells in regions.items():
        left, right = np.sort(x[:, np.asarray(cells)], axis=0)
        order = np.argsort(left)
        left, right = left[order], right[order]
        begins = np.flatnonzero(np.r_[True, left[1:] - right[:-1] > JUMP * np.ptp(x)])
        ends = np.r_[begins[1:] - 1, len(left) - 1]
        found += [(name, float(left[a]), float(right[b])) for a, b in zip(begins, ends, strict=True)]
    return sorted(found, key=lambda entry: entry[1])
