"""
A triplet spin valve
====================

A superconductor on two ferromagnets whose magnetisations make an angle. Long-ranged triplets that arise between them
drain pairs from the superconductor, so that its critical temperature is lowest not for parallel or antiparallel
magnetisations but at an angle in between (Fominov et al., JETP Lett. 91, 308 (2010)).
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Lengths in sqrt(D/Tc), energies in Tc. F1 touches the superconductor and is thin; F2 is thick.
Nb, h = uf.superconductor(Tc=1.0), 30.0
mesh = uf.interval(
    {"S": 1.2, "F1": 0.1, "F2": 1.5}, size={"S": 0.1, "F1": 0.02, "F2": 0.06}
)


def valve(angle):
    F1 = uf.ferromagnet(exchange=(0, 0, h))
    F2 = uf.ferromagnet(exchange=(h * np.sin(angle), 0, h * np.cos(angle)))
    return uf.Device(mesh, {"S": Nb, "F1": F1, "F2": F2})


angles = np.linspace(0, np.pi, 9)
Tc = uf.study.phase_diagram(valve, angles, cutoff=60.0, precision=1e-4)

# %%
# Triplet amplitudes below Tc, along and across the field of F1, with the valve at a right angle.
eq = uf.solve_equilibrium(valve(np.pi / 2), 0.15, cutoff=60.0)
x = np.linspace(0, 2.8, 300)
f0, fx, fy, fz = abs(uf.pair_amplitude(eq).at(x[None]))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
left.plot(np.degrees(angles), Tc, "o-")
left.set(
    xlabel="angle between the magnetisations [degrees]",
    ylabel=r"$T_c/T_{c0}$",
    title="triplet spin valve",
)
for values, label in (
    (f0, "$f_0$ singlet"),
    (fz, r"$f_z \parallel h_1$"),
    (fx, r"$f_x \parallel h_2$"),
):
    right.semilogy(x, values, label=label)
for border in (1.2, 1.3):
    right.axvline(border, color="0.7", lw=0.8)
right.set(
    xlabel=r"$x$ [$\sqrt{D/T_c}$]",
    ylabel=r"$|f|$ at the lowest frequency",
    ylim=(1e-5, 2),
    title="90 degrees",
)
right.legend()
Path("output").mkdir(exist_ok=True)
figure.savefig("output/spin_valve.png", dpi=150)

# %%
# In F2 the component across its field, fz, outlives the singlet and the component along it.
deep = x > 2.3
lowest = int(Tc.argmin())
angle = np.degrees(angles[lowest])
print(
    f"Tc: parallel {Tc[0]:.4f}, antiparallel {Tc[-1]:.4f}, "
    f"lowest {Tc[lowest]:.4f} at {angle:.0f} degrees"
)
# sphinx_gallery_start_ignore
assert 0 < lowest < len(angles) - 1
assert Tc[lowest] < min(Tc[0], Tc[-1]) - 1e-3
assert fz[deep].min() > 10 * max(f0[deep].max(), fx[deep].max())
# sphinx_gallery_end_ignore
