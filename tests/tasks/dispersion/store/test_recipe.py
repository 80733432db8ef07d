"""What a recipe says to write: the first generator's file as it is, parts, precedence, mistakes with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from seisloom.errors import MissingDataError, RecipeError
from seisloom.physics.surface_waves.priors import SeedPrior
from seisloom.tasks.dispersion.store.recipe import plan, shared

FIRST = """frequency:
  min_hz: 3.0
  max_hz: 30.0
  num_samples: 101
phase_velocity:
  min_ms: 100
  max_ms: 900
  num_samples: 256
simulation:
  nt: 600
  dt: 0.008
  nx: 201
  dx: 2.0
  nfft: 1024
physics:
  modes: 3
  layer_count: 5
  fluctuation_percentage: 0.2
  vs_bounds_kms: [0.1, 1.1]
  thickness_bounds_km: [0.005, 0.07]
paths:
  output_root: ../data
  spectra_subdir: spectra
  curves_subdir: curves
  mask_subdir: masks
  manifest_path: manifests/labels.jsonl
mask:
  channel_count: 3
  blur_sigma_px: 1.5
  antialiased: true
augmentation:
  noise:
    enabled: false
    snr_db: 25
  occlusion:
    enabled: false
    max_patches: 4
    max_freq_fraction: 0.2
    max_vel_fraction: 0.2
    attenuation: 0.2
  warp:
    enabled: false
    max_freq_shift: 1.0
    max_vel_shift: 1.0
cli:
  dry_run_samples: 2000
  seed: 42
"""
"""All keys of the first label generator's configuration, in its words and with its values."""


def file_with(tmp_path: Path, text: str | dict[str, Any], name: str = "recipe.yaml") -> str:
    (tmp_path / "configs").mkdir(exist_ok=True)
    file = tmp_path / "configs" / name
    file.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
    return str(file)


def test_the_first_generator_s_file_is_taken_as_it_is(tmp_path: Path) -> None:
    planned = plan(file_with(tmp_path, FIRST))
    (part,) = planned.parts
    assert (part.n, planned.seed) == (2000, 42)
    assert planned.out.resolve() == tmp_path / "data"
    assert planned.manifest.resolve() == tmp_path / "configs" / "manifests" / "labels.jsonl"
    assert isinstance(part.data.physics.medium, SeedPrior)
    assert part.data.simulation.first_offset == 0


def test_a_stray_character_is_found_by_line_and_column(tmp_path: Path) -> None:
    """The first generator's own example ends with one."""
    file = file_with(tmp_path, FIRST + "q\n")
    line = len(FIRST.splitlines()) + 1
    with pytest.raises(RecipeError, match=rf"recipe\.yaml, line {line}, column 1: is not YAML"):
        plan(file)
    with pytest.raises(RecipeError, match=r"line 2, column 1[0-9]: is not YAML"):
        plan(file_with(tmp_path, "frequency:\n  min_hz: }3\n"))
    with pytest.raises(RecipeError, match="no mapping"):
        plan(file_with(tmp_path, "q\n"))


def test_out_beats_the_file_and_takes_the_manifest_along(tmp_path: Path) -> None:
    planned = plan(file_with(tmp_path, FIRST), out=tmp_path / "mine")
    assert planned.out == tmp_path / "mine"
    assert planned.manifest == tmp_path / "mine" / "manifests" / "labels.jsonl"


def test_a_folder_of_a_change_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    planned = plan(file_with(tmp_path, FIRST), ["paths.output_root=here"])
    assert planned.out.absolute() == tmp_path / "here"
    assert planned.manifest.absolute() == tmp_path / "here" / "manifests" / "labels.jsonl"


@pytest.mark.parametrize(
    ("recipe_seed", "cli_seed", "change", "option", "wanted"),
    [
        (None, None, None, None, 0), (3, None, None, None, 3), (3, 4, None, None, 4), (3, 4, 5, None, 5),
        (3, 4, 5, 6, 6), (3, None, None, 0, 0), (3, 0, None, None, 0),
    ],
)  # fmt: skip
def test_which_seed_beats_which(
    tmp_path: Path, recipe_seed: int | None, cli_seed: int | None, change: int | None, option: int | None, wanted: int
) -> None:
    tree: dict[str, Any] = {"task": "dispersion", "data": {"cli": {"seed": cli_seed}}}
    if recipe_seed is not None:
        tree["seed"] = recipe_seed
    changes = [] if change is None else [f"seed={change}"]
    assert plan(file_with(tmp_path, tree), changes, out=tmp_path, seed=option).seed == wanted


def test_number_of_records(tmp_path: Path) -> None:
    file = file_with(tmp_path, FIRST)
    assert plan(file).parts[0].n == 2000
    assert plan(file, ["cli.dry_run_samples=7"]).parts[0].n == 7
    assert plan(file, samples=3).parts[0].n == 3
    with pytest.raises(RecipeError, match="--samples 0"):
        plan(file, samples=0)


def test_changes_have_data_before_them_or_not(tmp_path: Path) -> None:
    file = file_with(tmp_path, {"task": "dispersion", "data": {"frequency": {"max_hz": 40}}})
    for change in ("frequency.min_hz=5", "data.frequency.min_hz=5"):
        data = plan(file, [change], out=tmp_path).parts[0].data
        assert (data.frequency.min_hz, data.frequency.max_hz) == (5, 40)


def test_keys_for_training_are_passed_over_and_others_are_not(tmp_path: Path) -> None:
    tree = {"task": "dispersion", "data": {}, "model": "any", "train": {"epochs": 3}}
    assert plan(file_with(tmp_path, tree), out=tmp_path).parts[0].n == 4
    with pytest.raises(RecipeError, match=r"prats: unknown key.*parts"):
        plan(file_with(tmp_path, {**tree, "prats": []}), out=tmp_path)
    with pytest.raises(RecipeError, match="task 'picking'"):
        plan(file_with(tmp_path, {"task": "picking", "data": {}}), out=tmp_path)


def test_mistakes_are_named_with_their_path(tmp_path: Path) -> None:
    file = file_with(tmp_path, {"task": "dispersion", "data": {"frequency": {"min_hertz": 3}, "n": 0}})
    with pytest.raises(RecipeError, match=r"2 mistakes\n.*frequency\.min_hertz: unknown key.*min_hz[\s\S]*n: "):
        plan(file, out=tmp_path)
    with pytest.raises(MissingDataError, match=r"no such recipe. Packaged ones: dispersion"):
        plan("nothing")
    with pytest.raises(RecipeError, match=r"output_root is not given.*--out DIR"):
        plan("dispersion_test")
    with pytest.raises(RecipeError, match="seed 'x'"):
        plan(None, ["seed=x"], out=tmp_path)


# --- parts


def test_a_mixed_set_is_one_recipe_whose_parts_share_no_medium(tmp_path: Path) -> None:
    planned = plan("dispersion_test", out=tmp_path)
    normal, disturbed = planned.parts
    assert (normal.n, disturbed.n, planned.seed) == (800, 200, 4242)
    assert planned.manifest == tmp_path / "manifests" / "labels_test.jsonl"
    assert not normal.data.augmentation.is_on
    assert disturbed.data.augmentation.warp.max_freq_shift == 1.5
    assert disturbed.data.first - normal.data.first >= normal.n
    assert [part.about for part in planned.parts] == [
        {"part": "normal", "split": "test"}, {"part": "interference", "split": "test"}
    ]  # fmt: skip
    assert [part.n for part in plan("dispersion_test", out=tmp_path, samples=10).parts] == [8, 2]


def test_parts_with_the_same_first_are_twins(tmp_path: Path) -> None:
    tree = {"data": {}, "parts": [{"name": "a", "n": 2, "first": 0}, {"name": "b", "n": 2, "first": 0}]}
    assert [part.data.first for part in plan(file_with(tmp_path, tree), out=tmp_path).parts] == [0, 0]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([{"name": "a", "n": 1}, {"name": "a", "n": 1}], "two parts have one name"),
        ([{"name": "a"}], r"parts\.0\.n"),
        ([{"name": "a", "n": 1, "changes": {"frequency.min_hertz": 3}}], r"parts\.a: 1 mistake"),
        ("many", "parts"),
    ],
)
def test_parts_that_are_none_are_refused(tmp_path: Path, parts: Any, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        plan(file_with(tmp_path, {"task": "dispersion", "parts": parts}), out=tmp_path)


def test_counts_keep_their_proportion_and_their_sum() -> None:
    assert shared([800, 200], 10) == [8, 2]
    assert shared([1, 1, 1], 4) == [2, 1, 1]
    assert shared([800, 200], 1) == [1, 0]
    assert shared([5, 7], None) == [5, 7]


@pytest.mark.parametrize(
    "name", ["dispersion", "dispersion_test", "dispersion_test_normal", "dispersion_test_interference"]
)
def test_packaged_recipes_are_read(name: str, tmp_path: Path) -> None:
    planned = plan(name, out=tmp_path)
    assert planned.manifest.is_relative_to(tmp_path)
    wanted = {"dispersion": (4, 42), "dispersion_test": (800, 4242), "dispersion_test_normal": (800, 4242)}
    assert (planned.parts[0].n, planned.seed) == wanted.get(name, (200, 4343))
