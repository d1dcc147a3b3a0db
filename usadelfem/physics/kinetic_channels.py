"""Spin-charge coupling in the kinetic equation: what theta and kappa add to currents and torques (`kinetic`)."""

from __future__ import annotations

from typing import Any

from .columns import D
from .interface import Matrix, add4, mul4, unit4
from .jit import formula
from .kinetic_sums import (
    KineticSpace,
    advanced,
    derivative4,
    left4,
    right4,
    sandwich,
    sandwich_left,
    sandwich_spin,
    scale4,
)
from .nambu import Spin
from .spin_charge import channel_column, spin_vector
from .variations import get


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
