"""SEG-Y volumes against segyio, against files packed here word by word, and against the real ones, byte for byte."""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import segyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seisloom.convert import convert, open_volume
from seisloom.errors import DataError, MissingDataError, OutputError
from seisloom.io.volumes.grid import Axis, Box, Grid, boxes, whole
from seisloom.io.volumes.segy.samples import from_ibm, sample_type, to_ibm
from seisloom.io.volumes.segy.volume import SEGY, SU, SegyVolume, open_segy
from seisloom.io.volumes.segy.writer import SegyWriter
from seisloom.io.volumes.volume import Given, Spec, Traces, Volume, Wanted, Writer
from seisloom.sample import Array

PackSegy = Callable[..., Path]
IN_A_FOLDER = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
FLOAT = np.dtype("f4")
REAL = (
    "interpretation/f3_cube_23x18x75.sgy", "interpretation/f3_two_inlines.sgy", "interpretation/penobscot_xl1155.sgy",
    "restoration/teapot_dome_lineE.sgy", "restoration/viking_small.segy", "restoration/gom_cdp_nmo.su",
)  # fmt: skip


def opened(path: Path, **bytes_: int) -> SegyVolume:
    return SegyVolume(path, Given(**bytes_))


def all_of(volume: Volume) -> Array:
    return volume.read(whole(volume.spec.grid.shape))


def traces_of(volume: Volume) -> Traces:
    return volume.traces(whole(volume.spec.grid.trace_shape))


def copied(volume: Volume, out: Path, size: tuple[int, ...] | None = None, *, spec: Spec | None = None) -> Path:
    """Copy a volume by boxes: traces before their samples."""
    writer = SegyWriter(out, spec or volume.spec, Wanted())
    for box in boxes(volume.spec.grid.shape, size or volume.spec.grid.shape):
        if box[-1].start == 0:
            writer.write_traces(box[:-1], volume.traces(box[:-1]))
        writer.write(box, volume.read(box))
    assert writer.finish() == (out,)
    assert not list(out.parent.glob("*.partial*"))
    return out


def survey(pack_segy: PackSegy, shape: tuple[int, int, int] = (4, 5, 6), **more: object) -> Path:
    inline, crossline = (one.ravel() for one in np.indices(shape[:2]))
    words = {189: inline + 10, 193: crossline * 2 + 100, **more.pop("words", {})}  # type: ignore[dict-item]
    return pack_segy(words, np.arange(np.prod(shape)).reshape(-1, shape[2]), **more)


def new_spec(
    grid: Grid, *, name: str = "amplitude", kind: str = "f4", has_xy: bool = False, source: str = "cube.bin"
) -> Spec:
    return Spec(grid, {name: np.dtype(kind)}, has_xy=has_xy, attributes={"source": source})


CUBE = Grid(
    (
        Axis.regular("inline", 4, first=100, step=2),
        Axis.regular("crossline", 5, first=900),
        Axis.regular("time", 6, first=0.1, step=0.004, unit="s"),
    )
)

# Reading


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("code", [1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 16])
def test_samples_come_as_they_are_stored(pack_segy: PackSegy, code: int, order: str) -> None:
    values = np.arange(120).reshape(20, 6)
    stored = to_ibm(values.astype(FLOAT)) if code == 1 else values
    inline, crossline = (one.ravel() for one in np.indices((4, 5)) + 1)
    volume = opened(pack_segy({189: inline, 193: crossline}, stored, code=code, order=order))
    found = all_of(volume)
    assert found.dtype == sample_type(code) == volume.spec.variables["amplitude"]
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, values.reshape(4, 5, 6))
    np.testing.assert_array_equal(
        volume.read((slice(1, 3), slice(2, 5), slice(1, 4))), values.reshape(4, 5, 6)[1:3, 2:5, 1:4]
    )


@pytest.mark.parametrize("sorting", [1, 2])
def test_segyio_sees_the_same_cube(tmp_path: Path, sorting: int) -> None:
    cube = np.random.default_rng(0).normal(size=(6, 7, 20)).astype(FLOAT)
    spec = segyio.spec()
    spec.sorting, spec.format, spec.samples = sorting, 1, np.arange(20) * 4.0
    spec.ilines, spec.xlines = np.arange(10, 16), np.arange(21, 35, 2)
    path = tmp_path / "a.sgy"
    with segyio.create(path, spec) as file:
        for k in range(file.tracecount):
            i, j = (k // 7, k % 7) if sorting == 2 else (k % 6, k // 6)
            file.header[k] = {189: 10 + i, 193: 21 + 2 * j, 115: 20, 117: 4000}
            file.trace[k] = cube[i, j]
        file.bin.update(hdt=4000)
    volume = opened(path)
    with segyio.open(path) as file:
        theirs = segyio.tools.cube(file)  # in the order of the file
        np.testing.assert_array_equal(all_of(volume), theirs if sorting == 2 else theirs.swapaxes(0, 1))
        np.testing.assert_array_equal(volume.spec.grid["inline"].values, file.ilines)
        np.testing.assert_array_equal(volume.spec.grid["crossline"].values, file.xlines)
        np.testing.assert_allclose(volume.spec.grid["time"].values * 1e3, file.samples)
    assert copied(volume, tmp_path / "b.sgy", (2, 3, 20)).read_bytes() == path.read_bytes()


@given(
    edges=st.tuples(*(st.tuples(st.integers(0, n - 1), st.integers(1, n)) for n in (4, 5, 9000))),
    seed=st.integers(0, 5),
)
@IN_A_FOLDER
def test_any_box_is_that_part_of_the_whole(pack_segy: PackSegy, edges: tuple[tuple[int, int], ...], seed: int) -> None:
    """Traces of 36 kB: boxes of a few samples are read in part, those of many together."""
    order = np.random.default_rng(seed).permutation(20)[: 20 - seed]
    samples = np.arange(20 * 9000, dtype=FLOAT).reshape(20, 9000)
    path = pack_segy({189: 1 + order // 5, 193: 1 + order % 5}, samples[order])
    box = tuple(slice(min(one), max(one) + (one[0] == one[1])) for one in edges)
    live = np.zeros((4, 5), dtype=bool)
    live.ravel()[order] = True
    cube = np.where(live[..., None], samples.reshape(4, 5, 9000), 0)
    volume = opened(path)
    if volume.spec.grid.shape == cube.shape:  # else a whole line is missing at the edge
        np.testing.assert_array_equal(volume.read(box), cube[box])
        np.testing.assert_array_equal(volume.traces(box[:-1]).live, live[box[:-1]])


def test_traces_are_described_and_holes_are_empty(pack_segy: PackSegy) -> None:
    inline, crossline = (np.delete(one.ravel(), 7) for one in np.indices((4, 5)) + 1)
    words = {189: inline, 193: crossline, 181: 600_000 + inline, 185: 700_000 + crossline, 71: -10}
    path = pack_segy(words, np.ones((19, 3)))
    found = traces_of(opened(path))
    assert not found.live[1, 2]
    assert found.live.sum() == 19
    assert found.number[1].tolist() == [5, 6, -1, 7, 8]
    assert np.isnan(found.x[1, 2])
    np.testing.assert_allclose((found.x[1, 1], found.y[1, 1]), (60_000.2, 70_000.2), rtol=1e-15)
    raw = np.frombuffer(path.read_bytes()[3600:], np.uint8).reshape(19, -1)[:, :240]
    np.testing.assert_array_equal(found.headers[found.live], raw)
    assert not found.headers[1, 2].any()
    assert not all_of(opened(path))[1, 2].any()
    some = opened(path).traces((slice(1, 2), slice(1, 4)))
    assert some.live.tolist() == [[True, False, True]]


def test_coordinates_stand_where_the_user_says(pack_segy: PackSegy) -> None:
    path = survey(pack_segy, words={73: 1_000, 77: 2_000, 71: -100})
    assert not opened(path).spec.has_xy
    assert traces_of(opened(path)).x is None
    found = traces_of(opened(path, x_byte=73, y_byte=77))
    assert (found.x[0, 0], found.y[3, 4]) == (10.0, 20.0)
    assert any("no coordinates" in note for note in opened(path, x_byte=201).notes)


def test_coordinates_in_feet_become_meters(pack_segy: PackSegy) -> None:
    volume = opened(survey(pack_segy, words={181: 1_000, 185: 2_000}, binary={3255: 2}))
    np.testing.assert_allclose(traces_of(volume).x, 304.8)
    assert any("in feet" in note for note in volume.notes)


def test_coordinates_that_are_angles_are_left_out(pack_segy: PackSegy) -> None:
    volume = opened(survey(pack_segy, words={181: 30_000, 185: 20_000, 71: -100, 89: 2}))
    assert not volume.spec.has_xy
    assert any("angles" in note for note in volume.notes)


@pytest.mark.parametrize(
    ("words", "binary", "interval_us", "first", "step", "note"),
    [
        ({}, {}, 2000, 0.0, 0.002, ""),
        ({109: 100}, {}, 4000, 0.1, 0.004, ""),
        ({109: 1005, 215: -10}, {}, 4000, 0.1005, 0.004, ""),
        ({109: np.arange(20)}, {}, 4000, 0.0, 0.004, "begin at different times (0 to 19"),
        ({117: 0}, {}, 4000, 0.0, 0.004, ""),
        ({117: 1000 + np.arange(20)}, {}, 4000, 0.0, 0.004, "intervals of 1000 to 1019 us"),
        ({117: 0}, {3217: 0}, 0, 0.0, 1.0, "no sample interval"),
    ],
)
def test_the_time_axis_is_that_of_the_headers(
    pack_segy: PackSegy, words: dict[int, int], binary: dict[int, int], interval_us: int, first: float, step: float,
    note: str,
) -> None:  # fmt: skip
    volume = opened(survey(pack_segy, words=words, binary=binary, interval_us=interval_us))
    axis = volume.spec.grid.axes[-1]
    assert (axis.name, axis.unit) == (("sample", "1") if "no sample" in note else ("time", "s"))
    assert (axis.first, axis.step) == (pytest.approx(first), pytest.approx(step))
    assert any(note in one for one in volume.notes) == bool(volume.notes)


def test_nan_samples_are_data(pack_segy: PackSegy, tmp_path: Path) -> None:
    samples = np.full((20, 6), np.nan, dtype=FLOAT)
    samples.view("u4")[3] = 0x7FC01234 + np.arange(6)
    inline, crossline = (one.ravel() for one in np.indices((4, 5)) + 1)
    path = pack_segy({189: inline, 193: crossline}, samples.astype(">f4"))
    volume = opened(path)
    np.testing.assert_array_equal(all_of(volume).view("u4").reshape(20, 6), samples.view("u4"))
    assert copied(volume, tmp_path / "b.sgy").read_bytes() == path.read_bytes()


# Bad input


def test_traces_of_several_lengths_are_refused(tmp_path: Path) -> None:
    head = bytearray(b"\x40" * 3200 + bytes(400))
    head[3220:3226] = bytes([0, 5, 0, 0, 0, 5])
    body = b"".join(bytes(114) + n.to_bytes(2, "big") + bytes(124) + np.zeros(n, ">f4").tobytes() for n in (5, 7, 5, 9))
    (tmp_path / "a.sgy").write_bytes(bytes(head) + body)
    with pytest.raises(DataError, match=r"a\.sgy: traces have 5 to 9 samples.*Split the file"):
        opened(tmp_path / "a.sgy")


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"a\.sgy: no such file"):
        SEGY.open(tmp_path / "a.sgy", Given())


def test_a_file_that_becomes_shorter_is_an_error_and_no_crash(pack_segy: PackSegy) -> None:
    path = survey(pack_segy)
    volume = opened(path)
    os.truncate(path, 3600 + 300)
    with pytest.raises(DataError, match="made shorter while it was open"):
        all_of(volume)


def test_another_variable_is_refused(pack_segy: PackSegy) -> None:
    with pytest.raises(DataError, match="no variable 'fault'"):
        opened(survey(pack_segy)).read(whole((4, 5, 6)), "fault")


# IBM floats


def exact(words: Array) -> Array:
    """Return what IBM floats are worth, by their definition, float64."""
    fraction, exponent = (words & 0xFFFFFF).astype(float), (words >> 24 & 0x7F).astype(float)
    return np.where(words >> 31, -1.0, 1.0) * fraction * 16.0 ** (exponent - 70)


def some_words(seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return np.r_[rng.integers(0, 1 << 32, 200_000), 0, 1 << 31, 0x40000000, 0x7FFFFFFF, 0x41100000].astype(np.uint32)


def test_ibm_floats_are_worth_what_their_bits_say() -> None:
    words = some_words(0)
    with np.errstate(over="ignore"):
        expected = exact(words).astype(FLOAT)
    np.testing.assert_array_equal(from_ibm(words).view("u4"), expected.view("u4"))


def test_normalised_ibm_floats_are_read_as_segyio_reads_them_and_come_back_bit_for_bit() -> None:
    words = some_words(1)
    limits = np.finfo(FLOAT)
    in_range = (np.abs(exact(words)) >= limits.tiny) & (np.abs(exact(words)) <= limits.max)
    words = words[in_range & (words & 0xF00000 != 0) | (words == 0)]
    assert len(words) > 50_000
    np.testing.assert_array_equal(from_ibm(words), segyio.tools.native(words.astype(">u4").view(FLOAT), copy=True))
    np.testing.assert_array_equal(to_ibm(from_ibm(words)), words)


def test_any_float_becomes_the_nearest_ibm_float() -> None:
    values = some_words(2).view(FLOAT)
    values = values[np.isfinite(values)]
    words = to_ibm(values)
    error = np.abs(exact(words) - values.astype(float))
    # Half of the last of the 24 bits; the words beside are no nearer
    assert np.all(error <= 0.5 * 16.0 ** ((words >> 24 & 0x7F).astype(float) - 70))
    assert np.all((words & 0xF00000 != 0) | (values == 0))
    assert to_ibm(np.array([-0.0], FLOAT))[0] == 1 << 31


def test_infinity_becomes_the_largest_ibm_float_and_nan_is_refused() -> None:
    assert [hex(one) for one in to_ibm(np.array([np.inf, -np.inf, 1e-45], FLOAT))] == [
        "0x7fffffff", "0xffffffff", "0x1b800000",
    ]  # fmt: skip
    with pytest.raises(DataError, match="2 samples are NaN"):
        to_ibm(np.array([1, np.nan, np.nan], FLOAT))


# There and back


class Case(NamedTuple):
    code: int
    order: str
    shape: tuple[int, ...]
    size: tuple[int, int, int]
    n_holes: int
    seed: int
    behind: bytes


@given(
    case=st.builds(
        Case,
        code=st.sampled_from([1, 2, 3, 5, 6, 8, 10, 16]),
        order=st.sampled_from("<>"),
        shape=st.tuples(st.integers(2, 5), st.integers(2, 5), st.integers(1, 9)),
        size=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 9)),
        n_holes=st.integers(0, 3),
        seed=st.integers(0, 1000),
        behind=st.sampled_from([b"", b"\xc5\x95\x84" + bytes(3197)]),
    )
)
@IN_A_FOLDER
def test_a_file_comes_back_byte_for_byte(pack_segy: PackSegy, tmp_path: Path, case: Case) -> None:
    rng = np.random.default_rng(case.seed)
    n_il, n_xl, n_samples = case.shape
    number = rng.permutation(n_il * n_xl)[case.n_holes * (n_il * n_xl > 12) :]
    bits = rng.integers(0, 1 << 64, (len(number), n_samples), dtype=np.uint64)
    kind = np.dtype({1: "u4", 2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 10: "u4", 16: "u1"}[case.code])
    samples = bits.astype(f"u{kind.itemsize}").view(kind)
    if case.code == 1:  # normalised, and within float32
        samples = samples & 0x80FFFFFF | 0x00100000 | rng.integers(0x22, 0x60, samples.shape).astype("u4") << 24
    words = {189: 5 - number // n_xl, 193: 40 + 3 * (number % n_xl), 33: rng.integers(0, 999, len(number)), 181: number}
    binary = {3501: 0x0200 if case.order == ">" else 0x0002, 3529: 1, 3531: 0} if case.behind else {3501: 0x0100}
    if case.behind and case.order == ">":  # the count of trailers has four bytes
        binary |= {3529: 0, 3531: 1}
    path = pack_segy(words, samples, code=case.code, order=case.order, binary=binary, behind=case.behind)
    volume = opened(path)
    assert volume.spec.frame is not None
    assert volume.spec.frame.tail == case.behind
    assert copied(volume, tmp_path / "back.sgy", case.size).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", REAL)
def test_real_files_come_back_byte_for_byte(field_data: Path, tmp_path: Path, name: str) -> None:
    path = field_data / name
    volume = opened(path)
    shape = volume.spec.grid.shape
    size = (*(max(1, n // 3) for n in shape[:-1]), shape[-1])
    out = copied(volume, tmp_path / path.name, size)
    assert hashlib.sha256(out.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()


@pytest.mark.parametrize(
    ("name", "axes", "shape"),
    [
        (REAL[0], ("inline", "crossline", "time"), (23, 18, 75)),
        (REAL[1], ("inline", "crossline", "time"), (2, 100, 463)),
        (REAL[2], ("inline", "crossline", "time"), (601, 1, 1501)),
        (REAL[3], ("trace", "time"), (111, 1001)),  # its depth points repeat, its shot points too
        (REAL[4], ("shot_point", "channel", "time"), (4, 120, 600)),
        (REAL[5], ("cdp", "offset", "time"), (1, 92, 1751)),
    ],
)
def test_real_files_open_as_what_they_are(
    field_data: Path, name: str, axes: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    grid = opened(field_data / name).spec.grid
    assert (grid.names, grid.shape) == (axes, shape)


def test_samples_may_come_before_their_traces(pack_segy: PackSegy, tmp_path: Path) -> None:
    path = survey(pack_segy, words={5: np.arange(20)[::-1]})
    volume = opened(path)
    writer = SegyWriter(tmp_path / "b.sgy", volume.spec, Wanted())
    parts = list(boxes((4, 5, 6), (2, 5, 3)))
    for box in parts[1:]:
        writer.write(box, volume.read(box))
    writer.write_traces(whole((4, 5)), traces_of(volume))
    writer.write(parts[0], volume.read(parts[0]))
    writer.finish()
    assert (tmp_path / "b.sgy").read_bytes() == path.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.sgy", "survey.sgy"]


def _copy_box(writer: Writer, volume: Volume, box: Box) -> None:
    writer.write_traces(box[:-1], volume.traces(box[:-1]))
    writer.write(box, volume.read(box))


def test_several_processes_write_one_file(pack_segy: PackSegy, tmp_path: Path) -> None:
    path = survey(pack_segy, (8, 5, 6))
    volume = open_segy(path, Given())
    writer = SegyWriter(tmp_path / "b.sgy", volume.spec, Wanted())
    parts = list(boxes((8, 5, 6), (1, 5, 6)))
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        list(pool.map(_copy_box, [writer] * 8, [volume] * 8, parts))
    writer.finish()
    assert (tmp_path / "b.sgy").read_bytes() == path.read_bytes()


def test_a_volume_that_travelled_reads_the_same_and_is_opened_once(pack_segy: PackSegy) -> None:
    volume = open_segy(survey(pack_segy), Given(inline_byte=189))
    there = pickle.loads(pickle.dumps(volume))
    np.testing.assert_array_equal(all_of(there), all_of(volume))
    assert pickle.loads(pickle.dumps(volume)) is there
    assert len(pickle.dumps(volume)) < 1000


# New files


@pytest.mark.parametrize("holes", [False, True])
def test_segyio_opens_a_new_file_strictly(tmp_path: Path, holes: bool) -> None:
    cube = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(FLOAT)
    live = np.ones((4, 5), dtype=bool)
    if holes:
        live[0, 0] = live[2, 3] = False
        cube[~live] = 0
    x, y = (np.where(live, one * 25.5 + 600_000, np.nan) for one in np.indices((4, 5)))
    writer = SegyWriter(tmp_path / "a.sgy", new_spec(CUBE, has_xy=True), Wanted())
    for box in boxes((4, 5, 6), (2, 2, 4)):
        writer.write(box, cube[box])
        if box[-1].start == 0:
            writer.write_traces(box[:-1], Traces(live[box[:-1]], x=x[box[:-1]], y=y[box[:-1]]))
    writer.finish()
    with segyio.open(tmp_path / "a.sgy", iline=189, xline=193, strict=True) as file:
        np.testing.assert_array_equal(segyio.tools.cube(file), cube)
        assert file.ilines.tolist() == [100, 102, 104, 106]
        assert file.xlines.tolist() == [900, 901, 902, 903, 904]
        np.testing.assert_allclose(file.samples, 100 + 4 * np.arange(6))
        assert file.attributes(29)[:].reshape(4, 5).tolist() == np.where(live, 1, 2).tolist()
        assert file.attributes(21)[:5].tolist() == file.xlines.tolist()
        assert file.attributes(5)[:].tolist() == list(range(1, 21))
        assert file.attributes(1)[:].tolist() == [1, 2, 3, 4, 5] * 4
        header = file.header[8]
        factor = {-100: 0.01, 1: 1.0}[header[71]]
        np.testing.assert_allclose((header[181] * factor, header[185] * factor), (x[1, 3], y[1, 3]), atol=0.005)
        text = file.text[0].decode("ascii")
        assert (file.bin[3225], file.bin[3229], file.bin[3255]) == (5, 4, 1)
    for words in (
        "INLINE       BYTES 189-192",
        "CROSSLINE    BYTES 193-196",
        "CDP X        BYTES 181-184",
        "CDP Y        BYTES 185-188",
        "BYTES 71-72",
        "6 SAMPLES",
        "EVERY 4 MS",
        "SEISLOOM",
        "FROM cube.bin",
    ):
        assert words in text  # fmt: skip
    volume = opened(tmp_path / "a.sgy")
    assert volume.spec.grid.names == CUBE.names
    np.testing.assert_array_equal(all_of(volume), cube)
    np.testing.assert_allclose(traces_of(volume).x, x, atol=0.005)
    np.testing.assert_allclose(volume.spec.grid["time"].values, CUBE["time"].values)


def test_traces_that_nobody_describes_are_live(tmp_path: Path) -> None:
    for grid in (CUBE, Grid(CUBE.axes[1:]), Grid(CUBE.axes[2:])):
        writer = SegyWriter(tmp_path / "a.sgy", new_spec(grid), Wanted())
        if len(grid.axes) == 3:
            writer.write_traces((slice(1, 3), slice(1, 2)), Traces(np.zeros((2, 1), dtype=bool)))
        writer.write(whole(grid.shape), np.ones(grid.shape))
        writer.finish()
        with segyio.open(tmp_path / "a.sgy", ignore_geometry=True) as file:
            dead = [6, 11] if len(grid.axes) == 3 else []
            assert np.flatnonzero(file.attributes(29)[:] == 2).tolist() == dead
            assert file.attributes(115)[:].tolist() == [6] * file.tracecount
            np.testing.assert_array_equal(file.trace.raw[:], 1)


@pytest.mark.parametrize(
    "axes",
    [
        (Axis.regular("cdp", 7, first=50),),
        (Axis.regular("shot_point", 3, first=10), Axis.regular("channel", 4, first=1)),
        (Axis.regular("cdp", 3, first=10), Axis.regular("offset", 4, first=150, step=25, unit="m")),
        (*CUBE.axes[:2], Axis.regular("offset", 3, first=100, step=100, unit="m")),
        (Axis("inline", np.array([1, 2, 5, 9])), Axis.regular("crossline", 3, first=7)),
        (Axis.regular("crossline", 3, first=9, step=-1), Axis.regular("inline", 4, first=1)),
    ],
)
def test_lines_and_gathers_are_found_again(tmp_path: Path, axes: tuple[Axis, ...]) -> None:
    grid = Grid((*axes, CUBE.axes[-1]))
    values = np.random.default_rng(0).normal(size=grid.shape).astype(FLOAT)
    writer = SegyWriter(tmp_path / "a.sgy", new_spec(grid), Wanted())
    writer.write(whole(grid.shape), values)
    writer.finish()
    volume = opened(tmp_path / "a.sgy")
    found = all_of(volume)
    if axes[0].name == "crossline":  # inlines come first, and axes rise
        found = np.swapaxes(found[:, ::-1], 0, 1)
    else:
        assert volume.spec.grid.names == grid.names
        for ours, theirs in zip(volume.spec.grid.axes, grid.axes, strict=True):
            np.testing.assert_allclose(ours.values, theirs.values)
    np.testing.assert_array_equal(found, values)


def test_axes_of_other_names_stand_in_the_places_of_the_standard(tmp_path: Path) -> None:
    grid = Grid((Axis.regular("n3", 3, first=0.5), Axis.regular("n2", 4, first=7), Axis.regular("sample", 5)))
    writer = SegyWriter(tmp_path / "a.sgy", new_spec(grid), Wanted())
    writer.write(whole(grid.shape), np.ones(grid.shape))
    writer.finish()
    assert writer.notes == ("coordinates of n3 are no whole numbers of header words: they are written as 1 to 3",)
    with segyio.open(tmp_path / "a.sgy", strict=True) as file:
        assert (file.ilines.tolist(), file.xlines.tolist()) == ([1, 2, 3], [7, 8, 9, 10])


def test_depth_is_written_as_if_meters_were_milliseconds(tmp_path: Path) -> None:
    grid = Grid((*CUBE.axes[:2], Axis.regular("depth", 6, first=1000, step=5, unit="m")))
    writer = SegyWriter(tmp_path / "a.sgy", new_spec(grid, name="rgt"), Wanted())
    writer.write(whole(grid.shape), np.ones(grid.shape), "rgt")
    writer.finish()
    with segyio.open(tmp_path / "a.sgy", strict=True) as file:
        np.testing.assert_allclose(file.samples, grid["depth"].values)
        text = file.text[0].decode("ascii")
    assert "DEPTH FROM 1000 EVERY 5 M" in text
    assert "1 M IS WRITTEN AS 1 MS" in text
    assert "RGT: 4-BYTE IEEE FLOATS" in text


@pytest.mark.parametrize(
    ("kind", "code"), [("f4", 5), ("f8", 5), ("i2", 3), ("u1", 3), ("i1", 8), ("b1", 8), ("i4", 2), ("u2", 2)]
)
def test_numbers_of_other_types_keep_their_values(tmp_path: Path, kind: str, code: int) -> None:
    values = (np.arange(120).reshape(4, 5, 6) % (2 if kind == "b1" else 100)).astype(kind)
    writer = SegyWriter(tmp_path / "a.sgy", new_spec(CUBE, kind=kind), Wanted())
    writer.write(whole((4, 5, 6)), values)
    writer.finish()
    volume = opened(tmp_path / "a.sgy")
    assert volume.layout.format_code == code
    np.testing.assert_array_equal(all_of(volume), values)
    assert bool(writer.notes) == (kind == "f8")


def test_headers_of_a_volume_without_a_frame_are_kept_beside_the_grid(pack_segy: PackSegy, tmp_path: Path) -> None:
    """As from a Zarr volume that lacks the bytes of its file; one from a little-endian file is turned round."""
    source = opened(survey(pack_segy, words={41: np.arange(20) + 7, 5: 3}, order="<"))
    spec = replace(source.spec, frame=replace(source.spec.frame, n_traces=21))  # type: ignore[type-var]
    out = copied(source, tmp_path / "b.sgy", spec=spec)
    with segyio.open(out, strict=True) as file:
        assert file.attributes(41)[:].tolist() == (np.arange(20) + 7).tolist()
        assert file.attributes(5)[:].tolist() == list(range(1, 21))
        assert file.ilines.tolist() == [10, 11, 12, 13]


# Like another file, but not the same


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("code", [1, 3])
def test_a_prediction_like_a_survey_of_other_numbers_is_floats(
    pack_segy: PackSegy, tmp_path: Path, order: str, code: int
) -> None:
    path = survey(pack_segy, code=code, order=order)
    source = opened(path)
    values = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(FLOAT)
    values[2, 3] = np.nan
    writer = SegyWriter(tmp_path / "b.sgy", replace(source.spec, variables={"fault": FLOAT}), Wanted())
    writer.write_traces(whole((4, 5)), traces_of(source))
    writer.write(whole((4, 5, 6)), values, "fault")
    writer.finish()
    assert writer.notes == (f"fault is float32: the format word (bytes 3225-3226) becomes 5, it was {code}",)
    found = opened(tmp_path / "b.sgy")
    np.testing.assert_array_equal(all_of(found), values)
    np.testing.assert_array_equal(traces_of(found).headers, traces_of(source).headers)
    ours, theirs = (tmp_path / "b.sgy").read_bytes()[:3600], path.read_bytes()[:3600]
    assert [k for k in range(3600) if ours[k] != theirs[k]] == [3225 if order == ">" else 3224]


@pytest.mark.parametrize("order", [">", "<"])
def test_fewer_samples_change_the_words_that_count_them(pack_segy: PackSegy, tmp_path: Path, order: str) -> None:
    source = opened(survey(pack_segy, order=order))
    grid = Grid((*source.spec.grid.axes[:2], Axis.regular("time", 4, first=0.008, step=0.004, unit="s")))
    writer = SegyWriter(tmp_path / "b.sgy", replace(source.spec, grid=grid), Wanted())
    writer.write_traces(whole((4, 5)), traces_of(source))
    writer.write(whole((4, 5, 4)), source.read((slice(0, 4), slice(0, 5), slice(2, 6))))
    writer.finish()
    found = opened(tmp_path / "b.sgy")
    assert not [note for note in found.notes if "samples" in note]
    np.testing.assert_array_equal(all_of(found), all_of(source)[..., 2:])
    np.testing.assert_allclose(found.spec.grid["time"].values, grid["time"].values)


def test_traces_of_a_survey_that_were_not_stored_are_missed(pack_segy: PackSegy, tmp_path: Path) -> None:
    source = opened(survey(pack_segy))
    writer = SegyWriter(tmp_path / "b.sgy", source.spec, Wanted())
    box = (slice(0, 3), slice(0, 5))
    writer.write_traces(box, source.traces(box))
    with pytest.raises(OutputError, match="15 of 20 traces were stored"):
        writer.finish()
    writer.abandon()
    assert [one.name for one in tmp_path.iterdir()] == ["survey.sgy"]


# What cannot be written


@pytest.mark.parametrize(
    ("grid", "kind", "error", "what"),
    [
        (Grid((CUBE.axes[0], Axis.regular("time", 40_000, step=0.004))), "f4", DataError, "40000 samples"),
        (Grid((CUBE.axes[0], Axis.regular("time", 1000, step=1 / 7000))), "f4", DataError, "whole number of micros"),
        (Grid((CUBE.axes[0], Axis("time", np.array([0, 1, 5]) * 1e-3))), "f4", DataError, "even steps"),
        (CUBE, "i8", OutputError, "amplitude is int64.*Make it float32"),
        (CUBE, "c8", OutputError, "amplitude is complex64"),
    ],
)
def test_what_segy_does_not_hold_is_refused_before_any_work(
    tmp_path: Path, grid: Grid, kind: str, error: type[Exception], what: str
) -> None:
    with pytest.raises(error, match=what):
        SegyWriter(tmp_path / "a.sgy", new_spec(grid, kind=kind), Wanted())
    assert not list(tmp_path.iterdir())


def test_several_variables_and_new_su_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"not fault, dip\. Write a file of each"):
        SegyWriter(tmp_path / "a.sgy", Spec(CUBE, {"fault": FLOAT, "dip": FLOAT}), Wanted())
    assert SU.create is not None
    with pytest.raises(OutputError, match="from an SU file alone"):
        SU.create(tmp_path / "a.su", new_spec(CUBE), Wanted())
    writer = SegyWriter(tmp_path / "a.sgy", new_spec(CUBE), Wanted())
    with pytest.raises(DataError, match="no variable 'dip'; it is made for amplitude"):
        writer.write(whole((4, 5, 6)), np.ones((4, 5, 6)), "dip")


def test_coordinates_too_far_for_their_words_are_refused(tmp_path: Path) -> None:
    writer = SegyWriter(tmp_path / "a.sgy", new_spec(CUBE, has_xy=True), Wanted())
    far = np.full((4, 5), 1e8)
    writer.write_traces(whole((4, 5)), Traces(np.ones((4, 5), bool), x=far, y=far))
    with pytest.raises(DataError, match="beyond 2147483647 m"):
        writer.write_traces(whole((4, 5)), Traces(np.ones((4, 5), bool), x=far * 100, y=far))
    writer.finish()
    assert traces_of(opened(tmp_path / "a.sgy")).x[0, 0] == 1e8


def test_a_full_disk_is_named_and_nothing_is_left(
    pack_segy: PackSegy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened(survey(pack_segy))
    writer = SegyWriter(tmp_path / "b.sgy", source.spec, Wanted())
    writer.write_traces(whole((4, 5)), traces_of(source))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OutputError, match=r"b\.sgy: cannot be written: No space left on device\. Free some space"):
        writer.write(whole((4, 5, 6)), all_of(source))
    writer.abandon()
    assert [one.name for one in tmp_path.iterdir()] == ["survey.sgy"]


def test_too_small_a_disk_and_a_folder_that_is_not_there_are_named_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutputError, match=r"a\.sgy: cannot be written: No such file"):
        SegyWriter(tmp_path / "no" / "a.sgy", new_spec(CUBE), Wanted())
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(OutputError, match=r"needs 9040 bytes, and 1000 are free"):
        SegyWriter(tmp_path / "a.sgy", new_spec(CUBE), Wanted())
    assert not list(tmp_path.iterdir())


# SU


def test_an_su_file_comes_back_and_becomes_segy(pack_segy: PackSegy, tmp_path: Path) -> None:
    cdp, offset = (one.ravel() for one in np.indices((3, 4)) + 1)
    samples = np.random.default_rng(0).normal(size=(12, 8)).astype(FLOAT)
    path = pack_segy({21: cdp, 37: offset * 25, 181: 77}, samples, order="<", name="a.su")
    volume = opened(path)
    assert volume.spec.grid.names == ("cdp", "offset", "time")
    assert not volume.spec.has_xy  # bytes from 181 on are its own
    assert copied(volume, tmp_path / "b.su", (2, 2, 8)).read_bytes() == path.read_bytes()
    segy = opened(copied(volume, tmp_path / "b.sgy"))
    np.testing.assert_array_equal(all_of(segy), samples.reshape(3, 4, 8))
    assert segy.spec.grid.names == volume.spec.grid.names
    assert not segy.layout.little_endian


def test_a_header_with_another_number_of_samples_is_noted(tmp_path: Path) -> None:
    values = np.ones((3, 4, 20), dtype=np.float32)
    values.tofile(tmp_path / "a.bin")
    convert(tmp_path / "a.bin", tmp_path / "a.sgy", given=Given(n1=20, n2=4, n3=3))
    raw = bytearray((tmp_path / "a.sgy").read_bytes())
    first = len(raw) - 12 * (240 + 4 * 20)
    place = first + 5 * (240 + 4 * 20) + 114
    raw[place : place + 2] = (7).to_bytes(2, "big")
    (tmp_path / "a.sgy").write_bytes(raw)
    notes = " ".join(open_volume(tmp_path / "a.sgy").notes)
    assert "trace headers say 7 to 20 samples" in notes
    assert "read with 20" in notes
