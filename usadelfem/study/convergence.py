"""How a number converges with the mesh: observed order, extrapolated value, error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ..checks import as_array, named, numbers, shown
from ..errors import ObservableError, warn
from ..frozen import FrozenRecord, freeze
from ..parallel.engines import Workers, checked_workers, executor_of
from ..parallel.tasks import run_tasks
from ..solve.arguments import check_function, check_progress

Values = NDArray[Any]
Real = NDArray[np.float64]

LOWEST, HIGHEST = 0.1, 20.0  # orders that are looked for
SAME = 0.3  # relative change of the order from level to level in the asymptotic range
ROUNDING = 1e-13  # relative difference of values that counts as none


@dataclass(frozen=True, eq=False, repr=False)
class Convergence(FrozenRecord):
    """A sequence of values on finer and finer meshes, and what it converges to; `float(c)` is that value.

    Attributes
    ----------
    levels
        The levels as given, shape (levels,).
    sizes
        Sizes of the mesh on them: the levels, or their inverses where these are numbers of cells; the largest first.
    values
        What the function returned, shape (levels, ...).
    value
        The extrapolated value (Richardson), of the shape of a single one; the finest where the sequence is not
        asymptotic.
    order
        The observed order p of the error C h^p; NaN where none fits, infinite where the values agree to rounding.
    error
        Estimate of the error of `value`, of the same shape: with four levels and more by how much the last one changed
        it, else the change from the finest to the extrapolated value; where the sequence is not asymptotic the largest
        difference between the last three.
    asymptotic
        Whether the differences have the same sign (for arrays: direction), decrease, and have one order.
    """

    levels: Real
    sizes: Real
    values: Values
    value: Any
    order: float
    error: Any
    asymptotic: bool

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        state = "asymptotic" if self.asymptotic else "NOT asymptotic"
        shape = self.values.shape[1:]
        what = f"{self.value:.8g}, error {self.error:.1g}" if not shape else f"arrays of shape {shape}"
        return f"Convergence({what}, order {self.order:.3g}, {len(self.levels)} levels, {state})"


@named()
def convergence(
    function: Callable[[Any], Any], levels: Sequence[float], *, workers: Workers | None = None,
    progress: bool | None = None,
) -> Convergence:  # fmt: skip
    """Does a number converge with the mesh, how fast, and to what? For example::

        def current(size):
            mesh = uf.interval({"N": 1.0}, size=size)
            eq = uf.solve_equilibrium(uf.Device(mesh, materials, contacts), 0.1)
            return uf.charge_current(eq).through("right")

        uf.convergence(current, [0.2, 0.1, 0.05])

    From the last three values f(h) = f + C h^p the order p, and f by Richardson's extrapolation (Roache, J. Fluids Eng.
    116, 405 (1994)); ratios of the sizes may differ. Quadratic elements give smooth quantities an order of about 4 in
    fluxes and energies, linear ones 2, kinks and corners less.

    Parameters
    ----------
    function
        Called with each level; returns a number or an array of a shape that does not depend on it.
    levels
        At least three: sizes of the cells, decreasing, or increasing numbers n of cells per length, whose size counts
        as 1/n. (Of refinements k in half give 2**k.)
    workers
        Who works: a number of threads of this process, or any `concurrent.futures.Executor`. Each takes a level.
    progress
        Whether to show a bar; None: on a terminal, in runs longer than a second.

    Returns
    -------
    Convergence
        Frozen record: `values`, `value`, `order`, `error`, `asymptotic`; `float(...)` is the extrapolated value.

    Raises
    ------
    TypeError
        If the function cannot be called.
    ValueError
        If the levels are not at least three positive numbers, all decreasing or all increasing.
    ObservableError
        If the function returns no numbers, or arrays of different shapes.

    Warns
    -----
    UserWarning
        If the sequence is not in the asymptotic range: then nothing is extrapolated.
    """
    check_function("function", function, "a function of a level that returns a number or an array")
    check_progress(progress)
    given, sizes = _checked_levels(levels)
    items = list(levels)  # integers stay integers
    with executor_of(checked_workers(workers)) as executor:
        found = run_tasks(
            _at_level, items, shared=function, executor=executor, label="levels", progress=progress
        )  # fmt: skip
    if len({np.shape(value) for value in found}) > 1:
        shapes = ", ".join(str(np.shape(value)) for value in found)
        raise ObservableError(f"function returned arrays of shapes {shapes}; allowed is the same at all levels")
    values = np.array(found)
    value, order, error, reason = _extrapolated(sizes, values)
    if reason:
        warn(
            f"convergence: the values are not in the asymptotic range: {reason}. They are known to about "
            f"{np.max(error):.2g}; give finer levels"
        )
    return Convergence(
        levels=given, sizes=sizes, values=values, value=value, order=order, error=error, asymptotic=not reason
    )


def _at_level(function: Callable[[Any], Any], level: Any) -> Values:
    """What the function returns at a level; the task of a worker."""
    value = function(level)
    array = as_array(value)
    if array is None or not np.isfinite(array).all():
        raise ObservableError(f"function({level}) returned {shown(value)}; allowed are finite numbers, one or an array")
    return array


def _checked_levels(levels: Any) -> tuple[Real, Real]:
    allowed = "are at least three positive numbers, all decreasing (sizes) or all increasing (numbers of cells)"
    given = numbers("levels", levels, allowed)
    steps = np.diff(given) if given.ndim == 1 else np.zeros(0)
    if len(steps) < 2 or not given.min() > 0 or not ((steps < 0).all() or (steps > 0).all()):
        raise ValueError(f"levels is {shown(levels)}; allowed {allowed}")
    return given, given if steps[0] < 0 else 1 / given


def _extrapolated(sizes: Real, values: Values) -> tuple[Any, float, Any, str]:
    """Value, order, error, and why the sequence is not asymptotic (empty if it is)."""
    last = values[-1]
    scale = float(abs(values).max())
    if abs(values[-3:] - last).max() <= ROUNDING * scale:
        return last[()], np.inf, (0.0 * abs(last))[()], ""
    orders = [_order(sizes[k : k + 3], values[k : k + 3], scale) for k in range(len(sizes) - 2)]
    order, spread = orders[-1], abs(values[-3:] - last).max(axis=0)[()]
    if not np.isfinite(order):
        return last[()], float("nan"), spread, "the last differences change sign, or do not decrease"
    if len(orders) > 1 and not abs(orders[-2] - order) <= SAME * order:
        return last[()], order, spread, f"the order changes from {orders[-2]:.3g} to {order:.3g}"
    value = _limit(sizes[-2:], values[-2:], order)
    error = abs(value - last)
    if len(orders) > 1 and np.isfinite(orders[-2]):
        error = abs(value - _limit(sizes[-3:-1], values[-3:-1], orders[-2]))
    return value[()], order, error[()], ""


def _limit(sizes: Real, values: Values, order: float) -> Values:
    return np.asarray(values[1] + (values[1] - values[0]) / ((sizes[0] / sizes[1]) ** order - 1))


def _order(sizes: Real, values: Values, scale: float) -> float:
    """The order p with (f1 - f2)/(f2 - f3) = (h1^p - h2^p)/(h2^p - h3^p); NaN if there is none."""
    first, second = values[0] - values[1], values[1] - values[2]
    size = float(np.vdot(second, second).real)
    if size <= (ROUNDING * scale) ** 2:
        return np.nan
    ratio = float(np.vdot(second, first).real) / size
    a, b = sizes[0] / sizes[1], sizes[2] / sizes[1]

    def misfit(p: float) -> float:
        return float(np.log(a**p - 1) - np.log(1 - b**p) - np.log(ratio))

    if not ratio > 0 or misfit(LOWEST) > 0 or misfit(HIGHEST) < 0:
        return np.nan
    return float(scipy.optimize.brentq(misfit, LOWEST, HIGHEST))
