"""The command line: what it prints, its exit codes, and errors in one line."""

import ast
import logging
import sys
from pathlib import Path

import meshio
import numpy as np
import pytest

import usadelfem as uf
from usadelfem.commands import demo
from usadelfem.commands.main import COMMANDS, main
from usadelfem.mesh.measures import cell_quality, cell_volumes, facet_areas, measure
from usadelfem.parallel.rehearsal import rehearsing

ROOT = Path(__file__).parent.parent
SFS = ROOT / "meshes" / "sfs.msh"
HEAD = """
import numpy as np
import usadelfem as uf

def wire(size=0.25, temperature=None, **own):
    mesh = uf.interval({"F": 2.0}, size=size)
    contacts = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.0)}
    return uf.Device(mesh, {"F": uf.ferromagnet(exchange=(0, 0, 3.0))}, contacts, temperature=temperature, **own)

"""


@pytest.fixture
def script(tmp_path, monkeypatch, capsys):
    """Check a script; returns exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def check(body, *arguments):
        (tmp_path / "script.py").write_text(HEAD + body)
        code = main(["check", "script.py", *arguments])
        assert not rehearsing()
        return code, *capsys.readouterr()

    return check


def line_of(text, body):
    return 1 + next(n for n, line in enumerate((HEAD + body).splitlines()) if text in line)


def fails(capsys, *arguments):
    """The one line on the standard error with which a command fails."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"usadelfem {arguments[0]}: ")
    return err


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"usadelfem {uf.__version__}\n"


def test_the_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert all(command.SUMMARY.split(",")[0] in " ".join(out.split()) for command in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["solve"], ["info"], ["check"], ["info", "a.msh", "--merge", "x"]])
def test_wrong_arguments_end_with_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: usadelfem" in capsys.readouterr().err


# demo


def test_the_mesh_of_the_demo_is_the_one_of_the_readme():
    assert (ROOT / "usadelfem" / "commands" / "sfs.msh").read_bytes() == SFS.read_bytes()


def test_the_demo_needs_no_checkout_and_leaves_a_file_for_paraview(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "PHASES", np.linspace(0, np.pi, 3))
    assert main(["demo"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    table = np.array([row for row in rows if len(row) == 3 and row[0][0].isdigit()], float)
    assert len(table) == 3
    assert table[1, 1] < 0  # a pi junction
    assert abs(table[[0, -1], 1]).max() < 1e-5
    grid = meshio.read(tmp_path / "output" / "sfs.vtu")
    assert {"charge_current [e*N0*D*energy/length]", "spin_density [hbar/2*N0*energy]"} <= set(grid.point_data)
    assert sorted(path.name for path in (tmp_path / "output").iterdir()) == ["sfs.msh", "sfs.vtu"]
    assert set(uf.read_mesh("output/sfs.msh").boundaries) == {"left", "right"}


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_solved(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert "file" in fails(capsys, "demo", str(tmp_path / "file" / "output"))


# info


def test_info_names_regions_and_facet_sets_with_their_sizes(capsys):
    assert main(["info", str(SFS)]) == 0
    out, err = capsys.readouterr()
    words = [line.split() for line in out.splitlines()]
    assert "2D, 836 triangles, 462 vertices" in out
    assert ["left", "11", "1", "no"] in words
    mesh = uf.read_mesh(SFS)
    region = next(row for row in words if row[:1] == ["weak_link"])
    # Two leads of 0.25 x 1, a channel of 0.3 x 0.5, and four arcs whose curves fill half of their boxes by symmetry.
    assert float(region[2]) == pytest.approx(0.5 + 0.15 + 1.2 * 0.75, rel=1e-3)
    assert int(region[1]) == mesh.nelements
    assert err == ""


def test_info_tells_inner_facet_sets_from_outer_ones(tmp_path, capsys):
    mesh = uf.rectangle({"S": 1.0, "N": 2.0}, 1.0, size=0.5)
    found = {one.name: (one.size, one.inside) for one in measure(mesh).facet_sets}
    assert found["S_N"] == (1.0, "yes")
    assert found["left"] == (1.0, "no")
    both = np.concatenate([mesh.boundaries["left"], mesh.boundaries["S_N"]])
    found = {one.name: one for one in measure(mesh.with_boundaries({"both": both})).facet_sets}
    assert found["both"].inside == "partly"


def test_a_line_has_points_and_no_quality(tmp_path, capsys):
    name = ROOT / "tests" / "data" / "line_41b.msh"
    assert main(["info", str(name)]) == 0
    out = capsys.readouterr().out
    assert "quality" not in out
    assert "points" in out


@pytest.mark.parametrize("kind", ["tri", "quad", "tet", "hex"])
def test_volumes_of_cells_add_up_and_facets_close_a_box(kind):
    mesh = uf.read_mesh(ROOT / "tests" / "data" / f"{kind}_41b.msh")
    extent = np.ptp(mesh.p, axis=1)
    assert cell_volumes(mesh).sum() == pytest.approx(extent.prod())
    outer = facet_areas(mesh)[mesh.boundary_facets()].sum()
    assert outer == pytest.approx(2 * (extent.prod() / extent).sum())


def test_regular_cells_have_quality_one_and_flat_ones_none():
    from skfem import MeshHex1, MeshQuad1, MeshTet1, MeshTri1

    height, top = np.sqrt(3) / 2, np.sqrt(2 / 3)
    triangle = np.array([[0, 1, 0.5], [0, 0, height]])
    tetrahedron = np.array([[0, 1, 0.5, 0.5], [0, 0, height, height / 3], [0, 0, 0, top]])
    for kind, points in ((MeshTri1, triangle), (MeshTet1, tetrahedron)):
        cell = np.arange(len(points) + 1)[:, None]
        assert cell_quality(kind(points, cell)) == pytest.approx(1.0)
        points = points * np.array([1.0, 1e-3, 1.0][: len(points)])[:, None]
        assert cell_quality(kind(points, cell))[0] < 0.02
    assert cell_quality(MeshQuad1()) == cell_quality(MeshHex1()) == pytest.approx(1.0)
    sheared = MeshQuad1(np.array([[0, 1, 2, 1], [0, 0, 1, 1.0]]), np.arange(4)[:, None])
    assert cell_quality(sheared)[0] == pytest.approx(np.sqrt(0.5))  # sine of the angle of 45 degrees
    assert cell_volumes(sheared)[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("none.msh", None, "not found"),
        ("broken.msh", "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 2\n", "broken.msh"),
        ("notes.txt", "a mesh", "no known format"),
        ("shape.geo", "Point(1) = {0, 0, 0};", "is a geometry"),
    ],
)
def test_a_file_that_is_no_mesh_is_one_line(name, text, words, tmp_path, capsys):
    if text is not None:
        (tmp_path / name).write_text(text)
    assert words in fails(capsys, "info", str(tmp_path / name))


def test_nodes_that_are_doubled_are_told_and_merged_on_request(tmp_path, capsys):
    low = meshio.Mesh(
        [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0], [2, 0, 0], [2, 1, 0], [1, 1, 0]],
        [("quad", [[0, 1, 2, 3], [4, 5, 6, 7]])],
        cell_data={"region": [np.array([1, 2])]},
    )
    low.write(tmp_path / "two.vtu")
    assert main(["info", str(tmp_path / "two.vtu")]) == 0
    assert "merge" in capsys.readouterr().out
    assert main(["info", str(tmp_path / "two.vtu"), "--merge", "1e-6"]) == 0
    out = capsys.readouterr().out
    assert "6 vertices" in out
    assert "merge" not in out


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line_too(tmp_path, capsys):
    text = SFS.read_text()
    (tmp_path / "dropped.msh").write_text(text.replace("$PhysicalNames\n3\n", '$PhysicalNames\n4\n0 7 "corner"\n'))
    main(["info", str(tmp_path / "dropped.msh")])
    err = capsys.readouterr().err
    assert err.count("\n") <= 1
    assert "Traceback" not in err


# check, of scripts


def test_a_script_is_run_up_to_its_first_solve(script):
    body = 'print("before")\neq = uf.solve_equilibrium(wire(), 0.1, order=1)\nopen("after", "w")\n'
    code, out, err = script(body)
    assert code == 1  # cells of 0.25 are too long for linear elements
    assert out.startswith(f"before\nscript.py, line {line_of('eq =', body)}: eq = uf.solve_equilibrium(wire(), 0.1")
    assert "region 'F': cells of 0.25" in out
    assert "or order=2" in out
    assert not Path("after").exists()
    assert err == ""


def test_a_script_whose_mesh_is_fine_ends_with_code_0(script):
    code, out, _ = script("uf.solve_equilibrium(wire(0.05), 0.1)\n")
    assert code == 0
    assert "is the first solve" in out


@pytest.mark.parametrize(
    "call",
    [
        "uf.solve_nonequilibrium(wire(), temperature=0.1, energy_range=(0, 2))",
        "uf.solve_spectrum(wire(temperature=0.1), [0.5], broadening=0.1)",
        "uf.ground_state(wire(), 'right', 0.1)",
        "uf.sweep(lambda T: uf.solve_equilibrium(wire(), T).temperature, [0.1, 0.2], workers=2)",
        "uf.critical_temperature(uf.Device(uf.interval({'S': 1.0}, size=0.25), {'S': uf.superconductor(Tc=0.5)}))",
    ],
    ids=lambda call: call.split("(")[0],
)
def test_every_kind_of_solve_is_stopped(script, call):
    _, out, err = script(f"{call}\nprint('went on')\n")
    assert err == ""
    assert f": {call}\nis the first solve" in out
    assert "went on" not in out


def test_a_sweep_on_worker_processes_is_rehearsed_in_this_one(script):
    body = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

def point(T):
    return uf.solve_equilibrium(wire(), T).temperature

if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        uf.sweep(point, [0.1, 0.2], workers=pool)
"""
    _, out, _ = script(body)
    assert f"line {line_of('return uf.solve_eq', body)}: return uf.solve_equilibrium(wire(), T)" in out


def test_a_solve_in_a_thread_of_the_script_is_stopped(script):
    body = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(1) as pool:
    print(pool.submit(uf.solve_equilibrium, wire(), 0.1).result())
"""
    _, out, _ = script(body)
    assert "is the first solve" in out


def test_the_stop_is_not_caught_by_a_script_that_expects_errors(script):
    _, out, _ = script("try:\n    uf.solve_equilibrium(wire(), 0.1)\nexcept Exception:\n    print('caught')\n")
    assert "caught" not in out


def test_devices_at_the_top_level_are_checked_at_their_temperature(script):
    code, out, _ = script("fine = wire(0.05, 0.1)\ncoarse = wire(1.0, 0.1)\n")
    assert code == 1
    assert out.index("'fine', at the top level:") < out.index("'coarse', at the top level:")
    assert out.count("use size=") == 1


def test_the_temperature_may_be_given_where_a_device_has_none(script):
    code, out, _ = script("device = wire(0.05)\n")
    assert code == 0
    assert "not checked: it has no temperature; give --temperature" in out
    _, cold, _ = script("device = wire(0.05)\n", "--temperature", "0.01")
    _, hot, _ = script("device = wire(0.05)\n", "--temperature", "0.5")
    assert "T/Tc" in cold
    assert cold != hot


def test_a_device_that_differs_in_the_phase_only_is_not_repeated(script):
    body = "device = wire(0.05)\nuf.solve_equilibrium(device.with_phase('right', 0.5), 0.1)\n"
    _, out, _ = script(body)
    assert out.endswith("'device', at the top level:\nthe same\n")


def test_a_check_in_laboratory_units_is_that_of_the_same_numbers_in_natural_ones(script):
    body = """
with uf.lab():
    nb = uf.metals["Nb"].film(resistivity=15, gap=1.4)
    device = uf.Device(uf.interval({"S": 100.0}, size=5.0), {"S": nb}, {"left": uf.Reservoir(gap=1.4)}, temperature=4.0)
"""
    _, out, _ = script(body)
    row = next(line.split() for line in out.splitlines() if line.split()[:1] == ["S"])
    assert float(row[4]) == pytest.approx(4.0 / 9.2, rel=0.05)  # a gap of 1.4 meV at 4 K belongs to a Tc of 9.3 K


def test_the_temperature_of_a_solve_in_kelvin_is_that_in_kelvin(script):
    body = """
with uf.lab():
    nb = uf.metals["Nb"].film(resistivity=15, Tc=9.0)
    device = uf.Device(uf.interval({"S": 100.0}, size=5.0), {"S": nb})
    uf.solve_equilibrium(device, temperature=4.5)
"""
    _, out, _ = script(body)
    rows = [line.split() for line in out.splitlines() if line.split()[:1] == ["S"]]
    assert [row[4] for row in rows] == ["0.5"]  # T/Tc of the device, which is shown once


@pytest.mark.parametrize("bias", ["voltage=0.1", "spin_bias=(0, 0, 0.1)", "temperature=0.3", "voltage=uf.FLOATING"])
def test_a_device_out_of_equilibrium_is_checked_like_one_in_equilibrium(bias, script):
    body = """
mesh = uf.interval({"N": 2.0}, size=0.05)
def wire(**bias):
    contacts = {"left": uf.Reservoir(gap=0, **bias), "right": uf.Reservoir(gap=1.0)}
    return uf.Device(mesh, {"N": uf.normal_metal()}, contacts, temperature=0.1)
"""
    code, out, err = script(f"{body}rest = wire()\nbiased = wire({bias})\n")
    assert (code, err) == (0, "")
    assert out.endswith("'biased', at the top level:\nthe same\n")


def test_a_script_finds_its_arguments_and_its_neighbours(script, tmp_path):
    (tmp_path / "neighbour.py").write_text("size = 0.05\n")
    body = "import sys, neighbour\nprint(sys.argv, __file__)\ndevice = wire(neighbour.size, float(sys.argv[2]))\n"
    _, out, _ = script(body, "--", "-T", "0.2")
    sys.modules.pop("neighbour")
    assert "['script.py', '-T', '0.2'] script.py" in out
    assert "neighbour" not in sys.modules
    assert str(tmp_path) not in sys.path


def test_a_script_that_exits_is_checked_all_the_same(script):
    code, out, _ = script("device = wire(0.05, 0.1)\nraise SystemExit(3)\n")
    assert code == 0
    assert "'device'" in out


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("wire(size=-1)\n", "fails before any solve: MeshError: size is -1"),
        ("1/0\n", "line 10: 1/0 fails before any solve: ZeroDivisionError"),
        ("for\n", "SyntaxError"),
        ("x = 1\n", "made no Device at its top level and called no solve, or"),
        ("uf.solve_equilibrium(wire(), -1.0)\n", "temperature"),
    ],
)
def test_a_script_that_fails_is_one_line(body, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("script.py").write_text(HEAD + body)
    assert words in fails(capsys, "check", "script.py")


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.py", "there is no file"), ("none.h5", "there is no file"), (str(SFS), "usadelfem info")],
)
def test_what_cannot_be_checked_is_one_line(name, words, capsys):
    assert words in fails(capsys, "check", name)


def test_an_order_that_does_not_exist_is_refused(capsys):
    assert "order is 3" in fails(capsys, "check", "script.py", "--order", "3")


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_examples_call_a_solve_that_check_stops(path):
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert names & {
        "solve_equilibrium", "solve_nonequilibrium", "solve_spectrum", "ground_state", "critical_temperature",
        "solve_normal_state", "stability", "phase_diagram", "critical_current", "current_phase", "branch",
    }  # fmt: skip


# check, of results


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of a coarse device in a folder."""
    folder = tmp_path_factory.mktemp("results")
    mesh = uf.interval({"S": 4.0, "F": 1.0}, size=0.5)
    device = uf.Device(mesh, {"S": uf.superconductor(Tc=0.57), "F": uf.ferromagnet(exchange=(0, 0, 3.0))})
    with pytest.warns(uf.errors.ResolutionWarning):
        eq = uf.solve_equilibrium(device, 0.2, order=1, frequencies=8)
    with pytest.warns(uf.errors.ResolutionWarning):
        spectrum = uf.solve_spectrum(eq, [0.1, 1.0], broadening=0.1)
    uf.save(folder / "eq.h5", eq)
    uf.save(folder / "spectrum.h5", spectrum)
    uf.save(folder / "sweep.h5", uf.sweep(lambda x: 2 * x, {"x": [1.0, 2.0, 3.0]}))
    with pytest.warns(UserWarning, match="failed"):
        uf.save(folder / "failed.h5", uf.sweep(_failing, [1.0, 2.0]))
    return folder


def _failing(x):
    if x > 1:
        raise uf.errors.SolveError("lost", frequency=1.0, residuals=(1.0,), state=None)
    return x


def test_a_saved_result_says_how_it_went_and_what_it_would_be_warned_of(results, capsys):
    assert main(["check", str(results / "eq.h5")]) == 1
    out = capsys.readouterr().out
    assert f"Equilibrium, written by usadelfem {uf.__version__}" in out
    assert "8 frequencies" in out
    assert "sweeps, residual" in out
    assert "warning: the mesh is too coarse for this solution: region 'F'" in out
    assert "cell/length" in out


def test_a_saved_spectrum_is_checked_too(results, capsys):
    assert main(["check", str(results / "spectrum.h5")]) in (0, 1)
    out = capsys.readouterr().out
    assert "Spectrum" in out
    assert "2 energies from 0.1 to 1, broadening 0.1" in out


def test_a_sweep_says_where_it_failed(results, capsys):
    assert main(["check", str(results / "sweep.h5")]) == 0
    assert "parameter x: 3 values, 1.0 to 3.0" in capsys.readouterr().out
    assert main(["check", str(results / "failed.h5")]) == 1
    out = capsys.readouterr().out
    assert "1 NaN" in out
    assert "(1,) failed: lost" in out


def test_a_damaged_result_is_one_line(results, tmp_path, capsys):
    data = bytearray((results / "eq.h5").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "damaged.h5").write_bytes(data)
    assert "damaged" in fails(capsys, "check", str(tmp_path / "damaged.h5"))


# compile


def test_a_spin_structure_that_does_not_exist_is_one_line(capsys):
    assert "sector is 'spinful'" in fails(capsys, "compile", "spinful")


def test_the_log_stays_quiet(caplog, capsys):
    with caplog.at_level(logging.INFO):
        main(["info", str(SFS)])
    assert caplog.records == []
