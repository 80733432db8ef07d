"""Each row of docs/how-to/from-your-scripts.md is run here, and has the effect that it names."""

from __future__ import annotations

import csv
import json
import pickle
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import segyio
import torch
from typer.testing import CliRunner

from seisloom import plugins
from seisloom.augment.augmentation import augment
from seisloom.bundle import Bundle, network_of
from seisloom.cli.main import app
from seisloom.convert import create_volume, open_volume
from seisloom.io.shards import Shards
from seisloom.io.volumes.grid import Axis, Grid, whole
from seisloom.io.volumes.volume import Spec, Traces, Wanted
from seisloom.recipe import Recipe, read_recipe, recipe_from
from seisloom.task import task_of
from seisloom.training.dataset import SeismicDataset
from seisloom.training.loader import LiveSource, loader

ROOT = Path(__file__).resolve().parents[1]
SURVEY = ROOT / "tests" / "data" / "mdio_v1" / "small.sgy"
PAGE = ROOT / "docs" / "how-to" / "from-your-scripts.md"
NETWORK = (
    "model.widths=[4,8]", "model.n_blocks=[1,1]", "model.dilations=[1,1]", "data.gather_size=5", "data.crop_s=0.08",
    "win_len_s=0.1", "train.accelerator=cpu", "train.threads=1", "train.ema=0", "train.loggers=[csv]",
    "calibrate.folds=0",
)  # fmt: skip
AROUND_PICKS = (
    "win_mode=pick", "pre_s=0.005", "post_s=0.005", "pos_win_s=0.001", "neg_to_pos_max=5", "neg_sta_s=0.001",
    "neg_lta_s=0.004",
)  # fmt: skip
"""Windows so short that noise before the picks of a survey of 0.1 s has room for them."""


def seisloom(*words: object) -> str:
    """Run a command and return what it says; an error is raised as it is."""
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@dataclass
class House:
    """A survey, its shards and a bundle, each made by the command when a row first asks for it."""

    survey: Path
    folder: Path
    n_made: int = 0

    def new(self, name: str) -> Path:
        """Return a path that is not there yet."""
        self.n_made += 1
        return self.folder / f"{self.n_made}-{name}"

    def shards(self, *changes: str) -> Path:
        """Write the shards of one line and return their folder."""
        out = self.new("shards")
        data = ("--data", self.survey, "--out", out, "--workers", 1, "--geom", "LAND001")
        seisloom("shards", "write", "win_len_s=0.1", *changes, *data)
        return out

    def samples(self, *changes: str) -> list[dict[str, Any]]:  # Any: arrays
        """Return the arrays of each sample of one line, with its key."""
        shards = Shards(self.shards(*changes))
        return [{"key": ref.key, **shards.read(ref).arrays} for ref in shards.refs]

    def n_noise(self, *changes: str) -> int:
        """Return the number of windows of noise."""
        return sum("-noise-" in one["key"] for one in self.samples(*AROUND_PICKS, *changes))

    def noise_starts(self, *changes: str) -> dict[str, float]:
        """Return where each window of noise begins, by its key."""
        some = self.samples(*AROUND_PICKS, "neg_stalta_thresh=1000", *changes)
        return {one["key"]: float(one["t0_s"]) for one in some if "-noise-" in one["key"]}

    @cached_property
    def _trained(self) -> tuple[Path, str]:
        shards, out = self.new("wds"), self.new("bundle")
        seisloom("shards", "write", "--data", self.survey, "--out", shards, "--workers", 1, "win_len_s=0.1")
        options = ("--batch-size", 2, "--num-workers", 1, "--epochs", 2)
        said = seisloom("train", "--data", self.survey, "--wds", shards, "--out", out, *options, *NETWORK)
        return out, said

    @property
    def bundle(self) -> Path:
        """A trained bundle."""
        return self._trained[0]

    @property
    def said(self) -> str:
        """What training said."""
        return self._trained[1]

    @property
    def station(self) -> Path:
        """One station's SEG-Y file."""
        return self.survey / "geometries" / "LAND001" / "R01.segy"

    def picks(self, *options: object) -> pd.DataFrame:
        """Return the table of picks of a station."""
        out = self.new("picks.csv")
        seisloom("apply", self.bundle, self.station, "--out", out, *options)
        return pd.read_csv(out, keep_default_na=True)


@pytest.fixture(scope="module")
def house(tiny_survey: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tiny_survey, tmp_path_factory.mktemp("seeds"))


CHECKS: dict[str, Callable[[House], None]] = {}


def row(*cells: str) -> Callable[[Callable[[House], None]], Callable[[House], None]]:
    """Register a check of the rows whose first cell is this text."""

    def register(check: Callable[[House], None]) -> Callable[[House], None]:
        for cell in cells:
            assert cell not in CHECKS, cell
            CHECKS[cell] = check
        return check

    return register


def cells_of_the_page() -> Iterator[str]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| in your script"):
            yield line.split(" | ")[0].removeprefix("| ")


@pytest.mark.parametrize("cell", list(cells_of_the_page()))
def test_a_row_of_the_page_has_its_effect(cell: str, house: House) -> None:
    assert cell in CHECKS, f"{PAGE.name}: the row {cell!r} is not tested; register a check of it"
    CHECKS[cell](house)


def test_no_check_is_left_without_its_row() -> None:
    assert sorted(set(CHECKS) - set(cells_of_the_page())) == []


# --- commands


@row("`build_manifest_from_segy.py ROOT`")
def manifests_of_all_geometries(house: House) -> None:
    out = house.new("manifests")
    seisloom("manifest", "build", house.survey, "--out", out, "--workers", 1)
    assert sorted(path.parent.name for path in out.glob("geometries/*/picks_manifest.csv")) == ["LAND001", "LAND002"]


@row("`build_manifest_from_segy.py ROOT --geoms A B`")
def manifests_of_some_geometries(house: House) -> None:
    for geom in (("--geom", "LAND001,LAND002"), ("--geom", "LAND001", "--geom", "LAND002"), ("--geom", "LAND002")):
        out = house.new("manifests")
        seisloom("manifest", "build", house.survey, "--out", out, "--workers", 1, *geom)
        there = {path.parent.name for path in out.glob("geometries/*/picks_manifest.csv")}
        assert there == {name for word in geom for name in word.split(",") if name != "--geom"}


@row("`etl_to_wds_from_manifest.py ROOT --out DIR`", "`etl_to_wds_from_manifest.py ... --geom A B`")
def shards_of_geometries(house: House) -> None:
    every, some = house.new("shards"), house.new("shards")
    options = ("--data", house.survey, "--workers", 1)
    seisloom("shards", "write", *options, "--out", every)
    seisloom("shards", "write", *options, "--out", some, "--geom", "LAND002")
    assert sorted(path.name for path in every.iterdir() if path.is_dir()) == ["LAND001", "LAND002"]
    assert [path.name for path in some.iterdir() if path.is_dir()] == ["LAND002"]
    as_before = house.new("shards")
    words = ("--geom", "LAND001", "LAND002", "--plots-pos", 1, "--workers", 1)
    seisloom("shards", "write", house.survey, "--out", as_before, *words)
    assert sorted(path.name for path in as_before.iterdir() if path.is_dir()) == ["LAND001", "LAND002"]


@row("`etl_to_wds_from_manifest.py ... --plots-pos 40 --plots-neg 10`")
def pictures_of_samples(house: House) -> None:
    out = house.new("shards")
    options = ("--data", house.survey, "--out", out, "--workers", 1, "--plots-pos", 3, "--plots-neg", 2)
    seisloom("shards", "write", *AROUND_PICKS, "neg_stalta_thresh=1000", *options)
    there = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert {"LAND001/plots/positive.png", "LAND001/plots/negative.png"} <= there


@row("`ML-pipe-trns-uncrtnNoise.py ROOT --wds DIR`")
def training_from_shards(house: House) -> None:
    assert Bundle.open(house.bundle).calibration is not None
    shards, out = house.shards(), house.new("bundle")
    options = ("--batch-size", 2, "--num-workers", 0, "--epochs", 1)
    seisloom("train", house.survey, "--wds", shards, "--out", out, *options, *NETWORK)
    assert Bundle.open(out).recipe.data.root == str(house.survey)


@row("`ML-trnsUncr-evaluate.py FILE --model MODEL --out DIR`", "one PNG a trace")
def a_table_and_a_picture(house: House) -> None:
    picture = house.new("picks.png")
    table = house.picks("--figure", picture)
    assert picture.read_bytes()[:4] == b"\x89PNG"
    kept = table[table["status"] == "picked"]
    assert len(table) == len(table["trace"].unique())
    assert (kept["lower_s"] <= kept["time_s"]).all()
    assert (kept["time_s"] <= kept["upper_s"]).all()


def test_training_takes_options_without_a_recipe(house: House) -> None:
    options = ("--batch-size", 2, "--num-workers", 0, "--epochs", 1)
    out = house.new("bundle")
    seisloom("train", "--data", house.survey, "--out", out, *options, *NETWORK)
    assert Bundle.open(out).recipe.train.epochs == 1


# --- layout and manifest


@row("`dataset.json`, `geometries/ID/geometry.json`, `STATION.segy`")
def layout(house: House) -> None:
    assert json.loads((house.survey / "dataset.json").read_text())["geometries"] == ["LAND001", "LAND002"]
    table = manifest(house)
    shots = json.loads((house.survey / "geometries/LAND001/geometry.json").read_text())["assets"]["shots"]
    assert set(table["station"]) <= {path.stem for path in house.station.parent.glob("*.segy")}
    assert table["shot_id"].between(shots["start"], shots["stop"]).all()


@row("`tlArrival.mat`")
def both_kinds_of_arrivals(house: House) -> None:
    made = []
    for name in ("arrivals.csv", "tlArrival.mat"):
        out = house.new("manifests")
        options = ("--out", out, "--workers", 1, "--geom", "LAND001")
        seisloom("manifest", "build", house.survey, "--arrivals", house.survey / name, *options)
        made.append(pd.read_csv(out / "geometries/LAND001/picks_manifest.csv"))
    assert np.allclose(made[0]["pick_time_s"], made[1]["pick_time_s"], atol=1e-6, equal_nan=True)


@row("`picks_manifest.csv` with `geometry, station, segy_path, trace_index, shot_id, pick_time_s`")
def columns_of_the_manifest(house: House) -> None:
    columns = list(manifest(house).columns)
    assert columns[:6] == ["geometry", "station", "segy_path", "trace_index", "shot_id", "pick_time_s"]
    assert {"pick_status", "pick_uncertainty_s", "delay_s", "offset_m", "header_used", "alignment"} <= set(columns)


@row("`pick_time_s` 0.0 for no pick")
def a_missing_pick_is_empty(house: House) -> None:
    with (house.station.parent / "picks_manifest.csv").open(newline="") as file:
        rows = [one for one in csv.DictReader(file) if one["pick_status"] != "picked"]
    assert rows
    assert {one["pick_time_s"] for one in rows} == {""}
    assert {one["pick_status"] for one in rows} <= {"unpicked", "no_arrival"}


@row("absolute `segy_path`")
def paths_are_relative(house: House) -> None:
    assert all((house.survey / path).is_file() for path in manifest(house)["segy_path"])
    assert not manifest(house)["segy_path"].str.startswith("/").any()


@row("tolerant alignment, mismatches in the log")
def alignment_is_told(house: House) -> None:
    assert set(manifest(house)["alignment"]) == {"exact"}
    report = json.loads((house.station.parent / "manifest_report.json").read_text())
    assert {"problems", "scores", "counts"} <= set(report)


@row("index alignment as a fall-back")
def alignment_by_order_is_asked_for(house: House) -> None:
    names = [one.opts for one in command("manifest", "build").params]
    assert ["--allow-index-alignment"] in [opts[:1] for opts in names]
    from seisloom.tasks.picking.survey.align import align

    shots, unknown = [1, 2, 3, 4], {"byte_9": np.array([70, 70, 70])}
    assert (align(unknown, shots).shot_id == -1).all()
    assert align(unknown, shots, by_index=True).shot_id.tolist() == [1, 2, 3]


# --- shards


@row("`--target-len`")
def target_len(house: House) -> None:
    assert {one["x"].shape[-1] for one in house.samples("target_len=64")} == {64}


@row("`--shard-size`")
def shard_size(house: House) -> None:
    names = [path.name for path in house.shards("shard_size=4").rglob("picks-R01-*.tar")]
    assert sorted(names) == [f"picks-R01-{number:05d}.tar" for number in range(len(names))]
    assert len(names) > 1


@row("`--pos-win-s`")
def pos_win_s(house: House) -> None:
    picked = [one for one in house.samples("pos_win_s=0.01") if one["has_pick"] == 1 and 20 < one["y_idx"] < 180]
    assert {int(one["y_mask"].sum()) for one in picked} <= {40, 41}  # 2 x 0.01 s at 2000 Hz


@row("`--win-mode pick`")
def win_mode_pick(house: House) -> None:
    places = [
        {float(one["y_idx"]) for one in house.samples(*AROUND_PICKS, change) if one["has_pick"] == 1}
        for change in ("jitter_s=0.004", "jitter_s=0")
    ]
    assert np.ptp(list(places[0])) > 8  # samples; it reaches 8 to both sides
    assert np.ptp(list(places[1])) <= 1


@row("`--win-mode center`", "`--pre-s`, `--post-s`")
def win_mode_center(house: House) -> None:
    windows = [
        one for one in house.samples("win_mode=center", "pre_s=0.02", "post_s=0.03") if "-noise-" not in one["key"]
    ]
    assert {one["x"].shape[-1] for one in windows} == {100}
    # A record of 0.1 s that begins at the shot: its middle is at 0.05 s
    assert {round(float(one["t0_s"]), 2) for one in windows} == {0.03}


@row("`--win-mode none`")
def win_mode_none(house: House) -> None:
    assert {(one["x"].shape[-1], float(one["t0_s"])) for one in house.samples("win_mode=none")} == {(200, 0.0)}


@row("`--win-mode fixed`", "`--win-start-s`, `--win-len-s`")
def win_mode_fixed(house: House) -> None:
    windows = house.samples("win_mode=fixed", "win_start_s=0.02", "win_len_s=0.05")
    assert {(one["x"].shape[-1], round(float(one["t0_s"]), 6)) for one in windows} == {(100, 0.02)}


@row("`--neg-mode`")
def neg_mode(house: House) -> None:
    leading, random, trailing = (house.noise_starts(f"neg_mode={mode}") for mode in ("leading", "random", "trailing"))
    both = sorted(set(leading) & set(random) & set(trailing))
    assert all(leading[key] <= random[key] <= trailing[key] for key in both)
    assert {leading[key] for key in both} == {0.0}
    assert any(trailing[key] > 0 for key in both)


@row("`--neg-k`")
def neg_k(house: House) -> None:
    assert house.n_noise("neg_k=0") == 0 < house.n_noise("neg_k=1") < house.n_noise("neg_k=3")


@row("`--neg-stalta-thresh`")
def neg_stalta_thresh(house: House) -> None:
    assert house.n_noise("neg_stalta_thresh=1.2") < house.n_noise("neg_stalta_thresh=50")


@row("`--neg-sta-s`, `--neg-lta-s`")
def neg_windows(house: House) -> None:
    first = house.n_noise()
    assert house.n_noise("neg_sta_s=0.0005") != first
    assert house.n_noise("neg_lta_s=0.002") != first


@row("`--neg-stalta-max-tries`")
def neg_stalta_max_tries(house: House) -> None:
    loud = "neg_stalta_thresh=1.5"
    assert house.n_noise(loud, "neg_stalta_max_tries=1") < house.n_noise(loud, "neg_stalta_max_tries=20")


@row("`--neg-to-pos-max`")
def neg_to_pos_max(house: House) -> None:
    some = house.samples(*AROUND_PICKS, "neg_stalta_thresh=1000", "neg_to_pos_max=0.2", "neg_k=2")
    noise = [one["key"] for one in some if "-noise-" in one["key"]]
    picked = [one["key"] for one in some if one["has_pick"] == 1]
    assert noise
    for station in {key.split("/")[1] for key in noise}:
        n_noise, n_picked = (sum(f"/{station}/" in key for key in keys) for keys in (noise, picked))
        assert n_noise <= 0.2 * n_picked


@row("`DIR/GEOM/picks-STATION-00000.tar`")
def names_of_shards(house: House) -> None:
    out = house.shards()
    assert (out / "LAND001" / "picks-R01-00000.tar").is_file()
    assert (out / "LAND001" / "picks-R01-00000.index.json").is_file()
    assert (out / "LAND001" / "index.json").is_file()


@row("`.npz` with `x`, `y_mask`, `has_pick`, `y_idx`, `fs`", "pickled `meta` in the `.npz`")
def fields_of_a_sample(house: House) -> None:
    with tarfile.open(house.shards() / "LAND001" / "picks-R01-00000.tar") as tar:
        names = tar.getnames()
        first = tar.extractfile(names[0])
        about = tar.extractfile(names[1])
        assert first is not None
        assert about is not None
        arrays = dict(np.load(first, allow_pickle=False))
        assert "segy_path" in json.load(about)["meta"]
    assert {"x", "y_mask", "has_pick", "y_idx", "fs", "y_sigma_s", "t0_s", "offset_m"} == set(arrays)
    assert arrays["x"].ndim == 2  # (C, T)
    assert {int(one["has_pick"]) for one in house.samples()} == {-1, 0, 1}


@row("7 feature channels")
def feature_channels(house: House) -> None:
    assert {one["x"].shape[0] for one in house.samples("prepare=[seed_features]")} == {7}
    assert {one["x"].shape[0] for one in house.samples()} == {1}


@row("`--align-tol`, `--total-win-s`")
def keys_that_did_nothing(house: House) -> None:
    fields = type(read_recipe("picking").shards).model_fields  # type: ignore[union-attr]
    assert not {"align_tol", "total_win_s"} & set(fields)


# --- training


@row("`--batch-size`", "`--num-workers`", "`--epochs`")
def options_of_training(house: House) -> None:
    train = Bundle.open(house.bundle).recipe.train
    assert (train.batch_size, train.num_workers, train.epochs) == (2, 1, 2)
    assert len(pd.read_csv(house.bundle / "history.csv")) == 2


@row("`--target-fs`")
def target_fs(house: House) -> None:
    windows = house.samples("target_fs=1000")
    assert {(float(one["fs"]), one["x"].shape[-1]) for one in windows} == {(1000.0, 100)}
    recipe = read_recipe("picking", ["target_fs=1000", "model.fs_hz=1000"])
    assert recipe.shards.target_fs == 1000  # type: ignore[union-attr]


@row("`--window-size`, `--num-heads`")
def attention(house: House) -> None:
    from seisloom.cli.data import as_changes

    words = ["model.name=onset_transformer", "--window-size", "64", "--num-heads", "4"]
    recipe = read_recipe("picking", as_changes([*words, *NETWORK]))
    assert (recipe.model.window_size, recipe.model.num_heads) == (64, 4)  # type: ignore[attr-defined]
    assert recipe.model.build(recipe_items()) is not None
    other = recipe.model.model_copy(update={"window_size": 16})
    assert other.attention() != recipe.model.attention()  # type: ignore[attr-defined]


@row("(mean, log-σ), Gaussian NLL")
def gaussian_nll(house: House) -> None:
    from seisloom.losses.onset import OnsetNLL

    outputs = {"mean": torch.zeros(1, 1), "log_sigma": torch.zeros(1, 1)}
    batch = {"y_idx": torch.ones(1, 1), "has_pick": torch.ones(1, 1, dtype=torch.int8)}
    value = OnsetNLL(density="gaussian", beta=0)(outputs, batch)
    # -log of a standard normal density one sigma off its mean; the constant may be left out
    assert float(value) == pytest.approx(0.5 + 0.5 * np.log(2 * np.pi), abs=0.92)
    assert "onset_nll" in [one.name for one in Bundle.open(house.bundle).recipe.loss]


@row("clamped log-σ")
def clamped_sigma(house: House) -> None:
    recipe = read_recipe("picking", [*NETWORK, "model.min_sigma=0.5", "model.max_sigma=0.6"])
    network = recipe.model.build(recipe_items()).eval()
    batch = {
        "x": torch.randn(1, 3, 1, 200), "fs": torch.full((1,), 2000.0), "t0_s": torch.zeros(1, 3),
        "offset_m": torch.full((1, 3), float("nan")),
    }  # fmt: skip
    sigma = network(batch)["log_sigma"].exp()
    assert float(sigma.min()) >= 0.5 - 1e-6
    assert float(sigma.max()) <= 0.6 + 1e-6
    assert "valid/sigma_clamped" in pd.read_csv(house.bundle / "history.csv").columns


@row("non-finite loss")
def non_finite_loss(house: House) -> None:
    assert Bundle.open(house.bundle).recipe.train.max_non_finite == 10  # that it stops: tests/training


@row("train/val split by shard")
def split_by_group(house: House) -> None:
    found = json.loads((house.bundle / "split.json").read_text())
    assert found["by"] == ["shot"]
    parts = [set(found["groups"][part]) for part in ("train", "valid", "calibrate", "test")]
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts))
    assert read_recipe("picking", ["split.by=[station]"]).split.by == ("station",)


@row("conformal `q`")
def conformal_q(house: House) -> None:
    calibration = Bundle.open(house.bundle).calibration
    assert calibration is not None
    assert "calibration:" in house.said
    table = house.picks()
    q = float(calibration.q(None, alpha=0.1))
    half = (table["upper_s"] - table["lower_s"]) / 2
    known = table["sigma_s"].notna()
    assert np.allclose(half[known], q * table.loc[known, "sigma_s"], rtol=1e-4)


@row("the model file", "the loss plot")
def files_of_a_bundle(house: House) -> None:
    names = ("weights.safetensors", "model.pth", "checkpoints/best.ckpt", "checkpoints/last.ckpt")
    for name in (*names, "loss_plot.png", "history.csv", "card.md"):
        assert (house.bundle / name).is_file(), name
    state = torch.load(house.bundle / "model.pth", weights_only=True)
    Bundle.open(house.bundle).recipe.model.build(recipe_items()).load_state_dict(state)


@row("`evaluate_picks/*.png`")
def pictures_of_picks(house: House) -> None:
    assert list((house.bundle / "evaluate_picks").glob("gather-*.png"))
    assert (house.bundle / "report.html").is_file()


@row("`--batch-size 64 --num-workers 8` on a cluster")
def the_recipe_for_a_cluster(house: House) -> None:
    train = read_recipe("picking_cluster").train
    assert (train.batch_size, train.num_workers, train.devices) == (64, 8, "auto")
    assert "picking_cluster" in (ROOT / "examples" / "picking.sbatch").read_text()


# --- picking and abstaining


@row("`--abstain-width-s`")
def abstain_width_s(house: House) -> None:
    free = house.picks()
    half = (free["upper_s"] - free["lower_s"]) / 2
    limit = float(half.median())
    table = house.picks("--abstain-width-s", limit)
    wide = half > limit
    assert wide.any()
    assert (table.loc[wide, "status"] == "abstained").all()
    assert table.loc[wide, "reason"].str.contains("half-width").all()
    assert not table.loc[~wide, "reason"].fillna("").str.contains("half-width").any()


@row("`--snr-min`")
def snr_min(house: House) -> None:
    free = house.picks()
    limit = float(free["snr_db"].median())
    table = house.picks("--min-snr-db", limit)
    weak = ~(free["snr_db"] >= limit)
    assert weak.any()
    assert (table.loc[weak, "status"] == "abstained").all()
    assert 20 * np.log10(1.5) == pytest.approx(3.5, abs=0.03)


@row("`--device`")
def device(house: House) -> None:
    assert len(house.picks("--device", "cpu"))


@row("`--mode`, `--win-s`, `--hop-s`")
def windows_of_apply(house: House) -> None:
    from seisloom.bundle import open_predictor

    whole = open_predictor(house.bundle)
    parts = whole.with_changes(window_s=0.05, overlap=0.5)
    assert whole.recipe.apply.max_s == 4.0
    n_items: dict[str, int] = {}
    for name, one in (("whole", whole), ("parts", parts)):
        seen: list[int] = []

        def counted(arrays: Any, inner: Any = one.predictor, seen: list[int] = seen) -> Any:  # Any: arrays by name
            seen.append(arrays["x"].shape[-1])
            return inner(arrays)

        list(one.task.apply(one.recipe, counted, one.calibration, one.records(house.station)))
        n_items[name] = max(seen)
    assert n_items == {"whole": 200, "parts": 100}


def manifest(house: House) -> pd.DataFrame:
    """Return the manifest of the first line."""
    return pd.read_csv(house.station.parent / "picks_manifest.csv")


# --- volumes


@row('`input.tofile("0.bin")`, n1 the fastest, `--n1 --n2 --n3`')
def a_raw_cube_is_opened_by_its_sizes(house: House) -> None:
    cube, out = house.new("cube"), house.new("cube.zarr")
    values = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    cube.write_bytes(values.tobytes())
    seisloom("convert", cube, out, "--n1", 5, "--n2", 4, "--n3", 3)
    np.testing.assert_array_equal(open_volume(out).read(whole((3, 4, 5))), values)


@row("SEG-Y to binary patches `0.bin, 1.bin, ...` of 128 x 128 x 128")
def a_survey_is_cut_into_numbered_cubes(house: House) -> None:
    cubes = house.new("cubes")
    seisloom("convert", SURVEY, cubes, "--patch", "8,3,2")
    first = np.fromfile(cubes / "0.bin", np.float32).reshape(2, 3, 8)
    survey = open_volume(SURVEY)
    np.testing.assert_array_equal(first, survey.read((slice(0, 2), slice(0, 3), slice(0, 8))))
    joined = house.new("joined.zarr")
    seisloom("convert", cubes, joined)
    everything = whole(survey.spec.grid.shape)
    np.testing.assert_array_equal(open_volume(joined).read(everything), survey.read(everything))


@row("the `.bin` output back to SEG-Y with segyio, for Petrel, OpendTect, Kingdom")
def a_result_goes_back_to_segy(house: House) -> None:
    result, out = house.new("result.rgt"), house.new("result.sgy")
    values = np.random.default_rng(0).random((4, 5, 16)).astype(np.float32)
    result.write_bytes(values.tobytes())
    sizes = ("--n1", 16, "--n2", 5, "--n3", 4)
    seisloom("convert", result, out, "--like", SURVEY, *sizes)
    live = open_volume(SURVEY).traces(whole((4, 5))).live
    with segyio.open(out, ignore_geometry=True) as opened:
        np.testing.assert_array_equal(opened.trace.raw[:], values[live])
    free = house.new("free.sgy")
    seisloom("convert", result, free, *sizes)
    with segyio.open(free, iline=189, xline=193) as opened:  # strict: a regular grid
        np.testing.assert_array_equal(segyio.cube(opened), values)


@row("`.vgi` or `.raw` header for ParaView")
def paraview_gets_its_headers(house: House) -> None:
    out = house.new("cube.nhdr")
    seisloom("convert", SURVEY, out)
    assert out.read_text().startswith("NRRD")
    assert out.with_suffix(".vgi").is_file()
    values = np.fromfile(out.with_suffix(".raw"), np.float32)
    np.testing.assert_array_equal(values, open_volume(SURVEY).read(whole((4, 5, 16))).ravel())


@row("`numpy.fromfile` and Matplotlib")
def a_section_is_drawn(house: House) -> None:
    picture = house.new("section.png")
    seisloom("view", "section", SURVEY, "--inline", 12, "--out", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


# --- classification: LSTM on events


class Script:
    """Pickled events of a script, brought in by the command, and what training on them says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = np.random.default_rng(0)
        for name in ("VRAC", "MORC"):
            quakes = [pd.DataFrame({one: rng.normal(size=700 + k) for one in "ZNE"}) for k in range(20)]
            noise = [pd.DataFrame({one: rng.normal(size=720).cumsum() for one in "ZNE"}) for _ in range(20)]
            labels = np.array(["earthquake"] * 20 + ["noise"] * 20)
            (folder / f"{name}.pkl").write_bytes(pickle.dumps((quakes + noise, labels)))
        self.events = folder / "events"
        paths = (folder / "VRAC.pkl", folder / "MORC.pkl")
        self.converted = seisloom("convert", *paths, self.events, "--sampling-rate", 100)

    @property
    def changes(self) -> tuple[str, ...]:
        """What a user types after `train classification`."""
        return (
            f"data.paths=[{self.events}]", "channels=Z,N,E", "data.classes=[]", "data.sampling_rate_hz=null",
            "data.pick_s=null", "data.window_s=6", "data.before_s=1", "data.shift_s=0", "prepare=[]",
            "transforms=DROP_NAN | TRIMMING | ZSCORE", "test_ratio=0.3", "represent=[{name: fft, fft_size: 512}]",
            "train.threads=1", "train.accelerator=cpu", "train.loggers=[csv]", "train.epochs=1",
        )  # fmt: skip

    @cached_property
    def trained(self) -> tuple[Path, str]:
        """A bundle of the script's network, and what training said."""
        out = self.folder / "bundle"
        return out, seisloom("train", "classification", *self.changes, "model.name=lstm", "--out", out)

    def recipe(self, *changes: str) -> Any:  # Any: a recipe of the room
        """Return the recipe with changes."""
        return read_recipe("classification", [*self.changes, *changes])


@cache
def _script(folder: Path) -> Script:
    return Script(folder)


def script(house: House) -> Script:
    """Return the events, made when a row first asks for them."""
    (folder := house.folder / "script").mkdir(exist_ok=True)
    return _script(folder)


@row("`paths = ['./resources/VRAC.pkl', './resources/MORC.pkl', ...]`", "number of loaded events per file")
def pickles_are_brought_in(house: House) -> None:
    for name in ("VRAC", "MORC"):
        assert f"{name}.pkl: 40 events; earthquake 20, noise 20" in script(house).converted
    assert (script(house).events / "manifest.csv").is_file()


@row("`python pipelines/train_lstm.py`", "training progress with loss and metrics")
def the_script_as_one_command(house: House) -> None:
    out, _ = script(house).trained
    assert Bundle.open(out).recipe.model.name == "lstm"
    for name in ("history.csv", "loss_plot.png", "metrics.json", "report.html"):
        assert (out / name).is_file(), name
    assert {"epoch", "train/loss", "valid/loss", "valid/macro_f1"} <= set(pd.read_csv(out / "history.csv").columns)


@row("`WaveformDataAdapter(events=events, labels=labels)`")
def labels_stand_in_the_manifest(house: House) -> None:
    table = pd.read_csv(script(house).events / "manifest.csv")
    assert set(table["label"]) == {"earthquake", "noise"}
    assert tuple(Bundle.open(script(house).trained[0]).recipe.data.classes) == ("earthquake", "noise")


@row("`channels=channels`")
def channels_of_the_script(house: House) -> None:
    assert script(house).recipe("channels=Z,N").data.channels == ("Z", "N")


@row(r"`transforms=TransformOP.DROP_NAN \| TransformOP.TRIMMING \| TransformOP.ZSCORE`")
def transforms_of_the_script(house: House) -> None:
    recipe = script(house).recipe()
    assert (recipe.data.gaps, recipe.data.trim, [one.name for one in recipe.prepare]) == (
        "drop",
        "shortest",
        ["zscore"],
    )


@row("`test_ratio=0.3`")
def test_ratio(house: House) -> None:
    assert script(house).recipe().split.test == 0.3
    groups = json.loads((script(house).trained[0] / "split.json").read_text())["groups"]
    assert len(groups["test"]) == 24  # 0.3 of the 40 events of each class
    assert not set(groups["test"]) & set(groups["train"])


@row(
    "`train_lstm(events_train, events_test, seq_len=seq_len, channels=len(channels), device=device)`",
    "`train_lstm_attention(...)`",
)
def both_networks(house: House) -> None:
    model = Bundle.open(script(house).trained[0]).recipe.model
    assert (model.name, model.n_channels, model.n_classes) == ("lstm", 3, 2)
    assert script(house).recipe("model.name=lstm_attention").model.name == "lstm_attention"


@row(
    "`LSTMModel(channels=3, classes=2, hidden=64, layers=2, dropout=0.3)`",
    "`LSTMAttentionModel(channels=3, classes=2, hidden=64, layers=2, heads=2, dropout=0.3)`",
)
def sizes_of_the_networks(house: House) -> None:
    from seisloom.nn.recurrent import LSTMAttentionModel, LSTMModel

    words = {"hidden": 64, "layers": 2, "dropout": 0.3}
    networks = {
        "lstm": LSTMModel(channels=3, classes=2, hidden=64, layers=2, dropout=0.3),
        "lstm_attention": LSTMAttentionModel(channels=3, classes=2, hidden=64, layers=2, heads=2, dropout=0.3),
    }
    for name, network in networks.items():
        own = {**words, "heads": 2} if name == "lstm_attention" else words
        sizes = [f"model.{key}={value}" for key, value in own.items()]
        model = script(house).recipe(f"model.name={name}", *sizes, "model.n_channels=3", "model.n_classes=2").model
        assert {key: getattr(model, key) for key in own} == own
        assert count(model.build(recipe_items())) == count(network)
        assert network(torch.zeros(1, 257, 3)).shape == (1, 2)


def count(network: torch.nn.Module) -> int:
    """Return the number of parameters."""
    return sum(one.numel() for one in network.parameters())


def chain(**more: object) -> torch.nn.Module:
    """Return the script's own snippet; changes of its shift by name."""
    from seisloom.augment.modules import (
        AddNoise,
        AmplitudeScale,
        Compose,
        FFTTransform,
        RandomApply,
        TimeShift,
        TimeStretch,
        ToTensor,
    )

    return torch.nn.Sequential(
        Compose([
            RandomApply(TimeShift(max_shift=0.1, **more), p=0.5),
            RandomApply(AddNoise(snr_min=15, snr_max=40), p=0.5),
            RandomApply(AmplitudeScale(0.9, 1.1), p=0.3),
            RandomApply(TimeStretch(0.95, 1.05), p=0.3),
        ]),
        FFTTransform(fft_size=512),
        ToTensor(),
    )  # fmt: skip


@row("`RandomApply(..., p=0.5)`", "`Compose([...])`", "`ToTensor()`", "`test_transform`")
def the_snippet_and_its_list(house: House) -> None:
    x = np.random.default_rng(0).normal(size=(6000, 3))
    transform = chain()
    found = [transform(x) for _ in range(6)]
    assert all(isinstance(one, torch.Tensor) and one.shape == (257, 3) for one in found)
    assert len({one.numpy().tobytes() for one in found}) > 1
    assert torch.equal(transform.eval()(x), torch.nn.Sequential(*list(transform)[1:])(x))
    entries = "[{name: random_apply, p: 0.5, entry: {name: gain}}, {name: gain, p: 0.5}]"
    assert [one.p for one in script(house).recipe(f"augment={entries}").augment] == [0.5, 0.5]


def changed(entry: str, x: np.ndarray) -> np.ndarray:
    """Return what an entry of a recipe makes of one record (channel, time)."""
    from seisloom.augment.augmentation import augment
    from seisloom.augment.batch import Batch
    from seisloom.augment.modules import RECORD

    batch = Batch({"x": torch.from_numpy(x.astype(np.float32))[None]}, ("one",), RECORD)
    entries = read_recipe("classification", [f"augment=[{entry}]"]).augment
    return np.asarray(augment(batch, entries, seed=0)[0].arrays["x"][0], dtype=float)


TONE = np.tile(np.sin(2 * np.pi * 50 * np.arange(2000) / 2000), (3, 1))
"""Fifty periods of a sine on three components."""


@row("`TimeShift(max_shift=0.1)`")
def a_shift_of_the_script(house: House) -> None:
    x = np.random.default_rng(0).normal(size=(3, 1000))
    circular = changed("{name: time_shift, max_shift: 0.1, circular: true}", x)
    np.testing.assert_allclose(np.sort(circular), np.sort(x.astype(np.float32)), rtol=1e-6)
    np.testing.assert_allclose(np.abs(np.fft.rfft(circular)), np.abs(np.fft.rfft(x)), rtol=1e-3, atol=1e-3)
    assert (changed("{name: time_shift, max_shift: 0.1}", x) == 0).any()


@row("`AddNoise(snr_min=15, snr_max=40)`")
def noise_of_the_script(house: House) -> None:
    noise = changed("{name: add_noise, snr_min: 20, snr_max: 20}", TONE) - TONE
    assert 10 * np.log10(np.mean(TONE**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.01)
    assert changed("{name: add_noise, snr_min: 15, snr_max: 40}", TONE).shape == TONE.shape


@row("`AmplitudeScale(0.9, 1.1)`")
def one_factor(house: House) -> None:
    ratio = changed("{name: amplitude_scale, low: 0.9, high: 1.1}", TONE)[:, 3] / TONE[:, 3]
    assert np.ptp(ratio) < 1e-5
    assert 0.9 <= ratio[0] <= 1.1


@row("`TimeStretch(0.95, 1.05)`")
def a_true_stretch(house: House) -> None:
    slow = changed("{name: time_stretch, low: 1.05, high: 1.05}", TONE)
    assert np.abs(np.fft.rfft(slow[0] * np.hanning(2000), 20000)).argmax() / 10 == pytest.approx(50 / 1.05, abs=0.1)


@row("`FFTTransform(fft_size=512)`")
def spectra_of_the_script(house: House) -> None:
    x = {"x": torch.randn(2, 3, 1000, generator=torch.Generator().manual_seed(0)), "mask": torch.ones(2, 1000)}
    for more in ("", ", compatible: true"):
        (step,) = script(house).recipe(f"represent=[{{name: fft, fft_size: 512{more}}}]").represent
        assert step.build()(x)["x"].shape == (2, 3, 257)


@row("total event count and class distribution", "input shape, model architecture summary")
def what_training_says(house: House) -> None:
    said = script(house).trained[1]
    assert "classes: earthquake 40, noise 40" in said
    assert re.search(r"train: \d+ samples in \d+ groups \(event\)", said)
    assert "model lstm: 51202 parameters" in said


@row("fan charts")
def fans_of_classes(house: House) -> None:
    picture = house.new("fans.png")
    short = ("data.channels=[Z]", "data.window_s=6", "data.before_s=1")
    seisloom("view", "events", script(house).events, *short, "--out", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


# --- dispersion

LINES = """frequency: {num_samples: 21}
phase_velocity: {min_ms: 100, max_ms: 900, num_samples: 40}
simulation: {nt: 300, dt: 0.008, nx: 8, dx: 6.0, nfft: 1024}
physics: {modes: 2, layer_count: 4, vs_bounds_kms: [0.1, 0.8], thickness_bounds_km: [0.003, 0.03]}
paths: {output_root: data, curves_subdir: curves}
cli: {dry_run_samples: 2, seed: 42}
"""


def lines(house: House) -> tuple[Path, Path]:
    """Return a file of settings in the words of the script, and the folder of its records, made once."""
    folder = house.folder / "lines"
    if not folder.is_dir():
        folder.mkdir()
        (folder / "config.yaml").write_text(LINES)
        seisloom("synth", "dispersion", folder / "config.yaml", "--samples", 2, "--seed", 123, "--validate-manifest")
    return folder / "config.yaml", folder / "data"


@row(
    "`python -m label_refactor.cli --config FILE --samples 4 --seed 123 --validate-manifest`",
    "`.npz` records with spectrum, curves, freq, phase_velocity",
)
def records_of_the_script(house: House) -> None:
    _, data = lines(house)
    rows = [json.loads(line) for line in (data / "manifests" / "labels.jsonl").read_text().splitlines()]
    assert [one["seed"] for one in rows] == [123, 123]
    with np.load(data / "curves" / f"{rows[0]['id']}.npz") as record:
        assert {"spectrum", "curves", "freq", "phase_velocity"} <= set(record.files)
        assert record["curves"].shape == (2, 21)


@row("`config_test_normal.yaml`, then `config_test_interference.yaml`")
def a_mixed_test_set(house: House) -> None:
    small = ("frequency.num_samples=21", "phase_velocity.num_samples=40", "simulation.nt=300", "simulation.nx=8")
    out = house.new("mixed")
    for name in ("normal", "interference"):
        seisloom("synth", "dispersion", f"dispersion_test_{name}", *small, "--samples", 1, "--out", out)
    (manifest,) = out.rglob("labels_test.jsonl")
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert [one["aug_noise_snr_db"] is not None for one in rows] == [False, True]


@row("a file a record")
def tar_files_of_records(house: House) -> None:
    settings, _ = lines(house)
    out = house.new("sharded")
    seisloom("synth", "dispersion", settings, "--samples", 2, "--shards", "--out", out)
    (shard,) = (out / "curves").glob("*.tar")
    with tarfile.open(shard) as tar:
        names = sorted(Path(one).suffix for one in tar.getnames())
    assert names == [".json", ".json", ".npz", ".npz"]


@row("mask tensors under `mask_subdir`")
def masks_of_the_script(house: House) -> None:
    settings, _ = lines(house)
    out = house.new("masked")
    seisloom("synth", "dispersion", settings, "mask.write=true", "--samples", 1, "--out", out)
    (mask,) = (out / "masks").glob("*.npy")
    assert np.load(mask).shape == (2, 40, 21)


@row("`python -m label_refactor.inspect --config FILE --output plots/sample.png --sample-id HEX`")
def a_picture_of_a_record(house: House) -> None:
    settings, data = lines(house)
    name = next((data / "curves").glob("*.npz")).stem
    for source in (data, settings):
        picture = house.new("sample.png")
        seisloom("view", "dispersion", source, "--output", picture, "--sample-id", name[:8])
        assert picture.read_bytes().startswith(b"\x89PNG")


# --- restoration

RESTORATION = {
    "task": "restoration",
    "data": {"crop": [1, 6, 24]},
    "split": {"by": ["panel"], "valid": 0.3, "calibrate": 0, "test": 0},
    "corrupt": [{"name": "missing"}],
    "augment": [{"name": "polarity_flip"}, {"name": "gain"}, {"name": "time_shift", "max_shift": 0.05}],
    "model": {"name": "mask_unet", "dims": 2, "widths": [4, 8], "attention": True, "keeps_live": False},
    "loss": [{"name": "relative_error"}, {"name": "l2", "output": "clean"}],
    "train": {"epochs": 1, "batch_size": 4, "accelerator": "cpu", "loggers": ["tensorboard"]},
}


def volume_to_restore(house: House) -> Path:
    """Return a Zarr volume with dipping waves, made once."""
    path = house.folder / "waves.zarr"
    if not path.exists():
        line, trace, time = np.indices((6, 12, 40))
        values = np.sin(0.5 * (time - 0.4 * trace - 0.2 * line)).astype(np.float32)
        grid = Grid((Axis.regular("inline", 6), Axis.regular("crossline", 12), Axis.regular("time", 40, step=0.004)))
        writer = create_volume(path, Spec(grid, {"amplitude": np.dtype(np.float32)}), Wanted(chunk=(2, 6, 40)))
        writer.write_traces(whole((6, 12)), Traces(np.ones((6, 12), dtype=bool)))
        writer.write(whole(values.shape), values)
        writer.finish()
    return path


def restoration_recipe(house: House, **parts: Any) -> Recipe:
    """Return a small recipe on that volume."""
    values = {**RESTORATION, "data": {**RESTORATION["data"], "root": str(volume_to_restore(house)), "block": 1}}
    return recipe_from({**values, **parts})


def restoring_bundle(house: House) -> Path:
    """Return a bundle that was trained by the command, made once."""
    out = house.folder / "restoring"
    if not out.exists():
        file = house.folder / "restoring.yaml"
        file.write_text(restoration_recipe(house).to_yaml())
        seisloom("train", file, "--out", out, "--epochs", 1, "calibrate.min_n=1")
    return out


@row("`ModelRegistry`, `PromethiumModel`")
def networks_by_name(house: House) -> None:
    network = network_of("mask_unet", weights=False, dims=3, widths=[4, 8])
    x = torch.randn(1, 4, 6, 16)
    assert network({"x": x, "live": torch.ones(1, 4, 6)})["clean"].shape == x.shape
    trained = network_of(restoring_bundle(house))
    stored = Bundle.open(restoring_bundle(house)).weights()
    assert all(torch.equal(one, stored[name]) for name, one in trained.state_dict().items())


@row("U-Net with residual blocks, attention gates, for 1D, 2D and 3D", "Autoencoder (DAE)")
def networks_of_any_size(house: House) -> None:
    x, live = torch.randn(2, 3, 7, 33), torch.ones(2, 3, 7)
    for dims in (1, 2, 3):
        for keys in ({"attention": True, "n_blocks": 2}, {"attention": False}):
            network = network_of("denoising_unet", weights=False, dims=dims, widths=[4, 8], **keys)
            assert any("gate" in name for name in network.state_dict()) == keys["attention"]
            assert network({"x": x, "live": live})["clean"].shape == x.shape
        coded = network_of("denoising_autoencoder", weights=False, dims=dims, widths=[4, 8], levels=2, latent=2)
        assert coded({"x": x, "live": live})["clean"].shape == x.shape


@row("PINN")
def a_network_of_a_wavefield(house: House) -> None:
    from seisloom.nn.pinn import Domain, PinnWavefield
    from seisloom.nn.pinn_fit import fit_pinn

    network = PinnWavefield(Domain(((0.0, 100.0),), (0.0, 0.1)), max_hz=20.0, velocity_m_s=1000.0)
    assert callable(fit_pinn)
    assert sum(one.numel() for one in network.parameters()) > 0


@row("`WaveEquationLoss`")
def the_wave_equation(house: House) -> None:
    term = plugins.load("losses", "WaveEquationLoss")
    assert term is plugins.load("losses", "wave_equation")
    k, c, dz, dt = 0.05, 2000.0, 5.0, 0.0005
    t, z = (torch.arange(n, dtype=torch.float64) for n in (80, 60))
    wave = torch.sin(k * (dz * z[None, :] - c * dt * t[:, None])).T[None, None]  # line 1, depth as trace, time
    loss = term(axes="depth_time", velocity_m_s=c, dz_m=dz, dt_s=dt)
    noise = torch.randn(wave.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    solved, guessed = (float(loss({"clean": one}, {})) for one in (wave, noise))
    assert solved < 1e-4
    assert guessed > 0.1
    assert {"plane_wave", "fk_cone", "moveout"} <= set(plugins.names("losses"))


@row("config from YAML or an API request")
def one_recipe_of_both(house: House) -> None:
    file = house.new("recipe.yaml")
    recipe = restoration_recipe(house)
    file.write_text(recipe.to_yaml())
    body = recipe.model_dump_json()
    assert read_recipe(file) == recipe_from(json.loads(body)) == type(recipe).model_validate_json(body)
    assert type(recipe).__name__ == "RestorationRecipe"


@row("`SeismicDataset`")
def a_dataset_of_torch(house: House) -> None:
    items = SeismicDataset(restoration_recipe(house), training=True)
    assert isinstance(items, torch.utils.data.Dataset)
    assert len(items) == 3 * 2
    (batch,) = torch.utils.data.DataLoader(items, batch_size=6)
    assert batch["x"].shape == (6, 1, 6, 24)


@row("Random Polarity Flip, Gain, Time Shift (`transforms.py`)")
def augmentations_in_training(house: House) -> None:
    recipe = restoration_recipe(house)
    assert [entry.name for entry in recipe.augment] == ["polarity_flip", "gain", "time_shift"]
    source = LiveSource(task_of(recipe), recipe)
    batch = next(iter(loader(task_of(recipe), recipe, source, source.refs, training=True)))
    for name in ("polarity_flip", "gain", "time_shift"):
        entry = next(one for one in recipe.augment if one.name == name).model_copy(update={"p": 1.0})
        changed = augment(batch, [entry], seed=1)[0].arrays
        live = changed["live"] > 0
        assert not torch.equal(changed["x"], batch.arrays["x"]), name
        torch.testing.assert_close(changed["x"][live], changed["clean"][live], rtol=1e-5, atol=1e-5)


@row("PyTorch Lightning: epochs, validation, checkpoints")
def training_by_lightning(house: House) -> None:
    bundle = restoring_bundle(house)
    with (bundle / "history.csv").open() as file:
        (epoch,) = csv.DictReader(file)
    assert {"train/loss", "valid/loss", "valid/relative_error", "valid/l2"} <= set(epoch)
    for name in ("checkpoints/best.ckpt", "checkpoints/last.ckpt", "weights.sha256"):
        assert (bundle / name).is_file(), name


@row("MLflow, TensorBoard")
def curves_of_both(house: House) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(restoring_bundle(house) / "logs" / "tensorboard"))
    events.Reload()
    assert {"train/relative_error", "valid/relative_error", "valid/l2"} <= set(events.Tags()["scalars"])
    train = {**RESTORATION["train"], "loggers": ["tensorboard", "mlflow"]}
    assert restoration_recipe(house, train=train).train.loggers == ("tensorboard", "mlflow")  # run in test_loggers.py


@row("overlapping patches of 128 x 128", "cosine blending", "batched patches")
def a_volume_by_tiles(house: House) -> None:
    assert Bundle.open(restoring_bundle(house)).recipe.apply.window == "cosine"
    source, outs = volume_to_restore(house), []
    # A tile that does not fit the lengths; a bundle that denoises changes every sample that it reaches
    keys = ("apply.goal=denoise", "tile=5,40", "overlap=0.25", "--workers", 1)
    for batch in (1, 4):
        outs.append(house.new("restored.zarr"))
        seisloom("apply", restoring_bundle(house), source, "--out", outs[-1], *keys, f"apply.batch_size={batch}")
    one, other = (np.asarray(open_volume(path).read(whole((6, 12, 40)))) for path in outs)
    assert np.isfinite(one).all()
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert np.any(one != 0, axis=-1).all()


def recipe_items() -> Any:  # Any: a Schema
    """Return the schema of an item of the room."""
    from seisloom.tasks.picking.recipe import ITEM

    return ITEM


def command(*words: str) -> Any:  # Any: typer's own click, which has no types
    """Return a command of the application."""
    import typer

    found: Any = typer.main.get_command(app)  # Any: as above
    for word in words:
        found = found.commands[word]
    return found
