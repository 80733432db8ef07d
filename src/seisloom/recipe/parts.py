"""Parts of a recipe that all rooms share: how samples are parted, and the training loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from seisloom.config import Config, Paths


class SplitConfig(Config):
    """How samples are parted: whole groups, drawn by a keyed hash of their names."""

    by: tuple[str, ...] = Field(("shot",), min_length=1)
    """Kinds of group that are never parted, e.g. [shot] or [station]; several together join what shares any of them."""
    valid: float = Field(0.15, ge=0, lt=1)
    """Share of groups that choose the model (early stop, best epoch)."""
    calibrate: float = Field(0.2, ge=0, lt=1)
    """Share of groups that neither train nor choose, and only calibrate."""
    test: float = Field(0.2, ge=0, lt=1)
    """Share of groups that are only scored."""
    named: Mapping[str, tuple[str, ...]] = {}
    """Lists of groups by part, e.g. {test: [LINE/1003]}; they come before the shares."""
    only: tuple[str, ...] = ()
    """Keep only groups whose name begins with one of these, e.g. [REFRAPY1/]; empty keeps all."""
    few: Literal["refuse", "leave_out"] = "refuse"
    """What becomes of fewer groups than there are parts: they are refused, or test, then calibrate, then valid are left
    out, with a warning."""


class FinishConfig(Config):
    """A last stage that teaches parts of the network on the validation part; see `seisloom.training.finish`."""

    parts: tuple[str, ...] = Field(min_length=1)
    """Parts of the network, by the names that it gives them, e.g. [spread, presence]."""
    steps: int = Field(100, ge=1)
    """Batches."""
    lr: float = Field(2e-3, gt=0)
    """Highest learning rate."""


class TrainConfig(Config):
    """The training loop; the names follow PyTorch Lightning where it has them."""

    epochs: int = Field(30, ge=1)
    """Epochs, at most; after each one the validation part is looked at."""
    passes: int = Field(1, ge=1)
    """Passes over the training part in one epoch, each with its own crops and draws: for small parts."""
    batch_size: int = Field(16, ge=1)
    """Items in a batch, on each device."""
    batch_valid: int | None = Field(None, ge=1)
    """Items in a batch of the validation part; None takes batch_size."""
    shares: Mapping[str, PositiveFloat] = {}
    """Parts of the batches that go to groups whose names begin so, e.g. {LINE1: 0.6, LINE2: 0.4}, whatever their
    number of items; the key '' stands for all others. Without, a group has as many as it has items."""
    num_workers: int = Field(0, ge=0)
    """Processes that read samples, on each device; 0 reads in the training process."""
    lr: float = Field(1e-3, gt=0)
    """Highest learning rate; it rises over the first 5 % of the steps and falls to 1 % on a cosine."""
    weight_decay: float = Field(1e-2, ge=0)
    """Decay of the AdamW optimiser."""
    clip_norm: float = Field(1.0, gt=0)
    """Gradients with a larger norm are scaled down to it."""
    learn_weights: bool = False
    """Whether each loss term has a factor that is learnt with the network, beside its weight in the recipe: for tasks
    whose sizes cannot be compared. Validation is summed with the recipe's weights."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Decay of the moving average of the weights that is evaluated and kept; 0 keeps the weights themselves."""
    patience: int = Field(10, ge=1)
    """Epochs without a better validation loss before training stops."""
    monitor: str = "valid/loss"
    """What chooses the best epoch: a logged quantity of the validation part."""
    monitor_mode: Literal["min", "max"] = "min"
    """Whether less or more of it is better."""
    finish: FinishConfig | None = None
    """Parts that learn how sure the network is, after all else, on samples whose answers it has not seen."""
    init_from: Annotated[str | None, Paths(from_recipe=False)] = None
    """A bundle, by folder or by the name of a shipped one, whose weights training starts from."""
    resume: str | None = None
    """A .ckpt of a run of the same network, from which training goes on with its optimiser and its epoch; keys that
    were changed hold from there on, and are said. None goes on from what the output folder holds, if anything."""
    check: str | None = None
    """A .ckpt, a .pth or a bundle that is scored on the validation part; nothing is trained then."""
    max_non_finite: int = Field(10, ge=0)
    """Batches with a non-finite loss that are skipped (named and counted) before training stops."""
    keep_checkpoints: int = Field(1, ge=0)
    """Checkpoints of single epochs that are kept beside best and last."""
    accelerator: str = "auto"
    """Lightning's accelerator: auto, cpu, gpu, ..."""
    devices: int | str = "auto"
    """Lightning's devices: a number or auto."""
    num_nodes: int = Field(1, ge=1)
    """Machines that train together."""
    strategy: str = "auto"
    """Lightning's strategy: auto, ddp, ..."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    """Lightning's precision."""
    threads: int | None = Field(None, ge=1)
    """Threads that torch uses; None leaves its own choice."""
    loggers: tuple[Literal["csv", "tensorboard", "mlflow"], ...] = ("csv", "tensorboard")
    """Where curves are written besides history.csv, in the folder `logs`: csv, tensorboard, mlflow. mlflow needs
    `pip install seisloom[mlflow]` and has a sqlite file there, or the address in MLFLOW_TRACKING_URI."""
