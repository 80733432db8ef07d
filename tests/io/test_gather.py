"""Gathers of SEG-Y, SEG-2 and Seismic Unix: packed here word by word, and field files against ObsPy."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import obspy
import pytest

from seisloom.errors import DataError, MissingDataError
from seisloom.io.gather import Gather, read_gather, read_seg2, read_su
from seisloom.io.segy import write_segy
from seisloom.sample import Array

SAMPLES = np.arange(24, dtype=np.float32).reshape(3, 8)


def seg2(samples: Array, words: list[dict[str, str]], *, interval_s: float = 0.00025, common: str = "") -> bytes:
    """Return a SEG-2 file (Pullan 1990): a file descriptor, then a descriptor and IEEE floats a trace."""

    def strings(pairs: dict[str, str]) -> bytes:
        texts = [f"{key} {value}".encode() + b"\0" for key, value in pairs.items()]
        return b"".join(struct.pack("<H", len(one) + 2) + one for one in texts) + b"\0\0"

    n_traces = len(samples)
    free = strings({"UNITS": common} if common else {})
    blocks = []
    for trace, own in zip(samples, words, strict=True):
        text = strings({"SAMPLE_INTERVAL": str(interval_s)} | own)
        text += b"\0" * (-len(text) % 4)
        data = np.asarray(trace, dtype="<f4").tobytes()
        head = struct.pack("<HHIIB", 0x4422, 32 + len(text), len(data), len(trace), 4)
        blocks.append(head.ljust(32, b"\0") + text + data)
    first = 32 + 4 * n_traces + len(free)
    places = first + np.r_[0, np.cumsum([len(one) for one in blocks])[:-1]]
    head = struct.pack("<HHHHBBBBBB", 0x3A55, 1, 4 * n_traces, n_traces, 1, 0, 0, 1, 10, 0)
    return head.ljust(32, b"\0") + struct.pack(f"<{n_traces}I", *places) + free + b"".join(blocks)


def located(**more: str) -> list[dict[str, str]]:
    return [
        {"CHANNEL_NUMBER": str(k + 1), "SOURCE_LOCATION": "10.0", "RECEIVER_LOCATION": f"{5 * k}", **more}
        for k in range(3)
    ]


def su(order: str, *, n_samples: int = 8, words: dict[int, tuple[str, int]] | None = None) -> bytes:
    """Return three traces of a Seismic Unix file."""
    body = b""
    for k in range(3):
        header = bytearray(240)
        said = {115: ("H", n_samples), 117: ("H", 500), 9: ("i", 42), 81: ("i", 10 * k), 29: ("h", 1)} | (words or {})
        for byte, (letter, value) in said.items():
            struct.pack_into(order + letter, header, byte - 1, value)
        body += bytes(header) + np.arange(n_samples, dtype=order + "f4").tobytes()
    return body


# SEG-2


def test_a_seg2_file_comes_back_with_its_places_and_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES, located(SHOT_SEQUENCE_NUMBER="2001")))
    gather = read_gather(tmp_path / "a.dat")
    np.testing.assert_array_equal(gather.traces, SAMPLES)
    assert gather.fs_hz == 4000
    np.testing.assert_array_equal(gather.offset_m, [10, 5, 0])
    np.testing.assert_array_equal(gather.shot_id, [2001] * 3)
    np.testing.assert_array_equal(gather.station, ["1", "2", "3"])
    np.testing.assert_array_equal(gather.delay_s, [0, 0, 0])
    assert gather.notes == ()


def test_a_reader_of_seg2_hears_no_warning_of_obspy_and_hears_all_others(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES, located(DELAY="-0.01")))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        read_gather(tmp_path / "a.dat")
    newer = bytearray(seg2(SAMPLES, located()))
    struct.pack_into("<H", newer, 2, 2)
    (tmp_path / "b.dat").write_bytes(newer)
    with pytest.warns(UserWarning, match="revision"):
        read_gather(tmp_path / "b.dat")


@pytest.mark.parametrize(("sign", "expected"), [(1, -0.5), (-1, 0.5)])
def test_a_delay_has_the_sign_that_the_caller_says_and_a_note(tmp_path: Path, sign: int, expected: float) -> None:
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES, located(DELAY="-0.5")))
    gather = read_seg2(tmp_path / "a.dat", delay_sign=sign)
    np.testing.assert_array_equal(gather.delay_s, [expected] * 3)
    assert "DELAY -0.5" in gather.notes[0]


def test_each_trace_has_its_own_delay(tmp_path: Path) -> None:
    words = [{"DELAY": "0"}, {}, {"DELAY": "0.250 "}]
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES, words))
    np.testing.assert_array_equal(read_gather(tmp_path / "a.dat").delay_s, [0, 0, 0.25])


@pytest.mark.parametrize(("unit", "metres"), [("METERS", 1), ("FEET", 0.3048), ("INCHES", 0.0254), ("NONE", 1)])
def test_places_are_in_meters_whatever_the_unit(tmp_path: Path, unit: str, metres: float) -> None:
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES, located(), common=unit))
    np.testing.assert_allclose(read_gather(tmp_path / "a.dat").source_x, [10 * metres] * 3)


@pytest.mark.parametrize(
    ("text", "xy"),
    [
        ("1.5 2.5 100", (1.5, 2.5)),
        ("1.5, 2.5", (1.5, 2.5)),
        ("-7", (-7, 0)),
        ("", (np.nan, np.nan)),
        ("at the well", (np.nan, np.nan)),
    ],
)
def test_a_place_is_what_numbers_its_word_has(tmp_path: Path, text: str, xy: tuple[float, float]) -> None:
    words = [{"RECEIVER_LOCATION": text, "SOURCE_LOCATION": "3"}] * 3
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES, words))
    gather = read_gather(tmp_path / "a.dat")
    np.testing.assert_array_equal((gather.group_x[0], gather.group_y[0]), xy)


def test_a_file_without_places_has_no_offsets(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES, [{}] * 3))
    gather = read_gather(tmp_path / "a.dat")
    assert np.isnan(gather.offset_m).all()
    np.testing.assert_array_equal(gather.shot_id, [0, 0, 0])


@pytest.mark.parametrize("n_bytes", [2, 31, 60, 130, 300, -4])
def test_a_seg2_file_that_is_cut_off_is_an_error(tmp_path: Path, n_bytes: int) -> None:
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES, located())[:n_bytes])
    with pytest.raises(DataError, match=r"a\.dat"):
        read_gather(tmp_path / "a.dat")


def test_a_single_trace_that_is_cut_off_is_an_error_too(tmp_path: Path) -> None:
    """Nothing differs then, and ObsPy returns what is there."""
    (tmp_path / "a.dat").write_bytes(seg2(SAMPLES[:1], located()[:1])[:-8])
    with pytest.raises(DataError, match="cut off"):
        read_gather(tmp_path / "a.dat")


def test_the_field_files_have_the_traces_that_obspy_reads(field_data: Path) -> None:
    files = sorted((field_data / "picking" / "refraction").glob("*/*.dat"))
    assert len(files) == 14
    for path in files[::4]:
        gather = read_gather(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stream = obspy.read(str(path), format="SEG2")
        np.testing.assert_array_equal(gather.traces, np.stack([one.data for one in stream]).astype(np.float32))
        places = [float(one.stats.seg2.RECEIVER_LOCATION) for one in stream]
        np.testing.assert_array_equal(gather.group_x, places)
        np.testing.assert_array_equal(gather.offset_m, np.abs(np.array(places) - gather.source_x))
        assert gather.shot_id[0] == int(stream[0].stats.seg2.SHOT_SEQUENCE_NUMBER)
        assert gather.fs_hz == stream[0].stats.sampling_rate


# Seismic Unix


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("n_samples", [8, 257])
def test_an_su_file_is_read_in_the_byte_order_that_fits(tmp_path: Path, order: str, n_samples: int) -> None:
    """257 samples look the same in both orders."""
    words = {109: ("h", -20), 71: ("h", -10), 215: ("h", 4096), 197: ("i", 7)}
    (tmp_path / "a.su").write_bytes(su(order, n_samples=n_samples, words=words))
    gather = read_gather(tmp_path / "a.su")
    np.testing.assert_array_equal(gather.traces, np.tile(np.arange(n_samples, dtype=np.float32), (3, 1)))
    assert gather.fs_hz == 2000
    np.testing.assert_allclose(gather.delay_s, -0.02)  # bytes 215-216 are no scalar here
    np.testing.assert_allclose(gather.group_x, [0, 1, 2])
    np.testing.assert_array_equal(gather.shot_id, [42] * 3)


def test_obspy_reads_the_same_su_file(tmp_path: Path) -> None:
    (tmp_path / "a.su").write_bytes(su("<"))
    stream = obspy.read(str(tmp_path / "a.su"), format="SU")
    np.testing.assert_array_equal(read_su(tmp_path / "a.su").traces, [one.data for one in stream])


@pytest.mark.parametrize("content", [b"", b"\0" * 240, su("<")[:-1], su(">") + b"\0"])
def test_a_damaged_su_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.su").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.su"):
        read_gather(tmp_path / "a.su")


# SEG-Y


def test_a_station_file_has_one_station_and_a_shot_gather_one_a_trace(tmp_path: Path) -> None:
    for name, shots in (("R01", [11, 12, 13]), ("line", [7, 7, 7])):
        write_segy(tmp_path / f"{name}.segy", SAMPLES, interval_s=0.001, headers={"field_record": np.array(shots)})
    station, gather = (read_gather(tmp_path / f"{name}.segy") for name in ("R01", "line"))
    assert station.station.tolist() == ["R01"] * 3
    assert station.shot_id.tolist() == [11, 12, 13]
    assert gather.station.tolist() == ["1", "2", "3"]


@pytest.mark.parametrize("interval_us", [125, 250, 333, 500, 1000, 4000, 8000])
def test_sampling_rates_are_round_numbers_where_intervals_divide_a_second(tmp_path: Path, interval_us: int) -> None:
    write_segy(tmp_path / "a.segy", SAMPLES, interval_s=interval_us * 1e-6)
    assert read_gather(tmp_path / "a.segy").fs_hz == pytest.approx(1e6 / interval_us, abs=1e-9)
    if 10**6 % interval_us == 0:
        assert read_gather(tmp_path / "a.segy").fs_hz == 10**6 // interval_us


def test_unknown_places_are_nan_and_not_the_origin(tmp_path: Path) -> None:
    write_segy(tmp_path / "a.segy", SAMPLES, interval_s=0.001)
    gather = read_gather(tmp_path / "a.segy")
    assert np.isnan([gather.source_x, gather.source_y, gather.group_x, gather.group_y, gather.offset_m]).all()


def test_traces_of_different_rates_are_no_gather(tmp_path: Path) -> None:
    write_segy(tmp_path / "a.segy", SAMPLES, interval_s=0.001, headers={"interval": np.array([1000, 1000, 500])})
    with pytest.raises(DataError, match="interval"):
        read_gather(tmp_path / "a.segy")


def test_what_was_assumed_of_a_file_is_in_the_notes(tmp_path: Path) -> None:
    write_segy(tmp_path / "a.segy", SAMPLES, interval_s=0.001, headers={"n_samples": np.array([8, 8, 9])})
    assert "1 of 3" in read_gather(tmp_path / "a.segy").notes[0]


@pytest.mark.parametrize("name", ["absent.segy", "absent.su", "absent.dat"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingDataError, match=name.replace(".", r"\.")):
        read_gather(tmp_path / name)


def test_a_text_file_is_told_whatever_its_suffix(tmp_path: Path) -> None:
    for name in ("a.segy", "a.dat", "a.txt"):
        (tmp_path / name).write_text("shot station time\n" * 300)
        with pytest.raises(DataError, match="text"):
            read_gather(tmp_path / name)


def test_an_array_begins_at_the_shot_and_has_no_place() -> None:
    gather = Gather.from_array(SAMPLES, fs_hz=100)
    np.testing.assert_array_equal(gather.delay_s, [0, 0, 0])
    assert np.isnan(gather.offset_m).all()
    assert gather.station.tolist() == ["1", "2", "3"]
