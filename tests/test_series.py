"""Series of fields over energies and other parameters: members, files that ParaView animates."""

from dataclasses import replace
from xml.etree import ElementTree

import meshio
import numpy as np
import pytest
from devices import junction

import usadelfem as uf

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # meshes of a few cells
MESH = uf.rectangle({"N": 1.0}, width=0.5, size=0.25)
ENERGIES = [-2.0, 0.5, 2.0]
TEMPERATURES = [0.2, 0.4]


@pytest.fixture(scope="module")
def spec():
    return uf.solve_spectrum(junction(MESH, {"N": uf.normal_metal()}, 1.0), ENERGIES, broadening=0.1, order=1)


@pytest.fixture(scope="module")
def equilibria():
    device = junction(MESH, {"N": uf.normal_metal()}, 1.0)
    return [uf.solve_equilibrium(device, t, order=1, frequencies=2) for t in TEMPERATURES]


def over_temperature(equilibria, observable):
    return uf.observe.series([observable(eq) for eq in equilibria], TEMPERATURES, name="temperature", unit="energy")


def test_a_pvd_file_names_one_file_per_energy(spec, tmp_path):
    density = uf.density_of_states(spec)
    path = uf.write_vtk(tmp_path / "dos.pvd", density, uf.charge_current(spec), uf.pair_amplitude(spec))
    entries = ElementTree.parse(path).getroot().findall("Collection/DataSet")
    assert [float(entry.get("timestep")) for entry in entries] == ENERGIES
    for entry, values in zip(entries, density.at_corners, strict=True):
        grid = meshio.read(tmp_path / entry.get("file"))
        assert np.array_equal(grid.point_data["density_of_states [N0]"], values)
        assert grid.point_data["spectral_charge_current [e*N0*D/length]"].shape == (len(values), 3)


def test_an_xdmf_file_holds_all_energies(spec, tmp_path):
    density = uf.density_of_states(spec)
    with meshio.xdmf.TimeSeriesReader(uf.write_vtk(tmp_path / "dos.xdmf", density)) as reader:
        points, _ = reader.read_points_cells()
        steps = [reader.read_data(n) for n in range(reader.num_steps)]
    assert len(points) == MESH.nvertices
    assert [time for time, *_ in steps] == ENERGIES
    for (_, point_data, _), values in zip(steps, density.at_corners, strict=True):
        assert np.array_equal(point_data["density_of_states [N0]"], values)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["dos.h5", "dos.xdmf"]


def test_the_working_directory_stays_clean(spec, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    uf.write_vtk(tmp_path / "there" / "dos.xdmf", uf.density_of_states(spec))
    assert not list((tmp_path / "here").iterdir())


def test_pyvista_animates_over_energy(spec, tmp_path):
    pyvista = pytest.importorskip("pyvista")
    reader = pyvista.get_reader(uf.write_vtk(tmp_path / "dos.pvd", uf.density_of_states(spec)))
    assert reader.time_values == ENERGIES


def test_a_series_over_temperature_has_the_fields_as_members(equilibria):
    currents = over_temperature(equilibria, uf.charge_current)
    assert len(currents) == 2
    for member, eq in zip(currents, equilibria, strict=True):
        assert np.array_equal(member.quadrature, uf.charge_current(eq).quadrature)
        assert member.through("right") == uf.charge_current(eq).through("right")
    assert currents.through("right").shape == (2,)
    assert over_temperature(equilibria, uf.pair_amplitude).at([[0.5], [0.25]]).shape == (2, 4, 1)


def test_a_series_over_temperature_is_written(equilibria, tmp_path):
    path = uf.write_vtk(tmp_path / "current.pvd", over_temperature(equilibria, uf.charge_current))
    assert [float(e.get("timestep")) for e in ElementTree.parse(path).iter("DataSet")] == TEMPERATURES


def test_only_fields_of_one_quantity_on_one_mesh_make_a_series(equilibria):
    current, density = uf.charge_current(equilibria[0]), uf.spin_density(equilibria[0])
    with pytest.raises(uf.errors.ObservableError, match="not the same quantity"):
        uf.observe.series([current, density], [0, 1], name="n")
    with pytest.raises(uf.errors.ObservableError, match="give one for each field"):
        uf.observe.series([current], [0, 1], name="n")


def test_a_series_does_not_fit_into_a_vtu_file(spec, tmp_path):
    with pytest.raises(uf.errors.ObservableError, match=r"series over energy: write it to a \.vtkhdf, \.pvd"):
        uf.write_vtk(tmp_path / "dos.vtu", uf.density_of_states(spec))


def test_a_single_field_does_not_make_an_animation(spec, tmp_path):
    with pytest.raises(uf.errors.ObservableError, match=r"single field: write it to a \.vtu file"):
        uf.write_vtk(tmp_path / "dos.pvd", uf.density_of_states(spec)[0])


def test_series_over_other_values_go_to_other_files(spec, tmp_path):
    density, current = uf.density_of_states(spec), uf.charge_current(spec)
    shifted = replace(current, series=replace(current.series, values=current.series.values + 1))
    with pytest.raises(uf.errors.ObservableError, match="different values"):
        uf.write_vtk(tmp_path / "dos.pvd", density, shifted)


def test_other_endings_are_refused(spec, tmp_path):
    with pytest.raises(ValueError, match=r"\.vtu, or for a series in \.vtkhdf, \.pvd or \.xdmf"):
        uf.write_vtk(tmp_path / "dos.vtk", uf.density_of_states(spec))
