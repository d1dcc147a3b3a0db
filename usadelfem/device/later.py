"""What a device can tell of itself once it is solved for: methods of a description that need what comes after it.

A description knows no solver. Modules further along the line register here what makes such an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ANSWERS: dict[str, Callable[..., Any]] = {}


def answers(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: a function of a device that answers a method of this name."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _ANSWERS[name] = function
        return function

    return register


def asked(name: str) -> Callable[..., Any]:
    """The function that answers a method."""
    return _ANSWERS[name]
