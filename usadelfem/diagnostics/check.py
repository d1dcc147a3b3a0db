"""What a mesh and numbers are like, before anything is solved."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from ..checks import kind, named
from ..device.contact import FLOATING, Reservoir
from ..device.device import Device
from ..device.doors import at_first_phase, natural_temperature
from ..fem.problem import build_problem
from ..pictures.html import table
from ..space.space import check_order
from .lengths import RegionLengths, region_lengths
from .resolution import limiting_ratio
from .units import critical_temperatures, field_advice, length_advice, temperature_advice


@dataclass(frozen=True)
class DeviceCheck:
    """A table of lengths and numbers of a device; `print` shows it.

    Attributes
    ----------
    regions
        One row per region: `region`, `decay` (the shortest length of its solutions), `cell` (longest edge of the
        largest cell in units of that length), `ratio` (the two divided), `extent` and `layers` (width of its thinnest
        part, and the cells along it).
    temperature, order
        Of the solve that is to come.
    tc_ratio
        T/Tc by region or reservoir, of those that are superconducting; where the gap is given, Tc is that of a bulk
        with this gap at T.
    flux
        Flux quanta through a square as wide as a cell, by region.
    advice
        What to change, one sentence each; empty if nothing.
    """

    regions: tuple[RegionLengths, ...]
    temperature: float
    order: int
    tc_ratio: dict[str, float]
    flux: dict[str, float]
    advice: tuple[str, ...]

    def _repr_html_(self) -> str:
        (head, *rows), others = self._rows()
        return table("DeviceCheck", rows, head) + "".join(f"<p>{escape(line)}</p>" for line in others)

    def __str__(self) -> str:
        rows, others = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([*lines, *others])

    def _rows(self) -> tuple[list[tuple[str, ...]], list[str]]:
        """The table with its head, and the lines below."""
        rows: list[tuple[str, ...]] = [
            ("region", "shortest length", "cell", "cell/length", "T/Tc", "flux/cell", "thinnest", "in cells")
        ]
        for one in self.regions:
            tc = self.tc_ratio.get(f"region {one.region!r}")
            rows.append(
                (one.region, f"{one.decay:.4g}", f"{one.cell:.4g}", f"{one.ratio:.3g}",
                 "-" if tc is None else f"{tc:.3g}", f"{self.flux[one.region]:.3g}", f"{one.extent:.4g}",
                 f"{one.layers:.3g}")
            )  # fmt: skip
        reservoirs = [f"{name}: T/Tc = {tc:.3g}" for name, tc in self.tc_ratio.items() if name.startswith("reservoir")]
        return rows, [*reservoirs, *self.advice]


@named()
def check(device: Device, temperature: float | None = None, *, order: int = 2) -> DeviceCheck:
    """Compare the cells of a mesh with the lengths of its solutions, and numbers with each other, without solving.

    The shortest length of a region is sqrt(D / E) with E = |sqrt(w^2 + |Delta|^2) + i h| + 1/tau_so + 1/tau_sf +
    depairing + D (A^2 + SU^2) at the lowest frequency w = pi T; cells may be as long as that with quadratic elements, a
    third of it with linear ones. Where a solution does not vary, as deep in a superconductor, they may be longer: the
    warnings of a solve go by the solution itself.

    Parameters
    ----------
    device
        The device; its reservoirs may have voltages, spin biases and temperatures.
    temperature
        Temperature, energy; positive.
    order
        Order of the elements it is to be solved with, 1 or 2.

    Returns
    -------
    DeviceCheck
        A table; print it.

    Raises
    ------
    TypeError, ValueError, DeviceError
        As `solve_equilibrium`, and for a device that is out of equilibrium as `solve_nonequilibrium`.
    """
    kind("device", device, Device, "is a usadelfem.Device")
    device, temperature = at_first_phase(device.natural), natural_temperature(device, temperature)
    check_order(order)
    problem = build_problem(device, order, temperature=temperature, biased=_is_biased(device))
    lengths = region_lengths(device, problem, temperature)
    limit = limiting_ratio(order)
    advice = [
        f"region {one.region!r}: cells of {one.cell:.3g} are {one.ratio:.3g} times its shortest length; use "
        f"size={limit * one.decay:.2g} or less" + (", or order=2" if order == 1 else "")
        for one in lengths
        if one.ratio > limit
    ]
    others = temperature_advice(device, problem, temperature), field_advice(device, lengths), length_advice(lengths)
    field = 0.0 if device.B is None else float(np.linalg.norm(device.B))
    return DeviceCheck(
        tuple(lengths), temperature, order,
        {name: temperature / tc for name, tc in critical_temperatures(device, problem, temperature).items()},
        {one.region: field * one.cell**2 / np.pi for one in lengths}, (*advice, *filter(None, others)),
    )  # fmt: skip


def _is_biased(device: Device) -> bool:
    """Whether a reservoir may differ from the others in voltage, spin bias or temperature."""
    return any(
        own.temperature is not None or any(callable(bias) or bias is FLOATING or np.any(bias) for bias in biases)
        for own in device.contacts.values()
        if isinstance(own, Reservoir)
        for biases in [(own.voltage, own.spin_bias)]
    )
