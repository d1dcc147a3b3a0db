"""
Supercurrents from spins, and spins from supercurrents
======================================================

A superconducting strip with a spin Hall angle theta and a spin splitting along the normal of its plane. Where the
triplets vary across the width, here because the splitting is strongest in the middle, supercurrents flow along the two
edges in opposite directions, of zero net current (spin-galvanic effect). The inverse: a supercurrent along the strip
leaves opposite spin densities, normal to the plane, at its two edges.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# A strip of 6 by 2 coherence lengths, squares in a regular grid: its mirror image is the same mesh.
width, theta, temperature = 2.0, 0.2, 0.1
mesh = uf.rectangle({"S": 6.0}, width=width, size=0.1, cell="quad")
y = np.linspace(0, width, 81)
middle = np.array([np.full_like(y, 3.0), y])


def splitting(strength):
    return lambda x: (
        strength * np.array([0 * x[0], 0 * x[0], np.exp(-4 * (x[1] - width / 2) ** 2)])
    )


def solve(**coefficients):
    material = uf.superconductor(**{"gap": 1.0, "theta": theta} | coefficients)
    return uf.solve_equilibrium(uf.Device(mesh, {"S": material}), temperature)


def winding(q):
    return lambda x: np.exp(1j * q * x[0])


galvanic = {
    name: solve(**c)
    for name, c in {
        "h": {"exchange": splitting(0.6)},
        "-h": {"exchange": splitting(-0.6)},
        "theta = 0": {"exchange": splitting(0.6), "theta": 0.0},
    }.items()
}
inverse = {
    name: solve(gap=winding(q), tau_so=2.0)
    for name, q in {"q": 0.3, "-q": -0.3}.items()
}
current = {name: uf.charge_current(eq).at(middle)[0] for name, eq in galvanic.items()}
spin = {name: uf.spin_density(eq).at(middle)[2] for name, eq in inverse.items()}

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for panel, curves in zip(axes, (current, spin), strict=True):
    for name, values in curves.items():
        panel.plot(y - width / 2, values, "k:" if "theta" in name else "-", label=name)
    panel.axhline(0, color="0.8", zorder=0)
    panel.set_xlabel(r"$y/\xi$")
    panel.legend(loc="upper center", ncols=3)
    panel.margins(y=0.16)
axes[0].set(
    ylabel=r"$j_x$ [$eN_0D\,\Delta/\xi$]", title="current made by a splitting along z"
)
axes[1].set(
    ylabel=r"$\delta S_z$ [$\hbar N_0\Delta/2$]",
    title="spin made by a supercurrent along x",
)
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "spin_galvanic_strip.png", dpi=150)

# %%
# The headlines: opposite currents at the edges, odd in the splitting; opposite spins, odd in the supercurrent.
left = mesh.p[0, mesh.t].mean(axis=0) < 3.0
section = np.flatnonzero((mesh.f2t[1] >= 0) & (left[mesh.f2t[0]] != left[mesh.f2t[1]]))
net = uf.charge_current(galvanic["h"]).through(section, into=(1, 0))
print(
    f"largest edge current {abs(current['h']).max():.5f}, "
    f"net current {net:.1e}; edge spin {spin['q'][-1]:.5f}"
)
# sphinx_gallery_start_ignore
assert abs(net) < 1e-9 < 1e-3 < abs(current["h"]).max()
assert np.abs(current["h"] + current["h"][::-1]).max() < 1e-9
assert (
    np.abs(current["h"] + current["-h"]).max() < 1e-9 > abs(current["theta = 0"]).max()
)
assert spin["q"][-1] > 0.01
assert (
    np.abs(spin["q"] + spin["q"][::-1]).max()
    < 1e-9
    > np.abs(spin["q"] + spin["-q"]).max()
)
# sphinx_gallery_end_ignore
