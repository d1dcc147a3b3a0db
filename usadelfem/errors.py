"""The exceptions and warnings that the package raises on purpose."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

from .checks import outside


class MeshError(ValueError):
    """A mesh file or a mesh cannot be used: unreadable, without named regions, of an unsupported cell type."""


class DeviceError(ValueError):
    """The description of a device is inconsistent: unknown names, missing materials, values out of range."""


class UnknownMetalError(DeviceError, KeyError):
    """There is no metal of this name in the table of published numbers."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would quote it


class ObservableError(ValueError):
    """An observable was asked for something it does not have: a flux of a density, an unknown facet set or region."""


class FileError(ValueError):
    """A file of results cannot be used: damaged, of another program, or of another version."""


class CheckpointError(FileError):
    """A checkpoint cannot be used: of another problem, in use, damaged, or no checkpoint."""


class FingerprintError(TypeError):
    """Something that a function refers to cannot be told apart from others of its kind: an open file, a lock."""


class WorkerLostError(RuntimeError):
    """Workers died several times on the same item or beyond repair, or cannot start: they would run the script anew."""


class SolveError(RuntimeError):
    """A nonlinear solve did not converge.

    Attributes
    ----------
    frequency
        The Matsubara frequency at which it failed.
    residuals
        History of the relative residual of the last attempt.
    state
        The last iterate: entries of the Riccati matrix a at the nodes, shape (nodes, 4).
    best
        Of a self-consistent solve that ran out of sweeps, the Equilibrium of its best fields, which solve the Usadel
        equation but the gap equation only up to their residual. Of a current that is too large, the Equilibrium with
        the largest one that was found. None otherwise.
    """

    def __init__(self, message: str, *, frequency: float, residuals: tuple[float, ...], state: Any) -> None:
        super().__init__(message)
        self.frequency = frequency
        self.residuals = residuals
        self.state = state
        self.best: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        remake = partial(type(self), frequency=self.frequency, residuals=self.residuals, state=self.state)
        return remake, self.args, vars(self)


class ResolutionWarning(UserWarning):
    """A solution changes over less than the cells of the mesh resolve: numbers may be off by several percent."""


class UnitWarning(UserWarning):
    """Numbers that look as if they were typed in the wrong unit: temperatures, fields or lengths off by far."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's own code that called the package, however deep the caller lies in it."""
    warnings.warn(message, category, stacklevel=outside())
