"""
Vortices in a normal metal
==========================

A square of normal metal surrounded by superconductors whose phase winds around it. The proximity effect must vanish
somewhere inside: vortices of a normal metal (Amundsen and Linder, Sci. Rep. 6, 22765 (2016)). One winding has its
vortex in the centre, two make a giant one there.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import matplotlib.tri as tri
import numpy as np

import usadelfem as uf

# %%
# Lengths in xi, energies in the gap of the superconductors; the phase of the reservoirs is a function of position.
side = 4.0
mesh = uf.rectangle({"N": side}, width=side, size=0.25)
sides = ("left", "right", "bottom", "top")


def surrounded(n):
    def phase(x):
        return n * np.arctan2(x[1] - side / 2, x[0] - side / 2)

    return uf.Device(
        mesh,
        {"N": uf.normal_metal()},
        {name: uf.Reservoir(gap=1.0, phase=phase) for name in sides},
    )


solutions = {
    n: uf.solve_equilibrium(surrounded(n), 0.1, frequencies=16) for n in (0, 1, 2)
}
amplitude = {n: uf.pair_amplitude(eq) for n, eq in solutions.items()}

grid = tri.Triangulation(*mesh.p, mesh.t.T)
figure, rows = plt.subplots(2, 3, figsize=(11, 6.6), layout="constrained")
for n, (upper, lower) in zip(solutions, rows.T, strict=True):
    f0 = amplitude[n].nodal[0]
    figure.colorbar(
        upper.tripcolor(grid, abs(f0), shading="gouraud", vmin=0, vmax=1),
        ax=upper,
        label=r"$|f_0|$",
    )
    figure.colorbar(
        lower.tripcolor(
            grid,
            np.angle(f0[mesh.t].sum(axis=0)),
            cmap="twilight",
            vmin=-np.pi,
            vmax=np.pi,
        ),
        ax=lower,
        label=r"phase of $f_0$",
    )
    j = uf.charge_current(solutions[n])
    points = np.mgrid[0.4:3.7:0.46, 0.4:3.7:0.46].reshape(2, -1)
    if n:
        upper.quiver(*points, *j.at(points), color="w", width=0.006)
    upper.set(
        title=f"winding number {n}",
        aspect="equal",
        xlabel=r"$x/\xi$",
        ylabel=r"$y/\xi$",
    )
    lower.set(aspect="equal", xlabel=r"$x/\xi$", ylabel=r"$y/\xi$")
Path("output").mkdir(exist_ok=True)
figure.savefig("output/proximity_vortex.png", dpi=150)
uf.write_vtk(
    "output/proximity_vortex.vtu", amplitude[1], uf.charge_current(solutions[1])
)


# %%
# The winding of the pair amplitude around the centre is that of the reservoirs, and in a vortex it is normal.
def winding(n):
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = side / 2 + 1.2 * np.array([np.cos(angle), np.sin(angle)])
    return np.diff(np.unwrap(np.angle(amplitude[n].at(circle)[0]))).sum() / (2 * np.pi)


centre = np.full((2, 1), side / 2)
print(
    {
        n: (round(winding(n), 3), float(abs(amplitude[n].at(centre)[0, 0])))
        for n in solutions
    }
)
# sphinx_gallery_start_ignore
assert all(abs(winding(n) - n) < 1e-6 for n in solutions)
assert (
    abs(amplitude[0].at(centre)[0, 0]) > 0.1 > 1e-8 > abs(amplitude[1].at(centre)[0, 0])
)
# sphinx_gallery_end_ignore
