"""Smooth fields from raw values at quadrature points: L2 projection, region by region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..numerics.sparse import mass_solver, scalar_matrix
from .locate import Location
from .space import Index, Space


@dataclass(frozen=True, eq=False)
class Recovered:
    """A field that is continuous in each region and may jump between regions.

    Attributes
    ----------
    space
        The discretisation.
    values
        Values at the local nodes of every cell, shape (*components, cells, local nodes).
    """

    space: Space
    values: NDArray[Any]

    def at(self, location: Location) -> NDArray[Any]:
        """Values at located points, shape (*components, npoints)."""
        total = np.zeros((*self.values.shape[:-2], len(location.cells)), np.result_type(self.values, float))
        for local, weights in enumerate(location.phi.T):
            total += self.values[..., location.cells, local] * weights
        return total

    def at_corners(self, region: str | None = None) -> NDArray[Any]:
        """Values at the corners, averaged over the cells around with their volumes; (*components, corners).

        With a region over its cells only, and zero at the corners outside of it.
        """
        return self.at_nodes(region)[..., self.space.corners]

    def at_nodes(self, region: str | None = None) -> NDArray[Any]:
        """The same at all nodes, shape (*components, nodes), zero at ghosts."""
        space = self.space
        chosen = slice(None) if region is None else np.asarray(space.mesh.subdomains[region])
        cells, count = space.cells[chosen], space.nodes.shape[1]
        volume = np.broadcast_to(space.dx[chosen].sum(axis=1)[:, None], cells.shape).ravel()
        flat = self.values[..., chosen, :].reshape(-1, cells.size)
        nodal = np.array([_sum_at(cells.ravel(), volume * row, count) for row in flat])
        total = np.bincount(cells.ravel(), volume, count)
        nodal /= np.where(total > 0, total, 1.0)
        return nodal.reshape(*self.values.shape[:-2], -1)


def _sum_at(nodes: Index, values: NDArray[Any], count: int) -> NDArray[Any]:
    """Sum of real or complex values per node, shape (count,)."""
    total: NDArray[Any] = np.bincount(nodes, values.real, count)
    return total + 1j * np.bincount(nodes, values.imag, count) if np.iscomplexobj(values) else total


def recover(space: Space, quadrature: NDArray[Any], regions: tuple[str, ...]) -> Recovered:
    """L2 projection of values at quadrature points onto the elements of the space, separately in each region.

    Parameters
    ----------
    space
        The discretisation.
    quadrature
        Raw values, shape (*components, cells, points).
    regions
        Names of regions that cover the mesh without overlap.
    """
    shape = quadrature.shape[:-2]
    flat = quadrature.reshape(-1, *space.dx.shape)
    values = np.empty((len(flat), *space.cells.shape), flat.dtype)
    for region in regions:
        cells = np.asarray(space.mesh.subdomains[region], np.int64)
        values[:, cells] = _project(space, cells, flat[:, cells])
    return Recovered(space, values.reshape(*shape, *space.cells.shape))


def _project(space: Space, cells: Index, raw: NDArray[Any]) -> NDArray[Any]:
    nodes, local = np.unique(space.cells[cells], return_inverse=True)
    local = local.reshape(len(cells), -1)
    weighted = space.dx[cells][:, :, None] * space.phi
    mass = np.einsum("cqi,qj->cij", weighted, space.phi)
    factor = mass_solver(scalar_matrix(local, mass, len(nodes)))
    moments = np.einsum("kcq,cqi->kci", raw, weighted).reshape(len(raw), -1)
    solution = [_solve(factor, _sum_at(local.ravel(), moment, len(nodes))) for moment in moments]
    return np.array(solution).reshape(len(raw), len(nodes))[:, local]


def _solve(factor: Any, rhs: NDArray[Any]) -> NDArray[Any]:
    real: NDArray[Any] = factor.solve(np.ascontiguousarray(rhs.real))
    if not np.iscomplexobj(rhs):
        return real
    return np.asarray(real + 1j * factor.solve(np.ascontiguousarray(rhs.imag)))


def recovery_weights(space: Space, regions: tuple[str, ...], location: Location, weights: NDArray[Any]) -> NDArray[Any]:
    """What the values at the quadrature points count in a weighted sum of recovered values at points: (cells, points).

    The transposed of `recover` and `Recovered.at`.
    """
    out = np.zeros(space.dx.shape)
    for region in regions:
        cells = np.asarray(space.mesh.subdomains[region], np.int64)
        inside = np.flatnonzero(np.isin(location.cells, cells))
        if not len(inside):
            continue
        nodes, local = np.unique(space.cells[cells], return_inverse=True)
        local = local.reshape(len(cells), -1)
        weighted = space.dx[cells][:, :, None] * space.phi
        mass = np.einsum("cqi,qj->cij", weighted, space.phi)
        right = np.zeros(len(nodes))
        own = np.searchsorted(nodes, space.cells[location.cells[inside]])
        np.add.at(right, own, weights[inside, None] * location.phi[inside])
        solution = mass_solver(scalar_matrix(local, mass, len(nodes))).solve(right)
        out[cells] = np.einsum("cqi,ci->cq", weighted, solution[local])
    return out
