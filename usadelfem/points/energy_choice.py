"""Energies chosen where the density of states needs them, by the package `adaptive`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import number, numbers, shown
from ..fem.retarded import Retarded

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Longest piece of the curve N/(1 + N) over energy, in units of the box that it fills, that counts as resolved.
GOAL = 0.04
# Longest interval, as a part of the range: no feature wider than a few of these is overlooked.
COARSEST = 1 / 16
BATCH = 4  # energies that are chosen at a time, per worker


def refine(low: float, high: float, resolution: float, batch: int, solve: Callable[[Real], list[NDArray[Any]]]) -> None:
    """Solve energies between low and high until the curves that `solve(energies)` returns are resolved.

    Raises ImportError if `adaptive` is missing.
    """
    try:
        from adaptive import Learner1D
        from adaptive.learner.learner1D import resolution_loss_function
    except ImportError as error:
        raise ImportError(
            "energies='adaptive' needs the package adaptive: pip install adaptive (or usadelfem[adaptive]), or give "
            "energies as numbers"
        ) from error
    span = high - low
    loss = resolution_loss_function(min_length=min(resolution / span, COARSEST), max_length=COARSEST)
    learner = Learner1D(None, (low, high), loss_per_interval=loss)
    while learner.loss(real=True) > GOAL:
        points, _ = learner.ask(batch)
        energies = np.unique(np.asarray(points, float))
        for energy, curve in zip(energies.tolist(), solve(energies), strict=True):
            learner.tell(energy, curve)


def curves(equation: Retarded, state: Complex) -> Real:
    """N/(1 + N) averaged over the nodes of every region, shape (regions,): bounded also at coherence peaks."""
    problem = equation.problem
    density = np.maximum(equation.normal_part(state).real, 0.0)
    means = [
        density[np.unique(problem.space.cells[cells])].mean() for cells in problem.space.mesh.subdomains.values()
    ]  # fmt: skip
    mean = np.array(means)
    return np.asarray(mean / (1.0 + mean))


def checked_energies(energies: Any) -> Real:
    """Energies, ascending, each once; ValueError if they are not finite numbers."""
    allowed = "are real, finite numbers, at least one, or 'adaptive'"
    chosen = numbers("energies", energies, allowed)
    if not chosen.size or chosen.ndim > 1:
        raise ValueError(f"energies is {shown(energies)}; allowed {allowed}")
    return np.unique(chosen)


def energy_interval(energy_range: Any, scale: float) -> tuple[float, float]:
    """Lowest and highest energy, by default 0 and three times the scale; ValueError if they are none."""
    if energy_range is None:
        return 0.0, 3 * scale
    allowed = "are two finite energies, the lower one first"
    ends = numbers("energy_range", energy_range, allowed)
    if ends.shape != (2,) or not ends[0] < ends[1]:
        raise ValueError(f"energy_range is {shown(energy_range)}; allowed {allowed}")
    return float(ends[0]), float(ends[1])


def positive_energy(name: str, value: Any, default: float | None) -> float:
    """A finite energy > 0; ValueError names what it is for if it is none."""
    if value is None and default is not None:
        return default
    return number(name, value, above=0, what="energy")
