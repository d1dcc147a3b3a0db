"""The change of a whole solution with a parameter, and of everything that is computed from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..fields.field import Field
from ..frozen import FrozenRecord, freeze
from ..solve.results import Equilibrium, Spectrum
from .direction import Direction, changed
from .linearization import Linearization
from .sources import RATES, Source, build_source

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Observables are differentiated along a tangent by a central difference of sixth order, which needs no solve: with
# steps that change states by this much, its error is 1e-14 of what they are made of. In coefficients they are quadratic
# at most, so that these may change by a larger part of themselves.
STEP, COEFFICIENT_STEP = 3e-3, 0.02
STENCIL = ((1, 0.75), (-1, -0.75), (2, -0.15), (-2, 0.15), (3, 1 / 60), (-3, -1 / 60))
# Kernels skip rates of relaxation that are not positive: along those that begin at zero, steps go to one side.
FORWARD = ((0, -49 / 20), (1, 6.0), (2, -15 / 2), (3, 20 / 3), (4, -15 / 4), (5, 6 / 5), (6, -1 / 6))


@dataclass(frozen=True, eq=False, repr=False)
class Tangent(FrozenRecord):
    """The derivative of a solution with respect to a parameter: observables of it are derivatives of observables.

    Attributes
    ----------
    result
        The solution.
    parameters
        What grows with the parameter, and at which rate, as given to `derivative`.
    problem
        The problem of the solution, with room for what changes.
    given, direction
        The rates of change of what the parameters are, and those with the response of self-consistent fields.
    changes
        The rates of change of the states, shaped as the states of the result are in `problem`.
    dofs
        With screening: the rates of change of the unknowns of the induced potential.
    """

    result: Equilibrium | Spectrum
    parameters: dict[Any, Any]
    problem: Problem
    given: Direction
    direction: Direction
    changes: Complex
    dofs: Real

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __repr__(self) -> str:
        names = ", ".join(str(name) for name in self.parameters)
        return f"Tangent(along {names}, of {self.result!r})"

    @property
    def step(self) -> float:
        """A step of the parameter after which states and coefficients have changed by that much at most."""
        rates, part = [float(np.nanmax(abs(self.changes), initial=0.0))], STEP / COEFFICIENT_STEP
        for change, own in ((self.direction.table, self.problem.coefficients.table),
                            (self.direction.interfaces, self.problem.interfaces.table)):  # fmt: skip
            if change is not None and change.size:
                largest, size = abs(change).max(axis=(0, 1)), abs(own).max(axis=(0, 1))
                rates.append(part * float((largest / np.where(size > 0, size, np.maximum(largest, 1e-300))).max()))
        if isinstance(self.result, Equilibrium):
            rates.append(abs(self.direction.temperature) / self.result.temperature)  # of which there is a logarithm
        rate = max(rates)
        return STEP / rate if rate > 0 else 1.0

    @property
    def held(self) -> Tangent:
        """The tangent with states and fields held but for what reservoirs impose, for what is stationary in them."""
        changes = self.changes.copy()
        changes[:, self.problem.pattern.free] = 0.0
        return replace(self, direction=self.given, changes=changes, dofs=0 * self.dofs)

    def at(self, step: float) -> Any:
        """The result a finite step along the tangent: what it would be if everything were linear in the parameter."""
        problem = changed(self.problem, self.direction, step)
        if isinstance(self.result, Spectrum):
            whole = _in_sector(self.result, self.problem) + step * self.changes
            return replace(self.result, states=whole, problem=problem)
        factor = 1 + step * self.direction.temperature / self.result.temperature
        return replace(
            self.result, riccati=self.result.riccati + step * self.changes, problem=problem,
            temperature=factor * self.result.temperature, frequencies=factor * self.result.frequencies,
            dofs=self.result.dofs + step * self.dofs,
        )  # fmt: skip

    def derivative_of(self, observable: Callable[[Any], Any]) -> Any:
        """The derivative of a function of the result: of a number, an array or a `Field`."""
        values = [(weight, observable(moved)) for weight, moved in self._moved()]
        if isinstance(values[0][1], Field):
            return _field(values)
        return sum(weight * value for weight, value in values)

    def _moved(self) -> Iterator[tuple[float, Any]]:
        """Results along the tangent, and the weights with which functions of them add up to a derivative."""
        h, table = self.step, self.direction.table
        if table is None or not _crosses_zero(self.problem, h * table):
            yield from ((weight / h, self.at(k * h)) for k, weight in STENCIL)
            return
        fewer = np.zeros_like(table)
        fewer[..., RATES] = np.minimum(table[..., RATES], 0.0)
        growing = replace(self, direction=replace(self.direction, table=table - fewer))
        yield from ((weight / h, growing.at(k * h)) for k, weight in FORWARD)
        if fewer.any():
            falling = replace(self, direction=Direction(table=fewer), changes=0.0 * self.changes, dofs=0.0 * self.dofs)
            yield from ((-weight / h, falling.at(-k * h)) for k, weight in FORWARD)


def _crosses_zero(problem: Problem, change: Real) -> bool:
    """Whether a rate of relaxation changes its sign within the steps of the stencil."""
    largest = max(k for k, _ in STENCIL)
    return bool((largest * abs(change[..., RATES]) > problem.coefficients.table[..., RATES]).any())


def _in_sector(spectrum: Spectrum, problem: Problem) -> Complex:
    """The states of a spectrum in the coordinates of a larger sector."""
    a, b = spectrum.equation.matrices(spectrum.states)
    return np.concatenate([problem.sector.reduce(a), problem.sector.reduce(b)], axis=-1)


def _field(values: list[tuple[float, Field]]) -> Field:
    """The field that is a weighted sum of fields."""
    first = values[0][1]

    def along(name: str, where: Any) -> Any:
        parts = [(weight, getattr(own, name)(where)) for weight, own in values]
        return None if any(value is None for _, value in parts) else sum(weight * value for weight, value in parts)

    return replace(
        first, name=f"d_{first.name}", quadrature=np.asarray(sum(weight * own.quadrature for weight, own in values)),
        exact=None if first.exact is None else partial(along, "exact"),
        flux=None if first.flux is None else partial(along, "flux"),
    )  # fmt: skip


class Change(NamedTuple):
    """What a solution changes by along a direction: its states, the direction with the response of its fields, and the
    unknowns of an induced potential.
    """

    states: Complex
    direction: Direction
    dofs: Real


def solve_tangent(own: Linearization, direction: Direction) -> Change:
    """The changes of all states along a direction, with the response of a gap and a potential that are unknown."""
    source = build_source(own.problem, direction)
    changes, fields = _changes(own, source), own.fields
    if fields is None:
        return Change(_expanded(own, changes), direction, own.dofs)
    gap, load = fields.of_states(changes)
    found = fields.solve(gap + fields.explicit_gap_residual(direction), load + fields.explicit_load(direction))
    for index, moved in fields.sources(found):
        changes[index] = changes[index] + own.respond(index, moved)
    table = fields.table(found) + (0.0 if direction.table is None else direction.table)
    return Change(_expanded(own, changes), replace(direction, table=table), found.dofs)


def _changes(own: Linearization, source: Source) -> list[Complex]:
    """The changes of all states at fixed gap, in their own coordinates; NaN where there is no state."""
    rate = source.direction.temperature / own.temperature if source.direction.temperature else 0.0
    found: list[Complex] = [np.full((0, 0), np.nan)] * len(own.states)
    for index, w, state in own.points():
        right, imposed = source.total(own.equation, w, rate * w, state)
        change = own.respond(index, right)
        found[index] = change if imposed is None else change + imposed
    return found


def _expanded(own: Linearization, changes: list[Complex]) -> Complex:
    """The changes in the coordinates of the states of results."""
    out = np.full(own.states.shape, np.nan, complex)
    expand = own.problem.sector.expand if isinstance(own.equation, Matsubara) else np.asarray
    for index, _, _ in own.points():
        out[index] = expand(changes[index])
    return out
