"""Whether a self-consistent solve ended in the state of windings that it started from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import warn
from ..fem.gap_equation import Pairing
from ..fem.matsubara import Spectral
from .winding import Windings, cell_windings, find_windings, vertex_amplitude

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Start:
    """Windings of the phase in the state that a solve started from."""

    windings: Windings
    along: NDArray[np.float64]
    vortices: int | None

    def compare(self, system: Spectral, state: Complex, *, asked: bool) -> None:
        """Warn where the end differs; `asked` says that vortices were asked for."""
        amplitude = vertex_amplitude(system, state)
        if not abs(amplitude).max(initial=0.0) > 0:
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
        after = _vortices(system, self.windings, amplitude)
        if asked and after != self.vortices:
            warn(
                f"the solve started with vortices of total winding {self.vortices} and ended with {after}: some left "
                "the sample, entered it, or met others of opposite sign. `vorticity` says where those of the result "
                "are; a field B or another start may hold them",
            )


def start_of(system: Spectral, pairing: Pairing | None, state: Complex) -> Start | None:
    """The windings of a state; None where no gap is unknown."""
    if pairing is None:
        return None
    windings, amplitude = find_windings(system, pairing.chosen), vertex_amplitude(system, state)
    return Start(windings, windings.along(amplitude), _vortices(system, windings, amplitude))


def _vortices(system: Spectral, windings: Windings, amplitude: Complex) -> int | None:
    if system.space.dim != 2:
        return None
    return int(cell_windings(system.space.mesh, amplitude, windings.cells).sum())
