"""What vanishes by mirrors, time reversal and spin rotations in strips and junctions with spin-orbit coupling."""

from dataclasses import replace

import numpy as np
import pytest

import usadelfem as uf

T = 0.2
WIDTH = 0.6
# squares in a regular grid: the mirrors x -> 1 - x and y -> WIDTH - y map the mesh onto itself
MESH = uf.rectangle({"N": 1.0}, width=WIDTH, size=0.2, cell="quad")


def middle(x):
    return x[1] / WIDTH - 0.5


def junction(phase, **coefficients):
    contacts = {"left": uf.Reservoir(1.0, -phase / 2), "right": uf.Reservoir(1.0, phase / 2)}
    device = uf.Device(MESH, {"N": uf.normal_metal(**coefficients)}, contacts)
    return uf.solve_equilibrium(device, T, frequencies=4)


def current(phase, **coefficients):
    return uf.charge_current(junction(phase, **coefficients)).through("right")


def hall(strength):
    tensor = np.zeros((2, 2, 3))
    tensor[0, 1, 2], tensor[1, 0, 2] = strength, -strength
    return tensor


ODD, EVEN = (lambda x: 0.8 * middle(x)), (lambda x: 0.8 * abs(middle(x)))
ANOMALOUS = {
    # couplings with an anomalous current at zero phase, and changes that reverse it or remove it
    "graded theta": {"theta": ODD, "exchange": (0, 0, 1.5)},
    "rashba with field strength": {"rashba": 0.8, "spin_hall_tensor": hall(0.1), "exchange": (0, 1.5, 0)},
}
REVERSED = {
    "graded theta": [{"theta": lambda x: -ODD(x)}, {"exchange": (0, 0, -1.5)}],
    "rashba with field strength": [{"rashba": -0.8}, {"spin_hall_tensor": hall(-0.1)}, {"exchange": (0, -1.5, 0)}],
}
ABSENT = {
    "graded theta": [{"theta": 0.0}, {"theta": EVEN}, {"theta": 0.4}, {"exchange": (0, 0, 0)}, {"exchange": (1.5, 0,
    0)}], "rashba with field strength": [
        {"rashba": 0.0}, {"spin_hall_tensor": None}, {"exchange": (0, 0, 0)}, {"exchange": (1.5, 0, 0)},
        {"exchange": (0, 0, 1.5)},
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ANOMALOUS)
def test_anomalous_current_flows_at_zero_phase(name):
    assert abs(current(0.0, **ANOMALOUS[name])) > 1e-3


@pytest.mark.parametrize(("name", "change"), [(name, c) for name, changes in REVERSED.items() for c in changes])
def test_anomalous_current_is_odd_in_each_of_its_causes(name, change):
    one, two = current(0.0, **ANOMALOUS[name]), current(0.0, **ANOMALOUS[name] | change)
    assert abs(one + two) < 1e-9


@pytest.mark.parametrize(("name", "change"), [(name, c) for name, changes in ABSENT.items() for c in changes])
def test_anomalous_current_needs_all_of_its_causes(name, change):
    assert abs(current(0.0, **ANOMALOUS[name] | change)) < 1e-9


@pytest.mark.parametrize("name", ANOMALOUS)
def test_time_reversal_turns_phase_field_and_current_around(name):
    field = -np.array(ANOMALOUS[name]["exchange"])
    forward, backward = current(0.7, **ANOMALOUS[name]), current(-0.7, **ANOMALOUS[name] | {"exchange": field})
    assert abs(forward + backward) < 1e-9


def test_supercurrent_leaves_opposite_normal_spins_at_the_edges():
    eq = junction(0.9, theta=0.3)
    x, y = np.linspace(0.1, 0.9, 9), np.linspace(0.02, WIDTH - 0.02, 9)
    spin = uf.spin_density(eq)
    one, two = spin.at([x, y]), spin.at([x, WIDTH - y])
    assert np.abs(one[2]).max() > 1e-3
    assert np.abs(one[2] + two[2]).max() < 1e-9
    assert np.abs(one[:2]).max() < 1e-9


@pytest.mark.parametrize("change", [{"theta": 0.0}, {"phase": 0.0}])
def test_no_spin_without_theta_or_without_a_current(change):
    options = {"phase": 0.9, "theta": 0.3} | change
    assert np.abs(uf.spin_density(junction(**options)).nodal).max() < 1e-9


def test_spin_hall_response_and_spin_galvanic_response_are_reciprocal():
    # the current at zero phase made by a weak splitting b(x) and the spin made by a weak phase (validation.md 21):
    # both are the mixed derivative of the free energy with respect to the phase and the splitting
    b, small = (lambda x: middle(x)), 1e-4
    theta = {"theta": 0.5}
    current_by_splitting = current(0.0, exchange=lambda x: small * np.array([0 * x[0], 0 * x[0], b(x)]), **theta)
    spin = uf.spin_density(junction(small, **theta))
    weight = b(spin.space.points())
    moment = np.einsum("cq,cq,cq->", spin.quadrature[2], weight, spin.space.dx)
    # dE = I dphi/2e - (hbar/2) S.h: a splitting along h couples to S/1 in units of hbar/2, a phase to I/2
    assert abs(moment) > 1e-7
    assert current_by_splitting / 2 == pytest.approx(-moment, rel=1e-3)


def test_mesh_in_another_plane_is_the_same_device_with_renamed_axes():
    def solve(plane, field):
        contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 0.6)}
        metal = uf.normal_metal(theta=ODD, kappa=0.3, exchange=field)
        return uf.solve_equilibrium(uf.Device(MESH, {"N": metal}, contacts, plane=plane), T, frequencies=3)

    # eps_xyz = 1, eps_xzy = -1: in the plane xz the normal is -y
    xy, xz, yz = (solve(p, h) for p, h in (("xy", (0.2, 0.3, 1.0)), ("xz", (0.2, -1.0, 0.3)), ("yz", (1.0, 0.2, 0.3))))
    flow = uf.charge_current(xy).through("right")
    assert uf.charge_current(xz).through("right") == pytest.approx(flow, abs=1e-10)
    assert uf.charge_current(yz).through("right") == pytest.approx(flow, abs=1e-10)
    spin = uf.spin_density(xy).nodal
    assert np.abs(uf.spin_density(xz).nodal - [spin[0], -spin[2], spin[1]]).max() < 1e-9
    assert np.abs(uf.spin_density(yz).nodal - [spin[2], spin[0], spin[1]]).max() < 1e-9


def test_vortex_torque_is_across_the_field_odd_in_winding_and_field():
    mesh = uf.rectangle({"S": 4.0}, width=4.0, size=0.5, cell="quad")

    def torque(n, h, theta=0.2, strength=1.0):
        def gap(x):
            u, v = x[0] - 2.0, x[1] - 2.0
            return strength * np.tanh(np.hypot(u, v)) ** abs(n) * np.exp(1j * n * np.arctan2(v, u))

        material = uf.superconductor(gap=gap, exchange=h, theta=theta)
        eq = uf.solve_equilibrium(uf.Device(mesh, {"S": material}), T, frequencies=3)
        return uf.spin_orbit_torque(eq).integral()

    plain = torque(1, (0.3, 0, 0))
    assert plain[1] > 0.05
    assert np.abs(plain[[0, 2]]).max() < 1e-9
    assert np.abs(torque(-1, (0.3, 0, 0)) + plain).max() < 1e-9
    assert np.abs(torque(1, (-0.3, 0, 0)) + plain).max() < 1e-9
    assert np.abs(torque(1, (0, 0.3, 0)) - [-plain[1], 0, 0]).max() < 1e-9
    for nothing in (torque(1, (0, 0, 0.3)), torque(1, (0.3, 0, 0), strength=0.0), torque(0, (0.3, 0, 0))):
        assert np.abs(nothing).max() < 1e-9


def test_spin_accumulation_of_a_hall_bar_is_odd_under_the_mirror_and_the_current():
    def bar(total):
        contacts = {"left": uf.CurrentContact(current=total), "right": uf.CurrentContact(current=-total)}
        metal = uf.normal_metal(theta=0.2, kappa=0.1, tau_so=0.1)
        return uf.spin_accumulation(uf.solve_normal_state(uf.Device(MESH, {"N": metal}, contacts)))

    x, y = np.linspace(0.1, 0.9, 9), np.linspace(0.0, WIDTH, 9)
    s = bar(1.0)
    assert np.abs(s.at([x, y])[2]).max() > 1e-3
    assert np.abs(s.at([x, y])[2] + s.at([x, WIDTH - y])[2]).max() < 1e-9
    assert np.abs(s.nodal[:2]).max() < 1e-9
    assert np.abs(s.nodal + bar(-1.0).nodal).max() < 1e-9


def test_spin_balance_of_the_recovered_current_closes_under_refinement():
    # around one half of a film with a vortex: the surface integral of the smoothed current against the torques inside
    def gap(x):
        u, v = x[0] - 2.0, x[1] - 2.0
        return np.tanh(np.hypot(u, v)) * np.exp(1j * np.arctan2(v, u))

    def defect(size):
        mesh = uf.rectangle({"A": 2.5, "B": 1.5}, width=4.0, size=size, cell="quad")
        material = uf.superconductor(gap=gap, exchange=(0.3, 0.1, 0.2), theta=0.3, tau_so=2.0)
        eq = uf.solve_equilibrium(uf.Device(mesh, {"A": material, "B": material}), T, frequencies=2)
        inside = uf.spin_torque(eq).integral("A")
        flow = uf.spin_current(eq)
        assert np.abs(flow.through("A_B") - inside).max() < 1e-10
        return np.abs(replace(flow, flux=lambda section: None).through("A_B") - inside).max() / np.abs(inside).max()

    assert defect(0.25) < 0.5 * defect(0.5)


def strip(strength, theta=0.3, axis=2):
    """An isolated superconducting strip whose splitting is strongest in the middle."""

    def splitting(x):
        return strength * np.exp(-8 * middle(x) ** 2) * np.eye(3)[axis].reshape(3, *(1,) * (x.ndim - 1))

    material = uf.superconductor(gap=1.0, exchange=splitting, theta=theta)
    eq = uf.solve_equilibrium(uf.Device(MESH, {"N": material}), T, frequencies=4)
    x, y = np.full(9, 0.5), np.linspace(0.02, WIDTH - 0.02, 9)
    return uf.charge_current(eq).at([x, y])


def test_spin_galvanic_currents_of_the_two_edges_are_opposite_and_odd_in_their_causes():
    j = strip(0.5)
    assert np.abs(j[0]).max() > 1e-3
    assert np.abs(j[0] + j[0][::-1]).max() < 1e-9
    assert np.abs(j[1]).max() < 1e-9  # the strip is symmetric end to end
    assert np.abs(j + strip(-0.5)).max() < 1e-9


@pytest.mark.parametrize("change", [{"theta": 0.0}, {"axis": 0}, {"axis": 1}, {"strength": 0.0}])
def test_spin_galvanic_currents_need_theta_and_a_normal_splitting(change):
    assert np.abs(strip(**{"strength": 0.5} | change)).max() < 1e-9


def test_spins_at_the_faces_of_a_heavy_metal_in_three_dimensions_circulate_around_the_current():
    mesh = uf.box({"F": 0.4, "HM": 0.8}, width=0.8, height=0.8, size=0.4, cell="hexahedron")

    def circulating(phase, theta=0.3):
        metals = {"F": uf.ferromagnet(exchange=(1.0, 0, 0)), "HM": uf.normal_metal(theta=theta, kappa=0.1)}
        contacts = {"left": uf.Reservoir(1.0, -phase / 2), "right": uf.Reservoir(1.0, phase / 2)}
        eq = uf.solve_equilibrium(uf.Device(mesh, metals, contacts), T, frequencies=2)
        faces = [[0.8, 0.8, 0.8, 0.8], [0.0, 0.8, 0.4, 0.4], [0.4, 0.4, 0.0, 0.8]]  # y = 0, W; z = 0, W
        s = uf.spin_density(eq).at(faces)
        return np.array([-s[2, 0], s[2, 1], s[1, 2], -s[1, 3]])

    s = circulating(1.0)
    assert abs(s[0]) > 1e-3
    assert np.ptp(s) < 1e-9  # a quarter turn about x maps the device onto itself
    assert np.abs(s + circulating(-1.0)).max() < 1e-9
    assert np.abs(circulating(1.0, theta=0.0)).max() < 1e-9
