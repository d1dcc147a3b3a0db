"""Time to a given accuracy, P1 against P2: `python benchmarks/accuracy.py [--finest N]`.

The charge current through the SFS junction of equilibrium.py in 2D, against the one on a fine P2 mesh, at the same
frequencies. For each mesh the relative error and the seconds of a solve (best of a few, one thread); then the seconds
to an error of 1e-3, 1e-5 and 1e-7, from the line through neighbouring meshes in the logarithms.
"""

from __future__ import annotations

import argparse
from time import process_time

import numpy as np
from equilibrium import junction

import usadelfem as uf

MESHES = {1: (8, 16, 32, 64, 128), 2: (4, 8, 16, 24, 36, 44)}  # cells per unit length
TARGETS = (1e-3, 1e-5, 1e-7)
FREQUENCIES = 20


def current(cells: int, order: int) -> tuple[float, int, float]:
    """The current, the number of nodes, and the CPU seconds of the solve."""
    device = junction("rectangle", 1 / cells)
    start = process_time()
    eq = uf.solve_equilibrium(device, 0.1, order=order, frequencies=FREQUENCIES, progress=False)
    value = float(uf.charge_current(eq).through("right"))
    return value, eq.riccati.shape[1], process_time() - start


def seconds_to(target: float, errors: list[float], seconds: list[float]) -> tuple[float, bool]:
    """Seconds to an error, and whether it lies within what was measured."""
    x, y = -np.log(errors), np.log(seconds)
    k = int(np.clip(np.searchsorted(x, -np.log(target)), 1, len(x) - 1))
    slope = (y[k] - y[k - 1]) / (x[k] - x[k - 1])
    return float(np.exp(y[k] + slope * (-np.log(target) - x[k]))), bool(x[0] <= -np.log(target) <= x[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finest", type=int, default=64, help="cells per unit length of the reference mesh (P2)")
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    for order in MESHES:
        current(4, order)  # compiles the kernels
    reference = current(options.finest, 2)
    print(f"reference: I = {reference[0]:.12f}, {reference[1]} nodes P2, {reference[2]:.1f} s\n")
    print("| elements | cell size | nodes | error | s |\n|---|---|---|---|---|")
    measured = {}
    for order, meshes in MESHES.items():
        errors, times = [], []
        for cells in meshes:
            runs = [current(cells, order) for _ in range(options.repeats)]
            errors.append(abs(runs[0][0] / reference[0] - 1))
            times.append(min(run[2] for run in runs))
            print(f"| P{order} | 1/{cells} | {runs[0][1]} | {errors[-1]:.1e} | {times[-1]:.2f} |", flush=True)
        measured[order] = errors, times
    print("\n| error of the current | P1, s | P2, s | ratio |\n|---|---|---|---|")
    for target in TARGETS:
        (one, inside), (two, inside_two) = (seconds_to(target, *measured[order]) for order in (1, 2))
        marks = ["" if known else " (extrapolated)" for known in (inside, inside_two)]
        print(f"| {target:.0e} | {one:.3g}{marks[0]} | {two:.3g}{marks[1]} | {one / two:.3g} |")


if __name__ == "__main__":
    main()
