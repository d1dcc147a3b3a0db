"""How accurate a result is, and meshes that make it more accurate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_array, as_number, kind, named, shown
from ..device.device import Device
from ..diagnostics.refinement import ADAPTIVE, gradient_errors, original_device, refined_device
from ..errors import DeviceError, ObservableError
from ..fem.gap_equation import build_pairing, zero_temperature_gap
from ..fem.problem import build_problem, energy_scale
from ..points.sum_rule import SumRule
from ..points.team_remote import frequency_team
from ..solve.field_solve import FieldOptions, solve_fields
from ..solve.results import Equilibrium
from ..solve.unresolved import sampled

Real = NDArray[np.float64]

# Quadratic elements on cells of half the size leave this part of the error, in observables that are stationary or not.
REMAINDER = 1 / 8
# Part of the squared error that lies in the cells that are divided (Doerfler, SIAM J. Numer. Anal. 33, 1106 (1996)).
BULK = 0.5


@dataclass(frozen=True)
class _SameSum(SumRule):
    """The frequencies and weights of a sum that has been done before."""

    known: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())

    def nodes(self, temperature: float, scale: float, precision: float = 0.0) -> tuple[Real, Real]:
        return np.array(self.known[0]), np.array(self.known[1])


@named()
def error_estimate(eq: Equilibrium, observable: Callable[[Equilibrium], Any]) -> Any:
    """The error that the mesh makes in an observable of a result, estimated from a better solution.

    The device is solved again, at the same frequencies and from the same gap, with quadratic elements on cells of half
    the size; in 3D, where `eq` has linear elements, on the same cells. The difference, with what the better solution
    leaves of the error added, is the estimate: within a factor of three of the true error once the mesh resolves the
    solution at all (where a solve warns, it tells that the error is large), unless the error is small by accident,
    where it changes sign. It does not know the errors of the sum over frequencies (`cutoff`), of a `tolerance`, or of
    a curved boundary made of straight facets. Cost: one solve with two (1D), four (2D), eight (3D) times the unknowns
    of `eq` for `order=2`; four, sixteen, eight for `order=1`.

    Parameters
    ----------
    eq
        A result of `solve_equilibrium`, linearised, self-consistent, or with screening.
    observable
        A function of an equilibrium that returns a number or an array: `uf.free_energy`, or
        ``lambda eq: uf.charge_current(eq).through("left")``. Facet sets, regions and points keep their names and
        places.

    Returns
    -------
    float or array
        Estimated true value minus the value of `eq`: signed, in the unit of the observable.

    Raises
    ------
    TypeError
        If `eq` is not an Equilibrium or `observable` not callable.
    ObservableError
        If the observable returns no numbers, or an array whose shape depends on the mesh.
    SolveError
        If the better solution is not found.
    """
    kind("eq", eq, Equilibrium, "is an Equilibrium, the result of solve_equilibrium")
    if not callable(observable):
        raise TypeError(f"observable is {shown(observable)}; allowed is a function of an Equilibrium")
    value = _value(observable, eq)
    device = original_device(eq.device, eq.problem, None if eq.pairing is None else eq.pairing.chosen)
    linear = eq.problem.space.order == 1
    finer = device if linear and eq.problem.space.dim == 3 else refined_device(device)
    better = _value(observable, _solve_again(eq, finer))
    if better.shape != value.shape:
        raise ObservableError(
            f"observable returned an array of shape {value.shape}, and {better.shape} on the finer mesh; allowed is a "
            "number or an array whose shape does not depend on the mesh: a flux, an integral, values at given points"
        )
    rest = 1.0 if linear else 1 / (1 - REMAINDER)
    found = (better - value) * rest
    return found.item() if found.ndim == 0 else found


def _value(observable: Callable[[Equilibrium], Any], eq: Equilibrium) -> NDArray[Any]:
    """What an observable returns, as an array; ObservableError if it holds no numbers."""
    value = observable(eq)
    array = as_array(value)
    if array is None:
        raise ObservableError(
            f"observable returned {shown(value)}; allowed is a number or an array of numbers, such as a flux, an "
            "integral or values at given points"
        )
    return array


def _solve_again(eq: Equilibrium, device: Device) -> Equilibrium:
    """The solution of a device with quadratic elements at the frequencies of another one, from its gap."""
    mu0 = None if eq.induced is None else eq.induced.mu0
    problem = build_problem(
        device, 2, linearized=eq.problem.linearized, temperature=eq.temperature, potential=mu0 is not None
    )
    pairing = build_pairing(device, problem)
    scale = energy_scale(problem)
    common: dict[str, Any] = {
        "temperature": eq.temperature, "frequencies": eq.frequencies, "weights": eq.weights, "cutoff": eq.cutoff,
    }  # fmt: skip
    if pairing is None and mu0 is None:
        team = frequency_team(problem, eq.frequencies, eq.weights, scale=scale)
        try:
            team.descend(problem)
        finally:
            team.release()
        return Equilibrium(device=device, problem=problem, **team.result(), **common)
    if pairing is not None:
        scale = max(scale, zero_temperature_gap(pairing))
    known = tuple(eq.frequencies.tolist()), tuple(eq.weights.tolist())
    tolerance = max(1e-8, eq.sweeps[-1].residual if eq.sweeps else 0.0)
    options = FieldOptions(initial=eq, tolerance=min(tolerance, 0.5), progress=False)
    rule = _SameSum(known=known)
    return solve_fields(device, problem, pairing, mu0, rule=rule, scale=scale, options=options, common=common)


@named()
def refine(device: Device, eq: Equilibrium | None = None, *, fraction: float | None = None) -> Device:
    """The device on a mesh with smaller cells where they matter for a solution, or everywhere.

    Cells are divided where the gradient of the solution jumps most (the recovered gradient of Zienkiewicz and Zhu),
    summed over frequencies as they count in Matsubara sums, until the chosen cells hold a `fraction` of the total.
    Regions, facet sets, contacts and interfaces keep their names, and coefficients given as arrays over the vertices
    are interpolated. Solve, refine, solve until `error_estimate` is small enough.

    Parameters
    ----------
    device
        The device.
    eq
        Its equilibrium. None: every cell is divided, into two, four (2D) or eight (3D).
    fraction
        With `eq`: how much of the squared error lies in the cells that are divided, above 0 and up to 1; None: half.

    Raises
    ------
    TypeError, ValueError
        If an argument is not allowed.
    DeviceError
        If `eq` is of another mesh, or the mesh consists of quadrilaterals or hexahedra, which can only be divided all
        (`refine(device)`).
    """
    kind("device", device, Device, "is a usadelfem.Device")
    kind("eq", eq, (Equilibrium, type(None)), "are an Equilibrium and None")
    share = BULK if fraction is None else as_number(fraction)
    if share is None or not 0 < share <= 1:
        raise ValueError(f"fraction is {shown(fraction)}; allowed are None and a number above 0 and up to 1")
    if eq is None:
        if fraction is not None:
            raise ValueError("fraction belongs to the equilibrium that says where cells are divided; give eq as well")
        return refined_device(device)
    if eq.device.mesh is not device.mesh:
        raise DeviceError("eq is the equilibrium of another mesh: solve this device, and give that result")
    if type(device.mesh) not in ADAPTIVE:
        raise DeviceError(
            f"a {type(device.mesh).__name__} cannot be refined in part: call refine(device) to divide all cells, or "
            "use lines, triangles or tetrahedra"
        )
    _, weights, states = sampled(eq.frequencies, eq.weights, eq.riccati)
    error = gradient_errors(eq.problem, weights, states)
    order = np.argsort(-error)
    count = int(np.searchsorted(np.cumsum(error[order]), share * error.sum())) + 1
    return refined_device(device, device.sample_cells[order[:count]])
