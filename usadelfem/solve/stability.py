"""Stability of the normal state against pairing: critical temperatures and fields from an eigenvalue problem.

The second variation of the free energy with respect to the gap at g = tau3 is the linear operator

    (L Delta)(r) = Delta [ln(T/Tc) + 2 pi T sum 1/w] + 2 pi T sum i f0[Delta],

f0[Delta] the linear response of the normal metal. Superconductivity sets in where its lowest eigenvalue passes zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, eigsh

from ..device.device import Device
from ..errors import DeviceError
from ..fem.element import UNKNOWNS
from ..fem.pairing import Pairing, build_pairing
from ..fem.spectral import Spectral, build_spectral, energy_scale
from .chain import Chain
from .iteration import sum_converges, zero_temperature_gap
from .matsubara import SumRule
from .team import Team

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Below this part of the largest Tc a device counts as normal at all temperatures.
LOWEST = 1e-3
EIGENVALUE_TOLERANCE = 1e-9


def stability(device: Device, temperature: float, **options: Any) -> float:
    """Lowest eigenvalue of the gap equation linearised at the normal state: negative where it is unstable.

    For a bulk superconductor with pair breaking it is ln(T/Tc) + psi(1/2 + alpha/2 pi T) - psi(1/2).

    Parameters
    ----------
    device
        A device with `Tc` in at least one region; reservoirs are normal.
    temperature
        Temperature, energy; positive.
    **options
        order, quadrature, frequencies, cutoff, cutoff_index, linear_solver, threads: as in `solve_equilibrium`.

    Raises
    ------
    DeviceError
        If no region has Tc without a gap, or there is a superconducting reservoir or a given gap.
    ValueError
        If an argument is out of range.
    """
    return lowest_mode(device, temperature, **options)[0]


def lowest_mode(
    device: Device, temperature: float, start: Complex | None = None, *, order: int = 2, linear_solver: str = "auto",
    threads: int = 1, **sums: Any,
) -> tuple[float, Complex]:  # fmt: skip
    """The lowest eigenvalue and its gap at the quadrature points of the self-consistent regions; see `stability`."""
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature is {temperature!r}; allowed is a finite number > 0")
    system = build_spectral(device, order, linearized=True, temperature=temperature)
    pairing = build_pairing(device, system)
    _check(system, pairing)
    assert pairing is not None
    scale = max(energy_scale(system), zero_temperature_gap(pairing))
    rule = SumRule(**sums, cut=not sum_converges(device, system, temperature))
    nodes, weights = rule.nodes(temperature, scale)
    team = Team(system, nodes, weights, scale=scale, kind=linear_solver, threads=threads, keep=True)
    try:
        return _lowest(system, pairing, team, temperature, start)
    finally:
        team.release()


def _check(system: Spectral, pairing: Pairing | None) -> None:
    if pairing is None:
        raise DeviceError("no region has a Tc > 0 and an unknown gap: give a material superconductor(Tc=...)")
    sources = [name for name, (_, gap, _) in system.contacts.items() if abs(gap).any()]
    if sources or system.gap.any():
        what = f"the reservoirs {', '.join(sources)} are" if sources else "a region with a given gap is"
        raise DeviceError(f"{what} superconducting, so the device is at every temperature; there is no normal state")


def _lowest(
    system: Spectral, pairing: Pairing, team: Team, temperature: float, start: Complex | None
) -> tuple[float, Complex]:  # fmt: skip
    log_sum = 2 * np.pi * temperature * float((team.weights / team.frequencies).sum())
    coefficient = np.log(temperature) - pairing.log_tc + log_sum
    paired = np.isfinite(coefficient)  # no pairing where Tc = 0: far above all other eigenvalues
    coefficient = np.where(paired, coefficient, 2 * coefficient[paired].max())
    root = np.sqrt(pairing.weight)
    normal = np.zeros(team.states.shape[1:], complex)
    free = system.pattern.free

    def prepare(chain: Chain) -> None:
        for index in range(len(chain.frequencies)):
            chain.refresh(system, index)

    def product(vector: Any) -> Complex:
        gap = np.asarray(vector).reshape(pairing.shape) / root
        source = pairing.source(normal, np.where(paired, gap, 0.0), linear=True)[free].reshape(-1).view(float)

        def term(chain: Chain, index: int, weight: float) -> Complex:
            out, change = np.zeros(pairing.shape, complex), np.zeros_like(normal)
            solution = chain.response(system, index, source)
            if solution is not None:
                change[free] = solution.view(complex).reshape(-1, UNKNOWNS // 2)
                pairing.response(normal, change, weight, out, linear=True)
            return out

        pair = np.where(paired, 2j * np.pi * temperature * team.sum(term), 0.0)
        return np.asarray((root * (coefficient * gap + pair)).ravel())

    team.each(prepare)
    size = root.size
    first = (root if start is None or start.shape != pairing.shape else root * start).ravel().astype(complex)
    matrix = LinearOperator((size, size), matvec=product, dtype=complex)
    if size < 3:
        dense = np.array([product(column) for column in np.eye(size)]).T
        values, vectors = np.linalg.eigh(0.5 * (dense + dense.conj().T))
    else:
        values, vectors = eigsh(matrix, k=1, which="SA", v0=first, tol=EIGENVALUE_TOLERANCE, ncv=min(size - 1, 24))
    return float(values[0]), np.asarray(vectors[:, 0].reshape(pairing.shape) / root)


def critical_temperature(device: Device, *, precision: float = 1e-6, **options: Any) -> float:
    """The temperature below which the normal state is unstable, energy; 0 if it is stable at all temperatures.

    The highest root of `stability(device, T)`: steps T -> T exp(-eigenvalue), which stay above it, then bracketing. It
    is the transition temperature where the transition is of second order.

    Parameters
    ----------
    device
        A device with `Tc` in at least one region; reservoirs are normal.
    precision
        Relative precision.
    **options
        order, quadrature, frequencies, cutoff, cutoff_index, linear_solver, threads: as in `solve_equilibrium`.

    Raises
    ------
    DeviceError, ValueError
        As `stability`.
    """
    highest = _highest_tc(device)
    mode: Complex | None = None

    def eigenvalue(logarithm: float) -> float:
        nonlocal mode
        value, mode = lowest_mode(device, highest * float(np.exp(logarithm)), mode, **options)
        return value

    upper, lower = 0.0, 0.0
    value = eigenvalue(upper)
    if value <= precision:
        return highest
    while value > precision:
        upper, lower = lower if lower < 0 else upper, lower - max(value, precision)
        if lower < np.log(LOWEST):
            return 0.0
        before, value = value, eigenvalue(lower)
        slope = (before - value) / (upper - lower) if upper > lower else 1.0
        if 0 < slope < 1 and value > precision:  # a secant step that goes beyond the root gives the bracket
            lower_guess = lower - 1.2 * value / slope
            if lower_guess > np.log(LOWEST):
                trial = eigenvalue(lower_guess)
                if trial < 0:
                    return highest * float(np.exp(brentq(eigenvalue, lower_guess, lower, xtol=precision)))
    if value < 0 and upper > lower:
        return highest * float(np.exp(brentq(eigenvalue, lower, upper, xtol=precision)))
    return highest * float(np.exp(lower))


def _highest_tc(device: Device) -> float:
    values = [
        np.max(material.Tc if not callable(material.Tc) else material.Tc(device.sample.p))  # type: ignore[arg-type]
        for material in device.conductors.values()
        if material.self_consistent
    ]
    if not values or not max(values) > 0:
        raise DeviceError("no region has a Tc > 0 and an unknown gap: give a material superconductor(Tc=...)")
    return float(max(values))


def critical_parameter(
    function: Callable[[float], Device], interval: tuple[float, float], temperature: float, *, precision: float = 1e-6,
    **options: Any,
) -> float:  # fmt: skip
    """The parameter at which the normal state becomes unstable at a temperature: a critical field or thickness.

    Parameters
    ----------
    function
        Makes the device of a parameter.
    interval
        Two parameters, the normal state being stable at one and unstable at the other.
    temperature
        Temperature, energy.
    precision
        Relative precision.
    **options
        As in `stability`.

    Raises
    ------
    ValueError
        If the normal state is stable, or unstable, at both ends.
    DeviceError
        As `stability`.
    """
    ends = [float(end) for end in interval]
    values = [stability(function(end), temperature, **options) for end in ends]
    if values[0] * values[1] > 0:
        state = "stable" if values[0] > 0 else "unstable"
        raise ValueError(
            f"the normal state is {state} at both ends {ends} of the interval (eigenvalues {values[0]:.3g} and "
            f"{values[1]:.3g}); widen it"
        )
    known = dict(zip(ends, values, strict=True))

    def eigenvalue(parameter: float) -> float:
        return known[parameter] if parameter in known else stability(function(parameter), temperature, **options)

    return float(brentq(eigenvalue, *ends, xtol=precision * max(map(abs, ends)), rtol=max(precision, 1e-15)))


def phase_diagram(function: Callable[[float], Device], parameters: Sequence[float], **options: Any) -> Real:
    """Critical temperatures of a family of devices, shape (parameters,).

    Parameters
    ----------
    function
        Makes the device of a parameter: a thickness, an exchange field, the angle of a spin valve.
    parameters
        Values of the parameter.
    **options
        As in `critical_temperature`.

    Raises
    ------
    DeviceError, ValueError
        As `critical_temperature`.
    """
    return np.array([critical_temperature(function(float(value)), **options) for value in parameters])
