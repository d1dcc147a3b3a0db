"""Current-phase relations from currents and their exact slopes: half as many solutions as of currents alone."""

from __future__ import annotations

import numpy as np

from ..derivatives.derivative import derivative
from ..numerics.periodic import doubled, fourier, interpolation_error
from ..parallel.engines import executor_of
from ..parallel.tasks import run_tasks
from ..solve.results import Equilibrium
from .current_phase import MOST, phase_record
from .phase_bias import PhaseBias, Sampler
from .phase_relation import CurrentPhase

FIRST = 4  # phases over a turn at first


def slope_of(bias: PhaseBias, eq: Equilibrium) -> float:
    """The exact derivative of the current with the phase difference."""
    tangent = derivative(eq, {("contact", bias.contact, "phase"): 1.0})
    return float(tangent.derivative_of(lambda moved: bias.currents(moved)[0]))


def sloped_curve(sampler: Sampler, precision: float) -> CurrentPhase:
    """The relation from as many phases as a relative precision asks for, with gaps that are given.

    It is recorded at twice as many phases, at which the polynomial through currents and slopes says as much.
    """
    slopes: dict[float, float] = {}
    number = FIRST
    while True:
        phases = [float(phase) for phase in 2 * np.pi * np.arange(number) / number]
        _solve(sampler, slopes, phases)
        currents = doubled([sampler.known[phase] for phase in phases], [slopes[phase] for phase in phases])
        error = 2 * interpolation_error(*fourier(currents))  # what aliases has twice the weight that it has in currents
        if error <= precision * abs(currents).max() or number >= MOST:
            more = np.pi * np.arange(2 * number) / number
            return phase_record(sampler.bias, more, currents, error, False, len(sampler.known))
        number *= 2


def _solve(sampler: Sampler, slopes: dict[float, float], phases: list[float]) -> None:
    """Solve at the phases at which nothing is known yet."""
    todo = [phase for phase in phases if phase not in slopes]
    with executor_of(sampler.workers) as executor:
        found = run_tasks(
            _current_and_slope, todo, shared=sampler.bias, executor=executor, label="phases", progress=sampler.progress
        )  # fmt: skip
    for phase, (current, unbalanced, slope) in zip(todo, found, strict=True):
        sampler.keep(phase, current, unbalanced)
        slopes[phase] = slope


def _current_and_slope(bias: PhaseBias, phase: float) -> tuple[float, float, float]:
    """The current at a phase, what given gaps add to it, and its slope; the task of a worker."""
    eq = bias.solve(phase)
    return *bias.currents(eq), slope_of(bias, eq)
