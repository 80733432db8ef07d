"""Write records with their manifest: the same bytes for any number of workers; a run that was killed goes on."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path

from seisloom.compute import InThisProcess, run_jobs
from seisloom.errors import OutputError
from seisloom.io.shards import index_path
from seisloom.progress import track
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.make import GENERATOR
from seisloom.tasks.dispersion.store.manifest import append_rows, mend_end, read_rows
from seisloom.tasks.dispersion.store.place import size_of, tar_of
from seisloom.tasks.dispersion.store.record import RecordFiles, Row, cannot_write, write_record
from seisloom.tasks.dispersion.store.shards import rows_of_shards

MANIFEST = Path("manifests", "labels.jsonl")
"""Where it lies in the folder of the data set, unless `paths.manifest_path` says otherwise."""
NOT_OF_RECORDS = {"paths", "mask", "cli", "n", "first"}
"""Keys of the data that change no record."""
ROWS, WAIT_S = 64, 2.0
"""Rows are appended when there are so many, or the first of them is so old: what a kill loses is made again."""


@dataclass(slots=True)
class Written:
    """What a run did."""

    made: int = 0
    kept: int = 0
    """Records that were there."""
    n_bytes: int = 0
    """Of the files that were written."""
    seconds: float = 0.0
    rejected: Counter[str] = field(default_factory=Counter)
    """Media that were drawn and not taken, by reason, for the records that were made."""
    mended: int = 0
    """Bytes of a torn last line that were cut off."""

    def __add__(self, other: Written) -> Written:
        return Written(
            self.made + other.made, self.kept + other.kept, self.n_bytes + other.n_bytes,
            self.seconds + other.seconds, self.rejected + other.rejected, self.mended + other.mended,
        )  # fmt: skip


def recipe_hash(data: DispersionData) -> str:
    """Return 16 hexadecimal digits of all settings that a record depends on, and of the generator's version."""
    said = {"generator": GENERATOR, **data.model_dump(mode="json", exclude=NOT_OF_RECORDS)}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def write_records(
    data: DispersionData,
    out: Path,
    *,
    n: int,
    seed: int,
    manifest: Path | None = None,
    pool: Executor | None = None,
    about: Mapping[str, str] | None = None,
) -> Written:
    """Write n records and append their rows; those that are there are kept, so that a killed run goes on.

    A record is `<out>/<curves_subdir>/<id>.npz`, or with `paths.format: shards` a member of a tar there, in place
    before its row is. Records of other settings that the manifest lists stay, and a record that two settings agree on
    is listed once.

    Args:
        data: what is drawn; records have the numbers from `data.first`.
        out: folder of the data set.
        n: number of records.
        seed: of all random numbers.
        manifest: list of the records; manifests/labels.jsonl in `out` by default. Its paths are relative to it. Hold
            it by `manifest.held`.
        pool: where records are made; this process by default.
        about: `part` and `split` of these records, for their rows.
    Raises:
        DataError: if a line of the manifest is no row, or no medium fits the data.
        OutputError: if the disk is full or not to be written, or masks are asked for of records that are there
            without.
    """
    manifest = out / MANIFEST if manifest is None else manifest
    begin, done = time.monotonic(), Written(mended=mend_end(manifest))
    job = RecordFiles(data, 0, seed, recipe_hash(data), out, manifest, dict(about or {}))
    known, there = _known(manifest, job)
    for file in (one for folder in (job.path("").parent, job.mask_path("").parent) for one in folder.glob("*.partial")):
        file.unlink()  # of a run that was killed; nobody else writes here
    numbers = [number for number in range(data.first, data.first + n) if number not in there]
    done.kept = n - len(numbers)
    rows = (rows_of_shards if data.paths.format == "shards" else _rows_of_files)(job, numbers, pool or InThisProcess())

    def count(row: Row) -> bool:
        """Count a record; return whether it needs a row."""
        done.made += 1
        done.n_bytes += sum(size_of(manifest.parent / row[name]) for name in ("npz", "mask") if name in row)
        done.rejected.update(row["rejected"])
        is_new = row["id"] not in known
        known.add(row["id"])
        return is_new

    _append(manifest, rows, count)
    done.seconds = time.monotonic() - begin
    return done


def _rows_of_files(job: RecordFiles, numbers: Sequence[int], pool: Executor) -> Iterator[Row]:
    """Write the records of these numbers, each to a file, and yield their rows."""
    made = run_jobs(pool, write_record, (replace(job, index=number) for number in numbers))
    yield from track(made, total=len(numbers), what="writing records", unit="records")


def _append(manifest: Path, rows: Iterator[Row], needed: Callable[[Row], bool]) -> None:
    """Append rows in their order, some at a time; those that are done when something goes wrong, too."""
    waiting: list[Row] = []
    since = time.monotonic()
    try:
        for row in rows:
            if needed(row):
                waiting.append(row)
            if len(waiting) >= ROWS or time.monotonic() - since > WAIT_S:
                _flush(manifest, waiting)
                since = time.monotonic()
    finally:
        _flush(manifest, waiting)


def _flush(manifest: Path, waiting: list[Row]) -> None:
    rows = list(waiting)
    waiting.clear()  # first: what cannot be appended is not tried twice
    if rows:
        append_rows(manifest, rows)


def _known(manifest: Path, job: RecordFiles) -> tuple[set[str], set[int]]:
    """Return the ids in a manifest, and the numbers of the records of these settings whose files are there."""
    ids: set[str] = set()
    there: set[int] = set()
    if not manifest.is_file():
        return ids, there
    for number, row in read_rows(manifest):
        ids.add(str(row.get("id")))
        if (row.get("recipe"), row.get("seed")) != (job.recipe, job.seed):
            continue
        if job.data.mask.write and not row.get("mask"):
            raise OutputError(
                f"{manifest}:{number}: this record was written without masks, and a row is never changed. Take "
                "another --out, or replace all records with --force; masks can also be drawn when they are needed"
            )
        names = [name for name in ("npz", "mask") if row.get(name)]
        if all(size_of(manifest.parent / str(row[name])) > 0 for name in names):
            there.add(int(row.get("index", -1)))
    return ids, there


def clear_records(manifest: Path, out: Path) -> int:
    """Remove the records that a manifest lists and the manifest; return how many there were. Other files stay.

    Raises:
        DataError: if a line is no row.
        OutputError: if a file cannot be removed.
    """
    mend_end(manifest)
    n, inside = 0, out.resolve()
    if not manifest.is_file():
        return n
    for _, row in read_rows(manifest):
        for name in (one for one in ("npz", "mask") if row.get(one)):
            file = (manifest.parent / str(row[name])).resolve()
            if inside not in file.parents:
                continue  # another set's, or edited by hand
            tar = tar_of(file)
            try:
                for one in (file,) if tar is None else (tar, index_path(tar), tar.parent / "index.json"):
                    one.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(file, error) from error
        n += 1
    manifest.unlink()
    return n
