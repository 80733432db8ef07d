"""A volume through a small 3-D U-Net by tiles: time and peak memory beside MONAI's sliding_window_inference.

    python benchmarks/tiles.py [--size 192] [--patch 64] [--overlaps 0.25 0.5] [--batches 1 2 4] [--repeats 3]

Both sides have the same network, patch, overlap, batch size and cores, on the same volume in a raw file: MONAI in one
process with a thread a core, ours so too, and in a worker a core of one thread each. MONAI is run where it is installed
(pip install monai). Each run is a process of its own, and the sides take turns. Ours reads boxes
of the file and writes boxes of another; MONAI needs the whole in memory. Time is that of the inference with reading and
writing. Before it, forwards made over forwards needed for several workers, with border tiles kept and without; with
--memory, at the end, the peak for a small and a large volume with a model that costs nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

# torch and monai are imported where they are used: a child's peak is to be that of its own side


@dataclass(frozen=True)
class RawVolume:
    """A float32 file in C order, read and written by boxes. Not mapped: mapped pages would count as memory."""

    path: Path
    shape: tuple[int, int, int]

    def read(self, box: tuple[slice, ...]) -> np.ndarray:
        i, j, k = box
        rows = np.empty((i.stop - i.start, j.stop - j.start, self.shape[2]), np.float32)
        with self.path.open("rb") as file:
            for n, plane in enumerate(range(i.start, i.stop)):
                file.seek(4 * (plane * self.shape[1] + j.start) * self.shape[2])
                file.readinto(rows[n].data)
        return np.ascontiguousarray(rows[:, :, k])

    def write(self, box: tuple[slice, ...], values: np.ndarray, _: str) -> None:
        i, j, k = box
        with self.path.open("r+b") as file:
            for plane, section in zip(range(i.start, i.stop), values, strict=True):
                if k == slice(0, self.shape[2]):
                    file.seek(4 * (plane * self.shape[1] + j.start) * self.shape[2])
                    file.write(np.ascontiguousarray(section).data)
                    continue
                for row, trace in zip(range(j.start, j.stop), section, strict=True):
                    file.seek(4 * ((plane * self.shape[1] + row) * self.shape[2] + k.start))
                    file.write(np.ascontiguousarray(trace).data)


def unet(threads: int) -> Any:  # Any: a torch.nn.Module, which is not imported here
    """Return a 3-D U-Net with 8, 16 and 32 channels and random weights."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)

    def block(n_in: int, n_out: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv3d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.Conv3d(n_out, n_out, 3, padding=1), nn.ReLU()
        )

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.ModuleList([block(1, 8), block(8, 16), block(16, 32)])
            self.up = nn.ModuleList([block(48, 16), block(24, 8)])
            self.head = nn.Conv3d(8, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a = self.down[0](x)
            b = self.down[1](nn.functional.max_pool3d(a, 2))
            c = self.down[2](nn.functional.max_pool3d(b, 2))
            b = self.up[0](torch.cat([nn.functional.interpolate(c, scale_factor=2), b], 1))
            return self.head(self.up[1](torch.cat([nn.functional.interpolate(b, scale_factor=2), a], 1)))

    return UNet().eval()


def open_unet(threads: int) -> Callable[[Any], Any]:  # Any: a seisloom Predictor
    import torch

    network = unet(threads)

    def predict(arrays: Any) -> Any:
        with torch.inference_mode():
            return {"y": network(torch.from_numpy(arrays["x"])).numpy()[:, 0]}

    return predict


def open_nothing() -> Callable[[Any], Any]:  # Any: a seisloom Predictor
    return lambda arrays: {"y": arrays["x"][:, 0]}


def run_ours(given: argparse.Namespace, volume: RawVolume, out: RawVolume) -> dict[str, float]:
    """Sweep the volume; the grain is 64 samples, as of chunks."""
    import torch  # noqa: F401  loaded before the clock starts, as on the other side

    from seisloom.compute import executor
    from seisloom.inference.sweep import TileJob, Tiling, sweep

    tiling = Tiling(patch=(given.patch,) * 3, overlap=given.overlap, batch_size=given.batch)
    opening = partial(open_unet, given.threads) if given.model == "unet" else open_nothing
    job = TileJob(tiling, volume.shape, ("y",), volume.read, out.write, (64, 64, 64), opening)
    with executor(workers=given.workers) as pool:
        start = time.perf_counter()
        done = sweep(
            job, out.path.with_suffix(".scratch"), pool=pool, workers=given.workers, spill=given.keep, force=True
        )
        seconds = time.perf_counter() - start
    made = done.counts.forwards_made / done.forwards_needed
    return {
        "s": seconds, "ratio": made, "owners": done.n_owners, "kept_mb": done.counts.bytes_kept / 1e6,
        "fills": done.counts.forwards_filled, "tiles": done.forwards_needed,
    }  # fmt: skip


def run_monai(given: argparse.Namespace, volume: RawVolume, out: RawVolume) -> dict[str, float]:
    """Run MONAI with a Gaussian window (it has no cosine) on the whole volume in memory."""
    import torch
    from monai.inferers import sliding_window_inference

    network = unet(given.threads)
    start = time.perf_counter()
    x = torch.from_numpy(volume.read(tuple(slice(0, n) for n in volume.shape)))[None, None]
    with torch.inference_mode():
        y = sliding_window_inference(
            x, (given.patch,) * 3, given.batch, network, overlap=given.overlap, mode="gaussian"
        )
    out.write(tuple(slice(0, n) for n in volume.shape), y[0, 0].numpy(), "y")
    return {"s": time.perf_counter() - start}


def child(given: argparse.Namespace) -> None:
    """Run one side in this process and print what was measured, with its peak memory in MB."""
    volume, out = (RawVolume(given.folder / name, tuple(given.shape)) for name in ("x.f32", f"{given.side}.f32"))
    with out.path.open("wb") as file:
        file.truncate(volume.path.stat().st_size)
    found = (run_ours if given.side == "ours" else run_monai)(given, volume, out)
    # Of workers the largest is known: all together take no more than so many of it
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if given.workers > 1 else 0
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**found, "mb": (own + given.workers * worker) / 1024}))


def measure(folder: Path, side: str, shape: tuple[int, ...], **options: Any) -> dict[str, float]:  # Any: numbers, words
    """Return what a child process measures."""
    command = [sys.executable, __file__, "--side", side, "--folder", str(folder), "--shape", *map(str, shape)]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{side} failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def make_volume(folder: Path, shape: tuple[int, ...]) -> None:
    """Write noise as large as a survey, a plane at a time."""
    rng = np.random.default_rng(0)
    with (folder / "x.f32").open("wb") as file:
        for _ in range(shape[0]):
            file.write(rng.normal(size=shape[1:]).astype(np.float32).data)


def beside_monai(folder: Path, given: argparse.Namespace, shape: tuple[int, ...]) -> None:
    """Print time and memory of both sides, taking turns: ours in one process, ours in one a core, MONAI."""
    rows = [(overlap, batch, n) for overlap in given.overlaps for n in given.threads_list for batch in given.batches]
    there = has_monai()
    names = ["ours", "in workers", *(["MONAI"] if there else [])]
    print(
        f"\n{'overlap':>7} {'batch':>5} {'threads':>7}" + "".join(f"{name + ' s':>13}{'MB':>6}" for name in names),
        end="",
    )
    print("  time over MONAI's, and in workers (each turn)" if there else "")
    for overlap, batch, threads in rows:
        ways: list[tuple[str, dict[str, int]]] = [
            ("ours", {"threads": threads}), ("ours", {"threads": 1, "workers": threads}),
            ("monai", {"threads": threads}),
        ]  # fmt: skip
        options = {"overlap": overlap, "batch": batch, "patch": given.patch}
        turns = [
            [measure(folder, side, shape, **options, **way) for side, way in ways[: len(names)]]
            for _ in range(given.repeats)
        ]
        row = f"{overlap:7.2f} {batch:5d} {threads:7d}"
        for k in range(len(names)):
            row += f"{np.median([turn[k]['s'] for turn in turns]):13.1f}{max(turn[k]['mb'] for turn in turns):6.0f}"
        for k in range(len(names) - 1) if there else ():
            ratios = sorted(turn[k]["s"] / turn[-1]["s"] for turn in turns)
            row += f"  {np.median(ratios):.2f} (" + ", ".join(f"{one:.2f}" for one in ratios) + ")"
        print(row, flush=True)


def has_monai() -> bool:
    """Return whether MONAI can be imported; asked in a process of its own."""
    found = subprocess.run([sys.executable, "-c", "import monai.inferers"], capture_output=True, check=False)
    if found.returncode != 0:
        print("MONAI is not installed (pip install monai): ours alone is measured")
    return found.returncode == 0


def forwards(folder: Path, given: argparse.Namespace, shape: tuple[int, ...]) -> None:
    """Print forwards made over forwards needed for several workers."""
    print(f"\n{'workers':>7} {'owners':>6} {'tiles':>6}{'made/needed':>12}{'if not kept':>12}{'kept MB':>9}")
    for workers in (1, 2, 4):
        options = {"workers": workers, "patch": given.patch, "overlap": given.overlaps[0], "model": "nothing"}
        kept = measure(folder, "ours", shape, keep=1, **options)
        again = measure(folder, "ours", shape, keep=0, **options)
        print(f"{workers:7d} {kept['owners']:6.0f} {kept['tiles']:6.0f}{kept['ratio']:12.2f}", end="")
        print(f"{again['ratio']:12.2f}{kept['kept_mb']:9.0f}", flush=True)


def memory(folder: Path) -> None:
    """Print the peak for a small and a large volume with a patch of 128^3 and a model that costs nothing."""
    print(f"\n{'volume':>18} {'peak MB':>8} {'voxels/s':>12}")
    peaks = []
    for shape in ((256, 256, 256), (1024, 1024, 512)):
        make_volume(folder, shape)
        found = measure(folder, "ours", shape, patch=128, overlap=0.25, model="nothing")
        peaks.append(found["mb"])
        name = " x ".join(map(str, shape))
        print(f"{name:>18} {found['mb']:8.0f} {np.prod(shape) / found['s']:12.3g}", flush=True)
        for file in folder.glob("*.f32"):
            file.unlink()
    print(f"large over small: {peaks[1] / peaks[0]:.3f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--patch", type=int, default=64)
    parser.add_argument("--overlaps", type=float, nargs="+", default=[0.25, 0.5])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--threads-list", type=int, nargs="+", default=[os.cpu_count() or 1])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="also a volume of 2 GB, to see that memory stays")
    for name, kind in (("side", str), ("folder", Path), ("overlap", float)):
        parser.add_argument(f"--{name}", type=kind, help=argparse.SUPPRESS)
    for name, default in (("batch", 1), ("threads", 1), ("workers", 1), ("keep", 1)):
        parser.add_argument(f"--{name}", type=int, default=default, help=argparse.SUPPRESS)
    parser.add_argument("--model", default="unet", help=argparse.SUPPRESS)
    parser.add_argument("--shape", type=int, nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        child(given)
        return
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", end="")
    print(f"; volume {given.size}^3, patch {given.patch}^3, U-Net with 8, 16, 32 channels")
    folder = Path(tempfile.mkdtemp())
    try:
        shape = (given.size,) * 3
        make_volume(folder, shape)
        forwards(folder, given, shape)
        if given.repeats:
            beside_monai(folder, given, shape)
        if given.memory:
            memory(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
