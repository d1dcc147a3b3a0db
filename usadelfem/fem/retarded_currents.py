"""Spectral currents: what flows at one energy, from the same formulas as the residual of the retarded problem.

With flux_k = df/d(d_k a) and its partner for b, a phase rotation da = i a, db = -i b and a spin rotation
da = i [sigma_a/2, a], db = i [sigma_a/2, b] give moments m(w) that are real at Matsubara frequencies and analytic, so
that 2 pi T sum_{w>0} m(w) is the integral over E > 0 of tanh(E/2T) Im m(Gamma - iE).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..physics.columns import N0
from ..physics.jit import kernel, readonly
from ..physics.nambu import SIGMA, Spin, mul, scale, sigma_left, sub, trace
from ..physics.variations import get
from ..space.section import Section
from ..space.space import Index, Real
from .cells import derivatives, gradients, interpolate, point_terms
from .currents import section_moments
from .retarded import Retarded
from .workspace import PointSpace, point_space

Complex = NDArray[np.complex128]


@kernel
def write_spectral_currents(
    like: Spin, state: Any, cells: Any, phi: Any, dphi: Any, inverse: Any, table: Any, exchanged: Any, kinds: Any,
    pairs: Any, point: PointSpace, out: Any,
) -> None:  # fmt: skip
    """Write N0 times the moments of charge and spin to out (dim, 4, cells, points)."""
    n, dz = len(like), point.dz
    for e in range(cells.shape[0]):
        for q in range(len(phi)):
            gradients(dphi, inverse, e, q, point.grad)
            x, y = interpolate(like, state[:, :n], cells[e], phi[q]), interpolate(like, state[:, n:], cells[e], phi[q])
            derivatives(state[:, :n], cells[e], point.grad, kinds[e], table[e, q], x, dz[0])
            derivatives(state[:, n:], cells[e], point.grad, kinds[e], exchanged[e, q], y, dz[1])
            out[:, :, e, q] = 0.0
            for side in range(2):
                c = table[e, q] if side == 0 else exchanged[e, q]
                point_terms(0.0, c, kinds[e], pairs, x, y, dz[side], dz[1 - side], False, point)
                for k in range(len(point.flux)):
                    add_complex_moments(c[N0], 1.0 if side == 0 else -1.0, x, get(x, point.flux, k), out[k, :, e, q])
                x, y = y, x


@kernel
def add_complex_moments(weight: float, sign: float, x: Spin, g: Spin, out: Any) -> None:
    """Add weight tr(dx g) for the generators dx = sign i x and i [sigma_a/2, x] to out, shape (4,)."""
    product = mul(x, g)
    out[0] += weight * sign * 1j * trace(product)
    if len(x) == 4:  # a diagonal x commutes with the conserved spin, and nothing else flows
        turned = scale(0.5j * weight, sub(product, mul(g, x)))
        for axis in range(3):
            out[1 + axis] += trace(sigma_left(axis, turned))


def spectral_moments(problem: Retarded, state: Complex) -> Real:
    """Imaginary parts of the moments of charge and spin at the quadrature points, shape (dim, 4, cells, points)."""
    system = problem.system
    own, other, _, _ = problem.tables
    space, like = system.space, system.sector.like
    out = np.empty((space.dim, 4, *space.dx.shape), complex)
    arrays = state, space.cells, space.phi, space.dphi, space.inverse, own.table, other, own.kinds, own.pairs
    given, cells, phi, dphi, inverse, table, exchanged, kinds, pairs = readonly(*arrays)
    point = point_space(len(like), space.dim, cells.shape[1])
    write_spectral_currents(like, given, cells, phi, dphi, inverse, table, exchanged, kinds, pairs, point, out)
    return np.asarray(out.imag)


def spectral_flux(problem: Retarded, w: complex, state: Complex, section: Section, share: Real) -> Real:
    """Imaginary parts of the moments (4,) of the flux through a section that separates its two sides."""

    def cells(chosen: Index) -> Complex:
        return problem.of_cells(w, state, chosen)

    def sides(chosen: NDArray[np.bool_]) -> Complex:
        return problem.of_sides(state, chosen)

    test = partial(_moments, problem, state)
    return np.asarray(section_moments(problem.system, section, share, cells, sides, test).imag)


def _moments(problem: Retarded, state: Complex, residual: Complex, share: Real) -> Complex:
    """A residual tested with the generators of charge and spin at the nodes, weighted with shares; (4,)."""
    half = problem.entries // 2
    nodes, charges = np.flatnonzero(share), np.repeat([1j, -1j], half)
    z, r = state[nodes], residual[nodes]
    charge = share[nodes] @ (r * charges * z).sum(axis=1)
    if half < 4:
        return np.array([charge, 0.0, 0.0, 0.0])
    pairs = [(part[:, :4].reshape(-1, 2, 2), part[:, 4:].reshape(-1, 2, 2)) for part in (z, r)]
    spins = [
        sum(share[nodes] @ (own * 0.5j * (s @ x - x @ s)).sum(axis=(1, 2)) for x, own in zip(*pairs, strict=True))
        for s in SIGMA
    ]
    return np.array([charge, *spins])
