"""Energies of a device that its sums and tolerances go by."""

from __future__ import annotations

import numpy as np

from ..device.coefficient import uniform
from ..device.device import Device
from ..fem.pairing import Pairing, cut_energy
from ..fem.spectral import Spectral


def zero_temperature_gap(pairing: Pairing) -> float:
    """The largest bulk gap at zero temperature."""
    return float(np.exp(pairing.log_tc.max() - np.euler_gamma) * np.pi)


def needed_cut(device: Device, system: Spectral, temperature: float) -> float:
    """The energy well above which the gap equation has to be cut off; 0 where its summand falls off fast enough."""
    tc = {region: uniform(material.Tc) for region, material in device.conductors.items() if material.self_consistent}
    known = {region: value.real for region, value in tc.items() if value is not None}
    return cut_energy(device, system, known, temperature)
