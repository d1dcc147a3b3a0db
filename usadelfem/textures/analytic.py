"""Magnetisation textures: exchange fields of constant size that turn in space."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_array, as_number, choice, integer, named, numbers, shown
from ..errors import DeviceError
from ..rules import Rule

Floats = NDArray[np.float64]
Vector = Sequence[float] | NDArray[Any]
Axes = tuple[int, ...]  # the axes of space (0, 1, 2 for x, y, z) that the mesh axes are along

X, Z = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
NUMBER, POSITIVE = Rule("1"), Rule("1", positive=True)
PAIR, TRIPLE = Rule("1", shape=(2,)), Rule("1", shape=(3,))


@dataclass(frozen=True, eq=False, repr=False)
class Texture:
    """An exchange field of constant size and varying direction: a function of position, to be given as `exchange`.

    `name` is the function that made it, and `parameters` what that was given. `h` is the size of the field, energy, and
    `direction` takes mesh coordinates, (dim, ...), and the axes of space that they are along to unit vectors, (3, ...).
    `plane` is what a 2D mesh stands for; None: what its `Device` says, "xy" without one.
    """

    name: str
    h: float
    direction: Callable[[Floats, Axes], Floats]
    parameters: Mapping[str, object]
    plane: str | None

    def __post_init__(self) -> None:
        checked(self.name, "h", self.h, NUMBER)
        if self.plane is not None:
            choice(f"{self.name}: plane", self.plane, ("xy", "xz", "yz"), error=DeviceError)

    def in_plane(self, plane: str) -> Texture:
        """The texture on a 2D mesh that stands for a plane; DeviceError if it has been given another one."""
        if self.plane not in (None, plane):
            raise DeviceError(
                f"{self.name}: plane is {self.plane!r}, but the device has plane={plane!r}; leave it out here, the "
                "plane of the device holds for its textures"
            )
        return self if self.plane else replace(self, plane=plane)

    def __call__(self, x: NDArray[Any]) -> Floats:
        """The exchange field (hx, hy, hz), energy, shape (3, ...), at mesh coordinates x of shape (dim, ...)."""
        points = numbers(f"{self.name}: x", x, "are finite coordinates", error=DeviceError)
        if points.ndim == 0 or len(points) not in (1, 2, 3):
            raise DeviceError(f"{self.name}: x has shape {points.shape}; allowed is (dim, ...) with dim 1, 2 or 3")
        axes = tuple("xyz".index(axis) for axis in ((self.plane or "xy") if len(points) == 2 else "xyz"[: len(points)]))
        return self.h * self.direction(points, axes)

    @property
    def __name__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        given = {"h": self.h, **self.parameters, **({"plane": self.plane} if self.plane else {})}
        return f"{self.name}({', '.join(f'{key}={value!r}' for key, value in given.items())})"


def checked(owner: str, name: str, value: Any, rule: Rule) -> Floats:
    """A real number or vector of an owner; DeviceError unless it is what the rule allows."""
    array = as_array(value)
    good = array is not None and array.dtype.kind in "iuf" and array.shape == rule.shape and np.isfinite(array).all()
    if array is None or not good or (rule.positive and not array > 0):
        raise DeviceError(f"{owner}: {name} is {shown(value)}; allowed is {rule.describe()}")
    return array.astype(np.float64)


def _unit(owner: str, name: str, value: Vector) -> Floats:
    array = checked(owner, name, value, TRIPLE)
    if not array.any():
        raise DeviceError(f"{owner}: {name} is {value!r}; allowed is a direction, not zero")
    return np.asarray(array / np.linalg.norm(array))


def _sign(owner: str, name: str, value: int) -> int:
    if as_number(value) not in (1, -1):
        raise DeviceError(f"{owner}: {name} is {shown(value)}; allowed are 1 and -1")
    return int(value)


@named()
def bloch_wall(
    h: float,
    *,
    centre: float = 0.0,
    width: float = 1.0,
    normal: Vector = X,
    easy_axis: Vector = Z,
    chirality: int = 1,
    plane: str | None = None,
) -> Texture:
    """A Bloch wall: the field turns from +easy_axis to -easy_axis about the normal of the wall.

    With unit vectors n along the normal and e along the easy axis, s = n.x - centre and d = width,

        h(x) = h [-tanh(s/d) e + chirality sech(s/d) n x e],

    the profile of Landau and Lifshitz (1935), where d is the square root of exchange stiffness over anisotropy.

    Returns a function of position, (dim, ...) to (3, ...), for `exchange`. Raises DeviceError if a parameter is out of
    range, or the easy axis is not perpendicular to the normal.

    Parameters
    ----------
    h
        Size of the exchange field, energy.
    centre
        Position of the wall along the normal, length.
    width
        The length d, positive; the turn takes about pi d.
    normal, easy_axis
        Directions in space, (x, y, z) of any length, perpendicular to each other.
    chirality
        +1: the field turns about +n on the way along +n, a right-handed screw; -1: a left-handed one.
    plane
        The axes of space that the coordinates of a 2D mesh are along; not needed in a `Device`, whose `plane` holds. A
        1D mesh lies along x. The coordinate of an axis that the mesh does not have is zero.
    """
    given = {"centre": centre, "width": width, "normal": normal, "easy_axis": easy_axis, "chirality": chirality}
    return _wall("bloch_wall", h, given, plane)


@named()
def neel_wall(
    h: float,
    *,
    centre: float = 0.0,
    width: float = 1.0,
    normal: Vector = X,
    easy_axis: Vector = Z,
    chirality: int = 1,
    plane: str | None = None,
) -> Texture:
    """A Neel wall: the field turns from +easy_axis to -easy_axis through the normal of the wall.

    In the symbols of `bloch_wall`, h(x) = h [-tanh(s/d) e + chirality sech(s/d) n].

    Returns and raises the same as `bloch_wall`.

    Parameters
    ----------
    h, centre, width, normal, easy_axis, plane
        As for `bloch_wall`.
    chirality
        +1: the field in the middle is along +n, from the domain along +easy_axis to the other one; -1: along -n.
    """
    given = {"centre": centre, "width": width, "normal": normal, "easy_axis": easy_axis, "chirality": chirality}
    return _wall("neel_wall", h, given, plane)


def _wall(name: str, h: float, given: Mapping[str, Any], plane: str | None) -> Texture:
    n, e = (_unit(name, key, given[key]) for key in ("normal", "easy_axis"))
    if abs(n @ e) > 1e-9:
        raise DeviceError(f"{name}: easy_axis is {given['easy_axis']}, not perpendicular to normal {given['normal']}")
    side = _sign(name, "chirality", given["chirality"]) * (np.cross(n, e) if name == "bloch_wall" else n)
    centre, width = checked(name, "centre", given["centre"], NUMBER), checked(name, "width", given["width"], POSITIVE)
    return Texture(name, h, partial(_wall_direction, n=n, e=e, side=side, centre=centre, width=width), given, plane)


def _wall_direction(
    x: Floats, axes: Axes, *, n: Floats, e: Floats, side: Floats, centre: Floats, width: Floats
) -> Floats:
    s = (np.tensordot(n[list(axes)], x, 1) - centre) / width
    decay = np.exp(-abs(s))  # the hyperbolic cosine overflows far from the wall
    return np.asarray(np.multiply.outer(e, -np.tanh(s)) + np.multiply.outer(side, 2 * decay / (1 + decay**2)))


@named()
def spiral(
    h: float,
    *,
    wavevector: Vector,
    rotation_axis: Vector = Z,
    phase: float = 0.0,
    cone: float = math.pi / 2,
    plane: str | None = None,
) -> Texture:
    """A magnetic spiral: the field turns about a fixed axis at a constant rate along the wavevector.

    With the wavevector Q, a unit vector a along the rotation axis, and unit vectors u and v = a x u across it,

        h(x) = h {cos(cone) a + sin(cone) [cos(Q.x + phase) u + sin(Q.x + phase) v]}.

    Q along the rotation axis makes a helix (proper screw), right-handed for +a, left-handed for -a; Q across it makes a
    cycloid.

    Returns a function of position, (dim, ...) to (3, ...), for `exchange`. Raises DeviceError if a parameter is out of
    range.

    Parameters
    ----------
    h
        Size of the exchange field, energy.
    wavevector
        Q, (x, y, z), 1/length; one turn takes the length 2 pi/|Q|.
    rotation_axis
        a, (x, y, z) of any length. For a along z, x, y the vectors u, v are x, y; y, z; z, x; in general u is the axis
        that follows the largest component of a in the order x, y, z, x, less its part along a.
    phase
        Angle from u at the origin, radians.
    cone
        Angle between field and rotation axis, radians, 0 to pi; pi/2 is a flat spiral, any other a conical one.
    plane
        As for `bloch_wall`.
    """
    a, q = _unit("spiral", "rotation_axis", rotation_axis), checked("spiral", "wavevector", wavevector, TRIPLE)
    if not 0 <= checked("spiral", "cone", cone, NUMBER) <= math.pi:
        raise DeviceError(f"spiral: cone is {cone!r}; allowed is an angle from 0 to pi")
    u = np.eye(3)[(np.argmax(abs(a)) + 1) % 3]
    u = _unit("spiral", "u", u - (u @ a) * a)
    frame = np.column_stack([math.sin(cone) * u, math.sin(cone) * np.cross(a, u), math.cos(cone) * a])
    turn = partial(_spiral_direction, q=q, frame=frame, phase=checked("spiral", "phase", phase, NUMBER))
    given = {"wavevector": wavevector, "rotation_axis": rotation_axis, "phase": phase, "cone": cone}
    return Texture("spiral", h, turn, given, plane)


def _spiral_direction(x: Floats, axes: Axes, *, q: Floats, frame: Floats, phase: Floats) -> Floats:
    angle = np.tensordot(q[list(axes)], x, 1) + phase
    return np.tensordot(frame, np.array([np.cos(angle), np.sin(angle), np.ones_like(angle)]), 1)


@named()
def skyrmion(
    h: float,
    *,
    centre: Vector = (0.0, 0.0),
    radius: float = 1.0,
    width: float = 0.3,
    helicity: float = 0.0,
    vorticity: int = 1,
    polarity: int = 1,
    plane: str | None = None,
) -> Texture:
    """A skyrmion in a film in the xy plane, with the profile of a 360-degree domain wall.

    In polar coordinates r, phi around the centre, with v, g, p for vorticity, helicity, polarity,

        h(x) = h [sin t cos(v phi + g), sin t sin(v phi + g), p cos t],    tan(t/2) = sinh(radius/width)/sinh(r/width),

    the profile of X. S. Wang, H. Y. Yuan and X. R. Wang, Commun. Phys. 1, 31 (2018). The field is along -p z in the
    centre and along +p z far away. The topological charge, the integral of m.(dm/dx x dm/dy)/4 pi, is -p v.

    Returns a function of position, (dim, ...) to (3, ...), for `exchange`. Raises DeviceError if a parameter is out of
    range.

    Parameters
    ----------
    h
        Size of the exchange field, energy.
    centre
        Position of the centre, (x, y), length.
    radius, width
        Where hz changes its sign, and the width of the wall there; length, positive.
    helicity
        Radians. For v = 1, 0 is a Neel skyrmion whose field in the plane points outwards (pi: inwards), pi/2 a Bloch
        skyrmion whose field in the plane turns counterclockwise (-pi/2: clockwise).
    vorticity
        Turns of the field in the plane on a circle around the centre: 1 skyrmion, -1 antiskyrmion; an integer, not 0.
    polarity
        +1 or -1, the sign of hz far away.
    plane
        As for `bloch_wall`: the field on a mesh without a y axis is that of the line y = 0.
    """
    vorticity = integer("skyrmion: vorticity", vorticity, error=DeviceError, note=" other than 0")
    if not vorticity:
        raise DeviceError("skyrmion: vorticity is 0; allowed is an integer other than 0")
    lengths = [checked("skyrmion", key, size, POSITIVE) for key, size in (("radius", radius), ("width", width))]
    angles = (vorticity, checked("skyrmion", "helicity", helicity, NUMBER))
    middle, up = checked("skyrmion", "centre", centre, PAIR), _sign("skyrmion", "polarity", polarity)
    turn = partial(_skyrmion_direction, middle=middle, lengths=lengths, angles=angles, polarity=up)
    given = {"centre": centre, "radius": radius, "width": width, "helicity": helicity}
    return Texture("skyrmion", h, turn, {**given, "vorticity": vorticity, "polarity": polarity}, plane)


def _skyrmion_direction(
    x: Floats, axes: Axes, *, middle: Floats, lengths: list[Floats], angles: tuple[int, Floats], polarity: int
) -> Floats:
    along = [x[axes.index(axis)] if axis in axes else np.zeros(x.shape[1:]) for axis in (0, 1)]
    right, up = along[0] - middle[0], along[1] - middle[1]
    (radius, width), r = lengths, np.hypot(right, up)
    angle = angles[0] * np.arctan2(up, right) + angles[1]
    # both hyperbolic sines divided by the exponential of the larger argument, so that none overflows
    core, far = (-np.exp((s - np.maximum(r, radius)) / width) * np.expm1(-2 * s / width) for s in (radius, r))
    total = core**2 + far**2
    sine, cosine = 2 * core * far / total, (far**2 - core**2) / total
    return np.array([sine * np.cos(angle), sine * np.sin(angle), polarity * cosine])
