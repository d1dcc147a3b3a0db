"""Drawings meshed by Gmsh, mirrored, and drawn out into the third dimension."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import MeshError
from ..mesh.gmsh_model import from_gmsh
from ..mesh.gmsh_session import gmsh_model
from .drawing import Drawing, Edge, Key
from .extrude import extruded
from .grading import GROWTH
from .mirror import mirrored
from .sizes import CellSize

CURVED = 0.125  # size of cells at arcs in units of the radius
ACROSS = 0.25  # largest cells in units of the width of a region
SAMPLING = 2.0  # points that Gmsh measures distances to, per cell along an edge


@dataclass(frozen=True, eq=False)
class Sketch:
    """A drawing and how it is meshed.

    Attributes
    ----------
    drawing
        The part that mirrors make whole.
    symmetric
        Whether the mesh has the mirrors of the drawing.
    height
        Extent along z; None: a plane mesh.
    """

    drawing: Drawing
    symmetric: bool
    height: float | None = None

    @property
    def dim(self) -> int:
        """Dimension of space."""
        return 2 if self.height is None else 3

    @property
    def extent(self) -> tuple[float, ...]:
        """Extent along every axis."""
        plane = self.drawing.unfolded().extent
        return plane if self.height is None else (*plane, self.height)

    @property
    def sides(self) -> tuple[str, ...]:
        """Names of the facet sets besides interfaces."""
        return (*self.drawing.unfolded().sets, *(() if self.height is None else ("bottom", "top")))

    @property
    def pairs(self) -> set[frozenset[str]]:
        """Pairs of regions that touch."""
        return {regions for regions in self.drawing.unfolded().neighbours().values() if len(regions) == 2}

    def points(self, region: str) -> Any:
        """Points around a region where coefficients are looked at, (dim, points)."""
        plane = self.drawing.unfolded().points(region)
        return plane if self.height is None else np.vstack([plane, np.full(plane.shape[1], 0.5 * self.height)])

    def mesh(self, sizes: Mapping[str, CellSize], contacts: tuple[str, ...]) -> Any:
        """The mesh with its facet sets, and regions in the order of the sizes; MeshError without Gmsh."""
        whole = self.drawing.unfolded()
        part = self.drawing if self.symmetric else whole
        bounded = {name: size.below(ACROSS * whole.widths.get(name, math.inf)) for name, size in sizes.items()}
        mesh = _triangulated(part, whole, bounded, contacts)
        for mirror in part.mirrors:
            mesh = mirrored(mesh, mirror.axis, mirror.names)
        if self.height is not None:
            step = min(size.largest for size in sizes.values())
            mesh = extruded(mesh, self.height, max(1, math.ceil(self.height / step - 1e-9)), self.symmetric)
        return mesh


def _triangulated(part: Drawing, whole: Drawing, sizes: Mapping[str, CellSize], contacts: tuple[str, ...]) -> Any:
    """Gmsh's triangles of a part of the whole drawing, in the units of the drawing."""
    with gmsh_model() as gmsh:
        try:
            model = _Model(gmsh, part, whole)
            model.draw()
            model.grade(sizes, contacts)
            gmsh.model.mesh.generate(2)
        except MeshError:
            raise
        except Exception as error:  # Gmsh raises nothing more special
            raise MeshError(f"Gmsh cannot mesh the shape: {error}") from error
        return from_gmsh(gmsh.model).scaled(whole.scale)


class _Model:
    """A part of a drawing in the current Gmsh model, in units of its extent: tolerances of Gmsh are absolute."""

    def __init__(self, gmsh: Any, part: Drawing, whole: Drawing) -> None:
        self.gmsh, self.part, self.whole, self.scale = gmsh, part, whole, whole.scale
        self.points: dict[Key, int] = {}
        self.curves: dict[tuple[Key, ...], tuple[int, Edge]] = {}
        self.faces: dict[str, list[int]] = {}
        self.fields: list[int] = []

    def draw(self) -> None:
        """Points, curves, surfaces and physical groups."""
        geo, model = self.gmsh.model.geo, self.gmsh.model
        for face in self.part.faces:
            loop = geo.addCurveLoop([self._curve(edge) for edge in face.edges])
            self.faces.setdefault(face.region, []).append(geo.addPlaneSurface([loop]))
        geo.synchronize()
        for region, tags in self.faces.items():
            model.addPhysicalGroup(2, tags, name=region)
        for name, edges in self.part.sets.items():
            model.addPhysicalGroup(1, [self.curves[self.whole.edge_key(edge)][0] for edge in edges], name=name)

    def grade(self, sizes: Mapping[str, CellSize], contacts: tuple[str, ...]) -> None:
        """Sizes that grow from interfaces, contacts, arcs and singular points."""
        whole = self.whole
        for region, size in sizes.items():
            if region in self.faces:
                self._add(region, size.largest, size, [], [])
        beside, curves, points = whole.neighbours(), defaultdict(list), defaultdict(list)
        ends = {whole.edge_key(edge) for name in contacts for edge in whole.sets.get(name, ())}
        for key, (tag, edge) in self.curves.items():
            regions = beside[whole.edge_key(edge)]
            near = min(sizes[name].near for name in regions) if len(regions) > 1 or key in ends else math.inf
            near = min(near, CURVED * edge.radius)
            if near < math.inf:
                curves[near].append(tag)
        for tip in whole.tips(contacts) & set(self.points):
            near = min(sizes[name].tip for edge, names in beside.items() if tip in edge[:2] for name in names)
            points[near].append(self.points[tip])
        for near, tags in curves.items():
            self._around(near, sizes, tags, [])
        for near, tags in points.items():
            self._around(near, sizes, [], tags)
        field = self.gmsh.model.mesh.field
        least = field.add("Min")
        field.setNumbers(least, "FieldsList", self.fields)
        field.setAsBackgroundMesh(least)

    def _around(self, near: float, sizes: Mapping[str, CellSize], curves: list[int], points: list[int]) -> None:
        for region, size in sizes.items():
            if region in self.faces and near < size.largest:
                self._add(region, near, size, curves, points)

    def _add(self, region: str, near: float, size: CellSize, curves: list[int], points: list[int]) -> None:
        """In a region: a size, growing from what is near up to its largest."""
        field = self.gmsh.model.mesh.field
        if curves or points:
            distance = field.add("Distance")
            field.setNumbers(distance, "CurvesList", curves)
            field.setNumbers(distance, "PointsList", points)
            field.setNumber(distance, "Sampling", self._sampling(curves, near))
            value = field.add("Threshold")
            field.setNumber(value, "InField", distance)
            field.setNumber(value, "SizeMin", near / self.scale)
            field.setNumber(value, "SizeMax", size.largest / self.scale)
            field.setNumber(value, "DistMin", 0.0)
            field.setNumber(value, "DistMax", (size.largest - near) / GROWTH / self.scale)
        else:
            value = field.add("MathEval")
            field.setString(value, "F", repr(size.largest / self.scale))
        only = field.add("Restrict")
        field.setNumber(only, "InField", value)
        field.setNumbers(only, "SurfacesList", self.faces[region])
        self.fields.append(only)

    def _sampling(self, curves: list[int], near: float) -> int:
        lengths = [math.dist(edge.start, edge.end) for tag, edge in self.curves.values() if tag in curves]
        return max(20, math.ceil(SAMPLING * max(lengths, default=0.0) / near))

    def _point(self, at: tuple[float, float]) -> int:
        key = self.whole.key(at)
        if key not in self.points:
            x, y = at
            self.points[key] = self.gmsh.model.geo.addPoint(x / self.scale, y / self.scale, 0.0)
        return self.points[key]

    def _curve(self, edge: Edge) -> int:
        """The tag of the curve, negative for its reverse."""
        key = self.whole.edge_key(edge)
        if key not in self.curves:
            start, end = self._point(edge.start), self._point(edge.end)
            geo = self.gmsh.model.geo
            if edge.centre is None:
                tag = geo.addLine(start, end)
            else:
                x, y = edge.centre
                tag = geo.addCircleArc(start, geo.addPoint(x / self.scale, y / self.scale, 0.0), end)
            self.curves[key] = (tag, edge)
        tag, drawn = self.curves[key]
        return int(tag if self.whole.key(drawn.start) == self.whole.key(edge.start) else -tag)
