"""The adjoint equations: one triangular solve per frequency gives the derivatives with respect to all parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.direction import Direction
from ..derivatives.linearization import Linearization
from ..derivatives.products import cell_product, inner, own_coordinates, side_product, side_residual
from ..derivatives.response import FieldResponse
from ..derivatives.sources import Source, build_source
from ..derivatives.states import LinearStates
from ..physics import columns as column
from .functionals import AlongCoefficients
from .gradient import Gradient
from .observables import Functional

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


class Adjoint:
    """The derivatives of a sum of functionals with factors, with respect to all that a device is made of.

    Attributes
    ----------
    own
        The linearised equations.
    gradient
        The derivatives with respect to the coefficients of the metals.
    """

    def __init__(self, own: Linearization, terms: Sequence[tuple[float, Functional]]) -> None:
        self.own, self.terms = own, tuple(terms)
        self.gradient = self._explicit(own, self.terms)
        self._right: dict[int, Any] = {}
        self._left: dict[int, Any] = {}
        self._gap: Complex | None = None
        self._through_potential: list[tuple[float, Functional]] = []
        for index, w, state in own.points():
            for factor, functional in self.terms:
                right = functional.gradient(own, index, w, state)
                if right is not None:
                    self._right[index] = self._right.get(index, 0.0) + factor * right
        self.gradient.add_variations(own, self._responses(self._right))
        if own.fields is not None:
            self._follow_fields(own.fields)

    @staticmethod
    def _explicit(own: LinearStates, terms: Sequence[tuple[float, Functional]]) -> Gradient:
        """The derivatives of a sum of functionals at fixed states."""
        gradient = Gradient(own.problem)
        for factor, functional in terms:
            part = Gradient(own.problem)
            functional.explicit(own, part)
            gradient.add(factor, part)
        return gradient

    def _responses(self, rights: dict[int, Any]) -> Iterator[tuple[Any, Complex, Complex]]:
        """Frequency, state, and its response to a derivative, of every point that has one; the response is kept."""
        for index, w, state in self.own.points():
            if index not in rights:
                continue
            known = self._left.get(index, 0.0)
            if self.own.equation.free(rights[index]).any():
                change = self.own.respond(index, rights[index])
                self._left[index] = known + change
                yield w, state, change
            else:  # stationary, but for what reservoirs hold
                self._left[index] = known + np.zeros_like(rights[index])

    def _follow_fields(self, fields: FieldResponse) -> None:
        """Add what goes through a gap and a potential that are unknown: their equations have a symmetric derivative
        but for currents through contacts.
        """
        own, table = self.own, self.gradient.table
        of_potential = fields.load(np.moveaxis(table[..., fields.potential], -1, 0)) + self.gradient.potential
        through = fields.solve(self._of_gap(), -2.0 * of_potential, transposed=True)
        self._gap, moved = through.gap, fields.table(through)
        weights = 0.5 * np.pi * own.temperature * own.team.weights
        of_fields = AlongCoefficients(weights, Direction(table=moved), counts_states=False)
        if own.induced is not None:
            potential = moved.copy()
            potential[..., list(column.GAP)] = 0.0
            self._through_potential = [(1.0, AlongCoefficients(weights, Direction(table=potential)))]
            self.gradient.add(1.0, self._explicit(own, self._through_potential))
        rights = {index: of_fields.gradient(own, index, w, state) for index, w, state in own.points()}
        for index, right in rights.items():
            self._right[index] = self._right.get(index, 0.0) + right
        self.gradient.add_variations(own, self._responses(rights))
        if own.pairing is not None:
            for number in column.GAP:
                self.gradient.table[own.pairing.chosen, :, number] = 0.0

    def _of_gap(self) -> Complex:
        """The derivatives with respect to the gap where it is unknown, per density of states; (cells, points)."""
        if self.own.pairing is None:
            return np.zeros((0, 0), complex)
        chosen = self.own.pairing.chosen
        of, n0 = self.gradient.table[chosen], self.own.problem.coefficients.table[chosen, :, column.N0]
        return np.asarray((of[..., column.GAP_RE] + 1j * of[..., column.GAP_IM]) / n0)

    @cached_property
    def with_spin_charge(self) -> Gradient:
        """The derivatives with columns for isotropic theta and kappa, the last ones of its table."""
        own = self.own.in_room_for_spin_charge()
        gradient = self._explicit(own, (*self.terms, *self._through_potential))
        known = ((w, state, self._left[index]) for index, w, state in own.points() if index in self._left)
        gradient.add_variations(own, known)
        return gradient

    def along(self, direction: Direction) -> float:
        """The derivative along a direction."""
        own, problem = self.own, self.own.problem
        total = 0.0
        if direction.table is not None:
            total += float(np.einsum("cqn,cqn,cq->", self.gradient.table, direction.table, problem.space.dx))
        rate = direction.temperature / own.temperature if direction.temperature else 0.0
        if rate:
            known = self.gradient
            total += rate * (known.value + known.frequency + float(known.logarithms.sum()))
        if direction.log_tc is not None:
            total -= float((self.gradient.logarithms * direction.log_tc).sum())
        total += self._of_gap_equation(direction)
        if direction.electrodes or rate:
            total += self._of_reservoirs(direction, rate)
        if direction.interfaces is not None:
            total += self._of_interfaces(direction)
        return total

    def _of_gap_equation(self, direction: Direction) -> float:
        """What the gap equation itself changes by, with temperature and Tc."""
        pairing, fields = self.own.pairing, self.own.fields
        if pairing is None or fields is None or self._gap is None:
            return 0.0
        explicit = fields.explicit_gap_residual(direction)
        return float((pairing.weight * (self._gap.conj() * explicit).real).sum())

    def _of_reservoirs(self, direction: Direction, rate: float) -> float:
        source, total = build_source(self.own.problem, Direction(electrodes=direction.electrodes)), 0.0
        for index, w, _ in self.own.points():
            imposed = source.imposed(self.own.equation, w, rate * w)
            if imposed is not None and index in self._right:
                total += np.real(inner(self.own.equation, self._reaction(index, w), imposed))
        return float(total)

    def _reaction(self, index: int, w: Any) -> Complex:
        """The derivative with respect to what is imposed at the nodes of reservoirs, by nodes."""
        equation, problem = self.own.equation, self.own.problem
        own, change = own_coordinates(equation, self.own.states[index]), self._left[index]
        cells = np.flatnonzero(np.isin(problem.space.cells, problem.clamped).any(axis=1))
        through = cell_product(equation, w, own, change, cells) + side_product(equation, own, change)
        return np.asarray(self._right[index] + through)

    def _of_interfaces(self, direction: Direction) -> float:
        source: Source = build_source(self.own.problem, Direction(interfaces=direction.interfaces))
        total = sum(factor * functional.along_interfaces(self.own, source) for factor, functional in self.terms)
        both = np.ones((2, len(self.own.problem.interfaces.facets)), bool)
        for index, _, state in self.own.points():
            if index not in self._left:
                continue
            own = own_coordinates(self.own.equation, state)
            for part in source.sides:
                residual = side_residual(type(self.own.equation)(part.problem), own, both)
                total += part.factor * np.real(inner(self.own.equation, residual, self._left[index]))
        return float(total)
