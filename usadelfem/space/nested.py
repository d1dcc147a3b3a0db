"""Linear elements inside quadratic ones: the coarse space of their multigrid."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .space import Space, basis_values, linear_element


def corner_interpolation(space: Space) -> Any:
    """Values at all nodes of functions that are linear (bilinear, trilinear) in cells, from those at the corners.

    Returns
    -------
    scipy.sparse.csr_array
        Shape (nodes, corners), the corners as in `Space.corners`; rows of ghosts are empty.
    """
    local = basis_values(linear_element(space.mesh), np.array(space.basis.elem.doflocs).T).T
    corner = np.searchsorted(space.corners, space.corner_cells)
    # Every cell of a node says the same; the first one is asked.
    nodes, first = np.unique(space.cells, return_index=True)
    cell, place = np.divmod(first, space.cells.shape[1])
    weights, targets = local[place], corner[cell]
    used = abs(weights) > 1e-12
    rows = np.broadcast_to(nodes[:, None], used.shape)[used]
    shape = space.nodes.shape[1], len(space.corners)
    return csr_array((weights[used], (rows, targets[used])), shape=shape)
