"""Independent reference: explicit 4x4 matrices, nothing shared with the kernels but the conventions of the theory."""

import numpy as np

SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
ONE = np.eye(2)
TAU3 = np.diag([1.0, 1, -1, -1])
SPIN = np.array([np.kron(ONE, s) for s in SIGMA])


def green(a, b):
    """The 4x4 matrix g = U tau3 U^-1 with U = [[1, -a], [b, 1]]."""
    u = np.block([[ONE, -a], [b, ONE]])
    return u @ TAU3 @ np.linalg.inv(u)


def green_derivative(a, b, da, db):
    """Directional derivative of `green`."""
    u = np.block([[ONE, -a], [b, ONE]])
    du = np.block([[0 * ONE, -da], [db, 0 * ONE]])
    inverse = np.linalg.inv(u)
    return du @ TAU3 @ inverse - u @ TAU3 @ inverse @ du @ inverse


def static(w, gap, exchange):
    """w tau3 - i h.sigma tau3 + Dhat."""
    pairing = np.kron([[0, 1j * gap], [-1j * np.conj(gap), 0]], ONE)
    return w * TAU3 - 1j * np.einsum("a,aij->ij", exchange, SPIN) @ TAU3 + pairing


def vertices(rate_so, rate_sf, depairing):
    """(gamma, V) of every term -(gamma/4) Tr V g V g; the rates are one number or one for each of x, y, z."""
    pairs = [(rate / 4, SPIN[i]) for i, rate in enumerate(np.broadcast_to(rate_so, 3))]
    pairs += [(rate / 4, SPIN[i] @ TAU3) for i, rate in enumerate(np.broadcast_to(rate_sf, 3))]
    return [*pairs, (depairing, TAU3)]


def levi_civita():
    """eps_ijk."""
    eps = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        eps[i, j, k], eps[j, i, k] = 1, -1
    return eps


def density(
    w,
    a,
    b,
    da,
    db,
    *,
    D=1.0,
    gap=0.0,
    exchange=(0, 0, 0),
    rate_so=0.0,
    rate_sf=0.0,
    depairing=0.0,
    theta=None,
    kappa=None,
):
    """The density of the functional; da, db have shape (dim, 2, 2), theta and kappa are tensors (dim, dim, 3)."""
    g = green(a, b)
    value = -np.trace(static(w, gap, exchange) @ g)
    dg = [green_derivative(a, b, *derivative) for derivative in zip(da, db, strict=True)]
    for k in range(len(da)):
        value += D / 4 * np.trace(dg[k] @ dg[k])
    for i, j, s in np.ndindex(len(da), len(da), 3):
        if theta is not None:
            value += D / 4 * theta[i, j, s] * np.trace(SPIN[s] @ g @ dg[i] @ dg[j])
        if kappa is not None:
            value -= 1j * D / 4 * kappa[i, j, s] * np.trace(SPIN[s] @ dg[i] @ dg[j])
    for gamma, v in vertices(rate_so, rate_sf, depairing):
        value -= gamma / 4 * np.trace(v @ g @ v @ g)
    costs = np.broadcast_to(rate_so, 3).sum() / 16 * np.trace(g @ g)
    return value + costs  # spin-orbit scattering costs singlets nothing


def self_energy(w, g, *, gap=0.0, exchange=(0, 0, 0), rate_so=0.0, rate_sf=0.0, depairing=0.0):
    """L with its local self-energies, as it stands in the equation."""
    value = static(w, gap, exchange)
    for gamma, v in vertices(rate_so, rate_sf, depairing):
        value = value + gamma / 2 * v @ g @ v
    return value


def tilde(a):
    """sigma_y a* sigma_y."""
    return SIGMA[1] @ np.conj(a) @ SIGMA[1]


def random_spin(rng, scale=0.4):
    """A random complex 2x2 matrix."""
    return scale * (rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)))
