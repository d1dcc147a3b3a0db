"""The pairing mode to which the normal state of a device is least stable.

The second variation of the free energy with respect to the gap at g = tau3 is the linear operator

    (L Delta)(r) = Delta [ln(T/Tc) + 2 pi T sum 1/w] + 2 pi T sum i f0[Delta],

f0[Delta] the linear response of the normal metal. Superconductivity sets in where its lowest eigenvalue passes zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from ..device.device import Device
from ..diagnostics.cutoff import LOOKED_AT, left_out, warn_of_cutoff
from ..errors import DeviceError, SolveError
from ..fem.gap_equation import Pairing, build_pairing, needed_cut, zero_temperature_gap
from ..fem.problem import Problem, build_problem, energy_scale
from ..parallel.engines import Workers, checked_workers
from ..parallel.rehearsal import begin_solve
from ..points.sum_rule import SumRule
from ..points.sums import Terms
from ..points.team import Team
from ..points.team_remote import frequency_team
from .arguments import check_settings

Complex = NDArray[np.complex128]
Mode = tuple[float, Complex]

# Residual of the eigenvector; the error of the eigenvalue is its square over the distance of the next one.
TOLERANCE = 1e-7
# A first look, which is enough where the normal state is stable beyond doubt.
LOOSE, CLEAR = 1e-4, 1.0
STEPS, RESTARTS = 60, 16
DENSE = 48  # unknowns up to which all products cost no more than a search
MIXED = 0.1  # part of noise in the vector that the search starts from
# Nodes, and numbers in their responses, up to which the responses of all of them cost no more than a search.
RESPONSES, NUMBERS = 120, 10_000_000


def lowest_mode(
    device: Device, temperature: float, start: Complex | None = None, *, order: int = 2, linear_solver: str = "auto",
    workers: Workers | None = None, **sums: Any,
) -> Mode:  # fmt: skip
    """The lowest eigenvalue and its gap at the quadrature points of the self-consistent regions; see `stability`."""
    check_settings(order=order, linear_solver=linear_solver)
    SumRule(**sums)
    workers = checked_workers(workers)
    begin_solve(device, temperature, order)
    problem, pairing, rule, scale = linear_gap_equation(device, temperature, order, **sums)
    nodes, weights = rule.nodes(temperature, scale)
    team = frequency_team(
        problem, nodes, weights, scale=scale, kind=linear_solver, workers=workers, keep=True,
        terms=Terms(pairing),
    )  # fmt: skip
    try:
        return _lowest(problem, pairing, team, temperature, start)
    finally:
        team.release()


def warn_of_end(
    device: Device, temperature: float, mode: Complex, *, order: int = 2, linear_solver: str = "auto",
    workers: Workers | None = None, **sums: Any,
) -> None:  # fmt: skip
    """Say that the default cut-off is too low for a mode that `lowest_mode` has found."""
    problem, pairing, rule, scale = linear_gap_equation(device, temperature, order, **sums)
    if not rule.ends_by_default:
        return
    nodes, weights = rule.nodes(temperature, scale)
    highest, cutoff = nodes[-LOOKED_AT:], rule.end(temperature, scale)
    team = frequency_team(
        problem, highest, weights[-LOOKED_AT:], scale=scale, kind=linear_solver, workers=checked_workers(workers),
        terms=Terms(pairing),
    )  # fmt: skip
    try:
        amplitudes = team.sum(problem, Terms.mode_at, mode, highest)
    finally:
        team.release()
    warn_of_cutoff(left_out(pairing, mode, highest, amplitudes, cutoff), cutoff)


def linear_gap_equation(
    device: Device, temperature: float, order: int, **sums: Any
) -> tuple[Problem, Pairing, SumRule, float]:  # fmt: skip
    """The gap equation linearised at the normal state: problem, pairing, sum over frequencies, its largest energy.

    Raises
    ------
    DeviceError
        If no region has Tc without a gap, or there is a superconducting reservoir or a given gap.
    """
    problem = build_problem(device, order, linearized=True, temperature=temperature)
    pairing = build_pairing(device, problem)
    _check(problem, pairing)
    assert pairing is not None
    scale = max(energy_scale(problem), zero_temperature_gap(pairing))
    return problem, pairing, SumRule(**sums, cut=needed_cut(device, problem, temperature)), scale


def _check(problem: Problem, pairing: Pairing | None) -> None:
    if pairing is None:
        raise DeviceError("no region has a Tc > 0 and an unknown gap: give a material superconductor(Tc=...)")
    sources = superconducting_contacts(problem)
    if sources or problem.gap.any():
        what = f"the reservoirs {', '.join(sources)} are" if sources else "a region with a given gap is"
        raise DeviceError(f"{what} superconducting, so the device is at every temperature; there is no normal state")


def superconducting_contacts(problem: Problem) -> list[str]:
    """Names of the contacts with a gap."""
    return [name for name, own in problem.electrodes.items() if abs(own.gap).any()]


def _lowest(
    problem: Problem, pairing: Pairing, team: Team, temperature: float, start: Complex | None
) -> Mode:  # fmt: skip
    log_sum = 2 * np.pi * temperature * team.inverse_sum
    coefficient = np.log(temperature) - pairing.log_tc + log_sum
    paired = np.isfinite(coefficient)  # no pairing where Tc = 0: far above all other eigenvalues
    coefficient = np.where(paired, coefficient, 2 * coefficient[paired].max())
    root, response = np.sqrt(pairing.weight), _nodal_response(problem, pairing, team)

    def product(vector: Complex) -> Complex:
        gap = vector.reshape(pairing.shape) / root
        amplitude = pairing.from_nodes(response(pairing.load(np.where(paired, gap, 0.0))))
        pair = np.where(paired, 2j * np.pi * temperature * amplitude, 0.0)
        return np.asarray((root * (coefficient * gap + pair)).ravel())

    size = root.size
    first = (root if start is None or start.shape != pairing.shape else root * start).ravel().astype(complex)
    # The lowest mode may be of another symmetry than the start.
    noise = np.random.default_rng(1).normal(size=(2, size))
    first = first + MIXED * np.linalg.norm(first) * (noise[0] + 1j * noise[1]) / np.sqrt(2 * size)
    value, vector = _lowest_pair(product, first)
    return value, np.asarray(vector.reshape(pairing.shape) / root)


def _nodal_response(problem: Problem, pairing: Pairing, team: Team) -> Callable[[Complex], Complex]:
    """The sum of f0 at the nodes over all frequencies, of a load of the gap on them."""
    count = len(pairing.nodes)
    if count <= RESPONSES and count * 2 * problem.sector.entries * len(problem.pattern.free) <= NUMBERS:
        matrix = team.sum(problem, Terms.nodal_mode, np.eye(count))
        return lambda load: np.asarray(matrix @ load)

    def response(load: Complex) -> Complex:
        parts = team.sum(problem, Terms.nodal_mode, np.column_stack([load.real, load.imag]))
        return np.asarray(parts[:, 0] + 1j * parts[:, 1])

    return response


def _lowest_pair(product: Callable[[Complex], Complex], start: Complex) -> Mode:
    """The lowest eigenvalue of a Hermitian operator, with its vector.

    Where a strong pair breaker leaves the modes hardly different, none of them can be told from the others; their
    eigenvalues then agree to the tolerance that is reached, and are far above zero.

    Raises
    ------
    SolveError
        If the eigenvalue does not converge to LOOSE.
    """
    if len(start) <= DENSE:
        dense = np.array([product(column) for column in np.eye(len(start), dtype=complex)]).T
        values, vectors = np.linalg.eigh(0.5 * (dense + dense.conj().T))
        return float(values[0]), vectors[:, 0]
    residual = np.inf
    for _ in range(RESTARTS):
        value, start, residual = _lanczos(product, start)
        if _is_found(value, residual):
            break
    if residual > LOOSE:
        raise SolveError(
            f"the lowest eigenvalue of the gap equation did not converge to {LOOSE:g} in {RESTARTS} restarts. Try: a "
            "finer mesh in the superconductors, or a higher temperature",
            frequency=float("nan"), residuals=(), state=None,
        )  # fmt: skip
    return value, start


def _is_found(value: float, residual: float) -> bool:
    return residual <= (LOOSE if value > CLEAR else TOLERANCE)


def _lanczos(product: Callable[[Complex], Complex], start: Complex) -> tuple[float, Complex, float]:
    """The lowest pair in the Krylov space of a vector, grown until it is found, and the norm of its residual."""
    basis = np.empty((STEPS, len(start)), complex)
    basis[0] = start / np.linalg.norm(start)
    diagonal, beside = np.empty(STEPS), np.empty(STEPS)
    for step in range(STEPS):
        own, image = basis[: step + 1], product(basis[step])
        diagonal[step] = np.vdot(basis[step], image).real
        for _ in range(2):  # once more against rounding
            image = image - (own.conj() @ image) @ own
        beside[step] = np.linalg.norm(image)
        values, vectors = eigh_tridiagonal(
            diagonal[: step + 1], beside[:step], select="i", select_range=(0, 0), check_finite=False
        )
        value, shares = float(values[0]), vectors[:, 0]
        residual = float(beside[step] * abs(shares[-1]))
        if _is_found(value, residual) or step == STEPS - 1:
            break
        basis[step + 1] = image / beside[step]
    return value, np.asarray(shares @ own), residual
