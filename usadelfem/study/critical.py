"""Stability of the normal state against pairing: critical temperatures and fields from an eigenvalue problem.

The second variation of the free energy with respect to the gap at g = tau3 is the linear operator

    (L Delta)(r) = Delta [ln(T/Tc) + 2 pi T sum 1/w] + 2 pi T sum i f0[Delta],

f0[Delta] the linear response of the normal metal. Superconductivity sets in where its lowest eigenvalue passes zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy  # which loads its parts when they are named
from numpy.typing import NDArray

from ..adjoints.critical_mode import CriticalMode, remembered
from ..branches.stability import stability
from ..checks import named, numbers, shown
from ..device.coefficient import evaluate
from ..device.device import Device
from ..errors import DeviceError
from ..parallel.engines import Workers, checked_workers, executor_of
from ..parallel.tasks import run_tasks
from ..solve.arguments import (
    MODE_OPTIONS,
    check_function,
    check_progress,
    checked_precision,
    device_of,
    natural_device,
)
from ..solve.pairing_mode import lowest_mode, warn_of_end
from ..solve.unresolved import warn_mode

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

SUMS = ("quadrature", "frequencies", "cutoff", "cutoff_index")
# Below this part of the largest Tc a device counts as normal at all temperatures.
LOWEST = 1e-2
STRIDE, SHORTEST = 4.0, 0.25
# Evaluations at most; every so many halve a bracket, whatever the eigenvalue looks like.
MOST, BISECTED = 100, 6


@named(*MODE_OPTIONS)
def critical_temperature(device: Device, *, precision: float = 1e-6, **options: Any) -> float:
    """The temperature below which the normal state is unstable, in the unit of Tc; 0 below 1 % of the largest Tc.

    `sensitivity` gives its derivatives.

    The highest root of `stability(device, T)`: steps down in ln T to where homogeneous pair breaking would have it
    (Abrikosov, Gorkov), kept in a bracket. It is the transition temperature where the transition is of second order.

    Parameters
    ----------
    device
        A device with `Tc` in at least one region; reservoirs are normal.
    precision
        Relative precision.
    **options
        order, quadrature, frequencies, cutoff, cutoff_index, linear_solver, workers: as in
        `solve_equilibrium`.

    Raises
    ------
    DeviceError, ValueError
        As `stability`.
    """
    device = natural_device(device)
    precision, highest = checked_precision(precision), _highest_tc(device)
    mode: Complex | None = None

    def eigenvalue(logarithm: float) -> float:
        nonlocal mode
        value, mode = lowest_mode(device, highest * float(np.exp(logarithm)), mode, **options)
        return value

    found = _highest_root(eigenvalue, precision)
    if found is None:
        return 0.0
    assert mode is not None
    temperature = highest * float(np.exp(found))
    order, sums = options.get("order", 2), {name: options[name] for name in SUMS if name in options}
    warn_of_end(device, temperature, mode, **options)
    warn_mode(device, temperature, mode, order)
    value = float(device.units.out("temperature", temperature))
    return remembered(value, CriticalMode(device.natural, temperature, mode, order, sums))


def _highest_root(eigenvalue: Callable[[float], float], precision: float) -> float | None:
    """The highest ln T <= 0 where the eigenvalue vanishes, within precision of the last evaluation; None below LOWEST.

    Secant steps in what `_distance` says, which is nearly linear.
    """
    place, above, below = 0.0, 0.0, -np.inf
    before: tuple[float, float] | None = None
    for tries in range(MOST):
        value = eigenvalue(place)
        if value <= 0 and place == 0:
            return place
        above, below = (place, below) if value > 0 else (above, place)
        distance = _distance(place, value)
        step = _secant(before, (place, distance)) if before and np.isfinite(distance) else distance
        if abs(step) < precision:
            return min(place + step, 0.0)
        if above - below < precision:
            break
        before = (place, distance) if np.isfinite(distance) else None
        if below > -np.inf:
            inside = below < place + step < above and tries % BISECTED
            place = place + step if inside else 0.5 * (below + above)
            continue
        # The eigenvalue falls no faster than ln T; longer steps, of at least SHORTEST, overlook windows of
        # superconductivity only where two transitions lie closer than that.
        if above <= np.log(LOWEST):
            return None
        longest = max(STRIDE * value, SHORTEST)
        place = max(place + (step if -longest < step < 0 else -longest), np.log(LOWEST))
    return place


def _secant(first: tuple[float, float], last: tuple[float, float]) -> float:
    """The step from the last place to where the values at two places vanish on a line; NaN where they do nowhere."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(last[1]) * (last[0] - first[0]) / (first[1] - last[1]))


def _distance(place: float, value: float) -> float:
    """The way in ln T from a place with an eigenvalue to the transition, if pair breaking were that of a bulk.

    There the eigenvalue is ln(T/Tc) + psi(1/2 + rho Tc/T) - psi(1/2), with rho from its value (Abrikosov, Gorkov);
    -inf where such a bulk would be normal down to LOWEST.
    """

    def rise(ratio: float) -> float:
        return float(scipy.special.digamma(0.5 + ratio) - scipy.special.digamma(0.5))

    if value <= place:
        return -place
    # psi(1/2 + x) is above ln x
    most = np.exp(value - place + scipy.special.digamma(0.5))
    rho = np.exp(place) * scipy.optimize.brentq(lambda x: rise(x) - value + place, 0.0, most)

    def bulk(own: float) -> float:
        return own + rise(rho * np.exp(-own))

    lowest = float(np.log(LOWEST))
    return float(scipy.optimize.brentq(bulk, lowest, 0.0)) - place if bulk(lowest) < 0 else -np.inf


def _highest_tc(device: Device) -> float:
    mesh, values = device.sample, []
    for region, material in device.conductors.items():
        if material.self_consistent:
            corners = mesh.p[:, np.unique(mesh.t[:, mesh.subdomains[region]])]
            own = evaluate("Tc", material.Tc, corners, f"material of region {region!r}", lambda nodal: nodal)
            values.append(float(np.max(own)))
    if not values or not max(values) > 0:
        raise DeviceError("no region has a Tc > 0 and an unknown gap: give a material superconductor(Tc=...)")
    return max(values)


@named(*MODE_OPTIONS)
def critical_parameter(
    function: Callable[[float], Device], interval: tuple[float, float], temperature: float, *, precision: float = 1e-6,
    **options: Any,
) -> float:  # fmt: skip
    """The parameter at which the normal state becomes unstable at a temperature: a critical field or thickness.

    Parameters
    ----------
    function
        Makes the device of a parameter.
    interval
        Two parameters, the normal state being stable at one and unstable at the other.
    temperature
        Temperature, energy.
    precision
        Relative precision.
    **options
        As in `stability`.

    Raises
    ------
    ValueError
        If the normal state is stable, or unstable, at both ends.
    DeviceError
        As `stability`.
    """
    check_function("function", function, "a function that makes a Device of a parameter")
    precision = checked_precision(precision)
    ends = numbers("interval", interval, "are two different finite numbers").tolist()
    if np.shape(ends) != (2,) or ends[0] == ends[1]:
        raise ValueError(f"interval is {shown(interval)}; allowed are two different finite numbers")
    values = [stability(device_of(function, end), temperature, **options) for end in ends]
    if values[0] * values[1] > 0:
        state = "stable" if values[0] > 0 else "unstable"
        raise ValueError(
            f"the normal state is {state} at both ends {ends} of the interval (eigenvalues {values[0]:.3g} and "
            f"{values[1]:.3g}); widen it"
        )
    known: dict[float, float] = dict(zip(ends, values, strict=True))

    def eigenvalue(parameter: float) -> float:
        if parameter in known:
            return known[parameter]
        return stability(device_of(function, parameter), temperature, **options)

    closest = precision * max(map(abs, ends))
    return float(scipy.optimize.brentq(eigenvalue, *ends, xtol=closest, rtol=max(precision, 1e-15)))


@named(*MODE_OPTIONS, "precision")
def phase_diagram(
    function: Callable[[float], Device], parameters: Sequence[float], *, workers: Workers | None = None,
    progress: bool | None = None, **options: Any,
) -> Real:  # fmt: skip
    """Critical temperatures of a family of devices, shape (parameters,).

    Parameters
    ----------
    function
        Makes the device of a parameter: a thickness, an exchange field, the angle of a spin valve.
    parameters
        Values of the parameter.
    workers
        Who works: a number of threads of this process, or any `concurrent.futures.Executor`. Each takes one
        parameter at a time.
    progress
        Whether to show a bar; None: on a terminal, in runs longer than a second.
    **options
        As in `critical_temperature`.

    Raises
    ------
    DeviceError, ValueError
        As `critical_temperature`.
    """
    check_function("function", function, "a function that makes a Device of a parameter")
    check_progress(progress)
    values = numbers("parameters", parameters, "are finite numbers, at least one")
    if values.ndim != 1 or not len(values):
        raise ValueError(f"parameters is {shown(parameters)}; allowed are finite numbers, at least one")
    with executor_of(checked_workers(workers)) as executor:
        found = run_tasks(
            _critical_point, values.tolist(), shared=(function, options), executor=executor, label="phase diagram",
            progress=progress,
        )  # fmt: skip
    return np.array(found)


def _critical_point(shared: tuple[Callable[[float], Device], dict[str, Any]], value: float) -> float:
    """The critical temperature of one device of a family; the task of a phase diagram."""
    function, options = shared
    return critical_temperature(device_of(function, value), **options)
