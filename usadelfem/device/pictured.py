"""Pictures and tables of devices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import choice
from ..frozen import FrozenRecord
from ..pictures.extra import axes_of
from ..pictures.html import table
from ..pictures.labels import axis_labels, length_unit
from ..pictures.line import extents_of, mark_regions
from ..pictures.plane import draw_facets, draw_mesh, draw_outlines, frame, size_of
from ..pictures.solid import draw_regions, make_grid, plotter_of
from .facets import interface_facets

BACKENDS = ("matplotlib", "pyvista")
CONTACTS = ("#c0392b", "#2471a3", "#229954", "#7d3c98", "#b9770e", "#148f77")
BARRIER = "black"


class PicturedDevice(FrozenRecord):
    """How devices are drawn and handed to other packages."""

    mesh: Any
    sample: Any
    materials: Any
    conductors: Any
    contacts: Any
    interfaces: Any

    def plot(self, *, ax: Any = None, backend: str | None = None) -> Any:
        """Draw the mesh: regions in colours with their names, contacts and barriers as thick lines; vacuum is blank.

        Parameters
        ----------
        ax
            Matplotlib Axes, or a pyvista Plotter where that draws; None: new ones.
        backend
            "matplotlib" or "pyvista"; None: matplotlib in one and two dimensions, pyvista in three.

        Returns
        -------
        matplotlib Axes, or pyvista Plotter
            Of the picture.

        Raises
        ------
        ValueError
            If there is no such backend, or matplotlib is to draw three dimensions.
        ImportError
            If matplotlib or pyvista is not installed.
        """
        mesh = self.sample
        dim = mesh.dim()
        backend = choice("backend", backend or BACKENDS[dim == 3], BACKENDS if dim < 3 else BACKENDS[1:])
        if backend == "pyvista":
            return draw_regions(plotter_of(ax), self.to_pyvista(), mesh, _contacts(self), CONTACTS, length_unit(self))
        if dim == 1:
            return _draw_line(self, axes_of(ax, (6.4, 2.2)))
        ax = axes_of(ax, size_of(mesh))
        draw_mesh(ax, mesh, _regions(self))
        draw_outlines(ax, mesh, _regions(self))
        for name, facets, options in _lines(self):
            draw_facets(ax, mesh, facets, label=name, **options)
        frame(ax, mesh, _labels(self))
        _add_legend(ax)
        return ax

    def to_pyvista(self) -> Any:
        """The mesh without vacuum as a pyvista UnstructuredGrid; `region` has numbers of the names in `regions`.

        Raises
        ------
        ImportError
            If pyvista is not installed.
        """
        mesh = self.sample
        return make_grid(np.array(mesh.elem.refdom.p, float).T, mesh.p, mesh.t.T, {}, _regions(self))

    def _repr_html_(self) -> str:
        mesh = self.mesh
        low, high = mesh.p.min(axis=1), mesh.p.max(axis=1)
        spans = [f"{name}: {a:.4g} to {b:.4g}" for name, a, b in zip(_labels(self), low, high, strict=True)]
        rows = [("mesh", f"{type(mesh).__name__}, {mesh.nelements} cells, {mesh.nvertices} vertices"),
                ("extent", ", ".join(spans))]  # fmt: skip
        rows += [(f"region {name}", repr(material)) for name, material in self.materials.items()]
        rows += [(f"contact {name}", repr(contact)) for name, contact in self.contacts.items()]
        rows += [(f"interface {_name(key)}", repr(barrier)) for key, barrier in self.interfaces.items()]
        return table("Device", rows)


def _labels(device: Any) -> list[str]:
    return axis_labels(device.axes, length_unit(device))


def _name(key: str | tuple[str, str]) -> str:
    return key if isinstance(key, str) else "_".join(key)


def _regions(device: Any) -> dict[str, Any]:
    return {name: device.sample.subdomains[name] for name in device.conductors}


def _contacts(device: Any) -> dict[str, NDArray[np.int64]]:
    return {name: np.asarray(device.sample.boundaries[name], np.int64) for name in device.contacts}


def _lines(device: Any) -> list[tuple[str, NDArray[np.int64], dict[str, Any]]]:
    """Facets that are drawn as lines: names, facets, and how."""
    made: list[tuple[str, NDArray[np.int64], dict[str, Any]]] = []
    for key, barrier in device.interfaces.items():
        facets = np.asarray(interface_facets(device.sample, key), np.int64)
        made.append((f"{repr(barrier).partition('(')[0]} {_name(key)}", facets, {"color": BARRIER, "linewidth": 2.5}))
    for k, (name, facets) in enumerate(_contacts(device).items()):
        made.append((f"contact {name}", facets, {"color": CONTACTS[k % len(CONTACTS)], "linewidth": 4}))
    return made


def _draw_line(device: Any, ax: Any) -> Any:
    mesh = device.sample
    mark_regions(ax, extents_of(mesh.p[0, mesh.t], _regions(device)))
    ends = mesh.p[0, mesh.t]
    ax.plot(ends, np.zeros_like(ends), color="black", linewidth=1, marker="|", markersize=8)
    for name, facets, options in _lines(device):
        for k, x in enumerate(mesh.p[0, mesh.facets[0, facets]]):
            ax.axvline(x, label=f"_{name}" if k else name, **options)
    span = np.ptp(mesh.p)
    ax.set_xlim(mesh.p.min() - 0.02 * span, mesh.p.max() + 0.02 * span)
    ax.set_yticks([])
    ax.set_xlabel(_labels(device)[0])
    _add_legend(ax)
    return ax


def _add_legend(ax: Any) -> None:
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize="small")
