"""Writing shards against an ObsPy loop that makes the same windows, and our loader against a bare WebDataset loop.

    OMP_NUM_THREADS=1 python benchmarks/shards_and_loader.py [--traces 10000]

Both pairs run in this process, one after the other, on the same synthetic survey; quote the ratios. The survey is of
lines so short that nearly every trace has a pick: the loop makes no windows of noise.
"""

from __future__ import annotations

import argparse
import io
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
import webdataset
from obspy.io.segy.core import _read_segy
from obspy.signal.trigger import classic_sta_lta
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, hilbert, sosfiltfilt

from seisloom.io.shards import Shards
from seisloom.physics.survey import SurveyConfig
from seisloom.recipe import read_recipe
from seisloom.run.write import write_shards
from seisloom.task import task_of
from seisloom.tasks.picking.survey.build import build_manifest
from seisloom.tasks.picking.survey.manifest import read_manifest
from seisloom.tasks.picking.survey.synth import write_survey
from seisloom.training.loader import Items, KeyedBatches


def seven_channels(x: np.ndarray, fs_hz: float) -> np.ndarray:
    """Return the ancestor's channels the usual way: SciPy filter, ObsPy triggers, moving windows."""
    sos = butter(2, [3, 12], "bandpass", fs=fs_hz, output="sos")
    bp = sosfiltfilt(sos, x)
    envelope = np.abs(hilbert(bp))
    stacks = [
        classic_sta_lta(bp, max(int(s * fs_hz), 1), max(int(lta * fs_hz), 2)) for s, lta in ((0.05, 0.5), (0.1, 1.0))
    ]
    smooth = uniform_filter1d(envelope, max(int(0.05 * fs_hz), 1))
    n = max(int(0.1 * fs_hz), 1)
    spread = np.sqrt(np.maximum(uniform_filter1d(bp**2, n) - uniform_filter1d(np.abs(bp), n) ** 2, 0))
    quiet = np.median(np.abs(bp)) + 1e-20
    snr = np.full(x.shape, 20 * np.log10(np.percentile(np.abs(bp), 92) / quiet))
    return np.stack([bp, *stacks, envelope, smooth, spread, snr]).astype(np.float32)


def obspy_loop(root: Path, out: Path) -> int:
    """Write one stored .npz a trace with ObsPy, window by window; return how many."""
    manifest = read_manifest(root)
    n_written = 0
    for segy_path, rows in manifest.groupby("segy_path"):
        stream = _read_segy(str(root / segy_path))
        for row in rows.itertuples():
            if row.pick_status != "picked":
                continue
            trace = stream[row.trace_index].copy()
            fs_hz = trace.stats.sampling_rate
            trace.resample(200.0)
            start = round((row.pick_time_s - row.delay_s - 2.0) * 200)
            window = np.zeros(1000)
            first, last = max(start, 0), min(start + 1000, trace.stats.npts)
            window[first - start : last - start] = trace.data[first:last]
            x = seven_channels(window, 200.0)
            y = np.abs(np.arange(1000) - 400) <= 8
            payload = io.BytesIO()
            np.savez(payload, x=x, y_mask=y.astype(np.int8), has_pick=np.int8(1), y_idx=np.int32(400), fs=fs_hz)
            (out / f"{n_written}.npz").write_bytes(payload.getvalue())
            n_written += 1
    return n_written


def main() -> None:
    """Time both pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_lines = max(given.traces // 2000, 1)
        config = SurveyConfig(kind="obs", n_geometries=n_lines, n_stations=10, n_shots=200, share_no_arrival=0)
        write_survey(config, folder / "survey")
        build_manifest(folder / "survey")
        changes = [
            f"data.root={folder / 'survey'}", "shards.win_mode=pick", "shards.target_fs=200", "shards.neg_k=0",
            'prepare=[{"name": "seed_features"}]', "data.gather=[none]", "shards.jitter_s=0",
        ]  # fmt: skip
        recipe = read_recipe("picking", changes)
        start = time.perf_counter()
        summaries = write_shards(recipe, folder / "shards")
        ours_s = time.perf_counter() - start
        n_ours = sum(one.n_samples for one in summaries)
        (folder / "loop").mkdir()
        start = time.perf_counter()
        n_loop = obspy_loop(folder / "survey", folder / "loop")
        loop_s = time.perf_counter() - start
        print(f"machine: {platform.machine()}, Python {platform.python_version()}; one process")
        print(f"shards, 7 channels: ours {n_ours / ours_s:.0f} windows/s, ObsPy loop {n_loop / loop_s:.0f} windows/s, "
              f"ratio {n_ours / ours_s / (n_loop / loop_s):.1f}")  # fmt: skip

        paths = [str(path) for path in sorted((folder / "shards").rglob("*.tar"))]
        start = time.perf_counter()
        n_bare = 0
        for sample in webdataset.WebDataset(paths, shardshuffle=False, empty_check=False):
            with np.load(io.BytesIO(sample["npz"]), allow_pickle=False) as arrays:
                _ = {key: arrays[key] for key in arrays.files}
            n_bare += 1
        bare_s = time.perf_counter() - start
        task, source = task_of(recipe), Shards(folder / "shards")
        items = task.group(recipe, source.refs, True)
        dataset = Items(task, recipe, source, items, training=True)
        start = time.perf_counter()
        n_loaded = sum(len(dataset[batch]) for batch in KeyedBatches(items, batch_size=64, seed=0, shuffle=True))
        loader_s = time.perf_counter() - start
        print(f"loader, shuffled and batched: ours {n_loaded / loader_s:.0f} samples/s, bare WebDataset "
              f"{n_bare / bare_s:.0f} samples/s, ratio {n_loaded / loader_s / (n_bare / bare_s):.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
