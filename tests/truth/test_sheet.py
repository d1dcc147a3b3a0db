"""The sheet magnetisation of screening currents against the London limit."""

import numpy as np
import pytest
import skfem

import usadelfem as uf

TEMPERATURE, FIELD = 0.3, 1e-3
# j = -2 Lambda A, Lambda = sigma (pi/2) gap tanh(gap/2T) with sigma = 2 and gap 1
STIFFNESS = np.pi * np.tanh(0.5 / TEMPERATURE)


def film(mesh):
    mesh = mesh.with_subdomains({"S": lambda x: x[0] < np.inf})
    return uf.solve_equilibrium(uf.Device(mesh, {"S": uf.superconductor(gap=1.0)}, B=FIELD), TEMPERATURE)


@pytest.fixture(scope="module")
def disc():
    return film(skfem.MeshTri1.init_circle(4).scaled(2.0))


@pytest.fixture(scope="module")
def ring():
    grid = skfem.MeshTri1.init_tensor(np.linspace(1.0, 2.0, 9), np.linspace(0, 2 * np.pi, 65))
    points = np.array([grid.p[0] * np.cos(grid.p[1]), grid.p[0] * np.sin(grid.p[1])])
    rounded, number = np.unique(points.round(9), axis=1, return_inverse=True)
    return film(skfem.MeshTri1(rounded, number.ravel()[grid.t]))


def test_a_disc_in_a_weak_field_is_that_of_london(disc):
    # j = -Lambda B r, g = -Lambda B (R^2 - r^2)/2, moment -pi Lambda B R^4/4
    g, radius = uf.sheet_magnetisation(disc), np.array([0.0, 0.5, 1.0, 1.5])
    expected = -STIFFNESS * FIELD * (4.0 - radius**2) / 2
    assert g.at(np.array([radius, 0 * radius])) == pytest.approx(expected, rel=1e-2)
    assert uf.magnetisation(disc) == pytest.approx(-np.pi * STIFFNESS * FIELD * 16 / 4, rel=1e-2)


def test_the_integral_of_the_sheet_magnetisation_is_the_moment(disc):
    assert uf.sheet_magnetisation(disc).integral() == pytest.approx(uf.magnetisation(disc), rel=1e-3)


def test_the_sheet_magnetisation_is_constant_in_a_hole_and_counts_there(ring):
    g = uf.sheet_magnetisation(ring)
    edge = g.nodal[np.hypot(*ring.device.mesh.p) < 1.01]
    assert np.ptp(edge) < 1e-2 * abs(edge.mean())
    area = 32 * np.sin(2 * np.pi / 64)
    assert g.integral() + edge.mean() * area == pytest.approx(uf.magnetisation(ring), rel=1e-2)


def test_currents_run_along_its_lines_and_between_them(disc):
    # the current between two points is the difference of g
    g = uf.sheet_magnetisation(disc)
    radius = np.linspace(0.5, 1.5, 201)
    across = uf.charge_current(disc).at(np.array([radius, 0 * radius]))[1]
    middle, edge = g.at(np.array([[0.5, 1.5], [0.0, 0.0]]))
    assert np.trapezoid(across, radius) == pytest.approx(middle - edge, rel=1e-2)


def test_lines_and_devices_with_contacts_have_none():
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)}
    line = uf.solve_equilibrium(uf.Device(uf.interval({"N": 1.0}, size=0.2), {"N": uf.normal_metal()}, contacts), 0.3)
    with pytest.raises(uf.errors.ObservableError, match="two-dimensional"):
        uf.sheet_magnetisation(line)
    mesh = uf.rectangle({"N": 1.0}, width=1.0, size=0.5)
    plane = uf.solve_equilibrium(uf.Device(mesh, {"N": uf.normal_metal()}, contacts), 0.3)
    with pytest.raises(uf.errors.ObservableError, match="contacts 'left', 'right'"):
        uf.sheet_magnetisation(plane)
