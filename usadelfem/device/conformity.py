"""Whether the parts of a device are connected where they meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DeviceError
from ..mesh.overlaps import describe_overlap, overlaps_of
from .interface import Interface, is_insulating


def check_conformity(mesh: Any, interfaces: Mapping[Any, Interface], contacts: Mapping[str, Any]) -> None:
    """Raise DeviceError where parts of a mesh coincide in space without common nodes and nobody says that they should.

    A cut is meant where the facets of one side belong to an interface without conductance, or those of both sides to
    contacts.
    """
    cut, contact = np.zeros((2, mesh.facets.shape[1]), bool)
    boundaries = mesh.boundaries or {}
    for key, interface in interfaces.items():
        if isinstance(key, str) and key in boundaries and is_insulating(interface):
            cut[boundaries[key]] = True
    for name in contacts:
        contact[boundaries[name]] = True
    first, second = overlaps_of(mesh).facets
    complaint = describe_overlap(mesh, cut[first] | cut[second] | (contact[first] & contact[second]))
    if complaint:
        raise DeviceError(complaint)
