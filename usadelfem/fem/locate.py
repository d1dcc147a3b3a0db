"""Where points lie in a mesh, and interpolation to them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from ..errors import ObservableError
from .space import Index, Real, Space, basis_values

_OUTSIDE = (ValueError, IndexError)  # what finders say of a point outside; on lines beyond the last vertex the second
_NUDGE = 1e-9  # relative to the distance from the nearest cell centre


@dataclass(frozen=True, eq=False)
class Location:
    """Points in cells.

    Attributes
    ----------
    cells
        The cell of each point, shape (npoints,).
    nodes, phi
        Nodes of that cell and the values of their basis functions at the point, shapes (npoints, local nodes).
    """

    cells: Index
    nodes: Index
    phi: Real

    def interpolate(self, nodal: NDArray[Any]) -> NDArray[Any]:
        """Values (..., nodes, components) at the nodes to values (..., npoints, components) at the points."""
        return np.asarray(np.einsum("...pic,pi->...pc", nodal[..., self.nodes, :], self.phi))


def locate(space: Space, points: ArrayLike) -> Location:
    """Find points in the mesh.

    Parameters
    ----------
    space
        The discretisation.
    points
        Positions, shape (dim, npoints).

    Raises
    ------
    ObservableError
        If the array has another shape, or a point lies outside the mesh.
    """
    x = np.asarray(points, float)
    if x.ndim != 2 or x.shape[0] != space.dim:
        raise ObservableError(f"points have shape {x.shape}; allowed is ({space.dim}, npoints)")
    cells = _find(space, x)
    local = np.asarray(space.basis.mapping.invF(x[:, :, None], tind=cells))
    return Location(cells, space.cells[cells], basis_values(space.basis.elem, local)[:, :, 0].T)


def _find(space: Space, x: Real) -> Index:
    finder = space.mesh.element_finder(mapping=space.basis.mapping)
    try:
        return np.asarray(finder(*x), np.int64)
    except _OUTSIDE:
        inner = _nudged(space, x)
    try:
        return np.asarray(finder(*inner), np.int64)
    except _OUTSIDE as error:
        outside = x[:, _first_outside(finder, inner)]
        lower, upper = space.mesh.p.min(axis=1), space.mesh.p.max(axis=1)
        place = ", ".join(f"{value:g}" for value in outside)
        raise ObservableError(f"point ({place}) lies outside the mesh, which spans {lower} to {upper}") from error


def _nudged(space: Space, x: Real) -> Real:
    """Points moved by rounding errors towards the nearest cell centre: one on the boundary may count as outside."""
    centres = space.mesh.p[:, space.mesh.t].mean(axis=1)
    _, nearest = cKDTree(centres.T).query(x.T)
    return np.asarray(x + _NUDGE * (centres[:, nearest] - x))


def _first_outside(finder: Any, x: Real) -> int:
    """Index of the first point that the finder refuses, by bisection."""

    def refused(count: int) -> bool:
        try:
            finder(*x[:, :count])
        except _OUTSIDE:
            return True
        return False

    return bisect_left(range(1, x.shape[1] + 1), True, key=refused)
