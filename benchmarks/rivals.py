"""This package against DOLFINx, NGSolve and SciPy: `python benchmarks/rivals.py [--dolfinx PYTHON] [--ngsolve PYTHON]`.

The SFS junction of equilibrium.py on the same mesh, with the same elements, quadrature rule, starting state and
tolerance, one thread: one Newton iteration at the lowest Matsubara frequency (and at a real energy), and 20 frequencies
from high to low. Seconds are CPU seconds unless said. Every solver runs in its own process and environment (scripts in
benchmarks/rivals/); what it found is compared with our solution. DOLFINx and NGSolve need environments of their own,
made for example by

    python3.12 -m venv env-dolfinx && env-dolfinx/bin/pip install dolfinx-solver-complex      # Python >= 3.12
    python3.12 -m venv env-ngsolve && env-ngsolve/bin/pip install ngsolve mkl

and a C and a C++ compiler; pass env-dolfinx/bin/python and env-ngsolve/bin/python. DOLFINx compiles its forms for
several minutes per kind of cell, once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CASES = {
    "2D 5k P1": ("rectangle", 1, 1 / 35),
    "2D 20k P1": ("rectangle", 1, 1 / 71),
    "2D 60k P1": ("rectangle", 1, 1 / 122),
    "2D 20k P2": ("rectangle", 2, 1 / 36),
    "3D 4k P1": ("box", 1, 1 / 7),
    "3D 12k P1": ("box", 1, 1 / 10),
    "3D 30k P1": ("box", 1, 1 / 14),
}
FREQUENCIES = 20
COMPILATION = 7200.0  # seconds that a compiler may take
FOLDER = Path(__file__).parent / "rivals"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Solver -> script, its arguments, whose Python.
SOLVERS = {
    "usadelfem": ("ours.py", [], "own"),
    "DOLFINx, MUMPS LDLT": ("dolfinx_sfs.py", ["--inverse", "cholesky"], "dolfinx"),
    "DOLFINx, MUMPS LU": ("dolfinx_sfs.py", ["--inverse", "lu"], "dolfinx"),
    "NGSolve, PARDISO": ("ngsolve_sfs.py", ["--inverse", "pardiso"], "ngsolve"),
    "NGSolve, UMFPACK": ("ngsolve_sfs.py", ["--inverse", "umfpack"], "ngsolve"),
    "SciPy spsolve": ("scipy_sfs.py", [], "own"),
}
# Stage, number of its record, heading, format.
COLUMNS = (
    ("iteration", "assemble", "assembly, s", "{:.3f}"),
    ("iteration", "factorize", "factorisation, s", "{:.3f}"),
    ("iteration", "solve", "solve, s", "{:.3f}"),
    ("iteration", "total", "iteration, s", "{:.3f}"),
    ("iteration", "wall", "iteration, wall clock, s", "{:.3f}"),
    ("iteration", "ratio", "ratio", "{:.1f}"),
    ("iteration", "difference", "difference of the step", "{:.0e}"),
    ("iteration", "memory", "memory, MB", "{:.0f}"),
    ("retarded", "total", "retarded iteration, s", "{:.3f}"),
    ("retarded", "ratio", "ratio", "{:.1f}"),
    ("chain", "total", "20 frequencies, s", "{:.1f}"),
    ("chain", "wall", "20 frequencies, wall clock, s", "{:.1f}"),
    ("chain", "iterations", "factorisations", "{:d}"),
    ("chain", "ratio", "ratio", "{:.1f}"),
    ("chain", "difference", "difference of the solution", "{:.0e}"),
    ("chain", "memory", "memory, MB", "{:.0f}"),
)


def write_problem(case: str, path: str) -> None:
    """Solve the case, and write what the others need and what they are compared with."""
    import numpy as np
    from equilibrium import junction

    import usadelfem as uf
    from usadelfem.numerics.linear import linear_solver

    kind, order, size = CASES[case]
    eq = uf.solve_equilibrium(junction(kind, size), 0.1, order=order, frequencies=FREQUENCIES, progress=False)
    problem, w, space = eq.problem, float(eq.frequencies[0]), eq.problem.space
    equation = eq.equation
    state = equation.clamp(w, eq.riccati[1])
    residual, _, values = equation.linearize(w, state)
    factor = linear_solver(problem.pattern.indptr, problem.pattern.indices, block=8).factorize(values)
    np.savez(
        path, kind=kind, size=size, order=order, points=space.mesh.p.T, cells=space.mesh.t.T, nodes=space.nodes.T,
        rule_points=space.basis.X.T, rule_weights=space.basis.W, frequencies=eq.frequencies, start=eq.riccati[1],
        step=equation.moved(np.zeros_like(state), -factor.solve(residual)), reference=eq.riccati,
    )  # fmt: skip


def run(command: list[str], limit: float) -> dict[str, dict[str, Any]]:
    """The records of a script by stage; `error` where it ended early."""
    error, output, environment = "", "", {**os.environ, **ONE_THREAD}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment)
        output = done.stdout
        if done.returncode:
            error = (done.stderr.strip().splitlines() or ["no message"])[-1][:100]
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout.decode() if isinstance(expired.stdout, bytes) else expired.stdout or ""
        error = f"> {limit:.0f} s"
    except OSError as failure:
        error = str(failure)
    lines = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    return {**{record["stage"]: record for record in lines}, **({"error": {"text": error}} if error else {})}


def measure(case: str, solvers: list[str], pythons: dict[str, str], options: argparse.Namespace) -> dict[str, Any]:
    """All records of one case by solver, with the ratios to this package."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        problem = str(Path(folder) / "problem.npz")
        written = run([sys.executable, __file__, "--write", case, problem], 10 * options.limit)
        if "error" in written:
            return {"usadelfem": written}
        for solver in solvers:
            script, arguments, whose = SOLVERS[solver]
            if whose not in pythons:
                continue
            command = [pythons[whose], str(FOLDER / script), problem, *arguments, "--retarded"]
            if whose == "dolfinx":  # compiles the forms, once; not to be cut off by the limit
                run([*command, "--setup"], COMPILATION)
            if script == "ours.py":  # two processes, so that each stage has its own peak memory
                records = run(command, options.limit)
                if not options.iteration:
                    records |= run([*command, "--chain"], options.limit)
            else:
                records = run(command if options.iteration else [*command, "--chain"], options.limit)
            results[solver] = records
            print(f"  {case}, {solver}: {list(records)}", file=sys.stderr, flush=True)
    for records in results.values():
        for stage in ("iteration", "retarded", "chain"):
            own = results.get("usadelfem", {}).get(stage)
            if own and stage in records:
                records[stage]["ratio"] = records[stage]["total"] / own["total"]
    return results


def cell(records: dict[str, Any], stage: str, name: str, form: str) -> str:
    """A number of a table."""
    if stage in records and name in records[stage]:
        return form.format(records[stage][name])
    return records["error"]["text"] if "error" in records and name == "total" and stage != "retarded" else "-"


def report(case: str, results: dict[str, Any]) -> None:
    """Print the table of a case."""
    print(f"\n### {case}\n\n| |" + "|".join(f" {solver} " for solver in results) + "|")
    print("|---|" + "---|" * len(results))
    for stage, name, label, form in COLUMNS:
        values = [cell(records, stage, name, form) for records in results.values()]
        if any(value != "-" for value in values):
            print(f"| {label} | " + " | ".join(values) + " |")
    others = {s: r for s, r in results.items() if s != "usadelfem"}
    for stage in ("iteration", "retarded", "chain"):
        ratios = {s: r[stage]["ratio"] for s, r in others.items() if "ratio" in r.get(stage, {})}
        if ratios:
            best = min(ratios, key=ratios.__getitem__)
            print(f"\n{stage}: {ratios[best]:.1f} times faster than the best of the others ({best}).", end="")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES, metavar="CASE", help=", ".join(CASES))
    parser.add_argument(
        "--solvers", nargs="+", default=list(SOLVERS), choices=SOLVERS, metavar="S", help="some of them"
    )
    parser.add_argument("--dolfinx", metavar="PYTHON", help="interpreter of an environment with DOLFINx")
    parser.add_argument("--ngsolve", metavar="PYTHON", help="interpreter of an environment with NGSolve")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds per solver and case")
    parser.add_argument("--iteration", action="store_true", help="only one Newton iteration, not all frequencies")
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_problem(*options.write)
        return
    pythons = {"own": sys.executable, "dolfinx": options.dolfinx, "ngsolve": options.ngsolve}
    for name in ("dolfinx", "ngsolve"):
        if not pythons[name]:
            del pythons[name]
            print(f"{name}: skipped, since no --{name} PYTHON was given; how to make one: --help")
    for case in options.cases:
        report(case, measure(case, options.solvers, pythons, options))


if __name__ == "__main__":
    main()
