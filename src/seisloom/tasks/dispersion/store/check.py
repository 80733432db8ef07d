"""Whether manifests and their records are whole and belong together; every mistake is counted and has its line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seisloom.errors import DataError, MissingDataError
from seisloom.io.shards import read_index, sha256_of
from seisloom.tasks.dispersion.make import ID_DIGITS
from seisloom.tasks.dispersion.store.check_record import CheckReport, check_arrays, check_meta
from seisloom.tasks.dispersion.store.manifest import read_lines
from seisloom.tasks.dispersion.store.place import META, size_of, stored_arrays_of, tar_of
from seisloom.tasks.dispersion.store.record import AUGMENTED, Row, content_sha256
from seisloom.tasks.dispersion.store.record_file import as_record

ALWAYS = ("id", "param_hash", "npz")
"""Keys of a row, also of the first label generator's."""
OURS = (
    "index", "seed", "model_hash", "content_sha256", "recipe", "prior", "rejected", "mode_count", "layer_count",
    "freq_min_hz", "freq_max_hz", "phase_velocity_min_m_s", "phase_velocity_max_m_s", *AUGMENTED,
)  # fmt: skip
"""Further keys of a row of ours."""


@dataclass(slots=True)
class _Seen:
    """Lines that said something first, by what it is; one record after another, so that memory is a few words a row."""

    first: dict[str, dict[str, str]] = field(default_factory=dict)
    """By kind and value."""
    split: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Part of a split and line of each medium."""
    shards: set[Path] = field(default_factory=set)
    """Those whose bytes were looked at."""


def check_manifest(paths: Path | Sequence[Path], *, contents: bool = True) -> CheckReport:
    """Return what is wrong with manifests: a row after the other, so that any number of rows fits in memory.

    Looks for: lines that are no rows; keys that are missing; an id that is not of its param_hash; ids, param_hashes,
    files and contents that are there twice; files that are missing or damaged; contents other than their SHA-256;
    NaN where none may be (a curve is NaN where its mode does not exist, a spectrum never is); shapes; values of a row
    that differ from the record's own; shards other than their SHA-256; a model_hash that is not that of the medium; and
    media that are in two parts of a split: rows with another `split`, or, of several manifests, rows of two that say
    no `split`.

    Args:
        paths: one manifest, or those of one split.
        contents: whether records are opened; else rows and the existence of files alone.
    Raises:
        MissingDataError: if a manifest is not there.
    """
    report, seen = CheckReport(), _Seen()
    files = [paths] if isinstance(paths, Path) else list(paths)
    for manifest in files:
        default = manifest.name if len({one.name for one in files}) == len(files) else str(manifest)
        for where, row in _rows(manifest, report):
            report.n_rows += 1
            name = str(row.get("part") or row.get("split") or manifest.stem)
            report.parts[name] = report.parts.get(name, 0) + 1
            _check_row(row, where, report, seen)
            split = row.get("split") or (default if len(files) > 1 else None)
            if split is not None:
                _check_split(row, str(split), where, report, seen)
            _check_files(manifest, row, where, report, seen, contents=contents)
    return report


def _rows(manifest: Path, report: CheckReport) -> Iterator[tuple[str, Row]]:
    """Yield rows that can be looked at."""
    for number, line in read_lines(manifest):
        where = f"{manifest.name}:{number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            torn = not line.endswith(b"\n")
            kind = "a last line that a stopped run left torn; the same command mends it" if torn else "no JSON"
            report.add(kind, where if torn else f"{where} ({error})")
            continue
        if not isinstance(row, dict) or not all(isinstance(row.get(key), str) and row[key] for key in ALWAYS):
            missing = [key for key in ALWAYS if not isinstance(row, dict) or not row.get(key)]
            report.add("no row of a record", f"{where} (without {', '.join(missing) or 'text in id, param_hash, npz'})")
            continue
        yield where, row


def _check_row(row: Row, where: str, report: CheckReport, seen: _Seen) -> None:
    """Check a row against itself and those before."""
    is_ours = any(key in row for key in ("recipe", "content_sha256", "model_hash"))
    if is_ours:
        if missing := [key for key in OURS if key not in row]:
            report.add("keys missing (edited by hand?)", f"{where} ({', '.join(missing)})")
        if row["id"] != row["param_hash"][:ID_DIGITS]:
            report.add("an id that is not of its param_hash (edited by hand?)", where)
        if Path(row["npz"]).stem != row["id"]:
            report.add("a file of another id", f"{where} ({row['npz']})")
    else:
        report.n_old += 1
    for key in ("id", "param_hash", "npz", "content_sha256"):
        if isinstance(value := row.get(key), str):
            before = seen.first.setdefault(key, {}).setdefault(value, where)
            if before != where:
                report.add(f"{key} there already", f"{where}, as {before}")


def _check_split(row: Row, split: str, where: str, report: CheckReport, seen: _Seen) -> None:
    """Check that a medium is in one part of the split alone."""
    medium = str(row.get("model_hash") or row["param_hash"])  # the first generator's is of the medium
    other, line = seen.split.setdefault(medium, (split, where))
    if other != split:
        report.add("a medium in two parts of the split", f"{where} ({split}), {line} ({other})")


def _check_files(
    manifest: Path, row: Row, where: str, report: CheckReport, seen: _Seen, *, contents: bool
) -> None:  # fmt: skip
    """Check that the files of a row are there, and what is in them."""
    file, mask = manifest.parent / row["npz"], row.get("mask")
    if mask and not (manifest.parent / str(mask)).is_file():
        report.add("masks that are not there", f"{where} ({mask})")
    if not (size := size_of(file)):
        report.add("records that are not there", f"{where} ({row['npz']})")
        return
    report.n_bytes += size
    if not contents:
        return
    if (tar := tar_of(file)) is not None and tar not in seen.shards:
        seen.shards.add(tar)
        _check_shard(tar, where, report)
    try:
        stored = stored_arrays_of(file)
        found = as_record(file, stored)
    except (DataError, MissingDataError) as error:
        report.add("records that cannot be read", f"{where} ({str(error).removeprefix(f'{file}: ')})")
        return
    arrays = {name: one for name, one in stored.items() if name != META}
    if (told := row.get("content_sha256")) is not None and content_sha256(arrays) != told:
        report.add("contents other than their content_sha256", where)
    check_arrays(found, where, report)
    if META in stored:
        check_meta(row, stored, where, report)


def _check_shard(tar: Path, where: str, report: CheckReport) -> None:
    """Check all bytes of a shard, also those between its records."""
    index = read_index(tar)
    if index is not None and sha256_of(tar) != index["sha256"]:
        report.add(
            "shards other than their SHA-256; delete them and run the same command", f"{tar.name}, as of {where}"
        )
