"""Magnetic field of screening currents: flux density, magnetisation, flux through holes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named
from ..derivatives.parameters import natural_rate, parse
from ..derivatives.tangent import Tangent
from ..device.scale import in_units
from ..errors import ObservableError
from ..fem.screening import Induced
from ..fields.field import Field
from ..magnetics.holes import Hole
from ..solve.results import Equilibrium
from .arguments import check_result
from .currents import charge_current
from .observed import along, observable

MOMENT = "e*N0*D*energy"


def _field_along(tangent: Tangent) -> Field:
    """The derivative of the induced field, and the rate at which the applied one grows."""
    eq = tangent.result
    induced = _induced(eq, "magnetic_field")
    return replace(_field(eq, induced.maxwell.curl_at_points(tangent.dofs), _rate(tangent)), name="d_magnetic_field")


def _rate(tangent: Tangent) -> NDArray[np.float64]:
    """The rate of the uniform applied field, shaped as `_applied_field`."""
    applied = _applied_field(tangent.result)
    if "A" in tangent.parameters:
        raise ObservableError('the applied field is known along "B" only, not along a general A')
    if "B" not in tangent.parameters:
        return 0 * applied
    device = tangent.result.device
    rate = natural_rate(device, parse(device, "B"), tangent.parameters["B"])
    return np.asarray(rate, float).reshape(applied.shape)


@named()
@along(_field_along)
def magnetic_field(eq: Equilibrium) -> Field:
    """B = curl A, applied and induced: () in 2D, along the first times the second mesh axis, (3,) in 3D.

    Unit: hbar/(e length^2); a flux quantum h/2e is an integral of pi.

    Raises
    ------
    ObservableError
        If the device was solved without screening.
    """
    induced = _induced(eq, "magnetic_field")
    return _field(eq, induced.maxwell.curl_at_points(eq.dofs), _applied_field(eq))


def _field(eq: Any, induced: NDArray[np.float64], applied: NDArray[np.float64]) -> Field:
    components = ("x", "y", "z") if eq.problem.space.dim == 3 else ()
    return Field("magnetic_field", "hbar/e/length^2", components, induced + applied, eq.device, eq.problem.space)


@named()
@observable
def magnetisation(eq: Equilibrium) -> float | NDArray[np.float64]:
    """The magnetic moment of the supercurrents, (1/2) Int r x j: a number in 2D, (3,) in 3D.

    Works with and without screening; of a device without contacts. Unit: e N0 D energy length^dim; after `lab` a
    current times an area in its units (A nm^2), in 2D without `thickness` per length (A nm).

    Raises
    ------
    ObservableError
        On a line, or if the device has contacts, through which currents may flow.
    """
    check_result("magnetisation", eq, Equilibrium)
    space = eq.problem.space
    if space.dim == 1:
        raise ObservableError("a magnetisation needs a mesh of two or three dimensions: on a line nothing circulates")
    if len(eq.device.contacts):
        raise ObservableError(
            f"the device has the contacts {', '.join(map(repr, eq.device.contacts))}, through which currents may flow: "
            "its magnetisation would depend on the origin. Ask for it of a device without contacts"
        )
    j, x = charge_current(eq).natural.quadrature, space.points()
    if space.dim == 2:
        moment: Any = float(0.5 * ((x[0] * j[1] - x[1] * j[0]) * space.dx).sum())
    else:
        moment = np.asarray(0.5 * (np.cross(x, j, axis=0) * space.dx).sum(axis=(1, 2)))
    found: float | NDArray[np.float64] = in_units(eq.device, moment, MOMENT, space.dim)
    return found


def _fluxes_along(tangent: Tangent) -> tuple[tuple[Hole, float], ...]:
    eq = tangent.result
    own = _induced(eq, "hole_fluxes").maxwell.hole_fluxes(tangent.dofs)
    return _fluxes(eq, own, float(_rate(tangent)) if eq.problem.space.dim == 2 else 0.0)


@named()
@along(_fluxes_along)
def hole_fluxes(eq: Equilibrium) -> tuple[tuple[Hole, float], ...]:
    """The holes of a 2D sample and the magnetic flux through each, applied and induced.

    Unit: hbar/e, in which h/2e is pi; after `lab` its unit of flux (Wb). A `Hole` has `centroid` and `area`, in the
    unit of the mesh. The flux through the hole itself; the fluxoid adds the current around it.

    Raises
    ------
    ObservableError
        If the device was solved without screening.
    """
    own = _induced(eq, "hole_fluxes").maxwell.hole_fluxes(eq.dofs)
    return _fluxes(eq, own, float(_applied_field(eq)) if eq.problem.space.dim == 2 else 0.0)


def _fluxes(eq: Any, induced: NDArray[np.float64], applied: float) -> tuple[tuple[Hole, float], ...]:
    holes, unit = _induced(eq, "hole_fluxes").maxwell.holes, eq.device.units.express("hbar/e")[0]
    return tuple((hole, unit * float(own + applied * hole.area)) for hole, own in zip(holes, induced, strict=True))


def _induced(eq: Any, what: str) -> Induced:
    check_result(what, eq, Equilibrium)
    if eq.induced is None:
        raise ObservableError(f"{what} needs a solve with screening=True; without it B is the applied field")
    induced: Induced = eq.induced
    return induced


def _applied_field(eq: Any) -> NDArray[np.float64]:
    """The uniform applied field, () in 2D or (3, 1, 1) in 3D; zero where none was given."""
    dim = eq.problem.space.dim
    if eq.device.A is not None:
        raise ObservableError("the applied field is known for Device(B=...) only, not for a general A")
    field = np.zeros(3 if dim == 3 else ()) if eq.device.B is None else np.asarray(eq.device.B, float)
    return field[:, None, None] if dim == 3 else field
