"""
Lab: a fit to measured critical currents
========================================

The temperature dependence of the critical current of a copper bridge between superconducting electrodes gives the
diffusion coefficient of copper and the resistance of the contacts: the model is a function of the parameters, and
``scipy.optimize.curve_fit`` does the rest. The data are made here, with a scatter of one per cent, so that it is known
what the fit has to find: 2.2 uOhm cm and 500 S/um^2.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import curve_fit

import usadelfem as uf

u = uf.lab(current="uA")


def model(temperatures, resistivity, conductance):
    cu = uf.metals["Cu"].film(resistivity=resistivity)
    electrode = uf.Reservoir(gap=1.4, barrier=uf.Tunnel(conductance=conductance))
    options = {"contacts": {"left": electrode, "right": electrode}, "area": 300 * 50}
    device = uf.geometry.strip(Cu=cu, length=300).device(2.0, **options)
    return [uf.critical_current(device, "right", T).value for T in temperatures]


temperatures, scatter = np.array([1.5, 3.0, 6.0]), np.random.default_rng(1)
measured = model(temperatures, 2.2, 500) * scatter.normal(1, 0.01, 3)
start, errors = (
    {"p0": [3, 300], "bounds": (0, np.inf), "x_scale": [1, 100]},
    0.01 * measured,
)
best, covariance = curve_fit(model, temperatures, measured, sigma=errors, **start)
print(best, np.sqrt(np.diag(covariance)))  # uOhm cm and S/um^2

# %%
# Data and fit, in microampere and kelvin.
fine = np.linspace(1.5, 6, 6)
plt.figure(figsize=(5, 3.4), layout="constrained")
plt.semilogy(fine, model(fine, *best), label="fit")
plt.plot(temperatures, measured, "o", label="data")
plt.gca().set(xlabel="temperature [K]", ylabel="critical current [µA]")
plt.legend()
Path("output").mkdir(exist_ok=True)
plt.savefig("output/lab_fit.png", dpi=150)
