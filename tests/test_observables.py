"""Observables against traces over explicit 4x4 matrices, with the prefactors of the theory."""

import numpy as np
import oracle
import pytest

import usadelfem as uf

T = 0.15


@pytest.fixture(scope="module")
def eq():
    mesh = uf.rectangle({"F": 1.0}, width=0.5, size=0.25)

    def exchange(x):
        return 2.0 * np.array([np.cos(2 * x[0]), np.sin(2 * x[1]), np.sin(2 * x[0])])

    material = uf.ferromagnet(exchange=exchange, D=lambda x: 1 + x[0], N0=1.7, tau_so=1.0)
    split = uf.Reservoir(1.0, -0.5, exchange=(0.3, 0.0, 0.4))  # a singlet contact would take up no spin
    device = uf.Device(mesh, {"F": material}, {"left": split, "right": uf.Reservoir(1.0, 0.6)})
    return uf.solve_equilibrium(device, T)


@pytest.fixture(scope="module", params=[(3, 0), (17, 2)], ids=["cell 3", "cell 17"])
def point(eq, request):
    """A quadrature point, D there, g and its gradient by central differences within the cell; (w, 4, 4[, dim])."""
    cell, q = request.param
    x = eq.problem.space.points()[:, cell, q]
    step = 1e-5 * np.eye(2)
    stencil = np.column_stack([x, *(x + s * e for e in step for s in (1, -1))])
    g = eq.green(stencil)
    gradient = np.stack([(g[..., 1] - g[..., 2]), (g[..., 3] - g[..., 4])], axis=-1) / 2e-5
    return (cell, q), 1 + x[0], g[..., 0], gradient


def matsubara_sum(eq, values):
    """The sum over positive frequencies, twice: that over all."""
    return 2 * np.einsum("w,w...->...", eq.weights, values)


def matrix_current(diffusion, g, gradient):
    return -diffusion * np.einsum("wij,wjlk->wilk", g, gradient)


def test_charge_current_is_the_tau3_trace_of_the_matrix_current(eq, point):
    (cell, q), diffusion, g, gradient = point
    trace = np.einsum("ij,wjik->wk", oracle.TAU3, matrix_current(diffusion, g, gradient))
    expected = -0.5j * np.pi * 1.7 * T * matsubara_sum(eq, trace)
    assert np.allclose(uf.charge_current(eq).quadrature[:, cell, q], expected, rtol=1e-6, atol=1e-9)


def test_spin_current_is_half_the_sigma_trace_of_the_matrix_current(eq, point):
    (cell, q), diffusion, g, gradient = point
    trace = np.einsum("aij,wjik->wak", oracle.SPIN / 2, matrix_current(diffusion, g, gradient))
    expected = -0.5j * np.pi * 1.7 * T * matsubara_sum(eq, trace)
    assert abs(expected).max() > 1e-3
    assert np.allclose(uf.spin_current(eq).quadrature[:, :, cell, q], expected, rtol=1e-6, atol=1e-9)


def test_spin_density_is_the_sigma_tau3_trace(eq, point):
    (cell, q), _, g, _ = point
    trace = np.einsum("aij,wji->wa", oracle.SPIN @ oracle.TAU3, g)
    expected = -0.5j * np.pi * 1.7 * T * matsubara_sum(eq, trace)
    assert np.allclose(uf.spin_density(eq).quadrature[:, cell, q], expected, rtol=1e-9, atol=1e-12)


def test_pauli_term_is_twice_the_density_of_states_times_the_exchange_field(eq):
    x = eq.problem.space.points()
    h = 2.0 * np.array([np.cos(2 * x[0]), np.sin(2 * x[1]), np.sin(2 * x[0])])
    pauli = uf.spin_density(eq, pauli=True).quadrature - uf.spin_density(eq).quadrature
    assert np.allclose(pauli, 2 * 1.7 * h, rtol=1e-12, atol=1e-12)


def test_pair_amplitudes_are_traces_of_the_upper_right_block(eq, point):
    (cell, q), _, g, _ = point
    upper_right = g[4, :2, 2:]
    expected = [np.trace(upper_right) / 2, *(np.trace(s @ upper_right) / 2 for s in oracle.SIGMA)]
    assert np.allclose(uf.pair_amplitude(eq, n=4).quadrature[:, cell, q], expected, rtol=0, atol=1e-13)


def test_divergence_of_the_spin_current_is_exchange_torque_and_relaxation(eq):
    # integrated over the device: flux out = integral of -(i pi N0 T/2) sum Tr (sigma_a/2) (-[L, g])
    space = eq.problem.space
    points = space.points().reshape(2, -1)
    g = eq.green(points)
    source = np.zeros(3, complex)
    for p, weight in enumerate(space.dx.ravel()):
        x = points[:, p]
        h = 2.0 * np.array([np.cos(2 * x[0]), np.sin(2 * x[1]), np.sin(2 * x[0])])
        commutator = []
        for w, matrix in zip(eq.frequencies, g[..., p], strict=True):
            energy = oracle.self_energy(w, matrix, exchange=h, rate_so=1.0)
            commutator.append(energy @ matrix - matrix @ energy)
        trace = np.einsum("aij,wji->wa", oracle.SPIN / 2, np.array(commutator))
        source += weight * 0.5j * np.pi * 1.7 * T * matsubara_sum(eq, trace)
    current = uf.spin_current(eq)
    assert abs(source).max() > 1e-2
    assert np.allclose(current.through("left") + current.through("right"), source, rtol=1e-7, atol=1e-10)
