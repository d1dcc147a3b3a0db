"""Spectra at any energy and broadening: every energy is found, the same by every way, or reported as missing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from devices import junction, sfs

import usadelfem as uf
from usadelfem.points import energy_chain as chain
from usadelfem.points import energy_choice as refinement

SHARP = 1e-4
GRID = np.linspace(0, 10, 41)
LAYERS = uf.interval({"L": 0.5, "R": 0.5}, size=0.1)
HELIX = {"exchange": lambda x: 3.0 * np.array([np.sin(3 * x[0]), 0 * x[0], np.cos(3 * x[0])])}


def barriers(phase=2.0, **right):
    barrier = uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9, magnetization=(1, 2, -2))
    metals = {"L": uf.normal_metal(D=2.0), "R": uf.normal_metal(**right)}
    contacts = {
        "left": uf.Reservoir(1.0, barrier=uf.Tunnel(conductance=0.5)), "right": uf.Reservoir(1.0, phase)
    }  # fmt: skip
    return uf.Device(LAYERS, metals, contacts, {"L_R": barrier})


def homogeneous(**coefficients):
    metal = uf.superconductor(gap=1.0, **coefficients)
    return uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": metal})


def wire(phase, length=1.0, gap=1.0):
    mesh = uf.interval({"N": length}, size=length / 20)
    return junction(mesh, {"N": uf.normal_metal()}, phase, gap=gap)


DEVICES = {
    "superconductor": homogeneous,
    "spin-split": lambda: homogeneous(exchange=(0.2, 0.0, 0.3), tau_so=4.0),
    "pair breaking": lambda: homogeneous(depairing=0.3, tau_sf=3.0),
    "wire": lambda: wire(0.0),
    "wire at phase 2": lambda: wire(2.0),
    "wire at phase pi": lambda: wire(np.pi),
    "long wire": lambda: wire(2.5, length=5.0),
    "helical magnet": lambda: sfs(1.0, **HELIX),
    "strong magnet": lambda: sfs(1.0, exchange=(0, 0, 30.0), mesh=uf.interval({"F": 1.0}, size=0.02)),
    "barriers": lambda: barriers(exchange=(0.0, 0.5, 0.5)),
    "film": lambda: junction(uf.rectangle({"N": 1.0}, width=0.5, size=0.25), {"N": uf.normal_metal(theta=0.3)}, 2.0),
}


def density(spec):
    return uf.density_of_states(spec).quadrature


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", DEVICES)
def test_all_energies_up_to_ten_gaps_are_found_with_small_broadening_and_the_same_one_at_a_time(name, order):
    device = DEVICES[name]()
    spec = uf.solve_spectrum(device, GRID, broadening=SHARP, order=order)
    assert spec.converged.all()
    assert np.isfinite(spec.states).all()
    assert density(spec).min() > -0.01  # the meshes are coarse
    for n in range(0, len(GRID), 4):
        alone = uf.solve_spectrum(device, GRID[n], broadening=SHARP, order=order)
        assert abs(alone.states[0] - spec.states[n]).max() < 1e-8


@pytest.mark.parametrize("name", ["wire at phase 2", "helical magnet", "barriers"])
def test_an_energy_does_not_depend_on_the_others(name):
    device, chosen = DEVICES[name](), [0.0, 0.75, 1.0, 2.5]
    spec = uf.solve_spectrum(device, GRID, broadening=SHARP)
    own = np.searchsorted(GRID, chosen)
    for others in (np.linspace(0.9, 1.1, 12), np.linspace(0, 3, 7) + 0.01):
        again = uf.solve_spectrum(device, np.concatenate([chosen, others]), broadening=SHARP)
        same = np.searchsorted(again.energies, chosen)
        assert abs(again.states[same] - spec.states[own]).max() < 1e-8


def test_energies_that_are_spread_over_workers_are_the_same():
    device = DEVICES["helical magnet"]()
    one = uf.solve_spectrum(device, GRID, broadening=SHARP)
    with ThreadPoolExecutor(2) as pool:
        two = uf.solve_spectrum(device, GRID, broadening=SHARP, workers=pool)
    assert abs(one.states - two.states).max() < 1e-8


def test_a_spectrum_approaches_its_limit_of_small_broadening_linearly():
    # analytic in w, also where neighbouring broadenings took different ways to the solution
    device = DEVICES["wire at phase 2"]()
    values = [density(uf.solve_spectrum(device, [0.3, 1.3, 2.0], broadening=g)) for g in (4e-4, 2e-4, 1e-4)]
    assert abs(values[0] - 3 * values[1] + 2 * values[2]).max() < 1e-5


def test_the_spectrum_of_an_equilibrium_has_its_gap_and_discretisation():
    metals = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(exchange=(0, 0, 2.0))}
    device = uf.Device(uf.interval({"S": 1.0, "F": 1.0}, size=0.1), metals, {"left": uf.Reservoir()})
    eq = uf.solve_equilibrium(device, 0.3, cutoff=30.0)
    spec = uf.solve_spectrum(eq, [0.2, 1.0], broadening=0.05)
    assert spec.problem is eq.problem

    def found(x):
        return uf.gap(eq).at(x.reshape(1, -1)).reshape(x.shape[1:])

    metals["S"] = uf.superconductor(gap=found)
    given = replace(device, materials=metals, contacts={"left": uf.Reservoir(uf.materials.bcs_gap(0.3))})
    assert density(uf.solve_spectrum(given, [0.2, 1.0], broadening=0.05)) == pytest.approx(density(spec), abs=1e-3)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("cells", [8, 20])
@pytest.mark.parametrize("metal", [uf.normal_metal(), uf.ferromagnet(exchange=(0, 0, 5.0))])
@pytest.mark.parametrize("broadening", [1e-3, 1e-4])
@pytest.mark.filterwarnings("ignore:the density of states is negative")
def test_at_the_gap_of_rigid_reservoirs_coarse_meshes_are_solved_too(broadening, metal, cells, order):
    # the density of states of the reservoirs, which their contacts have, diverges there
    device = junction(uf.interval({"N": 1.0}, size=1 / cells), {"N": metal}, 1.0)
    assert uf.solve_spectrum(device, [1.0, 0.9999, 1.0001], broadening=broadening, order=order).converged.all()


def test_negative_densities_of_states_on_a_coarse_mesh_are_warned_of_with_their_energies():
    device = junction(uf.interval({"N": 1.0}, size=1 / 8), {"N": uf.ferromagnet(exchange=(0, 0, 5.0))}, 1.0)
    with pytest.warns(UserWarning, match=r"negative somewhere \(down to -0\.\d+\) at 2 energies: 1, 1\.0001\. "):
        uf.solve_spectrum(device, [0.5, 1.0, 1.0001], broadening=1e-4, order=1)


# Energies that are not found


@pytest.fixture
def stubborn(monkeypatch):
    """Newton's method that never converges near the energy 0.5."""
    plain = chain.newton

    def newton(problem, w, state, **options):
        outcome = plain(problem, w, state, **options)
        return replace(outcome, converged=False) if abs(w.imag + 0.5) < 1e-6 else outcome

    monkeypatch.setattr(chain, "newton", newton)


def test_an_energy_that_is_not_found_is_nan_and_named_in_a_warning(stubborn):
    with pytest.warns(UserWarning, match=r"1 of 3 energies were not found and are NaN: 0\.5\b") as caught:
        spec = uf.solve_spectrum(DEVICES["helical magnet"](), [0.2, 0.5, 0.9], broadening=0.05)
    assert caught[0].filename == __file__
    assert spec.converged.tolist() == [True, False, True]
    for field in (uf.density_of_states(spec), uf.charge_current(spec), uf.pair_amplitude(spec)):
        for values in (field.quadrature, field.integral(), field.at([[0.5]])):
            assert np.isnan(values[1]).all()
            assert np.isfinite(values[[0, 2]]).all()
    flux = uf.charge_current(spec).through("right")
    assert np.isnan(flux).tolist() == [False, True, False]


def test_its_mirror_image_is_not_found_either(stubborn):
    with pytest.warns(UserWarning, match="2 of 4 energies"):
        spec = uf.solve_spectrum(DEVICES["wire"](), [-0.5, -0.2, 0.2, 0.5], broadening=0.05)
    assert np.isnan(density(spec)).all(axis=(1, 2)).tolist() == [True, False, False, True]


def test_the_energies_after_a_failed_one_are_right(stubborn):
    device = DEVICES["wire at phase 2"]()
    with pytest.warns(UserWarning, match="not found"):
        spec = uf.solve_spectrum(device, [0.3, 0.5, 0.7], broadening=SHARP)
    for n in (0, 2):
        alone = uf.solve_spectrum(device, spec.energies[n], broadening=SHARP)
        assert abs(alone.states[0] - spec.states[n]).max() < 1e-8


def test_a_solution_that_is_not_the_physical_one_is_not_accepted(monkeypatch):
    # the equation has the solution of the opposite sign of the gap amplitude: an advanced function
    monkeypatch.setattr(chain, "predict", lambda x, known, zero: zero + 5.0)
    with pytest.warns(UserWarning, match="not found"):
        spec = uf.solve_spectrum(homogeneous(), [0.5], broadening=0.05)
    assert np.isnan(spec.states).all()


# Adaptive energies


@pytest.mark.parametrize("broadening", [0.05, 0.005])
def test_adaptive_energies_resolve_the_coherence_peak(broadening):
    spec = uf.solve_spectrum(homogeneous(), "adaptive", broadening=broadening)
    energies, steps = spec.energies, np.diff(spec.energies)
    fine = np.linspace(0, 3, 2001)
    exact = ((fine + 1j * broadening) / np.sqrt((fine + 1j * broadening) ** 2 - 1)).real
    found = np.interp(fine, energies, uf.density_of_states(spec).at([[0.5]])[:, 0])
    assert abs(found / (1 + found) - exact / (1 + exact)).max() < 0.03
    assert energies[0] == 0
    assert energies[-1] == pytest.approx(3.0)
    near = abs(energies[1:] - 1.0) < 0.1
    assert np.median(steps[near]) < max(broadening, 0.25 * np.median(steps[~near]))
    assert len(energies) < 150


def test_adaptive_energies_stay_in_their_range_and_above_their_resolution():
    spec = uf.solve_spectrum(
        homogeneous(exchange=(0, 0, 0.4)), "adaptive", broadening=1e-3, energy_range=(-0.8, 2.0), resolution=0.01
    )
    assert spec.energies.min() == pytest.approx(-0.8, abs=0.15)
    assert spec.energies.min() >= -0.8
    assert spec.energies.max() == pytest.approx(2.0)
    steps = np.diff(spec.energies)
    assert steps.min() > 0.004
    for peak in (-0.6, 0.6, 1.4):
        assert steps[np.searchsorted(spec.energies, peak) - 1] < 0.021


def test_adaptive_energies_go_on_after_a_failed_one(stubborn, monkeypatch):
    monkeypatch.setattr(refinement, "COARSEST", 1 / 6)  # 3/6 = 0.5 is among the first energies
    with pytest.warns(UserWarning, match="not found"):
        spec = uf.solve_spectrum(homogeneous(), "adaptive", broadening=0.05, energy_range=(0.0, 1.0))
    assert spec.converged.sum() > 10


def test_adaptive_energies_on_workers_start_from_those_of_all_workers():
    device = DEVICES["wire at phase 2"]()
    with ThreadPoolExecutor(2) as pool:
        for workers in (2, pool):
            spec = uf.solve_spectrum(device, "adaptive", broadening=0.02, workers=workers)
            assert spec.converged.all()
            own = spec.energies[len(spec.energies) // 2 :: 7]
            alone = uf.solve_spectrum(device, own, broadening=0.02)
            same = np.searchsorted(spec.energies, own)
            assert abs(spec.states[same] - alone.states).max() < 1e-8
            # only the first energies and those at the edge need a ladder
            assert np.mean([report.continuation > 0 for report in spec.report]) < 0.2
