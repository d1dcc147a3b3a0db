"""Densities and currents at the quadrature points, from the same formulas as the residual.

The current densities are the derivatives of the functional with respect to a gauge field: with flux_k = df/d(d_k a),
a phase rotation da = i a gives the charge current and a spin rotation da = i [sigma_a/2, a] the spin current.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..physics.columns import N0
from ..physics.jit import formula, kernel, readonly
from ..physics.nambu import SIGMA, Spin, add, dot, mul, scale, sigma_left, sub, tilde, trace
from ..physics.riccati import green, green_derivative, to_matrix
from ..physics.riccati import tilde as tilde_matrix
from ..physics.variations import frame, get
from ..space.section import Section, node_measure
from ..space.space import Index, Real, Space
from .assembly import Complex, assemble, junction_residual
from .cells import LINEAR, derivatives, gradients, interpolate, partner_derivatives, point_terms
from .coefficients import Coefficients
from .matsubara import Spectral
from .sector import Sector
from .workspace import PointSpace, point_space


@formula
def moments(a: Spin, g: Spin) -> tuple[float, float, float, float]:
    """2 Re tr(da g) for the generators da = i a and i [sigma_a/2, a]."""
    charge = -2.0 * trace(mul(a, g)).imag
    if len(a) < 4:  # a diagonal a commutes with the conserved spin, and nothing else flows
        return charge, 0.0, 0.0, 0.0
    m = sub(mul(a, g), mul(g, a))
    return (
        charge,
        -trace(sigma_left(0, m)).imag,
        -trace(sigma_left(1, m)).imag,
        -trace(sigma_left(2, m)).imag,
    )


@kernel
def add_currents(
    like: Spin, weight: float, state: Any, cells: Any, phi: Any, dphi: Any, inverse: Any, table: Any, kinds: Any,
    pairs: Any, torque: bool, point: PointSpace, out: Any,
) -> None:  # fmt: skip
    """Add weight N0 times the moments of the flux to out[1:], shape (1 + dim, 4, cells, points).

    If `torque`, add to out[0] what the functional changes by when the generators act on a and D_k a alike: the torque
    of all terms in the table that are not invariant.
    """
    da, db = point.dz[0], point.dz[1]
    for e in range(cells.shape[0]):
        for q in range(len(phi)):
            gradients(dphi, inverse, e, q, point.grad)
            a = interpolate(like, state, cells[e], phi[q])
            c = table[e, q]
            derivatives(state, cells[e], point.grad, kinds[e], c, a, da)
            partner_derivatives(a, point.dz)
            g, _ = point_terms(0.0, c, kinds[e], pairs, a, tilde(a), da, db, False, point)
            if torque:
                add_moments(weight * c[N0], a, g, out[0, :, e, q])
            for k in range(len(da)):
                if torque:
                    add_moments(weight * c[N0], get(a, da, k), get(a, point.flux, k), out[0, :, e, q])
                add_moments(weight * c[N0], a, get(a, point.flux, k), out[1 + k, :, e, q])


def sum_spins(system: Spectral, weights: Real, states: Complex) -> Real:
    """The spin density of states (frequencies, nodes, 4), summed with weights; shape (3, cells, points)."""
    space, sector, own = system.space, system.sector, system.aligned[0]
    out = np.zeros((3, *space.dx.shape))
    cells, phi, table, kinds = readonly(space.cells, space.phi, own.table, own.kinds)
    for weight, state in zip(weights.tolist(), states, strict=True):
        (given,) = readonly(sector.reduce(state))
        add_spin(sector.like, weight, given, cells, phi, table, kinds, out)
    return sector.vectors(out)


def sum_currents(
    space: Space, sector: Sector, aligned: Coefficients, weight: float, state: Complex, out: Real, *,
    torque: bool = False,
) -> None:  # fmt: skip
    """Add weight times the currents of a state, and if `torque` its torques, to out (1 + dim, 4, cells, points).

    `aligned` are coefficients in the frame of the sector.
    """
    tables = space.cells, space.phi, space.dphi, space.inverse, aligned.table, aligned.kinds
    cells, phi, dphi, inverse, table, kinds, pairs, given = readonly(*tables, aligned.pairs, sector.reduce(state))
    point = point_space(sector.entries, space.dim, cells.shape[1])
    add_currents(sector.like, weight, given, cells, phi, dphi, inverse, table, kinds, pairs, torque, point, out)


@formula
def add_moments(weight: float, a: Spin, g: Spin, out: Any) -> None:
    """Add weight times the moments to out, shape (4,)."""
    m = moments(a, g)
    for kind in range(4):
        out[kind] += weight * m[kind]


@kernel
def add_spin(
    like: Spin, weight: float, state: Any, cells: Any, phi: Any, table: Any, kinds: Any, out: Any
) -> None:  # fmt: skip
    """Add weight N0 i Tr sigma_a tau3 g to out, shape (3, cells, points); of diagonal matrices the z component."""
    if len(like) == 1:
        return
    for e in range(cells.shape[0]):
        for q in range(phi.shape[0]):
            a = interpolate(like, state, cells[e], phi[q])
            b = tilde(a)
            if kinds[e] & LINEAR:  # N = 1 - a b
                total = scale(-1.0, add(mul(a, b), mul(b, a)))
            else:
                n_matrix, nt_matrix, _, _ = frame(a, b)
                total = add(n_matrix, nt_matrix)
            for axis in range(0 if len(like) == 4 else 2, 3):
                out[axis, e, q] -= weight * table[e, q, N0] * 2.0 * trace(sigma_left(axis, total)).imag


def at_quadrature(space: Space, nodal: Complex) -> Complex:
    """Nodal values (nodes, components) interpolated to the quadrature points, shape (cells, points, components)."""
    return np.asarray(np.einsum("cik,qi->cqk", nodal[space.cells], space.phi))


def green_at_quadrature(system: Spectral, state: Complex) -> tuple[Complex, Complex]:
    """g and its covariant derivatives D_k g at the quadrature points: (4, 4, cells, points) and (dim, 4, 4, ...)."""
    space, linear = system.space, system.linearized
    a = to_matrix(at_quadrature(space, state))
    derivatives = to_matrix(_gradient_at_quadrature(space, state))
    b, gauge, g = tilde_matrix(a), system.coefficients.gauge, []
    for k in range(space.dim):
        da = derivatives[..., k]
        if gauge.shape[2]:
            s = 0.5 * np.einsum("cqa,aij->ijcq", gauge[:, :, k, 1:], SIGMA)
            da = da - 2j * gauge[:, :, k, 0] * a - 1j * (dot(s, a) - dot(a, s))
        g.append(green_derivative(a, b, da, tilde_matrix(da), linearized=linear))
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


def consistent_flux(system: Spectral, w: float, state: Complex, section: Section, share: Real) -> Real:
    """Charge and spin moments (4,) of the flux through a section that separates its two sides."""

    aligned, junctions = system.aligned
    reduced = system.sector.reduce(state)

    def cells(chosen: Index) -> Complex:
        return assemble(system.space, aligned, w, reduced, chosen=chosen)[0]

    def sides(chosen: NDArray[np.bool_]) -> Complex:
        return junction_residual(junctions, reduced, chosen)

    return section_moments(system, section, share, cells, sides, partial(_moments, reduced))


def section_moments(
    system: Spectral, section: Section, share: Real, cells: Callable[[Index], Complex],
    sides: Callable[[NDArray[np.bool_]], Complex], test: Callable[[Complex, Real], NDArray[Any]],
) -> NDArray[Any]:  # fmt: skip
    """The residual of all that lies behind a section, tested with the generators of charge and spin.

    `cells` and `sides` give the residual of chosen cells, and of chosen sides (2, facets) of the interfaces. Cells, and
    barriers seen from them, are tested on the nodes of the section, each with its `boundary_share`. What flows through
    facets of the section that are barriers is the derivative of their own interface terms.
    """
    junctions, mesh = system.junctions, system.space.mesh
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
