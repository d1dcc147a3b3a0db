"""The fields that the Green's function makes for itself at all frequencies together: gap and induced potential.

Source of the gap equation: theory, section on the free energy, of which it is the derivative with respect to the gap,

    R = Delta [ln(T/Tc) + 2 pi T sum 1/w] + 2 pi T sum i f0 = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..diagnostics.cutoff import LOOKED_AT, left_out
from ..fem.gap_equation import Pairing
from ..fem.gap_preconditioner import GapResponse, build_gap_response
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..fem.screening import Induced
from ..numerics.newton import ERROR_TOLERANCE, STEP_ACCURACY
from ..numerics.report import Iteration
from ..physics import columns as column
from ..points.islands import FINITE, PHASE, find_islands
from ..points.sums import Job, Sum, Terms
from ..points.team import Team

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Largest change of the gap, in units of the bulk gap or of its own maximum, over which one correction of a state
# with its old factors does for a sweep: what it leaves of the step goes into the next one. The same for A times xi.
QUICK, QUICK_POTENTIAL = 0.5, 0.1
# A gap with -R/gap above this is asked whether it is near an unstable state, from which it has to grow.
GROWTH = 1e-3
# Residual, in units of the bulk gap, below which the gap is near its solution.
NEAR = 0.3
# Largest gap, in the same unit, whose common phase is asked what it costs.
INDUCED = 0.1


@dataclass(eq=False)
class SelfConsistency:
    """The fields of one device at one temperature, with the Usadel equation eliminated frequency by frequency.

    Attributes
    ----------
    problem, team
        The equation in the present fields, and its solution at all frequencies.
    pairing, induced
        Where the gap is unknown and what screens; None where there is no such unknown.
    dofs
        Unknowns of the induced potential.
    temperature, unit
        Temperature, and the energy that residuals are measured in.
    factored
        Fields that the kept factors belong to; None where they are of several.
    sums
        What the states add up to, as in `_wanted`; None where that is not known.
    """

    problem: Problem
    team: Team
    pairing: Pairing | None
    induced: Induced | None
    temperature: float
    unit: float
    dofs: Real = field(default_factory=lambda: np.empty(0))
    factored: Real | None = None
    sums: list[Any] | None = None

    def __post_init__(self) -> None:
        log_sum = 2 * np.pi * self.temperature * self.team.inverse_sum
        if self.pairing is not None:
            coefficient = np.log(self.temperature) - self.pairing.log_tc + log_sum
            self.paired = np.isfinite(coefficient)  # Tc = 0: no pairing, no gap
            self.coefficient = np.where(self.paired, coefficient, 1.0)
        if self.induced is not None and not len(self.dofs):
            self.dofs = self.induced.maxwell.zeros()
        diffusion = self.problem.coefficients.table[..., column.D]
        self.length = float(np.sqrt(diffusion.max() / self.unit))
        self.islands = find_islands(self.problem, self.pairing)

    @property
    def gap(self) -> Complex:
        """The present gap at the points of the pairing, shape (cells, points)."""
        return self.pairing.gap_of(self.problem) if self.pairing is not None else np.zeros((0, 0), complex)

    @property
    def gap_alone(self) -> bool:
        """Whether the gap is the only unknown field."""
        return self.pairing is not None and self.induced is None

    @property
    def fields(self) -> Real:
        """Gap and induced potential as one vector."""
        return np.concatenate([as_real(self.gap), self.dofs])

    @property
    def weight(self) -> Real:
        """Weights of the fields in a scalar product, those of the gap with sum 1."""
        gap = np.repeat(self.pairing.weight.ravel(), 2) / self.pairing.weight.sum() if self.pairing else np.empty(0)
        size = self.potential_scale
        return np.concatenate([gap / self.unit**2, np.full(len(self.dofs), 1 / (max(len(self.dofs), 1) * size**2))])

    @property
    def potential_scale(self) -> float:
        """Size of an unknown of the induced potential that matters: a phase of one over a coherence length."""
        if self.induced is None:
            return 1.0
        edge = (self.problem.space.dx.sum() / len(self.problem.space.dx)) ** (1 / self.problem.space.dim)
        return float(edge / self.length)

    def start(self, accuracy: float) -> None:
        """Solve all frequencies in the present fields, from high to low."""
        self.sums = self.team.descend(self.problem, accuracy, *self._wanted)
        self.factored = self.fields

    def settle(self, accuracy: float) -> None:
        """Solve all frequencies again in the present fields."""
        self.sums = self.team.update(self.problem, accuracy, *self._wanted)

    def move(self, fields: Real, accuracy: float) -> None:
        """Change the fields and solve all frequencies again; fast where the factors are those of similar fields."""
        self.place(fields)
        if self._near(fields) and accuracy > ERROR_TOLERANCE:
            self.sums = self.team.correct(self.problem, accuracy, *self._wanted)
        else:
            self.settle(accuracy)

    @property
    def _wanted(self) -> tuple[Sum, ...]:
        """The sums over frequencies that belong to the unknown fields, in the order of `fields`."""
        gap = (Sum(Terms.amplitude),) if self.pairing is not None else ()
        return (*gap, Sum(Terms.currents)) if self.induced is not None else gap

    def _sum(self, position: int) -> Any:
        """One of these sums, at the present states."""
        if self.sums is None:
            self.sums = self.team.run(self.problem, Job(sums=self._wanted))
        return self.sums[position]

    def set_normal(self, number: int) -> Iteration:
        """The normal state: no gap, no pair amplitudes, no induced field; an exact solution without sources."""
        self.place(np.zeros(len(self.fields)))
        self.team.states[:] = 0.0
        return Iteration(number, 0.0, 0.0)

    def place(self, fields: Real) -> None:
        """Change the fields without solving."""
        self.sums = None
        count = len(fields) - len(self.dofs)
        if self.pairing is not None:
            self.problem = self.pairing.with_gap(self.problem, as_gap(fields[:count], self.pairing))
        if self.induced is not None:
            self.dofs = fields[count:]
            self.problem = self.induced.with_potential(self.problem, self.dofs)

    def _near(self, fields: Real) -> bool:
        if self.factored is None:
            return False
        change, count = abs(fields - self.factored), len(fields) - len(self.dofs)
        size = min(self.unit, float(abs(self.gap).max(initial=0.0)))
        near_gap = change[:count].max(initial=0.0) <= QUICK * size
        return bool(near_gap and change[count:].max(initial=0.0) < QUICK_POTENTIAL * self.potential_scale)

    def refresh(self) -> None:
        """Make the factors of the tangents anew, at the present states."""
        self.team.forget()
        self.factored = self.fields

    def island_step(self, residual: Complex) -> Real:
        """Phases that the floating islands still have to turn by, radians; empty if there are none, or if other changes
        of the gap come first.

        Keeps the stiffness for `island_change`.
        """
        self.stiffness = np.empty((0, 0))
        if self.islands is None or self.pairing is None or not abs(residual).max() < NEAR * self.unit:
            return np.empty(0)
        islands, states, team = self.islands, self.team.states, self.team

        def force(phases: Real | None = None) -> Real:
            turned = states if phases is None else islands.turned(phases, self.gap, states)[1]
            return islands.force(self.problem, team.points, team.weights, turned, self.temperature)

        self.stiffness = islands.stiffness(self.pairing, self.gap, residual, self.derivative, force)
        return islands.step(force(), self.stiffness)

    def island_change(self, residual: Complex) -> Complex | float:
        """Change of the gap with the phases that cancel a residual, to first order; see `island_step`."""
        if self.islands is None or self.pairing is None or not self.stiffness.size:
            return 0.0
        gap, islands = self.gap, self.islands
        torque = islands.masks @ (self.pairing.weight * (gap.conj() * residual).imag).sum(axis=1)
        return np.asarray(1j * gap * (islands.step(torque, self.stiffness) @ islands.masks)[:, None])

    def turns(self, phases: Real, residual: Complex) -> bool:
        """Whether the islands are to turn before anything else: their phases are farther off than the gap itself."""
        angle = abs(phases).max(initial=0.0)
        return bool(angle > max(FINITE, abs(residual).max(initial=0.0) / self.unit)) and not self.grows(residual)

    def turn(self, phases: Real, accuracy: float) -> None:
        """Turn the phases of the islands and solve all frequencies again."""
        assert self.islands is not None
        gap, states = self.islands.turned(phases, self.gap, self.team.states)
        self.team.states[:] = states
        self.place(np.concatenate([as_real(gap), self.dofs]))
        self.settle(accuracy)

    def gap_response(self) -> GapResponse:
        """The approximate inverse of the derivative of R at the present gap."""
        assert self.pairing is not None
        weights = 2 * np.pi * self.temperature * self.team.weights
        largest = float(np.median(self.coefficient))
        return build_gap_response(
            self.problem, self.pairing, self.gap, self.team.points, weights, self._mass(), max(1.0, largest)
        )

    def _mass(self) -> float:
        """What a common phase of the gap costs where the gap is so small that other metals must have induced it."""
        assert self.pairing is not None
        if not 0 < abs(self.gap).max() < INDUCED * self.unit:
            return 0.0
        turn, weight = 1j * self.gap, self.pairing.weight
        return float((weight * (turn.conj() * self.derivative(turn)).real).sum() / (weight * abs(turn) ** 2).sum())

    def grows(self, residual: Complex) -> bool:
        """Whether the gap as a whole is below the solution and in a region where the free energy curves down."""
        if self.pairing is None:
            return False
        gap, weight = self.gap, self.pairing.weight
        square = float((weight * abs(gap) ** 2).sum())
        if not -float((weight * gap.conj() * residual).real.sum()) > GROWTH * square > 0:
            return False
        return float((weight * gap.conj() * self.derivative(gap)).real.sum()) < 0

    def residual(self) -> Complex:
        """R at the points of the pairing, shape (cells, points); empty where the gap is given."""
        if self.pairing is None:
            return self.gap
        return self.close(self.gap, self._sum(0))

    def derivative(self, gap_change: Complex, accuracy: float = STEP_ACCURACY) -> Complex:
        """Change of R with the gap, the states following to an accuracy."""
        return self.close(gap_change, self.team.sum(self.problem, Terms.derivative, gap_change, accuracy))

    def close(self, gap: Complex, amplitude: Complex) -> Complex:
        """R of a gap and of the sum of f0 over the frequencies, in both of which it is linear."""
        pair = np.where(self.paired, 2j * np.pi * self.temperature * amplitude, 0.0)
        return np.asarray(self.coefficient * gap + pair)

    def potential_step(self) -> Real:
        """Change of the induced potential that Ampere's law asks for, to first order."""
        if self.induced is None:
            return self.dofs
        return self.induced.step(self.dofs, self.currents()) - self.dofs

    def currents(self) -> Real:
        """j and its local response -dj/dA at the present states, shape (dim + 1, cells, points)."""
        return np.asarray(np.pi * self.temperature * self._sum(-1))

    def cutoff_error(self, cutoff: float) -> float:
        """What the sum leaves out beyond its end, as `left_out`."""
        if self.pairing is None:
            return 0.0
        highest = self.team.points[-LOOKED_AT:]
        equation, states = Matsubara(self.problem), self.team.states[-LOOKED_AT:]
        amplitudes = np.array([self.pairing.amplitude(equation, state) for state in states])
        return left_out(self.pairing, self.gap, highest, amplitudes, cutoff)

    def measure(
        self, number: int, residual: Complex, potential_step: Real, phases: Real | None = None
    ) -> Iteration:  # fmt: skip
        """How far the iteration is."""
        change = 0.0 if phases is None else PHASE * float(abs(phases).max(initial=0.0))
        if self.induced is not None:
            change = max(change, float(abs(self.induced.maxwell.at_points(potential_step)).max()) * self.length)
        size = float(abs(residual).max(initial=0.0)) / self.unit
        return Iteration(number, max(size, change), float(abs(self.gap).max(initial=0.0)) / self.unit)


def as_real(array: Complex) -> Real:
    """Complex numbers as pairs of real ones, shape (2 n,)."""
    return np.ascontiguousarray(array).reshape(-1).view(float)


def as_gap(array: Real, pairing: Pairing) -> Complex:
    """The way back, shape (cells, points)."""
    return np.ascontiguousarray(array).view(complex).reshape(pairing.shape)
