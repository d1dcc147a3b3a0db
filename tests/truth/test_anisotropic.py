"""Anisotropic magnetic and spin-orbit scattering: rates of singlets and triplets, pair breaking, conserved spins.

With gamma_a = 1/(4 tau_a) the linearised equation in a normal metal is (D/2) f'' = (w + rate) f for every component:

    spin-orbit (sigma_a):      singlet 0,               triplet b: the sum of the gamma_a with a != b,
    magnetic (sigma_a tau3):   singlet: sum of gamma_a, triplet b: gamma_b.
"""

import numpy as np
import pytest

import usadelfem as uf

T, D, LENGTH = 0.1, 0.7, 1.5
TIMES = np.array([0.5, 0.9, 3.0])
GAMMA = 1 / (4 * TIMES)
RATES = {"tau_so": (0.0, *(GAMMA.sum() - GAMMA)), "tau_sf": (GAMMA.sum(), *GAMMA)}


def proximity(exchange, **options):
    """Amplitudes (f0, fx, fy, fz) at both ends of a normal wire on a spin-split superconductor."""
    device = uf.Device(
        uf.interval({"N": LENGTH}, size=0.05), {"N": uf.normal_metal(D=D, **options)},
        {"left": uf.Reservoir(gap=1.0, exchange=exchange)},
    )  # fmt: skip
    eq = uf.solve_equilibrium(device, T, linearized=True, frequencies=1, quadrature="plain")
    return uf.pair_amplitude(eq).at([[0.0, LENGTH]])


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("axis", range(3))
def test_singlets_and_each_triplet_decay_at_their_own_rate(name, axis):
    amplitudes = proximity(0.3 * np.eye(3)[axis], **{name: TIMES})
    for component in (0, 1 + axis):
        decay = np.sqrt(2 * (np.pi * T + RATES[name][component]) / D)
        ratio = amplitudes[component, 1] / amplitudes[component, 0]
        assert ratio == pytest.approx(1 / np.cosh(decay * LENGTH), rel=1e-6)


def test_spins_along_the_axis_of_uniaxial_spin_orbit_scattering_do_not_relax():
    uniaxial = proximity((0, 0, 0.3), tau_so=(np.inf, np.inf, 0.01))
    assert uniaxial == pytest.approx(proximity((0, 0, 0.3)), abs=1e-12)


def junction(exchange, contact=(0, 0, 0), **options):
    mesh = uf.interval({"F": 1.0}, size=0.1)
    ferromagnet = uf.ferromagnet(exchange=exchange, **options)
    contacts = {"left": uf.Reservoir(gap=1.0, exchange=contact), "right": uf.Reservoir(gap=1.0, phase=1.0)}
    return uf.Device(mesh, {"F": ferromagnet}, contacts)


@pytest.mark.parametrize("name", RATES)
def test_three_equal_times_are_one(name):
    def observed(times):
        eq = uf.solve_equilibrium(junction((1.0, -0.5, 0.3), (0.2, 0, 0), **{name: times}), T)
        parts = (uf.charge_current(eq), uf.spin_current(eq), uf.spin_density(eq), uf.spin_torque(eq, "relaxation"))
        return np.concatenate([part.quadrature.ravel() for part in parts])

    assert observed((0.4, 0.4, 0.4)) == pytest.approx(observed(0.4), abs=1e-12)
    assert observed(lambda x: 0.4 + 0 * x[0]) == pytest.approx(observed(0.4), abs=1e-12)


def test_magnetic_scattering_breaks_pairs_with_the_sum_of_the_three_rates():
    def found(**options):
        device = uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(Tc=1.0, **options)})
        eq = uf.solve_equilibrium(device, 0.3)
        return uf.critical_temperature(device), abs(uf.gap(eq).at([[0.5]]))[0], uf.free_energy(eq)

    abrikosov_gorkov = found(depairing=GAMMA.sum() / 4)
    for times in (4 * TIMES, 4 * TIMES[[2, 0, 1]], (np.inf, 1 / GAMMA.sum(), np.inf), 12 / (4 * GAMMA.sum())):
        assert found(tau_sf=times) == pytest.approx(abrikosov_gorkov, rel=1e-9)
    assert found(tau_so=TIMES) == pytest.approx(found(), rel=1e-9)


@pytest.mark.parametrize(
    ("axis", "times", "sector"),
    [
        ((0, 0, 1), (0.3, 0.6, 1.0), "collinear"), ((1, 0, 0), (0.3, 0.6, 1.0), "collinear"),
        ((0, -1, 0), (0.3, 0.6, 1.0), "collinear"), ((1, 1, 0), (0.3, 0.3, 1.0), "collinear"),
        ((1, 1, 0), (0.3, 0.6, 1.0), "full"), ((1, 2, 3), (0.4, 0.4, 0.4), "collinear"),
        ((0, 0, 0), (0.3, 0.6, 1.0), "spinless"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", RATES)
def test_the_spin_sector_is_the_one_that_scattering_leaves(axis, times, sector, name):
    device = junction(np.array(axis, float), **{name: times})
    small, full = (uf.solve_equilibrium(device, T, sector=choice, frequencies=4) for choice in ("auto", "full"))
    assert small.problem.sector.name == sector
    currents = [uf.charge_current(eq).through("right") for eq in (small, full)]
    assert currents[0] == pytest.approx(currents[1], rel=1e-9)
    assert uf.spin_density(small).quadrature == pytest.approx(uf.spin_density(full).quadrature, abs=1e-9)


def test_the_torque_of_anisotropic_scattering_balances_the_spin_current():
    device = junction((0.8, 0.5, -0.3), (0, 0.4, 0), tau_so=(0.5, 2.0, 1.0), tau_sf=(np.inf, 1.5, 3.0))
    eq = uf.solve_equilibrium(device, T)
    current = [uf.spin_current(eq).through(name) for name in ("left", "right")]
    torque = uf.spin_torque(eq).integral()
    assert abs(torque).max() > 1e-3
    assert sum(current) == pytest.approx(torque, abs=1e-4 * abs(torque).max())


def test_injected_spins_diffuse_with_the_relaxation_of_their_component():
    device = uf.Device(
        uf.interval({"N": 4.0}, size=0.05), {"N": uf.normal_metal(D=D, tau_so=TIMES)},
        {"left": uf.NormalContact(spin=(0.1, 0.2, 0.3)), "right": uf.NormalContact()},
    )  # fmt: skip
    state = uf.solve_normal_state(device)
    rate = np.array([np.delete(1 / TIMES, b).mean() for b in range(3)])
    decay = np.sqrt(rate / D)
    closed = np.array([0.1, 0.2, 0.3]) * np.sinh(decay * 3.0) / np.sinh(decay * 4.0)
    found = uf.spin_accumulation(state).at([[1.0]])[:, 0]
    assert found / uf.spin_accumulation(state).at([[0.0]])[:, 0] * [0.1, 0.2, 0.3] == pytest.approx(closed, rel=1e-6)


def test_spectra_and_files_know_anisotropic_scattering(tmp_path):
    device = junction((0.0, 0.0, 0.4), (0, 0.3, 0), tau_so=lambda x: np.array([1 + x[0], 2 + x[0], 3 + x[0]]))
    spectrum = uf.solve_spectrum(device, [0.3, 1.2], broadening=0.02)
    again = uf.load(uf.save(tmp_path / "spectrum.h5", spectrum))
    assert np.array_equal(uf.density_of_states(again).quadrature, uf.density_of_states(spectrum).quadrature)
    mirrored = uf.solve_spectrum(device, [-0.3], broadening=0.02)
    sums = [uf.density_of_states(part).quadrature[0].sum() for part in (spectrum, mirrored)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-9)


@pytest.mark.parametrize("times", [(1.0, 2.0), (1.0, -1.0, 2.0), (1.0, 0.0, 1.0), np.ones((2, 3)), (1.0, np.nan, 1.0)])
def test_times_that_are_neither_one_nor_three_are_refused(times):
    with pytest.raises(uf.errors.DeviceError, match="tau_so "):
        uf.Device(uf.interval({"N": 1.0}, size=0.5), {"N": uf.normal_metal(tau_so=times)})


@pytest.mark.parametrize("times", [2.0, (np.inf, np.inf, 2.0), lambda x: 2 + x[0]])
def test_the_bulk_gap_of_a_magnetic_superconductor_is_not_that_of_a_clean_one(times):
    mesh = uf.interval({"S": 1.0}, size=0.25)
    clean = uf.Device(mesh, {"S": uf.superconductor(Tc=1.0, tau_so=times)}, {"left": uf.Reservoir()})
    assert all(report.converged for report in uf.solve_equilibrium(clean, 0.3).report)
    magnetic = uf.Device(mesh, {"S": uf.superconductor(Tc=1.0, tau_sf=times)}, {"left": uf.Reservoir()})
    with pytest.raises(uf.errors.DeviceError, match="exchange field or pair breaking"):
        uf.solve_equilibrium(magnetic, 0.3)
