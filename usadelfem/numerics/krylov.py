"""Krylov spaces: GMRES with a preconditioner that may vary from step to step, the lowest eigenvalues of a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
Operator = Callable[[Numbers], Numbers]

Real = npt.NDArray[np.float64]

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


def lowest_eigenvalues(
    product: Operator, raised: Operator, pure: Operator, start: Real, count: int, *, tolerance: float, most: int,
    restarts: int,
) -> tuple[Real, Real, int]:  # fmt: skip
    """The lowest eigenvalues of a symmetric form H in a scalar product that is known by its inverse only.

    Lanczos' method with full orthogonalisation, restarted from its best vectors: K. Wu and H. Simon, SIAM J. Matrix
    Anal. Appl. 22, 602 (2000). Vectors are held as dual ones r, which stand for x = `raised`(r), r.x being the product.

    Parameters
    ----------
    product
        H x, a dual vector, from x, shape (n,).
    raised
        x from a dual vector: symmetric, not negative.
    pure
        A dual vector without what `raised` makes nothing of, which else would grow beyond all bounds unseen.
    start
        A dual vector.
    count
        Number of eigenvalues.
    tolerance
        Largest residual |H x - value r| of a vector of norm 1, as a part of 1 + |value|.
    most, restarts
        Vectors that are held at a time; how often they are condensed.

    Returns
    -------
    values, vectors, converged
        Eigenvalues, ascending, shape (count,), dual vectors (n, count), and how many of them are within the tolerance.
    """
    most = max(most, 2 * count + 4)
    duals, vectors, images = (np.zeros((most + 1, len(start))) for _ in range(3))
    left, held = _append(start, raised, pure, duals, vectors, 0), 0
    for turn in range(restarts + 1):
        while held < most and left > 0:
            images[held] = product(vectors[held])
            held += 1
            left = _append(images[held - 1], raised, pure, duals, vectors, held)
        reduced = vectors[:held] @ images[:held].T
        values, mixed = np.linalg.eigh(0.5 * (reduced + reduced.T))
        good = left * abs(mixed[-1, :count]) <= tolerance * (1 + abs(values[:count]))
        if good.all() or turn == restarts:
            break
        kept = min(count + most // 3, most - 2)
        for own in (duals, vectors, images):
            own[:kept] = mixed[:, :kept].T @ own[:held]
        duals[kept], vectors[kept], held = duals[held], vectors[held], kept
    return values[:count], (mixed[:, :count].T @ duals[:held]).T, int(good.sum())


def _append(new: Real, raised: Operator, pure: Operator, duals: Real, vectors: Real, held: int) -> float:
    """Add what of a dual vector is orthogonal to those held, with norm 1; returns how long it was, 0 if nothing."""
    parts = vectors[:held] @ new
    for along in (parts, vectors[:held] @ (new - parts @ duals[:held])):
        new = new - along @ duals[:held]
    # What rounding adds that `raised` does not see, and what tells x from r, would grow from vector to vector.
    new = pure(new)
    x = np.asarray(raised(new))
    size = float(np.sqrt(max(new @ x, 0.0)))
    if not size > _EXHAUSTED * float(np.hypot(size, np.linalg.norm(parts))):
        return 0.0
    duals[held], vectors[held] = new / size, x / size
    return size
