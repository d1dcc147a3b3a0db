"""Series of grids in files that ParaView animates, an old series being valid until the new one is complete."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from numpy.typing import NDArray

from ..errors import FileError
from .atomic import naming, replacing, write_whole

if TYPE_CHECKING:
    import meshio

_TOKEN = r"\.new-[0-9a-f]{8}"
_OURS = re.compile(r"\d{4,}(" + _TOKEN + r")?\.vtu")
_MARK = "usadelfem_series"  # attribute of data files that belong to an .xdmf file


def write_vtu(target: Path, grid: meshio.Mesh, owner: Path | None = None) -> None:
    """Write a grid, of the series `owner`; meshio puts names into the file as they are, so that they come escaped."""
    import meshio

    escaped = meshio.Mesh(
        grid.points,
        grid.cells,
        {_as_xml(name): values for name, values in grid.point_data.items()},
        {_as_xml(name): values for name, values in grid.cell_data.items()},
    )
    with replacing(target, owner) as name:
        escaped.write(name, file_format="vtu")


def _as_xml(name: str) -> str:
    """A text as the value of an attribute, in ASCII: meshio writes in the encoding of the user's locale."""
    return "".join(c if c.isascii() and c.isprintable() and c not in "&<>\"'" else f"&#{ord(c)};" for c in name)


def write_pvd(target: Path, values: NDArray[Any], grids: Iterable[meshio.Mesh]) -> None:
    """Write one .vtu file per value into a folder of the name of the .pvd file that lists them."""
    folder = target.parent / target.stem
    with naming(target):
        folder.mkdir(exist_ok=True)
    written: list[Path] = []

    def index(members: list[Path]) -> None:
        _write_index(target, values, [f"{target.stem}/{member.name}" for member in members])

    try:
        for member, grid in zip(_new_names(folder), grids, strict=False):
            write_vtu(member, grid, target)
            written.append(member)
        index(written)
    except BaseException:
        for member in written:
            member.unlink(missing_ok=True)
        with suppress(OSError):  # it is not empty
            folder.rmdir()
        raise
    written = _renamed(written, [folder / f"{n:04d}.vtu" for n in range(len(written))], index)
    for file in folder.iterdir():
        if _OURS.fullmatch(file.name) and file not in written:
            file.unlink(missing_ok=True)


def _new_names(folder: Path) -> Iterator[Path]:
    """Names that no file of the folder has, plain ones in an empty folder."""
    taken = any(_OURS.fullmatch(file.name) for file in folder.iterdir())
    token = f".new-{secrets.token_hex(4)}" if taken else ""
    n = 0
    while True:
        yield folder / f"{n:04d}{token}.vtu"
        n += 1


def _renamed(written: list[Path], plain: list[Path], index: Callable[[list[Path]], None]) -> list[Path]:
    """Give the files of a series that is complete their plain names, which those of the old one had.

    Every file has both names until the index lists the plain ones. Where a file system does not give two names to a
    file, it keeps the new one.
    """
    if written == plain:
        return written
    try:
        for old, new in zip(written, plain, strict=True):
            second = new.with_name(f".{new.name}.part")
            second.unlink(missing_ok=True)
            os.link(old, second)
            os.replace(second, new)
        index(plain)
    except OSError:
        return written
    for old in written:
        old.unlink(missing_ok=True)
    return plain


def _write_index(target: Path, values: NDArray[Any], files: list[str]) -> None:
    root = ElementTree.Element("VTKFile", type="Collection", version="0.1", byte_order="LittleEndian")
    collection = ElementTree.SubElement(root, "Collection")
    for value, file in zip(values.tolist(), files, strict=True):
        ElementTree.SubElement(collection, "DataSet", timestep=repr(value), group="", part="0", file=file)
    ElementTree.indent(root)
    write_whole(target, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def write_xdmf(target: Path, values: NDArray[Any], grids: Iterable[meshio.Mesh]) -> None:
    """Write all values into one .h5 file beside the .xdmf file that says what they are."""
    import h5py
    import meshio

    plain = target.with_name(f"{target.stem}.h5")
    _check_data_file(target, plain)
    writer = meshio.xdmf.TimeSeriesWriter(target)
    data = BytesIO()  # as in `hdf5`, a failing disk is not for HDF5
    # What its __enter__ does, which opens the .h5 file in the working directory.
    writer.h5_filename, writer.h5_file = "data.h5", h5py.File(data, "w")
    with writer.h5_file as file:
        file.attrs[_MARK] = True
        for n, (value, grid) in enumerate(zip(values.tolist(), grids, strict=True)):
            if n == 0:
                writer.write_points_cells(grid.points, grid.cells)
            writer.write_data(value, point_data=grid.point_data, cell_data=grid.cell_data)

    def index(members: list[Path]) -> None:
        for item in writer.xdmf_file.iter("DataItem"):
            item.text = f"{members[0].name}:{item.text.rpartition(':')[2]}"
        write_whole(target, ElementTree.tostring(writer.xdmf_file, encoding="utf-8", xml_declaration=True))

    new = target.with_name(f"{target.stem}.new-{secrets.token_hex(4)}.h5") if plain.exists() else plain
    write_whole(new, data.getbuffer(), target)
    try:
        index([new])
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    kept = _renamed([new], [plain], index)
    for file in target.parent.iterdir():  # of series that were replaced, or not completed
        if re.fullmatch(re.escape(target.stem) + _TOKEN + r"\.h5", file.name) and file not in kept:
            file.unlink(missing_ok=True)


def _check_data_file(target: Path, plain: Path) -> None:
    """Refuse to replace an .h5 file that is no part of a series, for example a result with the same name."""
    import h5py

    if not plain.exists():
        return
    try:
        with h5py.File(plain, "r", locking=False) as file:
            if _MARK in file.attrs:
                return
    except (OSError, RuntimeError):
        pass
    raise FileError(
        f"cannot write {target.name!r}: its values go to {plain.name!r}, which exists and is no file of a series; give "
        "another name"
    )


def check_series_name(target: Path) -> None:
    """Refuse names of which a reader could not find the files of the series.

    Raises
    ------
    ValueError
        If the name means something in the files, or cannot be written in XML.
    """
    stem = target.stem
    bad = "".join(sorted({c for c in stem if not c.isprintable() and c != "\xa0"} | (set(stem) & set("\\:"))))
    if bad or not stem.strip(". "):
        raise ValueError(
            f"cannot write {target.name!r}: the name of a series holds more than dots, and none of : and \\ nor "
            "characters that cannot be printed"
        )


def check_array_names(names: Iterable[str]) -> None:
    """Refuse names of arrays that XML cannot hold; ValueError names them."""
    for name in names:
        if re.search("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", name):
            raise ValueError(f"cannot write an array named {name!r:.200}: XML does not hold such characters")
