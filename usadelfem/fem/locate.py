"""Where points lie in a mesh, and interpolation to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ObservableError
from .space import Index, Real, Space


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
    element = space.basis.elem
    count = space.cells.shape[1]
    phi = np.array([np.broadcast_to(element.lbasis(local, i)[0], local.shape[1:])[:, 0] for i in range(count)]).T
    return Location(cells, space.cells[cells], phi)


def _find(space: Space, x: Real) -> Index:
    lower, upper = space.mesh.p.min(axis=1), space.mesh.p.max(axis=1)
    outside = ((x < lower[:, None]) | (x > upper[:, None])).any(axis=0)
    try:
        if not outside.any():
            return np.asarray(space.mesh.element_finder(mapping=space.basis.mapping)(*x), np.int64)
    except ValueError as error:
        raise ObservableError("a point lies outside the mesh") from error
    raise ObservableError(f"point {tuple(x[:, outside][:, 0])} lies outside the mesh, which spans {lower} to {upper}")
