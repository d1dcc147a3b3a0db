"""VTKHDF files: a grid and its arrays, at one or many values of a parameter, in one HDF5 file.

The format is described in VTK's documentation, "VTKHDF file format", version 2.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..device.unit_algebra import without_slashes
from ..pictures.cells import NUMBERS
from .atomic import write_whole

if TYPE_CHECKING:
    import meshio

VERSION = (2, 0)


def write_vtkhdf(target: Path, values: NDArray[Any] | None, grids: Iterable[meshio.Mesh]) -> None:
    """Write grids that differ in their arrays only.

    Parameters
    ----------
    target
        The file.
    values
        Of the parameter, which are the time steps; None: there is one grid without.
    grids
        One for each value; the mesh of the first is written.
    """
    import h5py

    data = BytesIO()  # a failing disk is not for HDF5
    with h5py.File(data, "w") as file:
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = VERSION
        root.attrs.create("Type", b"UnstructuredGrid", dtype=h5py.string_dtype("ascii", len("UnstructuredGrid")))
        count = 1 if values is None else len(values)
        for n, grid in enumerate(grids):
            arrays = {
                "PointData": grid.point_data,
                "CellData": {name: parts[0] for name, parts in grid.cell_data.items()},
            }
            if n == 0:
                _write_mesh(root, grid)
                _make_arrays(root, arrays, count)
            for group, own in arrays.items():
                for name, array in own.items():
                    root[group][link(name)][n * len(array) : (n + 1) * len(array)] = array
        if values is not None:
            _write_steps(root, values, arrays)
    write_whole(target, data.getbuffer())


def link(name: str) -> str:
    """The name of an array without the slashes that HDF5 takes for folders."""
    head, bracket, unit = name.rpartition(" [")
    if bracket and unit.endswith("]") and not head.startswith("region"):
        name = f"{head} [{without_slashes(unit[:-1])}]"
    return name.replace("/", "\u2215") if name != "." else "\u2024"


def _write_mesh(root: Any, grid: meshio.Mesh) -> None:
    (block,) = grid.cells
    cells, nodes = block.data.shape
    root["NumberOfPoints"] = np.array([len(grid.points)])
    root["NumberOfCells"] = np.array([cells])
    root["NumberOfConnectivityIds"] = np.array([cells * nodes])
    root["Points"] = grid.points
    root["Connectivity"] = block.data.ravel().astype(np.int64)
    root["Offsets"] = nodes * np.arange(cells + 1)
    root["Types"] = np.full(cells, NUMBERS[block.type], np.uint8)


def _make_arrays(root: Any, arrays: dict[str, Any], count: int) -> None:
    for group, own in arrays.items():
        place = root.create_group(group)
        for name, array in own.items():
            place.create_dataset(link(name), (count * len(array), *array.shape[1:]), array.dtype)


def _write_steps(root: Any, values: NDArray[Any], arrays: dict[str, Any]) -> None:
    """The values, and where the arrays of each begin; the mesh is the same for all."""
    count = len(values)
    steps = root.create_group("Steps")
    steps.attrs["NSteps"] = count
    steps["Values"] = np.asarray(values, float)
    none = np.zeros(count, np.int64)
    steps["PartOffsets"], steps["NumberOfParts"], steps["PointOffsets"] = none, none + 1, none
    steps["CellOffsets"], steps["ConnectivityIdOffsets"] = none[:, None], none[:, None]
    for group, own in arrays.items():
        offsets = steps.create_group(f"{group}Offsets")
        for name, array in own.items():
            offsets[link(name)] = len(array) * np.arange(count)
