"""Oriented cross-sections: a facet set, the cells on the side that the flux leaves, and its nodes."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import numpy as np
import skfem
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..checks import as_array, shown
from ..device.facets import interface_facets, region_pair
from ..errors import DeviceError, ObservableError
from .locate import Location
from .space import Index, Real, Space, basis_values

Facets = str | tuple[str, str] | ArrayLike


@dataclass(frozen=True, eq=False)
class Section:
    """A facet set with a direction.

    Attributes
    ----------
    facets
        Facet indices.
    behind
        The cell of each facet on the side that the flux leaves, shape (facets,).
    sign
        1, or -1 if the positive direction is opposite to the one from `behind` through the facet.
    separates
        Whether the set separates the cells around it into two sides, so that a consistent flux exists.
    cells
        All cells on the leaving side that touch a node of the set (empty if it does not separate).
    total
        Whether the set is an electrode inside the mesh, into which the flux enters from all sides.
    """

    facets: Index
    behind: Index
    sign: int
    separates: bool
    cells: Index
    total: bool = False

    def facet_points(self, space: Space) -> tuple[Location, Real, Real]:
        """Quadrature points of the facets seen from behind, normals (dim, points) and weights (points,)."""
        basis = _facet_basis(space, self.facets)
        x = np.array(basis.global_coordinates())
        local = np.asarray(space.basis.mapping.invF(x, tind=self.behind))
        phi = basis_values(space.basis.elem, local).reshape(space.cells.shape[1], -1).T
        cells = np.repeat(self.behind, x.shape[2])
        forward = np.where(self.behind == space.mesh.f2t[0, self.facets], self.sign, -self.sign)
        normals = np.broadcast_to(np.array(basis.normals), x.shape) * forward[:, None]
        return Location(cells, space.cells[cells], phi), normals.reshape(space.dim, -1), np.asarray(basis.dx).ravel()


def _facet_basis(space: Space, facets: Index) -> Any:
    return skfem.FacetBasis(space.mesh, space.basis.elem, facets=np.asarray(facets), intorder=2 * space.order)


def node_measure(space: Space, facets: Index) -> Real:
    """Integral of |phi_n| over facets for every node n, shape (nodes,): positive exactly on the nodes of the facets.

    On a barrier the copies of a node on both sides count, ghosts do not.
    """
    measure = np.zeros(space.nodes.shape[1])
    if not len(facets):
        return measure
    phi, dx, _ = facet_basis(space, facets)
    own = np.einsum("fqk,fq->fk", abs(phi), dx)
    nodes = space.facet_corners(facets)[0]
    np.add.at(measure, nodes, own)
    inner = space.mesh.f2t[1, facets] >= 0
    other = space.facet_corners(facets[inner], 1)[0]
    new = other != nodes[inner]
    np.add.at(measure, other[new], own[inner][new])
    return measure


def facet_basis(space: Space, facets: Index) -> tuple[Real, Real, Real]:
    """Basis functions of the nodes of facets (ordered as `Space.facet_corners`) at quadrature points on them, shape
    (facets, points, nodes of a facet); the weights (facets, points); the positions (dim, facets, points).
    """
    basis = _facet_basis(space, facets)
    values = np.array([np.broadcast_to(np.array(f), basis.dx.shape) for f, *_ in basis.basis])
    _, local = space.facet_corners(facets)
    phi = values[local.T, np.arange(len(facets))].transpose(1, 2, 0)
    return np.ascontiguousarray(phi), np.array(basis.dx), np.array(basis.global_coordinates())


def find_section(
    space: Space, facets: Facets, into: str | ArrayLike | None, *, contacts: Container[str] = ()
) -> Section:  # fmt: skip
    """The oriented section of a facet set; parameters and errors as in `Field.through`.

    Facet sets that are `contacts` and have facets inside the mesh are electrodes, whose total current is meant.
    """
    chosen = _facets(space, facets)
    label = f"facet set {facets!r}" if isinstance(facets, str) else "the given facet set"
    indices = np.asarray(chosen, np.int64)
    inside = space.mesh.f2t[1, indices] >= 0
    if isinstance(facets, str) and facets in contacts and inside.any():
        return _electrode(space, indices, into, label)
    if inside.any() and not inside.all():
        raise ObservableError(f"{label} has facets on the boundary of the mesh and inside it; split it in two")
    if inside.all():
        behind, sign = _interior_side(space, chosen, facets, into, label), 1
    else:
        behind, sign = space.mesh.f2t[0, indices].astype(np.int64), _boundary_sign(space, indices, into, label)
    cells = _cells_behind(space, indices, behind)
    exact = cells is not None or bool(np.isin(indices, space.barriers).all())  # a barrier knows what flows through it
    return Section(indices, behind, sign, exact, np.empty(0, np.int64) if cells is None else cells)


def _electrode(space: Space, facets: Index, into: str | ArrayLike | None, label: str) -> Section:
    """A contact inside the mesh with all cells around it; positive is the flux out of them into the contact."""
    sign = 1
    if isinstance(into, str):
        _region_mask(space, into)
        sign = -1
    elif into is not None:
        raise ObservableError(
            f"{label} is a contact inside the mesh, which current enters from all sides: leave out into={into!r} for "
            "its total current, positive out of the device; what crosses a line beside it needs a facet set there"
        )
    around = np.isin(space.cells, np.flatnonzero(node_measure(space, facets))).any(axis=1)
    behind = space.mesh.f2t[0, facets].astype(np.int64)
    return Section(facets, behind, sign, True, np.asarray(np.flatnonzero(around), np.int64), total=True)


def undirected_section(space: Space, facets: Facets) -> Section:
    """A facet set seen from the first cell of each facet, for averages; errors as in `Field.average`."""
    indices = np.asarray(_facets(space, facets), np.int64)
    return Section(indices, space.mesh.f2t[0, indices].astype(np.int64), 1, False, np.empty(0, np.int64))


def _facets(space: Space, facets: Facets) -> NDArray[Any]:
    known = space.mesh.boundaries or {}
    if isinstance(facets, str) and facets in known:
        chosen = np.asanyarray(known[facets])
    elif isinstance(facets, str) or _is_pair(facets):
        try:
            chosen = interface_facets(space.mesh, facets, "section")  # type: ignore[arg-type]
        except DeviceError as error:
            raise ObservableError(str(error)) from error
    else:
        array = as_array(facets)
        if array is None or array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise ObservableError(
                f"facets are {shown(facets)}; allowed are the name of a facet set, a pair of region names, and a "
                "one-dimensional array of facet indices"
            )
        count = space.mesh.facets.shape[1]
        if array.size and not 0 <= array.min() <= array.max() < count:
            raise ObservableError(f"facets are {shown(facets)}; allowed are indices from 0 to {count - 1}")
        chosen = np.asanyarray(facets)
    if not len(chosen):
        raise ObservableError(f"facet set {facets!r} is empty: nothing can flow through it")
    return np.asanyarray(chosen)


def _region_mask(space: Space, region: str) -> NDArray[np.bool_]:
    if region not in space.mesh.subdomains:
        raise ObservableError(f"into={region!r}: no such region; it has: {', '.join(sorted(space.mesh.subdomains))}")
    mask = np.zeros(space.mesh.nelements, bool)
    mask[space.mesh.subdomains[region]] = True
    return mask


def _boundary_sign(space: Space, facets: Index, into: Any, label: str) -> int:
    if into is None:
        return 1
    if isinstance(into, str):
        if not _region_mask(space, into)[space.mesh.f2t[0, facets]].all():
            raise ObservableError(f"{label} is not a boundary of region {into!r}")
        return -1
    along = _projection(space, facets, into)
    if not ((along > 0).all() or (along < 0).all()):
        raise ObservableError(f"{label}: into={into!r} does not point to one side of it")
    return 1 if along[0] > 0 else -1


def _projection(space: Space, facets: Index, direction: ArrayLike) -> Real:
    """Component along a direction of the mean normals out of the first cells of facets."""
    vector = as_array(direction)
    good = vector is not None and vector.shape == (space.dim,) and vector.dtype.kind in "iuf"
    if vector is None or not good or not np.isfinite(vector).all() or not vector.any():
        raise ObservableError(
            f"into={shown(direction)}; allowed is a region name or a vector of {space.dim} components, not all 0"
        )
    normals = np.array(_facet_basis(space, facets).normals)
    return np.asarray(np.einsum("kfq,k->f", normals, vector))


def _interior_side(space: Space, chosen: NDArray[Any], facets: Any, into: Any, label: str) -> Index:
    """The cells that the flux leaves, for a set of interior facets."""
    first, second = space.mesh.f2t[:, np.asarray(chosen, np.int64)].astype(np.int64)
    if into is None and _is_pair(facets):
        into = facets[1]
    elif into is None and isinstance(facets, str):
        into = (region_pair(space.mesh, facets) or (None, None))[1]
    if into is None and hasattr(chosen, "ori"):
        return np.asarray(np.where(np.asarray(chosen.ori) == 0, first, second))
    if into is None:
        known = ", ".join(sorted(space.mesh.subdomains))
        raise ObservableError(f"{label} lies inside the mesh: give into='region' ({known}) or a vector into=(x, ...)")
    if not isinstance(into, str):
        along = _projection(space, np.asarray(chosen, np.int64), into)
        if (along == 0).any():
            raise ObservableError(f"{label}: into={into!r} is parallel to a part of it")
        return np.asarray(np.where(along > 0, first, second))
    mask = _region_mask(space, into)
    if (mask[first] == mask[second]).any():
        raise ObservableError(f"{label} is not a boundary of region {into!r}; give a vector: into=(x, ...)")
    return np.asarray(np.where(mask[first], second, first))


def _is_pair(facets: Any) -> bool:
    return isinstance(facets, tuple) and len(facets) == 2 and all(isinstance(name, str) for name in facets)


def _cells_behind(space: Space, facets: Index, behind: Index) -> Index | None:
    """All cells touching the set on its leaving side; None if the two sides are connected around its end."""
    mesh = space.mesh
    on_set = node_measure(space, facets) > 0
    around = np.flatnonzero(on_set[space.cells].any(axis=1))
    number = np.full(mesh.nelements, -1)
    number[around] = np.arange(len(around))
    crossable = mesh.f2t[1] >= 0
    crossable[facets] = crossable[space.barriers] = False
    first, second = number[mesh.f2t[:, crossable]]
    both = (first >= 0) & (second >= 0)
    edges = (np.ones(both.sum()), (first[both], second[both]))
    _, part = connected_components(coo_array(edges, shape=(len(around),) * 2), directed=False)
    leaving = np.unique(part[number[behind]])
    other = mesh.f2t[:, facets].sum(axis=0) - behind
    arriving = np.unique(part[number[other[mesh.f2t[1, facets] >= 0]]])
    if np.intersect1d(leaving, arriving).size or len(np.union1d(leaving, arriving)) < part.max() + 1:
        return None
    return np.asarray(around[np.isin(part, leaving)], np.int64)
