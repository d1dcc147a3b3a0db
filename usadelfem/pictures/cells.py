"""Cells in pieces that can be drawn, and in the order of nodes that VTK wants."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..mesh.cell_types import CELL_TYPES

Real = NDArray[np.float64]
Index = NDArray[np.int64]


def vtk_type(dim: int, nodes: int) -> tuple[int, str]:
    """Number of the VTK type of cells of a dimension with so many nodes, and its name in meshio."""
    return CELL_TYPES[dim, nodes][:2]


NUMBERS = {name: number for number, name, _, _ in CELL_TYPES.values()}  # of the VTK type, by its name in meshio


def vtk_cells(reference: Real, nodes: Real, cells: Index) -> Index:
    """Cells in VTK's order of nodes, none of them inside out.

    Parameters
    ----------
    reference
        Places of the local nodes in the reference cell, shape (local nodes, dim).
    nodes
        Positions, shape (dim, nodes).
    cells
        Nodes of every cell, shape (cells, local nodes).
    """
    _, _, corners, means = CELL_TYPES[reference.shape[1], len(reference)]
    wanted = np.array([*corners, *(corners[list(group)].mean(axis=0) for group in means)])
    out = cells[:, _matching(wanted, reference)]
    if reference.shape[1] == 3:
        edges = nodes[:, out[:, [1, 2, 3] if len(corners) == 4 else [1, 3, 4]]] - nodes[:, out[:, :1]]
        inverted = np.linalg.det(edges.transpose(1, 0, 2)) < 0
        out[inverted] = cells[inverted][:, _matching(wanted[:, [0, 2, 1]], reference)]
    return np.asarray(out)


def _matching(wanted: Real, reference: Real) -> Index:
    """The local node at each of the places."""
    distance = abs(wanted[:, None] - reference).max(axis=2)
    return np.asarray(distance.argmin(axis=1))


def lattice(dim: int, corners: int, parts: int) -> tuple[Real, Index]:
    """Points in a line, triangle or square, and the lines or triangles between them.

    Parameters
    ----------
    dim, corners
        Dimension and number of corners of the cell.
    parts
        Into how many pieces its edges are divided.

    Returns
    -------
    points, pieces
        Local coordinates, shape (dim, points); numbers of the points of each piece, shape (pieces, dim + 1).
    """
    if dim == 1:
        steps = np.arange(parts)
        return np.linspace(0, 1, parts + 1)[None], np.column_stack([steps, steps + 1])
    square = corners == 4
    places = [(i, j) for i, j in product(range(parts + 1), repeat=2) if square or i + j <= parts]
    number: dict[Any, int] = {place: k for k, place in enumerate(places)}
    pieces = []
    for i, j in product(range(parts), repeat=2):
        for piece in (((i, j), (i + 1, j), (i, j + 1)), ((i + 1, j), (i + 1, j + 1), (i, j + 1))):
            if all(place in number for place in piece):
                pieces.append([number[place] for place in piece])
    return np.array(places, float).T / parts, np.array(pieces)
