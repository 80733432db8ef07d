"""Does a window of 4 s hold a P onset: a shipped network, classifiers trained in folds, and STA/LTA on picked records.

    python benchmarks/p_wave_windows.py --data FOLDER [--bundles p-wave-window RUN] [--models rocket] [--seeds 3]

Picked records are the 89 of `picking/earthquakes`, one an event: a window of noise, one with the onset 1 to 3 s after
its begin, at a place drawn for each record and seed, and four behind the onset. Bundles were trained on made records:
all of these are unseen. What is trained here, whose onsets lie 2 s into the window, and how STA/LTA is set (its
windows, how much of the record before the window it sees, its threshold), is so on the other folds. Numbers are means
over seeds with 95 % intervals over events; two bundles of one name but for a number behind a last dash are seeds of one
network. The same with noise of `classification/pnw` added until P stands so many dB above all noise, for bundles and
STA/LTA. Last, windows slid by 2 s over that noise itself: how many an hour are called P.
"""

from __future__ import annotations

import argparse
import csv
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

import event_classes
from event_classes import Kept, out_of_fold
from seisloom.bundle import Opened, open_predictor
from seisloom.io.waveforms.mseed_writer import write_mseed
from seisloom.io.waveforms.times import parse_utc
from seisloom.metrics.class_events import Spread, difference_over_events, over_events
from seisloom.recipe import Recipe, read_recipe
from seisloom.sample import Array
from seisloom.signal.triggers import sta_lta
from seisloom.split import deal_class_folds
from seisloom.task import task_of
from seisloom.tasks.classification.evaluate import f1_of, known_rows, labels_of
from seisloom.tasks.classification.windows import EventRecord

PLACES_S = (1.0, 1.5, 2.0, 2.5, 3.0)
"""Where in the window the onset may lie."""
NOISE_UNTIL_S = 29.0
"""The records begin 30 s before P."""
STA_LTA = ((0.1, 0.5, 0.0), (0.3, 1.0, 0.0), (0.3, 2.0, 0.0), (0.3, 3.0, 10.0), (0.5, 5.0, 10.0), (1.0, 8.0, 10.0))
"""Short and long window, and how much of the record before the window is seen, all in s."""
SNR_DB = (20.0, 10.0, 5.0)
TRAINED = {
    "tuned": ("train.init_from=p-wave-window", "train.epochs=10", "train.lr=3e-4"),
    "untuned": ("train.epochs=60",),
    "rocket": ("model.name=rocket", "represent=[]", "train.epochs=2"),
    "random_forest": ("model.name=random_forest", "represent=[]", "augment=[]", "train.epochs=1"),
}
"""What is trained on the other folds, as changes of the recipe: the shipped network further, or others from nothing."""
SIGNAL_S, STEP_S, QUIET_S = 1.0, 2.0, 45.0
"""Of P for the ratio; of windows slid over noise; records of `pnw` are noise so long."""


def write_catalogue(source: Path, out: Path) -> str:
    """Write the vertical components as miniSEED with a manifest; returns the folder."""
    rows = [("path", "event_id", "nslc", "sampling_rate_hz", "npts", "starttime", "onset")]
    for one in pd.read_csv(source / "waveform.csv").itertuples():
        found = re.fullmatch(r"([A-Z]+)_([A-Z0-9]+)_(\d{14})(\d*)(_\d+)?\.npz", str(one.fname))
        assert found is not None, one.fname
        network, station, second, fraction, _ = found.groups()
        with np.load(source / str(one.fname)) as stored:
            values = stored["data"]
        names = str(one.channels).split("_")
        live = np.flatnonzero(np.abs(values).max(axis=0) > 0)
        column = int(live[0]) if len(names) == 1 else [name[-1] for name in names].index("Z")
        date, clock = second[:8], second[8:]
        start = f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"
        file = f"{second}{fraction}_{station}.mseed"
        channel = next(name for name in names if name.endswith("Z"))
        start_ns = int(parse_utc(start, where=file).astype("datetime64[ns]").astype(np.int64))
        write_mseed(
            out / file, {channel: values[:, column].astype(np.float32)}, fs_hz=100.0, start_ns=start_ns,
            codes=(network, station, ""),
        )  # fmt: skip
        event = f"{second}{fraction}"
        code = f"{network}.{station}..{channel}"
        rows.append((file, event, code, "100", str(len(values)), start, str(one.itp / 100)))
    with (out / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return str(out)


def on_catalogue(recipe: Any, folder: str, before_s: float) -> Any:  # Any: the room's recipe
    """Return a recipe for the picked records, its onset at one place."""
    changes = {"paths": (folder,), "pick": "onset", "noise_before_s": NOISE_UNTIL_S, "before_s": before_s, "shift_s": 0}
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=changes)})


def placed(tables: Sequence[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Return the rows of one place of the onset for each record, drawn."""
    keys = sorted(set(tables[0]["record"]))
    place = dict(zip(keys, np.random.default_rng(seed).integers(len(tables), size=len(keys)), strict=True))
    chosen = [one[[place[key] == k for key in one["record"]]] for k, one in enumerate(tables)]
    return pd.concat(chosen).sort_values("record").reset_index(drop=True)


def said_by(opened: Opened, records: Sequence[EventRecord], folder: str) -> list[pd.DataFrame]:
    """Return what a bundle says, a table for each place of the onset."""
    tables = []
    for before_s in PLACES_S:
        recipe = on_catalogue(opened.recipe, folder, before_s)
        there = [moved(one, before_s) for one in records]
        tables.append(known_rows(opened.task.apply(recipe, opened.predictor, opened.calibration, there)))
    return tables


def moved(record: EventRecord, before_s: float) -> EventRecord:
    """Return a record whose planned window, if it is that of the onset, begins so long before it."""
    return record if record.is_noise or record.is_behind else replace(record, first_s=record.onset_s - before_s)


def ratios(records: dict[str, EventRecord], table: pd.DataFrame, window_s: float) -> Array:
    """Return the largest STA/LTA in each window, (window, setting); ratios before the window do not count."""
    found = np.zeros((len(table), len(STA_LTA)))
    for row, (key, first_s) in enumerate(zip(table["record"], table["first_s"], strict=True)):
        record = records[key]
        first, n = round(first_s * record.fs_hz), round(window_s * record.fs_hz)
        for k, (sta_s, lta_s, history_s) in enumerate(STA_LTA):
            begin = max(first - round(history_s * record.fs_hz), 0)
            ratio = sta_lta(record.x[0, begin : first + n], fs_hz=record.fs_hz, sta_s=sta_s, lta_s=lta_s)
            found[row, k] = ratio[first - begin :].max()
    return found


def threshold_folds(ratio: Array, label: Array, fold: Array) -> Array:
    """Return one-hot answers (window, class) of STA/LTA whose setting and threshold do best on the other folds."""
    said = np.zeros((len(label), 2))
    for one in np.unique(fold):
        others = fold != one
        options = product(range(ratio.shape[1]), np.linspace(0.02, 0.98, 49))
        best = max(
            ((f1_of(one_hot(ratio[others, k] >= (at := np.quantile(ratio[others, k], q))), label[others]), k, at)
             for k, q in options)
        )  # fmt: skip
        said[~others] = one_hot(ratio[~others, best[1]] >= best[2])
    return said


def one_hot(is_p: Array) -> Array:
    return np.stack([~is_p, is_p], axis=1).astype(float)


def with_noise(records: Sequence[EventRecord], noises: Sequence[Array], snr_db: float, seed: int) -> list[EventRecord]:
    """Return records with noise added until P stands so far above all noise; those that are weaker stay as they are."""
    changed: dict[str, Array] = {}
    rng = np.random.default_rng(seed)
    for record in sorted(records, key=lambda one: one.key):
        own = record.key.partition("-")[0]
        if own in changed:
            continue
        onset, n = round(record.onset_s * record.fs_hz), round(SIGNAL_S * record.fs_hz)
        before = np.mean(record.x[0, onset - 10 * n : onset - n // 10] ** 2)
        missing = np.mean(record.x[0, onset : onset + n] ** 2) / 10 ** (snr_db / 10) - before
        piece = np.resize(noises[rng.integers(len(noises))], record.n_samples)
        gain = np.sqrt(max(missing, 0.0) / np.mean(piece**2))
        changed[own] = (record.x + gain * piece).astype(np.float32)
    return [replace(one, x=changed[one.key.partition("-")[0]]) for one in records]


def quiet_records(recipe: Any, data: str) -> list[EventRecord]:
    """Return the first 45 s of records of `pnw`, which begin 50 s before an event, as streams."""
    changes = {"paths": (f"{data}/classification/pnw",), "noise_before_s": QUIET_S, "pick": None, "pick_s": 50.0}
    there = recipe.model_copy(update={"data": recipe.data.model_copy(update=changes)})
    task = task_of(there)
    # Records of fewer samples a second hold nothing in the upper band, which made ones do
    refs = [one for one in task.plan(there) if one.source["is_noise"] and (one.source["fs_hz"] or 0) >= 100]
    found = []
    for one in task.records(there, refs):
        n = round(QUIET_S * one.fs_hz)
        found.append(replace(one, x=one.x[:, :n], mask=one.mask[:n], first_s=None, truth=-1))
    return found


def spread(of: Callable[[Array], float], events: Array) -> Spread:
    return over_events(of, events, rng=np.random.default_rng(0))


def shown(one: Spread) -> str:
    return f"{one.value:6.3f} ({one.lower:+.3f} to {one.upper:+.3f})"


def mean_f1(said: Sequence[tuple[Array, Array]]) -> Callable[[Array], float]:
    """Return macro-F1 of some rows, the mean over seeds of (answers, labels)."""
    return lambda rows: float(np.mean([f1_of(answers[rows], label[rows]) for answers, label in said]))


def named(table: pd.DataFrame) -> Array:
    """Return the named classes as one-hot answers."""
    return one_hot(np.asarray(table["class"] == "p_wave"))


def trained_here(name: str, folder: str, options: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Yield what networks of the other folds say, by seed; the onset lies where training crops it in the middle."""
    for seed in range(options.seeds):
        changes = ("data.pick=onset", f"data.noise_before_s={NOISE_UNTIL_S}", *TRAINED[name], f"seed={seed}")
        recipe = read_recipe("p_wave_window", [f"data.paths=[{folder}]", *changes])
        recipe = task_of(recipe).complete(recipe)
        kept = Kept(task_of(recipe), recipe)
        yield known_rows(out_of_fold([recipe], [kept], folds=options.folds, seed=seed)).sort_values("record")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with picking/ and classification/")
    parser.add_argument("--bundles", nargs="+", default=["p-wave-window"])
    parser.add_argument("--models", nargs="*", default=[], choices=TRAINED, help="trained here, in folds")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    logging.getLogger("seisloom").setLevel(logging.ERROR)
    event_classes.network.features_in = event_classes.remembered(event_classes.network.features_in)
    bundles: dict[str, list[Opened]] = {}
    for path in options.bundles:
        bundles.setdefault(re.sub(r"-\d+$", "", Path(path).name), []).append(open_predictor(path))
    first = next(iter(bundles.values()))[0]
    with TemporaryDirectory() as folder:
        write_catalogue(Path(options.data) / "picking/earthquakes", Path(folder))
        recipe: Recipe = on_catalogue(first.recipe, folder, PLACES_S[0])
        refs = first.task.plan(recipe)
        records = list(first.task.records(recipe, refs))
        quiet = quiet_records(recipe, options.data)
        print(f"{len(records)} windows of {len(records) // (2 + len(recipe.data.behind_s))} events")
        for snr_db in (None, *SNR_DB):
            own = records if snr_db is None else with_noise(records, [one.x[0] for one in quiet], snr_db, seed=0)
            print("as recorded" if snr_db is None else f"noise added, {snr_db:g} dB")
            compare(bundles, own, refs, folder, options)
        for name in options.models:
            tables = list(trained_here(name, folder, options))
            said = [(named(one), labels_of(recipe, one)) for one in tables]
            events = tables[0]["event"].to_numpy()
            print(f"{name + ', trained here':28s}{shown(spread(mean_f1(said), events))}", flush=True)
        hours = sum(one.n_samples / one.fs_hz for one in quiet) / 3600
        for name, some in bundles.items():
            n = [false_alarms(one, quiet) / hours for one in some]
            print(f"{name}: {np.mean(n):.1f} windows of {hours:.1f} h of noise an hour are called P, of "
                  f"{3600 / STEP_S:g}")  # fmt: skip


def false_alarms(opened: Opened, quiet: Sequence[EventRecord]) -> int:
    """Return how many windows that overlap by half are called P."""
    table = opened.task.apply(opened.recipe, opened.predictor, opened.calibration, quiet)
    return int((table["class"] == "p_wave").sum())


def compare(
    bundles: dict[str, list[Opened]], records: Sequence[EventRecord], refs: Sequence[Any], folder: str,
    options: argparse.Namespace,
) -> None:  # fmt: skip
    """Print macro-F1 of bundles, STA/LTA and the commonest class."""
    by_key = {one.key: one for one in records}
    baseline: list[tuple[Array, Array]] = []
    first = next(iter(bundles.values()))[0]
    places = said_by(first, records, folder)
    for seed in range(options.seeds):
        table = placed(places, seed)
        label, events = labels_of(first.recipe, table), table["event"].to_numpy()
        ratio = ratios(by_key, table, first.recipe.data.window_s)  # type: ignore[attr-defined]
        dealt = deal_class_folds(refs, options.folds, seed=seed, by=("event",))
        of = {ref.groups["event"]: k for k, some in enumerate(dealt) for ref in some}
        baseline.append((threshold_folds(ratio, label, np.array([of[one] for one in events])), label))
    print(f"{'commonest class':28s}{f1_of(one_hot(np.zeros(len(label), bool)), label):6.3f}")
    print(f"{'STA/LTA':28s}{shown(spread(mean_f1(baseline), events))}")
    for name, some in bundles.items():
        every = [places if one is first else said_by(one, records, folder) for one in some]
        tables = [placed(one, seed) for seed in range(options.seeds) for one in every]
        said = [(named(one), labels_of(first.recipe, one)) for one in tables]
        print(f"{name:28s}{shown(spread(mean_f1(said), events))}")
        better = difference_over_events(mean_f1(said), mean_f1(baseline), events, rng=np.random.default_rng(0))
        print(f"{'  less STA/LTA':28s}{shown(better)}", flush=True)
        answers = np.concatenate([one.argmax(axis=1) for one, _ in said])
        truth = np.concatenate([label for _, label in said])
        found, right = float(answers[truth == 1].mean()), float(truth[answers == 1].mean())
        print(f"  onsets found {found:.3f}, windows called P that hold one {right:.3f}")


if __name__ == "__main__":
    main()
