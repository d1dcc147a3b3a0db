"""Kernels compiled ahead of time are found by later processes."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import usadelfem as uf
materials = {"S": uf.superconductor(gap=1.0), "N": uf.normal_metal()}
device = uf.Device(uf.rectangle({"S": 1.0, "N": 1.0}, 1.0, size=0.25), materials,
                   {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.0)})
eq = uf.solve_equilibrium(device, 0.2, frequencies=2)
print(eq.problem.sector.name, uf.charge_current(eq).through("right") < 0)
"""


def run(*arguments, cache):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=1200
    )  # fmt: skip


def test_a_spin_structure_that_does_not_exist_is_named(tmp_path):
    done = run("-m", "usadelfem", "compile", "spinful", cache=tmp_path)
    assert done.returncode == 2
    assert "sector is 'spinful'; allowed are 'spinless', 'collinear' and 'full'" in done.stderr


def test_less_than_one_worker_is_refused(tmp_path):
    done = run("-m", "usadelfem", "compile", "--workers", "0", cache=tmp_path)
    assert done.returncode == 2
    assert "workers is 0; allowed is an integer >= 1" in done.stderr


@pytest.mark.slow
def test_what_is_compiled_ahead_of_time_is_not_compiled_again(tmp_path):
    done = run("-m", "usadelfem", "compile", "spinless", cache=tmp_path)
    assert done.stdout.startswith("spinless: "), done.stderr
    later = run("-W", "ignore", "-c", SCRIPT, cache=tmp_path)
    assert later.stdout.split()[0] == "spinless", later.stderr
    assert "compiling" not in later.stderr
