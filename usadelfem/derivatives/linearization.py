"""The equations of a result linearised at its solution: one factorisation per frequency or energy, which is kept."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from ..errors import SolveError
from ..fem.gap_equation import zero_temperature_gap
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem, energy_scale
from ..points.energy_chain import EnergyChain
from ..points.frequency_chain import FrequencyChain
from ..points.sums import MODE_ACCURACY, Terms
from ..points.team import LocalTeam, Setup
from ..solve.field_problem import SelfConsistency, as_gap, as_real
from ..solve.results import Equilibrium, Spectrum
from .direction import Direction, with_room
from .products import Equation

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Relative residual of the linear response of the gap, and the number of products with its matrix that it may take.
RESPONSE_ACCURACY, MOST_PRODUCTS = 1e-11, 200
# A solution of the linearised gap equation with a larger relative residual is none.
FAILED = 1e-6


class Linearization:
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

    def in_room_for_spin_charge(self) -> Linearization:
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

    @cached_property
    def consistency(self) -> SelfConsistency | None:
        """The gap equation at the solution; None where all gaps are given."""
        if self.pairing is None:
            return None
        unit = zero_temperature_gap(self.pairing)
        return SelfConsistency(self.problem, self.team, self.pairing, None, self.temperature, unit)

    def explicit_gap_residual(self, direction: Direction) -> Complex:
        """The change of the gap equation's residual with temperature and Tc, gap and states being held.

        ln(T/Tc) changes, and with R = 0 the sum over frequencies, in units of T, is what it has to be.
        """
        own = self.consistency
        assert own is not None
        assert self.pairing is not None
        rate = direction.temperature / self.temperature
        rising = 0.0 if direction.log_tc is None else direction.log_tc[self.pairing.chosen]
        return np.where(own.paired, (rate - rising - rate * own.coefficient) * own.gap, 0.0)

    def gap_response(self, residual: Complex) -> Complex:
        """-J^-1 times a change of the gap equation's residual, J its derivative, the states following.

        Raises
        ------
        SolveError
            If it is not found: the solution is at the end of a branch, or has a direction without stiffness.
        """
        own = self.consistency
        assert own is not None
        assert self.pairing is not None
        pairing, response, gap = self.pairing, own.gap_response(), own.gap
        root = np.sqrt(np.repeat(pairing.weight.ravel(), 2))
        shape = len(root), len(root)

        def product(x: Any) -> Real:
            return root * as_real(own.derivative(as_gap(np.asarray(x).ravel() / root, pairing), MODE_ACCURACY))

        def approximate(x: Any) -> Real:
            return root * as_real(np.asarray(response.apply(gap, as_gap(np.asarray(x).ravel() / root, pairing))))

        right = -root * as_real(residual)
        if not right.any():
            return np.zeros_like(residual)
        matrix = LinearOperator(shape, matvec=product, dtype=np.float64)
        inverse = LinearOperator(shape, matvec=approximate, dtype=np.float64)
        found, _ = gmres(
            matrix, right, rtol=RESPONSE_ACCURACY, restart=MOST_PRODUCTS, maxiter=1, M=inverse, atol=0.0
        )  # fmt: skip
        left = np.linalg.norm(matrix @ found - right) / np.linalg.norm(right)
        if not left <= FAILED:
            raise SolveError(
                f"the response of the gap was not found (relative residual {left:.1e}): the solution is at the end of "
                "a branch, or a part of the device has a phase that nothing holds. Try: a parameter further from "
                "there, or a reservoir with a gap",
                frequency=float("nan"), residuals=(), state=None,
            )  # fmt: skip
        return as_gap(found / root, pairing)

    def gap_amplitude(self, changes: list[Complex]) -> Complex:
        """The change of the sum of f0 over the frequencies with changes of the states."""
        assert self.pairing is not None
        assert isinstance(self.equation, Matsubara)
        total: Any = 0.0
        for state, change, weight in zip(self.states, changes, self.team.weights.tolist(), strict=True):
            total = total + self.pairing.response(self.equation, state, change, weight)
        return np.asarray(total)


_last: WeakKeyDictionary[Any, dict[Any, Linearization]] = WeakKeyDictionary()


def linearized(result: Equilibrium | Spectrum, problem: Problem, key: tuple[Any, ...]) -> Linearization:
    """The linearisation of a result in a problem, made once for the last result that was asked for."""
    if result not in _last:
        _last.clear()
        _last[result] = {}
    known = _last[result]
    whole = (*key, problem.sector.name, *problem.sector.axis.tolist())
    if whole not in known:
        known.clear()
        known[whole] = Linearization(result, problem)
    return known[whole]
