"""The choice of units for all that follows in a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..checks import named, shown
from ..errors import DeviceError
from .quantities import raised, registry
from .units import DIMENSIONS, Units, use_units

FOLLOWING = ("1", "area", "inverse_length")  # from the length


@named(*(name for name in DIMENSIONS if name not in FOLLOWING))
def lab(**choice: str) -> Units:
    """Numbers are in laboratory units from now on: nm, meV, K, T, Ohm, A.

    Devices that are made after it take numbers in these units, and what is computed of them comes out in them. Every
    number may also be a pint quantity, 5 * u.um or u.Quantity(...). Material coefficients are in cm^2/s (D),
    1/(eV nm^3) per spin (N0), K (Tc), meV (gap, exchange, rates), ps (tau_so, tau_sf), 1/nm; conductances and mixing
    of barriers in S/um^2, voltages in mV.

    Parameters
    ----------
    **choice
        Other units by dimension, names as in pint: energy="ueV", length="um", temperature="mK", field="mT",
        current="uA", ... Energies and lengths are also those of meshes and spectra.

    Returns
    -------
    Units
        Also a context, after which numbers are what they were before: with uf.lab(): ...; u.nm is a unit of pint.

    Raises
    ------
    DeviceError
        If a unit is not one of its dimension.
    TypeError
        If there is no such dimension.
    """
    units = {name: own for name, (_, own) in DIMENSIONS.items()}
    for name, unit in choice.items():
        _check_choice(name, unit, units)
    if "length" in choice:
        units |= {"area": f"({choice['length']})^2", "inverse_length": f"1/({choice['length']})"}
    made = Units({**units, **choice})
    use_units(made)
    return made


def _check_choice(name: str, unit: Any, units: Mapping[str, str]) -> None:
    known_unit = registry().Unit(raised(units[name]))
    try:
        good = registry().Unit(raised(unit)).dimensionality == known_unit.dimensionality
    except Exception as error:  # pint's UndefinedUnitError, or no text at all
        raise DeviceError(
            f"lab(): {name} is {shown(unit)}; allowed is a unit that pint knows, such as {units[name]!r}"
        ) from error
    if not good:
        raise DeviceError(f"lab(): {name} is in {unit!r}; allowed is a unit of the dimension of {units[name]}")
    if registry().Quantity(0.0, raised(unit)).to(known_unit).magnitude != 0:  # degrees Celsius
        raise DeviceError(f"lab(): {name} is in {unit!r}; allowed is a unit whose zero is that of {units[name]}")


@named()
def natural() -> Units:
    """Numbers are in natural units, hbar = k_B = e = 1, from now on, as they are without `lab`."""
    units = Units()
    use_units(units)
    return units
