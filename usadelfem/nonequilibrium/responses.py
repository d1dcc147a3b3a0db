"""Linear responses of the distribution to the reservoirs at one energy, and the currents that go with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import DeviceError, SolveError
from ..fem.problem import Problem
from ..fem.retarded import Retarded
from ..fem.sector import full_sector
from ..physics.nambu import SIGMA
from ..physics.riccati import green, to_matrix
from ..space.space import Index, Real
from .factors import ModeFactor, ModeSolver
from .kinetic import Kinetic

Complex = NDArray[np.complex128]

# A mode is imposed by a superconducting reservoir where the square of K = R h - h A is more than this part of its
# normal size there. Below the gap energy and spin do not pass (Andreev reflection), and those modes are left to
# themselves; in between the reservoir conducts them, without a step in energy.
IMPOSED = 1e-2
ACCURACY = 1e-13  # of the residual
TAU3 = np.kron(np.diag([1.0, -1.0]), np.eye(2))


class Response(NamedTuple):
    """What unit modes of the reservoirs do at one energy.

    Attributes
    ----------
    fields
        Distributions at the nodes (terminals, modes, nodes, m).
    conductance
        Currents of modes out of terminals, (terminals, m, terminals, m); the charge current through a contact is
        (1/2) Int dE of the sum of conductance times deviation, over all E.
    """

    fields: Real
    conductance: Real


def mode_matrices(entries: int) -> Complex:
    """N_j of the m = 2 entries modes in the frame of a sector, (m, 4, 4): spin matrices, then those times tau3."""
    spins = {1: [np.eye(2)], 2: [np.eye(2), SIGMA[2]], 4: [np.eye(2), *SIGMA]}[entries]
    plain = [np.kron(np.eye(2), spin) for spin in spins]
    return np.array([*plain, *(matrix @ TAU3 for matrix in plain)], complex)


def mode_vectors(problem: Problem) -> Real:
    """The modes of the sector in terms of all 8 (`bias.MODES`), shape (8, m): their transpose goes back."""
    sector, n = problem.sector, problem.sector.entries
    out = np.zeros((8, 2 * n))
    out[0, 0] = out[1, n] = 1.0
    axes = {1: np.zeros((0, 3)), 2: sector.axis[None], 4: np.eye(3)}[n]
    for k, axis in enumerate(axes):
        out[2:5, 1 + k] = out[5:, n + 1 + k] = axis
    return out


@dataclass(frozen=True, eq=False)
class Responses:
    """The kinetic equation of a device between its reservoirs.

    Attributes
    ----------
    problem
        The discretised device.
    kind
        The linear solver, as in `linear_solver`.
    slots
        How many energies keep their factors for `answer`.
    """

    problem: Problem
    kind: str = "auto"
    slots: int = 1

    def __post_init__(self) -> None:
        self._check_reached()

    def with_problem(self, problem: Problem) -> Responses:
        """The same of a problem with other coefficients, which knows all that does not depend on them."""
        made = Responses.__new__(Responses)
        vars(made).update({name: own for name, own in vars(self).items() if name not in ("kinetic", "_kept")})
        object.__setattr__(made, "problem", problem)
        vars(made.kinetic)["pattern"] = self.kinetic.pattern
        return made

    def keeping(self, slots: int) -> Responses:
        """The same with room for the factors of so many energies."""
        if slots == self.slots:
            return self
        made = Responses(self.problem, self.kind, slots)
        vars(made.kinetic)["pattern"] = self.kinetic.pattern
        return made

    def whole(self) -> Responses:
        """The same with all 8 modes."""
        return Responses(replace(self.problem, sector=full_sector()), self.kind)

    @cached_property
    def kinetic(self) -> Kinetic:
        """The equation."""
        return Kinetic(self.problem)

    @cached_property
    def terminals(self) -> dict[str, Index]:
        """The nodes of every reservoir; a node of several belongs to the first."""
        owner = np.full(self.problem.space.nodes.shape[1], -1)
        for number, own in enumerate(self.problem.electrodes.values()):
            owner[own.nodes[owner[own.nodes] < 0]] = number
        return {name: np.flatnonzero(owner == number) for number, name in enumerate(self.problem.electrodes)}

    @cached_property
    def _rows(self) -> Index:
        """For every block of the matrix the node of its row."""
        pattern = self.kinetic.pattern
        return np.repeat(np.arange(len(pattern.indptr) - 1), np.diff(pattern.indptr))

    @cached_property
    def _solver(self) -> ModeSolver:
        return ModeSolver(self.kinetic.pattern, self.kinetic.modes, self.kind, self.slots)

    def solve(self, w: complex, state: Complex, slot: int = 0) -> Response:
        """The responses at w = Gamma - iE with the retarded state (nodes, 2n); its factors stay in a slot.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the equation has no unique solution.
        """
        kinetic = self.kinetic
        m, count = kinetic.modes, self.problem.space.nodes.shape[1]
        values = kinetic.blocks(w, state)
        imposed = self._imposed(state)
        matrix, right = self._with_reservoirs(values, imposed)
        factor = self._solver.factorize(matrix, slot)
        if self.slots > 1:
            self._kept[slot] = factor, imposed, values
        h = factor.solve(right.reshape(count, m, -1), ACCURACY)
        fields = np.ascontiguousarray(h.reshape(count, m, len(self.terminals), m).transpose(2, 3, 0, 1))
        conductance = self._conductance(values, h)
        return Response(fields, conductance.reshape(len(self.terminals), m, len(self.terminals), m))

    def answer(self, slot: int, load: Real) -> tuple[Real, Real]:
        """The distribution (nodes, m) that a load makes at the energy of a slot, without deviations of the reservoirs,
        and the currents of modes out of terminals, (terminals, m) as in `Response.conductance`.
        """
        factor, imposed, values = self._kept[slot]
        right = load.copy()
        right[self._given] -= np.einsum("nij,nj->ni", imposed, load[self._given])
        h = factor.solve(right[:, :, None], ACCURACY)
        currents = self._conductance(values, h)[..., 0]
        for number, nodes in enumerate(self.terminals.values()):
            currents[number] -= 0.25 * load[nodes].sum(axis=0)
        return h[..., 0], currents

    @cached_property
    def _kept(self) -> dict[int, tuple[ModeFactor, Real, Real]]:
        """Factors, imposed modes and matrices of slots."""
        return {}

    def _with_reservoirs(self, values: Real, imposed: Real) -> tuple[Real, Real]:
        """The matrix with the rows of imposed modes replaced by those of unit matrices, and its right-hand sides."""
        m = self.kinetic.modes
        place, rows, diagonal = self._given_rows
        own, blocks = place[self._rows[rows]], values[rows]
        size = np.zeros(len(diagonal))
        np.maximum.at(size, own, abs(blocks).max(axis=(1, 2), initial=0.0))
        size[size == 0] = 1.0
        scaled = size[:, None, None] * imposed
        matrix = values.copy()
        matrix[rows] = blocks - imposed[own] @ blocks
        matrix[diagonal] += scaled
        right = np.zeros((len(place), m, len(self.terminals), m))
        for number, nodes in enumerate(self.terminals.values()):
            right[nodes, :, number] = scaled[place[nodes]]
        return matrix, right

    def _conductance(self, values: Real, h: Real) -> Real:
        """A quarter of what leaves the nodes of the terminals: the rows of the matrix there times h (nodes, m, k)."""
        out = np.zeros((len(self.terminals), *h.shape[1:]))
        for number, blocks in enumerate(self._terminal_blocks):
            out[number] = np.einsum("brc,bck->rk", values[blocks], h[self.kinetic.pattern.indices[blocks]])
        return 0.25 * out

    @cached_property
    def _given(self) -> Index:
        """Nodes at which modes are imposed: those of reservoirs and what is behind their barriers."""
        return np.unique(np.concatenate([self._behind, *self.terminals.values()]))

    @cached_property
    def _given_rows(self) -> tuple[Index, Index, Index]:
        """For every node its place among the given ones, or -1; their blocks of the matrix, and the diagonal ones."""
        place = np.full(len(self.kinetic.pattern.indptr) - 1, -1)
        place[self._given] = np.arange(len(self._given))
        diagonal = np.flatnonzero(self._rows == self.kinetic.pattern.indices)
        return place, np.flatnonzero(place[self._rows] >= 0), diagonal[self._given]

    @cached_property
    def _terminal_blocks(self) -> list[Index]:
        """The blocks of the matrix in the rows of every terminal."""
        return [np.flatnonzero(np.isin(self._rows, nodes)) for nodes in self.terminals.values()]

    @cached_property
    def _behind(self) -> Index:
        """Nodes behind barriers."""
        return np.concatenate([np.empty(0, np.int64), *(ghosts for _, ghosts in self.problem.space.ghosts)])

    @cached_property
    def _open(self) -> Index:
        """Which of the given nodes a superconducting reservoir holds, whose gap lets some modes alone."""
        gapped = [own.nodes[abs(own.gap) > 0] for own in self.problem.electrodes.values()]
        held = np.isin(self._given, np.concatenate([np.empty(0, np.int64), *gapped]))
        return np.flatnonzero(held & ~np.isin(self._given, self._behind) & self._led_out[self._given])

    def _imposed(self, state: Complex) -> Real:
        """Projectors on the modes that are imposed at the given nodes, (nodes, m, m)."""
        m = self.kinetic.modes
        found = np.tile(np.eye(m), (len(self._given), 1, 1))
        if len(self._open):
            found[self._open] = self._passing(state[self._given[self._open]])
        return found

    def _passing(self, state: Complex) -> Real:
        """How far modes are imposed at nodes of a superconducting reservoir, (nodes, m, m); 1 where they make K."""
        equation, modes = Retarded(self.problem), mode_matrices(self.problem.sector.entries)
        a, b = equation.matrices(state)
        r = np.moveaxis(green(to_matrix(a), to_matrix(b)), -1, 0)
        adv = -TAU3 @ r.conj().swapaxes(-1, -2) @ TAU3
        k = r[:, None] @ modes - modes @ adv[:, None]
        gram = np.einsum("nirc,njrc->nij", k.conj(), k).real / 16
        sizes, vectors = np.linalg.eigh(gram)
        imposed = 1.0 - np.exp(-((np.maximum(sizes, 0.0) / IMPOSED) ** 2))
        return np.asarray(np.einsum("nik,nk,njk->nij", vectors, imposed, vectors))

    @cached_property
    def _parts(self) -> Index:
        """The connected part that every node belongs to."""
        space, junctions = self.problem.space, self.problem.interfaces
        conducting = junctions.nodes[(junctions.normal_conductance > 0).any(axis=1)]
        edges = [np.repeat(nodes[:, :1], nodes.shape[1], axis=1) for nodes in (space.cells, conducting)]
        first = np.concatenate([part.ravel() for part in edges])
        second = np.concatenate([space.cells.ravel(), conducting.ravel()])
        count = space.nodes.shape[1]
        graph = coo_array((np.ones(len(first)), (first, second)), shape=(count, count))
        return np.asarray(connected_components(graph, directed=False)[1])

    @cached_property
    def _led_out(self) -> NDArray[np.bool_]:
        """Whether the part of a node has a reservoir that takes energy up below the gap too."""
        taking = [
            own.nodes[(abs(own.gap) == 0) | np.isin(own.nodes, self._behind)]
            for own in self.problem.electrodes.values()
        ]
        return np.isin(self._parts, self._parts[np.concatenate([np.empty(0, np.int64), *taking])])

    def _check_reached(self) -> None:
        """DeviceError where a part of the device has no reservoir, so that nothing determines its occupation."""
        space = self.problem.space
        reached = self._parts[np.concatenate([np.empty(0, np.int64), *self.terminals.values()])]
        alone = ~np.isin(self._parts[space.cells[:, 0]], reached)
        regions = [name for name, cells in space.mesh.subdomains.items() if alone[cells].any()]
        if regions:
            raise DeviceError(
                f"region {', '.join(map(repr, regions))} is connected to no reservoir, so that nothing determines its "
                "occupation: give it a contact, or a barrier that conducts"
            )


def solved_response(
    responses: Responses, broadening: float, energy: float, state: Complex, slot: int = 0
) -> Response:
    """The response at an energy; SolveError where the kinetic equation is singular."""
    try:
        return responses.solve(complex(broadening, -energy), state, slot)
    except np.linalg.LinAlgError as error:
        raise SolveError(
            f"the kinetic equation at energy {energy:.6g} has no unique solution ({error}). Try: a larger broadening, "
            "or a finer mesh", frequency=energy, residuals=(), state=state,
        ) from error  # fmt: skip
