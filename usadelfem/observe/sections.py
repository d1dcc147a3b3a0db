"""What the fluxes through sections need to know of a device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..device.contact import Reservoir
from ..device.device import Device
from ..fem.problem import Problem


def rigid_facets(device: Device, problem: Problem) -> NDArray[np.int64]:
    """The facets of all contacts on which g is fixed."""
    boundaries = problem.space.mesh.boundaries
    rigid = [name for name, contact in device.contacts.items() if isinstance(contact, Reservoir) and contact.is_rigid]
    return np.concatenate([*(np.asarray(boundaries[name], np.int64) for name in rigid), np.empty(0, np.int64)])
