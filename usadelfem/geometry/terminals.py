"""Leads around a disc or a polygon."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from ..checks import choice, integer
from ..device.material import Material
from ..errors import MeshError
from .arguments import lengths, materials_of
from .discs import ORIGIN, half_angle, sketch
from .drawing import Drawing, Edge, Face, Mirror, Point
from .geometry import Geometry


def multi_terminal(
    *, terminals: int, radius: float, lead_width: float, lead: float, shape: str = "disc",
    height: float | None = None, thickness: float | None = None, symmetric: bool = False, **materials: Material,
) -> Geometry:  # fmt: skip
    """Leads around the origin, the first one along x and the others counter-clockwise at equal angles.

    ``multi_terminal(S=nb, N=cu, terminals=3, radius=200, lead_width=100, lead=400)`` has the regions ``S_1``, ``S_2``,
    ``S_3`` and ``N`` and the terminals ``lead_1``, ``lead_2``, ``lead_3``; with one material there is one region. Gmsh
    makes the mesh.

    Parameters
    ----------
    terminals
        Number of leads, from 2 on, from 3 on around a polygon.
    radius
        Radius of the disc in the middle, or distance of the sides of the polygon from its centre.
    lead_width, lead
        Width and length of every lead.
    shape
        "disc", or "polygon": a regular one with a lead on each of its sides.
    height, thickness, symmetric
        As of `disc`; the mirror of a symmetric mesh is the axis of the first lead.
    **materials
        Two materials by name, first that of the leads, then that of the middle; or one for all.

    Raises
    ------
    MeshError
        As `disc`, and if the leads find no room beside each other.
    DeviceError, TypeError
        As `disc`.
    """
    (outer, metal), *rest = materials_of("multi_terminal", materials, 1, 2, example="multi_terminal(S=nb, N=cu, ...)")
    polygon = choice("shape", shape, ("disc", "polygon"), error=MeshError) == "polygon"
    count = integer("terminals", terminals, least=3 if polygon else 2, error=MeshError)
    r, wide, reach = lengths(radius=radius, lead_width=lead_width, lead=lead)
    room = 2 * r * (math.tan(math.pi / count) if polygon else math.sin(min(math.pi / count, 0.49 * math.pi)))
    if wide >= 0.999 * room:
        raise MeshError(f"{count} leads of width {wide:g} find no room: lead_width must be less than {room:.4g}")
    names = [f"{outer}_{k + 1}" for k in range(count)] if rest else [outer] * count
    middle, core = rest[0] if rest else (outer, metal)
    star = _Star(count, r, wide, reach, polygon)
    ends = [f"lead_{k + 1}" for k in range(count)]
    images = {one[k]: one[-k % count] for one in (names, ends) for k in range(count)}
    drawing = Drawing(
        (*(Face(names[k], star.lead(k)) for k in star.upper), Face(middle, star.middle())),
        {ends[k]: (star.end(k),) for k in star.upper}, (Mirror(1, images),),
        {**dict.fromkeys(names, wide), middle: wide},
    )  # fmt: skip
    regions = dict.fromkeys(names, metal) | {middle: core}
    labels = dict.fromkeys(names, outer) | {middle: middle}
    return Geometry(
        kind="multi_terminal", shape=sketch(drawing, symmetric, height), materials=regions, labels=labels,
        terminals=dict(zip(ends, names, strict=True)), thickness=thickness,
    )  # fmt: skip


class _Star:
    """The upper half, y > 0, of leads around a disc or a polygon; those on its edge are halves."""

    def __init__(self, count: int, radius: float, width: float, reach: float, polygon: bool) -> None:
        self.count, self.radius, self.half, self.polygon = count, radius, 0.5 * width, polygon
        self.far = radius + reach
        self.root = radius if polygon else radius * math.cos(half_angle(width, radius))
        self.upper = range(count // 2 + 1)

    def lead(self, k: int) -> tuple[Edge, ...]:
        """The outline of a lead, whose last edges are its root."""
        low, high = self._span(k)
        points = [self._point(k, self.root, low), self._point(k, self.far, low), self._point(k, self.far, high)]
        points += [self._point(k, self.root, high)]
        if low == 0:
            points[0] = self._axis(k)
        if high == 0:
            points[3] = self._axis(k)
        return (*(Edge(*pair) for pair in pairwise(points)), *self._root(points[3], points[0]))

    def end(self, k: int) -> Edge:
        """The outer end of a lead."""
        low, high = self._span(k)
        return Edge(self._point(k, self.far, low), self._point(k, self.far, high))

    def middle(self) -> tuple[Edge, ...]:
        """The outline of the middle, from the positive axis counter-clockwise."""
        edges = list(self._around())
        return (*edges, Edge(edges[-1].end, edges[0].start))

    def _around(self) -> Iterator[Edge]:
        for k in self.upper:
            root = self.lead(k)[3]
            yield Edge(root.end, root.start, root.centre)
            at = root.start
            last = k == self.upper[-1]
            if last and self.count % 2 == 0:
                return
            turn = (2 * k + 1) * math.pi / self.count
            corner = self.radius / math.cos(math.pi / self.count)
            corner_point = (-corner if last else corner * math.cos(turn), 0.0 if last else corner * math.sin(turn))
            if self.polygon:
                yield Edge(at, corner_point)
                at = corner_point
            if last and self.polygon:
                return
            following = (-self.radius, 0.0) if last else self.lead(k + 1)[0].start
            yield Edge(at, following, None if self.polygon else ORIGIN)

    def _span(self, k: int) -> tuple[float, float]:
        """Where a lead begins and ends across its axis."""
        return (0.0 if k == 0 else -self.half), (0.0 if 2 * k == self.count else self.half)

    def _axis(self, k: int) -> Point:
        """Where the axis of a half lead meets the middle."""
        return (self.radius if k == 0 else -self.radius), 0.0

    def _root(self, start: Point, end: Point) -> tuple[Edge, ...]:
        return (Edge(start, end, None if self.polygon else ORIGIN),)

    def _point(self, k: int, along: float, across: float) -> Point:
        """A point by its coordinates along and across the axis of a lead, in the sense of rotation."""
        if k == 0 or 2 * k == self.count:  # without rounding errors on the axis
            sign = 1.0 if k == 0 else -1.0
            return sign * along, sign * across + 0.0
        turn = 2 * math.pi * k / self.count
        cosine, sine = math.cos(turn), math.sin(turn)
        return along * cosine - across * sine, along * sine + across * cosine
