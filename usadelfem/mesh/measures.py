"""What a mesh is like: how large its parts are, how long its edges, how far from regular its cells."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CELLS = {"MeshLine1": "lines", "MeshTri1": "triangles", "MeshQuad1": "quadrilaterals",
         "MeshTet1": "tetrahedra", "MeshHex1": "hexahedra"}  # fmt: skip
# Corners of a cell that are joined to each of its corners, in the numbering of scikit-fem; all, where it is a simplex.
NEIGHBOURS: dict[str, list[tuple[int, ...]]] = {
    "MeshQuad1": [(1, 3), (2, 0), (3, 1), (0, 2)],
    "MeshHex1": [(1, 2, 3), (0, 4, 5), (0, 4, 6), (0, 5, 6), (1, 2, 7), (1, 3, 7), (2, 3, 7), (4, 5, 6)],
}


@dataclass(frozen=True)
class Part:
    """A region or a facet set.

    Attributes
    ----------
    name
        Its name.
    count
        Number of cells or facets.
    size
        Length, area or volume; of facets of a line, which are points, their number.
    inside
        Whether a facet set lies inside of the mesh, all or in part: "no", "yes" or "partly"; empty for a region.
    """

    name: str
    count: int
    size: float
    inside: str = ""


@dataclass(frozen=True)
class MeshMeasures:
    """What a mesh is like.

    Attributes
    ----------
    dim, cells, kind, vertices
        Dimension, number of cells and what they are called, number of vertices.
    extents
        Lowest and highest coordinate along each axis.
    edges
        Shortest and longest edge.
    quality
        Of the worst cell and on average: 1 regular, 0 flat. Of simplices the mean of the squared edges that a regular
        one of the same volume has, over its own (Liu and Joe, BIT 34, 268 (1994)); of others the smallest determinant
        of the edges at a corner over the product of their lengths. None on a line.
    regions, facet_sets
        Its named parts.
    """

    dim: int
    cells: int
    kind: str
    vertices: int
    extents: tuple[tuple[float, float], ...]
    edges: tuple[float, float]
    quality: tuple[float, float] | None
    regions: tuple[Part, ...]
    facet_sets: tuple[Part, ...]


def measure(mesh: Any) -> MeshMeasures:
    """Measure a mesh with named regions, as `read_mesh` returns it."""
    volume, lengths = cell_volumes(mesh), edge_lengths(mesh)
    quality = None if mesh.dim() == 1 else cell_quality(mesh)
    area, inner = facet_areas(mesh), mesh.f2t[1] >= 0
    return MeshMeasures(
        mesh.dim(), mesh.nelements, CELLS[type(mesh).__name__], mesh.nvertices,
        tuple((float(x.min()), float(x.max())) for x in mesh.p),
        (float(lengths.min()), float(lengths.max())),
        None if quality is None else (float(quality.min()), float(quality.mean())),
        tuple(Part(name, len(own), float(volume[own].sum())) for name, own in _sets(mesh.subdomains)),
        tuple(
            Part(name, len(own), float(area[own].sum()), _inside(inner[own])) for name, own in _sets(mesh.boundaries)
        ),
    )  # fmt: skip


def _sets(named: Any) -> list[tuple[str, NDArray[np.int64]]]:
    return [(name, np.asarray(own, np.int64)) for name, own in sorted((named or {}).items())]


def _inside(inner: NDArray[np.bool_]) -> str:
    return "yes" if inner.all() else "partly" if inner.any() else "no"


def cell_volumes(mesh: Any) -> Floats:
    """Length, area or volume of every cell, shape (cells,); exact also for skewed quadrilaterals and hexahedra."""
    if type(mesh).__name__ not in NEIGHBOURS:
        corners = mesh.p[:, mesh.t]
        edges = np.moveaxis(corners[:, 1:] - corners[:, :1], -1, 0)
        return np.asarray(abs(np.linalg.det(edges)) / factorial(mesh.dim()))
    node = 0.5 + np.array([-1, 1]) / (2 * np.sqrt(3))  # the determinant is of second order along each axis
    points = np.array(np.meshgrid(*[node] * mesh.dim())).reshape(mesh.dim(), -1)
    return np.asarray(abs(mesh.mapping().detDF(points)).mean(axis=1))


def edge_lengths(mesh: Any) -> Floats:
    """Length of every edge of every cell, diagonals excluded; shape (edges, cells)."""
    count, joined = len(mesh.t), NEIGHBOURS.get(type(mesh).__name__)
    ends = [(a, b) for a in range(count) for b in (range(a) if joined is None else joined[a]) if b < a]
    first, second = np.array(ends).T
    return np.asarray(np.linalg.norm(mesh.p[:, mesh.t[first]] - mesh.p[:, mesh.t[second]], axis=0))


def facet_areas(mesh: Any) -> Floats:
    """Number, length or area of every facet, shape (facets,)."""
    corners = np.moveaxis(mesh.p[:, mesh.facets], -1, 0)  # (facets, dim, corners)
    if mesh.dim() == 1:
        return np.ones(len(corners))
    if corners.shape[2] == 4:
        return np.asarray(0.5 * np.linalg.norm(np.cross(*_diagonals(corners)), axis=1))
    edges = corners[..., 1:] - corners[..., :1]
    gram = np.einsum("fdi,fdj->fij", edges, edges)
    return np.asarray(np.sqrt(np.linalg.det(gram)) / factorial(edges.shape[2]))


def _diagonals(corners: Floats) -> tuple[Floats, Floats]:
    """The diagonals of quadrilaterals (facets, dim, 4), whatever order their corners come in.

    Of the three pairs of opposite edges the diagonals are the one whose cross product is largest.
    """
    pairs = [(corners[..., a] - corners[..., b], corners[..., c] - corners[..., d])
             for a, b, c, d in ((0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2))]  # fmt: skip
    areas = np.array([np.linalg.norm(np.cross(one, two), axis=1) for one, two in pairs])
    best = areas.argmax(axis=0)
    chosen = np.arange(len(corners))
    return tuple(np.array([pair[k] for pair in pairs])[best, chosen] for k in (0, 1))


def cell_quality(mesh: Any) -> Floats:
    """Quality of every cell of a mesh of two or three dimensions, shape (cells,); see `MeshMeasures`."""
    joined, dim = NEIGHBOURS.get(type(mesh).__name__), mesh.dim()
    if joined is None:
        regular = {2: 4 * np.sqrt(3), 3: 12 * 9 ** (1 / 3)}[dim]  # sum of squared edges over volume^(2/dim)
        return np.asarray(regular * cell_volumes(mesh) ** (2 / dim) / (edge_lengths(mesh) ** 2).sum(axis=0))
    corners = np.moveaxis(mesh.p[:, mesh.t], -1, 0)
    edges = np.stack([corners[..., list(ends)] - corners[..., [k]] for k, ends in enumerate(joined)], axis=1)
    size = np.linalg.norm(edges, axis=2).prod(axis=-1)
    return np.asarray((abs(np.linalg.det(edges)) / size).min(axis=1))
