"""Field gathers: what headers say, what is given, and that the two agree."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from seisloom.errors import DataError, MissingDataError
from seisloom.sample import Array
from seisloom.tasks.dispersion.field.gathers import read_gather

TRACES = np.random.default_rng(0).normal(size=(6, 200)).astype(np.float32)


def write_text(path: Path, traces: Array = TRACES, head: str = "a site\n") -> Path:
    rows = "\n".join("\t".join(f"{one:.6e}" for one in row) for row in traces.T)
    path.write_text(head + rows + "\n")
    return path


def write_su(path: Path, offsets: Array, traces: Array = TRACES, shots: Array | None = None) -> Path:
    """Write traces at 1 ms with offsets in the header and nothing else."""
    with path.open("wb") as out:
        for k, (trace, offset) in enumerate(zip(traces, offsets, strict=True)):
            head = bytearray(240)
            struct.pack_into("<i", head, 36, abs(int(offset)))
            struct.pack_into("<i", head, 80, int(offset))  # place of the receiver; the shot is at 0
            struct.pack_into("<i", head, 8, int(shots[k]) if shots is not None else 1)
            struct.pack_into("<HH", head, 114, len(trace), 1000)
            out.write(bytes(head) + trace.astype("<f4").tobytes())
    return path


def test_text_needs_the_rate_and_the_geometry(tmp_path: Path) -> None:
    file = write_text(tmp_path / "shot.dat")
    with pytest.raises(DataError, match="sampling interval"):
        read_gather(file, dx_m=2, first_offset_m=10)
    with pytest.raises(DataError, match="Give the geometry in m: dx_m and first_offset_m"):
        read_gather(file, interval_s=0.001)
    gather = read_gather(file, interval_s=0.001, dx_m=2, first_offset_m=10)
    np.testing.assert_allclose(gather.offsets_m, 10 + 2 * np.arange(6))
    np.testing.assert_allclose(gather.traces, TRACES, rtol=1e-6)
    assert "as given" in " ".join(gather.notes)


def test_words_above_the_numbers_are_understood(tmp_path: Path) -> None:
    head = "Measurement frequency (Hz): 500\nSpacing: dx = 2 m | Source offset: x1 = 5 m\n\nChannel 1\tChannel 2\n"
    gather = read_gather(write_text(tmp_path / "shot.dat", head=head))
    assert gather.interval_s == 0.002
    np.testing.assert_allclose(gather.offsets_m, 5 + 2 * np.arange(6))


def test_offsets_of_headers_are_taken_and_said(tmp_path: Path) -> None:
    gather = read_gather(write_su(tmp_path / "shot.su", 5 + 3 * np.arange(6)))
    np.testing.assert_allclose(gather.offsets_m, 5 + 3 * np.arange(6))
    assert gather.interval_s == 0.001
    assert "offsets from headers" in gather.notes


def test_a_wrong_dx_is_refused_unless_headers_are_overridden(tmp_path: Path) -> None:
    file = write_su(tmp_path / "shot.su", 5 + 3 * np.arange(6))
    with pytest.raises(DataError, match=r"trace 1 has offset 8 m in its header, and 7 m"):
        read_gather(file, dx_m=2)
    with pytest.raises(DataError, match="first trace has offset 5 m"):
        read_gather(file, first_offset_m=10)
    with pytest.raises(DataError, match=r"interval is 0\.001 s and 0.002"):
        read_gather(file, interval_s=0.002)
    gather = read_gather(file, dx_m=2, first_offset_m=10, interval_s=0.002, override=True)
    np.testing.assert_allclose(gather.offsets_m, 10 + 2 * np.arange(6))
    assert gather.interval_s == 0.002


def test_empty_headers_ask_for_the_geometry(tmp_path: Path) -> None:
    file = write_su(tmp_path / "shot.su", np.zeros(6))
    with pytest.raises(DataError, match="headers have no offsets"):
        read_gather(file)
    np.testing.assert_allclose(read_gather(file, dx_m=1, first_offset_m=2).offsets_m, 2 + np.arange(6))


def test_a_spread_before_the_shot_is_turned(tmp_path: Path) -> None:
    gather = read_gather(write_su(tmp_path / "shot.su", -20 + 2 * np.arange(6)))
    np.testing.assert_allclose(gather.offsets_m, 10 + 2 * np.arange(6))
    np.testing.assert_allclose(gather.traces[0], TRACES[-1], rtol=1e-6)


def test_a_shot_within_the_spread_needs_a_side(tmp_path: Path) -> None:
    file = write_su(tmp_path / "shot.su", -5 + 2 * np.arange(6))
    with pytest.raises(DataError, match="which side"):
        read_gather(file)
    np.testing.assert_allclose(read_gather(file, side="before").offsets_m, [1, 3, 5])
    np.testing.assert_allclose(read_gather(file, side="behind").offsets_m, [1, 3, 5])


def test_duplicate_offsets_are_named(tmp_path: Path) -> None:
    file = write_su(tmp_path / "shot.su", np.array([5, 7, 9, 9, 11, 13]))
    with pytest.raises(DataError, match="traces 2 and 3 both have offset 9 m"):
        read_gather(file)


def test_one_channel_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one channel"):
        read_gather(write_su(tmp_path / "shot.su", np.array([5]), TRACES[:1]))


def test_a_record_shorter_than_a_period_is_refused(tmp_path: Path) -> None:
    file = write_su(tmp_path / "shot.su", 5 + 3 * np.arange(6))
    with pytest.raises(DataError, match=r"less than one period of 3 Hz\. Start at 5 Hz"):
        read_gather(file, lowest_hz=3)


def test_one_of_several_shots_is_chosen(tmp_path: Path) -> None:
    offsets = np.tile(5 + np.arange(3), 2)
    file = write_su(tmp_path / "shots.su", offsets, shots=np.repeat([7, 8], 3))
    with pytest.raises(DataError, match="has 2 shots"):
        read_gather(file)
    np.testing.assert_allclose(read_gather(file, shot=8).traces, TRACES[3:], rtol=1e-6)
    with pytest.raises(DataError, match="no shot 9"):
        read_gather(file, shot=9)


def test_miniseed_has_no_offsets(tmp_path: Path) -> None:
    import obspy

    stream = obspy.Stream(
        [obspy.Trace(one, {"sampling_rate": 500, "station": f"S{k}"}) for k, one in enumerate(TRACES)]
    )
    stream.write(str(tmp_path / "shot.mseed"), format="MSEED")
    gather = read_gather(tmp_path / "shot.mseed", dx_m=2, first_offset_m=4)
    np.testing.assert_allclose(gather.traces, TRACES)
    assert gather.interval_s == 0.002


def test_bad_text_says_where(tmp_path: Path) -> None:
    file = write_text(tmp_path / "shot.dat")
    file.write_text(file.read_text() + "1 2 3\n")
    with pytest.raises(DataError, match="line 202 has not 6 numbers"):
        read_gather(file, interval_s=0.001, dx_m=2, first_offset_m=10)
    (tmp_path / "words.dat").write_text("no numbers but 1 in words\n")
    with pytest.raises(DataError, match="without a row of numbers"):
        read_gather(tmp_path / "words.dat")
    with pytest.raises(MissingDataError, match="no such file"):
        read_gather(tmp_path / "none.su")


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_values_that_make_no_sense_are_refused(tmp_path: Path, value: float) -> None:
    file = write_su(tmp_path / "shot.su", 5 + 3 * np.arange(6))
    with pytest.raises(DataError, match="dx_m"):
        read_gather(file, dx_m=value, first_offset_m=5)


@pytest.mark.skipif("SEISLOOM_DATA" not in os.environ, reason="no recorded data")
def test_recorded_gathers_are_read() -> None:
    folder = Path(os.environ["SEISLOOM_DATA"])
    oysand = read_gather(
        folder / "dispersion" / "oysand" / "Oysand_dx_2m_x1_10m_forward.dat", dx_m=2, first_offset_m=10
    )
    assert oysand.traces.shape[0] == 24
    assert oysand.interval_s == 0.001
    modelled = read_gather(folder / "dispersion" / "fe_model_0" / "60m_Xm_-10m.su")
    assert modelled.offsets_m[[0, 1, -1]].tolist() == [10, 11, 70]
    refraction = sorted((folder / "picking" / "refraction").rglob("*.sg2")) + sorted(
        (folder / "picking" / "refraction").rglob("*.dat")
    )
    for path in refraction[:1]:
        assert len(read_gather(path, side="behind").traces) > 1
