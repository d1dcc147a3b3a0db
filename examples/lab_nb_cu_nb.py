"""
Lab: the critical current of an Nb/Cu/Nb junction in microampere
================================================================

From two resistivities, a critical temperature and the sizes of the junction to the current that a voltmeter would see
break through, as a function of temperature. Nothing is fitted. The gap of niobium is found self-consistently, so that
copper weakens it.
"""

from pathlib import Path

import usadelfem as uf

# %%
# Units, metals and shape. Niobium is sputtered, 15 uOhm cm; copper evaporated, 2.2 uOhm cm.
u = uf.lab(current="uA")  # nm, meV, K, Ohm, and currents in microampere
nb = uf.metals["Nb"].film(resistivity=15, Tc=9.0)
cu = uf.metals["Cu"].film(resistivity=2.2)
junction = uf.geometry.junction(S=nb, Cu=cu, length=300, pad=60)
section = 300 * u.nm * (50 * u.nm)
print(junction.device(temperature=2.0, area=section).summary())


# %%
# One critical current takes a handful of self-consistent solutions.
def critical(temperature):
    device = junction.device(temperature=temperature, area=section)
    return uf.critical_current(device, "right", precision=1e-3).value


result = uf.sweep(critical, {"temperature": [1.5, 3.0, 4.5, 6.0]})

# %%
# Far above the Thouless energy (84 ueV, 1 K) the current falls as the pairs decay in copper, over
# sqrt(hbar D/2 pi k_B T).
ax = result.plot(units={"temperature": "K"})
ax.set(ylabel="critical current [µA]", yscale="log")
Path("output").mkdir(exist_ok=True)
ax.figure.savefig("output/lab_nb_cu_nb.png", dpi=150)
