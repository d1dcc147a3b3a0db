"""The boundary of a 2D mesh: outer edges, holes, the free edges between contacts and the currents that part them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import DeviceError
from ..numerics.sparse import factorize_positive, scalar_matrix
from ..space.space import Index, Real, Space


@dataclass(frozen=True, eq=False)
class Hole:
    """A hole of a 2D sample.

    Attributes
    ----------
    area, centroid
        Its area (length^2) and the position (2,) of its centre of area.
    facets, edges
        The facets around it, shape (facets,), and their vertices, shape (2, facets): start and end of every facet on
        the way around the hole that turns from the first mesh axis to the second (counter-clockwise).
    """

    area: float
    centroid: Real
    facets: Index
    edges: Index


@dataclass(frozen=True, eq=False)
class Boundary:
    """The boundary facets of a 2D mesh.

    Attributes
    ----------
    facets, edges
        The facets, shape (facets,), and their vertices, shape (2, facets): start and end, the mesh on the left.
    loop, part
        Number of the closed loop and of the connected part of the mesh that each facet belongs to, shape (facets,).
    areas
        Signed area within every loop, shape (loops,): positive for outer edges, negative for holes.
    """

    facets: Index
    edges: Index
    loop: Index
    part: Index
    areas: Real

    @property
    def outer(self) -> NDArray[np.bool_]:
        """Whether each facet belongs to an outer edge, shape (facets,)."""
        return np.asarray(self.areas[self.loop] > 0)


def find_boundary(mesh: Any) -> Boundary:
    """The boundary of a 2D mesh, sorted into loops.

    Raises
    ------
    DeviceError
        If it touches itself at a vertex, or a connected part of the mesh lies in a hole of another.
    """
    facets = np.asarray(mesh.boundary_facets(), np.int64)
    start, end = np.asarray(mesh.facets[:, facets], np.int64)
    cells = mesh.f2t[0, facets]
    inward = mesh.p[:, mesh.t[:, cells]].mean(axis=1) - mesh.p[:, start]
    reverse = _cross(mesh.p[:, end] - mesh.p[:, start], inward) < 0
    edges = np.where(reverse, [end, start], [start, end])
    touching = np.flatnonzero(np.bincount(edges.ravel()) > 2)
    if len(touching):
        where = ", ".join(f"({x:g}, {y:g})" for x, y in mesh.p[:, touching[:3]].T)
        raise DeviceError(f"the boundary of the mesh touches itself at {where}: the holes there are not well defined")
    loop = _linked(edges)
    part = _parts(mesh)[cells]
    areas = np.asarray(np.bincount(loop, _cross(*mesh.p[:, edges].swapaxes(0, 1)) / 2), float)
    boundary = Boundary(facets, edges, loop, part, areas)
    _check_nesting(mesh, boundary)
    return boundary


def find_holes(mesh: Any, boundary: Boundary) -> tuple[Hole, ...]:
    """The holes of a mesh with the given boundary, in the order of their loops."""
    holes = []
    for number in np.flatnonzero(boundary.areas < 0):
        own = boundary.loop == number
        edges = boundary.edges[::-1, own]
        p, q = mesh.p[:, edges[0]], mesh.p[:, edges[1]]
        area = -float(boundary.areas[number])
        centroid = p.mean(axis=1)
        p, q = p - centroid[:, None], q - centroid[:, None]
        centroid = centroid + ((p + q) * _cross(p, q)).sum(axis=1) / (6 * area)
        holes.append(Hole(area, centroid, boundary.facets[own], edges))
    return tuple(holes)


@dataclass(frozen=True, eq=False)
class Leads:
    """Contacts that may carry a net current: those in parts of a 2D mesh that have several.

    Attributes
    ----------
    gradients
        Gradients of functions that are 1 at one contact and 0 at the others of its part, at the quadrature points of a
        space, shape (contacts, 2, cells, points).
    facets, group
        Free facets of the outer edges of these parts, shape (facets,), and the number of the free edge, between one
        contact and the next, that each belongs to.
    steps
        By how much each function changes along each free edge, the mesh on the left, shape (contacts, free edges).
    """

    gradients: Real
    facets: Index
    group: Index
    steps: Real


def find_leads(space: Space, boundary: Boundary, contact_facets: Index) -> Leads:
    """The contacts of a 2D space that may carry a net current. Facets that touch belong to one contact.

    Raises
    ------
    DeviceError
        If one of these contacts is not on an outer edge.
    """
    mesh, parts = space.mesh, _parts(space.mesh)
    contact = _linked(mesh.facets[:, contact_facets])
    owner = parts[mesh.f2t[0, contact_facets]]
    pairs = np.unique(np.stack([owner, contact]), axis=1)
    several = np.flatnonzero(np.bincount(pairs[0], minlength=1) > 1)
    carrying = np.isin(owner, several)
    facets, (_, contact) = contact_facets[carrying], np.unique(contact[carrying], return_inverse=True)
    if not np.isin(facets, boundary.facets[boundary.outer]).all():
        raise DeviceError(
            "induced fields: a contact lies on a hole or inside the mesh, and the same part of the sample has other "
            "contacts; a current between them could not return in the plane. Contacts must lie on the outer edge"
        )
    values, gradients = _lead_functions(space, np.isin(parts, several), facets, contact)
    free = boundary.outer & np.isin(boundary.part, several) & ~np.isin(boundary.facets, facets)
    group = _linked(boundary.edges[:, free])
    along = values[:, boundary.edges[1, free]] - values[:, boundary.edges[0, free]]
    steps = np.zeros((len(values), group.max(initial=-1) + 1))
    np.add.at(steps.T, group, along.T)
    return Leads(gradients, boundary.facets[free], group, steps)


def _lead_functions(space: Space, cells: NDArray[np.bool_], facets: Index, contact: Index) -> tuple[Real, Real]:
    """Harmonic functions, 1 at one contact and 0 at the others: values at the vertices, gradients at the points.

    Their gradients are in the Nedelec space of the same mesh (`fem.nedelec`). `cells` are those where they live.
    """
    count = contact.max(initial=-1) + 1
    if not count:
        return np.zeros((0, space.mesh.nvertices)), np.zeros((0, *space.points().shape))
    element = skfem.ElementQuad1() if isinstance(space.mesh, skfem.MeshQuad1) else space.basis.elem
    basis = skfem.Basis(space.mesh, element, quadrature=space.basis.quadrature)
    slopes = np.array([np.array(function.grad) for (function,) in basis.basis])
    local = np.einsum("idcq,jdcq,cq->cij", slopes, slopes, space.dx)
    stiffness = scalar_matrix(np.asarray(basis.element_dofs.T), local, basis.N)
    values, clamped = np.zeros((count, basis.N)), np.zeros(basis.N, bool)
    for number in range(count):
        nodes = basis.get_dofs(facets[contact == number]).flatten()
        values[number, nodes], clamped[nodes] = 1.0, True
    free = np.setdiff1d(basis.element_dofs[:, cells], np.flatnonzero(clamped))
    if len(free):
        values[:, free] = -factorize_positive(stiffness[free][:, free]).solve((stiffness @ values.T)[free]).T
    gradients = np.einsum("idcq,lic->ldcq", slopes, values[:, basis.element_dofs])
    return values[:, basis.nodal_dofs[0]], np.asarray(gradients)


def _cross(a: Real, b: Real) -> Real:
    return np.asarray(a[0] * b[1] - a[1] * b[0])


def _linked(facets: Index) -> Index:
    """A number for each facet (2 vertices, facets), from 0, the same for facets that share a vertex."""
    vertices, ends = np.unique(facets, return_inverse=True)
    ends = ends.reshape(2, -1)
    graph = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(len(vertices),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1][ends[0]], np.int64)


def _parts(mesh: Any) -> Index:
    """The number of the connected part of the mesh that every cell belongs to, shape (cells,)."""
    first, second = mesh.f2t[:, mesh.f2t[1] >= 0]
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(mesh.nelements,) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _check_nesting(mesh: Any, boundary: Boundary) -> None:
    """DeviceError if a part of the mesh lies in a hole of another: its field is not the applied one."""
    outer = np.flatnonzero(boundary.outer)
    part, first = np.unique(boundary.part[outer], return_index=True)
    point = mesh.p[:, boundary.edges[0, outer[first]]]
    for number in np.flatnonzero(boundary.areas < 0):
        own = boundary.loop == number
        p, q = (mesh.p[:, vertices, None] for vertices in boundary.edges[:, own])
        across = (p[1] > point[1]) != (q[1] > point[1])
        rise = np.where(across, q[1] - p[1], 1.0)
        right = point[0] < p[0] + (point[1] - p[1]) * (q[0] - p[0]) / rise
        if ((across & right).sum(axis=0) % 2 == 1)[part != boundary.part[own][0]].any():
            raise DeviceError("induced fields: a part of the sample lies in a hole of another, which is not supported")
