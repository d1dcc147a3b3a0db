"""
Lab: four terminals on two cores
================================

A copper cross with two superconducting and two normal terminals. A voltage between the normal ones makes electrons in
the middle ill-disposed to carry a supercurrent, and above a certain voltage it flows the other way: the controllable
Josephson junction of Baselmans and others (Nature 397, 43). The spectra, which cost the time, are solved by two
workers; the currents at all voltages follow from them.
"""

from pathlib import Path

import numpy as np

import usadelfem as uf

u = uf.lab(current="uA", energy="ueV", voltage="uV")
cu = uf.metals["Cu"].film(resistivity=2.5)
cross = uf.geometry.cross(Cu=cu, length=400, width=100, thickness=30)
contacts = {
    "left": uf.Reservoir(gap=200),
    "right": uf.Reservoir(gap=200, phase=np.pi / 2),
    "bottom": uf.Reservoir(gap=0),
    "top": uf.Reservoir(gap=0),
}
device = cross.device(temperature=0.1, contacts=contacts, size=100)
neq = uf.solve_nonequilibrium(
    device, broadening=4, tolerance=0.02, energy_range=(0, 350), workers=2
)


def supercurrent(voltage):
    driven = neq.with_bias(bottom=-voltage / 2, top=voltage / 2)
    return uf.charge_current(driven).through("right")


# %%
# ``workers`` is a number of threads, or a pool of processes, or a cluster.
result = uf.sweep(supercurrent, {"voltage": np.linspace(0, 400, 21)})
ax = result.plot(units={"voltage": "µV"})
ax.set(ylabel="supercurrent [µA]", xlabel="voltage between the normal terminals [µV]")
Path("output").mkdir(exist_ok=True)
ax.figure.savefig("output/lab_four_terminals.png", dpi=150)
