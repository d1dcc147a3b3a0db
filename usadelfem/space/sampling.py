"""Where the values of a picture or a table are: all nodes, points of every cell, lines, grids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import numbers, shown
from ..errors import ObservableError
from .locate import Location, locate, locate_inside
from .space import Index, Real, Space, basis_values

Places = ArrayLike | Mapping[str, ArrayLike]


@dataclass(frozen=True, eq=False)
class Sites:
    """Points of a table.

    Attributes
    ----------
    dims
        Names of its axes.
    coordinates
        Name -> axes, values, unit.
    location, inside
        Where those points lie that are inside of the mesh, and which these are, shape (points,).
    shape
        Number of points along each axis.
    """

    dims: tuple[str, ...]
    coordinates: Mapping[str, tuple[tuple[str, ...], Any, str]]
    location: Location
    inside: NDArray[np.bool_]
    shape: tuple[int, ...]

    def table(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (..., points inside) at all points, (..., *shape), NaN outside."""
        nothing = complex(np.nan, np.nan) if np.iscomplexobj(values) else np.nan
        whole = np.full((*values.shape[:-1], len(self.inside)), nothing)
        whole[..., self.inside] = values
        return whole.reshape(*values.shape[:-1], *self.shape)


def used_nodes(space: Space) -> Index:
    """All nodes but ghosts, ascending."""
    return np.unique(space.cells)


def node_sites(space: Space, axes: list[str], unit: str) -> Sites:
    """All nodes but ghosts, those on barriers once for each side; axes of the mesh and their unit for coordinates."""
    nodes = used_nodes(space)
    location = Location(np.zeros(len(nodes), np.int64), nodes[:, None], np.ones((len(nodes), 1)))
    coordinates = {name: (("node",), row[nodes], unit) for name, row in zip(axes, space.nodes, strict=True)}
    return Sites(("node",), coordinates, location, np.ones(len(nodes), bool), (len(nodes),))


def sites(space: Space, points: Places, axes: list[str], unit: str) -> Sites:
    """Given points, which must lie in the mesh, or a grid, which may reach beyond it.

    Parameters
    ----------
    space
        The discretisation.
    points
        Positions (dim, npoints), or the name of every axis of the mesh -> values along it.
    axes, unit
        Names of the axes of the mesh, and the unit of lengths.

    Raises
    ------
    ObservableError
        If a point lies outside, or the grid has other axes.
    """
    if not isinstance(points, Mapping):
        location, x = locate(space, points), np.asarray(points, float)
        steps = np.sqrt((np.diff(x, axis=1, prepend=x[:, :1]) ** 2).sum(axis=0))
        rows = dict(zip([*axes, "distance"], [*x, np.cumsum(steps)], strict=True))
        coordinates = {name: (("point",), row, unit) for name, row in rows.items()}
        return Sites(("point",), coordinates, location, np.ones(x.shape[1], bool), x.shape[1:])
    if set(points) != set(axes):
        raise ObservableError(f"points have the axes {shown(list(points))}; allowed are those of the mesh: {axes}")
    allowed = "are finite numbers, shape (n,)"
    sides = [np.atleast_1d(numbers(f"points[{name!r}]", points[name], allowed, error=ObservableError)) for name in axes]
    places = np.array([side.ravel() for side in np.meshgrid(*sides, indexing="ij")])
    coordinates = {name: ((name,), side, unit) for name, side in zip(axes, sides, strict=True)}
    return Sites(tuple(axes), coordinates, *locate_inside(space, places), tuple(map(len, sides)))


def cell_points(space: Space, local: Real) -> tuple[Real, Location]:
    """The same m local points (dim, m) in every cell: positions (dim, cells, m), and their location, cell by cell."""
    phi = basis_values(space.basis.elem, local)
    cells, m = len(space.cells), phi.shape[1]
    own = np.repeat(np.arange(cells), m)
    return space.nodes[:, space.cells] @ phi, Location(own, space.cells[own], np.tile(phi.T, (cells, 1)))
