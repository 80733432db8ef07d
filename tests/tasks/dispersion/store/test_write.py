"""Records on disk: the same bytes however they are written, whole after any kill, none twice."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seisloom.compute import InThisProcess, executor
from seisloom.errors import DataError, OutputError
from seisloom.physics.surface_waves.draw import model_hash
from seisloom.physics.surface_waves.medium import LayeredMedium
from seisloom.tasks.dispersion.blocks import DispersionData
from seisloom.tasks.dispersion.make import make_record
from seisloom.tasks.dispersion.store import manifest as manifests
from seisloom.tasks.dispersion.store import record as records
from seisloom.tasks.dispersion.store import write as store
from seisloom.tasks.dispersion.store.card import CARD, check_card, write_card
from seisloom.tasks.dispersion.store.check import check_manifest
from seisloom.tasks.dispersion.store.manifest import held, mend_end, read_rows
from seisloom.tasks.dispersion.store.record_file import read_record
from seisloom.tasks.dispersion.store.tables import write_tables
from seisloom.tasks.dispersion.store.write import clear_records, recipe_hash, write_records

SMALL: dict[str, Any] = {
    "frequency": {"num_samples": 21}, "phase_velocity": {"num_samples": 40},
    "simulation": {"nt": 300, "nx": 8, "dx": 3.0}, "physics": {"modes": 2},
}  # fmt: skip
DATA = DispersionData(**SMALL)
DISTURBED = DispersionData(
    **SMALL,
    augmentation={"noise": {"enabled": True}, "occlusion": {"enabled": True}, "warp": {"enabled": True}},
    paths={"curves_subdir": "curves"},
)
N = 6


def digests(folder: Path) -> dict[str, str]:
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    return {str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [row for _, row in read_rows(out / store.MANIFEST)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("records") / "set"
    write_records(DATA, out, n=N, seed=1)
    write_card(out, out / store.MANIFEST, DATA.paths)
    return out


class LastFirst(Executor):
    """Works on what it has in reverse, when the first result is asked for."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        executor = self

        class Lazy(Future[Any]):
            def result(self, timeout: float | None = None) -> Any:
                while executor.waiting:
                    future, call, given = executor.waiting.pop()
                    future.set_result(call(*given))
                return super().result(timeout)

        future = Lazy()
        self.waiting.append((future, fn, args))
        return future


def test_two_workers_write_the_same_bytes_as_one(dataset: Path, tmp_path: Path) -> None:
    with executor(workers=2) as pool:
        write_records(DATA, tmp_path, n=N, seed=1, pool=pool)
    write_card(tmp_path, tmp_path / store.MANIFEST, DATA.paths)
    assert digests(tmp_path) == digests(dataset)


def test_the_order_in_which_records_are_made_changes_nothing(dataset: Path, tmp_path: Path) -> None:
    write_records(DATA, tmp_path, n=N, seed=1, pool=LastFirst())
    write_card(tmp_path, tmp_path / store.MANIFEST, DATA.paths)
    assert digests(tmp_path) == digests(dataset)


def test_three_runs_of_more_and_more_records_write_the_same_as_one(dataset: Path, tmp_path: Path) -> None:
    for n, made in ((1, 1), (4, 3), (4, 0), (N, 2)):
        written = write_records(DATA, tmp_path, n=n, seed=1)
        assert (written.made, written.kept) == (made, n - made)
    write_card(tmp_path, tmp_path / store.MANIFEST, DATA.paths)
    assert digests(tmp_path) == digests(dataset)


def test_a_record_says_what_made_it_and_its_row_says_the_same(dataset: Path) -> None:
    for index, row in enumerate(rows_of(dataset)):
        sample = make_record(DATA, index, seed=1)
        file = (dataset / store.MANIFEST).parent / row["npz"]
        arrays = read_record(file)
        for name, one in sample.arrays.items():
            stored = one.astype(np.float16) if name == "spectrum" else one
            np.testing.assert_array_equal(arrays[name], stored, strict=True)
        assert file.stem == row["id"] == sample.key == row["param_hash"][:20]
        assert json.loads(arrays["meta"].item()) == json.loads(json.dumps({"id": sample.key, **sample.meta}))
        # The medium that the row names is the one that made the curves, after all of its jitter
        meta = sample.meta
        medium = LayeredMedium([*meta["thickness_m"], 0.0], meta["vp_m_s"], meta["vs_m_s"], meta["density_kg_m3"])
        assert model_hash(medium) == row["model_hash"]
        np.testing.assert_allclose(arrays["media"], medium.table, rtol=1e-6)
        assert (row["index"], row["seed"], row["recipe"]) == (index, 1, recipe_hash(DATA))
        assert row["aug_warp_freq"] is None
        assert row["mode_count"] == np.isfinite(sample.arrays["curves"]).any(axis=1).sum()


def test_nothing_but_numpy_is_needed_to_read_a_record(dataset: Path) -> None:
    file = next((dataset / "curves").glob("*.npz"))
    with np.load(file, allow_pickle=False) as arrays:
        assert arrays["spectrum"].shape == (40, 21)
        assert json.loads(arrays["meta"].item())["id"] == file.stem


def test_other_settings_on_the_same_folder_append_with_drawn_values_and_share_the_media(tmp_path: Path) -> None:
    write_records(DATA, tmp_path, n=3, seed=1, about={"part": "normal"})
    before = (tmp_path / store.MANIFEST).read_bytes()
    write_records(DISTURBED, tmp_path, n=3, seed=1, about={"part": "interference", "split": "test"})
    assert (tmp_path / store.MANIFEST).read_bytes().startswith(before)
    rows = rows_of(tmp_path)
    assert [row["part"] for row in rows] == ["normal"] * 3 + ["interference"] * 3
    for clean, noisy in zip(rows[:3], rows[3:], strict=True):
        assert clean["model_hash"] == noisy["model_hash"]
        assert clean["param_hash"] != noisy["param_hash"]
        assert 25 <= noisy["aug_noise_snr_db"] <= 45
        assert 1 <= noisy["aug_occlusion_patches"] <= 4
        assert 0 < noisy["aug_warp_freq"] <= 1
        assert noisy["split"] == "test"
    assert check_manifest(tmp_path / store.MANIFEST).is_whole


def test_settings_that_make_the_same_record_list_it_once(tmp_path: Path) -> None:
    write_records(DATA, tmp_path, n=2, seed=1)
    loose = DispersionData(**{**SMALL, "physics": {"modes": 2, "least_in_window": 0.2999}})
    assert recipe_hash(loose) != recipe_hash(DATA)
    written = write_records(loose, tmp_path, n=2, seed=1)
    assert written.made == 2
    assert len(rows_of(tmp_path)) == 2


def test_masks_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    data = DispersionData(**SMALL, mask={"write": True, "blur_sigma_px": 1.5})
    write_records(data, tmp_path, n=2, seed=1)
    for row in rows_of(tmp_path):
        masks = np.load((tmp_path / store.MANIFEST).parent / row["mask"])
        assert masks.shape == (2, 40, 21)
        curves = read_record((tmp_path / store.MANIFEST).parent / row["npz"])["curves"]
        inside = (np.nan_to_num(curves) >= 60) & (np.nan_to_num(curves) <= 900)
        np.testing.assert_array_equal(masks.max(axis=1), inside)
    with_masks = digests(tmp_path)
    next((tmp_path / "masks").glob("*.npy")).unlink()
    assert write_records(data, tmp_path, n=2, seed=1).made == 1
    assert digests(tmp_path) == with_masks


def test_masks_of_records_that_are_there_without_are_refused(dataset: Path) -> None:
    before = digests(dataset)
    with pytest.raises(OutputError, match="written without masks"):
        write_records(DispersionData(**SMALL, mask={"write": True}), dataset, n=N, seed=1)
    assert digests(dataset) == before


def test_a_record_that_is_lost_is_made_again_and_listed_once(dataset: Path, tmp_path: Path) -> None:
    write_records(DATA, tmp_path, n=3, seed=1)
    before = digests(tmp_path)
    next((tmp_path / "curves").iterdir()).unlink()
    assert write_records(DATA, tmp_path, n=3, seed=1).made == 1
    assert digests(tmp_path) == before


def test_a_torn_last_line_is_cut_off_and_its_record_listed_again(tmp_path: Path) -> None:
    write_records(DATA, tmp_path, n=3, seed=1)
    before, manifest = digests(tmp_path), tmp_path / store.MANIFEST
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:-40])
    (tmp_path / "curves" / "0123.npz.99.partial").write_bytes(b"half")
    written = write_records(DATA, tmp_path, n=3, seed=1)
    assert (written.made, written.kept) == (1, 2)
    assert written.mended > 0
    assert digests(tmp_path) == before
    manifest.write_bytes(b'{"id": ')  # not one line is whole
    assert mend_end(manifest) == 7
    assert manifest.read_bytes() == b""
    assert mend_end(tmp_path / "none.jsonl") == 0


def test_a_line_in_the_middle_that_is_no_row_stops_before_any_work(tmp_path: Path) -> None:
    write_records(DATA, tmp_path, n=2, seed=1)
    manifest = tmp_path / store.MANIFEST
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(lines[0] + b"{broken\n" + lines[1])
    with pytest.raises(DataError, match=r"labels\.jsonl:2: is no JSON"):
        write_records(DATA, tmp_path, n=4, seed=1)


def test_a_run_that_was_killed_goes_on_and_writes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"""
from pathlib import Path
from seisloom.tasks.dispersion.store import write as store
from seisloom.tasks.dispersion.blocks import DispersionData
store.ROWS = 2
store.write_records(DispersionData(**{SMALL!r}), Path({str(tmp_path / "killed")!r}), n=400, seed=1)
"""
    running = subprocess.Popen([sys.executable, "-c", code])
    manifest = tmp_path / "killed" / store.MANIFEST
    try:
        end = time.monotonic() + 120
        while not (manifest.is_file() and manifest.read_bytes().count(b"\n") >= 4):
            assert running.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
    finally:
        running.kill()
        running.wait()
    listed = manifest.read_bytes().count(b"\n")
    assert listed < 400
    write_records(DATA, tmp_path / "killed", n=listed + 4, seed=1)
    write_records(DATA, tmp_path / "whole", n=listed + 4, seed=1)
    assert digests(tmp_path / "killed").items() >= digests(tmp_path / "whole").items()
    assert manifest.read_bytes() == (tmp_path / "whole" / store.MANIFEST).read_bytes()


def test_a_full_disk_keeps_what_is_written_and_lists_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = Path.write_bytes
    n_written = 0

    def full(self: Path, data: bytes) -> int:
        nonlocal n_written
        n_written += 1
        if n_written > 3:
            really(self, data[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"No space left on device\. What is written is kept"):
        write_records(DATA, tmp_path, n=N, seed=1)
    monkeypatch.undo()
    assert len(rows_of(tmp_path)) == 3
    assert len(list((tmp_path / "curves").iterdir())) == 3
    assert check_manifest(tmp_path / store.MANIFEST).is_whole
    assert write_records(DATA, tmp_path, n=N, seed=1).kept == 3


def test_rows_that_do_not_fit_on_the_disk_leave_no_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_records(DATA, tmp_path, n=2, seed=1)
    before = (tmp_path / store.MANIFEST).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(manifests.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_records(DATA, tmp_path, n=4, seed=1)
    assert (tmp_path / store.MANIFEST).read_bytes() == before


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_records(DATA, tmp_path / "file" / "set", n=1, seed=0, pool=InThisProcess())


def test_two_runs_do_not_write_one_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / store.MANIFEST
    with held(manifest), pytest.raises(OutputError, match="another run"), held(manifest):
        pass
    with held(manifest):
        pass
    assert not list(tmp_path.rglob("*.lock"))


def test_clearing_removes_what_the_manifest_lists_and_nothing_else(tmp_path: Path) -> None:
    write_records(DATA, tmp_path / "set", n=2, seed=1)
    mine, other = tmp_path / "set" / "curves" / "mine.npz", tmp_path / "other.npz"
    for file in (mine, other):
        file.write_bytes(b"stays")
    manifest = tmp_path / "set" / store.MANIFEST
    with manifest.open("a") as file:
        file.write(json.dumps({"id": "x", "npz": "../../other.npz"}) + "\n")
    assert clear_records(manifest, tmp_path / "set") == 3
    assert {one.name for one in tmp_path.rglob("*.npz")} == {"mine.npz", "other.npz"}
    assert not manifest.exists()
    assert clear_records(manifest, tmp_path / "set") == 0


def test_rejected_media_are_counted_by_reason(tmp_path: Path) -> None:
    narrow = {**SMALL, "phase_velocity": {"min_m_s": 300, "max_m_s": 600, "num_samples": 40}}
    written = write_records(DispersionData(**narrow), tmp_path, n=3, seed=1)
    assert written.rejected["fundamental mode out of the window"] > 0
    assert written.rejected == sum((store.Counter(row["rejected"]) for row in rows_of(tmp_path)), store.Counter())


def test_paths_masks_and_counts_are_no_setting_of_a_record() -> None:
    other = DispersionData(**SMALL, paths={"curves_subdir": "x"}, cli={"seed": 3}, n=5, first=9, mask={"write": True})
    assert recipe_hash(other) == recipe_hash(DATA)
    assert recipe_hash(DISTURBED) != recipe_hash(DATA)


def test_hash_of_contents_tells_values_names_and_shapes() -> None:
    one = {"a": np.zeros((2, 3), np.float32), "b": np.ones(2)}
    told = records.content_sha256(one)
    assert told == records.content_sha256(dict(reversed(one.items())))
    for other in (
        {**one, "a": one["a"].reshape(3, 2)}, {**one, "a": one["a"].astype(np.float64)}, {"c": one["a"], "b": one["b"]},
        {**one, "b": np.array([1.0, 1.0000001])},
    ):  # fmt: skip
        assert records.content_sha256(other) != told


# --- what stands beside


def test_the_card_is_croissant_and_its_checksum_is_the_manifest_s(dataset: Path) -> None:
    card = json.loads((dataset / CARD).read_text())
    assert card["@type"] == "sc:Dataset"
    assert card["conformsTo"].startswith("http://mlcommons.org/croissant/")
    manifest, files = card["distribution"]
    assert (dataset / manifest["contentUrl"]).read_bytes() == (dataset / store.MANIFEST).read_bytes()
    assert manifest["sha256"] == hashlib.sha256((dataset / store.MANIFEST).read_bytes()).hexdigest()
    assert len(list(dataset.glob(files["includes"]))) == N
    fields = [one["name"] for one in card["recordSet"][0]["field"]]
    assert set(fields) <= set(rows_of(dataset)[0])
    assert card["description"].startswith(f"{N} ")


def test_another_s_card_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text('{"kind": "synthetic volumes"}')
    with pytest.raises(OutputError, match="another data set"):
        check_card(tmp_path)
    (tmp_path / CARD).write_text("no json")
    with pytest.raises(OutputError, match="another data set"):
        check_card(tmp_path)


def test_tables_hold_what_the_rows_hold(dataset: Path) -> None:
    write_tables(dataset / store.MANIFEST, ("parquet", "csv"))
    rows = rows_of(dataset)
    for table in (
        pd.read_parquet((dataset / store.MANIFEST).with_suffix(".parquet")),
        pd.read_csv((dataset / store.MANIFEST).with_suffix(".csv")),
    ):
        assert table["id"].astype(str).tolist() == [row["id"] for row in rows]
        assert table["index"].tolist() == list(range(N))
        assert table["aug_noise_snr_db"].isna().all()
        assert [json.loads(one) for one in table["rejected"]] == [row["rejected"] for row in rows]
    for suffix in (".parquet", ".csv"):
        (dataset / store.MANIFEST).with_suffix(suffix).unlink()
