"""The order parameter as a functional: of the coefficients where it is given, of the gap equation where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.sources import Source
from ..derivatives.states import LinearStates
from ..physics import columns as column
from .gradient import Gradient

Complex = NDArray[np.complex128]


@dataclass(eq=False)
class OrderParameter:
    """Re Int density* gap dx; the density (cells, points) is complex."""

    density: Complex

    def gradient(self, own: LinearStates, index: int, w: Any, state: Complex) -> None:
        """It is no function of the states."""

    def explicit(self, own: LinearStates, out: Gradient) -> None:
        """Add the derivatives with respect to the gap."""
        out.table[..., column.GAP_RE] += self.density.real
        out.table[..., column.GAP_IM] += self.density.imag

    def along_interfaces(self, own: LinearStates, source: Source) -> float:
        """Nothing: interfaces do not appear in it."""
        return 0.0
