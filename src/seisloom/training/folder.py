"""The folder of a run: whose it is, whether a training goes on in it, and in what a recipe differs from its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from seisloom.bundle import PLAIN_WEIGHTS, SEEN, WEIGHTS
from seisloom.config import flat
from seisloom.errors import OutputError
from seisloom.recipe import Recipe
from seisloom.seal import SEAL
from seisloom.training.ranks import is_first, wait_for_all

logger = logging.getLogger("seisloom")
RECIPE, CHECKPOINTS, LOGS = "recipe.yaml", "checkpoints", "logs"
OURS = (
    WEIGHTS, SEEN, RECIPE, "split.json", "history.csv", "loss_plot.png", "metrics.json", SEAL, PLAIN_WEIGHTS,
    "calibration.json", "card.md", "report.html",
)  # fmt: skip
"""Files that a run writes beside its checkpoints."""
FREE = tuple(f"train.{key}" for key in ("epochs", "num_workers", "threads", "batch_valid", "resume", "check"))
"""Keys that may change when a run goes on."""
FIRST = ("train.", "seed", "model.", "split.")
"""Beginnings of keys that a message names before all others."""
MOST = 12
"""Keys that a message names."""
LONGEST = 60
"""Letters of a value in a message."""


def claim(out: Path, recipe: Recipe, *, force: bool) -> str | None:
    """Make the folder ours, as the first process alone, and return the checkpoint to resume from, if any.

    A folder that a run of this recipe left is gone on with. One that a run left before it had a checkpoint or weights
    is begun anew, whatever its recipe was.

    Raises:
        OutputError: if the folder holds anything else, or cannot be written.
    """
    last = out / CHECKPOINTS / "last.ckpt"
    resume = _claim_as_first(out, recipe, last, force=force) if is_first() else None
    wait_for_all()
    return resume if is_first() else str(last) if last.is_file() else None


def _claim_as_first(out: Path, recipe: Recipe, last: Path, *, force: bool) -> str | None:
    file, resume = out / RECIPE, None
    if file.is_file():
        differs = differences(file, recipe)
        if not differs:
            resume = str(last) if last.is_file() else None
        elif force or died_early(out):
            _keep_source(out, recipe)
            _clear(out)
        else:
            go_on = f" (train.resume={last} goes on from it there)" if last.is_file() else ""
            raise OutputError(
                f"{out}: holds a bundle of another recipe ({differs}). Choose another --out{go_on}, or replace it with "
                "--force"
            )
    elif out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file. Choose another --out")
    elif out.exists() and any(out.iterdir()) and not force:
        raise OutputError(f"{out}: is not empty and not a bundle. Choose another --out, or use it with --force")
    try:
        last.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(recipe.to_yaml(), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror}. Choose another --out") from error
    if resume:
        logger.info("resuming from %s", resume)
    return resume


def died_early(out: Path) -> bool:
    """Return whether a folder holds what a run writes before its first checkpoint, and nothing else.

    The empty folder of checkpoints tells it from one in which somebody keeps a recipe that he wrote.
    """
    checkpoints = out / CHECKPOINTS
    rest = {item.name for item in out.iterdir()} - {*OURS, CHECKPOINTS, LOGS}
    has_weights = any((out / name).exists() for name in (WEIGHTS, PLAIN_WEIGHTS))
    return checkpoints.is_dir() and not any(checkpoints.iterdir()) and not has_weights and not rest


def differences(file: Path, recipe: Recipe) -> str:
    """Return in words the keys in which the recipe of a folder differs from this one; "" where it is the same."""
    try:
        before, now = (dict(flat(yaml.safe_load(text))) for text in (file.read_text("utf-8"), recipe.to_yaml()))
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError):
        return f"{file} is damaged"
    return said_of(before, now)


def said_of(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:  # Any: values of YAML
    """Return in words which keys have other values, those first that are changed most often.

    >>> said_of({"seed": 0, "train.lr": 0.1, "train.epochs": 1}, {"seed": 5, "train.lr": 0.2, "train.epochs": 3})
    'train.lr was 0.1, is now 0.2; seed was 0, is now 5'
    """
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key) and key not in FREE]
    rows = [row for key in sorted(keys, key=_rank) for row in _rows(key, before.get(key), now.get(key))]
    said = [f"{key} was {_short(was)}, is now {_short(value)}" for key, was, value in rows[:MOST]]
    rest = list(dict.fromkeys(key.partition(".")[0] for key, _, _ in rows[MOST:]))
    return "; ".join([*said, *([f"and {len(rows) - MOST} more in {', '.join(rest)}"] if rest else [])])


def _rows(key: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:  # Any: values of YAML
    """Yield what differs of a key: of the same entries in a list their keys, of others their names."""
    before, after = _names(was), _names(now)
    if not before or before != after or len(set(before)) < len(before):
        yield key, before or was, after or now
        return
    for name, *entries in zip(before, was, now, strict=True):
        one, other = (dict(flat(entry)) for entry in entries)
        for inner in {**one, **other}:
            if one.get(inner) != other.get(inner):
                yield f"{key}.{name}.{inner}", one.get(inner), other.get(inner)


def _names(value: Any) -> list[str]:  # Any: a value of YAML
    """Return the names of the entries of a list such as `loss:`; none of another value."""
    is_entries = isinstance(value, list) and all(isinstance(one, Mapping) and "name" in one for one in value)
    return [str(one["name"]) for one in value] if is_entries else []


def _rank(key: str) -> int:
    return next((place for place, beginning in enumerate(FIRST) if key.startswith(beginning)), len(FIRST))


def _short(value: Any) -> str:  # Any: a value of YAML
    text = str(value).replace("'", "")
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def warn_of_changes(checkpoint: str, recipe: Recipe) -> None:
    """Say in which keys a recipe differs from that of the run which left a checkpoint, where that is beside it."""
    folder = Path(checkpoint).absolute().parent
    file = (folder.parent if folder.name == CHECKPOINTS else folder) / RECIPE
    if not file.is_file():
        logger.warning("train.resume: there is no %s, so whether the recipe of %s was this one is not known", file,
                       checkpoint)  # fmt: skip
    elif differs := differences(file, recipe):
        logger.warning("train.resume: %s is of another recipe (%s). The new values hold from here on", checkpoint,
                       differs)  # fmt: skip


def _keep_source(out: Path, recipe: Recipe) -> None:
    """Refuse to clear a folder that holds what training is to begin from.

    Raises:
        OutputError: if it does.
    """
    for key in ("init_from", "resume"):
        name = getattr(recipe.train, key)
        if name and Path(name).exists() and Path(name).resolve().is_relative_to(out.resolve()):
            raise OutputError(f"{out}: would be cleared, and train.{key}={name} is in it. Choose another --out")


def _clear(out: Path) -> None:
    """Remove what a former run wrote, and only that: nobody's other files."""
    for file in [*(out / name for name in OURS), *(out / CHECKPOINTS).glob("*.ckpt")]:
        file.unlink(missing_ok=True)
