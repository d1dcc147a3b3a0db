"""How the residual changes with the parameters, the state being held: the right-hand sides of linear responses.

The functional is linear in frequency and local coefficients together, in N0, in conductances and spin mixing, and at
most quadratic in gauge fields, in the amounts of spin-charge coupling and its spin vectors, and in a magnetisation. So
the change along a direction is a sum of few residuals, exact to rounding: with the local coefficients replaced by their
changes, and central differences of the quadratic parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..frozen import FrozenRecord
from ..physics import columns as column
from ..physics import interface as barrier
from ..physics.columns import CHANNEL_COLUMNS, COEFFICIENTS
from .direction import Direction, Pull, moved_junctions
from .products import Equation, cell_product, cell_residual, own_coordinates, side_product, side_residual
from .reservoirs import bulk_change, partner_change

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

RATES = [number for number, row in enumerate(column.LOCAL) if row.vertices]


@dataclass(frozen=True, eq=False)
class Part(FrozenRecord):
    """A problem whose residual counts with a factor; `frequency` says at which w: "zero", "own" or "change"."""

    factor: float
    problem: Problem
    frequency: str = "zero"


@dataclass(frozen=True, eq=False)
class Source(FrozenRecord):
    """The change of the residual along a direction, in pieces that all frequencies share."""

    problem: Problem
    direction: Direction
    cells: tuple[Part, ...]
    sides: tuple[Part, ...]

    def fixed(self, equation: Equation, w: Any, dw: Any, state: Complex) -> Complex:
        """The change of the residual (nodes, ...) with coefficients and frequency, the whole state being held."""
        own = own_coordinates(equation, state)
        total = np.zeros_like(own)
        places = {"zero": 0.0, "own": w, "change": dw}
        for part in self.cells:
            total += part.factor * cell_residual(type(equation)(part.problem), places[part.frequency], own)
        both = np.ones((2, len(self.problem.interfaces.facets)), bool)
        for part in self.sides:
            total += part.factor * side_residual(type(equation)(part.problem), own, both)
        return total

    def imposed(self, equation: Equation, w: Any, dw: Any) -> Complex | None:
        """The change of the state at the nodes of reservoirs, in its own coordinates; None if there is none."""
        problem, found = self.problem, None
        for name, own in problem.electrodes.items():
            pull = self.direction.electrodes.get(name)
            if pull is None and not dw:
                continue
            pull = pull or Pull(np.zeros(len(own.nodes), complex), np.zeros((3, len(own.nodes))))
            a = bulk_change(w, dw, own, pull, linearized=problem.linearized)
            if isinstance(equation, Matsubara):
                values = problem.sector.reduce(a)
            else:
                b = partner_change(w, dw, own, pull, linearized=problem.linearized)
                values = np.concatenate([problem.sector.reduce(a), problem.sector.reduce(b)], axis=-1)
            if found is None:
                found = np.zeros((problem.space.nodes.shape[1], values.shape[1]), complex)
            found[own.nodes] = values
        return found

    def total(self, equation: Equation, w: Any, dw: Any, state: Complex) -> tuple[Complex, Complex | None]:
        """The change of the residual with the direction, reservoirs included, and what reservoirs impose."""
        source, imposed = self.fixed(equation, w, dw, state), self.imposed(equation, w, dw)
        if imposed is not None:
            source = source + self.of_reservoirs(equation, w, state, imposed)
        return source, imposed

    def of_reservoirs(self, equation: Equation, w: Any, state: Complex, imposed: Complex) -> Complex:
        """The change of the residual with the values at the nodes of reservoirs."""
        own = own_coordinates(equation, state)
        moved = np.flatnonzero(imposed.any(axis=1))
        cells = np.flatnonzero(np.isin(self.problem.space.cells, moved).any(axis=1))
        return cell_product(equation, w, own, imposed, cells) + side_product(equation, own, imposed)


def build_source(problem: Problem, direction: Direction) -> Source:
    """The parts of the change of the residual along a direction."""
    cells, sides = [], []
    if direction.table is not None or direction.temperature:
        cells = _cell_parts(problem, direction)
    if direction.interfaces is not None:
        sides = _side_parts(problem, direction.interfaces)
    return Source(problem, direction, tuple(cells), tuple(sides))


def _cell_parts(problem: Problem, direction: Direction) -> list[Part]:
    own = problem.coefficients.table
    change = np.zeros_like(own) if direction.table is None else direction.table
    parts = []
    local = own.copy()
    local[..., 1:COEFFICIENTS] = change[..., 1:COEFFICIENTS]  # all but N0, the first column
    fewer = np.minimum(local[..., RATES], 0.0)
    local[..., RATES] -= fewer
    if direction.temperature or local[..., 1:COEFFICIENTS].any():
        parts.append(Part(1.0, problem.with_columns(local), "change"))
    if fewer.any():  # kernels skip rates that are not positive
        table = _without_local(own)
        table[..., column.D] = 0.0
        table[..., RATES] = -fewer
        parts.append(Part(-1.0, problem.with_columns(table)))
    if change[..., column.N0].any():
        table = own.copy()
        table[..., column.N0] = change[..., column.N0]
        parts.append(Part(1.0, problem.with_columns(table), "own"))
    channels = own.shape[2] - CHANNEL_COLUMNS * len(problem.coefficients.pairs)
    for columns in (slice(COEFFICIENTS, channels), slice(channels, None)):
        parts += _difference(problem, change, columns)
    return parts


def _without_local(table: Real) -> Real:
    """The coefficients with no other terms than those that belong to D."""
    made = table.copy()
    made[..., column.D + 1 : COEFFICIENTS] = 0.0
    return made


def _difference(problem: Problem, change: Real, columns: slice) -> list[Part]:
    """The two residuals of the central difference along some columns, in which they are quadratic at most."""
    size = float(abs(change[..., columns]).max(initial=0.0))
    if not size:
        return []
    own = problem.coefficients.table
    step = max(1.0, float(abs(own[..., columns]).max())) / size
    parts = []
    for sign in (1.0, -1.0):
        table = _without_local(own)
        table[..., columns] += sign * step * change[..., columns]
        parts.append(Part(0.5 * sign / step, problem.with_columns(table)))
    return parts


def _side_parts(problem: Problem, change: Real) -> list[Part]:
    own = problem.interfaces.table
    linear = [barrier.CONDUCTANCE, barrier.MIXING]
    parts = []
    for sign in (1.0, -1.0):
        table = own.copy()
        table[..., linear] = np.maximum(sign * change[..., linear], 0.0)
        if table[..., linear].any():
            parts.append(Part(sign, _with_table(problem, table - own)))
    axis = slice(barrier.MX, barrier.MZ + 1)
    for columns in ([barrier.MIX_ONE, barrier.MIX_TWO], list(range(axis.start, axis.stop))):
        size = float(abs(change[..., columns]).max(initial=0.0))
        for sign in (1.0, -1.0) if size else ():
            moved = np.zeros_like(own)
            moved[..., columns] = sign * change[..., columns] / size
            parts.append(Part(0.5 * sign * size, _with_table(problem, moved)))
    return parts


def _with_table(problem: Problem, change: Real) -> Problem:
    return replace(problem, interfaces=moved_junctions(problem.interfaces, change))
