"""This package in the comparison: `python ours.py problem.npz [--retarded] [--chain]`, see rivals.py."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
from common import Problem, both, load, main, memory, say

sys.path.insert(0, str(Path(__file__).parents[1]))
from equilibrium import junction

import usadelfem as uf
from usadelfem.fem.matsubara import Matsubara
from usadelfem.fem.retarded import Retarded
from usadelfem.numerics.linear import linear_solver
from usadelfem.numerics.newton import STEP_ACCURACY


class Ours:
    """The package's own tangents and solver: real symmetric on the Matsubara manifold, complex symmetric elsewhere."""

    retarded = True

    def __init__(self, problem: Problem):
        device = junction(problem.kind, problem.size)
        self.problem = uf.solve_equilibrium(device, 0.1, order=problem.order, frequencies=1).problem
        self.equation: Any = Matsubara(self.problem)
        self.solver = self._solver(float)

    def _solver(self, number: type) -> Any:
        pattern = self.problem.pattern
        return linear_solver(pattern.indptr, pattern.indices, block=pattern.unknowns, dtype=number)

    def set(self, w: complex, state: np.ndarray) -> None:
        """Take a state, already clamped, at w."""
        if complex(w).imag and isinstance(self.equation, Matsubara):
            self.solver.release()
            self.equation = Retarded(self.problem)
            self.solver = self._solver(complex)
        real = isinstance(self.equation, Matsubara)
        self.w = float(w.real) if real else complex(w)
        self.state = np.ascontiguousarray(state[:, :4] if real else state)

    def assemble(self) -> None:
        """Residual and tangent."""
        self.residual, _, self.values = self.equation.linearize(self.w, self.state)

    def factorize(self) -> None:
        """Factorise the tangent."""
        self.factor = self.solver.factorize(self.values)

    def solve(self) -> None:
        """Solve for the Newton step, as accurately as the package's Newton method does."""
        self.change = -self.factor.solve(self.residual, accuracy=STEP_ACCURACY)

    def step(self) -> np.ndarray:
        """The last Newton step, shape (n, 8)."""
        step = self.equation.moved(np.zeros_like(self.state), self.change)
        return both(step) if step.shape[1] == 4 else step


def chain(problem: Problem) -> None:
    """All frequencies as a user solves them, the discretisation included."""
    device = junction(problem.kind, problem.size)
    wall, start = time.perf_counter(), time.process_time()
    eq = uf.solve_equilibrium(device, 0.1, order=problem.order, frequencies=len(problem.frequencies), progress=False)
    total, wall = time.process_time() - start, time.perf_counter() - wall
    largest = abs(problem.reference).max(axis=(1, 2))
    difference = (abs(eq.riccati - problem.reference).max(axis=(1, 2)) / largest).max()
    timings = eq.problem.timings
    say(
        stage="chain", total=total, wall=wall, iterations=eq.clock.factorizations, solves=eq.clock.solves,
        difference=float(difference), memory=memory(), assemble=timings.kernels + timings.scatter,
        factorize=eq.clock.factorize, solve=eq.clock.solve,
    )  # fmt: skip


def make(problem: Problem, options: Namespace) -> tuple[Ours, str]:
    rival = Ours(problem)
    return rival, rival.solver.name


if __name__ == "__main__":
    if "--chain" in sys.argv:  # in a process of its own, for its peak memory: rivals.py runs this script twice
        own = load(sys.argv[1])
        uf.solve_equilibrium(junction(own.kind, 0.5), 0.1, order=own.order, frequencies=1)
        chain(own)
    else:
        main(make, __doc__)
