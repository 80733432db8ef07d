"""QuakeML beside waveforms: event types become classes, picks onsets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime
from obspy.core.event import Catalog, Event, Origin, Pick, WaveformStreamID

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.sources import read_catalogue, read_entry

START = UTCDateTime("2021-03-04T05:06:00")


def waveform(folder: Path, station: str, *, at_s: float = 0.0, channels: str = "ZNE") -> None:
    head = {"network": "UW", "station": station, "sampling_rate": 50.0, "starttime": START + at_s}
    some = [Trace(np.arange(3000, dtype=np.int32), {**head, "channel": f"HH{one}"}) for one in channels]
    Stream(some).write(str(folder / f"{station}{at_s:g}.mseed"), format="MSEED")


def event(name: str, kind: str | None, *, origin_s: float, picks: dict[str, list[tuple[str, float]]]) -> Event:
    made = Event(resource_id=f"smi:local/event/{name}", event_type=kind)
    made.origins = [Origin(time=START + origin_s, latitude=47.5, longitude=-121.5, depth=1000.0)]
    made.picks = [
        Pick(time=START + at_s, phase_hint=phase, waveform_id=WaveformStreamID("UW", station, None, "HHZ"))
        for station, some in picks.items()
        for phase, at_s in some
    ]
    return made


def quakeml(folder: Path, *events: Event) -> Path:
    file = folder / "events.xml"
    Catalog(list(events)).write(str(file), format="QUAKEML")
    return file


def test_event_type_and_picks_become_class_and_onset(tmp_path: Path) -> None:
    waveform(tmp_path, "AAA")
    (tmp_path / "more").mkdir()
    waveform(tmp_path / "more", "BBB", channels="Z")
    quakeml(
        tmp_path,
        event("1", "earthquake", origin_s=5, picks={"AAA": [("S", 14), ("Pg", 10.5)], "BBB": [("S", 20)]}),
        event("2", "quarry blast", origin_s=9000, picks={"AAA": [("P", 9010)]}),
        event("3", None, origin_s=30, picks={"CCC": [("P", 31)]}),
    )
    found = read_catalogue(tmp_path)
    by_key = {one.key: one for one in found.entries}
    # the third has no pick at AAA and BBB, and its origin time lies in both; its class is not known
    assert sorted(by_key) == [
        "event_1/UW.AAA..HH", "event_1/UW.BBB..HH", "event_3/UW.AAA..HH", "event_3/UW.BBB..HH",
    ]  # fmt: skip
    first = by_key["event_1/UW.AAA..HH"]
    assert (first.label, first.onset_s, first.channels) == ("earthquake", 10.5, ("Z", "N", "E"))
    assert (first.latitude, first.fs_hz, first.duration_s) == (47.5, 50.0, 60.0)
    assert by_key["event_1/UW.BBB..HH"].onset_s == 20.0
    assert np.isnan(by_key["event_3/UW.AAA..HH"].onset_s)
    assert read_entry(first).values.shape == (3, 3000)
    assert any("1 events have no waveform and are left out: event/2" in note for note in found.notes)
    assert any("1 events have no type" in note for note in found.notes)


def test_files_without_an_event_are_counted(tmp_path: Path) -> None:
    waveform(tmp_path, "AAA")
    waveform(tmp_path, "AAA", at_s=5000)
    file = quakeml(tmp_path, event("1", "explosion", origin_s=5, picks={"AAA": [("P", 10)]}))
    found = read_catalogue(file)
    assert [one.label for one in found.entries] == ["explosion"]
    assert "1 files hold no event and are left out: AAA5000.mseed" in found.notes[0]


def test_what_is_not_quakeml_and_waveforms_elsewhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<html/>")
    with pytest.raises(DataError, match=r"QuakeML that cannot be read|has no events") as found:
        read_catalogue(tmp_path)
    assert "\n" not in str(found.value)
    (tmp_path / "a.xml").unlink()
    quakeml(tmp_path, event("1", "explosion", origin_s=5, picks={}))
    with pytest.raises(MissingDataError, match="Bring the waveforms into"):
        read_catalogue(tmp_path)
