"""The free energy of a solution: densities of the functional at the quadrature points, and interface terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..physics.columns import N0
from ..physics.functional import density
from ..physics.jit import kernel, readonly
from ..physics.nambu import Spin, mul, tilde, trace
from ..physics.variations import frame
from ..space.space import Real
from .assembly import Complex
from .cells import SPIN_CHARGE, derivatives, gradients, interpolate, partner_derivatives
from .interfaces import junction_energy
from .matsubara import Spectral
from .workspace import PointSpace, point_space


@kernel
def add_density(
    like: Spin, w: float, weight: float, state: Any, cells: Any, phi: Any, dphi: Any, inverse: Any, table: Any,
    kinds: Any, pairs: Any, point: PointSpace, out: Any,
) -> None:  # fmt: skip
    """Add weight N0 (f + 4 w), the density of the functional measured from the normal state, to out (cells, points)."""
    da, db = point.dz[0], point.dz[1]
    for e in range(cells.shape[0]):
        own = pairs if kinds[e] & SPIN_CHARGE else pairs[:0]
        for q in range(len(phi)):
            gradients(dphi, inverse, e, q, point.grad)
            a = interpolate(like, state, cells[e], phi[q])
            c = table[e, q]
            derivatives(state, cells[e], point.grad, kinds[e], c, a, da)
            partner_derivatives(a, point.dz)
            b = tilde(a)
            # -w Tr tau3 g + 4 w, without the difference of large numbers
            spectral = 4.0 * w * trace(mul(frame(a, b)[0], mul(a, b))).real
            out[e, q] += weight * c[N0] * (density(0.0, c, own, a, b, da, db, point.rows).real + spectral)


def spectral_energy(system: Spectral, w: float, weight: float, state: Complex) -> tuple[Real, float]:
    """weight (f_w - f_w of the normal state) at the quadrature points (cells, points), and of all interfaces together.

    Both include N0; local self-energies are subtracted with the rest of the normal state.
    """
    space, like, (own, junctions) = system.space, system.sector.like, system.aligned
    reduced = system.sector.reduce(state)
    out, normal = np.zeros(space.dx.shape), np.zeros(space.dx.shape)
    tables = space.cells, space.phi, space.dphi, space.inverse, own.table, own.kinds, own.pairs
    cells, phi, dphi, inverse, table, kinds, pairs = readonly(*tables)
    point = point_space(len(like), space.dim, cells.shape[1])
    for each, target in ((reduced, out), (np.zeros_like(reduced), normal)):
        (given,) = readonly(each)
        add_density(like, w, weight, given, cells, phi, dphi, inverse, table, kinds, pairs, point, target)
    if not len(junctions.facets):
        return out - normal, 0.0
    parts = junctions.nodes, junctions.phi, junctions.dx, junctions.table, junctions.kinds, junctions.channels
    nodes, phi, dx, table, kinds, channels, given = readonly(*parts, reduced)
    return out - normal, weight * float(junction_energy(like, given, nodes, phi, dx, table, kinds, channels))
