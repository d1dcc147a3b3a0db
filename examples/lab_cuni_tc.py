"""
Lab: the critical temperature of Nb/CuNi in kelvin
==================================================

How much a ferromagnet of up to twelve nanometres suppresses superconductivity of a niobium film of 20 nm. Singlet
pairs oscillate in the exchange field, so the critical temperature has a minimum where pairs that come back from the
free surface interfere most destructively.
"""

from pathlib import Path

import usadelfem as uf

# %%
# The copper-nickel is Cu47Ni53 of the table, with the exchange field and the diffusion coefficient that Oboznov and
# others found (Phys. Rev. Lett. 96, 197003). The interface between it and niobium has a resistance, here 0.2 mOhm um^2.
u = uf.lab()
nb = uf.metals["Nb"].film(resistivity=15, Tc=8.6)
cuni = uf.metals["CuNi"].film()
barrier = {"Nb_CuNi": uf.Tunnel(conductance=1 / (0.2 * u.mohm * u.um**2))}


def critical_temperature(thickness):
    layers = {"Nb": (20.0, nb), "CuNi": (thickness, cuni)}
    device = uf.geometry.stack(layers).device(temperature=5.0, interfaces=barrier)
    return uf.critical_temperature(device, precision=1e-3, frequencies=8)


# %%
# The limit of a very thin ferromagnet is that of niobium alone, 8.6 K.
thicknesses = [0.3, 1.0, 2.0, 3.0, 5.0, 12.0]
result = uf.sweep(critical_temperature, {"thickness": thicknesses})
ax = result.plot(units={"thickness": "nm"})
ax.set(ylabel="critical temperature [K]", xlabel="thickness of CuNi [nm]")
Path("output").mkdir(exist_ok=True)
ax.figure.savefig("output/lab_cuni_tc.png", dpi=150)
