"""
An Andreev interferometer
=========================

A normal wire ends in a cross bar between two superconducting contacts, whose phase difference is set by the flux in
their loop. Pairs leak into the wire and enhance its conductance around the Thouless energy; at low energy the
enhancement disappears again (reentrance). The phase difference switches it on and off.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from skfem import MeshTri

import usadelfem as uf

# %%
# Lengths in units of the wire, energies in E_Th = D/L^2; the gap is far above it. One solve up to 30 E_Th knows the
# response at all these energies. A plain wire, whose end is a superconducting contact, is there to compare with.
GAP = 5e3
strip = uf.rectangle({"N": 1.0}, width=0.2, size=0.05)
x, y = (
    np.concatenate([np.linspace(0, 1, 12), np.linspace(1.04, 1.2, 5)]),
    np.linspace(-0.5, 0.5, 26),
)
mesh = MeshTri.init_tensor(x, y)
mesh = mesh.restrict(mesh.elements_satisfying(lambda x: (x[0] > 1) | (abs(x[1]) < 0.1)))
mesh = mesh.with_subdomains({"N": lambda x: x[0] > -1}).with_boundaries(
    {
        "left": lambda x: x[0] == 0,
        "bottom": lambda x: x[1] == -0.5,
        "top": lambda x: x[1] == 0.5,
    }
)


def solve(mesh, phases):
    contacts = {
        name: uf.Reservoir(gap=GAP, phase=phase) for name, phase in phases.items()
    }
    device = uf.Device(
        mesh, {"N": uf.normal_metal()}, {"left": uf.Reservoir(gap=0), **contacts}
    )
    return uf.solve_nonequilibrium(
        device, temperature=0.2, energy_range=(0, 30), tolerance=5e-3
    )


def conductance(neq, temperature):
    bias = {name: {"temperature": temperature} for name in neq.terminals}
    bias["left"]["voltage"] = 1e-3
    return -uf.charge_current(neq.with_bias(bias)).through("left") / 1e-3


def spectral(neq):
    matrix = uf.conductance_matrix(neq)
    return matrix.energies, matrix.values[
        :, 0, 1, 0, 1
    ]  # charge current out of "left" per voltage there


metal = {
    "left": uf.NormalContact(potential=1.0),
    "bottom": uf.NormalContact(),
    "top": uf.NormalContact(),
}
ns = uf.solve_normal_state(uf.Device(mesh, {"N": uf.normal_metal()}, metal))
normal, plain = -uf.charge_current(ns).through("left"), solve(strip, {"right": 0.0})
phases = np.pi * np.array([0, 0.4, 0.7, 0.95])
states = [solve(mesh, {"bottom": -phase / 2, "top": phase / 2}) for phase in phases]

# %%
# Maps of the density of states at the Fermi energy, the conductance at every energy, and at a temperature.
panels, widths = [["map0", "E", "phi"], ["map1", "E", "phi"]], (0.8, 1, 1)
figure, axes = plt.subplot_mosaic(
    panels, figsize=(11.5, 4), layout="constrained", width_ratios=widths
)
for name, neq, phase in (("map0", states[0], "0"), ("map1", states[-1], r"0.95\,\pi")):
    values = uf.density_of_states(neq)[0].nodal
    image = axes[name].tripcolor(
        *mesh.p, mesh.t.T, values, shading="gouraud", cmap="magma", vmin=0, vmax=1
    )
    axes[name].set(
        aspect="equal", xlabel="$x/L$", ylabel="$y/L$", title=rf"$\varphi = {phase}$"
    )
figure.colorbar(image, ax=[axes["map0"], axes["map1"]], label="$N(E = 0)/N_0$")
curves = {
    "0": spectral(states[0]),
    r"0.7\,\pi": spectral(states[2]),
    r"0.95\,\pi": spectral(states[-1]),
}
for phase, (energies, values) in curves.items():
    axes["E"].plot(energies, values / normal, label=rf"$\varphi = {phase}$")
energies, values = spectral(plain)
axes["E"].plot(energies, values / 0.4, "k:", label="plain wire")
axes["E"].set(xlabel=r"$E/E_\mathrm{Th}$", ylabel="$G/G_N$", title="reentrance")
axes["E"].legend()
for T in (0.2, 1.0, 2.0):
    measured = [conductance(neq, T) / normal for neq in states]
    axes["phi"].plot(
        phases / np.pi, measured, "o-", label=rf"$T = {T}\,E_\mathrm{{Th}}$"
    )
axes["phi"].set(xlabel=r"$\varphi/\pi$", ylabel="$G/G_N$", title="zero bias")
axes["phi"].legend()
Path("output").mkdir(exist_ok=True)
figure.savefig("output/andreev_interferometer.png", dpi=150)

# %%
# The headlines: 1.1463 in the plain wire at 5.14 E_Th, and 1.0345 at T = E_Th, from the one-dimensional equation; in
# the interferometer the normal conductance at E = 0 for all phases (Stoof and Nazarov, Phys. Rev. B 53, 14496 (1996)).
thermal = conductance(plain, 1.0) / 0.4
place = energies[values.argmax()]
print(
    f"plain wire: largest G/G_N {values.max() / 0.4:.4f} "
    f"at {place:.1f} E_Th, at T = E_Th {thermal:.4f}"
)
print(
    "interferometer at E = 0:",
    [round(float(own[0] / normal), 5) for _, own in curves.values()],
)
# sphinx_gallery_start_ignore
assert abs(values.max() / 0.4 - 1.146311) < 1e-3 > abs(thermal - 1.03448)
assert all(abs(own[0] / normal - 1) < 1e-3 for _, own in curves.values())
assert curves["0"][1].max() > 1.2 * normal > 1.15 * curves[r"0.95\,\pi"][1].max()
# sphinx_gallery_end_ignore
