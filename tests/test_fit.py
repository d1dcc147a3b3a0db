"""Fits with exact derivatives: parameters come back within their errors, in few solves."""

import numpy as np
import pytest

import usadelfem as uf

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
MESH = uf.interval({"F": 1.0}, size=0.2)
TEMPERATURES = np.geomspace(0.05, 0.6, 6)
TRUE = {"D": 1.0, "h": 1.0, "N0": 1.0}
PARAMETERS = {
    "D": (1.5, {("F", "D"): 1.0}), "h": (1.5, {("F", "exchange"): (0, 0, 1)}), "N0": (0.6, {("F", "N0"): 1.0})
}  # fmt: skip


def junction(D=1.0, h=1.0, N0=1.0, phase=2.0):
    metal = uf.ferromagnet(exchange=(0, 0, h), D=D, N0=N0)
    return uf.Device(MESH, {"F": metal}, {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, phase)})


def currents(**parameters):
    device = junction(**parameters)
    solved = (uf.solve_equilibrium(device, T, order=1) for T in TEMPERATURES)
    return [uf.charge_current(eq).through("right") for eq in solved]


@pytest.fixture(scope="module")
def measured():
    scatter = np.random.default_rng(4).normal(size=len(TEMPERATURES))
    return np.array([float(value) for value in currents(**TRUE)]) * (1 + 0.01 * scatter)


@pytest.fixture(scope="module")
def found(measured):
    return uf.fit(currents, measured, PARAMETERS, errors=0.01 * measured)


def test_parameters_come_back_within_their_errors(found):
    assert found.converged
    for name, value in TRUE.items():
        assert abs(found[name] - value) < 2.5 * found.errors[name], name


def test_a_fit_takes_few_evaluations(found):
    assert found.evaluations <= 15


def test_the_prediction_is_the_model_at_the_parameters_that_were_found(found):
    assert found.predicted == pytest.approx([float(value) for value in currents(**found.values)], rel=1e-10)


def test_errors_are_those_of_the_curvature_of_chi_square(found, measured):
    def chi_square(**changed):
        values = np.array([float(value) for value in currents(**{**found.values, **changed})])
        return (((values - measured) / (0.01 * measured)) ** 2).sum()

    step = 0.02 * found["N0"]
    middle, up, down = (chi_square(N0=found["N0"] + k * step) for k in (0, 1, -1))
    of_one = 1 / np.linalg.inv(found.covariance)[2, 2]
    assert (up + down - 2 * middle) / step**2 == pytest.approx(2 / of_one, rel=0.02)


def test_without_errors_the_scatter_tells_them(measured, found):
    plain = uf.fit(currents, measured, PARAMETERS)
    assert plain["D"] == pytest.approx(found["D"], rel=0.2)
    assert 0.1 < plain.errors["D"] / found.errors["D"] < 10


def test_a_parameter_that_the_data_do_not_determine_is_named(measured):
    both = {"D": (1.0, {("F", "D"): 1.0}), "same": (1.0, {("F", "D"): 1.0})}

    def model(D, same):
        return currents(D=D * same)[:2]

    with pytest.warns(UserWarning, match="do not determine D, same"):
        found = uf.fit(model, measured[:2], both)
    assert np.isnan(found.errors["D"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {}}, "parameters is"), ({"parameters": {"D": 1.0}}, "allowed is name -> "),
        ({"errors": -1.0}, "errors is"), ({"errors": [0.1]}, "one or as many as data"),
        ({"bounds": {"D": (2.0, 3.0)}}, "within their bounds"), ({"bounds": {"x": (0, 1)}}, "for one of D, h, N0"),
        ({"data": [1.0]}, "6 values for 1 data"), ({"data": ["a"]}, "data"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(change, message, measured):
    given = {"data": measured, "parameters": PARAMETERS} | change
    with pytest.raises(ValueError, match=message):
        uf.fit(currents, given.pop("data"), given.pop("parameters"), **given)


def test_a_model_of_plain_numbers_is_refused(measured):
    with pytest.raises(TypeError, match="does not remember"):
        uf.fit(lambda **p: [float(value) for value in currents(**p)], measured, PARAMETERS)


def test_rates_may_depend_on_the_parameters(measured):
    # a resistivity in place of the diffusion coefficient
    def model(rho):
        return currents(D=1 / rho)

    found = uf.fit(model, measured, {"rho": (1.5, lambda rho: {("F", "D"): -1 / rho**2})}, errors=0.01 * measured)
    assert found.evaluations <= 15
    assert found["rho"] == pytest.approx(1.0, abs=2.5 * found.errors["rho"])


def test_a_density_of_states_is_fitted():
    energies = [0.3, 0.8, 1.2]

    def model(h):
        spectrum = uf.solve_spectrum(junction(h=h), energies, broadening=0.1, order=1)
        density = uf.density_of_states(spectrum).at([[0.5]])
        return [density[n, 0] for n in range(3)]

    data = [float(value) for value in model(0.4)]
    found = uf.fit(model, data, {"h": (0.6, {("F", "exchange"): (0, 0, 1)})})
    assert found["h"] == pytest.approx(0.4, rel=1e-5)


def bilayer(D=1.0, G=2.0, h=0.5, d=0.7):
    mesh = uf.interval({"S": 1.5, "F": d}, size=0.15)
    metals = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(exchange=(0, 0, h), D=D)}
    return uf.Device(mesh, metals, interfaces={("S", "F"): uf.Tunnel(G)})


def test_critical_temperatures_of_layers_of_two_thicknesses_are_fitted():
    def model(G):
        return [uf.critical_temperature(bilayer(G=G, d=d), order=1, precision=1e-7) for d in (0.3, 0.9)]

    data = [float(value) for value in model(2.0)]
    found = uf.fit(model, data, {"G": (1.4, {(("S", "F"), "conductance"): 1.0})}, precision=1e-4)
    assert found["G"] == pytest.approx(2.0, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("D", {("F", "D"): 1.0}), ("G", {(("S", "F"), "conductance"): 1.0}),
    ],
)  # fmt: skip
def test_the_slope_of_a_critical_temperature_is_that_of_differences(name, rates):
    start, step = {"D": 1.0, "G": 2.0}[name], 1e-2

    def tc(shift):
        return uf.critical_temperature(bilayer(**{name: start + shift}), precision=1e-12, order=1)

    slope = uf.sensitivity(tc(0.0)).along(rates)
    difference = (8 * (tc(step) - tc(-step)) - tc(2 * step) + tc(-2 * step)) / (12 * step)
    assert slope == pytest.approx(float(difference), rel=1e-6)


@pytest.mark.parametrize("start", [1.0, 9.0])  # of an ordinary junction, and of one with a phase difference of pi
def test_the_slope_of_a_critical_current_is_that_of_differences(start):
    options = {"precision": 1e-11, "order": 1, "frequencies": 16}

    def critical(h):
        return uf.critical_current(junction(h=h), "right", 0.2, differentiable=True, **options).value

    slope = uf.sensitivity(critical(start)).along({("F", "exchange"): (0, 0, 1)})
    step = 1e-2
    near, far = critical(start + step) - critical(start - step), critical(start + 2 * step) - critical(start - 2 * step)
    assert slope == pytest.approx(float((8 * near - far) / (12 * step)), rel=1e-6)


@pytest.mark.slow
def test_four_parameters_of_critical_currents_come_back_from_starts_that_are_off_by_a_half():
    # the start of the benchmark against Nelder and Mead (benchmarks/fit.py)
    temperatures = np.geomspace(0.05, 1.0, 8)
    true = {"D": 1.0, "h": 2.0, "N0": 1.0, "gap": 1.0}
    start = {
        "D": (1.5, {("F", "D"): 1.0}), "h": (3.0, {("F", "exchange"): (0, 0, 1)}), "N0": (0.5, {("F", "N0"): 1.0}),
        "gap": (1.5, {("left", "gap"): 1.0, ("right", "gap"): 1.0}),
    }  # fmt: skip

    def model(D, h, N0, gap):
        metal = uf.ferromagnet(exchange=(0, 0, h), D=D, N0=N0)
        device = uf.Device(MESH, {"F": metal}, {"left": uf.Reservoir(gap), "right": uf.Reservoir(gap)})
        options = {"differentiable": True, "order": 1, "frequencies": 8}
        return [uf.critical_current(device, "right", T, **options).value for T in temperatures]

    scatter = np.random.default_rng(4).normal(size=len(temperatures))
    measured = np.array([float(value) for value in model(**true)]) * (1 + 0.01 * scatter)
    found = uf.fit(model, measured, start, errors=0.01 * measured, precision=1e-4)
    assert found.converged
    assert found.evaluations <= 15
    off = np.array([found[name] - value for name, value in true.items()])
    assert (abs(off) < 2 * np.array(list(found.errors.values()))).all()
