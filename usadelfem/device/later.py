"""Methods of a device, and solves of one, that need what comes after them.

A description knows no solver, and a solver no derivatives of its solution. Modules further along the line register here
what makes such an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ANSWERS: dict[str, Callable[..., Any]] = {}


def answers(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: a function of a device that answers what is asked for under this name."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _ANSWERS[name] = function
        return function

    return register


def asked(name: str) -> Callable[..., Any]:
    """The function that answers it."""
    return _ANSWERS[name]
