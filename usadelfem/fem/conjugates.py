"""Conjugates of the coefficients in the cells of a device: what observables, torques and field equations are made of.

One kernel sums df/dc over states, one its change with the state; both take Matsubara states (nodes, n), with b from a,
and retarded ones (nodes, 2n). All are per density of states, as in `physics.conjugates`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import formula, kernel, readonly
from ..compilation.threads import in_order
from ..physics.columns import (
    CHANNEL_COLUMNS,
    COEFFICIENTS,
    FIRST_GAUGE,
    GAP_IM,
    GAP_RE,
    GAUGE_COLUMNS,
    HZ,
    LOCAL,
    N0,
    VERTEX_COLUMN,
    D,
)
from ..physics.conjugate_changes import conjugate_changes
from ..physics.conjugates import CONJUGATE_ROWS, DENSITY, KINETIC, RATES, conjugates, deviation, static_conjugates
from ..physics.functional import first_variation, static_energy
from ..physics.nambu import Spin, entries, scale, tilde
from ..physics.variations import accumulate, frame, get
from ..space.space import Index, Real, Space
from .cells import LINEAR, SPIN_CHARGE, conjugate, derivatives, gradients, interpolate, partner_derivatives
from .coefficients import Coefficients

Complex = NDArray[np.complex128]

CHUNK = 1000  # cells that a thread works on at a time


class CellTables(NamedTuple):
    """What the kernels read of cells and of their coefficients, the latter also as the equation of b has them."""

    cells: Index
    phi: Real
    dphi: Real
    inverse: Real
    table: Real
    exchanged: Real
    kinds: NDArray[np.int64]
    pairs: Index


class ConjugateSpace(NamedTuple):
    """Space for one point: gradients of the basis functions, D_k a and D_k b, their changes, scratch rows, values."""

    grad: Real
    dz: Complex
    ddz: Complex
    rows: Complex
    values: Complex


def cell_tables(space: Space, own: Coefficients, exchanged: Real | None = None) -> CellTables:
    """The tables of coefficients in the frame of a sector; `exchanged` for states that hold b."""
    partner = own.table if exchanged is None else exchanged
    return CellTables(
        *readonly(space.cells, space.phi, space.dphi, space.inverse, own.table, partner, own.kinds, own.pairs)
    )


def conjugate_space(n: int, space: Space, channels: int) -> ConjugateSpace:
    """Space for matrices of n entries and so many channels."""
    dim = space.dim
    dz, rows = np.zeros((2, 2, dim, n), complex), np.zeros((CONJUGATE_ROWS, dim, n), complex)
    values = np.zeros(FIRST_GAUGE + GAUGE_COLUMNS * dim + CHANNEL_COLUMNS * channels, complex)
    return ConjugateSpace(np.zeros((space.cells.shape[1], dim)), dz[0], dz[1], rows, values)


def parts_of(places: Iterable[int]) -> int:
    """Which parts of the conjugates have to be computed for those numbered `places`."""
    parts = 0
    for place in places:
        if place == N0:
            parts |= RATES | KINETIC | DENSITY
        elif place == D or place >= FIRST_GAUGE:
            parts |= KINETIC
        elif place in VERTEX_COLUMN:
            parts |= RATES
    return parts


def gauge_columns(dim: int, components: Iterable[int]) -> tuple[int, ...]:
    """Places among the conjugates of components of the gauge fields, 0 for A and 1, 2, 3 for SU, along all axes."""
    own = tuple(components)
    return tuple(FIRST_GAUGE + GAUGE_COLUMNS * k + component for k in range(dim) for component in own)


def conjugate_places(own: Coefficients, dim: int) -> list[int]:
    """The place among the conjugates of every column of a table, which may be without gauge fields."""
    channels = CHANNEL_COLUMNS * len(own.pairs)
    gauge = own.table.shape[2] - COEFFICIENTS - channels
    first = FIRST_GAUGE + GAUGE_COLUMNS * dim
    return [*range(COEFFICIENTS), *range(FIRST_GAUGE, FIRST_GAUGE + gauge), *range(first, first + channels)]


@formula
def both(like: Spin, state: Any, nodes: Any, weights: Any) -> tuple[Spin, Spin]:
    """a and b at a point; b is an unknown of its own or the conjugate of a."""
    n = len(like)
    a = interpolate(like, state[:, :n], nodes, weights)
    if state.shape[1] > n:
        return a, interpolate(like, state[:, n:], nodes, weights)
    return a, tilde(a)


@formula
def both_derivatives(
    like: Spin, state: Any, t: CellTables, e: int, q: int, a: Spin, b: Spin, grad: Any, dz: Any
) -> None:  # fmt: skip
    """Write D_k a and D_k b at a point to dz (2, dim, n)."""
    n = len(like)
    derivatives(state[:, :n], t.cells[e], grad, t.kinds[e], t.table[e, q], a, dz[0])
    if state.shape[1] > n:
        derivatives(state[:, n:], t.cells[e], grad, t.kinds[e], t.exchanged[e, q], b, dz[1])
    else:
        partner_derivatives(a, dz)


@kernel("observables")
def add_conjugates(
    like: Spin, w: Any, weight: complex, state: Any, t: CellTables, chosen: Any, places: Any, parts: int,
    point: ConjugateSpace, out: Any,
) -> None:  # fmt: skip
    """Add weight times the conjugates numbered `places` to out (chosen cells, points, places)."""
    values = point.values
    for i in range(len(chosen)):
        e = chosen[i]
        linear = t.kinds[e] & LINEAR > 0
        pairs = t.pairs if t.kinds[e] & SPIN_CHARGE else t.pairs[:0]
        for q in range(len(t.phi)):
            a, b = both(like, state, t.cells[e], t.phi[q])
            if parts & KINETIC:
                gradients(t.dphi, t.inverse, e, q, point.grad)
                both_derivatives(like, state, t, e, q, a, b, point.grad, point.dz)
            conjugates(w, t.table[e, q], pairs, a, b, point.dz, linear, parts, point.rows, values)
            for place in range(len(places)):
                out[i, q, place] += weight * values[places[place]]


@kernel("responses and torques")
def add_changes(
    like: Spin, w: Any, weight: complex, state: Any, change: Any, t: CellTables, chosen: Any, places: Any, parts: int,
    point: ConjugateSpace, out: Any,
) -> None:  # fmt: skip
    """Add weight times the change of the conjugates numbered `places` with a change of the state."""
    values = point.values
    for i in range(len(chosen)):
        e = chosen[i]
        linear = t.kinds[e] & LINEAR > 0
        pairs = t.pairs if t.kinds[e] & SPIN_CHARGE else t.pairs[:0]
        for q in range(len(t.phi)):
            a, b = both(like, state, t.cells[e], t.phi[q])
            da, db = both(like, change, t.cells[e], t.phi[q])
            if parts & KINETIC:
                gradients(t.dphi, t.inverse, e, q, point.grad)
                both_derivatives(like, state, t, e, q, a, b, point.grad, point.dz)
                both_derivatives(like, change, t, e, q, da, db, point.grad, point.ddz)
            c = t.table[e, q]
            conjugate_changes(w, c, pairs, a, b, point.dz, da, db, point.ddz, linear, parts, point.rows, values)
            for place in range(len(places)):
                out[i, q, place] += weight * values[places[place]]


@kernel("responses and torques")
def add_sources(like: Spin, state: Any, t: CellTables, chosen: Any, gap: Any, dx: Any, out: Any) -> None:
    """Add the gradient of -Tr L0 g to the residual out of states, (nodes, n) or (nodes, 2n) as these are.

    L0 is made of `gap` (sides, chosen cells, points, columns), the change of the gap in the equations of a and b;
    weighted with dx (chosen cells, points) and N0. It is the transposed of `add_changes`.
    """
    n, zero = len(like), scale(0.0, like)
    for i in range(len(chosen)):
        e = chosen[i]
        for q in range(len(t.phi)):
            a, b = (zero, zero) if t.kinds[e] & LINEAR else both(like, state, t.cells[e], t.phi[q])
            weight = dx[i, q] * t.table[e, q, N0]
            for side in range(out.shape[1] // n):
                l11, l12, l21, l22 = static_energy(0.0, gap[side, i, q], a)
                g, _, _, _ = first_variation(l11, l12, l21, l22, frame(a, b), False)
                total = entries(g)
                if out.shape[1] == n:  # by the real and imaginary parts of a
                    total, weight = conjugate(total), 2.0 * weight
                for node in range(t.cells.shape[1]):
                    own = out[:, side * n : side * n + n]
                    accumulate(own, t.cells[e, node], weight * t.phi[q, node], total)
                a, b = b, a


@kernel("observables at points")
def write_static(like: Spin, a: Any, b: Any, linear: bool, places: Any, values: Any, out: Any) -> None:
    """Write static conjugates of the matrices a, b (points, n) to out (places, points)."""
    for point in range(len(a)):
        static_conjugates(deviation(get(like, a, point), get(like, b, point), linear), values)
        for place in range(len(places)):
            out[place, point] = values[places[place]]


def sum_conjugates(
    like: Spin, space: Space, t: CellTables, places: Sequence[int], terms: Iterable[tuple[complex, complex, Complex]],
    chosen: Index | None = None,
) -> Complex:  # fmt: skip
    """Conjugates numbered `places`, summed over frequencies; shape (places, cells, points).

    Parameters
    ----------
    like, t
        A matrix of the sector of the states, and the coefficients in its frame.
    terms
        Frequency, weight and state of each: (nodes, n) of a Matsubara frequency, (nodes, 2n) of a retarded one.
    chosen
        Cells; None: all.
    """
    total = np.zeros((len(space.cells if chosen is None else chosen), len(space.phi), len(places)), complex)
    for w, weight, state in terms:
        _add(add_conjugates, like, space, t, places, (complex(w), complex(weight), *readonly(state)), chosen, total)
    return np.moveaxis(total, -1, 0)


def sum_changes(
    like: Spin, space: Space, t: CellTables, places: Sequence[int],
    terms: Iterable[tuple[complex, complex, Complex, Complex]], chosen: Index | None = None,
) -> Complex:  # fmt: skip
    """Changes of the conjugates with changes of the states, the last of each term; otherwise as `sum_conjugates`."""
    total = np.zeros((len(space.cells if chosen is None else chosen), len(space.phi), len(places)), complex)
    for w, weight, state, change in terms:
        add_change(like, space, t, places, (w, weight, state, change), chosen, total)
    return np.moveaxis(total, -1, 0)


def add_change(
    like: Spin, space: Space, t: CellTables, places: Sequence[int], term: tuple[complex, complex, Complex, Complex],
    chosen: Index | None, out: Complex,
) -> None:  # fmt: skip
    """Add one term of `sum_changes` to out (cells, points, places)."""
    w, weight, state, change = term
    _add(add_changes, like, space, t, places, (complex(w), complex(weight), *readonly(state, change)), chosen, out)


def _add(
    loop: Any, like: Spin, space: Space, t: CellTables, places: Sequence[int], term: tuple[Any, ...],
    chosen: Index | None, out: Complex,
) -> None:  # fmt: skip
    """Run a kernel over chunks of cells."""
    rows, numbers = readonly(np.arange(len(space.cells)) if chosen is None else chosen, np.array(places))
    parts = parts_of(places)

    def worker() -> Callable[[int], None]:
        point = conjugate_space(len(like), space, len(t.pairs))

        def work(job: int) -> None:
            part = slice(job * CHUNK, (job + 1) * CHUNK)
            loop(like, *term, t, rows[part], numbers, parts, point, out[part])

        return work

    for _ in in_order(-(-len(rows) // CHUNK), worker):
        pass


def singlet(of_gap: NDArray[Any]) -> Complex:
    """The amplitude f0 = tr F / 2 from the conjugates (2, ...) of the real and the imaginary part of the gap."""
    return np.asarray(0.25 * (of_gap[1] - 1j * of_gap[0]))


def gap_source(
    like: Spin, space: Space, t: CellTables, state: Complex, gap: Complex, chosen: Index
) -> Complex:  # fmt: skip
    """Change of the residual of a state, (nodes, n) or (nodes, 2n), with the gap (cells, points) of some cells."""
    out = np.zeros(state.shape, complex)
    fields = np.zeros((2, *gap.shape, HZ + 1))
    for place, part in ((GAP_RE, gap.real), (GAP_IM, gap.imag)):
        fields[0, ..., place], fields[1, ..., place] = part, LOCAL[place].exchanged * part
    given, rows, changes, weights = readonly(state, chosen, fields, space.dx[chosen])
    add_sources(like, given, t, rows, changes, weights, out)
    return out


def static_conjugates_of(like: Spin, a: Complex, b: Complex, places: Sequence[int], *, linear: bool) -> Complex:
    """Static conjugates of matrices given by their n entries, shape (..., n) -> (places, ...)."""
    numbers, one, two = readonly(np.array(places), a.reshape(-1, len(like)), b.reshape(-1, len(like)))
    out = np.empty((len(places), len(one)), complex)
    write_static(like, one, two, linear, numbers, np.zeros(FIRST_GAUGE, complex), out)
    return out.reshape(len(places), *a.shape[:-1])
