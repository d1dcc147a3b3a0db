"""What users give as energies."""

from __future__ import annotations

from numbers import Real as RealNumber
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


def checked_energies(energies: Any) -> Real:
    """Energies, ascending, each once; ValueError if they are not finite numbers."""
    chosen = _real(energies)
    if chosen is None or not chosen.size or not np.isfinite(chosen).all():
        raise ValueError(f"energies is {energies!r}; allowed are finite numbers, at least one, or 'adaptive'")
    return np.unique(chosen)


def energy_interval(energy_range: Any, scale: float) -> tuple[float, float]:
    """Lowest and highest energy, by default 0 and three times the scale; ValueError if they are none."""
    if energy_range is None:
        return 0.0, 3 * scale
    ends = _real(energy_range)
    if ends is None or ends.shape != (2,) or not -np.inf < ends[0] < ends[1] < np.inf:
        raise ValueError(f"energy_range is {energy_range!r}; allowed are two finite energies, the lower one first")
    return float(ends[0]), float(ends[1])


def positive_energy(name: str, value: Any, default: float | None) -> float:
    """A finite energy > 0; ValueError names what it is for if it is none."""
    if value is None and default is not None:
        return default
    if not isinstance(value, RealNumber) or not 0 < float(value) < np.inf:
        raise ValueError(f"{name} is {value!r}; allowed is a finite energy > 0")
    return float(value)


def _real(values: Any) -> Real | None:
    """Values as an array of real numbers, None if they are not."""
    try:
        array = np.asarray(values)
        return array.astype(float) if array.dtype.kind in "iufb" else None
    except (TypeError, ValueError):
        return None
