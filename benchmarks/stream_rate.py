"""A day of three components through `seisloom apply BUNDLE day.mseed --out events.csv`: the command, and its parts.

    python benchmarks/stream_rate.py [--hours 24] [--rate 100] [--turns 3] [--threads 2] [--seed 0] [--folder FOLDER]

The day is synthesised from the seed: brown noise of a few sources, bursts every ten minutes, a gap of a minute; written
as miniSEED of 32-bit integers, Steim-2, as archives have it. The bundle is `cnn_spectrogram` of the recipe
`classification` after one epoch on a few synthetic events: what it says means nothing, and costs what a good one costs.
First the whole command, in a process of its own, start and imports counted; then its parts in this process: reading
(miniSEED to records), preparing (sampling rate, filter), windows (cutting and scaling), forward (the network), grouping
(events and the file). Medians over turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

START = "from seisloom.cli.main import main; main()"
"""What the command `seisloom` does."""


def write_day(path: Path, *, hours: float, fs_hz: float, seed: int) -> None:
    """Write three components with bursts and a gap."""
    from obspy import Stream, Trace, UTCDateTime

    rng = np.random.default_rng(seed)
    n = round(hours * 3600 * fs_hz)
    t = np.arange(round(60 * fs_hz)) / fs_hz
    starts = np.arange(300, hours * 3600 - 60, 600) * fs_hz
    stream = Stream()
    for channel in ("HHZ", "HHN", "HHE"):
        x = 200 * rng.standard_normal(n) + np.cumsum(rng.standard_normal(n)) * 0.1
        for start in starts.astype(int):
            burst = 4000 * rng.standard_normal(len(t)) * np.exp(-t / 8) * (t > 1)
            x[start : start + len(t)] += burst
        header = {"network": "XX", "station": "DAY", "channel": channel, "sampling_rate": fs_hz}
        cut = n // 2
        for first, last in ((0, cut), (cut + round(60 * fs_hz), n)):
            begin = {**header, "starttime": UTCDateTime(2024, 1, 1) + first / fs_hz}
            stream.append(Trace(np.round(x[first:last]).astype(np.int32), begin))
    stream.write(str(path), format="MSEED", encoding="STEIM2", reclen=4096)


def make_bundle(folder: Path) -> None:
    """Train one epoch on a few synthetic events."""
    from seisloom.recipe import read_recipe
    from seisloom.run.train import train

    changes = [
        "data.paths=[]", "data.synth.n_events=40", "data.channels=[Z,N,E]", "data.pick_s=null", "data.classes=[]",
        "model={name: cnn_spectrogram}", "represent=[{name: stft}]", "train.epochs=1", "train.loggers=[]",
        "train.accelerator=cpu",
    ]  # fmt: skip
    train(read_recipe("classification", changes), folder, force=True)


def seconds(run: Callable[[], object]) -> tuple[float, object]:
    """Return the time that a call takes, and what it returns."""
    start = time.perf_counter()
    found = run()
    return time.perf_counter() - start, found


def parts(bundle: Path, day: Path, out: Path) -> dict[str, float]:
    """Return the time of each part of the command, in this process."""
    from seisloom.bundle import open_predictor
    from seisloom.io.waveforms.files import read_waveforms
    from seisloom.tasks.classification import apply as room
    from seisloom.tasks.classification.records import open_records
    from seisloom.tasks.classification.write import write_classes

    found: dict[str, float] = {}
    found["opening the bundle"], opened = seconds(lambda: open_predictor(bundle, device="cpu"))
    found["reading"], _ = seconds(lambda: read_waveforms(day))
    whole, records = seconds(lambda: list(open_records(opened.recipe, day)))
    found["preparing"] = whole - found["reading"]
    found["windows"], _ = seconds(lambda: sum(1 for _ in room._windows(opened.recipe, records)))
    whole, table = seconds(lambda: room.apply(opened.recipe, opened.predictor, opened.calibration, records))
    found["forward"] = whole - found["windows"]
    found["grouping"], _ = seconds(lambda: write_classes(table, out))
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ask.add_argument("--hours", type=float, default=24.0, help="length of the record")
    ask.add_argument("--rate", type=float, default=100.0, help="sampling rate in Hz")
    ask.add_argument("--turns", type=int, default=3, help="how often everything is timed")
    ask.add_argument("--threads", type=int, default=2, help="threads of torch and NumPy")
    ask.add_argument("--seed", type=int, default=0, help="of the record")
    ask.add_argument("--folder", type=Path, help="where record and bundle are kept; found again there")
    given = ask.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        day, bundle, out = folder / f"day-{given.hours:g}-{given.rate:g}-{given.seed}.mseed", folder / "bundle", folder
        if not day.exists():
            write_day(day, hours=given.hours, fs_hz=given.rate, seed=given.seed)
        if not (bundle / "recipe.yaml").exists():
            make_bundle(bundle)
        words = [sys.executable, "-c", START, "apply", str(bundle), str(day), "--out"]
        environment = {**os.environ, "OMP_NUM_THREADS": str(given.threads)}
        import torch

        torch.set_num_threads(given.threads)
        spent: dict[str, list[float]] = {}
        for turn in range(given.turns):
            file = out / f"events-{turn}.csv"
            command = [*words, str(file), "--force"]
            before = os.times()
            run = partial(subprocess.run, command, check=True, env=environment, capture_output=True)
            took, _ = seconds(run)
            after = os.times()
            spent.setdefault("the whole command", []).append(took)
            busy = after.children_user + after.children_system - before.children_user - before.children_system
            spent.setdefault("the whole command, time of the processors", []).append(busy)
            for name, one in parts(bundle, day, file).items():
                spent.setdefault(name, []).append(one)
    print(f"{given.hours:g} h of 3 components at {given.rate:g} Hz, {given.threads} thread(s), {os.cpu_count()} cores, "
          f"torch {torch.__version__}; medians of {given.turns} turns")  # fmt: skip
    for name, times in spent.items():
        print(f"{name:42s} {statistics.median(times):7.2f} s ({min(times):.2f} to {max(times):.2f})")


if __name__ == "__main__":
    main()
