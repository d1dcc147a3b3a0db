"""VTK files for ParaView."""

from __future__ import annotations

import os
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named, shown
from ..device.device import Device
from ..errors import ObservableError
from ..fem.coefficients import sample
from ..fields.field import Field
from ..fields.pictured import node_values
from ..pictures.arrays import named_arrays, padded, plain_arrays
from ..pictures.cells import vtk_cells, vtk_type
from ..space.sampling import used_nodes
from ..space.space import Space
from .animation import check_array_names, check_series_name, write_pvd, write_vtu, write_xdmf
from .atomic import as_path, check_target
from .vtkhdf import write_vtkhdf

if TYPE_CHECKING:
    import meshio

SUFFIXES = (".vtu", ".pvd", ".xdmf", ".vtkhdf")
SERIES = {".pvd": write_pvd, ".xdmf": write_xdmf}


@named()
def write_vtk(path: str | os.PathLike[str], *fields: Field) -> Path:
    """Write fields of one device to a file that ParaView opens.

    The ending says which: `.vtu` for single fields; for series over energies or another parameter `.vtkhdf`, with all
    values in one file, `.pvd`, with one .vtu file per value in a folder of the same name, or `.xdmf`, with all values
    in an .h5 file beside it. ParaView animates a series over its parameter; its values are the time steps. A `.vtkhdf`
    file holds single fields, too.

    Cells are quadratic if the elements are. Arrays are named `name [unit]`, and `name` where they are dimensionless; in
    .vtkhdf files units have no slashes, `A*m^-2`. Point data: the values at the nodes (one on a barrier is two points,
    one for each side), exact where the field is; vectors have three components (padded with zeros), so that ParaView
    can draw arrows. A charge current is one vector; a spin current is three, one per spin
    axis, `spin_current_sx [unit]`; a spin density is a vector in spin space; a pair amplitude gives `_f0_re`, `_f0_im`
    and the modulus `_f0_abs` of the singlet, and the vectors `_triplet_re`, `_triplet_im` and `_triplet_abs`. Cell
    data: the region as a number (the array's name lists them), the mean of each current or spin density over the cell
    (`name_cell [unit]`), and the coefficients `D`, `N0`, `gap_abs`, `exchange` of the materials.

    Files are written under a temporary name and renamed when complete: a crash leaves no half-written file. An old
    series of the same name stays as it is until the new one is complete, and is then removed.

    Parameters
    ----------
    path
        File name ending in .vtu, .vtkhdf, .pvd or .xdmf, in a folder that exists.
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
    if target.suffix == ".vtkhdf" and all(field.series is None for field in fields):
        write_vtkhdf(target, None, [_grid(fields)])
        return target
    values = _common_values(target, fields)
    grids = (_grid(tuple(field[n] for field in fields)) for n in range(len(values)))
    if target.suffix == ".vtkhdf":
        write_vtkhdf(target, values, grids)
        return target
    check_series_name(target)
    SERIES[target.suffix](target, values, grids)
    return target


def _grid(fields: tuple[Field, ...]) -> meshio.Mesh:
    import meshio

    space = fields[0].space
    point_data: dict[str, NDArray[Any]] = {}
    cell_data = _material_data(fields[0].device, fields[0].space)
    for field in fields:
        point_data |= named_arrays(field.name, field.unit, field.components, node_values(field))
        if field.exact is None:
            cell_data |= _cell_arrays(field)
    used = used_nodes(space)
    cells = np.searchsorted(used, vtk_cells(np.array(space.basis.elem.doflocs), space.nodes, space.cells))
    _, kind = vtk_type(space.dim, cells.shape[1])
    check_array_names([*point_data, *cell_data])
    points = padded(space.nodes[:, used])
    return meshio.Mesh(points, [(kind, cells)], point_data, {name: [values] for name, values in cell_data.items()})


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
        raise ValueError(
            f"cannot write {str(target)!r}: the name must end in .vtu, or for a series in .vtkhdf, .pvd or .xdmf"
        )
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
        if field.space.order != fields[0].space.order:
            raise ObservableError(
                f"{field.name} and {fields[0].name} have elements of different order: write two files"
            )  # fmt: skip
        if target.suffix == ".vtu" and field.series is not None:
            raise ObservableError(
                f"{field.name} is a series over {field.series.name}: write it to a .vtkhdf, .pvd or .xdmf file, or "
                f"one of its members, {field.name}[n], to {target.name!r}"
            )
    names = [field.name for field in fields]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ObservableError(f"several fields are named {', '.join(sorted(twice))}: rename with dataclasses.replace")


def _cell_arrays(field: Field) -> dict[str, NDArray[Any]]:
    if np.iscomplexobj(field.quadrature):
        return {}
    mean = _cell_mean(field.quadrature, field.space)
    return named_arrays(field.name, field.unit, field.components, mean, "_cell")


def _cell_mean(quadrature: NDArray[Any], space: Space) -> NDArray[Any]:
    mean: NDArray[Any] = (quadrature * space.dx).sum(axis=-1) / space.dx.sum(axis=-1)
    return mean


def _unambiguous(region: str) -> str:
    """The name of a region in a list, in quotes where it holds what the list is made of."""
    return dumps(region, ensure_ascii=False) if set(region) & set(',="[]') else region


# What coefficients are made of where numbers have units.
IN_UNITS = {"D": "energy*length^2/hbar", "N0": "1/energy/length^3"}


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
        factor, label = (1.0, unit) if device.units.is_natural else device.units.express(IN_UNITS.get(name, unit))
        arrays |= plain_arrays(name, label, factor * data[name])
    return arrays
