"""Pictures of two-dimensional meshes: colours, arrows and lines of flow, regions and contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from .colours import colour_scale, region_colour
from .extra import load
from .maps import WIDE, colour_bar

Real = NDArray[np.float64]
Index = NDArray[np.int64]
STILL = 1e-3  # of the largest vector: lines of flow end where there is less
SHORT = 0.03  # of the longest arrow: shorter ones are not drawn
ROOMY = 0.8  # of the largest distance from the edge: where a name may stand


def draw_colours(
    ax: Any, points: Real, pieces: Index, values: Real, label: str, *, cyclic: bool = False, scale: float = 0.0,
    **options: Any,
) -> Any:  # fmt: skip
    """Draw values that are known in every cell by itself, so that they jump where the data does; with a colour bar.

    Parameters
    ----------
    ax
        Matplotlib axes.
    points
        Positions in the cells, shape (2, cells, points).
    pieces
        Triangles of a cell by its points, shape (triangles, 3).
    values
        Real values, shape (cells, points); triangles with a NaN stay blank.
    label
        Of the colour bar.
    cyclic
        Whether values are phases.
    scale
        Size of the whole quantity, see `colour_scale`.
    options
        For `tripcolor`.
    """
    cells, count = values.shape
    triangles = (count * np.arange(cells)[:, None, None] + pieces).reshape(-1, 3)
    flat = values.ravel()
    known = np.isfinite(flat[triangles]).all(axis=1)
    colours = {"shading": "gouraud", **colour_scale(flat, cyclic=cyclic, scale=scale), **options}
    x, y = points.reshape(2, -1)
    if not known.any():  # matplotlib draws no empty triangulation
        triangles, known = triangles[:1], np.array([True])
    shown = load("matplotlib.tri").Triangulation(x, y, triangles[known])
    drawn = ax.tripcolor(shown, np.where(np.isfinite(flat), flat, 0.0), **colours)
    width, height = np.ptp(points.reshape(2, -1), axis=1)
    colour_bar(ax, drawn, label, cyclic, width / height)
    return drawn


def draw_arrows(ax: Any, points: Real, vectors: Real) -> Any:
    """Arrows at points (2, n), the longest as long as the distance between them.

    Those of vectors (2, n) that are much smaller would be dots, and are left out.
    """
    length = np.hypot(*vectors)
    top = np.nanmax(length, initial=0.0)
    kept = length > SHORT * top
    if not kept.any():
        return None
    step = _spacing(points)
    return ax.quiver(
        *points[:, kept], *vectors[:, kept], angles="xy", scale_units="xy", scale=top / (0.95 * step), pivot="mid",
        color="black", edgecolor="white", linewidth=0.3, width=0.09 * step, units="xy", minlength=0,
    )  # fmt: skip


def _spacing(points: Real) -> float:
    """The distance of points that lie on a regular grid."""
    steps = [np.diff(np.unique(np.round(row, 12))) for row in points]
    found = [float(step.min()) for step in steps if len(step)]
    return min(found) if found else 1.0


def draw_lines(ax: Any, x: Real, y: Real, vectors: Real) -> Any:
    """Lines of flow of vectors (2, y, x) on a regular grid, NaN outside of the mesh; thick where much flows."""
    length = np.hypot(*vectors)
    top = np.nanmax(length, initial=0.0)
    if not top > 0:
        return None
    vectors = np.where(length > STILL * top, vectors, np.nan)
    width = 0.3 + 1.4 * np.nan_to_num(length / top)
    sides = np.array([np.ptp(x), np.ptp(y)])
    density = tuple(np.maximum(sides / sides.max(), 0.1))
    return ax.streamplot(
        x, y, *np.ma.masked_invalid(vectors), color="black", linewidth=width, arrowsize=0.7, density=density
    )  # fmt: skip


def draw_outlines(ax: Any, mesh: Any, regions: Mapping[str, Any], *, names: bool = True) -> None:
    """Outlines of the regions and their names."""
    collections, effects = load("matplotlib.collections"), load("matplotlib.patheffects")
    edges = outline(mesh, regions)
    segments = mesh.p[:, mesh.facets[:, edges]].transpose(2, 1, 0)
    lines = collections.LineCollection(segments, colors="black", linewidths=0.8, capstyle="round")
    ax.add_collection(lines)
    if not names or len(regions) < 2:
        return
    for region, cells in regions.items():
        ax.annotate(
            region, name_place(mesh, np.asarray(cells)), ha="center", va="center", fontsize="small",
            zorder=5, path_effects=[effects.withStroke(linewidth=2.5, foreground="white", alpha=0.8)],
        )  # fmt: skip


def outline(mesh: Any, regions: Mapping[str, Any]) -> Index:
    """Facets at which regions end."""
    number = np.full(mesh.nelements + 1, -1)  # the last one stands for what lies outside
    for k, cells in enumerate(regions.values()):
        number[np.asarray(cells)] = k
    return np.flatnonzero(number[mesh.f2t[0]] != number[mesh.f2t[1]])


def name_place(mesh: Any, cells: Index) -> tuple[float, float]:
    """A point of a region with room for its name: far from its edge, and near its middle."""
    centres = mesh.p[:, mesh.t[:, cells]].mean(axis=1)
    inside = np.zeros(mesh.nelements + 1, bool)
    inside[cells] = True
    edge = np.flatnonzero(inside[mesh.f2t[0]] != inside[np.where(mesh.f2t[1] < 0, -1, mesh.f2t[1])])
    edges = scipy.spatial.cKDTree(mesh.p[:, mesh.facets[:, edge]].mean(axis=1).T)
    distance, middle = edges.query(centres.T)[0], centres.mean(axis=1)
    _, nearest = scipy.spatial.cKDTree(mesh.p[:, mesh.t].mean(axis=1).T).query(middle)
    if inside[nearest] and edges.query(middle)[0] >= ROOMY * distance.max():
        return float(middle[0]), float(middle[1])
    roomy = np.flatnonzero(distance >= ROOMY * distance.max())
    away = np.hypot(*(centres[:, roomy] - middle[:, None]))
    x, y = centres[:, roomy[np.argmin(away)]]
    return float(x), float(y)


def draw_mesh(ax: Any, mesh: Any, regions: Mapping[str, Any]) -> None:
    """The cells, each region in its colour."""
    collections = load("matplotlib.collections")
    for k, cells in enumerate(regions.values()):
        corners = mesh.p[:, mesh.t[:, np.asarray(cells)]].transpose(2, 1, 0)
        filled = collections.PolyCollection(
            corners, facecolors=region_colour(k), edgecolors="#00000030", linewidths=0.4
        )
        ax.add_collection(filled)


def draw_facets(ax: Any, mesh: Any, facets: Index, **options: Any) -> None:
    """Thick lines along facets."""
    segments = mesh.p[:, mesh.facets[:, facets]].transpose(2, 1, 0)
    ax.add_collection(load("matplotlib.collections").LineCollection(segments, capstyle="butt", **options))


def frame(ax: Any, mesh: Any, labels: list[str]) -> None:
    """Equal aspect, limits a little beyond the mesh, labels of the axes."""
    low, high = mesh.p.min(axis=1), mesh.p.max(axis=1)
    margin = 0.02 * max(high - low)
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ax.set_ylim(low[1] - margin, high[1] + margin)
    ax.set_aspect("equal")
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])


def size_of(mesh: Any) -> tuple[float, float]:
    """The size in inches of a figure for a mesh, its colour bar and labels."""
    width, height = np.ptp(mesh.p, axis=1)
    if width > WIDE * height:
        return 6.4, float(np.clip(5.6 * height / width, 0.8, 5.0)) + 1.6
    return float(np.clip(4.2 * width / height, 1.2, 6.0)) + 1.6, 4.8
