from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.recipe import read_recipe
from seisloom.sample import Array
from seisloom.tasks.restoration.records import Panel, open_records, panel_of, records, with_questions
from seisloom.tasks.restoration.task import RESTORATION

from .conftest import N_TRACES, gathers


def changed(**apply: Any) -> Any:  # Any: values of keys
    return read_recipe("restoration_prestack", [f"apply.{key}={value}" for key, value in apply.items()])


def test_dead_traces_are_found(shots: tuple[Path, Array, Array]) -> None:
    file, whole, live = shots
    panels = list(open_records(changed(), file))
    assert [one.name for one in panels] == [f"shots.sgy/shot-{n}" for n in (101, 102, 103)]
    for one, true in zip(panels, whole, strict=True):
        assert np.array_equal(one.is_live[0], live)
        assert np.array_equal(one.values[0], true * live[:, None])
        assert one.fs_hz == 250.0
        assert one.offset_m is not None
        assert one.offset_m[0, 2] == 50.0


def test_traces_are_dead_or_live_as_is_said(shots: tuple[Path, Array, Array]) -> None:
    file, _, live = shots
    recipe = changed(dead=f"1,{N_TRACES + 3}", live="2")
    first, second, _ = open_records(recipe, file)
    assert not first.is_live[0, 0]
    assert first.is_live[0, 1]
    assert not live[1]
    assert not second.is_live[0, 2]
    assert second.is_live[0, 0]
    assert not first.values[0, 0].any()


def test_samples_that_are_not_finite_make_a_trace_dead(caplog: pytest.LogCaptureFixture) -> None:
    values = gathers(1)[0].copy()
    values[3, 5], values[4, 6] = np.nan, np.inf
    (panel,) = open_records(changed(), values)
    assert np.flatnonzero(~panel.is_live[0]).tolist() == [3, 4]
    assert np.isfinite(panel.values).all()
    assert "2 traces have samples that are not finite" in caplog.text


def test_constant_traces_are_dead_and_a_trace_of_one_sample_is_not() -> None:
    values = np.ones((1, 3, 5), dtype=np.float32)
    values[0, 0] = np.arange(5)
    assert panel_of("a", values, changed().apply).is_live.tolist() == [[True, False, False]]
    one = panel_of("b", np.array([[[0.0], [2.0]]]), changed().apply)
    assert one.is_live.tolist() == [[False, True]]


def test_an_array_of_five_axes_is_refused() -> None:
    with pytest.raises(DataError, match=r"a panel is \(trace, time\), a cube"):
        list(open_records(changed(), np.ones((1, 1, 2, 3, 4))))
    with pytest.raises(DataError, match="give a path, an array"):
        list(open_records(changed(), 3))


def test_questions_hide_what_is_known() -> None:
    (panel,) = open_records(changed(), gathers(1)[0])
    recipe = changed(hide='"irregular 50, regular 3"', hide_seeds=2)
    asked = list(with_questions(recipe, [panel]))
    assert [one.pattern for one in asked] == ["irregular 50", "irregular 50", "regular 3", "regular 3"]
    for one in asked:
        assert one.truth is not None
        assert np.array_equal(one.truth, panel.values)
        assert not one.values[one.missing].any()
        assert one.missing.any()
        assert np.array_equal(one.missing, panel.is_live & ~one.is_live)
        assert np.array_equal(one.values[one.is_live], panel.values[one.is_live])
    again = list(with_questions(recipe, [panel]))
    assert all(np.array_equal(a.is_live, b.is_live) for a, b in zip(asked, again, strict=True))
    assert (asked[0].is_live != asked[1].is_live).any()
    assert list(with_questions(recipe, asked)) == asked  # what has a truth stays


def test_records_are_corrupted_panels_with_their_truth(recipe: Any) -> None:
    refs = RESTORATION.plan(recipe)[:6]
    found = list(records(recipe, refs))
    assert [one.name for one in found] == [ref.key for ref in refs]
    assert any(one.missing.any() for one in found)
    for one, again in zip(found, records(recipe, refs), strict=True):
        assert isinstance(one, Panel)
        assert one.truth is not None
        assert np.array_equal(one.values, again.values)
        assert not one.values[~one.is_live].any()
        assert one.pattern
