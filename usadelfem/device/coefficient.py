"""Values that vary in space, given as numbers, callables of position or nodal arrays; the only caller of user code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_array, shown
from ..errors import DeviceError
from ..physics.columns import COEFFICIENT_RULES
from ..rules import Rule
from .quantities import is_quantity, magnitude
from .units import DIMENSIONS

Field = Any  # a number or vector, a callable f(x) with x of shape (dim, ...), or an array over the mesh vertices
Interpolate = Callable[[NDArray[Any]], NDArray[Any]]


# Of coefficients of the equation (`physics.columns`), and of what else varies in space.
RULES: dict[str, Rule] = {
    **COEFFICIENT_RULES,
    "phase": Rule("1"),
    "potential": Rule("voltage"),
    "spin": Rule("energy", shape=(3,)),
    "voltage": Rule("voltage"),
    "temperature": Rule("temperature", positive=True, optional=True),
    "spin_bias": Rule("energy", shape=(3,)),
    "current": Rule("current"),
    "spin_current": Rule("energy", shape=(3,)),
    "Tc": Rule("temperature", non_negative=True, optional=True),
    "conductance": Rule("interface", non_negative=True),
    "polarization": Rule("1", limit=1.0),
    "mixing": Rule("interface"),
    "magnetization": Rule("1", shape=(3,), direction=True),
}
_unknown = {rule.dimension for rule in RULES.values()} - set(DIMENSIONS)
if _unknown:
    raise TypeError(f"rules of coefficients name dimensions that do not exist: {', '.join(sorted(_unknown))}")


def check_values(name: str, values: NDArray[Any], owner: str) -> None:
    """Raise DeviceError unless all values are in the range that the rule of `name` allows."""
    rule = RULES[name]
    bad = np.isnan(values) | (np.isinf(values) & (not rule.infinite))
    if rule.positive:
        bad |= values <= 0
    if rule.non_negative:
        bad |= values < 0
    if rule.limit is not None:
        bad |= abs(values) > rule.limit
    if rule.direction:
        bad |= ~values.any(axis=0, keepdims=True)
    if bad.any():
        raise DeviceError(f"{owner}: {name} is {values[bad].flat[0]}; allowed is {rule.describe()}")
    if rule.antisymmetric and abs(values + values.swapaxes(0, 1)).max(initial=0.0) > 1e-12 * abs(values).max(initial=0):
        raise DeviceError(f"{owner}: {name} is not antisymmetric; allowed is {rule.describe()}")


def as_numbers(name: str, value: Any, owner: str) -> NDArray[Any]:
    """A number, vector or nodal array as an array of the right type; DeviceError if it is not numeric."""
    rule = RULES[name]
    array = as_array(magnitude(value))
    if array is None or not array.size or (array.dtype.kind == "c" and not rule.complex):
        hint = ""
        if isinstance(value, np.ma.MaskedArray):
            hint = "; fill the masked values first, value.filled(...)"
        elif array is not None and array.size and not abs(array.imag).max():
            hint = "; its imaginary part is zero, give value.real"
        raise DeviceError(
            f"{owner}: {name} is {shown(value)}; allowed is {rule.describe()}, a callable of position, or a nodal "
            f"array{hint}"
        )
    return array.astype(complex if rule.complex else float)


def check_coefficient(name: str, value: Field, owner: str) -> None:
    """Check what can be checked without a mesh: type, number of components and range of a number or an array."""
    rule = RULES[name]
    if callable(value) or (value is None and rule.optional):
        return
    array = as_numbers(name, value, owner)
    rule = rule.of(array.shape[: len(rule.shape)])
    if not rule.fits(array.shape[: len(rule.shape)]) or array.ndim > len(rule.shape) + 1:
        wanted = f"{rule.shape} or {(*rule.shape, 'vertices')}".replace("'", "")
        raise DeviceError(f"{owner}: {name} has shape {array.shape}; allowed is {wanted}, or a callable of position")
    check_values(name, array, owner)


def frozen_value(value: Field) -> Field:
    """What the user gave; an array as a read-only copy, so that a record never changes behind its owner's back."""
    if is_quantity(value):
        return type(value)(frozen_value(value.magnitude), value.units)
    nested = isinstance(value, tuple) and any(isinstance(entry, list | np.ndarray) for entry in value)
    if nested or isinstance(value, list):
        value = as_array(value)
    if not isinstance(value, np.ndarray):
        return value
    copy = np.array(value, copy=True)  # in C order, and no subclass
    if not copy.ndim:
        return copy[()]
    copy.flags.writeable = False
    return copy


def uniform(value: Field) -> complex | None:
    """A value that is a single number, as such; None for one that varies in space or is not given."""
    value = magnitude(value)
    if value is None or callable(value) or np.ndim(value) > 0:
        return None
    return complex(value)


def check_one_temperature(value: Field, owner: str) -> None:
    """DeviceError unless a temperature is None or one positive number."""
    check_coefficient("temperature", value, owner)
    if value is not None and uniform(value) is None:
        allowed = f"one for all of it, {RULES['temperature'].describe()}"
        raise DeviceError(f"{owner}: temperature is {shown(value)}; allowed is {allowed}")


def varies_in_space(value: Any) -> bool:
    """Whether a coefficient is a function of position or an array over the vertices."""
    return callable(value) or (isinstance(value, np.ndarray) and value.size > 9)


def describe(value: Field) -> str:
    """A value in few characters: numbers as they are, arrays by their shape, callables by their name."""
    if callable(value):
        return f"{getattr(value, '__name__', type(value).__name__)}(x)"
    if is_quantity(value):
        return f"{value:.6g~C}"
    if isinstance(value, np.ndarray) and value.size > 3:
        return f"array of shape {value.shape}"
    return str(value)


def evaluate(name: str, value: Field, x: NDArray[Any], owner: str, interpolate: Interpolate | None = None) -> Any:
    """Values of a coefficient at points.

    Parameters
    ----------
    name
        Name of the coefficient, a key of RULES.
    value
        What the user gave.
    x
        Positions, shape (dim, ...).
    owner
        Who to name in an error, e.g. "material of region 'F'".
    interpolate
        Takes an array over the mesh vertices, (..., vertices), to the points; None: nodal arrays are not accepted.

    Returns
    -------
    array, shape (..., points) for scalars, (*components, ..., points) for vectors and tensors

    Raises
    ------
    DeviceError
        If the callable fails, or returns a wrong shape or values out of range.
    """
    rule = RULES[name]
    wanted = (*rule.shape_in(len(x)), *x.shape[1:])
    if callable(value):
        return _call(name, value, x, owner, wanted)
    if value is None:
        return np.zeros(wanted)
    array = as_numbers(name, value, owner)
    shape = rule.of(array.shape[: len(rule.shape)]).shape_in(len(x))
    if array.shape[: len(shape)] != shape:
        raise DeviceError(f"{owner}: {name} has shape {array.shape}; on this mesh of dimension {len(x)} it is {shape}")
    if array.ndim == len(shape):
        return np.broadcast_to(array.reshape(*shape, *(1,) * (x.ndim - 1)), wanted)
    if interpolate is None:
        raise DeviceError(f"{owner}: {name} is an array of shape {array.shape}; allowed here: a number or a callable")
    values = interpolate(array)
    return np.broadcast_to(values, (*rule.shape_in(len(x)), *values.shape[len(shape) :]))


def _call(name: str, value: Any, x: NDArray[Any], owner: str, wanted: tuple[int, ...]) -> NDArray[Any]:
    try:
        result = value(x.copy())
    except Exception as error:
        raise DeviceError(f"{owner}: calling {name}(x) with x of shape {x.shape} raised {error!r}") from error
    array = as_array(result)
    if array is None:
        raise DeviceError(
            f"{owner}: {name}(x) returned {shown(result)}; allowed are numbers of shape {wanted}, the same for all "
            "components"
        )
    if RULES[name].isotropic and array.shape == x.shape[1:]:
        array = np.broadcast_to(array, wanted)
    if array.shape != wanted:
        raise DeviceError(
            f"{owner}: {name}(x) returned shape {array.shape} for x of shape {x.shape}; allowed is {wanted} "
            "(for a constant give the number itself)"
        )
    array = as_numbers(name, array, owner)
    check_values(name, array, owner)
    return array
