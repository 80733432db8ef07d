"""Moving the time axis of a batch: data by cubic interpolation, each kind of label in its own way."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seisloom.augment.augmentation import MAX_SCALE
from seisloom.augment.batch import Batch
from seisloom.sample import Array


def map_time(batch: Batch, scale: Array, shift: Array) -> Batch:
    """Return the batch in which new sample j shows old sample `scale * j + shift`.

    Data are interpolated by cubic convolution (Keys 1981, a = -0.75) and are 0 outside of the record; masks and dense
    labels take the nearest sample; points move to (y - shift) / scale, and a point that leaves the record is gone:
    its `has_pick` becomes 0. A stretch that compresses by more than a third would alias and is refused.

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
            mode = "bicubic" if field.label is None else "nearest"
            changes[field.name] = _interpolate(values, scale, shift, mode=mode)
    moved = batch.with_arrays(**changes)
    return _drop_lost_points(moved)


def _rows(values: Array | Tensor, like: Tensor) -> Tensor:
    """Return one number a row as a tensor that broadcasts over `like`; tensors pass through."""
    if isinstance(values, Tensor):
        return values
    return torch.as_tensor(values, dtype=like.dtype, device=like.device).reshape(-1, *[1] * (like.ndim - 1))


def _interpolate(values: Tensor, scale: Array, shift: Array, *, mode: str) -> Tensor:
    n_time = values.shape[-1]
    place = torch.arange(n_time, dtype=torch.float64)[None, :] * torch.as_tensor(scale)[:, None]
    place = place + torch.as_tensor(shift)[:, None]
    # grid_sample wants (-1, 1) from edge to edge of the pixels: sample i lies at (2 i + 1) / n - 1
    x = ((2 * place + 1) / n_time - 1).to(device=values.device, dtype=torch.float32)
    grid = torch.stack([x, torch.zeros_like(x)], dim=-1)[:, None]
    flat = values.reshape(len(values), -1, 1, n_time).float()
    found = functional.grid_sample(flat, grid, mode=mode, padding_mode="zeros", align_corners=False)
    return found.reshape(values.shape).to(values.dtype)


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
