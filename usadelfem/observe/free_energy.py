"""Free energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named
from ..derivatives.tangent import Tangent
from ..device.scale import in_units
from ..errors import ObservableError
from ..fem.coefficients import sample
from ..fields.field import Field
from ..physics import columns as column
from ..solve.results import Equilibrium
from .arguments import check_result
from .observed import along


def _of_tc(tangent: Tangent) -> NDArray[np.float64]:
    """The change of the density of the free energy with ln Tc, at fixed gap."""
    problem, rising = tangent.problem, tangent.given.log_tc
    change = np.zeros(problem.space.dx.shape)
    if rising is not None:
        change -= abs(problem.gap) ** 2 * problem.coefficients.table[..., column.N0] * rising
    return np.asarray(change, float)


def _energy_along(tangent: Tangent) -> float:
    """The derivative of the free energy, which is stationary in states, gap and a potential without free currents."""
    device, dim = tangent.result.device, tangent.problem.space.dim
    own = float((_of_tc(tangent) * tangent.problem.space.dx).sum())
    held = tangent if _drives_field(tangent.result) else tangent.held
    return float(held.derivative_of(_free_energy)) + float(in_units(device, own, "N0*energy^2", dim))


def _drives_field(eq: Any) -> bool:
    """Whether currents through contacts make a field outside, whose energy is not counted."""
    return bool(eq.induced is not None and len(eq.induced.maxwell.leads))


def _density_along(tangent: Tangent) -> Field:
    """The derivative of its density."""
    moved: Field = tangent.derivative_of(_density)
    own = Field(moved.name, "N0*energy^2", (), _of_tc(tangent), tangent.result.device, tangent.problem.space)
    return moved if tangent.given.log_tc is None else moved + own


@named()
@along(_energy_along)
def free_energy(eq: Equilibrium) -> float:
    """The free energy of an equilibrium, measured from the normal state of the same device.

    Omega = Int N0 { |Delta|^2 ln(T/Tc) + 2 pi T sum_{w>0} [ (f_w - f_w[tau3])/2 + |Delta|^2/w ] } + interfaces + field
    energy (theory, section on the free energy). Stationary in g, in a self-consistent gap and in an induced vector
    potential, so that its derivative with respect to the phase of a reservoir is the current I/2e that flows into it. A
    uniform superconductor has -N0 Delta^2/2 at T = 0. Where a gap is given without `Tc`, the term with the logarithm,
    which does not depend on the phases, is left out. The energy inside rigid reservoirs is not counted. The field
    energy is that of the induced field, Int (B - B_applied)^2 / 2 mu0, which is the one to compare at a given applied
    field. Where a screened current flows through contacts of a plane, the energy of the field that it makes outside is
    not counted, and the derivative with respect to the phase differs from I/2e by its change.

    Unit: N0 energy^2 length^dim; after `lab` the energy of its units (meV), which it is of a device with `thickness`
    or `area` or in 3D, and without these per length (meV/nm in 2D) or area (meV/nm^2 in 1D).

    Raises
    ------
    ObservableError
        If the equation was linearised.
    """
    check_result("free_energy", eq, Equilibrium)
    _check_nonlinear(eq)
    return _free_energy(eq)


def _free_energy(eq: Equilibrium) -> float:
    density, interfaces = _energies(eq)
    total = float((density * eq.problem.space.dx).sum()) + interfaces
    if eq.induced is not None:
        total += eq.induced.maxwell.energy(eq.dofs) / eq.induced.mu0
    return float(in_units(eq.device, total, "N0*energy^2", eq.problem.space.dim))


@named()
@along(_density_along)
def free_energy_density(eq: Equilibrium) -> Field:
    """The density of `free_energy` in the metals, without interfaces and field energy. Unit: N0 energy^2.

    Raises
    ------
    ObservableError
        If the equation was linearised.
    """
    check_result("free_energy_density", eq, Equilibrium)
    _check_nonlinear(eq)
    return _density(eq)


def _density(eq: Equilibrium) -> Field:
    return Field("free_energy_density", "N0*energy^2", (), energy_density(eq), eq.device, eq.problem.space)


def _check_nonlinear(eq: Equilibrium) -> None:
    if eq.problem.linearized:
        raise ObservableError("the free energy belongs to the nonlinear equation; solve without linearized=True")


def _energies(eq: Equilibrium) -> tuple[NDArray[np.float64], float]:
    """Density at the quadrature points, and the energy of all interfaces."""
    weights = np.pi * eq.temperature * eq.weights
    return energy_density(eq), eq.equation.interface_energy(weights, eq.riccati)


def energy_density(eq: Equilibrium) -> NDArray[np.float64]:
    """Density of the free energy at the quadrature points; of a linearised equation to second order."""
    problem = eq.problem
    table = problem.coefficients.table
    square = abs(problem.gap) ** 2 * table[..., column.N0]
    factor = 2 * np.pi * eq.temperature * eq.weights
    bulk = eq.equation.conjugates((column.N0,), 0.5 * factor, eq.riccati, frequencies=eq.frequencies)[0]
    density: NDArray[np.float64] = square * float((factor / eq.frequencies).sum()) + bulk * table[..., column.N0]
    paired, logarithm = logarithm_of(eq)
    return density + np.where(paired, square * logarithm, 0.0)


def logarithm_of(eq: Equilibrium) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Where a metal has a Tc > 0, and ln(T/Tc) there, else 0; shape (cells, points)."""
    space = eq.problem.space
    paired, logarithm = np.zeros(space.dx.shape, bool), np.zeros(space.dx.shape)
    for region, material in eq.device.conductors.items():
        if material.Tc is not None:
            tc = sample(space, eq.device, region, ("Tc",))["Tc"]
            cells = space.mesh.subdomains[region]
            paired[cells] = tc > 0
            logarithm[cells] = np.log(eq.temperature / np.where(tc > 0, tc, eq.temperature))
    return paired, logarithm
