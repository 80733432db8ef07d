"""From catalogues to windows: onsets in their place, gaps masked, noise that is noise, and splits that part nothing."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from obspy import Stream

from seisloom.errors import LeftOut
from seisloom.io.shards import Shards, write_shard
from seisloom.sample import Ref, Sample
from seisloom.split import DealtSplit, leave_one_out, split
from seisloom.tasks.classification.data import classes_of, group, join, load, plan, read, read_many, shard, with_classes
from seisloom.tasks.classification.recipe import ITEM, SAMPLE

from .conftest import ONSET_S, MakeRecipe, MakeSet


def samples(found: Iterator[Sample | LeftOut]) -> list[Sample]:
    return [one for one in found if isinstance(one, Sample)]


def test_each_record_is_planned_once_with_its_groups(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set())])
    refs = plan(recipe)
    assert len(refs) == len({ref.key for ref in refs}) == 24
    assert plan(recipe) == refs
    for ref in refs:
        assert Ref(*json.loads(json.dumps([ref.key, dict(ref.groups), ref.seed, dict(ref.source)]))) == ref
    assert refs[0].key == "set/e0/UW.S0..HH"
    assert refs[0].groups == {
        "event": "e0", "station": "UW.S0", "network": "UW", "set": "set", "class": "earthquake", "year": "2020",
        "time": "2020-01-01T00:00:00.000000Z", "region": "47N122W",
    }  # fmt: skip
    assert len({ref.groups["region"] for ref in refs}) == 3
    assert classes_of(recipe) == ("earthquake", "explosion")
    assert {shard(ref) for ref in refs} == {"set/events"}
    assert [len(item) for item in group(recipe, refs, True)] == [1] * 24


@pytest.mark.parametrize("fs_hz", [None, 50.0, 40.0, 100.0])
def test_the_onset_is_where_the_window_says(make_recipe: MakeRecipe, make_set: MakeSet, fs_hz: float | None) -> None:
    recipe = make_recipe(
        paths=[str(make_set())], sampling_rate_hz=fs_hz, pick="onset", window_s=16, before_s=4, snr_signal_s=3,
        snr_noise_s=3,
    )  # fmt: skip
    for sample in samples(read_many(recipe, plan(recipe)[:3])):
        SAMPLE.check(sample.arrays, where=sample.key)
        rate = fs_hz or 50.0
        assert sample.arrays["x"].shape == (3, round(16 * rate))
        assert float(sample.arrays["y_idx"]) == pytest.approx(4 * rate, abs=0.5)
        assert (int(sample.arrays["has_pick"]), int(sample.arrays["mask"].min())) == (1, 1)
        x, place = sample.arrays["x"][0], round(4 * rate)
        assert x[place + 5 : place + 100].std() > 5 * x[:place].std()
        assert float(sample.arrays["snr_db"]) == pytest.approx(20, abs=2)  # 10 times the amplitude; 150 samples each


def test_reading_is_a_pure_function_and_the_file_is_read_once(
    make_recipe: MakeRecipe, make_set: MakeSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seisloom.io.waveforms import files

    recipe = make_recipe(paths=[str(make_set())], pick_s=20, window_s=15, before_s=5, noise_before_s=18)
    refs = plan(recipe)[:8]
    n_read = Counter[str]()
    real = files._read

    def counting(some: list[Path], *, headonly: bool = False) -> list[object]:
        n_read.update(map(str, some))
        return real(some, headonly=headonly)

    monkeypatch.setattr(files, "_read", counting)
    first = samples(read_many(recipe, refs))
    assert set(n_read.values()) == {1}
    assert len(n_read) == 4
    for sample, ref in zip(first, refs, strict=True):
        again = read(recipe, ref)
        assert all(np.array_equal(again.arrays[name], one, equal_nan=True) for name, one in sample.arrays.items())


def test_windows_behind_the_onset_begin_where_they_are_said_to(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(
        paths=[str(make_set())], pick="onset", label=None, window_s=4, before_s=2, shift_s=1, noise_before_s=19,
        behind_s=[1.5, 6], classes={"noise": ["noise", "behind"], "p_wave": ["event"]},
    )  # fmt: skip
    refs = plan(recipe)
    assert Counter(ref.groups["class"] for ref in refs) == {"p_wave": 24, "noise": 72}
    own = [ref for ref in refs if ref.key.startswith(refs[0].key)]
    assert [ref.key.removeprefix(refs[0].key) for ref in own] == ["", "-noise", "-behind-1.5", "-behind-6"]
    whole = load(recipe, own[0])
    for ref, begins_s in zip(own, (17, 13, 20.5, 25), strict=True):
        record, sample = load(recipe, ref), read(recipe, ref)
        assert (record.first_s, sample.arrays["x"].shape) == (pytest.approx(begins_s), (3, 300))
        assert (record.is_noise, record.is_behind) == (ref is own[1], ref in own[2:])
        first = round(begins_s * 50)
        np.testing.assert_array_equal(sample.arrays["x"], whole.x[:, first : first + 300])
        # Where the onset lies outside of the window nobody says that it holds none
        assert int(sample.arrays["has_pick"]) == (1 if ref is own[0] else 0 if ref is own[1] else -1)
        # No crop of a window behind the onset holds it
        assert ref is own[0] or not begins_s <= ONSET_S <= begins_s + 6


def test_components_come_in_the_order_of_the_recipe(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    path = str(make_set())
    whole = read(make_recipe(paths=[path]), plan(make_recipe(paths=[path]))[0])
    turned = make_recipe(paths=[path], channels="E,Z")
    assert np.array_equal(read(turned, plan(turned)[0]).arrays["x"], whole.arrays["x"][[2, 0]])


def test_a_window_without_onset_lies_in_the_middle_and_that_is_said(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = make_recipe(paths=[str(make_set())], window_s=20)
    with caplog.at_level(logging.INFO, logger="seisloom"):
        sample = read(recipe, plan(recipe)[0])
    assert "24 records have no onset: their windows lie in their middle" in caplog.text
    assert (sample.meta["first_s"], int(sample.arrays["has_pick"])) == (20.0, -1)
    assert np.isnan(sample.arrays["snr_db"])


def test_what_a_record_does_not_have_is_masked(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set(duration_s=30))], pick_s=20, window_s=40, before_s=25)
    arrays = read(recipe, plan(recipe)[0]).arrays
    real = np.flatnonzero(arrays["mask"])
    assert (real[0], real[-1] + 1) == (5 * 50, 35 * 50)  # the record's 30 s begin 5 s into the window
    assert not arrays["x"][:, arrays["mask"] == 0].any()


def with_gap(k: int, stream: Stream) -> Stream:
    """Take 2 s out of the north component, from 22 s on."""
    north = stream.select(component="N")[0]
    start = north.stats.starttime
    pieces = Stream([north.slice(start, start + 21.98), north.slice(start + 24, None)])
    return Stream([trace for trace in stream if trace is not north]) + pieces


@pytest.mark.parametrize("fs_hz", [50.0, 20.0])
def test_a_gap_is_masked_or_dropped_and_counted(make_recipe: MakeRecipe, make_set: MakeSet, fs_hz: float) -> None:
    path = str(make_set(change=with_gap))
    common = {"paths": [path], "pick_s": 20, "window_s": 20, "before_s": 5, "sampling_rate_hz": fs_hz}
    masked = make_recipe(**common)
    sample = read(masked, plan(masked)[0])
    gap = np.flatnonzero(sample.arrays["mask"] == 0)
    # the last sample before the gap is at 21.98 s and the first behind at 24.00 s, the window begins at 15 s
    assert gap[0] / fs_hz == pytest.approx(7, abs=1.01 / fs_hz)
    assert gap[-1] / fs_hz == pytest.approx(9, abs=1.01 / fs_hz)
    assert not sample.arrays["x"][:, gap].any()
    assert "100 samples: gap" in sample.meta["notes"]
    dropped = make_recipe(**common, gaps="drop")
    spliced = read(dropped, plan(dropped)[0])
    assert spliced.arrays["mask"].all()
    assert spliced.meta["n_dropped"] == 100
    if fs_hz == 50.0:
        assert np.array_equal(spliced.arrays["x"][:, : gap[0]], sample.arrays["x"][:, : gap[0]])
        n_behind = sample.arrays["x"].shape[1] - gap[-1] - 1
        behind = spliced.arrays["x"][:, gap[0] : gap[0] + n_behind]
        assert np.array_equal(behind, sample.arrays["x"][:, gap[-1] + 1 :])


def test_dropping_a_gap_before_the_onset_moves_it(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set(change=with_gap))], pick_s=30, window_s=20, before_s=5, gaps="drop")
    sample = read(recipe, plan(recipe)[0])
    assert sample.meta["first_s"] == 23.0  # 2 s of the 30 were taken out
    assert float(sample.arrays["y_idx"]) == 250


def test_the_shortest_record_decides_on_request(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    def cut_third(k: int, stream: Stream) -> Stream:
        return stream.slice(endtime=stream[0].stats.starttime + 11.98) if k == 3 else stream

    recipe = make_recipe(paths=[str(make_set(change=cut_third))], trim="shortest")
    found = samples(read_many(recipe, plan(recipe)))
    assert {sample.arrays["x"].shape for sample in found} == {(3, 600)}
    assert all(sample.arrays["mask"].all() for sample in found)
    assert "e3/UW.S0..HH has 12 s, and all 24 records are cut to it" in caplog.text


def test_noise_before_the_onset_is_a_class(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    path = str(make_set())
    common = {"paths": [path], "pick": "onset", "window_s": 12, "before_s": 4, "noise_before_s": 18, "shift_s": 1}
    recipe = make_recipe(**common, classes={"noise": ["noise"], "event": ["earthquake", "explosion"]})
    refs = plan(recipe)
    assert Counter(ref.groups["class"] for ref in refs) == {"noise": 24, "event": 24}
    assert [ref.key for ref in refs[:2]] == ["set/e0/UW.S0..HH", "set/e0/UW.S0..HH-noise"]
    found = {sample.key: sample for sample in read_many(recipe, refs) if isinstance(sample, Sample)}
    for ref in refs[::2]:
        event, noise = found[ref.key], found[f"{ref.key}-noise"]
        assert (int(event.arrays["label"]), int(noise.arrays["label"])) == (1, 0)
        assert (int(event.arrays["has_pick"]), int(noise.arrays["has_pick"])) == (1, 0)
        assert noise.meta["first_s"] == 4.0  # 14 s with its margins, until 18 s
        assert noise.arrays["x"].std() < 0.3 * event.arrays["x"].std()
        assert event.arrays["mask"].all()
        assert noise.arrays["mask"].all()
    three = make_recipe(**common)
    assert classes_of(three) == ("earthquake", "explosion", "noise")
    parts = split(refs, seed=0, config=DealtSplit(by=("event",)))
    where = {ref.key: part for part, some in parts.items() for ref in some}
    assert all(where[ref.key] == where[f"{ref.key}-noise"] for ref in refs[::2])


def test_scaling_sees_the_window_alone_and_a_filter_the_whole_record(
    make_recipe: MakeRecipe, make_set: MakeSet
) -> None:
    steps = [{"name": "bandpass", "low_hz": 1, "high_hz": 20}, {"name": "zscore", "per": "trace"}]
    recipe = make_recipe(
        paths=[str(make_set())], prepare=steps, pick_s=20, window_s=15, before_s=5, noise_before_s=18
    )  # fmt: skip
    for sample in samples(read_many(recipe, plan(recipe)[:4])):
        x = sample.arrays["x"].astype(float)
        assert np.mean(x**2) == pytest.approx(1, rel=1e-5)  # noise and event alike
        # no run-in of the filter at the beginning of the window, which lies within the record
        assert 0.3 < x[:, :50].std() / x[:, 50:100].std() < 3


def test_records_of_several_rates_are_brought_to_one(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [str(make_set("slow", fs_hz=20.0)), str(make_set("fast", fs_hz=100.0, seed=1))]
    recipe = make_recipe(paths=paths, sampling_rate_hz=50, window_s=20, pick="onset")
    with caplog.at_level(logging.INFO, logger="seisloom"):
        found = samples(read_many(recipe, plan(recipe)))
    assert {(sample.arrays["x"].shape, float(sample.arrays["fs"])) for sample in found} == {((3, 1000), 50.0)}
    assert (
        "48 records are brought to 50 Hz (24 of 20 Hz, 24 of 100 Hz); 24 of them hold nothing above 10 Hz"
        in caplog.text
    )


def test_a_resampled_tone_keeps_its_frequency_and_a_high_one_goes(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    def tones(k: int, stream: Stream) -> Stream:
        t = np.arange(6000) / 100.0
        for trace, hz in zip(stream, (3.0, 45.0, 3.0), strict=True):
            trace.data = np.sin(2 * np.pi * hz * t).astype(np.float32)
        return stream

    recipe = make_recipe(
        paths=[str(make_set(fs_hz=100.0, change=tones))], sampling_rate_hz=40, window_s=30, pick="onset"
    )  # fmt: skip
    x = read(recipe, plan(recipe)[0]).arrays["x"]
    spectrum = np.abs(np.fft.rfft(x, axis=-1))
    assert np.fft.rfftfreq(1200, 1 / 40)[spectrum[0].argmax()] == 3.0
    assert np.abs(x[0]).max() == pytest.approx(1, abs=0.01)
    assert np.abs(x[1]).max() < 10 ** (-40 / 20)  # 45 Hz would alias to 5 Hz


def test_training_crops_are_drawn_within_the_margin(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set())], pick="onset", window_s=16, before_s=4, shift_s=3)
    sample = read(recipe, plan(recipe)[0])
    assert sample.arrays["x"].shape == (3, 22 * 50)
    places = set()
    for seed in range(60):
        item = join(recipe, [sample], np.random.default_rng(seed))
        ITEM.check(item, where="item")
        place = int(item["y_idx"])
        places.add(place)
        assert item["x"].shape == (3, 800)
        first = 350 - place
        assert np.array_equal(item["x"], sample.arrays["x"][:, first : first + 800])
    assert min(places) >= 50
    assert max(places) <= 350
    assert len(places) > 30
    assert int(join(recipe, [sample], None)["y_idx"]) == 200


def test_an_onset_that_a_crop_leaves_out_is_not_known_and_not_noise(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set())], pick="onset", window_s=16, before_s=1, shift_s=3)
    sample = read(recipe, plan(recipe)[0])
    for seed in range(40):
        item = join(recipe, [sample], np.random.default_rng(seed))
        assert (int(item["has_pick"]), float(item["y_idx"]) >= 0) in {(1, True), (-1, False)}


def test_shards_give_the_same_samples(make_recipe: MakeRecipe, make_set: MakeSet, tmp_path: Path) -> None:
    recipe = make_recipe(paths=[str(make_set())], pick="onset")
    refs = plan(recipe)
    write_shard(tmp_path / "shards" / "set-0.tar", read_many(recipe, refs), SAMPLE, counted=("label",))
    shards = Shards(tmp_path / "shards")
    assert [ref.key for ref in shards.refs] == [ref.key for ref in refs]
    live = samples(read_many(recipe, refs))
    for stored, sample in zip(shards.read_many(shards.refs), live, strict=True):
        assert all(np.array_equal(stored.arrays[name], one, equal_nan=True) for name, one in sample.arrays.items())
    config = DealtSplit(by=("event",))
    by_shards = split(shards.refs, seed=0, config=config)
    by_plan = split(refs, seed=0, config=config)
    assert {part: [ref.key for ref in some] for part, some in by_shards.items()} == {
        part: [ref.key for ref in some] for part, some in by_plan.items()
    }


def test_other_windows_make_other_refs(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    path = str(make_set())
    first = plan(make_recipe(paths=[path], window_s=20))
    other = plan(make_recipe(paths=[path], window_s=21))
    assert [ref.key for ref in first] == [ref.key for ref in other]
    assert all(a.source != b.source for a, b in zip(first, other, strict=True))


def test_classes_are_merged_ordered_and_completed(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(make_set(labels=("slide", "fall", "avalanche", "lahar") * 5))
    recipe = make_recipe(paths=[path], classes={"mass": ["slide", "avalanche"], "fall": ["fall"]})
    with caplog.at_level(logging.INFO, logger="seisloom"):
        refs = plan(recipe)
    assert Counter((ref.groups["class"], ref.source["label"]) for ref in refs) == {("mass", 0): 20, ("fall", 1): 10}
    assert "10 records are of no class and are left out: lahar (10)" in caplog.text
    assert "classes: mass 20, fall 10" in caplog.text
    whole = with_classes(make_recipe(paths=[path]))
    assert dict(whole.data.classes) == {name: (name,) for name in ("avalanche", "fall", "lahar", "slide")}
    assert plan(whole)[0].groups == plan(make_recipe(paths=[path]))[0].groups


def test_splits_by_station_region_and_time(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    refs = plan(make_recipe(paths=[str(make_set(labels=("earthquake", "explosion") * 20))]))
    by_station = split(refs, seed=0, config=DealtSplit(by=("station",), deal="hash", valid=0, calibrate=0, test=0.5))
    assert {part: {ref.groups["station"] for ref in some} for part, some in by_station.items() if some} in (
        {"train": {"UW.S0"}, "test": {"UW.S1"}}, {"train": {"UW.S1"}, "test": {"UW.S0"}},
    )  # fmt: skip
    by_time = split(refs, seed=0, config=DealtSplit(by=("event",), deal="time"))
    assert max(ref.groups["time"] for ref in by_time["train"]) < min(ref.groups["time"] for ref in by_time["test"])
    assert [name for name, _, _ in leave_one_out(refs, "station")] == ["UW.S0", "UW.S1"]
    assert [name for name, _, _ in leave_one_out(refs, "region", apart=["event"])] == ["47N122W", "47N123W", "47N124W"]


@pytest.mark.parametrize(
    ("name", "keys", "n_refs", "counts", "n_left_out"),
    [
        ("pnw", {"channels": "Z", "pick_s": 50, "sampling_rate_hz": 50}, 588, {"earthquake": 534, "explosion": 54}, 4),
        ("pnw_unlabelled", {
            "channels": "Z", "pick_s": 50, "sampling_rate_hz": 40, "window_s": 40, "noise_before_s": 40,
        }, 412, {"event": 206, "noise": 206}, 0),
        ("esec", {"label": "subtype", "pick": "event_start", "sampling_rate_hz": 20, "window_s": 120}, 343, {
            "Rock/ice/debris avalanches and slides": 213, "Rock/debris falls": 56, "Snow avalanches": 37,
            "Lahar/debris flow/outburst flood": 37,
        }, 0),
    ],
)  # fmt: skip
def test_the_shared_sets_are_planned_and_read(
    make_recipe: MakeRecipe, field_data: Path, name: str, keys: dict[str, object], n_refs: int,
    counts: dict[str, int], n_left_out: int,
) -> None:  # fmt: skip
    recipe = make_recipe(paths=[str(field_data / "classification" / name)], prepare=["zscore"], **keys)
    refs = plan(recipe)
    assert len(refs) == n_refs
    assert Counter(ref.groups["class"] for ref in refs) == counts
    found = list(read_many(recipe, refs))
    kept = [one for one in found if isinstance(one, Sample)]
    assert len(found) - len(kept) == n_left_out
    assert len({one.arrays["x"].shape for one in kept}) == 1
    for one in kept:
        SAMPLE.check(one.arrays, where=one.key)
        assert np.isfinite(one.arrays["x"]).all()
    if name == "pnw_unlabelled":  # a mask would tell noise from events
        assert all(one.arrays["mask"].all() for one in kept)


def test_onset_of_the_catalogue_beats_that_of_the_recipe(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set())], pick="onset", pick_s=33, window_s=16, before_s=4)
    assert read(recipe, plan(recipe)[0]).meta["first_s"] == ONSET_S - 4
