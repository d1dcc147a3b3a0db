"""What observables have in common: of a tangent they are derivatives, and fields remember which observable they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..derivatives.tangent import Tangent
from ..errors import ObservableError
from ..fields.field import Field
from ..fields.traced import Origin, reference, traced
from ..solve.results import Equilibrium, Spectrum

P = ParamSpec("P")
T = TypeVar("T")
Observable = Callable[Concatenate[Any, P], T]


def observable(function: Observable[P, T]) -> Observable[P, T]:
    """Decorator of a function of a result that returns a `Field` or a number: it takes tangents, too."""
    return _observable(function, lambda tangent, *args, **given: tangent.derivative_of(
        lambda moved: function(moved, *args, **given)
    ))  # fmt: skip


def along(derivative: Callable[[Tangent], Any]) -> Callable[[Observable[P, T]], Observable[P, T]]:
    """The same with another rule for the derivative."""
    return lambda function: _observable(function, lambda tangent, *args, **given: derivative(tangent))


def undifferentiable(reason: str) -> Callable[[Observable[P, T]], Observable[P, T]]:
    """The same of an observable without a derivative, for a reason that ends the sentence of the error."""

    def refuse(function: Observable[P, T]) -> Callable[..., Any]:
        def raise_error(tangent: Tangent, *args: Any, **given: Any) -> Any:
            raise ObservableError(f"{function.__name__} has no derivative: {reason}")

        return raise_error

    return lambda function: _observable(function, refuse(function))


def _observable(function: Observable[P, T], derivative: Callable[..., Any]) -> Observable[P, T]:
    known = signature(function)

    @wraps(function)
    def observe(result: Any, *args: P.args, **given: P.kwargs) -> T:
        if isinstance(result, Tangent):
            return derivative(result, *args, **given)  # type: ignore[no-any-return]
        value: Any = function(result, *args, **given)
        if not isinstance(result, Equilibrium | Spectrum):
            return value  # type: ignore[no-any-return]
        arguments = tuple(known.bind(result, *args, **given).arguments.items())[1:]
        origin = Origin(reference(result), function.__name__, arguments)
        if isinstance(value, Field):
            return value.of(origin)  # type: ignore[return-value]
        return traced(value, origin, (function.__name__,), 1.0)  # type: ignore[no-any-return]

    return observe  # type: ignore[return-value]
