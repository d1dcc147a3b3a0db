"""GMRES with a preconditioner that may vary from step to step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
Operator = Callable[[Numbers], Numbers]

# A vector that orthogonalisation makes shorter than this is orthogonalised once more.
_CANCELLED = 0.5
_EXHAUSTED = 1e-14


def flexible_gmres(
    product: Operator, precondition: Operator, rhs: Numbers, tolerance: float, most: int
) -> tuple[Numbers, list[float]]:  # fmt: skip
    """Solve A x = rhs, shape (n,), from x = 0, preconditioned from the right.

    Y. Saad, SIAM J. Sci. Comput. 14, 461 (1993). It ends where the residual is below `tolerance` of rhs, after `most`
    iterations, or where the space that it searches does not grow any further.

    Returns
    -------
    x, history
        The solution, and the relative residual that is expected after each iteration.
    """
    size = float(np.linalg.norm(rhs))
    if not size > 0:
        return np.zeros_like(rhs), []
    basis, directions, history = [rhs / size], [], []
    projected = np.zeros((most + 1, most), rhs.dtype)
    first = np.eye(most + 1, 1, dtype=rhs.dtype)[:, 0]
    weights = np.zeros(0, rhs.dtype)
    for k in range(most):
        directions.append(precondition(basis[k]))
        new = product(directions[k])
        left = _orthogonalise(new, basis, projected[:, k])
        part = projected[: k + 2, : k + 1]
        if not np.isfinite(left):
            directions.pop()
            history.append(np.inf)
            break
        weights = np.linalg.lstsq(part, first[: k + 2], rcond=None)[0]
        history.append(float(np.linalg.norm(part @ weights - first[: k + 2])))
        if history[-1] <= tolerance or left <= _EXHAUSTED * float(np.linalg.norm(part)):
            break
        basis.append(new / left)
    x = np.zeros_like(rhs)
    for weight, own in zip(weights, directions, strict=True):
        x += size * weight * own
    return x, history


def _orthogonalise(new: Numbers, basis: list[Numbers], parts: Numbers) -> float:
    """Take the parts along a basis, which are added to `parts`, out of a vector; returns and adds what is left."""
    left = float(np.linalg.norm(new))
    for _ in range(2):
        before = left
        for i, own in enumerate(basis):
            part = np.vdot(own, new)
            parts[i] += part
            new -= part * own
        left = float(np.linalg.norm(new))
        if left > _CANCELLED * before:
            break
    parts[len(basis)] = left
    return left
