"""
Lab: four terminals on two cores
================================

A copper cross with two superconducting and two normal terminals. A current between the normal ones heats the electrons
in the middle and destroys the supercurrent, at large voltages even reverses it: the controllable Josephson junction of
Baselmans and others (Nature 397, 43). Voltages are spread over two cores.
"""

from pathlib import Path

import numpy as np

import usadelfem as uf

u = uf.lab(current="uA", energy="ueV", voltage="uV")
cu = uf.metals["Cu"].film(resistivity=2.5)
cross = uf.geometry.cross(Cu=cu, length=700, width=100, thickness=30)


def supercurrent(voltage):
    contacts = {
        "left": uf.Reservoir(gap=200),
        "right": uf.Reservoir(gap=200, phase=np.pi / 2),
        "bottom": uf.Reservoir(gap=0, voltage=-voltage / 2),
        "top": uf.Reservoir(gap=0, voltage=voltage / 2),
    }
    device = cross.device(temperature=0.1, contacts=contacts, size=60)
    neq = uf.solve_nonequilibrium(device, broadening=2, tolerance=0.01)
    return uf.charge_current(neq).through("right")


# %%
# ``workers`` is a number of threads, or a pool of processes, or a cluster.
result = uf.sweep(supercurrent, {"voltage": np.linspace(0, 400, 9)}, workers=2)
ax = result.plot(units={"voltage": "µV"})
ax.set(ylabel="supercurrent [µA]", xlabel="voltage between the normal terminals [µV]")
Path("output").mkdir(exist_ok=True)
ax.figure.savefig("output/lab_four_terminals.png", dpi=150)
