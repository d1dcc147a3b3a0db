"""Largest relative deviation of any observable, Tc and free energy, of one device described in twelve unit systems.

    python benchmarks/units.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "symmetry"))
from test_units import MESHES, SYSTEMS, numbers

from usadelfem.numerics.linear import available_solvers


def main():
    print(f"{'dim':>3} {'length':>8} {'energy':>8} {'N0':>8} {'solver':>8}   largest deviation")
    for dim in MESHES:
        natural = numbers(dim, *SYSTEMS[0])
        for units in SYSTEMS:
            for solver in available_solvers():
                found = numbers(dim, *units, solver)
                worst = max(
                    (np.max(np.abs(found[name] - value)) / max(np.max(np.abs(value)), 1e-5), name)
                    for name, value in natural.items()
                )
                print(f"{dim:3d} " + " ".join(f"{u:8.1e}" for u in units) + f" {solver:>8}   {worst[0]:.1e} {worst[1]}")


if __name__ == "__main__":
    main()
