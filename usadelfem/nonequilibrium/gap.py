"""The gap out of equilibrium: the gap equation with the distribution that the reservoirs impose.

Source: theory, section on the kinetic equation,

    R = R_eq + (1/4) Int dE (1/2) tr [R dh - dh A]_12 = 0,

with R_eq the Matsubara sum at the present gap and dh = h - tanh(E/2T). Where no reservoir is superconducting, the
voltage of the condensate is an unknown too: the one at which no current flows into it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..device.device import Device
from ..errors import SolveError
from ..fem.gap_equation import Pairing
from ..fem.problem import Problem
from ..numerics.newton import ERROR_TOLERANCE
from ..numerics.report import Iteration
from ..points.panels import Panels
from ..points.team import Team
from ..solve.field_iterations import anderson_sweeps
from ..solve.field_problem import GROWTH, SelfConsistency
from ..solve.results import Equilibrium, Spectrum
from .balance import balanced, relative_to
from .bias import Bias, combined, deviations, largest_energy, product_weights
from .collisions import Scattered, scatter, scatters
from .local import driven_amplitude
from .locking import find_locking
from .responses import Responses, mode_vectors, solved_response
from .result import Nonequilibrium
from .sweeps import is_stable, relaxing_sweeps, unconverged

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

FIRST_TOLERANCE, MOST_AT_REST = 1e-3, 60  # of the gap of equilibrium, which that out of it starts from
COLLAPSED = 1e-3  # gap, in bulk gaps, below which one that does not grow is zero
SMALL = 0.05  # gap, in bulk gaps, below which one that grows does so by a factor
SHRUNK = 3.0  # factor by which a gap may shrink before energies are chosen anew: they decide whether it ends at zero
ROUNDS = 4  # of energies chosen anew at the gap that was found
SETTLED = 10.0  # residual at energies chosen anew, in tolerances, that is good enough


@dataclass(eq=False)
class Drive:
    """The distribution at all energies of a solve, as the response to the reservoirs.

    Attributes
    ----------
    responses
        The kinetic equation of the present problem.
    biases
        What the reservoirs impose, relative to the zero of voltage that they were given with.
    floating
        Names of reservoirs whose voltage is an unknown.
    free
        Whether the voltage of the condensate is one.
    temperature, broadening
        Reference temperature, and imaginary part of the energies.
    columns
        Terminal and mode of the responses that are kept.
    condensate
        Voltage of the condensate.
    """

    responses: Responses
    biases: dict[str, Bias]
    floating: tuple[str, ...]
    free: bool
    temperature: float
    broadening: float
    columns: NDArray[np.int64]
    condensate: float = 0.0
    panels: Panels | None = None
    team: Team | None = None
    fields: Real = field(default_factory=lambda: np.empty(0))
    conductances: Real = field(default_factory=lambda: np.empty(0))
    scattered: Scattered | None = None

    def turn(self, team: Team, panels: Panels) -> None:
        """Go on to the energies of other panels, with a team that has them."""
        self.team, self.panels = team, panels

    def settle(self, problem: Problem, accuracy: float, *, anew: bool = False) -> None:
        """Solve all energies in the present gap, then the voltages that are unknowns."""
        assert self.team is not None
        if anew:
            self.team.descend(problem, accuracy)
        else:
            self.team.update(problem, accuracy)
        lost = [report.frequency for report in self.team.reports if not report.converged]
        if lost:
            raise SolveError(
                f"the retarded equation at energy {lost[0]:.6g} was not found in the present gap. Try: a larger "
                "broadening, a finer mesh, or another `initial`", frequency=lost[0], residuals=(), state=None,
            )  # fmt: skip
        self._respond(problem)

    def _respond(self, problem: Problem) -> None:
        """Solve the kinetic equation at the present states."""
        assert self.team is not None
        points, scattering = self.team.points, scatters(problem)
        self.responses = self.responses.with_problem(problem).keeping(len(points) if scattering else 1)
        fields, conductances = [], []
        for n, (energy, state) in enumerate(zip(points.tolist(), self.team.states, strict=True)):
            found = solved_response(self.responses, self.broadening, energy, state, n if scattering else 0)
            fields.append(found.fields[self.columns[:, 0], self.columns[:, 1]])
            conductances.append(found.conductance)
        self.fields, self.conductances = np.array(fields), np.array(conductances)
        self.balance()
        if scattering:
            assert self.panels is not None
            self.scattered = scatter(
                self.responses, points, self.team.states, self.panels, self._driven(), self.temperature,
                largest_energy(self.biases.values()), self.scattered,
            )  # fmt: skip
            self.balance()

    def _driven(self) -> Real:
        """The deviations that the reservoirs make, at all energies."""
        assert self.team is not None
        vectors = mode_vectors(self.responses.problem)
        amounts = deviations(self.relative.values(), self.team.points, self.temperature, vectors)
        return combined(amounts, self.columns, self.fields)

    def set_normal(self, problem: Problem) -> None:
        """The normal metal at all energies."""
        assert self.team is not None
        self.team.states[:] = 0.0
        self._respond(problem)

    def balance(self) -> None:
        """Find the voltages that are unknowns at the present conductances."""
        assert self.panels is not None
        self.biases, self.condensate = balanced(
            self.panels, self.conductances, self.biases, self.floating, self.temperature,
            mode_vectors(self.responses.problem), free=self.free, condensate=self.condensate,
            others=self.scattered.charge if self.scattered is not None else 0.0,
        )  # fmt: skip

    @property
    def relative(self) -> dict[str, Bias]:
        """The biases with voltages relative to the condensate."""
        return relative_to(self.biases, self.condensate)

    def summands(self) -> Real:
        """As `Nonequilibrium.summands`, without powers of E."""
        assert self.panels is not None
        vectors = mode_vectors(self.responses.problem)
        weights = product_weights(self.panels, self.relative, self.temperature, vectors, 0)
        own = combined(weights, self.columns, self.fields)
        if self.scattered is not None:
            own = own + self.scattered.weights[:, None, None] * self.scattered.fields
        return own

    def result(self, device: Device, eq: Equilibrium, kind: str) -> Nonequilibrium:
        """The state at the present energies."""
        assert self.team is not None
        assert self.panels is not None
        problem = self.responses.problem
        spectrum = Spectrum(
            device, self.team.points, self.broadening, self.team.states, self.team.reports, problem, self.team.clock
        )
        return Nonequilibrium(
            device, self.temperature, eq, spectrum, self.panels, self.relative, self.floating, self.condensate,
            self.columns, self.fields, self.conductances, kind, self.scattered,
        )  # fmt: skip

    def pairing_term(self, pairing: Pairing) -> Complex:
        """What the deviation adds to the residual of the gap equation, shape (cells, points)."""
        assert self.team is not None
        problem = self.responses.problem
        total = np.zeros(pairing.shape, complex)
        for state, h in zip(self.team.states, self.summands(), strict=True):
            total += 0.5 * driven_amplitude(problem, state, h, pairing)
        return total


def at_rest(consistency: DrivenConsistency, advance: Callable[[Iteration], object]) -> None:
    """The gap of equilibrium, roughly."""
    for sweep in islice(anderson_sweeps(consistency, FIRST_TOLERANCE), MOST_AT_REST):
        advance(sweep)
        if sweep.residual <= FIRST_TOLERANCE:
            break


@dataclass(eq=False)
class DrivenConsistency(SelfConsistency):
    """The gap equation with a drive; without one it is that of equilibrium."""

    drive: Drive | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.islands = None  # their phases have no free energy to be at the minimum of

    def settle(self, accuracy: float) -> None:
        """Solve all frequencies and energies again in the present gap."""
        super().settle(accuracy)
        if self.drive is not None:
            self.drive.settle(self.problem, accuracy)

    def move(self, fields: Real, accuracy: float) -> None:
        """Change the gap and solve all frequencies and energies again."""
        self.place(fields)
        if self._near(fields) and accuracy > ERROR_TOLERANCE:
            self.sums = self.team.correct(self.problem, accuracy, *self._wanted)
        else:
            super().settle(accuracy)
        if self.drive is not None:
            self.drive.settle(self.problem, accuracy)

    def residual(self) -> Complex:
        """R with the term of the deviation."""
        own = super().residual()
        if self.drive is None or self.pairing is None:
            return own
        return np.where(self.paired, own + self.drive.pairing_term(self.pairing), own)

    def set_normal(self, number: int) -> Iteration:
        """The normal state, in which only the distribution is left to solve for."""
        sweep = super().set_normal(number)
        if self.drive is not None:
            self.drive.set_normal(self.problem)
        return sweep

    def grows(self, residual: Complex) -> bool:
        """Whether a small gap is on its way up; out of equilibrium no free energy says more."""
        if self.drive is None or self.pairing is None:
            return super().grows(residual)
        gap, weight = self.gap, self.pairing.weight
        square = float((weight * abs(gap) ** 2).sum())
        small = abs(gap).max(initial=0.0) < SMALL * self.unit
        return bool(small and -float((weight * gap.conj() * residual).real.sum()) > GROWTH * square > 0)


def _turn(drive: Drive, problem: Problem, chosen: Callable[[Problem], tuple[Team, Panels]]) -> None:
    """Go on to energies that are chosen for the present gap, and solve them."""
    team, panels = chosen(problem)
    if drive.team is not None:
        drive.team.release()
    drive.turn(team, panels)
    drive.settle(problem, ERROR_TOLERANCE, anew=True)


def find_gap(
    consistency: DrivenConsistency, chosen: Callable[[Problem], tuple[Team, Panels]], tolerance: float, most: int,
    advance: Callable[[Iteration], object],
) -> tuple[Iteration, ...]:  # fmt: skip
    """Iterate until the gap is consistent at energies that resolve its spectra; returns the history.

    `chosen` gives a team with the energies for a problem and their panels.

    Raises
    ------
    SolveError
        If the gap does not converge in `most` sweeps, or condensates are not locked to each other.
    """
    drive, history, stable = consistency.drive, [], False
    assert drive is not None
    assert consistency.pairing is not None
    locking = find_locking(consistency.problem, consistency.pairing)
    start = float(abs(consistency.gap).max(initial=0.0)) / consistency.unit
    for _ in range(ROUNDS):
        _turn(drive, consistency.problem, chosen)
        sweeps, first, resolved = relaxing_sweeps(consistency, tolerance), True, 0.0
        while True:
            sweep = next(sweeps)
            history.append(sweep)
            locking.follow(consistency.gap)
            advance(sweep)
            if first and len(history) > 1 and sweep.residual <= SETTLED * tolerance:
                return tuple(history)
            first, resolved = False, resolved or sweep.largest
            if COLLAPSED <= sweep.largest < resolved / SHRUNK:
                _turn(drive, consistency.problem, chosen)
                sweeps, resolved = relaxing_sweeps(consistency, tolerance), sweep.largest
                continue
            if drive.free and sweep.largest < COLLAPSED and not consistency.grows(consistency.residual()):
                return (*history, consistency.set_normal(sweep.number))
            if sweep.residual <= tolerance and (sweep.largest >= COLLAPSED or not drive.free):
                consistency.settle(ERROR_TOLERANCE)
                last = consistency.measure(sweep.number, consistency.residual(), consistency.dofs)
                history.append(last)
                if last.residual <= tolerance:
                    if stable or not last.largest or is_stable(consistency, tolerance, shrinking=start < last.largest):
                        stable = True
                        break
                    sweeps = relaxing_sweeps(consistency, tolerance)
            if len(history) >= most or locking.running or not np.isfinite(sweep.residual):
                raise unconverged(consistency, history, locking)
    return tuple(history)
