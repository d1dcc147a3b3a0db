"""The Coulomb gauge of Nedelec elements: what is the gradient of a Lagrange function is taken out of a potential."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray
from scipy.sparse import coo_array, diags_array
from scipy.sparse.csgraph import connected_components

from ..numerics.sparse import factorize_positive, scalar_matrix
from ..space.space import Index, Real
from .nedelec import nedelec_tables

_ELEMENTS: dict[type, tuple[Any, Any]] = {
    skfem.MeshTri1: (skfem.ElementTriP1, skfem.ElementTriP2),
    skfem.MeshQuad1: (skfem.ElementQuad1, skfem.ElementQuad1),
    skfem.MeshTet1: (skfem.ElementTetP1, skfem.ElementTetP1),
    skfem.MeshHex1: (skfem.ElementHex1, skfem.ElementHex1),
}

VACUUM = 1e-6  # weight of vacuum against the sample


@dataclass(frozen=True, eq=False, repr=False)
class Coulomb:
    """The projection A -> A - grad chi with Int (A - grad chi).grad v = 0 for all v that vanish where chi is held.

    Attributes
    ----------
    gradient
        Unknowns of grad chi as a linear function of the free nodal values of chi, shape (unknowns, nodes).
    mass
        Mass matrix of the unknowns, the vacuum with a small weight.
    spaces
        In 3D: the gradient, and the unknowns of nodal vector fields along each axis as functions of their values.
    """

    gradient: Any
    mass: Any
    spaces: tuple[Any, ...] = ()

    def project(self, dofs: Real) -> Real:
        """The unknowns of A - grad chi."""
        return np.asarray(dofs - self.gradient @ self._laplacian.solve(self.gradient.T @ (self.mass @ dofs)))

    def project_load(self, load: Real) -> Real:
        """The transposed: a load without the part that tells gradients from nothing, which a conserved current lacks.

        Elements conserve currents up to their error; what is left decides together with no weight of the unknowns.
        """
        return np.asarray(load - self.mass @ (self.gradient @ self._laplacian.solve(self.gradient.T @ load)))

    @cached_property
    def _laplacian(self) -> Any:
        """Factors of gradient^T mass gradient, which do not travel between processes."""
        return factorize_positive(self.gradient.T @ self.mass @ self.gradient, 3 if self.spaces else 2)

    def __getstate__(self) -> dict[str, Any]:
        return {"gradient": self.gradient, "mass": self.mass, "spaces": self.spaces}


def build_coulomb(basis: Any, order: int, held: Index, sample: Index | None = None) -> Coulomb:
    """The projection for a basis of `nedelec_basis` of this order; chi vanishes on the facets `held`.

    A part of the mesh without such a facet has a free constant, which drops out. With the cells of a `sample` in vacuum
    the gauge is that of the sample, without a component normal to its surface; the vacuum follows.
    """
    mesh = basis.mesh
    nodal = skfem.Basis(mesh, _ELEMENTS[type(mesh)][order - 1](), quadrature=basis.quadrature)
    slopes = np.array([np.array(function.grad) for (function, *_) in nodal.basis])
    values, _ = nedelec_tables(basis)
    dx = np.array(np.broadcast_to(basis.dx, values.shape[2:]))
    unknowns, nodes = np.asarray(basis.element_dofs.T), np.asarray(nodal.element_dofs.T)
    local = np.einsum("idcq,jdcq,cq->cij", values, values, dx, optimize=True)
    mixed = np.einsum("idcq,jdcq,cq->cij", values, slopes, dx, optimize=True)
    if sample is not None:
        weight = np.full(len(local), VACUUM)
        weight[sample] = 1.0
    else:
        weight = np.ones(len(local))
    entries = np.linalg.solve(local, mixed)  # the gradients of Lagrange functions are Nedelec functions
    count = np.bincount(unknowns.ravel(), minlength=basis.N)[unknowns]
    shape = (basis.N, nodal.N)
    rows = np.broadcast_to(unknowns[:, :, None], entries.shape).ravel()
    columns = np.broadcast_to(nodes[:, None, :], entries.shape).ravel()
    gradient = coo_array(((entries / count[:, :, None]).ravel(), (rows, columns)), shape=shape).tocsr()
    mass = scalar_matrix(unknowns, weight[:, None, None] * local, basis.N)
    free = np.flatnonzero(~_held(nodal, held))
    spaces: tuple[Any, ...] = ()
    if mesh.dim() == 3:  # unknowns are integrals along edges, of a field that is the mean of that at both ends
        ends = 0.5 * abs(gradient)
        spaces = (gradient[:, free], *(diags_array(gradient @ axis) @ ends for axis in nodal.doflocs))
    return Coulomb(gradient[:, free], mass, spaces)


def _held(nodal: Any, facets: Index) -> NDArray[np.bool_]:
    """Nodes on the facets, and one of every part of the mesh that has none of them."""
    held = np.zeros(nodal.N, bool)
    if len(facets):
        held[nodal.get_dofs(facets).flatten()] = True
    cells = nodal.element_dofs
    pairs = np.broadcast_to(cells[0], cells.shape).ravel(), cells.ravel()
    _, part = connected_components(coo_array((np.ones(cells.size), pairs), shape=(nodal.N,) * 2), directed=False)
    first = np.unique(part, return_index=True)[1]
    held[first[~np.isin(np.arange(len(first)), part[held])]] = True
    return held
