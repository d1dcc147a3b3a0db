"""Currents and distributions out of equilibrium, without spin: closed forms, published numbers and quadratures."""

import numpy as np
import pytest
import skfem
from scipy.integrate import quad, solve_bvp
from scipy.optimize import brentq

import usadelfem as uf
from usadelfem.errors import UnitWarning

# A rigid reservoir has a gap far above all energies that matter, and lengths there are not resolved.
pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")

NORMAL = uf.Reservoir(gap=0.0)
RIGID = uf.Reservoir(gap=1e6)
R_N = 0.5  # of a wire with L = A = N0 = D = 1; its Thouless energy is 1
ENERGY, CHARGE = 0, 1  # modes


def wire(right, *, left=NORMAL, size=1 / 40, **coefficients):
    mesh = uf.interval({"wire": 1.0}, size=size)
    return uf.Device(mesh, {"wire": uf.normal_metal(**coefficients)}, {"left": left, "right": right})


def spectral(device, energies, mode=CHARGE, *, temperature=20.0):
    """The conductance of a mode at the left contact times R_N."""
    neq = uf.solve_nonequilibrium(device, temperature=temperature, energies=energies, broadening=1e-7)
    return R_N * uf.conductance_matrix(neq).values[:, 0, mode, 0, mode]


def linear_conductance(neq, *, voltage=0.0, step=1e-3):
    """dI/dV of the left contact."""
    low, high = (uf.charge_current(neq.with_bias(left=voltage + s)).through("right") for s in (-step, step))
    return (high - low) / (2 * step)


# Normal wires


def test_the_distribution_in_a_normal_wire_has_two_steps():
    device = wire(uf.Reservoir(gap=0.0, voltage=-0.5), left=uf.Reservoir(gap=0.0, voltage=0.5), size=1 / 4)
    neq = uf.solve_nonequilibrium(device, temperature=0.01, energies=[0.0, 0.2, 0.3, 0.7, 1.0])
    occupation = uf.occupation(neq)
    assert occupation.series.values == pytest.approx([-1.0, -0.7, -0.3, -0.2, 0.0, 0.2, 0.3, 0.7, 1.0])
    expected = np.array([1.0, 1.0, 0.75, 0.75, 0.75, 0.75, 0.75, 0.0, 0.0])
    assert occupation.at([[0.25]])[:, 0] == pytest.approx(expected, abs=1e-8)


def test_the_noise_of_a_normal_wire_is_a_third_of_that_of_uncorrelated_electrons():
    # Fano factor: 2 Int dx dE f (1 - f) / V over the wire
    device = wire(uf.Reservoir(gap=0.0, voltage=-0.5), left=uf.Reservoir(gap=0.0, voltage=0.5), size=1 / 4)
    neq = uf.solve_nonequilibrium(device, temperature=0.001, energies=[0.0, 0.25, 0.4, 1.0])
    x, weights = np.polynomial.legendre.leggauss(4)
    f = uf.occupation(neq).at([(x + 1) / 2])[3]  # the same at all energies below V/2
    assert weights @ (f * (1 - f)) == pytest.approx(1 / 3, rel=1e-10)


def test_potential_and_temperature_in_a_normal_wire():
    # T^2 = T0^2 + (3/pi^2) V^2 x (1 - x), with or without relaxation between electrons
    device = wire(uf.Reservoir(gap=0.0, voltage=-0.5), left=uf.Reservoir(gap=0.0, voltage=0.5), size=1 / 4)
    neq = uf.solve_nonequilibrium(device, temperature=0.1)
    x = np.array([0.0, 0.25, 0.5, 0.9])
    expected = np.sqrt(0.01 + 3 / np.pi**2 * x * (1 - x))
    assert expected[2] == pytest.approx(0.293242, abs=1e-6)
    assert uf.local_temperature(neq).at([x]) == pytest.approx(expected, rel=1e-6)
    assert uf.potential(neq).at([x]) == pytest.approx(0.5 - x, abs=1e-9)
    assert uf.charge_current(neq).through("right") == pytest.approx(1 / R_N, rel=1e-9)


def test_a_tunnel_probe_reads_the_voltage_of_a_normal_wire_and_the_conductance_of_its_barrier():
    device = wire(uf.Reservoir(gap=0.0, voltage=-0.5), left=uf.Reservoir(gap=0.0, voltage=0.5), size=1 / 4)
    probe = uf.tunnel_probe(uf.solve_nonequilibrium(device, temperature=0.1), [[0.0, 0.25]], conductance=3.0)
    assert probe["voltage"] == pytest.approx([0.5, 0.25], rel=1e-3)
    assert probe["temperature"][0] == pytest.approx(0.1, rel=1e-3)
    assert probe["conductance"] == pytest.approx(3.0, rel=1e-3)


def test_heat_of_normal_electrons_follows_wiedemann_and_franz():
    hot, cold = uf.Reservoir(gap=0.0, temperature=0.3), uf.Reservoir(gap=0.0, temperature=0.1)
    heat = uf.heat_current(uf.solve_nonequilibrium(wire(cold, left=hot, size=1 / 4), temperature=0.2))
    assert heat.through("right") == pytest.approx(np.pi**2 / 6 * (0.3**2 - 0.1**2) / R_N, rel=1e-7)


def test_a_floating_contact_takes_the_potential_of_the_wire_next_to_it():
    mesh = uf.rectangle({"N": 2.0}, width=1.0, size=0.25)
    mesh = mesh.with_boundaries({"probe": lambda x: (x[1] == 1) & (abs(x[0] - 1.5) < 0.3)})
    probe = uf.Reservoir(gap=0.0, voltage=uf.FLOATING, barrier=uf.Tunnel(conductance=1e-3))
    contacts = {"left": uf.Reservoir(gap=0.0, voltage=1.0), "right": NORMAL, "probe": probe}
    neq = uf.solve_nonequilibrium(uf.Device(mesh, {"N": uf.normal_metal()}, contacts), temperature=0.1)
    assert neq.voltages["probe"] == pytest.approx(0.25, abs=1e-5)
    assert uf.charge_current(neq).through("probe") == pytest.approx(0.0, abs=1e-12)
    assert neq.with_bias(left=-2.0).voltages["probe"] == pytest.approx(-0.5, abs=1e-5)


# Reentrance: a normal wire between a normal and a superconducting reservoir

REENTRANCE = {
    0.0: 1.0, 1.0: 1.014707, 2.0: 1.054827, 5.0: 1.146201, 10.0: 1.10735, 20.0: 1.069737, 40.0: 1.048568
}  # fmt: skip


def test_the_conductance_of_a_normal_wire_on_a_superconductor_is_reentrant():
    assert spectral(wire(RIGID), list(REENTRANCE)) == pytest.approx(list(REENTRANCE.values()), abs=3e-6)


@pytest.mark.parametrize("energy", [1.0, 5.0, 20.0])
def test_its_conductance_is_that_of_the_parametrised_equation(energy):
    # theta'' = -2iE sin(theta) from 0 to pi/2, and D_T = cosh^2(Im theta)
    def slopes(x, y):
        theta, slope = y[0] + 1j * y[1], y[2:]
        bend = -2j * energy * np.sin(theta)
        return np.array([*slope, bend.real, bend.imag])

    def ends(a, b):
        return np.array([a[0], a[1], b[0] - np.pi / 2, b[1]])

    x = np.linspace(0, 1, 200)
    guess = np.array([np.pi / 2 * x, 0 * x, np.pi / 2 + 0 * x, 0 * x])
    solution = solve_bvp(slopes, ends, x, guess, tol=1e-10, max_nodes=100000)
    resistance, _ = quad(lambda x: 1 / np.cosh(solution.sol(x)[1]) ** 2, 0, 1, epsabs=1e-12)
    assert spectral(wire(RIGID), [energy, 50.0])[0] == pytest.approx(1 / resistance, rel=3e-6)


def test_its_maximum():
    energies = np.array([5.05, 5.15, 5.25])
    below, top, above = spectral(wire(RIGID), energies)
    curvature, slope = (above - 2 * top + below) / 0.01, (above - below) / 0.2  # of a parabola
    assert energies[1] - slope / curvature == pytest.approx(5.1357, abs=2e-3)
    assert top - slope**2 / (2 * curvature) == pytest.approx(1.146311, abs=5e-6)


def test_no_energy_passes_below_the_gap():
    assert abs(spectral(wire(RIGID), [0.0, 5.0, 40.0], ENERGY)).max() < 1e-11


@pytest.mark.parametrize(("temperature", "expected"), [(1.0, 1.03448), (5.238, 1.09335)])
def test_its_conductance_at_finite_temperatures(temperature, expected):
    device = wire(uf.Reservoir(gap=4e4 * temperature), size=1 / 20)
    neq = uf.solve_nonequilibrium(device, temperature=temperature, broadening=1e-6, tolerance=1e-5)
    conductance = linear_conductance(neq, step=1e-3 * temperature)
    assert conductance * R_N == pytest.approx(expected, abs=1e-4)


def test_charge_and_heat_conductance_across_the_gap():
    device = wire(uf.Reservoir(gap=10.0))
    energies = [1.0, 5.0, 9.0, 10.5, 12.0, 20.0]
    charge, heat = (spectral(device, energies, mode, temperature=1.0) for mode in (CHARGE, ENERGY))
    assert charge == pytest.approx([1.029921, 1.332879, 1.401273, 1.202145, 1.109556, 1.023157], abs=3e-6)
    assert heat == pytest.approx([0, 0, 0, 0.870294, 0.948188, 0.991622], abs=3e-6)


# Barriers


@pytest.mark.parametrize(("ratio", "expected"), [(1.0, 1.242267), (5.0, 4.442175), (0.2, 1.005998)])
def test_reflectionless_tunnelling(ratio, expected):
    # R = R_N + R_T/sin(theta0) with theta0 R_T/R_N = cos(theta0) (Volkov, Zaitsev and Klapwijk 1993)
    theta = brentq(lambda t: ratio * t - np.cos(t), 0, np.pi / 2)
    assert (1 + ratio / np.sin(theta)) / (1 + ratio) == pytest.approx(expected, abs=1e-6)
    device = wire(uf.Reservoir(gap=1e6, barrier=uf.Tunnel(conductance=1 / (ratio * R_N))))
    conductance = spectral(device, [0.0, 1.0])[0]
    assert 1 / (conductance * (1 + ratio)) == pytest.approx(expected, abs=2e-6)


def test_the_zero_bias_anomaly_of_a_tunnel_barrier_decays_with_the_energy():
    device = wire(uf.Reservoir(gap=1e6, barrier=uf.Tunnel(conductance=1 / R_N)))
    assert 2 * spectral(device, [2.0, 5.0, 20.0]) == pytest.approx([0.627818, 0.379476, 0.203971], abs=2e-6)


def bcs_density(energy, broadening=0.0):
    e = abs(energy) + 1j * broadening
    return (e / np.sqrt(e**2 - 1)).real


def tunnel_integral(weight, top=12.0):
    """Int dE N(E) weight(E) of a superconductor of gap 1: E = cosh u takes the singularity away."""
    value, _ = quad(
        lambda u: np.cosh(u) * (weight(np.cosh(u)) + weight(-np.cosh(u))), 0, np.arccosh(top), epsabs=1e-13, limit=500
    )
    return value


@pytest.fixture(scope="module")
def nis():
    """A large normal metal, a tunnel barrier of conductance 1 and a superconductor of gap 1, T = 0.26."""
    barrier = uf.Tunnel(conductance=1.0)
    device = wire(uf.Reservoir(gap=1.0, barrier=barrier), left=uf.Reservoir(gap=0.0, voltage=1.0), size=0.5, D=1e8)
    with pytest.warns(UnitWarning, match="decay lengths"):  # of the large metal
        return uf.solve_nonequilibrium(device, temperature=0.26, broadening=1e-6)


def at_temperature(neq, temperature, voltage):
    return neq.with_bias({
        "left": {"temperature": temperature, "voltage": voltage}, "right": {"temperature": temperature}
    })  # fmt: skip


@pytest.mark.parametrize(("voltage", "expected"), [(0.0, 4.007618e-2), (1.0, 1.184026)])
def test_conductance_of_a_tunnel_junction_to_a_superconductor(nis, voltage, expected):
    t = 0.2
    reference = tunnel_integral(lambda e: 1 / (4 * t * np.cosh((e - voltage) / (2 * t)) ** 2))
    assert reference == pytest.approx(expected, rel=1e-6)
    conductance = linear_conductance(at_temperature(nis, t, 0.0), voltage=voltage)
    assert conductance == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("temperature", "voltage", "expected"), [(0.4433, 0.83256, 0.058053), (0.3, 0.89748, 0.043594)]
)
def test_a_tunnel_junction_cools_its_normal_side(nis, temperature, voltage, expected):
    # temperatures in Tc, the others in the gap at T = 0; the same junction in units of its gap at this temperature
    tc = np.exp(np.euler_gamma) / np.pi
    gap = uf.materials.bcs_gap(temperature * tc, Tc=tc)
    t, v = temperature * tc / gap, voltage / gap

    def cooling(e):
        return (e - v) * (1 / (np.exp((e - v) / t) + 1) - 1 / (np.exp(e / t) + 1))

    assert tunnel_integral(cooling) * gap**2 == pytest.approx(expected, rel=1e-4)
    heat = uf.heat_current(at_temperature(nis, t, v))
    assert -heat.through("left") * gap**2 == pytest.approx(expected, rel=1e-4)


# Superconducting wires


def response(neq, terminal, mode, energy=0):
    """The distribution (modes, nodes) that a unit of a mode at a contact makes."""
    return neq.responses[energy, neq.columns.tolist().index([terminal, mode])].T


def nearest(neq, point):
    """The node at a point."""
    return np.argmin(((neq.problem.space.nodes.T - point) ** 2).sum(axis=1))


@pytest.mark.parametrize("energy", [0.0, 0.5, 0.9])
@pytest.mark.filterwarnings("ignore:charge is not conserved")
def test_charge_turns_into_supercurrent_over_a_length_that_grows_towards_the_gap(energy):
    # lambda^2 = D / 2 sqrt(Delta^2 - E^2); nothing is left at the reservoir
    left = uf.Reservoir(gap=0.0, voltage=0.01, barrier=uf.Tunnel(conductance=1e-4))
    contacts = {"left": left, "right": uf.Reservoir(gap=1.0)}
    device = uf.Device(uf.interval({"S": 5.0}, size=0.1), {"S": uf.superconductor(gap=1.0)}, contacts)
    neq = uf.solve_nonequilibrium(device, temperature=0.1, energies=[energy, 4.0], broadening=1e-5)
    near, far = response(neq, 0, CHARGE)[CHARGE, [nearest(neq, (x,)) for x in (0.5, 2.5)]]
    length = brentq(lambda s: np.sinh(4.5 / s) / np.sinh(2.5 / s) - near / far, 0.3, 3.0)
    assert length == pytest.approx((4 * (1 - energy**2)) ** -0.25, rel=1e-4)


# Several contacts


def strip(x, y):
    return skfem.MeshQuad.init_tensor(x, y).with_subdomains({"N": lambda x: x[0] < np.inf})


def controlled_junction(voltage):
    """A thin wire between superconductors, into the middle of which weak contacts at opposite voltages inject."""
    width = 0.05
    x = 0.5 - 0.5 * np.cos(np.pi * np.linspace(0, 1, 21))  # finer at the superconductors
    mesh = strip(x, np.array([0, width])).with_boundaries({
        "left": lambda x: x[0] == 0, "right": lambda x: x[0] == 1,
        "up": lambda x: (x[1] == width) & (abs(x[0] - 0.5) < 0.1),
        "down": lambda x: (x[1] == 0) & (abs(x[0] - 0.5) < 0.1),
    })  # fmt: skip
    weak = uf.Tunnel(conductance=1e-5)
    phases = {"left": -np.pi / 4, "right": np.pi / 4}
    contacts = {name: uf.Reservoir(gap=1e5, phase=phase) for name, phase in phases.items()}
    contacts |= {"up": uf.Reservoir(gap=0.0, voltage=voltage, barrier=weak)}
    contacts |= {"down": uf.Reservoir(gap=0.0, voltage=-voltage, barrier=weak)}
    return uf.Device(mesh, {"N": uf.normal_metal()}, contacts), R_N / width


@pytest.mark.slow
def test_injected_electrons_reverse_the_supercurrent():
    # two steps at +-V: the pi junction of Baselmans et al. (1999); long junction, phase pi/2, cold reservoirs
    device, resistance = controlled_junction(20.0)
    neq = uf.solve_nonequilibrium(device, temperature=0.02, tolerance=1e-4, energy_range=(0, 22))

    def current(voltage):
        return float(uf.charge_current(neq.with_bias(up=voltage, down=-voltage)).through("right")) * resistance

    # the broadening of 1e-3 moves them by 3e-3, one of 1e-4 by less than 1e-3
    expected = {0.0: 10.0911, 5.0: 4.5599, 10.0: -2.1320, 15.46: -3.69558, 20.0: -3.1432}
    assert [current(voltage) for voltage in expected] == pytest.approx(list(expected.values()), abs=4e-3)
    assert brentq(current, 7.0, 8.4) == pytest.approx(7.6834, rel=4e-4)


# Networks of wires, for which numbers of a one-dimensional code are published: strips that meet in squares of a metal
# that conducts so well and holds so little that they are points.
WIDTH = 0.01
POINT = uf.normal_metal(D=1e6, N0=1e-3)


def extent(x0, x1, y0, y1):
    return np.array([[x0, x1], [y0, y1]])


def network(wires, contacts, cross_sections=1.0, cells=12):
    """Strips, or squares between them, name -> extent; a contact at the free end of each strip that has its name.

    Cross-sections are made of densities of states.
    """
    steps = (1 - np.cos(np.pi * np.linspace(0, 1, cells + 1))) / 2  # fine at contacts and at other wires

    def grid(axis):
        parts = [own[axis, 0] + np.ptp(own[axis]) * steps for own in wires.values() if np.ptp(own[axis]) > WIDTH]
        return np.unique(np.concatenate([*parts, *(own[axis] for own in wires.values())]).round(10))

    def within(own, x):
        return ((own[:, 0, None] < x + 1e-9) & (x < own[:, 1, None] + 1e-9)).all(axis=0)

    def at_end(own, x):
        axis = np.ptp(own, axis=1).argmax()
        return within(own, x) & np.isclose(own[axis][:, None], x[axis]).any(axis=0)

    wires = {name: own.round(10) for name, own in wires.items()}
    mesh = skfem.MeshQuad.init_tensor(grid(0), grid(1))
    centres = mesh.p[:, mesh.t].mean(axis=1)
    mesh = mesh.restrict(np.flatnonzero(np.any([within(own, centres) for own in wires.values()], axis=0)))
    mesh = mesh.with_subdomains({name: lambda x, own=own: within(own, x) for name, own in wires.items()})
    mesh = mesh.with_boundaries({name: lambda x, own=wires[name]: at_end(own, x) for name in contacts})
    weights = dict(zip(wires, np.broadcast_to(cross_sections, len(wires)).tolist(), strict=True))
    metals = {name: POINT if name.startswith("o") else uf.normal_metal(N0=weight) for name, weight in weights.items()}
    return uf.Device(mesh, metals, contacts)


def test_supercurrents_of_an_andreev_interferometer_with_a_bias():
    # an independent one-dimensional solution; the code usadel1 prints 6.8; 4.2; 2.5, 3.5, 1.0; 1.2, 2.4, 1.2. Half a
    # length to each of two superconductors, with phases -+pi/4, and 5 to N; temperature and voltage of N, currents of
    # S1, S2 and N
    expected = {
        (1.0, 0.0): (6.827, 6.827, 0.0), (3.0, 0.0): (4.22, 4.22, 0.0), (1.0, 5.0): (2.508, 3.508, 1.001),
        (4.0, 6.0): (1.192, 2.372, 1.180),
    }  # fmt: skip
    w = WIDTH
    wires = {"o": extent(0, w, 0, w), "S1": extent(-0.5, 0, 0, w), "S2": extent(w, w + 0.5, 0, w)}
    contacts = {name: uf.Reservoir(gap=1e5, phase=phase) for name, phase in (("S1", -np.pi / 4), ("S2", np.pi / 4))}
    contacts["N"] = uf.Reservoir(gap=0.0, voltage=6.0, temperature=4.0)
    device = network(wires | {"N": extent(0, w, w, w + 5)}, contacts)
    neq = uf.solve_nonequilibrium(device, temperature=1.0, tolerance=1e-4, broadening=1e-4)
    for (temperature, voltage), currents in expected.items():
        flow = uf.charge_current(neq.with_bias({"N": {"voltage": voltage, "temperature": temperature}}))
        found = [abs(flow.through(name)) / (2 * w) for name in ("S1", "S2", "N")]
        assert found == pytest.approx(currents, rel=2e-3, abs=1e-9)


def test_thermopower_of_a_four_probe_structure():
    # printed by usadel1, asserted there to 1 %, for the other sign of the phase: temperatures of N1, N2 and both
    # superconductors (gap 50, phases -+pi/4), and the potentials at which N1 and N2 carry no current. Wires N1 and S1
    # meet at one end of the middle one, N2 and S2 at the other; each has its own length and cross-section.
    published = {
        (1.01, 0.99, 1.0, 1.0): (0.000991, 0.000683), (5.1, 5.9, 5.0, 5.0): (-0.00710, -0.00278),
        (26.0, 24.0, 25.0, 25.0): (0.000717, -0.000103), (26.0, 24.0, 1.0, 1.0): (0.000774, -0.000148),
        (40.0, 40.0, 39.0, 41.0): (1.391e-5, 1.833e-5),
    }  # fmt: skip
    w, (n1, n2, s1, s2, middle) = WIDTH, np.array([1.1, 0.8, 0.7, 1.3, 1.0]) / 2.3
    right = w + middle
    wires = {
        "N1": extent(0, w, -n1, 0), "N2": extent(right, right + w, -n2, 0), "S1": extent(0, w, w, w + s1),
        "S2": extent(right, right + w, w, w + s2), "middle": extent(w, right, 0, w), "o1": extent(0, w, 0, w),
        "o2": extent(right, right + w, 0, w),
    }  # fmt: skip
    contacts = {name: uf.Reservoir(gap=0.0, voltage=uf.FLOATING) for name in ("N1", "N2")}
    contacts |= {"S1": uf.Reservoir(gap=50.0, phase=-np.pi / 4), "S2": uf.Reservoir(gap=50.0, phase=np.pi / 4)}
    device = network(wires, contacts, [0.7, 1.2, 0.8, 0.9, 1.1, 1.0, 1.0])
    neq = uf.solve_nonequilibrium(
        device, temperature=25.0, tolerance=1e-4, broadening=1e-6, energy_range=(0.0, 1000.0)
    )  # fmt: skip
    for temperatures, potentials in published.items():
        given = {name: {"temperature": own} for name, own in zip(contacts, temperatures, strict=True)}
        found = neq.with_bias(given).voltages
        assert [-found["N1"], -found["N2"]] == pytest.approx(potentials, rel=1e-2)
