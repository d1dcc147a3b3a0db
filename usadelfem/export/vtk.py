"""VTK files for ParaView."""

from __future__ import annotations

import os
from json import dumps
from pathlib import Path
from typing import Any

import meshio
import numpy as np
from numpy.typing import NDArray

from ..checks import named, shown
from ..device.device import Device
from ..errors import ObservableError
from ..fem.coefficients import sample
from ..observe.fields import Field
from ..space.space import Space
from .animation import check_array_names, check_series_name, write_pvd, write_vtu, write_xdmf
from .atomic import as_path, check_target

SUFFIXES = (".vtu", ".pvd", ".xdmf")
_CELLS = {1: {2: "line"}, 2: {3: "triangle", 4: "quad"}, 3: {4: "tetra", 8: "hexahedron"}}
# Vertex order of scikit-fem hexahedra in the order that VTK wants.
_HEXAHEDRON = [0, 3, 6, 2, 1, 5, 7, 4]


@named()
def write_vtk(path: str | os.PathLike[str], *fields: Field) -> Path:
    """Write fields of one device to a file that ParaView opens.

    The ending says which: `.vtu` for single fields; for series over energies or another parameter `.pvd`, with one .vtu
    file per value in a folder of the same name, or `.xdmf`, with all values in one .h5 file (smaller and faster where
    there are many). ParaView animates a series over its parameter; its values are the time steps.

    Arrays are named `name [unit]`. Point data: the values at the mesh vertices (a vertex on a barrier is
    two points, one for each side); vectors have three components (padded
    with zeros), so that ParaView can draw arrows. A charge current is one vector; a spin current is three, one per spin
    axis, `spin_current_sx [unit]`; a spin density is a vector in spin space; a pair amplitude gives `_f0_re`, `_f0_im`
    and the modulus `_f0_abs` of the singlet, and the vectors `_triplet_re`, `_triplet_im` and `_triplet_abs`. Cell
    data: the region as a number (the array's name lists them), the mean of each current or spin density over the cell
    (`name_cell [unit]`), and the coefficients `D`, `N0`, `gap_abs`, `exchange` of the materials.

    Files are written under a temporary name and renamed when complete: a crash leaves no half-written file. An old
    series of the same name stays as it is until the new one is complete, and is then removed.

    Parameters
    ----------
    path
        File name ending in .vtu, .pvd or .xdmf, in a folder that exists.
    fields
        At least one field, all of the same device and discretisation; series all over the same values.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the name has another ending or cannot stand in the files of a series, no fields are given, or the name of an
        array cannot be written in XML.
    FileError
        If the .h5 file beside an .xdmf file exists and is something else, such as a result.
    OSError
        If the files cannot be written: the disk is full, the folder read-only. What was there is kept.
    FileNotFoundError
        If the folder does not exist.
    ObservableError
        If the fields live on different meshes, two have the same name, a series is written to .vtu, a single field to
        .pvd or .xdmf, or series have different values.
    """
    target = as_path(path, "path")
    _check(target, fields)
    if target.suffix == ".vtu":
        write_vtu(target, _grid(fields))
        return target
    values = _common_values(target, fields)
    check_series_name(target)
    grids = (_grid(tuple(field[n] for field in fields)) for n in range(len(values)))
    (write_xdmf if target.suffix == ".xdmf" else write_pvd)(target, values, grids)
    return target


def _grid(fields: tuple[Field, ...]) -> meshio.Mesh:
    space = fields[0].space
    mesh = space.mesh
    point_data: dict[str, NDArray[Any]] = {}
    cell_data = _material_data(fields[0].device, fields[0].space)
    for field in fields:
        point_data |= _point_arrays(field)
        if field.exact is None:
            cell_data |= _cell_arrays(field)
    points = np.zeros((len(space.corners), 3))
    points[:, : mesh.dim()] = space.nodes[:, space.corners].T
    cells = [(_CELLS[mesh.dim()][len(mesh.t)], np.searchsorted(space.corners, _vtk_order(space)).T)]
    check_array_names([*point_data, *cell_data])
    return meshio.Mesh(points, cells, point_data, {name: [values] for name, values in cell_data.items()})


def _common_values(target: Path, fields: tuple[Field, ...]) -> NDArray[Any]:
    """The parameter values of series that are written together."""
    first = fields[0].series
    for field in fields:
        if field.series is None or first is None:
            raise ObservableError(f"{field.name} is a single field: write it to a .vtu file, not {target.name!r}")
        if field.series.name != first.name or not np.array_equal(field.series.values, first.values):
            raise ObservableError(
                f"{field.name} and {fields[0].name} are series over different values: write two files"
            )
    assert first is not None
    return first.values


def _check(target: Path, fields: tuple[Field, ...]) -> None:
    if target.suffix not in SUFFIXES:
        raise ValueError(f"cannot write {str(target)!r}: the name must end in .vtu, or for a series in .pvd or .xdmf")
    if target.suffix == ".vtu" and not target.stem.strip("."):
        raise ValueError(f"cannot write {target.name!r}: the name holds more than dots before its ending")
    check_target(target, f"cannot write {target.name!r}")
    if not fields:
        raise ValueError("no fields to write: give at least one, e.g. write_vtk(path, charge_current(eq))")
    for field in fields:
        if not isinstance(field, Field):
            raise TypeError(f"cannot write {shown(field)}: allowed are Field objects, e.g. charge_current(eq)")
        if field.space.mesh is not fields[0].space.mesh:
            raise ObservableError(f"{field.name} and {fields[0].name} live on different meshes: write two files")
        if target.suffix == ".vtu" and field.series is not None:
            raise ObservableError(
                f"{field.name} is a series over {field.series.name}: write it to a .pvd or .xdmf file, or one of its "
                f"members, {field.name}[n], to {target.name!r}"
            )
    names = [field.name for field in fields]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ObservableError(f"several fields are named {', '.join(sorted(twice))}: rename with dataclasses.replace")


def _vtk_order(space: Space) -> NDArray[Any]:
    """Corners of the cells in VTK's order: scikit-fem sorts those of simplices, which turns tetrahedra inside out."""
    mesh, cells = space.mesh, space.corner_cells.T.copy()
    if mesh.dim() < 3:
        return cells
    if len(cells) == 8:
        return cells[_HEXAHEDRON]
    edges = mesh.p[:, mesh.t[1:]] - mesh.p[:, mesh.t[:1]]
    inverted = np.linalg.det(edges.transpose(2, 0, 1)) < 0
    cells[2:, inverted] = cells[:1:-1, inverted]
    return cells


def _padded(vector: NDArray[Any]) -> NDArray[Any]:
    """A vector field (components, n) as (n, 3)."""
    out = np.zeros((vector.shape[1], 3))
    out[:, : len(vector)] = vector.T
    return out


def _arrays(name: str, unit: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Real values (*components, n) as named scalar (n,) and vector (n, 3) arrays."""
    if values.ndim == 1:
        return {f"{name} [{unit}]": values}
    if values.ndim == 2:
        return {f"{name} [{unit}]": _padded(values)}
    return {f"{name}_s{axis} [{unit}]": _padded(part) for axis, part in zip("xyz", values, strict=True)}


def _point_arrays(field: Field) -> dict[str, NDArray[Any]]:
    values = field.at_corners
    if not np.iscomplexobj(values):
        return _real_arrays(field, "", values)
    arrays: dict[str, NDArray[Any]] = {}
    for label, part in _complex_parts(field, values):
        for suffix, real in (("re", part.real), ("im", part.imag), ("abs", abs(part))):
            arrays |= _arrays(f"{field.name}{label}_{suffix}", field.unit, real)
    return arrays


def _complex_parts(field: Field, values: NDArray[Any]) -> list[tuple[str, NDArray[Any]]]:
    """Scalars and vectors that a complex field is written as, with the ends of their names."""
    if field.components[:1] == ("f0",):
        return [("_f0", values[0]), ("_triplet", values[1:])]
    if values.ndim <= 2:
        return [("", values)]
    flat = values.reshape(-1, values.shape[-1])  # a matrix current: one scalar per entry
    return [(f"_{name}", part) for name, part in zip(field.components, flat, strict=True)]


def _cell_arrays(field: Field) -> dict[str, NDArray[Any]]:
    if np.iscomplexobj(field.quadrature):
        return {}
    return _real_arrays(field, "_cell", _cell_mean(field.quadrature, field.space))


def _real_arrays(field: Field, ending: str, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Arrays of a real field; what is no vector is written by its components."""
    if values.ndim != 2 or len(values) <= 3:
        return _arrays(f"{field.name}{ending}", field.unit, values)
    names = [component.replace(" ", "_") for component in field.components]
    return {
        f"{field.name}_{name}{ending} [{field.unit}]": part for name, part in zip(names, values, strict=True)
    }  # fmt: skip


def _cell_mean(quadrature: NDArray[Any], space: Space) -> NDArray[Any]:
    mean: NDArray[Any] = (quadrature * space.dx).sum(axis=-1) / space.dx.sum(axis=-1)
    return mean


def _unambiguous(region: str) -> str:
    """The name of a region in a list, in quotes where it holds what the list is made of."""
    return dumps(region, ensure_ascii=False) if set(region) & set(',="[]') else region


def _material_data(device: Device, space: Space) -> dict[str, NDArray[Any]]:
    """Region numbers and the coefficients that a picture is usually drawn against."""
    regions = sorted(device.conductors)
    number = np.zeros(space.mesh.nelements, np.int32)
    units = {"D": "length^2*energy", "N0": "1", "gap_abs": "energy", "exchange": "energy"}
    shapes = {"exchange": (3,)}
    data = {name: np.zeros((*shapes.get(name, ()), space.mesh.nelements)) for name in units}
    for index, region in enumerate(regions):
        cells = np.asarray(space.mesh.subdomains[region])
        number[cells] = index
        dx = space.dx[cells]
        values = sample(space, device, region, ("D", "N0", "gap", "exchange"))
        values["gap_abs"] = abs(values.pop("gap"))
        for name in units:
            data[name][..., cells] = (values[name] * dx).sum(axis=-1) / dx.sum(axis=-1)
    legend = ", ".join(f"{index}={_unambiguous(region)}" for index, region in enumerate(regions))
    arrays: dict[str, NDArray[Any]] = {f"region [{legend}]": number}
    for name, unit in units.items():
        arrays |= _arrays(name, unit, data[name])
    return arrays
