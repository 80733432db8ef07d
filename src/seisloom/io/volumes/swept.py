"""Boxes of volumes as a sweep of tiles reads and writes them; all can be pickled."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from seisloom.io.volumes.grid import Box, box_shape
from seisloom.io.volumes.raw.cube import Cube
from seisloom.io.volumes.volume import Volume, Writer
from seisloom.sample import Array
from seisloom.signal.survey_scale import Scaling

SCALED_BYTES = 1 << 20
"""Of a box that are scaled at once: they fit the cache of a core."""


@dataclass(frozen=True, slots=True)
class ReadScaled:
    """Reads boxes of a volume on the scale of its survey."""

    volume: Volume
    name: str
    scaling: Scaling

    def __call__(self, box: Box) -> Array:
        scaled = np.empty(box_shape(box), dtype=np.float32)
        first, chunk = box[0].start, self.volume.chunks[0]
        edges = [first, *range((first // chunk + 1) * chunk, box[0].stop, chunk), box[0].stop]
        for start, stop in itertools.pairwise(edges):  # of all chunks in a box at once zarr would hold two copies
            values = self.volume.read((slice(start, stop), *box[1:]), self.name)
            rows, step = scaled[start - first : stop - first], max(1, len(values) * SCALED_BYTES // values.nbytes)
            for k in range(0, len(values), step):
                rows[k : k + step] = self.scaling(
                    values[k : k + step], first=box[-1].start, n_time=self.volume.spec.grid.shape[-1]
                )
        return scaled


@dataclass(frozen=True, slots=True)
class WriteLive:
    """Writes boxes, with 0 where the grid has holes: nothing was recorded there. Steps go to files of their own."""

    volume: Volume
    writer: Writer
    steps: Mapping[str, Cube]
    kept: Mapping[str, str] = field(default_factory=dict)
    """What is written as it was read where a trace was recorded, and the variable of the volume that it is."""

    def __call__(self, box: Box, values: Array, name: str) -> None:
        if name in self.steps:
            self.steps[name].write(box, values)
            return
        live = self.volume.traces(box[:-1]).live
        if name in self.kept:
            # A trace is recorded or not as a whole: a box of its silent beginning does not say which
            source = self.volume.read((*box[:-1], slice(0, self.volume.spec.grid.shape[-1])), self.kept[name])
            is_recorded = np.isfinite(source).all(axis=-1) & (source != source[..., :1]).any(axis=-1)
            values = np.where(is_recorded[..., None], source[..., box[-1]], values)
        self.writer.write(box, values if live.all() else np.where(live[..., None], values, np.float32(0)), name)


@dataclass(frozen=True, slots=True)
class ReadSteps:
    """Reads boxes of steps; those of an axis of one sample are 0."""

    steps: Mapping[str, Cube]

    def __call__(self, box: Box, name: str) -> Array:
        return self.steps[name].read(box) if name else np.zeros(box_shape(box), dtype=np.float32)
