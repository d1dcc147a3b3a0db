"""
Lab: in a notebook
==================

Devices, results and fields show themselves as tables, and draw themselves in one line. This page can be downloaded as
a notebook, see below. ``uf.options`` holds for all calls that follow: two workers, no progress bars.
"""

from pathlib import Path

import usadelfem as uf

u = uf.lab(current="uA")
uf.options(workers=2, progress=False)
nb = uf.metals["Nb"].film(resistivity=15, Tc=9.0)
cu = uf.metals["Cu"].film(resistivity=2.2)
bridge = uf.geometry.nanobridge(
    S=nb, Cu=cu, length=100, width=60, pad=60, bank_width=240, radius=30, thickness=30
)
device = bridge.device(temperature=4.2, phase=1.5)
device.plot()

# %%
# What to expect of it, before anything is solved:
device.summary()

# %%
# A result, and a field of it:
eq = uf.solve_equilibrium(device)
uf.gap(eq)

# %%
# Another field, its total, and its picture:
current = uf.charge_current(eq)
print(current.through("right"), "µA")
ax = current.to("MA/cm^2").plot()
Path("output").mkdir(exist_ok=True)
ax.figure.savefig("output/lab_notebook.png", dpi=150)
