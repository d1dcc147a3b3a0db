"""Current-phase relations: interpolation, what is guaranteed by symmetry, arguments, warnings."""

import pickle
import warnings

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.numerics.periodic import evaluate, fourier, highest, integrate, interpolation_error, peaks
from usadelfem.study.phase_bias import PhaseBias

SUM = {"frequencies": 8}


def weak_link(material=None, *, left=0.0, **device):
    contacts = device.pop("contacts", {"left": uf.Reservoir(1.0, left), "right": uf.Reservoir(1.0)})
    mesh = uf.interval({"N": 1.0}, size=0.1)
    return uf.Device(mesh, {"N": material or uf.normal_metal()}, contacts, **device)


@pytest.fixture(scope="module")
def curve():
    return uf.current_phase(weak_link(), "right", 0.1)


def short(phase):
    """A skewed relation of a few percent per harmonic, with an even part."""
    return np.sin(phase) / np.sqrt(1 - 0.6 * np.sin(phase / 2) ** 2) + 0.3 * np.cos(phase)


PHASES = np.linspace(-4.0, 4.0, 81)


def test_the_interpolant_is_as_good_as_its_error_says():
    for count in (8, 16, 32, 64):
        waves = fourier(short(2 * np.pi * np.arange(count) / count))
        error = abs(evaluate(*waves, PHASES) - short(PHASES)).max()
        assert error < 2 * interpolation_error(*waves) + 1e-14
        assert interpolation_error(*waves) < 30 * error + 1e-13


def test_the_integral_of_the_interpolant_is_that_of_the_function():
    waves = fourier(np.cos(3 * np.arange(8) * np.pi / 4) + 0.5)
    assert integrate(*waves, PHASES) == pytest.approx(np.sin(3 * PHASES) / 3 + 0.5 * PHASES)


def test_the_largest_value_is_found_between_the_points_of_the_grid():
    place, value = highest(np.cos, np.linspace(-2.0, 2.5, 20))
    assert place == pytest.approx(0.0, abs=1e-6)
    assert value == pytest.approx(1.0)


def test_peaks_within_the_margin_are_found_also_at_the_seam():
    grid = np.linspace(-np.pi, np.pi, 65)
    values = np.cos(2 * grid) - 0.1 * np.cos(grid)
    assert [abs(grid[top]) for top in peaks(values, 0.3)] == pytest.approx([np.pi, 0.0])
    assert len(peaks(values, 0.1)) == 1


def test_of_two_peaks_of_similar_height_the_higher_one_is_found():
    # a junction close to its transition to a pi junction, where the second harmonic is large
    mesh = uf.interval({"F": 1.0}, size=0.1)
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)}
    for exchange in (5.8, 6.0):
        device = uf.Device(mesh, {"F": uf.ferromagnet(exchange=(0, 0, exchange))}, contacts)
        ic = uf.critical_current(device, "right", 0.05)
        fine = uf.current_phase(device, "right", 0.05, phases=64)
        assert ic.value == pytest.approx(fine.critical[0].value, rel=2e-4)
        assert ic.value > max(fine.currents) * (1 - 2e-4)


def test_an_ordinary_junction_has_a_positive_current_at_positive_phases(curve):
    assert (curve.currents[(curve.phases > 0) & (curve.phases < np.pi)] > 0).all()
    assert curve.harmonics(2).phi_0 == pytest.approx(0.0, abs=1e-9)


def test_the_relation_is_that_of_single_solutions(curve):
    device = weak_link()
    for phase in (-2.0, 0.7, 2.8):
        eq = uf.solve_equilibrium(device.with_phase("right", phase), 0.1)
        assert curve.at(phase) == pytest.approx(float(uf.charge_current(eq).through("right")), abs=3 * curve.error)


def test_phases_count_from_the_phase_of_the_other_reservoir(curve):
    shifted = uf.current_phase(weak_link(left=0.8), "right", 0.1)
    assert shifted.currents == pytest.approx(curve.currents, abs=1e-9)


def test_the_other_contact_sees_the_same_relation(curve):
    other = uf.current_phase(weak_link(), "left", 0.1, phases=8)
    assert other.currents == pytest.approx(curve.at(other.phases), abs=1e-6)


def test_half_of_the_phases_are_solved_where_time_reversal_holds(curve):
    assert curve.solves == len(curve.phases) // 2 - 1
    full = uf.current_phase(weak_link(A=(1e-12,)), "right", 0.1, phases=8)
    assert full.solves == 8
    assert full.currents == pytest.approx(curve.at(full.phases), abs=1e-6)


def test_half_of_the_phases_are_solved_where_all_moments_are_parallel():
    # time reversal and a half turn of all spins: the same as all phases, which a vector potential asks for
    metal = uf.ferromagnet(exchange=(0.5, 0, 0.5))
    half, full = (
        uf.current_phase(weak_link(metal, A=potential), "right", 0.1, phases=8, **SUM) for potential in (None, (1e-12,))
    )
    assert (half.solves, full.solves) == (3, 8)
    assert half.currents == pytest.approx(full.currents, abs=1e-7)


BREAKING = {
    "exchange and spin-orbit coupling": lambda: weak_link(uf.ferromagnet(exchange=(1.0, 0, 0), rashba=0.1)),
    "exchange and anisotropic scattering": lambda: weak_link(
        uf.ferromagnet(exchange=(1.0, 0, 0), tau_so=(1.0, 2.0, 3.0))
    ),
    "moments that are not parallel": lambda: weak_link(
        uf.ferromagnet(exchange=(1.0, 0, 0)),
        contacts={"left": uf.Reservoir(1.0, exchange=(0, 0, 0.1)), "right": uf.Reservoir(1.0)},
    ),
    "texture": lambda: weak_link(uf.ferromagnet(exchange=lambda x: np.array([x[0], 0 * x[0], 1 + x[0]]))),
    "vector potential": lambda: weak_link(A=(0.1,)),
    "magnetic field": lambda: uf.Device(
        uf.rectangle({"N": 1.0}, width=1.0, size=0.5), {"N": uf.normal_metal()},
        {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)}, B=0.1,
    ),
    "barrier": lambda: weak_link(
        uf.ferromagnet(exchange=(1.0, 0, 0)),
        contacts={
            "left": uf.Reservoir(1.0),
            "right": uf.Reservoir(1.0, barrier=uf.SpinActive(conductance=1.0, mixing=0.1)),
        },
    ),
    "phase that varies": lambda: weak_link(
        contacts={"left": uf.Reservoir(1.0, phase=lambda x: x[0]), "right": uf.Reservoir(1.0)}
    ),
    "given gap": lambda: weak_link(uf.superconductor(gap=0.1)),
}  # fmt: skip


@pytest.mark.parametrize("make", BREAKING.values(), ids=BREAKING)
def test_symmetry_is_assumed_only_where_it_is_guaranteed(make):
    assert PhaseBias(weak_link(), "right", 0.1).symmetric
    assert not PhaseBias(make(), "right", 0.1).symmetric


def test_threads_find_the_same_numbers(curve):
    two = uf.current_phase(weak_link(), "right", 0.1, workers=2)
    assert two.currents == pytest.approx(curve.currents, abs=1e-12)


def test_records_are_frozen_and_can_be_pickled(curve):
    again = pickle.loads(pickle.dumps(curve))
    assert again.at(1.0) == curve.at(1.0)
    for record in (curve, again):
        with pytest.raises(ValueError, match="read-only"):
            record.currents[0] = 1.0


def test_critical_values_of_a_relation_are_those_of_a_search(curve):
    ic = uf.critical_current(weak_link(), "right", 0.1)
    assert curve.critical[0].value == pytest.approx(ic.value, abs=3 * curve.error)
    assert curve.critical[1].phase == pytest.approx(-ic.phase, abs=0.02)
    assert ic.negative == (-ic.value, -ic.phase)
    assert ic.diode_efficiency == 0.0


def test_more_harmonics_than_phases_determine_are_refused(curve):
    with pytest.raises(uf.errors.ObservableError, match="give phases="):
        curve.harmonics(len(curve.phases))


def test_a_relation_can_be_drawn(curve):
    axes = curve.plot()
    assert "phase" in axes.get_xlabel()
    assert len(axes.get_lines()[-1].get_xdata()) == len(curve.phases)


def test_a_given_gap_that_is_a_source_of_current_is_named():
    mesh = uf.interval({"S": 2.0, "N": 1.0}, size=0.25)
    device = uf.Device(
        mesh, {"S": uf.superconductor(gap=1.0), "N": uf.normal_metal()},
        {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)},
    )  # fmt: skip
    with pytest.warns(UserWarning, match="a given gap whose phase does not follow"):
        uf.current_phase(device, "right", 0.1, phases=4, **SUM)


def test_warnings_of_many_solutions_are_given_once():
    coarse = uf.Device(
        uf.interval({"N": 3.0}, size=1.5), {"N": uf.normal_metal()},
        {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)},
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        uf.current_phase(coarse, "right", 0.1, phases=16, **SUM)
    found = [entry for entry in caught if entry.category is uf.errors.ResolutionWarning]
    assert len(found) == 1
    assert found[0].filename == __file__


def test_an_electrode_above_its_critical_temperature_carries_nothing():
    mesh = uf.interval({"S": 2.0}, size=0.5)
    device = uf.Device(
        mesh, {"S": uf.superconductor(Tc=1.0)}, {"left": uf.Reservoir(), "right": uf.Reservoir()}
    )
    with pytest.warns(uf.errors.UnitWarning):
        ic = uf.critical_current(device, "right", 1.2)
    assert (ic.value, ic.error, ic.diode_efficiency) == (0.0, 0.0, 0.0)


NORMAL = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(0.0)}
STUDIES = (uf.current_phase, uf.critical_current, uf.josephson_energy, uf.kinetic_inductance)


@pytest.mark.parametrize("study", STUDIES)
def test_what_has_no_phase_difference_is_refused(study):
    with pytest.raises(uf.errors.DeviceError, match="is normal"):
        study(weak_link(contacts=NORMAL), "right", 0.1)
    with pytest.raises(uf.errors.DeviceError, match="only superconducting reservoir"):
        study(weak_link(contacts=NORMAL), "left", 0.1)
    with pytest.raises(uf.errors.DeviceError, match="middle"):
        study(weak_link(), "middle", 0.1)
    with pytest.raises(TypeError, match="Device"):
        study("junction", "right", 0.1)
    with pytest.raises(ValueError, match="temperature"):
        study(weak_link(), "right")


@pytest.mark.parametrize("phases", [0, 7, 2.0, True, "8"])
def test_the_number_of_phases_is_even(phases):
    with pytest.raises(ValueError, match="phases is"):
        uf.current_phase(weak_link(), "right", 0.1, phases=phases)


@pytest.mark.parametrize("precision", [0, 1.0, -1, None])
def test_a_precision_is_a_part_of_one(precision):
    with pytest.raises(ValueError, match="precision"):
        uf.critical_current(weak_link(), "right", 0.1, precision=precision)


@pytest.mark.parametrize("between", ["left", ("left",), ("left", "middle"), ("left", 1), 5])
def test_a_region_lies_between_two_facet_sets(between):
    with pytest.raises(uf.errors.ObservableError, match="between is"):
        uf.kinetic_inductance(weak_link(), "right", 0.1, between=between)


def test_a_gap_that_starts_from_another_phase_turns_with_the_reservoir():
    metals = {"S1": uf.superconductor(Tc=0.5), "N": uf.normal_metal(), "S2": uf.superconductor(Tc=0.5)}
    contacts = {"left": uf.Reservoir(), "right": uf.Reservoir()}
    mesh = uf.interval({"S1": 8.0, "N": 3.0, "S2": 8.0}, size=0.07)
    device = uf.Device(mesh, metals, contacts)
    start = uf.solve_equilibrium(device, 0.15)
    turned = uf.solve_equilibrium(device.with_phase("right", 1.0), 0.15, initial=start)
    assert turned.sweeps[0].residual < 0.05  # of order 1 if the change of the phase were all at the contact
    fresh = uf.solve_equilibrium(device.with_phase("right", 1.0), 0.15)
    assert abs(turned.problem.gap - fresh.problem.gap).max() < 1e-5
