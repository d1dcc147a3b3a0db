"""
The spin Hall effect of quasiparticles
======================================

A current in a strip with spin-orbit coupling piles up spins at its edges. In a superconductor quasiparticles do it:
above the gap the accumulation per gradient of charge is enhanced by their density of states N(E). Below the gap the
charge becomes a supercurrent near the contacts, and spins are there only.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Energies in units of the gap, lengths in sqrt(D/gap). Two normal contacts at opposite voltages; lambda_s^2 = D tau_so.
theta, tau, L, W = 0.1, 0.5, 8.0, 2.0
mesh = uf.rectangle({"strip": L}, width=W, size=0.25)
energies = np.arange(0, 2.25, 0.0625)


def solve(gap):
    metal = uf.superconductor if gap else uf.normal_metal
    material = metal(gap=gap, theta=theta, tau_so=tau)
    contacts = {
        "left": uf.Reservoir(gap=0, voltage=1.5),
        "right": uf.Reservoir(gap=0, voltage=-1.5),
    }
    device = uf.Device(mesh, {"strip": material}, contacts)
    return uf.solve_nonequilibrium(
        device, temperature=0.05, energies=energies, broadening=0.02
    )


def edge(neq):
    """h_z at the upper edge per gradient of h_T, and the density of states."""
    places = [[L / 2, L / 2 - 0.25, L / 2 + 0.25], [W, W / 2, W / 2]]
    h, lower, upper = np.moveaxis(uf.distribution(neq).at(places), -1, 0)
    N = uf.density_of_states(neq).at([[L / 2], [W / 2]])[:, 0]
    return -h[:, 4] / (upper[:, 1] - lower[:, 1]) * 0.5, N


normal, neq = solve(0.0), solve(1.0)
(flat, _), (enhanced, N) = edge(normal), edge(neq)
closed = theta * np.sqrt(tau) * np.tanh(W / 2 / np.sqrt(tau))  # times N(E)

# %%
# The spins of all energies together at the two sides of the gap, and the accumulation by energy.
panels = [["N", "E"], ["low", "E"], ["high", "E"]]
figure, axes = plt.subplot_mosaic(
    panels, figsize=(11.5, 5), layout="constrained", width_ratios=(1.4, 1)
)
maps = {"N": (normal, 0.5), "low": (neq, 0.5), "high": (neq, 1.5)}
for name, (state, V) in maps.items():
    spin = uf.spin_density(state.with_bias(left=V, right=-V)).nodal[2]
    limit = 0.09 * V
    image = axes[name].tripcolor(
        *mesh.p, mesh.t.T, spin, shading="gouraud", cmap="RdBu", vmin=-limit, vmax=limit
    )
    metal = "normal" if name == "N" else "superconductor"
    axes[name].set(
        aspect="equal", ylabel=r"$y/\xi$", title=rf"{metal}, voltages $\pm{V}\,\Delta$"
    )
    figure.colorbar(image, ax=axes[name], label=r"$S_z$ [$\hbar N_0\Delta/2$]")
axes["high"].set_xlabel(r"$x/\xi$")
above = energies > 1.1
axes["E"].plot(energies[above], enhanced[above] / closed, "o", label="superconductor")
axes["E"].plot(energies, flat / closed, "s", ms=3, label="normal")
axes["E"].plot(energies, N, "k:", label="$N(E)/N_0$")
unit = r"$\theta\lambda_s\tanh(W/2\lambda_s)$"
axes["E"].set(
    xlabel=r"$E/\Delta$",
    ylabel=rf"$-h_z(W)/\partial_xh_T$ [{unit}]",
    title="at the edge",
)
axes["E"].legend()
Path("output").mkdir(exist_ok=True)
figure.savefig("output/spin_hall_superconductor.png", dpi=150)

# %%
# The headlines: theta lambda_s tanh(W/2 lambda_s) in the normal strip, and N(E) times as much in the superconductor.
error = abs(enhanced / closed / N - 1)[energies > 1.2].max()
print(
    f"normal {flat[0]:.6f}, closed form {closed:.6f}; "
    f"superconductor, 1.2 < E: largest deviation {error:.4f}"
)
# sphinx_gallery_start_ignore
assert abs(flat / closed - 1).max() < 2e-3
assert error < 0.015
# sphinx_gallery_end_ignore
