"""
Spin Hall effect in a Pt/Ta bar
===============================

The normal state. A charge current runs through a bar of platinum and tantalum, whose spin Hall angles have opposite
signs: spins accumulate at the edges, over the spin diffusion length, with opposite signs in the two metals. The inverse
effect turns a spin current fed in at the end into a transverse voltage.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

# %%
# Lengths in nm, potentials in mV. Numbers of the order of those measured; lambda_s = sqrt(D tau_so).
width, theta, lambda_s = 10.0, {"Pt": 0.1, "Ta": -0.15}, {"Pt": 1.5, "Ta": 1.8}
mesh = uf.rectangle({"Pt": 30.0, "Ta": 30.0}, width=width, size=0.5)
D = {"Pt": 1.0, "Ta": 0.4}


def bar(contacts, scale=1.0):
    materials = {
        name: uf.normal_metal(
            D=D[name], theta=scale * theta[name], tau_so=lambda_s[name] ** 2 / D[name]
        )
        for name in D
    }
    return uf.solve_normal_state(uf.Device(mesh, materials, contacts))


total = 2.0
ns = bar(
    {
        "left": uf.CurrentContact(current=total),
        "right": uf.CurrentContact(current=-total),
    }
)
spin, current, mu = uf.spin_accumulation(ns), uf.charge_current(ns), uf.potential(ns)

figure, (top, bottom) = plt.subplots(2, 1, figsize=(7.5, 5), layout="constrained")
limit = abs(spin.nodal[2]).max()
image = top.tripcolor(
    *mesh.p,
    mesh.t.T,
    spin.nodal[2],
    shading="gouraud",
    cmap="RdBu",
    vmin=-limit,
    vmax=limit,
)
figure.colorbar(image, ax=top, label=r"$s_z$ [mV]")
top.set(
    xlabel="x [nm]",
    ylabel="y [nm]",
    aspect="equal",
    title="Pt (left) and Ta (right), current along x",
)
y, edges = np.linspace(0, width, 101), {}
for name, x in (("Pt", 15.0), ("Ta", 45.0)):
    values, size = spin.at([np.full_like(y, x), y])[2], lambda_s[name]
    field = total / (2 * D[name] * width)  # E = j / sigma
    expected = (
        theta[name]
        * field
        * size
        * np.sinh((y - width / 2) / size)
        / np.cosh(width / 2 / size)
    )
    edges[name] = values[-1], expected[-1]
    bottom.plot(y, values, label=name)
    bottom.plot(
        y,
        expected,
        "k:",
        label=r"$\theta E\lambda_s\sinh/\cosh$" if name == "Pt" else None,
    )
bottom.set(xlabel="y [nm]", ylabel=r"$s_z$ [mV]")
bottom.legend()
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "hall_bar.png", dpi=150)
uf.write_vtk(output / "hall_bar.vtu", spin, current, uf.spin_current(ns), mu)

# %%
# The headlines: the edge value theta E lambda_s tanh(W/2 lambda_s) to order theta^2, and the voltage of a spin current.
injected = bar({"left": uf.CurrentContact(spin_current=(0, 0, 1.0))})
mu, s = uf.potential(injected), uf.spin_accumulation(injected)
voltage = mu.at([[1.0], [width]]) - mu.at([[1.0], [0.0]])
print(
    f"edge accumulation (solved, closed form): {edges}; "
    f"transverse voltage of a spin current {voltage[0]:.4f} mV"
)
for solved, closed in edges.values():
    # sphinx_gallery_start_ignore
    assert abs(solved / closed - 1) < 0.05
assert edges["Ta"][0] < 0 < edges["Pt"][0]
assert abs(current.through("right") - total) < 1e-9
assert voltage[0] > 1e-3
# sphinx_gallery_end_ignore
