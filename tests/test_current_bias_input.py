"""Reservoirs with a current: what they may be, who takes them, and what the search for their phase costs."""

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.branches import current_bias
from usadelfem.numerics.ascent import ascend_to

MESH = uf.interval({"N": 1.0}, size=0.1)


def device(current=0.5, *, left=None, metal=None, mesh=MESH, **right):
    contacts = {"left": left or uf.Reservoir(1.0), "right": uf.Reservoir(1.0, current=current, **right)}
    return uf.Device(mesh, {"N": metal or uf.normal_metal()}, contacts)


def through(result):
    return float(uf.charge_current(result).through("right"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"current": "a"}, "current is 'a'"), ({"current": np.inf}, "current is inf"),
        ({"current": [1.0, 2.0]}, "current is .*one number, or None"), ({"current": lambda x: x[0]}, "one number"),
        ({"current": 1.0, "phase": lambda x: x[0]}, "the phase is where the search for it starts, one number"),
        ({"current": 1.0, "gap": 0.0}, r"a normal one \(gap=0\) has a voltage"),
        ({"current": uf.FLOATING}, "only its voltage may be FLOATING"),
    ],
)  # fmt: skip
def test_currents_that_no_reservoir_has_are_refused(given, message):
    with pytest.raises(uf.errors.DeviceError, match=message):
        uf.Reservoir(**({"gap": 1.0} | given))


def test_a_reservoir_shows_its_current_only_if_it_has_one():
    assert "current=0.5" in repr(uf.Reservoir(1.0, current=0.5))
    assert "current" not in repr(uf.Reservoir(1.0))


def test_a_phase_takes_the_place_of_a_current():
    own = device().with_phase("right", 1.0).contacts["right"]
    assert (own.phase, own.current) == (1.0, None)


def test_the_device_of_the_result_has_the_phase_and_gives_the_same_solution():
    eq = uf.solve_equilibrium(device(), 0.2)
    found = eq.device.contacts["right"]
    assert found.current is None
    assert through(eq) == pytest.approx(0.5, rel=1e-9)
    assert through(uf.solve_equilibrium(eq.device, 0.2)) == pytest.approx(0.5, rel=1e-9)
    spectrum = uf.solve_spectrum(eq, [0.5], broadening=0.1)
    assert spectrum.device.contacts["right"].phase == found.phase


def test_derivatives_of_the_result_hold_its_phase_and_give_those_at_its_current():
    # dphi/dD at held current is -(dI/dD)/(dI/dphi)
    def phase(diffusion):
        eq = uf.solve_equilibrium(device(metal=uf.normal_metal(D=diffusion)), 0.2)
        return eq, eq.device.contacts["right"].phase

    eq, step = phase(1.0)[0], 1e-3
    by_d, by_phase = (
        through(uf.derivative(eq, {name: 1.0})) for name in (("N", "D"), ("contact", "right", "phase"))
    )  # fmt: skip
    difference = (phase(1 + step)[1] - phase(1 - step)[1]) / (2 * step)
    assert -by_d / by_phase == pytest.approx(difference, rel=1e-5)


def test_the_search_takes_few_solutions(monkeypatch):
    solves, solve = [], current_bias.solve_equilibrium

    def counted(*args, **options):
        solves.append(args)
        return solve(*args, **options)

    monkeypatch.setattr(current_bias, "solve_equilibrium", counted)
    uf.solve_equilibrium(device(0.5), 0.2)
    assert len(solves) <= 4


def test_currents_are_in_the_units_of_the_device():
    uf.lab(current="uA")
    copper = uf.metals["Cu"].film(resistivity=2.2)
    ends = {"left": uf.Reservoir(gap=1.4), "right": uf.Reservoir(gap=1.4, current=200.0)}
    bridge = uf.geometry.strip(Cu=copper, length=300).device(2.0, contacts=ends, area=300 * 50)
    eq = uf.solve_equilibrium(bridge)
    assert through(eq) == pytest.approx(200.0, rel=1e-8)
    small = uf.solve_equilibrium(bridge.with_phase("right", eq.device.contacts["right"].phase))
    assert through(small) == pytest.approx(200.0, rel=1e-8)
    with pytest.raises(uf.errors.SolveError, match=r"current 100000 \[µA\] through 'right' is beyond"):
        uf.solve_equilibrium(uf.Device(bridge.mesh, bridge.materials, ends | {
            "right": uf.Reservoir(gap=1.4, current=1e5)}, area=300 * 50, temperature=2.0))  # fmt: skip


def test_what_does_not_depend_on_the_phase_takes_a_device_with_a_current():
    assert str(uf.check(device(), 0.2)) == str(uf.check(device(None), 0.2))
    assert str(device().summary(0.2)) == str(device(None).summary(0.2))
    assert uf.normal_resistance(device(), "left", "right") == uf.normal_resistance(device(None), "left", "right")
    critical = [uf.critical_current(device(current), "right", 0.3).value for current in (0.5, None)]
    assert critical[0] == critical[1]


@pytest.mark.parametrize(
    "solve",
    [
        lambda own: uf.solve_spectrum(own, [0.5], broadening=0.1),
        lambda own: uf.solve_nonequilibrium(own, temperature=0.2),
    ],
)
def test_others_name_the_solve_that_finds_the_phase(solve):
    with pytest.raises(uf.errors.DeviceError, match=r"its phase is not known yet: solve_equilibrium finds it"):
        solve(device())


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (device(left=uf.Reservoir(1.0, current=0.1)), "'left', 'right' all have a current, and one may"),
        (device(left=uf.Reservoir(0.0)), "is the only superconducting reservoir"),
    ],
)
def test_devices_in_which_no_phase_can_be_found_are_refused(own, message):
    with pytest.raises(uf.errors.DeviceError, match=message):
        uf.solve_equilibrium(own, 0.2)


def test_the_linearised_equation_is_refused():
    with pytest.raises(ValueError, match="solve at phase pi/2"):
        uf.solve_equilibrium(device(), 0.2, linearized=True)


def test_a_phase_is_not_turned_where_another_contact_has_a_current():
    with pytest.raises(uf.errors.DeviceError, match="'right' has a current, so that its phase would move too"):
        uf.critical_current(device(), "left", 0.2)


def test_a_fit_over_a_current_is_refused():
    def model(D):
        return [uf.free_energy(uf.solve_equilibrium(device(metal=uf.normal_metal(D=D)), 0.2))]

    with pytest.raises(uf.errors.DeviceError, match="derivatives at held currents"):
        uf.fit(model, [1.0], {"D": (1.0, {("N", "D"): 1.0})})


def test_branches_over_anything_but_the_current_are_refused():
    def exchanged(h):
        return device(metal=uf.ferromagnet(exchange=(0, 0, h)))

    with pytest.raises(uf.errors.DeviceError, match="the parameter of a branch is that current"):
        uf.branch(exchanged, "h", (0.1, 0.2), 0.2)
    with pytest.raises(uf.errors.DeviceError, match="the parameter of a branch is that current"):
        uf.branch(device(), "temperature", (0.1, 0.2))
    with pytest.raises(uf.errors.ObservableError, match="current_phase has both sides"):
        uf.branch(device, "I", (0.1, 0.2), 0.2)


# --- the way up a function ------------------------------------------------------------------------------------------


def climbed(function, slope, target, first=0.0, reach=np.pi / 2):
    seen = []

    def node(x):
        seen.append(x)
        return function(x), slope(x)

    return ascend_to(node, first, target, reach=reach, farthest=4 * np.pi, precision=1e-10), len(seen)


@pytest.mark.parametrize("target", [0.0, 0.1, -0.5, 0.9, 0.9999, 1 - 1e-8])
def test_a_value_of_the_sine_is_found_in_few_steps(target):
    found, steps = climbed(np.sin, np.cos, target)
    assert found.found
    assert found.place == pytest.approx(np.arcsin(target), rel=1e-5, abs=1e-9)
    assert np.sin(found.place) == pytest.approx(target, abs=1e-9)
    assert steps <= 8


@pytest.mark.parametrize("target", [1 + 1e-8, 1.001, -1.3])
def test_a_value_beyond_the_sine_ends_at_its_maximum(target):
    found, _ = climbed(np.sin, np.cos, target)
    assert not found.found
    assert abs(found.value) == pytest.approx(1.0, abs=1e-5)
    assert found.place == pytest.approx(np.sign(target) * np.pi / 2, abs=1e-2)


def test_the_first_of_two_maxima_is_where_a_way_ends():
    # 0.94 before a higher one at the other side
    def function(x):
        return np.sin(2 * x) - 0.3 * np.sin(x)

    found, _ = climbed(function, lambda x: 2 * np.cos(2 * x) - 0.3 * np.cos(x), 1.0)
    assert not found.found
    assert found.place < 1.0


def test_a_function_that_ends_while_it_rises_is_said_to():
    def ending(x):
        return (np.sin(x), np.cos(x)) if x < 0.7 else None

    found = ascend_to(ending, 0.0, 0.9, reach=0.5, farthest=10.0, precision=1e-10)
    assert found.ended
    assert not found.found
    assert found.place == pytest.approx(0.7, abs=1e-3)
