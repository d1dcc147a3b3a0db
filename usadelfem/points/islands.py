"""Superconducting islands whose phase nothing holds rigidly: the softest modes of a self-consistent gap.

The phase of an island behind weak barriers costs hardly any free energy, F(theta_1, ..., theta_n), and the residual of
the gap equation hardly shows that it is wrong. The phases are therefore found from the forces dF/dtheta, the currents
that flow into the islands, and their derivatives, by Newton's method. Forces are summed over what surrounds an island:
inside, all terms are invariant, and would only add their rounding errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..fem.gap_equation import Pairing
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..space.space import Index

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Longest step of a phase, and from where on it is taken by itself, with all states following; radians.
LONGEST, FINITE = 0.5, 1e-3
# Stiffness of a common phase of all islands, relative to the stiffest, that counts as none: what rounding leaves of it.
NOISE = 1e-9
# Stiffness, relative to N0 |Delta|^2 times the volume, below which islands turn rigidly; angle of difference quotients.
RIGID, TINY = 1e-4, 1e-3
# Weight of a phase that is off, in radians, against a residual in units of the gap.
PHASE = 1e-2


@dataclass(frozen=True, eq=False)
class Islands:
    """The floating islands of a device.

    Attributes
    ----------
    masks
        Which cells of the pairing belong to each, shape (islands, cells).
    nodes
        Which nodes do, shape (islands, nodes).
    around
        The cells that share nodes with an island and belong to none.
    """

    masks: NDArray[np.bool_]
    nodes: NDArray[np.bool_]
    around: Index

    def force(self, problem: Problem, frequencies: Real, weights: Real, states: Complex, temperature: float) -> Real:
        """dF/dtheta / 2 of every island at the present states, energy times volume; shape (islands,)."""
        total, equation = np.zeros(len(self.masks)), Matsubara(problem)
        for w, weight, state in zip(frequencies.tolist(), weights.tolist(), states, strict=True):
            total += weight * equation.phase_force(w, state, self.around, self.nodes)
        return 0.5 * np.pi * temperature * total

    def stiffness(
        self, pairing: Pairing, gap: Complex, residual: Complex, derivative: Callable[[Complex], Complex],
        force: Callable[[Real], Real],
    ) -> Real:  # fmt: skip
        """Derivative of the force with the phases, shape (islands, islands).

        `derivative` is the change of R with the gap, the states following, and `force` that with states turned by
        given phases. Weakly held islands turn rigidly; elsewhere their surroundings, and they themselves, give way.
        """

        def torque(change: Complex) -> Real:
            return np.asarray(self.masks @ (pairing.weight * (gap.conj() * change).imag).sum(axis=1))

        unit = TINY * np.eye(len(self.masks))
        rigid = np.array([(force(phases) - force(-phases)) / (2 * TINY) for phases in unit]).T
        size = self.masks @ (pairing.weight * abs(gap) ** 2).sum(axis=1)
        if abs(rigid).max(initial=0.0) < RIGID * size.min():
            return np.asarray(0.5 * (rigid + rigid.T))
        matrix = np.array([torque(derivative(1j * gap * mask[:, None])) for mask in self.masks]).T
        pull = self.masks @ (pairing.weight * (gap.conj() * residual).real).sum(axis=1)
        return np.asarray(0.5 * (matrix + matrix.T) - np.diag(pull))

    def step(self, force: Real, stiffness: Real) -> Real:
        """The phases to add, shape (islands,): Newton's step, downhill where F curves down, 0 where F is flat."""
        values, vectors = np.linalg.eigh(stiffness)
        stiff = abs(values) > NOISE * abs(values).max(initial=0.0)
        parts = np.where(stiff, -(vectors.T @ force) / np.where(stiff, abs(values), 1.0), 0.0)
        step = vectors @ parts
        return np.asarray(step * min(1.0, LONGEST / max(abs(step).max(initial=0.0), LONGEST)))

    def turned(self, phases: Real, gap: Complex, states: Complex) -> tuple[Complex, Complex]:
        """The gap and the states (frequencies, nodes, 4) with the phases of the islands added."""
        factor = np.exp(1j * (phases @ self.masks))[:, None]
        return gap * factor, states * np.exp(1j * (phases @ self.nodes))[:, None]


def connected_parts(problem: Problem, pairing: Pairing) -> tuple[Index, Index, bool]:
    """The connected part that every cell of the pairing belongs to; the parts that a superconducting contact holds; and
    whether there is anything superconducting besides the pairing.
    """
    mesh, unknown = problem.space.mesh, np.zeros(problem.space.mesh.nelements, bool)
    unknown[pairing.chosen] = True
    passable = mesh.f2t[1] >= 0
    passable[problem.space.barriers] = False
    pairs = mesh.f2t[:, passable]
    pairs = pairs[:, unknown[pairs].all(axis=0)]
    graph = coo_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(mesh.nelements,) * 2)
    own: Index = np.asarray(connected_components(graph, directed=False)[1][pairing.chosen], np.int64)
    superconducting = [electrode.nodes for electrode in problem.electrodes.values() if abs(electrode.gap).any()]
    held = np.zeros(problem.space.nodes.shape[1], bool)
    for at_contact in superconducting:
        held[at_contact] = True
    fixed = np.unique(own[held[pairing.cells].any(axis=1)])
    return own, fixed, bool(superconducting or abs(problem.gap[~unknown]).any())


def find_islands(problem: Problem, pairing: Pairing | None) -> Islands | None:
    """The floating islands of a device; None if there are none, or just one with nothing to hold its phase."""
    if pairing is None:
        return None
    own, fixed, others = connected_parts(problem, pairing)
    floating = np.setdiff1d(own, fixed)
    if not len(floating) or (len(floating) == 1 and not (len(fixed) or others)):
        return None
    masks: Any = np.equal(own[None, :], floating[:, None])
    nodes = np.zeros((len(floating), problem.space.nodes.shape[1]), bool)
    for island in range(len(floating)):
        nodes[island, pairing.cells[masks[island]]] = True
    at_islands = np.isin(problem.space.cells, np.flatnonzero(nodes.any(axis=0)))
    around = np.setdiff1d(np.flatnonzero(at_islands.any(axis=1)), pairing.chosen[masks.any(axis=0)])
    return Islands(masks, nodes, around.astype(np.int64))
