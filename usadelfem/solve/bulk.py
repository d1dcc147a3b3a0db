"""What a bulk superconductor is like, in the units of a script."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import named
from ..device.units import active_units
from ..physics import thermal

Real = NDArray[np.float64]


@overload
def bcs_gap(temperature: float, Tc: float = 1.0) -> float: ...
@overload
def bcs_gap(temperature: ArrayLike, Tc: ArrayLike = 1.0) -> float | Real: ...
@named()
def bcs_gap(temperature: Any, Tc: Any = 1.0) -> float | Real:
    """The gap Delta(T) of a bulk superconductor without fields and impurities (BCS), 0 at and above Tc.

    Delta ln(T/Tc) + 2 pi T sum_{w>0} (Delta/w - Delta/sqrt(w^2 + Delta^2)) = 0; Delta(0) = 1.7638770 k_B Tc.

    Parameters
    ----------
    temperature
        Temperature, energy (k_B = 1), after `lab` in its unit, K; positive. A number, or an array of them.
    Tc
        Critical temperature in the same unit; not negative. A number, or an array that broadcasts with temperatures.

    Returns
    -------
    float, or an array where one was given
        Energy, after `lab` in its unit, meV.

    Raises
    ------
    ValueError
        If a value is out of range, or the arrays do not fit each other.
    DeviceError
        If a quantity is no temperature.
    """
    units = active_units()
    given = units.into("temperature", temperature, "temperature"), units.into("temperature", Tc, "Tc")
    gap: float | Real = thermal.bcs_gap(*given)
    return gap
