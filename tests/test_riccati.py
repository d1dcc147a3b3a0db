"""Algebra of the Riccati matrices."""

import numpy as np
import oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from usadelfem.physics import riccati

seeds = st.integers(0, 10_000)


def random_states(seed, count=5):
    rng = np.random.default_rng(seed)
    return 0.4 * (rng.normal(size=(count, 4)) + 1j * rng.normal(size=(count, 4)))


@given(seeds)
@settings(deadline=None, max_examples=25)
def test_green_function_equals_the_explicit_matrix(seed):
    states = random_states(seed)
    a = riccati.to_matrix(states)
    g = riccati.green(a, riccati.tilde(a))
    for p, state in enumerate(states):
        own = state.reshape(2, 2)
        assert np.allclose(g[:, :, p], oracle.green(own, oracle.tilde(own)), atol=1e-10)


@given(seeds)
@settings(deadline=None, max_examples=25)
def test_largest_amplitude_is_the_largest_singular_value(seed):
    states = random_states(seed)
    expected = np.linalg.norm(states.reshape(-1, 2, 2), ord=2, axis=(1, 2)).max()
    assert np.isclose(riccati.largest_amplitude(states), expected, rtol=1e-12)


@given(seeds, st.floats(0.01, 10.0))
@settings(deadline=None, max_examples=25)
def test_bulk_solution_commutes_with_its_self_energy_and_is_causal(seed, w):
    rng = np.random.default_rng(seed)
    gap, exchange = complex(*rng.normal(size=2)), rng.normal(size=3)
    state = riccati.bulk(w, gap, exchange)
    own = state.reshape(2, 2)
    g, energy = oracle.green(own, oracle.tilde(own)), oracle.static(w, gap, exchange)
    assert np.abs(energy @ g - g @ energy).max() < 1e-9 * np.abs(energy).max()
    assert riccati.largest_amplitude(state[None]) <= 1
