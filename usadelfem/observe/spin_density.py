"""Spin density."""

from __future__ import annotations

import numpy as np

from ..checks import flag, named
from ..errors import ObservableError
from ..fields.field import Field
from ..nonequilibrium.result import Nonequilibrium
from ..physics.columns import EXCHANGE_FIELD, N0
from ..solve.normal_state import NormalState
from ..solve.results import Equilibrium
from .arguments import check_result
from .densities import driven_spin_density
from .normal_state import normal_spin_density
from .observed import observable


@named()
@observable
def spin_density(eq: Equilibrium | NormalState | Nonequilibrium, *, pauli: bool = False) -> Field:
    """The spin density that superconducting correlations add, components (3,).

    dS_a = -(i pi N0 T/2) sum over all w of Tr sigma_a tau3 g (theory, section on observables): the difference to the
    normal state, which carries the Pauli term 2 N0 h_a. A homogeneous superconductor at T = 0 with |h| < gap has
    dS = -2 N0 h, so that its total vanishes.

    Unit: hbar/2 times N0 energy.

    Parameters
    ----------
    eq
        An equilibrium; of a normal state the density 2 N0 s of the spin accumulation s; out of equilibrium that of the
        equilibrium and -(N0/8) Int dE Tr sigma_a tau3 K of the deviation.
    pauli
        Add the Pauli term 2 N0 h_a, which makes it the total spin density (not of a normal state).

    Raises
    ------
    ObservableError
        If `pauli` is asked for of a normal state.
    """
    check_result("spin_density", eq, Equilibrium, NormalState, Nonequilibrium)
    flag("pauli", pauli, error=ObservableError)
    if isinstance(eq, NormalState):
        if pauli:
            raise ObservableError(
                "pauli=True belongs to an equilibrium; the spin density of a normal state is the excess"
            )
        return normal_spin_density(eq)
    if isinstance(eq, Nonequilibrium):
        at_rest = spin_density(eq.equilibrium, pauli=pauli).natural
        values = at_rest.quadrature + driven_spin_density(eq)
        return Field("spin_density", at_rest.unit, at_rest.components, values, eq.device, at_rest.space)
    space, coefficients = eq.problem.space, eq.problem.coefficients
    n0 = coefficients.table[..., N0]
    aligned = eq.equation.conjugates(EXCHANGE_FIELD, -np.pi * eq.temperature * eq.weights, eq.riccati)
    total = n0 * eq.problem.sector.vectors(aligned)
    if pauli:
        total += 2 * n0 * np.moveaxis(coefficients.table[..., list(EXCHANGE_FIELD)], -1, 0)
    return Field("spin_density", "hbar/2*N0*energy", ("x", "y", "z"), total, eq.device, space)
