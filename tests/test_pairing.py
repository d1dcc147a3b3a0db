"""The gap equation: its derivatives, the iteration to its solution, options and failures."""

from dataclasses import replace

import numpy as np
import oracle
import pytest

import usadelfem as uf
from usadelfem.fem.gap_equation import build_pairing
from usadelfem.fem.matsubara import Matsubara
from usadelfem.fem.problem import build_problem
from usadelfem.fem.sector import Sector, _collinear
from usadelfem.numerics.anderson import Anderson
from usadelfem.points.energy_chain import EnergyChain
from usadelfem.points.sum_rule import SumRule
from usadelfem.points.sums import Terms
from usadelfem.points.team import Setup
from usadelfem.points.team_remote import build_team, frequency_team
from usadelfem.solve.field_problem import SelfConsistency

TEMPERATURE = 0.4
SUM = {"quadrature": "plain", "cutoff_index": 6}


def bilayer(*, interfaces=None, contacts=None, magnet=(0.3, 0.0, 0.5), **options):
    """Half a junction: S with an unknown gap, and F."""
    materials = {"S": uf.superconductor(Tc=1.0, N0=1.3), "F": uf.ferromagnet(exchange=magnet)}
    mesh = uf.interval({"F": 0.5, "S": 1.0}, size=0.25)  # self-consistent cells are not the first ones
    return uf.Device(mesh, materials, contacts or {}, interfaces or {}, **options)


def junction(phase=1.3, size=0.1, middle=None):
    """S1 | N | S2 between bulk reservoirs."""
    metal = uf.superconductor(Tc=1.0)
    contacts = {"left": uf.Reservoir(), "right": uf.Reservoir(phase=phase)}
    mesh = uf.interval({"S1": 1.5, "N": 1.0, "S2": 1.5}, size=size)
    return uf.Device(mesh, {"S1": metal, "N": middle or uf.normal_metal(), "S2": metal}, contacts)


def current(eq):
    return float(uf.charge_current(eq).through("right"))


@pytest.fixture(params=[1, 2], ids=["linear", "quadratic"])
def parts(request):
    """A discretised device with its pairing, a random state and two random gaps."""
    device = bilayer()
    problem = build_problem(device, request.param, temperature=TEMPERATURE, sector="full")
    pairing, rng = build_pairing(device, problem), np.random.default_rng(1)
    state = rng.normal(size=(2, len(problem.space.nodes[0]), 8)).view(complex) * 0.2
    gaps = rng.normal(size=(2, *pairing.shape)) + 1j * rng.normal(size=(2, *pairing.shape))
    return problem, pairing, state, gaps


def find_sector_of(axis):
    if axis is None:
        return Sector("spinless", np.array([0.0, 0.0, 1.0]), np.array([[1, 0, 0, 1]], complex))
    return _collinear(np.array(axis) / np.linalg.norm(axis))


def within(problem, sector):
    """The equation with another sector as unknowns; sums over states need no pattern of its own."""
    return replace(problem, sector=sector)


def test_source_is_the_change_of_the_residual_with_the_gap(parts):
    problem, pairing, (state, _), (gap, change) = parts
    one, two = (Matsubara(pairing.with_gap(problem, g)).residual(0.7, state)[0] for g in (gap, gap + change))
    source = pairing.source(Matsubara(problem), state, change)[problem.pattern.free].reshape(-1).view(float)
    assert two - one == pytest.approx(source, abs=1e-13)


def test_response_is_the_derivative_of_the_amplitude(parts):
    problem, pairing, (state, change), _ = parts
    step = 1e-5
    above, below = (pairing.amplitude(Matsubara(problem), state + sign * step * change) for sign in (1, -1))
    assert (above - below) / (2 * step) == pytest.approx(pairing.response(Matsubara(problem), state, change), abs=1e-9)


def test_amplitude_is_the_singlet_trace_of_g(parts):
    problem, pairing, (state, _), _ = parts
    a = np.einsum("qi,cik->cqk", pairing.phi, state[pairing.cells]).reshape(*pairing.shape, 2, 2)
    b = oracle.SIGMA[1] @ a.conj() @ oracle.SIGMA[1]
    f = 2 * np.linalg.solve(np.eye(2) + a @ b, a)
    assert pairing.amplitude(Matsubara(problem), state) == pytest.approx(np.trace(f, axis1=2, axis2=3) / 2, rel=1e-13)


SECTORS = {
    "collinear": find_sector_of((0.3, -0.2, 0.9)), "along z": find_sector_of((0, 0, 1)),
    "spinless": find_sector_of(None),
}  # fmt: skip


@pytest.mark.parametrize("sector", SECTORS.values(), ids=SECTORS)
def test_sums_in_a_sector_are_those_over_all_matrices(parts, sector):
    problem, pairing, (state, change), (gap, _) = parts
    state, change, own = *(sector.expand(sector.reduce(part)) for part in (state, change)), within(problem, sector)
    amplitude = pairing.amplitude(Matsubara(problem), state)
    assert pairing.amplitude(Matsubara(own), state) == pytest.approx(amplitude, abs=1e-13)
    response = pairing.response(Matsubara(problem), state, change)
    assert pairing.response(Matsubara(own), state, sector.reduce(change)) == pytest.approx(response, abs=1e-13)
    whole = pairing.source(Matsubara(problem), state, gap)
    assert pairing.source(Matsubara(own), state, gap) == pytest.approx(whole @ sector.basis.conj().T, abs=1e-13)


@pytest.mark.parametrize("normal", [False, True])
def test_source_and_response_are_transposes(parts, normal):
    # -Tr Dhat g = 4 Re(i gap* f0), which both are derivatives of
    problem, pairing, (state, change), (gap, _) = parts
    state = 0 * state if normal else state
    source = (pairing.source(Matsubara(problem), state, gap).conj() * change).real.sum()
    amplitudes = pairing.response(Matsubara(problem), state, change)
    assert source == pytest.approx(4 * (pairing.weight * (1j * gap.conj() * amplitudes).real).sum(), rel=1e-12)


def self_consistency(device, gap=None):
    """The gap equation of a device, all states solved to rounding in a gap (None: 1)."""
    problem = build_problem(device, 2, temperature=TEMPERATURE, sector="full")
    pairing = build_pairing(device, problem)
    problem = pairing.with_gap(problem, np.ones(pairing.shape, complex) if gap is None else gap)
    w = np.pi * TEMPERATURE * (2 * np.arange(4) + 1)
    team = frequency_team(problem, w, np.ones(4), scale=1.0, keep=True, terms=Terms(pairing))
    problem = SelfConsistency(problem, team, pairing, None, TEMPERATURE, 1.7)
    problem.start(1e-13)
    problem.refresh()
    return problem


BARRIERS = {
    "transparent": {},
    "tunnel": {"S_F": uf.Tunnel(conductance=0.8)},
    "spin_active": {"S_F": uf.SpinActive(conductance=0.8, polarization=0.4, mixing=0.7)},
}


@pytest.mark.parametrize("barrier", BARRIERS)
def test_derivative_of_the_gap_equation_follows_the_states(barrier):
    device, rng = bilayer(interfaces=BARRIERS[barrier]), np.random.default_rng(2)
    shape = self_consistency(device).pairing.shape
    gap = 1.0 + 0.2 * (rng.normal(size=shape) + 1j * rng.normal(size=shape))
    change, step = rng.normal(size=shape) + 1j * rng.normal(size=shape), 1e-4
    above, below = (self_consistency(device, gap + sign * step * change).residual() for sign in (1, -1))
    derivative = self_consistency(device, gap).derivative(change)
    assert (above - below) / (2 * step) == pytest.approx(derivative, abs=1e-7)


def test_derivative_of_the_gap_equation_is_symmetric():
    problem, rng = self_consistency(bilayer()), np.random.default_rng(3)
    one, two = rng.normal(size=(2, *problem.pairing.shape, 2)).view(complex)[..., 0]

    def product(first, second):
        return (problem.pairing.weight * (first.conj() * problem.derivative(second)).real).sum()

    assert product(one, two) == pytest.approx(product(two, one), rel=1e-10)


@pytest.mark.parametrize("size", [1, 3, 6])
def test_anderson_solves_a_linear_problem_in_as_many_steps_as_unknowns(size):
    rng = np.random.default_rng(size)
    matrix, solution = np.eye(size) + 0.4 * rng.normal(size=(size, size)), rng.normal(size=size)
    mixer, x = Anderson(np.ones(size)), np.zeros(size)
    for _ in range(size + 1):
        x = mixer.propose(x, matrix @ (solution - x))
    assert x == pytest.approx(solution, abs=1e-6)


def test_anderson_starts_anew_from_the_best_point_when_f_grows():
    mixer = Anderson(np.ones(2))
    mixer.propose(np.zeros(2), np.array([1.0, 0.0]))
    assert mixer.propose(np.ones(2), np.array([9.0, 9.0])) == pytest.approx([0.5, 0.0])


def test_history_ends_below_the_tolerance():
    eq = uf.solve_equilibrium(junction(), TEMPERATURE, **SUM, tolerance=1e-6)
    assert eq.sweeps[-1].residual <= 1e-6 < eq.sweeps[0].residual
    assert [s.number for s in eq.sweeps] == sorted(s.number for s in eq.sweeps)
    assert all(report.converged for report in eq.report)


@pytest.mark.parametrize("method", ["anderson", "newton"])
def test_tolerance_is_the_residual_of_the_gap_equation(method):
    eq = uf.solve_equilibrium(junction(), TEMPERATURE, **SUM, method=method)
    total = np.zeros(eq.pairing.shape, complex)
    for w, state in zip(eq.frequencies, eq.riccati, strict=True):
        total += 1j * eq.pairing.amplitude(Matsubara(eq.problem), state)
        total += eq.pairing.gap_of(eq.problem) / w
    residual = eq.pairing.gap_of(eq.problem) * np.log(TEMPERATURE) + 2 * np.pi * TEMPERATURE * total
    assert abs(residual).max() < 1.01e-8 * 1.7639


def test_two_threads_give_the_result_of_one():
    one, two = (uf.solve_equilibrium(junction(), TEMPERATURE, **SUM, workers=n) for n in (1, 2))
    assert one.problem.gap == pytest.approx(two.problem.gap, abs=1e-7)
    assert current(one) == pytest.approx(current(two), rel=1e-7)


@pytest.mark.parametrize("device", [junction(), bilayer(interfaces=BARRIERS["tunnel"])], ids=["jump", "barrier"])
def test_cutoff_index_is_the_number_of_frequencies_of_either_sum(device):
    plain, gauss = (
        uf.solve_equilibrium(device, TEMPERATURE, quadrature=q, cutoff_index=60) for q in ("plain", "gauss")
    )
    assert plain.frequencies == pytest.approx(np.pi * TEMPERATURE * (2 * np.arange(60) + 1))
    assert len(gauss.frequencies) < 30
    assert plain.problem.gap == pytest.approx(gauss.problem.gap, abs=1e-6)


@pytest.mark.parametrize("barrier", ["transparent", "tunnel"])
def test_device_of_the_result_carries_the_gap_at_the_vertices(barrier):
    device = bilayer(interfaces=BARRIERS[barrier])
    eq = uf.solve_equilibrium(device, TEMPERATURE, cutoff_index=20)
    x = device.mesh.p[0]
    given = eq.device.materials["S"].gap
    inside = x <= 1.0
    assert given[inside] == pytest.approx(uf.gap(eq).at(np.minimum(x[inside], 1 - 1e-9)[None]), rel=1e-6)
    assert eq.device.materials["S"].Tc == 1.0
    assert device.materials["S"].gap is None


@pytest.mark.parametrize(("size", "precision"), [(0.1, 2e-3), (0.05, 5e-4)])
def test_a_solve_with_the_gap_that_was_found_reproduces_the_current(size, precision):
    eq = uf.solve_equilibrium(junction(size=size), TEMPERATURE, cutoff_index=20)
    again = uf.solve_equilibrium(eq.device, TEMPERATURE, cutoff_index=20)
    assert not again.sweeps
    assert current(again) == pytest.approx(current(eq), rel=precision)


def test_result_of_a_similar_device_is_a_good_start():
    device, other = junction(1.3), junction(1.3, size=0.15)
    first, rough = (uf.solve_equilibrium(d, TEMPERATURE, cutoff_index=20) for d in (device, other))
    same, moved = (uf.solve_equilibrium(device, TEMPERATURE, cutoff_index=20, initial=i) for i in (first, rough))
    assert len(same.sweeps) <= 3
    assert len(same.sweeps) < len(moved.sweeps) < 20
    assert current(moved) == pytest.approx(current(first), rel=1e-6)


def test_cutoff_energy_counts_the_last_frequency_in_part():
    energy = 2 * np.pi * TEMPERATURE * 40.3
    below, between, above = (
        abs(uf.solve_equilibrium(junction(), TEMPERATURE, **options).problem.gap).max()
        for options in ({"cutoff_index": 40}, {"cutoff": energy}, {"cutoff_index": 41})
    )
    assert between - below == pytest.approx(0.3 * (above - below), rel=0.05)


@pytest.mark.parametrize("method", ["anderson", "newton"])
def test_an_island_between_barriers_finds_its_phase(method):
    metal, barriers = uf.superconductor(Tc=1.0), {"A_B": uf.Tunnel(conductance=0.5), "B_C": uf.Tunnel(conductance=0.5)}
    contacts = {"left": uf.Reservoir(), "right": uf.Reservoir(phase=1.2)}
    mesh = uf.interval(dict.fromkeys("ABC", 1.0), size=0.25)
    device = uf.Device(mesh, dict.fromkeys("ABC", metal), contacts, barriers)
    eq = uf.solve_equilibrium(device, TEMPERATURE, method=method, initial=lambda x: 1.5 + 0 * x[0])
    assert np.angle(uf.gap(eq).at([[1.5]])[0]) == pytest.approx(0.6, abs=1e-5)
    assert len(eq.sweeps) < 60


def test_a_bilayer_that_is_normal_is_found_normal():
    device = uf.Device(uf.interval({"S": 0.3, "F": 0.5}, size=0.05), bilayer().materials)
    assert not uf.solve_equilibrium(device, TEMPERATURE).problem.gap.any()
    assert uf.study.stability(device, TEMPERATURE) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "picard"}, "allowed are 'anderson', 'newton' and 'descent'"),
        ({"tolerance": 0.0}, "allowed is a number between 0 and 1"),
        ({"tolerance": "small"}, "allowed is a number between 0 and 1"),
        ({"max_sweeps": 0}, "allowed is an integer >= 1"),
        ({"cutoff": 10.0, "cutoff_index": 5}, "either cutoff or cutoff_index"),
        ({"cutoff_index": 2.5}, "allowed is an integer >= 1"),
        ({"initial": "bulk"}, "allowed are None, a number"),
        ({"initial": lambda x: np.ones(3)}, "returned shape"),
        ({"initial": lambda x: np.nan * x[0]}, "finite"),
        ({"initial": uf.vortices([(0.5, 0.0, 1)])}, "two or three dimensions"),
        ({"workers": 0}, "allowed is an integer >= 1"),
        ({"linearized": True}, "give gap="),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        uf.solve_equilibrium(bilayer(), TEMPERATURE, **options)


@pytest.mark.parametrize("method", ["anderson", "newton"])
def test_too_few_sweeps_raise_an_error_with_the_history(method):
    with pytest.raises(uf.errors.SolveError, match="did not converge in 2 sweeps") as caught:
        uf.solve_equilibrium(junction(), TEMPERATURE, max_sweeps=2, cutoff_index=20, method=method)
    assert len(caught.value.residuals) == 2


def test_a_superconductor_needs_tc_or_gap():
    with pytest.raises(uf.errors.DeviceError, match=r"Tc=\.\.\."):
        uf.superconductor(D=2.0)


@pytest.mark.parametrize("name", ["exchange", "depairing", "tau_sf"])
def test_bulk_gap_of_a_reservoir_is_that_of_a_clean_superconductor_only(name):
    value = (0.0, 0.0, 0.1) if name == "exchange" else 0.1
    device = uf.Device(
        uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(Tc=1.0, **{name: value})}, {"left": uf.Reservoir()}
    )
    with pytest.raises(uf.errors.DeviceError, match=r"give gap=\.\.\."):
        uf.solve_equilibrium(device, TEMPERATURE)


def test_reservoir_without_gap_at_a_normal_metal_is_refused():
    with pytest.raises(uf.errors.DeviceError, match=r"reservoir 'left' has no gap"):
        uf.solve_equilibrium(bilayer(contacts={"left": uf.Reservoir()}), TEMPERATURE)


@pytest.mark.parametrize("function", [uf.critical_temperature, lambda device: uf.study.stability(device, TEMPERATURE)])
@pytest.mark.parametrize(
    ("device", "message"),
    [
        (bilayer(contacts={"right": uf.Reservoir()}), "right are superconducting"),
        (uf.Device(uf.interval({"S": 1.0}), {"S": uf.superconductor(gap=1.0, Tc=1.0)}), "no region has a Tc"),
        (uf.Device(uf.interval({"N": 1.0}), {"N": uf.normal_metal()}), "no region has a Tc"),
    ],
)
def test_no_critical_temperature_without_a_normal_state(function, device, message):
    with pytest.raises(uf.errors.DeviceError, match=message):
        function(device)


@pytest.mark.parametrize(("interval", "state"), [((0.0, 0.1), "unstable"), ((5.0, 6.0), "stable")])
def test_critical_parameter_needs_a_bracket(interval, state):
    def device(h):
        return uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(Tc=1.0, exchange=(0, 0, h))})

    with pytest.raises(ValueError, match=f"the normal state is {state} at both ends"):
        uf.study.critical_parameter(device, interval, 0.3)


# T times the sum over w > 0 of a function F(iw) is the integral of tanh(E/2T) F(E) / (4 pi i) along any line between
# the real axis and the first Matsubara frequency.
BROADENING = 0.5


def energies(count):
    """Energies E > 0 with the weights that make a sum over w > 0 of them, by Gauss-Legendre in ln(1 + E)."""
    x, weight = np.polynomial.legendre.leggauss(count)
    top = np.log(1 + 2e4)
    e = np.exp(0.5 * top * (x + 1)) - 1
    thermal = np.tanh((e + 1j * BROADENING) / (2 * TEMPERATURE))
    return e, -0.5j * thermal * 0.5 * top * weight * (1 + e) / (np.pi * TEMPERATURE)


def gap_equations(workers):
    """The gap equation of a bilayer at Matsubara frequencies and at real energies, in the same gap.

    The gap is linear in space, so that f0 at high energies is in the space of the elements.
    """
    device = bilayer(interfaces={"S_F": uf.Tunnel(conductance=0.8)})
    problem = build_problem(device, 2, temperature=TEMPERATURE)
    pairing = build_pairing(device, problem)
    x = problem.space.nodes[0][pairing.cells] @ pairing.phi.T
    problem = pairing.with_gap(problem, 1.2 + 0.3j + 0.2 * x)
    w, weights = SumRule(cutoff=30.0).nodes(TEMPERATURE, 1.0)
    common = {"keep": True, "terms": Terms(pairing)}
    matsubara = frequency_team(problem, w, weights, scale=2.0, workers=workers, **common)
    real = build_team(Setup(problem, EnergyChain, 2.0, BROADENING, **common), workers)
    real.turn(*energies(80))
    own = [SelfConsistency(problem, team, pairing, None, TEMPERATURE, 1.7) for team in (matsubara, real)]
    for each in own:
        each.start(1e-12)
        each.refresh()
    return own


@pytest.fixture(scope="module", params=[1, 2])
def both_equations(request):
    return gap_equations(request.param)


def test_the_gap_equation_is_the_same_from_a_sum_over_real_energies(both_equations):
    one, two = (own.residual() for own in both_equations)
    assert two == pytest.approx(one, abs=1e-5)
    assert abs(one).max() > 0.1


def test_its_derivative_is_the_same_from_a_sum_over_real_energies(both_equations):
    change = both_equations[0].gap.real * (0.3 - 0.8j) + 0.2j
    one, two = (own.derivative(change) for own in both_equations)
    assert two == pytest.approx(one, abs=1e-5)
    assert abs(one).max() > 0.1


def test_a_gap_equation_at_real_energies_follows_a_change_of_the_gap():
    one, two = gap_equations(1)
    for own in (one, two):
        own.move(own.fields * 0.8, 1e-12)
    assert two.team.reports[0].converged
    assert two.residual() == pytest.approx(one.residual(), abs=1e-5)


@pytest.fixture(scope="module")
def homogeneous():
    """The gap equation of a long wire in its bulk gap, with a sum that ends far above what the mesh resolves."""
    wire = uf.Device(uf.interval({"S": 12.0}, size=0.1), {"S": uf.superconductor(Tc=1.0)})
    problem = build_problem(wire, 2, temperature=TEMPERATURE)
    pairing = build_pairing(wire, problem)
    problem = pairing.with_gap(problem, np.full(pairing.shape, uf.materials.bcs_gap(TEMPERATURE), complex))
    w, weights = SumRule(cutoff=1e5).nodes(TEMPERATURE, 1.7)
    team = frequency_team(problem, w, weights, scale=1.7, keep=True, terms=Terms(pairing))
    own = SelfConsistency(problem, team, pairing, None, TEMPERATURE, 1.7)
    own.start(1e-12)
    own.refresh()
    return own


@pytest.mark.parametrize("mode", [4, 16, 64, 200])
@pytest.mark.parametrize("turn", [1.0, 1j], ids=["modulus", "phase"])
def test_the_approximate_inverse_is_one_at_all_lengths(homogeneous, mode, turn):
    own = homogeneous
    x = own.problem.space.nodes[0][own.pairing.cells] @ own.pairing.phi.T
    change = turn * np.cos(np.pi * mode * x / 12.0)
    found = own.gap_response().apply(own.gap, own.derivative(change))
    share = (change.conj() * found).real.sum() / (abs(change) ** 2).sum()
    assert 0.7 < share < 1.3


def test_what_no_element_holds_has_the_whole_sum(homogeneous):
    own = homogeneous
    noise, phi = np.random.default_rng(1).normal(size=own.pairing.shape), own.pairing.phi
    held = np.array([phi @ np.linalg.pinv(phi * np.sqrt(w)[:, None]) * np.sqrt(w) for w in own.pairing.weight])
    outside = noise - np.einsum("cqp,cp->cq", held, noise)  # tested with the elements of any cell it is zero
    found = own.gap_response().apply(own.gap, own.derivative(outside.astype(complex)))
    assert found == pytest.approx(outside, abs=1e-9)
