"""Interfaces with barriers against closed forms, explicit 4x4 matrices and independent boundary-value solutions."""

import numpy as np
import oracle
import pytest
from scipy.integrate import quad, solve_bvp
from scipy.linalg import sqrtm

import usadelfem as uf

ACTIVE = uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9, magnetization=(1, 2, -2))
BARRIERS = {
    "tunnel": uf.Tunnel(conductance=0.7),
    "spin-active": ACTIVE,
    "channels": uf.Nazarov(conductance=0.7, transparencies=[0.7]),
    "magnetic channels": uf.Nazarov(conductance=0.4, transparencies=[0.9, 0.2], mixing=-0.2, magnetization=(1, 0, 1)),
}
LENGTHS = {"L": 0.6, "R": 0.4}
METALS = {
    "L": uf.ferromagnet(exchange=(0.0, 1.0, 0.0), D=1.5),
    "R": uf.ferromagnet(exchange=(2.0, 0.0, 0.5), N0=0.7),
}
PHASES = (-0.5, 0.5)


def bilayer(barrier, size=0.05):
    """Two ferromagnets between reservoirs, a barrier between them."""
    ends = {name: uf.Reservoir(1.0, phase) for name, phase in zip(("left", "right"), PHASES, strict=True)}
    return uf.Device(uf.interval(LENGTHS, size=size), METALS, ends, {"L_R": barrier})


def magnetic(barrier):
    m = np.array(barrier.magnetization) / np.linalg.norm(barrier.magnetization)
    return np.einsum("a,aij->ij", m, oracle.SPIN) @ oracle.TAU3


def filtered(barrier, g):
    """What is seen of g through a barrier: t g t with t = 1 + c M, of spin polarisation P = 2c/(1 + c^2)."""
    p = barrier.polarization
    t = np.eye(4) + (p / (1 + np.sqrt(1 - p**2))) * magnetic(barrier)
    return t @ g @ t


def matrix_current(barrier, g, other):
    """sigma g d_n g on the side of g, n towards the other side."""
    if barrier.transparencies is not None:
        tau = np.array(barrier.transparencies)[:, None, None]
        inverse = np.linalg.inv(np.eye(4) + tau / 4 * (g @ other + other @ g - 2 * np.eye(4)))
        seen = (tau / tau.sum() * inverse).sum(axis=0) @ other
    else:
        seen = filtered(barrier, other)
    field = barrier.conductance / 2 * seen - 0.5j * barrier.mixing * magnetic(barrier)
    return g @ field - field @ g


def moments(currents, temperature):
    """Charge and spin currents (4,) of the matrix currents sigma g d g at all positive frequencies."""
    traces = np.einsum("aij,wji->a", np.array([oracle.TAU3, *oracle.SPIN / 2]), np.array(currents))
    return (0.5j * np.pi * temperature * traces).real


def flows(eq, section, into=None):
    """Charge and spin currents (4,) through a section."""
    return np.array([uf.charge_current(eq).through(section, into), *uf.spin_current(eq).through(section, into)])


def bulk(w, phase, exchange=(0, 0, 0)):
    return sign(oracle.static(w, np.exp(1j * phase), exchange))


def sign(matrix):
    return matrix @ np.linalg.inv(sqrtm(matrix @ matrix))


# Boundary-value solutions: a'' = 2 a' b (1 + a b)^-1 a' + (L11 a - L12 + a L21 a - a L22)/D with b = sigma_y a* sigma_y


def to_matrices(y):
    """a and a' (n, 2, 2) of the unknowns (16, n)."""
    z = (y[:8] + 1j * y[8:]).T
    return z[:, :4].reshape(-1, 2, 2), z[:, 4:].reshape(-1, 2, 2)


def to_real(*matrices):
    z = np.concatenate([m.reshape(*m.shape[:-2], 4) for m in matrices], axis=-1).T
    return np.concatenate([z.real, z.imag])


def slope(y, static, metal, length):
    a, da = to_matrices(y)
    b = oracle.tilde(a)
    l11, l12, l21, l22 = static[:2, :2], static[:2, 2:], static[2:, :2], static[2:, 2:]
    second = 2 * da @ b @ np.linalg.inv(np.eye(2) + a @ b) @ da + (l11 @ a - l12 + a @ l21 @ a - a @ l22) / metal.D
    return length * to_real(da, second)


def side(y, metal):
    """a, g and sigma g g' at one end."""
    a, da = (m[0] for m in to_matrices(y[:, None]))
    g = oracle.green(a, oracle.tilde(a))
    derivative = oracle.green_derivative(a, oracle.tilde(a), da, oracle.tilde(da))
    return a, g, 2 * metal.N0 * metal.D * g @ derivative


def boundary_value_solution(w, barrier):
    """The unknowns of both layers, (32,), as a function of the position in them from 0 to 1."""
    statics = [oracle.static(w, 0.0, metal.exchange) for metal in METALS.values()]
    ends = [1j * np.exp(1j * phase) / (w + np.hypot(w, 1.0)) * np.eye(2) for phase in PHASES]

    def equation(_, y):
        parts = zip((y[:16], y[16:]), statics, METALS.values(), LENGTHS.values(), strict=True)
        return np.concatenate([slope(*part) for part in parts])

    def conditions(start, end):
        (a1, g1, flow1), (a2, g2, flow2) = side(end[:16], METALS["L"]), side(start[16:], METALS["R"])
        rows = [to_matrices(start[:16, None])[0][0] - ends[0], to_matrices(end[16:, None])[0][0] - ends[1]]
        for a, excess in (
            (a1, flow1 - matrix_current(barrier, g1, g2)),
            (a2, flow2 + matrix_current(barrier, g2, g1)),
        ):  # anticommutes with g: in its frame the upper right block says it all
            u = np.block([[np.eye(2), -a], [oracle.tilde(a), np.eye(2)]])
            rows.append((np.linalg.inv(u) @ excess @ u)[:2, 2:])
        return to_real(*rows)

    solution = solve_bvp(equation, conditions, np.linspace(0, 1, 31), np.zeros((32, 31)), tol=1e-7, max_nodes=5000)
    assert solution.success
    return solution.sol


@pytest.mark.parametrize(("order", "tolerance"), [(1, 5e-5), (2, 2e-8)])
@pytest.mark.parametrize("kind", BARRIERS)
def test_green_functions_and_currents_agree_with_independent_boundary_value_solutions(kind, order, tolerance):
    barrier, temperature, places = BARRIERS[kind], 0.1, np.array([0.2, 0.7, 1 - 1e-9])
    points = [0.6 * places, 1 - 0.4 * places]
    eq = uf.solve_equilibrium(bilayer(barrier, 0.02), temperature, order=order, quadrature="plain", frequencies=2)
    currents = [[], []]
    for n, w in enumerate(eq.frequencies):
        solution = boundary_value_solution(w, barrier)
        for layer, at in enumerate((places, 1 - places)):
            own = eq.green([points[layer]])[n]
            for i, y in enumerate(solution(at)[16 * layer : 16 * layer + 16].T):
                assert abs(own[..., i] - side(y, METALS["L"])[1]).max() < tolerance
        currents[0].append(side(solution(1.0)[:16], METALS["L"])[2])
        currents[1].append(side(solution(0.0)[16:], METALS["R"])[2])
    assert flows(eq, "L_R") == pytest.approx(moments(currents[0], temperature), abs=tolerance)
    assert -flows(eq, "L_R", "L") == pytest.approx(moments(currents[1], temperature), abs=tolerance)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("kind", BARRIERS)
def test_currents_on_both_sides_of_a_barrier_are_traces_of_the_explicit_matrix_current(kind, order):
    # the jump of the spin current is the torque on the magnetisation of the barrier
    barrier = BARRIERS[kind]
    eq = uf.solve_equilibrium(bilayer(barrier), 0.1, order=order, quadrature="plain", frequencies=3)
    one, two = np.moveaxis(eq.green([[0.6 - 1e-12, 0.6 + 1e-12]]), -1, 0)
    from_left = moments([matrix_current(barrier, *pair) for pair in zip(one, two, strict=True)], 0.1)
    from_right = moments([-matrix_current(barrier, *pair) for pair in zip(two, one, strict=True)], 0.1)
    assert flows(eq, "L_R") == pytest.approx(from_left, abs=1e-10)
    assert -flows(eq, "L_R", "L") == pytest.approx(from_right, abs=1e-10)
    if barrier.mixing:
        assert abs(from_left - from_right)[1:].max() > 1e-2
    else:
        assert from_left == pytest.approx(from_right, abs=1e-14)
        assert abs(from_left[1:]).max() > 1e-3


# Thin layers

SLICES = {"line": uf.interval({"N": 1e-3}, size=1e-4), "strip": uf.rectangle({"N": 1e-3}, width=1e-3, size=1e-3)}


@pytest.mark.parametrize(("mesh", "area"), [("line", 1.0), ("strip", 1e-3)])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_a_thin_metal_between_spin_active_barriers_has_the_self_energies_of_both(mesh, area):
    # thickness d: g = sign(w tau3 + sum over barriers of (G_T t g_S t - i G_phi M)/(4 N0 d))
    N0, d = 0.7, 1e-3
    one = uf.SpinActive(conductance=2e-3, polarization=0.6, mixing=1e-3, magnetization=(1, 2, -2))
    two = uf.SpinActive(conductance=3e-3, polarization=-0.9, mixing=-2e-3, magnetization=(0, 1, 1))
    ends = {"left": uf.Reservoir(1.0, PHASES[0], barrier=one), "right": uf.Reservoir(1.0, PHASES[1], barrier=two)}
    device = uf.Device(SLICES[mesh], {"N": uf.normal_metal(N0=N0)}, ends)
    eq = uf.solve_equilibrium(device, 0.1, quadrature="plain", frequencies=3)
    currents = []
    for w, own in zip(eq.frequencies, eq.green(np.full((device.mesh.dim(), 1), d / 2))[..., 0], strict=True):
        energy = w * oracle.TAU3 + 0j
        for barrier, phase in zip((one, two), PHASES, strict=True):
            field = barrier.conductance * filtered(barrier, bulk(w, phase)) - 1j * barrier.mixing * magnetic(barrier)
            energy += field / (4 * N0 * d)
        assert abs(own - sign(energy)).max() < 1e-5
        currents.append(matrix_current(two, sign(energy), bulk(w, PHASES[1])))
    assert flows(eq, "right") / area == pytest.approx(moments(currents, 0.1), abs=1e-8)


@pytest.mark.parametrize("mesh", ["line", "strip"])
@pytest.mark.parametrize("material", [{"gap": 1.0}, {"gap": 1.0, "tau_so": 5.0}, {"Tc": 0.5669}])
def test_a_magnetic_insulator_on_a_thin_superconductor_is_an_exchange_field(material, mesh):
    # h = G_phi m/(4 N0 d), up to (d/xi)^2
    h, N0 = np.array([0.2, 0.1, 0.3]), 0.7

    def observed(d, **coating):
        layer = uf.interval({"S": d}, d / 2) if mesh == "line" else uf.rectangle({"S": d}, d, d / 2)
        S, corner = uf.superconductor(N0=N0, exchange=(0, 0, 0) if coating else h, **material), layer.p[:, :1]
        eq = uf.solve_equilibrium(uf.Device(layer, {"S": S}, {}, coating), 0.1, quadrature="plain", frequencies=20)
        spin, pairs = uf.spin_density(eq).integral() / eq.problem.space.dx.sum(), uf.pair_amplitude(eq).at(corner)
        return [np.ravel(values) for values in (eq.green(corner), pairs, spin)]

    def errors(d):
        insulator = uf.SpinActive(conductance=0.0, mixing=4 * N0 * d * np.linalg.norm(h), magnetization=h)
        pairs = zip(observed(d, right=insulator), observed(d), strict=True)
        return np.array([abs(coated - uniform).max() for coated, uniform in pairs])

    assert (errors(0.05) < 1e-3).all()
    assert errors(0.1) / errors(0.05) == pytest.approx(4.0, rel=0.1)


def test_the_exchange_field_of_a_magnetic_insulator_splits_the_bulk_solution():
    h, d = np.array([0.2, 0.1, 0.3]), 1e-3
    insulator = uf.SpinActive(conductance=0.0, mixing=4 * d * np.linalg.norm(h), magnetization=h)
    S = uf.superconductor(gap=np.exp(0.4j))
    eq = uf.solve_equilibrium(uf.Device(SLICES["line"], {"N": S}, {}, {"left": insulator}), 0.1, frequencies=3)
    for w, own in zip(eq.frequencies, eq.green([[d / 2]])[..., 0], strict=True):
        assert abs(own - bulk(w, 0.4, h)).max() < 1e-6


# A barrier between two bulk superconductors


def short_contact(barrier, phase, temperature, material):
    """e I R_N of a slice, too thin to matter, with a rigid contact on one side and the barrier on the other."""
    ends = {"left": uf.Reservoir(1.0, 0.0), "right": uf.Reservoir(1.0, phase, barrier=barrier)}
    device = uf.Device(SLICES["line"], {"N": material}, ends)
    current = uf.charge_current(uf.solve_equilibrium(device, temperature)).through("right")
    return float(current) * uf.normal_resistance(device, "left", "right")


def one_channel(tau, phase, temperature):
    """Haberkorn: (pi/2) sin(phase)/E tanh(E/2T), E = sqrt(1 - tau sin^2(phase/2)) in units of the gap."""
    energy = np.sqrt(1 - tau * np.sin(phase / 2) ** 2)
    return np.pi / 2 * np.sin(phase) / energy * np.tanh(energy / (2 * temperature))


@pytest.mark.parametrize("material", [uf.superconductor(gap=1.0), uf.normal_metal()])
@pytest.mark.parametrize("temperature", [0.05, 0.2, 0.5])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_a_tunnel_junction_is_that_of_ambegaokar_and_baratoff(temperature, material):
    expected = np.pi / 2 * np.tanh(1 / (2 * temperature))
    barrier = uf.Tunnel(conductance=1e-3)
    assert short_contact(barrier, np.pi / 2, temperature, material) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("phase", [0.5, 2.0, 2.8])
@pytest.mark.parametrize("tau", [0.01, 0.5, 0.9, 1.0])
def test_a_channel_carries_the_current_of_its_andreev_bound_state(tau, phase):
    contact = uf.Nazarov(conductance=1e-3, transparencies=[tau])
    expected = one_channel(tau, phase, 0.1)
    assert short_contact(contact, phase, 0.1, uf.superconductor(gap=1.0)) == pytest.approx(expected, rel=1e-5)


DENSITIES = {
    "diffusive": lambda tau: 1 / (tau * np.sqrt(1 - tau)),
    "dirty_interface": lambda tau: 1 / (tau**1.5 * np.sqrt(1 - tau)),
    "chaotic_cavity": lambda tau: 1 / np.sqrt(tau * (1 - tau)),
    "given": lambda tau: 1 + tau**2,
}


@pytest.mark.parametrize("phase", [1.0, 1.971, 2.8])
@pytest.mark.parametrize("name", DENSITIES)
def test_a_distribution_of_channels_carries_the_sum_of_their_currents(name, phase):
    def total(f):
        def integrand(theta):
            tau = np.sin(theta) ** 2
            return f(tau) * tau * DENSITIES[name](tau) * np.sin(2 * theta)

        return quad(integrand, 0, np.pi / 2)[0]

    contact = uf.Nazarov(conductance=1e-3, transparencies=DENSITIES[name] if name == "given" else name)
    expected = total(lambda tau: one_channel(tau, phase, 0.1)) / total(lambda tau: 1.0)
    assert short_contact(contact, phase, 0.1, uf.superconductor(gap=1.0)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("conductance", [0.01, 2e3])
@pytest.mark.filterwarnings("ignore::usadelfem.errors.UnitWarning")
def test_a_diffusive_contact_in_series_with_a_short_wire_is_a_diffusive_wire(conductance):
    # Kulik and Omelyanchuk: 1.3255 pi/2 at the phase 0.6274 pi; the wire has none or half of the resistance
    contact = uf.Nazarov(conductance=conductance, transparencies="diffusive")
    assert short_contact(contact, 0.6274 * np.pi, 0.002, uf.normal_metal()) == pytest.approx(2.08207, rel=1e-5)


def states_at(barrier):
    mesh = uf.interval({"L": 0.6, "R": 0.4}, size=0.2)
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.2)}
    return uf.solve_equilibrium(uf.Device(mesh, METALS, contacts, {"L_R": barrier}), 0.2, frequencies=2).riccati


ALONG = {"mixing": 0.7, "magnetization": (1.0, -2.0, 2.0)}


def test_magnetic_channels_of_small_transparency_are_a_spin_active_tunnel_barrier():
    tunnel = states_at(uf.SpinActive(conductance=0.8, **ALONG))
    channels = (uf.Nazarov(conductance=0.8, transparencies=[t], **ALONG) for t in (0.02, 0.01))
    steps = [abs(states_at(barrier) - tunnel).max() for barrier in channels]
    assert steps[0] / steps[1] == pytest.approx(2.0, rel=0.05)  # of first order in the transparency
    assert steps[1] < 0.01


def test_magnetic_channels_without_mixing_are_channels():
    plain = states_at(uf.Nazarov(conductance=0.8, transparencies=[0.9, 0.4]))
    none = states_at(uf.Nazarov(conductance=0.8, transparencies=[0.9, 0.4], mixing=0.0, magnetization=(1, 1, 0)))
    assert np.array_equal(plain, none)
    assert abs(plain - states_at(uf.Nazarov(conductance=0.8, transparencies=[0.9, 0.4], **ALONG))).max() > 0.01


def test_one_record_describes_all_barriers():
    one = uf.materials.Interface(conductance=0.8, polarization=0.3, **ALONG)
    assert one.kind == "SpinActive"
    assert np.array_equal(states_at(one), states_at(uf.SpinActive(conductance=0.8, polarization=0.3, **ALONG)))
    assert [uf.Transparent().kind, uf.Tunnel(conductance=1.0).kind] == ["Transparent", "Tunnel"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"conductance": 1.0, "transparencies": [0.5], "polarization": 0.2}, "no closed form"),
        ({"mixing": 1.0}, "needs conductance"),
        ({"transparencies": [0.5]}, "needs conductance"),
    ],
)
def test_a_barrier_that_has_no_formula_is_refused(values, words):
    with pytest.raises(uf.errors.DeviceError, match=words):
        uf.materials.Interface(**values)
