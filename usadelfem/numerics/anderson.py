"""Anderson acceleration of fixed-point iterations (D. G. Anderson, J. ACM 12, 547 (1965); type II)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

# Directions that are linearly dependent to this relative size carry rounding noise only.
RANK = 1e-9
# A residual this many times the best one so far means that the history misleads: start anew from the best point.
GROWTH = 3.0


class Anderson:
    """Accelerates x -> x + f(x): each call takes a point with its f and proposes the next point.

    Parameters
    ----------
    weight
        Weights of the scalar product in which f is made small, shape (unknowns,).
    mixing
        Part of f that is added to the best combination of the history; halved when the residual grows.
    depth
        Number of differences kept.
    """

    def __init__(self, weight: Real, mixing: float = 1.0, depth: int = 12) -> None:
        self._root = np.sqrt(weight)
        self._mixing = mixing
        self._depth = depth
        self._points: list[Real] = []
        self._changes: list[Real] = []
        self._best = np.inf, np.empty(0), np.empty(0)

    def propose(self, x: Real, f: Real) -> Real:
        """The next point."""
        norm = float(np.linalg.norm(self._root * f))
        if not norm <= GROWTH * self._best[0]:
            _, x, f = self._best
            self._points, self._changes, self._best = [], [], (np.inf, x, f)
            self._mixing *= 0.5
            return x + self._mixing * f
        if norm < self._best[0]:
            self._best = norm, x, f
        self._points = [*self._points[-self._depth :], x]
        self._changes = [*self._changes[-self._depth :], f]
        if len(self._points) == 1:
            return x + self._mixing * f
        dx = np.diff(self._points, axis=0).T
        df = np.diff(self._changes, axis=0).T
        gamma = np.linalg.lstsq(self._root[:, None] * df, self._root * f, rcond=RANK)[0]
        return np.asarray(x + self._mixing * f - (dx + self._mixing * df) @ gamma)
