"""The current-phase relation of a junction, and the energy that belongs to it, from a few solutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ..checks import integer, keywords, named, shown
from ..device.device import Device
from ..errors import warn
from ..numerics.periodic import fourier, highest, interpolation_error
from ..parallel.engines import Workers
from ..solve.equilibrium import solve_equilibrium
from .phase_bias import PhaseBias, Sampler, phase_bias, said_once
from .phase_branch import PhaseBranch, follow
from .phase_relation import CurrentPhase, JosephsonEnergy, wrapped

Real = NDArray[np.float64]

FIRST, MOST = 8, 128  # phases over a turn: at first, and at most
PRECISION = 1e-3  # of the largest current
SOLVE_OPTIONS = keywords(solve_equilibrium, "workers", "progress")


@named(*SOLVE_OPTIONS)
def current_phase(
    device: Device, contact: str, temperature: float | None = None, *, phases: int | None = None,
    workers: Workers | None = None, progress: bool | None = None, **options: Any,
) -> CurrentPhase:  # fmt: skip
    """The current-phase relation I(phi) of a junction, from a few solutions and spectral interpolation.

    The phases are equidistant over a turn, where the trigonometric interpolant converges exponentially. Half of them
    are solved where time reversal makes the current odd: no exchange field, magnetic barrier or magnetic field, and
    all other reservoirs at one phase. A self-consistent gap is followed from phi = 0 to both sides, each solution from
    the last: with long electrodes the relation is folded, and the record has the branch until its current falls or the
    phase slips.

    Parameters
    ----------
    device
        A device with at least two superconducting reservoirs, the others at given phases.
    contact
        The reservoir whose phase is turned.
    temperature
        Temperature, energy.
    phases
        Number of phases over a turn, even; None: doubled from 8 until the harmonics that are left out are less than
        1e-3 of the largest current, at most 128.
    workers
        Who works: a number of threads of this process, or any `concurrent.futures.Executor`. Each takes a phase; with a
        self-consistent gap, where each phase depends on the last, they share the frequencies.
    progress
        Whether to show bars; None: on a terminal, in runs longer than a second.
    **options
        As in `solve_equilibrium`.

    Returns
    -------
    CurrentPhase
        Frozen record: `phases`, `currents`, `at(phi)`, `harmonics()`, `critical`, `energy()`, `plot()`.

    Raises
    ------
    DeviceError
        If there is no such reservoir, it is normal, or nothing else holds a phase.
    ValueError
        If `phases` is odd or less than 4.
    SolveError
        If a solution is not found.

    Warns
    -----
    UserWarning
        If given gaps create or absorb current, or 128 phases are not enough.
    """
    if phases is not None and (integer("phases", phases, least=4, note=", even") % 2 or phases > 10_000):
        raise ValueError(f"phases is {shown(phases)}; allowed is an even number from 4 to 10000")
    sampler = Sampler(phase_bias(device, contact, temperature, options), workers, progress)
    with said_once():
        branch = follow(sampler) if sampler.bias.follows else None
        curve = sampled_curve(sampler, branch, phases, PRECISION)
    if phases is None and not curve.folded and curve.error > PRECISION * abs(curve.currents).max() * (1 + 1e-9):
        warn(
            f"current_phase: with {len(curve.phases)} phases the interpolation is off by about {curve.error:.1g}: the "
            "relation has a kink or a jump. Take its values at `phases`, or give more phases=..."
        )
    sampler.warn_unbalanced()
    return curve


@named(*SOLVE_OPTIONS, "phases")
def josephson_energy(
    device: Device, contact: str, temperature: float | None = None, *, workers: Workers | None = None,
    progress: bool | None = None, **options: Any,
) -> JosephsonEnergy:  # fmt: skip
    """The energy of a junction as a function of the phase difference, E(phi) = (1/2) Int_0^phi I dphi (hbar = e = 1).

    The integral of the interpolated current-phase relation. It is the difference of `free_energy`, without the
    cancellation of large terms that a small difference of free energies suffers from.

    Parameters
    ----------
    device, contact, temperature, workers, progress, **options
        As in `current_phase`.

    Raises
    ------
    DeviceError, ValueError, SolveError
        As `current_phase`.
    """
    curve = current_phase(device, contact, temperature, workers=workers, progress=progress, **options)
    grid = curve.grid
    lowest, peak = highest(lambda x: -curve.energy(x), grid), highest(curve.energy, grid)
    return JosephsonEnergy(
        phases=curve.phases, energies=curve.energy(), minimum=wrapped(lowest[0], curve.folded),
        depth=peak[1] + lowest[1], error=curve.per_current * curve.error * float(np.ptp(grid)), curve=curve,
    )  # fmt: skip


def sampled_curve(sampler: Sampler, branch: PhaseBranch | None, count: int | None, precision: float) -> CurrentPhase:
    """The relation from as many phases as the precision of the interpolation asks for, or from `count`."""
    if branch is not None and not branch.periodic:
        return branch_curve(sampler)
    number = FIRST if count is None else count
    while True:
        curve = _periodic_curve(sampler, number)
        enough = curve.error <= precision * abs(curve.currents).max()
        if count is not None or enough or number >= MOST:
            return curve
        number *= 2


def _periodic_curve(sampler: Sampler, number: int) -> CurrentPhase:
    bias = sampler.bias
    phases = 2 * np.pi * np.arange(number) / number
    half = [float(phase) for phase in phases[1 : number // 2]]
    down = [] if bias.symmetric else [-phase for phase in half]
    whole = [] if bias.symmetric else [0.0, float(np.pi)]
    if bias.follows:
        for phase in (*half, *down, *whole):
            sampler.current(phase)
    else:
        sampler.independent([*whole, *half, *down])
    upper = np.array([sampler.known[phase] for phase in half])
    lower = -upper if bias.symmetric else np.array([sampler.known[phase] for phase in down])
    ends = (0.0, 0.0) if bias.symmetric else (sampler.known[0.0], sampler.known[float(np.pi)])
    currents = np.concatenate([[ends[0]], upper, [ends[1]], lower[::-1]])
    error = interpolation_error(*fourier(currents))
    return phase_record(bias, phases, currents, error, False, len(sampler.known))


def branch_curve(sampler: Sampler) -> CurrentPhase:
    """The relation along a branch, from all that was solved."""
    known = dict(sampler.known)
    if sampler.bias.symmetric:
        known |= {-phase: -current for phase, current in known.items()}
    phases = np.array(sorted(known))
    currents = np.array([known[phase] for phase in phases])
    coarse = scipy.interpolate.CubicSpline(phases[::2], currents[::2])
    inside = phases <= phases[::2][-1]
    error = float(abs(coarse(phases) - currents)[inside].max()) / 8
    return phase_record(sampler.bias, phases, currents, error, True, len(sampler.known))


def phase_record(
    bias: PhaseBias, phases: Real, currents: Real, error: float, folded: bool, solves: int
) -> CurrentPhase:  # fmt: skip
    """The relation as a record, in the units of the device."""
    return CurrentPhase(
        contact=bias.contact, temperature=bias.shown_temperature, phases=phases, currents=currents, error=error,
        folded=folded, solves=solves, unit=bias.unit, per_current=0.5 * bias.natural_current,
    )  # fmt: skip
