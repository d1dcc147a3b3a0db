"""Kinetic inductances, from the current that a small change of the phase makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named, number, shown
from ..device.device import Device
from ..errors import ObservableError, warn
from ..frozen import FrozenRecord
from ..observe.pair_amplitude import pair_amplitude
from ..parallel.engines import Workers
from ..solve.results import Equilibrium
from .current_phase import SOLVE_OPTIONS
from .phase_bias import Sampler, phase_bias, said_once
from .phase_branch import STEP, advance

Real = NDArray[np.float64]

LARGEST = 0.2  # first half-step of the differences, radians
HALVINGS = 6
NOTHING = 1e-12  # a slope of the current below this part of a current itself is none


@dataclass(frozen=True, eq=False, repr=False)
class KineticInductance(FrozenRecord):
    """A kinetic inductance; `float(L)` is its value.

    Attributes
    ----------
    value
        L = (hbar/2e) dphi/dI = (1/2) dphi/dI (hbar = e = 1): infinite where no current responds, negative beyond a
        critical current. Unit: length^(dim - 2) / (e^2 N0 D energy), that of `normal_resistance` per energy; pH in
        laboratory units.
    error
        Estimate of the error of the differences; it does not know of mesh and frequencies.
    phase, current
        The phase difference at the contact, and the current that flows.
    between
        The facet sets between which the phase drop counts; None: the whole device.
    """

    value: float
    error: float
    phase: float
    current: float
    between: tuple[str, str] | None

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        part = "" if self.between is None else f" between {self.between[0]!r} and {self.between[1]!r}"
        return (
            f"KineticInductance({self.value:.6g}{part}, error {self.error:.1g}, at phase {self.phase:.4g}, current "
            f"{self.current:.5g})"
        )


@named(*SOLVE_OPTIONS)
def kinetic_inductance(
    device: Device, contact: str, temperature: float | None = None, *, phase: float = 0.0,
    between: Sequence[str] | None = None, precision: float = 1e-4, workers: Workers | None = None,
    progress: bool | None = None, **options: Any,
) -> KineticInductance:  # fmt: skip
    """The kinetic inductance of a device or of a part of it, L = (1/2) dphi/dI in units hbar = e = 1.

    The phase of a reservoir is changed by small steps to both sides, and phase drop and current are differentiated:
    central differences with steps that are halved, extrapolated (Richardson) until two orders agree. A dirty wire with
    a self-consistent gap has L = R_N/(pi gap tanh(gap/2T)) for small currents (Mattis and Bardeen; Annunziata et al.,
    Nanotechnology 21, 445202 (2010)), a tunnel junction 1/(2 I_c cos phi). Give the gap of a wire by `Tc`: one whose
    phase is given does not follow the current.

    Parameters
    ----------
    device
        A device with at least two superconducting reservoirs, the others at given phases.
    contact
        The reservoir whose phase is changed.
    temperature
        Temperature, energy.
    phase
        Phase difference at which the device is biased, radians.
    between
        Two facet sets of the mesh, the second one closer to the contact: the inductance of what lies between them, from
        the phase of the singlet pair amplitude (summed over frequencies, in a superconductor that of the gap) averaged
        over each. At a barrier the phase jumps, and one of its sides counts: take sets beside it. None: of the whole
        device, from the phase difference of the reservoirs.
    precision
        Relative precision of the differences.
    workers, progress, **options
        As in `current_phase`.

    Raises
    ------
    DeviceError, ValueError, SolveError
        As `current_phase`.
    ObservableError
        If there is no such facet set, no pair amplitude on it, or no solution that is connected with that at phase 0.

    Warns
    -----
    UserWarning
        If given gaps create or absorb current, or the precision is not reached.
    """
    precision, phase = number("precision", precision, above=0, below=1), number("phase", phase)
    sampler = Sampler(phase_bias(device, contact, temperature, options), workers, progress)
    ends = _checked_ends(device, between)
    with said_once():
        middle = _biased(sampler, phase)
        value, error = _extrapolated(sampler, middle, phase, ends, precision)
    bias = sampler.bias
    unit = bias.device.units.express("hbar^2/e^2/energy")[0] / bias.natural_current
    value, error = unit * value, unit * error
    sampler.warn_unbalanced()
    if np.isfinite(value) and error > precision * abs(value):
        warn(f"kinetic_inductance: the value {value:.6g} is known to {error:.1g} only, worse than precision")
    return KineticInductance(value, error, phase, sampler.known[phase], ends)


def _checked_ends(device: Device, between: Any) -> tuple[str, str] | None:
    if between is None:
        return None
    known = device.sample.boundaries
    names = tuple(between) if isinstance(between, list | tuple) else ()
    if len(names) != 2 or not all(isinstance(name, str) and name in known for name in names):
        raise ObservableError(
            f"between is {shown(between)}; allowed are the names of two facet sets of the mesh: "
            f"{', '.join(sorted(known))}"
        )
    return names[0], names[1]


def _biased(sampler: Sampler, phase: float) -> Equilibrium:
    """The solution at a phase difference, where the gap is to be found on the branch through zero."""
    if not sampler.bias.follows or phase == 0:
        eq = sampler.from_near(phase)
        sampler.accept(phase, eq)
        return eq
    sampler.current(0.0)
    steps = np.linspace(0.0, phase, max(2, int(np.ceil(abs(phase) / STEP)) + 1)).tolist()
    for start, target in pairwise(steps):
        end, _ = advance(sampler, start, target)
        if end is not None:
            raise ObservableError(
                f"phase is {phase:g}; the solutions that are connected with that at 0 end at {end:.4g}: give a smaller "
                "one"
            )
    return sampler.solutions[phase]


def _extrapolated(
    sampler: Sampler, middle: Equilibrium, phase: float, ends: tuple[str, str] | None, precision: float
) -> tuple[float, float]:
    """The inductance and its error from Richardson's table of the slopes of phase drop and current."""
    bias, step = sampler.bias, LARGEST
    row: list[Real] = []
    value, error = np.inf, np.inf
    for _ in range(HALVINGS):
        before, row = row, [_slopes(sampler, middle, phase, step, ends)]
        for k, old in enumerate(before):
            row.append(row[k] + (row[k] - old) / (4.0 ** (k + 1) - 1))
        drop, current = row[-1]
        if abs(current) <= NOTHING * max(sampler.largest, bias.device.mesh.dim() * 1e-300):
            return np.inf, np.inf
        last, value = value, float(0.5 * drop / current)
        error, step = abs(value - last), step / 2
        if error <= precision * abs(value):
            break
    return value, error


def _slopes(
    sampler: Sampler, middle: Equilibrium, phase: float, step: float, ends: tuple[str, str] | None
) -> Real:  # fmt: skip
    """Central differences of phase drop and current over the phase difference."""
    bias, start = sampler.bias, middle if sampler.bias.follows else None
    sides = [
        bias.solve(phase + sign * step, start, workers=sampler.workers, progress=sampler.progress) for sign in (1, -1)
    ]
    up, down = (sampler.keep(phase + sign * step, *bias.currents(eq)) for sign, eq in zip((1, -1), sides, strict=True))
    drop = 2 * step
    if ends is not None:
        factors = [_amplitude(eq, ends[1]) / _amplitude(eq, ends[0]) for eq in sides]
        drop = float(np.angle(factors[0] / factors[1]))
    return np.array([drop, up - down]) / (2 * step)


def _amplitude(eq: Equilibrium, facets: str) -> complex:
    """The singlet pair amplitude averaged over a facet set."""
    value = complex(pair_amplitude(eq, None).average(facets)[0])
    if value == 0:
        raise ObservableError(f"there is no pair amplitude at {facets!r}, and so no phase: take another facet set")
    return value


