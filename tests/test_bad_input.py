"""Bad input to public functions: an error of the package that names the argument, before anything is solved."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import usadelfem as uf
from usadelfem.fem import cells as element

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")

ERRORS = (ValueError, TypeError)  # all of the package's are of one of these, and say what is allowed
MASKED = np.ma.masked_array([1.0, 2.0], mask=[True, False])


ITSELF: list = []
ITSELF.append(ITSELF)


class Foreign:
    def __repr__(self):
        raise RuntimeError("it has no name")

    def __array__(self, *_, **__):
        raise RuntimeError("it is no array")


NO_NUMBERS = [
    True, float("nan"), float("inf"), 1j, "a", b"a", [], [1.0, "x"], {}, object(), Foreign(), MASKED, np.ma.masked,
    np.array([]), np.array(None), np.datetime64("2020"), 10**400, [True, 1.0], ITSELF,
]  # fmt: skip
LINE = uf.interval({"S": 1.0, "N": 1.0}, size=0.25)
SQUARE = uf.rectangle({"S": 1.0, "N": 1.0}, size=0.5)
S, N = uf.superconductor(gap=1.0), uf.normal_metal()


def device(mesh=LINE, s=S, **options):
    return uf.Device(mesh, {"S": s, "N": N}, **options)


def junction():
    return device(contacts={"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.0)})


def island(mesh=LINE):
    return device(mesh, uf.superconductor(Tc=0.5))


@pytest.fixture(scope="module")
def eq():
    return uf.solve_equilibrium(junction(), 0.3, order=1, frequencies=1)


@pytest.fixture(scope="module")
def spec():
    return uf.solve_spectrum(junction(), [0.5, 1.0], order=1, broadening=0.2)


@pytest.fixture(scope="module")
def ns():
    contacts = {"left": uf.NormalContact(potential=1.0), "right": uf.NormalContact()}
    return uf.solve_normal_state(device(contacts=contacts))


def refused(call, name):
    """The message of an error that the package raises, which has to name what is wrong."""
    before = len(element.element_terms.signatures)
    with pytest.raises(ERRORS) as found:
        call()
    last = found.traceback[-1].path
    assert last.is_relative_to(uf.__path__[0]), f"raised in {last}"
    assert name in str(found.value)
    assert len(str(found.value)) < 600
    assert len(element.element_terms.signatures) == before, "it has compiled a kernel first"
    return str(found.value)


CONSTRUCTORS = {
    "D": lambda x: uf.normal_metal(D=x),
    "N0": lambda x: uf.normal_metal(N0=x),
    "Tc": lambda x: uf.superconductor(Tc=x),
    "exchange": lambda x: uf.ferromagnet(exchange=x),
    "depairing": lambda x: uf.normal_metal(depairing=x),
    "theta": lambda x: uf.normal_metal(theta=x),
    "growth_axis": lambda x: uf.normal_metal(growth_axis=x),
    "phase": lambda x: uf.Reservoir(phase=x),
    "barrier": lambda x: uf.Reservoir(barrier=x),
    "potential": lambda x: uf.NormalContact(potential=x),
    "current": lambda x: uf.CurrentContact(current=x),
    "conductance": lambda x: uf.Tunnel(conductance=x),
    "polarization": lambda x: uf.SpinActive(conductance=1.0, polarization=x),
    "transparencies": lambda x: uf.Nazarov(conductance=1.0, transparencies=x),
    "plane": lambda x: device(SQUARE, plane=x),
    "B": lambda x: device(SQUARE, B=x),
    "width": lambda x: uf.rectangle({"S": 1.0}, width=x),
    "size": lambda x: uf.interval({"S": 1.0}, size=x),
    "length of layer 'S'": lambda x: uf.interval({"S": x}),
    "cell": lambda x: uf.rectangle({"S": 1.0}, cell=x),
    "h": lambda x: uf.textures.spiral(x, wavevector=(1.0, 0.0, 0.0)),
    "vorticity": lambda x: uf.textures.skyrmion(1.0, vorticity=x),
    "vortex": lambda x: uf.vortices([(0.0, 0.0, x)]),
}
SOLVES = {
    "temperature": lambda x: uf.solve_equilibrium(junction(), x),
    "order": lambda x: uf.solve_equilibrium(junction(), 0.3, order=x),
    "quadrature": lambda x: uf.solve_equilibrium(junction(), 0.3, quadrature=x),
    "frequencies": lambda x: uf.solve_equilibrium(junction(), 0.3, frequencies=x),
    "cutoff": lambda x: uf.solve_equilibrium(junction(), 0.3, cutoff=x),
    "linear_solver": lambda x: uf.solve_equilibrium(junction(), 0.3, linear_solver=x),
    "workers": lambda x: uf.solve_equilibrium(junction(), 0.3, workers=x),
    "sector": lambda x: uf.solve_equilibrium(junction(), 0.3, sector=x),
    "tolerance": lambda x: uf.solve_equilibrium(island(), 0.1, tolerance=x),
    "max_sweeps": lambda x: uf.solve_equilibrium(island(), 0.1, max_sweeps=x),
    "method": lambda x: uf.solve_equilibrium(island(), 0.1, method=x),
    "precision": lambda x: uf.critical_temperature(island(), precision=x),
    "samples": lambda x: uf.ground_state(junction(), "right", 0.3, samples=x),
    "interval": lambda x: uf.study.critical_parameter(lambda p: island(), x, 0.1),
    "broadening": lambda x: uf.solve_spectrum(junction(), [1.0], broadening=x),
}


@pytest.mark.parametrize("name", CONSTRUCTORS)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_what_is_no_number_is_refused_in_descriptions(name, value):
    refused(lambda: CONSTRUCTORS[name](value), name)


@pytest.mark.parametrize("name", SOLVES)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_what_is_no_number_is_refused_by_solves(name, value):
    refused(lambda: SOLVES[name](value), name)


@pytest.mark.parametrize("value", [*NO_NUMBERS, 0, -1.0, None], ids=range(len(NO_NUMBERS) + 3))
def test_what_is_no_number_is_refused_by_check_and_refine(value, eq):
    refused(lambda: uf.check(junction(), value), "temperature")
    refused(lambda: uf.check(junction(), 0.3, order=value), "order")
    if value is not None:
        refused(lambda: uf.refine(junction(), fraction=value), "fraction")
        refused(lambda: uf.refine(junction(), eq, fraction=value), "fraction")


TEMPERATURES = {
    "check": lambda t: uf.check(island(), t),
    "solve_equilibrium": lambda t: uf.solve_equilibrium(junction(), t),
    "self-consistent": lambda t: uf.solve_equilibrium(island(), t),
    "ground_state": lambda t: uf.ground_state(junction(), "right", t),
    "stability": lambda t: uf.study.stability(island(), t),
    "critical_parameter": lambda t: uf.study.critical_parameter(lambda p: island(), (0, 1), t),
    "bcs_gap": uf.materials.bcs_gap,
}


@pytest.mark.parametrize("name", TEMPERATURES)
@pytest.mark.parametrize("value", [1e308, 1e100, 1e-100, 5e-324])
def test_a_temperature_whose_cubes_are_no_numbers_is_refused(name, value):
    assert "between 1e-90 and 1e+90" in refused(lambda: TEMPERATURES[name](value), "temperature")


@pytest.mark.parametrize("value", [1e308, 5e-324])
def test_a_critical_temperature_whose_cubes_are_no_numbers_is_refused(value):
    refused(lambda: uf.materials.bcs_gap(0.1, Tc=value), "Tc")


def test_a_temperature_far_below_the_gap_is_refused_where_a_sum_has_to_end():
    refused(lambda: uf.solve_equilibrium(island(), 1e-30), "temperature")
    refused(lambda: uf.study.stability(island(), 1e-30), "temperature")
    assert uf.check(junction(), 1e-30).tc_ratio["region 'S'"] == pytest.approx(1.764e-30, rel=1e-3)


@pytest.mark.parametrize("value", [1e308, 5e-324, 1e-200j])
def test_a_start_that_is_no_gap_in_floating_point_is_refused(value):
    refused(lambda: uf.solve_equilibrium(island(), 0.1, initial=value), "initial")


def test_a_start_without_a_solution_ends_in_an_error_without_a_best_state():
    with pytest.raises(uf.errors.SolveError) as found:
        uf.solve_equilibrium(island(), 0.1, order=1, initial=lambda x: 1e308 + 0 * x[0])
    assert found.value.best is None


RECORDS = np.zeros(2, dtype=[("a", int)])


@pytest.mark.parametrize("value", [np.ones(2), RECORDS, None, ["mesh"], "other", Foreign()], ids=range(6))
def test_words_of_observables_are_of_a_list(eq, value):
    refused(lambda: uf.charge_current(eq, components=value), "components")
    refused(lambda: uf.spin_current(eq, components=value), "components")
    refused(lambda: uf.charge_current(eq, form=value), "form")
    refused(lambda: uf.vorticity(eq, of=value), "of is")


@pytest.mark.parametrize("value", [None, {"a": 1}, "x", True, ITSELF, Foreign(), MASKED], ids=range(7))
def test_an_observable_whose_error_is_asked_for_returns_numbers(eq, value):
    assert "allowed is a number or an array" in refused(lambda: uf.error_estimate(eq, lambda _: value), "observable")


def test_an_observable_whose_error_is_asked_for_has_one_shape_on_every_mesh(eq):
    with pytest.raises(uf.errors.ObservableError, match=r"observable returned an array of shape \(9,\), and \(17,\)"):
        uf.error_estimate(eq, lambda e: uf.gap(e).nodal)


@pytest.mark.parametrize("values", [{1.0, 2.0}, frozenset("ab")])
def test_a_set_of_parameters_has_no_order(values):
    assert "no order" in refused(lambda: uf.sweep(lambda p: 1.0, {"p": values}), "'p'")
    assert "no order" in refused(lambda: uf.sweep(lambda p: 1.0, values), "parameters")


def test_keys_of_a_dict_have_an_order():
    assert uf.sweep(lambda p: p, {"p": {1.0: "a", 2.0: "b"}.keys()}).values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", ["linearized", "screening", "progress"])
@pytest.mark.parametrize("value", ["no", 1, 0.0, np.array([True])])
def test_a_switch_is_true_or_false(name, value):
    refused(lambda: uf.solve_equilibrium(junction(), 0.3, **{name: value}), name)


@pytest.mark.parametrize("order", [2.0, 1.5, 3, "2"])
@pytest.mark.parametrize(
    "solve",
    [
        lambda order: uf.solve_equilibrium(junction(), 0.3, order=order),
        lambda order: uf.solve_spectrum(junction(), [1.0], order=order),
        lambda order: uf.solve_normal_state(junction(), order=order),
        lambda order: uf.normal_resistance(junction(), "left", "right", order=order),
        lambda order: uf.study.stability(island(), 0.1, order=order),
    ],
    ids=["equilibrium", "spectrum", "normal state", "resistance", "stability"],
)
def test_the_order_is_the_integer_1_or_2(solve, order):
    refused(lambda: solve(order), "order")


@pytest.mark.parametrize("precision", [5, 1.0, 0, -1e-6])
def test_a_precision_lies_between_0_and_1(precision, spec):
    refused(lambda: uf.critical_temperature(island(), precision=precision), "precision")
    refused(lambda: uf.study.critical_parameter(lambda p: island(), (0, 1), 0.1, precision=precision), "precision")
    refused(lambda: uf.minigap(spec, precision=precision), "precision")


@pytest.mark.parametrize(
    "initial", [float("nan"), complex(0, float("inf")), "bulk", [0.1], True, MASKED, {}, Foreign()], ids=range(8)
)
def test_a_start_that_is_none_is_refused(initial):
    refused(lambda: uf.solve_equilibrium(island(), 0.1, initial=initial), "initial")


def test_a_start_of_another_dimension_is_refused(eq):
    message = refused(lambda: uf.solve_equilibrium(island(SQUARE), 0.1, initial=eq), "initial")
    assert "dimension 1" in message


def test_a_start_on_a_mesh_that_does_not_cover_the_device_is_refused(eq):
    longer = island(uf.interval({"N": 5.0, "S": 1.0}, size=0.5))
    refused(lambda: uf.solve_equilibrium(longer, 0.1, order=1, initial=eq), "initial")


@pytest.mark.parametrize(
    "initial", [lambda x: 1 / 0, lambda x: "a", lambda x: x[0] * np.nan, lambda x: 1.0, lambda x: None, lambda: 1]
)
def test_a_start_that_cannot_be_evaluated_is_refused(initial):
    refused(lambda: uf.solve_equilibrium(island(), 0.1, order=1, initial=initial), "initial(x)")


def test_a_vortex_outside_of_the_mesh_is_refused():
    refused(lambda: uf.solve_equilibrium(island(SQUARE), 0.1, initial=uf.vortices([(9.0, 0.5, 1)])), "vortex (9.0, 0.5")


CORES = [[], None, np.ma.masked, 5, "abc", [(1, 2)], [(0, 0, 0.5)], [(0, 0, 0)]]


@pytest.mark.parametrize("cores", CORES, ids=range(8))
def test_cores_are_positions_with_windings(cores):
    refused(lambda: uf.vortices(cores), "vort")


DENSITIES = {
    "raises": lambda t: 1 / 0, "negative": lambda t: -t, "complex": lambda t: 1j * t, "nan": lambda t: t * np.nan,
    "scalar": lambda t: 1.0, "wrong shape": lambda t: np.ones(3), "masked": lambda t: np.ma.masked_array(t, t > 0.5),
    "no arguments": lambda: 1, "text": lambda t: "a",
}  # fmt: skip


@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_a_density_of_channels_is_tried_when_it_is_given(density):
    barrier = uf.Nazarov(conductance=1.0, transparencies=density)
    refused(lambda: device(interfaces={"S_N": barrier}), "interface 'S_N'")


@pytest.mark.parametrize("energies", [[], None, "all", [1.0, np.nan], [1j], [True], MASKED, [[1.0, 2.0]]], ids=range(8))
def test_energies_are_finite_real_numbers_in_a_row(energies):
    refused(lambda: uf.solve_spectrum(junction(), energies), "energies")


OBSERVABLES = {
    "charge_current": "eq ns spec", "spin_current": "eq ns spec", "matrix_current": "eq", "spin_density": "eq ns",
    "pair_amplitude": "eq spec", "gap": "eq", "free_energy": "eq", "free_energy_density": "eq", "spin_torque": "eq",
    "spin_orbit_torque": "eq", "torque_trace": "eq", "magnetisation": "eq", "magnetic_field": "eq", "hole_fluxes": "eq",
    "density_of_states": "spec", "minigap": "spec", "potential": "ns", "spin_accumulation": "ns",
    "sheet_magnetisation": "eq",
}  # fmt: skip


@pytest.mark.parametrize("name", OBSERVABLES)
def test_an_observable_of_a_result_that_does_not_have_it_says_of_which(name, request):
    observable = getattr(uf.study if name == "minigap" else uf.observe, name)
    for other in ("eq", "spec", "ns"):
        if other not in OBSERVABLES[name].split():
            refused(lambda other=other: observable(request.getfixturevalue(other)), name)
    for value in (None, junction(), [1.0], "result", Foreign()):
        assert "from solve_" in refused(lambda value=value: observable(value), name)


@pytest.mark.parametrize("n", [1.0, True, None, "0", 7, -7, [0], np.array([0])], ids=range(8))
def test_an_index_of_a_frequency_is_an_integer(eq, n):
    refused(lambda: uf.observe.matrix_current(eq, n), "n")
    refused(lambda: uf.observe.torque_trace(eq, n), "n")
    if n is not None:
        refused(lambda: uf.pair_amplitude(eq, n), "n")


@pytest.mark.parametrize("region", [5, ["S"], "X", True, Foreign()], ids=range(5))
def test_an_unknown_region_is_refused(eq, spec, region):
    refused(lambda: uf.charge_current(eq).integral(region), "region")
    refused(lambda: uf.minigap(spec, region), "region")


NO_FACETS = [None, 5, [0.5], [True], [-1], [10**6], {}, ("S", 5), "nothing", Foreign()]


@pytest.mark.parametrize("facets", NO_FACETS, ids=range(10))
def test_facets_that_are_not_there_are_refused(eq, facets):
    for measure in (uf.charge_current(eq).through, uf.charge_current(eq).average):
        with pytest.raises(uf.errors.ObservableError):
            measure(facets)


@pytest.mark.parametrize("into", [5, [0.0], [np.nan], [1.0, 0.0], "X", True, Foreign()], ids=range(7))
def test_a_direction_that_is_none_is_refused(eq, into):
    with pytest.raises(uf.errors.ObservableError):
        uf.charge_current(eq).through("left", into=into)


@pytest.mark.parametrize("path", [None, 5, "", True, Foreign()], ids=range(5))
def test_what_is_no_path_is_refused(eq, path):
    for call in (uf.read_mesh, uf.load, lambda p: uf.save(p, eq), lambda p: uf.textures.from_ovf(p, 1.0)):
        with pytest.raises((*ERRORS, FileNotFoundError)) as found:
            call(path)
        assert found.traceback[-1].path.is_relative_to(uf.__path__[0])


@pytest.mark.parametrize("value", [np.ma.masked, MASKED, None, "a", object(), Foreign()], ids=range(6))
def test_a_result_of_a_sweep_that_is_no_number_is_refused(value):
    refused(lambda: uf.sweep(lambda p: value, {"p": [1.0]}), "the function returned")


def test_masked_parameters_of_a_sweep_are_refused():
    refused(lambda: uf.sweep(lambda p: p, {"p": MASKED}), "masked")


@given(value=st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.none(), st.booleans(), st.complex_numbers()))
@settings(max_examples=60, deadline=None)
def test_a_diffusion_coefficient_is_taken_or_refused_by_name(value):
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < np.inf
    if good and float(value) < np.inf:
        assert value == uf.normal_metal(D=value).D
    else:
        refused(lambda: uf.normal_metal(D=value), "D is")


KEYWORDS = [
    (lambda: uf.superconductor(tc=9), "'tc'; did you mean Tc?"),
    (lambda: uf.superconductor(TC=9), "did you mean Tc?"),
    (lambda: uf.normal_metal(d=1.0), "did you mean D?"),
    (lambda: uf.ferromagnet(exchnage=1.0), "did you mean exchange?"),
    (lambda: uf.materials.Material(tau_sO=1.0), "did you mean tau_so?"),
    (lambda: uf.Reservoir(phi=1.0), "Its arguments are gap, phase, exchange, barrier"),
    (lambda: uf.Tunnel(conductence=1.0), "did you mean conductance?"),
    (lambda: device(contact={}), "did you mean contacts?"),
    (lambda: uf.rectangle({"S": 1.0}, widht=1.0), "did you mean width?"),
    (lambda: uf.solve_equilibrium(junction(), temprature=0.1), "did you mean temperature?"),
    (lambda: uf.solve_equilibrium(junction(), 0.1, linearised=True), "did you mean linearized?"),
    (lambda: uf.solve_spectrum(junction(), [1.0], broadning=0.1), "did you mean broadening?"),
    (lambda: uf.study.stability(island(), 0.1, ordr=1), "did you mean order?"),
    (lambda: uf.critical_temperature(island(), precison=1.0), "did you mean precision?"),
    (lambda: uf.study.phase_diagram(lambda p: island(), [1.0], Precision=0.1), "did you mean precision?"),
    (lambda: uf.ground_state(junction(), "right", 0.1, sampels=5), "did you mean samples?"),
    (lambda: uf.sweep(lambda p: p, {"p": [1.0]}, check_point="x.h5"), "did you mean checkpoint?"),
    (lambda: uf.materials.vacuum(D=1.0), "It takes no arguments"),
    (lambda: uf.superconductor(delta=1), "'delta'; did you mean gap?"),
    (lambda: uf.superconductor(Delta=1), "'Delta'; did you mean gap?"),
    (lambda: uf.normal_metal(alpha=1), "'alpha'; did you mean rashba?"),
    (lambda: uf.ferromagnet(h=1), "'h'; did you mean exchange?"),
    (lambda: uf.Reservoir(phi=1), "'phi'; did you mean phase?"),
]


@pytest.mark.parametrize(("call", "meant"), KEYWORDS, ids=[meant for _, meant in KEYWORDS])
def test_a_wrong_keyword_is_answered_with_the_right_one(call, meant):
    with pytest.raises(TypeError) as found:
        call()
    assert meant in str(found.value)


def test_all_public_functions_know_their_keywords():
    spaces = (uf, uf.textures, uf.materials, uf.observe, uf.study)
    calls = {thing for space in spaces for name, thing in vars(space).items() if callable(thing) and name[0] != "_"}
    for call in calls - {uf.materials.ImpurityScattering}:  # made by impurity_scattering
        with pytest.raises(TypeError, match="has no argument 'nonsense'"):
            call(nonsense=1)


@pytest.mark.parametrize("phase", [180, 90.0, -360, 22.5, np.array(45)])
def test_a_phase_in_degrees_is_warned_of_with_the_cure(phase):
    with pytest.warns(UserWarning, match=r"turns.*np\.deg2rad"):
        uf.Reservoir(gap=1.0, phase=phase)


@pytest.mark.parametrize("phase", [0.0, np.pi, -2 * np.pi, 6 * np.pi, 10, 17.0, 7.3, 30.1])
def test_phases_of_a_few_turns_are_taken_as_they_are(phase):
    assert uf.Reservoir(gap=1.0, phase=phase).phase == phase


ZERO_D = {
    "temperature": lambda x: uf.solve_equilibrium(junction(), x, order=1, frequencies=1),
    "order": lambda x: uf.solve_equilibrium(junction(), 0.3, order=x, frequencies=1),
    "frequencies": lambda x: uf.solve_equilibrium(junction(), 0.3, order=1, frequencies=x),
    "workers": lambda x: uf.solve_equilibrium(junction(), 0.3, order=1, frequencies=1, workers=x),
    "D": lambda x: uf.normal_metal(D=x),
    "gap": lambda x: uf.Reservoir(gap=x),
    "B": lambda x: device(SQUARE, B=x),
    "size": lambda x: uf.interval({"S": 1.0}, size=x),
    "bcs_gap": lambda x: uf.materials.bcs_gap(x, 2.0),
    "width": lambda x: uf.textures.bloch_wall(1.0, width=x),
}


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
@pytest.mark.parametrize("name", ZERO_D)
def test_an_array_without_dimensions_is_a_number(name):
    ZERO_D[name](np.array(1))


def test_fractions_are_numbers():
    assert uf.superconductor(gap=Fraction(1, 2)).gap == 0.5


def test_the_bulk_gap_of_an_array_is_that_of_its_entries():
    temperatures = np.array([[0.1, 0.5], [0.9, 2.0]])
    bcs_gap = uf.materials.bcs_gap
    assert np.array_equal(bcs_gap(temperatures, 1.0), [[bcs_gap(t) for t in row] for row in temperatures])


def test_a_mesh_of_too_many_cells_is_refused_before_memory_is_asked_for():
    refused(lambda: uf.interval({"S": 1.0}, size=1e-12), "size")


def test_the_line_that_a_warning_names_is_the_user_s():
    with pytest.warns(UserWarning, match="turns") as found:
        uf.Reservoir(phase=180)
    assert found[0].filename == __file__


UNUSED = {
    "cutoff": lambda eq, spec: uf.solve_equilibrium(junction(), 0.3, frequencies=3, cutoff=5.0),
    "cutoff_index": lambda eq, spec: uf.solve_equilibrium(
        junction(), 0.3, frequencies=3, cutoff_index=5, quadrature="plain"
    ),
    "fraction": lambda eq, spec: uf.refine(junction(), fraction=0.3),
    "n": lambda eq, spec: uf.pair_amplitude(spec, 3),
}


@pytest.mark.parametrize("name", UNUSED)
def test_an_argument_that_would_have_no_effect_is_refused(name, eq, spec):
    refused(lambda: UNUSED[name](eq, spec), name)


def test_a_start_of_given_gaps_is_called_useless():
    with pytest.warns(UserWarning, match="initial has no effect"):
        uf.solve_equilibrium(junction(), 0.3, initial=0.5)


@pytest.mark.parametrize("value", [[0.1, 0.2], np.array([0.1]), lambda x: 0.1 + 0 * x[0]], ids=range(3))
def test_a_device_has_one_temperature(value):
    assert "allowed is one for all of it" in refused(lambda: device(temperature=value), "device: temperature is")


@pytest.mark.parametrize("name", ["materials", "contacts", "interfaces"])
@pytest.mark.parametrize("value", [None, [("S", S)]], ids=["None", "pairs"])
def test_descriptions_are_given_by_name(name, value):
    given = {"materials": {"S": S, "N": N}, name: value}
    refused(lambda: uf.Device(LINE, **given), f"{name} is ")


@pytest.mark.parametrize("value", ["eq", None, 1.0])
def test_vortices_are_looked_for_in_an_equilibrium(value):
    assert "solve_equilibrium" in refused(lambda: uf.vorticity(value), "vorticity")
