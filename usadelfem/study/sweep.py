"""A function at all points of a grid of parameters, on any executor, with a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named, shown
from ..errors import SolveError, warn
from ..export.atomic import as_path
from ..export.checkpoint import Checkpoint
from ..export.fingerprint import fingerprint
from ..export.grid import Grid, Result, SweepResult, Table, as_result, make_grid
from ..frozen import FrozenMapping
from ..parallel.engines import Workers, checked_workers, executor_of
from ..parallel.tasks import run_tasks
from ..solve.arguments import check_progress

Values = NDArray[Any]
Parameters = Mapping[str, Sequence[Any] | Values] | Iterable[Any]


@dataclass(frozen=True)
class _Failure:
    message: str


@named()
def sweep(
    function: Callable[..., Any],
    parameters: Parameters,
    *,
    workers: Workers | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> SweepResult:
    """Call a function at all points of a grid of parameters. For example::

        def current(phase, temperature):
            eq = uf.solve_equilibrium(device.with_phase("right", phase), temperature)
            return uf.charge_current(eq).through("right")

        with ProcessPoolExecutor() as pool:
            result = uf.sweep(current, {"phase": phases, "temperature": temperatures}, workers=pool)

    Parameters
    ----------
    function
        Called with the parameters as keyword arguments, or with a value of a plain sequence as its only argument.
        Returns a number, an array, or a dict of name -> number or array, of the same shape at all points. It may be
        defined in a script and refer to devices and other objects, which travel about once per worker.
    parameters
        Name -> values: the grid is the outer product. Or a sequence of values.
    workers
        Who works: a number of threads of this process, or any `concurrent.futures.Executor`:
        ProcessPoolExecutor, dask's `Client.get_executor()`, `mpi4py.futures.MPIPoolExecutor`. Each takes one point at a
        time. Processes are the faster ones; threads need no function that can be sent to another process.
    checkpoint
        File ending in .h5 in which every result is stored as it comes. If it exists, points that are in it are not
        computed again; those at which the function raised SolveError are tried again.
    progress
        Whether to show a bar; None: on a terminal, in sweeps longer than a second.

    Raises
    ------
    CheckpointError
        If the checkpoint is of other parameters or of another function, in use, or damaged. If only the values of some
        points are, these are computed anew.
    OSError
        If the checkpoint cannot be written: the disk is full, the folder read-only. What it held before is kept.
    ValueError, TypeError
        If the parameters are no sequences of values, or a result has another shape than others or is not numeric.
    WorkerLostError
        If a point kills its worker again and again.
    Exception
        What the function raised, except SolveError. Results that are there are in the checkpoint.

    Warns
    -----
    UserWarning
        If the function raised SolveError at some of the points.
    """
    if not callable(function):
        raise TypeError(f"function is {shown(function)}; allowed is a function of the parameters")
    check_progress(progress)
    workers = checked_workers(workers)
    grid = make_grid(parameters)
    store: Any = nullcontext()
    if checkpoint is not None:
        store = Checkpoint(as_path(checkpoint, "checkpoint"), grid, fingerprint(function))
    failed: dict[int, str] = {}
    with store as file:
        table = Table(grid.size) if file is None else file.table
        todo = [int(index) for index in np.flatnonzero(~table.done)]

        def keep(position: int, result: Result | _Failure) -> None:
            index = todo[position]
            if isinstance(result, _Failure):
                failed[index] = result.message
                return
            try:
                table.put(index, result) if file is None else file.store(index, result)
            except ValueError as error:
                raise ValueError(f"sweep at {grid.describe(index)}: {error}") from error

        with executor_of(workers) as executor:
            run_tasks(
                evaluate, todo, shared=(function, grid), executor=executor, label="sweep", progress=progress,
                on_result=keep,
            )  # fmt: skip
    if failed:
        first = min(failed)
        warn(
            f"sweep: {len(failed)} of {grid.size} points failed and are NaN, the first one at {grid.describe(first)}: "
            f"{failed[first]}"
        )
    return _gathered(grid, table, failed)


def evaluate(shared: tuple[Callable[..., Any], Grid], index: int) -> Result | _Failure:
    """Call the function at one point of a grid; the task of a sweep."""
    function, grid = shared
    point = grid.point(index)
    try:
        value = function(*point.values()) if grid.plain else function(**point)
    except SolveError as error:
        return _Failure(str(error))
    try:
        return as_result(value)
    except TypeError as error:
        raise TypeError(f"sweep at {grid.describe(index)}: {error}") from error


def _gathered(grid: Grid, table: Table, failed: dict[int, str]) -> SweepResult:
    arrays = table.arrays or {"": np.full(grid.size, np.nan)}
    shaped = {name: array.reshape(*grid.shape, *array.shape[1:]) for name, array in arrays.items()}
    for array in shaped.values():
        array.flags.writeable = False
    axes = {name: _as_axis(axis) for name, axis in zip(grid.names, grid.axes, strict=True)}
    return SweepResult(
        parameters=next(iter(axes.values())) if grid.plain else FrozenMapping(axes),
        values=shaped[""] if set(shaped) == {""} else FrozenMapping(shaped),
        failed=FrozenMapping({grid.place(index): message for index, message in sorted(failed.items())}),
    )


def _as_axis(values: tuple[Any, ...]) -> Values | tuple[Any, ...]:
    numeric = all(isinstance(value, int | float | complex | np.number) for value in values)
    axis = np.array(values if numeric else None)
    if axis.dtype == object:  # not numbers, or integers beyond 64 bits
        return values
    axis.flags.writeable = False
    return axis
