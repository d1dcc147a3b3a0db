"""What directions are made in: a discretised device with room for what its parameters change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.device import Device
from ..fem.gap_equation import Pairing
from ..fem.problem import Problem
from ..physics.columns import CHANNEL_COLUMNS, COEFFICIENTS, GAUGE_COLUMNS

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Context:
    """A problem, where its gap is unknown, and its temperature; None for a spectrum."""

    problem: Problem
    pairing: Pairing | None = None
    temperature: float | None = None

    @property
    def device(self) -> Device:
        """The device, in natural numbers."""
        return self.problem.device.natural

    def no_change(self) -> Real:
        """Rates of change of the coefficients, all zero."""
        return np.zeros_like(self.problem.coefficients.table)

    @property
    def _gauge_columns(self) -> slice:
        coefficients = self.problem.coefficients
        return slice(COEFFICIENTS, coefficients.table.shape[2] - CHANNEL_COLUMNS * len(coefficients.pairs))

    def gauge(self, table: Real) -> Real:
        """A copy of the gauge fields of a table, shape (cells, points, dim, 4)."""
        return table[..., self._gauge_columns].reshape(*table.shape[:2], -1, GAUGE_COLUMNS).copy()

    def put_gauge(self, table: Real, gauge: Real) -> None:
        """Write gauge fields to a table."""
        table[..., self._gauge_columns] = gauge.reshape(*table.shape[:2], -1)

    def bulk_reservoirs(self) -> dict[str, Any]:
        """The electrodes of reservoirs whose gap is that of the metal beside them."""
        return {
            name: own for name, own in self.problem.electrodes.items()
            if getattr(self.device.contacts[name], "gap", 0.0) is None and abs(own.gap).any()
        }  # fmt: skip
