"""Meshes of layered devices: an interval, a rectangle or a box cut into layers along x."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
import skfem
from numpy.typing import NDArray
from skfem.refdom import RefHex

from ..checks import as_number, named, shown
from ..errors import MeshError

Floats = NDArray[np.float64]
Size = float | Mapping[str, float]
M = TypeVar("M", bound=skfem.Mesh)

MANY = 1e7  # cells along one axis that no calculation here is meant for


@named()
def interval(layers: Mapping[str, float], size: Size = 0.1) -> skfem.MeshLine1:
    """A line of layers.

    ``layers`` maps the name of each layer to its length, the first layer starting at x = 0; ``size`` is the largest
    cell length, for all layers or by layer, in the unit of the lengths. Regions are named by layer; facet sets are
    ``left``, ``right`` and the interfaces, ``S_F`` between the layers S and F.

    Raises MeshError if the layers are empty or a length or size is not a positive number.
    """
    ends, x = _grid(layers, size)
    mesh = skfem.MeshLine1(x[None], np.vstack([np.arange(len(x) - 1), np.arange(1, len(x))]))
    return _name(mesh, layers, ends)


@named()
def rectangle(
    layers: Mapping[str, float], width: float = 1.0, size: Size = 0.1, cell: str = "triangle"
) -> skfem.MeshTri1 | skfem.MeshQuad1:
    """A rectangle 0 < y < width of layers along x.

    ``layers`` and ``size`` as in `interval`; along y the size is the smallest of the layers. ``cell`` is "quad" or
    "triangle"; triangles are quadrilaterals of the given size cut along both diagonals, so the mesh has the mirror
    symmetries of the rectangle. Facet sets are those of `interval` and ``bottom`` (y = 0) and ``top`` (y = width).

    Raises MeshError as `interval`, and if the width is not a positive number or the cell is not known.
    """
    _check_cell(cell, ("triangle", "quad"))
    ends, x = _grid(layers, size)
    y = _transverse("width", width, size)
    quads = skfem.MeshQuad1.init_tensor(x, y)
    mesh: skfem.MeshTri1 | skfem.MeshQuad1 = quads if cell == "quad" else quads.to_meshtri(style="x")
    return _name(mesh, layers, ends, {"bottom": (1, 0.0), "top": (1, y[-1])})


@named()
def box(
    layers: Mapping[str, float],
    width: float = 1.0,
    height: float = 1.0,
    size: Size = 0.25,
    cell: str = "tetrahedron",
) -> skfem.MeshTet1 | skfem.MeshHex1:
    """A box 0 < y < width, 0 < z < height of layers along x.

    ``layers`` and ``size`` as in `interval`; along y and z the size is the smallest of the layers. ``cell`` is
    "hexahedron" or "tetrahedron"; a hexahedron of the given size is cut into 24 tetrahedra through its centre and those
    of its faces, so the mesh has the mirror symmetries of the box. Facet sets are those of `interval` and ``front``
    (y = 0), ``back`` (y = width), ``bottom`` (z = 0) and ``top`` (z = height).

    Raises MeshError as `interval`, and if width or height is not a positive number or the cell is not known.
    """
    _check_cell(cell, ("tetrahedron", "hexahedron"))
    ends, x = _grid(layers, size)
    y, z = _transverse("width", width, size), _transverse("height", height, size)
    mesh = skfem.MeshHex1.init_tensor(x, y, z)
    sides = {"front": (1, 0.0), "back": (1, y[-1]), "bottom": (2, 0.0), "top": (2, z[-1])}
    return _name(mesh if cell == "hexahedron" else split_hexahedra(mesh), layers, ends, sides)


def _check_cell(cell: str, allowed: tuple[str, ...]) -> None:
    if not isinstance(cell, str) or cell not in allowed:
        raise MeshError(f"unknown cell {shown(cell)}; use one of {', '.join(map(repr, allowed))}")


def _positive(what: str, value: object) -> float:
    found = as_number(value)
    if found is None or not 0 < found < math.inf:
        raise MeshError(f"{what} is {shown(value)}; it must be a positive number")
    return found


def _check_layers(layers: Mapping[str, float], size: Size) -> None:
    if not isinstance(layers, Mapping):
        raise MeshError(f'layers is a {type(layers).__name__}; use a dict, as {{"S": 4.0, "F": 1.0}}')
    if not layers or not all(isinstance(name, str) and name for name in layers):
        raise MeshError(f"layers has the names {shown(list(layers))}; give at least one layer, each named by a string")
    if isinstance(size, Mapping) and set(size) != set(layers):
        raise MeshError(
            f"size names {shown(list(size))}; it must name each of the layers {shown(list(layers))}, or be a number"
        )
    interfaces = _interfaces(layers)
    if len(set(interfaces)) < len(interfaces):
        raise MeshError(f"two interfaces have the same name in {interfaces}; rename a layer")


def _interfaces(layers: Mapping[str, float]) -> list[str]:
    return [f"{one}_{two}" for one, two in pairwise(layers)]


def _grid(layers: Mapping[str, float], size: Size) -> tuple[Floats, Floats]:
    """The ends of the layers, (n_layers + 1,), and the nodes along x, which contain them exactly."""
    _check_layers(layers, size)
    lengths = [_positive(f"length of layer {name!r}", value) for name, value in layers.items()]
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    parts = [
        np.linspace(start, stop, _count(length, _size_of(size, name)) + 1)
        for name, length, (start, stop) in zip(layers, lengths, pairwise(ends), strict=True)
    ]
    return ends, np.concatenate([ends[:1], *(part[1:] for part in parts)])


def _transverse(what: str, length: float, size: Size) -> Floats:
    step = min(_size_of(size, name) for name in size) if isinstance(size, Mapping) else _size_of(size, "")
    length = _positive(what, length)
    return np.linspace(0.0, length, _count(length, step) + 1)


def _size_of(size: Size, name: str) -> float:
    return _positive(f"size of layer {name!r}", size[name]) if isinstance(size, Mapping) else _positive("size", size)


def _count(length: float, size: float) -> int:
    count = length / size
    if count > MANY:
        raise MeshError(
            f"a length of {length:g} in cells of size {size:g} is {count:.3g} cells, more than {MANY:g}: give a larger "
            "size, or the lengths in the unit that the size is in"
        )
    return max(1, math.ceil(count - 1e-9))


def split_hexahedra(mesh: skfem.MeshHex1) -> skfem.MeshTet1:
    """24 tetrahedra for each hexahedron, of its centre, the centre of a face and an edge of that face."""
    n_vertices, n_facets = mesh.p.shape[1], mesh.facets.shape[1]
    points = np.hstack([mesh.p, mesh.p[:, mesh.facets].mean(axis=1), mesh.p[:, mesh.t].mean(axis=1)])
    centre = n_vertices + n_facets + np.arange(mesh.t.shape[1])
    cells = [
        np.vstack([mesh.t[face[k - 1]], mesh.t[face[k]], n_vertices + mesh.t2f[i], centre])
        for i, face in enumerate(RefHex.facets or [])
        for k in range(4)
    ]
    return skfem.MeshTet1(points, np.hstack(cells))


def _name(
    mesh: M, layers: Mapping[str, float], ends: Floats, sides: Mapping[str, tuple[int, float]] | None = None
) -> M:
    """Add the regions, and the facet sets at the ``ends`` along x and at the ``sides``, (axis, coordinate) by name."""
    layer = np.searchsorted(ends, mesh.p[0][mesh.t].mean(axis=0)) - 1
    planes = dict(zip(["left", *_interfaces(layers), "right"], ((0, x) for x in ends), strict=True)) | dict(sides or {})
    return replace(
        mesh,
        _subdomains={name: np.flatnonzero(layer == k) for k, name in enumerate(layers)},
        _boundaries={
            name: np.flatnonzero(np.all(mesh.p[axis][mesh.facets] == at, axis=0)) for name, (axis, at) in planes.items()
        },
    )
