"""Independent reference out of equilibrium: explicit 8x8 matrices, Keldysh x Nambu x spin, built on `oracle`.

Matrices may be stacks of matrices, shape (..., 4, 4) or (..., 8, 8); a spatial index comes first.
"""

import numpy as np
import oracle
from oracle import ONE, SIGMA, SPIN, TAU3

MODES = np.array([m @ t for t in (np.eye(4), TAU3) for m in (np.eye(4, dtype=complex), *SPIN)])
KINDS = {"full": [0, 1, 2, 3, 4, 5, 6, 7], "collinear": [0, 3, 4, 7], "spinless": [0, 4]}  # modes of the spin sectors


def advanced(r):
    """A = -tau3 R^+ tau3."""
    return -TAU3 @ r.conj().swapaxes(-1, -2) @ TAU3


def upper(r, k, a):
    """[[R, K], [0, A]]."""
    r, k, a = np.broadcast_arrays(r, k, a)
    rows = [np.concatenate(row, axis=-1) for row in ((r, k), (0 * k, a))]
    return np.concatenate(rows, axis=-2)


def whole(r, k):
    """[[R, K], [0, A]] with the A that belongs to R."""
    return upper(r, k, advanced(r))


def doubled(m):
    """The same matrix in both Keldysh blocks."""
    return np.kron(np.eye(2), m)


def commutator(x, y):
    return x @ y - y @ x


def keldysh(x):
    """The Keldysh block."""
    return x[..., :4, 4:]


def traces(x):
    """Tr N_i x of all modes."""
    return np.einsum("iab,...ba->...i", MODES, x)


def of_modes(amounts):
    """The matrix h of amounts (..., 8) of its modes."""
    return np.einsum("...j,jab->...ab", amounts, MODES)


def covariant(x, gradient, gauge):
    """D_k x = d_k x - i [A_k, x], for A_k = A_k tau3 + SU_k."""
    return np.array([d - 1j * commutator(a, x) for d, a in zip(gradient, gauge, strict=True)])


def green_and_derivatives(r, dr, h, dh):
    """g and D_k g from R, h and their derivatives, K = R h - h A."""
    a, da = advanced(r), np.array([advanced(d) for d in dr])
    dk = [dr[k] @ h + r @ dh[k] - dh[k] @ a - h @ da[k] for k in range(len(dr))]
    return whole(r, r @ h - h @ a), np.array([whole(d, k) for d, k in zip(dr, dk, strict=True)])


def current_and_torque(g, dg, D, theta, kappa, *, projected=True):
    """The matrix current J_k and the torque T for tensors Theta_kj^a, Kappa_kj^a.

    The current is the consistent one, with vertices S_a = (s_a + g s_a g)/2, or with s_a in their place.
    """
    current, torque = np.array([g @ d for d in dg]), 0 * g
    for k, j, a in np.argwhere(abs(theta) + abs(kappa)):
        spin = doubled(SPIN[a])
        vertex = 0.5 * (spin + g @ spin @ g) if projected else spin
        both = dg[k] @ dg[j]
        current[k] -= 0.5 * theta[k, j, a] * (dg[j] @ vertex + vertex @ dg[j])
        current[k] -= 0.5j * kappa[k, j, a] * commutator(g @ dg[j], vertex)
        torque += 0.25 * D * theta[k, j, a] * commutator(spin, g @ both)
        torque += 0.25j * D * kappa[k, j, a] * commutator(both, spin)
    return -D * current, torque


def weak_form(current, local, spins):
    """What multiplies d_k w, and last w, in -Tr D_k w J_k^K + Tr w X^K of tests w = N_i; (dim + 1, ..., 8)."""
    flux = -traces(keldysh(current))
    last = traces(keldysh(local))
    for spin, j in zip(spins, keldysh(current), strict=True):
        turned = -1j * commutator(spin, MODES)  # D_k N_i
        last = last - np.einsum("iab,...ba->...i", turned, j)
    rows = np.concatenate([flux, last[None]])
    assert abs(rows.imag).max() < 1e-12 * max(1.0, abs(rows).max())
    return rows.real


def energies(w, g, h, *, rate_so, rate_sf, depairing, **fields):
    """L at w = Gamma - iE: fields, broadening by a reservoir that has the local occupation, and scattering."""
    retarded, adv = oracle.static(w, **fields), oracle.static(-w.conjugate(), **fields)
    value = upper(retarded, w.real * (TAU3 @ h + h @ TAU3), adv)
    for gamma, v in oracle.vertices(rate_so, rate_sf, depairing):
        value = value + gamma / 2 * doubled(v) @ g @ doubled(v)
    return value


def barrier_current(barrier, g1, g2):
    """sigma g_1 d_n g_1 at a barrier, n from side 1 to side 2."""
    n = np.array(barrier.magnetization) / np.linalg.norm(barrier.magnetization)
    m = doubled(np.einsum("a,aij->ij", n, SPIN) @ TAU3)
    r = np.sqrt(1 - barrier.polarization**2)
    seen = g2 + barrier.polarization / (1 + r) * (m @ g2 + g2 @ m) + (1 - r) / (1 + r) * m @ g2 @ m
    current = -0.5j * barrier.mixing * commutator(g1, m)
    channels = [(0.0, 1.0)]
    if barrier.transparencies is not None:
        channels = [(tau, tau / sum(barrier.transparencies)) for tau in barrier.transparencies]
    for tau, share in channels:
        between = np.eye(8) + tau / 4 * (g1 @ seen + seen @ g1 - 2 * np.eye(8))
        current = current + barrier.conductance / 2 * share * commutator(g1, seen) @ np.linalg.inv(between)
    return current


def spin_matrices(entries):
    """Matrices (..., 2, 2) of the entries of a spin sector: all four, the diagonal, or a multiple of the unit."""
    if entries.shape[-1] == 4:
        return entries.reshape(*entries.shape[:-1], 2, 2)
    return entries[..., None] * ONE


def spin_fields(su2):
    """SU_k = sum_a su2[k, a] sigma_a / 2 for both Nambu blocks, shape (dim, 4, 4)."""
    return np.array([np.kron(ONE, np.einsum("a,aij->ij", own, SIGMA) / 2) for own in su2])
