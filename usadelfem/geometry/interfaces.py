"""Facets between regions, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def interface_names(pairs: Iterable[Iterable[str]], names: Sequence[str]) -> list[str]:
    """Names of the facets between regions, each pair and all of them in the order of the names."""
    numbers = sorted(sorted(names.index(name) for name in pair) for pair in pairs)
    return [f"{names[one]}_{names[two]}" for one, two in numbers]


def interface_facets(mesh: Any) -> dict[str, NDArray[np.int64]]:
    """The facets between every two regions that touch."""
    names = list(mesh.subdomains)
    region = np.full(mesh.nelements, -1)
    for k, name in enumerate(names):
        region[mesh.subdomains[name]] = k
    inner = np.flatnonzero(mesh.f2t[1] >= 0)
    pairs = np.sort(region[mesh.f2t[:, inner]], axis=0)
    found = {}
    for one, two in np.unique(pairs[:, pairs[0] != pairs[1]], axis=1).T:
        own = (pairs[0] == one) & (pairs[1] == two)
        found[f"{names[one]}_{names[two]}"] = inner[own]
    return found
