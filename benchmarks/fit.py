"""Four parameters of a junction from its critical currents: exact Jacobians against the simplex of Nelder and Mead.

    python benchmarks/fit.py

Critical currents of an SFS junction at eight temperatures, with a scatter of one per cent, and starts that are off by
one half. Nelder and Mead's method (scipy) works on the logarithms of the parameters until its misfit is that of the fit
to one part in a thousand, or it has taken twelve times as many evaluations.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from time import process_time

import numpy as np
from scipy.optimize import minimize

import usadelfem as uf

warnings.simplefilter("ignore", uf.errors.ResolutionWarning)
MESH = uf.interval({"F": 1.0}, size=0.2)
TEMPERATURES = np.geomspace(0.05, 1.0, 8)
TRUE = {"D": 1.0, "h": 2.0, "N0": 1.0, "gap": 1.0}
START = {"D": 1.5, "h": 3.0, "N0": 0.5, "gap": 1.5}
RATES = {
    "D": {("F", "D"): 1.0}, "h": {("F", "exchange"): (0, 0, 1)}, "N0": {("F", "N0"): 1.0},
    "gap": {("left", "gap"): 1.0, ("right", "gap"): 1.0},
}  # fmt: skip
NEAR = 1e-3  # of the misfit
MORE = 12  # times the evaluations


class Junction:
    """The model, with the number of its evaluations and of the solutions that these took."""

    def __init__(self) -> None:
        self.evaluations = self.solutions = 0

    def critical_currents(self, D: float, h: float, N0: float, gap: float) -> list[float]:
        """The critical currents at all temperatures."""
        self.evaluations += 1
        ends = {"left": uf.Reservoir(gap), "right": uf.Reservoir(gap)}
        device = uf.Device(MESH, {"F": uf.ferromagnet(exchange=(0, 0, h), D=D, N0=N0)}, ends)
        values = []
        for temperature in TEMPERATURES:
            found = uf.critical_current(device, "right", temperature, differentiable=True, order=1, frequencies=8)
            self.solutions += len(found.phases)
            values.append(found.value)
        return values


def main() -> None:
    """Print a table."""
    scatter = np.random.default_rng(4).normal(size=len(TEMPERATURES))
    measured = np.array([float(value) for value in Junction().critical_currents(**TRUE)]) * (1 + 0.01 * scatter)
    begin, model = process_time(), Junction()
    found = uf.fit(
        model.critical_currents, measured, {name: (START[name], RATES[name]) for name in TRUE},
        errors=0.01 * measured, precision=1e-4,
    )  # fmt: skip
    rows = [("uf.fit", model, process_time() - begin, float((found.residuals**2).sum()))]
    print(found)

    blind, begin, best = Junction(), process_time(), np.inf

    def misfit(logarithms: np.ndarray) -> float:
        nonlocal best
        values = blind.critical_currents(**dict(zip(TRUE, np.exp(logarithms).tolist(), strict=True)))
        own = float((((np.array([float(value) for value in values]) - measured) / (0.01 * measured)) ** 2).sum())
        best = min(best, own)
        if own <= rows[0][3] * (1 + NEAR):
            raise StopIteration
        return own

    with suppress(StopIteration):
        options = {"maxfev": MORE * model.evaluations}
        minimize(misfit, np.log(list(START.values())), method="Nelder-Mead", options=options)
    rows.append(("Nelder-Mead", blind, process_time() - begin, best))
    print("| | evaluations | solutions | CPU s | misfit |\n|---|---|---|---|---|")
    for name, own, seconds, value in rows:
        print(f"| {name} | {own.evaluations} | {own.solutions} | {seconds:.0f} | {value:.4f} |")


if __name__ == "__main__":
    main()
