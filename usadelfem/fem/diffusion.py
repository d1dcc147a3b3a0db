"""Charge and spin diffusion of the normal state: element matrices, fluxes and loads.

Unknowns u = (mu, s_x, s_y, s_z), four per node. With the covariant derivative (D_j s)_b = d_j s_b + (SU_j x s)_b the
flux per density of states is J_k^alpha = -K_kj^{alpha beta} (D_j u)_beta,

    K^{00} = D delta_kj,  K^{0a} = K^{a0} = -D Theta_kj^a,  K^{ba} = D (delta_ba delta_kj + Kappa_kj^c eps_cba),

and d_k J_k^b + (SU_k x J_k)^b = -(1/tau_so + 1/tau_sf) s_b - 2 (h x s)_b (docs, theory of the normal state).
"""

from __future__ import annotations

import numpy as np

from ..physics import columns as column
from ..space.section import Section, facet_basis
from ..space.space import Index, Real, Space
from .coefficients import Coefficients, mesh_levi_civita, spin_hall_tensors

COMPONENTS = 4  # mu, s_x, s_y, s_z
_CHUNK = 256  # cells at a time
_EPS = mesh_levi_civita((0, 1, 2))


def _mobility(table: Real, theta: Real, kappa: Real) -> Real:
    """N0 K_kj^{alpha beta} at the quadrature points, shape (cells, points, 4, dim, 4, dim)."""
    dim = len(theta)
    k = np.zeros((*table.shape[:2], COMPONENTS, dim, COMPONENTS, dim))
    k += np.einsum("ab,kj->akbj", np.eye(COMPONENTS), np.eye(dim))
    k[:, :, 0, :, 1:, :] -= theta.transpose(3, 4, 0, 2, 1)
    k[:, :, 1:, :, 0, :] -= theta.transpose(3, 4, 2, 0, 1)
    k[:, :, 1:, :, 1:, :] += np.einsum("kjcpq,cba->pqbkaj", kappa, _EPS)
    return np.asarray(k * (table[..., column.N0] * table[..., column.D])[..., None, None, None, None])


def _own_mobility(own: Coefficients, dim: int) -> Real:
    return _mobility(own.table, *spin_hall_tensors(own, dim))


def _reaction(coefficients: Coefficients) -> Real:
    """N0 times relaxation and precession of u, shape (cells, points, 4, 4)."""
    table = coefficients.table
    r = np.zeros((*table.shape[:2], COMPONENTS, COMPONENTS))
    r[..., 1:, 1:] = column.spin_relaxation(table)[..., None] * np.eye(3)
    r[..., 1:, 1:] += 2 * np.einsum("bca,pqc->pqba", _EPS, table[..., column.HX : column.HZ + 1])
    return np.asarray(r * table[..., column.N0][..., None, None])


def _covariant(space: Space, coefficients: Coefficients, cells: Index) -> Real:
    """(D_k u)_alpha of every basis function, shape (cells, points, local nodes, 4 of u, 4, dim)."""
    inverse = np.broadcast_to(space.inverse[cells], (len(cells), space.dx.shape[1], space.dim, space.dim))
    gradient = np.einsum("qim,cqmk->cqik", space.dphi, inverse)
    d = np.einsum("cqik,ab->cqiabk", gradient, np.eye(COMPONENTS))
    gauge = coefficients.gauge
    if gauge.shape[2]:
        turn = np.einsum("bae,cqka->cqebk", _EPS, gauge[..., 1:])
        d[:, :, :, 1:, 1:, :] += space.phi[None, :, :, None, None, None] * turn[:, :, None]
    return np.asarray(d)


def element_matrices(space: Space, coefficients: Coefficients, cells: Index) -> Real:
    """The weak form on some cells, shape (cells, 4 local, 4 local), unknown 4 i + alpha; coefficients of all cells."""
    size = COMPONENTS * space.cells.shape[1]
    out = np.empty((len(cells), size, size))
    for first in range(0, len(cells), _CHUNK):
        part = cells[first : first + _CHUNK]
        own, dx = coefficients.chosen(part), space.dx[part]
        d = _covariant(space, own, part)
        flux = np.einsum("cqakbj,cqigbj->cqigak", _own_mobility(own, space.dim), d) * dx[:, :, None, None, None, None]
        shape = (len(part), space.dx.shape[1], size, -1)
        d, flux = (array.reshape(shape).transpose(0, 2, 1, 3).reshape(len(part), size, -1) for array in (d, flux))
        local = np.einsum("qi,qj,cqab,cq->ciajb", space.phi, space.phi, _reaction(own), dx, optimize=True)
        out[first : first + _CHUNK] = d @ flux.transpose(0, 2, 1) + local.reshape(len(part), size, size)
    return out


def flux_at_quadrature(space: Space, coefficients: Coefficients, values: Real) -> Real:
    """J_k^alpha times N0 at the quadrature points, shape (4, dim, cells, points); values are (nodes, 4)."""
    out = np.empty((COMPONENTS, space.dim, *space.dx.shape))
    for first in range(0, len(space.cells), _CHUNK):
        part = np.arange(first, min(first + _CHUNK, len(space.cells)))
        own = coefficients.chosen(part)
        d = np.einsum("cqigbj,cig->cqbj", _covariant(space, own, part), values[space.cells[part]])
        out[:, :, part] = -np.einsum("cqakbj,cqbj->akcq", _own_mobility(own, space.dim), d)
    return out


def spatial_flux(space: Space, coefficients: Coefficients, values: Real, theta: Real, kappa: Real) -> Real:
    """J_k^alpha times N0 along all axes of space, shape (4, 3, cells, points), with `spatial_spin_hall_tensors`."""
    every = np.arange(len(space.cells))
    out = np.empty((COMPONENTS, 3, *space.dx.shape))
    for first in range(0, len(every), _CHUNK):
        part = every[first : first + _CHUNK]
        own = coefficients.chosen(part)
        d = np.zeros((len(part), space.dx.shape[1], COMPONENTS, 3))
        d[..., : space.dim] = np.einsum(
            "cqigbj,cig->cqbj", _covariant(space, own, part), values[space.cells[part]]
        )
        mobility = _mobility(own.table, theta[..., part, :], kappa[..., part, :])
        out[:, :, part] = -np.einsum("cqakbj,cqbj->akcq", mobility, d)
    return out


def facet_load(space: Space, facets: Index) -> Real:
    """Integral of every basis function over facets, shape (nodes,); it sums up to their measure."""
    load = np.zeros(space.nodes.shape[1])
    if len(facets):
        phi, dx, _ = facet_basis(space, facets)
        np.add.at(load, space.facet_corners(facets)[0], np.einsum("fqk,fq->fk", phi, dx))
    return load


def section_flux(
    space: Space, coefficients: Coefficients, values: Real, load: Real, section: Section, share: Real
) -> Real:  # fmt: skip
    """Flux (4,) through a section that separates its two sides: the residual of the cells behind it on its nodes.

    `load` (nodes, 4) is what current contacts feed into the cells behind, `share` as `points.boundary_share` gives.
    """
    nodes = space.cells[section.cells]
    local = element_matrices(space, coefficients, section.cells)
    product = np.einsum("cij,cj->ci", local, values[nodes].reshape(len(nodes), -1)).reshape(*nodes.shape, COMPONENTS)
    residual = np.einsum("ci,cia->a", share[nodes], product) - share @ load
    return np.asarray(-section.sign * residual)
