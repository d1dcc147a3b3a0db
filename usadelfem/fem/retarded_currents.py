"""Spectral currents: what flows at one energy, from the same formulas as the residual of the retarded equation.

With flux_k = df/d(d_k a) and its partner for b, a phase rotation da = i a, db = -i b and a spin rotation
da = i [sigma_a/2, a], db = i [sigma_a/2, b] give moments m(w) that are real at Matsubara frequencies and analytic, so
that 2 pi T sum_{w>0} m(w) is the integral over E > 0 of tanh(E/2T) Im m(Gamma - iE).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..physics.columns import N0
from ..physics.nambu import SIGMA
from ..space.section import Section
from ..space.space import Index, Real
from .conjugates import gauge_columns
from .currents import section_moments
from .retarded import Retarded

Complex = NDArray[np.complex128]


def spectral_moments(equation: Retarded, state: Complex) -> Real:
    """Imaginary parts of the moments of charge and spin at the quadrature points, shape (dim, 4, cells, points).

    They are -1/2 and -1 times the conjugates of A and SU.
    """
    space = equation.problem.space
    places = gauge_columns(space.dim, range(4))
    m = equation.conjugates(places, 1.0, [state]).imag * equation.problem.coefficients.table[..., N0]
    factors = np.array([-0.5, -1.0, -1.0, -1.0])
    return np.asarray(m.reshape(space.dim, 4, *space.dx.shape) * factors[:, None, None])


def spectral_flux(equation: Retarded, w: complex, state: Complex, section: Section, share: Real) -> Real:
    """Imaginary parts of the moments (4,) of the flux through a section that separates its two sides."""

    def cells(chosen: Index) -> Complex:
        return equation.of_cells(w, state, chosen)

    def sides(chosen: NDArray[np.bool_]) -> Complex:
        return equation.of_sides(state, chosen)

    test = partial(_moments, equation, state)
    return np.asarray(section_moments(equation.problem, section, share, cells, sides, test).imag)


def _moments(equation: Retarded, state: Complex, residual: Complex, share: Real) -> Complex:
    """A residual tested with the generators of charge and spin at the nodes, weighted with shares; (4,)."""
    half = equation.entries // 2
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
