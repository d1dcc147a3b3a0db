"""Laboratory units: numbers and quantities in, laboratory numbers out, against constants of nature and closed forms."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import meshio
import numpy as np
import pytest
import scipy.constants as c
from scipy.special import digamma

import usadelfem as uf
from usadelfem.device.units import DIMENSIONS
from usadelfem.errors import DeviceError

D, RHO, LENGTH, AREA = 100.0, 2.2, 1000.0, 300.0 * 50.0  # cm^2/s, uOhm cm, nm, nm^2
N0 = 1 / (2 * c.e**2 * RHO * 1e-8 * D * 1e-4) * c.e * 1e-27  # 1/(eV nm^3), per spin
RESISTANCE = RHO * 1e-8 * LENGTH * 1e-9 / (AREA * 1e-18)
THOULESS = c.hbar * D * 1e-4 / (LENGTH * 1e-9) ** 2 / c.e * 1e3  # meV


@pytest.fixture
def lab():
    with uf.lab() as units:
        yield units


def wire(**contacts):
    metal = uf.normal_metal(D=D, N0=N0)
    return uf.Device(uf.interval({"N": LENGTH}, size=25.0), {"N": metal}, contacts, area=AREA)


def josephson(phase=np.pi / 2, gap=1.4):
    return wire(left=uf.Reservoir(gap=gap), right=uf.Reservoir(gap=gap, phase=phase))


def test_a_wire_has_the_resistance_of_its_resistivity_in_ohm(lab):
    assert uf.normal_resistance(josephson(), "left", "right") == pytest.approx(RESISTANCE, rel=1e-10)


def test_a_film_has_its_sheet_resistance(lab):
    metal = uf.normal_metal(D=D, N0=N0)
    film = uf.Device(
        uf.rectangle({"N": 200.0}, width=200.0, size=50.0), {"N": metal},
        {"left": uf.Reservoir(gap=0), "right": uf.Reservoir(gap=0)}, thickness=50.0,
    )  # fmt: skip
    assert uf.normal_resistance(film, "left", "right") == pytest.approx(RHO * 1e-8 / 50e-9, rel=1e-10)


def test_the_same_device_in_natural_units_has_the_same_current_times_resistance(lab):
    device = josephson()
    voltage = uf.charge_current(uf.solve_equilibrium(device, 0.1)).through("right") * RESISTANCE * 1e3  # mV
    with uf.natural():
        gap = 1.4 / THOULESS
        contacts = {"left": uf.Reservoir(gap=gap), "right": uf.Reservoir(gap=gap, phase=np.pi / 2)}
        same = uf.Device(uf.interval({"N": 1.0}, size=0.025), {"N": uf.normal_metal()}, contacts)
        eq = uf.solve_equilibrium(same, 0.1 * c.k / c.e * 1e3 / THOULESS)
        expected = uf.charge_current(eq).through("right") * uf.normal_resistance(same, "left", "right")
    assert voltage / THOULESS == pytest.approx(expected, rel=1e-8)


def test_a_tunnel_junction_carries_the_ambegaokar_baratoff_current_in_ampere(lab):
    gap, temperature = 0.18, 0.05
    contacts = {"left": uf.Reservoir(gap=gap), "right": uf.Reservoir(gap=gap, phase=np.pi / 2)}
    al = uf.superconductor(D=20.0, N0=10.0, gap=gap)
    al2 = uf.superconductor(D=20.0, N0=10.0, gap=gap * 1j)
    device = uf.Device(
        uf.interval({"S1": 5.0, "S2": 5.0}, size=1.0), {"S1": al, "S2": al2}, contacts,
        {"S1_S2": uf.Tunnel(conductance=1e-3)}, area=1e6,
    )  # fmt: skip
    current = uf.charge_current(uf.solve_equilibrium(device, temperature)).through("S1_S2")
    kelvin = c.k / c.e * 1e3
    expected = np.pi * gap * 1e-3 / 2 / 1e3 * np.tanh(gap / (2 * kelvin * temperature))  # 1000 ohm
    assert current == pytest.approx(expected, rel=1e-4)


def test_current_densities_convert_and_totals_stay_in_ampere(lab):
    current = uf.charge_current(uf.solve_equilibrium(josephson(), 0.1))
    per_area = current.to("A/m^2")
    assert current.unit == "A/nm^2"
    assert per_area.unit == "A/m^2"
    assert per_area.at([[500.0]]) == pytest.approx(1e18 * current.at([[500.0]]))
    assert per_area.at([[500.0]])[0, 0] * AREA * 1e-18 == pytest.approx(current.through("right"), rel=2e-3)
    assert per_area.through("right") == current.through("right")
    assert current.to("A").at([[500.0]])[0, 0] == pytest.approx(current.through("right"), rel=2e-3)
    assert current.flux_unit == "A"


def test_a_field_is_not_converted_to_another_dimension(lab):
    with pytest.raises(DeviceError, match=r"cannot convert A/nm\^2 to 'T'"):
        uf.charge_current(uf.solve_equilibrium(josephson(), 0.1)).to("T")


def test_natural_fields_have_no_laboratory_unit():
    device = uf.Device(uf.interval({"N": 1.0}), {"N": uf.normal_metal()}, {"left": uf.Reservoir(gap=1.0)})
    with pytest.raises(DeviceError, match=r"natural units; call u = uf\.lab\(\)"):
        uf.gap(uf.solve_equilibrium(device, 0.1)).to("meV")

def test_results_say_that_they_hold_temperatures_as_energies(lab):
    eq = uf.solve_equilibrium(josephson(), 2.0, frequencies=2)
    assert eq.temperature == pytest.approx(2 * c.k / c.e * 1e3)
    for text in (repr(eq), eq._repr_html_()):
        assert "0.17235 meV (2 K)" in text.replace("0.172347", "0.17235")


def test_spectra_say_the_unit_of_their_energies(lab):
    spec = uf.solve_spectrum(josephson(), [0.5, 1.0], broadening=0.1)
    assert "from 0.5 to 1 meV, broadening 0.1 meV" in repr(spec)
    assert "0.1 [meV]" in spec._repr_html_()


def test_states_out_of_equilibrium_say_voltages_as_they_are_given():
    with uf.lab(voltage="uV"):
        device = wire(left=uf.Reservoir(gap=0, voltage=100.0), right=uf.Reservoir(gap=0))
        neq = uf.solve_nonequilibrium(device, temperature=1.0, energies=[0.0, 1.0, 2.0])
    assert neq.voltages == pytest.approx({"left": 100.0, "right": 0.0})
    assert "temperature=0.0861733 meV (1 K), voltages {left: 100 µV, right: 0 µV}, 3 energies up to 2 meV" in repr(neq)
    assert "voltage 100 µV, temperature 0.086173 meV (1 K)" in neq._repr_html_()


def square(field, thickness=20.0):
    metal = uf.superconductor(D=D, N0=N0, Tc=9.0)
    mesh = uf.rectangle({"S": 60.0}, 60.0, 15.0)
    return uf.solve_equilibrium(uf.Device(mesh, {"S": metal}, B=field, thickness=thickness), 2.0, order=1)


def test_a_magnetic_moment_is_in_ampere_times_square_nanometres(lab):
    slope = (uf.free_energy(square(0.205)) - uf.free_energy(square(0.195))) / 0.01  # meV/T
    assert uf.magnetisation(square(0.2)) == pytest.approx(-slope * 1e-3 * c.e * 1e18, rel=1e-3)


def test_a_magnetic_moment_and_an_energy_without_thickness_are_per_length(lab):
    whole, per_length = square(0.2), square(0.2, thickness=None)
    for observable in (uf.magnetisation, uf.free_energy):
        assert observable(per_length) == pytest.approx(observable(whole) / 20.0, rel=1e-10)


def test_the_flux_through_a_hole_is_in_weber(lab):
    mesh = uf.rectangle({"S": 90.0}, 90.0, 30.0)
    middle = (abs(mesh.p[:, mesh.t].mean(axis=1) - 45.0) < 15.0).all(axis=0)
    mesh = mesh.remove_elements(np.flatnonzero(middle)).with_subdomains({"S": lambda x: x[0] < np.inf})
    device = uf.Device(mesh, {"S": uf.superconductor(D=D, N0=N0, Tc=9.0)}, B=0.01)
    eq = uf.solve_equilibrium(
        device, 2.0, order=1, frequencies=2, tolerance=1e-3, screening=True, penetration_depth=5000.0
    )
    [(hole, flux)] = uf.observe.hole_fluxes(eq)
    assert hole.area == pytest.approx(900.0)
    assert flux == pytest.approx(0.01 * 900e-18, rel=1e-3)


def test_units_that_are_written_in_another_way_are_the_same(lab):
    current = uf.charge_current(uf.solve_equilibrium(josephson(), 0.1, frequencies=2))
    micro, signs = current.to("uA/(m*m)"), current.to("µA/m^2")
    assert micro.unit == signs.unit == "µA/m^2"
    np.testing.assert_allclose((micro + signs).quadrature, 2 * signs.quadrature)


def test_quantities_are_the_same_as_numbers(lab):
    number = uf.charge_current(uf.solve_equilibrium(josephson(), 0.1)).through("right")
    metal = uf.normal_metal(D=D * 1e-4 * lab.m**2 / lab.s, N0=1e-3 * N0 / lab.meV / lab.nm**3)
    left, right = uf.Reservoir(gap=1400 * lab.ueV), uf.Reservoir(gap=1.4 * lab.meV, phase=90 * lab.degree)
    contacts = {"left": left, "right": right}
    device = uf.Device(
        uf.interval({"N": LENGTH}, size=25.0), {"N": metal}, contacts, area=0.015 * lab.um**2, temperature=100 * lab.mK
    )
    assert uf.charge_current(uf.solve_equilibrium(device)).through("right") == pytest.approx(number, rel=1e-10)


def test_functions_of_position_may_return_quantities(lab):
    def exchange(x):
        return np.array([0 * x[0], 0 * x[0], 1 + 0 * x[0]]) * lab.meV

    graded = uf.ferromagnet(D=lambda x: D + 0 * x[0], N0=N0, exchange=exchange)
    mesh, contacts = uf.interval({"F": 20.0}, size=2.0), {"left": uf.Reservoir(gap=1.0)}
    number = uf.ferromagnet(D=D, N0=N0, exchange=(0, 0, 1.0))
    one, two = (uf.solve_equilibrium(uf.Device(mesh, {"F": own}, contacts), 1.0) for own in (graded, number))
    assert uf.free_energy(one) == pytest.approx(uf.free_energy(two), rel=1e-12)


def test_a_zeeman_field_is_a_field_times_the_bohr_magneton(lab):
    metal = uf.superconductor(D=D, N0=N0, Tc=1.2, exchange=(0, 0, 0.5) * lab.T * lab.bohr_magneton)
    device = uf.Device(uf.interval({"S": 10.0}, size=5.0), {"S": metal})
    found = uf.critical_temperature(device)
    alpha = c.physical_constants["Bohr magneton"][0] * 0.5 / (2 * np.pi * c.k)

    def left(temperature):  # Sarma; Maki and Tsuneto
        return np.log(1.2 / temperature) + (digamma(0.5) - digamma(0.5 + 1j * alpha / temperature)).real

    assert left(found) == pytest.approx(0.0, abs=1e-6)


def test_a_critical_temperature_is_in_kelvin(lab):
    metal = uf.superconductor(D=D, N0=N0, Tc=9.2)
    assert uf.critical_temperature(uf.Device(uf.interval({"S": 10.0}), {"S": metal})) == pytest.approx(9.2)


def test_the_gap_of_a_bulk_is_that_of_bcs_in_mev(lab):
    metal = uf.superconductor(D=D, N0=N0, Tc=9.2)
    eq = uf.solve_equilibrium(uf.Device(uf.interval({"S": 10.0}), {"S": metal}), 0.5)
    assert abs(uf.gap(eq).at([[5.0]])[0]) == pytest.approx(1.7639 * c.k * 9.2 / c.e * 1e3, rel=1e-4)


def test_the_condensation_energy_of_a_film_is_half_n0_gap_squared_times_its_volume(lab):
    gap = 1.0
    metal = uf.superconductor(D=D, N0=N0, gap=gap)
    device = uf.Device(uf.interval({"S": 10.0}), {"S": metal}, area=20.0)
    at_zero = 2 * 0.56719 * gap / c.k * c.e * 1e-3 / 50  # T/Tc = 0.01
    energy = uf.free_energy(uf.solve_equilibrium(uf.Device(
        device.mesh, {"S": uf.superconductor(D=D, N0=N0, gap=gap, Tc=50 * at_zero / 2 * 1.0)}, area=20.0
    ), 0.02))  # fmt: skip
    assert energy == pytest.approx(-N0 * 1e-3 * gap**2 / 2 * 200, rel=2e-3)


def test_a_normal_wire_carries_voltage_over_resistance(lab):
    device = wire(left=uf.NormalContact(potential=1.0), right=uf.NormalContact())
    assert uf.charge_current(uf.solve_normal_state(device)).through("right") == pytest.approx(1e-3 / RESISTANCE)


def test_a_current_in_ampere_makes_its_voltage(lab):
    device = wire(left=uf.CurrentContact(current=1e-6), right=uf.NormalContact())
    assert uf.potential(uf.solve_normal_state(device)).average("left") == pytest.approx(1e-3 * RESISTANCE)


def test_conductances_out_of_equilibrium_are_in_siemens(lab):
    device = wire(left=uf.Reservoir(gap=0, voltage=0.1), right=uf.Reservoir(gap=0))
    neq = uf.solve_nonequilibrium(device, temperature=0.1, energies=np.linspace(0, 1, 5))
    assert uf.conductance_matrix(neq).values[0, 0, 1, 0, 1] == pytest.approx(1 / RESISTANCE)
    assert neq.voltages == {"left": pytest.approx(0.1), "right": 0.0}


def test_a_flux_quantum_is_pi(lab):
    quantum = c.h / (2 * c.e)
    assert lab.into("field", quantum / 1e-18, "B") == pytest.approx(np.pi, rel=1e-9)
    assert lab.out("flux", np.pi) == pytest.approx(quantum, rel=1e-9)


def test_screening_knows_the_penetration_depth_of_a_dirty_superconductor(lab):
    """lambda(0) = 1.05e-3 sqrt(rho/Tc) m: Orlando et al., Phys. Rev. B 19, 4545 (1979)."""
    stiffness = np.pi / (RHO * 1e-8) * 1.7639 * c.k * 9.0 / c.hbar  # pi sigma Delta / hbar
    assert (c.mu_0 * stiffness) ** -0.5 == pytest.approx(1.05e-3 * np.sqrt(RHO * 1e-8 / 9.0), rel=5e-3)
    natural = np.pi * 2 * (N0 * 1e-3) * (D * 1e14 * c.hbar / c.e * 1e3) * (1.7639 * c.k * 9.0 / c.e * 1e3)
    assert (lab.magnetic_constant() * natural) ** -0.5 * 1e-9 == pytest.approx((c.mu_0 * stiffness) ** -0.5, rel=1e-4)


@pytest.mark.parametrize("dimension", [name for name in DIMENSIONS if name not in ("1", "area", "inverse_length")])
def test_every_dimension_comes_out_as_it_went_in(dimension):
    with uf.lab(energy="ueV", length="um", temperature="mK", current="nA", field="mT", voltage="uV") as units:
        assert units.out(dimension, units.into(dimension, 3.7, "it")) == pytest.approx(3.7, rel=1e-13)


def test_results_do_not_depend_on_the_choice_of_units():
    found = []
    for choice in ({}, {"energy": "ueV", "length": "um", "temperature": "mK", "current": "nA", "diffusion": "m^2/s"}):
        with uf.lab(**choice) as u:
            metal = uf.normal_metal(D=u.quantity(D, "cm^2/s"), N0=u.quantity(N0, "1/(eV*nm^3)"))
            size = (1 * u.um).to(choice.get("length", "nm")).magnitude
            mesh = uf.interval({"N": size}, size=size / 40)
            contacts = {"left": uf.Reservoir(gap=1.4 * u.meV), "right": uf.Reservoir(gap=1.4 * u.meV, phase=1.0)}
            eq = uf.solve_equilibrium(uf.Device(mesh, {"N": metal}, contacts, area=AREA * u.nm**2), 0.1 * u.K)
            current = uf.charge_current(eq)
            found.append(current.through("right") * u.quantity(1.0, current.flux_unit).to("A").magnitude)
    assert found[0] == pytest.approx(found[1], rel=1e-8)


def test_a_result_keeps_its_units_in_a_file_and_in_another_process(lab, tmp_path):
    eq = uf.solve_equilibrium(josephson(), 0.1)
    expected = uf.charge_current(eq).through("right")
    restored = uf.load(uf.save(tmp_path / "eq.h5", eq))
    with uf.natural():
        assert uf.charge_current(restored).through("right") == pytest.approx(expected, rel=1e-12)
        assert uf.charge_current(pickle.loads(pickle.dumps(eq))).through("right") == expected


def test_files_have_coefficients_in_the_units_of_the_device(lab, tmp_path):
    eq = uf.solve_equilibrium(josephson(), 0.1)
    mesh = meshio.read(uf.write_vtk(tmp_path / "wire.vtu", uf.charge_current(eq)))
    assert np.concatenate(mesh.cell_data["D [cm^2/s]"]) == pytest.approx(D)
    assert np.concatenate(mesh.cell_data["N0 [1/eV/nm^3]"]) == pytest.approx(N0)


def made_in_a_worker(phase):
    return uf.normal_resistance(josephson(phase), "left", "right")


@pytest.mark.slow
def test_workers_make_devices_in_the_units_of_the_script(lab):
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        result = uf.sweep(made_in_a_worker, [0.0, 1.0], workers=pool, progress=False)
    assert result.values == pytest.approx(np.full(2, RESISTANCE))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda u: uf.Device(uf.interval({"N": 1.0}), {"N": uf.normal_metal(N0=1.0)}), r"D is not given.*cm\^2/s"),
        (lambda u: uf.Device(uf.interval({"N": 1.0}), {"N": uf.normal_metal(D=1.0)}), r"N0 is not given"),
        (lambda u: wire(left=uf.Reservoir(gap=1 * u.K)), r"gap is .*kelvin.*converted to meV"),
        (lambda u: uf.solve_equilibrium(josephson(), 1 * u.meV), r"temperature is .*converted to K"),
        (lambda u: uf.Device(josephson().mesh, josephson().materials, area=-1.0), r"area is -1"),
        (lambda u: uf.Device(josephson().mesh, josephson().materials, thickness=1.0), r"to meshes of dimension 2"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_in_the_laboratory_is_refused(lab, make, message):
    with pytest.raises(DeviceError, match=message):
        make(lab)


def test_a_quantity_needs_laboratory_units():
    quantity = uf.lab().quantity(1.0, "meV")
    uf.natural()
    with pytest.raises(DeviceError, match=r"numbers are in natural units here: call u = uf\.lab\(\)"):
        uf.Device(uf.interval({"N": 1.0}), {"N": uf.normal_metal()}, {"left": uf.Reservoir(gap=quantity)})


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"field": "no unit"}, "allowed is a unit that pint knows"), ({"field": "K"}, "a unit of the dimension of T"),
        ({"temperature": "degC"}, "a unit whose zero is that of K"),
    ],
)
def test_a_choice_of_units_that_is_none_is_refused(choice, message):
    with pytest.raises(DeviceError, match=message):
        uf.lab(**choice)


def test_a_context_ends_with_the_units_before():
    with uf.lab(current="uA"), uf.lab():
        pass
    device = uf.Device(uf.interval({"N": 1.0}), {"N": uf.normal_metal()})
    assert device.units.is_natural


def test_a_temperature_of_the_device_is_that_of_its_solves():
    contacts = {"left": uf.Reservoir(gap=1.0)}
    device = uf.Device(uf.interval({"N": 1.0}), {"N": uf.normal_metal()}, contacts, temperature=0.3)
    assert uf.solve_equilibrium(device).temperature == 0.3
    with pytest.raises(ValueError, match="give the temperature of the solve"):
        uf.solve_equilibrium(uf.Device(device.mesh, device.materials, contacts))


def test_a_summary_tells_lengths_thouless_energy_and_resistance(lab):
    text = str(josephson().summary(0.1))
    assert f"{THOULESS:.4g}" in text
    assert f"{RESISTANCE:.4g}" in text
    assert "expected critical current" in text


def test_the_expected_critical_current_is_that_of_a_long_junction(lab):
    cold = josephson(gap=14.0)
    [note] = [note for note in cold.summary(0.001).notes if note.startswith("expected")]
    expected = float(note.split("about ")[1].split(" A")[0])
    assert expected == pytest.approx(10.82 * THOULESS * 1e-3 / RESISTANCE, rel=1e-2)


def test_the_gap_of_a_bulk_is_an_energy_of_temperatures_in_kelvin(lab):
    assert uf.materials.bcs_gap(0.01, 9.2) == pytest.approx(1.7639 * c.k * 9.2 / c.e * 1e3, rel=1e-4)
    assert uf.materials.bcs_gap(10 * lab.mK, 9.2 * lab.K) == pytest.approx(uf.materials.bcs_gap(0.01, 9.2))
