"""Write shards: every planned sample is read or synthesised once, and stored."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from seisloom.compute import InThisProcess, run_jobs
from seisloom.errors import OutputError
from seisloom.io.shards import ShardSummary, finished, read_index, write_folder_index, write_shard
from seisloom.progress import track
from seisloom.recipe import Recipe
from seisloom.sample import Ref
from seisloom.task import task_of

logger = logging.getLogger("seisloom")
RECIPE = "recipe.yaml"
"""What the shards of a folder were last written by; training from them needs no other recipe."""


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
    (out / RECIPE).write_text(recipe.to_yaml(), encoding="utf-8")
    n_written, n_kept = (sum(one.n_samples for one in summaries if one.existed == kept) for kept in (False, True))
    logger.info(
        "shards: %d traces planned, %d samples written, %d samples kept from before, %d left out",
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
