"""Checks of what users give: numbers, words, keywords, kinds. An error names the argument and what is allowed."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature
from numbers import Integral
from numbers import Real as RealNumber
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)

LARGE = 2**62  # integers beyond are no numbers of anything
COLDEST, HOTTEST = 1e-90, 1e90  # temperatures between which cubes of energies are floating-point numbers
DEEPEST = 32  # nested lists; deeper ones, and those that hold themselves, are no array
# What others call what is an argument here.
USUAL = {
    "delta": "gap", "pair_potential": "gap", "order_parameter": "gap", "h": "exchange", "exchange_field": "exchange",
    "zeeman": "exchange", "alpha": "rashba", "beta": "dresselhaus", "diffusion": "D", "dos": "N0", "t": "temperature",
    "phi": "phase", "chi": "phase", "field": "B", "magnetic_field": "B", "gamma": "depairing", "eta": "broadening",
    "dynes": "broadening", "tol": "tolerance", "guess": "initial", "start": "initial", "threads": "workers",
}  # fmt: skip
_BETWEEN = (__name__.partition(".")[0], "scipy")


def as_number(value: Any) -> float | None:
    """A real number, NumPy's and arrays of no dimension included; None if it is none. True and False are none."""
    if isinstance(value, np.ndarray):
        value = value[()] if value.ndim == 0 and not isinstance(value, np.ma.MaskedArray) else None
    if isinstance(value, bool | np.bool_) or not isinstance(value, RealNumber):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def number(
    name: str, value: Any, *, above: float | None = None, least: float | None = None, below: float | None = None,
    error: type[Exception] = ValueError, what: str = "number", note: str = "",
) -> float:  # fmt: skip
    """A finite real number in a range.

    Parameters
    ----------
    name
        What the argument is called.
    value
        What the user gave.
    above, least, below
        Bounds: > above, >= least, < below; None: none.
    error
        Class of the exception if it is not.
    what
        What the number is: "energy", "length".
    note
        What else is allowed or helps, after the range.
    """
    found = as_number(value)
    low = -math.inf if above is None and least is None else above if least is None else least
    good = found is not None and math.isfinite(found) and (below is None or found < below)
    if not good or not (found >= low if above is None else found > low):  # type: ignore[operator]
        span = "" if above is None and least is None else f" > {above:g}" if least is None else f" >= {least:g}"
        span = f"between {low:g} and {below:g}" if below is not None else f"finite {what}{span}"
        allowed = f"a {what} {span}" if below is not None else f"a {span}"
        raise error(f"{name} is {shown(value)}; allowed is {allowed}{note}")
    return float(found)  # type: ignore[arg-type]


def checked_temperature(temperature: Any) -> float:
    """A temperature as a float; ValueError unless it is positive and floating point can do with it."""
    found = number("temperature", temperature, above=0)
    if not COLDEST < found < HOTTEST:
        raise ValueError(
            f"temperature is {shown(temperature)}; allowed is a number between {COLDEST:g} and {HOTTEST:g}, an energy "
            "k_B T in the unit of gap and exchange"
        )
    return found


def integer(
    name: str, value: Any, *, least: int | None = None, error: type[Exception] = ValueError, note: str = ""
) -> int:
    """An integer of at least some size; a float is none, nor are True and False. Parameters as of `number`."""
    if isinstance(value, np.ndarray) and value.ndim == 0 and not isinstance(value, np.ma.MaskedArray):
        value = value[()]
    good = isinstance(value, Integral) and not isinstance(value, bool | np.bool_) and abs(int(value)) < LARGE
    if not good or (least is not None and int(value) < least):
        raise error(f"{name} is {shown(value)}; allowed is an integer{'' if least is None else f' >= {least}'}{note}")
    return int(value)


def flag(name: str, value: Any, *, error: type[Exception] = ValueError) -> bool:
    """True or False; a number or a text is neither."""
    if not isinstance(value, bool | np.bool_):
        raise error(f"{name} is {shown(value)}; allowed are True and False")
    return bool(value)


def choice(name: str, value: Any, allowed: Iterable[str], *, error: type[Exception] = ValueError) -> str:
    """One of some words."""
    words = tuple(allowed)
    if not isinstance(value, str) or value not in words:
        known = " and ".join(filter(None, (", ".join(map(repr, words[:-1])), repr(words[-1]))))
        raise error(f"{name} is {shown(value)}; allowed {'is' if len(words) == 1 else 'are'} {known}")
    return value


def numbers(name: str, value: Any, allowed: str, *, error: type[Exception] = ValueError) -> NDArray[np.float64]:
    """Finite real numbers as an array; what is `allowed` is said in words, and the shape left to the caller."""
    array = as_array(value)
    if array is None or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise error(f"{name} is {shown(value)}; allowed {allowed}")
    return array.astype(np.float64)


def as_array(value: Any) -> NDArray[Any] | None:
    """An array of numbers, empty ones included; None if it is of another kind or holds masked values."""
    if _is_misleading(value):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # rows of different lengths, and whatever the __array__ of a foreign object raises
        return None
    if array.dtype == object:  # numbers of several kinds, such as fractions
        flat = [as_number(entry) for entry in array.ravel()]
        return None if None in flat else np.array(flat, float).reshape(array.shape)
    return array if array.dtype.kind in "iufc" else None


def _is_misleading(value: Any, depth: int = 0) -> bool:
    """Whether it is a masked array, or a list with one or with True or False, which NumPy would take for 1 and 0.

    So is a list that is nested too deep for an array, as one that holds itself.
    """
    if isinstance(value, list | tuple):
        return depth > DEEPEST or any(
            _is_misleading(entry, depth + 1) or isinstance(entry, bool | np.bool_) for entry in value
        )
    return isinstance(value, np.ma.MaskedArray)


def kind(name: str, value: Any, kinds: type | tuple[type, ...], allowed: str) -> None:
    """TypeError unless a value is of one of some classes; what is `allowed` is said in words."""
    if not isinstance(value, kinds):
        raise TypeError(f"{name} is {shown(value)}; allowed {allowed}")


def file_path(name: str, value: Any) -> Path:
    """A path that the user gave; TypeError or ValueError if it is none."""
    try:
        path = Path(value)
    except TypeError as error:
        raise TypeError(f"{name} is {shown(value)}; allowed is the path of a file, a str or a pathlib.Path") from error
    if not str(value) or "\0" in str(path):
        raise ValueError(f"{name} is {shown(value)}; allowed is the path of a file")
    return path


def shown(value: Any) -> str:
    """A value for an error message, in at most about a hundred characters; arrays by shape and type."""
    if isinstance(value, np.ndarray) and value.size > 4:
        masked = "a masked" if isinstance(value, np.ma.MaskedArray) else "an"
        return f"{masked} array of shape {value.shape} and type {value.dtype}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # whatever a user's __repr__ raises
        text = f"a {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:97]}..."


def no_file(path: str | os.PathLike[str]) -> str:
    """Why what is there cannot be read as a file, in words; empty if it can, or if nothing is there."""
    if os.path.isdir(path):
        return "it is a folder; give the name of a file in it"
    if os.path.exists(path) and not os.path.isfile(path):
        return "it is no regular file but a pipe or a device, which cannot be read again; copy its contents to a file"
    return ""


def named(*more: str) -> Callable[[Function], Function]:
    """Decorator: a keyword that the function does not know is answered with the one that was meant.

    `more` are the keywords that its ** stands for.
    """

    def decorate(function: Function) -> Function:
        plain = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        own = [name for name, entry in signature(function).parameters.items() if entry.kind in plain and name != "self"]
        known = (*own, *more)
        title, allowed = function.__qualname__.removesuffix(".__init__"), frozenset(known)

        @wraps(function)
        def call(*args: Any, **given: Any) -> Any:
            unknown = given.keys() - allowed
            if unknown:
                raise TypeError(_unknown(title, sorted(unknown)[0], known))
            return function(*args, **given)

        return call  # type: ignore[return-value]

    return decorate


def named_fields(cls: Class) -> Class:
    """The same for the constructor of a record."""
    cls.__init__ = named()(cls.__init__)  # type: ignore[misc]
    return cls


def keywords(function: Callable[..., Any], *without: str) -> tuple[str, ...]:
    """The keyword-only arguments of a function that another one hands on to it."""
    entries = signature(function).parameters.values()
    return tuple(entry.name for entry in entries if entry.kind is Parameter.KEYWORD_ONLY and entry.name not in without)


def _unknown(title: str, word: str, known: tuple[str, ...]) -> str:
    lower = {name.lower(): name for name in reversed(known)}
    usual = USUAL.get(word.lower())
    close = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    likely = usual if usual in known and word.lower() not in lower else lower[close[0]] if close else None
    meant = f"; did you mean {likely}?" if likely else "."
    allowed = f"Its arguments are {', '.join(known)}" if known else "It takes no arguments"
    return f"{title}() has no argument {word!r}{meant} {allowed}"


def outside() -> int:
    """The stacklevel of a warning that is to name the first line outside of the package, and of root finders."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _BETWEEN:
        frame, level = frame.f_back, level + 1
    return level
