"""Charge and spin diffusion of the normal state: element matrices, fluxes and loads.

Unknowns u = (mu, s_x, s_y, s_z), four per node. With the covariant derivative (D_j s)_b = d_j s_b + (SU_j x s)_b the
flux per density of states is J_k^alpha = -K_kj^{alpha beta} (D_j u)_beta,

    K^{00} = D delta_kj,  K^{0a} = K^{a0} = -D Theta_kj^a,  K^{ba} = D (delta_ba delta_kj + Kappa_kj^c eps_cba),

and d_k J_k^b + (SU_k x J_k)^b = -(1/tau_so + 1/tau_sf) s_b - 2 (h x s)_b (docs, theory of the normal state).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import bsr_array

from ..compilation.jit import kernel, readonly
from ..numerics.sparse import scalar_matrix
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


def _reaction(coefficients: Coefficients, *, damped: bool) -> Real:
    """N0 times relaxation and precession of u, shape (cells, points, 4, 4); damping in place of precession."""
    table = coefficients.table
    r = np.zeros((*table.shape[:2], COMPONENTS, COMPONENTS))
    r[..., 1:, 1:] = column.spin_relaxation(table)[..., None] * np.eye(3)
    r[..., 1:, 1:] += _damping(table) if damped else _precession(table)
    return np.asarray(r * table[..., column.N0][..., None, None])


def _precession(table: Real) -> Real:
    """The matrix of 2 h x s, shape (cells, points, 3, 3)."""
    return np.asarray(2 * np.einsum("bca,pqc->pqba", _EPS, table[..., column.HX : column.HZ + 1]))


def _damping(table: Real) -> Real:
    """2 |h| times the spins across h, shape (cells, points, 3, 3)."""
    h = table[..., column.HX : column.HZ + 1]
    size = np.linalg.norm(h, axis=-1)[..., None, None]
    return np.asarray(2 * size * np.eye(3) - 2 * h[..., :, None] * h[..., None, :] / np.where(size > 0, size, 1.0))


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


@kernel("diffusion in the normal state")
def diffusion_terms(
    four: tuple[float, ...], mobility: Any, reaction: Any, gradient: Any, gauge: Any, phi: Any, dx: Any, flux: Any,
    out: Any,
) -> None:  # fmt: skip
    """Add the weak form of some cells, [N0 K D u].[D v] + [R u].v, to out (cells, local, 4, local, 4).

    `four` has as many entries as there are components; `flux` (4, dim) is working space.
    """
    components, dim = len(four), gradient.shape[3]
    for c in range(dx.shape[0]):
        for q in range(dx.shape[1]):
            weight, turned = dx[c, q], gauge.shape[2] > 0
            for j in range(phi.shape[1]):
                for g in range(components):
                    for a in range(components):
                        for k in range(dim):
                            total = 0.0
                            for m in range(dim):
                                total += mobility[c, q, a, k, g, m] * gradient[c, q, j, m]
                            flux[a, k] = total
                    if turned and g > 0:
                        # (D_m u)_b = d_m u_b + eps_bef SU_m^e u_f: u_f with f = g adds to the two other components
                        one, two = 1 + g % 3, 1 + (g + 1) % 3
                        for a in range(components):
                            for k in range(dim):
                                total = 0.0
                                for m in range(dim):
                                    total += mobility[c, q, a, k, two, m] * gauge[c, q, m, one]
                                    total -= mobility[c, q, a, k, one, m] * gauge[c, q, m, two]
                                flux[a, k] -= phi[q, j] * total
                    for i in range(phi.shape[1]):
                        for f in range(components):
                            total = phi[q, i] * phi[q, j] * reaction[c, q, f, g]
                            for k in range(dim):
                                total += gradient[c, q, i, k] * flux[f, k]
                            if turned and f > 0:
                                one, two = 1 + f % 3, 1 + (f + 1) % 3
                                for k in range(dim):
                                    total -= phi[q, i] * gauge[c, q, k, one] * flux[two, k]
                                    total += phi[q, i] * gauge[c, q, k, two] * flux[one, k]
                            out[c, i, f, j, g] += weight * total


def precession_matrix(space: Space, coefficients: Coefficients) -> Any:
    """Precession minus damping over the spins of all nodes, unknown 3 i + axis, in blocks (BSR)."""
    table = coefficients.table
    weight = (_precession(table) - _damping(table)) * (table[..., column.N0] * space.dx)[..., None, None]
    parts = []
    for axes in np.ndindex(3, 3):
        local = np.einsum("qi,cq,qj->cij", space.phi, weight[..., *axes], space.phi)
        parts.append(scalar_matrix(space.cells, local, space.nodes.shape[1]))
    blocks = np.stack([part.data for part in parts], axis=1).reshape(-1, 3, 3)
    return bsr_array((blocks, parts[0].indices, parts[0].indptr), shape=(3 * space.nodes.shape[1],) * 2)


def element_matrices(space: Space, coefficients: Coefficients, cells: Index, *, damped: bool = False) -> Real:
    """The weak form on some cells, shape (cells, 4 local, 4 local), unknown 4 i + alpha; coefficients of all cells.

    With `damped` spins across an exchange field relax instead of turning around it, which is symmetric.
    """
    nodes = space.cells.shape[1]
    out = np.zeros((len(cells), nodes, COMPONENTS, nodes, COMPONENTS))
    for first in range(0, len(cells), _CHUNK):
        part = cells[first : first + _CHUNK]
        own, inverse = coefficients.chosen(part), space.inverse[part]
        inverse = np.broadcast_to(inverse, (len(part), space.dx.shape[1], space.dim, space.dim))
        gradient = np.einsum("qim,cqmk->cqik", space.dphi, inverse)
        local = _own_mobility(own, space.dim), _reaction(own, damped=damped)
        arrays = *local, gradient, own.gauge, space.phi, space.dx[part]
        mobility, reaction, slopes, gauge, phi, dx = readonly(*arrays)
        flux, four = np.empty((COMPONENTS, space.dim)), (0.0,) * COMPONENTS
        diffusion_terms(four, mobility, reaction, slopes, gauge, phi, dx, flux, out[first : first + _CHUNK])
    return out.reshape(len(cells), COMPONENTS * nodes, -1)


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
