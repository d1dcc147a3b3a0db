"""Residual and tangent at complex energies: explicit 4x4 matrices, central differences, the Matsubara equation."""

from dataclasses import replace

import numpy as np
import oracle
import pytest
import scipy.sparse as sp
from scipy.linalg import logm

import usadelfem as uf
from usadelfem.fem.assembly import add_junctions, assemble
from usadelfem.fem.problem import build_problem
from usadelfem.fem.retarded import Retarded

W = 0.3 - 0.7j  # broadening 0.3, energy 0.7
MESHES = {
    "line": uf.interval({"L": 0.6, "R": 0.6}, size=0.6),
    "triangle": uf.rectangle({"L": 0.6, "R": 0.6}, width=0.6, size=0.6),
    "quad": uf.rectangle({"L": 0.6, "R": 0.6}, width=0.6, size=0.6, cell="quad"),
    "tetrahedron": uf.box({"L": 0.6, "R": 0.6}, width=0.6, height=0.6, size=0.6),
}
TENSOR = np.zeros((3, 3, 3))
TENSOR[[0, 0, 1], [1, 2, 2]] = (0.3, -0.2, 0.6), (0.1, 0.4, -0.5), (-0.2, 0.2, 0.1)
TENSOR -= TENSOR.swapaxes(0, 1)
TERMS = {
    "gap": {"D": 1.7, "gap": 0.8 - 0.5j},
    "exchange": {"exchange": (0.3, -0.9, 0.4)},
    "spin-orbit": {"tau_so": 0.5},
    "magnetic": {"tau_sf": 0.8},
    "depairing": {"depairing": 0.7},
    "spin Hall": {"theta": 0.4},
    "swapping": {"kappa": -0.45},
    "both": {"theta": 0.4, "kappa": -0.45, "gap": 0.3j},
    "tensor": {"spin_hall_tensor": TENSOR},
    "potential": {"A": (0.4, -0.3, 0.2)},
    "SU(2)": {"su2": [(0.4, -0.2, 0.9), (0.3, 0.5, -0.1), (-0.2, 0.1, 0.6)]},
}
EVERYTHING = {name: value for terms in TERMS.values() for name, value in terms.items()} | {"gap": 0.8 - 0.5j}
# The same with one spin axis, and with none.
COLLINEAR = EVERYTHING | {
    "exchange": (0, 0, -0.9), "su2": [(0, 0, 0.9), (0, 0, -0.1), (0, 0, 0.4)], "spin_hall_tensor": TENSOR * (0, 0, 1),
}  # fmt: skip
SPINLESS = {name: EVERYTHING[name] for name in ("D", "gap", "tau_so", "tau_sf", "depairing", "A")}
BARRIERS = {
    "none": uf.Transparent(),
    "tunnel": uf.Tunnel(conductance=0.7),
    "spin-active": uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9, magnetization=(1, 2, -2)),
    "half metal": uf.SpinActive(conductance=0.7, polarization=1.0, mixing=0.3, magnetization=(0, 1, 1)),
    "channels": uf.Nazarov(conductance=0.7, transparencies=[0.3, 0.9]),
    "magnetic channels": uf.Nazarov(conductance=0.7, transparencies=[0.3, 0.9], mixing=0.5, magnetization=(1, 2, -2)),
}
ALONG_Z = {"along z": uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9)}
SECTORS = {
    "full": (EVERYTHING, "spin-active"), "collinear": (COLLINEAR, "along z"), "spinless": (SPINLESS, "channels")
}  # fmt: skip


def cut(name, value, dim):
    """A coefficient in fewer dimensions."""
    lengths = {"A": (slice(dim),), "su2": (slice(dim),), "spin_hall_tensor": (slice(dim), slice(dim))}
    return np.asarray(value)[lengths[name]] if name in lengths else value


def equation_of(terms, mesh="line", barrier="none", *, order=2, linearized=False, contacts=True, sector="full"):
    """The discrete equation of two metals, the right one without exchange field and less dense."""
    barrier, mesh = (BARRIERS | ALONG_Z).get(barrier, barrier), MESHES[mesh]
    given = {name: cut(name, value, mesh.dim()) for name, value in terms.items() if name in EVERYTHING}
    potential = given.pop("A", None)
    metal = uf.normal_metal(**given)
    materials = {"L": metal, "R": replace(metal, N0=0.7, exchange=(0.0, 0.0, 0.0))}
    reservoir = uf.Reservoir(1.0, 0.4, barrier=None if barrier.is_transparent else barrier)
    device = uf.Device(
        mesh, materials, {"left": reservoir} if contacts else {}, {"L_R": barrier}, A=potential
    )  # fmt: skip
    return Retarded(build_problem(device, order, linearized=linearized, sector=sector))


def random_state(equation, seed=1, scale=0.25):
    rng = np.random.default_rng(seed)
    shape = equation.zero().shape
    return scale * (rng.normal(size=shape) + 1j * rng.normal(size=shape))


def whole_residual(equation, w, state):
    """The residual of all nodes, also the clamped ones, shape (nodes, 2n)."""
    return equation._assemble(w, state, None)[0]


def full_matrix(equation, values):
    pattern = equation.problem.pattern
    size = len(pattern.indptr) - 1
    upper = sp.csr_array((values, pattern.indices, pattern.indptr), shape=(size, size))
    return upper + sp.triu(upper, 1).T


def check_tangent(equation):
    """The tangent times a complex direction against a central difference of the residual; complex symmetric."""
    state, direction = random_state(equation), random_state(equation, seed=2)
    direction[np.setdiff1d(np.arange(len(state)), equation.problem.pattern.free)] = 0.0
    residual, _, values = equation.linearize(W, state)
    h = 1e-5
    plus, minus = (equation.residual(W, state + s * h * direction)[0] for s in (1, -1))
    exact = full_matrix(equation, values) @ direction[equation.problem.pattern.free].ravel()
    assert abs(exact - (plus - minus) / (2 * h)).max() < 1e-7 * max(1.0, abs(exact).max())
    assert abs(residual - equation.residual(W, state)[0]).max() < 1e-12 * max(1.0, abs(residual).max())


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_the_symmetric_tangent_is_the_derivative_of_the_residual_for_every_term(terms):
    check_tangent(equation_of(terms, "triangle"))


@pytest.mark.parametrize("barrier", BARRIERS)
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mesh", MESHES)
def test_the_symmetric_tangent_is_the_derivative_of_the_residual_on_every_mesh(mesh, order, barrier):
    check_tangent(equation_of(EVERYTHING, mesh, barrier, order=order))


@pytest.mark.parametrize("barrier", BARRIERS)
def test_the_tangent_of_the_linear_equation_is_the_derivative_of_its_residual(barrier):
    check_tangent(equation_of(EVERYTHING, "triangle", barrier, linearized=True))


REDUCED = [("spinless", name) for name in ("none", "tunnel", "channels")]
REDUCED += [("collinear", name) for name in ("none", "tunnel", "channels", "along z")]


@pytest.mark.parametrize(("sector", "barrier"), REDUCED)
@pytest.mark.parametrize("mesh", ["line", "triangle"])
def test_the_tangent_of_reduced_sectors_is_the_derivative_of_their_residual(mesh, sector, barrier):
    equation = equation_of(SECTORS[sector][0], mesh, barrier, sector="auto")
    assert equation.problem.sector.name == sector
    check_tangent(equation)


def interface_density(barrier, g1, g2):
    """The density of an interface from 4x4 matrices, holomorphic, up to a constant."""
    n = np.array(barrier.magnetization) / np.linalg.norm(barrier.magnetization)
    m, r = np.einsum("a,aij->ij", n, oracle.SPIN) @ oracle.TAU3, np.sqrt(1 - barrier.polarization**2)
    mixing = 0.25j * barrier.mixing * np.trace(m @ (g1 + g2))
    if barrier.transparencies is not None:
        tau, one = np.array(barrier.transparencies), np.eye(4)
        terms = [2 * np.trace(logm(one + t / 4 * (g1 @ g2 + g2 @ g1 - 2 * one))) for t in tau]
        return -barrier.conductance / 4 * np.sum(terms) / tau.sum() + mixing
    seen = g2 + barrier.polarization / (1 + r) * (m @ g2 + g2 @ m) + (1 - r) / (1 + r) * m @ g2 @ m
    return -barrier.conductance / 4 * np.trace(g1 @ seen) + mixing


def functional(equation, terms, barrier, state):
    """The functional at W as a sum of explicit 4x4 matrices over quadrature points and facets."""
    space, junctions, total = equation.problem.space, equation.problem.interfaces, 0.0
    dim, right = space.dim, space.mesh.subdomains["R"]
    local = {name: terms[name] for name in ("D", "gap", "depairing") if name in terms}
    local |= {f"rate_{x}": 1 / terms[f"tau_{x}"] for x in ("so", "sf") if f"tau_{x}" in terms}
    potential, su2 = np.zeros(dim), np.zeros((dim, 3))
    potential[:] = terms.get("A", np.zeros(dim))[:dim]
    su2[:] = terms.get("su2", su2)[:dim]
    spin, symbol = 0.5 * np.einsum("ka,aij->kij", su2, oracle.SIGMA), oracle.levi_civita()[:dim, :dim]
    local["theta"] = (
        terms.get("theta", 0.0) * symbol + np.asarray(terms.get("spin_hall_tensor", TENSOR * 0))[:dim, :dim]
    )
    local["kappa"] = terms.get("kappa", 0.0) * symbol
    whole = state.reshape(-1, 2, 2, 2)
    for e, q in np.ndindex(space.dx.shape):
        gradient = space.dphi[q] @ space.inverse[e, q if space.inverse.shape[1] > 1 else 0]
        a, b = np.einsum("i,isab->sab", space.phi[q], whole[space.cells[e]])
        da, db = np.einsum("ik,isab->skab", gradient, whole[space.cells[e]])
        turned = [np.array([1j * (spin[k] @ x - x @ spin[k]) for k in range(dim)]) for x in (a, b)]
        da, db = (
            d - 2j * sign * potential[:, None, None] * x - turn
            for d, sign, x, turn in zip((da, db), (1, -1), (a, b), turned, strict=True)
        )
        field, n0 = ((0, 0, 0), 0.7) if e in right else (terms.get("exchange", (0, 0, 0)), 1.0)
        total += n0 * space.dx[e, q] * oracle.density(W, a, b, da, db, exchange=field, **local)
    for f, q in np.ndindex(junctions.dx.shape):
        half = junctions.phi.shape[2]
        sides = junctions.nodes[f, :half], junctions.nodes[f, half:]
        g1, g2 = (oracle.green(*np.einsum("i,isab->sab", junctions.phi[f, q], whole[nodes])) for nodes in sides)
        total += junctions.dx[f, q] * interface_density(barrier, g1, g2)
    return total


EXPLICIT = [(name, "triangle", "none", terms) for name, terms in TERMS.items()]
EXPLICIT += [("all", mesh, barrier, EVERYTHING) for mesh in ("line", "triangle") for barrier in BARRIERS]


@pytest.mark.parametrize(("name", "mesh", "barrier", "terms"), EXPLICIT, ids=lambda x: x if isinstance(x, str) else "")
def test_the_residual_is_the_complex_derivative_of_the_functional_of_explicit_matrices(name, mesh, barrier, terms):
    equation = equation_of(terms, mesh, barrier, order=1)
    state, direction, h = random_state(equation), random_state(equation, seed=3), 1e-5
    plus, minus = (functional(equation, terms, BARRIERS[barrier], state + s * h * direction) for s in (1, -1))
    exact = (whole_residual(equation, W, state) * direction).sum()
    assert exact == pytest.approx((plus - minus) / (2 * h), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("linearized", [False, True])
@pytest.mark.parametrize("barrier", BARRIERS)
@pytest.mark.parametrize("mesh", ["line", "triangle"])
def test_at_a_matsubara_frequency_the_residual_is_that_of_the_matsubara_problem(mesh, barrier, linearized):
    equation = equation_of(EVERYTHING, mesh, barrier, linearized=linearized)
    problem, a = equation.problem, random_state(equation)[:, :4]
    b = np.array([oracle.tilde(m.reshape(2, 2)).ravel() for m in a])
    own, scale, _ = assemble(problem.space, problem.coefficients, 0.6, a)
    add_junctions(problem.interfaces, a, own, scale)
    # dF/d(Re a) + i dF/d(Im a) = 2 (dF/da)* where F is real
    residual = whole_residual(equation, 0.6, np.concatenate([a, b], axis=1))[:, :4]
    assert abs(2 * residual.conj() - own).max() < 1e-12 * abs(own).max()


@pytest.mark.parametrize("name", SECTORS)
def test_the_residual_at_minus_the_energy_follows_from_symmetry(name):
    # b(-E) = sigma_y a(E)* sigma_y and a(-E) = sigma_y b(E)* sigma_y, and so for the residuals
    terms, barrier = SECTORS[name]
    equation = equation_of(terms, "triangle", barrier, sector="auto")
    assert equation.problem.sector.name == name
    state = random_state(equation)
    own = whole_residual(equation, W, state)
    mirrored = whole_residual(equation, W.conjugate(), equation.mirrored(state))
    assert abs(equation.mirrored(own) - mirrored).max() < 1e-12 * abs(own).max()


@pytest.mark.parametrize("barrier", ["none", "tunnel", "spin-active", "channels"])
def test_exchanging_a_and_b_exchanges_the_halves_of_the_residual(barrier):
    # gap -> -gap*, A -> -A, theta -> -theta, and the sign of the polarisation of a spin filter
    terms = EVERYTHING | {"gap": -np.conj(EVERYTHING["gap"]), "theta": -EVERYTHING["theta"]}
    terms |= {name: -np.array(EVERYTHING[name]) for name in ("A", "spin_hall_tensor")}
    other = BARRIERS[barrier]
    if other.kind == "SpinActive":
        other = replace(other, polarization=-other.polarization)
    one, two = equation_of(EVERYTHING, "triangle", barrier), equation_of(terms, "triangle", other)
    state = random_state(one)
    swap = np.r_[4:8, 0:4]
    own, exchanged = whole_residual(one, W, state), whole_residual(two, W, state[:, swap])
    assert abs(exchanged[:, swap] - own).max() < 1e-12 * abs(own).max()


@pytest.mark.parametrize("name", ["collinear", "spinless"])
def test_the_residual_of_a_sector_is_the_full_one_along_its_matrices_and_nothing_is_left_across(name):
    terms, barrier = SECTORS[name]
    part, full = (equation_of(terms, "triangle", barrier, sector=s) for s in ("auto", "full"))
    state, basis = random_state(part), part.problem.sector.basis
    whole = whole_residual(full, W, np.concatenate(part.matrices(state), axis=1)).reshape(-1, 2, 4)
    # dF = tr-free contraction over entries with the matrices of the basis
    along = whole @ basis.T
    assert abs(along.reshape(len(state), -1) - whole_residual(part, W, state)).max() < 1e-12 * abs(whole).max()
    across = whole - np.einsum("nsk,ki->nsi", along / (abs(basis) ** 2).sum(axis=1), basis.conj())
    assert abs(across).max() < 1e-12 * abs(whole).max()


@pytest.mark.parametrize("energy", [0.0, 0.5, 0.97, 1.4, 6.0, -0.5])
def test_a_homogeneous_solution_commutes_with_its_self_energy_as_explicit_matrices(energy):
    rates = {"gap": 0.8 - 0.5j, "exchange": (0.2, -0.1, 0.3), "depairing": 0.1}
    metal = uf.normal_metal(**rates, tau_so=2.0, tau_sf=5.0)
    device = uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": metal})
    spec = uf.solve_spectrum(device, [energy], broadening=0.02)
    g = spec.green([[0.3]])[0, :, :, 0]
    own = oracle.self_energy(0.02 - 1j * energy, g, rate_so=0.5, rate_sf=0.2, **rates)
    assert abs(own @ g - g @ own).max() < 1e-10 * abs(own).max()
    assert abs(g @ g - np.eye(4)).max() < 1e-10
    assert abs(np.trace(g)) < 1e-12
