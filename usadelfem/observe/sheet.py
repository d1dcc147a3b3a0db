"""The stream function of screening currents in a film, whose rotation they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named
from ..errors import ObservableError
from ..fem.conduction import physical_gradients
from ..fields.field import Field
from ..magnetics.holes import find_boundary
from ..numerics.sparse import factorize_positive, scalar_matrix
from ..solve.results import Equilibrium
from ..space.locate import Location
from ..space.space import Space
from .arguments import check_result
from .currents import charge_current
from .observed import observable

Real = NDArray[np.float64]


@named()
@observable
def sheet_magnetisation(eq: Equilibrium) -> Field:
    """The sheet magnetisation g of a film, normal to it: the currents are j = curl(g z), (d_y g, -d_x g).

    g is zero on the outer edges and constant on the edge of each hole; the integral of g over the film, with that
    constant in the holes, is the moment `magnetisation`. Lines of constant g are lines of current, and the current
    between two points is the difference of g. It is the function whose rotation is closest to the current density in
    the L2 norm: -laplace g = d_x j_y - d_y j_x in the weak form, in the elements of the solution (Brandt, Phys. Rev. B
    72, 024529 (2005)). The field of the currents is not in it: without screening the film is thinner than the
    penetration depth.

    Unit: e N0 D energy; times the thickness of the film if j is that of a bulk.

    Raises
    ------
    ObservableError
        If the mesh is not two-dimensional, or the device has contacts, through which currents may flow.
    DeviceError
        If the boundary of the mesh touches itself.
    """
    check_result("sheet_magnetisation", eq, Equilibrium)
    space = eq.problem.space
    if space.dim != 2:
        raise ObservableError(f"sheet_magnetisation needs a two-dimensional mesh; this one has {space.dim} dimensions")
    if len(eq.device.contacts):
        raise ObservableError(
            f"the device has the contacts {', '.join(map(repr, eq.device.contacts))}, through which currents may flow: "
            "they are no rotation of a sheet magnetisation. Ask for it of a device without contacts"
        )
    nodal = _stream(space, charge_current(eq).natural.quadrature)[space.origin][:, None]

    def exact(location: Location) -> Any:
        return location.interpolate(nodal)[..., 0]

    values = np.einsum("ci,qi->cq", nodal[space.cells, 0], space.phi)
    return Field("sheet_magnetisation", "e*N0*D*energy", (), values, eq.device, space, exact=exact)


def _stream(space: Space, current: Real) -> Real:
    """The stream function at the degrees of freedom of the scalar basis, of a current density (2, cells, points)."""
    cells, count = space.origin[space.cells], len(space.basis.doflocs[0])
    gradients = physical_gradients(space)
    matrix = scalar_matrix(cells, np.einsum("cq,cqik,cqjk->cij", space.dx, gradients, gradients), count)
    local = np.einsum("cq,cq,cqi->ci", space.dx, current[0], gradients[..., 1])
    local -= np.einsum("cq,cq,cqi->ci", space.dx, current[1], gradients[..., 0])
    load = np.bincount(cells.ravel(), local.ravel(), count).astype(float)
    boundary = find_boundary(space.mesh)
    edge = space.origin[space.facet_nodes(boundary.facets[boundary.outer])]
    free = np.setdiff1d(np.unique(cells), edge)
    stream = np.zeros(count)
    if len(free):
        stream[free] = factorize_positive(matrix[free][:, free]).solve(load[free])
    return stream
