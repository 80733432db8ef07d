"""Where work runs: the same results, in the same order, in this process, in others, and on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future

import pytest

from seisloom.compute import THREADS, InThisProcess, executor, run_jobs
from seisloom.errors import LeftOut, SeisloomError


def square(n: int) -> int:
    return n * n


def process_of(_: int) -> int:
    return os.getpid()


def refuse(n: int) -> int:
    if n == 2:
        raise LeftOut(f"number {n}")
    return n


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    with executor(workers=workers) as pool:
        assert list(run_jobs(pool, square, range(30), ahead=4)) == [n * n for n in range(30)]


def test_one_worker_is_this_process_and_two_are_others() -> None:
    with executor(workers=1) as pool:
        assert set(run_jobs(pool, process_of, range(3))) == {os.getpid()}
    with executor(workers=2) as pool:
        assert os.getpid() not in set(run_jobs(pool, process_of, range(3)))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_job_reaches_the_caller_after_the_results_before_it(workers: int) -> None:
    with executor(workers=workers) as pool:
        results = run_jobs(pool, refuse, range(5), ahead=1)
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(LeftOut, match="number 2"):
            next(results)


def test_no_more_jobs_are_under_way_than_allowed() -> None:
    class Counting(Executor):
        submitted = 0

        def submit(self, fn, /, *args, **kwargs) -> Future[int]:  # type: ignore[no-untyped-def, override]
            Counting.submitted += 1
            return InThisProcess().submit(fn, *args, **kwargs)

    taken = 0
    for taken, _ in enumerate(run_jobs(Counting(), square, iter(range(50)), ahead=5), 1):
        assert Counting.submitted - taken < 5
    assert taken == 50


def test_jobs_may_be_endless() -> None:
    def forever() -> Iterator[int]:
        n = 0
        while True:
            yield n
            n += 1

    results = run_jobs(InThisProcess(), square, forever())
    assert [next(results) for _ in range(4)] == [0, 1, 4, 9]


def test_no_worker_at_all_is_refused() -> None:
    with pytest.raises(SeisloomError, match="--workers 0: at least 1"):
        executor(workers=0)


def test_a_dask_cluster_gives_what_this_process_gives() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster,
        executor(cluster.scheduler_address) as pool,
    ):
        assert list(run_jobs(pool, square, range(8))) == [n * n for n in range(8)]


@pytest.mark.parametrize("trouble", [OSError("refused"), TimeoutError("after 10 s"), ValueError("unknown scheme")])
def test_an_address_where_nobody_answers_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    distributed = pytest.importorskip("distributed")

    def nobody(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(distributed, "Client", nobody)
    with pytest.raises(SeisloomError, match=f"no Dask scheduler answers at tcp://far:1: {trouble}"):
        executor("tcp://far:1")


def threads_of(name: str) -> str | None:
    return os.environ.get(name)


def test_processes_take_one_thread_each_for_linear_algebra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")  # what somebody has said stays
    with executor(workers=2) as pool:
        assert set(run_jobs(pool, threads_of, ["OMP_NUM_THREADS"] * 8)) == {"1"}
        assert set(run_jobs(pool, threads_of, ["MKL_NUM_THREADS"] * 8)) == {"3"}
    assert "OMP_NUM_THREADS" not in os.environ
