"""Where derivatives with respect to coefficients are collected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.states import LinearStates
from ..fem.conjugates import conjugate_places, sum_changes
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..fem.retarded import Retarded
from ..physics import columns as column

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


class Gradient:
    """Derivatives of a number O with respect to the coefficients of a problem, at given states.

    Attributes
    ----------
    table
        dO = Int dx sum_columns table dc, in the order of `coefficients.table`.
    frequency
        dO / d ln w of all frequencies together, at fixed weights.
    value
        The number itself, as far as it is a sum of terms in proportion to the temperature.
    logarithms
        dO / d ln(T/Tc) at every point, integration weight included.
    potential
        dO with the unknowns of an induced potential, beside that with the coefficients it is part of.
    """

    def __init__(self, problem: Problem) -> None:
        self.table = np.zeros_like(problem.coefficients.table)
        self.frequency = 0.0
        self.value = 0.0
        self.logarithms = np.zeros(problem.space.dx.shape)
        self.potential: Any = 0.0

    def add_aligned(self, problem: Problem, columns: list[int], values: Real) -> None:
        """Add derivatives with respect to columns, shape (columns, cells, points), given in the frame of the sector."""
        for position, number in enumerate(columns):
            kind = problem.coefficients.rows[number].spin
            if kind is None or problem.sector.name == "full":
                self.table[..., number] += values[position]
            elif kind == ("vector", 0):
                three = problem.sector.vectors(values[position : position + 3])
                self.table[..., number : number + 3] += np.moveaxis(three, 0, -1)
            elif kind == ("diagonal", 0):
                axis = problem.sector.axis**2
                across = 0.5 * (values[position] + values[position + 1])
                for k in range(3):
                    self.table[..., number + k] += (1 - axis[k]) * across + axis[k] * values[position + 2]

    def add_variation(
        self, own: LinearStates, w: Any, state: Complex, change: Complex, chosen: NDArray[np.int64] | None = None
    ) -> None:  # fmt: skip
        """Add the derivatives of <change, residual of chosen cells> with respect to the coefficients and ln w."""
        problem, equation = own.problem, own.equation
        space, sector = problem.space, problem.sector
        columns = list(range(problem.coefficients.table.shape[2]))
        places = [*conjugate_places(problem.coefficients, space.dim), column.W]
        if isinstance(equation, Matsubara):
            tables, reduced = problem.tables, sector.reduce(state)
        else:
            tables, reduced = equation.cell_tables, state
        of = sum_changes(sector.like, space, tables, places, [(w, 1.0, reduced, change)], chosen)
        values = np.zeros((len(places), *space.dx.shape))
        values[:, slice(None) if chosen is None else chosen] = of.real
        n0 = problem.coefficients.table[..., column.N0]
        rates = values[:-1] * n0
        rates[column.N0] = values[column.N0]
        if isinstance(equation, Retarded):  # a broadening, which adds to w
            rates[column.INELASTIC] = values[-1] * n0
            rates[column.N0] += problem.coefficients.table[..., column.INELASTIC] * values[-1]
        self.add_aligned(problem, columns, rates)
        if isinstance(equation, Matsubara):
            self.frequency += float(w * (values[-1] * n0 * space.dx).sum())

    def add(self, factor: float, other: Gradient) -> None:
        """Add the derivatives of another number, times a factor."""
        self.table += factor * other.table
        self.frequency += factor * other.frequency
        self.value += factor * other.value
        self.logarithms += factor * other.logarithms
        self.potential = self.potential + factor * other.potential
