"""Lengths over which solutions vary in a material: the only place where a geometry reads the numbers of materials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named, shown
from ..device.coefficient import evaluate
from ..device.doors import natural_record, natural_records
from ..device.material import Material
from ..device.quantities import magnitude
from ..device.units import Units, active_units
from ..errors import DeviceError
from ..physics.thermal import bcs_gap

BCS = 1.7638769  # gap at zero temperature in units of Tc
SPIN_ORBIT = ("theta", "kappa", "spin_hall_tensor", "rashba", "dresselhaus", "su2")
HALF = 0.5  # temperature that is assumed where none is given, in units of the lowest Tc

Points = NDArray[np.float64]


@named()
def decay_length(
    material: Material, temperature: float | None = None, points: Points | None = None, *, units: Units | None = None
) -> float:
    """The shortest length over which solutions decay in a material, 1/k with k^2 = 2 E / D.

    E = |sqrt(w^2 + |gap|^2) + i h| + 1/tau_so + 1/tau_sf + depairing + D SU^2 at the lowest Matsubara frequency
    w = pi temperature: sqrt(D / 2 pi T) in a normal metal, sqrt(D / h) in a strong ferromagnet, sqrt(D / 2 gap) in a
    superconductor.

    Parameters
    ----------
    material
        Its coefficients. Of arrays over vertices the extreme values count.
    temperature
        Temperature, energy (k_B = 1) or in the units that are in force; a self-consistent gap is the bulk gap there.
        None: zero.
    points
        Where callables of position are looked at, shape (dim, points); None: callables are an error.
    units
        The units of all these numbers; None: those that are in force.

    Returns
    -------
    The length, in the unit of lengths; infinite in a normal metal without any scattering at zero temperature.

    Raises
    ------
    DeviceError
        If a coefficient is a callable and there are no points, or a quantity is of another dimension.
    """
    own = active_units() if units is None else units
    material = natural_record(material, own, "material")
    temperature = own.into("temperature", temperature, "temperature")
    D = _values(material, "D", points).min()
    w = 0.0 if temperature is None else math.pi * temperature
    field = np.linalg.norm(_values(material, "exchange", points), axis=0).max()
    energy = math.hypot(math.hypot(w, _gap(material, temperature, points)), field)
    for name in ("tau_so", "tau_sf"):
        energy += float(1 / _values(material, name, points).min())
    energy += float(_values(material, "depairing", points).max()) + float(D) * _spin_orbit(material, points)
    return math.sqrt(D / (2 * energy)) if energy > 0 else math.inf


def is_superconducting(material: Material) -> bool:
    """Whether it has a gap, or a Tc that gives it one."""
    value = magnitude(material.Tc if material.gap is None else material.gap)
    return callable(value) or bool(np.any(np.asarray(value)))


def has_spin_orbit_coupling(material: Material) -> bool:
    """Whether spins turn or go aside where charge flows; scattering by tau_so does neither."""
    values = (magnitude(getattr(material, name)) for name in SPIN_ORBIT)
    return any(callable(value) or (value is not None and bool(np.any(np.asarray(value)))) for value in values)


def assumed_temperature(
    materials: Mapping[str, Material], points: Mapping[str, Points], units: Units
) -> float | None:
    """Half the lowest critical temperature of the superconductors, for meshes without a temperature; None without."""
    materials = natural_records(materials, units, "material of region")
    critical = []
    for region, material in materials.items():
        if is_superconducting(material):
            value = _gap(material, None, points[region]) / BCS
            if value > 0:
                critical.append(HALF * value)
    return units.out("temperature", min(critical)) if critical else None


def _gap(material: Material, temperature: float | None, points: Points | None) -> float:
    """The largest gap: the given one, or that of the bulk at a temperature."""
    if not material.self_consistent:
        return float(abs(_values(material, "gap", points)).max())
    critical = float(_values(material, "Tc", points).max())
    return BCS * critical if temperature is None else bcs_gap(temperature, critical)


def _spin_orbit(material: Material, points: Points | None) -> float:
    """Square of the SU(2) field, 1/length^2."""
    strength = sum(float(abs(_values(material, name, points)).max()) for name in ("rashba", "dresselhaus"))
    general = 0.0 if material.su2 is None else 0.5 * float(np.linalg.norm(_values(material, "su2", points)))
    return (strength + general) ** 2


def _values(material: Material, name: str, points: Points | None) -> NDArray[Any]:
    """A coefficient: components first where it has several, then the points or vertices."""
    value = getattr(material, name)
    if not callable(value):
        return np.asarray(value)
    if points is None:
        raise DeviceError(f"{name} is the callable {shown(value)}, whose length is not known; give size=")
    return np.asarray(evaluate(name, value, points, "material"))
