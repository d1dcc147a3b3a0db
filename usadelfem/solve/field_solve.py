"""The self-consistent solve: first guesses on coarser discretisations, then sweeps to the tolerance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, integer, number
from ..device.device import Device
from ..diagnostics.cutoff import warn_of_cutoff
from ..diagnostics.quality import warn_of_states
from ..diagnostics.slips import Start, start_of
from ..errors import SolveError
from ..fem.gap_equation import Pairing, build_pairing, zero_temperature_gap
from ..fem.problem import Problem, build_problem
from ..fem.screening import build_induced
from ..numerics.newton import ERROR_TOLERANCE
from ..numerics.report import Iteration
from ..parallel.engines import Workers
from ..parallel.tasks import progress_bar
from ..points.sum_rule import SumRule
from ..points.sums import Terms
from ..points.team_remote import frequency_team
from ..space.recover import recover
from ..space.space import basis_values
from .curvature import lowest_curvature
from .descent import can_descend, descent_sweeps, leave_saddle
from .field_guess import Initial, Vortices, initial_gap, turned_gap
from .field_iterations import RESTART_ACCURACY, SEED, STALLED, SUSPICIOUS, WASTED, Best, anderson_sweeps, newton_sweeps
from .field_problem import SelfConsistency, as_real
from .pairing_mode import lowest_mode, superconducting_contacts
from .results import Equilibrium

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

METHODS = {"anderson": anderson_sweeps, "newton": newton_sweeps, "descent": descent_sweeps}
OTHER = {"anderson": "descent", "newton": "descent", "descent": "anderson"}  # where one gets nowhere
# Frequencies are first solved to this accuracy, with the first guess of the fields.
FIRST_ACCURACY = 1e-4
# The gap of a linear discretisation with a coarse quadrature is a first guess; it needs no more accuracy than its own.
GUESS_PRECISION = 1e-2
GUESS_TOLERANCE = 1e-3
SADDLES = 20  # that are left on the way to a minimum

Mode = tuple[float, Complex]


@dataclass(frozen=True)
class FieldOptions:
    """How self-consistent fields are found: see `solve_equilibrium`."""

    initial: Initial | Equilibrium = None
    method: str = "anderson"
    tolerance: float = 1e-8
    max_sweeps: int = 500
    linear_solver: str = "auto"
    workers: Workers = 1
    progress: bool | None = None
    certify: bool = False

    def __post_init__(self) -> None:
        choice("method", self.method, METHODS)
        object.__setattr__(self, "tolerance", number("tolerance", self.tolerance, above=0, below=1))
        object.__setattr__(self, "max_sweeps", integer("max_sweeps", self.max_sweeps, least=1))


def solve_fields(
    device: Device, problem: Problem, pairing: Pairing | None, mu0: float | None, *, rule: SumRule, scale: float,
    options: FieldOptions, common: dict[str, Any],
) -> Equilibrium:  # fmt: skip
    """Find the gap, and with a coupling mu0 the induced potential, of a device; `common` goes into the result."""
    temperature = common["temperature"]
    begun: list[Start | None] = []
    if pairing is not None:
        problem = _first_guess(device, problem, pairing, rule, scale, temperature, options, begun)
    nodes, weights = common["frequencies"], common["weights"]
    consistency = _problem(device, problem, pairing, mu0, nodes, weights, temperature, scale, options)

    def result(sweeps: tuple[Iteration, ...], saddles: int | None = None) -> Equilibrium:
        return Equilibrium(
            device=device if pairing is None else with_found_gap(device, consistency.problem),
            problem=consistency.problem, sweeps=sweeps, pairing=pairing, induced=consistency.induced,
            dofs=consistency.dofs, saddles=saddles, cutoff_error=consistency.cutoff_error(common["cutoff"]),
            **consistency.team.result(), **common,
        )  # fmt: skip

    try:
        ask = _normal_mode(device, problem, rule, temperature, options)
        sweeps = _converge(consistency, options, ask=ask, begun=lambda: begun.append(_start(consistency)))
        found = result(*_certified(consistency, options, sweeps)) if options.certify else result(sweeps)
    except SolveError as error:
        if consistency.team.reports:
            error.best = result(())
        raise
    finally:
        consistency.team.release()
    if rule.ends_by_default:
        warn_of_cutoff(found.cutoff_error, found.cutoff)
    warn_of_states(found.problem, found.riccati, found.report)
    if begun[0] is not None:
        cores = options.initial.cores if isinstance(options.initial, Vortices) else ()
        begun[0].compare(found.problem, found.riccati[0], cores)
    return found


def _start(consistency: SelfConsistency) -> Start | None:
    return start_of(consistency.problem, consistency.pairing, consistency.team.states[0])


def _given(device: Device, problem: Problem) -> NDArray[np.bool_]:
    """Cells whose gap is not an unknown."""
    given = np.ones(problem.space.mesh.nelements, bool)
    for region, material in device.conductors.items():
        given[problem.space.mesh.subdomains[region]] = not material.self_consistent
    return given


def _normal_mode(
    device: Device, problem: Problem, rule: SumRule, temperature: float, options: FieldOptions
) -> Callable[[], Mode] | None:  # fmt: skip
    """How to find the lowest mode of the normal state, None where sources keep the device superconducting."""
    if superconducting_contacts(problem) or problem.gap[_given(device, problem)].any():
        return None
    return lambda: lowest_mode(
        device, temperature, order=problem.space.order, linear_solver=options.linear_solver, workers=options.workers,
        quadrature=rule.quadrature, frequencies=rule.frequencies, cutoff=rule.cutoff, cutoff_index=rule.cutoff_index,
    )  # fmt: skip


def _problem(
    device: Device, problem: Problem, pairing: Pairing | None, mu0: float | None, nodes: Real, weights: Real,
    temperature: float, scale: float, options: FieldOptions,
) -> SelfConsistency:  # fmt: skip
    induced = build_induced(device, problem, mu0) if mu0 is not None else None
    team = frequency_team(
        problem, nodes, weights, scale=scale, kind=options.linear_solver, workers=options.workers, keep=True,
        terms=Terms(pairing, induced),
    )  # fmt: skip
    consistency = SelfConsistency(problem, team, pairing, induced, temperature, scale)
    if pairing is not None:
        consistency.unit = zero_temperature_gap(pairing)
    old = options.initial
    if induced is not None and isinstance(old, Equilibrium) and len(old.dofs) == len(consistency.dofs):
        consistency.dofs = old.dofs
        consistency.problem = induced.with_potential(problem, old.dofs)
    return consistency


def _first_guess(
    device: Device, problem: Problem, pairing: Pairing, rule: SumRule, scale: float, temperature: float,
    options: FieldOptions, begun: list[Start | None],
) -> Problem:  # fmt: skip
    """The problem with a gap to start from: the given one, or that of a coarser problem started from it.

    `begun` gets the windings of the first states.
    """
    if isinstance(options.initial, Equilibrium):
        return pairing.with_gap(problem, turned_gap(device, options.initial.problem, problem, pairing))
    gap = initial_gap(device, problem, pairing, temperature, options.initial)
    start = pairing.with_gap(problem, gap)
    if not abs(gap).max():
        return start
    coarse, coarse_pairing = start, pairing
    if problem.space.order > 1:
        coarse = build_problem(device, 1, temperature=temperature, potential=bool(problem.coefficients.gauge.shape[2]))
        coarse_pairing = build_pairing(device, coarse) or pairing
        first = initial_gap(device, coarse, coarse_pairing, temperature, options.initial)
        coarse = coarse_pairing.with_gap(coarse, first)
    nodes, weights = rule.nodes(temperature, scale, GUESS_PRECISION)
    guess = replace(options, tolerance=max(GUESS_TOLERANCE, options.tolerance), method="anderson", max_sweeps=60)
    consistency = _problem(device, coarse, coarse_pairing, None, nodes, weights, temperature, scale, guess)
    try:
        _converge(consistency, guess, polish=False, begun=lambda: begun.append(_start(consistency)))
    except SolveError:
        return start
    finally:
        consistency.team.release()
    return pairing.with_gap(problem, _refined(consistency.problem, coarse_pairing, problem, pairing))


def _refined(coarse: Problem, coarse_pairing: Pairing, problem: Problem, pairing: Pairing) -> Complex:
    """The gap of a coarser space of the same mesh at the points of a finer one, through its nodal recovery."""
    gap = coarse_pairing.gap_of(coarse)
    if coarse.space.order == problem.space.order:
        return gap
    whole = np.zeros(coarse.space.dx.shape, complex)
    whole[coarse_pairing.chosen] = gap
    regions = tuple(
        name for name, own in coarse.space.mesh.subdomains.items() if np.isin(own, coarse_pairing.chosen).any()
    )
    values = recover(coarse.space, whole, regions).values[pairing.chosen]
    phi = basis_values(coarse.space.basis.elem, problem.space.basis.X)
    return np.asarray(np.einsum("ci,iq->cq", values, phi))


def _converge(
    consistency: SelfConsistency, options: FieldOptions, *, polish: bool = True, ask: Callable[[], Mode] | None = None,
    begun: Callable[[], object] = int,
) -> tuple[Iteration, ...]:  # fmt: skip
    """Iterate until the fields are consistent with states of full accuracy; returns the history.

    `ask` gives the lowest mode of the normal state of a device without superconducting sources. Where the gap has
    become small, it decides whether the gap has to vanish, or starts it anew along that mode. `begun` is called with
    the first states. A method that gets nowhere gives way to another one.
    """
    history: list[Iteration] = []
    best = Best()
    method, unstable = options.method, False
    consistency.start(RESTART_ACCURACY if isinstance(options.initial, Equilibrium) else FIRST_ACCURACY)
    begun()
    sweeps = METHODS[method](consistency, options.tolerance)
    with progress_bar(None, "sweeps", options.progress) as bar:
        while True:
            sweep = next(sweeps)
            history.append(sweep)
            bar.update()
            bar.set_postfix(residual=f"{sweep.residual:.1e}")
            best.see(consistency, sweep, len(history))
            if ask is not None and 0 < sweep.largest < SUSPICIOUS:
                eigenvalue, mode = ask()
                ask, unstable = None, eigenvalue <= 0
                if not unstable:
                    return (*history, consistency.set_normal(sweep.number))
                seed = as_real(SEED * consistency.unit * mode / abs(mode).max())
                consistency.place(np.concatenate([seed, consistency.dofs]))
                consistency.start(FIRST_ACCURACY)
                sweeps = METHODS[method](consistency, options.tolerance)
            elif sweep.residual <= options.tolerance and not (unstable and sweep.largest < SUSPICIOUS):
                if not polish:
                    return tuple(history)
                consistency.settle(ERROR_TOLERANCE)
                residual = consistency.residual()
                phases = consistency.island_step(residual)
                last = consistency.measure(sweep.number, residual, consistency.potential_step(), phases)
                if last.residual <= options.tolerance:
                    return (*history, last)
            if len(history) >= options.max_sweeps or not np.isfinite(sweep.residual):
                break
            patience = WASTED if options.certify and method == "anderson" else STALLED
            if polish and best.stalls(len(history), patience) and can_descend(consistency):
                method = OTHER[method]
                best.resume(consistency, FIRST_ACCURACY, len(history))
                sweeps = METHODS[method](consistency, options.tolerance)
    best.restore(consistency)
    raise _unconverged(consistency, best, history)


def _certified(
    consistency: SelfConsistency, options: FieldOptions, sweeps: tuple[Iteration, ...]
) -> tuple[tuple[Iteration, ...], int]:  # fmt: skip
    """From solution to solution down the free energy, until one is a minimum: all sweeps, and how many came first.

    Raises
    ------
    SolveError
        If there are more than SADDLES on the way, or a solution below one is not found.
    """
    method = "descent" if can_descend(consistency) else options.method
    for saddles in range(SADDLES):
        lowest = lowest_curvature(consistency, 1)
        if not lowest.negative:
            return sweeps, saddles
        leave_saddle(consistency, lowest)
        last = sweeps[-1].number
        more = _converge(consistency, replace(options, method=method))
        sweeps = (*sweeps, *(replace(sweep, number=last + sweep.number) for sweep in more))
    raise SolveError(
        f"certify: {SADDLES} solutions that were found one below the other are all saddles of the free energy. Try: "
        "certify=False, and uf.stability of what is found",
        frequency=float("nan"), residuals=tuple(sweep.residual for sweep in sweeps), state=consistency.gap,
    )  # fmt: skip


def _unconverged(consistency: SelfConsistency, best: Best, history: list[Iteration]) -> SolveError:
    residuals = ", ".join(f"{sweep.residual:.1e}" for sweep in history[-8:])
    return SolveError(
        f"the self-consistent fields did not converge in {len(history)} sweeps ({' and '.join(METHODS)} were tried "
        f"where they apply); last residuals: {residuals}; the best was {best.residual:.1e} in sweep {best.number}, "
        "whose state is in the attribute `best` of this error. Try: initial=error.best with more `max_sweeps`, a start "
        "with the phases or vortices of the solution that is looked for, or a smaller field or phase difference",
        frequency=float("nan"), residuals=tuple(sweep.residual for sweep in history), state=consistency.gap,
    )  # fmt: skip


def with_found_gap(device: Device, problem: Problem) -> Device:
    """The device with the gaps that were found, as values at the vertices."""
    gap, space = problem.gap, problem.space
    gaps = {}
    for region, material in device.conductors.items():
        if material.self_consistent:
            full = np.zeros(device.mesh.nvertices, complex)
            corners = recover(space, gap, (region,)).at_corners(region)
            full[device.sample_vertices] = space.at_vertices(corners, region)
            gaps[region] = full
    return device.with_gap(gaps)
