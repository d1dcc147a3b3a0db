"""What the solve functions are given: checked first, before anything is discretised, compiled or solved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..checks import COLDEST, HOTTEST, as_array, choice, flag, kind, number, shown
from ..device.device import Device
from ..errors import DeviceError
from ..numerics.linear import SOLVERS
from ..space.space import check_order
from .field_guess import Vortices
from .results import Equilibrium

# What `stability` and its relatives hand on.
MODE_OPTIONS = ("order", "quadrature", "frequencies", "cutoff", "cutoff_index", "linear_solver", "workers")


def natural_device(device: Any) -> Device:
    """A device in natural numbers; TypeError unless it is a Device."""
    kind("device", device, Device, "is a usadelfem.Device")
    inside: Device = device.natural
    return inside


def check_settings(*, order: Any = 2, linear_solver: Any = "auto", progress: Any = None) -> None:
    """ValueError unless the settings that all solves have are allowed."""
    check_order(order)
    choice("linear_solver", linear_solver, SOLVERS)
    check_progress(progress)


def check_progress(progress: Any) -> None:
    """ValueError unless it says whether to show a bar."""
    if progress is not None:
        flag("progress", progress)


def checked_precision(precision: Any) -> float:
    """A relative precision; ValueError unless it is between 0 and 1."""
    return number("precision", precision, above=0, below=1)


def check_function(name: str, function: Any, allowed: str) -> None:
    """TypeError unless it can be called."""
    if not callable(function):
        raise TypeError(f"{name} is {shown(function)}; allowed is {allowed}")


def device_of(function: Callable[[float], Device], value: float) -> Device:
    """The device of a parameter; TypeError if the function makes something else."""
    device = function(value)
    if not isinstance(device, Device):
        raise TypeError(f"function({value:.6g}) returned {shown(device)}; allowed is a usadelfem.Device")
    return device


def check_initial(device: Device, initial: Any) -> None:
    """Check what can be checked of the start of a self-consistent solve without its discretisation.

    Raises
    ------
    ValueError
        If it is none of the allowed kinds, not finite, or an Equilibrium of another dimension.
    DeviceError
        If vortices are asked for on a line, or outside of the mesh.
    """
    if initial is None or callable(initial):
        return
    mesh = device.mesh
    if isinstance(initial, Equilibrium):
        dim = initial.problem.space.dim
        if dim != mesh.dim():
            raise ValueError(
                f"initial is an Equilibrium of dimension {dim}, the device has dimension {mesh.dim()}; allowed is that "
                "of a similar device"
            )
        return
    if isinstance(initial, Vortices):
        if mesh.dim() == 1:
            raise DeviceError("vortices need a mesh of two or three dimensions")
        low, high = mesh.p[:2].min(axis=1), mesh.p[:2].max(axis=1)
        for core in initial.cores:
            if not all(a < x < b for x, a, b in zip(core, low, high, strict=False)):
                raise DeviceError(
                    f"initial: vortex {core} lies outside the mesh or on its edge; allowed are positions in it, "
                    f"between {low.tolist()} and {high.tolist()}"
                )
        return
    value = as_array(initial)
    if value is None or value.ndim or not (value == 0 or COLDEST < abs(value) < HOTTEST):
        raise ValueError(
            f"initial is {shown(initial)}; allowed are None, a number (the gap: 0, or of a modulus between {COLDEST:g} "
            f"and {HOTTEST:g}), a callable f(x), vortices([...]), and the Equilibrium of a similar device"
        )
