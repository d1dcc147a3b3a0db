"""Facets found by their vertices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .msh import Ints


def row_ids(rows: Ints) -> Ints:
    """A number for each row of an (n, k) array, the same for equal rows."""
    order = np.lexsort(rows.T)
    ids = np.zeros(len(rows), dtype=np.int64)
    ids[order[1:]] = np.cumsum(np.any(np.diff(rows[order], axis=0), axis=1))
    return ids


def find_rows(table: Ints, rows: Ints) -> Ints:
    """The index in ``table`` (n, k) of each of ``rows`` (m, k), or -1."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    ids = row_ids(np.concatenate([table, rows]))
    index = np.full(len(ids), -1)
    index[ids[: len(table)]] = np.arange(len(table))
    return index[ids[len(table) :]]


def facets_of(mesh: Any, corners: Ints) -> Ints:
    """The facets of a mesh with given vertices (vertices, n), sorted and each once; -1 for what is no facet."""
    return np.unique(find_rows(np.sort(mesh.facets.T, axis=1), np.sort(corners.T, axis=1)))
