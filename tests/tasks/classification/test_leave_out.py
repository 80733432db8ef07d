"""Each group is scored by a model that has seen neither it nor its events; what they say is pooled."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seisloom.bundle import Bundle
from seisloom.errors import RecipeError, SplitError
from seisloom.run.leave_out import leave_out

from .conftest import MakeSet, read_rows, write_rows
from .test_room import small

LABELS = ("earthquake", "explosion") * 8


@pytest.fixture
def sets(make_set: MakeSet) -> list[Path]:
    folders = [make_set(name, labels=LABELS, fs_hz=20.0, duration_s=50.0, seed=k) for k, name in enumerate(("a", "b"))]
    for folder in folders:
        rows = read_rows(folder)
        write_rows(folder, [{**row, "event_id": f"{folder.name}-{row['event_id']}"} for row in rows])
    return folders


def recipe_of(sets: list[Path], *changes: str) -> object:
    return small(sets[0], "rocket", f"data.paths=[{','.join(map(str, sets))}]", *changes)


def test_each_group_is_scored_by_a_model_without_it(sets: list[Path], tmp_path: Path) -> None:
    report, files = leave_out(recipe_of(sets), tmp_path / "b", "set")  # type: ignore[arg-type]
    for part in ("records", "events"):
        rows = report["tables"][part]
        assert list(rows) == ["all", "a", "b"]
        # Every record is in one of the two, and so is every error of the pooled row
        wrong = [1 - rows[name]["accuracy"] for name in ("a", "b")]
        assert min(wrong) - 1e-9 <= 1 - rows["all"]["accuracy"] <= max(wrong) + 1e-9
        assert rows["all"]["F1 from"] <= rows["all"]["macro F1"] <= rows["all"]["F1 to"]
    assert [path.name for path in files] == ["leave_out.csv", "leave_out.json"]
    assert json.loads(files[1].read_text())["tables"] == report["tables"]
    with files[0].open(newline="") as opened:
        written = list(csv.DictReader(opened))
    assert [(row["part"], row["left_out"]) for row in written][:3] == [("records", one) for one in ("all", "a", "b")]
    assert float(written[1]["macro F1"]) == pytest.approx(report["tables"]["records"]["a"]["macro F1"])
    seen = [set(Bundle.open(tmp_path / "b" / "leave_out" / name).seen().tolist()) for name in ("a", "b")]
    assert seen[0]
    assert not seen[0] & seen[1]


def test_the_largest_groups_are_left_out_first(sets: list[Path], tmp_path: Path) -> None:
    report, _ = leave_out(recipe_of(sets), tmp_path / "b", "set", at_most=1)  # type: ignore[arg-type]
    assert list(report["tables"]["records"]) == ["all", "a"]
    assert any("1 of 2 groups" in note for note in report["notes"])


def test_events_are_not_shared_with_the_station_that_is_left_out(sets: list[Path], tmp_path: Path) -> None:
    # Both stations recorded every event
    with pytest.raises(SplitError, match=r"all other samples are of the same event; split\.by=\[station\]"):
        leave_out(recipe_of(sets), tmp_path / "b", "station")  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="--leave-out volcano: samples have no such group; they have class, event"):
        leave_out(recipe_of(sets), tmp_path / "b", "volcano")  # type: ignore[arg-type]


def test_the_command_prints_and_writes_the_table(
    sets: list[Path], tmp_path: Path, seisloom: Callable[..., tuple[int, str, str]]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(recipe_of(sets).to_yaml())  # type: ignore[attr-defined]
    code, said, _ = seisloom("train", str(recipe), "--leave-out", "set", "--at-most", "1", "--out", str(tmp_path / "b"))
    assert code == 0
    assert "Each set scored by a model that has not seen it" in said
    assert (tmp_path / "b" / "leave_out.csv").is_file()
    for words, why in ((("--at-most", "2"), "belongs to --leave-out"), (("--ablate", "augment"), "give one of them")):
        extra = () if words[0] == "--at-most" else ("--leave-out", "set")
        code, _, said = seisloom("train", str(recipe), *words, *extra, "--out", str(tmp_path / "c"))
        assert code == 2
        assert why in said
