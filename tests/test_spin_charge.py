"""Currents and torques with spin-orbit coupling and gauge fields against traces over explicit 4x4 matrices."""

import numpy as np
import oracle
import pytest

import usadelfem as uf

T, N0 = 0.15, 1.7
TAU_SO = 1.0


def exchange(x):
    return 2.0 * np.array([np.cos(2 * x[0]), np.sin(2 * x[1]), np.sin(2 * x[0])])


def vector_potential(x):
    return np.array([0.3 * x[1], 0.4 * x[0] - 0.2])


def diffusion(x):
    return 1 + x[0]


def theta(x):
    return 0.4 - 0.3 * x[1]


ALPHA, BETA, KAPPA = 0.8, 0.2, 0.3
# SU_x = -alpha sigma_y + beta sigma_x, SU_y = alpha sigma_x - beta sigma_y
SU2 = [
    -ALPHA * oracle.SPIN[1] + BETA * oracle.SPIN[0],
    ALPHA * oracle.SPIN[0] - BETA * oracle.SPIN[1],
]


@pytest.fixture(scope="module")
def eq():
    mesh = uf.rectangle({"F": 1.0}, width=0.5, size=0.25)
    material = uf.ferromagnet(
        exchange=exchange, D=diffusion, N0=N0, tau_so=TAU_SO, theta=theta, kappa=KAPPA, rashba=ALPHA, dresselhaus=BETA
    )
    split = uf.Reservoir(1.0, -0.5, exchange=(0.3, 0.0, 0.4))
    contacts = {"left": split, "right": uf.Reservoir(1.0, 0.6)}
    return uf.solve_equilibrium(uf.Device(mesh, {"F": material}, contacts, A=vector_potential), T)


@pytest.fixture(scope="module", params=[(3, 0), (17, 2)], ids=["cell 3", "cell 17"])
def point(eq, request):
    """A quadrature point, its position, g and its covariant gradient there at all frequencies."""
    cell, q = request.param
    x = eq.problem.space.points()[:, cell, q]
    stencil = np.column_stack([x, *(x + s * e for e in 1e-5 * np.eye(2) for s in (1, -1))])
    values = eq.green(stencil)
    g = values[..., 0]
    gradient = [(values[..., 1] - values[..., 2]) / 2e-5, (values[..., 3] - values[..., 4]) / 2e-5]
    for k in range(2):
        field = vector_potential(x)[k] * oracle.TAU3 + SU2[k]
        gradient[k] = gradient[k] - 1j * (field @ g - g @ field)
    return (cell, q), x, g, gradient


def current(x, g, dg, k, *, printed=False):
    """J_k of theory.md section 2 in two dimensions, where only a = z couples."""
    j, sign = 1 - k, 1 if k == 0 else -1  # eps_zkj
    sz = oracle.SPIN[2]
    vertex = sz if printed else (sz + g @ sz @ g) / 2
    anti, product = dg[j] @ vertex + vertex @ dg[j], g @ dg[j]
    swap = product @ vertex - vertex @ product
    return -diffusion(x) * (g @ dg[k] - 0.5 * theta(x) * sign * anti - 0.5j * KAPPA * sign * swap)


def torque(x, g, dg):
    sz, total = oracle.SPIN[2], 0
    for k, j, sign in ((0, 1, 1), (1, 0, -1)):
        one, two = g @ dg[k] @ dg[j], dg[k] @ dg[j]
        total = total + sign * (theta(x) * (sz @ one - one @ sz) + 1j * KAPPA * (two @ sz - sz @ two))
    return diffusion(x) / 4 * total


def summed(eq, matrices, vertex):
    """-(i pi N0 T/2) times the sum over all frequencies of Tr vertex M."""
    return -1j * np.pi * N0 * T * np.einsum("w,ij,wji->", eq.weights, vertex, matrices)


@pytest.mark.parametrize("k", [0, 1])
def test_charge_current_is_the_tau3_trace_of_the_consistent_matrix_current(eq, point, k):
    (cell, q), x, g, dg = point
    expected = summed(eq, current(x, g, dg, k), oracle.TAU3)
    assert abs(expected.imag) < 1e-10 * abs(expected)
    assert uf.charge_current(eq).quadrature[k, cell, q] == pytest.approx(expected.real, rel=1e-6)


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_spin_current_is_half_the_sigma_trace_of_the_consistent_matrix_current(eq, point, k, axis):
    (cell, q), x, g, dg = point
    expected = summed(eq, current(x, g, dg, k), oracle.SPIN[axis] / 2)
    assert uf.spin_current(eq).quadrature[axis, k, cell, q] == pytest.approx(expected.real, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_spin_orbit_torque_is_half_the_sigma_trace_of_t(eq, point, axis):
    (cell, q), x, g, dg = point
    expected = summed(eq, torque(x, g, dg), oracle.SPIN[axis] / 2)
    assert uf.spin_orbit_torque(eq).quadrature[axis, cell, q] == pytest.approx(expected.real, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("tau3", [True, False])
def test_torque_trace_is_the_trace_of_t_at_one_frequency(eq, point, tau3):
    (cell, q), x, g, dg = point
    matrices = torque(x, g, dg)[2]
    expected = [np.trace(s @ (oracle.TAU3 if tau3 else np.eye(4)) @ matrices) for s in oracle.SPIN]
    obtained = uf.observe.torque_trace(eq, 2, tau3=tau3).quadrature[:, cell, q]
    assert np.abs(obtained - expected).max() < 1e-6 * max(1e-3, np.abs(expected).max())


@pytest.mark.parametrize("form", ["consistent", "huang2018"])
def test_matrix_current_has_both_forms(eq, point, form):
    (cell, q), x, g, dg = point
    for k in range(2):
        expected = current(x, g, dg, k, printed=form == "huang2018")[1]
        obtained = uf.observe.matrix_current(eq, 1, form=form).quadrature[k, :, :, cell, q]
        assert np.abs(obtained - expected).max() < 1e-6 * np.abs(expected).max()


def test_charge_current_is_the_same_at_both_contacts_with_all_couplings_on(eq):
    flow = uf.charge_current(eq)
    assert flow.through("left") == pytest.approx(-flow.through("right"), rel=1e-11)


def test_printed_form_of_the_current_is_not_conserved(eq):
    flow = uf.charge_current(eq, form="huang2018")
    ours = uf.charge_current(eq)
    assert abs(flow.through("left") + flow.through("right")) > 1e-3 * abs(ours.through("right"))
    assert np.abs(flow.quadrature - ours.quadrature).max() > 1e-2


def test_printed_form_agrees_without_theta_and_kappa():
    mesh = uf.rectangle({"F": 1.0}, width=0.5, size=0.25)
    device = uf.Device(
        mesh, {"F": uf.ferromagnet(exchange=exchange)}, {"left": uf.Reservoir(1), "right": uf.Reservoir(1, 1)}
    )
    eq = uf.solve_equilibrium(device, T, frequencies=3)
    for observable in (uf.charge_current, uf.spin_current):
        assert np.allclose(observable(eq, form="huang2018").quadrature, observable(eq).quadrature, rtol=0, atol=1e-12)


def test_spin_balance_closes_exactly_over_the_device(eq):
    spin = uf.spin_current(eq)
    outflow = spin.through("left") + spin.through("right")
    assert np.abs(outflow).min() > 1e-2
    assert np.abs(outflow - uf.spin_torque(eq).integral()).max() < 1e-11


def test_total_torque_is_the_sum_of_its_parts(eq):
    parts = sum(uf.spin_torque(eq, part).quadrature for part in ("exchange", "relaxation", "extrinsic", "intrinsic"))
    assert np.allclose(uf.spin_torque(eq).quadrature, parts, rtol=0, atol=1e-14)
    assert np.allclose(uf.spin_torque(eq, "extrinsic").quadrature, uf.spin_orbit_torque(eq).quadrature)


def test_exchange_torque_is_the_commutator_with_the_exchange_field(eq, point):
    (cell, q), x, g, _ = point
    energy = -1j * np.einsum("a,aij->ij", exchange(x), oracle.SPIN) @ oracle.TAU3
    obtained = uf.spin_torque(eq, "exchange").quadrature[:, cell, q]
    for axis in range(3):
        expected = -summed(eq, energy @ g - g @ energy, oracle.SPIN[axis] / 2)
        assert obtained[axis] == pytest.approx(expected.real, rel=1e-9, abs=1e-12)


def test_relaxation_exerts_no_torque_in_equilibrium(eq, point):
    _, _, g, _ = point
    total = sum(s @ g @ s for s in oracle.SPIN) / (8 * TAU_SO)
    for axis in range(3):
        assert abs(summed(eq, total @ g - g @ total, oracle.SPIN[axis] / 2)) < 1e-12
    assert np.abs(uf.spin_torque(eq, "relaxation").quadrature).max() < 1e-12


@pytest.mark.parametrize(
    "function", [uf.charge_current, uf.spin_current, uf.observe.matrix_current, uf.spin_orbit_torque]
)
def test_unknown_form_is_refused(eq, function):
    with pytest.raises(uf.errors.ObservableError, match="'huang2018'"):
        function(eq, form="printed")


def test_unknown_part_of_the_torque_is_refused(eq):
    with pytest.raises(uf.errors.ObservableError, match="'exchange'"):
        uf.spin_torque(eq, "spin-orbit")


@pytest.mark.parametrize("function", [uf.observe.matrix_current, uf.observe.torque_trace])
def test_unknown_frequency_is_refused(eq, function):
    with pytest.raises(uf.errors.ObservableError, match="no Matsubara index 99"):
        function(eq, 99)


def test_all_of_them_can_be_written_to_vtk(eq, tmp_path):
    fields = uf.spin_orbit_torque(eq), uf.spin_torque(eq), uf.observe.matrix_current(eq), uf.observe.torque_trace(eq)
    assert uf.write_vtk(tmp_path / "torques.vtu", *fields).exists()
