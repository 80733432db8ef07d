"""What a user may bring: each is refused or counted in one line that says what, where and how to mend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from obspy import Stream

from seisloom.errors import DataError, LeftOut, MissingDataError, SplitError
from seisloom.sample import Sample
from seisloom.split import DealtSplit, deal_class_folds, split
from seisloom.tasks.classification.data import plan, read, read_many

from .conftest import MakeRecipe, MakeSet, read_rows, write_rows

Change = Callable[[int, Stream], Stream]


def refused(function: Callable[..., Any], *arguments: Any, error: type[Exception] = DataError) -> str:
    """Return the one line of an error."""
    with pytest.raises(error) as found:
        function(*arguments)
    assert "\n" not in str(found.value)
    return str(found.value)


def without(component: str) -> Change:
    return lambda k, stream: Stream([one for one in stream if k % 2 or not one.id.endswith(component)])


def test_a_catalogue_that_is_not_there_is_named(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    lost = make_recipe(paths=[str(tmp_path / "none")])
    assert "none: no such catalogue or folder. Correct data.paths" in refused(plan, lost, error=MissingDataError)


def test_missing_components_are_left_out_with_a_count_or_zero(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(make_set(change=without("N"), labels=("earthquake", "explosion") * 3))
    recipe = make_recipe(paths=[path], channels="Z,N,E", pick="onset")
    said = refused(plan, recipe)  # all earthquakes lack N
    assert "1 class in the data, explosion (6)" in said
    assert "6 records lack one of Z, N, E and are left out (data.missing=zero keeps them): e0/UW.S0..HH" in caplog.text
    zero = make_recipe(paths=[path], missing="zero", pick="onset", window_s=20)
    refs = plan(zero)
    assert len(refs) == 12
    sample = read(zero, refs[0])
    assert not sample.arrays["x"][1].any()
    assert sample.arrays["mask"].all()
    assert "component N is not there: zeros" in sample.meta["notes"]


def test_components_that_no_record_has_are_named(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    said = refused(plan, make_recipe(paths=[str(make_set(channels="Z"))]))
    assert "no record has all of Z, N, E; there are 24 with Z. Set data.channels=[Z]" in said


def test_numbered_components_stand_in_and_that_is_noted(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    recipe = make_recipe(paths=[str(make_set(channels="Z12"))], pick="onset")
    sample = read(recipe, plan(recipe)[0])
    assert sample.meta["notes"] == [
        "component 1 is taken for N; its azimuth is not known", "component 2 is taken for E; its azimuth is not known",
    ]  # fmt: skip


def test_mixed_rates_without_a_target_or_in_strict_are_refused(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    paths = [str(make_set("a", fs_hz=50.0)), str(make_set("b", fs_hz=40.0))]
    said = refused(plan, make_recipe(paths=paths))
    assert "several sampling rates: 24 of 40 Hz, 24 of 50 Hz. Bring them to one: data.sampling_rate_hz=40" in said
    said = refused(plan, make_recipe(paths=paths, sampling_rate_hz=50, strict=True))
    assert "not all of 50 Hz: 24 of 40 Hz, 24 of 50 Hz" in said
    assert len(plan(make_recipe(paths=paths, sampling_rate_hz=50))) == 48


def test_one_rate_in_the_catalogue_and_another_in_the_file_is_refused(
    make_recipe: MakeRecipe, make_set: MakeSet
) -> None:
    folder = make_set()
    write_rows(folder, [{**row, "sampling_rate_hz": "100.0"} for row in read_rows(folder)])
    recipe = make_recipe(paths=[str(folder)])
    assert "header says 50 Hz, and manifest.csv: line 2 100 Hz" in refused(read, recipe, plan(recipe)[0])


@pytest.mark.parametrize(
    ("value", "says"),
    [(7.0, "all components are constant"), (np.nan, "none"), ("ramp one", "")],
)
def test_dead_and_empty_records_are_left_out_with_their_reason(
    make_recipe: MakeRecipe, make_set: MakeSet, value: Any, says: str
) -> None:
    def change(k: int, stream: Stream) -> Stream:
        for number, trace in enumerate(stream):
            if k == 0 and (value != "ramp one" or number == 0):
                trace.data = np.full(trace.stats.npts, 7.0 if value == "ramp one" else value, np.float32)
        return stream

    recipe = make_recipe(paths=[str(make_set(change=change))], pick="onset", prepare=["zscore"])
    found = list(read_many(recipe, plan(recipe)))
    reasons = [str(one) for one in found if isinstance(one, LeftOut)]
    if value == "ramp one":  # one of three: kept, zero and counted
        first = found[0]
        assert isinstance(first, Sample)
        assert first.meta["n_constant_channels"] == 1
        assert not first.arrays["x"][0].any()
        assert first.arrays["x"][1].any()
        assert not reasons
    else:
        assert len(reasons) == 2
        assert all(("nothing was recorded" if says == "none" else says) in reason for reason in reasons)


def test_too_short_records_are_left_out_with_their_reason(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    def change(k: int, stream: Stream) -> Stream:
        return stream.slice(endtime=stream[0].stats.starttime + 22) if k == 0 else stream

    recipe = make_recipe(paths=[str(make_set(change=change))], pick="onset", window_s=20, before_s=5)
    found = list(read_many(recipe, plan(recipe)))
    assert [str(one) for one in found if isinstance(one, LeftOut)] == [
        "less than 50 % of the window was recorded (data.min_real)"
    ] * 2
    lenient = make_recipe(paths=recipe.data.paths, pick="onset", window_s=20, before_s=5, min_real=0.1)
    assert all(isinstance(one, Sample) for one in read_many(lenient, plan(lenient)))


def test_one_class_is_refused_with_its_count(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    said = refused(plan, make_recipe(paths=[str(make_set(labels=("earthquake",) * 4))]))
    assert "1 class in the data, earthquake (8): there is nothing to tell apart" in said
    said = refused(plan, make_recipe(paths=[str(make_set("none", labels=("",) * 4))]))
    assert "0 class in the data, none" in said


def test_a_mistyped_class_lists_the_labels(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    said = refused(plan, make_recipe(paths=[str(make_set())], classes=["earthquakes", "explosion"]))
    assert "no record of class 'earthquakes' (earthquakes); labels are earthquake (12), explosion (12)" in said
    assert "did you mean 'earthquake'?" in said


def test_a_mistyped_column_lists_the_columns(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    said = refused(plan, make_recipe(paths=[str(make_set())], label="type"))
    assert "column type is missing; there are path, event_id, nslc, label" in said
    assert "no column 'p' for picks" in refused(plan, make_recipe(paths=[str(make_set("b"))], pick="p"))


def test_a_class_of_fewer_events_than_parts_or_folds_is_refused(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    refs = plan(make_recipe(paths=[str(make_set(labels=("earthquake",) * 9 + ("explosion",) * 3))]))
    said = refused(lambda: split(refs, seed=0, config=DealtSplit(by=("event",))), error=SplitError)
    assert "class 'explosion' has 3 groups of event, too few for train, valid, calibrate, test" in said
    said = refused(lambda: deal_class_folds(refs, 5, seed=0, by=["event"]), error=SplitError)
    assert "too few for 5 folds. Merge it with another or leave it out (data.classes)" in said


def test_rows_without_waveforms_and_the_reverse_are_counted_and_listed(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_set()
    (folder / "e0_S0.mseed").rename(folder / "other.mseed")
    assert len(plan(make_recipe(paths=[str(folder)]))) == 23
    assert "3 rows have no waveform and are left out: e0_S0.mseed" in caplog.text
    assert "1 files have no row and are left out: other.mseed" in caplog.text


def test_duplicate_rows_count_once(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_set()
    rows = read_rows(folder)
    write_rows(folder, [*rows, *rows[:2]])
    assert len(plan(make_recipe(paths=[str(folder)]))) == 24
    assert "2 rows are there twice and count once" in caplog.text


def test_a_wrong_start_in_the_catalogue_yields_to_the_header(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_set()
    write_rows(folder, [{**row, "starttime": "1999-01-01T00:00:00Z"} for row in read_rows(folder)])
    recipe = make_recipe(paths=[str(folder)])
    sample = read(recipe, plan(recipe)[0])
    assert sample.meta["start"] == "2020-01-01T00:00:00.000000Z"
    assert "its header says 2020-01-01T00:00:00.000000Z, which counts" in sample.meta["notes"][0]
    assert "which counts" in caplog.text


def test_noise_needs_onsets_behind_it(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_set()
    keys: dict[str, Any] = {"paths": [str(folder)], "window_s": 12, "before_s": 4}
    said = refused(plan, make_recipe(**keys, noise_before_s=18))
    assert "of 24 records 24 have no onset and 0 one before 18 s. Say where it is: data.pick" in said
    assert "0 have no onset and 24 one before 25 s" in refused(
        plan, make_recipe(**keys, noise_before_s=25, pick="onset")
    )
    write_rows(
        folder, [{**row, "onset": "5" if row["event_id"] == "e0" else row["onset"]} for row in read_rows(folder)]
    )
    assert len(plan(make_recipe(**keys, noise_before_s=18, pick="onset"))) == 44
    assert "2 records have theirs before 18 s and are left out: e0/UW.S0..HH" in caplog.text


def test_one_file_for_two_events_and_two_sets_of_one_name_are_apart(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    folder = make_set()
    (folder / "deep").mkdir()
    refs = plan(make_recipe(paths=[str(folder), str(folder / "manifest.csv")]))
    assert {ref.key.split("/")[0] for ref in refs} == {"set", "set-2"}
    # the same event in both is one group, so that it is never parted
    assert len({ref.groups["event"] for ref in refs}) == 12


def test_pickled_events_are_sent_to_convert(make_recipe: MakeRecipe, tmp_path: Path) -> None:
    (tmp_path / "VRAC.pkl").write_bytes(b"")
    said = refused(plan, make_recipe(paths=[str(tmp_path / "VRAC.pkl")]))
    assert f"seisloom convert {tmp_path / 'VRAC.pkl'} {tmp_path / 'VRAC'} --sampling-rate 100" in said


def test_swapped_components_in_the_catalogue_yield_to_the_header(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    folder = make_set()
    before = make_recipe(paths=[str(folder)], pick="onset")
    right = read(before, plan(before)[0]).arrays["x"]
    swapped = {"UW.S0..HHZ": "UW.S0..HHE", "UW.S0..HHE": "UW.S0..HHZ"}
    write_rows(folder, [{**row, "nslc": swapped.get(row["nslc"], row["nslc"])} for row in read_rows(folder)])
    after = make_recipe(paths=[str(folder)], pick="onset", min_real=0.4)  # another plan
    assert np.array_equal(read(after, plan(after)[0]).arrays["x"], right)


def test_another_station_in_the_header_is_noted(make_recipe: MakeRecipe, make_set: MakeSet) -> None:
    folder = make_set()
    write_rows(folder, [{**row, "nslc": row["nslc"].replace("S0", "X9")} for row in read_rows(folder)])
    recipe = make_recipe(paths=[str(folder)], pick="onset")
    ref = plan(recipe)[0]
    assert ref.groups["station"] == "UW.X9"
    assert "says that it is of UW.X9..HH, which counts; its header says UW.S0..HH" in read(recipe, ref).meta["notes"][0]


def test_records_that_begin_late_are_said_where_one_onset_is_taken_for_all(
    make_recipe: MakeRecipe, make_set: MakeSet, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_set()
    rows = read_rows(folder)
    late = {"starttime": "2020-01-01T00:00:30Z"}
    write_rows(folder, [{**row, **late} if row["path"] == "e0_S1.mseed" else row for row in rows])
    plan(make_recipe(paths=[str(folder)], pick_s=20))
    assert "1 records begin over 1 s later than others of their event" in caplog.text
    assert "e0/UW.S1..HH" in caplog.text
