"""The pairing mode to which the normal state of a device is least stable.

The second variation of the free energy with respect to the gap at g = tau3 is the linear operator

    (L Delta)(r) = Delta [ln(T/Tc) + 2 pi T sum 1/w] + 2 pi T sum i f0[Delta],

f0[Delta] the linear response of the normal metal. Superconductivity sets in where its lowest eigenvalue passes zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

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

EIGENVALUE_TOLERANCE = 1e-9
# A first look, which is enough where the normal state is stable beyond doubt.
LOOSE, CLEAR = 1e-4, 1.0
RESTARTS = 40
DENSE = 48  # unknowns up to which all products cost no more than a search
MIXED = 0.1  # part of noise in the vector that the search starts from


def lowest_mode(
    device: Device, temperature: float, start: Complex | None = None, *, order: int = 2, linear_solver: str = "auto",
    workers: Workers | None = None, warn: bool = False, **sums: Any,
) -> tuple[float, Complex]:  # fmt: skip
    """The lowest eigenvalue and its gap at the quadrature points of the self-consistent regions; see `stability`.

    `warn`: whether to say that the default cut-off is too low.
    """
    check_settings(order=order, linear_solver=linear_solver)
    SumRule(**sums)
    workers = checked_workers(workers)
    begin_solve(device, temperature, order)
    problem = build_problem(device, order, linearized=True, temperature=temperature)
    pairing = build_pairing(device, problem)
    _check(problem, pairing)
    assert pairing is not None
    scale = max(energy_scale(problem), zero_temperature_gap(pairing))
    rule = SumRule(**sums, cut=needed_cut(device, problem, temperature))
    nodes, weights = rule.nodes(temperature, scale)
    team = frequency_team(
        problem, nodes, weights, scale=scale, kind=linear_solver, workers=workers, keep=True,
        terms=Terms(pairing),
    )  # fmt: skip
    try:
        value, mode = _lowest(problem, pairing, team, temperature, start)
        if warn and rule.ends_by_default:
            highest, cutoff = nodes[-LOOKED_AT:], rule.end(temperature, scale)
            amplitudes = team.sum(problem, Terms.mode_at, mode, highest)
            warn_of_cutoff(left_out(pairing, mode, highest, amplitudes, cutoff), cutoff)
        return value, mode
    finally:
        team.release()


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
) -> tuple[float, Complex]:  # fmt: skip
    log_sum = 2 * np.pi * temperature * team.inverse_sum
    coefficient = np.log(temperature) - pairing.log_tc + log_sum
    paired = np.isfinite(coefficient)  # no pairing where Tc = 0: far above all other eigenvalues
    coefficient = np.where(paired, coefficient, 2 * coefficient[paired].max())
    root = np.sqrt(pairing.weight)

    def product(vector: Any) -> Complex:
        gap = np.asarray(vector).reshape(pairing.shape) / root
        amplitude = team.sum(problem, Terms.mode, np.where(paired, gap, 0.0))
        pair = np.where(paired, 2j * np.pi * temperature * amplitude, 0.0)
        return np.asarray((root * (coefficient * gap + pair)).ravel())

    size = root.size
    first = (root if start is None or start.shape != pairing.shape else root * start).ravel().astype(complex)
    # The lowest mode may be of another symmetry than the start.
    noise = np.random.default_rng(1).normal(size=(2, size))
    first = first + MIXED * np.linalg.norm(first) * (noise[0] + 1j * noise[1]) / np.sqrt(2 * size)
    value, vector = _lowest_pair(LinearOperator((size, size), matvec=product, dtype=complex), first)
    return value, np.asarray(vector.reshape(pairing.shape) / root)


def _lowest_pair(matrix: LinearOperator, start: Complex) -> tuple[float, Complex]:
    """The lowest eigenvalue of a Hermitian operator, with its vector.

    Where a strong pair breaker leaves the modes hardly different, none of them can be told from the others; their
    eigenvalues then agree to the tolerance that is reached, and are far above zero.

    Raises
    ------
    SolveError
        If the eigenvalue does not converge to LOOSE.
    """
    size = matrix.shape[0]
    if size <= DENSE:
        dense = np.array([matrix.matvec(column) for column in np.eye(size)]).T
        values, vectors = np.linalg.eigh(0.5 * (dense + dense.conj().T))
        return float(values[0]), vectors[:, 0]
    found: tuple[float, Complex] | None = None
    for tolerance in (LOOSE, EIGENVALUE_TOLERANCE, 1e-6):
        try:
            values, vectors = eigsh(
                matrix, k=1, which="SA", v0=start, tol=tolerance, ncv=min(size - 1, 24), maxiter=RESTARTS
            )
        except ArpackNoConvergence:
            continue
        found, start = (float(values[0]), vectors[:, 0]), vectors[:, 0]
        if found[0] > CLEAR or tolerance < LOOSE:
            return found
    if found is None:
        raise SolveError(
            f"the lowest eigenvalue of the gap equation did not converge to {LOOSE:g} in {RESTARTS} restarts. Try: a "
            "finer mesh in the superconductors, or a higher temperature",
            frequency=float("nan"), residuals=(), state=None,
        )  # fmt: skip
    return found
