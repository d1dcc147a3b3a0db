"""Scripts that start workers: without a main guard they are refused at once, with one they work."""

import subprocess
import sys
import textwrap

import pytest

HEAD = """
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import usadelfem as uf


def square(x):
    return x * x


def main():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(sys.argv[1])) as pool:
        print(uf.sweep(square, {"x": [1.0, 2.0, 3.0]}, workers=pool).values)


"""
GUARDED = {
    "guard": 'if __name__ == "__main__":\n    main()\n',
    "name of the process": 'if multiprocessing.current_process().name == "MainProcess":\n    main()\n',
}
UNGUARDED = {
    "no guard": "main()\n",
    "guard of something else": 'if __name__ == "__main__":\n    print("start")\nmain()\n',
    "guard that comes too late": 'main()\nif __name__ == "__main__":\n    print("end")\n',
}


def run(folder, body, method):
    script = folder / "script.py"
    script.write_text(textwrap.dedent(HEAD) + body)
    return subprocess.run([sys.executable, script, method], text=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("body", GUARDED.values(), ids=GUARDED)
def test_a_script_with_a_guard_works(tmp_path, body, method):
    done = run(tmp_path, body, method)
    assert done.stdout == "[1. 4. 9.]\n", done.stderr


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("body", UNGUARDED.values(), ids=UNGUARDED)
def test_a_script_without_a_guard_says_so_once(tmp_path, body, method):
    done = run(tmp_path, body, method)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == done.stderr.count("under `if __name__ == \"__main__\":`") == 1, done.stderr
    assert "bootstrapping" not in done.stderr


def test_forked_workers_need_no_guard(tmp_path):
    done = run(tmp_path, UNGUARDED["no guard"], "fork")
    assert done.stdout == "[1. 4. 9.]\n", done.stderr
