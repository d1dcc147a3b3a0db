"""The gap equation at the quadrature points: pair amplitude, its response, change of the functional with the gap.

The gap is an unknown of its own at every quadrature point of the self-consistent regions, so that the functional is
stationary in it cell by cell and the current it drives is conserved in every cell, to solver precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..device.coefficient import uniform
from ..device.device import Device
from ..frozen import FrozenRecord
from ..physics import columns as column
from ..physics.thermal import bcs_gap
from ..space.section import facet_basis
from ..space.space import Index, Real
from .coefficients import sample
from .conjugates import singlet
from .interfaces import barrier_contacts
from .matsubara import Matsubara
from .problem import Problem
from .retarded import Retarded

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False, repr=False)
class Pairing(FrozenRecord):
    """Where the gap is unknown, and what its equation needs.

    Attributes
    ----------
    chosen
        Cells of the self-consistent regions, shape (cells,).
    cells, phi
        Their nodes, and the basis functions at their quadrature points.
    log_tc
        ln Tc at the points, shape (cells, points).
    weight
        N0 times the integration weight of each point.
    """

    chosen: Index
    cells: Index
    phi: Real
    log_tc: Real
    weight: Real

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of an array of gaps: cells, points."""
        return self.weight.shape[0], self.weight.shape[1]

    def gap_of(self, problem: Problem) -> Complex:
        """The gap in the coefficients of a problem, shape (cells, points)."""
        return np.asarray(problem.gap[self.chosen])

    def with_gap(self, problem: Problem, gap: Complex) -> Problem:
        """The problem with another gap, shape (cells, points)."""
        table = problem.coefficients.table.copy()
        table[self.chosen, :, column.GAP_RE], table[self.chosen, :, column.GAP_IM] = gap.real, gap.imag
        return problem.with_columns(table)

    def amplitude(self, equation: Matsubara | Retarded, state: Complex, weight: complex = 1.0) -> Complex:
        """Weight times the singlet amplitude f0 of a state, shape (cells, points).

        Its real and imaginary parts are Re(weight df/dc) of the parts of the gap, also at real energies, where a sum
        over E > 0 stands for both signs.
        """
        return singlet(equation.conjugates(column.GAP, weight, [state], chosen=self.chosen).real)

    def response(
        self, equation: Matsubara | Retarded, state: Complex, change: Complex, weight: complex = 1.0
    ) -> Complex:  # fmt: skip
        """Weight times the change of f0 with a change of the state, in its own coordinates."""
        return singlet(equation.changes(column.GAP, weight, [state], [change], chosen=self.chosen).real)

    def source(self, equation: Matsubara | Retarded, state: Complex, gap: Complex) -> Complex:
        """Change of the residual of the Usadel equation with the gap, over the nodes; linear in `gap`."""
        return equation.gap_source(state, gap, self.chosen)

    @cached_property
    def nodes(self) -> Index:
        """Nodes of the cells, ascending, shape (nodes,)."""
        return np.unique(self.cells)

    @cached_property
    def interpolation(self) -> Any:
        """Values at the points (cells * points) from those at the nodes, sparse."""
        points, local = self.weight.size, np.searchsorted(self.nodes, self.cells)
        columns = np.repeat(local, self.weight.shape[1], axis=0)
        rows = np.repeat(np.arange(points), columns.shape[1])
        values = np.tile(self.phi, (len(self.cells), 1)).ravel()
        return csr_array((values, (rows, columns.ravel())), (points, len(self.nodes)))

    def load(self, gap: Complex) -> Complex:
        """The integrals of N0 times a gap (cells, points) times the basis functions of the nodes, shape (nodes,)."""
        return np.asarray(self.interpolation.T @ (self.weight * gap).ravel())

    def from_nodes(self, values: Complex) -> Complex:
        """Values at the points (cells, points) from those at the nodes (nodes,)."""
        return np.asarray((self.interpolation @ values).reshape(self.shape))

    def nodal_source(self, equation: Matsubara, loads: Real) -> Real:
        """The residuals of the normal metal, linearised, for real loads of the gap (nodes, loads), over the free
        unknowns: all that a small gap does goes through its load.
        """
        vertex = self._vertices(equation)[0]
        source = np.zeros((equation.problem.space.nodes.shape[1], len(vertex), loads.shape[1]))
        source[self.nodes] = vertex[:, None] * loads[:, None]
        return np.asarray(source[equation.problem.pattern.free].reshape(-1, loads.shape[1]))

    def nodal_amplitude(self, equation: Matsubara, steps: Real, weight: float) -> Complex:
        """Weight times f0 at the nodes (nodes, steps) of the changes of the normal metal with steps of the unknowns."""
        vertices = self._vertices(equation)
        change = np.zeros((equation.problem.space.nodes.shape[1], vertices.shape[1], steps.shape[1]))
        change[equation.problem.pattern.free] = steps.reshape(-1, *change.shape[1:])
        return weight * singlet(np.einsum("pn,inl->pil", vertices, change[self.nodes]))

    def _vertices(self, equation: Matsubara) -> Real:
        """What unit loads of the real and of the imaginary part of the gap add to the residual of a node.

        By real and imaginary parts of its coordinates, shape (2, 2n): the functional holds the product of a load and
        of the conjugate of the gap there, which is linear in the state where this is small.
        """
        load = self.weight[0] @ self.phi  # one cell is enough
        place = int(abs(load).argmax())
        gaps, node = np.ones((1, self.shape[1])) * np.array([1.0, 1j])[:, None, None], self.cells[0, place]
        sources = [equation.gap_source(equation.zero(), gap, self.chosen[:1])[node] for gap in gaps]
        return np.asarray(np.array([source.view(float) for source in sources]) / load[place])


@dataclass(frozen=True, eq=False, repr=False)
class BareCoupling(FrozenRecord):
    """How gap and state couple at one state, without a table."""

    pairing: Pairing
    equation: Matsubara | Retarded
    state: Complex

    def source(self, gap: Complex) -> Complex:
        """As `Pairing.source`."""
        return self.pairing.source(self.equation, self.state, gap)

    def response(self, change: Complex, weight: complex = 1.0) -> Complex:
        """As `Pairing.response`."""
        return self.pairing.response(self.equation, self.state, change, weight)

    @property
    def table_bytes(self) -> int:
        """Memory of a table in place of this."""
        return 32 * self.pairing.weight.size * self.equation.problem.sector.entries


@dataclass(frozen=True, eq=False, repr=False)
class GapCoupling(FrozenRecord):
    """How gap and state couple at one state, as a table: `Pairing.source` and `Pairing.response` many times over.

    Attributes
    ----------
    pairing
        Where the gap is unknown.
    table
        Changes of the conjugates of both parts of the gap with real and imaginary parts of the coordinates of the
        state, shape (2, cells * points, 2n): second derivatives of the functional, the same for both ways.
    count
        Number of nodes.
    """

    pairing: Pairing
    table: Real
    count: int

    def source(self, gap: Complex) -> Complex:
        """Change of the residual (nodes, n) with the gap (cells, points), over all nodes."""
        parts = self.pairing.weight.ravel() * np.array([gap.real.ravel(), gap.imag.ravel()])
        loads = np.einsum("ip,ipr->pr", parts, self.table)
        source = np.zeros((self.count, self.table.shape[2] // 2), complex)
        source[self.pairing.nodes] = np.ascontiguousarray(self.pairing.interpolation.T @ loads).view(complex)
        return source

    def response(self, change: Complex, weight: complex = 1.0) -> Complex:
        """Weight times the change of f0 with a change of the state (nodes, n)."""
        values = self.pairing.interpolation @ change[self.pairing.nodes].view(float)
        of_gap = np.real(weight) * np.einsum("ipr,pr->ip", self.table, values)
        return singlet(of_gap.reshape(2, *self.pairing.shape))


def gap_coupling(pairing: Pairing, equation: Matsubara, state: Complex) -> GapCoupling:
    """The coupling at a state; as expensive as one response for every real number in a matrix of the sector."""
    nodes, n = equation.problem.space.nodes.shape[1], equation.problem.sector.entries
    table = np.empty((2, pairing.weight.size, 2 * n))
    for entry in range(2 * n):
        unit = np.zeros((nodes, n), complex)
        unit[:, entry // 2] = 1j if entry % 2 else 1.0
        of_gap = equation.changes(column.GAP, 1.0, [state], [unit], chosen=pairing.chosen).real
        table[..., entry] = of_gap.reshape(2, -1)
    return GapCoupling(pairing, table, nodes)


def build_pairing(device: Device, problem: Problem) -> Pairing | None:
    """The gap equation of a device; None where no region has a Tc above zero and an unknown gap."""
    space = problem.space
    cells, log_tc = [], []
    for region, material in device.conductors.items():
        if not material.self_consistent:
            continue
        tc = sample(space, device, region, ("Tc",))["Tc"]
        own = np.asarray(space.mesh.subdomains[region], np.int64)
        paired = (tc > 0).any(axis=1)
        cells.append(own[paired])
        with np.errstate(divide="ignore"):
            log_tc.append(np.log(tc[paired]))
    if not sum(map(len, cells)):
        return None
    chosen = np.concatenate(cells)
    weight = (space.dx * problem.coefficients.table[..., column.N0])[chosen]
    return Pairing(chosen, space.cells[chosen], space.phi, np.concatenate(log_tc), weight)


def cut_energy(device: Device, problem: Problem, tc: dict[str, float], temperature: float) -> float:
    """What the sum of the gap equation has to be cut off well above: 0 if the gap jumps nowhere across a transparent
    contact, so that the sum converges; else the largest Thouless energy D (A/V)^2 of the regions that meet at a jump, A
    the area of the jump and V their volume.

    `tc` is that of every self-consistent region with only one. At a jump of the gap the summand falls off like 1/w.
    Regions count as one where their Tc is the same number; rigid reservoirs where their gap is the bulk gap.
    """
    space = problem.space
    label = np.full(space.mesh.nelements, -1.0)
    unknown = np.zeros(space.mesh.nelements, bool)
    for region, material in device.conductors.items():
        if material.self_consistent:
            cells = space.mesh.subdomains[region]
            unknown[cells], label[cells] = True, tc.get(region, np.nan)
    first, second = space.mesh.f2t
    passable = second >= 0
    passable[space.barriers] = False
    jumps = passable & (unknown[first] | unknown[second]) & (label[first] != label[second])
    for name, electrode in problem.electrodes.items():
        facets = np.asarray(space.mesh.boundaries[name], np.int64)
        own = label[first[facets]][unknown[first[facets]]]
        rigid = name not in barrier_contacts(device)
        bulk = bcs_gap(temperature, float(own[0])) if len(own) and np.isfinite(own[0]) else 0.0
        if rigid and len(own) and not (bulk > 0 and np.allclose(abs(electrode.gap), bulk, rtol=1e-6, atol=0)):
            jumps[facets] |= unknown[first[facets]]
    return _largest_thouless_energy(device, problem, np.flatnonzero(jumps))


def _largest_thouless_energy(device: Device, problem: Problem, facets: Index) -> float:
    """The largest D (A/V)^2 of the regions at some facets, A the area of their facets among them."""
    if not len(facets):
        return 0.0
    space = problem.space
    area = facet_basis(space, facets)[1].sum(axis=1)
    largest, volumes = 1e-300, space.dx.sum(axis=1)
    for region in device.conductors:
        cells = np.asarray(space.mesh.subdomains[region], np.int64)
        at = np.isin(space.mesh.f2t[:, facets], cells).any(axis=0)
        if at.any():
            diffusion = float(problem.coefficients.table[cells][..., column.D].max())
            largest = max(largest, diffusion * float(area[at].sum() / volumes[cells].sum()) ** 2)
    return largest


def zero_temperature_gap(pairing: Pairing) -> float:
    """The largest bulk gap at zero temperature."""
    return float(np.exp(pairing.log_tc.max() - np.euler_gamma) * np.pi)


def needed_cut(device: Device, problem: Problem, temperature: float) -> float:
    """The energy well above which the gap equation has to be cut off; 0 where its summand falls off fast enough."""
    tc = {region: uniform(material.Tc) for region, material in device.conductors.items() if material.self_consistent}
    known = {region: value.real for region, value in tc.items() if value is not None}
    return cut_energy(device, problem, known, temperature)
