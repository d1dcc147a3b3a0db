"""Derivatives of solutions with respect to every parameter, against differences of solves."""

import numpy as np
import pytest
from remainders import check, observables, spectral

import usadelfem as uf

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # meshes of a few cells

LINE = uf.interval({"S": 0.5, "F": 1.0}, size=0.25)
PLANE = uf.rectangle({"S": 0.5, "F": 1.0}, width=0.6, size=0.45)
SOLID = uf.box({"S": 0.5, "F": 0.5}, width=0.5, height=0.5, size=0.5)
METAL = {"exchange": (0.2, 0.1, 0.5), "tau_so": 2.0, "tau_sf": (3.0, 4.0, 5.0)}
ACTIVE = {"conductance": 0.7, "polarization": 0.6, "mixing": -0.9, "magnetization": (1, 2, -2)}


def metal_of(given):
    return uf.ferromagnet(**given) if "exchange" in given else uf.normal_metal(**given)


def device(metal=METAL, *, mesh=LINE, S=None, left=None, right=None, between=None, **fields):
    """A junction of a superconductor and a ferromagnet, by default with all spin components."""
    return uf.Device(
        mesh, {"S": uf.superconductor(**({"gap": 1.0} if S is None else S)), "F": metal_of(metal)},
        {"left": left or uf.Reservoir(1.0), "right": right or uf.Reservoir(1.0, 1.1)},
        {} if between is None else {("S", "F"): between}, **fields,
    )  # fmt: skip


def solve(own, temperature=0.2, *, order=1, frequencies=2, **options):
    return uf.solve_equilibrium(own, temperature, order=order, frequencies=frequencies, progress=False, **options)


def with_metal(name, value, rate, **rest):
    """Devices whose ferromagnet has a coefficient that grows at a rate."""
    return lambda p: device({**METAL, **rest, name: np.asarray(value) + p * np.asarray(rate)})


def with_right(**given):
    return lambda p: device(right=uf.Reservoir(**{"gap": 1.0, "phase": 1.1, **{k: f(p) for k, f in given.items()}}))


def with_barrier(kind, **given):
    return lambda p: device(between=kind(**{k: f(p) if callable(f) else f for k, f in given.items()}))


def active(**given):
    return with_barrier(uf.SpinActive, **{**ACTIVE, **given})


def along(own, *rates):
    """What the steps of a test turn into, where a parameter is no number: a sum with vectors."""
    return lambda p: tuple(np.asarray(own) + p * np.asarray(rates))


def rate_of(tau, rate):
    """A time whose rate 1/(4 tau) grows."""
    return lambda p: device({**METAL, "tau_so": tuple(1 / (1 / np.full(3, tau) + 4 * p * np.asarray(rate)))})


GRADED = np.linspace(0.5, 1.0, LINE.nvertices)
LINES = {
    "D": (with_metal("D", 1.0, 1.0), {("F", "D"): 1.0}),
    "D at vertices": (with_metal("D", 1.0, GRADED), {("F", "D"): GRADED}),
    "D of a function": (
        lambda p: device({**METAL, "D": lambda x: 1 + p * x[0] ** 2}), {("F", "D"): lambda x: x[0] ** 2}
    ),
    "N0": (with_metal("N0", 1.0, -1.0), {("F", "N0"): -1.0}),
    "exchange": (with_metal("exchange", METAL["exchange"], (1, -1, 2)), {("F", "exchange"): (1, -1, 2)}),
    "tau_so": (with_metal("tau_so", 2.0, -1.0), {("F", "tau_so"): -1.0}),
    "tau_sf": (with_metal("tau_sf", (3.0, 4.0, 5.0), (1, 2, -1)), {("F", "tau_sf"): (1, 2, -1)}),
    "rate_so": (rate_of(2.0, (1, 0.5, -0.5)), {("F", "rate_so"): (1, 0.5, -0.5)}),
    "depairing": (with_metal("depairing", 0.3, -1.0), {("F", "depairing"): -1.0}),
    "depairing of none": (with_metal("depairing", 0.0, 1.0), {("F", "depairing"): 1.0}),
    "gap of a region": (lambda p: device(S={"gap": 1 + p * (1 + 2j)}), {("S", "gap"): 1 + 2j}),
    "rashba": (with_metal("rashba", 0.3, 1.0), {("F", "rashba"): 1.0}),
    "dresselhaus": (with_metal("dresselhaus", 0.3, 1.0, rashba=0.2), {("F", "dresselhaus"): 1.0}),
    "su2 of none": (with_metal("su2", [[0, 0, 0]], [[1, 2, 3]]), {("F", "su2"): [[1, 2, 3]]}),
    "A": (lambda p: device(A=(0.3 + p,)), {"A": (1.0,)}),
    "A of none": (lambda p: device(A=(p,)), {"A": (1.0,)}),
    "phase": (with_right(phase=lambda p: 1.1 + p), {("right", "phase"): 1.0}),
    "gap of a reservoir": (with_right(gap=lambda p: 1 - p), {("right", "gap"): -1.0}),
    "exchange of a reservoir": (
        with_right(exchange=along((0.1, 0.2, 0), 1, 0, -1), gap=lambda p: 1.0), {("right", "exchange"): (1, 0, -1)}
    ),
    "conductance": (active(conductance=lambda p: 0.7 + p), {(("S", "F"), "conductance"): 1.0}),
    "mixing": (active(mixing=lambda p: -0.9 + p), {(("S", "F"), "mixing"): 1.0}),
    "polarization": (active(polarization=lambda p: 0.6 - p), {(("S", "F"), "polarization"): -1.0}),
    "magnetization": (active(magnetization=along((1, 2, -2), 1, 0, -1)), {(("S", "F"), "magnetization"): (1, 0, -1)}),
    "tunnel conductance": (
        with_barrier(uf.Tunnel, conductance=lambda p: 0.5 + p), {(("S", "F"), "conductance"): 1.0}
    ),
    "conductance of channels": (
        with_barrier(uf.Nazarov, conductance=lambda p: 0.7 - p, transparencies=[0.3, 0.9]),
        {(("S", "F"), "conductance"): -1.0},
    ),
    "mixing of channels": (
        with_barrier(
            uf.Nazarov, conductance=0.7, transparencies=[0.3, 0.9], mixing=lambda p: 0.4 + p, magnetization=(0, 1, 1)
        ),
        {(("S", "F"), "mixing"): 1.0},
    ),
    "barrier of a reservoir": (
        with_right(barrier=lambda p: uf.SpinActive(**{**ACTIVE, "conductance": 0.7 + p, "mixing": -0.9 - p})),
        {("right", "conductance"): 1.0, ("right", "mixing"): -1.0},
    ),
    "gap of none": (with_metal("gap", 0.0, 1 + 0.5j), {("F", "gap"): 1 + 0.5j}),
    "rates of none": (
        lambda p: device({"exchange": (0.2, 0.1, 0.5), "tau_so": (1 / (4 * p), 1 / (8 * p), np.inf) if p else np.inf}),
        {("F", "rate_so"): (1, 2, 0)},
    ),
    "mixing of none": (
        with_barrier(uf.SpinActive, conductance=0.7, magnetization=(1, 2, -2), mixing=lambda p: -p),
        {(("S", "F"), "mixing"): -1.0},
    ),
    "polarization of none": (
        with_barrier(uf.SpinActive, conductance=0.7, magnetization=(1, 2, -2), polarization=lambda p: -p),
        {(("S", "F"), "polarization"): -1.0},
    ),
    "gap of a normal reservoir": (
        lambda p: device(right=uf.Reservoir(p, 1.1)), {("right", "gap"): 1.0},
    ),
    "exchange of a reservoir without": (
        with_right(exchange=along((0, 0, 0), 1, 2, -1), gap=lambda p: 1.0), {("right", "exchange"): (1, 2, -1)}
    ),
    "several together": (
        lambda p: device({**METAL, "D": 1 + p, "exchange": (0.2, 0.1 - p, 0.5)}, right=uf.Reservoir(1.0, 1.1 + p)),
        {("F", "D"): 1.0, ("F", "exchange"): (0, -1, 0), ("right", "phase"): 1.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_remainders_are_of_second_order_with_all_spin_components(name):
    build, parameters = LINES[name]
    check(lambda p: solve(build(p)), parameters)


@pytest.mark.parametrize("quadrature", ["plain", "gauss"])
def test_remainders_are_of_second_order_in_the_temperature(quadrature):
    check(lambda p: solve(device(), 0.3 + p, quadrature=quadrature), {"temperature": 1.0}, size=0.5)


def test_reservoirs_with_a_bulk_gap_follow_temperature_and_tc():
    def at(p, q):
        S = {"gap": 0.5, "Tc": 1 + q}
        return solve(device(S=S, left=uf.Reservoir(), right=uf.Reservoir(0.8, 1.1)), 0.4 + p)

    check(lambda p: at(p, 0.0), {"temperature": 1.0}, precision=1e-6)
    check(lambda p: at(0.0, p), {("S", "Tc"): 1.0}, precision=1e-6)


def test_a_change_within_the_spinless_sector_stays_there():
    check(lambda p: solve(device({"D": 1 + p})), {("F", "D"): 1.0})
    eq = solve(device({}))
    assert uf.derivative(eq, {("F", "D"): 1.0}).problem.sector.name == "spinless"


@pytest.mark.parametrize("coefficient", ["D", "depairing"])
def test_a_change_within_the_collinear_sector_stays_there(coefficient):
    own = {"D": 1.2, "depairing": 0.2, "exchange": (0, 0.3, 0.4)}
    check(lambda p: solve(device({**own, coefficient: own[coefficient] + p})), {("F", coefficient): 1.0})
    tangent = uf.derivative(solve(device(own)), {("F", coefficient): 1.0})
    assert tangent.problem.sector.name == "collinear"


LEAVES = {
    "no spin to one axis": ((0, 0, 0), (0, 1, 1), "collinear"),
    "one axis to all": ((0, 0, 0.4), (1, 0, 0.5), "full"),
}


@pytest.mark.parametrize("case", LEAVES.values(), ids=LEAVES)
def test_a_change_that_leaves_the_sector_of_the_solution(case):
    own, rate, sector = case
    check(
        lambda p: solve(device({"exchange": tuple(np.array(own) + p * np.array(rate))})), {("F", "exchange"): rate},
    )  # fmt: skip
    tangent = uf.derivative(solve(device({"exchange": own})), {("F", "exchange"): rate})
    assert tangent.problem.sector.name == sector


def test_an_interface_that_turns_its_magnetisation_out_of_the_sector():
    def at(p):
        return solve(device({"exchange": (0, 0, 0.5)}, between=uf.SpinActive(**{**ACTIVE, "magnetization": (p, 0, 1)})))

    check(at, {(("S", "F"), "magnetization"): (1, 0, 0)})


def test_a_reservoir_whose_exchange_field_turns_out_of_the_sector():
    def at(p):
        return solve(device({"exchange": (0, 0, 0.5)}, right=uf.Reservoir(1.0, 1.1, exchange=(p, 0, 0.2))))

    check(at, {("right", "exchange"): (1, 0, 0)})


@pytest.mark.parametrize("name", ["D", "exchange", "gap of a region", "polarization", "phase"])
def test_remainders_with_quadratic_elements(name):
    build, parameters = LINES[name]
    check(lambda p: solve(build(p), order=2), parameters)


@pytest.mark.parametrize("name", ["exchange", "gap of a reservoir", "mixing", "N0"])
def test_remainders_of_the_linearised_equation(name):
    build, parameters = LINES[name]
    check(lambda p: solve(build(p), linearized=True), parameters)


TENSOR = np.zeros((2, 2, 3))
TENSOR[0, 1], TENSOR[1, 0] = (0.1, 0.0, 0.2), (-0.1, 0.0, -0.2)
HALL = {**METAL, "theta": 0.2, "kappa": 0.1, "rashba": 0.3}


def flat(**grows):
    """Devices in the plane with spin-charge coupling, some coefficients of which grow from 0.2."""
    return lambda p: device({**HALL, **{name: 0.2 + p * rate for name, rate in grows.items()}}, mesh=PLANE)


PLANES = {
    "theta and kappa": (flat(theta=1.0, kappa=-1.0), {("F", "theta"): 1.0, ("F", "kappa"): -1.0}),
    "theta of none": (lambda p: device({**METAL, "theta": p}, mesh=PLANE), {("F", "theta"): 1.0}),
    "graded theta": (
        lambda p: device({**HALL, "theta": lambda x: 0.2 + p * x[1]}, mesh=PLANE), {("F", "theta"): lambda x: x[1]}
    ),
    "spin Hall tensor": (
        lambda p: device({**METAL, "spin_hall_tensor": (1 + p) * TENSOR}, mesh=PLANE),
        {("F", "spin_hall_tensor"): TENSOR},
    ),
    "rashba": (flat(rashba=1.0), {("F", "rashba"): 1.0}),
    "D": (flat(D=1.0), {("F", "D"): 1.0}),
    "A": (lambda p: device(HALL, mesh=PLANE, A=(0.2 + p, -p)), {"A": (1.0, -1.0)}),
    "B": (lambda p: device(HALL, mesh=PLANE, B=0.5 + p), {"B": 1.0}),
    "B of none": (lambda p: device({}, mesh=PLANE, B=p), {"B": 1.0}),
    "interface": (
        lambda p: device(HALL, mesh=PLANE, between=uf.SpinActive(**{**ACTIVE, "conductance": 0.7 + p})),
        {(("S", "F"), "conductance"): 1.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANES)
def test_remainders_are_of_second_order_in_the_plane(name):
    build, parameters = PLANES[name]
    check(lambda p: solve(build(p)), parameters)


@pytest.mark.parametrize("parameters", [{("F", "theta"): 1.0, ("F", "kappa"): 0.5}, {"B": (1.0, 0.5, 0.0)}], ids=str)
def test_remainders_are_of_second_order_in_space(parameters):
    def at(p):
        field = np.array((0.2, 0, 0.1)) + (p * np.array((1, 0.5, 0)) if "B" in parameters else 0)
        grown = 0.0 if "B" in parameters else p
        return solve(device({**HALL, "theta": 0.2 + grown, "kappa": 0.1 + 0.5 * grown}, mesh=SOLID, B=field),
                     frequencies=1, quadrature="plain")  # fmt: skip

    check(at, parameters)


LONG = uf.interval({"S": 1.5, "F": 0.5}, size=0.5)


def bridge(p=0.0, *, Tc=0.0, phase=0.0, h=0.0, D=0.0, between=None, reservoir=None):
    """A junction whose gap is unknown in S."""
    metal = {"D": 1.0 + D * p, "exchange": (0, 0, 0.3 + h * p)}
    barrier = uf.Tunnel(2.0 + (between or 0.0) * p)
    return device(
        metal, mesh=LONG, S={"Tc": 1 + Tc * p}, left=uf.Reservoir(), right=uf.Reservoir(0.8, 1.0 + phase * p),
        between=barrier,
    )  # fmt: skip


CONSISTENT = {
    "h": {("F", "exchange"): (0, 0, 1)}, "phase": {("right", "phase"): 1.0},
    "between": {(("S", "F"), "conductance"): 1.0}, "Tc": {("S", "Tc"): 1.0},
}  # fmt: skip


@pytest.mark.parametrize("name", CONSISTENT)
def test_a_self_consistent_gap_follows(name):
    check(
        lambda p: solve(bridge(p, **{name: 1.0}), 0.3, frequencies=3, tolerance=1e-12), CONSISTENT[name],
        precision=1e-6, size=0.3,
    )  # fmt: skip


def test_a_self_consistent_gap_follows_the_temperature():
    check(
        lambda p: solve(bridge(), 0.3 + p, frequencies=3, tolerance=1e-12), {"temperature": 1.0},
        precision=1e-6, size=0.3,
    )  # fmt: skip


def spectrum(own):
    return uf.solve_spectrum(own, [0.2, -0.9], broadening=0.1, order=1, progress=False)


@pytest.mark.parametrize("name", ["N0", "exchange", "phase", "exchange of a reservoir", "mixing", "A"])
def test_remainders_are_of_second_order_at_real_energies(name):
    build, parameters = LINES[name]
    check(lambda p: spectrum(build(p)), parameters, observe=spectral, precision=1e-6)


def test_remainders_at_real_energies_in_the_plane_with_spin_charge_coupling():
    build, parameters = PLANES["theta and kappa"]
    check(lambda p: spectrum(build(p)), parameters, observe=spectral, precision=1e-6)


def test_inelastic_relaxation_broadens_a_spectrum():
    def at(p):
        return spectrum(device({**METAL, "inelastic": uf.Relaxation(rate=0.1 + p)}))

    check(at, {("F", "inelastic_rate"): 1.0}, observe=spectral, size=0.5)


def test_a_wrong_sign_of_a_rate_is_seen():
    with pytest.raises(AssertionError, match="current"):
        check(lambda p: solve(device({"D": 1 + p})), {("F", "D"): -1.0})


def test_a_rate_that_is_slightly_off_is_seen():
    with pytest.raises(AssertionError, match="current"):
        check(lambda p: solve(device({"D": 1 + p})), {("F", "D"): 1 + 1e-5})


def test_derivatives_are_linear_in_the_rates():
    eq = solve(device())
    one, two = {("F", "D"): 0.5}, {("right", "phase"): -2.0}
    parts = [observables(uf.derivative(eq, own)) for own in (one, two)]
    for name, both in observables(uf.derivative(eq, one | two)).items():
        assert both == pytest.approx(parts[0][name] + parts[1][name], rel=1e-10, abs=1e-12), name


def test_the_derivative_of_the_energy_with_the_phase_is_half_the_current():
    eq = solve(device())
    slope = uf.free_energy(uf.derivative(eq, {("right", "phase"): 1.0}))
    assert 2 * slope == pytest.approx(uf.charge_current(eq).through("right"), rel=1e-10)


def test_the_derivative_of_a_conserved_current_is_conserved():
    own = device({}, S={"gap": 0.0})
    slope = uf.charge_current(uf.derivative(solve(own), {("F", "D"): lambda x: x[0]}))
    assert slope.through("left") == pytest.approx(-slope.through("right"), rel=1e-10)
    assert slope.through(("S", "F")) == pytest.approx(slope.through("right"), rel=1e-10)


def test_a_common_phase_of_all_changes_no_current():
    own = device({}, S={"gap": 0.0})
    both = {("left", "phase"): 1.0, ("right", "phase"): 1.0}
    eq = solve(own)
    assert abs(uf.charge_current(uf.derivative(eq, both)).through("right")) < 1e-10


def test_a_function_of_a_result_has_a_derivative():
    eq = solve(device())
    tangent = uf.derivative(eq, {("right", "phase"): 1.0})
    square = tangent.derivative_of(lambda own: uf.charge_current(own).through("right") ** 2)
    current, slope = (uf.charge_current(own).through("right") for own in (eq, tangent))
    assert square == pytest.approx(2 * current * slope, rel=1e-10)


def test_a_derivative_is_a_field_with_a_name_of_its_own():
    field = uf.spin_density(uf.derivative(solve(device()), {("F", "D"): 1.0}))
    assert (field.name, field.components) == ("d_spin_density", ("x", "y", "z"))


def test_the_moment_of_an_island_has_a_derivative_with_the_field():
    mesh = uf.rectangle({"S": 1.0}, width=1.0, size=0.5)

    def island(p):
        return solve(uf.Device(mesh, {"S": uf.superconductor(gap=1.0)}, B=0.3 + p))

    check(island, {"B": 1.0}, observe=lambda eq: {"moment": np.atleast_1d(uf.magnetisation(eq))})
