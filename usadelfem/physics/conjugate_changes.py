"""Changes of the conjugates of the coefficients with the state: the mixed second derivatives of the functional.

The forms of `conjugates` are called once for each of their arguments, with its change in its place.
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula
from .columns import CHANNEL_COLUMNS, FIRST_GAUGE, GAUGE_COLUMNS, N0, D
from .conjugates import (
    DENSITY,
    DP,
    DPHI,
    DPSI,
    DQ,
    KINETIC,
    PHI,
    PSI,
    RATES,
    P,
    Q,
    add_channel_flux,
    amounts,
    density,
    deviation,
    dressed,
    gauge_conjugates,
    kinetic_frame,
    rate_conjugates,
    static_conjugates,
    vector_matrix,
    write_rows,
)
from .nambu import Spin, add, mul, scale, spin_trace, sub, trace_product
from .spin_charge import channel_column, channel_numbers, commutator, spin_vector
from .variations import frame, get, put


@formula
def deviation_change(a: Spin, b: Spin, da: Spin, db: Spin, linear: bool) -> tuple[Spin, Spin, Spin, Spin]:
    """The change of `deviation` with a and b."""
    alpha, beta, dalpha, dbeta = a, b, da, db
    if not linear:
        n, nt, alpha, beta = frame(a, b)
        dalpha = sub(mul(n, mul(da, nt)), mul(alpha, mul(db, alpha)))
        dbeta = sub(mul(nt, mul(db, n)), mul(beta, mul(da, beta)))
    dn = scale(-1.0, add(mul(dalpha, b), mul(alpha, db)))
    dnt = scale(-1.0, add(mul(dbeta, a), mul(beta, da)))
    return dn, dnt, dalpha, dbeta


@formula
def write_row_changes(d: Any, n: tuple[Spin, Spin], dn: tuple[Spin, Spin], dz: Any, ddz: Any, rows: Any) -> None:
    """Write the changes of what `write_rows` writes; n, dn are (N, Nt) and their changes."""
    like = n[0]
    for k in range(dz.shape[1]):
        dp = add(mul(dn[0], get(like, dz[0], k)), mul(n[0], get(like, ddz[0], k)))
        dq = add(mul(dn[1], get(like, dz[1], k)), mul(n[1], get(like, ddz[1], k)))
        put(rows[DP], k, dp)
        put(rows[DQ], k, dq)
        put(rows[DPHI], k, scale(2.0 * d, dq))
        put(rows[DPSI], k, scale(2.0 * d, dp))


@formula
def flux_changes(a: Spin, b: Spin, da: Spin, db: Spin, x: Any, change: Any, rows: Any, out: Any) -> None:
    """Add the changes of the conjugates of the gauge fields, and of D in the kinetic term; x, change as `deviation`."""
    n, nt, alpha, beta = x
    dn, dnt, dalpha, dbeta = change
    for k in range(rows.shape[1]):
        phi, psi, dphi, dpsi = get(a, rows[PHI], k), get(a, rows[PSI], k), get(a, rows[DPHI], k), get(a, rows[DPSI], k)
        out[D] += 2.0 * trace_product(get(a, rows[DP], k), get(a, rows[Q], k))
        out[D] += 2.0 * trace_product(get(a, rows[P], k), get(a, rows[DQ], k))
        own = out[FIRST_GAUGE + GAUGE_COLUMNS * k :]
        flows = mul(phi, n), mul(psi, nt)
        dflows = add(mul(dphi, n), mul(phi, dn)), add(mul(dpsi, nt), mul(psi, dnt))
        gauge_conjugates(dalpha, dbeta, da, db, flows, phi, psi, own)
        gauge_conjugates(alpha, beta, a, b, dflows, dphi, dpsi, own)


@formula
def kinetic_changes(
    c: Any, pairs: Any, a: Spin, b: Spin, dz: Any, da: Spin, db: Spin, ddz: Any, linear: bool, rows: Any, out: Any
) -> None:
    """Write the changes of `kinetic_conjugates`; ddz are those of dz."""
    x, change = kinetic_frame(a, b, linear), deviation_change(a, b, da, db, linear)
    n, nt, _, _ = x
    zero, dim, d = scale(0.0, a), dz.shape[1], c[D]
    dn, dnt, dalpha, dbeta = change
    if linear:
        dn, dnt = zero, zero
    inside = (n, nt, zero, zero) if linear else x
    moved = (zero, zero, zero, zero) if linear else (dn, dnt, dalpha, dbeta)
    write_rows(d, n, nt, dz, rows)
    write_row_changes(d, (n, nt), (dn, dnt), dz, ddz, rows)
    first = FIRST_GAUGE + GAUGE_COLUMNS * dim
    out[D] = 0.0
    out[FIRST_GAUGE:] = 0.0
    for channel in range(len(pairs)):
        i, j, right, left = channel_numbers(c, pairs, channel)
        v = spin_vector(a, c, channel_column(c, pairs, channel))
        blocks = dressed(v, inside[0], inside[2], b), dressed(v, inside[1], inside[3], a)
        dblocks = (
            add(dressed(v, moved[0], moved[2], b), mul(inside[2], mul(v, db))),
            add(dressed(v, moved[1], moved[3], a), mul(inside[3], mul(v, da))),
        )
        add_channel_flux(i, j, d * right, d * left, blocks, rows[P], rows[Q], rows[PHI], rows[PSI])
        add_channel_flux(i, j, d * right, d * left, dblocks, rows[P], rows[Q], rows[DPHI], rows[DPSI])
        add_channel_flux(i, j, d * right, d * left, blocks, rows[DP], rows[DQ], rows[DPHI], rows[DPSI])
        r, t = commutator(a, rows[P], rows[Q], i, j), commutator(a, rows[Q], rows[P], i, j)
        dr = add(commutator(a, rows[DP], rows[Q], i, j), commutator(a, rows[P], rows[DQ], i, j))
        dt = add(commutator(a, rows[DQ], rows[P], i, j), commutator(a, rows[Q], rows[DP], i, j))
        own = out[first + CHANNEL_COLUMNS * channel :]
        amounts(d, blocks[0], blocks[1], dr, dt, own[3:])
        amounts(d, dblocks[0], dblocks[1], r, t, own[3:])
        one, two = scale(right, r), scale(left, t)
        outside = zero, zero, inside[2], inside[3]
        m = vector_matrix(scale(right, dr), scale(left, dt), inside, a, b)
        m = add(m, add(vector_matrix(one, two, moved, a, b), vector_matrix(one, two, outside, da, db)))
        for axis in range(3):
            own[axis] = d * spin_trace(axis, m)
        out[D] += right * (trace_product(blocks[0], dr) + trace_product(dblocks[0], r))
        out[D] += left * (trace_product(blocks[1], dt) + trace_product(dblocks[1], t))
    flux_changes(a, b, da, db, x, (dn, dnt, dalpha, dbeta), rows, out)


@formula
def conjugate_changes(
    w: Any, c: Any, pairs: Any, a: Spin, b: Spin, dz: Any, da: Spin, db: Spin, ddz: Any, linear: bool, parts: int,
    rows: Any, out: Any,
) -> None:  # fmt: skip
    """Write the changes of all `conjugates` with the state: da, db, and ddz of its derivatives; `parts` as there."""
    change = deviation_change(a, b, da, db, linear)
    static_conjugates(change, out)
    if parts & RATES:
        rate_conjugates(2.0, deviation(a, b, linear), change, linear, out)
    if parts & KINETIC:
        kinetic_changes(c, pairs, a, b, dz, da, db, ddz, linear, rows, out)
    if parts & DENSITY:
        out[N0] = density(w, c, out)
