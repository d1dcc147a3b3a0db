"""Sums, products and parts of fields."""

import numpy as np
import pytest
from devices import junction

import usadelfem as uf
from usadelfem.device.unit_algebra import same_unit, unit_power, unit_product, without_slashes
from usadelfem.errors import ObservableError

POINTS = np.array([[0.13, 0.77, 1.41, 1.93]])


def solved(phase):
    mesh = uf.interval({"N": 1.0, "F": 1.0}, size=0.1)
    materials = {"N": uf.normal_metal(), "F": uf.ferromagnet(exchange=(0, 0, 2.0), N0=0.5)}
    return uf.solve_equilibrium(junction(mesh, materials, phase), 0.2, frequencies=2)


@pytest.fixture(scope="module")
def eq():
    return solved(1.0)


@pytest.fixture(scope="module")
def energies():
    mesh = uf.interval({"N": 1.0}, size=0.25)
    return uf.density_of_states(uf.solve_spectrum(junction(mesh, {"N": uf.normal_metal()}, 0.0), [0.2, 0.5, 0.9]))


def test_a_field_minus_itself_is_zero(eq):
    for field in (uf.charge_current(eq), uf.spin_density(eq), uf.pair_amplitude(eq)):
        assert not np.asarray(field - field).any()
        assert not (field - field).at(POINTS).any()


def test_the_flux_of_a_sum_is_the_sum_of_the_fluxes(eq):
    one = uf.charge_current(eq)
    other = uf.Device.with_phase(eq.device, "right", -0.2)
    two = uf.charge_current(uf.solve_equilibrium(other, 0.2, frequencies=2))
    both = {name: (one.through(name), two.through(name)) for name in ("left", "right")}
    for name, (a, b) in both.items():
        assert (one + two).through(name) == pytest.approx(a + b, rel=1e-13)
        assert (3 * one - two / 2).through(name) == pytest.approx(3 * a - b / 2, rel=1e-13)
        assert (-one).through(name) == -a


def test_a_product_has_no_flux(eq):
    product = uf.charge_current(eq) * uf.charge_current(eq)
    with pytest.raises(ObservableError, match="has no flux"):
        product.through("left")


def test_products_of_exact_fields_are_exact(eq):
    pair = uf.pair_amplitude(eq)
    f0 = pair.component("f0")
    assert np.allclose((f0 * f0.conj()).at(POINTS), abs(pair.at(POINTS)[0]) ** 2, rtol=1e-14)
    assert np.allclose((f0**2).at(POINTS), pair.at(POINTS)[0] ** 2, rtol=1e-14)
    assert np.array_equal((pair * f0).at(POINTS), pair.at(POINTS) * pair.at(POINTS)[0])
    assert (f0 * uf.spin_density(eq)).exact is None


def test_parts_of_a_complex_field(eq):
    pair = uf.pair_amplitude(eq)
    values = pair.nodal
    assert np.array_equal(np.asarray(pair), values)
    assert np.array_equal(np.asarray(pair.real), values.real)
    assert np.array_equal(np.asarray(pair.imag), values.imag)
    assert np.array_equal(np.asarray(abs(pair)), abs(values))
    assert np.array_equal(np.asarray(np.abs(pair)), abs(values))
    assert np.array_equal(np.asarray(np.conj(pair)), values.conj())
    assert np.array_equal(np.asarray(pair.angle()), np.angle(values))
    assert np.array_equal(np.angle(pair), np.angle(values))
    assert pair.angle().unit == "rad"
    assert np.array_equal(np.exp(pair), np.exp(values))  # what numpy makes otherwise is an array


def test_numbers_of_numpy_make_fields_on_either_side(eq):
    current = uf.charge_current(eq)
    for field in (np.float64(2) * current, current * np.float64(2), np.multiply(2, current), np.array(2.0) * current):
        assert np.array_equal(np.asarray(field), 2 * current.nodal)
        assert field.unit == current.unit
    at_vertices = current.nodal.copy()
    assert np.array_equal(at_vertices * current, at_vertices**2)  # with arrays it is one itself
    assert np.array_equal(current - at_vertices, 0 * at_vertices)
    assert np.sum(current) == at_vertices.sum()


def test_a_series_is_added_to_a_single_field_and_to_numbers(energies):
    relative = energies / energies[0]
    assert np.array_equal((relative - 1).quadrature, relative.quadrature - 1)
    assert np.array_equal((1 - relative).quadrature, 1 - relative.quadrature)
    assert np.array_equal(relative[2].quadrature, energies[2].quadrature / energies[0].quadrature)
    assert np.array_equal((energies[0] + energies).at([[0.3]]), energies.at([[0.3]]) + energies[0].at([[0.3]]))
    assert len(relative) == 3


def test_units_are_multiplied_and_divided(eq):
    current, spin = uf.charge_current(eq), uf.spin_density(eq).component("z")
    assert same_unit((current * spin).unit, "e*N0^2*D*hbar*energy^2/length/2")
    assert same_unit((current / current).unit, "1")
    assert (1 / current).unit == "length/e/N0/D/energy"
    assert (current * 2).unit == current.unit


def test_different_units_and_components_are_not_added(eq):
    current, spin = uf.charge_current(eq), uf.spin_density(eq)
    with pytest.raises(ObservableError, match="components and units must be the same"):
        current + spin
    with pytest.raises(ObservableError, match="components and units must be the same"):
        current.component("x") + spin.component("x")
    with pytest.raises(ObservableError, match=r"cannot add the number 1 to charge_current, whose unit is e\*N0"):
        current + 1
    with pytest.raises(ObservableError, match="one must be a scalar"):
        current * spin
    assert sum([current, current]).through("left") == 2 * current.through("left")


def test_fields_of_different_meshes_and_other_things_are_not_combined(eq):
    with pytest.raises(ObservableError, match="different meshes"):
        uf.charge_current(eq) - uf.charge_current(solved(0.5))
    with pytest.raises(TypeError, match="unsupported operand"):
        uf.charge_current(eq) + "1"
    with pytest.raises(ObservableError, match="component is 'q'; charge_current has: x"):
        uf.charge_current(eq).component("q")


def test_names_tell_what_was_computed(eq):
    current, f0 = uf.charge_current(eq), uf.pair_amplitude(eq).component("f0")
    assert (current - current).name == "charge_current - charge_current"
    assert (2 * (f0 + f0)).name == "2*(pair_amplitude_f0 + pair_amplitude_f0)"
    assert (f0 / (f0 * f0)).name == "pair_amplitude_f0/(pair_amplitude_f0*pair_amplitude_f0)"
    assert abs(f0).name == "|pair_amplitude_f0|"


@pytest.mark.parametrize(
    ("one", "two", "sign", "product"),
    [
        ("A/m^2", "m^2", 1, "A"),
        ("1", "V", 1, "V"),
        ("V", "1", -1, "V"),
        ("V/m", "V", -1, "1/m"),
        ("V", "A", -1, "V/A"),
        ("e*N0*D*energy/length", "N0*D*energy/length", -1, "e"),
        ("A m(x)", "V", 1, "(A m(x))*(V)"),
    ],
)
def test_products_of_units(one, two, sign, product):
    assert unit_product(one, two, sign) == product


def test_powers_of_units():
    assert unit_power("V/m^2", 2) == "V^2/m^4"
    assert unit_power("V^2", 0.5) == "V"
    assert same_unit("V*A", "A*V")
    assert not same_unit("V", "A")
    assert without_slashes("A/m^2") == "A*m^-2"
