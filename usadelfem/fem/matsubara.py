"""The Usadel equation at one Matsubara frequency as a nonlinear system over the nodes of a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..checks import choice
from ..device.coefficient import evaluate, uniform
from ..device.contact import Reservoir
from ..device.device import Device
from ..device.material import Material
from ..errors import DeviceError
from ..frozen import FrozenRecord
from ..physics import columns as column
from ..physics.riccati import bulk, tilde_entries
from ..physics.thermal import bcs_gap
from ..space.space import Index, Real, Space, build_space
from .assembly import Complex, Pattern, Timings, add_junctions, assemble, build_pattern
from .coefficients import Coefficients, point_coefficients
from .conduction import electrode
from .conjugates import CellTables, cell_tables, static_conjugates_of, sum_changes, sum_conjugates
from .interfaces import Junctions, build_junctions, limited, splitting
from .sector import SECTORS, Sector, find_sector, full_sector

Contacts = dict[str, tuple[Index, Complex, Real]]


@dataclass(frozen=True, eq=False, repr=False)
class Spectral(FrozenRecord):
    """Residual and tangent of the functional, with the nodes of the contacts clamped.

    Attributes
    ----------
    space, coefficients
        The discretisation and the coefficients at its quadrature points.
    pattern
        Sparsity of the tangent over the free nodes.
    sector
        The spin matrices that are unknowns; states have all entries, whatever the sector.
    junctions
        The interface terms.
    contacts
        Contact name -> (nodes, complex gap (nodes,), exchange field (3, nodes)) of its reservoir: the nodes that are
        clamped, ghosts where the contact has a barrier.
    linearized
        Whether this is the weak-proximity equation, linear in a.
    timings
        Where the seconds spent in assembly are added up.
    """

    space: Space
    coefficients: Coefficients
    pattern: Pattern
    sector: Sector
    junctions: Junctions
    contacts: Contacts
    linearized: bool = False
    timings: Timings = field(default_factory=Timings)

    def clamp(self, w: float, state: Complex) -> Complex:
        """A copy of the state with the nodes of the contacts set to the values of their reservoirs at w.

        It lies in the sector: steps never take out what rounding adds outside of it, and predictions let that grow.
        """
        clamped = state.copy() if self.sector.name == "full" else self.sector.expand(self.sector.reduce(state))
        for nodes, gap, exchange in self.contacts.values():
            clamped[nodes] = bulk(w, gap, exchange, linearized=self.linearized)
        return clamped

    def residual(self, w: float, state: Complex) -> tuple[Real, float]:
        """Residual over the free unknowns, and the size of the terms it is to be compared with."""
        reduced = self.sector.reduce(state)
        residual, scale, _ = assemble(self.space, self.aligned[0], w, reduced, timings=self.timings)
        add_junctions(self.aligned[1], reduced, residual, scale)
        return self.free(residual), float(scale.max(initial=0.0))

    def linearize(self, w: float, state: Complex) -> tuple[Real, float, Real]:
        """Residual, its size, and the values of the upper-triangular CSR tangent."""
        pattern, reduced = self.pattern, self.sector.reduce(state)
        residual, scale, values = assemble(
            self.space, self.aligned[0], w, reduced, pattern=pattern, timings=self.timings
        )
        add_junctions(self.aligned[1], reduced, residual, scale, pattern=pattern, values=values)
        return self.free(residual), float(scale.max(initial=0.0)), values

    def phase_force(self, w: float, state: Complex, cells: Index, nodes: Any) -> Real:
        """dF/dtheta if the phase of the states of some nodes (sets, nodes) grows by theta; shape (sets,).

        Of the terms of some cells and of all interfaces.
        """
        reduced = self.sector.reduce(state)
        residual, scale, _ = assemble(
            self.space, self.aligned[0], w, reduced, chosen=cells, timings=self.timings
        )  # fmt: skip
        add_junctions(self.aligned[1], reduced, residual, scale)
        return np.asarray(nodes @ (reduced.conj() * residual).imag.sum(axis=1))

    @cached_property
    def aligned(self) -> tuple[Coefficients, Junctions]:
        """Coefficients and interface terms in the frame of the sector."""
        return self.sector.coefficients(self.coefficients), self.sector.junctions(self.junctions)

    @cached_property
    def tables(self) -> CellTables:
        """What kernels read of the cells, in the frame of the sector."""
        return cell_tables(self.space, self.aligned[0])

    def conjugates(
        self, places: Sequence[int], weights: ArrayLike, states: Sequence[Complex] | Complex, *,
        frequencies: ArrayLike = 0.0, chosen: Index | None = None,
    ) -> Real:  # fmt: skip
        """The sum of weights times df/dc over states (nodes, 4), shape (places, cells, points); per density of states.

        Spin vectors are those in the frame of the sector (`Sector.vectors`). The frequencies matter to f itself, the
        conjugate of N0, only.
        """
        w, weight = np.broadcast_arrays(*np.atleast_1d(frequencies, weights))
        each = zip(w, weight, map(self.sector.reduce, states), strict=True)
        return sum_conjugates(self.sector.like, self.space, self.tables, places, each, chosen).real

    def pointwise(self, places: Sequence[int], values: Complex) -> Complex:
        """Conjugates that need no gradients, of matrices a (..., 4); shape (places, ...)."""
        sector = self.sector
        a, b = sector.reduce(values), sector.reduce(tilde_entries(values))
        return static_conjugates_of(sector.like, a, b, places, linear=self.linearized)

    def changes(
        self, places: Sequence[int], weights: ArrayLike, states: Sequence[Complex] | Complex,
        changes: Sequence[Complex], *, chosen: Index | None = None,
    ) -> Real:  # fmt: skip
        """The same of the changes of df/dc with changes (nodes, n) of the states, in coordinates of the sector."""
        weight = np.atleast_1d(weights)
        each = zip(np.zeros(len(weight)), weight, map(self.sector.reduce, states), changes, strict=True)
        return sum_changes(self.sector.like, self.space, self.tables, places, each, chosen).real

    @property
    def gap(self) -> Complex:
        """The order parameter at the quadrature points, shape (cells, points)."""
        table = self.coefficients.table
        return np.asarray(table[..., column.GAP_RE] + 1j * table[..., column.GAP_IM])

    def with_table(self, table: Real) -> Spectral:
        """The system with other values of its coefficients, in the order of `coefficients.table`."""
        table.flags.writeable = False
        return replace(self, coefficients=replace(self.coefficients, table=table))

    def moved(self, state: Complex, step: Real) -> Complex:
        """The state after a step of the free unknowns."""
        moved = state.copy()
        moved[self.pattern.free] += self.sector.expand(self._coordinates(step))
        return moved

    def unknowns(self, state: Complex) -> Real:
        """The free unknowns of a state, in the order of a step."""
        return self.free(self.sector.reduce(state))

    def reduced_change(self, step: Real) -> Complex:
        """The change of the state with a step of the free unknowns, in the coordinates (nodes, n) of the sector."""
        change = np.zeros((self.space.nodes.shape[1], self.sector.entries), complex)
        change[self.pattern.free] = self._coordinates(step)
        return change

    def free(self, residual: Complex) -> Real:
        """A residual by coordinates (nodes, n), over the free unknowns."""
        return np.asarray(residual[self.pattern.free].reshape(-1).view(float))

    def _coordinates(self, step: Real) -> Complex:
        return step.view(complex).reshape(-1, self.sector.entries)


def _exchange(table: Real) -> Real:
    return np.asarray(np.linalg.norm(table[..., column.HX : column.HZ + 1], axis=-1))


def energy_scale(system: Spectral) -> float:
    """The largest gap or exchange field in a device: the energy up to which its spectra have structure."""
    table = system.coefficients.table
    values = [np.hypot(table[..., column.GAP_RE], table[..., column.GAP_IM]), _exchange(table)]
    for _, gap, exchange in system.contacts.values():
        values += [abs(gap), np.linalg.norm(exchange, axis=0)]
    return float(max(value.max(initial=0.0) for value in values))


def coarseness(system: Spectral, w: float) -> float:
    """Largest cell size in units of the local decay length sqrt(D / |w + i h|), the shortest length of a solution."""
    table, space = system.coefficients.table, system.space
    length = np.sqrt(table[..., column.D] / np.hypot(w, _exchange(table)))
    size = space.dx.sum(axis=1) ** (1 / space.dim)
    return float((size[:, None] / length).max())


def _contact_values(device: Device, space: Space, temperature: float | None) -> Contacts:
    values: Contacts = {}
    for name, reservoir in device.contacts.items():
        if not isinstance(reservoir, Reservoir):
            raise DeviceError(
                f"contact {name!r} is {reservoir!r}; allowed is a Reservoir (a normal one is Reservoir(gap=0)), the "
                "others belong to solve_normal_state"
            )
        facets = np.asarray(space.mesh.boundaries[name], np.int64)
        nodes = electrode(device, space, name)
        x, owner = space.nodes[:, nodes], f"reservoir {name!r}"
        phase, exchange = (evaluate(entry, getattr(reservoir, entry), x, owner) for entry in ("phase", "exchange"))
        if reservoir.gap is None:
            gap = np.full(len(nodes), _bulk_gap(device, space, facets, name, temperature), complex)
        else:
            gap = evaluate("gap", reservoir.gap, x, owner)
        values[name] = nodes, gap * np.exp(1j * phase), exchange
    _check_shared_nodes(values)
    return values


def _bulk_gap(device: Device, space: Space, facets: Index, name: str, temperature: float | None) -> float:
    """The gap of a reservoir of the metal that its contact touches."""
    touched = np.unique(space.mesh.f2t[0, facets])
    regions = [r for r in device.conductors if np.isin(space.mesh.subdomains[r], touched).any()]
    material = device.conductors[regions[0]]
    owner = f"reservoir {name!r}"
    gap, tc = uniform(material.gap), uniform(material.Tc)
    if len(regions) == 1 and tc is not None and temperature is not None:
        if _breaks_pairs(material):
            raise DeviceError(
                f"{owner} has no gap, and {regions[0]!r}, which it touches, has an exchange field or pair breaking, so "
                "that its bulk gap is not the one of a clean superconductor; give gap=..."
            )
        return bcs_gap(temperature, tc.real)
    if len(regions) == 1 and gap:
        return abs(gap)
    raise DeviceError(
        f"{owner} has no gap, and the metal it touches ({', '.join(regions)}) is not one superconductor with a uniform "
        "Tc or gap; give gap=... (0 for a normal reservoir)"
    )


def _breaks_pairs(material: Material) -> bool:
    values = [(row.fill, getattr(material, row.coefficients[0])) for row in column.LOCAL if row.breaks_pairs]
    return any(callable(value) or (fill and np.any(fill(np.asarray(value)))) for fill, value in values)


def _check_shared_nodes(values: Contacts) -> None:
    """Two contacts may share a node, such as a corner, only if their reservoirs impose the same value there."""
    names = list(values)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            _, one, two = np.intersect1d(values[first][0], values[second][0], return_indices=True)
            jump = abs(values[first][1][one] - values[second][1][two])
            turn = abs(values[first][2][:, one] - values[second][2][:, two])
            size = max(np.max(abs(part), initial=0.0) for own in (first, second) for part in values[own][1:])
            if max(jump.max(initial=0.0), turn.max(initial=0.0)) > 1e-9 * size:
                raise DeviceError(
                    f"contacts {first!r} and {second!r} touch at {len(one)} nodes but impose different gap, phase or "
                    "exchange there; separate them, or give values that agree where they meet"
                )


def build_spectral(
    device: Device, order: int, *, linearized: bool = False, temperature: float | None = None, potential: bool = False,
    sector: str = "auto",
) -> Spectral:  # fmt: skip
    """Discretise a device.

    The temperature is needed for reservoirs whose gap is that of a bulk superconductor; `potential` makes room for a
    vector potential that changes; `sector` is "auto" (the smallest spin sector) or "full".

    Raises
    ------
    ValueError
        If order is not 1 or 2, or there is no such sector.
    DeviceError
        As `point_coefficients`; also if a contact is not a Reservoir, or two meet at a node with different values.
    """
    choice("sector", sector, SECTORS)
    barriers, ghosts = splitting(device)
    space = build_space(device.sample, order, barriers=barriers, ghosts=ghosts)
    coefficients = point_coefficients(device, space, linearized=linearized, potential=potential)
    table = coefficients.table
    junctions = limited(
        build_junctions(device, space, linearized=linearized), space, 2 * table[..., column.N0] * table[..., column.D]
    )
    contacts = _contact_values(device, space, temperature)
    clamped = [nodes for nodes, *_ in contacts.values()] + [own for _, own in space.ghosts]
    own = full_sector() if sector == "full" else find_sector(coefficients, junctions, contacts)
    every = np.unique(np.concatenate([*clamped, np.empty(0, np.int64)]))
    pattern = build_pattern(space, every, junctions.nodes, unknowns=2 * own.entries)
    return Spectral(space, coefficients, pattern, own, junctions, contacts, linearized)
