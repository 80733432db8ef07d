"""Moving the axes of a batch: data by a windowed sinc, each kind of label in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seisloom.augment.batch import Batch
from seisloom.augment.kernels import HALF, is_plain, move_traces, read_traces
from seisloom.augment.labels import Reading, beyond, coordinate, is_coordinate, reading, turn_normals
from seisloom.sample import Array, Field

MAX_SCALE = 1.5
"""Most that a map may compress: beyond, high frequencies would alias."""
BETA = 7.0
"""Of the Kaiser window: 12 samples then err by less than 0.1 % of a sine up to 0.3 cycles a sample, 60 % of the
Nyquist frequency, which field records rarely pass. A larger one errs less below that and more above."""
N_PHASES = 16_384
"""Places between two samples that weights are tabled for; the nearest is taken, at most pi f / N_PHASES = 6e-5 of a
sine of f = 0.3 cycles a sample away. Working weights out for each place took three times as long as all else."""


def map_axes(batch: Batch, maps: Mapping[str, tuple[Array, Array]]) -> Batch:
    """Return the batch in which along each axis new sample j shows old sample `scale * j + shift`.

    Data are interpolated by a sinc in a Kaiser window (Smith 2002, Digital audio resampling) and are 0 outside of the
    record, which begins half a sample before its first one; how labels are read says `labels.reading`. A mirror and a
    shift by whole samples copy, bit for bit. Points along time move to (y - shift) / scale, and a point that leaves
    the record is gone: its `has_pick` becomes 0. Curves with values along an axis move with it; dip and strike turn.

    Args:
        batch: its fields without these axes stay as they are, and so do the numbers along an axis.
        maps: by axis scale and shift, shape (item,); shift in samples.
    Raises:
        ValueError: if a scale is 0, or larger than 1.5 in size: that would alias.
    """
    jacobian = {}
    for axis, (scale, shift) in maps.items():
        size = np.abs(scale)
        if not np.all((size > 0) & (size <= MAX_SCALE)):
            raise ValueError(
                f"{axis} map: scales {scale.min():g} to {scale.max():g} must lie in (0, {MAX_SCALE}], or mirrored"
            )
        n = batch.lengths().get(axis)
        if n is None:
            raise ValueError(f"{axis} map: the batch has no axis {axis!r}; there are {', '.join(batch.lengths())}")
        if np.all(scale == 1) and np.all(shift == 0):
            continue
        batch = _moved(batch, axis, partial(_places, n, scale, shift), partial(_inverse, scale, shift))
        jacobian[axis, axis] = torch.as_tensor(scale)
    return turn_normals(batch, jacobian)


def _places(n: int, scale: Array, shift: Array) -> Array:
    return np.arange(n) * scale[:, None] + shift[:, None]


def _inverse(scale: Array, shift: Array, values: Tensor) -> Tensor:
    return (values - _rows(shift, values)) / _rows(scale, values)


def movable(batch: Batch, maps: Mapping[str, tuple[Array, Array]]) -> list[str]:
    """Return the fields that `move_rows` moves: traces of data, where the maps change their axis and no other."""
    changed = [axis for axis, (scale, shift) in maps.items() if np.any(scale != 1) or np.any(shift != 0)]
    if len(changed) != 1 or changed[0] not in batch.lengths():
        return []
    return [
        field.name for field in batch.schema.fields
        if field.axes[-1:] == (changed[0],) and field.label is None and not is_coordinate(field, changed[0])
        and is_plain(values := batch.arrays.get(field.name)) and values is not None
        and values.is_contiguous() and reading(field, values) == "sinc"
    ]  # fmt: skip


def move_rows(batch: Batch, name: str, rows: Array, maps: Mapping[str, tuple[Array, Array]]) -> None:
    """Write to some rows of a field that is `movable` what `map_axes` returns of them; bit for bit the same.

    Args:
        batch: holds the field; written to.
        name: of the field.
        rows: numbers of the items, each once.
        maps: as for `map_axes`, of these.
    """
    field, values = batch.schema[name], batch.arrays[name].numpy()
    scale, shift = maps[field.axes[-1]]
    traces = values.reshape(len(values), -1, values.shape[-1])
    move_traces(traces, rows, scale, shift, _kernel(), np.float32(beyond(field)))


def map_time(batch: Batch, scale: Array, shift: Array) -> Batch:
    """Return the batch in which new sample j shows old sample `scale * j + shift`; see `map_axes`.

    Raises:
        ValueError: if a scale is not in (0, 1.5].
    """
    if not np.all((scale > 0) & (scale <= MAX_SCALE)):
        raise ValueError(f"time map: scales {scale.min():g} to {scale.max():g} must lie in (0, {MAX_SCALE}]")
    return map_axes(batch, {"time": (scale, shift)})


def warp_axis(batch: Batch, axis: str, places: Array) -> Batch:
    """Return the batch in which new sample j along an axis shows the old one at `places[j]`.

    Args:
        batch: as for `map_axes`; dip and strike turn too.
        axis: its name.
        places: in samples, rising along the axis, shape (item, length); labels move by the inverse, linear between
            samples.
    """
    numbers = np.arange(places.shape[1])

    def inverse(values: Tensor) -> Tensor:
        flat = values.detach().double().cpu().numpy().reshape(len(values), -1)
        found = [np.interp(one, row, numbers, left=-1e9, right=1e9) for one, row in zip(flat, places, strict=True)]
        return torch.as_tensor(np.stack(found).reshape(values.shape)).to(values)

    batch = _moved(batch, axis, lambda: places, inverse)
    slope = torch.as_tensor(np.gradient(places, axis=1))
    return turn_normals(batch, {(axis, axis): _along(slope, batch, axis)}) if "dip" in batch.arrays else batch


def roll_axis(batch: Batch, axis: str, shift: Array) -> Batch:
    """Return the batch shifted by whole samples along an axis, (item,); what leaves at one end enters at the other."""
    n = batch.lengths()[axis]
    places = (np.arange(n) - shift[:, None]) % n

    def wrapped(values: Tensor) -> Tensor:
        return (values + _rows(shift, values)) % n

    return _moved(batch, axis, lambda: places, wrapped)


def _along(values: Tensor, batch: Batch, axis: str) -> Tensor:
    """Return values (item, length) in the axes of the angles."""
    place = batch.axis("dip", axis)
    shape = [1] * batch.arrays["dip"].ndim
    shape[0], shape[place] = values.shape
    return values.reshape(shape)


def _moved(batch: Batch, axis: str, places_of: Callable[[], Array], inverse: Callable[[Tensor], Tensor]) -> Batch:
    """Move all that has an axis, and points and curves that lie along it; not what is a shape alone."""
    changes: dict[str, Tensor] = {}
    places: Array | None = None
    for field in batch.schema.fields:
        if field.name not in batch.arrays:
            continue
        values = batch.arrays[field.name]
        if axis in field.axes:
            if field.name == "guess_rgt_steps":
                raise ValueError(f"{axis} map: steps of a first guess do not move; leave entries that move axes out")
            if not is_coordinate(field, axis) and values.device.type != "meta":
                places = places_of() if places is None else places
                changes[field.name] = _read(values, field, batch.axis(field.name, axis), places)
        elif field.label == "point" and axis == "time":
            changes[field.name] = inverse(values)
        elif field.label == "curve":
            moved = _curve(batch, field, axis, inverse)
            if moved is not None:
                changes[field.name] = moved
    batch = batch.with_arrays(**changes)
    return _drop_lost_points(batch) if axis == "time" else batch


def _curve(batch: Batch, field: Field, axis: str, inverse: Callable[[Tensor], Tensor]) -> Tensor | None:
    """Return a curve whose values lie along an axis, moved with it; None if they are of another unit."""
    numbers = coordinate(batch, axis)
    values = batch.arrays[field.name]
    units = {one.unit for one in batch.schema.fields if is_coordinate(one, axis)}
    if numbers is None or field.unit not in units:
        return None
    changed = []
    for one, grid in zip(values.detach().double().cpu().numpy(), numbers.double().cpu().numpy(), strict=True):
        changed.append(np.interp(one, grid, np.arange(len(grid)), left=np.nan, right=np.nan))
    place = inverse(torch.as_tensor(np.stack(changed)))
    n = numbers.shape[1]
    back = [np.interp(one, np.arange(n), grid, left=np.nan, right=np.nan)
            for one, grid in zip(place.numpy(), numbers.double().cpu().numpy(), strict=True)]  # fmt: skip
    return torch.as_tensor(np.stack(back)).to(values)


def _rows(values: Array | Tensor, like: Tensor) -> Tensor:
    """Return one number a row as a tensor that broadcasts over `like`."""
    return torch.as_tensor(values, dtype=like.dtype, device=like.device).reshape(-1, *[1] * (like.ndim - 1))


@cache
def _kernel() -> Array:
    """Return the weights of the 2 HALF samples around a place, float32 (phase, sample), from one sample to the next.

    Their sum is 1 at each phase, so that a constant stays one.
    """
    phase = np.arange(N_PHASES + 1) / N_PHASES
    away = phase[:, None] - np.arange(-HALF + 1, HALF + 1)
    weights = np.sinc(away) * np.i0(BETA * np.sqrt(1 - (away / HALF) ** 2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _read(values: Tensor, field: Field, dim: int, places: Array) -> Tensor:
    """Return a field whose axis `dim` is read at places (item, length)."""
    last = values.movedim(dim, -1)
    # Each row by itself, or the bits of an item would depend on the batch it is in
    whole = (places[:, :2] == np.floor(places[:, :2])).all(axis=1)
    whole[whole] = (places[whole] == np.floor(places[whole])).all(axis=1)
    if whole.all():
        found = _copied(last, places, beyond(field))
    elif not whole.any():
        found = _between(last, field, places)
    else:
        order = np.concatenate([np.flatnonzero(whole), np.flatnonzero(~whole)])
        first, second = (torch.as_tensor(np.flatnonzero(some), device=last.device) for some in (whole, ~whole))
        copied = _copied(last.index_select(0, first), places[whole], beyond(field))
        between = _between(last.index_select(0, second), field, places[~whole])
        back = torch.as_tensor(np.argsort(order), device=last.device)
        found = torch.cat([copied, between]).index_select(0, back)
    return found.movedim(-1, dim).contiguous()


def _between(values: Tensor, field: Field, places: Array) -> Tensor:
    """Return values (item, ..., length) at places that are not all whole."""
    how: Reading = reading(field, values) if values.is_floating_point() else "nearest"
    return {"sinc": _interpolate, "linear": _linear, "nearest": _nearest}[how](values, places, beyond(field))


def _copied(values: Tensor, places: Array, outside: float) -> Tensor:
    """Return values at whole places: slices where they follow each other, which is a copy of memory."""
    n_time, n_new = values.shape[-1], places.shape[1]
    follows = n_new > 1 and bool((places[:, 1:] - places[:, :-1] == 1).all())
    if not follows or values.requires_grad:
        return _nearest(values, places, outside)
    found, fill = values.new_empty((*values.shape[:-1], n_new)), _fill(values, outside)
    for new, old, first in zip(found, values, places[:, 0].astype(int).tolist(), strict=True):
        begin, end = min(max(-first, 0), n_new), max(min(n_time - first, n_new), 0)
        if begin < end:
            new[..., begin:end] = old[..., begin + first : end + first]
        new[..., :begin] = fill
        new[..., max(end, begin) :] = fill
    return found


def _fill(values: Tensor, outside: float) -> float:
    """Return what says that nobody knows, in whole numbers -1."""
    return outside if values.is_floating_point() or np.isfinite(outside) else -1


def _interpolate(values: Tensor, places: Array, outside: float = 0.0) -> Tensor:
    """Return values (item, ..., time) at places (item, time), by a windowed sinc; 0 beyond the record enters it."""
    if values.device.type == "cpu" and values.dtype == torch.float32 and not values.requires_grad:
        padded = functional.pad(values.reshape(len(values), -1, values.shape[-1]), (2 * HALF, 2 * HALF))
        found = torch.empty((*padded.shape[:2], places.shape[1]))
        at = np.ascontiguousarray(places, dtype=float)
        read_traces(padded.numpy(), at, _kernel(), np.float32(outside), found.numpy())
        return found.reshape(*values.shape[:-1], -1)
    return _interpolate_torch(values, places, outside)


def _interpolate_torch(values: Tensor, places: Array, outside: float) -> Tensor:
    """The same with gradients, on any device and of any floating type; sums are taken in float32."""
    n_item, n_time, n_new = len(values), values.shape[-1], places.shape[1]
    device, n_padded = values.device, n_time + 4 * HALF
    before = np.floor(places)
    phase = torch.as_tensor(((places - before) * N_PHASES + 0.5).astype(np.int32), device=device)
    inside = (places >= -0.5) & (places < n_time - 0.5)
    # All traces of an item are read at the same places: a row of the table is a sample of all of them. Contiguous,
    # since torch sums a strided table in another order
    flat = values.reshape(n_item, -1, n_time).float()
    table = functional.pad(flat.transpose(1, 2), (0, 0, 2 * HALF, 2 * HALF)).reshape(n_item * n_padded, -1)
    start = np.clip(before, -HALF - 1, n_time + HALF - 1).astype(np.int32) + HALF + 1
    first = torch.as_tensor(start + n_padded * np.arange(n_item, dtype=np.int32)[:, None], device=device)
    row = first.reshape(-1, 1) + torch.arange(2 * HALF, device=device, dtype=torch.int32)
    weights = torch.as_tensor(_kernel(), device=device).index_select(0, phase.reshape(-1))
    offsets = torch.arange(0, row.numel(), 2 * HALF, device=device, dtype=torch.int32)
    found = functional.embedding_bag(
        row.reshape(-1), table.contiguous(), offsets, mode="sum", per_sample_weights=weights.reshape(-1)
    )
    found = found.reshape(n_item, n_new, -1)
    if not inside.all():
        found = torch.where(torch.as_tensor(inside, device=device)[..., None], found, outside)
    return found.transpose(1, 2).reshape(*values.shape[:-1], n_new).to(values.dtype)


def _linear(values: Tensor, places: Array, outside: float = 0.0) -> Tensor:
    """Return values at places, linear between neighbours; NaN where the nearest one is NaN, it alone beside one."""
    n_time = values.shape[-1]
    before = np.clip(np.floor(places), 0, max(n_time - 2, 0))
    part = _spread(torch.as_tensor(np.clip(places - before, 0, 1)), values)
    low = _nearest(values, before, outside)
    high = _nearest(values, np.minimum(before + 1, n_time - 1), outside)
    mixed = low + (high - low) * part.to(values)
    near = _nearest(values, places, outside)
    return torch.where(mixed.isnan() | near.isnan() | _spread(_outside(places, n_time), values), near, mixed)


def _nearest(values: Tensor, places: Array, outside: float = 0.0) -> Tensor:
    nearest = np.floor(places + 0.5)
    n_time = values.shape[-1]
    number = torch.as_tensor(np.clip(nearest, 0, n_time - 1).astype(np.int64), device=values.device)
    shape = (*values.shape[:-1], places.shape[1])
    found = values.gather(-1, _spread(number, values).expand(shape))
    if not np.any((nearest < 0) | (nearest >= n_time)):
        return found
    return torch.where(_spread(_outside(places, n_time), values), torch.full_like(found, _fill(values, outside)), found)


def _outside(places: Array, n_time: int) -> Tensor:
    nearest = np.floor(places + 0.5)
    return torch.as_tensor((nearest < 0) | (nearest >= n_time))


def _spread(rows: Tensor, like: Tensor) -> Tensor:
    """Return (item, time) as a tensor that broadcasts over (item, ..., time)."""
    return rows.to(like.device).reshape(len(rows), *[1] * (like.ndim - 2), -1)


def interpolate_each(values: Tensor, places: Tensor, how: Reading, outside: float) -> Tensor:
    """Return values (item, ..., length) read along the last axis, each at a place of its own.

    Args:
        values: any leading axes.
        places: in samples, broadcasts to `values`.
        how: as data, linearly or at the nearest sample.
        outside: what lies beyond both ends.
    """
    n = values.shape[-1]
    places = places.to(values.device).expand(values.shape)
    nearest = torch.floor(places + 0.5)
    lost = (nearest < 0) | (nearest >= n)
    if how == "nearest" or not values.is_floating_point():
        found = values.gather(-1, nearest.clamp(0, n - 1).long())
    elif how == "linear":
        before = places.floor().clamp(0, max(n - 2, 0))
        part = (places - before).clamp(0, 1).to(values.dtype)
        low = values.gather(-1, before.long())
        high = values.gather(-1, (before + 1).clamp(max=n - 1).long())
        near = values.gather(-1, nearest.clamp(0, n - 1).long())
        found = low + (high - low) * part
        found = torch.where(found.isnan(), near, found)
    else:
        before = places.floor()
        phase = ((places - before) * N_PHASES + 0.5).long()
        kernel = torch.as_tensor(_kernel(), device=values.device)
        found = torch.zeros_like(values)
        for tap in range(2 * HALF):
            number = before.long() + (tap - HALF + 1)
            there = ((number >= 0) & (number < n)).to(values.dtype)
            found = found + values.gather(-1, number.clamp(0, n - 1)) * (kernel[phase, tap] * there)
    return torch.where(lost, torch.full_like(found, outside), found)


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
