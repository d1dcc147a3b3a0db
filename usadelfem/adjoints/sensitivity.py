"""The derivatives of a number made of observables with respect to everything that a device is made of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named, shown
from ..derivatives.context import Context
from ..derivatives.derivative import check_differentiable, context_of, direction_of
from ..derivatives.direction import Direction, in_common_sector, with_room
from ..derivatives.linearization import linearized
from ..derivatives.parameters import natural_rate, parse
from ..device.coefficient import RULES
from ..device.scale import Scale
from ..errors import ObservableError
from ..fields.field import Field
from ..fields.traced import Parts, Traced
from ..physics import columns as column
from ..solve.results import Equilibrium, Spectrum
from ..space.space import basis_values
from .adjoint import Adjoint
from .critical_mode import CriticalMode
from .functionals import AlongCoefficients, AtPoints
from .observables import Functional, Sought, functional_of

Real = NDArray[np.float64]

# What fields of derivatives are called, and the columns that they are made of.
SCALARS = {"N0": column.N0, "D": column.D, "depairing": column.DEPAIRING}
VECTORS = {
    "exchange": column.EXCHANGE_FIELD,
    "rate_so": tuple(column.NUMBER[f"RATE_SO_{axis}"] for axis in "XYZ"),
    "rate_sf": tuple(column.NUMBER[f"RATE_SF_{axis}"] for axis in "XYZ"),
}
GAUGE = ("A", "su2")
SPIN_CHARGE = ("theta", "kappa")
NAMES = (*SCALARS, *VECTORS, "gap", *GAUGE, *SPIN_CHARGE)


class Sensitivity:
    """The derivatives of a number O with respect to all coefficients, contacts, interfaces and the temperature.

    `s["D"]` is the `Field` dO/dD(x), a density: O grows by Int s["D"] dD dx. `s.along({...})` is the derivative along
    named parameters, `s.nodal(region, coefficient)` that with respect to an array over the vertices of the mesh.

    Attributes
    ----------
    value
        O.
    result
        The result that it was computed from.
    """

    def __init__(self, value: float, result: Equilibrium | Spectrum, adjoint: Adjoint) -> None:
        self.value, self.result, self._adjoint = value, result, adjoint

    def __repr__(self) -> str:
        return f"Sensitivity(of {self.value:.6g}, with respect to {', '.join(self.names)}, of {self.result!r})"

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients that there are fields of."""
        dim = self._adjoint.own.problem.space.dim
        return tuple(name for name in NAMES if dim > 1 or name not in SPIN_CHARGE)

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of all coefficients by name: `write_vtk` takes `list(s.fields.values())`."""
        return {name: self[name] for name in self.names}

    def __getitem__(self, name: str) -> Field:
        """dO/dc(x) per length^dim: of "N0", "D", "gap", "exchange", "rate_so", "rate_sf", "depairing", "A", "su2",
        "theta" or "kappa".

        The rates are 1/(4 tau), one per spin axis. That of a gap is complex, dO = Int Re(s* d gap), and zero where the
        gap is self-consistent. "A" has the axes of the mesh, "su2" (3, dim) spin axes first.

        Raises
        ------
        ObservableError
            If there is no such coefficient.
        """
        if name not in self.names:
            raise ObservableError(f"no sensitivity to {shown(name)}; there are {', '.join(self.names)}")
        problem = self._adjoint.own.problem
        table, dim = self._adjoint.gradient.table, problem.space.dim
        axes = "xyz"
        if name in SCALARS:
            return self._field(name, (), table[..., SCALARS[name]])
        if name in VECTORS:
            return self._field(name, tuple(axes), np.moveaxis(table[..., list(VECTORS[name])], -1, 0))
        if name == "gap":
            return self._field(name, (), table[..., column.GAP_RE] + 1j * table[..., column.GAP_IM])
        if name in SPIN_CHARGE:
            return self._field(name, (), self._spin_charge(name))
        gauge = self._context.gauge(table)
        if name == "A":
            return self._field(name, tuple(axes[:dim]), np.moveaxis(gauge[..., 0], -1, 0))
        names = tuple(f"s{spin}_{axis}" for spin in axes for axis in axes[:dim])
        return self._field(name, names, np.moveaxis(gauge[..., 1:], (-1, -2), (0, 1)))

    def along(self, parameters: Mapping[Any, Any]) -> float:
        """The derivative along named parameters with rates, as `derivative` takes them.

        Raises
        ------
        DeviceError
            If there is no such parameter, or nothing depends on it.
        """
        device = self.result.device
        total = []
        for name, rate in parameters.items():
            parameter = parse(device, name)
            total.append(direction_of(self._context, parameter, natural_rate(device, parameter, rate)))
        return self._adjoint.along(reduce(add, total, Direction()))

    def nodal(self, region: str, coefficient: str) -> Real:
        """The derivatives with respect to the values of a coefficient at the vertices, shape (*components, vertices).

        Of a coefficient that is an array over the vertices of the mesh, linear in each cell; zero outside the region.
        Components are in the order of the coefficient, those of "su2" (dim, 3).

        Raises
        ------
        DeviceError
            If there is no such region or coefficient.
        ObservableError
            If the coefficient has no field of derivatives.
        """
        device = self.result.device
        parameter = parse(device, ("region", region, coefficient))
        field, problem = self[coefficient], self._adjoint.own.problem
        space = problem.space
        cells = np.asarray(space.mesh.subdomains[parameter.owner], np.int64)
        shape = basis_values(space.mesh.elem(), space.basis.X)
        values = np.einsum("...cq,cq,vq->...vc", field.quadrature[..., cells, :], space.dx[cells], shape)
        whole = device.natural
        vertices = whole.sample_vertices[space.mesh.t[:, cells]]
        out = np.zeros((*field.shape, whole.mesh.nvertices), values.dtype)
        flat, given = out.reshape(-1, out.shape[-1]), values.reshape(-1, *vertices.shape)
        for row, own in zip(flat, given, strict=True):
            np.add.at(row, vertices, own)
        ordered = out.swapaxes(0, 1) if coefficient == "su2" else out
        return np.asarray(ordered * self._length**space.dim)

    @property
    def _length(self) -> float:
        """A natural length in the units of the device."""
        return float(1 / self.result.device.units.factor("length"))

    @property
    def _context(self) -> Context:
        return context_of(self.result, self._adjoint.own.problem)

    def _field(self, name: str, components: tuple[str, ...], values: NDArray[Any]) -> Field:
        units, space = self.result.device.units, self._adjoint.own.problem.space
        dimension = "energy" if name.startswith("rate") else RULES[name].dimension
        per = units.factor(dimension) / self._length**space.dim
        label = f"1/({units.label(dimension)}*{units.label('length')}^{space.dim})"
        scale = Scale(units, "1", space.dim, None, label, 1.0)
        return Field(
            f"d_{name}", label, components, per * np.ascontiguousarray(values), self.result.device, space, scale=scale
        )  # fmt: skip

    def _spin_charge(self, name: str) -> Real:
        """dO/dtheta or dO/dkappa, from the amounts of channels along the isotropic vectors."""
        gradient, space = self._adjoint.with_spin_charge, self._adjoint.own.problem.space
        count = space.dim * (space.dim - 1) // 2
        own = gradient.table[..., -column.CHANNEL_COLUMNS * count :].reshape(*space.dx.shape, count, -1)
        return np.asarray(own[..., 3 + SPIN_CHARGE.index(name)].sum(axis=-1))


@named()
def sensitivity(objective: Any) -> Sensitivity:
    """The derivatives of a number made of observables with respect to everything, at the price of one more solve.

    The objective is an observable that was reduced to numbers, such as `charge_current(eq).through("left")`,
    `spin_density(eq).integral("F")[2]`, `pair_amplitude(eq).at(points)[0, 0].real` or `free_energy(eq)`, of a spectrum
    `density_of_states(spec).at(points)[0, 0]`, and sums, products and the usual functions of NumPy of such numbers, all
    of one result; also `critical_temperature(device)`, and the value of a `critical_current(..., differentiable=True)`.
    It follows from the adjoint equation H lambda = -dO/dx (theory, section on derivatives).

    Raises
    ------
    TypeError
        If the objective does not remember observables: it went through a function that makes plain numbers of them.
    ObservableError
        If one of its observables has no sensitivity, its result is gone, or it is of several results.
    SolveError
        If the solution is at the end of a branch.
    """
    parts = _parts(objective)
    result = _result_of(parts)
    if isinstance(result, CriticalMode):
        rate = sum(part.factor * rate for part, rate in parts.items())
        return Sensitivity(float(objective), result.equilibrium, result.adjoint(rate))
    check_differentiable(result)
    problem = with_room(result.problem, gauge=True, spin_charge=False)
    terms: list[tuple[float, Functional]] = [
        (rate * part.factor, functional_of(Sought(result, problem, part))) for part, rate in parts.items() if rate
    ]
    problem = in_common_sector(problem, *(_seen(problem, functional) for _, functional in terms))
    own = linearized(result, problem, (True, False))
    return Sensitivity(float(objective), result, Adjoint(own, terms))


def _seen(problem: Any, functional: Functional) -> Direction:
    """A direction that breaks the same symmetries of spin as a functional."""
    if isinstance(functional, AlongCoefficients):
        return functional.direction
    if isinstance(functional, AtPoints):
        table = np.zeros_like(problem.coefficients.table)
        table[0, 0, list(column.EXCHANGE_FIELD)] = functional.spin
        return Direction(table=table)
    return Direction()


def _parts(objective: Any) -> Parts:
    if isinstance(objective, Traced) and objective.parts:
        return objective.parts
    raise TypeError(
        f"objective is {shown(objective)}, which does not remember what it was computed from; allowed are numbers like "
        "uf.charge_current(eq).through('left') and sums, products and NumPy functions of them. Of an array take its "
        "entries, as in field.at(points)[0]; of a complex number .real, .imag or abs()"
    )


def _result_of(parts: Parts) -> Any:
    results = {id(part.origin.result()): part.origin.result() for part in parts}
    if any(result is None for result in results.values()):
        raise ObservableError("the result that the objective was computed from is gone: keep it in a variable")
    if len(results) > 1:
        raise ObservableError(
            f"the objective is made of {len(results)} results; take the sensitivity of each part and combine them"
        )
    return next(iter(results.values()))
