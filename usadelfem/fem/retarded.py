"""The retarded Usadel equation at one energy as a nonlinear system over the nodes of a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..frozen import FrozenRecord
from ..physics import interface as barrier
from ..physics.columns import W
from ..physics.jit import announce_compilation, readonly
from ..physics.riccati import bulk, tilde_entries
from ..space.space import Index, Real
from .assembly import Pattern, Timings, build_pattern, in_chunks, scatter_junctions
from .coefficients import Coefficients
from .conjugates import CellTables, cell_tables, static_conjugates_of, sum_conjugates
from .interfaces import Junctions
from .matsubara import Spectral
from .retarded_cells import retarded_junctions, retarded_terms
from .workspace import junction_space, point_space, whole_tangent_space

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False, repr=False)
class Retarded(FrozenRecord):
    """Residual and tangent of the functional at w = Gamma - iE, with the nodes of the contacts clamped.

    A state holds, for every node, the entries of a and of b that its sector needs, shape (nodes, 2n).

    Attributes
    ----------
    system
        The discretised equation: coefficients with the gap and the potential in place, interfaces, contacts, sector.
    pattern
        Sparsity of the tangent: the same nodes, 2n complex unknowns each.
    timings
        Where the seconds spent in assembly are added up.
    """

    system: Spectral
    pattern: Pattern
    timings: Timings = field(default_factory=Timings)

    @property
    def entries(self) -> int:
        """Complex unknowns of a node."""
        return 2 * self.system.sector.entries

    def zero(self) -> Complex:
        """The normal metal everywhere, shape (nodes, 2n)."""
        return np.zeros((self.system.space.nodes.shape[1], self.entries), complex)

    def clamp(self, w: complex, state: Complex) -> Complex:
        """A copy of the state with the nodes of the contacts set to the values of their reservoirs at w."""
        clamped, sector = state.copy(), self.system.sector
        for nodes, gap, exchange in self.system.contacts.values():
            a = bulk(w, gap, exchange, linearized=self.system.linearized)
            # b(w) = sigma_y a(w*)* sigma_y
            mirrored = bulk(np.conj(w), gap, exchange, linearized=self.system.linearized)
            b = tilde_entries(mirrored)
            clamped[nodes] = np.concatenate([sector.reduce(a), sector.reduce(b)], axis=-1)
        return clamped

    def matrices(self, state: Complex) -> tuple[Complex, Complex]:
        """All entries of a and b, shape (..., 4) each, of states (..., 2n)."""
        n, sector = self.system.sector.entries, self.system.sector
        return sector.expand(state[..., :n]), sector.expand(state[..., n:])

    def residual(self, w: complex, state: Complex) -> tuple[Complex, float]:
        """Residual over the free unknowns, and the size of the terms it is to be compared with."""
        residual, scale, _ = self._assemble(w, state, None)
        return self._free(residual), float(scale.max(initial=0.0))

    def linearize(self, w: complex, state: Complex) -> tuple[Complex, float, Complex]:
        """Residual, its size, and the values of the upper-triangular CSR tangent."""
        residual, scale, values = self._assemble(w, state, self.pattern)
        return self._free(residual), float(scale.max(initial=0.0)), values

    def moved(self, state: Complex, step: Complex) -> Complex:
        """The state after a step of the free unknowns."""
        moved = state.copy()
        moved[self.pattern.free] += step.reshape(-1, self.entries)
        return moved

    def unknowns(self, state: Complex) -> Complex:
        """The free unknowns of a state, in the order of a step."""
        return self._free(state)

    def mirrored(self, state: Complex) -> Complex:
        """The state at -E: a(-E) = sigma_y b(E)* sigma_y and the other way round; states (..., 2n)."""
        sector = self.system.sector
        a, b = self.matrices(state)
        parts = (sector.reduce(tilde_entries(b)), sector.reduce(tilde_entries(a)))
        return np.concatenate(parts, axis=-1)

    @cached_property
    def tables(self) -> tuple[Coefficients, Real, Junctions, Real]:
        """Coefficients and interface terms in the frame of the sector, each with what the rows of b have in place."""
        sector = self.system.sector
        own, junctions = sector.coefficients(self.system.coefficients), sector.junctions(self.system.junctions)
        return own, exchanged(own), junctions, exchanged_junctions(junctions)

    @cached_property
    def cell_tables(self) -> CellTables:
        """What kernels read of the cells."""
        own, other, _, _ = self.tables
        return cell_tables(self.system.space, own, other)

    def conjugates(self, places: Sequence[int], state: Complex) -> Complex:
        """df/dc of a state (nodes, 2n), shape (places, cells, points); per density of states, in the sector's frame."""
        return sum_conjugates(self.system.sector.like, self.system.space, self.cell_tables, places, [(0.0, 1.0, state)])

    def pointwise(self, places: Sequence[int], values: Complex) -> Complex:
        """Conjugates that need no gradients, of matrices a and b (..., 2n); shape (places, ...)."""
        sector, n = self.system.sector, self.system.sector.entries
        linear = self.system.linearized
        return static_conjugates_of(sector.like, values[..., :n], values[..., n:], places, linear=linear)

    def normal_part(self, values: Complex) -> Complex:
        """Tr tau3 g / 4 of matrices a and b (..., 2n), whose real part is the density of states N(E)/N0; (...)."""
        return np.asarray(1.0 - 0.25 * self.pointwise((W,), values)[0])

    def _free(self, residual: Complex) -> Complex:
        return residual[self.pattern.free].reshape(-1)

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
        announce_compilation(retarded_terms)
        space, like = self.system.space, self.system.sector.like
        own, other = self.tables[0].chosen(chosen), self.tables[1][chosen]
        arrays = (array[chosen] for array in (space.cells, space.inverse, space.dx))
        cells, inverse, dx, table, partner, kinds, pairs, state = readonly(
            *arrays, own.table, other, own.kinds, own.pairs, state
        )
        phi, dphi = readonly(space.phi, space.dphi)
        n, dim, nodes = len(like), space.dim, cells.shape[1]
        point, matrices = point_space(n, dim, nodes), whole_tangent_space(n, dim, nodes)

        def elements(first: int, hessian: bool, r: Complex, s: Real, t: Complex) -> None:
            retarded_terms(
                like, complex(w), state, first, cells, phi, dphi, inverse, dx, table, partner, kinds, pairs, hessian,
                point, matrices, r, s, t,
            )  # fmt: skip

        self.timings.points += dx.size
        return in_chunks(elements, cells, state.shape, self.entries, np.dtype(complex), pattern, self.timings)

    def _interfaces(
        self, state: Complex, residual: Complex, scale: Real, pattern: Pattern | None, values: NDArray[Any],
        sides: NDArray[np.bool_] | None,
    ) -> None:  # fmt: skip
        _, _, junctions, other = self.tables
        if not len(junctions.facets):
            return
        parts = junctions.nodes, junctions.phi, junctions.dx, junctions.table, other, junctions.kinds
        nodes, phi, dx, table, partner, kinds, channels, state = readonly(*parts, junctions.channels, state)
        count = nodes.shape[1] * (nodes.shape[1] + 1) // 2 if pattern else 0
        r, s = np.empty((*nodes.shape, self.entries), complex), np.empty(nodes.shape)
        t = np.empty((len(nodes), count, self.entries, self.entries), complex)
        like = self.system.sector.like
        retarded_junctions(
            like, state, nodes, phi, dx, table, partner, kinds, channels, junctions.linear, count > 0,
            junction_space(len(like), complex), r, s, t,
        )  # fmt: skip
        if sides is not None:
            r[~np.repeat(sides.T, nodes.shape[1] // 2, axis=1)] = 0.0
        scatter_junctions(nodes, r, s, t, residual, scale, pattern, values)


def exchanged(own: Coefficients) -> Real:
    """The coefficients with which the functional keeps its form under a <-> b: gap -> -gap*, A -> -A, theta -> -theta.

    g goes to -V g V^-1 with V = tau3 tau1.
    """
    return np.asarray(own.table * [row.exchanged for row in own.rows], float)


def exchanged_junctions(junctions: Junctions) -> Real:
    """The same for interfaces: M changes its sign in a spin filter, not in spin mixing."""
    table = junctions.table.copy()
    table[..., barrier.MIX_ONE] *= -1
    return table


def build_retarded(system: Spectral) -> Retarded:
    """The retarded problem of a discretised device."""
    every = np.arange(system.space.nodes.shape[1])
    clamped = np.setdiff1d(every, system.pattern.free)
    pattern = build_pattern(system.space, clamped, system.junctions.nodes, unknowns=2 * system.sector.entries)
    return Retarded(system, pattern)
