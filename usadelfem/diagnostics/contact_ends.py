"""Where a contact ends and boundary conditions change: gradients are infinite there, unless it is in a corner."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fem.problem import Problem
from ..space.space import Index, Real

# Cosine between the outer normals of two facets below which a convex edge is a right angle or sharper.
SHARP = 0.2


def contact_ends(problem: Problem) -> NDArray[np.bool_]:
    """The cells at ends of rigid contacts, shape (cells,).

    Ends are the points in 2D, the edges in 3D, at which a contact inside the mesh ends, or one on the boundary goes
    over into a free surface at more than a right angle: there g varies like the square root of the distance.
    """
    mesh, space = problem.space.mesh, problem.space
    found = np.zeros(mesh.nvertices, bool)
    if mesh.dim() == 1:
        return np.zeros(mesh.nelements, bool)
    contact = np.zeros(mesh.facets.shape[1], bool)
    for name, electrode in problem.electrodes.items():
        if np.isin(electrode.nodes, space.cells).all():  # else behind a barrier
            contact[np.asarray(mesh.boundaries[name], np.int64)] = True
    outer = np.flatnonzero(mesh.f2t[1] < 0)
    ridges, facet = _ridges(mesh, np.union1d(np.flatnonzero(contact), outer))
    _, number, count = np.unique(ridges, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(number.ravel(), kind="stable")
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    inside = (mesh.f2t[1, facet] >= 0)[order]
    single = order[first[(count == 1) & inside[first]]]
    found[ridges[single]] = True
    pairs = order[first[count == 2, None] + [0, 1]]
    one, two = facet[pairs].T
    changes = contact[one] != contact[two]
    ends = changes & ~_is_corner(mesh, one, two)
    found[ridges[pairs[ends, 0]]] = True
    return np.asarray(found[mesh.t].any(axis=0))


def _ridges(mesh: Any, facets: Index) -> tuple[Index, Index]:
    """Vertices of the ends of facets, points in 2D and edges in 3D, and the facet of each."""
    corners = mesh.facets[:, facets]
    if mesh.dim() == 2:
        return corners.T.reshape(-1, 1), np.repeat(facets, 2)
    edges = np.stack([corners, np.roll(corners, -1, axis=0)], axis=-1)  # quadrilaterals in the order around them
    return np.sort(edges.transpose(1, 0, 2).reshape(-1, 2), axis=1), np.repeat(facets, len(corners))


def _is_corner(mesh: Any, one: Index, two: Index) -> NDArray[np.bool_]:
    """Whether pairs of outer facets meet at a right angle or sharper, seen from inside."""
    first, second = _outer_normals(mesh, one), _outer_normals(mesh, two)
    between = (mesh.p[:, mesh.facets[:, two]].mean(axis=1) - mesh.p[:, mesh.facets[:, one]].mean(axis=1)).T
    convex = (between * first).sum(axis=1) < 0
    return np.asarray(convex & ((first * second).sum(axis=1) < SHARP))


def _outer_normals(mesh: Any, facets: Index) -> Real:
    """Unit normals (facets, dim) that point away from the cells of outer facets."""
    corners = mesh.p[:, mesh.facets[:, facets]]
    edge = (corners[:, 1] - corners[:, 0]).T
    if mesh.dim() == 2:
        normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1)
    else:
        normal = np.cross(edge, (corners[:, 2] - corners[:, 0]).T)
    inward = (mesh.p[:, mesh.t[:, mesh.f2t[0, facets]]].mean(axis=1) - corners.mean(axis=1)).T
    sign = -np.sign((normal * inward).sum(axis=1))
    return np.asarray(normal * (sign / np.linalg.norm(normal, axis=1))[:, None])
