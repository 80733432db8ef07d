"""How many workers, threads and tiles at once are fastest here: measured, since it depends on network and machine."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from threading import Barrier, BrokenBarrierError
from typing import Self

import numpy as np

from seisloom.compute import end_with_parent, n_cores, processes
from seisloom.errors import SeisloomError
from seisloom.inference.feed import run_model
from seisloom.inference.sweep import Tiling
from seisloom.sample import Predictor

logger = logging.getLogger("seisloom")
WORTH_S = 60.0
"""A volume that takes less than this with one thread is not worth a measurement."""
SHARE = 0.1
"""Of the time that the volume would take, after which nothing more is tried."""
LONG_S = 1.0
"""A first forward that takes so long is as good as a second one."""
ROUND_S = 0.5
"""Forwards of a kind are repeated for so long, or for one of them."""
GAIN = 0.95
"""What is more complicated has to take less than this share of the time."""
MEMORY_SHARE = 0.7
"""Of the machine's memory that all workers may take together."""
LONGEST_WAIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Processes that run tiles, torch's threads in each of them, tiles that go through the network at once."""

    workers: int = 1
    threads: int = 1
    batch_size: int = 1
    seconds_a_tile: float = 0.0
    """Of all workers together; 0 where nothing was measured."""

    def __str__(self) -> str:
        return (
            f"{_count(self.workers, 'worker')} of {_count(self.threads, 'thread')}, {_count(self.batch_size, 'tile')} "
            f"at once: {self.seconds_a_tile:.3g} s a tile"
        )


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n > 1)}"


def choose_pace(
    open_predictor: Callable[[int], Predictor],
    tiling: Tiling,
    n_tiles: int,
    *,
    most_workers: int,
    threads: int | None = None,
    batch_size: int | None = None,
    memory_mb: float = 512,
) -> Pace:
    """Return the fastest of some paces for a volume, or one of everything where the volume does not take long.

    First the cores are parted between workers and threads, a tile at a time; then more tiles at once are tried. All
    workers of a pace run together while they are timed, since they share memory and its bandwidth. It ends when it has
    cost a tenth of the time that the volume would take.

    Args:
        open_predictor: sets so many threads and opens the predictor; called in several processes, so it can be pickled.
        tiling: of the volume; larger batches than its own are tried too.
        n_tiles: of the volume.
        most_workers: for whom there is work at once, such as parts of the output that only one of them writes.
        threads: a number that is to be kept.
        batch_size: a number that is to be kept.
        memory_mb: that a worker may take beside the network, in 10^6 bytes.
    Raises:
        SchemaError: if the model fails on a tile.
    """
    noise = Noise(open_predictor, tiling)
    best = Pace(1, threads or 1, batch_size or tiling.batch_size)
    seconds = noise.seconds(best, at_least_s=0)
    if seconds * n_tiles < WORTH_S:
        return best
    best = replace(best, seconds_a_tile=seconds)
    tried, began = [best], time.perf_counter()
    n_most = min(n_cores(), most_workers, max(1, int(MEMORY_SHARE * _memory() / (_peak() + 1e6 * memory_mb))))

    def is_better(workers: int, n_threads: int, n_at_once: int) -> bool:
        nonlocal best
        if time.perf_counter() - began > SHARE * best.seconds_a_tile * n_tiles:
            return False
        found = crew.try_pace(Pace(workers, n_threads, n_at_once))
        tried.append(found)
        better = found.seconds_a_tile < GAIN * best.seconds_a_tile
        best = found if better else best
        return better

    try:
        with Crew(noise, n_most) as crew:
            for workers in _halves(n_most):
                if (share := threads or max(1, n_cores() // workers)) * workers > 1:
                    is_better(workers, share, best.batch_size)
            room = int(memory_mb / _tile_mb(tiling)) if batch_size is None else 0
            while 2 * best.batch_size <= room and is_better(best.workers, best.threads, 2 * best.batch_size):
                pass
    except (BrokenExecutor, BrokenBarrierError, MemoryError, SeisloomError) as error:
        # It ran before, alone: what fails now does so for want of memory
        logger.warning("more workers or tiles at once do not fit this machine (%s)", error or "a process died")
    logger.info("chosen by measurement: %s. Tried: %s", best, "; ".join(map(str, tried)))
    return best


def _halves(n: int) -> Iterator[int]:
    while n >= 1:
        yield n
        n //= 2


def _tile_mb(tiling: Tiling) -> float:
    """Return about what a tile takes on its way, with what the model gives, in 10^6 bytes."""
    return float(4 * 8 * np.prod(tiling.patch) / 1e6)


def _memory() -> float:
    """Return the machine's memory in bytes."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):  # not known on this system
        return float("inf")


def _peak() -> float:
    """Return the memory that this process took at most so far, in bytes."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 1e9
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if os.uname().sysname == "Darwin" else 1024 * peak)


@dataclass(frozen=True, slots=True)
class Noise:
    """A model on tiles of noise: how long a forward takes depends on their shape alone."""

    open_predictor: Callable[[int], Predictor]
    tiling: Tiling

    def seconds(self, pace: Pace, begin: Callable[[], object] = lambda: None, *, at_least_s: float = ROUND_S) -> float:
        """Return the time of a tile in one worker; `begin` is called before its first forward.

        The first forward also prepares the next ones, so it counts only where it takes long enough by itself.
        """
        predictor = self.open_predictor(pace.threads)
        shape = (pace.batch_size, 1, *self.tiling.patch)
        x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        begin()
        start, n = time.perf_counter(), 0
        run_model(predictor, x, (), squeeze=self.tiling.squeeze)
        first = time.perf_counter() - start
        if first >= LONG_S:
            return first / pace.batch_size
        while n == 0 or time.perf_counter() - start - first < at_least_s:
            run_model(predictor, x, (), squeeze=self.tiling.squeeze)
            n += 1
        return (time.perf_counter() - start - first) / (n * pace.batch_size)


class Crew:
    """Processes of which the first few run tiles at the same time."""

    def __init__(self, noise: Noise, n: int) -> None:
        self.noise, self.n = noise, n
        barrier = multiprocessing.get_context("spawn").Barrier(n, timeout=LONGEST_WAIT_S)
        self.pool = processes(n, _join, barrier, os.getpid())  # as those that will run the tiles

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown(cancel_futures=True)

    def try_pace(self, pace: Pace) -> Pace:
        """Return the pace with its time of a tile, all its workers together."""
        jobs = [self.pool.submit(_run_together, self.noise, pace, k) for k in range(self.n)]
        # One that fails breaks the barrier for the others, whose errors tell nothing
        errors = [error for job in jobs if (error := job.exception()) is not None]
        if errors:
            raise next((one for one in errors if not isinstance(one, BrokenBarrierError)), errors[0])
        each = [job.result() for job in jobs[: pace.workers]]
        return replace(pace, seconds_a_tile=1 / sum(1 / seconds for seconds in each))


_together: Barrier


def _join(barrier: Barrier, parent: int) -> None:
    """Begin a process of a crew."""
    global _together
    _together = barrier
    end_with_parent(parent)


def _run_together(noise: Noise, pace: Pace, k: int) -> float:
    """Run tiles in the first few processes while the others wait; each process has one job, since all meet first."""
    try:
        if k < pace.workers:
            return noise.seconds(pace, begin=_together.wait)
        _together.wait()
    except BaseException:
        _together.abort()  # the others need not wait
        raise
    return 0.0
