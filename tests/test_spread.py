"""One solve spread over an executor, and factors that are not exact."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from devices import junction

import usadelfem as uf
from usadelfem.numerics import checked, linear, pardiso
from usadelfem.numerics.newton import Acceleration

MESH = uf.rectangle({"F": 1.0}, width=0.5, size=0.125)
DEVICE = junction(MESH, {"F": uf.ferromagnet(exchange=(0.5, 0.0, 1.0))}, 1.0)
needs_mkl = pytest.mark.skipif(pardiso.find_mkl() is None, reason="MKL is not installed")


def test_frequencies_spread_over_workers_are_those_of_one_solve():
    alone = uf.solve_equilibrium(DEVICE, 0.2, order=1, frequencies=7)
    with ThreadPoolExecutor(3) as pool:
        spread = uf.solve_equilibrium(DEVICE, 0.2, order=1, frequencies=7, workers=pool)
    assert abs(spread.riccati - alone.riccati).max() < 1e-9
    assert [report.frequency for report in spread.report] == alone.frequencies.tolist()
    assert uf.charge_current(spread).through("right") == pytest.approx(
        uf.charge_current(alone).through("right"), rel=1e-9
    )


def test_energies_spread_over_workers_are_those_of_one_solve():
    energies = np.linspace(0, 3, 13)
    alone = uf.solve_spectrum(DEVICE, energies, broadening=0.1, order=1)
    with ThreadPoolExecutor(2) as pool:
        spread = uf.solve_spectrum(DEVICE, energies, broadening=0.1, order=1, workers=pool)
    assert abs(spread.states - alone.states).max() < 1e-9


def test_no_progress_bar_is_shown_when_it_is_not_wanted(capfd):
    uf.solve_equilibrium(DEVICE, 0.2, order=1, frequencies=3, progress=False)
    uf.solve_spectrum(DEVICE, [1.0], order=1, progress=False)
    assert capfd.readouterr().err == ""


@needs_mkl
def test_factors_in_single_precision_give_the_same_current():
    single, double = (
        uf.charge_current(uf.solve_equilibrium(DEVICE, 0.2, order=1, frequencies=5, linear_solver=kind)).through(
            "right"
        )
        for kind in ("pardiso-single", "pardiso")
    )
    assert single == pytest.approx(double, rel=1e-9)


@needs_mkl
def test_the_choice_of_a_linear_solver_is_logged(caplog):
    with caplog.at_level(logging.DEBUG, logger="usadelfem"):
        uf.solve_equilibrium(replace(DEVICE), 0.2, order=1, frequencies=1)  # a new device, which has no solver yet
    assert any("linear solver pardiso (asked for: auto)" in record.getMessage() for record in caplog.records)


def diagonal(dtype, entries):
    size = len(entries)
    solver = linear.linear_solver(
        np.arange(size + 1), np.arange(size), block=1, kind="pardiso-single", dtype=dtype
    )  # fmt: skip
    return solver, solver.factorize(np.asarray(entries, dtype))


@needs_mkl
@pytest.mark.parametrize("dtype", [float, complex])
def test_answers_from_factors_in_single_precision_are_refined(dtype):
    solver, factor = diagonal(dtype, np.array([1.0, 3.0, 7.0]))
    assert solver.name == "pardiso-single"
    assert factor.solve(np.ones(3, dtype)) == pytest.approx(1 / np.array([1.0, 3.0, 7.0]), rel=1e-8)


@needs_mkl
def test_entries_beyond_the_range_of_single_precision_are_scaled_into_it():
    solver, factor = diagonal(float, [1e60, 1.0, 1e-60])
    assert factor.solve(np.ones(3)) == pytest.approx([1e-60, 1.0, 1e60], rel=1e-12)
    assert solver.name == "pardiso-single"


@needs_mkl
def test_what_single_precision_cannot_solve_is_factorised_in_double(monkeypatch):
    monkeypatch.setattr(checked, "_SINGLE_FAILS", 0.0)
    solver, factor = diagonal(float, [1.0, 3.0, 7.0])
    assert factor.solve(np.ones(3)) == pytest.approx(1 / np.array([1.0, 3.0, 7.0]), rel=1e-15)
    assert solver.name == "pardiso"


def test_accelerated_corrections_solve_a_linear_problem_in_as_many_steps_as_it_has_eigenvalues():
    # x + f(x) with the preconditioner 1: the matrix has three eigenvalues
    matrix = np.diag([1.3, 1.3, 0.8, 0.8, 1.1]) + 0j
    right, x, mixed = np.arange(1.0, 6.0) + 1j, np.zeros(5, complex), Acceleration()
    for _ in range(4):
        x = x + mixed.step(right - matrix @ x)
    assert x == pytest.approx(np.linalg.solve(matrix, right), rel=1e-10)


def test_petsc_solves_what_pardiso_solves():
    pytest.importorskip("petsc4py", reason="PETSc is not installed")
    direct, iterative = (
        uf.solve_equilibrium(DEVICE, 0.2, order=1, frequencies=2, linear_solver=kind)
        for kind in ("petsc", "petsc-iterative")
    )
    reference = uf.solve_equilibrium(DEVICE, 0.2, order=1, frequencies=2)
    assert abs(direct.riccati - reference.riccati).max() < 1e-9
    assert abs(iterative.riccati - reference.riccati).max() < 1e-9


def test_petsc_that_is_missing_is_said_to_be_missing(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("usadelfem.numerics.petsc.importlib.import_module", missing)
    with pytest.raises(ImportError, match="need petsc4py"):
        uf.solve_equilibrium(DEVICE, 0.2, order=1, frequencies=1, linear_solver="petsc")
