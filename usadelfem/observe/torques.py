"""Torques: what makes the spin current change in space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, flag, named
from ..errors import ObservableError
from ..fem.coefficients import Coefficients, spin_hall_tensors
from ..fem.currents import green_at_quadrature
from ..physics import columns as column
from ..physics import matrix_current as local
from ..solve.results import Equilibrium
from .arguments import check_index, check_result
from .currents import check_form, spin_current, summed_moments
from .fields import Field

UNIT = "N0*D*energy/length^2"


@named()
def spin_torque(eq: Equilibrium, part: str = "total") -> Field:
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
    check_result("spin_torque", eq, Equilibrium)
    choice("part", part, (*column.TORQUES, "total"), error=ObservableError)
    chosen = column.TORQUES if part == "total" else (part,)
    values = sum(_precession(eq) if one == "intrinsic" else _local_torque(eq, one) for one in chosen)
    return Field("spin_torque", UNIT, ("x", "y", "z"), np.asarray(values), eq.device, eq.system.space)


@named()
def spin_orbit_torque(eq: Equilibrium, *, form: str = "consistent") -> Field:
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
    check_result("spin_orbit_torque", eq, Equilibrium)
    check_form(form)
    values = _local_torque(eq, "extrinsic")
    return Field("spin_orbit_torque", UNIT, ("x", "y", "z"), values, eq.device, eq.system.space)


@named()
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
    g, dg = green_at_quadrature(eq.system, eq.riccati[check_index(eq, n)])
    theta, kappa = spin_hall_tensors(eq.system.coefficients, eq.system.space.dim)
    torque = local.torque(g, dg, eq.system.coefficients.table[..., column.D], theta, kappa)
    vertices = local.spin_matrices(4)
    if tau3:
        vertices = vertices @ np.diag([1.0, 1.0, -1.0, -1.0])
    values = np.einsum("aij,jicq->acq", vertices, torque)
    return Field("torque_trace", "D/length^2", ("x", "y", "z"), values, eq.device, eq.system.space)


def _local_torque(eq: Equilibrium, part: str) -> NDArray[np.float64]:
    """The torque of one part of the functional at the quadrature points, shape (3, cells, points)."""
    return summed_moments(eq, _only(eq.system.coefficients, part), torque=True)[0, 1:]


def _only(coefficients: Coefficients, part: str) -> Coefficients:
    """Coefficients with one part of the functional left, besides the kinetic term, which no rotation changes."""
    table = coefficients.table.copy()
    for number, row in enumerate(column.LOCAL):
        if row.torque != part and number not in (column.N0, column.D):
            table[..., number] = 0.0
    if part != "extrinsic":
        table[..., column.D] = 0.0  # spin-charge coupling is proportional to D
    table.flags.writeable = False
    return Coefficients(table, coefficients.kinds, coefficients.pairs)


def _precession(eq: Equilibrium) -> NDArray[np.float64]:
    """Torque of the SU(2) field on the spin current, shape (3, cells, points)."""
    gauge = eq.system.coefficients.gauge
    current = spin_current(eq).quadrature
    if not gauge.shape[2]:
        return np.zeros_like(current[:, 0])
    return np.asarray(
        np.cross(np.moveaxis(current, 0, -1), np.moveaxis(gauge[..., 1:], 2, 0)).sum(axis=0).transpose(2, 0, 1)
    )
