"""States out of equilibrium in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..frozen import FrozenRecord
from ..pictures.html import span, table
from ..pictures.labels import energy_unit
from .bias import Bias


class PicturedState(FrozenRecord):
    """How states are shown; their distributions and densities of states are drawn by the observables."""

    device: Any
    temperature: float
    spectrum: Any
    biases: Mapping[str, Bias]
    floating: tuple[str, ...]
    condensate: float
    responses: Any
    scattered: Any

    def __repr__(self) -> str:
        biases = ", ".join(f"{name}: {bias.voltage + self.condensate:g}" for name, bias in self.biases.items())
        energies, order = self.spectrum.energies, self.spectrum.problem.space.order
        return (
            f"Nonequilibrium(temperature={self.temperature:g}, voltages {{{biases}}}, {len(energies)} energies up to "
            f"{energies[-1]:.4g}, {self.responses.shape[2]} nodes of order {order}, {self.device})"
        )

    def _repr_html_(self) -> str:
        unit, space = energy_unit(self.device), self.spectrum.problem.space
        rows: list[tuple[str, Any]] = [
            ("temperature", f"{self.temperature:.5g} [{unit}]"), ("energies", span(self.spectrum.energies, unit)),
            ("inelastic scattering", "none" if self.scattered is None else "yes"),
            ("nodes", f"{self.responses.shape[2]}, order {space.order}"),
            ("regions", ", ".join(self.device.conductors)),
        ]  # fmt: skip
        for name, bias in self.biases.items():
            found = " (found)" if name in self.floating else ""
            spin = f", spin bias {bias.spin_bias}" if any(bias.spin_bias) else ""
            voltage = f"voltage {bias.voltage + self.condensate:.5g}{found}"
            rows.append((f"reservoir {name}", f"{voltage}, temperature {bias.temperature:.5g}{spin} [{unit}]"))
        return table("Nonequilibrium", rows)
