"""Whatever is done to a manifest by hand, or to its records, is found, counted and named with its line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seisloom.errors import MissingDataError
from seisloom.io.npz import decode_arrays, encode_arrays
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.store.check import check_manifest
from seisloom.tasks.dispersion.store.record import META, content_sha256
from seisloom.tasks.dispersion.store.write import MANIFEST, write_records

DATA = DispersionData(
    frequency={"num_samples": 21}, phase_velocity={"num_samples": 40}, simulation={"nt": 300, "nx": 8, "dx": 3.0},
    physics={"modes": 2},
)  # fmt: skip
NOISY = DATA.model_copy(update={"augmentation": DispersionData(aug_noise_snr_db=20.0).augmentation})
Row = dict[str, Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("records") / "set"
    write_records(DATA, out, n=4, seed=1)
    return out


@pytest.fixture
def out(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "set"))


def edit(out: Path, change: Callable[[list[Row]], object]) -> Path:
    """Change the rows of a manifest by hand."""
    manifest = out / MANIFEST
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    change(rows)
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def change_record(out: Path, row: Row, *, tell: bool = False, **arrays: Any) -> None:
    """Change arrays of a record, and if it is to be told, its checksum in the manifest."""
    file = out / "curves" / f"{row['id']}.npz"
    stored = {**decode_arrays(file.read_bytes()), **arrays}
    file.write_bytes(encode_arrays(stored))
    if tell:
        row["content_sha256"] = content_sha256({name: one for name, one in stored.items() if name != META})


def test_what_was_written_is_whole(out: Path) -> None:
    report = check_manifest(out / MANIFEST)
    assert report.is_whole
    assert report.lines() == []
    assert (report.n_rows, report.n_old) == (4, 0)
    assert report.n_bytes == sum(one.stat().st_size for one in (out / "curves").iterdir())


def test_a_manifest_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no such manifest"):
        check_manifest(tmp_path / "labels.jsonl")


def test_a_row_that_is_there_twice_is_counted_once_with_both_lines(out: Path) -> None:
    manifest = edit(out, lambda rows: rows.append(rows[1]))
    report = check_manifest(manifest)
    assert report.found == {f"{key} there already": 1 for key in ("id", "param_hash", "npz", "content_sha256")}
    assert report.shown["id there already"] == ["labels.jsonl:5, as labels.jsonl:2"]


def test_a_hash_that_is_there_twice_under_another_id_is_found(out: Path) -> None:
    """The first generator checked ids alone, and its ids were drawn: 2500 of its rows were doubles."""

    def double(rows: list[Row]) -> None:
        shutil.copy(out / "curves" / f"{rows[0]['id']}.npz", out / "curves" / "new.npz")
        rows.append({**rows[0], "id": "new", "npz": "../curves/new.npz"})

    found = check_manifest(edit(out, double)).found
    assert found["param_hash there already"] == 1
    assert found["content_sha256 there already"] == 1
    assert "id there already" not in found


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("id", "0" * 20, "an id that is not of its param_hash"),
        ("npz", "../curves/none.npz", "records that are not there"),
        ("model_hash", "0" * 64, "rows that differ from their record"),
        ("content_sha256", "0" * 64, "contents other than their content_sha256"),
        ("mode_count", 7, "rows that differ from their record"),
        ("layer_count", 99, "rows that differ from their record"),
        ("freq_max_hz", 31.0, "rows that differ from their record"),
        ("aug_noise_snr_db", 20.0, "rows that differ from their record"),
        ("index", 12, "rows that differ from their record"),
        ("mask", "../masks/none.npy", "masks that are not there"),
        ("param_hash", 3, "no row of a record"),
    ],
)
def test_a_value_that_was_changed_by_hand_is_found(out: Path, key: str, value: Any, kind: str) -> None:
    report = check_manifest(edit(out, lambda rows: rows[2].update({key: value})))
    found = [name for name in report.found if name.startswith(kind)]
    assert found, report.found
    assert report.shown[found[0]][0].startswith("labels.jsonl:3")


@pytest.mark.parametrize("key", ["seed", "model_hash", "content_sha256", "aug_warp_vel"])
def test_a_key_that_was_taken_out_by_hand_is_named(out: Path, key: str) -> None:
    report = check_manifest(edit(out, lambda rows: rows[0].pop(key)))
    assert report.shown["keys missing (edited by hand?)"] == [f"labels.jsonl:1 ({key})"]


def test_lines_that_are_no_rows_do_not_hide_what_follows(out: Path) -> None:
    manifest = out / MANIFEST
    lines = manifest.read_text().splitlines()
    lines[1] = lines[1].replace('"index": 1,', '"index": 1 "')
    manifest.write_text("\n".join([*lines, "[]", "", '{"id": "x"}', lines[0][:50]]))
    report = check_manifest(manifest)
    assert report.n_rows == 3
    assert report.shown["no JSON"][0].startswith("labels.jsonl:2 (")
    assert [one.split(" ")[0] for one in report.shown["no row of a record"]] == ["labels.jsonl:5", "labels.jsonl:7"]
    torn = next(kind for kind in report.found if "torn" in kind)
    assert report.shown[torn] == ["labels.jsonl:8"]


def test_a_damaged_file_is_found(out: Path) -> None:
    rows = [json.loads(line) for line in (out / MANIFEST).read_text().splitlines()]
    file = out / "curves" / f"{rows[1]['id']}.npz"
    stored = bytearray(file.read_bytes())
    stored[stored.index(b"spectrum.npy") + 300] ^= 0xFF
    file.write_bytes(stored)
    assert check_manifest(out / MANIFEST).shown["records that cannot be read"][0].startswith("labels.jsonl:2 (")
    assert check_manifest(out / MANIFEST, contents=False).is_whole


def test_a_changed_curve_is_found_by_its_checksum(out: Path) -> None:
    row = json.loads((out / MANIFEST).read_text().splitlines()[0])
    curves = decode_arrays((out / "curves" / f"{row['id']}.npz").read_bytes())["curves"]
    change_record(out, row, curves=curves * np.float32(1.001))
    assert check_manifest(out / MANIFEST).found == {"contents other than their content_sha256": 1}


def test_nan_is_for_curves_alone(out: Path) -> None:
    def spoil(rows: list[Row]) -> None:
        spectrum = np.full((40, 21), np.nan, np.float16)
        change_record(out, rows[0], tell=True, spectrum=spectrum)
        change_record(out, rows[1], tell=True, curves=np.full((2, 21), np.nan, np.float32))
        rows[1]["mode_count"] = 0
        change_record(out, rows[2], tell=True, curves=np.zeros((2, 21), np.float32))
        rows[2]["mode_count"] = 2

    report = check_manifest(edit(out, spoil))
    assert report.shown["NaN where none may be"][0] == "labels.jsonl:1 (840 of spectrum)"
    assert report.shown["velocities that are none"][0].startswith("labels.jsonl:3")
    assert not any("labels.jsonl:2" in place for places in report.shown.values() for place in places)


def test_shapes_that_do_not_fit_are_found(out: Path) -> None:
    def spoil(rows: list[Row]) -> None:
        change_record(out, rows[0], tell=True, resolved=np.zeros((3, 21), np.uint8))
        change_record(out, rows[1], tell=True, spectrum=np.zeros((21, 40), np.float16))

    report = check_manifest(edit(out, spoil))
    assert report.shown["shapes that do not fit"] == ["labels.jsonl:1 (resolved is (3, 21), curves (2, 21))"]
    assert "spectrum is (21, 40)" in report.shown["records that cannot be read"][0]


def test_a_model_hash_that_is_not_of_the_medium_is_found(out: Path) -> None:
    """The first generator hashed a medium that it changed afterwards."""

    def spoil(rows: list[Row]) -> None:
        file = out / "curves" / f"{rows[0]['id']}.npz"
        meta = json.loads(decode_arrays(file.read_bytes())[META].item())
        meta["vs_m_s"][0] *= 1.1
        change_record(out, rows[0], meta=np.array(json.dumps(meta).encode()))

    assert check_manifest(edit(out, spoil)).found["a model_hash that is not of the medium"] == 1


# --- splits


def test_twins_in_one_part_of_a_split_are_allowed_and_across_parts_found(tmp_path: Path) -> None:
    write_records(DATA, tmp_path, n=2, seed=1, about={"part": "clean", "split": "train"})
    write_records(NOISY, tmp_path, n=2, seed=1, about={"part": "noisy", "split": "train"})
    assert check_manifest(tmp_path / MANIFEST).is_whole
    assert check_manifest(tmp_path / MANIFEST).parts == {"clean": 2, "noisy": 2}
    manifest = edit(tmp_path, lambda rows: rows[3].update(split="test"))
    report = check_manifest(manifest)
    assert report.found == {"a medium in two parts of the split": 1}
    assert report.lines() == ["1 x a medium in two parts of the split: labels.jsonl:4 (test), labels.jsonl:2 (train)"]


def test_twins_in_two_manifests_are_found(tmp_path: Path) -> None:
    train, test = tmp_path / "train", tmp_path / "test"
    write_records(DATA, train, n=3, seed=1)
    write_records(NOISY, test, n=1, seed=1)
    both = [train / MANIFEST, test / MANIFEST]
    assert all(check_manifest(one).is_whole for one in both)
    assert check_manifest(both).found == {"a medium in two parts of the split": 1}
    apart = tmp_path / "apart"
    write_records(NOISY, apart, n=1, seed=2)
    assert check_manifest([train / MANIFEST, apart / MANIFEST]).is_whole


# --- manifests of the first label generator


def test_the_first_generator_s_doubles_are_found_and_its_records_read(tmp_path: Path) -> None:
    """One medium under ten ids, as half of its training rows were."""
    f, c = np.linspace(3, 30, 21), np.linspace(100, 900, 40)
    rows = []
    for number in range(10):
        curves = np.stack([np.stack([f, np.linspace(500, 200, 21)]), np.zeros((2, 21))])
        file = tmp_path / f"{number:032x}.npz"
        np.savez(file, spectrum=np.ones((40, 21), np.float32), curves=curves, freq=f, phase_velocity=c)
        rows.append({"id": file.stem, "param_hash": "5" * 40, "npz": str(file), "seed": number})
    manifest = tmp_path / "labels.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = check_manifest(manifest)
    assert report.found == {"param_hash there already": 9}
    assert len(report.shown["param_hash there already"]) == 5
    assert report.lines()[0].endswith("...")
    assert (report.n_rows, report.n_old) == (10, 10)
