"""What a device is connected to."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .coefficient import check_coefficient, describe
from .material import Coefficient


@dataclass(frozen=True, eq=False, repr=False)
class Reservoir:
    """A bulk electrode that fixes the Green's function on its contact (rigid boundary condition).

    The value imposed is that of a homogeneous superconductor, a = i gap exp(i phase)/(W + sqrt(W^2 + |gap|^2)) with
    W = w - i exchange.sigma. A normal reservoir has gap 0.

    Attributes
    ----------
    gap
        Order parameter, energy; a number, complex if its argument is to be added to `phase`, or a callable f(x).
    phase
        Superconducting phase in radians; a number or a callable f(x).
    exchange
        Exchange field (hx, hy, hz) inside the reservoir, energy.

    Raises
    ------
    DeviceError
        If a value is not finite or of the wrong shape.
    """

    gap: Coefficient
    phase: Coefficient = 0.0
    exchange: Coefficient = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for field in fields(self):
            check_coefficient(field.name, getattr(self, field.name), "reservoir")

    def __repr__(self) -> str:
        return f"Reservoir({', '.join(f'{f.name}={describe(getattr(self, f.name))}' for f in fields(self))})"
