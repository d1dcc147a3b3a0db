"""What all solvers of the comparison share: the problem, Newton's method, the clock. Needs NumPy only.

`python benchmarks/rivals.py` writes the problem to an .npz file and runs one script of this folder per solver, in the
environment of that solver: `PYTHON ngsolve_sfs.py problem.npz --retarded --chain`. Each stage prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np

LENGTH, EXCHANGE, GAP, PHASE = 2.0, 3.0, 1.0, 0.8  # as `junction` of equilibrium.py
RETARDED = 0.05 - 0.5j  # Gamma - i E
REPEATS = 3
LAST_STEP = 1e-6  # Newton's method ends after a step of this size, relative: what is left is its square
MAX_STEPS = 20


@dataclass(frozen=True)
class Problem:
    """The mesh, the quadrature rule of the reference cell, and states at the nodes.

    Attributes
    ----------
    kind, size, order
        How the mesh was made, and the order of the elements.
    points, cells
        Vertices (n, dim) and the vertices of every cell.
    nodes
        Positions of the nodes of the Lagrange elements (n, dim); all states are in their order.
    rule_points, rule_weights
        Quadrature points (n, dim) and weights on the reference cell.
    frequencies
        Matsubara frequencies, ascending.
    start, step
        Entries of the Riccati matrix a at the nodes (n, 4): the state for one Newton iteration at the lowest frequency
        (to be clamped), and the step that our solver makes from it.
    reference
        Our solution, shape (frequencies, n, 4).
    """

    kind: str
    size: float
    order: int
    points: np.ndarray
    cells: np.ndarray
    nodes: np.ndarray
    rule_points: np.ndarray
    rule_weights: np.ndarray
    frequencies: np.ndarray
    start: np.ndarray
    step: np.ndarray
    reference: np.ndarray

    @property
    def dim(self) -> int:
        """Space dimension."""
        return self.points.shape[1]

    def ends(self) -> np.ndarray:
        """Numbers of the clamped nodes, at both ends."""
        x = self.nodes[:, 0]
        return np.flatnonzero((x < 1e-9) | (x > LENGTH - 1e-9))

    def clamped(self, w: complex, state: np.ndarray) -> np.ndarray:
        """A copy of the state (n, 8), entries of a and b, with the values of the reservoirs at the ends."""
        ends, state = self.ends(), np.array(state, complex)
        gap = GAP * np.exp(1j * PHASE * np.where(self.nodes[ends, 0] < LENGTH / 2, -1.0, 1.0))
        below = w + np.sqrt(w**2 + GAP**2 + 0j)
        state[ends] = 0.0
        state[ends, 0] = state[ends, 3] = 1j * gap / below
        state[ends, 4] = state[ends, 7] = -1j * gap.conj() / below
        return state

    def order_of(self, nodes: np.ndarray) -> np.ndarray:
        """For every node of `self` its number among other nodes (n, dim or 3) at the same positions."""

        def rank(x: np.ndarray) -> np.ndarray:
            return np.lexsort(np.round(x[:, : self.dim] * 1e7).T)

        own, other = rank(self.nodes), rank(nodes)
        if len(own) != len(other) or np.abs(self.nodes[own] - nodes[other][:, : self.dim]).max() > 1e-9:
            raise ValueError("the nodes do not match")
        number = np.empty_like(own)
        number[own] = other
        return number


def load(path: str | Path) -> Problem:
    """The problem in a file."""
    with np.load(path) as data:
        return Problem(**{f.name: data[f.name] if data[f.name].ndim else data[f.name].item() for f in fields(Problem)})


def tilde(a: np.ndarray) -> np.ndarray:
    """sigma_y a* sigma_y of entries (..., 4): b on the Matsubara axis."""
    return a[..., ::-1].conj() * np.array([1, -1, -1, 1])


def both(a: np.ndarray) -> np.ndarray:
    """Entries of a and b on the Matsubara axis."""
    return np.concatenate([a, tilde(a)], axis=-1)


Matrix = tuple[tuple[Any, Any], tuple[Any, Any]]  # 2x2, of anything that can be added and multiplied


def product(x: Matrix, y: Matrix) -> Matrix:
    """The product of matrices."""
    return tuple(tuple(x[i][0] * y[0][j] + x[i][1] * y[1][j] for j in (0, 1)) for i in (0, 1))


def trace(x: Matrix, y: Matrix) -> Any:
    """The trace of x y."""
    return x[0][0] * y[0][0] + x[0][1] * y[1][0] + x[1][0] * y[0][1] + x[1][1] * y[1][1]


def inverse_of_one_plus(x: Matrix) -> Matrix:
    """The inverse (1 + x)^-1."""
    c = 1 / ((1 + x[0][0]) * (1 + x[1][1]) - x[0][1] * x[1][0])
    return (c * (1 + x[1][1]), -c * x[0][1]), (-c * x[1][0], c * (1 + x[0][0]))


def density(w: Any, hx: Any, hz: Any, a: Matrix, b: Matrix, da: Any, db: Any, unit: Any = 1j) -> Any:
    """The functional per volume, 2 tr p_k q_k - 2 tr W (N + Nt), W = w - i h.sigma, for D = 1 and no gap.

    a, b and the lists da, db of their derivatives are matrices of any kind of scalar, `unit` its imaginary unit.
    """
    n, nt = inverse_of_one_plus(product(a, b)), inverse_of_one_plus(product(b, a))
    minus_w = (unit * hz - w, unit * hx), (unit * hx, -unit * hz - w)
    total = trace(minus_w, n) + trace(minus_w, nt)
    for d_a, d_b in zip(da, db, strict=True):
        total = total + trace(product(n, d_a), product(nt, d_b))
    return 2 * total


class Rival(Protocol):
    """One solver: the residual and the tangent at a state (n, 8) and w, and the Newton step."""

    retarded: bool  # whether it solves the retarded problem too

    def set(self, w: complex, state: np.ndarray) -> None:
        """Take a state, already clamped, at w."""

    def assemble(self) -> None:
        """Residual and tangent."""

    def factorize(self) -> None:
        """Factorise the tangent."""

    def solve(self) -> None:
        """Solve for the Newton step."""

    def step(self) -> np.ndarray:
        """The last Newton step, shape (n, 8)."""


def memory() -> float:
    """Peak memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(**record: Any) -> None:
    """Print one record."""
    print(json.dumps(record), flush=True)


def newton_step(rival: Rival, clock: dict[str, list[float]]) -> None:
    """Assemble, factorise and solve, on the clock: CPU seconds of each, and `wall` seconds of all."""
    wall = time.perf_counter()
    for name in ("assemble", "factorize", "solve"):
        start = time.process_time()
        getattr(rival, name)()
        clock.setdefault(name, []).append(time.process_time() - start)
    clock.setdefault("wall", []).append(time.perf_counter() - wall)


def iteration(rival: Rival, problem: Problem, *, retarded: bool) -> None:
    """One Newton iteration; the first one is a warm-up and pays for the analysis of the pattern."""
    w = RETARDED if retarded else float(problem.frequencies[0])
    state = problem.clamped(w, both(problem.start))
    first: dict[str, list[float]] = {}
    rival.set(w, state)
    newton_step(rival, first)
    clock: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        newton_step(rival, clock)
    best = {name: min(times) for name, times in clock.items()}
    record = {"total": best["assemble"] + best["factorize"] + best["solve"], **best}
    step = rival.step()
    if not retarded:
        record["difference"] = float(abs(step[:, :4] - problem.step).max() / abs(problem.step).max())
    record["analysis"] = first["factorize"][0] - best["factorize"]
    record["largest_step"] = float(abs(step).max())
    say(stage="retarded" if retarded else "iteration", memory=memory(), **record)


def chain(rival: Rival, problem: Problem) -> None:
    """All frequencies from high to low, Newton's method from the solution above."""
    clock: dict[str, list[float]] = {}
    state, error = np.zeros((len(problem.nodes), 8), complex), 0.0
    wall, start = time.perf_counter(), time.process_time()
    for w, solution in zip(problem.frequencies[::-1], problem.reference[::-1], strict=True):
        state = problem.clamped(float(w), state)
        for _ in range(MAX_STEPS):
            rival.set(float(w), state)
            newton_step(rival, clock)
            step = rival.step()
            state = state + step
            if abs(step).max() <= LAST_STEP * abs(state).max():
                break
        else:
            raise RuntimeError(f"no convergence at w = {w}")
        error = max(error, float(abs(state[:, :4] - solution).max() / abs(solution).max()))
    sums = {name: sum(times) for name, times in clock.items()}
    sums |= {"total": time.process_time() - start, "wall": time.perf_counter() - wall}
    say(stage="chain", iterations=len(clock["wall"]), difference=error, memory=memory(), **sums)


def main(make: Any, doc: str) -> None:
    """The command line of every script here; `make(problem, options)` gives a rival and a note on its settings."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("problem", help="the .npz file")
    parser.add_argument("--retarded", action="store_true", help="also one iteration of the retarded problem")
    parser.add_argument("--chain", action="store_true", help="also all Matsubara frequencies")
    parser.add_argument(
        "--setup", action="store_true", help="nothing but the set-up, which compiles what is not cached"
    )
    parser.add_argument("--inverse", default="", help="direct solver, where there is a choice")
    options = parser.parse_args()
    problem = load(options.problem)
    start = time.perf_counter()
    rival, note = make(problem, options)
    say(stage="setup", total=time.perf_counter() - start, memory=memory(), note=note)
    if options.setup:
        return
    iteration(rival, problem, retarded=False)
    if options.retarded and rival.retarded:
        iteration(rival, problem, retarded=True)
    if options.chain:
        chain(rival, problem)
