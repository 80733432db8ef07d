"""Pictures say what they show: which part of a shot, and human picks that were moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.recipe import Recipe, read_recipe
from seisloom.sample import Sample
from seisloom.tasks.picking.apply import apply
from seisloom.tasks.picking.evaluate import evaluate
from seisloom.tasks.picking.opening import open_records
from seisloom.tasks.picking.picked import with_picks
from seisloom.tasks.picking.records import PickRecord
from seisloom.tasks.picking.view import _draw_grid, draw_record

Tiny = Callable[..., Recipe]
SHIFT = "data.pick_shift_s={LAND001: -0.0026}"


def first_sample(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A picker that sees nothing."""
    shape = arrays["x"].shape[:2]
    return {name: np.zeros(shape, np.float32) for name in ("mean", "log_sigma", "presence")}


def title_of(recipe: Recipe, record: PickRecord) -> str:
    return draw_record(record, apply(recipe, first_sample, None, [record])).axes[0].get_title(loc="left")  # type: ignore[arg-type]


def legend_of(recipe: Recipe, record: PickRecord) -> list[str]:
    figure = draw_record(record, apply(recipe, first_sample, None, [record]))  # type: ignore[arg-type]
    return figure.axes[0].get_legend_handles_labels()[1]


def test_part_of_a_file_says_which_traces_it_has() -> None:
    traces = np.random.default_rng(0).normal(size=(96, 50)).astype(np.float32)
    recipe = read_recipe("picking", ["prepare=[]", "data.gather_size=64"])
    first, second = open_records(recipe, traces, 1000.0)
    assert "traces 0 to 47 of 96" in title_of(recipe, first)
    assert "traces 48 to 95 of 96" in title_of(recipe, second)
    figure = draw_record(second, apply(recipe, first_sample, None, [second]))  # type: ignore[arg-type]
    low, high = figure.axes[0].get_xlim()
    assert (low, high) == (47, 96), "numbered as in the file and in the table of picks"
    assert figure.axes[0].get_xlabel() == "trace (from 0)"
    [whole] = open_records(recipe, traces[:60], 1000.0)
    assert "traces 0 to" not in title_of(recipe, whole)


def test_part_of_a_shot_of_a_survey_says_which_traces_it_has(tiny: Tiny, tiny_survey: Path) -> None:
    recipe = tiny("data.gather_size=3", "geom=LAND001")
    found = list(open_records(recipe, tiny_survey))  # type: ignore[arg-type]
    shots = {int(record.shot_id[0]) for record in found}
    for shot in shots:
        parts = [record for record in found if record.shot_id[0] == shot]
        n = sum(record.n_traces for record in parts)
        begins = np.cumsum([0, *(record.n_traces for record in parts)])[:-1]
        assert [record.part for record in parts] == [(int(begin), n) for begin in begins]
        if len(parts) > 1:
            assert f"of {n}" in title_of(recipe, parts[0])


def test_moved_picks_are_named_in_notes_and_legend(tiny: Tiny, tiny_survey: Path, tmp_path: Path) -> None:
    recipe = tiny(SHIFT)
    found = list(open_records(recipe, tiny_survey))  # type: ignore[arg-type]
    table = apply(recipe, first_sample, None, found)  # type: ignore[arg-type]
    said = [note for note in evaluate(recipe, {"none": table}, [])["notes"] if "moved" in note]  # type: ignore[arg-type]
    assert said == ["human picks of LAND001 moved by -2.6 ms: data.pick_shift_s"]
    by_line = {str(one.geometry[0]): one for one in found}
    assert "human pick, moved by -2.6 ms (data.pick_shift_s)" in legend_of(recipe, by_line["LAND001"])
    assert "human pick" in legend_of(recipe, by_line["LAND002"])
    # Picks of a file are taken as they are
    record = by_line["LAND001"]
    file = tmp_path / "p.csv"
    file.write_text(f"station,shot_id,pick_time_s\n{record.station[0]},{record.shot_id[0]},0.0123\n")
    assert "human pick" in legend_of(recipe, with_picks([record], picks=file)[0])


@pytest.mark.parametrize("n_filled", [0, 900])
def test_a_window_is_drawn_as_far_as_its_record_goes(n_filled: int) -> None:
    x = np.ones((1, 1000), np.float32)
    x[:, 1000 - n_filled :] = 0
    arrays = {
        "x": x, "y_mask": np.zeros(1000, np.int8), "has_pick": np.int8(0), "y_idx": np.float32(-1),
        "fs": np.float32(1000), "t0_s": np.float32(0),
    }  # fmt: skip
    sample = Sample("L/s/shot", {}, {name: np.asarray(one) for name, one in arrays.items()})
    low, high = _draw_grid([sample]).axes[0].get_xlim()
    assert low == 0
    assert high == pytest.approx((999 - n_filled) / 1000)
