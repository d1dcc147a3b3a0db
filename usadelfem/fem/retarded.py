"""The retarded Usadel equation at one energy as a nonlinear system over the nodes of a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..compilation.jit import readonly
from ..frozen import FrozenRecord
from ..physics.columns import W
from ..physics.riccati import tilde_entries
from ..space.pattern import Pattern
from ..space.space import Index, Real
from .assembly import Elements, in_chunks, scatter_junctions
from .conjugates import (
    CellTables,
    cell_tables,
    gap_source,
    static_conjugates_of,
    sum_changes,
    sum_conjugates,
)
from .problem import Problem
from .retarded_cells import retarded_junctions, retarded_terms
from .workspace import junction_space, point_space, whole_tangent_space

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False, repr=False)
class Retarded(FrozenRecord):
    """Residual and tangent of the functional at w = Gamma - iE, with the nodes of the electrodes clamped.

    A state holds, for every node, the entries of a and of b that its sector needs, shape (nodes, 2n).

    Attributes
    ----------
    problem
        The discretised device, with the gap and the potential in place.
    """

    problem: Problem

    @property
    def entries(self) -> int:
        """Complex unknowns of a node."""
        return 2 * self.problem.sector.entries

    def zero(self) -> Complex:
        """The normal metal everywhere, shape (nodes, 2n)."""
        return np.zeros((self.problem.space.nodes.shape[1], self.entries), complex)

    def clamp(self, w: complex, state: Complex) -> Complex:
        """A copy of the state with the nodes of the electrodes set to the values of their reservoirs at w."""
        clamped, sector, linearized = state.copy(), self.problem.sector, self.problem.linearized
        for own in self.problem.electrodes.values():
            a, b = own.amplitude(w, linearized=linearized), own.partner(w, linearized=linearized)
            clamped[own.nodes] = np.concatenate([sector.reduce(a), sector.reduce(b)], axis=-1)
        return clamped

    def matrices(self, state: Complex) -> tuple[Complex, Complex]:
        """All entries of a and b, shape (..., 4) each, of states (..., 2n)."""
        n, sector = self.problem.sector.entries, self.problem.sector
        return sector.expand(state[..., :n]), sector.expand(state[..., n:])

    def residual(self, w: complex, state: Complex) -> tuple[Complex, float]:
        """Residual over the free unknowns, and the size of the terms it is to be compared with."""
        residual, scale, _ = self._assemble(w, state, None)
        return self.free(residual), float(scale.max(initial=0.0))

    def linearize(self, w: complex, state: Complex) -> tuple[Complex, float, Complex]:
        """Residual, its size, and the values of the upper-triangular CSR tangent."""
        residual, scale, values = self._assemble(w, state, self.problem.pattern)
        return self.free(residual), float(scale.max(initial=0.0)), values

    def moved(self, state: Complex, step: Complex) -> Complex:
        """The state after a step of the free unknowns."""
        moved = state.copy()
        moved[self.problem.pattern.free] += step.reshape(-1, self.entries)
        return moved

    def unknowns(self, state: Complex) -> Complex:
        """The free unknowns of a state, in the order of a step."""
        return self.free(state)

    def mirrored(self, state: Complex) -> Complex:
        """The state at -E: a(-E) = sigma_y b(E)* sigma_y and the other way round; states (..., 2n)."""
        sector = self.problem.sector
        a, b = self.matrices(state)
        parts = (sector.reduce(tilde_entries(b)), sector.reduce(tilde_entries(a)))
        return np.concatenate(parts, axis=-1)

    @cached_property
    def cell_tables(self) -> CellTables:
        """What kernels read of the cells."""
        return cell_tables(self.problem.space, self.problem.aligned[0], self.problem.exchanged[0])

    def conjugates(
        self, places: Sequence[int], weights: ArrayLike, states: Sequence[Complex] | Complex, *,
        chosen: Index | None = None,
    ) -> Complex:  # fmt: skip
        """The sum of weights times df/dc over states (nodes, 2n), shape (places, cells, points); per density of states.

        Spin vectors are those in the frame of the sector (`Sector.vectors`).
        """
        like, space = self.problem.sector.like, self.problem.space
        each = ((0.0, weight, state) for weight, state in zip(np.atleast_1d(weights), states, strict=True))
        return sum_conjugates(like, space, self.cell_tables, places, each, chosen)

    def changes(
        self, places: Sequence[int], weights: ArrayLike, states: Sequence[Complex] | Complex,
        changes: Sequence[Complex], *, chosen: Index | None = None,
    ) -> Complex:  # fmt: skip
        """The same of the changes of df/dc with changes (nodes, 2n) of the states."""
        like, space, weight = self.problem.sector.like, self.problem.space, np.atleast_1d(weights)
        each = zip(np.zeros(len(weight)), weight, states, changes, strict=True)
        return sum_changes(like, space, self.cell_tables, places, each, chosen)

    def gap_source(self, state: Complex, gap: Complex, chosen: Index) -> Complex:
        """Change of the residual (nodes, 2n) with the gap (cells, points) at the points of some cells."""
        return gap_source(self.problem.sector.like, self.problem.space, self.cell_tables, state, gap, chosen)

    def reduced_change(self, step: Complex) -> Complex:
        """The change (nodes, 2n) of the state with a step of the free unknowns."""
        return self.moved(self.zero(), step)

    def pointwise(self, places: Sequence[int], values: Complex) -> Complex:
        """Conjugates that need no gradients, of matrices a and b (..., 2n); shape (places, ...)."""
        sector, n = self.problem.sector, self.problem.sector.entries
        linear = self.problem.linearized
        return static_conjugates_of(sector.like, values[..., :n], values[..., n:], places, linear=linear)

    def normal_part(self, values: Complex) -> Complex:
        """Tr tau3 g / 4 of matrices a and b (..., 2n), whose real part is the density of states N(E)/N0; (...)."""
        return np.asarray(1.0 - 0.25 * self.pointwise((W,), values)[0])

    def free(self, residual: Complex) -> Complex:
        """A residual (nodes, 2n), over the free unknowns."""
        return residual[self.problem.pattern.free].reshape(-1)

    def of_cells(self, w: complex, state: Complex, chosen: Index) -> Complex:
        """The residual of some cells alone, shape (nodes, 2n)."""
        return self._cells(w, state, None, chosen)[0]

    def of_sides(self, state: Complex, sides: NDArray[np.bool_]) -> Complex:
        """The residual of chosen sides (2, facets) of the interfaces alone, shape (nodes, 2n)."""
        residual = np.zeros_like(state)
        self._interfaces(state, residual, np.zeros(len(state)), None, np.empty(0), sides)
        return residual

    def _assemble(self, w: complex, state: Complex, pattern: Pattern | None) -> tuple[Complex, Real, Complex]:
        residual, scale, values = self._cells(w, state, pattern, slice(None))
        self._interfaces(state, residual, scale, pattern, values, None)
        return residual, scale, values

    def _cells(
        self, w: complex, state: Complex, pattern: Pattern | None, chosen: Index | slice
    ) -> tuple[Complex, Real, Complex]:  # fmt: skip
        space, like = self.problem.space, self.problem.sector.like
        own, other = self.problem.aligned[0].chosen(chosen), self.problem.exchanged[0][chosen]
        arrays = (array[chosen] for array in (space.cells, space.inverse, space.dx))
        cells, inverse, dx, table, partner, kinds, pairs, state = readonly(
            *arrays, own.table, other, own.kinds, own.pairs, state
        )
        phi, dphi = readonly(space.phi, space.dphi)
        n, dim, nodes = len(like), space.dim, cells.shape[1]

        def in_space() -> Elements:
            point, matrices = point_space(n, dim, nodes), whole_tangent_space(n, dim, nodes)

            def elements(first: int, hessian: bool, r: Complex, s: Real, t: Complex) -> None:
                retarded_terms(
                    like, complex(w), state, first, cells, phi, dphi, inverse, dx, table, partner, kinds, pairs,
                    hessian, point, matrices, r, s, t,
                )  # fmt: skip

            return elements

        self.problem.timings.points += dx.size
        return in_chunks(in_space, cells, state.shape, self.entries, np.dtype(complex), pattern, self.problem.timings)

    def _interfaces(
        self, state: Complex, residual: Complex, scale: Real, pattern: Pattern | None, values: NDArray[Any],
        sides: NDArray[np.bool_] | None,
    ) -> None:  # fmt: skip
        junctions, other = self.problem.aligned[1], self.problem.exchanged[1]
        if not len(junctions.facets):
            return
        parts = junctions.nodes, junctions.phi, junctions.dx, junctions.table, other, junctions.kinds
        nodes, phi, dx, table, partner, kinds, channels, state = readonly(*parts, junctions.channels, state)
        count = nodes.shape[1] * (nodes.shape[1] + 1) // 2 if pattern else 0
        r, s = np.empty((*nodes.shape, self.entries), complex), np.empty(nodes.shape)
        t = np.empty((len(nodes), count, self.entries, self.entries), complex)
        like = self.problem.sector.like
        retarded_junctions(
            like, state, nodes, phi, dx, table, partner, kinds, channels, junctions.linear, count > 0,
            junction_space(len(like), complex), r, s, t,
        )  # fmt: skip
        if sides is not None:
            r[~np.repeat(sides.T, nodes.shape[1] // 2, axis=1)] = 0.0
        scatter_junctions(nodes, r, s, t, residual, scale, pattern, values)
