"""
A texture designed for its long-range current
=============================================

In a strong ferromagnet the supercurrent dies out within sqrt(D/h), unless the exchange field turns: triplets with equal
spins reach through it. Which texture carries most? The turning rate of the field in each of 240 cells is a parameter,
bounded by what a magnet can do. One solution and its sensitivity give the current and all 240 derivatives, and L-BFGS
of SciPy does the rest: the field turns at both ends, where triplets are made, and stays uniform in between.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import usadelfem as uf

# %%
# Lengths in sqrt(D/gap), energies in the gap. The field stays in the plane (y, z), at the angles of the vertices.
length, cells, h, temperature, fastest = 2.0, 240, 20.0, 0.2, 3.0
mesh = uf.interval({"F": length}, size=length / cells)
contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, phase=np.pi / 2)}
step = length / cells


def angles(rates):
    return np.append(0.0, np.cumsum(rates) * step)


def solve(angle):
    exchange = h * np.array([0 * angle, np.sin(angle), np.cos(angle)])
    device = uf.Device(mesh, {"F": uf.ferromagnet(exchange=exchange)}, contacts)
    return uf.solve_equilibrium(device, temperature, order=1, frequencies=6)


def objective(rates):
    """Minus the logarithm of the current, and its derivatives with the rates."""
    angle = angles(rates)
    eq = solve(angle)
    value = -np.log(uf.charge_current(eq).through("right"))
    _, y, z = uf.sensitivity(value).nodal("F", "exchange")
    of_angles = h * (y * np.cos(angle) - z * np.sin(angle))
    return value, np.cumsum(of_angles[::-1])[::-1][1:] * step


# %%
# The start is a spiral that makes a quarter of a turn.
start = np.full(cells, np.pi / 2 / length)
options = {"bounds": [(-fastest, fastest)] * cells, "options": {"maxiter": 12}}
best = minimize(objective, start, jac=True, method="L-BFGS-B", **options)
first, last, uniform = (
    float(uf.charge_current(solve(angles(rates))).through("right"))
    for rates in (start, best.x, 0 * start)
)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for rates, label in ((start, "start"), (best.x, "designed")):
    left.plot(mesh.p[0], angles(rates) / np.pi, label=label)
    right.stairs(rates, mesh.p[0], baseline=None, label=label)
left.set(xlabel=r"$x/\xi$", ylabel=r"angle of the field [$\pi$]")
right.set(xlabel=r"$x/\xi$", ylabel=r"turning rate [$1/\xi$]")
left.set_title(f"current {first:.3f} at the start, {last:.3f} designed")
left.legend()
Path("output").mkdir(exist_ok=True)
figure.savefig("output/inverse_design.png", dpi=150)

# %%
# The headline: how many times more current.
print(
    f"current {first:.4f} -> {last:.4f}: {last / first:.1f} times, {best.nfev} solves"
)
# sphinx_gallery_start_ignore
assert last > 5 * first > 50 * abs(uniform)
# sphinx_gallery_end_ignore
