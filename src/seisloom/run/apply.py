"""Apply: a method through a volume of any size, to a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from seisloom.bundle import WEIGHTS, Opened, open_predictor
from seisloom.compute import executor
from seisloom.errors import RecipeError
from seisloom.io.volumes.volume import Given, Wanted
from seisloom.recipe import Recipe
from seisloom.sample import Predictor
from seisloom.tiled import Applied, Place, apply_to_volume


@dataclass(frozen=True, slots=True)
class Where:
    """The machine's part of a job."""

    workers: int = 1
    cluster: str | None = None
    device: str = "auto"
    memory_mb: float = 512
    """That a worker may take beside the network, in 10^6 bytes."""


def apply_volume(
    opened: Opened,
    source: str | Path,
    out: str | Path,
    *,
    variable: str | None = None,
    given: Given | None = None,
    wanted: Wanted | None = None,
    where: Where | None = None,
    checkpoint: str | None = None,
    force: bool = False,
) -> Applied:
    """Take a volume through a method, tile by tile; see `seisloom.tiled.apply_to_volume`.

    Args:
        opened: a bundle or a method of a room of volumes.
        source, out, variable, given, wanted, force: as there.
        where: workers or cluster, device, memory.
        checkpoint: weights in place of the bundle's own, see `Bundle.network`.
    Raises:
        RecipeError: if the method's room does not take volumes.
    """
    task, recipe, where = opened.task, opened.recipe, where or Where()
    if task.tile is None:
        raise RecipeError(f"{opened.name} is of the room {task.name}, which does not take volumes")
    name = str(opened.bundle.path.absolute()) if opened.bundle is not None else opened.name
    again = partial(_open_again, name, None if opened.bundle is not None else recipe, where.device, checkpoint)
    with executor(where.cluster, where.workers) as pool:
        return apply_to_volume(
            partial(task.tile, recipe, opened.calibration), again, source, out,
            identity={"model": opened.name, "model_sha256": _digest(opened, checkpoint)}, variable=variable,
            given=given, wanted=wanted, force=force,
            place=Place(pool, where.workers, getattr(recipe.apply, "threads", 1), where.memory_mb, where.device),
        )  # fmt: skip


def _open_again(name: str, recipe: Recipe | None, device: str, checkpoint: str | None) -> Predictor:
    """Open the predictor where the tiles are run."""
    return open_predictor(name, recipe=recipe, device=device, checkpoint=checkpoint).predictor


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
    calibration = None if opened.calibration is None else opened.calibration.to_json()
    said = [checkpoint, calibration, opened.recipe.model_dump(mode="json", include={"prepare", "model", "apply"})]
    found.update(json.dumps(said, sort_keys=True).encode())
    return found.hexdigest()[:16]
