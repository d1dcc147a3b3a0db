"""Vortices in discs: the core, a radial boundary-value solution with and without screening, giant vortices."""

from functools import cache

import numpy as np
import pytest
import skfem
from scipy.integrate import solve_bvp

import usadelfem as uf

# Linear elements that leave a few percent in the cores, of which the tests make no use.
pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")

TEMPERATURE, RADIUS, COUNT = 0.3, 5.0, 4
FREQUENCIES = np.pi * TEMPERATURE * (2 * np.arange(COUNT) + 1)
GAP0 = np.pi * np.exp(-np.euler_gamma)  # bulk gap at T = 0 for Tc = 1
SUM = {"quadrature": "plain", "cutoff_index": COUNT}


def disc(radius, field, refinements=4):
    mesh = skfem.MeshTri1.init_circle(refinements).scaled(float(radius))
    mesh = mesh.with_subdomains({"S": lambda x: x[0] < np.inf})
    return uf.Device(mesh, {"S": uf.superconductor(Tc=1.0)}, B=field)


@cache
def vortex(n, field, depth=None, refinements=4):
    """A vortex of winding n in the middle of a disc."""
    screening = {} if depth is None else {"screening": True, "penetration_depth": depth}
    device = disc(RADIUS, field, refinements)
    return uf.solve_equilibrium(device, TEMPERATURE, initial=uf.vortices([(0, 0, n)]), **SUM, **screening)


def along_a_ray(radius, angle=0.3):
    return radius * np.array([[np.cos(angle)], [np.sin(angle)]])


def components(eq, radius, angle=0.3):
    """Current density along the radius and around the middle."""
    j = uf.charge_current(eq).at(along_a_ray(radius, angle))
    c, s = np.cos(angle), np.sin(angle)
    return j[0] * c + j[1] * s, j[1] * c - j[0] * s


def gap_of(theta):
    """Delta [ln(T/Tc) + 2 pi T sum 1/w] = 2 pi T sum sin(theta)."""
    coefficient = np.log(TEMPERATURE) + 2 * np.pi * TEMPERATURE * (1 / FREQUENCIES).sum()
    return 2 * np.pi * TEMPERATURE * np.sin(theta).sum(axis=0) / coefficient


def current_of(theta, p, r):
    """2 pi sigma T sum sin^2(theta) q with q = p/r and sigma = 2."""
    return 4 * np.pi * TEMPERATURE * (np.sin(theta) ** 2).sum(axis=0) * p / r


@cache
def radial(n, field, depth=None, start=0.02):
    """theta(r) of all frequencies, p = n - 2 r A and B, of a vortex at the middle of a disc, by collocation.

    (1/2) (theta'' + theta'/r) = w sin theta - Delta cos theta + (p/r)^2/2 sin theta cos theta, p' = -2 r B,
    B' = -mu0 j, B(R) applied; theta ~ r^|n| and p = n - B r^2 next to the middle.
    """
    mu0 = 0.0 if depth is None else 1 / (depth**2 * 2 * np.pi * GAP0)
    w = FREQUENCIES[:, None]

    def right(r, y):
        theta, slope, p, b = y[:COUNT], y[COUNT:-2], y[-2], y[-1]
        pull = w * np.sin(theta) - gap_of(theta) * np.cos(theta)
        curved = 2 * r * pull + p**2 / r * np.sin(theta) * np.cos(theta)
        return np.vstack([slope / r, curved, -2 * r * b, -mu0 * current_of(theta, p, r)])

    def ends(left, right):
        core = left[COUNT:-2] - abs(n) * left[:COUNT]
        return np.concatenate([core, right[COUNT:-2], [left[-2] - n + left[-1] * start**2, right[-1] - field]])

    r = np.geomspace(start, RADIUS, 200)
    theta = np.tanh(r) ** abs(n) * np.arctan(GAP0 / w)
    guess = np.vstack([theta, r * np.gradient(theta, r, axis=1), n - field * r**2, field + 0 * r])
    solution = solve_bvp(right, ends, r, guess, tol=1e-6, max_nodes=20_000)
    assert solution.success
    return solution.sol


R = np.linspace(0.4, 4.5, 12)
PLAIN = [(1, 0.0, None), (-1, 0.05, None), (1, 0.16, None), (2, 0.16, None)]  # winding, field, penetration depth
SCREENED = [(1, 0.1, 1.5), (2, 0.3, 2.0), (-1, 0.0, 1.0)]
CASES = PLAIN + SCREENED


@pytest.mark.parametrize("case", CASES)
def test_gap_of_a_vortex_agrees_with_the_radial_solution(case):
    found = abs(uf.gap(vortex(*case)).at(along_a_ray(R)))
    np.testing.assert_allclose(found, gap_of(radial(*case)(R)[:COUNT]), atol=1e-3)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("index", range(COUNT))
def test_pair_amplitude_of_a_vortex_agrees_with_the_radial_solution(case, index):
    found = abs(uf.pair_amplitude(vortex(*case), index).at(along_a_ray(R))[0])
    np.testing.assert_allclose(found, np.sin(radial(*case)(R)[index]), atol=5e-4)


@pytest.mark.parametrize("case", CASES)
def test_current_of_a_vortex_agrees_with_the_radial_solution(case):
    y, (across, around) = radial(*case)(R), components(vortex(*case), R)
    exact = current_of(y[:COUNT], y[-2], R)
    np.testing.assert_allclose(around, exact, atol=0.015 * abs(exact).max())
    np.testing.assert_allclose(across, 0, atol=0.015 * abs(exact).max())


@pytest.mark.parametrize("case", SCREENED)
def test_field_of_a_vortex_agrees_with_the_radial_solution(case):
    exact = radial(*case)(R)[-1]
    found = uf.magnetic_field(vortex(*case)).at(along_a_ray(R))
    np.testing.assert_allclose(found, exact, atol=0.01 * abs(exact).max())


@pytest.mark.parametrize("case", CASES)
def test_core_of_a_vortex_is_normal_at_every_frequency(case):
    eq = vortex(*case)
    assert np.abs(eq.green([[0.0], [0.0]])[..., 0] - np.diag([1, 1, -1, -1])).max() < 1e-6
    assert abs(uf.gap(eq).at([[0.0], [0.0]])[0]) < 1e-6


@pytest.mark.parametrize("n", [1, 2])
def test_pair_amplitude_grows_like_a_power_of_the_distance_from_the_core(n):
    r = np.array([0.15, 0.3])
    f = abs(uf.pair_amplitude(vortex(n, 0.16)).at(along_a_ray(r))[0])
    assert np.log2(f[1] / f[0]) == pytest.approx(n, abs=0.07)


@pytest.mark.parametrize(("n", "field"), [(1, 0.0), (-1, 0.05), (2, 0.16)])
def test_phase_turns_by_the_winding_number(n, field):
    angle = np.linspace(0, 2 * np.pi, 41)
    eq = vortex(n, field)
    for values in (uf.gap(eq), uf.pair_amplitude(eq)):
        around = np.atleast_2d(values.at(3 * np.array([np.cos(angle), np.sin(angle)])))[0]
        assert np.ptp(np.unwrap(np.angle(around))[[0, -1]]) == pytest.approx(2 * np.pi * abs(n), rel=1e-6)
        assert np.sign(np.angle(around[1] / around[0])) == np.sign(n)


def test_current_far_from_the_core_falls_off_like_the_distance():
    """j = (pi/2) sigma Delta tanh(Delta/2T) n/r of the London limit, up to (xi/r)^2."""
    eq = uf.solve_equilibrium(disc(12.0, 0.0), TEMPERATURE, order=1, initial=uf.vortices([(0, 0, 1)]))
    r, gap = np.linspace(6, 11, 6), uf.materials.bcs_gap(TEMPERATURE)
    london = np.pi * gap * np.tanh(gap / (2 * TEMPERATURE)) / r
    np.testing.assert_allclose(components(eq, r)[1], london, rtol=0.02)


@pytest.mark.parametrize("depth", [None, 1.5])
def test_reversing_field_and_vortex_reverses_the_moment_only(depth):
    one, other = vortex(1, 0.1, depth, 3), vortex(-1, -0.1, depth, 3)
    assert uf.observe.magnetisation(other) == pytest.approx(-uf.observe.magnetisation(one), rel=1e-6)
    assert uf.free_energy(other) == pytest.approx(uf.free_energy(one), rel=1e-8)


def test_vortex_near_the_edge_leaves_a_small_disc():
    options = {"order": 1, "initial": uf.vortices([(1.4, 0, 1)])}
    with pytest.warns(UserWarning, match=r"winding \+1 and ended with 0"):
        eq = uf.solve_equilibrium(disc(2.0, 0.0, 3), TEMPERATURE, **options)
    np.testing.assert_allclose(abs(uf.gap(eq).quadrature), uf.materials.bcs_gap(TEMPERATURE), rtol=1e-5)


def winding(eq, centre, radius):
    angle = np.linspace(0, 2 * np.pi, 81)
    x = np.array([centre + radius * np.cos(angle), radius * np.sin(angle)])
    return round(np.diff(np.unwrap(np.angle(uf.gap(eq).at(x)))[[0, -1]])[0] / (2 * np.pi))


@cache
def two(radius, quanta, separate):
    """Two vortices on the first axis, or a giant one, at a flux in units of h/2e."""
    initial = uf.vortices([(radius / 3, 0, 1), (-radius / 3, 0, 1)] if separate else [(0, 0, 2)])
    return uf.solve_equilibrium(disc(radius, quanta / radius**2, 3), TEMPERATURE, order=1, initial=initial)


@pytest.mark.parametrize("quanta", [4, 6, 8])
def test_two_vortices_have_less_energy_than_a_giant_one_in_a_large_disc(quanta):
    apart, giant = two(5.0, quanta, True), two(5.0, quanta, False)
    assert [winding(apart, *circle) for circle in ((0, 0.5), (2, 1.4), (-2, 1.4), (0, 4))] == [0, 1, 1, 2]
    assert [winding(giant, 0, 0.5), winding(giant, 0, 4)] == [2, 2]
    assert uf.free_energy(apart) < uf.free_energy(giant) - 0.1


@pytest.mark.parametrize("quanta", [3, 4, 5])
def test_two_vortices_merge_into_a_giant_one_in_a_small_disc(quanta):
    merged, giant = two(2.0, quanta, True), two(2.0, quanta, False)
    assert winding(merged, 0, 0.3) == winding(giant, 0, 0.3) == 2
    assert uf.free_energy(merged) == pytest.approx(uf.free_energy(giant), abs=1e-6)
    assert uf.free_energy(merged) < 0


@pytest.mark.parametrize("n", [0, 1, 2])
def test_states_of_more_vortices_take_over_as_the_field_grows(n):
    device = disc(2.0, (0.5, 0.75, 1.0)[n], 3)
    starts = (None, uf.vortices([(0, 0, 1)]), uf.vortices([(0, 0, 2)]))
    states = [uf.solve_equilibrium(device, TEMPERATURE, order=1, initial=start) for start in starts]
    assert winding(min(states, key=uf.free_energy), 0, 1.6) == n


@pytest.mark.parametrize(("radius", "field", "n"), [(1.5, 1.16, 1), (2.0, 1.04, 2)])
def test_vortex_is_found_without_a_first_guess_where_no_other_state_is_superconducting(radius, field, n):
    """A tenth below the highest field of a state, which has n vortices; from `initial=None`."""
    device = disc(radius, field, 3)
    found, expected = (
        uf.solve_equilibrium(device, 0.5, order=1, initial=initial) for initial in (None, uf.vortices([(0, 0, n)]))
    )
    assert uf.free_energy(expected) < -0.05
    assert winding(expected, 0, 0.8 * radius) == n
    assert uf.free_energy(found) == pytest.approx(uf.free_energy(expected), rel=1e-4)


@pytest.mark.parametrize("core", [(0, 0, 0), (0, 0, 0.5), (0, 0), (np.nan, 0, 1)])
def test_vortex_needs_a_position_and_a_winding_number(core):
    with pytest.raises(ValueError, match="with a winding number"):
        uf.vortices([core])


def test_vortex_needs_a_size():
    with pytest.raises(ValueError, match="allowed is a length > 0"):
        uf.vortices([(0, 0, 1)], size=-1.0)


def test_vortex_needs_a_plane():
    device = uf.Device(uf.interval({"S": 1.0}), {"S": uf.superconductor(Tc=1.0)})
    with pytest.raises(uf.errors.DeviceError, match="two or three dimensions"):
        uf.solve_equilibrium(device, TEMPERATURE, initial=uf.vortices([(0, 0, 1)]))
