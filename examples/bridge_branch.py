r"""
A superconducting bridge through its fold
=========================================

The current-phase relation of a bridge that is longer than a few coherence lengths, with the same superconductor in the
bridge as in its leads, is not a function: beyond its critical current the branch of solutions turns back at a fold and
goes on, with one unstable direction, through the phase slip at :math:`\varphi = \pi`, whose gap vanishes in the middle.
:func:`usadelfem.branch` follows it by arclength. What a phase slip has to climb over is the energy between the two
parts at one phase.

Energies in units of the gap of the leads, lengths in :math:`\xi = \sqrt{D/\Delta_0}`.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

LENGTH, TEMPERATURE = 6.0, 0.15

mesh = uf.interval({"bridge": LENGTH}, size=0.75)
leads = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0)}
device = uf.Device(mesh, {"bridge": uf.superconductor(Tc=0.567)}, leads)


def turned(phase):
    return device.with_phase("right", phase)


def current(eq):
    return float(uf.charge_current(eq).through("right"))


branch = uf.branch(
    turned, "phase", (2.0, 2 * np.pi), TEMPERATURE, observable=current, step=0.7,
    points=18, unstable=True, frequencies=6,
)  # fmt: skip
fold = branch.folds[0]
middle = [abs(uf.gap(eq).at([[LENGTH / 2]])[0]) for eq in branch.equilibria]
slip = int(np.argmin(middle))  # where the gap nearly vanishes in the middle

# %%
# Stable up to the fold, dashed beyond it.
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
branch.plot(left)
left.axvline(np.pi, color="0.8", zorder=0)
left.set(
    xlabel=r"phase difference $\varphi$",
    ylabel=r"current $I$ [$\sigma\Delta_0/2e\xi$]",
)
x = np.linspace(0, LENGTH, 121)
for number, label in ((0, "start"), (fold, "fold"), (slip, "phase slip")):
    own = f"{label}, {branch.parameters[number]:.2f}"
    right.plot(x, abs(uf.gap(branch.equilibria[number]).at([x])), label=own)
right.set(xlabel=r"$x/\xi$", ylabel=r"gap $|\Delta|/\Delta_0$")
right.legend(loc="lower left", fontsize="small")
Path("output").mkdir(exist_ok=True)
figure.savefig("output/bridge_branch.png", dpi=150)

# %%
# The branch reaches beyond pi, turns back, and has one unstable direction from there on;
# the current of the phase slip vanishes at pi.
currents, phases = branch.values[fold:][::-1], branch.parameters[fold:][::-1]
print(branch, f"largest current {branch.values.max():.4f}")
# sphinx_gallery_start_ignore
assert branch.parameters[fold] > 4.0
assert not branch.unstable[:fold].any()
assert (branch.unstable[fold + 1 :] == 1).all()
assert abs(np.interp(0.0, currents, phases) - np.pi) < 0.02
# sphinx_gallery_end_ignore
