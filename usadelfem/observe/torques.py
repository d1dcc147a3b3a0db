"""Torques: what makes the spin current change in space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, flag, named
from ..errors import ObservableError
from ..fem.coefficients import spin_hall_tensors
from ..fem.conjugates import conjugate_places
from ..fem.currents import green_at_quadrature
from ..fields.field import Field
from ..nonequilibrium.result import Nonequilibrium
from ..physics import columns as column
from ..physics import matrix_current as local
from ..physics.nambu import SIGMA
from ..solve.results import Equilibrium
from .arguments import check_index, check_result
from .currents import check_form
from .kinetic_currents import driven_torque
from .observed import observable

Complex = NDArray[np.complex128]

UNIT = "hbar*N0*D*energy/length^2"


@named()
@observable
def spin_torque(eq: Equilibrium | Nonequilibrium, part: str = "total") -> Field:
    """The density of the torques on the spins, components (3,), spin axes.

    They balance the divergence of the spin current, d_k j_k^a = the sum of all parts: take Tr (sigma_a/2) of the whole
    equation and sum it over all frequencies, times -(i pi N0 T/2) (theory, section on the spin balance). Each part is
    the change of its term of the functional when g is rotated in spin space.

    Unit: N0 D energy / length^2, spin in units of hbar.

    Parameters
    ----------
    part
        "exchange": precession in the exchange field. "relaxation": scattering at spin-orbit and magnetic impurities
        (tau_so, tau_sf). "extrinsic": spin Hall effect and spin swapping, as `spin_orbit_torque`. "intrinsic":
        precession of the moving spins in the SU(2) field, sum_k (j_k x SU_k)^a. "total": the sum.

    Raises
    ------
    ObservableError
        If there is no such part.
    """
    check_result("spin_torque", eq, Equilibrium, Nonequilibrium)
    choice("part", part, (*column.TORQUES, "total"), error=ObservableError)
    chosen = column.TORQUES if part == "total" else (part,)
    return Field("spin_torque", UNIT, ("x", "y", "z"), _whole(eq, chosen), eq.device, eq.problem.space)


@named()
@observable
def spin_orbit_torque(eq: Equilibrium | Nonequilibrium, *, form: str = "consistent") -> Field:
    """The spin-orbit torque density of the spin Hall effect and spin swapping, components (3,).

    t_a = -(i pi N0 T/2) sum over all w of Tr (sigma_a/2) T with T = (D/4) (Theta_kj^a [sigma_a, g d_k g d_j g] + i
    Kappa_kj^a [d_k g d_j g, sigma_a]) (theory, section on the spin balance), the part of `spin_torque` that is due to
    theta and kappa.

    Unit: N0 D energy / length^2, spin in units of hbar.

    Parameters
    ----------
    form
        "consistent" or "huang2018". T is the same in both, only the matrix current differs; for the trace with tau3 of
        the paper's Eq. 84 see `torque_trace`.

    Raises
    ------
    ObservableError
        If there is no such form.
    """
    check_result("spin_orbit_torque", eq, Equilibrium, Nonequilibrium)
    check_form(form)
    values = _whole(eq, ("extrinsic",))
    return Field("spin_orbit_torque", UNIT, ("x", "y", "z"), values, eq.device, eq.problem.space)


@named()
@observable
def torque_trace(eq: Equilibrium, n: int = 0, *, tau3: bool = True) -> Field:
    """Tr sigma_a tau3 T (or Tr sigma_a T) at one Matsubara frequency, complex components (3,).

    The combination with tau3 is the one that Eq. 84 of Huang, Tokatly and Bergeret (2018) prints. It is real and odd in
    w, so that its sum over all frequencies vanishes; the torque in the spin balance comes from Tr sigma_a T, which is
    imaginary and even (`spin_orbit_torque`). Unit: that of D over length^2.

    Parameters
    ----------
    n
        Index into `eq.frequencies`, 0 is the lowest.
    tau3
        Whether the trace contains tau3.

    Raises
    ------
    ObservableError
        If there is no such frequency.
    """
    check_result("torque_trace", eq, Equilibrium)
    flag("tau3", tau3, error=ObservableError)
    g, dg = green_at_quadrature(eq.problem, eq.riccati[check_index(eq, n)])
    theta, kappa = spin_hall_tensors(eq.problem.coefficients, eq.problem.space.dim)
    torque = local.torque(g, dg, eq.problem.coefficients.table[..., column.D], theta, kappa)
    vertices = local.spin_matrices(4)
    if tau3:
        vertices = vertices @ np.diag([1.0, 1.0, -1.0, -1.0])
    values = np.einsum("aij,jicq->acq", vertices, torque)
    return Field("torque_trace", "D/length^2", ("x", "y", "z"), values, eq.device, eq.problem.space)


def _whole(result: Equilibrium | Nonequilibrium, parts: tuple[str, ...]) -> NDArray[np.float64]:
    """The torque of an equilibrium, and what deviations from it add."""
    if isinstance(result, Nonequilibrium):
        return _torque(result.equilibrium, parts) + driven_torque(result, parts)
    return _torque(result, parts)


def _torque(eq: Equilibrium, parts: tuple[str, ...]) -> NDArray[np.float64]:
    """The torque of some parts of the functional at the quadrature points, shape (3, cells, points).

    A turn of g does to the functional what the opposite turn of its coefficients does: of a spin vector c it is
    c x df/dc. What belongs to the axes of a diagonal tensor is varied along the turn of the states.
    """
    problem, weights = eq.problem, np.pi * eq.temperature * eq.weights
    torque = np.zeros((3, *problem.space.dx.shape))
    if problem.sector.name != "full":  # spin along the only axis is conserved
        return torque
    table, places = problem.coefficients.table, conjugate_places(problem.coefficients, problem.space.dim)
    rows = [(number, row) for number, row in enumerate(problem.coefficients.rows) if row.torque in parts and row.spin]
    for first, row in rows:
        if row.spin == ("vector", 0) and table[..., first : first + 3].any():
            own = np.moveaxis(table[..., first : first + 3], -1, 0)
            torque += np.cross(own, eq.equation.conjugates(places[first : first + 3], weights, eq.riccati), axis=0)
    tensors = [number for number, row in rows if row.spin and row.spin[0] == "diagonal" and table[..., number].any()]
    if tensors:
        own = np.moveaxis(table[..., tensors], -1, 0)
        for axis in range(3):
            turned = [problem.sector.reduce(_turned(state, axis)) for state in eq.riccati]
            changes = eq.equation.changes([places[n] for n in tensors], weights, eq.riccati, turned)
            torque[axis] += (own * changes).sum(axis=0)
    return torque * table[..., column.N0]


def _turned(state: Complex, axis: int) -> Complex:
    """i [sigma_a/2, a] of states (..., 4)."""
    a = state.reshape(*state.shape[:-1], 2, 2)
    sigma = SIGMA[axis]
    return np.asarray(0.5j * (sigma @ a - a @ sigma)).reshape(state.shape)
