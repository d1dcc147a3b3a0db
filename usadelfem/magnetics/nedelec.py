"""Nedelec (edge) elements of scikit-fem: tangentially continuous vector fields."""

from __future__ import annotations

from typing import Any

import numpy as np
import skfem
from scipy.sparse import coo_array
from skfem.element.element_hcurl import ElementHcurl
from skfem.refdom import RefHex

from ..space.space import Index, Real


class ElementQuadN1(skfem.ElementQuadN1):  # type: ignore[misc]
    """First order on quadrilaterals, all four functions along their edges from the first to the second vertex.

    Those of scikit-fem point alternately along and against them, which joins cells wrongly unless all have the same
    orientation.
    """

    def orient(self, mapping: Any, i: int, tind: Any = None) -> Any:
        """The sign of function i in every cell."""
        return (-1) ** i * super().orient(mapping, i, tind)


class ElementHexN1(ElementHcurl):  # type: ignore[misc]
    """First order on hexahedra: along one axis, bilinear in the others, 1 on one edge and 0 on the parallel ones."""

    edge_dofs = 1
    maxdeg = 3
    dofnames = ("u^t",)
    doflocs = RefHex.p.T[np.array(RefHex.edges)].mean(axis=1)
    refdom = RefHex

    def lbasis(self, X: Real, i: int) -> tuple[Real, Real]:
        """Function i and its curl at local points (3, ...)."""
        start, end = RefHex.p.T[RefHex.edges[i]]
        along = int(np.flatnonzero(end != start)[0])
        b, c = (along + 1) % 3, (along + 2) % 3
        sign = end[along] - start[along]
        slope_b, slope_c = 2 * start[b] - 1, 2 * start[c] - 1  # of the factors 1 - x or x
        factor_b, factor_c = 1 - start[b] + slope_b * X[b], 1 - start[c] + slope_c * X[c]
        value, curl = np.zeros((2, *X.shape))
        value[along] = sign * factor_b * factor_c
        curl[b], curl[c] = sign * factor_b * slope_c, -sign * slope_b * factor_c
        return value, curl


_ELEMENTS: dict[type, tuple[Any, Any]] = {
    skfem.MeshTri1: (skfem.ElementTriN1, skfem.ElementTriN2),
    skfem.MeshQuad1: (ElementQuadN1, ElementQuadN1),
    skfem.MeshTet1: (skfem.ElementTetN1, skfem.ElementTetN1),
    skfem.MeshHex1: (ElementHexN1, ElementHexN1),
}


def nedelec_basis(mesh: Any, order: int, quadrature: tuple[Real, Real]) -> Any:
    """The scikit-fem basis of the best Nedelec elements up to an order, with the given local points and weights."""
    element = _ELEMENTS[type(mesh)][order - 1]()
    dofs = skfem.assembly.Dofs(mesh, element)
    if element.facet_dofs == 2:  # one function at each end of a facet: exchanged where a cell runs along it backwards
        for facet, (first, second) in enumerate(mesh.refdom.facets):
            backwards = mesh.t[first] > mesh.t[second]
            rows = dofs.element_dofs[2 * facet : 2 * facet + 2]
            rows[:, backwards] = rows[::-1, backwards]
    return skfem.Basis(mesh, element, quadrature=quadrature, dofs=dofs, disable_doflocs=True)


def nedelec_tables(basis: Any) -> tuple[Real, Real]:
    """Functions and their curls, shapes (functions, dim, cells, points) and (functions, 1 or 3, cells, points)."""
    values = np.array([np.array(function) for (function,) in basis.basis])
    curls = np.array([np.array(function.curl) for (function,) in basis.basis])
    return values, curls if values.shape[1] == 3 else curls[:, None]


def line_integrals(basis: Any, facets: Index, group: Index, count: int) -> Any:
    """Integrals of A along boundary facets of a 2D mesh, the cells on the left, as functions of the unknowns.

    Parameters
    ----------
    basis
        A basis of `nedelec_basis`.
    facets, group
        Facets and the group of each, 0 to count - 1, shape (facets,).
    count
        Number of groups.

    Returns
    -------
    Matrix (groups, unknowns) in CSR form: the integrals summed over the facets of every group.
    """
    shape = (count, basis.N)
    if not len(facets):
        return coo_array(shape).tocsr()
    border = skfem.FacetBasis(basis.mesh, basis.elem, facets=facets, intorder=2, dofs=basis.dofs, disable_doflocs=True)
    values = np.array([np.array(function) for (function,) in border.basis])
    normal = np.array(border.normals)
    integrals = (values[:, 1] * normal[0] - values[:, 0] * normal[1]) * border.dx
    rows = np.broadcast_to(group, border.element_dofs.shape)
    entries = (integrals.sum(axis=-1).ravel(), (rows.ravel(), border.element_dofs.ravel()))
    return coo_array(entries, shape=shape).tocsr()
