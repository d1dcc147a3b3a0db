"""Directions that belong to reservoirs and to interfaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.coefficient import evaluate
from ..device.contact import Reservoir
from ..errors import DeviceError
from ..fem.interfaces import barrier_contacts, barrier_facets
from ..physics import interface as barrier
from ..space.section import facet_basis
from .context import Context
from .direction import Direction, Pull
from .parameters import INTERFACE, Parameter, evaluated

Real = NDArray[np.float64]


def direction_of_contact(context: Context, parameter: Parameter, rate: Any) -> Direction:
    """The direction in which phase, gap or exchange field of a reservoir grow, or its barrier.

    Raises
    ------
    DeviceError
        If the contact is no reservoir, or what is to grow is not its own.
    """
    name, coefficient = parameter.owner, parameter.coefficient
    contact = context.device.contacts[name]
    if not isinstance(contact, Reservoir) or name not in context.problem.electrodes:
        raise DeviceError(f"{parameter.words}: the contact is no Reservoir")
    if coefficient in INTERFACE:
        return _of_barrier(context, parameter, contact.barrier, f"barrier of reservoir {name!r}", rate)
    own = context.problem.electrodes[name]
    x = context.problem.space.nodes[:, own.nodes]
    values = evaluated(parameter, rate, x)
    zero, none = np.zeros(len(own.nodes), complex), np.zeros((3, len(own.nodes)))
    if coefficient == "phase":
        return Direction(electrodes={name: Pull(1j * own.gap * values, none)})
    if coefficient == "exchange":
        return Direction(electrodes={name: Pull(zero, np.asarray(values, float))})
    if contact.gap is None:
        raise DeviceError(f"{parameter.words}: it is the bulk gap of its metal; vary the Tc, or give a gap")
    phase = np.exp(1j * evaluate("phase", contact.phase, x, f"reservoir {name!r}"))
    return Direction(electrodes={name: Pull(values * phase, none)})


def direction_of_interface(context: Context, parameter: Parameter, rate: Any) -> Direction:
    """The direction in which a coefficient of an interface grows.

    Raises
    ------
    DeviceError
        If there is no barrier, or it has no such coefficient.
    """
    own = context.device.interfaces[parameter.owner]
    return _of_barrier(context, parameter, own, f"interface {parameter.owner!r}", rate)


def rows_of(context: Context, owner: str) -> NDArray[np.bool_]:
    """The facets of the interface terms that belong to an interface, or to the barrier of a reservoir."""
    facets = {f"interface {key!r}": own for key, (_, own) in barrier_facets(context.device).items()}
    boundaries = context.problem.space.mesh.boundaries
    for name in barrier_contacts(context.device):
        facets[f"barrier of reservoir {name!r}"] = np.asarray(boundaries[name], np.int64)
    return np.isin(context.problem.interfaces.facets, facets.get(owner, np.empty(0, np.int64)))


def _of_barrier(context: Context, parameter: Parameter, own: Any, owner: str, rate: Any) -> Direction:
    rows, coefficient = rows_of(context, owner), parameter.coefficient
    if own is None or own.is_transparent or not rows.any():
        raise DeviceError(f"{parameter.words}: there is no barrier; in transparent contact nothing depends on it")
    junctions = context.problem.interfaces
    x = facet_basis(context.problem.space, junctions.facets)[2][:, rows]
    values, table = evaluated(parameter, rate, x), np.zeros_like(junctions.table)
    if coefficient == "polarization":
        if own.transparencies is not None:
            raise DeviceError(f"{parameter.words}: channels with transparencies do not filter spins")
        one, two = _filter_slopes(np.asarray(evaluate("polarization", own.polarization, x, owner), float))
        table[rows, :, barrier.MIX_ONE], table[rows, :, barrier.MIX_TWO] = one * values, two * values
    elif coefficient == "magnetization":
        m = junctions.table[rows][..., barrier.MX : barrier.MZ + 1]
        raw = np.moveaxis(np.asarray(evaluate("magnetization", own.magnetization, x, owner), float), 0, -1)
        turn = np.moveaxis(np.asarray(values, float), 0, -1) / np.linalg.norm(raw, axis=-1, keepdims=True)
        table[rows, :, barrier.MX : barrier.MZ + 1] = turn - m * (m * turn).sum(axis=-1, keepdims=True)
    else:
        table[rows, :, barrier.CONDUCTANCE if coefficient == "conductance" else barrier.MIXING] = values
    return Direction(interfaces=table)


def _filter_slopes(polarization: Real) -> tuple[Real, Real]:
    """Derivatives of P/(1+r) and (1-r)/(1+r) with P, r = sqrt(1 - P^2)."""
    root = np.sqrt(np.maximum(1 - polarization**2, 1e-300))
    return 1 / (root * (1 + root)), 2 * polarization / (root * (1 + root) ** 2)
