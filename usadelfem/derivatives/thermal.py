"""Directions that belong to temperatures: that of the device, and the Tc of its metals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.coefficient import uniform
from ..errors import DeviceError
from ..fem.coefficients import sample
from ..physics.thermal import bcs_gap, gauss_sum
from .context import Context
from .direction import Direction, Pull
from .parameters import Parameter, number_of

Real = NDArray[np.float64]

NODES = 256  # of the sum in the slope of the bulk gap


def direction_of_temperature(context: Context, parameter: Parameter, rate: Any) -> Direction:
    """The direction in which the temperature grows, and with it the bulk gaps of reservoirs.

    Raises
    ------
    DeviceError
        If there is no temperature, or the rate is no number.
    """
    if context.temperature is None:
        raise DeviceError("a spectrum knows no temperature; vary that of the equilibrium")
    value, pulls = number_of(parameter, rate), {}
    for name, electrode in context.bulk_reservoirs().items():
        contact: Any = context.device.contacts[name]
        tc = _tc_beside(context, name)
        if contact.temperature is None and tc is not None:  # else a gap that was given
            gap, slope = bulk_slope(context.temperature, tc)
            pulls[name] = Pull(electrode.gap / gap * slope * value, np.zeros((3, len(electrode.nodes))))
    return Direction(temperature=value, electrodes=pulls)


def direction_of_tc(context: Context, parameter: Parameter, values: Real, cells: NDArray[np.int64]) -> Direction:
    """The direction in which the Tc of a region grows, and with it the bulk gaps of reservoirs beside it.

    Where the gap is given only the free energy, which counts |gap|^2 ln(T/Tc), depends on it.

    Raises
    ------
    DeviceError
        If the region has none.
    """
    region, space = parameter.owner, context.problem.space
    material, pulls = context.device.conductors[region], {}
    for name, electrode in context.bulk_reservoirs().items():
        touched = space.mesh.f2t[0, np.asarray(space.mesh.boundaries[name], np.int64)]
        tc = uniform(material.Tc)
        if tc is None or not np.isin(cells, touched).any():
            continue
        contact: Any = context.device.contacts[name]
        temperature = context.temperature if contact.temperature is None else contact.temperature
        assert temperature is not None
        gap, slope = bulk_slope(temperature, tc.real)
        rate = (gap - temperature * slope) / tc.real  # gap = Tc f(T/Tc)
        pulls[name] = Pull(electrode.gap / gap * rate * float(values.flat[0]), np.zeros((3, len(electrode.nodes))))
    if material.Tc is None:
        raise DeviceError(f"{parameter.words}: the region has no Tc")
    tc_of = sample(space, context.device, region, ("Tc",))["Tc"]
    whole = np.zeros(space.dx.shape)
    whole[cells] = np.where(tc_of > 0, values / np.where(tc_of > 0, tc_of, 1.0), 0.0)
    return Direction(log_tc=whole, electrodes=pulls)


def _tc_beside(context: Context, name: str) -> float | None:
    """The Tc of the metal that a contact touches."""
    space = context.problem.space
    touched = space.mesh.f2t[0, np.asarray(space.mesh.boundaries[name], np.int64)]
    for region, material in context.device.conductors.items():
        if np.isin(space.mesh.subdomains[region], touched).any():
            tc = uniform(material.Tc)
            return None if tc is None else tc.real
    return None


def bulk_slope(temperature: float, tc: float) -> tuple[float, float]:
    """The bulk gap and its derivative with the temperature, by differentiating the gap equation.

    R = ln(T/Tc) + 2 pi T sum (1/w - 1/r), r = sqrt(w^2 + gap^2), has dR/dT = 1/T - 2 pi gap^2 sum 1/r^3 and dR/dgap =
    2 pi T gap sum 1/r^3.
    """
    gap = float(bcs_gap(temperature, tc))
    if gap == 0.0:
        return 1.0, 0.0
    w, weights = gauss_sum(NODES)
    cubes = 2 * np.pi * temperature * float(weights @ np.hypot(np.pi * temperature * w, gap) ** -3.0)
    return gap, (gap**2 * cubes - 1) / (temperature * gap * cubes)
