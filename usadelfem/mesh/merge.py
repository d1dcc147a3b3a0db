"""Nodes of a mesh file that lie at the same place become one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import scipy  # which loads its parts when they are named
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import MeshError
from .msh import Ints, MeshFile


def join_nodes(content: MeshFile, distance: float) -> MeshFile:
    """The mesh with all nodes that are closer than a distance joined; a chain of close nodes is one node.

    Raises MeshError if the distance is not a positive number, or nodes of one element would be joined.
    """
    number = isinstance(distance, int | float | np.number) and not isinstance(distance, bool | np.complexfloating)
    if not number or not 0 < distance < math.inf:
        raise MeshError(f"merge is {distance!r}; allowed are None and a positive number, a distance in the file's unit")
    used = np.unique(np.concatenate([block.nodes.ravel() for block in content.blocks] + [np.empty(0, np.int64)]))
    pairs = scipy.spatial.cKDTree(content.points[used]).query_pairs(distance, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(used), len(used)))
    _, cluster = connected_components(graph, directed=False)
    first = np.unique(cluster, return_index=True)[1]
    number_of = np.arange(len(content.points))
    number_of[used] = used[first[cluster]]
    blocks = tuple(replace(block, nodes=number_of[block.nodes]) for block in content.blocks)
    collapsed = sum(_collapsed(block.nodes) for block in blocks)
    if collapsed:
        raise MeshError(
            f"merge={distance:g} joins nodes of the same element, of {collapsed} elements; choose a distance well "
            f"below the shortest edge, {_shortest_edge(content):.3g}"
        )
    return replace(content, blocks=blocks)


def _collapsed(nodes: Ints) -> int:
    """Number of elements (n, k) that have a node twice."""
    return int((np.diff(np.sort(nodes, axis=1), axis=1) == 0).any(axis=1).sum())


def _shortest_edge(content: MeshFile) -> float:
    """Smallest distance of two nodes of an element."""
    lengths = []
    for block in content.blocks:
        first, second = np.triu_indices(block.nodes.shape[1], 1)
        if len(first) and len(block.nodes):
            ends = content.points[block.nodes]
            lengths.append(np.linalg.norm(ends[:, first] - ends[:, second], axis=2).min())
    return float(min(lengths, default=0.0))
