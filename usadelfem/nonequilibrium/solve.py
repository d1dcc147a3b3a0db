"""Stationary states out of equilibrium: the kinetic equation on top of the retarded solution."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import choice, named, number
from ..device.device import Device
from ..device.doors import natural_energies, natural_temperature
from ..diagnostics.units import warn_units
from ..errors import DeviceError, warn
from ..fem.gap_equation import Pairing, build_pairing, needed_cut, zero_temperature_gap
from ..fem.problem import Problem, build_problem, energy_scale
from ..fem.sector import SECTORS
from ..numerics.report import Iteration
from ..parallel.engines import Workers, checked_workers
from ..parallel.rehearsal import begin_solve
from ..parallel.tasks import progress_bar
from ..points.energy_choice import checked_energies, energy_interval, positive_energy
from ..points.panels import Panels
from ..points.sum_rule import SumRule
from ..points.sums import Terms
from ..points.team import Team
from ..points.team_remote import frequency_team
from ..solve.arguments import check_initial, check_settings, natural_device
from ..solve.equilibrium import given_gaps
from ..solve.field_guess import Initial, gap_from, initial_gap
from ..solve.field_solve import FIRST_ACCURACY, FieldOptions, with_found_gap
from ..solve.results import Equilibrium
from ..solve.unresolved import warn_unresolved, warn_unresolved_spectrum
from .bias import Bias, read_biases, wanted_columns
from .collisions import scatters
from .energies import Plan
from .gap import Drive, DrivenConsistency, at_rest, find_gap
from .responses import Responses
from .result import Nonequilibrium

Real = NDArray[np.float64]

SOURCE = 1e-3  # of the largest current, that a given gap may take up without a word

Start = Initial | Equilibrium | Nonequilibrium


@named()
def solve_nonequilibrium(
    device: Device, *, temperature: float | None = None, energies: ArrayLike | str = "adaptive",
    broadening: float = 1e-3, tolerance: float = 1e-6, energy_range: tuple[float, float] | None = None,
    initial: Start = None, max_sweeps: int = 300, order: int = 2, sector: str = "auto", linear_solver: str = "auto",
    workers: Workers | None = None, progress: bool | None = None,
) -> Nonequilibrium:  # fmt: skip
    """Solve for the stationary state of a device whose reservoirs differ in voltage, temperature or spin bias.

    At every energy the nonlinear retarded equation, then the kinetic equation for the 8 modes of the distribution
    function (2 or 4 in smaller spin sectors), with all couplings of the equilibrium: exchange fields, scattering, gauge
    fields, theta, kappa and their torques, and every interface (theory, section on the kinetic equation). Only the
    deviation from equilibrium is solved for, so that equilibrium stays exact; the response to each reservoir is kept,
    so that other voltages need no further solve (`Nonequilibrium.with_bias`) while the gap is given.

    Where a material has `Tc` and no `gap`, the gap is found from the gap equation with the distribution at this bias,
    modulus and phase; it is a stable state, to which the relaxation of the gap leads back from a slightly different
    one. Without a superconducting reservoir the voltage of its condensate is found as well, as the one at
    which no current flows into it. Several stationary states may exist: `initial` chooses.

    Parameters
    ----------
    device
        Mesh, materials and contacts; every contact is a `Reservoir` with its `voltage`, `temperature` and `spin_bias`.
        Superconducting reservoirs have the same voltage. `voltage=FLOATING`: a probe into which no charge flows.
    temperature
        Temperature (k_B = 1) of the reservoirs that have none of their own; positive.
    energies
        "adaptive": chosen so that all currents at contacts are resolved; or energies >= 0 relative to the condensate,
        shape (energies,), between which the spectral functions are taken to be linear.
    broadening
        Dynes broadening Gamma of the spectra, energy; positive. It relaxes neither charge nor energy.
    tolerance
        For "adaptive": largest error of the currents at a contact, relative to the largest of them there. For an
        unknown gap: largest residual of its equation in units of the largest bulk gap; once it is reached, and
        where the gap has shrunk to a third, energies are chosen anew; up to ten times as much is left with these.
    energy_range
        For "adaptive": lowest and highest energy. None: from 0 to 25 temperatures beyond the largest voltage; give a
        larger one to go on to larger voltages.
    initial
        Where an unknown gap starts: None, that of equilibrium; a number, a callable f(x), `vortices([...])`, or the
        Nonequilibrium or Equilibrium of a similar device.
    max_sweeps
        Largest number of sweeps over all frequencies and energies for an unknown gap.
    order, sector, linear_solver, workers, progress
        As in `solve_equilibrium`. The kinetic equation itself is solved in this process.

    Returns
    -------
    Nonequilibrium
        Frozen result; observables are functions of it.

    Raises
    ------
    DeviceError
        If a contact is no Reservoir, superconducting reservoirs have different voltages or a spin bias across their
        exchange field, contacts with different biases touch, or a part has no reservoir.
    SolveError
        If an energy or the gap is not found, the kinetic equation is singular, or floating voltages do not exist.
    ValueError, TypeError
        If an argument is out of range.

    Warns
    -----
    UserWarning
        If energies leave out part of an occupation, integrals are not resolved, or a given gap breaks the conservation
        of charge (`charge_source`).
    """
    device = natural_device(device)
    given, temperature = temperature, natural_temperature(device, temperature)
    own = {"energies": energies, "broadening": broadening, "energy_range": energy_range}
    energies, broadening, energy_range = natural_energies(device, **own)
    check_settings(order=order, linear_solver=linear_solver, progress=progress)
    choice("sector", sector, SECTORS)
    broadening = positive_energy("broadening", broadening, None)
    tolerance = number("tolerance", tolerance, above=0, below=1)
    workers = checked_workers(workers)
    chosen = _checked(energies, energy_range)
    start = initial.equilibrium if isinstance(initial, Nonequilibrium) else initial
    check_initial(device, start)
    again = partial(
        solve_nonequilibrium, temperature=given, energies="adaptive" if chosen is None else chosen,
        broadening=broadening, tolerance=tolerance, energy_range=energy_range, max_sweeps=max_sweeps, order=order,
        sector=sector, linear_solver=linear_solver,
    )  # fmt: skip
    options = FieldOptions(start, "anderson", tolerance, max_sweeps, linear_solver, workers, progress)
    begin_solve(device, temperature, order)
    problem = build_problem(device, order, temperature=temperature, sector=sector, biased=True)
    biases, floating, condensate = read_biases(device, problem.electrodes, temperature)
    _check_shared(problem, biases, floating)
    warn_units(device, problem, temperature)
    plan = Plan(
        device, temperature, broadening, tolerance, energy_range, chosen, Responses(problem, linear_solver), biases,
        floating, condensate, options,
    )  # fmt: skip
    pairing = build_pairing(device, problem)
    _check_number(chosen, pairing is not None or scatters(problem))
    if pairing is not None:
        found = _with_gap(plan, problem, pairing)
        eq = found.equilibrium
        warn_unresolved(found.problem, eq.frequencies, eq.weights, eq.riccati)
        return _examined(replace(found, again=again))
    if initial is not None:
        raise ValueError("initial belongs to an unknown gap; all gaps of this device are given")
    eq = given_gaps(device, problem, temperature, linear_solver=linear_solver, workers=workers, progress=progress)
    solved, panels = plan.energies(problem, biases)
    solved.team.release()
    found = solved.result(plan, eq, panels, biases, condensate)._balanced()
    found = found.with_scattering() if scatters(problem) else found
    if chosen is None:
        _warn_of_source(found)
    return _examined(replace(found, again=again))


def _examined(neq: Nonequilibrium) -> Nonequilibrium:
    """The result, after warnings of spectra that the mesh does not resolve."""
    spectrum = neq.spectrum
    warn_unresolved_spectrum(neq.problem, spectrum.energies, spectrum.broadening, spectrum.states)
    return neq


def _warn_of_source(neq: Nonequilibrium) -> None:
    """Warn where a given gap takes up charge that the deviations from equilibrium bring."""
    if not neq.is_driven or not np.any(neq.problem.gap):
        return
    charge = neq.integral()[:, neq.kinetic.modes // 2]
    if abs(charge.sum()) > SOURCE * abs(charge).max():
        warn(
            f"charge is not conserved: of the currents into contacts, the largest {abs(charge).max():.3g}, the sum "
            f"{charge.sum():.3g} ends in the condensate, whose gap is given and not that of its own equation. Give Tc "
            "in place of gap, or see charge_source(result) for where it happens"
        )


def _check_number(energies: Real | None, integrates: bool) -> None:
    if energies is not None and len(energies) < 2 and integrates:
        raise ValueError("energies has one value; an unknown gap and inelastic scattering need integrals: give more")


def _checked(energies: Any, energy_range: Any) -> Real | None:
    """Given energies >= 0, at least two; None for adaptive ones."""
    if isinstance(energies, str):
        choice("energies", energies, ("adaptive",))
        if energy_range is not None and energy_interval(energy_range, 1.0)[0] < 0:
            raise ValueError("energy_range begins below 0; negative energies follow from positive ones by symmetry")
        return None
    if energy_range is not None:
        raise ValueError("energy_range belongs to energies='adaptive'")
    chosen = checked_energies(energies)
    if chosen[0] < 0:
        raise ValueError(
            f"energies begin at {chosen[0]:g}; allowed are energies >= 0, those below follow from them by symmetry"
        )
    return chosen


def _check_shared(problem: Problem, biases: dict[str, Bias], floating: tuple[str, ...]) -> None:
    """Contacts that touch have the same bias."""
    names = list(biases)
    for n, first in enumerate(names):
        for second in names[n + 1 :]:
            both = np.intersect1d(problem.electrodes[first].nodes, problem.electrodes[second].nodes)
            floats = first in floating or second in floating
            if len(both) and (floats or biases[first] != biases[second]):
                raise DeviceError(
                    f"contacts {first!r} and {second!r} touch at {len(both)} nodes but have different voltage, "
                    "temperature or spin bias there; separate them"
                )


def _with_gap(plan: Plan, problem: Problem, pairing: Pairing) -> Nonequilibrium:
    """The state with an unknown gap."""
    options, unit = plan.options, zero_temperature_gap(pairing)
    rule, scale = SumRule(cut=needed_cut(plan.device, problem, plan.temperature)), max(energy_scale(problem), unit)
    nodes, weights = rule.nodes(plan.temperature, scale)
    common: dict[str, Any] = {
        "temperature": plan.temperature, "frequencies": nodes, "weights": weights,
        "cutoff": rule.end(plan.temperature, scale),
    }  # fmt: skip
    if isinstance(options.initial, Equilibrium):
        gap = gap_from(options.initial.problem, problem, pairing)
    else:
        gap = initial_gap(plan.device, problem, pairing, plan.temperature, options.initial)
    team = frequency_team(
        problem, nodes, weights, scale=scale, kind=options.linear_solver, workers=options.workers, keep=True,
        terms=Terms(pairing, None),
    )  # fmt: skip
    consistency = DrivenConsistency(pairing.with_gap(problem, gap), team, pairing, None, plan.temperature, unit)
    try:
        sweeps, drive = _iterated(plan, consistency)
    finally:
        team.release()
    device = with_found_gap(plan.device, consistency.problem)
    eq = Equilibrium(
        device=device, problem=consistency.problem, pairing=pairing, sweeps=sweeps,
        cutoff_error=consistency.cutoff_error(common["cutoff"]), **team.result(), **common,
    )  # fmt: skip
    return drive.result(device, eq, options.linear_solver)


def _iterated(plan: Plan, consistency: DrivenConsistency) -> tuple[tuple[Iteration, ...], Drive]:
    """Find the gap; returns the history, and the distribution at the end."""
    problem, pairing, options = consistency.problem, consistency.pairing, plan.options
    assert pairing is not None
    given = np.ones(len(problem.gap), bool)
    given[pairing.chosen] = False
    held = any(abs(own.gap).any() for own in problem.electrodes.values()) or bool(abs(problem.gap[given]).any())
    drive = Drive(
        plan.responses, plan.biases, plan.floating, not held, plan.temperature, plan.broadening,
        wanted_columns(problem, plan.biases), plan.condensate,
    )  # fmt: skip
    with progress_bar(None, "sweeps", options.progress) as bar:

        def advance(sweep: Iteration) -> None:
            bar.update()
            bar.set_postfix(residual=f"{sweep.residual:.1e}")

        try:
            consistency.start(FIRST_ACCURACY)
            if options.initial is None:
                at_rest(consistency, advance)
            consistency.drive = drive
            chosen = partial(_chosen, plan, drive)
            return find_gap(consistency, chosen, options.tolerance, options.max_sweeps, advance), drive
        finally:
            if drive.team is not None:
                drive.team.release()


def _chosen(plan: Plan, drive: Drive, problem: Problem) -> tuple[Team, Panels]:
    """A team with the energies that a problem needs, and its panels."""
    solved, panels = plan.energies(problem, drive.relative)
    solved.team.release()
    energies = solved.energies_of(panels)
    team = plan.team(problem, keep=True)
    team.known = [(energy, solved.states[energy]) for energy in energies.tolist()]
    team.turn(energies)
    return team, panels
