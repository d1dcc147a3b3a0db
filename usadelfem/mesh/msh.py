"""Mesh files as arrays: nodes, blocks of elements and the names of the groups they belong to.

The elements come from meshio. The groups of a Gmsh file are read here, because meshio keeps one physical tag per
entity, forgets groups of reversed entities, and confuses a curve and a surface that share a name.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MeshError, warn
from .formats import read_other, refuse
from .names import decode_name

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Elements of one type: ``nodes`` is (n_elements, n_nodes), ``groups`` maps a group name to rows of ``nodes``."""

    kind: str
    dim: int
    nodes: Ints
    groups: Mapping[str, Ints]


@dataclass(frozen=True)
class MeshFile:
    """What a mesh file holds: ``points`` is (n_points, 3), ``declared`` are the (dimension, name) of named groups.

    ``lacks`` says of other formats than Gmsh's what they want for regions.
    """

    points: Floats
    blocks: tuple[Block, ...]
    declared: frozenset[tuple[int, str]]
    lacks: str = ""


@dataclass(frozen=True)
class _Header:
    """The $MeshFormat section: ``size`` is the number of bytes of a count in a binary file."""

    version: str
    binary: bool
    size: int


def read_mesh_file(path: Path) -> MeshFile:
    """Read a mesh file; Gmsh for the suffix ``.msh``, whatever meshio supports otherwise.

    Raises FileNotFoundError, and MeshError naming the file and the reason if it is damaged or not supported.
    """
    if not path.exists():
        raise FileNotFoundError(f"mesh file not found: {path}")
    refuse(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MeshError(f"cannot read mesh file {path}: {error.strerror or error}") from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="string or file could not be read")
            if path.suffix.lower() == ".msh":
                return _read_gmsh(path, data)
            raw, groups, lacks = read_other(path)
            return replace(_mesh_file(raw, groups, frozenset()), lacks=lacks)
    except MeshError as error:
        if str(error).startswith("cannot read"):
            raise
        raise MeshError(f"cannot read mesh file {path}: {error}") from error
    # meshio raises exceptions of any kind, and even exits, on damaged files
    except (Exception, SystemExit) as error:
        raise MeshError(f"cannot read mesh file {path}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    if "Incompatible cell data 'gmsh:physical'" in str(error):
        return (
            "some of its elements are in a physical group and others in none; set Mesh.SaveAll = 0 in Gmsh, or add "
            "the missing Physical groups, and save it again"
        )
    if isinstance(error, SystemExit) or "Couldn't read file" in str(error):
        return "meshio does not recognise its contents"
    if isinstance(error, FileNotFoundError) or "unable to open file" in str(error).lower():
        return f"a file that it refers to is missing or damaged: {error}"
    if isinstance(error, UnicodeDecodeError):
        return "its text is not in UTF-8; save it again as UTF-8"
    if "parametric nodes" in str(error):
        return "its nodes have parametric coordinates; set Mesh.SaveParametric = 0 in Gmsh and save it again"
    return "it is damaged, incomplete, or of a kind of its format that is not read; write it again"


def _read_gmsh(path: Path, data: bytes) -> MeshFile:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise MeshError("its text is in UTF-16; save it as UTF-8, or again from Gmsh")
    header = _check_format(path, data)
    if b"$PartitionedEntities" in data:
        raise MeshError(
            "it is a partitioned mesh, whose elements belong to parts instead of the geometry; remove the partitions "
            "(gmsh.model.mesh.unpartition(), in the window: Mesh, Unpartition) and save it again"
        )
    if b"$Periodic" in data and _PERIODIC.search(data):
        warn(
            f"mesh file {path}: its periodic links are not used, both of their sides are boundaries of the mesh"
        )
    raw = _read_elements(path, data)
    names = _physical_names(data)
    if header.version == "4.1":
        groups = _groups_of_entities(raw, _entity_groups(path, data, header), names)
    else:
        groups = _groups_of_elements(raw, names)
    return _mesh_file(raw, groups, frozenset((dim, name) for (dim, _), name in names.items()))


_TEXTS = re.compile(rb"(\$(PhysicalNames|Comments)\s)(.*?)(\$End\2)", re.DOTALL)
_PERIODIC = re.compile(rb"^\$Periodic\s.*?^\$EndPeriodic[^\n]*\n?", re.DOTALL | re.MULTILINE)
_BOM = b"\xef\xbb\xbf"
_NAME = re.compile(rb'^(\s*\d\s+\d+\s+)"(.*)"', re.MULTILINE)


def _read_elements(path: Path, data: bytes) -> Any:
    """What meshio reads, which gives up at names and comments in Latin-1 or with quotes: of a copy without them."""
    import meshio

    texts = [found.group(3) for found in _TEXTS.finditer(data)]
    odd = data.startswith(_BOM) or _PERIODIC.search(data) is not None
    if not odd and all(text.isascii() and b"\\" not in text and b"'" not in text for text in texts) and not any(
        b'"' in name for text in texts for _, name in _NAME.findall(text)
    ):
        return meshio.gmsh.read(path)

    def plain(found: re.Match[bytes]) -> bytes:
        tags = iter(range(len(found.group(3))))
        text = _NAME.sub(lambda line: line.group(1) + b'"group %d"' % next(tags), found.group(3))
        return found.group(1) + re.sub(rb"[^\x00-\x7f]", b"?", text) + found.group(4)

    with TemporaryDirectory() as folder:
        copy = Path(folder) / "plain.msh"
        copy.write_bytes(_TEXTS.sub(plain, _PERIODIC.sub(b"", data.removeprefix(_BOM))))
        return meshio.gmsh.read(copy)


def _mesh_file(raw: Any, groups: list[dict[str, Ints]], declared: frozenset[tuple[int, str]]) -> MeshFile:
    points = np.zeros((len(raw.points), 3))
    points[:, : raw.points.shape[1]] = raw.points
    blocks = tuple(
        Block(cells.type, cells.dim, np.asarray(cells.data, dtype=np.int64), named)
        for cells, named in zip(raw.cells, groups, strict=True)
    )
    if any(block.nodes.size and not 0 <= block.nodes.min() <= block.nodes.max() < len(points) for block in blocks):
        raise MeshError("an element refers to a node which is not in the file")
    return MeshFile(points, blocks, declared)


def _check_format(path: Path, data: bytes) -> _Header:
    """The header of a Gmsh file which is complete as far as its section marks tell."""
    text = data.removeprefix(_BOM)
    found = re.match(rb"\s*(?:\$Comments.*?\$EndComments\s*)?\$MeshFormat\s+([\d.]+)\s+([01])\s+(\d+)", text, re.DOTALL)
    if not found:
        raise MeshError(f"cannot read mesh file {path}: it does not start with $MeshFormat, so it is not a Gmsh mesh")
    version = found.group(1).decode()
    if version not in ("2", "2.1", "2.2", "4.1"):
        raise MeshError(
            f"cannot read mesh file {path}: its MSH version is {version}, but 2.2 and 4.1 are supported; "
            "set Mesh.MshFileVersion = 4.1 in Gmsh and save it again"
        )
    end = re.search(rb"\$End(\w+)\s*\Z", data[-100:])
    if not end or not re.search(rb"^\$" + end.group(1) + rb"\s*$", data, re.MULTILINE):
        raise MeshError(f"cannot read mesh file {path}: it is truncated, its last line is not the end of a section")
    return _Header(version, binary=found.group(2) == b"1", size=int(found.group(3)))


def _physical_names(data: bytes) -> dict[tuple[int, int], str]:
    """The names of physical groups by (dimension, tag)."""
    section = re.search(rb"\$PhysicalNames\s(.*?)\$EndPhysicalNames", data, re.DOTALL)
    lines = re.findall(rb'^\s*(\d)\s+(\d+)\s+"(.*)"\s*$', section.group(1), re.MULTILINE) if section else []
    return {(int(dim), int(tag)): decode_name(name) or str(int(tag)) for dim, tag, name in lines}


def _groups_of_elements(raw: Any, names: Mapping[tuple[int, int], str]) -> list[dict[str, Ints]]:
    """MSH 2: each element has one physical tag, and is repeated if it is in several groups; 0 is no group."""
    tags = raw.cell_data.get("gmsh:physical", [np.zeros(len(cells), dtype=np.int64) for cells in raw.cells])
    return [
        _collect(cells.dim, {int(tag): np.flatnonzero(own == tag) for tag in np.unique(own) if tag}, names)
        for cells, own in zip(raw.cells, tags, strict=True)
    ]


def _groups_of_entities(
    raw: Any, entities: Mapping[tuple[int, int], tuple[int, ...]], names: Mapping[tuple[int, int], str]
) -> list[dict[str, Ints]]:
    """MSH 4.1: each block of elements belongs to a geometrical entity, which is in any number of groups."""
    groups = []
    for cells, entity in zip(raw.cells, raw.cell_data.get("gmsh:geometrical", []), strict=True):
        tags = entities.get((cells.dim, int(entity[0])), ()) if len(entity) else ()
        groups.append(_collect(cells.dim, {tag: np.arange(len(cells)) for tag in tags}, names))
    return groups


def _collect(dim: int, rows: Mapping[int, Ints], names: Mapping[tuple[int, int], str]) -> dict[str, Ints]:
    """Rows by group name; a tag without a name is called by its number, the sign (an orientation) is dropped."""
    groups: dict[str, Ints] = {}
    for tag, own in rows.items():
        name = names.get((dim, abs(tag)), str(abs(tag)))
        groups[name] = np.union1d(groups.get(name, own), own)
    return groups


def _entity_groups(path: Path, data: bytes, header: _Header) -> dict[tuple[int, int], tuple[int, ...]]:
    """The physical tags of each entity, by (dimension, entity tag), from the $Entities section of MSH 4.1."""
    start = data.find(b"$Entities")
    if start < 0:
        return {}
    with path.open("rb") as file:
        file.seek(start)
        file.readline()
        take = partial(np.fromfile, file, sep="" if header.binary else " ")
        count_type = np.dtype(f"u{header.size}")
        return dict(
            _entity(take, count_type, dim)
            for dim, count in enumerate(take(dtype=count_type, count=4))
            for _ in range(int(count))
        )


def _entity(take: Any, count_type: np.dtype[Any], dim: int) -> tuple[tuple[int, int], tuple[int, ...]]:
    tag = int(take(dtype=np.int32, count=1)[0])
    take(dtype=np.float64, count=6 if dim else 3)
    groups = take(dtype=np.int32, count=int(take(dtype=count_type, count=1)[0]))
    if dim:
        take(dtype=np.int32, count=int(take(dtype=count_type, count=1)[0]))
    return (dim, tag), tuple(groups.tolist())
