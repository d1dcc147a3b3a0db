"""The phase of a given current against closed forms and independent solutions."""

import numpy as np
import pytest
from bridges import PLAIN, TC, TEMPERATURE, bridge, independent_bridge, middle_of
from scipy.optimize import brentq, minimize_scalar

import usadelfem as uf

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")


def through(eq):
    return float(uf.charge_current(eq).through("right"))


def found_phase(eq):
    return eq.device.contacts["right"].phase


def weak_link(current, length=1.0, phase=0.0, *, cells=20, barrier=None, metal=None, gap=1.0, **device):
    contacts = {"left": uf.Reservoir(gap), "right": uf.Reservoir(gap, phase, barrier=barrier, current=current)}
    mesh = uf.interval({"N": length}, size=length / cells)
    return uf.Device(mesh, {"N": metal or uf.normal_metal()}, contacts, **device)


def kulik_omelyanchuk(phase, temperature):
    """e I R_N of a short dirty weak link (KO-1) with gap 1."""
    w = np.pi * temperature * (2 * np.arange(20000) + 1)
    root = np.hypot(np.cos(phase / 2), w)
    terms = np.cos(phase / 2) / root * np.arctan(np.sin(phase / 2) / root)
    return 4 * np.pi * temperature * terms.sum()


@pytest.mark.parametrize("part", [-0.7, 0.3, 0.9, 0.99])
def test_the_phase_of_a_short_junction_is_the_inverse_of_kulik_and_omelyanchuk(part):
    length, temperature = 0.01, 0.1
    top = minimize_scalar(lambda x: -kulik_omelyanchuk(x, temperature), bounds=(1.0, 3.0), method="bounded")
    wanted = -part * top.fun
    resistance = uf.normal_resistance(weak_link(0.0, length), "left", "right")
    eq = uf.solve_equilibrium(weak_link(wanted / resistance, length), temperature)
    expected = brentq(lambda x: kulik_omelyanchuk(x, temperature) - wanted, -top.x, top.x)
    assert through(eq) == pytest.approx(wanted / resistance, rel=1e-8)
    assert found_phase(eq) == pytest.approx(expected, rel=1e-3)


def test_the_phase_of_a_tunnel_junction_is_an_arcsine():
    conductance, temperature = 1e-3, 0.2
    critical = conductance * np.pi / 2 * np.tanh(0.5 / temperature)
    device = weak_link(0.8 * critical, 1e-3, cells=2, barrier=uf.Tunnel(conductance=conductance))
    eq = uf.solve_equilibrium(device, temperature, cutoff=100.0)
    assert found_phase(eq) == pytest.approx(np.arcsin(0.8), rel=5e-4)


def test_no_current_leaves_the_phase_of_the_vector_potential():
    eq = uf.solve_equilibrium(weak_link(0.0, A=(0.3,)), 0.2)  # d phi acts like -2 A
    assert found_phase(eq) == pytest.approx(0.6, abs=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_pi_junction_is_left_for_its_stable_phase(sign):
    metal = uf.ferromagnet(exchange=(0, 0, 5.0))
    eq = uf.solve_equilibrium(weak_link(sign * 0.1, 1.5, cells=15, metal=metal), 0.2)
    assert np.pi < sign * found_phase(eq) < 1.5 * np.pi
    assert through(eq) == pytest.approx(sign * 0.1, rel=1e-7)


def test_a_current_beyond_the_critical_one_is_refused_with_that():
    critical = uf.critical_current(weak_link(None), "right", 0.1, precision=1e-8)
    with pytest.raises(uf.errors.SolveError, match=r"largest one of its branch.*critical_current.*uf.branch") as told:
        uf.solve_equilibrium(weak_link(1.001 * critical.value), 0.1)
    assert f"{critical.value:.6g} at phase {str(critical.phase)[:4]}" in str(told.value)
    assert through(told.value.best) == pytest.approx(critical.value, rel=1e-3)
    below = uf.solve_equilibrium(weak_link(critical.value * (1 - 1e-7)), 0.1)
    assert found_phase(below) < critical.phase


def test_a_start_beyond_the_maximum_goes_down_the_tilted_washboard():
    ahead = uf.solve_equilibrium(weak_link(1.0, phase=0.0), 0.3)
    for start, turns in ((0.5, 0), (3.0, 1), (-2.5, 0), (-3.8, -1)):
        eq = uf.solve_equilibrium(weak_link(1.0, phase=start), 0.3)
        assert found_phase(eq) == pytest.approx(found_phase(ahead) + 2 * np.pi * turns, abs=1e-7), start


@pytest.mark.parametrize("current", [0.3, 0.55])
def test_a_bridge_at_a_current_is_an_independent_solution_at_its_phase(current):
    eq = uf.solve_equilibrium(bridge(0.25, current=current), TEMPERATURE, **PLAIN)
    phase, value = independent_bridge(middle_of(eq, found_phase(eq)), found_phase(eq))
    assert value == pytest.approx(current, abs=1e-3)
    assert phase == pytest.approx(found_phase(eq), abs=1e-3)


@pytest.fixture(scope="module")
def followed():
    """A bridge over its current, through the largest one and through the fold in its phase."""
    mesh = bridge(0.5).mesh
    ends = {"left": uf.Reservoir(gap=1.0)}

    def fed(current):
        contacts = ends | {"right": uf.Reservoir(gap=1.0, current=current)}
        return uf.Device(mesh, {"S": uf.superconductor(Tc=TC)}, contacts)

    return uf.branch(
        fed, "I", (1.0, 2.0), TEMPERATURE, observable=found_phase, unstable=True, step=0.3, points=14, states=True,
        **PLAIN,
    )  # fmt: skip


def test_a_branch_over_the_current_turns_at_the_critical_current(followed):
    critical = uf.critical_current(bridge(), "right", TEMPERATURE, precision=1e-7, **PLAIN)
    (fold,) = followed.folds
    assert followed.parameters[fold] == pytest.approx(critical.value, rel=1e-4)  # which averages it over the wire
    assert followed.values[fold] == pytest.approx(critical.phase, abs=1e-3)
    assert followed.parameters.max() == followed.parameters[fold]


def test_the_largest_current_of_a_branch_is_where_an_exact_derivative_vanishes(followed):
    (fold,) = followed.folds
    eq = uf.solve_equilibrium(bridge(phase=followed.values[fold]), TEMPERATURE, **PLAIN)
    slope = uf.derivative(eq, {("contact", "right", "phase"): 1.0})
    assert through(eq) == pytest.approx(followed.parameters[fold], rel=1e-7)
    assert float(uf.charge_current(slope).through("right")) == pytest.approx(0.0, abs=2e-4)


def test_beyond_the_largest_current_a_direction_is_unstable(followed):
    (fold,) = followed.folds
    assert (followed.unstable[:fold] == 0).all()
    assert (followed.unstable[fold + 1 :] == 1).all()
    assert followed.branch_points == ()


def test_solutions_of_a_branch_over_the_current_are_independent_solutions_on_both_sides(followed):
    (fold,) = followed.folds
    turn = int(np.argmax(followed.values))
    assert fold < turn < len(followed) - 1  # the phase turns back too
    for number in (0, fold, turn, len(followed) - 1):
        eq = followed.equilibria[number]
        assert through(eq) == pytest.approx(followed.parameters[number], abs=1e-7)
        phase, value = independent_bridge(middle_of(eq, followed.values[number]), followed.values[number])
        assert followed.parameters[number] == pytest.approx(value, abs=3e-3)
        assert followed.values[number] == pytest.approx(phase, abs=3e-3)


def test_a_branch_over_the_current_ends_at_an_end_of_its_interval():
    mesh = bridge(1.0).mesh

    def fed(current):
        contacts = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, current=current)}
        return uf.Device(mesh, {"S": uf.superconductor(Tc=TC)}, contacts)

    branch = uf.branch(fed, "I", (0.2, 0.4), TEMPERATURE, **PLAIN)
    assert branch.parameters[[0, -1]] == pytest.approx([0.2, 0.4], abs=1e-6)
    assert through(uf.solve_equilibrium(fed(0.4), TEMPERATURE, **PLAIN)) == pytest.approx(0.4, abs=1e-6)
    energy = uf.free_energy(uf.solve_equilibrium(fed(0.4), TEMPERATURE, **PLAIN))
    assert branch.values[-1] == pytest.approx(energy, abs=1e-5)


@pytest.mark.slow
def test_a_wire_carries_currents_up_to_the_depairing_current():
    # 0.745687 sigma Delta0/(e xi) with sigma = 2 e^2 N0 D at T = 0, where reservoirs strengthen the gap near the ends
    depairing, cold = 2 * 0.745687, 0.03
    eq = uf.solve_equilibrium(bridge(0.75, 20.0, current=0.97 * depairing), cold)
    assert through(eq) == pytest.approx(0.97 * depairing, rel=1e-6)
    assert found_phase(eq) > 3 * np.pi
    with pytest.raises(uf.errors.SolveError, match="largest one of its branch") as told:
        uf.solve_equilibrium(bridge(0.75, 20.0, current=1.1 * depairing), cold)
    assert through(told.value.best) == pytest.approx(depairing, rel=0.01)
