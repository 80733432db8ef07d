"""First arrivals on the three field lines: unseen shots, a line never seen, a line with two of its shots.

    python benchmarks/picking_lines.py --data ML-feed --init runs/onset-synthetic --out results [--seeds 3]

Every number is of `evaluate` on whole records of held-out shots. Errors in samples of 0.25 ms on every line. Prints
mean and standard deviation over seeds (split and initialisation), beside baselines that see no waveform.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import time
from pathlib import Path

import numpy as np

from seisloom.bundle import open_predictor
from seisloom.recipe import read_recipe
from seisloom.run import evaluate, train, with_calibration
from seisloom.split import split
from seisloom.tasks.picking.survey.build import build_manifest
from seisloom.training.loader import LiveSource

GEOSTACK = [f"GEOSTACK/{1001 + k}" for k in range(20)]
REFRAPY1 = [f"REFRAPY1/{2001 + k}" for k in range(5)]
REFRAPY2 = [f"REFRAPY2/{3001 + k}" for k in range(9)]
COLUMNS = ("hit 3", "hit 5", "median", "MAE", "MAE 80%", "MAE 50%", "in 90%", "width ms", "vs const")


def parts(name: str, seed: int) -> dict[str, list[str]]:
    """Return the shots of each part for one split of one seed."""
    rng = np.random.default_rng(1000 + seed)

    def shuffled(shots: list[str]) -> list[str]:
        return [shots[k] for k in rng.permutation(len(shots))]

    if name == "GEOSTACK":
        g = shuffled(GEOSTACK)
        return {"train": g[:8], "valid": g[8:10], "calibrate": g[10:15], "test": g[15:]}
    if name == "REFRAPY":
        a, b = shuffled(REFRAPY1), shuffled(REFRAPY2)
        return {
            "train": a[:2] + b[:3], "valid": b[3:4], "calibrate": a[2:3] + b[4:6], "test": a[3:] + b[6:]
        }  # fmt: skip
    g = shuffled(GEOSTACK)
    two = shuffled(REFRAPY2)
    if name == "REFRAPY2 never seen":
        return {"train": g[:12] + REFRAPY1[:4], "valid": g[12:14], "calibrate": g[14:] + REFRAPY1[4:], "test": REFRAPY2}
    return {"train": two[:2] + REFRAPY1[:4], "valid": g[12:14], "calibrate": two[2:4], "test": two[4:]}


def run(name: str, seed: int, init: str | None, out: Path, changes: list[str]) -> dict[str, dict]:
    """Train and score one split; returns a row of numbers a method and line."""
    named = parts(name, seed)
    settings = [
        f"data.root={out / 'manifests'}", f"seed={seed}", f"split.named={json.dumps(named)}",
        "split.valid=0", "split.calibrate=0", "split.test=0", *([f"train.init_from={init}"] if init else []), *changes,
    ]  # fmt: skip
    if "REFRAPY2" in name:
        # Lines are mixed: one convention for all, measured by tools/label_convention.py on shots of GEOSTACK alone
        settings.append('data.pick_shift_s={"GEOSTACK": -0.0021}')
    used = {shot for shots in named.values() for shot in shots}
    settings.append(f"split.only={json.dumps(sorted(used))}")
    recipe = read_recipe("picking", settings)
    folder = out / f"{name.replace(' ', '_')}_{seed}"
    start = time.monotonic()
    trained = train(recipe, folder, force=True)
    report = trained.report
    print(f"{name}, seed {seed}: {time.monotonic() - start:.0f} s", flush=True)
    if name == "REFRAPY2 never seen":
        # Again, calibrated on one shot of the new line, and scored on its others
        source = LiveSource(trained.bundle.task, recipe)
        held = split(source.refs, seed=seed, config=recipe.split)["test"]
        first = parts("REFRAPY2 with two shots", seed)["train"][0]
        task = trained.bundle.task
        opened = with_calibration(
            open_predictor(folder), task.records(recipe, [ref for ref in held if ref.groups["shot"] == first])
        )
        others = list(task.records(recipe, [ref for ref in held if ref.groups["shot"] != first]))
        after, _ = evaluate([opened], others, folder / "after_one_shot")
        for line, rows in after["tables"].items():
            report["tables"].setdefault(line, {})["after one shot"] = next(iter(rows.values()))
    return report["tables"]


def main() -> None:
    """Run what is asked for and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--init", default=None)
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default=None)
    parser.add_argument("changes", nargs="*")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    given.out.mkdir(parents=True, exist_ok=True)
    build_manifest(given.data, out=given.out / "manifests")
    names = [given.only] if given.only else ["GEOSTACK", "REFRAPY", "REFRAPY2 never seen", "REFRAPY2 with two shots"]
    print(f"machine: {platform.machine()}, {platform.processor() or 'cpu'}, Python {platform.python_version()}")
    for name in names:
        found: dict[tuple[str, str], list[dict]] = {}
        for seed in range(given.seeds):
            tables = run(name, seed, given.init, given.out.resolve(), given.changes)
            for line, rows in tables.items():
                for method, row in rows.items():
                    label = name if method.startswith(name.replace(" ", "_")) else method
                    found.setdefault((line, label), []).append(row)
        print(f"\n{name}, {given.seeds} seeds: mean (standard deviation)")
        print("| line | method | " + " | ".join(COLUMNS) + " |\n|" + " --- |" * (len(COLUMNS) + 2))
        for (line, method), rows in found.items():
            cells = []
            for column in COLUMNS:
                values = np.array([row.get(column) for row in rows if row.get(column) is not None], dtype=float)
                cells.append(f"{values.mean():.3g} ({values.std():.2g})" if values.size else "-")
            print(f"| {line} | {method} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
