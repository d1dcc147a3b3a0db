"""
Triplets of a domain wall under a superconducting film
======================================================

A superconducting film on a ferromagnet with a domain wall, in cross-section. The wall turns short-ranged triplets into
long-ranged ones, which reach far into the ferromagnet where the singlet has died out; uniform domains have none. The
gap of the film, found self-consistently, is larger above the wall.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import matplotlib.tri as tri
import numpy as np

import usadelfem as uf

# %%
# Lengths in sqrt(D/Tc), energies in Tc. The mesh is the plane (x, z): film above z = 1.5, ferromagnet below. A piece of
# a uniform domain may be narrow.
width, bottom, top, h = 4.0, 1.5, 2.7, 20.0


def section(width):
    mesh = uf.rectangle({"all": width}, width=top, size=0.112)
    mesh = mesh.with_subdomains(
        {"S": lambda x: x[1] > bottom, "F": lambda x: x[1] < bottom}
    )
    mesh.subdomains.pop("all")
    return mesh


mesh, narrow = section(width), section(0.5)
wall = uf.textures.neel_wall(
    h, centre=width / 2, width=0.4, normal=(1, 0, 0), easy_axis=(0, 0, 1)
)


def film(mesh, exchange):
    materials = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(exchange=exchange)}
    device = uf.Device(mesh, materials, plane="xz")
    return uf.solve_equilibrium(device, 0.2, cutoff=40.0)


with_wall, uniform = film(mesh, wall), film(narrow, (0, 0, h))


def long_ranged(eq, exchange):
    """Moduli of the triplet across the field and of the singlet, at the vertices."""
    f = uf.pair_amplitude(eq).nodal
    n = (
        exchange(mesh.p) / h
        if callable(exchange)
        else np.broadcast_to(np.array(exchange)[:, None] / h, f[1:].shape)
    )
    across = f[1:] - (f[1:] * n).sum(axis=0) * n
    return np.linalg.norm(across, axis=0), abs(f[0])


triplet, singlet = long_ranged(with_wall, wall)
grid = tri.Triangulation(*mesh.p, mesh.t.T)
figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
gap = abs(uf.gap(with_wall).nodal)
for ax, values, label in zip(
    axes,
    (gap, np.log10(singlet + 1e-9), np.log10(triplet + 1e-9)),
    (
        r"$|\Delta|/T_c$",
        r"$\log_{10}|f_0|$",
        r"$\log_{10}|f_\perp|$, triplet across $h$",
    ),
    strict=True,
):
    limits = (0, gap.max()) if values is gap else (-4, 0)
    figure.colorbar(
        ax.tripcolor(grid, values, shading="gouraud", vmin=limits[0], vmax=limits[1]),
        ax=ax,
        label=label,
        shrink=0.6,
    )
    ax.axhline(bottom, color="w", lw=0.8)
    length = r"[$\sqrt{D/T_c}$]"
    ax.set(xlabel=f"$x$ {length}", ylabel=f"$z$ {length}", aspect="equal")
Path("output").mkdir(exist_ok=True)
figure.savefig("output/domain_wall_film.png", dpi=150)
uf.write_vtk(
    "output/domain_wall_film.vtu",
    uf.pair_amplitude(with_wall),
    uf.gap(with_wall),
    uf.spin_density(with_wall),
)

# %%
# Deep in the ferromagnet beside the wall the long-ranged triplet is left; the gap is larger above the wall.
distance = abs(mesh.p[0] - width / 2)
deep = (mesh.p[1] < 0.5) & (distance > 0.9) & (distance < 1.6)
above, aside = (
    abs(uf.gap(with_wall).at([[x], [bottom + 0.6]]))[0] for x in (width / 2, 0.1)
)
print(
    f"deep beside the wall: triplet {triplet[deep].max():.1e}, "
    f"singlet {singlet[deep].max():.1e}"
)
print(f"gap above the wall {above:.4f}, above a domain {aside:.4f}")
# sphinx_gallery_start_ignore
assert triplet[deep].max() > 5 * singlet[deep].max()
assert long_ranged(uniform, (0, 0, h))[0].max() < 1e-9 < above - aside
# sphinx_gallery_end_ignore
