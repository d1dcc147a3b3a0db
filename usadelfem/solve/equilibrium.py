"""Thermal equilibrium: the nonlinear Usadel equation at the Matsubara frequencies of a temperature."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from numbers import Real as RealNumber
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..device.device import Device
from ..fem.spectral import Spectral, build_spectral, coarseness, energy_scale
from ..physics.riccati import largest_amplitude
from ..physics.thermal import gauss_count, gauss_sum, matsubara
from .linear import LinearSolver, linear_solver
from .newton import Clock, Outcome, newton
from .solution import Equilibrium
from .status import Report, SolveError

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# The quadrature resolves energies up to this multiple of the largest gap or exchange field. Measured on the current of
# SFS and SNS junctions: relative error 1e-7 or below, 1e-5 in links ten times shorter than the coherence length, whose
# summand falls off only above their Thouless energy.
GAUSS_RANGE = 10.0
# The plain sum runs up to this multiple; what it leaves out falls off like 1/w^2.
PLAIN_RANGE = 100.0
MAX_PLAIN = 10_000
MAX_CONTINUATION = 40
# A causal Riccati matrix has no singular value above 1; the spurious solutions of the equation are far above.
CAUSAL = 1.05


@dataclass(eq=False)
class _Path:
    """One way down from high to low frequencies: the system, its solver, and the last point that converged."""

    system: Spectral
    solver: LinearSolver | None  # None where every node is clamped
    scale: float
    clock: Clock = field(default_factory=Clock)
    w: float = np.inf
    known: list[tuple[float, Complex]] = field(default_factory=list)

    def attempt(self, w: float) -> Outcome:
        """Newton's method at w from what the last points that converged predict, then from the last one alone."""
        outcome = self._newton(w, self.known)
        if not outcome.converged and len(self.known) > 1:
            first, outcome = outcome, self._newton(w, self.known[-1:])
            outcome = replace(outcome, factorizations=first.factorizations + outcome.factorizations)
        if outcome.converged:
            self.w = w
            self.known = [*self.known[-2:], (self._amplitude(w), outcome.state)]
        return outcome

    def _newton(self, w: float, known: list[tuple[float, Complex]]) -> Outcome:
        start = self.system.clamp(w, self._predict(w, known))
        if self.solver is None:
            return Outcome(start, True, (0.0,), (), 0)
        outcome = newton(self.system, w, start, solver=self.solver, clock=self.clock)
        causal = self.system.linearized or largest_amplitude(outcome.state) <= CAUSAL
        if outcome.converged and not causal:
            reason = "the solution is not causal (a Riccati amplitude is above 1)"
            return replace(outcome, converged=False, reason=reason)
        return outcome

    def _amplitude(self, w: float) -> float:
        """Amplitude of a bulk superconductor up to a factor; 0 at infinite frequency, where every state is normal."""
        return float(1 / (w + np.hypot(w, self.scale)))

    def _predict(self, w: float, known: list[tuple[float, Complex]]) -> Complex:
        """The state at w, extrapolated from known points and zero as a polynomial in the bulk amplitude."""
        x, nodes = self._amplitude(w), self.system.space.nodes.shape[1]
        guess = np.zeros((nodes, 4), complex)
        points = [0.0, *(amplitude for amplitude, _ in known)]
        for own, state in known:
            guess += state * float(np.prod([(x - p) / (own - p) for p in points if p != own]))
        return guess


def _descend(path: _Path, w: float) -> tuple[Complex, Report]:
    """Solve at w, through intermediate frequencies above it where the direct way fails."""
    targets, iterations, extra = [w], 0, 0
    while targets:
        outcome = path.attempt(targets[-1])
        iterations += outcome.factorizations
        if outcome.converged:
            targets.pop()
            continue
        extra += 1
        higher = 4 * (targets[-1] + path.scale) if np.isinf(path.w) else np.sqrt(path.w * targets[-1])
        if extra > MAX_CONTINUATION or higher < targets[-1] * (1 + 1e-4):
            raise _failure(targets[-1], outcome, coarseness(path.system, targets[-1]))
        targets.append(higher)
    return outcome.state, Report(w, True, iterations, outcome.residuals, outcome.steps, extra)


def _failure(w: float, outcome: Outcome, coarse: float) -> SolveError:
    history = ", ".join(f"{r:.1e}" for r in outcome.residuals)
    if coarse > 2:
        advice = f"the largest cells are {coarse:.2g} times the decay length sqrt(D/|w + i h|) there: refine the mesh"
    else:
        advice = "a finer mesh where the solution varies, a higher temperature to start from, or order=1"
    what = f"no convergence at Matsubara frequency {w:.6g}: {outcome.reason}"
    return SolveError(
        f"{what}; relative residuals: {history}. Try: {advice}",
        frequency=w, residuals=outcome.residuals, state=outcome.state,
    )  # fmt: skip


def _frequencies(
    temperature: float, scale: float, quadrature: str, frequencies: int | None, cutoff: float | None
) -> tuple[Real, Real]:
    if quadrature == "gauss":
        energy = cutoff or GAUSS_RANGE * max(scale, temperature)
        count = frequencies or gauss_count(float(f"{energy / temperature:.3g}"))
        nodes, weights = gauss_sum(count)
        return np.pi * temperature * nodes, weights
    energy = cutoff or PLAIN_RANGE * max(scale, temperature)
    count = frequencies or max(1, round(energy / (2 * np.pi * temperature)))
    if count > MAX_PLAIN:
        raise ValueError(
            f"the plain sum up to {energy:.3g} has {count} frequencies, more than {MAX_PLAIN}; use quadrature='gauss', "
            "or lower `cutoff` or `frequencies`"
        )
    return matsubara(temperature, count)


def _check_arguments(device: Any, temperature: Any, quadrature: str, frequencies: Any, cutoff: Any) -> None:
    if not isinstance(device, Device):
        raise TypeError(f"device is {device!r}; allowed is a usadelfem.Device")
    if not isinstance(temperature, RealNumber) or not 0 < float(temperature) < np.inf:
        raise ValueError(f"temperature is {temperature!r}; allowed is a finite number > 0")
    if quadrature not in ("gauss", "plain"):
        raise ValueError(f"quadrature is {quadrature!r}; allowed are 'gauss' and 'plain'")
    if frequencies is not None and (not isinstance(frequencies, int | np.integer) or frequencies < 1):
        raise ValueError(f"frequencies is {frequencies!r}; allowed is an integer >= 1, or None")
    if cutoff is not None and not 0 < cutoff < np.inf:
        raise ValueError(f"cutoff is {cutoff!r}; allowed is a finite energy > 0, or None")


def solve_equilibrium(
    device: Device, temperature: float, *, order: int = 2, quadrature: str = "gauss", frequencies: int | None = None,
    cutoff: float | None = None, linearized: bool = False, linear_solver: str = "auto", progress: bool | None = None,
) -> Equilibrium:  # fmt: skip
    """Solve the Usadel equation in thermal equilibrium, the full nonlinear one or its linearisation.

    All spin components, exact Newton steps, frequencies from high to low, each started from an extrapolation of
    those above it; where Newton's method fails, intermediate frequencies are inserted.

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
        ("plain") times the largest gap or exchange field of the device.
    linearized
        Solve the weak-proximity equation instead (theory, section on the linearised equation): linear in the pair
        amplitudes, with normal metal as the background; the leading order where all amplitudes are small, one linear
        solve per frequency. Observables of the result are expanded to the same order.
    linear_solver
        "auto", "pardiso" (MKL) or "superlu" (SciPy, always there).
    progress
        Show a progress bar; None: on a terminal, for runs longer than a second.

    Returns
    -------
    Equilibrium
        Frozen result; observables are functions of it.

    Raises
    ------
    SolveError
        If a frequency does not converge; it names the frequency and holds the residual history and the last iterate.
    ValueError
        If an argument is out of range.
    DeviceError
        If a contact is not a Reservoir, or a coefficient is out of range at a quadrature point.
    """
    _check_arguments(device, temperature, quadrature, frequencies, cutoff)
    system = build_spectral(device, order, linearized=bool(linearized), temperature=float(temperature))
    scale = energy_scale(system)
    nodes, weights = _frequencies(float(temperature), scale, quadrature, frequencies, cutoff)
    path = _Path(system, _solver_for(system, linear_solver), scale)
    states = np.empty((len(nodes), system.space.nodes.shape[1], 4), complex)
    reports: list[Report] = []
    for index in _progress(range(len(nodes) - 1, -1, -1), progress):
        states[index], report = _descend(path, float(nodes[index]))
        reports.append(report)
    if path.solver is not None:
        path.solver.release()
    for array in (states, nodes, weights):
        array.flags.writeable = False
    return Equilibrium(
        device=device, temperature=float(temperature), frequencies=nodes, weights=weights, riccati=states,
        report=tuple(reversed(reports)), system=system, clock=path.clock,
        solver=path.solver.name if path.solver else "none",
    )  # fmt: skip


def _solver_for(system: Spectral, kind: str) -> LinearSolver | None:
    pattern = system.pattern
    if not len(pattern.free):
        return None
    return linear_solver(pattern.indptr, pattern.indices, block=8, kind=kind, dtype=np.float64)


def _progress(indices: range, progress: bool | None) -> Any:
    disable = None if progress is None else not progress  # None: shown on a terminal only
    return tqdm(indices, desc="Matsubara frequencies", unit="", leave=False, delay=1.0, disable=disable)
