"""
A 0-pi junction with spin-active interfaces
===========================================

A thin ferromagnet between superconducting reservoirs behind magnetic tunnel barriers (S-I-F-I-S). The spin mixing of
the barriers is a surface exchange field: where it adds to that of the ferromagnet, the junction changes from 0 to pi in
a weaker ferromagnet. The sign of the critical current, the free energy and its minimum tell the same.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Lengths in xi, energies in the gap of the reservoirs; conductances in 2 N0 D / xi.
mesh = uf.interval({"F": 0.6}, size=0.1)
T = 0.1


def junction(h, mixing, phase=np.pi / 2):
    barrier = uf.SpinActive(
        conductance=0.3, polarization=0.3, mixing=mixing, magnetization=(0, 0, 1)
    )
    contacts = {
        "left": uf.Reservoir(1.0, 0.0, barrier=barrier),
        "right": uf.Reservoir(1.0, phase, barrier=barrier),
    }
    return uf.Device(mesh, {"F": uf.ferromagnet(exchange=(0, 0, h))}, contacts)


def current(h, mixing):
    device = junction(h, mixing)
    eq = uf.solve_equilibrium(device, T)
    return float(uf.charge_current(eq).through("right")) * uf.normal_resistance(
        device, "left", "right"
    )


fields = np.concatenate([np.linspace(0, 2, 21), np.linspace(2.4, 6, 10)])
mixings = (-1.0, 0.0, 1.0)
curves = {mixing: np.array([current(h, mixing) for h in fields]) for mixing in mixings}

# %%
# The free energy against the phase on both sides of the transition; its derivative is half the current.
phases = np.linspace(0, 2 * np.pi, 17)
energies = {
    h: [uf.free_energy(uf.solve_equilibrium(junction(h, 0.0, p), T)) for p in phases]
    for h in (0.5, 6.0)
}

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for mixing, curve in curves.items():
    left.plot(fields, curve, "o-", ms=3, label=rf"$G_\varphi = {mixing:g}$")
left.axhline(0, color="0.8", zorder=0)
left.set(
    xlabel=r"exchange field $h/\Delta$",
    ylabel=r"$eI(\pi/2)R_N/\Delta$",
    title="shift by spin mixing",
)
left.legend()
for h, energy in energies.items():
    right.plot(
        phases / np.pi,
        np.array(energy) - energy[0],
        "o-",
        ms=3,
        label=rf"$h = {h}\,\Delta$",
    )
right.set(
    xlabel=r"phase difference $\varphi/\pi$",
    ylabel=r"$\Omega - \Omega(0)$ [$N_0\Delta^2\xi$]",
)
right.legend(title=r"$G_\varphi = 0$")
Path("output").mkdir(exist_ok=True)
figure.savefig("output/spin_active_junction.png", dpi=150)

# %%
# Where the current changes sign, and the phase that minimises the free energy.
zeros = []
for m in mixings:
    last = 2 + int((curves[m] < 0).argmax())
    zeros.append(float(np.interp(0, -curves[m][:last], fields[:last])))
ground = {h: uf.ground_state(junction(h, 0.0), "right", T)[0] for h in energies}
print("transition at h =", [f"{zero:.3f}" for zero in zeros], "ground states:", ground)
# sphinx_gallery_start_ignore
assert zeros[0] > zeros[1] > zeros[2]
assert abs(ground[0.5]) < 1e-3
assert abs(abs(ground[6.0]) - np.pi) < 1e-3
# sphinx_gallery_end_ignore
