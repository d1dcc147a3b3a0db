"""
Rashba coupling: long-ranged triplets and an anomalous phase
============================================================

Intrinsic spin-orbit coupling is an SU(2) gauge field. Where it does not commute with the exchange field it turns the
short-ranged triplets of a ferromagnet into long-ranged ones. Covariant derivatives alone leave a junction without an
anomalous phase; the field strength, which acts as a spin Hall tensor of the order of alpha^2, makes a phi_0 junction
(Bergeret and Tokatly, EPL 110, 57005 (2015)), odd in h and in alpha.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

temperature, output = 0.1, Path("output")
output.mkdir(exist_ok=True)

# %%
# A long ferromagnetic wire, h along z, SU_x = -alpha sigma_y: the triplet along x feels no exchange splitting.
h, x = 20.0, np.linspace(0.005, 3, 600)


def amplitudes(alpha):
    wire = uf.interval({"F": 5.0}, size=0.02)
    device = uf.Device(
        wire,
        {"F": uf.ferromagnet(exchange=(0, 0, h), rashba=alpha)},
        {"left": uf.Reservoir(1.0)},
    )
    return uf.pair_amplitude(
        uf.solve_equilibrium(device, temperature, frequencies=1)
    ).at(x[None])


plain, turned = amplitudes(0.0), amplitudes(0.4)

# %%
# A junction with the field in the plane and across the current; the strength of the Hall tensor is a coefficient.
mesh = uf.rectangle({"F": 1.0}, width=0.5, size=0.1, cell="quad")


def anomalous(alpha, hy, strength=0.15):
    hall = np.zeros((2, 2, 3))
    hall[0, 1, 2], hall[1, 0, 2] = strength * alpha**2, -strength * alpha**2
    metal = uf.ferromagnet(exchange=(0, hy, 0), rashba=alpha, spin_hall_tensor=hall)
    device = uf.Device(
        mesh, {"F": metal}, {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)}
    )
    return float(
        uf.charge_current(
            uf.solve_equilibrium(device, temperature, frequencies=14)
        ).through("right")
    )


alphas = np.linspace(-1, 1, 17)
currents = np.array([anomalous(alpha, 2.0) for alpha in alphas])

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.semilogy(x, abs(turned[0]), label=r"singlet $|f_0|$")
left.semilogy(x, abs(turned[3]), label=r"triplet along $h$, $|f_z|$")
left.semilogy(x, abs(turned[1]), label=r"triplet across $h$, $|f_x|$")
left.semilogy(
    x,
    np.linalg.norm(plain[1:], axis=0),
    "--",
    color="0.6",
    label=r"all triplets, $\alpha = 0$",
)
left.set(
    xlabel=r"$x/\xi$",
    ylabel="pair amplitude",
    ylim=(1e-7, 2),
    title=rf"$h = {h:g}\,\Delta$, $\alpha\xi = 0.4$",
)
left.legend(fontsize=8)
right.plot(alphas, currents, "o-")
right.set(
    xlabel=r"$\alpha\xi$",
    ylabel=r"$I(\varphi = 0)$ [$eN_0D\,\Delta$]",
    title=r"anomalous current, $h_y = 2\,\Delta$",
)
figure.savefig(output / "rashba_junction.png", dpi=150)

# %%
far, rate = x > 1.0, np.sqrt(2 * np.pi * temperature + 4 * 0.4**2)
measured = -np.polyfit(x[far], np.log(abs(turned[1, far])), 1)[0]
print(
    f"decay rate of f_x {measured:.3f}, sqrt(2 w + 4 alpha^2) "
    f"= {rate:.3f}; I(0) = {currents[-1]:.5f} at alpha = 1"
)
# sphinx_gallery_start_ignore
assert abs(measured / rate - 1) < 0.05
assert np.linalg.norm(plain[1:, 400]) < 1e-2 * abs(turned[1, 400])
assert abs(anomalous(0.8, 2.0, strength=0.0)) < 1e-9 > abs(anomalous(0.8, 0.0))
assert abs(currents[-1]) > 0.01
assert np.abs(currents + currents[::-1]).max() < 1e-9
assert abs(anomalous(1.0, -2.0) + currents[-1]) < 1e-9
# sphinx_gallery_end_ignore
