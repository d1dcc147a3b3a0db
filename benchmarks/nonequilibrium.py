"""Cost of the kinetic equation beside the retarded one: `python benchmarks/nonequilibrium.py [case ...]`.

A ferromagnet between a superconducting and a normal reservoir. At some energies the retarded equation is solved, each
from its neighbours, and then the kinetic one: its tensors with their assembly, the factorisation, and the responses to
all modes of all reservoirs. CPU seconds of one thread per energy, after a warm-up that compiles the kernels. Then the
current at 50 voltages, from the responses that are known.
"""

from __future__ import annotations

import argparse
import os
from time import perf_counter, process_time


def turning(x):
    import numpy as np

    return np.stack([2 * np.cos(x[0]), 2 * np.sin(x[0]), 1.0 + 0 * x[0]])


CASES = {  # exchange field, spin-charge coupling, order, cell size
    "full, 5k P1": (turning, False, 1, 1 / 49),
    "full, theta and kappa, 5k P1": (turning, True, 1, 1 / 49),
    "collinear, 5k P1": ((0.0, 0.0, 2.0), False, 1, 1 / 49),
    "spinless, 5k P1": (None, False, 1, 1 / 49),
    "full, 5k P2": (turning, False, 2, 1 / 25),
}
ENERGIES = 12
COLUMNS = (
    "nodes", "retarded, s", "tensors, s", "factorisation, s", "responses, s", "kinetic / retarded", "50 voltages, s",
)  # fmt: skip


def device(exchange, coupled: bool, size: float):
    import usadelfem as uf

    coupling = {"theta": 0.25, "kappa": 0.35} if coupled else {}
    metal = uf.normal_metal() if exchange is None else uf.ferromagnet(exchange=exchange, tau_so=2.0, **coupling)
    contacts = {"left": uf.Reservoir(gap=20.0), "right": uf.Reservoir(gap=0, voltage=1.0)}
    return uf.Device(uf.rectangle({"F": 1.0}, width=1.0, size=size), {"F": metal}, contacts)


def measure(case: str) -> dict[str, float]:
    import numpy as np

    import usadelfem as uf
    from usadelfem.nonequilibrium.kinetic import Kinetic
    from usadelfem.nonequilibrium.responses import Responses

    exchange, coupled, order, size = CASES[case]
    options = {"temperature": 0.5, "energies": np.linspace(0.0, 12.0, ENERGIES), "order": order, "broadening": 1e-2}
    uf.solve_nonequilibrium(device(exchange, coupled, 0.5), **options)
    neq = uf.solve_nonequilibrium(device(exchange, coupled, size), **options)
    spectrum, problem = neq.spectrum, neq.problem
    start = process_time()
    uf.solve_spectrum(device(exchange, coupled, size).__class__(**_without_bias(neq.device)), spectrum.energies,
                      broadening=spectrum.broadening, order=order)  # fmt: skip
    retarded = (process_time() - start) / ENERGIES
    kinetic, responses = Kinetic(problem), Responses(problem)
    responses.solve(complex(spectrum.broadening, -1.0), spectrum.states[0])
    start = process_time()
    for energy, state in zip(spectrum.energies.tolist(), spectrum.states, strict=True):
        kinetic.blocks(complex(spectrum.broadening, -energy), state)
    tensors = (process_time() - start) / ENERGIES
    start = process_time()
    for energy, state in zip(spectrum.energies.tolist(), spectrum.states, strict=True):
        responses.solve(complex(spectrum.broadening, -energy), state)
    whole = (process_time() - start) / ENERGIES
    values = kinetic.blocks(complex(spectrum.broadening, -1.0), spectrum.states[1])
    matrix, _ = responses._with_reservoirs(values, responses._imposed(spectrum.states[1]))
    start = process_time()
    for _ in range(5):
        responses._solver.factorize(matrix)
    factorisation = (process_time() - start) / 5
    begin = perf_counter()
    for voltage in np.linspace(0.0, 1.0, 50):
        neq.with_bias(right=float(voltage)).integral()
    return {
        "nodes": problem.space.nodes.shape[1], "retarded, s": retarded, "tensors, s": tensors,
        "factorisation, s": factorisation, "responses, s": whole - tensors - factorisation,
        "kinetic / retarded": whole / retarded, "50 voltages, s": perf_counter() - begin,
    }  # fmt: skip


def _without_bias(device):
    import usadelfem as uf

    contacts = {name: uf.Reservoir(gap=contact.gap) for name, contact in device.contacts.items()}
    return {"mesh": device.mesh, "materials": dict(device.materials), "contacts": contacts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    print(f"| | {' | '.join(COLUMNS)} |\n|---{'|---:' * len(COLUMNS)}|")
    for case in parser.parse_args().cases:
        row = measure(case)
        print(f"| {case} | " + " | ".join(f"{row[name]:.3g}" for name in COLUMNS) + " |", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
