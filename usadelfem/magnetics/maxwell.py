"""The problem of the induced vector potential of a sample: a plane with holes and leads, or a solid in a vacuum."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, diags_array

from ..errors import DeviceError
from ..numerics.sparse import scalar_matrix
from ..space.space import Index, Space
from .ampere import GAUGE, Maxwell, gram
from .coulomb import build_coulomb
from .holes import find_boundary, find_holes, find_leads
from .nedelec import line_integrals, nedelec_basis, nedelec_tables


class Surrounding(NamedTuple):
    """A mesh larger than the sample, and the cell of it that is each cell of the sample, shape (sample cells,)."""

    mesh: Any
    cells: Index


def build_maxwell(space: Space, surrounding: Surrounding | None = None, *, contact_facets: ArrayLike = ()) -> Maxwell:
    """The problem of the induced vector potential of a sample.

    Nedelec elements of second order on triangles of a quadratic space, else of first order. The induced A has no
    tangential part along contacts (their phase is uniform) and, in 3D, on the outer boundary of the surrounding.

    Parameters
    ----------
    space
        The space of the sample, 2D or 3D.
    surrounding
        In 3D the sample and the vacuum around it in one mesh: any pair of a mesh and the indices of the sample's cells.
        The order of vertices in these cells is that of the sample.
    contact_facets
        Indices of the facets of all contacts with reservoirs, shape (facets,). In 3D they lie on the outer boundary of
        the surrounding. In 2D, if a connected part of the sample has several contacts, all lie on its outer edge.

    Raises
    ------
    DeviceError
        If the mesh is one-dimensional; if a 3D sample has no surrounding or a 2D one has; if the cells of the
        surrounding are not those of the sample, contacts lie where they must not, the boundary of a 2D mesh touches
        itself at a vertex, or a part of it lies in a hole of another.
    """
    facets = np.unique(np.asarray(contact_facets, np.int64))
    if space.dim == 1:
        raise DeviceError("induced fields need a mesh of two or three dimensions; this one has one")
    if space.dim == 3 and surrounding is None:
        raise DeviceError(
            "induced fields in 3D need a region of vacuum around the sample: mesh it and give it the material "
            "uf.materials.vacuum()"
        )
    if space.dim == 2 and surrounding is not None:
        raise DeviceError("a 2D sample is an infinite cylinder in the applied field: it takes no surrounding vacuum")
    return _plane(space, facets) if surrounding is None else _solid(space, facets, Surrounding(*surrounding))


def _plane(space: Space, facets: Index) -> Maxwell:
    """The problem in 2D."""
    mesh = space.mesh
    basis = nedelec_basis(mesh, space.order, space.basis.quadrature)
    values, curls = nedelec_tables(basis)
    unknowns = np.asarray(basis.element_dofs.T, np.int64)
    boundary = find_boundary(mesh)
    holes, leads = find_holes(mesh, boundary), find_leads(space, boundary, facets)
    around = np.concatenate([np.full(len(hole.facets), k) for k, hole in enumerate(holes)] + [np.empty(0, np.int64)])
    inner = np.concatenate([hole.facets for hole in holes] + [np.empty(0, np.int64)])
    circulation = -line_integrals(basis, inner, around, len(holes))
    inverse_area = diags_array(np.array([1 / hole.area for hole in holes]))
    edges = line_integrals(basis, leads.facets, leads.group, leads.steps.shape[1])
    matrix = scalar_matrix(unknowns, gram(curls, curls, space.dx), basis.N)
    return Maxwell(
        holes=holes, dofs=unknowns, values=values, curls=curls, dx=space.dx,
        matrix=(matrix + circulation.T @ inverse_area @ circulation).tocsr(), vacuum=csr_array(matrix.shape),
        free=np.setdiff1d(np.arange(basis.N), basis.facet_dofs[:, facets]), circulation=circulation,
        leads=leads.gradients, drive=edges.T @ np.linalg.pinv(leads.steps),
        size=float(np.ptp(mesh.p, axis=1).max()), coulomb=build_coulomb(basis, space.order, facets),
    )  # fmt: skip


def _solid(space: Space, facets: Index, surrounding: Surrounding) -> Maxwell:
    """The problem in 3D."""
    mesh, cells = surrounding.mesh, np.asarray(surrounding.cells, np.int64)
    _check_surrounding(space, mesh, cells)
    boundary = mesh.boundary_facets()
    _check_walls(space, facets, mesh, cells, boundary)
    whole = nedelec_basis(mesh, space.order, space.basis.quadrature)
    values, curls = nedelec_tables(whole)
    outside = np.setdiff1d(np.arange(mesh.nelements), cells)
    size = float(np.ptp(mesh.p, axis=1).max())
    unknowns = np.asarray(whole.element_dofs.T, np.int64)
    matrix = scalar_matrix(unknowns, gram(curls, curls, whole.dx), whole.N)
    mass = gram(values[:, :, outside], values[:, :, outside], whole.dx[outside] * GAUGE / size**2)
    return Maxwell(
        holes=(), dofs=unknowns[cells], values=values[:, :, cells], curls=curls[:, :, cells], dx=space.dx,
        matrix=matrix, vacuum=scalar_matrix(unknowns[outside], mass, whole.N),
        free=np.setdiff1d(np.arange(whole.N), whole.dofs.get_facet_dofs(boundary).flatten()),
        circulation=csr_array((0, whole.N)), leads=np.zeros((0, *space.points().shape)), drive=np.zeros((whole.N, 0)),
        size=size, coulomb=build_coulomb(whole, space.order, boundary, cells),
    )  # fmt: skip


def _check_surrounding(space: Space, mesh: Any, cells: Index) -> None:
    """DeviceError unless `cells` of the larger mesh are those of the sample, in the same order of vertices."""
    count = space.mesh.nelements
    if type(mesh) is not type(space.mesh):
        raise DeviceError(f"the surrounding is a {type(mesh).__name__}, the sample a {type(space.mesh).__name__}")
    if cells.shape != (count,) or len(np.unique(cells)) < count or cells.min() < 0 or cells.max() >= mesh.nelements:
        raise DeviceError(f"the surrounding needs one of its {mesh.nelements} cells for each of the sample's {count}")
    distance = abs(mesh.p[:, mesh.t[:, cells]] - space.mesh.p[:, space.mesh.t])
    if distance.max() > 1e-9 * np.ptp(mesh.p, axis=1).max():
        raise DeviceError("the cells of the sample and those of the surrounding differ in place or order of vertices")


def _check_walls(space: Space, facets: Index, mesh: Any, cells: Index, boundary: Index) -> None:
    """DeviceError unless the facets of the sample lie on the outer boundary of the surrounding."""
    owner = space.mesh.f2t[0, facets]
    local = np.argmax(space.mesh.t2f[:, owner] == facets, axis=0)
    inside = (~np.isin(mesh.t2f[local, cells[owner]], boundary)).sum()
    if inside:
        raise DeviceError(
            f"{inside} of {len(facets)} facets of contacts are not on the outer boundary of the surrounding: a current "
            "through them would end there; extend the sample to the boundary"
        )
