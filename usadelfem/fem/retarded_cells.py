"""Element kernels at complex energies: a and b are unknowns of their own.

A node has the 2n complex unknowns z = (entries of a, entries of b). The functional is holomorphic in them, so the
residual is dF/dz and the tangent d2F/dz2, complex symmetric. The rows of b are those of a with a and b exchanged and
the coefficients of `exchanged` (theory, section on the spinor frame).
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula, inlined, kernel
from ..physics.columns import COEFFICIENTS, INELASTIC, N0
from ..physics.gauge import connection_maps, gauge_gradient, gauge_hessian
from ..physics.interface import junction_terms
from ..physics.nambu import Spin, entries, scale
from ..physics.variations import accumulate, frame, put
from .cells import (
    GAUGE,
    SPIN_CHARGE,
    add_hessian,
    both_sides,
    derivatives,
    gradients,
    interpolate,
    node_gradient,
    point_terms,
)
from .interfaces import add_pairs
from .workspace import JunctionSpace, PointSpace, TangentSpace


@inlined
def place(like: Spin, side: int, block: Any, out: Any) -> None:
    """Write the rows of a side, whose columns are (own, other), to the rows of that side with columns (a, b)."""
    n = len(like)
    own, other = side * n, (1 - side) * n
    for r in range(n):
        for c in range(n):
            out[own + r, own + c] = block[r, c]
            out[own + r, other + c] = block[r, n + c]


@inlined
def transpose_all(like: Spin, blocks: Any, out: Any) -> None:
    """Write the transposed matrices blocks[k] to out[k]."""
    for k in range(len(blocks)):
        for r in range(2 * len(like)):
            for c in range(2 * len(like)):
                out[k, r, c] = blocks[k, c, r]


@inlined
def finish(like: Spin, kind: int, own: Any, other: Any, space: TangentSpace) -> None:
    """Write the transposed blocks h0k, and let gauge fields enter; `own`, `other` are the coefficients of a and b."""
    transpose_all(like, space.hk0, space.h0k)
    if kind & GAUGE:
        connection_maps(own, COEFFICIENTS, like, space.maps, 0)
        connection_maps(other, COEFFICIENTS, like, space.maps, len(like))
        gauge_hessian(space.h00, space.h0k, space.hk0, space.hkk, space.hkl, kind & SPIN_CHARGE > 0, space.maps)
        transpose_all(like, space.hk0, space.h0k)


@kernel("the equation at real energies")
def retarded_terms(
    like: Spin, w: complex, state: Any, first: int, cells: Any, phi: Any, dphi: Any, inverse: Any, dx: Any, table: Any,
    exchanged: Any, kinds: Any, pairs: Any, hessian: bool, point: PointSpace, space: TangentSpace, residual: Any,
    scales: Any, tangent: Any,
) -> None:  # fmt: skip
    """Residual (cells, local, 2n), its scale and tangent (cells, pairs, 2n, 2n) of the cells first, first + 1, ...

    w = Gamma - iE; `table` and `exchanged` are the coefficients for the rows of a and of b.
    """
    n, nodes = len(like), phi.shape[1]
    for local in range(residual.shape[0]):
        e = first + local
        kind, crossed = kinds[e], kinds[e] & SPIN_CHARGE > 0
        residual[local] = 0.0
        scales[local] = 0.0
        space.flat[:] = 0.0
        for q in range(len(phi)):
            gradients(dphi, inverse, e, q, point.grad)
            x, y = interpolate(like, state[:, :n], cells[e], phi[q]), interpolate(like, state[:, n:], cells[e], phi[q])
            derivatives(state[:, :n], cells[e], point.grad, kind, table[e, q], x, point.dz[0])
            derivatives(state[:, n:], cells[e], point.grad, kind, exchanged[e, q], y, point.dz[1])
            weight = dx[e, q] * table[e, q, N0]
            for side in range(2):
                c = table[e, q] if side == 0 else exchanged[e, q]
                here, own, other = w + c[INELASTIC], point.dz[side], point.dz[1 - side]
                g, size = point_terms(here, c, kind, pairs, x, y, own, other, hessian, point)
                if kind & GAUGE:
                    g = gauge_gradient(c, COEFFICIENTS, g, point.flux)
                for i in range(nodes):
                    total, largest = node_gradient(phi[q], point.grad, i, g, size, point.flux)
                    accumulate(residual[local, :, side * n : side * n + n], i, weight, total)
                    scales[local, i] += weight * largest
                if hessian:
                    place(like, side, point.h00, space.h00)
                    place(like, side, point.hkk, space.hkk)
                    for k in range(len(space.hk0)):
                        place(like, side, point.hk0[k], space.hk0[k])
                    for p in range(len(space.hkl)):
                        place(like, side, point.hkl[p], space.hkl[p])
                x, y = y, x
            if hessian:
                finish(like, kind, table[e, q], exchanged[e, q], space)
                add_hessian(8 * n * n, weight, phi[q], point.grad, crossed, space)
        if hessian:
            for p in range(len(space.blocks)):
                for r in range(2 * n):
                    for c in range(2 * n):
                        tangent[local, p, r, c] = space.blocks[p, r, c]


@formula
def add_linear(weight: float, phi: Any, blocks: Any, z1: Any, z2: Any, residual: Any, scales: Any) -> None:
    """Add the residual of the quadratic functional with the blocks (11, 12, 22) at z1, z2, shape (2n,)."""
    half, n = len(phi), len(z1)
    for r in range(n):
        one, two = 0j, 0j
        for c in range(n):
            one += blocks[0, r, c] * z1[c] + blocks[1, r, c] * z2[c]
            two += blocks[2, r, c] * z2[c] + blocks[1, c, r] * z1[c]
        for i in range(half):
            residual[i, r] += weight * phi[i] * one
            residual[half + i, r] += weight * phi[i] * two
            scales[i] += abs(weight * phi[i]) * abs(one)
            scales[half + i] += abs(weight * phi[i]) * abs(two)


@kernel("interfaces at real energies")
def retarded_junctions(
    like: Spin, state: Any, nodes: Any, phi: Any, dx: Any, table: Any, exchanged: Any, kinds: Any, channels: Any,
    linear: bool, hessian: bool, space: JunctionSpace, residual: Any, scales: Any, tangent: Any,
) -> None:  # fmt: skip
    """Residual (facets, nodes, 2n), its scale and tangent (facets, pairs, 2n, 2n) of all facets."""
    half, n, zero = phi.shape[2], len(like), scale(0.0, like)
    s11, s12, s22, blocks, z = space.h11, space.h12, space.h22, space.blocks, space.z
    for f in range(len(nodes)):
        residual[f], scales[f], tangent[f] = 0.0, 0.0, 0.0
        own = channels[kinds[f]] if kinds[f] >= 0 else channels[0:0].reshape(0, 2)
        for q in range(phi.shape[1]):
            x1, y1, x2, y2 = both_sides(like, state, nodes[f], phi[f, q])
            for side in range(2):
                c = table[f, q] if side == 0 else exchanged[f, q]
                put(z[:, side * n :], 0, x1)
                put(z[:, side * n :], 1, x2)
                first, second = (frame(zero, zero), frame(zero, zero)) if linear else (frame(x1, y1), frame(x2, y2))
                g1, size1, g2, size2 = junction_terms(c, own, first, second, hessian or linear, s11, s12, s22)
                for i in range(half):
                    weight = dx[f, q] * phi[f, q, i] * (0.0 if linear else 1.0)
                    accumulate(residual[f, :, side * n :], i, weight, entries(g1))
                    accumulate(residual[f, :, side * n :], half + i, weight, entries(g2))
                    scales[f, i] += abs(weight) * size1
                    scales[f, half + i] += abs(weight) * size2
                place(like, side, s11, blocks[0])
                place(like, side, s12, blocks[1])
                place(like, side, s22, blocks[2])
                x1, y1, x2, y2 = y1, x1, y2, x2
            if linear:
                add_linear(dx[f, q], phi[f, q], blocks, z[0], z[1], residual[f], scales[f])
            if hessian:
                add_pairs(dx[f, q], phi[f, q], blocks, tangent[f])
