"""The dispersion room keeps the contract of a room, on records that are made and on stored ones, and trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import Bundle, open_predictor
from seisloom.compute import InThisProcess
from seisloom.errors import DataError, MissingDataError
from seisloom.io.shards import Shards
from seisloom.run.train import train
from seisloom.run.write import write_shards
from seisloom.sample import Sample
from seisloom.tasks.dispersion.field.curves_file import read_curves
from seisloom.tasks.dispersion.picker.recipe import DispersionRecipe
from seisloom.tasks.dispersion.store.write import MANIFEST, write_records
from seisloom.tasks.dispersion.task import DISPERSION
from seisloom.testing import check_task

Small = Callable[..., DispersionRecipe]


@pytest.fixture(scope="module")
def stored(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of records, made once."""
    folder = tmp_path_factory.mktemp("records")
    recipe = small()
    write_records(
        recipe.data,
        folder,
        n=recipe.data.n,
        seed=recipe.seed,
        manifest=folder / MANIFEST,
        pool=InThisProcess(),
        about={},
    )
    return folder


def on(folder: Path, small: Small, *changes: str) -> DispersionRecipe:
    return small(f"data.root={folder}", *changes)


def test_the_room_keeps_the_contract_on_records_that_are_made(small: Small) -> None:
    check_task(DISPERSION, small("data.n=6"), n_read=3)


def test_the_room_keeps_the_contract_on_stored_records(stored: Path, small: Small) -> None:
    check_task(DISPERSION, on(stored, small), n_read=4)


def test_a_stored_record_is_the_one_that_is_made(stored: Path, small: Small) -> None:
    made, read = small(), on(stored, small)
    by_model = {DISPERSION.read(read, ref).arrays["curves"].tobytes(): ref for ref in DISPERSION.plan(read)}
    sample = DISPERSION.read(made, DISPERSION.plan(made)[3])
    other = DISPERSION.read(read, by_model[sample.arrays["curves"].tobytes()])
    for name, one in sample.arrays.items():
        np.testing.assert_array_equal(one, other.arrays[name], err_msg=name)


@pytest.fixture(scope="module")
def in_shards(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the same records in tar files."""
    folder = tmp_path_factory.mktemp("shards")
    recipe = small("data.paths.format=shards", "data.paths.shard_size=10")
    write_records(recipe.data, folder, n=recipe.data.n, seed=recipe.seed)
    return folder


def test_records_in_shards_are_those_in_files(stored: Path, in_shards: Path, small: Small) -> None:
    check_task(DISPERSION, on(in_shards, small), n_read=4)
    alone, inside, shards = on(stored, small), on(in_shards, small), Shards(in_shards)
    assert sorted(ref.key for ref in shards.refs) == sorted(ref.key for ref in DISPERSION.plan(alone))
    by_key = {ref.key: ref for ref in shards.refs}
    for ref in DISPERSION.plan(alone)[:3]:
        one = DISPERSION.read(alone, ref)
        for name, array in DISPERSION.join(alone, [one], None).items():
            again = DISPERSION.join(inside, [shards.read(by_key[ref.key])], None)
            np.testing.assert_array_equal(array, again[name], strict=True, err_msg=name)
        (record,) = DISPERSION.records(inside, [by_key[ref.key]])
        np.testing.assert_array_equal(record.panel, one.arrays["spectrum"].astype(np.float32))
        assert record.medium == ref.groups["model"]
    np.testing.assert_array_equal(
        DISPERSION.contents(inside, shards.refs),
        DISPERSION.contents(alone, [{ref.key: ref for ref in DISPERSION.plan(alone)}[one.key] for one in shards.refs]),
    )
    with pytest.raises(DataError, match=r"24 records of the shards are not of this recipe.*Give data\.root"):
        DISPERSION.contents(small(), shards.refs)


@pytest.mark.parametrize("by_room", [False, True])
def test_it_trains_from_shards(in_shards: Path, small: Small, tmp_path: Path, by_room: bool) -> None:
    recipe, shards = on(in_shards, small, "train.epochs=1"), in_shards
    if by_room:  # `seisloom shards write` of records that are made
        recipe, shards = small("data.n=16"), tmp_path / "tars"
        write_shards(recipe, shards)
    trained = train(recipe, tmp_path / "b", shards=shards)
    assert set(trained.report["tables"]["mode 0"]) == {"b", "argmax", "ridge"}
    assert len(trained.bundle.seen()) > 0
    assert np.isin(trained.bundle.seen(), DISPERSION.contents(recipe, DISPERSION.plan(recipe))).all()


def test_windows_of_training_lie_anywhere_and_labels_end_with_them(stored: Path, small: Small) -> None:
    recipe = on(stored, small, "data.p_unknown_array=0.5")
    sample = DISPERSION.read(recipe, DISPERSION.plan(recipe)[0])
    whole = DISPERSION.join(recipe, [sample], None)
    items = [DISPERSION.join(recipe, [sample], np.random.default_rng(k)) for k in range(40)]
    assert whole["x"].shape == (1, 48, 24)
    assert {item["x"].shape for item in items} == {(1, 40, 20)}
    assert len({float(item["velocity_m_s"][0]) for item in items}) > 4
    unknown = sum(bool(np.isnan(item["array"]).all()) for item in items)
    assert 10 < unknown < 30
    for item in items:
        first = int(np.searchsorted(whole["velocity_m_s"], item["velocity_m_s"][0]))
        column = int(np.searchsorted(whole["frequency_hz"], item["frequency_hz"][0]))
        np.testing.assert_array_equal(item["x"][0], whole["x"][0, first : first + 40, column : column + 20])
        outside = (item["curves"] < item["velocity_m_s"][0]) | (item["curves"] > item["velocity_m_s"][-1])
        assert not item["visible"][outside | np.isnan(item["curves"])].any()


def test_a_manifest_that_is_not_there_or_lacks_a_file_is_said(tmp_path: Path, small: Small) -> None:
    with pytest.raises(MissingDataError, match=r"no such manifest\. Write one: seisloom synth dispersion --out DIR"):
        DISPERSION.plan(on(tmp_path, small))
    manifest = tmp_path / MANIFEST
    manifest.parent.mkdir()
    manifest.write_text('{"id": "a"}\n')
    with pytest.raises(DataError, match=r"labels.jsonl:1: has no 'npz'. See: seisloom manifest check"):
        DISPERSION.plan(on(tmp_path, small))
    manifest.write_text('{"id": "a", "npz": "b.npz"}\n')
    recipe = on(tmp_path, small)
    with pytest.raises(MissingDataError, match=r"labels.jsonl:1: the record b.npz is not in"):
        DISPERSION.read(recipe, DISPERSION.plan(recipe)[0])


def test_twins_of_one_medium_are_in_one_group(stored: Path, small: Small, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (stored / MANIFEST).read_text().splitlines()[:2]]
    rows[1]["model_hash"] = rows[0]["model_hash"]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    refs = DISPERSION.plan(small(f"data.root={tmp_path / 'labels.jsonl'}"))
    assert refs[0].groups["model"] == refs[1].groups["model"]
    assert refs[0].key != refs[1].key


def test_it_trains_calibrates_evaluates_applies_and_inverts(stored: Path, small: Small, tmp_path: Path) -> None:
    trained = train(on(stored, small), tmp_path / "b")
    tables = trained.report["tables"]
    assert set(tables) >= {"mode 0", "all modes"}
    assert set(tables["mode 0"]) == {"b", "argmax", "ridge"}
    assert json.loads((tmp_path / "b" / "metrics.json").read_text())["tables"] == json.loads(json.dumps(tables))
    page = (tmp_path / "b" / "report.html").read_text()
    assert f"{tables['mode 0']['argmax']['median %']:.3g}" in page
    bundle = Bundle.open(tmp_path / "b")
    assert bundle.calibration is not None
    assert bundle.calibration.half_width(np.ones(2), np.array([0, 5]), np.array([0.2, np.nan]), level=0.9).shape == (2,)
    traces = np.random.default_rng(0).normal(size=(12, 300)).astype(np.float32)
    opened = open_predictor(tmp_path / "b").with_changes("dx_m=2", "first_offset_m=4")
    product = opened.task.apply(
        opened.recipe, opened.predictor, opened.calibration, opened.task.open(opened.recipe, traces, 100.0)
    )
    assert len(product) == 2 * product["frequency_hz"].nunique()
    assert "truth_m_s" not in product
    opened.task.write(product, tmp_path / "curves.csv")
    read = read_curves(tmp_path / "curves.csv")
    kept = product[product["status"] == "picked"]
    found = read.velocity_m_s[np.isfinite(read.velocity_m_s)]
    np.testing.assert_allclose(np.sort(found), np.sort(kept["velocity_m_s"]), rtol=1e-6)


def test_each_sample_says_what_it_holds(stored: Path, small: Small) -> None:
    recipe = on(stored, small)
    refs = DISPERSION.plan(recipe)
    contents = DISPERSION.contents(recipe, refs)
    assert len(set(contents.tolist())) == len(refs)
    sample = next(iter(DISPERSION.read_many(recipe, refs[:1])))
    assert isinstance(sample, Sample)
    assert int(sample.meta["content"], 16) == contents[0]
