"""Large devices: multigrid against factors, `python benchmarks/large.py [case ...] [--frequencies 12]`.

The SFS junction of equilibrium.py, full spin, one thread, each case and solver in a process of its own. One Newton
step at the lowest frequency from near the solution: residual and tangent, set-up of the linear solver, solution of the
linear equation to 1e-5; iterations and peak memory. With `--frequencies` whole solves. `--direct` is for machines with
the time and memory for factors of every case (3D: their square grows with the nodes).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from time import process_time

CASES = {
    "3D 4k P1": ("box", 1, 1 / 7),
    "3D 11k P1": ("box", 1, 1 / 10),
    "3D 36k P1": ("box", 1, 1 / 15),
    "3D 109k P1": ("box", 1, 1 / 21.5),
    "3D 125k P1": ("box", 1, 1 / 22.5),
    "3D 9.5k P2": ("box", 2, 1 / 5),
    "3D 25k P2": ("box", 2, 1 / 7),
    "2D 20k P1": ("rectangle", 1, 1 / 71),
    "2D 60k P1": ("rectangle", 1, 1 / 122),
    "2D 250k P1": ("rectangle", 1, 1 / 249),
    "2D 61k P2": ("rectangle", 2, 1 / 61),
}
DIRECT_UP_TO = {"box": 40_000, "rectangle": 300_000}  # nodes
ROWS = (
    ("nodes", "nodes", "{:d}"),
    ("assemble", "residual and tangent, s", "{:.2f}"),
    ("setup", "set-up, s", "{:.2f}"),
    ("solve", "solution to 1e-5, s", "{:.2f}"),
    ("iterations", "iterations", "{:d}"),
    ("step", "linear step, s", "{:.2f}"),
    ("memory", "peak memory, MB", "{:.0f}"),
    ("per_unknown", "peak memory, kB per unknown", "{:.2f}"),
    ("chain", "all frequencies, CPU s", "{:.1f}"),
    ("chain_iterations", "iterations, all frequencies", "{:d}"),
)


def peak_memory() -> float:
    """Peak memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def iterations(solver) -> int:
    """The iterations that a linear solver has counted so far."""
    return sum(getattr(solver.backend, "iterations", [0]))


def start(kind: str, problem):
    """A state near the solution at the lowest frequency, from a coarse mesh."""
    import numpy as np
    from equilibrium import junction
    from scipy.interpolate import RegularGridInterpolator

    import usadelfem as uf

    coarse = uf.solve_equilibrium(junction(kind, 1 / 6), 0.1, order=1, frequencies=1, linear_solver="superlu")
    where, amplitude = coarse.problem.space.nodes[0], coarse.riccati[0]
    bins = np.linspace(where.min(), where.max(), 13)
    place = np.argmin(abs(where[:, None] - bins), axis=1)
    mean = np.array([amplitude[place == k].mean(axis=0) for k in range(len(bins))])
    state = RegularGridInterpolator((bins,), mean)(problem.space.nodes[0])
    return float(coarse.frequencies[0]), state


def step(kind: str, order: int, size: float, solver_kind: str) -> dict[str, float]:
    """One Newton step."""
    from equilibrium import junction

    from usadelfem.fem.matsubara import Matsubara
    from usadelfem.fem.problem import build_problem

    problem = build_problem(junction(kind, size), order, temperature=0.1)
    equation = Matsubara(problem)
    w, state = start(kind, problem)
    state = equation.clamp(w, state)
    begin = process_time()
    residual, _, values = equation.linearize(w, state)
    result = {"nodes": problem.space.nodes.shape[1], "assemble": process_time() - begin}
    solver = problem.borrow_solver(solver_kind, float)
    solver.factorize(values)  # the pattern is analysed once
    begin = process_time()
    factor = solver.factorize(values)
    result["setup"] = process_time() - begin
    before, begin = iterations(solver), process_time()
    factor.solve(residual, accuracy=1e-5)
    result["solve"] = process_time() - begin
    result |= {"iterations": iterations(solver) - before, "step": result["setup"] + result["solve"]}
    result["memory"] = peak_memory()
    result["per_unknown"] = 1024 * result["memory"] / len(residual)
    return result


def chain(kind: str, order: int, size: float, solver_kind: str, frequencies: int) -> dict[str, float]:
    """A whole solve."""
    from equilibrium import junction

    import usadelfem as uf

    device, begin = junction(kind, size), process_time()
    eq = uf.solve_equilibrium(
        device, 0.1, order=order, frequencies=frequencies, linear_solver=solver_kind, progress=False
    )
    seconds = process_time() - begin
    idle = eq.problem.solvers.borrow((solver_kind, float, 1), lambda: None)
    nodes = eq.problem.space.nodes.shape[1]
    return {
        "nodes": nodes, "chain": seconds, "chain_iterations": iterations(idle) if idle else 0, "memory": peak_memory(),
        "per_unknown": 1024 * peak_memory() / len(eq.problem.pattern.free) / 8, "solves": eq.clock.solves,
        "current": float(uf.charge_current(eq).through("left")),
    }  # fmt: skip


def child(*task) -> dict[str, float]:
    """What a process of its own measures on one thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-W", "ignore", __file__, "--task", json.dumps(task)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads}, check=False)
    if done.returncode:
        raise SystemExit(f"a measurement failed with code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--frequencies", type=int, default=0, help="whole solves with so many frequencies")
    parser.add_argument("--direct", action="store_true", help="factors of the largest cases, too")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        name, *arguments = json.loads(options.task)
        print(json.dumps({"step": step, "chain": chain}[name](*arguments)))
        return
    task, last = ("chain", (options.frequencies,)) if options.frequencies else ("step", ())
    key = "chain" if options.frequencies else "step"
    for case in options.cases or CASES:
        kind, order, size = CASES[case]
        results = {"multigrid": child(task, kind, order, size, "multigrid", *last)}
        if options.direct or results["multigrid"]["nodes"] <= DIRECT_UP_TO[kind]:
            direct = "pardiso-single" if results["multigrid"]["nodes"] > 2500 else "pardiso"
            results[direct] = child(task, kind, order, size, direct, *last)
        print(f"\n### {case}, load {os.getloadavg()[0]:.1f}\n\n| | " + " | ".join(results) + " |")
        print("|---|" + "---|" * len(results))
        for name, label, form in ROWS:
            if name in results["multigrid"]:
                print(f"| {label} | " + " | ".join(form.format(own[name]) for own in results.values()) + " |")
        for name, own in list(results.items())[1:]:
            print(f"| {name} / multigrid | {own[key] / results['multigrid'][key]:.1f} | |")
            if options.frequencies:
                one, two = own["current"], results["multigrid"]["current"]
                print(f"| difference of the currents | {abs(one / two - 1):.1e} | |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
