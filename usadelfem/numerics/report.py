"""What an iteration reports of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Report:
    """How Newton's method went at one frequency.

    Attributes
    ----------
    frequency
        The Matsubara frequency.
    converged
        Whether the estimated error of the solution and its residual are both below their tolerances.
    iterations
        Number of Newton steps with a new tangent (factorisations), those of intermediate frequencies included.
    residuals
        Residual before each step and after the last one, relative to the size of the terms it is a sum of.
    steps
        Largest change of an entry of the Riccati matrix in each step, corrections with an earlier tangent included.
    continuation
        Number of intermediate frequencies that were needed to get here.
    error
        Estimated error of the solution of the discrete equation, relative to the largest entry of the Riccati matrix:
        1e-12 or less, more only where rounding in a stiff device allows no better.
    solver
        The linear solver that was used in the end: what "auto" chose, or went over to; "none" where nothing was to be
        solved.
    """

    frequency: float
    converged: bool
    iterations: int
    residuals: tuple[float, ...]
    steps: tuple[float, ...]
    continuation: int = 0
    error: float = 0.0
    solver: str = "none"

    def after(self, before: Report | None) -> Report:
        """This report with the factorisations of an earlier solve at the same frequency added."""
        return self if before is None else replace(self, iterations=self.iterations + before.iterations)


@dataclass(frozen=True)
class Iteration:
    """State of a self-consistent iteration after a sweep over all frequencies.

    Attributes
    ----------
    number
        Number of sweeps so far.
    residual
        Largest residual of the gap equation, in units of the largest bulk gap.
    largest
        Largest modulus of the gap, in the same unit.
    """

    number: int
    residual: float
    largest: float
