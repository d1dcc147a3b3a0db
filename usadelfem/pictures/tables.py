"""Arrays with names, coordinates and units: xarray."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .extra import load

# Name -> dimensions, values, unit.
Entries = Mapping[str, tuple[tuple[str, ...], Any, str]]


def attributes(name: str, unit: str) -> dict[str, str]:
    """What xarray reads for the labels of its plots; what is dimensionless has no units."""
    named = {"long_name": name.replace("_", " ")}
    return named if unit == "1" else named | {"units": unit}


def data_array(name: str, dims: tuple[str, ...], values: Any, coordinates: Entries, unit: str, **attrs: Any) -> Any:
    """A DataArray with units for itself and its coordinates.

    Parameters
    ----------
    name, dims, values, unit
        Of the data; `values` has one axis for each dimension.
    coordinates
        Name -> dimensions, values, unit.
    attrs
        Further attributes.
    """
    xarray = load("xarray")
    return xarray.DataArray(
        np.asarray(values), dims=dims, coords=variables(coordinates), name=name, attrs=attributes(name, unit) | attrs
    )  # fmt: skip


def dataset(entries: Entries, coordinates: Entries, **attrs: Any) -> Any:
    """A Dataset of several arrays."""
    return load("xarray").Dataset(variables(entries), coords=variables(coordinates), attrs=attrs)


def variables(entries: Entries) -> dict[str, Any]:
    """Variables of xarray with their units."""
    return {name: (dims, values, attributes(name, unit)) for name, (dims, values, unit) in entries.items()}
