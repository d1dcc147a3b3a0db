"""Colour maps and their ends: sequential for densities, diverging about zero for what has signs, cyclic for phases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SEQUENTIAL, DIVERGING, CYCLIC = "viridis", "RdBu_r", "twilight"
NOISE = 1e-9  # of the largest value of a quantity: what is smaller is drawn as zero
FLAT = 0.5  # scales whose lowest value is above this part of the highest do not begin at zero,
VARIED = 0.05  # unless all values are closer together than this part: what is uniform looks uniform
REGIONS = ("#dce9f5", "#fbe6d0", "#dff0d8", "#f3ddec", "#ece7c6", "#d9efef", "#e6e0f3", "#eeeeee")


def colour_scale(values: NDArray[Any], *, cyclic: bool = False, scale: float = 0.0) -> dict[str, Any]:
    """Colour map and range of real values.

    Parameters
    ----------
    values
        What is drawn, of any shape; NaN counts for nothing.
    cyclic
        Whether these are phases in radians, between -pi and pi.
    scale
        Size of the whole quantity of which this is a part: rounding errors of it are not blown up to full colour.
    """
    if cyclic:
        return {"cmap": CYCLIC, "vmin": -np.pi, "vmax": np.pi}
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    top = max(abs(low), abs(high), NOISE * scale) or 1.0
    if low < -NOISE * top:
        return {"cmap": DIVERGING, "vmin": -top, "vmax": top}
    flat = low > FLAT * top and high - low > VARIED * top
    return {"cmap": SEQUENTIAL, "vmin": low if flat else 0.0, "vmax": top}


def region_colour(index: int) -> str:
    """The light colour of region number `index`."""
    return REGIONS[index % len(REGIONS)]
