"""Gradient and Hessian of the functional against explicit 4x4 matrices and central differences."""

import numba
import numpy as np
import oracle
import pytest

from usadelfem.physics import conjugates, functional
from usadelfem.physics import variations as frame
from usadelfem.physics.columns import CHANNEL_COLUMNS, FIRST_GAUGE, GAUGE_COLUMNS, LOCAL, N0

DIM = 3
EPS = oracle.levi_civita()
ANTISYMMETRIC = np.random.default_rng(9).normal(size=(DIM, DIM, 3))
ANTISYMMETRIC = ANTISYMMETRIC - ANTISYMMETRIC.swapaxes(0, 1)
TERMS = {
    "kinetic": {"D": 1.7},
    "static": {"D": 0.3, "gap": 0.8 - 0.5j, "exchange": (0.3, -0.9, 0.4)},
    "spin-orbit": {"D": 0.3, "rate_so": 2.2},
    "magnetic": {"D": 0.3, "rate_sf": 1.3},
    "anisotropic spin-orbit": {"D": 0.3, "rate_so": (2.2, 0.4, 1.1)},
    "uniaxial magnetic": {"D": 0.3, "rate_sf": (0.0, 0.0, 1.3)},
    "planar magnetic": {"D": 0.3, "rate_sf": (0.9, 0.9, 0.0)},
    "depairing": {"D": 0.3, "depairing": 0.7},
    "spin Hall": {"D": 0.9, "theta": 0.4 * EPS},
    "swapping": {"D": 0.9, "kappa": -0.6 * EPS},
    "spin Hall tensor": {"D": 0.9, "theta": ANTISYMMETRIC},
}
TERMS["all"] = {
    "D": 1.1, "gap": 0.2 + 1j, "exchange": (1.0, 0.4, -2.0), "rate_so": (0.7, 1.7, 0.2), "rate_sf": (0.4, 0.1, 0.6),
    "depairing": 0.3, "theta": 0.4 * EPS + ANTISYMMETRIC, "kappa": 0.7 * EPS,
}  # fmt: skip
PAIRS = np.array([(0, 1), (0, 2), (1, 2)] * 2)


@numba.njit
def call_evaluate(w, c, pairs, a, b, da, db):
    dim = len(da)
    flux, h00 = np.zeros((dim, 4), np.complex128), np.zeros((4, 8), np.complex128)
    hk0, hkk = np.zeros((dim, 4, 8), np.complex128), np.zeros((4, 4), np.complex128)
    hkl, rows = np.zeros((3, 4, 4), np.complex128), np.zeros((frame.ROWS, dim, 4), np.complex128)
    ta, tb = (a[0], a[1], a[2], a[3]), (b[0], b[1], b[2], b[3])
    dz = np.zeros((2, dim, 4), np.complex128)
    dz[0], dz[1] = da, db
    own = np.zeros((conjugates.CONJUGATE_ROWS, dim, 4), np.complex128)
    values = np.zeros(FIRST_GAUGE + GAUGE_COLUMNS * dim + CHANNEL_COLUMNS * len(pairs), np.complex128)
    conjugates.conjugates(w, c, pairs, ta, tb, dz, False, 7, own, values)
    f = values[N0]
    g, _ = functional.evaluate(w, c, pairs, len(pairs), ta, tb, da, db, True, flux, h00, hk0, hkk, hkl, rows)
    return f, np.array(g), flux, h00, hk0, hkk, hkl


def coefficients(
    D=1.0, gap=0.0, exchange=(0, 0, 0), rate_so=0.0, rate_sf=0.0, depairing=0.0, theta=0 * EPS, kappa=0 * EPS
):
    """The row of a point, with one channel per pair of axes for theta and one for kappa."""
    channels = [(*theta[i, j], 1.0, 0.0) for i, j in PAIRS[:3]] + [(*kappa[i, j], 0.0, 1.0) for i, j in PAIRS[:3]]
    values = {
        "N0": 1.0, "D": D, "gap": np.asarray(gap), "exchange": exchange, "depairing": depairing,
        "inelastic_rate": 0.0,
        "tau_so": 1 / np.maximum(np.broadcast_to(rate_so, 3), 1e-300),
        "tau_sf": 1 / np.maximum(np.broadcast_to(rate_sf, 3), 1e-300),
    }  # fmt: skip
    local = [row.filled(np.asarray(values[row.coefficients[0]])) for row in LOCAL]
    return np.concatenate([local, np.ravel(channels)])


def pack(a, b, da, db):
    return np.concatenate([np.ravel(m) for m in (a, b, da, db)])


def unpack(u):
    a, b, rest = u[:4], u[4:8], u[8:].reshape(2, DIM, 2, 2)
    return a.reshape(2, 2), b.reshape(2, 2), rest[0], rest[1]


def kernel(w, terms, u):
    a, b, da, db = unpack(u)
    rows = (DIM, 4)
    pairs = PAIRS if {"theta", "kappa"} & set(terms) else PAIRS[:0]
    return call_evaluate(w, coefficients(**terms), pairs, a.ravel(), b.ravel(), da.reshape(rows), db.reshape(rows))


def rows_of_a(w, terms, u):
    """The gradient with respect to a and d_k a as one vector over matrix entries (tr(du G): entry ij has G_ji)."""
    _, g, flux, *_ = kernel(w, terms, u)
    return np.concatenate([m.reshape(2, 2).T.ravel() for m in (g, *flux)])


@pytest.fixture(params=range(3))
def point(request):
    rng = np.random.default_rng(request.param)
    a, b = oracle.random_spin(rng), oracle.random_spin(rng)
    da = np.array([oracle.random_spin(rng, 1.0) for _ in range(DIM)])
    db = np.array([oracle.random_spin(rng, 1.0) for _ in range(DIM)])
    return pack(a, b, da, db)


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_density_equals_the_trace_over_explicit_matrices(terms, point):
    expected = oracle.density(0.37, *unpack(point), **terms) - oracle.density(0.37, *unpack(0 * point), **terms)
    assert kernel(0.37, terms, point)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_gradient_is_the_central_difference_of_the_explicit_density(terms, point):
    step = 1e-5
    numerical = []
    for i in [*range(4), *range(8, 8 + 4 * DIM)]:
        e = np.zeros(len(point))
        e[i] = step
        plus, minus = (oracle.density(0.37, *unpack(point + s * e), **terms) for s in (1, -1))
        numerical.append((plus - minus) / (2 * step))
    gradient = rows_of_a(0.37, terms, point)
    assert np.abs(gradient - numerical).max() < 1e-7 * max(1, np.abs(gradient).max())


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_hessian_is_the_central_difference_of_the_gradient(terms, point):
    step = 1e-5
    _, _, _, h00, hk0, hkk, hkl = kernel(0.37, terms, point)
    numerical = np.empty((4 + 4 * DIM, len(point)), complex)
    for i in range(len(point)):
        e = np.zeros(len(point))
        e[i] = step
        plus, minus = (rows_of_a(0.37, terms, point + s * e) for s in (1, -1))
        numerical[:, i] = (plus - minus) / (2 * step)
    exact = np.zeros_like(numerical)
    exact[:4, :8] = h00
    for k in range(DIM):
        rows = slice(4 + 4 * k, 8 + 4 * k)
        exact[rows, :8] = hk0[k]
        for m in range(DIM):
            block = hkk if m == k else np.sign(m - k) * hkl[k + m - 1]
            exact[rows, 8 + 4 * DIM + 4 * m : 12 + 4 * DIM + 4 * m] = block
        exact[:4, 8 + 4 * k : 12 + 4 * k] = hk0[k][:, :4].T
    known = np.ones_like(exact, bool)
    known[:4, 8 + 4 * DIM :] = False  # a with d_k b: the kernel leaves it to symmetry, tested below
    scale = max(1, np.abs(exact).max())
    assert np.abs(exact - numerical)[known].max() < 1e-7 * scale


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_exchanging_a_and_b_with_the_nambu_blocks_leaves_the_density_unchanged(terms, point):
    a, b, da, db = unpack(point)
    swapped = dict(terms)
    if "gap" in terms:
        swapped["gap"] = -np.conj(terms["gap"])
    if "theta" in terms:  # exchanges P and Q: theta changes sign, kappa does not
        swapped["theta"] = -terms["theta"]
    exchanged = oracle.density(0.37, b, a, db, da, **swapped)
    assert exchanged == pytest.approx(oracle.density(0.37, *unpack(point), **terms), rel=1e-12)


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_density_is_real_on_the_matsubara_manifold(terms, point):
    a, _, da, _ = unpack(point)
    f = kernel(0.37, terms, pack(a, oracle.tilde(a), da, np.array([oracle.tilde(m) for m in da])))[0]
    assert abs(f.imag) < 1e-12 * abs(f)


def test_green_function_squares_to_one_and_is_traceless(point):
    a, b, *_ = unpack(point)
    g = oracle.green(a, b)
    assert np.abs(g @ g - np.eye(4)).max() < 1e-12
    assert abs(np.trace(g)) < 1e-12
