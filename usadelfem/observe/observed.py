"""What observables have in common: of a tangent they are derivatives, and fields remember which observable they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import ref

from ..derivatives.tangent import Tangent
from ..fields.field import Field
from ..fields.traced import Origin, traced
from ..solve.results import Equilibrium, Spectrum

P = ParamSpec("P")
T = TypeVar("T")


def observable(function: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """Decorator of a function of a result that returns a `Field` or a number."""
    known = signature(function)

    @wraps(function)
    def observe(result: Any, *args: P.args, **given: P.kwargs) -> T:
        if isinstance(result, Tangent):
            return result.derivative_of(lambda moved: function(moved, *args, **given))  # type: ignore[no-any-return]
        value: Any = function(result, *args, **given)
        if not isinstance(result, Equilibrium | Spectrum):
            return value  # type: ignore[no-any-return]
        arguments = tuple(known.bind(result, *args, **given).arguments.items())[1:]
        origin = Origin(ref(result), function.__name__, arguments)
        if isinstance(value, Field):
            return value.of(origin)  # type: ignore[return-value]
        return traced(value, origin, (function.__name__,), 1.0)  # type: ignore[no-any-return]

    return observe  # type: ignore[return-value]
