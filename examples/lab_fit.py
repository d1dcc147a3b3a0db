"""
Lab: a fit to measured critical currents
========================================

The temperature dependence of the critical current of a copper bridge between superconducting electrodes gives the
diffusion coefficient of copper and the resistance of the contacts. The model is a function of the parameters;
``uf.fit`` is told how the coefficients of the device grow with them, and has exact derivatives. The data are made here,
with a scatter of one per cent, so that it is known what the fit has to find: 2.2 uOhm cm and 500 S/um^2.
"""

from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import usadelfem as uf

u = uf.lab(current="uA")
temperatures, scatter = np.array([1.5, 3.0, 6.0]), np.random.default_rng(1)


def model(rho, G, temperatures=temperatures):
    cu = uf.metals["Cu"].film(resistivity=rho)
    electrode = uf.Reservoir(gap=1.4, barrier=uf.Tunnel(conductance=G))
    options = {"contacts": {"left": electrode, "right": electrode}, "area": 300 * 50}
    device = uf.geometry.strip(Cu=cu, length=300).device(2.0, **options)
    solve = partial(uf.critical_current, device, "right", differentiable=True)
    return [solve(T).value for T in temperatures]


def rates(rho, G):
    return {("Cu", "D"): -uf.metals["Cu"].film(resistivity=rho).D / rho}


measured = np.array(model(2.2, 500)) * scatter.normal(1, 0.01, 3)
both = {("left", "conductance"): 1.0, ("right", "conductance"): 1.0}
start = {"rho": (3, rates), "G": (300, both)}
found = uf.fit(model, measured, start, errors=0.01 * measured)
print(found)  # uOhm cm and S/um^2

# %%
# Data and fit, in microampere and kelvin.
fine = np.linspace(1.5, 6, 6)
plt.figure(figsize=(5, 3.4), layout="constrained")
plt.semilogy(fine, model(**found.values, temperatures=fine), label="fit")
plt.plot(temperatures, measured, "o", label="data")
plt.gca().set(xlabel="temperature [K]", ylabel="critical current [µA]")
plt.legend()
Path("output").mkdir(exist_ok=True)
plt.savefig("output/lab_fit.png", dpi=150)
