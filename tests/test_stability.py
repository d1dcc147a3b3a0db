"""Minima and saddles of the free energy are told apart, and a solve that is to end in a minimum does."""

import numpy as np
import pytest
import scipy.special
import skfem

import usadelfem as uf

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # coarse discs
SUM = {"quadrature": "plain", "cutoff_index": 4}
TC, TEMPERATURE, LENGTH = 0.566933, 0.2, 4.0


def disc(radius, field, refinements=3, tc=1.0):
    mesh = skfem.MeshTri1.init_circle(refinements).scaled(float(radius))
    return uf.Device(mesh.with_subdomains({"S": lambda x: x[0] < np.inf}), {"S": uf.superconductor(Tc=tc)}, B=field)


def bar(**more):
    return uf.Device(uf.interval({"S": LENGTH}, size=0.5), {"S": uf.superconductor(Tc=TC, **more)})


def bulk(gap, waves, temperature=TEMPERATURE, count=20000):
    """Eigenvalues of phase and modulus of a bulk superconductor at D k^2/2 of waves; sums over plain frequencies."""
    w = np.pi * temperature * (2 * np.arange(count) + 1)[:, None]
    energy, k = np.hypot(w, gap), 0.5 * waves**2
    phase = (k / (energy * (energy + k))).sum(axis=0)
    modulus = ((gap**2 + w**2 * k / (energy + k)) / energy**3).sum(axis=0)
    tail = k / (2 * np.pi * temperature) ** 2 / count  # of sum k/w^2 beyond the last frequency
    return 2 * np.pi * temperature * (phase + tail), 2 * np.pi * temperature * (modulus + tail)


def test_the_eigenvalues_of_a_bar_are_those_of_phase_and_modulus_waves():
    eq = uf.solve_equilibrium(bar(), TEMPERATURE)
    phase, modulus = bulk(abs(uf.gap(eq).nodal).max(), np.pi / LENGTH * np.arange(4))
    expected = np.sort([*phase[1:], *modulus])[:5]
    found = uf.stability(eq, count=5)
    assert found.values == pytest.approx(expected, rel=2e-3)
    assert found.minimum
    assert found.negative == 0
    assert float(found) == found.values[0]
    assert repr(found).startswith("Stability(minimum, ")


def test_the_lowest_mode_of_a_bar_is_a_wave_of_the_phase():
    eq = uf.solve_equilibrium(bar(), TEMPERATURE)
    mode = uf.stability(eq, count=1).modes[0]
    x = np.linspace(0.2, 3.8, 9)
    own = mode.at([x]) / uf.gap(eq).at([x])
    wave = np.cos(np.pi * x / LENGTH)
    assert abs(own.real).max() < 1e-3 * abs(own).max()
    assert own.imag / (own.imag @ wave) * (wave @ wave) == pytest.approx(wave, abs=0.01)
    assert abs(mode.quadrature).max() == pytest.approx(1.0)


def test_a_common_phase_that_a_reservoir_holds_is_not_left_out():
    # With a weak barrier the common phase costs I_c, far below all waves.
    lead = uf.Reservoir(gap=1.0, barrier=uf.Tunnel(conductance=1e-4))
    device = uf.Device(bar().mesh, bar().materials, {"left": lead})
    eq = uf.solve_equilibrium(device, TEMPERATURE)
    found = uf.stability(eq, count=2)
    assert 1e-6 < found.values[0] < 1e-3 < found.values[1]


def test_an_island_that_is_turned_to_the_other_side_is_a_saddle():
    lead = uf.Reservoir(gap=1.0, barrier=uf.Tunnel(conductance=0.01))
    device = uf.Device(bar().mesh, bar().materials, {"left": lead})
    turned = uf.solve_equilibrium(device, TEMPERATURE, initial=-1.0, method="newton")
    assert uf.gap(turned).at([[2.0]])[0].real < 0
    assert uf.stability(turned).negative == 1
    eq = uf.solve_equilibrium(device, TEMPERATURE, initial=-1.0, method="newton", certify=True)
    assert uf.gap(eq).at([[2.0]])[0] == pytest.approx(abs(uf.gap(eq).at([[2.0]])[0]), abs=1e-5)
    assert eq.saddles == 1


def test_the_normal_state_below_tc_is_unstable_to_as_many_waves_as_theory_says():
    eq = uf.solve_equilibrium(bar(), TEMPERATURE, initial=0)
    wave = 0.5 * (np.pi / LENGTH * np.arange(4)) ** 2
    digamma = scipy.special.digamma
    value = np.log(TEMPERATURE / TC) + digamma(0.5 + wave / (2 * np.pi * TEMPERATURE)) - digamma(0.5)
    found = uf.stability(eq, count=2)
    assert found.negative == 2 * (value < 0).sum()  # real and imaginary part
    assert found.values[[0, 2]] == pytest.approx(value[:2], rel=2e-3, abs=2e-3)
    assert float(found) == pytest.approx(uf.stability(bar(), TEMPERATURE), abs=1e-5)


def test_a_certified_start_from_nothing_ends_in_the_superconducting_state():
    eq = uf.solve_equilibrium(bar(), TEMPERATURE, initial=0, certify=True)
    assert eq.saddles == 1
    assert uf.free_energy(eq) == pytest.approx(uf.free_energy(uf.solve_equilibrium(bar(), TEMPERATURE)), rel=1e-9)
    assert "a minimum of the free energy below 1 saddle" in eq._repr_html_()


def test_a_vortex_in_the_middle_of_a_disc_is_a_saddle_without_field_and_a_minimum_in_one():
    start = {"order": 1, "initial": uf.vortices([(0, 0, 1)]), **SUM}
    saddle = uf.stability(uf.solve_equilibrium(disc(4.0, 0.0), 0.3, **start))
    assert saddle.negative == 2  # the vortex may go in either direction
    assert saddle.values[:2] == pytest.approx([-0.0179, -0.0179], abs=1e-3)
    assert repr(saddle).startswith("Stability(saddle with 2 negative directions")
    assert uf.stability(uf.solve_equilibrium(disc(4.0, 0.3), 0.3, **start)).minimum


@pytest.mark.parametrize("cores", [[(0, 0, 2)], [(-1, 0, 1), (1, 0, 1)]])
def test_two_vortices_in_a_saddle_go_on_to_the_same_minimum(cores):
    start = {"order": 1, "initial": uf.vortices(cores), **SUM}
    saddle = uf.solve_equilibrium(disc(4.0, 0.35), 0.3, **start)
    assert not uf.stability(saddle).minimum
    assert saddle.saddles is None
    eq = uf.solve_equilibrium(disc(4.0, 0.35), 0.3, certify=True, **start)
    assert eq.saddles >= 1
    assert uf.stability(eq).minimum
    assert uf.free_energy(eq) == pytest.approx(-34.531190, abs=1e-5)
    assert uf.free_energy(eq) < uf.free_energy(saddle) - 0.01
    assert uf.vorticity(eq).windings.tolist() == [1, 1]


@pytest.mark.filterwarnings("ignore:.*winding:UserWarning", "ignore:.*phase slip:UserWarning")
@pytest.mark.parametrize("case", ["two, coarse", "two", "leaves", "goes to the middle", "slips"])
def test_what_took_more_than_a_hundred_sweeps_takes_forty(case):
    # Anderson and Newton in turns took 99, 107, 105 (to a saddle in the middle), 249, and 240 to 500 sweeps.
    ends = {"left": uf.Reservoir(phase=-4.2), "right": uf.Reservoir(phase=4.2)}
    wire = uf.Device(uf.interval({"S": 12.0}, size=0.25), {"S": uf.superconductor(Tc=0.56693)}, ends)
    two = {"order": 1, "initial": uf.vortices([(-1, 0, 1), (1, 0, 1)])}
    device, temperature, options = {
        "two, coarse": (disc(3.0, 5 / 9, 2), 0.2, two),
        "two": (disc(3.0, 3.5 / 9), 0.4, {**two, "method": "descent"}),
        "leaves": (disc(4.0, 0.0), 0.3, {"order": 1, "initial": uf.vortices([(0.3, 0.1, 1)]), **SUM}),
        "goes to the middle": (disc(4.0, 0.1), 0.3, {"order": 1, "initial": uf.vortices([(1.5, 0.1, 1)]), **SUM}),
        "slips": (wire, 0.1, {}),
    }[case]
    eq = uf.solve_equilibrium(device, temperature, certify=True, **options)
    assert len(eq.sweeps) <= 40
    assert uf.stability(eq).minimum
    if case == "leaves":
        assert uf.vorticity(eq).total == 0
        assert uf.free_energy(eq) == pytest.approx(uf.free_energy(uf.solve_equilibrium(device, 0.3, order=1, **SUM)))


def test_descent_finds_what_newton_finds():
    found = [uf.solve_equilibrium(bar(depairing=0.1), 0.1, method=method) for method in ("descent", "newton")]
    assert uf.free_energy(found[0]) == pytest.approx(uf.free_energy(found[1]), rel=1e-12)


def test_how_many_saddles_were_left_is_kept_in_files(tmp_path):
    eq = uf.solve_equilibrium(bar(), TEMPERATURE, certify=True, order=1, frequencies=3)
    again = uf.load(uf.save(tmp_path / "a.h5", eq))
    assert again.saddles == 0
    assert uf.stability(again).values == pytest.approx(uf.stability(eq).values, abs=1e-9)


def test_workers_find_the_same_eigenvalues():
    eq = uf.solve_equilibrium(bar(), TEMPERATURE)
    assert uf.stability(eq, workers=2).values == pytest.approx(uf.stability(eq).values, abs=1e-9)


def test_what_has_no_stability_is_refused():
    given = uf.solve_equilibrium(uf.Device(bar().mesh, {"S": uf.superconductor(gap=1.0)}), 0.2, frequencies=2)
    with pytest.raises(uf.errors.ObservableError, match=r"was given, not found, .*; give superconductor\(Tc=...\)"):
        uf.stability(given)
    with pytest.raises(ValueError, match=r"certify=True is about a gap that is to be found: give Tc=..."):
        uf.solve_equilibrium(given.device, 0.2, certify=True)
    eq = uf.solve_equilibrium(bar(), TEMPERATURE, order=1, frequencies=3)
    with pytest.raises(ValueError, match="stability of an Equilibrium has no temperature, order"):
        uf.stability(eq, 0.3, order=1)
    with pytest.raises(ValueError, match="count is 0; allowed is an integer >= 1"):
        uf.stability(eq, count=0)
    with pytest.raises(ValueError, match="count is for Equilibria"):
        uf.stability(bar(), 0.2, count=2)
    with pytest.raises(TypeError, match=r"allowed is a usadelfem\.Device"):
        uf.stability(uf.solve_spectrum(eq, [0.0]), 0.2)


def test_a_saddle_is_left_with_screening_too():
    start = {"order": 1, "initial": uf.vortices([(0, 0, 2)]), "screening": True, "penetration_depth": 3.0, **SUM}
    eq = uf.solve_equilibrium(disc(4.0, 0.35), 0.3, certify=True, **start)
    assert eq.saddles == 1
    assert uf.stability(eq).minimum
    assert uf.vorticity(eq).windings.tolist() == [1, 1]
    assert uf.free_energy(eq) < uf.free_energy(uf.solve_equilibrium(disc(4.0, 0.35), 0.3, **start)) - 0.01
