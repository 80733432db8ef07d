"""Training: a recipe and samples in, a bundle out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint

from seisloom.bundle import Bundle, read_checkpoint, write_weights
from seisloom.errors import BundleError, MissingDataError, RecipeError, TrainingError
from seisloom.io.shards import write_json
from seisloom.recipe import Recipe
from seisloom.sample import Ref
from seisloom.split import digest, split
from seisloom.task import Task
from seisloom.training.callbacks import History, Lines
from seisloom.training.closed_form import learn_at_once
from seisloom.training.finish import finish
from seisloom.training.folder import claim, warn_of_changes
from seisloom.training.loader import LiveSource, Source, loader
from seisloom.training.loggers import check_loggers, loggers_of
from seisloom.training.match import channels, left_and_untrained, match, misfit
from seisloom.training.module import Module
from seisloom.training.partners import partners
from seisloom.training.ranks import is_first, wait_for_all

logger = logging.getLogger("seisloom")


def fit(
    task: Task[Any],
    recipe: Recipe,
    out: Path,
    *,
    source: Source | None = None,
    parts: Mapping[str, Sequence[Ref]] | None = None,
    force: bool = False,
) -> Bundle:
    """Train the recipe's network and return it as a bundle, not yet calibrated.

    A folder that an interrupted run of the same recipe left is resumed from its last checkpoint, also when only
    `train.epochs` grew; one that a run left before its first checkpoint is begun anew; any other folder is refused.
    A run that goes on from a checkpoint of another folder (`train.resume`) says in what the recipes differ.

    Args:
        task, recipe: the room and what it should do.
        out: folder of the bundle.
        source: samples; by default the task's own `plan` and `read`.
        parts: which samples train, which choose the best epoch (valid), and others, which are only noted; by default
            as the recipe splits them.
        force: replace a folder that holds another bundle.
    Raises:
        OutputError: if the folder is there and is not a run of this recipe.
        SplitError: if the groups do not suffice.
        TrainingError: if too many losses are not finite, or a logger's package is not there.
    """
    check_loggers(recipe)
    resume = claim(out, recipe, force=force)
    goes_on = resume is not None
    # Lightning sets this level when it is imported, and speaks of hardware and products; what matters is said here
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    pl.seed_everything(recipe.seed, workers=True, verbose=False)
    if recipe.train.threads:
        torch.set_num_threads(recipe.train.threads)
    source = source if source is not None else LiveSource(task, recipe)
    parts = parts if parts is not None else split(source.refs, seed=recipe.seed, config=recipe.split)
    named = {part: sorted({_group(ref.groups, recipe) for ref in refs}) for part, refs in parts.items()}
    if is_first():
        write_json(out / "split.json", {"by": list(recipe.split.by), "sha256": digest(parts), "groups": named})

    network = recipe.network(task.item)
    if recipe.train.init_from:
        load_weights(network, recipe, "init_from")
    if recipe.train.resume and not resume:
        resume = _checked_resume(network, recipe)
    pin = torch.cuda.is_available()
    train = loader(task, recipe, source, parts["train"], training=True, pin_memory=pin)
    valid = loader(task, recipe, source, parts["valid"], training=False, pin_memory=pin) if parts["valid"] else None
    if is_first():
        for part, refs in parts.items():
            if refs:
                by = ", ".join(recipe.split.by)
                logger.info("%s: %d samples in %d groups (%s)", part, len(refs), len(named[part]), by)
        n_parameters = sum(one.numel() for one in network.parameters())
        if not recipe.model.is_closed_form:  # one that is fitted has none before
            logger.info("model %s: %d parameters", recipe.model.name, n_parameters)

    bank = partners(task, recipe, source, parts["train"])
    if recipe.model.is_closed_form:
        if is_first():
            learn_at_once(network, task, recipe, source, parts, out, bank=bank)
            n_numbers = sum(one.numel() for one in network.state_dict().values())
            logger.info("model %s: %d numbers, fitted at once", recipe.model.name, n_numbers)
            write_weights(network.state_dict(), out)
        wait_for_all()
        return Bundle(out, recipe, None)
    module = Module(network, recipe, bank)
    loggers = loggers_of(recipe, out, resumed=goes_on)
    trainer, best = _trainer(recipe, out, loggers, has_valid=valid is not None)
    try:
        trainer.fit(module, train, valid, ckpt_path=resume, weights_only=True)
    except (KeyboardInterrupt, SystemExit):  # Lightning turns Ctrl-C into an exit
        raise TrainingError(f"stopped; {out} goes on from its last epoch with the same command") from None
    if trainer.interrupted:
        raise TrainingError(f"stopped; run the same command again and {out} goes on from its last epoch")
    if trainer.is_global_zero:
        _load_best(network, out, best)
        if recipe.train.finish is not None and parts["valid"]:
            shuffled = loader(task, recipe, source, parts["valid"], training=True)
            finish(network, recipe, shuffled, recipe.train.finish, bank=bank)
        write_weights(network.state_dict(), out)
    trainer.strategy.barrier()
    return Bundle(out, recipe, None)


def _group(groups: Any, recipe: Recipe) -> str:  # Any: a mapping of strings
    return "+".join(groups[kind] for kind in recipe.split.by)


@runtime_checkable
class Adopts(Protocol):
    """A network that can begin from weights of another form."""

    def adopted(self, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return weights of another network by the names and in the shapes of its own, as far as they fit."""
        ...


def load_weights(network: torch.nn.Module, recipe: Recipe, key: Literal["init_from", "check", "resume"]) -> None:
    """Copy the weights that a key of `train` names: a bundle, by folder or shipped name, a .ckpt or a .pth.

    Of weights that training begins from, what both networks have is taken over, if it is more than half of the new one
    and as wide and deep: decoders and heads that the new one lacks are left out, those that the weights lack begin
    untrained, and both are said. A network that `Adopts` weights of others takes them in its own form.

    Raises:
        MissingDataError: if there is no such file.
        BundleError: if it is damaged.
        RecipeError: if the weights are of another network.
    """
    name = str(getattr(recipe.train, key))
    is_file = name.endswith((".ckpt", ".pth"))
    if is_file and not Path(name).is_file():
        raise MissingDataError(f"train.{key}: {name}: no such file")
    state = read_checkpoint(Path(name)) if is_file else Bundle.open(name).weights()
    if key == "init_from" and isinstance(network, Adopts):
        state = network.adopted(state)
    own = network.state_dict()
    found = match(state, own)
    if not found.is_whole and not (key == "init_from" and found.is_enough):
        raise RecipeError(
            f"train.{key}: the weights of {name} do not fit model {recipe.model.name!r}: {misfit(state, own)}. "
            f"{_remedy(state, own, recipe, key)}"
        )
    network.load_state_dict(found.fits, strict=found.is_whole)
    if not found.is_whole:
        logger.info("train.init_from: begins from %s; %s", name, left_and_untrained(found, name))


def _remedy(state: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor], recipe: Recipe, key: str) -> str:
    """Return what to do about weights that do not fit."""
    there, here = channels(state), channels(own)
    if there and here and there != here and hasattr(recipe.model, "widths"):
        take = f"Give model.widths=[{','.join(map(str, there))}]"
    else:
        take = "Take the `model:` of its recipe.yaml"
    return take + (", or begin untrained with train.init_from=null" if key == "init_from" else "")


def _checked_resume(network: torch.nn.Module, recipe: Recipe) -> str:
    """Return the checkpoint that training goes on from, after looking whether it can."""
    file = str(recipe.train.resume)
    if not file.endswith(".ckpt"):
        raise RecipeError(f"train.resume: {file} is no .ckpt of a training; train.init_from begins from weights alone")
    load_weights(network, recipe, "resume")
    loaded = torch.load(file, map_location="cpu", weights_only=True)
    if "optimizer_states" not in loaded:
        raise RecipeError(f"train.resume: {file} holds weights alone; train.init_from begins from them")
    factors = loaded["state_dict"].get("log_variances")
    n_learnt, n_wanted = 0 if factors is None else len(factors), len(recipe.loss) * recipe.train.learn_weights
    if n_learnt != n_wanted:
        raise RecipeError(
            f"train.resume: {file} has learnt factors of {n_learnt} loss terms, and this recipe learns {n_wanted}. "
            "Take the `loss:` and train.learn_weights of its recipe.yaml; train.init_from begins from its weights alone"
        )
    if is_first():
        warn_of_changes(file, recipe)
    return file


def _trainer(
    recipe: Recipe, out: Path, loggers: list[Any], *, has_valid: bool
) -> tuple[pl.Trainer, ModelCheckpoint]:  # Any: Lightning's loggers share no public base
    train = recipe.train
    folder = out / "checkpoints"
    monitor = train.monitor if has_valid else "train/loss"
    best = ModelCheckpoint(
        folder, filename="best", monitor=monitor, mode=train.monitor_mode, save_top_k=1,
        enable_version_counter=False, auto_insert_metric_name=False,
    )  # fmt: skip
    # Not `save_last`: that one is written only when an epoch is a best one, and a resumed run would lose the others
    last = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    callbacks: list[pl.Callback] = [best, last]
    callbacks.append(EarlyStopping(monitor, patience=train.patience, mode=train.monitor_mode))
    if train.keep_checkpoints:
        callbacks.append(
            ModelCheckpoint(
                folder, filename="epoch={epoch:03d}", monitor="epoch", mode="max", save_top_k=train.keep_checkpoints,
                enable_version_counter=False, auto_insert_metric_name=False,
            )
        )  # fmt: skip
    if train.ema:
        callbacks.append(EMAWeightAveraging(decay=train.ema))
    callbacks += [History(out), Lines()]
    trainer = pl.Trainer(
        max_epochs=train.epochs, accelerator=train.accelerator, devices=train.devices, num_nodes=train.num_nodes,
        strategy=train.strategy, precision=train.precision, gradient_clip_val=train.clip_norm, callbacks=callbacks,
        logger=loggers or False, log_every_n_steps=1, num_sanity_val_steps=0, use_distributed_sampler=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    return trainer, best


def _load_best(network: torch.nn.Module, out: Path, best: ModelCheckpoint) -> None:
    path = Path(best.best_model_path or out / "checkpoints" / "last.ckpt")
    if not path.is_file():
        raise BundleError(f"{out}: no epoch was finished, so there are no weights")
    network.load_state_dict(read_checkpoint(path))
