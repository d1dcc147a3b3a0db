"""Currents out of equilibrium: those of the equilibrium, and what the deviations of the distribution add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named
from ..errors import ObservableError
from ..fem.conjugates import singlet
from ..fem.currents import boundary_share, section_moments
from ..fields.field import Field
from ..nonequilibrium.kinetic import Kinetic
from ..nonequilibrium.responses import mode_vectors
from ..nonequilibrium.result import Nonequilibrium
from ..physics.columns import EXCHANGE_FIELD, GAP, GAUGE_COLUMNS, N0, TORQUES
from ..space.section import Section
from ..space.space import Index
from .arguments import check_result
from .densities import potential_of, traces_at_quadrature
from .sections import rigid_facets

Real = NDArray[np.float64]
AXES = ("x", "y", "z")


def flows(neq: Nonequilibrium, power: int) -> Real:
    """-N0 Tr N_i J_k^K of the deviations and in the last row their torques, integrated over E > 0 with E^power.

    Shape (8, dim + 1, cells, points).
    """
    known = neq.kept.get(("flows", power))
    if known is not None:
        return known
    problem, kinetic = neq.problem, neq.kinetic
    total = np.zeros((kinetic.modes, problem.space.dim + 1, *problem.space.dx.shape))
    if neq.is_driven:
        for energy, state, h in zip(neq.energies.tolist(), neq.spectrum.states, neq.summands[power], strict=True):
            total += kinetic.flow(complex(neq.spectrum.broadening, -energy), state, h)
    whole = np.tensordot(mode_vectors(problem), total, axes=1)
    if neq.scattered is not None:
        whole[:, -1] -= problem.coefficients.table[..., N0] * neq.scattered.given[power]
    neq.kept["flows", power] = whole
    return np.asarray(whole)


def flux_through(neq: Nonequilibrium, section: Section, power: int) -> Real:
    """The consistent flux of all 8 modes through a section, integrated over E > 0 with E^power."""
    if not neq.is_driven:
        return np.zeros(8)
    problem = neq.problem
    share = boundary_share(problem.space, section, rigid_facets(neq.device, problem))
    total = np.zeros(neq.kinetic.modes)
    for energy, state, h in zip(neq.energies.tolist(), neq.spectrum.states, neq.summands[power], strict=True):
        total += _of_energy(neq, complex(neq.spectrum.broadening, -energy), state, h, section, share)
    whole = mode_vectors(problem) @ total
    if neq.scattered is not None:
        given = problem.coefficients.table[..., N0] * neq.scattered.given[power]
        whole = whole - _given_behind(neq, given, section, share)
    return np.asarray(whole)


def _given_behind(neq: Nonequilibrium, given: Real, section: Section, share: Real) -> Real:
    """What local equilibria give to the nodes of a section, of densities (8, cells, points)."""
    space = neq.problem.space

    def cells(chosen: Index) -> Real:
        out = np.zeros((space.nodes.shape[1], 8))
        np.add.at(out, space.cells[chosen], np.einsum("xcq,cq,qi->cix", given[:, chosen], space.dx[chosen], space.phi))
        return out

    def sides(_: NDArray[np.bool_]) -> Real:
        return np.zeros((space.nodes.shape[1], 8))

    return section_moments(neq.problem, section, share, cells, sides, lambda residual, part: part @ residual)


def _of_energy(neq: Nonequilibrium, w: complex, state: Any, h: Real, section: Section, share: Real) -> Real:
    kinetic = neq.kinetic

    def cells(chosen: Index) -> Real:
        return kinetic.of_cells(w, state, h, chosen)

    def sides(chosen: NDArray[np.bool_]) -> Real:
        return kinetic.of_sides(state, h, chosen)

    return section_moments(neq.problem, section, share, cells, sides, lambda residual, part: part @ residual)


def driven_current(neq: Nonequilibrium, equilibrium: Field, rows: slice, factor: float) -> Field:
    """A charge or spin current: the field of the equilibrium, and factor times rows of the flows."""
    space = neq.problem.space
    added = factor * flows(neq, 0)[rows, : space.dim]
    at_start = equilibrium.natural
    values = at_start.quadrature + (added[0] if at_start.quadrature.ndim == 3 else added)

    def flux(section: Section) -> Any:
        own = factor * flux_through(neq, section, 0)[rows]
        at_rest = None if at_start.flux is None else at_start.flux(section)
        return None if at_rest is None else at_rest + (own if len(own) > 1 else own[0])

    return Field(
        at_start.name, at_start.unit, at_start.components, values, neq.device, space, flux=flux
    )  # fmt: skip


@named()
def energy_current(neq: Nonequilibrium) -> Field:
    """The density of the energy current, components (dim,), energies relative to the condensates.

    j_E = -(N0/8) Int dE E Tr J_k^K (theory, section on the kinetic equation). It is conserved, and equilibrium carries
    none. Unit: N0 D energy^2 / length.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.
    """
    check_result("energy_current", neq, Nonequilibrium)
    space = neq.problem.space
    values = 0.25 * flows(neq, 1)[0, : space.dim]
    return Field(
        "energy_current", "N0*D*energy^2/length", AXES[: space.dim], values, neq.device, space,
        flux=lambda section: np.asarray(0.25 * flux_through(neq, section, 1)[0]),
    )  # fmt: skip


@named()
def heat_current(neq: Nonequilibrium) -> Field:
    """The density of the heat current j_E - mu j, components (dim,), with the local electrochemical potential mu.

    Through a contact it is the heat that flows into the reservoir: the energy current minus its voltage times the
    charge current and its spin bias times twice the spin current. Over all reservoirs these add up to the power that
    the biases supply. Unit: N0 D energy^2 / length.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.

    Raises
    ------
    ObservableError
        By `through` of other facets than those of a contact, where heat has no reservoir that it could be counted from.
    """
    check_result("heat_current", neq, Nonequilibrium)
    space = neq.problem.space
    carried, energy = flows(neq, 0)[1, : space.dim], flows(neq, 1)[0, : space.dim]
    mu = potential_of(traces_at_quadrature(neq)[0])

    def flux(section: Section) -> Any:
        bias, carriers = neq.biases[_contact_of(neq, section)], flux_through(neq, section, 0)
        work = bias.voltage * carriers[1] + np.array(bias.spin_bias) @ carriers[2:5]
        return np.asarray(0.25 * (flux_through(neq, section, 1)[0] - work))

    values = 0.25 * (energy - mu * carried)
    return Field("heat_current", "N0*D*energy^2/length", AXES[: space.dim], values, neq.device, space, flux=flux)


def _contact_of(neq: Nonequilibrium, section: Section) -> str:
    boundaries = neq.problem.space.mesh.boundaries
    for name in neq.biases:
        if np.array_equal(np.sort(np.asarray(boundaries[name], np.int64)), np.sort(section.facets)):
            return name
    raise ObservableError(
        f"heat flows into reservoirs: allowed are the contacts {', '.join(neq.biases)}; through other facets take "
        "energy_current"
    )


def driven_torque(neq: Nonequilibrium, parts: tuple[str, ...]) -> Real:
    """What the deviations add to the torques of some parts (`spin_torque`), shape (3, cells, points)."""
    own = flows(neq, 0)
    total = np.zeros((3, *neq.problem.space.dx.shape))
    makers: dict[str, Callable[[], Real]] = {
        "exchange": lambda: _exchange_torque(neq), "intrinsic": lambda: _intrinsic_torque(neq, own),
        "relaxation": lambda: _relaxation_torque(neq),
    }  # fmt: skip
    whole = 0.125 * own[2:5, -1]
    if set(parts) == set(TORQUES):
        return whole
    for part in parts:
        total += makers[part]() if part in makers else whole - sum(make() for make in makers.values())
    return total


def _exchange_torque(neq: Nonequilibrium) -> Real:
    """Precession about the exchange field: of Tr (sigma_a/2) [L, K] with L = -i h.sigma tau3."""
    table = neq.problem.coefficients.table
    field = np.moveaxis(table[..., list(EXCHANGE_FIELD)], -1, 0)
    return np.asarray(0.25 * table[..., N0] * np.cross(field, traces_at_quadrature(neq)[1], axis=0))


def _intrinsic_torque(neq: Nonequilibrium, own: Real) -> Real:
    gauge = neq.problem.coefficients.gauge
    total = np.zeros((3, *own.shape[2:]))
    for k in range(gauge.shape[2]):
        turn = np.moveaxis(gauge[..., k, 1:GAUGE_COLUMNS], -1, 0)
        total -= 0.125 * np.cross(turn, own[2:5, k], axis=0)
    return total


def _relaxation_torque(neq: Nonequilibrium) -> Real:
    """The same flows of a device in which nothing but scattering changes spins, and nothing has an energy."""
    problem = neq.problem
    table = problem.coefficients.table.copy()
    kept = {"N0", "D"}
    for number, row in enumerate(problem.coefficients.rows):
        if row.name not in kept and row.torque != "relaxation":
            table[..., number] = 0.0
    other = Kinetic(problem.with_columns(table))
    total = np.zeros((neq.kinetic.modes, *problem.space.dx.shape))
    if neq.is_driven:
        for state, h in zip(neq.spectrum.states, neq.summands[0], strict=True):
            total += other.flow(0.0, state, h)[:, -1]
    return np.asarray(0.125 * np.tensordot(mode_vectors(problem), total, axes=1)[2:5])


@named()
def charge_source(neq: Nonequilibrium) -> Field:
    """What a given gap adds to the charge current, d_k j_k: a scalar density that vanishes where charge is conserved.

    It is -4 N0 Im (gap* rho) with the residual rho of the gap equation (theory, section on the kinetic equation), that
    of the equilibrium included: a gap that solves its equation is no source. Unit: e N0 D energy / length^2.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.
    """
    check_result("charge_source", neq, Nonequilibrium)
    return Field(
        "charge_source", "e*N0*D*energy/length^2", (), 0.25 * flows(neq, 0)[1, -1] + source_at_rest(neq), neq.device,
        neq.problem.space,
    )  # fmt: skip


def source_at_rest(neq: Nonequilibrium) -> Real:
    """The same of the equilibrium: with f0, -4 N0 Re (gap* 2 pi T sum f0)."""
    eq = neq.equilibrium
    f0 = singlet(eq.equation.conjugates(GAP, 2 * np.pi * eq.temperature * eq.weights, eq.riccati))
    n0 = neq.problem.coefficients.table[..., N0]
    return np.asarray(-4 * n0 * (neq.problem.gap.conj() * f0).real)
