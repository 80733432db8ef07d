"""Peak memory of a volume from Zarr to Zarr by tiles, for a small and a large one; and the rates of its stages.

    python benchmarks/apply_memory.py [--scratch FOLDER] [--workers 1] [--memory-mb 512] [--json rates.json]
    python benchmarks/apply_memory.py --stages [--json rates.json]

The first form takes 256^3 and 1024 x 1024 x 512 samples of noise through a model that costs next to nothing, with a
patch of 128^3 and an overlap of 0.25. Each run is a process of its own. Its peak is VmHWM of that process, with
those of its workers added; pages of files that the system keeps for later do not count. About 6 GB of disk are needed.

The second form measures what `scale.py` needs, one thread each, and prints it as a table and
as JSON. --json adds what either form measured to a file.
Files fit the memory of the machine, so reading and writing them is the work of the processor and of the file system,
not that of a disk.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from math import prod
from pathlib import Path
from statistics import median

import numpy as np

SHAPES = ((256, 256, 256), (1024, 1024, 512))
PATCH, OVERLAP = 128, 0.25
CLOSE, LIMIT_MB = 1.1, 1500
"""Targets: the peak of the large volume over that of the small one, and of both."""
Arrays = Mapping[str, np.ndarray]


def smooth(arrays: Arrays) -> dict[str, np.ndarray]:
    """Return the mean of three neighbours along the trace, (batch, *patch)."""
    x = arrays["x"][:, 0]
    y = x.copy()
    y[..., 1:-1] += x[..., :-2] + x[..., 2:]
    y /= 3
    return {"smooth": y}


def open_smooth() -> Callable[[Arrays], dict[str, np.ndarray]]:
    """Return what is opened in each worker."""
    return smooth


def as_it_is(predictor: Callable[[Arrays], dict[str, np.ndarray]]) -> Callable[[Arrays], dict[str, np.ndarray]]:
    """Return the predictor: it has the face that tiles need."""
    return predictor


def unscaled(outputs: Arrays, *, scaling: object) -> Arrays:
    """Return what was blended."""
    return outputs


def write_noise(path: Path, shape: tuple[int, ...]) -> None:
    """Write noise, which is smoothed along the trace, a box of whole chunks at a time."""
    from seisloom.convert import create_volume
    from seisloom.io.volumes.grid import Axis, Grid, box_shape, boxes
    from seisloom.io.volumes.volume import Spec, Traces

    axes = [Axis.regular(name, n) for name, n in zip(("inline", "crossline"), shape, strict=False)]
    grid = Grid((*axes, Axis.regular("time", shape[-1], step=0.004, unit="s")))
    writer = create_volume(path, Spec(grid, {"amplitude": np.dtype("f4")}))
    rng = np.random.default_rng(0)
    step = (128, 128, 128) if path.suffix == ".zarr" else (16, shape[1], shape[2])
    for box in boxes(shape, step):
        values = rng.standard_normal(box_shape(box), dtype=np.float32)
        values[..., 1:] -= values[..., :-1].copy()
        if box[-1].start == 0:
            writer.write_traces(box[:-1], Traces(np.ones(box_shape(box[:-1]), bool)))
        writer.write(box, values)
    writer.finish()


# Memory


def resident_mb(process: int | str, what: str = "VmHWM") -> float:
    """Return the peak (VmHWM) or the present (VmRSS) resident memory of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return 0.0


def descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def apply_one(given: argparse.Namespace) -> None:
    """Run in this process, and print what was met as JSON."""
    from seisloom import tiled
    from seisloom.compute import executor
    from seisloom.inference.sweep import Tiling
    from seisloom.signal.survey_scale import SurveyScale

    tiling = Tiling(patch=(PATCH,) * 3, overlap=OVERLAP)
    made = tiled.Tiled(tiling, SurveyScale(), ("smooth",), {"smooth": "1"}, unscaled, as_it_is)
    out = given.scratch / "out.zarr"
    with executor(workers=given.workers) as pool:
        place = tiled.Place(given.workers, pool, memory_mb=given.memory_mb)
        before = resident_mb("self")
        start = time.perf_counter()
        done = tiled.apply_to_volume(
            lambda _: made, open_smooth, given.child, out, identity={"model": "smooth"}, place=place, force=True
        )
        seconds = time.perf_counter() - start
    counts = done.swept.counts
    print(
        json.dumps(
            {
                "s": seconds, "before_mb": before, "own_mb": resident_mb("self"), "owners": done.swept.n_owners,
                "made": counts.forwards_made, "needed": done.swept.forwards_needed, "kept_mb": counts.bytes_kept / 1e6,
            }
        )
    )  # fmt: skip


def watched(given: argparse.Namespace, source: Path) -> dict[str, float]:
    """Return what a process of its own met; its peak and its workers' are added."""
    command = [sys.executable, __file__, "--child", str(source), "--scratch", str(source.parent)]
    command += ["--workers", str(given.workers), "--memory-mb", str(given.memory_mb)]
    peaks: dict[int, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        while child.poll() is None:
            for worker in descendants(child.pid):
                with suppress(OSError):
                    peaks[worker] = max(peaks.get(worker, 0.0), resident_mb(worker))
            time.sleep(0.1)
        assert child.stdout is not None
        said = child.stdout.read()
    if child.returncode != 0:
        raise SystemExit(f"{source}: failed")
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return {**found, "peak_mb": found["own_mb"] + sum(peaks.values()), "worker_mb": max(peaks.values(), default=0.0)}


def remember(file: Path | None, found: dict[str, float]) -> None:
    """Add what was measured to a JSON file."""
    if file is None:
        return
    before = json.loads(file.read_text()) if file.is_file() else {}
    machine = f"{os.cpu_count()} cores of a shared server ({platform.machine()})"
    file.write_text(json.dumps({**before, "machine": machine, **found}, indent=1) + "\n")


def memory(given: argparse.Namespace, folder: Path) -> None:
    """Print a row a volume."""
    print(f"{given.workers} worker(s), patch {PATCH}^3, overlap {OVERLAP}, memory_mb {given.memory_mb:g}")
    print(
        f"{'volume':>18} {'peak MB':>8} {'largest worker':>15} {'before':>7} {'voxels/s':>10} "
        f"{'forwards made / needed':>23} {'owners':>6} {'MB kept':>8}"
    )
    peaks = []
    for shape in SHAPES:
        source = folder / "in.zarr"
        write_noise(source, shape)
        found = watched(given, source)
        peaks.append(found["worker_mb"] or found["own_mb"])
        print(
            f"{' x '.join(map(str, shape)):>18} {found['peak_mb']:8.0f} {peaks[-1]:15.0f} "
            f"{found['before_mb']:7.0f} {prod(shape) / found['s']:10.3g} "
            f"{found['made']:12.0f} / {found['needed']:<8.0f} {found['owners']:6.0f} {found['kept_mb']:8.0f}",
            flush=True,
        )
        for name in ("in.zarr", "out.zarr"):
            shutil.rmtree(folder / name)
    ratio = peaks[1] / peaks[0]
    print(
        f"a worker, large over small: {ratio:.3f} (target: within 10 %), largest {max(peaks):.0f} MB "
        f"(target: {LIMIT_MB})"
    )
    remember(given.json, {"small_peak_mb": peaks[0], "large_peak_mb": peaks[1]})
    if not 1 / CLOSE <= ratio <= CLOSE or max(peaks) > LIMIT_MB:
        print("TARGET MISSED")


# Rates


def rate(run: Callable[[], object], amount: float, repeats: int) -> float:
    """Return the median of amount over seconds."""
    rates = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        rates.append(amount / (time.perf_counter() - start))
    return median(rates)


def read_all(path: Path, step: tuple[int, ...]) -> None:
    """Read a volume by boxes."""
    from seisloom.convert import open_volume
    from seisloom.io.volumes.grid import boxes

    volume = open_volume(path)
    for box in boxes(volume.spec.grid.shape, step):
        volume.read(box)


def write_all(path: Path, values: np.ndarray) -> None:
    """Write an array to Zarr, with the chunks and the codec that are the default, by boxes of 256^3."""
    from seisloom.convert import create_volume
    from seisloom.io.volumes.grid import Axis, Grid, boxes
    from seisloom.io.volumes.volume import Spec

    names = ("inline", "crossline", "time")
    grid = Grid(tuple(Axis.regular(name, n) for name, n in zip(names, values.shape, strict=True)))
    writer = create_volume(path, Spec(grid, {"amplitude": np.dtype("f4")}), force=True)
    for box in boxes(values.shape, (256, 256, 256)):
        writer.write(box, values[box])
    writer.finish()


def store_rates(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    """Return MB/s of SEG-Y, of Zarr and of the fingerprint."""
    from seisloom.convert import open_volume
    from seisloom.fingerprint import fingerprint

    shape = (256, 256, 512)
    megabytes = 4 * prod(shape) / 1e6
    segy, store, copy = folder / "in.sgy", folder / "in.zarr", folder / "copy.zarr"
    write_noise(segy, shape)
    write_noise(store, shape)
    volume = open_volume(store)
    values = volume.read(tuple(slice(0, n) for n in shape))
    stored = sum(file.stat().st_size for file in (store / "amplitude").rglob("*") if file.is_file())
    apart = (128, 128, 352)  # what the tiles of one row of an owner cover
    return {
        "segy_read_mb_s": rate(lambda: read_all(segy, apart), megabytes, given.repeats),
        "zarr_read_mb_s": rate(lambda: read_all(store, (256, 256, 256)), megabytes, given.repeats),
        "zarr_write_mb_s": rate(lambda: write_all(copy, values), megabytes, given.repeats),
        "zarr_stored_share": stored / 1e6 / megabytes,
        "fingerprint_mb_s": rate(lambda: fingerprint(volume), megabytes, given.repeats),
    }


def tile_rates(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    """Return the rates of what is done with each tile beside the model: scaled, kept, taken back, blended."""
    from seisloom.inference.lattice import lattice
    from seisloom.inference.owners import Owners
    from seisloom.inference.spill import Kept, Spill
    from seisloom.signal.survey_scale import Scaling

    tiles = lattice((256, 256, 512), (PATCH,) * 3, overlap=0.0)
    owners = Owners(tiles, (256, 256, 256))
    source = owner = (0, 0, 0)
    mine = list(owners.shared(source, owner))
    values = np.random.default_rng(0).standard_normal((PATCH,) * 3, dtype=np.float32)
    kept = folder / "kept"
    kept.mkdir()
    megabytes = len(mine) * values.nbytes / 1e6

    def keep() -> None:
        with Spill(kept, owners, source, [owner]) as spill:
            for tile in mine:
                spill.keep(tile, {"y": values})

    def take() -> None:
        with Kept(kept, owners, owner, ["y"]) as there:
            for tile in mine:
                there.take(tile)

    def blend() -> None:
        sums = np.zeros((256, 256, 256))
        for tile in mine:
            in_tile, in_owner = owners.overlap(tile, owner)
            sums[in_owner] += tiles.weight(tile, in_tile) * values[in_tile]
        sums.astype(np.float32)

    scaling = Scaling(0.0, 0.5, (1.0,), 8.0)
    return {
        "scale_voxels_s": rate(lambda: scaling(values), values.size, 5 * given.repeats),
        "spill_write_mb_s": rate(keep, megabytes, given.repeats),
        "spill_read_mb_s": rate(take, megabytes, given.repeats),
        "blend_voxels_s": rate(blend, len(mine) * values.size, given.repeats),
    }


def hand_out(n: int) -> float:
    """Return the seconds in which the owners of a cube of n^3 are handed out, one after the other."""
    from seisloom.inference.lattice import lattice
    from seisloom.inference.owners import Owners, Queue

    tiles = lattice((256 * n,) * 3, (PATCH,) * 3, overlap=OVERLAP)
    start = time.perf_counter()
    queue = Queue(Owners(tiles, (256, 256, 256)))
    while (now := queue.take()) is not None:
        queue.finish(*now)
    return time.perf_counter() - start


def forward_rates(given: argparse.Namespace) -> dict[str, float]:
    """Return voxels/s of the room's small networks on one core, without gradients."""
    import torch

    from seisloom.tasks.interpretation.model import InterpretationUNet
    from seisloom.tasks.interpretation.network import InterpretationNetwork

    torch.set_num_threads(1)
    torch.manual_seed(0)
    found = {}
    for dims, place, repeats in ((2, (256, 256), 5 * given.repeats), (3, (PATCH,) * 3, given.repeats)):
        network = InterpretationNetwork(InterpretationUNet(dims=dims)).eval()  # type: ignore[arg-type]
        x = torch.randn(1, 1, *place)
        with torch.inference_mode():
            network({"x": x[..., :64, :64]})
            found[f"forward_{dims}d_voxels_s"] = rate(partial(network, {"x": x}), prod(place), repeats)
    return found


def stages(given: argparse.Namespace, folder: Path) -> None:
    """Print the rates, and write them."""
    import zarr

    zarr.config.set({"threading.max_workers": 1})
    found = {**store_rates(folder, given), **tile_rates(folder, given), **forward_rates(given)}
    found |= {f"hand_out_{n}_s": hand_out(n) for n in (8, 12)}
    rates = {name: float(f"{value:.3g}") for name, value in found.items()}
    for name, value in rates.items():
        print(f"{name:24}{value:12.3g}")
    print(json.dumps(rates, indent=1))
    remember(given.json, rates)


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", type=Path, help="folder for the volumes; they are removed")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--memory-mb", type=float, default=512)
    parser.add_argument("--stages", action="store_true", help="measure rates instead")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where the rates are written")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        apply_one(given)
        return
    folder = Path(tempfile.mkdtemp(dir=given.scratch))
    try:
        (stages if given.stages else memory)(given, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
