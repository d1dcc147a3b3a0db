"""Conduction of a device in the normal state, barriers included: the matrix of div sigma grad, and its electrodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import block_diag, coo_array, csr_array, hstack
from scipy.sparse.csgraph import connected_components

from ..device.device import Device
from ..numerics.sparse import factorize_positive, scalar_matrix
from ..space.space import Index, Real, Space
from .interfaces import Junctions, barrier_contacts

# A barrier is weak, and the potential may drop at it by a constant, below this part of the conductance of the cells
# beside it.
WEAK = 0.1


def conduction_matrix(space: Space, conductivity: Real, junctions: Junctions) -> Any:
    """The matrix of Int sigma grad u grad v + Int dS G_T [u] [v] in CSR form; conductivity (cells, points)."""
    local = np.einsum("cq,cqik,cqjk->cij", conductivity * space.dx, *[physical_gradients(space)] * 2)
    phi = np.concatenate([junctions.phi, -junctions.phi], axis=-1)
    barrier = np.einsum("fq,fqi,fqj->fij", junctions.normal_conductance * junctions.dx, phi, phi)
    count = len(space.nodes[0])
    return scalar_matrix(space.cells, local, count) + scalar_matrix(junctions.nodes, barrier, count)


def physical_gradients(space: Space) -> Real:
    """Gradients of the local basis functions, shape (cells, points, local nodes, dim)."""
    inverse = np.broadcast_to(space.inverse, (*space.dx.shape, space.dim, space.dim))
    return np.asarray(np.einsum("qim,cqmk->cqik", space.dphi, inverse))


def electrode_nodes(device: Device, space: Space, name: str) -> Index:
    """The nodes of a contact that are in the reservoir: the far side of a barrier where the contact has one."""
    behind = barrier_contacts(device)
    if name in behind:
        return space.ghosts[len(space.ghosts) - len(behind) + behind.index(name)][1]
    return space.facet_nodes(np.asarray(space.mesh.boundaries[name], np.int64))


@dataclass(frozen=True, eq=False)
class Network:
    """Ohm's law of a device between two electrodes, in unknowns that keep their digits behind the weakest barriers.

    The potential is 1 on the source, 0 on the drain. It is the sum of constants on sets of pieces, the pieces being
    what no weak barrier divides, and of what varies in the pieces. The sets are nested so that few of them end at
    strong barriers: then small currents are products of small conductances with drops of order one, never differences
    of large numbers.

    Attributes
    ----------
    bulk
        Matrix of the pieces, of Int sigma grad u grad v over the nodes; positive definite over the `free` ones.
    free
        Nodes with a varying part as an unknown.
    varying
        Given varying part, at all nodes.
    barrier
        Matrix of Int G u v over the node pairs of the barrier facets.
    steps, jumps, drops
        Drops over the node pairs of the constants, of the varying part at all nodes, and of what is given.
    """

    bulk: Any
    free: Index
    varying: Real
    barrier: Any
    steps: Any
    jumps: Any
    drops: Real

    def conductance(self) -> float:
        """Total current at unit voltage: the dissipated power, a sum of positive terms."""
        jumps = hstack([self.steps, self.jumps[:, self.free]]).tocsr()
        count = self.steps.shape[1]
        inner = block_diag([coo_array((count, count)), self.bulk[self.free][:, self.free]], format="csr")
        load = -(jumps.T @ (self.barrier @ self.drops))
        load[count:] -= (self.bulk @ self.varying)[self.free]
        found = np.zeros(0)
        if len(load):
            found = factorize_positive(inner + jumps.T @ self.barrier @ jumps).solve(load)
        drops = self.drops + jumps @ found
        varying = self.varying.copy()
        varying[self.free] += found[count:]
        return float(varying @ (self.bulk @ varying) + drops @ (self.barrier @ drops))


def build_network(
    space: Space, conductivity: Real, junctions: Junctions, source: Index, drain: Index
) -> Network | None:  # fmt: skip
    """The network between two sets of nodes; None where no conductor joins them.

    Conductivity (cells, points); the conductances of the junctions are `limited`.
    """
    count, electrodes = space.nodes.shape[1], np.union1d(source, drain)
    own = _conducting(space, junctions, electrodes)
    weights = own.normal_conductance * own.dx
    half = own.nodes.shape[1] // 2
    pairs = own.nodes[:, :half].ravel(), own.nodes[:, half:].ravel()
    strong = np.repeat(weights.sum(axis=1) >= WEAK * _beside(space, conductivity, own), half)
    edges = np.broadcast_to(space.cells[:, :1], space.cells.shape).ravel(), space.cells.ravel()
    whole = _components(count, *(np.concatenate(both) for both in zip(edges, pairs, strict=True)))
    if not np.intersect1d(whole[source], whole[drain]).size:
        return None
    piece = _components(count, *(np.concatenate([a, b[strong]]) for a, b in zip(edges, pairs, strict=True)))
    level = np.full(piece.max() + 1, -1)  # of pieces with an electrode: 1 on the source, 0 on the drain
    level[piece[source]], level[piece[drain]] = 1, 0
    first, second = piece[pairs[0]], piece[pairs[1]]
    sets, base = _nested_sets(first, second, np.repeat(weights.sum(axis=1), half), level)
    rows = np.arange(len(first))
    signs = np.repeat([1.0, -1.0], len(rows))
    jumps = coo_array((signs, (np.tile(rows, 2), np.concatenate(pairs))), shape=(len(rows), count)).tocsr()
    varying = np.zeros(count)
    varying[source] = 1.0 - base[piece[source]]
    free = base[piece] >= 0
    free[electrodes] = False
    free[np.unique(piece, return_index=True)[1][level < 0]] = False  # one node of each is where its constant is
    local = np.einsum("cq,cqik,cqjk->cij", conductivity * space.dx, *[physical_gradients(space)] * 2)
    barrier = np.einsum("fq,fqi,fqj->fij", weights, own.phi, own.phi)
    return Network(
        scalar_matrix(space.cells, local, count), np.flatnonzero(free), varying,
        scalar_matrix(rows.reshape(-1, half), barrier, len(rows)), csr_array(sets[first] - sets[second]), jumps,
        np.asarray(base[first] - base[second] + jumps @ varying, float),
    )  # fmt: skip


def _conducting(space: Space, junctions: Junctions, electrodes: Index) -> Junctions:
    """The facets of barriers that carry a current: not those of magnetic insulators and of contacts that float."""
    behind = junctions.nodes[:, junctions.nodes.shape[1] // 2 :]
    ends = np.isin(behind, space.cells).all(axis=1) | np.isin(behind, electrodes).all(axis=1)
    return junctions.chosen(np.flatnonzero(ends & (junctions.normal_conductance > 0).any(axis=1)))


def _beside(space: Space, conductivity: Real, junctions: Junctions) -> Real:
    """Conductance of the cells beside the facets, shape (facets,)."""
    both = space.mesh.f2t[:, junctions.facets]
    cells = np.where(both >= 0, both, both[:1])
    area = junctions.dx.sum(axis=1)
    return np.asarray((conductivity.max(axis=1)[cells] * area**2 / space.dx.sum(axis=1)[cells]).max(axis=0))


def _components(count: int, first: Index, second: Index) -> Index:
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def _nested_sets(first: Index, second: Index, weight: Real, level: Index) -> tuple[Any, Index]:
    """Sets of pieces, shape (pieces, sets), and the potential that each piece has without its constants, or -1.

    Pieces are joined in the order of the conductances between them, until all hang on the source (level 1) or on the
    drain (0), where they start from. Each step gives the set that is joined to a larger one.
    """
    count = len(level)
    ends = np.where(level < 0, np.arange(count), count + level)
    one, two = np.sort(np.stack([ends[first], ends[second]]), axis=0)
    keys, index = np.unique(one * (count + 2) + two, return_inverse=True)
    order = np.argsort(-np.bincount(index, weight, len(keys)))
    members = {own: [own] for own in np.flatnonzero(level < 0).tolist()} | {count: [], count + 1: []}
    owner, steps = np.arange(count + 2), []
    for key in keys[order].tolist():
        both = owner[list(divmod(key, count + 2))].tolist()
        small, large = sorted(both, key=lambda own: (own >= count, len(members[own])))
        if small == large or small >= count:
            continue
        steps.append(members[small])
        owner[members[small]] = large
        members[large] = members[large] + members.pop(small)
    base = level.copy()
    base[members[count]], base[members[count + 1]] = 0, 1
    steps = [step for step in steps if base[step[0]] >= 0]
    rows = np.concatenate([*steps, np.empty(0, np.int64)]).astype(np.int64)
    columns = np.repeat(np.arange(len(steps)), [len(step) for step in steps])
    return csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, len(steps)))), base
