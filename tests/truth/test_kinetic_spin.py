"""Spin out of equilibrium: precession, relaxation, spin filters, spin Hall effect and swapping against closed forms."""

import numpy as np
import pytest
import skfem
from scipy.integrate import quad
from scipy.sparse import bsr_array
from scipy.sparse.linalg import spsolve

import usadelfem as uf
from usadelfem.fem.problem import build_problem
from usadelfem.nonequilibrium.kinetic import Kinetic

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")

NORMAL = uf.Reservoir(gap=0.0)
ENERGY, CHARGE, SZ, SZ_ENERGY = 0, 1, 4, 7  # modes
TRANSVERSE = 2 + np.arange(2)


# Ferromagnetic wires


def conductances(exchange, energies):
    """Conductances by modes of the left contact of a wire on a rigid superconductor, in units of the normal one."""
    contacts = {"left": NORMAL, "right": uf.Reservoir(gap=1e6)}
    device = uf.Device(
        uf.interval({"F": 1.0}, size=1 / 40), {"F": uf.ferromagnet(exchange=exchange)}, contacts
    )
    neq = uf.solve_nonequilibrium(device, temperature=20.0, energies=energies, broadening=1e-7)
    return uf.conductance_matrix(neq).values[:, 0, :, 0, :] / 2


def test_an_exchange_field_shifts_the_reentrance_of_both_spins_in_opposite_directions():
    # charge [G(E+h) + G(E-h)]/2, and a charge current carries spin energy [G(E+h) - G(E-h)]/2 (G at E = 4, 2, 7, 1)
    found = conductances((0.0, 0.0, 3.0), [1.0, 4.0])
    assert found[:, CHARGE, CHARGE] == pytest.approx([1.095480, 1.074558], abs=3e-6)
    assert found[:, SZ_ENERGY, CHARGE] == pytest.approx([0.040654, 0.059852], abs=3e-6)
    shifted = conductances((0.0, 0.0, 1e-9), [1.0, 2.0, 4.0, 7.0])[:, CHARGE, CHARGE]
    assert found[0, CHARGE, CHARGE] == pytest.approx((shifted[2] + shifted[1]) / 2, abs=1e-6)
    assert found[1, SZ_ENERGY, CHARGE] == pytest.approx((shifted[3] - shifted[0]) / 2, abs=1e-6)


def test_no_spin_along_the_field_passes_below_the_gap():
    found = conductances((0.0, 0.0, 3.0), [1.0, 4.0])
    assert abs(found[:, SZ]).max() < 1e-11
    assert abs(found[:, :, SZ]).max() < 1e-11


@pytest.mark.parametrize(
    ("scattering", "rate"),
    [
        ({"tau_so": 0.5}, 2.0), ({"tau_sf": 0.5}, 2.0), ({"tau_so": 0.8, "tau_sf": 1.6}, 1.25 + 0.625),
        ({"tau_so": (np.inf, np.inf, 0.5)}, 1.0),  # at sigma_z: spins across it relax with half of 1/tau
    ],
)  # fmt: skip
def test_hanle_precession_of_injected_spins(scattering, rate):
    # h_x + i h_y ~ exp(-k x) with k^2 = (1/tau + 2ih)/D, and none at the end
    D, field, length = 1.5, 0.7, 2.0
    contacts = {"left": uf.Reservoir(gap=0.0, spin_bias=(1e-3, 0, 0)), "right": NORMAL}
    metal = uf.ferromagnet(D=D, exchange=(0, 0, field), **scattering)
    device = uf.Device(uf.interval({"F": length}, size=0.05), {"F": metal}, contacts)
    neq = uf.solve_nonequilibrium(device, temperature=1.0, energies=[0.0, 1.0, 20.0])
    x = np.array([0.0, 0.3, 0.9, 1.5])
    spins = uf.distribution(neq).at([x])[1, TRANSVERSE]
    k = np.sqrt((rate + 2j * field) / D)
    expected = np.sinh(k * (length - x)) / np.sinh(k * length)
    assert (spins[0] + 1j * spins[1]) / spins[0, 0] == pytest.approx(expected, abs=1e-6)


def test_torques_of_a_normal_metal_are_precession_and_relaxation_of_its_spin_density():
    field, tau_so, tau_sf = np.array([0.3, -0.5, 0.7]), 0.5, np.array([1.0, 2.0, 4.0])
    metal = uf.ferromagnet(D=1.5, N0=0.8, exchange=field, tau_so=tau_so, tau_sf=tau_sf)
    contacts = {"left": uf.Reservoir(gap=0.0, spin_bias=(0.1, 0.2, 0.3)), "right": NORMAL}
    device = uf.Device(uf.interval({"F": 1.0}, size=0.1), {"F": metal}, contacts)
    neq = uf.solve_nonequilibrium(device, temperature=0.3)
    density = uf.spin_density(neq).quadrature  # in hbar/2
    precession = np.cross(density.T, field).T
    assert uf.spin_torque(neq, "exchange").quadrature == pytest.approx(precession, abs=1e-12)
    others = [(1 / tau_sf).sum() / 2 - 1 / (2 * tau) for tau in tau_sf]  # the mean of the two other axes
    relaxation = -density / 2 * (1 / tau_so + np.array(others))[:, None, None]
    assert uf.spin_torque(neq, "relaxation").quadrature == pytest.approx(relaxation, abs=1e-12)


def test_occupation_and_density_of_spins_in_a_biased_reservoir():
    bias = uf.Reservoir(gap=0.0, temperature=0.3, voltage=0.2, spin_bias=(0.0, 0.3, 0.4))
    device = uf.Device(uf.interval({"N": 1.0}, size=0.25), {"N": uf.normal_metal()}, {"left": bias, "right": NORMAL})
    neq = uf.solve_nonequilibrium(device, temperature=0.1)
    for sign in (1, -1):
        occupation = uf.occupation(neq, spin=sign * np.array([0, 3, 4]))
        expected = 1 / (np.exp((occupation.series.values - 0.2 - sign * 0.5) / 0.3) + 1)
        assert occupation.at([[0.0]])[:, 0] == pytest.approx(expected, abs=1e-12)
    spins = uf.spin_density(neq).at([[0.0, 0.5]]).T
    assert spins == pytest.approx(2 * np.array([[0, 0.3, 0.4], [0, 0.15, 0.2]]), abs=1e-9)


# Homogeneous superconductors: the equation at a point, diffusion - D_ij h_j'' + S_ij h_j = 0


def bulk(energy, **coefficients):
    """Diffusion and relaxation of the modes of a superconductor of gap 1, in units of D, (8, 8)."""
    metal = uf.superconductor(**{"gap": 1.0} | coefficients)
    device = uf.Device(uf.interval({"S": 1.0}, size=1.0), {"S": metal})
    spec = uf.solve_spectrum(device, [energy, energy + 0.1], broadening=1e-8, order=1, sector="full")
    kinetic = Kinetic(spec.problem)
    matrix = dense(kinetic, complex(1e-8, -energy), spec.states[0]).reshape(2, 8, 2, 8)
    x = spec.problem.space.nodes[0]  # of distributions that are uniform, or linear
    local = matrix.sum(axis=(0, 2))
    flux = np.einsum("i,iajb,j->ab", x, matrix, x) - local / 3
    order = [0, 4, 1, 2, 3, 5, 6, 7]
    return flux[np.ix_(order, order)] / 8, local[np.ix_(order, order)] / 8


def dense(kinetic, w, state):
    pattern = kinetic.pattern
    return bsr_array((kinetic.blocks(w, state), pattern.indices, pattern.indptr)).toarray()


def spin_split(energy, field, rate_so, rate_sf):
    """G and f (F = i f) of both spins in a homogeneous superconductor of gap 1, by iteration."""
    g, f = np.ones(2, complex), np.zeros(2, complex)
    for _ in range(2000):
        w = -1j * (energy + field * np.array([1, -1])) + (rate_so + rate_sf) / 8 * (g + 2 * g[::-1]) + 1e-8
        gap = 1 + (rate_so - rate_sf) / 8 * (f + 2 * f[::-1])
        root = np.sqrt(w**2 + gap**2)
        root = np.where((w / root).real < 0, -root, root)
        g, f = (g + w / root) / 2, (f + gap / root) / 2
    return g, f


@pytest.mark.parametrize(
    ("rate_so", "rate_sf", "relaxation", "inverse_square"),
    [(0.2, 0.0, 0.232429, 0.232708), (0.0, 0.2, 0.50077, 0.525841)],
)
def test_spin_relaxation_in_a_spin_split_superconductor(rate_so, rate_sf, relaxation, inverse_square):
    # S_T3 of Bergeret et al., RMP 90, 041001 (2018), and the mode of h_z and h_L that does not relax: E = 1.5, h = 0.3
    (up, down), f = spin_split(1.5, 0.3, rate_so, rate_sf)
    densities, pairs = up.real * down.real, f[0].imag * f[1].imag
    rate = rate_so * (densities - pairs) + rate_sf * (densities + pairs)
    of_up, of_down = (1 + abs(np.array([up, down])) ** 2 - abs(f) ** 2) / 2
    square = rate * (of_up + of_down) / (2 * of_up * of_down)
    assert (rate, square) == pytest.approx((relaxation, inverse_square), abs=1e-6)

    times = {"tau_so": 1 / rate_so if rate_so else np.inf, "tau_sf": 1 / rate_sf if rate_sf else np.inf}
    diffusion, local = bulk(1.5, exchange=(0.0, 0.0, 0.3), **times)
    modes = np.ix_([ENERGY, SZ], [ENERGY, SZ])
    sum_and_difference = (of_up + of_down) / 2 * np.eye(2) + (of_up - of_down) / 2 * np.array([[0, 1], [1, 0]])
    assert diffusion[modes] == pytest.approx(sum_and_difference, abs=1e-7)
    assert local[modes] == pytest.approx(np.diag([0.0, rate]), abs=1e-7)
    eigenvalues = np.sort(np.linalg.eigvals(np.linalg.solve(diffusion[modes], local[modes])).real)
    assert eigenvalues == pytest.approx([0.0, square], abs=1e-7)


@pytest.mark.parametrize("energy", [0.0, 0.5, 0.9])
def test_charge_conversion_and_diffusion_below_the_gap(energy):
    diffusion, local = bulk(energy)
    assert local[CHARGE, CHARGE] / diffusion[CHARGE, CHARGE] == pytest.approx(2 * np.sqrt(1 - energy**2), rel=1e-6)
    assert diffusion[CHARGE, CHARGE] == pytest.approx(1 / (1 - energy**2), rel=1e-6)
    assert abs(diffusion[[ENERGY, SZ], [ENERGY, SZ]]).max() < 1e-12


@pytest.mark.parametrize("field", [0.2, 0.4])
def test_spins_across_an_exchange_field_diffuse_backwards_below_the_gap(field):
    diffusion, _ = bulk(0.0, exchange=(0.0, 0.0, field))
    assert diffusion[TRANSVERSE, TRANSVERSE] == pytest.approx(2 * [-(field**2) / (1 - field**2)], rel=1e-6)


# A spin filter between a large normal metal and a spin-split superconductor (Ozaeta et al. 2014)

FIELD = 0.3


def filtered(polarization):
    barrier = uf.SpinActive(conductance=1.0, polarization=polarization)
    superconductor = uf.Reservoir(gap=1.0, exchange=(0.0, 0.0, FIELD), barrier=barrier)
    contacts = {"left": NORMAL, "right": superconductor}
    return uf.Device(uf.interval({"N": 1.0}, size=0.5), {"N": uf.normal_metal(D=1e8)}, contacts)


def density(energy, broadening):
    z = energy + 1j * broadening
    return (z / np.sqrt(z**2 - 1)).real * np.sign(energy)


@pytest.mark.parametrize("polarization", [0.5, -0.9])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_a_spin_filter_turns_heat_into_charge_with_the_difference_of_the_densities_of_both_spins(polarization):
    energies, broadening = np.array([0.2, 0.8, 1.0, 1.2, 1.5, 3.0]), 1e-3
    neq = uf.solve_nonequilibrium(filtered(polarization), temperature=0.2, energies=energies, broadening=broadening)
    found = uf.conductance_matrix(neq).values * (1 + np.sqrt(1 - polarization**2)) / 2  # of both spins together
    up, down = density(energies + FIELD, broadening), density(energies - FIELD, broadening)
    assert found[:, 0, CHARGE, 0, CHARGE] == pytest.approx((up + down) / 2, rel=1e-6, abs=1e-6)
    assert found[:, 0, ENERGY, 0, ENERGY] == pytest.approx((up + down) / 2, rel=1e-6, abs=1e-6)
    assert found[:, 0, CHARGE, 0, ENERGY] == pytest.approx(polarization * (up - down) / 2, rel=1e-6, abs=1e-6)
    assert found[:, 0, CHARGE, 1, ENERGY] == pytest.approx(found[:, 1, ENERGY, 0, CHARGE], rel=1e-6)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_thermoelectricity_of_a_spin_filter():
    # T = 0.2, h = 0.3, P = 1: G/G_T, alpha/G_T and G_th T/G_T, with the Onsager partner of alpha
    t, step = 0.2, 2e-4
    neq = uf.solve_nonequilibrium(filtered(1.0), temperature=t, broadening=1e-5, tolerance=1e-5)

    def currents(change):
        moved = neq.with_bias({"left": change})
        return -0.5 * np.array([float(f(moved).through("left")) for f in (uf.charge_current, uf.heat_current)])

    by_voltage = (currents({"voltage": step}) - currents({"voltage": -step})) / (2 * step)
    by_temperature = (currents({"temperature": t + step}) - currents({"temperature": t - step})) / (2 * step)
    assert by_voltage == pytest.approx([9.152325e-2, 6.456203e-2], rel=3e-4)
    assert by_temperature * t == pytest.approx([6.456203e-2, 6.910326e-2], rel=3e-4)
    assert by_temperature[0] * t == pytest.approx(by_voltage[1], rel=3e-6)


def test_the_published_numbers_are_integrals_over_the_densities_of_both_spins():
    t = 0.2

    def integral(weight):
        value = 0.0
        for spin in (1, -1):  # E = +-cosh u - spin h
            def of(u, spin=spin):
                e = np.array([np.cosh(u), -np.cosh(u)]) - spin * FIELD
                return (np.cosh(u) * weight(e, spin) / (4 * t * np.cosh(e / (2 * t)) ** 2)).sum()
            value += 0.5 * quad(of, 0, 4, epsabs=1e-13)[0]
        return value

    found = [integral(weight) for weight in (lambda e, s: 1 + 0 * e, lambda e, s: s * e, lambda e, s: e**2)]
    assert found == pytest.approx([9.152325e-2, 6.456203e-2, 6.910326e-2], rel=1e-6)


# Spin Hall effect and spin swapping in two dimensions


def strip(length, width, cells):
    axes = (np.linspace(0, size, n + 1) for size, n in zip((length, width), cells, strict=True))
    mesh = skfem.MeshQuad.init_tensor(*axes)
    ends = {"left": lambda x: x[0] == 0, "right": lambda x: x[0] == length}
    return mesh.with_subdomains({"N": lambda x: x[0] < np.inf}).with_boundaries(ends)


@pytest.mark.parametrize("gap", [0.0, 1.0])
def test_spins_at_the_edge_of_a_strip_that_carries_charge(gap):
    # theta N(E) lambda_s tanh(W/2 lambda_s) per gradient of h_T; the charge conductivity is N(E)^2
    theta, relaxation, width = 0.1, 0.5, 2.0
    metal = uf.materials.Material(gap=gap, theta=theta, tau_so=relaxation)
    contacts = dict.fromkeys(("left", "right"), uf.Reservoir(gap=gap))
    device = uf.Device(strip(12.0, width, (24, 8)), {"N": metal}, contacts)
    energies = np.array([1.1, 1.5, 3.0])
    neq = uf.solve_nonequilibrium(device, temperature=1.0, energies=energies, broadening=1e-6)
    dos = energies / np.sqrt(energies**2 - gap**2)
    columns, nodes = neq.columns.tolist(), neq.problem.space.nodes

    def at(x, y):
        node = np.argmin((nodes[0] - x) ** 2 + (nodes[1] - y) ** 2)
        return driven[:, node]

    length = np.sqrt(relaxation)
    charge = neq.responses.shape[3] // 2
    driven = neq.responses[:, columns.index([0, charge])] - neq.responses[:, columns.index([1, charge])]
    gradient = (at(6.25, 1.0) - at(5.75, 1.0))[:, charge] / 0.5
    profile = theta * length * np.array([np.tanh(1 / length), np.sinh(0.5 / length) / np.cosh(1 / length), 0.0])
    assert profile[0] == pytest.approx(0.0628183, abs=1e-7)
    for y, expected in zip((2.0, 1.5, 1.0), profile, strict=True):
        assert at(6.0, y)[:, 1] / -gradient == pytest.approx(dos * expected, rel=1e-4, abs=1e-9)
    found = uf.conductance_matrix(neq).values[:, 0, CHARGE, 0, CHARGE] * 12.0 / (2 * width)
    assert found == pytest.approx(dos**2, rel=theta**2)


def swapping_error(cells, sign=1):
    """Largest error at the nodes of a strip with the exact profile imposed at both ends."""
    kappa, relaxation = 0.35, 0.5
    metal = uf.normal_metal(kappa=kappa, tau_so=relaxation)
    problem = build_problem(uf.Device(strip(1.0, 1.0, (cells, cells)), {"N": metal}), 2, sector="full")
    x, y = problem.space.nodes
    p = 1 / np.sqrt(relaxation * (1 - kappa**2))
    spin = np.exp(-p * x + sign * 1j * kappa * p * y)
    h = np.zeros((len(x), 8))
    h[:, 1], h[:, 2] = spin.real, spin.imag
    fixed = np.repeat((x == 0) | (x == 1), 8)
    kinetic = Kinetic(problem)
    pattern = kinetic.pattern
    blocks = kinetic.blocks(1e-3 - 1j, np.zeros((len(x), 8), complex))
    matrix = bsr_array((blocks, pattern.indices, pattern.indptr)).tocsr()
    found = h.ravel().copy()
    found[~fixed] = spsolve(matrix[~fixed][:, ~fixed].tocsc(), -matrix[~fixed][:, fixed] @ found[fixed])
    return abs(found - h.ravel()).max()


def test_injected_spins_are_swapped_across_a_strip():
    # S_x + i S_y = exp(-p x + i kappa p y), p = 1/(lambda_s sqrt(1 - kappa^2)): free edges at any y
    errors = [swapping_error(cells) for cells in (4, 8, 16)]
    assert errors[-1] < 3e-6
    assert errors[0] / errors[1] > 6  # like the third power of the mesh size
    assert errors[1] / errors[2] > 7


def test_swapped_spins_turn_in_one_direction_only():
    assert swapping_error(8, sign=-1) > 0.1


def test_a_magnetic_square_with_everything():
    # numbers of another discretisation: F with theta, kappa and tau_so between a superconductor and a normal reservoir,
    # h_T imposed at the latter, E = 6
    mesh = uf.rectangle({"F": 1.0}, width=1.0, size=0.1)
    metal = uf.ferromagnet(exchange=(1.5, 0.6, 2.0), theta=0.25, kappa=0.35, tau_so=2.0)
    device = uf.Device(mesh, {"F": metal}, {"left": uf.Reservoir(gap=20.0), "right": NORMAL})
    neq = uf.solve_nonequilibrium(device, temperature=3.0, energies=[6.0, 6.5], broadening=1e-3)
    currents = uf.conductance_matrix(neq).values[0, 1, :, 1, CHARGE] / 2
    assert currents[[CHARGE, 2, 3]] == pytest.approx([1.262412, -0.010153, 0.002530], abs=2e-4)
    assert currents[[2, 3]] == pytest.approx([-0.010153, 0.002530], rel=2e-3)
    node = np.argmin(((neq.problem.space.nodes.T - (0.5, 1.0)) ** 2).sum(axis=1))
    h = neq.responses[0, neq.columns.tolist().index([1, 4]), node]
    assert h[[3, 4]] == pytest.approx([-0.11685, 0.43218], abs=5e-5)
