"""Thermal equilibrium: the nonlinear Usadel equation at the Matsubara frequencies of a temperature."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real as RealNumber
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..device.device import Device
from ..fem.pairing import Pairing, build_pairing, has_continuous_gap
from ..fem.recover import recover
from ..fem.spectral import Spectral, build_spectral, energy_scale
from ..physics.thermal import bcs_gap
from .gap import SMALL, GapEquation, Sweep, anderson_sweeps, newton_sweeps
from .initial import Initial, bulk_gaps, gap_from, initial_gap
from .matsubara import SumRule
from .newton import ERROR_TOLERANCE
from .solution import Equilibrium
from .status import SolveError
from .team import Team

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

METHODS = {"anderson": anderson_sweeps, "newton": newton_sweeps}
# Frequencies are first solved to this accuracy, with the first guess of the gap.
FIRST_ACCURACY = 1e-4


@dataclass(frozen=True)
class GapOptions:
    """How the gap equation is solved: see `solve_equilibrium`."""

    initial: Initial | Equilibrium = None
    method: str = "anderson"
    tolerance: float = 1e-8
    max_sweeps: int = 200

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}; allowed are {' and '.join(map(repr, METHODS))}")
        if not isinstance(self.tolerance, RealNumber) or not 0 < self.tolerance < 1:
            raise ValueError(f"tolerance is {self.tolerance!r}; allowed is a number between 0 and 1")
        if not isinstance(self.max_sweeps, int | np.integer) or self.max_sweeps < 1:
            raise ValueError(f"max_sweeps is {self.max_sweeps!r}; allowed is an integer >= 1")


def solve_equilibrium(
    device: Device, temperature: float, *, order: int = 2, quadrature: str = "gauss", frequencies: int | None = None,
    cutoff: float | None = None, cutoff_index: int | None = None, linearized: bool = False,
    initial: Initial | Equilibrium = None, method: str = "anderson", tolerance: float = 1e-8, max_sweeps: int = 200,
    linear_solver: str = "auto", threads: int = 1, progress: bool | None = None,
) -> Equilibrium:  # fmt: skip
    """Solve the Usadel equation in thermal equilibrium, the full nonlinear one or its linearisation.

    All spin components, exact Newton steps, frequencies from high to low, each started from an extrapolation of
    those above it; where Newton's method fails, intermediate frequencies are inserted. Where a material has `Tc` and no
    `gap`, the gap is found from the gap equation (theory, section on the free energy), modulus and phase.

    Parameters
    ----------
    device
        Mesh, materials and contacts.
    temperature
        Temperature, energy (k_B = 1); positive.
    order
        Order of the Lagrange elements: 2 (default, an error that falls like h^3) or 1 (h^2).
    quadrature
        "gauss": Gaussian quadrature for Matsubara sums (Monien 2010), a dozen or two frequencies; "plain": the lowest
        frequencies (2n+1) pi T themselves, with unit weights.
    frequencies
        Number of positive frequencies; None: as many as `cutoff` asks for.
    cutoff
        Energy that the sum has to resolve ("gauss") or up to which it runs ("plain"). None: 10 ("gauss") or 100
        ("plain") times the largest gap or exchange field of the device. Where a self-consistent gap jumps at a
        transparent contact (S/N, S/F, two Tc) the gap equation converges only logarithmically, and every sum ends at
        the cut-off, also that of "gauss", which then is the quadrature of the sum that ends; None: 100 times.
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
        linear equations are solved iteratively, one triangular solve per frequency and iteration.
    tolerance
        Largest residual of the gap equation in units of the largest bulk gap.
    max_sweeps
        Largest number of sweeps over all frequencies.
    linear_solver
        "auto", "pardiso" (MKL) or "superlu" (SciPy, always there).
    threads
        Number of frequencies that are solved at the same time; they share the mesh and its tables.
    progress
        Show a progress bar; None: on a terminal, for runs longer than a second.

    Returns
    -------
    Equilibrium
        Frozen result; observables are functions of it. `device` carries the gap that was found, `sweeps` how.

    Raises
    ------
    SolveError
        If a frequency does not converge; it names the frequency and holds the residual history and the last iterate.
        If the gap does not converge in `max_sweeps`; it holds the history.
    ValueError
        If an argument is out of range.
    DeviceError
        If a contact is not a Reservoir, or a coefficient is out of range at a quadrature point.
    """
    _check_arguments(device, temperature)
    options = GapOptions(initial, method, tolerance, max_sweeps)
    rule = SumRule(quadrature, frequencies, cutoff, cutoff_index)
    temperature = float(temperature)
    system = build_spectral(device, order, linearized=bool(linearized), temperature=temperature)
    pairing = build_pairing(device, system)
    if pairing is not None and linearized:
        raise ValueError("linearized=True needs given gaps, but a material has Tc and no gap; give gap=...")
    scale = energy_scale(system)
    if pairing is not None:
        scale = max(scale, float(np.exp(pairing.log_tc.max())) * np.pi / np.exp(np.euler_gamma))
        rule = SumRule(quadrature, frequencies, cutoff, cutoff_index, cut=not _sum_converges(device, system, temperature))
    nodes, weights = rule.nodes(temperature, scale)
    team = Team(
        system, nodes, weights, scale=scale, kind=linear_solver, threads=_checked_threads(threads),
        keep=pairing is not None,
    )  # fmt: skip
    sweeps: tuple[Sweep, ...] = ()
    try:
        if pairing is None:
            with _progress(len(nodes), "Matsubara frequencies", progress) as bar:
                team.descend(system, step=bar.update)
        else:
            gap = _first_gap(device, system, pairing, temperature, initial)
            equation = GapEquation(pairing, pairing.with_gap(system, gap), team, temperature, _unit(pairing))
            sweeps = _converge(device, equation, options, progress)
            system = equation.system
    finally:
        team.release()
    for array in (team.states, nodes, weights):
        array.flags.writeable = False
    return Equilibrium(
        device=device if pairing is None else _with_gap(device, system), temperature=temperature, frequencies=nodes,
        weights=weights, riccati=team.states, report=team.reports, system=system, clock=team.clock, solver=team.solver,
        sweeps=sweeps, pairing=pairing,
    )  # fmt: skip


def _check_arguments(device: Any, temperature: Any) -> None:
    if not isinstance(device, Device):
        raise TypeError(f"device is {device!r}; allowed is a usadelfem.Device")
    if not isinstance(temperature, RealNumber) or not 0 < float(temperature) < np.inf:
        raise ValueError(f"temperature is {temperature!r}; allowed is a finite number > 0")


def _checked_threads(threads: Any) -> int:
    if not isinstance(threads, int | np.integer) or threads < 1:
        raise ValueError(f"threads is {threads!r}; allowed is an integer >= 1")
    return int(threads)


def _sum_converges(device: Device, system: Spectral, temperature: float) -> bool:
    """Whether the summand of the gap equation falls off fast enough: the gap jumps at no transparent contact."""
    bulk = {
        region: bcs_gap(temperature, float(material.Tc))  # type: ignore[arg-type]
        for region, material in device.conductors.items()
        if material.self_consistent and not callable(material.Tc) and np.ndim(material.Tc) == 0  # type: ignore[arg-type]
    }
    return has_continuous_gap(device, system, bulk)


def _first_gap(
    device: Device, system: Spectral, pairing: Pairing, temperature: float, initial: Initial | Equilibrium
) -> Complex:  # fmt: skip
    if isinstance(initial, Equilibrium):
        return gap_from(initial.system, system, pairing)
    return initial_gap(device, system, pairing, temperature, initial)


def _unit(pairing: Pairing) -> float:
    """The largest bulk gap at zero temperature."""
    return float(np.exp(pairing.log_tc.max())) * np.pi / np.exp(np.euler_gamma)


def _converge(
    device: Device, equation: GapEquation, options: GapOptions, progress: bool | None
) -> tuple[Sweep, ...]:  # fmt: skip
    """Iterate until the gap equation holds with states of full accuracy; returns the history."""
    history: list[Sweep] = []
    with _progress(None, "sweeps", progress) as bar:
        equation.team.descend(equation.system, FIRST_ACCURACY)
        for sweep in METHODS[options.method](equation, options.tolerance):
            history.append(sweep)
            bar.update()
            bar.set_postfix(residual=f"{sweep.residual:.1e}")
            if sweep.residual <= options.tolerance:
                equation.team.update(equation.system, ERROR_TOLERANCE)
                last = equation.measure(sweep.number, equation.residual())
                if last.residual <= options.tolerance:
                    history.append(last)
                    return tuple(history)
            if sweep.number >= options.max_sweeps or not np.isfinite(sweep.residual):
                break
    residuals = ", ".join(f"{sweep.residual:.1e}" for sweep in history[-8:])
    raise SolveError(
        f"the gap equation did not converge in {history[-1].number} sweeps; last residuals: {residuals}. Try: another "
        f"`initial`, method={'newton' if options.method == 'anderson' else 'anderson'!r}, or a larger `max_sweeps`",
        frequency=float("nan"), residuals=tuple(sweep.residual for sweep in history), state=equation.gap,
    )  # fmt: skip


def _with_gap(device: Device, system: Spectral) -> Device:
    """The device with the gaps that were found, as values at the vertices."""
    from ..physics import functional as column

    table, space = system.coefficients.table, system.space
    gap = table[..., column.GAP_RE] + 1j * table[..., column.GAP_IM]
    regions = tuple(name for name, material in device.conductors.items() if material.self_consistent)
    gaps = {}
    for region in regions:
        values = recover(space, gap, (region,)).at_corners()
        full = np.zeros(device.mesh.nvertices, complex)
        full[device.sample_vertices] = np.nan_to_num(space.at_vertices(values))
        gaps[region] = full
    return device.with_gap(gaps)


def _progress(total: int | None, what: str, progress: bool | None) -> Any:
    disable = None if progress is None else not progress  # None: shown on a terminal only
    return tqdm(total=total, desc=what, unit="", leave=False, delay=1.0, disable=disable)
