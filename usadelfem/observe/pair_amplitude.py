"""Singlet and triplet pair amplitudes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named
from ..fem.currents import at_quadrature
from ..physics.nambu import SIGMA
from ..physics.riccati import anomalous, tilde, to_matrix
from ..solve.results import Equilibrium, Spectrum
from ..space.locate import Location
from .arguments import check_index, check_result
from .density_of_states import over_energies
from .fields import Field

Complex = NDArray[np.complex128]


@named()
def pair_amplitude(eq: Equilibrium | Spectrum, n: int | None = 0) -> Field:
    """Singlet and triplet pair amplitudes, complex components (f0, fx, fy, fz).

    f0 = tr F/2 and f_a = tr(sigma_a F)/2 with F the upper right Nambu block of g; a bulk superconductor has
    f0 = i gap/sqrt(w^2 + |gap|^2). Dimensionless.

    Parameters
    ----------
    n
        Index into `eq.frequencies` (0 is the lowest), or None for the sum over positive Matsubara frequencies,
        sum_j eq.weights[j] f(eq.frequencies[j]). Where a gap is finite the singlet part of that sum grows
        logarithmically with the highest frequency: compare it only between solves with the same frequencies. With the
        Gaussian quadrature it is meaningful for the triplets, which fall off like 1/w^2. Of a spectrum the retarded
        amplitudes at all energies are returned, a series, and `n` has no meaning.

    Raises
    ------
    ObservableError
        If there is no such frequency.
    """
    check_result("pair_amplitude", eq, Equilibrium, Spectrum)
    if isinstance(eq, Spectrum):
        return _retarded_amplitude(eq)
    if n is not None:
        n = check_index(eq, n)
    space, linear = eq.system.space, eq.system.linearized
    chosen, weights = (eq.riccati, eq.weights) if n is None else (eq.riccati[[n]], np.ones(1))
    total = sum(
        weight * _components(*_both(at_quadrature(space, state)), linear)
        for weight, state in zip(weights, chosen, strict=True)
    )

    def exact(location: Location) -> Any:
        states = location.interpolate(chosen)
        return np.einsum("j,kj...->k...", weights, _components(*_both(states), linear))

    name = "pair_amplitude_sum" if n is None else "pair_amplitude"
    return Field(name, "1", ("f0", "fx", "fy", "fz"), np.asarray(total), eq.device, space, exact=exact)


@named()
def gap(eq: Equilibrium) -> Field:
    """The order parameter Delta, complex: what was found where it is self-consistent, what was given elsewhere.

    Its modulus is an energy, its argument the superconducting phase. Zero in normal metals.
    """
    check_result("gap", eq, Equilibrium)
    return Field("gap", "energy", (), eq.system.gap, eq.device, eq.system.space)


def _retarded_amplitude(spec: Spectrum) -> Field:
    def value(states: Complex) -> Complex:
        a, b = spec.problem.matrices(states)
        return _components(to_matrix(a), to_matrix(b), spec.problem.system.linearized)

    return over_energies(spec, "pair_amplitude", "1", ("f0", "fx", "fy", "fz"), value)


def _both(state: Complex) -> tuple[Complex, Complex]:
    """a and b of Matsubara states (..., 4)."""
    a = to_matrix(state)
    return a, tilde(a)


def _components(a: Complex, b: Complex, linearized: bool) -> Complex:
    """(f0, fx, fy, fz) along the first axis, of matrices (2, 2, ...)."""
    f = anomalous(a, b, linearized=linearized)
    singlet = 0.5 * (f[0, 0] + f[1, 1])
    return np.array([singlet, *(0.5 * np.einsum("ij,ji...->...", s, f) for s in SIGMA)])
