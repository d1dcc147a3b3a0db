"""What part of the time of a current-phase relation is set-up: 20 phases of a junction with 5 000 nodes.

python benchmarks/phases.py

Set-up is all that happens before the first assembly of each phase: the device, its discretisation, checks of units, the
team of frequencies, and the analysis of the pattern of the matrices.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import usadelfem as uf
from usadelfem.numerics.pardiso import PardisoBackend
from usadelfem.points.team import LocalTeam
from usadelfem.solve import equilibrium

SECTORS = {
    "spinless": lambda x: np.zeros((3, *x.shape[1:])),
    "collinear": lambda x: 3 * np.array([0 * x[0], 0 * x[0], 1 + 0 * x[0]]),
    "full": lambda x: 3 * np.array([np.cos(x[0]), np.sin(x[0]), 0 * x[0]]),
}
PHASES = np.linspace(0.1, 3.0, 20)


class Stopwatch:
    """Adds up the seconds that are spent in functions, each in its outermost call."""

    def __init__(self) -> None:
        self.seconds, self.depth = 0.0, 0

    def watch(self, owner: Any, name: str) -> None:
        """Time a function or method from now on."""
        function: Callable[..., Any] = getattr(owner, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            self.depth += 1
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.seconds += time.perf_counter() - start

        setattr(owner, name, timed)


def junction(exchange: Any) -> uf.Device:
    metal = uf.superconductor(gap=1.0)
    mesh = uf.rectangle({"S1": 1.5, "F": 1.0, "S2": 1.5}, width=1.5, size=4.0 / 40)
    materials = {"S1": metal, "F": uf.ferromagnet(exchange=exchange), "S2": metal}
    return uf.Device(mesh, materials, {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0)})


def main() -> None:
    watch = Stopwatch()
    for owner, name in [
        (uf.Device, "with_phase"), (equilibrium, "build_problem"), (equilibrium, "warn_units"),
        (equilibrium, "build_pairing"), (LocalTeam, "turn"), (PardisoBackend, "_analyse"),
    ]:  # fmt: skip
        watch.watch(owner, name)
    print(f"{'sector':10s} nodes   seconds a phase   set-up   of it")
    for sector, exchange in SECTORS.items():
        uf.charge_current(uf.solve_equilibrium(junction(exchange), 0.2)).through("right")  # kernels
        device, start, watch.seconds = junction(exchange), time.perf_counter(), 0.0
        for phase in PHASES.tolist():
            eq = uf.solve_equilibrium(device.with_phase("right", phase), 0.2)
            uf.charge_current(eq).through("right")
        whole = time.perf_counter() - start
        share = watch.seconds / whole
        count = len(eq.riccati[0])
        print(f"{sector:10s} {count:6d} {whole / len(PHASES):12.3f} {watch.seconds:14.2f} s {100 * share:6.1f} %")


if __name__ == "__main__":
    main()
