"""
The critical voltage of a superconducting wire
==============================================

A voltage between two normal reservoirs fills the states of a superconducting wire between them out of equilibrium, and
weakens its gap. At a critical voltage the gap collapses. The normal wire becomes superconducting again only at a
smaller voltage: in between both states are stable (Keizer et al., Phys. Rev. Lett. 96, 147002 (2006)).
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Energies in units of the gap Delta0 of the bulk at T = 0, lengths in xi = sqrt(D/Delta0). The gap of the wire is an
# unknown, and so is the voltage of its condensate: that of the middle, by symmetry.
L, TC = 6.0, np.exp(np.euler_gamma) / np.pi
mesh = uf.interval({"wire": L}, size=0.25)
x = np.linspace(0, L, 121)[None]


def solve(V, initial):
    contacts = {
        "left": uf.Reservoir(gap=0, voltage=V / 2),
        "right": uf.Reservoir(gap=0, voltage=-V / 2),
    }
    device = uf.Device(mesh, {"wire": uf.superconductor(Tc=TC)}, contacts)
    return uf.solve_nonequilibrium(
        device, temperature=0.1, broadening=1e-3, tolerance=1e-4, initial=initial
    )


def largest(neq):
    return abs(uf.gap(neq).quadrature).max()


def current(neq):
    return (
        uf.charge_current(neq).through("right") / 2
    )  # e^2 N0 D Delta0/xi, sigma = 2 e^2 N0 D


# %%
# Upwards every solve starts from the state before. The other branch starts from a small gap, which grows where the
# normal state is unstable and vanishes where it is stable.
up, down, state = {}, {}, None
for V in (0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.05, 1.1):
    up[V] = state = solve(V, state)
for V in (1.1, 1.0, 0.9, 0.8):
    down[V] = solve(V, 0.02)

figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
for branch, style, label in (
    (up, "o", "from a large gap, upwards"),
    (down, "s", "from a small gap"),
):
    gaps = [largest(neq) for neq in branch.values()]
    currents = [current(neq) for neq in branch.values()]
    axes[0].plot(list(branch), gaps, style, fillstyle="none", label=label)
    axes[1].plot(list(branch), currents, style, fillstyle="none")
axes[1].plot([0, 1.15], [0, 1.15 / L], "k:", label="normal wire")
for V in (0.2, 0.8, 1.05):
    axes[2].plot(x[0], abs(uf.gap(up[V]).at(x)), label=rf"$eV = {V}\,\Delta_0$")
axes[0].set(
    xlabel=r"$eV/\Delta_0$",
    ylabel=r"largest $|\Delta|/\Delta_0$",
    title="gap",
    xlim=(0, 1.15),
)
axes[1].set(
    xlabel=r"$eV/\Delta_0$",
    ylabel=r"$eI\xi/\sigma\Delta_0$",
    title="current",
    xlim=(0, 1.15),
)
axes[2].set(
    xlabel=r"$x/\xi$",
    ylabel=r"$|\Delta(x)|/\Delta_0$",
    title="gap along the wire",
    ylim=(0, 1),
)
for panel in axes:
    panel.legend()
Path("output").mkdir(exist_ok=True)
figure.savefig("output/critical_voltage.png", dpi=150)

# %%
# The headlines: gaps and currents of an independent solution, to 1 %, since the gap next to a transparent N contact
# depends on the cut-off; the collapse between 1.05 and 1.1; two stable states at 1, and a normal one that is unstable
# at 0.9.
expected = {
    0.2: (0.91624, 0.068124),
    0.4: (0.90910, 0.135869),
    0.8: (0.86914, 0.267454),
    1.0: (0.80461, 0.325126),
}
for V, (gap, flow) in expected.items():
    print(
        f"V = {V}: gap {largest(up[V]):.5f}, expected {gap}; "
        f"current {current(up[V]):.6f}, expected {flow}"
    )
    # sphinx_gallery_start_ignore
    assert abs(largest(up[V]) / gap - 1) < 0.01 > abs(current(up[V]) / flow - 1)
    # sphinx_gallery_end_ignore
print(
    "small gaps end at", {V: round(float(largest(neq)), 4) for V, neq in down.items()}
)
# sphinx_gallery_start_ignore
assert largest(up[1.05]) > 0.5 > largest(up[1.1]) == largest(down[1.0]) == 0.0
assert abs(current(down[1.0]) * L - 1) < 1e-6
assert (
    abs(largest(down[0.9]) / largest(up[0.9]) - 1)
    < 1e-3
    > abs(largest(down[0.8]) / largest(up[0.8]) - 1)
)
# sphinx_gallery_end_ignore
