"""Observables of the normal state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named
from ..device.contact import CurrentContact, Reservoir
from ..fem.coefficients import spatial_spin_hall_tensors
from ..fem.currents import boundary_share
from ..fem.diffusion import facet_load, flux_at_quadrature, section_flux, spatial_flux
from ..fields.field import Field
from ..nonequilibrium.result import Nonequilibrium
from ..physics.columns import N0
from ..solve.normal_state import NormalState, contact_load, injected
from ..space.locate import Location
from ..space.section import Section
from .arguments import check_result
from .densities import driven_potential

AXES = ("x", "y", "z")


@named()
def potential(ns: NormalState | Nonequilibrium) -> Field:
    """The electrochemical potential mu, energy; positive charges flow from high to low mu.

    Parameters
    ----------
    ns
        A normal state, or the result of `solve_nonequilibrium`: there mu = -(1/16) Int dE Tr K, which is what a
        normal metal needs to be neutral.
    """
    check_result("potential", ns, NormalState, Nonequilibrium)
    if isinstance(ns, Nonequilibrium):
        return driven_potential(ns)
    return _nodal(ns, "potential", (), 0)


@named()
def spin_accumulation(ns: NormalState) -> Field:
    """The spin accumulation (s_x, s_y, s_z), energy: half the difference of the potentials of spin up and down."""
    check_result("spin_accumulation", ns, NormalState)
    return _nodal(ns, "spin_accumulation", AXES, slice(1, 4))


def _currents(ns: NormalState, everywhere: bool) -> NDArray[np.float64]:
    if not everywhere:
        return flux_at_quadrature(ns.problem.space, ns.problem.coefficients, ns.values)
    tensors = spatial_spin_hall_tensors(ns.device, ns.problem.space, ns.problem.coefficients)
    return spatial_flux(ns.problem.space, ns.problem.coefficients, ns.values, *tensors)


def normal_charge_current(ns: NormalState, directions: tuple[str, ...]) -> Field:
    """The charge current density of a normal state, components `directions`; unit as `charge_current`."""
    values = 2 * _currents(ns, len(directions) > ns.problem.space.dim)[0]
    return Field(
        "charge_current", "e*N0*D*energy/length", directions, values, ns.device, ns.problem.space,
        flux=lambda section: np.asarray(2 * _through(ns, section)[0]),
    )  # fmt: skip


def normal_spin_current(ns: NormalState, directions: tuple[str, ...]) -> Field:
    """The spin current density of a normal state, components (3, directions); unit as `spin_current`."""
    values = _currents(ns, len(directions) > ns.problem.space.dim)[1:]
    names = tuple(f"s{axis}_{direction}" for axis in AXES for direction in directions)
    return Field(
        "spin_current", "hbar*N0*D*energy/length", names, values, ns.device, ns.problem.space,
        flux=lambda section: _through(ns, section)[1:],
    )  # fmt: skip


def normal_spin_density(ns: NormalState) -> Field:
    """The spin density 2 N0 s of a normal state, components (3,); unit as `spin_density`."""
    values = 2 * ns.problem.coefficients.table[..., N0] * spin_accumulation(ns).natural.quadrature
    return Field("spin_density", "hbar/2*N0*energy", AXES, values, ns.device, ns.problem.space)


def _nodal(ns: NormalState, name: str, components: tuple[str, ...], chosen: Any) -> Field:
    def exact(location: Location) -> NDArray[np.float64]:
        return np.asarray(np.moveaxis(location.interpolate(ns.values), -1, 0)[chosen])

    quadrature = np.einsum("cia,qi->acq", ns.values[ns.problem.space.cells], ns.problem.space.phi)[chosen]
    return Field(name, "energy", components, np.array(quadrature), ns.device, ns.problem.space, exact=exact)


def _through(ns: NormalState, section: Section) -> NDArray[np.float64]:
    """Flux (4,) in the units of N0 J: what given currents feed in is known, the rest is the residual."""
    boundaries, contacts = ns.device.sample.boundaries, ns.device.contacts
    facets = {name: np.asarray(boundaries[name], np.int64) for name in contacts}
    clamped = [facets[name] for name, contact in contacts.items() if isinstance(contact, Reservoir)]
    share = boundary_share(ns.problem.space, section, np.concatenate([*clamped, np.empty(0, np.int64)]))
    load = contact_load(ns.device, ns.problem.space, section.cells)
    flux = section_flux(ns.problem.space, ns.problem.coefficients, ns.values, load, section, share)
    if not section.total and (ns.problem.space.mesh.f2t[1, section.facets] >= 0).any():
        return flux
    for name, contact in contacts.items():
        if isinstance(contact, CurrentContact):
            own = facet_load(ns.problem.space, np.intersect1d(facets[name], section.facets)).sum()
            flux = flux - section.sign * own / facet_load(ns.problem.space, facets[name]).sum() * injected(contact)
    return flux
