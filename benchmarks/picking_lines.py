"""First arrivals on the three field lines: unseen shots, a line never seen, a line with two of its shots.

    python benchmarks/picking_lines.py --data ML-feed --init runs/onset-synthetic --synthetic shards --out results

Every number is of `evaluate` on whole records of held-out shots. Errors in samples of 0.25 ms on every line. Prints
mean and standard deviation over folds or seeds (split, initialisation and draws), beside baselines that see no
waveform.

unseen shots   five folds, each shot of every line tested once by a network that never saw it; one network for all
               lines; calibrated across folds of its training shots.
never seen     trained on GEOSTACK, REFRAPY1 and synthetic lines, tested on REFRAPY2; calibrated on shots of the other
               lines, and then again on one shot of REFRAPY2 (each in turn), scored on the others.
two shots      the network of `never seen`, trained further with two shots of REFRAPY2 and calibrated on two others.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.bundle import open_predictor
from seisloom.recipe import Recipe, read_recipe
from seisloom.run.calibrate import with_calibration
from seisloom.run.evaluate import evaluate
from seisloom.run.train import train
from seisloom.run.write import write_shards
from seisloom.tasks.picking.convention import label_convention
from seisloom.tasks.picking.data import plan
from seisloom.tasks.picking.survey.build import build_manifest

LINES = {
    "GEOSTACK": [f"GEOSTACK/{1001 + k}" for k in range(20)],
    "REFRAPY1": [f"REFRAPY1/{2001 + k}" for k in range(5)],
    "REFRAPY2": [f"REFRAPY2/{3001 + k}" for k in range(9)],
}
SYNTHETIC = ["LAND00", "LAND01"]
"""Synthetic lines that are mixed in where a line is new."""
COLUMNS = ("hit 3", "hit 5", "median", "MAE", "MAE 80%", "MAE 50%", "in 90%", "width ms", "vs const")
Rows = dict[tuple[str, str], list[dict[str, Any]]]
"""The numbers of each fold or seed, by line and method."""


def shuffled(line: str, seed: int) -> list[str]:
    """Return the shots of a line in an order of the seed."""
    return [LINES[line][k] for k in np.random.default_rng(seed).permutation(len(LINES[line]))]


def fold_parts(fold: int) -> dict[str, list[str]]:
    """Return the shots of each part of one fold of five: a fifth of every line is tested."""
    test = [shot for line in LINES for shot in shuffled(line, 7)[fold::5]]
    free = {line: [shot for shot in shuffled(line, 100 + fold) if shot not in test] for line in LINES}
    valid = [*free["GEOSTACK"][:3], free["REFRAPY2"][0]]
    return {"test": test, "valid": valid, "calibrate": [*free["REFRAPY1"][:1], *free["REFRAPY2"][1:2]]}


class Benchmark:
    """What all splits share: where things lie, and the changes of the command line."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.out, self.init, self.changes = given.out.resolve(), given.init, list(given.changes)
        self.manifests, self.shards = self.out / "manifests", self.out / "shards"
        build_manifest(given.data, out=self.manifests)
        self.shift = "{}"
        if self.init:
            # Lines are mixed, so they need one convention: what the synthetic network calls an onset. GEOSTACK's picks
            # are then scored by it too, the other lines as they are
            bare = self.recipe({}, 0, init=None)
            late = label_convention(open_predictor(self.init), _records(bare, LINES["GEOSTACK"]))["GEOSTACK"]
            print(f"GEOSTACK's picks are {1e3 * late.median_s:.2f} ms late")
            self.shift = json.dumps({"GEOSTACK": -round(late.median_s, 5)})
        write_shards(self.recipe({}, 0, init=None), self.shards, force=True)
        for geometry in sorted(given.synthetic.iterdir()) if given.synthetic else []:
            link = self.shards / geometry.name
            if geometry.name.startswith(tuple(SYNTHETIC)) and not link.exists():
                link.symlink_to(geometry.resolve())

    def recipe(self, parts: dict[str, list[str]], seed: int, *changes: str, init: str | Path | None) -> Recipe:
        """Return the recipe of a split: shots in `train` train, or where there is no such part all that remain."""
        return read_recipe("picking", [
            f"data.root={self.manifests}", f"seed={seed}", f"split.named={json.dumps(parts)}",
            "split.valid=0", "split.calibrate=0", "split.test=0", "train.patience=50",
            "train.threads=1", "data.gather=[shot]",
            f"data.pick_shift_s={self.shift}", *([f"train.init_from={init}"] if init else []),
            *changes, *self.changes,
        ])  # fmt: skip


def unseen_shots(bench: Benchmark, n: int) -> Iterator[dict[tuple[str, str], dict[str, Any]]]:
    """Yield the rows of each fold; REFRAPY1+2 are also scored together."""
    for fold in range(n):
        recipe = bench.recipe(
            fold_parts(fold), fold, "train.epochs=8", "train.passes=12",
            'train.shares={"GEOSTACK": 0.55, "REFRAPY": 0.45}', init=bench.init,
        )  # fmt: skip
        folder = bench.out / f"unseen_{fold}"
        trained = train(recipe, folder, force=True)
        opened = open_predictor(folder)
        together = [one for one in _records(recipe, fold_parts(fold)["test"]) if one.geometry[0] != "GEOSTACK"]
        both, _ = evaluate([opened], together, folder / "refrapy")
        yield {**_rows(trained.report, folder.name), **_rows(both, folder.name, only="all lines", named="REFRAPY1+2")}


def never_seen(bench: Benchmark, n: int) -> Iterator[dict[tuple[str, str], dict[str, Any]]]:
    """Yield the rows of each seed, and those after each shot of the line has calibrated in its turn."""
    for seed in range(n):
        geostack, first = shuffled("GEOSTACK", 200 + seed), shuffled("REFRAPY1", 200 + seed)
        parts = {"valid": geostack[:2], "calibrate": [*geostack[2:10], first[0]], "test": LINES["REFRAPY2"]}
        recipe = bench.recipe(
            parts, seed, "train.epochs=8", "train.passes=2", "train.lr=5e-4",
            'train.shares={"GEOSTACK": 0.3, "REFRAPY": 0.2, "LAND": 0.5}', init=bench.init,
        )  # fmt: skip
        folder = bench.out / f"never_{seed}"
        trained = train(recipe, folder, shards=bench.shards, force=True)
        opened, records = open_predictor(folder), _records(recipe, LINES["REFRAPY2"])
        after = []
        for number in range(len(records)):
            others = records[:number] + records[number + 1 :]
            one, _ = evaluate([with_calibration(opened, records[number : number + 1])], others, folder / "after_one")
            after += list(_rows(one, folder.name).values())
        mean = {key: float(np.nanmean([row[key] for row in after])) for key in COLUMNS}
        yield {**_rows(trained.report, folder.name), ("REFRAPY2", "after one shot"): mean}


def two_shots(bench: Benchmark, n: int) -> Iterator[dict[tuple[str, str], dict[str, Any]]]:
    """Yield the rows of each seed; begins from the networks of `never_seen`, with its picks of other lines."""
    for seed in range(n):
        geostack, second = shuffled("GEOSTACK", 200 + seed), shuffled("REFRAPY2", 300 + seed)
        parts = {"valid": geostack[:2], "calibrate": second[2:4], "test": second[4:]}
        recipe = bench.recipe(
            parts, seed, "train.epochs=8", "train.passes=1", "train.lr=5e-4", "calibrate.folds=0",
            'train.shares={"REFRAPY2": 0.5, "GEOSTACK": 0.1, "REFRAPY1": 0.1, "LAND": 0.3}',
            init=bench.out / f"never_{seed}",
        )  # fmt: skip
        folder = bench.out / f"two_{seed}"
        yield _rows(train(recipe, folder, shards=bench.shards, force=True).report, folder.name)


def _records(recipe: Recipe, shots: Sequence[str]) -> list[Any]:
    from seisloom.tasks.picking.records import records

    return list(records(recipe, [ref for ref in plan(recipe) if ref.groups["shot"] in set(shots)]))


def _rows(
    report: dict[str, Any], name: str, *, only: str | None = None, named: str | None = None
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows of a report by line and method; the network goes by the name `seisloom`."""
    return {
        (named or line, "seisloom" if method == name else method): row
        for line, table in report["tables"].items()
        if only is None or line == only
        for method, row in table.items()
    }


SPLITS = {"unseen shots": (unseen_shots, 5), "never seen": (never_seen, 3), "two shots": (two_shots, 3)}


def main() -> None:
    """Run what is asked for and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="survey with the three lines")
    parser.add_argument("--init", default=None, help="bundle of synthetic lines to begin from (onset_synthetic.yaml)")
    parser.add_argument("--synthetic", type=Path, default=None, help="shards of synthetic lines, to mix in")
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--n", type=int, default=None, help="folds or seeds; by default 5 folds, 3 seeds")
    parser.add_argument("--only", choices=list(SPLITS), default=None)
    parser.add_argument("changes", nargs="*", help="changes of the recipe: key=value")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    given.out.mkdir(parents=True, exist_ok=True)
    bench = Benchmark(given)
    print(f"machine: {platform.machine()}, {platform.processor() or 'cpu'}, Python {platform.python_version()}")
    for name, (split, usual) in SPLITS.items():
        if given.only not in (None, name):
            continue
        found: Rows = {}
        start, n = time.monotonic(), given.n or usual
        for rows in split(bench, n):
            print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
            for key, row in rows.items():
                found.setdefault(key, []).append(row)
        show(name, n, found)


def show(name: str, n: int, found: Rows) -> None:
    """Print a table: mean and standard deviation over folds or seeds."""
    print(f"\n{name}, n = {n}: mean (standard deviation)")
    print("| line | method | " + " | ".join(COLUMNS) + " |\n|" + " --- |" * (len(COLUMNS) + 2))
    for (line, method), rows in found.items():
        cells = []
        for column in COLUMNS:
            values = np.array([row.get(column) for row in rows if row.get(column) is not None], dtype=float)
            cells.append(f"{values.mean():.3g} ({values.std():.2g})" if values.size else "-")
        print(f"| {line} | {method} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
