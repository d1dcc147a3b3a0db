"""
A nonlocal spin valve on a spin-split superconductor
====================================================

Spins are injected into a wire and detected away from the injector. In the normal state they relax, and a transverse
field turns them (Hanle effect). In a superconductor with an exchange field, spin and energy go together: quasiparticles
that are injected or heated carry a spin that neither spin-orbit nor magnetic scattering relaxes, far along the wire.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Energies in units of the gap, lengths in sqrt(D/gap). A wire between an injector and a drain; its spins relax over
# sqrt(D tau_sf) = 2 in the normal state.
L, tau = 16.0, 4.0
mesh = uf.interval({"wire": L}, size=0.25)
x = np.linspace(0, L, 161)[None]


def solve(material, T, **injector):
    contacts = {"left": uf.Reservoir(gap=0, **injector), "right": uf.Reservoir(gap=0)}
    device = uf.Device(mesh, {"wire": material}, contacts)
    return uf.solve_nonequilibrium(
        device, temperature=T, broadening=1e-2, tolerance=1e-3
    )


# %%
# Normal state: spins along z, and a field along x about which they turn on the way. The closed form is
# sinh k(L - x)/sinh kL with k^2 = (1/tau_sf + 2ih)/D.
def hanle(h):
    metal = uf.normal_metal(tau_sf=tau, exchange=(h, 0, 0))
    spin = uf.spin_density(solve(metal, 0.1, spin_bias=(0, 0, 0.1)))
    return spin.at([[4.0]])[2, 0] / spin.at([[0.0]])[2, 0]


fields, fine = np.linspace(-1.5, 1.5, 13), np.linspace(-1.5, 1.5, 301)
solved = np.array([hanle(h) for h in fields])


def closed(h):
    k = np.sqrt(1 / tau + 2j * h)
    return (np.sinh(k * (L - 4.0)) / np.sinh(k * L)).real


# %%
# Superconducting: the injector has a voltage or is hot, and no spin. One solve holds all voltages and temperatures. The
# gap is given, so the condensate takes the charge that is injected, of which the solver warns; spins do not care.
def split(h):
    return solve(
        uf.superconductor(gap=1.0, exchange=(0, 0, h), tau_sf=tau), 0.1, voltage=2.0
    )


def signal(neq, place, voltage, temperature=0.1):
    biased = neq.with_bias({"left": {"voltage": voltage, "temperature": temperature}})
    return (
        uf.spin_density(biased).at(place) - uf.spin_density(neq.equilibrium).at(place)
    )[2]


voltages, states = np.linspace(0, 2, 21), {h: split(h) for h in (0.2, 0.4)}
along = {
    "voltage $1.5$": signal(states[0.4], x, 1.5),
    "heat, $T = 0.25$": signal(states[0.4], x, 0.0, 0.25),
}

figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
axes[0].plot(fields, solved, "o", label="solved")
axes[0].plot(fine, closed(fine), "k:", label="closed form")
axes[0].set(
    xlabel=r"transverse field $h_x/\Delta$",
    ylabel="$S_z(4)/S_z(0)$",
    title="normal: Hanle effect",
)
for label, values in along.items():
    axes[1].plot(x[0], values / values[20], label=label)
axes[1].plot(
    x[0], np.exp((2 - x[0]) / np.sqrt(tau)), "k:", label="normal, spin injected"
)
axes[1].set(
    xlabel=r"$x/\xi$",
    ylabel=r"$\delta S_z(x)/\delta S_z(2)$",
    title=r"spin-split, $h = 0.4\,\Delta$",
)
axes[1].set(xlim=(2, L), ylim=(0, 1.1))
for h, neq in states.items():
    axes[2].plot(
        voltages,
        [signal(neq, [[8.0]], V)[0] for V in voltages],
        "o-",
        ms=3,
        label=rf"$h = {h}\,\Delta$",
    )
axes[2].set(
    xlabel=r"$eV/\Delta$ of the injector",
    ylabel=r"$\delta S_z(8)$ [$\hbar N_0\Delta/2$]",
    title="by voltage",
)
for panel in axes:
    panel.legend()
Path("output").mkdir(exist_ok=True)
figure.savefig("output/spin_valve_nonlocal.png", dpi=150)

# %%
# The headlines: the Hanle curve, and a spin signal that falls linearly to the drain, as heat does, not exponentially.
error, ratio = (
    abs(solved - closed(fields)).max(),
    along["voltage $1.5$"][120] / along["voltage $1.5$"][80],
)
print(
    f"Hanle: largest deviation {error:.1e}; spin at 12 "
    f"over spin at 8: {ratio:.3f}, normal {np.exp(-2):.3f}"
)
# sphinx_gallery_start_ignore
assert error < 1e-4
assert abs(ratio - 0.5) < 0.05
# sphinx_gallery_end_ignore
