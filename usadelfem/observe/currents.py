"""Charge and spin currents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..fem.points import add_currents, boundary_share, consistent_flux
from ..fem.section import Section
from ..solve.solution import Equilibrium
from .fields import Field

AXES = ("x", "y", "z")


def charge_current(eq: Equilibrium) -> Field:
    """The density of the charge supercurrent, components (dim,).

    j_k = -(i pi e N0 T/2) sum over all w of Tr tau3 J_k (theory, section on observables), positive along a growing
    phase: a uniform gradient gives j = 2 pi T sigma sum_{w>0} f^2 d_k phi with sigma = 2 e^2 N0 D and f = |gap| /
    sqrt(w^2 + |gap|^2). Times `normal_resistance`, a total current `through(...)` is the energy e I R_N.

    Unit: e N0 D energy / length (hbar = 1), with N0, D, energy and length as the device was described.
    """
    charge, _ = _moments(eq)
    return Field(
        "charge_current", "e*N0*D*energy/length", AXES[: eq.system.space.dim], charge, eq.device, eq.system.space,
        flux=lambda section: np.asarray(2 * _flux(eq, section)[0]),
    )  # fmt: skip


def spin_current(eq: Equilibrium) -> Field:
    """The density of the spin current j_k^a, components (3, dim): spin axis first, direction of flow second.

    j_k^a = -(i pi N0 T/2) sum over all w of Tr (sigma_a/2) J_k (theory, section on observables).

    Unit: N0 D energy / length, spin in units of hbar.
    """
    _, spin = _moments(eq)
    names = tuple(f"s{axis}_{direction}" for axis in AXES for direction in AXES[: eq.system.space.dim])
    return Field(
        "spin_current", "N0*D*energy/length", names, spin, eq.device, eq.system.space,
        flux=lambda section: _flux(eq, section)[1:],
    )  # fmt: skip


def _moments(eq: Equilibrium) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Charge and spin current densities at the quadrature points."""
    space = eq.system.space
    total = np.zeros((1 + space.dim, 4, *space.dx.shape))
    c = eq.system.coefficients
    for weight, state in zip(eq.weights, eq.riccati, strict=True):
        add_currents(
            np.pi * eq.temperature * weight, state, space.cells, space.phi, space.dphi, space.inverse, c.table, c.kinds,
            c.pairs, False, total,
        )  # fmt: skip
    return 2 * total[1:, 0], total[1:, 1:].swapaxes(0, 1)


def _flux(eq: Equilibrium, section: Section) -> NDArray[np.float64]:
    mesh, system = eq.device.mesh, eq.system
    contacts = [np.asarray(mesh.boundaries[name], np.int64) for name in eq.device.contacts]
    clamped = np.concatenate([*contacts, np.empty(0, np.int64)])
    share = boundary_share(system.space, section, clamped)
    flux = [
        weight * consistent_flux(system.space, system.coefficients, float(w), state, section, share)
        for w, weight, state in zip(eq.frequencies, eq.weights, eq.riccati, strict=True)
    ]
    return np.asarray(np.pi * eq.temperature * np.sum(flux, axis=0))
