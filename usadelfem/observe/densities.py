"""Occupations out of equilibrium, and the densities that they make."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..checks import named, number, numbers, shown
from ..errors import ObservableError
from ..fem.currents import at_quadrature
from ..fields.field import Field
from ..fields.parameter import Series
from ..nonequilibrium.bias import MODES, Bias, product_weights
from ..nonequilibrium.local import electrons_and_holes, normal_blocks, spin_product
from ..nonequilibrium.responses import mode_vectors
from ..nonequilibrium.result import Nonequilibrium
from ..physics.columns import N0
from ..space.locate import Location, locate
from .arguments import check_result

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Interpolated = Callable[[NDArray[Any]], NDArray[Any]]  # values (nodes, components) to (..., components)

PROBED = 1e-10  # of the currents into a probe, in units of its conductance times its temperature


def _traces(neq: Nonequilibrium, interpolated: Interpolated) -> tuple[Real, Real]:
    """Tr K and Tr sigma_a tau3 K integrated over E > 0, shapes (...) and (3, ...).

    K = R h - h A is block diagonal where h is, and each trace is twice the real part of one with R h.
    """
    charge: Any = 0.0
    spin: Any = 0.0
    vectors = mode_vectors(neq.problem)
    if not neq.is_driven:
        nothing = np.zeros(interpolated(neq.spectrum.states[0].real).shape[:-1])
        return nothing, np.zeros((3, *nothing.shape))
    for state, own in zip(neq.spectrum.states, neq.summands[0], strict=True):
        h = np.moveaxis(interpolated(own @ vectors.T), -1, 0)
        electrons, holes = electrons_and_holes(h)
        upper, lower = normal_blocks(neq.problem, interpolated(state))
        (one, along), (two, against) = spin_product(upper, electrons), spin_product(lower, holes)
        charge, spin = charge + 2 * (one + two), spin + 2 * (along - against)
    return np.asarray(charge), np.asarray(spin)


def traces_at_quadrature(neq: Nonequilibrium) -> tuple[Real, Real]:
    """`_traces` at the quadrature points."""
    return _traces(neq, partial(at_quadrature, neq.problem.space))


def potential_of(trace: Real) -> Real:
    """The electrochemical potential -(1/16) Int dE Tr K from the integral over E > 0."""
    return np.asarray(-0.125 * trace)


def driven_potential(neq: Nonequilibrium) -> Field:
    """The electrochemical potential (`potential`)."""

    def value(interpolated: Interpolated) -> Real:
        return potential_of(_traces(neq, interpolated)[0]) + neq.condensate

    return _pointwise(neq, "potential", "energy", (), value)


def driven_spin_density(neq: Nonequilibrium) -> Real:
    """What the deviations add to the spin density, shape (3, cells, points): -(N0/8) Int dE Tr sigma_a tau3 K."""
    n0 = neq.problem.coefficients.table[..., N0]
    return np.asarray(-0.25 * n0 * traces_at_quadrature(neq)[1])


def _pointwise(
    neq: Nonequilibrium, name: str, unit: str, components: tuple[str, ...],
    value: Callable[[Interpolated], NDArray[Any]], series: Series | None = None,
) -> Field:  # fmt: skip
    """A field that is a function of the nodal states and distributions."""

    def exact(location: Location) -> NDArray[Any]:
        return value(location.interpolate)

    space = neq.problem.space
    quadrature = value(partial(at_quadrature, space))
    return Field(name, unit, components, quadrature, neq.device, space, exact=exact, series=series)


@named()
def local_temperature(neq: Nonequilibrium) -> Field:
    """The temperature of the electrons, from the energy that their distribution holds in a normal metal.

    (pi^2/6) T^2 = Int_0^inf E (1 - h_L) dE - (mu^2 + s^2)/2, mu = -Int_0^inf h_T dE and s the same of the spins
    (theory, section on the kinetic equation).
    In a superconductor only a thermometer defines a temperature: `tunnel_probe`. Unit: energy. NaN where there is less
    energy than in the ground state at that potential.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.
    """
    check_result("local_temperature", neq, Nonequilibrium)
    n = neq.problem.sector.entries

    def value(interpolated: Interpolated) -> Real:
        energy: Any = np.zeros(interpolated(neq.spectrum.states[0].real).shape[:-1])
        potentials: Any = np.zeros((*energy.shape, n))
        for one, two in zip(*neq.summands, strict=True) if neq.is_driven else ():
            modes = interpolated(one)
            potentials = potentials + np.concatenate([modes[..., n : n + 1], modes[..., 1:n]], axis=-1)
            energy = energy + interpolated(two)[..., 0]
        square = neq.temperature**2 - 6 / np.pi**2 * (energy + (potentials**2).sum(axis=-1) / 2)
        return np.asarray(np.sqrt(np.where(square >= 0, square, np.nan)))

    return _pointwise(neq, "local_temperature", "energy/k_B", (), value)


@named()
def distribution(neq: Nonequilibrium) -> Field:
    """The modes of the distribution h = h_L + h_T t3 + h_a s_a + h_La s_a t3: a series over the energies >= 0.

    Components "1", "t3", "sx", "sy", "sz", "sx t3", "sy t3", "sz t3". At negative energies h_L and h_La have the
    opposite sign, h_T and h_a the same. In equilibrium h_L = tanh(E/2T) and the others vanish.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.
    """
    check_result("distribution", neq, Nonequilibrium)
    vectors = mode_vectors(neq.problem)

    def value(interpolated: Interpolated) -> Real:
        h = np.array([np.moveaxis(interpolated(own @ vectors.T), -1, 0) for own in neq.deviation])
        rest = np.tanh(neq.energies / (2 * neq.temperature))
        h[:, 0] += rest.reshape(-1, *(1,) * (h.ndim - 2))
        return h

    return _pointwise(neq, "distribution", "1", MODES, value, Series("energy", "energy", neq.energies))


@named()
def occupation(neq: Nonequilibrium, *, spin: ArrayLike | None = None) -> Field:
    """The occupation f(E) = (1 - h_e)/2 of electron states, a series over energies of both signs.

    h_e = h_L + h_T, averaged over spins; energies are relative to the condensates.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.
    spin
        A direction s, shape (3,): the occupation of spins along s, h_e = h_L + h_T + s.(h_a + h_La).

    Raises
    ------
    ObservableError
        If `spin` is no direction.
    """
    check_result("occupation", neq, Nonequilibrium)
    direction = np.zeros(3)
    if spin is not None:
        allowed = "is a direction, three numbers that are not all 0"
        direction = numbers("spin", spin, allowed, error=ObservableError)
        if direction.shape != (3,) or not direction.any():
            raise ObservableError(f"spin is {shown(spin)}; allowed {allowed}")
        direction = direction / np.linalg.norm(direction)
    energies = neq.energies
    both = np.concatenate([-energies[energies > 0][::-1], energies])
    whole = distribution(neq)
    odd, even = np.array([1.0, 0, 0, 0, 0, *direction]), np.array([0.0, 1, *direction, 0, 0, 0])

    def of(h: Real) -> Real:
        parts = np.tensordot(h, odd, axes=(1, 0)), np.tensordot(h, even, axes=(1, 0))
        below = (parts[1] - parts[0])[energies > 0][::-1]
        return np.asarray(0.5 * (1 - np.concatenate([below, parts[0] + parts[1]])))

    exact = whole.exact
    assert exact is not None
    return Field(
        "occupation", "1", (), of(whole.quadrature), neq.device, neq.problem.space,
        exact=lambda location: of(exact(location)), series=Series("energy", "energy", both),
    )  # fmt: skip


@named()
def tunnel_probe(
    neq: Nonequilibrium, points: ArrayLike, *, conductance: float = 1.0
) -> dict[str, Real]:
    """What a weak normal tunnel probe at points reads: the voltage and temperature at which neither charge nor heat
    flows into it, and its differential conductance there.

    Parameters
    ----------
    neq
        The result of `solve_nonequilibrium`.
    points
        Positions, shape (dim, npoints).
    conductance
        Conductance of the probe in the normal state; voltage and temperature do not depend on it.

    Returns
    -------
    dict
        "voltage" and "temperature", energies or in the units of the device, and "conductance" dI/dV at that voltage;
        shape (npoints,) each, NaN where there are no such voltage and temperature.

    Raises
    ------
    ObservableError
        If a point lies outside the mesh, or the conductance is not positive.
    """
    check_result("tunnel_probe", neq, Nonequilibrium)
    conductance = number("conductance", conductance, above=0, error=ObservableError)
    location = locate(neq.problem.space, points)
    density, into = _probed(neq, location)
    found = np.array([_read(neq, density[:, n], into[:, n]) for n in range(density.shape[1])])
    units = neq.device.units
    return {
        "voltage": units.out("voltage", found[:, 0] + neq.condensate),
        "temperature": units.out("temperature", found[:, 1]), "conductance": conductance * found[:, 2],
    }  # fmt: skip


def _probed(neq: Nonequilibrium, location: Location) -> tuple[Real, Real]:
    """Densities of states (energies, points), and the integrals over E > 0 of (Tr K/8, E Tr tau3 K/8) (2, points)."""
    vectors = mode_vectors(neq.problem)
    density, into = [], np.zeros((2, len(location.cells)))
    driven = neq.summands if neq.is_driven else (np.zeros_like(neq.deviation),) * 2
    for state, *own in zip(neq.spectrum.states, *driven, strict=True):
        upper, lower = normal_blocks(neq.problem, location.interpolate(state))
        density.append(0.5 * (upper[0] - lower[0]).real)
        for power in range(2):
            h = np.moveaxis(location.interpolate(own[power] @ vectors.T), -1, 0)
            electrons, holes = electrons_and_holes(h)
            one, two = spin_product(upper, electrons)[0], spin_product(lower, holes)[0]
            into[power] += (one + two if power == 0 else one - two) / 4
    return np.array(density), into


def _read(neq: Nonequilibrium, density: Real, into: Real) -> tuple[float, float, float]:
    """Voltage, temperature and dI/dV in units of the normal conductance of a probe."""
    vectors = np.eye(8)[:, :2]

    def currents(unknown: Real, scale: float = 1.0) -> Real:
        bias = {"probe": Bias(float(unknown[0]), float(abs(unknown[1])))}
        charge = product_weights(neq.panels, bias, neq.temperature, vectors, 0)[:, 0, 1]
        heat = product_weights(neq.panels, bias, neq.temperature, vectors, 1)[:, 0, 0]
        return np.array([density @ charge - into[0], density @ heat - into[1]]) / scale

    hottest = max(bias.temperature for bias in neq.biases.values())
    start = np.array([-into[0] / max(density.mean(), 1e-3), hottest])
    solved = scipy.optimize.root(currents, start, tol=1e-13)
    voltage, temperature = float(solved.x[0]), float(abs(solved.x[1]))
    scale = max(temperature, abs(voltage))
    if not abs(currents(solved.x, scale) / np.array([1.0, scale])).max() < PROBED:
        return np.nan, np.nan, np.nan
    step = 1e-4 * temperature
    slope = currents(np.array([voltage + step, temperature])) - currents(np.array([voltage - step, temperature]))
    return voltage, temperature, float(-slope[0] / (2 * step))
