"""The whole system on one page: write shards, train, calibrate, evaluate. Every room goes through here.

Applying is `seisloom.bundle.open_predictor(name).apply(source)`.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from seisloom import plugins
from seisloom.bundle import CALIBRATED, Bundle, Opened, as_predictor, open_predictor, write_hashes, write_weights
from seisloom.card import write_card
from seisloom.compute import InThisProcess, run_jobs
from seisloom.errors import CalibrationError, OutputError, RecipeError
from seisloom.io.shards import Shards, ShardSummary, finished, read_index, write_folder_index, write_json, write_shard
from seisloom.progress import track
from seisloom.recipe import Recipe, recipe_from
from seisloom.sample import Array, Ref
from seisloom.split import n_groups, split
from seisloom.task import Calibration, Product, Record, Report, Task

logger = logging.getLogger("seisloom")
ENOUGH_GROUPS = 9
"""Groups from which on a quantile at 90 % is finite by itself."""


@dataclass(frozen=True, slots=True)
class ShardJob:
    """The samples of one shard."""

    path: Path
    refs: tuple[Ref, ...]

    def mark(self, recipe_mark: str) -> str:
        """Return a hash of the recipe and of what is planned: new picks make another shard."""
        planned = repr(
            [(ref.key, sorted(ref.groups.items()), ref.seed, sorted(ref.source.items())) for ref in self.refs]
        )
        return f"{recipe_mark}-{hashlib.sha256(planned.encode()).hexdigest()[:16]}"


def task_of(recipe: Recipe) -> Task[Any]:  # Any: any room
    """Return the room of a recipe."""
    found: Task[Any] = plugins.load("tasks", recipe.task)
    return found


def recipe_hash(recipe: Recipe) -> str:
    """Return a hash of what the recipe says of the bytes of a sample; what is read stands in the refs."""
    part = recipe.model_dump(mode="json", include={"task", "seed", "shards", "prepare"})
    for key in getattr(recipe.shards, "no_bytes", ()):
        part["shards"].pop(key)
    return hashlib.sha256(repr(sorted(part.items())).encode()).hexdigest()[:16]


def write_shards(recipe: Recipe, out: Path, *, pool: Executor | None = None, force: bool = False) -> list[ShardSummary]:
    """Read or synthesise every planned sample once and store it; finished shards are kept.

    The bytes do not depend on how many workers there are, nor on whether the run was cut off and done again.

    Raises:
        OutputError: if the folder holds shards of another recipe and `force` is not given.
    """
    task, mark = task_of(recipe), recipe_hash(recipe)
    size = getattr(recipe.shards, "shard_size", 10_000)
    by_name: dict[str, list[Ref]] = defaultdict(list)
    for ref in task.plan(recipe):
        by_name[task.shard(ref)].append(ref)
    jobs = [
        ShardJob(out / f"{name}-{number:05d}.tar", tuple(refs[first : first + size]))
        for name, refs in sorted(by_name.items())
        for number, first in enumerate(range(0, len(refs), size))
    ]
    _claim_shards(out, jobs, mark, force=force)
    pool = pool if pool is not None else InThisProcess()
    done = run_jobs(pool, partial(_write_one, recipe=recipe, mark=mark), jobs)
    sizes = {job.path: len(job.refs) for job in jobs}
    n_planned = sum(sizes.values())  # each sample is cut from one trace
    tracked = track(done, total=n_planned, what="writing shards", unit="traces", size=lambda one: sizes[one.path])
    summaries = list(tracked)
    for folder in sorted({one.path.parent for one in summaries}):
        inside = [one for one in summaries if one.path.parent == folder]
        write_folder_index(folder, inside, task.sample, task=task.name, recipe=mark)
    n_written, n_kept = (sum(one.n_samples for one in summaries if one.existed == kept) for kept in (False, True))
    logger.info(
        "shards: %d traces planned, %d samples written, %d kept from before, %d left out",
        n_planned, n_written, n_kept, sum(sum(one.left_out.values()) for one in summaries),
    )  # fmt: skip
    return summaries


def _claim_shards(out: Path, jobs: Sequence[ShardJob], mark: str, *, force: bool) -> None:
    """Refuse folders with shards that this run would not have written, or clear them of such shards."""
    ours = {job.path: job.mark(mark) for job in jobs}
    for folder in sorted({path.parent for path in ours}):
        for path in sorted(folder.glob("*.tar")):
            # A shard of ours without its index was cut off between the two, and is written again
            if path in ours and (read_index(path) is None or finished(path, recipe=ours[path]) is not None):
                continue
            if not force:
                raise OutputError(
                    f"{path}: is a shard of another recipe, survey or set of picks. Choose another --out, or replace "
                    "it with --force"
                )
            path.unlink()


def _write_one(job: ShardJob, *, recipe: Recipe, mark: str) -> ShardSummary:
    known = finished(job.path, recipe=job.mark(mark))
    if known is not None:
        return known
    task = task_of(recipe)
    counted = [field.name for field in task.sample.fields if field.label == "class"]
    return write_shard(job.path, task.read_many(recipe, job.refs), task.sample, counted=counted, recipe=job.mark(mark))


@dataclass(frozen=True, slots=True)
class Trained:
    """What `train` ends with; in processes that only trained along, the report is empty."""

    bundle: Bundle
    report: Report
    files: tuple[Path, ...]


def train(recipe: Recipe, out: Path, *, shards: Path | None = None, force: bool = False) -> Trained:
    """Train, calibrate on groups that neither trained nor chose the model, and evaluate on yet others.

    Args:
        recipe: what to do.
        out: folder of the bundle.
        shards: folder of shards; without, samples are read from the files each epoch.
        force: replace another bundle in `out`.
    """
    from seisloom.training.check import check_shards
    from seisloom.training.cross import cross_products
    from seisloom.training.fit import fit
    from seisloom.training.loader import LiveSource, Source
    from seisloom.training.ranks import is_first

    task = task_of(recipe)
    source: Source = Shards(shards) if shards is not None else LiveSource(task, recipe)
    parts = split(source.refs, seed=recipe.seed, config=recipe.split)
    if shards is not None:
        check_shards(task, recipe, source, [*parts["calibrate"], *parts["test"]])
    n_folds = _folds_for(recipe, parts)
    if n_folds:
        parts = {**parts, "train": [*parts["train"], *parts["calibrate"]], "calibrate": []}
    bundle = fit(task, recipe, out, source=source, parts=parts, force=force)
    products = cross_products(task, recipe, out, source, parts, n_folds=n_folds, force=force) if n_folds else []
    if not is_first():
        return Trained(bundle, {}, ())
    bundle.remember(task.contents(recipe, [*parts["train"], *parts["valid"]]))
    opened = Opened(out.name, task, recipe, bundle.predictor(), None, bundle)
    # Classical methods have not learnt from the training part, so they may be calibrated on it
    known = parts["train"] if n_folds else parts["calibrate"]
    records = list(task.records(recipe, known)) if known else []
    if n_folds:
        opened = replace(opened, calibration=task.calibrate(recipe, products, None))
    elif records:
        opened = with_calibration(replace(opened, calibration=_calibration_before(recipe)), records)
    else:
        logger.warning("no groups to calibrate on: there are no intervals. See: seisloom calibrate --help")
    if opened.calibration is not None:
        _write_calibration(opened, out, [] if n_folds else records)
    report: Report = {}
    files: tuple[Path, ...] = ()
    if parts["test"]:
        methods = [opened, *_calibrated_methods(task, recipe, records)]
        report, files = evaluate(methods, list(task.records(recipe, parts["test"])), out, references=records)
    bundle = Bundle.open(out)
    write_card(bundle, report)
    return Trained(bundle, report, files)


def _calibration_before(recipe: Recipe) -> Calibration | None:
    """Return the calibration of the bundle that training began from: how far groups differ from each other."""
    before = recipe.train.init_from
    return Bundle.open(before).calibration if before and not before.endswith((".ckpt", ".pth")) else None


def _folds_for(recipe: Recipe, parts: Mapping[str, Sequence[Ref]]) -> int:
    """Return how many folds are to calibrate, 0 where the groups that are held out for it suffice."""
    n_folds = getattr(recipe.calibrate, "folds", 0)
    n_held_out = n_groups(parts["calibrate"], recipe.split.by)
    if not n_folds or not n_held_out or n_held_out >= ENOUGH_GROUPS:
        return 0
    logger.info(
        "%d groups to calibrate on are fewer than %d: cross-conformal over %d folds, so %d trainings more "
        "(calibrate.folds=0 for none)", n_held_out, ENOUGH_GROUPS, n_folds, n_folds,
    )  # fmt: skip
    return int(n_folds)


def _seen_notes(opened: Opened, records: Sequence[Record]) -> list[str]:
    """Say how many of the records a bundle was trained, chosen or calibrated on; nothing for none."""
    if opened.bundle is None:
        return []
    contents = _contents(records)
    n_seen = int(np.isin(contents, opened.bundle.seen()).sum())
    n_calibrated = 0 if opened.calibration is None else int(np.isin(contents, opened.bundle.calibrated()).sum())
    notes = []
    if n_seen:
        notes.append(
            f"{opened.name} was trained or chosen on {n_seen} of these {contents.size} records: its scores flatter it"
        )
    if n_calibrated:
        notes.append(
            f"{n_calibrated} of these {contents.size} records calibrated {opened.name}: its coverage flatters it"
        )
    for note in notes:
        logger.warning(note)
    return notes


def _contents(records: Sequence[Record]) -> Array:
    """Return the hashes of the raw records, uint64."""
    return np.concatenate([np.zeros(0, np.uint64), *(np.asarray(one.content) for one in records)])


def _calibrated_methods(task: Task[Any], recipe: Recipe, records: Sequence[Record]) -> list[Opened]:
    """The classical methods of the room, calibrated on the same groups as the network."""
    methods = []
    for name in plugins.names("methods"):
        if plugins.load("methods", name).model_fields["task"].default == task.name:
            opened = open_predictor(name, recipe=recipe)
            methods.append(with_calibration(opened, records) if records else opened)
    return methods


def with_calibration(opened: Opened, records: Iterable[Record]) -> Opened:
    """Return the method with a calibration from records with truth; its former one may help where groups are few."""
    every = list(records)
    shown = track(every, total=len(every), what=f"calibrating {opened.name}", unit="gathers")
    product = opened.task.apply(opened.recipe, opened.predictor, None, shown)
    calibration = opened.task.calibrate(opened.recipe, [product], opened.calibration)
    return replace(opened, calibration=calibration)


def _write_calibration(opened: Opened, folder: Path, records: Sequence[Record]) -> None:
    """Write the calibration, and the hashes of the records that it was made of beside those that trained."""
    calibration = opened.calibration
    assert calibration is not None
    write_json(folder / "calibration.json", calibration.to_json())
    write_hashes(folder / CALIBRATED, _contents(records))
    logger.info("calibrated: %s", calibration.note)


def recalibrate(
    name: str | Path,
    records: Sequence[Record],
    out: Path,
    *,
    changes: Sequence[str] = (),
    checkpoint: str | Path | None = None,
    force: bool = False,
) -> Bundle:
    """Write a copy of a bundle that is calibrated on other records, such as a few shots of a new survey.

    Args:
        name: the bundle, by folder or shipped name.
        records: with truth; of groups that neither trained nor chose the model.
        out: folder of the copy.
        changes: key=value changes of the recipe's `calibrate` and `apply`, such as "calibrate.snr_bins=3".
        checkpoint: weights that the copy is to have instead; see `Bundle.network`.
        force: replace a bundle in `out`.
    Raises:
        CalibrationError: if `name` is no bundle, or the records have no truth.
        RecipeError: if a change is not possible, or concerns how the network was trained.
        OutputError: if `out` is there already, or is there and no bundle.
    """
    if out.exists() and not force:
        raise OutputError(f"{out}: is there already. Choose another --out, or replace it with --force")
    if out.exists() and not (out / "recipe.yaml").is_file() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out}: is not a bundle, so --force does not replace it. Choose another --out")
    opened = open_predictor(name)
    former = opened.bundle
    if former is None:
        raise CalibrationError(f"{name} is a method without weights, and has no calibration to keep")
    opened = replace(opened, recipe=_with_changes(opened.recipe, changes))
    network = None if checkpoint is None else former.network(checkpoint)
    if network is not None:
        opened = replace(opened, predictor=as_predictor(network))
    calibrated = with_calibration(opened, records)
    partial_out = out.with_name(out.name + ".partial")
    shutil.rmtree(partial_out, ignore_errors=True)
    stale = ("folds", "metrics.json", "report.html", "evaluate_picks", "checkpoints", "logs", "calibration.json")
    shutil.copytree(former.path, partial_out, ignore=shutil.ignore_patterns(*stale))
    if changes:
        (partial_out / "recipe.yaml").write_text(opened.recipe.to_yaml(), encoding="utf-8")
    if network is not None:
        write_weights(network.state_dict(), partial_out)
    _write_calibration(calibrated, partial_out, records)
    if force:
        shutil.rmtree(out, ignore_errors=True)
    partial_out.replace(out)
    bundle = Bundle.open(out)
    write_card(bundle, {})
    return bundle


def _with_changes(recipe: Recipe, changes: Sequence[str]) -> Recipe:
    """Return the recipe with other keys of `calibrate` and `apply`; the rest is what the network was trained with."""
    changed = recipe_from(recipe.model_dump(mode="json"), changes, where="calibrate")
    free = {"calibrate", "apply"}
    if changed.model_dump(mode="json", exclude=free) != recipe.model_dump(mode="json", exclude=free):
        raise RecipeError(
            f"{' '.join(changes)}: calibrating anew changes keys of calibrate and apply alone, such as "
            "calibrate.level=0.8; for others train again"
        )
    return changed


def evaluate(
    methods: Sequence[Opened], records: Sequence[Record], out: Path, *, references: Sequence[Record] = ()
) -> tuple[Report, tuple[Path, ...]]:
    """Score methods side by side on the same whole records, and write metrics, tables, figures and a page.

    Args:
        methods: the first one is the one in question.
        records: with truth; of groups that nothing was chosen or calibrated on.
        out: folder for `metrics.json`, `report.html` and pictures.
        references: records with truth that a baseline without waveforms may learn from: the leak alarm.
    Raises:
        OutputError: if `out` is a file.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file. Choose another --out")
    task, recipe = methods[0].task, methods[0].recipe
    products: dict[str, Product] = {}
    methods = _with_names_of_their_own(methods)
    for one in methods:
        shown = track(records, total=len(records), what=f"scoring {one.name}", unit="gathers")
        products[one.name] = task.apply(one.recipe, one.predictor, one.calibration, shown)
    report = task.evaluate(recipe, products, references)
    if not references:
        report["notes"].append("there are no other shots to learn a constant from: no baselines without waveforms")
    report["notes"] += [note for one in methods for note in _seen_notes(one, records)]
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "metrics.json", report)
    files = task.report(recipe, products, report, records, out)
    return report, (out / "metrics.json", *files)


def _with_names_of_their_own(methods: Sequence[Opened]) -> list[Opened]:
    """Two bundles may be called alike, a/model and b/model: then their folders name them."""
    names = [one.name for one in methods]
    return [
        replace(one, name=str(one.bundle.path)) if names.count(one.name) > 1 and one.bundle is not None else one
        for one in methods
    ]
