"""Interface terms: density against explicit 4x4 matrices, gradient and Hessian against central differences."""

import numpy as np
import oracle
import pytest
from scipy.linalg import logm

import usadelfem as uf
from usadelfem.fem.assembly import add_junctions
from usadelfem.fem.interfaces import junction_energy
from usadelfem.fem.problem import build_problem
from usadelfem.space.space import build_space

MESHES = {
    "line": uf.interval({"A": 1.0, "B": 1.0}, size=0.5),
    "triangle": uf.rectangle({"A": 1.0, "B": 1.0}, width=1.0, size=1.0),
    "quad": uf.rectangle({"A": 1.0, "B": 1.0}, width=1.0, size=1.0, cell="quad"),
    "tetrahedron": uf.box({"A": 1.0, "B": 1.0}, size=1.0),
    "hexahedron": uf.box({"A": 1.0, "B": 1.0}, size=1.0, cell="hexahedron"),
}
BARRIERS = {
    "tunnel": uf.Tunnel(conductance=0.7),
    "spin-active": uf.SpinActive(conductance=0.7, polarization=0.6, mixing=-0.9, magnetization=(1, 2, -2)),
    "half metal": uf.SpinActive(conductance=0.7, polarization=1.0, mixing=0.3, magnetization=(0, 1, 1)),
    "insulator": uf.SpinActive(conductance=0.0, mixing=0.8, magnetization=(1, 0, 0)),
    "channels": uf.Nazarov(conductance=0.7, transparencies=[0.3, 0.9, 1.0]),
    "diffusive": uf.Nazarov(conductance=0.7, transparencies="diffusive"),
    "magnetic channels": uf.Nazarov(
        conductance=0.7, transparencies=[0.3, 0.9], mixing=-0.8, magnetization=(1, 2, -2)
    ),
}


def system_of(barrier, mesh="line", order=2, linearized=False):
    device = uf.Device(
        MESHES[mesh], {"A": uf.normal_metal(), "B": uf.normal_metal()}, interfaces={"A_B": barrier}
    )
    return build_problem(device, order, linearized=linearized, sector="full")


def random_state(problem, scale=0.3, seed=1):
    rng = np.random.default_rng(seed)
    shape = (problem.space.nodes.shape[1], 4)
    return scale * (rng.normal(size=shape) + 1j * rng.normal(size=shape))


def energy(problem, state):
    j = problem.interfaces
    return junction_energy((0j,) * 4, state, j.nodes, j.phi, j.dx, j.table, j.kinds, j.channels)


def explicit(barrier, g1, g2):
    """The density from 4x4 matrices, up to a constant."""
    n = np.array(barrier.magnetization) / np.linalg.norm(barrier.magnetization)
    m = np.einsum("a,aij->ij", n, oracle.SPIN) @ oracle.TAU3
    mixing = 0.25j * barrier.mixing * np.trace(m @ (g1 + g2))
    if barrier.transparencies is not None:
        tau = np.array(barrier.transparencies)
        terms = [2 * np.trace(logm(np.eye(4) + t / 4 * (g1 @ g2 + g2 @ g1 - 2 * np.eye(4)))) for t in tau]
        return (-barrier.conductance / 4 * np.sum(terms) / tau.sum() + mixing).real
    r = np.sqrt(1 - barrier.polarization**2)
    seen = g2 + barrier.polarization / (1 + r) * (m @ g2 + g2 @ m) + (1 - r) / (1 + r) * m @ g2 @ m
    return (-barrier.conductance / 4 * np.trace(g1 @ seen) + mixing).real


@pytest.mark.parametrize("name", ["tunnel", "spin-active", "half metal", "insulator", "channels", "magnetic channels"])
def test_the_density_is_that_of_explicit_matrices(name):
    barrier, problem = BARRIERS[name], system_of(BARRIERS[name], order=1)

    def both(seed):
        rng = np.random.default_rng(seed)
        a1, a2 = (oracle.random_spin(rng, 0.3) for _ in range(2))
        state = np.zeros((problem.space.nodes.shape[1], 4), complex)
        state[problem.interfaces.nodes[0]] = [a1.ravel(), a2.ravel()]
        g1, g2 = (oracle.green(a, oracle.tilde(a)) for a in (a1, a2))
        return energy(problem, state), explicit(barrier, g1, g2)

    (own, reference), (own_2, reference_2) = both(1), both(2)
    assert own - own_2 == pytest.approx(reference - reference_2, abs=1e-12)


def test_the_density_vanishes_in_the_normal_state():
    for barrier in BARRIERS.values():
        problem = system_of(barrier)
        assert abs(energy(problem, 0 * random_state(problem))) < 1e-14


@pytest.mark.parametrize("name", BARRIERS)
@pytest.mark.parametrize("mesh", MESHES)
@pytest.mark.parametrize("order", [1, 2])
def test_the_gradient_is_the_derivative_of_the_energy(name, mesh, order):
    problem = system_of(BARRIERS[name], mesh, order)
    state, direction = random_state(problem), random_state(problem, seed=2)
    residual, scale = np.zeros_like(state), np.zeros(len(state))
    add_junctions(problem.interfaces, state, residual, scale)
    h = 1e-5
    difference = (energy(problem, state + h * direction) - energy(problem, state - h * direction)) / (2 * h)
    own = (residual.conj() * direction).real.sum()
    assert own == pytest.approx(difference, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", BARRIERS)
@pytest.mark.parametrize("mesh", ["line", "triangle", "tetrahedron"])
@pytest.mark.parametrize("linearized", [False, True])
def test_the_hessian_is_the_derivative_of_the_gradient(name, mesh, linearized):
    import scipy.sparse as sp

    problem = system_of(BARRIERS[name], mesh, 2, linearized)
    state, direction = random_state(problem), random_state(problem, seed=2)

    def residual(x):
        r = np.zeros_like(x)
        add_junctions(problem.interfaces, x, r, np.zeros(len(x)))
        return r[problem.pattern.free].reshape(-1).view(float)

    values = np.zeros(len(problem.pattern.indices))
    add_junctions(
        problem.interfaces, state, np.zeros_like(state), np.zeros(len(state)), pattern=problem.pattern, values=values
    )
    size = len(problem.pattern.indptr) - 1
    upper = sp.csr_array((values, problem.pattern.indices, problem.pattern.indptr), shape=(size, size))
    full = upper + sp.triu(upper, 1).T
    h = 1e-5
    step = np.zeros_like(state)
    step[problem.pattern.free] = direction[problem.pattern.free]
    difference = (residual(state + h * step) - residual(state - h * step)) / (2 * h)
    own = full @ direction[problem.pattern.free].reshape(-1).view(float)
    assert own == pytest.approx(difference, rel=1e-6, abs=1e-7)


def test_nodes_are_doubled_once_along_an_interface():
    for mesh in MESHES.values():
        for order in (1, 2):
            facets = np.asarray(mesh.boundaries["A_B"], np.int64)
            plain = build_space(mesh, order)
            split = build_space(mesh, order, barriers=facets)
            assert split.nodes.shape[1] - plain.nodes.shape[1] == len(plain.facet_nodes(facets))
            left, right = (split.facet_corners(facets, side)[0] for side in (0, 1))
            assert np.array_equal(split.origin[left], split.origin[right])
            assert np.array_equal(split.nodes[:, left], split.nodes[:, right])
            assert not np.intersect1d(left, right).size


def crossing(cells=2):
    """A square of four regions that meet in its centre."""
    import skfem

    mesh = skfem.MeshTri1.init_tensor(np.linspace(0, 1, 2 * cells + 1), np.linspace(0, 1, 2 * cells + 1))
    return mesh.with_subdomains(
        {f"{i}{j}": (lambda x, i=i, j=j: ((x[0] > 0.5) == i) & ((x[1] > 0.5) == j)) for i in (0, 1) for j in (0, 1)}
    )


def copies_at(space, point):
    return int((abs(space.nodes - np.array(point)[:, None]).max(axis=0) < 1e-12).sum())


def test_where_interfaces_cross_there_are_four_copies_of_a_node():
    mesh = crossing()
    pairs = [("00", "10"), ("01", "11"), ("00", "01"), ("10", "11")]
    device = uf.Device(
        mesh, {name: uf.normal_metal() for name in mesh.subdomains}, interfaces={p: BARRIERS["tunnel"] for p in pairs}
    )
    space = build_problem(device, 2).space
    assert copies_at(space, (0.5, 0.5)) == 4
    assert copies_at(space, (0.5, 0.25)) == 2


def test_where_one_interface_ends_on_another_there_are_three_copies():
    mesh = crossing()
    pairs = [("00", "10"), ("01", "11"), ("00", "01")]
    device = uf.Device(
        mesh, {name: uf.normal_metal() for name in mesh.subdomains}, interfaces={p: BARRIERS["tunnel"] for p in pairs}
    )
    assert copies_at(build_problem(device, 2).space, (0.5, 0.5)) == 3


def test_at_an_end_inside_the_domain_a_node_is_single():
    mesh = crossing()
    device = uf.Device(
        mesh, {name: uf.normal_metal() for name in mesh.subdomains}, interfaces={("00", "10"): BARRIERS["tunnel"]}
    )
    space = build_problem(device, 2).space
    assert copies_at(space, (0.5, 0.5)) == 1
    assert copies_at(space, (0.5, 0.0)) == 2
