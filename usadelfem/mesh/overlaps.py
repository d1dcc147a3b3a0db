"""Whether a mesh is connected where its parts meet: no doubled, hanging or non-matching nodes, no cells in each other.

Cells are connected by common nodes only. Parts that merely coincide in space are insulated from each other, and a mesh
says nothing about it. What is looked for, in time linear in the number of boundary facets:

- facets of the boundary that lie on other facets of the boundary, wholly or in part;
- facets all of whose nodes are doubled (of curved surfaces, whose facets deviate from each other by the curvature);
- cells of the boundary that overlap with other cells (parts of different curvature, or meshed one over the other).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import ref

import numpy as np
import scipy
import skfem
from numpy.typing import NDArray

Real = NDArray[np.float64]
Index = NDArray[np.int64]

# Distance, in units of the diameter of a facet, up to which points coincide. A gap wider than this is a gap.
CLOSE = 1e-5
# Distance of a facet with doubled nodes from the other one, in units of its diameter: curvature, and no hole.
CURVED = 0.3
# Smallest barycentric coordinate of a point inside a cell; the faces of hexahedra need not be flat.
INSIDE, CURVED_INSIDE = 1e-6, 1e-2
# The same of points of facets, which lie on other facets within CLOSE where parts coincide.
FACET_INSIDE = 2e-5
FLAT = 1e-7  # deviation of a vertex of a face from the plane of the others, in units of its diameter
# Cells around a point that may contain it.
AROUND = {1: 4, 2: 12, 3: 24}
# Largest part of the largest facet up to which facets are searched by size, octave by octave.
OCTAVES = 60

CURE = (
    "Make the mesh anew with common nodes (Gmsh: BooleanFragments in OpenCASCADE, Coherence otherwise); nodes that "
    "match are joined by Gmsh's `Coherence Mesh` or uf.read_mesh(path, merge=distance)."
)

# Points of a facet that are looked for on others, by the number of its vertices; weights of the vertices. Those near
# its ends see facets that lie on each other in a thousandth of their extent.
_LINE = (1e-4, 0.1, 0.35, 0.65, 0.9, 1 - 1e-4)
_EDGE = 1e-3
_SIDE, _OTHER = (_EDGE, 0.24, 0.52, 0.77, 1 - _EDGE), (0.7 * _EDGE, 0.21, 0.49, 0.8, 1 - 0.6 * _EDGE)
_SAMPLES: dict[int, Real] = {
    1: np.ones((1, 1)),
    2: np.array([[1 - s, s] for s in _LINE]),
    3: np.array([[1 / 3, 1 / 3, 1 / 3]] + [
        np.roll([_EDGE, s * (1 - _EDGE), (1 - s) * (1 - _EDGE)], k).tolist() for k in range(3) for s in _SIDE
    ]),
    4: np.array([[(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t] for s in _SIDE for t in _OTHER]),
}  # fmt: skip
# A point of a facet, on no line of symmetry, that is looked for inside cells, by the number of vertices.
_OFF_CENTRE = {1: [1.0], 2: [0.37, 0.63], 3: [0.21, 0.34, 0.45], 4: [0.19, 0.31, 0.27, 0.23]}
# Simplices that a facet or a cell is made of, by type of cell: rows of local vertices.
_HEX = [[0, 7, a, b] for a, b in ((1, 4), (4, 2), (2, 6), (6, 3), (3, 5), (5, 1))]
_CELL_PARTS: dict[type, list[list[int]]] = {
    skfem.MeshLine1: [[0, 1]],
    skfem.MeshTri1: [[0, 1, 2]],
    skfem.MeshQuad1: [[0, 1, 2], [0, 2, 3]],
    skfem.MeshTet1: [[0, 1, 2, 3]],
    skfem.MeshHex1: _HEX,
}
_FACET_PARTS = {1: [[0]], 2: [[0, 1]], 3: [[0, 1, 2]], 4: [[0, 1, 2], [0, 2, 3]]}


_last: dict[str, tuple[Any, Overlap]] = {}  # the last mesh that was examined: the devices of a sweep share theirs


@dataclass(frozen=True)
class Overlap:
    """Places where parts of a mesh meet without common nodes.

    Attributes
    ----------
    facets
        Pairs of facets of the boundary that coincide or overlap, shape (2, pairs).
    inside
        Pairs of cells that overlap, the first one at the boundary, shape (2, pairs).
    """

    facets: Index
    inside: Index


def describe_overlap(mesh: Any, meant: NDArray[np.bool_] | None = None) -> str:
    """Where parts of a mesh meet without common nodes, in words; empty if nowhere but where pairs are `meant`."""
    found = overlaps_of(mesh)
    if found.inside.size:
        one, two = found.inside[:, 0]
        return (
            f"parts of the mesh lie over each other: {len(np.unique(found.inside))} cells overlap, one of region "
            f"{_region(mesh, one)} and one of region {_region(mesh, two)} around "
            f"{_show(mesh.p[:, mesh.t[:, one]].mean(axis=1))}; nothing would pass between them. {CURE}"
        )
    one, two = found.facets if meant is None else found.facets[:, ~meant]
    if not len(one):
        return ""
    names = sorted({_region(mesh, mesh.f2t[0, facet]) for facet in (*one[:50], *two[:50])})
    where = mesh.p[:, mesh.facets[:, one[0]]].mean(axis=1)
    return (
        f"parts of the mesh coincide in space but have no common nodes: {len(np.unique([one, two]))} facets of the "
        f"boundary of region {', '.join(names)}, one of them at {_show(where)}, lie on each other, and nothing would "
        f"pass between them. {CURE} If an insulating cut is meant: name its facets, as in "
        'mesh.with_boundaries({"cut": lambda x: abs(x[0] - 1) < 1e-9}), and give '
        'interfaces={"cut": uf.Tunnel(conductance=0)}'
    )


def overlaps_of(mesh: Any) -> Overlap:
    """`find_overlaps` of a mesh, which is not repeated for the mesh of the last call."""
    known = _last.get("mesh")
    if known is not None and known[0]() is mesh:
        return known[1]
    found = find_overlaps(mesh)
    _last["mesh"] = ref(mesh), found
    return found


def _region(mesh: Any, cell: int) -> str:
    return next((repr(name) for name, cells in mesh.subdomains.items() if cell in cells), "none")


def _show(point: Real) -> str:
    return f"({', '.join(f'{x:.6g}' for x in point)})"


def find_overlaps(mesh: Any) -> Overlap:
    """Where parts of a mesh coincide in space without common nodes; nothing in a mesh that is connected."""
    outer = np.flatnonzero(mesh.f2t[1] < 0).astype(np.int64)
    corners = mesh.facets[:, outer]  # of quadrilaterals, in the order around them
    facets = mesh.p[:, corners].transpose(2, 1, 0)  # (facets, vertices, dim)
    size = _diameter(facets, mesh, outer)
    extent = np.median(np.ptp(mesh.p[:, mesh.t], axis=1), axis=1)
    pairs = np.concatenate([_resting(facets, size, extent), _doubled(facets, size, corners.T)], axis=1)
    # The two surfaces of a layer of one cell, however thin, are connected through it; those of a slit meet at its end.
    layer = _meet(mesh.t[:, mesh.f2t[0, outer[pairs]]]) & ~_meet(corners[:, pairs])
    pairs = pairs[:, ~layer]
    return Overlap(outer[np.unique(np.sort(pairs, axis=0), axis=1)], _inside(mesh, outer, extent))


def _meet(vertices: Index) -> NDArray[np.bool_]:
    """Whether the two of every pair have a vertex in common; vertices (vertices, 2, pairs)."""
    return np.asarray((vertices[:, None, 0] == vertices[None, :, 1]).any(axis=(0, 1)))


def _diameter(facets: Real, mesh: Any, outer: Index) -> Real:
    """Largest distance of two vertices of every facet; of a point, the length of its cell."""
    if facets.shape[1] == 1:
        return np.asarray(abs(np.diff(mesh.p[0][mesh.t[:, mesh.f2t[0, outer]]], axis=0))[0])
    return np.asarray(np.linalg.norm(facets[:, :, None] - facets[:, None], axis=-1).max(axis=(1, 2)))


def _samples(facets: Real) -> Real:
    """Points of the facets, shape (facets, points, dim)."""
    return np.asarray(np.einsum("sv,fvd->fsd", _SAMPLES[facets.shape[1]], facets))


def _resting(facets: Real, size: Real, extent: Real) -> Index:
    """Pairs of a facet and another one that contains one of its points, within CLOSE; shape (2, pairs).

    The search goes by distances in units of the typical extent of cells along each axis, since those of films are flat.
    """
    samples = _samples(facets)
    count, points = samples.shape[1], samples.reshape(-1, facets.shape[2])
    scaled = facets / extent
    centres = scaled.mean(axis=1)
    radius = np.linalg.norm(scaled - centres[:, None], axis=2).max(axis=1)
    radius = 1.01 * np.maximum(radius, CLOSE * size / extent.min())
    tree, found = scipy.spatial.cKDTree(points / extent), [np.empty((2, 0), int)]
    octave = np.minimum(np.floor(np.log2(radius.max(initial=1.0) / radius)), OCTAVES)
    for level in np.unique(octave):
        own = np.flatnonzero(octave == level)
        small = scipy.spatial.cKDTree(centres[own])
        near = small.sparse_distance_matrix(tree, radius[own].max(), output_type="ndarray")
        first, second = near["j"] // count, own[near["i"]]
        other = (first != second) & (near["v"] <= radius[second])
        first, second, x = first[other], second[other], points[near["j"][other]]
        reach = CLOSE * np.minimum(size[first], size[second])
        on = np.zeros(len(first), bool)
        for part in _FACET_PARTS[facets.shape[1]]:
            on |= _lies_on(x, facets[second][:, part], reach)
        found.append(np.array([first[on], second[on]]))
    return np.concatenate(found, axis=1).astype(np.int64)


def _lies_on(x: Real, simplices: Real, reach: Real) -> NDArray[np.bool_]:
    """Whether points (n, dim) lie in the interior of simplices (n, vertices, dim), up to a distance normal to them."""
    edges = (simplices[:, 1:] - simplices[:, :1]).transpose(0, 2, 1)
    offset = x - simplices[:, 0]
    if not edges.shape[2]:
        return np.asarray(np.linalg.norm(offset, axis=1) <= reach)
    local = _solve(np.einsum("ndk,ndl->nkl", edges, edges), np.einsum("ndk,nd->nk", edges, offset))
    height = np.linalg.norm(offset - np.einsum("ndk,nk->nd", edges, local), axis=1)
    return np.asarray((np.minimum(local.min(axis=1), 1 - local.sum(axis=1)) > 1e-9) & (height <= reach))


def _solve(matrix: Real, rhs: Real) -> Real:
    """Solutions of small systems (n, k, k), (n, k); negative, which is outside, where a matrix is singular."""
    singular = abs(np.linalg.det(matrix)) <= 1e-14 * np.prod(np.linalg.norm(matrix, axis=1), axis=1)
    regular = np.where(singular[:, None, None], np.eye(matrix.shape[1]), matrix)
    return np.where(singular[:, None], -1.0, np.linalg.solve(regular, rhs[..., None])[..., 0])


def _doubled(facets: Real, size: Real, corners: Index) -> Index:
    """Pairs of a facet all of whose vertices have a twin, and the facet that lies there; shape (2, pairs)."""
    vertices, index = np.unique(corners, return_inverse=True)
    index = index.reshape(corners.shape)
    points = np.empty((len(vertices), facets.shape[2]))
    points[index.ravel()] = facets.reshape(-1, facets.shape[2])
    least = np.full(len(vertices), np.inf)
    np.minimum.at(least, index.ravel(), np.repeat(size, corners.shape[1]))
    if len(vertices) < 2:
        return np.empty((2, 0), np.int64)
    twin = scipy.spatial.cKDTree(points).query(points, k=2)[0][:, 1] <= CLOSE * least
    chosen = np.flatnonzero(twin[index].all(axis=1))
    if not len(chosen):
        return np.empty((2, 0), np.int64)
    samples = _samples(facets)
    count = samples.shape[1]
    k = min(3 * count, samples.shape[0] * count)
    distance, near = scipy.spatial.cKDTree(samples.reshape(-1, facets.shape[2])).query(facets[chosen].mean(axis=1), k=k)
    foreign = near // count != chosen[:, None]
    distance = np.where(foreign, distance, np.inf)
    best = distance.argmin(axis=1)
    rows = np.arange(len(chosen))
    close = distance[rows, best] <= CURVED * size[chosen]
    return np.array([chosen, near[rows, best] // count])[:, close].astype(np.int64)


def _inside(mesh: Any, outer: Index, extent: Real) -> Index:
    """Cells at the boundary and other cells that contain a point of them: vertices, inside, on a facet; (2, found)."""
    cells = mesh.f2t[0, outer]
    weights = 1.0 + np.arange(len(mesh.t)) / len(mesh.t)  # a point that lies on no line of symmetry
    inner = np.einsum("v,dvc->cd", weights / weights.sum(), mesh.p[:, mesh.t[:, cells]])
    corners, first = np.unique(mesh.facets[:, outer].T, return_index=True)
    on = np.einsum("v,dvf->fd", _OFF_CENTRE[len(mesh.facets)], mesh.p[:, mesh.facets[:, outer]])
    points = np.concatenate([inner, on, mesh.p[:, corners].T])
    vertex = np.concatenate([np.full(len(inner) + len(on), -1), corners])
    owner = np.concatenate([cells, cells, cells[first // len(mesh.facets)]])
    least = np.full(len(points), INSIDE if _is_flat(mesh) else CURVED_INSIDE)
    least[len(inner) : len(inner) + len(on)] = np.maximum(least[0], FACET_INSIDE)
    k = min(AROUND[mesh.dim()], mesh.nelements)
    near = scipy.spatial.cKDTree((mesh.p[:, mesh.t].mean(axis=1).T) / extent).query(points / extent, k=k)[1].ravel()
    row = np.repeat(np.arange(len(points)), k)
    foreign = (near != owner[row]) & (mesh.t[:, near] != vertex[row]).all(axis=0)
    row, near = row[foreign], near[foreign]
    ends, x = mesh.p[:, mesh.t], points.T[:, row]
    boxed = ((x > ends.min(axis=1)[:, near]) & (x < ends.max(axis=1)[:, near])).all(axis=0)
    row, near = row[boxed], near[boxed]
    within = np.zeros(len(row), bool)
    for part in _CELL_PARTS[type(mesh)]:
        simplices = mesh.p[:, mesh.t[part][:, near]].transpose(2, 0, 1)  # (cells, dim, vertices)
        local = _solve(simplices[..., 1:] - simplices[..., :1], points[row] - simplices[..., 0])
        within |= np.minimum(local.min(axis=1), 1 - local.sum(axis=1)) > least[row]
    return np.array([owner[row[within]], near[within]]).astype(np.int64)


def _is_flat(mesh: Any) -> bool:
    """Whether all faces of cells are flat; those of hexahedra may not be."""
    if type(mesh) is not skfem.MeshHex1:
        return True
    first, second, third, fourth = mesh.p[:, mesh.facets].transpose(1, 2, 0)
    normal = np.cross(second - first, third - first)
    size = np.linalg.norm(third - first, axis=1)
    height = abs(((fourth - first) * normal).sum(axis=1)) / np.maximum(np.linalg.norm(normal, axis=1), 1e-300)
    return bool((height <= FLAT * size).all())
