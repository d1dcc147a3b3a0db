"""Josephson junctions between rigid reservoirs against published numbers and independent solutions."""

import numpy as np
import pytest
from devices import junction, sfs, supercurrent
from scipy.integrate import solve_bvp
from scipy.optimize import brentq, minimize_scalar

import usadelfem as uf


def sns(phase, temperature, *, length=1.0, gap=1e6, size=0.04, **options):
    """e I R_N of a one-dimensional SNS junction with D = 1."""
    device = junction(uf.interval({"N": length}, size=size), {"N": uf.normal_metal()}, phase, gap=gap)
    return supercurrent(device, temperature, **options)


def maximum(current, bounds):
    found = minimize_scalar(lambda phase: -current(phase), bounds=bounds, method="bounded", options={"xatol": 1e-5})
    return -found.fun, found.x


@pytest.mark.parametrize(("temperature", "expected"), [(3.0, 6.3480), (10.0, 0.99240)])
def test_long_sns_critical_current_at_finite_temperature(temperature, expected):
    critical, _ = maximum(lambda phase: sns(phase, temperature, cutoff=1000.0, size=0.02), (1.0, 2.5))
    assert critical == pytest.approx(expected, rel=1e-4)


def test_long_sns_critical_current_at_zero_temperature_is_10_82_thouless_energies():
    # Dubos et al., PRB 63, 064502 (2001): 10.82
    critical, phase = maximum(lambda phase: sns(phase, 0.1, cutoff=1000.0), (1.0, 2.5))
    assert critical == pytest.approx(10.827, rel=1e-4)
    assert phase == pytest.approx(1.2712 * np.pi / 2, rel=1e-3)


@pytest.mark.parametrize(("phase", "expected"), [(0.25, 5.9505), (0.5, 10.0911), (0.75, 10.1708)])
def test_long_sns_current_phase_relation(phase, expected):
    assert sns(phase * np.pi, 0.1, cutoff=1000.0) == pytest.approx(expected, rel=1e-4)


def test_long_sns_high_temperature_form():
    temperature = 10.0
    k = np.sqrt(2 * np.pi * temperature * (2 * np.arange(50) + 1))
    expected = 64 * np.pi * temperature / (3 + 2 * np.sqrt(2)) * (k * np.exp(-k)).sum()
    assert sns(np.pi / 2, temperature, cutoff=1000.0) == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("length", [10.0, 20.0])
def test_sns_of_finite_gap_approaches_the_long_junction_limit(length):
    thouless, size = 1 / length**2, length / 25
    critical, _ = maximum(lambda phase: sns(phase, 0.2 * thouless, length=length, gap=1.0, size=size), (1.5, 2.5))
    assert critical / thouless == pytest.approx(10.82, rel={10.0: 0.15, 20.0: 0.08}[length])
    assert critical / thouless < 10.83


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_short_junction_is_kulik_omelyanchuk():
    critical, phase = maximum(lambda phase: sns(phase, 0.002, length=0.01, gap=1.0, size=0.001), (1.5, 2.5))
    assert critical == pytest.approx(2.08207, rel=1e-3)
    assert phase == pytest.approx(0.62740 * np.pi, rel=1e-3)


@pytest.mark.parametrize(("reduced", "gap", "expected"), [(0.5, 0.956885, 1.65904), (0.9, 0.526342, 0.40312)])
def test_short_junction_at_finite_temperature(reduced, gap, expected):
    temperature = reduced / 1.763877
    critical, _ = maximum(lambda phase: sns(phase, temperature, length=0.01, gap=gap, size=0.001), (1.4, 2.2))
    assert critical == pytest.approx(expected, rel=1e-3)


def linear_sfs(d, temperature, exchange):
    """Critical current near Tc up to a factor, validation formula: sum_w (1/w)^2 Re k/sinh(k d)."""
    w = np.pi * temperature * (2 * np.arange(4000) + 1)
    k = np.sqrt(2 * (w + 1j * exchange))
    return (w**-2 * (k / np.sinh(k * d)).real).sum()


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_weakly_coupled_sfs_first_zero():
    temperature, exchange = 0.1, np.pi
    closed = brentq(lambda d: linear_sfs(d, temperature, exchange), 1.0, 2.0)
    assert closed * np.sqrt(exchange) == pytest.approx(2.4526, abs=1e-4)

    def current(d):
        mesh = uf.interval({"F": d}, size=d / 30)
        device = junction(mesh, {"F": uf.ferromagnet(exchange=(0, 0, exchange))}, np.pi / 2, gap=1e-3)
        return supercurrent(device, temperature, cutoff=20.0) * 1e6

    assert brentq(current, 1.0, 2.0, xtol=1e-5) == pytest.approx(closed, rel=1e-4)


def bvp_current(length, phase, temperature, exchange, frequencies):
    """Current of a collinear SFS junction from the scalar Riccati equations, solved by collocation.

    gamma'' - 2 gt gamma'^2/(1 + gamma gt) = 2 W gamma/D and the same with gamma <-> gt; W = w - i h for one spin, the
    other spin gives the complex conjugate. j = (i pi sigma T/4) sum Tr tau3 g g' over both spins and all w.
    """
    total, guess = 0.0, None
    x = np.linspace(0, length, 81)
    for w in np.pi * temperature * (2 * np.arange(frequencies)[::-1] + 1):
        energy = w - 1j * exchange
        edge = 1 / (w + np.hypot(w, 1.0))
        left = np.array([1j * edge * np.exp(-0.5j * phase), -1j * edge * np.exp(0.5j * phase)])
        right = np.array([1j * edge * np.exp(0.5j * phase), -1j * edge * np.exp(-0.5j * phase)])

        def equation(_, real, energy=energy):
            y = real[:4] + 1j * real[4:]
            n = 1 / (1 + y[0] * y[1])
            second = 2 * energy * y[0] + 2 * y[1] * n * y[2] ** 2, 2 * energy * y[1] + 2 * y[0] * n * y[3] ** 2
            slope = [y[2], y[3], *second]
            return np.concatenate((np.real(slope), np.imag(slope)))

        def ends(start, end, left=left, right=right):
            mismatch = np.concatenate(((start[:4] + 1j * start[4:])[:2] - left, (end[:4] + 1j * end[4:])[:2] - right))
            return np.concatenate((mismatch.real, mismatch.imag))

        if guess is None:
            decay = np.exp(-np.sqrt(2 * energy) * x) + 0j
            gamma = np.outer(left, decay) + np.outer(right, decay[::-1])
            guess = np.concatenate((gamma, np.gradient(gamma, x, axis=1)))
            guess = np.concatenate((guess.real, guess.imag))
        solution = solve_bvp(equation, ends, x, guess, tol=1e-6, max_nodes=20000)
        assert solution.success
        guess = solution.sol(x)
        y = solution.sol(length / 2)
        y = y[:4] + 1j * y[4:]
        n2 = 1 / (1 + y[0] * y[1]) ** 2
        # Tr tau3 g g' = 4 (gamma gt' - gamma' gt)/(1 + gamma gt)^2 for one spin
        total += 2 * (1j * np.pi * 2 * temperature / 4 * 4 * n2 * (y[0] * y[3] - y[2] * y[1]) * 2).real
    return total


def test_sfs_current_agrees_with_an_independent_boundary_value_solution():
    independent = bvp_current(1.0, 1.0, 0.1, 3.0, 40)
    eq = uf.solve_equilibrium(sfs(1.0), 0.1, quadrature="plain", frequencies=40)
    assert float(uf.charge_current(eq).through("right")) == pytest.approx(independent, rel=1e-4)


def test_first_zero_of_the_sfs_critical_current_agrees_with_an_independent_solution():
    def by_elements(length):
        mesh = uf.interval({"F": length}, size=length / 20)
        device = junction(mesh, {"F": uf.ferromagnet(exchange=(0, 0, 3.0))}, np.pi / 2)
        eq = uf.solve_equilibrium(device, 0.1, quadrature="plain", frequencies=12)
        return float(uf.charge_current(eq).through("right"))

    zero = brentq(by_elements, 0.8, 1.8, xtol=1e-4)
    independent = brentq(lambda length: bvp_current(length, np.pi / 2, 0.1, 3.0, 12), 0.8, 1.8, xtol=1e-3)
    assert by_elements(0.8) > 0 > by_elements(1.8)
    assert zero == pytest.approx(independent, rel=5e-3)
