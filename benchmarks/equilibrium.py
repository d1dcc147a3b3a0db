"""Time of an equilibrium solve, full spin, Matsubara: `python benchmarks/equilibrium.py [case ...]`.

An SFS junction with a rotating exchange field (all eight real unknowns per node are used), 20 frequencies. Each case
runs in a process of its own, so that the peak memory is its own; one warm-up solve of one frequency comes first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter

CASES = {
    "2D 5k P1": ("rectangle", 1, 1 / 35),
    "2D 20k P1": ("rectangle", 1, 1 / 71),
    "2D 20k P2": ("rectangle", 2, 1 / 36),
    "3D 4k P1": ("box", 1, 1 / 7),
    "2D 20k P1, theta, kappa": ("rectangle", 1, 1 / 71),
    "3D 4k P1, theta, kappa": ("box", 1, 1 / 7),
}
FREQUENCIES = 20
ROWS = (
    ("nodes", "nodes", "{:d}"),
    ("iterations", "Newton iterations (tangents)", "{:d}"),
    ("corrections", "corrections with old factors", "{:d}"),
    ("kernels", "kernels, s/iteration", "{:.3f}"),
    ("assembly", "assembly (scatter), s/iteration", "{:.3f}"),
    ("per_point", "kernels + assembly, us/point", "{:.2f}"),
    ("residual", "residual alone, us/point", "{:.2f}"),
    ("factorize", "factorisation, s/iteration", "{:.3f}"),
    ("solve", "triangular solve, s/solve", "{:.3f}"),
    ("total", f"{FREQUENCIES} frequencies, s", "{:.1f}"),
    ("memory", "peak memory, MB", "{:.0f}"),
)


def junction(kind: str, size: float, **coupling: float):
    import numpy as np

    import usadelfem as uf

    if kind == "rectangle":
        mesh = uf.rectangle({"F": 2.0}, width=1.0, size=size)
    else:
        mesh = uf.box({"F": 2.0}, width=1.0, height=1.0, size=size)

    def exchange(x):
        return 3.0 * np.array([np.sin(x[0]), 0 * x[0], np.cos(x[0])])

    contacts = {"left": uf.Reservoir(1.0, -0.8), "right": uf.Reservoir(1.0, 0.8)}
    return uf.Device(mesh, {"F": uf.ferromagnet(exchange=exchange, **coupling)}, contacts)


def measure(case: str) -> dict[str, float]:
    import usadelfem as uf
    from usadelfem.fem.assembly import Timings, assemble

    kind, order, size = CASES[case]
    coupling = {"theta": 0.2, "kappa": 0.1} if "theta" in case else {}
    device = junction(kind, size, **coupling)
    uf.solve_equilibrium(device, 0.1, order=order, frequencies=1)
    start = perf_counter()
    eq = uf.solve_equilibrium(device, 0.1, order=order, frequencies=FREQUENCIES)
    total = perf_counter() - start
    problem, clock = eq.problem, eq.clock
    tangent, residual = Timings(), Timings()
    for state in eq.riccati[:3]:
        assemble(problem.space, problem.coefficients, 0.3, state, pattern=problem.pattern, timings=tangent)
        assemble(problem.space, problem.coefficients, 0.3, state, timings=residual)
    return {
        "nodes": problem.space.nodes.shape[1],
        "iterations": clock.factorizations,
        "corrections": clock.solves - clock.factorizations,
        "kernels": tangent.kernels / 3,
        "assembly": tangent.scatter / 3,
        "per_point": 1e6 * (tangent.kernels + tangent.scatter) / tangent.points,
        "residual": 1e6 * (residual.kernels + residual.scatter) / residual.points,
        "factorize": clock.factorize / clock.factorizations,
        "solve": clock.solve / clock.solves,
        "total": total,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "solver": eq.solver,
    }


def machine() -> str:
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        name = names[0] if names else name
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help=f"among {', '.join(CASES)}; default: all")
    parser.add_argument("--one", choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one)))
        return
    results = {}
    for case in arguments.cases or CASES:
        command = [sys.executable, __file__, "--one", case]
        results[case] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    solvers = ", ".join(sorted({result["solver"] for result in results.values()}))
    print(f"{machine()}; linear solver: {solvers}\n")
    print("| |" + "|".join(f" {case} " for case in results) + "|")
    print("|---|" + "---|" * len(results))
    for key, label, form in ROWS:
        print(f"| {label} |" + "|".join(f" {form.format(result[key])} " for result in results.values()) + "|")


if __name__ == "__main__":
    main()
