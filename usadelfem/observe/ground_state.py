"""The phase difference at which a junction has the least energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

from ..device.device import Device
from ..solve.equilibrium import solve_equilibrium
from ..solve.solution import Equilibrium
from .currents import charge_current
from .energy import free_energy

PRECISION = 1e-6  # of the phase, radians


def ground_state(
    device: Device, contact: str, temperature: float, *, samples: int = 8, **options: Any
) -> tuple[float, Equilibrium]:  # fmt: skip
    """The phase of one reservoir that minimises the free energy: 0, pi or phi_0 junctions.

    The free energy is sampled over a turn; around the lowest sample the zero of its derivative, which is half the
    current that flows out through the contact, is bracketed.

    Parameters
    ----------
    device
        A device with at least two superconducting reservoirs, the others at given phases.
    contact
        The reservoir whose phase is free.
    temperature
        Temperature, energy.
    samples
        Number of phases at which the free energy is sampled first.
    **options
        As in `solve_equilibrium`.

    Returns
    -------
    phase, equilibrium
        The phase in radians, -pi < phase <= pi, to 1e-6, and the solution there.

    Raises
    ------
    DeviceError
        If there is no such reservoir.
    ValueError
        If `samples` is less than 3.
    """
    if samples < 3:
        raise ValueError(f"samples is {samples!r}; allowed is an integer >= 3")
    known: dict[float, Equilibrium] = {}

    def at(phase: float) -> Equilibrium:
        if phase not in known:
            known[phase] = solve_equilibrium(device.with_phase(contact, phase), temperature, **options)
        return known[phase]

    step = 2 * np.pi / samples
    phases = [step * k for k in range(samples)]
    lowest = min(phases, key=lambda phase: free_energy(at(phase)))

    def outflow(phase: float) -> float:
        return float(charge_current(at(phase)).through(contact))

    # Half a step off the samples, so that neither end is a symmetric phase where the current vanishes.
    low, high = lowest - 0.83 * step, lowest + 0.87 * step
    best = lowest
    if outflow(low) < 0 < outflow(high):
        best = float(brentq(outflow, low, high, xtol=PRECISION))
    phase = -((-best + np.pi) % (2 * np.pi)) + np.pi
    return float(phase), at(best)
