"""Independent tasks in this process, in threads and in processes."""

import multiprocessing
import os
import threading
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from workers import Counting, Immediate, limited, power  # noqa: F401

import usadelfem as uf
from usadelfem.parallel import worker
from usadelfem.parallel.tasks import AHEAD, WorkerLostError, run_tasks


@pytest.fixture(scope="module")
def pool():
    """Two processes that were started without a limit on BLAS threads."""
    threads = {name: os.environ.pop(name) for name in worker.THREADS if name in os.environ}
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        wait_for_all(pool)
        os.environ.update(threads)
        yield pool


def wait_for_all(pool):
    assert sorted(pool.map(abs, range(4))) == [0, 1, 2, 3]


def same(shared, item):
    return shared is item


def fail(shared, item):
    if item == shared:
        raise KeyError(f"item {item}")
    time.sleep(0.01)
    return item


class UnpicklableError(RuntimeError):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def fail_unpicklable(shared, item):
    raise UnpicklableError("this", "that")


def fail_to_solve(shared, item):
    raise uf.errors.SolveError("diverged", frequency=2.0, residuals=(1.0, 3.0), state=np.ones(4))


def blas_threads(shared, item):
    np.ones((4, 4)) @ np.ones((4, 4))
    return max(library["num_threads"] for library in threadpool_info()), os.environ.get("OMP_NUM_THREADS")


def keep_writable(shared, item):
    return shared.flags.writeable, item.flags.writeable, shared


def long_running(shared, item):
    time.sleep(0.7)
    return item


def test_without_executor_results_are_in_the_order_of_the_items():
    assert run_tasks(power, [3, 1, 2], shared=2) == [9, 1, 4]


def test_without_executor_shared_and_items_are_used_as_they_are():
    thing = object()
    assert run_tasks(same, [thing], shared=thing) == [True]


def test_threads_give_results_in_the_order_of_the_items():
    with ThreadPoolExecutor(3) as pool:
        assert run_tasks(power, range(50), shared=2, executor=pool) == [k**2 for k in range(50)]


def test_threads_share_what_cannot_be_pickled():
    thing = threading.Lock()
    with ThreadPoolExecutor(2) as pool:
        assert run_tasks(same, [thing, thing], shared=thing, executor=pool) == [True, True]


def test_processes_give_results_in_the_order_of_the_items(pool):
    assert run_tasks(power, range(50), shared=2, executor=pool) == [k**2 for k in range(50)]


def test_no_items_give_no_results(pool):
    assert run_tasks(power, [], shared=2, executor=pool) == []


def test_lambdas_and_closures_travel(pool):
    offset = 0.5
    assert run_tasks(lambda shared, item: shared(item) + offset, [1, 2], shared=lambda x: 2 * x, executor=pool) == [
        2.5,
        4.5,
    ]


def test_every_result_is_handed_on_with_its_index(pool):
    got = {}
    run_tasks(power, [5, 6, 7], shared=2, executor=pool, on_result=got.__setitem__)
    assert got == {0: 25, 1: 36, 2: 49}


def test_the_payload_travels_about_once_per_worker(pool):
    counting = Counting(pool)
    run_tasks(power, range(200), shared=2, executor=counting)
    assert counting.payloads <= 4
    assert counting.calls <= 210


def test_few_tasks_are_in_flight():
    with ThreadPoolExecutor(2) as pool:
        counting = Counting(pool)
        run_tasks(power, range(500), shared=2, executor=counting)
    assert counting.most <= AHEAD * 2


def test_a_worker_without_the_payload_says_so():
    answer = worker.perform("1", "no such payload", worker.dumps(3), worker.process_name(), None)
    assert answer.kind == "missing"


def test_a_worker_that_has_forgotten_the_payload_gets_it_again():
    count = iter(range(10**6))
    forgetful = Immediate(lambda: worker._kept.clear() if next(count) in (20, 50, 80) else None)
    assert run_tasks(power, range(100), shared=2, executor=forgetful) == [k**2 for k in range(100)]
    assert forgetful.calls <= 100 + 3 * AHEAD * 2
    assert forgetful.payloads <= 2 + 3


def test_workers_that_forget_everything_still_finish():
    forgetful = Immediate(worker._kept.clear)
    assert run_tasks(power, range(20), shared=2, executor=forgetful) == [k**2 for k in range(20)]


def test_a_worker_keeps_the_last_payloads_only():
    for power_ in range(10):
        run_tasks(power, [2], shared=power_, executor=Immediate())
    assert len(worker._kept) == worker.KEPT


def test_a_worker_process_has_one_blas_thread(pool):
    assert run_tasks(blas_threads, range(4), executor=pool) == [(1, "1")] * 4


def test_threads_keep_the_blas_threads_of_the_process():
    with threadpool_limits(2), ThreadPoolExecutor(1) as pool:
        before = max(library["num_threads"] for library in threadpool_info())
        assert run_tasks(blas_threads, [0], executor=pool)[0][0] == before


def test_read_only_arrays_stay_so_on_both_ways(pool):
    array, other = np.arange(3.0), np.arange(3.0)
    array.flags.writeable = False
    shared, item, back = run_tasks(keep_writable, [other], shared=array, executor=pool)[0]
    assert (shared, item, back.flags.writeable) == (False, True, False)


def test_an_exception_of_a_task_arrives_with_the_traceback_of_the_worker(pool):
    with pytest.raises(KeyError, match="item 3") as caught:
        run_tasks(fail, range(5), shared=3, executor=pool)
    assert "in fail" in caught.value.__notes__[0]


def test_after_an_exception_no_more_tasks_are_submitted(pool):
    counting = Counting(pool)
    with pytest.raises(KeyError):
        run_tasks(fail, range(1000), shared=3, executor=counting)
    assert counting.calls < 20


def test_results_before_an_exception_are_handed_on():
    got = {}
    with pytest.raises(KeyError):
        run_tasks(fail, range(20), shared=10, executor=Immediate(), on_result=got.__setitem__)
    assert set(range(10)) <= set(got)


def test_an_exception_that_cannot_be_pickled_is_told_in_words(pool):
    with pytest.raises(RuntimeError, match=r"UnpicklableError: this and that"):
        run_tasks(fail_unpicklable, [0], executor=pool)


def test_a_solve_error_keeps_its_attributes(pool):
    with pytest.raises(uf.errors.SolveError, match="diverged") as caught:
        run_tasks(fail_to_solve, [0], executor=pool)
    assert (caught.value.frequency, caught.value.residuals, caught.value.state.tolist()) == (2.0, (1.0, 3.0), [1.0] * 4)


def test_an_interrupt_cancels_what_is_pending(pool):
    def interrupt(index, result):
        raise KeyboardInterrupt

    counting = Counting(pool)
    with pytest.raises(KeyboardInterrupt):
        run_tasks(fail, range(1000), shared=-1, executor=counting, on_result=interrupt)
    assert counting.calls < 20


def test_the_executor_stays_open(pool):
    run_tasks(power, [1], shared=2, executor=pool)
    assert pool.submit(abs, -1).result() == 1


def test_something_else_than_an_executor_is_refused():
    with pytest.raises(TypeError, match=r"executor is 4; allowed is None, or a concurrent\.futures\.Executor"):
        run_tasks(power, [1], shared=2, executor=4)


def test_what_cannot_be_pickled_is_refused(pool):
    with pytest.raises(TypeError, match="what the workers need cannot be pickled"):
        run_tasks(power, [1], shared=threading.Lock(), executor=pool)


def test_a_broken_executor_of_an_unknown_kind_is_an_error():
    def broken():
        raise BrokenExecutor("gone")

    with pytest.raises(WorkerLostError, match="the Immediate broke and cannot be replaced"):
        run_tasks(power, [1], shared=2, executor=Immediate(broken))


def test_there_is_no_progress_bar_where_there_is_no_terminal(capsys):
    run_tasks(long_running, range(2), label="waiting")
    assert capsys.readouterr() == ("", "")


def test_a_progress_bar_on_request_names_what_is_done(capsys):
    run_tasks(long_running, range(3), label="waiting", progress=True)
    assert "waiting" in capsys.readouterr().err


def test_a_short_run_has_no_progress_bar(capsys):
    run_tasks(power, range(3), shared=2, label="waiting", progress=True)
    assert capsys.readouterr() == ("", "")


def test_a_phase_diagram_from_processes_is_that_from_this_process(pool):
    def device(tc):
        return uf.Device(uf.interval({"S": 1.0}), {"S": uf.superconductor(Tc=tc, depairing=0.1)})

    found = uf.study.phase_diagram(device, [1.0, 2.0], workers=pool, order=1)
    assert found == pytest.approx(uf.study.phase_diagram(device, [1.0, 2.0], order=1), rel=1e-12)
