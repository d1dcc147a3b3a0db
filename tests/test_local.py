"""The equation in 4x4 and 8x8 matrices: the functional's first variation, and what becomes of it in a normal metal.

In the normal state g = [[tau3, K], [0, -tau3]] with K = 2 n + 2 tau3 S.sigma: Tr K gives the charge density n, Tr
sigma_a tau3 K the spin density S_a; Tr tau3 J and Tr sigma_a J of the Keldysh block of a current give theirs.
"""

import numpy as np
import oracle
import pytest
from test_functional import kernel, pack

from usadelfem.physics import matrix_current as local

EPS = oracle.levi_civita()
D, W = 0.8, 0.37
THETA, KAPPA = 0.5 * EPS, -0.7 * EPS
LOCAL = {"gap": 0.4 - 0.3j, "exchange": (0.3, -0.9, 0.4), "rate_so": 0.7, "rate_sf": 0.4, "depairing": 0.3}
X = np.array([0.2, -0.1, 0.4])
STEP = 2e-3
STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
_RNG = np.random.default_rng(8)
WAVES = [
    [(oracle.random_spin(_RNG, 0.3), _RNG.normal(size=3), _RNG.normal()) for _ in range(3)] for _ in range(2)
]  # a random smooth field for a and one for b


def riccati(which, x):
    """a or b and its three derivatives at x."""
    value = sum(m * np.sin(k @ x + shift) for m, k, shift in WAVES[which])
    slope = np.array([sum(m * k[i] * np.cos(k @ x + shift) for m, k, shift in WAVES[which]) for i in range(3)])
    return value, slope


def green(x):
    (a, da), (b, db) = riccati(0, x), riccati(1, x)
    dg = np.array([oracle.green_derivative(a, b, *derivative) for derivative in zip(da, db, strict=True)])
    return oracle.green(a, b), dg


def derivative(function, k):
    """Central difference of fourth order along axis k."""
    return sum(c * function(X + s * STEP * np.eye(3)[k]) for s, c in STENCIL) / STEP


def printed_by_hand(x, k, vertex):
    """J_k written out with the Levi-Civita symbol; `vertex(g, a)` is sigma_a or S_a."""
    g, dg = green(x)
    current = g @ dg[k]
    for a, j in np.ndindex(3, 3):
        s = vertex(g, a)
        current = current - 0.5 * 0.5 * EPS[a, k, j] * (dg[j] @ s + s @ dg[j])
        current = current + 0.5j * 0.7 * EPS[a, k, j] * (g @ dg[j] @ s - s @ g @ dg[j])
    return -D * current


VERTEX = {
    "consistent": lambda g, a: (oracle.SPIN[a] + g @ oracle.SPIN[a] @ g) / 2,
    "huang2018": lambda g, a: oracle.SPIN[a],
}


def torque_by_hand(x):
    g, dg = green(x)
    total = np.zeros((4, 4), complex)
    for a, k, j in np.ndindex(3, 3, 3):
        s, one, two = oracle.SPIN[a], g @ dg[k] @ dg[j], dg[k] @ dg[j]
        total += D / 4 * EPS[a, k, j] * (0.5 * (s @ one - one @ s) - 0.7j * (two @ s - s @ two))
    return total


def equation(form):
    """d_k J_k - T + [L, g]."""
    g, _ = green(X)
    energy = oracle.self_energy(W, g, **LOCAL)
    divergence = sum(derivative(lambda x, k=k: printed_by_hand(x, k, VERTEX[form]), k) for k in range(3))
    return divergence - torque_by_hand(X) + energy @ g - g @ energy


@pytest.mark.parametrize("form", VERTEX)
def test_matrix_current_is_the_formula(form):
    g, dg = green(X)
    current = local.matrix_current(g, dg, D, THETA, KAPPA, form=form)
    for k in range(3):
        assert np.abs(current[k] - printed_by_hand(X, k, VERTEX[form])).max() < 1e-13


def test_torque_is_the_formula():
    assert np.abs(local.torque(*green(X), D, THETA, KAPPA) - torque_by_hand(X)).max() < 1e-13


def test_consistent_equation_anticommutes_with_g():
    g, residual = green(X)[0], equation("consistent")
    assert np.abs(residual).max() > 1
    assert np.abs(residual @ g + g @ residual).max() < 1e-7


def test_printed_equation_does_not_anticommute_with_g():
    g, residual = green(X)[0], equation("huang2018")
    assert np.abs(residual @ g + g @ residual).max() > 0.1


def test_first_variation_of_the_functional_is_the_equation():
    terms = {"D": D, "theta": THETA, "kappa": KAPPA, **LOCAL}

    def rows(x):
        (a, da), (b, db) = riccati(0, x), riccati(1, x)
        return kernel(W, terms, pack(a, b, da, db))

    gradient = rows(X)[1] - sum(derivative(lambda x, k=k: rows(x)[2][k], k) for k in range(3))
    g, residual = green(X)[0], equation("consistent")
    a, b = riccati(0, X)[0], riccati(1, X)[0]
    for i, j in np.ndindex(2, 2):
        unit = np.zeros((2, 2))
        unit[i, j] = 1
        dg = oracle.green_derivative(a, b, unit, 0 * unit)  # = [W, g] with W = dg g / 2
        expected = np.trace(dg @ g @ residual) / 2
        assert gradient.reshape(2, 2)[j, i] == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_arrays_of_positions_are_treated_point_by_point():
    points = [green(X + 0.1 * s) for s in range(3)]
    g, dg = np.stack([p[0] for p in points], -1), np.stack([p[1] for p in points], -1)
    diffusion, theta = np.array([0.5, 1.0, 2.0]), THETA[..., None] * np.array([1.0, 2.0, 0.0])
    current = local.matrix_current(g, dg, diffusion, theta, KAPPA)
    for n, scale in enumerate((1.0, 2.0, 0.0)):
        one = local.matrix_current(*points[n], diffusion[n], scale * THETA, KAPPA)
        assert np.allclose(current[..., n], one, rtol=0, atol=1e-13)


def test_real_matrices_are_accepted():
    tau3, slope = oracle.TAU3, np.stack([oracle.TAU3[:, ::-1]] * 3)
    for function in (local.matrix_current, local.torque):
        real, complex_ = (function(tau3.astype(t), slope.astype(t), D, THETA, KAPPA) for t in (float, complex))
        assert np.array_equal(real, complex_)


def test_both_forms_agree_to_linear_order_in_the_anomalous_function():
    def difference(scale):
        (a, da), (b, db) = riccati(0, X), riccati(1, X)
        a, b, da, db = (scale * value for value in (a, b, da, db))
        dg = np.array([oracle.green_derivative(a, b, *slope) for slope in zip(da, db, strict=True)])
        g = oracle.green(a, b)
        one, two = (local.matrix_current(g, dg, D, THETA, KAPPA, form=form) for form in VERTEX)
        return np.abs(one - two).max()

    assert difference(2e-3) == pytest.approx(4 * difference(1e-3), rel=0.02)


def test_unknown_form_is_refused():
    with pytest.raises(ValueError, match="'huang2018'"):
        local.matrix_current(*green(X), D, THETA, KAPPA, form="1970")


def keldysh(n, s):
    """The off-diagonal block of g for charge n and spin s."""
    return 2 * n * np.eye(4) + 2 * oracle.TAU3 @ np.einsum("a,aij->ij", s, oracle.SPIN)


def normal_metal(n, s, slope):
    """g (8x8) and its derivatives; slope (4, 3) holds d_k of n and S."""
    zero = np.zeros((4, 4))
    g = np.block([[oracle.TAU3, keldysh(n, s)], [zero, -oracle.TAU3]])
    dg = np.array([np.block([[zero, keldysh(slope[0, k], slope[1:, k])], [zero, zero]]) for k in range(3)])
    return g, dg


N, S = 0.3, np.array([0.2, -0.4, 0.1])
SLOPE = np.random.default_rng(4).normal(size=(4, 3))


@pytest.mark.parametrize("form", VERTEX)
def test_keldysh_block_of_the_matrix_current_is_the_normal_current_in_both_forms(form):
    theta, kappa = 0.5, -0.7
    current = local.matrix_current(*normal_metal(N, S, SLOPE), D, THETA, KAPPA, form=form)[:, :4, 4:]
    ds = SLOPE[1:]
    for k in range(3):
        charge = -D * SLOPE[0, k] + D * theta * np.einsum("aj,aj->", EPS[:, k], ds)
        spin = -D * ds[:, k] + D * theta * EPS[:, k] @ SLOPE[0]
        spin = spin - D * kappa * (np.eye(3)[k] * np.trace(ds) - ds[k])
        assert np.allclose(current[k], oracle.TAU3 @ keldysh(charge, spin), rtol=0, atol=1e-13)


def test_torque_of_the_normal_state_vanishes():
    assert np.abs(local.torque(*normal_metal(N, S, SLOPE), D, THETA, KAPPA)).max() < 1e-15


@pytest.mark.parametrize("form", VERTEX)
def test_keldysh_block_of_the_whole_equation_is_coupled_diffusion(form):
    # n and S quadratic in position, so that the central difference of the current is exact
    h, rate_so = np.array([0.3, 0.5, -0.2]), 0.7
    curvature = np.random.default_rng(6).normal(size=(4, 3, 3))
    curvature = curvature + curvature.transpose(0, 2, 1)

    def field(x):
        value = np.array([N, *S]) + SLOPE @ x + 0.5 * curvature @ x @ x
        return normal_metal(value[0], value[1:], SLOPE + curvature @ x)

    def current(x):
        return local.matrix_current(*field(x), D, THETA, KAPPA, form=form)

    step = 0.1 * np.eye(3)
    residual = sum((current(step[k]) - current(-step[k]))[k] for k in range(3)) / 0.2
    g, dg = field(np.zeros(3))
    spin, tau3 = local.spin_matrices(8), np.kron(np.eye(2), oracle.TAU3)
    energy = sum(rate_so / 8 * spin[a] @ g @ spin[a] - 1j * h[a] * spin[a] @ tau3 for a in range(3))
    residual = residual - local.torque(g, dg, D, THETA, KAPPA) + energy @ g - g @ energy

    # theta and kappa drop out of the divergence where they are uniform
    laplacian = np.einsum("ckk->c", curvature)
    expected = oracle.TAU3 @ keldysh(-D * laplacian[0], -D * laplacian[1:] + rate_so * S + 2 * np.cross(h, S))
    assert np.allclose(residual[:4, 4:], expected, rtol=0, atol=1e-12)


def test_keldysh_block_of_the_self_energies_is_relaxation_and_precession():
    # d_k J_k^b = -S_b (1/tau_so + 1/tau_sf) - 2 (h x S)_b, no source of charge
    h, rate_so, rate_sf = np.array([0.3, 0.5, -0.2]), 0.7, 0.4
    g, _ = normal_metal(N, S, SLOPE)
    spin, tau3 = local.spin_matrices(8), np.kron(np.eye(2), oracle.TAU3)
    energy = -1j * np.einsum("a,aij->ij", h, spin) @ tau3
    energy = energy + sum(rate_so / 8 * s @ g @ s + rate_sf / 8 * s @ tau3 @ g @ s @ tau3 for s in spin)
    divergence = -(energy @ g - g @ energy)[:4, 4:]
    expected = -(rate_so + rate_sf) * S - 2 * np.cross(h, S)
    assert np.allclose(divergence, oracle.TAU3 @ keldysh(0.0, expected), rtol=0, atol=1e-14)
