"""When the phases of condensates are taken to run against each other."""

import numpy as np
import pytest

from usadelfem.nonequilibrium.locking import Locking


def followed(angles, *, moduli=None, held=False):
    """Parts of one cell each after sweeps with these phases, in full turns, shape (sweeps, parts)."""
    angles = np.asarray(angles, float)
    names = tuple(f"{name!r}" for name in "ABC"[: angles.shape[1]])
    locking = Locking(np.eye(len(names), dtype=bool), names, held, np.ones((len(names), 1)))
    for turned, modulus in zip(angles, np.ones(len(angles)) if moduli is None else moduli, strict=True):
        locking.follow(modulus * np.exp(2j * np.pi * turned)[:, None])
    return locking


def ramp(*rates, sweeps=16):
    """Phases that turn by these full turns in all."""
    return np.linspace(0, 1, sweeps)[:, None] * rates


@pytest.mark.parametrize(
    ("rates", "held", "running"),
    [
        ((0.0, 1.4), False, True), ((-0.7, 0.7), False, True), ((0.6, -0.5), False, False), ((5.0, 5.0), False, False),
        ((0.0, 0.4, 1.8), False, False), ((0.0, 1.0, 2.4), False, True), ((5.0,), False, False), ((1.4,), True, True),
    ],
    ids=str,
)  # fmt: skip
def test_parts_run_where_they_turn_by_more_than_is_between_the_ends_of_a_chain(rates, held, running):
    assert followed(ramp(*rates), held=held).running is running


def test_turns_of_a_part_whose_modulus_changes_say_nothing():
    assert not followed(ramp(0.0, 1.4), moduli=0.9 ** np.arange(16)).running


def test_turns_back_and_forth_do_not_add_up():
    assert followed(np.concatenate([ramp(0.0, 1.0), ramp(0.0, 1.0)[::-1]])).turns == pytest.approx(0.0, abs=1e-12)


def test_half_a_turn_is_worth_a_word_when_the_gap_does_not_converge():
    assert followed(ramp(0.0, 0.3)).explained() == ""
    assert followed(ramp(0.0, 0.8)).explained().startswith("condensates may not be locked to each other")
    assert (
        "are not locked to each other: that of region 'A' and that of region 'B'"
        in followed(ramp(0.0, 1.4)).explained()
    )


def test_a_part_is_named_that_runs_against_what_is_held():
    assert (
        "that of region 'B' and those of superconducting reservoirs" in followed(ramp(0.1, -1.4), held=True).explained()
    )
