"""Grids of pyvista, and pictures of them: three-dimensional meshes, and all others on request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cells import vtk_cells, vtk_type
from .colours import colour_scale, region_colour
from .extra import load

Real = NDArray[np.float64]
Index = NDArray[np.int64]
ARROWS = 400  # so many at most
IN_FRONT = 0.03  # by this part of the height of its cell a contact is drawn in front of it
ARROW = 1 / 12  # of the size of the mesh: the longest
HIGH = 95  # per cent of the vectors are not longer than the longest arrow: corners are singular
OUT = 0.006  # of the size of the mesh: so far before a solid its arrows lie


def make_grid(
    reference: Real, nodes: Real, cells: Index, arrays: Mapping[str, Real], regions: Mapping[str, Any]
) -> Any:
    """A pyvista UnstructuredGrid of linear or quadratic cells.

    Parameters
    ----------
    reference
        Places of the local nodes in the reference cell, shape (local nodes, dim).
    nodes, cells
        Positions (dim, nodes), and the nodes of every cell (cells, local nodes).
    arrays
        Point data: name -> values (nodes,) or (nodes, 3).
    regions
        Name -> cells: the cell array `region` has their numbers, the field array `regions` their names.
    """
    pyvista = load("pyvista")
    points = np.zeros((nodes.shape[1], 3))
    points[:, : len(nodes)] = nodes.T
    number, _ = vtk_type(len(nodes), cells.shape[1])
    grid = pyvista.UnstructuredGrid({number: vtk_cells(reference, nodes, cells)}, points)
    for name, values in arrays.items():
        grid.point_data[name] = values
    region = np.zeros(len(cells), np.int32)
    for k, own in enumerate(regions.values()):
        region[np.asarray(own)] = k
    grid.cell_data["region"] = region
    grid.field_data["regions"] = list(regions)
    return grid


def plotter_of(ax: Any) -> Any:
    """The pyvista Plotter that was given, or a new one.

    Raises
    ------
    TypeError
        If it is something else.
    ImportError
        If pyvista is not installed.
    """
    if ax is None:
        return load("pyvista").Plotter()
    if not hasattr(ax, "add_mesh"):
        raise TypeError(f"ax is a {type(ax).__name__}; allowed are a pyvista Plotter and None where pyvista draws")
    return ax


def draw_grid(
    plotter: Any, grid: Any, values: Real, label: str, *, vectors: Real | None = None, cyclic: bool = False,
    scale: float = 0.0, unit: str = "", **options: Any,
) -> Any:  # fmt: skip
    """Colour a grid by values at its points, with arrows for vectors (3, points), outlines and names of the regions.

    `unit` is that of lengths, for the extents of solids.
    """
    colours = colour_scale(values, cyclic=cyclic, scale=scale)
    given = {
        "lighting": False, "line_width": 8, "cmap": options.pop("cmap", colours["cmap"]), "nan_color": "lightgrey",
        "clim": (options.pop("vmin", colours["vmin"]), options.pop("vmax", colours["vmax"])),
    }  # fmt: skip
    label = label.replace("|", "abs ", 1).replace("|", "", 1)  # to VTK "|" is the end of a column
    shown = grid.copy()
    shown.clear_point_data()
    shown.point_data[label] = values
    bar = {  # the title has an empty line below, where VTK writes the numbers
        "title": f"{label}\n ", "vertical": False, "position_x": 0.2, "position_y": 0.02, "width": 0.6, "height": 0.12,
        "title_font_size": 20, "label_font_size": 16, "color": "black",
    }  # fmt: skip
    plotter.add_mesh(shown, **{"scalars": label, "scalar_bar_args": bar, **given, **options})
    if vectors is not None:
        _add_arrows(plotter, grid, vectors)
    add_outlines(plotter, grid)
    return look(plotter, grid, unit)


def look(plotter: Any, grid: Any, unit: str = "") -> Any:
    """Axes, the direction of the view, and the extents of a solid along x, y and z."""
    flat = not np.ptp(grid.points[:, 2])
    plotter.add_axes()
    if flat:
        plotter.view_xy()
        plotter.enable_parallel_projection()
    else:
        plotter.view_isometric()
        extent = " x ".join(f"{length:.4g}" for length in np.ptp(grid.points, axis=0))
        plotter.add_text(f"{extent} {unit}".strip(), position="upper_right", font_size=10, color="black")
        plotter.camera.zoom(0.85)  # room for the colour bar
    return plotter


def _add_arrows(plotter: Any, grid: Any, vectors: Real) -> None:
    """Arrows at some points; those of a solid lie on its surface, where they are seen."""
    pyvista = load("pyvista")
    length = np.sqrt((vectors**2).sum(axis=0))
    places, size = grid.points, max(np.ptp(grid.points, axis=0))
    points = np.arange(len(places))
    if np.ptp(places[:, 2]):
        surface = grid.extract_surface(algorithm="dataset_surface").compute_normals(split_vertices=False)
        points = np.asarray(surface.point_data["vtkOriginalPointIds"])
        places = places.copy()
        places[points] += OUT * size * surface.point_data["Normals"]
    known = points[np.isfinite(length[points])]
    top = np.percentile(length[known], HIGH) if len(known) else 0.0
    if not top > 0:
        return
    chosen = np.random.default_rng(0).permutation(known)[:ARROWS]
    chosen = chosen[length[chosen] > 1e-3 * top]
    cloud = pyvista.PolyData(places[chosen])
    cloud.point_data["direction"] = vectors.T[chosen]
    cloud.point_data["size"] = np.minimum(length[chosen] / top, 1.0)
    shape = pyvista.Arrow(start=(-0.5, 0, 0), tip_length=0.35, tip_radius=0.12, shaft_radius=0.04)
    arrows = cloud.glyph(orient="direction", scale="size", factor=ARROW * size, geom=shape)
    plotter.add_mesh(arrows, color="black", lighting=False)


def add_outlines(plotter: Any, grid: Any, *, names: bool = True) -> None:
    """Edges of all regions, and their names."""
    regions, grid = list(grid.field_data["regions"]), grid.linear_copy()
    is_solid, places = bool(np.ptp(grid.points[:, 2])), []  # the triangles of a plane turn either way
    for k in range(len(regions)):
        part = grid.extract_cells(np.flatnonzero(grid.cell_data["region"] == k))
        surface = part.extract_surface(algorithm="dataset_surface")
        places.append(part.center)
        edges = surface.extract_feature_edges(
            boundary_edges=True, feature_edges=is_solid, manifold_edges=False, non_manifold_edges=False
        )
        if edges.n_cells:
            plotter.add_mesh(edges, color="black", line_width=3, render_lines_as_tubes=True, lighting=False)
    if names and len(regions) > 1:
        plotter.add_point_labels(
            np.array(places), regions, always_visible=True, shape_opacity=0.5, show_points=False, font_size=14
        )  # fmt: skip


def draw_regions(
    plotter: Any, grid: Any, mesh: Any, contacts: Mapping[str, Index], colours: tuple[str, ...], unit: str
) -> Any:
    """Regions in their colours with the edges of the cells, and contacts as sheets over them with a legend."""
    for k in range(len(grid.field_data["regions"])):
        part = grid.extract_cells(np.flatnonzero(grid.cell_data["region"] == k))
        plotter.add_mesh(part, color=region_colour(k), show_edges=True, edge_color="grey", lighting=False)
    add_outlines(plotter, grid)
    legend = []
    for k, (name, facets) in enumerate(contacts.items()):
        colour = colours[k % len(colours)]
        thick = {"line_width": 10, "point_size": 18, "render_lines_as_tubes": mesh.dim() == 2}
        plotter.add_mesh(sheet(mesh, facets), color=colour, lighting=False, **thick)
        legend.append((f"contact {name}", colour))
    if legend:
        plotter.add_legend(legend, face="rectangle", bcolor="white", loc="upper left", size=(0.2, 0.06 * len(legend)))
    return look(plotter, grid, unit)


def sheet(mesh: Any, facets: Index) -> Any:
    """Facets as pyvista PolyData, a little in front of their cells, which would shine through."""
    pyvista = load("pyvista")
    corners = mesh.facets[:, facets].T
    if corners.shape[1] == 4:
        corners = _around(mesh.p.T, corners)
    count, n = corners.shape
    places = mesh.p.T[corners]
    outwards = places.mean(axis=1) - mesh.p[:, mesh.t[:, mesh.f2t[0, facets]]].mean(axis=1).T
    points = np.zeros((count * n, 3))
    points[:, : mesh.dim()] = (places + IN_FRONT * outwards[:, None]).reshape(count * n, -1)
    own = np.arange(count * n).reshape(count, n)
    if n == 1:
        return pyvista.PolyData(points)
    if n == 2:
        return pyvista.PolyData(points, lines=np.column_stack([np.full(count, 2), own]))
    return pyvista.PolyData.from_regular_faces(points, own)


def _around(points: Real, corners: Index) -> Index:
    """Four corners in the order around, which the mesh does not keep: the third is opposite of the first."""
    others = [(2, 1, 3), (1, 2, 3), (3, 1, 2)]  # who is opposite, and its neighbours
    x = points[corners]
    misfit = [np.linalg.norm(x[:, 0] + x[:, a] - x[:, b] - x[:, c], axis=1) for a, b, c in others]
    orders = np.array([(0, b, a, c) for a, b, c in others])
    return np.asarray(np.take_along_axis(corners, orders[np.argmin(misfit, axis=0)], axis=1))
