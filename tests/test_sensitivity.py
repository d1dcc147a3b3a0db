"""Sensitivities: the adjoint of every observable against its tangents, symmetries, and what numbers remember."""

import gc
import json
import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_derivatives import ACTIVE, HALL, METAL, PLANE, TENSOR, bridge, device, solve

import usadelfem as uf
from usadelfem.errors import ObservableError
from usadelfem.fields.traced import Traced

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # meshes of a few cells

BARRIER = (("S", "F"), "conductance")
LOCAL = {
    ("F", "D"): 1.0, ("F", "N0"): 1.0, ("S", "N0"): -1.0, ("F", "exchange"): (1, -1, 2), ("F", "tau_so"): 1.0,
    ("F", "rate_sf"): (1, 2, -1), ("F", "depairing"): 1.0, ("S", "gap"): 1 + 2j, ("right", "phase"): 1.0,
    ("right", "gap"): 1.0, ("right", "exchange"): (1, 0, -1), "temperature": 1.0, ("F", "rashba"): 1.0, BARRIER: 1.0,
    (("S", "F"), "mixing"): 1.0, (("S", "F"), "polarization"): 1.0, (("S", "F"), "magnetization"): (1, 0, -1),
}  # fmt: skip
LINES = {**LOCAL, "A": (1.0,), ("F", "su2"): ((1, 2, 3),)}
PLANES = {
    **LOCAL, "A": (1.0, 0.5), ("F", "su2"): ((1, 2, 3), (0, 1, -1)), ("F", "theta"): 1.0,
    ("F", "kappa"): lambda x: x[1],
}  # fmt: skip
SPLIT = uf.Reservoir(1.0, 1.1, exchange=(0, 0.2, 0.1))
LINE_AT, PLANE_AT = [[0.8]], [[0.8], [0.25]]


def everything(x):
    """Numbers of an equilibrium of every kind."""
    return {
        "charge current": lambda eq: uf.charge_current(eq).through("right"),
        "current through a barrier": lambda eq: uf.charge_current(eq).through(("S", "F")),
        "spin current": lambda eq: uf.spin_current(eq).through("right")[1],
        "spin density": lambda eq: uf.spin_density(eq).integral("F")[0],
        "current density": lambda eq: uf.charge_current(eq).at(x)[0, 0],
        "spin current density": lambda eq: uf.spin_current(eq).integral("F")[1, 0],
        "pair amplitude": lambda eq: uf.pair_amplitude(eq).at(x)[1, 0].real,
        "modulus of the triplet": lambda eq: abs(uf.pair_amplitude(eq, None).integral("F")[3]),
        "gap": lambda eq: uf.gap(eq).integral("S").real,
        "average": lambda eq: uf.pair_amplitude(eq, 1).average(("S", "F"))[2].imag,
        "free energy": uf.free_energy,
    }


def tangents(result, parameters):
    return [(name, rate, uf.derivative(result, {name: rate})) for name, rate in parameters.items()]


def agrees(objective, result, known, precision=1e-10):
    """Forward and adjoint derivatives agree, relative to the largest of them."""
    known = tangents(result, known) if isinstance(known, dict) else known
    s = uf.sensitivity(objective(result))
    assert s.value == float(objective(result))
    energy = objective is uf.free_energy
    forward = [
        objective(tangent) if energy else tangent.derivative_of(lambda moved: float(objective(moved)))
        for _, _, tangent in known
    ]
    largest = max(np.abs(forward))
    assert largest > 0
    for (name, rate, _), one in zip(known, forward, strict=True):
        assert one == pytest.approx(s.along({name: rate}), rel=1e2 * precision, abs=precision * largest), name


@pytest.fixture(scope="module")
def eq():
    return solve(device(METAL | {"rashba": 0.2, "depairing": 0.2}, right=SPLIT, between=uf.SpinActive(**ACTIVE)))


@pytest.fixture(scope="module")
def flat():
    return solve(device(HALL | {"depairing": 0.1}, mesh=PLANE, right=SPLIT, between=uf.SpinActive(**ACTIVE)))


@pytest.fixture(scope="module")
def on_a_line(eq):
    return tangents(eq, LINES)


@pytest.mark.parametrize("name", everything(LINE_AT))
def test_forward_and_adjoint_agree_for_every_parameter(name, eq, on_a_line):
    agrees(everything(LINE_AT)[name], eq, on_a_line)


@pytest.fixture(scope="module")
def in_the_plane(flat):
    return tangents(flat, PLANES)


@pytest.mark.parametrize("name", ["charge current", "spin current", "current density", "pair amplitude", "free energy"])
def test_forward_and_adjoint_agree_in_the_plane(name, flat, in_the_plane):
    agrees(everything(PLANE_AT)[name], flat, in_the_plane)


@pytest.mark.parametrize("name", ["charge current", "spin current density"])
def test_forward_and_adjoint_agree_with_quadratic_elements(name):
    own = solve(device(HALL, mesh=PLANE, between=uf.Nazarov(conductance=1.0, transparencies=[0.3, 0.9])), order=2)
    agrees(everything(PLANE_AT)[name], own, {("F", "D"): 1.0, ("F", "theta"): 1.0, BARRIER: 1.0, "temperature": 1.0})


def test_forward_and_adjoint_agree_along_a_spin_hall_tensor():
    own = solve(device(METAL | {"spin_hall_tensor": TENSOR}, mesh=PLANE, right=SPLIT))
    agrees(everything(PLANE_AT)["spin current"], own, {("F", "spin_hall_tensor"): TENSOR, "B": 1.0})


def test_forward_and_adjoint_agree_of_the_linearised_equation():
    own = solve(device(), linearized=True)
    few = {("F", "D"): 1.0, ("F", "exchange"): (1, 0, 1), ("right", "gap"): 1.0}
    agrees(everything(LINE_AT)["spin density"], own, few)
    agrees(everything(LINE_AT)["charge current"], own, few)


@pytest.fixture(scope="module")
def consistent():
    own = solve(bridge(), 0.3, frequencies=3, tolerance=1e-11)
    return own, tangents(own, {
        ("F", "D"): 1.0, ("F", "N0"): 1.0, ("F", "exchange"): (0, 0, 1), ("S", "Tc"): 1.0, ("right", "phase"): 1.0,
        "temperature": 1.0, "A": (1.0,), BARRIER: 1.0,
    })  # fmt: skip


@pytest.mark.parametrize(
    "name", ["charge current", "current through a barrier", "modulus of the triplet", "gap", "free energy"]
)
def test_forward_and_adjoint_agree_where_the_gap_follows(name, consistent):
    agrees(everything([[1.8]])[name], *consistent, precision=1e-9)


SPECTRAL = {
    "at a point": lambda spec: uf.density_of_states(spec).at(LINE_AT)[1, 0],
    "integral": lambda spec: uf.density_of_states(spec).integral("F")[0],
    "spin resolved": lambda spec: uf.density_of_states(spec, spin=(1, 0, 0)).at(LINE_AT)[1, 0],
    "member": lambda spec: uf.density_of_states(spec)[1].at(LINE_AT)[0],
}


@pytest.fixture(scope="module")
def spec():
    own = device(between=uf.SpinActive(**ACTIVE))
    return uf.solve_spectrum(own, [0.2, -0.9], broadening=0.1, order=1, progress=False)


@pytest.mark.parametrize("name", SPECTRAL)
def test_forward_and_adjoint_agree_of_a_density_of_states(name, spec):
    few = {
        ("F", "D"): 1.0, ("F", "N0"): 1.0, ("F", "exchange"): (1, -1, 2), ("F", "inelastic_rate"): 1.0,
        ("right", "phase"): 1.0, ("S", "gap"): 1 + 2j, (("S", "F"), "mixing"): 1.0,
    }  # fmt: skip
    agrees(SPECTRAL[name], spec, few)


def test_a_sensitivity_is_that_of_differences_of_solves():
    def current(p):
        graded = lambda x: 0.3 + p * np.cos(3 * x[0])  # noqa: E731
        return uf.charge_current(solve(device({"exchange": lambda x: np.array([0 * x[0], graded(x), 0.2 + 0 * x[0]])})))

    base = solve(device({"exchange": (0, 0.3, 0.2)}))
    s = uf.sensitivity(uf.charge_current(base).through("right"))
    own = s["exchange"]
    x = own.space.points()[0]
    F = own.device.mesh.subdomains["F"]
    slope = float((own.quadrature[1] * np.cos(3 * x) * own.space.dx)[F].sum())
    difference = sum(
        w * (current(k * 1e-2).through("right") - current(-k * 1e-2).through("right")) / 1e-2
        for k, w in ((1, 0.75), (2, -0.15), (3, 1 / 60))
    )
    assert slope == pytest.approx(difference, rel=1e-8)


def test_a_sensitivity_with_the_wrong_sign_is_seen(eq):
    with pytest.raises(AssertionError):
        agrees(lambda own: -1.0 * uf.free_energy(own) if own is eq else uf.free_energy(own), eq, {("F", "D"): 1.0})


def test_half_the_current_is_the_derivative_of_the_energy_with_the_phase(eq):
    s = uf.sensitivity(uf.free_energy(eq))
    for name in ("left", "right"):
        assert 2 * s.along({(name, "phase"): 1.0}) == pytest.approx(uf.charge_current(eq).through(name), rel=1e-10)


CONJUGATE = {  # observables that are derivatives of the energy with parameters
    ("right", "phase"): (lambda eq: 0.5 * uf.charge_current(eq).through("right"), 1.0),
    ("F", "exchange"): (lambda eq: -1.0 * uf.spin_density(eq).integral("F")[1], (0, 1, 0)),
    "A": (lambda eq: -1.0 * uf.charge_current(eq).integral()[0], (1.0,)),
    ("F", "su2"): (lambda eq: -1.0 * uf.spin_current(eq).integral("F")[2, 0], ((0, 0, 1),)),
}  # fmt: skip


@pytest.mark.parametrize("name", CONJUGATE, ids=str)
def test_observables_are_derivatives_of_the_energy(name, eq):
    objective, rate = CONJUGATE[name]
    assert uf.sensitivity(uf.free_energy(eq)).along({name: rate}) == pytest.approx(float(objective(eq)), rel=1e-9)


def test_second_derivatives_of_the_energy_are_symmetric(eq):
    slopes = [uf.sensitivity(objective(eq)) for objective, _ in CONJUGATE.values()]
    rates = {name: rate for name, (_, rate) in CONJUGATE.items()}
    second = np.array([[s.along({name: rate}) for name, rate in rates.items()] for s in slopes])
    assert abs(second - second.T).max() < 1e-10 * abs(second).max()
    assert abs(second).min() > 1e-6


def test_four_terminals_are_reciprocal():
    mesh = uf.rectangle({"F": 1.0}, width=1.0, size=0.5)
    phases = {"left": 0.0, "right": 0.9, "bottom": -0.4, "top": 0.5}
    barrier = uf.SpinActive(conductance=1.0, polarization=0.4, mixing=0.3, magnetization=(1, 0, 1))
    ends = {name: uf.Reservoir(1.0, phase, barrier=barrier) for name, phase in phases.items()}
    metal = uf.ferromagnet(exchange=(0, 0.4, 0.3), theta=lambda x: x[1], rashba=0.5)
    own = solve(uf.Device(mesh, {"F": metal}, ends, B=0.3))
    slopes = [uf.sensitivity(uf.charge_current(own).through(name)) for name in phases]
    matrix = np.array([[s.along({(name, "phase"): 1.0}) for name in phases] for s in slopes])
    assert abs(matrix - matrix.T).max() < 1e-10 * abs(matrix).max()
    assert abs(matrix.sum(axis=0)).max() < 1e-9 * abs(matrix).max()


def test_a_map_integrates_to_the_derivative_along_a_uniform_change(flat):
    s = uf.sensitivity(uf.charge_current(flat).through("right"))
    for name in ("N0", "D", "depairing", "theta", "kappa"):
        assert s[name].integral("F") == pytest.approx(s.along({("F", name): 1.0}), rel=1e-9), name
    field = s["exchange"]
    for k, rate in enumerate(np.eye(3)):
        assert field.integral("F")[k] == pytest.approx(s.along({("F", "exchange"): rate}), rel=1e-9)
        assert s["rate_so"].integral("F")[k] == pytest.approx(s.along({("F", "rate_so"): rate}), rel=1e-9)
    assert s["gap"].integral("S").real == pytest.approx(s.along({("S", "gap"): 1.0}), rel=1e-9)
    assert s["gap"].integral("S").imag == pytest.approx(s.along({("S", "gap"): 1j}), rel=1e-9)
    assert s["A"].integral()[1] == pytest.approx(s.along({"A": (0.0, 1.0)}), rel=1e-9)
    rate = np.zeros((2, 3))
    rate[1, 2] = 1.0
    assert s["su2"].integral("F")[2, 1] == pytest.approx(s.along({("F", "su2"): rate}), rel=1e-9)


def test_a_map_can_be_written_and_drawn(flat, tmp_path):
    s = uf.sensitivity(uf.charge_current(flat).through("right"))
    uf.write_vtk(tmp_path / "maps.vtu", *s.fields.values())
    assert (tmp_path / "maps.vtu").stat().st_size > 5000
    assert set(s.fields) == {
        "N0", "D", "depairing", "exchange", "rate_so", "rate_sf", "gap", "A", "su2", "theta", "kappa"
    }  # fmt: skip
    s["D"].plot()
    plt.close("all")


@pytest.mark.parametrize("coefficient", ["D", "exchange", "theta", "su2"])
def test_derivatives_with_nodal_values_are_those_along_nodal_arrays(coefficient, flat):
    s = uf.sensitivity(uf.spin_current(flat).through("right")[0])
    own = s.nodal("F", coefficient)
    shape = own.shape[:-1]
    assert sorted(shape) == sorted(s[coefficient].shape)
    rate = np.random.default_rng(0).normal(size=(*shape, flat.device.mesh.nvertices))
    assert own.shape == rate.shape
    assert (own * rate).sum() == pytest.approx(s.along({("F", coefficient): rate}), rel=1e-9)
    uniform = own.reshape(-1, own.shape[-1]).sum(axis=1)[-1]
    last = np.eye(int(np.prod(shape, initial=1)))[-1].reshape(shape) if shape else 1.0
    assert uniform == pytest.approx(s.along({("F", coefficient): last}), rel=1e-9)
    apart = np.setdiff1d(np.arange(flat.device.mesh.nvertices), flat.device.mesh.t[:, flat.device.mesh.subdomains["F"]])
    assert not own[..., apart].any()


SMOOTH = {
    "sine": lambda x, y: np.sin(3 * x),
    "power": lambda x, y: x**2 + 2**y,
    "quotient": lambda x, y: x / (1 + y**2) - 1 / x,
    "modulus": lambda x, y: abs(x - 2) * abs(y),
    "root": lambda x, y: np.sqrt(abs(x)) + np.exp(-y) - np.log(abs(x)),
    "angle": lambda x, y: np.arctan2(x, y) + np.hypot(x, y) + np.tanh(x),
    "signs": lambda x, y: -x + (+y) - np.square(x) + 3.0,
    "sum": lambda x, y: sum([x, y, np.float64(2.0) * x]),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_functions_of_numbers_have_the_derivatives_of_calculus(name, eq):
    function = SMOOTH[name]
    x, y = uf.charge_current(eq).through("right"), uf.spin_density(eq).integral("F")[0]
    own = uf.sensitivity(function(x, y)).along({("F", "D"): 1.0})
    slopes = [uf.sensitivity(part).along({("F", "D"): 1.0}) for part in (x, y)]
    x, y, h = float(x), float(y), 1e-3
    expected = sum(
        slope * sum(w * (function(x + k * h * a, y + k * h * b) - function(x - k * h * a, y - k * h * b)) / h
                    for k, w in ((1, 0.75), (2, -0.15), (3, 1 / 60)))
        for slope, a, b in ((slopes[0], 1, 0), (slopes[1], 0, 1))
    )  # fmt: skip
    assert own == pytest.approx(expected, rel=1e-9)


FORGETFUL = {
    "sum of an array": lambda eq: np.sum(uf.spin_density(eq).integral("F")),
    "float": lambda eq: float(uf.free_energy(eq)),
    "an array": lambda eq: uf.spin_density(eq).integral("F"),
    "a complex number": lambda eq: uf.gap(eq).integral("S"),
    "a rounded number": lambda eq: round(uf.free_energy(eq), 3),
    "a plain number": lambda eq: 1.0,
    "a field": uf.spin_density,
}


@pytest.mark.parametrize("name", FORGETFUL)
def test_what_does_not_remember_is_refused(name, eq):
    with pytest.raises(TypeError, match="does not remember what it was computed from"):
        uf.sensitivity(FORGETFUL[name](eq))


def test_a_result_that_is_gone_is_named():
    current = uf.charge_current(solve(device())).through("right")
    gc.collect()
    with pytest.raises(ObservableError, match="is gone: keep it"):
        uf.sensitivity(current)


def test_numbers_of_two_results_are_told_apart(eq, flat):
    with pytest.raises(ObservableError, match="2 results"):
        uf.sensitivity(uf.free_energy(eq) + uf.free_energy(flat))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda eq: uf.spin_density(eq, pauli=True).integral("F")[0], "pauli"),
        (lambda eq: uf.charge_current(eq, form="huang2018").at(PLANE_AT)[0, 0], "huang2018"),
        (lambda eq: uf.spin_torque(eq).integral("F")[0], "spin_torque of an equilibrium has no sens.*derivative"),
    ],
    ids=["pauli", "huang", "torque"],
)
def test_observables_without_sensitivity_say_so(made, words, flat):
    with pytest.raises(ObservableError, match=words):
        uf.sensitivity(made(flat))


def test_a_coefficient_without_a_map_is_named(eq):
    with pytest.raises(ObservableError, match="no sensitivity to 'rashba'; there are N0, D"):
        uf.sensitivity(uf.free_energy(eq))["rashba"]


@pytest.mark.parametrize("copied", ["pickled", "saved"])
def test_results_that_come_back_have_the_same_sensitivity(copied, eq, tmp_path):
    if copied == "pickled":
        again = pickle.loads(pickle.dumps(eq))
    else:
        uf.save(tmp_path / "eq.h5", eq)
        again = uf.load(tmp_path / "eq.h5")
    one, two = (uf.sensitivity(uf.charge_current(own).through("right")).along({("F", "D"): 1.0}) for own in (eq, again))
    assert one == pytest.approx(two, rel=1e-10)


def test_numbers_are_numbers_to_everybody_else(eq, tmp_path):
    value = uf.charge_current(eq).through("right")
    assert isinstance(value, float)
    assert isinstance(value, np.float64)
    back = pickle.loads(pickle.dumps(value))
    assert (type(back), back) == (np.float64, value)
    assert json.loads(json.dumps(value)) == value
    assert repr(value) == repr(np.float64(value))
    assert f"{value:.3f}" == f"{float(value):.3f}"
    np.save(tmp_path / "value.npy", value)
    assert np.load(tmp_path / "value.npy") == value
    assert type(value + np.ones(2)) is np.ndarray
    assert type(np.ones(2) * value) is np.ndarray
    assert type(np.array([value, value])) is np.ndarray
    assert isinstance(value > 0, np.bool_ | bool)
    assert {value: 1}[float(value)] == 1


def test_arrays_are_arrays_to_everybody_else(eq):
    values = uf.pair_amplitude(eq).at([[0.6, 0.8, 1.0]])
    plain = np.array(values)
    assert isinstance(values, np.ndarray)
    assert values.mean() == plain.mean()
    assert not isinstance(values.mean(), Traced)
    assert np.array_equal(values[1:, ::2], plain[1:, ::2])
    assert np.array_equal(values[..., None] * 2, plain[..., None] * 2)
    assert type(abs(values)) is np.ndarray
    assert np.array_equal(np.concatenate([values, values]), np.concatenate([plain, plain]))
    assert values.reshape(-1).shape == (12,)
    values[0, 0] = 0.0  # as writable as it was
    assert values[0, 0] == 0
    figure, axes = plt.subplots()
    axes.plot([0.6, 0.8, 1.0], abs(values[0]))
    plt.close(figure)
    back = pickle.loads(pickle.dumps(values))
    assert type(back) is np.ndarray


def test_slices_of_arrays_remember_their_entries(eq):
    values = uf.pair_amplitude(eq).at([[0.6, 0.8, 1.0]])
    one, two = values[1][2].imag, values[1:, ::2][0, 1].imag
    assert one == two
    slopes = [uf.sensitivity(own).along({("F", "D"): 1.0}) for own in (one, two)]
    assert slopes[0] == slopes[1] != 0


def test_an_array_that_was_written_to_does_not_remember(eq):
    values = uf.spin_density(eq).integral("F")
    values[0] = 7.0
    with pytest.raises(TypeError, match="does not remember"):
        uf.sensitivity(values[0])
