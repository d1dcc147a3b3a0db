"""What observables are given: a result of the right kind, an index of one of its frequencies."""

from __future__ import annotations

from typing import Any

from ..checks import integer, shown
from ..errors import ObservableError
from ..nonequilibrium.result import Nonequilibrium
from ..solve.normal_state import NormalState
from ..solve.results import Equilibrium, Spectrum

_MADE_BY = {
    Equilibrium: "solve_equilibrium", Spectrum: "solve_spectrum", NormalState: "solve_normal_state",
    Nonequilibrium: "solve_nonequilibrium",
}  # fmt: skip


def check_result(observable: str, result: Any, *kinds: type) -> None:
    """TypeError unless an observable exists of such a result."""
    if isinstance(result, kinds):
        return
    allowed = " or ".join(f"{one.__name__} (from {_MADE_BY[one]})" for one in kinds)
    hint = "; of a series take one member, field[n]" if isinstance(result, list | tuple) else ""
    article = "an" if allowed[0] in "AEIO" else "a"
    raise TypeError(f"{observable} is of {article} {allowed}; given is {shown(result)}{hint}")


def check_index(eq: Equilibrium, n: Any) -> int:
    """An index of a Matsubara frequency; ObservableError if there is no such frequency."""
    count = len(eq.frequencies)
    note = f" from 0 to {count - 1}: the result has {count} Matsubara frequencies"
    index = integer("n", n, error=ObservableError, note=note)
    if not -count <= index < count:
        raise ObservableError(f"no Matsubara index {index}; allowed are 0 to {count - 1}")
    return index
