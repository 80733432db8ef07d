"""Manifests: records from rows, what is left out is counted, what contradicts itself is refused with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.entry import Columns
from seisloom.io.waveforms.manifest import codes_of, read_manifest
from seisloom.io.waveforms.sources import find_catalogue, read_catalogue, read_entry
from seisloom.io.waveforms.times import parse_utc

HEAD = "path,event_id,nslc,label,sampling_rate_hz,npts,starttime"


def waveform(folder: Path, name: str, channel: str = "HHZ", *, start: str = "2020-01-01T00:00:00") -> str:
    head = {"network": "UW", "station": "ABC", "channel": channel, "sampling_rate": 100.0}
    one = Trace(np.arange(300, dtype=np.int32), {**head, "starttime": UTCDateTime(start)})
    Stream([one]).write(str(folder / name), format="MSEED")
    return name


def row(path: str, event: str = "e1", nslc: str = "UW.ABC..HHZ", label: str = "earthquake", more: str = "") -> str:
    return f"{path},{event},{nslc},{label},100.0,300,2020-01-01T00:00:00Z{more}"


def manifest(folder: Path, *rows: str, head: str = HEAD) -> Path:
    file = folder / "manifest.csv"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "columns", "n_records", "n_events", "labels"),
    [
        ("pnw", Columns(), 588, 55, {"earthquake": 534, "explosion": 54}),
        ("pnw_unlabelled", Columns(), 206, 93, {"": 206}),
        ("esec", Columns(label="subtype", pick="event_start"), 358, 76, {
            "Rock/ice/debris avalanches and slides": 223, "Rock/debris falls": 56, "Snow avalanches": 40,
            "Lahar/debris flow/outburst flood": 39,
        }),
    ],
)  # fmt: skip
def test_the_shared_sets_are_read_by_one_reader(
    field_data: Path, name: str, columns: Columns, n_records: int, n_events: int, labels: dict[str, int]
) -> None:
    found = read_catalogue(field_data / "classification" / name, columns)
    assert found.notes == ()
    assert len(found.entries) == n_records
    assert len({one.event for one in found.entries}) == n_events
    assert {label: sum(one.label == label for one in found.entries) for label in labels} == labels
    for entry in found.entries[::60]:
        record = read_entry(entry)
        assert (record.fs_hz, record.name) == (entry.fs_hz, entry.name)
        assert set(record.channels) == set(entry.channels)
        assert abs(record.start - entry.start) <= np.timedelta64(1, "ms")
    if name == "esec":
        assert min(one.onset_s for one in found.entries) == 70.0  # records begin 70 s before


def test_rows_of_one_instrument_are_one_record(tmp_path: Path) -> None:
    rows = [row(waveform(tmp_path, f"{code}.mseed", code), nslc=f"UW.ABC..{code}") for code in ("HHE", "HHN", "HHZ")]
    (entry,) = read_manifest(manifest(tmp_path, *rows)).entries
    assert (entry.key, entry.channels, len(entry.files)) == ("e1/UW.ABC..HH", ("E", "N", "Z"), 3)
    assert read_entry(entry).channels == ("Z", "N", "E")


def test_rows_without_waveforms_and_waveforms_without_rows_are_counted_and_listed(tmp_path: Path) -> None:
    rows = [row(waveform(tmp_path, "a.mseed")), *(row(f"gone{k}.mseed", f"g{k}") for k in range(5))]
    waveform(tmp_path, "strange.mseed")
    found = read_manifest(manifest(tmp_path, *rows))
    assert len(found.entries) == 1
    assert (
        "5 rows have no waveform and are left out: gone0.mseed, gone1.mseed, gone2.mseed and 2 more" in found.notes[0]
    )
    assert "1 files have no row and are left out: strange.mseed" in found.notes[1]


def test_a_manifest_without_any_waveform_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="none of its 1 waveforms is there"):
        read_manifest(manifest(tmp_path, row("gone.mseed")))


def test_rows_that_are_there_twice_count_once(tmp_path: Path) -> None:
    name = waveform(tmp_path, "a.mseed")
    found = read_manifest(manifest(tmp_path, row(name), row(name)))
    assert len(found.entries) == 1
    assert "1 rows are there twice and count once" in found.notes[0]
    assert "line 3" in found.notes[0]


def test_two_files_of_one_component_are_two_records(tmp_path: Path) -> None:
    rows = [row(waveform(tmp_path, f"{k}.mseed")) for k in range(2)]
    found = read_manifest(manifest(tmp_path, *rows))
    assert [one.key for one in found.entries] == ["e1/UW.ABC..HH", "e1/UW.ABC..HH-2"]
    assert "has another one already" in found.notes[0]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row("a.mseed"), row("a.mseed", label="explosion")], r"line 3: label explosion of e1.*line 2 says earthquake"),
        ([row("a.mseed", event="")], "line 2: event_id is empty"),
        ([row("a.mseed", nslc="")], "line 2: '' names no station"),
        ([row("a.mseed").replace("100.0", "fast")], "line 2: sampling_rate_hz 'fast' is not a number"),
        ([row("a.mseed").replace("2020-01-01T00:00:00Z", "yesterday")], "line 2: 'yesterday' is no time"),
        ([row("a.mseed").replace("00Z", "00+01:00")], "line 2: .* is not in UTC"),
        ([], "has no rows"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_line(tmp_path: Path, rows: list[str], says: str) -> None:
    waveform(tmp_path, "a.mseed")
    with pytest.raises(DataError, match=says):
        read_manifest(manifest(tmp_path, *rows))


def test_a_missing_column_lists_those_that_are_there(tmp_path: Path) -> None:
    waveform(tmp_path, "a.mseed")
    file = manifest(tmp_path, "a.mseed,e1,UW.ABC..HHZ", head="path,event_id,nslc")
    with pytest.raises(DataError, match=r"column label is missing; there are path, event_id, nslc.*data.label"):
        read_manifest(file)
    (entry,) = read_manifest(file, need_label=False).entries
    # what the table does not say comes from the header
    assert (entry.fs_hz, entry.n_samples, entry.start) == (100.0, 300, np.datetime64("2020-01-01T00:00:00"))


def test_a_wrong_date_in_a_file_name_counts_for_nothing(tmp_path: Path) -> None:
    name = waveform(tmp_path, "e1_UW.ABC..HHZ__19990101T000000Z.mseed")
    (entry,) = read_manifest(manifest(tmp_path, row(name))).entries
    assert entry.start == read_entry(entry).start == np.datetime64("2020-01-01T00:00:00")


def test_another_rate_than_the_header_is_refused(tmp_path: Path) -> None:
    waveform(tmp_path, "a.mseed")
    (entry,) = read_manifest(manifest(tmp_path, row("a.mseed").replace("100.0", "50.0"))).entries
    with pytest.raises(DataError, match=r"header says 100 Hz, and .*line 2 50 Hz"):
        read_entry(entry)


@pytest.mark.parametrize(("cell", "onset_s"), [("1.25", 1.25), ("2020-01-01T00:00:02Z", 2.0), ("", float("nan"))])
def test_a_pick_is_seconds_or_a_time(tmp_path: Path, cell: str, onset_s: float) -> None:
    waveform(tmp_path, "a.mseed")
    file = manifest(tmp_path, row("a.mseed", more=f",{cell}"), head=f"{HEAD},onset")
    (entry,) = read_manifest(file, Columns(pick="onset")).entries
    assert entry.onset_s == pytest.approx(onset_s, nan_ok=True)
    with pytest.raises(DataError, match="no column 'p' for picks"):
        read_manifest(file, Columns(pick="p"))


def test_a_folder_without_catalogue_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"Write a manifest.csv with the columns path, event_id, nslc, label"):
        find_catalogue(tmp_path)
    (tmp_path / "a.pkl").write_bytes(b"")
    with pytest.raises(DataError, match=r"seisloom convert .*a.pkl .*a --sampling-rate 100"):
        find_catalogue(tmp_path / "a.pkl")
    with pytest.raises(MissingDataError, match="no such catalogue or folder"):
        find_catalogue(tmp_path / "none")


def test_names_of_stations() -> None:
    assert codes_of("UW.ABC.--.HHZ", where="") == ("UW", "ABC", "", "HHZ")
    assert codes_of("UW.ABC", where="") == ("UW", "ABC", "", "")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2014_09_10 192115", "2014-09-10T19:21:15"), ("2014-09-10 19:21:15.25", "2014-09-10T19:21:15.25"),
        ("2014-09-10T19:21:15+00:00", "2014-09-10T19:21:15"), ("2014-09-10", "2014-09-10"),
    ],
)  # fmt: skip
def test_times_of_catalogues(text: str, time: str) -> None:
    assert parse_utc(text, where="") == np.datetime64(time)
