"""
Lab: a fit to measured critical temperatures
============================================

Critical temperatures of Nb/CuNi bilayers give the exchange field of the alloy and the conductance of the interface:
the model is a function of the parameters, ``scipy.optimize.curve_fit`` does the rest. The data are made here, with a
scatter of 20 mK, so that it is known what the fit has to find: 20 meV and 2000 S/um^2.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import curve_fit

import usadelfem as uf

u = uf.lab()
nb = uf.metals["Nb"].film(resistivity=15, Tc=8.6)


def model(thicknesses, exchange, conductance):
    cuni = uf.metals["CuNi"].film(exchange=exchange)
    barrier = {"Nb_CuNi": uf.Tunnel(conductance=conductance)}
    stacks = [uf.geometry.stack({"Nb": (20, nb), "CuNi": (d, cuni)}) for d in thicknesses]
    return [uf.critical_temperature(s.device(5.0, interfaces=barrier)) for s in stacks]


thicknesses = np.array([1.0, 2.0, 4.0, 6.0, 9.0])
measured = model(thicknesses, 20, 2000) + np.random.default_rng(1).normal(0, 0.02, 5)
best, covariance = curve_fit(
    model, thicknesses, measured, p0=[30, 1000], bounds=(0, np.inf), x_scale=[10, 1000]
)
for name, value, error in zip(["exchange [meV]", "conductance [S/um^2]"], best, np.sqrt(np.diag(covariance)), strict=True):
    print(f"{name}: {value:.4g} +- {error:.2g}")

# %%
# The curve of the best parameters through the data.
fine = np.linspace(0.5, 10, 20)
plt.plot(thicknesses, measured, "o", label="data")
plt.plot(fine, model(fine, *best), label="fit")
plt.xlabel("thickness of CuNi [nm]")
plt.ylabel("critical temperature [K]")
plt.legend()
Path("output").mkdir(exist_ok=True)
plt.savefig("output/lab_fit.png", dpi=150)
