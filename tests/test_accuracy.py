"""Estimates of the error of an observable, and meshes refined where it pays."""

from dataclasses import replace

import numpy as np
import pytest
import skfem
from measures import area, volume

import usadelfem as uf

T = 0.2
pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")


def current(eq):
    return uf.charge_current(eq).through("right")


def sfs(mesh, **barrier):
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0, **barrier)}
    return uf.Device(mesh, {"F": uf.ferromagnet(exchange=(0, 0, 3.0))}, contacts)


def line(size):
    return sfs(uf.interval({"F": 1.0}, size))


def behind_barrier(size):
    return sfs(uf.interval({"F": 1.0}, size), barrier=uf.Tunnel(conductance=1.0))


def bilayer(size):
    materials = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(exchange=(0, 0, 2.0))}
    return uf.Device(uf.interval({"S": 3.0, "F": 1.0}, size), materials)


CASES = {
    "current": (line, current, {}),
    "linearised": (line, current, {"linearized": True}),
    "barrier": (behind_barrier, current, {}),
    "self-consistent": (bilayer, uf.free_energy, {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("order", "size"), [(1, 0.5), (1, 0.25), (1, 0.1), (2, 0.5), (2, 0.25), (2, 0.1)])
def test_estimates_are_within_a_factor_of_three_of_the_error(case, order, size):
    make, observable, options = CASES[case]
    eq = uf.solve_equilibrium(make(size), T, order=order, **options)
    error = observable(uf.solve_equilibrium(make(0.01), T, **options)) - observable(eq)
    assert 1 / 3 < uf.error_estimate(eq, observable) / error < 3


@pytest.mark.parametrize("kind", ["triangle", "quad", "tetrahedron", "hexahedron"])
def test_estimates_hold_in_two_and_three_dimensions(kind):
    builder = uf.rectangle if kind in ("triangle", "quad") else uf.box
    width = 0.5 if kind in ("triangle", "quad") else 0.25
    sizes = {"width": 0.5} if kind in ("triangle", "quad") else {"width": 0.5, "height": 0.5}
    eq = uf.solve_equilibrium(sfs(builder({"F": 1.0}, size=0.5, cell=kind, **sizes)), T, order=1)
    error = width * current(uf.solve_equilibrium(line(0.01), T)) - current(eq)
    assert 1 / 3 < uf.error_estimate(eq, current) / error < 3


def test_estimates_of_several_numbers_have_their_shape():
    found = uf.error_estimate(uf.solve_equilibrium(line(0.25), T), lambda eq: uf.pair_amplitude(eq).at([[0.3, 0.6]]))
    assert found.shape == (4, 2)


@pytest.mark.parametrize(
    ("arguments", "match"), [(("x", current), "eq is"), ((None, 3.0), "eq is"), ((0, 3.0), "observable")]
)
def test_estimates_need_an_equilibrium_and_a_function(arguments, match):
    first, second = arguments
    eq = uf.solve_equilibrium(line(0.5), T, frequencies=1) if first == 0 else first
    with pytest.raises(TypeError, match=match):
        uf.error_estimate(eq, second)


# Refined meshes

MESHES = {
    "line": uf.interval({"A": 1.0, "B": 0.5}, 0.25),
    "triangle": uf.rectangle({"A": 1.0, "B": 0.5}, 0.5, 0.25),
    "quad": uf.rectangle({"A": 1.0, "B": 0.5}, 0.5, 0.25, "quad"),
    "tetrahedron": uf.box({"A": 1.0, "B": 0.5}, 0.5, 0.5, 0.5),
    "hexahedron": uf.box({"A": 1.0, "B": 0.5}, 0.5, 0.5, 0.5, "hexahedron"),
}


def named(mesh):
    field = np.array([0 * mesh.p[0], 0 * mesh.p[0], mesh.p[0]])
    materials = {
        "A": uf.ferromagnet(exchange=field, D=1 + mesh.p[0]),
        "B": uf.superconductor(gap=0.3 + 0.1j * mesh.p[0]),
    }
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)}
    return uf.Device(mesh, materials, contacts, interfaces={"A_B": uf.Tunnel(conductance=2.0)})


def check_names(device, finer):
    assert finer.mesh.nelements > device.mesh.nelements
    assert set(finer.mesh.boundaries) == set(device.mesh.boundaries)
    for name, cells in device.mesh.subdomains.items():
        assert volume(finer.mesh, finer.mesh.subdomains[name]) == pytest.approx(volume(device.mesh, cells), rel=1e-12)
    for name, facets in device.mesh.boundaries.items():
        own = finer.mesh.boundaries[name]
        assert area(finer.mesh, own) == pytest.approx(area(device.mesh, facets), rel=1e-12)
        old, new = (m.p[:, m.facets[:, f]].reshape(m.dim(), -1) for m, f in ((device.mesh, facets), (finer.mesh, own)))
        np.testing.assert_allclose(new.min(axis=1), old.min(axis=1), atol=1e-12)
        np.testing.assert_allclose(new.max(axis=1), old.max(axis=1), atol=1e-12)
    x = finer.mesh.p[0]
    np.testing.assert_allclose(finer.materials["A"].exchange[2], x, atol=1e-12)
    np.testing.assert_allclose(finer.materials["A"].D, 1 + x, atol=1e-12)
    np.testing.assert_allclose(finer.materials["B"].gap, 0.3 + 0.1j * x, atol=1e-12)


@pytest.mark.parametrize("kind", MESHES)
def test_refinement_everywhere_keeps_names_and_nodal_coefficients(kind):
    device = named(MESHES[kind])
    check_names(device, uf.refine(device))


@pytest.mark.parametrize("kind", ["line", "triangle", "tetrahedron"])
def test_refinement_in_part_keeps_names_and_nodal_coefficients(kind):
    device = named(MESHES[kind])
    for _ in range(3):
        finer = uf.refine(device, uf.solve_equilibrium(device, 0.4, order=1, frequencies=2))
        check_names(device, finer)
        device = finer


@pytest.mark.parametrize("kind", ["quad", "hexahedron"])
def test_quadrilaterals_and_hexahedra_are_refined_as_a_whole_only(kind):
    device = named(MESHES[kind])
    with pytest.raises(uf.errors.DeviceError, match=r"refine\(device\)"):
        uf.refine(device, uf.solve_equilibrium(device, 0.4, order=1, frequencies=1))


def test_refinement_goes_by_a_result_of_the_same_mesh():
    with pytest.raises(uf.errors.DeviceError, match="another mesh"):
        uf.refine(line(0.25), uf.solve_equilibrium(line(0.25), T, frequencies=1))
    with pytest.raises(ValueError, match="fraction is 2"):
        uf.refine(line(0.25), uf.solve_equilibrium(line(0.25), T, frequencies=1), fraction=2)


def test_a_vacuum_is_left_alone_where_the_metal_is_refined():
    mesh = uf.rectangle({"A": 1.0, "air": 1.0}, 1.0, 0.25)
    materials = {"A": uf.superconductor(gap=1.0), "air": uf.materials.vacuum()}
    device = uf.Device(mesh, materials, {"left": uf.Reservoir(gap=0.0)})
    finer = uf.refine(device, uf.solve_equilibrium(device, T, frequencies=2), fraction=0.2)
    assert finer.mesh.nelements > mesh.nelements
    assert len(finer.mesh.subdomains["air"]) == len(mesh.subdomains["air"])


def test_self_consistent_gaps_are_solved_for_on_the_refined_mesh_from_the_old_gap():
    device = bilayer(0.5)
    eq = uf.solve_equilibrium(device, T)
    finer = uf.refine(device, eq)
    finer = uf.refine(finer, uf.solve_equilibrium(finer, T, initial=eq))
    again = uf.solve_equilibrium(finer, T, initial=eq)
    exact = uf.free_energy(uf.solve_equilibrium(bilayer(0.01), T))
    assert abs(uf.free_energy(again) - exact) < 0.5 * abs(uf.free_energy(eq) - exact)


def corner(parts):
    """An L of a ferromagnet whose inner corner spoils the order of convergence."""
    mesh = uf.rectangle({"F": 2.0}, 2.0, 2.0 / parts)
    mesh = mesh.restrict(np.flatnonzero((mesh.p[:, mesh.t].mean(axis=1) < 1).any(axis=0)))
    mesh = replace(mesh, _subdomains={"F": np.arange(mesh.nelements)}, _boundaries=None)
    mesh = mesh.with_boundaries({"left": lambda x: x[1] == 2, "right": lambda x: x[0] == 2})
    return sfs(skfem.MeshTri1(mesh.p, mesh.t, _subdomains=mesh.subdomains, _boundaries=mesh.boundaries))


@pytest.mark.slow
def test_refinement_where_it_matters_beats_refinement_everywhere():
    device = corner(16)
    for _ in range(8):
        device = uf.refine(device, uf.solve_equilibrium(device, T))
    exact = current(uf.solve_equilibrium(device, T))
    everywhere = uf.solve_equilibrium(corner(16), T)
    device = corner(4)
    eq = uf.solve_equilibrium(device, T)
    for _ in range(5):
        device = uf.refine(device, eq)
        eq = uf.solve_equilibrium(device, T)
    assert eq.riccati.shape[1] < everywhere.riccati.shape[1]
    assert abs(current(eq) - exact) < 0.3 * abs(current(everywhere) - exact)
