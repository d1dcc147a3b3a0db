"""Triangles drawn out along z: prisms, cut into tetrahedra."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray

from ..mesh.facets import find_rows

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def extruded(mesh: Any, height: float, layers: int, symmetric: bool) -> Any:
    """The tetrahedra of a mesh of triangles between z = 0 and a height.

    Every prism is cut into 3 tetrahedra, or if the mesh is to keep the mirror symmetries of its triangles, and one
    along z, into 14 through its centre and those of its walls. Facet sets become walls; `bottom` and `top` are added.
    """
    count = mesh.nvertices
    points = np.vstack([np.tile(mesh.p, layers + 1), np.repeat(np.linspace(0.0, height, layers + 1), count)])
    triangles = np.sort(mesh.t, axis=0)
    prisms = np.hstack([np.vstack([triangles + k * count, triangles + (k + 1) * count]) for k in range(layers)])
    carrier = np.tile(np.arange(count), layers + 1)
    if symmetric:
        points, cells, carrier = _fourteen(mesh, points, prisms, carrier)
    else:
        a, b, c, d, e, f = prisms
        cells = [np.vstack(four) for four in ((a, b, c, f), (a, b, e, f), (a, d, e, f))]
    made = skfem.MeshTet1(points, np.hstack(cells))
    owner = np.tile(np.tile(np.arange(mesh.nelements), layers), len(cells))
    wall = _walls(mesh, carrier[made.facets])
    z = points[2, made.facets]
    sets = {name: np.flatnonzero(np.isin(wall, own)) for name, own in mesh.boundaries.items()}
    ends = {name: np.flatnonzero((z == at).all(axis=0)) for name, at in (("bottom", 0.0), ("top", height))}
    regions = {name: np.flatnonzero(np.isin(owner, own)) for name, own in mesh.subdomains.items()}
    return replace(made, _subdomains=regions, _boundaries={**sets, **ends})


def _fourteen(mesh: Any, points: Floats, prisms: Ints, carrier: Ints) -> tuple[Floats, list[Ints], Ints]:
    """Points with the centres of prisms and walls, tetrahedra, and what carries each point.

    That is the vertex below it, of a wall its facet, counted on from the vertices, and of a prism -1.
    """
    count, n_facets, layers = mesh.nvertices, mesh.facets.shape[1], prisms.shape[1] // mesh.nelements
    walls = np.hstack([np.vstack([mesh.facets + k * count, mesh.facets + (k + 1) * count]) for k in range(layers)])
    first_wall = points.shape[1]
    centre = first_wall + walls.shape[1] + np.arange(prisms.shape[1])
    cells = [np.vstack([*prisms[:3], centre]), np.vstack([*prisms[3:], centre])]
    for i, j in ((0, 1), (1, 2), (0, 2)):
        facet = find_rows(np.sort(mesh.facets.T, axis=1), np.sort(np.sort(mesh.t, axis=0)[[i, j]].T, axis=1))
        middle = first_wall + np.concatenate([facet + k * n_facets for k in range(layers)])
        for one, two in ((i, j), (j, j + 3), (j + 3, i + 3), (i + 3, i)):
            cells.append(np.vstack([prisms[one], prisms[two], middle, centre]))
    carriers = [carrier, np.tile(count + np.arange(n_facets), layers), np.full(prisms.shape[1], -1)]
    grown = np.hstack([points, points[:, walls].mean(axis=1), points[:, prisms].mean(axis=1)])
    return grown, cells, np.concatenate(carriers)


def _walls(mesh: Any, carriers: Ints) -> Ints:
    """The facet of the triangles on whose wall each facet of tetrahedra lies, or -1; carriers are (3, facets)."""
    count = mesh.nvertices
    low, high = carriers.min(axis=0), carriers.max(axis=0)
    middle = np.sort(carriers, axis=0)[1]
    wall = np.where((low >= 0) & (high >= count), high - count, -1)
    edge = (low >= 0) & (high < count) & (low < high) & ((middle == low) | (middle == high))
    wall[edge] = find_rows(np.sort(mesh.facets.T, axis=1), np.vstack([low, high])[:, edge].T)
    return np.asarray(wall)
