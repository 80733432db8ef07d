"""Turning, mirroring, scaling and folding volumes and sections: dip and strike of faults turn with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from seisloom.augment.augmentation import Augmentation, AxisMap, AxisMaps, Draws, Kind
from seisloom.augment.batch import Batch
from seisloom.augment.labels import beyond, is_coordinate, reading, turn_normals
from seisloom.augment.resample import interpolate_each
from seisloom.augment.time import log_uniform

NOT_SPACE = ("channel", "component", "axis", "class", "mode")
"""Axes along which nothing has a place."""


class Flip(AxisMap):
    """Mirror some of the axes, one at least. Samples are copied bit for bit; dip and strike are mirrored with them."""

    kind: ClassVar[Kind] = "volume"
    name: str = "flip"
    p: float = Field(0.5, ge=0, le=1)
    """Probability that a sample is mirrored."""
    axes: tuple[str, ...] = Field(("inline", "crossline"), min_length=1)
    """Axes that may be mirrored; one of length 1, as of a section, is passed over."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return by axis `flip_<axis>` (item,), 1 or 0; some are 1 in each row."""
        axes = long_axes(self.axes, lengths, self.name)
        # All subsets but the empty one, alike: the bits of a number from 1 on
        subset = np.array([row.integers(1, 2 ** len(axes)) for row in rows], dtype=int)
        return {f"flip_{axis}": (subset >> k) & 1 for k, axis in enumerate(axes)}

    def axis_maps(self, batch: Batch, draws: Draws) -> AxisMaps:
        """Return j -> n - 1 - j for mirrored axes."""
        lengths = batch.lengths()
        maps = {}
        for axis in self.axes:
            if f"flip_{axis}" in draws:
                flip = draws[f"flip_{axis}"].astype(float)
                maps[axis] = 1.0 - 2.0 * flip, flip * (lengths[axis] - 1)
        return maps


class Scale(AxisMap):
    """Stretch axes by drawn factors about the middle: tan(dip) grows with the vertical factor, relative time follows.

    What lies beyond the volume is 0 in `x` and not known in labels: fault -1, rgt and dhr NaN.
    """

    kind: ClassVar[Kind] = "volume"
    in_order: ClassVar[tuple[str, ...]] = ("low", "high")
    name: str = "scale"
    low: float = Field(0.8, gt=2 / 3, le=1.5)
    """Least factor on lengths; below 2/3 the resampling would alias."""
    high: float = Field(1.25, gt=2 / 3, le=2.0)
    """Largest factor on lengths; each axis has its own."""
    axes: tuple[str, ...] = Field(("inline", "crossline", "time", "depth"), min_length=1)
    """Axes that are scaled, those that are there and longer than 1."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return by axis `factor_<axis>` (item,), log-uniform."""
        axes = long_axes(self.axes, lengths, self.name)
        return {f"factor_{axis}": log_uniform(self.low, self.high, rows) for axis in axes}

    def axis_maps(self, batch: Batch, draws: Draws) -> AxisMaps:
        """Return scale 1 / factor, and the shift that keeps the middle in its place."""
        lengths = batch.lengths()
        found = {axis: 1.0 / draws[f"factor_{axis}"] for axis in self.axes if f"factor_{axis}" in draws}
        return {axis: (a, (1.0 - a) * (lengths[axis] - 1) / 2) for axis, a in found.items()}


class Rotate90(Augmentation):
    """Turn a volume about its vertical axis by quarter turns: inline and crossline swap, strike turns.

    Where both axes have not the same length, half a turn is all that fits. Samples are copied bit for bit.
    """

    kind: ClassVar[Kind] = "volume"
    name: str = "rotate90"

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return `turns` (item,), quarters: 1 to 3, or 2 where lengths differ."""
        if min(lengths.get("inline", 1), lengths.get("crossline", 1)) < 2:
            raise ValueError("augment.rotate90: needs axes inline and crossline, both longer than 1")
        square = lengths["inline"] == lengths["crossline"]
        return {"turns": np.array([row.integers(1, 4) if square else 2 for row in rows])}

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the turned batch."""
        changes: dict[str, Tensor] = {}
        for field in batch.schema.fields:
            has = {"inline", "crossline"} & set(field.axes)
            if field.name not in batch.arrays or not has or any(is_coordinate(field, axis) for axis in has):
                continue
            if len(has) == 1 or field.name == "guess_rgt_steps":
                raise ValueError(f"augment.rotate90: field {field.name} does not turn; leave this entry out")
            dims = [batch.axis(field.name, axis) - 1 for axis in ("inline", "crossline")]
            turned = zip(batch.arrays[field.name], draws["turns"], strict=True)
            changes[field.name] = torch.stack([torch.rot90(one, int(k), dims) for one, k in turned])
        # new(inline i, crossline j) = old(j, n - 1 - i) for one quarter
        k = torch.as_tensor(draws["turns"])
        half, quarter = torch.where(k == 2, -1.0, 0.0), torch.where(k == 1, 1.0, torch.where(k == 3, -1.0, 0.0))
        return turn_normals(
            batch.with_arrays(**changes),
            {
                ("inline", "inline"): half, ("crossline", "crossline"): half,
                ("inline", "crossline"): quarter, ("crossline", "inline"): -quarter,
            },
        )  # fmt: skip


class ElasticWarp(Augmentation):
    """Fold a volume smoothly: each sample is taken from a place that a sum of long waves moves along an axis.

    Several axes are moved one after the other. Dip and strike turn by the gradient of the displacement. The map is not
    affine, so it is not composed with others: what waits before it is resampled first.
    """

    kind: ClassVar[Kind] = "volume"
    name: str = "elastic_warp"
    axes: tuple[str, ...] = Field(("time", "depth"), min_length=1)
    """Axes along which is moved, those that are there and longer than 1."""
    max_shift: float = Field(0.05, gt=0, le=0.5)
    """Largest displacement as a share of the axis."""
    strength: float = Field(0.2, gt=0, le=0.5)
    """Largest change of distances along the axis: 0.2 presses and stretches by up to 20 %."""
    n_waves: int = Field(4, ge=1)
    """Plane waves that are added."""
    half_waves: int = Field(4, ge=1)
    """Most half-waves along any axis."""

    def draw(self, lengths: Mapping[str, int], rows: Sequence[np.random.Generator]) -> Draws:
        """Return by moved axis the `size` in shares of it and the `phase` (item, wave), and the `number` of half-waves
        (item, wave, axis), axes in alphabetic order."""
        draws: Draws = {}
        space = _space(lengths)
        for axis in long_axes(self.axes, lengths, self.name):
            size = np.stack([row.uniform(-1, 1, self.n_waves) for row in rows])
            high = self.half_waves + 1
            number = np.stack([row.integers(0, high, (self.n_waves, len(space))) for row in rows]).astype(float)
            # A wave that is the same everywhere would be a shift: it has one half-wave along the last axis at least
            number[..., -1] = np.maximum(number[..., -1], (number.sum(axis=-1) == 0))
            steepest = np.pi * (np.abs(size) * number[..., space.index(axis)]).sum(axis=1)
            room = np.minimum(self.max_shift / np.abs(size).sum(axis=1), self.strength / np.maximum(steepest, 1e-9))
            draws[f"size_{axis}"] = size * room[:, None]
            draws[f"number_{axis}"] = number
            draws[f"phase_{axis}"] = np.stack([row.uniform(0, 2 * np.pi, self.n_waves) for row in rows])
        return draws

    def apply(self, batch: Batch, draws: Draws) -> Batch:
        """Return the folded batch."""
        for axis in self.axes:
            if f"size_{axis}" in draws:
                batch = self._move(batch, axis, draws)
        return batch

    def _move(self, batch: Batch, axis: str, draws: Draws) -> Batch:
        lengths = batch.lengths()
        space = _space(lengths)
        device = batch.arrays["x"].device
        size, number, phase = (torch.as_tensor(draws[f"{one}_{axis}"]) for one in ("size", "number", "phase"))
        grid = [len(space) * [1] for _ in space]
        for k, one in enumerate(space):
            grid[k][k] = lengths[one]
        share = [torch.arange(lengths[one]) / max(lengths[one] - 1, 1) for one in space]
        shift = torch.zeros(())
        slopes = {one: torch.zeros(()) for one in space}
        for wave in range(self.n_waves):
            angle = _wide(phase[:, wave], len(space)).double()
            for k, part in enumerate(share):
                angle = angle + torch.pi * _wide(number[:, wave, k], len(space)) * part.double().reshape(1, *grid[k])
            amplitude = _wide(size[:, wave], len(space))
            shift = shift + amplitude * angle.cos()
            for k, one in enumerate(space):
                steep = -torch.pi * _wide(number[:, wave, k], len(space)) / max(lengths[one] - 1, 1)
                slopes[one] = slopes[one] + amplitude * steep * angle.sin()
        n = lengths[axis]
        along = torch.arange(n, dtype=torch.float64).reshape(1, *grid[space.index(axis)])
        places = (along + shift * (n - 1)).to(device)
        changes = {}
        for field in batch.schema.fields:
            if field.label == "point" and field.name in batch.arrays and axis == "time":
                raise ValueError(f"augment.elastic_warp: {field.name} is a point; use time_warp, which moves points")
            if field.name not in batch.arrays or axis not in field.axes or is_coordinate(field, axis):
                continue
            if not set(space) <= set(field.axes) or field.name == "guess_rgt_steps":
                raise ValueError(f"augment.elastic_warp: field {field.name} does not move; leave this entry out")
            dim, values = batch.axis(field.name, axis), batch.arrays[field.name]
            at = _in_axes(places, space, field.axes).movedim(dim, -1)
            read = interpolate_each(values.movedim(dim, -1), at, reading(field, values), beyond(field))
            changes[field.name] = read.movedim(-1, dim).contiguous()
        batch = batch.with_arrays(**changes)
        if "dip" not in batch.arrays:
            return batch
        jacobian = {
            (axis, one): _in_axes((one == axis) + slope * (n - 1), space, batch.schema["dip"].axes).to(device)
            for one, slope in slopes.items()
        }
        return turn_normals(batch, jacobian)


def long_axes(wanted: Sequence[str], lengths: Mapping[str, int], name: str) -> list[str]:
    """Return those of the axes that are there and longer than 1.

    Raises:
        ValueError: if there is none.
    """
    found = [axis for axis in wanted if lengths.get(axis, 1) > 1]
    if not found:
        raise ValueError(
            f"augment.{name}: the data has none of the axes {', '.join(wanted)} with two samples or more; "
            f"it has {', '.join(f'{axis} ({n})' for axis, n in lengths.items())}"
        )
    return found


def _space(lengths: Mapping[str, int]) -> list[str]:
    return sorted(axis for axis in lengths if axis not in NOT_SPACE)


def _wide(values: Tensor, n: int) -> Tensor:
    return values.reshape(-1, *[1] * n)


def _in_axes(values: Tensor, space: Sequence[str], axes: Sequence[str]) -> Tensor:
    """Return values (item, *space) with the axes of a field, of length 1 where the field has others."""
    order = [space.index(axis) + 1 for axis in axes if axis in space]
    turned = values.permute(0, *order)
    for k, axis in enumerate(axes):
        if axis not in space:
            turned = turned.unsqueeze(k + 1)
    return turned
