"""Files for ParaView: read back with meshio and pyvista, rendered off-screen, written atomically."""

import dataclasses
from pathlib import Path

import meshio
import numpy as np
import pytest
from devices import junction, sfs

import usadelfem as uf

# What matters is the file.
pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")

POINT_DATA = {
    "charge_current [e*N0*D*energy/length]": 3,
    "spin_current_sx [N0*D*energy/length]": 3,
    "spin_current_sy [N0*D*energy/length]": 3,
    "spin_current_sz [N0*D*energy/length]": 3,
    "spin_density [hbar/2*N0*energy]": 3,
    "pair_amplitude_f0_re": 1,
    "pair_amplitude_f0_im": 1,
    "pair_amplitude_f0_abs": 1,
    "pair_amplitude_triplet_re": 3,
    "pair_amplitude_triplet_im": 3,
    "pair_amplitude_triplet_abs": 3,
}
CELL_DATA = {
    "region [0=F, 1=S]": 1,
    "D [length^2*energy]": 1,
    "N0": 1,
    "gap_abs [energy]": 1,
    "exchange [energy]": 3,
    "charge_current_cell [e*N0*D*energy/length]": 3,
    "spin_current_cell_sx [N0*D*energy/length]": 3,
    "spin_current_cell_sy [N0*D*energy/length]": 3,
    "spin_current_cell_sz [N0*D*energy/length]": 3,
    "spin_density_cell [hbar/2*N0*energy]": 3,
}
MESHES = {
    "line": lambda: uf.interval({"S": 1.0, "F": 1.0}, size=0.25),
    "triangle": lambda: uf.rectangle({"S": 1.0, "F": 1.0}, width=1.0, size=0.25),
    "quad": lambda: uf.rectangle({"S": 1.0, "F": 1.0}, width=1.0, size=0.25, cell="quad"),
    "tetra": lambda: uf.box({"S": 1.0, "F": 1.0}, width=1.0, height=0.5, size=0.5),
    "hexahedron": lambda: uf.box({"S": 1.0, "F": 1.0}, width=1.0, height=0.5, size=0.5, cell="hexahedron"),
}


def solved(mesh):
    materials = {"S": uf.superconductor(gap=0.5), "F": uf.ferromagnet(exchange=(1.0, 0.5, 2.0), D=0.7)}
    return uf.solve_equilibrium(junction(mesh, materials, 1.0), 0.2, order=1, frequencies=3)


def fields(eq):
    return uf.charge_current(eq), uf.spin_current(eq), uf.spin_density(eq), uf.pair_amplitude(eq)


@pytest.fixture(scope="module")
def eq():
    return solved(MESHES["triangle"]())


def components(array):
    return 1 if array.ndim == 1 else array.shape[1]


@pytest.mark.parametrize("cell", MESHES)
def test_meshio_and_pyvista_read_back_every_documented_array(cell, tmp_path):
    pyvista = pytest.importorskip("pyvista")
    eq = solved(MESHES[cell]())
    path = uf.write_vtk(tmp_path / "out.vtu", *fields(eq))
    grid = meshio.read(path)
    assert [block.type for block in grid.cells] == [cell]
    assert {name: components(a) for name, a in grid.point_data.items()} == POINT_DATA
    assert {name: components(a[0]) for name, a in grid.cell_data.items()} == CELL_DATA
    picture = pyvista.read(path)
    assert {name: components(np.asarray(picture.point_data[name])) for name in picture.point_data} == POINT_DATA
    assert {name: components(np.asarray(picture.cell_data[name])) for name in picture.cell_data} == CELL_DATA
    sizes = picture.compute_cell_sizes()
    measure = {"line": "Length", "triangle": "Area", "quad": "Area"}.get(cell, "Volume")
    assert sizes[measure].sum() == pytest.approx(eq.problem.space.dx.sum(), rel=1e-12)
    assert (sizes[measure] > 0).all()


def test_values_in_the_file_are_those_of_the_fields(eq, tmp_path):
    grid = meshio.read(uf.write_vtk(tmp_path / "out.vtu", *fields(eq)))
    current, _, spin, pair = fields(eq)
    assert np.array_equal(grid.points[:, :2].T, eq.device.mesh.p)
    assert np.array_equal(grid.point_data["charge_current [e*N0*D*energy/length]"][:, :2].T, current.nodal)
    assert np.array_equal(grid.point_data["spin_density [hbar/2*N0*energy]"].T, spin.nodal)
    assert np.array_equal(grid.point_data["pair_amplitude_f0_im"], pair.nodal[0].imag)
    assert np.array_equal(grid.point_data["pair_amplitude_triplet_abs"].T, abs(pair.nodal[1:]))
    region = grid.cell_data["region [0=F, 1=S]"][0]
    assert np.array_equal(np.flatnonzero(region == 0), np.sort(eq.device.mesh.subdomains["F"]))
    assert grid.cell_data["D [length^2*energy]"][0][region == 0] == pytest.approx(0.7)


def test_pyvista_renders_the_file_off_screen(eq, tmp_path):
    pyvista = pytest.importorskip("pyvista")
    grid = pyvista.read(uf.write_vtk(tmp_path / "out.vtu", *fields(eq)))
    plotter = pyvista.Plotter(off_screen=True, window_size=(500, 400))
    plotter.add_mesh(grid, scalars="pair_amplitude_f0_abs", show_edges=True)
    plotter.view_xy()
    picture = plotter.screenshot(tmp_path / "f0.png", return_img=True)
    plotter.close()
    assert (tmp_path / "f0.png").stat().st_size > 5000
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50  # a colour map, not an empty window


def test_a_crash_while_writing_leaves_the_old_file_and_no_other(eq, tmp_path, monkeypatch):
    path = uf.write_vtk(tmp_path / "out.vtu", uf.charge_current(eq))
    before = path.read_bytes()

    def crash(self, name, **options):
        Path(name).write_text("half a fi")
        raise OSError("disk full")

    monkeypatch.setattr(meshio.Mesh, "write", crash)
    with pytest.raises(OSError, match="disk full"):
        uf.write_vtk(path, uf.spin_density(eq))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.vtu"]


def test_missing_folder_is_named(eq, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        uf.write_vtk(tmp_path / "nowhere" / "out.vtu", uf.charge_current(eq))


def test_wrong_suffix_is_named(eq, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.vtu"):
        uf.write_vtk(tmp_path / "out.vtk", uf.charge_current(eq))


def test_no_fields_or_something_else_is_refused(eq, tmp_path):
    with pytest.raises(ValueError, match="no fields to write"):
        uf.write_vtk(tmp_path / "out.vtu")
    with pytest.raises(TypeError, match="allowed are Field objects"):
        uf.write_vtk(tmp_path / "out.vtu", np.zeros(3))


def test_fields_of_different_devices_need_different_files(eq, tmp_path):
    other = uf.charge_current(uf.solve_equilibrium(sfs(), 0.2, frequencies=1))
    with pytest.raises(uf.errors.ObservableError, match="different meshes"):
        uf.write_vtk(tmp_path / "out.vtu", uf.charge_current(eq), other)


def test_fields_of_the_same_name_must_be_renamed(eq, tmp_path):
    one, two = uf.pair_amplitude(eq, 0), uf.pair_amplitude(eq, 1)
    with pytest.raises(uf.errors.ObservableError, match="several fields are named pair_amplitude"):
        uf.write_vtk(tmp_path / "out.vtu", one, two)
    renamed = dataclasses.replace(two, name="pair_amplitude_1")
    grid = meshio.read(uf.write_vtk(tmp_path / "out.vtu", one, renamed))
    assert "pair_amplitude_1_f0_re" in grid.point_data


def test_elements_of_different_order_need_different_files(eq, tmp_path):
    other = uf.charge_current(uf.solve_equilibrium(eq.device, 0.2, order=2, frequencies=1))
    with pytest.raises(uf.errors.ObservableError, match="elements of different order"):
        uf.write_vtk(tmp_path / "out.vtu", uf.spin_density(eq), other)


QUADRATIC = {"line": "line3", "triangle": "triangle6", "quad": "quad9", "tetra": "tetra10"} | {
    "hexahedron": "hexahedron27"
}


@pytest.mark.parametrize("suffix", [".vtu", ".vtkhdf"])
@pytest.mark.parametrize("cell", MESHES)
def test_vtk_finds_the_quadratic_solution_inside_of_cells(cell, suffix, tmp_path):
    """Of the linearised equation pair amplitudes are quadratic in each cell."""
    pyvista = pytest.importorskip("pyvista")
    device = junction(MESHES[cell](), {"S": uf.normal_metal(), "F": uf.normal_metal(D=0.7)}, 1.0)
    pair = uf.pair_amplitude(uf.solve_equilibrium(device, 0.2, linearized=True, frequencies=1))
    grid = pyvista.read(uf.write_vtk(tmp_path / f"out{suffix}", pair))
    assert set(grid.celltypes) == {meshio._vtk_common.meshio_to_vtk_type[QUADRATIC[cell]]}
    generator = np.random.default_rng(0)
    points = generator.uniform(0.01, 0.99, (3, 40)) * np.array([[2.0], [1.0], [0.5]])
    points[device.mesh.dim() :] = 0
    found = pyvista.PolyData(points.T).sample(grid, tolerance=1e-9)
    exact = pair.at(points[: device.mesh.dim()])[0]
    assert found["vtkValidPointMask"].all()
    limit = (1e-5 if cell == "tetra" else 1e-12) * abs(exact).max()  # how well VTK finds points in quadratic tetrahedra
    assert abs(found["pair_amplitude_f0_re"] - exact.real).max() < limit
    assert abs(found["pair_amplitude_f0_im"] - exact.imag).max() < limit


def test_the_reader_of_vtk_finds_every_step_of_a_series(eq, tmp_path):
    pyvista = pytest.importorskip("pyvista")
    fields = [uf.spin_density(uf.solve_equilibrium(eq.device, t, order=2, frequencies=1)) for t in (0.2, 0.3, 0.5)]
    series = uf.observe.series(fields, [0.2, 0.3, 0.5], name="temperature", unit="energy")
    reader = pytest.importorskip("vtkmodules.vtkIOHDF").vtkHDFReader()
    reader.SetFileName(str(uf.write_vtk(tmp_path / "out.vtkhdf", series)))
    reader.UpdateInformation()
    assert reader.GetNumberOfSteps() == 3
    for n, field in enumerate(fields):
        reader.SetStep(n)
        reader.Update()
        assert reader.GetTimeValue() == series.series.values[n]
        grid = pyvista.wrap(reader.GetOutputDataObject(0))
        assert set(grid.celltypes) == {22}
        corners = grid["spin_density [hbar*2^-1*N0*energy]"][: eq.device.mesh.nvertices].T
        assert np.array_equal(corners, field.nodal)
        mean = (field.quadrature * field.space.dx).sum(axis=-1) / field.space.dx.sum(axis=-1)
        assert np.allclose(grid.cell_data["spin_density_cell [hbar*2^-1*N0*energy]"].T, mean, rtol=1e-13)
