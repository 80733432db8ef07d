"""The manifest of a data set, `labels.jsonl`: a row a record, appended, never changed, whole after any kill."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path

from seisloom.errors import DataError, MissingDataError
from seisloom.inference import resume
from seisloom.tasks.dispersion.store.place import size_of, tar_of
from seisloom.tasks.dispersion.store.record import Row, cannot_write


def read_rows(manifest: Path) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a manifest with their line numbers, from 1; empty lines are passed over.

    Raises:
        MissingDataError: if it is not there.
        DataError: if a line is no row.
    """
    for number, line in read_lines(manifest):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(
                f"{manifest}:{number}: is no JSON ({error}). Take the line out; its record is made again by the same "
                "`seisloom synth dispersion`"
            ) from error
        if not isinstance(row, dict):
            raise DataError(f"{manifest}:{number}: is no row. Take the line out")
        yield number, row


def read_lines(manifest: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a manifest that hold something, with their numbers, from 1.

    Raises:
        MissingDataError: if it is not there.
    """
    try:
        file = manifest.open("rb")
    except FileNotFoundError as error:
        raise MissingDataError(
            f"{manifest}: there is no such manifest. Write one: seisloom synth dispersion"
        ) from error
    with file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def find_npz(manifest: Path, npz: str, where: str) -> Path:
    """Return the path of a record, beside its manifest or in the data set's folder; of a shard that of the member.

    One that was absolute, as the first label generator writes them, is looked for where the folder lies now.

    Raises:
        MissingDataError: if it is nowhere; it begins with `where`.
    """
    given = Path(npz)
    near = Path(*given.parts[-2 if tar_of(given) is None else -3 :])
    for folder, name in product((manifest.parent, manifest.parent.parent), (given, near)):
        if size_of(folder / name):
            return folder / name
    raise MissingDataError(f"{where}: the record {npz} is not in {manifest.parent.parent}")


def mend_end(manifest: Path) -> int:
    """Cut off a last line that a killed run left torn; return how many bytes that were.

    Raises:
        OutputError: if the file is not to be written.
    """
    if not manifest.is_file():
        return 0
    try:
        with manifest.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            end = size
            while end > 0:
                begin = max(end - 65536, 0)
                file.seek(begin)
                at = file.read(end - begin).rfind(b"\n")
                if at >= 0:
                    end = begin + at + 1
                    break
                end = begin
            if end == size:
                return 0
            file.truncate(end)
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(manifest, error) from error
    return size - end


def append_rows(manifest: Path, rows: Sequence[Row]) -> None:
    """Write rows at the end and wait until the disk has them; all of them, or none.

    Raises:
        OutputError: if the system does not let us.
    """
    stored = "".join(json.dumps(row) + "\n" for row in rows).encode()
    size = manifest.stat().st_size if manifest.is_file() else 0
    try:
        manifest.parent.mkdir(parents=True, exist_ok=True)
        with manifest.open("ab", buffering=0) as file:
            left = memoryview(stored)
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
    except OSError as error:
        if manifest.is_file():
            os.truncate(manifest, size)
        raise cannot_write(manifest, error) from error


@contextmanager
def held(manifest: Path) -> Iterator[None]:
    """Hold a manifest, so that no second run appends to it; where a file system knows no locks, do nothing.

    Raises:
        OutputError: if another run holds it, or its folder cannot be made.
    """
    refuse = partial(cannot_write, manifest)
    try:
        manifest.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refuse(error) from error
    with resume.held(manifest, refuse=refuse):
        yield
