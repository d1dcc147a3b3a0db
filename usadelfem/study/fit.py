"""Fits of devices to measured curves, with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..adjoints.sensitivity import sensitivity
from ..checks import integer, named, number, numbers, shown
from ..errors import SolveError, warn
from ..fields.traced import keeping_results
from ..frozen import FrozenRecord, freeze

Real = NDArray[np.float64]
Rates = Mapping[Any, Any] | Callable[..., Mapping[Any, Any]]

MOST = 30  # evaluations of the model


@dataclass(frozen=True, eq=False, repr=False)
class Fit(FrozenRecord):
    """A least-squares fit; `fit["D"]` is the value of a parameter.

    Attributes
    ----------
    values, errors
        Values of the parameters by name, and their standard deviations. These follow from the given errors of the data,
        or from the scatter around the fit where none were given; NaN for parameters that the data do not determine.
    covariance
        Covariance of the parameters in the order of `values`, shape (parameters, parameters).
    predicted
        The model at these values, shape (data,).
    residuals
        (predicted - data) / errors of the data, shape (data,).
    evaluations
        How often the model was evaluated.
    converged, message
        Whether the fit converged, and how it ended.
    """

    values: dict[str, float]
    errors: dict[str, float]
    covariance: Real
    predicted: Real
    residuals: Real
    evaluations: int
    converged: bool
    message: str

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __getitem__(self, name: str) -> float:
        """The value of a parameter.

        Raises
        ------
        KeyError
            If there is no such parameter.
        """
        if name not in self.values:
            raise KeyError(f"no parameter {shown(name)}; the fit has: {', '.join(self.values)}")
        return self.values[name]

    def __repr__(self) -> str:
        found = ", ".join(f"{name} = {self.values[name]:.6g} +- {self.errors[name]:.2g}" for name in self.values)
        return f"Fit({found}; {self.evaluations} evaluations, {self.message})"


@named()
def fit(
    model: Callable[..., Sequence[Any]], data: ArrayLike, parameters: Mapping[str, tuple[float, Rates]], *,
    errors: ArrayLike | None = None, bounds: Mapping[str, tuple[float, float]] | None = None, precision: float = 1e-6,
    evaluations: int = MOST,
) -> Fit:  # fmt: skip
    """Fit parameters of devices to data by least squares, with the exact Jacobian: one adjoint solve per value.

    The model makes devices of the parameters, solves them and returns observables, the values to be compared with the
    data: currents (`charge_current(eq).through(...)`), critical currents (`critical_current(...,
    differentiable=True).value`), critical temperatures, densities of states, or smooth functions of those. How its
    devices depend on a parameter is said by the rates of `derivative`:

        def model(D, G):
            device = ...                                     # normal metal of diffusion D, barrier of conductance G
            return [uf.critical_current(device, "right", T, differentiable=True).value for T in temperatures]

        uf.fit(model, measured, {"D": (1.5, {("N", "D"): 1.0}), "G": (3.0, {("right", "conductance"): 1.0})})

    Levenberg and Marquardt's method in a trust region (`scipy.optimize.least_squares`).

    Parameters
    ----------
    model
        Takes the parameters as keywords and returns the predicted values, shape (data,).
    data
        Measured values, shape (data,).
    parameters
        Name -> start and rates: how fast coefficients of the device grow with the parameter, as in `derivative`. A
        parameter that multiplies a coefficient c has the rate c; several coefficients may grow with one parameter.
        Rates that depend on the parameters are given as a function of them that returns the mapping.
    errors
        Standard deviations of the data, a number or shape (data,); None: unknown, and the same for all.
    bounds
        Name -> lowest and highest value of a parameter; without, positive starts stay positive.
    precision
        Relative change of the parameters at which the fit ends.
    evaluations
        How often the model may be evaluated.

    Raises
    ------
    TypeError
        If the model returns values that do not remember observables (see `sensitivity`).
    ValueError
        If an argument does not fit the others.
    DeviceError
        If a rate names no parameter of the devices.
    SolveError
        If the model cannot be solved at the start.

    Warns
    -----
    UserWarning
        If the fit did not converge, or the data do not determine a parameter.
    """
    problem = _Problem(model, data, parameters, errors, bounds)
    precision, most = number("precision", precision, above=0, below=1), integer("evaluations", evaluations, least=2)
    found = scipy.optimize.least_squares(
        problem.residuals, problem.first, jac=problem.jacobian, bounds=problem.bounds, x_scale=1.0,
        xtol=precision, ftol=precision**2, gtol=None, max_nfev=most,
    )  # fmt: skip
    return problem.result(found)


class _Problem:
    """A model, the data, and what was computed last; `first` are the unknowns at the start."""

    def __init__(self, model: Any, data: Any, parameters: Any, errors: Any, bounds: Any) -> None:
        if not callable(model):
            raise TypeError(f"model is {shown(model)}; allowed is a function of the parameters that returns values")
        self.model = model
        self.data = numbers("data", data, "are finite numbers, at least one").ravel()
        self.names, self.start, self.rates = _checked(parameters)
        self.sigma = _checked_errors(errors, len(self.data))
        self.given = errors is not None
        self.scale = np.where(self.start != 0, abs(self.start), 1.0)
        low, high = _checked_bounds(bounds, self.names, self.start)
        # What is positive is varied by its logarithm, in which products and ratios are straight.
        self.logarithmic = (self.start > 0) & (low >= 0)
        self.first = self._unknown(self.start)
        self.bounds = self._unknown(low), self._unknown(high)
        self.evaluations = 0
        self.last: tuple[Real, list[Any]] | None = None

    def _unknown(self, x: Real) -> Real:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.logarithmic, np.log(np.maximum(x, 0.0) / self.scale), x / self.scale)

    def parameters(self, unknown: Real) -> Real:
        """The parameters of the unknowns that are varied."""
        with np.errstate(over="ignore"):
            return self.scale * np.where(self.logarithmic, np.exp(unknown), unknown)

    def _values(self, x: Real) -> list[Any]:
        """What the model predicts; the last values are kept, since their Jacobian is asked for next."""
        if self.last is None or not np.array_equal(self.last[0], x):
            with keeping_results():
                values = list(self.model(**dict(zip(self.names, x.tolist(), strict=True))))
            self.evaluations += 1
            if len(values) != len(self.data):
                raise ValueError(f"the model returned {len(values)} values for {len(self.data)} data")
            self.last = x.copy(), values
        return self.last[1]

    def residuals(self, unknown: Real) -> Real:
        """Deviations in units of the errors; far off where a trial cannot be solved, so that a step is shortened."""
        try:
            values = self._values(self.parameters(unknown))
        except SolveError:
            if self.last is None:
                raise
            return np.full(len(self.data), 1e3) * max(1.0, float(abs(self.data).max()))
        return (np.array([float(value) for value in values]) - self.data) / self.sigma

    def jacobian(self, unknown: Real) -> Real:
        """Derivatives of the deviations with respect to the unknowns."""
        x = self.parameters(unknown)
        return self.slopes(x) * np.where(self.logarithmic, x, self.scale)

    def slopes(self, x: Real) -> Real:
        """Derivatives of the deviations with respect to the parameters, exact."""
        given, rows = dict(zip(self.names, x.tolist(), strict=True)), []
        rates = [own(**given) if callable(own) else own for own in self.rates]
        for value in self._values(x):
            own = sensitivity(value)
            rows.append([own.along(rate) for rate in rates])
        return np.array(rows) / self.sigma[:, None]

    def result(self, found: Any) -> Fit:
        """The record of the end, with errors from the Jacobian there."""
        x, residuals = self.parameters(found.x), self.residuals(found.x)
        jacobian = self.slopes(x)
        freedom = len(self.data) - len(x)
        scatter = 1.0 if self.given else float((residuals**2).sum() / freedom) if freedom > 0 else np.nan
        scaled = jacobian * self.scale
        values, vectors = np.linalg.eigh(scaled.T @ scaled)
        lost = values <= values.max() * 1e-14
        inverse = (vectors / np.where(lost, np.inf, values)) @ vectors.T
        covariance = scatter * inverse * np.outer(self.scale, self.scale)
        covariance[(abs(vectors[:, lost]) > 1e-6).any(axis=1)] = np.nan
        error = np.sqrt(np.diag(covariance))
        if found.status <= 0:
            warn(f"fit: not converged after {self.evaluations} evaluations; allow for more, evaluations=...")
        if lost.any():
            names = [name for name, own in zip(self.names, error, strict=True) if np.isnan(own)]
            warn(f"fit: the data do not determine {', '.join(names)}: fix some of them")
        return Fit(
            values=dict(zip(self.names, x.tolist(), strict=True)),
            errors=dict(zip(self.names, error.tolist(), strict=True)), covariance=covariance,
            predicted=residuals * self.sigma + self.data, residuals=residuals, evaluations=self.evaluations,
            converged=found.status > 0, message="converged" if found.status > 0 else "not converged",
        )  # fmt: skip


def _checked(parameters: Any) -> tuple[list[str], Real, list[Rates]]:
    allowed = 'name -> (start, rates), such as {"D": (1.5, {("N", "D"): 1.0})}'
    if not isinstance(parameters, Mapping) or not parameters:
        raise ValueError(f"parameters is {shown(parameters)}; allowed is a mapping {allowed}")
    starts, rates = [], []
    for name, entry in parameters.items():
        good = isinstance(entry, tuple | list) and len(entry) == 2
        good = good and (isinstance(entry[1], Mapping) or callable(entry[1]))
        if not isinstance(name, str) or not name.isidentifier() or not good:
            raise ValueError(f"parameter {shown(name)} is {shown(entry)}; allowed is {allowed}")
        starts.append(number(f"start of {name}", entry[0]))
        rates.append(entry[1])
    return list(parameters), np.array(starts), rates


def _checked_errors(errors: Any, count: int) -> Real:
    if errors is None:
        return np.ones(count)
    sigma = numbers("errors", errors, "are numbers > 0, one or as many as data")
    if sigma.shape not in ((), (count,)) or not (sigma > 0).all():
        raise ValueError(f"errors is {shown(errors)}; allowed are numbers > 0, one or as many as data ({count})")
    return np.broadcast_to(sigma, count).copy()


def _checked_bounds(bounds: Any, names: list[str], start: Real) -> tuple[Real, Real]:
    low, high = np.where(start > 0, 0.0, -np.inf), np.full(len(start), np.inf)
    for name, pair in ({} if bounds is None else dict(bounds)).items():
        ends = numbers(f"bounds of {name}", pair, "are two numbers, ascending")
        if name not in names or ends.shape != (2,) or not ends[0] < ends[1]:
            raise ValueError(f"bounds of {shown(name)} are {shown(pair)}; allowed are two ascending numbers for one of "
                             f"{', '.join(names)}")  # fmt: skip
        low[names.index(name)], high[names.index(name)] = ends
    if not ((low <= start) & (start <= high)).all():
        raise ValueError(f"starts are {start.tolist()}; they have to lie within their bounds")
    return low, high
