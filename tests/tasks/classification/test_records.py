"""Whole records: behind held-out refs with their truth, and of what a user gives."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import obspy
import pandas as pd
import pytest

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.convert_pickle import convert_events
from seisloom.sample import Ref, content_hash
from seisloom.tasks.classification.data import plan, read, with_classes
from seisloom.tasks.classification.records import contents, open_records, records
from seisloom.tasks.classification.windows import cut, window_samples

from .conftest import MakeRecipe, MakeSet


def test_records_have_their_truth_and_the_windows_that_were_read(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    steps = [{"name": "bandpass", "low_hz": 1}, "zscore"]
    recipe = make_recipe(
        paths=[str(make_set())], pick="onset", window_s=12, before_s=4, noise_before_s=18, prepare=steps,
        sampling_rate_hz=40,
    )  # fmt: skip
    refs = plan(recipe)[:6]
    found = list(records(recipe, refs))
    assert [one.key for one in found] == [ref.key for ref in refs]
    for one, ref in zip(found, refs, strict=True):
        assert (one.truth, one.is_noise, one.groups) == (ref.source["label"], ref.key.endswith("noise"), ref.groups)
        assert one.x.shape == (3, 2400)
        assert one.onset_s == 20.0
        assert one.first_s is not None
        window = cut(recipe, one, one.first_s, window_samples(recipe, one.fs_hz))
        sample = read(recipe, ref)
        assert (window.key, window.groups, window.meta) == (sample.key, sample.groups, sample.meta)
        assert all(np.array_equal(window.arrays[name], of, equal_nan=True) for name, of in sample.arrays.items())


def test_refs_of_shards_find_their_records(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set())])
    refs = plan(recipe)[3:5]
    stored = [Ref(ref.key, ref.groups, source={"shard": "x"}) for ref in refs]
    assert [one.key for one in records(recipe, stored)] == [ref.key for ref in refs]
    with pytest.raises(MissingDataError, match="none of the 1 records that are asked for, such as gone"):
        list(records(recipe, [Ref("gone", {}, source={"shard": "x"})]))


def test_contents_are_hashes_of_what_stands_in_the_files(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set())], sampling_rate_hz=20, pick="onset", noise_before_s=18, window_s=10)
    refs = plan(recipe)[:4]  # two records, each with its noise
    stream = obspy.read(str(Path(recipe.data.paths[0]) / refs[0].source["files"][0]), format="MSEED")
    raw = content_hash(np.stack([stream.select(component=one)[0].data for one in "ZNE"]))
    found = contents(recipe, refs)
    assert len(found) == 6
    assert set(raw.tolist()) <= set(found.tolist())
    assert contents(recipe, []).size == 0


def test_a_long_record_gives_the_same_window_whether_cut_first_or_not(
    make_recipe: MakeRecipe, make_set: MakeSet
) -> None:
    folder = make_set(labels=("earthquake", "explosion"), duration_s=900, fs_hz=20.0)
    recipe = make_recipe(
        paths=[str(folder)], pick_s=700, window_s=30, before_s=10,
        prepare=[{"name": "bandpass", "low_hz": 0.5}, "zscore"],
    )  # fmt: skip
    ref = plan(recipe)[0]
    sample = read(recipe, ref)
    (whole,) = records(recipe, [ref])
    assert whole.n_samples == 18_000
    assert whole.first_s is not None
    window = cut(recipe, whole, whole.first_s, window_samples(recipe, whole.fs_hz)).arrays
    # 60 s of run-in of a 0.5 Hz Butterworth of order 2: its memory is down by exp(-130)
    assert np.allclose(window["x"], sample.arrays["x"], atol=1e-5)
    assert float(window["y_idx"]) == float(sample.arrays["y_idx"]) == 200


def test_a_catalogue_that_is_given_has_the_classes_of_the_recipe(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = with_classes(make_recipe(paths=[str(make_set())], pick="onset"))
    other = make_set("other", labels=("explosion", "tremor", ""), seed=4)
    found = list(open_records(recipe, other))
    assert [one.truth for one in found] == [1, 1, -1, -1, -1, -1]
    assert all(one.first_s is not None for one in found)
    assert "class" not in found[2].groups
    assert [one.key for one in open_records(recipe, other / "manifest.csv")] == [one.key for one in found]


def test_files_folders_streams_and_arrays_are_opened(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    folder = make_set(labels=("earthquake", "explosion"))
    recipe = with_classes(make_recipe(paths=[str(folder)], sampling_rate_hz=25))
    file = folder / "e0_S0.mseed"
    (by_file,) = open_records(recipe, file)
    stream = obspy.read(str(file), format="MSEED")
    (by_stream,) = open_records(recipe, stream)
    values = np.stack([stream.select(component=one)[0].data for one in "ZNE"])
    (by_array,) = open_records(recipe, values, 50.0)
    for one in (by_file, by_stream, by_array):
        assert np.array_equal(one.x, by_file.x)
        assert np.array_equal(one.content, by_file.content)
        assert (one.truth, one.first_s, one.fs_hz) == (-1, None, 25.0)
    assert (by_file.key, by_file.groups) == ("e0_S0.mseed/UW.S0..HH", {"station": "UW.S0"})
    bare = folder.parent / "bare"
    bare.mkdir()
    file.rename(bare / file.name)
    assert [one.key for one in open_records(recipe, bare)] == [by_file.key]
    assert list(open_records(recipe, by_array)) == [by_array]
    assert len(list(open_records(recipe, [stream, stream]))) == 2


def test_what_cannot_be_opened_says_why(make_recipe: MakeRecipe, make_set: MakeSet, tmp_path: Path) -> None:
    recipe = with_classes(make_recipe(paths=[str(make_set())]))
    for source, fs_hz, error, says in (
        (np.ones((3, 10)), None, DataError, "needs its sampling rate"),
        (np.ones((2, 10)), 50.0, DataError, r"shape \(2, 10\); give \(channel, time\) with the 3 components Z, N, E"),
        (np.full((3, 10), np.nan), 50.0, DataError, "all samples are missing"),
        (7, None, DataError, "cannot classify a int"),
        (tmp_path / "none", None, MissingDataError, "no such file or folder"),
    ):
        with pytest.raises(error, match=says):
            list(open_records(recipe, source, fs_hz))
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(DataError, match="neither miniSEED nor SAC"):
        list(open_records(recipe, tmp_path / "a.txt"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match=r"Write a manifest\.csv"):
        list(open_records(recipe, tmp_path / "empty"))


def test_pickled_events_come_through_the_room(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [pd.DataFrame({name: rng.normal(size=300 + 10 * k) for name in "ZNE"}) for k in range(8)]
    (tmp_path / "OKC.pkl").write_bytes(pickle.dumps((frames, np.array(["earthquake", "noise"] * 4))))
    convert_events([tmp_path / "OKC.pkl"], tmp_path / "okc", fs_hz=100.0)
    recipe = make_recipe(paths=[str(tmp_path / "okc")], trim="shortest", gaps="drop", prepare=["zscore"])
    refs = plan(recipe)
    assert all("time" not in ref.groups for ref in refs)
    sample = read(recipe, refs[1])
    # what the older scripts make of it: from the first sample to the shortest length, z-score of each channel
    x = frames[1].to_numpy()[:300]
    expected = (x - x.mean(axis=0)) / x.std(axis=0)
    assert np.allclose(sample.arrays["x"], expected.T, atol=1e-5)  # float32
    assert sample.meta["start"] == ""


def test_an_event_record_is_data(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set())])
    (one,) = records(recipe, plan(recipe)[:1])
    assert (one.n_traces, one.n_samples) == one.x.shape
    assert replace(one, truth=3).truth == 3
