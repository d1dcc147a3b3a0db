"""A word where the mesh does not resolve a solution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ResolutionWarning, warn
from ..fem.resolution import Unresolved, resolution
from ..fem.spectral import Spectral
from ..physics.riccati import tilde_entries

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Number of frequencies that are looked at, from the lowest to this part of the highest.
LOOKED_AT, HIGHEST = 4, 0.1


def warn_unresolved(system: Spectral, frequencies: Real, weights: Real, states: Complex) -> None:
    """Warn if a region is not resolved by the states (frequencies, nodes, 4) of Matsubara frequencies."""
    announce(system, resolution(system, *sampled(frequencies, weights, states)))


def sampled(
    frequencies: Real, weights: Real, states: Complex
) -> tuple[list[complex], list[float], list[tuple[Complex, Complex]]]:
    """Some frequencies that stand for all up to a part of the highest, with the weights of their neighbours."""
    ends = frequencies[0], max(frequencies[0], HIGHEST * frequencies[-1])
    chosen = np.unique(abs(np.log(frequencies[:, None] / np.geomspace(*ends, LOOKED_AT))).argmin(axis=0))
    nearest = abs(np.log(frequencies[:, None] / frequencies[chosen])).argmin(axis=1)
    count = int(np.searchsorted(frequencies, ends[1] * 1.001)) or 1
    share = np.bincount(nearest[:count], weights[:count], len(chosen))
    return frequencies[chosen].tolist(), share.tolist(), [(states[j], tilde_entries(states[j])) for j in chosen]


def announce(system: Spectral, found: list[Unresolved]) -> None:
    """Warn of the regions whose measure is above the limit."""
    bad = sorted((one for one in found if one.measure > 1), key=lambda one: -one.measure)
    if not bad:
        return
    order = system.space.order
    places = "; ".join(
        f"region {one.region!r} has cells of {one.extent:.2g} where the solution changes over {one.length:.2g}"
        for one in bad
    )
    sizes = ", ".join(f"{one.region!r}: {one.advised:.1g}" for one in bad)
    advice = f"Make the cells smaller there (size={{{sizes}}} or less)"
    if order == 1:
        advice += ", or use order=2"
    warn(f"the mesh is too coarse for this solution: {places}. {advice}; uf.check(device, temperature) has a table", ResolutionWarning)
