"""Scripts that are run up to their first solve, and the devices that they have made by then."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from ..device.device import Device
from ..diagnostics.check import DeviceCheck, check
from ..parallel.rehearsal import FirstSolve, rehearsal


@dataclass(frozen=True)
class Found:
    """A device that a script has made: what to call it, and how it is going to be solved as far as that is known."""

    title: str
    device: Device
    temperature: float | None = None  # in its unit; None: its own
    order: int | None = None


def check_script(path: Path, arguments: Sequence[str], temperature: float | None, order: int) -> int:
    """Rehearse a script and print the check of its devices; 1 if there is advice.

    Parameters
    ----------
    path
        The script.
    arguments
        What it finds in sys.argv after its name.
    temperature, order
        Those of devices that nothing else is known of.

    Raises
    ------
    ValueError
        If the script fails, or ends without a solve and without a device at its top level.
    """
    found = rehearse(path, arguments)
    if not found:
        raise ValueError(
            f"{path} made no Device at its top level and called no solve, or that of the normal state only; in a "
            "module of functions, check the device where it is made: print(uf.check(device, temperature))"
        )
    results: dict[str, DeviceCheck] = {}
    for number, one in enumerate(found):
        print(("\n" if number else "") + one.title)
        own = temperature if one.temperature is None and one.device.temperature is None else one.temperature
        if own is None and one.device.temperature is None:
            print("not checked: it has no temperature; give --temperature")
            continue
        result = check(one.device, own, order=one.order or order)
        print("the same" if str(result) in results else result)
        results[str(result)] = result
    return int(any(result.advice for result in results.values()))


def rehearse(path: Path, arguments: Sequence[str]) -> list[Found]:
    """Run a script up to its first solve, if it has one: the device of that, and those at the top level.

    Raises
    ------
    ValueError
        If it fails.
    """
    module, found = ModuleType("__main__"), list[Found]()
    temperature: float | None = None
    module.__file__ = str(path)
    with _as_main(module, [str(path), *arguments]), rehearsal():
        try:
            exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
        except FirstSolve as solve:
            place, temperature = _place(path, solve.__traceback__), solve.temperature
            found.append(_found(f"{place}\nis the first solve:", solve.device, solve.temperature, solve.order))
        except SystemExit:
            pass  # the script has ended by itself
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise ValueError(f"{_place(path, error.__traceback__)} fails before any solve: {reason}") from error
    return [*found, *_at_top(module, found, temperature)]


def _found(title: str, device: Device, natural: float | None, order: int | None = None) -> Found:
    """A device with its temperature, which solves know as a natural number."""
    own = None if natural is None else float(device.units.out("temperature", natural))
    return Found(title, device, own, order)


def _at_top(module: ModuleType, solved: list[Found], natural: float | None) -> list[Found]:
    """Devices of the top level, each once, without the one that was to be solved."""
    seen, made = {id(one.device) for one in solved}, list[Found]()
    for name, value in vars(module).items():
        if isinstance(value, Device) and id(value.natural) not in seen:
            seen.add(id(value.natural))
            made.append(_found(f"{name!r}, at the top level:", value, natural if value.temperature is None else None))
    return made


def _place(path: Path, trace: TracebackType | None) -> str:
    """The line of the script that a traceback passes last, with its text."""
    own = [line for line in traceback.extract_tb(trace) if line.filename == str(path)]
    if not own:
        return str(path)
    text = f": {own[-1].line}" if own[-1].line else ""
    return f"{path}, line {own[-1].lineno}{text}"


@contextmanager
def _as_main(module: ModuleType, arguments: list[str]) -> Iterator[None]:
    """A module in the place of the program: `__main__`, sys.argv, and its folder first on sys.path."""
    before: tuple[Any, ...] = sys.modules["__main__"], sys.argv, list(sys.path)
    sys.modules["__main__"], sys.argv = module, arguments
    sys.path[:] = [str(Path(arguments[0]).resolve().parent), *sys.path]
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before
