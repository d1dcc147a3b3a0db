"""
Where triplets come from
========================

Long-ranged triplets in the middle of a junction with a strong ferromagnet: which parts of the device make them? The
sensitivity of their amplitude is a map over the junction, from one solution and its adjoint. They are made within a
short length of the superconductors, around the ends of the domain wall, rather than where they are seen.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Lengths in sqrt(D/gap), energies in the gap. The wall leads from one electrode to the other, in the middle of the
# width; above it the field points along -z, and the triplet f_x is the long-ranged one.
length, width, h = 2.0, 2.4, 20.0
mesh = uf.rectangle({"F": length}, width=width, size=0.12)
wall = uf.textures.bloch_wall(
    h, centre=width / 2, width=0.3, normal=(0, 1, 0), easy_axis=(0, 0, 1)
)
contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)}
place = [[length / 2], [0.75 * width]]


def triplet(D):
    metal = uf.ferromagnet(exchange=wall, D=D)
    device = uf.Device(mesh, {"F": metal}, contacts)
    eq = uf.solve_equilibrium(device, 0.1, frequencies=8)
    return eq, abs(uf.pair_amplitude(eq, n=0).at(place)[1, 0])


eq, amplitude = triplet(1.0)
s = uf.sensitivity(amplitude)

# %%
# Red: more of it makes more triplets. The cross is where they are seen, the dashed line the wall. The scales leave out
# the largest 0.5 % of the vertices.
maps = {
    r"$\partial|f_x|/\partial D$": s["D"].nodal,
    r"$\partial|f_x|/\partial h_x$": s["exchange"].nodal[0],
    r"$\partial|f_x|/\partial h_z$": s["exchange"].nodal[2],
}
figure, axes = plt.subplots(1, 3, figsize=(12, 3.9), layout="constrained")
for ax, (title, values) in zip(axes, maps.items(), strict=True):
    size = np.percentile(abs(values), 99.5)
    colours = {"cmap": "RdBu_r", "vmin": -size, "vmax": size, "shading": "gouraud"}
    image = ax.tripcolor(*mesh.p, mesh.t.T, values, **colours)
    figure.colorbar(image, ax=ax, extend="both")
    ax.plot(*place, "k+")
    ax.axhline(width / 2, color="0.5", lw=0.8, ls="--")
    ax.set(title=title, xlabel=r"$x/\xi$", ylabel=r"$y/\xi$", aspect="equal")
Path("output").mkdir(exist_ok=True)
figure.savefig("output/triplet_sensitivity.png", dpi=150)
uf.write_vtk("output/triplet_sensitivity.vtu", s["D"], s["exchange"])

# %%
# The headline: most of the map lies within 0.4 of the electrodes, and it says what happens if the diffusion
# coefficient is raised there by 10 % wherever it is red.
gradient = s.nodal("F", "D")
near = np.minimum(mesh.p[0], length - mesh.p[0]) < 0.4
raised = 0.1 * (near & (gradient > 0))
share = abs(gradient[near]).sum() / abs(gradient).sum()
predicted, solved = (gradient * raised).sum(), triplet(1 + raised)[1] - amplitude
print(f"{share:.0%} of the sensitivity to D lies within 0.4 of the electrodes")
print(f"|f_x| = {amplitude:.4f}, change {solved:.2e}, predicted {predicted:.2e}")
# sphinx_gallery_start_ignore
assert share > 0.65
assert abs(solved / predicted - 1) < 0.1
# sphinx_gallery_end_ignore
