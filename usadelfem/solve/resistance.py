"""The normal-state resistance of a device, the natural unit of its supercurrent."""

from __future__ import annotations

import numpy as np

from ..checks import named, shown
from ..device.device import Device
from ..errors import DeviceError
from ..fem.coefficients import point_coefficients
from ..fem.conduction import build_network, electrode
from ..fem.interfaces import build_junctions, limited, splitting
from ..physics.columns import N0, D
from ..space.space import build_space, check_order
from .arguments import check_device


@named()
def normal_resistance(device: Device, first: str, second: str, *, order: int = 2) -> float:
    """Resistance between two contacts in the normal state, conductivity sigma = 2 e^2 N0 D.

    Barriers count with their normal-state conductance. All other contacts float (no current). In the units of
    `charge_current` a supercurrent times this resistance is an energy: e I R_N.

    Parameters
    ----------
    device
        The device; gaps and exchange fields play no role.
    first, second
        Names of two facet sets.
    order
        Order of the elements, 1 or 2.

    Raises
    ------
    DeviceError
        If a facet set is unknown or the two touch or are not connected.
    """
    check_device(device)
    check_order(order)
    boundaries = device.sample.boundaries or {}
    for name in (first, second):
        if not isinstance(name, str) or name not in boundaries:
            raise DeviceError(f"no facet set {shown(name)}; it has: {', '.join(sorted(boundaries)) or 'none'}")
    barriers, ghosts = splitting(device)
    space = build_space(device.sample, order, barriers=barriers, ghosts=ghosts)
    source, drain = (electrode(device, space, name) for name in (first, second))
    if np.intersect1d(space.origin[source], space.origin[drain]).size:
        raise DeviceError(f"facet sets {first!r} and {second!r} touch: the resistance between them is zero")
    coefficients = point_coefficients(device, space).table
    conductivity = 2 * coefficients[..., N0] * coefficients[..., D]
    junctions = limited(build_junctions(device, space), space, conductivity)
    network = build_network(space, conductivity, junctions, source, drain)
    if network is None:
        raise DeviceError(
            f"facet sets {first!r} and {second!r} are not connected: no metal and no barrier of conductance > 0 joins "
            "the parts of the device that they belong to"
        )
    current = network.conductance()
    return 1.0 / current if current > 0 else np.inf
