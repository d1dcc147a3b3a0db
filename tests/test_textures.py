"""Textures: walls, spirals and skyrmions against their formulas."""

import pickle

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.textures.analytic import bloch_wall, neel_wall, skyrmion, spiral

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
    with pytest.raises(uf.errors.DeviceError, match=message):
        make(**{"h": 1.0, **given})


def test_points_of_a_wrong_shape_are_named(texture):
    with pytest.raises(uf.errors.DeviceError, match=r"x has shape \(4, 5\)"):
        texture(np.zeros((4, 5)))


def film(texture, plane):
    mesh = uf.rectangle({"F": 1.0}, 1.0, size=0.25)
    return uf.Device(mesh, {"F": uf.ferromagnet(exchange=texture)}, plane=plane)


@pytest.mark.parametrize(("plane", "axes"), [("xy", [0, 1]), ("xz", [0, 2]), ("yz", [1, 2])])
def test_a_texture_lies_in_the_plane_of_its_device(plane, axes):
    turns = spiral(1.0, wavevector=(1.0, 2.0, 3.0))
    x = np.random.default_rng(3).normal(size=(3, 7))
    x[list({0, 1, 2} - set(axes))] = 0.0
    told = film(turns, plane).materials["F"].exchange
    assert told(x[axes]) == pytest.approx(turns(x), abs=1e-14)


def test_a_texture_in_another_plane_than_its_device_is_refused():
    with pytest.raises(uf.errors.DeviceError, match="plane is 'xy', but the device has plane='xz'; leave it out"):
        film(spiral(1.0, wavevector=(0, 0, 2), plane="xy"), "xz")


def test_the_magnetisation_of_a_barrier_may_be_a_texture_in_the_plane_of_the_device():
    barrier = uf.SpinActive(conductance=1.0, polarization=0.5, magnetization=spiral(1.0, wavevector=(0, 0, 2)))
    mesh = uf.rectangle({"A": 1.0, "B": 1.0}, 1.0, size=0.25)
    materials = {"A": uf.normal_metal(), "B": uf.normal_metal()}
    device = uf.Device(mesh, materials, interfaces={"A_B": barrier}, plane="xz")
    field = device.interfaces["A_B"].magnetization(np.array([[0.0], [0.3]]))
    assert field[:, 0] == pytest.approx(spiral(1.0, wavevector=(0, 0, 2))(np.array([[0.0], [0.0], [0.3]]))[:, 0])
