"""Pools whose processes are killed; `test_clusters.py` runs this file in a process of its own."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest
from workers import calls, die, die_always, die_once, power

from usadelfem.parallel.tasks import WorkerLostError, run_tasks

QUICK = multiprocessing.get_context("spawn")
if sys.platform != "win32":
    QUICK = multiprocessing.get_context("forkserver")
    QUICK.set_forkserver_preload(["usadelfem"])
SQUARES = [k**2 for k in range(20)]


def test_a_process_that_is_killed_loses_only_its_tasks(tmp_path):
    with ProcessPoolExecutor(2, QUICK) as pool:
        assert run_tasks(die_once, range(20), shared=str(tmp_path), executor=pool) == SQUARES
    assert calls(tmp_path) <= 20 + 4


def test_a_pool_that_has_broken_is_replaced_from_the_start(tmp_path):
    with ProcessPoolExecutor(2, QUICK) as pool:
        run_tasks(die_once, range(20), shared=str(tmp_path), executor=pool)
        assert run_tasks(power, range(20), shared=2, executor=pool) == SQUARES


def test_an_item_that_kills_every_process_is_named_and_the_others_are_done(tmp_path):
    got = {}
    with (
        ProcessPoolExecutor(2, QUICK) as pool,
        pytest.raises(WorkerLostError, match=r"die_always: the worker that ran item 5 \(5\) died 3 times"),
    ):
        run_tasks(die_always, range(20), shared=str(tmp_path), executor=pool, on_result=got.__setitem__)
    assert got == {k: k**2 for k in range(20) if k != 5}


def test_a_run_in_which_every_item_kills_its_process_is_given_up_early(tmp_path):
    with (
        ProcessPoolExecutor(1, QUICK) as pool,
        pytest.raises(WorkerLostError, match=r"the worker that ran item 0 \(0\) died 3 times"),
    ):
        run_tasks(die, range(1000), shared=str(tmp_path), executor=pool)
    assert calls(tmp_path) < 30
