"""A variable that no tile knows by itself: integrated from the steps that tiles leave, and made to rise along time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from seisloom.compute import run_jobs
from seisloom.inference.integrate import integrate_volume, rising
from seisloom.io.volumes.grid import Box, boxes_of
from seisloom.io.volumes.raw.cube import Cube
from seisloom.io.volumes.swept import ReadSteps
from seisloom.sample import Array

RISING_BYTES = 32
"""A sample at the peak of `rising`: measured 21, and 4 each for what is read and written."""

WriteVariable: TypeAlias = Callable[[Box, Array, str], None]
"""Stores a box of a variable by its name; it can be pickled, and the edges of boxes fit the output."""


@dataclass(frozen=True, slots=True)
class Integrated:
    """Where a variable's steps wait on disk until all tiles are done, and how it is made of them."""

    variable: str
    names: tuple[str, ...]
    """Of its steps along each axis; "" for an axis of one sample."""
    folder: Path
    shape: tuple[int, ...]
    rising: bool

    @property
    def steps(self) -> dict[str, Cube]:
        """The steps by name."""
        return {name: Cube(self.folder / name, self.shape) for name in self.names if name}

    @property
    def _whole(self) -> Cube:
        """The variable itself, where it can be read by traces before it is written by boxes of the output."""
        return Cube(self.folder / self.variable, self.shape)

    def make_room(self) -> None:
        """Take the disk that is needed, see `Cube.make_room`."""
        self.folder.mkdir(exist_ok=True)
        for cube in (*self.steps.values(), *([self._whole] if self.rising else [])):
            cube.make_room()

    def write(self, write: WriteVariable, grain: tuple[int, ...], *, memory_mb: float, pool: Executor) -> None:
        """Integrate the steps and write the variable, as a share of the trace around a half: about 0 to 1.

        Args:
            write: where it goes.
            grain: edges of the boxes that are written are multiples of these lengths.
            memory_mb: as in `integrate_volume`.
            pool: where boxes are computed.
        """
        put = partial(_write_share, write, self.variable, self.shape[-1])
        at_once = self._whole.write if self.rising else put
        plan = integrate_volume(
            ReadSteps(self.steps), self.names, self.shape, at_once, grain, memory_mb=memory_mb, pool=pool
        )
        if self.rising:
            n_traces = int(memory_mb * 1e6 / RISING_BYTES) // self.shape[-1]
            _run(pool, partial(_raise_traces, self._whole), boxes_of(n_traces, self.shape[:-1]))
            _run(pool, partial(_copy, self._whole, put), plan.boxes())


def _write_share(write: WriteVariable, name: str, n_time: int, box: Box, values: Array) -> None:
    write(box, (values / n_time + 0.5).astype(np.float32), name)


def _raise_traces(cube: Cube, traces: Box) -> None:
    box = (*traces, slice(0, cube.shape[-1]))
    cube.write(box, rising(cube.read(box)))


def _copy(cube: Cube, put: Callable[[Box, Array], None], box: Box) -> None:
    put(box, cube.read(box))


def _run(pool: Executor, fn: Callable[[Box], None], jobs: Iterable[Box]) -> None:
    for _ in run_jobs(pool, fn, jobs):
        pass
