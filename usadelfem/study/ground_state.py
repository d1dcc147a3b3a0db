"""The phase difference at which a junction has the least energy."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from ..checks import integer, keywords, named
from ..device.device import Device
from ..device.doors import natural_temperature
from ..observe.currents import charge_current
from ..observe.free_energy import free_energy
from ..parallel.engines import Workers, checked_workers, executor_of
from ..parallel.tasks import run_tasks
from ..solve.arguments import check_progress, natural_device
from ..solve.equilibrium import solve_equilibrium
from ..solve.results import Equilibrium

PRECISION = 1e-6  # of the phase, radians


@named(*keywords(solve_equilibrium, "workers", "progress"))
def ground_state(
    device: Device, contact: str, temperature: float | None = None, *, samples: int = 8, workers: Workers | None = None,
    progress: bool | None = None, **options: Any,
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
        Temperature, energy or in the units of the device; None: that of the device.
    samples
        Number of phases at which the free energy is sampled first.
    workers
        Who works: a number of threads of this process, or any `concurrent.futures.Executor`. Each takes one sample;
        after that, where each phase depends on the last, they share the frequencies.
    progress
        Whether to show bars; None: on a terminal, in runs longer than a second.
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
    device = natural_device(device)
    samples = integer("samples", samples, least=3)
    natural_temperature(device, temperature)
    check_progress(progress)
    device.with_phase(contact, 0.0)
    workers = checked_workers(workers)
    step = 2 * np.pi / samples
    phases = [step * k for k in range(samples)]
    shared = device, contact, temperature, options | {"progress": False}
    with executor_of(workers) as executor:
        spread: dict[str, Any] = {"shared": shared, "executor": executor, "progress": progress}
        energies = run_tasks(_energy, phases, label="phases", **spread)
        lowest = phases[int(np.argmin(energies))]
        # Half a step off the samples, so that neither end is a symmetric phase where the current vanishes.
        ends = [lowest - 0.83 * step, lowest + 0.87 * step]
        currents = run_tasks(_outflow, ends, label="currents", **spread)
    known: dict[float, float] = dict(zip(ends, currents, strict=True))

    last: dict[float, Equilibrium] = {}

    def at(phase: float) -> Equilibrium:
        turned = device.with_phase(contact, phase)
        return solve_equilibrium(turned, temperature, workers=workers, progress=progress, **options)

    def outflow(phase: float) -> float:
        if phase not in known:
            last[phase] = at(phase)
            known[phase] = float(charge_current(last[phase]).through(contact))
        return known[phase]

    best = lowest
    if known[ends[0]] < 0 < known[ends[1]]:
        best = float(scipy.optimize.brentq(outflow, *ends, xtol=PRECISION))
    phase = -((-best + np.pi) % (2 * np.pi)) + np.pi
    return float(phase), last[best] if best in last else at(best)


Shared = tuple[Device, str, float | None, dict[str, Any]]


def _solved(shared: Shared, phase: float) -> Equilibrium:
    device, contact, temperature, options = shared
    return solve_equilibrium(device.with_phase(contact, phase), temperature, **options)


def _energy(shared: Shared, phase: float) -> float:
    """The free energy at a phase; the task of a worker."""
    return float(free_energy(_solved(shared, phase)))


def _outflow(shared: Shared, phase: float) -> float:
    """The current out of the contact at a phase; the task of a worker."""
    return float(charge_current(_solved(shared, phase)).through(shared[1]))
