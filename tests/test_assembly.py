"""Residual and tangent of whole meshes."""

import numpy as np
import oracle
import pytest

import usadelfem as uf
from usadelfem.fem.assembly import assemble
from usadelfem.fem.problem import build_problem
from usadelfem.space.pattern import build_pattern

COEFFICIENTS = {
    "D": lambda x: 1.0 + 0.5 * x[0],
    "N0": 1.3,
    "gap": lambda x: 0.4 * np.exp(1j * x[0]),
    "exchange": lambda x: np.array([0.3 + x[0], 0.1 * x[0], -1.0 + 0 * x[0]]),
    "tau_so": 0.8,
    "tau_sf": 2.5,
    "depairing": 0.2,
}
SPIN_ORBIT = {
    "theta": lambda x: 0.4 + x[0],
    "kappa": lambda x: 0.3 - 0.7 * x[0],
    "rashba": lambda x: 0.5 + x[0],
    "dresselhaus": 0.4,
    "growth_axis": "y",
}


def vector_potential(x):
    return np.array([0.3 * x[0] - 0.2, 0.5 + 0 * x[0], x[0] ** 2])[: len(x)]


MESHES = {
    "line": uf.interval({"F": 1.0}, size=0.5),
    "triangle": uf.rectangle({"F": 1.0}, width=0.5, size=0.5),
    "quad": uf.rectangle({"F": 1.0}, width=0.5, size=0.5, cell="quad"),
    "tetrahedron": uf.box({"F": 0.5}, width=0.5, height=0.5, size=0.5),
    "hexahedron": uf.box({"F": 1.0}, width=0.5, height=0.5, size=0.5, cell="hexahedron"),
}
W = 0.4


@pytest.fixture(params=[(cell, order) for cell in MESHES for order in (1, 2)], ids=lambda p: f"{p[0]}-P{p[1]}")
def problem(request):
    cell, order = request.param
    mesh = MESHES[cell]
    moved = mesh.p + 0.03 * np.sin(3 * mesh.p[::-1])  # general quadrilaterals and hexahedra
    mesh = type(mesh)(moved, mesh.t).with_subdomains(mesh.subdomains)
    dim = mesh.dim()
    tensor = np.random.default_rng(5).normal(size=(dim, dim, 3))
    material = uf.normal_metal(
        **COEFFICIENTS, **SPIN_ORBIT, su2=0.3 * np.ones((dim, 3)), spin_hall_tensor=tensor - tensor.swapaxes(0, 1)
    )
    plane = "xz" if dim == 2 else "xy"
    return build_problem(uf.Device(mesh, {"F": material}, plane=plane, A=vector_potential), order, sector="full")


@pytest.fixture
def state(problem):
    rng = np.random.default_rng(1)
    nodes = problem.space.nodes.shape[1]
    return 0.2 * (rng.normal(size=(nodes, 4)) + 1j * rng.normal(size=(nodes, 4)))


def covariant_derivatives(x, a, da):
    """D_k a with A, su2 = 0.3 everywhere, Rashba and Dresselhaus fields for growth along y (u = z, v = x)."""
    dim, alpha, beta = len(x), SPIN_ORBIT["rashba"](x), SPIN_ORBIT["dresselhaus"]
    su2 = {"x": 0.15 * np.ones(3), "y": 0.15 * np.ones(3), "z": 0.15 * np.ones(3)}  # factors of sigma_a
    su2["x"] += [-beta, 0, alpha]
    su2["z"] += [-alpha, 0, beta]
    axes = {1: "x", 2: "xz", 3: "xyz"}[dim]
    out = []
    for k, axis in enumerate(axes):
        s = np.einsum("a,aij->ij", su2[axis], oracle.SIGMA)
        out.append(da[k] - 2j * vector_potential(x)[k] * a - 1j * (s @ a - a @ s))
    return np.array(out)


def spin_hall(x):
    """Theta_ij^a and Kappa_ij^a in mesh axes."""
    dim = len(x)
    axes = {1: [0], 2: [0, 2], 3: [0, 1, 2]}[dim]
    symbol = oracle.levi_civita()[np.ix_(axes, axes)]
    tensor = np.random.default_rng(5).normal(size=(dim, dim, 3))
    return {
        "theta": SPIN_ORBIT["theta"](x) * symbol + tensor - tensor.swapaxes(0, 1),
        "kappa": SPIN_ORBIT["kappa"](x) * symbol,
    }


def functional(problem, state):
    """The functional summed with explicit 4x4 matrices at every quadrature point."""
    space, total = problem.space, 0.0
    x = space.points()
    for e in range(len(space.cells)):
        for q in range(space.dx.shape[1]):
            here = x[:, e, q]
            inverse = space.inverse[e, q if space.inverse.shape[1] > 1 else 0]
            local = state[space.cells[e]].reshape(-1, 2, 2)
            a = np.einsum("i,iab->ab", space.phi[q], local)
            da = covariant_derivatives(here, a, np.einsum("im,mk,iab->kab", space.dphi[q], inverse, local))
            c = {name: value(here) if callable(value) else value for name, value in COEFFICIENTS.items()}
            n0, rates = c.pop("N0"), {"rate_so": 1 / c.pop("tau_so"), "rate_sf": 1 / c.pop("tau_sf")}
            b, db = oracle.tilde(a), np.array([oracle.tilde(m) for m in da])
            density = oracle.density(W, a, b, da, db, **c, **rates, **spin_hall(here))
            total += n0 * space.dx[e, q] * density.real
    return total


def test_residual_is_the_derivative_of_the_explicit_functional(problem, state):
    direction = np.random.default_rng(2).normal(size=(len(state), 8)).view(complex)
    residual, _, _ = assemble(problem.space, problem.coefficients, W, state)
    step = 1e-5
    plus, minus = (functional(problem, state + s * step * direction) for s in (1, -1))
    exact = (residual.conj() * direction).real.sum()
    assert exact == pytest.approx((plus - minus) / (2 * step), rel=1e-6, abs=1e-7)


def dense(pattern, values):
    """The full symmetric matrix of an upper-triangular CSR tangent."""
    upper = np.zeros((len(pattern.indptr) - 1,) * 2)
    for row in range(len(upper)):
        part = slice(pattern.indptr[row], pattern.indptr[row + 1])
        upper[row, pattern.indices[part]] = values[part]
    return upper + np.triu(upper, 1).T


def test_tangent_is_the_derivative_of_the_residual(problem, state):
    direction = np.random.default_rng(3).normal(size=(len(state), 8))
    _, _, values = assemble(problem.space, problem.coefficients, W, state, pattern=problem.pattern)
    step = 1e-5
    plus, minus = (
        assemble(problem.space, problem.coefficients, W, state + s * step * direction.view(complex))[0].view(float)
        for s in (1, -1)
    )
    numerical = (plus - minus) / (2 * step)
    exact = (dense(problem.pattern, values) @ direction.ravel()).reshape(-1, 8)
    assert np.abs(exact - numerical).max() < 1e-7 * np.abs(numerical).max()


def test_clamped_nodes_have_no_rows_in_the_tangent(problem, state):
    space = problem.space
    clamped = np.array([0, 2])
    pattern = build_pattern(space, clamped)
    _, _, values = assemble(space, problem.coefficients, W, state, pattern=pattern)
    _, _, everything = assemble(space, problem.coefficients, W, state, pattern=problem.pattern)
    keep = np.repeat(~np.isin(np.arange(len(state)), clamped), 8)
    expected = dense(problem.pattern, everything)[np.ix_(keep, keep)]
    assert np.abs(dense(pattern, values) - expected).max() < 1e-12 * np.abs(expected).max()


def test_residual_scale_bounds_the_residual(problem, state):
    residual, scale, _ = assemble(problem.space, problem.coefficients, W, state)
    assert (np.abs(residual).max(axis=1) <= 2 * scale).all()
