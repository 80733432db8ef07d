"""miniSEED and SAC as records of stations: components, gaps, overlaps, rates, and what is no waveform."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.files import format_of, read_files, read_headers, read_waveforms
from seisloom.io.waveforms.stream import from_stream

START = UTCDateTime("2020-05-01T12:00:00.5")


def trace(channel: str = "HHZ", *, values: object = None, n: int = 200, at_s: float = 0, fs_hz: float = 100.0) -> Trace:
    data = np.arange(n, dtype=np.int32) if values is None else np.asarray(values)
    header = {"network": "UW", "station": "ABC", "location": "", "channel": channel}
    return Trace(data, {**header, "sampling_rate": fs_hz, "starttime": START + at_s})


def mseed(folder: Path, *traces: Trace, name: str = "a.mseed") -> Path:
    file = folder / name
    Stream(list(traces)).write(str(file), format="MSEED")
    return file


def test_components_are_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    rows = {code: np.full(200, k, np.int32) for k, code in enumerate(("HHE", "HHN", "HHZ"))}
    (found,) = read_waveforms(mseed(tmp_path, *(trace(code, values=one) for code, one in rows.items())))
    assert (found.channels, found.name, found.fs_hz) == (("Z", "N", "E"), "UW.ABC..HH", 100.0)
    assert found.values[:, 0].tolist() == [2, 1, 0]
    assert found.with_channels(("E", "Z")).values[:, 0].tolist() == [0, 2]
    assert found.start == np.datetime64("2020-05-01T12:00:00.5")
    assert found.values.dtype == np.float32


def test_one_and_two_stand_for_north_and_east_and_that_is_said(tmp_path: Path) -> None:
    (found,) = read_waveforms(mseed(tmp_path, trace("HH1"), trace("HH2"), trace("HHZ")))
    assert found.channels == ("Z", "1", "2")
    named = found.with_channels(("Z", "N", "E"))
    assert named.channels == ("Z", "N", "E")
    assert named.notes == (
        "component 1 is taken for N; its azimuth is not known", "component 2 is taken for E; its azimuth is not known",
    )  # fmt: skip
    assert found.with_channels(("1", "2")).notes == ()


def test_a_missing_component_is_refused_or_zero(tmp_path: Path) -> None:
    (found,) = read_waveforms(mseed(tmp_path, trace("HHZ")))
    with pytest.raises(DataError, match=r"has no component N; it has Z.*data.channels=\[Z\]"):
        found.with_channels(("Z", "N"))
    filled = found.with_channels(("Z", "N"), missing="zero")
    assert not filled.values[1].any()
    assert filled.notes == ("component N is not there: zeros",)


def test_a_gap_is_nan_and_nothing_moves_up(tmp_path: Path) -> None:
    (found,) = read_waveforms(mseed(tmp_path, trace(n=100), trace(n=50, at_s=1.2)))
    assert found.n_samples == 170
    assert np.isnan(found.values[0, 100:120]).all()
    assert found.values[0, 120] == 0
    assert found.counts == {"gap": 20}


def test_overlaps_are_resolved_and_counted(tmp_path: Path) -> None:
    first, second = np.arange(100, dtype=np.int32), np.arange(80, 180, dtype=np.int32)
    second[:5] = -1  # the first five of the overlap differ
    (found,) = read_waveforms(mseed(tmp_path, trace(values=first), trace(values=second, at_s=0.8)))
    assert found.n_samples == 180
    assert found.counts == {"overlap": 15, "conflict": 5}
    assert np.flatnonzero(np.isnan(found.values[0])).tolist() == list(range(80, 85))


def test_components_that_begin_at_different_times_share_an_axis(tmp_path: Path) -> None:
    (found,) = read_waveforms(mseed(tmp_path, trace("HHZ"), trace("HHN", at_s=0.5)))
    assert found.values.shape == (2, 250)
    assert np.isnan(found.values[1, :50]).all()
    assert np.isnan(found.values[0, 200:]).all()


def test_mixed_rates_of_an_instrument_are_refused_with_the_rates(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.mseed: UW.ABC..HH: sampled at 50 and 100 Hz"):
        read_waveforms(mseed(tmp_path, trace("HHZ"), trace("HHN", fs_hz=50.0)))


def test_instruments_are_records_of_their_own(tmp_path: Path) -> None:
    found = read_waveforms(mseed(tmp_path, trace("HHZ"), trace("BHZ", fs_hz=40.0)))
    assert [(one.name, one.fs_hz) for one in found] == [("UW.ABC..BH", 40.0), ("UW.ABC..HH", 100.0)]


def test_sac_reads_as_miniseed_does(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 300, dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace("BHN", values=values, fs_hz=40.0).write(str(tmp_path / "a.sac"), format="SAC")
    (found,) = read_waveforms(tmp_path / "a.sac")
    (same,) = read_waveforms(mseed(tmp_path, trace("BHN", values=values, fs_hz=40.0)))
    assert found.values.tobytes() == same.values.tobytes() == values.tobytes()
    assert (found.fs_hz, found.name, found.channels) == (same.fs_hz, same.name, same.channels)
    assert abs(found.start - same.start) < np.timedelta64(1, "ms")  # SAC keeps milliseconds


def test_files_of_one_component_each_are_one_record(tmp_path: Path) -> None:
    files = [mseed(tmp_path, trace(code), name=f"{code}.mseed") for code in ("HHZ", "HHN", "HHE")]
    (found,) = read_files(files)
    assert found.channels == ("Z", "N", "E")


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    file = mseed(tmp_path, trace())
    first = read_files([file])
    assert read_files([file])[0] is first[0]
    mseed(tmp_path, trace(n=50))
    assert read_files([file])[0].n_samples == 50


def test_headers_come_without_samples(tmp_path: Path) -> None:
    (head,) = read_headers(mseed(tmp_path, trace(n=1000)))
    assert (head.stats.npts, len(head.data)) == (1000, 0)


def test_masked_samples_of_a_stream_are_gaps() -> None:
    values = np.ma.masked_array(np.arange(5.0), mask=[0, 0, 1, 0, 0])
    one = trace()
    one.data = values
    (found,) = from_stream([one])
    assert np.isnan(found.values[0, 2])
    assert found.counts == {"gap": 1}


def test_a_piece_may_lie_outside_of_the_record(tmp_path: Path) -> None:
    (found,) = read_waveforms(mseed(tmp_path, trace(n=10)))
    piece = found.piece(-3, 8)
    assert np.isnan(piece.values[0, :3]).all()
    assert piece.values[0, 3:].tolist() == [0, 1, 2, 3, 4]
    assert piece.start == found.start - np.timedelta64(30, "ms")
    assert np.isnan(found.piece(100, 4).values).all()


@pytest.mark.parametrize("payload", [b"", b"abc", b"\x80\x04N.", b"GIF89a" + b"\0" * 5000])
def test_what_is_no_waveform_is_refused_and_never_unpickled(tmp_path: Path, payload: bytes) -> None:
    file = tmp_path / "a.mseed"
    file.write_bytes(payload)
    with pytest.raises(DataError, match="neither miniSEED nor SAC"):
        read_waveforms(file)


def test_a_pickled_stream_is_refused(tmp_path: Path) -> None:
    Stream([trace()]).write(str(tmp_path / "a.pickle"), format="PICKLE")
    with pytest.raises(DataError, match="neither miniSEED nor SAC"):
        read_waveforms(tmp_path / "a.pickle")


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    file = mseed(tmp_path, trace(n=20_000))
    payload = bytearray(file.read_bytes())
    payload[48:4000] = b"\xff" * (4000 - 48)
    file.write_bytes(bytes(payload))
    with warnings.catch_warnings(action="ignore"), pytest.raises(DataError) as found:
        read_waveforms(file)
    assert "\n" not in str(found.value)
    assert str(file) in str(found.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    for read in (read_waveforms, read_headers, format_of):
        with pytest.raises(MissingDataError, match="no such file"):
            read(tmp_path / "none.mseed")
    with pytest.raises(MissingDataError, match="no such waveforms"):
        read_files([tmp_path / "none.mseed"])
