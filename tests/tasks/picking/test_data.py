"""From a survey to samples and gathers: labels in the right place, noise that is noise, and no peeking at picks."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import segyio
from hypothesis import given, settings
from hypothesis import strategies as st

from seisloom.errors import DataError, MissingDataError, RecipeError
from seisloom.recipe import Recipe, read_recipe
from seisloom.sample import Ref, Sample
from seisloom.tasks.picking.data import gathers, group, join, natural, plan, prepare, reachable_m, read, shard
from seisloom.tasks.picking.task import PICKING
from seisloom.testing import check_task

Tiny = Callable[..., Recipe]


def manifest(root: Path) -> list[dict[str, str]]:
    rows = []
    for file in sorted(root.glob("geometries/*/picks_manifest.csv")):
        with file.open() as opened:
            rows += list(csv.DictReader(opened))
    return rows


@pytest.mark.parametrize(
    "changes",
    [
        (), ("win_mode=pick", "pre_s=0.01", "post_s=0.02", "data.crop_s=null", "data.gather=[none]"),
        ("data.gather=[station]", "model=onset_transformer", "model.fs_hz=2000", "model.widths=[4, 8]",
         "model.n_blocks=[1, 1]", "model.dilations=[1, 1]"),
    ],
)  # fmt: skip
def test_the_room_keeps_the_contract(tiny: Tiny, changes: tuple[str, ...]) -> None:
    changes = (*changes, "apply.false_alarm_rate=null")  # what noise reaches is known of a whole file, not of a record
    check_task(PICKING, tiny(*changes))


def test_whole_traces_are_planned_and_read_as_the_file_has_them(tiny: Tiny, tiny_survey: Path) -> None:
    recipe = tiny("win_mode=none", "prepare=[]", "target_fs=null")
    refs, rows = plan(recipe), manifest(tiny_survey)
    assert len(refs) == len(rows)
    for ref, row in list(zip(refs, rows, strict=True))[::17]:
        sample = read(recipe, ref)
        with segyio.open(tiny_survey / row["segy_path"], ignore_geometry=True) as file:
            assert np.array_equal(sample.arrays["x"][0], file.trace[int(row["trace_index"])])
        assert sample.groups["shot"] == f"{row['geometry']}/{row['shot_id']}"
        if row["pick_status"] == "picked":
            place = float(row["pick_time_s"]) * float(row["sampling_rate_hz"])
            assert float(sample.arrays["y_idx"]) == pytest.approx(place, abs=1e-3)
            assert sample.arrays["has_pick"] == 1


def test_the_label_stays_on_the_time_of_the_pick_in_every_window(tiny: Tiny) -> None:
    for changes in (
        ("win_mode=fixed", "win_start_s=0.004"), ("win_mode=pick", "pre_s=0.01", "post_s=0.02"),
        ("win_mode=center", "pre_s=0.04", "post_s=0.04"), ("win_mode=none", "target_fs=1000"),
    ):  # fmt: skip
        recipe, n_seen = tiny(*changes), 0
        for ref in plan(recipe)[::7]:
            if ref.source["kind"] == "noise":
                continue
            a = read(recipe, ref).arrays
            if a["has_pick"] == 1:
                time_s = float(a["t0_s"]) + float(a["y_idx"]) / float(a["fs"])
                assert time_s == pytest.approx(ref.source["pick_time_s"], abs=2e-6)
                assert a["y_mask"][round(float(a["y_idx"]))] == 1
                n_seen += 1
            else:
                assert a["y_idx"] == -1
                assert not a["y_mask"].any()
        assert n_seen > 3


def test_a_trace_that_nobody_picked_is_unknown_and_never_noise(tiny: Tiny) -> None:
    recipe = tiny()
    found = {ref.source["pick_status"]: set() for ref in plan(recipe)}
    for ref in plan(recipe):
        arrays = read(recipe, ref).arrays
        if np.any(arrays["x"]):
            found[ref.source["pick_status"]].add(int(arrays["has_pick"]))
    assert found["unpicked"] == {-1}
    assert 1 in found["picked"]
    cut_around = plan(tiny("win_mode=pick", "pre_s=0.01", "post_s=0.01", "neg_k=3", "neg_to_pos_max=9"))
    assert {ref.source["pick_status"] for ref in cut_around} <= {"picked", "no_arrival"}


@pytest.mark.parametrize("share", [0, 0.25, 0.5])
def test_noise_is_capped_for_each_station(tiny: Tiny, share: float) -> None:
    refs = plan(tiny("win_mode=pick", "pre_s=0.005", "post_s=0.005", "neg_k=3", f"neg_to_pos_max={share}"))
    picked = Counter(ref.groups["station"] for ref in refs if ref.source["kind"] == "record")
    noise = Counter(ref.groups["station"] for ref in refs if "-noise-" in ref.key)
    for station, n in picked.items():
        assert noise[station] == int(share * n)


def test_what_is_read_does_not_know_the_pick_but_for_labels_and_place(tiny: Tiny) -> None:
    """The pick is moved by 10 ms: amplitudes of windows that are not cut around it stay bit for bit."""
    for changes in ((), ("prepare=[seed_features]", "model.n_channels=7")):
        recipe = tiny(*changes)
        for ref in plan(recipe)[::23]:
            if ref.source["pick_status"] != "picked":
                continue
            moved = Ref(ref.key, ref.groups, ref.seed, {**ref.source, "pick_time_s": ref.source["pick_time_s"] + 0.01})
            one, other = read(recipe, ref).arrays, read(recipe, moved).arrays
            for name in ("x", "fs", "t0_s", "offset_m"):
                assert np.array_equal(one[name], other[name])
            assert one["y_idx"] != other["y_idx"]


def test_samples_that_are_not_finite_become_zero_and_are_counted(tiny: Tiny) -> None:
    recipe = tiny("prepare=[]", "target_fs=null")
    traces = np.ones((2, 50), dtype=np.float32)
    traces[0, 3], traces[1, 4:6] = np.nan, np.inf
    x, fs_hz, n_bad = prepare(recipe, traces, fs_hz=2000.0)
    assert (np.sum(n_bad), fs_hz) == (3, 2000.0)
    assert np.array_equal(x[:, 0] == 0, ~np.isfinite(traces))


# --- gathers


@given(
    traces=st.sets(st.tuples(st.integers(0, 3), st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=60),
    way=st.sampled_from(["shot", "station", "none"]), size=st.integers(1, 8),
)  # fmt: skip
@settings(deadline=None)
def test_gathers_hold_every_trace_once_neighbours_in_order(
    traces: set[tuple[int, int, int]], way: str, size: int
) -> None:
    refs = [
        Ref(f"L{g}/R{r}/shot-{s}", {"geometry": f"L{g}", "station": f"L{g}/R{r}", "shot": f"L{g}/{s}"})
        for g, r, s in sorted(traces)
    ]
    found = gathers(refs, way, size=size)  # type: ignore[arg-type]
    assert sorted(ref.key for some in found for ref in some) == sorted(ref.key for ref in refs)
    across = "station" if way == "shot" else "shot"
    for some in found:
        assert 1 <= len(some) <= (1 if way == "none" else size)
        if way != "none":
            assert len({ref.groups[way] for ref in some}) == 1
            places = [natural(ref.groups[across]) for ref in some]
            assert places == sorted(places)
    if way != "none":
        lengths: dict[str, list[int]] = {}
        for some in found:
            lengths.setdefault(some[0].groups[way], []).append(len(some))
        assert all(max(one) - min(one) <= 1 for one in lengths.values()), "parts of a gather are even"


def test_training_sees_all_ways_of_gathering_and_validation_the_first(tiny: Tiny) -> None:
    recipe = tiny("data.gather=[shot, station]", "data.gather_size=64")
    refs = plan(recipe)
    assert sum(len(item) for item in group(recipe, refs, True)) == 2 * len(refs)
    assert sum(len(item) for item in group(recipe, refs, False)) == len(refs)


def samples(n_time: int, y: list[float]) -> list[Sample]:
    x = np.zeros((len(y), 1, n_time), dtype=np.float32)
    for trace, place in enumerate(y):
        if place >= 0:
            x[trace, 0, round(place)] = 1
    return [
        Sample(f"k{k}", {}, {
            "x": x[k], "has_pick": np.int8(place >= 0), "y_idx": np.float32(place), "t0_s": np.float32(-0.01),
            "offset_m": np.float32(3), "fs": np.float32(1000),
        })
        for k, place in enumerate(y)
    ]  # fmt: skip


@given(
    y=st.lists(st.one_of(st.integers(0, 99), st.just(-1)), min_size=1, max_size=5), seed=st.integers(0, 99),
    anywhere=st.sampled_from([0, 1]), crop=st.integers(10, 100),
)  # fmt: skip
@settings(deadline=None)
def test_a_crop_keeps_labels_on_their_samples(y: list[int], seed: int, anywhere: int, crop: int) -> None:
    recipe = read_recipe("picking", [f"data.crop_s={crop / 1000}", f"data.crop_anywhere={anywhere}"])
    found = join(recipe, samples(100, [float(one) for one in y]), np.random.default_rng(seed))  # type: ignore[arg-type]
    assert found["x"].shape == (len(y), 1, crop)
    start = round((float(found["t0_s"][0]) + 0.01) * 1000)
    assert 0 <= start <= 100 - crop
    for trace, place in enumerate(y):
        inside = 0 <= place - start < crop and place >= 0
        assert found["has_pick"][trace] == int(inside)
        assert found["y_idx"][trace] == (place - start if inside else -1)
        assert np.flatnonzero(found["x"][trace, 0]).tolist() == ([place - start] if inside else [])
    if anywhere == 0 and max(y) >= 0:
        assert (found["has_pick"] == 1).any(), "a crop that is not drawn from anywhere holds a pick"


def test_windows_of_different_lengths_are_not_joined(tiny: Tiny) -> None:
    with pytest.raises(DataError, match=r"differ in length .*target_fs"):
        join(tiny(), [*samples(50, [1.0]), *samples(60, [1.0])], None)  # type: ignore[arg-type]


# --- surveys that are not there


def test_a_survey_that_is_not_given_or_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="use --data ROOT"):
        plan(read_recipe("picking", ["data.root=null"]))
    with pytest.raises(MissingDataError, match="no such folder"):
        plan(read_recipe("picking", [f"data.root={tmp_path / 'none'}"]))
    with pytest.raises(MissingDataError, match="seisloom manifest build"):
        plan(read_recipe("picking", [f"data.root={tmp_path}"]))


def test_geometries_may_be_chosen(tiny: Tiny) -> None:
    assert {ref.groups["geometry"] for ref in plan(tiny("geom=[LAND002]"))} == {"LAND002"}


def test_the_seed_s_spelling_of_geometries_takes_names_with_commas(tiny: Tiny) -> None:
    assert tiny("geom=LAND001,LAND002").data.geometries == ("LAND001", "LAND002")
    assert tiny("geom=LAND002").data.geometries == ("LAND002",)


def test_a_shard_holds_one_station() -> None:
    assert shard(Ref("LINE/R07/shot-000001-trace-00000", {})) == "LINE/picks-R07"


def test_an_offset_that_nothing_reaches_within_the_record_is_not_known() -> None:
    offset_m = np.array([10.0, -900.0, 2_380_000.0, np.nan])
    found = reachable_m(offset_m, 0.1)
    assert found[:2].tolist() == [10.0, -900.0]
    assert np.isnan(found[2:]).all()
    assert np.isnan(reachable_m(5.0, -0.2))
