"""Sums, products and parts of fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..checks import shown
from ..device.unit_algebra import same_unit, unit_power, unit_product
from ..errors import ObservableError
from ..frozen import FrozenRecord

Values = NDArray[Any]
Made = Callable[[Any], Any]  # values at a location, or fluxes through a section


class Quantity(FrozenRecord):
    """What can be computed with the fields of one mesh, and with numbers.

    Values are combined at the quadrature points, and where both fields are exact everywhere also exactly. Units are
    multiplied and divided as texts; what is added must have the same one. Sums and multiples of currents keep their
    consistent flux, so that `(a - b).through(...)` is the difference of the two; products have none. NumPy's functions
    take a field as its values at the vertices, and so do operators with arrays; `abs`, `np.abs`, `np.conj` and
    operators with numbers and fields make fields.
    """

    name: str
    unit: str
    components: tuple[str, ...]
    quadrature: Values
    space: Any
    exact: Made | None
    flux: Made | None
    series: Any
    scale: Any

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Values:
        """The values at the vertices of the mesh, `nodal`."""
        values: Any = self.nodal  # type: ignore[attr-defined]
        return np.array(values, dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [one[()] if isinstance(one, np.ndarray) and not one.ndim else one for one in inputs]
        if method == "__call__" and not options and ufunc in _OPERATORS and all(map(_fits, plain)):
            return _OPERATORS[ufunc](*plain)
        arrays = [np.asarray(one) if isinstance(one, Quantity) else one for one in inputs]
        return getattr(ufunc, method)(*arrays, **options)

    def __add__(self, other: Any) -> Self:
        return self._sum(other, 1) if _fits(other) else NotImplemented

    def __radd__(self, other: Any) -> Self:
        return self._sum(other, 1) if _fits(other) else NotImplemented

    def __sub__(self, other: Any) -> Self:
        return self._sum(other, -1) if _fits(other) else NotImplemented

    def __rsub__(self, other: Any) -> Self:
        return (-self)._sum(other, 1) if _fits(other) else NotImplemented

    def __mul__(self, other: Any) -> Self:
        if _is_number(other):
            return self._multiple(other, f"{other:g}*{_factor(self.name)}")
        return self._product(other, 1) if _fits(other) else NotImplemented

    def __rmul__(self, other: Any) -> Self:
        return self * other if _fits(other) else NotImplemented

    def __truediv__(self, other: Any) -> Self:
        if _is_number(other):
            return self._multiple(1 / other, f"{_factor(self.name)}/{other:g}")
        return self._product(other, -1) if _fits(other) else NotImplemented

    def __rtruediv__(self, other: Any) -> Self:
        if not _is_number(other):
            return NotImplemented
        made = self._mapped(f"{other:g}/{_factor(self.name)}", lambda values: other / values)
        return made._in_unit(unit_power(self.unit, -1))

    def __pow__(self, power: Any) -> Self:
        if not _is_number(power) or isinstance(power, complex):
            return NotImplemented
        made = self._mapped(f"{_factor(self.name)}^{power:g}", lambda values: values**power)
        return made._in_unit(unit_power(self.unit, power))

    def __neg__(self) -> Self:
        return self._multiple(-1, f"-{_factor(self.name)}")

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._mapped(f"|{self.name}|", np.abs)

    @property
    def real(self) -> Self:
        """The real part."""
        return self._linear(f"Re {_factor(self.name)}", np.real)

    @property
    def imag(self) -> Self:
        """The imaginary part."""
        return self._linear(f"Im {_factor(self.name)}", np.imag)

    def conj(self) -> Self:
        """The complex conjugate."""
        return self._linear(f"conj {_factor(self.name)}", np.conj)

    conjugate = conj

    def angle(self) -> Self:
        """The phase in radians, between -pi and pi."""
        return self._mapped(f"arg {_factor(self.name)}", np.angle)._in_unit("rad")

    def component(self, name: str) -> Self:
        """One component as a scalar field; that of a pair amplitude "f0", of a current "x".

        Raises
        ------
        ObservableError
            If there is no such component.
        """
        if not isinstance(name, str) or name not in self.components:
            known = ", ".join(self.components) or "none, it is a scalar"
            raise ObservableError(f"component is {shown(name)}; {self.name} has: {known}")
        chosen = self.components.index(name)
        made = self._mapped(f"{self.name}_{name}", lambda values: values, chosen)
        return replace(made, components=())  # type: ignore[type-var]

    def _multiple(self, factor: Any, name: str) -> Self:
        return self._linear(name, partial(np.multiply, factor))

    def _linear(self, name: str, function: Callable[[Values], Values]) -> Self:
        """A linear function of the values, and of the flux."""
        made = self._mapped(name, function)
        return replace(made, flux=_after(self.flux, function))  # type: ignore[type-var]

    def _mapped(self, name: str, function: Callable[[Values], Values], component: int | None = None) -> Self:
        """A function of the values of each point, of one component or all."""
        lead = self.series is not None

        def of(values: Values, behind: int) -> Values:
            if component is not None:
                points = values.shape[values.ndim - behind :]
                flat = values.reshape(*(lead * values.shape[:1]), -1, *points)
                values = np.moveaxis(flat, lead, 0)[component]
            return np.asarray(function(values))

        return replace(  # type: ignore[type-var]
            self, name=name, quadrature=of(self.quadrature, 2), flux=None,
            exact=_after(self.exact, partial(of, behind=1)),
        )  # fmt: skip

    def _sum(self, other: Any, sign: int) -> Self:
        if _is_number(other):
            if other == 0:
                return self
            if not same_unit(self.unit, "1"):
                raise ObservableError(f"cannot add the number {other:g} to {self.name}, whose unit is {self.unit}")
            name = f"{self.name} {'+' if sign > 0 else '-'} {other:g}"
            return self._mapped(name, lambda values: values + sign * other)
        _check_same_mesh(self, other)
        if self.components != other.components or not same_unit(self.unit, other.unit):
            raise ObservableError(
                f"cannot add {self!r} and {other!r}: components and units must be the same; take one component with "
                "field.component(name)"
            )
        name = f"{self.name} {'+' if sign > 0 else '-'} {other.name if sign > 0 else _factor(other.name)}"
        combine = np.add if sign > 0 else np.subtract
        flux = None if self.flux is None or other.flux is None else partial(_both, combine, self.flux, other.flux)
        return self._combined(other, name, combine, flux)

    def _product(self, other: Any, sign: int) -> Self:
        _check_same_mesh(self, other)
        if self.components and other.components and self.components != other.components:
            raise ObservableError(
                f"cannot multiply {self!r} and {other!r}: one must be a scalar, or both have the same components; take "
                "one with field.component(name)"
            )
        name = f"{_factor(self.name)}{'*' if sign > 0 else '/'}{_factor(other.name, sign)}"
        made = self._combined(other, name, np.multiply if sign > 0 else np.true_divide, None)
        components = self.components or other.components
        made = made._in_unit(unit_product(self.unit, other.unit, sign))
        return replace(made, components=components)  # type: ignore[type-var]

    def _in_unit(self, unit: str) -> Self:
        return replace(self, unit=unit, scale=self.scale.relabelled(unit))  # type: ignore[type-var]

    def _combined(self, other: Any, name: str, combine: Callable[[Values, Values], Values], flux: Any) -> Self:
        def of(one: Values, two: Values, behind: int) -> Values:
            one, two = _aligned(self, one, other, two, behind)
            return np.asarray(combine(one, two))

        exact, second = self.exact, other.exact
        both = None
        if exact is not None and second is not None:

            def both(location: Any) -> Values:
                return of(exact(location), second(location), 1)

        return replace(  # type: ignore[type-var]
            self, name=name, quadrature=of(self.quadrature, other.quadrature, 2), exact=both, flux=flux,
            series=self.series or other.series,
        )  # fmt: skip


def _aligned(one: Any, values: Values, two: Any, others: Values, behind: int) -> tuple[Values, Values]:
    """Values (series?, *components, ...) of two fields with the same axes; `behind` are those of the points."""
    pairs = ((one, values), (two, others))
    rank = max(own.ndim - behind - (field.series is not None) for field, own in pairs)
    made = []
    for field, own in pairs:
        start, end = int(field.series is not None), own.ndim - behind
        shape = own.shape[start:end] or (1,) * rank
        made.append(own.reshape(*(own.shape[:start] or (1,)), *shape, *own.shape[end:]))
    if one.series is None and two.series is None:
        return made[0][0], made[1][0]
    return made[0], made[1]


def _check_same_mesh(one: Any, two: Any) -> None:
    if one.space.mesh is not two.space.mesh or one.space.order != two.space.order:
        raise ObservableError(
            f"{one.name} and {two.name} live on different meshes: compare their values at points, field.at(points)"
        )
    if one.series is not None and two.series is not None:
        same = one.series.name == two.series.name and np.array_equal(one.series.values, two.series.values)
        if not same:
            raise ObservableError(f"{one.name} and {two.name} are series over different values")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex | np.number) and not isinstance(value, bool)


def _fits(value: Any) -> bool:
    return isinstance(value, Quantity) or _is_number(value)


def _factor(name: str, sign: int = 1) -> str:
    """A name as a factor of a product, or behind a minus or fraction bar, in parentheses where it needs them."""
    depth, bare = 0, name.startswith("-") or name.startswith(("Re ", "Im ", "arg ", "conj "))
    for k, letter in enumerate(name):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        bare |= not depth and (name[k : k + 3] in (" + ", " - ") or (sign < 0 and letter in "*/"))
    return f"({name})" if bare and not name.startswith("|") else name


def _after(made: Made | None, function: Callable[[Any], Any]) -> Made | None:
    return None if made is None else partial(_composed, function, made)


def _composed(function: Callable[[Any], Any], made: Made, place: Any) -> Any:
    values = made(place)
    return None if values is None else function(values)


def _both(combine: Callable[[Any, Any], Any], one: Made, two: Made, place: Any) -> Any:
    values = one(place), two(place)
    return None if any(value is None for value in values) else combine(*values)


_OPERATORS: dict[Any, Callable[..., Any]] = {
    np.add: lambda a, b: a + b if isinstance(a, Quantity) else b.__radd__(a),
    np.subtract: lambda a, b: a - b if isinstance(a, Quantity) else b.__rsub__(a),
    np.multiply: lambda a, b: a * b if isinstance(a, Quantity) else b.__rmul__(a),
    np.true_divide: lambda a, b: a / b if isinstance(a, Quantity) else b.__rtruediv__(a),
    np.power: lambda a, b: a**b if isinstance(a, Quantity) else NotImplemented,
    np.negative: lambda a: -a,
    np.absolute: abs,
    np.conjugate: lambda a: a.conj(),
}
