"""Models of the Gmsh API without a file: the same mesh as from the file, clear errors, and sessions left alone."""

import signal
import sys

import numpy as np
import pytest
from gmsh_module import gmsh, needs_gmsh

import usadelfem as uf
from usadelfem.errors import MeshError
from usadelfem.mesh.gmsh_session import gmsh_model

pytestmark = needs_gmsh


@pytest.fixture
def model():
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.model.add("film")
    yield gmsh.model
    gmsh.finalize()


def two_rectangles(model, *, names=("S", "N")):
    one, two = model.occ.addRectangle(0, 0, 0, 2, 1), model.occ.addRectangle(2, 0, 0, 1, 1)
    model.occ.fragment([(2, one)], [(2, two)])
    model.occ.synchronize()
    for tag, name in zip((one, two), names, strict=True):
        model.addPhysicalGroup(2, [tag], name=name)
    edges = [tag for dim, tag in model.getBoundary([(2, one)], oriented=False) if dim == 1]
    model.addPhysicalGroup(1, edges[:1], name="edge")
    model.addPhysicalGroup(1, edges[1:3], tag=17)
    gmsh.option.setNumber("Mesh.MeshSizeMax", 0.3)


def box(model):
    tag = model.occ.addBox(0, 0, 0, 1, 1, 1)
    model.occ.synchronize()
    model.addPhysicalGroup(3, [tag], name="metal")
    model.addPhysicalGroup(2, [1], name="left")
    gmsh.option.setNumber("Mesh.MeshSizeMax", 0.5)


def line(model):
    model.occ.addLine(model.occ.addPoint(0, 0, 0), model.occ.addPoint(1, 0, 0))
    model.occ.synchronize()
    model.addPhysicalGroup(1, [1], name="wire")
    model.addPhysicalGroup(0, [1], name="left")
    gmsh.option.setNumber("Mesh.MeshSizeMax", 0.3)


def quads(model):
    two_rectangles(model)
    gmsh.option.setNumber("Mesh.RecombineAll", 1)
    gmsh.option.setNumber("Mesh.SubdivisionAlgorithm", 1)


@pytest.mark.parametrize("build", [two_rectangles, box, line, quads])
def test_a_model_is_read_as_its_file(model, tmp_path, build):
    build(model)
    mesh = uf.from_gmsh(model)
    path = tmp_path / "film.msh"
    gmsh.write(str(path))
    file = uf.read_mesh(path)
    assert type(mesh) is type(file)
    assert np.array_equal(mesh.t, file.t)
    assert np.allclose(mesh.p, file.p, rtol=0, atol=1e-14)
    for own, other in ((mesh.subdomains, file.subdomains), (mesh.boundaries, file.boundaries)):
        assert list(own) == list(other)
        assert all(np.array_equal(own[name], other[name]) for name in own)


def test_a_group_without_a_name_is_called_by_its_number(model):
    two_rectangles(model)
    assert list(uf.from_gmsh(model).boundaries) == ["17", "edge"]


def test_a_mesh_that_is_there_is_taken_as_it_is(model):
    two_rectangles(model)
    gmsh.option.setNumber("Mesh.MeshSizeMax", 1.0)
    model.mesh.generate(2)
    gmsh.option.setNumber("Mesh.MeshSizeMax", 0.1)
    assert uf.from_gmsh(model).nelements == len(model.mesh.getElementsByType(2)[0])


def test_only_what_is_in_a_group_is_read(model):
    two_rectangles(model)
    model.removePhysicalGroups([(2, 2)])
    assert list(uf.from_gmsh(model).subdomains) == ["S"]


def test_a_model_without_regions_says_how_to_add_them(model):
    model.occ.addDisk(0, 0, 0, 1, 1)
    model.occ.synchronize()
    with pytest.raises(MeshError, match=r"Gmsh model 'film': it has no named regions \(physical groups of dimension 2"):
        uf.from_gmsh(model)


def test_geometry_that_is_not_synchronised_is_missed(model):
    model.occ.addDisk(0, 0, 0, 1, 1)
    with pytest.raises(MeshError, match="synchronise it first"):
        uf.from_gmsh(model)


@pytest.mark.parametrize("build", [two_rectangles, box, quads])
def test_straight_cells_of_second_order_are_read_as_their_file(model, tmp_path, build):
    build(model)
    model.mesh.generate(model.getDimension())
    model.mesh.setOrder(2)
    gmsh.write(str(tmp_path / "film.msh"))
    one, two = uf.from_gmsh(model), uf.read_mesh(tmp_path / "film.msh")
    assert type(one) is type(two)
    assert np.array_equal(one.t, two.t)


def test_curved_cells_are_refused(model):
    model.occ.addDisk(0, 0, 0, 1, 1)
    model.occ.synchronize()
    model.addPhysicalGroup(2, [1], name="disc")
    model.mesh.generate(2)
    model.mesh.setOrder(2)
    with pytest.raises(MeshError, match="triangle6 are of higher order"):
        uf.from_gmsh(model)


def test_a_partitioned_mesh_is_refused(model):
    two_rectangles(model)
    model.mesh.generate(2)
    model.mesh.partition(2)
    with pytest.raises(MeshError, match="unpartition"):
        uf.from_gmsh(model)


def test_periodic_links_are_dropped_with_a_warning(model):
    two_rectangles(model)
    left = model.getEntitiesInBoundingBox(-1e-3, -1e-3, -1e-3, 1e-3, 1.001, 1e-3, 1)[0][1]
    right = model.getEntitiesInBoundingBox(2.999, -1e-3, -1e-3, 3.001, 1.001, 1e-3, 1)[0][1]
    model.mesh.setPeriodic(1, [right], [left], [1, 0, 0, 3, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
    with pytest.warns(UserWarning, match="periodic links are not used"):
        uf.from_gmsh(model)


def test_what_gmsh_cannot_mesh_is_an_error_of_the_mesh(model):
    points = [model.geo.addPoint(x, y, 0, 0.2) for x, y in ((0, 0), (1, 1), (1, 0), (0, 1))]
    lines = [model.geo.addLine(points[k - 1], points[k]) for k in range(4)]
    tag = model.geo.addPlaneSurface([model.geo.addCurveLoop(lines)])
    model.geo.synchronize()
    model.addPhysicalGroup(2, [tag], name="bow tie")
    with pytest.raises(MeshError, match="Gmsh model 'film'"):
        uf.from_gmsh(model)


def test_something_else_is_no_model():
    with pytest.raises(TypeError, match=r"allowed is gmsh\.model"):
        uf.from_gmsh("film.msh")


def test_gmsh_has_to_be_initialised():
    with pytest.raises(MeshError, match=r"call gmsh\.initialize"):
        uf.from_gmsh(gmsh.model)


def test_builders_leave_a_session_alone(model):
    two_rectangles(model)
    gmsh.option.setNumber("Mesh.ElementOrder", 2)
    before = gmsh.model.list()
    uf.geometry.disc(S=uf.superconductor(gap=1.0), radius=1.0).mesh(size=0.5)
    assert gmsh.model.list() == before
    assert gmsh.model.getCurrent() == "film"
    assert gmsh.option.getNumber("Mesh.ElementOrder") == 2
    assert len(gmsh.model.getEntities(2)) == 2


def test_builders_close_the_session_that_they_opened():
    handler = signal.getsignal(signal.SIGINT)
    uf.geometry.disc(S=uf.superconductor(gap=1.0), radius=1.0).mesh(size=0.5)
    assert not gmsh.isInitialized()
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_session_is_left_alone_after_an_error(model):
    with pytest.raises(ZeroDivisionError), gmsh_model():
        _ = 1 / 0
    assert gmsh.model.getCurrent() == "film"


def test_meshing_says_nothing(capfd):
    uf.geometry.disc(S=uf.superconductor(gap=1.0), radius=1.0).mesh(size=0.5)
    assert capfd.readouterr() == ("", "")


def test_without_gmsh_an_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gmsh", None)
    with pytest.raises(MeshError, match=r'pip install "usadelfem\[gmsh\]"'):
        uf.geometry.disc(S=uf.superconductor(gap=1.0), radius=1.0).mesh()
