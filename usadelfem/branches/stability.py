"""Stability of a state against changes of its gap: the second variation of the free energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..checks import integer, named
from ..device.device import Device
from ..device.doors import natural_temperature
from ..errors import ObservableError
from ..fem.gap_equation import zero_temperature_gap
from ..fem.problem import energy_scale
from ..fields.field import Field
from ..frozen import FrozenRecord, freeze
from ..numerics.newton import ERROR_TOLERANCE
from ..parallel.engines import Workers, checked_workers
from ..parallel.rehearsal import begin_solve
from ..points.sums import Terms
from ..points.team_remote import frequency_team
from ..solve.arguments import MODE_OPTIONS, check_settings, natural_device
from ..solve.curvature import Curvature, lowest_curvature
from ..solve.field_problem import SelfConsistency
from ..solve.pairing_mode import lowest_mode, warn_of_end
from ..solve.results import Equilibrium
from ..solve.unresolved import warn_mode

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Stability(FrozenRecord):
    """How the free energy of a self-consistent solution curves with its gap; `float(...)` is the lowest eigenvalue.

    The free energy of Delta + u is Omega[Delta] + Int N0 Re u* J u to second order, states following; J u = value u.
    With screening the vector potential changes, too, by a: the free energy is Omega + value {Int N0 |u|^2 + E/10}, E
    being about the energy of the field of a and of the currents that respond to it locally. So the sign of a value is
    that of gap and field together, and a value near zero is that of the gap with the field following.

    Attributes
    ----------
    values
        The lowest eigenvalues, ascending, shape (count,); dimensionless, those of a normal metal as ln(T/Tc).
    modes
        The changes u of the gap that belong to them, complex Fields whose largest modulus is 1; the sign is free.
    field_modes
        With screening: the changes curl a of the magnetic field that go with them, Fields as `magnetic_field` is, per
        energy of the gap; else empty.
    negative
        Number of directions in which the free energy falls: eigenvalues below -1e-6. 0: a minimum.
    """

    values: Real
    modes: tuple[Field, ...]
    negative: int
    field_modes: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __float__(self) -> float:
        return float(self.values[0])

    @property
    def minimum(self) -> bool:
        """Whether the solution is a minimum of the free energy; else it is a saddle."""
        return self.negative == 0

    def __repr__(self) -> str:
        directions = "direction" if self.negative == 1 else "directions"
        what = "minimum" if self.minimum else f"saddle with {self.negative} negative {directions}"
        return f"Stability({what}, lowest eigenvalues {', '.join(f'{value:.4g}' for value in self.values)})"


@overload
def stability(of: Equilibrium, *, count: int = 4, workers: Workers | None = None) -> Stability: ...
@overload
def stability(of: Device, temperature: float | None = None, **options: Any) -> float: ...
@named("count", *MODE_OPTIONS)
def stability(of: Any, temperature: float | None = None, **options: Any) -> Stability | float:
    """Whether a self-consistent solution is a minimum of the free energy or a saddle; of a Device its normal state.

    The lowest eigenvalues of the second variation of the free energy with respect to the gap, all states following:
    one triangular solve per frequency for each product. A common phase of a device in which no reservoir holds it costs
    nothing and is left out. With screening gap and vector potential change together, in the Coulomb gauge; in a plane
    whose contacts carry currents, without changes on which the field that these make outside would do work.

    Parameters
    ----------
    of
        A self-consistent Equilibrium; or a Device with `Tc` in at least one region and normal reservoirs, of which the
        normal state is asked.
    temperature
        With a Device: temperature, energy; positive.
    count
        With an Equilibrium: number of eigenvalues; more if more are negative, so that `negative` is complete.
    workers, linear_solver
        As in `solve_equilibrium`.
    order, quadrature, frequencies, cutoff, cutoff_index
        With a Device: as in `solve_equilibrium`. An Equilibrium has its own.

    Returns
    -------
    Stability
        Of an Equilibrium: frozen record with `values`, `modes`, `field_modes`, `negative`, `minimum`.
    float
        Of a Device: the lowest eigenvalue of the gap equation linearised at the normal state, negative where it is
        unstable; of a bulk superconductor with pair breaking ln(T/Tc) + psi(1/2 + alpha/2 pi T) - psi(1/2).

    Raises
    ------
    ObservableError
        If the gap of the Equilibrium was given, not found: then there is nothing to vary.
    DeviceError
        If no region of the Device has Tc without a gap, or there is a superconducting reservoir or a given gap.
    ValueError
        If an argument is out of range, or does not go with what is asked.
    SolveError
        If the eigenvalues do not converge.
    """
    if isinstance(of, Equilibrium):
        own = {name: options.pop(name) for name in ("count", "workers", "linear_solver") if name in options}
        if options or temperature is not None:
            more = ", ".join([*(["temperature"] if temperature is not None else []), *options])
            raise ValueError(f"stability of an Equilibrium has no {more}: the Equilibrium has its own")
        return _of_solution(of, **own)
    if "count" in options:
        raise ValueError("stability of the normal state of a Device is its lowest eigenvalue; count is for Equilibria")
    return _of_normal_state(of, temperature, options)


def _of_solution(
    eq: Equilibrium, count: int = 4, workers: Workers | None = None, linear_solver: str = "auto"
) -> Stability:  # fmt: skip
    count = integer("count", count, least=1)
    check_settings(linear_solver=linear_solver)
    workers = checked_workers(workers)
    if eq.pairing is None:
        raise ObservableError(
            "stability: the gap of this Equilibrium was given, not found, so that there is no free energy to compare "
            "with; give superconductor(Tc=...) instead of gap=..."
        )
    begin_solve(eq.device, eq.temperature, eq.problem.space.order)
    consistency = _reopened(eq, linear_solver, workers)
    try:
        found = lowest_curvature(consistency, count)
    finally:
        consistency.team.release()
    return Stability(found.values, *_pictures(eq, found))


def _pictures(eq: Equilibrium, found: Curvature) -> tuple[tuple[Field, ...], int, tuple[Field, ...]]:
    """The modes as fields, the number of negative ones, and the changes of the magnetic field."""
    assert eq.pairing is not None
    space, modes, fields = eq.problem.space, [], []
    for mode, potential in zip(found.modes, found.potentials, strict=True):
        values = np.zeros(space.dx.shape, complex)
        values[eq.pairing.chosen] = mode
        modes.append(Field("mode", "1", (), values, eq.device, space))
        if eq.induced is not None:
            curl, components = eq.induced.maxwell.curl_at_points(potential), ("x", "y", "z") if space.dim == 3 else ()
            fields.append(Field("field_mode", "hbar/e/length^2/energy", components, curl, eq.device, space))
    return tuple(modes), found.negative, tuple(fields)


def _reopened(eq: Equilibrium, linear_solver: str, workers: Workers) -> SelfConsistency:
    """The self-consistent problem of a solution, to be asked on; its team is to be released."""
    assert eq.pairing is not None
    unit = zero_temperature_gap(eq.pairing)
    team = frequency_team(
        eq.problem, eq.frequencies, eq.weights, scale=max(energy_scale(eq.problem), unit), kind=linear_solver,
        workers=workers, keep=True, terms=Terms(eq.pairing, eq.induced),
    )  # fmt: skip
    consistency = SelfConsistency(eq.problem, team, eq.pairing, eq.induced, eq.temperature, unit, eq.dofs)
    if eq.riccati.shape == team.states.shape:
        team.states[:] = eq.riccati
    else:  # a solution of a branch that has not kept them
        consistency.start(ERROR_TOLERANCE)
    return consistency


def _of_normal_state(device: Device, temperature: float | None, options: dict[str, Any]) -> float:
    device = natural_device(device)
    temperature = natural_temperature(device, temperature)
    value, mode = lowest_mode(device, temperature, **options)
    warn_of_end(device, temperature, mode, **options)
    warn_mode(device, temperature, mode, options.get("order", 2))
    return value
