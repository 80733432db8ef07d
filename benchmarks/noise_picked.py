"""How much noise a picker picks, and how many of the records that people picked, with and without the noise check.

    SEISLOOM_DATA=... python benchmarks/noise_picked.py [METHOD] [--seed 0]

Noise of 48 traces at 4 kHz: white, in bands, brown, in bursts, hum; and field records with their phases drawn anew.
Beside it the lines themselves: share kept of the traces that people picked, and the share of picks within 2.5 ms among
those that are kept and those that are not.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt

from seisloom.bundle import Opened, open_predictor
from seisloom.physics.survey import SurveyConfig
from seisloom.sample import Array
from seisloom.tasks.picking.noise_check import surrogate
from seisloom.tasks.picking.survey.build import build_manifest
from seisloom.tasks.picking.survey.synth import write_survey

FS_HZ, N_TRACES, N_TIME = 4000, 48, 4000
NEAR_S = 0.0025
LINES = ("GEOSTACK", "REFRAPY1", "REFRAPY2")


def band(rng: np.random.Generator, low_hz: float, high_hz: float) -> Array:
    """Return noise in a band, its beginning cut off: there the filter settles."""
    filters = butter(4, (low_hz, high_hz), "band", fs=FS_HZ, output="sos")
    return np.asarray(sosfilt(filters, rng.normal(size=(N_TRACES, 2 * N_TIME)))[:, N_TIME:])


def kinds_of_noise(rng: np.random.Generator) -> dict[str, Array]:
    """Return traces (trace, time) of each kind."""
    white = rng.normal(size=(N_TRACES, N_TIME))
    slow = sosfilt(butter(2, 20, fs=FS_HZ, output="sos"), rng.normal(size=white.shape))
    hum = 3 * np.sin(2 * np.pi * 50 * np.arange(N_TIME) / FS_HZ)
    brown = sosfilt(butter(2, 40, "high", fs=FS_HZ, output="sos"), np.cumsum(rng.normal(size=white.shape), axis=1))
    return {
        "white": white, "20 to 80 Hz": band(rng, 20, 80), "5 to 200 Hz": band(rng, 5, 200),
        "100 to 800 Hz": band(rng, 100, 800), "brown above 40 Hz": brown, "hum of 50 Hz and white": hum + white,
        "white in bursts": white * np.exp(30 * slow),
    }  # fmt: skip


def share_picked(opened: Opened, traces: Array, fs_hz: float) -> float:
    """Return the share of traces that are picked."""
    return float((opened.apply(traces, fs_hz=fs_hz)["status"] == "picked").mean())


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", nargs="?", default="onset-refraction")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with_check = open_predictor(given.method)
    without = with_check.with_changes(false_alarm_rate=None)
    rng = np.random.default_rng(given.seed)
    feed = Path(os.environ["SEISLOOM_DATA"]) / "picking" / "ML-feed"
    print(f"{given.method}: share of noise that is picked, accepted {with_check.recipe.apply.false_alarm_rate}")
    print(f"{'':34}{'checked':>9}{'not':>7}")
    noise = {kind: (traces, float(FS_HZ)) for kind, traces in kinds_of_noise(rng).items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_manifest(feed, out=folder)
        write_survey(SurveyConfig(n_geometries=4, n_stations=24, n_shots=8, seed=5), folder / "synthetic")
        build_manifest(folder / "synthetic")
        for line in LINES:
            place = folder / "geometries" / line / "picks_manifest.csv"
            [record, *_] = with_check.task.open(with_check.recipe, place, None)
            drawn = surrogate(record.x, seed=(given.seed, 7))[:, 0]
            noise[f"{line}, phases drawn anew"] = drawn, float(record.fs_hz)
        for kind, (traces, fs_hz) in noise.items():
            checked, plain = (share_picked(one, traces, fs_hz) for one in (with_check, without))
            print(f"{kind:34}{checked:9.2f}{plain:7.2f}")
        print(f"\n{'':34}{'kept':>9}{'not':>7}{'right of kept':>15}{'right of the rest':>19}")
        for line in (*LINES, "synthetic lines"):
            place = folder / "synthetic" if line not in LINES else folder / "geometries" / line / "picks_manifest.csv"
            tables = [one.apply(place) for one in (with_check, without)]
            here = [table[table["truth_s"].notna()] for table in tables]
            kept = [(table["status"] == "picked").to_numpy() for table in here]
            right = ((here[0]["time_s"] - here[0]["truth_s"]).abs() <= NEAR_S).to_numpy()
            rest = right[~kept[0]].mean() if (~kept[0]).any() else np.nan
            print(f"{line:34}{kept[0].mean():9.2f}{kept[1].mean():7.2f}{right[kept[0]].mean():15.2f}{rest:19.2f}")


if __name__ == "__main__":
    main()
