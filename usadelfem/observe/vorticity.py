"""Vortices of a solution: where the phase winds, and how often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, named
from ..diagnostics.winding import cell_windings, gathered, vertex_amplitude
from ..errors import ObservableError
from ..solve.results import Equilibrium
from ..space.recover import recover
from .arguments import check_result
from .observed import undifferentiable

OF = ("gap", "pair_amplitude")


@dataclass(frozen=True, eq=False)
class Vorticity:
    """The vortices of a solution, those of largest winding first.

    Attributes
    ----------
    positions
        Where they are, shape (2, vortices); a vortex is located to about a cell.
    windings
        The phase grows by 2 pi times this around each, counted from the first towards the second axis of the mesh.
    """

    positions: NDArray[np.float64]
    windings: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.windings)

    @property
    def total(self) -> int:
        """Sum of all windings: that of the phase along the outer edge of a sample without holes."""
        return int(self.windings.sum())

    def __repr__(self) -> str:
        each = (f"{w:+d} at ({x:.4g}, {y:.4g})" for w, (x, y) in zip(self.windings, self.positions.T, strict=True))
        return f"Vorticity({'; '.join(each) or 'none'})"


@named()
@undifferentiable("it counts windings, which are whole numbers")
def vorticity(eq: Equilibrium, of: str = "gap") -> Vorticity:
    """Position and winding of every vortex of a two-dimensional device.

    The phase is followed along the edges of the cells: around a vortex it does not close. Neighbouring cells with
    windings count as one vortex, so that two separate vortices are two and a giant one is one of winding 2. The mesh
    has to resolve the phase, which may change by less than pi along an edge.

    Parameters
    ----------
    eq
        An equilibrium on a two-dimensional mesh.
    of
        "gap": the order parameter, in the regions that have one. "pair_amplitude": the singlet pair amplitude at the
        lowest frequency, in normal regions too.

    Raises
    ------
    TypeError
        If `eq` is no Equilibrium.
    ObservableError
        If the mesh is not two-dimensional, or there is no such quantity.
    """
    check_result("vorticity", eq, Equilibrium)
    choice("of", of, OF, error=ObservableError)
    space = eq.problem.space
    if space.dim != 2:
        raise ObservableError(f"vorticity needs a two-dimensional mesh; this one has {space.dim} dimensions")
    cells = np.arange(space.mesh.nelements)
    if of == "gap":
        cells = np.flatnonzero(eq.problem.gap.any(axis=1))
        regions = tuple(name for name, own in space.mesh.subdomains.items() if np.isin(own, cells).any())
        corners = recover(space, eq.problem.gap, regions).at_corners() if len(cells) else np.zeros(len(space.corners))
        amplitude = space.at_vertices(corners)
    else:
        amplitude = vertex_amplitude(eq.problem, eq.riccati[0])
    windings = cell_windings(space.mesh, amplitude, cells)
    return Vorticity(*gathered(space.mesh, cells, windings))
