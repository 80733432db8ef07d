"""Curves of a training: TensorBoard and MLflow hold each loss term of both parts, as history.csv does."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seisloom.errors import TrainingError
from seisloom.recipe import Recipe, recipe_from
from seisloom.tasks.restoration.task import RESTORATION
from seisloom.training.fit import fit

TERMS = ("loss", "relative_error", "relative_error_2")
VALUES = {
    "task": "restoration",
    "data": {"synth": {"shape": [1, 12, 32], "n": 8}},
    "split": {"by": ["panel"], "valid": 0.3, "calibrate": 0, "test": 0},
    "corrupt": [{"name": "add_noise", "p": 1.0}],
    "model": {"name": "denoising_unet", "widths": [4, 8]},
    "loss": [{"name": "relative_error"}, {"name": "relative_error", "weight": 0.5, "power": 0}],
    "train": {"epochs": 2, "batch_size": 2, "accelerator": "cpu"},
}
needs_mlflow = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="needs the extra mlflow: pip install 'seisloom[mlflow]'"
)


def recipe_with(*loggers: str, epochs: int = 2) -> Recipe:
    return recipe_from(VALUES, [f"train.loggers=[{','.join(loggers)}]", f"train.epochs={epochs}"])


def history(folder: Path) -> list[dict[str, float]]:
    with (folder / "history.csv").open() as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def test_tensorboard_holds_each_term_of_both_parts(tmp_path: Path) -> None:
    fit(RESTORATION, recipe_with("tensorboard"), tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run" / "logs" / "tensorboard"))
    events.Reload()
    rows = history(tmp_path / "run")
    assert len(rows) == 2
    for part in ("train", "valid"):
        for term in TERMS:
            curve = [event.value for event in events.Scalars(f"{part}/{term}")]
            assert curve == pytest.approx([row[f"{part}/{term}"] for row in rows], rel=1e-5)
    last = rows[-1]
    assert last["valid/loss"] == pytest.approx(
        last["valid/relative_error"] + 0.5 * last["valid/relative_error_2"], rel=1e-4
    )
    assert not (tmp_path / "run" / "logs" / "csv").exists(), "nobody asked for it"


@needs_mlflow
def test_mlflow_keeps_metrics_and_parameters_in_a_file_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "my run"
    fit(RESTORATION, recipe_with("mlflow", epochs=1), out)
    fit(RESTORATION, recipe_with("mlflow"), out)  # goes on, in the same run
    client = MlflowClient(f"sqlite:///{out / 'logs' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("restoration")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == ("my run", "FINISHED")
    rows = history(out)
    assert [row["epoch"] for row in rows] == [0, 1]
    for part in ("train", "valid"):
        for term in TERMS:
            curve = sorted(client.get_metric_history(run.info.run_id, f"{part}/{term}"), key=lambda one: one.step)
            assert [one.value for one in curve] == pytest.approx([row[f"{part}/{term}"] for row in rows], rel=1e-5)
    said = {
        "task": "restoration", "train.lr": "0.001", "data.synth.shape.1": "12", "loss.1.weight": "0.5",
        "corrupt.0.name": "add_noise", "model.name": "denoising_unet",
    }  # fmt: skip
    assert {key: run.data.params[key] for key in said} == said
    assert sorted(one.name for one in tmp_path.iterdir()) == ["my run"], "nothing is written beside the bundle"


@needs_mlflow
def test_mlflow_writes_to_an_address_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path / 'own.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for name in ("a", "b"):
        fit(RESTORATION, recipe_with("mlflow", epochs=1), tmp_path / name)
        assert not (tmp_path / name / "logs" / "mlflow.db").exists()
    client = MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("restoration").experiment_id])
    assert sorted(run.info.run_name for run in runs) == ["a", "b"]
    assert all("valid/loss" in run.data.metrics for run in runs)


@needs_mlflow
def test_an_address_where_no_mlflow_is_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "gopher://nowhere")
    with pytest.raises(TrainingError, match="MLFLOW_TRACKING_URI: MLflow does not answer there") as caught:
        fit(RESTORATION, recipe_with("mlflow"), tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_without_mlflow_its_extra_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TrainingError, match=r"mlflow is not installed: pip install 'seisloom\[mlflow\]'") as caught:
        fit(RESTORATION, recipe_with("csv", "mlflow"), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()
