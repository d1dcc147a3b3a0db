"""
The minigap of an SNS junction in a phase bias
==============================================

A normal bridge between two superconducting electrodes has no states below its minigap, 3.12 E_Th without a phase
difference, where E_Th = D/L^2 is the Thouless energy. A phase bias closes it, later than the cos(phi/2) of a short
junction; at a phase of pi the middle of the bridge is a normal metal at every energy. What a scanning tunnelling
microscope sees.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Lengths are in units of the bridge, energies in units of E_Th: D = L = 1. The gap of the electrodes is far above.
GAP, GAMMA = 1e5, 0.02
output = Path("output")
output.mkdir(exist_ok=True)


def bridge(mesh, phase):
    contacts = {
        "left": uf.Reservoir(GAP, -phase / 2),
        "right": uf.Reservoir(GAP, phase / 2),
    }
    return uf.Device(mesh, {"N": uf.normal_metal()}, contacts)


# %%
# The minigap depends on the phase only, so a line is enough for it.
line = uf.interval({"N": 1.0}, size=0.02)
phases = np.append(np.linspace(0, 0.875, 8), 0.96) * np.pi
coarse = np.linspace(0, 5, 21)
gaps = np.array(
    [
        uf.minigap(uf.solve_spectrum(bridge(line, phase), coarse, broadening=GAMMA))
        for phase in phases
    ]
)
print(
    f"minigap at phase 0: {gaps[0]:.4f} E_Th;  at pi/2: "
    f"{np.interp(np.pi / 2, phases, gaps):.3f} E_Th"
)

# %%
# A map of the local density of states along the bridge for three phases, at energies chosen by the solver.
figure, axes = plt.subplots(
    1, 4, figsize=(12, 3.3), layout="constrained", width_ratios=(1, 1, 1, 1.1)
)
x = np.linspace(0, 1, 101)
shown = {}
for panel, phase in zip(axes, (0.0, 0.6 * np.pi, np.pi), strict=False):
    spec = uf.solve_spectrum(
        bridge(line, phase), "adaptive", energy_range=(-6, 6), broadening=GAMMA
    )
    ldos = uf.density_of_states(spec).at(x[None])
    shown[phase] = panel.pcolormesh(
        x, spec.energies, ldos, cmap="magma", shading="gouraud"
    )
    panel.set(title=f"$\\varphi/\\pi = {phase / np.pi:g}$", xlabel="$x/L$")
    if phase == np.pi:
        middle = ldos[:, 50]
largest = max(image.get_array().max() for image in shown.values())
for image in shown.values():
    image.set_clim(0, largest)  # no peak is cut off
axes[0].set_ylabel(r"$E/E_\mathrm{Th}$")
figure.colorbar(image, ax=axes[2], label="$N(E)/N_0$")
axes[3].plot(phases / np.pi, gaps, "o", ms=4, label="minigap")
fine = np.linspace(0, np.pi, 201)
axes[3].plot(
    fine / np.pi,
    gaps[0] * np.cos(fine / 2),
    ":",
    color="0.5",
    label=r"short: $\propto\cos(\varphi/2)$",
)
axes[3].set(
    xlabel=r"$\varphi/\pi$", ylabel=r"$E_\mathrm{g}/E_\mathrm{Th}$", ylim=(0, None)
)
axes[3].legend()
figure.savefig(output / "sns_minigap.png", dpi=150)

# %%
# The same in two dimensions, for ParaView: a cross whose side arms are connected to the bridge only. Its length is
# 2, so that E_Th is 1/4. The time axis of the animation is the energy.
cross = uf.read_mesh("meshes/cross.msh")
spec = uf.solve_spectrum(
    bridge(cross, 0.6 * np.pi), np.linspace(0, 1.5, 31), broadening=0.01
)
path = uf.write_vtk(
    output / "sns_minigap.pvd", uf.density_of_states(spec), uf.charge_current(spec)
)
print(f"wrote {path}: open it in ParaView and press play")

# sphinx_gallery_start_ignore
# The headline: 3.12 E_Th, 2.40 E_Th at pi/2, and no trace of superconductivity in the middle at a phase of pi.
assert abs(gaps[0] / 3.122 - 1) < 0.002
assert abs(np.interp(np.pi / 2, phases, gaps) / 2.4016 - 1) < 0.005
assert abs(middle - 1).max() < 1e-6
# sphinx_gallery_end_ignore
