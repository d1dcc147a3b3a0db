"""Scaling with the number of nodes, and how far from the machine's limits: `python benchmarks/scaling.py [--workers]`.

For 2D P1, 2D P2 and 3D P1 meshes of the junction of equilibrium.py: one Newton iteration (full spin, Matsubara) on one
thread, its parts, the memory, and the exponents of all with the nodes (between the two largest meshes). Then the
roofline: GFLOP/s of the factorisation against this machine's matrix product, bytes of assembly against its bandwidth.

Flops of the factorisation are those that PARDISO reports (its iparm(19)): n^3/3 for a dense real symmetric matrix, that
is, additions and multiplications counted one by one. Bytes of assembly are what has to be moved once: the tables of the
cells and their quadrature points, and twice the values of the tangent. A copy counts its reads and its writes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from math import log
from time import perf_counter, process_time

CASES = {
    "2D P1": ("rectangle", 1, (1 / 18, 1 / 35, 1 / 71, 1 / 122)),
    "2D P2": ("rectangle", 2, (1 / 9, 1 / 18, 1 / 36, 1 / 61)),
    "3D P1": ("box", 1, (1 / 4, 1 / 5, 1 / 7, 1 / 10)),
}
ROWS = (
    ("nodes", "nodes", "{:d}"),
    ("assemble", "residual and tangent, s", "{:.3f}"),
    ("factorize", "factorisation, s", "{:.3f}"),
    ("solve", "checked solve, s", "{:.3f}"),
    ("share", "assembly / iteration", "{:.2f}"),
    ("entries", "bytes of the factor, MB", "{:.0f}"),
    ("memory", "peak memory, MB", "{:.0f}"),
    ("over", "peak memory / factor", "{:.2f}"),
    ("gflop", "factorisation, Gflop", "{:.1f}"),
    ("rate", "factorisation, GFLOP/s", "{:.1f}"),
    ("peak_share", "of the gemm peak", "{:.0%}"),
    ("bandwidth", "assembly, GB/s", "{:.2f}"),
)
EXPONENTS = ("assemble", "factorize", "solve", "entries", "memory")
REPEATS = 3


def best(task, clock=process_time, repeats: int = REPEATS) -> float:
    """The least time of a few runs."""
    times = []
    for _ in range(repeats):
        start = clock()
        task()
        times.append(clock() - start)
    return min(times)


def peak_memory() -> float:
    """Peak memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report_flops(solver) -> None:
    """Ask PARDISO for the flop count; to be called before the pattern is analysed."""
    settings = getattr(getattr(solver, "backend", None), "_settings", None)
    if settings is not None:
        settings[18] = -1


def flops(solver) -> float:
    """Gflop of a factorisation, nan where the solver does not tell."""
    settings = getattr(getattr(solver, "backend", None), "_settings", None)
    return float(settings[18]) / 1e3 if settings is not None and settings[18] > 0 else float("nan")


def iteration(kind: str, order: int, size: float) -> dict[str, float]:
    """One Newton iteration from the solution of one frequency."""
    from equilibrium import junction

    import usadelfem as uf
    from usadelfem.numerics.linear import linear_solver

    uf.solve_equilibrium(junction(kind, 0.5), 0.1, order=order, frequencies=1)
    eq = uf.solve_equilibrium(junction(kind, size), 0.1, order=order, frequencies=1)
    problem, state, w = eq.problem, eq.riccati[0], float(eq.frequencies[0])
    pattern, space = problem.pattern, problem.space
    solver = linear_solver(pattern.indptr, pattern.indices, block=8)
    report_flops(solver)
    residual, _, values = eq.equation.linearize(w, state)
    factor = solver.factorize(values)
    result = {"nodes": space.nodes.shape[1], "gflop": flops(solver)}
    result["assemble"] = best(lambda: eq.equation.linearize(w, state))
    result["factorize"] = best(lambda: solver.factorize(values))
    factor = solver.factorize(values)
    result["solve"] = best(lambda: factor.solve(residual))
    result["share"] = result["assemble"] / (result["assemble"] + result["factorize"] + result["solve"])
    result["entries"], result["memory"] = solver.factor_bytes / 2**20, peak_memory()
    result["over"] = result["memory"] / result["entries"]
    result["rate"] = result["gflop"] / result["factorize"]
    tables = (space.cells, space.inverse, space.dx, problem.coefficients.table, pattern.cells.number)
    moved = sum(table.nbytes for table in tables) + pattern.cells.flipped.nbytes + 2 * values.nbytes
    result["bandwidth"] = moved / result["assemble"] / 1e9
    return result


def chain(kind: str, order: int, size: float) -> dict[str, float]:
    """Wall-clock seconds of 20 frequencies."""
    from equilibrium import junction

    import usadelfem as uf

    uf.solve_equilibrium(junction(kind, 0.5), 0.1, order=order, frequencies=1)
    device, start = junction(kind, size), perf_counter()
    uf.solve_equilibrium(device, 0.1, order=order, frequencies=20, progress=False)
    return {"wall": perf_counter() - start}


def limits() -> dict[str, float]:
    """GFLOP/s of matrix products and GB/s of a copy, one thread."""
    import numpy as np

    result = {}
    for name, dtype, operations in (("sgemm", "f4", 2), ("dgemm", "f8", 2), ("zgemm", "c16", 8)):
        x = np.ones((2000, 2000), dtype)
        result[name] = operations * 2000**3 / best(lambda: x @ x, repeats=5) / 1e9  # noqa: B023
    source, target = np.ones(2**25), np.empty(2**25)
    result["copy"] = 2 * source.nbytes / best(lambda: np.copyto(target, source), repeats=7) / 1e9
    return result


def child(*task) -> subprocess.Popen:
    """A task in a process of its own, one thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, __file__, "--task", json.dumps(task)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads})


def answer(process: subprocess.Popen) -> dict[str, float]:
    """What a child printed."""
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a measurement failed with code {process.returncode}")
    return json.loads(output.splitlines()[-1])


def table(name: str, results: list[dict[str, float]]) -> None:
    """Print one family of meshes and its exponents."""
    print(f"\n### {name}\n\n| |" + " |" * len(results) + " exponent |\n|---|" + "---|" * (len(results) + 1))
    for key, label, form in ROWS:
        two, one = results[-1], results[-2] if len(results) > 1 else results[-1]
        fit = key in EXPONENTS and two is not one
        exponent = f"{log(two[key] / one[key]) / log(two['nodes'] / one['nodes']):.2f}" if fit else ""
        print(f"| {label} | " + " | ".join(form.format(result[key]) for result in results) + f" | {exponent} |")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES, metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--meshes", type=int, default=4, help="how many of the four sizes, smallest first")
    parser.add_argument("--workers", action="store_true", help="also two processes at once against one (2D 20k P1)")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        name, *arguments = json.loads(options.task)
        print(json.dumps({"iteration": iteration, "chain": chain, "limits": limits}[name](*arguments)))
        return
    machine = answer(child("limits"))
    print(
        "one thread: " + ", ".join(f"{name} {value:.0f} GFLOP/s" for name, value in machine.items() if name != "copy")
    )
    print(f"copy {machine['copy']:.1f} GB/s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name in options.cases:
        kind, order, sizes = CASES[name]
        results = [answer(child("iteration", kind, order, size)) for size in sizes[: options.meshes]]
        for result in results:
            result["peak_share"] = result["rate"] / machine["dgemm"]
        table(name, results)
    if options.workers:
        task = ("chain", "rectangle", 1, 1 / 71)
        one = answer(child(*task))["wall"]
        two = max(answer(process)["wall"] for process in [child(*task), child(*task)])
        gain = 2 * one / two
        print(f"\n20 frequencies: {one:.1f} s; two processes at once {two:.1f} s each: {gain:.2f} times the work")


if __name__ == "__main__":
    main()
