"""What a function computes, as digests that are the same in every process.

Two functions have the same fingerprint if their code, and all that it refers to, are the same: constants, defaults,
bound and enclosed values, globals, and the functions and classes of the user that it calls. Of installed packages only
the names count. Line numbers, comments, file names, addresses and the order of sets do not.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from operator import itemgetter
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..checks import named
from ..device.units import active_units
from ..errors import FingerprintError

_PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = (*(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")), _PACKAGE)
_LRU_CACHE = type(functools.lru_cache(int))


def fingerprint(function: Callable[..., Any]) -> dict[str, str]:
    """Digests by description of all that the result of a function depends on, and "all" for the whole.

    Raises
    ------
    FingerprintError
        If the function refers to something that cannot be pickled, and so has no content.
    """
    reader = _Reader()
    whole = reader.digest(function)
    units = active_units()
    if not units.is_natural:  # devices that it makes are in these
        reader.parts["the units of numbers"] = digest(units)
        whole = _hash("in units", whole, digest(units))
    return {**reader.parts, "all": whole}


@named()
def digest(thing: Any) -> str:
    """Digest of the content of a value, a text of 64 letters that is the same in every process: a name for caches.

    Two devices that were described in the same way have the same one, before and after they are solved for. (Devices
    and results also hash by identity, so that `functools.cache` takes them within a process.)

    Parameters
    ----------
    thing
        A Device, Material, function, array, ...; functions count by their code and what they refer to.

    Raises
    ------
    FingerprintError
        If it refers to something that has no content: an open file, a lock.
    """
    return _Reader().digest(thing)


def _hash(kind: str, *pieces: str | bytes) -> str:
    sha = hashlib.sha256(kind.encode())
    for piece in pieces:
        data = piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else piece
        sha.update(struct.pack("<Q", len(data)))
        sha.update(data)
    return sha.hexdigest()


def is_installed(thing: Any) -> bool:
    """Whether a function, class or module is of an installed package or of Python: known by its name."""
    name = thing.__name__ if isinstance(thing, ModuleType) else thing.__module__
    module = sys.modules.get(name)
    if module is None or name == "__main__":
        return False
    file = getattr(module, "__file__", None)
    if file is None:  # built in, frozen, or a namespace package
        return name in sys.builtin_module_names or getattr(module.__spec__, "origin", None) in ("built-in", "frozen")
    path = Path(file).resolve()
    return any(folder in path.parents for folder in _INSTALLED)


def _code_digest(code: CodeType, doc: str | None = None) -> str:
    """Digest of what code does; its docstring, its file and its lines do not matter."""
    constants = list(code.co_consts)
    if constants and doc is not None and constants[0] == doc:
        constants[0] = None
    head = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = ("\0".join(group) for group in (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars))
    values = (_code_digest(item) if isinstance(item, CodeType) else digest(item) for item in constants)
    return _hash("code", repr(head), code.co_code, *names, *values)


def _names_used(code: CodeType) -> tuple[set[str], set[str]]:
    """Names of the globals, and of all globals and attributes, that code and the code within it refer to."""
    found = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    every = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            deeper, names = _names_used(inner)
            found |= deeper
            every |= names
    return found, every


class _Reader:
    """Reads values and functions recursively; `parts` collects what is worth a name in a message."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}
        self.known: dict[int, tuple[Any, str]] = {}  # keeps the values, so that no identity is used twice
        self.active: dict[int, int] = {}

    def digest(self, thing: Any) -> str:
        """Digest of the content of a value."""
        simple = _simple(thing)
        if simple is not None:
            return simple
        key = id(thing)
        if key in self.known:
            return self.known[key][1]
        if key in self.active:
            return _hash("cycle", str(self.active[key]))
        self.active[key] = len(self.active)
        try:
            result = self._content(thing)
        finally:
            del self.active[key]
        self.known[key] = thing, result
        return result

    def _content(self, thing: Any) -> str:
        if isinstance(thing, np.ndarray | np.generic):
            return self._array(np.asanyarray(thing))
        if type(thing) in (tuple, list):
            return _hash(type(thing).__name__, *map(self.digest, thing))
        if type(thing) in (set, frozenset):
            return _hash(type(thing).__name__, *sorted(map(self.digest, thing)))
        if type(thing) is dict:
            items = sorted(((self.digest(key), key) for key in thing), key=itemgetter(0))
            return _hash("dict", *(piece for name, key in items for piece in (name, self.digest(thing[key]))))
        if isinstance(thing, FunctionType):
            return self._function(thing)
        if isinstance(thing, type):
            return self._class(thing)
        if isinstance(thing, ModuleType):
            return _hash("module", thing.__name__)
        return self._object(thing)

    def _array(self, array: Any) -> str:
        extra = self.digest(vars(array)) if type(array) is not np.ndarray and getattr(array, "__dict__", None) else ""
        if array.dtype.hasobject:
            return _hash("objects", repr(array.shape), *map(self.digest, array.ravel().tolist()), extra)
        return _hash("array", repr(array.dtype.descr), repr(array.shape), np.ascontiguousarray(array).tobytes(), extra)

    def _object(self, thing: Any) -> str:
        if isinstance(thing, functools.partial):
            pieces = (thing.func, thing.args, thing.keywords)
            return _hash("partial", *map(self.digest, pieces))
        if isinstance(thing, MethodType | BuiltinFunctionType):
            owner = thing.__self__
            if isinstance(owner, ModuleType) or owner is None:
                return _hash("builtin", str(thing.__module__), thing.__qualname__)
            return _hash("method", thing.__name__, self.digest(owner), self.digest(type(owner)))
        if isinstance(thing, property):
            return _hash("property", *(self.digest(part) for part in (thing.fget, thing.fset, thing.fdel)))
        inner = _inner(thing)
        if inner is not None:
            return _hash("wrapper", type(thing).__qualname__, self.digest(inner))
        if is_dataclass(thing):
            chosen = [entry.name for entry in fields(thing) if entry.compare]
            values = (piece for name in chosen for piece in (name, self.digest(getattr(thing, name))))
            return _hash("record", self.digest(type(thing)), *values)
        return self._reduced(thing)

    def _reduced(self, thing: Any) -> str:
        try:
            reduced = thing.__reduce_ex__(4)
        except Exception as error:  # whatever a class does to refuse
            raise FingerprintError(
                f"{type(thing).__name__} {thing!r:.80} has no fingerprint ({error}): make it inside the function, or "
                "leave checkpoint=None"
            ) from error
        if isinstance(reduced, str):
            return _hash("global", str(getattr(thing, "__module__", "")), reduced)
        callable_, arguments, *rest = reduced
        state, *iterators = [*rest, None, None, None][:3]
        parts = [list(iterator) if iterator is not None else None for iterator in iterators]
        return _hash("object", self.digest(type(thing)), *map(self.digest, (callable_, arguments, state, *parts)))

    def _function(self, function: FunctionType) -> str:
        name = function.__qualname__
        if is_installed(function) and "<locals>" not in name and "<lambda>" not in name:
            return _hash("function", function.__module__, name)
        pieces = [name, self._note(f"the code of {name}", _code_digest(function.__code__, function.__doc__))]
        for label, value in self._references(function):
            pieces += [label, self._value(f"{label} {name}", value)]
        return _hash("function", *pieces)

    def _references(self, function: FunctionType) -> Iterator[tuple[str, Any]]:
        """All values that a function refers to."""
        if function.__defaults__ or function.__kwdefaults__:
            yield "the default arguments of", (function.__defaults__, function.__kwdefaults__)
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                yield f"{variable!r}, enclosed in", cell.cell_contents
            except ValueError:  # not yet assigned
                continue
        names, every = _names_used(function.__code__)
        for variable in sorted(names & set(function.__globals__)):
            value = function.__globals__[variable]
            yield f"{variable!r}, used by", value
            if isinstance(value, ModuleType) and not is_installed(value):
                for attribute in sorted(every & set(vars(value))):
                    yield f"'{variable}.{attribute}', used by", vars(value)[attribute]

    def _value(self, label: str, value: Any) -> str:
        try:
            result = self.digest(value)
        except FingerprintError as error:
            raise FingerprintError(f"{label}: {error}") from error
        # what a function refers to has names of its own
        return result if isinstance(value, FunctionType | ModuleType) else self._note(label, result)

    def _note(self, label: str, result: str) -> str:
        unique, count = label, 1
        while self.parts.get(unique, result) != result:
            count += 1
            unique = f"{label} ({count})"
        self.parts[unique] = result
        return result

    def _class(self, kind: type) -> str:
        if is_installed(kind):
            return _hash("class", kind.__module__, kind.__qualname__)
        pieces = [self.digest(base) for base in kind.__bases__]
        for name, value in sorted(vars(kind).items()):
            code = isinstance(value, FunctionType | property | staticmethod | classmethod | functools.cached_property)
            if code or not name.startswith(("__", "_abc_")):
                pieces += [name, self.digest(value)]
        return _hash("class", kind.__qualname__, *pieces)


def _inner(thing: Any) -> FunctionType | None:
    """The function inside a static method, a cached property, a cache or a compiled function; None for others."""
    if isinstance(thing, staticmethod | classmethod):
        inner: Any = thing.__func__
    elif isinstance(thing, functools.cached_property):
        inner = thing.func
    else:  # what Numba and functools.lru_cache make
        inner = getattr(thing, "py_func", None) or (thing.__wrapped__ if isinstance(thing, _LRU_CACHE) else None)
    return inner if isinstance(inner, FunctionType) else None


def _simple(thing: Any) -> str | None:
    """Digest of a value without parts; None for others."""
    kind = type(thing)
    if thing is None or kind in (bool, int, type(...)):
        return _hash(kind.__name__, repr(thing))
    if kind is float:
        return _hash("float", struct.pack("<d", thing))
    if kind is complex:
        return _hash("complex", struct.pack("<dd", thing.real, thing.imag))
    if kind in (str, bytes):
        return _hash(kind.__name__, thing)
    if kind in (range, slice):
        return _hash(kind.__name__, repr(thing))
    return None
