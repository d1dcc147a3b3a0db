"""Energies of a device that its sums and tolerances go by."""

from __future__ import annotations

import numpy as np

from ..device.coefficient import uniform
from ..device.device import Device
from ..fem.pairing import Pairing, has_continuous_gap
from ..fem.spectral import Spectral
from ..physics.thermal import bcs_gap


def zero_temperature_gap(pairing: Pairing) -> float:
    """The largest bulk gap at zero temperature."""
    return float(np.exp(pairing.log_tc.max() - np.euler_gamma) * np.pi)


def sum_converges(device: Device, system: Spectral, temperature: float) -> bool:
    """Whether the summand of the gap equation falls off fast enough: the gap jumps at no transparent contact."""
    tc = {region: uniform(material.Tc) for region, material in device.conductors.items() if material.self_consistent}
    bulk = {region: bcs_gap(temperature, value.real) for region, value in tc.items() if value is not None}
    return has_continuous_gap(device, system, bulk)
