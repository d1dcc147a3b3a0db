"""The free energy against the BCS expression, and its derivatives against currents, amplitudes and spin densities."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

import usadelfem as uf

GAP0 = np.pi * np.exp(-np.euler_gamma)  # bulk gap at T = 0 for Tc = 1


def bulk(mesh=None, **coefficients):
    mesh = uf.interval({"S": 1.0}, size=0.5) if mesh is None else mesh
    return uf.Device(mesh, {"S": uf.superconductor(**{"Tc": 1.0, **coefficients})})


def energy(device, temperature, **options):
    return uf.free_energy(uf.solve_equilibrium(device, temperature, **options))


def bcs_energy(gap, temperature):
    """Free energy per N0 and volume of quasiparticles of energy eps = sqrt(E^2 + gap^2), minus the normal one.

    gap^2 ln(gap/gap0) - gap^2/2 - 4 T int_0 dE ln[(1 + exp(-eps/T)) / (1 + exp(-E/T))], for any gap.
    """

    def logarithms(e):
        return np.logaddexp(0, -np.hypot(e, gap) / temperature) - np.logaddexp(0, -e / temperature)

    thermal = quad(logarithms, 0, 50 * temperature + 5 * gap, epsabs=1e-14, limit=200)[0]
    return gap**2 * np.log(gap / GAP0) - gap**2 / 2 - 4 * temperature * thermal


def test_condensation_energy_at_zero_temperature():
    one, half = (energy(bulk(), temperature) for temperature in (0.04, 0.02))
    assert half + (half - one) / 3 == pytest.approx(-(GAP0**2) / 2, rel=1e-8)  # the normal metal gains like T^2


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("temperature", [0.1, 0.5, 0.9])
def test_condensation_energy_is_that_of_bcs(temperature, order):
    found = energy(bulk(), temperature, order=order)
    assert found == pytest.approx(bcs_energy(uf.materials.bcs_gap(temperature), temperature), rel=1e-7)


def test_condensation_energy_of_a_plain_sum_falls_short_by_what_it_leaves_out():
    found = energy(bulk(), 0.5, quadrature="plain")
    assert found == pytest.approx(bcs_energy(uf.materials.bcs_gap(0.5), 0.5), rel=2e-4)


@pytest.mark.parametrize("gap", [1e-3, 0.3, 1.0j, 1.8, 2.5])
def test_energy_of_a_given_gap_is_that_of_bcs(gap):
    found = energy(bulk(gap=gap), 0.4)
    assert found == pytest.approx(bcs_energy(abs(gap), 0.4), rel=1e-7)


def test_energy_of_a_gap_without_tc_lacks_the_logarithm():
    found = energy(bulk(gap=1.3, Tc=None), 0.4)
    assert found == pytest.approx(bcs_energy(1.3, 0.4) - 1.3**2 * np.log(0.4), rel=1e-8)


def test_normal_state_has_no_energy():
    device = uf.Device(
        uf.interval({"N": 1.0}, size=0.5),
        {"N": uf.ferromagnet(exchange=(0.1, 0.3, 0), tau_so=1.0, tau_sf=2.0, depairing=0.4)},
    )
    assert energy(device, 0.3) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("mesh", [uf.rectangle({"S": 2.0}, width=1.5, size=0.5), uf.box({"S": 3.0}, size=1.0)])
def test_energy_is_extensive(mesh):
    found = energy(bulk(mesh, N0=0.6), 0.5, order=1)
    assert found == pytest.approx(0.6 * 3.0 * bcs_energy(uf.materials.bcs_gap(0.5), 0.5), rel=1e-7)


def test_interaction_that_varies_within_a_region_is_that_of_layers():
    layers = uf.Device(
        uf.interval({"S": 1.0, "N": 0.5}, size=0.125), {"S": uf.superconductor(Tc=1.0), "N": uf.normal_metal()}
    )
    metal = uf.superconductor(Tc=lambda x: np.where(x[0] < 1, 1.0, 0.0))
    varying = uf.Device(uf.interval({"S": 1.5}, size=0.125), {"S": metal})
    one, other = (energy(device, 0.4, cutoff_index=10) for device in (layers, varying))
    assert other == pytest.approx(one, rel=1e-8)


def test_energy_density_of_a_bulk_is_uniform():
    density = uf.observe.free_energy_density(uf.solve_equilibrium(bulk(), 0.5))
    assert np.ptp(density.quadrature) < 1e-10
    assert density.integral() == pytest.approx(bcs_energy(uf.materials.bcs_gap(0.5), 0.5), rel=1e-7)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_energy_of_the_linearised_equation_is_refused():
    device = uf.Device(
        uf.interval({"N": 1.0}, size=0.5), {"N": uf.normal_metal()}, {"left": uf.Reservoir(gap=0.1, phase=0.0)}
    )
    eq = uf.solve_equilibrium(device, 0.3, linearized=True)
    for function in (uf.free_energy, uf.observe.free_energy_density):
        with pytest.raises(uf.errors.ObservableError, match="nonlinear"):
            function(eq)


def test_energy_in_an_exchange_field_at_zero_temperature():
    # the normal metal gains N0 h^2 and N0 pi^2 T^2 / 3
    found = energy(bulk(exchange=(0.3, 0.0, 0.4)), 0.02)
    assert found == pytest.approx(-(GAP0**2) / 2 + 0.25 + (0.02 * np.pi) ** 2 / 3, rel=1e-7)


def test_branches_cross_at_the_field_of_chandrasekhar_and_clogston():
    def difference(h):
        device = bulk(exchange=(0, 0, h))
        superconducting, normal = (uf.solve_equilibrium(device, 0.02, initial=initial) for initial in (None, 0))
        assert abs(uf.gap(superconducting).quadrature).min() > 1.7
        assert not uf.gap(normal).quadrature.any()
        return uf.free_energy(superconducting) - uf.free_energy(normal)

    field = brentq(difference, 1.1, 1.4, xtol=1e-6)
    assert field == pytest.approx(GAP0 / np.sqrt(2), rel=1e-3)
    assert field == pytest.approx(np.sqrt(GAP0**2 / 2 - (0.02 * np.pi) ** 2 / 3), rel=2e-6)


def test_normal_state_between_supercooling_and_clogston_field_is_a_minimum_but_not_the_lowest():
    device = bulk(exchange=(0, 0, 1.1))  # GAP0/2 = 0.88 < h < GAP0/sqrt 2 = 1.25
    assert uf.study.stability(device, 0.05) > 0
    assert energy(device, 0.05) < energy(device, 0.05, initial=0) == 0


@pytest.mark.parametrize(("temperature", "sign"), [(0.8, 1), (0.561493, 0), (0.45, -1)])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_fourth_order_of_the_energy_changes_sign_at_the_tricritical_point(temperature, sign):
    # on the line of second order Omega = beta |gap|^4 + O(|gap|^6)
    h = uf.study.critical_parameter(lambda h: bulk(exchange=(0, 0, h)), (0.3, 1.1), temperature, precision=1e-9)
    beta = energy(bulk(exchange=(0, 0, h), gap=0.1), temperature) / 0.1**4
    assert beta * sign > 2e-2 if sign else abs(beta) < 2e-4


PAIR_BREAKING = {"exchange": (0.1, -0.3, 0.2), "tau_so": 2.0, "tau_sf": 6.0, "depairing": 0.1}


def test_derivative_of_the_energy_with_the_gap_is_the_gap_equation():
    def of(gap):
        return uf.solve_equilibrium(bulk(gap=gap, **PAIR_BREAKING), 0.3)

    slope = (uf.free_energy(of(1.001)) - uf.free_energy(of(0.999))) / 0.002
    eq = of(1.0)
    f0 = np.array([uf.pair_amplitude(eq, n).at([[0.5]])[0, 0] for n in range(len(eq.frequencies))])
    pairs = (eq.weights * (1 / eq.frequencies + 1j * f0).real).sum()
    assert slope == pytest.approx(2 * (np.log(0.3) + 2 * np.pi * 0.3 * pairs), rel=1e-5)


def test_derivative_of_the_energy_with_the_exchange_field_is_the_spin_density():
    def of(h):
        materials = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(exchange=(0.3, 0, h), N0=0.8, tau_so=3.0)}
        device = uf.Device(uf.interval({"S": 1.5, "F": 0.5}, size=0.125), materials)
        return uf.solve_equilibrium(device, 0.3, cutoff=60.0, tolerance=1e-10)

    slope = (uf.free_energy(of(1.005)) - uf.free_energy(of(0.995))) / 0.01
    spin = uf.spin_density(of(1.0)).integral("F")[2]
    assert slope == pytest.approx(-spin, rel=2e-5)


def test_energy_of_a_tunnel_junction_is_minus_half_the_critical_current_times_the_cosine():
    # I_c = G_T (pi gap/2) tanh(gap/2T), Ambegaokar and Baratoff
    conductance, temperature = 1e-3, 0.2

    def of(phase):
        materials = {"A": uf.superconductor(gap=1.0), "B": uf.superconductor(gap=np.exp(1j * phase))}
        barrier = {"A_B": uf.Tunnel(conductance=conductance)}
        return energy(uf.Device(uf.interval({"A": 1.0, "B": 1.0}, size=0.25), materials, interfaces=barrier), 0.2)

    critical = conductance * np.pi / 2 * np.tanh(0.5 / temperature)
    phases = np.array([0.7, 1.6, 2.5, np.pi])
    rise = np.array([of(phase) for phase in phases]) - of(0.0)
    assert rise == pytest.approx(0.5 * critical * (1 - np.cos(phases)), rel=2e-3)


def spiral(x):
    return 2 * np.array([np.sin(x[0]), 0 * x[0], np.cos(x[0])])


JUNCTIONS = {
    "normal": (1, uf.normal_metal(N0=0.5), {}),
    "magnet": (1, uf.ferromagnet(exchange=spiral), {}),
    "tunnel": (1, uf.normal_metal(), {"S1_N": uf.Tunnel(conductance=0.5), "N_S2": uf.Tunnel(conductance=0.8)}),
    "spin_active": (
        1,
        uf.normal_metal(tau_so=2.0, tau_sf=5.0, depairing=0.1),
        {
            "S1_N": uf.SpinActive(conductance=0.8, polarization=0.4, mixing=0.6, magnetization=(1, 0, 0)),
            "N_S2": uf.SpinActive(conductance=1.0, polarization=-0.3, mixing=0.9, magnetization=(0, 1, 1)),
        },
    ),
    "channels": (
        1,
        uf.normal_metal(),
        {
            "S1_N": uf.Nazarov(conductance=2.0, transparencies=(0.2, 1.0)),
            "N_S2": uf.Nazarov(conductance=2.0, transparencies="chaotic_cavity"),
        },
    ),
    "rashba": (2, uf.ferromagnet(exchange=(0.3, 1.0, 0.2), rashba=0.6, dresselhaus=0.2), {}),
    "spin_hall": (2, uf.ferromagnet(exchange=spiral, theta=0.3, kappa=0.2), {}),
}


def junction(name, phase, barrier=None):
    dim, middle, interfaces = JUNCTIONS[name]
    layers, metal = {"S1": 1.0, "N": 1.0, "S2": 1.0}, uf.superconductor(Tc=1.0)
    mesh = uf.interval(layers, size=0.125) if dim == 1 else uf.rectangle(layers, width=0.5, size=0.25)
    contacts = {"left": uf.Reservoir(), "right": uf.Reservoir(phase=phase, barrier=barrier)}
    return uf.Device(mesh, {"S1": metal, "N": middle, "S2": metal}, contacts, interfaces)


def check_phase_derivative(make, phase):
    """d Omega / d phase = I/2 by a central difference of fourth order."""
    options = {"cutoff": 40.0, "tolerance": 1e-9}
    eq = uf.solve_equilibrium(make(phase), 0.3, **options)

    def slope(step):
        return (energy(make(phase + step), 0.3, **options) - energy(make(phase - step), 0.3, **options)) / (2 * step)

    current = uf.charge_current(eq).through("right")
    assert (4 * slope(0.02) - slope(0.04)) / 3 == pytest.approx(current / 2, rel=1e-5)
    assert abs(current) > 1e-2


@pytest.mark.parametrize("phase", [0.6, 1.8, 2.7])
@pytest.mark.parametrize("name", JUNCTIONS)
def test_derivative_of_the_energy_with_the_phase_is_half_the_current(name, phase):
    check_phase_derivative(lambda p: junction(name, p), phase)


@pytest.mark.parametrize(
    "barrier", [uf.Tunnel(conductance=0.7), uf.SpinActive(conductance=0.7, polarization=0.5, mixing=0.4)]
)
def test_energy_of_the_barrier_of_a_reservoir_is_counted(barrier):
    check_phase_derivative(lambda p: junction("normal", p, barrier), 1.8)


@pytest.mark.parametrize("direction", [1.0, 1.0j])
def test_self_consistent_gap_is_a_minimum_of_the_energy(direction):
    mesh, shift = uf.interval({"S": 3.0}, size=0.1), 0.03
    contacts = {"left": uf.Reservoir(), "right": uf.Reservoir(phase=1.5)}
    eq = uf.solve_equilibrium(uf.Device(mesh, {"S": uf.superconductor(Tc=1.0)}, contacts), 0.5)
    gap, wave = eq.device.materials["S"].gap, np.sin(np.pi * mesh.p[0] / 3)

    def of(size):
        return energy(eq.device.with_gap({"S": gap * (1 + size * direction * wave)}), 0.5)

    below, here, above = of(-shift), of(0.0), of(shift)
    assert min(below, above) > here + 1e-5
    assert abs(above - below) < 0.1 * (above + below - 2 * here)
