"""Linear and quadratic cells as VTK and meshio know them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

STRAIGHT = 1e-9  # of the size of a cell: how far a node may lie from the middle of the corners it belongs to

# Corners of the reference cells in VTK's order, and of which corners the means are the other nodes of quadratic ones
# (VTK, vtkCellType.h and the classes vtkQuadraticEdge, ..., vtkTriQuadraticHexahedron).
_SIMPLEX = {dim: np.concatenate([np.zeros((1, dim)), np.eye(dim)]) for dim in (1, 2, 3)}
_SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
_CUBE = np.array([[*corner, z] for z in (0, 1) for corner in _SQUARE], float)
_RING = [(0, 1), (1, 2), (2, 3), (3, 0)]
_HEXAHEDRON: list[tuple[int, ...]] = [
    *_RING, *((a + 4, b + 4) for a, b in _RING), *((k, k + 4) for k in range(4)), (0, 3, 7, 4), (1, 2, 6, 5),
    (0, 1, 5, 4), (3, 2, 6, 7), (0, 1, 2, 3), (4, 5, 6, 7), tuple(range(8)),
]  # fmt: skip
# (dimension, nodes of a cell) -> number of the VTK type, name in meshio, corners, means.
CELL_TYPES: dict[tuple[int, int], tuple[int, str, Real, list[tuple[int, ...]]]] = {
    (1, 2): (3, "line", _SIMPLEX[1], []),
    (1, 3): (21, "line3", _SIMPLEX[1], [(0, 1)]),
    (2, 3): (5, "triangle", _SIMPLEX[2], []),
    (2, 6): (22, "triangle6", _SIMPLEX[2], [(0, 1), (1, 2), (2, 0)]),
    (2, 4): (9, "quad", _SQUARE, []),
    (2, 9): (28, "quad9", _SQUARE, [*_RING, (0, 1, 2, 3)]),
    (3, 4): (10, "tetra", _SIMPLEX[3], []),
    (3, 10): (24, "tetra10", _SIMPLEX[3], [(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)]),
    (3, 8): (12, "hexahedron", _CUBE, []),
    (3, 27): (29, "hexahedron27", _CUBE, _HEXAHEDRON),
}


def straightened(kind: str, nodes: NDArray[np.int64], points: Real) -> tuple[str, NDArray[np.int64]]:
    """The type and the corners of quadratic cells whose other nodes lie in the middle of edges, faces and cells.

    Cells of another type, and curved ones, are returned as they are.

    Parameters
    ----------
    kind
        Type of the cells in meshio.
    nodes
        Nodes of every cell in VTK's order, shape (cells, nodes).
    points
        Positions, shape (points, 3).
    """
    found = [(dim, corners, means) for (dim, _), (_, name, corners, means) in CELL_TYPES.items() if name == kind]
    if not found or not found[0][2] or not len(nodes):
        return kind, nodes
    dim, corners, means = found[0]
    count = len(corners)
    x = points[nodes]
    size = np.ptp(x[:, :count], axis=1).max(axis=1)
    middles = np.stack([x[:, list(group)].mean(axis=1) for group in means], axis=1)
    away = abs(x[:, count:] - middles).max(axis=(1, 2))
    if (away > STRAIGHT * size).any():
        return kind, nodes
    return CELL_TYPES[dim, count][1], nodes[:, :count]
