"""Coefficients of a device at the quadrature points of a space, as the table that the kernels read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.coefficient import evaluate
from ..device.device import Device
from ..device.material import Material
from ..physics import functional as column
from .space import Real, Space, basis_values


def sample(space: Space, region: str, material: Material, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Coefficients of a region at its quadrature points, each of shape (..., cells of the region, points)."""
    cells = np.asarray(space.mesh.subdomains[region], np.int64)
    x, vertices = space.points()[:, cells], space.mesh.t[:, cells]
    shape = basis_values(space.mesh.elem(), space.basis.X)

    def interpolate(nodal: NDArray[Any]) -> NDArray[Any]:  # linear in each cell
        return np.asarray(np.einsum("...vc,vq->...cq", nodal[..., vertices], shape))

    owner = f"material of region {region!r}"
    return {name: np.asarray(evaluate(name, getattr(material, name), x, owner, interpolate)) for name in names}


def point_coefficients(device: Device, space: Space) -> Real:
    """The coefficients of a device at all quadrature points, shape (cells, points, COEFFICIENTS).

    Raises
    ------
    NotImplementedError
        If theta or kappa is not zero somewhere.
    DeviceError
        If a coefficient is out of range at a quadrature point.
    """
    table = np.zeros((*space.dx.shape, column.COEFFICIENTS))
    for region, material in device.materials.items():
        values = sample(space, region, material, [entry.name for entry in fields(Material)])
        for name in ("theta", "kappa"):
            if values[name].any():
                raise NotImplementedError(
                    f"material of region {region!r}: {name} is not zero; the spin Hall and spin-swapping terms are not "
                    "part of this version, set theta = kappa = 0"
                )
        part = table[space.mesh.subdomains[region]]
        part[..., column.N0], part[..., column.D] = values["N0"], values["D"]
        part[..., column.GAP_RE], part[..., column.GAP_IM] = values["gap"].real, values["gap"].imag
        part[..., column.HX : column.HZ + 1] = np.moveaxis(values["exchange"], 0, -1)
        part[..., column.RATE_SO], part[..., column.RATE_SF] = 1 / values["tau_so"], 1 / values["tau_sf"]
        part[..., column.DEPAIRING] = values["depairing"]
        table[space.mesh.subdomains[region]] = part
    table.flags.writeable = False
    return table
