"""Progress that a person sees: a bar with rate and remaining time, or a plain line every 10 s without a terminal."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

logger = logging.getLogger("seisloom")
T = TypeVar("T")
LINE_EVERY_S = 10.0
Advance = Callable[[float], None]


def track(
    jobs: Iterable[T], *, total: float, what: str, unit: str, size: Callable[[T], float] | None = None
) -> Iterator[T]:
    """Yield each result and show how far the work is.

    Args:
        jobs: what is iterated.
        total: the whole, in units.
        what: what is being done, such as "writing shards".
        unit: what is counted, such as "traces".
        size: units in one result; 1 by default.
    """
    with progress(total=total, what=what, unit=unit) as advance:
        for one in jobs:
            yield one
            advance(size(one) if size else 1)


@contextmanager
def progress(*, total: float, what: str, unit: str) -> Iterator[Advance]:
    """Show a bar while inside; call the yielded function with the units done."""
    if not logger.isEnabledFor(logging.INFO):
        yield lambda amount: None
    elif sys.stderr.isatty():
        with _bar(total, what, unit) as advance:
            yield advance
    else:
        yield _Lines(total, what, unit)


@contextmanager
def _bar(total: float, what: str, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(amount: float) -> None:
            bar.advance(task, amount)
            passed = max(time.monotonic() - start, 1e-9)
            bar.update(task, rate=f"{bar.tasks[0].completed / passed:,.0f} {unit}/s")

        yield advance


class _Lines:
    """Says every 10 s how far the work is."""

    def __init__(self, total: float, what: str, unit: str) -> None:
        self.total, self.what, self.unit, self.done = total, what, unit, 0.0
        self.start = self.said = time.monotonic()

    def __call__(self, amount: float) -> None:
        self.done += amount
        now = time.monotonic()
        if now - self.said >= LINE_EVERY_S:
            self.said = now
            rate = self.done / (now - self.start)
            left = (self.total - self.done) / rate if rate else 0.0
            logger.info(
                "%s: %.0f of %.0f %s, %.0f %s/s, %.0f s left",
                self.what, self.done, self.total, self.unit, rate, self.unit, left,
            )  # fmt: skip
