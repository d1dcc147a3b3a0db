"""The tangents of all points of a result at its solution: one factorisation per frequency or energy, which is kept."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fem.gap_equation import BareCoupling, GapCoupling, Pairing
from ..fem.problem import Problem, energy_scale
from ..points.energy_chain import EnergyChain
from ..points.frequency_chain import FrequencyChain
from ..points.sums import MODE_ACCURACY, Terms
from ..points.team import LocalTeam, Setup
from ..solve.results import Equilibrium, Spectrum
from .direction import with_room
from .products import Equation

Complex = NDArray[np.complex128]


class LinearStates:
    """The tangents of all points of a result, in a problem that has room for what its parameters change.

    Attributes
    ----------
    problem
        The problem of the result, with columns and a sector that hold the changes too.
    pairing
        Where the gap is unknown; None where all gaps are given.
    """

    def __init__(self, result: Equilibrium | Spectrum, problem: Problem) -> None:
        spectrum = isinstance(result, Spectrum)
        self.problem = problem
        self.pairing = None if isinstance(result, Spectrum) else result.pairing
        self.temperature = np.nan if isinstance(result, Spectrum) else result.temperature
        setup = Setup(
            problem, EnergyChain if spectrum else FrequencyChain, energy_scale(problem),
            result.broadening if isinstance(result, Spectrum) else 0.0, "auto", True, Terms(self.pairing),
        )  # fmt: skip
        self.team = LocalTeam(setup)
        if isinstance(result, Spectrum):
            self.team.turn(result.energies)
            reduce = problem.sector.reduce
            for index, state in enumerate(result.states):
                a, b = result.equation.matrices(state)
                self.team.states[index] = np.concatenate([reduce(a), reduce(b)], axis=-1)
        else:
            self.team.turn(result.frequencies, result.weights)
            self.team.states[:] = result.riccati

    def in_room_for_spin_charge(self) -> LinearStates:
        """The same states in a problem with columns for isotropic theta and kappa; without factors of its own."""
        made = copy(self)
        vars(made).pop("equation", None)
        made.problem = with_room(self.problem, gauge=False, spin_charge=True)
        return made

    @cached_property
    def equation(self) -> Equation:
        """The equation that all states solve."""
        return self.team.setup.chain.equation(self.problem)

    @property
    def w(self) -> NDArray[Any]:
        """Frequencies, or Gamma - iE."""
        return self.team.arguments

    @property
    def states(self) -> Complex:
        """The solutions at all points."""
        return self.team.states

    def points(self) -> Iterator[tuple[int, Any, Complex]]:
        """Number, frequency and state of every point that has a solution."""
        for index, (w, state) in enumerate(zip(self.w.tolist(), self.states, strict=True)):
            if np.isfinite(state).all():
                yield index, w, state

    def coupling(self, pairing: Pairing, index: int) -> BareCoupling | GapCoupling:
        """How the gap and the state of a point couple."""
        (chain,) = self.team.active
        return chain.coupling(pairing, self.equation, index, self.states[index])

    def respond(self, index: int, source: Complex) -> Complex:
        """-H^-1 times a change of the residual at a point: the change of its state, zero at the nodes of reservoirs.

        Raises
        ------
        SolveError
            If the tangent is singular.
        """
        (chain,) = self.team.active
        step = chain.response(self.problem, index, self.equation.free(source), MODE_ACCURACY)
        return np.zeros_like(source) if step is None else self.equation.reduced_change(step)
