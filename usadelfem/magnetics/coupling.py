"""The coupling of supercurrents to their magnetic field."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..checks import number
from ..device.coefficient import uniform
from ..device.device import Device
from ..device.material import Material
from ..physics.thermal import bcs_gap


def coupling(device: Device, screening: bool, penetration_depth: float | Mapping[str, float] | None) -> float | None:
    """mu0 in the units of the device, from the penetration depth of one of its superconductors; None without screening.

    1/lambda^2 = mu0 pi sigma Delta at zero temperature, with sigma = 2 N0 D (theory, section on screening).

    Raises
    ------
    ValueError
        If the penetration depth is missing, not positive, or it is not clear of which superconductor it is.
    """
    if not screening:
        if penetration_depth is not None:
            raise ValueError("penetration_depth is given without screening=True")
        return None
    units = device.units
    if penetration_depth is None and not units.is_natural:
        return units.magnetic_constant()
    if penetration_depth is None:
        raise ValueError("screening=True needs penetration_depth=..., the bulk penetration depth at zero temperature")
    given = None
    if isinstance(penetration_depth, Mapping):
        given = {name: units.into("length", depth, "penetration_depth") for name, depth in penetration_depth.items()}
    else:
        penetration_depth = units.into("length", penetration_depth, "penetration_depth")
    stiffness = {name: _stiffness(material) for name, material in device.conductors.items()}
    known = {name: value for name, value in stiffness.items() if value is not None}
    if given is None:
        if len(set(known.values())) != 1:
            raise ValueError(
                f"penetration_depth is {penetration_depth!r}, but the device has {len(known)} superconductors with "
                f"uniform coefficients ({', '.join(known) or 'none'}); say of which it is: {{region: lambda}}"
            )
        given = {next(iter(known)): penetration_depth}
    if len(given) != 1 or next(iter(given)) not in known:
        raise ValueError(
            f"penetration_depth names {list(given)}; allowed is one superconductor of: {', '.join(known) or 'none'}"
        )
    [(name, depth)] = given.items()
    return 1.0 / (number("penetration_depth", depth, above=0, what="length") ** 2 * known[name])


def _stiffness(material: Material) -> float | None:
    """pi sigma Delta(0) of a superconductor with uniform coefficients."""
    d, n0, gap, tc = (uniform(value) for value in (material.D, material.N0, material.gap, material.Tc))
    size = abs(gap) if gap is not None else bcs_gap(1e-3 * tc.real, tc.real) if tc else 0.0
    return 2 * np.pi * n0.real * d.real * size if d and n0 and size > 0 else None
