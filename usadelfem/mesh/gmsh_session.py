"""A Gmsh model of our own beside whatever the user does with Gmsh."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from ..errors import MeshError

# What a session is set to while our model is meshed: defaults that a user's session may have changed, silence, and one
# thread, because the mesh of several depends on their number. The longest edges exceed a size by a third, so that Gmsh
# is asked for less.
OPTIONS = {
    "General.Terminal": 0, "General.Verbosity": 0, "General.NumThreads": 1, "General.AbortOnError": 2,
    "Geometry.Tolerance": 1e-8, "Geometry.AutoCoherence": 1, "Mesh.Algorithm": 6, "Mesh.ElementOrder": 1,
    "Mesh.MeshSizeExtendFromBoundary": 0, "Mesh.MeshSizeFactor": 0.85, "Mesh.MeshSizeFromCurvature": 0,
    "Mesh.MeshSizeFromPoints": 0, "Mesh.MeshSizeMax": 1e22, "Mesh.MeshSizeMin": 0, "Mesh.Optimize": 1,
    "Mesh.RandomSeed": 1, "Mesh.RecombineAll": 0, "Mesh.Smoothing": 1, "Mesh.SubdivisionAlgorithm": 0,
}  # fmt: skip


def import_gmsh() -> Any:
    """The module gmsh; MeshError with what to do if it is not there or its libraries are not."""
    try:
        import gmsh
    except ImportError as error:
        raise MeshError(
            f'this shape is meshed by Gmsh, which cannot be imported ({error}); pip install "usadelfem[gmsh]"'
        ) from error
    except OSError as error:  # libGLU and the like, which the wheel takes from the system
        raise MeshError(
            f"this shape is meshed by Gmsh, which misses a library of the system ({error}); install that library, on "
            "Debian and Ubuntu: apt install libglu1-mesa libxft2"
        ) from error
    return gmsh


@contextmanager
def gmsh_model() -> Iterator[Any]:
    """The module gmsh with a new, empty model, which is removed in the end.

    A session of the user keeps its models, which of them is current, and its options; without one, one is opened
    without reading configuration files or touching signal handlers, and closed.
    """
    gmsh = import_gmsh()
    own = not gmsh.isInitialized()
    if own:
        gmsh.initialize(readConfigFiles=False, interruptible=False)
    before = {} if own else {name: gmsh.option.getNumber(name) for name in OPTIONS}
    current = gmsh.model.getCurrent()
    try:
        for name, value in OPTIONS.items():
            gmsh.option.setNumber(name, value)
        gmsh.model.add(f"usadelfem-{uuid4()}")
        try:
            yield gmsh
        finally:
            gmsh.model.remove()
    finally:
        for name, value in before.items():
            gmsh.option.setNumber(name, value)
        if own:
            gmsh.finalize()
        else:
            gmsh.model.setCurrent(current)
