"""The equations of a result linearised at its solution, states and self-consistent fields."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..fem.gap_equation import zero_temperature_gap
from ..fem.problem import Problem, energy_scale
from ..solve.field_problem import SelfConsistency
from ..solve.results import Equilibrium, Spectrum
from .response import FieldResponse
from .states import LinearStates


class Linearization(LinearStates):
    """The tangents of all points of a result, and the response of its self-consistent fields.

    Attributes
    ----------
    induced, dofs
        The problem of the induced vector potential and its unknowns; None without screening.
    """

    def __init__(self, result: Equilibrium | Spectrum, problem: Problem) -> None:
        super().__init__(result, problem)
        self.induced = None if isinstance(result, Spectrum) else result.induced
        self.dofs = np.empty(0) if isinstance(result, Spectrum) else result.dofs

    @cached_property
    def fields(self) -> FieldResponse | None:
        """The equations of gap and induced potential at the solution; None where both are given."""
        if self.pairing is None and self.induced is None:
            return None
        unit = energy_scale(self.problem) if self.pairing is None else zero_temperature_gap(self.pairing)
        consistency = SelfConsistency(
            self.problem, self.team, self.pairing, self.induced, self.temperature, unit, self.dofs
        )  # fmt: skip
        return FieldResponse(self, consistency)


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
