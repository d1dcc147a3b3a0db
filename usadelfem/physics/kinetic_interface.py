r"""The kinetic equation at an interface: what flows from side 1 to side 2, as a linear map of the distributions there.

With K_n = R_n h_n - h_n A_n, per area and in the modes of `kinetic`, the Keldysh block of the matrix current is

    small transparencies   R1 K2' + K1 A2' - R2' K1 - K2' A1,   X' = X + c1 {M, X} + c2 M X M,
    channels (Nazarov)     (C B^-1)^K = -C^R B_R^-1 B^K B_A^-1 + C^K B_A^-1,  C = [g1, g2],
                           B = 1 + (tau/4)({g1, g2} - 2),

times -(G_T/4) and the shares of the channels. Spin mixing turns each side by itself like a field, L = -(i G_phi/4) M
(docs, theory of the kinetic equation). Names as in `interface`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import formula
from .interface import (
    CONDUCTANCE,
    MIX_ONE,
    MIX_TWO,
    MIXING,
    Matrix,
    add4,
    deviation,
    filtered,
    green4,
    inverse4,
    magnetic,
    mul4,
    unit4,
)
from .kinetic_sums import add_left, add_modes, advanced, diagonal, sandwich, sandwich_left

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


class SideSpace(NamedTuple):
    """Maps at a point of an interface.

    Attributes
    ----------
    blocks
        What leaves side r (first index) with a mode (row) per mode (column) on side s, (2, 2, m, m).
    across, mixed, turned
        Sums of `sandwich` for the modes of each side, (2, 4, products), and of `sandwich_left`, (2, 2, n).
    work
        As in `KineticSpace`.
    """

    blocks: Real
    across: Complex
    mixed: Complex
    turned: Complex
    work: Complex


def side_space(n: int) -> SideSpace:
    """Space for matrices of n entries."""
    size = {1: 1, 2: 2, 4: 16}[n]
    blocks, work = np.zeros((2, 2, 2 * n, 2 * n)), np.zeros((4, n), complex)
    across, mixed = np.zeros((2, 2, 4, size), complex)
    return SideSpace(blocks, across, mixed, np.zeros((2, 2, n), complex), work)


@formula
def collect_near(x: Any, p: Matrix, p_prime: Matrix, r1: Matrix, seen: Matrix, end: Matrix, sums: Any) -> None:
    """Collect x (P K1 A2' - P' R2' K1) b; `seen` is R2' and `end` b."""
    a1, a2 = advanced(r1), advanced(seen)
    back, own = mul4(a2, end), mul4(p_prime, seen)
    sandwich(x, mul4(p, r1), back, sums)
    sandwich(-x, p, mul4(a1, back), sums)
    sandwich(-x, mul4(own, r1), end, sums)
    sandwich(x, own, mul4(a1, end), sums)


@formula
def collect_far(
    x: Any, p: Matrix, p_prime: Matrix, r1: Matrix, r2: Matrix, left: Matrix, right: Matrix, end: Matrix, sums: Any
) -> None:  # fmt: skip
    """Collect x (P R1 l K2 r - P' l K2 r A1) b with matrices l and r."""
    a2, first, last = advanced(r2), mul4(mul4(p, r1), left), mul4(p_prime, left)
    straight, turned = mul4(right, end), mul4(right, mul4(advanced(r1), end))
    sandwich(x, mul4(first, r2), straight, sums)
    sandwich(-x, first, mul4(a2, straight), sums)
    sandwich(-x, mul4(last, r2), turned, sums)
    sandwich(x, last, mul4(a2, turned), sums)


@formula
def collect_mixing(x: complex, m: Matrix, r: Matrix, sums: Any, left: Any) -> None:
    """Collect 2 Re Tr N_i (L K - K L) with L = x M."""
    sandwich_left(2.0 * x, diagonal(m, r), left)
    sandwich(-2.0 * x, r, m, sums)


@formula
def collect_tunnel(c: Any, m: Matrix, r1: Matrix, r2: Matrix, sums: Any) -> None:
    """Collect what leaves side 1 through a barrier of small transparency, by the modes of sides 1 and 2."""
    x, unit = -0.25 * c[CONDUCTANCE], unit4(r1[0])
    collect_near(x, unit, unit, r1, filtered(c, m, r2), unit, sums[0])
    collect_far(x, unit, unit, r1, r2, unit, unit, unit, sums[1])
    if c[MIX_ONE] != 0.0 or c[MIX_TWO] != 0.0:
        collect_far(x * c[MIX_ONE], unit, unit, r1, r2, m, unit, unit, sums[1])
        collect_far(x * c[MIX_ONE], unit, unit, r1, r2, unit, m, unit, sums[1])
        collect_far(x * c[MIX_TWO], unit, unit, r1, r2, m, m, unit, sums[1])


@formula
def interface_modes(c: Any, channels: Any, one: Any, two: Any, space: SideSpace) -> None:
    """Write the blocks of an interface; arguments as in `interface.junction_terms`."""
    r1, r2, m, unit = green4(one), green4(two), magnetic(c, one[0]), unit4(one[0])
    space.across[:] = 0.0
    space.mixed[:] = 0.0
    space.turned[:] = 0.0
    if len(channels) == 0 and c[CONDUCTANCE] > 0.0:
        collect_tunnel(c, m, r1, r2, space.across)
    for n in range(len(channels)):
        tau, x = channels[n, 0], -0.25 * c[CONDUCTANCE] * channels[n, 1]
        inverse, _ = inverse4(deviation(tau, r1, r2))
        end, _ = inverse4(deviation(tau, advanced(r1), advanced(r2)))
        retarded = mul4(add4(mul4(r1, r2), -1.0, mul4(r2, r1)), inverse)
        p, p_prime = add4(unit, -0.25 * tau, retarded), add4(unit, 0.25 * tau, retarded)
        collect_near(x, p, p_prime, r1, r2, end, space.across[0])
        collect_far(x, p, p_prime, r1, r2, unit, unit, end, space.across[1])
    if c[MIXING] != 0.0:
        collect_mixing(-0.25j * c[MIXING], m, r1, space.mixed[0], space.turned[0])
        collect_mixing(-0.25j * c[MIXING], m, r2, space.mixed[1], space.turned[1])
    like = one[0]
    space.blocks[:] = 0.0
    for side in range(2):
        add_modes(like, space.across[side], space.work, space.blocks[0, side])
    filters = len(channels) == 0 and (c[MIX_ONE] != 0.0 or c[MIX_TWO] != 0.0)
    if filters:  # takes up spins across its magnetisation, so that less of them comes out than goes in
        space.across[:] = 0.0
        collect_tunnel(c, m, r2, r1, space.across)
        for side in range(2):
            add_modes(like, space.across[side], space.work, space.blocks[1, 1 - side])
    for i in range(space.blocks.shape[2]):
        if not filters or i % len(like) == 0:  # energy and charge: exactly
            for j in range(space.blocks.shape[2]):
                space.blocks[1, 0, i, j] = -space.blocks[0, 0, i, j]
                space.blocks[1, 1, i, j] = -space.blocks[0, 1, i, j]
    for side in range(2):
        add_modes(like, space.mixed[side], space.work, space.blocks[side, side])
        add_left(like, space.turned[side], space.blocks[side, side])
