"""Symmetric matrices of dense blocks, one for every pair of coupled nodes, as the upper triangle of the assembly.

Values are those of the upper-triangular CSR matrix in the unknowns, block rows by `pointer` (nodes + 1) and `columns`;
each row of nodes starts with its diagonal block, of which only the upper triangle is stored. Row r of the blocks of
node i starts at `b b pointer[i] - b (b - 1) / 2 i + r b L - r (r + 1) / 2` for L blocks of b unknowns, so that no copy
is needed. `unit` is a tuple of b ones of the type of the values, whose length the compiler then knows.
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula, kernel


@kernel("sparse matrices")
def subtract_product(unit: Any, pointer: Any, columns: Any, values: Any, x: Any, y: Any) -> None:
    """Subtract the matrix times x (nodes, b) from y."""
    b = len(unit)
    for i in range(len(pointer) - 1):
        first, count = pointer[i], pointer[i + 1] - pointer[i]
        base = b * b * first - b * (b - 1) // 2 * i
        for r in range(b):
            start = base + r * b * count - r * (r + 1) // 2
            xr = x[i, r]
            total = values[start + r] * xr
            for c in range(r + 1, b):
                total += values[start + c] * x[i, c]
                y[i, c] -= values[start + c] * xr
            for k in range(1, count):
                j, here = columns[first + k], start + b * k
                for c in range(b):
                    total += values[here + c] * x[j, c]
                    y[j, c] -= values[here + c] * xr
            y[i, r] -= total


@kernel("sparse matrices")
def diagonal_blocks(unit: Any, pointer: Any, values: Any, blocks: Any) -> None:
    """Copy the diagonal blocks to (nodes, b, b)."""
    b = len(unit)
    for i in range(len(pointer) - 1):
        count = pointer[i + 1] - pointer[i]
        base = b * b * pointer[i] - b * (b - 1) // 2 * i
        for r in range(b):
            start = base + r * b * count - r * (r + 1) // 2
            for c in range(r, b):
                blocks[i, r, c] = blocks[i, c, r] = values[start + c]


@kernel("sparse matrices")
def fill_dense(unit: Any, pointer: Any, columns: Any, values: Any, dense: Any) -> None:
    """Copy the matrix to a dense one of (nodes, b, nodes, b) that is zero."""
    b = len(unit)
    for i in range(len(pointer) - 1):
        count = pointer[i + 1] - pointer[i]
        base = b * b * pointer[i] - b * (b - 1) // 2 * i
        for k in range(count):
            j = columns[pointer[i] + k]
            for r in range(b):
                start = base + r * b * count - r * (r + 1) // 2 + b * k
                for c in range(r if k == 0 else 0, b):
                    dense[i, r, j, c] = dense[j, c, i, r] = values[start + c]


@kernel("sparse matrices")
def strengths(
    unit: Any, pointer: Any, columns: Any, values: Any, scale: Any, like: Any, size: Any, parts: Any
) -> None:  # fmt: skip
    """The part of every block along the diagonal blocks of its two nodes: a scalar matrix, upper triangle.

    `like` are the diagonal blocks of S A S, with the `scale` S (nodes, b), divided by their Frobenius norms `size`.
    """
    b = len(unit)
    for i in range(len(pointer) - 1):
        count = pointer[i + 1] - pointer[i]
        base = b * b * pointer[i] - b * (b - 1) // 2 * i
        parts[pointer[i]] = size[i]
        for k in range(1, count):
            j = columns[pointer[i] + k]
            total = 0.0
            for r in range(b):
                start = base + r * b * count - r * (r + 1) // 2 + b * k
                for c in range(b):
                    value = values[start + c] * scale[i, r] * scale[j, c]
                    along = like[i, r, c] + like[j, r, c]
                    total += 0.5 * (value.real * along.real + value.imag * along.imag)
            parts[pointer[i] + k] = total


@formula
def add_block(
    unit: Any, pattern: Any, one: int, two: int, weight: float, block: Any, values: Any
) -> None:  # fmt: skip
    """Add a block of U to that of two nodes in U + U^T."""
    b = len(unit)
    pointer, columns = pattern
    i, j = min(one, two), max(one, two)
    low, high = pointer[i], pointer[i + 1]
    count = high - low
    base = b * b * low - b * (b - 1) // 2 * i
    while high - low > 1:
        middle = (low + high) // 2
        if columns[middle] <= j:
            low = middle
        else:
            high = middle
    k = low - pointer[i]
    for r in range(b):
        start = base + r * b * count - r * (r + 1) // 2 + b * k
        if one == two:
            for c in range(r, b):
                values[start + c] += weight * (block[r, c] + block[c, r])
        elif one < two:
            for c in range(b):
                values[start + c] += weight * block[r, c]
        else:
            for c in range(b):
                values[start + c] += weight * block[c, r]


@kernel("sparse matrices")
def galerkin(
    unit: Any, pattern: Any, values: Any, scale: Any, prolongation: Any, coarse: Any, out: Any, place: Any, row: Any
) -> None:  # fmt: skip
    """Add P^T S A S P to the values `out` of a coarse matrix, with the `scale` S (nodes, b) and P for nodes.

    `pattern` and `coarse` hold pointers and columns, `prolongation` indptr, indices and values of P. `place` (coarse
    nodes) of -1 and `row` (m, b, b) are scratch space, m the most coarse nodes that a row of A P reaches.
    """
    b = len(unit)
    pointer, columns = pattern
    starts, targets, weights = prolongation
    for i in range(len(pointer) - 1):
        first, count = pointer[i], pointer[i + 1] - pointer[i]
        base = b * b * first - b * (b - 1) // 2 * i
        used = 0
        for k in range(count):  # a row of U P, where A = U + U^T
            j = columns[first + k]
            for n in range(starts[j], starts[j + 1]):
                if place[targets[n]] < 0:
                    place[targets[n]] = used
                    row[used] = 0
                    used += 1
                slot = place[targets[n]]
                for r in range(b):
                    start = base + r * b * count - r * (r + 1) // 2 + b * k
                    weight = weights[n] * scale[i, r]
                    if k > 0:
                        for c in range(b):
                            row[slot, r, c] += weight * scale[j, c] * values[start + c]
                    else:
                        row[slot, r, r] += 0.5 * weight * scale[j, r] * values[start + r]
                        for c in range(r + 1, b):
                            row[slot, r, c] += weight * scale[j, c] * values[start + c]
        for k in range(count):
            j = columns[first + k]
            for n in range(starts[j], starts[j + 1]):
                slot = place[targets[n]]
                if slot < 0:
                    continue  # seen before
                for m in range(starts[i], starts[i + 1]):
                    add_block(unit, coarse, targets[m], targets[n], weights[m], row[slot], out)
                place[targets[n]] = -1


@kernel("sparse matrices")
def smooth_step(unit: Any, inverses: Any, residual: Any, old: float, new: float, step: Any, x: Any) -> None:
    """step = old step + new B r with the blocks B (nodes, b, b) and the residual r; x += step."""
    b = len(unit)
    for i in range(len(residual)):
        for r in range(b):
            total = 0 * residual[i, r]
            for c in range(b):
                total += inverses[i, r, c] * residual[i, c]
            step[i, r] = old * step[i, r] + new * total
            x[i, r] += step[i, r]
