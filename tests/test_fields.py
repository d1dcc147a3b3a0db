"""Fields: values at points and vertices, integrals, fluxes, and their errors."""

from pathlib import Path

import numpy as np
import pytest
from devices import junction, sfs

import usadelfem as uf


@pytest.fixture(scope="module")
def eq():
    mesh = uf.rectangle({"N": 0.5, "F": 0.5}, width=0.4, size=0.1)
    mesh = mesh.with_boundaries({"slit": lambda x: np.isclose(x[0], 0.2) & (x[1] < 0.21)}, boundaries_only=False)
    materials = {"N": uf.normal_metal(D=2.0), "F": uf.ferromagnet(exchange=(0, 1, 2), N0=0.5)}
    return uf.solve_equilibrium(junction(mesh, materials, 1.0), 0.1, frequencies=5)


OBSERVABLES = {
    "charge_current": (uf.charge_current, (2,)),
    "spin_current": (uf.spin_current, (3, 2)),
    "spin_density": (uf.spin_density, (3,)),
    "pair_amplitude": (uf.pair_amplitude, (4,)),
}
POINTS = np.array([[0.05, 0.31, 0.77], [0.13, 0.02, 0.39]])


@pytest.mark.parametrize(("observable", "shape"), OBSERVABLES.values(), ids=OBSERVABLES)
def test_shapes_of_values(eq, observable, shape):
    field = observable(eq)
    assert field.shape == shape
    assert field.at(POINTS).shape == (*shape, 3)
    assert field.nodal.shape == (*shape, eq.device.mesh.nvertices)
    assert np.shape(field.integral("F")) == shape
    assert len(field.components) == np.prod(shape)
    assert field.unit
    assert field.name in repr(field)
    assert len(repr(field)) < 200


@pytest.mark.parametrize("observable", [o for o, _ in OBSERVABLES.values()], ids=OBSERVABLES)
def test_integrals_of_the_regions_add_up(eq, observable):
    field = observable(eq)
    assert np.allclose(field.integral("N") + field.integral("F"), field.integral(), rtol=1e-12)


def test_green_function_has_shape_and_agrees_with_the_pair_amplitude(eq):
    g = eq.green(POINTS)
    assert g.shape == (5, 4, 4, 3)
    f = uf.pair_amplitude(eq, n=2).at(POINTS)
    upper_right = g[2, :2, 2:]
    assert np.allclose(f[0], 0.5 * np.trace(upper_right), rtol=0, atol=1e-14)
    assert np.allclose(f[3], 0.5 * (upper_right[0, 0] - upper_right[1, 1]), rtol=0, atol=1e-14)


def test_sum_over_frequencies_uses_the_weights(eq):
    terms = [w * uf.pair_amplitude(eq, n).at(POINTS) for n, w in enumerate(eq.weights)]
    assert np.allclose(uf.pair_amplitude(eq, n=None).at(POINTS), sum(terms), rtol=1e-12)


def test_values_at_vertices_equal_nodal_values(eq):
    field = uf.pair_amplitude(eq)
    assert np.abs(field.at(eq.device.mesh.p) - field.nodal).max() < 1e-10


def test_current_density_jumps_where_the_conductivity_does_and_is_not_smeared(eq):
    current = uf.charge_current(eq)
    jx = current.at([[0.25, 0.75], [0.2, 0.2]])[0]
    assert jx[0] == pytest.approx(jx[1], rel=1e-2)
    spin = uf.spin_density(eq).at([[0.499, 0.501], [0.2, 0.2]])[2]
    assert spin[0] / spin[1] == pytest.approx(2.0, rel=2e-2)  # N0 jumps from 1 to 0.5


@pytest.mark.parametrize("cell", ["quad", "triangle"])
def test_recovered_current_converges_to_the_uniform_one(cell):
    mesh = uf.rectangle({"N": 1.0}, width=0.5, size=0.0625, cell=cell)
    current = uf.charge_current(uf.solve_equilibrium(sfs(mesh=_renamed(mesh)), 0.1))
    points = np.random.default_rng(0).uniform([[0.0], [0.0]], [[1.0], [0.5]], (2, 40))
    assert np.allclose(current.at(points)[0], 2 * current.through("right"), rtol=1e-2)


def _renamed(mesh):
    return mesh.with_subdomains({"F": mesh.subdomains["N"]})


def test_flux_is_outward_on_the_boundary_and_reverses_with_into(eq):
    current = uf.charge_current(eq)
    assert current.through("right") > 0 > current.through("left")
    assert current.through("left", into="N") == -current.through("left")
    assert current.through("left", into=(1.0, 0.0)) == -current.through("left")


def test_flux_through_an_interface_goes_from_the_first_to_the_second_region(eq):
    current = uf.charge_current(eq)
    assert current.through("N_F") == pytest.approx(current.through("right"), rel=1e-9)
    assert current.through("N_F", into="F") == current.through("N_F")
    assert current.through("N_F", into="N") == pytest.approx(-current.through("N_F"), rel=1e-9)
    assert current.through("N_F", into=(-1, 0)) == pytest.approx(-current.through("N_F"), rel=1e-9)


def test_flux_through_vacuum_boundaries_vanishes(eq):
    current = uf.charge_current(eq)
    assert abs(current.through("top")) < 1e-10


def test_flux_through_a_set_that_ends_inside_is_the_integral_of_the_recovered_current(eq):
    current = uf.charge_current(eq)
    half = current.through("slit", into=(1, 0))
    assert half == pytest.approx(0.5 * current.through("right"), rel=1e-2)
    assert current.through("slit", into=(-1, 0)) == pytest.approx(-half, rel=1e-6)


def test_facet_indices_are_a_facet_set_too(eq):
    facets = np.asarray(eq.device.mesh.boundaries["right"])
    assert uf.charge_current(eq).through(facets) == uf.charge_current(eq).through("right")


def test_flux_splits_between_contacts_that_share_a_corner():
    mesh = uf.rectangle({"N": 1.0}, width=1.0, size=0.25)
    contacts = {"left": uf.Reservoir(1.0), "bottom": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, lambda x: x[1])}
    current = uf.charge_current(uf.solve_equilibrium(uf.Device(mesh, {"N": uf.normal_metal()}, contacts), 0.1))
    flows = [current.through(name) for name in contacts]
    assert abs(sum(flows)) < 1e-9 * max(map(abs, flows))


def test_unknown_facet_set_and_region_are_named(eq):
    current = uf.charge_current(eq)
    with pytest.raises(uf.errors.ObservableError, match="no facet set 'lft'; it has: N_F, bottom, left"):
        current.through("lft")
    with pytest.raises(uf.errors.ObservableError, match="no region 'S'; it has: F, N"):
        current.integral("S")
    with pytest.raises(uf.errors.ObservableError, match="no such region"):
        current.through("left", into="S")


def test_interface_of_zero_size_is_refused(eq):
    with pytest.raises(uf.errors.ObservableError, match="is empty"):
        uf.charge_current(eq).through(np.array([], int))


def test_ambiguous_direction_asks_for_into(eq):
    with pytest.raises(uf.errors.ObservableError, match="lies inside the mesh: give into="):
        uf.charge_current(eq).through("slit")
    with pytest.raises(uf.errors.ObservableError, match="not a boundary of region 'F'; give a vector"):
        uf.charge_current(eq).through("slit", into="F")
    with pytest.raises(uf.errors.ObservableError, match="not a boundary of region 'F'"):
        uf.charge_current(eq).through("left", into="F")
    with pytest.raises(uf.errors.ObservableError, match="vector of 2 components"):
        uf.charge_current(eq).through("left", into=(1, 0, 0))


def test_a_density_has_no_flux(eq):
    with pytest.raises(uf.errors.ObservableError, match="pair_amplitude is not a current"):
        uf.pair_amplitude(eq).through("left")


@pytest.mark.parametrize("name", ["sfs", "wire"])
def test_vertices_and_facet_centres_on_an_inclined_boundary_are_found(name):
    mesh = uf.read_mesh(Path(__file__).parent.parent / "meshes" / f"{name}.msh")
    device = junction(mesh, {"weak_link": uf.normal_metal()}, 1.0)
    field = uf.pair_amplitude(uf.solve_equilibrium(device, 0.3, order=1, frequencies=1))
    assert np.abs(field.at(mesh.p) - field.nodal).max() < 1e-9
    assert np.isfinite(field.at(mesh.p[:, mesh.facets].mean(axis=1))).all()


def test_points_outside_or_of_wrong_shape_are_named(eq):
    with pytest.raises(uf.errors.ObservableError, match=r"point \(2, 0.3\) lies outside the mesh"):
        eq.green([[0.1, 2.0, 0.2], [0.1, 0.3, 0.1]])
    with pytest.raises(uf.errors.ObservableError, match=r"allowed is \(2, npoints\)"):
        eq.green([0.1, 0.2])


def test_unknown_frequency_index_is_named(eq):
    with pytest.raises(uf.errors.ObservableError, match="no Matsubara index 5; allowed are 0 to 4"):
        uf.pair_amplitude(eq, n=5)


def test_normal_resistance_is_length_over_conductance():
    mesh = uf.rectangle({"A": 1.0, "B": 2.0}, width=0.5, size=0.25)
    materials = {"A": uf.normal_metal(D=2.0, N0=3.0), "B": uf.normal_metal(D=0.5)}
    device = junction(mesh, materials, 0.0)
    assert uf.normal_resistance(device, "left", "right") == pytest.approx((1 / 12 + 2) / 0.5, rel=1e-12)


def test_normal_resistance_errors_are_named():
    device = sfs()
    with pytest.raises(uf.errors.DeviceError, match="no facet set 'top'; it has: left, right"):
        uf.normal_resistance(device, "left", "top")
    with pytest.raises(uf.errors.DeviceError, match="touch"):
        uf.normal_resistance(device, "left", "left")
