"""Lengths of a device, region by region: how far its solutions decay, how large its cells and layers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..device.coefficient import uniform
from ..device.device import Device
from ..fem.problem import Problem
from ..physics import columns as column
from ..physics.thermal import bcs_gap
from ..space.space import Index, Real


@dataclass(frozen=True)
class RegionLengths:
    """What a region is like at its most demanding cell.

    Attributes
    ----------
    region
        Its name.
    decay
        The shortest length sqrt(D / E) of its solutions, E = |sqrt(w^2 + |Delta|^2) + i h| + 1/tau_so + 1/tau_sf +
        depairing + D (A^2 + SU^2) at the lowest frequency w.
    cell
        Longest edge of the cell that is the largest in units of this length.
    extent
        Smallest extent along an axis of a connected part of the region.
    layers
        Number of cells along it.
    length
        Largest extent of the region along an axis.
    """

    region: str
    decay: float
    cell: float
    extent: float
    layers: float
    length: float

    @property
    def ratio(self) -> float:
        """Cell size in units of the decay length."""
        return self.cell / self.decay


def bulk_gaps(device: Device, temperature: float) -> dict[str, float]:
    """Bulk gap at a temperature of the self-consistent regions with one Tc."""
    values = {name: uniform(material.Tc) for name, material in device.conductors.items() if material.self_consistent}
    return {name: bcs_gap(temperature, tc.real) for name, tc in values.items() if tc is not None and tc.real > 0}


def region_lengths(device: Device, problem: Problem, temperature: float) -> list[RegionLengths]:
    """The lengths of all regions at a temperature, for their bulk gaps where those are unknown."""
    table, mesh = problem.coefficients.table, problem.space.mesh
    gap = abs(problem.gap)
    for region, value in bulk_gaps(device, temperature).items():
        own = mesh.subdomains[region]
        gap[own] = np.maximum(gap[own], value)
    field = np.linalg.norm(table[..., column.HX : column.HZ + 1], axis=-1)
    energy = np.hypot(np.hypot(np.pi * temperature, gap), field) + column.decay_rate(table)
    energy += table[..., column.D] * (problem.coefficients.gauge**2).sum(axis=(2, 3))
    decay = np.sqrt(table[..., column.D] / energy).min(axis=1)
    longest, extents = longest_edges(mesh), np.ptp(mesh.p[:, mesh.t], axis=1)
    found = []
    for region, cells in mesh.subdomains.items():
        own = np.asarray(cells)
        worst = own[(longest[own] / decay[own]).argmax()]
        extent, layers = _thinnest(mesh, own, extents)
        length = float(np.ptp(mesh.p[:, mesh.t[:, own]], axis=(1, 2)).max())
        found.append(RegionLengths(region, float(decay[worst]), float(longest[worst]), extent, layers, length))
    return found


def longest_edges(mesh: Any) -> Real:
    """The longest edge of every cell, diagonals included, shape (cells,)."""
    first, second = np.triu_indices(len(mesh.t), 1)
    corners = mesh.p[:, mesh.t]
    return np.asarray(np.linalg.norm(corners[:, first] - corners[:, second], axis=0).max(axis=0))


def _thinnest(mesh: Any, cells: Index, extents: Real) -> tuple[float, float]:
    """Smallest extent along an axis of a connected part of some cells, and the number of cells along it."""
    number = np.full(mesh.nelements, -1)
    number[cells] = np.arange(len(cells))
    first, second = (number[side] for side in mesh.f2t[:, mesh.f2t[1] >= 0])
    both = (first >= 0) & (second >= 0)
    graph = coo_array((np.ones(both.sum()), (first[both], second[both])), shape=(len(cells), len(cells)))
    count, part = connected_components(graph, directed=False)
    corners = mesh.p[:, mesh.t[:, cells]]
    low, high = np.full((mesh.dim(), count), np.inf), np.full((mesh.dim(), count), -np.inf)
    widest = np.zeros((mesh.dim(), count))
    for axis in range(mesh.dim()):
        np.minimum.at(low[axis], part, corners[axis].min(axis=0))
        np.maximum.at(high[axis], part, corners[axis].max(axis=0))
        np.maximum.at(widest[axis], part, extents[axis][cells])
    thinnest = np.unravel_index((high - low).argmin(), high.shape)
    extent = float((high - low)[thinnest])
    return extent, extent / float(widest[thinnest])
