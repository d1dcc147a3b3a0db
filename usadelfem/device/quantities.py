"""Numbers with units: pint, imported when the first one is met."""

from __future__ import annotations

import sys
from functools import cache, lru_cache
from typing import Any

# What expressions of units in the package are made of.
SYMBOLS = {
    "e": "e", "hbar": "hbar", "k_B": "k_B", "energy": "energy", "length": "length",
    "N0": "1/energy/length^3", "D": "energy*length^2/hbar",
}  # fmt: skip


@cache
def registry() -> Any:
    """The registry of units that the package shares with its users; pint is imported at the first call."""
    import pint

    units: Any = pint
    return units.get_application_registry()


def quantity(value: Any, unit: str) -> Any:
    """A number or an array with a unit, a pint quantity."""
    return registry().Quantity(value, unit)


def is_quantity(value: Any) -> bool:
    """Whether a value is a pint quantity, of any registry."""
    pint = sys.modules.get("pint")
    return pint is not None and isinstance(value, pint.Quantity)


def has_quantities(value: Any) -> bool:
    """Whether a value is a quantity or a list with some."""
    if isinstance(value, list | tuple):  # of components, at most two axes of them
        return any(map(is_quantity, value)) or any(
            isinstance(part, list | tuple) and any(map(is_quantity, part)) for part in value
        )
    return is_quantity(value)


def magnitude(value: Any) -> Any:
    """A quantity, or a list of them, without unit, to see its shape and range; anything else as it is."""
    if is_quantity(value):
        return value.magnitude
    if has_quantities(value):
        return type(value)(map(magnitude, value))
    return value


def raised(expression: str) -> str:
    """An expression of units with ** for powers."""
    return expression.replace("^", "**")


def plain(expression: str) -> str:
    """How a unit is written where hbar = k_B = 1; the hbar/2 of spins stays, by which they are counted."""
    return expression.removeprefix("hbar*").removesuffix("/k_B").replace("hbar/e/", "1/")


@lru_cache(maxsize=1000)
def si_value(expression: str, energy: str, length: str) -> Any:
    """What an expression of `SYMBOLS` is in SI units, a pint quantity."""
    from pint.util import ParserHelper

    parsed: Any = ParserHelper.from_string(raised(expression))
    units = registry()
    constants = {"e": "elementary_charge", "hbar": "hbar", "k_B": "boltzmann_constant"}
    result = units.Quantity(float(parsed.scale), "")
    for symbol, power in parsed.items():
        if symbol in constants:
            one = units.Quantity(1.0, constants[symbol])
        elif symbol in ("energy", "length"):
            one = units.Quantity(1.0, energy if symbol == "energy" else length)
        elif symbol in SYMBOLS:
            one = si_value(SYMBOLS[symbol], energy, length)
        else:
            one = units.Quantity(1.0, symbol)
        result = result * one ** (int(power) if float(power).is_integer() else float(power))
    return result.to_base_units()


def substituted(expression: str, units: dict[str, str]) -> str:
    """An expression of `SYMBOLS` with units in place of some of them."""
    from pint.util import ParserHelper

    parsed: Any = ParserHelper.from_string(raised(expression))
    constants = {"e": "elementary_charge", "k_B": "boltzmann_constant"}
    parts = (f"({units.get(symbol, constants.get(symbol, symbol))})**({power})" for symbol, power in parsed.items())
    return raised("*".join(parts))


def as_label(unit: str) -> str:
    """How a unit is written in tables and pictures: short, with ^ for powers."""
    text = f"{registry().Unit(raised(unit)):~C}".replace("**", "^")
    return text or "1"
