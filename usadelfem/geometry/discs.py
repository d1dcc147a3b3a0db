"""Round shapes: discs and rings, and what has leads around its centre."""

from __future__ import annotations

import math

from ..checks import flag
from ..device.material import Material
from ..errors import MeshError
from .arguments import length as checked
from .arguments import materials_of, optional
from .drawing import Drawing, Edge, Face, Mirror, outline
from .geometry import Geometry
from .triangulate import Sketch

ORIGIN = (0.0, 0.0)


def disc(
    *, radius: float, hole: float | None = None, height: float | None = None, thickness: float | None = None,
    symmetric: bool = False, **materials: Material,
) -> Geometry:  # fmt: skip
    """A disc around the origin, if wanted with a round hole in its middle. It has no terminals.

    ``disc(Al=al, radius=500)`` has the region ``Al`` and the facet set ``edge``; with a hole also ``hole``. Gmsh makes
    the mesh.

    Parameters
    ----------
    radius
        Outer radius.
    hole
        Radius of the hole; None: none.
    height
        Extent along z, from 0 on; None: a plane film.
    thickness
        Thickness of a plane film, which the device keeps.
    symmetric
        Make the mesh of mirror images of a quarter, with nodes that are symmetric bit for bit. Else it is unstructured,
        which lets solutions leave a symmetric state that is unstable.
    **materials
        One material by name.

    Raises
    ------
    MeshError
        If a length is not positive or the hole not smaller than the disc; when the mesh is made, if there is no Gmsh.
    DeviceError
        If something else than a Material is given.
    TypeError
        If there is not one material.
    """
    ((name, metal),) = materials_of("disc", materials, 1, example="disc(Al=al, radius=500)")
    outer, inner = checked("radius", radius), optional("hole", hole)
    if inner is not None and inner >= outer:
        raise MeshError(f"hole is {inner:g} and radius {outer:g}; the hole must be smaller")
    edge = Edge((outer, 0.0), (0.0, outer), ORIGIN)
    sets = {"edge": (edge,)}
    if inner is None:
        edges, across = outline((0.0, 0.0), (outer, 0.0), (ORIGIN, (0.0, outer))), outer
    else:
        across = outer - inner
        edges = outline((inner, 0.0), (outer, 0.0), (ORIGIN, (0.0, outer)), (0.0, inner), (ORIGIN, (inner, 0.0)))
        sets["hole"] = (Edge((inner, 0.0), (0.0, inner), ORIGIN),)
    drawing = Drawing((Face(name, edges),), sets, (Mirror(0), Mirror(1)), {name: across})
    return Geometry(
        kind="disc", shape=sketch(drawing, symmetric, height), materials={name: metal}, labels={name: name},
        terminals={}, thickness=thickness,
    )  # fmt: skip


def sketch(drawing: Drawing, symmetric: bool, height: float | None) -> Sketch:
    """The drawing with checked settings."""
    return Sketch(drawing, flag("symmetric", symmetric, error=MeshError), optional("height", height))


def half_angle(width: float, radius: float) -> float:
    """Half the angle under which a chord is seen from the centre."""
    return math.asin(0.5 * width / radius)


def ring(
    *, radius: float, width: float, lead: float | None = None, lead_width: float | None = None,
    height: float | None = None, thickness: float | None = None, symmetric: bool = False, **materials: Material,
) -> Geometry:  # fmt: skip
    """A ring around the origin, if wanted with leads to the left and to the right.

    ``ring(Al=al, radius=500, width=100, lead=300)`` has the region ``Al``, terminals ``left`` and ``right`` and the
    facet sets ``edge`` and ``hole``; without leads there are no terminals. Gmsh makes the mesh.

    Parameters
    ----------
    radius
        Radius of the middle of the ring.
    width
        Width of the ring.
    lead
        Length of each lead; None: no leads.
    lead_width
        Width of the leads; None: that of the ring.
    height, thickness, symmetric
        As of `disc`.
    **materials
        One material by name.

    Raises
    ------
    MeshError
        As `disc`, and if the ring has no hole, or its leads are as wide as its hole.
    DeviceError, TypeError
        As `disc`.
    """
    ((name, metal),) = materials_of("ring", materials, 1, example="ring(Al=al, radius=500, width=100)")
    mean, wide = checked("radius", radius), checked("width", width)
    inner, outer, reach = mean - 0.5 * wide, mean + 0.5 * wide, optional("lead", lead)
    narrow = wide if lead_width is None else checked("lead_width", lead_width)
    if inner <= 0 or (reach is not None and narrow >= 2 * inner):
        raise MeshError(
            f"the hole has the radius {inner:g}; it must be positive, and wider than the leads, {narrow:g}"
        )
    tail = ((0.0, inner), (ORIGIN, (inner, 0.0)))
    sets = {"edge": (Edge((outer, 0.0), (0.0, outer), ORIGIN),), "hole": (Edge((inner, 0.0), (0.0, inner), ORIGIN),)}
    edges = outline((inner, 0.0), (outer, 0.0), (ORIGIN, (0.0, outer)), *tail)
    if reach is not None:
        half, end = 0.5 * narrow, outer + reach
        root = _at(half_angle(narrow, outer), outer)
        edges = outline((inner, 0.0), (end, 0.0), (end, half), root, (ORIGIN, (0.0, outer)), *tail)
        sets = {"right": (Edge((end, 0.0), (end, half)),), **sets, "edge": (Edge(root, (0.0, outer), ORIGIN),)}
    mirrors = (Mirror(0, {"right": "left"}), Mirror(1))
    across = wide if reach is None else min(wide, narrow)
    return Geometry(
        kind="ring", shape=sketch(Drawing((Face(name, edges),), sets, mirrors, {name: across}), symmetric, height),
        materials={name: metal}, labels={name: name}, thickness=thickness,
        terminals={} if reach is None else {"left": name, "right": name},
    )  # fmt: skip


def _at(angle: float, radius: float) -> tuple[float, float]:
    return radius * math.cos(angle), radius * math.sin(angle)
