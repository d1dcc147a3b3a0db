"""The discretisation of a mesh: nodes, basis tables, quadrature; built once, read-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray

Real = NDArray[np.float64]
Index = NDArray[np.int64]

_ELEMENTS: dict[type, tuple[Any, Any]] = {
    skfem.MeshLine1: (skfem.ElementLineP1, skfem.ElementLineP2),
    skfem.MeshTri1: (skfem.ElementTriP1, skfem.ElementTriP2),
    skfem.MeshQuad1: (skfem.ElementQuad1, skfem.ElementQuad2),
    skfem.MeshTet1: (skfem.ElementTetP1, skfem.ElementTetP2),
    skfem.MeshHex1: (skfem.ElementHex1, skfem.ElementHex2),
}


@dataclass(frozen=True, eq=False, repr=False)
class Space:
    """Lagrange elements of one order on one mesh.

    Attributes
    ----------
    mesh, order, basis
        The scikit-fem mesh, the polynomial order (1 or 2) and the scalar scikit-fem basis.
    nodes
        Positions of the nodes, shape (dim, nodes).
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
    cells: Index
    phi: Real
    dphi: Real
    inverse: Real
    dx: Real

    @property
    def dim(self) -> int:
        """Space dimension of the mesh."""
        return int(self.mesh.dim())

    @property
    def vertices(self) -> Index:
        """The node at each mesh vertex, shape (vertices,)."""
        return np.asarray(self.basis.nodal_dofs[0], np.int64)

    def facet_nodes(self, facets: Index) -> Index:
        """All nodes that lie on the given facets, sorted."""
        if self.dim == 1:  # a facet is a vertex
            return np.unique(self.vertices[self.mesh.facets[0, facets]])
        return np.unique(np.asarray(self.basis.get_dofs(facets).flatten(), np.int64))

    def points(self) -> Real:
        """Positions of the quadrature points, shape (dim, cells, points)."""
        return np.array(self.basis.global_coordinates())


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


def build_space(mesh: Any, order: int) -> Space:
    """Discretise a mesh with Lagrange elements.

    Parameters
    ----------
    mesh
        A first-order scikit-fem mesh of lines, triangles, quadrilaterals, tetrahedra or hexahedra.
    order
        Order of the elements, 1 or 2.

    Raises
    ------
    ValueError
        If `order` is neither 1 nor 2.
    """
    if order not in (1, 2):
        raise ValueError(f"order is {order!r}; allowed are 1 (linear elements) and 2 (quadratic elements)")
    element = _ELEMENTS[type(mesh)][order - 1]()
    basis = skfem.Basis(mesh, element, intorder=2 * order)
    arrays = {
        "nodes": np.array(basis.doflocs, float),
        "cells": np.ascontiguousarray(basis.element_dofs.T, np.int64),
        "phi": np.ascontiguousarray(basis_values(element, basis.X).T),
        "dphi": _reference_gradients(element, basis.X),
        "inverse": _inverse_jacobians(basis.mapping, basis.X),
        "dx": np.array(np.broadcast_to(basis.dx, (mesh.nelements, basis.X.shape[-1])), float),
    }
    for array in arrays.values():
        array.flags.writeable = False
    return Space(mesh=mesh, order=order, basis=basis, **arrays)
