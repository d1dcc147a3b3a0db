"""Meshes of other programs: their groups and tags are regions and facet sets, or the message says what is missing."""

import h5py
import meshio
import numpy as np
import pytest
from msh_files import DATA

import usadelfem as uf
from usadelfem.errors import MeshError

POINTS = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 0], [2, 1, 0]], float)
TRIANGLES = np.array([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]])
LINES = np.array([[0, 3], [2, 5]])
TAGS = [np.array([1, 1, 2, 2]), np.array([3, 4])]
AREAS = {"1": 1.0, "2": 1.0}


def written(path, **data):
    """A file with two squares of two triangles each, and the lines at both ends."""
    meshio.Mesh(POINTS, [("triangle", TRIANGLES), ("line", LINES)], **data).write(path)
    return path


def ends(mesh):
    """Facet sets by name, with the x of their facets."""
    return {name: set(mesh.p[0, mesh.facets[:, own]].ravel()) for name, own in mesh.boundaries.items()}


@pytest.mark.parametrize("suffix", ["vtk", "vtu", "xdmf", "mesh"])
@pytest.mark.parametrize("name", ["region", "gmsh:physical", "anything"])
def test_numbers_of_cells_are_names_of_regions_and_facet_sets(tmp_path, suffix, name):
    mesh = uf.read_mesh(written(tmp_path / f"mesh.{suffix}", cell_data={name: TAGS}))
    assert {region: len(own) for region, own in mesh.subdomains.items()} == {"1": 2, "2": 2}
    assert ends(mesh) == {"3": {0.0}, "4": {2.0}}


def test_geometrical_numbers_do_not_count_beside_physical_ones(tmp_path):
    data = {"gmsh:geometrical": [np.array([7, 7, 8, 9]), np.array([5, 6])], "gmsh:physical": TAGS}
    assert set(uf.read_mesh(written(tmp_path / "mesh.xdmf", cell_data=data)).subdomains) == {"1", "2"}


def test_several_arrays_of_numbers_have_to_be_told_apart(tmp_path):
    path = written(tmp_path / "mesh.vtu", cell_data={"first": TAGS, "second": TAGS})
    with pytest.raises(MeshError, match=r"several arrays of integers over the cells, 'first', 'second'.*'region'"):
        uf.read_mesh(path)


@pytest.mark.parametrize("suffix", ["vtk", "vtu", "xdmf"])
def test_a_mesh_without_numbers_says_how_to_add_them(tmp_path, suffix):
    path = written(tmp_path / f"mesh.{suffix}", cell_data={"temperature": [np.linspace(0, 1, 4), np.zeros(2) + 0.1]})
    with pytest.raises(MeshError, match=r"no array of integers over the cells.*'region'.*\.msh"):
        uf.read_mesh(path)


def test_element_sets_of_abaqus_are_regions(tmp_path):
    sets = {"A": [np.array([0, 1]), None], "B": [np.array([2, 3]), None], "left": [None, np.array([0])]}
    sets = {name: [np.zeros(0, int) if rows is None else rows for rows in own] for name, own in sets.items()}
    mesh = uf.read_mesh(written(tmp_path / "mesh.inp", cell_sets=sets))
    assert {name: own.tolist() for name, own in mesh.subdomains.items()} == {"A": [0, 1], "B": [2, 3]}
    assert ends(mesh) == {"left": {0.0}}


def test_abaqus_without_sets_says_so(tmp_path):
    with pytest.raises(MeshError, match=r"no element sets; add \*ELSET"):
        uf.read_mesh(written(tmp_path / "mesh.inp"))


def test_cells_of_other_formats_in_no_group_are_not_blamed_on_a_geo_file(tmp_path):
    sets = {"A": [np.array([0, 1, 2]), np.zeros(0, int)]}
    with pytest.raises(MeshError, match=r"1 of 4 cells are in no region; put them into a group too") as found:
        uf.read_mesh(written(tmp_path / "mesh.inp", cell_sets=sets))
    assert ".geo" not in str(found.value)


def med_file(path):
    """A MED file with families of cells, one of them in two groups."""
    written(path)
    with h5py.File(path, "r+") as file:
        (mesh,) = file["ENS_MAA"].values()
        (step,) = mesh.values()
        for kind, tags in (("TR3", [-1, -1, -2, -2]), ("SE2", [-3, 0])):
            own = step["MAI"][kind]
            if "FAM" in own:
                del own["FAM"]
            own.create_dataset("FAM", data=np.array(tags))
        families = file["FAS"].require_group(next(iter(file["ENS_MAA"]))).require_group("ELEME")
        for number, names in ((-1, ["A", "all"]), (-2, ["B", "all"]), (-3, ["left"])):
            family = families.create_group(f"FAM_{number}_{'_'.join(names)}")
            family.attrs["NUM"] = number
            group = family.create_group("GRO")
            group.attrs["NBR"] = len(names)
            table = group.create_dataset("NOM", (len(names),), dtype="80int8")
            for k, name in enumerate(names):
                table[k] = np.frombuffer(name.encode().ljust(80, b"\0"), np.int8)
    return path


def test_groups_of_med_are_regions_and_facet_sets(tmp_path):
    mesh = uf.read_mesh(med_file(tmp_path / "mesh.med"))
    assert {name: own.tolist() for name, own in mesh.subdomains.items()} == {
        "A": [0, 1], "B": [2, 3], "all": [0, 1, 2, 3],
    }  # fmt: skip
    assert ends(mesh) == {"left": {0.0}}


def test_med_without_groups_says_so(tmp_path):
    with pytest.raises(MeshError, match="no groups of cells"):
        uf.read_mesh(written(tmp_path / "mesh.med"))


SU2 = """NDIME= 2
NELEM= 4
5 0 1 4 0
5 0 4 3 1
5 1 2 5 2
5 1 5 4 3
NPOIN= 6
0 0 0
1 0 1
2 0 2
0 1 3
1 1 4
2 1 5
NMARK= 2
MARKER_TAG= left
MARKER_ELEMS= 1
3 0 3
MARKER_TAG= right
MARKER_ELEMS= 1
3 2 5
"""


def test_markers_of_su2_keep_their_names_and_its_cells_are_one_region(tmp_path, capsys):
    (tmp_path / "mesh.su2").write_text(SU2)
    mesh = uf.read_mesh(tmp_path / "mesh.su2")
    assert {name: len(own) for name, own in mesh.subdomains.items()} == {"domain": 4}
    assert ends(mesh) == {"left": {0.0}, "right": {2.0}}
    assert capsys.readouterr() == ("", "")


def test_medit_with_one_reference_is_one_region(tmp_path):
    assert set(uf.read_mesh(written(tmp_path / "mesh.mesh")).subdomains) == {"1"}


def test_what_write_vtk_has_written_can_be_read_with_its_names(tmp_path):
    mesh = uf.rectangle({"S": 1.0, "odd, name": 1.0}, size=0.5)
    contacts = {"left": uf.NormalContact(potential=1.0)}
    device = uf.Device(mesh, {"S": uf.normal_metal(), "odd, name": uf.normal_metal()}, contacts)
    uf.write_vtk(tmp_path / "field.vtu", uf.potential(uf.solve_normal_state(device)))
    back = uf.read_mesh(tmp_path / "field.vtu")
    assert {name: len(own) for name, own in back.subdomains.items()} == {
        name: len(own) for name, own in mesh.subdomains.items()
    }


@pytest.mark.parametrize("suffix", ["inp", "su2"])
def test_text_in_latin_1_is_read(tmp_path, suffix):
    path = tmp_path / f"mesh.{suffix}"
    if suffix == "su2":
        path.write_bytes(SU2.replace("left", "d\xe9but").encode("latin-1"))
        assert "début" in uf.read_mesh(path).boundaries
    else:
        written(path, cell_sets={"A": [np.arange(4), np.zeros(0, int)]})
        path.write_bytes(b"** caf\xe9\n" + path.read_bytes())
        assert set(uf.read_mesh(path).subdomains) == {"A"}


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = tmp_path / "mesh.msh"
    path.write_bytes(b"\xef\xbb\xbf" + (DATA / "tri_41a.msh").read_bytes())
    assert uf.read_mesh(path).subdomains.keys() == uf.read_mesh(DATA / "tri_41a.msh").subdomains.keys()


@pytest.mark.parametrize("suffix", ["msh", "su2", "inp"])
def test_utf_16_is_called_by_its_name(tmp_path, suffix):
    path = tmp_path / f"mesh.{suffix}"
    path.write_bytes((DATA / "tri_41a.msh").read_text().encode("utf-16"))
    with pytest.raises(MeshError, match="UTF-16"):
        uf.read_mesh(path)


REFUSED = {
    "geo": r"\.geo is a geometry, not a mesh.*gmsh -2 mesh\.geo",
    "step": r"\.step is a geometry",
    "unv": r"\.unv files are not read here.*gmsh -0 mesh\.unv",
    "xyz": r"ending '\.xyz' is of no known format",
}


@pytest.mark.parametrize("suffix", REFUSED)
def test_what_is_no_mesh_says_what_to_do(tmp_path, suffix):
    path = tmp_path / f"mesh.{suffix}"
    path.write_text("x")
    with pytest.raises(MeshError, match=REFUSED[suffix]):
        uf.read_mesh(path)


def test_a_folder_is_no_mesh(tmp_path):
    with pytest.raises(MeshError, match="it is a folder"):
        uf.read_mesh(tmp_path)


def test_data_that_an_xdmf_file_lacks_are_missed_by_name(tmp_path):
    path = written(tmp_path / "mesh.xdmf", cell_data={"region": TAGS})
    (tmp_path / "mesh.h5").unlink()
    with pytest.raises(MeshError, match=r"a file that it refers to is missing.*mesh\.h5"):
        uf.read_mesh(path)


def test_a_partitioned_mesh_says_how_to_remove_the_partitions(tmp_path):
    text = (DATA / "tri_41a.msh").read_text()
    part = "$PartitionedEntities\n2\n0\n0 0 0 0\n$EndPartitionedEntities\n$Nodes"
    (tmp_path / "mesh.msh").write_text(text.replace("$Nodes", part, 1))
    with pytest.raises(MeshError, match=r"partitioned mesh.*unpartition\(\)"):
        uf.read_mesh(tmp_path / "mesh.msh")


@pytest.mark.parametrize("stem", ["tri_41a", "tri_22a"])
def test_periodic_links_are_left_out_with_a_warning(tmp_path, stem):
    links = "$Periodic\n1\n1 2 4\n16 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1\n2\n1 2\n3 4\n$EndPeriodic\n"
    (tmp_path / "mesh.msh").write_text((DATA / f"{stem}.msh").read_text() + links)
    with pytest.warns(UserWarning, match="periodic links are not used"):
        mesh = uf.read_mesh(tmp_path / "mesh.msh")
    assert np.array_equal(mesh.p, uf.read_mesh(DATA / f"{stem}.msh").p)


@pytest.mark.parametrize(
    ("name", "text"), [("mesh.xdmf", "<Xdmf/>"), ("mesh.mesh", "MeshVersionFormatted 1\nDimension 3\nVertices\n6\n")]
)
def test_an_incomplete_file_is_called_that_without_the_words_of_a_library(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(MeshError, match=r": it is damaged, incomplete[^:]*; write it again$"):
        uf.read_mesh(tmp_path / name)


OBJ = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n{}f 1 2 3\n{}f 1 3 4\n"


def test_a_surface_without_groups_has_no_regions(tmp_path):
    (tmp_path / "mesh.obj").write_text(OBJ.format("", ""))
    with pytest.raises(MeshError, match=r"no regions: this format holds surfaces, and no groups \(g\)"):
        uf.read_mesh(tmp_path / "mesh.obj")


def test_groups_of_a_surface_are_regions(tmp_path):
    (tmp_path / "mesh.obj").write_text(OBJ.format("g A\n", "g B\n"))
    assert {name: len(own) for name, own in uf.read_mesh(tmp_path / "mesh.obj").subdomains.items()} == {"0": 1, "1": 1}


NODES, TETRAHEDRA = "4 3 0 0\n0 0 0 0\n1 1 0 0\n2 0 1 0\n3 0 0 1\n", "# made by hand\n1 4 1\n0 0 1 2 3 7\n"


def tetgen(folder, nodes, tetrahedra, suffix):
    """The files of TetGen that are not None; the one with the suffix is the one to read."""
    for name, text in (("mesh.node", nodes), ("mesh.ele", tetrahedra)):
        if text is not None:
            (folder / name).write_text(text)
    return folder / f"mesh.{suffix}"


@pytest.mark.parametrize("suffix", ["node", "ele"])
def test_attributes_of_tetgen_are_regions(tmp_path, suffix):
    mesh = uf.read_mesh(tetgen(tmp_path, NODES, TETRAHEDRA, suffix))
    assert {name: own.tolist() for name, own in mesh.subdomains.items()} == {"7": [0]}


TETGEN = {
    r"'mesh\.ele' with its tetrahedra is missing": (NODES, None, "node"),
    r"'mesh\.node' with its nodes is missing": (None, TETRAHEDRA, "ele"),
    r"'mesh\.ele' holds no tetrahedra": (NODES, "# made by hand\n", "node"),
    r"'mesh\.ele' holds no tetrahedra; its first": (NODES, "0 4 1\n", "ele"),
    r"'mesh\.node' holds no nodes": ("", TETRAHEDRA, "node"),
    r"no attributes; run tetgen with -A": (NODES, "1 4 0\n0 0 1 2 3\n", "node"),
    r"it is damaged, incomplete": (NODES[:20], TETRAHEDRA, "node"),
}


@pytest.mark.parametrize("reason", TETGEN)
def test_what_a_mesh_of_tetgen_lacks_is_named(tmp_path, reason):
    with pytest.raises(MeshError, match=reason):
        uf.read_mesh(tetgen(tmp_path, *TETGEN[reason]))


@pytest.mark.parametrize("suffix", ["tec", "dat", "mdpa", "ply"])
@pytest.mark.parametrize("part", [0.2, 0.35, 0.5, 0.67, 0.9])
def test_a_file_that_ends_early_is_not_read_for_ever(tmp_path, suffix, part):
    path = tmp_path / f"mesh.{suffix}"
    meshio.Mesh(POINTS, [("triangle", TRIANGLES)], cell_data={"region": TAGS[:1]}).write(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(MeshError, match=f"mesh.{suffix}"):
        uf.read_mesh(path)


def test_a_plot_file_with_numbers_of_cells_has_regions(tmp_path):
    meshio.Mesh(POINTS[:, :2], [("triangle", TRIANGLES)], cell_data={"region": TAGS[:1]}).write(tmp_path / "mesh.tec")
    assert set(uf.read_mesh(tmp_path / "mesh.tec").subdomains) == {"1", "2"}


@pytest.mark.parametrize("suffix", ["stl", "off", "wkt", "STL"])
def test_a_format_of_surfaces_only_is_refused_whatever_is_in_it(tmp_path, suffix):
    (tmp_path / f"mesh.{suffix}").write_text("OFF\n")
    with pytest.raises(MeshError, match="this format holds surfaces without regions"):
        uf.read_mesh(tmp_path / f"mesh.{suffix}")
