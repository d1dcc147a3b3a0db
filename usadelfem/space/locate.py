"""Where points lie in a mesh, and interpolation to them, in memory and time proportional to points and cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..checks import as_array, shown
from ..errors import ObservableError
from .space import Index, Real, Space, basis_values

# A point counts as inside of a cell whose local coordinates it leaves by no more than this, or by rounding of its
# position, that is by this part of the size of the mesh.
TOLERANCE, ROUNDING = 1e-9, 1e-14
# Newton's method for the local coordinates in quadrilaterals and hexahedra.
STEPS = 20
CONVERGED = 1e-13
# Cells are asked for in the order of the distance of their centres: so many at first, each time GROWTH times more.
FIRST, GROWTH = 4, 4
PAIRS = 2**18  # pairs of a point and a cell that are looked at together
OCTAVE = 4.0  # largest ratio of the radii of cells that are searched together


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
        total = np.zeros((*nodal.shape[:-2], len(self.cells), nodal.shape[-1]), np.result_type(nodal, float))
        for nodes, weights in zip(self.nodes.T, self.phi.T, strict=True):  # one at a time: no array beyond the result
            total += nodal[..., nodes, :] * weights[:, None]
        return total


def locate(space: Space, points: ArrayLike) -> Location:
    """Find points in the mesh.

    Parameters
    ----------
    space
        The discretisation.
    points
        Positions, shape (dim, npoints); npoints may be 0.

    Raises
    ------
    ObservableError
        If the array has another shape or is not of finite real numbers, or a point lies outside the mesh.
    """
    x = checked_points(space.dim, points)
    cells, local = _Finder(space).find(x)
    missing = np.flatnonzero(cells < 0)
    if len(missing):
        lower, upper = space.mesh.p.min(axis=1), space.mesh.p.max(axis=1)
        many = "" if len(missing) == 1 else f" ({len(missing)} of {x.shape[1]} points do)"
        raise ObservableError(
            f"point {_place(x[:, missing[0]])} lies outside the mesh, which spans {lower} to {upper}{many}"
        )
    return Location(cells, space.cells[cells], basis_values(space.basis.elem, local).T)


def locate_inside(space: Space, points: ArrayLike) -> tuple[Location, NDArray[np.bool_]]:
    """Find those points (dim, npoints) that lie in the mesh, and tell which do, shape (npoints,).

    Raises
    ------
    ObservableError
        If the array has another shape or is not of finite real numbers.
    """
    cells, local = _Finder(space).find(checked_points(space.dim, points))
    inside = cells >= 0
    cells = cells[inside]
    return Location(cells, space.cells[cells], basis_values(space.basis.elem, local[:, inside]).T), inside


def checked_points(dim: int, points: Any) -> Real:
    """Positions as an array (dim, npoints); ObservableError unless they are finite real numbers."""
    array = as_array(points)
    if array is None or array.dtype.kind not in "iuf":
        raise ObservableError(f"points are {shown(points)}; allowed are real numbers, shape ({dim}, npoints)")
    if array.ndim != 2 or len(array) != dim:
        hint = ""
        if array.ndim == 2 and array.shape[1] == dim:
            hint = ": transpose them"
        elif array.ndim == 1 and dim in (1, len(array)):
            hint = f": give points[{'None, :' if dim == 1 else ':, None'}]"
        raise ObservableError(f"points have shape {array.shape}; allowed is ({dim}, npoints){hint}")
    bad = ~np.isfinite(array).all(axis=0)
    if bad.any():
        first = int(np.argmax(bad))
        raise ObservableError(
            f"{int(bad.sum())} of {array.shape[1]} points are not finite, the first is number {first}, "
            f"{_place(array[:, first])}; allowed are points of the mesh"
        )
    return array.astype(float)


def _place(point: Real) -> str:
    return f"({', '.join(f'{value:.6g}' for value in point)})"


class _Finder:
    """Searches the cells of a mesh, those of similar size together, by the distance of their centres."""

    def __init__(self, space: Space) -> None:
        self.space = space
        mesh = space.mesh
        self.corners = np.asarray(mesh.p)[:, mesh.t]  # (dim, corners, cells)
        self.centres = self.corners.mean(axis=1)
        self.low, self.high = self.corners.min(axis=1), self.corners.max(axis=1)
        self.radii = np.sqrt(((self.corners - self.centres[:, None]) ** 2).sum(axis=0)).max(axis=0)
        self.size = float(np.ptp(mesh.p, axis=1).max())
        self.reference = np.asarray(mesh.elem.refdom.p, float)
        self.affine = self.reference.shape[1] == space.dim + 1

    def find(self, x: Real) -> tuple[Index, Real]:
        """Cells of points (dim, n), -1 of those outside, and the local coordinates in them, (dim, n)."""
        cells, local = np.full(x.shape[1], -1), np.zeros(x.shape)
        if not x.shape[1]:
            return cells, local
        groups = list(self._groups())
        count = FIRST
        while True:
            exhausted = True
            for tree, own, radius in groups:
                left = np.flatnonzero(cells < 0)
                if len(left) and (count == FIRST or count // GROWTH < len(own)):
                    exhausted &= self._search(tree, own, radius, min(count, len(own)), x, left, cells, local)
            if exhausted or (cells >= 0).all():
                return cells, local
            count *= GROWTH

    def _groups(self) -> Iterator[tuple[Any, Index, float]]:
        """Cells of similar radius: a tree of their centres, their numbers, and the largest radius."""
        octave = np.floor(np.log(self.radii) / np.log(OCTAVE)).astype(int)
        values, counts = np.unique(octave, return_counts=True)
        for value in values[np.argsort(-counts)]:
            own = np.flatnonzero(octave == value)
            yield scipy.spatial.cKDTree(self.centres[:, own].T), own, float(self.radii[own].max())

    def _search(
        self, tree: Any, own: Index, radius: float, count: int, x: Real, left: Index, cells: Index, local: Real
    ) -> bool:  # fmt: skip
        """Look for points in their nearest cells of a group; returns whether no further cell of it can hold any."""
        exhausted, reach = True, radius * (1 + 1e-6) + ROUNDING * self.size
        for start in range(0, len(left), max(1, PAIRS // count)):
            rows = left[start : start + max(1, PAIRS // count)]
            _, near = tree.query(x[:, rows].T, k=np.arange(1, count + 1), distance_upper_bound=reach)
            known = near < len(own)  # others are farther than any cell reaches
            exhausted &= count == len(own) or not known[:, -1].any()
            point, column = np.nonzero(known)
            candidates = own[near[point, column]]
            inside = self._in_box(x[:, rows[point]], candidates)
            point, candidates = point[inside], candidates[inside]
            coordinates, outside = self._coordinates(x[:, rows[point]], candidates)
            inside = outside <= self._slack(candidates)
            found, first = np.unique(point[inside], return_index=True)  # of several cells the nearest
            cells[rows[found]] = candidates[inside][first]
            local[:, rows[found]] = coordinates[:, inside][:, first]
        return exhausted

    def _in_box(self, x: Real, cells: Index) -> NDArray[np.bool_]:
        """Whether points lie in the bounding boxes of cells."""
        slack = self._slack(cells) * 2 * self.radii[cells]
        low, high = self.low[:, cells] - slack, self.high[:, cells] + slack
        return np.asarray(((x >= low) & (x <= high)).all(axis=0))

    def _slack(self, cells: Index) -> Real:
        return np.asarray(TOLERANCE + ROUNDING * self.size / self.radii[cells])

    def _coordinates(self, x: Real, cells: Index) -> tuple[Real, Real]:
        """Local coordinates (dim, n) of points in cells, and by how much they leave the reference cell, (n,)."""
        if self.affine:
            inverse = self.space.inverse[cells, 0]
            local = np.einsum("nmk,kn->mn", inverse, x - self.corners[:, 0, cells])
            return np.asarray(local), np.maximum(-local.min(axis=0), local.sum(axis=0) - 1)
        local = self._invert(x, cells)
        return local, np.maximum(-local.min(axis=0), local.max(axis=0) - 1)

    def _invert(self, x: Real, cells: Index) -> Real:
        """Local coordinates by Newton's method, infinite where it does not converge: there the point is outside."""
        local, reference = np.full(x.shape, 0.5), self.reference[:, :, None]
        slopes, active = np.where(reference > 0.5, 1.0, -1.0), np.arange(len(cells))
        for _ in range(STEPS):
            own, corners = local[:, active], self.corners[:, :, cells[active]]
            factors = np.where(reference > 0.5, own[:, None], 1 - own[:, None])  # (dim, corners, n)
            residual = np.einsum("kcn,cn->kn", corners, factors.prod(axis=0)) - x[:, active]
            left = ~(abs(residual).max(axis=0) <= CONVERGED * self.radii[cells[active]] + 0.1 * ROUNDING * self.size)
            active, own, residual = active[left], own[:, left], residual[:, left]
            if not len(active):
                break
            corners, factors = corners[..., left], factors[..., left]
            jacobian = [
                np.einsum("kcn,cn->kn", corners, slopes[m] * np.delete(factors, m, axis=0).prod(axis=0))
                for m in range(len(own))
            ]
            local[:, active] = np.clip(own - _solved(np.stack(jacobian, axis=1), residual), -1.0, 2.0)
        local[:, active] = np.inf
        return local


def _solved(matrices: Real, rhs: Real) -> Real:
    """Solutions of small linear systems (k, m, n), (k, n); singular ones are left where they are."""
    moved = np.moveaxis(matrices, -1, 0)
    scale = abs(moved).max(axis=(1, 2))
    good = abs(np.linalg.det(moved)) > 1e-14 * scale ** moved.shape[1]
    moved = np.where(good[:, None, None], moved, np.eye(moved.shape[1]))
    step = np.linalg.solve(moved, np.where(good, rhs, 0.0).T[..., None])[..., 0]
    return np.asarray(step.T)
