"""The kinetic equation of one energy as a linear system over the nodes of a device.

Unknowns are the modes of the distribution (`physics.kinetic`), m = 2n at every node. The weak form is the matrix

    sum over cells of  Int N0 { -Tr D_k w J_k^K - Tr w T^K + Tr w [L, g]^K }  + what leaves through interfaces

tested with w = N_i phi: constants are among the tests, so charge and energy are conserved on any mesh. The rows of a
node add up to what the surroundings of that node lose through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import formula, kernel, readonly
from ..fem.cells import GAUGE, SPIN_CHARGE, both_sides, gradients
from ..fem.conjugates import CellTables, ConjugateSpace, both, both_derivatives, conjugate_space
from ..fem.problem import Problem
from ..fem.retarded import Retarded
from ..frozen import FrozenRecord
from ..physics.columns import COEFFICIENTS, INELASTIC, N0
from ..physics.kinetic import add_turns, kinetic_tensors, write_turns
from ..physics.kinetic_interface import SideSpace, interface_modes, side_space
from ..physics.kinetic_sums import KineticSpace, kinetic_space
from ..physics.nambu import Spin
from ..physics.variations import frame
from ..space.space import Index, Real

Complex = NDArray[np.complex128]

_CHUNK_BYTES = 2**21  # element matrices of one chunk


@formula
def tensors_at(
    like: Spin, w: complex, state: Any, t: CellTables, e: int, q: int, point: ConjugateSpace, space: KineticSpace
) -> None:  # fmt: skip
    """Write the tensors at point q of cell e, and the gradients of its basis functions."""
    a, b = both(like, state, t.cells[e], t.phi[q])
    gradients(t.dphi, t.inverse, e, q, point.grad)
    both_derivatives(like, state, t, e, q, a, b, point.grad, point.dz)
    pairs = t.pairs if t.kinds[e] & SPIN_CHARGE else t.pairs[:0]
    kinetic_tensors(w + t.table[e, q, INELASTIC], t.table[e, q], pairs, a, b, point.dz, space)
    if t.kinds[e] & GAUGE:
        write_turns(like, t.table[e, q], COEFFICIENTS, space.turn)
        add_turns(space)


@formula
def write_rows(weight: float, phi: float, grad: Any, coupled: bool, space: KineticSpace, rows: Any) -> None:
    """Write the flux and the local terms of a basis function with these value and gradient to rows (dim + 1, m, m).

    Only where directions are `coupled`, by spin-charge coupling or gauge fields, the flux is more than diffusion along
    each.
    """
    dim, m = len(grad), rows.shape[1]
    for r in range(m):
        for c in range(m):
            rows[dim, r, c] = weight * phi * space.local[r, c]
    for k in range(dim):
        for r in range(m):
            for c in range(m):
                rows[k, r, c] = weight * (phi * space.drift[k, r, c] + grad[k] * space.flux[k, k, r, c])
        if coupled:
            for r in range(m):
                for c in range(m):
                    rows[dim, r, c] += weight * grad[k] * space.torque[k, r, c]
                    for n in range(dim):
                        if n != k:
                            rows[k, r, c] += weight * grad[n] * space.flux[k, n, r, c]


@formula
def add_block(phi: Any, grad: Any, j: int, rows: Any, out: Any) -> None:
    """Add the columns of basis function j, whose rows are `rows`, to the blocks (nodes, nodes, m, m) of a cell."""
    nodes, dim = grad.shape
    m = rows.shape[1]
    for i in range(nodes):
        for r in range(m):
            for c in range(m):
                total = phi[i] * rows[dim, r, c]
                for k in range(dim):
                    total += grad[i, k] * rows[k, r, c]
                out[i, j, r, c] += total


@formula
def write_flow(h: Any, nodes: Any, phi: Any, grad: Any, space: KineticSpace, out: Any) -> None:
    """Write flux_kl d_l h + drift_k h, and in the last row torque_l d_l h + local h, to out (dim + 1, m)."""
    dim, m = grad.shape[1], h.shape[1]
    out[:] = 0.0
    for c in range(m):
        value = 0.0
        for i in range(len(nodes)):
            value += phi[i] * h[nodes[i], c]
        for r in range(m):
            out[dim, r] += space.local[r, c] * value
            for k in range(dim):
                out[k, r] += space.drift[k, r, c] * value
        for n in range(dim):
            slope = 0.0
            for i in range(len(nodes)):
                slope += grad[i, n] * h[nodes[i], c]
            for r in range(m):
                out[dim, r] += space.torque[n, r, c] * slope
                for k in range(dim):
                    out[k, r] += space.flux[k, n, r, c] * slope


@kernel("the kinetic equation")
def kinetic_cells(
    like: Spin, w: complex, state: Any, chosen: Any, t: CellTables, dx: Any, point: ConjugateSpace, space: KineticSpace,
    rows: Any, matrices: Any, h: Any, flow: Any,
) -> None:  # fmt: skip
    """Add element matrices (chosen, nodes, nodes, m, m), or none, and write the flow (chosen, points, dim + 1, m) of h
    (nodes, m), or none; weighted with N0.
    """
    for local in range(len(chosen)):
        e = chosen[local]
        for q in range(len(t.phi)):
            tensors_at(like, w, state, t, e, q, point, space)
            if len(matrices):
                weight, coupled = dx[e, q] * t.table[e, q, N0], t.kinds[e] & (GAUGE | SPIN_CHARGE) > 0
                for j in range(len(t.phi[q])):
                    write_rows(weight, t.phi[q, j], point.grad[j], coupled, space, rows)
                    add_block(t.phi[q], point.grad, j, rows, matrices[local])
            if len(h):
                write_flow(h, t.cells[e], t.phi[q], point.grad, space, flow[local, q])
                for k in range(flow.shape[2]):
                    for r in range(flow.shape[3]):
                        flow[local, q, k, r] *= t.table[e, q, N0]


@kernel("the kinetic equation at interfaces")
def kinetic_facets(
    like: Spin, state: Any, nodes: Any, phi: Any, dx: Any, table: Any, kinds: Any, channels: Any, space: SideSpace,
    matrices: Any,
) -> None:  # fmt: skip
    """Write the matrices (facets, nodes, nodes, m, m) of all facets; nodes of both sides."""
    half, n = phi.shape[2], len(like)
    for f in range(len(nodes)):
        matrices[f] = 0.0
        own = channels[kinds[f]] if kinds[f] >= 0 else channels[0:0].reshape(0, 2)
        for q in range(phi.shape[1]):
            x1, y1, x2, y2 = both_sides(like, state, nodes[f], phi[f, q])
            interface_modes(table[f, q], own, frame(x1, y1), frame(x2, y2), space)
            for i in range(2 * half):
                for j in range(2 * half):
                    weight = dx[f, q] * phi[f, q, i % half] * phi[f, q, j % half]
                    block = space.blocks[1 if i >= half else 0, 1 if j >= half else 0]
                    for r in range(2 * n):
                        for c in range(2 * n):
                            matrices[f, i, j, r, c] += weight * block[r, c]


@kernel("sparse matrices")
def scatter_blocks(slots: Any, local: Any, values: Any) -> None:
    """Add the blocks of elements to the values (blocks, m, m) of a matrix."""
    for e in range(len(slots)):
        for i in range(local.shape[1]):
            for j in range(local.shape[2]):
                slot = slots[e, i, j]
                for r in range(local.shape[3]):
                    for c in range(local.shape[4]):
                        values[slot, r, c] += local[e, i, j, r, c]


@dataclass(frozen=True, eq=False, repr=False)
class BlockPattern(FrozenRecord):
    """A matrix of blocks over all nodes, of any symmetry.

    Attributes
    ----------
    indptr, indices
        Its pattern, in nodes.
    cells, facets
        The block of every pair of nodes of a cell, and of a facet of an interface; shape (elements, nodes, nodes).
    """

    indptr: Index
    indices: Index
    cells: Index
    facets: Index


def block_pattern(count: int, *groups: Index) -> BlockPattern:
    """The pattern of elements with these nodes; every node has a diagonal block."""
    own = np.arange(count)
    keys = [nodes[:, :, None] * count + nodes[:, None, :] for nodes in groups]
    unique, places = np.unique(np.concatenate([own * (count + 1), *(key.ravel() for key in keys)]), return_inverse=True)
    ends = np.cumsum([count, *(key.size for key in keys)])
    slots = [part.reshape(key.shape) for part, key in zip(np.split(places.ravel(), ends)[1:], keys, strict=False)]
    rows, columns = np.divmod(unique, count)
    return BlockPattern(np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))]), columns, *slots)


@dataclass(frozen=True, eq=False, repr=False)
class Kinetic(FrozenRecord):
    """The kinetic equation of a problem; distributions are arrays (nodes, m) of modes in the frame of the sector."""

    problem: Problem

    @property
    def modes(self) -> int:
        """Number m of modes of a node."""
        return 2 * self.problem.sector.entries

    @cached_property
    def pattern(self) -> BlockPattern:
        """Where the blocks of the matrix are."""
        space = self.problem.space
        return block_pattern(space.nodes.shape[1], space.cells, self.problem.interfaces.nodes)

    @cached_property
    def _tables(self) -> CellTables:
        return Retarded(self.problem).cell_tables

    def blocks(self, w: complex, state: Complex) -> Real:
        """The blocks (blocks, m, m) of the matrix at w = Gamma - iE with the retarded state (nodes, 2n)."""
        pattern, m = self.pattern, self.modes
        values = np.zeros((len(pattern.indices), m, m))
        every = np.arange(len(self.problem.space.cells))
        places = readonly(pattern.cells, pattern.facets)
        for chosen, local in self._element_matrices(w, state, every):
            scatter_blocks(places[0][chosen], local, values)
        if len(places[1]):
            scatter_blocks(places[1], self._facet_matrices(state), values)
        return values

    def of_cells(self, w: complex, state: Complex, h: Real, chosen: Index) -> Real:
        """The product of the matrix of some cells alone with a distribution, shape (nodes, m)."""
        out = np.zeros_like(h)
        for part, local in self._element_matrices(w, state, chosen):
            nodes = self.problem.space.cells[part]
            np.add.at(out, nodes, np.einsum("eijrc,ejc->eir", local, h[nodes]))
        return out

    def of_sides(self, state: Complex, h: Real, sides: NDArray[np.bool_]) -> Real:
        """The same of chosen sides (2, facets) of the interfaces."""
        out, nodes = np.zeros_like(h), self.problem.interfaces.nodes
        if sides.any():
            own = np.einsum("fijrc,fjc->fir", self._facet_matrices(state), h[nodes])
            own[~np.repeat(sides.T, nodes.shape[1] // 2, axis=1)] = 0.0
            np.add.at(out, nodes, own)
        return out

    def flow(self, w: complex, state: Complex, h: Real) -> Real:
        """-N0 Tr N_i J_k^K at the quadrature points along the axes, then N0 (-Tr N_i T^K + Tr N_i [L, g]^K), with the
        gauge fields of the tests; shape (m, dim + 1, cells, points).
        """
        space = self.problem.space
        out = np.zeros((*space.dx.shape, space.dim + 1, self.modes))
        none = np.zeros((0, 1, 1, self.modes, self.modes))
        self._run(w, state, np.arange(len(space.cells)), none, h, out)
        return np.asarray(out.transpose(3, 2, 0, 1))

    def _element_matrices(self, w: complex, state: Complex, chosen: Index) -> Any:
        """Chunks of cells with their matrices, whose memory is used again."""
        local, m = self.problem.space.cells.shape[1], self.modes
        size = max(1, _CHUNK_BYTES // (8 * (local * m) ** 2))
        out = np.empty((min(size, len(chosen)), local, local, m, m))
        for first in range(0, len(chosen), size):
            part = chosen[first : first + size]
            own = out[: len(part)]
            own[:] = 0.0
            self._run(w, state, part, own, np.zeros((0, m)), np.zeros((0, 1, 1, m)))
            yield part, own

    def _run(self, w: complex, state: Complex, chosen: Index, matrices: Real, h: Real, flow: Real) -> None:
        space, like = self.problem.space, self.problem.sector.like
        t, m = self._tables, self.modes
        rows, given, dx, values = readonly(chosen, state, space.dx, h)
        kinetic_cells(
            like, complex(w), given, rows, t, dx, conjugate_space(len(like), space, len(t.pairs)),
            kinetic_space(len(like), space.dim), np.zeros((space.dim + 1, m, m)), matrices, values, flow,
        )  # fmt: skip

    def _facet_matrices(self, state: Complex) -> Real:
        junctions, like = self.problem.aligned[1], self.problem.sector.like
        parts = junctions.nodes, junctions.phi, junctions.dx, junctions.table, junctions.kinds, junctions.channels
        nodes, phi, dx, table, kinds, channels, given = readonly(*parts, state)
        out = np.empty((*nodes.shape, nodes.shape[1], self.modes, self.modes))
        kinetic_facets(like, given, nodes, phi, dx, table, kinds, channels, side_space(len(like)), out)
        return out
