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

from .columns import GAUGE_COLUMNS, INELASTIC, VERTEX_AXIS, VERTEX_COLUMN, VERTEX_TAU3, VERTICES, D
from .functional import self_energy, static_energy
from .interface import Matrix, add4, green4, mul4, unit4
from .jit import formula
from .kinetic_sums import (
    KineticSpace,
    add_modes,
    add_product,
    advanced,
    conjugation,
    derivative4,
    left4,
    right4,
    sandwich,
    sandwich_left,
    sandwich_spin,
    scale4,
)
from .nambu import Spin, over_spin, pauli
from .spin_charge import channel_column, spin_vector
from .variations import frame, get


@formula
def add_diffusion(c: float, vectors: Any, a: Spin, b: Spin, space: KineticSpace, out: Any) -> None:
    """Add c (1/4) Tr (N_i N_j - N_i R N_j A), in its form without cancellation, to out (m, m).

    With the maps S of conjugations, m -> X m X^+, and signs s = -1 for tau3 (else 1) it is
    (1 - s_i S_b) S_N (1 - s_j S_a) + s_i s_j (1 - s_i S_a) S_Nt (1 - s_j S_b).
    """
    n = len(a)
    sums = space.of_axes[0, 0]
    conjugation(a, sums, space.work, space.maps[0])
    conjugation(b, sums, space.work, space.maps[1])
    conjugation(vectors[0], sums, space.work, space.maps[2])
    conjugation(vectors[1], sums, space.work, space.maps[3])
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
def scattered(c: Any, axis: int, r: Matrix) -> Matrix:
    """The sum of (gamma/2) V R V over the vertices of a spin axis."""
    plain, turned = 0.0, 0.0
    for k in range(VERTICES):
        if VERTEX_AXIS[k] == axis:
            if VERTEX_TAU3[k]:
                turned += 0.5 * c[VERTEX_COLUMN[k]]
            else:
                plain += 0.5 * c[VERTEX_COLUMN[k]]
    same, other = plain + turned, plain - turned
    x, y, z = 1.0 * (axis == 0), 1.0 * (axis == 1), 1.0 * (axis == 2)
    return (
        over_spin(same * x, same * y, same * z, r[0]), over_spin(other * x, other * y, other * z, r[1]),
        over_spin(other * x, other * y, other * z, r[2]), over_spin(same * x, same * y, same * z, r[3]),
    )  # fmt: skip


@formula
def relaxes(c: Any, axis: int) -> bool:
    """Whether something scatters at a spin axis."""
    total = 0.0
    for k in range(VERTICES):
        if VERTEX_AXIS[k] == axis:
            total += c[VERTEX_COLUMN[k]]
    return total > 0.0


@formula
def collect_local(w: Any, c: Any, r: Matrix, space: KineticSpace) -> None:
    """Collect 2 Re Tr N_i { [L, R] h + R [L0, h] + sum over axes of R (W h' - h' W^A) }, h' = h - sigma h sigma."""
    static, sums = static_energy(0.0, c, r[0]), space.of_local
    whole = self_energy(w, c, r[0], r[1], r[2], r[3])
    first = add4(add4(mul4(whole, r), -1.0, mul4(r, whole)), 1.0, mul4(r, static))
    sandwich_left(2.0, first, sums)
    sandwich(-2.0, r, static, sums)
    if len(r[0]) > 1:
        for axis in range(3):
            if relaxes(c, axis):
                own = scattered(c, axis, r)
                sandwich_left(2.0, mul4(r, own), space.of_axes[axis])
                sandwich(-2.0, r, advanced(own), space.of_axes[axis])


@formula
def collect_channel(
    d: float, theta: float, kappa: float, s: Spin, r: Matrix, adv: Matrix, dk: Matrix, dj: Matrix, k: int, j: int,
    space: KineticSpace,
) -> Matrix:  # fmt: skip
    """Collect what Theta_kj^a = theta v_a and Kappa_kj^a = kappa v_a, s = v.sigma, add for one order of k and j.

    Returned is what they add to J_k^R.
    """
    rdj, spin_right, one = mul4(r, dj), left4(s, adv), unit4(s)
    vertex = scale4(0.5, add4(left4(s, one), 1.0, mul4(r, left4(s, r))))  # S = (s + R s R)/2
    # D Re Tr N_i (Theta D_j R + i Kappa R D_j R) C, C = (c + R c A)/2, c = [h, s]
    p = add4(scale4(theta, dj), 1j * kappa, rdj)
    pr = mul4(p, r)
    drift = space.of_drift[k]
    sandwich_spin(-0.5 * d, p, s, drift)
    sandwich_left(0.5 * d, right4(p, s), drift)
    sandwich(-0.5 * d, pr, spin_right, drift)
    sandwich(0.5 * d, right4(pr, s), adv, drift)
    # D Re Tr N_i S (Theta - i Kappa R) X_j, X_j = R D_j h - D_j h A
    q = mul4(vertex, add4(scale4(theta, one), -1j * kappa, r))
    sandwich_left(-d, mul4(q, r), space.of_flux[k, j])
    sandwich(d, q, adv, space.of_flux[k, j])
    # (D/2) Re Tr N_i { s Y X_j - Y X_j s - Y D_j R c }, Y = (Theta R - i Kappa) D_k R
    y = mul4(add4(scale4(theta, r), -1j * kappa, one), dk)
    yr, sy, z = mul4(y, r), left4(s, y), mul4(y, dj)
    torque = space.of_torque[j]
    sandwich_left(-0.5 * d, left4(s, yr), torque)
    sandwich(0.5 * d, sy, adv, torque)
    sandwich_spin(0.5 * d, yr, s, torque)
    sandwich(-0.5 * d, y, right4(adv, s), torque)
    sandwich_spin(0.5 * d, z, s, space.of_local)
    sandwich_left(-0.5 * d, right4(z, s), space.of_local)
    # 2 Re Tr N_i T^R h, T = (D/4) (Theta [s, R D_k R D_j R] + i Kappa [D_k R D_j R, s])
    dkdj = mul4(dk, dj)
    t = add4(scale4(theta, mul4(r, dkdj)), -1j * kappa, dkdj)
    sandwich_left(-0.5 * d, add4(left4(s, t), -1.0, right4(t, s)), space.of_local)
    both = scale4(0.5 * d * theta, add4(mul4(dj, vertex), 1.0, mul4(vertex, dj)))
    return add4(both, 0.5j * d * kappa, add4(mul4(rdj, vertex), -1.0, mul4(vertex, rdj)))


@formula
def collect_channels(c: Any, pairs: Any, vectors: Any, dz: Any, r: Matrix, space: KineticSpace) -> None:
    """Collect the terms of spin-charge coupling and those of the retarded currents that go with them."""
    d, adv, like = c[D], advanced(r), r[0]
    for channel in range(len(pairs)):
        column = channel_column(c, pairs, channel)
        s, theta, kappa = spin_vector(like, c, column), c[column + 3], c[column + 4]
        for order in range(2):
            k, j = pairs[channel, order], pairs[channel, 1 - order]
            sign = 1.0 - 2.0 * order
            dk = derivative4(vectors, get(like, dz[0], k), get(like, dz[1], k))
            dj = derivative4(vectors, get(like, dz[0], j), get(like, dz[1], j))
            jk = collect_channel(d, sign * theta, sign * kappa, s, r, adv, dk, dj, k, j, space)
            sandwich_left(-2.0, jk, space.of_drift[k])


@formula
def kinetic_tensors(w: Any, c: Any, pairs: Any, a: Spin, b: Spin, dz: Any, space: KineticSpace) -> None:
    """Write the tensors at a point, without gauge fields in D_k h, which `add_turns` brings in.

    w = Gamma - iE; `c` are the coefficients, `pairs` the axes of the channels of spin-charge coupling (none to leave
    them out); `dz` (2, dim, n) are D_k a and D_k b.
    """
    n, dim, d = len(a), len(space.drift), c[D]
    vectors = frame(a, b)
    r = green4(vectors)
    space.flux[:] = 0.0
    space.drift[:] = 0.0
    space.torque[:] = 0.0
    space.local[:] = 0.0
    add_diffusion(4.0 * d, vectors, a, b, space, space.flux[0, 0])
    for k in range(1, dim):
        copy_matrix(space.flux[0, 0], space.flux[k, k])
    space.of_flux[:] = 0.0
    space.of_drift[:] = 0.0
    space.of_torque[:] = 0.0
    space.of_local[:] = 0.0
    space.of_axes[:] = 0.0
    collect_local(w, c, r, space)
    for k in range(dim):
        dr = derivative4(vectors, get(a, dz[0], k), get(a, dz[1], k))
        sandwich_left(2.0 * d, mul4(r, dr), space.of_drift[k])
    if len(pairs):
        collect_channels(c, pairs, vectors, dz, r, space)
        for k in range(dim):
            add_modes(a, space.of_torque[k], space.work, -1, space.torque[k])
            for j in range(dim):
                if j != k:
                    add_modes(a, space.of_flux[k, j], space.work, -1, space.flux[k, j])
    add_modes(a, space.of_local, space.work, -1, space.local)
    for axis in range(3 if n > 1 else 0):
        add_modes(a, space.of_axes[axis], space.work, axis, space.local)
    for k in range(dim):
        add_modes(a, space.of_drift[k], space.work, -1, space.drift[k])
    for j in range(2 * n):  # no other source of energy, and no torque on energy and charge: exactly
        space.local[0, j] = 0.0
        for k in range(dim):
            space.torque[k, 0, j] = 0.0
            space.torque[k, n, j] = 0.0
    if c[INELASTIC] > 0.0:  # from 2 rate tau3 (h_loc - h), what takes h away
        space.of_local[:] = 0.0
        unit = pauli(a, 1.0, 0.0, 0.0, 0.0)
        add_product(4.0 * c[INELASTIC], r[0], unit, space.of_local[0])
        add_product(-4.0 * c[INELASTIC], r[3], unit, space.of_local[3])
        add_modes(a, space.of_local, space.work, -1, space.local)


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
