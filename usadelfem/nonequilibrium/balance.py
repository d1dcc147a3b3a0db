"""Voltages that are unknowns: of probes, and of a condensate that nothing holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import scipy
from numpy.typing import NDArray

from ..errors import SolveError
from ..points.panels import Panels
from .bias import Bias, product_weights

Real = NDArray[np.float64]

BALANCED = 1e-10  # of currents, in units of the largest conductance times the largest of voltages and temperatures


def relative_to(biases: Mapping[str, Bias], condensate: float) -> dict[str, Bias]:
    """Biases with their voltages counted from that of the condensate."""
    return {name: replace(bias, voltage=bias.voltage - condensate) for name, bias in biases.items()}


def balanced(
    panels: Panels, conductances: Real, biases: Mapping[str, Bias], floating: tuple[str, ...], temperature: float,
    vectors: Real, *, free: bool, condensate: float, others: Real | float = 0.0,
) -> tuple[dict[str, Bias], float]:  # fmt: skip
    """Biases and voltage of the condensate at which no charge flows into floating reservoirs and, if it is `free`, into
    the condensate. `others` (terminals,) are the charge currents that do not change with them.

    Raises
    ------
    SolveError
        If there are no such voltages.
    """
    if not floating and not free:
        return dict(biases), condensate
    charge = conductances.shape[2] // 2
    rows = conductances[:, :, charge]
    places = [list(biases).index(name) for name in floating]
    voltages = [abs(bias.voltage) for bias in biases.values()]
    size = abs(rows).max() * max(temperature, max(voltages))

    def moved(unknown: Real) -> tuple[dict[str, Bias], float]:
        found = zip(floating, unknown[: len(floating)].tolist(), strict=True)
        own = {**biases, **{name: replace(biases[name], voltage=value) for name, value in found}}
        return own, float(unknown[-1]) if free else condensate

    def currents(unknown: Real) -> Real:
        own, zero = moved(unknown)
        weights = product_weights(panels, relative_to(own, zero), temperature, vectors, 0)
        every = (np.einsum("etm,eatm->a", weights, rows) + others) / size
        return np.asarray([*every[places], *([every.sum()] if free else [])])

    start = np.array([*(biases[name].voltage for name in floating), *([condensate] if free else [])])
    if abs(currents(start)).max() < BALANCED * 1e-3:
        return moved(start)
    found = scipy.optimize.root(currents, start, tol=1e-14)
    if not abs(currents(found.x)).max() < BALANCED:
        what = [*map(repr, floating), *(["the condensate"] if free else [])]
        raise SolveError(
            f"no voltages of {', '.join(what)} were found at which no charge flows into them. Give a voltage near it, "
            "with with_bias, solve with a larger energy_range, or hold the condensate by a superconducting reservoir",
            frequency=0.0, residuals=(float(abs(found.fun).max()),), state=found.x,
        )  # fmt: skip
    return moved(found.x)
