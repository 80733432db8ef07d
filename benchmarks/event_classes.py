"""Event classes on the shared sets: networks beside a random forest, by event, over folds and seeds.

    python benchmarks/event_classes.py pnw --data FOLDER [--models rocket random_forest ...] [--folds 5] [--seeds 3]
    python benchmarks/event_classes.py noise --data FOLDER --models not_augmented augmented
    python benchmarks/event_classes.py noise --data FOLDER --models random_forest detector augmented --together 2
    python benchmarks/event_classes.py noise_both --data FOLDER --models detector
    python benchmarks/event_classes.py pnw --data FOLDER --models random_forest chosen_vote_alone chosen_vote
    python benchmarks/event_classes.py esec calibrate.decide=likeliest --data FOLDER --models random_forest logistic

`pnw`: earthquake against explosion; `noise`: noise against event, from the first 40 s of the unlabelled records;
`noise_both`: the same with the records of `pnw` beside them, and scores of each folder;
`esec`: kinds of mass movements. Every event is scored by a model that saw none of its records: the events are dealt in
folds, each class spread over all of them. All that is chosen is chosen within the training part: what networks fitted
in closed form say of its inner folds calibrates them and weighs their classes (`calibrate.decide`), and of the entries
of `chosen` the one is taken whose inner macro-AUC is best; networks that learn by steps use the inner fold that chooses
their epoch. Answers of the folds are put together; numbers are means over seeds, with the 95 % interval over events
(bootstrap, all records of an event together) of the mean over seeds. `F1 argmax` takes the likeliest class instead.
`--together 2` adds a row for the last two models: the mean of their logarithms of probabilities, chosen by nothing.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from seisloom.bundle import Opened
from seisloom.errors import LeftOut
from seisloom.metrics.class_events import Spread, difference_over_events, over_events
from seisloom.recipe import Recipe, read_recipe
from seisloom.run.calibrate import with_calibration
from seisloom.sample import Array, Ref, Sample
from seisloom.split import deal_class_folds, digest
from seisloom.task import Task, task_of
from seisloom.tasks.classification import network
from seisloom.tasks.classification.evaluate import (
    auc_of,
    decided_of,
    events_in,
    f1_of,
    known_rows,
    labels_of,
    probabilities_of,
)
from seisloom.training.fit import fit
from seisloom.training.loader import LiveSource

ESEC = (
    "{{flow: [Lahar/debris flow/outburst flood], fall: [Rock/debris falls], snow: [Snow avalanches], "
    "slide: [Rock/ice/debris avalanches and slides]}}"
)
NOISE = (
    "data.classes=[noise,event]", "data.label=null", "data.pick_s=50", "data.channels=[Z]", "data.noise_before_s=40",
    "data.window_s=36", "data.before_s=6", "data.snr_signal_s=30", "data.snr_noise_s=30",
)  # fmt: skip
"""These records begin 50 s before the origin, all of an event together: waves come within 30 s of it."""
SETS = {
    "pnw": (
        "data.paths=[{data}/classification/pnw]", "data.classes=[earthquake,explosion]", "data.pick_s=50",
        "data.channels=[Z]", "data.window_s=60", "data.before_s=10",
    ),
    "noise": ("data.paths=[{data}/classification/pnw_unlabelled]", *NOISE),
    "noise_both": ("data.paths=[{data}/classification/pnw_unlabelled,{data}/classification/pnw]", *NOISE),
    "esec": (
        "data.paths=[{data}/classification/esec]", "data.label=subtype", "data.classes=" + ESEC, "data.channels=[Z]",
        "data.sampling_rate_hz=20", "data.window_s=160", "data.before_s=0", "data.pick_s=null",
        "prepare=[{{name: bandpass, low_hz: 0.5, high_hz: 9}}, {{name: zscore, per: trace}}]",
    ),
}  # fmt: skip


def decided_of_rows(recipe: Any, table: pd.DataFrame) -> Array:
    """Return probabilities as they were weighed before a class was named, by the factors of each fold."""
    return np.asarray(table[[f"d_{name}" for name in recipe.data.classes]], float)


FOREST = ("model.name=random_forest", "train.epochs=1", "augment=[]")
CNN = ("model.name=cnn_spectrogram", "represent=[{name: stft}]", "train.epochs=30", "train.batch_size=16")
# The recipe's own flips and factors leave a spectrogram as it is but for a constant; bands and noise change it
AUGMENTED = (
    "augment=[{name: polarity_flip, gather: 0.5, trace: 0}, {name: amplitude_scale, low: 0.9, high: 1.1, p: 0.3}, "
    "{name: bandlimit, low_hz: [1, 3], high_hz: [8, 20], p: 0.5}, "
    "{name: add_noise, snr_min: 6, snr_max: 30, exponent_max: 2, p: 0.5}]"
)
AVERAGED = ("train.ema=0.98", "train.epochs=25", "train.batch_size=32", "train.lr=2e-3")
EXTRA = (*FOREST, "model.kind=extra")
SHARED = "apply.share=0.5"
POOLED = "apply.share=1"
ONCE = ("train.epochs=1", "augment=[]")
SVM = ("model.name=svm", "model.features=[physical,bands]", *ONCE)
LOGISTIC = ("model.name=logistic", "model.features=[physical,bands]", *ONCE)
VOTE = ("model.name=vote", *ONCE)
# Records of pnw begin 50 s before the onset: 40 s of noise, and the 60 s that the others see
SNR = (
    "model.name=vote", *ONCE, "data.before_s=50", "data.window_s=100",
    "model.members=[{name: random_forest, kind: extra, features: [physical, snr], noise_s: 40}, "
    "{name: svm, features: [physical, bands], noise_s: 40}]",
)  # fmt: skip
BANDS = (
    "model.name=vote", *ONCE,
    "model.members=[{name: svm, features: [physical, bands]}, {name: logistic, features: [physical, bands]}]",
)  # fmt: skip
LOW = "prepare=[{name: bandpass, low_hz: 0.1, high_hz: 9}, {name: zscore, per: trace}]"
DETECTOR = (*EXTRA, "model.features=[detection]")
ALONE = (FOREST, EXTRA, SVM, VOTE)
NETWORKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "random_forest": (FOREST,),
    "random_forest_shared": ((*FOREST, SHARED),),
    "random_forest_pooled": ((*FOREST, POOLED),),
    "extra_trees": (EXTRA,),
    "extra_trees_shared": ((*EXTRA, SHARED),),
    "chosen": (
        FOREST,
        EXTRA,
        (*FOREST, SHARED),
        (*EXTRA, SHARED),
        (*FOREST, "apply.share=1"),
        (*EXTRA, "apply.share=1"),
    ),
    "chosen_alone": (FOREST, EXTRA),
    "detector": (DETECTOR,),
    "extra_bands": ((*EXTRA, "model.features=[physical,bands]"),),
    "svm": (SVM,),
    "svm_pooled": ((*SVM, POOLED),),
    "logistic": (LOGISTIC,),
    "logistic_pooled": ((*LOGISTIC, POOLED),),
    "logistic_of_bands": ((*LOGISTIC, "model.features=[bands]"),),
    "vote": (VOTE,),
    "vote_snr": (SNR,),
    "vote_bands": (BANDS,),
    "vote_bands_pooled": ((*BANDS, POOLED),),
    "chosen_vote_alone": (*ALONE, SNR),
    "chosen_vote": tuple((*one, more) for one in (*ALONE, SNR) for more in ("apply.share=0", SHARED, POOLED)),
    "chosen_bands_alone": (SVM, LOGISTIC, BANDS),
    "chosen_bands_pooled": tuple((*one, POOLED) for one in (SVM, LOGISTIC, BANDS)),
    "chosen_low_pooled": tuple((*one, POOLED, *more) for one in (SVM, LOGISTIC, BANDS) for more in ((), (LOW,))),
    "rocket": (("model.name=rocket", "train.epochs=2"),),
    "multirocket": (("model.name=rocket", "model.kind=multi", "train.epochs=2"),),
    "cnn_spectrogram": (CNN,),
    "augmented": ((*CNN, AUGMENTED),),
    "augmented_averaged": ((*CNN, AUGMENTED, *AVERAGED),),
    "not_augmented": ((*CNN, "augment=[]", "data.shift_s=0"),),
    "cnn_waveform": (("model.name=cnn_waveform", "represent=[]", "train.epochs=30"),),
    "lstm": (("model.name=lstm", "represent=[{name: fft}]", "train.epochs=30"),),
    "lstm_attention": (("model.name=lstm_attention", "represent=[{name: fft}]", "train.epochs=30"),),
}
"""Changes of the recipe by name; of several the best is chosen on inner folds. Only those called shared or pooled,
`chosen` and `chosen_vote` let the stations of an event speak for each other. SNR is for pnw alone, LOW for esec."""
SCORES: dict[str, tuple[Callable[[Any, Any], Array], Callable[[Array, Array], float]]] = {
    "AUC": (probabilities_of, auc_of),
    "macro F1": (decided_of_rows, f1_of),
    "F1 argmax": (probabilities_of, f1_of),
}
INNER = 5
LEAST = 1e-4
"""Probability that stands for none where logarithms are taken."""
SNR_DB = (0, 3, 6, 10)
"""Where the rows of events against noise are parted."""


class Kept:
    """Samples and records that are read once for all folds."""

    def __init__(self, task: Task[Any], recipe: Recipe) -> None:
        self.task, self.recipe = task, recipe
        live = LiveSource(task, recipe)
        self.refs = live.refs
        self._samples = dict(zip((ref.key for ref in self.refs), live.read_many(self.refs), strict=True))
        self._records = {one.key: one for one in task.records(recipe, self.refs)}
        self.models: dict[tuple[str, str], Opened] = {}

    def read_many(self, refs: Sequence[Ref]) -> Iterator[Sample | LeftOut]:
        yield from (self._samples[ref.key] for ref in refs)

    def records(self, refs: Iterable[Ref]) -> list[Any]:
        return [self._records[ref.key] for ref in refs if ref.key in self._records]


def cut_of(recipe: Any) -> str:
    """Return what windows hang on: recipes that agree in it share theirs."""
    return str(recipe.model_dump_json(include={"data", "prepare", "seed"}))


def out_of_fold(
    recipes: Sequence[Recipe], kept: Sequence[Kept], *, folds: int, seed: int, workers: int = 1
) -> pd.DataFrame:
    """Return what models say of every window that saw none of its event; of several the best by inner folds.

    Args:
        recipes: what is chosen from.
        kept: the windows of each of them; the same records, cut as each recipe says.
        folds, seed: of the deal, which hangs on the names of events alone, and is the same for all recipes.
        workers: processes, each with a fold of its own; the answers do not hang on them.
    """
    fold = partial(of_fold, recipes, kept, folds, seed)
    if workers == 1:
        return pd.concat(map(fold, range(folds)), ignore_index=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        return pd.concat(pool.map(fold, range(folds)), ignore_index=True)


def of_fold(recipes: Sequence[Recipe], kept: Sequence[Kept], folds: int, seed: int, number: int) -> pd.DataFrame:
    """Return what a model of the other folds says of one."""
    held_out, others = zip(*(parted(own.refs, recipes[0], folds, seed)[number] for own in kept), strict=True)
    best = 0
    if recipes[0].model.is_closed_form:
        said = [inner(*each, seed=seed) for each in zip(recipes, kept, others, strict=True)]
        best = int(np.argmax([auc_of(probabilities_of(recipes[0], one), labels_of(recipes[0], one)) for one in said]))
        opened = replace(
            trained(recipes[best], kept[best], others[best]),
            calibration=kept[best].task.calibrate(recipes[best], [said[best]]),
        )
    else:
        valid = parted(others[0], recipes[0], folds - 1, seed)[0][0]
        opened = trained(recipes[0], kept[0], others[0], valid)
        opened = with_calibration(opened, kept[0].records(valid))
    return answers(opened, kept[best], held_out[best])


def parted(refs: Sequence[Ref], recipe: Recipe, n_folds: int, seed: int) -> list[tuple[list[Ref], list[Ref]]]:
    """Return the refs of each fold, and those of all others."""
    folds = deal_class_folds(refs, n_folds, seed=seed, by=recipe.split.by)
    return [(one, [ref for other in folds if other is not one for ref in other]) for one in folds]


def inner(recipe: Recipe, kept: Kept, refs: Sequence[Ref], *, seed: int) -> pd.DataFrame:
    """Return what models of the inner folds say of what they were not trained on."""
    parts = parted(refs, recipe, INNER, seed + 1000)
    return known_rows(pd.concat([answers(trained(recipe, kept, others), kept, own) for own, others in parts]))


def trained(recipe: Recipe, kept: Kept, refs: Sequence[Ref], valid: Sequence[Ref] = ()) -> Opened:
    """Return a model of some refs, not calibrated; recipes that differ in how it is used share it."""
    own = {ref.key for ref in valid}
    parts = {"train": [ref for ref in refs if ref.key not in own], "valid": list(valid), "calibrate": [], "test": []}
    key = (recipe.model_dump_json(exclude={"apply", "calibrate"}), digest(parts))
    if key not in kept.models:
        with TemporaryDirectory() as folder:
            bundle = fit(kept.task, recipe, Path(folder) / "b", source=kept, parts=parts)
            kept.models[key] = Opened("it", kept.task, recipe, bundle.predictor("cpu"), None, bundle)
    return replace(kept.models[key], recipe=recipe)


def answers(opened: Opened, kept: Kept, refs: Sequence[Ref]) -> pd.DataFrame:
    """Return what a model says of some refs, and as `d_NAME` the probabilities that its answers are the largest of."""
    table = kept.task.apply(opened.recipe, opened.predictor, opened.calibration, kept.records(refs))
    decided = decided_of(opened.recipe, table)
    return table.assign(**{f"d_{name}": decided[:, k] for k, name in enumerate(opened.recipe.data.classes)})


def spread(
    recipe: Any, tables: Sequence[pd.DataFrame], name: str, other: Sequence[pd.DataFrame] | None = None
) -> Spread:
    """Return a score's mean over seeds with its interval over events; of two methods, how much better the first is."""
    label, events = labels_of(recipe, tables[0]), events_in(tables[0])
    of, score = SCORES[name]

    def mean_over(some: Sequence[pd.DataFrame]) -> Any:  # Any: a function of rows
        every = [of(recipe, one) for one in some]
        return lambda rows: float(np.mean([score(one[rows], label[rows]) for one in every]))

    rng = np.random.default_rng(0)
    if other is None:
        return over_events(mean_over(tables), events, rng=rng)
    return difference_over_events(mean_over(tables), mean_over(other), events, rng=rng)


def together(some: Sequence[Sequence[pd.DataFrame]]) -> list[pd.DataFrame]:
    """Return what several models say together, by seed: means of the logarithms of probabilities, rows with sum 1."""
    said = []
    for tables in zip(*some, strict=True):
        names = [name for name in tables[0].columns if name.startswith(("p_", "d_"))]
        logs = np.mean([np.log(np.maximum(one[names].to_numpy(float), LEAST)) for one in tables], axis=0)
        product = tables[0].assign(**dict(zip(names, np.exp(logs).T, strict=True)))
        for kind in ("p_", "d_"):
            own = [name for name in names if name.startswith(kind)]
            product[own] = product[own].div(product[own].sum(axis=1), axis=0)
        said.append(product)
    return said


def by_folder(tables: Sequence[pd.DataFrame]) -> dict[str, list[pd.DataFrame]]:
    """Return what is said of the records of each catalogue's folder, by its name; nothing where there is one alone."""
    folders = tables[0]["record"].str.partition("/")[0].to_numpy()
    if len(set(folders)) == 1:
        return {}
    return {name: [one[folders == name].reset_index(drop=True) for one in tables] for name in sorted(set(folders))}


def found_by_snr(tables: Sequence[pd.DataFrame]) -> str:
    """Return the share of windows of events that are called so, by signal-to-noise ratio 30 s about the origin."""
    events = pd.concat([one[~one["is_noise"] & one["snr_db"].notna()] for one in tables])
    bins = pd.cut(events["snr_db"], [-np.inf, *SNR_DB, np.inf], right=False)
    shares = (events["class"] == events["truth"]).groupby(bins, observed=True).agg(["mean", "size"])
    return ", ".join(
        f"{one['mean']:.2f} of {int(one['size']) // len(tables)} at {bin_} dB" for bin_, one in shares.iterrows()
    )


def remembered(features: Callable[..., Array]) -> Callable[..., Array]:
    """Return a function that works out the features of a window once for all folds."""
    known: dict[tuple[object, ...], Array] = {}

    def of(values: Array, *, mask: Array, **settings: Any) -> Array:  # Any: what the features are told
        key = (np.asarray(values).tobytes(), np.asarray(mask).tobytes(), *settings.values())
        if key not in known:
            known[key] = features(values, mask=mask, **settings)
        return known[key]

    return of


def said(one: Spread) -> str:
    return f"{one.value:6.3f} ({one.lower:+.3f} to {one.upper:+.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("changes", nargs="*", help="of the recipe: key=value")
    parser.add_argument("--data", required=True, help="folder with classification/")
    parser.add_argument("--models", nargs="+", default=["random_forest", "rocket"], choices=NETWORKS)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="processes, each with a fold of its own")
    parser.add_argument("--together", type=int, default=0, help="so many of the last models say something together")
    options = parser.parse_args()
    logging.getLogger("seisloom").setLevel(logging.WARNING)
    found: dict[str, list[pd.DataFrame]] = {}
    recipe: Recipe | None = None
    keys: Array | None = None
    network.features_in = remembered(network.features_in)
    given = [one.format(data=options.data) for one in SETS[options.set]]
    for seed in range(options.seeds):
        windows: dict[str, Kept] = {}
        for name in options.models:
            changes = [[*given, "calibrate.decide=f1", *one, *options.changes] for one in NETWORKS[name]]
            recipes = [read_recipe("classification", [*one, f"seed={seed}"]) for one in changes]
            recipes = [task_of(one).complete(one) for one in recipes]
            recipe = recipes[0]
            for one in recipes:
                if cut_of(one) not in windows:
                    windows[cut_of(one)] = Kept(task_of(one), one)
            kept = [windows[cut_of(one)] for one in recipes]
            table = known_rows(out_of_fold(recipes, kept, folds=options.folds, seed=seed, workers=options.workers))
            table = table.sort_values(["record", "is_noise"]).reset_index(drop=True)
            found.setdefault(name, []).append(table)
            label = labels_of(recipe, table)
            shown = (f"{score} {f(of(recipe, table), label):.3f}" for score, (of, f) in SCORES.items())
            print(f"{name}, seed {seed}: {', '.join(shown)}", flush=True)
            keys = keys if keys is not None else table["record"].to_numpy()
            assert np.array_equal(keys, table["record"]), "methods answer other windows"
    assert recipe is not None
    if options.together:
        some = options.models[-options.together :]
        found["together"] = together([found[name] for name in some])
    n_events = len(set(events_in(found[options.models[0]][0])))
    print(f"\n{options.set}: {len(keys)} windows of {n_events} events, {options.folds} folds, {options.seeds} seeds; "
          "95 % intervals over events")  # fmt: skip
    print(f"{'':22s}" + "".join(f"{score:>28s}" for score in SCORES))
    first = next(iter(found))
    for name, tables in found.items():
        print(f"{name:22s}" + "".join(f"{said(spread(recipe, tables, score)):>28s}" for score in SCORES))
        if tables[0]["is_noise"].any():
            print(f"  events found: {found_by_snr(tables)}")
        for folder, own in by_folder(tables).items():
            n_own = len(set(events_in(own[0])))
            row = "".join(f"{said(spread(recipe, own, score)):>28s}" for score in SCORES)
            print(f"  of {folder}, {n_own} events\n{'':22s}{row}")
    for name, tables in list(found.items())[1:]:
        row = "".join(f"{said(spread(recipe, tables, score, found[first])):>28s}" for score in SCORES)
        print(f"{name + ' - ' + first:22s}\n{'':22s}{row}")


if __name__ == "__main__":
    main()
