"""Which functional of the states an entry of an observable is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..derivatives.direction import Direction
from ..device.scale import scale_of
from ..errors import ObservableError
from ..fem.currents import boundary_share
from ..fem.problem import Problem
from ..fields.traced import Part
from ..observe.sections import rigid_facets
from ..physics import columns as column
from ..physics.columns import COEFFICIENTS, GAUGE_COLUMNS
from ..physics.nambu import SIGMA
from ..solve.results import Equilibrium, Spectrum
from ..space.section import Section
from .energy import FreeEnergy
from .functionals import AlongCoefficients, AtPoints, ThroughSection
from .order_parameter import OrderParameter
from .reductions import entry_of, point_weights, samples

Real = NDArray[np.float64]
Functional = AlongCoefficients | ThroughSection | AtPoints | FreeEnergy | OrderParameter


class Sought(NamedTuple):
    """An entry of an observable: of which result, in a problem with room for the directions of densities."""

    result: Any
    problem: Problem
    part: Part

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that the observable was called with."""
        return dict(self.part.origin.arguments)

    @property
    def weights(self) -> Real:
        """pi T times the weights of the frequencies."""
        return np.asarray(np.pi * self.result.temperature * self.result.weights)

    @property
    def density(self) -> tuple[int, Real]:
        """The component, and weights of the values at the quadrature points over those of an integral."""
        component, point = entry_of(self.part)
        regions = tuple(self.result.device.conductors)
        space = self.problem.space
        return component, point_weights(self.part, space, regions, point) / space.dx


def functional_of(sought: Sought) -> Functional:
    """The functional of an entry.

    Raises
    ------
    ObservableError
        If the observable has no derivative of this kind.
    """
    name = sought.part.origin.observable
    kind = Spectrum if isinstance(sought.result, Spectrum) else Equilibrium
    made = _MADE.get((kind, name))
    if made is None:
        known = sorted({observable for _, observable in _MADE})
        raise ObservableError(
            f"{name} of {'a spectrum' if kind is Spectrum else 'an equilibrium'} has no sensitivity; those of "
            f"{', '.join(known)} have one. The derivative along one parameter exists of every observable: "
            f"{name}(uf.derivative(result, {{...}}))"
        )
    return made(sought)


def _current(sought: Sought, spin: bool) -> Functional:
    if sought.arguments.get("form", "consistent") != "consistent":
        raise ObservableError("form='huang2018' is not the current of the equation and has no sensitivity")
    if sought.part.reduction[0] == "through":
        return _through(sought, spin)
    component, density = sought.density
    dim = sought.problem.space.dim
    count = 3 if sought.arguments.get("components", "mesh") == "all" else dim
    axis, k = divmod(component, count) if spin else (-1, component)
    if k >= dim:
        raise ObservableError("currents along axes that the mesh does not have have no sensitivity")
    table = np.zeros_like(sought.problem.coefficients.table)
    table[..., COEFFICIENTS + GAUGE_COLUMNS * k + 1 + axis] = density
    return AlongCoefficients(-sought.weights, Direction(table=table))


def _through(sought: Sought, spin: bool) -> ThroughSection:
    section: Section = sought.part.reduction[1]
    problem = sought.problem
    share = boundary_share(problem.space, section, rigid_facets(sought.result.device, problem))
    junctions, mesh = problem.interfaces, problem.space.mesh
    adjacent = mesh.f2t[:, junctions.facets]
    own = np.isin(junctions.facets, section.facets)
    across = np.zeros((2, len(own)), bool)
    order = np.argsort(section.facets)
    places = order[np.searchsorted(section.facets, junctions.facets[own], sorter=order)]
    across[:, own] = adjacent[:, own] == section.behind[places]
    cells, near = section.cells, np.isin(adjacent, section.cells) & (adjacent >= 0)
    if own.sum() == len(section.facets):
        cells, near = np.empty(0, np.int64), np.zeros_like(across)
    factor, row = (1.0, 1 + sought.part.place) if spin else (2.0, 0)
    if row and problem.sector.name != "full":
        raise ObservableError("there is no spin current where all spins are conserved along one axis")
    return ThroughSection(factor * sought.weights, row, float(section.sign), share, cells, near, across)


def _spin_density(sought: Sought) -> Functional:
    if sought.arguments.get("pauli"):
        raise ObservableError("spin_density(pauli=True) has no sensitivity: leave out pauli, and add 2 N0 h yourself")
    component, density = sought.density
    table = np.zeros_like(sought.problem.coefficients.table)
    table[..., column.EXCHANGE_FIELD[component]] = density
    return AlongCoefficients(-sought.weights, Direction(table=table))


def _pair_amplitude(sought: Sought) -> Functional:
    n = sought.arguments.get("n", 0)
    weights = sought.result.weights.copy()
    if n is not None:
        weights = np.zeros(len(weights))
        weights[n] = 1.0
    component, point = entry_of(sought.part)
    matrix = 0.5 * np.array([np.eye(2), *SIGMA])[component] * (1.0 if sought.part.part == "real" else -1j)
    vertex = np.zeros((4, 4), complex)
    vertex[2:, :2] = matrix  # of g_12
    return _at_points(sought, weights, vertex, point)


def _density_of_states(sought: Sought) -> Functional:
    member, point = entry_of(sought.part)
    if sought.part.origin.member is not None:
        member = sought.part.origin.member
    weights = np.zeros(len(sought.result.energies))
    weights[member] = 1.0
    spin = sought.arguments.get("spin")
    vertex = np.diag([0.25, 0.25, -0.25, -0.25]).astype(complex)
    if spin is not None:
        direction = np.asarray(spin, float) / np.linalg.norm(spin)
        vertex = np.zeros((4, 4), complex)
        vertex[:2, :2] = 0.25 * (np.eye(2) + np.einsum("a,aij->ij", direction, SIGMA))
    return _at_points(sought, weights, vertex, point)


def _at_points(sought: Sought, weights: Real, vertex: NDArray[np.complex128], point: int | None) -> AtPoints:
    nodes, phi, share = samples(sought.part, sought.problem.space, point)
    return AtPoints(weights, nodes, phi, vertex[..., None] * share)


def _gap(sought: Sought) -> OrderParameter:
    _, density = sought.density
    return OrderParameter(density.astype(complex) * (1.0 if sought.part.part == "real" else 1j))


def _free_energy(sought: Sought) -> FreeEnergy:
    device, dim = sought.result.device, sought.problem.space.dim
    return FreeEnergy(sought.result, float(scale_of(device, dim, "N0*energy^2").integrated(dim)[0]))


_MADE: dict[tuple[type, str], Callable[[Sought], Functional]] = {
    (Equilibrium, "charge_current"): lambda sought: _current(sought, False),
    (Equilibrium, "spin_current"): lambda sought: _current(sought, True),
    (Equilibrium, "spin_density"): _spin_density,
    (Equilibrium, "pair_amplitude"): _pair_amplitude,
    (Equilibrium, "gap"): _gap,
    (Equilibrium, "free_energy"): _free_energy,
    (Spectrum, "density_of_states"): _density_of_states,
}
