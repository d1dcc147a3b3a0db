"""Shapes with right angles only: crosses, Hall bars, SQUIDs and lateral spin valves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_number, integer, shown
from ..device.material import Material
from ..device.quantities import magnitude
from ..errors import MeshError
from .arguments import length as checked
from .arguments import lengths, materials_of, optional
from .blocks import Blocks, Floats, Side, checked_cell, film
from .geometry import Geometry

Table = NDArray[Any]


def cross(
    *, length: float, width: float, height: float | None = None, thickness: float | None = None,
    cell: str | None = None, **materials: Material,
) -> Geometry:  # fmt: skip
    """Two strips that cross at right angles in the origin, with terminals ``left``, ``right``, ``bottom`` and ``top``.

    With a height the terminals along y are called ``front`` and ``back``.

    Parameters
    ----------
    length
        Length of every arm, from the square in the middle on.
    width
        Width of the arms.
    height, thickness, cell
        As of `junction`.
    **materials
        One material by name, which is that of the region.

    Raises
    ------
    MeshError, DeviceError, TypeError
        As `junction`.
    """
    ((name, metal),) = materials_of("cross", materials, 1, example="cross(N=cu, ...)")
    arm, half = lengths(length=length, width=0.5 * checked("width", width))
    planes = np.array([-half - arm, -half, half, half + arm])
    table = np.array([["", name, ""], [name] * 3, ["", name, ""]], dtype=object)
    shape = film((planes, planes), table, None, height, cell)
    return Geometry(
        kind="cross", shape=shape, materials={name: metal}, labels={name: name},
        terminals=dict.fromkeys(list(shape.sides)[:4], name), thickness=thickness,
    )  # fmt: skip


def hall_bar(
    *, length: float, width: float, probe_width: float, probe_length: float, probes: int = 2,
    height: float | None = None, thickness: float | None = None, cell: str | None = None, **materials: Material,
) -> Geometry:  # fmt: skip
    """A strip along x, centred on the origin, with probes on both of its sides.

    Terminals are ``left``, ``right`` and those of the probes from left to right, ``bottom_1``, ``bottom_2``, ... and
    ``top_1``, ``top_2``, ...

    Parameters
    ----------
    length, width
        Extents of the strip along x and y.
    probe_width, probe_length
        Extents of a probe along x and y.
    probes
        Number of probes on each side, evenly spaced.
    height, thickness, cell
        As of `junction`.
    **materials
        One material by name, which is that of the region.

    Raises
    ------
    MeshError
        As `junction`, and if the probes find no room.
    DeviceError, TypeError
        As `junction`.
    """
    ((name, metal),) = materials_of("hall_bar", materials, 1, example="hall_bar(N=pt, ...)")
    long, wide, narrow, reach = lengths(length=length, width=width, probe_width=probe_width, probe_length=probe_length)
    count = integer("probes", probes, least=1, error=MeshError)
    if count * narrow >= 0.999 * long:
        raise MeshError(f"{count} probes of width {narrow:g} find no room along a strip of length {long:g}")
    gap = (long - count * narrow) / (count + 1)
    half = np.cumsum(np.tile([gap, narrow], count)) - 0.5 * long
    x = _symmetric(np.concatenate([[-0.5 * long], half, [0.5 * long]]))
    y = np.array([-0.5 * wide - reach, -0.5 * wide, 0.5 * wide, 0.5 * wide + reach])
    table = np.full((2 * count + 1, 3), "", dtype=object)
    table[:, 1] = name
    table[1::2] = name
    sides = {"left": (Side(0, 0, {1: (1,)}),), "right": (Side(0, len(x) - 1, {1: (1,)}),)}
    for side, plane in (("bottom", 0), ("top", 3)):
        sides |= {f"{side}_{k + 1}": (Side(1, plane, {0: (2 * k + 1,)}),) for k in range(count)}
    return Geometry(
        kind="hall_bar", shape=film((x, y), table, sides, height, cell), materials={name: metal}, labels={name: name},
        terminals=dict.fromkeys(sides, name), thickness=thickness,
    )  # fmt: skip


def squid(
    *, hole: float | tuple[float, float], width: float, link: float, lead: float, lead_width: float | None = None,
    height: float | None = None, thickness: float | None = None, cell: str | None = None, **materials: Material,
) -> Geometry:  # fmt: skip
    """A rectangular loop around the origin with a weak link in each of its arms along x, and leads to both sides.

    ``squid(S=nb, N=cu, hole=1000, width=200, link=100, lead=500)`` has the regions ``S_left``, ``S_right``,
    ``N_bottom`` and ``N_top``, terminals ``left`` and ``right``, and the facet set ``hole``.

    Parameters
    ----------
    hole
        Extents of the hole along x and y; one number for a square.
    width
        Width of the arms.
    link
        Length of the weak links, shorter than the hole.
    lead, lead_width
        Length and width of the leads; the width None is that of the arms, at most half that of the hole.
    height, thickness, cell
        As of `junction`.
    **materials
        Two materials by name: first that of the loop, then that of the weak links.

    Raises
    ------
    MeshError
        As `junction`, and if the link is not shorter than the hole or the lead not narrower.
    DeviceError, TypeError
        As `junction`.
    """
    (outer, electrode), (weak, metal) = materials_of("squid", materials, 2, example="squid(S=nb, N=cu, ...)")
    hole_x, hole_y = (0.5 * side for side in _pair("hole", hole))
    arm, bridge, reach = lengths(width=width, link=link, lead=lead)
    narrow = min(arm, hole_y) if lead_width is None else checked("lead_width", lead_width)
    if bridge >= 2 * hole_x or narrow >= 2 * hole_y:
        raise MeshError(
            f"link is {bridge:g} and lead_width {narrow:g}; the hole, {2 * hole_x:g} x {2 * hole_y:g}, must be longer "
            "and wider"
        )
    x = _both([0.5 * bridge, hole_x, hole_x + arm, hole_x + arm + reach])
    y = _both([0.5 * narrow, hole_y, hole_y + arm])
    left, right, low, high = f"{outer}_left", f"{outer}_right", f"{weak}_bottom", f"{weak}_top"
    rows = [  # from left to right, each from bottom to top
        ["", "", left, "", ""], [left] * 5, [left, "", "", "", left], [low, "", "", "", high],
        [right, "", "", "", right], [right] * 5, ["", "", right, "", ""],
    ]  # fmt: skip
    sides = {
        "left": (Side(0, 0),), "right": (Side(0, 7),),
        "hole": (*(Side(0, k, {1: (1, 2, 3)}) for k in (2, 5)), *(Side(1, k, {0: (2, 3, 4)}) for k in (1, 4))),
    }  # fmt: skip
    return Geometry(
        kind="squid", shape=film((x, y), np.array(rows, dtype=object), sides, height, cell),
        materials={left: electrode, right: electrode, low: metal, high: metal},
        labels={left: outer, right: outer, low: weak, high: weak}, terminals={"left": left, "right": right},
        thickness=thickness,
    )  # fmt: skip


def spin_valve(
    *, distance: float, magnet: float, pad: float, strip: float, cap: float, width: float | None = None,
    thickness: float | None = None, cell: str | None = None, **materials: Material,
) -> Geometry:  # fmt: skip
    """A lateral spin valve: two ferromagnets on a strip along x, in the xz plane or with a width along y.

    ``spin_valve(N=cu, F=py, ...)`` has the regions ``N``, ``F_left`` and ``F_right``, or with a third material
    ``spin_valve(N=cu, F=py, A=co, ...)`` ``N``, ``F`` and ``A``. The terminals are ``left`` and ``right``, the ends of
    the strip, and ``injector`` and ``detector``, the tops of the left and the right ferromagnet.

    Parameters
    ----------
    distance
        Distance of the ferromagnets, edge to edge.
    magnet, cap
        Extents of a ferromagnet along x and z.
    pad
        What the strip has beyond each ferromagnet.
    strip
        Thickness of the strip, along z from 0 on.
    width
        Extent along y, from -width/2 on; None: a cross-section.
    thickness
        Of a cross-section: its extent along y, which the device keeps.
    cell
        As of `junction`.
    **materials
        By name the material of the strip and that of the ferromagnets, or of the left and the right one.

    Raises
    ------
    MeshError, DeviceError, TypeError
        As `junction`.
    """
    (base, metal), *own = materials_of("spin_valve", materials, 2, 3, example="spin_valve(N=cu, F=py, ...)")
    gap, wide, over, low, tall = lengths(distance=distance, magnet=magnet, pad=pad, strip=strip, cap=cap)
    magnets = [(f"{own[0][0]}_{side}", *own[0]) for side in ("left", "right")]
    if len(own) == 2:
        magnets = [(name, name, material) for name, material in own]
    (one, _, _), (two, _, _) = magnets
    x = _both([0.5 * gap, 0.5 * gap + wide, 0.5 * gap + wide + over])
    table = np.array([[base, above] for above in ("", one, "", two, "")], dtype=object)
    planes: tuple[Floats, ...] = (x, np.array([0.0, low, low + tall]))
    up, across = 1, optional("width", width)
    if across is not None:
        planes, up, table = (x, 0.5 * across * np.array([-1.0, 1.0]), planes[1]), 2, table[:, None]
    sides = {
        "left": (Side(0, 0),), "right": (Side(0, 5),), "injector": (Side(up, 2, {0: (1,)}),),
        "detector": (Side(up, 2, {0: (3,)}),), "bottom": (Side(up, 0),),
    }  # fmt: skip
    if across is not None:
        sides |= {"front": (Side(1, 0),), "back": (Side(1, 1),)}
    touched = {"left": base, "right": base, "injector": one, "detector": two}
    return Geometry(
        kind="spin_valve", shape=Blocks(planes, table, sides, checked_cell(cell, len(planes))), plane="xz",
        materials={base: metal} | {name: material for name, _, material in magnets},
        labels={base: base} | {name: label for name, label, _ in magnets}, terminals=touched, thickness=thickness,
    )  # fmt: skip


def _both(half: list[float]) -> Floats:
    """Planes on both sides of 0."""
    return np.array([-value for value in reversed(half)] + half)


def _symmetric(x: Floats) -> Floats:
    """The same numbers without the rounding errors by which they are not symmetric."""
    return 0.5 * (x - x[::-1])


def _pair(name: str, value: Any) -> tuple[float, float]:
    """Two lengths, or one for both."""
    if as_number(magnitude(value)) is not None:
        value = (value, value)
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise MeshError(f"{name} is {shown(value)}; allowed are a length and a pair of lengths")
    return checked(f"{name} along x", value[0]), checked(f"{name} along y", value[1])
