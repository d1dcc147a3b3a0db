"""
The critical current of a long SNS junction
===========================================

A normal wire much longer than the coherence length between superconducting reservoirs. All energies scale with the
Thouless energy E_Th = D/L^2: at low temperature e I_c R_N = 10.82 E_Th (Dubos et al., Phys. Rev. B 63, 064502), and the
current-phase relation leans to the right of a sine.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# One dimension needs no mesh file. With D = L = 1 energies are in units of E_Th; a gap of 10^6 stands for infinity. The
# summand dies out above some tens of E_Th, so the quadrature need not resolve the gap: `cutoff`.
mesh = uf.interval({"N": 1.0}, size=0.04)


def current(phase, temperature):
    contacts = {
        "left": uf.Reservoir(gap=1e6, phase=0.0),
        "right": uf.Reservoir(gap=1e6, phase=phase),
    }
    device = uf.Device(mesh, {"N": uf.normal_metal()}, contacts)
    eq = uf.solve_equilibrium(device, temperature, cutoff=1000.0)
    return uf.charge_current(eq).through("right") * uf.normal_resistance(
        device, "left", "right"
    )


output = Path("output")
output.mkdir(exist_ok=True)
phases = np.pi * np.sin(
    np.linspace(0, np.pi / 2, 21)
)  # closer where the current falls steeply
figure, axes = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
critical = {}
for temperature in (0.1, 1.0, 3.0, 10.0):
    values = np.array([current(phase, temperature) for phase in phases])
    critical[temperature] = values.max()
    axes.plot(
        phases / np.pi,
        values,
        "o-",
        ms=3,
        label=f"$T = {temperature:g}\\,E_\\mathrm{{Th}}$",
    )
    print(f"T = {temperature:4.1f} E_Th:  e I_c R_N = {values.max():8.4f} E_Th")
axes.set(
    xlabel=r"phase difference $\varphi/\pi$",
    ylabel=r"$e I R_N/E_\mathrm{Th}$",
    title="long SNS junction",
)
axes.legend()
figure.savefig(output / "long_sns_junction.png", dpi=150)

# sphinx_gallery_start_ignore
# The headline, on a grid of phases: 10.82 at low temperature, and 6.348 at 3 E_Th.
assert abs(critical[0.1] / 10.827 - 1) < 0.01
assert abs(critical[3.0] / 6.348 - 1) < 0.01
# sphinx_gallery_end_ignore
