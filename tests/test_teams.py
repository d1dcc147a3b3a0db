"""Self-consistent fields, critical temperatures and ground states on the workers of an executor."""

import multiprocessing
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from devices import sfs
from workers import Counting, Immediate, limited, power  # noqa: F401

import usadelfem as uf
from usadelfem.fem.gap_equation import build_pairing
from usadelfem.fem.problem import build_problem
from usadelfem.parallel import worker
from usadelfem.parallel.tasks import run_tasks
from usadelfem.points.sums import Terms
from usadelfem.points.team_remote import frequency_team

# The same numbers on coarse meshes too.
pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")

S = uf.superconductor(Tc=1.0)
WEAK_LINK = uf.Device(
    uf.interval({"S1": 1.0, "N": 0.5, "S2": 1.0}, size=0.25),
    {"S1": S, "N": uf.normal_metal(), "S2": S},
    {"left": uf.Reservoir(phase=0.0), "right": uf.Reservoir(phase=1.5)},
)
BILAYER = uf.Device(
    uf.interval({"S": 1.0, "F": 0.5}, size=0.25), {"S": S, "F": uf.ferromagnet(exchange=(0.0, 0.0, 2.0))}
)  # Tc = 0.41
CYLINDER = uf.Device(uf.rectangle({"S": 2.0}, 2.0, 0.5), {"S": S}, B=0.3)
SOLVES = {
    "anderson": (WEAK_LINK, 0.4, {}),
    "newton": (WEAK_LINK, 0.4, {"method": "newton"}),
    "screening": (CYLINDER, 0.4, {"screening": True, "penetration_depth": 1.0}),
    "normal": (BILAYER, 0.5, {}),
}


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(3) as pool:
        yield pool


def solve(name, **options):
    device, temperature, own = SOLVES[name]
    return uf.solve_equilibrium(device, temperature, order=1, tolerance=1e-9, **own, **options)


@cache
def alone(name):
    return solve(name)


@pytest.mark.parametrize("name", SOLVES)
@pytest.mark.parametrize("workers", ["processes", "threads"])
def test_a_gap_found_on_an_executor_is_that_of_this_process(name, workers, request):
    eq = solve(name, workers=request.getfixturevalue(workers))
    assert eq.problem.gap == pytest.approx(alone(name).problem.gap, abs=1e-8)
    assert eq.dofs == pytest.approx(alone(name).dofs, abs=1e-8)
    assert abs(eq.riccati - alone(name).riccati).max() < 1e-8


def test_a_solve_on_an_executor_reports_what_one_in_this_process_reports(processes):
    eq = solve("anderson", workers=processes)
    assert [report.frequency for report in eq.report] == eq.frequencies.tolist()
    assert all(report.converged and report.iterations > 0 for report in eq.report)
    assert eq.sweeps[-1].residual <= 1e-9
    assert eq.clock.factorizations >= len(eq.frequencies)
    assert eq.clock.solves > 0
    assert eq.solver == alone("anderson").solver


def test_every_sweep_is_one_task_per_worker_and_the_mesh_travels_about_once(processes):
    counting = Counting(processes)
    eq = uf.solve_equilibrium(WEAK_LINK, 0.4, order=1, initial=alone("anderson"), workers=counting)
    tasks = 2 * (len(eq.sweeps) + 2)  # the start and the last solve to full accuracy
    assert counting.calls <= tasks + 2
    assert counting.payloads <= 2 + 2


@pytest.mark.parametrize("name", ["anderson", "newton"])
def test_workers_that_forget_everything_find_the_same_gap(name):
    eq = solve(name, workers=Immediate(worker._kept.clear))
    assert eq.problem.gap == pytest.approx(alone(name).problem.gap, abs=1e-8)


class Deadly(ProcessPoolExecutor):
    """Kills one of its processes after a number of tasks."""

    left = 7

    def submit(self, *arguments, **options):
        future = super().submit(*arguments, **options)
        self.left -= 1
        if self.left == 0:
            os.kill(next(iter(self._processes)), signal.SIGKILL)
        return future


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
@pytest.mark.parametrize("method", ["anderson", "newton"])
def test_a_process_that_is_killed_in_the_middle_changes_nothing(method):
    start = uf.solve_equilibrium(WEAK_LINK, 0.5, order=1)
    with Deadly(2, multiprocessing.get_context("spawn")) as pool:
        eq = solve("anderson", method=method, initial=start, workers=pool)
        assert pool.left <= 0
    assert eq.problem.gap == pytest.approx(alone("anderson").problem.gap, abs=1e-8)


@pytest.mark.parametrize("workers", ["processes", "threads"])
def test_a_critical_temperature_from_an_executor_is_that_of_this_process(workers, request):
    found = uf.critical_temperature(BILAYER, order=1, workers=request.getfixturevalue(workers))
    assert found == pytest.approx(uf.critical_temperature(BILAYER, order=1), rel=1e-7)


def bilayer(exchange):
    return uf.Device(BILAYER.mesh, {"S": S, "F": uf.ferromagnet(exchange=(0.0, 0.0, exchange))})


def test_a_critical_field_from_an_executor_is_that_of_this_process(processes):
    spread, one = (
        uf.study.critical_parameter(bilayer, (0.0, 4.0), 0.4, order=1, workers=pool) for pool in (processes, 1)
    )
    assert spread == pytest.approx(one, rel=1e-6)


def test_stability_from_an_executor_is_that_of_this_process(processes):
    spread = uf.study.stability(BILAYER, 0.3, order=1, workers=processes)
    assert spread == pytest.approx(uf.study.stability(BILAYER, 0.3, order=1), abs=1e-9)


@pytest.mark.parametrize("workers", ["processes", "threads"])
def test_a_ground_state_from_an_executor_is_that_of_this_process(workers, request):
    device, options = sfs(exchange=(0.0, 0.0, 6.0)), {"order": 1, "frequencies": 4}
    phase, eq = uf.ground_state(device, "right", 0.2, **options, workers=request.getfixturevalue(workers))
    one, _ = uf.ground_state(device, "right", 0.2, **options)
    assert np.exp(1j * phase) == pytest.approx(np.exp(1j * one), abs=1e-5)
    assert uf.charge_current(eq).through("right") == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda **options: uf.solve_equilibrium(BILAYER, 0.3, **options),
        lambda **options: uf.study.stability(BILAYER, 0.3, **options),
        lambda **options: uf.critical_temperature(BILAYER, **options),
        lambda **options: uf.study.critical_parameter(bilayer, (0.0, 4.0), 0.4, **options),
        lambda **options: uf.study.phase_diagram(bilayer, [1.0], **options),
        lambda **options: uf.ground_state(sfs(), "right", 0.3, **options),
        lambda **options: uf.solve_spectrum(sfs(), [0.5], broadening=0.1, **options),
        lambda **options: uf.sweep(float, [1.0], **options),
    ],
    ids=["equilibrium", "stability", "Tc", "parameter", "diagram", "ground state", "spectrum", "sweep"],
)
@pytest.mark.parametrize("workers", [0, -1, 2.0, True, "processes", ThreadPoolExecutor])
def test_workers_are_a_number_or_an_executor(call, workers):
    with pytest.raises(ValueError, match=r"workers is .*; allowed is an integer >= 1, or a concurrent\.futures\.Exec"):
        call(workers=workers)


def test_two_threads_find_what_one_finds():
    devices = {"spectrum": sfs(), "sweep": 2.0}
    one, two = (
        (
            uf.density_of_states(uf.solve_spectrum(devices["spectrum"], [0.2, 0.5, 0.9], broadening=0.1, workers=n)),
            uf.study.phase_diagram(bilayer, [1.0, 2.0], order=1, workers=n),
            uf.sweep(lambda x: 2 * x, [1.0, 2.0, 3.0], workers=n).values,
            uf.ground_state(sfs(), "right", 0.3, samples=3, frequencies=3, order=1, workers=n)[0],
        )
        for n in (1, 2)
    )
    assert two[0].quadrature == pytest.approx(one[0].quadrature, rel=1e-8)
    for first, second in zip(one[1:], two[1:], strict=True):
        assert second == pytest.approx(first, rel=1e-6)


def team(executor):
    """All chains of a linear problem, with factors after one sum."""
    problem = build_problem(BILAYER, 1, linearized=True)
    pairing = build_pairing(BILAYER, problem)
    team = frequency_team(
        problem, np.arange(1.0, 6.0), np.ones(5), scale=1.0, workers=executor, keep=True, terms=Terms(pairing)
    )
    return team, team.sum(problem, Terms.mode, np.ones(pairing.shape, complex))


def test_a_sum_over_the_workers_is_the_sum_over_all_frequencies(threads):
    assert team(threads)[1] == pytest.approx(team(1)[1], rel=1e-12)


def test_threads_of_an_executor_have_no_factors_after_the_end(threads):
    own, _ = team(threads)
    assert len(own.chains.held) == 3
    own.release()
    assert not own.chains.held


def test_a_worker_frees_its_factors_when_it_turns_to_another_run():
    team(Immediate())
    _, chains, *_ = next(reversed(worker._kept.values()))
    assert len(chains.held) == 2
    run_tasks(power, [1], shared=2, executor=Immediate())
    assert not chains.held


def test_a_worker_drops_the_oldest_factors_where_memory_ends(monkeypatch):
    monkeypatch.setattr("usadelfem.points.team_remote.factor_memory", lambda: 1.0)
    team(Immediate())
    _, chains, *_ = next(reversed(worker._kept.values()))
    assert list(chains.held) == [1]
