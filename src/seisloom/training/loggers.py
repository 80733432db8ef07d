"""Where curves of a training are written besides history.csv: CSV, TensorBoard, MLflow."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger, MLFlowLogger, TensorBoardLogger

from seisloom.errors import TrainingError
from seisloom.io.shards import write_json
from seisloom.recipe import Recipe
from seisloom.training.ranks import is_first

FOLDER = "logs"
"""Folder of a bundle that loggers write to."""
MLFLOW_URI = "MLFLOW_TRACKING_URI"
"""Variable that says where a user's own MLflow is; without it a run writes to a sqlite file of its own."""
NOTE = "mlflow.json"
"""File that keeps the number of the run in MLflow, for a training that goes on."""


def check_loggers(recipe: Recipe) -> None:
    """Look whether what the recipe's loggers need is installed, before anything is written.

    Raises:
        TrainingError: if a package is missing, with the command that installs it.
    """
    if "mlflow" in recipe.train.loggers and importlib.util.find_spec("mlflow") is None:
        raise TrainingError("train.loggers: mlflow is not installed: pip install 'seisloom[mlflow]'")


def loggers_of(recipe: Recipe, out: Path, *, resumed: bool) -> list[Any]:  # Any: Lightning's share no public base
    """Return the loggers that a recipe asks for; what they write lies in the folder `logs` of the bundle.

    Args:
        recipe: has `train.loggers`.
        out: folder of the bundle.
        resumed: whether this training goes on with what the folder holds.
    Raises:
        TrainingError: if MLflow does not answer.
    """
    wanted = recipe.train.loggers
    found: list[Any] = []  # Any: as above
    if "csv" in wanted:
        found.append(CSVLogger(out, name=FOLDER, version="csv"))
    if "tensorboard" in wanted:
        found.append(TensorBoardLogger(out, name=FOLDER, version="tensorboard"))
    if "mlflow" in wanted:
        found.append(_mlflow(recipe, out, resumed=resumed))
    return found


def _mlflow(recipe: Recipe, out: Path, *, resumed: bool) -> MLFlowLogger:
    """Return a logger to one run of MLflow, named as the bundle in an experiment named as the room."""
    # Unless somebody wants it MLflow is not to tell its makers of each use
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.exceptions import MlflowException

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)  # tables are made, and that is all that they have to say
    folder = (out / FOLDER).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    uri = os.environ.get(MLFLOW_URI)
    try:
        run = _begun(folder / NOTE, uri or _own(folder)) if resumed else None
        logger = MLFlowLogger(
            recipe.task, run_name=out.resolve().name, tracking_uri=uri or _own(folder), run_id=run,
            artifact_location=None if uri else (folder / "mlflow").as_uri(),
        )  # fmt: skip
        if is_first():
            write_json(folder / NOTE, {"run_id": logger.run_id})
            if run is None:  # MLflow keeps the first value of a key, and a run that goes on may have more epochs
                logger.log_hyperparams(dict(_numbered(recipe.model_dump(mode="json"))))
    except MlflowException as error:
        where = f"{MLFLOW_URI}: MLflow does not answer there" if uri else f"{_own(folder)}: cannot be written"
        raise TrainingError(f"{where} ({str(error).splitlines()[0]})") from error
    return logger


def _own(folder: Path) -> str:
    """Return the address of a run's own database."""
    return f"sqlite:///{(folder / 'mlflow.db').as_posix()}"


def _begun(note: Path, uri: str) -> str | None:
    """Return the number of the run that a training goes on with; None if MLflow does not know it."""
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    if not note.is_file():
        return None
    run: str = json.loads(note.read_text(encoding="utf-8"))["run_id"]
    try:
        return str(MlflowClient(uri).get_run(run).info.run_id)
    except MlflowException:
        return None


def _numbered(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # Any: JSON values
    """Yield plain values with the path of their keys; entries of a list by their place, as on the command line."""
    if isinstance(value, dict | list) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in pairs:
            yield from _numbered(one, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
