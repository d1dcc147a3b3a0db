"""A direction in the space of all that a device is made of: what grows with a parameter, and at which rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fem.cells import GAUGE, SPIN_CHARGE
from ..fem.coefficients import Coefficients, mesh_levi_civita
from ..fem.electrodes import Electrode
from ..fem.interfaces import Junctions
from ..fem.problem import Problem
from ..fem.sector import find_sector
from ..frozen import FrozenRecord
from ..physics import columns as column
from ..physics import interface as barrier
from ..physics.columns import CHANNEL_COLUMNS, GAUGE_COLUMNS

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Pull(FrozenRecord):
    """How the value that a reservoir imposes grows: its gap (nodes,) and its exchange field (3, nodes)."""

    gap: Complex
    exchange: Real


@dataclass(frozen=True, eq=False)
class Direction(FrozenRecord):
    """Rates of change with one parameter.

    Attributes
    ----------
    table
        Of the coefficients, in the order of `coefficients.table` of its problem; None: they stay.
    interfaces
        Of the coefficients of interfaces, in the order of `interfaces.table`; None: they stay.
    electrodes
        Of what reservoirs impose, by their names.
    temperature
        Of the temperature.
    log_tc
        Of ln Tc where the gap is unknown, shape (cells, points); None: it stays.
    """

    table: Real | None = None
    interfaces: Real | None = None
    electrodes: Mapping[str, Pull] = field(default_factory=dict)
    temperature: float = 0.0
    log_tc: Real | None = None

    def __add__(self, other: Direction) -> Direction:
        pulls = dict(self.electrodes)
        for name, pull in other.electrodes.items():
            own = pulls.get(name)
            pulls[name] = pull if own is None else Pull(own.gap + pull.gap, own.exchange + pull.exchange)
        return Direction(
            _sum(self.table, other.table), _sum(self.interfaces, other.interfaces), pulls,
            self.temperature + other.temperature, _sum(self.log_tc, other.log_tc),
        )  # fmt: skip


def _sum(one: Real | None, two: Real | None) -> Real | None:
    if one is None or two is None:
        return two if one is None else one
    return one + two


def with_room(problem: Problem, *, gauge: bool, spin_charge: bool) -> Problem:
    """The same problem with columns for gauge fields, and for isotropic theta and kappa, that are zero until now."""
    own, space = problem.coefficients, problem.space
    table, kinds, pairs = own.table, own.kinds, own.pairs
    if gauge:
        kinds = kinds | GAUGE
    if gauge and not own.gauge.shape[2]:
        none = np.zeros((*space.dx.shape, GAUGE_COLUMNS * space.dim))
        local = column.COEFFICIENTS
        table = np.concatenate([table[..., :local], none, table[..., local:]], axis=-1)
    if spin_charge and space.dim > 1:
        first, second = np.triu_indices(space.dim, 1)
        vectors = mesh_levi_civita(problem.device.axes)[first, second]
        rows = np.concatenate([vectors, np.zeros((len(vectors), 2))], axis=1).ravel()
        table = np.concatenate([table, np.broadcast_to(rows, (*space.dx.shape, len(rows)))], axis=-1)
        kinds, pairs = kinds | SPIN_CHARGE, np.concatenate([pairs, np.stack([first, second], axis=1)])
    if table is own.table and np.array_equal(kinds, own.kinds):
        return problem
    for array in (table, kinds, pairs):
        array.flags.writeable = False
    return _with(problem, coefficients=Coefficients(table, kinds.astype(np.int8), pairs))


def own_channels(problem: Problem) -> slice:
    """The columns of the channels that `with_room` has added for theta and kappa."""
    count = problem.space.dim * (problem.space.dim - 1) // 2
    return slice(problem.coefficients.table.shape[2] - count * CHANNEL_COLUMNS, None)


def in_common_sector(problem: Problem, *directions: Direction) -> Problem:
    """The problem in the smallest sector that holds its solution and the changes along all directions."""
    own, junctions, electrodes = problem.coefficients, problem.interfaces, dict(problem.electrodes)
    tables, kinds, barriers = [own.table], [own.kinds], [junctions.table]
    for number, direction in enumerate(directions):
        if direction.table is not None:
            tables.append(_seen(own, direction.table))
            kinds.append(own.kinds)
        if direction.interfaces is not None:
            barriers.append(_seen_barriers(junctions, direction.interfaces))
        for name, pull in direction.electrodes.items():
            electrodes[f"{name} {number}"] = Electrode(electrodes[name].nodes, pull.gap, pull.exchange)
    stacked = Coefficients(np.concatenate(tables), np.concatenate(kinds), own.pairs)
    found = find_sector(
        stacked, replace(junctions, table=np.concatenate(barriers)), electrodes, np.zeros((0, 3))
    )  # fmt: skip
    held = problem.sector
    if found.entries < held.entries or (found.name == held.name and np.array_equal(found.axis, held.axis)):
        return problem
    return _with(problem, sector=found)


def _seen_barriers(junctions: Junctions, change: Real) -> Real:
    """The change of the coefficients of interfaces with the magnetisation that what it moves belongs to."""
    table, axis = change.copy(), slice(barrier.MX, barrier.MZ + 1)
    turned = abs(table[..., axis]).max(axis=-1) > 0
    moved = abs(table[..., [barrier.MIXING, barrier.MIX_ONE, barrier.MIX_TWO]]).max(axis=-1) > 0
    table[..., barrier.MIXING] = np.where(turned, 1.0, table[..., barrier.MIXING])
    table[..., axis] += np.where((moved & ~turned)[..., None], junctions.table[..., axis], 0.0)
    return table


def _seen(own: Coefficients, change: Real) -> Real:
    """The change of the coefficients with all channels that it moves as vectors of their own."""
    table = change.copy()
    first = table.shape[2] - len(own.pairs) * CHANNEL_COLUMNS
    for start in range(first, table.shape[2], CHANNEL_COLUMNS):
        moved = (table[..., start + 3 : start + 5] != 0).any(axis=-1)
        table[..., start : start + 3] += np.where(moved[..., None], own.table[..., start : start + 3], 0.0)
        turned = (change[..., start : start + 3] != 0).any(axis=-1)
        table[..., start + 3] = np.where(turned, 1.0, table[..., start + 3])
    return table


def changed(problem: Problem, direction: Direction, step: float) -> Problem:
    """The problem a finite step along the direction, in the same sector and on the same space."""
    made: dict[str, Any] = {}
    if direction.table is not None:
        own = problem.coefficients
        made["coefficients"] = Coefficients(own.table + step * direction.table, own.kinds, own.pairs)
    if direction.interfaces is not None:
        made["interfaces"] = moved_junctions(problem.interfaces, step * direction.interfaces)
    if direction.electrodes:
        pulled = {
            name: replace(
                problem.electrodes[name], gap=problem.electrodes[name].gap + step * pull.gap,
                exchange=problem.electrodes[name].exchange + step * pull.exchange,
            )
            for name, pull in direction.electrodes.items()
        }  # fmt: skip
        made["electrodes"] = {**problem.electrodes, **pulled}
    return _with(problem, **made) if made else problem


def moved_junctions(junctions: Junctions, change: Real) -> Junctions:
    """The interface terms with other coefficients."""
    return replace(junctions, table=junctions.table + change)


def _with(problem: Problem, **made: Any) -> Problem:
    """The problem with parts replaced that leave its nodes and the sparsity of its spin matrices as they are."""
    new = replace(problem, **made)
    if "sector" not in made:
        for name in ("clamped", "pattern"):
            if name in vars(problem):
                vars(new)[name] = getattr(problem, name)
    return new
