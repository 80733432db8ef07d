"""A bank of field noise, from files of gathers to panels that a recipe corrupts with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tasks.restoration.conftest import N_TIME, N_TRACES, gathers
from typer.testing import CliRunner

from seisloom.augment.bank import Bank
from seisloom.cli.main import app
from seisloom.errors import DataError, MissingDataError, OutputError, RecipeError
from seisloom.io.segy import write_segy
from seisloom.recipe import Recipe, recipe_from
from seisloom.sample import Array
from seisloom.tasks.restoration.field_noise import write_noise_bank
from seisloom.tasks.restoration.task import RESTORATION

QUIET = 200
"""Samples before anything arrives."""


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """A folder with a SEG-Y of two shots and an array of one; noise of deviation 1, then events of 100."""
    folder = tmp_path / "survey"
    folder.mkdir()
    rng = np.random.default_rng(0)
    shots = np.concatenate([np.zeros((3, N_TRACES, QUIET)), gathers(3)], axis=2)
    shots = (shots + rng.standard_normal(shots.shape)).astype(np.float32)
    number = np.repeat([7, 8], N_TRACES)
    headers = {"energy_source_point": number, "trace_number": np.tile(np.arange(1, N_TRACES + 1), 2)}
    write_segy(folder / "two.sgy", shots[:2].reshape(-1, QUIET + N_TIME), interval_s=0.004, headers=headers)
    np.save(folder / "third.npy", shots[2])
    return folder


def test_a_folder_of_gathers_becomes_a_bank_of_noise_alone(survey: Path, tmp_path: Path) -> None:
    n = write_noise_bank(tmp_path / "bank.npz", [survey], shape=(16, 64), block=8, guard=70)
    bank = Bank.read(tmp_path / "bank.npz")
    # Three gathers of three blocks, each quiet for two windows: 18 windows of 8 traces
    assert n == len(bank) == 9
    assert bank.arrays["x"].shape == (9, 16, 64)
    np.testing.assert_allclose(bank.arrays["x"].std(axis=(1, 2)), 1, rtol=1e-3)
    assert np.abs(bank.arrays["x"]).max() < 6
    assert all(key.startswith(str(survey)) for key in bank.keys)


def test_banks_of_different_paths_share_nothing(survey: Path, tmp_path: Path) -> None:
    for name in ("two.sgy", "third.npy"):
        write_noise_bank(tmp_path / f"{name}.npz", [survey / name], shape=(8, 64), guard=30)
    one, other = (Bank.read(tmp_path / f"{name}.npz") for name in ("two.sgy", "third.npy"))
    assert not set(one.keys) & set(other.keys)
    flat = [bank.arrays["x"].reshape(-1, 64) for bank in (one, other)]
    assert np.abs(np.corrcoef(*flat)[: len(flat[0]), len(flat[0]) :]).max() < 0.7  # of 64 samples by chance


def test_a_recipe_adds_the_noise_of_a_bank_at_the_ratio_it_says(survey: Path, tmp_path: Path, recipe: Recipe) -> None:
    write_noise_bank(tmp_path / "bank.npz", [survey], shape=(16, 64), guard=30)
    entry = {"name": "add_noise", "source": "bank", "bank": str(tmp_path / "bank.npz"), "snr_min": 3, "snr_max": 3}
    said = recipe_from({**recipe.model_dump(mode="json"), "corrupt": [entry]}, [])
    sample = RESTORATION.read(said, RESTORATION.plan(said)[0])
    item = RESTORATION.join(said, [sample], None)

    def power(values: Array) -> float:
        return float(np.mean(np.square(values, dtype=np.float64)))

    assert power(item["clean"]) / power(item["x"] - item["clean"]) == pytest.approx(10**0.3, rel=1e-3)


def test_what_is_never_quiet_or_not_there_is_said(survey: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Ask for a smaller shape"):
        write_noise_bank(tmp_path / "bank.npz", [survey], shape=(16, 400))
    with pytest.raises(MissingDataError, match="no such file"):
        write_noise_bank(tmp_path / "bank.npz", [survey / "other"])
    assert not (tmp_path / "bank.npz").exists()


def test_the_command_writes_a_bank_and_says_how_a_recipe_names_it(survey: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "bank.npz"
    said = CliRunner().invoke(
        app, ["synth", "noise", str(survey), "--out", str(out), "--traces", "16", "--samples", "64"]
    )
    assert said.exit_code == 0, said.output
    assert len(Bank.read(out)) > 0
    assert f"bank: {out}" in said.output.replace("\n", "")


def test_a_bank_with_another_suffix_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose this suffix"):
        write_noise_bank(tmp_path / "bank.npy", [tmp_path / "none"])


@pytest.mark.parametrize(("keys", "said"), [({"block": 60}, "give 1 to 48"), ({"panels": "foo"}, "panels")])
def test_what_does_not_fit_a_bank_is_said_before_any_work(keys: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises((DataError, RecipeError), match=said):
        write_noise_bank(tmp_path / "bank.npz", [tmp_path / "none"], **keys)
