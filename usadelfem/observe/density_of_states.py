"""Densities of states."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import named, numbers, shown
from ..errors import ObservableError
from ..fem.currents import at_quadrature
from ..fields.field import Field
from ..fields.parameter import Series
from ..nonequilibrium.result import Nonequilibrium
from ..physics.columns import EXCHANGE_FIELD, SPIN, W
from ..solve.results import Spectrum
from ..solve.spectral_density import check_density
from ..space.locate import Location
from .arguments import check_result
from .observed import observable

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


@named()
@observable
def density_of_states(spec: Spectrum | Nonequilibrium, *, spin: ArrayLike | None = None) -> Field:
    """The density of states N(E)/N0, relative to the normal one of each metal: a series of fields over energies.

    N/N0 = Re Tr tau3 g / 4 (theory, section on observables). Dimensionless. At energies that were not found it is NaN.

    Parameters
    ----------
    spec
        A spectrum, or the result of `solve_nonequilibrium`, of whose energies it then is.
    spin
        A direction s, shape (3,): the density of states with spin along s, Re tr (1 + s.sigma) G / 4 with G the upper
        left Nambu block; those of s and -s sum up to the whole. 1/2 in the normal state.

    Raises
    ------
    ObservableError
        If `spin` is no direction, or the equation was linearised.
    """
    check_result("density_of_states", spec, Spectrum, Nonequilibrium)
    if isinstance(spec, Nonequilibrium):
        return density_of_states(spec.spectrum, spin=spin)
    direction = None if spin is None else _direction(spin)

    def value(states: Complex) -> Real:
        if direction is None:
            return spec.equation.normal_part(states).real
        # tr s.sigma G / 2 = -(i df/dh + df/dS) / 4, G being the upper left block
        of = spec.equation.pointwise((W, *EXCHANGE_FIELD, *SPIN), states)
        vector = spec.problem.sector.vectors((1j * of[1:4] + of[4:]).real)
        return np.asarray(0.5 - 0.125 * (of[0].real + np.tensordot(direction, vector, axes=1)))

    check_density(spec)
    return over_energies(spec, "density_of_states", "N0", (), value)


def _direction(spin: Any) -> Real:
    allowed = "is a direction, three numbers that are not all 0"
    vector = numbers("spin", spin, allowed, error=ObservableError)
    if vector.shape != (3,) or not vector.any():
        raise ObservableError(f"spin is {shown(spin)}; allowed {allowed}")
    return np.asarray(vector / np.linalg.norm(vector))


def over_energies(
    spec: Spectrum, name: str, unit: str, components: tuple[str, ...], value: Callable[[Complex], NDArray[Any]]
) -> Field:
    """A series over energies of what is a function of the state: states (..., 2n) to values (*components, ...)."""
    space = spec.problem.space

    def all_energies(interpolated: Callable[[Complex], Complex]) -> NDArray[Any]:
        with np.errstate(invalid="ignore"):  # NaN where an energy was not found
            return np.array([value(interpolated(state)) for state in spec.states])

    def exact(location: Location) -> NDArray[Any]:
        return all_energies(location.interpolate)

    quadrature = all_energies(partial(at_quadrature, space))

    return Field(
        name, unit, components, quadrature, spec.device, space, exact=exact,
        series=Series("energy", "energy", spec.energies),
    )  # fmt: skip
