"""Materials, contacts and devices: what is accepted, and one error for every kind of bad input."""

import numpy as np
import pytest
from devices import sfs

import usadelfem as uf


@pytest.fixture(scope="module")
def mesh():
    return uf.rectangle({"S": 1.0, "F": 1.0}, width=1.0, size=0.5)


S, F = uf.superconductor(gap=1.0), uf.ferromagnet(exchange=(0, 0, 1))


def test_material_functions_differ_only_in_defaults():
    assert type(S) is type(F) is type(uf.normal_metal()) is uf.materials.Material
    assert (S.gap, S.exchange, S.D) == (1.0, (0.0, 0.0, 0.0), 1.0)
    assert (F.gap, F.exchange, F.tau_so) == (0.0, (0, 0, 1), np.inf)


def test_records_are_frozen(mesh):
    device = uf.Device(mesh, {"S": S, "F": F})
    for record, name in ((S, "gap"), (uf.Reservoir(1.0), "phase"), (device, "mesh")):
        with pytest.raises(AttributeError):
            setattr(record, name, None)
    with pytest.raises(TypeError):
        device.materials["S"] = F


def test_arrays_are_copied_and_read_only():
    ramp = np.linspace(1.0, 2.0, 5)
    material = uf.normal_metal(D=ramp)
    ramp[0] = -7.0
    assert material.D[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        material.D[0] = 3.0


def test_records_print_what_is_in_them(mesh):
    def spiral(x):
        return np.array([np.cos(x[0]), np.sin(x[0]), 0 * x[0]])

    material = uf.ferromagnet(exchange=spiral, tau_so=2.0, D=np.ones(mesh.nvertices))
    assert repr(material) == f"Material(D=array of shape ({mesh.nvertices},), N0=1.0, exchange=spiral(x), tau_so=2.0)"
    device = uf.Device(mesh, {"S": S, "F": F}, {"left": uf.Reservoir(1.0, 0.5)})
    text = repr(uf.solve_equilibrium(device, 0.5, frequencies=1))
    assert "Device(MeshTri1 with" in text
    assert "Reservoir(gap=1.0, phase=0.5" in text
    assert len(text) < 600


def test_an_isolated_piece_needs_no_contacts(mesh):
    assert dict(uf.Device(mesh, {"S": S, "F": F}, contacts={}).contacts) == {}


def test_with_phase_returns_a_changed_copy(mesh):
    device = uf.Device(mesh, {"S": S, "F": F}, {"left": uf.Reservoir(1.0, 0.1)})
    changed = device.with_phase("left", 0.7)
    assert (device.contacts["left"].phase, changed.contacts["left"].phase) == (0.1, 0.7)
    assert changed.contacts["left"].gap == 1.0
    with pytest.raises(uf.errors.DeviceError, match="no contact 'right'; it has: left"):
        device.with_phase("right", 0.0)


def test_numbers_callables_and_nodal_arrays_describe_the_same_device():
    mesh = uf.interval({"F": 1.0}, size=0.25)
    ramp, field = 1 + mesh.p[0], np.array([mesh.p[0], 0 * mesh.p[0], 1 - mesh.p[0]])
    nodal = sfs(mesh=mesh, exchange=field, D=ramp, gap=0.1 * ramp * 1j)
    called = sfs(
        mesh=mesh, exchange=lambda x: np.array([x[0], 0 * x[0], 1 - x[0]]), D=lambda x: 1 + x[0],
        gap=lambda x: 0.1j * (1 + x[0]),
    )  # fmt: skip
    one, two = (uf.solve_equilibrium(device, 0.2, frequencies=2).riccati for device in (nodal, called))
    assert np.abs(one - two).max() < 1e-12


def test_reservoir_values_may_vary_along_the_contact(mesh):
    reservoir = uf.Reservoir(gap=lambda x: 1 + 0 * x[0], phase=lambda x: x[1])
    eq = uf.solve_equilibrium(uf.Device(mesh, {"S": S, "F": F}, {"left": reservoir}), 0.2, frequencies=1)
    f = uf.pair_amplitude(eq).at([[0.0, 0.0], [0.0, 1.0]])[0]
    assert np.angle(f[1] / f[0]) == pytest.approx(1.0)


def test_unknown_region_is_named_with_the_known_ones(mesh):
    with pytest.raises(uf.errors.DeviceError, match="no region 'FF'; it has: F, S"):
        uf.Device(mesh, {"S": S, "FF": F})


def test_unknown_contact_is_named_with_the_known_ones(mesh):
    with pytest.raises(uf.errors.DeviceError, match="no facet set 'lft'; it has: S_F, bottom, left, right, top"):
        uf.Device(mesh, {"S": S, "F": F}, {"lft": uf.Reservoir(1.0)})


def test_region_without_material_is_named(mesh):
    with pytest.raises(uf.errors.DeviceError, match="region 'F' has no material"):
        uf.Device(mesh, {"S": S})


def test_overlapping_regions_with_materials_are_named(mesh):
    both = mesh.with_subdomains({"all": lambda x: x[0] > 0})
    with pytest.raises(uf.errors.DeviceError, match="overlaps with"):
        uf.Device(both, {"S": S, "F": F, "all": S})


def test_mesh_without_regions_says_how_to_add_them(mesh):
    with pytest.raises(uf.errors.MeshError, match="with_subdomains"):
        uf.Device(type(mesh)(mesh.p, mesh.t), {"S": S})


def test_contact_that_touches_no_facet_is_named(mesh):
    empty = mesh.with_boundaries({"nowhere": lambda x: x[0] > 99})
    with pytest.raises(uf.errors.DeviceError, match="'nowhere' touches no facet"):
        uf.Device(empty, {"S": S, "F": F}, {"nowhere": uf.Reservoir(1.0)})


def test_wrong_type_of_contact_or_material_is_named(mesh):
    with pytest.raises(uf.errors.DeviceError, match=r"'left' is given 1.0; allowed is a Reservoir"):
        uf.Device(mesh, {"S": S, "F": F}, {"left": 1.0})
    with pytest.raises(uf.errors.DeviceError, match="allowed is a Material"):
        uf.Device(mesh, {"S": S, "F": "iron"})


def test_part_of_the_device_without_contact_warns():
    mesh = uf.interval({"A": 1.0, "gap": 1.0, "B": 1.0}, size=0.5)
    keep = np.concatenate([mesh.subdomains["A"], mesh.subdomains["B"]])
    split = mesh.restrict(keep)
    materials = {"A": S, "B": F}
    split = split.with_subdomains({"A": lambda x: x[0] < 1, "B": lambda x: x[0] > 2})
    split = split.with_boundaries({"left": lambda x: np.isclose(x[0], 0)})
    with pytest.warns(UserWarning, match="without contact to any reservoir: 2 cells of region B"):
        uf.Device(split, materials, {"left": uf.Reservoir(1.0)})


@pytest.mark.parametrize("name", ["D", "N0", "tau_so", "tau_sf"])
@pytest.mark.parametrize("value", [np.nan, -1.0, 0.0])
def test_coefficients_that_must_be_positive_are_checked(name, value):
    with pytest.raises(uf.errors.DeviceError, match=f"{name} is {value}; allowed is a real number > 0"):
        uf.normal_metal(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("D", np.inf), ("depairing", -0.1), ("gap", np.nan), ("exchange", (0, 0, np.inf)), ("theta", np.nan), ("D", 1j)],
)
def test_coefficients_out_of_range_are_named(name, value):
    with pytest.raises(uf.errors.DeviceError, match=f"{name} is .*allowed is"):
        uf.normal_metal(**{name: value})


@pytest.mark.parametrize("value", [1.0, (1.0, 2.0), [[0, 0, 1]], "z"])
def test_exchange_needs_three_components(value):
    with pytest.raises(uf.errors.DeviceError, match="exchange"):
        uf.ferromagnet(exchange=value)


@pytest.mark.parametrize(
    "function", [lambda x: 1.0, lambda x: np.ones(7), lambda x: x, lambda x: None, lambda x: "one"]
)
def test_wrong_shaped_result_of_a_callable_is_named(mesh, function):
    with pytest.raises(uf.errors.DeviceError, match=r"region 'F': D"):
        uf.Device(mesh, {"S": S, "F": uf.normal_metal(D=function)})


def test_vector_callable_with_ragged_components_is_named(mesh):
    with pytest.raises(uf.errors.DeviceError, match="region 'F': exchange"):
        uf.Device(mesh, {"S": S, "F": uf.ferromagnet(exchange=lambda x: (x[0], 0.0, 1.0))})


def test_callable_that_fails_is_the_users_error_with_its_cause(mesh):
    with pytest.raises(uf.errors.DeviceError, match="region 'F': calling gap") as caught:
        uf.Device(mesh, {"S": S, "F": uf.superconductor(gap=lambda x: x[5])})
    assert isinstance(caught.value.__cause__, IndexError)


def test_callable_out_of_range_is_named(mesh):
    with pytest.raises(uf.errors.DeviceError, match=r"D is -.*allowed is a real number > 0"):
        uf.Device(mesh, {"S": S, "F": uf.normal_metal(D=lambda x: x[0] - 1.5)})


def test_nodal_array_of_the_wrong_length_is_named(mesh):
    with pytest.raises(uf.errors.DeviceError, match=f"array over 5 values; the mesh has {mesh.nvertices} vertices"):
        uf.Device(mesh, {"S": S, "F": uf.normal_metal(D=np.ones(5))})


@pytest.mark.parametrize("values", [{"gap": np.nan}, {"gap": 1.0, "phase": np.inf}, {"gap": 1.0, "exchange": (1, 2)}])
def test_reservoir_values_are_checked(values):
    with pytest.raises(uf.errors.DeviceError, match="reservoir"):
        uf.Reservoir(**values)


@pytest.mark.parametrize("phase", [lambda x: 0.0, lambda x: x, np.zeros(9)])
def test_reservoir_values_that_do_not_fit_the_contact_are_named_before_any_solve(mesh, phase):
    with pytest.raises(uf.errors.DeviceError, match="reservoir 'left': phase"):
        uf.Device(mesh, {"S": S, "F": F}, {"left": uf.Reservoir(1.0, phase)})


def test_contacts_that_meet_with_different_values_are_named():
    mesh = uf.rectangle({"N": 1.0}, width=1.0, size=0.5)
    contacts = {"left": uf.Reservoir(1.0, 0.0), "bottom": uf.Reservoir(1.0, 1.0)}
    with pytest.raises(uf.errors.DeviceError, match="'left' and 'bottom' touch at 1 nodes"):
        uf.solve_equilibrium(uf.Device(mesh, {"N": uf.normal_metal()}, contacts), 0.1)
