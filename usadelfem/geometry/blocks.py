"""Shapes made of blocks between planes: intervals, rectangles and boxes, with tensor-product meshes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray

from ..checks import choice, shown
from ..errors import MeshError
from ..frozen import FrozenRecord, freeze
from ..mesh.layers import split_hexahedra
from .arguments import optional
from .grading import graded
from .sizes import CellSize

Floats = NDArray[np.float64]
CELLS = {1: ("line",), 2: ("triangle", "quad"), 3: ("tetrahedron", "hexahedron")}
SIDES = {1: ((),), 2: ((), ("bottom", "top")), 3: ((), ("front", "back"), ("bottom", "top"))}
ACROSS = 4  # least number of cells across a film
SAMPLES = 5  # points along an axis of a block, where callables are looked at


@dataclass(frozen=True)
class Side:
    """A part of a plane: numbers of axis and plane, and of other axes the numbers of the segments, if not all."""

    axis: int
    plane: int
    within: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Blocks(FrozenRecord):
    """Blocks of regions between planes.

    Attributes
    ----------
    planes
        For every axis the coordinates of the planes, rising.
    regions
        Region name of every block, or "" where there is none; an object array, a dimension for every axis.
    sides
        Facet sets: name -> parts of planes.
    cell
        Type of the cells, one of CELLS.
    film
        Axis along which nothing is expected to vary, so that one cell may do; None: none.
    uniform
        Whether nothing varies across a film of layers either, so that two cells do.
    idle
        Whether solutions need not vary across a film of layers, as they do where spin-orbit coupling sends spins there.
    """

    planes: tuple[Floats, ...]
    regions: NDArray[Any]
    sides: Mapping[str, tuple[Side, ...]]
    cell: str
    film: int | None = None
    uniform: bool = False
    idle: bool = True

    def __post_init__(self) -> None:
        freeze((*self.planes, self.regions))

    @property
    def dim(self) -> int:
        """Dimension of space."""
        return len(self.planes)

    @property
    def extent(self) -> tuple[float, ...]:
        """Extent along every axis."""
        return tuple(float(np.ptp(own)) for own in self.planes)

    @property
    def pairs(self) -> set[frozenset[str]]:
        """Pairs of regions that touch."""
        found = set()
        for axis in range(self.dim):
            for one, two in pairwise(self._slabs(axis)):
                found |= {frozenset(pair) for pair in zip(one, two, strict=True) if all(pair) and pair[0] != pair[1]}
        return found

    def points(self, region: str) -> Floats:
        """Points of a region where coefficients are looked at, (dim, points)."""
        inner = (np.arange(SAMPLES) + 0.5) / SAMPLES
        parts = []
        for block in np.argwhere(self.regions == region):
            lines = [own[k] + (own[k + 1] - own[k]) * inner for own, k in zip(self.planes, block, strict=True)]
            parts.append(np.stack(np.meshgrid(*lines, indexing="ij")).reshape(self.dim, -1))
        return np.concatenate(parts, axis=1)

    def mesh(self, sizes: Mapping[str, CellSize], contacts: tuple[str, ...]) -> Any:
        """The mesh with its regions and facet sets; at `contacts` cells are as small as at interfaces."""
        axes = [self._nodes(axis, sizes, contacts) for axis in range(self.dim)]
        kind = (skfem.MeshLine1, skfem.MeshQuad1, skfem.MeshHex1)[self.dim - 1]
        mesh = kind.init_tensor(*axes)
        full = self._region_of(mesh) != ""
        if not full.all():
            mesh = mesh.restrict(np.flatnonzero(full))
        if self.cell == "triangle":
            mesh = mesh.to_meshtri(style="x")
        elif self.cell == "tetrahedron":
            mesh = split_hexahedra(mesh)
        region = self._region_of(mesh)
        regions = {name: np.flatnonzero(region == name) for name in sizes}
        sides = {name: self._facets(mesh, parts) for name, parts in self.sides.items()}
        return replace(mesh, _subdomains=regions, _boundaries=sides)

    def _slabs(self, axis: int) -> NDArray[Any]:
        """Regions of the blocks between every two planes of an axis, (segments, blocks)."""
        return np.moveaxis(self.regions, axis, 0).reshape(len(self.planes[axis]) - 1, -1)

    def _segment(self, axis: int, x: Floats) -> NDArray[np.int64]:
        return np.clip(np.searchsorted(self.planes[axis], x) - 1, 0, len(self.planes[axis]) - 2)

    def _region_of(self, mesh: Any) -> NDArray[Any]:
        centre = mesh.p[:, mesh.t].mean(axis=1)
        return np.asarray(self.regions[tuple(self._segment(axis, x) for axis, x in enumerate(centre))])

    def _facets(self, mesh: Any, parts: tuple[Side, ...]) -> NDArray[np.int64]:
        corners = mesh.p[:, mesh.facets]
        centre = corners.mean(axis=1)
        found = np.zeros(mesh.facets.shape[1], bool)
        for part in parts:
            own = np.all(corners[part.axis] == self.planes[part.axis][part.plane], axis=0)
            for axis, segments in part.within.items():
                own &= np.isin(self._segment(axis, centre[axis]), segments)
            found |= own
        return np.flatnonzero(found)

    def _nodes(self, axis: int, sizes: Mapping[str, CellSize], contacts: tuple[str, ...]) -> Floats:
        """Nodes along an axis, which contain its planes exactly."""
        planes, slabs = self.planes[axis], self._slabs(axis)
        lengths = np.diff(planes)
        least = 1 if axis == self.film else 2
        if self._is_idle(axis, contacts):
            step = max(size.inside for size in sizes.values())
            least = 1 if axis == self.film else 2 if self.uniform else ACROSS
            count = least if self.uniform else max(least, math.ceil(lengths[0] / step - 1e-9))
            return np.linspace(planes[0], planes[1], count + 1)
        own = [[sizes[name] for name in dict.fromkeys(slab) if name] for slab in slabs]
        largest = [min((size.largest for size in slab), default=math.inf) for slab in own]
        ends = [
            min(self._size_at(axis, k, sizes, contacts), *lengths[max(k - 1, 0) : k + 1] / least)
            for k in range(len(planes))
        ]
        parts = [planes[k] + graded(lengths[k], ends[k], ends[k + 1], largest[k], least) for k in range(len(lengths))]
        return np.concatenate([*(part[:-1] for part in parts), planes[-1:]])

    def _size_at(self, axis: int, plane: int, sizes: Mapping[str, CellSize], contacts: tuple[str, ...]) -> float:
        """Size of the cells at a plane: small where something happens there."""
        slabs = self._slabs(axis)
        empty = np.full_like(slabs[0], "")
        one = slabs[plane - 1] if plane else empty
        two = slabs[plane] if plane < len(slabs) else empty
        pairs = list(zip(one, two, strict=True))
        beside = [sizes[name] for pair in pairs for name in pair if name]
        if any(one and two and one != two for one, two in pairs) or self._touched(axis, plane, contacts):
            return min(size.near for size in beside)
        through = any(one and two for one, two in pairs)
        if through and any(bool(one) != bool(two) for one, two in pairs):
            return min(size.corner for size in beside)
        return min(size.largest for size in beside)

    def _touched(self, axis: int, plane: int, contacts: tuple[str, ...]) -> bool:
        parts = [part for name in contacts for part in self.sides.get(name, ())]
        return any(part.axis == axis and part.plane == plane for part in parts)

    def _is_idle(self, axis: int, contacts: tuple[str, ...]) -> bool:
        """Whether a solution need not vary along an axis: across a film without steps or contacts at its sides."""
        busy = any(self._touched(axis, k, contacts) for k in (0, 1))
        return self.idle and self.dim > 1 and len(self.planes[axis]) == 2 and not busy


def checked_cell(cell: str | None, dim: int) -> str:
    """The type of cells for a dimension; None: simplices. MeshError for one that does not fit."""
    return CELLS[dim][0] if cell is None else choice("cell", cell, CELLS[dim], error=MeshError)


def outer_sides(
    dim: int, counts: tuple[int, ...], ends: tuple[str, str] = ("left", "right")
) -> dict[str, tuple[Side, ...]]:
    """The outer planes by name; counts are the numbers of planes along the axes."""
    names = (ends, *SIDES[dim][1:])
    return {
        name: (Side(axis, plane),)
        for axis in range(dim)
        for name, plane in zip(names[axis], (0, counts[axis] - 1), strict=True)
    }


def film(
    planes: tuple[Floats, ...], regions: NDArray[Any], sides: Mapping[str, tuple[Side, ...]] | None,
    height: float | None, cell: str | None,
) -> Blocks:  # fmt: skip
    """Blocks of a film, drawn out to a height if there is one; sides are by default the outer planes.

    In the plane they are called left, right, bottom and top. With a height bottom and top are what lies below and above
    the film, and the sides along y are called front and back.
    """
    tall = optional("height", height)
    dim = len(planes)
    if tall is None:
        own = outer_sides(dim, tuple(map(len, planes))) if sides is None else sides
        return Blocks(planes, regions, own, checked_cell(cell, dim))
    if dim == 1:
        raise MeshError(f"height is {shown(height)} without a width; give width= too")
    planes = (*planes, np.array([0.0, tall]))
    own = outer_sides(3, tuple(map(len, planes)))
    if sides is not None:
        own = {**sides, **{name: own[name] for name in ("bottom", "top")}}
    return Blocks(planes, regions[..., None], own, checked_cell(cell, 3), film=2)
