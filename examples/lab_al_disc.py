"""
Lab: two vortices in an aluminium disc
======================================

A disc of dirty aluminium in a field of a few millitesla. Vortices are put in by hand, at places near which they may
stay, and the state relaxes from there; the free energies say which number of vortices is the stable one.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import usadelfem as uf

# %%
# 25 nm of aluminium of 8 uOhm cm has a critical temperature of 1.4 K, and a coherence length of about 100 nm.
u = uf.lab(field="mT", current="uA")
al = uf.metals["Al"].film(resistivity=8, Tc=1.4)
disc = uf.geometry.disc(S=al, radius=450, thickness=25)
device = disc.device(temperature=0.6, B=16.0, size=90)
cores = [(-150, 0, 1), (150, 0, 1)]
starts = {0: None, 1: uf.vortices([(0, 0, 1)]), 2: uf.vortices(cores)}
states = {
    n: uf.solve_equilibrium(device, initial=starts[n], tolerance=1e-5) for n in starts
}
for n, state in states.items():
    print(f"{n} vortices: {uf.free_energy(state):.2f} meV, {uf.magnetisation(state)}")

# %%
# The gap vanishes at the two cores. Its phase grows by a turn around each, and the current flows around each of them
# one way, and along the edge the other way.
gap, current = uf.gap(states[2]), uf.charge_current(states[2]).to("MA/cm^2")
figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="compressed")
gap.plot(ax=axes[0])
gap.plot(quantity="phase", ax=axes[1])
current.plot(ax=axes[2])
Path("output").mkdir(exist_ok=True)
figure.savefig("output/lab_al_disc.png", dpi=150)
