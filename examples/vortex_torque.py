"""
Spin-orbit torque of a vortex in a Zeeman field
===============================================

A superconducting film with a spin Hall angle theta holds a vortex of winding n, and a Zeeman field h lies in the plane.
Where the spectrum turns in Nambu space, in the core, spin-orbit scattering exerts a torque on the spins. It points
along n z x h: across the field, odd in the winding, linear in theta, and absent in the normal state (Huang, Tokatly
and Bergeret, Phys. Rev. B 98, 144515 (2018)). A spin current carries it out of the core.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Energies in units of the bulk gap, lengths in xi. The modulus of the gap is given, tanh(r) to the power n.
mesh = uf.read_mesh(
    "meshes/film.msh"
)  # regions core (r < 2) and outer (2 < r < 5), the circle ring between them
h, theta, temperature = 0.3, 0.1, 0.2


def vortex(n, theta=theta, h=h, strength=1.0):
    def gap(x):
        return (
            strength
            * np.tanh(np.hypot(*x)) ** abs(n)
            * np.exp(1j * n * np.arctan2(x[1], x[0]))
        )

    material = uf.superconductor(gap=gap, exchange=(h, 0, 0), theta=theta)
    return uf.solve_equilibrium(
        uf.Device(mesh, {"core": material, "outer": material}), temperature
    )


eq = vortex(1)
torque, flow = uf.spin_orbit_torque(eq), uf.spin_current(eq)
r = np.linspace(0.02, 4.5, 200)
profile = torque.at([r, 0 * r])

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9), layout="constrained")
image = left.tripcolor(
    *mesh.p, mesh.t.T, torque.nodal[1], shading="gouraud", cmap="magma"
)
figure.colorbar(image, ax=left, label=r"torque $t_y$ [$N_0 D\,\Delta/\xi^2$]")
grid = np.array(
    [
        [x, y]
        for x in np.linspace(-4, 4, 15)
        for y in np.linspace(-4, 4, 15)
        if np.hypot(x, y) < 4.5
    ]
).T
left.quiver(*grid, *flow.at(grid)[1], color="w", width=0.004, scale=0.4)
left.set(
    xlabel=r"$x/\xi$",
    ylabel=r"$y/\xi$",
    aspect="equal",
    xlim=(-4, 4),
    ylim=(-4, 4),
    title="torque, flow of $s_y$",
)
for axis, label in enumerate("xyz"):
    right.plot(r, profile[axis], label=rf"$t_{label}$")
right.set(
    xlabel=r"$r/\xi$",
    ylabel=r"torque [$N_0 D\,\Delta/\xi^2$]",
    title=rf"$n = 1$, $h = {h}\,\Delta\,\hat x$",
)
right.legend()
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "vortex_torque.png", dpi=150)
uf.write_vtk(
    output / "vortex_torque.vtu",
    torque,
    flow,
    uf.charge_current(eq),
    uf.spin_density(eq),
)

# %%
# The headlines. What leaves the core as a spin current is what the torques in it add up to, exactly.
total = torque.integral()
cases = {
    "n = -1": vortex(-1),
    "2 theta": vortex(1, 2 * theta),
    "theta = 0": vortex(1, 0.0),
    "-h": vortex(1, h=-h),
}
totals = {name: uf.spin_orbit_torque(case).integral() for name, case in cases.items()}
print(
    f"total torque {total.round(5)}; "
    + "; ".join(f"{name}: {value[1]:.5f}" for name, value in totals.items())
)
# sphinx_gallery_start_ignore
assert total[1] > 0.1 > 1e8 * abs(total[[0, 2]]).max()
assert max(abs(totals[name] + total).max() for name in ("n = -1", "-h")) < 1e-9
assert abs(totals["2 theta"] / 2 - total)[1] < 0.01 * total[1]
assert abs(totals["theta = 0"]).max() < 1e-12
assert abs(uf.spin_orbit_torque(vortex(1, strength=0.0)).integral()).max() < 1e-12
assert profile[1, -1] < 0.01 * profile[1].max()
# sphinx_gallery_end_ignore
balance = flow.through("ring", into="outer") - uf.spin_torque(eq).integral("core")
# sphinx_gallery_start_ignore
assert abs(balance).max() < 1e-9
# sphinx_gallery_end_ignore
