"""Current-phase relations as records: interpolation, harmonics, critical values, energy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..checks import integer, numbers, shown
from ..errors import ObservableError
from ..frozen import FrozenRecord, freeze
from ..numerics.periodic import FINE, evaluate, fourier, highest, integrate

Real = NDArray[np.float64]


class Harmonics(NamedTuple):
    """Fourier coefficients of a current-phase relation: I = mean + sum_n sine_n sin(n phi) + cosine_n cos(n phi).

    Attributes
    ----------
    sine, cosine
        Coefficients of orders 1, 2, ..., in the unit of the current.
    mean
        The mean over a turn, zero up to errors.
    phi_0
        Phase of the first harmonic, A sin(phi - phi_0) with A > 0: 0 of an ordinary junction, pi of a pi junction.
    """

    sine: Real
    cosine: Real
    mean: float
    phi_0: float


class Extreme(NamedTuple):
    """The largest or smallest current, and the phase difference at which it flows."""

    value: float
    phase: float


@dataclass(frozen=True, eq=False, repr=False)
class CurrentPhase(FrozenRecord):
    """The current through a contact as a function of the phase difference.

    A phase difference counts from the phase that the other superconducting reservoirs share (from zero where they share
    none) to that of the contact. The current is positive where it flows along a growing phase, out of the device into
    the contact: that of an ordinary junction is positive for 0 < phi < pi. Between the phases that were solved the
    relation is interpolated: by a trigonometric polynomial where it is periodic, by a cubic spline where it is not.

    Attributes
    ----------
    contact, temperature
        The reservoir whose phase was turned, and the temperature.
    phases, currents
        Phase differences in radians, ascending, over a turn from 0 or along the branch, and the currents there; shape
        (phases,). Unit of the current: e N0 D energy length^(dim - 2); times `normal_resistance` it is the energy e I
        R_N.
    error
        Estimate of the largest error of the interpolation, in the unit of the current; it does not know of mesh and
        frequencies.
    folded
        Whether several solutions exist at a phase difference, as with long self-consistent electrodes: then only the
        branch through phi = 0 is here, as far as it was followed.
    solves
        Number of solutions.
    unit
        Unit of the current, by the dimension of the mesh: in 2D for a unit of thickness, in 1D for a unit of area,
        unless the device has them.
    per_current
        The energy of a unit of current and a radian, hbar/2e times the unit of current.
    """

    contact: str
    temperature: float
    phases: Real
    currents: Real
    error: float
    folded: bool
    solves: int
    unit: str
    per_current: float = 0.5

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __repr__(self) -> str:
        return (
            f"CurrentPhase({self.contact!r}, temperature={self.temperature:g}, {len(self.phases)} phases, currents "
            f"{self.critical[1].value:.5g} to {self.critical[0].value:.5g}, error {self.error:.1g}"
            f"{', one branch of several' if self.folded else ''})"
        )

    @cached_property
    def _waves(self) -> tuple[Real, Real]:
        return fourier(self.currents)

    @cached_property
    def _spline(self) -> scipy.interpolate.CubicSpline:
        return scipy.interpolate.CubicSpline(self.phases, self.currents)

    def at(self, phases: ArrayLike) -> Real:
        """The current at phase differences, interpolated; of the same shape.

        Raises
        ------
        ObservableError
            If one lies beyond the ends of a branch.
        """
        where = self._checked(phases)
        return np.asarray(self._spline(where)) if self.folded else evaluate(*self._waves, where)

    def energy(self, phases: ArrayLike | None = None) -> Real:
        """The Josephson energy E(phi) = (1/2) Int_0^phi I dphi at phase differences; None: at `phases`.

        The difference of `free_energy` from phase difference zero. Unit: N0 energy^2 length^dim.

        Raises
        ------
        ObservableError
            If a phase difference lies beyond the ends of a branch.
        """
        where = self.phases if phases is None else self._checked(phases)
        if not self.folded:
            return self.per_current * integrate(*self._waves, where)
        whole = self._spline.antiderivative()
        return np.asarray(self.per_current * (whole(where) - whole(0.0)))

    def harmonics(self, count: int | None = None) -> Harmonics:
        """The first harmonics; None: all that the phases determine.

        Raises
        ------
        ObservableError
            If there are several solutions, or not as many harmonics.
        """
        if self.folded:
            raise ObservableError("a relation with several branches is not periodic and has no harmonics")
        cosine, sine = self._waves
        most = len(self.phases) // 2 - 1
        wanted = most if count is None else integer("count", count, least=1, error=ObservableError)
        if wanted > most:
            raise ObservableError(
                f"{len(self.phases)} phases determine {most} harmonics, not {wanted}: give phases={2 * wanted + 2}"
            )
        first, last = float(np.arctan2(-cosine[1], sine[1])), wanted + 1
        return Harmonics(sine[1:last].copy(), cosine[1:last].copy(), float(cosine[0]), first)

    @cached_property
    def critical(self) -> tuple[Extreme, Extreme]:
        """The largest and the smallest current of the interpolated relation."""
        grid = self.grid
        high, low = highest(self.at, grid), highest(lambda x: -self.at(x), grid)
        return Extreme(high[1], wrapped(high[0], self.folded)), Extreme(-low[1], wrapped(low[0], self.folded))

    @property
    def grid(self) -> Real:
        """Phase differences close enough together for a picture, from -pi to pi or along the branch."""
        if self.folded:
            return np.linspace(self.phases[0], self.phases[-1], FINE * len(self.phases))
        return np.linspace(-np.pi, np.pi, FINE * len(self.phases) + 1)

    def plot(self, axes: Any = None) -> Any:
        """Draw the relation over units of pi, with the phases that were solved; returns the axes of matplotlib."""
        if axes is None:
            import matplotlib.pyplot as plt

            axes = plt.subplots(figsize=(5, 3.4), layout="constrained")[1]
        grid = self.grid if self.folded else self.grid + np.pi
        axes.axhline(0, color="0.8", lw=0.8, zorder=0)
        (line,) = axes.plot(grid / np.pi, self.at(grid))
        axes.plot(self.phases / np.pi, self.currents, "o", ms=4, color=line.get_color())
        axes.set(xlabel=r"phase difference $\varphi/\pi$", ylabel=f"current $I$ [{self.unit}]")
        return axes

    def _checked(self, phases: ArrayLike) -> Real:
        where = numbers("phases", phases, "are finite numbers, radians", error=ObservableError)
        if self.folded and where.size and (where.min() < self.phases[0] - 1e-9 or where.max() > self.phases[-1] + 1e-9):
            raise ObservableError(
                f"phases is {shown(phases)}; the branch was followed from {self.phases[0]:.4g} to {self.phases[-1]:.4g}"
            )
        return where


@dataclass(frozen=True, eq=False, repr=False)
class JosephsonEnergy(FrozenRecord):
    """The energy of a junction over the phase difference. Unit: N0 energy^2 length^dim.

    Attributes
    ----------
    phases, energies
        Phase differences and energies there, measured from phi = 0; shape (phases,).
    minimum
        The phase difference of least energy: 0, pi or phi_0.
    depth
        Difference between the largest and the least energy; 2 E_J of a sinusoidal junction, E_J = I_c/2.
    error
        Bound on the error of the energies by the interpolation of the current.
    curve
        The current-phase relation that was integrated.
    """

    phases: Real
    energies: Real
    minimum: float
    depth: float
    error: float
    curve: CurrentPhase

    def __post_init__(self) -> None:
        freeze(vars(self))

    def at(self, phases: ArrayLike) -> Real:
        """The energy at phase differences, interpolated, measured from phi = 0; of the same shape.

        Raises
        ------
        ObservableError
            If one lies beyond the ends of a branch.
        """
        return self.curve.energy(phases)

    def __repr__(self) -> str:
        return (
            f"JosephsonEnergy({self.curve.contact!r}, {len(self.phases)} phases, least at phi = {self.minimum:.4g}, "
            f"depth {self.depth:.5g})"
        )


def wrapped(phase: float, folded: bool) -> float:
    """A phase difference between -pi and pi; on a branch as it is."""
    return phase if folded else float(-((-phase + np.pi) % (2 * np.pi)) + np.pi)
