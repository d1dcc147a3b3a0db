"""Settings for all that follows, and names for caches."""

import errno
import pickle
from functools import cache

import numpy as np
import pytest

import usadelfem as uf
from usadelfem.numerics.linear import linear_solver
from usadelfem.parallel.engines import checked_workers
from usadelfem.points import storage


def made():
    contacts = {"left": uf.Reservoir(gap=1.0), "right": uf.Reservoir(gap=1.0, phase=1.0)}
    exchange = lambda x: np.array([0 * x[0], 0 * x[0], x[0]])  # noqa: E731
    return uf.Device(uf.interval({"F": 1.0}), {"F": uf.ferromagnet(exchange=exchange)}, contacts)


def test_options_hold_until_the_end_of_their_context():
    with uf.options(workers=2):
        assert checked_workers(None) == 2
        with uf.options(workers=3):
            assert checked_workers(None) == 3
        assert checked_workers(None) == 2
    assert checked_workers(None) == 1


def test_what_is_said_at_a_call_goes_before_options():
    with uf.options(workers=2):
        assert checked_workers(4) == 4


def test_a_task_of_a_sweep_has_one_worker():
    with uf.options(workers=2, progress=False):
        result = uf.sweep(lambda _: checked_workers(None), [0, 1, 2, 3])
    assert (result.values == 1).all()


def test_the_linear_solver_of_options_is_used():
    indptr, indices = np.array([0, 1, 2]), np.array([0, 1])
    with uf.options(linear_solver="superlu"):
        assert linear_solver(indptr, indices, block=1).name == "superlu"


@pytest.mark.parametrize("setting", [{"workers": 0}, {"linear_solver": "fast"}, {"progress": 1}, {"states": "tape"}])
def test_a_setting_that_is_not_allowed_is_refused_and_changes_nothing(setting):
    with pytest.raises(ValueError, match="allowed"):
        uf.options(**setting)
    assert checked_workers(None) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_states_on_the_disk_are_the_same_ones(workers):
    usual = uf.solve_equilibrium(made(), 0.2, workers=workers)
    with uf.options(states="disk"):
        eq = uf.solve_equilibrium(made(), 0.2, workers=workers)
    assert isinstance(eq.riccati.base, np.memmap)
    assert np.array_equal(eq.riccati, usual.riccati)
    assert np.array_equal(pickle.loads(pickle.dumps(eq.riccati)), usual.riccati)


def test_a_disk_without_room_for_states_is_named_before_the_solve(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage.os, "posix_fallocate", full, raising=False)
    with uf.options(states="disk"), pytest.raises(OSError, match=r"no room for .* GB of states .*TMPDIR"):
        uf.solve_equilibrium(made(), 0.2)


def test_results_are_the_same_bits_for_the_same_number_of_workers():
    one, two = (uf.charge_current(uf.solve_equilibrium(made(), 0.2, workers=2)).through("right") for _ in range(2))
    assert one == two


def test_devices_described_alike_have_the_same_digest_before_and_after_a_solve():
    device = made()
    before = uf.study.digest(device)
    uf.solve_equilibrium(device, 0.2)
    assert uf.study.digest(device) == before == uf.study.digest(made())
    assert uf.study.digest(device.with_phase("right", 2.0)) != before


def test_devices_and_results_are_keys_of_a_cache():
    calls = []

    @cache
    def energy(eq):
        calls.append(eq)
        return uf.free_energy(eq)

    eq = uf.solve_equilibrium(made(), 0.2)
    assert energy(eq) == energy(eq)
    assert len(calls) == 1
    assert hash(made()) != hash(eq)
