"""Coefficients of a device at the quadrature points of a space, as the tables that the kernels read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.coefficient import evaluate
from ..device.device import Device
from ..device.material import COEFFICIENTS
from ..errors import DeviceError
from ..frozen import FrozenRecord
from ..magnetics.applied_field import uniform_field_potential
from ..physics import columns as column
from ..physics.columns import CHANNEL_COLUMNS, GAUGE_COLUMNS
from ..space.space import Index, Real, Space, basis_values
from .cells import GAUGE, LINEAR, SPIN_CHARGE


@dataclass(frozen=True, eq=False, repr=False)
class Coefficients(FrozenRecord):
    """What the kernels know of a device.

    Attributes
    ----------
    table
        Local coefficients in the order of `physics.columns`, then the gauge fields (A_k, SU_k^x, SU_k^y, SU_k^z for
        every mesh axis k, if there are any), then the channels of spin-charge coupling (vx, vy, vz, theta, kappa for
        every row of `pairs`); shape (cells, points, columns).
    kinds
        Which terms a cell has beyond the local and kinetic ones, bits GAUGE, SPIN_CHARGE and LINEAR; shape (cells,).
    pairs
        Mesh axes of the channels, shape (channels, 2).
    """

    table: Real
    kinds: NDArray[np.int8]
    pairs: Index

    def chosen(self, cells: Index | slice) -> Coefficients:
        """The same for a part of the cells."""
        return Coefficients(self.table[cells], self.kinds[cells], self.pairs)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the table."""
        return column.column_names(self.gauge.shape[2], self.pairs)

    @property
    def rows(self) -> tuple[column.Column, ...]:
        """What is known of the columns of the table."""
        return column.all_columns(self.table.shape[2], len(self.pairs))

    @property
    def channels(self) -> Real:
        """The columns of the channels, shape (cells, points, channels, 5)."""
        shape = (*self.table.shape[:2], len(self.pairs), CHANNEL_COLUMNS)
        return self.table[..., self.table.shape[2] - len(self.pairs) * CHANNEL_COLUMNS :].reshape(shape)

    @property
    def gauge(self) -> Real:
        """The gauge fields A_k and SU_k^a, shape (cells, points, dim or 0, 4)."""
        last = self.table.shape[2] - len(self.pairs) * CHANNEL_COLUMNS
        return self.table[..., column.COEFFICIENTS : last].reshape(*self.table.shape[:2], -1, GAUGE_COLUMNS)


def exchanged(own: Coefficients) -> Real:
    """The coefficients with which the functional keeps its form under a <-> b: gap -> -gap*, A -> -A, theta -> -theta.

    g goes to -V g V^-1 with V = tau3 tau1.
    """
    return np.asarray(own.table * [row.exchanged for row in own.rows], float)


def sample(space: Space, device: Device, region: str, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Coefficients of a region at its quadrature points, each of shape (..., cells of the region, points)."""
    cells = np.asarray(space.mesh.subdomains[region], np.int64)
    material, owner = device.conductors[region], f"material of region {region!r}"
    return {name: _values(space, device, cells, name, getattr(material, name), owner) for name in names}


def _values(space: Space, device: Device, cells: Index, name: str, value: Any, owner: str) -> NDArray[Any]:
    vertices = device.sample_vertices[space.mesh.t[:, cells]]
    shape = basis_values(space.mesh.elem(), space.basis.X)

    def interpolate(nodal: NDArray[Any]) -> NDArray[Any]:  # linear in each cell
        return np.asarray(np.einsum("...vc,vq->...cq", nodal[..., vertices], shape))

    return np.asarray(evaluate(name, value, space.points()[:, cells], owner, interpolate))


def point_coefficients(
    device: Device, space: Space, *, linearized: bool = False, potential: bool = False
) -> Coefficients:  # fmt: skip
    """The coefficients of a device at all quadrature points; `potential` gives every cell columns for a gauge field.

    Raises
    ------
    DeviceError
        If a coefficient is out of range at a quadrature point.
    """
    names = sorted(device.conductors)
    values = {name: sample(space, device, name, COEFFICIENTS) for name in names}
    _check_kappa(space.dim, {region: part["kappa"] for region, part in values.items()})
    local = np.zeros((*space.dx.shape, column.COEFFICIENTS))
    for region in names:
        local[space.mesh.subdomains[region]] = _local(values[region])
    gauge = _gauge_fields(device, space, values, potential)
    channels, pairs = _channels(*_spin_charge_vectors(device, space, values))
    kinds = np.full(len(local), LINEAR if linearized else 0, np.int8)
    kinds[gauge.any(axis=(1, 2)) | potential] |= GAUGE
    kinds[channels.any(axis=(1, 2))] |= SPIN_CHARGE
    table = np.concatenate([local, gauge, channels], axis=-1)
    for array in (table, kinds, pairs):
        array.flags.writeable = False
    return Coefficients(table, kinds, pairs)


def _check_kappa(dim: int, values: dict[str, Real]) -> None:
    """Diffusion dissipates and free boundaries are well-posed in a range of kappa only; on a line it does nothing."""
    low = -0.5 if dim == 3 else -1.0
    for region, kappa in values.items():
        outside = ~((low < kappa) & (kappa < 1.0))
        if dim > 1 and outside.any():
            raise DeviceError(
                f"material of region {region!r}: kappa is {kappa[outside].flat[0]:.4g}; diffusion in {dim} dimensions "
                f"dissipates for {low:g} < kappa < 1 only, outside of that free boundaries have no solution"
            )


def _local(values: dict[str, NDArray[Any]]) -> Real:
    """The columns of the local terms, shape (cells, points, COEFFICIENTS)."""
    part = np.empty((*values["N0"].shape, column.COEFFICIENTS))
    for number, row in enumerate(column.LOCAL):
        part[..., number] = row.filled(values[row.coefficients[0]])
    return part


def mesh_levi_civita(axes: tuple[int, ...]) -> Real:
    """eps_ija with i, j mesh axes and a a spin axis, shape (dim, dim, 3)."""
    eps = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        eps[i, j, k], eps[j, i, k] = 1.0, -1.0
    return eps[np.ix_(axes, axes)]


def su2_field(values: dict[str, NDArray[Any]], growth_axis: str, axes: tuple[int, ...]) -> Real:
    """Components SU_k^a along the mesh axes k, shape (dim, 3, ...).

    Rashba coupling is SU_k = alpha (e_k x n).sigma with the growth axis n; Dresselhaus coupling is SU_u = beta sigma_u,
    SU_v = -beta sigma_v with u, v, n in cyclic order.
    """
    n = "xyz".index(growth_axis)
    u, v = (n + 1) % 3, (n + 2) % 3
    field = values["su2"].astype(float)
    for k, axis in enumerate(axes):
        if axis == u:  # e_u x e_n = -e_v
            field[k, v] -= 2 * values["rashba"]
            field[k, u] += 2 * values["dresselhaus"]
        if axis == v:
            field[k, u] += 2 * values["rashba"]
            field[k, v] -= 2 * values["dresselhaus"]
    return field


def _gauge_fields(
    device: Device, space: Space, values: dict[str, dict[str, NDArray[Any]]], potential: bool
) -> Real:  # fmt: skip
    """A_k and SU_k^a at the quadrature points, shape (cells, points, 4 dim), or without columns if there are none."""
    shape = space.dx.shape
    spin_orbit = any(v[n].any() for v in values.values() for n in ("su2", "rashba", "dresselhaus"))
    if not (potential or spin_orbit or device.A is not None or device.B is not None):
        return np.zeros((*shape, 0))
    gauge = np.zeros((*shape, space.dim, GAUGE_COLUMNS))
    if device.B is not None:
        applied = uniform_field_potential(space, device.B, device.contact_facets)
    else:
        applied = _values(space, device, np.arange(shape[0]), "A", device.A, "device")
    gauge[..., 0] = np.moveaxis(applied, 0, -1)
    for region, part in values.items():
        field = su2_field(part, device.conductors[region].growth_axis, device.axes)
        gauge[space.mesh.subdomains[region], ..., 1:] = np.moveaxis(field, (0, 1), (-2, -1))
    return gauge.reshape(*shape, -1)


def _spin_charge_vectors(device: Device, space: Space, values: dict[str, dict[str, NDArray[Any]]]) -> tuple[Real, Real]:
    """Theta_ij^a and Kappa_ij^a for the pairs i < j of mesh axes, shape (cells, points, pairs, 3); no pairs if zero."""
    used = any(v[name].any() for v in values.values() for name in ("theta", "kappa", "spin_hall_tensor"))
    first, second = np.triu_indices(space.dim if used else 1, 1)
    symbol = mesh_levi_civita(device.axes)[first, second]
    theta, kappa = (np.zeros((*space.dx.shape, *symbol.shape)) for _ in range(2))
    for region, part in values.items():
        cells = space.mesh.subdomains[region]
        tensor = np.moveaxis(part["spin_hall_tensor"][first, second], (0, 1), (-2, -1))
        theta[cells] = part["theta"][..., None, None] * symbol + tensor
        kappa[cells] = part["kappa"][..., None, None] * symbol
    return theta, kappa


def _channels(theta: Real, kappa: Real) -> tuple[Real, Index]:
    """Channels of Theta_ij^a and Kappa_ij^a, shape (cells, points, 5 channels), and their pairs of axes.

    A channel has a single spin vector; theta and kappa share it unless a tensor turns them away from each other.
    """
    axes = {0: [], 1: [(0, 1)], 3: [(0, 1), (0, 2), (1, 2)]}[theta.shape[2]]
    channels, pairs = [np.zeros((*theta.shape[:2], 0))], []
    for pair, t, k in zip(axes, np.moveaxis(theta, 2, 0), np.moveaxis(kappa, 2, 0), strict=True):
        for vector, own in _split(t, k):
            amounts = [np.einsum("cqa,cqa->cq", vector, part) for part in own]
            channels.append(np.concatenate([vector, np.stack(amounts, axis=-1)], axis=-1))
            pairs.append(pair)
    return np.concatenate(channels, axis=-1), np.array(pairs, np.int64).reshape(-1, 2)


def _split(theta: Real, kappa: Real) -> list[tuple[Real, tuple[Real, Real]]]:
    """Unit spin vectors of the channels of a pair of axes, and what of theta and kappa belongs to each."""
    if not theta.any() and not kappa.any():
        return []
    crossed = abs(np.cross(theta, kappa)).max()
    if crossed <= 1e-14 * abs(theta).max() * abs(kappa).max():
        return [(_direction(np.where(theta.any(axis=-1, keepdims=True), theta, kappa)), (theta, kappa))]
    return [(_direction(theta), (theta, 0 * kappa)), (_direction(kappa), (0 * theta, kappa))]


def _direction(vector: Real) -> Real:
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.asarray(vector / np.where(length > 0, length, 1.0))


def spatial_axes(device: Device) -> tuple[int, ...]:
    """The axes of space, 0 to 2: first those of the mesh, then those along which nothing varies."""
    return (*device.axes, *(axis for axis in range(3) if axis not in device.axes))


def spatial_spin_hall_tensors(device: Device, space: Space, coefficients: Coefficients) -> tuple[Real, Real]:
    """Theta_ij^a and Kappa_ij^a for all directions of space in the order of `spatial_axes`.

    Shape (3, 3, 3, cells, points). Along axes that the mesh does not have they are those of theta and kappa only.
    """
    axes, dim = spatial_axes(device), space.dim
    symbol = mesh_levi_civita(axes)
    theta, kappa = (np.zeros((3, 3, 3, *space.dx.shape)) for _ in range(2))
    for region in device.conductors:
        values, cells = sample(space, device, region, ("theta", "kappa")), space.mesh.subdomains[region]
        for tensor, name in ((theta, "theta"), (kappa, "kappa")):
            tensor[..., cells, :] = symbol[..., None, None] * values[name]
    for tensor, inner in zip((theta, kappa), spin_hall_tensors(coefficients, dim), strict=True):
        tensor[:dim, :dim] = inner
    return theta, kappa


def spin_hall_tensors(coefficients: Coefficients, dim: int) -> tuple[Real, Real]:
    """Theta_ij^a and Kappa_ij^a at the quadrature points, antisymmetric in the mesh axes i, j; (dim, dim, 3, ...)."""
    shape = coefficients.table.shape[:2]
    theta, kappa = (np.zeros((dim, dim, 3, *shape)) for _ in range(2))
    for channel, (i, j) in enumerate(coefficients.pairs):
        vector = np.moveaxis(coefficients.channels[..., channel, :3], -1, 0)
        for tensor, amount in ((theta, 3), (kappa, 4)):
            part = vector * coefficients.channels[..., channel, amount]
            tensor[i, j] += part
            tensor[j, i] -= part
    return theta, kappa
