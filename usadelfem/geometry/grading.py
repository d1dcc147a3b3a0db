"""Nodes along a line whose distances grow from given sizes at the ends."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..errors import MeshError

Floats = NDArray[np.float64]

GROWTH = 0.15  # increase of the size of cells per length
FINE = 64  # samples per cell of the function that is inverted
MANY = 1e6  # cells along a line that no calculation here is meant for


def graded(length: float, first: float, last: float, largest: float, least: int) -> Floats:
    """Nodes of [0, length]: cells of sizes `first` and `last` at the ends, growing inwards to at most `largest`.

    The mirrored choice of sizes gives the mirrored nodes, bit for bit as far as lengths allow. There are at least
    `least` cells.
    """
    if first > last:
        return length - graded(length, last, first, largest, least)[::-1]
    first, last = min(first, largest), min(last, largest)
    if length / first > MANY:
        raise MeshError(
            f"a length of {length:g} with cells of size {first:g} is more than {MANY:g} cells: give a larger size, or "
            "lengths in the unit that belongs to the materials"
        )
    s = np.linspace(0.0, length, max(FINE, math.ceil(4 * length / first)) + 1)
    size = np.minimum(np.minimum(first + GROWTH * s, last + GROWTH * (length - s)), largest)
    density = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(s) * (1 / size[1:] + 1 / size[:-1]))])
    count = max(least, math.ceil(density[-1] - 1e-9))
    nodes = np.interp(np.linspace(0.0, density[-1], count + 1), density, s)
    if first == last:
        nodes = 0.5 * (nodes + (length - nodes[::-1]))
    nodes[[0, -1]] = 0.0, length
    return nodes
