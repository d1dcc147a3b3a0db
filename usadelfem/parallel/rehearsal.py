"""Scripts that are run up to their first solve, to see what that is given: solves say here that they begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class FirstSolve(BaseException):
    """Ends a script that is rehearsed; no Exception, which the script might catch.

    Attributes
    ----------
    device, temperature, order
        What the solve was given, checked, the device and the temperature in natural numbers; a spectrum of a device
        needs no temperature.
    """

    def __init__(self, device: Any, temperature: float | None, order: int) -> None:
        super().__init__("the first solve of a script that is rehearsed")
        self.device, self.temperature, self.order = device, temperature, order


class _Stage:
    # Of the process and not of a context, so that solves in threads of the script are stopped too.
    rehearsing = False


@contextmanager
def rehearsal() -> Iterator[None]:
    """Within it every solve raises FirstSolve, and tasks run in this process whatever executor they are given."""
    before, _Stage.rehearsing = _Stage.rehearsing, True
    try:
        yield
    finally:
        _Stage.rehearsing = before


def rehearsing() -> bool:
    """Whether a script is only rehearsed."""
    return _Stage.rehearsing


def begin_solve(device: Any, temperature: float | None, order: int) -> None:
    """What a solve says once its arguments are checked, before it begins: the end of a script that is rehearsed."""
    if _Stage.rehearsing:
        raise FirstSolve(device, temperature, order)
