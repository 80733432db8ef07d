"""Pickers of dispersion curves side by side: synthetic media of other kinds, finite elements, and a field site.

    python benchmarks/dispersion_picker.py [--bundle dispersion-picker dispersion-picker:fit=false ...] [--records 600]

Synthetic: the packaged recipe `dispersion_picker_test`, whose media, arrays, sources and axes are of other kinds than
those of the training, and which no training has seen. Finite elements: ten gathers over two models whose curves another
code gave. Oysand: four gathers against 30 points that people picked, with their own bounds (of some 6 %). Recall is the
share of points (of frequencies at which the curve is known, for gathers) that are picked within 3 % (5 % for gathers).
A bundle may have keys of `apply` behind a colon. Several are scored on the same records; details by wavelength are of
the first one.

Data: finite-element gathers of swprocess (Vantassel & Cox, 2022, Geophysics 87), Oysand of MASWavesPy (Olafsdottir et
al., 2018, Can. Geotech. J. 55), both GPL-3, read and not shipped.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from methods import opened
from seisloom.bundle import Opened, open_predictor
from seisloom.compute import InThisProcess
from seisloom.metrics.curves import Scores
from seisloom.run.evaluate import evaluate
from seisloom.tasks.dispersion.field.curves_file import read_curves
from seisloom.tasks.dispersion.field.pick import CurvePicks
from seisloom.tasks.dispersion.make import make_record
from seisloom.tasks.dispersion.store.recipe import plan
from seisloom.tasks.dispersion.store.write import write_records

AXES = ("min_hz=5", "max_hz=50")
"""Of the gathers, for all pickers."""
NEAR = 0.05


def synthetic(methods: Sequence[Opened], n_records: int) -> None:
    """Print scores on records that are made, by mode."""
    with tempfile.TemporaryDirectory() as folder:
        planned = plan("dispersion_picker_test", out=Path(folder) / "records", samples=n_records)
        for part in planned.parts:
            write_records(
                part.data, planned.out, n=part.n, seed=planned.seed, manifest=planned.manifest, pool=InThisProcess(),
                about=part.about,
            )  # fmt: skip
        records = list(methods[0].task.open(methods[0].recipe, planned.out, None))
        report, _ = evaluate(methods, records, Path(folder) / "scores")
    of_parts = report["scores"][methods[0].name]
    for part, scores in ((part, report["tables"][part]) for part in of_parts):
        print(f"\n{part:10s} " + " ".join(f"{name:>9s}" for name in next(iter(scores.values()))))
        for method, row in scores.items():
            print(
                f"{method[:10]:10s} " + " ".join(f"{'-' if one is None else f'{one:.3g}':>9s}" for one in row.values())
            )
            found = report["scores"][method][part]
            for name in ("recall", "recall_resolved", "swap"):
                if found[f"{name}_interval"] is not None:
                    low, high = found[f"{name}_interval"]
                    print(f"    {name}: 95 % interval {low:.3f} to {high:.3f}")
    print("\nrecall of the fundamental mode by wavelength over the array's length")
    for part, one in of_parts["mode 0"]["by_length"].items():
        print(f"    {part:12s} {one['recall']:.3f} of {one['n']}")
    _print_coverage(of_parts)


def _print_coverage(scores: Scores) -> None:
    """Print by wavelength the share of picks whose interval holds the truth, with its own interval, and its width."""
    print("\npicks in intervals by picked wavelength over the array's length, and the median width of the interval")
    for part, score in scores.items():
        for at, one in score["coverage_by_length"].items():
            ends = (f"{level} %: {one['coverage'][level]:.3f} {_range(one['coverage_interval'][level])}"
                    for level in one["coverage"])  # fmt: skip
            print(f"    {part:10s} {at:16s} {one['n']:7d}  {'  '.join(ends)}  width {100 * one['median_width']:.1f} %")


def _range(ends: Sequence[float] | None) -> str:
    return "[one medium]" if ends is None else f"[{ends[0]:.3f}, {ends[1]:.3f}]"


def gathers(data: Path) -> Iterator[tuple[str, Path, CurvePicks]]:
    """Yield a set's name, a gather, and its true curves."""
    for model in (0, 1):
        folder = data / f"fe_model_{model}"
        for path in sorted(folder.glob("*.su")):
            yield f"finite elements, model {model}", path, read_curves(folder / f"mod{model}_dc.txt")
    for path in sorted((data / "oysand").glob("*forward.dat")):
        yield "Oysand", path, read_curves(data / "oysand" / "Oysand_dc.txt", first="wavelength")


def field(methods: Sequence[Opened], data: Path) -> None:
    """Print errors of the fundamental mode on gathers."""
    errors: dict[tuple[str, str], list[float]] = {}
    points: dict[str, int] = {}
    for name, path, truth in gathers(data):
        known = np.isfinite(truth.velocity_m_s[0])
        hz, c = truth.frequency_hz[known], truth.velocity_m_s[0, known]
        for number, method in enumerate(methods):
            one = method.with_changes(*AXES)
            table = one.task.apply(one.recipe, one.predictor, one.calibration, one.task.open(one.recipe, path, None))
            inside = table[(table["mode"] == 0) & table["frequency_hz"].between(hz[0], hz[-1])]
            if number == 0:
                points[name] = points.get(name, 0) + len(inside)
            kept = inside[inside["status"] == "picked"]
            off = np.abs(kept["velocity_m_s"] / np.interp(kept["frequency_hz"], hz, c) - 1)
            errors.setdefault((name, method.name), []).extend(off)
    print(f"\n{'gathers, fundamental mode':28s} {'picker':20s} points picked median% P90%  in 5 % recall 5 %")
    for (name, method), found in errors.items():
        off = np.array(found)
        print(
            f"{name:28s} {method[:20]:20s} {points[name]:6d} {len(off):6d} {100 * np.median(off):7.2f} "
            f"{100 * np.quantile(off, 0.9):5.1f} {np.mean(off <= NEAR):7.3f} {np.sum(off <= NEAR) / points[name]:9.3f}"
        )


def speed(method: Opened, n_records: int = 16) -> None:
    """Print the time from a spectrum to picks, on the processor, by the network alone and with the fit."""
    (part, *_) = plan("dispersion_picker_test", out=Path(), samples=n_records).parts
    arrays = [make_record(part.data, k, seed=0).arrays for k in range(n_records)]
    with tempfile.TemporaryDirectory() as folder:
        for k, one in enumerate(arrays):
            np.savez(Path(folder) / f"{k}.npz", **one)
        records = [record for k in range(n_records) for record in method.records(Path(folder) / f"{k}.npz")]
    for fit in (False, True):
        way, spent = method.with_changes(fit=fit), []
        for _ in range(4):
            begun = time.process_time()
            way.task.apply(way.recipe, way.predictor, way.calibration, records)
            spent.append(time.process_time() - begun)
        said = "with the fit" if fit else "network alone"
        print(f"{method.name}, {said}: {1e3 * np.median(spent[1:]) / n_records:.1f} ms of the processor a spectrum")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", nargs="+", default=["dispersion-picker"])
    parser.add_argument("--records", type=int, default=600)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SEISLOOM_DATA", "../shared/data")))
    given = parser.parse_args()
    bundles = [opened(text) for text in given.bundle]
    first = bundles[0]
    methods = [*bundles, *(open_predictor(name, recipe=first.recipe) for name in ("argmax", "ridge"))]
    synthetic(methods, given.records)
    if (given.data / "dispersion").is_dir():
        field(methods, given.data / "dispersion")
    speed(first)


if __name__ == "__main__":
    main()
