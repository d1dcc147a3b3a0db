"""What a newcomer waits for: CPU seconds of the first calls in a fresh checkout, with all kernels still to be compiled.

    python benchmarks/cold_start.py

One thread, an empty cache, a device of a few cells, a process for each kind of spin structure.
"""

import json
import os
import subprocess
import sys
import tempfile
from time import process_time

# Spin structure -> the exchange field of the normal metal between two superconductors.
KINDS = {"spinless": None, "collinear": (0.0, 0.0, 1.0), "full": "rotating"}
STEPS = ("import", "first solve", "first current", "first density of states")


def measure(kind: str) -> dict[str, float]:
    marks = [process_time()]
    import numpy as np

    import usadelfem as uf

    marks.append(process_time())
    exchange = KINDS[kind] or (0.0, 0.0, 0.0)
    if exchange == "rotating":

        def exchange(x):
            return np.array([np.cos(x[0]), np.sin(x[0]), 0 * x[0]])

    mesh = uf.rectangle({"F": 2.0}, width=1.0, size=0.5)
    reservoirs = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.0)}
    device = uf.Device(mesh, {"F": uf.normal_metal(exchange=exchange)}, reservoirs)
    eq = uf.solve_equilibrium(device, 0.2)
    marks.append(process_time())
    current = uf.charge_current(eq)
    current.through("right"), current.at([[1.0], [0.5]])
    marks.append(process_time())
    uf.density_of_states(uf.solve_spectrum(device, [0.5], broadening=0.05)).at([[1.0], [0.5]])
    marks.append(process_time())
    return dict(zip(STEPS, np.diff(marks).tolist(), strict=True))


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    print(f"{'':12}" + "".join(f"{step:>24}" for step in (*STEPS, "all")))
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as cache:
            own = {"NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            done = subprocess.run(
                [sys.executable, "-W", "ignore", __file__, kind], env=os.environ | own, check=True,
                capture_output=True, text=True,
            )  # fmt: skip
        seconds = json.loads(done.stdout.splitlines()[-1])
        row = (*seconds.values(), sum(seconds.values()))
        print(f"{kind:12}" + "".join(f"{value:24.1f}" for value in row), flush=True)


if __name__ == "__main__":
    main()
