"""Interfaces of a device: facets with nodes on two sides, coefficients at their quadrature points, element kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import formula, kernel
from ..device.coefficient import evaluate
from ..device.contact import Reservoir
from ..device.device import Device
from ..device.facets import interface_facets
from ..device.interface import Interface
from ..errors import DeviceError
from ..frozen import FrozenRecord
from ..physics import interface as column
from ..physics.interface import filter_amplitudes, junction_density, junction_terms, transmission_channels
from ..physics.nambu import Spin, add, entries, scale, tilde
from ..physics.variations import accumulate, frame, get, modulus
from ..space.section import facet_basis
from ..space.space import Index, Real, Space
from .cells import adjoint, conjugate, fold, interpolate, to_real
from .workspace import JunctionSpace

# A barrier that conducts this many times better than the cells beside it counts as one that conducts just so much: the
# resistance that this adds is as small a part of theirs, and larger numbers would drown the rest of the matrix in
# rounding errors.
PERFECT = 1e8
# Names of the columns of the table, as in `physics.junction`.
COLUMNS = ("CONDUCTANCE", "MIX_ONE", "MIX_TWO", "MIXING", "MX", "MY", "MZ")


@dataclass(frozen=True, eq=False, repr=False)
class Junctions(FrozenRecord):
    """All barriers of a device, facet by facet.

    Attributes
    ----------
    facets
        The facet of the mesh each row belongs to, shape (facets,).
    nodes
        Nodes on side 1, then on side 2, matched in pairs, shape (facets, 2 nodes of a facet). Side 1 is that of the
        first cell of a facet (row 0 of the mesh's f2t); side 2 of a barrier towards a reservoir are ghosts.
    phi, dx
        Basis functions at quadrature points, shape (facets, points, nodes of a facet); weights (facets, points).
    table
        Coefficients in the order of `physics.junction`, shape (facets, points, JUNCTION_COLUMNS).
    kinds
        Row of `channels` of each facet, -1 where they are small; shape (facets,).
    channels
        Transparencies and shares of the channels of every contact that has them, filled up with shares 0;
        shape (contacts, channels, 2).
    linear
        Whether the terms are expanded to second order at the normal metal.
    """

    facets: Index
    nodes: Index
    phi: Real
    dx: Real
    table: Real
    kinds: Index
    channels: Real
    linear: bool

    def chosen(self, rows: NDArray[Any]) -> Junctions:
        """A part of the facets."""
        names = ("facets", "nodes", "phi", "dx", "table", "kinds")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    @property
    def normal_conductance(self) -> Real:
        """Normal-state conductance per area at the quadrature points, shape (facets, points)."""
        return np.asarray(self.table[..., column.CONDUCTANCE] * (1.0 + self.table[..., column.MIX_TWO]))


def barrier_facets(device: Device) -> dict[str | tuple[str, str], tuple[Interface, Index]]:
    """The interfaces of a device that are not transparent, with their facets."""
    return {
        key: (interface, interface_facets(device.sample, key))
        for key, interface in device.interfaces.items()
        if not interface.is_transparent
    }


def barrier_contacts(device: Device) -> list[str]:
    """Names of the contacts that are not rigid."""
    return [
        name for name, contact in device.contacts.items() if isinstance(contact, Reservoir) and not contact.is_rigid
    ]


def splitting(device: Device) -> tuple[Index, list[Index]]:
    """The barriers and the sets of facets with ghosts that a space of the device needs.

    Ghosts belong to magnetic insulators on the outer boundary, one set for each in the order of the interfaces, and to
    contacts with a barrier, in the order of `barrier_contacts`.
    """
    mesh = device.sample
    inner, ghosts = [np.empty(0, np.int64)], []
    for _, facets in barrier_facets(device).values():
        outside = mesh.f2t[1, facets] < 0
        inner.append(facets[~outside])
        if outside.any():
            ghosts.append(facets[outside])
    ghosts += [np.asarray(mesh.boundaries[name], np.int64) for name in barrier_contacts(device)]
    return np.concatenate(inner), ghosts


def build_junctions(device: Device, space: Space, *, linearized: bool = False) -> Junctions:
    """The interface terms of a device on a space that is split along them (`splitting`).

    Raises
    ------
    DeviceError
        If a coefficient is out of range at a quadrature point.
    """
    ghosts = iter(space.ghosts)
    parts: list[tuple[str, Interface, Index, Index]] = []
    for key, (barrier, facets) in barrier_facets(device).items():
        outside = space.mesh.f2t[1, facets] < 0
        own = facets[~outside]
        parts.append((f"interface {key!r}", barrier, own, space.facet_corners(own, 1)[0]))
        if outside.any():
            behind = _ghosts(space, facets[outside], *next(ghosts))
            parts.append((f"interface {key!r}", barrier, facets[outside], behind))
    for name in barrier_contacts(device):
        facets = np.asarray(space.mesh.boundaries[name], np.int64)
        towards: Any = device.contacts[name]
        behind = _ghosts(space, facets, *next(ghosts))
        parts.append((f"barrier of reservoir {name!r}", towards.barrier, facets, behind))
    return _join(space, parts, linearized)


def _ghosts(space: Space, facets: Index, nodes: Index, ghosts: Index) -> Index:
    """Ghosts of the nodes of facets, in their order."""
    return np.asarray(ghosts[np.searchsorted(nodes, space.facet_corners(facets)[0])])


def _join(space: Space, parts: list[tuple[str, Interface, Index, Index]], linear: bool) -> Junctions:
    facets = np.concatenate([own for _, _, own, _ in parts] + [np.empty(0, np.int64)])
    if not len(facets):
        table, none = np.zeros((0, 1, column.JUNCTION_COLUMNS)), np.zeros((0, 1))
        nodes = np.zeros((0, 2), np.int64)
        return Junctions(facets, nodes, none[..., None], none, table, facets, np.zeros((0, 1, 2)), linear)
    phi, dx, x = facet_basis(space, facets)
    nodes = np.concatenate([space.facet_corners(facets)[0], np.concatenate([other for *_, other in parts])], axis=1)
    table, kinds = np.zeros((*dx.shape, column.JUNCTION_COLUMNS)), np.full(len(facets), -1)
    channels: list[Real] = []
    first = 0
    for owner, barrier, own, _ in parts:
        rows = slice(first, first + len(own))
        table[rows] = _table(barrier, x[:, rows], owner)
        if barrier.transparencies is not None:
            kinds[rows] = len(channels)
            channels.append(_channels(barrier, owner))
        first += len(own)
    most = max((len(own) for own in channels), default=0)
    padded = np.zeros((len(channels), most, 2))
    padded[..., 0] = 1.0  # a transparency that may be divided by
    for row, pairs in zip(padded, channels, strict=True):
        row[: len(pairs)] = pairs
    return Junctions(facets, nodes, phi, dx, table, kinds, padded, linear)


def exchanged_junctions(junctions: Junctions) -> Real:
    """The table for the rows of b (`coefficients.exchanged`): M changes its sign in a spin filter, not in mixing."""
    table = junctions.table.copy()
    table[..., column.MIX_ONE] *= -1
    return table


def limited(junctions: Junctions, space: Space, conductivity: Real) -> Junctions:
    """The interface terms with conductances of at most PERFECT times that of the cells beside them.

    `conductivity` is sigma = 2 N0 D at the quadrature points of the cells, (cells, points).
    """
    if not len(junctions.facets):
        return junctions
    both = space.mesh.f2t[:, junctions.facets]
    cells = np.where(both >= 0, both, both[:1])
    thickness = space.dx.sum(axis=1)[cells] / junctions.dx.sum(axis=1)
    bound = PERFECT * (conductivity.max(axis=1)[cells] / thickness).max(axis=0)
    table = junctions.table.copy()
    table[..., column.CONDUCTANCE] = np.minimum(table[..., column.CONDUCTANCE], bound[:, None])
    return replace(junctions, table=table)


def _channels(barrier: Interface, owner: str) -> Real:
    assert barrier.transparencies is not None
    try:
        return transmission_channels(barrier.transparencies)
    except ValueError as error:
        raise DeviceError(f"{owner}: {error}") from error
    except Exception as error:
        raise DeviceError(f"{owner}: calling transparencies(tau) raised {error!r}") from error


def _table(barrier: Interface, x: Real, owner: str) -> Real:
    """Coefficients of a barrier at points (dim, facets, points)."""

    def value(name: str) -> Real:
        return np.asarray(evaluate(name, getattr(barrier, name), x, owner))

    table = np.zeros((*x.shape[1:], column.JUNCTION_COLUMNS))
    table[..., column.CONDUCTANCE] = value("conductance")
    table[..., column.MIX_ONE], table[..., column.MIX_TWO] = filter_amplitudes(value("polarization"))
    table[..., column.MIXING] = value("mixing")
    m = np.moveaxis(value("magnetization"), 0, -1)
    table[..., column.MX : column.MZ + 1] = m / np.linalg.norm(m, axis=-1, keepdims=True)
    return table


@formula
def linear_residual(like: Spin, h: Any, other: Any, a: Spin, a_other: Spin) -> Spin:
    """K a + K~ a* of two folded blocks: the gradient of a quadratic functional, by matrix entries."""
    n, total = len(like), scale(0.0, like)
    one, two = conjugate(a), conjugate(a_other)
    for c in range(n):
        total = add(total, scale(a[c], get(like, h.T, c)))
        total = add(total, scale(one[c], get(like, h.T, n + c)))
        total = add(total, scale(a_other[c], get(like, other.T, c)))
        total = add(total, scale(two[c], get(like, other.T, n + c)))
    return total


@kernel("interfaces at Matsubara frequencies")
def junction_elements(
    like: Spin, state: Any, nodes: Any, phi: Any, dx: Any, table: Any, kinds: Any, channels: Any, linear: bool,
    hessian: bool, space: JunctionSpace, residual: Any, scales: Any, tangent: Any,
) -> None:  # fmt: skip
    """Residual (facets, nodes, n), its scale and tangent (facets, pairs, 2n, 2n) of all facets; nodes of both sides."""
    half, zero, blocks = phi.shape[2], scale(0.0, like), space.blocks
    h11, h12, h22, h21 = space.h11, space.h12, space.h22, space.h21
    for f in range(len(nodes)):
        residual[f], scales[f], tangent[f] = 0.0, 0.0, 0.0
        own = channels[kinds[f]] if kinds[f] >= 0 else channels[0:0].reshape(0, 2)
        for q in range(phi.shape[1]):
            a1 = interpolate(like, state, nodes[f, :half], phi[f, q])
            a2 = interpolate(like, state, nodes[f, half:], phi[f, q])
            at1, at2 = (zero, zero) if linear else (a1, a2)
            g1, s1, g2, s2 = junction_terms(
                table[f, q], own, frame(at1, tilde(at1)), frame(at2, tilde(at2)), hessian or linear, h11, h12, h22
            )
            fold(like, h11)
            fold(like, h12)
            fold(like, h22)
            r1, r2 = entries(g1), entries(g2)
            if linear:
                adjoint(like, h12, h21)
                r1 = linear_residual(like, h11, h12, a1, a2)
                r2 = linear_residual(like, h22, h21, a2, a1)
                s1, s2 = modulus(r1), modulus(r2)
            for i in range(half):
                weight = 2.0 * dx[f, q] * phi[f, q, i]
                accumulate(residual[f], i, weight, conjugate(r1))
                accumulate(residual[f], half + i, weight, conjugate(r2))
                scales[f, i] += abs(weight) * s1
                scales[f, half + i] += abs(weight) * s2
            if hessian:
                to_real(like, h11, blocks[0])
                to_real(like, h12, blocks[1])
                to_real(like, h22, blocks[2])
                add_pairs(dx[f, q], phi[f, q], blocks, tangent[f])


@formula
def add_pairs(weight: float, phi: Any, blocks: Any, out: Any) -> None:
    """Contract the blocks (11, 12, 22) with the basis functions of all pairs i <= j of the nodes of both sides."""
    half = len(phi)
    pair = 0
    for j in range(2 * half):
        for i in range(j + 1):
            block = blocks[(1 if i >= half else 0) + (1 if j >= half else 0)]
            factor = weight * phi[i % half] * phi[j % half]
            for r in range(len(block)):
                for c in range(len(block)):
                    out[pair, r, c] += factor * block[r, c]
            pair += 1


@kernel("energies of interfaces")
def junction_energy(
    like: Spin, state: Any, nodes: Any, phi: Any, dx: Any, table: Any, kinds: Any, channels: Any
) -> float:  # fmt: skip
    """Integral of the interface terms, measured from the normal state."""
    half = phi.shape[2]
    total = 0.0
    for f in range(len(nodes)):
        own = channels[kinds[f]] if kinds[f] >= 0 else channels[0:0].reshape(0, 2)
        for q in range(phi.shape[1]):
            a1 = interpolate(like, state, nodes[f, :half], phi[f, q])
            a2 = interpolate(like, state, nodes[f, half:], phi[f, q])
            one, two = frame(a1, tilde(a1)), frame(a2, tilde(a2))
            total += dx[f, q] * junction_density(table[f, q], own, one, two).real
    return total
