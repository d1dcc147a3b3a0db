"""A device at imposed phases of one of its reservoirs: what is solved, and the current that flows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..device.coefficient import uniform
from ..device.contact import Reservoir
from ..device.device import Device
from ..device.doors import check_held, natural_temperature
from ..device.scale import scale_of
from ..errors import DeviceError, warn
from ..fem.conduction import physical_gradients
from ..fields.field import Field
from ..observe.currents import charge_current
from ..parallel.engines import Workers, checked_workers, executor_of
from ..parallel.tasks import run_tasks
from ..solve.arguments import check_progress, natural_device
from ..solve.equilibrium import solve_equilibrium
from ..solve.field_guess import natural_phase
from ..solve.results import Equilibrium

SPIN_ORBIT = ("theta", "kappa", "spin_hall_tensor", "rashba", "dresselhaus", "su2")
WEAKER = 1e-6  # weight of the weak link where a current is taken
SAME = 1e-9  # phases, radians
KIND = 40  # characters by which warnings are told apart
UNBALANCED = 1e-3  # part of the largest current that given gaps may create or absorb without a word


@dataclass(frozen=True)
class PhaseBias:
    """A device whose phase difference at one contact is imposed.

    Attributes
    ----------
    device, contact
        The device, and the reservoir whose phase is turned.
    temperature
        Temperature as it was given.
    options
        Further arguments of `solve_equilibrium`.
    """

    device: Device
    contact: str
    temperature: float | None
    options: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def reference(self) -> float:
        """The phase from which phase differences count: that of all other reservoirs if they share one, or 0."""
        phases = [_phase(other) for other in _others(self.device, self.contact)]
        first = phases[0] if phases else None
        if first is None or any(p is None or abs(np.exp(1j * (p - first)) - 1) > SAME for p in phases):
            return 0.0
        return first

    @cached_property
    def symmetric(self) -> bool:
        """Whether the current is guaranteed to be odd in the phase difference.

        By time reversal, or by time reversal and a half turn of all spins where moments are parallel and no spin-orbit
        field knows of directions in space.
        """
        device = self.device
        others = [_phase(other) for other in _others(device, self.contact)]
        one = all(phase is not None and abs(np.exp(1j * (phase - self.reference)) - 1) < SAME for phase in others)
        still = device.A is None and not np.any(np.asarray(device.B if device.B is not None else 0.0))
        return bool(others) and one and still and not self.given and "initial" not in self.options and self._even

    @property
    def _even(self) -> bool:
        """Whether moments leave the current as it is when they are all reversed."""
        conductors = self.device.conductors.values()
        moments = [material.exchange for material in conductors]
        moments += [contact.exchange for contact in self._reservoirs]
        moments += [barrier.magnetization for barrier in self._barriers if _breaks_time_reversal(barrier)]
        moments = [moment for moment in moments if not _is_zero(moment)]
        if not moments:
            return True
        coupling = [getattr(material, name) for material in conductors for name in SPIN_ORBIT]
        free = all(value is None or _is_zero(value) for value in coupling)
        isotropic = all(uniform(getattr(m, name)) is not None for m in conductors for name in ("tau_so", "tau_sf"))
        plain = all(not callable(moment) and np.shape(moment) == (3,) for moment in moments)
        if not (free and isotropic and plain):
            return False
        vectors = np.array(moments, float)
        return not np.any(np.cross(vectors[0], vectors))

    @cached_property
    def given(self) -> bool:
        """Whether some region has a given gap, whose phase does not follow the current."""
        return any(m.gap is not None and not _is_zero(m.gap) for m in self.device.conductors.values())

    @property
    def self_consistent(self) -> bool:
        """Whether some region finds its own gap."""
        return any(material.self_consistent for material in self.device.conductors.values())

    @property
    def follows(self) -> bool:
        """Whether the solution at a phase depends on where it came from."""
        return self.self_consistent or bool(self.options.get("screening"))

    @property
    def _reservoirs(self) -> list[Reservoir]:
        return [contact for contact in self.device.contacts.values() if isinstance(contact, Reservoir)]

    @property
    def _barriers(self) -> list[Any]:
        own = [contact.barrier for contact in self._reservoirs if contact.barrier is not None]
        return [*own, *self.device.interfaces.values()]

    @property
    def shown_temperature(self) -> float:
        """The temperature in the units of the device."""
        return float(self.device.units.out("temperature", natural_temperature(self.device, self.temperature)))

    @property
    def unit(self) -> str:
        """The unit of currents."""
        dim = self.device.mesh.dim()
        return scale_of(self.device, dim, "e*N0*D*energy/length").integrated(dim - 1)[1]

    @property
    def natural_current(self) -> float:
        """The natural number of a unit of current, e energy / hbar."""
        return 1 / self.device.units.express("e*energy/hbar")[0]

    def at(self, phase: float) -> Device:
        """The device at a phase difference."""
        own = self.device.contacts[self.contact]
        turn = uniform(own.gap) if isinstance(own, Reservoir) else None
        return self.device.with_phase(self.contact, self.reference + phase - (np.angle(turn) if turn else 0.0))

    def solve(
        self, phase: float, initial: Equilibrium | None = None, *, workers: Workers | None = None,
        progress: bool | None = False, **more: Any,
    ) -> Equilibrium:  # fmt: skip
        """The equilibrium at a phase difference, from that of another one."""
        start = {} if initial is None else {"initial": initial}
        options = {**self.options, **start, **more, "workers": workers, "progress": progress}
        return solve_equilibrium(self.at(phase), self.temperature, **options)

    def _through_the_weak(self, eq: Equilibrium, field: Field) -> float:
        """The current Int j grad c, with c from 0 to 1 at the contact, which rises where no gap is to be found.

        It is the flux through the contact less what an unconverged gap makes where c is 1. At the contact of a wide
        superconductor the small current of a link would be known only with a gap that is converged far beyond it.
        """
        assert eq.pairing is not None
        space = eq.problem.space
        weights = natural_phase(eq.device, eq.problem, eq.pairing, {self.contact: 1.0}, weak=WEAKER)
        gradient = np.einsum("cqik,ci->kcq", physical_gradients(space), weights[space.cells])
        own = field.natural.quadrature[: space.dim]
        assert field.scale is not None
        return field.scale.over_surfaces * float((own * gradient * space.dx).sum())

    def currents(self, eq: Equilibrium) -> tuple[float, float]:
        """The current out of the device into the contact, and what given gaps create or absorb."""
        field = charge_current(eq)
        if eq.pairing is not None and all(barrier.is_transparent for barrier in self._barriers):
            return self._through_the_weak(eq, field), 0.0
        current = float(field.through(self.contact))
        if not self.given:
            return current, 0.0
        return current, sum(float(field.through(name)) for name in self.device.contacts)


def phase_bias(device: Device, contact: str, temperature: float | None, options: dict[str, Any]) -> PhaseBias:
    """A device whose phase is imposed at a contact, after a check of the arguments.

    Raises
    ------
    DeviceError
        If there is no such reservoir, it is normal, or nothing else holds a phase.
    """
    device = natural_device(device)
    natural_temperature(device, temperature)
    check_held(device.with_phase(contact, 0.0), contact)
    bias = PhaseBias(device, contact, temperature, options)
    if _is_zero(getattr(device.contacts[contact], "gap", 0.0)):
        raise DeviceError(f"contact {contact!r} is normal (gap=0); a supercurrent needs a superconducting reservoir")
    if not _others(device, contact) and not bias.given:
        known = ", ".join(sorted(set(device.contacts) - {contact})) or "none"
        raise DeviceError(
            f"{contact!r} is the only superconducting reservoir (other contacts: {known}), and its phase can be chosen "
            "freely: a phase difference needs a second one with a gap, or gap=None next to a superconductor"
        )
    return bias


class Sampler:
    """Currents at phase differences, each solved once; where the gap is to be found, from a solution close by."""

    def __init__(self, bias: PhaseBias, workers: Any, progress: bool | None) -> None:
        check_progress(progress)
        self.bias, self.workers, self.progress = bias, checked_workers(workers), progress
        self.known: dict[float, float] = {}
        self.solutions: dict[float, Equilibrium] = {}
        self.failures: set[float] = set()  # phases at which no solution was found
        self.unbalanced = 0.0

    @property
    def largest(self) -> float:
        """The largest modulus of a current so far."""
        return max(map(abs, self.known.values()), default=0.0)

    def independent(self, phases: Sequence[float]) -> None:
        """Solve at phases that do not depend on each other, each by one of the workers."""
        todo = [phase for phase in phases if phase not in self.known]
        with executor_of(self.workers) as executor:
            self._spread(todo, executor)

    def _spread(self, todo: list[float], executor: Executor | None) -> None:
        found = run_tasks(
            _currents, todo, shared=self.bias, executor=executor, label="phases", progress=self.progress
        )  # fmt: skip
        for phase, (current, unbalanced) in zip(todo, found, strict=True):
            self.keep(phase, current, unbalanced)

    def keep(self, phase: float, current: float, unbalanced: float = 0.0) -> float:
        """Take down a current."""
        self.known[phase] = current
        self.unbalanced = max(self.unbalanced, abs(unbalanced))
        return current

    def from_near(self, phase: float) -> Equilibrium:
        """The solution at a phase, started from the closest one that lies between it and zero; not yet taken down."""
        before = [p for p in self.solutions if p * phase >= 0 and abs(p) < abs(phase)]
        start = self.solutions[max(before, key=abs)] if before else None
        return self.bias.solve(phase, start, workers=self.workers, progress=self.progress)

    def accept(self, phase: float, eq: Equilibrium) -> float:
        """Take a solution down."""
        if self.bias.follows:  # a start needs no states, which may fill the memory
            self.solutions[phase] = replace(eq, riccati=np.empty((0, 0, 4), complex))
        return self.keep(phase, *self.bias.currents(eq))

    def current(self, phase: float) -> float:
        """The current at a phase."""
        return self.known[phase] if phase in self.known else self.accept(phase, self.from_near(phase))

    def warn_unbalanced(self) -> None:
        """Say so where a given gap makes the current through the contact another one than elsewhere."""
        if self.unbalanced > UNBALANCED * self.largest:
            warn(
                f"the currents of all contacts add up to {self.unbalanced:.2g} and not to zero, against "
                f"{self.largest:.2g} through {self.bias.contact!r}: a given gap whose phase does not follow the "
                "current is a source of it. Give Tc instead of gap, or make the electrodes reservoirs"
            )


@contextmanager
def said_once() -> Iterator[None]:
    """Of warnings that many solutions give, each kind once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    kinds = {(entry.category, str(entry.message)[:KIND]): entry for entry in reversed(caught)}
    for entry in reversed(kinds.values()):
        warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)


def _currents(bias: PhaseBias, phase: float) -> tuple[float, float]:
    """The current at a phase; the task of a worker."""
    return bias.currents(bias.solve(phase))


def _others(device: Device, contact: str) -> list[Reservoir]:
    """The superconducting reservoirs besides a contact."""
    return [
        other for name, other in device.contacts.items()
        if name != contact and isinstance(other, Reservoir) and not _is_zero(other.gap)
    ]  # fmt: skip


def _phase(reservoir: Reservoir) -> float | None:
    """The phase of a reservoir, if it is one number."""
    phase, gap = uniform(reservoir.phase), uniform(reservoir.gap)
    if phase is None or (gap is None and reservoir.gap is not None):
        return None
    return phase.real + (float(np.angle(gap)) if gap else 0.0)


def _is_zero(value: Any) -> bool:
    """Whether a coefficient is given, and vanishes everywhere."""
    return value is not None and not callable(value) and not np.any(np.asarray(value))


def _breaks_time_reversal(barrier: Any) -> bool:
    return not (_is_zero(barrier.polarization) and _is_zero(barrier.mixing))
