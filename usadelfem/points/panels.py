"""Energies of a quadrature whose weight functions are known exactly: occupations, however sharp their edges are.

The energy axis is divided in panels. In each, what was computed at its energies is a polynomial, and an integral of it
with an occupation is a sum with *product weights*, which hold the exact integral of the occupation times the polynomial
that is 1 at one of the energies. So only spectra have to be resolved, and other voltages and temperatures ask for other
weights, not for other energies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from numpy.typing import NDArray

from ..errors import warn

Real = NDArray[np.float64]
Weighting = Callable[[Real], Real]  # energies -> weight functions, shape (energies, functions)

# Gauss's three points and the four that Kronrod adds: both interpolate, and their difference is the error estimate.
_GAUSS = np.array([-0.774596669241483377035853079956480, 0.0, 0.774596669241483377035853079956480])
_ADDED = np.array([0.434243749346802558002071502844628, 0.960491268708020283423507092629080])
KRONROD = np.sort(np.concatenate([_GAUSS, -_ADDED, _ADDED]))
_NESTED = np.isin(KRONROD, _GAUSS)
_FINE = 12  # points between two edges of an occupation
# Distances from an edge of an occupation at which integrals with it are divided, in temperatures.
EDGES = np.array([-40.0, -20.0, -10.0, -5.0, -2.5, 0.0, 2.5, 5.0, 10.0, 20.0, 40.0])
MOST_ENERGIES = 2000
NARROWEST = 1e-9  # of a panel, as a part of the range


@dataclass(frozen=True)
class Panels:
    """Neighbouring intervals of energies with the points in each of them.

    Attributes
    ----------
    ends
        Lower and upper end of every panel, shape (panels, 2).
    points
        Places of the energies in a panel from -1 to 1, shape (points,).
    """

    ends: Real
    points: Real

    @property
    def energies(self) -> Real:
        """All energies, shape (panels, points)."""
        middle, half = self.ends.mean(axis=1), 0.5 * np.diff(self.ends, axis=1)[:, 0]
        return np.asarray(middle[:, None] + half[:, None] * self.points)

    def weights(self, weighting: Weighting, edges: Real, chosen: NDArray[np.bool_] | None = None) -> Real:
        """Product weights of every energy for every weight function, shape (panels, points, functions).

        Parameters
        ----------
        weighting
            The weight functions.
        edges
            Energies between which they are smooth.
        chosen
            Which of the points the polynomials go through; weights of the others are zero. None: all.
        """
        own = np.ones(len(self.points), bool) if chosen is None else chosen
        x, w = leggauss(_FINE)
        parts = []
        inverse = np.linalg.inv(legvander(self.points[own], own.sum() - 1)) if own.any() else np.zeros((0, 0))
        for low, high in self.ends:
            cuts = np.unique(np.concatenate([[low], edges[(edges > low) & (edges < high)], [high]]))
            middle, half = 0.5 * (cuts[1:] + cuts[:-1]), 0.5 * np.diff(cuts)
            energies, fine = (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()
            place = (2 * energies - low - high) / (high - low)
            basis = legvander(place, own.sum() - 1) @ inverse
            part = np.zeros((len(self.points), weighting(energies[:1]).shape[1]))
            part[own] = basis.T @ (fine[:, None] * weighting(energies))
            parts.append(part)
        return np.array(parts) if parts else np.zeros((0, len(self.points), weighting(np.zeros(1)).shape[1]))


def between(energies: Real) -> Panels:
    """Panels between given ascending energies, in which everything is linear; their points are the ends."""
    return Panels(np.stack([energies[:-1], energies[1:]], axis=1), np.array([-1.0, 1.0]))


def adaptive_panels(
    breaks: Sequence[float], weighting: Weighting, edges: Real, tolerance: float, solve: Callable[[Real], Real]
) -> Panels:  # fmt: skip
    """Panels that resolve integrals of several quantities to a relative accuracy of each.

    Parameters
    ----------
    breaks
        Ends of the first panels, ascending.
    weighting, edges
        As in `Panels.weights`.
    tolerance
        Largest error of the integrals of a quantity, in units of the largest of them.
    solve
        Computes at energies what is to be integrated with each of the functions, shape (energies, quantities, values,
        functions).
    """
    ends = np.stack([breaks[:-1], breaks[1:]], axis=1)
    done: list[tuple[Real, Real, Real]] = []  # ends, and errors and sizes of all quantities, of every panel
    span, count = float(ends[-1, 1] - ends[0, 0]), 0
    while len(ends):
        new = Panels(ends, KRONROD)
        count += new.energies.size
        values = solve(new.energies.ravel())
        values = values.reshape(*new.energies.shape, *values.shape[1:])
        fine, coarse = (new.weights(weighting, edges, chosen) for chosen in (None, _NESTED))
        error = abs(np.einsum("pnf,pnavf->pavf", fine - coarse, values)).max(axis=(2, 3))
        size = np.einsum("pnf,pnavf->pavf", abs(fine), abs(values)).max(axis=(2, 3))
        # As in QUADPACK: the difference is the error of the coarse rule, that of the fine one is a higher power of it.
        error = size * np.minimum(1.0, (50 * error / np.where(size > 0, size, 1.0)) ** 1.5)
        done += list(zip(ends, error, size, strict=True))
        totals = np.array([own for *_, own in done]).sum(axis=0)
        errors = (np.array([own for _, own, _ in done]) / np.where(totals > 0, totals, 1.0)).max(axis=1)
        if errors.sum() <= tolerance:
            break
        if count > MOST_ENERGIES:
            warn(
                f"after {count} energies integrals are known to {errors.sum():.1g} only, not to the tolerance "
                f"{tolerance:g}: give a larger broadening, a larger tolerance, or energies as numbers"
            )
            break
        order = np.argsort(errors)[::-1]
        left = errors.sum() - np.cumsum(errors[order])
        split = order[: 1 + int(np.argmax(left <= 0.5 * tolerance))]
        split = np.array([n for n in split if np.diff(done[n][0])[0] > NARROWEST * span], int)
        if not len(split):
            break
        ends = np.array([half for n in split for half in _halves(done[n][0])])
        done = [panel for n, panel in enumerate(done) if n not in set(split.tolist())]
    final = np.array([own for own, _, _ in done])
    return Panels(final[np.argsort(final[:, 0])], KRONROD)


def _halves(ends: Real) -> list[tuple[float, float]]:
    middle = 0.5 * float(ends[0] + ends[1])
    return [(float(ends[0]), middle), (middle, float(ends[1]))]
