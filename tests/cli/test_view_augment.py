"""`seisloom view augment`: a row for each entry, of the recipe's data or of made-up samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisloom.errors import DataError
from seisloom.figures.augmentation import Change, draw_augmentations
from seisloom.recipe import Recipe

Tiny = Callable[..., Recipe]
Run = Callable[..., tuple[int, str, str]]


def test_every_kind_of_sample_is_drawn(seisloom: Run, tmp_path: Path) -> None:
    out = tmp_path / "figures" / "all.png"
    entries = "augment=[time_stretch, {name: random_apply, entry: rotate}, flip, axis_warp, {name: gain, p: 0.0}]"
    code, said, wrong = seisloom("view", "augment", "picking", "--synthetic", "--out", str(out), entries)
    assert code == 0, wrong
    assert "drew 5 augmentations of a synthetic sample of each kind" in said
    assert out.stat().st_size > 20_000


def test_the_recipes_own_data_are_drawn_and_a_second_item_too(tiny: Tiny, seisloom: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(tiny().to_yaml(), encoding="utf-8")
    pictures = []
    for item in ("0", "3"):
        out = tmp_path / f"{item}.png"
        code, said, wrong = seisloom(
            "view", "augment", str(recipe), "--out", str(out), "--item", item, "augment=[time_stretch, trace_flip]"
        )
        assert code == 0, wrong
        assert "drew 2 augmentations of" in said
        assert "synthetic sample" not in said
        pictures.append(out.read_bytes())
    assert pictures[0] != pictures[1]
    code, _, wrong = seisloom("view", "augment", str(recipe), "--out", str(tmp_path / "a.png"), "--item", "9999")
    assert code == 2
    assert "--item 9999" in wrong


def test_a_recipe_without_augmentations_is_said(seisloom: Run, tmp_path: Path) -> None:
    code, _, wrong = seisloom("view", "augment", "picking", "--out", str(tmp_path / "a.png"), "augment=[]")
    assert code == 2
    assert "augment: is empty" in wrong


def test_a_row_has_both_sides_on_one_scale_and_says_where_nothing_changed() -> None:
    x = np.sin(np.arange(60.0)).reshape(1, 1, 60)
    axes = {"x": ("trace", "channel", "time")}
    figure = draw_augmentations(
        [Change("0 gain", "factor 2", axes, {"x": x}, {"x": 2 * x}), Change("1 none", "", axes, {"x": x}, {"x": x})]
    )
    left, right = figure.axes[0].images[0], figure.axes[1].images[0]
    assert left.get_clim() == right.get_clim()
    assert [text.get_text() for text in figure.axes[3].texts] == ["not changed"]
    assert not figure.axes[1].texts
    with pytest.raises(DataError, match="cannot be drawn"):
        draw_augmentations([Change("0", "", {"x": ("class",)}, {"x": x[0, 0]}, {"x": x[0, 0]})])
    with pytest.raises(DataError, match="is empty"):
        draw_augmentations([])
