"""
0 and pi states of an SFS junction
==================================

A ferromagnetic weak link of two coherence lengths between superconducting reservoirs, on a mesh drawn in Gmsh. The pair
amplitude oscillates in the ferromagnet: a weak exchange field leaves the junction in the 0 state, a strong one reverses
its current (pi state). Where the magnetisation turns, as in a domain wall, equal-spin triplets appear.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# The script: a mesh with a region `weak_link` and facet sets `left` and `right`, a material, two reservoirs. Energies
# are in units of the gap, lengths in units of xi = sqrt(D/gap). Times the normal resistance, a current is e I R_N/gap.
mesh = uf.read_mesh("meshes/sfs.msh")
output = Path("output")
output.mkdir(exist_ok=True)


def junction(exchange, phase):
    return uf.Device(
        mesh,
        materials={"weak_link": uf.ferromagnet(D=1.0, exchange=exchange)},
        contacts={
            "left": uf.Reservoir(gap=1.0, phase=-phase / 2),
            "right": uf.Reservoir(gap=1.0, phase=phase / 2),
        },
    )


def current(exchange, phase):
    eq = uf.solve_equilibrium(junction(exchange, phase), temperature=0.1, order=2)
    return uf.charge_current(eq).through("right")


phases = np.linspace(0, np.pi, 17)
resistance = uf.normal_resistance(junction((0, 0, 0), 0), "left", "right")
print(
    f"normal resistance R_N = {resistance:.4f}\n\n    "
    f"phase/pi        h = 0.5                   h = 3.0"
)
print("              I      e I R_N/gap        I      e I R_N/gap", flush=True)
relations = {h: np.zeros(len(phases)) for h in (0.5, 3.0)}
for n, phase in enumerate(phases):
    for h, values in relations.items():
        values[n] = current((0, 0, h), phase)
    row = "".join(
        f"{values[n]:11.5f} {values[n] * resistance:11.5f} "
        for values in relations.values()
    )
    print(f"{phase / np.pi:10.3f}{row}", flush=True)

# %%
# Around zero phase the current of the 0 state flows along the growing phase, that of the pi state against it.
figure, axes = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
for h, values in relations.items():
    whole = np.concatenate((-values[:0:-1], values))
    label = f"$h = {h:g}\\,\\Delta$ ({'0' if values[1] > 0 else 'π'} state)"
    axes.plot(
        np.concatenate((-phases[:0:-1], phases)) / np.pi,
        whole * resistance,
        "o-",
        ms=3,
        label=label,
    )
axes.axhline(0, color="0.7", lw=0.8, zorder=0)
axes.set(
    xlabel=r"phase difference $\varphi/\pi$",
    ylabel=r"$e I R_N/\Delta$",
    title=r"$T = 0.1\,\Delta$",
)
axes.legend()
figure.savefig(output / "sfs_current_phase.png", dpi=150)


# %%
# A domain wall in the middle turns the magnetisation from z through x to -z. Besides the singlet f0 and the triplet fz
# along the field, the wall makes the component fx.
def wall(x):
    angle = np.pi / 2 * (1 + np.tanh(x[0] / 0.3))
    return 3.0 * np.array([np.sin(angle), 0 * angle, np.cos(angle)])


eq = uf.solve_equilibrium(junction(wall, np.pi / 2), temperature=0.1, order=2)
path = uf.write_vtk(
    output / "sfs.vtu",
    uf.charge_current(eq),
    uf.pair_amplitude(eq, n=0),
    uf.spin_density(eq),
)
print(f"\nwrote {path}: open it in ParaView")

pairs = uf.pair_amplitude(eq, n=0)
figure, axes = plt.subplots(3, 1, figsize=(5.5, 7.5), layout="constrained")
for panel, component in zip(axes, ("f0", "fz", "fx"), strict=True):
    pairs.plot(component=component, ax=panel)
    panel.set(xlabel=r"$x/\xi$", ylabel=r"$y/\xi$")
figure.savefig(output / "sfs_triplets.png", dpi=150)

# sphinx_gallery_start_ignore
# The headline: a 0 state at h = 0.5, a pi state at h = 3.
assert relations[0.5][1:-1].min() > 0 > relations[3.0][1:-1].max()
# sphinx_gallery_end_ignore
