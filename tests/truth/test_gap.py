"""The self-consistent gap and its currents against BCS, Abrikosov and Gorkov, 4x4 matrices and collocation."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import oracle
import pytest
from scipy.integrate import quad
from scipy.optimize import anderson, brentq

import usadelfem as uf

GAP0 = np.pi * np.exp(-np.euler_gamma)  # bulk gap at T = 0 for Tc = 1


def bulk(mesh=None, **coefficients):
    mesh = uf.interval({"S": 1.0}, size=0.5) if mesh is None else mesh
    return uf.Device(mesh, {"S": uf.superconductor(Tc=1.0, **coefficients)})


def found_gap(device, temperature, **options):
    """The gap of a homogeneous device, the same at all points."""
    values = uf.gap(uf.solve_equilibrium(device, temperature, **options)).quadrature
    assert abs(values - values.flat[0]).max() < 1e-7
    return abs(values.flat[0])


def bcs_integral(gap, temperature):
    """ln(T/Tc) from the BCS equation, int dE [tanh(E/2T)/E - tanh(eps/2T)/eps] with eps = sqrt(E^2 + gap^2)."""

    def difference(energy):
        root = np.hypot(energy, gap)
        return np.tanh(energy / 2 / temperature) / energy - np.tanh(root / 2 / temperature) / root

    parts = [(1e-12, temperature), (temperature, 10), (10, 1e3), (1e3, np.inf)]
    return -sum(quad(difference, *part, epsabs=1e-13, limit=200)[0] for part in parts)


@pytest.mark.parametrize("temperature", [0.05, 0.3, 0.7, 0.95])
def test_bcs_gap_solves_the_gap_equation_of_bcs(temperature):
    gap = brentq(lambda gap: bcs_integral(gap, temperature) - np.log(temperature), 0.1, 2)
    assert uf.materials.bcs_gap(temperature) == pytest.approx(gap, rel=1e-9)


@pytest.mark.parametrize("method", ["anderson", "newton"])
@pytest.mark.parametrize("quadrature", ["gauss", "plain"])
@pytest.mark.parametrize("temperature", [0.05, 0.2, 0.5, 0.7, 0.9, 0.99])
def test_bulk_gap_follows_the_bcs_curve(temperature, quadrature, method):
    published = {0.05: 1.0, 0.5: 0.956885, 0.7: 0.828771, 0.9: 0.526342}
    gap = found_gap(bulk(), temperature, initial=2.0, quadrature=quadrature, method=method)
    assert gap == pytest.approx(uf.materials.bcs_gap(temperature), rel=1e-4)
    assert gap / GAP0 == pytest.approx(published.get(temperature, gap / GAP0), rel=1e-4)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("cell", ["triangle", "quad", "tetrahedron", "hexahedron"])
def test_bulk_gap_does_not_depend_on_the_cells(cell, order):
    make = uf.rectangle if cell in ("triangle", "quad") else uf.box
    device = bulk(make({"S": 1.0}, size=1.0, cell=cell))
    assert found_gap(device, 0.7, order=order, initial=1.5) == pytest.approx(uf.materials.bcs_gap(0.7), rel=1e-6)


@pytest.mark.parametrize("temperature", [1.02, 1.3])
@pytest.mark.parametrize("method", ["anderson", "newton"])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_gap_vanishes_above_tc(temperature, method):
    assert found_gap(bulk(), temperature, method=method, initial=0.5) < 1e-6


def test_gap_scales_with_the_unit_of_energy():
    unit = 3.7
    device = uf.Device(
        uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(Tc=unit, D=0.2, depairing=0.3 * unit)}
    )
    assert found_gap(device, 0.4 * unit) == pytest.approx(unit * found_gap(bulk(depairing=0.3), 0.4), rel=1e-8)


@pytest.mark.parametrize("temperature", [0.3, 0.9])
@pytest.mark.parametrize("initial", [3.0, 1.0j, 0.3, 1e-2, 1e-6, lambda x: np.exp(1j * x[0])])
def test_every_first_gap_leads_to_the_same_gap(initial, temperature):
    assert found_gap(bulk(), temperature, initial=initial) == pytest.approx(uf.materials.bcs_gap(temperature), rel=1e-6)


@pytest.mark.parametrize("method", ["anderson", "newton"])
def test_a_small_first_gap_grows_in_an_exchange_field(method):
    device = bulk(exchange=(0, 0, 1.0))
    small, large = (found_gap(device, 0.5, initial=initial, method=method) for initial in (0.3, 2.0))
    assert small == pytest.approx(large, rel=1e-6)


@pytest.mark.parametrize("name", ["depairing", "tau_sf"])
def test_gap_of_abrikosov_and_gorkov_at_zero_temperature(name):
    value = {"depairing": 0.1 * GAP0, "tau_sf": 7.5 / GAP0}[name]
    one, half = (found_gap(bulk(**{name: value}), temperature) for temperature in (0.08, 0.04))
    assert half + (half - one) / 3 == pytest.approx(0.918003 * GAP0, rel=1e-6)


@pytest.mark.parametrize("method", ["anderson", "newton"])
@pytest.mark.parametrize(("reduced", "superconducting"), [(0.97, True), (1.02, False)])
def test_gap_disappears_at_the_critical_depairing(reduced, superconducting, method):
    gap = found_gap(bulk(depairing=reduced * GAP0 / 2), 0.1, method=method)
    assert (gap > 0.1) == superconducting
    assert superconducting or gap < 1e-6


def bulk_matrix(w, gap, **coefficients):
    """g = sign(L), L with the self-energies of g itself: the homogeneous solution in 4x4 matrices."""
    g = oracle.TAU3
    for _ in range(2000):
        values, vectors = np.linalg.eig(oracle.self_energy(w, g, gap=gap, **coefficients))
        new = vectors @ np.diag(np.sign(values.real)) @ np.linalg.inv(vectors)
        if abs(new - g).max() < 1e-12:
            return g
        g = 0.5 * (g + new)
    raise AssertionError("no homogeneous solution")


@pytest.mark.parametrize(
    ("tau_so", "tau_sf", "depairing"), [(np.inf, np.inf, 0.0), (0.5, np.inf, 0.0), (0.05, 10.0, 0.1)]
)
def test_gap_in_an_exchange_field_agrees_with_homogeneous_matrices(tau_so, tau_sf, depairing):
    temperature, exchange = 0.4, (0.3, -0.2, 0.5)
    frequencies = np.pi * temperature * (2 * np.arange(8) + 1)
    rates = {"exchange": exchange, "rate_so": 1 / tau_so, "rate_sf": 1 / tau_sf, "depairing": depairing}

    def equation(gap):
        amplitudes = sum(0.5j * np.trace(bulk_matrix(w, gap, **rates)[:2, 2:]) for w in frequencies).real
        return gap * (np.log(temperature) + 2 * np.pi * temperature * (1 / frequencies).sum()) + (
            2 * np.pi * temperature * amplitudes
        )

    device = bulk(exchange=exchange, tau_so=tau_so, tau_sf=tau_sf, depairing=depairing)
    gap = found_gap(device, temperature, quadrature="plain", cutoff_index=8)
    assert gap == pytest.approx(brentq(equation, 1.0, 2.0, xtol=1e-9), rel=1e-7)


def with_sections(mesh, positions):
    """The mesh with facet sets cut0, cut1, ... across it."""
    cuts = {
        f"cut{k}": np.flatnonzero(np.isclose(mesh.p[0][mesh.facets], x).all(axis=0)) for k, x in enumerate(positions)
    }
    return replace(mesh, _boundaries={**mesh.boundaries, **cuts})


def junction(mesh, phase, middle, interfaces=None):
    """S1 | N | S2 between bulk reservoirs of the same superconductor."""
    contacts = {"left": uf.Reservoir(phase=-phase / 2), "right": uf.Reservoir(phase=phase / 2)}
    metal = uf.superconductor(Tc=1.0)
    return uf.Device(mesh, {"S1": metal, "N": middle, "S2": metal}, contacts, interfaces or {})


LAYERS = {"S1": 1.5, "N": 1.0, "S2": 1.5}
JUNCTIONS = {
    "normal": (uf.normal_metal(N0=0.5), {}),
    "tunnel": (uf.normal_metal(), {"S1_N": uf.Tunnel(conductance=0.5), "N_S2": uf.Tunnel(conductance=0.8)}),
    "channels": (
        uf.normal_metal(),
        {
            "S1_N": uf.SpinActive(conductance=0.5, polarization=0.4, mixing=0.6),
            "N_S2": uf.Nazarov(conductance=1.0, transparencies="diffusive"),
        },
    ),
    "magnet": (uf.ferromagnet(exchange=lambda x: 2 * np.array([np.sin(x[0]), 0 * x[0], np.cos(x[0])])), {}),
}


@pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
@pytest.mark.parametrize(("dim", "method"), [(1, "anderson"), (1, "newton"), (2, "anderson")])
@pytest.mark.parametrize("name", JUNCTIONS)
def test_current_is_the_same_through_all_sections(name, dim, method):
    mesh = uf.interval(LAYERS, size=0.1) if dim == 1 else uf.rectangle(LAYERS, width=0.5, size=0.25)
    mesh = with_sections(mesh, (0.5, 2.0, 3.25) if dim == 2 else (0.5, 2.0, 3.2))
    eq = uf.solve_equilibrium(junction(mesh, 1.3, *JUNCTIONS[name]), 0.3, method=method, cutoff=60.0)
    current, ahead = uf.charge_current(eq), (1.0, 0.0)[:dim]
    inner = [current.through(cut, into=ahead) for cut in ("cut0", "cut1", "cut2")]
    outer = [-current.through("left"), current.through("S1_N"), current.through("N_S2"), current.through("right")]
    assert [*inner, *outer] == pytest.approx([inner[1]] * 7, rel=1e-5)
    assert inner[1] > 1e-3


def chebyshev(count, start, end):
    """Chebyshev points of an interval, ascending, and the matrix of the derivative at them."""
    k = np.arange(count + 1)
    x = -np.cos(np.pi * k / count)
    c = np.where((k == 0) | (k == count), 2.0, 1.0) * (-1.0) ** k
    matrix = np.outer(c, 1 / c) / (x[:, None] - x + np.eye(count + 1))
    matrix = (matrix - np.diag(matrix.sum(axis=1))) * 2 / (end - start)
    return (start + end) / 2 + (end - start) / 2 * x, matrix


class Collocation:
    """Scalar Riccati equations u'' - 2 v u'^2/(1 + u v) = 2 w u - i gap - i gap* u^2 on layers, D = 1, and for v."""

    def __init__(self, ends, densities, conductance, count=18):
        pieces = [chebyshev(count, *pair) for pair in pairwise(ends)]
        self.x, self.width, self.conductance = np.concatenate([x for x, _ in pieces]), count + 1, conductance
        self.first = np.zeros((len(self.x),) * 2)
        for k, (_, first) in enumerate(pieces):
            own = slice(k * self.width, (k + 1) * self.width)
            self.first[own, own] = first
        self.sigma = 2 * np.repeat(densities, self.width)
        self.contacts = [k * self.width for k in range(1, len(densities))]

    def row(self, residual, matrix, gap, w, s, a, b, ends):
        """Fill the equations of one of the two functions, number s: a, its partner b."""
        one, d, slope, t = np.eye(len(a)), self.first, self.first @ a, 1 + a * b
        source, other = (1j * gap, -1j * gap.conj())[:: 1 - 2 * s]
        residual[s] = d @ slope - 2 * b * slope**2 / t - 2 * w * a + source - other * a**2
        matrix[s, :, s] = d @ d - (4 * b * slope / t)[:, None] * d
        matrix[s, :, s] += one * (2 * (b * slope / t) ** 2 - 2 * w - 2 * other * a)
        matrix[s, :, 1 - s] = one * (2 * a * b * slope**2 / t**2 - 2 * slope**2 / t)
        for place, value in zip((0, -1), ends, strict=True):
            residual[s, place], matrix[s, place] = a[place] - value, 0
            matrix[s, place, s, place] = 1
        for f in self.contacts:
            self.contact(residual, matrix, s, a, b, f - 1, f)

    def contact(self, residual, matrix, s, a, b, e, f):
        """sigma a' = G_T (1 + a_1 b_2)(a_2 - a_1)/(1 + a_2 b_2) towards side 2; continuity where G_T is None."""
        flux = [self.sigma[k] * self.first[k] for k in (e, f)]
        matrix[s, e] = matrix[s, f] = 0
        if self.conductance is None:
            residual[s, e], residual[s, f] = (flux[0] - flux[1]) @ a, a[e] - a[f]
            matrix[s, e, s], matrix[s, f, s, [e, f]] = flux[0] - flux[1], (1, -1)
            return
        for i, j, out in ((e, f, flux[0]), (f, e, -flux[1])):
            jump, t, mixed = a[j] - a[i], 1 + a[j] * b[j], 1 + a[i] * b[j]
            residual[s, i] = out @ a - self.conductance * mixed * jump / t
            matrix[s, i, s] = out
            matrix[s, i, s, i] -= self.conductance * (b[j] * jump - mixed) / t
            matrix[s, i, s, j] -= self.conductance * (mixed / t) ** 2
            matrix[s, i, 1 - s, j] += self.conductance * (jump / t) ** 2

    def solve(self, w, gap, ends, state):
        """u and v at one frequency by Newton's method."""
        edge = np.array(ends) / (w + np.hypot(w, abs(ends[0])))
        for _ in range(30):
            residual, matrix = np.zeros(state.shape, complex), np.zeros((*state.shape, *state.shape), complex)
            self.row(residual, matrix, gap, w, 0, *state, 1j * edge)
            self.row(residual, matrix, gap, w, 1, *state[::-1], -1j * edge.conj())
            step = np.linalg.solve(matrix.reshape(state.size, -1), -residual.ravel()).reshape(state.shape)
            state = state + step
            if abs(step).max() < 1e-12:
                return state
        raise AssertionError("Newton's method failed")

    def current(self, temperature, states):
        u, v = states.swapaxes(0, 1)
        terms = (u * (v @ self.first.T) - v * (u @ self.first.T)) / (1 + u * v) ** 2
        return (4j * np.pi * temperature * self.sigma * terms.sum(axis=0)).real


def self_consistent(problem, paired, temperature, phase, count):
    """Gap and current of a junction whose layers `paired` have Tc = 1, with `count` frequencies."""
    size, where = uf.materials.bcs_gap(temperature), np.repeat(paired, problem.width)
    w = np.pi * temperature * (2 * np.arange(count) + 1)
    coefficient = np.log(temperature) + 2 * np.pi * temperature * (1 / w).sum()
    ends = size * np.exp(np.array([-0.5j, 0.5j]) * phase)
    gap = np.where(where, np.where(problem.x < problem.x.mean(), *ends), 0)
    states = np.array([np.array([1j * gap, -1j * gap.conj()]) / (x + np.hypot(x, size)) for x in w])

    def improvement(real):
        gap[where] = real.view(complex)
        states[:] = [problem.solve(x, gap, ends, state) for x, state in zip(w, states, strict=True)]
        f0 = (2 * states[:, 0] / (1 + states[:, 0] * states[:, 1])).sum(axis=0)
        return (-2j * np.pi * temperature * f0 / coefficient - gap)[where].view(float)

    anderson(improvement, gap[where].view(float), f_tol=1e-10, M=10, alpha=1.0, line_search=None)
    return gap, problem.current(temperature, states)


@pytest.mark.parametrize("conductance", [None, 0.5])
def test_gap_and_current_of_a_junction_agree_with_collocation(conductance):
    problem = Collocation((0.0, 3.0, 5.0, 8.0), (1.0, 0.5, 1.0), conductance)
    expected, current = self_consistent(problem, (True, False, True), 0.3, 2.0, 8)
    barrier = {} if conductance is None else dict.fromkeys(("S1_N", "N_S2"), uf.Tunnel(conductance=conductance))
    mesh = uf.interval({"S1": 3.0, "N": 2.0, "S2": 3.0}, size=0.05)
    device = junction(mesh, 2.0, uf.normal_metal(N0=0.5), barrier)
    eq = uf.solve_equilibrium(device, 0.3, quadrature="plain", cutoff_index=8)
    inner = slice(1, problem.width - 1)
    assert uf.gap(eq).at(problem.x[None, inner]) == pytest.approx(expected[inner], abs=1e-5)
    assert uf.charge_current(eq).through("N_S2") == pytest.approx(current.mean(), rel=1e-6)


def test_gap_of_an_isolated_piece_follows_a_uniform_potential():
    device = uf.Device(uf.interval({"S": 2.0}, size=0.1), {"S": uf.superconductor(Tc=1.0)}, A=(0.4,))
    eq = uf.solve_equilibrium(device, 0.4)
    gap = uf.gap(eq).at([[0.5, 1.5]])
    assert abs(gap) == pytest.approx(uf.materials.bcs_gap(0.4), rel=1e-6)
    assert np.angle(gap[1] / gap[0]) == pytest.approx(2 * 0.4, rel=1e-6)


def test_phases_beyond_a_turn_wind_the_gap():
    contacts = {"left": uf.Reservoir(), "right": uf.Reservoir(phase=2 * np.pi + 0.5)}
    device = uf.Device(uf.interval({"S": 20.0}, size=0.25), {"S": uf.superconductor(Tc=1.0)}, contacts)
    gap = uf.gap(uf.solve_equilibrium(device, 0.4)).at(np.linspace(0.01, 19.99, 40)[None])
    assert np.unwrap(np.angle(gap))[-1] == pytest.approx(2 * np.pi + 0.5, abs=1e-2)


@pytest.mark.parametrize("method", ["anderson", "newton"])
def test_a_gap_above_its_tc_is_induced_in_proportion_to_the_barrier(method):
    def induced(conductance):
        mesh = uf.interval({"S": 1.0, "T": 1.0}, size=0.1)
        materials = {"S": uf.superconductor(gap=0.5), "T": uf.superconductor(Tc=0.4, depairing=0.3)}
        interfaces = {"S_T": uf.Tunnel(conductance=conductance)}
        device = uf.Device(mesh, materials, {"right": uf.Reservoir(gap=0)}, interfaces)
        eq = uf.solve_equilibrium(device, 0.53, method=method, tolerance=1e-12)
        assert len(eq.sweeps) < 60
        return uf.gap(eq).at([[1.5]])[0]

    assert induced(1e-4) == pytest.approx(10 * induced(1e-5), rel=1e-3)
