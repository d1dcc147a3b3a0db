"""The vector potential of a uniform applied field, in the gauge that suits a sample with reservoirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import skfem
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import DeviceError
from ..numerics.sparse import factorize_positive
from ..space.space import Index, Real, Space


def uniform_field_potential(space: Space, field: ArrayLike, contact_facets: ArrayLike) -> Real:
    """Vector potential of a uniform field at the quadrature points, shape (dim, cells, points).

    A = A0 - grad chi with A0 = B x (r - r0) / 2; the finite-element function chi, of the order of the space, minimises
    first the integral over the contacts of the squared tangential part of A, then that of A^2 over the sample. So curl
    A = B everywhere and the circulation around a hole is B times its area; div A = 0, n.A = 0 on free boundaries, and
    no net flux of A through any contact, all three in the weak sense; the tangential part vanishes along contacts,
    where the phase of a reservoir is uniform, as far as the field allows (not where it goes through the contact) and
    the elements can. Pieces of a contact that do not touch count as contacts of their own.

    Parameters
    ----------
    space
        The space, 2D or 3D.
    field
        Applied field times e/hbar, unit 1/length^2: in 2D a number, the component along e_first x e_second of the mesh
        axes; in 3D three components. The potential is in 1/length: one flux quantum h/2e is a circulation of pi.
    contact_facets
        Indices of the facets of all contacts, shape (facets,); may be empty.

    Raises
    ------
    DeviceError
        If the mesh is one-dimensional or the field has the wrong number of components.
    """
    vector = _field_vector(space, field)
    facets = np.asarray(contact_facets, np.int64).ravel()
    basis, origin = space.basis, space.mesh.p.mean(axis=1)
    start = _symmetric_gauge(space.points(), vector, origin)
    stiffness, load = _stiffness.assemble(basis), _load.assemble(basis, start=start)
    chi, joined = np.zeros(basis.N), _joined(basis.N)
    if len(facets):
        border = skfem.FacetBasis(space.mesh, basis.elem, facets=facets, intorder=2 * space.order)
        tangential = _symmetric_gauge(np.array(border.global_coordinates()), vector, origin)
        nodes = np.asarray(basis.get_dofs(facets).flatten(), np.int64)
        surface = _surface_stiffness.assemble(border).tocsr()[nodes][:, nodes]
        chi[nodes] = _solve_pinned(surface, _surface_load.assemble(border, start=tangential)[nodes], space.dim - 1)
        joined = _joined(basis.N, nodes, connected_components(surface, directed=False)[1])
    chi += joined @ _solve_pinned(joined.T @ stiffness @ joined, joined.T @ (load - stiffness @ chi), space.dim)
    return np.asarray(start - np.array(basis.interpolate(chi).grad))


def _field_vector(space: Space, field: ArrayLike) -> Real:
    """The field as three components, the third axis of a 2D mesh being e_first x e_second."""
    values = np.asarray(field, float)
    if space.dim == 1:
        raise DeviceError("a magnetic field needs a mesh of two or three dimensions; this one has one")
    expected: tuple[int, ...] = () if space.dim == 2 else (3,)
    if values.shape != expected or not np.isfinite(values).all():
        allowed = "a finite number" if space.dim == 2 else "three finite components"
        raise DeviceError(f"the applied field is {field!r}; on a {space.dim}D mesh it is {allowed}")
    return np.array([0.0, 0.0, float(values)]) if space.dim == 2 else values


def _symmetric_gauge(x: Real, field: Real, origin: Real) -> Real:
    """B x (r - r0) / 2 at points x, shape (dim, ...)."""
    r = np.zeros((3, *x.shape[1:]))
    r[: len(x)] = x - origin.reshape(-1, *[1] * (x.ndim - 1))
    return np.asarray(0.5 * np.cross(field, r, axisb=0, axisc=0)[: len(x)])


def _joined(count: int, nodes: Index | None = None, piece: Index | None = None) -> Any:
    """The matrix (count, unknowns) of functions that are constant on every piece of the given nodes."""
    column = np.arange(count)
    if nodes is not None and piece is not None:
        column[nodes] = count + piece
    _, column = np.unique(column, return_inverse=True)
    return coo_array((np.ones(count), (np.arange(count), column))).tocsr()


def _solve_pinned(matrix: Any, load: Real, dim: int) -> Real:
    """Solution of a Neumann problem in so many dimensions that is zero at one unknown of every connected part."""
    _, part = connected_components(matrix, directed=False)
    _, pinned = np.unique(part, return_index=True)
    solution = np.zeros(len(load))
    free = np.setdiff1d(np.arange(len(load)), pinned)
    if len(free):
        solution[free] = factorize_positive(matrix.tocsr()[free][:, free], dim).solve(load[free])
    return solution


def _dot(a: Any, b: Any) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


@skfem.BilinearForm  # type: ignore[untyped-decorator]
def _stiffness(u: Any, v: Any, w: Any) -> Any:
    return _dot(u.grad, v.grad)


@skfem.LinearForm  # type: ignore[untyped-decorator]
def _load(v: Any, w: Any) -> Any:
    return _dot(w["start"], v.grad)


@skfem.BilinearForm  # type: ignore[untyped-decorator]
def _surface_stiffness(u: Any, v: Any, w: Any) -> Any:
    return _dot(u.grad, v.grad) - _dot(u.grad, w["n"]) * _dot(v.grad, w["n"])


@skfem.LinearForm  # type: ignore[untyped-decorator]
def _surface_load(v: Any, w: Any) -> Any:
    return _dot(w["start"], v.grad) - _dot(w["start"], w["n"]) * _dot(v.grad, w["n"])
