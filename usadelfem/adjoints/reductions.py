"""What a field is reduced to, as weights of its values at the quadrature points or at other points."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..fields.traced import Part
from ..space.locate import Location
from ..space.recover import recovery_weights
from ..space.space import Space

Real = NDArray[np.float64]


class Sample(NamedTuple):
    """Points at which exact values count: the nodes around them, basis functions (points, local), weights (points,)."""

    nodes: NDArray[np.int64]
    phi: Real
    weights: Real


def entry_of(part: Part) -> tuple[int, int | None]:
    """The number of the component that a part belongs to, and of the point where it was reduced to values at points."""
    if part.reduction[0] == "at":
        count = len(part.reduction[1].cells)
        return part.place // count, part.place % count
    return part.place, None


def point_weights(part: Part, space: Space, regions: tuple[str, ...], point: int | None) -> Real:
    """The part as weights of the values at the quadrature points, shape (cells, points), natural."""
    name = part.reduction[0]
    if name == "integral":
        weights, region = np.zeros(space.dx.shape), part.reduction[1]
        cells: Any = slice(None) if region is None else np.asarray(space.mesh.subdomains[region])
        weights[cells] = space.dx[cells]
        return weights
    places, share = _places(part, point)
    return recovery_weights(space, regions, places, share)


def samples(part: Part, space: Space, point: int | None) -> Sample:
    """The part as weights of exact values at points."""
    if part.reduction[0] == "integral":
        region = part.reduction[1]
        cells = np.arange(len(space.cells)) if region is None else np.asarray(space.mesh.subdomains[region], np.int64)
        points = len(space.phi)
        return Sample(
            np.repeat(space.cells[cells], points, axis=0), np.tile(space.phi, (len(cells), 1)), space.dx[cells].ravel()
        )  # fmt: skip
    places, share = _places(part, point)
    return Sample(np.asarray(places.nodes), np.asarray(places.phi), share)


def _places(part: Part, point: int | None) -> tuple[Location, Real]:
    location = part.reduction[1]
    if part.reduction[0] == "average":
        return location, np.asarray(part.reduction[2])
    one = slice(point, None if point is None else point + 1)
    return Location(location.cells[one], location.nodes[one], location.phi[one]), np.ones(1)
