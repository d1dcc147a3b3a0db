"""Fluxes through sections from the residual, and Green's functions at the quadrature points.

What flows is the derivative of the functional with respect to a gauge field, so the residual tested with a phase
rotation da = i a gives the charge current and with a spin rotation da = i [sigma_a/2, a] the spin current.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..physics.nambu import SIGMA, dot
from ..physics.riccati import green, green_derivative, tilde, to_matrix
from ..space.section import Section, node_measure
from ..space.space import Index, Real, Space
from .assembly import Complex, assemble, junction_residual
from .problem import Problem


def at_quadrature(space: Space, nodal: NDArray[Any]) -> NDArray[Any]:
    """Nodal values (nodes, components) interpolated to the quadrature points, shape (cells, points, components)."""
    return np.asarray(np.einsum("cik,qi->cqk", nodal[space.cells], space.phi))


def green_at_quadrature(problem: Problem, state: Complex) -> tuple[Complex, Complex]:
    """g and its covariant derivatives D_k g at the quadrature points: (4, 4, cells, points) and (dim, 4, 4, ...)."""
    space, linear = problem.space, problem.linearized
    a = to_matrix(at_quadrature(space, state))
    derivatives = to_matrix(_gradient_at_quadrature(space, state))
    b, gauge, g = tilde(a), problem.coefficients.gauge, []
    for k in range(space.dim):
        da = derivatives[..., k]
        if gauge.shape[2]:
            s = 0.5 * np.einsum("cqa,aij->ijcq", gauge[:, :, k, 1:], SIGMA)
            da = da - 2j * gauge[:, :, k, 0] * a - 1j * (dot(s, a) - dot(a, s))
        g.append(green_derivative(a, b, da, tilde(da), linearized=linear))
    return green(a, b, linearized=linear), np.array(g)


def _gradient_at_quadrature(space: Space, nodal: Complex) -> Complex:
    """Gradients of nodal values (nodes, components), shape (cells, points, dim, components)."""
    inverse = np.broadcast_to(space.inverse, (*space.dx.shape, space.dim, space.dim))
    local = np.einsum("qim,cin->cqmn", space.dphi, nodal[space.cells])
    return np.asarray(np.einsum("cqmk,cqmn->cqkn", inverse, local))


def boundary_share(space: Space, section: Section, clamped: Index) -> Real:
    """What part of the residual of each node is flux through a section, shape (nodes,).

    Inside the mesh all of it on the nodes of the section. On the boundary, and at a contact inside the mesh, a node
    that belongs to several contacts counts in proportion to the measure of their facets there, and nothing flows where
    there is no contact.

    Parameters
    ----------
    clamped
        The facets of all contacts of the device.
    """
    if not section.total and (space.mesh.f2t[1, section.facets] >= 0).any():
        return np.sign(node_measure(space, section.facets))
    share = node_measure(space, np.intersect1d(section.facets, clamped))
    whole = node_measure(space, clamped)
    share[share > 0] /= whole[share > 0]
    return share


def consistent_flux(
    problem: Problem, w: float, state: Complex, section: Section, share: Real
) -> tuple[Real, float]:  # fmt: skip
    """Charge and spin moments (4,) of the flux through a section that separates its two sides, and their rounding."""
    aligned, junctions = problem.aligned
    reduced = problem.sector.reduce(state)
    rounding = 0.0

    def cells(chosen: Index) -> Complex:
        nonlocal rounding
        residual, scale, _ = assemble(problem.space, aligned, w, reduced, chosen=chosen)
        rounding = float(np.finfo(float).eps * (share * scale) @ abs(reduced).max(axis=1))
        return residual

    def sides(chosen: NDArray[np.bool_]) -> Complex:
        return junction_residual(junctions, reduced, chosen)

    return section_moments(problem, section, share, cells, sides, partial(_moments, reduced)), rounding


def section_moments(
    problem: Problem, section: Section, share: Real, cells: Callable[[Index], NDArray[Any]],
    sides: Callable[[NDArray[np.bool_]], NDArray[Any]], test: Callable[[NDArray[Any], Real], NDArray[Any]],
) -> NDArray[Any]:  # fmt: skip
    """The residual of all that lies behind a section, tested with the generators of charge and spin.

    `cells` and `sides` give the residual of chosen cells, and of chosen sides (2, facets) of the interfaces. Cells, and
    barriers seen from them, are tested on the nodes of the section, each with its `boundary_share`. What flows through
    facets of the section that are barriers is the derivative of their own interface terms.
    """
    junctions, mesh = problem.interfaces, problem.space.mesh
    adjacent = mesh.f2t[:, junctions.facets]
    own = np.isin(junctions.facets, section.facets)
    behind = np.zeros((2, len(own)), bool)
    order = np.argsort(section.facets)
    places = order[np.searchsorted(section.facets, junctions.facets[own], sorter=order)]
    behind[:, own] = adjacent[:, own] == section.behind[places]
    total = -test(sides(behind), np.ones(len(share)))
    if own.sum() < len(section.facets):
        near = np.isin(adjacent, section.cells) & (adjacent >= 0)
        total = total + test(cells(section.cells) + sides(near), share)
    return np.asarray(section.sign * total)


def _moments(state: Complex, residual: Complex, share: Real) -> Real:
    """A residual tested with the generators of charge and spin at the nodes, weighted with shares; (4,)."""
    nodes = np.flatnonzero(share)
    if state.shape[1] < 4:
        charge = share[nodes] @ (residual[nodes].conj() * 1j * state[nodes]).real.sum(axis=1)
        return np.array([charge, 0.0, 0.0, 0.0])
    a, r = state[nodes].reshape(-1, 2, 2), residual[nodes].reshape(-1, 2, 2)
    generators = [1j * a] + [0.5j * (s @ a - a @ s) for s in SIGMA]
    return np.array([share[nodes] @ (r.conj() * g).real.sum(axis=(1, 2)) for g in generators])
