"""What travels between processes: devices, results and errors are the same on the other side."""

import pickle

import cloudpickle
import numpy as np
import pytest
from devices import sfs

import usadelfem as uf

DUMPS = {"pickle": pickle.dumps, "protocol 5": lambda thing: pickle.dumps(thing, 5), "cloudpickle": cloudpickle.dumps}
MESHES = {
    "line": lambda: uf.interval({"S": 1.0, "F": 1.0}, size=0.25),
    "triangle": lambda: uf.rectangle({"S": 1.0, "F": 1.0}, size=0.5),
    "quad": lambda: uf.rectangle({"S": 1.0, "F": 1.0}, size=0.5, cell="quad"),
    "tetra": lambda: uf.box({"S": 1.0, "F": 1.0}, size=0.5),
    "hexahedron": lambda: uf.box({"S": 1.0, "F": 1.0}, size=0.5, cell="hexahedron"),
}


def full_device():
    """A device with something of every kind: vacuum, nodal arrays, a texture, barriers, a field."""
    mesh = uf.rectangle({"S": 1.0, "F": 1.0, "V": 1.0}, size=0.5)
    materials = {
        "S": uf.superconductor(gap=np.linspace(0.5, 1.0, mesh.nvertices)),
        "F": uf.ferromagnet(exchange=uf.textures.spiral(1.0, wavevector=(1.0, 0.0, 0.0)), D=0.5),
        "V": uf.materials.vacuum(),
    }
    barrier = uf.Nazarov(conductance=1.0, transparencies=(0.1, 0.9))
    interfaces = {("S", "F"): uf.SpinActive(conductance=1.0, mixing=0.5)}
    return uf.Device(mesh, materials, {"left": uf.Reservoir(1.0, barrier=barrier)}, interfaces, B=0.1)


@pytest.fixture(scope="module")
def eq():
    return uf.solve_equilibrium(sfs(), 0.2, order=1, frequencies=2)


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_a_device_comes_back_with_the_same_description(dump):
    device = full_device()
    back = pickle.loads(dump(device))
    assert repr(back) == repr(device)
    assert np.array_equal(back.mesh.p, device.mesh.p)
    assert np.array_equal(back.sample_vertices, device.sample_vertices)


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_arrays_of_a_device_that_comes_back_are_read_only(dump):
    back = pickle.loads(dump(full_device()))
    with pytest.raises(ValueError, match="read-only"):
        back.materials["S"].gap[0] = 2.0


def test_the_mappings_of_a_device_are_read_only():
    device = pickle.loads(pickle.dumps(full_device()))
    with pytest.raises(TypeError, match="does not support item assignment"):
        device.materials["S"] = uf.normal_metal()


def test_the_mappings_of_a_device_compare_like_dicts():
    device = full_device()
    assert device.materials == dict(device.materials)
    assert {**device.contacts} == device.contacts


@pytest.mark.parametrize("kind", MESHES)
def test_a_mesh_comes_back_with_its_names(kind):
    mesh = MESHES[kind]()
    back = pickle.loads(pickle.dumps(mesh))
    assert type(back) is type(mesh)
    assert np.array_equal(back.t, mesh.t)
    for own, other in ((mesh.subdomains, back.subdomains), (mesh.boundaries, back.boundaries)):
        assert {name: list(rows) for name, rows in own.items()} == {name: list(rows) for name, rows in other.items()}


def test_what_a_mesh_has_computed_does_not_travel():
    mesh = MESHES["triangle"]()
    before = len(pickle.dumps(mesh))
    uf.Device(mesh, {"S": uf.normal_metal(), "F": uf.normal_metal()}, {"left": uf.Reservoir(1.0)})
    assert len(pickle.dumps(mesh)) < 2 * before


def test_coefficients_that_are_lambdas_travel_with_cloudpickle():
    strength = 2.0
    device = sfs(exchange=lambda x: np.array([0 * x[0], 0 * x[0], strength * x[0]]))
    back = pickle.loads(cloudpickle.dumps(device))
    assert back.materials["F"].exchange(np.array([[0.5]])).tolist() == [[0.0], [0.0], [1.0]]


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_an_equilibrium_comes_back_with_the_same_current(dump, eq):
    back = pickle.loads(dump(eq))
    assert uf.charge_current(back).through("right") == uf.charge_current(eq).through("right")


def test_a_solve_can_start_from_an_equilibrium_that_comes_back():
    device = uf.Device(uf.interval({"S": 1.0}, size=0.25), {"S": uf.superconductor(Tc=1.0)})
    eq = uf.solve_equilibrium(device, 0.5, order=1)
    again = uf.solve_equilibrium(device, 0.5, order=1, initial=pickle.loads(pickle.dumps(eq)))
    assert uf.gap(again).nodal == pytest.approx(uf.gap(eq).nodal, rel=1e-7)


def test_an_equilibrium_with_screening_comes_back_with_the_same_field():
    device = uf.Device(uf.rectangle({"S": 2.0}, 2.0, 1.0), {"S": uf.superconductor(Tc=1.0)}, B=0.1)
    eq = uf.solve_equilibrium(device, 0.5, order=1, screening=True, penetration_depth=1.0)
    field, back = (uf.magnetic_field(own).quadrature for own in (eq, pickle.loads(pickle.dumps(eq))))
    assert np.array_equal(back, field)


@pytest.mark.parametrize("observable", [uf.charge_current, uf.spin_density, uf.pair_amplitude])
def test_a_field_comes_back_with_the_same_values(observable, eq):
    field = observable(eq)
    back = pickle.loads(cloudpickle.dumps(field))
    assert np.array_equal(back.nodal, field.nodal)
    assert not back.quadrature.flags.writeable


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_a_solve_error_comes_back_with_its_attributes_and_notes(dump):
    error = uf.errors.SolveError("diverged", frequency=1.5, residuals=(1.0, 2.0), state=np.ones(3))
    error.add_note("at phi = 1")
    back = pickle.loads(dump(error))
    assert (str(back), back.frequency, back.residuals, back.__notes__) == ("diverged", 1.5, (1.0, 2.0), ["at phi = 1"])
    assert np.array_equal(back.state, error.state)


@pytest.mark.parametrize("kind", [uf.errors.DeviceError, uf.errors.MeshError, uf.errors.ObservableError])
def test_the_other_errors_come_back_with_their_message(kind):
    back = pickle.loads(pickle.dumps(kind("no region 'X'")))
    assert (type(back), str(back)) == (kind, "no region 'X'")
