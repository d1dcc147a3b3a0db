"""The discretisation of a mesh: nodes, basis tables, quadrature; built once, read-only.

Along barriers the unknowns jump. The mesh stays as it is; the nodes on a barrier are multiplied, one copy for every
group of cells around it that is connected without crossing the barrier. Where barriers cross there are four copies,
where one ends on another three, and at an end inside the domain a single one. A barrier towards a reservoir has copies
of its nodes that belong to no cell, *ghosts*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..checks import shown
from ..frozen import FrozenRecord

Real = NDArray[np.float64]
Index = NDArray[np.int64]
_NONE: Index = np.empty(0, np.int64)

_ELEMENTS: dict[type, tuple[Any, Any]] = {
    skfem.MeshLine1: (skfem.ElementLineP1, skfem.ElementLineP2),
    skfem.MeshTri1: (skfem.ElementTriP1, skfem.ElementTriP2),
    skfem.MeshQuad1: (skfem.ElementQuad1, skfem.ElementQuad2),
    skfem.MeshTet1: (skfem.ElementTetP1, skfem.ElementTetP2),
    skfem.MeshHex1: (skfem.ElementHex1, skfem.ElementHex2),
}


@dataclass(frozen=True, eq=False, repr=False)
class Space(FrozenRecord):
    """Lagrange elements of one order on one mesh, discontinuous along barriers.

    Attributes
    ----------
    mesh, order, basis
        The scikit-fem mesh, the polynomial order (1 or 2) and the scalar scikit-fem basis, which knows no barriers.
    nodes
        Positions of the nodes, shape (dim, nodes); ghosts come last.
    origin
        Degree of freedom of `basis` that each node is a copy of, shape (nodes,).
    barriers
        Inner facets along which the nodes are multiplied.
    ghosts
        For every set of facets that asked for ghosts, its nodes and their ghosts, two arrays of the same length.
    cells
        Nodes of every cell, shape (cells, local nodes).
    phi, dphi
        Basis functions and their reference gradients at the quadrature points, shapes (points, local nodes) and
        (points, local nodes, dim).
    inverse
        Inverse Jacobians, shape (cells, 1 or points, dim, dim): one per cell where the mapping is affine.
    dx
        Quadrature weights times the Jacobian determinant, shape (cells, points).
    """

    mesh: Any
    order: int
    basis: Any
    nodes: Real
    origin: Index
    barriers: Index
    ghosts: tuple[tuple[Index, Index], ...]
    cells: Index
    phi: Real
    dphi: Real
    inverse: Real
    dx: Real

    @property
    def dim(self) -> int:
        """Space dimension of the mesh."""
        return int(self.mesh.dim())

    @cached_property
    def corners(self) -> Index:
        """The nodes that are vertices of cells, every copy of a vertex on a barrier by itself; sorted."""
        return np.unique(self.corner_cells)

    @property
    def corner_cells(self) -> Index:
        """The nodes at the vertices of every cell, shape (cells, vertices of a cell)."""
        return self.cells[:, : len(self.mesh.t)]

    def at_vertices(self, corner_values: NDArray[Any], region: str | None = None) -> NDArray[Any]:
        """Values (..., corners) to the vertices of the mesh (..., vertices), the mean over the copies of a vertex.

        With a region over its own copies only, and zero at the vertices outside of it.
        """
        cells = slice(None) if region is None else np.asarray(self.mesh.subdomains[region])
        corners, first = np.unique(self.corner_cells[cells], return_index=True)
        vertex = self.mesh.t.T[cells].ravel()[first]
        values = corner_values[..., np.searchsorted(self.corners, corners)]
        count = np.bincount(vertex, minlength=self.mesh.nvertices)
        out = np.zeros((*values.shape[:-1], self.mesh.nvertices), values.dtype)
        np.add.at(out.T, vertex, values.T)
        return np.asarray(out / np.maximum(count, 1))

    def facet_corners(self, facets: Index, side: int = 0) -> tuple[Index, Index]:
        """Nodes of facets as the cells on one side (row of the mesh's f2t) have them, and their local numbers there.

        Both have shape (facets, nodes of a facet), ordered by `origin`, so that rows of the two sides match.
        """
        cells, local = _facet_places(self.mesh, self.basis.elem, self.origin[self.cells], facets, side)
        return self.cells[cells[:, None], local], local

    def facet_nodes(self, facets: Index) -> Index:
        """All nodes that lie on the given facets, as the first cell of each facet has them; sorted."""
        if not len(facets):
            return np.empty(0, np.int64)
        return np.unique(self.facet_corners(facets)[0])

    def points(self) -> Real:
        """Positions of the quadrature points, shape (dim, cells, points)."""
        return np.array(self.basis.global_coordinates())

    @cached_property
    def differential(self) -> tuple[Any, ...]:
        """Values at the quadrature points (cells * points) from those at the nodes, and the derivatives along every
        axis: 1 + dim sparse matrices.
        """
        shape = (*self.dx.shape, self.phi.shape[1])
        inverse = np.broadcast_to(self.inverse, (*self.dx.shape, self.dim, self.dim))
        slopes = np.einsum("qim,eqmk->keqi", self.dphi, inverse)
        rows = np.broadcast_to(np.arange(self.dx.size).reshape(*self.dx.shape, 1), shape).ravel()
        columns = np.broadcast_to(self.cells[:, None], shape).ravel()
        tables = (np.broadcast_to(self.phi, shape), *slopes)
        size = self.dx.size, self.nodes.shape[1]
        return tuple(coo_array((table.ravel(), (rows, columns)), shape=size).tocsr() for table in tables)


def linear_element(mesh: Any) -> Any:
    """The scikit-fem element of first order of a mesh."""
    return _ELEMENTS[type(mesh)][0]()


def basis_values(element: Any, points: Real) -> Real:
    """Values of all local basis functions at local points (dim, ...), shape (local nodes, ...)."""
    local = (element.lbasis(points, i)[0] for i in range(len(element.doflocs)))
    return np.array([np.broadcast_to(value, points.shape[1:]) for value in local])


def _reference_gradients(element: Any, points: Real) -> Real:
    """Reference gradients of all local basis functions at points (dim, points), shape (points, local nodes, dim)."""
    local = np.array([element.lbasis(points, i)[1] for i in range(len(element.doflocs))])
    return np.ascontiguousarray(local.transpose(2, 0, 1))


def _inverse_jacobians(mapping: Any, points: Real) -> Real:
    """Inverse Jacobians, shape (cells, points, dim, dim), or (cells, 1, dim, dim) where they do not vary."""
    inverse = np.asarray(mapping.invDF(points)).transpose(2, 3, 0, 1)
    if isinstance(mapping, skfem.MappingAffine):
        inverse = inverse[:, :1]
    return np.ascontiguousarray(inverse)


def _facet_dofs(element: Any) -> Index:
    """Local nodes on each facet of the reference cell, shape (facets, nodes of a facet)."""
    corners, dofs = np.array(element.refdom.p).T, np.array(element.doflocs)
    rows = []
    for facet in element.refdom.facets:
        origin, *others = corners[list(facet)]
        span = np.linalg.svd(np.array(others) - origin)[2][: len(origin) - 1] if others else np.zeros((0, 1))
        offset = dofs - origin
        rows.append(np.flatnonzero(abs(offset - offset @ span.T @ span).max(axis=1) < 1e-9))
    return np.array(rows)


def _facet_places(mesh: Any, element: Any, dofs: Index, facets: Index, side: int) -> tuple[Index, Index]:
    """The cell on one side of each facet, and the facet's local nodes there, ordered by the cell's `dofs`."""
    cells = mesh.f2t[side, facets]
    local = _facet_dofs(element)[np.argmax(mesh.t2f[:, cells] == facets, axis=0)]
    order = np.argsort(dofs[cells[:, None], local], axis=1)
    return cells, np.take_along_axis(local, order, axis=1)


def _split(mesh: Any, element: Any, dofs: Index, barriers: Index) -> tuple[Index, Index]:
    """Nodes of every cell with copies along barriers, and the origin of every node."""
    count = int(dofs.max()) + 1
    origin = np.arange(count)
    if not len(barriers):
        return dofs, origin
    on_barrier = np.zeros(count, bool)
    corner = np.arange(dofs.size).reshape(dofs.shape)  # a number for every node of every cell

    def sides(facets: Index) -> list[Index]:
        """The corners of facets in their two cells, ordered by degree of freedom."""
        places = (_facet_places(mesh, element, dofs, facets, side) for side in (0, 1))
        return [corner[cells[:, None], local].ravel() for cells, local in places]

    on_barrier[dofs.ravel()[sides(barriers)[0]]] = True
    passable = mesh.f2t[1] >= 0
    passable[barriers] = False
    first, second = sides(np.flatnonzero(passable))
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(dofs.size,) * 2)
    _, group = connected_components(graph, directed=False)
    # Away from barriers a node stays one node, also where cells meet in a point only.
    flat = dofs.ravel()
    key = np.where(on_barrier[flat], count + group, flat)
    names, index, inverse = np.unique(key, return_index=True, return_inverse=True)
    owner = flat[index]
    fresh = np.ones(len(names), bool)
    fresh[np.unique(owner, return_index=True)[1]] = False  # the first copy keeps the number of the original
    number = np.empty(len(names), np.int64)
    number[~fresh] = owner[~fresh]
    number[fresh] = count + np.arange(fresh.sum())
    return number[inverse.reshape(dofs.shape)], np.concatenate([origin, owner[fresh]])


def check_order(order: Any) -> int:
    """The order of elements, 1 or 2, as an integer; ValueError if it is none."""
    number = order[()] if isinstance(order, np.ndarray) and not order.ndim else order
    if isinstance(number, bool | np.bool_) or not isinstance(number, Integral) or number not in (1, 2):
        raise ValueError(f"order is {shown(order)}; allowed are 1 (linear elements) and 2 (quadratic elements)")
    return int(number)


def build_space(
    mesh: Any, order: int, *, barriers: Index = _NONE, ghosts: Sequence[Index] = ()
) -> Space:  # fmt: skip
    """Discretise a mesh with Lagrange elements.

    Parameters
    ----------
    mesh
        A first-order scikit-fem mesh of lines, triangles, quadrilaterals, tetrahedra or hexahedra.
    order
        Order of the elements, 1 or 2.
    barriers
        Inner facets along which functions may jump.
    ghosts
        Sets of boundary facets whose nodes get a ghost, each set its own.

    Raises
    ------
    ValueError
        If `order` is neither 1 nor 2.
    """
    order = check_order(order)
    element = _ELEMENTS[type(mesh)][order - 1]()
    # The rule of degree 4 for tetrahedra has a negative weight.
    degree = 5 if isinstance(element, skfem.ElementTetP2) else 2 * order
    basis = skfem.Basis(mesh, element, intorder=degree)
    dofs = np.ascontiguousarray(basis.element_dofs.T, np.int64)
    barriers = np.unique(barriers).astype(np.int64)
    cells, origin = _split(mesh, element, dofs, barriers)
    arrays: dict[str, Any] = {
        "barriers": barriers,
        "nodes": np.array(basis.doflocs, float)[:, origin],
        "origin": origin,
        "cells": np.ascontiguousarray(cells),
        "phi": np.ascontiguousarray(basis_values(element, basis.X).T),
        "dphi": _reference_gradients(element, basis.X),
        "inverse": _inverse_jacobians(basis.mapping, basis.X),
        "dx": np.array(np.broadcast_to(basis.dx, (mesh.nelements, basis.X.shape[-1])), float),
    }
    space = Space(mesh=mesh, order=order, basis=basis, ghosts=(), **arrays)
    pairs, count = [], len(origin)
    for facets in ghosts:
        behind = space.facet_nodes(facets)
        pairs.append((behind, count + np.arange(len(behind))))
        count += len(behind)
    copied = np.concatenate([np.arange(len(origin)), *(behind for behind, _ in pairs)])
    arrays["nodes"], arrays["origin"] = space.nodes[:, copied], origin[copied]
    for array in arrays.values():
        array.flags.writeable = False
    return replace(space, ghosts=tuple(pairs), **arrays)
