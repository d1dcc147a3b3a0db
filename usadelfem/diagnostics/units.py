"""A word where numbers look as if they were typed in the wrong unit."""

from __future__ import annotations

import numpy as np
import scipy

from ..device.device import Device
from ..device.material import Material
from ..errors import UnitWarning, warn
from ..fem.problem import Problem
from ..physics.thermal import bcs_gap
from .lengths import RegionLengths, region_lengths

# Extents of a device in decay lengths outside of which they are taken for a mistake.
SMALLEST, LARGEST = 1e-3, 1e3
# Temperature in units of a given gap above which it is taken for a mistake: a bulk gap is so small only within 2 % of
# Tc. A gap below PROBE times the temperature is a deliberate probe of the linear response.
HOT, PROBE = 2.5, 0.04
# Gap of a superconductor at zero temperature, in units of its Tc: Bardeen, Cooper, Schrieffer (1957).
BCS = float(np.pi * np.exp(-np.euler_gamma))


def warn_units(device: Device, problem: Problem, temperature: float, *, above: bool = True) -> None:
    """Warn of a temperature above every Tc (if `above`), of a field or of lengths that make no sense."""
    lengths = region_lengths(device, problem, temperature)
    found = [temperature_advice(device, problem, temperature) if above else "", field_advice(device, lengths)]
    for text in (*found, length_advice(lengths)):
        if text:
            warn(text, UnitWarning)


def critical_temperatures(device: Device, problem: Problem, temperature: float) -> dict[str, float]:
    """Critical temperature of every superconductor: the largest Tc, or that of a bulk with the given gap at T."""
    found = {f"region {region!r}": _largest_tc(problem, region, m) for region, m in device.conductors.items()}
    for name, gap in _given_gaps(device, problem).items():
        if gap > 0 and not found.get(name):
            low = (1 - 1e-9) * max(temperature, gap / BCS)  # where the gap is smaller, whatever is rounded
            found[name] = scipy.optimize.brentq(lambda tc, gap=gap: bcs_gap(temperature, tc) - gap, low, 2 * low)
    return {name: tc for name, tc in found.items() if tc > 0}


def _largest_tc(problem: Problem, region: str, material: Material) -> float:
    x = problem.space.points()[:, problem.space.mesh.subdomains[region]]
    tc = material.Tc(x) if callable(material.Tc) else material.Tc
    return 0.0 if tc is None else float(np.max(np.real(tc)))


def _given_gaps(device: Device, problem: Problem) -> dict[str, float]:
    """Largest modulus of the gap of regions where it is given, and of reservoirs."""
    cells = problem.space.mesh.subdomains
    regions = {name: problem.gap[cells[name]] for name, m in device.conductors.items() if not m.self_consistent}
    found = {f"region {name!r}": float(abs(gap).max()) for name, gap in regions.items()}
    return found | {
        f"reservoir {name!r}": float(abs(own.gap).max(initial=0)) for name, own in problem.electrodes.items()
    }


def temperature_advice(device: Device, problem: Problem, temperature: float) -> str:
    """A sentence if the temperature is above every Tc, or far above every given gap; empty otherwise."""
    known = {f"region {name!r}": _largest_tc(problem, name, m) for name, m in device.conductors.items()}
    gaps = {name: gap for name, gap in _given_gaps(device, problem).items() if not known.get(name)}
    tc, gap = max(known.values(), default=0.0), max(gaps.values(), default=0.0)
    if max(tc, gap) == 0 or temperature <= tc or temperature <= HOT * gap or (tc == 0 and gap < PROBE * temperature):
        return ""
    units = device.units
    unit = "" if units.is_natural else f" {units.label('temperature')}"
    shown_tc, shown_t = (f"{units.out('temperature', value):.4g}{unit}" for value in (tc, temperature))
    words = [f"Tc = {shown_tc} of {max(known, key=lambda name: known[name])}"] if tc else []
    words += [f"the gap {gap:.4g} of {max(gaps, key=lambda name: gaps[name])} (which it exceeds {HOT} times only within"
              " 2 % of Tc)"] if gap else []  # fmt: skip
    what = "energies, k_B T, in the unit of gap and exchange" if units.is_natural else f"in{unit}"
    return (
        f"the temperature {shown_t} is above every critical temperature of the device, the highest belonging to "
        f"{' or '.join(words)}: nothing is superconducting by itself. Temperatures are {what}"
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
                units = device.units
                unit = "" if units.is_natural else f" {units.label('field')}"
                hint = f"B is in{unit}" if unit else (
                    "B is in units of hbar/e per length^2 of the mesh: a flux quantum h/2e is pi"
                )
                return (
                    f"B = {units.out('field', field):g}{unit} puts {field * size**2 / np.pi:.3g} flux quanta through a "
                    f"{what} of region {one.region!r} (width {size:.3g}). {hint}"
                )
    return ""


def length_advice(lengths: list[RegionLengths]) -> str:
    """A sentence if the whole device is far too small or too large; empty otherwise."""
    longest, widths = [one.length / one.decay for one in lengths], [one.extent / one.decay for one in lengths]
    small, large = max(longest) < SMALLEST, min(widths) > LARGEST
    if not (small or large):
        return ""
    one = lengths[int(np.argmax(longest) if small else np.argmin(widths))]
    size = f"{one.length:.3g} long" if small else f"{one.extent:.3g} wide"
    return (
        f"all lengths of the device are {'below 1e-3' if small else 'above 1e3'} decay lengths: region {one.region!r} "
        f"is {size}, the decay length sqrt(D/energy) in it is {one.decay:.3g}. D is in units of the "
        "mesh's length^2 times the energy unit"
    )
