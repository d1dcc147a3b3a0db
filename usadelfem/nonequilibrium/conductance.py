"""The currents of all modes per deviation of all modes in the reservoirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checks import kind, named
from ..frozen import FrozenRecord, freeze
from ..solve.results import Spectrum
from .bias import MODES
from .responses import Responses, mode_vectors
from .result import Nonequilibrium

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Conductance(FrozenRecord):
    """What leaves every terminal in every mode per mode of every terminal.

    Attributes
    ----------
    energies
        Energies >= 0 relative to the condensate, shape (energies,).
    terminals, modes
        Names of the reservoirs, and of the modes of the distribution h = h_L + h_T t3 + h_a s_a + h_La s_a t3.
    values
        The current of a mode out of a terminal per unit of a mode's deviation in a terminal, shape (energies,
        terminals, 8, terminals, 8), e^2 N0 D length^(dim - 2), or in the units of the device. The charge current into a
        terminal is the integral over all E of (1/2) times values times deviation, and a normal wire has 1/R_N in its
        [t3, t3] entries.
    """

    energies: Real
    terminals: tuple[str, ...]
    modes: tuple[str, ...]
    values: Real

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __repr__(self) -> str:
        return f"Conductance({len(self.energies)} energies, terminals {', '.join(self.terminals)})"


@named()
def conductance_matrix(neq: Nonequilibrium) -> Conductance:
    """The current of every mode out of every terminal per mode of every terminal, at the energies of a solve.

    All 8 modes in every spin sector; those that the solve did not need are found from its retarded states.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.
    """
    kind("conductance_matrix", neq, Nonequilibrium, "is the result of solve_nonequilibrium")
    values = whole_conductances(neq.spectrum, neq.conductances, neq.kind)
    dim = neq.problem.space.dim
    unit = neq.device.units.express(f"e^2*N0*D*length^{dim - 2}*length^{3 - dim}")[0] * neq.device.transverse
    return Conductance(neq.energies, neq.terminals, MODES, unit * values if unit != 1.0 else values)


def whole_conductances(spectrum: Spectrum, known: Real, kind: str) -> Real:
    """The conductances of all 8 modes at the energies of a spectrum, from those `known` of its spin sector.

    A smaller sector does not hold all of them: they are solved for anew with its retarded states.
    """
    vectors = mode_vectors(spectrum.problem)
    if vectors.shape[1] == 8:
        return np.asarray(np.einsum("xi,eaibj,yj->eaxby", vectors, known, vectors))
    responses = Responses(spectrum.problem, kind).whole()
    every, solved = mode_vectors(responses.problem), []
    for n, energy in enumerate(spectrum.energies.tolist()):
        state = np.concatenate(spectrum.riccati(n), axis=-1)
        solved.append(responses.solve(complex(spectrum.broadening, -energy), state).conductance)
    return np.asarray(np.einsum("xi,eaibj,yj->eaxby", every, np.array(solved), every))
