"""Units as texts, such as "e*N0*D*energy/length": products, powers, and whether two are the same.

Natural units have names that pint takes for others (e, D) or does not know (N0, energy), and sums of fields in them
should not wait for it; laboratory units are texts that pint has written.
"""

from __future__ import annotations

import re

Factors = dict[str, float]
_FACTOR = re.compile(r"([*/])([^*/^]+)(?:\^\(?(-?[0-9.]+)\)?)?")


def _factors(unit: str) -> Factors | None:
    """Powers of the factors of a unit; None if it is written in another way."""
    text = "*" + unit.replace("**", "^").replace(" ", "")
    found: Factors = {}
    place = 0
    for match in _FACTOR.finditer(text):
        sign, name, power = match.groups()
        if match.start() != place or "(" in name or ")" in name:
            return None
        place = match.end()
        if name != "1":
            found[name] = found.get(name, 0.0) + (1 if sign == "*" else -1) * float(power or 1)
    return {name: power for name, power in found.items() if power} if place == len(text) else None


def _written(factors: Factors) -> str:
    above = "*".join(name + _exponent(power) for name, power in factors.items() if power > 0)
    below = "".join(f"/{name}{_exponent(-power)}" for name, power in factors.items() if power < 0)
    return (above or "1") + below


def _exponent(power: float) -> str:
    return "" if power == 1 else f"^{power:g}"


def same_unit(one: str, two: str) -> bool:
    """Whether two texts are the same unit, in whatever order their factors stand."""
    return one == two or (_factors(one) is not None and _factors(one) == _factors(two))


def unit_product(one: str, two: str, sign: int = 1) -> str:
    """The unit of a product, or with sign -1 of a quotient."""
    if two == "1":
        return one
    first, second = _factors(one), _factors(two)
    if first is None or second is None:
        return f"({one}){'*' if sign > 0 else '/'}({two})"
    powers = {name: first.get(name, 0.0) + sign * second.get(name, 0.0) for name in {**first, **second}}
    return _written({name: power for name, power in powers.items() if power})


def unit_power(unit: str, power: float) -> str:
    """The unit of a power."""
    factors = _factors(unit)
    if factors is None:
        return f"({unit})^{power:g}"
    return _written({name: own * power for name, own in factors.items() if power})


def without_slashes(unit: str) -> str:
    """The same unit with negative powers in place of fractions, for names in which "/" means something else."""
    factors = _factors(unit)
    if factors is None:
        return unit.replace("/", " per ")
    return "*".join(name + _exponent(power) for name, power in factors.items()) or "1"
