"""The result of a solve out of equilibrium: responses to every reservoir, and what a bias makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.device import Device
from ..device.doors import natural_changes
from ..errors import SolveError, warn
from ..fem.problem import Problem
from ..frozen import freeze
from ..points.panels import Panels
from ..solve.results import Equilibrium, Spectrum
from .balance import balanced
from .bias import (
    Bias,
    check_held,
    combined,
    deviations,
    edges_of,
    largest_energy,
    product_weights,
    read_changes,
    rebiased,
    wanted_columns,
)
from .collisions import Scattered, scatter
from .kinetic import Kinetic
from .pictured import PicturedState
from .responses import Responses, mode_vectors, solved_response

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

MOST_TURNS, SETTLED = 60, 1e-9  # of floating voltages with inelastic scattering, in units of the largest energy
LEFT_OUT = 1e-6  # of an occupation beyond the energies


@dataclass(frozen=True, eq=False, repr=False)
class Nonequilibrium(PicturedState):
    """A stationary state with voltages, temperatures and spin biases; observables are functions of it.

    Energies are relative to the condensates.

    Attributes
    ----------
    device
        The device that was solved.
    temperature
        Temperature of reservoirs that have none of their own, and of `equilibrium`: the energy k_B T, after `lab` in
        its unit of energy (meV), not in kelvin.
    equilibrium
        The equilibrium with the same gap at that temperature, which the deviations are added to.
    spectrum
        The retarded solution at the energies >= 0 at which the kinetic equation was solved.
    panels
        How integrals over energy are made of these.
    biases
        What is imposed by each reservoir as energies, e times voltages relative to the condensates; those that float
        have been found. `voltages` are the numbers that were given.
    floating
        Names of the reservoirs whose voltage was found.
    condensate
        The voltage of the superconducting reservoirs in the frame in which it was given, as an energy.
    columns
        Terminal and mode of every response that is kept, shape (columns, 2).
    responses
        Distributions at the nodes for unit modes of terminals, shape (energies, columns, nodes, m).
    conductances
        As `Conductance.values`, in the modes of the spin sector.
    kind
        The linear solver.
    scattered
        What inelastic scattering adds; None without.
    again
        Solves a device with the settings of this one.
    """

    device: Device
    temperature: float
    equilibrium: Equilibrium
    spectrum: Spectrum
    panels: Panels
    biases: Mapping[str, Bias]
    floating: tuple[str, ...]
    condensate: float
    columns: NDArray[np.int64]
    responses: Real
    conductances: Real
    kind: str = "auto"
    scattered: Scattered | None = None
    again: partial[Nonequilibrium] | None = None

    def __post_init__(self) -> None:
        freeze(vars(self))

    @property
    def problem(self) -> Problem:
        """The discretised problem."""
        return self.spectrum.problem

    @property
    def energies(self) -> Real:
        """Energies >= 0, ascending, shape (energies,), after `lab` in its unit of energy (meV)."""
        return self.spectrum.energies

    @property
    def terminals(self) -> tuple[str, ...]:
        """Names of the reservoirs."""
        return tuple(self.biases)

    @cached_property
    def kinetic(self) -> Kinetic:
        """The equation that the distributions solve."""
        return Kinetic(self.problem)

    @cached_property
    def kept(self) -> dict[tuple[str, int], Real]:
        """What observables have computed and may need again."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        made = ("kept", "kinetic", "deviation", "summands")
        return {name: value for name, value in vars(self).items() if name not in made}

    @property
    def is_driven(self) -> bool:
        """Whether a reservoir differs from equilibrium."""
        return any(
            bias.voltage or any(bias.spin_bias) or bias.temperature != self.temperature for bias in self.biases.values()
        )

    @property
    def voltages(self) -> dict[str, float]:
        """The voltages of all reservoirs, in the frame and the unit in which they were given (after `lab` mV)."""
        own, out = self.biases.items(), self.device.units.out
        return {name: out("voltage", bias.voltage + self.condensate) for name, bias in own}

    def imposed(self, energies: Real) -> Real:
        """Deviations of the reservoirs in the modes of the sector, shape (energies, terminals, m)."""
        return deviations(self.biases.values(), energies, self.temperature, mode_vectors(self.problem))

    @cached_property
    def deviation(self) -> Real:
        """The distribution minus tanh(E/2T), at the nodes, in the modes of the sector, (energies, nodes, m)."""
        driven = combined(self.imposed(self.energies), self.columns, self.responses)
        return driven if self.scattered is None else driven + self.scattered.fields

    def with_scattering(self) -> Nonequilibrium:
        """With the local equilibria of inelastic scattering, and floating voltages that go with them."""
        responses = Responses(self.problem, self.kind, len(self.energies))
        for slot, (energy, state) in enumerate(zip(self.energies.tolist(), self.spectrum.states, strict=True)):
            solved_response(responses, self.spectrum.broadening, energy, state, slot)
        unit, own = largest_energy(self.biases.values()), self
        for _ in range(MOST_TURNS):
            scattered = scatter(
                responses, self.energies, self.spectrum.states, self.panels, replace(own, scattered=None).deviation,
                self.temperature, unit, own.scattered,
            )  # fmt: skip
            before, own = own.biases, replace(own, scattered=scattered)._balanced()
            if max(abs(own.biases[name].voltage - before[name].voltage) for name in before) <= SETTLED * unit:
                return own
        raise SolveError(
            f"the voltages of floating reservoirs did not settle with inelastic scattering in {MOST_TURNS} turns. Give "
            "them a number near the one that is looked for", frequency=0.0, residuals=(), state=None,
        )  # fmt: skip

    @cached_property
    def summands(self) -> tuple[Real, Real]:
        """Distributions (energies, nodes, m) whose plain sum over energies, after something linear has been made of
        each with the spectrum of its energy, is the integral over E > 0 of that; and the same for E times it.
        """
        self._warn_of_range()
        one, two = (combined(self._weights(power), self.columns, self.responses) for power in (0, 1))
        if self.scattered is not None:
            added = self.scattered.weights[:, None, None] * self.scattered.fields
            one, two = one + added, two + self.energies[:, None, None] * added
        return one, two

    def _weights(self, power: int) -> Real:
        """Product weights of the deviations times a power of E, shape (energies, terminals, m)."""
        return product_weights(self.panels, self.biases, self.temperature, mode_vectors(self.problem), power)

    def integral(self, power: int = 0) -> Real:
        """Integrals over E > 0 of the currents of modes out of terminals, times a power of E, (terminals, m)."""
        self._warn_of_range()
        total = np.einsum("etm,eaitm->ai", self._weights(power), self.conductances)
        if self.scattered is not None:
            weights = self.scattered.weights * self.energies**power
            total = total + np.einsum("e,eai->ai", weights, self.scattered.currents)
        return np.asarray(total)

    def with_bias(
        self, biases: Mapping[str, Any] | None = None, /, **voltages: float
    ) -> Nonequilibrium:
        """The state at other voltages, temperatures or spin biases, from the responses that are known.

        An unknown gap and inelastic scattering belong to their bias: with them the device is solved again with the same
        settings, in this process, and the gap starts from the present one, so that a branch is followed.

        Parameters
        ----------
        biases
            Contact name -> voltage, or a mapping with some of "voltage", "temperature", "spin_bias".
        **voltages
            Contact name = voltage, energy, for the contacts of which only that changes; FLOATING where it is to be
            found. All others keep what they have.

        Raises
        ------
        TypeError, ValueError
            If there is no such reservoir, it cannot have that, or it is occupied beyond the energies that were solved.
        SolveError
            If the gap at the other bias is not found.
        """
        changes = natural_changes(read_changes(biases, voltages), self.device.units)
        fixed = self.device, self.problem.electrodes, self.condensate
        own, floating = rebiased(self.biases, self.floating, changes, *fixed)
        if self.scattered is not None or self.equilibrium.pairing is not None:
            return self._solved_again(changes)
        moved = replace(self, biases=own, floating=floating)
        moved._check_range()
        return moved._complete()._balanced()

    def _solved_again(self, changes: Mapping[str, Mapping[str, Any]]) -> Nonequilibrium:
        """The state of the device with other contacts, its gap unknown where it was found."""
        assert self.again is not None
        pairing, regions, device = self.equilibrium.pairing, self.problem.space.mesh.subdomains, self.device
        contacts = {name: replace(own, **changes.get(name, {})) for name, own in device.contacts.items()}
        if pairing is not None:
            found = {name: None for name, cells in regions.items() if np.isin(cells, pairing.chosen).all()}
            device = device.with_gap(found)
        return self.again(replace(device, contacts=contacts), initial=None if pairing is None else self)

    @property
    def _range(self) -> tuple[float, float]:
        """Between which energies integrals are made; of a single energy there are none."""
        ends = (self.panels.ends if len(self.panels.ends) else self.energies[[[0, 0]]]).tolist()
        return ends[0][0], ends[-1][1]

    def _check_range(self) -> None:
        top, (_, high) = max(float(bias.steps.max()) for bias in self.biases.values()), self._range
        if top > high:
            raise ValueError(
                f"a reservoir's occupation changes at the energy {top:g}, and energies were solved up to "
                f"{high:g} only: solve with energy_range=(0, ...) that holds all voltages to come"
            )

    def _warn_of_range(self) -> None:
        """Warn where reservoirs differ from equilibrium at energies that were not solved."""
        low, high = self._range
        edges = edges_of(self.biases.values(), self.temperature)
        outside = edges[(edges < low) | (edges > high)]
        if abs(self.imposed(outside)).max(initial=0.0) > LEFT_OUT:
            warn(
                f"the energies, from {low:g} to {high:g}, leave out part of the occupation of the reservoirs, which "
                "integrals over energy then miss: give energies from 0 to the largest voltage plus 15 temperatures, or "
                "'adaptive'"
            )

    def _complete(self) -> Nonequilibrium:
        """With the responses to all modes that are imposed now."""
        check_held(self.biases, mode_vectors(self.problem)[2:5])
        wanted = wanted_columns(self.problem, self.biases)
        known = {tuple(column) for column in self.columns.tolist()}
        extra = np.array([column for column in wanted.tolist() if tuple(column) not in known])
        if not len(extra):
            return self
        responses = Responses(self.problem, self.kind)
        fields = [
            responses.solve(complex(self.spectrum.broadening, -energy), state).fields[extra[:, 0], extra[:, 1]]
            for energy, state in zip(self.energies.tolist(), self.spectrum.states, strict=True)
        ]
        return replace(
            self, columns=np.concatenate([self.columns, extra]),
            responses=np.concatenate([self.responses, np.array(fields)], axis=1),
        )  # fmt: skip

    def _balanced(self) -> Nonequilibrium:
        """With the voltages of floating reservoirs at which no charge flows into them."""
        if not self.floating:
            return self
        found, _ = balanced(
            self.panels, self.conductances, self.biases, self.floating, self.temperature, mode_vectors(self.problem),
            free=False, condensate=0.0, others=self.scattered.charge if self.scattered is not None else 0.0,
        )  # fmt: skip
        solved = replace(self, biases=found)
        solved._check_range()
        return solved
