"""Groups of cells and facets in mesh files other than Gmsh's: what MED, XDMF, VTK, Abaqus, Medit and SU2 make of them.

meshio reads the elements. Names are those of groups and element sets; where a format numbers its cells instead, the
integers of one array over the cells are the names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import BufferedReader, FileIO, StringIO, TextIOWrapper
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import no_file
from ..errors import MeshError
from .names import decode_name

Ints = NDArray[np.int64]
Groups = list[dict[str, Ints]]

# Arrays of numbered cells that programs write, the first that a file has is taken; otherwise its only one of integers.
TAGS = (
    "gmsh:physical", "medit:ref", "su2:tag", "cell_tags", "CellEntityIds", "region", "Region", "regions", "material",
    "Material", "MaterialID", "MaterialIDs", "materials", "tag", "tags", "marker", "markers", "subdomain", "attribute",
    "name_to_read", "f", "tetgen:ref", "gmsh:geometrical",
)  # fmt: skip
# The number that says that a cell is in no group, where there is one.
NO_GROUP = {
    "gmsh:physical": 0, "gmsh:geometrical": 0, "medit:ref": 0, "cell_tags": 0, "su2:tag": 0, "obj:group_ids": -1,
}  # fmt: skip
GEOMETRY = (".geo", ".geo_unrolled", ".brep", ".step", ".stp", ".iges", ".igs", ".fcstd")
# Formats that meshio does not read but Gmsh does.
GMSH_READS = (".unv", ".p3d", ".diff", ".mail", ".celum")
SAVE = "save it as .msh (Gmsh 4.1 or 2.2) with physical groups"
# Surfaces without data, which no reader has to look at.
BARE = (".stl", ".off", ".wkt")
# Formats whose readers do not see the end of a file: their name, and whether they are text.
ENDLESS = {".dat": ("tecplot", True), ".tec": ("tecplot", True), ".mdpa": ("mdpa", False), ".ply": ("ply", False)}
READS_BEYOND = 100
# Files of a mesh of TetGen: what they hold, and the integers of their first line.
TETGEN = {".node": ("nodes", 4), ".ele": ("tetrahedra", 3)}
LACKS = {
    ".node": "its tetrahedra have no attributes; run tetgen with -A, or " + SAVE,
    ".ele": "its tetrahedra have no attributes; run tetgen with -A, or " + SAVE,
    ".med": "it has no groups of cells; make groups of the volumes (faces in 2D) in Salome, or " + SAVE,
    ".inp": "it has no element sets; add *ELSET, or " + SAVE,
    ".mesh": "all references of its cells are 0; number the regions, or " + SAVE,
    ".meshb": "all references of its cells are 0; number the regions, or " + SAVE,
    ".stl": "this format holds surfaces without regions; mesh the geometry, and " + SAVE,
    ".obj": "this format holds surfaces, and no groups (g) of them are given; mesh the geometry, and " + SAVE,
    ".off": "this format holds surfaces without regions; mesh the geometry, and " + SAVE,
    ".wkt": "this format holds surfaces without regions; mesh the geometry, and " + SAVE,
    ".ply": "this format holds surfaces without regions; mesh the geometry, and " + SAVE,
}
LACKS_TAGS = "it has no array of integers over the cells that tells regions apart; add one named 'region', or " + SAVE


def refuse(path: Path) -> None:
    """MeshError for what is no file with a mesh: a folder, a pipe, or a geometry."""
    suffix = path.suffix.lower()
    reason = no_file(path)
    if reason:
        raise MeshError(f"cannot read mesh file {path}: {reason}")
    if suffix in GEOMETRY:
        raise MeshError(
            f"cannot read mesh file {path}: {suffix} is a geometry, not a mesh; mesh it with Gmsh and save it as .msh: "
            f"gmsh -2 {path.name} -o {path.stem}.msh (-3 for three dimensions)"
        )
    if suffix in GMSH_READS:
        raise MeshError(
            f"cannot read mesh file {path}: {suffix} files are not read here; convert it with Gmsh, which does: "
            f"gmsh -0 {path.name} -o {path.stem}.msh -format msh41"
        )
    from meshio import extension_to_filetypes as known
    if not any("".join(path.suffixes[k:]).lower() in known for k in range(len(path.suffixes))):
        raise MeshError(
            f"cannot read mesh file {path}: the ending {suffix!r} is of no known format; known are "
            f"{', '.join(sorted(known))}"
        )
    if suffix in BARE:
        raise MeshError(f"cannot read mesh file {path}: it has no regions: {LACKS[suffix]}")
    if suffix in TETGEN:
        _check_tetgen(path)


def _check_tetgen(path: Path) -> None:
    """MeshError unless both files of TetGen say how much they hold: meshio looks for that without end."""
    for suffix, (what, count) in TETGEN.items():
        part = path.with_suffix(suffix) if path.suffix.lower() != suffix else path
        if not part.is_file():
            raise MeshError(
                f"cannot read mesh file {path}: the file {part.name!r} with its {what} is missing; a mesh of TetGen "
                f"consists of two files, {' and '.join(path.stem + own for own in TETGEN)}"
            )
        with part.open(encoding="utf-8", errors="replace") as file:
            head = next((line.split() for line in map(str.strip, file) if line and line[0] != "#"), [])
        if len(head) != count or not all(map(str.isdigit, head)) or not int(head[0]):
            raise MeshError(
                f"cannot read mesh file {path}: {part.name!r} holds no {what}; its first line that is no comment has "
                f"to be their number and {count - 1} more integers"
            )


def read_other(path: Path) -> tuple[Any, Groups, str]:
    """What meshio reads, the groups of each of its blocks of elements, and what to say if there are no regions."""
    import meshio

    names: dict[int, str] = {}
    with _readable(path, names) as copy, _silent():
        raw = _read_ending(copy, meshio.read) if path.suffix.lower() in ENDLESS else meshio.read(copy)
    suffix = path.suffix.lower()
    groups = _named_sets(raw)
    if suffix == ".med":
        _add(groups, _med_groups(raw))
    elif not any(own for own, cells in zip(groups, raw.cells, strict=True) if cells.dim == _dim(raw)):
        _add(groups, _tagged(raw, names))
    if suffix == ".su2":
        _add(groups, [{"domain": np.arange(len(cells))} if cells.dim == _dim(raw) else {} for cells in raw.cells])
    return raw, groups, LACKS.get(suffix, LACKS_TAGS)


class _Ending:
    """A file that says where it ends: some readers of meshio look for their next line beyond that without end."""

    reads_beyond = 0

    def readline(self, *size: Any) -> Any:
        line = super().readline(*size)  # type: ignore[misc]
        self.reads_beyond += not line
        if self.reads_beyond > READS_BEYOND:
            raise EOFError("the file ends too early")
        return line


class _EndingBytes(_Ending, BufferedReader):
    pass


class _EndingText(_Ending, TextIOWrapper):
    pass


def _read_ending(path: Path, read: Callable[..., Any]) -> Any:
    kind, is_text = ENDLESS[path.suffix.lower()]
    data = _EndingBytes(FileIO(path))
    with _EndingText(data, encoding="utf-8") if is_text else data as file:
        return read(file, kind)


def _dim(raw: Any) -> int:
    return max((cells.dim for cells in raw.cells if len(cells)), default=0)


def _add(groups: Groups, more: Groups) -> None:
    for own, other in zip(groups, more, strict=True):
        for name, rows in other.items():
            own[name] = np.union1d(own.get(name, rows), rows)


@contextmanager
def _silent() -> Iterator[None]:
    """Without what meshio prints: what matters is raised, or said here."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        yield


@contextmanager
def _readable(path: Path, names: dict[int, str]) -> Iterator[Path]:
    """The file, or a copy that meshio can read: text in UTF-8, and numbers for the markers of SU2, put into `names`."""
    suffix, data = path.suffix.lower(), path.read_bytes()
    binary = suffix in (".med", ".h5m", ".e", ".exo", ".cgns", ".meshb", ".xdmf", ".xmf", *TETGEN)
    text = None if binary or b"\0" in data[:4096] else _decoded(data)
    if text is None or (suffix != ".su2" and _is_utf8(data)):
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise MeshError(f"cannot read mesh file {path}: its text is in UTF-16; save it as UTF-8")
        yield path
        return
    if suffix == ".su2":

        def numbered(found: re.Match[str]) -> str:
            names[len(names) + 1] = found.group(2).strip()
            return f"{found.group(1)}{len(names)}"

        text = re.sub(r"^(\s*MARKER_TAG\s*=\s*)([^\n%]*)", numbered, text, flags=re.MULTILINE)
    with TemporaryDirectory() as folder:
        copy = Path(folder) / f"copy{path.suffix}"
        copy.write_text(text, encoding="utf-8")
        yield copy


def _is_utf8(data: bytes) -> bool:
    if data[:3] == b"\xef\xbb\xbf":
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded(data: bytes) -> str | None:
    """The text of a file, None if it is binary."""
    text = decode_name(data.removeprefix(b"\xef\xbb\xbf"))
    odd = sum(character < " " and character not in "\t\n\r\f" for character in text[:4096])
    return None if odd else text


def _named_sets(raw: Any) -> Groups:
    sets = {name: rows for name, rows in raw.cell_sets.items() if not name.startswith("gmsh:")}
    return [
        {
            name: np.asarray(rows[k], dtype=np.int64)
            for name, rows in sets.items()
            if k < len(rows) and rows[k] is not None and len(rows[k])
        }
        for k in range(len(raw.cells))
    ]


def _med_groups(raw: Any) -> Groups:
    """Families of MED: each has a number and is in any number of groups."""
    families: Mapping[Any, list[str]] = getattr(raw, "cell_tags", {}) or {}
    named = {int(tag): [name.rstrip("\0 ") for name in names] for tag, names in families.items()}
    groups: Groups = []
    for own in raw.cell_data.get("cell_tags", [np.zeros(len(cells), int) for cells in raw.cells]):
        found: dict[str, Ints] = {}
        for tag in np.unique(own):
            for name in named.get(int(tag), []):
                rows = np.flatnonzero(own == tag)
                found[name] = np.union1d(found.get(name, rows), rows)
        groups.append(found)
    return groups


def _tagged(raw: Any, names: Mapping[int, str]) -> Groups:
    """Groups by the integers of one array over the cells; numbers without a name are called by themselves."""
    arrays = {name: [_integers(part) for part in parts] for name, parts in raw.cell_data.items()}
    known_parts = {name: [part for part in parts if part is not None] for name, parts in arrays.items()}
    whole = {name: parts for name, parts in known_parts.items() if len(parts) == len(raw.cells)}
    legend = next((name for name in whole if _legend(name)), None)
    chosen = legend or next((name for name in TAGS if name in whole), None)
    if chosen is None and len(whole) == 1:
        chosen = next(iter(whole))
    if chosen is None:
        if len(whole) > 1:
            raise MeshError(
                f"it has several arrays of integers over the cells, {', '.join(map(repr, whole))}; name the one that "
                "tells regions apart 'region'"
            )
        return [{} for _ in raw.cells]
    known = {(int(dim), int(tag)): name for name, (tag, dim) in _field_names(raw).items()}
    legends, groups = _legend(chosen), []
    for cells, tags in zip(raw.cells, whole[chosen], strict=True):
        found: dict[str, Ints] = {}
        for tag in np.unique(tags):
            if tag != NO_GROUP.get(chosen):
                name = known.get((cells.dim, int(tag))) or legends.get(int(tag)) or names.get(int(tag), str(int(tag)))
                rows = np.flatnonzero(tags == tag)
                found[name] = np.union1d(found.get(name, rows), rows)
        groups.append(found)
    return groups


def _integers(part: Any) -> Ints | None:
    """An array over cells as integers, None if it holds anything else."""
    array = np.asarray(part)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not np.array_equal(array, np.round(array)):
        return None
    return array.astype(np.int64) if array.dtype.kind in "iu" or _looks_like_tags(array) else None


def _looks_like_tags(array: NDArray[Any]) -> bool:
    """Whether whole floats may be numbers of groups: some programs write those as floats."""
    return bool(np.isfinite(array).all() and len(np.unique(array)) <= max(16, len(array) // 4) and (array >= 0).all())


def _legend(name: str) -> dict[int, str]:
    """Names of numbers in the name of an array, as `write_vtk` writes it: region [0=S, 1=N]."""
    found = re.fullmatch(r"region \[(.*)\]", name)
    entries = re.findall(r'(\d+)=("(?:[^"\\]|\\.)*"|[^,]*)', found.group(1)) if found else []
    return {int(number): loads(text) if text.startswith('"') else text for number, text in entries}


def _field_names(raw: Any) -> dict[str, tuple[int, int]]:
    """Names of physical groups that some formats keep: name -> (tag, dimension)."""
    pairs = {name: np.asarray(value) for name, value in (raw.field_data or {}).items()}
    return {
        name: (int(value[0]), int(value[1]))
        for name, value in pairs.items()
        if value.shape == (2,) and value.dtype.kind in "iu"
    }
