"""Homogeneous superconductors against closed forms."""

import numpy as np
import oracle
import pytest

import usadelfem as uf

DIRECTIONS = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1), "oblique": (0.48, -0.6, 0.64)}


def bulk_green(w, gap, exchange):
    """sign(M) of the static matrix, computed from its eigenvectors: what commutes with it and squares to one."""
    matrix = oracle.static(w, gap, exchange)
    values, vectors = np.linalg.eig(matrix)
    return vectors @ np.diag(np.sign(values.real)) @ np.linalg.inv(vectors)


@pytest.fixture(params=DIRECTIONS.values(), ids=DIRECTIONS)
def exchange(request):
    return 0.6 * np.array(request.param)


def test_isolated_piece_has_the_bulk_green_function_for_any_direction_of_the_exchange_field(exchange):
    gap = 0.8 * np.exp(0.7j)
    mesh = uf.rectangle({"S": 1.0}, width=0.5, size=0.25)
    device = uf.Device(mesh, {"S": uf.superconductor(gap=gap, exchange=exchange)})
    eq = uf.solve_equilibrium(device, 0.15, order=1)
    g = eq.green([[0.2, 0.7], [0.1, 0.4]])
    for w, matrices in zip(eq.frequencies, g, strict=True):
        for p in range(2):
            assert np.abs(matrices[:, :, p] - bulk_green(w, gap, exchange)).max() < 1e-9


def test_reservoir_of_the_same_metal_leaves_the_superconductor_homogeneous(exchange):
    mesh = uf.interval({"S": 2.0}, size=0.25)
    material = uf.superconductor(gap=0.9j, exchange=exchange)
    contacts = {"left": uf.Reservoir(gap=0.9, phase=np.pi / 2, exchange=tuple(exchange))}
    eq = uf.solve_equilibrium(uf.Device(mesh, {"S": material}, contacts), 0.1)
    assert np.ptp(eq.riccati, axis=1).max() < 1e-9


def test_green_function_squares_to_one_everywhere(exchange):
    mesh = uf.interval({"S": 1.0, "N": 1.0}, size=0.25)
    device = uf.Device(mesh, {"S": uf.superconductor(gap=1.0, exchange=exchange), "N": uf.normal_metal(tau_so=2.0)})
    g = uf.solve_equilibrium(device, 0.1).green(np.linspace(0, 2, 23)[None])
    square = np.einsum("wijp,wjkp->wikp", g, g)
    assert np.abs(square - np.eye(4)[None, :, :, None]).max() < 1e-12


@pytest.mark.parametrize(("name", "pair_breaking"), [("depairing", 0.3), ("tau_sf", 1 / 0.4)])
def test_pair_breaking_obeys_abrikosov_gorkov(name, pair_breaking):
    # u = w/gap + alpha u/(gap sqrt(1 + u^2)) with u = G/F: alpha = Gamma_orb, or 3/(4 tau_sf)
    alpha = {"depairing": 0.3, "tau_sf": 0.75 * 0.4}[name]
    device = uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(gap=1.0, **{name: pair_breaking})})
    eq = uf.solve_equilibrium(device, 0.1)
    f0 = uf.pair_amplitude(eq, n=0).at([[0.5]])[0, 0]
    u = np.sqrt(1 + f0**2).real / f0.imag  # f0 = i sin(theta)
    assert u * (1 - alpha / np.sqrt(1 + u**2)) == pytest.approx(eq.frequencies[0], rel=1e-8)


def test_spin_orbit_scattering_changes_nothing_without_an_exchange_field():
    mesh = uf.interval({"S": 1.0}, size=0.5)
    plain, scattered = (
        uf.solve_equilibrium(uf.Device(mesh, {"S": uf.superconductor(gap=1.0, tau_so=tau)}), 0.1).riccati
        for tau in (np.inf, 0.2)
    )
    assert np.abs(plain - scattered).max() < 1e-10


def test_total_spin_of_a_superconductor_vanishes_at_zero_temperature_below_the_gap():
    device = uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(gap=1.0, exchange=(0, 0.3, 0.2))})
    eq = uf.solve_equilibrium(device, 0.01)
    assert np.allclose(uf.spin_density(eq).integral(), [0, -0.6, -0.4], atol=1e-6)
    assert np.allclose(uf.spin_density(eq, pauli=True).integral(), 0, atol=1e-6)


def test_phase_gradient_carries_the_london_current():
    # a = i r exp(i q x) with D q^2/2 as depairing: bulk state with a uniform phase gradient, periodic in the reservoirs
    q, temperature = 0.4, 0.1
    mesh = uf.interval({"S": 24.0}, size=0.1)
    material = uf.superconductor(gap=lambda x: np.exp(1j * q * x[0]))
    contacts = {"left": uf.Reservoir(gap=1.0, phase=0.0), "right": uf.Reservoir(gap=1.0, phase=24.0 * q)}
    eq = uf.solve_equilibrium(uf.Device(mesh, {"S": material}, contacts), temperature)
    f0 = uf.pair_amplitude(eq, n=None)
    middle = [[12.0]]
    current = uf.charge_current(eq).at(middle)[0, 0]
    f = np.array([uf.pair_amplitude(eq, n).at(middle)[0, 0] for n in range(len(eq.frequencies))])
    assert current == pytest.approx(2 * np.pi * temperature * 2 * q * (eq.weights * abs(f) ** 2).sum(), rel=2e-4)
    assert np.angle(f0.at(middle)[0, 0]) == pytest.approx(np.pi / 2 + 12.0 * q - 2 * np.pi, abs=1e-5)
