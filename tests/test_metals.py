"""Published numbers of metals: every one has a source, and independent ones agree; films follow from them."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pint
import pytest
from scipy import constants

from usadelfem.device.material import Material
from usadelfem.errors import DeviceError, UnknownMetalError
from usadelfem.metals.film import film_values
from usadelfem.metals.table import metals

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "guide" / "metals.md"
NUMBERS = [pytest.param(own, name, id=f"{own.name}-{name}") for own in metals.values() for name in own.data]
UNITS = pint.get_application_registry()
DIMENSIONS = {
    "Tc": "K", "gap": "meV", "sommerfeld": "mJ/(mol*K**2)", "atoms": "1/nm**3", "N0": "1/(eV*nm**3)", "D": "cm**2/s",
    "resistivity": "uohm*cm", "rho_l": "fohm*m**2", "fermi_velocity": "m/s", "exchange": "meV",
    "spin_diffusion_length": "nm", "rho_spin_diffusion_length": "fohm*m**2", "spin_hall_angle": "dimensionless",
    "spin_hall_conductivity": "S/m", "spin_flip_rate": "meV", "decay_length": "nm", "oscillation_length": "nm",
    "Curie_temperature": "K", "internal_field": "T", "interface_spin": "hbar", "Tc_parallel": "K",
    "Tc_antiparallel": "K", "spin_mixing_conductance": "1/m**2",
}  # fmt: skip


def values(name, **given):
    """Plain numbers of a film by coefficient."""
    own = metals[name]
    return {key: found for key, (found, _) in film_values(own.name, own.kind, own.data, given).items()}


def si(datum):
    return UNITS.Quantity(datum.value, datum.unit).to_base_units().magnitude


def isbn_is_valid(text):
    digits = [int(one) for one in text.replace("-", "")]
    return len(digits) == 13 and sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10 == 0


@pytest.mark.parametrize(("metal", "name"), NUMBERS)
def test_every_number_has_a_source(metal, name):
    datum = metal.data[name]
    assert datum.sources
    assert all(re.fullmatch(r"10\.\d{4,5}/\S+", one) for one in datum.doi)
    assert all(map(isbn_is_valid, datum.isbn))
    assert datum.note


@pytest.mark.parametrize(("metal", "name"), NUMBERS)
def test_every_unit_is_of_the_dimension_of_the_quantity(metal, name):
    own = UNITS.Quantity(1.0, metal.data[name].unit)
    assert own.dimensionality == UNITS.Quantity(1.0, DIMENSIONS[name]).dimensionality


@pytest.mark.parametrize(("metal", "name"), NUMBERS)
def test_every_number_lies_in_its_range(metal, name):
    datum = metal.data[name]
    if datum.low is not None:
        assert datum.low <= datum.value <= datum.high
    assert (datum.low is None) == (datum.high is None)


def test_the_metals_of_superconducting_spintronics_are_there():
    wanted = "Nb Al NbN Pb V Ta Cu Au Ag Pt W Co Ni Fe Py CuNi PdNi Gd EuS GdN YIG"
    assert set(wanted.split()) == set(metals)


# Electron-phonon coupling 1 + lambda: of superconductors McMillan, doi:10.1103/PhysRev.167.331; small in noble metals.
@pytest.mark.parametrize(("name", "enhancement"), [("Cu", 1.0), ("Ag", 1.0), ("Au", 1.0), ("Al", 1.38), ("W", 1.28)])
def test_heat_capacities_agree_with_computed_fermi_surfaces(name, enhancement):
    metal = metals[name]
    bare = 3 / (2 * constants.e**2 * si(metal.fermi_velocity) * si(metal.rho_l))  # 1/(rho l) = 2 e^2 N0 v_F/3
    assert si(metal.N0) / bare == pytest.approx(enhancement, rel=0.16)


@pytest.mark.parametrize("name", ["Nb", "Pb", "V"])
def test_gaps_and_critical_temperatures_are_those_of_s_wave_superconductors(name):
    metal = metals[name]
    assert 1.7 < metal.gap.value / (constants.k / constants.e * 1e3 * metal.Tc.value) < 2.3


def test_copper_nickel_decays_and_oscillates_as_its_exchange_field_and_spin_flips_say():
    metal = metals["CuNi"]
    h, rate = metal.exchange.value, metal.spin_flip_rate.value
    diffusion = constants.hbar / constants.e * 1e3 * metal.D.value * 1e14  # hbar D in meV nm^2
    decay, oscillation = (np.sqrt(diffusion / (np.hypot(h, rate) + sign * rate)) for sign in (1, -1))
    assert decay == pytest.approx(metal.decay_length.value, rel=0.05)
    assert oscillation == pytest.approx(metal.oscillation_length.value, rel=0.05)


def test_the_shortest_spin_diffusion_length_of_platinum_is_that_of_resistive_films():
    metal = metals["Pt"]
    assert 10 < metal.rho_spin_diffusion_length.value * 1e2 / metal.spin_diffusion_length.low < 100  # uohm cm


def test_the_upper_critical_field_of_dirty_niobium_is_that_of_its_heat_capacity():
    # -dBc2/dT = 4480 rho gamma in SI, gamma per volume: Orlando et al., doi:10.1103/PhysRevB.19.4545
    film = values("Nb", resistivity=15)
    slope = 4 * constants.k / (np.pi * constants.e * film["D"] * 1e-4)
    gamma = 7.79e-3 * 5.56e28 / constants.N_A
    assert slope == pytest.approx(4480 * 15e-8 * gamma, rel=0.01)


def test_the_coherence_length_of_niobium_films_is_six_nanometres():
    # sqrt(hbar D/2 pi k_B Tc) of films of 15 uohm cm
    film = values("Nb", resistivity=15, Tc=9.0)
    length = np.sqrt(constants.hbar * film["D"] * 1e-4 / (2 * np.pi * constants.k * film["Tc"]))
    assert length == pytest.approx(6e-9, rel=0.15)


def test_the_diffusion_coefficient_follows_from_the_resistivity():
    film = values("Nb", resistivity=15)
    gamma = 7.79e-3 * 5.56e28 / constants.N_A  # J/(m^3 K^2)
    n0 = 3 * gamma / (2 * np.pi**2 * constants.k**2)
    assert film["D"] * 1e-4 == pytest.approx(1 / (2 * constants.e**2 * n0 * 15e-8))
    assert film["N0"] * 1e27 / constants.e == pytest.approx(n0)


@pytest.mark.parametrize("given", [{"resistivity": 62.0}, {"D": 5.2, "resistivity": 62.0}, {"N0": 10.0, "D": 5.2}])
def test_two_of_resistivity_diffusion_and_density_of_states_give_the_third(given):
    film = values("CuNi", **given)
    rho = 1 / (2 * constants.e * film["N0"] * 1e27 * film["D"] * 1e-4) * 1e8
    known = {"resistivity": rho, "D": film["D"], "N0": film["N0"]}
    assert {key: known[key] for key in given} == pytest.approx(given)


@pytest.mark.parametrize("name", ["Cu", "Ag", "Au"])
def test_a_mean_free_path_means_a_third_of_the_fermi_velocity_times_it(name):
    expected = metals[name].fermi_velocity.value * 20e-9 / 3 * 1e4
    assert values(name, mean_free_path=20)["D"] == pytest.approx(expected, rel=0.1)


def test_a_spin_diffusion_length_becomes_a_spin_orbit_time():
    film = values("Pt", resistivity=20, spin_diffusion_length=5)
    assert np.sqrt(film["D"] * 1e14 * film["tau_so"] * 1e-12) == pytest.approx(5)


def test_the_spin_diffusion_length_of_platinum_follows_from_its_resistivity():
    film = values("Pt", resistivity=20, spin_diffusion_length=True)
    assert np.sqrt(film["D"] * 1e14 * film["tau_so"] * 1e-12) == pytest.approx(3.85)


def test_spin_relaxation_and_spin_hall_effect_come_only_when_asked_for():
    assert set(values("Pt", resistivity=20)) == {"D", "N0"}
    assert values("Pt", resistivity=20, spin_hall_angle=True)["theta"] == metals["Pt"].spin_hall_angle.value


def test_a_given_gap_is_that_of_bardeen_cooper_and_schrieffer():
    assert values("Nb", resistivity=15, Tc=9.0, gap=True)["gap"] == pytest.approx(1.764 * 9.0 * 0.0861733, rel=1e-5)
    assert values("Nb", resistivity=15, gap=1.4)["gap"] == 1.4


def test_an_exchange_field_is_along_z_unless_it_has_a_direction():
    assert values("CuNi")["exchange"] == pytest.approx([0, 0, 73.2])
    assert values("Ni", resistivity=5, exchange=(80, 0, 0))["exchange"] == pytest.approx([80, 0, 0])


def test_quantities_are_converted():
    film = values("Nb", resistivity=UNITS.Quantity(150, "nohm*m"), Tc=UNITS.Quantity(9000, "mK"))
    assert film == pytest.approx(values("Nb", resistivity=15, Tc=9))
    vector = values("Ni", resistivity=5, exchange=UNITS.Quantity([0.08, 0, 0], "eV"))["exchange"]
    assert vector == pytest.approx([80, 0, 0])


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("EuS", {}, "insulator"),
        ("Nb", {}, "give resistivity="),
        ("Nb", {"resistivity": -1}, "resistivity is -1"),
        ("Nb", {"resistivity": 15, "D": 2, "N0": 90}, "two of them"),
        ("Cu", {"D": 2, "mean_free_path": 9}, "in place of"),
        ("Nb", {"mean_free_path": 9}, "fermi_velocity"),
        ("Py", {}, "N0="),
        ("PdNi", {"D": 2}, "resistivity="),
        ("PdNi", {"D": 2, "resistivity": 30}, "exchange="),
        ("Cu", {"resistivity": 2, "gap": True}, "Tc="),
        ("Cu", {"resistivity": 2, "spin_hall_angle": True}, "spin_hall_angle="),
        ("Pt", {"resistivity": 20, "tau_so": 1, "spin_diffusion_length": 2}, "one is enough"),
        ("Ni", {"resistivity": 5, "exchange": (1, 2)}, "three of them"),
        ("Nb", {"resistivity": UNITS.Quantity(5, "nm")}, "converted to uohm"),
    ],
)
def test_a_film_that_is_not_determined_says_what_to_give(name, given, words):
    with pytest.raises(DeviceError, match=words):
        values(name, **given)


def test_a_film_is_a_material_of_quantities():
    film = metals["Nb"].film(resistivity=15, Tc=9.0, depairing=UNITS.Quantity(0.1, "meV"))
    assert isinstance(film, Material)
    assert film.D.to("cm**2/s").magnitude == pytest.approx(values("Nb", resistivity=15)["D"])
    assert film.Tc.to("K").magnitude == 9.0
    assert film.self_consistent


def test_an_unknown_keyword_of_a_film_is_answered_with_the_one_that_was_meant():
    with pytest.raises(TypeError, match="did you mean resistivity"):
        metals["Nb"].film(resistvity=15)


@pytest.mark.parametrize(("name", "meant"), [("niobium", "Nb"), ("nb", "Nb"), ("Permalloy", "Py"), ("NbNi", "NbN")])
def test_an_unknown_metal_is_answered_with_the_one_that_was_meant(name, meant):
    with pytest.raises(UnknownMetalError, match=f"did you mean '{meant}'"):
        metals[name]


def test_an_unknown_metal_is_a_key_error_and_a_device_error():
    assert "Unobtainium" not in metals
    with pytest.raises(KeyError):
        metals["Unobtainium"]
    with pytest.raises(DeviceError):
        metals["Unobtainium"]


def test_numbers_are_attributes_that_do_not_change():
    metal = metals["Nb"]
    assert metal.Tc is metal.data["Tc"]
    with pytest.raises(AttributeError, match=r"Nb has no 'exchange'; it has Tc"):
        _ = metal.exchange
    with pytest.raises(AttributeError):
        metal.Tc.value = 1.0
    assert pickle.loads(pickle.dumps(metal)).Tc.value == metal.Tc.value


@pytest.mark.parametrize("text", [metals["Nb"].table(), metals["Nb"]._repr_html_(), metals.table()])
def test_tables_show_numbers_with_ranges_and_sources(text):
    assert all(part in text for part in ("9.22", "7.6 to 9.22", "10.1103/PhysRev.167.331", "978-0-471-41526-8"))


def test_the_guide_has_the_table():
    assert metals.table() in GUIDE.read_text(encoding="utf-8")


def test_neither_the_table_nor_pint_is_loaded_before_a_metal_is_asked_for():
    code = (
        "import sys; from usadelfem.metals.table import load, metals; "
        "print(load.cache_info().currsize, 'pint' in sys.modules); metals['Nb']; print('pint' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "False", "False"]
