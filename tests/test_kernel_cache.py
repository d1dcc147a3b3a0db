"""The cache of compiled kernels: a full or damaged one costs a warning or the time to compile, never the solve."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from usadelfem.compilation import jit

SCRIPT = """
import sys, warnings
import numpy as np
from usadelfem.compilation.jit import kernel

@kernel("sums")
def total(x):
    result = 0.0
    for k in range(len(x)):
        result += x[k]
    return result

if len(sys.argv) > 1:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    assert total(np.arange(4.0)) == 6.0
    assert total(np.arange(4.0, dtype=np.float32)) == 6.0
for warning in found:
    print("warning:", warning.message)
print(sum(total.stats.cache_hits.values()), sum(total.stats.cache_misses.values()))
"""


@pytest.fixture
def run(tmp_path):
    """Run a script with a kernel of two signatures; returns warnings, and how many were found and not found."""
    script, cache = tmp_path / "script.py", tmp_path / "cache"
    script.write_text(textwrap.dedent(SCRIPT))
    cache.mkdir()

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, script, *arguments], env=os.environ | {"NUMBA_CACHE_DIR": str(cache)}, text=True,
            capture_output=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        *warned, counts = done.stdout.splitlines()
        return warned, tuple(map(int, counts.split()))

    run.cache = cache
    return run


def test_kernels_are_found_by_the_next_process(run):
    assert run() == ([], (0, 2))
    assert run() == ([], (2, 0))


def test_a_full_folder_costs_one_warning_that_names_it_and_the_variable(run):
    pytest.importorskip("resource")
    (warned,), counts = run("1000")
    assert counts == (0, 2)
    assert str(run.cache) in warned
    assert "NUMBA_CACHE_DIR" in warned
    assert not [file for file in run.cache.rglob("*.nbc*")]
    assert run() == ([], (0, 2))


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "damage"), [(".nbi", "truncated"), (".nbc", "bit"), (".nbc", "empty")])
def test_a_damaged_file_is_compiled_anew(damage, suffix, run):
    run()
    for file in run.cache.rglob(f"*{suffix}"):
        data = bytearray(file.read_bytes())
        middle = len(data) // 2
        if damage == "bit":
            data[middle] ^= 4
        file.write_bytes(
            {"truncated": data[:middle], "zeros": bytes(len(data)), "bit": data, "empty": b""}[damage]
        )  # fmt: skip
    assert run() == ([], (0, 2))
    assert run() == ([], (2, 0))


@pytest.mark.parametrize("name", ["fem/workspace.py", "fem/sector.py", "physics/functional.py", "physics/thermal.py"])
def test_an_edit_of_what_kernels_read_changes_the_name_of_the_cache(name, tmp_path):
    for folder in ("physics", "fem", "observe"):
        shutil.copytree(jit._ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = jit._source_hash(tmp_path)
    (tmp_path / "observe" / "fields.py").write_text("# of no importance to kernels")
    assert jit._source_hash(tmp_path) == before
    with (tmp_path / name).open("a") as file:
        file.write("\n")
    assert jit._source_hash(tmp_path) != before


ANNOUNCING = """
from usadelfem.compilation.jit import kernel

@kernel("sums of matrices")
def first(like, x):
    return x + len(like)

@kernel("sums of matrices")
def second(like, x):
    return x - len(like)

for spins in (1, 4):
    for function in (first, second):
        function((0j,) * spins, 1.0)
"""


def test_every_compilation_is_announced_once_with_what_is_compiled(tmp_path):
    script, cache = tmp_path / "script.py", tmp_path / "cache"
    script.write_text(ANNOUNCING)
    cache.mkdir()
    errors = [
        subprocess.run(
            [sys.executable, script], env=os.environ | {"NUMBA_CACHE_DIR": str(cache)}, text=True, capture_output=True,
            timeout=300, check=True,
        ).stderr.splitlines()
        for _ in range(2)
    ]  # fmt: skip
    assert [line.split(" (")[0] for line in errors[0]] == [
        "usadelfem: compiling sums of matrices without spin",
        "usadelfem: compiling sums of matrices for spins along all axes",
    ]
    assert not errors[1]
