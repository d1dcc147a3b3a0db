"""What a state and a distribution make at points: products with the blocks of R in Pauli components."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..fem.currents import at_quadrature
from ..fem.gap_equation import Pairing
from ..fem.problem import Problem
from ..fem.retarded import Retarded
from ..physics.nambu import dot
from ..physics.riccati import identity_like, inverse, pauli_components, to_matrix
from .responses import mode_vectors

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


def normal_blocks(problem: Problem, state: Complex) -> tuple[Complex, Complex]:
    """The diagonal Nambu blocks of R of states (..., 2n), as 1/2 tr sigma_mu of each; (4, ...)."""
    a, b = (to_matrix(entries) for entries in Retarded(problem).matrices(state))
    one = identity_like(a)
    upper, lower = 2 * inverse(one + dot(a, b)) - one, one - 2 * inverse(one + dot(b, a))
    return pauli_components(upper), pauli_components(lower)


def spin_product(g: Complex, h: Real) -> tuple[Real, Real]:
    """Re tr G h and Re tr sigma_a G h of Pauli components (4, ...); shapes (...) and (3, ...)."""
    cross = np.cross(g[1:], h[1:], axis=0)
    return 2 * (g * h).sum(axis=0).real, 2 * (g[0] * h[1:] + g[1:] * h[0] + 1j * cross).real


def electrons_and_holes(h: Real) -> tuple[Real, Real]:
    """The diagonal blocks of a distribution (8, ...) in Pauli components."""
    plain, turned = h[[0, 2, 3, 4]], h[[1, 5, 6, 7]]
    return plain + turned, plain - turned


def driven_amplitude(problem: Problem, state: Complex, h: Real, pairing: Pairing) -> Complex:
    """(1/2) tr [R h - h A]_12 at the points of the pairing: sum over mu of F_mu h2_mu - h1_mu Ft_mu*."""
    space = problem.space
    part = replace(space, cells=space.cells[pairing.chosen])
    a, b = (to_matrix(own) for own in Retarded(problem).matrices(at_quadrature(part, state)))
    one = identity_like(a)
    upper = pauli_components(2 * dot(inverse(one + dot(a, b)), a))
    lower = pauli_components(2 * dot(inverse(one + dot(b, a)), b))
    modes = np.moveaxis(at_quadrature(part, h @ mode_vectors(problem).T), -1, 0)
    first, second = electrons_and_holes(modes)
    return np.asarray((upper * second - first * lower.conj()).sum(axis=0))
