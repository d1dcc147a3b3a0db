"""
Spins around a supercurrent: a heavy-metal layer in three dimensions
====================================================================

A wire between two superconductors, a ferromagnetic layer F and a layer HM of heavy metal with a spin Hall angle. The
supercurrent that runs through the stack leaves spins at the side faces of the heavy metal that circulate around it, as
n x j demands (n the normal of a face): the inverse spin-galvanic effect. They reverse with the current and vanish with
theta. The exchange field of F points along the wire and stays out of their way.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Hexahedra in a regular grid; regions F and HM one after the other along x, contacts left and right.
mesh = uf.box({"F": 0.4, "HM": 0.8}, width=0.8, height=0.8, size=0.2, cell="hexahedron")


def stack(phase, theta=0.3):
    materials = {
        "F": uf.ferromagnet(exchange=(1.0, 0, 0), D=0.8),
        "HM": uf.normal_metal(theta=theta, kappa=0.1, tau_so=2.0),
    }
    contacts = {
        "left": uf.Reservoir(1.0, -phase / 2),
        "right": uf.Reservoir(1.0, phase / 2),
    }
    return uf.solve_equilibrium(
        uf.Device(mesh, materials, contacts), temperature=0.2, frequencies=6
    )


eq = stack(1.2)
current, spin = uf.charge_current(eq), uf.spin_density(eq)
y, z = (
    part.ravel()
    for part in np.meshgrid(np.linspace(0.02, 0.78, 13), np.linspace(0.02, 0.78, 13))
)
plane = np.array([np.full_like(y, 0.8), y, z])  # the middle of HM
s = spin.at(plane)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
image = left.tripcolor(y, z, np.hypot(s[1], s[2]), shading="gouraud", cmap="viridis")
left.quiver(y, z, s[1], s[2], color="w")
figure.colorbar(image, ax=left, label=r"$|\delta S_\perp|$ [$\hbar N_0\Delta/2$]")
left.set(
    xlabel=r"$y/\xi$",
    ylabel=r"$z/\xi$",
    aspect="equal",
    title="spin density in the heavy metal, seen along -x",
)
x = np.linspace(0.0, 1.2, 13)
right.plot(
    x,
    spin.at([x, 0 * x + 0.8, 0 * x + 0.4])[2],
    "o-",
    ms=3,
    label=r"$\delta S_z$ at $y = 0.8$",
)
right.plot(
    x,
    spin.at([x, 0 * x + 0.4, 0 * x + 0.4])[0],
    "o-",
    ms=3,
    label=r"$\delta S_x$ inside",
)
right.axvline(0.4, color="0.8", zorder=0)
right.set(
    xlabel=r"$x/\xi$",
    ylabel=r"$\delta S$ [$\hbar N_0\Delta/2$]",
    title="F (left) and heavy metal (right)",
)
right.legend()
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "heavy_metal_3d.png", dpi=150)
uf.write_vtk(
    output / "heavy_metal_3d.vtu",
    current,
    spin,
    uf.spin_current(eq),
    uf.spin_orbit_torque(eq),
)


# %%
# The headline: the circulation of the spins about the axis, its signs, and a current that is conserved in every layer.
def circulation(result):
    values, arm = uf.spin_density(result).at(plane), np.array([y - 0.4, z - 0.4])
    return float(np.mean(arm[0] * values[2] - arm[1] * values[1]))


flows = [-current.through("left"), current.through("F_HM"), current.through("right")]
turns = {
    "phase": circulation(eq),
    "-phase": circulation(stack(-1.2)),
    "theta = 0": circulation(stack(1.2, 0.0)),
}
print(
    f"current {flows[0]:.5f}, differences "
    f"{np.ptp(flows):.1e}; circulation of the spins {turns}"
)
# sphinx_gallery_start_ignore
assert np.ptp(flows) < 1e-9 * abs(flows[0])
assert abs(turns["phase"]) > 1e-3
assert abs(turns["phase"] + turns["-phase"]) < 1e-9 > abs(turns["theta = 0"])
# sphinx_gallery_end_ignore
