"""The linearised equation: agreement with the nonlinear one for weak gaps, and against closed forms."""

import numpy as np
import oracle
import pytest
from devices import junction

import usadelfem as uf

# Gaps far below the temperature, where the equation is linear.
pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")

T = 0.2
OPTIONS = {"frequencies": 3, "order": 2}
MESH = uf.rectangle({"F": 0.6, "S": 0.4}, width=0.4, size=0.2)


def exchange(x):
    return np.array([np.cos(2 * x[0]), 0.3 + 0 * x[0], np.sin(2 * x[1])])


def device(gap):
    """Everything on: graded spin-orbit coupling, gauge fields, scattering, a gap and a split reservoir."""
    f = uf.ferromagnet(
        exchange=exchange,
        theta=lambda x: 0.3 + x[1],
        kappa=0.4,
        tau_so=1.5,
        tau_sf=2.0,
        depairing=0.2,
        rashba=0.6,
        D=0.7,
    )
    s = uf.superconductor(gap=lambda x: 0.5 * gap * np.exp(0.4j * x[1]), N0=1.4)
    contacts = {"left": uf.Reservoir(gap, -0.4, exchange=(0.2, 0, 0.3)), "right": uf.Reservoir(gap, 0.7)}
    return uf.Device(MESH, {"F": f, "S": s}, contacts, A=(0.2, -0.1))


GAPS = (0.2, 0.1, 0.05)


@pytest.fixture(scope="module")
def pairs():
    return [
        (
            uf.solve_equilibrium(device(gap), T, **OPTIONS),
            uf.solve_equilibrium(device(gap), T, linearized=True, **OPTIONS),
        )
        for gap in GAPS
    ]


OBSERVABLES = {
    # leading power of the gap in the observable, and how to get it
    "pair amplitude": (1, lambda eq: uf.pair_amplitude(eq).nodal),
    "green": (2, lambda eq: eq.green([[0.3, 0.8], [0.1, 0.2]])),
    "charge current": (2, lambda eq: uf.charge_current(eq).nodal),
    "charge flux": (2, lambda eq: uf.charge_current(eq).through("F_S")),
    "spin current": (2, lambda eq: uf.spin_current(eq).nodal),
    "spin density": (2, lambda eq: uf.spin_density(eq).nodal),
    "spin-orbit torque": (2, lambda eq: uf.spin_orbit_torque(eq).nodal),
    "exchange torque": (2, lambda eq: uf.spin_torque(eq, "exchange").nodal),
    "matrix current": (1, lambda eq: uf.observe.matrix_current(eq).nodal),
}


@pytest.mark.parametrize("name", OBSERVABLES)
def test_error_of_the_linearised_observables_is_two_orders_higher_in_the_gap(pairs, name):
    power, observe = OBSERVABLES[name]
    errors = [np.abs(observe(full) - observe(linear)).max() for full, linear in pairs]
    if name == "green":  # its off-diagonal blocks are of first order, and right to third
        power = 1
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert slopes == pytest.approx(power + 2, abs=0.1)


def test_state_is_exactly_linear_in_the_gap(pairs):
    (_, strong), _, (_, weak) = pairs
    assert np.abs(strong.riccati - 4 * weak.riccati).max() < 1e-13


def test_one_factorisation_per_frequency(pairs):
    assert [report.iterations for report in pairs[0][1].report] == [1, 1, 1]


def test_spin_balance_of_the_linearised_problem_closes_exactly():
    d = device(1.0)
    eq = uf.solve_equilibrium(uf.Device(MESH, d.materials, d.contacts, A=d.A), T, linearized=True, **OPTIONS)
    spin = uf.spin_current(eq)
    outflow = spin.through("left") + spin.through("right")
    assert np.abs(outflow - uf.spin_torque(eq).integral()).max() < 1e-11 * np.abs(outflow).max()


def test_spin_density_is_the_second_order_of_its_trace(pairs):
    _, linear = pairs[0]
    cell, q = 5, 1
    x = linear.problem.space.points()[:, cell, q]
    g = linear.green(x[:, None])[..., 0]
    n0 = linear.problem.coefficients.table[cell, q, 0]
    expected = -1j * np.pi * n0 * T * np.einsum("w,aij,wji->a", linear.weights, oracle.SPIN @ oracle.TAU3, g)
    assert np.allclose(uf.spin_density(linear).quadrature[:, cell, q], expected.real, rtol=1e-10, atol=1e-14)


def test_weak_sfs_junction_near_tc_has_the_textbook_critical_current():
    # e I R_N = 2 pi T sum_w (gap/w)^2 Re[k d / sinh(k d)] sin(phi), k = sqrt(2 (w + i h)/D) (validation.md 6)
    mesh, h, gap = uf.interval({"F": 1.0}, size=0.02), 4.0, 0.01
    device = junction(mesh, {"F": uf.ferromagnet(exchange=(0, 0, h))}, np.pi / 2, gap=gap)
    eq = uf.solve_equilibrium(device, T, linearized=True, quadrature="plain", frequencies=30)
    k = np.sqrt(2 * (eq.frequencies + 1j * h))
    # rigid reservoirs without a field; f = gap/w at the contact
    expected = 2 * np.pi * T * ((gap / eq.frequencies) ** 2 * (k / np.sinh(k)).real).sum()
    obtained = uf.charge_current(eq).through("right") * uf.normal_resistance(device, "left", "right")
    assert obtained == pytest.approx(expected, rel=1e-6)


def test_uniform_theta_and_kappa_do_not_enter_the_linear_equation_away_from_boundaries():
    mesh = uf.rectangle({"F": 1.0}, width=0.5, size=0.25)
    states = []
    for coupling in ({}, {"theta": 0.4, "kappa": 0.3}):
        contacts = {side: uf.Reservoir(0.1, lambda x: x[0] + x[1]) for side in ("left", "right", "top", "bottom")}
        d = uf.Device(mesh, {"F": uf.ferromagnet(exchange=(1, 0, 2), **coupling)}, contacts)
        states.append(uf.solve_equilibrium(d, T, linearized=True, **OPTIONS).riccati)
    assert np.abs(states[0] - states[1]).max() < 1e-13


def test_a_large_gap_is_no_obstacle_to_the_linear_solver():
    eq = uf.solve_equilibrium(device(5.0), T, linearized=True, **OPTIONS)
    assert all(report.converged for report in eq.report)
