"""Meshes that cannot be used: an error message for each reason."""

import os
import re

import pytest
from msh_files import DATA, FILES, SQUARE, TRIANGLES, F, edited, msh

from usadelfem.errors import MeshError
from usadelfem.mesh.read import read_mesh


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.msh"):
        read_mesh(tmp_path / "nowhere.msh")


@pytest.mark.parametrize("stem", FILES)
@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_truncated_file(tmp_path, stem, fraction):
    data = (DATA / f"{stem}.msh").read_bytes()
    path = tmp_path / "cut.msh"
    path.write_bytes(data[: int(fraction * len(data))])
    with pytest.raises(MeshError, match=r"cut\.msh"):
        read_mesh(path)


@pytest.mark.parametrize("stem", ["tri_22a", "tri_41a"])
@pytest.mark.parametrize("section", ["Nodes", "Elements"])
def test_missing_section(tmp_path, stem, section):
    text = (DATA / f"{stem}.msh").read_text()
    path = tmp_path / "cut.msh"
    path.write_text(text[: text.index(f"${section}")] + text[text.index(f"$End{section}") + len(section) + 5 :])
    with pytest.raises(MeshError, match=r"cut\.msh"):
        read_mesh(path)


@pytest.mark.parametrize("content", [b"", b"hello\n", bytes(range(256)) * 10])
def test_garbage(tmp_path, content):
    path = tmp_path / "garbage.msh"
    path.write_bytes(content)
    with pytest.raises(MeshError, match=r"garbage\.msh.*not a Gmsh mesh"):
        read_mesh(path)


def test_damaged_file_keeps_the_cause(tmp_path):
    path = edited(tmp_path, "tri_22a", "$Nodes\n22", "$Nodes\ntwo")
    with pytest.raises(MeshError, match=r"mesh\.msh: it is damaged, incomplete") as caught:
        read_mesh(path)
    assert isinstance(caught.value.__cause__, ValueError)
    assert "two" in str(caught.value.__cause__)


def test_a_file_of_a_header_only_is_incomplete(tmp_path):
    path = tmp_path / "head.msh"
    path.write_text("$MeshFormat\n2.2 0 8\n$EndMeshFormat\n")
    with pytest.raises(MeshError, match=r"head\.msh: it is damaged, incomplete.*write it again$"):
        read_mesh(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.msh")
    with pytest.raises(MeshError, match="no regular file but a pipe"):
        read_mesh(tmp_path / "pipe.msh")


def test_garbage_in_another_format(tmp_path):
    path = tmp_path / "garbage.vtk"
    path.write_text("hello\n")
    with pytest.raises(MeshError, match=r"garbage\.vtk"):
        read_mesh(path)


def test_unknown_suffix(tmp_path):
    path = tmp_path / "mesh.docx"
    path.write_text("hello\n")
    with pytest.raises(MeshError, match=r"mesh\.docx.*ending '\.docx' is of no known format"):
        read_mesh(path)


def test_unsupported_version(tmp_path):
    with pytest.raises(MeshError, match=r"version is 4\.0.*MshFileVersion"):
        read_mesh(edited(tmp_path, "tri_41a", "4.1 0 8", "4.0 0 8"))


def test_element_with_a_node_that_does_not_exist(tmp_path):
    with pytest.raises(MeshError, match=r"mesh\.msh"):
        read_mesh(msh(tmp_path, elements=["2 2 1 1 1 2 7"]))


def test_element_with_a_skipped_node(tmp_path):
    path = edited(tmp_path, "tri_22a", "\n3 1 0 0\n", "\n300 1 0 0\n")
    with pytest.raises(MeshError, match="refers to a node which is not in the file"):
        read_mesh(path)


def test_no_cells(tmp_path):
    with pytest.raises(MeshError, match="no cells"):
        read_mesh(msh(tmp_path, elements=["15 2 1 1 1"], names=['0 1 "F"']))


@pytest.mark.parametrize(
    ("elements", "hint"),
    [
        (["1 2 0 1 1 2", "1 2 0 1 2 3"], "Physical Curve"),
        (["2 2 0 1 1 2 3"], "Physical Surface"),
        (["4 2 0 1 1 2 3 5"], "Physical Volume"),
    ],
)
def test_no_regions_tells_how_to_add_one(tmp_path, elements, hint):
    nodes = ["0 0 0", "1 0 0", "2 0 0"] if elements[0][0] == "1" else [*SQUARE, "0 0 1"]
    with pytest.raises(MeshError, match="no named regions.*" + re.escape(f'{hint}("F") = {{1}};')):
        read_mesh(msh(tmp_path, nodes, elements, names=[]))


def test_no_regions_in_msh_4(tmp_path):
    path = edited(tmp_path, "tri_41a", " 2 1 3 4 1 4 -2 -3", " 0 4 1 4 -2 -3")
    path.write_text(path.read_text().replace(" 2 2 3 4 2 8 -6 -7", " 0 4 2 8 -6 -7"))
    with pytest.raises(MeshError, match=r"some of its elements.*others in none"):
        read_mesh(path)


def test_cells_outside_all_regions_are_counted(tmp_path):
    elements = [*TRIANGLES[:1], "2 2 0 1 1 3 4"]
    with pytest.raises(MeshError, match="1 of 2 cells are in no region"):
        read_mesh(msh(tmp_path, elements=elements))


def test_cells_outside_all_regions_in_msh_4(tmp_path):
    path = edited(tmp_path, "tri_41a", " 2 2 3 4 2 8 -6 -7", " 0 4 2 8 -6 -7")
    with pytest.raises(MeshError, match=r"others in none.*SaveAll = 0"):
        read_mesh(path)


def test_group_without_elements(tmp_path):
    with pytest.raises(MeshError, match="'left' of dimension 1 has no elements"):
        read_mesh(msh(tmp_path, names=[*F, '1 2 "left"']))


def test_group_of_a_dimension_that_was_not_meshed(tmp_path):
    with pytest.raises(MeshError, match=r"'V' of dimension 3 has no elements.*right dimension"):
        read_mesh(msh(tmp_path, names=[*F, '3 9 "V"']))


def test_mixed_cells(tmp_path):
    nodes = [*SQUARE, "2 0 0"]
    with pytest.raises(MeshError, match="mixes cells of types quad, triangle"):
        read_mesh(msh(tmp_path, nodes, ["3 2 1 1 1 2 3 4", "2 2 1 1 2 5 3"]))


def test_curved_cells(tmp_path):
    nodes = ["0 0 0", "1 0 0", "0 1 0", ".5 0 0", ".6 .6 0", "0 .5 0"]
    with pytest.raises(MeshError, match=r"triangle6.*Mesh\.ElementOrder = 1"):
        read_mesh(msh(tmp_path, nodes, ["9 2 1 1 1 2 3 4 5 6"]))


def test_unsupported_cells(tmp_path):
    nodes = [*SQUARE, "0 0 1"]
    with pytest.raises(MeshError, match="pyramid are not supported; use one of line, triangle"):
        read_mesh(msh(tmp_path, nodes, ["7 2 1 1 1 2 3 4 5"], names=['3 1 "F"']))


def test_surface_not_in_a_plane(tmp_path):
    nodes = ["0 0 0", "1 0 0", "1 1 0.1", "0 1 0"]
    with pytest.raises(MeshError, match="in a plane z = const"):
        read_mesh(msh(tmp_path, nodes))


def test_line_not_along_x(tmp_path):
    nodes = ["0 0 0", "1 0 0", "2 1 0"]
    with pytest.raises(MeshError, match="on a line y = const"):
        read_mesh(msh(tmp_path, nodes, ["1 2 1 1 1 2", "1 2 1 1 2 3"], ['1 1 "F"']))


def test_facet_that_is_not_a_facet_of_the_mesh(tmp_path):
    path = msh(tmp_path, elements=["1 2 2 1 2 4", "1 2 2 1 1 2", *TRIANGLES], names=[*F, '1 2 "cut"'])
    with pytest.raises(MeshError, match="1 of 2 elements of the facet set 'cut' are not facets"):
        read_mesh(path)


@pytest.mark.parametrize("x", ["0.5 0 0", "0 0 0"])
def test_cell_without_volume(tmp_path, x):
    nodes = [*SQUARE, x]
    with pytest.raises(MeshError, match="1 of 3 cells are degenerate"):
        read_mesh(msh(tmp_path, nodes, [*TRIANGLES, "2 2 1 1 1 2 5"]))


def test_folded_quad(tmp_path):
    nodes = ["0 0 0", "1 0 0", "0.2 0.2 0", "0 1 0"]
    with pytest.raises(MeshError, match="1 of 1 cells are degenerate"):
        read_mesh(msh(tmp_path, nodes, ["3 2 1 1 1 2 3 4"]))
