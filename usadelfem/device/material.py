"""Materials: one frozen record, filled by three plain functions that differ only in their defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, named, named_fields, shown
from ..errors import DeviceError
from ..frozen import FrozenRecord
from ..physics.columns import COEFFICIENT_RULES
from .coefficient import check_coefficient, describe, frozen_value
from .quantities import magnitude

Number = complex | NDArray[Any] | tuple[float, ...] | list[float]
Coefficient = Number | Callable[[NDArray[np.float64]], Any]


@named_fields
@dataclass(frozen=True, eq=False, kw_only=True)
class Relaxation(FrozenRecord):
    """Inelastic scattering in a relaxation time, which conserves charge and spin.

    The distribution relaxes towards tanh((E - mu tau3 - s.sigma)/2T) with the mu and s of its own charge and spin.

    Attributes
    ----------
    rate
        Relaxation rate Gamma_in, energy, a coefficient like those of `Material`; occupations of a normal metal relax at
        2 Gamma_in. It also broadens spectra, like a Dynes broadening; Matsubara sums do not know it.
    towards
        "bath": T is the temperature of the solve, energy goes to the phonons. "electrons": T follows from the energy of
        the electrons themselves, which is conserved.

    Raises
    ------
    DeviceError
        If the rate is negative, or there is no such bath.
    """

    rate: Coefficient
    towards: str = "bath"

    def __post_init__(self) -> None:
        check_coefficient("inelastic_rate", self.rate, "relaxation")
        object.__setattr__(self, "rate", frozen_value(self.rate))
        choice("relaxation: towards", self.towards, ("bath", "electrons"), error=DeviceError)


@named_fields
@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Material(FrozenRecord):
    """Coefficients of the Usadel equation in one region.

    Every coefficient is a number (an array of its components), a callable f(x) of position with x of shape (dim, ...)
    that returns an array of shape (...) or (*components, ...), or an array over the mesh vertices, shape (vertices,)
    or (*components, vertices). Units are any consistent set with hbar = k_B = e = 1.

    Attributes
    ----------
    D
        Diffusion coefficient, length^2 x energy; positive.
    N0
        Density of states per spin at the Fermi level, relative to a common reference; positive.
    gap
        Order parameter Delta, energy; complex, its argument is the superconducting phase. None: where `Tc` is given,
        the gap that solves the gap equation, else 0.
    Tc
        Critical temperature of the bulk without fields and impurities, energy (k_B = 1): a measure of the pairing
        interaction. With `gap` None the gap is found self-consistently; 0 is a metal without interaction.
    exchange
        Exchange or Zeeman field (hx, hy, hz), energy.
    tau_so, tau_sf
        Spin-orbit and magnetic-impurity (spin-flip) scattering times, 1/energy; positive, infinite if absent. One
        number, or three (x, y, z): gamma_a = 1/(4 tau_a) is the rate of scattering at sigma_a (spin-orbit) or
        sigma_a tau3 (magnetic). Of equal ones 1/tau is the rate at which spins relax in the normal state; in general
        spin b relaxes with the mean of the 1/tau_a of the other two axes. (tau, tau, inf) scatters by spins in the xy
        plane, (inf, inf, tau) by spins along z.
    depairing
        Orbital depairing rate Gamma_orb, energy; not negative.
    theta, kappa
        Spin Hall angle and spin-swapping coefficient of extrinsic spin-orbit coupling.
    spin_hall_tensor
        Further part of the spin Hall tensor Theta_ij^a, added to the isotropic theta eps_ija: shape (dim, dim, 3), mesh
        axes i and j (antisymmetric), spin axis a; for the field strength of intrinsic spin-orbit coupling. None: zero.
    rashba, dresselhaus
        Strengths alpha, beta of linear intrinsic spin-orbit coupling, 1/length. With the growth axis along z they are
        the SU(2) fields SU_x = -alpha sigma_y + beta sigma_x, SU_y = alpha sigma_x - beta sigma_y.
    growth_axis
        "x", "y" or "z": the axis of broken inversion symmetry; the formulas above hold with the axes permuted in order.
    su2
        A general SU(2) field, shape (dim, 3): SU_k = sum_a su2[k, a] sigma_a / 2 along mesh axis k, 1/length. It adds
        to rashba and dresselhaus. None: zero.
    inelastic
        A `Relaxation` of the distribution function (`solve_nonequilibrium`). None: no inelastic scattering.
    """

    D: Coefficient = 1.0
    N0: Coefficient = 1.0
    gap: Coefficient | None = None
    Tc: Coefficient | None = None
    exchange: Coefficient = (0.0, 0.0, 0.0)
    tau_so: Coefficient = np.inf
    tau_sf: Coefficient = np.inf
    depairing: Coefficient = 0.0
    theta: Coefficient = 0.0
    kappa: Coefficient = 0.0
    spin_hall_tensor: Coefficient | None = None
    rashba: Coefficient = 0.0
    dresselhaus: Coefficient = 0.0
    growth_axis: str = "z"
    su2: Coefficient | None = None
    inelastic: Relaxation | None = None

    def __post_init__(self) -> None:
        choice("material: growth_axis", self.growth_axis, "xyz", error=DeviceError)
        if self.inelastic is not None and not isinstance(self.inelastic, Relaxation):
            raise DeviceError(f"material: inelastic is {shown(self.inelastic)}; allowed are a Relaxation and None")
        if self.gap is None and self.Tc is None:
            object.__setattr__(self, "gap", 0.0)
        for name in OWN:
            value = getattr(self, name)
            check_coefficient(name, value, "material")
            object.__setattr__(self, name, frozen_value(value))

    @property
    def inelastic_rate(self) -> Coefficient:
        """The rate of inelastic scattering, 0 without."""
        return 0.0 if self.inelastic is None else self.inelastic.rate

    def with_values(self, values: dict[str, Any]) -> Material:
        """The material with other values of its COEFFICIENTS."""
        own = {name: value for name, value in values.items() if name != "inelastic_rate"}
        if "inelastic_rate" in values and self.inelastic is not None:
            own["inelastic"] = replace(self.inelastic, rate=values["inelastic_rate"])
        return replace(self, **own)

    @property
    def self_consistent(self) -> bool:
        """Whether the gap is to be found from the gap equation: `Tc` is given and `gap` is not."""
        return self.Tc is not None and self.gap is None

    def __repr__(self) -> str:
        shown = {field.name: getattr(self, field.name) for field in fields(self) if not _is_default(self, field)}
        return f"Material({', '.join(f'{name}={describe(value)}' for name, value in shown.items())})"


OWN = tuple(field.name for field in fields(Material) if field.name not in ("growth_axis", "inelastic"))
COEFFICIENTS = (*OWN, "inelastic_rate")  # with that of its Relaxation
_wanted = set(COEFFICIENT_RULES) - {"A"} | {"Tc"}  # the vector potential belongs to the device
if set(COEFFICIENTS) != _wanted:
    raise TypeError(f"Material and the table of columns differ by {set(COEFFICIENTS) ^ _wanted}")


def _is_default(material: Material, field: Any) -> bool:
    """Whether a coefficient has its default value, which a repr need not show; D and N0 are always shown."""
    value = magnitude(getattr(material, field.name))
    if callable(value) or field.name in ("D", "N0"):
        return False
    if field.name == "gap" and material.Tc is None:
        return np.array_equal(np.asarray(value), 0.0)
    return value is field.default or np.array_equal(np.asarray(value), np.asarray(field.default))


class Coefficients(TypedDict, total=False):
    """The keyword arguments of `normal_metal`, `superconductor` and `ferromagnet`: those of `Material`."""

    D: Coefficient
    N0: Coefficient
    gap: Coefficient | None
    Tc: Coefficient | None
    exchange: Coefficient
    tau_so: Coefficient
    tau_sf: Coefficient
    depairing: Coefficient
    theta: Coefficient
    kappa: Coefficient
    spin_hall_tensor: Coefficient | None
    rashba: Coefficient
    dresselhaus: Coefficient
    growth_axis: str
    su2: Coefficient | None
    inelastic: Relaxation | None


@named(*Coefficients.__annotations__)
def normal_metal(**coefficients: Unpack[Coefficients]) -> Material:
    """A normal metal: no gap and no exchange field unless given.

    Parameters
    ----------
    **coefficients
        D, N0, gap, Tc, exchange, tau_so, tau_sf, depairing, theta, kappa, spin_hall_tensor, rashba, dresselhaus,
        growth_axis, su2: meaning, units and defaults as in `Material`.

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """
    return Material(**coefficients)


@named(*Coefficients.__annotations__)
def superconductor(**coefficients: Unpack[Coefficients]) -> Material:
    """A superconductor: with `Tc` its order parameter is found self-consistently, with `gap` it is given.

    Parameters and units as in `Material`.

    Raises
    ------
    DeviceError
        If neither Tc nor gap is given, or a value is of the wrong shape or out of range.
    """
    if coefficients.get("gap") is None and coefficients.get("Tc") is None:
        raise DeviceError(
            "a superconductor needs Tc=... (the gap is found self-consistently) or gap=... (given); for a metal "
            "without pairing use normal_metal"
        )
    return Material(**coefficients)


@named(*Coefficients.__annotations__)
def ferromagnet(**coefficients: Unpack[Coefficients]) -> Material:
    """A ferromagnet with a given exchange field (hx, hy, hz). Parameters and units as in `Material`.

    Raises
    ------
    DeviceError
        If no exchange field is given, or a value is of the wrong shape or out of range.
    """
    if coefficients.get("exchange") is None:
        raise DeviceError("a ferromagnet needs exchange=...; for a metal without it use normal_metal")
    return Material(**coefficients)


@dataclass(frozen=True)
class Vacuum:
    """A region without metal: the Usadel equation stops at it, the magnetic field does not."""


@named()
def vacuum() -> Vacuum:
    """The material of a region of the mesh that is empty: around a sample whose stray field is to be found.

    Superconductivity ends at its boundary as at the end of the mesh. The field of screening currents passes through it
    (`solve_equilibrium` with screening=True).
    """
    return Vacuum()
