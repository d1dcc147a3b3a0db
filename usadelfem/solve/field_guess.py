"""Where a self-consistent iteration starts: moduli and phases of the gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from ..checks import as_array, as_number, named, numbers, shown
from ..device.coefficient import uniform
from ..device.contact import Reservoir
from ..device.device import Device
from ..errors import DeviceError, ObservableError
from ..fem.conduction import conduction_matrix, physical_gradients
from ..fem.gap_equation import Pairing
from ..fem.interfaces import Junctions
from ..fem.problem import Problem
from ..numerics.sparse import factorize_positive
from ..physics import columns as column
from ..physics import interface as barrier
from ..physics.thermal import bcs_gap
from ..space.locate import locate
from ..space.recover import recover

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Weight of normal regions against superconductors in the first guess of the phase: most of it drops there.
WEAK = 0.03
# Barriers count in the first guess of the phase with at least this part of the conductance of the cells beside them.
WEAKEST = 1e-9


@dataclass(frozen=True)
class Vortices:
    """Vortices that a self-consistent solve starts with.

    Attributes
    ----------
    cores
        (x, y, n) of every vortex: position in the first two mesh axes, and winding number: the phase of the gap grows
        by 2 pi n around it, from the first towards the second axis.
    size
        Radius of the cores; None: sqrt(D / bulk gap).
    """

    cores: tuple[tuple[float, float, int], ...]
    size: float | None = None


@named()
def vortices(cores: Sequence[tuple[float, float, int]], *, size: float | None = None) -> Vortices:
    """Vortices to start from: `solve_equilibrium(..., initial=vortices([(x, y, n), ...]))`.

    The windings are imposed on the first gap; modulus and phase then relax to a stationary state near by. A vortex
    moves there, or leaves the sample; one at a point of symmetry stays, also where it is unstable.

    Parameters
    ----------
    cores
        (x, y, n) of every vortex: position and winding number, an integer of any sign; along z in 3D.
    size
        Radius of the cores, length; None: sqrt(D / bulk gap).

    Raises
    ------
    ValueError
        If a core is not (x, y, n) with an integer n other than 0, or the size is not positive.
    """
    checked = []
    allowed = "is (x, y, n) with a winding number n = 1, -1, 2, ..."
    many = isinstance(cores, Sequence) or (isinstance(cores, np.ndarray) and cores.ndim > 0)
    if not many or isinstance(cores, str) or not len(cores):
        raise ValueError(f"vortices is {shown(cores)}; allowed is a sequence of cores (x, y, n), at least one")
    for core in cores:
        values = numbers("vortex", core, allowed)
        if values.shape != (3,) or values[2] != round(values[2]) or not values[2]:
            raise ValueError(f"vortex is {shown(core)}; allowed {allowed}")
        checked.append((float(values[0]), float(values[1]), int(values[2])))
    if size is not None:
        length = as_number(size)
        if length is None or not 0 < length < np.inf:
            raise ValueError(f"size is {shown(size)}; allowed is a length > 0, or None")
        size = length
    return Vortices(tuple(checked), size)


def bulk_gaps(pairing: Pairing, temperature: float) -> Real:
    """The gap of a bulk superconductor with the Tc of each point, shape (cells, points)."""
    tc = np.exp(pairing.log_tc)
    values, where = np.unique(tc, return_inverse=True)
    return np.array([bcs_gap(temperature, float(value)) if value > 0 else 0.0 for value in values])[where].reshape(
        tc.shape
    )


def initial_gap(device: Device, problem: Problem, pairing: Pairing, temperature: float, initial: Any) -> Complex:
    """The gap to start from at the points of the pairing, shape (cells, points); `initial` as in `solve_equilibrium`.

    Raises
    ------
    DeviceError
        If a callable fails or returns a wrong shape.
    """
    if initial is None or isinstance(initial, Vortices):
        nodal = natural_phase(device, problem, pairing)
        phase = np.einsum("ci,qi->cq", nodal[pairing.cells], pairing.phi)
        gap: Complex = bulk_gaps(pairing, temperature) * np.exp(1j * phase)
        return gap if initial is None else gap * _windings(problem, pairing, initial, gap)
    if callable(initial):
        x = problem.space.points()[:, pairing.chosen]
        try:
            result = initial(x.copy())
        except Exception as error:
            raise DeviceError(f"calling initial(x) with x of shape {x.shape} raised {error!r}") from error
        values = as_array(result)
        if values is None or values.shape != pairing.shape or not np.isfinite(values).all():
            what = shown(result) if values is None or values.shape == pairing.shape else f"shape {values.shape}"
            raise DeviceError(
                f"initial(x) returned {what} for x of shape {x.shape}; allowed are finite numbers of shape "
                f"{pairing.shape}"
            )
        return values.astype(complex)
    return np.full(pairing.shape, complex(initial))


def gap_from(old: Problem, problem: Problem, pairing: Pairing) -> Complex:
    """The gap of another solution at the points of the pairing: as it is on the same mesh, interpolated otherwise."""
    if old.space.mesh is problem.space.mesh and old.space.order == problem.space.order:
        return pairing.gap_of(old)
    x = problem.space.points()[:, pairing.chosen].reshape(problem.space.dim, -1)
    recovered = recover(old.space, old.gap, tuple(old.space.mesh.subdomains))
    try:
        place = locate(old.space, x)
    except ObservableError as error:
        raise ValueError(
            f"initial is an Equilibrium on a mesh that does not cover the superconductors of this device: {error}. "
            "Give initial=None, or a callable"
        ) from error
    return recovered.at(place).reshape(pairing.shape)


def turned_gap(device: Device, old: Problem, problem: Problem, pairing: Pairing) -> Complex:
    """The gap of another solution, its phase turned by what the phases of reservoirs have changed by since.

    Without it the change would be all at the contacts, from where it spreads slowly.
    """
    gap = gap_from(old, problem, pairing)
    before = old.electrodes
    common = [name for name, own in problem.electrodes.items() if name in before and abs(own.gap).max(initial=0) > 0]
    turns = {name: _turn(before[name].gap, problem.electrodes[name].gap) for name in common}
    if all(turn == 0.0 for turn in turns.values()):
        return gap
    nodal = natural_phase(device, problem, pairing, turns)
    phase = np.einsum("ci,qi->cq", nodal[pairing.cells], pairing.phi)
    turned: Complex = gap * np.exp(1j * phase)
    return turned


def _turn(before: Complex, now: Complex) -> float:
    """The angle between the gaps of a reservoir in two devices."""
    overlap = np.mean(now) * np.conj(np.mean(before))
    return float(np.angle(overlap)) if abs(overlap) else 0.0


def natural_phase(
    device: Device, problem: Problem, pairing: Pairing, turns: Mapping[str, float] | None = None, *, weak: float = WEAK
) -> Real:  # fmt: skip
    """A smooth phase at the nodes: that of the reservoirs, and in between the one of the least kinetic energy.

    It minimises Int N0 D (grad phi - 2 A)^2, with barriers as phase drops; parts without reservoir have a constant.
    With `turns` by contact it is the change of that phase where those of reservoirs change so. `weak` is the weight of
    regions without a gap of their own.
    """
    space, table = problem.space, problem.coefficients.table
    conductivity = table[..., column.N0] * table[..., column.D]
    normal = table[..., column.GAP_RE] ** 2 + table[..., column.GAP_IM] ** 2 == 0
    normal[pairing.chosen] = False
    conductivity = np.where(normal, weak * conductivity, conductivity)
    matrix = conduction_matrix(space, conductivity, _strengthened(problem, conductivity))
    phase, known = np.zeros(len(space.nodes[0])), np.zeros(len(space.nodes[0]), bool)
    for name, electrode in problem.electrodes.items():
        contact = device.contacts[name]
        given = np.angle(electrode.gap) if turns is None else np.full(electrode.gap.shape, turns.get(name, 0.0))
        total = uniform(contact.phase) if isinstance(contact, Reservoir) else None
        if total is not None and turns is None:  # the turns that the user meant
            given = given + 2 * np.pi * np.round((total.real - given) / (2 * np.pi))
        rigid = abs(electrode.gap) > 0
        nodes = electrode.nodes[rigid]
        phase[nodes], known[nodes] = given[rigid], True
    count, part = connected_components(matrix, directed=False)
    held = np.isin(np.arange(count), part[known])
    first = np.unique(part, return_index=True)[1]
    known[first[~held]] = True
    load = _gauge_load(problem, conductivity) if turns is None else np.zeros(len(phase))
    free = np.flatnonzero(~known)
    if len(free):
        rhs = (load - matrix @ phase)[free]
        phase[free] = factorize_positive(matrix[free][:, free], space.dim).solve(rhs)
    return phase


def _strengthened(problem: Problem, conductivity: Real) -> Junctions:
    """The barriers with conductances that leave the matrix regular.

    Pieces behind weaker ones get a phase between those around, which is as good to start from.
    """
    junctions, space = problem.interfaces, problem.space
    if not len(junctions.facets):
        return junctions
    own = space.mesh.f2t[0, junctions.facets]
    beside = conductivity.max(axis=1)[own] * junctions.dx.sum(axis=1) / space.dx.sum(axis=1)[own]
    table = junctions.table.copy()
    given = table[..., barrier.CONDUCTANCE]
    table[..., barrier.CONDUCTANCE] = np.where(given > 0, np.maximum(given, WEAKEST * beside[:, None]), given)
    return replace(junctions, table=table)


def _gauge_load(problem: Problem, conductivity: Real) -> Real:
    """Int sigma 2 A grad v for the function v of every node."""
    space, gauge = problem.space, problem.coefficients.gauge
    load = np.zeros(len(space.nodes[0]))
    if gauge.shape[2]:
        local = np.einsum("cq,cqk,cqik->ci", 2 * conductivity * space.dx, gauge[..., 0], physical_gradients(space))
        np.add.at(load, space.cells, local)
    return load


def _windings(problem: Problem, pairing: Pairing, given: Vortices, gap: Complex) -> Complex:
    """Phase factors of vortices times a modulus that vanishes in their cores, at the points of the pairing."""
    x, y = problem.space.points()[:2, pairing.chosen]
    size = given.size
    if size is None:
        diffusion = problem.coefficients.table[pairing.chosen, :, column.D]
        size = float(np.sqrt(diffusion.max() / max(abs(gap).max(), 1e-300)))
    factor = np.ones(pairing.shape, complex)
    for x0, y0, n in given.cores:
        z = (x - x0) + 1j * np.sign(n) * (y - y0)
        factor *= (z / np.sqrt(abs(z) ** 2 + size**2)) ** abs(n)
    return factor


Initial = complex | Callable[[Real], Any] | Vortices | None
