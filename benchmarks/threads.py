"""Threads of loops over cells: `python benchmarks/threads.py`, on idle cores.

Residual and tangent at a Matsubara frequency and at a real energy, and the coefficients' conjugates behind observables,
full spin: wall seconds of one thread and of as many as there are cores, alternating, the least of several; results are
compared bit by bit.
"""

from __future__ import annotations

import os
from time import perf_counter

import numpy as np
from equilibrium import junction

from usadelfem.compilation.threads import kernel_threads
from usadelfem.fem.matsubara import Matsubara
from usadelfem.fem.problem import build_problem
from usadelfem.fem.retarded import Retarded
from usadelfem.physics import columns

CASES = {
    "2D P1": ("rectangle", 1, 1 / 71), "2D P2": ("rectangle", 2, 1 / 36),
    "3D P1": ("box", 1, 1 / 10), "3D P2": ("box", 2, 1 / 5),
}  # fmt: skip
ROUNDS = 5


def parts(shape: str, order: int, size: float):
    """Name and function of every loop, and the nodes."""
    problem = build_problem(junction(shape, size), order=order)
    equation, energy = Matsubara(problem), Retarded(problem)
    nodes = problem.space.nodes.shape[1]
    x = np.random.default_rng(0).normal(size=(2, nodes, 8)) * 0.2
    state = x[0] + 1j * x[1]
    places = [columns.GAP_RE, columns.GAP_IM, *range(columns.HX, columns.HX + 3), columns.D]
    return nodes, {
        "residual": lambda: equation.residual(1.0, equation.clamp(1.0, state[:, :4])),
        "residual and tangent": lambda: equation.linearize(1.0, equation.clamp(1.0, state[:, :4])),
        "at a real energy": lambda: energy.linearize(0.1 - 0.5j, state),
        "conjugates": lambda: equation.conjugates(places, 1.0, [state[:, :4]]),
    }


def seconds(function, threads: int):
    os.environ["OMP_NUM_THREADS"] = str(threads)
    start = perf_counter()
    found = function()
    return perf_counter() - start, found


def flat(found):
    return np.concatenate([np.ravel(part) for part in (found if isinstance(found, tuple) else (found,))])


if __name__ == "__main__":
    os.environ.pop("OMP_NUM_THREADS", None)
    cores = kernel_threads()
    print(f"| | nodes | loop | one thread, s | {cores} threads, s | ratio |\n|---|---|---|---|---|---|")
    for name, case in CASES.items():
        nodes, loops = parts(*case)
        for loop, function in loops.items():
            times = []
            for _ in range(ROUNDS + 1):
                (one, single), (more, several) = seconds(function, 1), seconds(function, cores)
                assert np.array_equal(flat(single), flat(several))
                times.append((one, more))
            one, more = np.min(times[1:], axis=0)  # the first round compiles
            print(f"| {name} | {nodes} | {loop} | {one:.3f} | {more:.3f} | {one / more:.2f} |", flush=True)
