"""The free energy of a solution: densities of the functional at the quadrature points, and interface terms."""

from __future__ import annotations

from ..physics.columns import N0
from ..physics.jit import readonly
from ..space.space import Real
from .assembly import Complex
from .interfaces import junction_energy
from .matsubara import Matsubara
from .problem import Problem


def spectral_energy(problem: Problem, frequencies: Real, weights: Real, states: Complex) -> tuple[Real, float]:
    """Sums of weight (f_w - f_w of the normal state) at the quadrature points (cells, points), and of all interfaces.

    Both include N0. States (frequencies, nodes, 4).
    """
    density = Matsubara(problem).conjugates((N0,), weights, states, frequencies=frequencies)[0]
    return density * problem.coefficients.table[..., N0], _interfaces(problem, weights, states)


def _interfaces(problem: Problem, weights: Real, states: Complex) -> float:
    junctions, total = problem.aligned[1], 0.0
    if not len(junctions.facets):
        return total
    parts = junctions.nodes, junctions.phi, junctions.dx, junctions.table, junctions.kinds, junctions.channels
    tables = readonly(*parts)
    for weight, state in zip(weights.tolist(), states, strict=True):
        (given,) = readonly(problem.sector.reduce(state))
        total += weight * float(junction_energy(problem.sector.like, given, *tables))
    return total
