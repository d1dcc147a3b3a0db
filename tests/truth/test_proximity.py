"""Proximity effect in normal metals and ferromagnets against closed forms and rotated frames."""

import numpy as np
import pytest
from scipy.linalg import expm

import usadelfem as uf

W = np.pi * 0.1


def exact_normal_metal(x, theta_s, w=W):
    """Semi-infinite N on a rigid S: theta = 4 arctan[tan(theta_S/4) exp(-x sqrt(2 w/D))], a = i tan(theta/2)."""
    return 1j * np.tan(2 * np.arctan(np.tan(theta_s / 4) * np.exp(-x * np.sqrt(2 * w))))


def l2_error(mesh, order):
    """L2 error of a00 at one frequency, the exact solution imposed by reservoirs at x = 0 and x = 2."""
    theta_s, theta_end = np.arctan(1.0 / W), 2 * np.arctan(exact_normal_metal(2.0, np.arctan(1.0 / W)).imag)
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(W * np.tan(theta_end))}
    device = uf.Device(mesh, {"N": uf.normal_metal()}, contacts)
    eq = uf.solve_equilibrium(device, 0.1, order=order, quadrature="plain", frequencies=1)
    space = eq.problem.space
    a = np.einsum("ci,qi->cq", eq.riccati[0][space.cells, 0], space.phi)
    error = abs(a - exact_normal_metal(space.points()[0], theta_s)) ** 2
    return np.sqrt((error * space.dx).sum())


MESHES = {
    "line": lambda h: uf.interval({"N": 2.0}, size=h),
    "triangle": lambda h: uf.rectangle({"N": 2.0}, width=0.5, size=h),
    "quad": lambda h: uf.rectangle({"N": 2.0}, width=0.5, size=h, cell="quad"),
    "tetrahedron": lambda h: uf.box({"N": 2.0}, width=0.5, height=0.5, size=h),
    "hexahedron": lambda h: uf.box({"N": 2.0}, width=0.5, height=0.5, size=h, cell="hexahedron"),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("cell", MESHES)
def test_l2_error_falls_with_the_order_of_the_element_plus_one(cell, order):
    sizes = (0.5 / (3 - order), 0.25 / (3 - order)) if cell in ("tetrahedron", "hexahedron") else (0.1, 0.05)
    coarse, fine = (l2_error(MESHES[cell](h), order) for h in sizes)
    assert np.log2(coarse / fine) == pytest.approx(order + 1, abs=0.15)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_pair_amplitude_in_a_ferromagnet_decays_and_oscillates_over_the_exchange_length():
    h, w = 50.0, W
    mesh = uf.interval({"F": 1.5}, size=0.02)
    device = uf.Device(mesh, {"F": uf.ferromagnet(exchange=(0, h, 0))}, {"left": uf.Reservoir(0.01)})
    eq = uf.solve_equilibrium(device, 0.1, quadrature="plain", frequencies=1)
    x = np.linspace(0.1, 0.6, 30)
    f = uf.pair_amplitude(eq).at(x[None])
    k = np.sqrt(2 * (w - 1j * h))
    f_s = 0.01 / np.hypot(w, 0.01)
    assert np.allclose(f[0].imag / f_s, np.exp(-k * x).real, atol=1e-4)
    assert np.allclose(f[2].real / f_s, -np.exp(-k * x).imag, atol=1e-4)
    assert k == pytest.approx((1 - 1j) * np.sqrt(h), rel=5e-3)


def rotated_frame_spiral(x, q, h, w, length, f_s):
    """Linear pair amplitudes (f0, along h, in plane across h) of a spiral, as a boundary-value problem in its frame.

    f0'' = 2 w f0 - 2 i h u;  u'' - 2 Q v' - Q^2 u = 2 w u - 2 i h f0;  v'' + 2 Q u' - Q^2 v = 2 w v  (D = 1).
    """
    matrix = np.zeros((6, 6), complex)  # y = (f0, u, v, f0', u', v')
    matrix[:3, 3:] = np.eye(3)
    matrix[3, :2] = 2 * w, -2j * h
    matrix[4, :2], matrix[4, 5] = (-2j * h, 2 * w + q**2), 2 * q
    matrix[5, 2], matrix[5, 4] = 2 * w + q**2, -2 * q
    start = np.array([f_s, 0, 0], complex)
    transfer = expm(matrix * length)
    slope = np.linalg.solve(transfer[:3, 3:], -transfer[:3, :3] @ start)
    return np.array([expm(matrix * s) @ np.concatenate((start, slope)) for s in x]).T[:3]


@pytest.mark.parametrize("q", [0.5, 2.0])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_spiral_gives_the_equal_spin_triplets_of_the_rotated_frame(q):
    h, length, gap = 4.0, 3.0, 0.01

    def spiral(x):
        return h * np.array([np.cos(q * x[0]), np.sin(q * x[0]), 0 * x[0]])

    contacts = {"left": uf.Reservoir(gap), "right": uf.Reservoir(0.0)}
    device = uf.Device(uf.interval({"F": length}, size=0.05), {"F": uf.ferromagnet(exchange=spiral)}, contacts)
    eq = uf.solve_equilibrium(device, 0.1, quadrature="plain", frequencies=1)
    x = np.linspace(0.05, 2.95, 40)
    f0, fx, fy, fz = uf.pair_amplitude(eq).at(x[None])
    expected = rotated_frame_spiral(x, q, h, W, length, 1j * gap / np.hypot(W, gap))
    c, s = np.cos(q * x), np.sin(q * x)
    obtained = np.array([f0, c * fx + s * fy, c * fy - s * fx])
    assert np.abs(obtained - expected).max() < 2e-4 * np.abs(expected).max()
    assert np.abs(fz).max() < 1e-14


@pytest.mark.parametrize(("q", "expected"), [(0.5, 0.67082), (2.0, 2.04776)])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_long_range_triplet_of_a_strong_spiral_decays_at_the_published_rate(q, expected):
    h, length = 100.0, 4.0

    def spiral(x):
        return h * np.array([np.cos(q * x[0]), np.sin(q * x[0]), 0 * x[0]])

    mesh = uf.interval({"F": length}, size=0.02)
    device = uf.Device(mesh, {"F": uf.ferromagnet(exchange=spiral)}, {"left": uf.Reservoir(1e-3)})
    eq = uf.solve_equilibrium(device, 0.1 / np.pi, quadrature="plain", frequencies=1)
    x = np.array([1.0, 1.5])
    triplet = np.linalg.norm(uf.pair_amplitude(eq).at(x[None])[1:], axis=0)
    reflected = np.exp(-2 * expected * (length - x))  # the free end at x = 4 mirrors the decay
    rate = np.log(triplet[0] / triplet[1] * (1 + reflected[1]) / (1 + reflected[0])) / 0.5
    assert rate == pytest.approx(expected, rel=5e-3)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_jumps_of_d_and_n0_conserve_the_flux_across_a_transparent_interface():
    # linear regime at one frequency: f'' = 2 w f/D in each layer, f continuous, N0 D f' continuous
    d1, d2, n1, n2, gap = 1.0, 0.25, 1.0, 3.0, 1e-3
    mesh = uf.interval({"A": 1.0, "B": 1.0}, size=0.05)
    materials = {"A": uf.normal_metal(D=d1, N0=n1), "B": uf.normal_metal(D=d2, N0=n2)}
    eq = uf.solve_equilibrium(
        uf.Device(mesh, materials, {"left": uf.Reservoir(gap)}), 0.1, quadrature="plain", frequencies=1
    )
    k1, k2 = np.sqrt(2 * W / d1), np.sqrt(2 * W / d2)
    stiffness = n2 * d2 * k2 * np.tanh(k2)  # what layer B with its free end presents to A
    ratio = stiffness / (n1 * d1 * k1)
    interface = 1 / (np.cosh(k1) + ratio * np.sinh(k1))
    f = uf.pair_amplitude(eq).at([[1.0]])[0, 0]
    assert f.imag == pytest.approx(gap / np.hypot(W, gap) * interface, rel=1e-5)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_triplet_decay_length_shrinks_with_spin_orbit_scattering():
    # D f'' = (2 w + 1/tau_so) f for a triplet: impose one with an exchange-split reservoir
    tau, gap = 0.5, 1e-3
    device = uf.Device(
        uf.interval({"N": 6.0}, size=0.05), {"N": uf.normal_metal(tau_so=tau)},
        {"left": uf.Reservoir(gap, exchange=(0, 0, 0.2))},
    )  # fmt: skip
    eq = uf.solve_equilibrium(device, 0.1, quadrature="plain", frequencies=1)
    f = uf.pair_amplitude(eq).at([[0.5, 1.5]])
    assert np.log(abs(f[3, 0] / f[3, 1])) == pytest.approx(np.sqrt(2 * W + 1 / tau), rel=1e-4)
    assert np.log(abs(f[0, 0] / f[0, 1])) == pytest.approx(np.sqrt(2 * W), rel=1e-3)
