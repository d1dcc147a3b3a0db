"""Names that users give: whatever a region, a field, a key or a file is called comes back, or is refused."""

import warnings
from dataclasses import replace
from xml.etree import ElementTree

import meshio
import numpy as np
import pytest

import usadelfem as uf
from usadelfem.errors import DeviceError

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # small meshes

NAMES = [
    "Cu & Nb", "<F>", 'a"b', "a'b", "a/b", ".", "..", "x" * 300, "Niob-Brücke ∂ 𝄞", "A, 1=B", "[x]", " lead ", "%41",
    "a%2Fb", "a\u00a0b", "&amp;", "100%", "]]>",
]  # fmt: skip
REFUSED = ["a\0b", "a\nb", "", "\ud800", "\x1b", "\t", "x" * 1001, 3]
KEYS = [*NAMES, "a\0b", "a\nb", "\ud800", "\udcff"]


def device(name):
    mesh = uf.interval({"F": 1.0, "Q": 1.0}, size=0.5)
    mesh = replace(
        mesh,
        _subdomains={name: mesh.subdomains["Q"], "F": mesh.subdomains["F"]},
        _boundaries={"left": mesh.boundaries["left"], name: mesh.boundaries["right"]},
    )
    materials = {region: uf.normal_metal() for region in mesh.subdomains}
    return uf.Device(mesh, materials, {"left": uf.Reservoir(gap=1.0), name: uf.Reservoir(gap=1.0, phase=1.0)})


@pytest.fixture(scope="module")
def current():
    return uf.charge_current(uf.solve_equilibrium(device("Q"), 0.3, frequencies=1, order=1))


@pytest.mark.parametrize("name", NAMES)
def test_a_region_and_a_contact_of_any_name_come_back_from_a_result(name, tmp_path):
    eq = uf.solve_equilibrium(device(name), 0.3, frequencies=1, order=1)
    again = uf.load(uf.save(tmp_path / "result.h5", eq))
    assert set(again.device.materials) == {name, "F"}
    assert uf.charge_current(again).through(name) == uf.charge_current(eq).through(name)


@pytest.mark.parametrize("name", NAMES)
def test_regions_and_fields_of_any_name_come_back_from_files_for_paraview(name, tmp_path):
    pyvista = pytest.importorskip("pyvista")
    field = uf.charge_current(uf.solve_equilibrium(device(name), 0.3, frequencies=1, order=1))
    field = replace(field, name=name)
    array = f"{name} [{field.unit}]"
    path = uf.write_vtk(tmp_path / "a.vtu", field)
    ElementTree.parse(path)
    for grid in (meshio.read(path), pyvista.read(path)):
        assert array in grid.point_data.keys()  # noqa: SIM118
        (legend,) = (key for key in grid.cell_data.keys() if key.startswith("region"))  # noqa: SIM118
        assert name.replace('"', '\\"') in legend or name in legend
    series = uf.observe.series([field, field], [0.0, 1.0], name=name)
    assert array in pyvista.get_reader(uf.write_vtk(tmp_path / "a.pvd", series)).read()[0].point_data
    with meshio.xdmf.TimeSeriesReader(uf.write_vtk(tmp_path / "b.xdmf", series)) as reader:
        reader.read_points_cells()
        assert array in reader.read_data(1)[1]


def test_the_legend_of_regions_is_not_ambiguous(tmp_path):
    field = uf.charge_current(uf.solve_equilibrium(device("F, 1=G"), 0.3, frequencies=1, order=1))
    grid = meshio.read(uf.write_vtk(tmp_path / "a.vtu", field))
    assert 'region [0=F, 1="F, 1=G"]' in grid.cell_data


@pytest.mark.parametrize("name", REFUSED, ids=repr)
def test_names_that_no_file_gives_back_are_refused_by_the_device(name):
    with pytest.raises(DeviceError, match=r"of the mesh is named .*; allowed are texts of 1 to 1000 characters"):
        device(name)


def test_a_field_whose_name_xml_cannot_hold_is_refused(current, tmp_path):
    with pytest.raises(ValueError, match=r"cannot write an array named 'a\\x00b"):
        uf.write_vtk(tmp_path / "a.vtu", replace(current, name="a\0b"))
    assert not list(tmp_path.iterdir())


def test_keys_of_any_text_come_back_from_checkpoints_and_results(tmp_path):
    def function(x):
        return {key: x * n for n, key in enumerate(KEYS)}

    result = uf.sweep(function, [1.0, 2.0], checkpoint=tmp_path / "run.h5")
    resumed = uf.sweep(function, [1.0, 2.0], checkpoint=tmp_path / "run.h5")
    saved = uf.load(uf.save(tmp_path / "result.h5", result))
    for other in (resumed, uf.load(tmp_path / "run.h5"), saved):
        assert set(other.values) == set(KEYS)
        assert all(np.array_equal(other.values[key], result.values[key]) for key in KEYS)


@pytest.mark.parametrize("key", ["", "x" * 1001, 3])
def test_keys_that_are_no_names_are_refused(key, tmp_path):
    with pytest.raises(TypeError, match=r"a dict with the key .*keys are texts of 1 to 1000 characters"):
        uf.sweep(lambda x: {key: x}, [1.0], checkpoint=tmp_path / "run.h5")


def test_texts_and_large_integers_as_parameters_come_back(tmp_path):
    texts = ["a", "a\0", "\ud800", "é", "", "%41"]
    result = uf.sweep(len, texts, checkpoint=tmp_path / "run.h5")
    assert uf.load(tmp_path / "run.h5").parameters == tuple(texts)
    assert uf.load(uf.save(tmp_path / "a.h5", result)).parameters == tuple(texts)
    large = uf.sweep(float, [10**30, 1])
    assert uf.load(uf.save(tmp_path / "b.h5", large)).parameters == (10**30, 1)


@pytest.mark.parametrize("stem", ["a & b", "a<b>", 'a"b', "ü ∂", "..", " ", "x" * 240, "%41", "a:b", "a\nb"])
@pytest.mark.parametrize("suffix", [".h5", ".vtu", ".pvd", ".xdmf"])
def test_file_names_are_kept_or_refused(stem, suffix, current, tmp_path):
    path = tmp_path / f"{stem}{suffix}"
    series = uf.observe.series([current, current], [0.0, 1.0], name="t")
    if suffix in (".pvd", ".xdmf") and stem in ("..", " ", "a:b", "a\nb"):
        with pytest.raises(ValueError, match="the name of a series holds more than dots"):
            uf.write_vtk(path, series)
        return
    if suffix == ".vtu" and stem == "..":  # an ending only
        with pytest.raises(ValueError, match="the name holds more than dots"):
            uf.write_vtk(path, current)
        return
    if suffix == ".h5":
        assert uf.load(uf.save(path, uf.sweep(float, [1.0]))).values.tolist() == [1.0]
    elif suffix == ".vtu":
        assert len(meshio.read(uf.write_vtk(path, current), file_format="vtu").points)
    elif suffix == ".pvd":
        (entry, _) = ElementTree.parse(uf.write_vtk(path, series)).iter("DataSet")
        assert len(meshio.read(tmp_path / entry.get("file")).points)
    else:
        with meshio.xdmf.TimeSeriesReader(uf.write_vtk(path, series)) as reader:
            assert len(reader.read_points_cells()[0])
    assert not [file for file in tmp_path.rglob("*") if file.name.endswith(".part")]


@pytest.mark.parametrize("name", ["a\0b", "\ud800"], ids=repr)
def test_file_names_that_are_none_are_refused(name, current, tmp_path):
    for call in (
        lambda: uf.save(tmp_path / f"{name}.h5", uf.sweep(float, [1.0])),
        lambda: uf.write_vtk(tmp_path / f"{name}.vtu", current),
        lambda: uf.sweep(float, [1.0], checkpoint=tmp_path / f"{name}.h5"),
    ):
        with pytest.raises(ValueError, match="is no file name"):
            call()


def test_paths_that_are_none_are_refused(current):
    result = uf.sweep(float, [1.0])
    for call in (lambda: uf.save(None, result), lambda: uf.write_vtk(None, current), lambda: uf.load(None)):
        with pytest.raises(TypeError, match="path is None; allowed is a file name"):
            call()


def test_a_name_that_is_too_long_for_the_disk_is_named(tmp_path):
    with pytest.raises(OSError, match="cannot write 'xxx"):
        uf.save(tmp_path / ("x" * 300 + ".h5"), uf.sweep(float, [1.0]))
    assert not list(tmp_path.iterdir())


MSH = """$MeshFormat
2.2 0 8
$EndMeshFormat
$Comments
von Jürgen
$EndComments
$PhysicalNames
2
0 2 "links"
1 1 "{}"
$EndPhysicalNames
$Nodes
3
1 0 0 0
2 1 0 0
3 2 0 0
$EndNodes
$Elements
3
1 15 2 2 1 1
2 1 2 1 1 1 2
3 1 2 1 1 2 3
$EndElements
"""


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
@pytest.mark.parametrize("name", ["Brücke", 'a "b" c', "a'b", "a\\b", "Cu & Nb"])
def test_names_in_mesh_files_are_read_in_the_encodings_in_use(name, encoding, tmp_path):
    (tmp_path / "a.msh").write_bytes(MSH.replace("{}", name).encode(encoding))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mesh = uf.read_mesh(tmp_path / "a.msh")
    assert list(mesh.subdomains) == [name]
    assert list(mesh.boundaries) == ["links"]
