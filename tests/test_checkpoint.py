"""Checkpoints: whole at every moment, resumed without computing anew, refused for another problem."""

import functools
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

import usadelfem as uf
from usadelfem.export.checkpoint import Checkpoint, CheckpointError
from usadelfem.export.fingerprint import fingerprint
from usadelfem.export.grid import make_grid
from usadelfem.export.lock import FileLock

FACTOR = 2.0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.h5"


class Counted:
    """A function that counts its calls; the count is no part of its fingerprint."""

    def __init__(self, function=lambda x: 2.0 * x):
        self.function, self.calls = function, []

    def __call__(self, x):
        self.calls.append(x)
        return self.function(x)

    def __reduce__(self):
        return Counted, (self.function,)


def times_factor(x):
    return FACTOR * x


def shifted(x, shift=1.0):
    return x + shift


def number_of(names):
    return lambda x: x * len(names)


def test_points_in_the_checkpoint_are_not_computed_again(path):
    function = Counted()
    first = uf.sweep(function, [1, 2, 3], checkpoint=path)
    second = uf.sweep(function, [1, 2, 3], checkpoint=path)
    assert function.calls == [1, 2, 3]
    assert second.values.tolist() == first.values.tolist() == [2, 4, 6]


def test_a_sweep_that_was_interrupted_goes_on_where_it_was(path, tmp_path):
    flag = tmp_path / "go on"

    def interrupted(x):
        if x == 3 and not flag.exists():
            raise KeyboardInterrupt
        return 2.0 * x

    function = Counted(interrupted)
    with pytest.raises(KeyboardInterrupt):
        uf.sweep(function, range(6), checkpoint=path)
    flag.touch()
    assert uf.sweep(function, range(6), checkpoint=path).values.tolist() == [0, 2, 4, 6, 8, 10]
    assert function.calls == [0, 1, 2, 3, 3, 4, 5]


def test_the_file_holds_parameters_values_and_marks_for_any_reader(path):
    uf.sweep(lambda a, b: {"x": a + 1j * b, "y": [a, b]}, {"a": [1, 2], "b": [0.5]}, checkpoint=path)
    with h5py.File(path) as file:
        assert file["parameters/b"][...].tolist() == [0.5]
        assert file["values/x"][...].tolist() == [[1 + 0.5j], [2 + 0.5j]]
        assert file["values/y"].shape == (2, 1, 2)
        assert (file["stored"][...] > 0).all()


def test_the_file_can_be_read_while_the_sweep_runs(path):
    def look(x):
        if x == 2:
            with h5py.File(path) as file:
                return float(np.nansum(file["values"][...]))
        return 1.0

    assert uf.sweep(look, [0, 1, 2], checkpoint=path).values.tolist() == [1.0, 1.0, 2.0]


def test_a_dict_of_arrays_is_resumed(path):
    function = Counted(lambda x: {"z": np.full(3, x), "a": x * 1j})
    first = uf.sweep(function, [1, 2], checkpoint=path)
    second = uf.sweep(function, [1, 2], checkpoint=path)
    assert len(function.calls) == 2
    assert all(np.array_equal(first.values[name], second.values[name]) for name in ("a", "z"))


def test_values_that_become_complex_are_stored_as_such(path):
    function = Counted(lambda x: x if x < 2 else x * 1j)
    uf.sweep(function, [1, 2, 3], checkpoint=path)
    assert uf.sweep(function, [1, 2, 3], checkpoint=path).values.tolist() == [1, 2j, 3j]
    assert len(function.calls) == 3


def test_points_that_failed_are_tried_again(path, tmp_path):
    flag = tmp_path / "works now"

    def fails(x):
        if x == 2 and not flag.exists():
            raise uf.errors.SolveError("diverged", frequency=1.0, residuals=(), state=None)
        return x

    function = Counted(fails)
    with pytest.warns(UserWarning, match="1 of 3 points failed"):
        uf.sweep(function, [1, 2, 3], checkpoint=path)
    flag.touch()
    assert uf.sweep(function, [1, 2, 3], checkpoint=path).values.tolist() == [1, 2, 3]
    assert function.calls == [1, 2, 3, 2]


def test_another_exception_leaves_what_was_computed_in_the_file(path):
    with pytest.raises(ZeroDivisionError):
        uf.sweep(lambda x: 1 / (2 - x), [0, 1, 2, 3], checkpoint=path)
    with h5py.File(path) as file:
        assert file["values"][:2].tolist() == [0.5, 1.0]


def test_other_values_of_a_parameter_are_refused(path):
    uf.sweep(shifted, [1.0, 2.0], checkpoint=path)
    with pytest.raises(CheckpointError, match=r"'value' has other values \(value 1 is 2.0 there, now 3.0\)"):
        uf.sweep(shifted, [1.0, 3.0], checkpoint=path)


def test_another_number_of_values_is_refused(path):
    uf.sweep(shifted, [1.0, 2.0], checkpoint=path)
    with pytest.raises(CheckpointError, match="'value' has 2 values there, now 3"):
        uf.sweep(shifted, [1.0, 2.0, 3.0], checkpoint=path)


def test_other_parameters_are_refused(path):
    uf.sweep(shifted, {"x": [1.0]}, checkpoint=path)
    with pytest.raises(CheckpointError, match="its parameters are x, now x, shift"):
        uf.sweep(shifted, {"x": [1.0], "shift": [2.0]}, checkpoint=path)


def test_other_values_that_are_not_numbers_are_refused(path):
    uf.sweep(len, ["a", "bb"], checkpoint=path)
    with pytest.raises(CheckpointError, match=r"value 1 is 'bb' there, now 'cc'"):
        uf.sweep(len, ["a", "cc"], checkpoint=path)


def test_another_code_is_refused(path):
    uf.sweep(lambda x: x + 1.0, [1], checkpoint=path)
    with pytest.raises(CheckpointError, match=r"the function has changed: the code of .*lambda"):
        uf.sweep(lambda x: x - 1.0, [1], checkpoint=path)


def test_another_global_is_refused(path, monkeypatch):
    uf.sweep(times_factor, [1], checkpoint=path)
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 3.0)
    with pytest.raises(CheckpointError, match="the function has changed: 'FACTOR', used by times_factor"):
        uf.sweep(times_factor, [1], checkpoint=path)


def test_another_enclosed_value_is_refused(path):
    uf.sweep(number_of({"a", "b"}), [1], checkpoint=path)
    with pytest.raises(CheckpointError, match="the function has changed: 'names', enclosed in number_of"):
        uf.sweep(number_of({"a", "c"}), [1], checkpoint=path)


def test_another_bound_argument_is_refused(path):
    uf.sweep(functools.partial(shifted, shift=1.0), [1], checkpoint=path)
    with pytest.raises(CheckpointError, match="the function has changed"):
        uf.sweep(functools.partial(shifted, shift=2.0), [1], checkpoint=path)


def test_another_device_is_refused(path):
    def on(length):
        device = uf.Device(uf.interval({"N": length}), {"N": uf.normal_metal()}, {"left": uf.Reservoir(1.0)})
        return lambda x: x * device.mesh.p.max()

    uf.sweep(on(1.0), [1], checkpoint=path)
    uf.sweep(on(1.0), [1], checkpoint=path)
    with pytest.raises(CheckpointError, match="'device', enclosed in"):
        uf.sweep(on(2.0), [1], checkpoint=path)


def test_another_format_is_refused(path):
    uf.sweep(shifted, [1.0], checkpoint=path)
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = 99
    with pytest.raises(CheckpointError, match="has the format 99, this version of usadelfem writes 1"):
        uf.sweep(shifted, [1.0], checkpoint=path)


def test_a_file_that_is_something_else_is_refused_and_kept(path):
    path.write_text("my notes")
    with pytest.raises(CheckpointError, match="cannot be read"):
        uf.sweep(shifted, [1.0], checkpoint=path)
    assert path.read_text() == "my notes"


def test_a_name_that_does_not_end_in_h5_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"must end in \.h5"):
        uf.sweep(shifted, [1.0], checkpoint=tmp_path / "run.npz")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        uf.sweep(shifted, [1.0], checkpoint=tmp_path / "nowhere" / "run.h5")


def test_a_function_without_fingerprint_is_refused(path):
    with open(os.devnull) as null, pytest.raises(TypeError, match=r"'null', enclosed in .* has no fingerprint"):
        uf.sweep(lambda x: len(null.name), [1], checkpoint=path)


def test_a_point_with_a_wrong_checksum_is_computed_again(path):
    function = Counted()
    uf.sweep(function, [1, 2, 3], checkpoint=path)
    with h5py.File(path, "r+") as file:
        file["values"][1] = 7.0
    assert uf.sweep(function, [1, 2, 3], checkpoint=path).values.tolist() == [2, 4, 6]
    assert function.calls == [1, 2, 3, 2]


def test_a_second_sweep_on_the_same_file_is_refused(path):
    def nested(x):
        with pytest.raises(CheckpointError, match=r"is in use by another thread of this process"):
            uf.sweep(shifted, [1.0], checkpoint=path)
        return x

    assert uf.sweep(nested, [1.0], checkpoint=path).values.tolist() == [1.0]


def test_the_lock_is_gone_after_a_sweep_and_after_an_error(path):
    with pytest.raises(ZeroDivisionError):
        uf.sweep(lambda x: 1 / x, [0], checkpoint=path)
    uf.sweep(shifted, [1.0], checkpoint=path)
    assert [file.name for file in path.parent.iterdir()] == ["run.h5"]


def test_a_lock_file_of_a_dead_process_does_not_block(path):
    path.with_name("run.h5.lock").write_text("process 1 on elsewhere\n")
    assert uf.sweep(shifted, [1.0], checkpoint=path).values.tolist() == [2.0]


HOLD = """
import os, sys, time
from pathlib import Path
from usadelfem.export.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
child = os.fork() if len(sys.argv) > 2 else 0
if child or len(sys.argv) == 2:
    print(child, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_process_holds_its_lock_until_it_is_killed_whatever_it_has_forked(tmp_path):
    lock = tmp_path / "run.h5.lock"
    owner = subprocess.Popen([sys.executable, "-c", HOLD, lock, "fork"], stdout=subprocess.PIPE, text=True)
    with owner:
        child = int(owner.stdout.readline())
        try:
            with pytest.raises(BlockingIOError, match=rf"process {owner.pid} on "):
                FileLock(lock)
            owner.kill()
            owner.wait(10)
            FileLock(lock).release()
        finally:
            owner.kill()
            os.kill(child, signal.SIGKILL)


def test_results_of_an_executor_are_stored_too(path):
    with ThreadPoolExecutor(3) as pool:
        uf.sweep(times_factor, range(50), workers=pool, checkpoint=path)
    with h5py.File(path) as file:
        assert file["values"][...].tolist() == [2.0 * x for x in range(50)]


def test_storing_costs_the_same_for_the_first_and_the_last_of_many_points(path):
    grid = make_grid(range(10_000))
    with Checkpoint(path, grid, fingerprint(shifted)) as checkpoint:
        marks = [time.perf_counter()]
        for index in range(grid.size):
            checkpoint.store(index, {"": np.float64(index)})
            if index % 2500 == 2499:
                marks.append(time.perf_counter())
    costs = np.diff(marks)
    assert costs[-1] < 5 * costs[0]
    assert costs.sum() < 5.0


SCRIPT = """
import os, sys
import numpy as np
import usadelfem as uf
from usadelfem.export.fingerprint import fingerprint

names = {"alpha", "beta", "gamma", "delta"}
device = uf.Device(uf.interval({"N": 1.0}), {"N": uf.normal_metal(D=lambda x: 1 + x[0])}, {"left": uf.Reservoir(1.0)})
size = 20_000

class Model:
    weight = 1.0
    def value(self, x):
        return self.weight * x

model = Model()

def call(log, x):
    os.write(log, b"%d\\n" % x)
    return np.full(size, model.value(x) + (0 if "beta" in names else device.mesh.p.sum()))

def function(x):
    return call(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND), x)

if __name__ == "__main__":
    if len(sys.argv) > 2:
        uf.sweep(function, range(200), checkpoint=sys.argv[2])
    else:
        print(fingerprint(function)["all"])
"""


@pytest.fixture
def script(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(SCRIPT))
    return file


def output(arguments, **environment):
    command = [sys.executable, *map(str, arguments)]
    run = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=60)
    return run.stdout


def test_the_fingerprint_is_the_same_in_another_process(script):
    one, two = (output([script, "log"], PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert len(one.strip()) == 64
    assert one == two


def test_comments_and_lines_above_do_not_change_the_fingerprint(script):
    before = output([script, "log"])
    script.write_text("# a comment\n\nunused = 3\n" + script.read_text())
    assert output([script, "log"]) == before


def logged(log):
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_sweep_killed_at_random_moments_loses_no_point_that_was_stored(script, tmp_path, path):
    log, random_ = tmp_path / "log", random.Random(7)
    kills = 5
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, str(script), str(log), str(path)])
        before = len(logged(log))
        deadline = time.monotonic() + 60
        while len(logged(log)) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(random_.uniform(0.0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        called = logged(log)
        if path.exists():
            with h5py.File(path) as file:
                stored = np.flatnonzero(file["stored"][...])
                assert (file["values"][...][stored] == stored[:, None]).all()
            assert set(called[:-1]) <= set(stored.tolist())
    output([script, log, path])
    called = logged(log)
    assert set(called) == set(range(200))
    assert len(called) <= 200 + kills
