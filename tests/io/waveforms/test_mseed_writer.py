"""Amplitudes through miniSEED and back, bit for bit, with their gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import obspy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seisloom.errors import DataError, OutputError
from seisloom.io.waveforms.files import read_waveforms
from seisloom.io.waveforms.mseed_writer import write_mseed

CODES = ("UW", "ABC", "00")
VALUES = st.one_of(
    arrays.arrays(np.float32, st.integers(1, 300), elements=st.floats(width=32, allow_infinity=False)),
    arrays.arrays(np.float64, st.integers(1, 300), elements=st.floats(allow_infinity=False)),
    arrays.arrays(np.int32, st.integers(1, 300)), arrays.arrays(np.int16, st.integers(1, 300)),
)  # fmt: skip


@given(z=VALUES, n=VALUES, fs_hz=st.sampled_from([20.0, 100.0, 62.5]))
def test_what_is_written_is_read_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, z: np.ndarray, n: np.ndarray, fs_hz: float
) -> None:
    file = tmp_path_factory.mktemp("mseed") / "a.mseed"
    written = write_mseed(file, {"HHZ": z, "HHN": n}, fs_hz=fs_hz, start_ns=10**18, codes=CODES)
    rows = {"HHZ": z, "HHN": n}
    assert {code: n_missing for code, (_, _, n_missing) in written.items()} == {
        code: int(np.isnan(one).sum()) for code, one in rows.items()
    }
    if not file.exists():
        assert all(np.isnan(one).all() for one in rows.values())
        return
    stream = obspy.read(str(file), format="MSEED")
    for code, values in rows.items():
        some = stream.select(channel=code)
        known = values[~np.isnan(values)]
        exact = np.concatenate([one.data for one in some]) if some else np.zeros(0, values.dtype)
        if values.dtype.kind == "f":
            assert exact.tobytes() == known.tobytes()
        else:
            assert np.array_equal(exact, known)
        for one in some:
            place = round((one.stats.starttime.ns - 10**18) * fs_hz / 1e9)
            assert values[place] == one.data[0]


def test_a_run_of_nan_is_a_gap_for_the_reader(tmp_path: Path) -> None:
    values = np.arange(50.0)
    values[10:15] = np.nan
    file = tmp_path / "a.mseed"
    assert write_mseed(file, {"HHZ": values}, fs_hz=100, start_ns=0, codes=CODES) == {"HHZ": (50, 2, 5)}
    (found,) = read_waveforms(file)
    assert np.array_equal(found.values[0], values.astype(np.float32), equal_nan=True)


def test_large_integers_become_float64_or_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.mseed"
    write_mseed(file, {"HHZ": np.array([2**40, 1])}, fs_hz=100, start_ns=0, codes=CODES)
    assert obspy.read(str(file), format="MSEED")[0].data.tolist() == [2.0**40, 1.0]
    with pytest.raises(DataError, match=r"above 2\*\*53"):
        write_mseed(file, {"HHZ": np.array([2**60 + 1, 1])}, fs_hz=100, start_ns=0, codes=CODES)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_mseed(tmp_path / "none" / "a.mseed", {"HHZ": np.ones(3)}, fs_hz=1, start_ns=0, codes=CODES)
