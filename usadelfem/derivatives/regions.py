"""Directions that belong to the coefficients of regions, and to fields of the whole device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DeviceError
from ..fem.coefficients import su2_field
from ..magnetics.applied_field import uniform_field_potential
from ..physics import columns as column
from ..physics.columns import CHANNEL_COLUMNS
from ..space.space import basis_values
from .context import Context
from .direction import Direction, own_channels
from .parameters import Parameter, evaluated, numbers_of
from .thermal import direction_of_tc

Real = NDArray[np.float64]


def direction_of_region(context: Context, parameter: Parameter, rate: Any) -> Direction:
    """The direction in which a coefficient of a region grows at a rate.

    Raises
    ------
    DeviceError
        If the rate does not fit the coefficient, or nothing depends on it in this device.
    """
    region, name = parameter.owner, parameter.coefficient
    problem = context.problem
    cells = np.asarray(problem.space.mesh.subdomains[region], np.int64)
    if name == "gap" and context.device.conductors[region].self_consistent:
        raise DeviceError(f"the gap of region {region!r} is unknown, it follows from the others: vary its Tc")
    if name == "inelastic_rate" and context.temperature is not None:
        raise DeviceError(f"{parameter.words}: Matsubara sums do not know it, take a spectrum")
    values = _sampled(context, parameter, rate, cells)
    if name == "Tc":
        return direction_of_tc(context, parameter, values, cells)
    table = context.no_change()
    if name in ("theta", "kappa"):
        own = table[..., own_channels(problem)].reshape(*table.shape[:2], -1, CHANNEL_COLUMNS)
        own[cells, :, :, 3 + (name == "kappa")] = values[..., None]
        table[..., own_channels(problem)] = own.reshape(*table.shape[:2], -1)
    elif name in ("rashba", "dresselhaus", "su2"):
        _add_su2(context, table, parameter, values, cells)
    elif name == "spin_hall_tensor":
        _add_tensor(context, table, parameter, values, cells)
    else:
        _add_local(context, table, parameter, values, cells)
    return Direction(table=table)


def _add_local(
    context: Context, table: Real, parameter: Parameter, values: NDArray[Any], cells: NDArray[np.int64]
) -> None:  # fmt: skip
    name = parameter.coefficient
    coefficient = name.replace("rate_s", "tau_s")
    for number, row in enumerate(column.LOCAL):
        if row.coefficients[0] != coefficient or row.fill is None:
            continue
        own = values if row.component is None else values[row.component]
        if name.startswith("tau"):  # gamma = 1/4 tau
            rates = context.problem.coefficients.table[cells, :, number]
            if own.any() and not rates.any():
                raise DeviceError(f"{parameter.words}: it is infinite; vary {name.replace('tau', 'rate')}, 1/(4 tau)")
            own = -4 * rates**2 * own
        elif not row.vertices:
            own = row.fill(own)
        table[cells, :, number] = own


def _add_su2(context: Context, table: Real, parameter: Parameter, values: Any, cells: NDArray[np.int64]) -> None:
    dim, axes = context.problem.space.dim, context.device.axes
    zero = np.zeros((len(cells), context.problem.space.dx.shape[1]))
    parts = {"su2": np.zeros((dim, 3, *zero.shape)), "rashba": zero, "dresselhaus": zero}
    parts[parameter.coefficient] = values
    field = su2_field(parts, context.device.conductors[parameter.owner].growth_axis, axes)
    gauge = context.gauge(table)
    gauge[cells, :, :, 1:] = np.moveaxis(field, (0, 1), (-2, -1))
    context.put_gauge(table, gauge)


def _add_tensor(context: Context, table: Real, parameter: Parameter, values: Any, cells: NDArray[np.int64]) -> None:
    """A change of the amounts of channels that are there already."""
    own = context.problem.coefficients
    first, left = own.table.shape[2] - CHANNEL_COLUMNS * len(own.pairs), values.copy()
    for number, (i, j) in enumerate(own.pairs.tolist()):
        vector = own.channels[cells, :, number, :3]
        part = np.einsum("acq,cqa->cq", left[i, j], vector)
        table[cells, :, first + CHANNEL_COLUMNS * number + 3] = part
        left[i, j] -= part * np.moveaxis(vector, -1, 0)
        left[j, i] = -left[i, j]
    if abs(left).max(initial=0.0) > 1e-12 * abs(values).max(initial=0.0):
        raise DeviceError(
            f"{parameter.words}: it can be varied along the spin axes that the tensor of this device has; solve the "
            "device with a small part along the others first"
        )


def direction_of_field(context: Context, parameter: Parameter, rate: Any) -> Direction:
    """The direction in which the vector potential, or the applied field, grows at a rate.

    Raises
    ------
    DeviceError
        If the device has the other one, or the rate does not fit.
    """
    device, space, table = context.device, context.problem.space, context.no_change()
    if parameter.coefficient == "B":
        if device.A is not None:
            raise DeviceError("the device has a vector potential A; its B cannot be varied")
        field = uniform_field_potential(space, numbers_of(parameter, rate), device.contact_facets)
    else:
        if device.B is not None:
            raise DeviceError("the device has a field B; its vector potential cannot be varied")
        field = _sampled(context, parameter, rate, np.arange(len(space.cells)))
    gauge = context.gauge(table)
    gauge[..., 0] = np.moveaxis(np.asarray(field, float), 0, -1)
    context.put_gauge(table, gauge)
    return Direction(table=table)


def _sampled(context: Context, parameter: Parameter, rate: Any, cells: NDArray[np.int64]) -> NDArray[Any]:
    """A rate at the quadrature points of some cells."""
    space = context.problem.space
    vertices = context.device.sample_vertices[space.mesh.t[:, cells]]
    shape = basis_values(space.mesh.elem(), space.basis.X)

    def interpolate(nodal: NDArray[Any]) -> NDArray[Any]:
        if nodal.shape[-1] != context.device.mesh.nvertices:
            raise DeviceError(
                f"the rate of {parameter.words} is an array over {nodal.shape[-1]} values; the mesh has "
                f"{context.device.mesh.nvertices} vertices"
            )
        return np.asarray(np.einsum("...vc,vq->...cq", nodal[..., vertices], shape))

    return evaluated(parameter, rate, space.points()[:, cells], interpolate)
