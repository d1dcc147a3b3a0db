"""Layered shapes: junctions, strips and stacks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..checks import choice, named, shown
from ..device.material import Material
from ..errors import DeviceError, MeshError
from .arguments import length as checked
from .arguments import materials_of, optional
from .blocks import Blocks, Floats, checked_cell, film, outer_sides
from .geometry import Geometry


def junction(
    *, length: float, pad: float, width: float | None = None, height: float | None = None,
    thickness: float | None = None, cell: str | None = None, **materials: Material,
) -> Geometry:  # fmt: skip
    """A Josephson junction in a film: electrode, weak link and electrode along x, the weak link from -length/2 on.

    ``junction(S=nb, N=cu, length=600, pad=600, width=300)`` has the regions ``S_left``, ``N`` and ``S_right``,
    terminals ``left`` and ``right``, and the facet sets ``S_left_N`` and ``N_S_right``; ``F=cuni`` would give a region
    ``F``.

    Parameters
    ----------
    length
        Length of the weak link.
    pad
        Length of each electrode.
    width
        Extent along y, from -width/2 on; None: a line.
    height
        Extent along z, from 0 on; None: a plane film. Needs a width.
    thickness
        Thickness of a plane film, which the device keeps.
    cell
        "triangle" (default) or "quad" in the plane, "tetrahedron" (default) or "hexahedron" with a height. All meshes
        have the mirror symmetries of the shape.
    **materials
        Two materials by name: first that of the electrodes, then that of the weak link.

    Raises
    ------
    MeshError
        If a length is not positive or the cell does not fit.
    DeviceError
        If something else than a Material is given.
    TypeError
        If there are not two materials.

    Examples
    --------
    >>> import usadelfem as uf
    >>> S, N = uf.superconductor(gap=1.0), uf.normal_metal()
    >>> uf.geometry.junction(S=S, N=N, length=2, pad=4, width=1).regions
    ('S_left', 'N', 'S_right')
    """
    (outer, electrode), (link, metal) = materials_of("junction", materials, 2, example="junction(S=nb, N=cu, ...)")
    half = 0.5 * checked("length", length)
    reach = half + checked("pad", pad)
    names = (f"{outer}_left", link, f"{outer}_right")
    shape = _layers(np.array([-reach, -half, half, reach]), names, optional("width", width), height, cell)
    return Geometry(
        kind="junction", shape=shape, materials=dict(zip(names, (electrode, metal, electrode), strict=True)),
        labels=dict(zip(names, (outer, link, outer), strict=True)), terminals={"left": names[0], "right": names[2]},
        thickness=thickness,
    )  # fmt: skip


def strip(
    *, length: float, width: float | None = None, height: float | None = None, thickness: float | None = None,
    cell: str | None = None, **materials: Material,
) -> Geometry:  # fmt: skip
    """A strip of one material along x, from -length/2 to length/2, with terminals ``left`` and ``right``.

    ``strip(N=cu, length=1000, width=100)`` has the region ``N``; its other facet sets are ``bottom`` and ``top``.

    Parameters
    ----------
    length, width, height, thickness, cell
        As of `junction`; ``length`` is that of the strip.
    **materials
        One material by name.

    Raises
    ------
    MeshError, DeviceError, TypeError
        As `junction`.
    """
    ((name, metal),) = materials_of("strip", materials, 1, example="strip(N=cu, ...)")
    half = 0.5 * checked("length", length)
    shape = _layers(np.array([-half, half]), (name,), optional("width", width), height, cell)
    return Geometry(
        kind="strip", shape=shape, materials={name: metal}, labels={name: name},
        terminals={"left": name, "right": name}, thickness=thickness,
    )  # fmt: skip


@named()
def stack(
    layers: Mapping[str, tuple[float, Material]], *, axis: str = "x", width: float | None = None,
    depth: float | None = None, thickness: float | None = None, cell: str | None = None,
) -> Geometry:  # fmt: skip
    """Layers on each other along an axis, the first one from 0 on.

    ``stack({"S": (20, nb), "F": (5, cuni)}, axis="z", width=100)`` is the cross-section of a bilayer in the xz plane.
    It has no terminals: give ``contacts`` to the device where it is to have some. Its facet sets are the interfaces,
    ``S_F``, and the sides: ``left`` and ``right`` along x, ``bottom`` and ``top`` along the last axis, and with a depth
    ``front`` and ``back`` along y.

    Parameters
    ----------
    layers
        Name -> (thickness of the layer, Material), in order.
    axis
        "x", "y" or "z": where the layers follow each other.
    width
        Extent of the layers along the other axis of a cross-section, from -width/2 on: y for the axis "x" and x for
        the axes "y" and "z". None: a line of layers.
    depth
        Extent along the axis that is left, from -depth/2 on; None: a cross-section.
    thickness
        Thickness of a plane film, for a stack in its plane; the device keeps it.
    cell
        As of `junction`.

    Raises
    ------
    MeshError
        If a length is not positive, the cell does not fit, or there is a depth without a width.
    DeviceError
        If the layers are no mapping to pairs of a thickness and a Material.
    """
    choice("axis", axis, "xyz", error=MeshError)
    ends, given = _checked_layers(layers)
    across, deep = optional("width", width), optional("depth", depth)
    if deep is not None and across is None:
        raise MeshError(f"depth is {shown(depth)} without a width; give width= too")
    dim = 1 if across is None else 2 if deep is None else 3
    direction = "xyz".index(axis) if dim == 3 else min("xyz".index(axis), dim - 1)
    sides = [0.5 * side * np.array([-1.0, 1.0]) for side in (across, deep) if side is not None]
    planes = [*sides[:direction], ends, *sides[direction:]]
    shape = [1] * dim
    shape[direction] = len(given)
    shape_sides = outer_sides(dim, tuple(map(len, planes)))
    if dim == 1 and axis != "x":
        shape_sides = outer_sides(dim, (len(ends),), ("bottom", "top"))
    blocks = Blocks(
        tuple(planes), np.array(list(given), dtype=object).reshape(shape), shape_sides, checked_cell(cell, dim)
    )
    return Geometry(
        kind="stack", shape=blocks, materials=given, labels={name: name for name in given}, terminals={},
        thickness=thickness, plane="xz" if axis == "z" else "xy",
    )  # fmt: skip


def _checked_layers(layers: Mapping[str, tuple[float, Material]]) -> tuple[Floats, dict[str, Material]]:
    """The ends of the layers and their materials."""
    example = 'allowed is a mapping as {"S": (20, nb), "F": (5, cuni)}'
    if not isinstance(layers, Mapping) or not layers:
        raise DeviceError(f"layers is {shown(layers)}; {example}")
    ends = [0.0]
    for name, layer in layers.items():
        if not isinstance(layer, tuple | list) or len(layer) != 2 or not isinstance(layer[1], Material):
            raise DeviceError(f"layer {name!r} is {shown(layer)}; {example}")
        ends.append(ends[-1] + checked(f"thickness of layer {name!r}", layer[0]))
    return np.array(ends), {name: material for name, (_, material) in layers.items()}


def _layers(
    ends: Floats, names: tuple[str, ...], width: float | None, height: float | None, cell: str | None
) -> Blocks:
    """Layers along x, of a width around y = 0 and a height from z = 0 on."""
    return film(
        (ends,) if width is None else (ends, 0.5 * width * np.array([-1.0, 1.0])),
        np.array(names, dtype=object) if width is None else np.array(names, dtype=object)[:, None],
        None, height, cell,
    )  # fmt: skip
