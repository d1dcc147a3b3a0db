r"""The coefficients of the equation: one row for every column of the tables that the kernels read.

A row holds all that the package has to know of a column: kernels, spin sectors, the equation at real energies, torques,
diffusion in the normal state, bulk gaps, materials and files read it here. Scattering is a rate gamma and a vertex V,
the term -(gamma/4) Tr V g V g of the functional with V = sigma_a or 1 (`axis` -1), times tau3 if `tau3`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rules import Rule

Real = NDArray[np.float64]

TORQUES = ("exchange", "relaxation", "extrinsic", "intrinsic")


@dataclass(frozen=True)
class Vertex:
    """What scatters: sigma_x, sigma_y, sigma_z for axis 0, 1, 2 and the unit matrix for -1, times tau3 if `tau3`."""

    axis: int
    tau3: bool

    def __post_init__(self) -> None:
        if self.axis not in (-1, 0, 1, 2) or (self.axis < 0 and not self.tau3):
            raise ValueError(f"{self}: axis is 0, 1, 2 or, with tau3, -1; the unit matrix scatters nothing")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table of coefficients.

    Attributes
    ----------
    name
        In files, and in upper case the number of the column for kernels.
    coefficients
        What of a Material (or Device) it is made of.
    fill
        From the values of its coefficient, shape (..., points) or of one component, to the column; None for gauge
        fields and channels of spin-charge coupling, which `fem.coefficients` makes of several coefficients.
    component
        Which component of its coefficient it is; None for a number.
    vertices
        What it scatters at with the rate that it holds; empty for other terms.
    spin
        None, or kind and axis of a spin index: ("vector", 0) is the x component of a vector, ("diagonal", 0) the xx
        component of a diagonal tensor.
    exchanged
        Sign under a <-> b with the Nambu blocks exchanged, which makes the equation of b from that of a.
    torque
        The part of `spin_torque` that it belongs to; None if a turn of all spins does not change its term.
    breaks_pairs
        Whether the bulk gap with it is not that of a clean superconductor.
    """

    name: str
    coefficients: tuple[str, ...]
    fill: Callable[[NDArray[Any]], Real] | None
    component: int | None
    vertices: tuple[Vertex, ...]
    spin: tuple[str, int] | None
    exchanged: int
    torque: str | None
    breaks_pairs: bool

    def __post_init__(self) -> None:
        wrong = {
            "name": not self.name.isupper(),
            "coefficients": not self.coefficients or not set(self.coefficients) <= set(COEFFICIENT_RULES),
            "fill": self.fill is None and bool(self.vertices),
            "spin": self._spin_is_wrong(),
            "exchanged": self.exchanged not in (1, -1) or (bool(self.vertices) and self.exchanged != 1),
            "torque": self.torque not in (None, *TORQUES) or (
                any(vertex.axis >= 0 for vertex in self.vertices) != (self.torque == "relaxation")
            ),
            "breaks_pairs": any(vertex.tau3 for vertex in self.vertices) > self.breaks_pairs,
        }  # fmt: skip
        if any(wrong.values()):
            raise ValueError(f"column {self.name}: {', '.join(name for name in wrong if wrong[name])} cannot be right")

    def filled(self, values: NDArray[Any]) -> Real:
        """The column of the values (components, ...) of its coefficient, or (...) of a number."""
        if self.fill is None:
            raise TypeError(f"column {self.name} is made of several coefficients: {', '.join(self.coefficients)}")
        return self.fill(values if self.component is None else values[self.component])

    def _spin_is_wrong(self) -> bool:
        axes = {vertex.axis for vertex in self.vertices} - {-1}
        if axes and axes != {0, 1, 2}:
            return self.spin not in [("diagonal", axis) for axis in axes] or len(axes) > 1
        if self.spin is None:
            return self.component is not None
        return axes != set() or self.spin[0] != "vector" or self.spin[1] not in (0, 1, 2)


def _as_it_is(value: NDArray[Any]) -> Real:
    return np.asarray(value, float)


def _rate_of_a_time(time: NDArray[Any]) -> Real:
    """gamma = 1/(4 tau): with three equal vertices the spins of a normal metal relax at 1/tau."""
    return np.asarray(0.25 / time)


COEFFICIENT_RULES: dict[str, Rule] = {
    "N0": Rule("density_of_states", positive=True),
    "D": Rule("diffusion", positive=True),
    "gap": Rule("energy", complex=True, optional=True),
    "exchange": Rule("energy", shape=(3,)),
    "tau_so": Rule("time", shape=(3,), positive=True, infinite=True, isotropic=True),
    "tau_sf": Rule("time", shape=(3,), positive=True, infinite=True, isotropic=True),
    "depairing": Rule("energy", non_negative=True),
    "inelastic_rate": Rule("energy", non_negative=True),
    "theta": Rule("1"),
    "kappa": Rule("1"),
    "spin_hall_tensor": Rule("1", shape=("dim", "dim", 3), optional=True, antisymmetric=True),
    "rashba": Rule("inverse_length"),
    "dresselhaus": Rule("inverse_length"),
    "su2": Rule("inverse_length", shape=("dim", 3), optional=True),
    "A": Rule("vector_potential", shape=("dim",), optional=True),
}

PLAIN: dict[str, Any] = {
    "component": None, "vertices": (), "spin": None, "exchanged": 1, "torque": None, "breaks_pairs": False
}  # fmt: skip
EXCHANGE = PLAIN | {"coefficients": ("exchange",), "fill": _as_it_is, "torque": "exchange", "breaks_pairs": True}


def _scattering(axis: int, *, tau3: bool) -> dict[str, Any]:
    """Scattering at sigma_axis, or sigma_axis tau3, with the time that is that component of its coefficient."""
    spin = {"component": axis, "vertices": (Vertex(axis, tau3),), "spin": ("diagonal", axis)}
    return PLAIN | spin | {"fill": _rate_of_a_time, "torque": "relaxation", "breaks_pairs": tau3}


LOCAL = (
    Column(name="N0", coefficients=("N0",), fill=_as_it_is, **PLAIN),
    Column(name="D", coefficients=("D",), fill=_as_it_is, **PLAIN),
    Column(name="GAP_RE", coefficients=("gap",), fill=np.real, **PLAIN | {"exchanged": -1}),
    Column(name="GAP_IM", coefficients=("gap",), fill=np.imag, **PLAIN),
    *(Column(name=f"H{'XYZ'[a]}", **EXCHANGE | {"component": a, "spin": ("vector", a)}) for a in range(3)),
    *(Column(name=f"RATE_SO_{'XYZ'[a]}", coefficients=("tau_so",), **_scattering(a, tau3=False)) for a in range(3)),
    *(Column(name=f"RATE_SF_{'XYZ'[a]}", coefficients=("tau_sf",), **_scattering(a, tau3=True)) for a in range(3)),
    Column(
        name="DEPAIRING", coefficients=("depairing",), fill=_as_it_is,
        **PLAIN | {"vertices": (Vertex(-1, tau3=True),), "breaks_pairs": True},
    ),
    # A broadening of the energy, w -> w + rate, at real energies only.
    Column(name="INELASTIC", coefficients=("inelastic_rate",), fill=_as_it_is, **PLAIN),
)  # fmt: skip
# For every mesh axis: the vector potential and the SU(2) field.
_SU2 = PLAIN | {"coefficients": ("rashba", "dresselhaus", "su2"), "fill": None, "torque": "intrinsic"}
GAUGE = (
    Column(name="A", coefficients=("A",), fill=None, **PLAIN | {"exchanged": -1}),
    *(Column(name=f"SU_{'XYZ'[a]}", **_SU2 | {"spin": ("vector", a)}) for a in range(3)),
)
# For every channel of spin-charge coupling: its spin vector, theta and kappa.
_VECTOR = PLAIN | {"coefficients": ("theta", "kappa", "spin_hall_tensor"), "fill": None, "torque": "extrinsic"}
CHANNEL = (
    *(Column(name=f"V{'XYZ'[a]}", **_VECTOR | {"spin": ("vector", a)}) for a in range(3)),
    Column(name="THETA", **_VECTOR | {"exchanged": -1}),
    Column(name="KAPPA", **_VECTOR),
)

_every = (*LOCAL, *GAUGE, *CHANNEL)
_names = [column.name for column in _every]
if len(set(_names)) < len(_names):
    raise ValueError(f"two columns have the same name: {sorted(_names)}")
_unused = set(COEFFICIENT_RULES) - {name for column in _every for name in column.coefficients}
if _unused:
    raise ValueError(f"no column is made of {', '.join(sorted(_unused))}")

NUMBER = {column.name: number for number, column in enumerate(LOCAL)}
N0, D, GAP_RE, GAP_IM, HX, HY, HZ = (NUMBER[name] for name in ("N0", "D", "GAP_RE", "GAP_IM", "HX", "HY", "HZ"))
GAP, EXCHANGE_FIELD, DEPAIRING = (GAP_RE, GAP_IM), (HX, HY, HZ), NUMBER["DEPAIRING"]
INELASTIC = NUMBER["INELASTIC"]
COEFFICIENTS, GAUGE_COLUMNS, CHANNEL_COLUMNS = len(LOCAL), len(GAUGE), len(CHANNEL)

# Fields that no material has, and whose conjugates are observables all the same: w tau3 (the density of states),
# sigma_a (its spin), and what pairs triplets.
SOURCES = ("W", "SPIN_X", "SPIN_Y", "SPIN_Z", "PAIR_X", "PAIR_Y", "PAIR_Z")
W, *_VECTORS = range(COEFFICIENTS, COEFFICIENTS + len(SOURCES))
SPIN, PAIR = tuple(_VECTORS[:3]), tuple(_VECTORS[3:])
FIRST_GAUGE = COEFFICIENTS + len(SOURCES)  # of the conjugates: gauge fields of every axis, then channels

# The vertices of all columns: what the kernels run over.
_VERTICES = [(number, vertex) for number, column in enumerate(LOCAL) for vertex in column.vertices]
VERTICES = len(_VERTICES)
VERTEX_COLUMN = tuple(number for number, _ in _VERTICES)
VERTEX_AXIS = tuple(vertex.axis for _, vertex in _VERTICES)
VERTEX_TAU3 = tuple(vertex.tau3 for _, vertex in _VERTICES)


def column_names(axes: int, pairs: NDArray[np.int64]) -> tuple[str, ...]:
    """Names of the columns of a table with gauge fields along so many axes and with channels of these pairs of axes."""
    return (
        *(column.name for column in LOCAL),
        *(f"{column.name}_{axis}" for axis in range(axes) for column in GAUGE),
        *(f"{column.name}_{n}_{k}{m}" for n, (k, m) in enumerate(pairs.tolist()) for column in CHANNEL),
    )


def all_columns(count: int, channels: int) -> tuple[Column, ...]:
    """The rows of a table with `count` columns, the last ones those of so many channels."""
    axes = (count - COEFFICIENTS - channels * CHANNEL_COLUMNS) // GAUGE_COLUMNS
    return LOCAL + GAUGE * axes + CHANNEL * channels


def vertex_rates(table: Real) -> list[tuple[Real, Vertex]]:
    """The rates gamma of a table (..., columns), each with its vertex."""
    return [(table[..., number], vertex) for number, vertex in _VERTICES]


def spin_relaxation(table: Real) -> Real:
    """Rates at which the spins x, y, z of a normal metal relax, shape (..., 3).

    Every vertex sigma_a turns the spins across it round, 2 gamma each; depairing leaves spins alone.
    """
    rates = np.zeros((*table.shape[:-1], 3))
    for rate, vertex in vertex_rates(table):
        for spin in range(3):
            if vertex.axis >= 0 and spin != vertex.axis:
                rates[..., spin] += 2 * rate
    return rates


def decay_rate(table: Real) -> Real:
    """What scattering adds to the energy with which pair amplitudes decay: 1/tau if it is isotropic; shape (...)."""
    return np.asarray(sum(rate * (1.0 if vertex.axis < 0 else 4 / 3) for rate, vertex in vertex_rates(table)))
