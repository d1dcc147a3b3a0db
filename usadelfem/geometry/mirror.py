"""Meshes joined with their mirror images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..mesh.facets import facets_of

ON = 1e-9  # distance from the mirror that is none, in units of the extent

Ints = NDArray[np.int64]


def mirrored(mesh: Any, axis: int, names: Mapping[str, str]) -> Any:
    """Triangles and their images behind the line where a coordinate is 0, which share the nodes on it.

    Nodes are symmetric bit for bit. Regions and facet sets keep their names, or have others behind the mirror.
    """
    p = mesh.p.copy()
    on = abs(p[axis]) <= ON * np.ptp(p, axis=1).max()
    p[axis, on] = 0.0
    image = np.where(on, np.arange(p.shape[1]), p.shape[1] + np.cumsum(~on) - 1)
    reflected = p[:, ~on].copy()
    reflected[axis] *= -1
    whole = type(mesh)(np.hstack([p, reflected]), np.hstack([mesh.t, image[mesh.t]]))
    regions: dict[str, Ints] = {}
    for name, cells in mesh.subdomains.items():
        for own, shift in ((name, 0), (names.get(name, name), mesh.nelements)):
            regions[own] = np.union1d(regions.get(own, np.empty(0, np.int64)), cells + shift)
    corners: dict[str, list[Ints]] = {}
    for name, facets in (mesh.boundaries or {}).items():
        ends = mesh.facets[:, facets]
        corners.setdefault(name, []).append(ends)
        corners.setdefault(names.get(name, name), []).append(image[ends])
    sets = {name: facets_of(whole, np.hstack(parts)) for name, parts in corners.items()}
    return replace(whole, _subdomains=regions, _boundaries=sets)
