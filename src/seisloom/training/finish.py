"""The last stage of a training: how sure the network is, learnt on samples whose answers it has not seen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import torch
from torch import nn
from torch.utils.data import DataLoader

from seisloom.augment.augmentation import augment
from seisloom.augment.bank import Bank
from seisloom.augment.batch import Batch
from seisloom.progress import track
from seisloom.recipe import FinishConfig, Recipe
from seisloom.training.module import loss_terms, sum_terms, warm_cosine

logger = logging.getLogger("seisloom")


def finish(
    network: nn.Module, recipe: Recipe, loader: DataLoader[Batch], config: FinishConfig, *, bank: Bank | None = None
) -> None:
    """Train some parts of a network further, in place, on the validation part; all others stay as they are.

    On its own training samples a network errs less than on new ones, so that a spread learnt there is too small, and
    most so where it was fitted best. The samples that chose the best epoch taught no weight; groups that calibrate or
    test take no part here either.

    Args:
        network: trained.
        recipe: its loss and augmentations are used.
        loader: batches of the validation part, cropped and shuffled as for training.
        config: which parts, how long.
        bank: samples of the training part that augmentations take partners from.
    """
    chosen_parts = parts_of(network, config)
    there = dict(network.named_children())
    chosen = [one for name in chosen_parts for one in there[name].parameters()]
    if not chosen:
        return
    frozen = [one for one in network.parameters() if id(one) not in {id(part) for part in chosen}]
    for one in frozen:
        one.requires_grad_(False)
    optimizer = torch.optim.AdamW(chosen, lr=config.lr, weight_decay=recipe.train.weight_decay)
    device = next(network.parameters()).device
    total = 0.0
    network.train()
    batches = track(
        _steps(loader, config.steps), total=config.steps, what=f"teaching {' and '.join(chosen_parts)}", unit="batches"
    )
    for step, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = config.lr * warm_cosine(step, config.steps, warm=0.1)
        changed, _ = augment(batch.to(device), recipe.augment, seed=recipe.seed, bank=bank)
        outputs = network(changed.arrays)
        loss = sum_terms(loss_terms(outputs, changed.arrays, recipe), recipe)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if all(one.grad is None or bool(torch.isfinite(one.grad).all()) for one in chosen):
            torch.nn.utils.clip_grad_norm_(chosen, recipe.train.clip_norm)
            optimizer.step()
        total += float(loss.detach())
    for one in frozen:
        one.requires_grad_(True)
    network.eval()
    logger.info(
        "%s learnt further on the validation part: %d steps, mean loss %.4g",
        " and ".join(chosen_parts), config.steps, total / config.steps,
    )  # fmt: skip


def parts_of(network: nn.Module, config: FinishConfig) -> list[str]:
    """Return the parts that the network has; a recipe may be used with another network, which has none of them."""
    there = dict(network.named_children())
    missing = [name for name in config.parts if name not in there]
    if missing:
        logger.warning(
            "train.finish: the network has no part %s (it has %s), so that is left out",
            " and ".join(missing), ", ".join(there),
        )  # fmt: skip
    return [name for name in config.parts if name in there]


def _steps(loader: DataLoader[Batch], n_steps: int) -> Iterator[Batch]:
    """Yield so many batches, pass after pass, each pass with draws of its own."""
    done, epoch = 0, 0
    while done < n_steps:
        sampler = loader.sampler
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(epoch)
        batches: Iterable[Batch] = loader
        for batch in batches:
            if done == n_steps:
                return
            yield batch
            done += 1
        epoch += 1
