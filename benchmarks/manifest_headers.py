"""Headers of a survey: our reader and `manifest build` beside segyio's bare header reads, one run, one file.

    python benchmarks/manifest_headers.py [n_traces] [n_samples]

The bare reads are segyio's `attributes(word)[:]` of the same words that our reader returns, as it opens a file by
default and memory-mapped, which is its fastest. One row repeats them on a file that the page cache does not hold, where
the system lets us drop it. The manifest is all of it: arrivals read, shots matched, CSV and report written.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import segyio

from seisloom.io.segy import read_headers, write_segy
from seisloom.io.segy.layout import WORDS
from seisloom.tasks.picking.survey.build import build_manifest

REPEATS = 5
N_CHUNK = 5000


def main() -> None:
    n_traces = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    n_samples = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        file = write_station(root, n_traces, n_samples)
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; ", end="")
        print(f"{n_traces} traces of {n_samples} samples, {file.stat().st_size / 1e6:.0f} MB; best of {REPEATS}")
        print(f"{'':30}{'seconds':>9}   speed of segyio's reads = 1, by default | memory-mapped")
        default, mapped = (best(partial(bare_reads, file, mapped=one)) for one in (False, True))
        compare("segyio, by default", default, default, mapped)
        compare("segyio, memory-mapped", mapped, default, mapped)
        compare("ours, headers", best(partial(read_headers, file)), default, mapped)
        compare("ours, manifest build", best(partial(build_manifest, root)), default, mapped)
        default, mapped = (best(partial(bare_reads, file, mapped=one), file) for one in (False, True))
        compare("segyio mapped, not cached", mapped, default, mapped)
        compare("ours, headers, not cached", best(partial(read_headers, file), file), default, mapped)


def write_station(root: Path, n_traces: int, n_samples: int) -> Path:
    """Write a survey of one station with every second shot picked, and return its SEG-Y file."""
    folder = root / "geometries" / "LINE"
    folder.mkdir(parents=True)
    shots = {"start": 1, "stop": n_traces + 1, "step": 1, "end_exclusive": True}
    (folder / "geometry.json").write_text(json.dumps({"id": "LINE", "assets": {"shots": shots}}))
    file, number = folder / "R01.segy", np.arange(1, n_traces + 1)
    parts = [number[k : k + N_CHUNK] for k in range(0, n_traces, N_CHUNK)]
    with file.open("wb") as out:
        for part in parts:
            write_segy(
                root / "part.segy", np.zeros((len(part), n_samples)), interval_s=0.001,
                headers={"field_record": part, "source_x": part * 1.25},
            )  # fmt: skip
            body = (root / "part.segy").read_bytes()
            out.write(body if part[0] == 1 else body[3600:])
    rows = "\n".join(f"R01,{shot},0.1" for shot in number[::2])
    (root / "arrivals.csv").write_text(f"station,shot_id,pick_time_s\n{rows}\n")
    return file


def bare_reads(file: Path, *, mapped: bool) -> list[object]:
    """Read every header word that our reader returns, with segyio alone."""
    with segyio.open(str(file), ignore_geometry=True, strict=False) as opened:
        if mapped:
            opened.mmap()
        return [opened.attributes(byte)[:] for byte, _ in WORDS.values()]


def best(work: Callable[[], object], uncached: Path | None = None) -> float:
    """Return the shortest time of some repeats in s; `uncached` is dropped from the page cache before each."""
    times = []
    for _ in range(REPEATS):
        if uncached is not None:
            descriptor = os.open(uncached, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(what: str, seconds: float, default_s: float, mapped_s: float) -> None:
    """Print one row of the table."""
    print(f"{what:30}{seconds:8.3f}s   {default_s / seconds:.2f} | {mapped_s / seconds:.2f}")


if __name__ == "__main__":
    main()
