"""What many tests share: where real records lie, and a tiny synthetic survey with a recipe that trains in seconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from seisloom.bundle import Bundle
from seisloom.cli.main import main
from seisloom.physics.survey import SurveyConfig
from seisloom.recipe import Recipe, read_recipe
from seisloom.run.train import train
from seisloom.tasks.picking.survey.build import build_manifest
from seisloom.tasks.picking.survey.synth import write_survey

from .page import check_page as check

BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared" / "data"

# Two lines of 5 stations and 12 shots, 0.1 s at 2 kHz: enough groups for every part of a split
TINY_SURVEY = SurveyConfig(
    n_geometries=2, n_stations=5, n_shots=12, record_s=0.1, fs_hz=(2000.0,), delay_s=(0.0,), station_spacing_m=(12, 16),
    share_unpicked=0.1, snr_db=(10, 40), seed=3,
)  # fmt: skip
TINY_CHANGES = (
    "shards.win_len_s=0.1", "data.crop_s=0.08", "data.gather_size=5", "model.widths=[4, 8]", "model.n_blocks=[1, 1]",
    "model.dilations=[1, 1]", "train.epochs=2", "train.batch_size=4", "train.threads=1", "train.loggers=[csv]",
    "train.accelerator=cpu", "train.ema=0", "train.finish=null", "calibrate.folds=0",
)  # fmt: skip

# A machine that others work on too is slow at times, and a test says nothing of time
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

Tiny = Callable[..., Recipe]


@pytest.fixture(scope="session")
def field_data() -> Path:
    """The folder of real records; SEISLOOM_DATA, or the one beside the repository."""
    folder = Path(os.environ.get("SEISLOOM_DATA") or BESIDE_THE_REPOSITORY)
    if not folder.is_dir():
        pytest.skip(f"no real records: neither SEISLOOM_DATA nor {BESIDE_THE_REPOSITORY} is there")
    return folder


@pytest.fixture
def seisloom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command in an empty folder; gives its exit code and what it says."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["seisloom", *words])
        capfd.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        out, err = capfd.readouterr()
        return int(code), out, err

    return run


@pytest.fixture(scope="session")
def check_page() -> Callable[[Path], int]:
    """Compares the page of an evaluation with its numbers; returns how many cells it has."""
    return check


@pytest.fixture(scope="session")
def tiny_survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny synthetic survey with its manifests. Not to be written to."""
    root = tmp_path_factory.mktemp("tiny") / "survey"
    write_survey(TINY_SURVEY, root)
    build_manifest(root)
    return root


@pytest.fixture(scope="session")
def tiny(tiny_survey: Path) -> Tiny:
    """Makes the recipe of a tiny network on the tiny survey, with changes."""

    def recipe(*changes: str) -> Recipe:
        return read_recipe("picking", [f"data.root={tiny_survey}", *TINY_CHANGES, *changes])

    return recipe


@pytest.fixture(scope="session")
def tiny_bundle(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that was trained, calibrated and scored on the tiny survey. Not to be written to."""
    out = tmp_path_factory.mktemp("bundle") / "tiny"
    return train(tiny("train.epochs=6", "train.lr=0.01", "apply.min_probability=0"), out).bundle
