"""Traces a second on one core: the gather picker over whole records, and SeisBench's PhaseNet on the same records.

    python benchmarks/apply_rate.py FILE... [--method onset-refraction]

PhaseNet has random weights: only its architecture is timed. It is a peer under GPL-3, run here where it is installed
(pip install seisbench in an environment of its own) and never imported by the package; without it, ours alone is timed.
Both get arrays that are read already, and do their own preparation.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from seisloom.bundle import open_predictor
from seisloom.io.gather import read_gather
from seisloom.tasks.picking.data import prepare
from seisloom.tasks.picking.opening import open_records


def rate(work: Callable[[], None], n_traces: int, *, repeats: int = 5) -> float:
    """Return traces per second of processor time, the median of some runs after one that is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return n_traces / float(np.median(seconds))


def phasenet(traces: np.ndarray, fs_hz: float) -> Callable[[], None] | None:
    """Return a run of PhaseNet over every trace by windows of 3001 samples, half overlapping, or None without it."""
    try:
        import seisbench.models
    except ImportError:
        return None
    network = seisbench.models.PhaseNet(phases="PSN").eval()
    n_time = traces.shape[1]
    # As its own `annotate` does: half-overlapping windows, and a last one that ends with the record
    starts = sorted({*range(0, max(n_time - 3001, 0) + 1, 1500), max(n_time - 3001, 0)})

    def work() -> None:
        with torch.inference_mode():
            x = torch.from_numpy(traces)
            if n_time < 3001:
                x = torch.nn.functional.pad(x, (0, 3001 - n_time))
            windows = torch.stack([x[:, s : s + 3001] for s in starts], dim=1).flatten(0, 1)
            windows = windows - windows.mean(dim=-1, keepdim=True)
            windows = windows / (windows.std(dim=-1, keepdim=True) + 1e-9)
            for some in windows.split(256):
                network(some[:, None].expand(-1, 3, -1))

    return work


def main() -> None:
    """Time both on every SEG-Y or SEG-2 file given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--method", default="onset-refraction")
    given = parser.parse_args()
    torch.set_num_threads(1)
    picker = open_predictor(given.method)
    print(f"machine: {platform.machine()}, one thread, Python {platform.python_version()}; traces per second of CPU")
    for file in given.files:
        gather = read_gather(file)
        traces = gather.traces
        whole = rate(lambda g=gather: picker.task.apply(
            picker.recipe, picker.predictor, picker.calibration, open_records(picker.recipe, g)
        ), len(traces))  # fmt: skip
        prepared = rate(lambda t=traces, g=gather: prepare(picker.recipe, t, fs_hz=g.fs_hz), len(traces))
        shape = f"{traces.shape[0]} x {traces.shape[1]}"
        said = f"{file.name}, {shape}: {picker.name} {whole:.0f} (preparation alone {prepared:.0f})"
        peer = phasenet(traces, gather.fs_hz)
        if peer is not None:
            theirs = rate(peer, len(traces))
            said += f", PhaseNet {theirs:.0f}, ratio {whole / theirs:.2f}"
        print(said)


if __name__ == "__main__":
    main()
