"""Fields that were computed one by one, as a series over a parameter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import named, numbers, shown
from ..errors import ObservableError
from ..space.section import Section
from .field import Field
from .parameter import Series

Values = NDArray[Any]


@named()
def series(fields: Sequence[Field], values: ArrayLike, *, name: str, unit: str = "1") -> Field:
    """One series of fields that were computed for several values of a parameter: a phase, a field, a temperature.

    `write_vtk` animates it over the parameter.

    Parameters
    ----------
    fields
        The same quantity at every value, all on the same mesh and with elements of the same order.
    values
        Values of the parameter, shape (fields,).
    name, unit
        Name and unit of the parameter.

    Raises
    ------
    ObservableError
        If there are no fields, they do not match each other or the number of values, or are series themselves.
    """
    if not isinstance(fields, Sequence) or not all(isinstance(field, Field) for field in fields):
        raise ObservableError(f"fields is {shown(fields)}; allowed is a list of Field objects, of the same quantity")
    for what, text in (("name", name), ("unit", unit)):
        if not isinstance(text, str):
            raise ObservableError(f"{what} is {shown(text)}; allowed is a text")
    parameter = numbers("values", values, "are finite numbers, one for each field", error=ObservableError)
    if not fields or parameter.shape != (len(fields),):
        raise ObservableError(f"{len(fields)} fields, but values of shape {parameter.shape}: give one for each field")
    first = fields[0]
    for field in fields:
        same = field.name == first.name and field.quadrature.shape == first.quadrature.shape
        if not same or field.space.mesh is not first.space.mesh or field.series is not None:
            raise ObservableError(f"{field!r} and {first!r} are not the same quantity on the same mesh")
    makers = [field.exact for field in fields if field.exact is not None]
    fluxes = [field.flux for field in fields if field.flux is not None]
    return replace(
        first, quadrature=np.array([field.quadrature for field in fields]), series=Series(name, unit, parameter),
        exact=None if len(makers) < len(fields) else lambda location: np.array([make(location) for make in makers]),
        flux=None if len(fluxes) < len(fields) else partial(_fluxes, fluxes),
    )  # fmt: skip


def _fluxes(fluxes: Sequence[Callable[[Section], Values | None]], section: Section) -> Values | None:
    values = [flux(section) for flux in fluxes]
    return None if any(value is None for value in values) else np.array(values)
