"""
Lab: a movie of the density of states
=====================================

A gold film of 200 nm x 300 nm between two electrodes that touch the middle third of its long sides, with a phase
difference of 60 degrees. A scanning tunnelling microscope that goes through the energies sees a minigap, which is the
same everywhere, and above it a density of states that differs from place to place. Each frame is the map at one energy.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation

import usadelfem as uf

# %%
# Energies in microelectronvolt. A facet set is what a function of position says of the boundary.
u = uf.lab(energy="ueV")
gold = uf.metals["Au"].film(resistivity=4)
mesh = uf.rectangle({"Au": 200.0}, width=300.0, size=25.0)
thirds = {
    "L": lambda x: (x[0] == 0) & (abs(x[1] - 150) < 50),
    "R": lambda x: (x[0] == 200) & (abs(x[1] - 150) < 50),
}
electrodes = {"L": uf.Reservoir(gap=200), "R": uf.Reservoir(gap=200, phase=np.pi / 3)}
device = uf.Device(mesh.with_boundaries(thirds), {"Au": gold}, electrodes)
spectrum = uf.solve_spectrum(device, np.linspace(0, 250, 21), broadening=10)
states = uf.density_of_states(spectrum)

# %%
# The movie, as a series that ParaView animates and as a GIF.
Path("output").mkdir(exist_ok=True)
uf.write_vtk("output/lab_ldos_movie.vtkhdf", states)
figure = plt.figure(figsize=(4, 4.5), layout="constrained")


def frame(n):
    figure.clear()
    ax = states[n].plot(ax=figure.subplots(), vmin=0, vmax=2)
    ax.set_title(f"{spectrum.energies[n]:.0f} µeV")


movie = FuncAnimation(figure, frame, len(spectrum.energies), interval=200)
movie.save("output/lab_ldos_movie.gif", writer="pillow", dpi=80)
