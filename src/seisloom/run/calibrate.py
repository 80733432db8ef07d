"""Calibrate: what a method says of held-out records, against their truth, in a bundle of its own."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seisloom.bundle import CALIBRATED, Bundle, Opened, as_predictor, open_predictor, write_hashes, write_weights
from seisloom.card import write_card
from seisloom.errors import CalibrationError, OutputError, RecipeError
from seisloom.io.shards import write_json
from seisloom.progress import track
from seisloom.recipe import Recipe, recipe_from
from seisloom.sample import Array
from seisloom.task import Record

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger("seisloom")


def with_calibration(opened: Opened, records: Iterable[Record]) -> Opened:
    """Return the method with a calibration from records with truth; its former one may help where groups are few."""
    every = list(records)
    shown = track(every, total=len(every), what=f"calibrating {opened.name}", unit=opened.task.noun)
    product = opened.task.apply(opened.recipe, opened.predictor, None, shown)
    calibration = opened.task.calibrate(opened.recipe, [product], opened.calibration)
    return replace(opened, calibration=calibration)


def write_calibration(opened: Opened, folder: Path, records: Sequence[Record], former: Bundle | None = None) -> None:
    """Write the calibration, and the hashes of the records that it was made of beside those that trained.

    Args:
        opened: the method with its calibration.
        folder: of the bundle.
        records: that calibrated it.
        former: bundle whose calibration may have helped: its records then have a part in the new one.
    """
    calibration = opened.calibration
    assert calibration is not None
    write_json(folder / "calibration.json", calibration.to_json())
    contents = contents_of(records)
    if former is not None and getattr(calibration, "leans_on_former", False):
        contents = np.concatenate([contents, former.calibrated()])
    write_hashes(folder / CALIBRATED, contents)
    logger.info("calibrated: %s", calibration.note)


def contents_of(records: Sequence[Record]) -> Array:
    """Return the hashes of the raw records, uint64."""
    return np.concatenate([np.zeros(0, np.uint64), *(np.asarray(one.content) for one in records)])


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
        CalibrationError: if `name` is no bundle, all records have trained or chosen it, or they have no truth.
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
    records = _not_seen(former, records)
    opened = replace(opened, recipe=_with_changes(opened.recipe, changes))
    network = None if checkpoint is None else former.network(checkpoint)
    if network is not None:  # the former calibration is of other weights, and cannot help
        opened = replace(opened, predictor=as_predictor(network), calibration=None)
    calibrated = with_calibration(opened, records)
    partial_out = out.with_name(out.name + ".partial")
    try:
        _write_copy(former, partial_out, calibrated, records, network=network, changed=bool(changes))
    except OSError as error:
        shutil.rmtree(partial_out, ignore_errors=True)
        raise OutputError(f"{out}: cannot be written ({error.strerror or 'no room'}). Choose another --out") from error
    if force:
        shutil.rmtree(out, ignore_errors=True)
    partial_out.replace(out)
    bundle = Bundle.open(out)
    write_card(bundle, {})
    return bundle


def _write_copy(
    former: Bundle,
    out: Path,
    calibrated: Opened,
    records: Sequence[Record],
    *,
    network: nn.Module | None,
    changed: bool,
) -> None:
    """Write a copy of a bundle with another calibration, and with other weights and another recipe if there are any."""
    shutil.rmtree(out, ignore_errors=True)
    stale = ("folds", "metrics.json", "report.html", "evaluate_picks", "checkpoints", "logs", "calibration.json")
    shutil.copytree(former.path, out, ignore=shutil.ignore_patterns(*stale))
    if changed:
        (out / "recipe.yaml").write_text(calibrated.recipe.to_yaml(), encoding="utf-8")
    if network is not None:
        write_weights(network.state_dict(), out)
    write_calibration(calibrated, out, records, former if network is None else None)


def _not_seen(bundle: Bundle, records: Sequence[Record]) -> Sequence[Record]:
    """Return the records that have neither trained nor chosen a bundle: on the others it errs less than on new ones."""
    seen, noun = bundle.seen(), bundle.task.noun
    kept = [one for one in records if not np.isin(one.content, seen).any()]
    if records and not kept:
        raise CalibrationError(
            f"all of these {len(records)} {noun} have trained or chosen {bundle.path}: on new ones it errs more. Name "
            "shots that it has not seen, with --shots; they stand in its split.json"
        )
    if len(kept) < len(records):
        logger.warning(
            "%d of %d %s are left out: they have trained or chosen the bundle, which errs more on new ones",
            len(records) - len(kept), len(records), noun,
        )  # fmt: skip
    return kept


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
