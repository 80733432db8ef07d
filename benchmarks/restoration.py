"""Missing traces filled on recorded panels: every method tuned by hidden traces alone, and the gate over all of them.

    python benchmarks/restoration.py [--seeds 5] [--hidings 4] [--rows viking mobil] [--patterns irregular_50]

A number is the SNR in dB on missing traces only, 10 log10(|d|^2 / |d - d'|^2), median over mask seeds. For each mask
the parameters of each method are found by hiding live traces (`seisloom.signal.restoration.search`); no missing trace
is looked at before the score. The last column is the median of the gate's SNR less that of the best method for each
mask, which nobody knows beforehand. Msamples/s is of one filling in the time of one core, median over masks.

Data: Mobil AVO Viking Graben line (shots of 120 channels) and a common-receiver gather, SEG open data; Teapot Dome
line E, US DOE, public domain; Gulf of Mexico CDP gather after NMO, SeismicLab, MIT. The first 512 samples of each.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from seisloom.io.gather import read_gather
from seisloom.metrics.restoration import missing_snr_db
from seisloom.sample import Array
from seisloom.signal.restoration import masks
from seisloom.signal.restoration.along_traces import cubic, linear
from seisloom.signal.restoration.fx import fx_fill
from seisloom.signal.restoration.gate import gate
from seisloom.signal.restoration.mssa import mssa_fill
from seisloom.signal.restoration.plane_wave import plane_wave_fill
from seisloom.signal.restoration.pocs import pocs_fill
from seisloom.signal.restoration.radon import radon_fill
from seisloom.signal.restoration.search import Candidate, grid, hidings, search
from seisloom.signal.restoration.soft_impute import soft_impute

SLOPES = [(-5.0, 5.0), (-5.0, 1.0), (-1.0, 5.0), (-2.0, 2.0)]
"""Samples a trace: any, events of either end of a spread, and nearly level ones."""
METHODS: dict[str, list[Candidate]] = {
    "linear": grid(linear),
    "cubic": grid(cubic, local=[False, True]),
    "pocs": grid(pocs_fill, weakest=[0.005, 0.03], n_traces=[24], slopes=[None, *SLOPES[1:3]]),
    "fx": grid(fx_fill, n_filter=[3, 5], n_traces=[16, 24]),
    "mssa": grid(mssa_fill, rank=[2, 3, 4], n_traces=[20], damping=[2], n_iterations=[40]),
    "soft_impute": grid(soft_impute, weakest=[0.01, 0.05], rank=[6], n_traces=[20], n_iterations=[12]),
    "plane_wave": grid(plane_wave_fill, slopes=SLOPES, n_beside=[2, 3]),
    "radon": grid(radon_fill, slopes=SLOPES, n_traces=[12, 20]),
}
PATTERNS = ("irregular_30", "irregular_50", "regular_2", "gap_5")


def read_panels(folder: Path) -> dict[str, Array]:
    """Return panels (trace, time) by name."""
    viking = read_gather(folder / "viking_small.segy").traces.reshape(4, 120, -1)
    panels = {
        "viking 101": viking[0],
        "viking 103": viking[2],
        "mobil": np.load(folder / "mobil_receiver_gather.npy"),
        "teapot": read_gather(folder / "teapot_dome_lineE.sgy").traces,
        "gom_cdp_nmo": read_gather(folder / "gom_cdp_nmo.su").traces,
    }
    return {name: np.ascontiguousarray(panel[:, :512]) for name, panel in panels.items()}


def draw(pattern: str, n_traces: int, seed: int) -> Array:
    """Return which traces are live."""
    rng = np.random.default_rng([seed, n_traces])
    kind, number = pattern.split("_")
    if kind == "irregular":
        return masks.irregular(n_traces, int(number) / 100, rng)
    if kind == "regular":
        return masks.regular(n_traces, int(number), first=seed)
    return masks.gap(n_traces, max(round(int(number) / 100 * n_traces), 1), rng)


def score(panel: Array, is_live: Array, seed: int, n_hidings: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the SNR of each method and of the gate in dB, and the seconds of one filling."""
    hidden = hidings(is_live, n_hidings, np.random.default_rng([seed, 1]))
    snr_db, seconds, chosen = {}, {}, {}
    for name, candidates in METHODS.items():
        chosen[name] = search(panel, is_live, candidates, hidden).best.restore
        start = time.process_time()
        snr_db[name] = missing_snr_db(chosen[name](panel, is_live), panel, is_live)
        seconds[name] = time.process_time() - start
    snr_db["gate"] = missing_snr_db(gate(panel, is_live, chosen, hidden).values, panel, is_live)
    return snr_db, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("SEISLOOM_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data / "restoration")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--hidings", type=int, default=4)
    parser.add_argument("--rows", nargs="+", default=[""], help="panels whose names begin so")
    parser.add_argument("--patterns", nargs="+", default=PATTERNS, choices=PATTERNS)
    options = parser.parse_args()
    panels = {name: panel for name, panel in read_panels(options.data).items() if name.startswith(tuple(options.rows))}
    columns = [*METHODS, "gate"]
    print(f"{'panel':12s} {'missing':13s}" + "".join(f"{name:>12s}" for name in columns) + f"{'gate - best':>13s}")
    spent, sizes, regrets = defaultdict(list), [], []
    for name, panel in panels.items():
        for pattern in options.patterns:
            scores = []
            for seed in range(options.seeds):
                snr_db, seconds = score(panel, draw(pattern, len(panel), seed), seed, options.hidings)
                scores.append([snr_db[column] for column in columns])
                sizes.append(panel.size / 1e6)
                for column, one in seconds.items():
                    spent[column].append(one)
            each = np.array(scores)
            regret = np.median(each[:, -1] - each[:, :-1].max(axis=1))
            regrets.append(regret)
            cells = "".join(f"{median:12.1f}" for median in np.median(each, axis=0))
            print(f"{name:12s} {pattern:13s}{cells}{regret:13.2f}", flush=True)
    rates = (np.median(np.array(sizes) / np.maximum(spent[column], 1e-4)) for column in METHODS)
    print(f"{'Msamples/s':26s}" + "".join(f"{rate:12.2f}" for rate in rates))
    within = np.mean(np.array(regrets) >= -0.3)
    print(f"gate within 0.3 dB of the best method in {within:.0%} of {len(regrets)} rows, worst {min(regrets):.2f} dB")


if __name__ == "__main__":
    main()
