"""
A vortex in a disc, with screening
==================================

A superconducting disc (a cylinder) in a magnetic field: gap, supercurrent and field of a vortex found together, from
the gap equation and Ampere's law. In weak fields the disc has less energy without the vortex, in stronger ones with it.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import matplotlib.tri as tri
import numpy as np
import skfem

import usadelfem as uf

# %%
# Lengths in sqrt(D/Tc), energies in Tc; a flux quantum h/2e is B x area = pi.
radius, T, depth = 5.0, 0.3, 4.0
mesh = (
    skfem.MeshTri1.init_circle(3)
    .scaled(radius)
    .with_subdomains({"disc": lambda x: x[0] < 2 * radius})
)
quanta = np.array([0.5, 1.5, 2.5, 3.5])


def solve(flux, initial):
    device = uf.Device(
        mesh, {"disc": uf.superconductor(Tc=1.0)}, B=flux * np.pi / (np.pi * radius**2)
    )
    return uf.solve_equilibrium(
        device, T, initial=initial, screening=True, penetration_depth=depth
    )


start = {"no vortex": None, "vortex": uf.vortices([(0, 0, 1)])}
states = {
    name: [solve(flux, initial) for flux in quanta] for name, initial in start.items()
}
energy = {
    name: np.array([uf.free_energy(eq) for eq in family])
    for name, family in states.items()
}

# %%
eq = states["vortex"][-1]
Path("output").mkdir(exist_ok=True)
uf.write_vtk(
    "output/vortex_disc.vtu", uf.gap(eq), uf.charge_current(eq), uf.magnetic_field(eq)
)
fine = mesh.refined(
    2
)  # elements of second order are more than their values at the vertices
grid = tri.Triangulation(*fine.p, fine.t.T)
figure, (one, two, three) = plt.subplots(1, 3, figsize=(13, 3.9), layout="constrained")
for axes, values, label in (
    (one, abs(uf.gap(eq).at(fine.p)), r"$|\Delta|/T_c$"),
    (
        two,
        uf.magnetic_field(eq).at(fine.p) * radius**2,
        r"flux density $B\,R^2$ [$\hbar/e$]",
    ),
):
    figure.colorbar(axes.tricontourf(grid, values, 30), ax=axes, label=label)
    length = r"[$\sqrt{D/T_c}$]"
    axes.set(aspect="equal", xlabel=f"$x$ {length}", ylabel=f"$y$ {length}")
j = uf.charge_current(eq)
points = np.array(
    [
        p
        for p in np.mgrid[-4.5:4.6:0.9, -4.5:4.6:0.9].reshape(2, -1).T
        if np.hypot(*p) < 4.7
    ]
).T
one.quiver(*points, *j.at(points), color="r", scale=60, width=0.006)
for name, values in energy.items():
    three.plot(quanta, values, "o-", label=name)
three.set(
    xlabel=r"applied flux $BA/(h/2e)$",
    ylabel=r"$\Omega$ [$N_0T_c^2\,D/T_c$]",
    title="free energy",
)
three.legend()
figure.savefig("output/vortex_disc.png", dpi=150)

# %%
# The core is normal, and the vortex becomes the ground state between the lowest and the highest field.
core = abs(uf.gap(eq).at([[0.0], [0.0]]))[0] / abs(uf.gap(eq).nodal).max()
entry = float(np.interp(0, energy["no vortex"] - energy["vortex"], quanta))
print(
    f"gap in the core {core:.1e} of the largest; the vortex "
    f"has the lower energy above {entry:.2f} flux quanta"
)
# sphinx_gallery_start_ignore
assert core < 0.02
assert 0.5 < entry < 3.5
# sphinx_gallery_end_ignore
