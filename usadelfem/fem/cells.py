"""Element kernels: interpolation, point gradient and Hessian, contraction with the basis functions of a cell.

A spin matrix has n stored entries, as many as its sector needs (`sector`): 4, 2 or 1. On the Matsubara manifold
b = sigma_y a* sigma_y a node has 2n real unknowns: real and imaginary parts of the entries of a, interleaved, so that
the state is a complex array (nodes, n). The functional F is real there; with z the variation of the entries of a,
dF = 2 Re z G and d2F = 2 Re [z K z' + z K~ z'*] with complex n x n matrices K, K~ per node pair.
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula, inlined, kernel
from ..physics.columns import COEFFICIENTS, N0
from ..physics.functional import evaluate
from ..physics.gauge import add_connection, connection_maps, gauge_gradient, gauge_hessian
from ..physics.nambu import Spin, add, entries, from_entries, scale, tilde
from ..physics.variations import accumulate, get, modulus, put
from .workspace import PointSpace, TangentSpace

# Bits of the kind of a cell: which terms its points have beyond those that every point has.
GAUGE, SPIN_CHARGE, LINEAR = 1, 2, 4


@inlined
def gradients(dphi: Any, inverse: Any, e: int, q: int, out: Any) -> None:
    """Physical gradients (local nodes, dim) of the basis functions at point q of cell e from the reference ones."""
    nodes, dim = out.shape
    if q == 0 or inverse.shape[1] > 1 or nodes > dim + 1:  # else those of linear functions, the same at all points
        own = q if inverse.shape[1] > 1 else 0
        for i in range(nodes):
            for k in range(dim):
                total = 0.0
                for m in range(dim):
                    total += dphi[q, i, m] * inverse[e, own, m, k]
                out[i, k] = total


@inlined
def interpolate(like: Spin, state: Any, nodes: Any, weights: Any) -> Spin:
    """The sum of the matrices at nodes times weights: a where these are the values of the basis functions."""
    a = scale(0.0, like)
    for i in range(len(nodes)):
        a = add(a, scale(weights[i], get(like, state, nodes[i])))
    return a


@formula
def both_sides(like: Spin, state: Any, nodes: Any, weights: Any) -> tuple[Spin, Spin, Spin, Spin]:
    """a and b of side 1, then of side 2, of a state (nodes, 2n) at a point of a facet; nodes of both sides."""
    half, n = len(weights), len(like)
    a, b = state[:, :n], state[:, n:]
    return (
        interpolate(like, a, nodes[:half], weights), interpolate(like, b, nodes[:half], weights),
        interpolate(like, a, nodes[half:], weights), interpolate(like, b, nodes[half:], weights),
    )  # fmt: skip


@inlined
def derivatives(state: Any, nodes: Any, dphi: Any, kind: int, coefficients: Any, a: Spin, da: Any) -> None:
    """Write the covariant derivatives D_k a at a point to rows k of da."""
    for k in range(len(da)):
        put(da, k, interpolate(a, state, nodes, dphi[:, k]))
    if kind & GAUGE:
        add_connection(coefficients, COEFFICIENTS, a, da)


@inlined
def partner_derivatives(like: Spin, dz: Any) -> None:
    """D_k b = dz[1] from D_k a = dz[0] on the Matsubara manifold."""
    for k in range(dz.shape[1]):
        put(dz[1], k, tilde(get(like, dz[0], k)))


@inlined
def point_terms(
    w: Any, coefficients: Any, kind: int, pairs: Any, a: Spin, b: Spin, da: Any, db: Any, hessian: bool,
    point: PointSpace,
) -> tuple[Spin, float]:  # fmt: skip
    """What `evaluate` gives, without the terms that a cell does not have; in the linearised problem its expansion.

    That is made of the second variation at the normal metal, a = b = 0.
    """
    channels = len(pairs) if kind & SPIN_CHARGE else 0
    hkk, hkl = point.hkk[:, len(a) :], point.hkl[:, :, len(a) :]
    linear, x, y, dx, dy = kind & LINEAR > 0, a, b, da, db
    if linear:
        x, y, dx, dy = scale(0.0, a), scale(0.0, b), point.none, point.none
    gradient, size = evaluate(
        w, coefficients, pairs, channels, x, y, dx, dy, hessian or linear, point.flux, point.h00, point.hk0, hkk, hkl,
        point.rows,
    )  # fmt: skip
    if linear:
        return linear_terms(channels, a, b, db, gradient, hkk, hkl, point)
    return gradient, size


@formula
def linear_terms(
    channels: int, a: Spin, b: Spin, db: Any, gradient: Spin, hkk: Any, hkl: Any, point: PointSpace
) -> tuple[Spin, float]:  # fmt: skip
    """Gradient of the linearised problem, the Hessian times a and b, and its size; the flux is written."""
    zero = scale(0.0, a)
    gradient, size = linear_rows(point.h00, 0, a, gradient, modulus(gradient))
    gradient, size = linear_rows(point.h00, len(a), b, gradient, size)
    for k in range(len(db)):
        flow, _ = linear_rows(hkk, 0, get(a, db, k), zero, 0.0)
        for m in range(len(db)):
            if channels and m != k:
                cross, _ = linear_rows(hkl[k + m - 1], 0, get(a, db, m), zero, 0.0)
                flow = add(flow, scale(1.0 if k < m else -1.0, cross))
        put(point.flux, k, flow)
    return gradient, size


@formula
def linear_rows(block: Any, first: int, x: Spin, gradient: Spin, size: float) -> tuple[Spin, float]:
    """Add columns from `first` of a Hessian block times x to a gradient, meant as tr(da G), and its size."""
    total = scale(0.0, x)
    for c in range(len(x)):
        total = add(total, scale(x[c], get(x, block.T, first + c)))
    return add(gradient, from_entries(total)), size + modulus(total)


@inlined
def fold(like: Spin, block: Any) -> None:
    """Columns of db (the second half) to columns of the conjugate of da, by db = sigma_y da* sigma_y."""
    for r in range(len(like)):
        if len(like) == 4:
            b0, b1, b2, b3 = block[r, 4], block[r, 5], block[r, 6], block[r, 7]
            block[r, 4], block[r, 5], block[r, 6], block[r, 7] = b3, -b2, -b1, b0
        elif len(like) == 2:
            b0, b1 = block[r, 2], block[r, 3]
            block[r, 2], block[r, 3] = b1, b0


@inlined
def adjoint(like: Spin, block: Any, out: Any) -> None:
    """The block with rows and columns exchanged: K^T for da, K~^dagger for its conjugate."""
    n = len(like)
    for r in range(n):
        for c in range(n):
            out[r, c] = block[c, r]
            out[r, n + c] = block[c, n + r].conjugate()


@inlined
def conjugate(x: Spin) -> Spin:
    """The entries' complex conjugates."""
    if len(x) == 4:
        return x[0].conjugate(), x[1].conjugate(), x[2].conjugate(), x[3].conjugate()
    if len(x) == 2:
        return x[0].conjugate(), x[1].conjugate()
    return (x[0].conjugate(),)


@inlined
def node_gradient(phi: Any, dphi: Any, i: int, gradient: Spin, size: float, flux: Any) -> tuple[Spin, float]:
    """Derivatives with respect to the entries of a at local node i, and the size of the terms summed in them."""
    total, largest = scale(phi[i], gradient), abs(phi[i]) * size
    for k in range(len(flux)):
        flow = get(gradient, flux, k)
        total = add(total, scale(dphi[i, k], flow))
        largest += abs(dphi[i, k]) * modulus(flow)
    return entries(total), largest


@inlined
def add_gradient(
    weight: float, phi: Any, dphi: Any, gradient: Spin, size: float, flux: Any, residual: Any, scales: Any
) -> None:
    """Residual of the local nodes as complex numbers dF/dx + i dF/dy, and the size of the terms summed in it."""
    for i in range(len(phi)):
        total, largest = node_gradient(phi, dphi, i, gradient, size, flux)
        accumulate(residual, i, 2.0 * weight, conjugate(total))
        scales[i] += 2.0 * weight * largest


@inlined
def add_hessian(count: int, weight: float, phi: Any, dphi: Any, crossed: bool, space: TangentSpace) -> None:
    """Contract the point Hessian, seen as `count` real numbers in a row, with the basis functions of all pairs i <= j.

    `crossed`: whether there are blocks hkl of derivatives along different axes.
    """
    dim, work, pair = dphi.shape[1], space.work, 0
    for j in range(len(phi)):
        pj = weight * phi[j]
        for k in range(dim):
            gj = weight * dphi[j, k]
            if k == 0:
                for m in range(count):
                    work[0, m] = pj * space.flat00[m] + gj * space.flat0k[0, m]
                    work[1, m] = pj * space.flatk0[0, m] + gj * space.flatkk[m]
            else:
                for m in range(count):
                    work[0, m] += gj * space.flat0k[k, m]
                    work[1 + k, m] = pj * space.flatk0[k, m] + gj * space.flatkk[m]
        if crossed:
            add_crossed(weight, dphi[j], space.flatkl, work)
        for i in range(j + 1):
            p, x, y, z = phi[i], dphi[i, 0], dphi[i, min(1, dim - 1)], dphi[i, dim - 1]
            if dim == 1:
                for m in range(count):
                    space.flat[pair, m] += p * work[0, m] + x * work[1, m]
            elif dim == 2:
                for m in range(count):
                    space.flat[pair, m] += p * work[0, m] + x * work[1, m] + y * work[2, m]
            else:
                for m in range(count):
                    space.flat[pair, m] += p * work[0, m] + x * work[1, m] + y * work[2, m] + z * work[3, m]
            pair += 1


@formula
def add_crossed(weight: float, gradient: Any, hkl: Any, work: Any) -> None:
    """Add the antisymmetric blocks of d_k a with derivatives along other axes to rows 1 + k of work."""
    for k in range(len(gradient)):
        for other in range(k):
            pair = k + other - 1
            gk, go = weight * gradient[k], weight * gradient[other]
            for m in range(work.shape[1]):
                work[1 + other, m] += gk * hkl[pair, m]
                work[1 + k, m] -= go * hkl[pair, m]


@inlined
def to_real(like: Spin, block: Any, out: Any) -> None:
    """2 Re [z K z' + z K~ z'*] as a real 2n x 2n matrix over interleaved real and imaginary parts."""
    n = len(like)
    for r in range(n):
        for c in range(n):
            k, kc = block[r, c], block[r, n + c]
            out[2 * r, 2 * c] = 2.0 * (k.real + kc.real)
            out[2 * r, 2 * c + 1] = 2.0 * (kc.imag - k.imag)
            out[2 * r + 1, 2 * c] = -2.0 * (k.imag + kc.imag)
            out[2 * r + 1, 2 * c + 1] = 2.0 * (kc.real - k.real)


@inlined
def finish_hessian(like: Spin, kind: int, coefficients: Any, space: TangentSpace) -> None:
    """Fold the columns of b, write the transposed blocks h0k, and let gauge fields enter."""
    crossed, n, maps = kind & SPIN_CHARGE > 0, len(like), space.maps
    fold(like, space.h00)
    fold(like, space.hkk)
    if crossed:
        for p in range(len(space.hkl)):
            fold(like, space.hkl[p])
    for k in range(len(space.hk0)):
        fold(like, space.hk0[k])
        adjoint(like, space.hk0[k], space.h0k[k])
    if kind & GAUGE:
        connection_maps(coefficients, COEFFICIENTS, like, maps, 0)
        for k in range(len(maps)):
            for r in range(n):
                for c in range(n):
                    maps[k, n + r, n + c] = maps[k, r, c].conjugate()
        gauge_hessian(space.h00, space.h0k, space.hk0, space.hkk, space.hkl, crossed, maps)
        for k in range(len(space.hk0)):
            adjoint(like, space.hk0[k], space.h0k[k])


@kernel("the equation at Matsubara frequencies")
def element_terms(
    like: Spin, w: Any, state: Any, first: int, cells: Any, phi: Any, dphi: Any, inverse: Any, dx: Any, table: Any,
    kinds: Any, pairs: Any, hessian: bool, point: PointSpace, space: TangentSpace, residual: Any, scale: Any,
    tangent: Any,
) -> None:  # fmt: skip
    """Residual (cells, local, n), its scale and tangent (cells, pairs, 2n, 2n) of the cells first, first + 1, ...

    `like` is any matrix of the sector of the state; the Hessian blocks of `space` are those of `point`.
    """
    for local in range(residual.shape[0]):
        e = first + local
        kind = kinds[e]
        residual[local] = 0.0
        scale[local] = 0.0
        space.flat[:] = 0.0
        for q in range(len(phi)):
            gradients(dphi, inverse, e, q, point.grad)
            a, c = interpolate(like, state, cells[e], phi[q]), table[e, q]
            derivatives(state, cells[e], point.grad, kind, c, a, point.dz[0])
            partner_derivatives(a, point.dz)
            g, size = point_terms(w, c, kind, pairs, a, tilde(a), point.dz[0], point.dz[1], hessian, point)
            if kind & GAUGE:
                g = gauge_gradient(c, COEFFICIENTS, g, point.flux)
            weight = dx[e, q] * c[N0]
            add_gradient(weight, phi[q], point.grad, g, size, point.flux, residual[local], scale[local])
            if hessian:
                finish_hessian(a, kind, c, space)
                add_hessian(4 * len(like) * len(like), weight, phi[q], point.grad, kind & SPIN_CHARGE > 0, space)
        if hessian:
            for p in range(len(space.blocks)):
                to_real(like, space.blocks[p], tangent[local, p])
