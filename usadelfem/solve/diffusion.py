"""The equations of the normal state over the free nodes, and their solution.

With the sign of the charge rows turned the matrix is symmetric, but for the precession of spins in an exchange field:
spin Hall terms couple charge and spin antisymmetrically (theory, section on the normal state). Then its upper triangle
is assembled and factorised, at half of the time and memory. In large solids precession is taken into account by GMRES,
preconditioned with a matrix in which spins across the field relax at the rate of their precession instead: of
k^2 + 2ih and k^2 + 2h the ratio is between 1 and i.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..fem.assembly import scatter_blocks
from ..fem.coefficients import Coefficients
from ..fem.diffusion import COMPONENTS, element_matrices, precession_matrix
from ..numerics.krylov import flexible_gmres
from ..numerics.linear import MULTIGRID_FROM, Factor, LinearSolver, linear_solver
from ..numerics.sparse import scalar_matrix
from ..physics import columns as column
from ..space.pattern import Pattern, build_pattern
from ..space.space import Index, Real, Space

ACCURACY = 1e-13  # of the residual
LOST = 1e-3  # of a known solution, when it is solved for: above it the matrix is singular
SINGULAR = (
    "the equations of the normal state have no unique solution: a part without a NormalContact neither relaxes nor "
    "turns the spins (give it a finite tau_so, or make one contact a NormalContact), or kappa is outside the range in "
    "which diffusion dissipates, from -1 to 1, in three dimensions from -1/2"
)
TURNED = np.array([-1.0, 1.0, 1.0, 1.0])  # signs of the rows that make the matrix symmetric
# Of GMRES with precession: vectors of a cycle and number of cycles at most, and the residual that the last may leave.
VECTORS, RESTARTS, ACCEPTED = 40, 10, 1e-10
_CHUNK = 4096  # cells at a time


def solve_diffusion(
    space: Space, coefficients: Coefficients, known: NDArray[np.bool_], values: Real, load: Real
) -> None:  # fmt: skip
    """Find the values (nodes, 4) that are not known, in place.

    Parameters
    ----------
    space, coefficients
        The discretisation.
    known
        Which values are given, shape (nodes, 4): all or none of a node, or one of a free node, whose equation follows
        from the others.
    values, load
        The given values, zero elsewhere, and what flows in at the nodes; shape (nodes, 4).

    Raises
    ------
    numpy.linalg.LinAlgError
        If the equations have no unique solution.
    """
    turning = bool(coefficients.table[..., list(column.EXCHANGE_FIELD)].any())
    if turning and (~known).sum() <= MULTIGRID_FROM.get(space.dim, np.inf):
        _unsymmetric(space, coefficients, known, values, load)
    else:
        _symmetric(space, coefficients, known, values, load, turning=turning)


def _unsymmetric(space: Space, coefficients: Coefficients, known: NDArray[np.bool_], values: Real, load: Real) -> None:
    """Solve for all unknowns with a matrix of any symmetry."""
    dofs = (COMPONENTS * space.cells[:, :, None] + np.arange(COMPONENTS)).reshape(len(space.cells), -1)
    local = element_matrices(space, coefficients, np.arange(len(dofs)))
    matrix = scalar_matrix(dofs, local, values.size)
    free = np.flatnonzero(~known.ravel())
    right = (load.ravel() - matrix @ values.ravel())[free]
    own = matrix[free][:, free]
    own.sort_indices()
    block = COMPONENTS if len(right) % COMPONENTS == 0 else 1
    if len(right):
        solver = linear_solver(own.indptr, own.indices, block=block, symmetric=False)
        values.ravel()[free] = _solution(solver, own.data, right, lambda x: own @ x)


def _symmetric(
    space: Space, coefficients: Coefficients, known: NDArray[np.bool_], values: Real, load: Real, *, turning: bool
) -> None:  # fmt: skip
    """Solve with the upper triangle over the nodes that are free; single values are held by rows of the unit matrix."""
    pattern = build_pattern(space, np.flatnonzero(known.all(axis=1)), unknowns=COMPONENTS)
    upper, product = _assembled(space, coefficients, pattern, values)
    precession = precession_matrix(space, coefficients) if turning else None
    if precession is not None:
        product[:, 1:] += (precession @ values[:, 1:].ravel()).reshape(-1, 3)
    right = (TURNED * (load - product))[pattern.free].ravel()
    rows = np.repeat(np.arange(len(right)), np.diff(pattern.indptr))
    held = known[pattern.free].ravel()
    if held.any():
        upper[held[rows] | held[pattern.indices]] = 0.0
        upper[pattern.indptr[:-1][held]], right[held] = 1.0, 0.0
    if not len(right):
        return
    matrix = csr_array((upper, pattern.indices, pattern.indptr), shape=(len(right),) * 2)
    diagonal = matrix.diagonal()

    def turned(x: Real) -> Real:
        y = np.asarray(matrix @ x + matrix.T @ x - diagonal * x)
        if precession is not None:
            spins = np.zeros((len(values), 3))
            spins[pattern.free] = np.where(held, 0.0, x).reshape(-1, COMPONENTS)[:, 1:]
            more = (precession @ spins.ravel()).reshape(-1, 3)[pattern.free]
            y.reshape(-1, COMPONENTS)[:, 1:] += np.where(held.reshape(-1, COMPONENTS)[:, 1:], 0.0, more)
        return y

    solver = linear_solver(pattern.indptr, pattern.indices, block=COMPONENTS, dim=space.dim)
    found = _solution(solver, upper, right, turned, varied=turning)
    values[pattern.free] = found.reshape(-1, COMPONENTS)


def _assembled(space: Space, coefficients: Coefficients, pattern: Pattern, values: Real) -> tuple[Real, Real]:
    """The upper triangle of the turned and damped matrix, and the unturned one times given values (nodes, 4)."""
    upper, product = np.zeros(len(pattern.indices)), np.zeros_like(values)
    local, given = space.cells.shape[1], np.asarray(values.any(axis=1))
    second, first = np.tril_indices(local)
    for start in range(0, len(space.cells), _CHUNK):
        cells = np.arange(start, min(start + _CHUNK, len(space.cells)))
        whole = element_matrices(space, coefficients, cells, damped=True)
        whole = whole.reshape(-1, local, COMPONENTS, local, COMPONENTS)
        beside = given[space.cells[cells]].any(axis=1)
        own: Index = space.cells[cells[beside]]
        np.add.at(product, own, np.einsum("ciajb,cjb->cia", whole[beside], values[own]))
        whole *= TURNED[:, None, None]
        blocks = np.moveaxis(whole[:, first, :, second, :], 0, 1)
        scatter_blocks(start, pattern, pattern.cells, np.ascontiguousarray(blocks), upper)
    return upper, product


def _solution(
    solver: LinearSolver, data: Real, right: Real, product: Callable[[Real], Real], *, varied: bool = False
) -> Real:  # fmt: skip
    """Solution of the equations, and of others whose solution is known; LinAlgError where they have none.

    `varied` if the matrix of the product is another one than that of the data, which is close to it.
    """
    probe = np.random.default_rng(0).uniform(-1.0, 1.0, len(right))
    known = product(probe)
    try:
        factor = solver.factorize(data)
        if varied:
            x, again = (_iterated(factor, own, product) for own in (right, known))
        else:
            x, again = factor.solve(np.stack([right, known], axis=1), accuracy=ACCURACY).T
    except (np.linalg.LinAlgError, ValueError) as error:
        raise np.linalg.LinAlgError(SINGULAR) from error
    solver.release()
    if not abs(again - probe).max() < LOST:  # a singular matrix has a small residual as well
        raise np.linalg.LinAlgError(SINGULAR)
    return np.asarray(x)


def _iterated(factor: Factor, right: Real, product: Callable[[Real], Real]) -> Real:
    """Solution by GMRES, preconditioned with factors of a matrix that is close; LinAlgError where it is not found."""
    size, x = float(np.linalg.norm(right)), np.zeros_like(right)
    residual = right
    for _ in range(RESTARTS):
        left = float(np.linalg.norm(residual))
        if left <= ACCURACY * size:
            return x
        goal = max(0.5 * ACCURACY * size / left, 1e-8)
        x = x + flexible_gmres(product, partial(factor.solve, checked=False), residual, goal, VECTORS)[0]
        residual = right - product(x)
    left = float(np.linalg.norm(residual))
    if not left <= ACCEPTED * size:
        raise np.linalg.LinAlgError(f"relative residual {left / size:.1e}")
    return x
