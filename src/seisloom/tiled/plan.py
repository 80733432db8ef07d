"""What a room and a user say of a volume that goes through a predictor in tiles, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from seisloom.fingerprint import Fingerprint
from seisloom.inference.pace import Pace
from seisloom.inference.sweep import Swept, Tiling
from seisloom.io.volumes.grid import Grid
from seisloom.sample import Array, Predictor
from seisloom.signal.survey_scale import SurveyScale


def no_advice(found: Fingerprint) -> Iterable[str]:
    """Say nothing: any survey fits."""
    return ()


@dataclass(frozen=True, slots=True)
class Tiled:
    """What a room makes of a volume: how it is cut, scaled, predicted and put together."""

    tiling: Tiling
    scale: SurveyScale
    blended: tuple[str, ...]
    """Outputs of the predictor that are blended."""
    products: Mapping[str, str]
    """Variables that are written, and their units."""
    derive: Callable[..., Mapping[str, Array]]
    """Makes the variables from the blended outputs, voxel by voxel: `derive(outputs, scaling=...)`, with the survey's
    scaling for what has its unit. It can be pickled."""
    wrap: Callable[[Predictor], Predictor]
    """Brings a network to the face that tiles need, {"x": (batch, channel, *patch)} to (batch, *patch) for each of
    `blended`; it can be pickled."""
    integrated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Variables that no tile knows by itself, and what `derive` gives in place of each: its steps along every axis, ""
    for an axis of one sample. Steps stand on disk until all tiles are done, and are then integrated."""
    rising: bool = True
    """Whether what is integrated is made to rise along every trace, see `seisloom.inference.integrate.rising`."""
    recorded: tuple[str, ...] = ()
    """Products that are the volume itself, filled: traces that are not dead are written there as they were read."""
    advise: Callable[[Fingerprint], Iterable[str]] = no_advice
    """What is said of how a survey fits the predictor, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job runs, and what it may take there.

    What is None is chosen: on the cores of this machine by measurement, see `seisloom.inference.pace`, where the volume
    takes long and the number of workers is not given; else it is 1, and on a cluster there are as many as it has.
    """

    workers: int | None = None
    cluster: str | Executor | None = None
    """Address of a Dask scheduler, or what is open already; None takes processes of this machine."""
    threads: int | None = None
    """That torch uses in each worker; with the tiles they decide the last bit of a result."""
    batch_size: int | None = None
    """Tiles that go through the model at once; they too decide the last bit. None begins with that of the tiling."""
    memory_mb: float = 512
    """That a worker may take beside the model, in 10^6 bytes."""
    device: str = "cpu"
    """That the predictor runs on, such as cpu or cuda; it too decides the last bit."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written, and what was met."""

    files: tuple[Path, ...]
    grid: Grid
    fingerprint: Fingerprint
    swept: Swept
    pace: Pace
    """Workers, threads and batch that it was done with."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenWrapped:
    """Opens a predictor in a worker: with a number of threads, and the face that tiles need."""

    open: Callable[[], Predictor]
    wrap: Callable[[Predictor], Predictor]

    def __call__(self, threads: int) -> Predictor:
        import torch

        torch.set_num_threads(threads)
        return self.wrap(self.open())
