"""Builders of shapes: areas, terminals, symmetry, sizes of cells, and the physics of what is made of them."""

import math
import pickle

import numpy as np
import pytest
import skfem
from gmsh_module import needs_gmsh
from measures import area, volume
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapes import PLAIN, ROUND, SHAPES, F, N, S

import usadelfem as uf
from usadelfem.errors import DeviceError, MeshError
from usadelfem.geometry.grading import GROWTH, graded

every = pytest.mark.parametrize("name", [*PLAIN, *(pytest.param(name, marks=needs_gmsh) for name in ROUND)])
plain = pytest.mark.parametrize("name", PLAIN)
round_ = pytest.mark.parametrize("name", ROUND)
SIGMA = 2.0  # 2 N0 D
# Builders whose mesh is symmetric, with the axes it is mirrored at.
MIRRORS = dict.fromkeys(ROUND, (0, 1)) | dict.fromkeys(("star", "square with leads"), (1,))
MIRRORS |= {name: (0,) for name in PLAIN} | {name: (0, 1) for name in ("strip", "cross", "hall_bar", "squid")}
FLAT = [name for name in PLAIN if name != "spin_valve"]


def tolerance(name):
    """Relative difference of a circle and the polygon in it."""
    return 5e-3 if name in ROUND else 1e-12


@every
def test_regions_have_their_areas(name):
    make, areas, _ = SHAPES[name]
    mesh = make().mesh(0.3)
    assert {region: volume(mesh, mesh.subdomains[region]) for region in areas} == pytest.approx(
        areas, rel=tolerance(name)
    )


@every
def test_facet_sets_have_their_lengths(name):
    make, _, lengths = SHAPES[name]
    mesh = make().mesh(0.3)
    assert {own: area(mesh, mesh.boundaries[own]) for own in lengths} == pytest.approx(lengths, rel=tolerance(name))


@every
def test_a_geometry_knows_the_names_of_its_meshes(name):
    geometry = SHAPES[name][0]()
    mesh = geometry.mesh(0.3)
    assert list(mesh.subdomains) == list(geometry.regions)
    assert list(mesh.boundaries) == list(geometry.facet_sets)
    assert set(geometry.terminals) <= set(geometry.facet_sets)
    assert all(len(facets) for facets in mesh.boundaries.values())
    assert all(name in repr(geometry) for name in (*geometry.regions, *geometry.facet_sets))


@every
def test_regions_touch_and_cover_the_mesh_once(name):
    mesh = SHAPES[name][0]().mesh(0.3)
    assert np.array_equal(np.sort(np.concatenate(list(mesh.subdomains.values()))), np.arange(mesh.nelements))
    one, two = mesh.f2t[:, mesh.f2t[1] >= 0]
    graph = coo_array((np.ones(len(one)), (one, two)), shape=(mesh.nelements, mesh.nelements))
    assert connected_components(graph, directed=False)[0] == 1


@pytest.mark.parametrize(
    ("name", "holes"), [("squid", 1), ("cross", 0), *(pytest.param(k, n, marks=needs_gmsh) for k, n in (
        ("disc", 0), ("disc with a hole", 1), ("ring", 1), ("ring with leads", 1), ("island", 0), ("star", 0)))],
)  # fmt: skip
def test_holes_are_holes(name, holes):
    mesh = SHAPES[name][0]().mesh(0.3)
    assert mesh.nvertices - mesh.facets.shape[1] + mesh.nelements == 1 - holes  # Euler


@every
def test_meshes_are_symmetric_on_request(name):
    more = {"symmetric": True} if name in ROUND else {}
    mesh = SHAPES[name][0](**more).mesh(0.3)
    tree = cKDTree(mesh.p.T)
    for axis in MIRRORS[name]:
        image = mesh.p.copy()
        image[axis] *= -1
        distance, vertex = tree.query(image.T)
        assert distance.max() < 1e-12
        cells = {tuple(cell) for cell in np.sort(mesh.t, axis=0).T}
        assert {tuple(cell) for cell in np.sort(vertex[mesh.t], axis=0).T} == cells


@needs_gmsh
@round_
def test_halves_have_the_names_of_the_whole(name):
    make, areas, lengths = ROUND[name]
    mesh = make(symmetric=True).mesh(0.3)
    assert list(mesh.boundaries) == list(make().mesh(0.3).boundaries)
    found = {own: volume(mesh, mesh.subdomains[own]) for own in areas}
    assert found == pytest.approx(areas, rel=5e-3)
    assert {own: area(mesh, mesh.boundaries[own]) for own in lengths} == pytest.approx(lengths, rel=5e-3)
    if "left" in mesh.boundaries:
        assert (mesh.p[0, mesh.facets[:, mesh.boundaries["left"]]] < 0).all()


@pytest.mark.parametrize("cell", ["quad", "triangle"])
@plain
def test_cells_are_of_the_type_asked_for(name, cell):
    mesh = PLAIN[name][0](cell=cell).mesh(0.3)
    assert type(mesh) is {"quad": skfem.MeshQuad1, "triangle": skfem.MeshTri1}[cell]
    assert volume(mesh) == pytest.approx(sum(PLAIN[name][1].values()), rel=1e-12)


@pytest.mark.parametrize("cell", ["hexahedron", "tetrahedron"])
@pytest.mark.parametrize("name", PLAIN)
def test_a_third_extent_makes_solids(name, cell):
    more = {"spin_valve": "width", "stack": "depth"}.get(name, "height")
    make, areas, _ = PLAIN[name]
    geometry = make(cell=cell, **{more: 0.5})
    mesh = geometry.mesh(0.3)
    assert list(mesh.boundaries) == list(geometry.facet_sets)
    assert {own: 2 * volume(mesh, mesh.subdomains[own]) for own in areas} == pytest.approx(areas, rel=1e-12)
    assert len(geometry.shape.extent) == 3


@needs_gmsh
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("name", ["disc with a hole", "round bridge", "star", "island"])
def test_round_shapes_are_drawn_out_to_a_height(name, symmetric):
    make, areas, lengths = ROUND[name]
    lengths = {own: length for own, length in lengths.items() if own not in ("bottom", "top")}
    geometry = make(height=0.4, symmetric=symmetric)
    mesh = geometry.mesh(size=0.5)
    assert list(mesh.boundaries) == list(geometry.facet_sets)
    assert {own: volume(mesh, mesh.subdomains[own]) / 0.4 for own in areas} == pytest.approx(areas, rel=2e-2)
    assert {own: area(mesh, mesh.boundaries[own]) / 0.4 for own in lengths} == pytest.approx(lengths, rel=2e-2)
    for side in ("bottom", "top"):
        assert area(mesh, mesh.boundaries[side]) == pytest.approx(sum(areas.values()), rel=2e-2)


def test_without_a_width_a_junction_is_a_line():
    mesh = uf.geometry.junction(S=S, F=F, length=1.0, pad=2.0).mesh(0.1)
    assert type(mesh) is skfem.MeshLine1
    assert list(mesh.subdomains) == ["S_left", "F", "S_right"]
    assert list(mesh.boundaries) == ["left", "right", "S_left_F", "F_S_right"]
    assert mesh.p[0, mesh.facets[0, mesh.boundaries["F_S_right"]]] == pytest.approx([0.5])


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_layers_follow_each_other_along_any_axis(axis, dim):
    ends = ("left", "right") if axis == "x" else ("front", "back") if dim == 3 and axis == "y" else ("bottom", "top")
    extents = dict(zip(("width", "depth"), (1.0, 0.5), strict=True))
    more = {name: extents[name] for name in list(extents)[: dim - 1]}
    geometry = uf.geometry.stack({"S": (2.0, S), "N": (1.0, N)}, axis=axis, **more)
    mesh = geometry.mesh(0.5)
    along = "xyz".index(axis) if dim == 3 else min("xyz".index(axis), dim - 1)
    for name, at in zip((*ends, "S_N"), (0.0, 3.0, 2.0), strict=True):
        assert mesh.p[along, mesh.facets[:, mesh.boundaries[name]]] == pytest.approx(at)
    assert geometry.plane == ("xz" if axis == "z" else "xy")


# Sizes


@pytest.mark.parametrize(
    ("material", "temperature", "length"),
    [
        (uf.normal_metal(D=3.0), 0.2, math.sqrt(3.0 / (2 * math.pi * 0.2))),
        (uf.superconductor(gap=2.0, D=0.5), None, math.sqrt(0.5 / 4.0)),
        (uf.superconductor(gap=2j, D=0.5), None, math.sqrt(0.5 / 4.0)),
        (uf.superconductor(Tc=1.0), None, math.sqrt(0.5 / 1.7638769)),
        (uf.superconductor(Tc=1.0), 2.0, math.sqrt(0.25 / math.pi)),
        (uf.ferromagnet(exchange=(0, 3.0, 4.0)), None, math.sqrt(0.1)),
        (uf.normal_metal(tau_sf=0.25), None, math.sqrt(0.125)),
        (uf.normal_metal(rashba=2.0), None, math.sqrt(0.125)),
        (uf.normal_metal(), None, math.inf),
    ],
)
def test_decay_lengths_are_those_of_the_linearised_equation(material, temperature, length):
    assert uf.geometry.decay_length(material, temperature) == pytest.approx(length, rel=1e-6)


def test_a_callable_is_looked_at_where_it_is():
    spiral = uf.ferromagnet(exchange=lambda x: np.array([3 * np.cos(x[0]), 3 * np.sin(x[0]), 0 * x[0]]))
    with pytest.raises(DeviceError, match="give size="):
        uf.geometry.decay_length(spiral)
    same = uf.ferromagnet(exchange=(0.0, 0.0, 3.0))
    one, two = (uf.geometry.strip(F=metal, length=3.0).mesh(0.1) for metal in (spiral, same))
    assert one.nelements == two.nelements


def test_cells_are_small_at_interfaces_and_grow():
    x = np.sort(uf.geometry.junction(S=S, N=N, length=4.0, pad=20.0).mesh(0.02).p[0])
    steps = np.diff(x)
    at = np.searchsorted(x, 2.0 - 1e-9)
    length = uf.geometry.decay_length(S, 0.02)
    assert max(steps[at - 1], steps[at]) <= 0.26 * length
    assert steps.max() > 1.5 * length
    assert (np.diff(steps) <= 0.25 * np.minimum(steps[1:], steps[:-1])).all()


@pytest.mark.parametrize(("first", "last"), [(0.1, 0.1), (0.1, 0.4), (0.4, 0.1), (2.0, 0.01)])
def test_graded_nodes_grow_at_the_given_rate_from_the_given_sizes(first, last):
    nodes = graded(3.0, first, last, 0.5, 2)
    steps = np.diff(nodes)
    assert nodes[[0, -1]].tolist() == [0.0, 3.0]
    assert steps.max() <= 0.5 * (1 + 1e-9)
    assert steps[0] <= first * (1 + GROWTH)
    assert steps[-1] <= last * (1 + GROWTH)
    assert nodes == pytest.approx(3.0 - graded(3.0, last, first, 0.5, 2)[::-1], rel=0, abs=1e-15)


def test_a_size_is_the_largest_cell():
    mesh = uf.geometry.junction(S=S, N=N, length=2.0, pad=3.0, width=1.0, cell="quad").mesh(size=0.3)
    edges = np.linalg.norm(mesh.p[:, mesh.facets[0]] - mesh.p[:, mesh.facets[1]], axis=0)
    assert 0.2 < edges.max() <= 0.3 + 1e-12


def test_a_material_stands_for_its_regions_in_sizes():
    geometry = uf.geometry.junction(S=S, N=N, length=2.0, pad=3.0)
    mesh = geometry.mesh(0.1, size={"S": 1.0, "N": 0.05})
    assert [len(own) for own in mesh.subdomains.values()] == pytest.approx([30, 40, 30], abs=25)
    assert len(mesh.subdomains["N"]) == 40
    both = geometry.mesh(0.1, size={"S_left": 1.0})
    assert len(both.subdomains["S_left"]) != len(both.subdomains["S_right"])


def test_without_a_temperature_superconductors_set_one():
    geometry = uf.geometry.junction(S=uf.superconductor(Tc=1.0), N=N, length=2.0, pad=3.0)
    assert geometry.mesh().nelements == geometry.mesh(0.5).nelements


def test_something_has_to_set_a_length():
    with pytest.raises(MeshError, match="nothing sets a length in region 'N': give temperature=, or"):
        uf.geometry.strip(N=N, length=1.0).mesh()


@every
def test_default_meshes_resolve_their_solutions(name):
    geometry = SHAPES[name][0]()
    phase = 1.0 if any(geometry.materials[region] is S for region in geometry.terminals.values()) else 0.0
    rich = {"cross", "hall_bar", "strip", "spin_valve", "ring with leads"}
    contacts = {next(iter(geometry.terminals)): uf.Reservoir(gap=1.0)} if name in rich else None
    if "bridge" in geometry.regions:
        phase = 0.0  # its gap is given
    device = geometry.device(0.1, phase=phase, contacts=contacts)
    uf.solve_equilibrium(device, 0.1)  # a ResolutionWarning is an error


# Devices


def test_contacts_are_those_of_what_they_touch():
    assert uf.geometry.junction(S=S, N=N, length=1, pad=1).device(0.1, phase=0.3).contacts["right"].phase == 0.3
    assert uf.geometry.strip(N=N, length=1).device(0.1).contacts["left"].gap == 0
    assert uf.geometry.strip(S=S, length=1).device(0.1).contacts["left"].gap is None


def test_contacts_can_be_replaced_added_and_taken_away():
    geometry = uf.geometry.strip(N=N, length=2, width=1)
    device = geometry.device(0.1, contacts={"left": None, "right": uf.Reservoir(gap=1.0), "top": uf.Reservoir(gap=0)})
    assert list(device.contacts) == ["right", "top"]
    assert device.contacts["right"].gap == 1.0


def test_given_gaps_of_electrodes_have_the_phases_of_their_reservoirs():
    device = uf.geometry.junction(S=S, N=N, length=1, pad=1).device(0.1, phase=0.5)
    assert device.materials["S_right"].gap == pytest.approx(np.exp(0.5j))
    assert device.materials["S_left"].gap == 1.0


def test_materials_can_be_replaced_by_region():
    geometry = uf.geometry.junction(S=S, N=N, length=1, pad=1)
    device = geometry.device(0.1, materials={"S_right": uf.superconductor(gap=2.0)})
    assert [own.gap for own in device.materials.values()] == [1.0, 0.0, 2.0]
    assert len(device.mesh.subdomains["S_right"]) > len(device.mesh.subdomains["S_left"])


def test_a_device_gets_temperature_thickness_and_plane():
    device = uf.geometry.stack({"S": (1, S), "N": (1, N)}, axis="z", width=2, thickness=0.3).device(0.2)
    assert (device.temperature, device.thickness, device.plane) == (0.2, 0.3, "xz")


def test_contacts_at_the_sides_of_a_stack_have_small_cells():
    stack = uf.geometry.stack({"F": (1.0, F), "N": (1.0, N)}, axis="z", width=6.0)
    contacts = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0)}
    free, held = stack.device(0.2, size=0.4).mesh, stack.device(0.2, size=0.4, contacts=contacts).mesh
    assert len(np.unique(free.p[0])) < 6
    assert np.diff(np.unique(held.p[0])).max() < 0.41
    assert np.array_equal(np.unique(free.p[1]), np.unique(held.p[1]))


@pytest.mark.parametrize("coupling", [{"theta": 0.1}, {"rashba": 0.5}])
def test_spin_orbit_coupling_sends_spins_across_a_film(coupling):
    metal = uf.normal_metal(**coupling)
    film = uf.geometry.junction(S=S, N=metal, length=2.0, pad=1.0, width=6.0)
    assert np.diff(np.unique(film.device(0.2, size=0.4).mesh.p[1])).max() < 0.41


def test_a_geometry_takes_laboratory_units():
    with uf.lab() as u:
        metals = {"S": uf.metals["Nb"].film(resistivity=15, Tc=9.0), "N": uf.metals["Cu"].film(resistivity=2.2)}
        geometry = uf.geometry.junction(**metals, length=0.3 * u.um, pad=100, width=100, thickness=50 * u.nm)
        device = geometry.device(2 * u.K)
    assert geometry.shape.extent == pytest.approx((500, 100))
    assert device.thickness == 50
    assert device.natural.temperature == pytest.approx(2 * 0.0861733, rel=1e-5)  # k_B in meV/K
    length = uf.geometry.decay_length(metals["N"], 2.0, units=device.units)
    D = metals["N"].D.to("nm^2/ps").magnitude
    assert length == pytest.approx(math.sqrt(D * 0.6582120 / (2 * math.pi * 2 * 0.0861733)), rel=1e-5)  # hbar in meV ps


@every
def test_geometries_can_be_sent_to_other_processes(name):
    geometry = SHAPES[name][0]()
    copy = pickle.loads(pickle.dumps(geometry))
    assert repr(copy) == repr(geometry)
    assert copy.mesh(0.3).nelements == geometry.mesh(0.3).nelements


# Physics


@pytest.mark.parametrize("more", [{}, {"cell": "quad"}, {"height": 0.5}, {"height": 0.5, "cell": "hexahedron"}])
def test_a_strip_has_the_resistance_of_a_strip(more):
    metal = uf.normal_metal(D=2.0, N0=1.5)
    device = uf.geometry.strip(N=metal, length=5.0, width=1.5, **more).device(0.2)
    expected = 5.0 / (6.0 * 1.5 * more.get("height", 1.0))
    assert uf.normal_resistance(device, "left", "right") == pytest.approx(expected, rel=1e-10)


@needs_gmsh
@pytest.mark.parametrize("symmetric", [False, True])
def test_a_disc_with_a_hole_has_the_resistance_between_two_circles(symmetric):
    ends = {"edge": uf.Reservoir(gap=0), "hole": uf.Reservoir(gap=0)}
    geometry = uf.geometry.disc(N=N, radius=3.0, hole=1.0, symmetric=symmetric)
    device = geometry.device(size=0.3, contacts=ends)
    expected = math.log(3.0) / (2 * math.pi * SIGMA)
    assert uf.normal_resistance(device, "edge", "hole") == pytest.approx(expected, rel=5e-3)


def test_terminals_of_a_hall_bar_are_reciprocal():
    geometry = SHAPES["hall_bar"][0]()
    metals = {"N": uf.normal_metal(theta=0.3, tau_sf=2.0)}
    a, b, c, d, _, ground = geometry.terminals

    def resistance(source, drain, one, two):
        probes = {name: uf.CurrentContact() for name in geometry.terminals}
        ends = {source: uf.CurrentContact(current=1.0), drain: uf.CurrentContact(current=-1.0)}
        ends[ground] = uf.NormalContact()
        device = geometry.device(size=0.4, materials=metals, contacts=probes | ends)
        field = uf.potential(uf.solve_normal_state(device))
        return field.average(one) - field.average(two)

    assert resistance(a, b, c, d) == pytest.approx(resistance(c, d, a, b), rel=1e-6, abs=1e-9)


def test_the_current_of_a_junction_is_that_of_a_much_finer_mesh():
    default = uf.geometry.junction(S=S, N=N, length=1.5, pad=4.0).device(0.1, phase=1.2)
    turned = uf.superconductor(gap=np.exp(1.2j))
    fine = uf.Device(
        uf.interval({"a": 4.0, "N": 1.5, "b": 4.0}, size=0.02), {"a": S, "N": N, "b": turned},
        {"left": uf.Reservoir(), "right": uf.Reservoir(phase=1.2)},
    )  # fmt: skip
    one, two = (uf.charge_current(uf.solve_equilibrium(own, 0.1)) for own in (default, fine))
    assert one.through("S_left_N") == pytest.approx(two.through("a_N"), rel=1e-3)


# Errors


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda g: g.junction(S=S, length=1, pad=1), TypeError, "takes 2 materials by keyword"),
        (lambda g: g.junction(S=S, N=N, lenght=1, length=1, pad=1), TypeError, "it got: S, N, lenght"),
        (lambda g: g.junction(S=S, N="Cu", length=1, pad=1), DeviceError, "N is 'Cu'; allowed is a Material"),
        (lambda g: g.junction(S=S, N=N, length=-1, pad=1), MeshError, "length is -1"),
        (lambda g: g.junction(S=S, N=N, length=1, pad=1, cell="quad"), MeshError, "allowed is 'line'"),
        (lambda g: g.junction(S=S, N=N, length=1, pad=1, height=1), MeshError, "give width= too"),
        (lambda g: g.stack({"S": 3.0}), DeviceError, "layer 'S' is 3.0"),
        (lambda g: g.stack({"S": (1, S)}, axis="w"), MeshError, "axis is 'w'"),
        (lambda g: g.stack({"S": (1, S)}, depth=1), MeshError, "give width= too"),
        (lambda g: g.stack({"a_b": (1, S), "c": (1, N), "a": (1, S), "b_c": (1, N)}), DeviceError, "rename a region"),
        (lambda g: g.disc(S=S, radius=1, hole=2), MeshError, "the hole must be smaller"),
        (lambda g: g.disc(S=S, radius=1, symmetric=1), MeshError, "allowed are True and False"),
        (lambda g: g.disc(S=S, radius=1, thickness=-1), MeshError, "thickness is -1"),
        (lambda g: g.ring(S=S, radius=1, width=3), MeshError, "must be positive"),
        (lambda g: g.hall_bar(N=N, length=1, width=1, probe_width=1, probe_length=1), MeshError, "find no room"),
        (lambda g: g.squid(S=S, N=N, hole=1, width=1, link=2, lead=1), MeshError, "must be longer"),
        (lambda g: g.squid(S=S, N=N, hole="1", width=1, link=2, lead=1), MeshError, "a pair of lengths"),
        (lambda g: g.nanobridge(S=S, length=1, width=3, pad=1, bank_width=2), MeshError, "finds no room"),
        (lambda g: g.nanobridge(S=S, length=1, width=1, pad=2, bank_width=9, radius=1, taper=1), MeshError, "not both"),
        (lambda g: g.island(S=S, N=N, radius=1, length=3, width=1), MeshError, "larger than the island"),
        (lambda g: g.multi_terminal(S=S, terminals=9, radius=1, lead_width=1, lead=1), MeshError, "less than 0.684"),
        (lambda g: g.strip(N=N, length=1).mesh(size={"S": 1}), MeshError, "size is given for 'S'; allowed are N"),
        (lambda g: g.strip(N=N, length=1).mesh(-1), ValueError, "temperature is -1"),
        (lambda g: g.strip(N=N, length=1e9).mesh(1), MeshError, "cells"),
        (lambda g: g.strip(N=N, length=1).device(1, phase=1.0), DeviceError, "no terminal is superconducting"),
        (lambda g: g.strip(N=N, length=1).device(1, materials={"S": S}), DeviceError, "no region 'S'; it has: N"),
        (lambda g: g.strip(N=N, length=1).device(1, contact={}), TypeError, "did you mean contacts"),
    ],
)  # fmt: skip
def test_errors_name_the_culprit_and_what_is_allowed(call, error, words):
    with pytest.raises(error, match=words):
        call(uf.geometry)
