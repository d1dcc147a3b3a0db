"""Strips and wires of the normal state with any spin Hall angle and any spin swapping: exact solutions, symmetries."""

import numpy as np
import oracle
import pytest
from scipy.integrate import solve_bvp
from skfem.generic_utils import OrientedBoundary

import usadelfem as uf

D, N0, TAU, W = 1.3, 0.7, 0.25, 2.0
LAMBDA = np.sqrt(D * TAU)
PLANES = {"xy": (0, 1), "xz": (0, 2), "yz": (1, 2)}


def solve(mesh, contacts, *, order=2, plane="xy", **material):
    material = {"D": D, "N0": N0, "tau_so": TAU} | material
    device = uf.Device(mesh, {name: uf.normal_metal(**material) for name in mesh.subdomains}, contacts, plane=plane)
    return uf.solve_normal_state(device, order=order)


def middle_field(ns, x):
    """E = -d mu/dx about x, in the middle of the strip."""
    mu = uf.potential(ns).at([[x - 0.5, x + 0.5], [W / 2, W / 2]])
    return float(mu[0] - mu[1])


@pytest.fixture(scope="module")
def hall_strip():
    contacts = {"left": uf.CurrentContact(current=1.0), "right": uf.NormalContact()}
    return solve(uf.rectangle({"N": 16.0}, width=W, size=0.2), contacts, theta=0.8)


def test_spin_hall_accumulation_is_first_order_in_theta_at_given_field(hall_strip):
    # along a uniform strip J_y^z = -D (d_y s_z - theta E) has no further powers of theta
    y = np.linspace(0, W, 21)
    s = uf.spin_accumulation(hall_strip).at([np.full(21, 8.0), y])[2]
    expected = 0.8 * middle_field(hall_strip, 8.0) * LAMBDA * np.sinh((y - W / 2) / LAMBDA) / np.cosh(W / (2 * LAMBDA))
    assert np.abs(s - expected).max() < 1e-3 * np.abs(expected).max()


def test_spin_hall_accumulation_raises_the_conductance_by_the_square_of_theta(hall_strip):
    # I = 2 N0 D E (W + 2 theta^2 lambda_s tanh(W / 2 lambda_s)), the spin Hall magnetoresistance
    effective = W + 2 * 0.8**2 * LAMBDA * np.tanh(W / (2 * LAMBDA))
    assert middle_field(hall_strip, 8.0) == pytest.approx(1 / (2 * N0 * D * effective), rel=1e-4)


def test_spin_pumped_through_a_face_makes_the_inverse_spin_hall_field():
    # j of z spins enters at y = 0 and no charge flows along x:
    # E = theta (lambda_s/W) (j/D) tanh(W/2 lambda_s) / (1 + 2 theta^2 (lambda_s/W) tanh(W/2 lambda_s))
    theta, j, length = 0.6, 0.4, 16.0
    contacts = {"bottom": uf.CurrentContact(spin_current=(0, 0, N0 * j * length))}
    ns = solve(uf.rectangle({"N": length}, width=W, size=0.2), contacts, theta=theta)
    share = LAMBDA / W * np.tanh(W / (2 * LAMBDA))
    assert middle_field(ns, 8.0) == pytest.approx(theta * share * j / D / (1 + 2 * theta**2 * share), rel=1e-4)


def test_spin_profile_across_a_graded_strip_is_that_of_a_boundary_value_problem():
    # J_y^z = -D (s' - theta E) with theta and tau_so varying across the strip; solved independently
    def theta(y):
        return 0.3 + 0.2 * np.sin(2 * y)

    def tau(y):
        return TAU * (1 + 0.5 * y)

    contacts = {"left": uf.NormalContact(potential=1.0), "right": uf.NormalContact()}
    mesh = uf.rectangle({"N": 16.0}, width=W, size=0.2)
    ns = solve(mesh, contacts, theta=lambda x: theta(x[1]), tau_so=lambda x: tau(x[1]))
    field = middle_field(ns, 8.0)

    def balance(y, u):  # u = (s, J), s' = theta E - J/D, J' = -s/tau
        return np.array([theta(y) * field - u[1] / D, -u[0] / tau(y)])

    grid = np.linspace(0, W, 41)
    profile = solve_bvp(balance, lambda a, b: np.array([a[1], b[1]]), grid, np.zeros((2, 41)), tol=1e-8)
    expected = profile.sol(grid)[0]
    s = uf.spin_accumulation(ns).at([np.full(41, 8.0), grid])[2]
    assert np.abs(s - expected).max() < 2e-3 * np.abs(expected).max()


KAPPA, LENGTH = 0.6, 6.0
Q = 1 / (LAMBDA * np.sqrt(1 - KAPPA**2))


def swapping_mode(x):
    """The slowest mode of a strip with spin swapping, exact in kappa: (-sin(kappa q y), cos(kappa q y), 0) exp(-q x).

    In the bulk kappa drops out; at the edges d_y s_x = kappa d_x s_y and d_y s_y = -kappa d_x s_x. The spins of the
    mode turn by kappa q per length across the strip, and it decays with q = 1 / (lambda_s sqrt(1 - kappa^2)).
    """
    phase = KAPPA * Q * (x[1] - W / 2)
    return np.exp(-Q * x[0]) * np.array([-np.sin(phase), np.cos(phase), 0 * phase])


def swapping_error(size, order):
    contacts = {side: uf.NormalContact(spin=swapping_mode) for side in ("left", "right")}
    ns = solve(uf.rectangle({"N": LENGTH}, width=W, size=size), contacts, order=order, kappa=KAPPA)
    error = uf.spin_accumulation(ns).quadrature - swapping_mode(ns.problem.space.points())
    return np.sqrt(np.einsum("acq,cq->", error**2, ns.problem.space.dx))


def test_spin_swapping_turns_a_decaying_spin_current_exactly():
    assert swapping_error(0.1, 2) < 5e-5


@pytest.mark.parametrize(("order", "rate"), [(1, 2), (2, 3)])
def test_error_falls_with_the_order_of_the_elements(order, rate):
    errors = [swapping_error(size, order) for size in (0.25, 0.125)]
    assert np.log2(errors[0] / errors[1]) > rate - 0.25


def covariant(slope, value, field):
    """Components of d_k s - i [SU_k, s] with explicit Pauli matrices, shape (3, directions)."""
    s, su = (np.einsum("a...,aij->...ij", part, oracle.SIGMA) for part in (value, field.T / 2))
    commutator = np.einsum("kil,lj->kij", su, s) - np.einsum("il,klj->kij", s, su)
    return slope + 0.5 * np.einsum("aij,kji->ak", oracle.SIGMA, -1j * commutator).real


@pytest.mark.parametrize("plane", PLANES)
def test_currents_in_every_plane_are_those_of_space_with_nothing_varying_along_the_normal(plane):
    rng, axes = np.random.default_rng(3), PLANES[plane]
    theta, kappa, eps = 0.3, 0.4, oracle.levi_civita()
    slope, offset, su2 = rng.normal(size=(4, 2)), rng.normal(size=4), rng.normal(size=(2, 3))
    tensor = np.einsum("ij,a->ija", [[0, 1], [-1, 0]], rng.normal(size=3))
    everywhere = {
        side: uf.NormalContact(
            potential=lambda x: offset[0] + np.tensordot(slope[0], x, 1),
            spin=lambda x: np.tensordot(slope[1:], x, 1) + offset[1:].reshape(3, *[1] * (x.ndim - 1)),
        )
        for side in ("left", "right", "top", "bottom")
    }
    mesh = uf.rectangle({"N": 1.0}, width=1.0, size=1.0, cell="quad")
    options = {"theta": theta, "kappa": kappa, "su2": su2, "spin_hall_tensor": tensor}
    ns = solve(mesh, everywhere, order=1, plane=plane, **options)  # every node is on a contact: the field is given
    full = np.zeros((4, 3))
    full[0, axes] = slope[0]
    for point, x in enumerate(ns.problem.space.points()[:, 0].T):
        full[1:, axes] = covariant(slope[1:], slope[1:] @ x + offset[1:], su2)
        hall = theta * np.einsum("akj->kja", eps)
        hall[np.ix_(axes, axes)] += tensor
        charge = -D * full[0] + D * np.einsum("kja,aj->k", hall, full[1:])
        swapped = np.eye(3) * np.trace(full[1:]) - full[1:].T  # [b, k]: delta_kb d_a s_a - d_b s_k
        spin = -D * full[1:] + D * np.einsum("kjb,j->bk", hall, full[0]) - D * kappa * swapped
        assert uf.charge_current(ns).quadrature[:, 0, point] == pytest.approx(2 * N0 * charge[list(axes)])
        assert uf.spin_current(ns).quadrature[:, :, 0, point] == pytest.approx(N0 * spin[:, axes])


def test_turning_the_spin_axes_along_a_wire_is_an_su2_field():
    # s -> R(x) s with R a rotation about z by -q x turns SU_x = 0 into (0, 0, q) and h into R h
    q, h = 1.7, np.array([0.8, 0.0, 0.3])
    mesh = uf.interval({"N": 4.0}, size=0.05)

    def turned(x):
        return np.array([np.cos(q * x[0]) * h[0], -np.sin(q * x[0]) * h[0], h[2] + 0 * x[0]])

    contacts = {"left": uf.NormalContact(spin=(0.3, 0.5, -0.4))}
    plain = uf.spin_accumulation(solve(mesh, contacts, exchange=h)).nodal
    other = uf.spin_accumulation(solve(mesh, contacts, exchange=turned, su2=[(0, 0, q)])).nodal
    cosine, sine = np.cos(q * mesh.p[0]), np.sin(q * mesh.p[0])
    expected = [cosine * plain[0] + sine * plain[1], -sine * plain[0] + cosine * plain[1], plain[2]]
    assert np.abs(other - expected).max() < 1e-5


def test_mirror_image_has_the_mirrored_solution_with_spin_an_axial_vector():
    mesh, axial = uf.rectangle({"N": 1.5}, width=W, size=0.25, cell="quad"), np.array([-1.0, 1.0, -1.0])

    def image(x):
        return np.stack([x[0], W - x[1]])

    def device(place, sign):
        def field(x):
            return sign.reshape(3, *[1] * (x.ndim - 1)) * np.array([0.3 + place(x)[1], 0.2 * x[0], 0.5 + 0 * x[0]])

        contacts = {"left": uf.NormalContact(potential=1.0, spin=sign * (0.1, 0.2, 0.3)), "right": uf.NormalContact()}
        return solve(
            mesh, contacts, theta=lambda x: 0.4 * place(x)[1], kappa=lambda x: 0.3 - 0.1 * place(x)[1],
            D=lambda x: 1 + place(x)[1], exchange=field,
        )  # fmt: skip

    points = np.random.default_rng(4).uniform([[0.0], [0.0]], [[1.5], [W]], (2, 30))
    one, two = device(lambda x: x, np.ones(3)), device(image, axial)
    mu, s = (quantity(one).at(points) for quantity in (uf.potential, uf.spin_accumulation))
    assert np.abs(uf.potential(two).at(image(points)) - mu).max() < 1e-12
    assert np.abs(uf.spin_accumulation(two).at(image(points)) - axial[:, None] * s).max() < 1e-12


@pytest.fixture(scope="module")
def block():
    """A box of two metals with graded and jumping coefficients and contacts of both kinds."""
    mesh = uf.box({"A": 0.6, "B": 0.6}, width=0.6, height=0.6, size=0.2)
    mesh = mesh.with_boundaries({"probe": lambda x: (x[2] > 0.6 - 1e-9) & (x[0] < 0.41)})
    a = uf.normal_metal(D=lambda x: 1 + x[2], theta=lambda x: x[1], kappa=0.4, tau_so=0.3, rashba=0.5)
    b = uf.normal_metal(
        N0=0.4, theta=-0.3, kappa=lambda x: -0.2 * x[2], tau_sf=lambda x: 1 + x[0], exchange=(0.3, 0.1, 0.5)
    )
    contacts = {
        "left": uf.NormalContact(potential=1.0, spin=(0.2, 0, 0.1)), "right": uf.NormalContact(),
        "probe": uf.CurrentContact(current=0.2, spin_current=(0.1, 0, 0.2)),
    }  # fmt: skip
    return uf.solve_normal_state(uf.Device(mesh, {"A": a, "B": b}, contacts))


@pytest.mark.parametrize("normal", [(1, 0, 0), (1, 0.4, 0), (1, -0.3, 0.5)])
def test_charge_through_any_cross_section_of_a_block_is_what_leaves_it_on_the_right(block, normal):
    current, mesh = uf.charge_current(block), block.problem.space.mesh
    height = np.asarray(normal) @ mesh.p[:, mesh.t].mean(axis=1)
    left = height < np.dot(normal, (0.85, 0.3, 0.3))
    first, second = mesh.f2t
    facets = np.flatnonzero((second >= 0) & (left[first] != left[second]))
    section = OrientedBoundary(facets, np.where(left[first[facets]], 0, 1))
    assert current.through(section) == pytest.approx(current.through("right"), rel=1e-12)


def test_charge_into_all_contacts_of_a_block_adds_up_to_zero(block):
    flows = np.array([uf.charge_current(block).through(name) for name in ("left", "right", "probe")])
    assert abs(flows.sum()) < 1e-12 * abs(flows).max()
