"""Energies of a device that its sums and tolerances go by."""

from __future__ import annotations

import numpy as np

from ..device.device import Device
from ..fem.pairing import Pairing, has_continuous_gap
from ..fem.spectral import Spectral
from ..physics.thermal import bcs_gap


def zero_temperature_gap(pairing: Pairing) -> float:
    """The largest bulk gap at zero temperature."""
    return float(np.exp(pairing.log_tc.max() - np.euler_gamma) * np.pi)


def sum_converges(device: Device, system: Spectral, temperature: float) -> bool:
    """Whether the summand of the gap equation falls off fast enough: the gap jumps at no transparent contact."""
    bulk = {
        region: bcs_gap(temperature, float(material.Tc))  # type: ignore[arg-type]
        for region, material in device.conductors.items()
        if material.self_consistent and not callable(material.Tc) and np.ndim(material.Tc) == 0  # type: ignore[arg-type]
    }
    return has_continuous_gap(device, system, bulk)
