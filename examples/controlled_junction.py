"""
A junction controlled by a normal current
=========================================

A normal control line crosses the weak link of an SNS junction. Voltages +V and -V at its ends drive the electrons in
the link out of equilibrium: between -V and V states are half filled, and what they carried of the supercurrent is gone.
What is left flows backwards (Baselmans et al., Nature 397, 43 (1999)): at some voltage the junction turns from 0 to pi.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from skfem import MeshTri

import usadelfem as uf

# %%
# Lengths in units of the link, energies in E_Th = D/L^2; the gap is far above it. The cross is cut out of a rectangle.
PHASE = np.pi / 2


def cross(link, line, arm, size):
    """A link of a width between x = 0 and 1, and a line of a width with two arms."""
    x = np.concatenate(
        [np.linspace(0, 0.5 - line / 2, 13), np.linspace(0.5 + line / 2, 1, 13), [0.5]]
    )
    y = np.linspace(link / 2, arm, round(arm / size))
    mesh = MeshTri.init_tensor(np.sort(x), np.sort(np.concatenate([-y, [0], y])))
    mesh = mesh.restrict(
        mesh.elements_satisfying(
            lambda x: (abs(x[1]) < link / 2) | (abs(x[0] - 0.5) < line / 2)
        )
    )
    names = {"left": (0, 0), "right": (0, 1), "bottom": (1, -arm), "top": (1, arm)}
    ends = {
        name: lambda x, k=k, at=at: np.isclose(x[k], at)
        for name, (k, at) in names.items()
    }
    return mesh.with_subdomains({"N": lambda x: x[0] > -1}).with_boundaries(ends)


def solve(mesh):
    contacts = {
        "left": uf.Reservoir(gap=2e3, phase=-PHASE / 2),
        "right": uf.Reservoir(gap=2e3, phase=PHASE / 2),
    }
    contacts |= {
        "top": uf.Reservoir(gap=0, voltage=10.0),
        "bottom": uf.Reservoir(gap=0, voltage=-10.0),
    }
    device = uf.Device(mesh, {"N": uf.normal_metal()}, contacts)
    options = {"energy_range": (0, 50), "broadening": 1e-2, "tolerance": 1e-3}
    return uf.solve_nonequilibrium(
        device, temperature=0.25, **options
    ), uf.normal_resistance(device, "left", "right")


def biased(neq, V, T=0.25):
    control = {
        "top": {"voltage": V, "temperature": T},
        "bottom": {"voltage": -V, "temperature": T},
    }
    return neq.with_bias(control)


# %%
# The current by the control voltage: one solve for all. The line is narrow and long, so as not to disturb the link.
neq, resistance = solve(cross(link=0.1, line=0.02, arm=1.0, size=0.08))
voltages = np.array([0, 2, 4, 5, 6, 7, 7.5, 8, 9, 10, 12, 15, 20])
currents = {
    T: np.array(
        [uf.charge_current(biased(neq, V, T)).through("right") for V in voltages]
    )
    for T in (0.25, 2.0)
}

figure, axes = plt.subplots(
    1, 3, figsize=(12, 3.8), layout="constrained", width_ratios=(1, 1, 1.2)
)
for T, values in currents.items():
    axes[0].plot(
        voltages,
        values * resistance,
        "o-",
        label=rf"control at $T = {T}\,E_\mathrm{{Th}}$",
    )
axes[0].axhline(0, color="0.8", zorder=0)
axes[0].set(
    xlabel=r"$eV/E_\mathrm{Th}$",
    ylabel=r"$eI(\pi/2)R_N/E_\mathrm{Th}$",
    title="supercurrent",
)
for V in (0.0, 8.0):
    f = uf.occupation(biased(neq, V))
    axes[1].plot(f.series.values, f.at([[0.5], [0.0]])[:, 0], label=f"$V = {V:g}$")
axes[1].set(
    xlabel=r"$E/E_\mathrm{Th}$",
    ylabel="$f(E)$",
    xlim=(-15, 15),
    title="occupation in the middle",
)
wide, _ = solve(cross(link=0.3, line=0.2, arm=0.6, size=0.06))
mesh, state = wide.device.mesh, biased(wide, 12.0)
centres = mesh.p[:, mesh.t].mean(axis=1)
image = axes[2].tripcolor(
    *mesh.p, mesh.t.T, uf.potential(state).nodal, shading="gouraud", cmap="RdBu_r"
)
axes[2].quiver(*centres, *uf.charge_current(state).at(centres))
axes[2].set(
    aspect="equal",
    xlabel="$x/L$",
    ylabel="$y/L$",
    title="potential and current, $V = 12$",
)
figure.colorbar(image, ax=axes[2], label=r"$\mu/E_\mathrm{Th}$")
for panel in axes[:2]:
    panel.legend()
Path("output").mkdir(exist_ok=True)
figure.savefig("output/controlled_junction.png", dpi=150)

# %%
# The headline: with half-filled states the one-dimensional equation reverses the current at V = 7.68 E_Th at T = 0.
reversal = float(np.interp(0, -currents[0.25], voltages))
print(
    f"reversal at V = {reversal:.3f} E_Th; ideal 7.683; e I "
    f"R_N(V = 0) = {currents[0.25][0] * resistance:.3f} E_Th"
)
# sphinx_gallery_start_ignore
assert abs(reversal / 7.6834 - 1) < 0.03
assert currents[0.25].min() < -0.25 * currents[0.25].max()
# sphinx_gallery_end_ignore
