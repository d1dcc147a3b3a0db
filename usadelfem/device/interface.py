"""What lies between two regions, or between a region and a reservoir."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_array, named_fields, numbers, shown
from ..errors import DeviceError
from ..frozen import FrozenRecord
from .coefficient import check_coefficient, describe, frozen_value
from .material import Coefficient

Density = Callable[[NDArray[np.float64]], Any]
DISTRIBUTIONS = ("diffusive", "dirty_interface", "chaotic_cavity")


@named_fields
@dataclass(frozen=True, eq=False, repr=False)
class Transparent:
    """Transparent contact, the default: g is continuous and the matrix current is conserved."""

    def __repr__(self) -> str:
        return "Transparent()"


@named_fields
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Tunnel(FrozenRecord):
    """Tunnel barrier (Kupriyanov and Lukichev, Sov. Phys. JETP 67, 1163 (1988)).

    sigma_1 g_1 d_n g_1 = sigma_2 g_2 d_n g_2 = (G_T/2) [g_1, g_2], n from side 1 to side 2, sigma = 2 e^2 N0 D.

    Attributes
    ----------
    conductance
        Normal-state conductance per area G_T, in the unit of sigma / length with sigma = 2 N0 D: a barrier of area A
        adds the resistance 1/(G_T A) to `normal_resistance`. A number or a callable f(x); 0 separates the sides.

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """

    conductance: Coefficient

    def __post_init__(self) -> None:
        _check(self, ("conductance",))

    def __repr__(self) -> str:
        return _show(self)


@named_fields
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SpinActive(FrozenRecord):
    """Spin-active tunnel barrier: a magnetic insulator (Cottet et al. 2009, Eschrig et al., NJP 17, 083037 (2015)).

    sigma g_1 d_n g_1 = (G_T/2) [g_1, g_2 + (P/(1+r)) {M, g_2} + ((1-r)/(1+r)) M g_2 M] - (i G_phi/2) [g_1, M] with
    M = m.sigma tau3 and r = sqrt(1 - P^2), and the same from the other side. A thin film of thickness d behind it feels
    the exchange field h = G_phi m / (4 N0 d).

    Attributes
    ----------
    conductance
        G_T, as in `Tunnel`. The normal-state conductance per area, which enters `normal_resistance`, is 2 G_T/(1 + r).
        May be 0, also on the outer boundary: a ferromagnetic insulator.
    polarization
        Spin polarisation P of the transmission, -1 to 1.
    mixing
        Spin-mixing conductance per area G_phi, in the same unit as G_T, any sign; the same on both sides.
    magnetization
        Direction (mx, my, mz); its length does not matter.

    Every value is a number (three of them for the direction) or a callable f(x).

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """

    conductance: Coefficient
    polarization: Coefficient = 0.0
    mixing: Coefficient = 0.0
    magnetization: Coefficient = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        _check(self, ("conductance", "polarization", "mixing", "magnetization"))

    def __repr__(self) -> str:
        return _show(self)


@named_fields
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Nazarov(FrozenRecord):
    """Contact with channels of any transparency (Nazarov, Superlattices Microstruct. 25, 1221 (1999)).

    sigma g_1 d_n g_1 = (G_T/2) sum_n s_n [g_1, g_2] / (1 + (tau_n/4) ({g_1, g_2} - 2)), s_n the share of channel n in
    the conductance. Channels of small transparency make a `Tunnel` barrier.

    Attributes
    ----------
    conductance
        Normal-state conductance per area, as in `Tunnel`.
    transparencies
        Transparencies 0 < tau <= 1 of channels that occur equally often, so that s_n is proportional to tau_n; or the
        density of channels rho(tau), a callable on arrays of tau in (0, 1) of any norm, or its name: "diffusive",
        1/(tau sqrt(1 - tau)) (Dorokhov); "dirty_interface", 1/(tau^(3/2) sqrt(1 - tau)) (Schep and Bauer);
        "chaotic_cavity", 1/(sqrt(tau) sqrt(1 - tau)).

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """

    conductance: Coefficient
    transparencies: Sequence[float] | Density | str

    def __post_init__(self) -> None:
        _check(self, ("conductance",))
        given = self.transparencies
        if isinstance(given, str):
            if given not in DISTRIBUTIONS:
                raise DeviceError(
                    f"Nazarov: transparencies is {given!r}; known distributions are {', '.join(DISTRIBUTIONS)}"
                )
            return
        if callable(given):
            return
        allowed = "are numbers 0 < tau <= 1, a density of channels rho(tau), and the name of one"
        values = np.atleast_1d(numbers("Nazarov: transparencies", given, allowed, error=DeviceError))
        if values.ndim != 1 or not len(values) or not ((values > 0) & (values <= 1)).all():
            raise DeviceError(f"Nazarov: transparencies is {shown(given)}; allowed {allowed}")
        object.__setattr__(self, "transparencies", tuple(map(float, values)))

    def __repr__(self) -> str:
        return _show(self)


Barrier = Tunnel | SpinActive | Nazarov
Interface = Transparent | Tunnel | SpinActive | Nazarov


def interface_facets(mesh: Any, key: str | tuple[str, str], what: str = "interface") -> NDArray[np.int64]:
    """Facets of a facet set, or of the boundary between two regions, given as a pair or as a name like S_F.

    Raises
    ------
    DeviceError
        If there is no such facet set or region, or the regions do not touch.
    """
    boundaries, regions = mesh.boundaries or {}, mesh.subdomains or {}
    if isinstance(key, str) and key in boundaries:
        return np.unique(np.asarray(boundaries[key], np.int64))
    pair = region_pair(mesh, key) if isinstance(key, str) else key
    if pair is None and isinstance(key, str):
        known = ", ".join(sorted(boundaries)) or "none"
        raise DeviceError(f"{what}: no facet set {key!r}; it has: {known}")
    two = isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(name, str) for name in pair)
    if not isinstance(pair, tuple) or not two or pair[0] == pair[1]:
        raise DeviceError(f"{what} {key!r}: allowed are the name of a facet set and a pair of two regions")
    masks = []
    for region in pair:
        if region not in regions:
            raise DeviceError(f"{what} {key!r}: no region {region!r}; it has: {', '.join(sorted(regions))}")
        masks.append(np.zeros(mesh.nelements, bool))
        masks[-1][regions[region]] = True
    first, second = mesh.f2t
    inner = second >= 0
    between = (masks[0][first] & masks[1][second]) | (masks[1][first] & masks[0][second])
    facets = np.flatnonzero(between & inner)
    if not len(facets):
        raise DeviceError(f"{what} {key!r}: the regions {pair[0]!r} and {pair[1]!r} do not touch")
    return facets.astype(np.int64)


def region_pair(mesh: Any, name: str) -> tuple[str, str] | None:
    """The regions A and B of a name A_B, None if there are no such regions."""
    regions = mesh.subdomains or {}
    for region in regions:
        if name.startswith(f"{region}_") and name[len(region) + 1 :] in regions:
            return region, name[len(region) + 1 :]
    return None


def check_interfaces(mesh: Any, interfaces: Mapping[Any, Interface], contacts: Mapping[str, Any]) -> None:
    """Raise DeviceError unless every interface is of a known kind, lies inside, and has its facets for itself."""
    owner = np.full(mesh.facets.shape[1], -1)
    names = list(contacts)
    for index, name in enumerate(names):
        owner[mesh.boundaries[name]] = index
    for key, interface in interfaces.items():
        if not isinstance(interface, Interface):
            allowed = "Transparent, Tunnel, SpinActive or Nazarov"
            raise DeviceError(f"interface {key!r} is given {shown(interface)}; allowed is {allowed}")
        facets = interface_facets(mesh, key)
        if not len(facets):
            raise DeviceError(f"interface {key!r} has no facets: the facet set of the mesh is empty")
        taken = owner[facets]
        if (taken >= 0).any():
            other = names[taken.max()]
            raise DeviceError(
                f"interface {key!r} shares {(taken >= 0).sum()} facets with {other!r}; a facet has one interface or "
                "contact only (a barrier towards a reservoir is Reservoir(..., barrier=...))"
            )
        if (mesh.f2t[1, facets] < 0).any() and not is_insulating(interface):
            raise DeviceError(
                f"interface {key!r} lies on the outer boundary: allowed there is SpinActive(conductance=0, ...), a "
                "magnetic insulator, or Tunnel(conductance=0); for an electrode give a contact, "
                "Reservoir(..., barrier=...)"
            )
        owner[facets] = len(names)
        names.append(key)


def is_insulating(interface: Interface) -> bool:
    """Whether nothing passes through an interface."""
    if not isinstance(interface, SpinActive | Tunnel) or callable(interface.conductance):
        return False
    return not np.any(interface.conductance)


def _check(barrier: Barrier, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(barrier, name)
        check_coefficient(name, value, type(barrier).__name__)
        object.__setattr__(barrier, name, frozen_value(value))


def check_density(density: Density, owner: str) -> None:
    """Call a density of channels once, so that mistakes show here and not in a solve; `owner` is named in errors."""
    tau = np.linspace(0.0, 1.0, 13)[1:-1]
    try:
        result = density(tau.copy())
    except Exception as error:
        raise DeviceError(f"{owner}: calling transparencies(tau) raised {error!r}") from error
    values = as_array(result)
    good = values is not None and values.shape == tau.shape and values.dtype.kind in "iuf"
    if values is None or not good or not np.isfinite(values).all() or (values < 0).any():
        raise DeviceError(
            f"{owner}: transparencies(tau) gave {shown(result)} for tau of shape {tau.shape}; allowed are finite real "
            "numbers >= 0 in the shape of tau"
        )


def _show(barrier: Barrier) -> str:
    values = (f"{f.name}={describe(getattr(barrier, f.name))}" for f in fields(barrier))
    return f"{type(barrier).__name__}({', '.join(values)})"
