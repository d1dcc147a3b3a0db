"""Spin-orbit coupling and gauge fields of a device: what is accepted, what the kernels get, what is refused."""

import numpy as np
import pytest
from devices import junction

import usadelfem as uf
from usadelfem.fem.cells import GAUGE, LINEAR, SPIN_CHARGE
from usadelfem.fem.coefficients import point_coefficients, spin_hall_tensors
from usadelfem.physics.columns import LOCAL
from usadelfem.space.space import build_space

MESH = uf.rectangle({"A": 0.5, "B": 0.5}, width=0.5, size=0.25)
BOX = uf.box({"A": 0.5}, width=0.5, height=0.5, size=0.25)


def coefficients(mesh, materials, **options):
    linearized = options.pop("linearized", False)
    device = uf.Device(mesh, materials, **options)
    return point_coefficients(device, build_space(mesh, 1), linearized=linearized)


def test_cells_without_spin_orbit_coupling_skip_its_terms():
    c = coefficients(MESH, {"A": uf.normal_metal(theta=0.3), "B": uf.normal_metal(rashba=0.2)})
    kinds = {name: set(c.kinds[MESH.subdomains[name]]) for name in ("A", "B")}
    assert kinds == {"A": {SPIN_CHARGE}, "B": {GAUGE}}


def test_a_plain_device_has_no_further_columns():
    c = coefficients(MESH, {"A": uf.normal_metal(), "B": uf.normal_metal()}, linearized=True)
    assert c.table.shape[2] == len(LOCAL)
    assert set(c.kinds) == {LINEAR}


def test_isotropic_coupling_needs_one_channel_per_pair_of_axes_and_a_tensor_two():
    tensor = np.zeros((2, 2, 3))
    tensor[0, 1], tensor[1, 0] = (0.1, 0.2, 0.0), (-0.1, -0.2, 0.0)
    isotropic = {"theta": 0.3, "kappa": 0.1}
    for material, mesh, count in (
        ({}, MESH, 0), (isotropic, MESH, 1), (isotropic, BOX, 3), ({"spin_hall_tensor": tensor, "kappa": 0.1}, MESH, 2),
    ):  # fmt: skip
        materials = {name: uf.normal_metal(**material) for name in mesh.subdomains}
        assert len(coefficients(mesh, materials).pairs) == count


def test_tensors_at_the_points_are_those_of_the_materials():
    tensor = np.random.default_rng(0).normal(size=(3, 3, 3))
    tensor -= tensor.swapaxes(0, 1)
    c = coefficients(BOX, {"A": uf.normal_metal(theta=0.3, kappa=-0.2, spin_hall_tensor=tensor)})
    theta, kappa = spin_hall_tensors(c, 3)
    assert theta[1, 2, 0, 0, 0] == pytest.approx(0.3 + tensor[1, 2, 0])
    assert np.allclose(theta[..., 5, 1] - tensor, -1.5 * kappa[..., 5, 1])
    assert kappa[0, 2, 1, 0, 0] == pytest.approx(0.2)


def test_nodal_arrays_and_callables_are_the_same_coefficients():
    field = np.array([MESH.p[1], 0 * MESH.p[0] + 0.2])
    tensor = np.zeros((2, 2, 3, MESH.nvertices))
    tensor[0, 1, 2], tensor[1, 0, 2] = MESH.p[0], -MESH.p[0]
    material = uf.normal_metal(spin_hall_tensor=tensor, rashba=MESH.p[0])
    nodal = coefficients(MESH, {"A": material, "B": material}, A=field)

    def hall(x):
        zero = 0 * x[0]
        row = np.array([[zero, zero, zero], [zero, zero, x[0]]])
        return np.array([row, [-row[1], row[0]]])

    material = uf.normal_metal(spin_hall_tensor=hall, rashba=lambda x: x[0])
    called = coefficients(MESH, {"A": material, "B": material}, A=lambda x: np.array([x[1], 0 * x[0] + 0.2]))
    assert np.allclose(nodal.table, called.table, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("growth", "axis", "components"), [("z", 0, (0, -2, 0)), ("x", 1, (0, 0, -2)), ("y", 2, (-2, 0, 0))]
)
def test_rashba_field_follows_the_growth_axis(growth, axis, components):
    # SU_u = -alpha sigma_v with u, v, growth axis in cyclic order; components are those with sigma_a/2
    c = coefficients(BOX, {"A": uf.normal_metal(rashba=1.0, growth_axis=growth)})
    assert np.allclose(c.gauge[0, 0, axis, 1:], components)


def test_theta_does_nothing_in_one_dimension():
    mesh = uf.interval({"F": 1.0}, size=0.25)
    one, two = (
        uf.solve_equilibrium(
            junction(mesh, {"F": uf.ferromagnet(exchange=(1, 0, 2), theta=t)}, 1.0), 0.2, frequencies=2
        )
        for t in (0.0, 0.4)
    )
    assert np.array_equal(one.riccati, two.riccati)


def test_uniform_vector_potential_is_a_phase_gradient():
    # in 1D A can be gauged away: a phase difference of 2 A L
    mesh = uf.interval({"N": 1.0}, size=0.02)
    metal = {"N": uf.normal_metal()}
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)}
    with_field = uf.solve_equilibrium(uf.Device(mesh, metal, contacts, A=(0.4,)), 0.2, frequencies=4)
    with_phase = uf.solve_equilibrium(junction(mesh, metal, -0.8), 0.2, frequencies=4)
    expected = uf.charge_current(with_phase).through("right")
    assert uf.charge_current(with_field).through("right") == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("material", "message"),
    [
        ({"spin_hall_tensor": np.ones((2, 2, 3))}, "spin_hall_tensor is not antisymmetric"),
        ({"spin_hall_tensor": np.zeros((2, 3))}, "spin_hall_tensor has shape"),
        ({"su2": np.zeros((2, 2))}, "su2 has shape"),
        ({"su2": [(0, 0, np.nan), (0, 0, 0)]}, "su2 is nan"),
        ({"growth_axis": "w"}, "growth_axis is 'w'; allowed are 'x', 'y' and 'z'"),
        ({"rashba": 1j}, "rashba is 1j"),
        ({"theta": np.inf}, "theta is inf"),
    ],
)
def test_bad_material_is_refused_where_it_is_written(material, message):
    with pytest.raises(uf.errors.DeviceError, match=message):
        uf.normal_metal(**material)


@pytest.mark.parametrize(
    ("material", "options", "message"),
    [
        ({"su2": np.zeros((3, 3))}, {}, "su2 has shape .3, 3.; on this mesh of dimension 2 it is .2, 3."),
        ({"spin_hall_tensor": lambda x: np.ones((2, 2, 3, *x.shape[1:]))}, {}, "'A': spin_hall_tensor is not antisym"),
        ({}, {"A": (1.0, 2.0, 3.0)}, "device: A has shape"),
        ({}, {"A": lambda x: x[0]}, "device: A.x. returned shape"),
        ({}, {"plane": "zx"}, "plane is 'zx'; allowed are 'xy', 'xz' and 'yz'"),
    ],
)
def test_bad_device_is_refused(material, options, message):
    metal = uf.normal_metal(**material)
    with pytest.raises(uf.errors.DeviceError, match=message):
        uf.Device(MESH, {"A": metal, "B": metal}, **options)


def test_plane_is_for_two_dimensional_meshes():
    with pytest.raises(uf.errors.DeviceError, match="two-dimensional"):
        uf.Device(BOX, {"A": uf.normal_metal()}, plane="xz")


@pytest.mark.parametrize("make", [uf.superconductor, uf.ferromagnet])
def test_superconductors_need_a_gap_and_ferromagnets_a_field(make):
    with pytest.raises(uf.errors.DeviceError, match="needs"):
        make(D=2.0)


def test_only_a_reservoir_has_a_phase():
    metal = uf.normal_metal()
    device = uf.Device(MESH, {"A": metal, "B": metal}, {"left": uf.CurrentContact()})
    with pytest.raises(uf.errors.DeviceError, match="only a Reservoir has a phase"):
        device.with_phase("left", 0.3)
