"""Conduction of a device in the normal state, barriers included: the matrix of div sigma grad, and its electrodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..device.device import Device
from .junctions import Junctions, barrier_contacts
from .scalar import scalar_matrix
from .space import Index, Real, Space


def conduction_matrix(space: Space, conductivity: Real, junctions: Junctions) -> Any:
    """The matrix of Int sigma grad u grad v + Int dS G_T [u] [v] in CSR form; conductivity (cells, points)."""
    local = np.einsum("cq,cqik,cqjk->cij", conductivity * space.dx, *[physical_gradients(space)] * 2)
    phi = np.concatenate([junctions.phi, -junctions.phi], axis=-1)
    barrier = np.einsum("fq,fqi,fqj->fij", junctions.normal_conductance * junctions.dx, phi, phi)
    count = len(space.nodes[0])
    return scalar_matrix(space.cells, local, count) + scalar_matrix(junctions.nodes, barrier, count)


def physical_gradients(space: Space) -> Real:
    """Gradients of the local basis functions, shape (cells, points, local nodes, dim)."""
    inverse = np.broadcast_to(space.inverse, (*space.dx.shape, space.dim, space.dim))
    return np.asarray(np.einsum("qim,cqmk->cqik", space.dphi, inverse))


def electrode(device: Device, space: Space, name: str) -> Index:
    """The nodes of a contact that are in the reservoir: the far side of a barrier where the contact has one."""
    behind = barrier_contacts(device)
    if name in behind:
        return space.ghosts[len(space.ghosts) - len(behind) + behind.index(name)][1]
    return space.facet_nodes(np.asarray(space.mesh.boundaries[name], np.int64))
