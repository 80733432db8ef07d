"""Missing traces filled on recorded panels: every method tuned by hidden traces alone, and the gate over all of them.

    python benchmarks/restoration.py [--seeds 5] [--hidings 6] [--rows viking mobil] [--patterns "irregular 50"]

A number is the SNR in dB on missing traces only, 10 log10(|d|^2 / |d - d'|^2), median over mask seeds. For each mask
the parameters of each method are found by hiding live traces (`seisloom.signal.restoration.search`); no missing trace
is looked at before the score. The last columns are medians of the gate's SNR less that of linear interpolation, of the
best of POCS, f-x and MSSA, and of the best classical method for each mask, which nobody knows beforehand. Msamples/s
is of one filling in the time of one core, median over masks. At the end stands how far the SNR that the gate says to
expect is from the one that it has.

Data: Mobil AVO Viking Graben line (shots of 120 channels) and a common-receiver gather, SEG open data; Teapot Dome
line E, US DOE, public domain; Gulf of Mexico CDP gather after NMO, SeismicLab, MIT; Penobscot and F3, open data of
Nova Scotia and of the Netherlands. The first 512 samples of each.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from seisloom.convert import open_volume
from seisloom.io.gather import read_gather
from seisloom.io.volumes.grid import whole
from seisloom.metrics.restoration import missing_snr_db
from seisloom.sample import Array
from seisloom.signal.restoration.gate import gate
from seisloom.signal.restoration.hidden import hidings
from seisloom.signal.restoration.panel import Restore
from seisloom.signal.restoration.search import search
from seisloom.tasks.restoration.gated import network
from seisloom.tasks.restoration.methods import FILLERS
from seisloom.tasks.restoration.patterns import draw_pattern

METHODS = {kind().name: kind() for kind in FILLERS}
"""Each searches its parameters on the panel, as `seisloom apply NAME` does."""
CLASSICS = ("pocs", "fx", "mssa")
"""Methods that look at frequencies and know no slopes: what most packages offer."""
PATTERNS = ("irregular 30", "irregular 50", "irregular 70", "jittered 2", "regular 2", "regular 3", "gap 5", "edge 5")
N_TIME = 512
"""Samples of each panel that are looked at."""


def read_panels(data: Path) -> dict[str, Array]:
    """Return panels (trace, time) by name; those that are not there are left out."""
    folder, found = data / "restoration", {}
    if (file := folder / "viking_small.segy").is_file():
        shots = read_gather(file).traces.reshape(4, 120, -1)
        found |= {f"viking {101 + k}": shots[k] for k in (0, 2)}
    if (file := folder / "mobil_receiver_gather.npy").is_file():
        found["mobil"] = np.load(file)
    for name, file in (
        ("teapot", folder / "teapot_dome_lineE.sgy"), ("gom_cdp_nmo", folder / "gom_cdp_nmo.su"),
    ):  # fmt: skip
        if file.is_file():
            found[name] = read_gather(file).traces
    for name, file in (
        ("penobscot", data / "interpretation" / "penobscot_xl1155.sgy"),
        ("f3", data / "interpretation" / "f3_two_inlines.sgy"),
    ):  # fmt: skip
        if file.is_file():
            volume = open_volume(file)
            values = volume.read(whole(volume.spec.grid.shape), "amplitude")
            found[name] = values[0] if values.shape[0] < values.shape[1] else values[:384, 0]
    return {name: np.ascontiguousarray(panel[:, :N_TIME], dtype=np.float64) for name, panel in found.items()}


def score(
    panel: Array, is_live: Array, seed: int, n_hidings: int, networks: dict[str, Restore]
) -> tuple[dict[str, float], dict[str, float], float]:
    """Return SNR in dB of each method and of the gate, seconds of one filling, and what the gate said too much."""
    hidden = hidings(is_live, n_hidings, np.random.default_rng([seed, 1]))
    chosen = {
        name: search(panel, is_live, method.choices, hidden).best.restore if len(method.choices) > 1 else
        method.choices[0].restore for name, method in METHODS.items()
    } | networks  # fmt: skip
    snr_db, seconds = {}, {}
    for name, restore in chosen.items():
        start = time.process_time()
        snr_db[name] = missing_snr_db(restore(panel, is_live), panel, is_live)
        seconds[name] = time.process_time() - start
    gated = gate(panel, is_live, chosen, hidden)
    snr_db["gate"] = missing_snr_db(gated.values, panel, is_live)
    return snr_db, seconds, gated.snr_db - snr_db["gate"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SEISLOOM_DATA", "../shared/data")))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--hidings", type=int, default=6)
    parser.add_argument("--rows", nargs="+", default=[""], help="panels whose names begin so")
    parser.add_argument("--patterns", nargs="+", default=PATTERNS)
    parser.add_argument("--networks", nargs="*", default=["restoration-prestack", "restoration-poststack"])
    options = parser.parse_args()
    panels = {name: panel for name, panel in read_panels(options.data).items() if name.startswith(tuple(options.rows))}
    networks = {name: network(name) for name in options.networks}
    columns = [*METHODS, *networks, "gate"]
    print(f"{'panel':12s} {'missing':13s}" + "".join(f"{name[-11:]:>12s}" for name in columns)
          + f"{'gate-linear':>13s}{'gate-classics':>14s}{'gate-best':>11s}")  # fmt: skip
    spent, sizes, regrets, too_much = defaultdict(list), [], [], []
    for name, panel in panels.items():
        for pattern in options.patterns:
            scores = []
            for seed in range(options.seeds):
                live = draw_pattern(pattern, len(panel), np.random.default_rng([seed, len(panel)]))
                snr_db, seconds, more = score(panel, live, seed, options.hidings, networks)
                scores.append([snr_db[column] for column in columns])
                too_much.append(more)
                sizes.append(panel.size / 1e6)
                for column, one in seconds.items():
                    spent[column].append(one)
            each = np.array(scores)
            best = each[:, : len(METHODS)].max(axis=1)
            classics = each[:, [columns.index(one) for one in CLASSICS]].max(axis=1)
            gains = [np.median(each[:, -1] - other) for other in (each[:, 0], classics, best)]
            regrets.append(gains[-1])
            cells = "".join(f"{median:12.1f}" for median in np.median(each, axis=0))
            print(f"{name:12s} {pattern:13s}{cells}{gains[0]:13.1f}{gains[1]:14.1f}{gains[2]:11.2f}", flush=True)
    rates = (np.median(np.array(sizes) / np.maximum(spent[column], 1e-4)) for column in columns[:-1])
    print(f"{'Msamples/s':26s}" + "".join(f"{rate:12.2f}" for rate in rates))
    within = np.mean(np.array(regrets) >= -0.3)
    print(f"gate within 0.3 dB of the best classical method in {within:.0%} of {len(regrets)} rows, "
          f"worst {min(regrets):.2f} dB")  # fmt: skip
    low, middle, high = np.percentile(too_much, [5, 50, 95])
    print(f"the gate promises {middle:.1f} dB more than it gives (median; 90 % from {low:.1f} to {high:.1f} dB)")


if __name__ == "__main__":
    main()
