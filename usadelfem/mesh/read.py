"""Meshes with named regions and named facet sets, read from a file or checked as the user built them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import skfem

from ..checks import file_path, named
from ..errors import MeshError, warn
from .cell_types import straightened
from .facets import find_rows, row_ids
from .merge import join_nodes
from .msh import Block, Floats, Ints, MeshFile, read_mesh_file
from .overlaps import describe_overlap

MESH_TYPES: dict[str, type[skfem.Mesh]] = {
    "line": skfem.MeshLine1,
    "triangle": skfem.MeshTri1,
    "quad": skfem.MeshQuad1,
    "tetra": skfem.MeshTet1,
    "hexahedron": skfem.MeshHex1,
}
FACET_TYPES = {"line": "vertex", "triangle": "line", "quad": "line", "tetra": "triangle", "hexahedron": "quad"}

# vertex k of a scikit-fem cell is vertex ORDER[k] of a Gmsh cell; FLIP mirrors a Gmsh cell
ORDER = {"hexahedron": [0, 4, 3, 1, 7, 5, 2, 6]}
FLIP = {"quad": [0, 3, 2, 1], "hexahedron": [4, 5, 6, 7, 0, 1, 2, 3]}

FLATNESS = 1e-9
DEGENERATE = 1e-12


@named()
def read_mesh(path: str | os.PathLike[str], *, merge: float | None = None) -> skfem.Mesh:
    """Read a mesh with its regions (``mesh.subdomains``) and facet sets (``mesh.boundaries``).

    The file is a Gmsh ``.msh`` (2.2 or 4.1, ASCII or binary) or of any other format of meshio. The physical groups of
    the highest dimension are the regions, those of one dimension less the facet sets, which may lie inside the domain;
    a group without a name is called by its number. Of other formats these are: groups of MED; element sets of Abaqus
    (.inp); the references of Medit (.mesh), by number; the markers of SU2, whose cells make one region "domain"; in
    VTK, VTU and XDMF the numbers in an integer array over the cells, named "gmsh:physical", "region", ...

    Of quadratic cells with straight edges, as Gmsh makes on request and `write_vtk` writes, the corners are taken.

    Coordinates keep the unit of the file. A 2D mesh must lie in a plane z = const and a 1D mesh on a line y = z =
    const. Groups of still lower dimension are dropped with a UserWarning, and so are periodic links.

    ``merge`` is a distance, in the unit of the file: nodes that are closer become one, so that parts that were meshed
    apart with matching nodes are connected; facet sets of both sides keep their names. None joins nothing.

    Returns a MeshLine1, MeshTri1, MeshQuad1, MeshTet1 or MeshHex1. Raises FileNotFoundError; and MeshError if the file
    is damaged, has no regions, mixes cell types, has curved cells, is not flat, has degenerate cells, cells
    outside all regions, empty groups, or named facets which are not facets of the mesh; with ``merge`` also if that is
    not a positive number, is longer than the edge of a cell, or leaves parts that overlap or have nodes
    which do not match.
    """
    path = file_path("path", path)
    content = read_mesh_file(path)
    try:
        return convert(content) if merge is None else _merged(content, merge)
    except MeshError as error:
        raise MeshError(f"mesh file {path}: {error}") from error


def _merged(content: MeshFile, distance: float) -> skfem.Mesh:
    mesh = convert(join_nodes(content, distance))
    complaint = describe_overlap(mesh)
    if complaint:
        raise MeshError(f"with merge={distance:g}, {complaint}")
    return mesh


def check_mesh(mesh: skfem.Mesh) -> None:
    """Raise MeshError unless the mesh is of first order, of a supported cell type, and has named regions."""
    if type(mesh) not in MESH_TYPES.values():
        allowed = ", ".join(kind.__name__ for kind in MESH_TYPES.values())
        raise MeshError(f"a mesh of type {type(mesh).__name__} is not supported; use one of {allowed}")
    if not mesh.subdomains:
        raise MeshError(
            "the mesh has no named regions; add them with "
            'mesh = mesh.with_subdomains({"F": lambda x: x[0] > 0}), x being the cell midpoints'
        )


def freeze_mesh(mesh: skfem.Mesh) -> None:
    """Give a mesh read-only copies of its arrays, so that it cannot change behind the device that is made of it."""
    fields = vars(mesh)
    for name in ("doflocs", "t"):
        if fields[name].flags.writeable:
            object.__setattr__(mesh, name, _frozen(fields[name]))
    for name in ("_subdomains", "_boundaries"):
        sets = fields.get(name)
        if sets and any(own.flags.writeable for own in sets.values() if isinstance(own, np.ndarray)):
            object.__setattr__(mesh, name, {key: _frozen(own) for key, own in sets.items()})


def _frozen(array: np.ndarray) -> np.ndarray:
    own = array.copy()
    own.flags.writeable = False
    return own


def convert(content: MeshFile) -> skfem.Mesh:
    """The mesh of what a file holds, with the names of its groups; MeshError as `read_mesh`."""
    content = replace(content, blocks=tuple(_straight(block, content.points) for block in content.blocks))
    kind = _cell_type(content.blocks)
    dim = max(block.dim for block in content.blocks)
    cells, regions = _join(content.blocks, kind)
    facets, facet_sets = _join(content.blocks, FACET_TYPES[kind])
    _check_groups(content, dim, regions, facet_sets)
    _check_regions(dim, len(cells), regions, content.lacks)
    used, cells = _renumber(cells)
    mesh = _build(kind, _flatten(content.points[used], dim), cells)
    rows = find_rows(np.sort(used[mesh.facets.T], axis=1), np.sort(facets, axis=1))
    boundaries = {name: _facets_of(name, rows[own]) for name, own in facet_sets.items()}
    return replace(mesh, _subdomains=regions, _boundaries=boundaries)


def _straight(block: Block, points: Floats) -> Block:
    kind, nodes = straightened(block.kind, block.nodes, points)
    return replace(block, kind=kind, nodes=nodes)


def _cell_type(blocks: tuple[Block, ...]) -> str:
    """The one cell type of the highest dimension."""
    filled = [block for block in blocks if len(block.nodes)]
    dim = max((block.dim for block in filled), default=0)
    kinds = sorted({block.kind for block in filled if block.dim == dim})
    if dim == 0:
        raise MeshError("it has no cells; mesh the geometry before saving it")
    if any(kind.rstrip("0123456789") != kind for kind in kinds):
        raise MeshError(
            f"cells of type {', '.join(kinds)} are of higher order and curved; save it with straight first-order "
            "cells (in Gmsh Mesh.ElementOrder = 1)"
        )
    if len(kinds) > 1:
        cure = ", in Gmsh by Mesh.RecombineAll = 0 or Mesh.SubdivisionAlgorithm = 1" if dim == 2 else ""
        raise MeshError(f"it mixes cells of types {', '.join(kinds)}; all cells must be of one type{cure}")
    if kinds[0] not in MESH_TYPES:
        raise MeshError(f"cells of type {kinds[0]} are not supported; use one of {', '.join(MESH_TYPES)}")
    return kinds[0]


def _join(blocks: tuple[Block, ...], kind: str) -> tuple[Ints, dict[str, Ints]]:
    """All elements of a type, (n, k), each once and in the order of the file, and the rows of each group, sorted."""
    own = [block for block in blocks if block.kind == kind and len(block.nodes)]
    if not own:
        return np.zeros((0, 1), dtype=np.int64), {}
    nodes = np.concatenate([block.nodes for block in own])
    _, first, number = np.unique(row_ids(np.sort(nodes, axis=1)), return_index=True, return_inverse=True)
    kept, rank = np.unique(first, return_inverse=True)
    number = rank[number]
    groups: dict[str, Ints] = {}
    for start, block in zip(np.cumsum([0] + [len(block.nodes) for block in own]), own, strict=False):
        for name, rows in block.groups.items():
            groups[name] = np.union1d(groups.get(name, rows[:0]), number[start + rows])
    return nodes[kept], {name: groups[name] for name in sorted(groups) if len(groups[name])}


def _check_groups(content: MeshFile, dim: int, regions: Iterable[str], facet_sets: Iterable[str]) -> None:
    """No group of the file may vanish without a word."""
    found = {(dim, name) for name in regions} | {(dim - 1, name) for name in facet_sets}
    for group_dim, name in sorted(content.declared - found):
        if group_dim >= dim - 1:
            raise MeshError(
                f"physical group {name!r} of dimension {group_dim} has no elements, while the cells have dimension "
                f"{dim}; check its entities, that the mesh has the right dimension, and that Mesh.SaveAll is 0"
            )
    low = {name for block in content.blocks if block.dim < dim - 1 for name in block.groups}
    if low:
        warn(
            f"physical groups {', '.join(sorted(low))} are dropped: only groups of dimension {dim} (regions) and "
            f"{dim - 1} (facet sets) are used"
        )


def _check_regions(dim: int, n_cells: int, regions: Mapping[str, Ints], lacks: str) -> None:
    group = {1: "Curve", 2: "Surface", 3: "Volume"}[dim]
    add = f'add for example `Physical {group}("F") = {{1}};` to the .geo file and mesh it again'
    if not regions and lacks:
        raise MeshError(f"it has no regions: {lacks}")
    if lacks:
        add = "put them into a group too, or save it as .msh (Gmsh 4.1 or 2.2) with physical groups"
    if not regions:
        raise MeshError(f"it has no named regions (physical groups of dimension {dim}); {add}")
    covered = np.zeros(n_cells, dtype=bool)
    covered[np.concatenate(list(regions.values()))] = True
    if not covered.all():
        raise MeshError(f"{np.sum(~covered)} of {n_cells} cells are in no region; {add}")


def _renumber(cells: Ints) -> tuple[Ints, Ints]:
    """The nodes that the cells use, and the cells in their numbering."""
    used, numbered = np.unique(cells, return_inverse=True)
    return used, numbered.reshape(cells.shape)


def _flatten(points: Floats, dim: int) -> Floats:
    """Drop the constant coordinates: (n, 3) to (dim, n)."""
    extent = np.ptp(points, axis=0)
    if np.any(extent[dim:] > FLATNESS * extent.max()):
        place = {1: "on a line y = const, z = const", 2: "in a plane z = const"}[dim]
        raise MeshError(f"a mesh of dimension {dim} must lie {place}, but it extends over {extent.tolist()} in x, y, z")
    return np.ascontiguousarray(points[:, :dim].T)


def _build(kind: str, points: Floats, cells: Ints) -> skfem.Mesh:
    """The mesh of ``points`` (dim, n) and ``cells`` (n_cells, k), quadrilaterals and hexahedra turned positive."""
    mesh = _make(kind, points, cells)
    volumes = _corner_volumes(mesh)
    sign = np.where(volumes.sum(axis=1) < 0, -1, 1)[:, None]
    size = np.ptp(points[:, cells], axis=2).max(axis=0)
    bad = np.min(sign * volumes, axis=1) <= DEGENERATE * size ** len(points)
    if bad.any():
        raise MeshError(f"{bad.sum()} of {len(cells)} cells are degenerate: without volume, or folded")
    if kind in FLIP and np.any(sign < 0):
        return _make(kind, points, np.where(sign < 0, cells[:, FLIP[kind]], cells))
    return mesh


def _make(kind: str, points: Floats, cells: Ints) -> skfem.Mesh:
    return MESH_TYPES[kind](points, np.ascontiguousarray(cells[:, ORDER.get(kind, slice(None))].T))


def _corner_volumes(mesh: skfem.Mesh) -> Floats:
    """The Jacobian determinant of each cell at each of its corners, (n_cells, n_corners)."""
    mapping = mesh.mapping()
    with np.errstate(divide="ignore", invalid="ignore"):  # the mapping also inverts, which a flat cell forbids
        return np.asarray(mapping.detDF(mesh.elem.refdom.p), dtype=np.float64)


def _facets_of(name: str, facets: Ints) -> Ints:
    missing = np.sum(facets < 0)
    if missing:
        raise MeshError(
            f"{missing} of {len(facets)} elements of the facet set {name!r} are not facets of the cells; "
            "embed the entity in the domain (Gmsh: BooleanFragments, or `Curve{1} In Surface{1};`)"
        )
    return np.sort(facets)
