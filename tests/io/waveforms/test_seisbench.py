"""Sets in SeisBench's format, written by its public description with h5py."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from seisloom.errors import DataError, MissingDataError
from seisloom.io.waveforms.entry import Columns
from seisloom.io.waveforms.seisbench import is_metadata
from seisloom.io.waveforms.sources import find_catalogue, read_catalogue, read_entry

BUCKET = np.random.default_rng(0).normal(size=(3, 3, 800)).astype(np.float32)
ALONE = np.random.default_rng(1).normal(size=(3, 500)).astype(np.float32)


def rows() -> list[dict[str, Any]]:
    head = {
        "trace_sampling_rate_hz": 50.0, "trace_start_time": "2020-01-01T00:00:00.000000Z", "source_type": "earthquake",
        "station_network_code": "UW", "station_location_code": "--", "station_channel_code": "HH",
        "source_latitude_deg": 47.5, "source_longitude_deg": -121.5,
    }  # fmt: skip
    first = {"trace_name": "bucket0$0,:3,:800", "source_id": "e1", "station_code": "A", "trace_P_arrival_sample": 250}
    second = {"trace_name": "bucket0$2,:3,:600", "source_id": "e1", "station_code": "B", "trace_P_arrival_sample": ""}
    noise = {"trace_name": "alone", "source_id": "", "station_code": "A", "source_type": "noise", "trace_npts": 500}
    return [{**head, **one} for one in (first, second, noise)]


def write(folder: Path, *, axes: str = "CW", order: str | None = "ZNE", chunk: str = "", table: Any = None) -> Path:
    table = rows() if table is None else table
    names = list(dict.fromkeys(name for row in table for name in row))
    with (folder / f"metadata{chunk}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(table)
    with h5py.File(folder / f"waveforms{chunk}.hdf5", "w") as file:
        file["data/bucket0"] = BUCKET if axes == "CW" else BUCKET.transpose(0, 2, 1)
        file["data/alone"] = ALONE if axes == "CW" else ALONE.T
        file["data_format/dimension_order"] = axes
        if order is not None:
            file["data_format/component_order"] = order
    return folder


def test_traces_in_buckets_and_alone_are_read(tmp_path: Path) -> None:
    found = read_catalogue(write(tmp_path))
    first, second, third = found.entries
    assert [one.key for one in found.entries] == ["e1/UW.A..HH", "e1/UW.B..HH", "alone/UW.A..HH"]
    assert [one.label for one in found.entries] == ["earthquake", "earthquake", "noise"]
    assert (first.onset_s, first.n_samples, first.latitude) == (5.0, 800, 47.5)
    assert np.isnan(second.onset_s)
    assert second.n_samples == 600
    assert read_entry(first).values.tobytes() == BUCKET[0].tobytes()
    assert read_entry(second).values.tobytes() == BUCKET[2, :, :600].tobytes()
    record = read_entry(third)
    assert record.values.tobytes() == ALONE.tobytes()
    assert (record.channels, record.fs_hz, record.name) == (("Z", "N", "E"), 50.0, "UW.A..HH")
    assert "1 traces have no source_id; each counts as an event of its own: alone" in found.notes[0]


def test_time_first_is_turned(tmp_path: Path) -> None:
    table = [{**rows()[0], "trace_name": "bucket0$1,:800,:3"}]
    (entry,) = read_catalogue(write(tmp_path, axes="WC", table=table)).entries
    assert read_entry(entry).values.tobytes() == BUCKET[1].tobytes()


def test_the_table_may_say_the_components(tmp_path: Path) -> None:
    table = [{**rows()[0], "trace_component_order": "ENZ"}]
    (entry,) = read_catalogue(write(tmp_path, order=None, table=table)).entries
    assert read_entry(entry).with_channels(("Z",)).values.tobytes() == BUCKET[0, 2].tobytes()


def test_components_that_nobody_says_are_refused(tmp_path: Path) -> None:
    (entry,) = read_catalogue(write(tmp_path, order=None, table=rows()[:1])).entries
    with pytest.raises(DataError, match="nothing says which its 3 components are"):
        read_entry(entry)


def test_chunks_are_one_set(tmp_path: Path) -> None:
    write(tmp_path, chunk="_a", table=rows()[:1])
    write(tmp_path, chunk="_b", table=rows()[1:])
    (tmp_path / "chunks").write_text("_a\n_b\n")
    found = read_catalogue(tmp_path / "metadata_a.csv")
    assert len(found.entries) == 3
    assert len(read_catalogue(tmp_path).entries) == 3


def test_the_hdf5_file_finds_its_table(tmp_path: Path) -> None:
    write(tmp_path)
    assert find_catalogue(tmp_path / "waveforms.hdf5") == find_catalogue(tmp_path) == tmp_path / "metadata.csv"
    assert is_metadata(tmp_path / "metadata.csv")


def test_a_named_column_must_be_there(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(DataError, match="column kind is missing; there are"):
        read_catalogue(tmp_path, Columns(label="kind"))
    found = read_catalogue(tmp_path, Columns(label="station_code"))
    assert [one.label for one in found.entries] == ["A", "B", "A"]


def test_missing_waveforms_and_traces_are_refused(tmp_path: Path) -> None:
    write(tmp_path, table=[{**rows()[0], "trace_name": "bucket9$0,:3,:800"}])
    (entry,) = read_catalogue(tmp_path).entries
    with pytest.raises(DataError, match="has no trace 'bucket9'"):
        read_entry(entry)
    (tmp_path / "waveforms.hdf5").unlink()
    with pytest.raises(MissingDataError, match=r"waveforms\.hdf5: no such file of waveforms"):
        read_catalogue(tmp_path)
