"""The vector potential of a uniform applied field: curl, gauge, contacts and holes."""

from __future__ import annotations

import numpy as np
import pytest
import skfem
from field_meshes import both_ends, ring

import usadelfem as uf
from usadelfem.errors import DeviceError
from usadelfem.magnetics.applied_field import uniform_field_potential
from usadelfem.space.space import build_space

FIELD = 2.0
NONE = np.empty(0, int)


def at_vertices(space, potential):
    """A potential that is linear in every cell, extrapolated to the vertices of the cells; (dim, cells, vertices)."""
    x = np.concatenate([np.ones((1, *space.dx.shape)), space.points()])
    p = np.concatenate([np.ones((1, *space.mesh.t.T.shape)), space.mesh.p[:, space.mesh.t.T]])
    return np.einsum("kcq,cqm,mcv->kcv", potential, np.linalg.pinv(x.transpose(1, 2, 0)).swapaxes(1, 2), p)


def along_facets(space, potential, facets):
    """Integrals of a cellwise linear A along boundary facets of a triangle mesh, counter-clockwise around (0, 0)."""
    cells = space.mesh.f2t[0, facets]
    ends = space.mesh.facets[:, facets]
    values = at_vertices(space, potential)[:, cells]
    mean = np.mean([values[:, range(len(cells)), np.argmax(space.mesh.t[:, cells] == end, axis=0)] for end in ends], 0)
    start, stop = space.mesh.p[:, ends[0]], space.mesh.p[:, ends[1]]
    turn = np.sign(start[0] * stop[1] - start[1] * stop[0])
    return turn * (mean * (stop - start)).sum(axis=0)


@pytest.mark.parametrize("cell", ["triangle", "quad"])
def test_applied_potential_of_a_strip_between_reservoirs(cell):
    space = build_space(uf.rectangle({"a": 3.0}, 1.0, 0.25, cell), 2)
    potential = uniform_field_potential(space, FIELD, both_ends(space.mesh))
    y = space.points()[1] - 0.5
    np.testing.assert_allclose(potential, [-FIELD * y, 0 * y], atol=1e-12)


@pytest.mark.parametrize("cell", ["tetrahedron", "hexahedron"])
def test_applied_potential_of_a_bar_between_reservoirs(cell):
    space = build_space(uf.box({"a": 2.0}, 1.0, 1.0, 0.5, cell), 2)
    potential = uniform_field_potential(space, (0, FIELD, FIELD), both_ends(space.mesh))
    _, y, z = space.points() - 0.5
    np.testing.assert_allclose(potential, [FIELD * (z - y), 0 * y, 0 * y], atol=1e-12)


def test_applied_potential_of_an_ellipse():
    """A = B/(a^2 + b^2) (-a^2 y, b^2 x); chi is a quadratic polynomial."""
    errors = []
    for refinements, order in ((3, 1), (4, 1), (5, 1), (3, 2)):
        space = build_space(skfem.MeshTri1.init_circle(refinements).scaled((2.0, 1.0)), order)
        x, y = space.points()
        difference = uniform_field_potential(space, FIELD, NONE) - FIELD / 5 * np.array([-4 * y, x])
        errors.append(np.sqrt((difference**2 * space.dx).sum()))
    np.testing.assert_allclose(np.divide(errors[:2], errors[1:3]), 2, rtol=0.05)
    assert errors[3] < 1e-13


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mesh", [ring(0.4, 4, 24, cell) for cell in ("triangle", "quad")] + [
    uf.box({"a": 1.5}, 1.0, 1.0, 0.5, cell) for cell in ("tetrahedron", "hexahedron")
])  # fmt: skip
def test_applied_potential_has_its_curl_and_no_divergence(mesh, order):
    """Tested with all functions v of the space; in 3D with a field through the contact."""
    space, field = build_space(mesh, order), np.array([1.0, -0.5, FIELD])
    outer = mesh.facets_satisfying(lambda x: np.hypot(x[0], x[1]) > 0.9 if mesh.dim() == 2 else x[0] < 1e-9, True)
    contact = outer[mesh.p[0, mesh.facets[:, outer]].mean(axis=0) < 0.1]
    potential = uniform_field_potential(space, FIELD if mesh.dim() == 2 else field, contact)
    basis = space.basis
    touching = basis.get_dofs(contact).flatten()
    divergence = skfem.LinearForm(lambda v, w: sum(w["a"] * v.grad)).assemble(basis, a=potential)
    assert abs(np.delete(divergence, touching)).max() < 1e-12
    assert abs(divergence[touching].sum()) < 1e-12 < abs(divergence[touching]).max()
    inside = basis.complement_dofs(basis.get_dofs())
    integral = skfem.LinearForm(lambda v, w: v).assemble(basis)
    for k in range(3) if mesh.dim() == 3 else (2,):
        a, b = (k + 1) % 3, (k + 2) % 3
        form = skfem.LinearForm(lambda v, w, a=a, b=b: w["a"][a] * v.grad[b] - w["a"][b] * v.grad[a])
        np.testing.assert_allclose(form.assemble(basis, a=potential)[inside], field[k] * integral[inside], atol=1e-12)


def test_applied_potential_along_contacts_and_around_a_hole():
    space = build_space(ring(0.4, 8, 48), 2)
    outer = space.mesh.facets_satisfying(lambda x: np.hypot(*x) > 0.9, True)
    contact = outer[abs(space.mesh.p[0, space.mesh.facets[:, outer]]).mean(axis=0) > 0.8]  # two pieces
    hole = np.setdiff1d(space.mesh.boundary_facets(), outer)
    potential = uniform_field_potential(space, FIELD, contact)
    assert abs(along_facets(space, potential, contact)).max() < 1e-13
    area = 0.5 * 48 * np.sin(2 * np.pi / 48) * np.array([1, 0.4**2])
    np.testing.assert_allclose(along_facets(space, potential, outer).sum(), FIELD * area[0])
    np.testing.assert_allclose(along_facets(space, potential, hole).sum(), FIELD * area[1])


def test_errors_of_the_applied_field():
    with pytest.raises(DeviceError, match="two or three dimensions"):
        uniform_field_potential(build_space(uf.interval({"a": 1.0}), 1), 1.0, NONE)
    with pytest.raises(DeviceError, match="a finite number"):
        uniform_field_potential(build_space(uf.rectangle({"a": 1.0}, size=0.5), 1), (0, 0, 1.0), NONE)
    with pytest.raises(DeviceError, match="three finite components"):
        uniform_field_potential(build_space(uf.box({"a": 1.0}, size=1.0), 1), 1.0, NONE)
