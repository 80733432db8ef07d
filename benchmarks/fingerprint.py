"""The fingerprint of a survey on one core, beside reading alone: MB of float32 samples a second of processor time.

    OMP_NUM_THREADS=1 python benchmarks/fingerprint.py [FILE...] [--shape 256 256 1144] [--repeats 5]

Without a file, noise of that shape is written as raw cube, SEG-Y and Zarr. Reading and fingerprint take turns, so that
what else the machine does disturbs both alike. `beyond reading` is what the numbers themselves cost; a part of it, the
periods by axis, is judged by 27 boxes of at most 96 samples an edge, and does not grow with the survey.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from math import prod
from pathlib import Path
from statistics import median

import numpy as np
from numcodecs import blosc

from seisloom.convert import create_volume, open_volume
from seisloom.fingerprint import fingerprint
from seisloom.io.volumes.grid import Axis, Grid, box_shape, boxes
from seisloom.io.volumes.volume import AMPLITUDE, Spec, Traces, Volume


def write_noise(path: Path, shape: tuple[int, ...]) -> None:
    """Write noise without its lowest frequencies, with a muted top, 16 inlines at a time."""
    axes = [Axis.regular(name, n) for name, n in zip(("inline", "crossline"), shape, strict=False)]
    grid = Grid((*axes, Axis.regular("time", shape[-1], step=0.004, unit="s")))
    writer = create_volume(path, Spec(grid, {AMPLITUDE: np.dtype("f4")}))
    rng = np.random.default_rng(0)
    for box in boxes(shape, (128 if path.suffix == ".zarr" else 16, *shape[1:])):
        values = np.diff(rng.standard_normal(box_shape(box), dtype=np.float32), axis=-1, prepend=0)
        values[..., : shape[-1] // 20] = 0
        writer.write_traces(box[:-1], Traces(np.ones(values.shape[:-1], bool)))
        writer.write(box, values)
    writer.finish()


def read_all(volume: Volume) -> None:
    """Read a volume as the fingerprint does, by boxes of whole traces."""
    shape = volume.spec.grid.shape
    size = [min(chunk, n, 64) for chunk, n in zip(volume.chunks[:-1], shape[:-1], strict=True)]
    for box in boxes(shape, (*size, shape[-1])):
        volume.traces(box[:-1])
        volume.read(box)


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def report(path: Path, repeats: int) -> None:
    """Print the rates of one file."""
    volume = open_volume(path)
    fingerprint(volume)  # compiles, or reads the cache
    megabytes = 4 * prod(volume.spec.grid.shape) / 1e6
    runs = [(seconds(lambda: read_all(volume)), seconds(lambda: fingerprint(volume))) for _ in range(repeats)]
    reading, all_of_it = (median(some) for some in zip(*runs, strict=True))
    rates = (megabytes / reading, megabytes / all_of_it, megabytes / (all_of_it - reading))
    print(f"{path.name:28}{megabytes:8.0f}" + "".join(f"{rate:16.0f}" for rate in rates))


def main() -> None:
    """Print a row a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--shape", type=int, nargs=3, default=[256, 256, 1144])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    blosc.set_nthreads(1)
    print(f"{platform.processor() or platform.machine()}, one core; MB/s of float32 samples")
    print(f"{'':28}{'MB':>8}{'reading':>16}{'fingerprint':>16}{'beyond reading':>16}")
    with tempfile.TemporaryDirectory() as folder:
        made = [Path(folder) / name for name in ("noise.f32", "noise.sgy", "noise.zarr")]
        for path in given.files or made:
            if not given.files:
                write_noise(path, tuple(given.shape))
            report(path, given.repeats)


if __name__ == "__main__":
    main()
