"""A metal, or a magnetic insulator: a name, and published numbers with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from ..checks import named, named_fields
from ..device.material import Coefficients, Material, ferromagnet, normal_metal, superconductor
from ..device.quantities import quantity
from ..frozen import FrozenMapping, FrozenRecord
from .datum import Datum
from .film import UNITS, film_values

MAKERS = {"superconductor": superconductor, "normal": normal_metal, "ferromagnet": ferromagnet}
MORE = tuple(name for name in Coefficients.__annotations__ if name == "N0" or name not in (*UNITS, "theta"))
HEAD = ("quantity", "value", "range", "unit", "source", "note")


@named_fields
@dataclass(frozen=True, kw_only=True, repr=False)
class Metal(FrozenRecord):
    """Published numbers of a metal or a magnetic insulator.

    Attributes
    ----------
    name
        What it is called in `metals`: "Nb".
    title
        Its name in words.
    kind
        "superconductor", "normal", "ferromagnet" or "insulator".
    data
        Quantity -> `Datum`; each is also an attribute, `metal.Tc`. Tc (bulk, unless the note says film), gap (at low
        temperature), N0 (per spin), D, resistivity, rho_l (resistivity times mean free path), fermi_velocity, exchange
        (the field h of energies +-h), spin_diffusion_length, spin_hall_angle, sommerfeld (electronic heat capacity),
        atoms (per volume) and others. What is not there has no source that was good enough.
    """

    name: str
    title: str
    kind: str
    data: Mapping[str, Datum]

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", FrozenMapping(dict(self.data)))

    def __getattr__(self, name: str) -> Datum:
        data = vars(self).get("data", {})
        if name in data:
            found: Datum = data[name]
            return found
        raise AttributeError(f"{vars(self).get('name', 'a metal')} has no {name!r}; it has {', '.join(data)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.data})

    @named(*MORE)
    def film(
        self, *, resistivity: Any = None, Tc: Any = None, mean_free_path: Any = None, D: Any = None,
        exchange: Any = None, gap: Any = None, tau_so: Any = None, spin_diffusion_length: Any = None,
        spin_hall_angle: Any = None, **more: Any,
    ) -> Material:  # fmt: skip
        """A film of the metal: a material whose coefficients are pint quantities.

        What is not given is taken from the table where it has it. Two of D, N0 and the resistivity give the third,
        1/rho = 2 e^2 N0 D. All arguments may be pint quantities; the units are those of plain numbers.

        Parameters
        ----------
        resistivity
            Residual resistivity of the film, uohm cm.
        Tc
            Critical temperature of the film without its neighbours, K. 0: without pairing.
        mean_free_path
            In place of the resistivity, nm: of their product in the table, or D = v_F l/3 where only v_F is known.
        D
            Diffusion coefficient, cm^2/s.
        exchange
            Exchange field, meV: a number (along z) or three.
        gap
            A given gap, meV, in place of the self-consistent one. True: 1.764 k_B Tc.
        tau_so
            Spin relaxation time by spin-orbit scattering, ps; infinite unless given.
        spin_diffusion_length
            In place of tau_so, nm: l^2 = D tau_so. True: that of the table.
        spin_hall_angle
            theta. True: that of the table; 0 unless given, because it costs.
        **more
            Further coefficients of `Material`; N0 is per spin in 1/(eV nm^3).

        Raises
        ------
        DeviceError
            If the numbers do not determine the film, contradict each other or are out of range, or if it is no metal.
        """
        given = {
            "resistivity": resistivity, "Tc": Tc, "mean_free_path": mean_free_path, "D": D, "N0": more.pop("N0", None),
            "exchange": exchange, "gap": gap, "tau_so": tau_so, "spin_diffusion_length": spin_diffusion_length,
            "spin_hall_angle": spin_hall_angle,
        }  # fmt: skip
        values = film_values(self.name, self.kind, self.data, given)
        theta = {"theta": values.pop("theta")[0]} if "theta" in values else {}
        return MAKERS[self.kind](**{key: quantity(*own) for key, own in values.items()}, **theta, **more)

    def rows(self) -> list[tuple[str, ...]]:
        """The numbers as texts, one row per quantity: quantity, value, range, unit, source, note."""
        return [
            (
                name, f"{own.value:.4g}", "" if own.low is None else f"{own.low:.4g} to {own.high:.4g}",
                "" if own.unit == "dimensionless" else own.unit, ", ".join(own.sources), own.note,
            )
            for name, own in self.data.items()
        ]  # fmt: skip

    def table(self) -> str:
        """The numbers as a text table."""
        rows = [HEAD, *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
        return "\n".join((f"{self.name}: {self.title} ({self.kind})", *lines))

    def __repr__(self) -> str:
        numbers = "; ".join(f"{name} {own}" for name, own in self.data.items())
        return f"<Metal {self.name}, {self.title}, {self.kind}: {numbers}>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{cell}</th>" for cell in HEAD)
        body = "".join(f"<tr>{''.join(f'<td>{_linked(cell)}</td>' for cell in row)}</tr>" for row in self.rows())
        caption = f"{escape(self.name)}: {escape(self.title)} ({escape(self.kind)})"
        return f"<table><caption>{caption}</caption><tr>{head}</tr>{body}</table>"


def _linked(cell: str) -> str:
    """A cell in HTML, DOIs as links."""
    parts = (
        f'<a href="https://doi.org/{escape(part[4:])}">{escape(part)}</a>' if part.startswith("doi:") else escape(part)
        for part in cell.split(", ")
    )
    return ", ".join(parts)
