"""Materials: one frozen record, filled by three plain functions that differ only in their defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coefficient import check_coefficient, describe, frozen_value

Number = complex | NDArray[Any] | tuple[float, ...] | list[float]
Coefficient = Number | Callable[[NDArray[np.float64]], Any]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Material:
    """Coefficients of the Usadel equation in one region.

    Every coefficient is a number (a vector for `exchange`), a callable f(x) of position with x of shape (dim, ...)
    that returns an array of shape (...) or (3, ...), or an array over the mesh vertices, shape (vertices,) or
    (3, vertices). Units are any consistent set with hbar = k_B = e = 1.

    Attributes
    ----------
    D
        Diffusion coefficient, length^2 x energy; positive.
    N0
        Density of states per spin at the Fermi level, relative to a common reference; positive.
    gap
        Order parameter Delta, energy; complex, its argument is the superconducting phase.
    exchange
        Exchange or Zeeman field (hx, hy, hz), energy.
    tau_so, tau_sf
        Spin-orbit and magnetic-impurity (spin-flip) scattering times, 1/energy; positive, infinite if absent.
    depairing
        Orbital depairing rate Gamma_orb, energy; not negative.
    theta, kappa
        Spin Hall angle and spin-swapping coefficient; zero is the only value that the solvers support so far.
    """

    D: Coefficient
    N0: Coefficient
    gap: Coefficient
    exchange: Coefficient
    tau_so: Coefficient
    tau_sf: Coefficient
    depairing: Coefficient
    theta: Coefficient
    kappa: Coefficient

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            check_coefficient(field.name, value, "material")
            object.__setattr__(self, field.name, frozen_value(value))

    def __repr__(self) -> str:
        plain = {"gap": 0.0, "exchange": (0.0, 0.0, 0.0), "tau_so": np.inf, "tau_sf": np.inf, "depairing": 0.0}
        plain |= {"theta": 0.0, "kappa": 0.0}
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
        active = [f"{name}={describe(value)}" for name, value in shown.items() if not _equal(value, plain.get(name))]
        return f"Material({', '.join(active)})"


def _equal(value: Coefficient, default: Any) -> bool:
    return not callable(value) and default is not None and np.array_equal(np.asarray(value), np.asarray(default))


def normal_metal(
    *, D: Coefficient = 1.0, N0: Coefficient = 1.0, gap: Coefficient = 0.0, exchange: Coefficient = (0.0, 0.0, 0.0),
    tau_so: Coefficient = np.inf, tau_sf: Coefficient = np.inf, depairing: Coefficient = 0.0,
    theta: Coefficient = 0.0, kappa: Coefficient = 0.0,
) -> Material:  # fmt: skip
    """A normal metal: no gap and no exchange field unless given. Parameters and units as in `Material`.

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """
    return Material(
        D=D, N0=N0, gap=gap, exchange=exchange, tau_so=tau_so, tau_sf=tau_sf, depairing=depairing, theta=theta,
        kappa=kappa,
    )  # fmt: skip


def superconductor(*, gap: Coefficient, **coefficients: Any) -> Material:
    """A superconductor with a given order parameter. Other parameters and units as in `Material`.

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """
    return normal_metal(gap=gap, **coefficients)


def ferromagnet(*, exchange: Coefficient, **coefficients: Any) -> Material:
    """A ferromagnet with a given exchange field (hx, hy, hz). Other parameters and units as in `Material`.

    Raises
    ------
    DeviceError
        If a value is of the wrong shape or out of range.
    """
    return normal_metal(exchange=exchange, **coefficients)
