"""How often the phase of the pair amplitude winds: around the cells of a plane mesh, and along a superconductor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from ..fem.problem import Problem
from ..space.space import Index, Real

Complex = NDArray[np.complex128]


def vertex_amplitude(problem: Problem, state: Complex) -> Complex:
    """The singlet (a00 + a11)/2 at the vertices of the mesh; its phase is that of the pair amplitude and i Delta."""
    singlet = 0.5 * (state[:, 0] + state[:, 3])
    return np.asarray(problem.space.at_vertices(singlet[problem.space.corners]))


def cell_windings(mesh: Any, amplitude: Complex, cells: Index | None = None) -> NDArray[np.int64]:
    """Windings of the phase around cells of a plane mesh, from the first towards the second axis, shape (cells,).

    The phase changes by less than pi along every edge, or the mesh does not resolve it.
    """
    corners = mesh.t if cells is None else mesh.t[:, cells]
    values = np.where(amplitude == 0, np.finfo(float).tiny, amplitude)[corners]  # a core at a vertex: any phase will do
    turns = np.angle(np.roll(values, -1, axis=0) * values.conj()).sum(axis=0) / (2 * np.pi)
    x, y = mesh.p[:, corners]
    area = (x * np.roll(y, -1, axis=0) - np.roll(x, -1, axis=0) * y).sum(axis=0)
    return np.asarray(np.round(turns) * np.sign(area), np.int64)


def gathered(mesh: Any, cells: Index, windings: NDArray[np.int64]) -> tuple[Real, NDArray[np.int64]]:
    """Positions (2, vortices) and windings of vortices, the largest first: cells that share a vertex hold one."""
    cells, windings = cells[windings != 0], windings[windings != 0]
    corners = mesh.t[:, cells]
    count = len(cells)
    rows = np.broadcast_to(np.arange(count), corners.shape).ravel()
    touching = coo_array((np.ones(corners.size), (rows, corners.ravel())), shape=(count, mesh.nvertices))
    number, part = connected_components(touching @ touching.T, directed=False) if count else (0, np.empty(0, int))
    centres = mesh.p[:, corners].mean(axis=1)
    total = np.bincount(part, weights=windings, minlength=number)
    size = np.bincount(part, weights=abs(windings), minlength=number)
    positions = np.array([np.bincount(part, weights=abs(windings) * x, minlength=number) / size for x in centres])
    kept = np.flatnonzero(total)
    order = kept[np.lexsort((positions[1, kept], positions[0, kept], -abs(total[kept])))]
    return positions[:, order].reshape(2, -1), total[order].astype(np.int64)


@dataclass(frozen=True)
class Windings:
    """What a phase slip changes in some superconducting cells.

    Attributes
    ----------
    paths
        (first contact, second contact, vertices from one to the other), for all pairs of superconducting contacts that
        the cells connect without a barrier.
    cells
        The cells.
    """

    paths: tuple[tuple[str, str, Index], ...]
    cells: Index

    def along(self, amplitude: Complex) -> Real:
        """Change of the phase along every path, radians."""
        steps = (np.angle(amplitude[path[1:]] * amplitude[path[:-1]].conj()).sum() for *_, path in self.paths)
        return np.array(list(steps))


def find_windings(problem: Problem, cells: Index) -> Windings:
    """The paths through some cells."""
    mesh = problem.space.mesh
    corners = mesh.t[:, cells]
    size, count = mesh.nvertices, len(corners)
    edges = [corners[[i, j]] for i, j in combinations(range(count), 2)]
    first, second = np.concatenate(edges, axis=1)
    length = np.linalg.norm(mesh.p[:, first] - mesh.p[:, second], axis=0)
    barrier = np.zeros(size, bool)
    barrier[mesh.facets[:, problem.space.barriers]] = True
    open_ = ~(barrier[first] | barrier[second])
    graph = coo_array((length[open_], (first[open_], second[open_])), shape=(size, size)).tocsr()
    graph.data = np.maximum(graph.data, np.finfo(float).tiny)
    ends: dict[str, int] = {}
    for name, electrode in problem.electrodes.items():
        own = np.intersect1d(mesh.facets[:, np.asarray(mesh.boundaries[name])], corners)
        if len(own) and abs(electrode.gap).any():
            points = mesh.p[:, own]
            ends[name] = int(own[np.linalg.norm(points - points.mean(axis=1)[:, None], axis=0).argmin()])
    paths: list[tuple[str, str, Index]] = []
    for one, other in combinations(ends, 2):
        distance, before = dijkstra(graph, directed=False, indices=ends[one], return_predecessors=True)
        if np.isfinite(distance[ends[other]]):
            path = [ends[other]]
            while path[-1] != ends[one]:
                path.append(int(before[path[-1]]))
            paths.append((one, other, np.array(path[::-1], np.int64)))
    return Windings(tuple(paths), cells)
