"""
Supercurrent through a constriction in 3D
=========================================

A short weak link with a round neck between two superconducting electrodes, meshed with tetrahedra in Gmsh. The current
density crowds in the neck; the total current is the same through every cross-section.
"""

from pathlib import Path

import numpy as np
import pyvista as pv

import usadelfem as uf

# %%
# The same script as in two dimensions: only the mesh is another one. Linear elements are enough for a picture.
mesh = uf.read_mesh("meshes/wire.msh")
device = uf.Device(
    mesh,
    materials={"weak_link": uf.normal_metal()},
    contacts={
        "left": uf.Reservoir(gap=1.0, phase=-np.pi / 4),
        "right": uf.Reservoir(gap=1.0, phase=np.pi / 4),
    },
)
eq = uf.solve_equilibrium(device, temperature=0.1, order=1)
current = uf.charge_current(eq)
resistance = uf.normal_resistance(device, "left", "right", order=1)
print(
    f"I = {current.through('right'):.5f}, e I R_N/gap "
    f"= {current.through('right') * resistance:.5f}"
)

output = Path("output")
output.mkdir(exist_ok=True)
grid = pv.read(uf.write_vtk(output / "wire.vtu", current, uf.pair_amplitude(eq)))
name = f"{current.name} [{current.unit}]"
grid["density"] = np.linalg.norm(grid[name], axis=1)
half = grid.clip(normal="-y", origin=(0, 0.01, 0))
plane = grid.slice(normal="y", origin=(0, 0.01, 0)).translate((0, -0.02, 0))
arrows = plane.glyph(orient=name, scale="density", factor=0.09, tolerance=0.05)

plotter = pv.Plotter(off_screen=True, window_size=(900, 560))
title = f"current density [{current.unit}]\n "  # the numbers stand below it
bar = {"title": title, "color": "black", "n_labels": 3, "fmt": "%.1f"}
bar |= {
    "position_x": 0.25,
    "position_y": 0.05,
    "width": 0.5,
    "height": 0.12,
    "title_font_size": 18,
    "label_font_size": 16,
}
plotter.add_mesh(
    half, scalars="density", cmap="viridis", lighting=False, scalar_bar_args=bar
)
plotter.add_mesh(arrows, color="white")
plotter.camera_position = "xz"
plotter.camera.azimuth, plotter.camera.elevation = 20, 15
plotter.camera.zoom(1.2)
plotter.reset_camera_clipping_range()
plotter.set_background("white")
plotter.screenshot(output / "wire_3d.png")
plotter.close()

# sphinx_gallery_start_ignore
# The headline: what flows in flows out, to rounding, on a coarse mesh.
assert abs(
    current.through("left") + current.through("right")
) < 1e-10 * current.through("right")
# sphinx_gallery_end_ignore
