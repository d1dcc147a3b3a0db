"""What is drawn, and what other packages get: numbers, labels, colour maps."""

import importlib

import numpy as np
import pytest
from devices import junction

import usadelfem as uf
from usadelfem.errors import ObservableError
from usadelfem.pictures.solid import _add_arrows

plt = pytest.importorskip("matplotlib.pyplot")
pyvista = pytest.importorskip("pyvista")

pytestmark = pytest.mark.filterwarnings("ignore::usadelfem.errors.ResolutionWarning")  # small meshes
MATERIALS = {"S": uf.superconductor(gap=0.5), "N": uf.normal_metal(D=0.7, N0=0.5)}


def device(dim, *, barrier=False, cell="triangle"):
    mesh = {
        1: lambda: uf.interval({"S": 1.0, "N": 1.0}, size=0.25),
        2: lambda: uf.rectangle({"S": 1.0, "N": 1.0}, width=1.2, size=0.4, cell=cell),
        3: lambda: uf.box({"S": 1.0, "N": 1.0}, width=0.8, height=0.4, size=0.5),
    }[dim]()
    made = junction(mesh, MATERIALS, 1.0)
    return uf.Device(mesh, MATERIALS, made.contacts, {("S", "N"): uf.Tunnel(conductance=0.5)} if barrier else {})


def solved(dim, order=2, **options):
    return uf.solve_equilibrium(device(dim, **options), 0.2, order=order, frequencies=2)


@pytest.fixture(scope="module")
def line():
    return solved(1, barrier=True)


@pytest.fixture(scope="module")
def plane():
    return solved(2, order=1, barrier=True)


@pytest.fixture(scope="module")
def spec():
    return uf.solve_spectrum(device(1), [0.1, 0.5, 0.9, 1.4], broadening=0.1)


@pytest.fixture(autouse=True)
def no_windows(monkeypatch):
    monkeypatch.setattr(pyvista, "OFF_SCREEN", True)
    yield
    plt.close("all")
    pyvista.close_all()


def bar_label(ax):
    (bar,) = ax.child_axes
    return bar.get_ylabel() or bar.get_xlabel()


def test_curves_go_through_the_values_of_the_field_and_jump_at_a_barrier(line):
    pair = uf.pair_amplitude(line)
    ax = pair.plot("f0")
    x, y = ax.lines[0].get_data()
    gap = np.flatnonzero(np.isnan(y))
    assert list(x[gap]) == [1.0]
    left, right = y[gap[0] - 1], y[gap[0] + 1]
    assert abs(left - right) > 0.1
    inside = np.isfinite(y) & (abs(x - 1) > 1e-9)
    assert np.allclose(y[inside], abs(pair.at(x[None, inside])[0]), rtol=1e-12)
    assert ax.get_xlabel() == "x [length]"
    assert {"S", "N"} <= {text.get_text() for text in ax.texts}


def test_all_components_of_a_vector_are_curves_with_their_names(line):
    ax = uf.spin_current(line).plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["sx_x", "sy_x", "sz_x"]
    assert ax.get_ylabel() == "spin current [N0*D*energy/length]"


def test_curves_on_the_same_axes_are_told_apart_by_their_labels(line):
    current = uf.charge_current(line)
    ax = current.plot(label="one")
    (2 * current).plot(ax=ax, label="two", color="red")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]
    assert ax.get_ylabel() == "charge current [e*N0*D*energy/length]"


@pytest.mark.parametrize("cell", ["triangle", "quad"])
def test_colours_are_the_values_at_the_nodes_on_both_sides_of_a_barrier(cell):
    eq = solved(2, order=1, barrier=True, cell=cell)
    pair = uf.pair_amplitude(eq)
    ax = pair.plot()
    drawn = ax.collections[0].get_array().reshape(eq.device.mesh.nelements, -1)
    corners = np.searchsorted(eq.problem.space.corners, eq.problem.space.cells)
    exact = abs(pair.at_corners[0])[corners]
    assert np.allclose(np.sort(drawn, axis=1), np.sort(exact, axis=1), rtol=1e-13)
    assert bar_label(ax) == "|pair amplitude f0|"
    assert ax.get_aspect() == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x [length]", "y [length]")
    assert {"S", "N"} <= {text.get_text() for text in ax.texts}


def test_a_phase_is_cyclic_and_blank_where_there_is_nothing(plane):
    ax = uf.gap(plane).plot(quantity="phase")
    drawn = ax.collections[0]
    assert drawn.get_cmap().name == "twilight"
    assert drawn.get_clim() == (-np.pi, np.pi)
    assert bar_label(ax) == "phase of gap [rad]"
    superconducting = len(plane.device.mesh.subdomains["S"])
    assert len(drawn._triangulation.triangles) == superconducting  # the normal metal has no phase


def test_a_curve_of_a_phase_is_cut_where_it_wraps():
    wound = junction(uf.interval({"N": 1.0}, size=0.1), {"N": uf.normal_metal()}, 1.0)
    pair = uf.pair_amplitude(uf.solve_equilibrium(wound, 0.3, frequencies=1)).component("f0")
    _, y = (pair * pair).plot(quantity="phase").lines[0].get_data()
    steps = np.diff(y)
    assert np.isnan(y).any()
    assert abs(steps[np.isfinite(steps)]).max() <= np.pi


def test_colour_maps_tell_densities_from_what_has_signs(plane):
    current = uf.charge_current(plane)
    length, part = current.plot().collections[0], current.plot("y").collections[0]
    assert (length.get_cmap().name, length.get_clim()[0]) == ("viridis", 0.0)
    low, high = part.get_clim()
    assert part.get_cmap().name == "RdBu_r"
    assert low == -high
    assert bar_label(current.plot()) == "|charge current| [e*N0*D*energy/length]"


def test_rounding_errors_of_a_component_are_not_blown_up():
    strip = junction(uf.rectangle({"N": 1.0}, width=1.0, size=0.5), {"N": uf.normal_metal()}, 1.0)
    current = uf.charge_current(uf.solve_equilibrium(strip, 0.3, frequencies=1))
    drawn = (current * 1.0).plot("y").collections[0]
    assert drawn.get_clim()[1] >= 1e-9 * abs(current.quadrature).max()


@pytest.mark.parametrize("vectors", ["arrows", "lines", "none"])
def test_arrows_and_lines_of_flow(plane, vectors):
    ax = uf.charge_current(plane).plot(vectors=vectors)
    kinds = [type(one).__name__ for one in ax.collections]
    assert ("Quiver" in kinds) == (vectors == "arrows")
    assert kinds.count("LineCollection") == 2 if vectors == "lines" else 1
    if vectors == "arrows":
        arrows = ax.collections[kinds.index("Quiver")]
        expected = uf.charge_current(plane).at(arrows.XY.T)
        assert np.allclose([arrows.U, arrows.V], expected, rtol=1e-12)


def test_a_series_on_a_line_is_a_map_over_the_parameter(spec):
    density = uf.density_of_states(spec)
    ax = density.plot()
    drawn = ax.collections[0].get_array()
    centres = np.sort(spec.device.mesh.p[0, spec.device.mesh.t].mean(axis=0))
    assert np.allclose(drawn, density.at(centres[None]), rtol=1e-12)
    assert (ax.get_ylabel(), bar_label(ax)) == ("energy [energy]", "density of states [N0]")


def test_what_cannot_be_drawn_is_named(plane, spec):
    pair = uf.pair_amplitude(plane)
    with pytest.raises(ObservableError, match=r"component is 'g'; pair_amplitude has: f0, fx, fy, fz, triplet"):
        pair.plot("g")
    with pytest.raises(ValueError, match="quantity is 'size'; allowed are 'abs', 'phase'"):
        pair.plot(quantity="size")
    with pytest.raises(ValueError, match="vectors is 'stream'"):
        pair.plot(vectors="stream")
    with pytest.raises(TypeError, match=r"ax is a list; allowed are matplotlib Axes"):
        pair.plot(ax=[])
    both = uf.observe.series([pair, pair], [0.0, 1.0], name="step")
    with pytest.raises(ObservableError, match=r"series over step: draw one of its members, field\[n\]\.plot\(\)"):
        both.plot()
    with pytest.raises(ObservableError, match=r"series over step: convert field\[n\]"):
        both.to_pyvista()
    assert both[1].plot().figure


def test_without_the_package_the_line_that_installs_it_is_said(plane, monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr("usadelfem.pictures.extra.import_module", missing)
    for call, line in (
        (uf.charge_current(plane).plot, r'pip install "usadelfem\[plot\]"'),
        (uf.charge_current(plane).to_xarray, "pip install xarray"),
        (uf.charge_current(plane).to_pyvista, "pip install pyvista"),
    ):
        with pytest.raises(ImportError, match=line):
            call()


def test_pyvista_draws_three_dimensions_and_others_on_request(plane, tmp_path):
    solid = solved(3, order=1)
    for field in (uf.charge_current(solid), uf.pair_amplitude(solid)):
        plotter = field.plot()
        picture = plotter.screenshot(tmp_path / "a.png", return_img=True)
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    plotter = uf.pair_amplitude(plane).plot(quantity="phase", backend="pyvista")
    (bar,) = plotter.scalar_bars.values()
    assert bar.GetTitle().strip() == "phase of pair amplitude f0 [rad]"
    assert bar.GetLookupTable().GetRange() == (-np.pi, np.pi)
    with pytest.raises(ObservableError, match="matplotlib draws one and two dimensions"):
        uf.charge_current(solid).plot(backend="matplotlib")


def test_arrows_of_a_solid_lie_on_its_surface_in_the_scale_of_most_vectors():
    class Recorder:
        def add_mesh(self, mesh, **options):
            self.mesh = mesh

    grid = pyvista.ImageData(dimensions=(7, 7, 7)).cast_to_unstructured_grid()
    vectors = np.zeros((3, grid.n_points))
    vectors[0] = 1.0
    vectors[0, 0] = 1e3  # a singular corner
    recorder = Recorder()
    _add_arrows(recorder, grid, vectors)
    depth = np.minimum(recorder.mesh.points, 6.0 - recorder.mesh.points).min(axis=1)
    assert depth.max() < 0.3
    assert np.ptp(recorder.mesh.points[:, 0]) > 6.0


def test_a_picture_of_a_solid_tells_its_extents():
    plotter = uf.charge_current(solved(3, order=1)).plot()
    texts = [actor.GetText(3) for actor in plotter.actors.values() if hasattr(actor, "GetText")]
    assert len([text for text in texts if text and text.count(" x ") == 2]) == 1


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_grids_of_pyvista_have_the_nodes_the_regions_and_the_size_of_the_mesh(dim):
    eq = solved(dim)
    pair = uf.pair_amplitude(eq)
    grid, mesh = pair.to_pyvista(), eq.device.to_pyvista()
    assert np.allclose(grid["pair_amplitude_f0_re"], pair.at(grid.points[:, :dim].T)[0].real, rtol=1e-9)
    assert list(grid.field_data["regions"]) == list(mesh.field_data["regions"]) == ["S", "N"]
    measure = ("Length", "Area", "Volume")[dim - 1]
    sizes = mesh.compute_cell_sizes()[measure]
    assert sizes.sum() == pytest.approx(eq.problem.space.dx.sum())
    assert (sizes > 0).all()
    assert np.array_equal(np.flatnonzero(mesh.cell_data["region"] == 1), np.sort(eq.device.mesh.subdomains["N"]))


@pytest.mark.parametrize("dim", [1, 2])
def test_a_device_is_drawn_with_its_contacts_and_barriers(dim):
    ax = device(dim, barrier=True).plot()
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == ["Tunnel S_N", "contact left", "contact right"]
    assert {"S", "N"} <= {text.get_text() for text in ax.texts}


@pytest.mark.parametrize(("dim", "cell"), [(2, "triangle"), (3, "tetra"), (3, "hexahedron")])
def test_pyvista_draws_devices(dim, cell):
    mesh = device(dim).mesh
    if cell == "hexahedron":
        mesh = uf.box({"S": 1.0, "N": 1.0}, width=0.8, height=0.4, size=0.5, cell=cell)
    plotter = junction(mesh, MATERIALS, 1.0).plot(backend="pyvista")
    red = pyvista.Color("#c0392b").float_rgb
    meshes = (actor for actor in plotter.actors.values() if isinstance(actor, pyvista.Actor))
    (contact,) = (actor for actor in meshes if actor.prop.color == red)
    sheet = contact.mapper.dataset.compute_cell_sizes()
    assert sheet["Length" if dim == 2 else "Area"].sum() == pytest.approx(1.2 if dim == 2 else 0.32)
    assert plotter.screenshot(return_img=True).std() > 0


def test_a_spectrum_is_drawn_over_energy_at_points_and_as_means_of_regions(spec):
    density = uf.density_of_states(spec)
    ax = spec.plot([[0.3, 1.2]])
    for curve, values in zip(ax.lines, density.at([[0.3, 1.2]]).T, strict=True):
        assert np.array_equal(curve.get_xdata(), spec.energies)
        assert np.allclose(curve.get_ydata(), values, rtol=1e-12)
    ax = spec.plot()
    assert [curve.get_label() for curve in ax.lines] == ["S", "N"]
    assert np.allclose(ax.lines[1].get_ydata(), density.integral("N"), rtol=1e-12)  # of length 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("energy [energy]", "density of states [N0]")
    with pytest.raises(ObservableError, match="no region 'Q'; it has: N, S"):
        spec.plot(region="Q")


def current(phase, temperature):
    if phase > 2 and temperature > 1:
        raise uf.errors.SolveError("lost", frequency=0.0, residuals=(), state=None)
    return np.sin(phase) / temperature


@pytest.fixture(scope="module")
def swept():
    with pytest.warns(UserWarning, match="points failed"):
        return uf.sweep(current, {"phase": [0.5, 1.5, 2.5], "temperature": [0.5, 1.5]})


def test_a_sweep_over_two_parameters_is_a_map_or_curves(swept):
    ax = swept.plot(units={"phase": "rad", "result": "I_0"})
    assert np.ma.allequal(ax.collections[0].get_array(), np.ma.masked_invalid(swept.values.T))
    assert ax.collections[0].get_array().mask.sum() == 1
    assert (ax.get_xlabel(), ax.get_ylabel(), bar_label(ax)) == ("phase [rad]", "temperature", "result [I_0]")
    ax = swept.plot(curves=True)
    assert [curve.get_label() for curve in ax.lines] == ["temperature = 0.5", "temperature = 1.5"]
    assert np.array_equal(ax.lines[0].get_ydata(), swept.values[:, 0])


def test_sweeps_over_a_sequence_over_words_and_of_dicts_are_drawn():
    one = uf.sweep(lambda x: x**2, [2.0, 1.0, 3.0])
    assert one.plot().lines[0].get_ydata().tolist() == [1.0, 4.0, 9.0]
    words = uf.sweep(lambda metal: {"Tc": len(metal), "gap": 1j}, {"metal": ["Al", "Nb", "tantalum"]})
    ax = words.plot("Tc")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["Al", "Nb", "tantalum"]
    assert words.plot("gap", quantity="phase").lines[0].get_ydata() == pytest.approx(np.pi / 2)
    with pytest.raises(ObservableError, match="no result 'T'; it has: Tc, gap"):
        words.plot("T")
    many = uf.sweep(lambda a, b, c: 0.0, {"a": [1, 2], "b": [1, 2], "c": [1, 2]})
    with pytest.raises(ObservableError, match=r"3 parameters .*isel"):
        many.plot()


def test_xarray_draws_a_sweep_and_has_nan_where_it_failed(swept):
    pytest.importorskip("xarray")
    array = swept.to_xarray({"phase": "rad"})
    assert array.dims == ("phase", "temperature")
    assert np.isnan(array.sel(phase=2.5, temperature=1.5))
    assert array.sel(phase=1.5, temperature=0.5) == np.sin(1.5) / 0.5
    assert array.phase.attrs["units"] == "rad"
    assert array.attrs["failed"] == ["phase = 2.5, temperature = 1.5: lost"]
    array.plot()
    several = uf.sweep(lambda x: {"a": x, "b": [x, 2 * x]}, {"x": [1.0, 2.0]}).to_xarray()
    assert several.b.dims == ("x", "b_0")
    assert several.b.sel(x=2.0).values.tolist() == [2.0, 4.0]


def test_xarray_of_a_field_at_nodes_on_a_line_and_on_a_grid(plane):
    pytest.importorskip("xarray")
    field = uf.charge_current(plane)
    nodes = field.to_xarray()
    assert nodes.dims == ("component", "node")
    assert nodes.attrs["units"] == field.unit
    assert nodes.sizes["node"] == len(plane.problem.space.corners)
    line = field.to_xarray([[0.1, 0.4, 0.4], [0.2, 0.6, 0.7]])
    assert line.distance.values == pytest.approx([0.0, 0.5, 0.6])
    assert np.array_equal(line.values, field.at([[0.1, 0.4, 0.4], [0.2, 0.6, 0.7]]))
    grid = field.to_xarray({"x": [0.3, 1.3, 2.3], "y": [0.5, 1.0]})
    assert grid.dims == ("component", "x", "y")
    assert np.isnan(grid.sel(x=2.3)).all()  # outside
    assert grid.sel(component="x", x=1.3, y=0.5) == field.at([[1.3], [0.5]])[0, 0]
    assert grid.x.attrs["units"] == "length"
    with pytest.raises(ObservableError, match="allowed are those of the mesh"):
        field.to_xarray({"x": [0.3]})


def test_xarray_of_a_spectrum(spec):
    pytest.importorskip("xarray")
    data = spec.to_xarray({"x": [0.3, 1.2]})
    density = uf.density_of_states(spec)
    assert np.allclose(data.density_of_states.values, density.at([[0.3, 1.2]]), rtol=1e-12)
    assert np.allclose(data.mean_density_of_states.sel(region="N"), density.integral("N"), rtol=1e-12)
    assert data.converged.all()
    assert data.energy.attrs["units"] == "energy"
    assert density.to_xarray().dims == ("energy", "node")


def test_tables_for_notebooks_are_escaped(line, spec, swept):
    odd = uf.sweep(lambda metal: 1.0, {"metal": ["<b>Nb</b>", "Al & Cu"]})
    text = odd._repr_html_()
    assert "&lt;b&gt;Nb&lt;/b&gt;" in text
    assert "Al &amp; Cu" in text
    assert "<b>Nb</b>" not in text
    wire = junction(uf.interval({"N": 1.0}, size=0.25), {"N": uf.normal_metal()}, 0.0)
    biased = uf.Device(wire.mesh, wire.materials, {"left": uf.Reservoir(0.0, voltage=0.1), "right": uf.Reservoir(0.0)})
    driven = uf.solve_nonequilibrium(biased, temperature=0.2)
    results = (line, line.device, spec, swept, uf.charge_current(line), uf.check(line.device, 0.2), driven)
    for result in results:
        html = result._repr_html_()
        importlib.import_module("xml.etree.ElementTree").fromstring(f"<div>{html}</div>")
        assert type(result).__name__ in html
    assert "voltage 0.1" in driven._repr_html_()
