"""Multigrid against direct solvers: the same solutions, and the direct solver where it stagnates."""

import logging

import numpy as np
import pytest
import scipy.sparse as sp
import solids
from numpy.linalg import LinAlgError, norm

import usadelfem as uf
from usadelfem.fem.matsubara import Matsubara
from usadelfem.fem.problem import build_problem
from usadelfem.numerics import aggregation, linear, multigrid
from usadelfem.numerics.hierarchy import node_grid
from usadelfem.numerics.krylov import flexible_gmres
from usadelfem.space.nested import corner_interpolation
from usadelfem.space.space import build_space

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")
ENDS = {"left": uf.Reservoir(gap=1.0, phase=-0.8), "right": uf.Reservoir(gap=1.0, phase=0.8)}
SPINS = {"spinless": (0.0, 0.0, 0.0), "collinear": (0.0, 0.0, 2.0), "full": lambda x: np.array([x[0], x[1], 1 + x[2]])}


@pytest.fixture(autouse=True)
def _several_levels(monkeypatch):
    monkeypatch.setattr(aggregation, "COARSEST", 20)


def bar(exchange, size=0.25, cell="tetrahedron"):
    mesh = uf.box({"F": 1.5}, width=1.0, height=0.75, size=size, cell=cell)
    return uf.Device(mesh, {"F": uf.ferromagnet(exchange=exchange)}, ENDS)


def currents(device, **options):
    eq = uf.solve_equilibrium(device, 0.2, frequencies=2, **options)
    return np.array([uf.charge_current(eq).through(own) for own in (*device.contacts, *device.interfaces)]), eq


def tangent(device, order, w=0.6):
    """Residual and tangent of a device near the normal state."""
    problem = build_problem(device, order, temperature=0.2)
    equation = Matsubara(problem)
    return problem, *equation.linearize(w, equation.clamp(w, equation.zero()))[::2]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("sector", SPINS)
def test_currents_are_those_of_the_direct_solver_in_every_spin_sector(sector, order):
    device = bar(SPINS[sector], size=0.25 * order)
    direct, _ = currents(device, order=order, linear_solver="superlu")
    own, eq = currents(device, order=order, linear_solver="multigrid")
    assert (eq.problem.sector.name, eq.solver) == (sector, "multigrid")
    assert own == pytest.approx(direct, rel=1e-9)


@pytest.mark.parametrize("seed", [0, 3, 8, 12])
def test_currents_of_random_solids_are_those_of_the_direct_solver(seed):
    device, order = solids.solid(seed)
    direct, _ = currents(device, order=order, linear_solver="auto")
    own, _ = currents(device, order=order, linear_solver="multigrid")
    assert own == pytest.approx(direct, rel=1e-8)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the Green's function is not causal:UserWarning")  # whichever solver
@pytest.mark.parametrize("seed", range(30))
def test_no_random_solid_has_a_wrong_current(seed):
    device, order = solids.solid(seed)
    direct, _ = currents(device, order=order, linear_solver="auto")
    own, _ = currents(device, order=order, linear_solver="multigrid")
    # Currents through bad barriers are differences of large terms.
    assert own == pytest.approx(direct, rel=1e-8, abs=1e-13)


@pytest.mark.parametrize("order", [1, 2])
def test_few_iterations_are_needed_whatever_the_size_of_the_mesh(order):
    counts = []
    for size in (0.2 * order, 0.1 * order):
        problem, residual, values = tangent(bar(SPINS["full"], size=size), order)
        solver = problem.borrow_solver("multigrid", float)
        solver.factorize(values).solve(residual, accuracy=1e-8)
        counts.append(solver.backend.iterations[-1])
    assert max(counts) <= 20
    assert counts[1] <= counts[0] + 5


def test_a_checked_solution_has_the_residual_that_was_asked_for():
    problem, residual, values = tangent(bar(SPINS["full"]), 1)
    upper = sp.csr_matrix((values, problem.pattern.indices, problem.pattern.indptr))
    whole = upper + sp.triu(upper, 1).T
    factor = problem.borrow_solver("multigrid", float).factorize(values)
    rhs = np.stack([residual, np.random.default_rng(0).standard_normal(len(residual))], axis=1)
    assert (norm(whole @ factor.solve(rhs) - rhs, axis=0) < 1e-8 * norm(rhs, axis=0)).all()


def test_a_stagnating_iteration_goes_on_with_the_direct_solver(monkeypatch, caplog):
    monkeypatch.setattr(multigrid, "MOST_ITERATIONS", 1)
    monkeypatch.setattr(multigrid, "RESTART", 1)
    device = bar(SPINS["full"])
    direct, _ = currents(device, order=1, linear_solver="superlu")
    with caplog.at_level(logging.WARNING, logger="usadelfem"):
        own, eq = currents(device, order=1, linear_solver="multigrid")
    assert eq.solver in ("pardiso", "pardiso-single", "superlu")
    assert own == pytest.approx(direct, rel=1e-9)
    said = [record.getMessage() for record in caplog.records if "multigrid stagnates" in record.getMessage()]
    assert len(said) == 1


def test_a_matrix_after_one_that_has_stagnated_is_solved_by_multigrid_again(monkeypatch):
    problem, residual, values = tangent(bar(SPINS["full"]), 1)
    solver = problem.borrow_solver("multigrid", float)
    with monkeypatch.context() as few:
        few.setattr(multigrid, "MOST_ITERATIONS", 1)
        few.setattr(multigrid, "RESTART", 1)
        solver.factorize(values).solve(residual)
        assert solver.name != "multigrid"
    solver.factorize(values).solve(residual)
    assert solver.name == "multigrid"


def test_an_iteration_that_keeps_stagnating_is_left_for_good(monkeypatch):
    monkeypatch.setattr(multigrid, "MOST_ITERATIONS", 1)
    monkeypatch.setattr(multigrid, "RESTART", 1)
    problem, residual, values = tangent(bar(SPINS["full"]), 1)
    solver = problem.borrow_solver("multigrid", float)
    first = solver.backend
    for _ in range(5):
        solver.factorize(values).solve(residual)
    assert solver.name != "multigrid"
    assert len(first.iterations) == 3


def test_large_solids_are_solved_by_multigrid_of_themselves(monkeypatch, caplog):
    monkeypatch.setattr(linear, "MULTIGRID_FROM", {3: 100})
    with caplog.at_level(logging.DEBUG, logger="usadelfem"):
        _, eq = currents(bar(SPINS["spinless"]), order=1)
    assert eq.solver == "multigrid"
    assert {report.solver for report in eq.report} == {"multigrid"}
    assert any("linear solver multigrid (asked for: auto)" in record.getMessage() for record in caplog.records)


def test_jumps_of_the_coefficients_by_1000_take_few_iterations():
    mesh = uf.box({"N": 0.7, "M": 0.8}, width=1.0, height=1.0, size=0.15)
    bad = uf.normal_metal(D=1e-3, N0=1e-3)
    problem, residual, values = tangent(uf.Device(mesh, {"N": uf.normal_metal(), "M": bad}, ENDS), 1)
    solver = problem.borrow_solver("multigrid", float)
    solver.factorize(values).solve(residual, accuracy=1e-8)
    assert solver.backend.iterations[-1] <= 20


def test_a_gap_is_found_with_the_kept_levels_of_all_frequencies():
    mesh = uf.box({"S": 1.5, "N": 0.5}, width=0.5, height=0.5, size=0.25)
    device = uf.Device(
        mesh, {"S": uf.superconductor(Tc=0.5), "N": uf.normal_metal()}, {"right": uf.Reservoir(gap=0.0)}
    )
    gaps = [
        uf.solve_equilibrium(device, 0.1, order=1, linear_solver=kind).problem.gap
        for kind in ("superlu", "multigrid")
    ]
    assert gaps[1] == pytest.approx(gaps[0], rel=1e-7)


@pytest.mark.parametrize("energy", [0.3, 1.2])
def test_spectra_are_those_of_the_direct_solver(energy):
    device = bar(SPINS["collinear"], size=0.375)
    eq = uf.solve_equilibrium(device, 0.2, order=1, frequencies=1)
    states = [
        uf.solve_spectrum(eq, [energy], broadening=0.1, linear_solver=kind).states for kind in ("superlu", "multigrid")
    ]
    assert abs(states[1] - states[0]).max() < 1e-8


def test_linear_functions_are_interpolated_to_quadratic_nodes():
    space = build_space(uf.box({"N": 1.0}, 1.0, 1.0, 0.5), 2)
    matrix = corner_interpolation(space)
    assert matrix @ (1 + space.nodes[0] - 2 * space.nodes[2])[space.corners] == pytest.approx(
        1 + space.nodes[0] - 2 * space.nodes[2]
    )


def test_prolongations_keep_constants():
    line = sp.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(200, 200)).tolil()
    line[0, 0] = line[-1, -1] = 1.0
    for own in aggregation.prolongations(line.tocsr()):
        assert own @ np.ones(own.shape[1]) == pytest.approx(np.ones(own.shape[0]))


def test_gmres_ends_with_the_exact_solution_of_a_small_system():
    rng = np.random.default_rng(2)
    matrix, rhs = rng.standard_normal((2, 6, 6)), rng.standard_normal(6)
    matrix = matrix[0] + 1j * matrix[1]
    x, history = flexible_gmres(lambda v: matrix @ v, lambda v: 2 * v, rhs + 0j, 1e-13, 20)
    assert matrix @ x == pytest.approx(rhs, abs=1e-11)
    assert len(history) <= 6


def test_multigrid_refuses_patterns_without_dense_blocks():
    with pytest.raises(ValueError, match="dense blocks of 2 unknowns"):
        node_grid(np.array([0, 1, 2]), np.array([0, 1]), 2)


def test_a_singular_matrix_is_named():
    indptr, indices = np.arange(4), np.arange(3)
    solver = linear.linear_solver(indptr, indices, block=1, kind="multigrid")
    with pytest.raises(LinAlgError):
        solver.factorize(np.array([1.0, 0.0, 2.0])).solve(np.ones(3))


def test_nodes_that_are_not_coupled_are_no_burden():
    size = 2000
    solver = linear.linear_solver(np.arange(size + 1), np.arange(size), block=1, kind="multigrid")
    entries = 1.0 + np.arange(size)
    assert solver.factorize(entries).solve(np.ones(size)) == pytest.approx(1 / entries, rel=1e-8)
    assert solver.factor_bytes < 100 * size
