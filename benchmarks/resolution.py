"""When a solve warns of a coarse mesh, and by how much its currents and energies are off: a table.

python benchmarks/resolution.py
"""

import warnings
from collections.abc import Callable

import numpy as np

import usadelfem as uf


def junction(h: float, length: float, phase: float = 1.5, cell: str | None = None) -> Callable[[float], uf.Device]:
    def device(size: float) -> uf.Device:
        layers = {"F": length}
        mesh = uf.interval(layers, size) if cell is None else uf.rectangle(layers, 1.0, size, cell)
        contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, phase)}
        return uf.Device(mesh, {"F": uf.ferromagnet(exchange=(0, 0, h))}, contacts)

    return device


def bilayer(s: float, f: float, h: float) -> Callable[[float], uf.Device]:
    def device(size: float) -> uf.Device:
        materials = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(exchange=(0, 0, h))}
        return uf.Device(uf.interval({"S": s, "F": f}, size), materials)

    return device


def wire(length: float, phase: float) -> Callable[[float], uf.Device]:
    def device(size: float) -> uf.Device:
        gap = uf.materials.bcs_gap(0.3, 1.0)
        contacts = {"left": uf.Reservoir(gap), "right": uf.Reservoir(gap, phase)}
        return uf.Device(uf.interval({"S": length}, size), {"S": uf.superconductor(Tc=1.0)}, contacts)

    return device


def spiral(wave_number: float, h: float) -> Callable[[float], uf.Device]:
    def device(size: float) -> uf.Device:
        def exchange(x: np.ndarray) -> np.ndarray:
            return h * np.array([np.cos(wave_number * x[0]), np.sin(wave_number * x[0]), 0 * x[0]])

        contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)}
        return uf.Device(uf.interval({"F": 2.0}, size), {"F": uf.ferromagnet(exchange=exchange)}, contacts)

    return device


def wires(size: float) -> uf.Device:
    """Two electrodes that end inside a film, whose solution is singular at their ends."""
    mesh = uf.rectangle({"N": 4.0}, 2.0, size).with_boundaries(
        {
            "left": lambda x: (abs(x[1] - 1) < 1e-9) & (x[0] < 2) & (x[0] > 1),
            "middle": lambda x: (abs(x[0] - 3) < 1e-9) & (x[1] < 1),
        },
        boundaries_only=False,
    )
    contacts = {"right": uf.Reservoir(1.0, 1.2), "left": uf.Reservoir(1.0), "middle": uf.Reservoir(1.0, -0.7)}
    return uf.Device(mesh, {"N": uf.normal_metal()}, contacts)


def current(eq: uf.results.Equilibrium) -> float:
    return float(uf.charge_current(eq).through("left"))


# name, device of a size, temperature, observable, length, size of the reference
CASES = [
    (f"SFS h={h:g} L={length:g} phi={phase:g} T={t:g}", junction(h, length, phase), t, current, length, length / 400)
    for h, length, phase, t in [
        (0, 0.1, 1.5, 0.1), (0, 0.1, 3.0, 0.1), (0, 1, 1.5, 0.1), (0, 1, 3.0, 0.1), (0, 4, 1.5, 0.1),
        (0, 4, 1.5, 0.001), (0, 8, 1.5, 0.003), (0, 10, 1.5, 0.1), (3, 1, 0.3, 0.1), (3, 2, 2.5, 0.1),
        (8, 1, 1.0, 0.1), (8, 2, 1.0, 0.1), (8, 4, 1.0, 0.1), (15, 2, 1.0, 0.1),
        (10, 1, 1.5, 0.1), (10, 4, 1.5, 0.1), (30, 0.6, 1.5, 0.5), (40, 1, 1.5, 0.1), (100, 1, 1.5, 0.1),
    ]
] + [
    ("wire L=4 phi=2", wire(4, 2.0), 0.3, current, 4, 0.01),
    ("wire L=10 phi=3", wire(10, 3.0), 0.3, current, 10, 0.02),
    ("S/F h=2, energy", bilayer(3, 1, 2.0), 0.3, uf.free_energy, 3, 0.01),
    ("S/F h=10, energy", bilayer(4, 1, 10.0), 0.2, uf.free_energy, 4, 0.01),
    *(
        (f"spiral Q={q:g} h={h:g}", spiral(q, h), 0.1, current, 2, 0.005)
        for q, h in [(6, 5), (12, 5), (20, 2), (20, 10), (40, 20)]
    ),
    ("2D, wires that end in a film", wires, 0.2, current, 2, 1 / 32),
    ("2D SFS h=10, triangles", junction(10, 1, 1.5, "triangle"), 0.1, current, 1, 0.0),
    ("2D SFS h=10, quads", junction(10, 1, 1.5, "quad"), 0.1, current, 1, 0.0),
]  # fmt: skip


def main() -> None:
    missed, early = [], []
    print(f"{'case':36s} order  cells   error    warned")
    for name, device, temperature, observable, length, fine in CASES:
        best = junction(10, 1)(0.0025) if fine == 0 else device(fine)
        exact = observable(uf.solve_equilibrium(best, temperature))
        for order in (1, 2):
            for parts in (1, 2, 3, 5, 8, 12, 20, 30, 50):
                if name.startswith("2D") and parts > 20:
                    break
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    try:
                        found = observable(uf.solve_equilibrium(device(length / parts), temperature, order=order))
                    except uf.errors.DeviceError:  # cells so large that an electrode falls between them
                        continue
                    except uf.errors.SolveError:
                        print(f"{name:36s} P{order}  {parts:6d}   no solution: an error that says so")
                        continue
                error, warned = abs(found / exact - 1), bool(caught)
                print(f"{name:36s} P{order}  {parts:6d}   {error:8.1e} {'yes' if warned else 'no'}")
                (missed if error > 0.05 and not warned else early if error < 1e-3 and warned else []).append(name)
                if error < 1e-3:
                    break
    print(f"off by more than 5 % without a warning: {len(missed)} {sorted(set(missed))}")
    print(f"better than 0.1 % with a warning: {len(early)} {sorted(set(early))}")


if __name__ == "__main__":
    main()
