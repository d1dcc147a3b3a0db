"""Branches as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..fields.field import Field
from ..frozen import FrozenRecord, freeze
from ..pictures.extra import axes_of
from ..solve.results import Equilibrium

Real = NDArray[np.float64]


class BranchPoint(NamedTuple):
    """A solution at which another branch begins; `branch(..., initial=point)` follows that one.

    Attributes
    ----------
    value
        The parameter there.
    equilibrium
        The solution.
    mode
        The change of the gap that leads onto the other branch, a complex Field whose largest modulus is 1.
    potential
        With screening: the change of the unknowns of the induced potential that goes with it.
    """

    value: float
    equilibrium: Equilibrium
    mode: Field
    potential: Real = np.empty(0)


@dataclass(frozen=True, eq=False, repr=False)
class Branch(FrozenRecord):
    """Solutions along a branch, in the order in which they follow each other.

    Attributes
    ----------
    parameter
        Name of the parameter.
    parameters, values
        The parameter and the observable at every solution, shape (solutions,).
    arclength
        Length along the branch, sqrt(|d gap|^2 + |d parameter|^2), gaps in bulk gaps (root mean square), the parameter
        in units of its interval, with screening also the induced potential times the coherence length; shape
        (solutions,).
    equilibria
        The solutions; without states, unless these were asked for: as starts of other solves, and for the gap.
    folds
        Indices of the solutions at which the parameter turns.
    unstable
        Number of directions in which the free energy falls, shape (solutions,); None where it was not asked for.
    branch_points
        Where another branch begins; known where unstable directions were counted. A branch whose gap vanishes ends in
        the normal state, and its last solution is one.
    """

    parameter: str
    parameters: Real
    values: Real
    arclength: Real
    equilibria: tuple[Equilibrium, ...]
    folds: tuple[int, ...]
    unstable: NDArray[np.int64] | None
    branch_points: tuple[BranchPoint, ...]

    def __post_init__(self) -> None:
        freeze([value for name, value in vars(self).items() if name not in ("equilibria", "branch_points")])

    def __len__(self) -> int:
        return len(self.parameters)

    def __repr__(self) -> str:
        turns = ", ".join(f"{self.parameters[fold]:.6g}" for fold in self.folds) or "none"
        return (
            f"Branch({self.parameter} from {self.parameters[0]:.6g} to {self.parameters[-1]:.6g}, {len(self)} "
            f"solutions, folds: {turns})"
        )

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the observable over the parameter: dashed where unstable, with folds as dots, branch points as squares.

        Parameters
        ----------
        ax
            Matplotlib Axes; None: new ones.
        options
            For `ax.plot`.

        Returns
        -------
        matplotlib Axes
            Of the picture.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes_of(ax)
        (line,) = ax.plot(self.parameters, self._where(stable=True), **options)
        colour = line.get_color()
        if self.unstable is not None:
            ax.plot(self.parameters, self._where(stable=False), "--", color=colour)
        folds = list(self.folds)
        ax.plot(self.parameters[folds], self.values[folds], "o", color=colour)
        places = [int(np.argmin(abs(self.parameters - point.value))) for point in self.branch_points]
        ax.plot(self.parameters[places], self.values[places], "s", color=colour)
        ax.set(xlabel=self.parameter, ylabel="observable")
        return ax

    def _where(self, *, stable: bool) -> Real:
        """The values where the solutions are stable or not; NaN elsewhere."""
        if self.unstable is None:
            return self.values
        own = (self.unstable == 0) == stable
        if not stable:  # the dashes reach up to the curve
            own = own | np.append(own[1:], False) | np.insert(own[:-1], 0, False)
        return np.where(own, self.values, np.nan)
