"""What a device is like in numbers, before anything is solved: what its author wants to see first."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named
from ..compilation.jit import kept_spins
from ..device.contact import Reservoir
from ..device.device import Device
from ..device.doors import at_first_phase, natural_temperature
from ..device.later import answers
from ..device.scale import scale_of
from ..diagnostics.lengths import RegionLengths, bulk_gaps, region_lengths
from ..diagnostics.units import critical_temperatures, field_advice, length_advice, temperature_advice
from ..errors import DeviceError
from ..fem.cells import element_terms
from ..fem.problem import Problem, build_problem
from ..physics import columns as column
from ..solve.arguments import natural_device
from ..solve.resistance import normal_resistance

Real = NDArray[np.float64]
Row = tuple[str, ...]

# Critical current of a long and of a short diffusive contact at T = 0, e R_N I_c in units of E_Th and of the gap:
# Dubos et al., Phys. Rev. B 63, 064502 (2001); Kulik and Omelyanchuk, JETP Lett. 21, 96 (1975).
LONG, SHORT = 10.82, 2.07
# The long one above its Thouless energy, e R_N I_c = E_Th (32/(3 + 2 sqrt 2)) y^3 exp(-y), y^2 = 2 pi T/E_Th (ibid.).
HOT = 32 / (3 + 2 * np.sqrt(2))


@dataclass(frozen=True)
class Summary:
    """Tables of a device; `print` shows them.

    Attributes
    ----------
    head
        One line on mesh, units and temperature.
    regions, contacts
        Tables, the first row of each their heads.
    notes
        Sentences: expected critical current, what will be compiled, what to change.
    """

    head: str
    regions: tuple[Row, ...]
    contacts: tuple[Row, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        tables = [text for rows in (self.regions, self.contacts) if len(rows) > 1 for text in ("", *_aligned(rows))]
        return "\n".join([self.head, *tables, *([""] if self.notes else []), *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        tables = [_html(rows) for rows in (self.regions, self.contacts) if len(rows) > 1]
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p>{escape(self.head)}</p>{''.join(tables)}<ul>{notes}</ul>"


@answers("summary")
@named()
def summary(device: Device, temperature: float | None = None, *, order: int = 2) -> Summary:
    """What a device is like: lengths, Thouless energies, resistances, cells per length, expected critical current.

    Parameters
    ----------
    device
        The device.
    temperature
        Temperature, energy or in the units of the device; None: that of the device.
    order
        Order of the elements it is to be solved with, 1 or 2.

    Returns
    -------
    Summary
        Tables; print it. Decay lengths are sqrt(D / 2 pi T), sqrt(D / gap) and sqrt(D / exchange), E_Th = D / L^2 with
        the largest extent L of a region. A critical current is expected of two superconductors with one weak link
        without gap and exchange field between them, from the closed forms of short and long contacts, to a factor of
        about two.

    Raises
    ------
    TypeError, ValueError, DeviceError
        As `solve_equilibrium`.
    """
    inside = at_first_phase(natural_device(device))
    value = natural_temperature(inside, temperature)
    problem = build_problem(inside, order, temperature=value)
    lengths = region_lengths(inside, problem, value)
    mesh, units = inside.mesh, device.units
    size = " x ".join(f"{extent:.4g}" for extent in np.ptp(mesh.p, axis=1))
    head = (
        f"{type(mesh).__name__}, {mesh.nelements} cells, {mesh.nvertices} vertices, {size} {units.label('length')}; "
        f"T = {units.out('temperature', value):.4g} {units.label('temperature')}"
    )
    expected = _expected_current(inside, problem, lengths, value)
    advice = temperature_advice(inside, problem, value), field_advice(inside, lengths), length_advice(lengths)
    notes = tuple(filter(None, (expected, _to_compile(problem), *advice)))
    ratios = {name: value / tc for name, tc in critical_temperatures(inside, problem, value).items()}
    return Summary(head, _regions(inside, problem, lengths, value, ratios), _contacts(inside, order), notes)


def _regions(
    device: Device, problem: Problem, lengths: list[RegionLengths], temperature: float, ratios: dict[str, float]
) -> tuple[Row, ...]:  # fmt: skip
    units, table = device.units, problem.coefficients.table
    length, energy = units.label("length"), units.label("energy")
    rows: list[Row] = [(
        "region", f"D ({units.label('diffusion')})", f"sqrt(D/2 pi T) ({length})", f"sqrt(D/gap) ({length})",
        f"sqrt(D/h) ({length})", f"E_Th ({energy})", "T/Tc", "cells per length",
    )]  # fmt: skip
    gaps = bulk_gaps(device, temperature)
    for one in lengths:
        cells = problem.space.mesh.subdomains[one.region]
        diffusion, field = _range(table[cells][..., column.D]), table[cells][..., column.HX : column.HZ + 1]
        gap = max(float(abs(problem.gap[cells]).max(initial=0.0)), gaps.get(one.region, 0.0))
        exchange = float(np.linalg.norm(field, axis=-1).max(initial=0.0))
        ratio = ratios.get(f"region {one.region!r}")
        rows.append((
            one.region, _span(units.out("diffusion", diffusion)), _number(_length(diffusion, 2 * np.pi * temperature)),
            _number(_length(diffusion, gap)), _number(_length(diffusion, exchange)),
            _number(float(diffusion.mean()) / one.length**2), _number(ratio), _number(1 / one.ratio),
        ))  # fmt: skip
    return tuple(rows)


def _contacts(device: Device, order: int) -> tuple[Row, ...]:
    """Resistances in the normal state between contacts, where the metal connects them."""
    factor_label = device.units.label("resistance") if not device.units.is_natural else "1/(e^2 N0 D)"
    rows: list[Row] = [("between", f"R_N ({factor_label})")]
    for first, second in combinations(device.contacts, 2):
        try:
            rows.append((f"{first}, {second}", _number(normal_resistance(device, first, second, order=order))))
        except DeviceError:  # they touch, or nothing connects them
            rows.append((f"{first}, {second}", "-"))
    return tuple(rows)


def _expected_current(
    device: Device, problem: Problem, lengths: list[RegionLengths], temperature: float
) -> str:  # fmt: skip
    """A sentence on the critical current of one weak link between two superconducting contacts."""
    gaps = bulk_gaps(device, temperature)
    cells, table = problem.space.mesh.subdomains, problem.coefficients.table
    weak = [
        one for one in lengths
        if not gaps.get(one.region) and not abs(problem.gap[cells[one.region]]).max(initial=0.0)
        and not table[cells[one.region]][..., column.HX : column.HZ + 1].any()
    ]  # fmt: skip
    leads = {name: abs(own.gap).max(initial=0.0) for name, own in problem.electrodes.items()}
    barriers = device.interfaces or any(isinstance(c, Reservoir) and not c.is_rigid for c in device.contacts.values())
    if len(weak) != 1 or len(leads) != 2 or not min(leads.values()) > 0 or barriers or _others(device, weak[0], gaps):
        return ""
    [link], gap = weak, float(min(leads.values()))
    own, units = cells[link.region], device.units
    diffusion = float(_range(table[own][..., column.D]).mean())
    thouless = diffusion / link.length**2
    y = np.sqrt(2 * np.pi * temperature / thouless)
    long = thouless * min(LONG, HOT * y**3 * np.exp(-y) if y > 3 else LONG)
    voltage = min(long, SHORT * gap)
    volume = float(problem.space.dx[own].sum())
    conductance = 2 * float(table[own][..., column.N0].mean()) * diffusion * volume / link.length**2
    factor, unit = scale_of(device, problem.space.dim, "e*N0*D*energy/length").integrated(problem.space.dim - 1)
    kind = "long" if long < SHORT * gap else "short"
    return (
        f"expected critical current: at most about {factor * voltage * conductance:.3g} {unit} (e R_N I_c = "
        f"{voltage:.3g} {units.label('energy')}, a {kind} diffusive contact of the length of {link.region!r} with "
        "rigid superconductors; soft ones carry less)"
    )


def _others(device: Device, link: RegionLengths, gaps: dict[str, float]) -> bool:
    """Whether a region is neither the link nor a superconductor."""
    return any(
        name != link.region and not gaps.get(name) and not (material.gap is not None and np.any(material.gap))
        for name, material in device.conductors.items() if not callable(material.gap)
    )  # fmt: skip


def _to_compile(problem: Problem) -> str:
    sector = problem.sector
    what = {"spinless": "without spin", "collinear": "for spins along one axis", "full": "for all spin components"}
    if sector.entries in kept_spins(element_terms):
        return f"the equation {what[sector.name]} is compiled already"
    return (
        f"the equation {what[sector.name]} is compiled at the first solve, once on this machine (10 to 30 s); "
        f"`python -m usadelfem compile {sector.name}` does it ahead of time"
    )


def _range(values: Any) -> Real:
    return np.array([values.min(), values.max()])


def _length(diffusion: Real, energy: float) -> float | None:
    return float(np.sqrt(diffusion.min() / energy)) if energy > 0 else None


def _span(values: Real) -> str:
    low, high = values.tolist()
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _aligned(rows: tuple[Row, ...]) -> list[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ["  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True)) for row in rows]


def _html(rows: tuple[Row, ...]) -> str:
    head, *body = ("".join(f"<td>{escape(text)}</td>" for text in row) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>{''.join(f'<tr>{row}</tr>' for row in body)}</table>"
