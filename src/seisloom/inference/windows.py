"""Whole records through a predictor that sees windows: where they lie, and batches of a constant size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from seisloom.sample import Array, Arrays, Predictor

T = TypeVar("T")


def in_chunks(some: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield what comes in lists of a size, the last one with the rest.

    >>> list(in_chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    chunk: list[T] = []
    for one in some:
        chunk.append(one)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def window_starts(n_time: int, n_window: int, *, overlap: float) -> Array:
    """Return the first sample of each window; the last window ends with the record.

    Args:
        n_time: samples of the record.
        n_window: samples of a window; a shorter record has one window.
        overlap: share by which neighbours overlap, at least; 0 to below 1.

    >>> window_starts(10, 4, overlap=0.5)
    array([0, 2, 4, 6])
    """
    if n_time <= n_window:
        return np.zeros(1, dtype=np.int64)
    step = max(int(n_window * (1 - overlap)), 1)
    n_windows = -(-(n_time - n_window) // step) + 1
    return np.minimum(np.arange(n_windows) * step, n_time - n_window)


def predict_in_batches(predictor: Predictor, items: Sequence[Arrays], *, batch_size: int) -> dict[str, Array]:
    """Return the predictor's outputs for some items of one shape.

    Every call has `batch_size` items, the last one filled up by repeating: a convolution's last bit depends on the
    batch size, and the result may not depend on how many items there happen to be.
    """
    outputs: list[Arrays] = []
    for first in range(0, len(items), batch_size):
        some = list(items[first : first + batch_size])
        filled = some + [some[-1]] * (batch_size - len(some))
        batch = {name: np.stack([one[name] for one in filled]) for name in some[0]}
        found = predictor(batch)
        outputs.append({name: one[: len(some)] for name, one in found.items()})
    return {name: np.concatenate([one[name] for one in outputs]) for name in outputs[0]}
