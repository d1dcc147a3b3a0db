"""A word where numbers look as if they were typed in the wrong unit."""

from __future__ import annotations

import numpy as np

from ..device.device import Device
from ..errors import UnitWarning, warn
from ..fem.lengths import RegionLengths, region_lengths
from ..fem.spectral import Spectral
from ..physics.thermal import bcs_gap

# Extents of a device in decay lengths outside of which they are taken for a mistake.
SMALLEST, LARGEST = 1e-3, 1e3
# Gap of a superconductor at zero temperature, in units of its Tc.
BCS = bcs_gap(1e-3, 1.0)


def warn_units(device: Device, system: Spectral, temperature: float, *, above: bool = True) -> None:
    """Warn of a temperature above every Tc (if `above`), of a field or of lengths that make no sense."""
    lengths = region_lengths(device, system, temperature)
    found = [temperature_advice(device, system, temperature) if above else "", field_advice(device, lengths)]
    for text in (*found, length_advice(lengths)):
        if text:
            warn(text, UnitWarning)


def critical_temperatures(device: Device, system: Spectral) -> dict[str, float]:
    """Critical temperature of every superconductor of the device: the largest Tc, or that of a given gap."""
    found = {}
    for region, material in device.conductors.items():
        if material.self_consistent:
            x = system.space.points()[:, system.space.mesh.subdomains[region]]
            tc = material.Tc(x) if callable(material.Tc) else material.Tc
            found[f"region {region!r}"] = float(np.max(tc))  # type: ignore[arg-type]
        else:
            gap = float(abs(system.gap[system.space.mesh.subdomains[region]]).max())
            found[f"region {region!r}"] = gap / BCS
    for name, (_, values, _) in system.contacts.items():
        found[f"reservoir {name!r}"] = float(abs(values).max(initial=0.0)) / BCS
    return {name: tc for name, tc in found.items() if tc > 0}


def temperature_advice(device: Device, system: Spectral, temperature: float) -> str:
    """A sentence if the temperature is above every Tc; empty otherwise."""
    known = critical_temperatures(device, system)
    if not known or temperature <= max(known.values()):
        return ""
    name = max(known, key=lambda key: known[key])
    return (
        f"the temperature {temperature:g} is above every critical temperature of the device, the highest being "
        f"{known[name]:.4g} ({name}; of a given gap, gap/{BCS:.3f}): nothing is superconducting by itself. "
        "Temperatures are energies, k_B T, in the unit of gap and exchange"
    )


def field_advice(device: Device, lengths: list[RegionLengths]) -> str:
    """A sentence if the field is beyond a flux quantum per cell, thinnest layer or decay length; empty otherwise."""
    if device.B is None:
        return ""
    field = float(np.linalg.norm(device.B))
    narrow = "square as wide as its thinnest layer or decay length"
    for one in lengths:
        for size, what in ((one.cell, "cell"), (min(one.extent, one.decay), narrow)):
            if field * size**2 > np.pi:
                return (
                    f"B = {field:g} puts {field * size**2 / np.pi:.3g} flux quanta through a {what} of region "
                    f"{one.region!r} (width {size:.3g}). B is in units of hbar/e per length^2 of the mesh: a flux "
                    "quantum h/2e is pi"
                )
    return ""


def length_advice(lengths: list[RegionLengths]) -> str:
    """A sentence if the whole device is far too small or too large; empty otherwise."""
    sizes = [one.extent / one.decay for one in lengths]
    small, large = max(sizes) < SMALLEST, min(sizes) > LARGEST
    if not (small or large):
        return ""
    one = lengths[int(np.argmax(sizes) if small else np.argmin(sizes))]
    return (
        f"all lengths of the device are {'below 1e-3' if small else 'above 1e3'} decay lengths: region {one.region!r} "
        f"is {one.extent:.3g} wide, the decay length sqrt(D/energy) in it is {one.decay:.3g}. D is in units of the "
        "mesh's length^2 times the energy unit"
    )
