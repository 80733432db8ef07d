"""Where a record lies: a file of its own, `<id>.npz`, or a member of a tar shard, `<shard>.tar/<id>.npz`."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, MissingDataError
from seisloom.io.npz import decode_arrays
from seisloom.io.shards import index_path, read_index
from seisloom.sample import Arrays, Sample

META = "meta"
"""Name of the array that holds the remarks, as bytes of JSON; in a shard they are the `.json` beside the record."""


def tar_of(record: Path) -> Path | None:
    """Return the shard that a record is a member of; None for a file of its own.

    >>> tar_of(Path("curves/a.tar/1f.npz")).name
    'a.tar'
    """
    return record.parent if record.parent.suffix == ".tar" else None


def size_of(record: Path) -> int:
    """Return the bytes of a record, 0 where it is not there, or its shard has no index and so was cut off."""
    tar = tar_of(record)
    if tar is not None:
        return _members(tar).get(record.stem, (0, 0))[1]
    try:
        return record.stat().st_size if record.is_file() else 0
    except OSError:
        return 0


def stored_arrays_of(record: Path) -> Arrays:
    """Return the arrays of a record as they are stored, with its remarks as `META` where it has some.

    Raises:
        MissingDataError: if it is not there.
        DataError: if it is no `.npz`, or a damaged one.
    """
    tar = tar_of(record)
    if tar is None and not record.is_file():
        raise MissingDataError(f"{record}: there is no such file. Give a record (.npz)")
    if tar is not None and not size_of(record):
        raise MissingDataError(
            f"{record}: the shard {tar.name} has no such record, is not there, or was cut off. The same "
            "`seisloom synth dispersion` writes it"
        )
    try:
        if tar is None:
            return decode_arrays(record.read_bytes())
        arrays, about = _member(tar, record.stem)
    except (ValueError, KeyError, tarfile.TarError) as error:
        raise DataError(f"{record}: is no record (.npz), or a damaged one: {error}") from error
    return {**arrays, META: remarks(record.stem, about["meta"])}


def stored_samples(tar: Path) -> Iterator[Sample]:
    """Yield the records of a shard as they were put in.

    Raises:
        DataError: if one is damaged.
    """
    for key in _members(tar):
        try:
            arrays, about = _member(tar, key)
        except (ValueError, KeyError, tarfile.TarError) as error:
            raise DataError(
                f"{tar}: record {key} is damaged ({error}). Delete the shard and run the same `seisloom synth "
                "dispersion` again, which writes it anew"
            ) from error
        yield Sample(key, about["groups"], arrays, about["meta"])


def remarks(key: str, meta: Mapping[str, Any]) -> Any:  # Any: JSON values; a NumPy array of bytes
    """Return the remarks of a record as an array of bytes of JSON."""
    return np.array(json.dumps({"id": key, **meta}, sort_keys=True).encode())


def _members(tar: Path) -> Mapping[str, tuple[int, int]]:
    """Return where each record of a shard begins, and its bytes; none where the shard is not finished."""
    try:
        return _listed(str(tar), os.stat(index_path(tar)).st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=64)
def _listed(tar: str, _mtime_ns: int) -> Mapping[str, tuple[int, int]]:
    index = read_index(Path(tar))
    return {} if index is None else {one["key"]: (one["at"], one["size"]) for one in index["samples"]}


def _member(tar: Path, key: str) -> tuple[Arrays, dict[str, Any]]:  # Any: JSON values
    """Return the arrays of a member, and what the `.json` behind it says.

    Raises:
        ValueError, KeyError, tarfile.TarError: if either is damaged.
    """
    at, size = _members(tar)[key]
    with tar.open("rb") as file:
        file.seek(at)
        arrays = decode_arrays(file.read(size))
        file.seek(-size % tarfile.BLOCKSIZE, os.SEEK_CUR)
        header = tarfile.TarInfo.frombuf(file.read(tarfile.BLOCKSIZE), "utf-8", "strict")
        if header.name != f"{key}.json":
            raise ValueError(f"{header.name} lies where its remarks should")
        about: dict[str, Any] = json.loads(file.read(header.size))
    return arrays, about
