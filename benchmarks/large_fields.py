"""What belongs to large solids beside the Usadel equation: `python benchmarks/large_fields.py [cells ...]`.

CPU seconds of one thread and peak memory for finding points, recovered fields, files, the normal state, and a step of
Ampere's law, of P1 elements on cubes of so many tetrahedra; then the exponents between the last two sizes. Each size
runs in a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import warnings
from math import log
from pathlib import Path
from time import process_time

CELLS = (270_000, 800_000)
POINTS = 100_000


def measure(cells: int) -> dict[str, float]:
    import numpy as np

    import usadelfem as uf
    from usadelfem.fem.problem import build_problem
    from usadelfem.fem.screening import build_induced

    warnings.simplefilter("ignore")
    found: dict[str, float] = {}

    def timed(name, task):
        start = process_time()
        result = task()
        found[name] = process_time() - start
        return result

    def cube(count):
        return uf.box({"V": 0.5, "N": 1.0, "V2": 0.5}, width=2.0, height=2.0, size=2.0 / round((count / 24) ** (1 / 3)))

    def device(mesh):
        metal = uf.normal_metal(theta=0.1, tau_so=1.0)
        ends = {"left": uf.NormalContact(potential=1.0), "right": uf.NormalContact(potential=0.0)}
        return uf.Device(mesh, dict.fromkeys(("V", "N", "V2"), metal), ends)

    uf.potential(uf.solve_normal_state(device(cube(600)), order=1)).at(np.ones((3, 1)))  # compiles
    mesh = timed("mesh", lambda: cube(cells))
    ns = timed("normal state", lambda: uf.solve_normal_state(device(mesh), order=1))
    current = timed("current", lambda: uf.charge_current(ns))
    places = np.random.default_rng(0).uniform(0, 2, (3, POINTS))
    timed("at", lambda: current.at(places))
    with tempfile.TemporaryDirectory() as folder:
        timed("file", lambda: uf.write_vtk(Path(folder) / "current.vtu", current))
    vacuum, S = uf.materials.vacuum(), uf.superconductor(Tc=1.0)
    shielded = uf.Device(mesh, {"V": vacuum, "N": S, "V2": vacuum}, {}, B=(0, 0, 0.2))
    problem = build_problem(shielded, 1, temperature=0.5, potential=True)
    maxwell = timed("Ampere's law", lambda: build_induced(shielded, problem, 1.0)).maxwell
    shape = problem.space.points()
    load = maxwell.curl_at_points(np.cos(np.arange(maxwell.count)))
    timed("step of it", lambda: maxwell.step(maxwell.zeros(), load, np.ones(shape.shape[1:]), 1.0))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = {"cells": int(mesh.nelements), "nodes": int(mesh.nvertices), "edges": int(maxwell.count)}
    return {**sizes, **found, "peak memory, MB": memory}


def main() -> None:
    if sys.argv[1:2] == ["--size"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return
    results = []
    for cells in [int(cells) for cells in sys.argv[1:]] or CELLS:
        command = [sys.executable, __file__, "--size", str(cells)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        results.append(json.loads(done.stdout.splitlines()[-1]))
    print("| | " + " | ".join(f"{own['cells']:.3g} cells" for own in results) + " | exponent |")
    print("|---|" + "---|" * (len(results) + 1))
    for name in results[0]:
        values = [own[name] for own in results]
        row = " | ".join(f"{value:.3g}" for value in values)
        growth = ""
        if len(values) > 1 and values[-2] > 0:
            growth = f"{log(values[-1] / values[-2]) / log(results[-1]['cells'] / results[-2]['cells']):.2f}"
        print(f"| {name} | {row} | {growth} |")


if __name__ == "__main__":
    main()
