"""The normal state: coupled diffusion of charge and spin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ..device.coefficient import evaluate
from ..device.contact import CurrentContact, NormalContact
from ..device.device import Device
from ..errors import DeviceError
from ..fem.coefficients import Coefficients, point_coefficients
from ..fem.diffusion import COMPONENTS, element_matrices, facet_load
from ..fem.space import Index, Real, Space, build_space
from ..physics import functional as column

BALANCE = 1e-9  # of the currents that are fed in
RESIDUAL = 1e-9
NAMES = ("charge", "x spin", "y spin", "z spin")


@dataclass(frozen=True, eq=False, repr=False)
class NormalState:
    """Electrochemical potential and spin accumulation of a device in the normal state.

    Attributes
    ----------
    device
        The device that was solved.
    values
        mu, s_x, s_y, s_z at the nodes, energies, shape (nodes, 4); the potentials of spin up and down along an axis are
        mu plus and minus the component of s along it.
    space, coefficients
        The discretisation and the coefficients at its quadrature points.
    """

    device: Device
    values: Real
    space: Space
    coefficients: Coefficients

    def __repr__(self) -> str:
        return f"NormalState({len(self.values)} nodes of order {self.space.order}, {self.device})"


def solve_normal_state(device: Device, *, order: int = 2) -> NormalState:
    """Solve the diffusion of charge and spin in the normal state (theory, section on the normal state).

    Spin Hall and inverse spin Hall effect (theta, spin_hall_tensor), spin swapping (kappa), relaxation (tau_so,
    tau_sf), precession in the exchange field and in SU(2) fields; all may vary in space. The gap, depairing and the
    vector potential play no role in the normal state.

    Parameters
    ----------
    device
        A device whose contacts are NormalContact (given potential and spin) or CurrentContact (given currents). Where a
        connected part has no NormalContact, the mean potential of that part is zero.
    order
        Order of the elements, 1 or 2.

    Raises
    ------
    DeviceError
        If there are no contacts or a Reservoir, two NormalContacts disagree where they meet, or the currents into a
        part without a NormalContact do not add up to zero.
    ValueError
        If order is not 1 or 2.
    """
    if not device.contacts:
        raise DeviceError("nothing drives a normal state without contacts; give NormalContact or CurrentContact")
    space = build_space(device.mesh, order)
    coefficients = point_coefficients(device, space)
    values, clamped = _clamped(device, space)
    load = contact_load(device, space, np.arange(device.mesh.nelements))
    matrix = _assemble(space, coefficients)
    part, pinned = _pins(device, space, coefficients, clamped, load)
    free = np.flatnonzero(~(clamped[:, None] | pinned).ravel())
    rhs = (load.ravel() - matrix @ values.ravel())[free]
    values.ravel()[free] = _solve(matrix[free][:, free], rhs)
    _remove_means(space, values, part, pinned)
    values.flags.writeable = False
    return NormalState(device, values, space, coefficients)


def _facets(device: Device, name: str) -> Index:
    return np.asarray(device.mesh.boundaries[name], np.int64)


def _clamped(device: Device, space: Space) -> tuple[Real, NDArray[np.bool_]]:
    """Values (nodes, 4) given by contacts, and which nodes they are given at."""
    values = np.zeros((len(space.nodes[0]), COMPONENTS))
    owner: dict[str, Index] = {}
    clamped = np.zeros(len(values), bool)
    for name, contact in device.contacts.items():
        if not isinstance(contact, NormalContact | CurrentContact):
            raise DeviceError(
                f"contact {name!r} is {contact!r}; the normal state needs NormalContact or CurrentContact"
            )
        if isinstance(contact, CurrentContact):
            continue
        nodes = space.facet_nodes(_facets(device, name))
        x = space.nodes[:, nodes]
        potential, spin = (evaluate(e, getattr(contact, e), x, f"contact {name!r}") for e in ("potential", "spin"))
        given = np.column_stack([potential, spin.T])
        shared = clamped[nodes]
        if abs(given - values[nodes])[shared].max(initial=0.0) > 1e-9:
            others = ", ".join(sorted({repr(other) for other, own in owner.items() if np.intersect1d(own, nodes).size}))
            raise DeviceError(f"contact {name!r} touches {others} with another potential or spin; separate them")
        values[nodes], clamped[nodes], owner[name] = given, True, nodes
    return values, clamped


def contact_load(device: Device, space: Space, cells: Index) -> Real:
    """What current contacts feed into some cells, at their nodes, in the units of the flux N0 J; shape (nodes, 4)."""
    load = np.zeros((len(space.nodes[0]), COMPONENTS))
    for name, contact in device.contacts.items():
        if isinstance(contact, CurrentContact):
            facets = _facets(device, name)
            chosen = facets[np.isin(device.mesh.f2t[0, facets], cells)]
            density = injected(contact) / facet_load(space, facets).sum()
            load += facet_load(space, chosen)[:, None] * density
    return load


def injected(contact: CurrentContact) -> Real:
    """Total flux (4,) that a contact feeds in, in units of N0 J: a charge current is 2 N0 J, a spin current N0 J."""
    return np.array([contact.current / 2, *contact.spin_current])


def _assemble(space: Space, coefficients: Coefficients) -> Any:
    dofs = (COMPONENTS * space.cells[:, :, None] + np.arange(COMPONENTS)).reshape(len(space.cells), -1)
    local = element_matrices(space, coefficients, np.arange(len(dofs)))
    rows, columns = np.broadcast_to(dofs[:, :, None], local.shape), np.broadcast_to(dofs[:, None, :], local.shape)
    size = COMPONENTS * len(space.nodes[0])
    return coo_array((local.ravel(), (rows.ravel(), columns.ravel())), shape=(size, size)).tocsr()


def _pins(
    device: Device, space: Space, coefficients: Coefficients, clamped: NDArray[np.bool_], load: Real
) -> tuple[Index, NDArray[np.bool_]]:  # fmt: skip
    """The connected part of each node, and the unknowns to fix because nothing else determines their level."""
    local = space.cells.shape[1]
    edges = np.repeat(space.cells[:, :1], local, axis=1).ravel(), space.cells.ravel()
    graph = coo_array((np.ones(space.cells.size), edges), shape=(len(clamped),) * 2)
    count, part = connected_components(graph, directed=False)
    table = coefficients.table
    columns = [column.RATE_SO, column.RATE_SF, column.HX, column.HY, column.HZ]
    active = np.flatnonzero(table[..., columns].any(axis=(1, 2)) | coefficients.gauge[..., 1:].any(axis=(1, 2, 3)))
    pinned = np.zeros((len(clamped), COMPONENTS), bool)
    for index in range(count):
        nodes = np.flatnonzero(part == index)
        if clamped[nodes].any():
            continue
        relaxes = np.isin(space.cells[active, 0], nodes).any()
        for component in range(1 if relaxes else COMPONENTS):
            _check_balance(load[nodes, component], NAMES[component], device)
            pinned[nodes[0], component] = True
    return part, pinned


def _check_balance(load: Real, what: str, device: Device) -> None:
    if abs(load.sum()) > BALANCE * abs(load).sum():
        raise DeviceError(
            f"the {what} currents of {', '.join(sorted(device.contacts))} into a part without a NormalContact do not "
            "add up to zero, and nothing there takes up the rest; balance them, or give one contact a potential"
        )


def _solve(matrix: Any, rhs: Real) -> Real:
    """Solution with one step of refinement; the symmetric part is positive definite, so that no pivoting is needed."""
    if not len(rhs):
        return rhs
    factor = splu(
        matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01, options={"SymmetricMode": True}
    )  # fmt: skip
    x = factor.solve(rhs)
    x = x + factor.solve(rhs - matrix @ x)
    size = abs(matrix) @ abs(x) + abs(rhs)
    if not np.isfinite(x).all() or abs(rhs - matrix @ x).max() > RESIDUAL * size.max():
        raise np.linalg.LinAlgError("the diffusion matrix is singular: is |kappa| above 1, or |theta| very large?")
    return np.asarray(x)


def _remove_means(space: Space, values: Real, part: Index, pinned: NDArray[np.bool_]) -> None:
    """Shift pinned components of a part to zero mean over its volume."""
    weight = np.zeros(len(values))
    np.add.at(weight, space.cells, np.einsum("cq,qi->ci", space.dx, space.phi))
    for node, component in zip(*np.nonzero(pinned), strict=True):
        own = np.flatnonzero(part == part[node])
        values[own, component] -= weight[own] @ values[own, component] / weight[own].sum()
