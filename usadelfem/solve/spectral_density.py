"""The density of states of a spectrum: numbers, curves, tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import shown
from ..errors import ObservableError
from ..fem.currents import at_quadrature
from ..frozen import FrozenRecord
from ..pictures.extra import axes_of
from ..pictures.html import span, table
from ..pictures.labels import energy_unit, length_unit, with_unit
from ..pictures.line import draw_curves
from ..pictures.tables import dataset
from ..space.locate import locate
from ..space.sampling import Places, node_sites, sites

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

NAME, UNIT = "density_of_states", "N0"


class PicturedSpectrum(FrozenRecord):
    """How spectra are drawn and handed to other packages."""

    device: Any
    energies: Real
    broadening: float
    states: Complex
    report: Any
    problem: Any

    def plot(
        self, points: ArrayLike | None = None, *, region: str | None = None, ax: Any = None, **options: Any
    ) -> Any:
        """Draw the density of states over energy.

        Parameters
        ----------
        points
            Positions (dim, npoints), one curve each; None: means over regions.
        region
            The region of the mean; None: all, one curve each.
        ax, **options
            As of `Field.plot`; the options are those of `ax.plot`.

        Returns
        -------
        matplotlib Axes
            Of the picture.

        Raises
        ------
        ObservableError
            If a point lies outside of the mesh, there is no such region, or the equation was linearised.
        ImportError
            If matplotlib is not installed.
        """
        order = np.argsort(self.energies, kind="stable")
        if points is not None:
            x = np.asarray(points, float)
            values = point_density(self, locate(self.problem.space, points).interpolate)
            unit = length_unit(self.device)
            places = (", ".join(f"{own:.4g}" for own in place) for place in x.T)
            names = [f"x = {place} [{unit}]" if len(x) == 1 else f"({place}) [{unit}]" for place in places]
        else:
            names = [region] if region is not None else list(self.device.conductors)
            values = np.array([region_density(self, name) for name in names]).T
        energies = self.energies[order]
        curves = {name: (energies, row[order]) for name, row in zip(names, values.T, strict=True)}
        labels = with_unit("energy", energy_unit(self.device)), with_unit("density of states", UNIT)
        ax = axes_of(ax)
        draw_curves(ax, curves, *labels, **options)
        return ax

    def to_xarray(self, points: Places | None = None) -> Any:
        """The density of states as an xarray Dataset.

        `density_of_states` has the dimensions `energy` and those of the places, `mean_density_of_states` the dimensions
        `energy` and `region`, and `converged` tells which energies were found; the others are NaN. The attribute
        `broadening` is that of the spectrum.

        Parameters
        ----------
        points
            As of `Field.to_xarray`: None for all nodes, positions, or a grid.

        Raises
        ------
        ObservableError
            If points lie outside of the mesh, a grid has other axes, or the equation was linearised.
        ImportError
            If xarray is not installed.
        """
        space, regions = self.problem.space, list(self.device.conductors)
        axes, unit = ["xyz"[axis] for axis in self.device.axes], length_unit(self.device)
        places = node_sites(space, axes, unit) if points is None else sites(space, points, axes, unit)
        values = places.table(point_density(self, places.location.interpolate))
        means = np.array([region_density(self, name) for name in regions]).T
        return dataset(
            {NAME: (("energy", *places.dims), values, UNIT), f"mean_{NAME}": (("energy", "region"), means, UNIT),
             "converged": (("energy",), _found(self), "1")},
            {"energy": (("energy",), self.energies, energy_unit(self.device)), "region": (("region",), regions, "1"),
             **places.coordinates},
            broadening=self.broadening,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        problem, lost = self.problem, int((~_found(self)).sum())
        unit = energy_unit(self.device)
        rows = [
            ("energies", span(self.energies, unit)), ("broadening", with_unit(f"{self.broadening:.5g}", unit)),
            ("not found", lost or "none"), ("nodes", f"{self.states.shape[1]}, order {problem.space.order}"),
            ("Newton iterations", sum(report.iterations for report in self.report)),
            ("regions", ", ".join(self.device.conductors)), ("contacts", ", ".join(self.device.contacts) or "none"),
        ]  # fmt: skip
        return table("Spectrum", rows)


def _found(spec: Any) -> NDArray[np.bool_]:
    """Which energies were found."""
    return np.array([report.converged for report in spec.report])


def check_density(spec: Any) -> None:
    """ObservableError if a spectrum has no density of states."""
    if spec.problem.linearized:
        raise ObservableError(
            "the linearised equation has the density of states of the normal metal to first order; solve the full one"
        )


def point_density(spec: Any, interpolated: Any) -> Real:
    """The density of states where `interpolated` takes the states, shape (energies, ...)."""
    check_density(spec)
    with np.errstate(invalid="ignore"):  # NaN where an energy was not found
        return np.array([spec.equation.normal_part(interpolated(state)).real for state in spec.states])


def region_density(spec: Any, region: str) -> Real:
    """The mean density of states of a region, shape (energies,).

    Raises
    ------
    ObservableError
        If there is no such region.
    """
    if not isinstance(region, str) or region not in spec.device.conductors:
        known = ", ".join(sorted(spec.device.conductors))
        raise ObservableError(f"no region {shown(region)}; it has: {known}")
    space = spec.problem.space
    cells = np.asarray(space.mesh.subdomains[region])
    dx = space.dx[cells]
    values = point_density(spec, lambda state: at_quadrature(space, state)[cells])
    return np.asarray((values * dx).sum(axis=(1, 2)) / dx.sum())
