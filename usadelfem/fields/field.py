"""A quantity on a device: values at the quadrature points, and what can be made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import shown
from ..device.device import Device
from ..device.scale import Scale, scale_of
from ..errors import ObservableError
from ..space.locate import Location, locate
from ..space.recover import Recovered, recover
from ..space.section import Facets, Section, find_section, undirected_section
from ..space.space import Space
from .parameter import Series
from .pictured import Pictured
from .traced import Remembering

Values = NDArray[Any]
Into = str | ArrayLike | None


@dataclass(frozen=True, eq=False, repr=False)
class Field(Pictured, Remembering):
    """A scalar, vector or tensor quantity on a device, or a series of it over a parameter such as the energy.

    All values of a series have one more leading axis, over the parameter; `field[n]` is one of its members.

    Attributes
    ----------
    name, unit
        Name and unit of its values, after `usadelfem.lab` in laboratory units; else energies, lengths and N0 are those
        that the device was described in (hbar = k_B = e = 1).
    components
        Names of the components in the order of the leading axes of all values, e.g. ("x", "y").
    quadrature
        Raw values at the quadrature points, shape (*components, cells, points).
    device, space
        What the quantity was computed on.
    exact, flux
        Functions of a `Location` and of a `Section`: exact values, and the consistent flux; None where there is none.
    series
        The parameter of a series; None for a single field.
    scale
        How natural values become those of its unit; None of natural values, which get the units of their device.
    """

    name: str
    unit: str
    components: tuple[str, ...]
    quadrature: Values
    device: Device
    space: Space
    exact: Callable[[Location], Values] | None = None
    flux: Callable[[Section], Values | None] | None = None
    series: Series | None = None
    scale: Scale | None = None

    def __post_init__(self) -> None:
        if self.scale is None:
            self._leave_natural_units()
        self.quadrature.flags.writeable = False

    def _leave_natural_units(self) -> None:
        scale = scale_of(self.device, self.space.dim, self.unit)
        own: dict[str, Any] = {"scale": scale, "unit": scale.label, **self._times(scale.point, scale.over_surfaces)}
        if self.series is not None:
            own["series"] = replace(self.series, unit=self.device.units.express(self.series.unit)[1])
        vars(self).update(own)

    def _times(self, factor: float, total: float) -> dict[str, Any]:
        """Values times a factor, and totals of `through` times another one; what is changed by them."""
        own: dict[str, Any] = {}
        if factor != 1.0:
            own["quadrature"] = factor * self.quadrature
            own["exact"] = None if self.exact is None else partial(_times, self.exact, factor)
        if total != 1.0 and self.flux is not None:
            own["flux"] = partial(_times, self.flux, total)
        return own

    def to(self, unit: str) -> Field:
        """The field in another unit: uf.charge_current(eq).to("A/m^2"). Totals of `through` keep theirs (`flux_unit`).

        A density of a film or wire of known thickness or area may also be asked for per area or length.

        Raises
        ------
        DeviceError
            If the device is in natural units, or the unit is of another dimension.
        """
        changed = self._scale.to(unit)
        return replace(self, unit=changed.label, scale=changed, **self._times(changed.point / self._scale.point, 1.0))

    @property
    def _scale(self) -> Scale:
        assert self.scale is not None
        return self.scale

    @property
    def natural(self) -> Field:
        """The field in natural units, hbar = k_B = e = 1, totals without thickness or area of the device."""
        scale = self._scale
        own = self._times(1 / scale.point, 1 / scale.over_surfaces)
        return replace(self, unit=scale.expression, scale=scale.natural, **own)

    @property
    def flux_unit(self) -> str:
        """The unit of what `through` returns."""
        return self._scale.integrated(self.space.dim - 1)[1]

    def __repr__(self) -> str:
        many = f", {len(self.series.values)} values of {self.series.name}" if self.series else ""
        return f"Field({self.name} [{self.unit}], components {', '.join(self.components) or 'none'}{many})"

    def __len__(self) -> int:
        """Number of fields of a series.

        Raises
        ------
        TypeError
            If this is a single field.
        """
        return len(self._series().values)

    def __getitem__(self, n: int) -> Field:
        """Field number n of a series.

        Raises
        ------
        TypeError
            If this is a single field, or n is no integer.
        IndexError
            If there is no such member.
        """
        count = len(self)
        if not isinstance(n, int | np.integer) or isinstance(n, bool):
            raise TypeError(f"{shown(n)} is no integer: field[n] is one member of a series")
        if not -count <= n < count:
            raise IndexError(f"no field {shown(n)} in a series of {count}")
        exact, flux = self.exact, self.flux
        part = replace(
            self, quadrature=self.quadrature[n], series=None,
            exact=None if exact is None else lambda location: exact(location)[n],
            flux=None if flux is None else lambda section: _member(flux(section), n),
        )  # fmt: skip
        part.__dict__["at_corners"] = self.at_corners[n]  # made for the whole series at once
        return part if self.origin is None else part.of(replace(self.origin, member=int(n) % count))

    def _series(self) -> Series:
        if self.series is None:
            raise TypeError(f"{self.name} is a single field, not a series over energies or another parameter")
        return self.series

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value at one point: () for a scalar, (dim,) for a vector, ..."""
        return self.quadrature.shape[:-2]

    @cached_property
    def recovered(self) -> Recovered:
        """The continuous piecewise polynomial, one per region, closest to the raw values in the L2 norm."""
        return recover(self.space, self.quadrature, tuple(self.device.conductors))

    @cached_property
    def at_corners(self) -> Values:
        """Values at `space.corners`, the vertices of the mesh with a copy for every side of a barrier."""
        if self.exact is None:
            values = self.recovered.at_corners()
        else:
            nodes = self.space.corners[:, None]
            values = self.exact(Location(np.zeros(len(nodes), np.int64), nodes, np.ones(nodes.shape)))
        values.flags.writeable = False
        return values

    @cached_property
    def nodal(self) -> Values:
        """Values at the vertices of the mesh, shape (*components, vertices).

        Pair amplitudes are exact functions of the nodal solution. Quantities made of gradients or coefficients are
        recovered region by region by an L2 projection, and averaged at vertices that several regions share. At a
        barrier it is the mean of its sides.
        """
        values = self.space.at_vertices(self.at_corners)
        values.flags.writeable = False
        return values

    def at(self, points: ArrayLike) -> Values:
        """Values at points of shape (dim, npoints): an array of shape (*components, npoints).

        Pair amplitudes are evaluated exactly from the finite-element solution; quantities made of gradients or
        coefficients from their region-wise recovery, which is smoother and usually more accurate than the raw values.

        Raises
        ------
        ObservableError
            If the points have another shape, or one lies outside the mesh.
        """
        location = locate(self.space, points)
        values = self.recovered.at(location) if self.exact is None else self.exact(location)
        return self._told(values, self._scale.point, "at", location)

    def integral(self, region: str | None = None) -> Values:
        """Integral over a region (None: the whole mesh), shape (*components).

        Raises
        ------
        ObservableError
            If there is no such region.
        """
        cells = self._cells(region)
        value: Values = np.einsum("...cq,cq->...", self.quadrature[..., cells, :], self.space.dx[cells])
        total = self._total(value, self.space.dim)[()]
        return self._told(total, self._scale.integrated(self.space.dim)[0], "integral", region)

    def _total(self, value: Values, dim: int) -> Values:
        """An integral of values over `dim` dimensions of the mesh, in its own unit."""
        factor = self._scale.integrated(dim)[0] / self._scale.point
        return value if factor == 1.0 else factor * value

    def through(self, facets: Facets, into: Into = None) -> Values:
        """Total flux through a facet set, () for a charge current and (3,) for a spin current.

        The flux is the consistent one wherever the set separates the cells around it: the residual of the discrete
        equation on one side of the set, tested with the symmetry generator on the nodes of the set. It equals the
        surface integral of the current up to the discretisation error, and it is conserved to solver precision, on
        any mesh: the same through every cross-section of a junction. Through a barrier it is the derivative of the
        interface term on the side that the flux leaves. For a contact it is the total current out of the device into
        the contact, also where its facets lie inside the mesh and current enters from all sides: the currents of all
        contacts add up to zero. Through another set that ends inside the domain the recovered current density is
        integrated instead.

        Parameters
        ----------
        facets
            Name of a facet set of the mesh, a pair of region names, or facet indices.
        into
            Direction that counts as positive: the name of the region it leads into, or a vector. None: the outward
            normal on the boundary of the mesh, the direction into a contact, the mesh's own orientation of an oriented
            facet set, or for an interface named A_B after two regions, or a pair (A, B), the direction from A to B.

        Raises
        ------
        ObservableError
            If this is not a current, the set is unknown or empty, or its direction is ambiguous.
        """
        if self.flux is None:
            raise ObservableError(f"{self.name} is not a current, it has no flux through a surface; use `integral`")
        section = find_section(self.space, facets, into, contacts=self.device.contacts)
        exact = self.flux(section) if section.separates else None
        flux: Values = (self._facet_integral(section) if exact is None else exact)[()]
        if exact is not None:
            flux = self._told(flux, self._scale.over_surfaces, "through", section)
        return flux

    def average(self, facets: Facets) -> Values:
        """Mean value over a facet set, shape (*components): what a voltage probe reads of a potential.

        Raises
        ------
        ObservableError
            If the set is unknown or empty.
        """
        location, _, weights = undirected_section(self.space, facets).facet_points(self.space)
        values = self.recovered.at(location) if self.exact is None else self.exact(location)
        share = weights / weights.sum()
        return self._told((values @ share)[()], self._scale.point, "average", location, share)

    def _facet_integral(self, section: Section) -> Values:
        location, normals, weights = section.facet_points(self.space)
        values = self.recovered.at(location)[..., : self.space.dim, :]  # a current may have components off the mesh
        flux: Values = np.einsum("...kp,kp,p->...", values, normals, weights)
        return self._total(flux, self.space.dim - 1)

    def _cells(self, region: str | None) -> Any:
        if region is None:
            return slice(None)
        if not isinstance(region, str) or region not in self.space.mesh.subdomains:
            known = ", ".join(sorted(self.space.mesh.subdomains))
            raise ObservableError(f"no region {shown(region)}; it has: {known}")
        return np.asarray(self.space.mesh.subdomains[region])


def _times(function: Callable[[Any], Values | None], factor: float, where: Any) -> Any:
    """What a function of places gives, times a factor."""
    value = function(where)
    return None if value is None else factor * value


def _member(values: Values | None, n: int) -> Values | None:
    return None if values is None else values[n]
