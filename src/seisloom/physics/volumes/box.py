"""Any box of a drawn volume, equal to the same part of the whole to the last bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from seisloom.compute import n_cores
from seisloom.errors import DataError
from seisloom.physics.volumes import inverse_map as m
from seisloom.physics.volumes import kernels
from seisloom.physics.volumes.inverse_map import map_columns
from seisloom.physics.volumes.model import VolumeModel
from seisloom.physics.volumes.nearby import only_near
from seisloom.sample import Array

NAMES = ("seismic", "fault", "dip", "strike", "rgt", "dhr")
LABELS = ("fault", "dip", "strike", "rgt")
FEW_VOXELS = 1 << 18  # a thread costs more than it saves on a smaller box
NOTHING = np.empty((0, 0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Columns:
    """Runs compiled loops over the columns of a box, in as many threads as are allowed. Loops hold no lock."""

    threads: int

    def run(self, kernel: Callable[..., None], n_columns: int, *arguments: Any) -> None:  # Any: a kernel's own
        """Call `kernel(c0, c1, *arguments)` so that all columns from 0 to `n_columns` are done."""
        if self.threads == 1:
            kernel(0, n_columns, *arguments)
            return
        bounds = np.linspace(0, n_columns, 4 * self.threads + 1).astype(int)
        with ThreadPoolExecutor(self.threads) as pool:
            for done in [pool.submit(kernel, int(a), int(b), *arguments) for a, b in itertools.pairwise(bounds)]:
                done.result()


def make_box(
    model: VolumeModel, box: Sequence[slice] | None = None, wanted: Sequence[str] = NAMES, *, threads: int | None = None
) -> dict[str, Array]:
    """Return the image and the labels of a box of a volume, as float32 arrays of axes (inline, crossline, time).

    Args:
        model: a drawn volume.
        box: slices without a step along (inline, crossline, time), inside the volume; None is all of it.
        wanted: which arrays to make:
            seismic: amplitudes with noise and lateral blur; the nominal RMS of their signal is 1.
            dhr: the same layers with 1.25 times the frequency, without noise or blur; nominal RMS 1.
            fault: 1 within half the label's thickness of a fault whose throw can be seen, else 0.
            dip, strike: of the nearest fault in degrees on the sample grid, 0 where there is none. The unit normal in
                (depth, crossline, inline) is (-cos d, sin d cos s, -sin d sin s), 0 < d < 180, 0 <= s < 180.
            rgt: relative geological time, about 0 to 1 over the whole volume, rising with depth except across faults.
        threads: cores to use; None takes those that this process may use, and one for a small box.
    Returns:
        The arrays by name. They do not depend on the box, the threads, or what else is wanted.
    Raises:
        DataError: if the box is empty or not inside the volume, or a name is not known.
    """
    first, size = checked_box(model, box)
    for name in wanted:
        if name not in NAMES:
            raise DataError(f"{name!r} is none of the arrays of a synthetic volume; choose from {', '.join(NAMES)}")
    columns = Columns(allowed_threads(threads, int(np.prod(size))))
    images = [name for name in ("seismic", "dhr") if name in wanted]
    labels = {name: np.empty(size, np.float32) for name in LABELS} if any(n in wanted for n in LABELS) else {}
    margin = _margin(model, images)
    padded = size + 2 * margin
    reflectivity = np.empty(padded, np.float32) if images else NOTHING
    _run_map(model, columns, first, margin, size, reflectivity, labels)
    if images and model.variation[0] > 0:
        _vary(model, columns, first - margin, reflectivity)
    arrays = {name: labels[name] for name in LABELS if name in wanted}
    if "dhr" in images:
        arrays["dhr"] = _filtered(columns, reflectivity, margin, model.taps_hr, size)
    if "seismic" in images:
        arrays["seismic"] = _seismic(model, columns, reflectivity, margin, first, size)
    return {name: arrays[name] for name in wanted}


def nominal_depths(model: VolumeModel) -> Array:
    """Return depths in the stack of layers at columns spread over a volume, shape (column, time)."""
    low, high = model.rgt_range
    size, nothing = np.array([1, 1, model.shape[2]]), np.zeros(3, np.int64)
    depths = []
    for first in _spread(model):
        labels = {name: np.empty(size, np.float32) for name in LABELS}
        _run_map(model, Columns(1), first, nothing, size, NOTHING, labels)
        depths.append(labels["rgt"][0, 0].astype(np.float64) * (high - low) + low)
    return np.stack(depths)


def nominal_levels(model: VolumeModel) -> tuple[float, float]:
    """Return the RMS of `seismic` and `dhr` at columns spread over a volume, without blur, footprint and noise."""
    size, one, columns = np.array([1, 1, model.shape[2]]), Columns(1), _spread(model)
    margin = np.array([0, 0, max(len(model.taps), len(model.taps_hr)) // 2])
    power = np.zeros(2)
    for first in columns:
        reflectivity = np.empty(size + 2 * margin, np.float32)
        _run_map(model, one, first, margin, size, reflectivity, {})
        for n, taps in enumerate((model.taps, model.taps_hr)):
            power[n] += np.mean(_filtered(one, reflectivity, margin, taps, size).astype(np.float64) ** 2)
    level, level_hr = np.sqrt(power / len(columns))
    return float(level), float(level_hr)


def _spread(model: VolumeModel) -> list[Array]:
    """Return the tops of 5 x 5 columns of a volume, of 16 of a section, or of all where there are fewer."""
    n_i, n_j = (1, 16) if model.shape[0] == 1 else (5, 5)
    at_i, at_j = (
        np.unique(np.linspace(0, side - 1, n).round().astype(np.int64))
        for side, n in zip(model.shape, (n_i, n_j), strict=False)
    )
    return [np.array([i, j, 0]) for i in at_i for j in at_j]


def _run_map(
    model: VolumeModel,
    columns: Columns,
    first: Array,
    margin: Array,
    size: Array,
    reflectivity: Array,
    labels: dict[str, Array],
) -> None:
    """Fill the reflectivity of a box with its margins, and the labels of the box."""
    model = only_near(model, first - margin, size + 2 * margin)
    columns.run(
        map_columns,
        int((size[0] + 2 * margin[0]) * (size[1] + 2 * margin[1])),
        first,
        margin,
        model.faults,
        model.bends,
        model.controls,
        model.stack_numbers(),
        model.table,
        model.dims,
        reflectivity,
        *(labels.get(name, NOTHING) for name in ("rgt", "fault", "dip", "strike")),
        size[:2],
        int(size[2]),
        True if model.faults[:, m.DRAG].any() else None,
    )


def _vary(model: VolumeModel, columns: Columns, first: Array, reflectivity: Array) -> None:
    """Multiply reflectivity by 1 and smooth noise, in place; what would be turned in polarity is 0."""
    seed = np.random.SeedSequence(model.seed, spawn_key=(6,)).generate_state(1, np.uint64)[0]
    factor, shape = np.empty_like(reflectivity), reflectivity.shape
    spacing = np.array(model.variation[1:])
    columns.run(kernels.smooth_noise, shape[0] * shape[1], first, spacing, np.uint64(seed), factor)
    reflectivity *= np.maximum(np.float32(1) + np.float32(model.variation[0]) * factor, np.float32(0))


def _margin(model: VolumeModel, images: list[str]) -> Array:
    """Return how many voxels around a box its images depend on."""
    if not images:
        return np.zeros(3, np.int64)
    lateral = [len(taps) // 2 if "seismic" in images else 0 for taps in model.blur]
    taps = [model.taps if name == "seismic" else model.taps_hr for name in images]
    return np.array([*lateral, max(len(values) for values in taps) // 2])


def _filtered(columns: Columns, reflectivity: Array, margin: Array, taps: Array, size: Array) -> Array:
    """Return the reflectivity of the box inside its margins, convolved with a wavelet of an even number of taps."""
    out = np.empty(size, np.float32)
    # tap m is at time m - n + 1/2 and reflectivity k at time k - 1/2
    offset = np.array([margin[0], margin[1], margin[2] + len(taps) // 2])
    columns.run(kernels.convolve_time, int(size[0] * size[1]), reflectivity, offset, taps, out)
    return out


def _seismic(
    model: VolumeModel, columns: Columns, reflectivity: Array, margin: Array, first: Array, size: Array
) -> Array:
    blurred = _convolved_laterally(columns, reflectivity, model.blur)
    signal = _filtered(columns, blurred, np.array([0, 0, margin[2]]), model.taps, size)
    noise = _noise(model, columns, first, size)
    columns.run(kernels.finish, int(size[0] * size[1]), first, noise, model.noise.footprint, model.noise.bursts, signal)
    return signal


def _noise(model: VolumeModel, columns: Columns, first: Array, size: Array) -> Array:
    """Return noise of the box before bursts."""
    seeds = np.random.SeedSequence(model.seed, spawn_key=(4,)).generate_state(2, np.uint64)
    n_columns = int(size[0] * size[1])
    noise, parts = np.zeros(size, np.float32), model.noise
    if parts.coloured > 0:
        half = np.array([len(taps) // 2 for taps in parts.taps])
        raw = np.empty(size + 2 * half, np.float32)
        columns.run(kernels.white_noise, raw.shape[0] * raw.shape[1], first - half, seeds[0], raw)
        smooth = _convolved_laterally(columns, raw, parts.taps[:2])
        taps = np.float32(parts.coloured) * parts.taps[2]
        columns.run(kernels.convolve_time, n_columns, smooth, np.array([0, 0, 2 * half[2]]), taps, noise)
    if parts.white > 0:
        raw = np.empty(size, np.float32)
        columns.run(kernels.white_noise, n_columns, first, seeds[1], raw)
        noise += np.float32(parts.white) * raw
    if parts.coherent > 0:
        columns.run(
            kernels.add_events, n_columns, first, parts.events, parts.slopes, parts.coherent, int(size[1]), noise
        )
    return noise


def _convolved_laterally(columns: Columns, values: Array, taps: tuple[Array, Array]) -> Array:
    """Return the part of the values that both kernels fit into."""
    for axis, kernel in enumerate(taps):
        if len(kernel) == 1:
            continue
        shape = list(values.shape)
        shape[axis] -= len(kernel) - 1
        out = np.empty(shape, np.float32)
        columns.run(kernels.convolve_lateral, shape[0] * shape[1], values, kernel, int(axis == 0), int(axis == 1), out)
        values = out
    return values


def checked_box(model: VolumeModel, box: Sequence[slice] | None) -> tuple[Array, Array]:
    """Return the first voxel and the size of a box inside the volume."""
    if box is None:
        return np.zeros(3, np.int64), np.array(model.shape)
    if len(box) == 3 and all(part.step in (None, 1) for part in box):
        first = [0 if part.start is None else part.start for part in box]
        last = [side if part.stop is None else part.stop for part, side in zip(box, model.shape, strict=True)]
        if all(0 <= a < b <= side for a, b, side in zip(first, last, model.shape, strict=True)):
            return np.array(first, np.int64), np.array(last) - np.array(first)
    raise DataError(
        f"{tuple(box)} is no box of a volume of shape {model.shape}; write three slices with 0 <= start < stop <= side"
    )


def allowed_threads(threads: int | None, n_voxels: int) -> int:
    """Return how many threads to use for a box of so many voxels."""
    if threads is not None:
        if threads < 1:
            raise DataError(f"threads is {threads}; write 1 or more, or None for all that are allowed")
        return threads
    if n_voxels < FEW_VOXELS:
        return 1
    return n_cores()
