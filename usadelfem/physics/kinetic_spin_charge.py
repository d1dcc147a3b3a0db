"""The kinetic equation at a point: what spin-charge coupling adds to its tensors (`kinetic`)."""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula
from .columns import D
from .interface import Matrix, add4, mul4, unit4
from .kinetic_sums import (
    KineticSpace,
    add_left,
    add_modes,
    advanced,
    derivative4,
    diagonal,
    left4,
    right4,
    sandwich,
    sandwich_left,
    sandwich_spin,
    scale4,
)
from .nambu import Spin, add, mul
from .spin_charge import channel_column, spin_vector
from .variations import get, put


@formula
def put4(array: Any, k: int, x: Matrix) -> None:
    """Write a matrix to array[k] (4, n)."""
    for block in range(4):
        put(array[k], block, x[block])


@formula
def get4(like: Spin, array: Any, k: int) -> Matrix:
    """The matrix array[k] (4, n)."""
    return get(like, array[k], 0), get(like, array[k], 1), get(like, array[k], 2), get(like, array[k], 3)


@formula
def keep_changes(vectors: Any, r: Matrix, dz: Any, changes: Any) -> None:
    """Keep D_k R and R D_k R."""
    for k in range(changes.shape[1]):
        dr = derivative4(vectors, get(r[0], dz[0], k), get(r[0], dz[1], k))
        put4(changes[0], k, dr)
        put4(changes[1], k, mul4(r, dr))


@formula
def collect_axes(
    d: float, theta: float, kappa: float, s: Spin, vertex: Matrix, adv: Matrix, sides: Any, k: int, j: int,
    space: KineticSpace,
) -> None:  # fmt: skip
    """Collect what Theta_kj^a = theta v_a and Kappa_kj^a = kappa v_a, s = v.sigma, add for one order of k and j.

    R D_j R = -D_j R R and R S = S R save products; `sides` are s A and A s.
    """
    dj, rdj = get4(s, space.changes[0], j), get4(s, space.changes[1], j)
    dk, rdk = get4(s, space.changes[0], k), get4(s, space.changes[1], k)
    # D Re Tr N_i P C with P = Theta D_j R + i Kappa R D_j R, C = (c + R c A)/2, c = [h, s]
    p, pr = add4(scale4(theta, dj), 1j * kappa, rdj), add4(scale4(-theta, rdj), -1j * kappa, dj)
    ends = p[0], p[3]
    sandwich_spin(-0.5 * d, ends, s, space.of_drift[k])
    sandwich_left(0.5 * d, (mul(p[0], s), mul(p[3], s)), space.left_drift[k])
    sandwich(-0.5 * d, pr, sides[0], space.of_drift[k])
    sandwich(0.5 * d, right4(pr, s), adv, space.of_drift[k])
    # -2 Re Tr N_i J h, J = (D/2) (P S + S P'), P' = Theta D_j R - i Kappa R D_j R
    sandwich_left(-d, diagonal(p, vertex), space.left_drift[k])
    sandwich_left(-d, diagonal(vertex, add4(scale4(theta, dj), -1j * kappa, rdj)), space.left_drift[k])
    # (D/2) Re Tr N_i { s Y X_j - Y X_j s }, X_j = R D_j h - D_j h A, Y = (Theta R - i Kappa) D_k R
    y, yr = add4(scale4(theta, rdk), -1j * kappa, dk), add4(scale4(-theta, dk), 1j * kappa, rdk)
    ends = yr[0], yr[3]
    sandwich_left(-0.5 * d, (mul(s, yr[0]), mul(s, yr[3])), space.left_torque[j])
    sandwich(0.5 * d, left4(s, y), adv, space.of_torque[j])
    sandwich_spin(0.5 * d, ends, s, space.of_torque[j])
    sandwich(-0.5 * d, y, sides[1], space.of_torque[j])


@formula
def collect_channel(
    d: float, theta: float, kappa: float, s: Spin, r: Matrix, adv: Matrix, k: int, j: int, space: KineticSpace
) -> None:  # fmt: skip
    """Collect the terms of a channel of spin-charge coupling, and those of the retarded currents that go with it."""
    vertex = scale4(0.5, add4(left4(s, unit4(s)), 1.0, mul4(r, left4(s, r))))  # S = (s + R s R)/2
    turned = scale4(0.5, add4(left4(s, r), 1.0, right4(r, s)))  # R S
    sides = left4(s, adv), right4(adv, s)
    collect_axes(d, theta, kappa, s, vertex, adv, sides, k, j, space)
    collect_axes(d, -theta, -kappa, s, vertex, adv, sides, j, k, space)
    # D Re Tr N_i Q X_j, Q = S (i Kappa R - Theta); the opposite for the other order
    q, qr = add4(scale4(-theta, vertex), 1j * kappa, turned), add4(scale4(-theta, turned), 1j * kappa, vertex)
    sandwich_left(d, (qr[0], qr[3]), space.left_flux[k, j])
    sandwich(-d, q, adv, space.of_flux[k, j])
    # 2 Re Tr N_i T h with T = (1/4) [s, Z], and -(D/2) Re Tr N_i Z c: Z = (Theta R - i Kappa) [D_k R, D_j R]
    dk, rdk = get4(s, space.changes[0], k), get4(s, space.changes[1], k)
    dj, rdj = get4(s, space.changes[0], j), get4(s, space.changes[1], j)
    y, minus = add4(scale4(theta, rdk), -1j * kappa, dk), add4(scale4(-theta, rdj), 1j * kappa, dj)
    one, two = diagonal(y, dj), diagonal(minus, dk)
    z = add(one[0], two[0]), add(one[1], two[1])
    sandwich_spin(0.5 * d, z, s, space.of_local)
    sandwich_left(-0.5 * d, (mul(s, z[0]), mul(s, z[1])), space.left_local)


@formula
def add_channels(c: Any, pairs: Any, r: Matrix, space: KineticSpace) -> None:
    """Add the terms of spin-charge coupling to the tensors; what they add to the local ones is left collected."""
    like, adv, dim = r[0], advanced(r), len(space.drift)
    for channel in range(len(pairs)):
        column = channel_column(c, pairs, channel)
        s, theta, kappa = spin_vector(like, c, column), c[column + 3], c[column + 4]
        collect_channel(c[D], theta, kappa, s, r, adv, pairs[channel, 0], pairs[channel, 1], space)
    for k in range(dim):
        add_modes(like, space.of_drift[k], space.work, space.drift[k])
        add_modes(like, space.of_torque[k], space.work, space.torque[k])
        add_left(like, space.left_torque[k], space.torque[k])
        for j in range(k + 1, dim):
            add_modes(like, space.of_flux[k, j], space.work, space.flux[k, j])
            add_left(like, space.left_flux[k, j], space.flux[k, j])
            for row in range(2 * len(like)):
                for column in range(2 * len(like)):
                    space.flux[j, k, row, column] = -space.flux[k, j, row, column]
