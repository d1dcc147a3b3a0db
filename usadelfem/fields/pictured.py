"""Pictures and tables of fields."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import choice
from ..errors import ObservableError
from ..pictures.arrays import named_arrays, padded
from ..pictures.cells import lattice
from ..pictures.extra import axes_of
from ..pictures.html import extent, span, table
from ..pictures.labels import axis_labels, length_unit, with_unit
from ..pictures.line import draw_curves, extents_of, joined, mark_regions
from ..pictures.maps import draw_boxes, edges_between
from ..pictures.parts import Part, as_real, checked_quantity, choose, coloured, described
from ..pictures.plane import draw_arrows, draw_colours, draw_lines, draw_outlines, frame, size_of
from ..pictures.solid import draw_grid, make_grid, plotter_of
from ..pictures.tables import data_array
from ..space.locate import Location, locate_inside
from ..space.sampling import Places, cell_points, node_sites, sites, used_nodes
from .arithmetic import Quantity

Values = NDArray[Any]

BACKENDS = ("matplotlib", "pyvista")
VECTORS = ("arrows", "lines", "none")
ARROWS, LINES = 24, 80  # points of the grids of arrows and of lines of flow along the longer side
FINE = 4  # pieces of a quadratic element on a line
MOST_CURVES = 12


class Pictured(Quantity):
    """How fields are drawn and handed to other packages."""

    device: Any
    recovered: Any

    def plot(
        self, component: str | None = None, *, quantity: str | None = None, vectors: str = "arrows", ax: Any = None,
        backend: str | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        """Draw the field: curves in one dimension, colours and arrows in two and three.

        Colours jump where the data does, at barriers and between regions. Colour maps are sequential for what has one
        sign, diverging and symmetric about zero for what has two, cyclic for phases. A series is drawn over the
        parameter on a line; elsewhere draw its members, `field[n].plot()`.

        Parameters
        ----------
        component
            Name of a component, "f0" or "sz_x"; the spin axis of a spin current, "sz"; "triplet". None: on a line all
            of them; elsewhere the length of a vector, the singlet, the spin axis with the largest current.
        quantity
            "abs", "phase", "real" or "imag"; None: "abs" of complex values, real ones as they are.
        vectors
            "arrows", "lines" (of flow) or "none" over the length of a vector, in two and three dimensions.
        ax
            Matplotlib Axes, or a pyvista Plotter where that draws; None: new ones.
        backend
            "matplotlib" or "pyvista"; None: matplotlib in one and two dimensions, pyvista in three.
        options
            For what draws: `ax.plot` on a line, `tripcolor` in a plane, pyvista's `add_mesh`; also `cmap`, `vmin` and
            `vmax` for colours.

        Returns
        -------
        matplotlib Axes, or pyvista Plotter
            Of the picture; `ax.figure.savefig(...)`, `plotter.show()`.

        Raises
        ------
        ObservableError
            If there is no such component, or this is a series on a plane or in space.
        ValueError
            If a word is not one of those above.
        ImportError
            If matplotlib or pyvista is not installed.
        """
        dim = self.space.dim
        backend = choice("backend", backend or BACKENDS[dim == 3], BACKENDS)
        choice("vectors", vectors, VECTORS)
        quantity = checked_quantity(quantity, np.iscomplexobj(self.quadrature))
        if self.series is not None and (dim > 1 or backend == "pyvista"):
            raise ObservableError(
                f"{self.name} is a series over {self.series.name}: draw one of its members, field[n].plot()"
            )
        if backend == "pyvista":
            return _draw_solid(self, component, quantity, vectors, plotter_of(ax), options)
        if dim == 3:
            raise ObservableError("matplotlib draws one and two dimensions: leave backend out, or give 'pyvista'")
        if dim == 1:
            return _draw_line(self, component, quantity, axes_of(ax), options)
        return _draw_plane(self, component, quantity, vectors, axes_of(ax, size_of(self.space.mesh)), options)

    def to_pyvista(self) -> Any:
        """The field on a pyvista UnstructuredGrid, named as in the files of `write_vtk`.

        Point data at all nodes (those on barriers once for each side), on quadratic cells if the elements are; the cell
        array `region` has numbers of the names in the field array `regions`.

        Raises
        ------
        ObservableError
            If this is a series: convert its members, `field[n].to_pyvista()`.
        ImportError
            If pyvista is not installed.
        """
        if self.series is not None:
            raise ObservableError(f"{self.name} is a series over {self.series.name}: convert field[n] in place of it")
        arrays = named_arrays(self.name, self.unit, self.components, node_values(self))
        return _grid(self, arrays)

    def to_xarray(self, points: Places | None = None) -> Any:
        """The field as an xarray DataArray with names, coordinates and units.

        Dimensions are the parameter of a series, `component` unless this is a scalar, and `node`, `point`, or the axes
        of a grid; the coordinates x, y, z are positions.

        Parameters
        ----------
        points
            None: all nodes of the elements, those on barriers once for each side. Positions (dim, npoints), such as a
            line; they get the coordinate `distance` along them. Or a grid, axis -> its values, such as
            {"x": xs, "y": ys}; outside of the mesh it is NaN.

        Raises
        ------
        ObservableError
            If points lie outside of the mesh, or the grid has other axes than the mesh.
        ImportError
            If xarray is not installed.
        """
        axes, unit = ["xyz"[axis] for axis in self.device.axes], length_unit(self.device)
        if points is None:
            places, values = node_sites(self.space, axes, unit), node_values(self)
        else:
            places = sites(self.space, points, axes, unit)
            values = _at(self, places.location)
        own: dict[str, Any] = {}
        if self.series is not None:
            own[self.series.name] = ((self.series.name,), self.series.values, self.series.unit)
        if self.components:
            own["component"] = (("component",), list(self.components), "1")
        made = places.table(values.reshape(*(len(entry[1]) for entry in own.values()), values.shape[-1]))
        return data_array(self.name, (*own, *places.dims), made, {**own, **places.coordinates}, self.unit)

    def _repr_html_(self) -> str:
        rows: list[tuple[str, Any]] = [
            ("unit", self.unit), ("components", ", ".join(self.components) or "none, a scalar"),
            ("values", "complex" if np.iscomplexobj(self.quadrature) else "real"),
            ("at the vertices", extent(np.asarray(self))),
            ("mesh", f"{self.space.mesh.nelements} cells, elements of order {self.space.order}"),
        ]  # fmt: skip
        if self.series is not None:
            rows.append((f"series over {self.series.name}", span(self.series.values, self.series.unit)))
        return table(f"Field {self.name}", rows)


def _at(field: Any, location: Location) -> Values:
    values: Values = field.recovered.at(location) if field.exact is None else field.exact(location)
    return values


def _regions(field: Any) -> dict[str, Any]:
    return {name: field.space.mesh.subdomains[name] for name in field.device.conductors}


def node_values(field: Any) -> Values:
    """Values at all nodes but ghosts, shape (*components, nodes), those on barriers once for each side."""
    if field.exact is None:
        return np.asarray(field.recovered.at_nodes()[..., used_nodes(field.space)])
    return np.asarray(field.exact(node_sites(field.space, [""] * field.space.dim, "").location))


def _in_cells(field: Any, local: Values) -> tuple[Values, Values]:
    """Positions (dim, cells, m) and values (series?, components, cells, m) at m local points of every cell."""
    points, location = cell_points(field.space, local)
    values = _at(field, location)
    lead = values.shape[:1] if field.series is not None else ()
    return points, values.reshape(*lead, -1, *points.shape[1:])


def _chosen(field: Any, component: str | None, values: Values) -> Part:
    """Values have the components in front of cells and points."""
    sizes = np.nanmax(abs(np.moveaxis(values, -3, 0)).reshape(values.shape[-3], -1), axis=1, initial=0.0)
    return choose(field.name, field.components, component, sizes, field.space.dim)


def _draw_line(field: Any, component: str | None, quantity: str, ax: Any, options: dict[str, Any]) -> Any:
    local, _ = lattice(1, 2, 1 if field.space.order == 1 else FINE)
    xlabel = axis_labels(field.device.axes, length_unit(field.device))[0]
    if field.series is not None:
        return _draw_series(field, component, quantity, ax, xlabel, options)
    points, values = _in_cells(field, local)
    part = Part(field.name.replace("_", " "), tuple(range(len(values))), True)
    if component is not None or len(values) > MOST_CURVES:
        part = _chosen(field, component, values)
    names, is_phase = field.components or (field.name,), quantity == "phase"
    curves = {names[k]: joined(points[0], as_real(values[k], quantity), cyclic=is_phase) for k in part.numbers}
    label, unit = described(part.label, field.unit, quantity, np.iscomplexobj(values))
    draw_curves(ax, curves, xlabel, with_unit(label, unit), **options)
    if len(field.device.conductors) > 1 and not ax.patches:
        mesh = field.space.mesh
        mark_regions(ax, extents_of(mesh.p[0, mesh.t], _regions(field)))
    return ax


def _draw_series(
    field: Any, component: str | None, quantity: str, ax: Any, xlabel: str, options: dict[str, Any]
) -> Any:  # fmt: skip
    """Colours over position and parameter."""
    points, values = _in_cells(field, np.array([[0.5]]))
    mesh = field.space.mesh
    part = _chosen(field, component, values)
    order, rows = np.argsort(points[0, :, 0]), np.argsort(field.series.values, kind="stable")
    inside = as_real(values[rows][:, part.numbers[0]][:, order, 0], quantity)
    ends = np.sort(mesh.p[0, mesh.t[:, order]], axis=0)
    title = part.label
    if len(part.numbers) > 1:
        title = f"{title} {field.components[part.numbers[0]]}"
    label, unit = described(title, field.unit, quantity, np.iscomplexobj(values))
    labels = (xlabel, with_unit(field.series.name, field.series.unit), with_unit(label, unit))
    draw_boxes(
        ax, np.append(ends[0], ends[1, -1]), edges_between(field.series.values[rows]), inside, labels,
        cyclic=quantity == "phase", **options,
    )  # fmt: skip
    if len(field.device.conductors) > 1:
        mark_regions(ax, extents_of(mesh.p[0, mesh.t], _regions(field)), shade=False)
    return ax


def _draw_plane(
    field: Any, component: str | None, quantity: str, vectors: str, ax: Any, options: dict[str, Any]
) -> Any:  # fmt: skip
    space, mesh = field.space, field.space.mesh
    local, pieces = lattice(2, len(mesh.t), space.order)
    points, values = _in_cells(field, local)
    part = _chosen(field, component, values)
    drawn, label = coloured(part, field.unit, quantity, values)
    draw_colours(
        ax, points, pieces, drawn, label, cyclic=quantity == "phase" and not part.is_vector,
        scale=float(np.nanmax(abs(values), initial=0.0)), **options,
    )  # fmt: skip
    draw_outlines(ax, mesh, _regions(field))
    if part.is_vector and vectors != "none" and not np.iscomplexobj(values):
        _draw_vectors(field, _in_plane(field, part), vectors, ax)
    frame(ax, mesh, axis_labels(field.device.axes, length_unit(field.device)))
    return ax


def _in_plane(field: Any, part: Part) -> list[int]:
    """The components of a vector that lie in the plane of the mesh: flows name its axes, spins those of space."""
    if len(part.numbers) == 2 or field.flux is not None or field.name.startswith("spin_current"):
        return list(part.numbers[:2])
    return [part.numbers[axis] for axis in field.device.axes]


def _draw_vectors(field: Any, components: list[int], vectors: str, ax: Any) -> None:
    low, high = field.space.mesh.p.min(axis=1), field.space.mesh.p.max(axis=1)
    step = max(high - low) / (ARROWS if vectors == "arrows" else LINES)
    counts = np.maximum(np.round((high - low) / step), 1).astype(int)
    x, y = (a + (b - a) * (np.arange(n) + 0.5) / n for a, b, n in zip(low, high, counts, strict=True))
    places = np.array(np.meshgrid(x, y)).reshape(2, -1)
    location, inside = locate_inside(field.space, places)
    values = _at(field, location).reshape(-1, len(location.cells))[components].real
    if vectors == "arrows":
        draw_arrows(ax, places[:, inside], values)
        return
    whole = np.full((2, len(inside)), np.nan)
    whole[:, inside] = values
    draw_lines(ax, x, y, whole.reshape(2, len(y), len(x)))


def _grid(field: Any, arrays: dict[str, Values]) -> Any:
    space = field.space
    nodes = used_nodes(space)
    cells, reference = np.searchsorted(nodes, space.cells), np.array(space.basis.elem.doflocs)
    return make_grid(reference, space.nodes[:, nodes], cells, arrays, _regions(field))


def _draw_solid(
    field: Any, component: str | None, quantity: str, vectors: str, plotter: Any, options: dict[str, Any]
) -> Any:  # fmt: skip
    values = node_values(field)
    values = values.reshape(-1, values.shape[-1])
    part = _chosen(field, component, values[:, :, None])
    drawn, label = coloured(part, field.unit, quantity, values)
    arrows = None
    if part.is_vector and vectors != "none" and not np.iscomplexobj(values):
        chosen = list(part.numbers) if field.space.dim == 3 else _in_plane(field, part)[: field.space.dim]
        arrows = padded(values[chosen]).T
    return draw_grid(
        plotter, _grid(field, {}), drawn, label, vectors=arrows, cyclic=quantity == "phase" and not part.is_vector,
        scale=float(np.nanmax(abs(values), initial=0.0)), unit=length_unit(field.device), **options,
    )  # fmt: skip
