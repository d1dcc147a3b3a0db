"""Densities of states and minigaps against closed forms, published numbers and boundary-value solvers."""

import numpy as np
import oracle
import pytest
from devices import junction
from scipy.integrate import solve_bvp

import usadelfem as uf


def film(**coefficients):
    """A homogeneous superconductor with a given gap."""
    metal = uf.superconductor(**{"gap": 1.0} | coefficients)
    return uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": metal})


def density(device, energies, broadening, x=0.3):
    """N(E)/N0 at a point of a line, or of a homogeneous device."""
    spec = uf.solve_spectrum(device, energies, broadening=broadening)
    return uf.density_of_states(spec).at([[x]])[:, 0]


# Homogeneous superconductors


@pytest.mark.parametrize("broadening", [0.1, 0.01, 1e-4])
def test_density_of_states_of_bcs_and_dynes(broadening):
    energies = np.array([-1.3, -0.2, 0.0, 0.5, 0.95, 1.0, 1.02, 1.5, 10.0])
    complex_energy = energies + 1j * broadening
    expected = (complex_energy / np.sqrt(complex_energy**2 - 1.0)).real
    expected *= np.sign(expected)  # the root whose imaginary part is positive
    assert density(film(), energies, broadening) == pytest.approx(expected, rel=1e-10, abs=1e-10)


SPLIT = {  # validation 12
    np.inf: (0.012988, 2.524104, 0.724081, 3.120109, 1.190489), 5.0: (0.012534, 0.300684, 0.791954, 2.022274, 1.190099),
}  # fmt: skip


@pytest.mark.parametrize("tau_so", SPLIT)
@pytest.mark.parametrize("direction", [(0, 0, 1), (1 / 3, -2 / 3, 2 / 3)])
def test_density_of_states_of_a_spin_split_film(direction, tau_so):
    device = film(exchange=0.4 * np.array(direction), tau_so=tau_so)
    assert density(device, [0.0, 0.6, 1.0, 1.4, 2.0], 0.01) == pytest.approx(SPLIT[tau_so], abs=1e-6)


def test_without_exchange_field_spin_orbit_scattering_changes_nothing():
    energies = np.linspace(0, 3, 13)
    assert density(film(tau_so=0.2), energies, 0.01) == pytest.approx(density(film(), energies, 0.01), rel=1e-10)


def test_an_exchange_field_shifts_the_spectra_of_both_spins_in_opposite_directions():
    # w -> w - i h.sigma: the energy of spins along h is lowered by h
    energies, field = np.array([-1.4, -0.6, 0.0, 0.6, 1.4]), np.array([0.0, 0.24, 0.32])
    spec = uf.solve_spectrum(film(exchange=field), energies, broadening=0.01)
    for sign in (1, -1):
        spins = uf.density_of_states(spec, spin=sign * field).at([[0.5]])[:, 0]
        shifted = [density(film(), [energy], 0.01)[0] for energy in energies + sign * 0.4]
        assert spins == pytest.approx(0.5 * np.array(shifted), rel=1e-9)


@pytest.mark.parametrize("rate", [{"depairing": 0.1}, {"tau_sf": 7.5}])
def test_the_gap_of_abrikosov_and_gorkov_is_smaller_than_the_order_parameter(rate):
    # alpha = depairing = 3/(4 tau_sf) = 0.1 Delta0 (validation 8)
    spec = uf.solve_spectrum(film(gap=0.918003, **rate), np.linspace(0, 2, 21))
    assert uf.minigap(spec) == pytest.approx(0.622580, rel=2e-4)


@pytest.mark.parametrize(("alpha", "gapless"), [(0.45, False), (0.51, True)])
def test_strong_pair_breaking_is_gapless(alpha, gapless):
    # E_g = Delta (1 - (alpha/Delta)^(2/3))^(3/2)
    gap = uf.minigap(uf.solve_spectrum(film(gap=0.5, depairing=alpha), np.linspace(0, 1, 41), broadening=1e-4))
    expected = 0.0 if gapless else 0.5 * (1 - (2 * alpha) ** (2 / 3)) ** 1.5
    assert gap == pytest.approx(expected, rel=0.02, abs=1e-12)


def test_the_minigap_of_a_superconductor_is_its_order_parameter():
    spec = uf.solve_spectrum(film(gap=0.7 * np.exp(0.4j)), np.linspace(0, 2, 21))
    assert uf.minigap(spec) == pytest.approx(0.7, rel=5e-5)


# Proximity


def wire(phase, gap=1e6, size=0.04):
    return junction(uf.interval({"N": 1.0}, size=size), {"N": uf.normal_metal()}, phase, gap=gap)


@pytest.mark.parametrize(("phase", "expected"), [(0.0, 3.1217), (np.pi / 2, 2.4016)])
def test_minigap_of_a_long_sns_junction(phase, expected):
    spec = uf.solve_spectrum(wire(phase), np.linspace(0, 5, 26))
    assert uf.minigap(spec) == pytest.approx(expected, rel=2e-4)
    assert uf.minigap(spec, "N") == pytest.approx(uf.minigap(spec), rel=1e-9)


def test_minigap_of_a_long_sns_junction_at_small_phases():
    gap = uf.minigap(uf.solve_spectrum(wire(0.4), np.linspace(0, 5, 26)))
    assert gap == pytest.approx(3.122 * (1 - 0.0921 * 0.4**2), rel=5e-4)


def test_minigap_of_a_long_sns_junction_closes_linearly_at_pi():
    # the slope is approached with a correction like (pi - phase)^(2/3)
    distance = np.array([0.1, 0.2])
    slope = [uf.minigap(uf.solve_spectrum(wire(np.pi - d), np.linspace(0, 4 * d, 21))) / d for d in distance]
    power = distance ** (2 / 3)
    limit = slope[0] - power[0] * (slope[1] - slope[0]) / (power[1] - power[0])
    assert limit == pytest.approx(np.pi**2 / 4, rel=3e-3)


@pytest.mark.parametrize(("gap", "expected"), [(1.0, 0.49017), (10.0, 0.73472), (1e6, 0.78040)])
def test_minigap_of_a_normal_metal_on_a_superconductor(gap, expected):
    contacts = {"left": uf.Reservoir(gap)}
    device = uf.Device(uf.interval({"N": 1.0}, size=0.04), {"N": uf.normal_metal()}, contacts)
    spec = uf.solve_spectrum(device, np.linspace(0, 2, 21))
    assert uf.minigap(spec) == pytest.approx(expected, rel=2e-4)


def semi_infinite(w, x):
    """g at positions x > 0 of a normal metal on a superconductor of gap 1 at x = 0, D = 1 (validation 13)."""
    theta = np.arctan(1 / w)
    theta = 4 * np.arctan(np.tan(theta / 4) * np.exp(-x * np.sqrt(2 * w)))
    pairing = np.kron([[0, 1j], [-1j, 0]], oracle.ONE)
    return np.cos(theta) * oracle.TAU3[..., None] + np.sin(theta) * pairing[..., None]


@pytest.mark.parametrize(("order", "rate"), [(1, 2), (2, 3)])
@pytest.mark.parametrize("energy", [0.3, 0.98, 2.0])
def test_a_normal_metal_on_a_superconductor_converges_to_its_closed_form(energy, order, rate):
    x = np.linspace(0, 3, 1001)

    def error(size):
        mesh = uf.interval({"N": 18.0}, size=size)
        device = uf.Device(mesh, {"N": uf.normal_metal()}, {"left": uf.Reservoir(1.0)})
        g = uf.solve_spectrum(device, [energy], broadening=0.3, order=order).green(x[None])[0]
        return np.sqrt(np.mean(abs(g - semi_infinite(0.3 - 1j * energy, x)) ** 2))

    coarse, fine = error(0.05), error(0.025)
    assert np.log2(coarse / fine) == pytest.approx(rate, abs=0.15)
    assert fine < {1: 1e-3, 2: 3e-6}[order]


# Vortices


def winding(n, size=0.5):
    """A square film with a vortex of n quanta in its middle."""

    def gap(x):
        u, v = x[0] - 2.0, x[1] - 2.0
        return np.tanh(np.hypot(u, v)) ** n * np.exp(1j * n * np.arctan2(v, u))

    mesh = uf.rectangle({"S": 4.0}, width=4.0, size=size, cell="quad")
    return uf.Device(mesh, {"S": uf.superconductor(gap=gap)})


@pytest.mark.parametrize("n", [1, 2])
def test_in_the_core_of_a_vortex_the_density_of_states_is_the_normal_one_at_all_energies(n):
    spec = uf.solve_spectrum(winding(n), [0.0, 0.3, 0.7, 1.0, 1.5], broadening=0.01)
    core, outside = uf.density_of_states(spec).at([[2.0, 0.1], [2.0, 0.1]]).T
    assert core == pytest.approx(1.0, abs=1e-9)
    assert outside[0] < 0.5 < 1.1 < outside.max()


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_a_self_consistent_vortex_has_a_normal_core_and_a_gap_outside():
    mesh = uf.rectangle({"S": 4.0}, width=4.0, size=0.5, cell="quad")
    device = uf.Device(mesh, {"S": uf.superconductor(Tc=1.0)}, B=1.0)
    eq = uf.solve_equilibrium(device, 0.3, initial=uf.vortices([(2.0, 2.0, 1)]))
    spec = uf.solve_spectrum(eq, [0.0, 0.8, 1.6], broadening=0.02)
    core, outside = uf.density_of_states(spec).at([[2.0, 0.2], [2.0, 2.0]]).T
    assert core == pytest.approx(1.0, abs=1e-5)
    assert outside[0] < 0.8


# Boundary-value problems


def real(values):
    return np.concatenate([np.real(values), np.imag(values)])


def solve_lines(equation, ends, start, x):
    """Follow the solution of a complex boundary-value problem from a large broadening down to 0.05."""
    guess, n = real(start), len(start)
    for broadening in (4.0, 2.0, 1.0, 0.5, 0.25, 0.12, 0.05):
        found = solve_bvp(
            lambda x, y, w=broadening: real(equation(x, y[:n] + 1j * y[n:], w)),
            lambda one, two, w=broadening: real(ends(one[:n] + 1j * one[n:], two[:n] + 1j * two[n:], w)),
            x, guess, tol=1e-6,
        )  # fmt: skip
        assert found.success
        guess = found.sol(x)
    return lambda x: found.sol(x)[:n] + 1j * found.sol(x)[n:]


@pytest.mark.parametrize("energy", [0.4, 0.95, 1.6])
def test_a_magnetic_junction_agrees_with_a_boundary_value_solution_of_the_matrix_riccati_equation(energy):
    # a'' = 2 a' Nt b a' + W a + a W, b'' = 2 b' N a b' + W b + b W, W = w - i h.sigma, D = 1
    phase, x = 1.0, np.linspace(0, 1, 41)

    def field(x):
        return 2.0 * np.array([np.sin(2 * x), 0 * x, np.cos(2 * x)])

    def equation(x, y, broadening):
        a, b, da, db = np.moveaxis(y.reshape(4, 2, 2, -1), -1, 1)
        w = (broadening - 1j * energy) * np.eye(2) - 1j * np.einsum("ap,aij->pij", field(x), oracle.SIGMA)
        left, right = (np.linalg.inv(np.eye(2) + m) for m in (b @ a, a @ b))
        second = 2 * da @ left @ b @ da + w @ a + a @ w, 2 * db @ right @ a @ db + w @ b + b @ w
        return np.moveaxis(np.array([da, db, *second]), 1, -1).reshape(16, -1)

    def reservoir(broadening, phase):
        w = broadening - 1j * energy
        a = 1j / (w + np.sqrt(w + 1j) * np.sqrt(w - 1j))
        return np.array([a * np.exp(1j * phase) * np.eye(2), -a * np.exp(-1j * phase) * np.eye(2)]).ravel()

    def ends(one, two, broadening):
        values = reservoir(broadening, -phase / 2), reservoir(broadening, phase / 2)
        return np.concatenate([one[:8] - values[0], two[:8] - values[1]])

    start = np.zeros((16, len(x)), complex)
    start[:8] = np.linspace(reservoir(4.0, -phase / 2), reservoir(4.0, phase / 2), len(x)).T
    states = solve_lines(equation, ends, start, x)(x[1:-1:4])[:8]
    expected = np.array([oracle.green(*y.reshape(2, 2, 2)) for y in states.T])
    device = junction(
        uf.interval({"F": 1.0}, size=0.0125), {"F": uf.ferromagnet(exchange=lambda x: field(x[0]))}, phase
    )
    spec = uf.solve_spectrum(device, [energy], broadening=0.05)
    assert abs(spec.green(x[None, 1:-1:4])[0] - np.moveaxis(expected, 0, -1)).max() < 1e-5


@pytest.mark.parametrize("energy", [0.2, 0.99, 2.0])
def test_a_wire_behind_a_tunnel_barrier_agrees_with_a_boundary_value_solution(energy):
    # D theta'' = 2 w sin(theta), sigma theta' = G_T sin(theta - theta_S) at the barrier, theta' = 0 at the end
    length, conductance, x = 1.5, 0.8, np.linspace(0, 1.5, 61)

    def equation(_, y, broadening):
        return np.array([y[1], 2 * (broadening - 1j * energy) * np.sin(y[0])])

    def ends(one, two, broadening):
        reservoir = np.arctan(1 / (broadening - 1j * energy))
        return np.array([2 * one[1] - conductance * np.sin(one[0] - reservoir), two[1]])

    theta = solve_lines(equation, ends, np.zeros((2, len(x)), complex), x)(x)[0]
    contacts = {"left": uf.Reservoir(1.0, barrier=uf.Tunnel(conductance=conductance))}
    device = uf.Device(uf.interval({"N": length}, size=0.05), {"N": uf.normal_metal()}, contacts)
    spec = uf.solve_spectrum(device, [energy], broadening=0.05)
    assert uf.density_of_states(spec).at(x[None])[0] == pytest.approx(np.cos(theta).real, abs=1e-5)
    assert uf.pair_amplitude(spec).at(x[None])[0, 0] == pytest.approx(1j * np.sin(theta), abs=1e-5)
