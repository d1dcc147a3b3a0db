"""
An anomalous phase from a graded spin Hall angle
================================================

A lateral S/N/S junction, its normal metal split by a field h along the normal of the plane. A spin Hall angle theta
that is graded across the width shifts the current-phase relation: a current flows at zero phase difference. The shift
phi_0 is odd in h and in theta, and absent where theta is the same on both sides of the middle.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Lengths in xi, energies in the gap of the reservoirs. Squares in a regular grid make the mirror exact on the mesh.
length, width, temperature = 1.5, 0.6, 0.1
mesh = uf.rectangle({"N": length}, width=width, size=0.1, cell="quad")


def graded(x):
    return 1.6 * (x[1] / width - 0.5)


PROFILES = {
    "graded": graded,
    "opposite": lambda x: -graded(x),
    "symmetric": lambda x: abs(graded(x)),
    "none": 0.0,
}


def current(profile, h, phase):
    metal = uf.normal_metal(theta=PROFILES[profile], exchange=(0, 0, h))
    contacts = {
        "left": uf.Reservoir(1.0, -phase / 2),
        "right": uf.Reservoir(1.0, phase / 2),
    }
    eq = uf.solve_equilibrium(
        uf.Device(mesh, {"N": metal}, contacts), temperature, frequencies=14
    )
    return float(uf.charge_current(eq).through("right"))


phases = np.linspace(-0.05, 0.05, 5)
curves = {
    (name, h): np.array([current(name, h, p) for p in phases])
    for name, h in (("graded", 1.5), ("graded", -1.5), ("opposite", 1.5), ("none", 1.5))
}
shifts = {
    key: round(float(np.interp(0, values, phases)), 6) + 0.0
    for key, values in curves.items()
}

figure, axes = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
for (name, h), values in curves.items():
    axes.plot(
        phases,
        values,
        "o--" if name == "opposite" else "o-",
        label=rf"{name}, $h = {h}$: $\varphi_0 = {shifts[name, h]:.4f}$",
        ms=3,
    )
axes.axhline(0, color="0.8", zorder=0)
axes.axvline(0, color="0.8", zorder=0)
axes.set(
    xlabel=r"phase difference $\varphi$",
    ylabel=r"$I$ [$eN_0D\,\Delta$]",
    title="near zero phase",
)
axes.legend(fontsize=8)
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "graded_phi0_junction.png", dpi=150)

# %%
# The headline is the current at zero phase.
at_zero = {key: values[2] for key, values in curves.items()}
reference = at_zero["graded", 1.5]
print(
    ", ".join(
        f"{name} theta, h = {h}: I(0) = {value:.2e}"
        for (name, h), value in at_zero.items()
    )
)
print(f"phi_0 = {shifts['graded', 1.5]:.5f}")
# sphinx_gallery_start_ignore
assert abs(reference) > 1e-3
assert abs(shifts["graded", 1.5]) > 1e-3
assert (
    abs(at_zero["graded", -1.5] + reference)
    < 1e-9
    > abs(at_zero["opposite", 1.5] + reference)
)
assert (
    max(
        abs(current("symmetric", 1.5, 0)),
        abs(at_zero["none", 1.5]),
        abs(current("graded", 0, 0)),
    )
    < 1e-9
)
# sphinx_gallery_end_ignore
