"""What is solved by iterations in large solids has the solution that factors have."""

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array

import usadelfem as uf
from usadelfem.fem.problem import build_problem
from usadelfem.fem.screening import build_induced
from usadelfem.numerics import auxiliary, sparse
from usadelfem.numerics.auxiliary import mass_iteration
from usadelfem.space.recover import recover

MESH = uf.box({"V": 0.5, "S": 1.0, "V2": 0.5}, width=1.0, height=1.0, size=0.25)


@pytest.fixture
def everything_is_large(monkeypatch):
    def set_limits(count):
        monkeypatch.setattr(sparse, "LARGE_MASS", count)
        monkeypatch.setattr(sparse, "LARGE_SOLID", count)

    return set_limits


@pytest.fixture(scope="module")
def problem():
    vacuum = uf.materials.vacuum()
    device = uf.Device(MESH, {"V": vacuum, "S": uf.superconductor(Tc=1.0), "V2": vacuum}, {}, B=(0, 0, 0.2))
    return build_problem(device, 1, temperature=0.5, potential=True)


def test_recovered_fields_are_those_of_factors(problem, everything_is_large):
    values = np.random.default_rng(1).normal(size=(2, *problem.space.dx.shape)) * (1 + 1j)
    found = recover(problem.space, values, ("S",)).values
    everything_is_large(1)
    assert np.allclose(recover(problem.space, values, ("S",)).values, found, rtol=0, atol=1e-12)


def test_steps_of_amperes_law_are_those_of_factors(problem, everything_is_large):
    def step():
        maxwell = build_induced(problem.device, problem, 2.0).maxwell
        # A current that is conserved: the curl of a function of the place.
        current = maxwell.curl_at_points(np.cos(np.arange(maxwell.count)))
        stiffness = 1 + problem.space.points()[0]
        return maxwell.step(maxwell.zeros(), current, stiffness, 2.0)

    found = step()
    everything_is_large(1)
    assert np.allclose(step(), found, rtol=0, atol=1e-8 * abs(found).max())


def test_iterations_that_do_not_converge_give_way_to_factors(monkeypatch):
    matrix = csr_array(diags_array([-np.ones(499), np.linspace(2, 3, 500), -np.ones(499)], offsets=(-1, 0, 1)))
    solver = sparse.LargeFactor(matrix, mass_iteration(matrix))
    monkeypatch.setattr(auxiliary, "MOST_ITERATIONS", 2)
    wanted = np.cos(np.arange(500))
    assert np.allclose(solver.solve(matrix @ wanted), wanted, rtol=0, atol=1e-12)
