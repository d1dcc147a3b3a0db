"""Ampere's law for the induced vector potential in Nedelec elements: curl curl A = mu0 j.

A is the potential times e/hbar (one flux quantum h/2e is a circulation of pi), j = -d(free energy)/dA per volume, mu0
the coupling in these units. In 2D the sample is an infinite cylinder and B = curl A has one component; at its outer
edge B is the applied field, so curl A = 0 there for the induced A; inside a hole B is uniform. A current I through
contacts makes B differ by mu0 I between the free edges on both sides of a contact; their mean is the applied field. In
3D the elements fill a region around the sample whose outer boundary no induced flux crosses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import coo_array

from ..frozen import FrozenRecord
from ..numerics.sparse import edge_solver, scalar_matrix
from ..space.space import Index, Real
from .coulomb import Coulomb
from .holes import Hole

GAUGE = 1e-8  # of the largest response in a sample, and of 1/size^2 in vacuum: fixes the gauge where nothing else does


@dataclass(frozen=True, eq=False, repr=False)
class Maxwell:
    """The induced vector potential of a sample: unknowns, matrices, values at the quadrature points of its space.

    Attributes
    ----------
    holes
        The holes of a 2D sample.
    dofs
        Unknowns of every cell of the sample, shape (cells, functions).
    values, curls
        The functions and their curls at the quadrature points, shapes (functions, dim, cells, points) and (functions, 1
        in 2D or 3, cells, points).
    dx
        Quadrature weights of the sample, shape (cells, points).
    matrix
        Matrix of the quadratic form 2 `energy`, shape (unknowns, unknowns).
    vacuum
        Small mass matrix of the cells outside the sample; it enters the matrix of `step` only, so that results of
        repeated steps do not depend on it.
    free
        Unknowns that are not zero by a boundary condition, sorted.
    circulation
        The flux through every hole as a linear function of the unknowns, shape (holes, unknowns).
    leads, drive
        Where contacts carry a current (2D): gradients of the harmonic functions that are 1 at one contact and 0 at the
        others, shape (contacts, dim, cells, points), and the integrals of A along the free edges, times the change of B
        there by a current mu0 I = 1 out of each contact, shape (unknowns, contacts).
    size
        Largest extent of the mesh.
    coulomb
        The projection to div A = 0 that ends every step.
    """

    holes: tuple[Hole, ...]
    dofs: Index
    values: Real
    curls: Real
    dx: Real
    matrix: Any
    vacuum: Any
    free: Index
    circulation: Any
    leads: Real
    drive: Real
    size: float
    coulomb: Coulomb

    def __post_init__(self) -> None:
        for array in (self.dofs, self.values, self.curls, self.free, self.leads, self.drive):
            array.flags.writeable = False

    @property
    def count(self) -> int:
        """Number of unknowns."""
        return int(self.matrix.shape[0])

    def zeros(self) -> Real:
        """The unknowns of A = 0, shape (unknowns,)."""
        return np.zeros(self.count)

    def at_points(self, dofs: Real) -> Real:
        """A at the quadrature points of the sample, shape (dim, cells, points); unit 1/length."""
        return np.asarray(np.einsum("idcq,ci->dcq", self.values, dofs[self.dofs]))

    def curl_at_points(self, dofs: Real) -> Real:
        """B = curl A at the same points, (cells, points) in 2D, (3, cells, points) in 3D; unit 1/length^2."""
        curl = np.asarray(np.einsum("idcq,ci->dcq", self.curls, dofs[self.dofs]))
        return curl if len(curl) > 1 else curl[0]

    def hole_fluxes(self, dofs: Real) -> Real:
        """Induced flux through every hole, shape (holes,): the circulation of A around it; h/2e is pi."""
        return np.asarray(self.circulation @ dofs)

    def energy(self, dofs: Real) -> float:
        """mu0 times the field energy: half the integral of B^2 over the mesh, with flux^2/area for every hole."""
        return 0.5 * float(dofs @ (self.matrix @ dofs))

    def gradient(self, dofs: Real, current: Real, mu0: float) -> Real:
        """Residual of curl curl A = mu0 j, tested with the Nedelec functions, shape (unknowns,); 0 at fixed unknowns.

        Parameters
        ----------
        dofs
            Unknowns, shape (unknowns,).
        current
            Current density j at the quadrature points of the sample, shape (dim, cells, points).
        mu0
            The coupling.
        """
        residual = self.matrix @ dofs - mu0 * self.load(current)
        residual += self.drive @ (mu0 * np.einsum("ldcq,dcq,cq->l", self.leads, current, self.dx))
        residual[np.setdiff1d(np.arange(self.count), self.free)] = 0.0
        return np.asarray(residual)

    def step(self, dofs: Real, current: Real, stiffness: Real, mu0: float) -> Real:
        """The unknowns after one step with a local response: (curl curl + mu0 S) delta = mu0 j - curl curl A.

        A stays in the Coulomb gauge, div A = 0 and no normal component at free edges, in the sense of the elements:
        what is the gradient of a function is taken out. If contacts carry currents, the step also makes the integrals
        of A.grad w vanish, w being 1 at one contact, 0 at
        the others and harmonic: the net flux of A through each contact in the gauge div A = 0. To this A the phase
        differences between reservoirs refer; other gauges with the same phases at the contacts share it.

        Parameters
        ----------
        dofs, current, mu0
            As in `gradient`.
        stiffness
            The response S = -dj/dA at the quadrature points of the sample, shape (cells, points); negative values count
            as zero. 1e-8 of its maximum is added everywhere: where S vanishes this fixes the gauge of the step.
        """
        return self.with_response(stiffness, mu0).step(dofs, mu0 * self.load(current))

    def with_response(self, stiffness: Real, mu0: float) -> LocalResponse:
        """What repeated steps with the same local response have in common; arguments as in `step`."""
        response = np.maximum(stiffness, 0.0)
        floor = GAUGE * (mu0 * response.max(initial=0.0) or self.size**-2)
        mass = gram(self.values, self.values, self.dx * (mu0 * response + floor))
        matrix = self.matrix + self.vacuum + scalar_matrix(self.dofs, mass, self.count)
        factors = edge_solver(matrix[self.free][:, self.free], [own[self.free] for own in self.coulomb.spaces])
        return LocalResponse(self, mu0, factors, self.drive, self.net_fluxes)

    def load(self, current: Real) -> Real:
        """Integrals of j times every function, shape (unknowns,)."""
        local = np.einsum("idcq,dcq->ci", self.values, current * self.dx)
        return np.asarray(np.bincount(self.dofs.ravel(), local.ravel(), self.count), float)

    @cached_property
    def net_fluxes(self) -> Any:
        """The net flux of A out of every contact that may carry a current, as a matrix (contacts, unknowns)."""
        local = gram(self.leads, self.values, self.dx)
        rows = np.broadcast_to(np.arange(len(self.leads))[:, None], local.shape)
        columns = np.broadcast_to(self.dofs[:, None], local.shape)
        entries = local.ravel(), (rows.ravel(), columns.ravel())
        return coo_array(entries, shape=(len(self.leads), self.count)).toarray()


@dataclass(frozen=True, eq=False, repr=False)
class LocalResponse(FrozenRecord):
    """Steps of Ampere's law with one local response: linear in unknowns and load together.

    Attributes
    ----------
    maxwell, mu0
        The problem, and the coupling.
    factors
        Those of curl curl + mu0 S over the free unknowns.
    drive
        Loads whose size is free, shape (unknowns, contacts).
    held
        What vanishes instead, as linear functions of the unknowns, shape (contacts, unknowns).
    """

    maxwell: Maxwell
    mu0: float
    factors: Any
    drive: Real
    held: Real

    @property
    def transposed(self) -> LocalResponse:
        """The same where the roles of the potential and of what it is tested with are exchanged."""
        return replace(self, drive=self.held.T, held=self.drive.T)

    def step(self, dofs: Real, load: Real) -> Real:
        """As `Maxwell.step`, with mu0 times the current as a load (unknowns,)."""
        new = dofs + self.pushed(load - self.maxwell.matrix @ dofs)
        if self.drive.shape[1]:
            new -= self._reply @ np.linalg.lstsq(self.held @ self._reply, self.held @ new, rcond=1e-12)[0]
        return np.asarray(new)

    def conserved(self, load: Real) -> Real:
        """What of a load (unknowns,) makes a potential in the Coulomb gauge: its part without sources.

        Where contacts carry currents also without what makes a net flux through contacts, and without that on which the
        field outside, which these currents make, does work.
        """
        rows, made = self._edges
        new = self._without_sources(load)
        if len(rows):
            new = new - rows.T @ np.linalg.lstsq(rows @ made, made.T @ new, rcond=1e-12)[0]
        return np.asarray(new)

    def _without_sources(self, load: Real) -> Real:
        new, free = self.maxwell.coulomb.project_load(load), self.maxwell.free
        return np.asarray(np.bincount(free, new[free], len(new)), float)

    @cached_property
    def _edges(self) -> tuple[Real, Real]:
        """Net fluxes through contacts and the work of fields outside as linear functions, (functions, unknowns), and
        the potentials that these make as loads, by columns.
        """
        rows = [self._without_sources(row) for row in np.concatenate([self.held, self.drive.T])]
        made = [self.pushed(row) for row in rows]
        none = np.zeros((0, self.maxwell.count))
        return (np.stack(rows), np.stack(made, axis=1)) if rows else (none, none.T)

    def pushed(self, load: Real) -> Real:
        """The potential that a load makes in the Coulomb gauge."""
        own, new = self.maxwell, np.zeros(len(load))
        new[own.free] = self.factors.solve(own.coulomb.project_load(load)[own.free])
        return own.coulomb.project(new)

    @cached_property
    def _reply(self) -> Real:
        return np.stack([self.pushed(column) for column in self.drive.T], axis=1)


def gram(first: Real, second: Real, weight: Real) -> Real:
    """Integrals of products of functions (functions, components, cells, points), shape (cells, first, second)."""
    return np.asarray(np.einsum("idcq,jdcq,cq->cij", first, second, weight, optimize=True))
