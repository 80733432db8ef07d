from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seisloom.bundle import open_predictor
from seisloom.errors import OutputError
from seisloom.io.segy.layout import TRACE_HEADER, read_layout
from seisloom.sample import Array
from seisloom.tasks.restoration.apply import apply
from seisloom.tasks.restoration.records import open_records
from seisloom.tasks.restoration.write import beside_of, write

from .conftest import N_TIME, N_TRACES, gathers


def restored(source: object, *changes: str) -> list:  # type: ignore[type-arg]
    opened = open_predictor("linear").with_changes(*changes)
    return apply(opened.recipe, opened.predictor, None, open_records(opened.recipe, source))


def test_headers_come_back_byte_for_byte(shots: tuple[Path, Array, Array], tmp_path: Path) -> None:
    file, _whole, live = shots
    out = tmp_path / "out.sgy"
    write(iter(restored(file)), out)
    before, after = file.read_bytes(), out.read_bytes()
    assert len(before) == len(after)
    layout = read_layout(file)
    for k in range(layout.n_traces):
        start = layout.first_trace + k * layout.trace_bytes
        assert before[start : start + TRACE_HEADER] == after[start : start + TRACE_HEADER]
        same = before[start : start + layout.trace_bytes] == after[start : start + layout.trace_bytes]
        assert same == live[k % N_TRACES]
    assert before[: layout.first_trace] == after[: layout.first_trace]
    (first, *_) = open_records(open_predictor("linear").recipe, out)
    assert first.is_live.all()


def test_ibm_floats_and_their_shots_come_back(field_data: Path, tmp_path: Path) -> None:
    source, out = field_data / "restoration" / "viking_small.segy", tmp_path / "viking.segy"
    write(restored(source, "dead=3,4,200"), out)
    before, after = (np.fromfile(one, np.uint8) for one in (source, out))
    layout = read_layout(source)
    rows = [one[layout.first_trace :].reshape(-1, layout.trace_bytes) for one in (before, after)]
    changed = np.flatnonzero((rows[0] != rows[1]).any(axis=1))
    assert changed.tolist() == [2, 3, 199]
    assert np.array_equal(rows[0][:, :TRACE_HEADER], rows[1][:, :TRACE_HEADER])


def test_su_to_su(field_data: Path, tmp_path: Path) -> None:
    source, out = field_data / "restoration" / "gom_cdp_nmo.su", tmp_path / "gom.su"
    write(restored(source, "dead=5"), out)
    assert out.stat().st_size == source.stat().st_size
    assert out.read_bytes() != source.read_bytes()


def test_half_widths_go_to_a_second_file(shots: tuple[Path, Array, Array], tmp_path: Path) -> None:
    file, _, live = shots
    out = tmp_path / "out.sgy"
    write(restored(file, "uncertainty=true"), out)
    panels = list(open_records(open_predictor("linear").recipe, beside_of(out)))
    assert len(panels) == 3
    for one in panels:
        assert np.array_equal(one.is_live[0], ~live)  # zero where live traces were kept
        assert (one.values >= 0).all()


def test_arrays(tmp_path: Path) -> None:
    values = gathers(1)[0]
    values[5] = 0
    write(restored(values), tmp_path / "one.npy")
    found = np.load(tmp_path / "one.npy")
    assert found.shape == (N_TRACES, N_TIME)
    assert found[5].any()
    assert np.array_equal(np.delete(found, 5, 0), np.delete(values, 5, 0))


def test_what_cannot_be_written_is_refused(shots: tuple[Path, Array, Array], tmp_path: Path) -> None:
    file, _, _ = shots
    products = restored(file)
    for path, match in (
        (file, "is the source itself"), (tmp_path / "x.su", "needs a source of the same kind"),
        (tmp_path / "x.txt", "restored panels are written to .sgy"),
    ):  # fmt: skip
        with pytest.raises(OutputError, match=match):
            write(products, path)
    with pytest.raises(OutputError, match="there are no panels"):
        write([], tmp_path / "x.npy")
    other = replace(products[0], values=products[0].values[:, :3])
    with pytest.raises(OutputError, match="panels of 2 shapes make no array"):
        write([products[1], other], tmp_path / "x.npy")
    assert not list(tmp_path.glob("*.partial"))


def test_an_array_has_no_headers_to_keep(tmp_path: Path) -> None:
    values = gathers(1)[0]
    values[5] = 0
    with pytest.raises(OutputError, match=r"Write \.npy"):
        write(restored(values), tmp_path / "x.sgy")
