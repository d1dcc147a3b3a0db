"""A family of devices over a parameter: discretised alike, with the same frequencies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.device import Device
from ..device.doors import natural_energies, natural_temperature
from ..errors import DeviceError
from ..fem.gap_equation import Pairing, build_pairing, needed_cut, zero_temperature_gap
from ..fem.problem import Problem, build_problem, energy_scale
from ..fem.screening import Induced, build_induced
from ..magnetics.coupling import coupling
from ..points.sum_rule import SumRule
from ..points.sums import Terms
from ..points.team import Team
from ..points.team_remote import frequency_team
from ..solve.arguments import natural_device
from ..solve.field_problem import SelfConsistency
from ..solve.field_solve import with_found_gap
from ..solve.results import Equilibrium

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

STATES = 1e-9  # accuracy of states on the way
SUMS = ("quadrature", "frequencies", "cutoff", "cutoff_index")


@dataclass(eq=False)
class Family:
    """The devices of a parameter, discretised alike.

    Attributes
    ----------
    function
        Makes a device of the parameter.
    temperature
        The temperature, as it was given; None where the parameter is the temperature.
    thermal
        Whether the parameter is the temperature.
    low, high
        The ends of the parameter.
    options
        Arguments of `solve_equilibrium`.
    team
        The frequencies, with the factors of the last solution.
    induced
        With screening: the induced potential of the last device; those of others have the same unknowns.
    unit
        The bulk gap, in which residuals are measured.
    lowest, nodes, cutoff
        The lowest temperature, its frequencies with their weights, and where its sums end; those of other temperatures
        are in proportion.
    cells
        Number of self-consistent cells.
    """

    function: Callable[[float], Device]
    temperature: float | None
    thermal: bool
    low: float
    high: float
    options: dict[str, Any]
    team: Team | None = None
    induced: Induced | None = None
    unit: float = 1.0
    cutoff: float = np.inf
    nodes: tuple[Real, Real] = field(default_factory=lambda: (np.empty(0), np.empty(0)))
    lowest: float = 0.0
    cells: int = 0

    @property
    def scale(self) -> float:
        """The unit of the parameter."""
        return self.high - self.low

    def discretised(self, value: float) -> tuple[Device, Problem, Pairing, float]:
        """Device, problem, pairing and temperature at a value of the parameter.

        Raises
        ------
        DeviceError
            If nothing is self-consistent.
        """
        device = natural_device(self.function(value))
        temperature = natural_temperature(device, value if self.thermal else self.temperature)
        own = {name: self.options[name] for name in ("sector",) if name in self.options}
        screens = bool(self.options.get("screening"))
        order = self.options.get("order", 2)
        problem = build_problem(device, order, temperature=temperature, potential=screens, **own)
        pairing = build_pairing(device, problem)
        if pairing is None:
            raise DeviceError(f"at {value:.6g} no region has a Tc > 0 and an unknown gap: give superconductor(Tc=...)")
        return device, problem, pairing, temperature

    def prepare(self) -> None:
        """Choose frequencies that do for the whole interval."""
        device, problem, pairing, lowest = self.discretised(self.low)
        scale, cut = 0.0, 0.0
        for value in (self.low, 0.5 * (self.low + self.high), self.high):
            _, problem, pairing, temperature = self.discretised(value)
            scale = max(scale, energy_scale(problem), zero_temperature_gap(pairing))
            cut, self.unit = max(cut, needed_cut(device, problem, temperature)), zero_temperature_gap(pairing)
        sums = {name: self.options[name] for name in SUMS if self.options.get(name) is not None}
        if "cutoff" in sums:
            (sums["cutoff"],) = natural_energies(device, cutoff=sums["cutoff"])
        rule = SumRule(**sums, cut=cut)
        self.cells = pairing.shape[0]
        self.lowest, self.nodes, self.cutoff = lowest, rule.nodes(lowest, scale), rule.end(lowest, scale)

    def at(self, value: float, fields: Real, states: Complex | None, accuracy: float = STATES) -> SelfConsistency:
        """The self-consistent problem at a value with fields, a vector as of `SelfConsistency`, its states solved from
        others.

        Raises
        ------
        DeviceError
            If the mesh is another one.
        """
        device, problem, pairing, temperature = self.discretised(value)
        induced, count = self._induced(device, problem), 2 * pairing.weight.size
        own, known = pairing.shape[0], self.cells or pairing.shape[0]
        if own != known or len(fields) - count != (0 if induced is None else induced.maxwell.count):
            raise DeviceError(
                f"the device at {value:.6g} has {own} self-consistent cells, at the start of the branch it has "
                f"{known}: all devices of a branch have the same mesh. Make it once, outside of it"
            )
        team = self._team(problem, pairing, induced, self.nodes[0] * (temperature / self.lowest))
        consistency = SelfConsistency(problem, team, pairing, induced, temperature, self.unit, fields[count:])
        consistency.place(fields)
        if states is None or states.shape != team.states.shape:
            consistency.start(accuracy)
        else:
            team.states[:] = states
            consistency.settle(accuracy)
        return consistency

    def _induced(self, device: Device, problem: Problem) -> Induced | None:
        mu0 = coupling(device, bool(self.options.get("screening")), self.options.get("penetration_depth"))
        if mu0 is None:
            return None
        if self.induced is None:
            self.induced = build_induced(device, problem, mu0)
        applied = np.moveaxis(problem.coefficients.gauge[..., 0], -1, 0)
        if applied.shape != self.induced.applied.shape:
            raise DeviceError("all devices of a branch have the same mesh. Make it once, outside of it")
        self.induced = Induced(self.induced.maxwell, np.array(applied), mu0)
        return self.induced

    def _team(self, problem: Problem, pairing: Pairing, induced: Induced | None, frequencies: Real) -> Team:
        old = self.team
        if old is not None:
            first, own = old.setup.problem.sector, problem.sector
            same = first.name == own.name and np.array_equal(first.axis, own.axis)
            if same and np.array_equal(old.points, frequencies):
                return old
            old.release()
        scale = max(energy_scale(problem), self.unit)
        self.team = frequency_team(
            problem, frequencies, self.nodes[1], scale=scale, kind=self.options.get("linear_solver", "auto"),
            workers=self.options.get("workers") or 1, keep=True, terms=Terms(pairing, induced),
        )  # fmt: skip
        return self.team

    def result(self, value: float, consistency: SelfConsistency) -> Equilibrium:
        """The equilibrium at a value, its states of full accuracy."""
        device = natural_device(self.function(value))
        residual, team = consistency.residual(), consistency.team
        return Equilibrium(
            device=with_found_gap(device, consistency.problem), temperature=consistency.temperature,
            frequencies=team.points.copy(), weights=team.weights.copy(), riccati=team.states.copy(),
            report=team.reports, problem=consistency.problem, clock=replace(team.clock), solver=team.solver,
            sweeps=(consistency.measure(1, residual, consistency.potential_step()),), pairing=consistency.pairing,
            induced=consistency.induced, dofs=consistency.dofs,
            cutoff=self.cutoff * consistency.temperature / self.lowest,
        )  # fmt: skip
