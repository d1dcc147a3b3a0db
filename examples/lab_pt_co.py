"""
Lab: platinum on cobalt between niobium electrodes
==================================================

A Josephson junction whose weak link is a platinum film on thin cobalt, magnetised across the current. The spin Hall
effect of platinum turns the splitting of spins by cobalt into a phase: the current does not vanish at zero phase
difference, and the critical currents of both directions differ. Turning the magnetisation reverses this.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import usadelfem as uf

# %%
# The cross-section in the xz plane: 2 nm of cobalt below 6 nm of platinum, 30 nm between the electrodes. The exchange
# field of cobalt is 309 meV in the table; magnetically dead or alloyed layers have less, here 10 meV.
u = uf.lab(current="uA")
pt = uf.metals["Pt"].film(resistivity=20, spin_diffusion_length=True, spin_hall_angle=True)
electrodes = {"left": uf.Reservoir(gap=1.4), "right": uf.Reservoir(gap=1.4)}


def relation(direction):
    co = uf.metals["Co"].film(resistivity=20, exchange=(0, 10.0 * direction, 0))
    stack = uf.geometry.stack({"Co": (2.0, co), "Pt": (6.0, pt)}, axis="z", width=30.0)
    device = stack.device(temperature=4.2, contacts=electrodes)
    return uf.current_phase(device, "right")


# %%
# Currents are per width of the junction.
axes = plt.figure(figsize=(5, 3.4), layout="constrained").gca()
for direction in (1, -1):
    curve = relation(direction)
    print(curve, curve.critical)
    curve.plot(axes)
Path("output").mkdir(exist_ok=True)
axes.figure.savefig("output/lab_pt_co.png", dpi=150)
