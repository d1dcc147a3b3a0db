"""Real pools and clusters on this machine: two processes, two dask workers, three MPI ranks; and workers that die."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from devices import sfs
from workers import calls, die_always, limited, note, power  # noqa: F401

import usadelfem as uf
from usadelfem.parallel.tasks import WorkerLostError, run_tasks

SPAWN = multiprocessing.get_context("spawn")
SUPERCONDUCTOR = uf.Device(
    uf.interval({"S": 1.0}, size=0.25), {"S": uf.superconductor(Tc=1.0)}, {"left": uf.Reservoir(phase=0.0)}
)
SQUARES = [k**2 for k in range(20)]


@pytest.fixture(scope="module")
def client():
    """A dask cluster of two worker processes; a task whose worker dies twice is given up."""
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        yield client


def slow_square(folder, item):
    note(folder, item)
    time.sleep(0.1)
    return item**2


def current(phase, exchange):
    eq = uf.solve_equilibrium(sfs(phase, exchange=(0, 0, exchange)), 0.2, order=1, frequencies=3)
    return uf.charge_current(eq).through("right")


GRID = {"phase": [0.5, 1.0, 1.5], "exchange": [0.0, 3.0]}


def test_a_sweep_on_processes_gives_the_numbers_of_this_process():
    here = uf.sweep(current, GRID)
    with ProcessPoolExecutor(2, SPAWN) as pool:
        assert uf.sweep(current, GRID, workers=pool).values == pytest.approx(here.values, rel=1e-9)


def test_pools_go_on_when_their_processes_are_killed():
    """In a process of its own: whatever dies there does not take a worker of the test run with it."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "killed_pools.py"]
    for _ in range(2):
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=500)
        if found.returncode >= 0:  # not killed itself
            break
    assert found.returncode == 0, found.stdout
    assert "4 passed" in found.stdout


POOL_SCRIPT = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
import usadelfem as uf

def function(x):
    with open(sys.argv[1], "a") as log:
        log.write(f"{x} {os.getpid()}\\n")
    time.sleep(0.1)
    return x * 2.0

if __name__ == "__main__":
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        print(uf.sweep(function, range(20), workers=pool, checkpoint=sys.argv[2]).values.tolist())
"""


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a dead process whose parent has not asked for it is in state Z
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return sys.platform != "linux"


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="looks for processes by signals")
def test_a_sweep_on_processes_that_is_killed_leaves_no_process_and_is_resumed(tmp_path):
    script, log = tmp_path / "script.py", tmp_path / "log"
    script.write_text(POOL_SCRIPT)
    log.touch()
    command = [sys.executable, script, log, tmp_path / "run.h5"]

    def lines():
        return [tuple(map(int, line.split())) for line in log.read_text().splitlines()]

    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: len(lines()) >= 8)
        process.kill()
    wait_until(lambda: not any(is_alive(pid) for _, pid in lines()))
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert run.stdout.strip() == str([2.0 * x for x in range(20)])
    assert len(lines()) <= 20 + 4


def test_dask_gives_results_in_the_order_of_the_items(client):
    assert run_tasks(power, range(20), shared=2, executor=client.get_executor()) == SQUARES


def test_a_sweep_on_dask_gives_the_numbers_of_this_process(client):
    found = uf.sweep(current, GRID, workers=client.get_executor())
    assert found.values == pytest.approx(uf.sweep(current, GRID).values, rel=1e-9)


def test_a_self_consistent_gap_on_dask_is_that_of_this_process(client):
    found = uf.solve_equilibrium(SUPERCONDUCTOR, 0.4, order=1, workers=client.get_executor())
    assert found.problem.gap == pytest.approx(uf.solve_equilibrium(SUPERCONDUCTOR, 0.4, order=1).problem.gap, abs=1e-7)


def test_dask_takes_a_payload_of_many_megabytes(client):
    large = np.ones(3_000_000)
    found = run_tasks(lambda shared, item: shared.sum() + item, [0, 1, 2], shared=large, executor=client.get_executor())
    assert found == [3e6, 3e6 + 1, 3e6 + 2]


def test_dask_takes_an_item_of_many_megabytes(client):
    large = np.ones(3_000_000)
    assert run_tasks(lambda shared, item: item.sum(), [large] * 6, executor=client.get_executor()) == [3e6] * 6


def test_a_dask_worker_that_is_killed_from_outside_loses_only_its_tasks(client, tmp_path):
    victim = next(iter(client.run(os.getpid).values()))
    done = []

    def kill_in_the_middle(index, result):
        done.append(index)
        if len(done) == 8:
            os.kill(victim, signal.SIGKILL)

    options = {"executor": client.get_executor(), "on_result": kill_in_the_middle}
    assert run_tasks(slow_square, range(20), shared=str(tmp_path), **options) == SQUARES
    assert sorted(done) == list(range(20))
    assert calls(tmp_path) <= 20 + 4


def test_an_item_that_kills_every_dask_worker_is_named(client, tmp_path):
    with pytest.raises(WorkerLostError, match=r"the worker that ran item 5 \(5\) died"):
        run_tasks(die_always, range(10), shared=str(tmp_path), executor=client.get_executor())


MPI_SWEEP = """
import sys
from mpi4py.futures import MPIPoolExecutor
import usadelfem as uf

scale = 3.0

def function(x, y):
    return scale * x + y

if __name__ == "__main__":
    with MPIPoolExecutor() as pool:
        result = uf.sweep(function, {"x": range(5), "y": [0.5, 0.25]}, workers=pool, checkpoint=sys.argv[1])
        print(pool.num_workers, result.values.tolist())
"""
MPI_GAP = """
from mpi4py.futures import MPIPoolExecutor
import usadelfem as uf

if __name__ == "__main__":
    device = uf.Device(uf.interval({"S": 1.0}, size=0.25), {"S": uf.superconductor(Tc=1.0)})
    with MPIPoolExecutor() as pool:
        eq = uf.solve_equilibrium(device, 0.4, order=1, workers=pool)
    print(abs(eq.problem.gap).max())
"""


def mpi_output(folder, text):
    """What a script prints on two workers of MPI."""
    script = folder / "script.py"
    script.write_text(text)
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert mpiexec, "no mpiexec: install the extra `test`"
    command = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", script, folder / "run.h5"]
    allowed = {name: "1" for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")}
    crowded = {"PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "OMPI_MCA_btl": "self,sm"}
    run = subprocess.run(
        command, env=os.environ | allowed | crowded, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="the MPI of the test extra is for Linux")
def test_a_sweep_runs_under_mpiexec(tmp_path):
    assert mpi_output(tmp_path, MPI_SWEEP) == f"2 {[[3.0 * x + y for y in (0.5, 0.25)] for x in range(5)]}"


@pytest.mark.skipif(sys.platform != "linux", reason="the MPI of the test extra is for Linux")
def test_a_self_consistent_gap_is_found_under_mpiexec(tmp_path):
    assert float(mpi_output(tmp_path, MPI_GAP)) == pytest.approx(uf.materials.bcs_gap(0.4), rel=1e-6)
