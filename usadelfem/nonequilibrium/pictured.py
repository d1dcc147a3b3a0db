"""States out of equilibrium in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..frozen import FrozenRecord
from ..pictures.html import span, table
from ..pictures.labels import energy_unit, thermal, with_label
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
        device, energies = self.device, self.spectrum.energies
        biases = ", ".join(f"{name}: {self._volts(own.voltage + self.condensate)}" for name, own in self.biases.items())
        return (
            f"Nonequilibrium(temperature={thermal(device, self.temperature)}, voltages {{{biases}}}, {len(energies)} "
            f"energies up to {with_label(device, f'{energies[-1]:.4g}')}, {self.responses.shape[2]} nodes of order "
            f"{self.spectrum.problem.space.order}, {device})"
        )

    def _repr_html_(self) -> str:
        unit, space = energy_unit(self.device), self.spectrum.problem.space
        rows: list[tuple[str, Any]] = [
            ("temperature", thermal(self.device, self.temperature, 5)),
            ("energies", span(self.spectrum.energies, unit)),
            ("inelastic scattering", "none" if self.scattered is None else "yes"),
            ("nodes", f"{self.responses.shape[2]}, order {space.order}"),
            ("regions", ", ".join(self.device.conductors)),
        ]  # fmt: skip
        for name, bias in self.biases.items():
            found = " (found)" if name in self.floating else ""
            spin = f", spin bias ({', '.join(map(self._volts, bias.spin_bias))})" if any(bias.spin_bias) else ""
            voltage = f"voltage {self._volts(bias.voltage + self.condensate)}{found}"
            warmth = f"temperature {thermal(self.device, bias.temperature, 5)}"
            rows.append((f"reservoir {name}", f"{voltage}, {warmth}{spin}"))
        return table("Nonequilibrium", rows)

    def _volts(self, natural: float) -> str:
        """A voltage or a spin bias as it is given, with its unit."""
        return with_label(self.device, f"{self.device.units.out('voltage', natural):.5g}", "voltage")
