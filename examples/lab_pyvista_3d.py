"""
Lab: a solid in pyvista
=======================

A copper bar that bridges a gap between two niobium films lies on them: pairs enter from below. The picture is made by
pyvista and can be turned in a notebook or in a window of its own; here it is a screenshot.
"""

from pathlib import Path

import pyvista

import usadelfem as uf

pyvista.OFF_SCREEN = True
u = uf.lab(current="uA")
cu = uf.metals["Cu"].film(resistivity=2.2)
mesh = uf.box({"Cu": 300.0}, width=100.0, height=40.0, size=15.0)
feet = {
    "source": lambda x: (x[2] == 0) & (x[0] < 80),
    "drain": lambda x: (x[2] == 0) & (x[0] > 220),
}
electrodes = {
    "source": uf.Reservoir(gap=1.4),
    "drain": uf.Reservoir(gap=1.4, phase=1.5),
}
device = uf.Device(mesh.with_boundaries(feet), {"Cu": cu}, electrodes)
eq = uf.solve_equilibrium(device, temperature=4.2)
current = uf.charge_current(eq)
print(current.through("drain"), "µA")

# %%
# ``plot`` of a field on a solid returns a Plotter.
plotter = current.plot()
Path("output").mkdir(exist_ok=True)
plotter.screenshot("output/lab_pyvista_3d.png")
plotter.close()
