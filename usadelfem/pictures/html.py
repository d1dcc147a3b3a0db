"""Small tables that notebooks show in place of a `repr`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 200  # characters of an entry
MOST = 40  # rows of a table


def table(title: str, rows: Iterable[Sequence[Any]], head: Sequence[Any] = ()) -> str:
    """A title and rows as an HTML table; whatever stands in them is escaped, and long tables are cut.

    Parameters
    ----------
    title
        Stands above.
    rows
        Entries, shown as text; the first of each row is bold.
    head
        Names of the columns, none without.
    """
    given = [tuple(row) for row in rows]
    lines = [f"<table><caption style='text-align:left'><b>{_text(title)}</b></caption>"]
    if head:
        lines.append(f"<thead><tr>{''.join(f'<th>{_text(entry)}</th>' for entry in head)}</tr></thead>")
    lines.append("<tbody>")
    for first, *others in given[:MOST]:
        cells = "".join(f"<td style='text-align:left'>{_text(entry)}</td>" for entry in others)
        lines.append(f"<tr><th style='text-align:left'>{_text(first)}</th>{cells}</tr>")
    if len(given) > MOST:
        lines.append(f"<tr><th>... {len(given) - MOST} more</th></tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _text(entry: Any) -> str:
    text = f"{entry:.5g}" if isinstance(entry, float) else str(entry)
    return escape(text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}...")


def span(values: Any, unit: str = "1") -> str:
    """Numbers in words: how many, and from where to where."""
    ends = f"{len(values)}" if not len(values) else f"{len(values)}, from {values[0]:.5g} to {values[-1]:.5g}"
    return ends if unit == "1" else f"{ends} [{unit}]"


def extent(values: NDArray[Any]) -> str:
    """The smallest and the largest of some numbers, in words."""
    known = values[np.isfinite(values)]
    if not known.size:
        return "none is a number"
    if np.iscomplexobj(known):
        return f"modulus from {abs(known).min():.4g} to {abs(known).max():.4g}"
    return f"from {known.min():.4g} to {known.max():.4g}"
