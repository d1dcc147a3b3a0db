"""
A spin-filter thermoelectric element
====================================

A superconductor in an exchange field has different densities of states for the two spins, each without the symmetry of
electrons and holes. A spin filter between it and a normal metal lets one of them through, and a difference of
temperatures drives a current, with a thermopower of some k_B/e (Ozaeta et al., Phys. Rev. Lett. 112, 057001 (2014)).
The thermovoltage grows up to the exchange field.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Energies in units of the gap. The metal is as hot as its reservoir, since all resistance is in the filter.
h, mesh = 0.3, uf.interval({"N": 0.2}, size=0.2)


def element(P):
    spin_filter = uf.SpinActive(
        conductance=1e-4, polarization=P, magnetization=(0, 0, 1)
    )
    superconductor = uf.Reservoir(gap=1.0, exchange=(0, 0, h), barrier=spin_filter)
    device = uf.Device(
        mesh,
        {"N": uf.normal_metal()},
        {"left": uf.Reservoir(gap=0), "right": superconductor},
    )
    neq = uf.solve_nonequilibrium(
        device, temperature=0.2, energy_range=(0, 6), broadening=1e-4, tolerance=3e-4
    )
    return neq, uf.normal_resistance(device, "left", "right")


def coefficients(neq, resistance, T):
    """G, alpha, G_th T times R_N: I = G V + alpha dT/T, heat = alpha V + G_th dT."""
    step = 1e-3 * T

    def flows(**change):
        biased = neq.with_bias(
            {"left": {"temperature": T} | change, "right": {"temperature": T}}
        )
        return np.array(
            [
                uf.charge_current(biased).through("right"),
                uf.heat_current(biased).through("right"),
            ]
        )

    (G, alpha), (_, heat) = (
        flows(voltage=step) / step,
        flows(temperature=T + step) / step,
    )
    return np.array([G, alpha, T * heat]) * resistance


def merit(G, alpha, heat):
    return alpha**2 / (G * heat - alpha**2)


# %%
# Currents at all voltages and temperatures follow from one solve for each filter. The thermovoltage is that of a
# contact whose voltage floats.
elements = {P: element(P) for P in (0.5, 0.9, 1.0)}
temperatures, hot = np.linspace(0.08, 0.3, 5), np.linspace(0.1, 0.35, 6)
figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
bulk = uf.Device(mesh, {"N": uf.superconductor(gap=1.0, exchange=(0, 0, h))})
spec = uf.solve_spectrum(bulk, np.linspace(-2.5, 2.5, 251), broadening=0.02)
for spin, label in ((1, "along the field"), (-1, "against it")):
    axes[0].plot(
        spec.energies,
        uf.density_of_states(spec, spin=(0, 0, spin)).at([[0.1]])[:, 0],
        label=label,
    )
axes[0].set(
    xlabel=r"$E/\Delta$",
    ylabel="$N/N_0$",
    title=rf"spins in the superconductor, $h = {h}\,\Delta$",
)
for P, (neq, resistance) in elements.items():
    figures_of_merit = [merit(*coefficients(neq, resistance, T)) for T in temperatures]
    cold = neq.with_bias(
        {"right": {"temperature": 0.1}, "left": {"voltage": uf.FLOATING}}
    )
    voltages = [
        cold.with_bias({"left": {"temperature": T}}).voltages["left"] for T in hot
    ]
    axes[1].plot(hot, voltages, "o-", label=f"$P = {P}$")
    axes[2].plot(temperatures, figures_of_merit, "o-", label=f"$P = {P}$")
axes[1].set(
    xlabel=r"$T_N/\Delta$",
    ylabel=r"$eV/\Delta$",
    title=r"thermovoltage, $T_S = 0.1\,\Delta$",
)
axes[2].set(xlabel=r"$T/\Delta$", ylabel="$ZT$", title="figure of merit", yscale="log")
for panel in axes:
    panel.legend()
axes[0].legend(loc="upper center", ncols=2)
axes[0].set_ylim(top=2.4)
Path("output").mkdir(exist_ok=True)
figure.savefig("output/spin_filter_thermoelectric.png", dpi=150)

# %%
# The headline: the integrals over the densities of states of Ozaeta et al. at T = 0.2, h = 0.3, P = 1.
G, alpha, heat = coefficients(*elements[1.0], 0.2)
ZT = merit(G, alpha, heat)
print(
    f"G {G:.6f}, alpha {alpha:.6f}, G_th T {heat:.6f}: "
    f"S = {alpha / G / 0.2:.4f} k_B/e, ZT = {ZT:.4f}"
)
for found, expected in (
    (G, 0.09152325),
    (alpha, 0.06456203),
    (heat, 0.06910326),
    (ZT, 1.933059),
):
    # sphinx_gallery_start_ignore
    assert abs(found / expected - 1) < 1e-2
    # sphinx_gallery_end_ignore
