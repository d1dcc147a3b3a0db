"""Coefficients of a device at the quadrature points of a space, as the table that the kernels read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.coefficient import evaluate
from ..device.device import Device
from ..device.material import Material
from ..physics import functional as column
from .space import Index, Real, Space


def vertex_interpolation(space: Space, cells: Index) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Interpolation of arrays over the mesh vertices, (..., vertices), to (..., cells, points), linear per cell."""
    element, points = space.mesh.elem(), space.basis.X
    count = len(space.mesh.t)
    shape = np.array([np.broadcast_to(element.lbasis(points, i)[0], points.shape[1:]) for i in range(count)])
    vertices = space.mesh.t[:, cells]

    def interpolate(nodal: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.einsum("...vc,vq->...cq", nodal[..., vertices], shape))

    return interpolate


def sample(space: Space, region: str, material: Material, name: str) -> NDArray[Any]:
    """One coefficient of a region at its quadrature points, shape (..., cells of the region, points)."""
    cells = np.asarray(space.mesh.subdomains[region], np.int64)
    interpolate = vertex_interpolation(space, cells)
    x = space.points()[:, cells]
    return np.asarray(evaluate(name, getattr(material, name), x, f"material of region {region!r}", interpolate))


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
        values = {
            name: sample(space, region, material, name)
            for name in ("D", "N0", "gap", "exchange", "tau_so", "tau_sf", "depairing", "theta", "kappa")
        }
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
