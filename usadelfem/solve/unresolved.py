"""A word where the mesh does not resolve a solution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..device.device import Device
from ..diagnostics.resolution import Unresolved, resolution
from ..diagnostics.units import warn_units
from ..errors import ResolutionWarning, SolveError, warn
from ..fem.gap_equation import build_pairing, zero_temperature_gap
from ..fem.problem import Problem, build_problem, energy_scale
from ..points.team_remote import frequency_team

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Number of frequencies that are looked at, from the lowest to this part of the highest.
LOOKED_AT, HIGHEST = 4, 0.1

ROUGH = 1e-3  # accuracy of the state of a mode that is looked at
# Critical temperatures are stationary in the mode; densities of states are of order one.
SLACK_OF_MODES, SLACK_OF_SPECTRA = {1: 29.0, 2: 32.0}, {1: 5.8, 2: 4.0}


def warn_unresolved(problem: Problem, frequencies: Real, weights: Real, states: Complex) -> None:
    """Warn if a region is not resolved by the states (frequencies, nodes, 4) of Matsubara frequencies."""
    announce(problem, examined(problem, frequencies, weights, states))


def examined(
    problem: Problem, frequencies: Real, weights: Real, states: Complex, *, carried: bool = True
) -> list[Unresolved]:  # fmt: skip
    """`resolution` at some of the frequencies."""
    w, share, some = sampled(frequencies, weights, states)
    return resolution(problem, w, share, [problem.sector.reduce(state) for state in some], carried=carried)


def sampled(frequencies: Real, weights: Real, states: Complex) -> tuple[list[complex], list[float], list[Complex]]:
    """Some frequencies that stand for all up to a part of the highest, with the weights of their neighbours."""
    ends = frequencies[0], max(frequencies[0], HIGHEST * frequencies[-1])
    chosen = np.unique(abs(np.log(frequencies[:, None] / np.geomspace(*ends, LOOKED_AT))).argmin(axis=0))
    nearest = abs(np.log(frequencies[:, None] / frequencies[chosen])).argmin(axis=1)
    count = int(np.searchsorted(frequencies, ends[1] * 1.001)) or 1
    share = np.bincount(nearest[:count], weights[:count], len(chosen))
    return frequencies[chosen].tolist(), share.tolist(), [states[j] for j in chosen]


def warn_mode(device: Device, temperature: float, mode: Complex, order: int) -> None:
    """Warn if the pairing mode of the normal state at a temperature is not resolved, and of odd fields and lengths."""
    problem = build_problem(device, order, linearized=True, temperature=temperature)
    pairing = build_pairing(device, problem)
    if pairing is None or pairing.shape != mode.shape:
        return
    warn_units(device, problem, temperature, above=False)
    problem = pairing.with_gap(problem, np.where(np.isfinite(pairing.log_tc), mode, 0.0))
    lowest, one = np.array([np.pi * temperature]), np.ones(1)
    team = frequency_team(problem, lowest, one, scale=zero_temperature_gap(pairing), kind="auto")
    try:
        team.descend(problem, ROUGH)
        announce(problem, examined(problem, lowest, one, np.array(team.states), carried=False), SLACK_OF_MODES)
    except SolveError:
        return  # where rounding forbids even this, the eigenvalue is what it is
    finally:
        team.release()


def warn_unresolved_spectrum(problem: Problem, energies: Real, broadening: float, states: Complex) -> None:
    """Warn if a region is not resolved by retarded states (energies, nodes, 2n), up to the energies of the device."""
    found = np.flatnonzero(np.isfinite(states).all(axis=(1, 2)) & (abs(energies) <= energy_scale(problem)))
    if not len(found):
        return
    chosen = np.unique(found[np.linspace(0, len(found) - 1, LOOKED_AT).astype(int)])
    w = (broadening - 1j * energies[chosen]).tolist()
    found_there = resolution(problem, w, [1.0] * len(w), states[chosen], carried=False, unit=False)
    announce(problem, found_there, SLACK_OF_SPECTRA)


def announce(problem: Problem, found: list[Unresolved], slack: dict[int, float] | None = None) -> None:
    """Warn of the regions whose measure is above the limit, times the slack of the order of the elements."""
    limit = 1.0 if slack is None else slack[problem.space.order]
    bad = sorted((one for one in found if one.measure > limit), key=lambda one: -one.measure)
    if not bad:
        return
    order = problem.space.order
    places = "; ".join(
        f"region {one.region!r} has cells of {one.extent:.2g} where the solution changes over {one.length:.2g}"
        for one in bad
    )
    sizes = ", ".join(f"{one.region!r}: {0.9 * one.advised:.2g}" for one in bad)
    advice = f"Make the cells smaller there (size={{{sizes}}} or less)"
    if order == 1:
        advice += ", or use order=2"
    warn(
        f"the mesh is too coarse for this solution: {places}. {advice}; uf.check(device, temperature) has a table",
        ResolutionWarning,
    )
