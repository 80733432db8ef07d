"""Records in tar shards, as `seisloom shards write` writes samples: each whole with its index, or not there.

A shard has a fixed range of the numbers of records of one recipe and seed. A run that was killed makes the shard that
it was writing again; one that asks for more records puts them behind those of the last shard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

from seisloom.compute import run_jobs
from seisloom.io.shards import finished, index_path, read_index, write_folder_index, write_shard
from seisloom.progress import track
from seisloom.sample import Field, Sample, Schema
from seisloom.tasks.dispersion.store.place import stored_samples
from seisloom.tasks.dispersion.store.record import RecordFiles, Row, cannot_write, made_record, relative, row_of

_OF_MODES = ("mode", "frequency")
RECORD = Schema(
    (
        Field("spectrum", ("velocity", "frequency"), "float16", doc="0 to 1"),
        Field("freq", ("frequency",), "float64", "Hz"),
        Field("phase_velocity", ("velocity",), "float64", "m/s"),
        Field("curves", _OF_MODES, unit="m/s", doc="NaN where a mode does not exist", label="curve"),
        Field("group_velocity", _OF_MODES, unit="m/s", label="curve"),
        Field("energy_share", _OF_MODES, doc="of the field at the receivers", label="mask"),
        Field("mode_gap", _OF_MODES, unit="m/s", doc="to the nearest other mode", label="mask"),
        Field("nacd", _OF_MODES, doc="mean offset in wavelengths", label="mask"),
        *(Field(name, _OF_MODES, "uint8", doc="0 or 1", label="mask")
          for name in ("in_window", "resolved", "excited", "heard", "aliased")),
        Field("snr_db", ("frequency",), unit="dB"),
        Field("apparent", ("frequency",), unit="m/s", doc="where the spectrum without noise is largest"),
        Field("media", ("layer", "property"), unit="m, m/s, m/s, kg/m3", doc="thickness, vp, vs, density"),
        Field("offsets", ("channel",), unit="m", doc="from the source"),
        Field("trace_spectra", ("part", "channel", "frequency"), "float16", doc="real, imaginary; 1 is the largest",
              optional=True),
    )
)  # fmt: skip
"""A record as it is stored; its remarks are in the `.json` beside it."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What is to be done for one shard."""

    path: Path
    wanted: Sequence[int]
    """Numbers of the records whose rows are wanted."""
    missing: Sequence[int]
    """Those of them that it does not hold yet."""


def rows_of_shards(job: RecordFiles, numbers: Sequence[int], pool: Executor) -> Iterator[Row]:
    """Make the records of these numbers, store them in shards, and yield their rows, each when its shard is whole.

    Args:
        job: settings of all records, whatever its own number.
        numbers: rising.
        pool: where records are made; the shards are written here, so that their bytes do not depend on it.
    Raises:
        DataError: if no medium fits, or a shard that more records belong in is damaged.
        OutputError: if the disk is full or not to be written.
    """
    mark = f"{job.recipe}-{job.seed}"
    parts = list(_parts(job, numbers, mark))
    jobs = [replace(job, index=number) for part in parts for number in part.missing]
    made = run_jobs(pool, made_record, jobs)
    tracked = iter(track(made, total=len(jobs), what="writing records", unit="records"))
    for part in parts:
        held = list(stored_samples(part.path)) if finished(part.path, recipe=mark) else []
        rows = [row_of(job.data, one, one.arrays) for one in held if one.meta["index"] in part.wanted]
        if part.missing:
            _drop_index(part.path)  # first: of what is written now it would tell less than there is
            write_shard(part.path, _noted(held, islice(tracked, len(part.missing)), rows), RECORD, recipe=mark)
        for row in rows:
            yield {**row, **job.about, "recipe": job.recipe, "npz": relative(part.path / f"{row['id']}.npz", job)}


def _parts(job: RecordFiles, numbers: Sequence[int], mark: str) -> Iterator[_Part]:
    """Yield the shards that these records belong in, and what is missing there."""
    size = job.data.paths.shard_size
    for place, some in groupby(numbers, key=lambda number: number // size):
        wanted = list(some)
        path = job.path("").parent / f"{job.recipe}-seed{job.seed}-by{size}-{place:05d}.tar"
        is_there = finished(path, recipe=mark) is not None
        held = {one.meta["index"] for one in stored_samples(path)} if is_there else set()
        yield _Part(path, wanted, [number for number in wanted if number not in held])


def _noted(held: Sequence[Sample], made: Iterator[tuple[Sample, Row]], rows: list[Row]) -> Iterator[Sample]:
    """Yield the records of a shard, and note the rows of those that are made."""
    yield from held
    for sample, row in made:
        rows.append(row)
        yield sample


def _drop_index(tar: Path) -> None:
    try:
        index_path(tar).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(tar, error) from error


def write_index(folder: Path) -> Path | None:
    """Write `index.json` of a folder with shards: which there are, how many records each has, and its SHA-256.

    Returns:
        Its path; None where the folder has no shard.
    Raises:
        OutputError: if the disk is full or not to be written.
    """
    indices = ((tar, read_index(tar)) for tar in sorted(folder.glob("*.tar")))
    found = [finished(tar, recipe=index["recipe"]) for tar, index in indices if index is not None]
    whole = [one for one in found if one is not None]
    try:
        return write_folder_index(folder, whole, RECORD, task="dispersion") if whole else None
    except OSError as error:
        raise cannot_write(folder, error) from error
