"""Tar shards that any WebDataset reader opens, with an index beside each for random access.

A shard is `<name>.tar` with members `<key>.npz` (arrays, stored, no pickles) and `<key>.json` (groups, provenance),
and `<name>.index.json`: fields, counts, SHA-256, and where each sample lies. The index is written last, so a shard
without one is unfinished. Bytes depend on the samples alone: no times, no owners.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from seisloom.errors import DataError, LeftOut, MissingDataError, OutputError, SeisloomError
from seisloom.io.npz import ArrayEncoder, decode_arrays
from seisloom.sample import Array, Ref, Sample, Schema

INDEX_SUFFIX = ".index.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What one shard holds, as its index says."""

    path: Path
    n_samples: int
    counts: Mapping[str, int]
    left_out: Mapping[str, int]
    sha256: str
    existed: bool = False


def write_shard(
    path: Path, samples: Iterable[Sample | LeftOut], schema: Schema, *, counted: Sequence[str] = (), recipe: str = ""
) -> ShardSummary:
    """Write samples to a tar shard and its index; both appear whole or not at all.

    Args:
        path: the tar to write; its folder is made.
        samples: in the order in which they are stored; a LeftOut is counted by its reason.
        schema: fields that each sample must have.
        counted: scalar fields of which the index counts each value, such as `has_pick`.
        recipe: hash of the recipe that cut the samples.
    Raises:
        OutputError: if the folder cannot be written or the disk is full.
        SchemaError: if a sample lacks a field.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            index = _write_members(file, samples, schema, counted)
        index["recipe"] = recipe
        os.replace(partial, path)
        _write_text(index_path(path), _index_text(index))
    except SeisloomError:  # what reading says of its own files, which is an OSError too
        _remove(partial)
        raise
    except OSError as error:
        _remove(partial)
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}. Choose another folder") from error
    return _summary(path, index)


def _remove(partial: Path) -> None:
    with contextlib.suppress(OSError):
        partial.unlink()


def _write_members(
    file: io.BufferedWriter, samples: Iterable[Sample | LeftOut], schema: Schema, counted: Sequence[str]
) -> dict[str, Any]:  # Any: JSON values
    members: list[dict[str, Any]] = []
    left_out: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    statistics = _Statistics(schema)
    encode = ArrayEncoder()
    digest, at = hashlib.sha256(), 0
    for sample in samples:
        if isinstance(sample, LeftOut):
            left_out[str(sample)] += 1
            continue
        schema.check(sample.arrays, where=sample.key)
        there = [field.name for field in schema.fields if not field.optional or field.name in sample.arrays]
        payload = encode({name: sample.arrays[name] for name in there})
        groups = dict(sample.groups)
        about = json.dumps({"key": sample.key, "groups": groups, "meta": dict(sample.meta)}, sort_keys=True).encode()
        header = _header(f"{sample.key}.npz", len(payload))
        members.append({"key": sample.key, "groups": groups, "at": at + len(header), "size": len(payload)})
        whole = b"".join(
            (
                header, payload, _padding(len(payload)),
                _header(f"{sample.key}.json", len(about)), about, _padding(len(about)),
            )
        )  # fmt: skip
        digest.update(whole)
        at += file.write(whole)
        counts.update([f"{name}={sample.arrays[name].item()}" for name in counted])
        statistics.add(sample)
    end = b"\0" * (2 * tarfile.BLOCKSIZE)
    digest.update(end)
    file.write(end)
    return {
        "version": VERSION,
        "schema": schema.to_json(),
        "n_samples": len(members),
        "counts": dict(counts),
        "left_out": dict(sorted(left_out.items())),
        "statistics": statistics.to_json(),
        "samples": members,
        "sha256": digest.hexdigest(),
    }


class _Statistics:
    """Running mean, deviation and largest size of the floating-point fields, in float64."""

    def __init__(self, schema: Schema) -> None:
        self.names = [field.name for field in schema.fields if np.dtype(field.dtype).kind == "f"]
        self.sums = {name: [0.0, 0.0, 0.0, 0.0] for name in self.names}  # count, sum, sum of squares, max |x|

    def add(self, sample: Sample) -> None:
        for name in (name for name in self.names if name in sample.arrays):
            n, first, second, largest = _moments(sample.arrays[name])
            total = self.sums[name]
            total[0] += n
            total[1] += first
            total[2] += second
            total[3] = max(total[3], largest)

    def to_json(self) -> dict[str, dict[str, float]]:
        found = {}
        for name, (n, first, second, largest) in self.sums.items():
            if n:
                mean = first / n
                std = math.sqrt(max(second / n - mean**2, 0.0))
                found[name] = {"mean": mean, "std": std, "max_abs": largest}
        return found


def _moments(array: Array) -> tuple[int, float, float, float]:
    """Return number, sum, sum of squares and largest size of the finite values."""
    if array.ndim == 0:  # NumPy takes 20 times as long
        value = float(array)
        return (1, value, value * value, abs(value)) if math.isfinite(value) else (0, 0.0, 0.0, 0.0)
    values = array.ravel().astype(np.float64)
    first = float(values.sum())
    if not math.isfinite(first):
        values = values[np.isfinite(values)]
        first = float(values.sum())
    if values.size == 0:
        return 0, 0.0, 0.0, 0.0
    largest = max(float(values.max()), -float(values.min()))
    return values.size, first, float(np.square(values, out=values).sum()), largest


def _header(name: str, size: int) -> bytes:
    """Return a tar header as tarfile makes it, without time and owner; tarfile takes ten times as long."""
    if len(name) >= 100 or not name.isascii() or size >= 8**11:
        return _info(name, size).tobuf(tarfile.PAX_FORMAT)
    header = bytearray(EMPTY_HEADER)
    header[: len(name)] = name.encode()
    header[124:135] = b"%011o" % size
    header[148:155] = b"%06o\0" % sum(header)
    return bytes(header)


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info


def _without_checksum(header: bytes) -> bytes:
    """Return a tar header whose checksum is eight spaces, as which it counts in its own sum."""
    return header[:148] + b" " * 8 + header[156:]


EMPTY_HEADER = _without_checksum(_info("", 0).tobuf(tarfile.USTAR_FORMAT))


def _padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)


def index_path(shard: Path) -> Path:
    """Return the path of a shard's index."""
    return shard.with_name(shard.name.removesuffix(".tar") + INDEX_SUFFIX)


def read_index(shard: Path) -> dict[str, Any] | None:  # Any: JSON values
    """Return the index of a finished shard, or None if the shard is not finished or the index is not readable."""
    try:
        index: dict[str, Any] = json.loads(index_path(shard).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return index if shard.is_file() and index.get("version") == VERSION else None


def finished(shard: Path, *, recipe: str) -> ShardSummary | None:
    """Return the summary of a shard that a run with this recipe finished, else None."""
    index = read_index(shard)
    if index is None or index["recipe"] != recipe:
        return None
    return _summary(shard, index, existed=True)


def _summary(path: Path, index: Mapping[str, Any], *, existed: bool = False) -> ShardSummary:
    return ShardSummary(path, index["n_samples"], index["counts"], index["left_out"], index["sha256"], existed)


def write_folder_index(folder: Path, summaries: Sequence[ShardSummary], schema: Schema, **about: Any) -> Path:
    """Write `index.json` of a folder: its shards with counts and SHA-256, the schema, and what else is told."""
    path = folder / "index.json"
    shards = [
        {
            "path": one.path.relative_to(folder).as_posix(), "n_samples": one.n_samples, "counts": dict(one.counts),
            "left_out": dict(one.left_out), "sha256": one.sha256,
        }
        for one in sorted(summaries, key=lambda one: one.path)
    ]  # fmt: skip
    totals: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for one in summaries:
        totals.update(one.counts)
        left_out.update(one.left_out)
    write_json(
        path,
        {
            "version": VERSION, "schema": schema.to_json(), "n_samples": sum(one.n_samples for one in summaries),
            "counts": dict(totals), "left_out": dict(left_out), "shards": shards, **about,
        },
    )  # fmt: skip
    return path


def shards_in(folder: Path) -> list[tuple[Path, bool]]:
    """Return the shards of a folder and those below, and which are there: `index.json` may list others.

    Raises:
        MissingDataError: if there is no such folder, or no shard in it.
        DataError: if an `index.json` cannot be read.
    """
    how = f"Write shards: seisloom shards write --out {folder}"
    if not folder.is_dir():
        raise MissingDataError(f"{folder}: no such folder. {how}")
    there = set(folder.rglob("*.tar"))
    listed = {path.parent / name for path in folder.rglob("index.json") for name in _listed(path)}
    if not there | listed:
        raise MissingDataError(f"{folder}: no shards (*.tar) in it. {how}")
    return [(path, path in there) for path in sorted(there | listed)]


def _listed(path: Path) -> list[str]:
    """Return the paths of the shards that an `index.json` lists, relative to its folder."""
    try:
        shards = json.loads(path.read_text(encoding="utf-8"))["shards"]
        return [str(one["path"]) for one in shards]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is not the index of a folder of shards. Write the shards again") from error


class Shards:
    """The samples of a folder of shards: planned as refs, read one by one at random."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        found = shards_in(self.folder)
        missing = [path for path, is_there in found if not is_there]
        if missing:
            raise MissingDataError(
                f"{missing[0]}: is not there, and index.json lists it ({len(missing)} of {len(found)} are missing)"
                ". Write shards again: the same `seisloom shards write`; those that are there are kept"
            )
        self.refs: list[Ref] = []
        self.about: dict[str, Any] = {}  # Any: JSON values
        for path, _ in found:
            index = read_index(path)
            if index is None:
                raise DataError(
                    f"{path}: the shard has no index, so its writing was cut off. "
                    "Run the same `seisloom shards write` again, it goes on where it stopped"
                )
            self.about = {"schema": index["schema"], "recipe": index["recipe"]}
            self.refs += [
                Ref(
                    one["key"], one["groups"], source={"shard": str(path), "at": one["at"], "size": one["size"]}
                )
                for one in index["samples"]
            ]  # fmt: skip

    def read_many(self, refs: Sequence[Ref]) -> Iterator[Sample]:
        """Yield some samples, in order."""
        return map(self.read, refs)

    def read(self, ref: Ref) -> Sample:
        """Return one sample; its provenance stays in the tar."""
        shard, at, size = ref.source["shard"], ref.source["at"], ref.source["size"]
        payload = os.pread(_opened(shard, os.stat(shard).st_mtime_ns).fileno(), size, at)
        try:
            arrays = decode_arrays(payload)
        except ValueError as error:
            raise DataError(
                f"{shard}: sample {ref.key} is damaged ({error}). See: seisloom shards check {self.folder}"
            ) from error
        return Sample(ref.key, ref.groups, arrays, {"shard": shard})


@lru_cache(maxsize=64)
def _opened(path: str, _mtime_ns: int) -> io.FileIO:
    """An open shard, opened anew when it was written anew.

    One that is pushed out of the cache is closed when its last reader lets go of it.
    """
    return io.FileIO(path)


def check_shards(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each shard with "" if it is whole, else with what is wrong and with which sample.

    Raises:
        MissingDataError, DataError: see `shards_in`.
    """
    for path, is_there in shards_in(folder):
        index = read_index(path)
        if not is_there:
            yield path, "missing: index.json lists it"
        elif index is None:
            yield path, "unfinished: it has no index"
        elif sha256_of(path) == index["sha256"]:
            yield path, ""
        else:
            yield path, f"damaged: {_damage(path, index)}"


def _damage(path: Path, index: Mapping[str, Any]) -> str:
    payload = path.read_bytes()
    for one in index["samples"]:
        part = payload[one["at"] : one["at"] + one["size"]]
        if len(part) < one["size"]:
            return f"it is cut off within sample {one['key']}"
        try:
            decode_arrays(part)
        except ValueError as error:
            return f"sample {one['key']} does not read: {error}"
    return "all arrays read, but the bytes around them (names or provenance) are not those that were written"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read by pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, values: Mapping[str, Any]) -> None:  # Any: JSON values
    """Write JSON beside and rename, so that a reader never sees half of it."""
    _write_text(path, json.dumps(values, indent=1, allow_nan=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _index_text(index: Mapping[str, Any]) -> str:  # Any: JSON values
    """Return an index as JSON with a line a sample; indented throughout it would take longer than the waveforms."""
    head = json.dumps({name: value for name, value in index.items() if name != "samples"}, indent=1, allow_nan=False)
    lines = ",\n".join("  " + json.dumps(one) for one in index["samples"])
    return head.removesuffix("\n}") + f',\n "samples": [\n{lines}\n ]\n}}\n'
