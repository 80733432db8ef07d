"""Apply: a method through a volume of any size, to a file."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from seisloom.bundle import WEIGHTS, Opened, device_of, open_predictor
from seisloom.errors import RecipeError
from seisloom.io.volumes.volume import Given, Wanted
from seisloom.recipe import expand
from seisloom.sample import Predictor
from seisloom.tiled import Applied, Place, apply_to_volume


def apply_volume(
    opened: Opened,
    source: str | Path,
    out: str | Path,
    *,
    variable: str | None = None,
    given: Given | None = None,
    wanted: Wanted | None = None,
    place: Place | None = None,
    checkpoint: str | None = None,
    force: bool = False,
) -> Applied:
    """Take a volume through a method, tile by tile; see `seisloom.tiled.apply_to_volume`.

    Args:
        opened: a bundle or a method of a room of volumes.
        source, out, variable, given, wanted, force: as there.
        place: workers or cluster, device, memory. The recipe's `apply.threads` and `apply.batch_size` are taken where
            it does not say them.
        checkpoint: weights in place of the bundle's own, see `Bundle.network`.
    Raises:
        RecipeError: if the method's room does not take volumes.
    """
    task, recipe, place = opened.task, opened.recipe, place or Place(device="auto")
    if task.tile is None:
        raise RecipeError(f"{opened.name} is of the room {task.name}, which does not take volumes")
    name = str(opened.bundle.path.absolute()) if opened.bundle is not None else opened.name
    place = replace(
        place, device=device_of(getattr(opened.method, "device", "cpu") if opened.bundle is None else place.device),
        threads=place.threads or getattr(recipe.apply, "threads", None),
        batch_size=place.batch_size or getattr(recipe.apply, "batch_size", None),
    )  # fmt: skip
    again = (
        partial(_open_again, name, place.device, checkpoint) if opened.method is None else
        partial(opened.method.predictor, recipe)
    )  # fmt: skip
    return apply_to_volume(
        partial(task.tile, recipe, opened.calibration), again, source, out,
        identity={"model": opened.name, "model_sha256": _digest(opened, checkpoint)}, variable=variable,
        given=given, wanted=wanted, force=force, place=place,
    )  # fmt: skip


def _open_again(name: str, device: str, checkpoint: str | None) -> Predictor:
    """Open a bundle's predictor where the tiles are run."""
    return open_predictor(name, device=device, checkpoint=checkpoint).predictor


def _weights_of(folder: Path, checkpoint: str | None) -> Path:
    """Return the file that the weights come from: "last" is another one after more training."""
    if checkpoint is None:
        return folder / WEIGHTS
    return folder / "checkpoints" / f"{checkpoint}.ckpt" if checkpoint in ("best", "last") else Path(checkpoint)


def _digest(opened: Opened, checkpoint: str | None) -> str:
    """Return a hash of all that the method says of a tile: weights, calibration, keys of its recipe."""
    found = hashlib.sha256()
    if opened.bundle is not None:
        found.update(_weights_of(opened.bundle.path, checkpoint).read_bytes())
    if (refiner := getattr(opened.recipe.apply, "refine", None)) is not None:
        for name in (WEIGHTS, "calibration.json", "recipe.yaml"):
            with suppress(OSError):  # what is missing is said where the refiner is opened
                found.update((expand(refiner) / name).read_bytes())
    calibration = None if opened.calibration is None else opened.calibration.to_json()
    method = None if opened.method is None else opened.method.model_dump(mode="json")
    said = [
        checkpoint,
        calibration,
        opened.recipe.model_dump(mode="json", include={"prepare", "model", "apply"}),
        method,
    ]
    found.update(json.dumps(said, sort_keys=True).encode())
    return found.hexdigest()[:16]
