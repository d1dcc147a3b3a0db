"""Parts of a mesh that coincide in space without common nodes: found when the device is made, joined on request."""

from dataclasses import replace

import meshio
import numpy as np
import pytest
import skfem
from msh_files import msh

import usadelfem as uf

N = uf.normal_metal()
KINDS = ["line", "triangle", "quad", "tetrahedron", "hexahedron"]


def piece(kind, size, *shift, scale=1.0):
    """A unit interval, square or cube of cells of a size, scaled and moved."""
    if kind == "line":
        mesh = uf.interval({"a": 1.0}, size)
    elif kind in ("triangle", "quad"):
        mesh = uf.rectangle({"a": 1.0}, 1.0, size, kind)
    else:
        mesh = uf.box({"a": 1.0}, 1.0, 1.0, size, kind)
    return mesh.scaled(scale).translated((*shift, 0.0, 0.0, 0.0)[: mesh.dim()])


def beside(*meshes):
    """One mesh of several, without a common node; regions R0, R1, ..."""
    nodes, cells = (np.cumsum([0, *counts]) for counts in np.transpose([(m.nvertices, m.nelements) for m in meshes]))
    points = np.hstack([m.p for m in meshes])
    rows = np.hstack([m.t + first for m, first in zip(meshes, nodes, strict=False)])
    regions = {f"R{k}": np.arange(cells[k], cells[k + 1]) for k in range(len(meshes))}
    return replace(type(meshes[0])(points, np.ascontiguousarray(rows)), _subdomains=regions)


def device(mesh, **options):
    return uf.Device(mesh, dict.fromkeys(mesh.subdomains, N), **options)


def ring(inner, outer, around, cell="triangle"):
    """A ring of `around` cells on the circle."""
    radii, angles = np.linspace(inner, outer, 4), 2 * np.pi * np.arange(around) / around
    points = np.array([np.outer(radii, f(angles)).ravel() for f in (np.cos, np.sin)])
    r, k = (index.ravel() for index in np.mgrid[:3, :around])
    corners = [(r + dr) * around + (k + dk) % around for dr, dk in ((0, 0), (1, 0), (1, 1), (0, 1))]
    mesh = skfem.MeshQuad1(points, np.array(corners))
    return mesh.to_meshtri() if cell == "triangle" else mesh


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [1e-2, 5e-3, 1e-3, 1e-4, 1e-5])
def test_parts_that_lie_in_each_other_by_a_little_are_refused(kind, depth):
    with pytest.raises(uf.errors.DeviceError, match=r"lie over each other|have no common nodes"):
        device(beside(piece(kind, 0.34), piece(kind, 0.34, 1.0 - depth)))


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("common", [0.02, 1e-3])
def test_facets_that_share_a_small_part_are_refused(kind, common):
    with pytest.raises(uf.errors.DeviceError, match="have no common nodes"):
        device(beside(piece(kind, 0.34), piece(kind, 0.34, 1.0, 1.0 - common, 1.0 - common)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0.5, 0.25, 0.34, 0.11])
def test_parts_that_meet_without_common_nodes_are_refused(kind, size):
    if kind in KINDS[3:]:
        size = max(size, 0.2)
    with pytest.raises(uf.errors.DeviceError, match="have no common nodes"):
        device(beside(piece(kind, 0.5), piece(kind, size, 1.0)))


@pytest.mark.parametrize("kind", KINDS)
def test_parts_that_lie_over_each_other_are_refused(kind):
    with pytest.raises(uf.errors.DeviceError, match="lie over each other"):
        device(beside(piece(kind, 0.5), piece(kind, 0.5, 0.4, 0.3, 0.2)))
    with pytest.raises(uf.errors.DeviceError, match="lie over each other"):
        device(beside(piece(kind, 0.5), piece(kind, 0.5, 0.31, 0.37, 0.33, scale=0.1)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gap", [1e-3, 0.2])
def test_a_gap_is_a_gap_however_thin(kind, gap):
    device(beside(piece(kind, 0.5), piece(kind, 0.25, 1 + gap)))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_parts_that_touch_at_a_corner_or_an_edge_are_no_overlap(kind):
    device(beside(piece(kind, 0.5), piece(kind, 0.5, 1.0, 1.0)))


def test_parts_may_share_a_little_of_a_facet():
    with pytest.raises(uf.errors.DeviceError, match="2 facets"):
        device(beside(piece("quad", 1.0), piece("quad", 1.0, 1.0, 0.9)))


@pytest.mark.parametrize("cell", ["triangle", "quad"])
@pytest.mark.parametrize("counts", [(24, 24), (24, 48), (48, 24), (24, 36), (25, 37), (12, 13)])
def test_rings_on_a_common_circle_are_found_whatever_their_nodes(counts, cell):
    with pytest.raises(uf.errors.DeviceError, match="nothing would pass between them"):
        device(beside(ring(1, 2, counts[0], cell), ring(2, 3, counts[1], cell)))


def test_curved_boundaries_at_a_distance_are_no_overlap():
    device(beside(ring(1, 2, 24), ring(2.01, 3, 24)))
    device(beside(ring(1, 2, 24), ring(2.1, 3, 36)))


def test_the_error_names_regions_and_the_cure():
    with pytest.raises(uf.errors.DeviceError, match=r"'R0', 'R1'.*BooleanFragments.*merge=") as error:
        device(beside(piece("triangle", 0.5), piece("triangle", 0.5, 1.0)))
    assert "Tunnel(conductance=0)" in str(error.value)


def test_a_pair_of_regions_as_interface_does_not_hide_what_is_wrong():
    mesh = beside(piece("quad", 0.5), piece("quad", 0.5, 1.0))
    with pytest.raises(uf.errors.DeviceError, match="no common nodes"):
        device(mesh, interfaces={("R0", "R1"): uf.Tunnel(conductance=1.0)})


def slit():
    """A square with a slit of doubled nodes from the lower edge to its centre; the slit ends in one node."""
    mesh = uf.rectangle({"a": 1.0}, 1.0, 0.1)
    doubled = np.flatnonzero((abs(mesh.p[0] - 0.5) < 1e-9) & (mesh.p[1] < 0.45))
    copy = np.arange(mesh.nvertices)
    copy[doubled] = mesh.nvertices + np.arange(len(doubled))
    cells = mesh.t.copy()
    right = mesh.p[0][cells].mean(axis=0) > 0.5
    cells[:, right] = copy[cells[:, right]]
    cut = skfem.MeshTri1(np.hstack([mesh.p, mesh.p[:, doubled]]), cells)
    cut = cut.with_boundaries({"left": lambda x: x[0] == 0, "right": lambda x: x[0] == 1, "cut": lambda x: x[0] == 0.5})
    return replace(cut, _subdomains={"a": np.arange(cut.nelements)})


def test_a_slit_of_doubled_nodes_has_to_be_named():
    with pytest.raises(uf.errors.DeviceError, match="10 facets"):
        device(slit())
    device(slit(), interfaces={"cut": uf.Tunnel(conductance=0)})
    device(slit(), interfaces={"cut": uf.SpinActive(conductance=0, mixing=0.3, magnetization=(0, 0, 1))})


def test_a_named_slit_is_an_insulating_barrier_along_the_same_line():
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)}
    whole = uf.rectangle({"a": 1.0}, 1.0, 0.1).with_boundaries(
        {"cut": lambda x: (x[0] == 0.5) & (x[1] < 0.5)}, boundaries_only=False
    )
    barrier = {"cut": uf.Tunnel(conductance=0)}
    devices = (device(mesh, contacts=contacts, interfaces=barrier) for mesh in (slit(), whole))
    one, two = (uf.charge_current(uf.solve_equilibrium(cut, 0.3)).through("right") for cut in devices)
    assert one == pytest.approx(two, rel=1e-10)


def test_electrodes_on_both_sides_of_a_doubled_line_are_meant():
    mesh = beside(piece("quad", 0.5), piece("quad", 0.5, 1.0)).with_boundaries({"middle": lambda x: x[0] == 1.0})
    device(mesh, contacts={"middle": uf.Reservoir(1.0)})


# Joining


def two_squares(folder, second=("1 0 0", "2 0 0", "2 1 0", "1 1 0")):
    """Two squares of two triangles each that share an edge in space, with facet sets on both sides of it."""
    nodes = ["0 0 0", "1 0 0", "1 1 0", "0 1 0", *second]
    cells = ["2 2 1 1 1 2 3", "2 2 1 1 1 3 4", "2 2 2 2 5 6 7", "2 2 2 2 5 7 8"]
    lines = ["1 2 3 3 2 3", "1 2 4 4 5 8", "1 2 5 5 1 4", "1 2 6 6 6 7"]
    names = ['2 1 "A"', '2 2 "B"', '1 3 "A_end"', '1 4 "B_end"', '1 5 "left"', '1 6 "right"']
    return msh(folder, nodes, cells + lines, names)


def test_merge_joins_nodes_and_keeps_all_names(tmp_path):
    mesh = uf.read_mesh(two_squares(tmp_path), merge=1e-6)
    assert mesh.nvertices == 6
    assert mesh.boundaries["A_end"].tolist() == mesh.boundaries["B_end"].tolist()
    assert (mesh.f2t[1, mesh.boundaries["A_end"]] >= 0).all()
    assert set(mesh.subdomains) == {"A", "B"}


def test_a_merged_mesh_conducts_like_one_that_was_made_in_one_piece(tmp_path):
    mesh = uf.read_mesh(two_squares(tmp_path, ("1.0000001 0 0", "2 0 0", "2 1 0", "1 1.0000001 0")), merge=1e-6)
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.0)}
    wire = uf.Device(uf.interval({"N": 2.0}, 0.05), {"N": N}, contacts)
    merged = uf.Device(mesh.refined(3), {"A": N, "B": N}, contacts)
    one, two = (uf.charge_current(uf.solve_equilibrium(d, 0.2)).through("right") for d in (merged, wire))
    assert one == pytest.approx(two, rel=1e-4)


def test_without_merge_the_file_is_read_as_it_is(tmp_path):
    assert uf.read_mesh(two_squares(tmp_path)).nvertices == 8


@pytest.mark.parametrize("merge", [0.0, -1.0, np.nan, True, "1"])
def test_merge_is_a_positive_distance(tmp_path, merge):
    with pytest.raises(uf.errors.MeshError, match=r"merge is .* allowed are None and a positive number"):
        uf.read_mesh(two_squares(tmp_path), merge=merge)


def test_merge_does_not_join_the_nodes_of_a_cell(tmp_path):
    with pytest.raises(uf.errors.MeshError, match=r"joins nodes of the same element.*shortest edge, 1"):
        uf.read_mesh(two_squares(tmp_path), merge=1.5)


def test_merge_leaves_no_hanging_nodes(tmp_path):
    with pytest.raises(uf.errors.MeshError, match="merge=1e-06, parts of the mesh coincide in space"):
        uf.read_mesh(two_squares(tmp_path, ("1 0 0", "2 0 0", "2 1 0", "1 0.7 0")), merge=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_merge_works_for_all_cells(tmp_path, kind):
    mesh = beside(piece(kind, 0.5), piece(kind, 0.5, 1.0))
    order = [0, 4, 3, 1, 7, 5, 2, 6]  # of a hexahedron: scikit-fem vertex of a Gmsh vertex, and back
    cells = mesh.t.T[:, np.argsort(order)] if kind == "hexahedron" else mesh.t.T
    name = {"tetrahedron": "tetra"}.get(kind, kind)
    points = np.zeros((mesh.nvertices, 3))
    points[:, : mesh.dim()] = mesh.p.T
    sets = {region: [rows] for region, rows in mesh.subdomains.items()}
    path = tmp_path / "mesh.inp"
    meshio.write(path, meshio.Mesh(points, [(name, cells)], cell_sets=sets))
    with pytest.raises(uf.errors.DeviceError, match="no common nodes"):
        device(uf.read_mesh(path))
    merged = uf.read_mesh(path, merge=1e-9)
    assert merged.nvertices == mesh.nvertices - (mesh.p[0] == 1).sum() // 2
    device(merged)
