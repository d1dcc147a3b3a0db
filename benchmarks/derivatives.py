"""What derivatives cost, in parts of the solve that they belong to: a tangent, the next one, a whole gradient."""

from time import perf_counter

import numpy as np

import usadelfem as uf


def given(order, width, size):
    mesh = uf.rectangle({"S": 1.0, "F": 2.0}, width=width, size=size)
    metals = {"S": uf.superconductor(gap=1.0), "F": uf.ferromagnet(exchange=(0.3, 0, 1.0), tau_so=3.0)}
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, phase=1.0)}
    return uf.Device(mesh, metals, contacts), {"order": order}


def consistent(order, width, size):
    mesh = uf.rectangle({"S": 2.0, "N": 1.0, "S2": 2.0}, width=width, size=size)
    metals = {"S": uf.superconductor(Tc=1.0), "N": uf.normal_metal(), "S2": uf.superconductor(Tc=1.0)}
    return uf.Device(mesh, metals, {"left": uf.Reservoir(), "right": uf.Reservoir(phase=1.0)}), {"order": order}


def timed(function):
    start = perf_counter()
    value = function()
    return perf_counter() - start, value


CASES = {
    "given gap, 2D P1, full spin": (given(1, 1.0, 0.05), ("F", "D")),
    "given gap, 2D P2, full spin": (given(2, 1.0, 0.1), ("F", "D")),
    "self-consistent, 2D P1": (consistent(1, 1.0, 0.08), ("N", "D")),
    "self-consistent, 2D P2": (consistent(2, 1.0, 0.15), ("N", "D")),
}

if __name__ == "__main__":
    print("| case | nodes | solve [s] | first tangent | next tangent | gradient after it | gradient alone |")
    print("|---|---|---|---|---|---|---|")
    for name, ((device, options), parameter) in CASES.items():
        for _ in range(2):  # the first time compiles
            solve, eq = timed(lambda d=device, o=options: uf.solve_equilibrium(d, 0.2, progress=False, **o))
            first, _ = timed(lambda e=eq, p=parameter: uf.derivative(e, {p: 1.0}))
            after, _ = timed(lambda e=eq: uf.derivative(e, {("right", "phase"): 1.0}))
            objective = uf.charge_current(eq).through("right")
            follow, _ = timed(lambda o=objective: uf.sensitivity(o))
            again = uf.solve_equilibrium(device, 0.2, progress=False, **options)
            other = uf.charge_current(again).through("right")
            alone, _ = timed(lambda o=other: uf.sensitivity(o))
        cells = [f"{part / solve:.2f}" for part in (first, after, follow, alone)]
        print(f"| {name} | {eq.riccati.shape[1]} | {solve:.2f} | {' | '.join(cells)} |", flush=True)
        assert np.isfinite(float(objective))
