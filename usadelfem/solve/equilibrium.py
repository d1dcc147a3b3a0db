"""Thermal equilibrium: the nonlinear Usadel equation at the Matsubara frequencies of a temperature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, flag, named
from ..device.contact import current_biased
from ..device.device import Device
from ..device.doors import natural_energies, natural_temperature
from ..device.later import asked
from ..diagnostics.quality import warn_of_states
from ..diagnostics.units import warn_units
from ..errors import warn
from ..fem.gap_equation import build_pairing, needed_cut, zero_temperature_gap
from ..fem.problem import Problem, build_problem, energy_scale
from ..fem.sector import SECTORS
from ..magnetics.coupling import coupling
from ..parallel.engines import Workers, checked_workers
from ..parallel.rehearsal import begin_solve
from ..parallel.tasks import progress_bar
from ..points.sum_rule import GAUSS_RANGE, MOST_RESOLVED, SumRule
from ..points.team_remote import frequency_team
from .arguments import check_initial, check_settings, natural_device
from .field_guess import Initial
from .field_solve import FieldOptions, solve_fields
from .results import Equilibrium
from .unresolved import warn_unresolved

Real = NDArray[np.float64]
Solve = TypeVar("Solve", bound=Callable[..., Equilibrium])

HIGHEST = 0.9  # energy up to which sums go, in units of the largest one that a quadrature resolves


def _at_currents(solve: Solve) -> Solve:
    """Decorator: where a reservoir has a current, its phase is found, by who knows derivatives of the solution."""

    @wraps(solve)
    def either(device: Device, temperature: float | None = None, **options: Any) -> Equilibrium:
        if isinstance(device, Device) and current_biased(device.contacts):
            found: Equilibrium = asked("current_bias")(device, temperature, options)
            return found
        return solve(device, temperature, **options)

    return either  # type: ignore[return-value]


@named()
@_at_currents
def solve_equilibrium(
    device: Device, temperature: float | None = None, *, order: int = 2, quadrature: str = "gauss",
    frequencies: int | None = None,
    cutoff: float | None = None, cutoff_index: int | None = None, linearized: bool = False,
    initial: Initial | Equilibrium = None, method: str = "anderson", tolerance: float = 1e-8, max_sweeps: int = 500,
    certify: bool = False, screening: bool = False,
    penetration_depth: float | Mapping[str, float] | None = None, linear_solver: str = "auto",
    workers: Workers | None = None, sector: str = "auto", progress: bool | None = None,
) -> Equilibrium:  # fmt: skip
    """Solve the Usadel equation in thermal equilibrium, the full nonlinear one or its linearisation.

    All spin components, exact Newton steps, frequencies from high to low, each started from an extrapolation of
    those above it; where Newton's method fails, intermediate frequencies are inserted. Where a material has `Tc` and no
    `gap`, the gap is found from the gap equation (theory, section on the free energy), modulus and phase. Where a
    reservoir has a `current`, its phase is found by Newton's method with the exact dI/dphi: the first one from its
    `phase` on at which the current flows and rises with the phase, continued along the branch of solutions.

    Parameters
    ----------
    device
        Mesh, materials and contacts.
    temperature
        Temperature, energy (k_B = 1) or in the units of the device; positive. None: that of the device.
    order
        Order of the Lagrange elements: 2 (default, an error that falls like h^3) or 1 (h^2).
    quadrature
        "gauss": Gaussian quadrature for Matsubara sums (Monien 2010), a dozen or two frequencies; "plain": the lowest
        frequencies (2n+1) pi T themselves, with unit weights.
    frequencies
        Number of positive frequencies; None: as many as `cutoff` asks for. Of a sum that ends at a cut-off ("gauss")
        the number of nodes, of any other a choice that takes the place of `cutoff`: give one of them.
    cutoff
        Energy that the sum has to resolve ("gauss") or up to which it runs ("plain"). None: 10 ("gauss") or 100
        ("plain") times the largest gap or exchange field of the device. Where a self-consistent gap jumps at a
        transparent contact (S/N, S/F, two Tc) the gap equation converges slowly, and every sum ends at the cut-off,
        also that of "gauss", which then is the quadrature of the sum that ends; None: 30 000 times, or 300 000 times
        the Thouless energy of the thinnest layer at the jump, which converges critical temperatures, gaps and currents
        to 1e-3 at the cost of ten more frequencies. The result says where its sum ends (`cutoff`) and what that costs
        (`cutoff_error`).
    cutoff_index
        The same cut-off as a number of positive frequencies; it ends every sum.
    linearized
        Solve the weak-proximity equation instead (theory, section on the linearised equation): linear in the pair
        amplitudes, with normal metal as the background; the leading order where all amplitudes are small, one linear
        solve per frequency. Observables of the result are expanded to the same order. Gaps must be given.
    initial
        Where the self-consistent gap starts: None, the bulk gap with the phases of the reservoirs; a number, a callable
        f(x), `vortices([...])`, or the Equilibrium of a similar device. Where several solutions exist, compare their
        `free_energy`. Without superconducting reservoirs, 0 stays in the normal state.
    method
        "anderson": sweeps over the frequencies with Anderson acceleration. "newton": Newton's method in the gap, whose
        linear equations are solved iteratively, one triangular solve per frequency and iteration. "descent": the same
        within a largest step, down the free energy: for vortices that have to move far, and windings that cannot stay;
        with screening gap and vector potential descend together, but where contacts of a plane carry currents.
    tolerance
        Largest residual of the gap equation in units of the largest bulk gap; with screening also the largest change of
        A that Ampere's law still asks for, times the coherence length.
    max_sweeps
        Largest number of sweeps over all frequencies.
    certify
        Whether to make sure that a self-consistent gap is a minimum of the free energy: where its second variation
        (`stability`), with screening in gap and vector potential together, has a negative direction, the solve follows
        it down and goes on, until there is none. `saddles` of the result counts the solutions that were left.
    screening
        Find the magnetic field of the supercurrents too: curl curl A = mu0 j, together with the gap. In 2D the sample
        is an infinite cylinder in the applied field, B is the applied field at its outer edge and uniform in holes; in
        3D the mesh needs a region of `vacuum()` around the sample.
    penetration_depth
        With screening: the bulk penetration depth at zero temperature, length, 1/lambda^2 = mu0 pi sigma Delta with
        sigma = 2 N0 D; of the only superconductor of the device, or {region: lambda}. In laboratory units it follows
        from D and N0 if it is not given.
    linear_solver
        "auto", "pardiso" (MKL), "pardiso-single" (factors in single precision, which "auto" takes for large systems),
        "superlu" (SciPy, always there), "multigrid" (an iteration, which "auto" takes for large meshes in three
        dimensions; it goes over to a direct solver where it stagnates), "petsc" or "petsc-iterative".
    workers
        Who works: a number of threads of this process, or any `concurrent.futures.Executor` that the frequencies are
        spread over. Threads share the mesh and its tables. A self-consistent solve exchanges states and fields with the
        workers of an executor at every sweep, which pays on large meshes; with many devices to solve, one per worker
        (`sweep`) is faster.
    sector
        "auto": solve only for the spin components that the device has: one where nothing depends on spin, two where all
        exchange fields, magnetisations and spin-orbit axes are parallel (theory, section on symmetries). "full": all.
    progress
        Show a progress bar; None: on a terminal, for runs longer than a second.

    Returns
    -------
    Equilibrium
        Frozen result; observables are functions of it. `device` carries the gap and the phase that were found,
        `sweeps` how. Derivatives of it are those at this phase.

    Raises
    ------
    SolveError
        If a frequency does not converge; it names the frequency and holds the residual history and the last iterate.
        If the gap does not converge in `max_sweeps`; it holds the history. If a current is beyond the largest one of
        the branch; it names that, and holds the solution next to it (`best`).
    ValueError
        If an argument is out of range.
    DeviceError
        If a contact is not a Reservoir, or a coefficient is out of range at a quadrature point.

    Warns
    -----
    ResolutionWarning
        If the solution changes over less than the cells of a region resolve; `check` and `error_estimate` tell more.
    UnitWarning
        If the temperature is above every Tc, a field beyond a flux quantum per cell, thinnest layer or decay length, or
        the device smaller than 1e-3 or larger than 1e3 decay lengths.
    UserWarning
        If what a sum leaves out beyond its default cut-off is noticeable, if the mesh, rounding in a stiff device or
        the range of kappa limit the result, or if the gap ended with other windings than it started with.
    """
    device = natural_device(device)
    temperature = natural_temperature(device, temperature)
    cutoff, initial = natural_energies(device, cutoff=cutoff, initial=initial)
    check_settings(order=order, linear_solver=linear_solver, progress=progress)
    flag("linearized", linearized), flag("screening", screening), flag("certify", certify)
    choice("sector", sector, SECTORS)
    workers = checked_workers(workers)
    check_initial(device, initial)
    options = FieldOptions(initial, method, tolerance, max_sweeps, linear_solver, workers, progress, certify)
    rule = SumRule(quadrature, frequencies, cutoff, cutoff_index)
    mu0 = coupling(device, screening, penetration_depth)
    begin_solve(device, temperature, order)
    problem = build_problem(
        device, order, linearized=bool(linearized), temperature=temperature, potential=mu0 is not None, sector=sector
    )
    warn_units(device, problem, temperature)
    pairing = build_pairing(device, problem)
    if linearized and (pairing is not None or mu0 is not None):
        raise ValueError("linearized=True needs given gaps and no screening: give gap=... instead of Tc=...")
    if initial is not None and pairing is None and mu0 is None:
        warn("initial has no effect: it is where an unknown gap starts, and all gaps of this device are given")
    if certify and pairing is None:
        raise ValueError("certify=True is about a gap that is to be found: give Tc=... instead of gap=...")
    scale = energy_scale(problem)
    if pairing is not None:
        scale = max(scale, zero_temperature_gap(pairing))
        rule = SumRule(
            quadrature, frequencies, cutoff, cutoff_index, cut=needed_cut(device, problem, temperature)
        )
    nodes, weights = rule.nodes(temperature, scale)
    common: dict[str, Any] = {
        "temperature": temperature, "frequencies": nodes, "weights": weights, "cutoff": rule.end(temperature, scale),
    }  # fmt: skip
    if pairing is not None or mu0 is not None:
        eq = solve_fields(device, problem, pairing, mu0, rule=rule, scale=scale, options=options, common=common)
        warn_unresolved(eq.problem, eq.frequencies, eq.weights, eq.riccati)
        return eq
    eq = _given(device, problem, scale, common, linear_solver=linear_solver, workers=workers, progress=progress)
    warn_unresolved(problem, eq.frequencies, eq.weights, eq.riccati)
    return eq


def given_gaps(
    device: Device, problem: Problem, temperature: float, *, linear_solver: str, workers: Workers, progress: bool | None
) -> Equilibrium:  # fmt: skip
    """The equilibrium of a problem whose gaps are all given, and whose spectra are examined elsewhere.

    Gaps of reservoirs may be so large that they stand for infinite ones; frequencies go as far as a quadrature can.

    Raises
    ------
    SolveError
        If a frequency does not converge.
    """
    scale = energy_scale(problem)
    rule = SumRule(cutoff=min(GAUSS_RANGE * scale, HIGHEST * MOST_RESOLVED * temperature) or None)
    nodes, weights = rule.nodes(temperature, scale)
    common = {
        "temperature": temperature, "frequencies": nodes, "weights": weights, "cutoff": rule.end(temperature, scale),
    }  # fmt: skip
    return _given(device, problem, scale, common, linear_solver=linear_solver, workers=workers, progress=progress)


def _given(
    device: Device, problem: Problem, scale: float, common: dict[str, Any], *, linear_solver: str, workers: Workers,
    progress: bool | None,
) -> Equilibrium:  # fmt: skip
    nodes, weights = common["frequencies"], common["weights"]
    with progress_bar(len(nodes), "Matsubara frequencies", progress) as bar:
        team = frequency_team(
            problem, nodes, weights, scale=scale, kind=linear_solver, workers=workers, step=bar.update
        )
        try:
            team.descend(problem)
            warn_of_states(problem, team.states, team.reports)
        finally:
            team.release()
    return Equilibrium(device=device, problem=problem, **team.result(), **common)
