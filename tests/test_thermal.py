"""Sums over Matsubara frequencies."""

import numpy as np
import pytest
from devices import sfs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import polygamma, zeta

import usadelfem as uf
from usadelfem.physics.thermal import gauss_count, gauss_sum, matsubara


@given(degree=st.integers(2, 12), count=st.integers(8, 60))
@settings(deadline=None, max_examples=40)
def test_gauss_sum_is_exact_for_powers_of_the_inverse_frequency(degree, count):
    n, weights = gauss_sum(count)
    exact = (1 - 2.0**-degree) * zeta(degree)  # sum of n^-degree over odd n
    assert (weights * n**-degree).sum() == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("ratio", [0.5, 5.0, 50.0, 500.0, 5000.0, 16300.0, 1e6])
def test_gauss_sum_reproduces_closed_sums_with_few_frequencies(ratio):
    count = gauss_count(ratio)
    n, weights = gauss_sum(count)
    w = np.pi * n
    assert (weights / (w**2 + ratio**2)).sum() == pytest.approx(np.tanh(ratio / 2) / (4 * ratio), rel=1e-8)
    odd = polygamma(1, 0.5 + ratio / (2 * np.pi)) / (2 * np.pi) ** 2
    assert (weights / (w + ratio) ** 2).sum() == pytest.approx(odd, rel=1e-7)
    assert count < 5 + 2 * np.sqrt(ratio)


def test_lowest_quadrature_nodes_are_matsubara_frequencies():
    n, weights = gauss_sum(20)
    assert np.allclose(n[:6], [1, 3, 5, 7, 9, 11], rtol=1e-8)
    assert np.allclose(weights[:6], 1.0, rtol=1e-6)


def test_plain_frequencies_are_odd_multiples_of_pi_t():
    w, weights = matsubara(0.5, 3)
    assert np.allclose(w, np.pi * 0.5 * np.array([1, 3, 5]))
    assert (weights == 1).all()


@pytest.mark.parametrize("exchange", [(0.0, 0.0, 0.0), (0.0, 1.0, 2.5)])
@pytest.mark.parametrize("temperature", [0.05, 0.3])
def test_gauss_and_plain_sums_give_the_same_current(exchange, temperature):
    device = sfs(1.2, exchange=exchange)
    gauss = uf.solve_equilibrium(device, temperature)
    plain = uf.solve_equilibrium(device, temperature, quadrature="plain", cutoff=400.0)
    one, two = (float(uf.charge_current(eq).through("right")) for eq in (gauss, plain))
    assert one == pytest.approx(two, rel=2e-7)
    assert len(gauss.frequencies) < 0.25 * len(plain.frequencies)


def test_gauss_and_plain_sums_give_the_same_spin_density():
    device = sfs(0.0, exchange=(0.0, 1.0, 2.0))
    one, two = (
        uf.spin_density(uf.solve_equilibrium(device, 0.2, quadrature=q, cutoff=c)).integral()
        for q, c in (("gauss", None), ("plain", 300.0))
    )
    assert np.allclose(one, two, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("count", [0, 513])
def test_a_number_of_frequencies_out_of_range_is_refused(count):
    with pytest.raises(ValueError, match=f"{count}; allowed are 1 to 512"):
        gauss_sum(count)


def test_a_sum_that_needs_too_many_frequencies_says_what_to_do():
    with pytest.raises(ValueError, match="lower `cutoff`"):
        gauss_count(1e9)
