"""The normal state: coupled diffusion of charge and spin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..checks import named
from ..device.coefficient import evaluate
from ..device.contact import FLOATING, CurrentContact, Reservoir
from ..device.device import Device
from ..errors import DeviceError
from ..fem.coefficients import Coefficients
from ..fem.diffusion import COMPONENTS, facet_load
from ..fem.problem import Problem, build_problem
from ..frozen import FrozenRecord, freeze
from ..physics import columns as column
from ..space.space import Index, Real, Space, check_order
from .arguments import natural_device
from .diffusion import solve_diffusion

BALANCE = 1e-9  # of the currents that are fed in
LEVEL = 1e-12  # of a direction: rounding errors


@dataclass(frozen=True, eq=False, repr=False)
class NormalState(FrozenRecord):
    """Electrochemical potential and spin accumulation of a device in the normal state.

    Attributes
    ----------
    device
        The device that was solved.
    values
        mu, s_x, s_y, s_z at the nodes, energies, shape (nodes, 4); the potentials of spin up and down along an axis are
        mu plus and minus the component of s along it.
    problem
        The discretised device.
    """

    device: Device
    values: Real
    problem: Problem

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __repr__(self) -> str:
        return f"NormalState({len(self.values)} nodes of order {self.problem.space.order}, {self.device})"


@named()
def solve_normal_state(device: Device, *, order: int = 2) -> NormalState:
    """Solve the diffusion of charge and spin in the normal state (theory, section on the normal state).

    Spin Hall and inverse spin Hall effect (theta, spin_hall_tensor), spin swapping (kappa), relaxation (tau_so,
    tau_sf), precession in the exchange field and in SU(2) fields; all may vary in space. The gap, depairing and the
    vector potential play no role in the normal state.

    Parameters
    ----------
    device
        A device whose contacts are normal reservoirs (`NormalContact`: given voltage and spin bias) or CurrentContact
        (given currents). Where a connected part has no NormalContact, the mean potential of that part is zero, and so
        is the mean spin accumulation along an axis about which all fields in it turn, if nothing relaxes spin there.
    order
        Order of the elements, 1 or 2.

    Raises
    ------
    DeviceError
        If there are no contacts, or a superconducting one or one with a barrier, two NormalContacts disagree where they
        meet, a CurrentContact lies on a NormalContact, or the currents into a part without a NormalContact do not add
        up to zero.
    ValueError
        If order is not 1 or 2.
    TypeError
        If `device` is not a Device.
    numpy.linalg.LinAlgError
        If the equations have no unique solution.
    """
    device = natural_device(device)
    check_order(order)
    if not device.contacts:
        raise DeviceError("nothing drives a normal state without contacts; give NormalContact or CurrentContact")
    if any(not interface.is_transparent for interface in device.interfaces.values()):
        raise DeviceError("solve_normal_state knows transparent interfaces only; leave out the barriers")
    problem = build_problem(device, order, normal=True)
    space, coefficients = problem.space, problem.coefficients
    values, clamped = _clamped(device, space)
    load = contact_load(device, space, np.arange(device.sample.nelements))
    levels = _open_levels(device, space, coefficients, clamped, load)
    known = np.repeat(clamped[:, None], COMPONENTS, axis=1)
    for nodes, direction in levels:  # fix one unknown of each; the equation left out follows from the others
        known[nodes[0], abs(direction).argmax()] = True
    solve_diffusion(space, coefficients, known, values, load)
    _remove_means(space, values, levels)
    values.flags.writeable = False
    return NormalState(device, values, problem)


def _facets(device: Device, name: str) -> Index:
    return np.asarray(device.sample.boundaries[name], np.int64)


def _clamped(device: Device, space: Space) -> tuple[Real, NDArray[np.bool_]]:
    """Values (nodes, 4) given by contacts, and which nodes they are given at."""
    values = np.zeros((len(space.nodes[0]), COMPONENTS))
    owner: dict[str, Index] = {}
    clamped = np.zeros(len(values), bool)
    for name, contact in device.contacts.items():
        if not isinstance(contact, Reservoir):
            continue
        nodes = space.facet_nodes(_facets(device, name))
        given = _levels(name, contact, space.nodes[:, nodes])
        shared = clamped[nodes]
        size = max(abs(given).max(initial=0.0), abs(values).max(initial=0.0))
        if abs(given - values[nodes])[shared].max(initial=0.0) > 1e-9 * size:
            others = ", ".join(sorted({repr(other) for other, own in owner.items() if np.intersect1d(own, nodes).size}))
            raise DeviceError(f"contact {name!r} touches {others} with another potential or spin; separate them")
        values[nodes], clamped[nodes], owner[name] = given, True, nodes
    _check_overlap(device, list(owner))
    return values, clamped


def _levels(name: str, reservoir: Reservoir, x: Real) -> Real:
    """Potential and spin accumulation (nodes, 4) of a normal reservoir at points; DeviceError if it is none."""
    owner = f"contact {name!r}"
    if reservoir.gap is None or np.any(evaluate("gap", reservoir.gap, x, owner)):
        raise DeviceError(
            f"{owner} is {reservoir!r}, which is superconducting; the normal state needs Reservoir(gap=0, "
            "voltage=...), which NormalContact(potential=...) makes, or CurrentContact"
        )
    if not reservoir.is_rigid:
        raise DeviceError(f"{owner} has a barrier; solve_normal_state knows transparent interfaces only, leave it out")
    if reservoir.voltage is FLOATING:
        raise DeviceError(f"{owner} has a FLOATING voltage; a voltage probe of the normal state is CurrentContact()")
    voltage, spin = (evaluate(entry, getattr(reservoir, entry), x, owner) for entry in ("voltage", "spin_bias"))
    return np.column_stack([voltage, spin.T])


def _check_overlap(device: Device, clamped: list[str]) -> None:
    """What is fed in where the potential is given would never enter the device."""
    for name in device.contacts:
        for other in clamped:
            if name not in clamped and np.intersect1d(_facets(device, name), _facets(device, other)).size:
                raise DeviceError(f"contact {name!r} feeds a current into facets of {other!r}, which has a potential")


def contact_load(device: Device, space: Space, cells: Index) -> Real:
    """What current contacts feed into some cells, at their nodes, in the units of the flux N0 J; shape (nodes, 4)."""
    load = np.zeros((len(space.nodes[0]), COMPONENTS))
    for name, contact in device.contacts.items():
        if isinstance(contact, CurrentContact):
            facets = _facets(device, name)
            chosen = facets[np.isin(device.sample.f2t[0, facets], cells)]
            density = injected(contact) / facet_load(space, facets).sum()
            load += facet_load(space, chosen)[:, None] * density
    return load


def injected(contact: CurrentContact) -> Real:
    """Total flux (4,) that a contact feeds in, in units of N0 J: a charge current is 2 N0 J, a spin current N0 J."""
    return np.array([contact.current / 2, *contact.spin_current])


def _open_levels(
    device: Device, space: Space, coefficients: Coefficients, clamped: NDArray[np.bool_], load: Real
) -> list[tuple[Index, Real]]:  # fmt: skip
    """Nodes of a connected part, and direction (4,) in (mu, s), of every uniform value that nothing determines."""
    local = space.cells.shape[1]
    edges = np.repeat(space.cells[:, :1], local, axis=1).ravel(), space.cells.ravel()
    graph = coo_array((np.ones(space.cells.size), edges), shape=(len(clamped),) * 2)
    count, part = connected_components(graph, directed=False)
    levels: list[tuple[Index, Real]] = []
    for index in np.setdiff1d(np.arange(count), part[clamped]):
        nodes, cells = np.flatnonzero(part == index), np.flatnonzero(part[space.cells[:, 0]] == index)
        own = [name for name in device.contacts if np.isin(device.sample.f2t[0, _facets(device, name)], cells).any()]
        for direction in _undetermined(coefficients.chosen(cells)):
            _check_balance(load[nodes] @ direction, direction, own)
            levels.append((nodes, direction))
    return levels


def _undetermined(coefficients: Coefficients) -> Real:
    """Directions in (mu, s) of uniform values that solve the equations without sources, shape (directions, 4).

    Always mu; also the axis of the exchange and SU(2) fields if all of them are parallel (any axis if there are none),
    where spin along it, which does not precess, does not relax either.
    """
    table = coefficients.table
    charge = np.eye(COMPONENTS)[:1]
    relaxing = np.diag(column.spin_relaxation(table).reshape(-1, 3).any(axis=0).astype(float))
    fields = [table[..., column.HX : column.HZ + 1].reshape(-1, 3), coefficients.gauge[..., 1:].reshape(-1, 3)]
    axes = np.concatenate(fields)
    axes = axes[axes.any(axis=1)]
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    count = max(len(axes), 1)
    turned, directions = np.linalg.eigh(len(axes) * np.eye(3) - axes.T @ axes + count * relaxing)
    spin = directions.T[turned <= LEVEL * count]
    spin = spin * np.sign(np.take_along_axis(spin, abs(spin).argmax(axis=1)[:, None], axis=1))
    return np.concatenate([charge, np.pad(spin, ((0, 0), (1, 0)))])


def _check_balance(load: Real, direction: Real, contacts: list[str]) -> None:
    if abs(load.sum()) <= BALANCE * abs(load).sum():
        return
    largest = abs(direction).argmax()
    what = ("charge", "x spin", "y spin", "z spin")[largest]
    if abs(direction[largest]) < 1 - LEVEL:
        what = "({:.3g}, {:.3g}, {:.3g}) spin".format(*direction[1:])
    total = load.sum() * (2 if direction[0] else 1)  # a charge current is 2 N0 J
    raise DeviceError(
        f"the {what} currents of {', '.join(sorted(contacts))} into a part without a NormalContact add up to "
        f"{total:.3g}, and nothing there takes it up; balance them, or make one of the contacts a NormalContact"
    )


def _remove_means(space: Space, values: Real, levels: list[tuple[Index, Real]]) -> None:
    """Shift what nothing determines to zero mean over the volume of its part."""
    weight = np.zeros(len(values))
    np.add.at(weight, space.cells, np.einsum("cq,qi->ci", space.dx, space.phi))
    for nodes, direction in levels:
        mean = weight[nodes] @ values[nodes] @ direction / weight[nodes].sum()
        values[nodes] -= mean * direction
