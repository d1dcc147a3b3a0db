"""Minigaps."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import scipy
from numpy.typing import NDArray

from ..checks import named, number, shown
from ..errors import ObservableError
from ..observe.arguments import check_result
from ..points.energy_chain import EnergyChain
from ..points.team import Setup
from ..points.team_remote import build_team
from ..solve.results import Spectrum
from ..solve.spectral_density import check_density

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# The edge is extrapolated from the energies at which the density of states reaches these parts of the normal one: above
# a square-root edge its square grows linearly.
LEVELS = (0.05, 0.1)
# Broadening at which the edge is sought, in units of the energy at which the spectrum rises.
SHARP = 1e-9


@named()
def minigap(spec: Spectrum, region: str | None = None, *, precision: float = 1e-4) -> float:
    """The energy below which a region has no states; 0 where there are states at all energies.

    The edge of the spectrum without broadening: around the energy at which the density of states of `spec` rises,
    further energies are solved with a broadening of 1e-9 of it. Close above the edge the square of the density of
    states is linear, and its extrapolation to zero is returned.

    Parameters
    ----------
    spec
        A spectrum with energies below and above the edge.
    region
        Whose average density of states is taken; None: that of the whole mesh.
    precision
        Relative precision of the energies that are solved for.

    Raises
    ------
    ValueError
        If the precision is out of range.
    ObservableError
        If there is no such region, the spectrum ends below the edge or begins above it, an energy is not found, or the
        equation was linearised.
    """
    check_result("minigap", spec, Spectrum)
    check_density(spec)
    precision = number("precision", precision, above=0, below=1)
    mean = _mean_density(spec, region)
    positive = np.flatnonzero(spec.energies >= 0)
    values = np.array([mean(spec.states[n]) for n in positive])
    above = np.flatnonzero(values > LEVELS[1])
    if not len(above):
        raise ObservableError(
            f"no states up to the largest energy {spec.energies[-1]:.4g} of the spectrum: solve it to higher energies"
        )
    energies = spec.energies[positive]
    sharp = SHARP * float(energies[above[0]] or energies[-1])
    team = build_team(Setup(spec.problem, EnergyChain, float(spec.energies[-1]), sharp))

    def density(energy: float) -> float:
        team.turn(np.array([energy]))
        team.descend(spec.problem)
        if not team.reports[0].converged:
            raise ObservableError(f"no convergence at energy {energy:.6g}, close to the edge: refine the mesh")
        return mean(team.states[0])

    try:
        return _edge(density, energies, int(above[0]), precision)
    finally:
        team.release()


def _edge(density: Callable[[float], float], energies: Real, first: int, precision: float) -> float:
    """Where the density of states begins, below energies[first]."""
    density, upper = cache(density), first
    while density(float(energies[upper])) <= LEVELS[1]:
        upper += 1
        if upper == len(energies):
            raise ObservableError("the edge of the spectrum is above its largest energy: solve it to higher energies")
    lower = upper
    while density(float(energies[lower])) >= LEVELS[0]:
        if lower == 0 and energies[0] == 0:
            return 0.0
        if lower == 0:
            raise ObservableError(f"there are states at the lowest energy {energies[0]:.4g}: begin the spectrum at 0")
        lower -= 1
    below, above = float(energies[lower]), float(energies[upper])
    seen, closest = {below: density(below), above: density(above)}, precision * above / 10

    def crossing(level: float) -> float:
        """Where the density passes a level, from the closest known energies.

        Its square is more linear, but leads to the edge itself, where the state is singular.
        """

        def excess(energy: float) -> float:
            seen[energy] = density(energy)
            return seen[energy] - level

        start = max(energy for energy, value in seen.items() if value < level)
        end = min(energy for energy, value in seen.items() if value >= level and energy > start)
        return float(scipy.optimize.brentq(excess, start, end, xtol=closest))

    high, low = (crossing(level) for level in LEVELS[::-1])
    slope = (LEVELS[1] ** 2 - LEVELS[0] ** 2) / max(high - low, 1e-300)
    return float(max(low - LEVELS[0] ** 2 / slope, 0.0))


def _mean_density(spec: Spectrum, region: str | None) -> Callable[[Complex], float]:
    """The average density of states over a region, of a state (nodes, 2n)."""
    space = spec.problem.space
    if region is not None and (not isinstance(region, str) or region not in space.mesh.subdomains):
        raise ObservableError(f"no region {shown(region)}; it has: {', '.join(sorted(space.mesh.subdomains))}")
    cells = slice(None) if region is None else space.mesh.subdomains[region]
    dx, nodes = space.dx[cells], space.cells[cells]

    def mean(state: Complex) -> float:
        at_points = np.einsum("cik,qi->cqk", state[nodes], space.phi)
        with np.errstate(invalid="ignore"):  # NaN where an energy was not found
            return float((spec.equation.normal_part(at_points).real * dx).sum() / dx.sum())

    return mean
