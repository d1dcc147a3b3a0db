"""The other spinor basis, (psi_up, psi_dn, psi_up^+, psi_dn^+)."""

import numpy as np
import oracle
import pytest

import usadelfem as uf

H = np.array([0.3, -0.7, 1.1])


def random(shape):
    rng = np.random.default_rng(3)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 7), (5, 4, 4), (5, 4, 4, 7), (4, 4, 4, 4)])
def test_there_and_back_is_the_identity(shape):
    g = random(shape)
    there = uf.results.change_basis(g, to="ps")
    assert there.shape == shape
    assert not np.allclose(there, g)
    assert np.allclose(uf.results.change_basis(there, to="nambu"), g, rtol=0, atol=1e-15)


def test_green_function_stays_normalised():
    rng = np.random.default_rng(0)
    g = oracle.green(oracle.random_spin(rng), oracle.random_spin(rng))
    turned = uf.results.change_basis(g, to="ps")
    assert np.allclose(turned @ turned, np.eye(4))


def test_singlet_pairing_becomes_i_sigma_y():
    # psi^+ (Delta i sigma_y) psi^+*: Delta (psi_up^+ psi_dn^+ - psi_dn^+ psi_up^+) couples up with down,
    # antisymmetrically
    pairing = np.kron([[0, 1], [0, 0]], np.eye(2))
    expected = np.kron([[0, 1], [0, 0]], 1j * oracle.SIGMA[1])
    assert np.allclose(uf.results.change_basis(pairing, to="ps"), expected)


def test_exchange_field_acts_on_holes_with_the_transposed_pauli_matrices():
    # psi^+ h.sigma psi = (1/2) (psi^+ h.sigma psi - psi (h.sigma)^T psi^+): the hole block is -(h.sigma)^T =
    # -(h.sigma)*
    field = np.einsum("a,aij->ij", H, oracle.SIGMA)
    ours = np.einsum("a,aij->ij", H, oracle.SPIN)
    zero = np.zeros((2, 2))
    assert np.allclose(uf.results.change_basis(ours, to="ps"), np.block([[field, zero], [zero, -field.T]]))


def test_matrices_of_an_equilibrium_are_found():
    device = uf.Device(uf.interval({"S": 1.0}, size=0.5), {"S": uf.superconductor(gap=1.0)})
    g = uf.solve_equilibrium(device, 0.2, frequencies=2).green([[0.2, 0.4, 0.5, 0.9]])
    turned = uf.results.change_basis(g, to="ps")
    for n in range(2):
        for p in range(4):
            assert np.allclose(turned[n, :, :, p], uf.results.change_basis(g[n, :, :, p], to="ps"))


def test_axes_can_be_given():
    g = random((4, 4, 4))
    assert np.allclose(uf.results.change_basis(g, to="ps", axes=(1, 2))[2], uf.results.change_basis(g[2], to="ps"))
    with pytest.raises(ValueError, match="give axes"):
        uf.results.change_basis(g, to="ps")


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 4), {"to": "up"}, "'ps' and 'nambu'"),
        ((3, 3), {"to": "ps"}, "give axes"),
        ((4, 3), {"to": "ps", "axes": (0, 1)}, "length 4"),
        ((4, 4), {"to": "ps", "axes": (0, -2)}, "two different axes"),
    ],
)
def test_bad_input_is_refused(shape, options, message):
    with pytest.raises(ValueError, match=message):
        uf.results.change_basis(random(shape), **options)
