"""The current of an equilibrium through a section, from the equation itself, and what rounding can have changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import warn
from ..fem.currents import boundary_share, consistent_flux
from ..solve.results import Equilibrium
from ..space.section import Section, find_section
from .sections import rigid_facets

Real = NDArray[np.float64]

# Rounding above this part of what flows is looked into, and above the second one is said.
LOOKED_INTO, SAID = 1e-8, 1e-5
# A current at another contact that is this part of the terms it is a sum of is no rounding error, and not exponentially
# small.
CERTAIN = 1e-6


def flux_of(eq: Equilibrium, form: str, rows: slice, factor: float) -> Any:
    """The consistent flux through a section, or None where only the recovered density can be integrated."""

    def flux(section: Section) -> NDArray[np.float64] | None:
        if form != "consistent":
            return None
        total, rounding = _flux(eq, section)
        if rounding > LOOKED_INTO * abs(total).max():
            _warn_of_rounding(eq, rounding)
        values = factor * total[rows]
        return values if len(values) > 1 else values[0]

    return flux


def _flux(eq: Equilibrium, section: Section) -> tuple[Real, float]:
    problem = eq.problem
    share = boundary_share(problem.space, section, rigid_facets(eq.device, problem))
    parts = [
        consistent_flux(problem, float(w), state, section, share)
        for w, state in zip(eq.frequencies, eq.riccati, strict=True)
    ]
    flux, rounding = (np.tensordot(eq.weights, values, axes=1) for values in zip(*parts, strict=True))
    return np.pi * eq.temperature * flux, float(np.pi * eq.temperature * rounding)


def _warn_of_rounding(eq: Equilibrium, rounding: float) -> None:
    """Warn of rounding in a current where what flows elsewhere in the device says that it is not just zero."""
    contacts = eq.device.contacts
    others = [_flux(eq, find_section(eq.problem.space, name, None, contacts=contacts)) for name in contacts]
    certain = [abs(flux).max() for flux, own in others if abs(flux).max() > CERTAIN * own / np.finfo(float).eps]
    if certain and rounding > SAID * max(certain):
        warn(
            f"rounding errors limit this current to about {2 * rounding:.1g}: beside the section a "
            "conductivity, or cells that are very thin, makes large terms that cancel in it. Take the current through "
            "a contact or section on the side that conducts less"
        )
