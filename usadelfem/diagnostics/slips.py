"""Whether a self-consistent solve ended in the state of windings that it started from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ObservableError, warn
from ..fem.gap_equation import Pairing
from ..fem.problem import Problem
from ..space.locate import locate
from .winding import Windings, cell_windings, find_windings, gathered, vertex_amplitude

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Start:
    """Windings of the phase in the state that a solve started from."""

    windings: Windings
    along: NDArray[np.float64]

    def compare(self, problem: Problem, state: Complex, cores: Sequence[tuple[float, float, int]] = ()) -> None:
        """Warn where the end differs, also from the vortices (x, y, n) that were asked for."""
        amplitude = vertex_amplitude(problem, state)
        if not abs(amplitude).max(initial=0.0) > 0:
            if cores:
                warn(
                    "the gap has vanished, and with it the vortices that the solve started with: the normal state is "
                    "what is stable here. Lower the temperature or the field B, or make the sample larger"
                )
            return
        for (one, other, _), before, after in zip(
            self.windings.paths, self.along, self.windings.along(amplitude), strict=True
        ):
            if abs(after - before) > np.pi:
                warn(
                    f"phase slip: from {one!r} to {other!r} the phase of the gap grows by {after:.4g} in the result, "
                    f"by {before:.4g} in the state that the solve started from. No solution with that winding was "
                    "found (the current may be above the depairing current), or it is not stable; this is another "
                    "one. Start from the result at a smaller phase difference (initial=...) to follow a branch",
                )
        before, after = self.asked(problem, cores), _vortices(problem, self.windings, amplitude)
        if cores and after is not None and after != before:
            warn(
                f"the solve started with vortices of total winding {_listed(before)} and ended with {_listed(after)}: "
                "some left the sample, entered it, or met others of opposite sign. `vorticity` says where those of "
                "the result are; a field B or another start may hold them",
            )

    def asked(self, problem: Problem, cores: Sequence[tuple[float, float, int]]) -> tuple[int, int]:
        """Total windings of either sign of the cores that lie in the superconductor, and not in a hole of it."""
        inside = []
        for x, y, n in cores if problem.space.dim == 2 else ():
            try:
                cell = locate(problem.space, [[x], [y]]).cells[0]
            except ObservableError:
                continue
            inside.append(n * bool(np.isin(cell, self.windings.cells)))
        return sum(n for n in inside if n > 0), sum(n for n in inside if n < 0)


def start_of(problem: Problem, pairing: Pairing | None, state: Complex) -> Start | None:
    """The windings of a state; None where no gap is unknown."""
    if pairing is None:
        return None
    windings, amplitude = find_windings(problem, pairing.chosen), vertex_amplitude(problem, state)
    return Start(windings, windings.along(amplitude))


def _vortices(problem: Problem, windings: Windings, amplitude: Complex) -> tuple[int, int] | None:
    """Total windings of all vortices of either sign; None where the mesh is no plane."""
    if problem.space.dim != 2:
        return None
    mesh = problem.space.mesh
    _, found = gathered(mesh, windings.cells, cell_windings(mesh, amplitude, windings.cells))
    return int(found[found > 0].sum()), int(found[found < 0].sum())


def _listed(vortices: tuple[int, int]) -> str:
    return " and ".join(f"{n:+d}" for n in vortices if n) or "0"
