"""The current model of the Gmsh API as a mesh, without a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import skfem

from ..checks import named, shown
from ..errors import MeshError, warn
from .msh import Block, Ints, MeshFile
from .read import convert

# Node of a Gmsh cell that is each node in VTK's order, where they differ (Gmsh manual, section on node ordering).
VTK_ORDER = {
    "tetra10": [0, 1, 2, 3, 4, 5, 6, 7, 9, 8],
    "hexahedron27": [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 9, 16, 18, 19, 17, 10, 12, 14, 15, 22, 23, 21, 24, 20, 25, 26,
    ],
}  # fmt: skip


@named()
def from_gmsh(model: Any) -> skfem.Mesh:
    """The mesh of the current Gmsh model, with its regions and facet sets, as `read_mesh` reads it from a file.

    The physical groups of the highest dimension are the regions (``mesh.subdomains``), those of one dimension less the
    facet sets (``mesh.boundaries``); a group without a name is called by its number. A model that has no mesh yet is
    meshed first, with the options of the session; nothing else about it changes.

    Parameters
    ----------
    model
        ``gmsh.model``; Gmsh must be initialised. Geometry of either kernel has to be synchronised.

    Returns
    -------
    MeshLine1, MeshTri1, MeshQuad1, MeshTet1 or MeshHex1; coordinates keep the unit of the model.

    Raises
    ------
    TypeError
        If it is no Gmsh model.
    MeshError
        If Gmsh is not initialised or cannot mesh the model, the mesh is partitioned, and for all that `read_mesh`
        refuses.
    """
    if not hasattr(getattr(model, "mesh", None), "getElements"):
        raise TypeError(f"model is {shown(model)}; allowed is gmsh.model, after `import gmsh`")
    if not sys.modules[model.__module__].isInitialized():
        raise MeshError("Gmsh is not initialised; call gmsh.initialize() and build a model first")
    name = model.getCurrent()
    try:
        if not _has_mesh(model):
            model.mesh.generate(_dimension(model))
        return convert(_content(model, name))
    except MeshError as error:
        raise MeshError(f"Gmsh model {name!r}: {error}") from error
    except Exception as error:  # Gmsh raises nothing more special
        raise MeshError(f"Gmsh model {name!r}: Gmsh says: {error}") from error


def _has_mesh(model: Any) -> bool:
    return any(len(numbers) for numbers in model.mesh.getElements()[1])


def _dimension(model: Any) -> int:
    """That of the geometry; MeshError if there is none."""
    found = max((dim for dim, _ in model.getEntities()), default=0)
    if not found:
        raise MeshError("it has no geometry; synchronise it first (gmsh.model.occ.synchronize() or .geo.synchronize())")
    return int(found)


def _content(model: Any, name: str) -> MeshFile:
    """What the file of the model would hold: if there are physical groups, only elements in one of them."""
    if model.getNumberOfPartitions():
        raise MeshError(
            "its mesh is partitioned, elements belong to parts instead of the geometry; remove the partitions "
            "(gmsh.model.mesh.unpartition())"
        )
    tags, points, _ = model.mesh.getNodes()
    row_of = np.zeros(int(tags.max(initial=0)) + 1, np.int64)
    row_of[tags.astype(np.int64)] = np.arange(len(tags))
    groups, declared = _groups(model)
    entities = [entity for entity in model.getEntities() if not groups or entity in groups]
    _warn_of_periodic(model, name)
    blocks = tuple(block for entity in entities for block in _blocks(model, entity, groups.get(entity, ()), row_of))
    return MeshFile(np.reshape(points, (-1, 3)), blocks, declared)


def _groups(model: Any) -> tuple[Mapping[tuple[int, int], tuple[str, ...]], frozenset[tuple[int, str]]]:
    """The groups of each entity (dimension, tag), and the (dimension, name) of all that have a name."""
    groups: dict[tuple[int, int], tuple[str, ...]] = {}
    declared = set()
    for dim, tag in model.getPhysicalGroups():
        name = model.getPhysicalName(dim, tag)
        if name:
            declared.add((dim, name))
        for entity in model.getEntitiesForPhysicalGroup(dim, tag):
            key = (dim, abs(int(entity)))
            groups[key] = (*groups.get(key, ()), name or str(tag))
    return groups, frozenset(declared)


def _blocks(model: Any, entity: tuple[int, int], names: tuple[str, ...], row_of: Ints) -> list[Block]:
    """The elements of an entity, a block of each type."""
    found = []
    for kind, numbers, nodes in zip(*model.mesh.getElements(*entity), strict=True):
        if not len(numbers):
            continue
        from meshio.gmsh import gmsh_to_meshio_type  # loaded when a model is read

        if kind not in gmsh_to_meshio_type:
            raise MeshError(f"elements of type {model.mesh.getElementProperties(kind)[0]} are not supported")
        word = gmsh_to_meshio_type[kind]
        rows = row_of[nodes.astype(np.int64).reshape(len(numbers), -1)]
        rows = rows[:, VTK_ORDER.get(word, slice(None))]
        found.append(Block(word, entity[0], rows, dict.fromkeys(names, np.arange(len(rows)))))
    return found


def _warn_of_periodic(model: Any, name: str) -> None:
    for dim in range(3):
        tags = [tag for _, tag in model.getEntities(dim)]
        if tags and (np.asarray(model.mesh.getPeriodic(dim, tags)) != tags).any():
            warn(f"Gmsh model {name!r}: its periodic links are not used, both sides are boundaries of the mesh")
            return
