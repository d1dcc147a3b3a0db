"""Numbers that remember which observables they are made of, so that they can be differentiated (`sensitivity`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self
from weakref import ref

import numpy as np
from numpy.typing import NDArray

_keeping: ContextVar[bool] = ContextVar("keeping", default=False)


@contextmanager
def keeping_results() -> Iterator[None]:
    """Inside, numbers keep the results that they were computed from, which are large; outside they do not."""
    token = _keeping.set(True)
    try:
        yield
    finally:
        _keeping.reset(token)


def keeps_results() -> bool:
    """Whether numbers keep their results: derivatives will be asked of them."""
    return _keeping.get()


def reference(result: Any) -> Callable[[], Any]:
    """What gives a result as long as it is there."""
    return (lambda: result) if _keeping.get() else ref(result)


@dataclass(frozen=True)
class Origin:
    """The observable that a field is: of which result, by which name, with which arguments."""

    result: Callable[[], Any]
    observable: str
    arguments: tuple[tuple[str, Any], ...] = ()
    member: int | None = None  # of a series


@dataclass(frozen=True, eq=False)
class Part:
    """One entry of what a field was reduced to: `reduction` is the name and the arguments of a method of `Field`.

    `factor` is the value in the unit of the field over that in natural units; `place` numbers the entry, and `part`
    says which part of a complex number it is ("real" or "imag").
    """

    origin: Origin
    reduction: tuple[Any, ...]
    factor: float
    place: int = 0
    part: str = "real"


Parts = Mapping[Part, float]

# Derivatives of the functions of NumPy that may stand in an objective.
_SLOPES: dict[Any, Callable[[Any], Any]] = {
    np.negative: lambda x: -1.0, np.positive: lambda x: 1.0, np.absolute: np.sign, np.fabs: np.sign,
    np.sqrt: lambda x: 0.5 / np.sqrt(x), np.square: lambda x: 2 * x, np.exp: np.exp, np.log: lambda x: 1 / x,
    np.log10: lambda x: 1 / (x * np.log(10)), np.log1p: lambda x: 1 / (1 + x), np.expm1: np.exp,
    np.reciprocal: lambda x: -1 / x**2, np.sin: np.cos, np.cos: lambda x: -np.sin(x),
    np.tan: lambda x: 1 / np.cos(x) ** 2, np.sinh: np.cosh, np.cosh: np.sinh, np.tanh: lambda x: 1 / np.cosh(x) ** 2,
    np.arctan: lambda x: 1 / (1 + x**2), np.arcsin: lambda x: 1 / np.sqrt(1 - x**2),
    np.arccos: lambda x: -1 / np.sqrt(1 - x**2), np.arcsinh: lambda x: 1 / np.hypot(1, x),
    np.arctanh: lambda x: 1 / (1 - x**2),
}  # fmt: skip
_PAIRS: dict[Any, Callable[[Any, Any], tuple[Any, Any]]] = {
    np.add: lambda x, y: (1.0, 1.0), np.subtract: lambda x, y: (1.0, -1.0), np.multiply: lambda x, y: (y, x),
    np.true_divide: lambda x, y: (1 / y, -x / y**2),
    np.power: lambda x, y: (y * x ** (y - 1), x**y * np.log(x) if x > 0 else 0.0),
    np.hypot: lambda x, y: (x / np.hypot(x, y), y / np.hypot(x, y)),
    np.arctan2: lambda x, y: (y / (x**2 + y**2), -x / (x**2 + y**2)),
}  # fmt: skip


class Traced(np.float64):
    """A number made of observables, with its derivative with respect to each of them.

    Sums, products, quotients, powers and the usual functions of NumPy keep it; anything else makes a plain number.
    """

    parts: Parts

    def __new__(cls, value: Any, parts: Parts) -> Traced:
        """A number with the derivatives with respect to its parts."""
        made = super().__new__(cls, value)
        made.parts = parts
        return made

    def __reduce__(self) -> Any:
        return np.float64, (float(self),)

    def __repr__(self) -> str:
        return repr(np.float64(self))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.float64(one) if isinstance(one, Traced) else one for one in inputs]
        value = getattr(ufunc, method)(*plain, **options)
        simple = method == "__call__" and not options and all(_is_real(one) for one in plain)
        if not simple:
            return value
        if len(plain) == 1 and ufunc in _SLOPES:
            return _combined(value, inputs, (_SLOPES[ufunc](plain[0]),))
        if len(plain) == 2 and ufunc in _PAIRS:
            return _combined(value, inputs, _PAIRS[ufunc](*plain))
        return value

    def __add__(self, other: Any) -> Any:
        return np.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return np.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return np.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return np.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return np.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return np.true_divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return np.true_divide(other, self)

    def __pow__(self, other: Any, modulus: None = None) -> Any:
        return np.power(self, other)

    def __rpow__(self, other: Any, modulus: None = None) -> Any:
        return np.power(other, self)

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return np.positive(self)

    def __abs__(self) -> Any:
        return np.absolute(self)


class TracedComplex(np.complex128):
    """A complex number that is an observable: its parts and its modulus can be differentiated."""

    of: Part

    def __new__(cls, value: Any, of: Part) -> TracedComplex:
        """A number with what it is."""
        made = super().__new__(cls, value)
        made.of = of
        return made

    def __reduce__(self) -> Any:
        return np.complex128, (complex(self),)

    def __repr__(self) -> str:
        return repr(np.complex128(self))

    @property
    def real(self) -> Any:
        """The real part."""
        return Traced(np.complex128(self).real, {self.of: 1.0})

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        own = self.of
        return Traced(
            np.complex128(self).imag, {Part(own.origin, own.reduction, own.factor, own.place, "imag"): 1.0}
        )  # fmt: skip

    def __abs__(self) -> Any:
        return np.hypot(self.real, self.imag)


class TracedArray(np.ndarray[Any, Any]):
    """An array of observables: its entries are `Traced`; functions of the array as a whole are plain arrays."""

    of: Part | None
    places: NDArray[np.int64] | None

    def __array_finalize__(self, other: Any) -> None:
        self.of = self.places = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if "out" in options:
            options["out"] = tuple(np.asarray(one) for one in options["out"])
        return getattr(ufunc, method)(*(_plain(one) for one in inputs), **options)

    def __getitem__(self, key: Any) -> Any:
        value = super().__getitem__(key)
        if self.places is None or self.of is None:
            return value
        return _labelled(value, self.of, self.places[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.of = self.places = None  # what was written is no observable

    def __reduce__(self) -> Any:
        return np.asarray(self).__reduce__()


class Remembering:
    """Something that is reduced to numbers, which remember what it is."""

    @property
    def origin(self) -> Origin | None:
        """The observable that it is; None of what was computed from others."""
        return self.__dict__.get("origin")

    def __getstate__(self) -> dict[str, Any]:
        """Without the result that it belongs to, which stays where it is."""
        return {name: value for name, value in vars(self).items() if name != "origin"}

    def of(self, origin: Origin) -> Self:
        """The same, with the note which observable it is."""
        self.__dict__["origin"] = origin
        return self

    def _told(self, value: NDArray[Any], factor: float, *reduction: Any) -> NDArray[Any]:
        told: NDArray[Any] = traced(value, self.origin, reduction, factor)
        return told


def traced(value: Any, origin: Origin | None, reduction: tuple[Any, ...], factor: float) -> Any:
    """A value, a number or an array, that remembers what it is; as it is without an origin."""
    if origin is None:
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "iufc":  # a record, as that of vortices
        return value
    return _labelled(value, Part(origin, reduction, factor), np.arange(array.size).reshape(array.shape))


def _labelled(value: Any, of: Part, places: Any) -> Any:
    if isinstance(places, np.ndarray) and places.ndim:
        array = np.asarray(value).view(TracedArray)
        array.of, array.places = of, places
        return array
    one = Part(of.origin, of.reduction, of.factor, int(places))
    if np.iscomplexobj(value):
        return TracedComplex(value, one)
    return Traced(value, {one: 1.0})


def _combined(value: Any, inputs: tuple[Any, ...], slopes: tuple[Any, ...]) -> Traced:
    parts: dict[Part, float] = {}
    for one, slope in zip(inputs, slopes, strict=True):
        if isinstance(one, Traced):
            for part, rate in one.parts.items():
                parts[part] = parts.get(part, 0.0) + float(slope) * rate
    return Traced(value, parts)


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, TracedArray) else value
