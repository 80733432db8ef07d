"""What happens around the epochs: history as a table and a figure, and progress that a person sees."""

from __future__ import annotations

import csv
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from seisloom.progress import LINE_EVERY_S

logger = logging.getLogger("seisloom")


class History(pl.Callback):
    """Writes `history.csv`, one row an epoch, and `loss_plot.png` after each; goes on with the file after a resume."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "history.csv"
        self.rows: list[dict[str, float]] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.path.is_file() and trainer.current_epoch > 0:
            with self.path.open(encoding="utf-8", newline="") as file:
                rows = [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]
            self.rows = [row for row in rows if row["epoch"] < trainer.current_epoch]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        values = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        self.rows.append({"epoch": trainer.current_epoch, "lr": trainer.optimizers[0].param_groups[0]["lr"], **values})
        write_history(self.rows, self.path)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero and self.rows:
            from seisloom.figures.history import draw_history

            draw_history(self.rows).savefig(self.path.with_name("loss_plot.png"), dpi=120)


def write_history(rows: list[dict[str, float]], path: Path) -> None:
    """Write the rows as CSV with every column that any row has, beside and renamed."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    os.replace(partial, path)


class Lines(pl.Callback):
    """Says how far the training is: every 10 s within an epoch, and a line an epoch with its losses."""

    def __init__(self) -> None:
        self.start = self.said = time.monotonic()
        self.first_epoch = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.start = self.said = time.monotonic()
        self.first_epoch = trainer.current_epoch
        if trainer.is_global_zero:
            # Not before: only now do processes that train together know how many they are
            n_batches = int(trainer.num_training_batches)
            logger.info("%d batches an epoch, %d in all", n_batches, n_batches * (trainer.max_epochs or 0))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:  # Any: Lightning's own protocol
        now = time.monotonic()
        if now - self.said >= LINE_EVERY_S and trainer.is_global_zero:
            self.said = now
            epoch, n_epochs = trainer.current_epoch + 1, trainer.max_epochs or 0
            done = (
                trainer.current_epoch - self.first_epoch + (batch_idx + 1) / max(float(trainer.num_training_batches), 1)
            )
            left = (now - self.start) / done * (n_epochs - self.first_epoch - done)
            logger.info(
                "epoch %d of %d, batch %d of %d, at most %.0f s left",
                epoch, n_epochs, batch_idx + 1, trainer.num_training_batches, left,
            )  # fmt: skip

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            values = trainer.callback_metrics
            shown = ", ".join(
                f"{name} {float(values[name]):.4g}" for name in sorted(values) if name.startswith("valid/")
            )
            train = float(values.get("train/loss", float("nan")))
            logger.info(
                "epoch %d of %d: train/loss %.4g, %s", trainer.current_epoch + 1, trainer.max_epochs or 0, train, shown
            )
