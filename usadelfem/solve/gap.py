"""The gap equation: fixed-point iteration with Anderson acceleration, and Newton's method in the gap.

Source of the equation: theory, section on the free energy, of which it is the derivative with respect to the gap,

    R = Delta [ln(T/Tc) + 2 pi T sum 1/w] + 2 pi T sum i f0 = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from ..fem.element import UNKNOWNS
from ..fem.pairing import Pairing
from ..fem.spectral import Spectral
from .anderson import Anderson
from .chain import Chain
from .newton import ERROR_TOLERANCE
from .status import Sweep
from .team import Team

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# The states need this fraction of the accuracy of the gap equation at each sweep.
INNER = 0.02
LOOSEST = 1e-3
# Newton's method solves its linear equations to this relative residual.
FORCING = 0.05
KRYLOV = 60
# Without superconducting sources a gap below this part of the bulk gap is asked whether it has to vanish.
SMALL = 1e-3


@dataclass(eq=False)
class GapEquation:
    """The gap equation of one device at one temperature, with the Usadel equation eliminated frequency by frequency.

    Attributes
    ----------
    pairing, system, team
        Where the gap is unknown, the equation with the present gap, and its solution at all frequencies.
    temperature, unit
        Temperature, and the energy that residuals are measured in.
    """

    pairing: Pairing
    system: Spectral
    team: Team
    temperature: float
    unit: float

    def __post_init__(self) -> None:
        log_sum = 2 * np.pi * self.temperature * float((self.team.weights / self.team.frequencies).sum())
        self.coefficient = np.log(self.temperature) - self.pairing.log_tc + log_sum
        # Of the order of the derivative of R for changes over lengths between xi and the layers at high frequency.
        self.slope = max(1.0, 0.5 * float(np.median(self.coefficient[np.isfinite(self.coefficient)])))

    @property
    def gap(self) -> Complex:
        """The present gap at the points of the pairing, shape (cells, points)."""
        return self.pairing.gap_of(self.system)

    def set_gap(self, gap: Complex, accuracy: float, *, descend: bool = False) -> None:
        """Change the gap and solve all frequencies again."""
        self.system = self.pairing.with_gap(self.system, gap)
        if descend:
            self.team.descend(self.system, accuracy)
        else:
            self.team.update(self.system, accuracy)

    def residual(self) -> Complex:
        """R at the points, shape (cells, points)."""

        def term(chain: Chain, index: int, weight: float) -> Complex:
            out = np.zeros(self.pairing.shape, complex)
            self.pairing.amplitude(chain.states[index], weight, out)
            return out

        return self._close(self.gap, self.team.sum(term))

    def derivative(self, gap_change: Complex, record: Callable[[Chain, int, Complex], Any] | None = None) -> Complex:
        """Change of R with the gap, the states following; `record` sees the change of the state at each frequency."""
        pairing, system = self.pairing, self.system

        def term(chain: Chain, index: int, weight: float) -> Complex:
            state, out = chain.states[index], np.zeros(pairing.shape, complex)
            source = pairing.source(state, gap_change)[system.pattern.free].reshape(-1).view(float)
            factor = chain.factors.get(index)
            if factor is None or not factor.fresh:
                factor = chain.refresh(system, index)
            if factor is None:  # every node is clamped
                return out
            change = np.zeros_like(state)
            solution = chain.clock.step(factor, source, checked=False)
            change[system.pattern.free] = solution.view(complex).reshape(-1, UNKNOWNS // 2)
            pairing.response(state, change, weight, out)
            if record is not None:
                record(chain, index, change)
            return out

        return self._close(gap_change, self.team.sum(term))

    def _close(self, gap: Complex, amplitude: Complex) -> Complex:
        finite = np.isfinite(self.coefficient)  # Tc = 0: no pairing, no gap
        coefficient = np.where(finite, self.coefficient, 1.0)
        return np.asarray(coefficient * gap + np.where(finite, 2j * np.pi * self.temperature * amplitude, 0.0))

    def measure(self, number: int, residual: Complex) -> Sweep:
        """How far the iteration is."""
        return Sweep(number, float(abs(residual).max()) / self.unit, float(abs(self.gap).max()) / self.unit)


def anderson_sweeps(equation: GapEquation, tolerance: float) -> Iterator[Sweep]:
    """Fixed-point sweeps with Anderson acceleration; the caller stops the iteration."""
    weight = np.repeat(equation.pairing.weight.ravel(), 2)
    mixer = Anderson(weight / weight.sum())
    number = 1
    while True:
        residual = equation.residual()
        sweep = equation.measure(number, residual)
        yield sweep
        change = -residual / equation.slope
        x = mixer.propose(_real(equation.gap), _real(change))
        equation.set_gap(_complex(x, equation.pairing), _inner(sweep.residual, tolerance))
        number += 1


def newton_sweeps(equation: GapEquation, tolerance: float) -> Iterator[Sweep]:
    """Newton's method in the gap: its matrix is applied with one triangular solve per frequency (GMRES)."""
    number = 1
    while True:
        residual = equation.residual()
        sweep = equation.measure(number, residual)
        yield sweep
        equation.team.update(equation.system, _inner(sweep.residual * FORCING, tolerance))
        step, products = _newton_step(equation, residual)
        norm, before = _norm(equation, residual), equation.gap
        states = equation.team.states.copy()
        for halving in range(6):
            equation.set_gap(before + 0.5**halving * step, _inner(sweep.residual * FORCING, tolerance))
            if _norm(equation, equation.residual()) < (1 - 1e-4 * 0.5**halving) * norm or halving == 5:
                break
            equation.team.states[:] = states
        number += 1 + products


def _newton_step(equation: GapEquation, residual: Complex) -> tuple[Complex, int]:
    """The solution of J step = -R, and the number of products with J that it took."""
    root = np.sqrt(np.repeat(equation.pairing.weight.ravel(), 2))
    products = 0

    def product(x: Real) -> Real:
        nonlocal products
        products += 1
        change = equation.derivative(_complex(np.asarray(x).ravel() / root, equation.pairing))
        return root * _real(change)

    size = len(root)
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    step, _ = gmres(operator, -root * _real(residual), rtol=FORCING, restart=KRYLOV, maxiter=1)
    return _complex(step / root, equation.pairing), products


def _norm(equation: GapEquation, residual: Complex) -> float:
    return float(np.sqrt((equation.pairing.weight * abs(residual) ** 2).sum()))


def _inner(residual: float, tolerance: float) -> float:
    """Accuracy of the states that the next residual needs."""
    return float(np.clip(INNER * max(residual, tolerance), ERROR_TOLERANCE, LOOSEST))


def _real(array: Complex) -> Real:
    return np.ascontiguousarray(array).reshape(-1).view(float)


def _complex(array: Real, pairing: Pairing) -> Complex:
    return np.ascontiguousarray(array).view(complex).reshape(pairing.shape)
