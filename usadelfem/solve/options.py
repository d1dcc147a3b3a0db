"""Settings for all that follows in a notebook or a script."""

from __future__ import annotations

from types import TracebackType

from ..checks import choice, flag, named
from ..defaults import change_defaults
from ..numerics.linear import SOLVERS
from ..parallel.engines import Workers, checked_workers
from ..points.storage import PLACES


class Options:
    """Settings that are in force; as a context, until its end."""

    def __init__(self, before: dict[str, object]) -> None:
        self._before = before

    def __enter__(self) -> Options:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        change_defaults(self._before)


@named()
def options(
    *, workers: Workers | None = None, linear_solver: str | None = None, progress: bool | None = None,
    states: str | None = None,
) -> Options:  # fmt: skip
    """Settings of all solves and studies that do not say otherwise, from now on or, as a context, until its end.

    For example uf.options(workers=2, progress=False) at the head of a notebook, or with uf.options(workers=pool): ...
    What is not given stays as it is.

    Parameters
    ----------
    workers
        Who works: a number of threads, or any `concurrent.futures.Executor`. Of calls in the main thread; what runs
        within a task, such as a solve of a `sweep`, has one worker unless it says otherwise.
    linear_solver
        In place of "auto": "pardiso", "pardiso-single", "superlu", "multigrid", "petsc", ...
    progress
        Whether to show bars.
    states
        Where the states of all frequencies or energies of a solve are kept: "memory", or "disk" for many of a large
        device (64 bytes per node, frequency and, at real energies, matrix): a file in the folder for temporary files
        (environment variable TMPDIR) that ends with the result.

    Raises
    ------
    ValueError, TypeError
        If a setting is not allowed.
    """
    given: dict[str, object] = {}
    if workers is not None:
        given["workers"] = checked_workers(workers)
    if linear_solver is not None:
        given["linear_solver"] = choice("linear_solver", linear_solver, SOLVERS)
    if progress is not None:
        given["progress"] = flag("progress", progress)
    if states is not None:
        given["states"] = choice("states", states, PLACES)
    return Options(change_defaults(given))
