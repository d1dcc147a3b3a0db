"""Textures: walls, spirals and skyrmions against their formulas, OVF files against a writer of our own."""

import pickle

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.device.ovf import texture_from_ovf
from usadelfem.device.textures import bloch_wall, neel_wall, skyrmion, spiral

X, Y, Z = np.eye(3)
TEXTURES = {
    "bloch_wall": bloch_wall(2.5, centre=0.3, width=0.2, normal=(1, 2, 0), easy_axis=(0, 0, 3), chirality=-1),
    "neel_wall": neel_wall(2.5, centre=-0.4, width=0.7, normal=(0, 0, 1), easy_axis=(1, 1, 0)),
    "spiral": spiral(2.5, wavevector=(1.0, 2.0, -0.5), rotation_axis=(1, 1, 0), cone=0.8, phase=0.1),
    "skyrmion": skyrmion(2.5, centre=(0.2, 0.1), vorticity=-2, helicity=0.4, polarity=-1),
}
WALLS = [bloch_wall, neel_wall]


@pytest.fixture(params=TEXTURES)
def texture(request):
    return TEXTURES[request.param]


def points(dim, shape=(40, 5), size=3.0):
    return np.random.default_rng(1).uniform(-size, size, (dim, *shape))


def line(s, direction=X):
    """Points at distances s along a direction, shape (3, points)."""
    return np.outer(direction, s)


# ---- all textures ----


@pytest.mark.parametrize("size", [3.0, 1e5])
def test_the_field_has_the_given_size_everywhere(texture, size):
    assert np.linalg.norm(texture(points(3, size=size)), axis=0) == pytest.approx(2.5, rel=1e-13)


@pytest.mark.parametrize("shape", [(), (7,), (4, 3)])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_any_shape_of_points_is_taken(texture, dim, shape):
    assert texture(points(dim, shape)).shape == (3, *shape)


@pytest.mark.parametrize(("plane", "axes"), [("xy", [0, 1]), ("xz", [0, 2]), ("yz", [1, 2])])
def test_a_mesh_in_a_plane_sees_that_plane_of_space(plane, axes):
    x = np.zeros((3, 50))
    x[axes] = points(2, (50,))
    for make, given in ((neel_wall, {"normal": (1, 1, 2), "easy_axis": (2, 0, -1)}), (skyrmion, {"radius": 1.5})):
        assert make(1.0, **given, plane=plane)(x[axes]) == pytest.approx(make(1.0, **given)(x), abs=1e-14)


def test_a_line_lies_along_x(texture):
    x = points(1, (20,))
    assert texture(x) == pytest.approx(texture(np.vstack([x, 0 * x, 0 * x])), abs=1e-14)


@pytest.mark.parametrize(
    "mesh",
    [uf.interval({"F": 1.0}, size=0.5), uf.rectangle({"F": 1.0}, size=0.5), uf.box({"F": 1.0}, size=0.5)],
    ids=["1D", "2D", "3D"],
)
def test_a_device_takes_a_texture_as_exchange_field(texture, mesh):
    device = uf.Device(mesh, {"F": uf.ferromagnet(exchange=texture)}, {"left": uf.Reservoir(1.0)})
    assert f"exchange={texture.name}(x)" in repr(device)


def test_a_texture_prints_how_it_was_made():
    text = repr(neel_wall(3.0, width=0.5))
    assert text.startswith("neel_wall(h=3.0, centre=0.0, width=0.5, normal=(1.0, 0.0, 0.0)")
    assert repr(eval(text)) == text


def test_a_texture_can_be_sent_to_another_process(texture):
    x = points(3)
    assert np.array_equal(pickle.loads(pickle.dumps(texture))(x), texture(x))


def test_the_solution_is_that_of_the_same_field_as_a_function():
    def by_hand(x):
        return 4 * np.array([np.cos(2 * x[0]), np.sin(2 * x[0]), 0 * x[0]])

    mesh = uf.interval({"F": 1.0}, size=0.2)
    devices = [
        uf.Device(mesh, {"F": uf.ferromagnet(exchange=exchange)}, {"left": uf.Reservoir(1.0)})
        for exchange in (spiral(4, wavevector=(2, 0, 0)), by_hand)
    ]
    one, two = (uf.solve_equilibrium(device, 0.2, frequencies=1).riccati for device in devices)
    assert np.abs(one - two).max() < 1e-12


# ---- walls ----


@pytest.mark.parametrize("wall", WALLS)
def test_a_wall_goes_from_the_easy_axis_to_its_opposite(wall):
    h = wall(2.0, centre=1.0, easy_axis=(0, 3, 0))(line([-30.0, 32.0]))
    assert np.transpose(h) == pytest.approx(np.array([2 * Y, -2 * Y]), abs=1e-12)


@pytest.mark.parametrize("chirality", [1, -1])
def test_in_the_middle_of_a_bloch_wall_the_field_is_along_the_normal_times_the_easy_axis(chirality):
    wall = bloch_wall(1.0, centre=0.7, normal=Z, easy_axis=X, chirality=chirality)
    assert wall(0.7 * Z) == pytest.approx(chirality * Y, abs=1e-15)


@pytest.mark.parametrize("chirality", [1, -1])
def test_in_the_middle_of_a_neel_wall_the_field_is_along_the_normal(chirality):
    wall = neel_wall(1.0, centre=0.7, normal=Z, easy_axis=X, chirality=chirality)
    assert wall(0.7 * Z) == pytest.approx(chirality * Z, abs=1e-15)


def test_a_bloch_wall_has_no_field_along_its_normal():
    n = np.array([1.0, 2.0, 2.0]) / 3
    assert n @ bloch_wall(1.0, normal=n, easy_axis=(0, 1, -1))(line(np.linspace(-3, 3, 50), n)) == pytest.approx(0.0)


def test_a_neel_wall_stays_in_the_plane_of_normal_and_easy_axis():
    n, e = np.array([1.0, 2.0, 2.0]) / 3, np.array([0.0, 1.0, -1.0])
    h = neel_wall(1.0, normal=n, easy_axis=e)(line(np.linspace(-3, 3, 50), n))
    assert np.cross(n, e) @ h == pytest.approx(0.0)


@pytest.mark.parametrize("chirality", [1, -1])
def test_a_bloch_wall_of_positive_chirality_is_a_right_handed_screw(chirality):
    h = bloch_wall(1.0, chirality=chirality)(line(np.linspace(-2, 2, 41)))
    assert (chirality * X @ np.cross(h[:, :-1], h[:, 1:], axis=0) > 0).all()


@pytest.mark.parametrize("wall", WALLS)
def test_the_profile_solves_the_equation_of_a_wall_with_easy_axis(wall):
    width, step = 0.4, 1e-3
    h = wall(1.0, width=width)(line(np.arange(-1.5, 1.5, step)))
    angle = np.arccos(h[2])
    curvature = (angle[2:] - 2 * angle[1:-1] + angle[:-2]) / step**2
    assert width**2 * curvature == pytest.approx((np.sin(angle) * np.cos(angle))[1:-1], abs=1e-5)


# ---- spirals ----


def test_a_spiral_repeats_after_one_turn():
    q = np.array([1.0, 2.0, 2.0])  # |Q| = 3
    x, turn = points(3), (2 * np.pi / 3 * q / 3).reshape(3, 1, 1)
    h = spiral(1.0, wavevector=q, rotation_axis=q)
    assert h(x + turn) == pytest.approx(h(x))
    assert h(x + turn / 2) == pytest.approx(-h(x))


def test_the_default_spiral_turns_from_x_to_y():
    x = np.linspace(0, 3, 20)
    expected = 3 * np.array([np.cos(2 * x + 0.4), np.sin(2 * x + 0.4), 0 * x])
    assert spiral(3.0, wavevector=(2, 0, 0), phase=0.4)(x[None]) == pytest.approx(expected)


@pytest.mark.parametrize(("axis", "start"), [(X, Y), (Y, Z), (Z, X)])
def test_a_spiral_starts_at_the_axis_that_follows_its_rotation_axis(axis, start):
    assert spiral(1.0, wavevector=X, rotation_axis=axis)(np.zeros(3)) == pytest.approx(start)


@pytest.mark.parametrize("hand", [1, -1])
def test_a_helix_along_its_rotation_axis_is_right_handed_and_against_it_left_handed(hand):
    q = np.array([1.0, 2.0, 2.0])
    h = spiral(1.0, wavevector=hand * q, rotation_axis=q)(line(np.linspace(0, 2, 50), q / 3))
    assert np.sign(q @ np.cross(h[:, :-1], h[:, 1:], axis=0)) == pytest.approx(hand)


def test_a_conical_spiral_keeps_its_angle_to_the_rotation_axis():
    axis = np.array([0.6, 0.0, 0.8])
    h = spiral(1.0, wavevector=(1, 1, 1), rotation_axis=5 * axis, cone=0.3)(points(3))
    assert np.tensordot(axis, h, 1) == pytest.approx(np.cos(0.3))


# ---- skyrmions ----


@pytest.mark.parametrize(("vorticity", "polarity"), [(1, 1), (1, -1), (-1, 1), (2, 1)])
def test_the_topological_charge_of_a_skyrmion_is_minus_polarity_times_vorticity(vorticity, polarity):
    m = skyrmion(1.0, centre=(0.1, -0.2), vorticity=vorticity, polarity=polarity, helicity=0.3)
    side, step = np.linspace(-6, 6, 401), 1e-4
    x = np.array(np.meshgrid(side, side, indexing="ij"))
    dx, dy = (
        (m(x + step * e.reshape(2, 1, 1)) - m(x - step * e.reshape(2, 1, 1))) / (2 * step) for e in np.eye(2)
    )  # fmt: skip
    density = np.sum(m(x) * np.cross(dx, dy, axis=0), axis=0) / (4 * np.pi)
    assert density.sum() * (side[1] - side[0]) ** 2 == pytest.approx(-polarity * vorticity, abs=1e-3)


@pytest.mark.parametrize("polarity", [1, -1])
def test_a_skyrmion_points_against_its_polarity_in_the_core_and_along_it_far_away(polarity):
    h = skyrmion(2.0, polarity=polarity)(np.array([[0.0, 50.0], [0.0, 0.0]]))
    assert np.transpose(h) == pytest.approx(np.array([-2 * polarity * Z, 2 * polarity * Z]), abs=1e-12)


def test_a_skyrmion_has_the_profile_of_a_360_degree_wall():
    r = np.linspace(0.05, 4, 60)
    angle = 2 * np.arctan(np.sinh(1.3 / 0.4) / np.sinh(r / 0.4))
    h = skyrmion(1.0, centre=(0.5, 0), radius=1.3, width=0.4)(np.array([0.5 + 0 * r, r]))
    assert h == pytest.approx(np.array([0 * r, np.sin(angle), np.cos(angle)]), abs=1e-13)


@pytest.mark.parametrize(("helicity", "radial", "azimuthal"), [(0, 1, 0), (np.pi, -1, 0), (np.pi / 2, 0, 1)])
def test_the_helicity_tells_neel_from_bloch_skyrmions(helicity, radial, azimuthal):
    phi = np.linspace(-3, 3, 13)
    outwards, around = np.array([np.cos(phi), np.sin(phi)]), np.array([-np.sin(phi), np.cos(phi)])
    h = skyrmion(1.0, radius=1.5, helicity=helicity)(1.5 * outwards)
    assert h[:2] == pytest.approx(radial * outwards + azimuthal * around)


# ---- parameters ----


@pytest.mark.parametrize(
    ("make", "given", "message"),
    [
        (bloch_wall, {"h": np.nan}, "bloch_wall: h is nan; allowed is a real number"),
        (neel_wall, {"h": (0, 0, 1)}, r"neel_wall: h is \(0, 0, 1\)"),
        (bloch_wall, {"width": 0.0}, "bloch_wall: width is 0.0; allowed is a real number > 0"),
        (bloch_wall, {"centre": "left"}, "bloch_wall: centre is 'left'"),
        (neel_wall, {"normal": (1, 0)}, r"neel_wall: normal is \(1, 0\); allowed is 3 real components"),
        (neel_wall, {"normal": (0, 0, 0)}, "neel_wall: normal is .*not zero"),
        (bloch_wall, {"easy_axis": (1, 0, 1)}, r"easy_axis is \(1, 0, 1\), not perpendicular to normal"),
        (bloch_wall, {"chirality": 0}, "bloch_wall: chirality is 0; allowed are 1 and -1"),
        (bloch_wall, {"plane": "zx"}, "bloch_wall: plane is 'zx'; allowed are 'xy', 'xz' and 'yz'"),
        (spiral, {"wavevector": 1.0}, "spiral: wavevector is 1.0; allowed is 3 real components"),
        (spiral, {"wavevector": (1, (0, 0), 0)}, "spiral: wavevector is"),
        (spiral, {"wavevector": X, "rotation_axis": (0, 0, np.inf)}, "spiral: rotation_axis is"),
        (spiral, {"wavevector": X, "cone": -0.1}, "spiral: cone is -0.1; allowed is an angle from 0 to pi"),
        (spiral, {"wavevector": X, "phase": 1j}, "spiral: phase is 1j"),
        (skyrmion, {"centre": (0, 0, 0)}, r"skyrmion: centre is \(0, 0, 0\); allowed is 2 real components"),
        (skyrmion, {"radius": -1.0}, "skyrmion: radius is -1.0"),
        (skyrmion, {"vorticity": 0.5}, "skyrmion: vorticity is 0.5; allowed is an integer"),
        (skyrmion, {"polarity": 2}, "skyrmion: polarity is 2; allowed are 1 and -1"),
    ],
)
def test_parameters_out_of_range_are_named(make, given, message):
    with pytest.raises(uf.DeviceError, match=message):
        make(**{"h": 1.0, **given})


def test_points_of_a_wrong_shape_are_named(texture):
    with pytest.raises(uf.DeviceError, match=r"x has shape \(4, 5\)"):
        texture(np.zeros((4, 5)))


# ---- OVF files ----

TITLES = {1: "# OOMMF: rectangular mesh v1.0", 2: "# OOMMF OVF 2.0"}
# check values in network byte order, as the OOMMF user's guide prints them
CHECKS = {4: bytes.fromhex("4996B438"), 8: bytes.fromhex("42DC12218377DE40")}


def data(values, representation, version):
    """The data block: vectors of shape (nx, ny, nz, 3), x fastest."""
    vectors = values.transpose(2, 1, 0, 3)
    if representation.lower() == "text":
        return "".join(f"{a:.17g} {b:.17g} {c:.17g} \n" for a, b, c in vectors.reshape(-1, 3)).encode()
    size = int(representation[-1])
    check = CHECKS[size] if version == 1 else CHECKS[size][::-1]
    return check + vectors.astype(f"{'>' if version == 1 else '<'}f{size}").tobytes() + b"\n"


def write(path, values, representation="Text", version=2, base=(0.5, 0.5, 0.5), step=(1.0, 1.0, 1.0), **header):
    """An OVF file of vectors (nx, ny, nz, 3); further header lines replace those of the same name, None removes one."""
    nodes = values.shape[:3]
    lines = {"Title": "m", "meshtype": "rectangular", "meshunit": "m"}
    for axis, n, first, size in zip("xyz", nodes, base, step, strict=True):
        lines |= {f"{axis}min": first - size / 2, f"{axis}max": first + (n - 0.5) * size, f"{axis}base": first}
        lines |= {f"{axis}nodes": n, f"{axis}stepsize": size}
    extra = {1: {"valueunit": "A/m", "valuemultiplier": 1}, 2: {"valuedim": 3, "valueunits": "1 1 1"}}
    lines |= extra[version] | {"Desc": "Total simulation time:  0  s"} | header
    head = [TITLES[version], "# Segment count: 1", "# Begin: Segment", "# Begin: Header"]
    head += [f"# {key}: {value}" for key, value in lines.items() if value is not None]
    head += ["# End: Header", f"# Begin: Data {representation}", ""]
    tail = f"# End: Data {representation}\n# End: Segment\n"
    path.write_bytes("\n".join(head).encode() + data(values, representation, version) + tail.encode())
    return path


def vectors(*nodes, seed=2):
    return np.random.default_rng(seed).normal(size=(*nodes, 3))


def centres(nodes, base=(0.5, 0.5, 0.5), step=(1.0, 1.0, 1.0)):
    """Cell centres, shape (3, nx, ny, nz)."""
    sides = [first + size * np.arange(n) for n, first, size in zip(nodes, base, step, strict=True)]
    return np.array(np.meshgrid(*sides, indexing="ij"))


def unit(m):
    """Directions of vectors (..., 3), shape (3, ...)."""
    return np.moveaxis(m / np.linalg.norm(m, axis=-1, keepdims=True), -1, 0)


@pytest.fixture
def ovf(tmp_path):
    return tmp_path / "m.ovf"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("representation", "accuracy"), [("Text", 1e-14), ("Binary 4", 1e-6), ("Binary 8", 1e-14)])
def test_what_was_written_is_read(ovf, version, representation, accuracy):
    values = vectors(4, 3, 2)
    write(ovf, values, representation, version)
    assert texture_from_ovf(ovf, 3.0)(centres((4, 3, 2))) == pytest.approx(3 * unit(values), abs=3 * accuracy)


def test_data_of_the_other_byte_order_are_recognised_by_the_check_value(ovf):
    values = vectors(2, 2, 2)
    content = write(ovf, values, "Binary 8", 2).read_bytes()
    ovf.write_bytes(content.replace(TITLES[2].encode(), TITLES[1].encode()))
    assert texture_from_ovf(ovf, 1.0)(centres((2, 2, 2))) == pytest.approx(unit(values))


@pytest.mark.parametrize("representation", ["text", "BINARY 4"])
def test_case_blanks_and_windows_line_ends_in_the_header_do_not_matter(ovf, representation):
    values = vectors(3, 2, 1)
    head, mark, rest = write(ovf, values, representation, xnodes=None).read_bytes().partition(b"# Begin: Data ")
    head = head.replace(b"# End: Header", b"#  X Nodes :3 ## along x\n# End: Header")
    ovf.write_bytes((head + mark.lower()).replace(b"\n", b"\r\n") + rest.replace(b"\n", b"\r\n", 1))
    assert texture_from_ovf(ovf, 1.0)(centres((3, 2, 1))) == pytest.approx(unit(values), abs=1e-6)


def test_comments_in_text_data_are_skipped(ovf):
    values = vectors(2, 1, 1)
    ovf.write_bytes(write(ovf, values).read_bytes().replace(b" \n", b" # a comment 1 2 3\n"))
    assert texture_from_ovf(ovf, 1.0)(centres((2, 1, 1))) == pytest.approx(unit(values))


def test_a_grid_without_base_begins_at_its_lower_corner(ovf):
    values, grid = vectors(2, 2, 2), {"base": (-3.0, 1.0, 0.0), "step": (0.5, 1.0, 2.0)}
    write(ovf, values, **grid, xbase=None, ybase=None, zbase=None)
    assert texture_from_ovf(ovf, 1.0)(centres((2, 2, 2), **grid)) == pytest.approx(unit(values))


def test_a_negative_multiplier_turns_the_vectors_round(ovf):
    write(ovf, vectors(1, 1, 1), version=1, valuemultiplier=-8e5)
    assert texture_from_ovf(ovf, 1.0)(np.full(3, 0.5)) == pytest.approx(-unit(vectors(1, 1, 1))[:, 0, 0, 0])


def test_the_direction_of_a_linear_field_is_exact_between_the_centres(ovf):
    slope, offset = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.3], [-0.2, 0.1, 0.2]]), np.array([2.0, -1.0, 3.0])
    grid = {"base": (-1.0, 0.2, 3.0), "step": (0.5, 0.25, 1.0)}
    write(ovf, np.moveaxis(np.tensordot(slope, centres((6, 5, 4), **grid), 1), 0, -1) + offset, **grid)
    x = np.random.default_rng(3).uniform((-1.0, 0.2, 3.0), (1.5, 1.2, 6.0), (30, 3))
    assert texture_from_ovf(ovf, 1.0)(x.T) == pytest.approx(unit(x @ slope.T + offset))


def test_the_field_is_constant_between_the_outermost_centres_and_the_edge(ovf):
    write(ovf, vectors(3, 2, 1))
    x = np.array([[0.0, 3.0], [0.0, 2.0], [0.0, 1.0]])
    assert texture_from_ovf(ovf, 1.0)(x) == pytest.approx(unit(vectors(3, 2, 1)[[0, 2], [0, 1], 0]))


def test_a_cell_without_magnetisation_has_no_field_and_does_not_turn_its_neighbours(ovf):
    write(ovf, np.array([[0.0, 0.0, 0.0], [0.0, 7.0, 0.0]]).reshape(2, 1, 1, 3))
    h = texture_from_ovf(ovf, 2.0)(np.array([[0.1, 0.9, 1.1, 1.9]]))
    assert np.transpose(h) == pytest.approx(np.array([0 * Y, 0 * Y, 2 * Y, 2 * Y]))


def test_the_field_keeps_its_size_between_opposite_vectors(ovf):
    write(ovf, np.array([Z, -Z]).reshape(2, 1, 1, 3))
    assert np.linalg.norm(texture_from_ovf(ovf, 2.0)(np.array([[0.9, 1.0, 1.1]])), axis=0) == pytest.approx(2.0)


def test_scale_and_origin_take_the_file_to_the_mesh(ovf):
    nodes, nano = (3, 2, 2), {"base": (5e-10, 1e-9, 2e-9), "step": (1e-9, 2e-9, 4e-9)}
    write(ovf, vectors(*nodes), **nano)
    x = centres(nodes, base=(0.5 + 10, 1 - 20, 2 + 30), step=(1, 2, 4))
    h = texture_from_ovf(ovf, 1.0, scale=1e9, origin=(10, -20, 30))
    assert h(x) == pytest.approx(unit(vectors(*nodes)))


def test_a_plane_mesh_in_one_layer_needs_no_choice(ovf):
    write(ovf, vectors(3, 2, 1))
    x = centres((3, 2, 1))[:2, ..., 0]
    assert texture_from_ovf(ovf, 1.0)(x) == pytest.approx(unit(vectors(3, 2, 1)[:, :, 0]))


@pytest.mark.parametrize("layer", [0, 2, -1])
def test_a_plane_mesh_lies_in_the_layer_of_choice(ovf, layer):
    write(ovf, vectors(3, 2, 3))
    x = centres((3, 2, 3))[:2, ..., 0]
    assert texture_from_ovf(ovf, 1.0, layer=layer)(x) == pytest.approx(unit(vectors(3, 2, 3)[:, :, layer]))


def test_the_mean_of_the_layers_is_taken_on_request(ovf):
    write(ovf, vectors(3, 2, 3))
    x = centres((3, 2, 3))[:2, ..., 0]
    assert texture_from_ovf(ovf, 1.0, layer="mean")(x) == pytest.approx(unit(vectors(3, 2, 3).mean(axis=2)))


@pytest.mark.parametrize(
    ("nodes", "layer"), [((3, 1, 1), None), ((3, 4, 1), 2), ((3, 4, 1), (2, 0)), ((3, 4, 2), (2, 1))]
)
def test_a_line_lies_in_the_row_of_choice(ovf, nodes, layer):
    write(ovf, vectors(*nodes))
    row, height = (0, 0) if layer is None else (layer, 0) if isinstance(layer, int) else layer
    h = texture_from_ovf(ovf, 1.0, layer=layer)(np.array([[0.5, 1.5, 2.5]]))
    assert h == pytest.approx(unit(vectors(*nodes)[:, row, height]))


def test_a_mesh_in_the_xz_plane_lies_in_a_row_along_y(ovf):
    write(ovf, vectors(3, 4, 2))
    x = centres((3, 4, 2))[[0, 2], :, 0]
    assert texture_from_ovf(ovf, 1.0, plane="xz", layer=3)(x) == pytest.approx(unit(vectors(3, 4, 2)[:, 3]))


@pytest.mark.parametrize(
    ("dim", "layer", "message"),
    [
        (2, None, "layer is None; for a mesh along x, y .*3 along z, as an index for each axis, or 'mean'"),
        (2, 3, "layer is 3; .*3 along z"),
        (1, 1, "layer is 1; .*4 along y and 3 along z"),
        (3, 0, "layer is 0; for a mesh along x, y, z .*allowed is None"),
    ],
)
def test_a_layer_that_does_not_fit_the_mesh_is_named(ovf, dim, layer, message):
    h = texture_from_ovf(write(ovf, vectors(2, 4, 3)), 1.0, layer=layer)
    with pytest.raises(uf.DeviceError, match=message):
        h(np.full((dim, 1), 0.5))


def test_points_outside_of_the_grid_are_named_with_its_extent(ovf):
    h = texture_from_ovf(write(ovf, vectors(3, 2, 1)), 1.0, scale=2.0)
    with pytest.raises(uf.DeviceError, match=r"x = 1, y = 4.5 is outside of .*m.ovf \(x from 0 to 6, y from 0 to 4, z"):
        h(np.array([[1.0, 1.0], [1.0, 4.5]]))


def test_the_outermost_cells_are_continued_on_request(ovf):
    h = texture_from_ovf(write(ovf, vectors(3, 2, 1)), 1.0, outside="nearest")
    assert h(np.array([[-9.0, 9.0], [0.1, 5.0]])) == pytest.approx(h(np.array([[0.1, 2.9], [0.1, 1.9]])))


def test_a_device_takes_a_file_as_exchange_field(ovf):
    h = texture_from_ovf(write(ovf, vectors(2, 2, 1)), 1.0, scale=0.5)
    mesh = uf.rectangle({"F": 1.0}, width=1.0, size=0.25)
    assert "exchange=texture_from_ovf(x)" in repr(uf.Device(mesh, {"F": uf.ferromagnet(exchange=h)}))


def test_a_device_that_sticks_out_of_the_grid_is_refused(ovf):
    h = texture_from_ovf(write(ovf, vectors(2, 2, 1)), 1.0, scale=0.4)
    mesh = uf.rectangle({"F": 1.0}, width=1.0, size=0.25)
    with pytest.raises(uf.DeviceError, match=r"region 'F'.*outside of"):
        uf.Device(mesh, {"F": uf.ferromagnet(exchange=h)})


# ---- damaged files ----


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"OVF file not found: .*nowhere\.ovf"):
        texture_from_ovf(tmp_path / "nowhere.ovf", 1.0)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"# vtk DataFile Version 3.0\n"])
def test_a_file_of_another_kind_is_named(ovf, content):
    ovf.write_bytes(content)
    with pytest.raises(uf.DeviceError, match=r"m\.ovf: it does not begin with '# OOMMF'"):
        texture_from_ovf(ovf, 1.0)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"meshtype": "irregular"}, "its mesh is of type 'irregular'; allowed is 'rectangular'"),
        ({"valuedim": 1}, "its header has valuedim: 1; allowed is 3"),
        ({"Segment count": 2}, "its header has segmentcount: 2; allowed is 1"),
        ({"ynodes": None}, "its header has no ynodes"),
        ({"ynodes": 1.5}, "its header has ynodes: 1.5; allowed is an integer"),
        ({"ynodes": 0}, r"it has \[3, 0, 1\] cells"),
        ({"xstepsize": "one"}, "its header has xstepsize: one; allowed is a number"),
        ({"xstepsize": -1.0}, "it has .* cells of size .*positive"),
        ({"zbase": None, "zmin": None}, "its header has no zmin"),
        ({"xnodes": 4}, "it has 18 numbers, but its header says 24"),
    ],
)
def test_a_header_that_cannot_be_used_is_named(ovf, header, message):
    write(ovf, vectors(3, 2, 1), **header)
    with pytest.raises(uf.DeviceError, match=rf"m\.ovf: {message}"):
        texture_from_ovf(ovf, 1.0)


def test_a_file_that_ends_in_its_header_is_named(ovf):
    ovf.write_bytes(write(ovf, vectors(1, 1, 1)).read_bytes().partition(b"# Begin: Data")[0])
    with pytest.raises(uf.DeviceError, match="it has no line '# Begin: Data"):
        texture_from_ovf(ovf, 1.0)


@pytest.mark.parametrize("representation", ["Text", "Binary 4", "Binary 8"])
def test_truncated_data_are_named(ovf, representation):
    content = write(ovf, vectors(3, 2, 1), representation).read_bytes()
    ovf.write_bytes(content[: content.index(b"# End: Data") - 6])
    with pytest.raises(uf.DeviceError, match="it is truncated"):
        texture_from_ovf(ovf, 1.0)


@pytest.mark.parametrize("size", [4, 8])
def test_a_wrong_check_value_is_named(ovf, size):
    content = write(ovf, vectors(3, 2, 1), f"Binary {size}").read_bytes()
    ovf.write_bytes(content.replace(CHECKS[size][::-1], b"\r" * size))
    with pytest.raises(uf.DeviceError, match="do not begin with the check value 1234567"):
        texture_from_ovf(ovf, 1.0)


def test_more_binary_data_than_the_header_says_are_named(ovf):
    write(ovf, vectors(3, 2, 1), "Binary 8", xnodes=2)
    with pytest.raises(uf.DeviceError, match="its data do not end after the 12 numbers"):
        texture_from_ovf(ovf, 1.0)


def test_an_unknown_representation_is_named(ovf):
    ovf.write_bytes(write(ovf, vectors(1, 1, 1)).read_bytes().replace(b"Data Text", b"Data Binary 2"))
    with pytest.raises(uf.DeviceError, match="its data are 'Binary 2'; allowed are 'Text', 'Binary 4' and 'Binary 8'"):
        texture_from_ovf(ovf, 1.0)


def test_text_that_is_no_number_is_named(ovf):
    content = write(ovf, np.full((1, 1, 1, 3), 0.5)).read_bytes()
    ovf.write_bytes(content.replace(b"0.5 \n", b"half\n"))
    with pytest.raises(uf.DeviceError, match=r"its data are not numbers: .*half"):
        texture_from_ovf(ovf, 1.0)


@pytest.mark.parametrize("representation", ["Text", "Binary 4"])
def test_values_that_are_not_finite_are_named(ovf, representation):
    write(ovf, np.where(np.arange(3) == 1, np.nan, vectors(2, 1, 1)), representation)
    with pytest.raises(uf.DeviceError, match="2 of its 6 numbers are not finite"):
        texture_from_ovf(ovf, 1.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"h": np.inf}, "h is inf"),
        ({"scale": 0.0}, "scale is 0.0; allowed is a real number > 0"),
        ({"origin": (0, 0)}, r"origin is \(0, 0\); allowed is 3 real components"),
        ({"layer": "top"}, "layer is 'top'"),
        ({"layer": 0.5}, "layer is 0.5"),
        ({"layer": (0, 0.5)}, r"layer is \(0, 0.5\)"),
        ({"outside": "zero"}, "outside is 'zero'; allowed are 'error' and 'nearest'"),
        ({"plane": "x"}, "plane is 'x'"),
    ],
)
def test_parameters_of_a_file_out_of_range_are_named(ovf, given, message):
    write(ovf, vectors(1, 1, 1))
    with pytest.raises(uf.DeviceError, match=f"texture_from_ovf: {message}"):
        texture_from_ovf(ovf, **{"h": 1.0, **given})
