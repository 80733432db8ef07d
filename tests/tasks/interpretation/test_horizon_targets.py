"""Horizons that people picked are targets: read onto voxels, and enough to teach what is of one time."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seisloom.bundle import open_predictor
from seisloom.convert import open_volume
from seisloom.errors import DataError, MissingDataError
from seisloom.io.volumes.volume import Given
from seisloom.physics.volumes.box import make_box
from seisloom.physics.volumes.draw import draw_volume
from seisloom.physics.volumes.priors import VolumePriors
from seisloom.run.train import train
from seisloom.sample import Array
from seisloom.tasks.interpretation.data import arrays_of, plan
from seisloom.tasks.interpretation.horizon_targets import read_horizon_voxels

from .conftest import Small

SHAPE = (1, 48, 40)
GIVEN = Given(n1=40, n2=48, n3=1)
N_CUBES = 16
LEVELS = (8, 16, 24, 32)
SMOOTH = VolumePriors(n_faults=(0, 0), relief_samples=(6, 12), tilt=(0, 0.1), noise_ratio=(0, 0.1))


def horizons(rgt: Array) -> pd.DataFrame:
    """Return the depths at which relative time is what it is in the middle of the section at some samples."""
    rows = []
    for number, sample in enumerate(LEVELS, 1):
        level = rgt[0, rgt.shape[1] // 2, sample]
        for trace in range(rgt.shape[1]):
            depth = np.interp(level, rgt[0, trace], np.arange(rgt.shape[2]), left=np.nan, right=np.nan)
            if np.isfinite(depth):
                rows.append((number, 0, trace, depth))
    return pd.DataFrame(rows, columns=["horizon", "inline", "crossline", "sample"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images with horizons and nothing else. Not to be written to."""
    root = tmp_path_factory.mktemp("horizons")
    for folder in ("data_train", "target_train"):
        (root / folder).mkdir()
    for n in range(N_CUBES):
        found = make_box(draw_volume(SHAPE, n, SMOOTH), tuple(slice(0, size) for size in SHAPE))
        found["seismic"].tofile(root / "data_train" / f"{n}.bin")
        horizons(found["rgt"]).to_csv(root / "target_train" / f"{n}_horizons.csv", index=False)
    return root


def test_points_lie_on_the_voxels_that_are_nearest(root: Path) -> None:
    file = root / "target_train" / "0_horizons.csv"
    numbers = read_horizon_voxels(file, open_volume(root / "data_train" / "0.bin", GIVEN))
    table = pd.read_csv(file)
    assert numbers.shape == SHAPE
    assert (numbers > 0).sum() == len(table)
    for row in table.itertuples():
        assert numbers[0, int(row.crossline), round(row.sample)] == row.horizon


def test_blocks_of_inline_crossline_sample_say_the_same(root: Path, tmp_path: Path) -> None:
    table = pd.read_csv(root / "target_train" / "0_horizons.csv")
    lines = []
    for number, block in table.groupby("horizon"):
        lines += [f"# horizon {number} level 0.5 inline crossline sample"]
        lines += [f"{row.inline} {row.crossline} {row.sample:.6f}" for row in block.itertuples()]
    (tmp_path / "0_horizons.dat").write_text("\n".join(lines))
    volume = open_volume(root / "data_train" / "0.bin", GIVEN)
    found = read_horizon_voxels(tmp_path / "0_horizons.dat", volume)
    np.testing.assert_array_equal(found, read_horizon_voxels(root / "target_train" / "0_horizons.csv", volume))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("horizon,inline,crossline\n1,0,3\n", "points need sample"),
        ("inline,crossline,sample\n0,3,5\n", "no column horizon"),
        ("horizon,sample\n1,5\n", "points need inline and crossline, or x_m and y_m"),
        ("horizon,x_m,y_m,sample\n1,5,5,5\n", "does not say where its traces are"),
        ("horizon,inline,crossline,sample\n1,7,3,5\n1,0,3,500\n", "none of its 2 points lies in"),
    ],
)
def test_a_file_that_does_not_fit_says_what_it_needs(root: Path, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "0_horizons.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=said):
        read_horizon_voxels(file, open_volume(root / "data_train" / "0.bin", GIVEN))


def recipe_changes(root: Path) -> list[str]:
    return [
        f"data.root={root}", "n1=40", "n2=48", "n3=1", "model.fault=false", "model.dhr=false", "model.rgt=true",
        "loss=[{name: equal_time, weight: 1.0}, {name: rgt_order, weight: 1.0, min_step: 0.2}]", "metrics=[]",
        "split.valid=0.3", "split.calibrate=0", "split.test=0",
    ]  # fmt: skip


def test_horizons_alone_make_time_one_along_them(
    # On what trained it: to see it on other sections takes more of them, and minutes
    root: Path,
    small: Small,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    wide = "model.widths=[8, 12, 16, 16, 16]"  # it has to see a section as a whole
    recipe = small(*recipe_changes(root), wide, "train.epochs=40", "train.lr=1e-2", "train.monitor=train/loss")
    trained = train(recipe, tmp_path / "model")
    opened = open_predictor(trained.bundle.path)
    spreads = {"untrained": [], "trained": []}
    for ref in plan(recipe):
        if ref.key not in shown(trained.bundle.path):
            continue
        arrays = arrays_of(recipe, ref)
        x = recipe.scale.of_values(arrays["seismic"])(arrays["seismic"])[None, None]
        time = opened.predictor({"x": x})["rgt"][0]
        for name, one in (("untrained", np.broadcast_to(np.arange(40.0), SHAPE)), ("trained", time)):
            spreads[name].append(np.mean([one[arrays["horizon"] == k].std() for k in (1, 2, 3, 4)]))
    assert np.mean(spreads["trained"]) < 0.6 * np.mean(spreads["untrained"])


def shown(bundle: Path) -> set[str]:
    return set(json.loads((bundle / "split.json").read_text())["groups"]["train"])


def test_the_term_without_horizons_is_said_before_training(small: Small, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="equal_time needs horizons beside the other targets"):
        plan(small("model.rgt=true", "loss=[{name: equal_time}]", "metrics=[]"))
