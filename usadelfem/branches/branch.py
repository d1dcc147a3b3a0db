"""Branches of solutions over a parameter, through folds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_number, flag, integer, keywords, named, number, numbers, shown
from ..device.contact import current_biased
from ..device.device import Device
from ..errors import ObservableError, SolveError
from ..fields.field import Field
from ..observe.free_energy import free_energy
from ..parallel.engines import checked_workers
from ..parallel.tasks import progress_bar
from ..solve.arguments import check_function, check_progress, device_of, natural_device
from ..solve.equilibrium import solve_equilibrium
from ..solve.field_problem import as_real
from ..solve.results import Equilibrium
from .arclength import Place, Walk
from .continuation import Corrector, Point, Solution
from .current_bias import phase_of
from .current_level import CurrentLevel, over_current
from .family import Family
from .record import Branch, BranchPoint

Real = NDArray[np.float64]
TEMPERATURE = "temperature"
STEPS = 20  # of the interval by default
TOLERANCE = 1e-7  # of the gap equation by default
NOT_HERE = ("linearized",)
OPTIONS = tuple(name for name in keywords(solve_equilibrium) if name not in NOT_HERE)


@named("initial", *OPTIONS)
def branch(
    function: Callable[[float], Device] | Device, parameter: str, interval: tuple[float, float],
    temperature: float | None = None, *, observable: Callable[[Equilibrium], float] | None = None,
    step: float | None = None, points: int = 200, unstable: bool = False, states: bool = False, **options: Any,
) -> Branch:  # fmt: skip
    """Follow a branch of solutions in a parameter through folds: by pseudo-arclength continuation of the gap.

    Where a self-consistent gap has several solutions at one value of the parameter, they lie on a branch that turns
    back at folds: current-phase relations of long bridges, first-order transitions, wires up to the depairing current
    and beyond, superheated states in a magnetic field. Unknown are the gap and the parameter together, with
    `screening=True` also the induced vector potential; each step predicts and corrects them by Newton's method, one
    triangular solve per frequency and product. With given gaps there are no folds, and the solutions follow at equal
    steps. Where the parameter is the current of a reservoir, `Reservoir(current=...)`, unknown are the gap and the
    phase of that reservoir, and folds are the extrema of the current.

    Parameters
    ----------
    function
        Makes the device of a value of the parameter, on one and the same mesh. A Device, where the parameter is the
        temperature. Devices with a current have the parameter as this current, and differ in nothing else.
    parameter
        Its name, for pictures; "temperature": the temperature of the solves.
    interval
        Where the branch starts, and the value it first goes towards. It ends where it leaves the interval on either
        side, or where its gap vanishes.
    temperature
        Temperature, energy; None: that of the device.
    observable
        What is evaluated at every solution, a real number; None: the free energy.
    step
        Largest step of the parameter; None: a twentieth of the interval. Steps over a current are also limited by the
        phase, to about 0.35 radians.
    points
        Largest number of solutions.
    unstable
        Whether to count the unstable directions of every solution (`stability`), and to find branch points.
    states
        Whether equilibria keep their states, so that all observables of them can be had later.
    **options
        As in `solve_equilibrium`, for the first solution: `initial` may also be a `BranchPoint` of another branch,
        where this one begins. The others take over order, frequencies, sector, linear solver and tolerance (by
        default 1e-7); `workers` is a number of threads.

    Returns
    -------
    Branch
        Frozen record: `parameters`, `values`, `arclength`, `equilibria`, `folds`, `unstable`, `branch_points`,
        `plot()`.

    Raises
    ------
    DeviceError
        If devices differ in their mesh, or their regions with an unknown gap; if one has a current that is not the
        parameter.
    ObservableError
        If nothing is self-consistent and the parameter is a current, or unstable directions are asked for.
    SolveError
        If the first solution, or the next one on the branch is not found.
    TypeError, ValueError
        If an argument is out of range, or the observable is no real number.
    """
    thermal = parameter == TEMPERATURE
    if not thermal or not isinstance(function, Device):
        check_function("function", function, "a function that makes a Device of a value of the parameter")
    make = (lambda _: function) if isinstance(function, Device) else _checked(function)
    start, stop = _ends(interval)
    flag("unstable", unstable), flag("states", states)
    points = integer("points", points, least=2)
    longest = abs(stop - start) / STEPS if step is None else number("step", step, above=0)
    if thermal and temperature is not None:
        raise ValueError("temperature is given twice: as the parameter, and as a number. Give one of them")
    check_progress(options.get("progress"))
    options["workers"] = checked_workers(options.get("workers"))
    if isinstance(options["workers"], Executor):
        raise ValueError("workers of a branch is a number of threads: each solution starts from the one before")
    first = natural_device(make(start))
    family = Family(make, temperature, thermal, min(start, stop), max(start, stop), options)
    current = over_current(family, (start, stop)) if current_biased(first.contacts) else None
    record = _Record(parameter, family, observable or free_energy, current, states=states)
    with progress_bar(None, "branch", options.get("progress")) as bar:
        if any(material.self_consistent for material in first.conductors.values()):
            _self_consistent(record, (start, stop), longest, points, unstable, bar.update)
        elif unstable:
            raise ObservableError("unstable=True counts directions of a gap that is found; the gaps here are given")
        else:
            _given(family, record, np.linspace(start, stop, min(points, 1 + int(np.ceil(abs(stop - start) / longest)))))
    return record.branch()


def _checked(function: Any) -> Callable[[float], Device]:
    return lambda value: device_of(function, value)


def _ends(interval: Any) -> tuple[float, float]:
    ends = numbers("interval", interval, "are two different finite numbers")
    if ends.shape != (2,) or ends[0] == ends[1]:
        raise ValueError(f"interval is {shown(interval)}; allowed are two different finite numbers")
    return float(ends[0]), float(ends[1])


class _Record:
    """What is kept of the solutions."""

    def __init__(
        self, parameter: str, family: Family, observable: Callable[[Equilibrium], float], current: CurrentLevel | None,
        *, states: bool,
    ) -> None:  # fmt: skip
        self.parameter, self.observable, self.states = parameter, observable, states
        self.family, self.current = current.family if current else family, current
        self.rows: list[tuple[float, float, float, int]] = []
        self.equilibria: list[Equilibrium] = []
        self.folds: list[int] = []
        self.branch_points: list[BranchPoint] = []

    def add(self, value: float, length: float, eq: Equilibrium, negative: int = -1) -> None:
        """Keep a solution."""
        given = self.observable(eq)
        found = as_number(given)
        if found is None:
            raise TypeError(f"observable returned {shown(given)} at {value:.6g}; allowed is a real number")
        self.rows.append((value, found, length, negative))
        self.equilibria.append(eq if self.states else replace(eq, riccati=np.empty((0, 0, 4), complex)))

    def place(self, place: Place) -> None:
        """Keep a place of a walk."""
        solution = place.solution
        solution.here = self.family.at(solution.value, solution.here.fields, solution.states)
        eq = self.family.result(solution.value, solution.here)
        value = self.current.width * solution.level.value if self.current else solution.value
        if place.kind == "fold":
            self.folds.append(len(self.rows))
        if place.kind == "branch" and solution.curvature is not None:
            nearest = int(np.argmin(abs(solution.curvature.values)))
            assert eq.pairing is not None
            values = np.zeros(eq.problem.space.dx.shape, complex)
            values[eq.pairing.chosen] = solution.curvature.modes[nearest]
            mode = Field("mode", "1", (), values, eq.device, eq.problem.space)
            potential = solution.curvature.potentials[nearest]
            self.branch_points.append(BranchPoint(value, eq, mode, potential))
        self.add(value, solution.length, eq, solution.negative)

    def branch(self) -> Branch:
        """The branch."""
        values, observed, lengths, negative = (np.array(column) for column in zip(*self.rows, strict=True))
        counted = negative.astype(np.int64) if (negative >= 0).any() else None
        return Branch(
            self.parameter, values, observed, lengths, tuple(self.equilibria), tuple(self.folds), counted,
            tuple(self.branch_points),
        )  # fmt: skip


def _given(family: Family, record: _Record, values: Real) -> None:
    """Solutions with given gaps, at equal steps."""
    for value in values.tolist():
        temperature = value if family.thermal else family.temperature
        eq = solve_equilibrium(family.function(value), temperature, **family.options)
        record.add(value, abs(value - float(values[0])) / family.scale, eq)


def _self_consistent(
    record: _Record, ends: tuple[float, float], longest: float, points: int, unstable: bool,
    step: Callable[[], object],
) -> None:  # fmt: skip
    """Solutions with a gap that is found, by arclength."""
    family, current, width = record.family, record.current, abs(ends[1] - ends[0])
    origin = family.options.get("initial")
    origin = origin if isinstance(origin, BranchPoint) else None
    eq = _first(record, ends, origin)
    start = phase_of(eq.device, current.contact) if current else ends[0] if origin is None else origin.value
    family.prepare()
    corrector = Corrector(family, float(family.options.get("tolerance", TOLERANCE)), current.read if current else None)
    assert eq.pairing is not None
    here = family.at(start, np.concatenate([as_real(eq.pairing.gap_of(eq.problem)), eq.dofs]), None)
    guess = corrector.point(start, here)
    upwards = Point(np.zeros(len(guess.vector)), 1.0)
    first = corrector.correct(guess, upwards, Solution(start, here, guess, here.team.states.copy()))
    if first is None:
        raise SolveError(
            f"the first solution of the branch, at {start:.6g}, did not settle. Try: another initial",
            frequency=float("nan"), residuals=(), state=here.gap,
        )  # fmt: skip
    if origin is None:
        corrector.turn(first, Point(upwards.vector, float(np.sign(ends[1] - ends[0]))))
    else:
        first.tangent = corrector.direction(first.here, origin.mode.quadrature[eq.pairing.chosen], origin.potential)
        corrector.read(first)
    walk = Walk(corrector, longest / width, (min(ends) / width, max(ends) / width), unstable, origin is not None)
    try:
        for place in walk.along(first, points):
            record.place(place)
            step()
    finally:
        if family.team is not None:
            family.team.release()


def _first(record: _Record, ends: tuple[float, float], origin: BranchPoint | None) -> Equilibrium:
    """The solution at the start of a branch."""
    family, current = record.family, record.current
    if origin is None:
        device = current.start if current else family.function(ends[0])
        return solve_equilibrium(device, ends[0] if family.thermal else family.temperature, **family.options)
    if not min(ends) <= origin.value <= max(ends):
        raise ValueError(f"interval does not hold the value {origin.value:.6g} of the branch point that it begins at")
    return origin.equilibrium
