"""Where derivatives with respect to coefficients are collected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.states import LinearStates
from ..fem.conjugates import add_change, conjugate_places
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

    def add_variations(
        self, own: LinearStates, terms: Iterable[tuple[Any, Complex, Complex]],
        chosen: NDArray[np.int64] | None = None,
    ) -> None:  # fmt: skip
        """Add the derivatives of <change, residual of chosen cells>, of w, state, change, by coefficients and ln w."""
        problem, equation = own.problem, own.equation
        space, sector = problem.space, problem.sector
        columns = list(range(problem.coefficients.table.shape[2]))
        places = [*conjugate_places(problem.coefficients, space.dim), column.W]
        tables = problem.tables if isinstance(equation, Matsubara) else equation.cell_tables
        cells = slice(None) if chosen is None else chosen
        n0, dx = problem.coefficients.table[cells, :, column.N0], space.dx[cells]
        of, summed = np.zeros((*dx.shape, len(places)), complex), 0.0
        for w, state, change in terms:
            reduced = sector.reduce(state) if isinstance(equation, Matsubara) else state
            add_change(sector.like, space, tables, places, (w, 1.0, reduced, change), chosen, of)
            if isinstance(equation, Matsubara):
                of_w = float((of[..., -1].real * n0 * dx).sum())
                self.frequency += float(w) * (of_w - summed)
                summed = of_w
        rates = np.zeros((len(places), *space.dx.shape))
        rates[:, cells] = np.moveaxis(of.real * n0[..., None], -1, 0)
        rates[column.N0, cells] = of[..., column.N0].real
        if isinstance(equation, Retarded):  # a broadening, which adds to w
            rates[column.INELASTIC] = rates[-1]
            rates[column.N0, cells] += problem.coefficients.table[cells, :, column.INELASTIC] * of[..., -1].real
        self.add_aligned(problem, columns, rates[:-1])

    def add(self, factor: float, other: Gradient) -> None:
        """Add the derivatives of another number, times a factor."""
        self.table += factor * other.table
        self.frequency += factor * other.frequency
        self.value += factor * other.value
        self.logarithms += factor * other.logarithms
        self.potential = self.potential + factor * other.potential
