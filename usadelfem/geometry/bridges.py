"""Constrictions and islands in films."""

from __future__ import annotations

from ..checks import shown
from ..device.material import Material
from ..errors import MeshError
from .arguments import lengths, materials_of, optional
from .discs import ORIGIN, sketch
from .drawing import Drawing, Edge, Face, Mirror, Point, outline
from .geometry import Geometry


def nanobridge(
    *, length: float, width: float, pad: float, bank_width: float, radius: float | None = None,
    taper: float | None = None, height: float | None = None, thickness: float | None = None, symmetric: bool = False,
    **materials: Material,
) -> Geometry:  # fmt: skip
    """A Dayem bridge: a constriction along x between two banks, centred on the origin.

    ``nanobridge(S=nb, length=50, width=30, pad=400, bank_width=400, radius=40)`` has the regions ``S_left``, ``bridge``
    and ``S_right``; a second material, ``N=cu``, gives the bridge its name and its metal. Terminals are ``left`` and
    ``right``, the outer ends of the banks. Gmsh makes the mesh.

    Parameters
    ----------
    length, width
        Extents of the bridge along x and y.
    pad, bank_width
        Extents of a bank along x and y.
    radius
        Radius of the arcs in which the bridge goes over into the banks; None: sharp corners, or a taper.
    taper
        Length over which the banks widen from the width of the bridge to their own; None: at once.
    height, thickness, symmetric
        As of `disc`.
    **materials
        One material by name, or that of the banks and that of the bridge.

    Raises
    ------
    MeshError
        As `disc`, and if the bridge is not narrower than the banks, arcs or taper find no room in the banks, or
        there are both.
    DeviceError, TypeError
        As `disc`.
    """
    (outer, bank), *rest = materials_of("nanobridge", materials, 1, 2, example="nanobridge(S=nb, ...)")
    middle, metal = rest[0] if rest else ("bridge", bank)
    long, wide, reach, bank_side = lengths(length=length, width=width, pad=pad, bank_width=bank_width)
    round_, flare = optional("radius", radius), optional("taper", taper)
    x, y, end, top = 0.5 * long, 0.5 * wide, 0.5 * long + reach, 0.5 * bank_side
    if round_ is not None and flare is not None:
        raise MeshError("give either radius or taper, not both")
    if y >= top or (round_ or flare or 0.0) >= reach or y + (round_ or 0.0) >= top:
        raise MeshError(
            f"a bridge of width {wide:g} with radius={shown(radius)}, taper={shown(taper)} finds no room in banks of "
            f"length {reach:g} and width {bank_side:g}"
        )
    shoulder: list[Point | tuple[Point, Point]] = [(x + (flare or 0.0), top), (x, y)]
    if round_ is not None:
        shoulder = [(x + round_, top), (x + round_, y + round_), ((x, y + round_), (x, y))]
    names = (f"{outer}_left", middle, f"{outer}_right")
    faces = (
        Face(middle, outline((0.0, 0.0), (x, 0.0), (x, y), (0.0, y))),
        Face(names[2], outline((x, 0.0), (end, 0.0), (end, top), *shoulder)),
    )
    mirrors = (Mirror(0, {names[2]: names[0], "right": "left"}), Mirror(1))
    sets = {"right": (Edge((end, 0.0), (end, top)),)}
    return Geometry(
        kind="nanobridge",
        shape=sketch(Drawing(faces, sets, mirrors, {middle: wide, names[2]: bank_side}), symmetric, height),
        materials=dict(zip(names, (bank, metal, bank), strict=True)),
        labels=dict(zip(names, (outer, rest[0][0] if rest else outer, outer), strict=True)),
        terminals={"left": names[0], "right": names[2]}, thickness=thickness,
    )  # fmt: skip


def island(
    *, radius: float, length: float, width: float, height: float | None = None, thickness: float | None = None,
    symmetric: bool = False, **materials: Material,
) -> Geometry:  # fmt: skip
    """A round island in the middle of a rectangular film, around the origin.

    ``island(S=al, N=cu, radius=100, length=1000, width=600)`` has the regions ``S``, the island, and ``N``, the film,
    terminals ``left`` and ``right`` and the facet sets ``bottom`` and ``top`` (with a height ``front`` and ``back``)
    and ``S_N``. Gmsh makes the mesh.

    Parameters
    ----------
    radius
        Radius of the island.
    length, width
        Extents of the film along x and y.
    height, thickness, symmetric
        As of `disc`.
    **materials
        Two materials by name: first that of the island, then that of the film.

    Raises
    ------
    MeshError
        As `disc`, and if the island finds no room in the film.
    DeviceError, TypeError
        As `disc`.
    """
    (inner, core), (outer, film) = materials_of("island", materials, 2, example="island(S=al, N=cu, ...)")
    r, long, wide = lengths(radius=radius, length=length, width=width)
    x, y = 0.5 * long, 0.5 * wide
    if r >= min(x, y):
        raise MeshError(f"radius is {r:g}; the film, {long:g} x {wide:g}, must be larger than the island")
    faces = (
        Face(inner, outline(ORIGIN, (r, 0.0), (ORIGIN, (0.0, r)))),
        Face(outer, outline((r, 0.0), (x, 0.0), (x, y), (0.0, y), (0.0, r), (ORIGIN, (r, 0.0)))),
    )
    low, high = ("bottom", "top") if height is None else ("front", "back")
    sets = {"right": (Edge((x, 0.0), (x, y)),), high: (Edge((x, y), (0.0, y)),)}
    drawing = Drawing(faces, sets, (Mirror(0, {"right": "left"}), Mirror(1, {high: low})), {inner: 2 * r, outer: y - r})
    return Geometry(
        kind="island", shape=sketch(drawing, symmetric, height), materials={inner: core, outer: film},
        labels={inner: inner, outer: outer}, terminals={"left": outer, "right": outer}, thickness=thickness,
    )  # fmt: skip
