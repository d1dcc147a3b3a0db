"""Sums of the gap equation that end are converged by default, and say what they leave out."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import digamma

import usadelfem as uf

TC = np.exp(np.euler_gamma) / np.pi  # Delta0 = 1


def wire(length):
    ends = {"left": uf.Reservoir(gap=0.0), "right": uf.Reservoir(gap=0.0)}
    mesh = uf.interval({"S": length}, size=0.1)
    return uf.Device(mesh, {"S": uf.superconductor(Tc=TC)}, ends)


def closed_form(length):
    """ln(T/Tc) + psi(1/2 + pi/(4 T L^2)) - psi(1/2) = 0 between clean normal reservoirs, D = Delta0 = 1."""
    return brentq(lambda t: np.log(t / TC) + digamma(0.5 + np.pi / (4 * t * length**2)) - digamma(0.5), 0.01, TC)


@pytest.mark.parametrize("length", [3.3, 5.0])
def test_tc_of_a_wire_between_normal_reservoirs_by_default(length):
    assert uf.critical_temperature(wire(length)) == pytest.approx(closed_form(length), rel=1e-3)


def test_the_estimate_of_a_cut_off_is_within_a_factor_of_three_of_what_it_costs():
    device = wire(5.0)
    costs = []
    for cutoff in (100.0, 1000.0):
        tc = uf.critical_temperature(device, cutoff=cutoff)
        eq = uf.solve_equilibrium(device, 0.98 * tc, cutoff=cutoff)
        assert eq.cutoff == pytest.approx(cutoff)
        costs.append((tc / closed_form(5.0) - 1, eq.cutoff_error))
    for true, estimate in costs:
        assert true / 3 < estimate < 3 * true


def bilayer(thickness, size):
    mesh = uf.interval({"S": thickness, "N": thickness}, size=size)
    return uf.Device(mesh, {"S": uf.superconductor(Tc=1.0), "N": uf.normal_metal()})


@pytest.mark.parametrize("thickness", [2.0, 1.0])
def test_tc_of_a_transparent_bilayer_by_default_is_that_of_a_hundred_times_the_cut_off(thickness):
    device = bilayer(thickness, thickness / 40)
    assert uf.critical_temperature(device) == pytest.approx(uf.critical_temperature(device, cutoff=3e6), rel=1e-3)


def test_currents_and_gaps_by_default_are_those_of_a_hundred_times_the_cut_off():
    mesh = uf.interval({"N": 1.0, "S": 4.0}, size=0.04)
    ends = {"left": uf.Reservoir(gap=1.0, phase=0.8), "right": uf.Reservoir()}
    device = uf.Device(mesh, {"N": uf.normal_metal(), "S": uf.superconductor(Tc=TC)}, ends)
    found, exact = (uf.solve_equilibrium(device, 0.2, **own) for own in ({}, {"cutoff": 3e6}))
    assert uf.charge_current(found).through("left") == pytest.approx(uf.charge_current(exact).through("left"), rel=1e-3)
    points = np.linspace(1.3, 4.9, 9)[None]
    assert uf.gap(found).at(points) == pytest.approx(uf.gap(exact).at(points), rel=1e-3)
    assert found.cutoff_error < 1e-3


def test_a_sum_that_converges_has_no_cut_off():
    device = uf.Device(uf.interval({"S": 1.0}, size=0.25), {"S": uf.superconductor(Tc=1.0)})
    eq = uf.solve_equilibrium(device, 0.5)
    assert eq.cutoff == np.inf
    assert eq.cutoff_error == 0.0


def test_a_plain_sum_that_ends_too_early_by_default_says_so():
    with pytest.warns(UserWarning, match=r"ends at 176, and what it leaves out shifts critical temperatures"):
        uf.solve_equilibrium(bilayer(2.0, 0.2), 0.5, quadrature="plain")
