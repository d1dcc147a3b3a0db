r"""The kinetic equation at a point: Keldysh blocks of the matrix current, of the torque and of the commutator [L, g].

The distribution is h = sum_j h_j N_j over *modes* N_j = sigma_mu (mu = 0, x, y, z: energy and its spins), then
sigma_mu tau3 (charge and its spins), as many of them as the spin sector has. With A = -tau3 R^+ tau3, K = R h - h A,
and per density of states, these tensors are linear in h and in its covariant derivatives D_k h,

    -Tr N_i J_k^K                    = flux_kl^ij D_l h_j + drift_k^ij h_j
    -Tr N_i T^K + Tr N_i [L, g]^K    = torque_l^ij D_l h_j + local^ij h_j,

and all are real: each is the real part of a sum of traces Tr N_i P N_j Q, which `sandwich` collects (docs, theory of
the kinetic equation). Nothing is taken as a difference of large numbers in the gap: the diffusion tensor is made of
maps m -> X m X^+ of the Riccati matrices.
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula
from .columns import GAUGE_COLUMNS, INELASTIC, VERTEX_AXIS, VERTEX_COLUMN, VERTEX_TAU3, VERTICES, D
from .functional import self_energy, static_energy
from .interface import Matrix, add4, green4
from .kinetic_spin_charge import add_channels, keep_changes
from .kinetic_sums import (
    KineticSpace,
    add_left,
    add_modes,
    add_value,
    advanced,
    conjugation,
    diagonal,
    mode_times,
    mode_trace,
    sandwich,
    sandwich_left,
)
from .nambu import Spin, dagger, mul, over_spin, scale, sub
from .variations import frame, get


@formula
def add_diffusion(c: float, vectors: Any, a: Spin, b: Spin, space: KineticSpace, out: Any) -> None:
    """Add c (1/4) Tr (N_i N_j - N_i R N_j A), in its form without cancellation, to out (m, m).

    With the maps S of conjugations, m -> X m X^+, and signs s = -1 for tau3 (else 1) it is
    (1 - s_i S_b) S_N (1 - s_j S_a) + s_i s_j (1 - s_i S_a) S_Nt (1 - s_j S_b).
    """
    n = len(a)
    conjugation(a, space.maps[0])
    conjugation(b, space.maps[1])
    conjugation(vectors[0], space.maps[2])
    conjugation(vectors[1], space.maps[3])
    for one in range(2):
        outer_map, inner_map, middle = space.maps[1 - one], space.maps[one], space.maps[2 + one]
        for s in range(2):  # columns
            column = 1.0 - 2.0 * s
            for i in range(n):
                for j in range(n):
                    total = middle[i, j]
                    for k in range(n):
                        total -= column * middle[i, k] * inner_map[k, j]
                    space.products[s, i, j] = total
        for r in range(2):
            for s in range(2):
                row = 1.0 - 2.0 * r
                factor = c * (row * (1.0 - 2.0 * s) if one else 1.0)
                for i in range(n):
                    for j in range(n):
                        total = space.products[s, i, j]
                        for k in range(n):
                            total -= row * outer_map[i, k] * space.products[s, k, j]
                        out[r * n + i, s * n + j] += factor * total


@formula
def vertex_rates(c: Any) -> Any:
    """Sums of gamma/2 over the vertices of the spin axes without and with tau3."""
    px, py, pz, tx, ty, tz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(VERTICES):
        rate, axis = 0.5 * c[VERTEX_COLUMN[k]], VERTEX_AXIS[k]
        if VERTEX_TAU3[k]:
            tx, ty, tz = tx + rate * (axis == 0), ty + rate * (axis == 1), tz + rate * (axis == 2)
        else:
            px, py, pz = px + rate * (axis == 0), py + rate * (axis == 1), pz + rate * (axis == 2)
    return px, py, pz, tx, ty, tz


@formula
def relaxes(c: Any) -> bool:
    """Whether something scatters at a spin axis."""
    total = 0.0
    for k in range(VERTICES):
        if VERTEX_AXIS[k] >= 0:
            total += c[VERTEX_COLUMN[k]]
    return total > 0.0


@formula
def scattered(rates: Any, axis: int, r: Matrix) -> Matrix:
    """The sum of (gamma/2) V R V over the vertices of the spin axes other than `axis`."""
    px, py, pz, tx, ty, tz = rates
    x, y, z = 1.0 * (axis != 0), 1.0 * (axis != 1), 1.0 * (axis != 2)
    same_x, same_y, same_z = x * (px + tx), y * (py + ty), z * (pz + tz)
    other_x, other_y, other_z = x * (px - tx), y * (py - ty), z * (pz - tz)
    return (
        over_spin(same_x, same_y, same_z, r[0]), over_spin(other_x, other_y, other_z, r[1]),
        over_spin(other_x, other_y, other_z, r[2]), over_spin(same_x, same_y, same_z, r[3]),
    )  # fmt: skip


@formula
def add_scattering(c: Any, r: Matrix, out: Any) -> None:
    """Add 2 Re Tr N_i R (W h' - h' W^A) of the axes, h' = h - sigma h sigma, to out (m, m).

    A spin along an axis is twice itself in h' of the other axes, and nothing in that of its own.
    """
    n, rates = len(r[0]), vertex_rates(c)
    for nu in range(1, n):
        axis = nu - 1 if n == 4 else 2
        own = scattered(rates, axis, r)
        left, adv = diagonal(r, own), advanced(own)
        one, two = dagger(mode_times(nu, dagger(left[0]))), dagger(mode_times(nu, dagger(left[1])))
        add_column(4.0, 0, nu, sub(one, mul(r[0], mode_times(nu, adv[0]))), out)
        add_column(-4.0, 1, nu, mul(r[1], mode_times(nu, adv[2])), out)
        add_column(-4.0, 2, nu, mul(r[2], mode_times(nu, adv[1])), out)
        add_column(4.0, 3, nu, sub(two, mul(r[3], mode_times(nu, adv[3]))), out)


@formula
def add_column(factor: float, block: int, nu: int, x: Spin, out: Any) -> None:
    """Add the factor times Re tr sigma_mu x for a mode sigma_nu."""
    for mu in range(len(x)):
        add_value(len(x), block, mu, nu, factor * mode_trace(mu, x).real, out)


@formula
def collect_local(w: Any, c: Any, r: Matrix, space: KineticSpace) -> None:
    """Collect 2 Re Tr N_i { [L, R] h + R [L0, h] }."""
    static = static_energy(0.0, c, r[0])
    whole = self_energy(w, c, r[0], r[1], r[2], r[3])
    sandwich_left(2.0, diagonal(whole, r), space.left_local)
    sandwich_left(2.0, diagonal(r, add4(static, -1.0, whole)), space.left_local)
    sandwich(-2.0, r, static, space.of_local)


@formula
def collect_drift(d: float, vectors: Any, a: Spin, b: Spin, dz: Any, space: KineticSpace) -> None:
    """Collect 2 D Re Tr N_i R D_k R h: the diagonal blocks are 2 N (a db - da b) N and 2 Nt (b da - db a) Nt."""
    n, nt = vectors[0], vectors[1]
    for k in range(len(space.drift)):
        da, db = get(a, dz[0], k), get(a, dz[1], k)
        one, two = sub(mul(a, db), mul(da, b)), sub(mul(b, da), mul(db, a))
        sandwich_left(4.0 * d, (mul(n, mul(one, n)), mul(nt, mul(two, nt))), space.left_drift[k])


@formula
def clear(space: KineticSpace, coupled: bool) -> None:
    """Forget the last point."""
    space.flux[:] = 0.0
    space.drift[:] = 0.0
    space.torque[:] = 0.0
    space.local[:] = 0.0
    space.of_local[:] = 0.0
    space.left_drift[:] = 0.0
    space.left_local[:] = 0.0
    if coupled:
        space.of_flux[:] = 0.0
        space.of_drift[:] = 0.0
        space.of_torque[:] = 0.0
        space.left_flux[:] = 0.0
        space.left_torque[:] = 0.0


@formula
def kinetic_tensors(w: Any, c: Any, pairs: Any, a: Spin, b: Spin, dz: Any, space: KineticSpace) -> None:
    """Write the tensors at a point, without gauge fields in D_k h, which `add_turns` brings in.

    w = Gamma - iE; `c` are the coefficients, `pairs` the axes of the channels of spin-charge coupling (none to leave
    them out); `dz` (2, dim, n) are D_k a and D_k b.
    """
    n, dim, d, coupled = len(a), len(space.drift), c[D], len(pairs) > 0
    vectors = frame(a, b)
    r = green4(vectors)
    clear(space, coupled)
    add_diffusion(4.0 * d, vectors, a, b, space, space.flux[0, 0])
    for k in range(1, dim):
        copy_matrix(space.flux[0, 0], space.flux[k, k])
    collect_local(w, c, r, space)
    collect_drift(d, vectors, a, b, dz, space)
    if coupled:
        keep_changes(vectors, r, dz, space.changes)
        add_channels(c, pairs, r, space)
    add_modes(a, space.of_local, space.work, space.local)
    add_left(a, space.left_local, space.local)
    if relaxes(c):
        add_scattering(c, r, space.local)
    for k in range(dim):
        add_left(a, space.left_drift[k], space.drift[k])
    for j in range(2 * n):  # no other source of energy, and no torque on energy and charge: exactly
        space.local[0, j] = 0.0
        for k in range(dim):
            space.torque[k, 0, j] = 0.0
            space.torque[k, n, j] = 0.0
    if c[INELASTIC] > 0.0:  # from 2 rate tau3 (h_loc - h), what takes h away
        space.left_local[:] = 0.0
        sandwich_left(4.0 * c[INELASTIC], (r[0], scale(-1.0, r[3])), space.left_local)
        add_left(a, space.left_local, space.local)


@formula
def copy_matrix(source: Any, target: Any) -> None:
    """Copy one matrix into another."""
    for i in range(len(source)):
        for j in range(len(source)):
            target[i, j] = source[i, j]


@formula
def write_turns(like: Spin, c: Any, first: int, turn: Any) -> None:
    """Write what a gauge field adds to gradients, (D_k h)_spin = d_k h + SU_k x h, also for the spins of charge."""
    n = len(like)
    turn[:] = 0.0
    if n < 4:
        return
    for k in range(len(turn)):
        column = first + GAUGE_COLUMNS * k
        x, y, z = c[column + 1], c[column + 2], c[column + 3]
        for s in (1, n + 1):
            turn[k, s, s + 1], turn[k, s + 1, s] = -z, z
            turn[k, s + 1, s + 2], turn[k, s + 2, s + 1] = -x, x
            turn[k, s + 2, s], turn[k, s, s + 2] = -y, y


@formula
def add_product_of(left: Any, transposed: bool, right: Any, out: Any) -> None:
    """Add left right, or left^T right, to out (m, m)."""
    m = len(out)
    for i in range(m):
        for k in range(m):
            x = left[k, i] if transposed else left[i, k]
            if x != 0.0:
                for j in range(m):
                    out[i, j] += x * right[k, j]


@formula
def add_turns(space: KineticSpace) -> None:
    """From tensors of D_k h and of tests D_k w to those of gradients and values, with `space.turn`."""
    dim = len(space.drift)
    for k in range(dim):
        for j in range(dim):
            add_product_of(space.flux[k, j], False, space.turn[j], space.drift[k])
        add_product_of(space.torque[k], False, space.turn[k], space.local)
    for k in range(dim):
        add_product_of(space.turn[k], True, space.drift[k], space.local)
        for j in range(dim):
            add_product_of(space.turn[k], True, space.flux[k, j], space.torque[j])
