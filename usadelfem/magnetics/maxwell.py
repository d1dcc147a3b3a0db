"""Ampere's law for the induced vector potential in Nedelec elements: curl curl A = mu0 j.

A is the potential times e/hbar (one flux quantum h/2e is a circulation of pi), j = -d(free energy)/dA per volume, mu0
the coupling in these units. In 2D the sample is an infinite cylinder and B = curl A has one component; at its outer
edge B is the applied field, so curl A = 0 there for the induced A; inside a hole B is uniform. A current I through
contacts makes B differ by mu0 I between the free edges on both sides of a contact; their mean is the applied field. In
3D the elements fill a region around the sample whose outer boundary no induced flux crosses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, diags_array

from ..errors import DeviceError
from ..numerics.sparse import factorize_positive, scalar_matrix
from ..space.space import Index, Real, Space
from .coulomb import Coulomb, build_coulomb
from .holes import Hole, find_boundary, find_holes, find_leads
from .nedelec import line_integrals, nedelec_basis, nedelec_tables

_GAUGE = 1e-8  # of the largest response in a sample, and of 1/size^2 in vacuum: fixes the gauge where nothing else does


class Surrounding(NamedTuple):
    """A mesh larger than the sample, and the cell of it that is each cell of the sample, shape (sample cells,)."""

    mesh: Any
    cells: Index


@dataclass(frozen=True, eq=False, repr=False)
class Maxwell:
    """The induced vector potential of a sample: unknowns, matrices, values at the quadrature points of its space.

    Attributes
    ----------
    holes
        The holes of a 2D sample.
    dofs
        Unknowns of every cell of the sample, shape (cells, functions).
    values, curls
        The functions and their curls at the quadrature points, shapes (functions, dim, cells, points) and (functions, 1
        in 2D or 3, cells, points).
    dx
        Quadrature weights of the sample, shape (cells, points).
    matrix
        Matrix of the quadratic form 2 `energy`, shape (unknowns, unknowns).
    vacuum
        Small mass matrix of the cells outside the sample; it enters the matrix of `step` only, so that results of
        repeated steps do not depend on it.
    free
        Unknowns that are not zero by a boundary condition, sorted.
    circulation
        The flux through every hole as a linear function of the unknowns, shape (holes, unknowns).
    leads, drive
        Where contacts carry a current (2D): gradients of the harmonic functions that are 1 at one contact and 0 at the
        others, shape (contacts, dim, cells, points), and the integrals of A along the free edges, times the change of B
        there by a current mu0 I = 1 out of each contact, shape (unknowns, contacts).
    size
        Largest extent of the mesh.
    coulomb
        The projection to div A = 0 that ends every step.
    """

    holes: tuple[Hole, ...]
    dofs: Index
    values: Real
    curls: Real
    dx: Real
    matrix: Any
    vacuum: Any
    free: Index
    circulation: Any
    leads: Real
    drive: Real
    size: float
    coulomb: Coulomb

    def __post_init__(self) -> None:
        for array in (self.dofs, self.values, self.curls, self.free, self.leads, self.drive):
            array.flags.writeable = False

    @property
    def count(self) -> int:
        """Number of unknowns."""
        return int(self.matrix.shape[0])

    def zeros(self) -> Real:
        """The unknowns of A = 0, shape (unknowns,)."""
        return np.zeros(self.count)

    def at_points(self, dofs: Real) -> Real:
        """A at the quadrature points of the sample, shape (dim, cells, points); unit 1/length."""
        return np.asarray(np.einsum("idcq,ci->dcq", self.values, dofs[self.dofs]))

    def curl_at_points(self, dofs: Real) -> Real:
        """B = curl A at the same points, (cells, points) in 2D, (3, cells, points) in 3D; unit 1/length^2."""
        curl = np.asarray(np.einsum("idcq,ci->dcq", self.curls, dofs[self.dofs]))
        return curl if len(curl) > 1 else curl[0]

    def hole_fluxes(self, dofs: Real) -> Real:
        """Induced flux through every hole, shape (holes,): the circulation of A around it; h/2e is pi."""
        return np.asarray(self.circulation @ dofs)

    def energy(self, dofs: Real) -> float:
        """mu0 times the field energy: half the integral of B^2 over the mesh, with flux^2/area for every hole."""
        return 0.5 * float(dofs @ (self.matrix @ dofs))

    def gradient(self, dofs: Real, current: Real, mu0: float) -> Real:
        """Residual of curl curl A = mu0 j, tested with the Nedelec functions, shape (unknowns,); 0 at fixed unknowns.

        Parameters
        ----------
        dofs
            Unknowns, shape (unknowns,).
        current
            Current density j at the quadrature points of the sample, shape (dim, cells, points).
        mu0
            The coupling.
        """
        residual = self.matrix @ dofs - mu0 * self._load(current)
        residual += self.drive @ (mu0 * np.einsum("ldcq,dcq,cq->l", self.leads, current, self.dx))
        residual[np.setdiff1d(np.arange(self.count), self.free)] = 0.0
        return np.asarray(residual)

    def step(self, dofs: Real, current: Real, stiffness: Real, mu0: float) -> Real:
        """The unknowns after one step with a local response: (curl curl + mu0 S) delta = mu0 j - curl curl A.

        A stays in the Coulomb gauge, div A = 0 and no normal component at free edges, in the sense of the elements:
        what is the gradient of a function is taken out. If contacts carry currents, the step also makes the integrals
        of A.grad w vanish, w being 1 at one contact, 0 at
        the others and harmonic: the net flux of A through each contact in the gauge div A = 0. To this A the phase
        differences between reservoirs refer; other gauges with the same phases at the contacts share it.

        Parameters
        ----------
        dofs, current, mu0
            As in `gradient`.
        stiffness
            The response S = -dj/dA at the quadrature points of the sample, shape (cells, points); negative values count
            as zero. 1e-8 of its maximum is added everywhere: where S vanishes this fixes the gauge of the step.
        """
        response = np.maximum(stiffness, 0.0)
        floor = _GAUGE * (mu0 * response.max(initial=0.0) or self.size**-2)
        mass = _gram(self.values, self.values, self.dx * (mu0 * response + floor))
        matrix = self.matrix + self.vacuum + scalar_matrix(self.dofs, mass, self.count)
        factors = factorize_positive(matrix[self.free][:, self.free])
        right = mu0 * self._load(current) - self.matrix @ dofs
        new = dofs.copy()
        new[self.free] += factors.solve(right[self.free])
        new = self.coulomb.project(new)
        if len(self.leads):
            reply = np.zeros_like(self.drive)
            reply[self.free] = factors.solve(self.drive[self.free])
            reply = np.stack([self.coulomb.project(column) for column in reply.T], axis=1)
            new -= reply @ np.linalg.lstsq(self._net_fluxes(reply), self._net_fluxes(new), rcond=1e-12)[0]
        return np.asarray(new)

    def _load(self, current: Real) -> Real:
        """Integrals of j times every function, shape (unknowns,)."""
        local = np.einsum("idcq,dcq->ci", self.values, current * self.dx)
        return np.asarray(np.bincount(self.dofs.ravel(), local.ravel(), self.count), float)

    def _net_fluxes(self, dofs: Real) -> Real:
        """Net flux of A out of every contact that may carry a current, (contacts, ...) of (unknowns, ...)."""
        local = _gram(self.leads, self.values, self.dx)
        return np.asarray(np.einsum("cli,ci...->l...", local, dofs[self.dofs]))


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


def _gram(first: Real, second: Real, weight: Real) -> Real:
    """Integrals of products of functions (functions, components, cells, points), shape (cells, first, second)."""
    return np.asarray(np.einsum("idcq,jdcq,cq->cij", first, second, weight, optimize=True))


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
    matrix = scalar_matrix(unknowns, _gram(curls, curls, space.dx), basis.N)
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
    matrix = scalar_matrix(unknowns, _gram(curls, curls, whole.dx), whole.N)
    mass = _gram(values[:, :, outside], values[:, :, outside], whole.dx[outside] * _GAUGE / size**2)
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
