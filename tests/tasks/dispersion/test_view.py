"""Records of both layouts are read, found and drawn, and what is wrong with a file is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seisloom.errors import DataError, MissingDataError, RecipeError
from seisloom.tasks.dispersion.store.record_file import read_record
from seisloom.tasks.dispersion.view import find_record, record_figure

Run = Callable[..., tuple[int, str, str]]
Arrays = dict[str, Any]  # Any: arrays of any type
F, C = np.linspace(3, 30, 28), np.linspace(100, 900, 41)
CURVES = np.stack([400 - 8 * F, 700 - 9 * F, np.full(28, np.nan)])
CURVES[1, :6] = np.nan
RECIPE = """
data:
  frequency: {num_samples: 12}
  phase_velocity: {num_samples: 20}
  simulation: {nx: 8, dx: 2.0, noise: null}
  physics: {modes: 2}
"""


def ours() -> Arrays:
    there = np.isfinite(CURVES)
    return {
        "spectrum": np.exp(-(((C[:, None] - CURVES[0]) / 60) ** 2)).astype(np.float16),
        "curves": CURVES.astype(np.float32), "freq": F, "phase_velocity": C,
        **{name: there.astype(np.uint8) for name in ("in_window", "resolved", "excited")},
        "aliased": np.zeros(CURVES.shape, np.uint8), "offsets": np.arange(5.0, 53, 2, dtype=np.float32),
        "meta": np.array(b'{"id": "aa"}'),
    }  # fmt: skip


def older() -> Arrays:
    """The layout of the first label generator: a mode that was not found is zeros, one that ends is held."""
    held = np.where(np.isnan(CURVES), 646.0, CURVES)
    curves = np.stack([np.broadcast_to(F, CURVES.shape), held], axis=1)
    curves[2] = 0
    return {
        "spectrum": ours()["spectrum"].astype(np.float32), "curves": curves.astype(np.float32),
        "freq": F.astype(np.float32), "phase_velocity": C.astype(np.float32),
    }  # fmt: skip


def written(path: Path, arrays: Arrays) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of three records; paths are relative to the manifest, to the folder, and of another machine."""
    root = tmp_path / "set"
    rows = []
    for name, npz in (("aa11", "../curves/aa11.npz"), ("aa22", "curves/aa22.npz"), ("bb33", "/other/curves/bb33.npz")):
        written(root / "curves" / f"{name}.npz", ours())
        rows.append(json.dumps({"id": name, "npz": npz, "prior": "aa22"}))
    (root / "manifests").mkdir()
    (root / "manifests" / "labels.jsonl").write_text("\n".join(rows) + "\n")
    return root


def test_our_layout_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    found = read_record(written(tmp_path / "a.npz", ours()))
    assert found.keys() == ours().keys()
    for name, stored in ours().items():
        np.testing.assert_array_equal(found[name], stored)


def test_the_older_layout_has_nan_for_zeros_and_keeps_what_was_held(tmp_path: Path) -> None:
    found = read_record(written(tmp_path / "a.npz", older()))["curves"]
    assert found.shape == (3, 28)
    np.testing.assert_allclose(found[0], CURVES[0], rtol=1e-6)
    assert (found[1, :6] == 646).all()
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"freq": None}, "freq missing; a record has"),
        ({"spectrum": np.zeros((28, 41))}, r"of this file's axes is \(41, 28\)"),
        ({"curves": np.zeros((3, 27))}, r"must be \(mode, 28\), or \(mode, 2, 28\)"),
        ({"curves": np.ones((3, 2, 28))}, "the frequencies of curves differ"),
        ({"freq": F[::-1]}, "rising numbers"),
        ({"curves": np.array([["a"]])}, "must hold real numbers"),
    ],
)
def test_a_file_that_is_no_record_says_why(tmp_path: Path, change: Arrays, message: str) -> None:
    arrays = {name: one for name, one in {**ours(), **change}.items() if one is not None}
    with pytest.raises(DataError, match=message):
        read_record(written(tmp_path / "a.npz", arrays))


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no record")
    whole = written(tmp_path / "whole.npz", ours()).read_bytes()
    (tmp_path / "torn.npz").write_bytes(whole[: len(whole) // 2])
    for name in ("text", "torn"):
        with pytest.raises(DataError, match="is no record"):
            read_record(tmp_path / f"{name}.npz")
    np.savez(tmp_path / "pickled.npz", curves=np.array([None]), allow_pickle=True)
    with pytest.raises(DataError, match="is no record"):
        read_record(tmp_path / "pickled.npz")
    with pytest.raises(MissingDataError, match="no such file"):
        read_record(tmp_path / "none.npz")


def test_a_record_is_found_by_its_id_however_its_path_is_written(folder: Path) -> None:
    for name in ("aa11", "aa22", "bb33"):
        assert find_record(folder, sample_id=name)[0] == name
    assert find_record(folder, sample_id="bb")[0] == "bb33"
    with pytest.raises(MissingDataError, match="no id that begins with cc"):
        find_record(folder, sample_id="cc")


def test_without_an_id_the_seed_chooses(folder: Path) -> None:
    names = [find_record(folder, seed=seed)[0] for seed in range(12)]
    assert set(names) == {"aa11", "aa22", "bb33"}
    assert names == [find_record(folder, seed=seed)[0] for seed in range(12)]


def test_a_folder_without_a_manifest_is_searched(tmp_path: Path, folder: Path) -> None:
    (folder / "manifests" / "labels.jsonl").unlink()
    assert find_record(folder, sample_id="bb33")[0] == "bb33"
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match="nor a record"):
        find_record(tmp_path / "empty")


def test_what_is_wrong_with_a_manifest_is_said(folder: Path) -> None:
    manifest = folder / "manifests" / "labels.jsonl"
    manifest.write_text('{"id": "gone", "npz": "curves/gone.npz"}\n')
    with pytest.raises(MissingDataError, match=r"labels\.jsonl:1: the record curves/gone\.npz is not in"):
        find_record(folder)
    for row in ("{torn", '{"id": "a"}', "[]"):
        manifest.write_text(row + "\n")
        with pytest.raises(DataError, match=r"labels\.jsonl:1: is no row with id and npz"):
            find_record(folder)
    manifest.write_text("\n")
    with pytest.raises(MissingDataError, match="is empty"):
        find_record(folder)


def test_a_recipe_makes_a_record_or_finds_one_in_its_folder(tmp_path: Path, folder: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    name, arrays = find_record(recipe, seed=3)
    assert "number 3 of recipe.yaml" in name
    assert arrays["spectrum"].shape == (20, 12)
    np.testing.assert_array_equal(arrays["curves"], find_record(recipe, seed=3)[1]["curves"])
    assert name != find_record(recipe, seed=4)[0]
    with pytest.raises(RecipeError, match="output_root"):
        find_record(recipe, sample_id="aa11")
    recipe.write_text(f"{RECIPE}  paths: {{output_root: {folder.name}}}\n")
    assert find_record(recipe, sample_id="aa11")[0] == "aa11"


def test_a_figure_tells_array_flags_and_masks_where_they_are_known() -> None:
    full = record_figure(ours(), title="aa", masks=True)
    spectrum, masks = (axes for axes in full.axes if axes.get_xlabel() == "frequency (Hz)")
    assert spectrum.get_title(loc="left") == "aa\n24 receivers, 5 to 51 m from the source"
    assert masks.get_title(loc="left") == "masks of the modes"
    bare = {name: ours()[name] for name in ("spectrum", "curves", "freq", "phase_velocity")}
    (legend,) = record_figure(bare, masks=True).legends
    assert [text.get_text() for text in legend.get_texts()] == ["mode 0 (fundamental)", "mode 1"]


def test_the_command_draws_records_of_both_layouts_and_of_folders(seisloom: Run, tmp_path: Path, folder: Path) -> None:
    for arrays in (ours(), older()):
        record = written(tmp_path / "a.npz", arrays)
        code, said, wrong = seisloom("view", "dispersion", str(record), "--output", "p.png", "--dpi", "40", "--masks")
        assert code == 0, wrong
        assert "drew record a in p.png" in said
        assert (tmp_path / "p.png").stat().st_size > 5000
    code, said, wrong = seisloom("view", "dispersion", str(folder), "--sample-id", "bb", "--out", "f/q.png")
    assert code == 0, wrong
    assert "drew record bb33" in said
    code, _, wrong = seisloom("view", "dispersion", str(record), "--sample-id", "a", "--out", "q.png")
    assert code == 2
    assert "is one record" in wrong
    code, _, wrong = seisloom("view", "dispersion", str(record), "--out", "q.txt")
    assert code == 2
    assert "the suffix chooses the format" in wrong


def test_show_opens_the_picture(seisloom: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("typer.launch", lambda path: opened.append(path) or len(opened) - 1)
    written(tmp_path / "a.npz", ours())
    for _ in range(2):
        code, said, wrong = seisloom("view", "dispersion", "a.npz", "--out", "p.png", "--show")
        assert code == 0, wrong
    assert opened == ["p.png", "p.png"]
    assert "no program here opens pictures" in said
