"""The results of solves: data, and the Green's functions at points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import integer
from ..device.device import Device
from ..errors import ObservableError
from ..fem.gap_equation import Pairing
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..fem.retarded import Retarded
from ..fem.screening import Induced
from ..frozen import FrozenRecord, freeze
from ..numerics.newton import Clock
from ..numerics.report import Iteration, Report
from ..physics.riccati import green, tilde, to_matrix
from ..pictures.html import span, table
from ..pictures.labels import energy_unit, thermal, with_label
from ..space.locate import locate
from .spectral_density import PicturedSpectrum

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Points(FrozenRecord):
    """Where an equation is solved, and how much each point counts.

    Attributes
    ----------
    w
        Matsubara frequencies, or Gamma - iE; shape (points,).
    weights
        Weights of the points in a sum over all of them.
    """

    w: NDArray[Any]
    weights: Real

    def sum(self, values: ArrayLike) -> NDArray[Any]:
        """Sum of values (points, ...) with the weights.

        Raises
        ------
        ObservableError
            If there is not one value for each point.
        """
        given = np.asarray(values)
        if not given.ndim or len(given) != len(self.weights):
            raise ObservableError(f"values has shape {given.shape}; allowed is ({len(self.weights)}, ...)")
        return np.asarray(np.tensordot(self.weights, given, axes=1))


@dataclass(frozen=True, eq=False, repr=False)
class Equilibrium(FrozenRecord):
    """Thermal equilibrium of a device; observables are functions of it (`charge_current`, `pair_amplitude`, ...).

    Attributes
    ----------
    device
        The device that was solved.
    temperature
        The energy k_B T, after `lab` in its unit of energy (meV), not in kelvin.
    frequencies, weights
        Positive Matsubara frequencies (or nodes of the quadrature) as energies, ascending, and the weights with which a
        sum over all positive Matsubara frequencies is sum_j weights[j] F(frequencies[j]); shape (frequencies,).
    riccati
        Entries a00, a01, a10, a11 of the Riccati matrix at the nodes, shape (frequencies, nodes, 4).
    report
        How Newton's method went, one `Report` per frequency.
    problem
        The discretised problem; `problem.space.nodes` are the positions of the nodes.
    clock, solver
        Seconds spent in the linear solver, and its name.
    sweeps
        History of the self-consistent iteration, the last one with states of full accuracy; empty where gaps are given.
    pairing
        Where the gap was unknown, None where it is given everywhere.
    induced, dofs
        With screening: the problem of the induced vector potential, and its unknowns.
    cutoff, cutoff_error
        Energy at which sums over frequencies end, infinite where they do not; and what a self-consistent solve leaves
        out by that, as a relative change of Tc (estimated from the decay of the summand).
    saddles
        With certify=True: how many saddles of the free energy were found and left before this minimum; else None.
    """

    device: Device
    temperature: float
    frequencies: Real
    weights: Real
    riccati: Complex
    report: tuple[Report, ...]
    problem: Problem
    clock: Clock = field(compare=False)
    solver: str
    sweeps: tuple[Iteration, ...] = ()
    pairing: Pairing | None = None
    induced: Induced | None = None
    dofs: Real = field(default_factory=lambda: np.empty(0))
    cutoff: float = np.inf
    cutoff_error: float = 0.0
    saddles: int | None = None

    def __post_init__(self) -> None:
        freeze(vars(self))

    @property
    def equation(self) -> Matsubara:
        """The equation that `riccati` solves at each frequency."""
        return Matsubara(self.problem)

    @property
    def points(self) -> Points:
        """The Matsubara frequencies w, with weights 2 pi T m that make `sum` the integral over energies."""
        return Points(self.frequencies, 2 * np.pi * self.temperature * self.weights)

    def sum(self, values: ArrayLike) -> NDArray[Any]:
        """2 pi T times the sum over all positive Matsubara frequencies of values (frequencies, ...)."""
        return self.points.sum(values)

    def _repr_html_(self) -> str:
        unit, found = energy_unit(self.device), bool(self.sweeps)
        certified = "" if self.saddles is None else f", a minimum of the free energy below {self.saddles} saddles"
        rows = [
            ("temperature", thermal(self.device, self.temperature, 5)),
            ("Matsubara frequencies", span(self.frequencies, unit)),
            ("equation", "linearised" if self.problem.linearized else "nonlinear"),
            ("nodes", f"{self.riccati.shape[1]}, order {self.problem.space.order}"),
            ("Newton iterations", sum(report.iterations for report in self.report)),
            ("gap", f"self-consistent, {len(self.sweeps)} sweeps{certified}" if found else "given"),
            ("regions", ", ".join(self.device.conductors)), ("contacts", ", ".join(self.device.contacts) or "none"),
        ]  # fmt: skip
        return table("Equilibrium", rows)

    def __repr__(self) -> str:
        device, highest = self.device, with_label(self.device, f"{self.frequencies[-1]:.3g}")
        return (
            f"Equilibrium(temperature={thermal(device, self.temperature)}, {len(self.frequencies)} frequencies up to "
            f"{highest}, {self.riccati.shape[1]} nodes of order {self.problem.space.order}, "
            f"{sum(report.iterations for report in self.report)} Newton iterations, {device})"
        )

    def green(self, points: ArrayLike) -> Complex:
        """The matrix g at points.

        Parameters
        ----------
        points
            Positions, shape (dim, npoints).

        Returns
        -------
        array, shape (frequencies, 4, 4, npoints)
            In the basis (psi_up, psi_dn, psi_dn^+, -psi_up^+), dimensionless, g^2 = 1; of the linearised problem to
            second order in the pair amplitudes.

        Raises
        ------
        ObservableError
            If a point lies outside the mesh.
        """
        state = locate(self.problem.space, points).interpolate(self.riccati)
        a = to_matrix(state)
        return np.moveaxis(green(a, tilde(a), linearized=self.problem.linearized), 2, 0)


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(PicturedSpectrum):
    """Retarded Green's functions of a device; observables are functions of it (`density_of_states`, `minigap`, ...).

    Attributes
    ----------
    device
        The device that was solved, with the gap of its equilibrium.
    energies
        Energies, ascending, shape (energies,), after `lab` in its unit of energy (meV).
    broadening
        Imaginary part Gamma of all energies, in the same unit.
    states
        Entries of the Riccati matrices a and b that the spin sector needs, shape (energies, nodes, 2n); NaN at energies
        that did not converge.
    report
        How Newton's method went, one `Report` per energy; `frequency` is the energy, `continuation` the number of
        intermediate steps, which began far from the real axis.
    problem
        The discretised problem; `problem.space.nodes` are the positions of the nodes.
    clock
        Seconds spent in the linear solver, all workers together.
    """

    device: Device
    energies: Real
    broadening: float
    states: Complex
    report: tuple[Report, ...]
    problem: Problem
    clock: Clock

    def __post_init__(self) -> None:
        freeze(vars(self))

    @property
    def equation(self) -> Retarded:
        """The equation that `states` solve at each energy."""
        return Retarded(self.problem)

    @property
    def points(self) -> Points:
        """The points w = Gamma - iE, with the weights of the trapezoidal rule in E."""
        step = np.diff(self.energies, prepend=self.energies[:1], append=self.energies[-1:])
        return Points(self.broadening - 1j * self.energies, 0.5 * (step[1:] + step[:-1]))

    def sum(self, values: ArrayLike) -> NDArray[Any]:
        """The integral over the energies of the spectrum of values (energies, ...), by the trapezoidal rule."""
        return self.points.sum(values)

    def __repr__(self) -> str:
        device, highest = self.device, with_label(self.device, f"{self.energies[-1]:.4g}")
        count = sum(report.iterations for report in self.report)
        return (
            f"Spectrum({len(self.energies)} energies from {self.energies[0]:.4g} to {highest}, broadening "
            f"{with_label(device, f'{self.broadening:g}')}, {self.states.shape[1]} nodes of order "
            f"{self.problem.space.order}, {count} Newton iterations, {device})"
        )

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Whether each energy was found, shape (energies,)."""
        return np.array([report.converged for report in self.report])

    def riccati(self, n: int) -> tuple[Complex, Complex]:
        """All entries a00, a01, a10, a11 of a and of b at the nodes for energy number n, shape (nodes, 4) each."""
        index, count = integer("n", n, error=ObservableError), len(self.energies)
        if not -count <= index < count:
            raise ObservableError(f"no energy number {index}; allowed are 0 to {count - 1}")
        return self.equation.matrices(self.states[index])

    def green(self, points: ArrayLike) -> Complex:
        """The retarded matrix g at points.

        Parameters
        ----------
        points
            Positions, shape (dim, npoints).

        Returns
        -------
        array, shape (energies, 4, 4, npoints)
            In the basis (psi_up, psi_dn, psi_dn^+, -psi_up^+), dimensionless, g^2 = 1.

        Raises
        ------
        ObservableError
            If a point lies outside the mesh.
        """
        problem = self.problem
        a, b = self.equation.matrices(locate(problem.space, points).interpolate(self.states))
        return np.moveaxis(green(to_matrix(a), to_matrix(b), linearized=problem.linearized), 2, 0)
