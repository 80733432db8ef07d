"""`seisloom convert` of pickled events: a folder that the catalogue reader takes, with the amplitudes unchanged."""

from __future__ import annotations

import csv
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import obspy
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seisloom.io.waveforms.convert_pickle import convert_events
from seisloom.io.waveforms.sources import read_catalogue, read_entry

Run = Callable[..., tuple[int, str, str]]


def pickled(file: Path, n: int = 4, *, seed: int = 0, **more: Any) -> list[pd.DataFrame]:
    """Write events of unequal length, classes in turn."""
    rng = np.random.default_rng(seed)
    events = []
    for k in range(n):
        groups = {key: f"{of}{k // 2}" for key, of in more.items()}
        events.append(pd.DataFrame({**{name: rng.normal(size=100 + k) for name in "ZNE"}, **groups}))
    file.write_bytes(pickle.dumps((events, np.array(["earthquake", "noise"] * n)[:n])))
    return events


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_several_pickles_become_one_folder_with_counts(seisloom: Run, tmp_path: Path) -> None:
    first = pickled(tmp_path / "VRAC.pkl")
    pickled(tmp_path / "MORC.pickle", 3, seed=1)
    code, out, err = seisloom("convert", "VRAC.pkl", "MORC.pickle", "events", "--sampling-rate", "100")
    assert (code, err) == (0, "")
    assert "read VRAC.pkl: 4 events; earthquake 2, noise 2" in out
    assert "read MORC.pickle: 3 events; earthquake 2, noise 1" in out
    assert "each table is an event of its own" in out
    assert "files begin in 1970" in out
    found = read_catalogue(tmp_path / "events")
    assert found.notes == ()
    assert [one.key for one in found.entries][::4] == ["VRAC-000000/.VRAC..", "MORC-000000/.MORC.."]
    assert {one.station for one in found.entries} == {"VRAC", "MORC"}
    assert all(np.isnat(one.start) for one in found.entries)
    for entry, frame in zip(found.entries, first, strict=False):
        record = read_entry(entry).with_channels("ZNE")
        assert record.values.tobytes() == frame.to_numpy(np.float32).T.tobytes()
        stream = obspy.read(entry.files[0], format="MSEED")
        assert stream.select(channel="N")[0].data.tobytes() == frame["N"].to_numpy().tobytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    seed=st.integers(0, 99), n=st.integers(1, 4), dtype=st.sampled_from(["float64", "float32", "int32"]),
    columns=st.lists(st.sampled_from("ZNE12"), min_size=1, max_size=4, unique=True), gap=st.booleans(),
)  # fmt: skip
def test_any_events_come_through_unchanged(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, dtype: str, columns: list[str], gap: bool
) -> None:
    folder, rng = tmp_path_factory.mktemp("any"), np.random.default_rng(seed)
    events = []
    for _ in range(n):
        frame = pd.DataFrame({name: rng.normal(size=int(rng.integers(20, 90))) * 1000 for name in columns[:1]})
        for name in columns[1:]:
            frame[name] = rng.normal(size=len(frame)) * 1000
        frame = frame.astype(dtype)
        if gap and dtype != "int32":
            frame.loc[5:8, columns[0]] = np.nan
        events.append(frame)
    (folder / "a.pkl").write_bytes(pickle.dumps((events, ["x"] * n)))
    convert_events([folder / "a.pkl"], folder / "out", fs_hz=40.0)
    for entry, frame in zip(read_catalogue(folder / "out").entries, events, strict=True):
        record = read_entry(entry).with_channels(columns)
        assert np.array_equal(record.values, frame[columns].to_numpy(np.float32).T, equal_nan=True)
        assert (record.fs_hz, entry.label) == (40.0, "x")


def test_what_the_pickle_lacks_is_asked_for(seisloom: Run, tmp_path: Path) -> None:
    pickled(tmp_path / "hh_selected.pkl")
    code, _, err = seisloom("convert", "hh_selected.pkl", "out", "--station", "OKC")
    assert code == 2
    assert "pickled events have no sampling rate. Give it in Hz: --sampling-rate 100" in err
    code, _, err = seisloom("convert", "hh_selected.pkl", "out", "--sampling-rate", "100")
    assert code == 2
    assert "hh_selected.pkl: its name is no station code" in err
    assert "--station OKC" in err
    code, out, _ = seisloom(
        "convert", "hh_selected.pkl", "out", "--sampling-rate", "100", "--station", "CZ.OKC..HH"
    )  # fmt: skip
    assert code == 0
    assert {row["nslc"] for row in rows_of(tmp_path / "out")} == {"CZ.OKC..HHZ", "CZ.OKC..HHN", "CZ.OKC..HHE"}
    assert not (tmp_path / "out.partial").exists()
    assert "wrote out" in out


def test_a_group_column_names_the_event_across_stations(seisloom: Run, tmp_path: Path) -> None:
    for seed, name in enumerate(("VRAC", "MORC")):
        pickled(tmp_path / f"{name}.pkl", 2, seed=seed, quake="q")
    code, out, err = seisloom(
        "convert", "VRAC.pkl", "MORC.pkl", "out", "--sampling-rate", "100", "--group-column", "quake"
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "each table is an event" not in out
    found = read_catalogue(tmp_path / "out").entries
    assert {one.event for one in found} == {"q0"}
    assert sorted(one.key for one in found) == ["q0/.MORC..", "q0/.MORC..-2", "q0/.VRAC..", "q0/.VRAC..-2"]
    code, _, err = seisloom("convert", "VRAC.pkl", "o", "--sampling-rate", "100", "--group-column", "nope")
    assert code == 2
    assert "no column 'nope'; there are Z, N, E, quake" in err


def test_times_of_rows_give_rate_and_start(seisloom: Run, tmp_path: Path) -> None:
    index = pd.date_range("2020-05-01T12:00:00", periods=50, freq="20ms")
    frame = pd.DataFrame({name: np.arange(50.0) for name in "ZNE"}, index=index)
    (tmp_path / "OKC.pkl").write_bytes(pickle.dumps(([frame], ["noise"])))
    code, out, err = seisloom("convert", "OKC.pkl", "out")
    assert (code, err) == (0, "")
    assert "1970" not in out
    (entry,) = read_catalogue(tmp_path / "out").entries
    assert (entry.fs_hz, entry.start) == (50.0, np.datetime64("2020-05-01T12:00:00"))
    code, _, err = seisloom("convert", "OKC.pkl", "other", "--sampling-rate", "100")
    assert code == 2
    assert "--sampling-rate is 100 Hz, and the times of its rows say 50 Hz" in err


def test_a_folder_is_replaced_only_when_it_is_ours_and_asked_for(seisloom: Run, tmp_path: Path) -> None:
    pickled(tmp_path / "OKC.pkl")
    words = ("convert", "OKC.pkl", "out", "--sampling-rate", "100")
    assert seisloom(*words)[0] == 0
    code, _, err = seisloom(*words)
    assert code == 2
    assert "replace it with --force" in err
    assert seisloom(*words, "--force")[0] == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.csv").write_text("path,event_id\na,b\n")
    code, _, err = seisloom("convert", "OKC.pkl", "mine", "--sampling-rate", "100", "--force")
    assert code == 2
    assert "was not written by a conversion" in err
    assert (tmp_path / "mine" / "manifest.csv").exists()


class Runs:
    """Pickles as a call of os.system."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch ran",)


def test_a_pickle_that_asks_for_more_is_refused_and_nothing_is_left(seisloom: Run, tmp_path: Path) -> None:
    (tmp_path / "OKC.pkl").write_bytes(pickle.dumps(([Runs()], ["a"])))
    code, _, err = seisloom("convert", "OKC.pkl", "out", "--sampling-rate", "100")
    assert code == 2
    assert f"asks for {os.name}.system" in err
    assert err.count("\n") == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["OKC.pkl"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a.sgy", "b.sgy", "out.zarr"), "2 volumes are given; convert one at a time"),
        (("a.sgy", "out.zarr", "--sampling-rate", "100"), "--sampling-rate is for pickled events"),
        (("a.sgy", "out.zarr", "--station", "OKC"), "--station is for pickled events"),
        (("OKC.pkl", "a.sgy", "out"), "a.sgy: is no pickle"),
        (("OKC.pkl", "out", "--sampling-rate", "0"), "give a rate in Hz above 0"),
        (("OKC.pkl", "out", "--sampling-rate", "1", "--station", "A", "--station", "B"), "given 2 times for 1 files"),
        (("none.pkl", "out", "--sampling-rate", "1", "--station", "A"), "none.pkl: no such file"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    seisloom: Run, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    pickled(tmp_path / "OKC.pkl")
    code, _, err = seisloom("convert", *words)
    assert code == 2
    assert says in err
    assert err.count("\n") == 1
