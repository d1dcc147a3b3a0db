"""What can be said of a solution, or of its absence: warnings of results, and advice that fits a failure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import warn
from ..fem.problem import Problem, coarseness
from ..numerics.report import Report
from ..physics import columns as column
from ..physics.riccati import amplitudes
from .boundary import nearness_to_limit
from .lengths import longest_edges

Complex = NDArray[np.complex128]

# A causal Riccati matrix has no singular value above 1; the spurious solutions of the equation are far above.
CAUSAL = 1.05
# Next to a jump of the phase that the mesh does not resolve the discrete solution itself is up to this, at few nodes.
OVERSHOOT, FEW = 1.5, 0.05
# Error by rounding, relative to the largest amplitude, that is warned of.
NOTICEABLE = 1e-6
# Part of the limit of free boundaries (`diagnostics/boundary.py`) from which on a solution may be one of the mesh.
NEAR_LIMIT = 0.9
# Ratios from which on rounding is what a solve fails at: longest edge to shortest height of a cell; rates to diffusion.
THIN_CELL, STIFF_RATE = 1e5, 1e10


def is_causal(problem: Problem, state: Complex) -> bool:
    """Whether a state may be the physical solution, overshoots at few nodes of a coarse mesh included."""
    sizes = amplitudes(state)
    over = int((sizes > CAUSAL).sum())
    few = over <= max(2, FEW * len(sizes)) and float(sizes.max(initial=0.0)) <= OVERSHOOT
    return problem.linearized or not over or few


def warn_of_states(problem: Problem, states: Complex, reports: Sequence[Report]) -> None:
    """Say where a result is limited by the mesh or by rounding."""
    if not len(states) or not states.any():  # the normal state is exact
        return
    sizes = np.array([amplitudes(state).max(initial=0.0) for state in states])
    worst = int(sizes.argmax())
    if not problem.linearized and sizes[worst] > CAUSAL:
        warn(
            f"the Green's function is not causal at a node near {_place(problem, states[worst])} (Riccati amplitude "
            f"{sizes[worst]:.3g}, at most 1 is possible): the mesh is too coarse for the change of phase or gap there, "
            "and currents through that place are not to be trusted. Refine the mesh there",
        )
    error = max(report.error for report in reports)
    if error > NOTICEABLE:
        warn(
            f"rounding limits the solution to a relative accuracy of about {error:.1g}: {_stiffness(problem) or STIFF}",
        )
    if not problem.linearized:
        limit = max(nearness_to_limit(problem, state) for state in states[:2])
        if limit > NEAR_LIMIT:
            warn(f"{_limit(limit)}; check the result on a finer mesh")


def advice(problem: Problem, w: float, state: Complex) -> str:
    """What may help where Newton's method fails at an energy."""
    stiff = _stiffness(problem)
    if stiff is not None:
        return stiff
    limit = 0.0 if problem.linearized or not np.isfinite(state).all() else nearness_to_limit(problem, state)
    if limit > NEAR_LIMIT:
        return f"a smaller |kappa|, or weaker triplets at free boundaries: {_limit(limit)}"
    coarse = coarseness(problem, w)
    if coarse > 2:
        return f"a finer mesh: the largest cells are {coarse:.2g} times the decay length sqrt(D/|w + i h|) there"
    if not problem.linearized and amplitudes(state).max(initial=0.0) > CAUSAL:
        return f"a finer mesh near {_place(problem, state)}, where the solution is not causal" + _other_order(problem)
    return "a finer mesh where phase, gap or coefficients change" + _other_order(problem)


STIFF = "coefficients or cell sizes differ by too many orders of magnitude"


def _other_order(problem: Problem) -> str:
    return ", or order=1" if problem.space.order == 2 else ", or order=2"


def _limit(limit: float) -> str:
    return (
        f"with this kappa the solution comes to {limit:.3f} of the limit 1 beyond which free boundaries have no "
        "well-posed diffusion (theory, section on spin-charge coupling)"
    )


def _place(problem: Problem, state: Complex) -> str:
    position = problem.space.nodes[:, int(amplitudes(state).argmax())]
    return "(" + ", ".join(f"{x:.4g}" for x in position) + ")"


def _stiffness(problem: Problem) -> str | None:
    """Why rounding errors are large, None if there is no such reason."""
    space, table = problem.space, problem.coefficients.table
    volume = space.dx.sum(axis=1)
    thin = longest_edges(space.mesh) ** space.dim / volume
    if space.dim > 1 and thin.max() > THIN_CELL:
        return f"rounder cells: the thinnest are {thin.max():.1g} times longer than wide; smaller ones in thin layers"
    size = volume ** (1 / space.dim)
    times = [(number, row) for number, row in enumerate(column.LOCAL) if row.torque == "relaxation"]
    for number, row in times:
        rate = 4 * table[..., number]
        ratio = float((rate / table[..., column.D] * size[:, None] ** 2).max(initial=0.0))
        if ratio > STIFF_RATE:
            return (
                f"a longer {row.coefficients[0]}: the shortest is {1 / rate.max():.3g}, so that spins relax within "
                f"{ratio**-0.5:.1g} of a cell (it is a time, 1/energy in the units of the device)"
            )
    return None
