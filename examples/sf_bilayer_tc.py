"""
Critical temperature of an S/F bilayer
======================================

Pair amplitudes oscillate in a ferromagnet. The critical temperature of a superconductor on a ferromagnet therefore
does not fall monotonically with the thickness of the ferromagnet: it has a minimum, and for some parameters
superconductivity vanishes and comes back (Fominov, Chtchelkatchev, Golubov, Phys. Rev. B 66, 014507 (2002)).
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Lengths in sqrt(D/Tc), energies in Tc. The critical temperature is where the lowest eigenvalue of the gap equation,
# linearised at the normal state, passes zero. At a transparent contact the gap jumps, so the sum over frequencies ends
# at a cut-off, here 60 Tc.
Nb = uf.superconductor(Tc=1.0)
NiCu = uf.ferromagnet(exchange=(0, 0, 12.0))
decay_length = np.sqrt(1.0 / 12.0)


def bilayer(d_F, d_S=1.0, interface=None):
    mesh = uf.interval({"S": d_S, "F": d_F}, size={"S": 0.1, "F": min(0.06, d_F / 2)})
    return uf.Device(
        mesh, {"S": Nb, "F": NiCu}, interfaces={"S_F": interface or uf.Transparent()}
    )


thickness = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 1.0, 1.4])
families = {
    "transparent, $d_S = 1.5$": lambda d: bilayer(d, 1.5),
    "tunnel barrier, $d_S = 1$": lambda d: bilayer(d, 1.0, uf.Tunnel(conductance=6.0)),
    "transparent, $d_S = 1.03$": lambda d: bilayer(d, 1.03),
}
curves = {
    name: uf.study.phase_diagram(make, thickness, cutoff=60.0, precision=1e-4)
    for name, make in families.items()
}

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
for name, curve in curves.items():
    shown = np.where(
        curve > 0, curve, np.nan
    )  # a line ends where there is no superconductivity
    (line,) = axes.plot(thickness / decay_length, shown, "o-", ms=4, label=name)
    axes.plot(
        thickness[curve == 0] / decay_length,
        curve[curve == 0],
        "o",
        ms=5,
        mfc="w",
        clip_on=False,
        color=line.get_color(),
    )
axes.set(
    xlabel=r"thickness of the ferromagnet $d_F/\xi_F$",
    ylabel=r"$T_c/T_{c0}$",
    ylim=(0, 1),
)
axes.set_title(
    r"S/F bilayer, $h = 12\,T_c$, $\xi_F = \sqrt{D/h}$, lengths in $\sqrt{D/T_c}$",
    fontsize=10,
)
axes.legend()
Path("output").mkdir(exist_ok=True)
figure.savefig("output/sf_bilayer_tc.png", dpi=150)

# %%
# The minimum lies near one decay length; in transparent contact the thinner superconductor is
# normal in a window of thicknesses.
for name, curve in curves.items():
    lowest = int(curve.argmin())
    print(
        f"{name}: Tc from {curve[0]:.3f} through {curve[lowest]:.3f} "
        f"at {thickness[lowest]:.2f} to {curve[-1]:.3f}"
    )
    # sphinx_gallery_start_ignore
    assert 0 < lowest < len(thickness) - 1
    assert curve[-1] > curve[lowest] + 1e-3
assert curves["transparent, $d_S = 1.03$"].min() == 0.0
# sphinx_gallery_end_ignore
