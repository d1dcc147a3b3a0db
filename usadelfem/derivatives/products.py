"""Residuals of parts of a device, and second variations of the functional times a change of the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compilation import jit
from ..fem.assembly import assemble, junction_residual
from ..fem.cells import element_terms
from ..fem.interfaces import junction_elements
from ..fem.matsubara import Matsubara
from ..fem.retarded import Retarded
from ..fem.retarded_cells import retarded_junctions, retarded_terms
from ..fem.workspace import junction_space, point_space, tangent_space, whole_tangent_space
from ..space.space import Index

Complex = NDArray[np.complex128]
Equation = Matsubara | Retarded
Numbers = NDArray[Any]

_CHUNK_BYTES = 2**22  # of element matrices


def own_coordinates(equation: Equation, state: Complex) -> Complex:
    """A state in the coordinates of residuals: (nodes, n) at Matsubara frequencies, (nodes, 2n) at real energies."""
    return equation.problem.sector.reduce(state) if isinstance(equation, Matsubara) else state


def cell_residual(equation: Equation, w: Any, state: Complex, chosen: Index | None = None) -> Complex:
    """The residual of cells alone (None: all), of a state in its own coordinates."""
    problem = equation.problem
    if isinstance(equation, Retarded):
        return equation.of_cells(w, state, np.arange(len(problem.space.cells)) if chosen is None else chosen)
    return assemble(problem.space, problem.aligned[0], w, state, chosen=chosen)[0]


def side_residual(equation: Equation, state: Complex, sides: NDArray[np.bool_]) -> Complex:
    """The residual of chosen sides (2, facets) of the interfaces alone."""
    if isinstance(equation, Retarded):
        return equation.of_sides(state, sides)
    return junction_residual(equation.problem.aligned[1], state, sides)


def inner(equation: Equation, left: Complex, right: Complex) -> Any:
    """The pairing of a residual with a change of the state: dF/dx dx, complex at real energies."""
    if isinstance(equation, Matsubara):
        return float((left.conj() * right).real.sum())
    return complex((left * right).sum())


def cell_product(
    equation: Equation, w: Any, state: Complex, change: Complex, chosen: Index | None = None
) -> Complex:  # fmt: skip
    """The change of `cell_residual` with a change of the state, both in its own coordinates."""
    space = equation.problem.space
    cells = np.arange(len(space.cells)) if chosen is None else np.asarray(chosen, np.int64)
    blocks, count = _cell_blocks(equation, w, state, cells)
    out = np.zeros_like(change)
    local = space.cells.shape[1]
    pairs = local * (local + 1) // 2
    unknowns = _unknowns(equation)
    chunk = max(8, _CHUNK_BYTES // (8 * pairs * unknowns**2))
    for first in range(0, count, chunk):
        size = min(chunk, count - first)
        _apply(equation, space.cells[cells[first : first + size]], blocks(first, size), change, out)
    return out


def side_product(
    equation: Equation, state: Complex, change: Complex, sides: NDArray[np.bool_] | None = None, *,
    transposed: bool = False,
) -> Complex:  # fmt: skip
    """The change of `side_residual` (None: both sides of all) with a change of the state, or its transposed."""
    out = np.zeros_like(change)
    junctions, count = equation.problem.aligned[1], _unknowns(equation)
    if not len(junctions.facets):
        return out
    nodes = junctions.nodes
    pairs = nodes.shape[1] * (nodes.shape[1] + 1) // 2
    number = complex if isinstance(equation, Retarded) else float
    tangent = np.empty((len(nodes), pairs, count, count), number)
    r, s = np.empty((*nodes.shape, state.shape[1]), complex), np.empty(nodes.shape)
    like = equation.problem.sector.like
    space = junction_space(len(like), number)
    parts = junctions.phi, junctions.dx, junctions.table
    rest = junctions.kinds, junctions.channels, state
    if isinstance(equation, Retarded):
        other = equation.problem.exchanged[1]
        own, phi, dx, table, partner, kinds, channels, given = jit.readonly(nodes, *parts, other, *rest)
        retarded_junctions(
            like, given, own, phi, dx, table, partner, kinds, channels, junctions.linear, True, space, r, s, tangent
        )  # fmt: skip
    else:
        own, phi, dx, table, kinds, channels, given = jit.readonly(nodes, *parts, *rest)
        junction_elements(
            like, given, own, phi, dx, table, kinds, channels, junctions.linear, True, space, r, s, tangent
        )  # fmt: skip
    rows = None if sides is None else np.repeat(sides.T, nodes.shape[1] // 2, axis=1)
    _apply(equation, nodes, tangent, change, out, rows, transposed)
    return out


def _unknowns(equation: Equation) -> int:
    """Real unknowns of a node at Matsubara frequencies, complex ones at real energies."""
    return 2 * equation.problem.sector.entries


def _cell_blocks(
    equation: Equation, w: Any, state: Complex, cells: Index
) -> tuple[Callable[[int, int], Numbers], int]:  # fmt: skip
    """A function of first cell and number of cells that gives their element tangents (cells, pairs, unknowns, ...)."""
    problem = equation.problem
    space, like, own = problem.space, problem.sector.like, problem.aligned[0].chosen(cells)
    arrays = space.cells[cells], space.inverse[cells], space.dx[cells]
    nodes, n, dim = space.cells.shape[1], len(like), space.dim
    pairs, unknowns = nodes * (nodes + 1) // 2, _unknowns(equation)
    retarded = isinstance(equation, Retarded)
    point = point_space(n, dim, nodes)
    matrices = (
        whole_tangent_space(n, dim, nodes)
        if retarded
        else tangent_space(point.h00, point.hk0, point.hkk, point.hkl, nodes)
    )
    partner = problem.exchanged[0][cells] if retarded else own.table
    where, inverse, dx, table, other, kinds, axes, given, phi, dphi = jit.readonly(
        *arrays, own.table, partner, own.kinds, own.pairs, state, space.phi, space.dphi
    )

    def blocks(first: int, size: int) -> Numbers:
        r, s = np.empty((size, nodes, state.shape[1]), complex), np.empty((size, nodes))
        t = np.empty((size, pairs, unknowns, unknowns), complex if retarded else float)
        if retarded:
            retarded_terms(
                like, complex(w), given, first, where, phi, dphi, inverse, dx, table, other, kinds, axes, True, point,
                matrices, r, s, t,
            )  # fmt: skip
        else:
            element_terms(
                like, float(w), given, first, where, phi, dphi, inverse, dx, table, kinds, axes, True, point, matrices,
                r, s, t,
            )  # fmt: skip
        return t

    return blocks, len(cells)


def _apply(
    equation: Equation, nodes: Index, blocks: Numbers, change: Complex, out: Complex,
    rows: NDArray[np.bool_] | None = None, transposed: bool = False,
) -> None:  # fmt: skip
    """Add element tangents times a change of the state to out; only chosen `rows` (elements, local nodes) of them."""
    real = isinstance(equation, Matsubara)
    x = change.view(float) if real else change
    y = out.view(float) if real else out
    local = np.zeros((*nodes.shape, x.shape[1]), x.dtype)
    second, first = np.tril_indices(nodes.shape[1])
    given = x[nodes]
    if transposed and rows is not None:
        given[~rows] = 0.0
    for p, (i, j) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        local[:, i] += np.einsum("erc,ec->er", blocks[:, p], given[:, j])
        if i != j:
            local[:, j] += np.einsum("ecr,ec->er", blocks[:, p], given[:, i])
    if rows is not None and not transposed:
        local[~rows] = 0.0
    np.add.at(y, nodes, local)
