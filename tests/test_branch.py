"""Branches of solutions are followed through folds, to their ends and onto each other."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import scipy
from bridges import PLAIN, TC, TEMPERATURE, bridge, independent_bridge, middle_of

import usadelfem as uf

DELTA0 = 1.0


def current(eq):
    return float(uf.charge_current(eq).through("right"))


# --- the S-shaped current-phase relation of a long bridge ---------------------------------------------------------


@pytest.fixture(scope="module")
def folded():
    device = bridge()
    return uf.branch(
        lambda phase: device.with_phase("right", phase), "phase", (2.0, 2 * np.pi), TEMPERATURE, observable=current,
        step=0.8, points=17, states=True, unstable=True, **PLAIN,
    )  # fmt: skip


def test_the_relation_of_a_long_bridge_is_that_of_an_independent_solution_on_both_sides_of_its_fold(folded):
    (fold,) = folded.folds
    assert 3 < fold < len(folded) - 3
    for number in (0, fold - 2, fold, fold + 2, len(folded) - 1):
        middle = middle_of(folded.equilibria[number], folded.parameters[number])
        phase, value = independent_bridge(middle, folded.parameters[number])
        assert folded.parameters[number] == pytest.approx(phase, abs=3e-3)
        assert folded.values[number] == pytest.approx(value, abs=3e-3)


def test_a_bridge_is_stable_up_to_its_fold_and_has_one_unstable_direction_beyond(folded):
    (fold,) = folded.folds
    assert (folded.unstable[:fold] == 0).all()
    assert (folded.unstable[fold + 1 :] == 1).all()
    assert folded.branch_points == ()
    assert folded.parameters[fold] == folded.parameters.max()


def test_the_solutions_of_a_branch_are_solutions_of_their_devices(folded):
    start, device = folded.equilibria[2], bridge().with_phase("right", folded.parameters[2])
    again = uf.solve_equilibrium(device, TEMPERATURE, initial=start, **PLAIN)
    assert current(again) == pytest.approx(folded.values[2], abs=1e-6)
    bare = replace(start, riccati=np.empty((0, 0, 4), complex))  # as without states=True
    for eq in (start, bare):
        assert uf.stability(eq).values[0] == pytest.approx(uf.stability(again).values[0], abs=1e-5)


def test_arclength_grows_along_a_branch_and_pictures_are_dashed_where_it_is_unstable(folded):
    assert (np.diff(folded.arclength) > 0).all()
    plt = pytest.importorskip("matplotlib.pyplot")
    axes = folded.plot(color="black")
    assert axes.get_xlabel() == "phase"
    assert [line.get_linestyle() for line in axes.lines[:2]] == ["-", "--"]
    assert axes.lines[2].get_xdata() == pytest.approx(folded.parameters[list(folded.folds)])
    plt.close(axes.figure)
    assert repr(folded).startswith("Branch(phase from 2 to ")


# --- the first-order transition in an exchange field ----------------------------------------------------------------

COLD = 0.02


def split(h):
    return uf.Device(uf.interval({"S": 1.0}, size=1.0), {"S": uf.superconductor(Tc=TC, exchange=(0, 0, h))})


def uniform(gap, h):
    """R/Delta of a uniform superconductor in an exchange field."""
    w = np.pi * COLD * (2 * np.arange(20000) + 1)
    return np.log(COLD / TC) + 2 * np.pi * COLD * (1 / w - 1 / np.sqrt((w + 1j * h) ** 2 + gap**2)).real.sum()


@pytest.fixture(scope="module")
def transition():
    return uf.branch(split, "h", (0.45, 1.3), COLD, order=1, step=0.08)


def test_the_superconducting_branch_in_an_exchange_field_turns_where_the_gap_equation_says(transition):
    def field(gap):
        return scipy.optimize.brentq(lambda h: uniform(gap, h), 0.8, 1.0, xtol=1e-10)

    best = scipy.optimize.minimize_scalar(lambda gap: -field(gap), bounds=(0.96, 0.99), method="bounded")
    (fold,) = transition.folds
    assert transition.parameters[fold] == pytest.approx(-best.fun, abs=1e-5)
    assert transition.parameters[fold] == pytest.approx(DELTA0, abs=0.07)  # Delta0 at T = 0, less by T ln 1/T


def test_it_ends_where_the_normal_state_becomes_unstable(transition):
    end = scipy.optimize.brentq(lambda h: uniform(0.0, h), 0.4, 0.6)
    assert transition.parameters[-1] == pytest.approx(end, abs=1e-4)
    assert transition.parameters[-1] == pytest.approx(DELTA0 / 2, abs=3e-3)  # at T = 0
    assert abs(uf.gap(transition.equilibria[-1]).nodal).max() == 0
    assert uf.stability(split(end - 0.01), COLD) < 0 < uf.stability(split(end + 0.01), COLD)


def test_both_phases_have_the_same_energy_at_the_field_of_clogston_and_chandrasekhar(transition):
    stable = slice(0, transition.folds[0])
    field = scipy.interpolate.CubicSpline(transition.values[stable], transition.parameters[stable])(0.0)
    # -Delta0^2/2 + h^2 + (pi T)^2/3 = 0
    assert field == pytest.approx(np.sqrt(0.5 - (np.pi * COLD) ** 2 / 3), abs=1e-4)
    assert field == pytest.approx(DELTA0 / np.sqrt(2), abs=1.2e-3)


def test_the_branch_of_the_normal_state_is_left_at_its_branch_point():
    normal = uf.branch(split, "h", (0.8, 0.3), COLD, initial=0, unstable=True, step=0.25, order=1)
    (point,) = normal.branch_points
    assert point.value == pytest.approx(scipy.optimize.brentq(lambda h: uniform(0.0, h), 0.4, 0.6), abs=1e-4)
    assert normal.folds == ()
    assert normal.unstable[0] == 0
    assert normal.unstable[-1] == 2  # real and imaginary part
    other = uf.branch(split, "h", (0.3, 1.3), COLD, initial=point, unstable=True, points=4, order=1)
    assert (other.unstable[1:] == 1).all()
    for eq, h in zip(other.equilibria[1:], other.parameters[1:], strict=True):
        assert uniform(abs(uf.gap(eq).nodal[0]), h) == pytest.approx(0.0, abs=1e-5)


# --- the depairing current of a wire --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_wire_reaches_the_depairing_current_and_goes_beyond_it_on_the_unstable_side():
    length, cold = 20.0, 0.03
    mesh = uf.interval({"S": length}, size=0.75)
    ends = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0)}
    device = uf.Device(mesh, {"S": uf.superconductor(Tc=TC)}, ends)

    def wound(q):
        return device.with_phase("right", q * length)

    def start(x):
        return np.exp(0.62j * x[0])

    branch = uf.branch(
        wound, "q", (0.62, 0.9), cold, observable=current, step=0.02, points=10, initial=start, unstable=True
    )  # fmt: skip
    (fold,) = branch.folds
    # 0.745687 sigma Delta0/(e xi) with sigma = 2 e^2 N0 D, at D q^2/2 = 0.2373 Delta0
    assert branch.values.max() == pytest.approx(2 * 0.745687, rel=0.01)
    assert branch.parameters[fold] == pytest.approx(np.sqrt(2 * 0.2373), abs=0.05)
    assert (branch.unstable[:fold] == 0).all()
    assert (branch.unstable[fold + 1 :] == 1).all()
    assert (np.diff(branch.values[fold:]) < 0).all()


# --- other parameters -----------------------------------------------------------------------------------------------


def test_the_temperature_is_a_parameter():
    branch = uf.branch(bridge(1.0).with_phase("right", 2.0), "temperature", (0.2, 0.3), observable=current, step=0.05)
    assert branch.parameters[[0, -1]] == pytest.approx([0.2, 0.3])
    assert branch.folds == ()
    for number in (1, -1):
        eq = uf.solve_equilibrium(bridge(1.0).with_phase("right", 2.0), branch.parameters[number])
        assert branch.values[number] == pytest.approx(current(eq), abs=1e-5)
        assert branch.equilibria[number].temperature == pytest.approx(branch.parameters[number])


def test_given_gaps_follow_at_equal_steps():
    mesh = uf.interval({"N": 1.0}, size=0.25)
    ends = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0)}
    device = uf.Device(mesh, {"N": uf.normal_metal()}, ends)
    branch = uf.branch(
        lambda phase: device.with_phase("right", phase), "phase", (0.0, 1.5), 0.2, observable=current, step=0.5
    )  # fmt: skip
    assert branch.parameters == pytest.approx([0.0, 0.5, 1.0, 1.5])
    assert branch.values[2] == pytest.approx(current(uf.solve_equilibrium(device.with_phase("right", 1.0), 0.2)))
    assert branch.unstable is None
    assert branch.folds == ()
    with pytest.raises(uf.errors.ObservableError, match="unstable=True counts directions of a gap that is found"):
        uf.branch(lambda phase: device.with_phase("right", phase), "phase", (0.0, 1.5), 0.2, unstable=True)


def test_what_is_no_branch_is_refused():
    def other(h):
        return uf.Device(uf.interval({"S": 1.0}, size=1.0 if h < 0.2 else 0.5), split(h).materials)

    with pytest.raises(uf.errors.DeviceError, match="all devices of a branch have the same mesh"):
        uf.branch(other, "h", (0.1, 0.3), 0.2, order=1)
    with pytest.raises(ValueError, match=r"interval is \(1, 1\); allowed are two different finite numbers"):
        uf.branch(split, "h", (1, 1), 0.2)
    with pytest.raises(TypeError, match=r"function is Device.*; allowed is a function that makes a Device"):
        uf.branch(split(0.1), "h", (0.1, 0.2), 0.2)
    with pytest.raises(TypeError, match=r"observable returned 'much' at 0\.1; allowed is a real number"):
        uf.branch(split, "h", (0.1, 0.2), 0.2, observable=lambda eq: "much", order=1)
    with pytest.raises(ValueError, match="temperature is given twice"):
        uf.branch(split(0.1), "temperature", (0.1, 0.2), 0.2)
    with pytest.raises(TypeError, match=r"branch\(\) has no argument 'linearized'"):
        uf.branch(split, "h", (0.1, 0.2), 0.2, linearized=True)


def test_a_branch_in_laboratory_units_is_in_them():
    def largest(eq):
        return abs(uf.gap(eq).nodal).max()

    with uf.lab():
        nb = uf.superconductor(Tc=9.0, D=100.0, N0=20.0)
        film = uf.Device(uf.interval({"S": 20.0}, size=20.0), {"S": nb})
        branch = uf.branch(film, "temperature", (4.0, 5.0), step=0.5, order=1, observable=largest)
        expected = [uf.materials.bcs_gap(temperature, 9.0) for temperature in branch.parameters]
    assert branch.parameters[[0, -1]] == pytest.approx([4.0, 5.0])
    assert branch.values == pytest.approx(expected, rel=1e-5)


def test_threads_follow_the_same_branch():
    one, two = (uf.branch(split, "h", (0.2, 0.4), 0.2, order=1, workers=workers, step=0.1) for workers in (1, 2))
    assert two.values == pytest.approx(one.values, abs=1e-7)
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="workers of a branch is a number of threads"):
        uf.branch(split, "h", (0.2, 0.4), 0.2, workers=pool)
