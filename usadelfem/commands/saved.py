"""Saved results: what they hold, how their solves went, and what a solve would warn of today."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from ..device.device import Device
from ..diagnostics.check import check
from ..diagnostics.quality import warn_of_states
from ..diagnostics.units import warn_units
from ..export.grid import SweepResult
from ..export.hdf5 import attribute, opened
from ..export.store import load
from ..nonequilibrium.result import Nonequilibrium
from ..numerics.report import Report
from ..solve.results import Equilibrium, Spectrum
from ..solve.unresolved import warn_unresolved, warn_unresolved_spectrum

WIDTH = 110  # of a description in a line


def check_result(path: Path) -> int:
    """Print what a file of `save`, or a checkpoint of `sweep`, holds; 1 if there is something to say against it.

    Raises
    ------
    FileError
        If it is neither, damaged, or of another version.
    """
    result = load(path)
    with opened(path) as file:
        version = attribute(file, "version")
    by = f", written by usadelfem {version}" if version else ""
    print(f"{path}: {type(result).__name__}{by}")
    if isinstance(result, SweepResult):
        return _check_sweep(result)
    _print_device(result.device)
    found: list[str] = []
    for one in _solves(result):
        found += _print_solve(one)
    for text in found:
        print(f"warning: {text}")
    return int(bool(found))


def _solves(result: Any) -> tuple[Any, ...]:
    """The solves that a result consists of and whose states can be examined again."""
    if isinstance(result, Nonequilibrium):
        return result.equilibrium, result.spectrum
    return (result,) if isinstance(result, Equilibrium | Spectrum) else ()


def _print_device(device: Device) -> None:
    mesh = device.mesh
    print(f"mesh: {mesh.dim()}D, {mesh.nelements} cells, {mesh.nvertices} vertices")
    for kind, records in (("region", device.materials), ("contact", device.contacts), ("interface", device.interfaces)):
        for name, own in records.items():
            shown = name if isinstance(name, str) else "_".join(name)
            print(f"{kind} {shown}: {shorten(repr(own), WIDTH)}")


def _print_solve(one: Equilibrium | Spectrum) -> list[str]:
    """Print how a solve went; returns what it would be warned of."""
    if isinstance(one, Spectrum):
        ends = f"{one.energies[0]:.4g} to {one.energies[-1]:.4g}, broadening {one.broadening:.3g}"
        print(f"\n{len(one.energies)} energies from {ends}; {newton(one.report)}")
        return _warned(lambda: warn_unresolved_spectrum(one.problem, one.energies, one.broadening, one.states)) + _lost(
            one.report, "energies"
        )
    units = one.device.units
    temperature = units.out("temperature", one.temperature)
    head = f"temperature {temperature:.6g} {units.label('temperature')}, {len(one.frequencies)} frequencies"
    print(f"\n{head}; {newton(one.report)}")
    if one.sweeps:
        last = one.sweeps[-1]
        print(f"gap: {last.number} sweeps, residual {last.residual:.1e} of the bulk gap")
        print(f"sums end at {one.cutoff:.4g}, which changes Tc by {one.cutoff_error:.1e} of it")
    order = one.problem.space.order
    print(f"elements of order {order}:\n{check(one.device, temperature, order=order)}")
    return _warned(lambda: _examine(one)) + _lost(one.report, "frequencies")


def _examine(eq: Equilibrium) -> None:
    warn_of_states(eq.problem, eq.riccati, eq.report)
    warn_units(eq.device, eq.problem, eq.temperature)
    warn_unresolved(eq.problem, eq.frequencies, eq.weights, eq.riccati)


def newton(reports: tuple[Report, ...]) -> str:
    """How Newton's method went at all points together."""
    good = [report for report in reports if report.converged]
    steps, residual = (
        sum(report.iterations for report in reports),
        max((one.residuals[-1] for one in good), default=0.0),
    )
    error = max((one.error for one in good), default=0.0)
    return f"{steps} Newton steps, largest residual {residual:.1e}, largest error of a state {error:.1e}"


def _lost(reports: tuple[Report, ...], what: str) -> list[str]:
    lost = sum(not report.converged for report in reports)
    return [f"{lost} of {len(reports)} {what} did not converge"] if lost else []


def _warned(examine: Callable[[], None]) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        examine()
    return [str(one.message) for one in found]


def _check_sweep(result: SweepResult) -> int:
    for name, values in _named(result.parameters).items():
        ends = f", {values[0]!s:.40} to {values[-1]!s:.40}" if len(values) else ""
        print(f"parameter {name}: {len(values)} values{ends}")
    missing = 0
    for name, array in _named(result.values).items():
        absent = int(np.isnan(array).sum())
        missing += absent
        print(f"result {name}: shape {array.shape}" + (f", {absent} NaN" if absent else ""))
    for place, message in result.failed.items():
        print(f"warning: the point {place} failed: {message}")
    return int(bool(result.failed or missing))


def _named(values: Any) -> Mapping[str, Any]:
    return values if isinstance(values, Mapping) else {"value": values}
