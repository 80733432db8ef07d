"""The one LightningModule: every task trains by it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import Metric

from seisloom.augment.augmentation import augment
from seisloom.augment.bank import Bank
from seisloom.augment.batch import Batch
from seisloom.errors import RecipeError, TrainingError
from seisloom.recipe import Recipe
from seisloom.recipe.parts import TrainConfig

logger = logging.getLogger("seisloom")
LARGEST_LOG = 4.0
"""Limit of a term's log variance: one that goes to 0 is not to drown all others."""


class Module(pl.LightningModule):
    """A network with the recipe's augmentations, loss terms, metrics and optimiser."""

    log_variances: nn.Parameter | None
    """Of the loss terms, where their weights are learnt."""

    def __init__(self, network: nn.Module, recipe: Recipe, bank: Bank | None = None) -> None:
        super().__init__()
        self.network, self.recipe, self.bank = network, recipe, bank
        self.valid_metrics = nn.ModuleDict({entry.name: entry.build() for entry in recipe.metrics})
        learnt = nn.Parameter(torch.zeros(len(recipe.loss))) if recipe.train.learn_weights else None
        self.register_parameter("log_variances", learnt)
        self.n_non_finite = 0
        self._suspects = ""

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        outputs: Mapping[str, Tensor] = self.network(batch.arrays)
        return outputs

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        changed, _ = augment(batch, self.recipe.augment, seed=self.recipe.seed, bank=self.bank)
        terms = self._terms(self(changed), changed)
        loss = sum_terms(terms, self.recipe, self.log_variances, share=self._share())
        if self.log_variances is not None:
            factors = zip(terms, (-bounded(self.log_variances.detach())).exp(), strict=True)
            self.log_dict(
                {f"train/weight_{name}": factor for name, factor in factors},
                on_step=False, on_epoch=True, batch_size=len(batch), sync_dist=True,
            )  # fmt: skip
        if not bool(torch.isfinite(loss)):
            self._suspects = suspects(terms, batch)
        self._log("train", loss, terms, batch)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        outputs = self(batch)
        terms = self._terms(outputs, batch)
        loss = sum_terms(terms, self.recipe)
        if not bool(torch.isfinite(loss)):
            logger.warning("validation loss is not finite, no epoch can be chosen by it: %s", suspects(terms, batch))
        self._log("valid", loss, terms, batch)
        for name, metric in self.valid_metrics.items():
            assert isinstance(metric, Metric)
            metric.update(outputs, batch.arrays)
            self.log(f"valid/{name}", metric, on_epoch=True, batch_size=len(batch))

    def _terms(self, outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        try:
            return loss_terms(outputs, batch.arrays, self.recipe)
        except KeyError as error:
            name, missing = error.args
            raise RecipeError(
                f"loss {name!r} needs {missing!r}, which model {self.recipe.model.name!r} does not give "
                f"(it gives {', '.join(outputs)}). Take that term out of `loss:`"
            ) from error

    def _share(self) -> float:
        """How much of the training is over, 0 to 1; asked for only where a term's weight hangs on it."""
        if not any(entry.from_share or entry.ramp_share for entry in self.recipe.loss):
            return 1.0
        return min(self.trainer.global_step / max(int(self.trainer.estimated_stepping_batches), 1), 1.0)

    def _log(self, part: str, loss: Tensor, terms: Mapping[str, Tensor], batch: Batch) -> None:
        values = {f"{part}/loss": loss.detach(), **{f"{part}/{name}": one.detach() for name, one in terms.items()}}
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(batch), sync_dist=True)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Skip a step with a non-finite gradient: named and counted, and too many of them stop the training.

        The gradients are those that the ranks have averaged, so all ranks skip the same step.
        """
        gradients = [one.grad for one in self.parameters() if one.grad is not None]
        if all(bool(torch.isfinite(one).all()) for one in gradients):
            return
        self.n_non_finite += 1
        for parameter in self.parameters():
            parameter.grad = None
        cause = self._suspects or "the loss was finite, its gradient was not"
        logger.warning("non-finite loss, step skipped (%d so far): %s", self.n_non_finite, cause)
        self._suspects = ""
        if self.n_non_finite > self.recipe.train.max_non_finite:
            raise TrainingError(
                f"{self.n_non_finite} batches had a non-finite loss ({cause}). Look for NaN in these samples "
                "(seisloom shards show), or lower train.lr; train.max_non_finite sets the limit"
            )

    def on_train_end(self) -> None:
        """Refuse a training of which no step was taken."""
        if 0 < self.trainer.global_step <= self.n_non_finite:
            raise TrainingError(
                f"all {self.n_non_finite} steps were skipped, since their loss was not finite: the network has learnt "
                "nothing. The samples are named above; look for NaN in them, or lower train.lr"
            )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:  # Any: Lightning's own type
        """Let the recipe's values hold where training goes on from a checkpoint of another recipe."""
        put_settings(checkpoint, self.recipe.train)

    def configure_optimizers(self) -> Any:  # Any: Lightning's own type
        train = self.recipe.train
        # Norms and biases are not decayed: shrinking them only fights their task
        decayed = [one for one in self.network.parameters() if one.ndim > 1]
        others = [one for one in self.parameters() if one.ndim <= 1]
        # A second moment over 50 steps, not 1000: the trainings here are short, and 0.999 is still warming up
        groups = [{"params": decayed, "weight_decay": train.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=train.lr, betas=(0.9, 0.98))
        n_steps = max(int(self.trainer.estimated_stepping_batches), 1)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warm_cosine(step, n_steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def put_settings(checkpoint: dict[str, Any], train: TrainConfig) -> None:  # Any: what Lightning keeps
    """Put the learning rate, decay and patience of a recipe in the place of those that a checkpoint keeps.

    Lightning would go on with the checkpoint's own and not say so. Where they are the same not a bit changes.

    Args:
        checkpoint: as Lightning loads it; changed in place.
        train: of the recipe that goes on.
    """
    for scheduler in checkpoint.get("lr_schedulers", ()):
        was = scheduler["base_lrs"]
        scheduler["base_lrs"] = [train.lr for _ in was]
        scheduler["_last_lr"] = [now * (train.lr / lr) for now, lr in zip(scheduler["_last_lr"], was, strict=True)]
    for optimizer in checkpoint.get("optimizer_states", ()):
        for group, decay in zip(optimizer["param_groups"], (train.weight_decay, 0.0), strict=True):
            group["lr"] *= train.lr / group["initial_lr"]
            group["initial_lr"], group["weight_decay"] = train.lr, decay
    for callback in checkpoint.get("callbacks", {}).values():
        if "patience" in callback:
            callback["patience"] = train.patience


def suspects(terms: Mapping[str, Tensor], batch: Batch) -> str:
    """Return the terms that are not finite, and the first samples of their batch, in words."""
    bad = [name for name, value in terms.items() if not bool(torch.isfinite(value))]
    return f"terms {', '.join(bad) or 'none alone'}; samples {', '.join(batch.keys[:4])}"


def loss_terms(outputs: Mapping[str, Tensor], arrays: Mapping[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
    """Return the loss terms in the recipe's order, by name; a second one of a name is name_2.

    Raises:
        KeyError: name of the term and of the output or label that is not there.
    """
    terms: dict[str, Tensor] = {}
    for entry in recipe.loss:
        n_before = sum(other.name == entry.name for other in recipe.loss[: len(terms)])
        try:
            terms[entry.name if not n_before else f"{entry.name}_{n_before + 1}"] = entry(outputs, arrays)
        except KeyError as error:
            raise KeyError(entry.name, error.args[0]) from error
    return terms


def sum_terms(
    terms: Mapping[str, Tensor], recipe: Recipe, log_variances: Tensor | None = None, *, share: float = 1.0
) -> Tensor:
    """Return the weighted sum of the loss terms.

    Args:
        terms: in the recipe's order.
        recipe: has their weights.
        log_variances: s of each term, which then counts as exp(-s) times itself plus s: Kendall et al. (2018), CVPR,
            equation 7, without its factor of a half; None for the recipe's weights alone.
        share: of the training that is over, on which the weights of some terms hang; all have theirs at 1.
    """
    values = torch.stack(list(terms.values()))
    weights = values.new_tensor([entry.weight_at(share) for entry in recipe.loss])
    if log_variances is None:
        return (weights * values).sum()
    s = bounded(log_variances)
    return (weights * ((-s).exp() * values + s)).sum()


def bounded(log_variances: Tensor) -> Tensor:
    """Return log variances that keep to their limits without losing their gradient."""
    return LARGEST_LOG * (log_variances / LARGEST_LOG).tanh()


def warm_cosine(step: int, n_steps: int, *, warm: float = 0.05, floor: float = 0.01) -> float:
    """Return the factor of the learning rate: a linear rise, then a cosine down to the floor.

    >>> round(warm_cosine(100, 100), 3)
    0.01
    """
    n_warm = max(int(warm * n_steps), 1)
    if step < n_warm:
        return (step + 1) / n_warm
    way = min((step - n_warm) / max(n_steps - n_warm, 1), 1.0)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * way))
