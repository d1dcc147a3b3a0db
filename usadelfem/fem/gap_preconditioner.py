r"""An approximate inverse of the derivative of the gap equation, which makes its iterations short.

In a homogeneous superconductor, with K = -D nabla^2 / 2 and E = sqrt(w^2 + Delta^2), the derivative of the gap equation
(theory) is for changes of the phase and of the modulus

    J_phase = 2 pi T sum (1/E) K / (E + K),      J_modulus = 2 pi T sum [Delta^2/E^3 + (w^2/E^3) K / (E + K)].

Both begin as kappa + alpha K, with alpha = 2 pi T sum 1/E^2 and kappa = 0 or 2 pi T sum Delta^2/E^3, and go on growing
like a logarithm. The approximate inverse is 1/(kappa + alpha K) plus a sum of shares r_i/(1 + K/p_i) that is fitted to
the rest of 1/J_phase, up to the largest K of the elements. What varies between the points of a cell, beyond what the
elements hold, does not reach the states: it has the whole sum J = c, which ends at the cut-off only.

Where the modulus varies, a common phase still costs nothing: the first operators act on delta / |Delta|, with the
stiffness alpha |Delta|^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ..frozen import FrozenRecord
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
# Smallest modulus, relative to the largest, that the stiffness sees: vortex cores; and that alpha and kappa see.
CORE, SMALLEST = 0.03, 1e-3
# Poles of the fit to 1/J in units of the lowest energy E, and the range in which it is made.
POLES = np.array([3.0, 30.0, 300.0])
SLOWEST, SAMPLES = 0.1, 60


@dataclass(frozen=True, eq=False, repr=False)
class GapResponse(FrozenRecord):
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
    shares
        Pairs of r_i, without 1/c in that of the mass matrix, and factors of 1 + K/p_i.
    logarithm
        The sum c.
    """

    pairing: Pairing
    nodes: Index
    free: Index
    count: int
    modulus: Any
    phase: Any
    shares: tuple[tuple[float, Any], ...]
    logarithm: float

    def apply(self, gap: Complex, residual: Complex) -> Complex:
        """The change of the gap that cancels a residual, up to the sign; shape (cells, points)."""
        turned = residual * gap.conj()
        smooth = self._solve(self.modulus, turned.real) + 1j * self._solve(self.phase, turned.imag)
        change = smooth * gap + residual / self.logarithm
        parts = residual.real, residual.imag
        for share, factors in self.shares:
            real, imaginary = (self._solve(factors, part) for part in parts)
            change = change + share * (real + 1j * imaginary)
        return np.asarray(change)

    def _solve(self, factors: Any, values: Real) -> Real:
        load = np.zeros(self.count)
        np.add.at(load, self.nodes, np.einsum("cq,qi->ci", values * self.pairing.weight, self.pairing.phi))
        solution = np.zeros(self.count)
        if len(self.free):
            solution[self.free] = factors.solve(load[self.free])
        return np.asarray(np.einsum("ci,qi->cq", solution[self.nodes], self.pairing.phi))


def build_gap_response(
    problem: Problem, pairing: Pairing, gap: Complex, energies: Real, weights: Real, mass: float, logarithm: float
) -> GapResponse:  # fmt: skip
    """Factorise the operators, for a sum over Matsubara frequencies `energies` with weights that contain 2 pi T.

    `mass` is what a gap costs that only its surroundings induce, above its own Tc: a lower bound of kappa.
    """
    space, chosen = problem.space, pairing.chosen
    known, local = np.unique(pairing.cells, return_inverse=True)
    local = local.reshape(pairing.cells.shape)
    held = np.concatenate([own.nodes for own in problem.electrodes.values()] + [np.empty(0, np.int64)])
    free = np.flatnonzero(~np.isin(known, held))
    gradient = physical_gradients(space)[chosen]
    half_diffusion = 0.5 * problem.coefficients.table[chosen, :, column.D]

    def masses(values: Real) -> Real:
        return np.asarray(np.einsum("cq,qi,qj->cij", values * pairing.weight, pairing.phi, pairing.phi, optimize=True))

    def stiffnesses(values: Real) -> Real:
        own = half_diffusion * values * pairing.weight
        return np.asarray(np.einsum("cq,cqik,cqjk->cij", own, gradient, gradient, optimize=True))

    def factors(own_mass: Real, own_stiffness: Real) -> Any:
        matrix = scalar_matrix(local, own_stiffness + own_mass, len(known))
        return factorize_positive(matrix[free][:, free], space.dim) if len(free) else None

    size = np.maximum(abs(gap), SMALLEST * abs(gap).max())
    alpha, kappa = np.zeros(size.shape), np.zeros(size.shape)
    for w, weight in zip(energies.tolist(), weights.tolist(), strict=True):
        energy = np.hypot(w, size)
        alpha += weight / energy**2
        kappa += weight * size**2 / energy**3
    square = np.maximum(abs(gap), CORE * abs(gap).max()) ** 2 + 1e-300
    slow, ones = stiffnesses(alpha * square), np.ones(size.shape)
    modulus, phase = (
        factors(masses(np.maximum(own, max(FLOOR, mass)) * square), slow) for own in (kappa, 0 * kappa)
    )
    plain, whole = stiffnesses(ones), masses(ones)
    poles, shares = _fit(energies, weights, float(abs(gap).max()), _largest(plain, whole))
    shares[-1] -= 1.0 / logarithm
    own = tuple(
        (float(share), factors(whole, plain / pole)) for pole, share in zip(poles, shares, strict=True) if share
    )
    return GapResponse(pairing, local, free, len(known), modulus, phase, own, logarithm)


def _largest(stiffness: Real, mass: Real) -> float:
    """A bound of the eigenvalues K of the elements, the largest of a cell."""
    return float(np.trace(np.linalg.solve(mass, stiffness), axis1=1, axis2=2).max())


def _fit(energies: Real, weights: Real, gap: float, largest: float) -> tuple[Real, Real]:
    """Poles p_i, the last one infinite, and shares r_i >= 0: 1/J_phase = 1/(alpha K) + sum r_i/(1 + K/p_i)."""
    energy = np.hypot(energies, gap)
    k = np.geomspace(SLOWEST * energy[0], max(largest, 10 * energy[0]), SAMPLES)
    j = (weights / energy * k[:, None] / (energy + k[:, None])).sum(axis=1)
    rest = 1 / j - 1 / (k * (weights / energy**2).sum())
    poles = np.append(energy[0] * POLES, np.inf)
    shares, _ = scipy.optimize.nnls(j[:, None] / (1 + k[:, None] / poles), j * rest)
    return poles, shares
