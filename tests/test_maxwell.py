"""The induced vector potential: convergence, London's equation in closed form, holes, leads, vacuum, errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import skfem
from field_meshes import both_ends, ring
from scipy.special import i0, i1, k0, k1, spherical_in

import usadelfem as uf
from usadelfem.errors import DeviceError
from usadelfem.magnetics.applied_field import uniform_field_potential
from usadelfem.magnetics.maxwell import Surrounding, build_maxwell
from usadelfem.space.space import build_space

MU0, FIELD = 0.3, 2.0
NONE = np.empty(0, int)


def scrambled(mesh, rng):
    """The same mesh with vertices renumbered and every simplex or quadrilateral starting at a random vertex."""
    order = rng.permutation(mesh.nvertices)
    t = np.argsort(order)[mesh.t]
    if mesh.t.shape[0] < 8:
        t = np.take_along_axis(t, (np.arange(len(t))[:, None] + rng.integers(len(t), size=t.shape[1])) % len(t), axis=0)
    return type(mesh)(mesh.p[:, order], t, sort_t=False)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("cell", ["triangle", "quad"])
def test_convergence_in_the_plane(cell, order):
    """curl curl A + mu0 S A = mu0 j with B = cos cos on a square; distorted cells, numbered at random."""
    errors, rng = [], np.random.default_rng(1)
    for count in (4, 8, 16):
        mesh = uf.rectangle({"a": 2.0}, 2.0, 2 / count, cell).translated((-1, -1))
        (x, y), wave = mesh.p, np.cos(np.pi / 2 * mesh.p)
        mesh = replace(mesh, doflocs=mesh.p + 0.1 * wave * np.sin([2 * y, 3 * x]))
        space = build_space(scrambled(mesh, rng), order)
        maxwell = build_maxwell(space)
        c, s = np.cos(np.pi / 2 * space.points()), np.sin(np.pi / 2 * space.points())
        exact, field = np.array([-c[0] * s[1], s[0] * c[1]]) / np.pi, c[0] * c[1]
        response = np.full(space.dx.shape, 3.0)
        dofs = maxwell.step(maxwell.zeros(), (np.pi**2 / 2 / MU0 + 3.0) * exact, response, MU0)
        off = (maxwell.at_points(dofs) - exact, maxwell.curl_at_points(dofs) - field)
        errors.append([np.sqrt((part**2 * space.dx).sum()) for part in off])
    expected = 2 if (cell, order) == ("triangle", 2) else 1
    np.testing.assert_allclose(np.log2(np.divide(errors[1], errors[2])), expected, atol=0.05)
    np.testing.assert_allclose(maxwell.energy(dofs), 0.5, rtol=2 * errors[-1][1] ** 2)


@pytest.mark.parametrize("cell", ["tetrahedron", "hexahedron"])
def test_convergence_in_space(cell):
    errors, rng = [], np.random.default_rng(2)
    for count in (2, 4) if cell == "tetrahedron" else (4, 8):
        mesh = uf.box({"a": 1.0}, 1.0, 1.0, 1 / count, cell)
        x, y, z = mesh.p
        mesh = replace(mesh, doflocs=mesh.p + 0.1 * np.sin(np.pi * mesh.p) * np.array([y * z, z**2, x]))
        mesh = scrambled(mesh, rng)
        space = build_space(mesh, 1)
        maxwell = build_maxwell(space, Surrounding(mesh, np.arange(mesh.nelements)))
        c, s = np.cos(np.pi * space.points()), np.sin(np.pi * space.points())
        exact = np.array([0 * s[0], s[2] * s[0], 2 * s[0] * s[1]])
        field = np.pi * np.array([2 * s[0] * c[1] - c[2] * s[0], -2 * c[0] * s[1], s[2] * c[0]])
        response = np.full(space.dx.shape, 3.0)
        dofs = maxwell.step(maxwell.zeros(), (2 * np.pi**2 / MU0 + 3.0) * exact, response, MU0)
        off = (maxwell.at_points(dofs) - exact, maxwell.curl_at_points(dofs) - field)
        errors.append([np.sqrt((part**2 * space.dx).sum()) for part in off])
    assert (np.log2(np.divide(errors[0], errors[1])) > 0.95).all()
    np.testing.assert_allclose(maxwell.energy(dofs), 1.25 * np.pi**2, rtol=0.05)


def london(space, length, maxwell=None, field=FIELD):
    """The problem, its solution in a field, the response and the current density of a London superconductor."""
    maxwell = build_maxwell(space) if maxwell is None else maxwell
    response = np.full(space.dx.shape, 1 / (MU0 * length**2))
    applied = uniform_field_potential(space, field, NONE)
    dofs = maxwell.step(maxwell.zeros(), -response * applied, response, MU0)
    current = -response * (applied + maxwell.at_points(dofs))
    assert abs(maxwell.gradient(dofs, current, MU0)).max() < 1e-7 * abs(MU0 * current).max()
    again = maxwell.step(dofs, current, response, MU0)
    np.testing.assert_allclose(maxwell.at_points(again - dofs), 0, atol=1e-6 * abs(applied).max())
    induced = maxwell.curl_at_points(dofs)
    np.testing.assert_allclose(maxwell.curl_at_points(again), induced, atol=1e-6 * abs(induced).max())
    return maxwell, dofs, response, current


def test_london_screening_of_a_strip():
    space = build_space(uf.rectangle({"a": 1.0}, 6.0, 0.0625), 2)
    maxwell, dofs, *_ = london(space, 0.4)
    x, y = space.points()
    exact = np.cosh((x - 0.5) / 0.4) / np.cosh(0.5 / 0.4)
    middle = abs(y - 3) < 0.5
    np.testing.assert_allclose((1 + maxwell.curl_at_points(dofs) / FIELD)[middle], exact[middle], atol=1e-3)


def test_london_screening_of_a_disc():
    space = build_space(skfem.MeshTri1.init_circle(5, smoothed=True), 2)
    maxwell, dofs, *_ = london(space, 0.4)
    exact = i0(np.hypot(*space.points()) / 0.4) / i0(1 / 0.4)
    np.testing.assert_allclose(1 + maxwell.curl_at_points(dofs) / FIELD, exact, atol=1e-3)


@pytest.mark.parametrize(("cell", "order", "accuracy"), [("triangle", 2, 2e-3), ("quad", 1, 0.04)])
def test_london_screening_of_a_ring(cell, order, accuracy):
    """B = a I0 + b K0, applied at the outer edge; the fluxoid of the hole vanishes: length^2 B' = B r/2 at its edge."""
    length, r = 0.5, 0.4
    space = build_space(ring(r, 8, 64, cell, shift=(3.0, 1.0)), order)
    maxwell, dofs, response, current = london(space, length)
    at_hole = np.array([
        length * i1(r / length) - r / 2 * i0(r / length), -length * k1(r / length) - r / 2 * k0(r / length),
    ])  # fmt: skip
    a, b = np.linalg.solve([[i0(1 / length), k0(1 / length)], at_hole], [1, 0])

    def exact(radius):
        return a * i0(radius / length) + b * k0(radius / length)

    (hole,) = maxwell.holes
    np.testing.assert_allclose(hole.area, 32 * r**2 * np.sin(2 * np.pi / 64))
    np.testing.assert_allclose(hole.centroid, (3, 1))
    np.testing.assert_allclose(1 + maxwell.hole_fluxes(dofs) / hole.area / FIELD, exact(r), atol=1e-3)
    induced = maxwell.curl_at_points(dofs)
    radius = np.hypot(space.points()[0] - 3, space.points()[1] - 1)
    np.testing.assert_allclose(1 + induced / FIELD, exact(radius), atol=accuracy)
    # work: the energy of field and currents is -m B/2, mu0 m the integral of the induced field over sample and hole
    kinetic = 0.5 * MU0 * (current**2 / response * space.dx).sum()
    moment = (induced * space.dx).sum() + maxwell.hole_fluxes(dofs).sum()
    np.testing.assert_allclose(maxwell.energy(dofs) + kinetic, -0.5 * FIELD * moment, rtol=1e-7 if order == 2 else 1e-3)


@pytest.mark.parametrize(("cell", "order", "accuracy"), [("triangle", 2, 4e-3), ("quad", 1, 1e-2)])
def test_strip_that_carries_a_current(cell, order, accuracy):
    """A uniform phase gradient q: I = S q W, j = S q (W/2l) cosh(y/l)/sinh(W/2l), d_y B = mu0 j, zero on average."""
    length, q = 0.3, 1.3
    space = build_space(uf.rectangle({"a": 2.0}, 1.0, 0.1, cell).translated((0, -0.5)), order)
    maxwell = build_maxwell(space, contact_facets=both_ends(space.mesh))
    (_, y), response = space.points(), np.full(space.dx.shape, 1 / (MU0 * length**2))
    phase = np.array([q + 0 * y, 0 * y])
    dofs = maxwell.step(maxwell.zeros(), response * phase, response, MU0)
    current = response * (phase - maxwell.at_points(dofs))
    assert abs(maxwell.gradient(dofs, current, MU0)).max() < 1e-7 * MU0 * current.max()
    np.testing.assert_allclose(maxwell.step(dofs, current, response, MU0), dofs, atol=1e-7)
    total = response[0, 0] * q
    np.testing.assert_allclose((current[0] * space.dx).sum() / 2, total, rtol=1e-7)
    exact = total / (2 * length) * np.cosh(y / length) / np.sinh(0.5 / length)
    np.testing.assert_allclose(current, [exact, 0 * exact], atol=accuracy * exact.max())
    if cell == "triangle":
        field = MU0 * total / 2 * np.sinh(y / length) / np.sinh(0.5 / length)
        np.testing.assert_allclose(maxwell.curl_at_points(dofs), field, atol=accuracy * field.max())


def balls(refinements, radius):
    """A ball of radius 1 in one of another radius, up to their polyhedral surfaces: Surrounding and sample."""
    mesh = skfem.MeshTet1.init_ball(0).refined(refinements)
    shell, length = abs(mesh.p).sum(axis=0), np.linalg.norm(mesh.p, axis=0)
    r = np.where(shell <= 0.5, 2 * shell, radius ** (2 * shell - 1))
    mesh = skfem.MeshTet1(mesh.p * r / np.where(length > 0, length, 1), mesh.t)
    cells = np.flatnonzero(shell[mesh.t].max(axis=0) < 0.5 + 1e-9)
    return Surrounding(mesh, cells), mesh.restrict(cells)


def ball_radius(dx):
    """Radius of the ball with the volume of all cells."""
    return (dx.sum() / (4 * np.pi / 3)) ** (1 / 3)


@pytest.mark.parametrize(("length", "accuracy"), [(0.3, 0.05), (1.0, 0.01), (100.0, 1e-3)])
def test_london_sphere(length, accuracy):
    """Moment and field in the middle, in a cavity with B_n = 0 for the induced field.

    A = (3/2) B_e l i_1(r/l)/i_0(R/l) sin(theta) inside, so the moment is -2 pi R^3 f B_e/mu0 with f = 1 - 3 (l/R)
    coth(R/l) + 3 (l/R)^2, which is (R/l)^2/15 for weak screening (j = -S B x r/2), and the mean of B within a is
    2 A(a)/a; B_e = B/(1 - f (R/R_c)^3) is the field with the reaction of the wall.
    """
    surrounding, mesh = balls(3, 3.0)
    space = build_space(mesh, 1)
    maxwell = build_maxwell(space, surrounding)
    _, dofs, _, current = london(space, length, maxwell, (0, 0, FIELD))
    radius, wall = ball_radius(space.dx), ball_radius(build_space(surrounding.mesh, 1).dx)
    x = radius / length
    f = 1 - 3 / x / np.tanh(x) + 3 / x**2 if x > 0.1 else x**2 / 15
    effective = FIELD / (1 - f * (radius / wall) ** 3)
    moment = 0.5 * (np.cross(space.points(), current, axis=0) * space.dx).sum(axis=(1, 2))
    np.testing.assert_allclose(moment / (-2 * np.pi * radius**3 * f * effective / MU0), [0, 0, 1], atol=accuracy)
    inner = np.linalg.norm(mesh.p, axis=0)[mesh.t].max(axis=0) < 0.51
    a = ball_radius(space.dx[inner])
    mean = 3 * effective * length / a * spherical_in(1, a / length) / spherical_in(0, x)
    field = maxwell.curl_at_points(dofs)
    found = (field * space.dx)[:, inner].sum(axis=(1, 2)) / space.dx[inner].sum()
    np.testing.assert_allclose(found / (mean - FIELD), [0, 0, 1], atol=0.03)
    for factor in (1e-2, 1e4):  # the mass that fixes the gauge of the vacuum plays no role
        changed = replace(maxwell, vacuum=factor * maxwell.vacuum)
        again = london(space, length, changed, (0, 0, FIELD))[1]
        np.testing.assert_allclose(changed.curl_at_points(again), field, atol=1e-6 * abs(field).max())


def test_current_through_the_walls_of_a_box():
    """A bar of which the ends are contacts on the wall; a uniform phase gradient along it."""
    mesh = uf.box({"a": 1.0}, 1.0, 1.0, 0.25, "hexahedron")
    cells = np.flatnonzero((abs(mesh.p[1:, mesh.t].mean(axis=1) - 0.5) < 0.25).all(axis=0))
    sample = mesh.restrict(cells)
    space = build_space(sample, 1)
    ends = both_ends(sample)
    maxwell = build_maxwell(space, Surrounding(mesh, cells), contact_facets=ends)
    response, phase = np.ones(space.dx.shape), np.array([1, 0, 0])[:, None, None] * np.ones(space.dx.shape)
    dofs = maxwell.step(maxwell.zeros(), response * phase, response, MU0)
    current = response * (phase - maxwell.at_points(dofs))
    assert abs(maxwell.gradient(dofs, current, MU0)).max() < 1e-7
    middle = space.points() - 0.5
    assert (abs(current[0] - 1) < 0.1).all()
    assert (np.cross(middle, maxwell.curl_at_points(dofs), axis=0)[0] > 0).all()  # B turns around the current


def test_holes_of_a_plate():
    mesh = uf.rectangle({"a": 4.0}, 2.0, 0.5, "quad")
    x, y = mesh.p[:, mesh.t].mean(axis=1)
    left, right = (abs(x - 0.75) < 0.3) & (abs(y - 0.75) < 0.3), (abs(x - 2.75) < 0.4) & (abs(y - 1) < 0.4)
    holes = build_maxwell(build_space(mesh.restrict(np.flatnonzero(~left & ~right)), 1)).holes
    found = sorted([*hole.centroid, hole.area, len(hole.facets)] for hole in holes)
    np.testing.assert_allclose(found, [[0.75, 0.75, 0.25, 4], [2.75, 1, 0.5, 6]])
    plain = build_maxwell(build_space(mesh, 1))
    assert plain.holes == ()
    assert plain.hole_fluxes(plain.zeros()).shape == (0,)


def test_prescribed_current_without_response():
    """curl curl A = mu0 j with B = cos cos on a square; nothing but the regularisation fixes the gauge."""
    space = build_space(uf.rectangle({"a": 2.0}, 2.0, 0.125).translated((-1, -1)), 2)
    maxwell = build_maxwell(space)
    c, s = np.cos(np.pi / 2 * space.points()), np.sin(np.pi / 2 * space.points())
    current = np.pi / 2 / MU0 * np.array([-c[0] * s[1], s[0] * c[1]])
    dofs = maxwell.step(maxwell.zeros(), current, 0 * c[0], MU0)
    np.testing.assert_allclose(maxwell.curl_at_points(dofs), c[0] * c[1], atol=4e-3)


def test_where_induced_fields_are_not_supported():
    with pytest.raises(DeviceError, match="two or three dimensions"):
        build_maxwell(build_space(uf.interval({"a": 1.0}), 1))
    box = uf.box({"a": 1.0}, size=0.5)
    with pytest.raises(DeviceError, match="vacuum around the sample"):
        build_maxwell(build_space(box, 1))
    everywhere = np.arange(box.nelements)
    with pytest.raises(DeviceError, match="takes no surrounding"):
        build_maxwell(build_space(uf.rectangle({"a": 1.0}), 1), (box, everywhere))
    half = box.restrict(everywhere[::2])
    with pytest.raises(DeviceError, match=r"one of its .* cells for each"):
        build_maxwell(build_space(half, 1), (box, everywhere))
    with pytest.raises(DeviceError, match="place or order of vertices"):
        build_maxwell(build_space(half, 1), (box, everywhere[1::2]))
    with pytest.raises(DeviceError, match="a MeshHex1, the sample a MeshTet1"):
        build_maxwell(build_space(half, 1), (uf.box({"a": 1.0}, cell="hexahedron"), everywhere[::2]))
    cells = np.flatnonzero(box.p[0, box.t].mean(axis=0) < 0.5)
    part = box.restrict(cells)
    inner = part.facets_satisfying(lambda x: abs(x[0] - 0.5) < 1e-9, boundaries_only=True)
    with pytest.raises(DeviceError, match="not on the outer boundary"):
        build_maxwell(build_space(part, 1), (box, cells), contact_facets=inner)


def test_planes_whose_boundary_is_not_supported():
    square = uf.rectangle({"a": 5.0}, 5.0, 1.0, "quad")
    x, y = square.p[:, square.t].mean(axis=1) - 2.5
    nested = square.restrict(np.flatnonzero(np.maximum(abs(x), abs(y)) != 1))
    with pytest.raises(DeviceError, match="in a hole of another"):
        build_maxwell(build_space(nested, 1))
    corner = square.restrict(np.flatnonzero((x != y) | (x < 0) | (x > 1)))
    with pytest.raises(DeviceError, match=r"touches itself at \("):
        build_maxwell(build_space(corner, 1))
    apart = square.restrict(np.flatnonzero(x != 0))
    assert build_maxwell(build_space(apart, 1)).holes == ()
    around = ring(0.4, 2, 12)
    with pytest.raises(DeviceError, match="must lie on the outer edge"):
        build_maxwell(build_space(around, 1), contact_facets=around.boundary_facets())
    hole = around.facets_satisfying(lambda x: np.hypot(*x) < 0.5, boundaries_only=True)
    assert build_maxwell(build_space(around, 1), contact_facets=hole).leads.shape[0] == 0
