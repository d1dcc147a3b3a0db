"""Quantities as scalars and vectors with names, as VTK and pyvista have them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .labels import with_unit

Values = NDArray[Any]
Arrays = dict[str, NDArray[Any]]


def padded(vector: Values) -> Values:
    """A vector field (components, n) as (n, 3)."""
    out = np.zeros((vector.shape[1], 3))
    out[:, : len(vector)] = vector.T
    return out


def plain_arrays(name: str, unit: str, values: Values) -> Arrays:
    """Real values (*components, n) as named scalar (n,) and vector (n, 3) arrays."""
    if values.ndim == 1:
        return {with_unit(name, unit): values}
    if values.ndim == 2:
        return {with_unit(name, unit): padded(values)}
    return {with_unit(f"{name}_s{axis}", unit): padded(part) for axis, part in zip("xyz", values, strict=True)}


def named_arrays(name: str, unit: str, components: tuple[str, ...], values: Values, ending: str = "") -> Arrays:
    """Arrays of a quantity: real and imaginary part and modulus of what is complex.

    Parameters
    ----------
    name, unit, components
        Of the quantity.
    values
        Shape (*components, n).
    ending
        Of its name.
    """
    if not np.iscomplexobj(values):
        return _real_arrays(name, unit, components, values, ending)
    arrays: Arrays = {}
    for label, part in _complex_parts(components, values):
        for suffix, real in (("re", part.real), ("im", part.imag), ("abs", abs(part))):
            arrays |= plain_arrays(f"{name}{ending}{label}_{suffix}", unit, real)
    return arrays


def _complex_parts(components: tuple[str, ...], values: Values) -> list[tuple[str, Values]]:
    """Scalars and vectors that a complex field is written as, with the ends of their names."""
    if components[:1] == ("f0",):
        return [("_f0", values[0]), ("_triplet", values[1:])]
    if values.ndim <= 2 and len(components) <= 3:
        return [("", values)]
    flat = values.reshape(-1, values.shape[-1])  # a matrix current: one scalar per entry
    return [(f"_{name}", part) for name, part in zip(components, flat, strict=True)]


def _real_arrays(name: str, unit: str, components: tuple[str, ...], values: Values, ending: str) -> Arrays:
    """Arrays of a real quantity; what is no vector is given by its components."""
    if values.ndim == 3 and len(values) != 3:
        values = values.reshape(-1, values.shape[-1])
    if values.ndim != 2 or len(values) <= 3:
        return plain_arrays(f"{name}{ending}", unit, values)
    names = [component.replace(" ", "_") for component in components]
    return {with_unit(f"{name}_{own}{ending}", unit): part for own, part in zip(names, values, strict=True)}
