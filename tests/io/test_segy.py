"""SEG-Y against files that are packed here word by word, and against segyio and ObsPy as other readers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import obspy
import pytest
import segyio
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.segy import SegyTraces, cached_traces, read_headers, read_word, write_segy
from seisloom.io.segy.layout import WORDS, SegyLayout, read_layout
from seisloom.sample import Array

TYPES = {2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 9: "i8", 10: "u4", 11: "u2", 12: "u8", 16: "u1"}
# Each example writes a file of its own name's content anew, so a shared folder does no harm
IN_A_FOLDER = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Packed:
    """A SEG-Y file, by byte numbers from 1 as in the standard; packed without any code of ours."""

    samples: Sequence[Array]
    code: int = 5
    order: str = ">"
    words: dict[int, tuple[str, Sequence[float]]] = field(default_factory=dict)
    """First byte, struct letter and a value a trace."""
    binary: dict[int, tuple[str, float]] = field(default_factory=dict)
    extended: bytes = b""
    behind: bytes = b""

    def write(self, path: Path) -> Path:
        path.write_bytes(self.bytes())
        return path

    def bytes(self) -> bytes:
        head = bytearray(400)
        said = {3217: ("H", 250), 3221: ("H", len(self.samples[0])), 3225: ("H", self.code)} | self.binary
        for byte, (letter, value) in said.items():
            struct.pack_into(self.order + letter, head, byte - 3201, value)
        body = b""
        for k, trace in enumerate(self.samples):
            header = bytearray(240)
            struct.pack_into(self.order + "HH", header, 114, len(trace), 250)
            for byte, (letter, values) in self.words.items():
                struct.pack_into(self.order + letter, header, byte - 1, values[k])
            body += bytes(header) + self._pack(trace)
        return b"\x40" * 3200 + bytes(head) + self.extended + body + self.behind

    def _pack(self, trace: Array) -> bytes:
        if self.code == 1:
            return b"".join(struct.pack(self.order + "I", ibm(float(one))) for one in trace)
        return np.asarray(trace).astype(self.order + TYPES[self.code]).tobytes()


def ibm(value: float) -> int:
    """Return the bits of IBM System/360's float: a sign, an exponent of 16 less 64, a fraction of 24 bits."""
    if value == 0:
        return 0
    exponent, fraction = 64, abs(value)
    while fraction >= 1:
        fraction, exponent = fraction / 16, exponent + 1
    while fraction < 1 / 16:
        fraction, exponent = fraction * 16, exponent - 1
    return (0x80000000 if value < 0 else 0) | exponent << 24 | int(fraction * (1 << 24))


def ramps(n_traces: int = 3, n_samples: int = 7) -> list[Array]:
    return [np.arange(n_samples) + 10 * k for k in range(n_traces)]


def all_of(path: Path) -> Array:
    traces = SegyTraces(path)
    return traces.read_many(np.arange(traces.n_traces))


def factor(scalar: int) -> float:
    return 1.0 if scalar == 0 else float(scalar) if scalar > 0 else -1.0 / scalar


# Samples


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("code", [1, *TYPES])
def test_samples_of_every_format_and_byte_order_come_back(tmp_path: Path, code: int, order: str) -> None:
    samples = [np.array([0, 1, 100, 7 - k]) for k in range(3)]
    if TYPES.get(code, "f4")[0] != "u":
        samples = [one * np.array([1, -1, 1, -1]) for one in samples]
    path = Packed(samples, code, order).write(tmp_path / "a.segy")
    np.testing.assert_array_equal(all_of(path), np.array(samples, dtype=np.float32))
    np.testing.assert_array_equal(SegyTraces(path).read(2), samples[2].astype(np.float32))
    assert all_of(path).dtype == np.float32


@pytest.mark.parametrize("code", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("order", [">", "<"])
def test_segyio_reads_the_same_samples(tmp_path: Path, code: int, order: str) -> None:
    rng = np.random.default_rng(code)
    samples = list(rng.normal(0, 30, (5, 64)).round(3 if code in (1, 5) else 0))
    path = Packed(samples, code, order).write(tmp_path / "a.segy")
    endian = "big" if order == ">" else "little"
    with segyio.open(str(path), ignore_geometry=True, strict=False, endian=endian) as opened:
        np.testing.assert_array_equal(all_of(path), opened.trace.raw[:].astype(np.float32))


@given(values=st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=20), little=st.booleans())
@IN_A_FOLDER
def test_ibm_floats_come_back_to_the_precision_that_they_have(
    tmp_path: Path, values: list[float], little: bool
) -> None:
    values = [0.0 if abs(one) < 1e-30 else one for one in values]
    path = Packed([np.array(values)], 1, "<" if little else ">").write(tmp_path / "a.segy")
    # 24 bits of fraction, of which up to three are lost to the exponent of 16: 2**-20 of the value
    np.testing.assert_allclose(all_of(path)[0], np.float32(values), rtol=2**-20)


# Headers


@st.composite
def packed_files(draw: st.DrawFn) -> tuple[Packed, dict[str, list[int]]]:
    """A file with random words in all headers that are read, and these words."""
    n_traces, n_samples = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    code = draw(st.sampled_from([1, 2, 3, 5, 8]))
    limits = {"i": 2**31 - 1, "h": 2**15 - 1, "H": 2**16 - 1}
    letters = {"i4": "i", "i2": "h", "u2": "H"}
    words = {}
    for name, (_, kind) in WORDS.items():
        letter = letters[kind]
        low = 1 if name == "interval" else 0 if letter == "H" else -limits[letter]
        words[name] = draw(st.lists(st.integers(low, limits[letter]), min_size=n_traces, max_size=n_traces))
    scalars = st.sampled_from([0, 1, 10, 100, 1000, 10000, -1, -10, -100, -1000, -10000])
    for name in ("coordinate_scalar", "time_scalar", "shot_point_scalar"):
        words[name] = draw(st.lists(scalars, min_size=n_traces, max_size=n_traces))
    words["n_samples"] = [n_samples] * n_traces
    words["coordinate_units"] = [draw(st.sampled_from([0, 1]))] * n_traces
    at = {WORDS[name][0]: (letters[WORDS[name][1]], values) for name, values in words.items()}
    n_extended = draw(st.integers(0, 2))
    samples = [np.zeros(n_samples)] * n_traces
    binary: dict[int, tuple[str, float]] = {3505: ("h", n_extended), 3501: ("B", draw(st.sampled_from([0, 1, 2])))}
    order = draw(st.sampled_from("<>"))
    return Packed(samples, code, order, at, binary, extended=b"\x40" * 3200 * n_extended), words


@given(made=packed_files())
@IN_A_FOLDER
def test_random_headers_come_back_with_their_scalars(tmp_path: Path, made: tuple[Packed, dict[str, list[int]]]) -> None:
    packed, words = made
    headers = read_headers(packed.write(tmp_path / "a.segy"))
    assert headers.n_traces == len(packed.samples)
    np.testing.assert_array_equal(headers.n_samples, words["n_samples"])
    np.testing.assert_allclose(headers.interval_s, np.array(words["interval"]) * 1e-6, rtol=1e-12)
    delay = [value * factor(scalar) * 1e-3 for value, scalar in zip(words["delay"], words["time_scalar"], strict=True)]
    np.testing.assert_allclose(headers.delay_s, delay, rtol=1e-12)
    for name in ("energy_source_point", "field_record", "ensemble", "trace_sequence_line"):
        np.testing.assert_array_equal(headers.shots[name], words[name])
    if any(any(words[name]) for name in ("source_x", "source_y", "group_x", "group_y")):
        space = [factor(one) for one in words["coordinate_scalar"]]
        np.testing.assert_allclose(headers.source_x, np.multiply(words["source_x"], space), rtol=1e-12)
        np.testing.assert_allclose(headers.group_y, np.multiply(words["group_y"], space), rtol=1e-12)


@given(made=packed_files())
@IN_A_FOLDER
def test_segyio_reads_the_same_words(tmp_path: Path, made: tuple[Packed, dict[str, list[int]]]) -> None:
    packed, _ = made
    path = packed.write(tmp_path / "a.segy")
    endian = "big" if packed.order == ">" else "little"
    with segyio.open(str(path), ignore_geometry=True, strict=False, endian=endian) as opened:
        headers = read_headers(path)
        np.testing.assert_array_equal(read_word(path, 9), opened.attributes(9)[:])
        np.testing.assert_array_equal(headers.shots["ensemble"], opened.attributes(21)[:])
        # segyio has the delay of the first trace alone, in ms on its time axis
        assert headers.delay_s[0] * 1e3 == pytest.approx(opened.samples[0])


def test_a_time_scalar_divides_where_it_is_negative(tmp_path: Path) -> None:
    words = {109: ("h", [10000, -5, 30000, 7]), 215: ("h", [-10, 0, 1, 10])}
    path = Packed(ramps(4), words=words).write(tmp_path / "a.segy")
    np.testing.assert_allclose(read_headers(path).delay_s, [1.0, -0.005, 30.0, 0.07])


def test_intervals_and_lengths_above_32767_are_unsigned(tmp_path: Path) -> None:
    packed = Packed([np.zeros(40_000)], 8, words={117: ("H", [50_000])})
    headers = read_headers(packed.write(tmp_path / "a.segy"))
    assert headers.n_samples[0] == 40_000
    assert headers.interval_s[0] == pytest.approx(0.05)


def test_each_trace_keeps_its_interval_and_zero_means_the_files(tmp_path: Path) -> None:
    path = Packed(ramps(), words={117: ("H", [500, 0, 125])}, binary={3217: ("H", 1000)}).write(tmp_path / "a.segy")
    np.testing.assert_allclose(read_headers(path).interval_s, [0.0005, 0.001, 0.000125])


def test_no_interval_anywhere_is_an_error(tmp_path: Path) -> None:
    path = Packed(ramps(), words={117: ("H", [0, 0, 0])}, binary={3217: ("H", 0)}).write(tmp_path / "a.segy")
    with pytest.raises(DataError, match="no sample interval"):
        read_headers(path)


def test_an_interval_of_revision_2_need_not_be_whole(tmp_path: Path) -> None:
    binary = {3501: ("B", 2), 3273: ("d", 31.25), 3217: ("H", 31)}
    path = Packed(ramps(), words={117: ("H", [31] * 3)}, binary=binary).write(tmp_path / "a.segy")
    np.testing.assert_allclose(read_headers(path).interval_s, 31.25e-6)


def test_feet_become_meters_and_are_said(tmp_path: Path) -> None:
    packed = Packed(ramps(), words={73: ("i", [0, 10, 20]), 81: ("i", [100] * 3)}, binary={3255: ("h", 2)})
    headers = read_headers(packed.write(tmp_path / "a.segy"))
    np.testing.assert_allclose(headers.offset_m, np.array([100, 90, 80]) * 0.3048)
    assert "feet" in headers.notes[0]


def test_seconds_of_arc_give_offsets_but_no_meters(tmp_path: Path) -> None:
    """A minute of latitude is a nautical mile, 1852 m, to 0.2 % on a sphere of the mean radius."""
    words = {77: ("i", [0, 60_00, 0]), 85: ("i", [60_00, 0, 0]), 71: ("h", [-100] * 3), 89: ("h", [2] * 3)}
    headers = read_headers(Packed(ramps(), words=words).write(tmp_path / "a.segy"))
    np.testing.assert_allclose(headers.offset_m, [1852, 1852, 0], rtol=2e-3)
    assert np.isnan(headers.source_y).all()
    assert "angles" in headers.notes[0]


def test_degrees_that_cannot_be_degrees_are_lengths(tmp_path: Path) -> None:
    words = {73: ("i", [3237] * 3), 81: ("i", [0, 100, 200]), 89: ("h", [3] * 3)}
    headers = read_headers(Packed(ramps(), words=words).write(tmp_path / "a.segy"))
    np.testing.assert_allclose(headers.offset_m, [3237, 3137, 3037])


@pytest.mark.parametrize(("word", "expected"), [([0, 0, 0], [np.nan] * 3), ([-25, 0, 25], [25, 0, 25])])
def test_without_coordinates_the_offset_is_the_word_or_unknown(
    tmp_path: Path, word: list[int], expected: list[float]
) -> None:
    headers = read_headers(Packed(ramps(), words={37: ("i", word)}).write(tmp_path / "a.segy"))
    np.testing.assert_array_equal(headers.offset_m, expected)
    assert np.isnan([headers.source_x, headers.source_y, headers.group_x, headers.group_y]).all()


def test_coordinates_of_one_end_alone_are_no_offset(tmp_path: Path) -> None:
    projected = {73: ("i", [735_416] * 3), 77: ("i", [4_891_905] * 3)}
    headers = read_headers(Packed(ramps(), words=projected).write(tmp_path / "a.segy"))
    assert np.isnan(headers.offset_m).all()
    stated = projected | {37: ("i", [10, 20, 30])}
    headers = read_headers(Packed(ramps(), words=stated).write(tmp_path / "b.segy"))
    np.testing.assert_array_equal(headers.offset_m, [10, 20, 30])


def test_a_receiver_at_the_origin_is_a_place(tmp_path: Path) -> None:
    words = {73: ("i", [-2000, 250, 1075]), 71: ("h", [-100] * 3), 37: ("i", [20, 3, 11])}
    headers = read_headers(Packed(ramps(), words=words).write(tmp_path / "a.segy"))
    np.testing.assert_allclose(headers.offset_m, [20, 2.5, 10.75])


def test_a_shot_point_takes_its_scalar_where_that_leaves_whole_numbers(tmp_path: Path) -> None:
    words = {197: ("i", [10010, 10020, 10030]), 201: ("h", [-10] * 3)}
    path = Packed(ramps(), words=words).write(tmp_path / "a.segy")
    np.testing.assert_array_equal(read_headers(path).shots["shot_point"], [1001, 1002, 1003])
    path = Packed(ramps(), words=words | {201: ("h", [-100] * 3)}).write(tmp_path / "b.segy")
    np.testing.assert_array_equal(read_headers(path).shots["shot_point"], [10010, 10020, 10030])


@pytest.mark.parametrize("byte", [0, 238, -4])
def test_a_word_lies_inside_of_the_header(tmp_path: Path, byte: int) -> None:
    with pytest.raises(DataError, match="1 to 237"):
        read_word(Packed(ramps()).write(tmp_path / "a.segy"), byte)


# Where traces begin


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("coding", ["cp037", "ascii"])
def test_extended_headers_of_unknown_number_end_where_one_says_so(tmp_path: Path, coding: str, order: str) -> None:
    extended = "((SEG: Layout))".ljust(3200).encode(coding) + "((SEG: EndText))".ljust(3200).encode(coding)
    packed = Packed(ramps(), 5, order, binary={3501: ("B", 1), 3505: ("h", -1)}, extended=extended)
    path = packed.write(tmp_path / "a.segy")
    assert read_layout(path).first_trace == 3600 + 2 * 3200
    np.testing.assert_array_equal(all_of(path), np.array(ramps(), dtype=np.float32))


def test_extended_headers_of_unknown_number_without_an_end_are_an_error(tmp_path: Path) -> None:
    packed = Packed(ramps(), binary={3501: ("B", 1), 3505: ("h", -1)}, extended=b"\x40" * 3200)
    with pytest.raises(DataError, match="EndText"):
        read_layout(packed.write(tmp_path / "a.segy"))


@pytest.mark.parametrize("stray", [3, -1, 17])
def test_before_revision_1_the_count_of_extended_headers_may_mean_nothing(tmp_path: Path, stray: int) -> None:
    path = Packed(ramps(), binary={3505: ("h", stray)}).write(tmp_path / "a.segy")
    assert read_layout(path).first_trace == 3600
    np.testing.assert_array_equal(all_of(path), np.array(ramps(), dtype=np.float32))


def test_data_trailers_of_revision_2_are_no_traces(tmp_path: Path) -> None:
    packed = Packed(ramps(), binary={3501: ("B", 2), 3529: ("i", 1)}, behind=b"\x40" * 3200)
    np.testing.assert_array_equal(all_of(packed.write(tmp_path / "a.segy")), np.array(ramps(), dtype=np.float32))


# How long traces are


def test_a_wrong_length_in_the_binary_header_is_refuted_by_the_size(tmp_path: Path) -> None:
    path = Packed(ramps(5), binary={3221: ("H", 1000)}).write(tmp_path / "a.segy")
    headers = read_headers(path)
    assert (headers.n_traces, headers.layout.n_samples) == (5, 7)
    assert "1000" in headers.notes[0]
    np.testing.assert_array_equal(all_of(path), np.array(ramps(5), dtype=np.float32))


def test_a_wrong_length_in_all_trace_headers_is_refuted_by_the_size(tmp_path: Path) -> None:
    """As in files that were cut in time with their headers left as they were."""
    path = Packed(ramps(5), words={115: ("H", [1500] * 5)}).write(tmp_path / "a.segy")
    headers = read_headers(path)
    np.testing.assert_array_equal(headers.n_samples, [7] * 5)
    assert "1500" in headers.notes[0]
    assert len(headers.notes) == 1


def test_a_wrong_length_in_one_trace_header_is_counted(tmp_path: Path) -> None:
    path = Packed(ramps(5), words={115: ("H", [7, 7, 9, 7, 7])}).write(tmp_path / "a.segy")
    headers = read_headers(path)
    np.testing.assert_array_equal(headers.n_samples, [7] * 5)
    assert "1 of 5" in headers.notes[0]
    assert "trace 2 with 9" in headers.notes[0]


def test_a_length_that_stands_in_the_trace_headers_alone_is_enough(tmp_path: Path) -> None:
    path = Packed(ramps(5), binary={3221: ("H", 0)}).write(tmp_path / "a.segy")
    assert read_headers(path).layout.n_samples == 7
    assert read_headers(path).notes == ()


def test_two_lengths_that_both_fit_are_an_error(tmp_path: Path) -> None:
    """One trace of 180 float samples has the bytes of two of 60."""
    path = Packed([np.zeros(180)], binary={3221: ("H", 60)}).write(tmp_path / "a.segy")
    with pytest.raises(DataError, match="fits both"):
        read_layout(path)


@given(lengths=st.lists(st.integers(1, 50), min_size=2, max_size=8), code=st.sampled_from([1, 3, 5, 8]))
@IN_A_FOLDER
def test_traces_that_differ_in_length_are_read_each_with_its_own(tmp_path: Path, lengths: list[int], code: int) -> None:
    samples = [np.arange(n) % 100 for n in lengths]
    step = {1: 4, 3: 2, 5: 4, 8: 1}[code]
    # By chance the file may be as long as one of equal traces; the size decides, and then it is one
    assume(sum(240 + step * n for n in lengths) % (240 + step * max(lengths)) or len(set(lengths)) == 1)
    assume(sum(240 + step * n for n in lengths) % (240 + step * lengths[0]) or len(set(lengths)) == 1)
    packed = Packed(samples, code, words={9: ("i", range(len(lengths)))}, binary={3221: ("H", max(lengths))})
    path = packed.write(tmp_path / "a.segy")
    headers, traces = read_headers(path), SegyTraces(path)
    np.testing.assert_array_equal(headers.n_samples, lengths)
    np.testing.assert_array_equal(headers.shots["field_record"], np.arange(len(lengths)))
    np.testing.assert_array_equal(read_word(path, 9), np.arange(len(lengths)))
    for k, expected in enumerate(samples):
        np.testing.assert_array_equal(traces.read(k), expected.astype(np.float32))
    if len(set(lengths)) > 1:
        with pytest.raises(DataError, match="differ in length"):
            traces.read_many(np.arange(len(lengths)))


# Bad input


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"absent\.segy"):
        read_headers(tmp_path / "absent.segy")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x00" * 100, "100 bytes"),
        (b"station,shot,time\n" * 300, "text"),
        (b"\x00" * 5000, "format code"),
        (bytes(range(256)) * 20, "format code"),
    ],
)
def test_a_file_that_is_not_segy_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.segy").write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        read_headers(tmp_path / "a.segy")
    assert "a.segy" in str(caught.value)


@given(cut=st.integers(1, 240 + 28 - 1))
@IN_A_FOLDER
def test_a_file_that_is_cut_off_anywhere_in_its_last_trace_is_an_error(tmp_path: Path, cut: int) -> None:
    whole = Packed(ramps(4)).bytes()
    (tmp_path / "a.segy").write_bytes(whole[:-cut])
    with pytest.raises(DataError, match=r"cut off|trailing"):
        read_layout(tmp_path / "a.segy")


@given(more=st.binary(min_size=1, max_size=267))
@IN_A_FOLDER
def test_trailing_bytes_are_an_error(tmp_path: Path, more: bytes) -> None:
    Packed(ramps(4), behind=more).write(tmp_path / "a.segy")
    with pytest.raises(DataError, match=r"trailing|cut off"):
        read_layout(tmp_path / "a.segy")


def test_a_length_that_no_header_has_right_is_an_error(tmp_path: Path) -> None:
    packed = Packed(ramps(4), words={115: ("H", [9] * 4)}, binary={3221: ("H", 9)})
    with pytest.raises(DataError, match="trace length"):
        read_layout(packed.write(tmp_path / "a.segy"))


def test_headers_without_traces_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.segy").write_bytes(Packed(ramps()).bytes()[:3600])
    with pytest.raises(DataError, match="no traces"):
        read_layout(tmp_path / "a.segy")


@pytest.mark.parametrize("index", [-1, 3])
def test_a_trace_that_the_file_has_not_is_an_error(tmp_path: Path, index: int) -> None:
    traces = SegyTraces(Packed(ramps(3)).write(tmp_path / "a.segy"))
    with pytest.raises(DataError, match="has 3"):
        traces.read(index)
    with pytest.raises(DataError, match="has 3"):
        traces.read_many(np.array([0, index]))


@pytest.mark.parametrize("indices", [[0, 1, 2, 3, 4], [2, 3, 4], [4, 3, 2], [0, 1, 3, 3, 4, 0], [2]])
@pytest.mark.parametrize("code", [1, 3, 5])
def test_traces_read_in_runs_are_those_read_alone(tmp_path: Path, code: int, indices: list[int]) -> None:
    traces = SegyTraces(Packed(ramps(5), code).write(tmp_path / "a.segy"))
    alone = np.stack([traces.read(one) for one in indices])
    np.testing.assert_array_equal(traces.read_many(np.array(indices)), alone)


def test_a_file_that_shrank_while_it_was_open_is_an_error(tmp_path: Path) -> None:
    path = Packed(ramps(5)).write(tmp_path / "a.segy")
    traces = SegyTraces(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    assert traces.read(3)[0] == 30
    with pytest.raises(DataError, match="shorter"):
        traces.read(4)


def test_a_file_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    path = Packed(ramps(3)).write(tmp_path / "a.segy")
    assert cached_traces(path).n_traces == 3
    Packed(ramps(4)).write(path)
    assert cached_traces(path).n_traces == 4
    path.unlink()
    with pytest.raises(MissingDataError):
        cached_traces(path)


# Writing


@st.composite
def tables(draw: st.DrawFn) -> dict[str, object]:
    n_traces = draw(st.integers(1, 5))
    each = {"min_size": n_traces, "max_size": n_traces}
    scalar = draw(st.sampled_from([-100, -10, -1, 0, 1, 10]))
    grid = factor(scalar)
    return {
        "samples": draw(st.integers(1, 40)),
        "interval_us": draw(st.sampled_from([125, 250, 500, 1000, 4000, 20_000])),
        "delay_ms": draw(st.lists(st.integers(-3000, 3000), **each)),
        "coordinate_scalar": scalar,
        "place": [grid * one for one in draw(st.lists(st.integers(-(10**6), 10**6), **each))],
        "shot": draw(st.lists(st.integers(-(2**31), 2**31 - 1), **each)),
    }


@given(table=tables())
@IN_A_FOLDER
def test_what_is_written_is_read_back_by_segyio_and_by_us(tmp_path: Path, table: dict[str, object]) -> None:
    interval_us, delay_s = int(str(table["interval_us"])), np.array(table["delay_ms"]) / 1e3
    rng = np.random.default_rng(0)
    traces = rng.normal(size=(len(delay_s), int(str(table["samples"])))).astype(np.float32)
    path, scalar = tmp_path / "a.segy", int(str(table["coordinate_scalar"]))
    write_segy(
        path, traces, interval_s=interval_us * 1e-6, delay_s=delay_s, coordinate_scalar=scalar,
        headers={"field_record": np.array(table["shot"]), "group_x": np.array(table["place"])},
    )  # fmt: skip
    headers = read_headers(path)
    np.testing.assert_array_equal(all_of(path), traces)
    np.testing.assert_allclose(headers.delay_s, delay_s, atol=1e-12)
    np.testing.assert_array_equal(headers.shots["field_record"], table["shot"])
    if np.any(table["place"]):
        np.testing.assert_allclose(headers.group_x, table["place"], atol=1e-9)
    with segyio.open(str(path), ignore_geometry=True, strict=False) as opened:
        np.testing.assert_array_equal(opened.trace.raw[:], traces)
        np.testing.assert_array_equal(opened.attributes(segyio.TraceField.FieldRecord)[:], table["shot"])
        assert segyio.tools.dt(opened) == interval_us
        assert opened.samples[0] == pytest.approx(delay_s[0] * 1e3)
        stored = opened.attributes(segyio.TraceField.GroupX)[:] * factor(scalar)
        np.testing.assert_allclose(stored, table["place"], atol=1e-9)


def test_obspy_reads_what_is_written(tmp_path: Path) -> None:
    traces = np.random.default_rng(1).normal(size=(3, 50)).astype(np.float32)
    write_segy(tmp_path / "a.segy", traces, interval_s=0.0005, headers={"ensemble": np.array([7, 8, 9])}, text="Hello")
    stream = obspy.read(str(tmp_path / "a.segy"), format="SEGY", unpack_trace_headers=True)
    np.testing.assert_array_equal([one.data for one in stream], traces)
    assert [one.stats.segy.trace_header.ensemble_number for one in stream] == [7, 8, 9]
    assert stream[0].stats.sampling_rate == 2000
    assert b"Hello" in stream.stats.textual_file_header


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"interval_s": 31.25e-6}, "whole"),
        ({"interval_s": 0.0}, "0"),
        ({"interval_s": 0.1}, "65535"),
        ({"delay_s": 1e6}, "delays"),
        ({"headers": {"source_x": np.array([1e9, 0])}}, "source_x"),
        ({"headers": {"field_record": np.array([1e12, 0])}}, "field_record"),
    ],
)
def test_what_does_not_fit_its_word_is_an_error_and_leaves_no_file(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    given_ = {"interval_s": 0.001} | changes
    with pytest.raises(DataError, match=said):
        write_segy(tmp_path / "a.segy", np.zeros((2, 5)), **given_)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("delay_s", [10.0, -30.0, 0.1234, 1.5])
def test_a_delay_takes_the_scalar_that_holds_it(tmp_path: Path, delay_s: float) -> None:
    write_segy(tmp_path / "a.segy", np.zeros((2, 5)), interval_s=0.01, delay_s=delay_s)
    assert read_headers(tmp_path / "a.segy").delay_s == pytest.approx([delay_s] * 2, abs=1e-4)


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for target in (tmp_path / "file" / "a.segy", tmp_path / "absent" / "a.segy"):
        with pytest.raises(OutputError, match=r"a\.segy"):
            write_segy(target, np.zeros((1, 5)), interval_s=0.001)


def test_the_field_files_are_read_as_segyio_reads_them(field_data: Path) -> None:
    files = sorted(field_data.glob("**/*.s*gy"))[::7]
    assert files
    for path in files:
        with segyio.open(str(path), ignore_geometry=True, strict=False) as opened:
            np.testing.assert_array_equal(all_of(path), opened.trace.raw[:].astype(np.float32), err_msg=str(path))
            np.testing.assert_array_equal(read_word(path, 17), opened.attributes(17)[:])


def test_a_layout_knows_how_long_a_trace_is(tmp_path: Path) -> None:
    layout = read_layout(Packed(ramps(3, 7), 3).write(tmp_path / "a.segy"))
    assert isinstance(layout, SegyLayout)
    assert layout.trace_bytes == 240 + 14
