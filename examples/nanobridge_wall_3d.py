"""
A domain wall in a nanobridge
=============================

Two superconducting films are joined by a ferromagnetic bridge, in three dimensions and with the gap found everywhere. A
bridge that is magnetised uniformly is a pi junction of small current. A domain wall in it makes long-ranged triplets,
which fill the bridge and turn the current round.

The script takes a thousand nodes, which do not resolve the short decay length in the
ferromagnet, as it is told. ``python nanobridge_wall_3d.py fine`` takes 50 000, which are solved
by multigrid: that is the picture below.

.. image:: /images/nanobridge_wall_3d_fine.png
   :alt: Gap in one half of the bridge and pair amplitudes along its axis, on 50 000 nodes.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyvista as pv

import usadelfem as uf

# %%
# Lengths in sqrt(D/Tc), energies in Tc. Gmsh makes the mesh; the outer ends of the films are reservoirs.
fine = "fine" in sys.argv[1:]
size = {"S": 0.138, "F": 0.041} if fine else {"S": 0.4, "F": 0.2}
length, height, h = 1.2, 0.8, 12.0
fields = {
    "uniform": (0, 0, h),
    "wall": uf.textures.bloch_wall(h, width=length / 4, normal=(1, 0, 0)),
}


def solved(exchange):
    bridge = uf.geometry.nanobridge(
        S=uf.superconductor(Tc=1.0),
        F=uf.ferromagnet(exchange=exchange),
        length=length,
        width=1.0,
        pad=1.5,
        bank_width=2.5,
        height=height,
    )
    device = bridge.device(0.2, size=size, phase=np.pi / 2)
    return uf.solve_equilibrium(device, order=1, cutoff_index=40)


results = {name: solved(exchange) for name, exchange in fields.items()}
current = {name: uf.charge_current(eq).through("right") for name, eq in results.items()}
print(current, results["wall"].device.mesh.p.shape[1], results["wall"].solver)

# %%
# Above, the half of the device behind the plane y = 0 with the gap and the exchange field; below, the axis of the
# bridge: singlets, and triplets whose spin lies across the field, the long-ranged ones.
output = Path("output")
output.mkdir(exist_ok=True)
eq = results["wall"]
fields_shown = uf.gap(eq), uf.charge_current(eq), uf.pair_amplitude(eq, n=0)
grid = pv.read(uf.write_vtk(output / "nanobridge_wall_3d.vtu", *fields_shown))
gap = grid["gap_abs [energy]"]
bar = {"title": "gap [Tc]\n ", "color": "black", "n_labels": 3, "fmt": "%.1f"}
bar |= {"position_x": 0.3, "position_y": 0.0, "width": 0.4, "height": 0.14}
plotter = pv.Plotter(off_screen=True, window_size=(1100, 600))
plotter.add_mesh(
    grid.clip("-y", origin=(0, 1e-3, 0)),
    scalars="gap_abs [energy]",
    cmap="viridis",
    clim=(0, gap.max()),
    scalar_bar_args=bar,
)
x = np.linspace(-0.5 * length, 0.5 * length, 13)[1:-1]
places = np.stack([x, 0 * x - 0.01, 0 * x + 0.5 * height])
directions = fields["wall"](places) / h
plotter.add_arrows(places.T, directions.T, mag=0.3, color="white")
plotter.set_background("white")
plotter.view_xz()
plotter.camera.azimuth, plotter.camera.elevation = -25, 25
plotter.camera.zoom(1.85)
picture = plotter.screenshot()
plotter.close()

figure, (top, bottom) = plt.subplots(2, 1, figsize=(7, 7.5), layout="constrained")
top.imshow(picture)
top.axis("off")
x = np.linspace(-1.5, 1.5, 301)
places = np.stack([x, 0 * x, 0 * x + 0.5 * height])
inside = abs(x) < 0.5 * length
for (name, eq), style in zip(results.items(), ("--", "-"), strict=True):
    f = uf.pair_amplitude(eq, n=0).at(places)
    m = np.array([0, 0, 1.0])[:, None] + 0 * x
    if name == "wall":
        m = fields[name](places) / h
    across = np.linalg.norm(f[1:] - (f[1:] * m).sum(axis=0) * m, axis=0)
    bottom.plot(x, abs(f[0]), "C0" + style, label=f"singlets, {name}")
    bottom.plot(x[inside], across[inside], "C3" + style, label=f"long-ranged, {name}")
bottom.axvspan(-0.5 * length, 0.5 * length, color="0.93")
title = ", ".join(f"I = {value:.3f} ({name})" for name, value in current.items())
bottom.set(xlabel=r"$x\,/\sqrt{D/T_c}$", ylabel="pair amplitudes", title=title)
bottom.legend()
figure.savefig(output / "nanobridge_wall_3d.png", dpi=150)

# sphinx_gallery_start_ignore
# The headline: the wall turns the current round, and makes it several times as large.
assert current["uniform"] < 0 < current["wall"]
assert current["wall"] > -2.5 * current["uniform"]
# sphinx_gallery_end_ignore
