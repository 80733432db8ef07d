"""Records in tar shards: the same arrays as in files, the same bytes however they are made, whole after any kill."""

from __future__ import annotations

import errno
import hashlib
import json
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seisloom.compute import executor
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io import shards
from seisloom.io.npz import decode_arrays
from seisloom.io.shards import check_shards, index_path, read_index
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.store import write as store
from seisloom.tasks.dispersion.store.card import CARD, write_card
from seisloom.tasks.dispersion.store.check import check_manifest
from seisloom.tasks.dispersion.store.manifest import read_rows
from seisloom.tasks.dispersion.store.place import META, size_of, stored_arrays_of, tar_of
from seisloom.tasks.dispersion.store.record_file import read_record
from seisloom.tasks.dispersion.store.shards import write_index
from seisloom.tasks.dispersion.store.write import MANIFEST, clear_records, write_records
from seisloom.tasks.dispersion.view import find_record

SMALL: dict[str, Any] = {
    "frequency": {"num_samples": 21}, "phase_velocity": {"num_samples": 40},
    "simulation": {"nt": 300, "nx": 8, "dx": 3.0}, "physics": {"modes": 2},
    "paths": {"format": "shards", "shard_size": 4},
}  # fmt: skip
DATA = DispersionData(**SMALL)
N = 10  # two full shards and one of two


def digests(folder: Path) -> dict[str, str]:
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    return {str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [row for _, row in read_rows(out / MANIFEST)]


def tars(out: Path) -> list[Path]:
    return sorted(out.rglob("*.tar"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("records") / "set"
    written = write_records(DATA, out, n=N, seed=1)
    assert (written.made, written.kept) == (N, 0)
    write_index(out / "curves")
    write_card(out, out / MANIFEST, DATA.paths)
    return out


def test_a_member_is_what_a_file_of_its_own_would_be(dataset: Path, tmp_path: Path) -> None:
    write_records(DATA.model_copy(update={"paths": DispersionData().paths}), tmp_path, n=N, seed=1)
    for row, other in zip(rows_of(dataset), rows_of(tmp_path), strict=True):
        assert {**row, "npz": ""} == {**other, "npz": ""}
        member, file = dataset / "manifests" / row["npz"], tmp_path / "manifests" / other["npz"]
        inside, alone = stored_arrays_of(member), stored_arrays_of(file)
        assert set(inside) == set(alone)
        for name, one in alone.items():
            np.testing.assert_array_equal(inside[name], one, strict=True)
        assert read_record(member)["curves"].shape == (2, 21)


def test_any_reader_of_tar_files_finds_the_records_and_an_index_tells_where(dataset: Path) -> None:
    assert [read_index(tar)["n_samples"] for tar in tars(dataset)] == [4, 4, 2]  # type: ignore[index]
    assert all(what == "" for _, what in check_shards(dataset))
    found = {}
    for tar in tars(dataset):
        with tarfile.open(tar) as members:
            for one in members:
                found[one.name] = members.extractfile(one).read()  # type: ignore[union-attr]
    for row in rows_of(dataset):
        arrays, about = decode_arrays(found.pop(f"{row['id']}.npz")), json.loads(found.pop(f"{row['id']}.json"))
        assert arrays["spectrum"].shape == (40, 21)
        assert (about["meta"]["index"], about["groups"]["model"]) == (row["index"], row["model_hash"])
    assert not found
    listed = json.loads((dataset / "curves" / "index.json").read_text())
    assert [one["path"] for one in listed["shards"]] == [tar.name for tar in tars(dataset)]
    kinds = [one.get("includes") for one in json.loads((dataset / CARD).read_text())["distribution"]]
    assert kinds == [None, "curves/*.tar"]
    assert len(list(dataset.glob("curves/*.tar"))) == 3


def test_two_workers_and_runs_of_more_and_more_records_write_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    with executor(workers=2) as pool:
        write_records(DATA, tmp_path / "two", n=N, seed=1, pool=pool)
    for n, made in ((1, 1), (3, 2), (6, 3), (6, 0), (N, 4)):
        written = write_records(DATA, tmp_path / "more", n=n, seed=1)
        assert (written.made, written.kept) == (made, n - made)
    for name in ("two", "more"):
        write_index(tmp_path / name / "curves")
        write_card(tmp_path / name, tmp_path / name / MANIFEST, DATA.paths)
        assert digests(tmp_path / name) == digests(dataset)


def test_a_run_that_was_killed_goes_on_and_writes_the_same(dataset: Path, tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from seisloom.tasks.dispersion.store import write as store
from seisloom.tasks.dispersion.blocks import DispersionData
store.ROWS = 1
store.write_records(DispersionData(**{SMALL!r}), Path({str(tmp_path)!r}), n=4000, seed=1)
"""
    running = subprocess.Popen([sys.executable, "-c", code])
    manifest = tmp_path / MANIFEST
    try:
        end = time.monotonic() + 120
        while not (manifest.is_file() and manifest.read_bytes().count(b"\n") >= 5):
            assert running.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
    finally:
        running.kill()
        running.wait()
    assert manifest.read_bytes().count(b"\n") < 4000
    # What is left in the middle of a shard, or without its index or rows, is made again
    write_records(DATA, tmp_path, n=N, seed=1)
    found, expected = digests(tmp_path), digests(dataset)
    full = [one for one in expected if "00000." in one or "00001." in one]
    assert len(full) == 4
    assert {one: found[one] for one in full} == {one: expected[one] for one in full}
    indices = {tar: index for tar in tars(tmp_path) if (index := read_index(tar)) is not None}
    last = str(max(indices).relative_to(tmp_path))
    write_records(DATA, tmp_path / "whole", n=sum(one["n_samples"] for one in indices.values()), seed=1)
    assert digests(tmp_path / "whole")[last] == found[last]
    assert manifest.read_bytes().startswith((dataset / MANIFEST).read_bytes())
    assert check_manifest(manifest).is_whole


@pytest.mark.parametrize("lost", ["index", "tar", "rows"])
def test_what_is_lost_of_a_shard_is_made_again(dataset: Path, tmp_path: Path, lost: str) -> None:
    write_records(DATA, tmp_path, n=N, seed=1)
    second = tars(tmp_path)[1]
    if lost == "rows":  # killed between the shard and its rows
        whole = (tmp_path / MANIFEST).read_bytes().splitlines(keepends=True)
        (tmp_path / MANIFEST).write_bytes(b"".join(whole[:4]))
    else:
        (index_path(second) if lost == "index" else second).unlink()
        assert not size_of(tmp_path / "manifests" / rows_of(tmp_path)[5]["npz"])
        assert check_manifest(tmp_path / MANIFEST).found == {"records that are not there": 4}
    (tmp_path / "curves" / "x.tar.partial").write_bytes(b"half")
    before = {one: one.stat().st_mtime_ns for one in tars(tmp_path)}
    written = write_records(DATA, tmp_path, n=N, seed=1)
    assert written.kept == (4 if lost == "rows" else 6)
    changed = {one.name for one in tars(tmp_path) if before.get(one) != one.stat().st_mtime_ns}
    assert changed == (set() if lost == "rows" else {second.name})
    write_index(tmp_path / "curves")
    write_card(tmp_path, tmp_path / MANIFEST, DATA.paths)
    assert digests(tmp_path) == digests(dataset)


def test_a_check_finds_what_is_wrong_with_a_shard(dataset: Path, tmp_path: Path) -> None:
    write_records(DATA, tmp_path, n=6, seed=1)
    manifest, (first, _) = tmp_path / MANIFEST, tars(tmp_path)
    whole = check_manifest(manifest)
    assert whole.is_whole
    assert whole.n_bytes == sum(one["size"] for tar in tars(tmp_path) for one in read_index(tar)["samples"])  # type: ignore[index]
    stored, member = first.read_bytes(), read_index(first)["samples"][1]  # type: ignore[index]

    def after(change: dict[int, bytes]) -> dict[str, int]:
        changed = bytearray(stored)
        for at, one in change.items():
            changed[at : at + len(one)] = one
        first.write_bytes(changed)
        return check_manifest(manifest).found

    shard = "shards other than their SHA-256; delete them and run the same command"
    inside = after({member["at"] + 1000: b"!!!!"})  # in the spectrum
    assert inside.pop(shard) == 1
    assert sum(inside.values()) == 1
    assert set(inside) <= {"records that cannot be read", "contents other than their content_sha256"}
    behind = member["at"] + member["size"] + (-member["size"] % 512)
    assert after({behind: b"another"}) == {shard: 1, "records that cannot be read": 1}  # its remarks
    assert after({len(stored) - 1: b"!"}) == {shard: 1}  # no record has this byte
    first.write_bytes(stored[: member["at"] + 100])
    assert check_manifest(manifest).found == {shard: 1, "records that cannot be read": 3}
    with pytest.raises(DataError, match=r"00000\.tar: record .* is damaged .*Delete the shard"):
        write_records(DATA, tmp_path, n=6, seed=1, manifest=tmp_path / "without_rows.jsonl")
    with pytest.raises(MissingDataError, match="has no such record"):
        read_record(first / "0123.npz")
    with pytest.raises(DataError, match="is no record"):
        read_record(first / f"{member['key']}.npz")


def test_a_full_disk_keeps_whole_shards_and_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really, n_written = shards._write_members, 0

    def full(*given: Any) -> Any:
        nonlocal n_written
        n_written += 1
        if n_written > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return really(*given)

    monkeypatch.setattr(shards, "_write_members", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_records(DATA, tmp_path, n=N, seed=1)
    monkeypatch.undo()
    assert len(rows_of(tmp_path)) == 4
    assert check_manifest(tmp_path / MANIFEST).is_whole
    assert write_records(DATA, tmp_path, n=N, seed=1).kept == 4


def test_records_in_files_are_not_made_again_for_shards(tmp_path: Path) -> None:
    write_records(DATA.model_copy(update={"paths": DispersionData().paths}), tmp_path, n=3, seed=1)
    written = write_records(DATA, tmp_path, n=5, seed=1)
    assert (written.made, written.kept) == (2, 3)
    kinds = [tar_of(Path(row["npz"])) is not None for row in rows_of(tmp_path)]
    assert kinds == [False] * 3 + [True] * 2
    assert check_manifest(tmp_path / MANIFEST).is_whole
    card = json.loads(write_card(tmp_path, tmp_path / MANIFEST, DATA.paths).read_text())
    assert {one["@id"]: one.get("includes") for one in card["distribution"]} == {
        "manifest": None, "records": "curves/*.npz", "shards": "curves/*.tar"
    }  # fmt: skip


def test_views_find_members_and_clearing_removes_shards(dataset: Path, tmp_path: Path) -> None:
    row = rows_of(dataset)[7]
    assert find_record(dataset, sample_id=row["id"][:8])[0] == row["id"]
    member = dataset / "manifests" / row["npz"]
    name, arrays = find_record(member)
    assert name == row["id"]
    assert json.loads(arrays[META].item())["index"] == 7
    write_records(DATA, tmp_path, n=6, seed=1)
    write_index(tmp_path / "curves")
    (tmp_path / "curves" / "mine.tar").write_bytes(b"stays")
    assert clear_records(tmp_path / MANIFEST, tmp_path) == 6
    assert [one.name for one in tmp_path.rglob("*") if one.is_file()] == ["mine.tar"]


def test_masks_and_shards_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="shards hold no masks"):
        DispersionData(**{**SMALL, "mask": {"write": True}})
    assert store.recipe_hash(DATA) == store.recipe_hash(DispersionData(**{**SMALL, "paths": {}}))
