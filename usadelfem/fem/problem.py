"""A discretised device: what the equations at imaginary and real energies and in the normal state stand on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import choice
from ..device.contact import Reservoir
from ..device.device import Device
from ..device.material import Coefficient
from ..frozen import FrozenRecord
from ..numerics.linear import LinearSolver, linear_solver
from ..numerics.solvers import SolverPool
from ..physics import columns as column
from ..space.nested import corner_interpolation
from ..space.pattern import Pattern, build_pattern
from ..space.space import Index, Real, Space, build_space
from .assembly import Timings
from .coefficients import Coefficients, exchanged, point_coefficients
from .conjugates import CellTables, cell_tables
from .electrodes import Electrodes, build_electrodes, spin_biases
from .interfaces import Junctions, build_junctions, exchanged_junctions, limited, splitting
from .sector import SECTORS, Sector, find_sector, full_sector

Complex = NDArray[np.complex128]

MOST_KEPT = 4  # discretisations that devices with the same mesh and materials share


@dataclass(frozen=True, eq=False, repr=False)
class Problem(FrozenRecord):
    """A device on a finite-element space, with all that its equations read.

    Attributes
    ----------
    device
        The device.
    space, coefficients
        The discretisation and the coefficients at its quadrature points.
    interfaces
        The interface terms.
    electrodes
        The reservoirs by the names of their contacts; none in the normal state.
    sector
        The spin matrices that are unknowns.
    temperature
        What the gaps of reservoirs without a given one belong to; None where there are none.
    linearized
        Whether the weak-proximity equation is meant, linear in a.
    biased
        Whether its reservoirs may differ in voltage, temperature and spin bias.
    timings
        Where the seconds spent in assembly are added up.
    solvers
        Linear solvers that have analysed the pattern, for the next one who needs one.
    """

    device: Device
    space: Space
    coefficients: Coefficients
    interfaces: Junctions
    electrodes: Electrodes
    sector: Sector
    temperature: float | None = None
    linearized: bool = False
    biased: bool = False
    timings: Timings = field(default_factory=Timings)
    solvers: SolverPool = field(default_factory=SolverPool)

    @cached_property
    def clamped(self) -> Index:
        """The nodes of the electrodes, and the ghosts of insulators."""
        nodes = [own.nodes for own in self.electrodes.values()] + [own for _, own in self.space.ghosts]
        return np.unique(np.concatenate([*nodes, np.empty(0, np.int64)]))

    @cached_property
    def pattern(self) -> Pattern:
        """Sparsity of the tangent over the free nodes, 2n unknowns each: real ones at Matsubara frequencies."""
        return build_pattern(self.space, self.clamped, self.interfaces.nodes, unknowns=2 * self.sector.entries)

    @cached_property
    def aligned(self) -> tuple[Coefficients, Junctions]:
        """Coefficients and interface terms in the frame of the sector."""
        return self.sector.coefficients(self.coefficients), self.sector.junctions(self.interfaces)

    @cached_property
    def exchanged(self) -> tuple[Real, Real]:
        """The tables of `aligned` as the equation of b has them in place."""
        own, junctions = self.aligned
        return exchanged(own), exchanged_junctions(junctions)

    @cached_property
    def tables(self) -> CellTables:
        """What kernels read of the cells at Matsubara frequencies, in the frame of the sector."""
        return cell_tables(self.space, self.aligned[0])

    @property
    def gap(self) -> Complex:
        """The order parameter at the quadrature points, shape (cells, points)."""
        table = self.coefficients.table
        return np.asarray(table[..., column.GAP_RE] + 1j * table[..., column.GAP_IM])

    def with_columns(self, table: Real) -> Problem:
        """The problem with other values of its coefficients, in the order of `coefficients.table`."""
        table.flags.writeable = False
        made = replace(self, coefficients=replace(self.coefficients, table=table))
        return self._sharing(made)

    def with_phase(self, contact: str, phase: Coefficient) -> Problem:
        """The problem with another superconducting phase (radians) of one reservoir.

        Raises
        ------
        DeviceError
            As `Device.with_phase`.
        """
        return self.with_device(self.device.with_phase(contact, phase), self.temperature)

    def with_temperature(self, temperature: float | None) -> Problem:
        """The problem with the bulk gaps of its reservoirs at another temperature."""
        return self.with_device(self.device, temperature)

    def with_device(self, device: Device, temperature: float | None) -> Problem:
        """The problem of a device that differs in the phases of its reservoirs only."""
        same = temperature == self.temperature
        known = {}
        for name, own in self.electrodes.items():
            contact = device.contacts[name]
            given = isinstance(contact, Reservoir) and contact.gap is not None and contact.temperature is None
            if (same or given) and contact is self.device.contacts[name]:
                known[name] = own
        electrodes = build_electrodes(device, self.space, temperature, known, biased=self.biased)
        return self._sharing(replace(self, device=device, electrodes=electrodes, temperature=temperature))

    def borrow_solver(self, kind: str, dtype: type, slots: int = 1) -> LinearSolver:
        """A solver for the pattern that keeps factors of so many matrices; `return_solver` takes it back.

        Raises
        ------
        ValueError, ImportError
            As `linear_solver`.
        """
        make = partial(
            linear_solver, self.pattern.indptr, self.pattern.indices, block=self.pattern.unknowns, kind=kind,
            dtype=dtype, slots=slots, coarse=self.linear_elements, dim=self.space.dim,
        )  # fmt: skip
        return self.solvers.borrow((kind, dtype, slots), make)

    def linear_elements(self) -> Any:
        """Values at the free nodes from those at free corners, of functions linear in cells; None if all are linear."""
        free = self.pattern.free
        corners = np.flatnonzero(np.isin(self.space.corners, free))
        if self.space.order == 1 or not len(corners):
            return None
        return corner_interpolation(self.space)[free][:, corners]

    def return_solver(self, solver: LinearSolver, kind: str, dtype: type, slots: int = 1) -> None:
        """Free the factors of a borrowed solver, which nobody uses any longer; what it knows of the pattern is kept."""
        self.solvers.give((kind, dtype, slots), solver)

    def _sharing(self, made: Problem) -> Problem:
        """What depends on space and electrodes' places only, known already."""
        for name in ("clamped", "pattern"):
            vars(made)[name] = getattr(self, name)
        return made

    def __getstate__(self) -> dict[str, object]:
        """Without what is made from the rest, and large."""
        return {name: value for name, value in vars(self).items() if name not in ("aligned", "exchanged", "tables")}


def energy_scale(problem: Problem) -> float:
    """The largest gap or exchange field in a device: the energy up to which its spectra have structure."""
    table = problem.coefficients.table
    values = [np.hypot(table[..., column.GAP_RE], table[..., column.GAP_IM]), _exchange(table)]
    for own in problem.electrodes.values():
        values += [abs(own.gap), np.linalg.norm(own.exchange, axis=0)]
    return float(max(value.max(initial=0.0) for value in values))


def coarseness(problem: Problem, w: float) -> float:
    """Largest cell size in units of the local decay length sqrt(D / |w + i h|), the shortest length of a solution."""
    table, space = problem.coefficients.table, problem.space
    length = np.sqrt(table[..., column.D] / np.hypot(w, _exchange(table)))
    size = space.dx.sum(axis=1) ** (1 / space.dim)
    return float((size[:, None] / length).max())


def _exchange(table: Real) -> Real:
    return np.asarray(np.linalg.norm(table[..., list(column.EXCHANGE_FIELD)], axis=-1))


def build_problem(
    device: Device, order: int, *, linearized: bool = False, temperature: float | None = None, potential: bool = False,
    sector: str = "auto", normal: bool = False, biased: bool = False,
) -> Problem:  # fmt: skip
    """Discretise a device; what a device with the same mesh and materials has left is taken from it.

    The temperature is needed for reservoirs whose gap is that of a bulk superconductor; `potential` makes room for a
    vector potential that changes; `sector` is "auto" (the smallest spin sector) or "full"; `normal` leaves out the
    reservoirs, for equations of the normal state; reservoirs of a `biased` problem may differ in voltage, temperature
    and spin bias, which then belongs to what its sector holds.

    Raises
    ------
    ValueError
        If order is not 1 or 2, or there is no such sector.
    DeviceError
        As `point_coefficients`; also if a contact is not a Reservoir, or two meet at a node with different values.
    """
    choice("sector", sector, SECTORS)
    order = int(order)
    key = order, linearized, potential, sector, normal, biased
    known: Problem | None = device.kept.get(key)
    if known is None:
        known = _discretised(device, order, linearized, temperature, potential, sector, normal, biased)
        while len(device.kept) >= MOST_KEPT:
            device.kept.pop(next(iter(device.kept)), None)
        device.kept[key] = known
    if normal or (known.device is device and known.temperature == temperature):
        return known if known.device is device else replace(known, device=device)
    return known.with_device(device, temperature)


def _discretised(
    device: Device, order: int, linearized: bool, temperature: float | None, potential: bool, sector: str, normal: bool,
    biased: bool,
) -> Problem:  # fmt: skip
    barriers, ghosts = splitting(device)
    space = build_space(device.sample, order, barriers=barriers, ghosts=ghosts)
    coefficients = point_coefficients(device, space, linearized=linearized, potential=potential)
    table = coefficients.table
    interfaces = limited(
        build_junctions(device, space, linearized=linearized), space, 2 * table[..., column.N0] * table[..., column.D]
    )
    electrodes = {} if normal else build_electrodes(device, space, temperature, biased=biased)
    spins = spin_biases(device) if biased else np.zeros((0, 3))
    own = full_sector() if sector == "full" or normal else find_sector(coefficients, interfaces, electrodes, spins)
    return Problem(device, space, coefficients, interfaces, electrodes, own, temperature, linearized, biased)
