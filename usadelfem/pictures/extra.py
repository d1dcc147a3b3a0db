"""The packages that draw, loaded when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

INSTALL = {
    "matplotlib": 'pip install "usadelfem[plot]"',
    "pyvista": "pip install pyvista",
    "xarray": "pip install xarray",
}


def load(module: str) -> Any:
    """A package that is not needed to compute.

    Raises
    ------
    ImportError
        If it is not installed; the message has the line that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f"this needs {package}, which cannot be imported ({error}): {INSTALL[package]}") from error


def axes_of(ax: Any, size: tuple[float, float] | None = None) -> Any:
    """The matplotlib axes that were given, or those of a new figure of a size in inches.

    Raises
    ------
    TypeError
        If it is something else.
    ImportError
        If matplotlib is not installed.
    """
    if ax is None:
        return load("matplotlib.pyplot").subplots(figsize=size, layout="compressed")[1]
    if not hasattr(ax, "add_collection"):
        raise TypeError(f"ax is a {type(ax).__name__}; allowed are matplotlib Axes, from plt.subplots(), and None")
    return ax
