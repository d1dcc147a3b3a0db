"""A word where a mesh does not resolve a solution, and where numbers look like the wrong unit; the table of check()."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import skfem

import usadelfem as uf
from usadelfem.diagnostics.contact_ends import contact_ends
from usadelfem.errors import ResolutionWarning, UnitWarning
from usadelfem.fem.problem import build_problem


def sfs(size, *, h=40.0, length=1.0, phase=1.5, cell=None):
    mesh = uf.interval({"F": length}, size) if cell is None else uf.rectangle({"F": length}, 0.5, size, cell)
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, phase)}
    return uf.Device(mesh, {"F": uf.ferromagnet(exchange=(0, 0, h))}, contacts)


def current_and_warnings(device, temperature=0.1, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        eq = uf.solve_equilibrium(device, temperature, **options)
    assert all(issubclass(one.category, ResolutionWarning) for one in caught)
    return float(uf.charge_current(eq).through("left")), len(caught)


@pytest.mark.parametrize("cell", [None, "triangle", "quad"])
@pytest.mark.parametrize(("h", "length"), [(0.0, 1.0), (0.0, 4.0), (3.0, 2.0), (10.0, 1.0), (40.0, 0.5)])
@pytest.mark.parametrize("order", [1, 2])
def test_currents_that_are_off_by_more_than_five_percent_come_with_a_warning(h, length, order, cell):
    width = 1.0 if cell is None else 0.5
    exact = float(uf.charge_current(uf.solve_equilibrium(sfs(length / 200, h=h, length=length), 0.1)).through("left"))
    for parts in (1, 2, 4, 8, 16):
        found, count = current_and_warnings(sfs(length / parts, h=h, length=length, cell=cell), order=order)
        if abs(found / (width * exact) - 1) > 0.05:
            assert count == 1, f"{parts} cells: {found} for {width * exact}"


def spiral(size, wave_number, h):
    field = lambda x: h * np.array([np.cos(wave_number * x[0]), np.sin(wave_number * x[0]), 0 * x[0]])  # noqa: E731
    return replace(sfs(size, length=2.0, phase=1.0), materials={"F": uf.ferromagnet(exchange=field)})


def film_with_wires(size):
    lines = {
        "left": lambda x: (abs(x[1] - 1) < 1e-9) & (x[0] < 2) & (x[0] > 1),
        "middle": lambda x: (abs(x[0] - 3) < 1e-9) & (x[1] < 1),
    }
    mesh = uf.rectangle({"N": 4.0}, 2.0, size).with_boundaries(lines, boundaries_only=False)
    contacts = {"right": uf.Reservoir(1.0, 1.2), "left": uf.Reservoir(1.0), "middle": uf.Reservoir(1.0, -0.7)}
    return uf.Device(mesh, {"N": uf.normal_metal()}, contacts)


COARSE = {
    "oscillating current": (lambda n: sfs(2.0 / n, h=8.0, length=2.0, phase=1.0), (3, 4, 6, 8, 100)),
    "spiral": (lambda n: spiral(2.0 / n, 20.0, 10.0), (4, 6, 8, 10, 100)),
    "fast spiral": (lambda n: spiral(2.0 / n, 40.0, 20.0), (10, 12, 16, 20, 200)),
    "wires that end in a film": (lambda n: film_with_wires(2.0 / n), (4, 8, 64)),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("case", COARSE)
def test_textures_and_ends_of_contacts_that_a_mesh_does_not_resolve_are_said(case, order):
    make, parts = COARSE[case]
    exact = float(uf.charge_current(uf.solve_equilibrium(make(parts[-1]), 0.1)).through("left"))
    for count in parts[:-1]:
        found, warned = current_and_warnings(make(count), order=order)
        if abs(found / exact - 1) > 0.05:
            assert warned == 1, f"{count} cells: {found} for {exact}"


def test_electrodes_over_whole_sides_have_no_ends():
    device = replace(film_with_wires(0.25), contacts={"right": uf.Reservoir(1.0)})
    assert not contact_ends(build_problem(device, 1)).any()


@pytest.mark.parametrize("cell", ["triangle", "quad", "tetrahedron", "hexahedron"])
def test_a_contact_that_ends_on_a_side_ends_there(cell):
    flat = cell in ("triangle", "quad")
    mesh = uf.rectangle({"N": 1.0}, 1.0, 0.25, cell) if flat else uf.box({"N": 1.0}, 1.0, 1.0, 0.25, cell)
    mesh = mesh.with_boundaries({"half": lambda x: (abs(x[0]) < 1e-9) & (x[1] < 0.5)})
    found = contact_ends(build_problem(uf.Device(mesh, {"N": uf.normal_metal()}, {"half": uf.Reservoir(1.0)}), 1))
    corners = mesh.p[:, mesh.t[:, found]]
    assert found.any()
    assert ((abs(corners[0]) < 1e-9) & (abs(corners[1] - 0.5) < 1e-9)).any(axis=0).all()


@pytest.mark.parametrize("order", [1, 2])
def test_resolved_solutions_come_without_a_word(order):
    size = 0.02 if order == 1 else 0.05
    assert current_and_warnings(sfs(size), order=order)[1] == 0


@pytest.mark.parametrize("order", [1, 2])
def test_a_bulk_superconductor_need_not_be_resolved(order):
    device = uf.Device(uf.interval({"S": 100.0}, 20.0), {"S": uf.superconductor(Tc=1.0)})
    assert uf.solve_equilibrium(device, 0.3, order=order).problem.gap[0, 0] == pytest.approx(
        uf.materials.bcs_gap(0.3, 1.0), rel=1e-6
    )


def test_cells_may_be_long_where_nothing_varies():
    x, y = np.linspace(0, 1, 41), np.linspace(0, 30, 3)
    mesh = skfem.MeshQuad1.init_tensor(x, y).with_boundaries(
        {"left": lambda x: x[0] == 0, "right": lambda x: x[0] == 1}
    )
    mesh = mesh.with_subdomains({"F": lambda x: x[0] < 2})
    assert current_and_warnings(uf.Device(mesh, sfs(1.0).materials, sfs(1.0).contacts))[1] == 0


def test_the_warning_names_region_sizes_and_the_cure_and_points_at_the_caller():
    with pytest.warns(ResolutionWarning, match=r"region 'F' has cells of 0\.5 .*size={'F': .* order=2") as caught:
        uf.solve_equilibrium(sfs(0.5), 0.1, order=1)
    assert caught[0].filename == __file__


def test_the_advised_size_is_enough():
    with pytest.warns(ResolutionWarning) as caught:
        uf.solve_equilibrium(sfs(0.2), 0.1)
    size = float(str(caught[0].message).split("'F': ")[1].split("}")[0])
    assert current_and_warnings(sfs(size))[1] == 0


def bilayer(size, h=20.0):
    materials = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(exchange=(0, 0, h))}
    return uf.Device(uf.interval({"S": 3.0, "F": 1.0}, size), materials)


@pytest.mark.parametrize("solve", [uf.critical_temperature, lambda device: uf.study.stability(device, 0.5)])
def test_critical_temperatures_of_unresolved_modes_come_with_a_warning(solve):
    with pytest.warns(ResolutionWarning, match="region 'F'"):
        solve(bilayer(1.0, h=100.0))
    solve(bilayer(0.1))


def self_consistent_junction(size, h):
    """Cells of a size in units of sqrt(D/E) in S and in N; sums go to 30 000 times the gap, which jumps at S/N."""
    length = {"S": np.hypot(0.1 * np.pi, 1.0) ** -0.5, "N": np.hypot(0.1 * np.pi, h) ** -0.5}
    sizes = {"left_S": size * length["S"], "N": size * length["N"], "right_S": size * length["S"]}
    metal = uf.superconductor(Tc=0.567)
    materials = {"left_S": metal, "N": uf.ferromagnet(exchange=(0, 0, h)), "right_S": metal}
    contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0, 1.5)}
    return uf.Device(uf.interval({"left_S": 3.0, "N": 2.0, "right_S": 3.0}, sizes), materials, contacts)


@pytest.mark.parametrize("h", [1e-6, 5.0])
def test_what_high_frequencies_do_not_resolve_counts_by_their_part_of_the_sum(h):
    found, count = current_and_warnings(self_consistent_junction(0.2, h))
    exact, _ = current_and_warnings(self_consistent_junction(0.1, h))
    assert found == pytest.approx(exact, rel=0.02)
    assert count == 0


def test_sums_of_a_self_consistent_gap_that_are_off_come_with_a_warning():
    found, count = current_and_warnings(self_consistent_junction(1.0, 5.0))
    exact, _ = current_and_warnings(self_consistent_junction(0.2, 5.0))
    assert abs(found / exact - 1) > 0.05
    assert count == 1


def test_unresolved_spectra_come_with_a_warning():
    def device(size):
        contacts = {"left": uf.Reservoir(1.0), "right": uf.Reservoir(1.0)}
        return uf.Device(uf.interval({"N": 3.0}, size), {"N": uf.normal_metal()}, contacts)

    with pytest.warns(ResolutionWarning, match="region 'N'"):
        uf.solve_spectrum(device(1.5), [0.3, 0.9], broadening=0.05)
    uf.solve_spectrum(device(0.2), [0.3, 0.9], broadening=0.05)


# Units


def test_a_temperature_above_every_critical_one_is_named():
    with pytest.warns(
        UnitWarning, match=r"temperature 4\.2 is above every critical temperature.*Tc = 1 of region 'S'"
    ):
        uf.solve_equilibrium(bilayer(0.1, h=2.0), 4.2)


def test_a_temperature_far_above_a_given_gap_is_named():
    with pytest.warns(UnitWarning, match="the gap 1 of reservoir 'left'"):
        uf.solve_equilibrium(sfs(0.1, h=1.0), 4.2)


@pytest.mark.parametrize("part", [0.5, 0.9, 0.97])
def test_reservoirs_with_the_gap_of_their_temperature_are_in_order(part):
    device = sfs(0.1, h=1.0)
    gap = uf.materials.bcs_gap(part, 1.0)
    contacts = {name: replace(own, gap=gap) for name, own in device.contacts.items()}
    device = uf.Device(device.mesh, device.materials, contacts)
    uf.solve_equilibrium(device, part)
    assert uf.check(device, part).tc_ratio["reservoir 'left'"] == pytest.approx(part, rel=1e-6)


def test_scans_for_a_critical_temperature_do_not_complain_of_temperatures():
    assert uf.critical_temperature(bilayer(0.1, h=2.0)) < 1.0


@pytest.mark.parametrize("field", [100.0, -100.0])
def test_a_field_beyond_a_flux_quantum_per_cell_is_named(field):
    mesh = uf.rectangle({"S": 2.0}, 2.0, 0.25)
    device = uf.Device(mesh, {"S": uf.superconductor(Tc=1.0)}, B=field)
    assert any("flux quanta through a cell of region 'S'" in line for line in uf.check(device, 0.3).advice)


@pytest.mark.parametrize(("length", "word"), [(5e-4, "below 1e-3"), (1e5, "above 1e3")])
def test_a_device_of_odd_size_is_named(length, word):
    device = uf.Device(uf.interval({"S": length}, length / 4), {"S": uf.superconductor(Tc=1.0)})
    with pytest.warns(UnitWarning, match=f"all lengths of the device are {word} decay lengths"):
        uf.solve_equilibrium(device, 0.3)


# The table


def test_check_prints_lengths_cells_temperature_and_flux():
    mesh = uf.rectangle({"S": 3.0, "F": 1.0}, 1.0, {"S": 0.5, "F": 0.25}, cell="quad")
    materials = {"S": uf.superconductor(Tc=1.0), "F": uf.ferromagnet(D=2.0, exchange=(0, 0, 40.0), tau_so=0.1)}
    found = uf.check(uf.Device(mesh, materials, B=0.3), 0.1)
    s, f = found.regions
    assert f.decay == pytest.approx(np.sqrt(2.0 / (np.hypot(0.1 * np.pi, 40) + 10)), rel=0.02)
    assert s.decay == pytest.approx(np.hypot(0.1 * np.pi, uf.materials.bcs_gap(0.1, 1.0)) ** -0.5, rel=0.1)
    assert f.cell == pytest.approx(np.hypot(0.25, 0.25))
    assert (f.extent, f.layers) == (1.0, 4.0)
    assert found.tc_ratio == {"region 'S'": pytest.approx(0.1)}
    assert found.flux["F"] == pytest.approx(0.3 * f.cell**2 / np.pi)
    assert any("region 'F'" in line and "size=" in line for line in found.advice)
    assert len(str(found).splitlines()) == 3 + len(found.advice)


def test_check_finds_nothing_wrong_with_a_good_mesh():
    assert uf.check(sfs(0.05), 0.1).advice == ()


@pytest.mark.parametrize(("arguments", "error"), [(("x", 0.1), TypeError), ((sfs(0.5), -1.0), ValueError)])
def test_check_refuses_what_is_no_device_or_temperature(arguments, error):
    with pytest.raises(error, match="allowed is"):
        uf.check(*arguments)
