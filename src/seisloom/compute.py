"""Where work runs: the cores of this machine, or a Dask cluster by its address. Nothing else knows."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from seisloom.errors import SeisloomError

P = ParamSpec("P")
T = TypeVar("T")
Job = TypeVar("Job")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Threads of each process for linear algebra: one where there is a process a core, or they wait for each other. What
asks torch for threads gets them all the same."""


class InThisProcess(Executor):
    """Runs each job when it is submitted: no pool to start, and a traceback that leads to the line."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  a future carries any error to the caller of result()
            future.set_exception(error)
        return future


class OnCluster(Executor):
    """Runs jobs on a Dask cluster; the connection is closed with it."""

    def __init__(self, client: Any) -> None:  # Any: a distributed.Client, which has no types
        self._client, self._pool = client, client.get_executor()
        self.n_workers = sum(client.nthreads().values())

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = self._pool.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait=wait)
        self._client.close()


def executor(cluster: str | None = None, workers: int | None = None) -> Executor:
    """Return what runs a list of jobs; use it in a `with`.

    Args:
        cluster: address of a Dask scheduler, such as "tcp://10.0.0.1:8786"; needs the extra `seisloom[cluster]`.
        workers: processes on this machine when there is no cluster; 1 runs in this process, None takes every core.
    Raises:
        SeisloomError: if dask is not installed, or nobody answers at the address.
    """
    if cluster is not None:
        return _dask_executor(cluster)
    n_workers = workers if workers is not None else n_cores()
    if n_workers < 1:
        raise SeisloomError(f"--workers {n_workers}: at least 1 is needed")
    if n_workers == 1:
        return InThisProcess()
    return processes(n_workers, end_with_parent, os.getpid())


def processes(n: int, begin: Callable[..., None], *given: Any) -> ProcessPoolExecutor:
    """Return processes of this machine, started, each with one thread for linear algebra; see THREADS.

    Args:
        n: how many.
        begin: what each begins with, and what that is given.
    """
    # spawn, since a forked child of a process with torch's threads can hang
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n, mp_context=spawn, initializer=begin, initargs=given)
    with _environment(dict.fromkeys(THREADS, "1")):
        for _ in range(n):  # each that finds nobody idle starts one
            pool.submit(os.getpid)
    return pool


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment that nobody has set, for processes that are started within."""
    ours = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def n_cores() -> int:
    """Return the cores that this process may use: a scheduler may have given it fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent(parent: int) -> None:
    """End this process when its parent is gone: a killed run must not write on beside one that goes on with it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _dask_executor(address: str) -> Executor:
    try:
        from distributed import Client
    except ImportError as error:
        raise SeisloomError("--cluster needs dask: pip install 'seisloom[cluster]'") from error
    try:
        client = Client(address, timeout="10s")  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise SeisloomError(f"no Dask scheduler answers at {address}: {error}") from error
    return OnCluster(client)


def run_jobs(pool: Executor, fn: Callable[[Job], T], jobs: Iterable[Job], *, ahead: int = 64) -> Iterator[T]:
    """Yield the results of `fn` in the order of the jobs, with at most `ahead` of them under way.

    The bound keeps memory constant however long the list is; the order keeps the result independent of the workers.
    """
    window: deque[Future[T]] = deque()
    for job in jobs:
        window.append(pool.submit(fn, job))
        if len(window) >= ahead:
            yield window.popleft().result()
    while window:
        yield window.popleft().result()
