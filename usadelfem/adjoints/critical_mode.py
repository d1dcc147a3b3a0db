"""The pairing mode at a critical temperature: what the temperature changes by with everything else.

The lowest eigenvalue of the second variation of the free energy vanishes at T_c, and so does the energy Omega_2 of its
mode. With the states eliminated dT_c/dp = -(dOmega_2/dp) / (dOmega_2/dT) at fixed mode (Hellmann and Feynman).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.direction import Direction, with_room
from ..derivatives.linearization import Linearization
from ..device.device import Device
from ..fields.traced import Origin, Part, Traced
from ..points.team_remote import frequency_team
from ..solve.pairing_mode import linear_gap_equation
from ..solve.results import Equilibrium
from .adjoint import Adjoint
from .energy import FreeEnergy

SMALL = 1e-3  # largest gap of the mode, in units of the temperature


@dataclass(frozen=True, eq=False)
class CriticalMode:
    """The mode that the normal state of a device becomes unstable to.

    Attributes
    ----------
    device, temperature
        The device, and its critical temperature, natural.
    mode
        Its gap at the points where it is unknown.
    order
        Order of the elements.
    sums
        What the sum over frequencies was asked for, as for `SumRule`.
    """

    device: Device
    temperature: float
    mode: NDArray[np.complex128]
    order: int
    sums: dict[str, Any]

    @cached_property
    def equilibrium(self) -> Equilibrium:
        """The linear response of the normal metal to the mode."""
        problem, pairing, rule, scale = linear_gap_equation(self.device, self.temperature, self.order, **self.sums)
        nodes, weights = rule.nodes(self.temperature, scale)
        gap = np.where(np.isfinite(pairing.log_tc), self.mode * (SMALL * self.temperature / abs(self.mode).max()), 0.0)
        problem = pairing.with_gap(problem, gap)
        team = frequency_team(problem, nodes, weights, scale=scale)
        try:
            team.descend(problem)
        finally:
            team.release()
        return Equilibrium(
            device=self.device, temperature=self.temperature, frequencies=nodes, weights=weights, problem=problem,
            **team.result(),
        )  # fmt: skip

    def adjoint(self, factor: float) -> Adjoint:
        """The derivatives of a factor times the critical temperature."""
        eq = self.equilibrium
        own = Linearization(eq, with_room(eq.problem, gauge=True, spin_charge=False))
        rising = Adjoint(own, [(1.0, FreeEnergy(eq))]).along(Direction(temperature=1.0))
        return Adjoint(own, [(-factor / rising, FreeEnergy(eq))])


def remembered(value: float, mode: CriticalMode) -> Traced:
    """A critical temperature that can be differentiated."""
    origin = Origin(lambda: mode, "critical_temperature")
    factor = value / mode.temperature
    return Traced(value, {Part(origin, ("critical_temperature",), factor): 1.0})
