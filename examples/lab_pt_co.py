"""
Lab: platinum on cobalt between niobium electrodes
==================================================

A Josephson junction whose weak link is a platinum film on thin cobalt, magnetised across the current. The spin Hall
effect of platinum turns the splitting of spins by cobalt into a phase: a current flows at zero phase difference, and
the critical currents of both directions differ. Turning the magnetisation reverses both.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import usadelfem as uf

# %%
# The cross-section in the xz plane: 2 nm of cobalt below 6 nm of platinum, 30 nm between the electrodes. The exchange
# field of cobalt is 309 meV in the table; magnetically dead or alloyed layers have less, here 10 meV.
u = uf.lab(current="nA")
pt = uf.metals["Pt"].film(
    resistivity=20, spin_diffusion_length=True, spin_hall_angle=True
)
electrodes = {"left": uf.Reservoir(gap=1.4), "right": uf.Reservoir(gap=1.4)}
headlines = []
axes = plt.subplots(2, 1, figsize=(7, 5.6), layout="constrained")[1]
for ax, direction in zip(axes, (1, -1), strict=True):
    co = uf.metals["Co"].film(resistivity=20, exchange=(0, 10.0 * direction, 0))
    stack = uf.geometry.stack({"Co": (2.0, co), "Pt": (6.0, pt)}, axis="z", width=30.0)
    device = stack.device(temperature=4.2, contacts=electrodes, size=1.5)
    ic = uf.critical_current(device, "right", precision=1e-3)
    eq = uf.solve_equilibrium(device)
    current = uf.charge_current(eq)
    headlines.append((ic.diode_efficiency, current.through("right")))
    print("diode {:.1e}; {:.3g} nA/nm".format(*headlines[-1]))
    current.plot(ax=ax)
    ax.set_xlabel(f"x [nm], cobalt magnetised along {'+-'[direction < 0]}y")

# %%
# Most of the anomalous current at zero phase difference circulates in front of the electrodes, where cobalt meets
# platinum and pairs; what is left of it crosses the junction.
Path("output").mkdir(exist_ok=True)
axes[0].figure.savefig("output/lab_pt_co.png", dpi=150)
# sphinx_gallery_start_ignore
(diode, anomalous), (reversed_diode, reversed_anomalous) = headlines
assert diode > 1e-4
assert anomalous < -0.1
assert abs(reversed_diode / diode + 1) < 0.1 > abs(reversed_anomalous / anomalous + 1)
# sphinx_gallery_end_ignore
