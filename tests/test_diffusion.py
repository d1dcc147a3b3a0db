"""Behaviour of the normal-state solver: contacts, levels that nothing determines, observables, and bad input."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from skfem import MeshTri1

import usadelfem as uf
from usadelfem.errors import DeviceError, ObservableError
from usadelfem.numerics.linear import linear_solver
from usadelfem.solve.diffusion import _solution

MESH = uf.rectangle({"A": 1.0, "B": 1.0}, width=0.8, size=0.2)


def solve(contacts, *, mesh=MESH, order=2, **material):
    materials = {name: uf.normal_metal(**material) for name in mesh.subdomains}
    return uf.solve_normal_state(uf.Device(mesh, materials, contacts), order=order)


def fed(spin=(0.0, 0.0, 0.0), current=0.0):
    """The same currents in at the left and out at the right."""
    out = tuple(-value for value in spin)
    return {
        "left": uf.CurrentContact(current=current, spin_current=spin),
        "right": uf.CurrentContact(current=-current, spin_current=out),
    }


@pytest.fixture(scope="module")
def ns():
    contacts = {
        "left": uf.NormalContact(potential=lambda x: 1 + 0.2 * x[1], spin=(0.1, 0.2, 0.3)),
        "right": uf.CurrentContact(current=-0.1),
    }
    return solve(contacts, theta=0.2, kappa=0.1, tau_so=0.5, N0=0.7)


OBSERVABLES = {
    "potential": (uf.potential, ()), "spin_accumulation": (uf.spin_accumulation, (3,)),
    "spin_density": (uf.spin_density, (3,)), "charge_current": (uf.charge_current, (2,)),
    "spin_current": (uf.spin_current, (3, 2)),
}  # fmt: skip
POINTS = [[0.05, 0.31, 1.77], [0.13, 0.02, 0.39]]


@pytest.mark.parametrize(("name", "observable", "shape"), [(n, *o) for n, o in OBSERVABLES.items()], ids=OBSERVABLES)
def test_observables_are_fields_with_a_name_a_unit_and_components(ns, name, observable, shape):
    field = observable(ns)
    assert (field.name, field.shape) == (name, shape)
    assert field.unit
    assert len(field.components) == (np.prod(shape) if shape else 0)
    assert field.at(POINTS).shape == (*shape, 3)
    assert field.nodal.shape == (*shape, MESH.nvertices)
    assert np.shape(field.integral("A")) == shape
    assert np.shape(field.average("left")) == shape


def test_nodal_values_are_those_of_the_contact(ns):
    vertices = np.unique(MESH.facets[:, MESH.boundaries["left"]])
    assert np.array_equal(uf.potential(ns).nodal[vertices], 1 + 0.2 * MESH.p[1, vertices])
    assert np.array_equal(
        uf.spin_accumulation(ns).nodal[:, vertices], np.outer((0.1, 0.2, 0.3), np.ones(len(vertices)))
    )


def test_spin_density_is_twice_the_density_of_states_times_the_accumulation(ns):
    assert np.allclose(uf.spin_density(ns).quadrature, 1.4 * uf.spin_accumulation(ns).quadrature, rtol=1e-14)


def test_average_is_the_mean_over_the_facets_of_a_named_or_numbered_set(ns):
    mu = uf.potential(ns)
    assert mu.average("left") == pytest.approx(1 + 0.2 * 0.4, rel=1e-13)
    assert mu.average(MESH.boundaries["left"]) == pytest.approx(mu.average("left"), rel=1e-14)


def test_average_over_an_interface_needs_no_direction(ns):
    inner = np.flatnonzero((MESH.f2t[1] >= 0) & np.isclose(MESH.p[0, MESH.facets].mean(axis=0), 1.0))
    expected = uf.potential(ns).at([np.full(401, 1.0), np.linspace(0, 0.8, 401)]).mean()
    assert uf.potential(ns).average(inner) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("facets", "message"), [("nowhere", "no facet set 'nowhere'"), (np.empty(0, int), "is empty")])
def test_average_over_an_unknown_or_empty_set_is_refused(ns, facets, message):
    with pytest.raises(ObservableError, match=message):
        uf.potential(ns).average(facets)


def test_a_density_has_no_flux(ns):
    with pytest.raises(ObservableError, match="potential is not a current"):
        uf.potential(ns).through("left")


def test_the_result_is_read_only_and_its_repr_short(ns):
    assert not ns.values.flags.writeable
    assert repr(ns).startswith("NormalState(")
    assert "order 2" in repr(ns)


def test_the_gap_depairing_and_the_vector_potential_play_no_role():
    contacts = {"left": uf.NormalContact(potential=1.0, spin=(0, 0, 1.0)), "right": uf.NormalContact()}
    options = {"theta": 0.2, "tau_so": 0.5}
    other = {name: uf.superconductor(gap=1.0, depairing=0.3, **options) for name in MESH.subdomains}
    turned = uf.solve_normal_state(uf.Device(MESH, other, contacts, A=(0.4, 0.1)))
    assert np.abs(turned.values - solve(contacts, **options).values).max() < 1e-14


def test_a_voltage_probe_draws_no_current():
    contacts = {
        "left": uf.NormalContact(potential=1.0),
        "right": uf.NormalContact(),
        "top": uf.CurrentContact(),
    }
    ns = solve(contacts)
    assert uf.charge_current(ns).through("top") == 0.0
    assert uf.potential(ns).average("top") == pytest.approx(0.5, rel=1e-12)


def test_contacts_that_agree_may_touch():
    ns = solve({"left": uf.NormalContact(potential=lambda x: x[1]), "bottom": uf.NormalContact()})
    assert np.isfinite(ns.values).all()


def test_a_wire_carries_the_current_that_is_fed_in():
    ns = solve(
        {"left": uf.CurrentContact(current=0.7), "right": uf.NormalContact()}, mesh=uf.interval({"N": 2.0}, size=0.5)
    )
    assert uf.charge_current(ns).through("right") == pytest.approx(0.7, rel=1e-13)
    assert uf.potential(ns).average("left") == pytest.approx(0.7, rel=1e-13)  # 0.7 x 2 / (2 N0 D)


def test_a_current_fed_in_at_an_inner_set_leaves_it_on_both_sides():
    contacts = {"left": uf.NormalContact(), "A_B": uf.CurrentContact(current=1.0), "right": uf.NormalContact()}
    current = uf.charge_current(solve(contacts))
    flows = [current.through("left"), current.through("right")]
    assert flows == pytest.approx([0.5, 0.5], rel=1e-12)
    assert current.through("A_B") == pytest.approx(-1.0, rel=1e-12)  # out of the device: all contacts add up to zero
    assert current.through("A_B", into="A") == pytest.approx(1.0, rel=1e-12)


def pieces(**contacts):
    """Two squares that do not touch, A from x = 0 to 1 and B from 2 to 3."""
    square = uf.rectangle({"A": 1.0}, width=1.0, size=0.5)
    p = np.hstack([square.p, square.p + np.array([[2.0], [0.0]])])
    mesh = MeshTri1(p, np.hstack([square.t, square.t + square.nvertices]))
    mesh = mesh.with_subdomains({"A": lambda x: x[0] < 1.5, "B": lambda x: x[0] > 1.5})
    sides = {"a0": 0.0, "a1": 1.0, "b0": 2.0, "b1": 3.0}
    places = {name: (lambda x, at=at: np.isclose(x[0], at)) for name, at in sides.items()}
    return solve(contacts, mesh=mesh.with_boundaries(places))


def test_every_piece_without_a_potential_has_its_own_zero():
    drawn = {"b0": uf.CurrentContact(current=1.0), "b1": uf.CurrentContact(current=-1.0)}
    mu = uf.potential(pieces(a0=uf.NormalContact(potential=1.0), a1=uf.NormalContact(), **drawn))
    assert mu.integral("A") == pytest.approx(0.5, rel=1e-12)
    assert abs(mu.integral("B")) < 1e-13
    assert mu.average("b0") == pytest.approx(0.25, rel=1e-12)


def test_currents_of_a_piece_that_do_not_balance_are_refused_by_name_and_sum():
    drawn = {"b0": uf.CurrentContact(current=1.0), "b1": uf.CurrentContact(current=-0.25)}
    with pytest.raises(DeviceError, match=r"charge currents of b0, b1 .* add up to 0\.75"):
        pieces(a0=uf.NormalContact(), **drawn)


FIELD = np.array([2.0, -1.0, 2.0]) / 3.0
UNRELAXED = {
    "no field": {}, "exchange field": {"exchange": FIELD},
    "strength varies": {"exchange": lambda x: np.multiply.outer(FIELD, 1 + x[0])},
    "exchange and SU(2) fields": {"exchange": FIELD, "su2": np.outer([0.5, 1.0], FIELD)},
}  # fmt: skip


@pytest.mark.parametrize("material", UNRELAXED.values(), ids=UNRELAXED)
def test_spin_along_the_only_axis_of_the_fields_diffuses_like_charge(material):
    ns = solve(fed(spin=tuple(FIELD)), N0=0.7, **material)
    along, across = FIELD @ ns.values[:, 1:].T, np.cross(FIELD, ns.values[:, 1:])
    assert along == pytest.approx((1.0 - ns.problem.space.nodes[0]) / (0.7 * 0.8), abs=1e-10)
    assert np.abs(across).max() < 1e-10


@pytest.mark.parametrize("material", UNRELAXED.values(), ids=UNRELAXED)
def test_spin_that_cannot_leave_is_refused(material):
    contacts = {"left": uf.CurrentContact(spin_current=tuple(FIELD)), "right": uf.CurrentContact()}
    with pytest.raises(DeviceError, match="spin currents of left, right into a part without a NormalContact add up"):
        solve(contacts, **material)


@pytest.mark.parametrize(
    "material",
    [{"tau_sf": 2.0}, {"exchange": lambda x: np.array([x[0], 1 + x[1], 0 * x[0]])}, {"rashba": 0.7, "exchange": FIELD}],
    ids=["scattering", "field that turns", "SU(2) field across the exchange field"],
)
def test_spin_that_relaxes_or_is_turned_about_two_axes_may_be_fed_in_alone(material):
    contacts = {"left": uf.CurrentContact(spin_current=(0.2, 0, 0.1)), "right": uf.CurrentContact()}
    ns = solve(contacts, **material)
    assert np.abs(ns.values).max() < 1e3
    assert uf.spin_current(ns).through("left") == pytest.approx((-0.2, 0, -0.1), abs=1e-12)


def test_a_current_fed_into_a_potential_is_refused():
    mesh = MESH.with_boundaries({"half": lambda x: (x[0] < 1e-9) & (x[1] < 0.41)})
    contacts = {"left": uf.NormalContact(), "half": uf.CurrentContact(current=1.0)}
    with pytest.raises(DeviceError, match="'half' feeds a current into facets of 'left'"):
        solve(contacts, mesh=mesh)


def test_a_potential_of_the_wrong_shape_is_refused_with_the_contact():
    with pytest.raises(DeviceError, match="reservoir 'left': voltage"):
        solve({"left": uf.NormalContact(potential=lambda x: x)})


def test_what_is_not_a_device_is_refused():
    with pytest.raises(TypeError, match=r"allowed is a usadelfem\.Device"):
        uf.solve_normal_state(MESH)


def test_order_three_is_refused():
    with pytest.raises(ValueError, match="order is 3"):
        solve({"left": uf.NormalContact()}, order=3)


@pytest.mark.parametrize("singular", [[[1.0, -1.0], [-1.0, 1.0]], [[1.0, 1 / 3, 0], [3.0, 1.0, 0], [0, 0, 1.0]]])
def test_a_singular_matrix_is_refused_even_if_the_residual_is_small(singular):
    matrix = csr_array(singular)
    solver = linear_solver(matrix.indptr, matrix.indices, block=1, symmetric=False)
    with pytest.raises(np.linalg.LinAlgError, match="no unique solution"):
        _solution(solver, matrix.data, matrix @ np.ones(matrix.shape[0]), lambda x: matrix @ x)


@pytest.mark.parametrize(
    "mesh", [MESH, uf.box({"A": 1.0, "B": 1.0}, width=0.8, height=0.7, size=0.5)], ids=["plane", "solid"]
)
def test_the_symmetric_form_has_the_solution_of_the_equations_as_they_stand(mesh):
    """An exchange field far below rounding has the matrix solved without its symmetry."""
    ends = {"left": uf.NormalContact(potential=1.0, spin=(0.1, 0.2, 0.3)), "right": uf.CurrentContact(current=0.3)}
    metal = {"theta": 0.2, "kappa": 0.3, "rashba": 0.5, "tau_so": (1.0, 2.0, 3.0), "D": lambda x: 1 + x[0]}
    symmetric = solve(ends, mesh=mesh, order=1, **metal)
    materials = {name: uf.ferromagnet(exchange=(0, 0, 1e-200), **metal) for name in mesh.subdomains}
    whole = uf.solve_normal_state(uf.Device(mesh, materials, ends), order=1)
    assert np.allclose(symmetric.values, whole.values, rtol=0, atol=1e-12)
    assert abs(symmetric.values[:, 1:]).max() > 0.1


@pytest.mark.parametrize("held", ["potentials", "a piece without a potential"])
@pytest.mark.parametrize("tau_so", [np.inf, (1.0, 2.0, 3.0)])
def test_precession_in_large_solids_is_that_of_the_whole_matrix(monkeypatch, held, tau_so):
    mesh = uf.box({"A": 1.0, "B": 1.0}, width=0.8, height=0.7, size=0.3)
    ends = {"left": uf.NormalContact(potential=1.0, spin=(0.1, 0.2, 0.3)), "right": uf.CurrentContact(current=0.3)}
    if held == "a piece without a potential":
        ends["left"] = uf.CurrentContact(current=-0.3, spin_current=(0.1, 0.2, 0.3))
        tau_so = 1.0 if np.isinf(np.max(tau_so)) else tau_so
    field = lambda x: 30 * np.array([np.cos(2 * x[0]), np.sin(2 * x[0]), x[1]])  # noqa: E731
    metal = {"theta": 0.2, "kappa": 0.3, "rashba": 0.5, "tau_so": tau_so, "exchange": field}
    materials = {"A": uf.ferromagnet(**metal), "B": uf.ferromagnet(exchange=(0, 0, 5.0), theta=0.2)}
    device = uf.Device(mesh, materials, ends)
    whole = uf.solve_normal_state(device, order=1)
    monkeypatch.setattr("usadelfem.solve.diffusion.MULTIGRID_FROM", {3: 10})
    iterated = uf.solve_normal_state(device, order=1)
    assert np.allclose(iterated.values, whole.values, rtol=0, atol=1e-10 * abs(whole.values).max())
