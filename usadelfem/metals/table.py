"""The table of metals: a file of numbers, read when the first one is asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from ..checks import shown
from ..errors import UnknownMetalError
from .datum import datum_from, density_of_states
from .metal import Metal


class Metals(Mapping[str, Metal]):
    """All metals and magnetic insulators of the table by name, `metals["Nb"]`.

    Raises
    ------
    UnknownMetalError
        If there is no metal of a name; it is a DeviceError and a KeyError.
    """

    def __getitem__(self, name: str) -> Metal:
        known = load()
        if isinstance(name, str) and name in known:
            return known[name]
        close = get_close_matches(str(name).lower(), {one.lower(): one for one in known}, n=1)
        titles = {own.title.partition(",")[0].lower(): one for one, own in known.items()}
        titles |= {one.lower(): one for one in known}
        likely = titles.get(str(name).lower()) or (titles[close[0]] if close else None)
        meant = f"; did you mean {likely!r}?" if likely else "."
        raise UnknownMetalError(f"there is no metal {shown(name)}{meant} The table has {', '.join(known)}")

    def __iter__(self) -> Iterator[str]:
        return iter(load())

    def __len__(self) -> int:
        return len(load())

    def __repr__(self) -> str:
        return f"<metals: {', '.join(self)}>"

    def table(self) -> str:
        """The numbers of all of them as a Markdown table, one row per number."""
        head = ("", "quantity", "value", "range", "unit", "source", "note")
        rows = [(name, *row) for name, metal in self.items() for row in metal.rows()]
        lines = (_markdown(row) for row in (head, ("---",) * len(head), *rows))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return "".join(metal._repr_html_() for metal in self.values())


metals = Metals()
"""Published numbers of metals and magnetic insulators with their sources, by name: `metals["Nb"].film(...)`."""


@cache
def load() -> dict[str, Metal]:
    """The metals of the file by name."""
    text = files(__package__).joinpath("metals.toml").read_text(encoding="utf-8")
    return {name: _metal(name, entries) for name, entries in tomllib.loads(text).items()}


def _metal(name: str, entries: dict[str, Any]) -> Metal:
    data = {key: datum_from(entry) for key, entry in entries.items() if isinstance(entry, dict)}
    if {"sommerfeld", "atoms"} <= set(data):
        data["N0"] = density_of_states(data["sommerfeld"], data["atoms"])
    return Metal(name=name, title=entries["title"], kind=entries["kind"], data=data)


def _markdown(row: tuple[str, ...]) -> str:
    cells = (", ".join(map(_link, cell.split(", "))) for cell in row)
    return f"| {' | '.join(cells)} |"


def _link(part: str) -> str:
    return f"[{part[4:]}](https://doi.org/{part[4:]})" if part.startswith("doi:") else part.replace("**", "^")
