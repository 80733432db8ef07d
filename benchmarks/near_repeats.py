"""Consistency without labels on GEOSTACK: shots fired at almost one place must be picked at the lag of their waveforms.

    python benchmarks/near_repeats.py --data ML-feed --init runs/onset-synthetic --out results

Shots whose waveforms repeat each other (median correlation above 0.7 over the stations, band 10 to 300 Hz, first 80 ms)
are held out together, so that both picks of a pair come from one network that saw neither. Every pair of traces that
correlates above 0.9 counts. Samples of 0.25 ms. The human picks themselves, and AIC and STA/LTA, stand beside.
"""

from __future__ import annotations

import argparse
import json
import logging
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from seisloom.bundle import open_predictor
from seisloom.metrics.consistency import correlation_lag, near_repeat_consistency
from seisloom.recipe import Recipe, read_recipe
from seisloom.run.train import train
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.records import PickRecord, records
from seisloom.tasks.picking.survey.build import build_manifest

LINE, BAND_HZ, WINDOW_S, MAX_LAG_S, MIN_SHOT = "GEOSTACK", (10, 300), 0.08, 0.01, 0.7
COLUMNS = ("n_shot_pairs", "n_pairs", "within_3", "within_5", "within_9", "sd", "median_abs")


def windows(record: PickRecord) -> np.ndarray:
    """Return the first part of each trace in the band, shape (trace, time): where it begins follows no pick."""
    sos = butter(4, BAND_HZ, "bandpass", fs=record.fs_hz, output="sos")
    return sosfiltfilt(sos, record.x[:, 0].astype(float), axis=-1)[:, : round(WINDOW_S * record.fs_hz)]


def components(shots: list[str], alike: list[tuple[str, str]]) -> list[list[str]]:
    """Return the sets of shots that repeat each other, directly or through others, largest first."""
    of = {shot: {shot} for shot in shots}
    for first, second in alike:
        joined = of[first] | of[second]
        of.update(dict.fromkeys(joined, joined))
    found = {frozenset(some) for some in of.values() if len(some) > 1}
    return sorted((sorted(some) for some in found), key=lambda some: (-len(some), some))


def main() -> None:
    """Find the near-repeats, hold them out in folds, and print how consistent the picks are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--init", default=None)
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("changes", nargs="*")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    given.out.mkdir(parents=True, exist_ok=True)
    manifests = (given.out / "manifests").resolve()
    build_manifest(given.data, out=manifests)

    def recipe(held_out: list[str], valid: list[str]) -> Recipe:
        return read_recipe("picking", [
            f"data.root={manifests}", f"split.named={json.dumps({'test': held_out, 'valid': valid})}",
            "split.valid=0", "split.calibrate=0", "split.test=0", "data.gather=[shot]",
            "data.geometries=[GEOSTACK]", "train.epochs=8", "train.passes=20", "train.patience=50", "train.threads=1",
            *([f"train.init_from={given.init}"] if given.init else []), *given.changes,
        ])  # fmt: skip

    whole = recipe([], [])
    refs = [ref for ref in plan(whole) if ref.groups["geometry"] == LINE]
    by_shot = {f"{LINE}/{one.shot_id[0]}": one for one in records(whole, refs)}
    cut = {shot: windows(one) for shot, one in by_shot.items()}
    fs_hz = next(iter(by_shot.values())).fs_hz
    alike = []
    for first, second in combinations(by_shot, 2):
        both = [
            correlation_lag(a, b, max_lag=round(MAX_LAG_S * fs_hz))[0]
            for a, b in zip(cut[first], cut[second], strict=True)
        ]
        if np.median(both) > MIN_SHOT:
            alike.append((first, second))
    sets = components(list(by_shot), alike)
    print(f"{len(alike)} pairs of near-repeat shots in {len(sets)} sets: {sets}")

    shots = [shot for some in sets for shot in some]
    picks = {"human picks": {shot: by_shot[shot].truth_s for shot in shots}, "seisloom": {}}
    n_folds = min(given.folds, len(sets))
    for fold in range(n_folds):
        held_out = [shot for some in sets[fold::n_folds] for shot in some]
        free = [shot for shot in by_shot if shot not in held_out]
        folder = given.out / f"repeats_{fold}"
        train(recipe(held_out, free[:2]), folder, force=True)
        for name in ("seisloom", "aic", "sta_lta"):
            opened = open_predictor(folder if name == "seisloom" else name, recipe=whole)
            for shot in held_out:
                table = opened.task.apply(opened.recipe, opened.predictor, None, [by_shot[shot]])
                picks.setdefault(name, {})[shot] = table["time_s"].to_numpy()
    print("| picks | " + " | ".join(COLUMNS) + " |\n|" + " --- |" * (len(COLUMNS) + 1))
    for name, times in picks.items():
        found = near_repeat_consistency(
            np.concatenate([cut[shot] for shot in shots]), np.concatenate([times[shot] for shot in shots]),
            station=np.concatenate([by_shot[shot].station for shot in shots]),
            shot=np.repeat(shots, [by_shot[shot].n_traces for shot in shots]),
            fs_hz=fs_hz, max_lag_s=MAX_LAG_S, min_shot_correlation=MIN_SHOT, sample_s=0.00025,
        )  # fmt: skip
        print(f"| {name} | " + " | ".join(f"{found[column]:.3g}" for column in COLUMNS) + " |")


if __name__ == "__main__":
    main()
