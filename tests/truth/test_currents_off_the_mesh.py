"""Currents along axes on which nothing depends: the spin Hall effect normal to a film."""

import numpy as np
import pytest

import usadelfem as uf

SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
EPS = np.zeros((3, 3, 3))
for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    EPS[i, j, k], EPS[j, i, k] = 1, -1


@pytest.mark.parametrize(
    ("mesh", "plane"),
    [
        (uf.interval({"N": 2.0}, size=0.5), "xy"), (uf.rectangle({"N": 2.0}, width=1.0, size=0.5), "xy"),
        (uf.rectangle({"N": 2.0}, width=1.0, size=0.5), "xz"),
    ],
)  # fmt: skip
def test_a_charge_current_drives_spin_currents_across_it(mesh, plane):
    # j_k^b = N0 D theta eps_bkj d_j mu (theory, normal state), with mu falling by 1 over the length 2 along x
    material = uf.normal_metal(D=3.0, N0=0.5, theta=0.2, tau_so=1e-6)  # spins relax at once: no accumulation
    ends = {"left": uf.NormalContact(potential=1.0), "right": uf.NormalContact()}
    device = uf.Device(mesh, {"N": material}, ends, plane=plane)
    current = uf.spin_current(uf.solve_normal_state(device), components="all")
    order = ["xyz".index(name[-1]) for name in current.components[:3]]
    expected = 0.5 * 3.0 * 0.2 * EPS[:, order, 0] * -0.5
    centre = mesh.p.mean(axis=1)[:, None]
    assert current.at(centre)[..., 0] == pytest.approx(expected, abs=1e-5)
    assert abs(expected).max() == pytest.approx(0.15)


def explicit(eq, point, theta, kappa):
    """Charge (3,) and spin currents (3, 3) from 4x4 matrices, with difference quotients of g along the mesh."""
    spin, tau3 = np.array([np.kron(np.eye(2), s) for s in SIGMA]), np.diag([1, 1, -1, -1])
    h, dim = 1e-4, len(point)
    g = eq.green(np.array(point)[:, None])[..., 0]
    dg = np.zeros((3, *g.shape), complex)
    for axis in range(dim):
        ends = (np.array(point) + s * h * np.eye(dim)[axis] for s in (1, -1))
        plus, minus = (eq.green(end[:, None])[..., 0] for end in ends)
        dg[axis] = (plus - minus) / (2 * h)
    charge, spins = np.zeros(3), np.zeros((3, 3))
    for n, weight in enumerate(eq.weights):
        vertices = [(s + g[n] @ s @ g[n]) / 2 for s in spin]
        for z in range(3):
            current = g[n] @ dg[z, n]
            for a, j in np.ndindex(3, 3):
                product = g[n] @ dg[j, n]
                current = current - theta / 2 * EPS[a, z, j] * (dg[j, n] @ vertices[a] + vertices[a] @ dg[j, n])
                current = current - 0.5j * kappa * EPS[a, z, j] * (product @ vertices[a] - vertices[a] @ product)
            scale = -1j * np.pi * eq.temperature * weight * -1.0
            charge[z] += (scale * np.trace(tau3 @ current)).real
            spins[:, z] += [(scale * np.trace(s / 2 @ current)).real for s in spin]
    return charge, spins


@pytest.mark.parametrize("mesh", [uf.interval({"F": 1.0}, 0.02), uf.rectangle({"F": 1.0}, width=0.5, size=0.1)])
def test_the_supercurrent_normal_to_a_film_is_that_of_explicit_matrices(mesh):
    # a field in the plane that turns along the junction, as in a strip with in-plane magnetisation
    field = uf.ferromagnet(exchange=lambda x: np.array([np.cos(x[0]), np.sin(x[0]), 0 * x[0]]), theta=0.3, kappa=0.2)
    ends = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.5)}
    eq = uf.solve_equilibrium(uf.Device(mesh, {"F": field}, ends), 0.2)
    point = [0.43, 0.22][: mesh.dim()]
    charge, spins = explicit(eq, point, 0.3, 0.2)
    found = uf.charge_current(eq, components="all").at(np.array(point)[:, None])[:, 0]
    assert abs(charge[2]) > 1e-3
    assert found[2] == pytest.approx(charge[2], rel=0.02)
    found = uf.spin_current(eq, components="all").at(np.array(point)[:, None])[..., 0]
    assert found[:, 2] == pytest.approx(spins[:, 2], rel=0.02, abs=2e-4)


def test_without_spin_charge_coupling_nothing_flows_off_the_mesh():
    mesh = uf.rectangle({"F": 1.0}, width=0.5, size=0.25)
    ends = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.5)}
    eq = uf.solve_equilibrium(uf.Device(mesh, {"F": uf.ferromagnet(exchange=(1.0, 0.0, 0.0))}, ends), 0.2)
    current = uf.charge_current(eq, components="all")
    assert current.components == ("x", "y", "z")
    assert not current.quadrature[2].any()
    assert current.through("left") == uf.charge_current(eq).through("left")


def test_components_are_of_the_mesh_or_all():
    mesh = uf.interval({"N": 1.0}, size=0.25)
    eq = uf.solve_equilibrium(uf.Device(mesh, {"N": uf.normal_metal()}, {"left": uf.Reservoir(gap=1.0)}), 0.2)
    with pytest.raises(uf.errors.ObservableError, match=r"components .*'z'"):
        uf.charge_current(eq, components="z")
