"""What `solve_nonequilibrium` refuses, warns of and keeps: bad input, biases, files, copies."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.errors import DeviceError, ObservableError, ResolutionWarning

MESH = uf.interval({"N": 1.0}, size=0.1)
TC = 1 / 1.7638770


def wire(left=None, right=None, material=None, **more):
    left = uf.Reservoir(gap=0, voltage=0.3) if left is None else left
    right = uf.Reservoir(gap=0) if right is None else right
    return uf.Device(MESH, {"N": material or uf.normal_metal()}, {"left": left, "right": right}, **more)


@pytest.fixture(scope="module")
def driven():
    return uf.solve_nonequilibrium(wire(), temperature=0.1, energy_range=(0, 6))


def refused(device, words, error=DeviceError, **options):
    with pytest.raises(error, match=words):
        uf.solve_nonequilibrium(device, temperature=0.1, **options)


def test_superconductors_at_different_voltages_have_no_stationary_state():
    one, two = (uf.Reservoir(gap=1.0, voltage=voltage) for voltage in (0.0, 0.2))
    refused(wire(one, two), "phase difference would grow in time.*Give them the same voltage")


def test_voltages_are_counted_from_that_of_all_superconductors():
    shifted = wire(uf.Reservoir(gap=0, voltage=0.5), uf.Reservoir(gap=2.0, voltage=0.2))
    plain = wire(uf.Reservoir(gap=0, voltage=0.3), uf.Reservoir(gap=2.0))
    one, two = (uf.solve_nonequilibrium(device, temperature=0.1, tolerance=1e-3) for device in (shifted, plain))
    assert uf.charge_current(one).through("left") == pytest.approx(uf.charge_current(two).through("left"), rel=1e-12)
    assert uf.potential(one).at([[0.3]]) == pytest.approx(uf.potential(two).at([[0.3]]) + 0.2, rel=1e-9)
    assert one.voltages == pytest.approx({"left": 0.5, "right": 0.2})


def test_a_spin_bias_across_the_exchange_field_of_a_superconductor_is_refused():
    refused(
        wire(right=uf.Reservoir(gap=1.0, exchange=(0, 0, 0.2), spin_bias=(0.1, 0, 0))), "not parallel to its exchange"
    )


def test_a_superconductor_cannot_float():
    refused(wire(right=uf.Reservoir(gap=1.0, voltage=uf.FLOATING)), "superconducting and its voltage floats")


def test_a_bias_that_varies_in_space_is_refused():
    refused(wire(uf.Reservoir(gap=0, voltage=lambda x: 0.1 + 0 * x[0])), "varies in space")


def test_a_part_without_reservoir_has_no_occupation():
    mesh = uf.interval({"A": 1.0, "B": 1.0}, size=0.25)
    device = uf.Device(
        mesh, {"A": uf.normal_metal(), "B": uf.normal_metal()}, {"left": uf.Reservoir(gap=0, voltage=0.1)},
        {("A", "B"): uf.Tunnel(conductance=0.0)},
    )  # fmt: skip
    refused(device, "region 'B' is connected to no reservoir")


def test_contacts_that_touch_have_the_same_bias():
    mesh = uf.rectangle({"N": 1.0}, width=1.0, size=0.5)
    contacts = {"left": uf.Reservoir(gap=0, voltage=0.1), "bottom": uf.Reservoir(gap=0)}
    refused(uf.Device(mesh, {"N": uf.normal_metal()}, contacts), "touch at 1 nodes but have different voltage", order=1)


@pytest.mark.parametrize(
    ("solve", "material"),
    [
        (lambda device: uf.solve_equilibrium(device, 0.1), None),
        (lambda device: uf.solve_spectrum(device, [0.5]), None),
        (uf.critical_temperature, uf.superconductor(Tc=1.0)),
    ],
)  # fmt: skip
def test_other_solves_refuse_a_bias_and_say_which_one_takes_it(solve, material):
    with pytest.raises(DeviceError, match="solve_nonequilibrium"):
        solve(wire(material=material))


@pytest.mark.parametrize("solve", [lambda d: uf.solve_equilibrium(d, 0.1), uf.solve_normal_state])
def test_floating_voltages_belong_to_nonequilibrium(solve):
    with pytest.raises(DeviceError, match="voltage"):
        solve(wire(uf.Reservoir(gap=0, voltage=uf.FLOATING)))


@pytest.mark.parametrize(
    ("options", "words", "error"),
    [
        ({"energies": [-0.1, 0.2]}, "energies >= 0", ValueError),
        ({"energies": "dense"}, "energies", ValueError),
        ({"energies": [0.1, 0.2], "energy_range": (0, 1)}, "belongs to energies='adaptive'", ValueError),
        ({"energy_range": (-1, 1)}, "begins below 0", ValueError),
        ({"broadening": 0.0}, "broadening", ValueError),
        ({"tolerance": 2.0}, "tolerance", ValueError),
        ({"initial": 0.5}, "initial belongs to an unknown gap", ValueError),
        ({"max_sweeps": 0}, "max_sweeps", ValueError),
        ({"voltage": 1.0}, "voltage", TypeError),
    ],
)
def test_bad_arguments_are_named(options, words, error):
    refused(wire(), words, error, **options)


def test_only_the_voltage_of_a_reservoir_may_float():
    with pytest.raises(DeviceError, match="only its voltage may be FLOATING"):
        uf.Reservoir(gap=uf.FLOATING)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"rate": -1.0}, "inelastic_rate"), ({"rate": 1.0, "towards": "ground"}, "towards")],
)
def test_a_relaxation_that_cannot_be_is_refused(given, words):
    with pytest.raises(DeviceError, match=words):
        uf.Relaxation(**given)


def test_a_material_takes_a_relaxation_only():
    with pytest.raises(DeviceError, match="allowed are a Relaxation and None"):
        uf.normal_metal(inelastic=0.1)


def test_a_given_gap_that_takes_up_charge_is_warned_of():
    device = wire(material=uf.superconductor(gap=0.5))
    with pytest.warns(UserWarning, match="charge is not conserved.*charge_source"):
        neq = uf.solve_nonequilibrium(device, temperature=0.1, tolerance=1e-3, broadening=1e-2)
    lost = sum(uf.charge_current(neq).through(name) for name in ("left", "right"))
    assert lost == pytest.approx(uf.charge_source(neq).integral(), rel=1e-8)


def test_other_voltages_need_no_further_solve(driven):
    other = driven.with_bias(left=0.5, right=-0.5)
    assert uf.charge_current(other).through("right") == pytest.approx(2.0, rel=1e-9)  # 2 N0 D V / L
    hot = driven.with_bias({"left": {"voltage": 0.0, "temperature": 0.2}})
    # (pi^2/6) 2 N0 (T1^2 - T2^2) D / L, the law of Wiedemann and Franz
    assert uf.heat_current(hot).through("right") == pytest.approx(np.pi**2 / 3 * (0.2**2 - 0.1**2), rel=1e-6)


def test_inelastic_scattering_at_another_bias_is_solved_again():
    material = uf.normal_metal(inelastic=uf.Relaxation(rate=2.0, towards="electrons"))
    first, second = (
        uf.solve_nonequilibrium(wire(uf.Reservoir(gap=0, voltage=voltage), material=material), temperature=0.1)
        for voltage in (0.2, 0.5)
    )
    moved = first.with_bias(left=0.5)
    assert uf.energy_current(moved).through("left") == uf.energy_current(second).through("left")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"top": 1.0}, "no reservoir 'top'; there are: left, right"), ({"left": 50.0}, "energy_range"),
        ({"left": np.nan}, "voltage of 'left'"), ({"left": {"volts": 1.0}}, "no 'volts'"),
        ({"left": {"temperature": 0.0}}, "temperature of 'left'"),
        ({"left": {"spin_bias": (0, 0, 0.1)}}, "spin components that were not solved for"),
    ],
)
def test_a_bias_that_cannot_be_taken_is_named(driven, change, words):
    with pytest.raises(ValueError, match=words):
        driven.with_bias(change)


def test_biases_are_a_mapping(driven):
    with pytest.raises(TypeError, match=r"biases is \[0.1\]; allowed is a mapping"):
        driven.with_bias([0.1])


def test_energies_that_leave_out_an_occupation_are_warned_of():
    neq = uf.solve_nonequilibrium(wire(), temperature=0.1, energies=[0.0, 0.1, 0.2])
    with pytest.warns(UserWarning, match="leave out part of the occupation"):
        uf.charge_current(neq)
    assert uf.conductance_matrix(neq).values[:, 0, 1, 0, 1] == pytest.approx([2.0] * 3)  # 2 N0 D / L


def test_a_voltage_probe_draws_no_current():
    contacts = {"left": uf.Reservoir(gap=0, voltage=0.4), "right": uf.Reservoir(gap=0, voltage=uf.FLOATING)}
    mesh = uf.rectangle({"N": 1.0}, width=0.4, size=0.2).with_boundaries(
        {"up": lambda x: (x[1] > 0.399) & (abs(x[0] - 0.5) < 0.11)}
    )
    device = uf.Device(mesh, {"N": uf.normal_metal()}, {**contacts, "up": uf.Reservoir(gap=0)})
    neq = uf.solve_nonequilibrium(device, temperature=0.1, tolerance=1e-3)
    assert abs(uf.charge_current(neq).through("right")) < 1e-9
    normal = uf.solve_normal_state(
        uf.Device(mesh, {"N": uf.normal_metal()}, {
            "left": uf.NormalContact(potential=0.4), "right": uf.NormalContact(potential=neq.voltages["right"]),
            "up": uf.NormalContact(),
        })
    )  # fmt: skip
    assert abs(uf.charge_current(normal).through("right")) < 1e-9


def test_the_spin_bias_of_a_floating_reservoir_acts():
    left = uf.Reservoir(gap=0, voltage=uf.FLOATING, spin_bias=(0, 0, 0.2))
    neq = uf.solve_nonequilibrium(wire(left), temperature=0.1)
    assert neq.voltages["left"] == pytest.approx(0.0, abs=1e-9)
    assert uf.spin_density(neq).at([[0.5]])[2, 0] == pytest.approx(2 * 0.1, rel=1e-6)  # 2 N0 s


def test_a_single_energy_has_conductances_but_no_integrals():
    neq = uf.solve_nonequilibrium(wire(), temperature=0.1, energies=[0.5])
    assert uf.conductance_matrix(neq).values[0, 0, 1, 0, 1] == pytest.approx(2.0)
    with pytest.warns(UserWarning, match="leave out part of the occupation"):
        assert uf.charge_current(neq).through("left") == 0.0
    with pytest.raises(ValueError, match=r"energies were solved up to 0\.5 only"):
        neq.with_bias(left=0.8)


def test_collisions_need_more_than_one_energy():
    material = uf.normal_metal(inelastic=uf.Relaxation(rate=1.0))
    refused(wire(material=material), "energies has one value", ValueError, energies=[0.5])


def test_heat_is_that_into_a_contact(driven):
    with pytest.raises(ObservableError, match="heat flows into reservoirs"):
        uf.heat_current(driven).through([3], into=(1.0,))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda neq: pickle.loads(pickle.dumps(neq))], ids=["copy", "pickle"])
def test_copies_are_the_same(driven, again):
    other = again(driven)
    assert uf.charge_current(other).through("left") == uf.charge_current(driven).through("left")
    assert other.biases == driven.biases
    assert not other.responses.flags.writeable


@pytest.mark.parametrize("kind", ["driven", "scattered", "gap"])
def test_a_saved_state_is_restored(kind, driven, tmp_path):
    if kind == "scattered":
        material = uf.normal_metal(inelastic=uf.Relaxation(rate=2.0, towards="electrons"))
        driven = uf.solve_nonequilibrium(wire(material=material), temperature=0.1)
    if kind == "gap":
        mesh = uf.interval({"N": 4.0}, size=0.5)
        contacts = {"left": uf.Reservoir(gap=0, voltage=0.2), "right": uf.Reservoir(gap=0, voltage=uf.FLOATING)}
        device = uf.Device(mesh, {"N": uf.superconductor(Tc=TC)}, contacts)
        with pytest.warns(ResolutionWarning):
            driven = uf.solve_nonequilibrium(device, temperature=0.1, broadening=0.05, tolerance=1e-3, order=1)
    again = uf.load(uf.save(tmp_path / "state.h5", driven))
    for observable in (uf.charge_current, uf.energy_current, uf.potential, uf.distribution, uf.gap):
        assert np.array_equal(observable(again).quadrature, observable(driven).quadrature), observable.__name__
    assert uf.charge_current(again).through("left") == uf.charge_current(driven).through("left")
    assert again.voltages == driven.voltages
    assert repr(again) == repr(driven)
    with warnings.catch_warnings(action="ignore", category=ResolutionWarning):
        moved = [uf.charge_current(neq.with_bias(left=0.25)).through("left") for neq in (again, driven)]
    assert moved[0] == moved[1]


def test_a_distribution_can_be_looked_at_over_energy(driven, tmp_path):
    assert uf.write_vtk(tmp_path / "h.pvd", uf.distribution(driven), uf.density_of_states(driven)).exists()
    occupation = uf.occupation(driven)
    low, high = occupation.at([[0.5]])[[0, -1], 0]
    assert low == pytest.approx(1.0)
    assert high == pytest.approx(0.0, abs=1e-10)


def test_states_of_workers_are_the_same(driven):
    other = uf.solve_nonequilibrium(wire(), temperature=0.1, energy_range=(0, 6), workers=2)
    assert uf.charge_current(other).through("left") == pytest.approx(uf.charge_current(driven).through("left"))
