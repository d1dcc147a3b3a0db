"""What users give as energies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import number, numbers, shown

Real = NDArray[np.float64]


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
