"""Applied magnetic fields: critical fields, Little-Parks oscillations, gauges, junctions, the work of the field."""

from functools import cache

import numpy as np
import pytest
import skfem
from devices import junction
from field_meshes import ring
from scipy.optimize import brentq, minimize_scalar
from scipy.special import digamma, hyp1f1

import usadelfem as uf

SUPERCONDUCTOR = uf.superconductor(Tc=1.0)
SURFACE = 1.694609  # Hc3 / Hc2


def piece(mesh, contacts=(), **field):
    """A superconductor of any shape in a field."""
    mesh = mesh.with_subdomains({"S": lambda x: x[0] < np.inf})
    return uf.Device(mesh, {"S": SUPERCONDUCTOR}, dict(contacts), **field)


def disc(radius, refinements=3):
    return skfem.MeshTri1.init_circle(refinements).scaled(float(radius))


def eigenvalue(temperature, rate, count=None):
    """ln(T/Tc) + psi(1/2 + rate/2 pi T) - psi(1/2), or the same with a sum over `count` frequencies."""
    if count is None:
        return np.log(temperature) + digamma(0.5 + rate / (2 * np.pi * temperature)) - digamma(0.5)
    w = np.pi * temperature * (2 * np.arange(count) + 1)
    return np.log(temperature) + 2 * np.pi * temperature * (1 / w - 1 / (w + rate)).sum()


def critical_rate(temperature, count=None):
    """The pair-breaking rate that destroys superconductivity: D B in a bulk superconductor."""
    return brentq(lambda rate: eigenvalue(temperature, rate, count), 1e-9, 2.0)


def critical_temperature(rate):
    return brentq(lambda temperature: eigenvalue(temperature, rate), 0.01, 1.0)


def layer(field, momentum, length, cells=40):
    """A layer 0 < x < length in the gauge A = (0, B x), for pairs of momentum k along y: the rate D (k - 2 B x)^2/2."""
    material = uf.superconductor(Tc=1.0, depairing=lambda x: 0.5 * (momentum - 2 * field * x[0]) ** 2)
    return uf.Device(uf.interval({"S": length}, size=length / cells), {"S": material})


@pytest.mark.parametrize(("temperature", "expected"), [(0.005, 0.881938), (0.5, 0.573623), (0.9, 0.125272)])
def test_upper_critical_field_in_the_landau_gauge(temperature, expected):
    rate = critical_rate(temperature)
    length = 7 / np.sqrt(rate)
    options = {"cutoff": 17.0} if temperature < 0.1 else {}
    found = uf.study.critical_parameter(
        lambda field: layer(field, field * length, length), (0.9 * rate, 1.1 * rate), temperature, **options
    )
    assert found == pytest.approx(rate, rel=5e-5)
    assert found == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize("temperature", [0.5, 0.9])
def test_surface_critical_field_of_a_half_space(temperature):
    rate = critical_rate(temperature)

    def field(momentum):
        return uf.study.critical_parameter(
            lambda b: layer(b, momentum, 5 / np.sqrt(rate), 30), (rate, 2 * rate), temperature, precision=1e-5
        )

    highest = minimize_scalar(
        lambda k: -field(k * np.sqrt(rate)), bounds=(1, 2), method="bounded", options={"xatol": 3e-3}
    )
    assert -highest.fun == pytest.approx(SURFACE * rate, rel=1e-4)


def test_upper_critical_field_of_a_disc_with_a_normal_edge():
    """The lowest Landau level around the middle; next to a normal metal every sum ends at the cut-off."""
    temperature, count = 0.5, 40
    rate = critical_rate(temperature, count)
    mesh = disc(4.0, 2).with_boundaries({"edge": lambda x: np.hypot(*x) > 2})
    contacts = {"edge": uf.Reservoir(gap=0)}
    found = uf.study.critical_parameter(
        lambda field: piece(mesh, contacts, B=field), (0.95 * rate, 1.05 * rate), temperature,
        cutoff_index=count, precision=1e-4,
    )  # fmt: skip
    assert found == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("part", [0.5, 0.9, 0.98])
def test_small_first_gap_grows_where_the_field_leaves_the_normal_state_unstable(part):
    material = uf.superconductor(Tc=1.0, depairing=part * critical_rate(0.5))
    device = uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": material})
    grown, bulk = (uf.solve_equilibrium(device, 0.5, initial=initial) for initial in (1e-4, None))
    assert abs(uf.gap(bulk).nodal).min() > 0.1
    np.testing.assert_allclose(abs(uf.gap(grown).nodal), abs(uf.gap(bulk).nodal), rtol=1e-5)


def nucleation_field(rate, radius):
    """Highest field, and winding number m, of a state of rate D E in a disc with a free edge.

    r^m exp(-B r^2/2) M((1 - E/B)/2, m + 1, B r^2) solves (1/2) (-i grad - 2 A)^2 f = E f; no slope at the edge.
    """

    def slope(field, m):
        a, z = (1 - rate / field) / 2, field * radius**2
        return (m - z) * hyp1f1(a, m + 1, z) + 2 * z * a / (m + 1) * hyp1f1(a + 1, m + 2, z)

    fields, found = np.linspace(rate, 3 * rate, 300), []
    for m in range(8):
        values = slope(fields, m)
        crossed = np.flatnonzero(values[1:] * values[:-1] < 0)
        found += [(brentq(slope, fields[i], fields[i + 1], args=(m,)), m) for i in crossed]
    return max(found)


@pytest.mark.parametrize(("radius", "winding"), [(1.0, 0), (1.5, 1), (2.0, 2)])
def test_normal_state_of_a_disc_is_least_stable_to_the_mode_of_the_right_winding(radius, winding):
    rate = critical_rate(0.5)
    field, m = nucleation_field(rate, radius)
    assert m == winding
    assert uf.study.stability(piece(disc(radius), B=field), 0.5, order=1) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("refinements", [2, 3])
def test_nucleation_field_of_a_disc(refinements):
    rate, mesh = critical_rate(0.5), disc(1.5, refinements)
    radius = 1.5 * np.sqrt(np.sinc(2 / len(mesh.boundary_facets())))  # of the disc with the area of the polygon
    field, _ = nucleation_field(rate, radius)
    ends, options = (0.98 * field, 1.02 * field), {"precision": 1e-4, "frequencies": 6}
    found = uf.study.critical_parameter(lambda b: piece(mesh, B=b), ends, 0.5, **options)
    assert found == pytest.approx(field, rel=2e-3)
    assert found > SURFACE * rate


AROUND = 24
OUTER = 2.0 * np.sqrt(np.sinc(2 / AROUND))  # radii of the ring with the area of the polygon
INNER = 0.9 * OUTER


def mean_rate(flux, n):
    """Mean of D (n/r - B r)^2/2 over the ring, at a flux in units of h/2e through the circle of radius sqrt(r1 r2)."""
    field = flux / (INNER * OUTER)
    inverse, square, fourth = np.log(OUTER / INNER), OUTER**2 - INNER**2, (OUTER**4 - INNER**4) / 4
    return (n**2 * inverse - n * field * square + field**2 * fourth) / square


@pytest.mark.parametrize(("flux", "n"), [(0.25, 0), (0.4, 0), (0.75, 1), (1.0, 1), (1.25, 1)])
def test_critical_temperature_of_a_ring_oscillates_with_the_flux(flux, n):
    device = piece(ring(0.9, 1, AROUND).scaled(2.0), B=flux / (INNER * OUTER))
    found = uf.critical_temperature(device, precision=1e-5)
    assert mean_rate(flux, n) == min(mean_rate(flux, m) for m in range(4))
    assert 1 - found == pytest.approx(1 - critical_temperature(mean_rate(flux, n)), rel=2e-3)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_rotated_mesh_has_the_same_solution():
    mesh, turn = disc(3.0), np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    one, other = (
        uf.solve_equilibrium(piece(m, B=0.4), 0.3, order=1, initial=uf.vortices([(0, 0, 1)]))
        for m in (mesh, skfem.MeshTri1(turn @ mesh.p, mesh.t))
    )
    turned = np.einsum("ij,jcq->icq", turn, uf.charge_current(one).quadrature)
    assert np.abs(uf.charge_current(other).quadrature - turned).max() < 1e-7
    assert np.abs(abs(uf.gap(other).quadrature) - abs(uf.gap(one).quadrature)).max() < 1e-7
    assert uf.free_energy(other) == pytest.approx(uf.free_energy(one), rel=1e-8)


FIELD = 0.4
CORE = lambda x: 1.5 * (x[0] + 1j * x[1]) / np.sqrt(1 + x[0] ** 2 + x[1] ** 2)  # noqa: E731
GAUGES = {
    "symmetric": ({"A": lambda x: FIELD / 2 * np.array([-x[1], x[0]])}, lambda x: 0 * x[0]),
    "along y": ({"A": lambda x: FIELD * np.array([0 * x[0], x[0]])}, lambda x: FIELD * x[0] * x[1]),
    "along x": ({"A": lambda x: FIELD * np.array([-x[1], 0 * x[0]])}, lambda x: -FIELD * x[0] * x[1]),
}


@cache
def reference_vortex():
    return uf.solve_equilibrium(piece(disc(1.8), B=FIELD), 0.3, initial=CORE)


@pytest.mark.parametrize("name", GAUGES)
def test_vortex_is_the_same_in_every_gauge(name):
    (potential, phase), reference = GAUGES[name], reference_vortex()
    device = piece(disc(1.8), **potential)
    eq = uf.solve_equilibrium(device, 0.3, initial=lambda x: CORE(x) * np.exp(1j * phase(x)))
    x = eq.problem.space.points()
    gap = uf.gap(reference).quadrature * np.exp(1j * phase(x))
    assert np.abs(uf.gap(eq).quadrature - gap).max() < 2e-3
    assert uf.free_energy(eq) == pytest.approx(uf.free_energy(reference), rel=2e-4)
    assert uf.observe.magnetisation(eq) == pytest.approx(uf.observe.magnetisation(reference), rel=2e-4)


def weak_link(mesh, phases, **field):
    contacts = {side: uf.Reservoir(1.0, phase) for side, phase in zip(("left", "right"), phases, strict=True)}
    return uf.Device(mesh, {"N": uf.normal_metal()}, contacts, **field)


@pytest.mark.parametrize("gauge", ["along x", "symmetric", "along y"])
def test_junction_is_the_same_in_every_gauge_with_the_phases_of_the_reservoirs(gauge):
    """Reservoirs of one phase in a field; a change of gauge grad chi changes their phases by 2 chi."""
    field, mesh = 1.5, uf.rectangle({"N": 1.0}, 1.0, 0.125)
    potentials = {
        "along x": lambda x: field * np.array([0.5 - x[1], 0 * x[0]]),
        "symmetric": lambda x: field / 2 * np.array([0.5 - x[1], x[0] - 0.5]),
        "along y": lambda x: field * np.array([0 * x[0], x[0] - 0.5]),
    }
    turns = {"along x": 0.0, "symmetric": field, "along y": 2 * field}[gauge]
    phases = (lambda x: -0.5 * turns * (x[1] - 0.5), lambda x: 1.0 + 0.5 * turns * (x[1] - 0.5))
    one = uf.solve_equilibrium(weak_link(mesh, (0.0, 1.0), B=field), 0.1)
    other = uf.solve_equilibrium(weak_link(mesh, phases, A=potentials[gauge]), 0.1)
    currents = [uf.charge_current(eq).through("right") for eq in (one, other)]
    assert currents[1] == pytest.approx(currents[0], rel=1e-5)
    assert uf.free_energy(other) == pytest.approx(uf.free_energy(one), rel=1e-5)


@pytest.mark.parametrize(("flux", "accuracy"), [(0.2, 5e-4), (0.6, 5e-3), (1.2, 3e-2)])
def test_field_in_a_narrow_junction_breaks_pairs_like_a_film_of_its_width(flux, accuracy):
    """Gamma = D B^2 W^2/6: a monotonic decay over many flux quanta."""
    length, width = 2.0, 0.2
    field = flux * np.pi / (length * width)
    device = weak_link(uf.rectangle({"N": length}, width, 0.1), (0.0, np.pi / 2), B=field)
    line = junction(
        uf.interval({"N": length}, size=0.1), {"N": uf.normal_metal(depairing=field**2 * width**2 / 6)}, np.pi / 2
    )
    wide, thin = (uf.charge_current(uf.solve_equilibrium(d, 0.1)).through("right") for d in (device, line))
    assert wide / width == pytest.approx(thin, rel=accuracy)


@cache
def wide_junction(quanta):
    """The current at a phase difference of pi/2."""
    device = weak_link(uf.rectangle({"N": 1.0}, 12.0, 0.25), (0.0, np.pi / 2), B=quanta * np.pi / 12)
    return uf.charge_current(uf.solve_equilibrium(device, 2.0, frequencies=4)).through("right")


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
@pytest.mark.parametrize("flux", [0.5, 1.0, 1.5, 2.0])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_wide_junction_has_a_fraunhofer_pattern(flux):
    assert wide_junction(flux) / wide_junction(0.0) == pytest.approx(np.sinc(flux), abs=0.01)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
def test_wide_junction_has_a_row_of_vortices():
    """Two flux quanta and no phase difference in the middle: opposite phases at a quarter of the width from it."""
    device = weak_link(uf.rectangle({"N": 1.0}, 8.0, 0.25), (0.0, 0.0), B=2 * np.pi / 8)
    f = abs(uf.pair_amplitude(uf.solve_equilibrium(device, 0.5, frequencies=4)).at([[0.5] * 3, [2.0, 4.0, 6.0]])[0])
    assert f[[0, 2]] == pytest.approx(0, abs=0.02 * f[1])


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
@pytest.mark.parametrize("vortex", [None, uf.vortices([(0, 0, 1)])])
def test_magnetisation_is_the_derivative_of_the_free_energy(vortex):
    below, here, above = (
        uf.solve_equilibrium(piece(disc(3.0), B=field), 0.3, order=1, initial=vortex) for field in (0.199, 0.2, 0.201)
    )
    slope = (uf.free_energy(above) - uf.free_energy(below)) / 0.002
    assert uf.observe.magnetisation(here) == pytest.approx(-slope, rel=2e-5)
