r"""The functional of the Usadel equation at a point: exact gradient and exact Hessian (density: `conjugates`).

With the Riccati matrices a, b (2x2 in spin space), N = (1 + a b)^-1, Nt = (1 + b a)^-1, alpha = N a = a Nt and
beta = b N = Nt b, the Matsubara Green's function and its derivatives are

    g = [[2 N - 1, 2 alpha], [2 beta, 1 - 2 Nt]],
    d_a g = 2 C da R,        C  = (N, beta)^T,    R  = (-beta, Nt),
    d_b g = 2 C' db R',      C' = (-alpha, Nt)^T, R' = (N, alpha),

and the density per volume and density of states is

    f = 2 D tr p_k q_k + f_sc - Tr L0 g - (1/4) sum_V gamma_V Tr V g V g,    p_k = N d_k a,  q_k = Nt d_k b,

with the spin-charge coupling f_sc of `spin_charge`, L0 = w tau3 - i h.sigma tau3 + Dhat and the rates and vertices of
`columns`: spin-orbit scattering (1/4 tau_so, sigma_a), magnetic impurities (1/4 tau_sf, sigma_a tau3), orbital
depairing (depairing, tau3).

Only the rows that belong to a are written. The functional keeps its form under a <-> b with the Nambu blocks
exchanged, so the rows of b follow from a <-> b (retarded problem) or, on the Matsubara manifold
b = sigma_y a* sigma_y, by complex conjugation.

Every second variation is a sum of terms tr(du X dv Y), an outer product of X and Y in the basis of matrix entries.
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula, inlined
from .columns import GAP_IM, GAP_RE, HX, HY, HZ, VERTEX_AXIS, VERTEX_COLUMN, VERTEX_TAU3, VERTICES, D
from .nambu import Spin, add, mul, over_spin, pauli, scale, sigma_left, spin_flip, sub
from .spin_charge import spin_charge
from .variations import AL, GA, P_ROW, PHI, Q_ROW, frame, get, modulus, outer, outer_through, outer_two, put


@formula
def static_energy(w: Any, coefficients: Any, like: Spin) -> Any:
    """Nambu blocks of L0 = w tau3 - i h.sigma tau3 + Dhat."""
    hx, hy, hz = coefficients[HX], coefficients[HY], coefficients[HZ]
    gap = complex(coefficients[GAP_RE], coefficients[GAP_IM])
    l11 = pauli(like, w, -1j * hx, -1j * hy, -1j * hz)
    l12, l21 = pauli(like, 1j * gap, 0.0, 0.0, 0.0), pauli(like, -1j * gap.conjugate(), 0.0, 0.0, 0.0)
    return l11, l12, l21, scale(-1.0, l11)


@formula
def rates(coefficients: Any, tau3: bool) -> tuple[float, float, float, float]:
    """Sums of the rates of the vertices sigma_x, sigma_y, sigma_z and 1, all of them times tau3 or not."""
    x, y, z, one = 0.0, 0.0, 0.0, 0.0
    for k in range(VERTICES):
        if VERTEX_TAU3[k] == tau3:
            rate = coefficients[VERTEX_COLUMN[k]]
            if VERTEX_AXIS[k] == 0:
                x += rate
            elif VERTEX_AXIS[k] == 1:
                y += rate
            elif VERTEX_AXIS[k] == 2:
                z += rate
            else:
                one += rate
    return x, y, z, one


@formula
def self_energy(w: Any, coefficients: Any, g11: Spin, g12: Spin, g21: Spin, g22: Spin) -> Any:
    """Nambu blocks of L = L0 + (1/2) sum_V gamma_V V g V: what multiplies dg in the first variation, with sign -1.

    Vertices without tau3 do nothing to singlets: g, which commutes with g, is taken out of each sigma_a g sigma_a, so
    that no large rate cancels in their equation. The functional is larger by the sum of their rates for it.
    """
    l11, l12, l21, l22 = static_energy(w, coefficients, g11)
    x, y, z, _ = rates(coefficients, False)
    if x + y + z > 0.0:
        x, y, z = 0.5 * x, 0.5 * y, 0.5 * z
        l11, l22 = add(l11, spin_flip(x, y, z, g11)), add(l22, spin_flip(x, y, z, g22))
        l12, l21 = add(l12, spin_flip(x, y, z, g12)), add(l21, spin_flip(x, y, z, g21))
    x, y, z, one = rates(coefficients, True)
    if x + y + z > 0.0:
        x, y, z = 0.5 * x, 0.5 * y, 0.5 * z
        l11, l22 = add(l11, over_spin(x, y, z, g11)), add(l22, over_spin(x, y, z, g22))
        l12, l21 = sub(l12, over_spin(x, y, z, g12)), sub(l21, over_spin(x, y, z, g21))
    if one > 0.0:
        l11, l22 = add(l11, scale(0.5 * one, g11)), add(l22, scale(0.5 * one, g22))
        l12, l21 = sub(l12, scale(0.5 * one, g12)), sub(l21, scale(0.5 * one, g21))
    return l11, l12, l21, l22


@formula
def green_blocks(n: Spin, nt: Spin, alpha: Spin, beta: Spin) -> Any:
    """The Nambu blocks of g."""
    one = pauli(n, 1.0, 0.0, 0.0, 0.0)
    return sub(scale(2.0, n), one), scale(2.0, alpha), scale(2.0, beta), sub(one, scale(2.0, nt))


@formula
def sandwich(rate: float, sign: float, axis: int, vectors: Any, h00: Any) -> None:
    """Second variation of -(rate/4) Tr V g V g through dg V dg; V = sigma_axis (1, sign), axis < 0 the unit matrix."""
    n, nt, alpha, beta = vectors
    sn, snt, salpha, sbeta = n, nt, alpha, beta
    if axis >= 0:
        sn, snt = sigma_left(axis, n), sigma_left(axis, nt)
        salpha, sbeta = sigma_left(axis, alpha), sigma_left(axis, beta)
    rc = sub(scale(sign, mul(nt, sbeta)), mul(beta, sn))
    rc_prime = add(scale(sign, mul(nt, snt)), mul(beta, salpha))
    rc_cross = add(mul(n, sn), scale(sign, mul(alpha, sbeta)))
    outer_through(axis, h00, 0, -2.0 * rate, rc, rc)
    outer_through(axis, h00, len(n), -2.0 * rate, rc_prime, rc_cross)


@formula
def first_variation(l11: Spin, l12: Spin, l21: Spin, l22: Spin, vectors: Any, hessian: bool) -> Any:
    """Gradient with respect to a of -Tr L g at fixed L, the size of the two terms that cancel in it in a bulk metal,
    and the two middle matrices of the ab second variation.
    """
    n, nt, alpha, beta = vectors
    upper = add(mul(l11, n), mul(l12, beta))  # L C
    lower = add(mul(l21, n), mul(l22, beta))
    plus, minus = mul(nt, lower), mul(beta, upper)
    gradient, size = scale(2.0, sub(minus, plus)), 2.0 * (modulus(plus) + modulus(minus))
    if not hessian:
        return gradient, size, gradient, gradient
    cross = scale(2.0, add(mul(n, upper), mul(alpha, lower)))  # R' L C
    upper = sub(mul(l12, nt), mul(l11, alpha))  # L C'
    lower = sub(mul(l22, nt), mul(l21, alpha))
    prime = scale(-2.0, sub(mul(nt, lower), mul(beta, upper)))  # R L C'
    return gradient, size, prime, cross


@inlined
def local_terms(w: Any, coefficients: Any, vectors: Any, hessian: bool, h00: Any) -> Any:
    """What `first_variation` gives of the local terms; the second variation through dg dg is added to h00."""
    n, nt, alpha, beta = vectors
    g11, g12, g21, g22 = green_blocks(n, nt, alpha, beta)
    l11, l12, l21, l22 = self_energy(w, coefficients, g11, g12, g21, g22)
    terms = first_variation(l11, l12, l21, l22, vectors, hessian)
    if not hessian:
        return terms
    flips = 0.0
    for k in range(VERTICES):
        rate = coefficients[VERTEX_COLUMN[k]]
        if rate > 0.0 and VERTEX_TAU3[k]:
            sandwich(rate, -1.0, VERTEX_AXIS[k], vectors, h00)
        elif rate > 0.0 and len(n) > 1:  # without tau3, in more than singlets
            sandwich(rate, 1.0, VERTEX_AXIS[k], vectors, h00)
            flips += rate
    if flips > 0.0:
        sandwich(-flips, 1.0, -1, vectors, h00)  # of the g taken out in `self_energy`
    return terms


@formula
def kinetic_rows(d2: Any, n: Spin, nt: Spin, a: Spin, da: Any, db: Any, hessian: bool, rows: Any) -> None:
    """Write p_k, q_k and the kinetic part of Phi_k, Al_k and Ga_k (see `frame_terms`) to rows."""
    for k in range(len(da)):
        q = mul(nt, get(a, db, k))
        put(rows[P_ROW], k, mul(n, get(a, da, k)))
        put(rows[Q_ROW], k, q)
        put(rows[PHI], k, scale(d2, q))
        if hessian:
            put(rows[AL], k, scale(d2, mul(a, q)))
            put(rows[GA], k, scale(d2, mul(q, a)))


@inlined
def frame_terms(
    p: Spin, phi: Spin, al: Spin, ga: Spin, vectors: Any, b: Spin, hessian: bool, h00: Any, hk0: Any
) -> tuple[Spin, Spin, Spin]:  # fmt: skip
    """Terms in which the total Phi_k = df/d(N d_k a) and its partners appear, whatever terms f is a sum of.

    In the frame of U (docs, "Adding a term") Phi_k varies with eta by -(Al_k eta + eta Ga_k), cyclically. Returned are
    the flux Phi_k N and the products b p_k Phi_k and Phi_k p_k b.
    """
    n, nt, _, beta = vectors
    bp, pb, flow = mul(b, p), mul(p, b), mul(phi, n)
    if hessian:
        al, ga = mul(al, n), mul(ga, nt)
        outer(h00, 0, 2.0, flow, mul(bp, beta))
        outer_two(h00, len(n), 1.0, mul(bp, nt), al, ga, mul(p, beta))
        outer_two(hk0, 0, -1.0, beta, flow, flow, beta)
        outer_two(hk0, len(n), -1.0, nt, al, ga, n)
    return flow, mul(bp, phi), mul(phi, pb)


@inlined
def evaluate(
    w: Any, coefficients: Any, pairs: Any, channels: int, a: Spin, b: Spin, da: Any, db: Any, hessian: bool, flux: Any,
    h00: Any, hk0: Any, hkk: Any, hkl: Any, rows: Any,
) -> tuple[Spin, float]:  # fmt: skip
    """Gradient and Hessian rows of f that belong to a and to d_k a.

    The gradient is meant as df = tr(da G) + tr(d(d_k a) flux_k). Returned are G and the
    size of the terms it is a sum of (what a residual is to be compared with); written are `flux` (dim, n), and, if
    `hessian`, the blocks `h00` (n, 2n): a with (a, b); `hk0` (dim, n, 2n): d_k a with (a, b); `hkk` (n, n): d_k a with
    d_k b, the same for all k; `hkl` (dim (dim - 1)/2, n, n), only if there are channels: d_k a with d_l b for k < l in
    the order 01, 02, 12, the negative of d_l a with d_k b. Rows and columns run over the n stored entries, 4 in the
    sector of all matrices (00, 01, 10, 11), 2 in the collinear and 1 in the spinless one.

    `pairs` (n, 2) are the mesh axes of the channels of spin-charge coupling, whose coefficients end the row of
    coefficients, and `channels` is their number, or 0 to leave them out; `rows` (ROWS, dim, n) is scratch space.
    """
    vectors = frame(a, b)
    n, nt, _, beta = vectors
    if hessian:
        h00[:] = 0.0
        hk0[:] = 0.0
        hkk[:] = 0.0
    gradient, size, prime, cross = local_terms(w, coefficients, vectors, hessian, h00)
    zero = scale(0.0, a)
    d, extra, middle = coefficients[D], zero, (zero, zero)
    if channels:
        kinetic_rows(2.0 * d, n, nt, a, da, db, hessian, rows)
        extra, spin_size, middle = spin_charge(d, coefficients, pairs, vectors, a, b, hessian, h00, hk0, hkl, rows)
        size += spin_size
    left, right, phi_p, p_phi = zero, zero, zero, zero
    for k in range(len(da)):
        if channels:
            p, phi = get(a, rows[P_ROW], k), get(a, rows[PHI], k)
            al, ga = get(a, rows[AL], k), get(a, rows[GA], k)
        else:
            p, phi = mul(n, get(a, da, k)), scale(2.0 * d, mul(nt, get(a, db, k)))
            al, ga = mul(a, phi), mul(phi, a)
        flow, one, two = frame_terms(p, phi, al, ga, vectors, b, hessian, h00, hk0[k])
        put(flux, k, flow)
        left, right = add(left, one), add(right, two)
        if hessian:
            phi_p, p_phi = add(phi_p, mul(phi, p)), add(p_phi, mul(p, phi))
    extra = sub(extra, add(left, right))
    gradient, size = add(gradient, mul(extra, n)), size + modulus(left) + modulus(right)
    if hessian:
        prime = add(prime, mul(add(middle[0], sub(mul(left, a), phi_p)), nt))
        cross = add(cross, mul(add(middle[1], sub(mul(a, right), p_phi)), n))
        outer(h00, 0, -2.0, beta, gradient)
        outer_two(h00, len(n), 1.0, prime, n, nt, cross)
        outer(hkk, 0, 2.0 * d, nt, n)
        symmetrize(h00)
    return gradient, size


@formula
def symmetrize(h00: Any) -> None:
    """Replace the aa block by its symmetric part; second variations are written there as one of two equal halves."""
    for i in range(len(h00)):
        for j in range(i):
            mean = 0.5 * (h00[i, j] + h00[j, i])
            h00[i, j] = mean
            h00[j, i] = mean
