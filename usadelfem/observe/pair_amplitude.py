"""Singlet and triplet pair amplitudes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_number, named, shown
from ..errors import ObservableError
from ..fem.conjugates import singlet
from ..fem.currents import at_quadrature
from ..fem.matsubara import Matsubara
from ..fem.retarded import Retarded
from ..fields.field import Field
from ..nonequilibrium.result import Nonequilibrium
from ..physics.columns import GAP, PAIR
from ..solve.results import Equilibrium, Spectrum
from ..space.locate import Location
from .arguments import check_index, check_result
from .density_of_states import over_energies
from .observed import observable

Complex = NDArray[np.complex128]


@named()
@observable
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
        amplitudes at all energies are returned, a series; there `n` is left out.

    Raises
    ------
    ObservableError
        If there is no such frequency, or `n` is given with a spectrum.
    """
    check_result("pair_amplitude", eq, Equilibrium, Spectrum)
    if isinstance(eq, Spectrum):
        if as_number(n) != 0:
            raise ObservableError(
                f"n is {shown(n)}, an index of a Matsubara frequency; a spectrum has none: leave n out, and take one "
                "energy of the series, pair_amplitude(spec)[k]"
            )
        return _retarded_amplitude(eq)
    if n is not None:
        n = check_index(eq, n)
    space = eq.problem.space
    chosen, weights = (eq.riccati, eq.weights) if n is None else (eq.riccati[[n]], np.ones(1))
    total = sum(
        weight * _components(eq.equation, at_quadrature(space, state))
        for weight, state in zip(weights, chosen, strict=True)
    )

    def exact(location: Location) -> Any:
        values = _components(eq.equation, location.interpolate(chosen))
        return np.einsum("j,kj...->k...", weights, values)

    name = "pair_amplitude_sum" if n is None else "pair_amplitude"
    return Field(name, "1", ("f0", "fx", "fy", "fz"), np.asarray(total), eq.device, space, exact=exact)


@named()
@observable
def gap(eq: Equilibrium | Nonequilibrium) -> Field:
    """The order parameter Delta, complex: what was found where it is self-consistent, what was given elsewhere.

    Its modulus is an energy, its argument the superconducting phase. Zero in normal metals.
    """
    check_result("gap", eq, Equilibrium, Nonequilibrium)
    return Field("gap", "energy", (), eq.problem.gap, eq.device, eq.problem.space)


def _retarded_amplitude(spec: Spectrum) -> Field:
    value = partial(_components, spec.equation)
    return over_energies(spec, "pair_amplitude", "1", ("f0", "fx", "fy", "fz"), value)


def _components(equation: Matsubara | Retarded, values: Complex) -> Complex:
    """(f0, fx, fy, fz) along the first axis, of interpolated states."""
    of = equation.pointwise((*GAP, *PAIR), values)
    return np.concatenate([singlet(of[:2])[None], equation.problem.sector.vectors(of[2:])])
