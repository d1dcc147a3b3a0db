"""Screening: penetration depth, moments, fluxoids of rings, strips with currents, balls, what is not allowed."""

from functools import cache

import numpy as np
import pytest
import skfem
from field_meshes import ring
from scipy.optimize import brentq

import usadelfem as uf

GAP0 = np.pi * np.exp(-np.euler_gamma)  # bulk gap at T = 0 for Tc = 1
SUPERCONDUCTOR = uf.superconductor(Tc=1.0)
WEAK = 0.01  # a field of linear response


def depth_at(temperature, depth):
    """1/lambda^2 = mu0 pi sigma Delta tanh(Delta/2T)."""
    gap = uf.materials.bcs_gap(temperature)
    return depth * np.sqrt(GAP0 / (gap * np.tanh(gap / (2 * temperature))))


def coupling(depth):
    """mu0 with 1/lambda^2 = mu0 pi sigma Delta at T = 0, sigma = 2."""
    return 1 / (depth**2 * 2 * np.pi * GAP0)


def piece(mesh, field):
    return uf.Device(mesh.with_subdomains({"S": lambda x: x[0] < np.inf}), {"S": SUPERCONDUCTOR}, B=field)


def london(x, y, width, length, depth):
    """B/B_applied in a rectangle: the sum of two series that are 1 on one pair of sides and 0 on the other."""
    total, n = 0.0, np.arange(1, 800, 2).reshape(-1, *[1] * np.ndim(x))
    for p, q, a, b in ((x, y, width, length), (y, x, length, width)):
        k = np.hypot(n * np.pi / b, 1 / depth)
        decay = (np.exp(k * (p - a)) + np.exp(-k * p)) / (1 + np.exp(-k * a))
        total = total + (4 / (n * np.pi) * np.sin(n * np.pi * q / b) * decay).sum(axis=0)
    return total


WIDTH, LENGTH = 4.0, 8.0


@cache
def slab(temperature, field=WEAK, depth=1.0):
    device = piece(uf.rectangle({"S": WIDTH}, LENGTH, 0.5), field)
    if depth is None:
        return uf.solve_equilibrium(device, temperature)
    return uf.solve_equilibrium(device, temperature, screening=True, penetration_depth=depth)


@pytest.mark.parametrize("temperature", [0.3, 0.8])
def test_penetration_depth_of_a_slab(temperature):
    """The depth at which London's equation lets the same flux in."""
    eq = slab(temperature)
    x, dx = eq.problem.space.points(), eq.problem.space.dx
    flux = uf.magnetic_field(eq).integral() / WEAK
    found = brentq(lambda depth: (london(*x, WIDTH, LENGTH, depth) * dx).sum() - flux, 0.5, 3.0, xtol=1e-6)
    assert found == pytest.approx(depth_at(temperature, 1.0), rel=2e-3)


@pytest.mark.parametrize("temperature", [0.3, 0.8])
def test_field_in_the_middle_of_a_slab_decays_like_a_hyperbolic_cosine(temperature):
    x, depth = np.linspace(0.2, WIDTH - 0.2, 15), depth_at(temperature, 1.0)
    found = uf.magnetic_field(slab(temperature)).at([x, 0 * x + LENGTH / 2]) / WEAK
    exact = np.cosh((x - WIDTH / 2) / depth) / np.cosh(WIDTH / (2 * depth))
    np.testing.assert_allclose(found, exact, atol=0.05 if temperature > 0.5 else 0.02)
    np.testing.assert_allclose(found, london(x, 0 * x + LENGTH / 2, WIDTH, LENGTH, depth), atol=0.005)


@pytest.mark.parametrize("temperature", [0.3, 0.8])
def test_moment_of_a_slab_is_diamagnetic_and_makes_the_induced_field(temperature):
    eq = slab(temperature)
    induced = uf.magnetic_field(eq).integral() - WEAK * WIDTH * LENGTH
    assert uf.observe.magnetisation(eq) < 0
    assert uf.observe.magnetisation(eq) == pytest.approx(induced / coupling(1.0), rel=1e-6)


@pytest.mark.parametrize("temperature", [0.3, 0.8])
def test_energy_of_screening_is_half_the_moment_times_the_field(temperature):
    eq = slab(temperature)
    change = uf.free_energy(eq) - uf.free_energy(slab(temperature, 0.0, None))
    assert change == pytest.approx(-0.5 * uf.observe.magnetisation(eq) * WEAK, rel=5e-4)


def test_weak_screening_changes_nothing():
    plain, screened = slab(0.3, 0.1, None), slab(0.3, 0.1, 1e4)
    assert np.abs(uf.magnetic_field(screened).quadrature / 0.1 - 1).max() < 1e-6
    assert uf.observe.magnetisation(screened) == pytest.approx(uf.observe.magnetisation(plain), rel=1e-6)
    assert uf.free_energy(screened) == pytest.approx(uf.free_energy(plain), rel=1e-8)


def test_no_field_without_an_applied_one():
    assert np.abs(uf.magnetic_field(slab(0.3, 0.0)).quadrature).max() < 1e-12


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_magnetisation_is_the_derivative_of_the_free_energy_with_a_screened_vortex():
    mesh = skfem.MeshTri1.init_circle(3).scaled(3.0)
    options = {"order": 1, "screening": True, "penetration_depth": 1.5, "initial": uf.vortices([(0, 0, 1)])}
    below, here, above = (uf.solve_equilibrium(piece(mesh, field), 0.3, **options) for field in (0.299, 0.3, 0.301))
    slope = (uf.free_energy(above) - uf.free_energy(below)) / 0.002
    assert uf.observe.magnetisation(here) == pytest.approx(-slope, rel=1e-4)


@pytest.mark.parametrize("temperature", [0.3, 0.8])
def test_current_of_a_strip_flows_at_its_edges(temperature):
    """d_y B = mu0 j, j ~ cosh(y/lambda), B = -+ mu0 I/2 at the edges and the applied field in the mean."""
    mesh = uf.rectangle({"S": 4.0}, 2.0, 0.25)
    contacts = {side: uf.Reservoir(phase=phase) for side, phase in (("left", 0.0), ("right", 0.1))}
    device = uf.Device(mesh, {"S": SUPERCONDUCTOR}, contacts)
    eq = uf.solve_equilibrium(device, temperature, screening=True, penetration_depth=0.5)
    y, depth, total = np.linspace(0.1, 1.9, 9), depth_at(temperature, 0.5), uf.charge_current(eq).through("right")
    found = uf.charge_current(eq).at([0 * y + 2.0, y])
    exact = total / (2 * depth) * np.cosh((y - 1) / depth) / np.sinh(1 / depth)
    np.testing.assert_allclose(found, [exact, 0 * y], atol=0.01 * exact.max())
    field = coupling(0.5) * total / 2 * np.sinh((y - 1) / depth) / np.sinh(1 / depth)
    np.testing.assert_allclose(uf.magnetic_field(eq).at([0 * y + 2.0, y]), field, atol=0.02 * field.max())


def states(n):
    return uf.vortices([(0, 0, n)]) if n else None


@pytest.mark.parametrize(("n", "field"), [(0, 0.01), (1, 0.0), (1, 0.012), (2, 0.012), (-1, 0.0)])
def test_fluxoid_of_a_ring_is_quantised(n, field):
    """The flux through a circle in the metal and mu0 lambda^2 times the current along it make n h/2e."""
    depth, inner = 5.0, 10.0
    mesh = ring(inner / 15, 3, 36).scaled(15.0)
    eq = uf.solve_equilibrium(piece(mesh, field), 0.3, initial=states(n), screening=True, penetration_depth=depth)
    [(hole, flux)] = uf.observe.hole_fluxes(eq)
    angle, radius = np.arange(72) * np.pi / 36, inner + 0.02
    circle = np.array([np.cos(angle), np.sin(angle)])
    flux += float(uf.magnetic_field(eq).at(radius * circle).mean()) * (np.pi * radius**2 - hole.area)
    j = uf.charge_current(eq).at(radius * circle)
    along = 2 * np.pi * radius * (circle[0] * j[1] - circle[1] * j[0]).mean()
    fluxoid = flux + coupling(depth) * depth_at(0.3, depth) ** 2 * along
    assert fluxoid / np.pi == pytest.approx(n, abs=0.01 * max(1, abs(n)))
    assert abs(flux / np.pi - n) > 0.03  # it is the fluxoid, not the flux


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
@pytest.mark.parametrize(("n", "field"), [(0, 0.02), (1, 0.0), (2, 0.03)])
def test_flux_within_a_thick_ring_is_quantised(n, field):
    """Deep in the wall no current flows: the flux through a circle there is n h/2e, what is around it stays outside."""
    mesh = ring(0.3, 14, 24).scaled(10.0)
    eq = uf.solve_equilibrium(
        piece(mesh, field), 0.3, order=1, initial=states(n), screening=True, penetration_depth=0.6
    )
    [(_, flux)] = uf.observe.hole_fluxes(eq)
    within = np.hypot(*mesh.p[:, mesh.t].mean(axis=1)) < 6.5
    flux += float((uf.magnetic_field(eq).quadrature * eq.problem.space.dx)[within].sum())
    assert flux / np.pi == pytest.approx(n, abs=0.01 * max(1, n))


AROUND = 32
OUTER = 6.0 * np.sqrt(np.sinc(2 / AROUND))  # radii of a thin ring with the area of its polygon
INNER = 0.95 * OUTER
QUANTUM = 2 * np.log(OUTER / INNER) / (OUTER**2 - INNER**2)  # field of a flux quantum through the ring


@cache
def thin_ring(flux, n, depth=None):
    """A ring at a flux in units of h/2e; London's energy Int (n/r - B r)^2 d2r is symmetric about n quanta."""
    screening = {} if depth is None else {"screening": True, "penetration_depth": depth}
    device = piece(ring(0.95, 1, AROUND).scaled(6.0), flux * QUANTUM)
    return uf.solve_equilibrium(device, 0.3, initial=states(n), frequencies=8, **screening)


@pytest.mark.parametrize("depth", [None, 1.0])
def test_energies_of_a_ring_cross_at_half_a_flux_quantum(depth):
    fluxes = np.array([0.45, 0.55])
    gain = [uf.free_energy(thin_ring(f, 1, depth)) - uf.free_energy(thin_ring(f, 0, depth)) for f in fluxes]
    assert gain[0] > 0 > gain[1]
    assert np.interp(0, gain[::-1], fluxes[::-1]) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(("depth", "accuracy"), [(None, 0.01), (1.0, 0.02)])
@pytest.mark.parametrize("offset", [0.2, 0.4])
def test_current_of_a_ring_is_odd_in_the_flux_beyond_its_quanta(offset, depth, accuracy):
    zero, less, more = (thin_ring(flux, n, depth) for flux, n in ((offset, 0), (1 - offset, 1), (1 + offset, 1)))
    assert uf.observe.magnetisation(more) < 0 < uf.observe.magnetisation(less)
    assert uf.observe.magnetisation(more) == pytest.approx(-uf.observe.magnetisation(less), rel=accuracy)
    assert uf.observe.magnetisation(more) == pytest.approx(uf.observe.magnetisation(zero), rel=accuracy)


@cache
def ball(depth, field=(0.0, 0.0, WEAK), refinements=3, outside=3.0):
    """A ball of radius 1, up to its polyhedral surface, in a ball of vacuum: the result and both radii."""
    mesh = skfem.MeshTet1.init_ball(0).refined(refinements)
    shell, length = abs(mesh.p).sum(axis=0), np.linalg.norm(mesh.p, axis=0)
    r = np.where(shell <= 0.5, 2 * shell, outside ** (2 * shell - 1))
    mesh = skfem.MeshTet1(mesh.p * r / np.where(length > 0, length, 1), mesh.t)
    own = shell[mesh.t].max(axis=0) < 0.5 + 1e-9
    mesh = mesh.with_subdomains({"ball": np.flatnonzero(own), "around": np.flatnonzero(~own)})
    device = uf.Device(mesh, {"ball": SUPERCONDUCTOR, "around": uf.materials.vacuum()}, B=field)
    eq = uf.solve_equilibrium(device, 0.3, order=1, screening=True, penetration_depth=depth)
    volume = skfem.Functional(lambda w: 1 + 0 * w.x[0]).assemble(skfem.Basis(mesh, mesh.elem()))
    return eq, *((v / (4 * np.pi / 3)) ** (1 / 3) for v in (eq.problem.space.dx.sum(), volume))


@pytest.mark.parametrize("field", [(0.0, 0.0, WEAK), (0.01, -0.005, 0.02)])
def test_moment_of_a_weakly_screening_ball(field):
    """j = -S (B x r)/2 with S = 2 pi sigma Delta/2 tanh(Delta/2T): m = -(2 pi/15) S R^5 B."""
    eq, radius, _ = ball(100.0, field)
    stiffness = 1 / (coupling(100.0) * depth_at(0.3, 100.0) ** 2)
    expected = -2 * np.pi / 15 * stiffness * radius**5 * np.array(field)
    np.testing.assert_allclose(uf.observe.magnetisation(eq), expected, atol=1e-3 * abs(expected).max())


@pytest.mark.parametrize(("depth", "accuracy"), [(1.0, 0.01), (0.3, 0.05)])
def test_moment_of_a_ball_that_expels_the_field(depth, accuracy):
    """London: m = -2 pi R^3 f B/mu0, f = 1 - 3 x coth(1/x) + 3 x^2, x = lambda/R; in a cavity B/(1 - f (R/R_c)^3)."""
    eq, radius, wall = ball(depth)
    x = depth_at(0.3, depth) / radius
    f = 1 - 3 * x / np.tanh(1 / x) + 3 * x**2
    expected = -2 * np.pi * radius**3 * f * WEAK / coupling(depth) / (1 - f * (radius / wall) ** 3)
    np.testing.assert_allclose(uf.observe.magnetisation(eq), [0, 0, expected], atol=accuracy * abs(expected))


def test_field_leaves_a_ball_as_the_penetration_depth_falls():
    middle = [float(uf.magnetic_field(ball(depth)[0]).at([[0.0]] * 3)[2, 0]) / WEAK for depth in (100.0, 1.0, 0.3)]
    assert middle[0] == pytest.approx(1, abs=1e-3)
    assert middle[0] > middle[1] > middle[2] > 0
    assert middle[2] < 0.35


SQUARE = uf.rectangle({"S": 1.0}, 1.0, 0.5)
PAIR = uf.rectangle({"S": 1.0, "V": 1.0}, 1.0, 0.5)
LEAD = uf.superconductor(Tc=0.5)
ON = {"screening": True, "penetration_depth": 1.0}
S, VACUUM = SUPERCONDUCTOR, uf.materials.vacuum()
REFUSED = {
    "3D without vacuum": (uf.box({"S": 1.0}, size=0.5), {"S": S}, ON, "region of vacuum around the sample"),
    "2D with vacuum": (PAIR, {"S": S, "V": VACUUM}, ON, "takes no surrounding vacuum"),
    "1D": (uf.interval({"S": 1.0}), {"S": S}, ON, "two or three dimensions"),
    "no depth": (SQUARE, {"S": S}, {"screening": True}, "needs penetration_depth"),
    "depth alone": (SQUARE, {"S": S}, {"penetration_depth": 1.0}, "without screening=True"),
    "negative depth": (SQUARE, {"S": S}, {**ON, "penetration_depth": -1.0}, "a finite length > 0"),
    "unknown region": (SQUARE, {"S": S}, {**ON, "penetration_depth": {"X": 1.0}}, "one superconductor of: S"),
    "two superconductors": (PAIR, {"S": S, "V": LEAD}, ON, "say of which it is"),
    "no superconductor": (SQUARE, {"S": uf.normal_metal()}, ON, "0 superconductors"),
    "newton": (SQUARE, {"S": S}, {**ON, "method": "newton"}, "use 'anderson'"),
    "linearised": (SQUARE, {"S": uf.superconductor(gap=1.0)}, {**ON, "linearized": True}, "no screening"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_screening_refuses(name):
    mesh, materials, options, message = REFUSED[name]
    with pytest.raises((ValueError, uf.errors.DeviceError), match=message):
        uf.solve_equilibrium(uf.Device(mesh, materials), 0.3, order=1, **options)


@pytest.mark.parametrize("observable", [uf.magnetic_field, uf.observe.hole_fluxes])
def test_induced_field_needs_screening(observable):
    with pytest.raises(uf.errors.ObservableError, match="needs a solve with screening=True"):
        observable(uf.solve_equilibrium(piece(SQUARE, 0.1), 0.3, order=1))
