"""
Lab: a movie of the density of states
=====================================

A gold film of 200 nm x 300 nm between two aluminium electrodes with a phase difference of 60 degrees. A scanning
tunnelling microscope that goes through the energies sees the minigap, which is the same everywhere, and above it a
density of states that differs from place to place. Each frame is the map at one energy.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation

import usadelfem as uf

# %%
# The electrodes touch only the middle third of the long sides.
u = uf.lab(energy="ueV")
gold = uf.metals["Au"].film(resistivity=4)
mesh = uf.rectangle({"Au": 200.0}, width=300.0, size=25.0)
ends = {side: lambda x, at=at: (x[0] == at) & (abs(x[1] - 150) < 50) for side, at in (("L", 0), ("R", 200))}
electrodes = {name: uf.Reservoir(gap=200, phase=phase) for name, phase in (("L", 0), ("R", np.pi / 3))}
device = uf.Device(mesh.with_boundaries(ends), {"Au": gold}, electrodes)
spectrum = uf.solve_spectrum(device, np.linspace(0, 300, 31), broadening=10)
states = uf.density_of_states(spectrum)

# %%
# The movie, as a GIF and as a series that ParaView animates.
figure, ax = plt.subplots(layout="constrained")
Path("output").mkdir(exist_ok=True)
uf.write_vtk("output/lab_ldos_movie.vtkhdf", states)
