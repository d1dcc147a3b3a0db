"""Critical temperatures, fields and currents against digamma equations, published formulas and collocation."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import digamma

import usadelfem as uf

GAP0 = np.pi * np.exp(-np.euler_gamma)  # bulk gap at T = 0 for Tc = 1
PAIR_BREAKING = {"depairing": lambda alpha: alpha, "tau_sf": lambda alpha: 0.75 / alpha}
XI_S = np.sqrt(1 / (2 * np.pi))  # sqrt(D / 2 pi Tc) of the superconductor of Fominov et al.


def bulk(**coefficients):
    return uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(Tc=1.0, **coefficients)})


def normal_state_eigenvalue(temperature, pair_breaking):
    """ln(T/Tc) + Re psi(1/2 + rho) - psi(1/2), rho = (alpha + i h) / 2 pi T."""
    return np.log(temperature) + digamma(0.5 + pair_breaking / (2 * np.pi * temperature)).real - digamma(0.5)


@pytest.mark.parametrize("name", PAIR_BREAKING)
@pytest.mark.parametrize(("reduced", "expected"), [(0.1, 0.929952), (0.5, 0.628264), (0.9, 0.237493)])
def test_critical_temperature_of_abrikosov_and_gorkov(name, reduced, expected):
    alpha = reduced * GAP0 / 2
    found = uf.critical_temperature(bulk(**{name: PAIR_BREAKING[name](alpha)}))
    closed = brentq(lambda t: normal_state_eigenvalue(t, alpha), 0.01, 1)
    assert found == pytest.approx(closed, rel=1e-6)
    assert found == pytest.approx(expected, abs=1.5e-6)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("temperature", [0.05, 0.3, 2.0])
def test_eigenvalue_of_the_normal_state_is_that_of_abrikosov_and_gorkov(order, temperature):
    found = uf.study.stability(bulk(depairing=0.4), temperature, order=order)
    assert found == pytest.approx(normal_state_eigenvalue(temperature, 0.4), abs=1e-10)


@pytest.mark.parametrize("coefficients", [{"depairing": GAP0}, {"tau_sf": 0.5}, {"exchange": (0, 3.0, 0)}])
def test_strong_pair_breaking_leaves_no_critical_temperature(coefficients):
    assert uf.critical_temperature(bulk(**coefficients)) == 0.0


def test_critical_temperature_of_a_clean_bulk_is_its_tc():
    assert uf.critical_temperature(bulk()) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("h", [0.3, 0.8, 1.0])
def test_critical_temperature_in_an_exchange_field(h):
    found = uf.critical_temperature(bulk(exchange=(0.48 * h, -0.6 * h, 0.64 * h)))
    assert found == pytest.approx(brentq(lambda t: normal_state_eigenvalue(t, 1j * h), 0.4, 1), rel=1e-6)


def test_tricritical_point_lies_on_the_line_of_second_order():
    assert uf.critical_temperature(bulk(exchange=(0, 0, 1.072827))) == pytest.approx(0.561493, abs=3e-6)


def test_supercooling_field_is_half_the_gap():
    temperature = 0.03
    field = uf.study.critical_parameter(lambda h: bulk(exchange=(0, 0, h)), (0.5, 1.2), temperature)
    closed = brentq(lambda h: normal_state_eigenvalue(temperature, 1j * h), 0.5, 1.2)
    assert field == pytest.approx(closed, rel=1e-5)
    assert field == pytest.approx(GAP0 / 2, rel=5e-3)


@pytest.mark.parametrize("tau_so", [0.05, 0.5, 3.0])
def test_spin_orbit_scattering_restores_the_critical_temperature(tau_so):
    # singlet and triplet along h: w f0 + i h f = gap, (w + 1/2 tau_so) f + i h f0 = 0
    h, rate = 1.0, 0.5 / tau_so

    def eigenvalue(temperature):
        w = np.pi * temperature * (2 * np.arange(1_000_000) + 1)
        terms = 1 / w - 1 / (w + h**2 / (w + rate))
        return np.log(temperature) + 2 * np.pi * temperature * terms.sum()

    found = uf.critical_temperature(bulk(exchange=(0, h, 0), tau_so=tau_so))
    assert found == pytest.approx(brentq(eigenvalue, 0.5, 1), rel=2e-6)
    assert found > uf.critical_temperature(bulk(exchange=(0, h, 0)))


def chebyshev(count, length):
    """Matrix of the derivative at the Chebyshev points of (0, length), ascending (Trefethen, Spectral Methods)."""
    k = np.arange(count + 1)
    x = -np.cos(np.pi * k / count)
    c = np.where((k == 0) | (k == count), 2.0, 1.0) * (-1.0) ** k
    matrix = np.outer(c, 1 / c) / (x[:, None] - x + np.eye(count + 1))
    return (matrix - np.diag(matrix.sum(axis=1))) * 2 / length


def singlet_response(w, layers, conductance, count=20):
    """Re f at the collocation points of all layers for a unit gap at each: -D f''/2 + (w + i h) f = gap.

    Layers are (length, D, N0, h); sigma f' = G_T (f_2 - f_1) at their contacts, or continuous f and sigma f'.
    """
    m = count + 1
    matrix, source = np.zeros((m * len(layers),) * 2, complex), np.eye(m * len(layers))
    for k, (length, diffusion, _, h) in enumerate(layers):
        first, own = chebyshev(count, length), slice(k * m, k * m + m)
        matrix[own, own] = (w + 1j * h) * np.eye(m) - diffusion / 2 * first @ first
        for row in (k * m, k * m + count):  # the ends: no current unless a neighbour says so below
            matrix[row], source[row] = 0, 0
            matrix[row, own] = first[row - k * m]
    for k, pair in enumerate(pairwise(layers)):
        end, begin = k * m + count, k * m + m
        flux = np.zeros((2, len(source)))
        for side, (length, diffusion, density, _) in enumerate(pair):
            own = slice((k + side) * m, (k + side) * m + m)
            flux[side, own] = 2 * density * diffusion * chebyshev(count, length)[count * (1 - side)]
        jump = np.zeros(len(source))
        jump[begin], jump[end] = 1, -1
        matrix[end] = flux[0] - flux[1]
        matrix[begin] = jump if conductance is None else flux[0] / conductance - jump
    return np.linalg.solve(matrix, source).real


def collocation_eigenvalue(temperature, layers, tcs, conductance, cutoff_index):
    """Lowest eigenvalue of the gap equation linearised at the normal state, with a sum that ends."""
    paired = np.repeat(np.array(tcs) > 0, 21)
    log_tc = np.log(np.repeat(tcs, 21)[paired])
    matrix = np.diag(np.log(temperature) - log_tc)
    for w in np.pi * temperature * (2 * np.arange(cutoff_index) + 1):
        response = singlet_response(w, layers, conductance)[paired][:, paired]
        matrix += 2 * np.pi * temperature * (np.eye(len(matrix)) / w - response)
    return np.linalg.eigvals(matrix).real.min()


def collocation_tc(layers, tcs, conductance, cutoff_index, bracket=(0.1, 1.0)):
    return brentq(lambda t: collocation_eigenvalue(t, layers, tcs, conductance, cutoff_index), *bracket, xtol=1e-7)


def bilayer(layers, *, tcs=(1.0, None), conductance=None, size=0.1):
    """A device of two layers A and B."""
    lengths = {name: layer[0] for name, layer in zip("AB", layers, strict=True)}
    sizes = {name: min(size, length / 6) for name, length in lengths.items()}
    materials = {
        name: uf.normal_metal(D=diffusion, N0=density, exchange=(0, 0, h), Tc=tc)
        for name, (_, diffusion, density, h), tc in zip("AB", layers, tcs, strict=True)
    }
    interfaces = {} if conductance is None else {"A_B": uf.Tunnel(conductance=conductance)}
    return uf.Device(uf.interval(lengths, size=sizes), materials, interfaces=interfaces)


SUM = {"quadrature": "plain", "cutoff_index": 20}
NORMAL = [(2.0, 1.0, 1.0, 0.0), (1.0, 0.6, 0.7, 0.0)]


@pytest.mark.parametrize("conductance", [None, 0.5, 5.0])
def test_critical_temperature_of_an_sn_bilayer_agrees_with_collocation(conductance):
    found = uf.critical_temperature(bilayer(NORMAL, conductance=conductance, size=0.05), **SUM)
    assert found == pytest.approx(collocation_tc(NORMAL, (1, 0), conductance, 20), rel=5e-6)


@pytest.mark.parametrize("conductance", [None, 0.5])
def test_critical_temperature_of_two_superconductors_agrees_with_collocation(conductance):
    device = bilayer(NORMAL, tcs=(1.0, 0.6), conductance=conductance, size=0.05)
    found = uf.critical_temperature(device, **SUM)
    assert found == pytest.approx(collocation_tc(NORMAL, (1, 0.6), conductance, 20), rel=5e-6)


def test_a_second_superconductor_without_interaction_is_a_normal_metal():
    one, two = (uf.critical_temperature(bilayer(NORMAL, tcs=(1.0, tc)), **SUM) for tc in (None, 0.0))
    assert two == pytest.approx(one, rel=1e-12)


def test_critical_temperature_falls_with_the_normal_thickness_and_saturates():
    def device(thickness):
        return bilayer([(1.0, 1.0, 1.0, 0.0), (thickness, 1.0, 1.0, 0.0)])

    found = uf.study.phase_diagram(device, [0.1, 0.3, 1.0, 3.0, 6.0], order=1)
    assert (np.diff(found) < 0).all()
    assert found[-1] == pytest.approx(found[-2], rel=0.03)


@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_thin_layers_have_the_averaged_coupling_of_cooper():
    # T = (2 e^gamma / pi) E_c exp(-1/lambda'), lambda' = lambda times the share of the superconductor in N0 d
    cutoff, layers = 100.0, [(3e-4, 1.0, 1.0, 0.0), (1e-4, 0.5, 1.2, 0.0)]
    found = uf.critical_temperature(bilayer(layers), cutoff=cutoff)
    share = 3.0 / (3.0 + 1.2)
    prefactor = 2 * np.exp(np.euler_gamma) / np.pi * cutoff
    assert found == pytest.approx(prefactor * np.exp(-np.log(prefactor) / share), rel=1e-3)


@pytest.mark.parametrize("mesh", ["triangles", "quadrilaterals", "tetrahedra", "hexahedra"])
def test_critical_temperature_of_a_bilayer_does_not_depend_on_the_dimension(mesh):
    layers, size = {"A": 1.0, "B": 0.5}, 0.25
    meshes = {
        "lines": lambda: uf.interval(layers, size=size / 2),
        "triangles": lambda: uf.rectangle(layers, width=size, size=size / 2),
        "quadrilaterals": lambda: uf.rectangle(layers, width=size, size=size / 2, cell="quad"),
        "tetrahedra": lambda: uf.box(layers, width=size, height=size, size=size),
        "hexahedra": lambda: uf.box(layers, width=size, height=size, size=size / 2, cell="hexahedron"),
    }
    materials = {"A": uf.superconductor(Tc=1.0), "B": uf.normal_metal()}
    devices = (uf.Device(meshes[name](), materials) for name in ("lines", mesh))
    one, other = (uf.study.stability(device, 0.4, cutoff_index=5) for device in devices)
    assert other == pytest.approx(one, rel=2e-5)


# Nb and CuNi of Fominov, Chtchelkatchev, Golubov, PRB 66, 014507: xi_f / xi_s = 7.6 / 8.9, gamma = 0.15, h = 130/7 Tc
RATIO, GAMMA, FIELD = 7.6 / 8.9, 0.15, 130 / 7


def fominov_bilayer(d_s, d_f, gamma_b):
    """Layers and interface conductance for d_s, d_f in units of xi_s and the interface parameter gamma_b."""
    conductivity = 2 * GAMMA * RATIO
    layers = [(d_s * XI_S, 1.0, 1.0, 0.0), (d_f * XI_S, RATIO**2, conductivity / (2 * RATIO**2), FIELD)]
    return layers, conductivity / (gamma_b * RATIO * XI_S)


def fominov_determinant(t, d_s, d_f, gamma_b, modes):
    """Sign of the determinant of their Eqs. 30 to 33, the multi-mode method, at T = t Tc; lengths in xi_s."""
    w = t * (2 * np.arange(modes + 1) + 1)
    root_s, root_f = np.sqrt(w), np.sqrt(w + 1j * FIELD / np.pi)
    a, b = root_s * np.tanh(root_s * d_s), 1 / (root_f * np.tanh(root_f * d_f / RATIO))
    weight = GAMMA * (a * (gamma_b + b.real) + GAMMA) / (a * abs(gamma_b + b) ** 2 + GAMMA * (gamma_b + b.real))

    def root(lower, upper):
        return brentq(lambda y: np.log(t) + digamma(0.5 + y) - digamma(0.5), lower, upper)

    zeroth = np.sqrt(2 * t * root(0, 1e3))
    others = np.sqrt([-2 * t * root(-m - 0.5 + 1e-11, -m + 0.5 - 1e-11) for m in range(1, modes + 1)])
    first = (weight * np.cos(zeroth * d_s) - zeroth * np.sin(zeroth * d_s)) / (w + zeroth**2)
    rest = (weight[:, None] + others * np.tanh(others * d_s)) / (w[:, None] - others**2)
    return np.linalg.slogdet(np.column_stack([first, rest]))[0]


@pytest.mark.parametrize("d_f", [0.1, 0.5, 1.5])
def test_critical_temperature_of_an_sf_bilayer_agrees_with_collocation(d_f):
    layers, conductance = fominov_bilayer(1.236, d_f, 0.3)
    found = uf.critical_temperature(bilayer(layers, conductance=conductance, size=0.03), **SUM)
    assert found == pytest.approx(collocation_tc(layers, (1, 0), conductance, 20), rel=5e-6)


def test_critical_temperature_of_an_sf_bilayer_agrees_with_the_multi_mode_method():
    layers, conductance = fominov_bilayer(1.236, 0.5, 0.3)
    found = uf.critical_temperature(bilayer(layers, conductance=conductance, size=0.03))

    def published(modes):
        return brentq(lambda t: fominov_determinant(t, 1.236, 0.5, 0.3, modes), 0.4, 0.8, xtol=1e-7)

    assert found == pytest.approx(2 * published(120) - published(60), rel=1e-3)


def test_critical_temperature_of_an_sf_bilayer_has_a_minimum_in_the_thickness():
    def device(d_f):
        layers, conductance = fominov_bilayer(1.236, d_f, 0.3)
        return bilayer(layers, conductance=conductance, size=0.03)

    thin, minimum, thick = uf.study.phase_diagram(device, [0.2, 0.55, 1.5], order=1)
    assert minimum < thick - 0.02 < thin - 0.1


def test_superconductivity_of_an_sf_bilayer_is_reentrant_in_the_thickness():
    def eigenvalue(d_f):
        layers, conductance = fominov_bilayer(1.07, d_f, 0.1)
        return uf.study.stability(bilayer(layers, conductance=conductance, size=0.03), 0.05, order=1)

    thin, between, thick = (eigenvalue(d_f) for d_f in (0.25, 0.5, 1.5))
    assert thin < 0 < between
    assert thick < 0


def uniform_flow(gamma, temperature, w, weights):
    """Gap and 2 pi T sum f^2 for D q^2/2 = gamma: (w + gamma cos) sin = gap cos at every w, f = sin."""

    def sine(gap):
        angle = np.arctan2(gap, w)
        for _ in range(50):
            value = (w + gamma * np.cos(angle)) * np.sin(angle) - gap * np.cos(angle)
            angle = angle - value / (w * np.cos(angle) + gamma * np.cos(2 * angle) + gap * np.sin(angle))
        return np.sin(angle)

    def equation(gap):
        pairs = 2 * np.pi * temperature * (weights * (gap / w - sine(gap))).sum()
        return gap * np.log(temperature) + pairs

    gap = brentq(equation, 0.9, 2.0)
    return gap, 2 * np.pi * temperature * (weights * sine(gap) ** 2).sum()


@pytest.mark.parametrize(("gradient", "precision"), [(0.3, 1e-6), (0.7, 1e-4), (0.85, 1e-3)])
def test_uniform_flow_in_a_wire_has_the_homogeneous_gap_and_current(gradient, precision):
    # near the depairing current the flow recovers from the reservoirs over a longer and longer length
    length, temperature = 20.0, 0.05
    contacts = {"left": uf.Reservoir(), "right": uf.Reservoir(phase=gradient * length)}
    device = uf.Device(uf.interval({"S": length}, size=0.25), {"S": uf.superconductor(Tc=1.0)}, contacts)
    eq = uf.solve_equilibrium(device, temperature)
    before, middle, after = uf.gap(eq).at([[length / 2 - 0.5, length / 2, length / 2 + 0.5]])
    q = np.angle(after / before)
    gap, stiffness = uniform_flow(q**2 / 2, temperature, eq.frequencies, eq.weights)
    current = uf.charge_current(eq).through("right")
    assert abs(middle) == pytest.approx(gap, rel=precision)
    assert current == pytest.approx(2 * q * stiffness, rel=precision)  # sigma = 2 N0 D
    assert gradient < 0.8 or current == pytest.approx(0.745687 * 2 * GAP0**1.5, rel=1e-3)
