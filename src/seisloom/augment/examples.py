"""Small synthetic batches of each kind, with features that labels point at: to look at an augmentation, and to test it.

Each feature is large against noise of the size of the data, so that where it lies after a change can be measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from seisloom.augment.augmentation import Kind, generator
from seisloom.augment.bank import Bank
from seisloom.augment.batch import Batch
from seisloom.sample import Array, Field, Schema

BUMP_SAMPLES = 3.0
"""Standard deviation of the bump at a pick."""
BUMP_HEIGHT = 30.0
"""Of the bump: well above any noise, records are scaled to about 1."""
RIDGE_BINS = 3.0
"""Standard deviation of a ridge along velocity."""

GATHER = Schema(
    (
        Field("x", ("trace", "channel", "time")),
        Field("has_pick", ("trace",), "int8", label="class"),
        Field("y_idx", ("trace",), unit="sample", label="point"),
        Field("y_mask", ("trace", "time"), "int8", label="mask"),
        Field("fs", (), unit="Hz"),
        Field("t0_s", ("trace",), unit="s"),
        Field("offset_m", ("trace",), unit="m"),
    )
)
"""A gather with a pick on most traces."""
TRACE = Schema(
    (
        Field("x", ("channel", "time")),
        Field("has_pick", (), "int8", label="class"),
        Field("y_idx", (), unit="sample", label="point"),
        Field("y", ("class",), label="class"),
        Field("polarity", (), "int8", label="class"),
        Field("back_azimuth_deg", (), unit="degree", label="class"),
        Field("fs", (), unit="Hz"),
    )
)
"""Records of three components Z, N, E with a pick, a class and the direction they come from."""
PLACE = ("inline", "crossline", "time")
VOLUME = Schema(
    (
        Field("x", ("channel", *PLACE)),
        Field("fault", PLACE, label="mask"),
        Field("dip", PLACE, unit="degree", label="dense"),
        Field("strike", PLACE, unit="degree", label="dense"),
        Field("rgt", PLACE, label="dense"),
        Field("dhr", PLACE, label="dense"),
        Field("distance", PLACE, unit="sample", label="image"),
    )
)
"""A layered cube with a plane fault; `distance` is that from the plane along its normal."""
SPECTRUM = Schema(
    (
        Field("x", ("channel", "velocity", "frequency")),
        Field("curve", ("mode", "frequency"), unit="m/s", label="curve"),
        Field("mask", ("velocity", "frequency"), "int8", label="mask"),
        Field("velocity_m_s", ("velocity",), unit="m/s"),
        Field("frequency_hz", ("frequency",), unit="Hz"),
    )
)
"""A dispersion panel with ridges along two modes, the second from a cut-off frequency on."""


def gather_batch(*, n_item: int = 5, n_trace: int = 6, n_time: int = 240, epoch: int = 0) -> Batch:
    """Return a batch of gathers: a bump of height 30 at each pick, one trace of each gather unpicked."""
    rng = np.random.default_rng(0)
    y = rng.uniform(0.35 * n_time, 0.65 * n_time, (n_item, n_trace)).astype(np.float32)
    offset_m = rng.uniform(1, 100, (n_item, n_trace)).astype(np.float32)
    # Traces of different size, or their order could not be told
    x = _bumps(y, n_time) * np.linspace(0.9, 1.0, n_trace, dtype=np.float32)[:, None]
    has = np.ones((n_item, n_trace), dtype=np.int8)
    for item in range(n_item):
        blank = int(generator("blank", item).integers(n_trace))
        has[item, blank], y[item, blank] = -1, -1
    samples = np.arange(n_time)
    arrays: dict[str, Array] = {
        "x": x[:, :, None],
        "has_pick": has,
        "y_idx": y,
        "y_mask": ((np.abs(samples - y[..., None]) <= 2) & (has[..., None] == 1)).astype(np.int8),
        "fs": np.full(n_item, 1000, dtype=np.float32),
        "t0_s": np.full((n_item, n_trace), -0.01, dtype=np.float32),
        "offset_m": offset_m,
    }
    return _batch("gather", arrays, GATHER, epoch)


def trace_batch(*, n_item: int = 6, n_time: int = 400, epoch: int = 0) -> Batch:
    """Return a batch of records Z, N, E: a bump at each pick, largest on Z, and white noise of deviation 1."""
    rng = np.random.default_rng(1)
    y = rng.uniform(0.35 * n_time, 0.65 * n_time, n_item).astype(np.float32)
    azimuth = rng.uniform(0, 360, n_item)
    size = np.stack([np.ones(n_item), 0.5 * np.cos(np.radians(azimuth)), 0.5 * np.sin(np.radians(azimuth))], axis=1)
    polarity = rng.choice([-1, 1], n_item)
    bumps = (polarity[:, None] * size)[..., None] * _bumps(y, n_time)[:, None]
    arrays: dict[str, Array] = {
        "x": (bumps + rng.normal(size=bumps.shape)).astype(np.float32),
        "has_pick": np.ones(n_item, np.int8),
        "y_idx": y,
        "y": np.eye(2, dtype=np.float32)[np.arange(n_item) % 2],
        "polarity": polarity.astype(np.int8),
        "back_azimuth_deg": azimuth.astype(np.float32),
        "fs": np.full(n_item, 100, dtype=np.float32),
    }
    return _batch("trace", arrays, TRACE, epoch)


def volume_batch(*, n_item: int = 3, shape: tuple[int, int, int] = (18, 18, 32), epoch: int = 0) -> Batch:
    """Return a batch of cubes with dipping layers, x = sin(20 rgt), and one plane fault each."""
    rng = np.random.default_rng(2)
    inline, crossline, time = np.meshgrid(*(np.arange(float(n)) for n in shape), indexing="ij")
    found: dict[str, list[Array]] = {name: [] for name in ("x", "fault", "dip", "strike", "rgt", "dhr", "distance")}
    for _ in range(n_item):
        dip, strike = rng.uniform(50, 80), rng.uniform(20, 160)
        d, s = np.radians(dip), np.radians(strike)
        normal = -np.cos(d), np.sin(d) * np.cos(s), -np.sin(d) * np.sin(s)  # time, crossline, inline
        middle = [(n - 1) / 2 for n in shape]
        distance = (
            normal[0] * (time - middle[2]) + normal[1] * (crossline - middle[1]) + normal[2] * (inline - middle[0])
        )
        slopes = rng.uniform(-0.2, 0.2, 2)
        rgt = (time + slopes[0] * crossline + slopes[1] * inline) / shape[2]
        on = (np.abs(distance) < 0.7).astype(float)
        layers = np.sin(20 * rgt)
        values = layers[None], on, dip * on, strike * on, rgt, layers, distance
        for name, one in zip(found, values, strict=True):
            found[name].append(one.astype(np.float32))
    return _batch("volume", {name: np.stack(some) for name, some in found.items()}, VOLUME, epoch)


def spectrum_batch(*, n_item: int = 3, n_velocity: int = 96, n_frequency: int = 60, epoch: int = 0) -> Batch:
    """Return a batch of panels of 100 to 900 m/s and 3 to 30 Hz, a ridge of height 1 along each mode."""
    rng = np.random.default_rng(3)
    velocity, frequency = np.linspace(100, 900, n_velocity), np.linspace(3, 30, n_frequency)
    step = velocity[1] - velocity[0]
    x, curves = [], []
    for _ in range(n_item):
        slow, fast, turn = rng.uniform(200, 260), rng.uniform(450, 520), rng.uniform(8, 14)
        first = slow + (fast - slow) / (1 + (frequency / turn) ** 2)
        second = np.where(frequency > 1.3 * turn, first + 220, np.nan)
        curve = np.stack([first, second])
        ridges = np.exp(-0.5 * ((velocity[:, None] - curve[:, None]) / (RIDGE_BINS * step)) ** 2)
        x.append(np.nan_to_num(ridges).max(axis=0)[None])
        curves.append(curve)
    curve = np.stack(curves)
    near = np.nanmin(np.abs(velocity[:, None] - curve[:, :, None]), axis=1) <= step
    arrays = {
        "x": np.stack(x).astype(np.float32),
        "curve": curve.astype(np.float32),
        "mask": near.astype(np.int8),
        "velocity_m_s": np.tile(velocity, (n_item, 1)).astype(np.float32),
        "frequency_hz": np.tile(frequency, (n_item, 1)).astype(np.float32),
    }
    return _batch("spectrum", arrays, SPECTRUM, epoch)


MAKERS: Mapping[Kind, Callable[..., Batch]] = {
    "gather": gather_batch, "trace": trace_batch, "volume": volume_batch, "spectrum": spectrum_batch,
}  # fmt: skip
"""A maker of an example by kind."""


def bank_like(batch: Batch) -> Bank:
    """Return a bank of the batch's own samples; a partner is never the sample itself."""
    return Bank.of(batch.keys, {name: one.detach().cpu().numpy() for name, one in batch.arrays.items()})


def _bumps(y: Array, n_time: int) -> Array:
    bumps = BUMP_HEIGHT * np.exp(-0.5 * ((np.arange(n_time) - y[..., None]) / BUMP_SAMPLES) ** 2)
    return np.asarray(bumps, dtype=np.float32)


def _batch(kind: str, arrays: Mapping[str, Array], schema: Schema, epoch: int) -> Batch:
    tensors = {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in arrays.items()}
    n_item = len(next(iter(arrays.values())))
    return Batch(tensors, tuple(f"{kind}-{item}" for item in range(n_item)), schema, epoch)
