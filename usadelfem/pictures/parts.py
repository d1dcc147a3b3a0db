"""Which part of a quantity is drawn: components, and the modulus, phase, real or imaginary part of complex numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, shown
from ..errors import ObservableError
from .labels import with_unit

Values = NDArray[Any]
QUANTITIES = ("abs", "phase", "real", "imag")
VANISHING = 1e-10  # of the largest modulus: below there is no phase


@dataclass(frozen=True)
class Part:
    """Components that are drawn together.

    Attributes
    ----------
    label
        What they are called: the name of the quantity, and of the component unless it is the only one.
    numbers
        Their places among all components.
    is_vector
        Whether they are a vector, of which the length is drawn, and arrows.
    """

    label: str
    numbers: tuple[int, ...]
    is_vector: bool


def choose(name: str, names: tuple[str, ...], component: str | None, sizes: Values, dim: int) -> Part:
    """The component that was asked for, or the one that tells most.

    Parameters
    ----------
    name, names
        Of the quantity and of its components, () of a scalar.
    component
        A name, the beginning of several (the spin axis of a spin current), "triplet"; None: the vector, the singlet,
        or the spin axis with the largest current.
    sizes
        Largest modulus of each component.
    dim
        Dimensions of the mesh.

    Raises
    ------
    ObservableError
        If there is no such component.
    """
    title = name.replace("_", " ")
    groups = _groups(names)
    if component is None:
        if not names:
            return Part(title, (0,), False)
        if not groups and names[0] != "f0" and len(names) <= 3:
            return Part(title, tuple(range(len(names))), len(names) > 1)
        largest = max(groups, key=lambda group: max(sizes[k] for k in groups[group]), default=names[0])
        component = names[0] if names[0] == "f0" else largest
    if component in names:
        return Part(f"{title} {component}", (names.index(component),), False)
    if component in groups:
        return Part(f"{title} {component}", groups[component], len(groups[component]) > 1)
    allowed = ", ".join([*names, *groups]) or "none, it is a scalar"
    raise ObservableError(f"component is {shown(component)}; {name} has: {allowed}")


def _groups(names: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Components that make a vector together, by the name of it."""
    if names[:1] == ("f0",):
        return {"triplet": tuple(range(1, len(names)))}
    groups: dict[str, list[int]] = {}
    for k, one in enumerate(names):
        head, _, tail = one.rpartition("_")
        if head and tail in ("x", "y", "z"):
            groups.setdefault(head, []).append(k)
    return {head: tuple(places) for head, places in groups.items()}


def checked_quantity(quantity: Any, is_complex: bool) -> str:
    """What to draw of numbers: "abs" of complex ones unless it is given, "real" of real ones.

    Raises
    ------
    ValueError
        If there is no such thing.
    """
    if quantity is None:
        return "abs" if is_complex else "real"
    return choice("quantity", quantity, QUANTITIES)


def as_real(values: Values, quantity: str) -> Values:
    """Modulus, phase, real or imaginary part; a phase is NaN where there is nothing."""
    if quantity == "phase":
        modulus = abs(values)
        known = modulus > VANISHING * np.nanmax(modulus, initial=0.0)
        return np.where(known, np.angle(values), np.nan)
    if quantity == "abs":
        return np.asarray(abs(values))
    return np.asarray(values.real if quantity == "real" else values.imag)


def described(label: str, unit: str, quantity: str, is_complex: bool) -> tuple[str, str]:
    """Name and unit of what `as_real` makes."""
    if quantity == "phase":
        return f"phase of {label}", "rad"
    if quantity == "abs":
        return f"|{label}|", unit
    return (f"{'Re' if quantity == 'real' else 'Im'} {label}" if is_complex else label), unit


def coloured(part: Part, unit: str, quantity: str, values: Values) -> tuple[Values, str]:
    """What is drawn in colour, and its label: the length of a vector, a part of a number; values (components, ...)."""
    if part.is_vector:
        length = np.sqrt((abs(values[list(part.numbers)]) ** 2).sum(axis=0))
        return np.asarray(length), with_unit(f"|{part.label}|", unit)
    label, unit = described(part.label, unit, quantity, np.iscomplexobj(values))
    return as_real(values[part.numbers[0]], quantity), with_unit(label, unit)
