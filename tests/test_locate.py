"""Where points lie in a mesh: every point in a cell that holds it, on every kind of mesh, in little memory."""

import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import skfem

import usadelfem as uf
from usadelfem.space.locate import locate
from usadelfem.space.space import build_space

LAYERS = {"S": 1.0, "F": 1.0}
RANDOM = np.random.default_rng(3)


def shaken(mesh, size):
    """The mesh with its inner vertices moved at random, so that quadrilaterals and hexahedra are no parallelepipeds."""
    p = mesh.p.copy()
    inner = mesh.interior_nodes()
    p[:, inner] += RANDOM.uniform(-size, size, (len(p), len(inner)))
    return replace(mesh, doflocs=p)


def graded():
    """Triangles whose sizes differ by a factor of thousand, and so thin ones that the nearest centre is far away."""
    x = np.concatenate([[0.0], np.geomspace(1e-3, 1.0, 12)])
    return skfem.MeshTri1.init_tensor(x, np.linspace(0, 50, 6)).with_subdomains({"S": lambda x: x[0] >= 0})


MESHES = {
    "line": lambda: uf.interval(LAYERS, size=0.07),
    "triangles": lambda: shaken(uf.rectangle(LAYERS, size=0.2), 0.02),
    "quadrilaterals": lambda: shaken(uf.rectangle(LAYERS, size=0.2, cell="quad"), 0.06),
    "tetrahedra": lambda: shaken(uf.box(LAYERS, size=0.5), 0.03),
    "hexahedra": lambda: shaken(uf.box(LAYERS, size=0.34, cell="hexahedron"), 0.05),
    "graded": graded,
}


def inside(mesh, count):
    low, high = mesh.p.min(axis=1), mesh.p.max(axis=1)
    return low[:, None] + RANDOM.uniform(size=(mesh.dim(), count)) * (high - low)[:, None]


def holding(mesh, x):
    """The cells that hold a point x (dim,): on the inner side of all their edges, or with barycentric coordinates."""
    corners = mesh.p[:, mesh.t]
    if len(mesh.t) == 4 and mesh.dim() == 2:
        edges, offset = np.roll(corners, -1, axis=1) - corners, x[:, None, None] - corners
        turns = edges[0] * offset[1] - edges[1] * offset[0]
        return np.flatnonzero((turns > -1e-12).all(axis=0) | (turns < 1e-12).all(axis=0))
    matrix = np.concatenate([corners, np.ones((1, *corners.shape[1:]))]).transpose(2, 0, 1)
    weights = np.linalg.solve(matrix, np.broadcast_to(np.append(x, 1.0), (matrix.shape[0], len(x) + 1))[..., None])
    return np.flatnonzero((weights > -1e-9).all(axis=(1, 2)))


@pytest.mark.parametrize("name", MESHES)
def test_points_lie_in_the_cells_that_are_found(name):
    space = build_space(MESHES[name](), 2)
    x = inside(space.mesh, 500)
    place = locate(space, x)
    assert np.allclose(np.einsum("kni,ni->kn", space.nodes[:, place.nodes], place.phi), x, rtol=0, atol=1e-11 * x.max())
    assert np.allclose(place.phi.sum(axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in MESHES if name != "hexahedra"])
def test_cells_are_those_of_a_search_through_all(name):
    space = build_space(MESHES[name](), 1)
    x = inside(space.mesh, 60)
    place = locate(space, x)
    for n in range(x.shape[1]):
        assert place.cells[n] in holding(space.mesh, x[:, n])


@pytest.mark.parametrize("name", MESHES)
def test_vertices_and_points_on_the_boundary_are_found(name):
    space = build_space(MESHES[name](), 1)
    mesh = space.mesh
    edges = mesh.p[:, mesh.facets[:, mesh.boundary_facets()]].mean(axis=1)
    for x in (mesh.p, edges):
        place = locate(space, x)
        found = np.einsum("kni,ni->kn", space.nodes[:, place.nodes], place.phi)
        assert np.allclose(found, x, rtol=0, atol=1e-11 * x.max())


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_rounding_does_not_put_points_outside_in_any_unit(unit):
    mesh = replace(MESHES["triangles"](), doflocs=MESHES["triangles"]().p * unit)
    x = np.array([[0.0, 2.0, 0.1 * 3, 2.0], [0.0, 1.0, 1.0, 0.1 + 0.2]]) * unit * (1 + 2e-16)
    assert len(locate(build_space(mesh, 1), x).cells) == 4


@pytest.mark.parametrize("name", MESHES)
def test_a_point_outside_is_refused_with_its_coordinates(name):
    space = build_space(MESHES[name](), 1)
    x = inside(space.mesh, 5)
    x[:, 3] = space.mesh.p.max(axis=1) * 1.001
    with pytest.raises(uf.errors.ObservableError, match=rf"point \({x[0, 3]:.6g}.*outside the mesh, which spans"):
        locate(space, x)


def test_a_point_in_a_hole_is_outside():
    mesh = uf.rectangle({"N": 3.0}, width=3.0, size=0.5)
    middle = np.flatnonzero((abs(mesh.p[:, mesh.t].mean(axis=1) - 1.5) < 0.5).all(axis=0))
    with pytest.raises(uf.errors.ObservableError, match="outside the mesh"):
        locate(build_space(mesh.remove_elements(middle), 1), [[1.5], [1.5]])


def test_no_points_give_no_values():
    contacts = {"left": uf.NormalContact(potential=1.0), "right": uf.NormalContact()}
    device = uf.Device(uf.rectangle({"N": 1.0}, size=0.5), {"N": uf.normal_metal()}, contacts)
    ns = uf.solve_normal_state(device)
    assert uf.potential(ns).at(np.zeros((2, 0))).shape == (0,)
    assert uf.spin_current(ns).at(np.zeros((2, 0))).shape == (3, 2, 0)


@pytest.mark.parametrize("points", [[[np.nan], [0.5]], [[0.5], [np.inf]]])
def test_points_that_are_not_finite_are_refused(points):
    with pytest.raises(uf.errors.ObservableError, match="1 of 1 points are not finite"):
        locate(build_space(MESHES["triangles"](), 1), points)


NO_POINTS = [np.zeros(2), np.zeros((3, 4)), [["a"], ["b"]], [[1j], [0]], None, [[0.5], [0.5, 1.0]]]


@pytest.mark.parametrize("points", NO_POINTS, ids=range(6))
def test_points_of_another_shape_or_kind_are_refused(points):
    with pytest.raises(uf.errors.ObservableError, match=r"\(2, npoints\)"):
        locate(build_space(MESHES["triangles"](), 1), points)


def test_many_points_on_a_large_mesh_take_seconds_and_megabytes():
    mesh = uf.box(LAYERS, size=0.095)
    space = build_space(mesh, 1)
    assert mesh.nelements > 60_000
    x = inside(mesh, 100_000)
    tracemalloc.start()
    start = time.perf_counter()
    place = locate(space, x)
    seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6, f"{peak / 1e6:.0f} MB"
    assert seconds < 20, f"{seconds:.1f} s"
    assert np.allclose(np.einsum("kni,ni->kn", space.nodes[:, place.nodes], place.phi), x, rtol=0, atol=1e-12)
