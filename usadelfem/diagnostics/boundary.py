"""How near free boundaries are to the limit at which spin-charge coupling leaves them without a solution."""

from __future__ import annotations

import numpy as np

from ..fem.assembly import Complex
from ..fem.cells import SPIN_CHARGE
from ..fem.problem import Problem
from ..physics.riccati import to_matrix
from ..space.space import Index
from .ellipticity import boundary_limit


def free_facets(problem: Problem) -> Index:
    """Facets of cells with spin-charge coupling on the boundary to vacuum."""
    mesh = problem.space.mesh
    outer = mesh.f2t[1] < 0
    for name in problem.electrodes:
        outer[np.asarray(mesh.boundaries[name], np.int64)] = False
    outer &= problem.coefficients.kinds[mesh.f2t[0]] & SPIN_CHARGE > 0
    return np.asarray(np.flatnonzero(outer), np.int64)


def nearness_to_limit(problem: Problem, state: Complex) -> float:
    """The largest `boundary_limit` of a state at the nodes of free boundaries; 0 without spin-charge coupling there."""
    facets, largest = free_facets(problem), 0.0
    if not len(facets):
        return largest
    nodes = problem.space.facet_corners(facets)[0]
    a = to_matrix(state[nodes.ravel()])
    channels = problem.coefficients.channels[problem.space.mesh.f2t[0, facets]].mean(axis=1)
    for channel in np.moveaxis(np.repeat(channels, nodes.shape[1], axis=0), 1, 0):
        limit = boundary_limit(a, channel[:, :3].T, channel[:, 3], channel[:, 4])
        largest = max(largest, float(limit.max(initial=0.0)))
    return largest
