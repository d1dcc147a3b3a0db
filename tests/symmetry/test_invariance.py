"""What must not change when spins, phases or the mesh are rotated, and what must be conserved."""

from pathlib import Path

import numpy as np
import pytest
from devices import junction, rotation, sfs

import usadelfem as uf

MESHES = Path(__file__).parents[2] / "meshes"
AXES = {"x": ((1, 0, 0), np.pi / 2), "y": ((0, 1, 0), 1.1), "oblique": ((1, -2, 0.5), 2.3)}
OPTIONS = {"order": 2, "frequencies": 4}


def spiral(x):
    return 3.0 * np.array([np.cos(2 * x[0]), 0.3 + 0 * x[0], np.sin(2 * x[0])])


def scalars(eq):
    f = uf.pair_amplitude(eq, n=0).nodal
    spin = uf.spin_density(eq).integral()
    return {
        "current": uf.charge_current(eq).through("right"),
        "singlet": f[0],
        "triplet": (f[1:] ** 2).sum(axis=0),
        "spin": spin @ spin,
        "density of states": np.einsum("wiip->wp", eq.green([[0.3, 0.7]])[:, :2, :2]),
    }


@pytest.mark.parametrize(("axis", "angle"), AXES.values(), ids=AXES)
def test_rotating_every_spin_axis_leaves_scalars_unchanged(axis, angle):
    turn = rotation(axis, angle)
    materials = {"tau_so": 1.5, "tau_sf": 3.0, "depairing": 0.1}
    plain = uf.solve_equilibrium(sfs(exchange=spiral, **materials), 0.1, **OPTIONS)
    turned = uf.solve_equilibrium(sfs(exchange=lambda x: np.tensordot(turn, spiral(x), 1), **materials), 0.1, **OPTIONS)
    expected, obtained = scalars(plain), scalars(turned)
    for name, value in expected.items():
        assert np.abs(obtained[name] - value).max() < 1e-9, name


@pytest.mark.parametrize(("axis", "angle"), AXES.values(), ids=AXES)
def test_spin_vectors_rotate_with_the_spin_axes(axis, angle):
    turn = rotation(axis, angle)
    plain = uf.solve_equilibrium(sfs(exchange=spiral), 0.1, **OPTIONS)
    turned = uf.solve_equilibrium(sfs(exchange=lambda x: np.tensordot(turn, spiral(x), 1)), 0.1, **OPTIONS)
    for observable in (uf.spin_density, lambda eq: uf.spin_current(eq)):
        expected = np.tensordot(turn, observable(plain).nodal, 1)
        assert np.abs(observable(turned).nodal - expected).max() < 1e-9


def test_shifting_all_phases_changes_no_current():
    mesh = uf.interval({"S": 1.0, "F": 0.5}, size=0.1)

    def device(shift):
        materials = {"S": uf.superconductor(gap=0.7 * np.exp(1j * shift)), "F": uf.ferromagnet(exchange=(1, 0, 2))}
        return uf.Device(mesh, materials, {"right": uf.Reservoir(1.0, 0.9 + shift)})

    one, two = (uf.charge_current(uf.solve_equilibrium(device(s), 0.1, **OPTIONS)) for s in (0.0, 1.7))
    assert np.abs(one.nodal - two.nodal).max() < 1e-10


def test_reversing_phase_and_exchange_field_reverses_the_current():
    forward = uf.charge_current(uf.solve_equilibrium(sfs(1.0, exchange=(1, 2, 0.5)), 0.1, **OPTIONS))
    backward = uf.charge_current(uf.solve_equilibrium(sfs(-1.0, exchange=(-1, -2, -0.5)), 0.1, **OPTIONS))
    assert np.abs(forward.nodal + backward.nodal).max() < 1e-10


def test_no_phase_difference_no_current():
    current = uf.charge_current(uf.solve_equilibrium(sfs(0.0, exchange=spiral), 0.1, **OPTIONS))
    assert np.abs(current.nodal).max() < 1e-10


def test_collinear_junction_carries_no_spin_current():
    spin = uf.spin_current(uf.solve_equilibrium(sfs(1.0), 0.1, **OPTIONS))
    assert np.abs(spin.nodal).max() < 1e-12


def test_noncollinear_magnetisation_carries_an_equilibrium_spin_current():
    mesh = uf.interval({"F1": 0.5, "F2": 0.5}, size=0.05)
    materials = {"F1": uf.ferromagnet(exchange=(0, 0, 2)), "F2": uf.ferromagnet(exchange=(2, 0, 0))}
    eq = uf.solve_equilibrium(junction(mesh, materials, 0.8), 0.1)
    flow = uf.spin_current(eq).through("F1_F2")
    assert abs(flow[1]) > 1e-3  # along h1 x h2
    assert np.abs(flow[[0, 2]]).max() < 1e-10


def test_mirror_image_of_a_junction_carries_the_opposite_current():
    mesh = uf.rectangle({"A": 0.5, "B": 0.5}, width=0.5, size=0.125)
    a, b = uf.ferromagnet(exchange=(0, 0, 2)), uf.normal_metal(D=0.5)
    one, two = (
        uf.charge_current(uf.solve_equilibrium(junction(mesh, m, phase), 0.1, **OPTIONS))
        for m, phase in (({"A": a, "B": b}, 0.8), ({"A": b, "B": a}, -0.8))
    )
    x, y = np.random.default_rng(0).uniform(0.0, 0.5, (2, 50))
    jx, jy = one.at([1.0 - x, y])
    assert np.abs(np.array([-jx, jy]) - two.at([x, y])).max() < 1e-9


@pytest.fixture(scope="module")
def shipped():
    mesh = uf.read_mesh(MESHES / "sfs.msh")
    return uf.solve_equilibrium(junction(mesh, {"weak_link": uf.ferromagnet(exchange=(0, 0, 3.0))}, np.pi / 2), 0.1)


def cross_section(mesh, x):
    """Facets between the cells whose centres lie left and right of x."""
    left = mesh.p[0, mesh.t].mean(axis=0) < x
    first, second = mesh.f2t
    return np.flatnonzero((second >= 0) & (left[first] != left[second]))


@pytest.mark.parametrize("x", [-0.9, -0.5, -0.1, 0.0, 0.03, 0.4, 0.85])
def test_total_current_is_the_same_through_every_cross_section_of_the_shipped_mesh(shipped, x):
    current = uf.charge_current(shipped)
    critical = abs(current.through("right"))
    assert current.through(cross_section(shipped.device.mesh, x), into=(1.0, 0.0)) == pytest.approx(
        current.through("right"), abs=1e-6 * critical
    )
    assert current.through("left") == pytest.approx(-current.through("right"), abs=1e-10 * critical)


def test_local_current_integrates_to_the_consistent_flux(shipped):
    # integral of j_x over the volume = integral over x of the flux through each cross-section
    current = uf.charge_current(shipped)
    assert current.integral("weak_link")[0] == pytest.approx(2.0 * current.through("right"), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "region", "contacts"),
    [("cross", "N", ("left", "right", "bottom", "top")), ("wire", "weak_link", ("left", "right"))],
)
def test_currents_into_all_contacts_of_a_device_add_up_to_zero(name, region, contacts):
    mesh = uf.read_mesh(MESHES / f"{name}.msh")
    phases = np.linspace(0.0, 2.0, len(contacts))
    device = uf.Device(
        mesh, {region: uf.normal_metal()}, {c: uf.Reservoir(1.0, p) for c, p in zip(contacts, phases, strict=True)}
    )
    current = uf.charge_current(uf.solve_equilibrium(device, 0.1, order=1, frequencies=4))
    flows = np.array([current.through(c) for c in contacts])
    assert abs(flows.sum()) < 1e-10 * np.abs(flows).max()
    assert np.abs(flows).min() > 1e-3


def test_interface_fluxes_agree_between_layers_of_the_shipped_trilayer():
    mesh = uf.read_mesh(MESHES / "sfs_trilayer.msh")
    materials = {"S1": uf.normal_metal(D=2.0), "F": uf.ferromagnet(exchange=(0, 1, 1), N0=0.5), "S2": uf.normal_metal()}
    current = uf.charge_current(uf.solve_equilibrium(junction(mesh, materials, 1.0), 0.1, frequencies=4))
    flows = np.array([-current.through("left"), *(current.through(s) for s in ("S1_F", "F_S2", "right"))])
    assert np.ptp(flows) < 1e-9 * abs(flows[0])
