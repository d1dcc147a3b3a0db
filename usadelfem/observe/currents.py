"""Charge and spin currents."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import choice, named
from ..errors import ObservableError
from ..fem.coefficients import spatial_axes, spatial_spin_hall_tensors, spin_hall_tensors
from ..fem.conjugates import gauge_columns
from ..fem.currents import green_at_quadrature
from ..fields.field import Field
from ..nonequilibrium.result import Nonequilibrium
from ..physics import matrix_current as local
from ..physics.columns import N0, D
from ..solve.normal_state import NormalState
from ..solve.results import Equilibrium, Spectrum
from .arguments import check_index, check_result
from .kinetic_currents import driven_current
from .normal_state import normal_charge_current, normal_spin_current
from .observed import observable
from .retarded_currents import CHARGE, SPIN, spectral_current
from .section_flux import flux_of

AXES = ("x", "y", "z")
FORMS = ("consistent", "huang2018")


@named()
@observable
def charge_current(
    result: Equilibrium | NormalState | Spectrum | Nonequilibrium, *, form: str = "consistent", components: str = "mesh"
) -> Field:  # fmt: skip
    """The density of the charge current, components (dim,) or (3,).

    In equilibrium j_k = -(i pi e N0 T/2) sum over all w of Tr tau3 J_k (theory, section on observables), positive along
    a growing phase: a uniform gradient gives j = 2 pi T sigma sum_{w>0} f^2 d_k phi with sigma = 2 e^2 N0 D and f =
    |gap| / sqrt(w^2 + |gap|^2). Times `normal_resistance`, a total current `through(...)` is the energy e I R_N. In the
    normal state -sigma d_k mu and the inverse spin Hall current (`solve_normal_state`). Of a spectrum the spectral
    current j(E), a series over energies: the integral over E > 0 of j(E) tanh(E/2T) is the equilibrium current.

    Unit: e N0 D energy / length (hbar = 1), with N0, D, energy and length as the device was described; of a spectrum
    e N0 D / length. Out of equilibrium that of the equilibrium and -(N0/8) Int dE Tr tau3 J_k^K of the deviation.

    Parameters
    ----------
    form
        "consistent": the current of the equation that is solved. "huang2018": J_k as printed in Eqs. 2 and 3 of Huang,
        Tokatly and Bergeret (2018), for comparison; it differs where theta or kappa is not zero, is not conserved, and
        `through` integrates its recovered density. In the normal state both are the same.
    components
        "mesh": along the axes of the mesh. "all": along all axes of space, those of the mesh first; in one and two
        dimensions theta and kappa make currents along the axes on which nothing depends, such as the spin Hall current
        normal to a film (theory, section on the current: J_k with d_k g = 0). Not of a spectrum.

    Raises
    ------
    ObservableError
        If there is no such form or choice of components.
    """
    check_result("charge_current", result, Equilibrium, NormalState, Spectrum, Nonequilibrium)
    check_form(form)
    directions = _directions(result, components)
    if isinstance(result, Nonequilibrium):
        _refuse_printed(form)
        return driven_current(result, charge_current(result.equilibrium), slice(1, 2), 0.25)
    if isinstance(result, NormalState):
        return normal_charge_current(result, directions)
    if isinstance(result, Spectrum):
        _refuse_printed(form)
        axes = AXES[: result.problem.space.dim]
        return spectral_current(result, CHARGE, "spectral_charge_current", "e*N0*D/length", axes)
    space = result.problem.space
    values = _densities(result, form, len(directions))[0]
    return Field(
        "charge_current", "e*N0*D*energy/length", directions, values, result.device, space,
        flux=flux_of(result, form, slice(0, 1), 2.0),
    )  # fmt: skip


@named()
@observable
def spin_current(
    result: Equilibrium | NormalState | Spectrum | Nonequilibrium, *, form: str = "consistent", components: str = "mesh"
) -> Field:  # fmt: skip
    """The density of the spin current j_k^a, components (3, dim) or (3, 3): spin axis first, direction of flow second.

    In equilibrium j_k^a = -(i pi N0 T/2) sum over all w of Tr (sigma_a/2) J_k (theory, section on observables). Of a
    spectrum the spectral current, as in `charge_current`.

    Unit: N0 D energy / length, spin in units of hbar; of a spectrum N0 D / length.

    Parameters
    ----------
    form
        "consistent" or "huang2018", as in `charge_current`.
    components
        "mesh" or "all" directions of flow, as in `charge_current`.

    Raises
    ------
    ObservableError
        If there is no such form or choice of components.
    """
    check_result("spin_current", result, Equilibrium, NormalState, Spectrum, Nonequilibrium)
    check_form(form)
    directions = _directions(result, components)
    if isinstance(result, Nonequilibrium):
        _refuse_printed(form)
        return driven_current(result, spin_current(result.equilibrium), slice(2, 5), 0.125)
    if isinstance(result, NormalState):
        return normal_spin_current(result, directions)
    space = result.problem.space
    names = tuple(f"s{axis}_{direction}" for axis in AXES for direction in directions)
    if isinstance(result, Spectrum):
        _refuse_printed(form)
        return spectral_current(result, SPIN, "spectral_spin_current", "hbar*N0*D/length", names)
    values = _densities(result, form, len(directions))[1]
    return Field(
        "spin_current", "hbar*N0*D*energy/length", names, values, result.device, space,
        flux=flux_of(result, form, slice(1, 4), 1.0),
    )  # fmt: skip


@named()
@observable
def matrix_current(eq: Equilibrium, n: int = 0, *, form: str = "consistent") -> Field:
    """The matrix current J_k at one Matsubara frequency, complex components (dim, 4, 4).

    J_k = -D (g d_k g - (1/2) Theta_kj^a {d_j g, S_a} - (i/2) Kappa_kj^a [g d_j g, S_a]) with S_a = (sigma_a + g sigma_a
    g)/2 (theory, section on the current); N0 J_k is what is continuous between regions. Unit: that of D over length.

    Parameters
    ----------
    n
        Index into `eq.frequencies`, 0 is the lowest.
    form
        "consistent" or "huang2018", which has sigma_a in place of S_a.

    Raises
    ------
    ObservableError
        If there is no such frequency or form.
    """
    check_result("matrix_current", eq, Equilibrium)
    check_form(form)
    current = _matrix_current(eq, eq.riccati[check_index(eq, n)], form)
    space = eq.problem.space
    names = tuple(f"{axis}_{i}{j}" for axis in AXES[: space.dim] for i in range(1, 5) for j in range(1, 5))
    return Field("matrix_current", "D/length", names, current, eq.device, space)


def _refuse_printed(form: str) -> None:
    if form != "consistent":
        raise ObservableError(
            f"form={form!r} is for an equilibrium; other currents are those of the consistent form"
        )


def check_form(form: str) -> None:
    """ObservableError unless it is the name of a form of the current."""
    choice("form", form, FORMS, error=ObservableError)


def _directions(result: Equilibrium | NormalState | Spectrum | Nonequilibrium, components: str) -> tuple[str, ...]:
    """Names of the directions of flow."""
    choice("components", components, ("mesh", "all"), error=ObservableError)
    dim = result.device.mesh.dim()
    if components == "mesh" or dim == 3:
        return AXES[:dim]
    if isinstance(result, Spectrum | Nonequilibrium):
        raise ObservableError("components='all' is for an equilibrium or a normal state, not for other results")
    return tuple(AXES[axis] for axis in spatial_axes(result.device))


def _matrix_current(
    eq: Equilibrium, state: NDArray[np.complex128], form: str, *, everywhere: bool = False
) -> NDArray[np.complex128]:  # fmt: skip
    space, own = eq.problem.space, eq.problem.coefficients
    g, dg = green_at_quadrature(eq.problem, state)
    if everywhere:
        theta, kappa = spatial_spin_hall_tensors(eq.device, space, own)
        dg = np.concatenate([dg, np.zeros((3 - space.dim, *dg.shape[1:]))])
    else:
        theta, kappa = spin_hall_tensors(own, space.dim)
    return np.asarray(local.matrix_current(g, dg, own.table[..., D], theta, kappa, form=form))


def _densities(eq: Equilibrium, form: str, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Charge and spin current densities along `count` directions at the quadrature points."""
    dim = eq.problem.space.dim
    if form == "huang2018":
        return _traces(eq, form, everywhere=count > dim)
    charge, spin = _moments(eq)
    if count == dim:
        return charge, spin
    whole = _traces(eq, form, everywhere=True)
    whole[0][:dim], whole[1][:, :dim] = charge, spin
    return whole


def _moments(eq: Equilibrium) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Charge and spin current densities at the quadrature points: -df/dA and -df/dSU, summed over frequencies."""
    problem = eq.problem
    places = gauge_columns(problem.space.dim, range(4))
    total = eq.equation.conjugates(places, -np.pi * eq.temperature * eq.weights, eq.riccati)
    total *= problem.coefficients.table[..., N0]
    own = total.reshape(problem.space.dim, 4, *problem.space.dx.shape)
    return own[:, 0], own[:, 1:].swapaxes(0, 1)


def _traces(
    eq: Equilibrium, form: str, *, everywhere: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """The same densities from the traces of the matrix current."""
    spin, tau3 = local.spin_matrices(4) / 2, np.array([1.0, 1.0, -1.0, -1.0])
    charge: Any = 0.0
    spins: Any = 0.0
    for weight, state in zip(eq.weights, eq.riccati, strict=True):
        current = weight * _matrix_current(eq, state, form, everywhere=everywhere)
        charge = charge + np.einsum("i,kiicq->kcq", tau3, current)
        spins = spins + np.einsum("aij,kjicq->akcq", spin, current)
    prefactor = np.pi * eq.temperature * eq.problem.coefficients.table[..., N0]
    return (-1j * prefactor * charge).real, (-1j * prefactor * spins).real
