"""Moving the time axis of a batch: data by a windowed sinc, each kind of label in its own way."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seisloom.augment.batch import Batch
from seisloom.sample import Array

MAX_SCALE = 1.5
"""Most that a time map may compress: beyond, high frequencies would alias."""
HALF = 6
"""Samples on each side of a place that its value is made of."""
BETA = 7.0
"""Of the Kaiser window: 12 samples then err by less than 0.1 % of a sine up to 0.3 cycles a sample, 60 % of the
Nyquist frequency, which field records rarely pass. A larger one errs less below that and more above."""
N_PHASES = 512
"""Places between two samples that weights are tabled for; linear between them, which errs by 1e-5."""


def map_time(batch: Batch, scale: Array, shift: Array) -> Batch:
    """Return the batch in which new sample j shows old sample `scale * j + shift`.

    Data are interpolated by a sinc in a Kaiser window (Smith 2002, Digital audio resampling) and are 0 outside of the
    record, which begins half a sample before its first one; masks and dense labels take the nearest sample; points
    move to (y - shift) / scale, and a point that leaves the record is gone: its `has_pick` becomes 0. A stretch that
    compresses by more than a third would alias and is refused.

    Args:
        batch: fields with an axis `time`.
        scale, shift: shape (item,); shift in samples.
    Raises:
        ValueError: if a scale is not in (0, 1.5].
    """
    if not np.all((scale > 0) & (scale <= MAX_SCALE)):
        raise ValueError(f"time map: scales {scale.min():g} to {scale.max():g} must lie in (0, {MAX_SCALE}]")
    changes: dict[str, Tensor] = {}
    for field in batch.schema.fields:
        if field.name not in batch.arrays:
            continue
        values = batch.arrays[field.name]
        if field.label == "point":
            changes[field.name] = _rows((values - _rows(shift, values)) / _rows(scale, values), values)
        elif "time" in field.axes:
            changes[field.name] = (_interpolate if field.label is None else _nearest)(values, scale, shift)
    moved = batch.with_arrays(**changes)
    return _drop_lost_points(moved)


def _rows(values: Array | Tensor, like: Tensor) -> Tensor:
    """Return one number a row as a tensor that broadcasts over `like`; tensors pass through."""
    if isinstance(values, Tensor):
        return values
    return torch.as_tensor(values, dtype=like.dtype, device=like.device).reshape(-1, *[1] * (like.ndim - 1))


def _places(n_time: int, scale: Array, shift: Array) -> Array:
    """Return where each new sample lies in the old record, in samples, float64 (item, time)."""
    return np.arange(n_time) * scale[:, None] + shift[:, None]


@cache
def _kernel() -> Array:
    """Return the weights of the 2 HALF samples around a place, (phase, sample), from one sample to the next.

    Their sum is 1 at each phase, so that a constant stays one.
    """
    phase = np.arange(N_PHASES + 1) / N_PHASES
    away = phase[:, None] - np.arange(-HALF + 1, HALF + 1)
    weights = np.sinc(away) * np.i0(BETA * np.sqrt(1 - (away / HALF) ** 2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _weights(place: Array, n_time: int) -> tuple[Array, Array]:
    """Return the samples that each place is made of, and their weights, (item, time, sample); 0 beyond the record."""
    before = np.floor(place).astype(np.int64)
    phase = (place - before) * N_PHASES
    low = np.minimum(phase.astype(np.int64), N_PHASES - 1)
    part = (phase - low)[..., None]
    weights = _kernel()[low] * (1 - part) + _kernel()[low + 1] * part
    number = before[..., None] + np.arange(-HALF + 1, HALF + 1)
    weights[(place < -0.5) | (place >= n_time - 0.5)] = 0
    weights[(number < 0) | (number >= n_time)] = 0
    return np.clip(number, 0, n_time - 1), weights


def _interpolate(values: Tensor, scale: Array, shift: Array) -> Tensor:
    n_item, n_time = len(values), values.shape[-1]
    number, weights = _weights(_places(n_time, scale, shift), n_time)
    # All traces of an item are read at the same places: a row of the table is a sample of all of them. Contiguous,
    # since torch sums a strided table in another order, and the bits of an item must not depend on its batch
    table = values.reshape(n_item, -1, n_time).transpose(1, 2).reshape(n_item * n_time, -1).float().contiguous()
    row = number + n_time * np.arange(n_item)[:, None, None]
    found = functional.embedding_bag(
        torch.as_tensor(row.reshape(-1, 2 * HALF), device=table.device), table, mode="sum",
        per_sample_weights=torch.as_tensor(weights.reshape(-1, 2 * HALF), dtype=table.dtype, device=table.device),
    )  # fmt: skip
    return found.reshape(n_item, n_time, -1).transpose(1, 2).contiguous().reshape(values.shape).to(values.dtype)


def _nearest(values: Tensor, scale: Array, shift: Array) -> Tensor:
    n_item, n_time = len(values), values.shape[-1]
    nearest = np.floor(_places(n_time, scale, shift) + 0.5).astype(np.int64)
    inside = torch.as_tensor((nearest >= 0) & (nearest < n_time), device=values.device)[:, None]
    number = torch.as_tensor(np.clip(nearest, 0, n_time - 1), device=values.device)[:, None]
    flat = values.reshape(n_item, -1, n_time)
    found = flat.gather(-1, number.expand(flat.shape))
    return torch.where(inside, found, torch.zeros_like(flat)).reshape(values.shape)


def _drop_lost_points(batch: Batch) -> Batch:
    """Clear `has_pick` where the point left the record; a trace without a point keeps -1, wherever time went."""
    if "y_idx" not in batch.arrays or "has_pick" not in batch.arrays:
        return batch
    n_time = batch.lengths()["time"]
    y_idx, has_pick = batch.arrays["y_idx"], batch.arrays["has_pick"]
    had = has_pick == 1
    gone = had & ~((y_idx >= 0) & (y_idx <= n_time - 1))
    return batch.with_arrays(
        has_pick=torch.where(gone, torch.zeros_like(has_pick), has_pick),
        y_idx=torch.where(had & ~gone, y_idx, -torch.ones_like(y_idx)),
    )
