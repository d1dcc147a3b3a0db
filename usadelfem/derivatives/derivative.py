"""The derivative of a solution with respect to named parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any

from ..checks import named, shown
from ..errors import DeviceError
from ..solve.results import Equilibrium, Spectrum
from .contacts import direction_of_contact, direction_of_interface
from .context import Context
from .direction import Direction, in_common_sector
from .linearization import linearized
from .parameters import Parameter, natural_rate, parse, room_for
from .regions import direction_of_field, direction_of_region
from .tangent import Tangent, solve_tangent
from .thermal import direction_of_temperature


@named()
def derivative(result: Equilibrium | Spectrum, parameters: Mapping[Any, Any]) -> Tangent:
    """The change of a whole solution with a parameter, exactly: one triangular solve per frequency or energy.

    With the equation r(x, p) = 0 of every frequency, dx = -H^-1 dr/dp with the exact Hessian H of the functional; a
    self-consistent gap and an induced field follow by the derivatives of their equations (theory, section on
    derivatives). Every observable of the result takes the tangent and returns its own derivative:
    `charge_current(tangent).through("left")` is dI/dp. The factorised Hessians are kept for the next derivative of the
    same result.

    Parameters
    ----------
    result
        An equilibrium, or a spectrum, at whose energies gaps are held.
    parameters
        What grows with p, and at which rate dc/dp: (region, coefficient), (contact, "phase" | "gap" | "exchange"),
        (interface or contact with a barrier, "conductance" | "mixing" | "polarization" | "magnetization"), "A", "B" or
        "temperature". Rates are numbers, vectors, functions of position or arrays over the vertices like the
        coefficients themselves, in the units of the device. Where a region, a contact and an interface share a name:
        ("region", name, coefficient). Spin relaxation is varied by its time ("tau_so") or by its rate 1/(4 tau)
        ("rate_so").

    Raises
    ------
    TypeError
        If the result is of another kind.
    DeviceError
        If there is no such parameter, or nothing depends on it.
    SolveError
        If the solution is at the end of a branch.
    """
    check_differentiable(result)
    if not isinstance(parameters, Mapping) or not parameters:
        raise DeviceError(
            f"parameters is {shown(parameters)}; allowed is a mapping from parameters to their rates, such as "
            '{("F", "exchange"): (0, 0, 1)}'
        )
    device = result.device
    chosen = {name: parse(device, name) for name in parameters}
    rates = {name: natural_rate(device, chosen[name], rate) for name, rate in parameters.items()}
    problem, key = room_for(result.problem, list(chosen.values()))
    own = context_of(result, problem)
    direction = reduce(add, (direction_of(own, chosen[name], rates[name]) for name in parameters))
    linear = linearized(result, in_common_sector(problem, direction), key)
    change = solve_tangent(linear, direction)
    return Tangent(
        result, dict(parameters), linear.problem, direction, change.direction, change.states, change.dofs
    )  # fmt: skip


def check_differentiable(result: Any) -> None:
    """TypeError unless a result has derivatives."""
    if not isinstance(result, Equilibrium | Spectrum):
        raise TypeError(
            f"derivative is of an Equilibrium (from solve_equilibrium) or a Spectrum (from solve_spectrum); given is "
            f"{shown(result)}"
        )


def context_of(result: Equilibrium | Spectrum, problem: Any) -> Context:
    """What the directions of a result are made in."""
    if isinstance(result, Spectrum):
        return Context(problem)
    return Context(problem, result.pairing, result.temperature)


def direction_of(context: Context, parameter: Parameter, rate: Any) -> Direction:
    """The direction in which a parameter grows at a rate, in natural numbers; errors as `derivative`."""
    if parameter.kind == "region":
        return direction_of_region(context, parameter, rate)
    if parameter.kind == "contact":
        return direction_of_contact(context, parameter, rate)
    if parameter.kind == "interface":
        return direction_of_interface(context, parameter, rate)
    if parameter.coefficient == "temperature":
        return direction_of_temperature(context, parameter, rate)
    return direction_of_field(context, parameter, rate)
