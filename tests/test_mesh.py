"""Reading meshes: regions, facet sets, cell orientation, in each format and cell type."""

import importlib.util
import sys
from pathlib import Path

import meshio
import numpy as np
import pytest
import skfem
from measures import area, volume
from msh_files import DATA, FILES, FORMATS, SQUARE, TRIANGLES, F, msh

from usadelfem.errors import MeshError
from usadelfem.mesh.read import check_mesh, read_mesh

MESHES = Path(__file__).parents[1] / "meshes"
TYPES = {
    "line": skfem.MeshLine1,
    "tri": skfem.MeshTri1,
    "quad": skfem.MeshQuad1,
    "tet": skfem.MeshTet1,
    "hex": skfem.MeshHex1,
}


@pytest.mark.parametrize("stem", FILES)
def test_cell_type(stem):
    assert type(read_mesh(DATA / f"{stem}.msh")) is TYPES[stem[:-4]]


@pytest.mark.parametrize("stem", FILES)
@pytest.mark.parametrize(("name", "expected"), [("A", 1.0), ("B", 2.0), ("both", 3.0)])
def test_region_volume(stem, name, expected):
    mesh = read_mesh(DATA / f"{stem}.msh")
    assert volume(mesh, mesh.subdomains[name]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("stem", FILES)
def test_region_names(stem):
    assert set(read_mesh(DATA / f"{stem}.msh").subdomains) == {"A", "B", "both"}


@pytest.mark.parametrize("stem", FILES)
def test_facet_set_names_include_reversed_repeated_and_unnamed_groups(stem):
    assert set(read_mesh(DATA / f"{stem}.msh").boundaries) == {"left", "A_B", "A", "7"}


@pytest.mark.parametrize("stem", FILES)
@pytest.mark.parametrize(("name", "x"), [("left", 0.0), ("A_B", 1.0), ("A", 1.0), ("7", 3.0)])
def test_facet_set_lies_where_it_should(stem, name, x):
    mesh = read_mesh(DATA / f"{stem}.msh")
    np.testing.assert_allclose(mesh.p[0][mesh.facets[:, mesh.boundaries[name]]], x, atol=1e-12)


@pytest.mark.parametrize("stem", FILES)
@pytest.mark.parametrize("name", ["left", "A_B", "A", "7"])
def test_facet_set_measure(stem, name):
    mesh = read_mesh(DATA / f"{stem}.msh")
    assert area(mesh, mesh.boundaries[name]) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("stem", FILES)
def test_sets_are_plain_sorted_integer_arrays_without_repetition(stem):
    mesh = read_mesh(DATA / f"{stem}.msh")
    for own in [*mesh.subdomains.values(), *mesh.boundaries.values()]:
        assert type(own) is np.ndarray
        assert own.dtype.kind == "i"
        assert np.all(np.diff(own) > 0)


@pytest.mark.parametrize("stem", FILES)
def test_interface_facets_are_interior(stem):
    mesh = read_mesh(DATA / f"{stem}.msh")
    assert np.all(mesh.f2t[1, mesh.boundaries["A_B"]] >= 0)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("fmt", FORMATS[1:])
def test_formats_give_the_same_mesh(kind, fmt):
    one, two = (read_mesh(DATA / f"{kind}_{f}.msh") for f in (FORMATS[0], fmt))
    np.testing.assert_allclose(one.p, two.p, atol=1e-15)
    np.testing.assert_array_equal(one.t, two.t)
    for sets in ("subdomains", "boundaries"):
        np.testing.assert_equal(getattr(one, sets), getattr(two, sets))


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("kind", ["quad", "hex"])
def test_quads_and_hexahedra_are_positive_at_each_corner(kind, fmt):
    mesh = read_mesh(DATA / f"{kind}_{fmt}.msh")
    assert mesh.mapping().detDF(mesh.elem.refdom.p).min() > 0.1


def test_clockwise_quads_are_turned(tmp_path):
    mesh = read_mesh(msh(tmp_path, elements=["3 2 1 1 1 4 3 2"]))
    assert mesh.mapping().detDF(mesh.elem.refdom.p).min() == pytest.approx(1.0)


def test_inverted_hexahedra_are_turned(tmp_path):
    nodes = [f"{x[:-1]}{z}" for z in (0, 1) for x in SQUARE]
    mesh = read_mesh(msh(tmp_path, nodes, ["5 2 1 1 5 6 7 8 1 2 3 4"], ['3 1 "F"']))
    assert mesh.mapping().detDF(mesh.elem.refdom.p).min() == pytest.approx(1.0)


def test_path_may_be_a_string():
    assert read_mesh(str(DATA / "tri_41a.msh")).t.shape == (3, 28)


def test_orphan_nodes_are_dropped(tmp_path):
    mesh = read_mesh(msh(tmp_path, nodes=["9 9 9", *SQUARE], elements=["2 2 1 1 2 3 4", "2 2 1 1 2 4 5"]))
    np.testing.assert_array_equal(mesh.p, [[0, 1, 1, 0], [0, 0, 1, 1]])


def test_plane_may_be_at_any_height(tmp_path):
    mesh = read_mesh(msh(tmp_path, nodes=[x[:-1] + "5.5" for x in SQUARE]))
    assert volume(mesh) == pytest.approx(1.0)


def test_mesh_without_facet_sets_has_none(tmp_path):
    assert not read_mesh(msh(tmp_path)).boundaries


def test_groups_of_the_same_name_are_united(tmp_path):
    elements = [TRIANGLES[0], "2 2 2 1 1 3 4"]
    mesh = read_mesh(msh(tmp_path, elements=elements, names=[*F, '2 2 "F"']))
    np.testing.assert_array_equal(mesh.subdomains["F"], [0, 1])


def test_names_keep_spaces_quotes_and_accents(tmp_path):
    names = ['2 1 "weak link\'s é"']
    assert set(read_mesh(msh(tmp_path, names=names)).subdomains) == {"weak link's é"}


def test_groups_of_lower_dimension_are_dropped_with_a_warning(tmp_path):
    path = msh(tmp_path, elements=["15 2 3 1 1", *TRIANGLES], names=[*F, '0 3 "corner"'])
    with pytest.warns(UserWarning, match="corner are dropped"):
        read_mesh(path)


def test_other_formats_give_their_cell_sets(tmp_path):
    cells = [("triangle", [[0, 1, 2], [0, 2, 3]]), ("line", [[0, 1], [2, 3]])]
    points = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    none = np.zeros(0, dtype=int)
    sets = {"F": [np.array([0, 1]), none], "top": [none, np.array([1])]}
    path = tmp_path / "mesh.inp"
    meshio.Mesh(points, cells, cell_sets=sets).write(path)
    mesh = read_mesh(path)
    np.testing.assert_array_equal(mesh.p[1][mesh.facets[:, mesh.boundaries["top"]]], [[1], [1]])


def test_check_mesh_accepts_what_is_read():
    assert check_mesh(read_mesh(DATA / "quad_41a.msh")) is None


def test_check_mesh_wants_regions():
    with pytest.raises(MeshError, match="with_subdomains"):
        check_mesh(skfem.MeshTri())


def test_check_mesh_wants_first_order():
    with pytest.raises(MeshError, match=r"MeshTri2 is not supported.*MeshTri1"):
        check_mesh(skfem.MeshTri2())


@pytest.mark.parametrize(
    ("stem", "facet_sets"),
    [
        ("sfs", {"left", "right"}),
        ("sfs_trilayer", {"left", "right", "S1_F", "F_S2"}),
        ("cross", {"left", "right", "bottom", "top"}),
        ("wire", {"left", "right"}),
    ],
)
def test_facet_sets_of_the_shipped_meshes(stem, facet_sets):
    assert set(read_mesh(MESHES / f"{stem}.msh").boundaries) == facet_sets


@pytest.mark.parametrize(
    ("stem", "regions"),
    [("sfs", {"weak_link"}), ("sfs_trilayer", {"S1", "F", "S2"}), ("cross", {"N"}), ("wire", {"weak_link"})],
)
def test_regions_of_the_shipped_meshes(stem, regions):
    assert set(read_mesh(MESHES / f"{stem}.msh").subdomains) == regions


@pytest.mark.parametrize("name", ["left", "right"])
def test_reservoirs_of_the_weak_link_have_the_width_of_the_lead(name):
    mesh = read_mesh(MESHES / "sfs.msh")
    assert area(mesh, mesh.boundaries[name]) == pytest.approx(1.0, rel=1e-12)


def test_mesh_script_without_gmsh_says_what_to_install(monkeypatch):
    spec = importlib.util.spec_from_file_location("generate_meshes", MESHES / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "gmsh", None)
    with pytest.raises(SystemExit, match=r"pip install 'usadelfem\[gmsh\]'"):
        module.main()
