"""Meshes of layers: sizes, names, symmetry, and an error message for bad input."""

import logging
import math

import numpy as np
import pytest
import skfem
from measures import area, volume

from usadelfem.errors import MeshError
from usadelfem.mesh.layers import box, interval, rectangle
from usadelfem.mesh.read import check_mesh

LAYERS = {"S1": 2.0, "F": 0.7, "S2": 1.1}
ENDS = {"left": 0.0, "S1_F": 2.0, "F_S2": 2.7, "right": 3.8}
BUILDERS = {
    "interval": lambda layers=LAYERS, size=0.5, **kw: interval(layers, size, **kw),
    "triangle": lambda layers=LAYERS, size=0.5, **kw: rectangle(layers, **{"width": 2.0} | kw, size=size),
    "quad": lambda layers=LAYERS, size=0.5, **kw: rectangle(layers, **{"width": 2.0} | kw, size=size, cell="quad"),
    "tetrahedron": lambda layers=LAYERS, size=0.5, **kw: box(layers, **{"width": 2.0, "height": 0.5} | kw, size=size),
    "hexahedron": lambda layers=LAYERS, size=0.5, **kw: box(
        layers, **{"width": 2.0, "height": 0.5} | kw, size=size, cell="hexahedron"
    ),
}
CROSS_SECTION = {"interval": 1.0, "triangle": 2.0, "quad": 2.0, "tetrahedron": 1.0, "hexahedron": 1.0}
TYPES = {
    "interval": skfem.MeshLine1,
    "triangle": skfem.MeshTri1,
    "quad": skfem.MeshQuad1,
    "tetrahedron": skfem.MeshTet1,
    "hexahedron": skfem.MeshHex1,
}
each = pytest.mark.parametrize("kind", BUILDERS)
solid = pytest.mark.parametrize("kind", ["tetrahedron", "hexahedron"])
flat = pytest.mark.parametrize("kind", ["triangle", "quad"])


@each
def test_type(kind):
    assert type(BUILDERS[kind]()) is TYPES[kind]


@each
def test_mesh_is_accepted_by_the_device_check(kind):
    assert check_mesh(BUILDERS[kind]()) is None


@each
@pytest.mark.parametrize("name", LAYERS)
def test_region_volume(kind, name):
    mesh = BUILDERS[kind]()
    assert volume(mesh, mesh.subdomains[name]) == pytest.approx(LAYERS[name] * CROSS_SECTION[kind], rel=1e-12)


@each
def test_regions_are_a_partition(kind):
    mesh = BUILDERS[kind]()
    cells = np.concatenate(list(mesh.subdomains.values()))
    np.testing.assert_array_equal(np.sort(cells), np.arange(mesh.t.shape[1]))


@each
@pytest.mark.parametrize("name", ENDS)
def test_ends_and_interfaces_cover_the_cross_section(kind, name):
    mesh = BUILDERS[kind]()
    assert area(mesh, mesh.boundaries[name]) == pytest.approx(CROSS_SECTION[kind], rel=1e-12)


@each
@pytest.mark.parametrize("name", ENDS)
def test_ends_and_interfaces_are_where_they_should(kind, name):
    mesh = BUILDERS[kind]()
    np.testing.assert_allclose(mesh.p[0][mesh.facets[:, mesh.boundaries[name]]], ENDS[name], rtol=1e-15)


@each
def test_interfaces_are_interior(kind):
    mesh = BUILDERS[kind]()
    assert np.all(mesh.f2t[1, mesh.boundaries["S1_F"]] >= 0)


@flat
@pytest.mark.parametrize(("name", "y"), [("bottom", 0.0), ("top", 2.0)])
def test_long_sides_of_a_rectangle(kind, name, y):
    mesh = BUILDERS[kind]()
    facets = mesh.boundaries[name]
    assert area(mesh, facets) == pytest.approx(3.8)
    assert np.all(mesh.p[1][mesh.facets[:, facets]] == y)


@solid
@pytest.mark.parametrize(
    ("name", "axis", "at", "expected"),
    [("front", 1, 0.0, 1.9), ("back", 1, 2.0, 1.9), ("bottom", 2, 0.0, 7.6), ("top", 2, 0.5, 7.6)],
)
def test_long_sides_of_a_box(kind, name, axis, at, expected):
    mesh = BUILDERS[kind]()
    facets = mesh.boundaries[name]
    assert area(mesh, facets) == pytest.approx(expected)
    assert np.all(mesh.p[axis][mesh.facets[:, facets]] == at)


@each
def test_outer_facet_sets_cover_the_boundary(kind):
    mesh = BUILDERS[kind]()
    outer = np.concatenate([own for name, own in mesh.boundaries.items() if "_" not in name])
    np.testing.assert_array_equal(np.sort(outer), np.sort(mesh.boundary_facets()))


@each
def test_cells_join_conformingly(kind):
    mesh = BUILDERS[kind]()
    n_sides = mesh.elem.refdom.nfacets
    n_inner = mesh.facets.shape[1] - len(mesh.boundary_facets())
    assert 2 * n_inner + len(mesh.boundary_facets()) == n_sides * mesh.t.shape[1]


@pytest.mark.parametrize("kind", ["triangle", "tetrahedron"])
@pytest.mark.parametrize("axis", [0, 1])
def test_mesh_has_the_mirror_symmetries(kind, axis):
    mesh = BUILDERS[kind]({"S1": 1.0, "F": 0.5, "S2": 1.0})
    centres = mesh.p[:, mesh.t].mean(axis=1).round(9)
    mirrored = centres.copy()
    mirrored[axis] = (mesh.p[axis].max() - centres[axis]).round(9)
    assert set(map(tuple, mirrored.T)) == set(map(tuple, centres.T))


@pytest.mark.parametrize("kind", ["tetrahedron"])
def test_tetrahedra_of_a_hexahedron(kind):
    assert BUILDERS[kind]().t.shape[1] == 24 * BUILDERS["hexahedron"]().t.shape[1]


@pytest.mark.parametrize(("size", "counts"), [(0.5, [4, 2, 3]), (0.1, [20, 7, 11]), (5.0, [1, 1, 1])])
def test_number_of_cells_by_layer(size, counts):
    assert [len(cells) for cells in interval(LAYERS, size).subdomains.values()] == counts


def test_size_by_layer():
    mesh = interval(LAYERS, {"S1": 1.0, "F": 0.1, "S2": 1.1})
    assert [len(cells) for cells in mesh.subdomains.values()] == [2, 7, 1]


def test_transverse_size_is_the_smallest_of_the_layers():
    mesh = rectangle(LAYERS, size={"S1": 1.0, "F": 0.25, "S2": 1.0}, cell="quad")
    assert len(mesh.boundaries["left"]) == 4


def test_one_layer_has_no_interfaces():
    assert set(interval({"N": 1.0}, 0.1).boundaries) == {"left", "right"}


def test_a_layer_may_have_the_name_of_a_facet_set():
    assert set(interval({"left": 1.0, "right": 1.0}, 0.5).subdomains) == {"left", "right"}


def test_building_is_silent(caplog):
    with caplog.at_level(logging.WARNING):
        interval(LAYERS, 1e-3)
        rectangle(LAYERS, size=0.05)
        box(LAYERS, size=0.25)
    assert not caplog.records


@each
@pytest.mark.parametrize("length", [0, 0.0, -1.0, math.nan, math.inf, "1", None, True, 1j])
def test_bad_length(kind, length):
    with pytest.raises(MeshError, match=r"length of layer 'F' is .* positive number"):
        BUILDERS[kind]({"S1": 1.0, "F": length})


@each
@pytest.mark.parametrize("size", [0, -1.0, math.nan, math.inf, "1", None])
def test_bad_size(kind, size):
    with pytest.raises(MeshError, match=r"size is .* positive number"):
        BUILDERS[kind](size=size)


def test_bad_size_of_a_layer():
    with pytest.raises(MeshError, match="size of layer 'F' is -1"):
        interval(LAYERS, {"S1": 1.0, "F": -1.0, "S2": 1.0})


@pytest.mark.parametrize("names", ["S1 F", "S1 F S2 S3"])
def test_size_must_name_each_layer(names):
    with pytest.raises(MeshError, match=r"size names .* must name each of the layers"):
        interval(LAYERS, dict.fromkeys(names.split(), 0.1))


@pytest.mark.parametrize("kind", ["triangle", "quad", "tetrahedron", "hexahedron"])
@pytest.mark.parametrize("width", [0, -1.0, math.nan])
def test_bad_width(kind, width):
    with pytest.raises(MeshError, match=r"width is .* positive number"):
        BUILDERS[kind](width=width)


@solid
def test_bad_height(kind):
    with pytest.raises(MeshError, match=r"height is -1.* positive number"):
        BUILDERS[kind](height=-1.0)


@each
def test_no_layers(kind):
    with pytest.raises(MeshError, match="at least one layer"):
        BUILDERS[kind]({})


@each
@pytest.mark.parametrize("layers", [[1.0, 2.0], 3.0, "S", None])
def test_layers_must_be_a_mapping(kind, layers):
    with pytest.raises(MeshError, match=r"layers is a .*; use a dict"):
        BUILDERS[kind](layers)


@pytest.mark.parametrize("name", ["", 1])
def test_layer_names_are_strings(name):
    with pytest.raises(MeshError, match="named by a string"):
        interval({name: 1.0}, 0.1)


def test_interfaces_with_the_same_name():
    with pytest.raises(MeshError, match="two interfaces have the same name"):
        interval({"A": 1.0, "B_C": 1.0, "D": 1.0, "A_B": 1.0, "C": 1.0}, 0.5)


def test_unknown_cell_of_a_rectangle():
    with pytest.raises(MeshError, match="unknown cell 'hexagon'; use one of 'triangle', 'quad'"):
        rectangle(LAYERS, cell="hexagon")


def test_unknown_cell_of_a_box():
    with pytest.raises(MeshError, match="unknown cell 'quad'; use one of 'tetrahedron', 'hexahedron'"):
        box(LAYERS, cell="quad")
