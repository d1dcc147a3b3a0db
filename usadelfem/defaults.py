"""What solves do where nothing else is said; `uf.options` changes it."""

from __future__ import annotations

import threading
from typing import Any

# In force now; None is what each function does by itself.
_FORCED: dict[str, Any] = {"workers": None, "linear_solver": None, "progress": None, "states": None}


def default_of(name: str, otherwise: Any) -> Any:
    """What is in force for an argument that was not given; of workers in the main thread only, not within a task."""
    if name == "workers" and threading.current_thread() is not threading.main_thread():
        return otherwise
    value = _FORCED[name]
    return otherwise if value is None else value


def change_defaults(changes: dict[str, Any]) -> dict[str, Any]:
    """Let some defaults be others from now on; returns what they were."""
    before = {name: _FORCED[name] for name in changes}
    _FORCED.update(changes)
    return before
