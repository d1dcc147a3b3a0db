"""Published devices in laboratory units: nm, cm^2/s, K and ohm in, the printed meV, ohm and ampere out."""

import numpy as np
import pytest
import scipy.constants as c

import usadelfem as uf


@pytest.fixture
def lab():
    with uf.lab() as units:
        yield units


# Nb/Cu/Nb, P. Dubos et al., Phys. Rev. B 63, 064502 (2001), doi:10.1103/PhysRevB.63.064502: critical currents of long
# junctions are e R_N I_c = a E_Th [1 - b exp(-a E_Th/3.2 k_B T)], a = 10.82, b = 1.30. The sizes are not theirs.
LENGTH, D, AREA = 1000.0, 100.0, 300.0 * 50.0  # nm, cm^2/s, nm^2
THOULESS = c.hbar * D * 1e-4 / (LENGTH * 1e-9) ** 2 / c.e  # eV


@pytest.fixture
def long_junction(lab):
    contacts = {side: uf.Reservoir(gap=1e4) for side in ("left", "right")}
    copper = uf.metals["Cu"].film(D=D)
    return uf.Device(uf.interval({"Cu": LENGTH}, size=25.0), {"Cu": copper}, contacts, area=AREA)


def test_a_long_copper_wire_has_the_resistance_of_its_density_of_states(long_junction):
    # 1/rho = 2 e^2 N0 D, N0 of the heat capacity 0.691 mJ/(mol K^2) of 84.5 atoms per nm^3
    n0 = 1.5e-3 * 0.691 * 84.5e27 / c.N_A / (np.pi * c.k) ** 2
    expected = LENGTH * 1e-9 / (2 * c.e**2 * n0 * D * 1e-4 * AREA * 1e-18)
    assert uf.normal_resistance(long_junction, "left", "right") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("temperature", "accuracy"), [(0.2, 1e-3), (1.0, 0.015), (3.0, 0.015)])
def test_a_long_copper_wire_has_the_published_critical_current_in_ampere(long_junction, temperature, accuracy):
    kelvin = temperature * THOULESS * c.e / c.k
    ic = uf.critical_current(long_junction, "right", kelvin, precision=1e-3, cutoff=3e5 * THOULESS)
    voltage = ic.value * uf.normal_resistance(long_junction, "left", "right")
    published = 10.82 * THOULESS * (1 - 1.30 * np.exp(-10.82 / (3.2 * temperature)))
    assert voltage == pytest.approx(published, rel=accuracy)


def test_the_thouless_energy_of_a_device_is_that_of_its_length_and_diffusion(long_junction):
    assert f"{1e3 * THOULESS:.4g}" in str(long_junction.summary(0.1))


# Nb/Ni80Fe20/Nb, C. Bell, R. Loloee, G. Burnell and M. G. Blamire, doi:10.48550/arXiv.cond-mat/0502537: the resistance
# times area is 6.0 +- 0.5 fohm m^2 of the interfaces, together, and 174 +- 50 nohm m times the thickness; 3 nm carry
# (2.4 +- 0.2) 10^9 A/m^2, which is I_c R_N of about 16 uV.
def test_a_permalloy_junction_has_the_published_resistance(lab):
    barrier = uf.Tunnel(conductance=2 / (6.0 * lab.fohm * lab.m**2))
    electrodes = {side: uf.Reservoir(gap=1.4, barrier=barrier) for side in ("left", "right")}
    permalloy = uf.metals["Py"].film(N0=90)  # with the resistivity of the table
    device = uf.Device(uf.interval({"Py": 3.0}), {"Py": permalloy}, electrodes, area=1e6)
    voltage = 2.4e9 * 1e-12 * uf.normal_resistance(device, "left", "right")
    assert voltage == pytest.approx(16e-6, abs=0.5e-6)
