"""What is said about wrong input to spectra, densities of states and minigaps."""

import numpy as np
import pytest
from devices import junction

import usadelfem as uf

LINE = uf.interval({"N": 1.0}, size=0.2)
DEVICE = junction(LINE, {"N": uf.normal_metal()}, 1.0)


@pytest.fixture(scope="module")
def spec():
    return uf.solve_spectrum(DEVICE, np.linspace(0, 3, 13), broadening=0.05)


def refuses(error, *parts):
    """The error whose message has all parts, in order."""
    return pytest.raises(error, match="(?s)" + ".*".join(parts))


# solve_spectrum


@pytest.mark.parametrize("broadening", [0, -0.1, np.nan, np.inf, 0.1j, None, "small"])
def test_broadening_is_a_positive_energy(broadening):
    with refuses(ValueError, "broadening is", "finite energy > 0"):
        uf.solve_spectrum(DEVICE, [1.0], broadening=broadening)


@pytest.mark.parametrize("energies", [[], [1.0, np.nan], np.inf, None])
def test_energies_are_finite_numbers(energies):
    with refuses(ValueError, "energies is", "finite numbers, at least one, or 'adaptive'"):
        uf.solve_spectrum(DEVICE, energies)


@pytest.mark.parametrize("energies", [[0.1j], ["low", "high"], [[1.0], [1.0, 2.0]]])
def test_energies_are_real_numbers(energies):
    with refuses((ValueError, TypeError), "energies is", "allowed"):
        uf.solve_spectrum(DEVICE, energies)


def test_the_only_word_for_energies_is_adaptive():
    with refuses(ValueError, "energies is 'fine'", "numbers and 'adaptive'"):
        uf.solve_spectrum(DEVICE, "fine")


@pytest.mark.parametrize("interval", [(2.0, 1.0), (1.0, 1.0), (0.0, np.nan), (0.0,), 3.0, "ab", (0.0, 1.0, 2.0)])
def test_the_range_of_adaptive_energies_is_an_interval(interval):
    with refuses((ValueError, TypeError), "energy_range is", "two finite energies, the lower one first"):
        uf.solve_spectrum(DEVICE, "adaptive", energy_range=interval)


@pytest.mark.parametrize("resolution", [0.0, -0.1, np.nan, "fine"])
def test_the_resolution_of_adaptive_energies_is_a_positive_energy(resolution):
    with refuses((ValueError, TypeError), "resolution is", "allowed"):
        uf.solve_spectrum(DEVICE, "adaptive", broadening=0.1, resolution=resolution)


@pytest.mark.parametrize("option", [{"energy_range": (0, 1)}, {"resolution": 0.1}])
def test_range_and_resolution_belong_to_adaptive_energies(option):
    with refuses(ValueError, "energy_range and resolution belong to energies='adaptive'"):
        uf.solve_spectrum(DEVICE, [1.0], **option)


def test_a_spectrum_is_that_of_a_device_or_an_equilibrium(spec):
    with refuses(TypeError, "source is", "Device and an Equilibrium"):
        uf.solve_spectrum(spec, [1.0])


def test_a_gap_that_is_not_known_has_to_be_found_first():
    device = uf.Device(uf.interval({"S": 1.0}), {"S": uf.superconductor(Tc=1.0)})
    with refuses(uf.errors.DeviceError, "gap of region S is not given", "solve_equilibrium"):
        uf.solve_spectrum(device, [1.0])


@pytest.mark.parametrize(
    ("option", "parts"),
    [
        ({"order": 3}, ("order is 3", "1 .*2")),
        ({"sector": "half"}, ("sector is 'half'", "'auto' and 'full'")),
        ({"linear_solver": "fast"}, ("'fast'", "'auto', 'pardiso'")),
    ],
)
def test_options_are_known(option, parts):
    with refuses(ValueError, *parts):
        uf.solve_spectrum(DEVICE, [1.0], **option)


@pytest.mark.parametrize("option", [{"order": 2}, {"sector": "full"}])
def test_an_equilibrium_has_its_own_discretisation(option):
    eq = uf.solve_equilibrium(DEVICE, 0.3, frequencies=1)
    with refuses(ValueError, "order and sector belong to a device"):
        uf.solve_spectrum(eq, [1.0], **option)


# Densities of states, minigaps, series


@pytest.mark.parametrize("spin", [(0, 0, 0), (1, 0), 5, (np.nan, 0, 0), np.eye(3), "z", (1j, 0, 0)])
def test_spin_is_a_direction(spec, spin):
    with refuses(uf.errors.ObservableError, "spin is", "a direction, three numbers"):
        uf.density_of_states(spec, spin=spin)


@pytest.mark.parametrize("observable", [uf.density_of_states, uf.minigap])
def test_an_equilibrium_has_no_density_of_states(observable):
    eq = uf.solve_equilibrium(DEVICE, 0.3, frequencies=1)
    with refuses((TypeError, uf.errors.ObservableError), "solve_spectrum"):
        observable(eq)


@pytest.mark.parametrize("observable", [uf.density_of_states, uf.minigap])
def test_the_linearised_equation_has_the_normal_density_of_states(observable):
    eq = uf.solve_equilibrium(DEVICE, 0.3, frequencies=1, linearized=True)
    spec = uf.solve_spectrum(eq, [0.5, 1.5], broadening=0.1)
    with refuses(uf.errors.ObservableError, "linearised", "solve the full one"):
        observable(spec)


def test_the_region_of_a_minigap_is_known(spec):
    with refuses(uf.errors.ObservableError, "no region 'S'", "N"):
        uf.minigap(spec, "S")


@pytest.mark.parametrize("precision", [0.0, -1e-3, np.nan, "high"])
def test_the_precision_of_a_minigap_is_positive(spec, precision):
    with refuses((ValueError, TypeError, uf.errors.ObservableError), "precision is", "allowed"):
        uf.minigap(spec, precision=precision)


@pytest.mark.parametrize(
    ("energies", "part"),
    [([0.0, 0.01], "no states up to the largest energy 0.01"), ([2.0, 3.0], "states at the lowest energy 2")],
)
def test_a_minigap_needs_energies_on_both_sides(energies, part):
    spec = uf.solve_spectrum(DEVICE, energies, broadening=1e-3)
    with refuses(uf.errors.ObservableError, part):
        uf.minigap(spec)


def test_a_spectrum_of_negative_energies_alone_has_no_minigap():
    spec = uf.solve_spectrum(DEVICE, [-2.0, -1.0], broadening=1e-3)
    with refuses(uf.errors.ObservableError, "energ"):
        uf.minigap(spec)


@pytest.mark.parametrize("form", ["huang2018", "printed"])
def test_spectral_currents_have_one_form(spec, form):
    for current in (uf.charge_current, uf.spin_current):
        with refuses(uf.errors.ObservableError, f"form.*{form}", "consistent"):
            current(spec, form=form)


@pytest.mark.parametrize("n", [13, -14])
def test_the_members_of_a_series_are_numbered(spec, n):
    with refuses(IndexError, f"no field {n} in a series of 13"):
        uf.density_of_states(spec)[n]


@pytest.mark.parametrize("n", ["a", None, slice(0, 2), 0.5])
def test_the_number_of_a_member_is_an_integer(spec, n):
    with refuses((TypeError, IndexError), "integer|no field"):
        uf.density_of_states(spec)[n]


def test_a_single_field_is_no_series(spec):
    field = uf.density_of_states(spec)[0]
    for use in (len, lambda field: field[0]):
        with refuses(TypeError, "density_of_states is a single field"):
            use(field)


def test_a_member_of_a_series_has_the_values_of_the_series(spec):
    field, points = uf.charge_current(spec), [[0.1, 0.7]]
    assert len(field) == 13
    assert field.series.values.tolist() == spec.energies.tolist()
    for n in (0, 5, -1, np.int64(3)):
        assert np.array_equal(field[n].quadrature, field.quadrature[n])
        assert np.array_equal(field[n].nodal, field.nodal[n])
        assert field[n].at(points) == pytest.approx(field.at(points)[n], rel=1e-12, abs=1e-14)
        assert field[n].integral() == pytest.approx(field.integral()[n], rel=1e-12)
        assert field[n].through("right") == pytest.approx(field.through("right")[n], rel=1e-12)
        assert field[n].series is None


def test_a_density_of_states_does_not_flow(spec):
    with refuses(uf.errors.ObservableError, "density_of_states is not a current"):
        uf.density_of_states(spec).through("left")


def test_points_lie_inside(spec):
    for use in (spec.green, uf.density_of_states(spec).at):
        with refuses(uf.errors.ObservableError, "outside"):
            use([[5.0]])
