"""Some of the random devices of `fuzz.py`; a thousand of them by hand: python tests/fuzz.py 1000."""

import fuzz
import pytest


@pytest.mark.slow
@pytest.mark.parametrize("first", [0])
def test_random_devices_are_solved_with_their_invariants_or_refused_with_advice(first, tmp_path):
    for seed in range(first, first + 10):
        outcome = fuzz.run(seed, tmp_path)
        assert outcome.startswith(("solved", "warned", "refused")), f"seed {seed}: {outcome}"
