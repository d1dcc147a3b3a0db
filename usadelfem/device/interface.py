"""What lies between two regions, or between a region and a reservoir."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_array, named, named_fields, numbers, shown
from ..errors import DeviceError
from ..frozen import FrozenRecord
from .coefficient import check_coefficient, describe, frozen_value
from .facets import interface_facets
from .material import Coefficient
from .quantities import magnitude

Density = Callable[[NDArray[np.float64]], Any]
DISTRIBUTIONS = ("diffusive", "dirty_interface", "chaotic_cavity")


@named_fields
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Interface(FrozenRecord):
    """What lies between two metals: channels of any transparency, spin filtering, spin mixing.

    sigma g_1 d_n g_1 = (G_T/2) sum_n s_n [g_1, g_2'] / (1 + (tau_n/4) ({g_1, g_2'} - 2)) - (i G_phi/2) [g_1, M], n from
    side 1 to side 2, sigma = 2 e^2 N0 D, M = m.sigma tau3, and the same from the other side; tau_n and s_n are the
    transparencies of the channels and their shares of the conductance. Without transparencies they are small (a tunnel
    barrier), and g_2' is what a spin filter lets through, g_2 + (P/(1+r)) {M, g_2} + ((1-r)/(1+r)) M g_2 M with
    r = sqrt(1 - P^2); else g_2' = g_2. `Transparent`, `Tunnel`, `SpinActive` and `Nazarov` make the usual ones.

    Attributes
    ----------
    conductance
        Conductance per area G_T, in the unit of sigma / length with sigma = 2 N0 D: a barrier of area A adds the
        resistance 1/(G_T A) to `normal_resistance`, with a spin filter (1 + r)/(2 G_T A). 0 separates the sides. None:
        a transparent contact, where g is continuous and the matrix current is conserved.
    transparencies
        Transparencies 0 < tau <= 1 of channels that occur equally often, so that s_n is proportional to tau_n; or the
        density of channels rho(tau), a callable on arrays of tau in (0, 1) of any norm, or its name: "diffusive",
        1/(tau sqrt(1 - tau)) (Dorokhov); "dirty_interface", 1/(tau^(3/2) sqrt(1 - tau)) (Schep and Bauer);
        "chaotic_cavity", 1/(sqrt(tau) sqrt(1 - tau)). None: all are small.
    polarization
        Spin polarisation P of the transmission, -1 to 1; with small transparencies only.
    mixing
        Spin-mixing conductance per area G_phi, in the same unit as G_T, any sign; the same on both sides. A thin film
        of thickness d behind the barrier feels the exchange field h = G_phi m / (4 N0 d).
    magnetization
        Direction (mx, my, mz) of filter and mixing; its length does not matter.

    Values are numbers (three of them for the direction) or callables f(x).

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range, or a spin filter has channels of finite transparency, for
        which there is no closed form of the matrix current.

    References
    ----------
    Kupriyanov and Lukichev, Sov. Phys. JETP 67, 1163 (1988); Nazarov, Superlattices Microstruct. 25, 1221 (1999);
    Cottet et al., Phys. Rev. B 80, 184511 (2009); Eschrig et al., New J. Phys. 17, 083037 (2015).
    """

    conductance: Coefficient | None = None
    transparencies: Sequence[float] | Density | str | None = None
    polarization: Coefficient = 0.0
    mixing: Coefficient = 0.0
    magnetization: Coefficient = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if self.conductance is not None:
            self._set("conductance", checked(self.kind, "conductance", self.conductance))
        for name in ("polarization", "mixing", "magnetization"):
            self._set(name, checked(self.kind, name, getattr(self, name)))
        if self.transparencies is not None:
            self._set("transparencies", _checked_transparencies(self.transparencies))
        active = [name for name in ("transparencies", "polarization", "mixing") if _is_given(getattr(self, name))]
        if self.is_transparent and active:
            raise DeviceError(f"Interface: {active[0]} needs conductance=...; without it the contact is transparent")
        if self.transparencies is not None and "polarization" in active:
            raise DeviceError(
                "Interface: polarization is for tunnel barriers, there is no closed form of the current of a spin "
                "filter with channels of finite transparency; leave out transparencies, or polarization"
            )

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def is_transparent(self) -> bool:
        """Whether g is continuous."""
        return self.conductance is None

    @property
    def kind(self) -> str:
        """The name that this kind of interface has among the constructors."""
        if self.is_transparent:
            return "Transparent"
        active = _is_given(self.mixing) or _is_given(self.polarization)
        if self.transparencies is not None:
            return "Interface" if active else "Nazarov"
        return "SpinActive" if active else "Tunnel"

    def __repr__(self) -> str:
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        shown_here = [name for name, value in own.items() if name in SHOWN[self.kind] or (
            self.kind == "Interface" and value is not None
        )]  # fmt: skip
        return f"{self.kind}({', '.join(f'{name}={describe(own[name])}' for name in shown_here)})"


SHOWN = {
    "Transparent": (), "Tunnel": ("conductance",), "Nazarov": ("conductance", "transparencies"),
    "SpinActive": ("conductance", "polarization", "mixing", "magnetization"), "Interface": (),
}  # fmt: skip


def _is_given(value: Any) -> bool:
    """Whether a value is there and may be something else than 0."""
    value = magnitude(value)
    return value is not None and (callable(value) or isinstance(value, str) or bool(np.any(np.asarray(value) != 0)))


@named()
def Transparent() -> Interface:
    """Transparent contact, the default: g is continuous and the matrix current is conserved."""
    return Interface()


@named()
def Tunnel(conductance: Coefficient) -> Interface:
    """Tunnel barrier (Kupriyanov and Lukichev, Sov. Phys. JETP 67, 1163 (1988)).

    sigma_1 g_1 d_n g_1 = sigma_2 g_2 d_n g_2 = (G_T/2) [g_1, g_2], n from side 1 to side 2, sigma = 2 e^2 N0 D.

    Parameters
    ----------
    conductance
        G_T, as in `usadelfem.materials.Interface`; 0 separates the sides.

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """
    return Interface(conductance=checked("Tunnel", "conductance", conductance))


@named()
def SpinActive(
    *, conductance: Coefficient, polarization: Coefficient = 0.0, mixing: Coefficient = 0.0,
    magnetization: Coefficient = (0.0, 0.0, 1.0),
) -> Interface:  # fmt: skip
    """Spin-active tunnel barrier: a magnetic insulator (Cottet et al. 2009, Eschrig et al., NJP 17, 083037 (2015)).

    Parameters
    ----------
    conductance, polarization, mixing, magnetization
        As in `usadelfem.materials.Interface`. The conductance may be 0, also on the outer boundary: a ferromagnetic
        insulator.

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """
    given = {"polarization": polarization, "mixing": mixing, "magnetization": magnetization}
    own = {name: checked("SpinActive", name, value) for name, value in given.items()}
    return Interface(conductance=checked("SpinActive", "conductance", conductance), **own)


@named()
def Nazarov(
    *, conductance: Coefficient, transparencies: Sequence[float] | Density | str, mixing: Coefficient = 0.0,
    magnetization: Coefficient = (0.0, 0.0, 1.0),
) -> Interface:  # fmt: skip
    """Contact with channels of any transparency (Nazarov, Superlattices Microstruct. 25, 1221 (1999)).

    Channels of small transparency make a `Tunnel` barrier.

    Parameters
    ----------
    conductance, transparencies, mixing, magnetization
        As in `usadelfem.materials.Interface`.

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """
    return Interface(
        conductance=checked("Nazarov", "conductance", conductance),
        transparencies=_checked_transparencies(transparencies), mixing=checked("Nazarov", "mixing", mixing),
        magnetization=checked("Nazarov", "magnetization", magnetization),
    )  # fmt: skip


def checked(owner: str, name: str, value: Any) -> Any:
    """A value of a coefficient that may be one, read-only; DeviceError names the owner."""
    check_coefficient(name, value, owner)
    return frozen_value(value)


def _checked_transparencies(given: Any) -> Any:
    if isinstance(given, str):
        if given not in DISTRIBUTIONS:
            raise DeviceError(
                f"Nazarov: transparencies is {given!r}; known distributions are {', '.join(DISTRIBUTIONS)}"
            )
        return given
    if callable(given):
        return given
    allowed = "are numbers 0 < tau <= 1, a density of channels rho(tau), and the name of one"
    values = np.atleast_1d(numbers("Nazarov: transparencies", given, allowed, error=DeviceError))
    if values.ndim != 1 or not len(values) or not ((values > 0) & (values <= 1)).all():
        raise DeviceError(f"Nazarov: transparencies is {shown(given)}; allowed {allowed}")
    return tuple(map(float, values))


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


def is_insulating(interface: Any) -> bool:
    """Whether nothing passes through an interface."""
    return isinstance(interface, Interface) and not interface.is_transparent and not _is_given(interface.conductance)


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
