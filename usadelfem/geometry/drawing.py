"""Plane shapes of straight lines and arcs, drawn as the part that mirrors make whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Floats = NDArray[np.float64]
Key = tuple[float, ...]

DIGITS = 9  # to which points are the same, in units of the extent of a drawing
STRAIGHT = 1e-6  # angle up to which two lines are one
CONTACT_END = 0.55 * math.pi  # angle beyond which a contact that ends at a free edge makes a singularity
SAMPLES = 12  # points along an axis, where callables are looked at


@dataclass(frozen=True)
class Edge:
    """A line from one point to another, or with a centre the shorter arc around it."""

    start: Point
    end: Point
    centre: Point | None = None

    def mirrored(self, axis: int) -> Edge:
        """The mirror image at the line where coordinate `axis` is 0."""
        centre = None if self.centre is None else _mirrored(self.centre, axis)
        return Edge(_mirrored(self.start, axis), _mirrored(self.end, axis), centre)

    @property
    def radius(self) -> float:
        """That of the arc; infinite for a line."""
        return math.inf if self.centre is None else math.dist(self.start, self.centre)

    def extremes(self) -> list[Point]:
        """Its ends, and points between them where it is the farthest along an axis."""
        found = [self.start, self.end]
        if self.centre is not None:
            ray = np.subtract(self.start, self.centre)
            middle = ray + np.subtract(self.end, self.centre)
            for axis in self.radius * np.vstack([np.eye(2), -np.eye(2)]):
                if axis @ middle > ray @ middle:
                    x, y = np.add(self.centre, axis)
                    found.append((float(x), float(y)))
        return found

    def direction(self, at_end: bool) -> Floats:
        """Unit vector along the edge where it starts or ends."""
        chord = np.subtract(self.end, self.start)
        if self.centre is not None:
            ray = np.subtract(self.end if at_end else self.start, self.centre)
            normal = np.array([-ray[1], ray[0]])
            chord = normal if normal @ chord > 0 else -normal
        return np.asarray(chord / np.linalg.norm(chord))


@dataclass(frozen=True)
class Face:
    """A part of a region, enclosed by edges from end to start, counter-clockwise."""

    region: str
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Mirror:
    """A mirror at the line where coordinate `axis` is 0, and what names become behind it, if others."""

    axis: int
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawing:
    """Faces, named sets of edges, and the mirrors that make the whole of them, one after the other.

    Attributes
    ----------
    faces
        They share edges where they touch: an edge has the same ends in both.
    sets
        Facet sets: name -> edges.
    mirrors
        The lines of symmetry.
    widths
        Region -> its narrowest width.
    """

    faces: tuple[Face, ...]
    sets: Mapping[str, tuple[Edge, ...]]
    mirrors: tuple[Mirror, ...]
    widths: Mapping[str, float]

    def unfolded(self) -> Drawing:
        """The whole, which has no mirrors left."""
        whole = self
        for mirror in self.mirrors:
            faces = [*whole.faces, *(_mirrored_face(face, mirror) for face in whole.faces)]
            sets = dict(whole.sets)
            for name, edges in whole.sets.items():
                image = mirror.names.get(name, name)
                sets[image] = (*sets.get(image, ()), *(edge.mirrored(mirror.axis) for edge in edges))
            widths = {mirror.names.get(name, name): width for name, width in whole.widths.items()}
            whole = Drawing(tuple(faces), sets, (), {**whole.widths, **widths})
        return replace(whole, mirrors=())

    @property
    def extent(self) -> tuple[float, float]:
        """Extent along x and y."""
        points = [point for face in self.faces for edge in face.edges for point in edge.extremes()]
        width, height = np.ptp(np.array(points), axis=0)
        return float(width), float(height)

    @property
    def scale(self) -> float:
        """The larger extent."""
        return max(self.extent)

    def key(self, point: Point) -> Key:
        """The same for points that are the same up to rounding."""
        return tuple(round(x / self.scale, DIGITS) + 0.0 for x in point)

    def edge_key(self, edge: Edge) -> tuple[Key, ...]:
        """The same for an edge and its reverse."""
        ends = sorted((self.key(edge.start), self.key(edge.end)))
        return (*ends, () if edge.centre is None else self.key(edge.centre))

    def points(self, region: str) -> Floats:
        """Points of the box around a region, where coefficients are looked at, (2, points)."""
        corners = np.array([edge.start for face in self.faces if face.region == region for edge in face.edges])
        box = zip(corners.min(axis=0), corners.max(axis=0), strict=True)
        lines = [np.linspace(low, high, SAMPLES) for low, high in box]
        return np.stack(np.meshgrid(*lines)).reshape(2, -1)

    def neighbours(self) -> dict[tuple[Key, ...], frozenset[str]]:
        """The regions at every edge, by its key."""
        found: dict[tuple[Key, ...], frozenset[str]] = {}
        for face in self.faces:
            for edge in face.edges:
                key = self.edge_key(edge)
                found[key] = found.get(key, frozenset()) | {face.region}
        return found

    def tips(self, contacts: tuple[str, ...]) -> set[Key]:
        """Points of a whole drawing where solutions are singular: inner corners, and ends of contacts at flat edges."""
        angles: dict[Key, float] = {}
        for face in self.faces:
            for before, after in zip(face.edges, (*face.edges[1:], face.edges[0]), strict=True):
                key = self.key(after.start)
                angles[key] = angles.get(key, 0.0) + _angle(before, after)
        inner = {key for key, angle in angles.items() if math.pi + STRAIGHT < angle < 2 * math.pi - STRAIGHT}
        edges = [edge for name in contacts for edge in self.sets.get(name, ())]
        ends = [self.key(point) for edge in edges for point in (edge.start, edge.end)]
        flat = {key for key, angle in angles.items() if CONTACT_END < angle < 2 * math.pi - STRAIGHT}
        return inner | {key for key in ends if ends.count(key) == 1 and key in flat}


def outline(*items: Point | tuple[Point, Point]) -> tuple[Edge, ...]:
    """The closed line through points; (centre, point) is reached along an arc."""
    start = at = items[0]
    edges = []
    for item in items[1:]:
        centre, point = item if isinstance(item[0], tuple) else (None, item)
        edges.append(Edge(at, point, centre))  # type: ignore[arg-type]
        at = point
    if at != start:
        edges.append(Edge(at, start))  # type: ignore[arg-type]
    return tuple(edges)


def _mirrored(point: Point, axis: int) -> Point:
    x, y = point
    return (-x + 0.0, y) if axis == 0 else (x, -y + 0.0)


def _mirrored_face(face: Face, mirror: Mirror) -> Face:
    """The image, again counter-clockwise."""
    images = [edge.mirrored(mirror.axis) for edge in face.edges]
    edges = tuple(Edge(edge.end, edge.start, edge.centre) for edge in reversed(images))
    return Face(mirror.names.get(face.region, face.region), edges)


def _angle(before: Edge, after: Edge) -> float:
    """Angle inside of a counter-clockwise face between two edges that follow each other, 0 to 2 pi."""
    back, on = -before.direction(True), after.direction(False)
    return float((math.atan2(back[1], back[0]) - math.atan2(on[1], on[0])) % (2 * math.pi))
