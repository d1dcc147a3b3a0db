"""Results in files, for post-processing without solving again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named, shown
from ..device.device import Device
from ..errors import FileError
from ..fem.coefficients import Coefficients
from ..fem.electrodes import Electrode
from ..fem.gap_equation import Pairing
from ..fem.interfaces import COLUMNS
from ..fem.problem import Problem, build_problem
from ..fem.screening import build_induced
from ..nonequilibrium.result import Nonequilibrium
from ..nonequilibrium.solve import solve_nonequilibrium
from ..physics.columns import column_names
from ..solve.normal_state import NormalState
from ..solve.results import Equilibrium, Spectrum
from ..version import __version__
from .atomic import as_path, check_target, write_whole
from .grid import SweepResult
from .hdf5 import attribute, damaged, image, member, opened, seal, set_text, verify
from .layout import is_checkpoint, read_checkpoint
from .records import read, write
from .sampled import without_functions

Result = Equilibrium | Spectrum | NormalState | Nonequilibrium | SweepResult

FORMAT = 8


@named()
def save(path: str | os.PathLike[str], result: Result) -> Path:
    """Write a result to an HDF5 file, from which `load` restores it.

    States and the coefficients at the quadrature points are stored as they are, so that observables of the restored
    result are the same. Functions of position in the description of the device become values: at the vertices for
    materials, at the nodes and quadrature points of their facets for contacts and barriers. The file is written under
    a temporary name and renamed when complete. Every array in it has a checksum.

    Parameters
    ----------
    path
        File name ending in .h5, in a folder that exists.
    result
        An Equilibrium, Spectrum, NormalState, Nonequilibrium or SweepResult.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the name does not end in .h5.
    FileNotFoundError
        If the folder does not exist.
    OSError
        If the file cannot be written: the disk is full, the folder read-only. A file of this name stays as it was.
    TypeError
        If it is no result; of a Field save the result that it was made of.
    """
    target = as_path(path, "path")
    if target.suffix != ".h5":
        raise ValueError(f"cannot save to {str(target)!r}: the name must end in .h5")
    check_target(target, f"cannot save {target.name!r}")
    kind = type(result).__name__
    if kind not in _KINDS:
        raise TypeError(
            f"cannot save {shown(result)}: allowed are {', '.join(_KINDS)}; of a Field save the result that it was "
            "made of"
        )
    content = _KINDS[kind][0](result)
    with image() as (file, data):
        set_text(file, "usadelfem", kind)
        set_text(file, "version", __version__)
        file.attrs["format"] = FORMAT
        write(file, "content", content)
        seal(file)
    write_whole(target, data.getbuffer())
    return target


@named()
def load(path: str | os.PathLike[str]) -> Result:
    """Restore a result that was written by `save`, or read the checkpoint of a `sweep`.

    Points of a sweep that are not computed yet are NaN. What is returned is what was written: everything in the file
    is compared with its checksum.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileError
        If it is no regular file, damaged, not one of usadelfem, or of another version. Of a checkpoint in which single
        points are damaged, `sweep` still makes use: it computes those anew.
    """
    source = as_path(path, "path")
    with opened(source) as file:
        if is_checkpoint(file):
            return SweepResult(*read_checkpoint(source, file), {})
        kind = attribute(file, "usadelfem")
        if kind is None:
            raise damaged(source, "it holds no result of usadelfem, it was not written by usadelfem.save")
        _check_format(source, str(kind), attribute(file, "format"), attribute(file, "version"))
        content = read(member(file, "content"))
        verify(file)
        return _KINDS[str(kind)][1](content)


def _check_format(source: Path, kind: str, number: Any, release: Any) -> None:
    if isinstance(number, np.integer) and number == FORMAT and kind in _KINDS:
        return
    older = isinstance(number, np.integer) and number < FORMAT
    advice = "load it with that version, or make it anew" if older else "update usadelfem"
    raise FileError(
        f"file {source} was written by usadelfem {release} in format {number} ({kind}); this is {__version__}, "
        f"which reads format {FORMAT}: {advice}"
    )


def _pack_system(device: Device, problem: Problem) -> dict[str, Any]:
    """What a discretised problem cannot be rebuilt from without the functions of its device."""
    own, junctions = problem.coefficients, problem.interfaces
    return {
        "device": without_functions(device, problem.space), "order": problem.space.order,
        "linearized": problem.linearized, "sector": "full" if problem.sector.name == "full" else "auto",
        "biased": problem.biased,
        "potential": bool(own.gauge.shape[2]), "table": own.table, "kinds": own.kinds, "pairs": own.pairs,
        "columns": own.columns, "barrier_columns": COLUMNS,
        "contacts": {name: (at.gap, at.exchange) for name, at in problem.electrodes.items()},
        "junctions": (junctions.table, junctions.kinds, junctions.channels),
    }  # fmt: skip


def _unpack_system(content: dict[str, Any], temperature: float | None) -> tuple[Device, Problem, Problem]:
    """The device, its problem as it was solved, and the problem without what the solve has changed."""
    device = content["device"]
    fresh = build_problem(
        device, content["order"], linearized=content["linearized"], temperature=temperature,
        potential=content["potential"], sector=content["sector"], biased=content["biased"],
    )  # fmt: skip
    table, kinds, channels = content["junctions"]
    electrodes = {name: Electrode(fresh.electrodes[name].nodes, *at) for name, at in content["contacts"].items()}
    problem = replace(
        fresh, electrodes=electrodes, coefficients=_unpack_coefficients(content),
        interfaces=replace(
            fresh.interfaces, table=_arranged(table, content["barrier_columns"], COLUMNS), kinds=kinds,
            channels=channels,
        ),
    )  # fmt: skip
    return device, problem, fresh


def _unpack_coefficients(content: dict[str, Any]) -> Coefficients:
    names, pairs = content["columns"], content["pairs"]
    table = _arranged(content["table"], names, column_names(sum(name.startswith("A_") for name in names), pairs))
    for array in (table, content["kinds"], pairs):
        array.flags.writeable = False
    return Coefficients(table, content["kinds"], pairs)


def _arranged(table: NDArray[Any], names: tuple[str, ...], own: tuple[str, ...]) -> NDArray[Any]:
    """A table in the order of this version's columns; those that the file does not have are zero: without effect."""
    unknown = [name for name in names if name not in own]
    if unknown or len(names) != table.shape[-1] or len(set(names)) < len(names):
        raise ValueError(f"its coefficients have the columns {', '.join(names)}; known are {', '.join(own)}")
    if names == own:
        return table
    arranged = np.zeros((*table.shape[:-1], len(own)))
    arranged[..., [own.index(name) for name in names]] = table
    return arranged


def _pack_equilibrium(eq: Equilibrium) -> dict[str, Any]:
    names = (
        "temperature", "frequencies", "weights", "riccati", "report", "clock", "solver", "sweeps", "dofs",
        "cutoff", "cutoff_error", "saddles",
    )  # fmt: skip
    pairing = eq.pairing and (eq.pairing.chosen, eq.pairing.log_tc, eq.pairing.weight)
    mu0 = eq.induced and eq.induced.mu0
    return {"system": _pack_system(eq.device, eq.problem), "pairing": pairing, "mu0": mu0} | {
        name: getattr(eq, name) for name in names
    }


def _unpack_equilibrium(content: dict[str, Any]) -> Equilibrium:
    device, problem, fresh = _unpack_system(content.pop("system"), content["temperature"])
    pairing, mu0 = content.pop("pairing"), content.pop("mu0")
    for array in (content["frequencies"], content["weights"], content["riccati"]):
        array.flags.writeable = False
    return Equilibrium(
        device=device, problem=problem, induced=None if mu0 is None else build_induced(device, fresh, mu0),
        pairing=None if pairing is None else _unpack_pairing(problem, *pairing), **content,
    )  # fmt: skip


def _unpack_pairing(problem: Problem, chosen: Any, log_tc: Any, weight: Any) -> Pairing:
    return Pairing(chosen, problem.space.cells[chosen], problem.space.phi, log_tc, weight)


def _pack_spectrum(spec: Spectrum) -> dict[str, Any]:
    names = ("energies", "broadening", "states", "report", "clock")
    return {"system": _pack_system(spec.device, spec.problem)} | {name: getattr(spec, name) for name in names}


def _unpack_spectrum(content: dict[str, Any]) -> Spectrum:
    device, problem, _ = _unpack_system(content.pop("system"), None)
    return Spectrum(device=device, problem=problem, **content)


def _pack_normal_state(ns: NormalState) -> dict[str, Any]:
    own = ns.problem.coefficients
    return {
        "device": without_functions(ns.device, ns.problem.space), "values": ns.values,
        "order": ns.problem.space.order,
        "table": own.table, "kinds": own.kinds, "pairs": own.pairs, "columns": own.columns,
    }  # fmt: skip


def _unpack_normal_state(content: dict[str, Any]) -> NormalState:
    device = content["device"]
    problem = build_problem(device, content["order"], normal=True)
    return NormalState(device, content["values"], replace(problem, coefficients=_unpack_coefficients(content)))


def _pack_nonequilibrium(neq: Nonequilibrium) -> dict[str, Any]:
    names = (
        "temperature", "panels", "biases", "floating", "condensate", "columns", "responses", "conductances", "kind",
        "scattered",
    )  # fmt: skip
    own = {"equilibrium": _pack_equilibrium(neq.equilibrium), "spectrum": _pack_spectrum(neq.spectrum)}
    assert neq.again is not None  # every solve leaves it
    return own | {name: getattr(neq, name) for name in names} | {"settings": neq.again.keywords}


def _unpack_nonequilibrium(content: dict[str, Any]) -> Nonequilibrium:
    spectrum = _unpack_spectrum(content.pop("spectrum"))
    return Nonequilibrium(
        device=spectrum.device, spectrum=spectrum, equilibrium=_unpack_equilibrium(content.pop("equilibrium")),
        again=partial(solve_nonequilibrium, **content.pop("settings")), **content,
    )  # fmt: skip


def _pack_sweep(result: SweepResult) -> dict[str, Any]:
    return {"parameters": result.parameters, "values": result.values, "failed": result.failed}


_KINDS: dict[str, tuple[Callable[[Any], dict[str, Any]], Callable[[dict[str, Any]], Result]]] = {
    "Equilibrium": (_pack_equilibrium, _unpack_equilibrium),
    "Spectrum": (_pack_spectrum, _unpack_spectrum),
    "NormalState": (_pack_normal_state, _unpack_normal_state),
    "Nonequilibrium": (_pack_nonequilibrium, _unpack_nonequilibrium),
    "SweepResult": (_pack_sweep, lambda content: SweepResult(**content)),
}
