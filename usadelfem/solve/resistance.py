"""The normal-state resistance of a device, the natural unit of its supercurrent."""

from __future__ import annotations

import numpy as np

from ..checks import named, shown
from ..device.device import Device
from ..errors import DeviceError
from ..fem.conduction import build_network, electrode_nodes
from ..fem.problem import build_problem
from ..physics.columns import N0, D
from ..space.space import check_order
from .arguments import natural_device


@named()
def normal_resistance(device: Device, first: str, second: str, *, order: int = 2) -> float:
    """Resistance between two contacts in the normal state, conductivity sigma = 2 e^2 N0 D.

    Barriers count with their normal-state conductance. All other contacts float (no current). In the units of
    `charge_current` a supercurrent times this resistance is an energy, e I R_N; in laboratory units it is in ohm.

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
    device = natural_device(device)
    check_order(order)
    boundaries = device.sample.boundaries or {}
    for name in (first, second):
        if not isinstance(name, str) or name not in boundaries:
            raise DeviceError(f"no facet set {shown(name)}; it has: {', '.join(sorted(boundaries)) or 'none'}")
    problem = build_problem(device, order, normal=True)
    space, coefficients = problem.space, problem.coefficients.table
    source, drain = (electrode_nodes(device, space, name) for name in (first, second))
    if np.intersect1d(space.origin[source], space.origin[drain]).size:
        raise DeviceError(f"facet sets {first!r} and {second!r} touch: the resistance between them is zero")
    conductivity = 2 * coefficients[..., N0] * coefficients[..., D]
    network = build_network(space, conductivity, problem.interfaces, source, drain)
    if network is None:
        raise DeviceError(
            f"facet sets {first!r} and {second!r} are not connected: no metal and no barrier of conductance > 0 joins "
            "the parts of the device that they belong to"
        )
    current = network.conductance()
    per_length = 1.0 if device.mesh.dim() == 3 else device.transverse  # of the directions that the mesh does not have
    return device.units.express("hbar/e^2")[0] / (per_length * current) if current > 0 else np.inf
