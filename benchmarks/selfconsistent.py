"""Cost of a self-consistent gap: `python benchmarks/selfconsistent.py [case ...]`.

An S-N-S junction with a phase bias whose superconductors are part of the mesh. The gap is found from the bulk value;
then the same device is solved with the gap that was found given, at the same frequencies. Each case runs in a process
of its own, after a warm-up that compiles the kernels; medians of REPEATS runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from statistics import median
from time import perf_counter

CASES = {
    "1D 121 P2": ("interval", 2, 0.1),
    "2D 2k P2": ("rectangle", 2, 0.2),
    "2D 5k P1": ("rectangle", 1, 0.065),
    "3D 3k P1": ("box", 1, 0.35),
}
REPEATS = 3
ROWS = (
    ("nodes", "nodes", "{:d}"),
    ("frequencies", "frequencies", "{:d}"),
    ("sweeps", "sweeps to 1e-8", "{:d}"),
    ("solves", "triangular solves per frequency", "{:.1f}"),
    ("factorizations", "factorisations per frequency", "{:.2f}"),
    ("selfconsistent", "self-consistent, s", "{:.2f}"),
    ("given", "given gap, s", "{:.2f}"),
    ("ratio", "ratio", "{:.2f}"),
    ("newton", "method='newton', s", "{:.2f}"),
    ("threads", "workers=2, s", "{:.2f}"),
    ("conservation", "largest difference of currents / current", "{:.0e}"),
)


def junction(kind: str, size: float):
    import usadelfem as uf

    layers = {"S1": 3.0, "N": 1.0, "S2": 3.0}
    build = {
        "interval": lambda: uf.interval(layers, size=size),
        "rectangle": lambda: uf.rectangle(layers, width=2.0, size=size),
        "box": lambda: uf.box(layers, width=1.0, height=1.0, size=size),
    }[kind]
    S = uf.superconductor(Tc=0.5669)  # energies in the bulk gap
    contacts = {"left": uf.Reservoir(phase=0.0), "right": uf.Reservoir(phase=2.0)}
    return uf.Device(build(), {"S1": S, "N": uf.normal_metal(), "S2": S}, contacts)


def timed(solve):
    start = perf_counter()
    eq = solve()
    return eq, perf_counter() - start


def measure(case: str) -> dict[str, float]:
    from dataclasses import replace

    import usadelfem as uf

    kind, order, size = CASES[case]
    device = junction(kind, size)
    uf.solve_equilibrium(junction(kind, 1.0), 0.3, order=order)
    runs: dict[str, list[float]] = {name: [] for name in ("selfconsistent", "given", "newton", "threads")}
    for _ in range(REPEATS):
        eq, seconds = timed(lambda: uf.solve_equilibrium(device, 0.1, order=order))
        runs["selfconsistent"].append(seconds)
        cut = {"cutoff_index": round(100.0 / (2 * 3.141592653589793 * 0.1))}
        left, right = (uf.Reservoir(uf.materials.bcs_gap(0.1, 0.5669), phase) for phase in (0.0, 2.0))
        given = replace(eq.device, contacts={"left": left, "right": right})
        runs["given"].append(timed(lambda: uf.solve_equilibrium(given, 0.1, order=order, **cut))[1])  # noqa: B023
        runs["newton"].append(timed(lambda: uf.solve_equilibrium(device, 0.1, order=order, method="newton"))[1])
        runs["threads"].append(timed(lambda: uf.solve_equilibrium(device, 0.1, order=order, workers=2))[1])
    current = uf.charge_current(eq)
    flux = [float(current.through(name)) for name in ("S1_N", "N_S2", "right")]
    count = len(eq.frequencies)
    result = {name: median(times) for name, times in runs.items()}
    return result | {
        "nodes": eq.riccati.shape[1], "frequencies": count, "sweeps": eq.sweeps[-1].number,
        "solves": eq.clock.solves / count, "factorizations": eq.clock.factorizations / count,
        "ratio": result["selfconsistent"] / result["given"],
        "conservation": (max(flux) - min(flux)) / abs(flux[0]),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=f"some of {', '.join(CASES)}; all if none is given")
    parser.add_argument("--single", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.single:
        print(json.dumps(measure(options.single)))
        return
    cases = options.cases or list(CASES)
    results = {}
    for case in cases:
        done = subprocess.run([sys.executable, __file__, "--single", case], check=True, capture_output=True, text=True)
        results[case] = json.loads(done.stdout.splitlines()[-1])
    print("| | " + " | ".join(cases) + " |\n|---|" + "---|" * len(cases))
    for key, label, form in ROWS:
        print(f"| {label} | " + " | ".join(form.format(results[case][key]) for case in cases) + " |")


if __name__ == "__main__":
    main()
