r"""An approximate inverse of the derivative of the gap equation, which makes its iterations short.

In a homogeneous superconductor, with K = -D nabla^2 / 2 and E = sqrt(w^2 + Delta^2), the derivative of the gap equation
(theory) is for changes of the phase and of the modulus

    J_phase = 2 pi T sum (1/E) K / (E + K),      J_modulus = 2 pi T sum [Delta^2/E^3 + (w^2/E^3) K / (E + K)].

Both grow from kappa + alpha K, with alpha = 2 pi T sum 1/E^2 and kappa = 0 or 2 pi T sum Delta^2/E^3, to a logarithm.
Where the modulus varies, a common phase still costs nothing: the operators act on delta / |Delta|, with the stiffness
alpha |Delta|^2. The approximate inverse is the inverse of that plus 1/c.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..numerics.sparse import factorize_positive, scalar_matrix
from ..physics import columns as column
from ..space.space import Index, Real
from .conduction import physical_gradients
from .gap_equation import Pairing
from .problem import Problem

Complex = NDArray[np.complex128]

# Smallest kappa: keeps the matrix regular where no reservoir holds the phase, which leaves a constant free, and what
# rounding puts there small.
FLOOR = 0.1
# Smallest modulus, relative to the largest, that the stiffness sees: vortex cores.
CORE = 0.03


@dataclass(frozen=True, eq=False, repr=False)
class GapResponse:
    """The approximate inverse on the points of a pairing.

    Attributes
    ----------
    pairing
        Where the gap is unknown.
    nodes, free
        Local node numbers of the cells (cells, local nodes), and those that no reservoir holds.
    count
        Number of local nodes.
    modulus, phase
        Factors of kappa + alpha K for the two.
    """

    pairing: Pairing
    nodes: Index
    free: Index
    count: int
    modulus: Any
    phase: Any
    logarithm: float

    def apply(self, gap: Complex, residual: Complex) -> Complex:
        """The change of the gap that cancels a residual, up to the sign; shape (cells, points)."""
        turned = residual * gap.conj()
        smooth = self._solve(self.modulus, turned.real) + 1j * self._solve(self.phase, turned.imag)
        return np.asarray(smooth * gap + residual / self.logarithm)

    def _solve(self, factors: Any, values: Real) -> Real:
        load = np.zeros(self.count)
        np.add.at(load, self.nodes, np.einsum("cq,qi->ci", values * self.pairing.weight, self.pairing.phi))
        solution = np.zeros(self.count)
        if len(self.free):
            solution[self.free] = factors.solve(load[self.free])
        return np.asarray(np.einsum("ci,qi->cq", solution[self.nodes], self.pairing.phi))


def build_gap_response(
    problem: Problem, pairing: Pairing, gap: Complex, alpha: Real, kappa: Real, mass: float, logarithm: float
) -> GapResponse:  # fmt: skip
    """Factorise the two operators; alpha and kappa as in the head of this file, at the points with their own gap.

    `mass` is what a gap costs that only its surroundings induce, above its own Tc: a lower bound of kappa.
    """
    space, chosen = problem.space, pairing.chosen
    known, local = np.unique(pairing.cells, return_inverse=True)
    local = local.reshape(pairing.cells.shape)
    held = np.concatenate([own.nodes for own in problem.electrodes.values()] + [np.empty(0, np.int64)])
    free = np.flatnonzero(~np.isin(known, held))
    gradient = physical_gradients(space)[chosen]
    square = np.maximum(abs(gap), CORE * abs(gap).max()) ** 2 + 1e-300
    half = 0.5 * alpha * square * problem.coefficients.table[chosen, :, column.D] * pairing.weight
    stiffness = np.einsum("cq,cqik,cqjk->cij", half, gradient, gradient, optimize=True)

    def factors(own: Real) -> Any:
        weight = np.maximum(own, max(FLOOR, mass)) * square * pairing.weight
        local_mass = np.einsum("cq,qi,qj->cij", weight, pairing.phi, pairing.phi, optimize=True)
        matrix = scalar_matrix(local, stiffness + local_mass, len(known))
        return factorize_positive(matrix[free][:, free]) if len(free) else None

    return GapResponse(pairing, local, free, len(known), factors(kappa), factors(0 * kappa), logarithm)
