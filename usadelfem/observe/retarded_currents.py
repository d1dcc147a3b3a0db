"""Spectral charge and spin currents: series of fields over energies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fem.currents import boundary_share
from ..fem.retarded_currents import spectral_flux, spectral_moments
from ..fields.field import Field
from ..fields.parameter import Series
from ..solve.results import Spectrum
from ..space.section import Section
from .sections import rigid_facets

Real = NDArray[np.float64]
# Rows of the moments and their factors: charge, spin in units of hbar.
CHARGE, SPIN = (slice(0, 1), 1.0), (slice(1, 4), 0.5)


def spectral_current(
    spec: Spectrum, kind: tuple[slice, float], name: str, unit: str, components: tuple[str, ...]
) -> Field:
    """The current at each energy; its integral over E > 0 with tanh(E/2T) is the equilibrium current."""
    rows, factor = kind
    space = spec.problem.space
    moments = np.array([factor * spectral_moments(spec.equation, state)[:, rows] for state in spec.states])
    values = moments[:, :, 0] if moments.shape[2] == 1 else moments.swapaxes(1, 2)
    return Field(
        name, unit, components, values, spec.device, space, flux=_flux_of(spec, rows, factor),
        series=Series("energy", "energy", spec.energies),
    )  # fmt: skip


def _flux_of(spec: Spectrum, rows: slice, factor: float) -> Callable[[Section], Any]:
    """The consistent flux through a section at all energies, shape (energies,) or (energies, 3)."""

    def flux(section: Section) -> NDArray[Any]:
        share = boundary_share(spec.problem.space, section, rigid_facets(spec.device, spec.problem))
        values = np.array(
            [
                factor * spectral_flux(spec.equation, complex(spec.broadening, -energy), state, section, share)[rows]
                for energy, state in zip(spec.energies.tolist(), spec.states, strict=True)
            ]
        )
        return values if values.shape[1] > 1 else values[:, 0]

    return flux
