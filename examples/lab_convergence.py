"""
Lab: is the mesh fine enough?
=============================

The current of a junction with a constriction on three meshes, its value for cells of no size (Richardson), and the
order at which it converges: at the sharp corners of the constriction the current density is singular, and the order is
lower than that of a smooth solution.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import usadelfem as uf

u = uf.lab(current="uA")
cu = uf.metals["Cu"].film(resistivity=2.2)
cross = uf.geometry.cross(Cu=cu, length=120, width=60, thickness=30)
contacts = {
    "left": uf.Reservoir(gap=1.4),
    "right": uf.Reservoir(gap=1.4, phase=1.5),
    "top": None,
    "bottom": None,
}


def current(size):
    device = cross.device(temperature=4.2, contacts=contacts, size=size)
    return uf.charge_current(uf.solve_equilibrium(device)).through("right")


result = uf.convergence(current, [24.0, 12.0, 6.0])
print(result)

# %%
# Values against the size of the cells, with the extrapolated one.
plt.figure(figsize=(5, 3.4), layout="constrained")
plt.plot([24.0, 12.0, 6.0], result.values, "o")
plt.axhline(result.value, ls=":", label=f"{result.value:.2f} ± {result.error:.2f} µA")
plt.xlabel("size of the cells [nm]")
plt.ylabel("current [µA]")
plt.legend()
Path("output").mkdir(exist_ok=True)
plt.savefig("output/lab_convergence.png", dpi=150)
