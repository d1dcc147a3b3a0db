"""What the cut-off of the gap equation costs: critical temperatures, their estimated error, frequencies and time.

    python benchmarks/cutoff.py
"""

import time

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma

import usadelfem as uf

TC = np.exp(np.euler_gamma) / np.pi


def wire(length=3.3, size=0.1):
    ends = {"left": uf.Reservoir(gap=0.0), "right": uf.Reservoir(gap=0.0)}
    return uf.Device(uf.interval({"S": length}, size=size), {"S": uf.superconductor(Tc=TC)}, ends)


def bilayer(size=0.05):
    mesh = uf.interval({"S": 2.0, "N": 2.0}, size=size)
    return uf.Device(mesh, {"S": uf.superconductor(Tc=1.0), "N": uf.normal_metal()})


def main():
    exact = brentq(lambda t: np.log(t / TC) + digamma(0.5 + np.pi / (4 * t * 3.3**2)) - digamma(0.5), 0.01, TC)
    fine = uf.critical_temperature(bilayer(0.005), cutoff=3e6)
    print("device   cut-off     Tc        off by    estimate   frequencies   seconds of a gap")
    for name, device, value in (("wire", wire(), exact), ("bilayer", bilayer(), fine)):
        for cutoff in (100.0, 1e3, 1e4, None, 1e5):
            tc = uf.critical_temperature(device, cutoff=cutoff)
            start = time.perf_counter()
            eq = uf.solve_equilibrium(device, 0.9 * value, cutoff=cutoff)
            took = time.perf_counter() - start
            shown = f"{eq.cutoff:9.3g}" + ("*" if cutoff is None else " ")
            print(
                f"{name:8s}{shown}  {tc:.6f}  {tc / value - 1:+.1e}   {eq.cutoff_error:.1e}   {len(eq.frequencies):6d}"
                f"       {took:8.2f}"
            )
    print("* the default")


if __name__ == "__main__":
    main()
