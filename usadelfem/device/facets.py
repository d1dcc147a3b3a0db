"""Facets of a mesh by what is between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DeviceError


def interface_facets(mesh: Any, key: str | tuple[str, str], what: str = "interface") -> NDArray[np.int64]:
    """Facets of a facet set, or of the boundary between two regions, given as a pair or as a name like S_F.

    Raises
    ------
    DeviceError
        If there is no such facet set or region, or the regions do not touch.
    """
    boundaries, regions = mesh.boundaries or {}, mesh.subdomains or {}
    if isinstance(key, str) and key in boundaries:
        return np.unique(np.asarray(boundaries[key], np.int64))
    pair = region_pair(mesh, key) if isinstance(key, str) else key
    if pair is None and isinstance(key, str):
        known = ", ".join(sorted(boundaries)) or "none"
        raise DeviceError(f"{what}: no facet set {key!r}; it has: {known}")
    two = isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(name, str) for name in pair)
    if not isinstance(pair, tuple) or not two or pair[0] == pair[1]:
        raise DeviceError(f"{what} {key!r}: allowed are the name of a facet set and a pair of two regions")
    masks = []
    for region in pair:
        if region not in regions:
            raise DeviceError(f"{what} {key!r}: no region {region!r}; it has: {', '.join(sorted(regions))}")
        masks.append(np.zeros(mesh.nelements, bool))
        masks[-1][regions[region]] = True
    first, second = mesh.f2t
    inner = second >= 0
    between = (masks[0][first] & masks[1][second]) | (masks[1][first] & masks[0][second])
    facets = np.flatnonzero(between & inner)
    if not len(facets):
        raise DeviceError(f"{what} {key!r}: the regions {pair[0]!r} and {pair[1]!r} do not touch")
    return facets.astype(np.int64)


def region_pair(mesh: Any, name: str) -> tuple[str, str] | None:
    """The regions A and B of a name A_B, None if there are no such regions."""
    regions = mesh.subdomains or {}
    for region in regions:
        if name.startswith(f"{region}_") and name[len(region) + 1 :] in regions:
            return region, name[len(region) + 1 :]
    return None
