"""The fingerprint of a survey: amplitudes, dead and padded traces, periods, and whether its axes fit, in one pass.

Models keep the part they need, and inference scales by it: the statistics of a survey, never those of a tile.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from seisloom.compute import InThisProcess, run_jobs
from seisloom.inference.heap import tidy_heap
from seisloom.io.volumes.grid import Box, box_shape, box_size, boxes
from seisloom.io.volumes.volume import AMPLITUDE, Volume
from seisloom.progress import track
from seisloom.sample import Array
from seisloom.signal.axes import AxisLook, Verdict, axis_verdict, look_along
from seisloom.signal.sketch import SHIFT, AmplitudeSketch, ExactSum
from seisloom.signal.trace_kernels import measure_traces

PERCENTILES = (0.1, 0.5, 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.5, 99.9)
N_WINDOWS = 16
"""Windows along a trace that the RMS is given for."""
PADDED = 0.02
"""A trace is padded where zeros fill more than this share of it at one end, and at least PADDED_SAMPLES."""
PADDED_SAMPLES = 8
PASS_BYTES = 1 << 26
PROBES, PROBE = 27, 96
"""Boxes that periods and axes are judged by, and their edge: at places that depend on the survey's shape alone."""
POLARITY = 0.1
"""How far the strongest positive and negative amplitudes must be apart to call one of them the stronger."""


@dataclass(frozen=True)
class Fingerprint:
    """What one pass over a variable of a volume found; all of it depends on the data alone, not on how it was read."""

    variable: str
    n_samples: int
    """That were counted: of live traces, without padding, finite."""
    n_traces: int
    """Live ones: those of the grid without holes."""
    n_holes: int
    n_dead: int
    """Live traces whose samples are all 0."""
    n_padded: int
    """Traces that zeros begin or end, longer than 2 % of the trace."""
    n_not_finite: int
    percentiles: Mapping[str, float]
    """Amplitude by per cent of the samples."""
    rms: float
    rms_by_window: tuple[float, ...]
    """RMS in 16 windows of equal length along the trace; NaN where there was nothing to count."""
    axes: Mapping[str, AxisLook]
    """By name of the axis: its dominant period in samples, and what tells time from lateral axes."""
    axis_order: Verdict
    """Whether the last axis looks like time or depth: fits, does not, undecided."""
    polarity: str
    """Which of the strongest amplitudes are stronger: positive, negative, undecided. Reported, never changed."""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Return all of it as JSON values; NaN becomes None."""
        return {
            "variable": self.variable, "n_samples": self.n_samples, "n_traces": self.n_traces,
            "n_holes": self.n_holes, "n_dead": self.n_dead, "n_padded": self.n_padded,
            "n_not_finite": self.n_not_finite, "percentiles": {k: _plain(v) for k, v in self.percentiles.items()},
            "rms": _plain(self.rms), "rms_by_window": [_plain(one) for one in self.rms_by_window],
            "axes": {
                name: {"period": _plain(look.period), "mean_share": _plain(look.mean_share), "lobe": _plain(look.lobe)}
                for name, look in self.axes.items()
            },
            "axis_order": self.axis_order, "polarity": self.polarity, "notes": list(self.notes),
        }  # fmt: skip


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


@dataclass
class _Part:
    """What one box adds."""

    sketch: AmplitudeSketch = field(default_factory=AmplitudeSketch)
    squares: list[ExactSum] = field(default_factory=lambda: [ExactSum() for _ in range(N_WINDOWS)])
    counted: Array = field(default_factory=lambda: np.zeros(N_WINDOWS, dtype=np.int64))
    traces: Array = field(default_factory=lambda: np.zeros(5, dtype=np.int64))
    """Live, holes, dead, padded traces, and samples that are not finite."""
    pieces: list[tuple[int, Box, Array]] = field(default_factory=list)
    """Of probes: which one, where in it, and the samples as they are stored. They are not joined."""

    def join(self, other: _Part) -> None:
        self.sketch.join(other.sketch)
        for mine, theirs in zip(self.squares, other.squares, strict=True):
            mine.join(theirs)
        self.counted += other.counted
        self.traces += other.traces


def fingerprint(volume: Volume, name: str = AMPLITUDE, *, pool: Executor | None = None) -> Fingerprint:
    """Return the fingerprint of a variable; every sample is read once.

    Args:
        volume: any volume.
        name: its variable.
        pool: where boxes are read; in this process by default.
    """
    grid = volume.spec.grid
    whole, probes = _Part(), [np.zeros(box_shape(box), volume.spec.variables[name]) for box in _probes(grid.shape)]
    todo = list(_columns(volume, name))
    done = run_jobs(pool or InThisProcess(), partial(_look_at, volume=volume, name=name), todo, ahead=8)
    pairs = zip(todo, done, strict=True)
    n_all = math.prod(grid.shape)
    for _, part in track(pairs, total=n_all, what="fingerprint", unit="samples", size=lambda pair: box_size(pair[0])):
        whole.join(part)
        for n, place, values in part.pieces:
            probes[n][place] = values
    return _finished(name, whole, dict(zip(grid.names, look_along(probes, len(grid.axes)), strict=True)))


def _finished(name: str, whole: _Part, axes: Mapping[str, AxisLook]) -> Fingerprint:
    live, holes, dead, padded, not_finite = whole.traces.tolist()
    percentiles = {f"{one:g}": whole.sketch.quantile(one / 100) for one in PERCENTILES}
    n, total = int(whole.counted.sum()), ExactSum()
    for one in whole.squares:
        total.join(one)
    by_window = [
        math.sqrt(float(one) / count) if count else math.nan
        for one, count in zip(whole.squares, whole.counted.tolist(), strict=True)
    ]
    return Fingerprint(
        variable=name, n_samples=n, n_traces=live, n_holes=holes, n_dead=dead, n_padded=padded,
        n_not_finite=not_finite, percentiles=percentiles, rms=math.sqrt(float(total) / n) if n else math.nan,
        rms_by_window=tuple(by_window), axes=axes, axis_order=axis_verdict(list(axes.values())),
        polarity=_polarity(percentiles["0.1"], percentiles["99.9"]),
    )  # fmt: skip


def _polarity(low: float, high: float) -> str:
    if not (low < 0 < high):
        return "undecided"
    lean = (high + low) / (high - low)
    return "undecided" if abs(lean) < POLARITY else "positive" if lean > 0 else "negative"


def _columns(volume: Volume, name: str) -> Iterator[Box]:
    """Yield boxes of whole traces that follow the chunks of the file."""
    shape = volume.spec.grid.shape
    itemsize = volume.spec.variables[name].itemsize
    size = [min(chunk, n) for chunk, n in zip(volume.chunks, shape, strict=True)]
    size[-1] = shape[-1]
    for k in range(len(size) - 1):  # a file that any box may be read of has one chunk
        rest = itemsize * int(np.prod(size[:k])) * int(np.prod(size[k + 1 :]))
        size[k] = max(1, min(size[k], PASS_BYTES // rest))
    return boxes(shape, size)


def _look_at(box: Box, *, volume: Volume, name: str) -> _Part:
    tidy_heap()  # it runs in workers of its own, before anything else may
    part = _Part()
    live = volume.traces(box[:-1]).live
    values = volume.read(box, name)
    part.pieces = list(_pieces(box, values, volume.spec.grid.shape))
    n = values.shape[-1]
    # Without holes nothing is copied
    values = np.ascontiguousarray(values.reshape(-1, n) if live.all() else values[live], dtype=np.float32)
    edges = np.linspace(0, n, N_WINDOWS + 1).round().astype(np.int64)
    first, last, squares = measure_traces(values, SHIFT, edges, part.sketch.counts, part.counted)
    longest = max(PADDED * n, PADDED_SAMPLES)
    dead = first >= n
    padded = ~dead & ((first > longest) | (n - 1 - last > longest))
    not_finite = (last - first + 1)[~dead].sum() - part.counted.sum()
    part.traces += [live.sum(), (~live).sum(), dead.sum(), padded.sum(), not_finite]
    for total, column in zip(part.squares, squares.T, strict=True):
        total.add(column)  # over traces nothing is rounded
    return part


def _pieces(box: Box, values: Array, shape: tuple[int, ...]) -> Iterator[tuple[int, Box, Array]]:
    """Yield what probes share with a box whose samples are given: number, place in the probe, samples."""
    for n, probe in enumerate(_probes(shape)):
        shared = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(probe, box, strict=True)]
        if all(one.start < one.stop for one in shared):
            in_probe, in_box = (
                tuple(slice(one.start - own.start, one.stop - own.start) for one, own in zip(shared, of, strict=True))
                for of in (probe, box)
            )
            yield n, in_probe, values[in_box].copy()  # a copy, which lets go of the box


def _probes(shape: tuple[int, ...]) -> Iterator[Box]:
    """Yield boxes spread evenly over a survey."""
    n_each = max(1, round(PROBES ** (1 / len(shape))))
    cuts = []
    for n in shape:
        edge = min(PROBE, n)
        starts = np.unique(np.linspace(0, n - edge, n_each).round().astype(int)).tolist()
        cuts.append([slice(start, start + edge) for start in starts])
    return itertools.product(*cuts)
